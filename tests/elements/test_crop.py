# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomocrop against numpy."""

from tomotest import *
from elementtest import ElementTestCase
from padtest import *

TO_THE_END = 2**32 - 1


class Crop(ElementTestCase):
    def check(self, properties, cut, *arrays):
        for result, a in zip(run(f"tomocrop {properties}", list(arrays)), arrays, strict=True):
            wanted = np.ascontiguousarray(cut(a))
            self.assertEqual((result.dtype, result.shape), (a.dtype, wanted.shape))
            np.testing.assert_array_equal(np.ascontiguousarray(result).view(np.uint8), wanted.view(np.uint8))

    def test_properties(self):
        self.check_properties("tomocrop", {
            "x": (0, 0, TO_THE_END), "y": (0, 0, TO_THE_END), "width": (TO_THE_END, 1, TO_THE_END),
            "height": (TO_THE_END, 1, TO_THE_END), "from-center": False})

    def test_every_format(self):
        for name, dtype in FORMATS.items():
            with self.subTest(format=name):
                self.check("x=2 y=3 width=4 height=1", lambda a: a[3:4, 2:6], random_array(dtype, (5, 7)))

    def test_payloads_of_nan_survive(self):
        self.check("x=1 y=1", lambda a: a[1:, 1:], random_array(np.uint16, (5, 7)).view(np.float16))

    def test_regions(self):
        whole, narrow, deep = (random_array(np.float32, s) for s in ((31, 37), (7, 3), (3, 11, 13)))
        self.check("", lambda a: a, whole, narrow, deep, random_array(np.float32, (1, 1)))
        self.check("x=2", lambda a: a[..., :, 2:], whole, narrow, deep)
        self.check("y=6", lambda a: a[..., 6:, :], whole, narrow, deep)
        self.check("x=2 y=5 width=1 height=2", lambda a: a[..., 5:7, 2:3], whole, narrow, deep)
        self.check("x=12 y=10 width=1 height=1", lambda a: a[..., 10:11, 12:13], whole, deep)
        self.check("x=36 y=30 width=1 height=1", lambda a: a[30:, 36:], whole)

    def test_from_center(self):
        for size in (1, 2, 3, 4, 5, 8):
            for n in range(1, size + 1):
                a = random_array(np.float32, (size, 7))
                first = size // 2 - n // 2
                self.check(f"from-center=true height={n} width=3", lambda a: a[first:first + n, 2:5], a)
        self.check("from-center=true", lambda a: a, random_array(np.float32, (5, 8)))

    def test_outside(self):
        a = random_array(np.float32, (4, 6))
        for properties, words in (
            ("x=6", ["x=6", "width", "6", "last pixel is 5"]),
            ("y=9", ["y=9", "height", "4"]),
            ("x=1 width=6", ["x=1", "width=6"]),
            ("height=5", ["y=0", "height=5", "4"]),
            ("x=4294967295 width=4294967294", ["x=4294967295"]),
            ("from-center=true width=7", ["width=7", "6"]),
            ("from-center=true x=1 width=2", ["x=1", "from-center"]),
            ("from-center=true y=2", ["y=2", "from-center"]),
        ):
            with self.subTest(properties):
                self.assert_fails(words, f"tomocrop {properties}", [a])

    def test_memory(self):
        arrays = [random_array(np.float32, (37, 41)) for _ in range(2)]
        self.check_memory("tomocrop x=3 width=20", arrays, reference=[a[:, 3:23] for a in arrays], tolerance=0)
        results = run("tomocalculate expression=v*2 ! tomocrop y=3 ! queue ! tomocrop x=3 ! tomocalculate expression=v+1",
                      arrays)
        for result, a in zip(results, arrays, strict=True):
            np.testing.assert_array_equal(result, a[3:, 3:] * 2 + 1)
        volume = random_array(np.uint16, (5, 3, 7))
        for result, plane in zip(run("tomoslice ! tomocrop x=2 y=1 width=3", [volume]), volume, strict=True):
            np.testing.assert_array_equal(result, plane[1:, 2:5])

    def test_a_property_changes_in_mid_stream(self):
        a = random_array(np.float32, (5, 7))
        with Pads("tomocrop x=1") as pads:
            np.testing.assert_array_equal(pads.push(a)[0].array, a[:, 1:])
            pads.element.set_property("x", 3)
            np.testing.assert_array_equal(pads.push(a)[0].array, a[:, 3:])

    def test_flush_and_state_cycles(self):
        arrays = [random_array(np.float32, (5, 7)) for _ in range(3)]
        with Pads("tomocrop x=1") as pads:
            pads.push(*arrays)
            pads.flush()
            np.testing.assert_array_equal(pads.push(arrays[0])[0].array, arrays[0][:, 1:])
        self.check_state_cycles("tomocrop x=1", arrays, reference=[a[:, 1:] for a in arrays], tolerance=0)

    def test_facts(self):
        a = random_array(np.float32, (5, 7))
        with Pads("tomocrop x=2 y=1 height=3") as pads:
            (output,) = pads.push(a, rate=10, domain="sinogram", angle=0.5, source="a.tif")
            self.assertEqual((output.domain, output.rate, output.source), ("sinogram", (10, 1), "a.tif"))
            # The axis moves with the columns; the rows that are left are views 1 to 3.
            pads.send(scan_event([0.0, 0.25, 0.5, 0.75, 1.0], 3.5, 2e-6))
            self.assertEqual(pads.scan(), ([0.25, 0.5, 0.75], 1.5, 2e-6))
            pads.push(a, domain="projection")
            self.assertEqual(pads.scan(), ([0.0, 0.25, 0.5, 0.75, 1.0], 1.5, 2e-6))
            pads.element.set_property("x", 0)
            pads.push(a, domain="projection")
            self.assertEqual(pads.scan()[1], 3.5)
            pads.element.set_property("x", 1)
            pads.push(a, domain="slice")
            self.assertEqual(pads.scan()[1], 3.5)


if __name__ == "__main__":
    main()
