# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomofista against the same iterations in float64, and against another method for the same objective."""

from tvtest import *


class Fista(VariationTestCase):
    def test_iterations(self):
        for properties, number, bounds in (("num-iterations=20", 1, (-np.inf, np.inf)),
                                           ("num-iterations=20 minimum=0 maximum=0.03", 1, (0.0, 0.03)),
                                           ("num-iterations=5 subsets=6 minimum=0", 6, (0.0, np.inf))):
            parts = [self.rows(views) for views in subsets(self.VIEWS, number)]
            iterations = 5 if number > 1 else 20
            with self.subTest(properties=properties):
                self.check_objective(f"tomofista lambda={self.LAMBDA} {properties}",
                                     lambda problem: fista(problem, self.LAMBDA, iterations, 20, *bounds), parts=parts)

    def test_fourier(self):
        for number, iterations in ((1, 20), (6, 5)):
            parts = [self.rows(views) for views in subsets(self.VIEWS, number)]
            with self.subTest(number=number):
                self.check_objective(f"tomofista lambda={self.LAMBDA} num-iterations={iterations} subsets={number} minimum=0 {self.FOURIER}",
                                     lambda problem: fista(problem, self.LAMBDA, iterations, 20, 0.0), parts=parts, kind=FourierProblem)
        self.check_fourier("tomofista")

    def test_least_value(self):
        """As split Bregman finds it."""
        sinogram = self.data()
        problem = self.problem(sinogram, 2)
        (result,) = self.slices(f"tomofista num-iterations=200 lambda={self.LAMBDA}", sinogram[0])
        least = problem.objective(split_bregman(problem, self.LAMBDA, 300)[0], self.LAMBDA)
        self.assertLess(abs(problem.objective(result.reshape(problem.shape).astype(np.float64), self.LAMBDA) / least - 1), 1e-4)

    def test_error(self):
        self.check_error("tomofista num-iterations=100 lambda=0.002 minimum=0", lambda problem: fista(
            Problem(problem.a, problem.b, problem.views, problem.shape[1:], 2), 0.002, 100, 20, 0.0))

    def test_no_weight(self):
        """Without total variation it is least squares."""
        sinogram = self.data()
        (result,) = self.slices("tomofista num-iterations=20 lambda=0", sinogram[0])
        wanted, _ = fista(self.problem(sinogram, 2), 0.0, 20)
        self.assertLess(np.linalg.norm(result - wanted[0]), 1e-4 * np.linalg.norm(wanted))

    def test_start(self):
        def method(sinogram, start, mask):
            p = self.problem(sinogram[None], 2)
            return fista(p, 0.002, 4, 20, 0.0, start=start, mask=mask)[0]

        self.check_start("tomofista num-iterations=4 lambda=0.002 minimum=0", method)

    def test_stops(self):
        self.check_stops("tomofista lambda=0.0001")

    def test_streams(self):
        self.check_streams("tomofista")


if __name__ == "__main__":
    main()
