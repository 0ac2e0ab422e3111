#!/usr/bin/python3
# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Arrays that are computed several at a time: nobody notices but by the clock, and by rounding where it says so."""

import os

from pipetest import *
from elementtest import Stream

gi.require_version("GstTomo", "1.0")
from gi.repository import GstTomo

# One array through each: what batches must not change. {} is the property.
CHAINS = {
    "fft": "tomofft {}",
    "fft dimensions=3": "tomofft dimensions=3 size-x=23 size-z=5 {}",
    "ifft": "tomofft ! tomoifft crop-width=11 {}",
    "filter": "tomofft size-x=40 ! tomofilter {}",
    "ramp-filter": "tomorampfilter {}",
    "backproject": "tomobackproject {} axis-pos=8.3",
    "backproject nearest": "tomobackproject {} mode=nearest",
    "all": "tomofft {0} ! tomofilter {0} ! tomoifft {0} ! tomobackproject {0}",
}


def collect(description):
    """[(array, pts, offset, index of the frame, source)] of all that reaches the sink."""
    with Play(f"{description} ! appsink name=sink sync=false") as play:
        play.state(Gst.State.PLAYING)
        results = []
        while (sample := play["sink"].emit("try-pull-sample", PATIENCE * Gst.SECOND)) is not None:
            buffer = sample.get_buffer()
            meta = GstTomo.buffer_get_tomo_frame_meta(buffer)
            results.append((to_array(sample), buffer.pts, buffer.offset, meta.index, meta.source))
        play.collect()
        errors = [m for m in play.messages if m.type == Gst.MessageType.ERROR]
        assert not errors, errors[0].parse_error()
    return results


