# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the Python tests share: numpy arrays through pipelines, a seed, errors as exceptions.

Arrays are numpy arrays of shape (height, width) or (depth, height, width).
"""

import os
import random
import unittest

import gi
import numpy as np

gi.require_version("Gst", "1.0")
gi.require_version("GstApp", "1.0")
from gi.repository import GLib, Gst, GstApp

Gst.init(None)

FORMATS = {
    "uint8": np.uint8,
    "uint16": np.uint16,
    "uint32": np.uint32,
    "int16": np.int16,
    "int32": np.int32,
    "float16": np.float16,
    "float32": np.float32,
    "float64": np.float64,
    "complex64": np.complex64,
}
REAL = [name for name in FORMATS if name != "complex64"]
TIMEOUT = 60  # seconds until a pipeline counts as hanging

SEED = int(os.environ.get("GST_TOMO_TEST_SEED", random.SystemRandom().randrange(2**31)))
rng = np.random.default_rng(SEED)


class PipelineError(Exception):
    """The first error on the bus: .message, .element (its name), .debug, .domain and .code."""

    def __init__(self, message):
        error, self.debug = message.parse_error()
        self.message, self.domain, self.code = error.message, error.domain, error.code
        self.element = message.src.get_name()
        super().__init__(f"{self.element}: {error.message}")


def caps(dtype, shape, device=False, framerate="0/1"):
    name = next(n for n, t in FORMATS.items() if t == np.dtype(dtype).type)
    depth, height, width = (1,) * (3 - len(shape)) + tuple(shape)
    feature = "(memory:TomoCL)" if device else ""
    return Gst.Caps.from_string(
        f"application/x-tomo-array{feature},format={name},width={width},height={height},"
        f"depth={depth},framerate={framerate}"
    )


def random_array(dtype, shape):
    """Random samples of a type, over all of its range for integers."""
    dtype = np.dtype(dtype)
    if dtype.kind in "ui":
        limits = np.iinfo(dtype)
        return rng.integers(limits.min, limits.max, size=shape, dtype=dtype, endpoint=True)
    if dtype.kind == "c":
        return (rng.standard_normal(shape) + 1j * rng.standard_normal(shape)).astype(dtype)
    return rng.standard_normal(shape).astype(dtype)


def to_buffer(array, index=None, rate=None):
    buffer = Gst.Buffer.new_wrapped(np.ascontiguousarray(array).tobytes())
    if index is not None:
        buffer.offset = index
        if rate:
            buffer.pts = index * Gst.SECOND // rate
            buffer.duration = Gst.SECOND // rate
    return buffer


def to_array(sample):
    s = sample.get_caps().get_structure(0)
    dtype = FORMATS[s.get_string("format")]
    shape = tuple(s.get_int(n).value if hasattr(s.get_int(n), "value") else s.get_int(n)[1]
                  for n in ("depth", "height", "width"))
    ok, info = sample.get_buffer().map(Gst.MapFlags.READ)
    assert ok, "can't map a buffer"
    try:
        array = np.frombuffer(bytes(info.data), dtype=dtype).reshape(shape)
    finally:
        sample.get_buffer().unmap(info)
    return array[0] if shape[0] == 1 else array


def run(description, *inputs, samples=False, framerate=None, timeout=TIMEOUT):
    """Runs a pipeline and returns what arrives at its end.

    `description` is a gst-launch line; "SRC0", "SRC1", ... stand for sources of the arrays of inputs[0],
    inputs[1], ...; a line without SRC0 gets it at its front. The line ends in an appsink of its own unless it
    contains "SINK" or no output is wanted ("NOSINK").
    """
    description = f" {description} "
    if inputs and "SRC0" not in description:
        description = f"SRC0 ! {description}"
    for i in reversed(range(len(inputs))):
        description = description.replace(f"SRC{i}", f"appsrc name=src{i} format=time block=false max-bytes=0")
    sink = "appsink name=sink sync=false"
    if "NOSINK" in description:
        description = description.replace("NOSINK", "")
    elif "SINK" in description:
        description = description.replace("SINK", sink)
    else:
        description += f"! {sink}"
    pipeline = Gst.parse_launch(description)
    results = []
    try:
        for i, arrays in enumerate(inputs):
            source = pipeline.get_by_name(f"src{i}")
            for n, array in enumerate(arrays):
                if n == 0 or array.shape != arrays[n - 1].shape or array.dtype != arrays[n - 1].dtype:
                    rate = f"{framerate}/1" if framerate else "0/1"
                    c = caps(array.dtype, array.shape, framerate=rate)
                    if n == 0:
                        source.set_property("caps", c)
                    source.push_sample(Gst.Sample.new(to_buffer(array, n, framerate), c, None, None))
                else:
                    source.push_buffer(to_buffer(array, n, framerate))
            source.end_of_stream()
        appsink = pipeline.get_by_name("sink")
        bus = pipeline.get_bus()
        pipeline.set_state(Gst.State.PLAYING)
        deadline = GLib.get_monotonic_time() + timeout * 1000000
        ended = False
        while not ended:
            message = bus.timed_pop_filtered(20 * Gst.MSECOND, Gst.MessageType.EOS | Gst.MessageType.ERROR)
            if message and message.type == Gst.MessageType.ERROR:
                raise PipelineError(message)
            ended = message is not None
            while appsink:
                sample = appsink.try_pull_sample(0)
                if sample is None:
                    break
                results.append(sample)
            if GLib.get_monotonic_time() > deadline:
                raise TimeoutError(f"no end after {timeout} s: {description}")
        return results if samples else [to_array(s) for s in results]
    finally:
        pipeline.set_state(Gst.State.NULL)


def relative_error(result, reference, size=None):
    """L2 distance to a float64 reference, relative to the reference, or to `size`."""
    reference = np.asarray(reference)
    norm = np.linalg.norm(reference if size is None else size)
    difference = np.linalg.norm(np.asarray(result, dtype=reference.dtype) - reference)
    return difference / norm if norm > 0 else difference


class TestCase(unittest.TestCase):
    def assert_close(self, result, reference, tolerance, what="", size=None):
        """`size`: where terms of both signs may cancel, the sums of their magnitudes, which rounding goes by."""
        self.assertEqual(np.shape(result), np.shape(reference), what)
        reference = np.asarray(reference, dtype=np.complex128 if np.iscomplexobj(reference) else np.float64)
        error = relative_error(result, reference, size)
        self.assertLessEqual(error, tolerance, f"relative L2 error {error:.3g} (seed {SEED}) {what}")

    def assert_fails(self, expected, description, *inputs, **kwargs):
        """The pipeline must end in an error whose text has all of the words in `expected`."""
        with self.assertRaises(PipelineError) as caught:
            run(description, *inputs, **kwargs)
        for words in [expected] if isinstance(expected, str) else expected:
            self.assertIn(words, str(caught.exception))
        return caught.exception


def main():
    print(f"seed {SEED}", flush=True)
    unittest.main(verbosity=2)
