# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomocamera with the cameras that Aravis fakes: one in the process, and one behind GigE Vision on 127.0.0.1."""

import os
import pathlib
import shutil
import socket
import subprocess
import time
import unittest

from tomotest import *
from elementtest import ElementTestCase, Stream, frame_meta

FAKE_CAMERA = "arv-fake-gv-camera-0.8"
NOBODY = 65534  # as root, Debian's kernel gives it no frames on the loopback interface


class FakeCamera:
    """A camera at 127.0.0.1, one at a time on this machine, since the port is that of the standard."""

    def __init__(self, *arguments):
        self.arguments, self.process = arguments, None

    def __enter__(self):
        self.lock = socket.socket(socket.AF_UNIX)
        deadline = time.monotonic() + 120
        while True:
            try:
                self.lock.bind("\0gst-tomo-fake-camera")
                break
            except OSError:
                assert time.monotonic() < deadline, "another test has the camera"
                time.sleep(0.1)
        self.switch_on()
        return self

    def __exit__(self, *_):
        self.switch_off()
        self.lock.close()

    def switch_on(self):
        self.process = subprocess.Popen([FAKE_CAMERA, "-i", "127.0.0.1", "-s", "GVT01", *self.arguments], stderr=subprocess.DEVNULL,
                                        user=NOBODY if os.getuid() == 0 else None)
        deadline = time.monotonic() + 20
        while ":0F74 " not in pathlib.Path("/proc/net/udp").read_text():
            assert time.monotonic() < deadline, "the camera does not begin"
            time.sleep(0.02)

    def switch_off(self):
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None


def needs_network(test):
    return unittest.skipUnless(shutil.which(FAKE_CAMERA), "aravis-tools is not installed")(test)


def line(properties="", name="Fake_1", end=""):
    return f"tomocamera name=camera camera-name={name} {properties} {end}"


def facts(sample):
    """Number, time of exposure, time of arrival and time of the camera, and its name."""
    buffer = sample.get_buffer()
    meta = frame_meta(buffer)
    host, camera = (buffer.get_reference_timestamp_meta(Gst.Caps.from_string(f"timestamp/x-{clock}")).timestamp for clock in ("unix", "tomo-device"))
    return meta.index, meta.time, host, camera, meta.source


