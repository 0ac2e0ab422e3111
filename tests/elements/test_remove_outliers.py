# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomoremoveoutliers against sorted neighbourhoods."""

from tomotest import *
from filtertest import *


def cleaned(plane, size=3, threshold=1.0, sign=1):
    plane = plane.astype(np.float32).astype(np.float64)  # which 32-bit integers may be equal in
    ordered = np.sort(neighbourhoods(plane, size).reshape(*plane.shape, -1), axis=-1)  # NaN last
    number = (~np.isnan(ordered)).sum(axis=-1)
    take = lambda rank: np.take_along_axis(ordered, np.clip(rank, 0, np.maximum(number - 1, 0))[..., None], -1)[..., 0]
    median = take((number - 1) // 2)
    other = take((number - 1) // 2 - sign)
    with np.errstate(invalid="ignore"):
        outlier = plane * sign > median * sign + threshold if sign else abs(plane - median) > threshold
    return np.where(outlier, (median + other) / 2, plane)


class RemoveOutliers(FilterTestCase):
    def test_properties(self):
        self.check_properties("tomoremoveoutliers", {
            "size": (3, 3, 33), "threshold": (1.0, -LARGEST, LARGEST), "sign": (1, -1, 1)})

    def test_filter(self):
        self.check_filter("tomoremoveoutliers", cleaned)

    def test_sizes_and_signs(self):
        for size in 3, 7, 33:
            for sign in -1, 0, 1:
                for threshold in 0.5, -0.25:
                    self.check(f"tomoremoveoutliers size={size} sign={sign} threshold={threshold}",
                               [random_array(np.float32, shape) for shape in SHAPES],
                               lambda p: cleaned(p, size, threshold, sign))

    def test_few_levels(self):
        a = rng.poisson(3, (37, 31)).astype(np.float32)
        for size in 5, 11, 21:
            self.check(f"tomoremoveoutliers size={size}", [a], lambda p: cleaned(p, size))

    def test_a_hot_pixel_at_the_border(self):
        a = rng.uniform(0, 1, (9, 11)).astype(np.float32)
        wanted = a.copy()
        a[0, 3] = a[5, 5] = 100
        (result,) = run("tomoremoveoutliers", [a])
        self.assertLess(result.max(), 1)
        same = a < 100
        np.testing.assert_array_equal(result[same], wanted[same])

    def test_nan_stays_and_does_not_count(self):
        a = random_array(np.float32, (37, 31))
        a[20, 11] = a[20, 12] = a[0, 0] = np.nan
        self.check("tomoremoveoutliers size=5 threshold=0.5", [a], lambda p: cleaned(p, 5, 0.5))
        self.check("tomoremoveoutliers", [np.full((5, 7), np.nan, np.float32)], cleaned)

    def test_errors(self):
        self.assert_fails(["size=4", "odd"], "tomoremoveoutliers size=4", [random_array(np.float32, (5, 3))])


if __name__ == "__main__":
    main()
