# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomobuffer: a stream kept and given out again."""

from tomotest import *
from elementtest import ElementTestCase, Stream
from padtest import *

class Buffer(ElementTestCase):
    def check(self, properties, arrays, wanted):
        for result, w in zip(run(f"tomobuffer {properties}", arrays), wanted, strict=True):
            self.assertEqual((result.dtype, result.shape), (w.dtype, w.shape))
            np.testing.assert_array_equal(result.view(np.uint8), w.view(np.uint8))

    def test_properties(self):
        self.check_properties("tomobuffer", {"number": (4, 1, 32768), "dup-count": (1, 1, 32768), "loop": False,
                                             "limit": (0, 0, 2**64 - 1)})

    def test_every_format(self):
        for name, dtype in FORMATS.items():
            with self.subTest(format=name):
                arrays = [random_array(dtype, (2, 3, 5)) for _ in range(6)]
                self.check("", arrays, arrays)

    def test_repetitions(self):
        arrays = [random_array(np.uint8, (3, 5)) for _ in range(7)]
        for number in 1, 3, 7, 100:
            self.check(f"number={number} dup-count=3", arrays, [a for a in arrays for _ in range(3)])
            self.check(f"number={number} dup-count=3 loop=true", arrays, arrays * 3)

    def test_nothing_comes_before_the_end(self):
        arrays = [random_array(np.float32, (3, 5)) for _ in range(5)]
        with Pads("tomobuffer") as pads:
            self.assertEqual(pads.push(*arrays), [])
            np.testing.assert_array_equal(arrays_of(pads.eos()), arrays)
            self.assertTrue(pads.ended())

    def test_new_caps_give_out_what_came_before(self):
        a, b = random_array(np.float32, (3, 5)), random_array(np.uint8, (2, 2))
        with Pads("tomobuffer dup-count=2") as pads:
            results = arrays_of(pads.push(a, b) + pads.eos())
        for result, wanted in zip(results, [a, a, b, b], strict=True):
            np.testing.assert_array_equal(result, wanted)

    def test_the_limit(self):
        arrays = [random_array(np.float32, (10, 10)) for _ in range(5)]
        self.check("limit=2000", arrays, arrays)
        self.check("limit=2000 number=100", arrays, arrays)
        self.assert_fails(["array 6 of float32 10 x 10", "limit=2000", "2000 bytes are taken"], "tomobuffer limit=2000", arrays + arrays)
        self.assert_fails(["array 1 of", "limit=399"], "tomobuffer limit=399", arrays)

    def test_memory_and_states(self):
        arrays = [random_array(np.float32, (4, 6)) for _ in range(3)]
        for result, a in zip(run("tomoupload ! tomobuffer ! tomodownload", arrays), arrays, strict=True):
            np.testing.assert_array_equal(result, a)
        results = run("tomobuffer dup-count=2 ! tomocalculate expression=v+1", arrays)
        np.testing.assert_array_equal(results, [a + 1 for a in arrays for _ in range(2)])
        with Pads("tomobuffer") as pads:
            pads.push(*arrays)
            pads.flush()
            pads.push(arrays[1])
            np.testing.assert_array_equal(arrays_of(pads.eos()), arrays[1:2])
            pads.stop(Gst.State.READY)
            pads.play()
            pads.push(arrays[2])
            (output,) = pads.eos()
            np.testing.assert_array_equal(output.array, arrays[2])
            self.assertEqual((output.offset, output.index), (0, 0))

    def test_time_and_facts(self):
        arrays = [random_array(np.float32, (2, 4)) for _ in range(2)]
        for loop in "false", "true":
            with Pads(f"tomobuffer dup-count=2 loop={loop}") as pads:
                pads.send(scan_event([1.0], 1.5, 1e-6))
                for i, a in enumerate(arrays):
                    pads.push(a, rate=10, domain="slice", angle=float(i), source=f"{i}.tif")
                outputs = pads.eos()
                order = [0, 1, 0, 1] if loop == "true" else [0, 0, 1, 1]
                self.assertEqual([(o.angle, o.source) for o in outputs], [(float(i), f"{i}.tif") for i in order])
                self.assertEqual([(o.pts, o.offset, o.index) for o in outputs], [(i * Gst.SECOND // 10, i, i) for i in range(4)])
                self.assertEqual({(o.domain, o.rate) for o in outputs}, {("slice", (10, 1))})
                self.assertEqual(pads.scan(), ([1.0], 1.5, 1e-6))


    def test_angles_of_projections(self):
        for loop, wanted in ("false", [1.0, 1.0, 2.0, 2.0]), ("true", [1.0, 2.0, 1.0, 2.0]):
            with Pads(f"tomobuffer dup-count=2 loop={loop}") as pads:
                pads.send(scan_event([1.0, 2.0], 1.5, 1e-6))
                pads.push(random_array(np.float32, (2, 4)), domain="projection")
                self.assertEqual(pads.scan(), (wanted, 1.5, 1e-6))


if __name__ == "__main__":
    main()
