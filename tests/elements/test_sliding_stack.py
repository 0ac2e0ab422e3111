# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomoslidingstack against numpy."""

from tomotest import *
from elementtest import ElementTestCase, Stream
from padtest import *

def windows(arrays, number, ordered):
    planes = [a if a.ndim == 3 else a[None] for a in arrays]
    ring = [planes[0]] * number
    results = []
    for n, plane in enumerate(planes):
        ring[n % number] = plane
        results.append(np.concatenate([ring[(n + 1 + i) % number] for i in range(number)] if ordered else ring))
    return results


class SlidingStack(ElementTestCase):
    def check(self, number, ordered, arrays):
        results = run(f"tomoslidingstack number={number} ordered={ordered}", arrays)
        for result, wanted in zip(results, windows(arrays, number, ordered), strict=True):
            wanted = wanted[0] if wanted.shape[0] == 1 else wanted
            self.assertEqual((result.dtype, result.shape), (wanted.dtype, wanted.shape))
            np.testing.assert_array_equal(result.view(np.uint8), wanted.view(np.uint8))

    def test_properties(self):
        self.check_properties("tomoslidingstack", {"number": (1, 1, 2**32 - 1), "ordered": False})

    def test_every_format(self):
        for name, dtype in FORMATS.items():
            with self.subTest(format=name):
                self.check(3, True, [random_array(dtype, (3, 5)) for _ in range(5)])

    def test_numbers_and_orders(self):
        for ordered in False, True:
            for number in 1, 2, 5, 20:
                with self.subTest(number=number, ordered=ordered):
                    self.check(number, ordered, [random_array(np.float32, (3, 5)) for _ in range(9)])
            self.check(3, ordered, [random_array(np.float32, (2, 1, 1)) for _ in range(5)])

    def test_oldest_first(self):
        arrays = [np.full((1, 1), i, np.float32) for i in range(5)]
        self.assertEqual([list(r.ravel()) for r in run("tomoslidingstack number=3 ordered=true", arrays)],
                         [[0, 0, 0], [0, 0, 1], [0, 1, 2], [1, 2, 3], [2, 3, 4]])

    def test_errors(self):
        self.assert_fails(["number=4294967295", "too large", "bytes"], "tomoslidingstack number=4294967295",
                          [random_array(np.float32, (3, 5))])

    def test_memory_and_states(self):
        arrays = [random_array(np.float32, (4, 6)) for _ in range(4)]
        wanted = windows(arrays, 3, False)
        self.check_memory("tomoslidingstack number=3", arrays, reference=wanted, tolerance=0)
        self.check_state_cycles("tomoslidingstack number=3", arrays, reference=wanted, tolerance=0)

    def test_a_flush_and_new_caps_begin_anew(self):
        arrays = [random_array(np.float32, (2, 3)) for _ in range(3)]
        with Pads("tomoslidingstack number=2 ordered=true") as pads:
            pads.push(*arrays[:2])
            pads.flush()
            np.testing.assert_array_equal(pads.push(arrays[2])[0].array, [arrays[2]] * 2)
            other = random_array(np.uint8, (3, 3))
            np.testing.assert_array_equal(pads.push(other)[0].array, [other] * 2)

    def test_facts(self):
        with Pads("tomoslidingstack number=2") as pads:
            a = random_array(np.float32, (2, 4))
            outputs = pads.push(a, a, rate=10, domain="slice", angle=0.5, source="a.tif")
            self.assertEqual([(o.domain, o.rate, o.angle, o.source, o.pts) for o in outputs],
                             [("volume", (10, 1), 0.5, "a.tif", i * Gst.SECOND // 10) for i in range(2)])


if __name__ == "__main__":
    main()
