# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomozeropad against numpy."""

from tomotest import *
from elementtest import ElementTestCase, Stream

from padtest import *


def reference(a, oversampling=1, axis=None):
    width = a.shape[-1]
    padded = np.zeros(a.shape[:-1] + (oversampling * 2 ** int(np.ceil(np.log2(width))),), np.complex64)
    padded[..., :width] = a
    first = int(np.floor(width / 2 if axis is None else axis))
    return np.roll(padded, -min(first, width - 1), -1)


class Zeropad(ElementTestCase):
    def test_properties(self):
        largest = float(np.finfo(np.float32).max)
        self.check_properties(
            "tomozeropad", {"oversampling": (1, 1, 2**32 - 1), "center-of-rotation": (-1.0, -1.0, largest)}
        )

    def test_every_format(self):
        for name in REAL:
            a = random_array(FORMATS[name], (3, 5))
            with self.subTest(format=name):
                (result,) = run("tomozeropad", [a])
                self.assertEqual(result.dtype, np.complex64)
                np.testing.assert_array_equal(result, reference(a.astype(np.float32)))

    def test_shapes_axes_and_nan(self):
        for shape in ((1, 1), (2, 13), (3, 16), (2, 3, 7)):
            a = random_array(np.float32, shape)
            a[..., 0, 0] = np.nan
            width = shape[-1]
            for axis in (None, 0, 0.25, width / 2 - 0.1, width - 0.5, width):
                for oversampling in (1, 3):
                    with self.subTest(shape=shape, axis=axis, oversampling=oversampling):
                        center = "" if axis is None else f"center-of-rotation={axis}"
                        (result,) = run(f"tomozeropad oversampling={oversampling} {center}", [a])
                        np.testing.assert_array_equal(result, reference(a, oversampling, axis))

    def test_scan(self):
        a = random_array(np.float32, (3, 11))
        for center, axis in (("", 6.25), ("center-of-rotation=3.5", 3.5)):
            with Pads(f"tomozeropad {center}") as pads:
                pads.send(scan_event([0, 1, 2], 6.25, 1e-6))
                (output,) = pads.push(a, domain="sinogram")
                np.testing.assert_array_equal(output.array, reference(a, 1, axis))
                angles, position, pixel_size = pads.scan()
                self.assertEqual((angles, pixel_size), ([0, 1, 2], 1e-6))
                self.assertAlmostEqual(position, axis - np.floor(axis))

    def test_axis_without_a_scan(self):
        """Elements behind need to know where the axis is in the first pixel."""
        for center, axis in (("", 5.5), ("center-of-rotation=3.25", 3.25)):
            with Pads(f"tomozeropad {center}") as pads:
                pads.push(random_array(np.float32, (3, 11)), domain="sinogram")
                self.assertAlmostEqual(pads.scan()[1], axis - np.floor(axis))

    def test_memory_and_state_cycles(self):
        arrays = [random_array(np.float32, (3, 5)) for _ in range(3)]
        wanted = [reference(a) for a in arrays]
        self.check_memory("tomozeropad", arrays, reference=wanted, tolerance=0)
        self.check_state_cycles("tomozeropad", arrays, reference=wanted, tolerance=0)

    def test_errors(self):
        a = random_array(np.float32, (3, 5))
        self.assert_fails(["center-of-rotation=5.5", "0 to 5"], "tomozeropad center-of-rotation=5.5", [a])
        self.assert_fails(["oversampling"], "tomozeropad oversampling=4000000000", [a])


if __name__ == "__main__":
    main()
