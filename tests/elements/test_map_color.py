# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomomapcolor against the colours of matplotlib's viridis, taken from tomoconvert's table."""

import re

import os

from tomotest import *
from elementtest import ElementTestCase, Stream

KERNEL = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "kernels", "convert.cl")
KNOWN = {0: (0x44, 0x01, 0x54), 64: (0x3B, 0x52, 0x8B), 128: (0x21, 0x91, 0x8C), 255: (0xFD, 0xE7, 0x25)}


def colors():
    with open(KERNEL) as file:
        table = file.read().split("viridis[256] = {")[1].split("}")[0]
    values = np.array([int(v, 16) for v in re.findall("0x[0-9a-f]{6}", table)])
    return np.stack([values >> 16, values >> 8 & 255, values & 255], -1)


def reference(a):
    planes = a.astype(np.float64).reshape((-1,) + a.shape[-2:])
    result = []
    for plane in planes:
        finite = plane[np.isfinite(plane)]
        low, high = (finite.min(), finite.max()) if finite.size else (0, 0)
        t = np.nan_to_num(plane - low, nan=0, posinf=np.inf, neginf=-np.inf) / (high - low if high > low else np.inf)
        index = np.minimum(np.clip(np.nan_to_num(t, nan=0), 0, 1) * 256, 255).astype(int)
        result += [np.where(np.isnan(plane), np.nan, c) for c in np.moveaxis(colors()[index], -1, 0)]
    return np.array(result)


class MapColor(ElementTestCase):
    def test_properties(self):
        self.check_properties("tomomapcolor", {})

    def test_every_format(self):
        for name in REAL:
            # Multiples of 1 / 255, so that rounding does not decide.
            a = rng.integers(0, 128, (5, 7)).astype(FORMATS[name])
            a[0, :2] = 0, 127
            with self.subTest(format=name):
                (result,) = run("tomomapcolor", [a])
                self.assertEqual(result.dtype, np.float32)
                np.testing.assert_array_equal(result, reference(a))

    def test_known_colors(self):
        a = np.arange(256, dtype=np.uint8).reshape(16, 16)
        (result,) = run("tomomapcolor", [a])
        for value, color in KNOWN.items():
            np.testing.assert_array_equal(result.reshape(3, -1)[:, value], color)

    def test_shapes_and_nan(self):
        arrays = [np.full((1, 1), 3.5, np.float32), rng.integers(0, 9, (3, 5, 7)).astype(np.float32)]
        arrays[1][1, 2, 3:6] = np.nan, np.inf, -np.inf
        for a, result in zip(arrays, run("tomomapcolor", arrays), strict=True):
            wanted = reference(a)
            inf = np.repeat(np.isposinf(a).reshape((-1,) + a.shape[-2:]), 3, 0)
            np.testing.assert_array_equal(result[~inf], wanted[~inf])
            self.assertTrue(np.isin(result[inf], KNOWN[255]).all())

    def test_memory_and_state_cycles(self):
        arrays = [rng.integers(0, 128, (3, 5)).astype(np.float32) for _ in range(3)]
        wanted = [reference(a) for a in arrays]
        self.check_memory("tomomapcolor", arrays, reference=wanted, tolerance=0)
        self.check_state_cycles("tomomapcolor", arrays, reference=wanted, tolerance=0)


if __name__ == "__main__":
    main()
