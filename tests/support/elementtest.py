# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Checks that every element has to pass, and streams that are fed one array at a time."""

import itertools
import os
import subprocess
import sys
import tempfile
import unittest

import gi
import numpy as np
from gi.repository import GObject
from tomotest import GLib, Gst, SEED, TIMEOUT, PipelineError, TestCase, caps, run, to_array, to_buffer

DEVICE_CAPS = "application/x-tomo-array(memory:TomoCL)"
SYSTEM_CAPS = "application/x-tomo-array"
KERNELS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "kernels")
# What GStreamer's own base classes bring along.
BASE_CLASSES = {
    "GstObject",
    "GstElement",
    "GstBaseSrc",
    "GstPushSrc",
    "GstBaseSink",
    "GstAggregator",
    "GstBin",
    "GstBaseTransform",
}


def scan_event(angles=(), axis=None):
    """The sticky event that tells of the angles (radians) and the axis of a scan."""
    fields = ["tomo-scan"]
    if len(angles):
        fields.append("angles=<" + ",".join(f"(double){a!r}" for a in map(float, angles)) + ">")
    if axis is not None:
        fields.append(f"axis-position=(double){float(axis)!r}")
    structure = Gst.Structure.new_from_string(", ".join(fields))
    return Gst.Event.new_custom(Gst.EventType.CUSTOM_DOWNSTREAM_STICKY, structure)


def frame_meta(buffer):
    """The GstTomo.FrameMeta of a buffer; skips the test where the typelib was not built."""
    try:
        gi.require_version("GstTomo", "1.0")
    except ValueError:
        raise unittest.SkipTest("built without GstTomo-1.0.typelib")
    from gi.repository import GstTomo

    return GstTomo.buffer_get_tomo_frame_meta(buffer)


def frame_facts(sample):
    """Number, angle and time of a frame."""
    meta = frame_meta(sample.get_buffer())
    return meta.index, meta.angle, meta.time


class Stream:
    """A playing pipeline that is fed and read by hand; use it in a `with`.

    `description` is as that of run(), with `inputs` sources SRC0, SRC1, ... Errors on the bus are raised by
    pull() and finish(); all other messages are kept in .messages.
    """

    def __init__(self, description, inputs=1, framerate=None, play=True):
        description = f" {description} "
        if inputs and "SRC0" not in description:
            description = f"SRC0 ! {description}"
        for i in reversed(range(inputs)):
            description = description.replace(f"SRC{i}", f"appsrc name=src{i} format=time max-bytes=0")
        self.has_sink = "NOSINK" not in description
        if not self.has_sink:
            description = description.replace("NOSINK", "")
        elif "SINK" in description:
            description = description.replace("SINK", "appsink name=sink sync=false")
        else:
            description += "! appsink name=sink sync=false"
        self.pipeline = Gst.parse_launch(description)
        self.bus = self.pipeline.get_bus()
        self.sources = [self.pipeline.get_by_name(f"src{i}") for i in range(inputs)]
        self.framerate = framerate
        self.sent = [0] * inputs
        self.messages = []
        if play:
            self.play()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.pipeline.set_state(Gst.State.NULL)

    def __getitem__(self, name):
        return self.pipeline.get_by_name(name)

    def play(self):
        self.pipeline.set_state(Gst.State.PLAYING)

    def push(self, array, source=0, event=None):
        appsrc, n = self.sources[source], self.sent[source]
        rate = f"{self.framerate}/1" if self.framerate else "0/1"
        c = caps(array.dtype, array.shape, framerate=rate)
        if n == 0:
            appsrc.set_property("caps", c)
        if event is not None:
            appsrc.send_event(event)
        appsrc.push_sample(Gst.Sample.new(to_buffer(array, n, self.framerate), c, None, None))
        self.sent[source] += 1

    def end(self, *sources):
        for i in sources or range(len(self.sources)):
            self.sources[i].end_of_stream()

    def _poll(self):
        """True at the end of the stream."""
        message = self.bus.timed_pop(10 * Gst.MSECOND)
        if message is None:
            return False
        if message.type == Gst.MessageType.ERROR:
            raise PipelineError(message)
        self.messages.append(message)
        return message.type == Gst.MessageType.EOS

    def pull_sample(self, timeout=TIMEOUT):
        deadline = GLib.get_monotonic_time() + timeout * 1000000
        while True:
            sample = self["sink"].try_pull_sample(0)
            if sample is not None:
                return sample
            if self._poll():
                raise EOFError("the stream ended without another array")
            if GLib.get_monotonic_time() > deadline:
                raise TimeoutError(f"nothing came within {timeout} s")

    def pull(self, timeout=TIMEOUT):
        return to_array(self.pull_sample(timeout))

    def through(self, array):
        """One array in, one array out."""
        self.push(array)
        return self.pull()

    def finish(self, timeout=TIMEOUT):
        """Ends all inputs and returns what still comes."""
        self.end()
        arrays = []
        deadline = GLib.get_monotonic_time() + timeout * 1000000
        while True:
            ended = self._poll()
            while self.has_sink and (sample := self["sink"].try_pull_sample(0)) is not None:
                arrays.append(to_array(sample))
            if ended:
                return arrays
            if GLib.get_monotonic_time() > deadline:
                raise TimeoutError(f"no end after {timeout} s")

    def element_messages(self, name):
        structures = [m.get_structure() for m in self.messages if m.type == Gst.MessageType.ELEMENT]
        return [s for s in structures if s.get_name() == name]

    def warnings(self):
        return [m.parse_warning()[0].message for m in self.messages if m.type == Gst.MessageType.WARNING]


