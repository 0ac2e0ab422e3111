# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests of whole pipelines share: gst-launch-1.0 as a user runs it, a bus with all of its messages, files.

A critical message of GLib or GStreamer ends a test everywhere.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

os.environ["G_DEBUG"] = "fatal-criticals"  # before GLib is loaded

import h5py
import numpy as np
import tifffile
from tomotest import *
from tomotest import SEED, GLib, Gst, TestCase, rng

PATIENCE = int(os.environ.get("GST_TOMO_TEST_PATIENCE", 90))  # seconds until something counts as hanging


# The environment of a process that tells what is alive at its end, and those lines of its output.
LEAK_TRACER = {"GST_TRACERS": "leaks", "GST_DEBUG": "GST_TRACER:7", "GST_DEBUG_NO_COLOR": "1"}


def alive_in(out):
    return [text for text in out.splitlines() if "object-alive, " in text and "type-name=(string)%s" not in text]


def quoted(line):
    """A gst-launch line as its arguments: by words, as a shell does it."""
    import shlex

    return shlex.split(line)


class Launched:
    """A gst-launch-1.0 that ended: rc, out (both streams), errors (the ERROR lines in order), seconds."""

    def __init__(self, rc, out, seconds):
        self.rc, self.out, self.seconds = rc, out, seconds
        self.errors = [line for line in out.splitlines() if line.startswith("ERROR: from element")]

    def __str__(self):
        return f"exit status {self.rc} after {self.seconds:.1f} s\n{self.out}"


def start_launch(line, options=(), env=None, **kwargs):
    environment = dict(os.environ, LC_ALL="C", **(env or {}))
    return subprocess.Popen(["gst-launch-1.0", *options, *quoted(line)], env=environment, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **kwargs)


def end_launch(process, since):
    try:
        out, _ = process.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        out, _ = process.communicate()
        raise TimeoutError(f"gst-launch-1.0 hangs:\n{out}") from None
    return Launched(process.returncode, out, time.monotonic() - since)


def launch(line, options=(), env=None, **kwargs):
    since = time.monotonic()
    return end_launch(start_launch(line, options, env, **kwargs), since)


def slow_kernels(microseconds, **more):
    """The environment of a process that takes so much longer for each kernel, and so does not end before it is ended, also where a
    processor is fast and this one late."""
    preloaded = f"{os.environ.get('LD_PRELOAD', '')} {os.environ['GST_TOMO_FAILING_DEVICE']}"  # sanitizers first
    return {**os.environ, "LD_PRELOAD": preloaded, "SLOW_BY": str(microseconds), **more}


