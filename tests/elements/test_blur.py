# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomoblur against scipy.ndimage."""

from tomotest import *
from filtertest import *
from scipy import ndimage


def blur(plane, size=5, sigma=1.0):
    d = np.arange(-(size // 2), size // 2 + 1)
    weights = np.exp(-0.5 * (d / sigma) ** 2) if sigma else (d == 0).astype(float)
    for axis in 0, 1:
        inside = ndimage.correlate1d(np.ones(plane.shape), weights, axis, mode="constant")
        plane = ndimage.correlate1d(plane, weights, axis, mode="constant") / inside
    return plane


class Blur(FilterTestCase):
    def test_properties(self):
        self.check_properties("tomoblur", {"size": (5, 3, 1000), "sigma": (1.0, 0.0, 1000.0)})

    def test_filter(self):
        self.check_filter("tomoblur", blur)

    def test_sizes(self):
        arrays = [random_array(np.float32, shape) for shape in SHAPES]
        for size, sigma in (3, 0.5), (4, 1), (6, 1000), (7, 0), (21, 2.5), (100, 13.25), (1000, 1), (1000, 1000):
            self.check(f"tomoblur size={size} sigma={sigma}", arrays, lambda p: blur(p, size, sigma), is_weighted_sum=True)

    def test_scipy_agrees_inside(self):
        a = random_array(np.float32, (53, 61))
        (result,) = run("tomoblur size=17 sigma=2", [a])
        wanted = ndimage.gaussian_filter(a.astype(np.float64), 2, truncate=4)
        self.assert_close(result[8:-8, 8:-8], wanted[8:-8, 8:-8], 1e-6)

    def test_constants_stay(self):
        (result,) = run("tomoblur size=31 sigma=7", [np.full((23, 5), 2.5, np.float32)])
        self.assert_close(result, np.full((23, 5), 2.5), 1e-6)

    def test_nan_and_infinity(self):
        a = random_array(np.float32, (11, 13))
        a[5, 6] = np.nan
        (result,) = run("tomoblur size=5", [a])
        wanted = np.zeros(a.shape, bool)
        wanted[3:8, 4:9] = True
        np.testing.assert_array_equal(np.isnan(result), wanted)
        a[5, 6] = np.inf
        (result,) = run("tomoblur size=1000 sigma=0.1", [a])
        self.assertFalse(np.isnan(result).any())


if __name__ == "__main__":
    main()
