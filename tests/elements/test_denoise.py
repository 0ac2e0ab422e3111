# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomodenoise against sorted neighbourhoods."""

from tomotest import *
from filtertest import *


def denoise(plane, size=13):
    boxes = neighbourhoods(plane, size)
    rank = max(0, int(np.float32(size * size) * np.float32(0.3) - np.float32(1)))
    background = np.sort(boxes.reshape(*plane.shape, -1), axis=-1)[..., rank]
    background[np.isnan(boxes).any(axis=(-2, -1))] = np.nan
    return np.maximum(plane - background, 0)


class Denoise(FilterTestCase):
    def test_properties(self):
        self.check_properties("tomodenoise", {"matrix-size": (13, 1, 2**32 - 1)})

    def test_filter(self):
        self.check_filter("tomodenoise", denoise)

    def test_sizes(self):
        for size in 1, 2, 3, 4, 10, 31, 60:
            self.check(f"tomodenoise matrix-size={size}", [random_array(np.float32, shape) for shape in SHAPES],
                       lambda p: denoise(p, size))

    def test_nan(self):
        a = random_array(np.float32, (37, 31))
        a[20, 11] = np.nan
        self.check("tomodenoise matrix-size=5", [a], lambda p: denoise(p, 5))

    def test_errors(self):
        self.assert_fails(["matrix-size=1024", "at most 1023"], "tomodenoise matrix-size=1024",
                          [random_array(np.float32, (5, 3))])


if __name__ == "__main__":
    main()