class Camera(ElementTestCase):
    def test_properties(self):
        self.check_properties("tomocamera", {
            "camera-name": None, "number": (0, 0, 2**64 - 1), "exposure": (0.0, 0.0, 1e6), "frame-rate": (0.0, 0.0, 1e6), "x": (0, 0, 2**31 - 1),
            "y": (0, 0, 2**31 - 1), "width": (0, 0, 2**31 - 1), "height": (0, 0, 2**31 - 1), "pixel-format": None, "trigger": "none",
            "properties": None, "buffers": (16, 2, 4096), "reconnect": (0.0, 0.0, 1e6), "timeout": (0.0, 0.0, 1e6),
            **{name: 0.0 for name in ("received", "lost", "repeated", "damaged")}})

    def test_frames(self):
        for name, dtype in (("Mono8", np.uint8), ("Mono16", np.uint16)):
            with self.subTest(format=name):
                samples = run(line(f"number=4 frame-rate=100 pixel-format={name}"), samples=True)
                images = [to_array(s) for s in samples]
                self.assertEqual([(i.shape, i.dtype) for i in images], [((512, 512), dtype)] * 4)
                # The camera draws a ramp along the diagonal that moves with each frame.
                self.assertGreater(len(np.unique(images[0])), 100)
                for image, following in zip(images, images[1:]):
                    np.testing.assert_array_equal(image[1:, :-1], image[:-1, 1:])
                    np.testing.assert_array_equal(image[:, 1:], following[:, :-1])

    def test_numbers_and_times(self):
        before = time.time_ns()
        numbers, exposed, arrived, of_camera, names = zip(*map(facts, run(line("number=10 frame-rate=50"), samples=True)))
        self.assertEqual(numbers, tuple(range(10)))
        self.assertEqual(set(names), {"Fake_1"})
        self.assertEqual(exposed[0], arrived[0])
        for times in (exposed, arrived, of_camera):
            self.assertTrue(before <= times[0] and times[-1] <= time.time_ns(), (before, times))
            self.assertTrue(all(a < b for a, b in zip(times, times[1:])), times)
        np.testing.assert_array_equal(np.diff(exposed), np.diff(of_camera))
        self.assertAlmostEqual((exposed[-1] - exposed[0]) / 9e9, 0.02, delta=0.01)

    def test_numbers_go_on(self):
        """Its ids begin at 65400, and again at 0 behind 65535."""
        with Stream(line("number=160 frame-rate=300 width=64 height=32"), inputs=0) as stream:
            numbers = [facts(stream.pull_sample())[0] for _ in range(160)]
            lost, repeated = (stream["camera"].get_property(n) for n in ("lost", "repeated"))
        self.assertEqual((numbers[0], numbers[-1] + 1, repeated), (0, 160 + lost, 0))
        self.assertEqual(numbers, sorted(set(numbers)))
        self.assertLess(lost, 100)

    def test_times_of_buffers(self):
        samples = run(line("number=5 frame-rate=50 do-timestamp=true"), samples=True)
        self.assertTrue(all(s.get_buffer().pts != Gst.CLOCK_TIME_NONE for s in samples))

    def test_region(self):
        (image,) = run(line("number=1 x=16 y=32 width=256 height=64"))
        self.assertEqual(image.shape, (64, 256))

    def test_settings(self):
        with Stream(line("frame-rate=20 exposure=0.004 properties=GainRaw=3"), inputs=0) as stream:
            stream.pull()
            effective = stream.element_messages("tomo-effective")
        self.assertEqual([(e.get_value("camera"), e.get_value("frame-rate"), e.get_value("exposure")) for e in effective], [("Fake_1", 20.0, 0.004)])

    def test_bad_settings(self):
        for words, properties in ((["frame-rate=100000", "it takes"], "frame-rate=1e5"), (["exposure=900", "it takes"], "exposure=900"),
                                  (["2048 x 2048"], "x=2000 width=256"), (["pixel-format=Mono12", "Mono8", "Mono16"], "pixel-format=Mono12"),
                                  (["pixel-format=grey is none of Mono8"], "pixel-format=grey"),
                                  (["trigger=Line7", "Line0", "Software"], "trigger=Line7"),
                                  (["properties=\"Nonsense=3\""], "properties=Nonsense=3")):
            with self.subTest(properties=properties):
                self.assert_fails(["'Fake_1' does not take" if "none of" not in words[0] else words[0], *words], line(properties))

    def test_no_camera(self):
        self.assert_fails(["'Nobody' can't be opened", "Cameras in reach", "camera-name"], line(name="Nobody"))

    def test_no_trigger_wanted(self):
        with Stream(line(), inputs=0) as stream:
            stream.pull()
            self.assertFalse(stream["camera"].emit("trigger"))
            stream.pull()
            self.assertIn("set trigger=software", str(stream.warnings()))

    def test_stops_and_begins_again(self):
        with Stream(line("trigger=software"), inputs=0) as stream:
            stream.pipeline.get_state(TIMEOUT * Gst.SECOND)
            begin = time.monotonic()
            stream.pipeline.set_state(Gst.State.NULL)
            self.assertLess(time.monotonic() - begin, 2)
            stream["camera"].set_property("trigger", "none")
            for _ in range(2):
                stream.play()
                self.assertEqual(facts(stream.pull_sample())[0], 0)
                stream.pipeline.set_state(Gst.State.READY)


