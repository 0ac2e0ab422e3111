# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Tasks that are connected, and their runs."""

import math
import threading
import time
import weakref

import gi
import numpy as np

gi.require_version("Gst", "1.0")
gi.require_version("GstApp", "1.0")
gi.require_version("GstTomo", "1.0")
from gi.repository import GLib, Gst, GstApp, GstTomo  # noqa: E402, F401

from ._arrays import caps_of, to_buffer, view_of  # noqa: E402


class Error(RuntimeError):
    """A dataflow that can't be made, or a run that has failed."""


class Frame:
    """An array of a stream and what is known about it."""

    def __init__(self, sample):
        self.buffer = sample.get_buffer()
        self._sample = sample
        facts = GstTomo.buffer_get_tomo_frame_meta(self.buffer)
        # Number of the frame in its scan; angle in radians or None; where it comes from, or None.
        self.index = facts.index if facts else None
        self.angle = facts.angle if facts and not math.isnan(facts.angle) else None
        self.source = facts.source if facts else None

    @property
    def view(self):
        """Its samples without a copy, to be read only. Holds back memory of the stream: let it go before long."""
        return view_of(self._sample)

    @property
    def array(self):
        """A copy of its samples."""
        return np.array(self.view)

    @property
    def opencl_handle(self):
        """The cl_mem as a number, for pyopencl's MemoryObject.from_int_ptr; None for memory of the host. Valid as
        long as the frame is."""
        memory = self.buffer.peek_memory(0)
        return GstTomo.memory_get_handle(memory) if GstTomo.memory_is(memory) else None


class Result:
    """What a flow finds out while it runs, as the value of another task's property: see Flow.result()."""

    def __init__(self, flow, name):
        self.flow, self.name = flow, name

    def __repr__(self):
        return f"{self.flow!r}.result({self.name!r})"


class Flow:
    """A task and the flows that it takes its inputs from: what calling a task returns."""

    def __init__(self, task, inputs):
        self.task, self.inputs = task, inputs

    def run(self):
        """Starts the dataflow, which has to end in a sink, and returns its Run."""
        return run(self)

    def result(self, name):
        """A property that its task tells while it runs, to be given to a property of another task. There it takes
        effect with the array that it was found in, and those behind it, if they come from this flow; otherwise the
        other task waits for the first value."""
        return Result(self, name.replace("_", "-"))

    def __iter__(self):
        """Copies of its outputs as numpy arrays, while they are computed."""
        return (frame.array for frame in self.frames())

    def frames(self, on_device=False):
        """Its outputs with all that is known about them, while they are computed; with `on_device` they stay
        there."""
        if not self.task._gives_output:
            raise TypeError(f"{type(self.task).__name__} gives no output to iterate over; use run()")
        build = _Build()
        node = build.node(self)
        caps = "application/x-tomo-array" + ("(memory:TomoCL)" if on_device else "")
        sink = build.add("appsink", sync=False, max_buffers=2, caps=caps)
        build.connect(node, sink, 0)
        running = build.start()
        try:
            while True:
                sample = sink.try_pull_sample(100 * Gst.MSECOND)
                if sample is not None:
                    yield Frame(sample)
                    del sample
                elif not running.is_running():
                    break  # it waits for its last array to be taken
            running.wait()
        finally:
            running.abort()
            running._settle()

    def __repr__(self):
        return f"{self.task!r}({', '.join(map(repr, self.inputs))})"


def run(*flows):
    """Starts a dataflow with one or more sinks and returns its Run."""
    build = _Build()
    for flow in flows:
        if not isinstance(flow, Flow):
            raise TypeError(f"wanted what calling a task returns, not {flow!r}")
        if flow.task._gives_output:
            raise TypeError(f"nobody takes the output of {type(flow.task).__name__}: iterate over it, or give it to "
                            "Write or Null")
        build.node(flow)
    return build.start()


class Run:
    """A run of a dataflow."""

    def __init__(self, graph, elements, feeders):
        self.graph = graph
        self._elements = elements  # of tasks
        self._feeders = feeders
        self._progress = (0, 0, 0)
        this = weakref.ref(self)  # the graph must not keep it alive
        graph.connect("progress", lambda _, *numbers: this() is not None and this()._set_progress(numbers))
        for task, element in elements:
            task._runs.add(self)
            task._listen(element)
        try:
            graph.start()
        except GLib.Error as e:
            raise Error(e.message) from None
        for feeder in feeders:
            feeder.start()

    def _set_progress(self, numbers):
        self._progress = numbers

    @property
    def progress(self):
        """Arrays given by the sources, those they will give (0: not known), arrays arrived at the sinks."""
        if self.graph.is_running():
            self.graph.poll(0)
        return self._progress

    def is_running(self):
        return self.graph.is_running()

    def wait(self, timeout=None):
        """Waits for the end, at most `timeout` seconds; returns whether it has come. Raises Error if it was an
        early one, or what a generator of inputs has raised. Ctrl-C aborts the run."""
        deadline = None if timeout is None else time.monotonic() + timeout
        with GstTomo.interruptible(self.graph):
            while self.graph.poll(self._patience(deadline)):
                if deadline is not None and time.monotonic() >= deadline:
                    return False
            error = self._settle()
        for feeder in self._feeders:
            if feeder.failure is not None:
                raise feeder.failure
        if error is not None:
            raise Error(error.message)
        return True

    @staticmethod
    def _patience(deadline):
        """Milliseconds for one step."""
        return 100 if deadline is None else max(0, min(100, int(1000 * (deadline - time.monotonic()))))

    join = wait

    def _settle(self):
        """Until nothing of it goes on; returns its error."""
        error = None
        try:
            self.graph.wait()
        except GLib.Error as e:
            error = e
        for feeder in self._feeders:
            feeder.join()
        return error

    def abort(self):
        """Ends it as soon as possible."""
        self.graph.abort()

    def finish(self):
        """Ends the stream: sources stop, what they have given is completed."""
        self.graph.finish()


