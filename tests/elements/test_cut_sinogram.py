# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomocutsinogram against slices of numpy arrays."""

from tomotest import *
from elementtest import ElementTestCase, Stream, scan_event as axis_event

from padtest import *


def reference(a, axis=None):
    width = a.shape[-1]
    edge = int(np.floor((width / 2 if axis is None else axis) + 0.5))
    side = min(edge, width - edge)
    return a[..., edge - side : edge + side]


class CutSinogram(ElementTestCase):
    def test_properties(self):
        largest = float(np.finfo(np.float32).max)
        self.check_properties("tomocutsinogram", {"center-of-rotation": (-1.0, -1.0, largest)})

    def test_every_format(self):
        for name, dtype in FORMATS.items():
            a = random_array(dtype, (3, 11))
            with self.subTest(format=name):
                (result,) = run("tomocutsinogram center-of-rotation=6.8", [a])
                self.assertEqual(result.dtype, a.dtype)
                np.testing.assert_array_equal(result, a[:, 3:])

    def test_axes_and_shapes(self):
        for shape in ((1, 2), (3, 13), (2, 3, 16)):
            a = random_array(np.float32, shape)
            for axis in (None, 1, shape[-1] / 2, shape[-1] - 1, shape[-1] - 1.3):
                with self.subTest(shape=shape, axis=axis):
                    center = "" if axis is None else f"center-of-rotation={axis}"
                    wanted = reference(a, axis)
                    (result,) = run(f"tomocutsinogram {center}", [a])
                    np.testing.assert_array_equal(result, wanted)
        # UFO's definition, where the axis lies right of the middle.
        a = random_array(np.float32, (3, 20))
        np.testing.assert_array_equal(reference(a, 13.2), a[:, 20 - 2 * (20 - 13) :])

    def test_scan(self):
        a = random_array(np.float32, (3, 11))
        for center, axis, left in (("", 6.75, 3), ("center-of-rotation=2", 2, 0)):
            with Pads(f"tomocutsinogram {center}") as pads:
                pads.send(scan_event([0, 1, 2], 6.75, 1e-6))
                (output,) = pads.push(a, domain="sinogram")
                np.testing.assert_array_equal(output.array, reference(a, axis))
                self.assertEqual(pads.scan(), ([0, 1, 2], 6.75 - left, 1e-6))

    def test_a_wandering_axis_keeps_the_size(self):
        """One that is found for each sinogram moves by hundredths of a pixel, also over the middle of a column."""
        arrays = [random_array(np.float32, (5, 17)) for _ in range(4)]
        with Stream("tomocutsinogram") as stream:
            for a, axis in zip(arrays, (6.45, 6.55, 6.45, 9.0)):
                stream.push(a, event=axis_event(axis=axis))
            results = stream.finish()
        for result, a, edge in zip(results, arrays, (6, 6, 6, 9), strict=True):
            np.testing.assert_array_equal(result, reference(a, edge))

    def test_memory_and_state_cycles(self):
        arrays = [random_array(np.float32, (3, 7)) for _ in range(3)]
        wanted = [a[:, 3:] for a in arrays]
        line = "tomocutsinogram center-of-rotation=5"
        self.check_memory(line, arrays, reference=wanted, tolerance=0)
        self.check_state_cycles(line, arrays, reference=wanted, tolerance=0)

    def test_errors(self):
        a = random_array(np.float32, (3, 5))
        self.assert_fails(["no column", "center-of-rotation"], "tomocutsinogram center-of-rotation=5", [a])
        self.assert_fails(["center-of-rotation=7", "0 to 5"], "tomocutsinogram center-of-rotation=7", [a])


if __name__ == "__main__":
    main()
