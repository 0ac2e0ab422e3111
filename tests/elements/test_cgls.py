# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomocgls against conjugate gradients in float64 with the same matrix."""

from iterativetest import *


class Cgls(IterativeTestCase):
    def test_iterations(self):
        self.check_method("tomocgls num-iterations=20", lambda b: cgls(self.a, b, 20), tolerance=1e-5, residuals=1e-5)
        for residuals in self.residuals:
            self.assertTrue((np.diff(residuals) < 0).all(), f"(seed {SEED})")

    def test_fourier(self):
        self.check_method(f"tomocgls num-iterations=5 {self.FOURIER}", lambda b: cgls(self.fourier, b, 5))
        self.check_method(f"tomocgls num-iterations=20 {self.FOURIER}", lambda b: cgls(self.fourier, b, 20), tolerance=0.01)
        for residuals in self.residuals:
            self.assertTrue((np.diff(residuals) < 0).all(), f"(seed {SEED})")
        self.check_fourier("tomocgls")

    def test_nothing_left(self):
        """Sinograms of zeros are slices of zeros; an exact solution stays."""
        (result,) = self.slices("tomocgls", np.zeros((self.VIEWS, self.COLUMNS), np.float32))
        np.testing.assert_array_equal(result, 0)

    def test_start(self):
        self.check_start("tomocgls num-iterations=4", lambda b, start, mask: cgls(self.a, b, 4, start, mask)[0])

    def test_stops(self):
        self.check_stops("tomocgls")

    def test_streams(self):
        self.check_streams("tomocgls")


if __name__ == "__main__":
    main()
