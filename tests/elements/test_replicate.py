# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomoreplicate: a stream, and all of it again."""

from tomotest import *
from elementtest import ElementTestCase
from padtest import *


class Replicate(ElementTestCase):
    def test_properties(self):
        self.check_properties("tomoreplicate", {"number": (2, 1, 32768), "limit": (0, 0, 2**64 - 1)})

    def test_every_format(self):
        for name, dtype in FORMATS.items():
            with self.subTest(format=name):
                arrays = [random_array(dtype, (2, 3, 5)) for _ in range(6)]
                for result, wanted in zip(run("tomoreplicate", arrays), arrays * 2, strict=True):
                    self.assertEqual(result.dtype, wanted.dtype)
                    np.testing.assert_array_equal(result.view(np.uint8), wanted.view(np.uint8))

    def test_numbers(self):
        arrays = [random_array(np.float32, (3, 4)) for _ in range(5)]
        for number in 1, 2, 7:
            np.testing.assert_array_equal(run(f"tomoreplicate number={number}", arrays), arrays * number)

    def test_arrays_pass_at_once(self):
        arrays = [random_array(np.float32, (3, 5)) for _ in range(2)]
        with Pads("tomoreplicate") as pads:
            np.testing.assert_array_equal(arrays_of(pads.push(*arrays)), arrays)
            np.testing.assert_array_equal(arrays_of(pads.eos()), arrays)
            self.assertTrue(pads.ended())

    def test_another_size_ends_the_part(self):
        a, b = random_array(np.float32, (3, 5)), random_array(np.uint8, (2, 2))
        with Pads("tomoreplicate") as pads:
            results = arrays_of(pads.push(a, b) + pads.eos())
        for result, wanted in zip(results, [a, a, b, b], strict=True):
            np.testing.assert_array_equal(result, wanted)

    def test_the_limit(self):
        arrays = [random_array(np.float32, (10, 10)) for _ in range(5)]
        self.assertEqual(len(run("tomoreplicate limit=2000", arrays)), 10)
        self.assertEqual(len(run("tomoreplicate limit=1 number=1", arrays)), 5)
        self.assert_fails(["array 5 of float32 10 x 10", "limit=1999"], "tomoreplicate limit=1999", arrays)

    def test_memory_and_states(self):
        arrays = [random_array(np.float32, (4, 6)) for _ in range(3)]
        np.testing.assert_array_equal(run("tomoupload ! tomoreplicate ! tomocalculate expression=v+1", arrays),
                                      [a + 1 for a in arrays * 2])
        with Pads("tomoreplicate") as pads:
            pads.push(*arrays)
            pads.flush()
            pads.push(arrays[1])
            np.testing.assert_array_equal(arrays_of(pads.eos()), arrays[1:2])

    def test_time_and_facts(self):
        a = random_array(np.float32, (2, 4))
        with Pads("tomoreplicate") as pads:
            pads.send(scan_event([1.0, 2.0], 1.5, 1e-6))
            outputs = pads.push(a, a, rate=10, angle=0.5, source="a.tif", domain="projection") + pads.eos()
            self.assertEqual([(o.pts, o.offset, o.angle, o.source) for o in outputs],
                             [(i * Gst.SECOND // 10, i, 0.5, "a.tif") for i in range(4)])
            self.assertEqual(pads.scan()[0], [1.0, 2.0, 1.0, 2.0])


if __name__ == "__main__":
    main()