def wait_until(condition, what):
    """Until `condition` holds, or it takes so long that it hangs: `what` did not come."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not come in {PATIENCE} s")
        time.sleep(0.001)


class Frames:
    """What passed a pad since the last flush: values (of the first samples, float32) and times."""

    def __init__(self):
        self.values, self.times = [], []
        self.flushed = []  # values that had come until then
        self.ended = set()  # segments, by their seeks

    def probe(self, pad, info):
        if info.type & Gst.PadProbeType.BUFFER:
            buffer = info.get_buffer()
            self.values.append(float(np.frombuffer(buffer.extract_dup(0, 4), np.float32)[0]))
            self.times.append(buffer.pts)
        elif info.get_event().type == Gst.EventType.FLUSH_STOP:
            self.flushed, self.values, self.times = self.values, [], []
        elif info.get_event().type == Gst.EventType.SEGMENT_DONE:
            self.ended.add(info.get_event().get_seqnum())
        return Gst.PadProbeReturn.OK


class Play:
    """A pipeline under test, whose messages are kept in the order of the bus."""

    def __init__(self, description):
        self.pipeline = Gst.parse_launch(description)
        self.bus = self.pipeline.get_bus()
        self.messages = []
        self.seqnum = None

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.stop()

    def __getitem__(self, name):
        return self.pipeline.get_by_name(name)

    def stop(self):
        # In NULL the pipeline drops the messages that nobody has taken.
        self.pipeline.set_state(Gst.State.READY)
        self.collect()
        self.pipeline.set_state(Gst.State.NULL)

    def state(self, state):
        """Goes to a state and waits until it is reached; False when that fails."""
        if self.pipeline.set_state(state) == Gst.StateChangeReturn.FAILURE:
            return False
        result = self.pipeline.get_state(PATIENCE * Gst.SECOND)[0]
        if result == Gst.StateChangeReturn.ASYNC:
            raise TimeoutError(f"{state.value_nick} is not reached")
        return result != Gst.StateChangeReturn.FAILURE

    def seek(self, *arguments):
        """A seek; finish() then waits for the end of what it starts."""
        event = Gst.Event.new_seek(*arguments)
        self.seqnum = event.get_seqnum()
        return self.pipeline.send_event(event)

    def finish(self, types=Gst.MessageType.EOS):
        """Waits for the end of the stream since the last seek; returns an error's text or None."""
        while True:
            message = self.until(types)
            if message.type == Gst.MessageType.ERROR:
                return self.errors()[0]
            if self.seqnum is None or message.get_seqnum() == self.seqnum:
                return None

    def watch(self, name, pad="sink"):
        frames = Frames()
        self[name].get_static_pad(pad).add_probe(
            Gst.PadProbeType.BUFFER | Gst.PadProbeType.EVENT_FLUSH | Gst.PadProbeType.EVENT_DOWNSTREAM, frames.probe)
        return frames

    def collect(self):
        while message := self.bus.pop():
            self.messages.append(message)

    def until(self, types, timeout=PATIENCE):
        """Waits for a message of these types or an error; returns it."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            message = self.bus.timed_pop(20 * Gst.MSECOND)
            if message:
                self.messages.append(message)
                if message.type & (types | Gst.MessageType.ERROR):
                    return message
        raise TimeoutError(f"no {types} after {timeout} s")

    def run(self, timeout=PATIENCE):
        """Plays to the end; returns the error's text, or None at EOS."""
        self.pipeline.set_state(Gst.State.PLAYING)
        message = self.until(Gst.MessageType.EOS, timeout)
        return None if message.type == Gst.MessageType.EOS else self.errors()[0]

    def errors(self):
        """All errors as "name of the element: text", in their order."""
        return [f"{m.src.get_name()}: {m.parse_error()[0].message}"
                for m in self.messages if m.type == Gst.MessageType.ERROR]

    def warnings(self):
        return [f"{m.src.get_name()}: {m.parse_warning()[0].message}"
                for m in self.messages if m.type == Gst.MessageType.WARNING]


class PipelineTestCase(TestCase):
    """Each test has an empty folder of its own, `self.folder`, which is also the current one."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="gst-tomo-test-")
        self.before = os.getcwd()
        os.chdir(self.folder)

    def tearDown(self):
        os.chdir(self.before)
        shutil.rmtree(self.folder)

    def assert_launches(self, line, options=("-q",), env=None):
        """Runs to the end without any error; returns what was printed."""
        result = launch(line, options, env)
        self.assertEqual(result.rc, 0, f"{line}\n{result} (seed {SEED})")
        self.assertNotIn("ERROR", result.out, line)
        return result.out

    def assert_no_leaks(self, line, rc=0, env=None):
        """Nothing of GStreamer is alive after the pipeline ended, in success or failure."""
        result = launch(line, ("-q",), {**LEAK_TRACER, **(env or {})})
        self.assertEqual(result.rc != 0, rc != 0, f"{line}\n{result}")
        self.assertEqual(alive_in(result.out), [], line)
        return result

    def assert_files(self, *names):
        """These files and no others are in the folder, partial ones included."""
        found = sorted(os.path.relpath(os.path.join(root, f), self.folder)
                       for root, _, files in os.walk(self.folder) for f in files)
        self.assertEqual(found, sorted(names))


# Runs a pipeline and prints its errors in the order of the bus.
BUS = """
import sys, gi
gi.require_version("Gst", "1.0")
from gi.repository import Gst
Gst.init(None)
pipeline = Gst.parse_launchv(sys.argv[1:])
bus, ended = pipeline.get_bus(), False
failed = pipeline.set_state(Gst.State.PLAYING) == Gst.StateChangeReturn.FAILURE
while not ended:
    message = bus.timed_pop_filtered(0 if failed else 60 * Gst.SECOND, Gst.MessageType.EOS | Gst.MessageType.ERROR)
    ended = message is None or message.type == Gst.MessageType.EOS
    if message and message.type == Gst.MessageType.ERROR:
        failed = True
        print("E", message.src.get_name(), message.parse_error()[0].message.replace("\\n", " "), flush=True)
    elif not failed:
        print("EOS" if message else "hangs", flush=True)