class Feeder(threading.Thread):
    """Gives arrays of Python to an appsrc, which makes it wait when the stream does not keep up."""

    def __init__(self, graph, source, arrays):
        super().__init__(name="gsttomo-input", daemon=True)
        self._graph, self._source, self._arrays = graph, source, arrays
        self.failure = None

    def _wait_for_start(self):
        # What is pushed before may be thrown away by the start, and whoever waits for room is not told (1.22).
        while self._source.get_state(0).state < Gst.State.PAUSED:
            if not self._graph.is_running():
                return False
            time.sleep(0.002)
        return True

    def run(self):
        try:
            if not self._wait_for_start():
                return
            first = None
            for n, array in enumerate(self._arrays):
                array = np.asarray(array)
                if first is None:
                    first = array
                    self._source.set_caps(caps_of(array))
                elif (array.shape, array.dtype) != (first.shape, first.dtype):
                    raise ValueError(f"array {n} is {array.dtype} {array.shape}, but the first one was {first.dtype} "
                                     f"{first.shape}; a stream has one type and size")
                if self._source.push_buffer(to_buffer(array, n)) != Gst.FlowReturn.OK:
                    return  # the stream is over
            if first is None:
                raise ValueError("there is no array to give")
            self._source.end_of_stream()
        except BaseException as e:
            self.failure = e
            self._graph.abort()


def let_flow(source):
    """Has a source say that it waits for nothing, so that elements may compute several of its arrays at once."""
    def answer(_pad, info):
        query = info.get_query()
        is_asked = query.type == Gst.QueryType.CUSTOM and query.get_structure().get_name() == "gst-tomo-flow"
        return Gst.PadProbeReturn.HANDLED if is_asked else Gst.PadProbeReturn.OK

    source.get_static_pad("src").add_probe(Gst.PadProbeType.QUERY_UPSTREAM | Gst.PadProbeType.PUSH, answer)


def arrays_of(given):
    """What is given as an input, as an iterable of arrays."""
    if isinstance(given, np.ndarray):
        if given.ndim not in (2, 3):
            raise TypeError(f"an input array is an image or a stack of images, not of shape {given.shape}")
        return given if given.ndim == 3 else [given]
    if hasattr(given, "__iter__") and not isinstance(given, (str, bytes, dict)):
        return given
    raise TypeError(f"an input is a task, a numpy array or an iterable of arrays, not {given!r}")


class _Build:
    """A graph in the making; flows that are used twice become one node."""

    def __init__(self):
        self.graph = GstTomo.Graph.new()
        self._nodes = {}
        self._elements = []
        self._feeders = []
        self._taken = set()  # elements whose output somebody takes

    def add(self, plugin, **properties):
        element = self.graph.add_node(plugin, None)
        GstTomo.set_properties(element, **properties)
        return element

    def connect(self, source, target, number):
        self.graph.connect_nodes(source.get_name(), target.get_name(), number)
        self._taken.add(source.get_name())

    def node(self, flow):
        if id(flow) in self._nodes:
            return self._nodes[id(flow)]
        try:
            if isinstance(flow, Flow):
                element = self.graph.add_node(flow.task._plugin, None)
                values, results = flow.task._values_and_results()
                GstTomo.set_properties(element, **values)
                self._elements.append((flow.task, element))
                self._nodes[id(flow)] = element
                for number, given in flow.inputs:
                    self.connect(self.node(given), element, number)
                for name, result in results.items():
                    source = self.node(result.flow)
                    self.graph.bind(source.get_name(), result.name, element.get_name(), name.replace("_", "-"))
            else:
                element = self.add("appsrc", format="time", block=True, max_bytes=0, max_buffers=4)
                self._nodes[id(flow)] = element
                if isinstance(flow, (np.ndarray, list, tuple)):  # a generator may wait for what it gave before
                    let_flow(element)
                self._feeders.append(Feeder(self.graph, element, flow))
        except GLib.Error as e:
            raise Error(e.message) from None
        return element

    def start(self):
        # Only the results of these are wanted.
        for task, element in self._elements:
            if task._gives_output and element.get_name() not in self._taken:
                self.connect(element, self.add("null"), 0)
        return Run(self.graph, self._elements, self._feeders)
