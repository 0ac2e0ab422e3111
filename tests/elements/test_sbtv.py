# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomosbtv against the same iterations in float64, and against another method for the same objective."""

from tvtest import *


class Sbtv(VariationTestCase):
    def test_iterations(self):
        for properties, penalty, inner, bounds in (("", 1.0, 3, (-np.inf, np.inf)), ("minimum=0 maximum=0.03", 1.0, 3, (0.0, 0.03)),
                                                   ("penalty=0.3 cg-iterations=1", 0.3, 1, (-np.inf, np.inf))):
            with self.subTest(properties=properties):
                self.check_objective(f"tomosbtv num-iterations=20 lambda={self.LAMBDA} {properties}",
                                     lambda problem: split_bregman(problem, self.LAMBDA, 20, penalty, inner, *bounds))

    def test_fourier(self):
        self.check_objective(f"tomosbtv num-iterations=20 lambda={self.LAMBDA} {self.FOURIER}",
                             lambda problem: split_bregman(problem, self.LAMBDA, 20), kind=FourierProblem)
        self.check_fourier("tomosbtv")

    def test_least_value(self):
        """As FISTA finds it, with bounds as well."""
        sinogram = self.data()
        problem = self.problem(sinogram, 2)
        (result,) = self.slices(f"tomosbtv num-iterations=200 lambda={self.LAMBDA} minimum=0", sinogram[0])
        least = problem.objective(fista(problem, self.LAMBDA, 300, 20, 0.0)[0], self.LAMBDA)
        self.assertLess(abs(problem.objective(result.reshape(problem.shape).astype(np.float64), self.LAMBDA) / least - 1), 1e-4)
        self.assertGreaterEqual(result.min(), 0)

    def test_error(self):
        self.check_error("tomosbtv num-iterations=50 lambda=0.002 minimum=0",
                         lambda problem: split_bregman(problem, 0.002, 50, low=0.0))

    def test_start(self):
        def method(sinogram, start, mask):
            p = self.problem(sinogram[None], 2)
            return split_bregman(p, 0.002, 4, low=0.001, start=start, mask=mask)[0]

        self.check_start("tomosbtv num-iterations=4 lambda=0.002 minimum=0.001", method)

    def test_stops(self):
        self.check_stops("tomosbtv lambda=0.0001 cg-iterations=1", 0.08)

    def test_streams(self):
        self.check_streams("tomosbtv")


if __name__ == "__main__":
    main()