pipeline.set_state(Gst.State.NULL)
"""

class FaultTestCase(PipelineTestCase):
    def assert_fault(self, line, element, *words, env=None, files=(), leaks=False, **process):
        """The first error is that of `element` and has the `words`; afterwards there are these files and no others."""
        before = self.contents()
        bus = subprocess.run(["/usr/bin/python3", "-c", BUS, *quoted(line)], text=True, timeout=PATIENCE,
                             capture_output=True, env=dict(os.environ, LC_ALL="C", **(env or {})), **process)
        errors = [text[2:] for text in bus.stdout.splitlines() if text.startswith("E ")]
        self.assertEqual(bus.returncode, 0, bus.stderr)
        self.assertTrue(errors, f"no error: {bus.stdout} {bus.stderr}")
        self.check_error(errors[0], element, words)
        self.assertNotIn("EOS", bus.stdout)
        self.assertNotIn("hangs", bus.stdout)
        self.assert_files(*files)
        self.check_untouched(before)

        launched = launch(line, ("-q",), env, **process)
        self.assertNotEqual(launched.rc, 0, str(launched))
        self.assertTrue(launched.errors, str(launched))
        self.check_error(launched.errors[0], element, words)
        # Starting OpenCL and compiling takes its time; a hang takes longer.
        self.assertLess(launched.seconds, 40, str(launched))
        self.assert_files(*files)
        self.check_untouched(before)
        if leaks:
            self.assert_no_leaks(line, rc=1, env=env)
            self.assert_files(*files)
            self.check_untouched(before)
        return errors

    def check_error(self, error, element, words):
        self.assertIn(element, error)
        for word in words:
            self.assertIn(word, error)
        self.assertNotIn("Internal data stream error", error)

    def contents(self):
        """All files that no pipeline may touch, with what is in them."""
        kept = {}
        for root, _, names in os.walk(self.folder):
            for name in names:
                if not name.endswith(".partial"):
                    with open(os.path.join(root, name), "rb") as file:
                        kept[os.path.join(root, name)] = file.read()
        return kept

    def check_untouched(self, before):
        for name, content in before.items():
            with open(name, "rb") as file:
                self.assertEqual(file.read(), content, f"{name} was changed")


def write_sinograms(folder="folder", shape=(24, 40), number=5, dtype=np.float32):
    """folder/sino00.tif, ...; returns the arrays."""
    os.makedirs(folder, exist_ok=True)
    arrays = []
    for i in range(number):
        array = random_array(dtype, shape)
        tifffile.imwrite(f"{folder}/sino{i:02}.tif", array, compression=None)
        arrays.append(array)
    return arrays


def write_rescaling_dataflow(name):
    """UFO's JSON that rescales the sinograms of write_sinograms() by 0.5, to output.h5:/raw."""
    with open(name, "w") as file:
        json.dump({"nodes": [{"plugin": "read", "name": "read", "properties": {"path": "folder/sino*.tif"}},
                             {"plugin": "rescale", "name": "rescale", "properties": {"factor": 0.5}},
                             {"plugin": "write", "name": "write", "properties": {"filename": "output.h5:/raw"}}],
                   "edges": [{"from": "read", "to": "rescale", "input": 0},
                             {"from": "rescale", "to": "write", "input": 0}]}, file)


def read_pages(path):
    with tifffile.TiffFile(path) as tiff:
        return [page.asarray() for page in tiff.pages]


def read_dataset(path, name):
    with h5py.File(path, "r") as file:
        return file[name][...]
