# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomoringwriter: the text that it writes, whole or not at all."""

import tempfile

import os

from tomotest import *
from elementtest import ElementTestCase, Stream
from ringlists import ring_list




def lines_of(lists, scale):
    for i, rings in enumerate(lists):
        yield from ["filename unknown", f"index {i}", f"ring_count {len(rings)}"]
        for x, y, r, *_ in np.float32(rings).reshape(-1, 5).astype(float) * scale:
            half_up = lambda v: int(np.copysign(np.floor(abs(v) + 0.5), v))
            yield f"ring_coord {half_up(x)} {half_up(y)} {r:f}"


class Ringwriter(ElementTestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="gst-tomo-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def lines(self, name):
        with open(os.path.join(self.folder, name)) as file:
            return file.read().splitlines()

    def test_properties(self):
        self.check_properties("tomoringwriter", {"scale": (1, 1, 2**32 - 1), "filename": "results"})

    def test_lists(self):
        lists = [rng.uniform(-50, 50, (n, 5)) for n in (3, 0, 1)] + [[[2.5, -0.4, 1, 0, 0]]]
        for scale in 1, 3:
            run(f"tomoringwriter scale={scale} filename={self.folder}/rings NOSINK", [ring_list(r, 4) for r in lists])
            self.assertEqual(self.lines("rings.txt"), list(lines_of(lists, scale)))
        self.assertEqual(os.listdir(self.folder), ["rings.txt"])

    def test_several_widths_in_one_file(self):
        lists = [rng.uniform(0, 50, (n, 5)) for n in (1, 2)]
        run(f"tomoringwriter filename={self.folder}/a.list NOSINK", [ring_list(lists[0], 1), ring_list(lists[1], 5)])
        self.assertEqual(self.lines("a.list"), list(lines_of(lists, 1)))

    def test_the_source_is_named(self):
        run(f"tomodummydata width=6 init=1 metadata=true number=2 ! tomoringwriter filename={self.folder}/rings NOSINK")
        self.assertEqual(self.lines("rings.txt")[4:], ["filename meta=1", "index 1", "ring_count 1",
                                                       "ring_coord 1 1 1.000000"])

    def test_half_a_stream_keeps_another_name(self):
        with Stream(f"tomoringwriter filename={self.folder}/rings NOSINK") as stream:
            stream.push(ring_list([], 1))
            stream.push(np.full((1, 6), 9, np.float32))
            with self.assertRaises(PipelineError):
                stream.finish()
        self.assertEqual(os.listdir(self.folder), ["rings.txt.partial"])
        self.assertEqual(self.lines("rings.txt.partial"), list(lines_of([[]], 1)))

    def test_errors(self):
        line = f"tomoringwriter filename={self.folder}/rings NOSINK"
        self.assert_fails(["1 x 2", "no list of rings"], line, [np.zeros((2, 1), np.float32)])
        self.assert_fails(["5 x 1", "no list of rings"], line, [np.zeros((1, 5), np.float32)])
        for count in -1, 0.5, 2, np.nan:
            self.assert_fails(["list 0", "wanted 0 to 1"], line, [np.full((1, 6), count, np.float32)])
        self.assert_fails(["is empty"], "tomoringwriter filename=\"\" NOSINK", [np.zeros((1, 6), np.float32)])
        os.mkdir(os.path.join(self.folder, "a.txt"))
        self.assert_fails(["a.txt", "folder"], f"tomoringwriter filename={self.folder}/a NOSINK",
                          [np.zeros((1, 6), np.float32)])


if __name__ == "__main__":
    main()
