# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomoflip against numpy."""

from tomotest import *
from elementtest import ElementTestCase
from padtest import *

FLIPS = {"horizontal": lambda a: a[..., ::-1], "vertical": lambda a: a[..., ::-1, :]}


class Flip(ElementTestCase):
    def check(self, direction, *arrays):
        for result, a in zip(run(f"tomoflip direction={direction}", list(arrays)), arrays, strict=True):
            wanted = np.ascontiguousarray(FLIPS[direction](a))
            self.assertEqual((result.dtype, result.shape), (wanted.dtype, wanted.shape))
            np.testing.assert_array_equal(result.view(np.uint8), wanted.view(np.uint8))

    def test_properties(self):
        self.check_properties("tomoflip", {"direction": ("horizontal", set(FLIPS))})

    def test_every_format(self):
        for name, dtype in FORMATS.items():
            with self.subTest(format=name):
                self.check("horizontal", random_array(dtype, (5, 8)))

    def test_shapes(self):
        for direction in FLIPS:
            self.check(direction, *(random_array(np.float32, s) for s in ((1, 1), (1, 7), (7, 1), (31, 37), (3, 4, 5))))

    def test_memory_and_states(self):
        arrays = [random_array(np.float32, (9, 8)) for _ in range(2)]
        wanted = [a[::-1] for a in arrays]
        self.check_memory("tomoflip direction=vertical", arrays, reference=wanted, tolerance=0)
        self.check_state_cycles("tomoflip direction=vertical", arrays, reference=wanted, tolerance=0)

    def test_facts(self):
        a = random_array(np.float32, (3, 10))
        with Pads("tomoflip") as pads:
            pads.send(scan_event([0.0, 1.0, 3.0], 3.5, 1e-6))
            pads.push(a, domain="sinogram")
            self.assertEqual(pads.scan(), ([0.0, 1.0, 3.0], 6.5, 1e-6))
            Gst.util_set_object_arg(pads.element, "direction", "vertical")
            (output,) = pads.push(a, domain="sinogram")
            self.assertEqual(pads.scan(), ([3.0, 1.0, 0.0], 3.5, 1e-6))
            np.testing.assert_array_equal(output.array, a[::-1])

    def test_a_mirrored_scan_gives_the_slice_turned_by_half(self):
        a = rng.random((40, 20), np.float32)
        scan = scan_event(np.arange(40) * np.pi / 40, 9.0)
        with Pads("tomobackproject") as plain, Pads("tomoflip") as flip, Pads("tomobackproject") as mirrored:
            plain.send(scan)
            (slice_,) = plain.push(a, domain="sinogram")
            flip.send(scan)
            (output,) = flip.push(a, domain="sinogram")
            mirrored.send(scan_event(*flip.scan()))
            (turned,) = mirrored.push(output.array, domain="sinogram")
        self.assert_close(turned.array, slice_.array[::-1, ::-1], 1e-5)


if __name__ == "__main__":
    main()
