# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomo-live: the demo, commands of people and of programs, keeping, ends and wrong use."""

import signal
import threading
import unittest.mock

import h5py
import tifffile
from pipetest import *

CAMERA = "tomophantomcamera name=camera width=48 height=32 half-turn=40 frame-rate=200"


class Program:
    """tomo-live, its lines on both outputs, and what is typed."""

    def __init__(self, *words):
        self.process = subprocess.Popen(["tomo-live", *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.lines, self.told = [], []
        self.read = [threading.Thread(target=self._read, args=pair) for pair in ((self.process.stdout, self.lines), (self.process.stderr, self.told))]
        for thread in self.read:
            thread.start()

    def _read(self, file, to):
        for line in file:
            to.append(line.rstrip())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.end()

    def type(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def events(self, kind=None):
        return [event for event in map(json.loads, list(self.lines)) if kind in (None, event["event"])]

    def until(self, condition, what):
        def holds():
            return condition() or self.process.poll() is not None
        wait_until(holds, what)
        if not condition():
            raise AssertionError(f"it ended before {what}: {self.told} {self.lines[-3:]}")

    def end(self):
        self.process.wait(PATIENCE)
        for thread in self.read:
            thread.join()
        for file in self.process.stdin, self.process.stdout, self.process.stderr:
            file.close()
        return self.process.returncode


class TomoLive(PipelineTestCase):
    def test_demo(self):
        """Darks and flats are taken, and pictures of three planes come; commands in words change them."""
        with Program("--demo", "--size", "32", "--window", "videorate ! video/x-raw,framerate=5/1 ! jpegenc ! multifilesink location=%03d.jpg") as demo:
            demo.until(lambda: any("mean of 20 flats" in line for line in demo.told), "flats")
            demo.until(lambda: os.path.exists("004.jpg"), "pictures")
            for line in "plane 1 z=20", "axis 130.5", "nonsense", "plane 9 z=1", "keep 0.5 kept.h5", "set volume-size 32", "volume coarse.tif", "flats 100000", "cancel-fields":
                demo.type(line)
            demo.until(lambda: any("and all that follow" in line for line in demo.told), "the begin of a file")
            demo.until(lambda: any("'coarse.tif' has a volume of float32 32 x 32 x 32" in line for line in demo.told), "a volume")
            demo.type("quit")
            self.assertEqual(demo.end(), 0, demo.told)
        told = "\n".join(demo.told)
        self.assertRegex(told, "(?s)the next 100000 frames are taken as flats\n.*of 100000 flats were taken, and are forgotten; the flats before stay")
        for words in "'nonsense' is no command; wanted one of plane N", "no plane 9", "'kept.h5' has":
            self.assertIn(words, told)
        self.assertRegex(demo.told[-1], r"\d+ frames, [0-9.]+/s; \d+ slices")
        self.assertEqual(demo.lines, [])
        self.assertEqual(tifffile.imread("coarse.tif").shape, (32, 32, 32))
        with h5py.File("kept.h5") as file:
            self.assertEqual(file["exchange/data"].shape[1:], (256, 256))
            self.assertEqual(file["exchange/rotation_axis"][0], 130.5)
            self.assertEqual(len(file["exchange/theta"]), len(file["exchange/data"]))

    def test_driven(self):
        """Events on standard output and nothing else; commands as objects, and wrong ones are told."""
        with Program(CAMERA, "--progress", "json", "--half-turn=40", "--correction", "off", "--planes", "z=0") as driven:
            driven.until(lambda: any(event["slices"] > 0 for event in driven.events("progress")), "slices")
            driven.type('{"command": "plane", "index": 0, "plane": "v=0"}')
            driven.type('{"command": "pause"}')
            driven.until(lambda: driven.events("message") and driven.events("state")[-1]["state"] == "paused", "a pause")
            driven.type('{"command": "quit"}')
            self.assertEqual(driven.end(), 0)
        events = driven.events()
        self.assertEqual((events[0]["event"], events[-1]["event"], events[-1]["status"]), ("hello", "done", "done"))
        self.assertIn("x, y or z", "".join(event["text"] for event in driven.events("message")))
        self.assertEqual(driven.told, [])

    def test_interrupt_and_seconds(self):
        with Program(*CAMERA.split(), "--half-turn", "40", "-q") as running:
            running.until(lambda: any("no flats yet" in line for line in running.told), "a warning")
            running.process.send_signal(signal.SIGINT)
            self.assertEqual(running.end(), 130)
        with Program(CAMERA, "--half-turn", "40", "--seconds", "0.5", "-q") as running:
            self.assertEqual(running.end(), 0)

    def test_no_display(self):
        with unittest.mock.patch.dict(os.environ):
            for name in ("DISPLAY", "WAYLAND_DISPLAY"):
                os.environ.pop(name, None)
            with Program("--demo") as program:
                self.assertEqual(program.end(), 1, program.told)
        self.assertEqual(len(program.told), 1, program.told)
        self.assertRegex(program.told[0], "no display is here.*--web")

    def test_wrong_use(self):
        for words, status, told in (
                ([], 2, "--demo"), (["--demo", "v4l2src"], 2, "source of its own"), (["nosuchcamera"], 2, "nosuchcamera"),
                ([CAMERA, "--planes", "q=1"], 2, "x, y or z"), ([CAMERA, "--progress", "xml"], 2, "bar or json"),
                ([CAMERA, "--half-turn", "40", "--speed-degrees", "3"], 2, "half-turn and speed-degrees"),
                ([CAMERA, "--window", "nosuchsink"], 1, "nosuchsink"), ([CAMERA, "--half-turns", "40"], 2, "--help"),
                ([CAMERA, "--flats", "no-such-folder"], 1, "no-such-folder")):
            with self.subTest(words), Program(*words) as program:
                self.assertEqual(program.end(), status, program.told)
                self.assertIn(told, "\n".join(program.told))


if __name__ == "__main__":
    main()