@needs_network
class NetworkCamera(ElementTestCase):
    def test_numbers_go_on(self):
        """The camera counts from 65400, and begins again with 1 behind 65535."""
        with FakeCamera(), Stream(line("number=160 frame-rate=300 width=64 height=32", "127.0.0.1"), inputs=0) as stream:
            numbers, exposed, *_ = zip(*(facts(stream.pull_sample()) for _ in range(160)))
            lost, repeated = (stream["camera"].get_property(n) for n in ("lost", "repeated"))
        self.assertEqual((numbers[0], numbers[-1] + 1, repeated), (0, 160 + lost, 0))
        self.assertLess(lost, 100)  # a busy machine may lose some, a wrong count tells of 65000
        self.assertTrue(all(a < b for a, b in zip(numbers, numbers[1:])), numbers)
        self.assertTrue(all(a < b for a, b in zip(exposed, exposed[1:])))

    def test_software_trigger(self):
        with FakeCamera(), Stream(line("trigger=software width=64 height=32", "127.0.0.1"), inputs=0) as stream:
            deadline = time.monotonic() + TIMEOUT
            while not stream["camera"].emit("trigger"):  # before the stream plays
                self.assertLess(time.monotonic(), deadline)
                time.sleep(0.05)
            self.assertEqual(facts(stream.pull_sample())[0], 0)
            self.assertIsNone(stream["sink"].try_pull_sample(Gst.SECOND // 2))
            for n in (1, 2, 3):
                self.assertTrue(stream["camera"].emit("trigger"))
                self.assertEqual(facts(stream.pull_sample())[0], n)
            self.assertEqual(stream["camera"].get_property("lost"), 0)

    def test_patience(self):
        with FakeCamera():
            self.assert_fails(["gave no whole frame for", "(0 before, 0 damaged)", "did triggers come?"],
                              line("trigger=Line0 timeout=0.3 width=64 height=32", "127.0.0.1"))

    def test_lost_packets(self):
        with FakeCamera("-r", "100"), Stream(line("number=60 frame-rate=200 width=128 height=64", "127.0.0.1"), inputs=0) as stream:
            numbers = [facts(stream.pull_sample())[0] for _ in range(60)]
            stream.finish()
            camera = stream["camera"]
            received, lost, damaged = (camera.get_property(n) for n in ("received", "lost", "damaged"))
            gaps = [(s.get_value("first"), s.get_value("count")) for s in stream.element_messages("tomo-lost-frames")]
            warnings = stream.warnings()
        self.assertEqual(received, 60)
        self.assertGreater(lost, 0)
        self.assertEqual(numbers[-1] + 1, received + lost)
        self.assertGreater(damaged, 0)  # a frame may come in parts, each of them damaged
        missing = [n for first, count in gaps for n in range(first, first + count)]
        self.assertEqual(sorted(missing + numbers), list(range(numbers[-1] + 1)))
        self.assertTrue(any("lost" in w or "damaged" in w for w in warnings), warnings)
        self.assertLess(len(warnings), 5)

    def test_vanishes(self):
        with FakeCamera() as camera, Stream(line("frame-rate=100 width=64 height=32", "127.0.0.1"), inputs=0) as stream:
            stream.pull()
            camera.switch_off()
            begin = time.monotonic()
            with self.assertRaises(PipelineError) as caught:
                while time.monotonic() < begin + TIMEOUT:
                    stream.pull()
            print(f"told after {time.monotonic() - begin:.1f} s", flush=True)
        self.assertIn("'127.0.0.1' does not answer any more, after", str(caught.exception))

    def test_comes_back(self):
        with FakeCamera() as camera, Stream(line("frame-rate=20 width=64 height=32 timeout=0.4 reconnect=30", "127.0.0.1"), inputs=0) as stream:
            seen = [facts(stream.pull_sample()) for _ in range(5)]
            camera.switch_off()
            time.sleep(1)
            camera.switch_on()
            while seen[-1][2] - seen[4][2] < 2e9:
                seen.append(facts(stream.pull_sample()))
            lost = stream["camera"].get_property("lost")
            warnings = stream.warnings()
        numbers = np.array([s[0] for s in seen])
        arrived = np.array([s[2] for s in seen])
        self.assertEqual(lost, numbers[-1] + 1 - len(numbers))
        # Numbers follow the time that passed, to two frames.
        self.assertLess(np.abs((arrived - arrived[0]) / 1e9 * 20 - numbers).max(), 2)
        self.assertTrue(any("is back after" in w for w in warnings), warnings)

    def test_does_not_come_back(self):
        with FakeCamera() as camera, Stream(line("width=64 height=32 timeout=0.3 reconnect=0.5", "127.0.0.1"), inputs=0) as stream:
            stream.pull()
            camera.switch_off()
            with self.assertRaises(PipelineError) as caught:
                while True:
                    stream.pull()
        self.assertIn("did not come back within 0.5 s", str(caught.exception))


if __name__ == "__main__":
    main()
