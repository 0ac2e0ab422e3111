# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomorefeed: the arrays of the first run, in each later one."""

from tomotest import *
from elementtest import ElementTestCase, Stream
from padtest import *


class Refeed(ElementTestCase):
    def test_properties(self):
        self.check_properties("tomorefeed", {"limit": (0, 0, 2**64 - 1)})

    def test_every_format(self):
        for name, dtype in FORMATS.items():
            with self.subTest(format=name):
                arrays = [random_array(dtype, (2, 3, 5)) for _ in range(3)]
                for result, wanted in zip(run("tomorefeed", arrays), arrays, strict=True):
                    self.assertEqual(result.dtype, wanted.dtype)
                    np.testing.assert_array_equal(result.view(np.uint8), wanted.view(np.uint8))

    def test_later_runs(self):
        arrays = [random_array(np.float32, (3, 5)), random_array(np.float32, (3, 5)), random_array(np.uint8, (4, 2))]
        with Stream("tomorefeed", play=False) as stream:
            for turn in range(3):
                stream.sent = [0]
                stream.play()
                for array in arrays if turn == 0 else [random_array(np.int16, (1, 1))] * 2:
                    stream.push(array)
                for result, wanted in zip(stream.finish(), arrays, strict=True):
                    np.testing.assert_array_equal(result, wanted)
                stream.pipeline.set_state(Gst.State.READY)
                stream.pipeline.get_state(Gst.CLOCK_TIME_NONE)

    def test_the_stream_in_front_ends(self):
        """Later runs compute one array of it."""
        a = random_array(np.float32, (2, 3))
        with Pads("tomorefeed") as pads:
            pads.push(a, a, rate=10, angle=0.5, source="a.tif")
            pads.eos()
            first = [(o.pts, o.offset, o.angle, o.source) for o in pads.outputs]
            pads.stop(Gst.State.READY)
            pads.play()
            pads.push(np.zeros((5, 5), np.uint8))
            self.assertEqual(pads.last_flow, Gst.FlowReturn.EOS)
            self.assertEqual([(o.pts, o.offset, o.angle, o.source) for o in pads.outputs], first)

    def test_a_run_that_was_stopped_is_forgotten(self):
        arrays = [random_array(np.float32, (3, 5)) for _ in range(2)]
        with Pads("tomorefeed") as pads:
            pads.push(arrays[0])
            pads.stop(Gst.State.READY)
            pads.play()
            np.testing.assert_array_equal(arrays_of(pads.push(arrays[1])), arrays[1:])
            pads.flush()
            np.testing.assert_array_equal(arrays_of(pads.push(arrays[0])), arrays[:1])

    def test_the_limit(self):
        arrays = [random_array(np.float32, (10, 10)) for _ in range(5)]
        self.assertEqual(len(run("tomorefeed limit=2000", arrays)), 5)
        self.assert_fails(["array 5 of float32 10 x 10", "limit=1999"], "tomorefeed limit=1999", arrays)


if __name__ == "__main__":
    main()
