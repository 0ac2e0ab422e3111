# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomostackedbackproject against tomoref with mirrored angles."""

import sys

from tomotest import *
from elementtest import ElementTestCase
import tomoref

NAME = "tomostackedbackproject"
TOLERANCE = 1e-4  # of white noise, as tomobackproject


def reference(stack, **geometry):
    views = stack.shape[-2]
    step = geometry.pop("step", np.pi / views)
    planes = stack if stack.ndim == 3 else stack[None]
    return np.stack([tomoref.backproject_linear(p.astype(float), angles=-np.arange(views) * step,
                                                weights=np.full(views, np.pi / views), **geometry) for p in planes])


class StackedBackproject(ElementTestCase):
    def test_properties(self):
        largest = sys.float_info.max
        self.check_properties(NAME, {
            "batch": (0, 0, 1024),
            "precision-mode": ("single", {"int8", "half", "single"}),
            "num-projections": (0, 0, 32768),
            "offset": (0, 0, 32768),
            "axis-pos": (-1.0, -1.0, 32768.0),
            "angle-step": (-1.0, -largest, largest),
            "angle-offset": (0.0, -largest, largest),
            "slice-axis-pos": (0.0, 0.0, 65536.0),
            "roi-x": (0, 0, 2**32 - 1),
            "roi-y": (0, 0, 2**32 - 1),
            "roi-width": (0, 0, 32768),
            "roi-height": (0, 0, 32768),
        })

    def test_mirrored(self):
        for depth in 1, 2, 3, 5:  # UFO drops what is no multiple of 2
            stack = random_array(np.float32, (depth, 24, 41))
            (result,) = run(f"{NAME} axis-pos=17.3", [stack])
            self.assert_close(result.reshape(depth, 41, 41), reference(stack, axis=17.3), TOLERANCE)

    def test_region(self):
        stack = random_array(np.float32, (4, 24, 41))
        (result,) = run(f"{NAME} axis-pos=17.3 roi-x=5 roi-y=3 roi-width=19 roi-height=21", [stack])
        self.assert_close(result, reference(stack, axis=17.3, roi=(5, 3, 19, 21)), TOLERANCE)

    def test_half(self):
        stack = random_array(np.float32, (3, 24, 41))
        (result,) = run(f"{NAME} precision-mode=half axis-pos=20", [stack])
        self.assert_close(result, reference(stack, axis=20.0), 1e-3)
        self.assert_close(result, reference(stack.astype(np.float16), axis=20.0), TOLERANCE)

    def test_int8(self):
        stack = random_array(np.float32, (3, 24, 41)) * np.array([1, 5, 0.1], np.float32)[:, None, None] + 3
        stack[1] = 2.5  # all alike
        low = stack.min((1, 2), keepdims=True).astype(float)
        step = (stack.max((1, 2), keepdims=True) - low) / 255
        rounded = low + np.rint((stack - low) / np.where(step > 0, step, 1)) * step
        rounded[1] = 2.5
        (result,) = run(f"{NAME} precision-mode=int8 axis-pos=20", [stack])
        for z in range(3):
            self.assert_close(result[z], reference(rounded, axis=20.0)[z], 1e-3)  # ties may go either way
            self.assert_close(result[z], reference(stack, axis=20.0)[z], 1e-2)

    def test_formats(self):
        for mode, names in {"single": REAL, "int8": ("uint16", "float16"), "half": ("uint8", "float64")}.items():
            for name in names:
                stack = random_array(FORMATS[name], (2, 9, 13))
                (result,) = run(f"{NAME} axis-pos=6 precision-mode={mode}", [stack])
                self.assert_close(result, reference(stack, axis=6.0), {"single": 1e-4, "half": 1e-3, "int8": 1e-2}[mode])


if __name__ == "__main__":
    main()
