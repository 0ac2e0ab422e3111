# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomomedianfilter against numpy and scipy.ndimage."""

from tomotest import *
from elementtest import Stream
from filtertest import *
from scipy import ndimage


def median(plane, size=3):
    return np.median(neighbourhoods(plane, size), axis=(-2, -1))


def levels(dtype, shape):
    """Few different values, as counts have."""
    return rng.poisson(3, shape).astype(dtype)


class MedianFilter(FilterTestCase):
    def test_properties(self):
        self.check_properties("tomomedianfilter", {"size": (3, 3, 33)})

    def test_filter(self):
        self.check_filter("tomomedianfilter", median, shapes=((1, 1), (1, 13), (17, 1), (2, 3), (71, 37)))

    def test_sizes(self):
        for size in 4, 5, 8, 9, 12, 17, 32, 33:
            for make in random_array, levels:
                self.check(f"tomomedianfilter size={size}", [make(np.float32, (71, 37)), make(np.float32, (3, 2))],
                           lambda p: median(p, size))

    def test_values_that_are_hard_to_halve(self):
        shape = 71, 37
        huge = rng.choice(np.float32([-3e38, -1, -1e-45, -0.0, 0.0, 1e-45, 1e-38, 2, 3e38]), shape)
        steps = np.where(np.indices(shape)[0] < 35, np.float32(-1), np.float32(1))
        ramp = np.arange(71 * 37, dtype=np.float32).reshape(shape)
        outliers = np.where(rng.random(shape) < 0.2, np.float32(np.inf), random_array(np.float32, shape))
        for size in 3, 11, 33:
            self.check(f"tomomedianfilter size={size}", [huge, steps, ramp, ramp.T.copy(), outliers, np.zeros(shape, np.float32)],
                       lambda p: median(p, size))

    def test_scipy_agrees_exactly(self):
        a = random_array(np.float32, (53, 61))
        for size in 3, 7, 21:
            (result,) = run(f"tomomedianfilter size={size}", [a])
            np.testing.assert_array_equal(result, ndimage.median_filter(a, size))

    def test_nan(self):
        for size in 5, 12:
            a = random_array(np.float32, (71, 37))
            a[40, 11] = a[3, 36] = np.nan
            self.check(f"tomomedianfilter size={size}", [a], lambda p: median(p, size))

    def test_size_while_playing(self):
        a = random_array(np.float32, (11, 13))
        with Stream("tomomedianfilter name=m") as stream:
            self.assert_close(stream.through(a), median(a), 1e-6)
            stream["m"].set_property("size", 9)
            self.assert_close(stream.through(a), median(a, 9), 1e-6)


if __name__ == "__main__":
    main()
