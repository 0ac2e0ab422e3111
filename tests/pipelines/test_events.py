#!/usr/bin/python3
# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Seeks, states, ends, queries and changes of size in whole pipelines; and that nothing is left behind."""

import math
import os
import re
import threading
import unittest

from pipetest import *

from PIL import Image

gi.require_version("GstTomo", "1.0")
from gi.repository import GstTomo

FLUSH = Gst.SeekFlags.FLUSH
SET, NONE, END = Gst.SeekType.SET, Gst.SeekType.NONE, Gst.SeekType.END
FRAMES = Gst.Format.DEFAULT


def memory_in_use():
    device = GstTomo.Context.new(None).get_default_device()
    return device.get_memory_in_use()


def write_numbers(number=10, folder="numbers", shape=(5, 7)):
    os.makedirs(folder, exist_ok=True)
    for i in range(number):
        tifffile.imwrite(f"{folder}/{i:03}.tif", np.full(shape, i, np.float32))


def completeness_of(name):
    """What a file says itself: "true", "false" or nothing."""
    if name.endswith(".npy"):
        return None
    if name.endswith(".h5"):
        with h5py.File(name) as file:
            said = file["data"].attrs.get("complete")
            return said if said is None else str(bool(said)).lower()
    if name.endswith(".edf"):
        with open(name, "rb") as file:
            words = file.read(512).decode()
        return re.search(r"complete = (\w+)", words)[1] if "complete" in words else None
    if name.endswith(".tif"):
        with tifffile.TiffFile(name) as tiff:
            words = tiff.pages[0].description
        return re.search(r"complete=(\w+)", words)[1] if "complete" in words else None
    with Image.open(name) as picture:
        if name.endswith(".png"):
            return picture.text.get("complete")
        words = picture.info.get("comment", b"").decode()
        return re.search(r"complete=(\w+)", words)[1] if "complete" in words else None


class EventTestCase(PipelineTestCase):
    def tearDown(self):
        super().tearDown()
        self.assertEqual(memory_in_use(), 0, "device memory is left in use")

    def seek(self, play, *arguments):
        self.assertTrue(play.seek(*arguments), f"seek {arguments[1:]} is refused")

    @staticmethod
    def wait_for_arrays(frames, number):
        wait_until(lambda: len(frames.values) >= number, f"array {number}")

    def begin_segment(self, play, start, stop):
        self.assertTrue(play.state(Gst.State.PAUSED))
        self.seek(play, 1.0, FRAMES, FLUSH | Gst.SeekFlags.SEGMENT, SET, start, SET, stop)
        play.pipeline.set_state(Gst.State.PLAYING)

    def finish(self, play, frames, types=Gst.MessageType.EOS):
        """Waits for the end of the stream since the last seek; returns the numbers of its frames."""
        self.assertIsNone(play.finish(types))
        # The message is of the source, which is ahead.
        if types == Gst.MessageType.SEGMENT_DONE:
            wait_until(lambda: play.seqnum in frames.ended, "the end of the segment")
        return [round(value) for value in frames.values]


SINK = "tomonull name=sink"
# A stage on the device with threads of its own, one that holds frames back.
CHAINS = {
    "bare": SINK,
    "computing": f"tomocalculate expression=v*1 ! queue ! tomofft ! tomoifft ! {SINK}",
    "held": f"tomostack number=2 ! tomoslice ! {SINK}",
}


