# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomocgls against conjugate gradients in float64 with the same matrix."""

from iterativetest import *


class Cgls(IterativeTestCase):
    def test_iterations(self):
        """float32 loses the iterate itself later, but not its residual, which falls."""
        self.check_method("tomocgls num-iterations=5", lambda b: cgls(self.a, b, 5))
        sinograms = self.data(3)
        self.slices("tomocgls num-iterations=20", sinograms)
        for residuals, sinogram in zip(self.residuals, sinograms, strict=True):
            _, wanted = cgls(self.a, sinogram.astype(np.float64).ravel(), 20)
            self.assertLess(np.abs(np.subtract(residuals, wanted)).max(), 1e-3, f"(seed {SEED})")
            self.assertLess(abs(residuals[-1] - wanted[-1]), 3e-4, f"(seed {SEED})")
            self.assertTrue((np.diff(residuals) < 0).all())

    def test_nothing_left(self):
        """Sinograms of zeros are slices of zeros; an exact solution stays."""
        (result,) = self.slices("tomocgls", np.zeros((self.VIEWS, self.COLUMNS), np.float32))
        np.testing.assert_array_equal(result, 0)

    def test_stops(self):
        self.check_stops("tomocgls")

    def test_streams(self):
        self.check_streams("tomocgls")


if __name__ == "__main__":
    main()
