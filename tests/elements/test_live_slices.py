# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomoliveslices: a pad for each plane, planes that change, slices that are left out. test_live_slice.py has the numbers."""

import threading
import time

from tomotest import *
from elementtest import ElementTestCase
from livetest import axis_plane, slice_of

SHAPE, AXIS, VIEWS = (5, 14), 6.2, 8
STEP = np.pi / VIEWS


def projections(number, shape=SHAPE):
    return [rng.standard_normal(shape).astype(np.float32) for _ in range(number)]


def newest(images, plane):
    angles = STEP * np.arange(len(images))
    return slice_of(images[-VIEWS:], angles[-VIEWS:], AXIS, plane)


class Live:
    """A pipeline that is fed and read by hand, with an appsink for each of the pads."""

    def __init__(self, pads, options="", is_live=False):
        sinks = " ".join(f"s.src_{n} ! appsink name=sink{n} sync=false async=false wait-on-eos=false" for n in pads)
        self.pipeline = Gst.parse_launch(f"appsrc name=in format=time max-bytes=0 is-live={is_live} ! tomoprojectionring views={VIEWS} "
                                         f"angle-step={STEP} name=ring ! tomoliveslices name=s axis-pos={AXIS} {options} {sinks}")
        self.bus, self.pads, self.number, self.images = self.pipeline.get_bus(), pads, 0, []
        self.slices = self.pipeline.get_by_name("s")
        self.pipeline.set_state(Gst.State.PLAYING)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.pipeline.set_state(Gst.State.NULL)

    def push(self, *images):
        source = self.pipeline.get_by_name("in")
        for image in images:
            source.push_sample(Gst.Sample.new(to_buffer(image, self.number), caps(image.dtype, image.shape), None, None))
            self.number += 1
            self.images.append(image)

    def pull(self, pad, timeout=TIMEOUT):
        sample = self.pipeline.get_by_name(f"sink{pad}").try_pull_sample(timeout * Gst.SECOND)
        error = self.bus.pop_filtered(Gst.MessageType.ERROR)
        if error:
            raise PipelineError(error)
        return to_array(sample) if sample else None

    def end(self):
        self.pipeline.get_by_name("in").end_of_stream()
        message = self.bus.timed_pop_filtered(TIMEOUT * Gst.SECOND, Gst.MessageType.EOS | Gst.MessageType.ERROR)
        if message is None:
            raise TimeoutError
        if message.type == Gst.MessageType.ERROR:
            raise PipelineError(message)

    def warnings(self):
        found = []
        while message := self.bus.pop_filtered(Gst.MessageType.WARNING):
            found.append(message.parse_warning()[0].message)
        return found