class Batches(PipelineTestCase):
    def write(self, number, shape=(13, 17)):
        os.makedirs("in", exist_ok=True)
        for i in range(number):
            tifffile.imwrite(f"in/{i:03}.tif", rng.normal(size=shape).astype(np.float32))

    def test_same_results(self):
        """The same numbers and facts, whatever is left over for the last batch."""
        self.write(11)
        source = "tomoread path=in ! application/x-tomo-array(ANY),framerate=50/1 ! "
        for name, chain in CHAINS.items():
            alone = collect(source + chain.format("batch=1"))
            self.assertEqual(len(alone), 11)
            self.assertEqual([a[2] for a in alone], list(range(11)))
            for batch in (2, 4, 11, 16, 0):
                with self.subTest(chain=name, batch=batch):
                    together = collect(source + chain.format(f"batch={batch}"))
                    self.assertEqual([t[1:] for t in together], [a[1:] for a in alone])
                    for one, other in zip(alone, together):
                        # Kernels for several slices place a tile's pixels in other steps, see
                        # docs/architecture.md. Nothing else makes a difference.
                        if "tomobackproject" in chain:
                            self.assert_close(other[0], one[0], 4e-6)
                        else:
                            np.testing.assert_array_equal(other[0], one[0])

    def test_depth(self):
        """Stacks keep their depth."""
        self.write(6)
        line = "tomoread path=in ! tomostack number=3 ! tomobackproject batch={}"
        alone, together = collect(line.format(1)), collect(line.format(2))
        self.assertEqual([a[0].shape for a in together], [(3, 17, 17)] * 2)
        for one, other in zip(alone, together, strict=True):
            self.assert_close(other[0], one[0], 1e-5)

    def test_source_that_waits(self):
        """Who waits for a result before it gives more gets it at once."""
        a = rng.normal(size=(13, 17)).astype(np.float32)
        with Stream("tomofft ! tomofilter ! tomoifft ! queue ! tomobackproject") as stream:
            for _ in range(3):
                self.assertEqual(stream.through(a).shape, (17, 17))
            self.assertEqual(stream.finish(), [])

    def test_live(self):
        """A live stream is not delayed; whoever asks for batches there gets them, and the latency is told."""
        line = ("videotestsrc is-live=true num-buffers=12 ! video/x-raw,format=GRAY8,width=32,height=16,framerate=20/1 ! "
                "tomoconvert ! tomofft name=f {} ! fakesink sync=true")
        for properties, frames in ("", 0), ("batch=3", 2):
            with self.subTest(properties), Play(line.format(properties)) as play:
                self.assertTrue(play.state(Gst.State.PLAYING))
                query = Gst.Query.new_latency()
                self.assertTrue(play["f"].get_static_pad("src").query(query))
                live, shortest, _ = query.parse_latency()
                self.assertTrue(live)
                own = Gst.Query.new_latency()
                self.assertTrue(play["f"].get_static_pad("sink").peer_query(own))
                self.assertEqual(shortest - own.parse_latency()[1], frames * Gst.SECOND // 20)
                self.assertIsNone(play.finish())

    def test_held_frames_precede_events(self):
        """A tag that comes behind three frames leaves behind three frames; a flush takes what was held."""
        with Stream("identity name=in ! tomofft batch=5 ! tomoifft batch=5 ! identity name=out") as stream:
            order = []

            def watch(_pad, info):
                if info.type & Gst.PadProbeType.BUFFER:
                    order.append("frame")
                elif info.get_event().type == Gst.EventType.TAG:
                    order.append("tag")
                return Gst.PadProbeReturn.OK

            stream["out"].get_static_pad("src").add_probe(
                Gst.PadProbeType.BUFFER | Gst.PadProbeType.EVENT_DOWNSTREAM, watch)
            a = rng.normal(size=(3, 4)).astype(np.float32)
            for _ in range(3):
                stream.push(a)
            tags = Gst.TagList.new_empty()
            tags.add_value(Gst.TagMergeMode.APPEND, "comment", "here")
            stream.sources[0].send_event(Gst.Event.new_tag(tags))
            stream.push(a)
            self.assertEqual(len(stream.finish()), 4)
            self.assertEqual(order[-5:], ["frame"] * 3 + ["tag", "frame"])

    def test_change_of_size(self):
        self.write(3)
        for i in range(3, 5):
            tifffile.imwrite(f"in/{i:03}.tif", rng.normal(size=(7, 9)).astype(np.float32))
        shapes = [a[0].shape for a in collect("tomoread path=in ! tomofft batch=4 ! tomoifft batch=4")]
        self.assertEqual(shapes, [(13, 17)] * 3 + [(7, 9)] * 2)

    def test_property_that_follows_time(self):
        """A controlled axis is that of each frame, in spite of a batch."""
        gi.require_version("GstController", "1.0")
        from gi.repository import GstController

        self.write(4)
        rate = "application/x-tomo-array(ANY),framerate=10/1"
        with Play(f"tomoread path=in ! {rate} ! tomobackproject name=b batch=4 ! appsink name=sink sync=false") as play:
            source = GstController.InterpolationControlSource(mode=GstController.InterpolationMode.LINEAR)
            play["b"].add_control_binding(
                GstController.DirectControlBinding.new_absolute(play["b"], "axis-pos", source))
            source.set(0, 8.0)
            source.set(Gst.SECOND, 18.0)
            play.state(Gst.State.PLAYING)
            moving = [to_array(play["sink"].emit("try-pull-sample", PATIENCE * Gst.SECOND)) for _ in range(4)]
        for i, result in enumerate(moving):
            fixed = collect(f"tomoread path=in image-start={i} number=1 ! tomobackproject axis-pos={8 + i}")
            self.assert_close(result, fixed[0][0], 1e-5)

    def test_memory_limit(self):
        """Batches shrink where memory is scarce."""
        self.write(16, (64, 64))
        line = "tomoread path=in ! tomofft ! tomofilter ! tomoifft ! tomobackproject ! tomowrite filename={}"
        for limit, name in ("", "free.tif"), ("400K", "scarce.tif"):
            result = launch(line.format(name), ("-q",), {"GST_TOMO_MEMORY_LIMIT": limit} if limit else {})
            self.assertEqual(result.rc, 0, str(result))
        for one, other in zip(read_pages("free.tif"), read_pages("scarce.tif"), strict=True):
            self.assert_close(other, one, 1e-5)


if __name__ == "__main__":
    main()
