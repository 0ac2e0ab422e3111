# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomomapslice against numpy."""

from tomotest import *
from elementtest import ElementTestCase, Stream
from padtest import *

def squares(arrays, number):
    side = int(np.ceil(np.sqrt(number)))
    height, width = arrays[0].shape[-2:]
    results = []
    for first in range(0, len(arrays), number):
        out = np.zeros((*arrays[0].shape[:-2], side * height, side * width), arrays[0].dtype)
        for i, a in enumerate(arrays[first:first + number]):
            y, x = i // side * height, i % side * width
            out[..., y:y + height, x:x + width] = a
        results.append(out)
    return results


class MapSlice(ElementTestCase):
    def check(self, number, arrays):
        for result, wanted in zip(run(f"tomomapslice number={number}", arrays), squares(arrays, number), strict=True):
            self.assertEqual((result.dtype, result.shape), (wanted.dtype, wanted.shape))
            np.testing.assert_array_equal(result.view(np.uint8), wanted.view(np.uint8))

    def test_properties(self):
        self.check_properties("tomomapslice", {"number": (1, 1, 2**32 - 1)})

    def test_every_format(self):
        for name, dtype in FORMATS.items():
            with self.subTest(format=name):
                self.check(3, [random_array(dtype, (3, 5)) for _ in range(3)])

    def test_numbers(self):
        arrays = [random_array(np.float32, (3, 5)) for _ in range(11)]
        for number in 1, 2, 4, 5, 9, 10, 100:
            with self.subTest(number=number):
                self.check(number, arrays)
        self.check(6, [random_array(np.uint8, (2, 3, 5)) for _ in range(7)])
        self.check(4, [random_array(np.uint16, (1, 1)) for _ in range(4)])

    def test_errors(self):
        a = [random_array(np.float32, (64, 64))]
        self.assert_fails(["number=4294967295", "65536 x 65536 fields", "bytes"], "tomomapslice number=4294967295", a)

    def test_memory_and_states(self):
        arrays = [random_array(np.float32, (4, 6)) for _ in range(6)]
        wanted = squares(arrays, 3)
        self.check_memory("tomomapslice number=3", arrays, reference=wanted, tolerance=0)
        self.check_state_cycles("tomomapslice number=3", arrays, reference=wanted, tolerance=0)

    def test_facts(self):
        with Pads("tomomapslice number=2") as pads:
            pads.send(scan_event([1.0], 1.5, 1e-6))
            outputs = pads.push(*[random_array(np.float32, (2, 4))] * 4, rate=10, domain="slice")
            self.assertEqual([(o.domain, o.rate, o.pts) for o in outputs],
                             [(None, (5, 1), 0), (None, (5, 1), Gst.SECOND // 5)])
            self.assertIsNone(pads.scan())


if __name__ == "__main__":
    main()