class LiveSlices(ElementTestCase):
    def test_properties(self):
        self.check_properties("tomoliveslices", {"planes": "x=0;y=0;z=0", "axis-pos": (-1.0, -1.0, 32768.0), "roll": (0.0, -1.5, 1.5),
                                                 "every": (1, 1, 2**32 - 1), "drop": True})

    def test_a_pad_for_each_plane(self):
        with Live([2, 0, 1], 'planes="x=1; y=-2 ;z=0.5" drop=false') as live:
            live.push(*projections(VIEWS + 3))
            live.end()
            for pad, normal, offset in (0, "x", 1), (1, "y", -2), (2, "z", 0.5):
                for n in range(VIEWS, VIEWS + 4):
                    self.assert_close(live.pull(pad), newest(live.images[:n], axis_plane(normal, offset, SHAPE, AXIS)), 5e-6)
                self.assertIsNone(live.pull(pad, 0))

    def test_some_pads(self):
        """The others have no work, and pads without a name get the first numbers that are free."""
        with Live([1], "drop=false") as live:
            live.push(*projections(VIEWS))
            live.end()
            self.assert_close(live.pull(1), newest(live.images, axis_plane("y", 0, SHAPE, AXIS)), 5e-6)
        element = Gst.ElementFactory.make("tomoliveslices")
        element.request_pad_simple("src_1")
        template = element.get_pad_template("src_%u")
        self.assertEqual([element.request_pad(template, None, None).get_name() for _ in range(2)], ["src_0", "src_2"])

    def test_every(self):
        with Live([0], "planes=z=0 drop=false every=3") as live:
            live.push(*projections(VIEWS + 7))
            live.end()
            for n in VIEWS, VIEWS + 3, VIEWS + 6:
                self.assert_close(live.pull(0), newest(live.images[:n], axis_plane("z", 0, SHAPE, AXIS)), 5e-6)
            self.assertIsNone(live.pull(0, 0))
            self.assertEqual(live.slices.get_by_name("slice-0").get_property("left-out"), 4)

    def test_changes_do_not_wait_for_every(self):
        """The next projection shows them, and every counts from there."""
        with Live([0], "planes=z=0 drop=false every=5") as live:
            live.push(*projections(VIEWS))
            self.assert_close(live.pull(0), newest(live.images, axis_plane("z", 0, SHAPE, AXIS)), 5e-6)
            live.slices.emit("show", 0, "z=1")
            live.push(*projections(1))
            self.assert_close(live.pull(0), newest(live.images, axis_plane("z", 1, SHAPE, AXIS)), 5e-6)
            live.slices.set_property("axis-pos", AXIS + 1)
            live.push(*projections(7))
            live.end()
            for n in -7, -2:
                images = live.images[:len(live.images) + n + 1]
                place = axis_plane("z", 1, SHAPE, AXIS + 1)
                angles = STEP * np.arange(len(images) - VIEWS, len(images))
                self.assert_close(live.pull(0), slice_of(images[-VIEWS:], angles, AXIS + 1, place), 5e-6)
            self.assertIsNone(live.pull(0, 0))

    def test_changes_between_frames(self):
        with Live([0, 1], 'planes="z=0;x=0" drop=false') as live:
            live.push(*projections(VIEWS))
            for pad, normal in (0, "z"), (1, "x"):
                self.assert_close(live.pull(pad), newest(live.images, axis_plane(normal, 0, SHAPE, AXIS)), 5e-6)
            self.assertTrue(live.slices.emit("show", 1, "y=1,width=9,step=2"))
            self.assertEqual(live.slices.get_property("planes"), "z=0;y=1,width=9,step=2")
            live.slices.set_property("roll", 0.1)
            live.push(*projections(1))
            for pad, normal, offset, options in (0, "z", 0, ()), (1, "y", 1, (2.0, 9)):
                place = axis_plane(normal, offset, SHAPE, AXIS, *options)
                self.assert_close(live.pull(pad), slice_of(live.images[-VIEWS:], STEP * np.arange(1, VIEWS + 1), AXIS, place, 0.1), 5e-6)
            live.slices.set_property("axis-pos", 7.5)
            live.push(*projections(1))
            place = axis_plane("z", 0, SHAPE, 7.5)
            self.assert_close(live.pull(0), slice_of(live.images[-VIEWS:], STEP * np.arange(2, VIEWS + 2), 7.5, place, 0.1), 5e-6)

    def test_wrong_planes_while_it_runs(self):
        """A warning, and the stream goes on as it was."""
        with Live([0], "planes=z=0 drop=false") as live:
            live.push(*projections(VIEWS))
            live.pull(0)
            self.assertFalse(live.slices.emit("show", 0, "v=3"))
            self.assertFalse(live.slices.emit("show", 1, "z=3"))
            live.slices.set_property("planes", "z=one")
            warnings = live.warnings()
            for warning, words in zip(warnings, (("'v'", "x, y, z"), ("no plane 1", "planes has 1"), ("z='one'", "stay as they were")), strict=True):
                for word in words:
                    self.assertIn(word, warning)
            live.push(*projections(1))
            self.assert_close(live.pull(0), newest(live.images, axis_plane("z", 0, SHAPE, AXIS)), 5e-6)

    def test_wrong_planes_before(self):
        for pads, options, words in (([0], "planes=z", ("plane 'z'", "without '='")), ([0, 1], "planes=z=0", ("src_1 has no plane", "planes has 1"))):
            with self.subTest(options), Live(pads, options) as live, self.assertRaises(PipelineError) as caught:
                live.pull(0, 0)
            for word in words:
                self.assertIn(word, caught.exception.message)
            self.assertEqual(caught.exception.element, "s")

    def test_pads_come_and_go(self):
        """While projections come, without an error or a standstill."""
        with Live([0], 'planes="z=0;x=0" drop=true') as live:
            is_over = threading.Event()

            def feed():
                while not is_over.is_set():
                    live.push(*projections(1))
                    time.sleep(0.001)
            feeding = threading.Thread(target=feed)
            feeding.start()
            try:
                for _ in range(5):
                    sink = Gst.parse_launch("appsink sync=false async=false")
                    live.pipeline.add(sink)
                    sink.sync_state_with_parent()
                    pad = live.slices.request_pad_simple("src_1")
                    self.assertEqual(pad.link(sink.get_static_pad("sink")), Gst.PadLinkReturn.OK)
                    sample = sink.try_pull_sample(TIMEOUT * Gst.SECOND)
                    self.assertEqual(to_array(sample).shape, SHAPE)
                    live.slices.release_request_pad(pad)
                    sink.set_state(Gst.State.NULL)
                    live.pipeline.remove(sink)
                self.assertIsNotNone(live.pull(0))
            finally:
                is_over.set()
                feeding.join()
            live.end()

    def test_slices_are_left_out_and_projections_are_not(self):
        """Nobody takes slices, and all projections are taken all the same; the last slice is of the newest ones."""
        with Live([0], "planes=z=0") as live:
            sink = live.pipeline.get_by_name("sink0")
            sink.set_property("max-buffers", 1)
            live.push(*projections(200))
            last = None
            deadline = time.monotonic() + TIMEOUT
            source = live.pipeline.get_by_name("in")
            while source.get_property("current-level-buffers") and time.monotonic() < deadline:
                time.sleep(0.01)
            self.assertEqual(source.get_property("current-level-buffers"), 0)
            source.end_of_stream()
            count = 0
            while (result := live.pull(0)) is not None:
                last, count = result, count + 1
            self.assertLess(count, 20)
            self.assert_close(last, newest(live.images, axis_plane("z", 0, SHAPE, AXIS)), 5e-6)
            self.assertEqual(live.slices.get_by_name("slice-0").get_property("left-out"), 200 - VIEWS + 1 - count)

    def test_state_cycles(self):
        images = projections(VIEWS + 2)
        place = axis_plane("y", 0, SHAPE, AXIS)
        for _ in range(3):
            with Live([1], "drop=false") as live:
                for _ in range(2):
                    live.number, live.images = 0, []
                    live.pipeline.set_state(Gst.State.PLAYING)
                    live.push(*images)
                    live.end()
                    for n in range(VIEWS, VIEWS + 3):
                        self.assert_close(live.pull(1), newest(images[:n], place), 5e-6)
                    live.pipeline.set_state(Gst.State.READY)


if __name__ == "__main__":
    main()
