# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomoswapquadrants against numpy's fftshift."""

from tomotest import *
from elementtest import ElementTestCase, Stream

from padtest import *


def reference(a):
    return np.fft.fftshift(a, axes=(-2, -1))


class SwapQuadrants(ElementTestCase):
    def test_properties(self):
        self.check_properties("tomoswapquadrants", {})

    def test_every_format(self):
        for name, dtype in FORMATS.items():
            a = random_array(dtype, (5, 8))
            with self.subTest(format=name):
                (result,) = run("tomoswapquadrants", [a])
                self.assertEqual(result.dtype, a.dtype)
                np.testing.assert_array_equal(result, reference(a))

    def test_shapes(self):
        arrays = [random_array(np.complex64, s) for s in ((1, 1), (1, 13), (2, 2), (31, 17), (3, 5, 7), (2, 4, 6))]
        for a, result in zip(arrays, run("tomoswapquadrants", arrays), strict=True):
            np.testing.assert_array_equal(result, reference(a))

    def test_memory_and_state_cycles(self):
        arrays = [random_array(np.float32, (3, 5)) for _ in range(3)]
        wanted = [reference(a) for a in arrays]
        self.check_memory("tomoswapquadrants", arrays, reference=wanted, tolerance=0)
        self.check_state_cycles("tomoswapquadrants", arrays, reference=wanted, tolerance=0)

    def test_scan(self):
        with Pads("tomoswapquadrants") as pads:
            pads.send(scan_event([0, 1, 2], 2.5, 1e-6))
            pads.push(random_array(np.float32, (3, 5)))
            angles, axis, pixel_size = pads.scan()
            self.assertEqual((angles, pixel_size), ([], 1e-6))
            self.assertTrue(np.isnan(axis))


if __name__ == "__main__":
    main()
