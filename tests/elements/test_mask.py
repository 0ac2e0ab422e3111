# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomomask against distances in float64."""

from tomotest import *
from elementtest import ElementTestCase, Stream


def reference(a):
    height, width = a.shape[-2:]
    y, x = np.mgrid[:height, :width] + 0.5
    inside = np.hypot(x - width / 2, y - height / 2) <= min(width, height) / 2 + 1e-9
    return np.where(inside, a, a.dtype.type(0))


class Mask(ElementTestCase):
    def test_properties(self):
        self.check_properties("tomomask", {})

    def test_every_format(self):
        for name, dtype in FORMATS.items():
            a = random_array(dtype, (9, 13))
            with self.subTest(format=name):
                (result,) = run("tomomask", [a])
                self.assertEqual(result.dtype, a.dtype)
                np.testing.assert_array_equal(result, reference(a))
                self.assertEqual(result[0, 0], 0)

    def test_shapes_and_nan(self):
        arrays = [random_array(np.float32, s) for s in ((1, 1), (2, 2), (13, 1), (10, 31), (31, 10), (3, 8, 8))]
        arrays[3][0, 0], arrays[3][5, 15] = np.nan, np.nan  # outside and inside
        for a, result in zip(arrays, run("tomomask", arrays), strict=True):
            np.testing.assert_array_equal(result, reference(a))
        self.assertEqual(np.isnan(reference(arrays[3])).sum(), 1)

    def test_memory_and_state_cycles(self):
        arrays = [random_array(np.float32, (9, 13)) for _ in range(3)]
        wanted = [reference(a) for a in arrays]
        self.check_memory("tomomask", arrays, reference=wanted, tolerance=0)
        self.check_state_cycles("tomomask", arrays, reference=wanted, tolerance=0)


if __name__ == "__main__":
    main()
