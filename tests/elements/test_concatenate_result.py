# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomoconcatenateresult: lists behind each other."""

from tomotest import *
from elementtest import ElementTestCase, Stream
from ringlists import check_bad_lists, ring_list, rings_of


def rings(n):
    return rng.uniform(0, 50, (n, 5)).astype(np.float32)


class ConcatenateResult(ElementTestCase):
    def test_properties(self):
        self.check_properties("tomoconcatenateresult", {"max-count": (60, 1, 2**32 - 1), "ring-count": (0, 0, 2**32 - 1)})

    def test_sets(self):
        lists = [rings(n) for n in (3, 0, 1, 1, 5, 2, 4)]
        arrays = [ring_list(r, len(r) + int(rng.integers(0, 3))) for r in lists]
        for count in (0, 1, 2, 3, 7, 9):
            with self.subTest(count=count):
                results = run(f"tomoconcatenateresult ring-count={count}", arrays)
                step = count or len(lists)
                for result, k in zip(results, range(0, len(lists), step), strict=True):
                    np.testing.assert_array_equal(rings_of(result), np.concatenate(lists[k : k + step]))

    def test_too_many_rings(self):
        lists = [rings(3), rings(5), rings(4)]
        with Stream("tomoconcatenateresult max-count=4") as stream:
            for one in lists:
                stream.push(ring_list(one))
            (result,) = stream.finish()
            np.testing.assert_array_equal(rings_of(result), np.concatenate([lists[0], lists[2]]))
            told = [m.parse_info()[0].message for m in stream.messages if m.type == Gst.MessageType.INFO]
            self.assertEqual(len(told), 1)
            self.assertIn("list 1 has 5 rings", told[0])

    def test_facts_and_states(self):
        arrays = [ring_list(rings(2)) for _ in range(4)]
        samples = run("tomoconcatenateresult ring-count=2", arrays, samples=True, framerate=20)
        self.assertEqual([s.get_buffer().pts // Gst.MSECOND for s in samples], [0, 100])
        wanted = [np.concatenate([[[4]], a[:, 1:], b[:, 1:]], axis=1) for a, b in (arrays[:2], arrays[2:])]
        self.check_state_cycles("tomoconcatenateresult ring-count=2", arrays, reference=wanted, tolerance=0)

    def test_errors(self):
        check_bad_lists(self, "tomoconcatenateresult")


if __name__ == "__main__":
    main()
