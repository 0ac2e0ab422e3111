# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomogradient against numpy."""

from tomotest import *
from filtertest import *


def gradient(plane, direction="horizontal", difference="central", addressing="clamp"):
    p = padded(plane, 1, 1, "clamp" if addressing == "none" else addressing)
    here = p[1:-1, 1:-1]
    left, right, above, below = p[1:-1, :-2], p[1:-1, 2:], p[:-2, 1:-1], p[2:, 1:-1]
    gx, gy = {
        "forward": (right - here, below - here),
        "backward": (here - left, here - above),
        "central": ((right - left) / 2, (below - above) / 2),
    }[difference]
    result = {"horizontal": gx, "vertical": gy, "both": gx + gy, "both_abs": abs(gx) + abs(gy),
              "both_mag": np.hypot(gx, gy)}[direction].copy()
    if addressing == "none":
        first, last = difference != "forward", difference != "backward"
        if direction != "vertical":
            result[:, [0] * first + [-1] * last] = 0
        if direction != "horizontal":
            result[[0] * first + [-1] * last] = 0
    return result


class Gradient(FilterTestCase):
    def test_properties(self):
        self.check_properties("tomogradient", {
            "direction": ("horizontal", {"horizontal", "vertical", "both", "both_abs", "both_mag"}),
            "finite-difference-type": ("central", {"forward", "backward", "central"}),
            "addressing-mode": ("clamp", ADDRESSING)})

    def test_filter(self):
        self.check_filter("tomogradient", gradient)

    def test_directions_and_differences(self):
        for addressing in "clamp", "none":
            arrays = [random_array(np.float32, shape) for shape in SHAPES]
            for direction in "horizontal", "vertical", "both", "both_abs", "both_mag":
                for difference in "forward", "backward", "central":
                    self.check(f"tomogradient direction={direction} finite-difference-type={difference} "
                               f"addressing-mode={addressing}", arrays,
                               lambda p: gradient(p, direction, difference, addressing))

    def test_addressing(self):
        for addressing in sorted(ADDRESSING - {"none", "clamp"}):
            self.check(f"tomogradient direction=both_mag addressing-mode={addressing}",
                       [random_array(np.float32, shape) for shape in SHAPES],
                       lambda p: gradient(p, "both_mag", "central", addressing))

    def test_numpy_agrees(self):
        a = random_array(np.float32, (11, 13))
        (result,) = run("tomogradient", [a])
        self.assert_close(result[:, 1:-1], np.gradient(a.astype(np.float64), axis=1)[:, 1:-1], 1e-6)

    def test_nan(self):
        a = random_array(np.float32, (7, 9))
        a[3, 4], a[0, 0] = np.nan, np.inf
        self.check("tomogradient direction=both_abs finite-difference-type=forward", [a],
                   lambda p: gradient(p, "both_abs", "forward"))


if __name__ == "__main__":
    main()
