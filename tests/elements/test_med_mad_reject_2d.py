# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomomedmadreject2d against sorted neighbourhoods."""

from tomotest import *
from filtertest import *
from medmad import reject


def rejected(plane, size=3, threshold=3.0):
    box = np.pad(plane, size // 2, constant_values=np.nan)
    boxes = np.lib.stride_tricks.sliding_window_view(box, (size, size))
    return reject(plane, boxes.reshape(*plane.shape, -1), threshold)


class MedMadReject2d(FilterTestCase):
    def test_properties(self):
        self.check_properties("tomomedmadreject2d", {"threshold": (3.0, 0.0, LARGEST), "box-size": (3, 1, 1023)})

    def test_filter(self):
        self.check_filter("tomomedmadreject2d", rejected)

    def test_sizes_and_thresholds(self):
        for size in 1, 3, 5, 15, 41:
            for threshold in 0.0, 1.0, 2.5:
                self.check(f"tomomedmadreject2d box-size={size} threshold={threshold}",
                           [random_array(np.float32, shape) for shape in SHAPES] +
                           [rng.poisson(3, (31, 37)).astype(np.float32)],
                           lambda p: rejected(p, size, threshold))

    def test_a_box_larger_than_the_image(self):
        self.check("tomomedmadreject2d box-size=1023 threshold=1", [random_array(np.float32, (2, 3))],
                   lambda p: rejected(p, 1023, 1.0))

    def test_nan_is_repaired(self):
        a = random_array(np.float32, (37, 31))
        a[20, 11] = a[20, 12] = a[0, 0] = np.nan
        self.assertFalse(np.isnan(run("tomomedmadreject2d", [a])[0]).any())
        self.check("tomomedmadreject2d box-size=5", [a], lambda p: rejected(p, 5))
        self.check("tomomedmadreject2d", [np.full((5, 7), np.nan, np.float32)], rejected)

    def test_errors(self):
        self.assert_fails(["box-size=4", "odd"], "tomomedmadreject2d box-size=4", [random_array(np.float32, (5, 3))])


if __name__ == "__main__":
    main()
