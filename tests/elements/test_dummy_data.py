# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomodummydata: sizes, value, frame facts, times."""

from tomotest import *
from elementtest import DEVICE_CAPS, SYSTEM_CAPS, ElementTestCase, Stream, frame_meta


class DummyData(ElementTestCase):
    def test_properties(self):
        largest = float(np.finfo(np.float32).max)
        self.check_properties(
            "tomodummydata",
            {
                "width": (1, 1, 131072),
                "height": (1, 1, 131072),
                "depth": (1, 1, 131072),
                "number": (1, 1, 2**32 - 1),
                "init": (0.0, -largest, largest),
                "metadata": False,
                "complex-layout": False,
            },
        )

    def test_one_pixel_by_default(self):
        (result,) = run("tomodummydata")
        np.testing.assert_array_equal(result, np.zeros((1, 1), np.float32))

    def test_sizes_and_number(self):
        for depth, height, width, number in ((1, 3, 7, 4), (2, 5, 3, 1), (5, 1, 1, 2)):
            with self.subTest(size=(depth, height, width)):
                results = run(
                    f"tomodummydata width={width} height={height} depth={depth} number={number} init=-1.5"
                )
                self.assertEqual(len(results), number)
                for result in results:
                    np.testing.assert_array_equal(
                        result, np.full((depth, height, width)[depth == 1 :], -1.5, np.float32)
                    )

    def test_complex(self):
        (result,) = run("tomodummydata complex-layout=true width=6 height=2 init=2")
        np.testing.assert_array_equal(result, np.full((2, 3), 2 + 2j, np.complex64))
        self.assert_fails(["width=5", "even"], "tomodummydata complex-layout=true width=5")

    def test_memory(self):
        for place in (SYSTEM_CAPS, DEVICE_CAPS):
            (sample,) = run(f"tomodummydata width=5 init=3 ! {place}", samples=True)
            self.assertEqual(
                sample.get_caps().get_features(0).contains("memory:TomoCL"), place == DEVICE_CAPS
            )
            np.testing.assert_array_equal(to_array(sample), np.full((1, 5), 3, np.float32))

    def test_times_and_numbers(self):
        samples = run(f"tomodummydata number=3 ! {SYSTEM_CAPS},framerate=50/1", samples=True)
        for i, sample in enumerate(samples):
            buffer = sample.get_buffer()
            self.assertEqual((buffer.offset, buffer.offset_end), (i, i + 1))
            self.assertEqual((buffer.pts, buffer.duration), (i * Gst.SECOND // 50, Gst.SECOND // 50))
        for sample in run("tomodummydata number=2", samples=True):
            self.assertEqual(sample.get_buffer().pts, Gst.CLOCK_TIME_NONE)

    def test_metadata(self):
        for metadata, sources in ((True, ["meta=0", "meta=1", "meta=2"]), (False, [None] * 3)):
            samples = run(f"tomodummydata number=3 metadata={metadata}", samples=True)
            metas = [frame_meta(sample.get_buffer()) for sample in samples]
            self.assertEqual([(m.index, m.source) for m in metas], list(enumerate(sources)))

    def test_duration_and_seek(self):
        with Stream("tomodummydata number=10 name=d", inputs=0) as stream:
            stream.pull()
            self.assertEqual(stream.pipeline.query_duration(Gst.Format.DEFAULT), (True, 10))
            self.assertTrue(
                stream.pipeline.seek(
                    1.0, Gst.Format.DEFAULT, Gst.SeekFlags.FLUSH, Gst.SeekType.SET, 7, Gst.SeekType.NONE, -1
                )
            )
            offsets = []
            with self.assertRaises(EOFError):
                while True:
                    offsets.append(stream.pull_sample().get_buffer().offset)
            self.assertEqual(offsets[-3:], [7, 8, 9])

    def test_init_while_playing(self):
        with Stream("tomodummydata number=100000 name=d ! SINK", inputs=0, play=False) as stream:
            stream["sink"].set_property("max-buffers", 1)
            stream.play()
            self.assertEqual(stream.pull()[0, 0], 0)
            stream["d"].set_property("init", 4)
            values = [stream.pull()[0, 0] for _ in range(10)]
            self.assertEqual(values[-1], 4)
            self.assertEqual(values, sorted(values))

    def test_state_cycles(self):
        with Stream("tomodummydata number=3 init=2", inputs=0, play=False) as stream:
            for state in (Gst.State.NULL, Gst.State.READY, Gst.State.NULL):
                stream.play()
                results = stream.finish()
                np.testing.assert_array_equal(results, np.full((3, 1, 1), 2))
                stream.pipeline.set_state(state)

    def test_size_wanted_by_nobody(self):
        self.assert_fails(["width=(int)5", "width=(int)6"], f"tomodummydata width=5 ! {SYSTEM_CAPS},width=6")


if __name__ == "__main__":
    main()
