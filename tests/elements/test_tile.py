# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomotile against numpy."""

from tomotest import *
from elementtest import ElementTestCase, Stream
from padtest import *

def tiles(a, width=0, height=0):
    width, height = width or a.shape[-1], height or a.shape[-2]
    return [a[..., y:y + height, x:x + width] for y in range(0, a.shape[-2], height)
            for x in range(0, a.shape[-1], width)]


class Tile(ElementTestCase):
    def check(self, width, height, *arrays):
        results = run(f"tomotile width={width} height={height}", list(arrays))
        wanted = [t for a in arrays for t in tiles(a, width, height)]
        for result, w in zip(results, wanted, strict=True):
            self.assertEqual((result.dtype, result.shape), (w.dtype, w.shape))
            np.testing.assert_array_equal(result.view(np.uint8), np.ascontiguousarray(w).view(np.uint8))

    def test_properties(self):
        largest = 2**32 - 1
        self.check_properties("tomotile", {"width": (0, 0, largest), "height": (0, 0, largest)})

    def test_every_format(self):
        for name, dtype in FORMATS.items():
            with self.subTest(format=name):
                self.check(3, 2, random_array(dtype, (4, 9)))

    def test_shapes(self):
        self.check(0, 0, random_array(np.float32, (5, 7)), random_array(np.float32, (1, 1)))
        self.check(7, 0, random_array(np.float32, (3, 21)), random_array(np.float32, (3, 7)))
        self.check(0, 3, random_array(np.float32, (9, 5)))
        self.check(1, 1, random_array(np.float32, (3, 5)))
        self.check(2, 3, random_array(np.float32, (2, 6, 4)))

    def test_errors(self):
        a = random_array(np.float32, (4, 6))
        for properties in "width=4", "width=7", "width=4294967295":
            self.assert_fails([properties, "6", "crop or pad"], f"tomotile {properties}", [a])
        self.assert_fails(["height=3", "4"], "tomotile height=3", [a])

    def test_memory_and_states(self):
        arrays = [random_array(np.float32, (4, 6)) for _ in range(2)]
        wanted = [t for a in arrays for t in tiles(a, 2, 2)]
        self.check_memory("tomotile width=2 height=2", arrays, reference=wanted, tolerance=0)
        self.check_state_cycles("tomotile width=2 height=2", arrays, reference=wanted, tolerance=0)

    def test_time_and_facts(self):
        with Pads("tomotile width=2") as pads:
            pads.send(scan_event([1.0, 2.0], 1.5, 1e-6))
            outputs = pads.push(random_array(np.float32, (2, 4)), random_array(np.float32, (2, 4)), rate=10, angle=0.5,
                                domain="sinogram")
            self.assertEqual([o.pts for o in outputs], [i * Gst.SECOND // 20 for i in range(4)])
            self.assertEqual([(o.offset, o.index, o.angle, o.rate) for o in outputs], [(i, i, 0.5, (20, 1)) for i in range(4)])
            angles, axis, pixel_size = pads.scan()
            self.assertTrue(np.isnan(axis))
            self.assertEqual((angles, pixel_size), ([1.0, 2.0], 1e-6))
        with Pads("tomotile height=1") as pads:
            pads.send(scan_event([1.0, 2.0], 1.5, 1e-6))
            pads.push(random_array(np.float32, (2, 4)), domain="projection")
            self.assertEqual(pads.scan(), ([1.0, 1.0, 2.0, 2.0], 1.5, 1e-6))
            pads.send(scan_event([1.0, 2.0], 1.5, 1e-6))
            pads.push(random_array(np.float32, (2, 4)), domain="sinogram")
            self.assertEqual(pads.scan(), ([], 1.5, 1e-6))

    def test_duration(self):
        pipeline = Gst.parse_launch("tomodummydata number=7 width=4 height=6 ! tomotile width=2 height=3 ! fakesink name=sink")
        pipeline.set_state(Gst.State.PAUSED)
        pipeline.get_state(10 * Gst.SECOND)
        self.assertEqual(pipeline.get_by_name("sink").query_duration(Gst.Format.DEFAULT), (True, 28))
        pipeline.set_state(Gst.State.NULL)


if __name__ == "__main__":
    main()