class ElementTestCase(TestCase):
    def check_properties(self, factory, expected):
        """Own properties: {name: (default, minimum, maximum)}, {name: default} where there is no range,
        {name: (default, {nicks})} for enumerations. The declared default must be the effective one, and the
        ends of the range must be taken. No property may be missing on either side, but for `device`.
        """
        element = Gst.ElementFactory.make(factory)
        self.assertIsNotNone(element, factory)
        own = {p.name: p for p in element.list_properties() if p.owner_type.name not in BASE_CLASSES}
        own.pop("device", None)
        self.assertEqual(set(own), set(expected))
        for name, wanted in expected.items():
            with self.subTest(element=factory, property=name):
                spec = own[name]
                self.assertTrue(spec.blurb and spec.blurb != name, "no blurb")
                default, *limits = wanted if isinstance(wanted, tuple) else (wanted,)
                declared, effective = spec.default_value, element.get_property(name)
                if limits and isinstance(limits[0], set):
                    declared, effective = declared.value_nick, effective.value_nick
                    nicks = {v.value_nick for v in spec.enum_class.__enum_values__.values()}
                    self.assertEqual(nicks, limits[0])
                    for nick in nicks:
                        Gst.util_set_object_arg(element, name, nick)
                        self.assertEqual(element.get_property(name).value_nick, nick)
                elif isinstance(default, list):  # declared by what its values are
                    declared, effective = default, list(effective)
                elif limits:
                    self.assertEqual((spec.minimum, spec.maximum), tuple(limits))
                    for limit in limits if spec.flags & GObject.ParamFlags.WRITABLE else ():
                        element.set_property(name, limit)
                        self.assertEqual(element.get_property(name), limit)
                if isinstance(default, float):
                    default = (
                        type(default)(np.float32(default)) if spec.value_type.name == "gfloat" else default
                    )
                self.assertEqual(declared, default, "declared default")
                self.assertEqual(effective, default, "effective default")

    def check_memory(self, description, *inputs, reference, tolerance):
        """The same numbers whether inputs and output lie in the system's or in the device's memory."""
        if "SRC0" not in description:
            description = f"SRC0 ! {description}"
        for places in itertools.product((SYSTEM_CAPS, DEVICE_CAPS), repeat=len(inputs) + 1):
            line = description
            for i, place in enumerate(places[:-1]):
                if place == DEVICE_CAPS:
                    line = line.replace(f"SRC{i} !", f"SRC{i} ! tomoupload ! {DEVICE_CAPS} !")
            with self.subTest(places=places):
                samples = run(f"{line} ! {places[-1]}", *inputs, samples=True)
                self.assertEqual(len(samples), len(reference))
                for sample, wanted in zip(samples, reference):
                    on_device = sample.get_caps().get_features(0).contains("memory:TomoCL")
                    self.assertEqual(on_device, places[-1] == DEVICE_CAPS)
                    self.assert_close(to_array(sample), wanted, tolerance)
        with self.subTest(places="tomodownload"):
            for result, wanted in zip(run(f"{description} ! tomodownload", *inputs), reference, strict=True):
                self.assert_close(result, wanted, tolerance)

    def check_kernel_variant(self, file, define, *tests):
        """Tests of this class once more, in a process whose kernels of that file begin with #define."""
        with tempfile.TemporaryDirectory() as folder, open(os.path.join(KERNELS, file)) as kernel:
            with open(os.path.join(folder, file), "w") as variant:
                variant.write(f"#define {define}\n{kernel.read()}")
            environment = dict(os.environ, GST_TOMO_KERNEL_PATH=folder, GST_TOMO_TEST_SEED=str(SEED))
            names = [f"{type(self).__name__}.{name}" for name in tests]
            result = subprocess.run([sys.executable, os.path.abspath(sys.modules["__main__"].__file__), *names],
                                    env=environment, capture_output=True, text=True, timeout=300)
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertIn(f"Ran {len(tests)} test", result.stderr)

    def check_state_cycles(self, description, *inputs, reference, tolerance):
        """The same pipeline gives the same again after NULL, after READY, and after a stop in the middle."""
        with Stream(description, inputs=len(inputs), play=False) as stream:
            after = None
            for state in (Gst.State.NULL, Gst.State.READY, "middle", Gst.State.NULL):
                with self.subTest(state=state):
                    stream.sent = [0] * len(inputs)
                    stream.play()
                    for i, arrays in enumerate(inputs):
                        for array in arrays:
                            stream.push(array, i)
                    if state == "middle":
                        stream.pull()
                    else:
                        results = stream.finish()
                        if after == "middle":  # appsink gives what it still held
                            results = results[-len(reference) :]
                        self.assertEqual(len(results), len(reference))
                        for result, wanted in zip(results, reference):
                            self.assert_close(result, wanted, tolerance)
                    stream.pipeline.set_state(state if isinstance(state, Gst.State) else Gst.State.READY)
                    stream.pipeline.get_state(Gst.CLOCK_TIME_NONE)
                    after = state
