# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomodetectedge against scipy.ndimage."""

from tomotest import *
from filtertest import *
from scipy import ndimage

SCIPY_MODES = {"clamp": "constant", "clamp_to_edge": "nearest", "repeat": "grid-wrap", "mirrored_repeat": "reflect"}


def edges(plane, operator="sobel", addressing="clamp_to_edge"):
    mode = SCIPY_MODES.get(addressing, "nearest")
    if operator == "laplace":
        result = ndimage.laplace(plane, mode=mode)
    else:
        derivative = getattr(ndimage, operator)
        result = np.hypot(derivative(plane, axis=0, mode=mode), derivative(plane, axis=1, mode=mode))
    if addressing == "none":
        result[[0, -1]] = result[:, [0, -1]] = 0
    return result


class DetectEdge(FilterTestCase):
    def test_properties(self):
        self.check_properties("tomodetectedge", {
            "filter": ("sobel", {"sobel", "laplace", "prewitt"}), "addressing-mode": ("clamp_to_edge", ADDRESSING)})

    def test_filter(self):
        self.check_filter("tomodetectedge", edges)

    def test_operators_and_addressing(self):
        for addressing in sorted(ADDRESSING):
            arrays = [random_array(np.float32, shape) for shape in SHAPES]
            for operator in "sobel", "laplace", "prewitt":
                self.check(f"tomodetectedge filter={operator} addressing-mode={addressing}", arrays,
                           lambda p: edges(p, operator, addressing))

    def test_nan_spreads_to_its_neighbours(self):
        a = random_array(np.float32, (7, 9))
        a[3, 4] = np.nan
        (result,) = run("tomodetectedge filter=prewitt", [a])
        wanted = np.zeros(a.shape, bool)
        wanted[2:5, 3:6] = True
        wanted[3, 4] = False  # no derivative takes the pixel itself
        np.testing.assert_array_equal(np.isnan(result), wanted)
        (result,) = run("tomodetectedge filter=laplace", [a])
        wanted[2:5:2, 3:6:2] = False
        wanted[3, 4] = True
        np.testing.assert_array_equal(np.isnan(result), wanted)


if __name__ == "__main__":
    main()
