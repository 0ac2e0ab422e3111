# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomomlem against float64 iterations with the same matrix."""

from iterativetest import *


class Mlem(IterativeTestCase):
    def test_iterations(self):
        for number in (1, 4):
            parts = [self.rows(views) for views in subsets(self.VIEWS, number)]
            self.check_method(f"tomomlem num-iterations=20 subsets={number}", lambda b: multiplicative(self.a, b, 20, parts))

    def test_negative_samples(self):
        sinogram = self.data()[0]
        sinogram[3:5, 10:14] = -0.5
        (result,) = self.slices("tomomlem", sinogram)
        wanted, _ = multiplicative(self.a, sinogram.astype(np.float64).ravel(), 10, [slice(None)])
        self.assertLess(np.linalg.norm(result.ravel() - wanted), 1e-4 * np.linalg.norm(wanted))
        self.assertGreaterEqual(result.min(), 0)

    def test_start(self):
        parts = [self.rows(range(self.VIEWS))]
        self.check_start("tomomlem num-iterations=4", lambda b, start, mask: multiplicative(self.a, b, 4, parts, start, mask)[0])

    def test_stops(self):
        self.check_stops("tomomlem")

    def test_streams(self):
        self.check_streams("tomomlem")


if __name__ == "__main__":
    main()