class Seeks(EventTestCase):
    def test_frames(self):
        """Flushing seeks by frame number, without any frame rate."""
        write_numbers()
        for name, chain in CHAINS.items():
            with self.subTest(name), Play(f"tomoread path=numbers ! {chain}") as play:
                frames = play.watch("sink")
                self.assertTrue(play.state(Gst.State.PAUSED))
                self.seek(play, 1.0, FRAMES, FLUSH, SET, 6, NONE, -1)
                self.assertTrue(play.state(Gst.State.PLAYING))
                self.assertEqual(self.finish(play, frames), [6, 7, 8, 9])
                # After the end, back to the beginning, up to a stop.
                self.seek(play, 1.0, FRAMES, FLUSH, SET, 0, SET, 4)
                self.assertEqual(self.finish(play, frames), [0, 1, 2, 3])
                self.seek(play, 1.0, FRAMES, FLUSH, SET, 2, SET, -1)
                self.assertEqual(self.finish(play, frames), list(range(2, 10)))

    def test_time(self):
        """With a rate, seeks in time reach the frames that overlap the segment, and PTS are those of the frames."""
        write_numbers()
        for name, chain in CHAINS.items():
            with self.subTest(name), Play("tomoread path=numbers ! "
                                          f"application/x-tomo-array(ANY),framerate=30/1 ! {chain}") as play:
                frames, second = play.watch("sink"), Gst.SECOND
                self.assertTrue(play.state(Gst.State.PLAYING))
                self.assertEqual(self.finish(play, frames), list(range(10)))
                self.assert_times(frames, range(10))
                # Starts of frames are rounded down: 1/3 s is not a whole number of nanoseconds.
                for start, stop, expected in [(6 * second // 30, -1, [6, 7, 8, 9]),
                                              (1 * second // 30, 5 * second // 30, [1, 2, 3, 4]),
                                              (2 * second // 30 + 5, 4 * second // 30 + 5, [2, 3, 4]),
                                              (0, 1, [0])]:
                    self.seek(play, 1.0, Gst.Format.TIME, FLUSH | Gst.SeekFlags.ACCURATE, SET, start, SET, stop)
                    self.assertEqual(self.finish(play, frames), expected, (start, stop))
                    self.assert_times(frames, expected)
                # A seek by frame in the same stream.
                self.seek(play, 1.0, FRAMES, FLUSH, SET, 3, SET, 6)
                self.assertEqual(self.finish(play, frames), [3, 4, 5])

    def assert_times(self, frames, numbers):
        # A nanosecond more or less where a time was split.
        np.testing.assert_allclose(frames.times, [i * Gst.SECOND // 30 for i in numbers], rtol=0, atol=1)

    def test_keeping_the_start(self):
        """A seek that leaves the start alone goes on from where the stream is."""
        write_numbers(300)
        for rate, form in (("0/1", FRAMES), ("10/1", FRAMES), ("10/1", Gst.Format.TIME)):
            with self.subTest(f"{rate} {form.value_nick}"), Play(
                    f"tomoread path=numbers ! application/x-tomo-array(ANY),framerate={rate} ! "
                    f"identity name=pace sleep-time=10000 ! {SINK}") as play:
                frames = play.watch("sink")
                self.assertTrue(play.state(Gst.State.PLAYING))
                self.wait_for_arrays(frames, 8)
                self.seek(play, 1.0, form, FLUSH, NONE, 0, SET, 280 if form == FRAMES else 28000 * Gst.MSECOND)
                play["pace"].set_property("sleep-time", 0)
                got = self.finish(play, frames)
                came = len(frames.flushed)
                self.assertGreaterEqual(came, 8)
                # What was on its way is flushed.
                self.assertIn(got[0], range(came, came + 7))
                self.assertEqual(got, list(range(got[0], 280)))

    def test_segments(self):
        """A loop over a segment: SEGMENT_DONE instead of EOS, and again without a flush."""
        write_numbers()
        for name, chain in CHAINS.items():
            with self.subTest(name), Play(f"tomoread path=numbers ! {chain}") as play:
                frames = play.watch("sink")
                self.begin_segment(play, 2, 6)
                for loops in range(1, 4):
                    self.assertEqual(self.finish(play, frames, Gst.MessageType.SEGMENT_DONE), [2, 3, 4, 5] * loops)
                    self.seek(play, 1.0, FRAMES, Gst.SeekFlags.SEGMENT, SET, 2, SET, 6)
                self.seek(play, 1.0, FRAMES, Gst.SeekFlags.NONE, SET, 2, SET, 6)
                got = self.finish(play, frames)
                self.assertEqual(got[-4:], [2, 3, 4, 5])
                self.assertGreaterEqual(len(got), 16)

    def test_many(self):
        """Seeks at any moment of a running pipeline with threads: the last one decides."""
        write_numbers(40)
        with Play(f"tomoread path=numbers ! {CHAINS['computing']}") as play:
            frames = play.watch("sink")
            self.assertTrue(play.state(Gst.State.PLAYING))
            for _ in range(100):
                start = int(rng.integers(0, 40))
                self.seek(play, 1.0, FRAMES, FLUSH, SET, start, NONE, -1)
                GLib.usleep(int(rng.integers(0, 3)) * 1500)
                values = [round(value) for value in frames.values]
                self.assertEqual(values, list(range(start, start + len(values))))
            self.seek(play, 1.0, FRAMES, FLUSH, SET, 33, NONE, -1)
            self.assertEqual(self.finish(play, frames), list(range(33, 40)))

    def test_join(self):
        """Only the main input of a join seeks; darks and flats begin again, wherever projections go."""
        write_numbers(12, "projections")
        write_numbers(3, "darks")  # 0, 1, 2
        os.mkdir("flats")
        for i in range(2):
            tifffile.imwrite(f"flats/{i}.tif", np.full((5, 7), 3, np.float32))
        for average, several, darks in (("", "pairs", [0, 1, 2]), ("", "mean", [1, 1, 1]),
                                        ("! tomoaverage", "mean", [1, 1, 1])):
            with self.subTest(average=average, several=several), Play(
                    f"tomoread path=projections ! f.projections tomoread path=darks {average} ! f.darks "
                    f"tomoread path=flats {average} ! queue ! f.flats tomoflatfieldcorrect name=f several={several} ! "
                    f"{SINK}") as play:
                frames = play.watch("sink")
                self.assertTrue(play.state(Gst.State.PAUSED))
                for start, stop in ((9, -1), (0, 4), (7, 8), (11, -1)):
                    self.seek(play, 1.0, FRAMES, FLUSH, SET, start, SET, stop)
                    play.pipeline.set_state(Gst.State.PLAYING)
                    self.finish(play, frames)
                    expected = []
                    for n, projection in enumerate(range(start, stop if stop > 0 else 12)):
                        dark = darks[min(n, 2)]
                        expected.append((projection - dark) / (3 - dark))
                    self.assert_close(frames.values, expected, 1e-6)
                query = Gst.Query.new_seeking(FRAMES)
                self.assertTrue(play.pipeline.query(query))
                self.assertTrue(query.parse_seeking()[1])

    def test_join_loops(self):
        """A segment's end is that of the main input; side inputs that ended stay as they are."""
        write_numbers(6, "projections")
        with Play("tomoread path=projections ! f.projections tomodummydata width=7 height=5 ! f.darks "
                  f"tomodummydata width=7 height=5 init=1 ! f.flats tomoflatfieldcorrect name=f ! {SINK}") as play:
            frames = play.watch("sink")
            self.begin_segment(play, 1, 4)
            self.assertEqual(self.finish(play, frames, Gst.MessageType.SEGMENT_DONE), [1, 2, 3])
            self.seek(play, 1.0, FRAMES, Gst.SeekFlags.NONE, SET, 4, SET, -1)
            self.assertEqual(self.finish(play, frames), [1, 2, 3, 4, 5])

    def test_before_the_first_frame(self):
        """A seek to the beginning needs no frame rate, whether the source has begun or not."""
        write_numbers()
        for state in (Gst.State.READY, Gst.State.PAUSED):
            with self.subTest(state.value_nick), Play(f"tomoread name=r path=numbers ! {SINK}") as play:
                frames, source, blocked = play.watch("sink"), play["r"].get_static_pad("src"), threading.Event()
                probe = source.add_probe(Gst.PadProbeType.BLOCK | Gst.PadProbeType.EVENT_DOWNSTREAM,
                                         lambda *_: blocked.set() or Gst.PadProbeReturn.OK)
                play.pipeline.set_state(state)
                if state == Gst.State.PAUSED:  # the source's thread waits with its first event
                    self.assertTrue(blocked.wait(PATIENCE))
                    self.assertFalse(play["r"].seek(1.0, FRAMES, FLUSH, SET, 3, NONE, -1))
                event = Gst.Event.new_seek(1.0, FRAMES, FLUSH, SET, 0, NONE, -1)
                play.seqnum = event.get_seqnum()
                self.assertTrue(play["r"].send_event(event))
                self.assertEqual(frames.values, [])
                source.remove_probe(probe)
                play.pipeline.set_state(Gst.State.PLAYING)
                self.assertEqual(self.finish(play, frames), list(range(10)))

    def test_refused(self):
        """What can't be done is refused before anything happens: the stream goes on."""
        write_numbers()
        with Play(f"tomoread path=numbers ! {SINK}") as play:
            frames = play.watch("sink")
            self.assertTrue(play.state(Gst.State.PAUSED))
            time = Gst.Format.TIME
            for arguments in [(-1.0, FRAMES, FLUSH, SET, 0, SET, 5), (-1.0, time, FLUSH, SET, 0, SET, -1),
                              (1.0, time, FLUSH, SET, Gst.SECOND, NONE, -1),  # there is no rate
                              (1.0, time, FLUSH, SET, 0, SET, Gst.SECOND), (1.0, FRAMES, FLUSH, SET, 5, SET, 2),
                              (1.0, FRAMES, FLUSH, END, -2, NONE, -1), (1.0, time, FLUSH, END, 0, NONE, -1),
                              (1.0, Gst.Format.BYTES, FLUSH, SET, 0, NONE, -1),
                              (2.0, time, Gst.SeekFlags.INSTANT_RATE_CHANGE, NONE, 0, NONE, 0)]:
                self.assertFalse(play.pipeline.seek(*arguments), arguments)
            play.pipeline.set_state(Gst.State.PLAYING)
            self.assertEqual(self.finish(play, frames), list(range(10)))

    def test_writing(self):
        """A file holds what came since the last flush, and is written anew by what comes after its end."""
        write_numbers()
        with h5py.File("out.h5", "w") as file:
            file["old"] = np.arange(3)
        for path, read in (("out.tif", lambda: read_pages("out.tif")),
                           ("out.h5:/a/b", lambda: read_dataset("out.h5", "a/b"))):
            with self.subTest(path), Play("tomoread path=numbers ! identity name=pace ! "
                                          f"tomowrite filename={path}") as play:
                play["pace"].set_property("sleep-time", 20000)
                self.assertTrue(play.state(Gst.State.PLAYING))
                GLib.usleep(80000)
                self.seek(play, 1.0, FRAMES, FLUSH, SET, 6, NONE, -1)
                self.assertIsNone(play.finish())
                self.assertEqual([int(image.flat[0]) for image in read()], [6, 7, 8, 9])
                self.seek(play, 1.0, FRAMES, FLUSH, SET, 1, SET, 3)
                self.assertIsNone(play.finish())
                self.assertEqual([int(image.flat[0]) for image in read()], [1, 2])
                play.stop()
                self.assertEqual(play.errors() + play.warnings(), [])
        np.testing.assert_array_equal(read_dataset("out.h5", "old"), np.arange(3))

    @staticmethod
    def flush_and_start(pad, columns):
        """A flush and what comes behind it: new caps and a segment. Sinks without `async` stay in PLAYING."""
        segment = Gst.Segment()
        segment.init(Gst.Format.TIME)
        for event in (Gst.Event.new_flush_start(), Gst.Event.new_flush_stop(True), Gst.Event.new_stream_start("stream"),
                      Gst.Event.new_caps(caps(np.float32, (2, columns))), Gst.Event.new_segment(segment)):
            pad.send_event(event)

    def test_writing_behind_an_empty_end(self):
        """A stream ends before its first array, is flushed, and goes on, with the same caps or others."""
        for width in (3, 5):
            line = f"identity name=in ! tomowrite filename=empty{width}.tif async=false"
            with self.subTest(width=width), Play(line) as play:
                play.pipeline.set_state(Gst.State.PLAYING)
                pad = play["in"].get_static_pad("sink")
                self.flush_and_start(pad, 3)
                pad.send_event(Gst.Event.new_eos())
                self.flush_and_start(pad, width)
                image = np.arange(2 * width, dtype=np.float32).reshape(2, width)
                self.assertEqual(pad.chain(to_buffer(image)), Gst.FlowReturn.OK)
                pad.send_event(Gst.Event.new_eos())
                play.collect()
                self.assertEqual(play.errors() + play.warnings(), [])
                play.stop()
                np.testing.assert_array_equal(read_pages(f"empty{width}.tif"), [image])

    def test_other_caps_behind_a_failed_restart(self):
        """A writer that can't begin anew behind a flush has failed, whatever comes then."""
        with Play("identity name=in ! tomowrite filename=out.tif resume=true async=false") as play:
            play.pipeline.set_state(Gst.State.PLAYING)
            pad = play["in"].get_static_pad("sink")
            self.flush_and_start(pad, 3)
            self.assertEqual(pad.chain(to_buffer(np.zeros((2, 3), np.float32))), Gst.FlowReturn.OK)
            os.mkdir("out.tif")
            self.flush_and_start(pad, 3)
            for columns in (3, 4, 5):
                self.assertEqual(pad.chain(to_buffer(np.zeros((2, columns), np.float32))), Gst.FlowReturn.ERROR)
                self.flush_and_start(pad, columns + 1)
            play.collect()
            (error,) = play.errors()
            self.assertIn("it is a folder", error)


class States(EventTestCase):
    CHAIN = ("tomoread path=numbers ! tomocalculate expression=v+1 ! queue ! tomofft ! tomoifft ! tee name=t "
             "t. ! queue ! tomowrite filename=out.tif t. ! queue ! tomowrite filename=out.h5:/data")

    def test_cycles(self):
        """100 times up and down again, to the end or stopped anywhere."""
        write_numbers(4)
        with Play(self.CHAIN) as play:
            for cycle in range(100):
                if cycle % 4 == 0:
                    play.pipeline.set_state(Gst.State.PLAYING)
                    message = play.until(Gst.MessageType.EOS)
                    self.assertEqual(message.type, Gst.MessageType.EOS, play.errors())
                    self.assert_close(read_pages("out.tif"), [np.full((5, 7), i + 1.0) for i in range(4)], 1e-6)
                    self.assert_close(read_dataset("out.h5", "data"), [np.full((5, 7), i + 1.0) for i in range(4)], 1e-6)
                else:
                    play.pipeline.set_state([Gst.State.PAUSED, Gst.State.PLAYING, Gst.State.READY][cycle % 3])
                    GLib.usleep(int(rng.integers(0, 4000)))
                down = [Gst.State.NULL, Gst.State.READY, Gst.State.PAUSED][int(rng.integers(0, 3))]
                play.pipeline.set_state(down)
                if cycle % 4 == 3:
                    play.pipeline.set_state(Gst.State.NULL)
                    self.assertEqual(memory_in_use(), 0, f"cycle {cycle} (seed {SEED})")
            play.collect()
            self.assertEqual(play.errors(), [])

    def test_join_cycles(self):
        write_numbers(4)
        with Play("tomoread path=numbers ! f.projections tomodummydata width=7 height=5 ! f.darks "
                  "tomodummydata width=7 height=5 init=2 ! f.flats "
                  f"tomoflatfieldcorrect name=f ! queue ! {SINK}") as play:
            frames = play.watch("sink")
            for cycle in range(20):
                frames.values = []
                play.pipeline.set_state(Gst.State.PLAYING)
                if cycle % 2:
                    self.finish(play, frames)
                    self.assert_close(frames.values, np.arange(4) / 2, 1e-6)
                play.pipeline.set_state(Gst.State.NULL)
                self.assertEqual(memory_in_use(), 0)

    def test_pause_and_resume(self):
        write_numbers(40)
        with Play("tomoread path=numbers ! queue ! tomocalculate expression=v ! identity sleep-time=5000 ! "
                  "tomowrite filename=out.tif") as play:
            for _ in range(5):
                self.assertTrue(play.state(Gst.State.PLAYING))
                GLib.usleep(20000)
                self.assertTrue(play.state(Gst.State.PAUSED))
                GLib.usleep(10000)
            self.assertIsNone(play.run())
            self.assertEqual([int(page.flat[0]) for page in read_pages("out.tif")], list(range(40)))

    def test_stop_in_the_middle(self):
        """The partial file has whole images; a warning says where."""
        write_numbers(300)
        with h5py.File("out.h5", "w") as file:
            file["data"] = np.arange(3)
            file["other"] = np.arange(4)
        for path, place in (("out.tif", "out.tif.partial"), ("out.h5:/data", "data.partial")):
            with self.subTest(path), Play("tomoread path=numbers ! identity name=i sleep-time=5000 ! "
                                          f"tomowrite filename={path}") as play:
                frames = play.watch("i", "src")
                self.assertTrue(play.state(Gst.State.PLAYING))
                self.wait_for_arrays(frames, 40)
                play.pipeline.set_state(Gst.State.READY)
                play.collect()
                self.assertEqual(play.errors(), [])
                warning = " ".join(play.warnings())
                self.assertIn(place, warning)
                images = read_pages(place) if place.endswith("tif.partial") else read_dataset("out.h5", place)
                self.assertIn(f"{len(images)} whole images", warning)
                self.assertGreater(len(images), 3)
                self.assertEqual([int(image.flat[0]) for image in images], list(range(len(images))))
        np.testing.assert_array_equal(read_dataset("out.h5", "data"), np.arange(3))
        np.testing.assert_array_equal(read_dataset("out.h5", "other"), np.arange(4))
        self.assertFalse(os.path.exists("out.tif"))

    def test_end_from_outside(self):
        """EOS sent into a running pipeline, as gst-launch -e does: the file is complete."""
        write_numbers(1000)
        with Play("tomoread path=numbers ! tomocalculate expression=v ! identity name=i sleep-time=3000 ! "
                  "tomowrite filename=out.tif") as play:
            frames = play.watch("i", "src")
            self.assertTrue(play.state(Gst.State.PLAYING))
            self.wait_for_arrays(frames, 10)
            play.pipeline.send_event(Gst.Event.new_eos())
            self.assertEqual(play.until(Gst.MessageType.EOS).type, Gst.MessageType.EOS)
        pages = read_pages("out.tif")
        self.assertEqual([int(page.flat[0]) for page in pages], list(range(len(pages))))
        self.assertGreater(len(pages), 3)
        self.assertFalse(os.path.exists("out.tif.partial"))

    def assert_cut_off(self, play, number, height):
        """Only complete sets are written, and a warning counts the rest."""
        self.assertEqual(play.errors(), [])
        with h5py.File("out.h5") as file:
            sets, rest = divmod(len(file["data"]), height)
        self.assertEqual(rest, 0)
        self.assertGreater(sets, 0)
        self.assertFalse(os.path.exists("out.h5.partial"))
        left = [w for w in play.warnings() if "set" in w]
        self.assertLessEqual(len(left), 1)
        for warning in left:
            self.assertRegex(warning, r"the last [1-9][0-9]* arrays? makes? no complete one")
        return len(left)

    def test_end_within_a_set(self):
        """A live stream never ends on a multiple, and a user who interrupts can't wait for one; files are incomplete."""
        write_numbers(400, shape=(3, 7))
        for chain, height in (("tomotransposeprojections number=7", 3), ("tomostack number=7", 7)):
            with self.subTest(chain, source="live"), \
                    Play("videotestsrc is-live=true num-buffers=10 ! video/x-raw,format=GRAY8,width=7,height=3,"
                         f"framerate=100/1 ! tomoconvert ! {chain} ! tomowrite filename=out.h5:/data") as play:
                self.assertIsNone(play.run())
                play.stop()
                self.assertEqual(self.assert_cut_off(play, 7, height), 1)
                os.remove("out.h5")
            with self.subTest(chain, source="interrupted"), \
                    Play(f"tomoread path=numbers ! identity sleep-time=10000 ! {chain} ! queue ! "
                         "tomowrite filename=out.h5:/data") as play:
                self.assertTrue(play.state(Gst.State.PLAYING))
                GLib.usleep(30000)
                play.pipeline.send_event(Gst.Event.new_eos())
                self.assertIsNone(play.finish())
                play.stop()
                self.assert_cut_off(play, 7, height)
                os.remove("out.h5")
        with Play("tomoread path=numbers ! tomotransposeprojections number=7 ! tomowrite filename=out.h5:/data") as play:
            self.assertIn("number=7", play.run())

    @staticmethod
    def start_and_wait_for_arrays(play):
        """Where the first result comes at the end of the stream only, so that PLAYING is not reached before."""
        some = threading.Semaphore(0)
        play["i"].get_static_pad("src").add_probe(Gst.PadProbeType.BUFFER,
                                                  lambda *_: some.release() or Gst.PadProbeReturn.OK)
        play.pipeline.set_state(Gst.State.PLAYING)
        for _ in range(3):
            some.acquire(timeout=PATIENCE)

    def test_whole_stream_cut_short(self):
        """Outputs that stand for all arrays are known to stand for a part where a user ended the stream."""
        for chain in ("tomoaverage", "tomotransposeprojections ! tomoaverage", "tomotransposeprojections"):
            # The end must not meet that of the stream: there send_event() waits for a thread that waits for PLAYING.
            for interrupts, number in (True, 4000), (False, 40):
                with self.subTest(chain, interrupts=interrupts), \
                        Play(f"tomodummydata width=7 height=3 number={number} ! identity name=i sleep-time=5000 ! "
                             f"{chain} ! queue ! tomowrite filename=out.h5:/data") as play:
                    self.start_and_wait_for_arrays(play)
                    if interrupts:
                        play.pipeline.send_event(Gst.Event.new_eos())
                    self.assertIsNone(play.finish())
                    play.stop()
                    with h5py.File("out.h5") as file:
                        self.assertEqual(file["data"].attrs["complete"], not interrupts)
                    said = " ".join(play.warnings())
                    self.assertEqual(bool(re.search(rf"ended early: \d+ of {number} arrays came from the source", said)), interrupts,
                                     said)
                    os.remove("out.h5")

    def test_files_that_stand_for_a_part(self):
        """Formats with a place for it say in each file that its images are made of a part of the stream."""
        slices, mean, whole = "tomotransposeprojections", "tomoaverage", 0
        for chain, name, settings in ((slices, "s%i.tif", ""), (slices, "s%i.edf", ""), (slices, "s%i.tif", "bits=16"),
                                      (slices, "s%i.png", "bits=8 rescale=false"), (slices, "s%i.jpg", "bits=8"),
                                      (slices, "s%i.h5:/data", ""), (slices, "s%i.tif", "bytes-per-file=4000000"), (mean, "mean.png", ""),
                                      (mean, "mean.jpg", ""), (mean, "mean.edf", ""), (mean, "mean.tif", ""), (mean, "mean%i.npy", "")):
            for interrupts, number in (True, 4000), (False, 40):
                with self.subTest(name, settings=settings, interrupts=interrupts), \
                        Play(f"tomodummydata width=7 height=3 number={number} ! identity name=i sleep-time=5000 ! "
                             f"{chain} ! queue ! tomowrite filename={name} {settings}") as play:
                    self.start_and_wait_for_arrays(play)
                    if interrupts:
                        play.pipeline.send_event(Gst.Event.new_eos())
                    self.assertIsNone(play.finish())
                    play.stop()
                    files = os.listdir()
                    self.assertEqual(len(files), 1 if chain == mean or "bytes" in settings else 3, files)
                    for file in files:
                        said = completeness_of(file)
                        if interrupts and ".npy" not in name:
                            self.assertEqual(said, "false", file)
                        else:  # a file of a series holds no whole stream, and who writes a picture can't know
                            self.assertEqual(said, "true" if name in ("mean.edf", "mean.tif") else None, file)
                            whole += 1
                        os.remove(file)
        self.assertEqual(whole, 3 * 6 + 1 + 4 + 2)

    def test_angles_of_a_scan_cut_short(self):
        """Views that are left of a scan keep its step."""
        with Play("tomodummydata width=8 height=2 number=4000 ! identity name=i sleep-time=5000 ! tomotransposeprojections ! "
                  "tomobackproject axis-pos=4 name=b ! tomonull") as play:
            self.start_and_wait_for_arrays(play)
            play.pipeline.send_event(Gst.Event.new_eos())
            self.assertIsNone(play.finish())
            said = [m.get_structure() for m in play.messages if m.get_structure()]
            step = [s for s in said if s.has_field("angle-step")][-1].get_double("angle-step")[1]
            self.assertRegex(" ".join(play.warnings()), r"ended early: \d+ of 4000 arrays came")
            self.assertAlmostEqual(step, math.pi / 4000)

    def test_end_of_a_side_input(self):
        """Its last array before that is no stand-in for those that did not come; its own last one is."""
        write_numbers(400)
        write_numbers(1, folder="flats")
        tifffile.imwrite("flats/000.tif", np.full((5, 7), 1000, np.float32))
        for cut in (True, False):
            with self.subTest(cut=cut), Play(
                    f"tomoread path=numbers ! f.projections tomoread name=darks path=numbers {'' if cut else 'number=3'} ! "
                    "identity name=i sleep-time=10000 ! f.darks tomoread path=flats ! f.flats "
                    "tomoflatfieldcorrect name=f several=pairs ! tomowrite filename=out.h5:/data") as play:
                frames = play.watch("i", "src")
                self.assertTrue(play.state(Gst.State.PLAYING))
                if cut:
                    self.wait_for_arrays(frames, 5)
                    play["darks"].send_event(Gst.Event.new_eos())
                self.assertIsNone(play.finish())
                self.assertEqual(play.errors(), [])
                self.assertEqual(["is made of a part" in warning for warning in play.warnings()], [True] if cut else [])
                play.stop()
                result = read_dataset("out.h5", "data")[:, 0, 0]
                dark = np.minimum(np.arange(len(result)), 399 if cut else 2)
                np.testing.assert_allclose(result, (np.arange(len(result)) - dark) / (1000 - dark), atol=1e-6)
                self.assertIn(len(result), range(1, 400) if cut else (400,))
                os.remove("out.h5")

    def test_an_end_and_a_seek_at_once(self):
        """Whichever comes first, the stream ends: with all arrays, or with those that came before the end."""
        write_numbers(60)
        for _ in range(20):
            with Play("tomoread path=numbers ! identity name=i sleep-time=1000 ! tomonull name=sink") as play:
                frames = play.watch("sink")
                self.start_and_wait_for_arrays(play)
                play.pipeline.get_state(10 * Gst.SECOND)
                thread = threading.Thread(target=play.pipeline.send_event, args=(Gst.Event.new_eos(),))
                thread.start()
                play.pipeline.seek_simple(Gst.Format.DEFAULT, Gst.SeekFlags.FLUSH, 0)
                thread.join(PATIENCE)
                self.assertFalse(thread.is_alive(), "the sender of the end is held")
                self.assertIsNone(play.finish())
                # From the first one on, since the seek.
                came = list(frames.values)
                self.assertEqual(came, list(range(len(came))))
                self.assertLessEqual(len(came), 60)

    def end_from_a_thread(self, play):
        """The end to the source, which must not wait for anything."""
        thread = threading.Thread(target=play["r"].send_event, args=(Gst.Event.new_eos(),), daemon=True)
        thread.start()
        thread.join(PATIENCE)
        self.assertFalse(thread.is_alive(), "the source holds the sender of the end")
        play.seqnum = None  # it is the end of no seek

    def test_end_behind_a_segment(self):
        """An application that repeats a segment ends instead."""
        write_numbers()
        for name, chain in CHAINS.items():
            with self.subTest(name), Play(f"tomoread name=r path=numbers ! {chain}") as play:
                frames = play.watch("sink")
                self.begin_segment(play, 2, 6)
                self.assertEqual(self.finish(play, frames, Gst.MessageType.SEGMENT_DONE), [2, 3, 4, 5])
                self.end_from_a_thread(play)
                self.assertEqual(self.finish(play, frames), [2, 3, 4, 5])

    def test_end_within_a_segment(self):
        """The stream ends, not its segment."""
        write_numbers(300)
        for name, chain in CHAINS.items():
            with self.subTest(name), Play("tomoread name=r path=numbers ! identity name=i sleep-time=5000 ! "
                                          f"{chain}") as play:
                frames = play.watch("i")
                self.begin_segment(play, 2, 280)
                self.wait_for_arrays(frames, 5)
                self.end_from_a_thread(play)
                got = self.finish(play, frames)
                self.assertIn(len(got), range(5, 278))
                self.assertEqual(got, list(range(2, 2 + len(got))))
                self.assertFalse([m for m in play.messages if m.type == Gst.MessageType.SEGMENT_DONE])

    def test_end_behind_a_flush_downstream(self):
        """A flush that does not come from the source stops its thread; the end starts it again."""
        write_numbers(300)
        for name, chain in CHAINS.items():
            with self.subTest(name), Play("tomoread name=r path=numbers ! identity name=i sleep-time=5000 ! "
                                          f"{chain}") as play:
                frames, pad = play.watch("i"), play["i"].get_static_pad("sink")
                self.assertTrue(play.state(Gst.State.PLAYING))
                self.wait_for_arrays(frames, 5)
                pad.send_event(Gst.Event.new_flush_start())
                source = play["r"].get_static_pad("src")
                wait_until(lambda: source.get_task_state() != Gst.TaskState.STARTED, "the end of the source's thread")
                pad.send_event(Gst.Event.new_flush_stop(True))
                self.end_from_a_thread(play)
                self.assertEqual(self.finish(play, frames), [])

    @staticmethod
    def joins():
        """The name of each join, the names of its inputs, of numbered ones two, and their format."""
        features = Gst.Registry.get().get_feature_list_by_plugin("tomo")
        for factory in sorted((f for f in features if isinstance(f, Gst.ElementFactory)), key=lambda f: f.get_name()):
            pads = [t for t in factory.create(None).get_pad_template_list() if t.direction == Gst.PadDirection.SINK]
            if any(pad.presence == Gst.PadPresence.REQUEST for pad in pads):
                names = [pad.name_template for pad in pads]
                takes_images = "float32" in pads[0].get_caps().to_string()
                names = ["sink_0", "sink_1"] if names == ["sink_%u"] else [name.replace("%s", "initial") for name in names]
                yield (factory.get_name(), names,
                       np.float32 if takes_images else np.complex64)

    def test_end_before_the_first_frame(self):
        """Of all inputs of a join, or of one of them: the join ends as well, and nothing failed."""
        joins = list(self.joins())
        self.assertGreater(len(joins), 9)
        for name, inputs, dtype in joins:
            spectra = "! tomofft" if dtype == np.complex64 else ""
            # Principal components are those of many flats.
            stacks = {"flats": "! tomostack number=3"} if name == "tomodynamicflatfieldcorrect" else {}
            if name == "tomogeneraliterate":
                name += " region=<0.0,3.0,1.0> overall-angle=3.0"
            elif name == "tomodistribute":
                name += " description=tomosirt"
            line = " ".join(f"tomodummydata name=s{i} width=8 height=8 number=3 {spectra} {stacks.get(pad, '')} ! j.{pad}"
                            for i, pad in enumerate(inputs))
            for ended in [range(len(inputs)), *([i] for i in range(len(inputs)))]:
                with self.subTest(name, ended=[inputs[i] for i in ended]), \
                        Play(f"{line} {name} name=j ! fakesink async=false") as play:
                    probes = []
                    for i in ended:
                        pad, blocked = play[f"s{i}"].get_static_pad("src"), threading.Event()
                        probes.append((pad, blocked, pad.add_probe(
                            Gst.PadProbeType.BLOCK | Gst.PadProbeType.EVENT_DOWNSTREAM,
                            lambda *_, blocked=blocked: blocked.set() or Gst.PadProbeReturn.OK)))
                    play.pipeline.set_state(Gst.State.PLAYING)
                    for i, (pad, blocked, probe) in zip(ended, probes):
                        self.assertTrue(blocked.wait(PATIENCE))
                        play[f"s{i}"].send_event(Gst.Event.new_eos())
                        pad.remove_probe(probe)
                    self.assertIsNone(play.finish())

    def test_empty_input_of_a_join(self):
        """A stream that ends empty by itself is a fault, but for optional inputs: these count as not linked."""
        for name, inputs, dtype in self.joins():
            optional = Gst.ElementFactory.find(name).get_metadata("tomo-optional-inputs") or ""
            if name == "tomodistribute" or set(inputs[1:]) <= set(optional.split()):  # those of its element are
                continue
            line = " ".join(f"appsrc name=s{i} format=time ! j.{pad}" for i, pad in enumerate(inputs))
            with self.subTest(name), Play(f"{line} {name} name=j ! fakesink async=false") as play:
                play.pipeline.set_state(Gst.State.PLAYING)
                for i in range(len(inputs)):
                    play[f"s{i}"].set_property("caps", caps(dtype, (8, 8)))
                    if i == 0:
                        play[f"s{i}"].push_buffer(to_buffer(np.zeros((8, 8), dtype), 0))
                    play[f"s{i}"].end_of_stream()
                self.assertRegex(play.finish() or "", f"j: input ({'|'.join(inputs[1:])}) ended without any image")

    def test_graph_ended_within_a_set(self):
        """The same where a graph is told to finish, as by a tool's first Ctrl-C."""
        write_numbers(400, shape=(3, 7))
        graph = GstTomo.Graph.new_from_line("tomoread path=numbers ! tomosleep time=0.02 ! "
                                            "tomotransposeprojections number=7 ! tomowrite filename=out.h5:/data")
        graph.start()
        wait_until(lambda: graph.poll(10) and os.path.exists("out.h5.partial"), "out.h5.partial")
        graph.finish()
        graph.wait()
        with h5py.File("out.h5") as file:
            self.assertEqual(len(file["data"]) % 3, 0)


class Interrupted(EventTestCase):
    """A flush in the middle of an adaptation makes nothing forgotten."""

    def wait_until_taken(self, source, came, number):
        """Until so many arrays have come, and the thread that pushed the last one has returned."""
        self.wait_for_arrays(came, number)
        idle = threading.Event()
        source.add_probe(Gst.PadProbeType.IDLE, lambda *_: idle.set() or Gst.PadProbeReturn.REMOVE)
        self.assertTrue(idle.wait(PATIENCE))

    def test_property(self):
        with Play("appsrc name=s format=time max-bytes=0 ! tomobackproject name=b batch=4 ! "
                  "appsink name=o sync=false async=false") as play:
            play["s"].set_property("caps", caps(np.float32, (8, 16)))
            came = play.watch("b")
            play.pipeline.set_state(Gst.State.PLAYING)
            image = np.zeros((8, 16), np.float32)
            for i in range(6):  # of which two are held
                play["s"].push_buffer(to_buffer(image, i))
            for _ in range(4):
                play["o"].emit("try-pull-sample", PATIENCE * Gst.SECOND)
            source, blocked = play["b"].get_static_pad("src"), threading.Event()
            self.wait_until_taken(play["s"].get_static_pad("src"), came, 6)

            def block(*_):
                blocked.set()
                return Gst.PadProbeReturn.OK

            probe = source.add_probe(Gst.PadProbeType.BLOCK | Gst.PadProbeType.BUFFER, block)
            play["b"].set_property("roi-width", 5)
            play["s"].push_buffer(to_buffer(image, 6))
            self.assertTrue(blocked.wait(PATIENCE))
            play["s"].send_event(Gst.Event.new_flush_start())
            source.remove_probe(probe)
            play["s"].send_event(Gst.Event.new_flush_stop(True))
            for i in range(8):
                play["s"].push_buffer(to_buffer(image, 10 + i))
            play["s"].end_of_stream()
            widths = []
            while sample := play["o"].emit("try-pull-sample", PATIENCE * Gst.SECOND):
                widths.append(to_array(sample).shape[1])
            self.assertEqual(widths, [5] * 8)

    def test_caps(self):
        """New caps, a flush at any time, and a change of state during the flush."""
        one, other = np.zeros((64, 64), np.float32), np.zeros((32, 64), np.float32)
        with Play("appsrc name=s format=time max-bytes=0 ! tomorotate name=r ! "
                  "appsink name=o sync=false async=false") as play:
            play.pipeline.set_state(Gst.State.PLAYING)

            def push(array, number):
                play["s"].push_sample(Gst.Sample.new(to_buffer(array, number), caps(np.float32, array.shape), None, None))

            push(one, 0)
            play["o"].emit("try-pull-sample", PATIENCE * Gst.SECOND)
            push(other, 1)
            play["s"].send_event(Gst.Event.new_flush_start())
            play["r"].set_state(Gst.State.PAUSED)
            play["r"].set_state(Gst.State.PLAYING)
            play["s"].send_event(Gst.Event.new_flush_stop(True))
            push(other, 2)
            play["s"].end_of_stream()
            shapes = []
            while sample := play["o"].emit("try-pull-sample", PATIENCE * Gst.SECOND):
                shapes.append(to_array(sample).shape)
            self.assertEqual(shapes, [other.shape])

    def test_other_memory_is_asked_for(self):
        """The peer may like other caps better while the stream runs: of a source, a filter and a join."""
        images = "tomodummydata width=3 height=2 number=30"
        plain = "application/x-tomo-array"
        for line in (
            images,
            f"{images} ! tomoclip",
            f"tomosubtract name=s  {images} ! s.sink_0  {images} ! s.sink_1  s.",
        ):
            with self.subTest(line), Play(
                f"{line} ! capsfilter name=filter caps-change-mode=delayed caps={plain}(memory:TomoCL) ! "
                "appsink name=o max-buffers=1 sync=false"
            ) as play:
                play.pipeline.set_state(Gst.State.PLAYING)
                places = []
                while sample := play["o"].emit("try-pull-sample", PATIENCE * Gst.SECOND):
                    places.append(sample.get_caps().get_features(0).contains("memory:TomoCL"))
                    if len(places) == 1:
                        play["filter"].set_property("caps", Gst.Caps.from_string(plain))
                self.assertEqual(play.errors(), [])
                self.assertEqual(len(places), 30)
                self.assertEqual((places[0], places[-1]), (True, False))


class Failures(EventTestCase):
    def test_a_writer_does_not_wait_for_the_next_image(self):
        """To say that it could not write the last one, which may be long ago."""
        for name in "images/%i.tif", "all.tif":
            with self.subTest(name), Play(f"appsrc name=in format=time ! tomowrite filename={name}") as play:
                os.makedirs("images/1.tif", exist_ok=True)  # where no file can be
                play["in"].set_property("caps", caps(np.float32, (3, 4)))
                self.assertNotEqual(play.pipeline.set_state(Gst.State.PLAYING), Gst.StateChangeReturn.FAILURE)
                play["in"].push_buffer(to_buffer(np.zeros((3, 4), np.float32)))
                short = name == "all.tif"
                play["in"].push_buffer(to_buffer(np.zeros((2 if short else 3, 4), np.float32)))
                play.until(Gst.MessageType.ERROR)
                self.assertIn("a buffer of 32 bytes" if short else "'images/1.tif': it is a folder", play.errors()[0])


class Shapes(EventTestCase):
    SIZES = [(5, 7)] * 3 + [(4, 9)] * 2 + [(11, 3)] + [(5, 7)] * 2

    def setUp(self):
        super().setUp()
        os.mkdir("mixed")
        self.images = [random_array(np.float32, shape) for shape in self.SIZES]
        for i, image in enumerate(self.images):
            tifffile.imwrite(f"mixed/{i:02}.tif", image)

    def test_new_caps_pass(self):
        """A new size is a caps change, through filters and threads."""
        for chain in ("tomocalculate expression=2*v", "queue ! tomocalculate expression=2*v ! queue ! tomofft ! tomoifft"):
            results = run(f"tomoread path=mixed ! {chain} ! SINK")
            for result, image in zip(results, self.images, strict=True):
                self.assert_close(result, 2.0 * image, 1e-6)

    def test_new_formats_pass(self):
        kinds = [np.uint8, np.uint16, np.float32, np.uint8]
        images = [random_array(kind, (6, 5)) for kind in kinds]
        results = run("tomocalculate expression=v+1", images)
        for result, image in zip(results, images, strict=True):
            self.assert_close(result, image + 1.0, 1e-6)

    def test_written_to_pages(self):
        """TIFF holds pages of any size."""
        self.assert_launches("tomoread path=mixed ! tomowrite filename=out.tif")
        for page, image in zip(read_pages("out.tif"), self.images, strict=True):
            np.testing.assert_array_equal(page, image)

    def test_refused_by_a_dataset(self):
        """A dataset has images of one size; what was complete stays readable."""
        with Play("tomoread path=mixed ! tomowrite name=w filename=out.h5:/data") as play:
            error = play.run()
            self.assertIn("w: ", error)
            self.assertIn("9 x 4", error)
            self.assertIn("7 x 5", error)
        images = read_dataset("out.h5.partial" if os.path.exists("out.h5.partial") else "out.h5", self.only_dataset())
        self.assert_close(images, self.images[:3], 0)

    def only_dataset(self):
        path = "out.h5.partial" if os.path.exists("out.h5.partial") else "out.h5"
        with h5py.File(path, "r") as file:
            names = list(file)
        self.assertEqual(len(names), 1)
        return names[0]

    def test_reducers_give_out_before_a_change(self):
        results = run("tomoread path=mixed ! tomoaverage ! SINK")
        groups = [self.images[:3], self.images[3:5], self.images[5:6], self.images[6:]]
        for result, group in zip(results, groups, strict=True):
            self.assert_close(result, np.mean(np.float64(group), axis=0), 1e-6)

    def test_side_input_of_a_join(self):
        """A side input of another size than the main one is an error of the join, naming both."""
        self.assert_fails(["f: ", "darks", "9 x 4", "7 x 5"],
                          "SRC0 ! f.projections SRC1 ! f.darks SRC2 ! f.flats tomoflatfieldcorrect name=f ! SINK",
                          self.images[:3], self.images[3:4], self.images[:1])


class Queries(EventTestCase):
    def position(self, play, form):
        found, value = play.pipeline.query_position(form)
        return value if found else None

    def duration(self, play, form):
        found, value = play.pipeline.query_duration(form)
        return value if found and value >= 0 else None

    def test_counts(self):
        """Durations and positions in frames and time are those of the sink's stream."""
        tifffile.imwrite("multi.tif", np.zeros((12, 5, 7), np.float32))
        source = "tomoread path=multi.tif ! application/x-tomo-array(ANY),framerate={}"
        for chain, frames in (("tomocalculate expression=v ! queue", 12), ("tomostack number=4", 3),
                              ("tomostack number=4 ! tomoslice", 12)):
            with self.subTest(chain), Play(f"{source.format('6/1')} ! {chain} ! {SINK}") as play:
                self.assertTrue(play.state(Gst.State.PAUSED))
                self.assertEqual(self.duration(play, FRAMES), frames)
                self.assertEqual(self.duration(play, Gst.Format.TIME), 2 * Gst.SECOND)
                self.assertIsNone(play.run())
                self.assertAlmostEqual(self.position(play, Gst.Format.TIME), 2 * Gst.SECOND, delta=1)
        with Play(f"{source.format('0/1')} ! {SINK}") as play:
            self.assertTrue(play.state(Gst.State.PAUSED))
            self.assertEqual(self.duration(play, FRAMES), 12)
            self.assertIsNone(self.duration(play, Gst.Format.TIME))
            self.assertIsNone(play.run())
            self.assertEqual(self.position(play, FRAMES), 12)
            self.assertIsNone(self.position(play, Gst.Format.TIME))

    def test_segments_in_bytes(self):
        """appsrc's default, and filesrc's: there is no time, and nobody minds (criticals end this test)."""
        for chain in ("tomocalculate", "queue ! s. t. ! queue ! s. tomosubtract name=s"):
            with self.subTest(chain), Play(f"appsrc name=in ! tee name=t t. ! {chain} ! {SINK} durations=true") as play:
                play["in"].set_property("caps", caps(np.float32, (3, 4)))
                frames = play.watch("sink")
                for i in range(2):
                    buffer = to_buffer(np.full((3, 4), i, np.float32))
                    buffer.pts = i * Gst.SECOND
                    play["in"].push_buffer(buffer)
                play["in"].end_of_stream()
                self.assertIsNone(play.run())
                self.assertEqual(len(frames.values), 2)

    def test_while_files_go_away(self):
        """Questions from another thread while the pipeline starts and stops."""
        tifffile.imwrite("multi.tif", np.zeros((200, 5, 7), np.float32))
        with Play(f"tomoread path=multi.tif ! queue ! tomocalculate expression=v ! {SINK}") as play:
            running = True

            def ask():
                while running:
                    self.duration(play, FRAMES)
                    self.position(play, FRAMES)

            asker = threading.Thread(target=ask)
            asker.start()
            try:
                for _ in range(30):
                    play.pipeline.set_state(Gst.State.PLAYING)
                    GLib.usleep(int(rng.integers(0, 20000)))
                    play.pipeline.set_state(Gst.State.NULL)
            finally:
                running = False
                asker.join()
            play.collect()
            self.assertEqual(play.errors(), [])

    def test_seeking(self):
        tifffile.imwrite("multi.tif", np.zeros((12, 5, 7), np.float32))
        for rate, form, seekable, end in (("6/1", FRAMES, True, 12), ("6/1", Gst.Format.TIME, True, 2 * Gst.SECOND),
                                          ("0/1", FRAMES, True, 12), ("0/1", Gst.Format.TIME, False, -1)):
            with Play(f"tomoread path=multi.tif ! application/x-tomo-array(ANY),framerate={rate} ! "
                      f"tomocalculate expression=v ! {SINK}") as play:
                self.assertTrue(play.state(Gst.State.PAUSED))
                query = Gst.Query.new_seeking(form)
                self.assertTrue(play.pipeline.query(query))
                _, answer, start, stop = query.parse_seeking()
                self.assertEqual((answer, start, stop), (seekable, 0, end))


class Leaks(PipelineTestCase):
    def test_complete_and_stopped(self):
        write_numbers(6)
        self.assert_no_leaks("tomoread path=numbers ! tomocalculate expression=v+1 ! queue ! tomofft ! tomofilter ! tomoifft ! "
                             "tee name=t t. ! queue ! tomowrite filename=out.tif t. ! queue ! tomobackproject ! tomonull")
        self.assert_no_leaks("tomoread path=numbers ! f.projections tomoread path=numbers ! tomoaverage ! f.darks "
                             "tomoread path=numbers ! tomoaverage ! f.flats tomoflatfieldcorrect name=f ! "
                             "tomotransposeprojections ! tomowrite filename=out.h5:/data")
        self.assert_no_leaks("videotestsrc num-buffers=5 ! video/x-raw,format=GRAY16_LE,width=32,height=8 ! tomoconvert ! "
                             "tomocalculate expression=v*2 ! tomoconvert ! video/x-raw,format=GRAY8 ! fakesink")

    def test_failed(self):
        write_numbers(6)
        with open("numbers/003.tif", "r+b") as file:
            file.truncate(100)
        self.assert_no_leaks("tomoread path=numbers ! tomocalculate expression=v+1 ! queue ! tomofft ! "
                             "tomowrite filename=out.tif", rc=1)
        self.assert_no_leaks("tomoread path=numbers ! tomocalculate expression=v+ ! tomowrite filename=out.tif", rc=1)


if __name__ == "__main__":
    main()
