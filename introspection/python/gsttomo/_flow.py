# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Tasks that are connected, and their runs."""

import atexit
import difflib
import math
import os
import signal
import sys
import threading
import time
import weakref

import gi
import numpy as np

gi.require_version("Gst", "1.0")
gi.require_version("GstApp", "1.0")
gi.require_version("GstTomo", "1.0")
from gi.repository import GLib, Gst, GstApp, GstTomo  # noqa: E402, F401

from ._arrays import caps_of, check_type, copy_of, to_buffer, to_stream_type, view_of  # noqa: E402

PATIENCE = 1.0  # seconds for a generator that is computing when the run ends early


class Error(RuntimeError):
    """A dataflow can't be made, or a run has failed."""


class Frame:
    """An array of a stream with its number, its angle and its origin."""

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
        """Its samples without a copy, to be read only, of shape (height, width) or (depth, height, width). Holds back
        memory of the stream: let it go before long."""
        return view_of(self._sample)

    @property
    def array(self):
        """A copy of its samples."""
        return copy_of(self._sample)

    @property
    def opencl_handle(self):
        """The cl_mem as a number, for pyopencl's MemoryObject.from_int_ptr; None for memory of the host. Valid as
        long as the frame is."""
        memory = self.buffer.peek_memory(0)
        return GstTomo.memory_get_handle(memory) if GstTomo.memory_is(memory) else None


class Result:
    """A property that a task tells while it runs, as the value of another task's property: see Flow.result()."""

    def __init__(self, flow, name):
        self.flow, self.name = flow, name

    def __repr__(self):
        return f"{self.flow!r}.result({self.name!r})"


class Call:
    """A task and the flows that it takes its inputs from, which are one node of a dataflow."""

    def __init__(self, task, inputs):
        self.task, self.inputs = task, inputs  # of these the numbers, too


class Flow:
    """The output of a task that was called: to be given to other tasks, iterated or run."""

    def __init__(self, call, output=None):
        self._call, self._output = call, output  # by name; None for the first one

    @property
    def task(self):
        return self._call.task

    @property
    def inputs(self):
        """Pairs of an input's number and the flow or arrays that it gets."""
        return self._call.inputs

    def run(self):
        """Starts the dataflow, which has to end in a sink, and returns its Run."""
        return run(self)

    def result(self, name):
        """A property that its task tells while it runs, to be given to a property of another task. There it takes
        effect with the array that it was found in, and those behind it, if they come from this flow; otherwise the
        other task waits for the first value. Raises AttributeError where the task has no such property."""
        return Result(self, self.task._readable(name))

    def __iter__(self):
        """Its arrays while they are computed, as numpy arrays of their own, of shape (height, width) or (depth, height,
        width). Leaving the loop ends the run."""
        return (frame.array for frame in self.frames())

    def __array__(self, dtype=None):
        """All its arrays as one, of shape (number, height, width) or (number, depth, height, width)."""
        return together(self, dtype)

    def frames(self, on_device=False):
        """Its arrays as Frames while they are computed, which also hold numbers, angles and origins; with `on_device`
        they stay on the device. Leaving the loop ends the run."""
        if not self.task._gives_output:
            raise TypeError(f"{type(self.task).__name__} gives no output to iterate over; use run()")
        build = _Build()
        caps = "application/x-tomo-array" + ("(memory:TomoCL)" if on_device else "")
        sink = build.add("appsink", sync=False, max_buffers=2, caps=caps)
        build.connect(self, sink, 0)
        running = build.start([self])
        _iterated.add(running)
        owner = threading.get_ident()
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
            # The garbage collector may close this in any thread, even in one of the stream, which must not wait.
            if threading.get_ident() == owner:
                running._settle()

    def __repr__(self):
        return f"{self.task!r}({', '.join(shown(given) for _, given in self.inputs)})"


class Outputs(Flow):
    """The outputs of a task that was called and has several. They unpack, without optional ones; all of them are there by
    name, as outputs["flats-after"] or outputs.flats_after. Given to a task, they stand for the first one."""

    def __init__(self, call):
        super().__init__(call)
        self._flows = {name: Output(call, name) for name in call.task._outputs}

    def keys(self):
        """The names of all outputs."""
        return self._flows.keys()

    def __iter__(self):
        return (flow for name, flow in self._flows.items() if name not in self.task._optional_outputs)

    def __getitem__(self, name):
        if isinstance(name, str) and name.replace("_", "-") in self._flows:
            return self._flows[name.replace("_", "-")]
        raise KeyError(self._missing(name))

    def __getattr__(self, name):
        if not name.startswith("_") and name.replace("_", "-") in self._flows:
            return self._flows[name.replace("_", "-")]
        raise AttributeError(f"'{name}'" if name.startswith("_") else self._missing(name))

    def __dir__(self):
        return [*super().__dir__(), *(name.replace("-", "_") for name in self._flows)]

    def _missing(self, name):
        return f"{type(self.task).__name__} has no output {name!r}{or_rather(str(name), self._flows)}"


class Output(Flow):
    """One of several outputs of a task."""

    def __repr__(self):
        return f"{super().__repr__()}.{self._output.replace('-', '_')}"


def together(arrays, dtype=None):
    """All arrays of an iterable as one, for numpy, which would otherwise make an object of it."""
    arrays = list(arrays)
    if not arrays:
        raise ValueError("there is no array")
    if isinstance(arrays[0], Flow):
        raise TypeError(f"these are several outputs: choose one, such as outputs[{arrays[0]._output!r}]")
    return np.stack(arrays).astype(dtype or arrays[0].dtype, copy=False)


def or_rather(name, names, otherwise=None):
    """The end of a message about a wrong name: the nearest right one, else `otherwise` or all."""
    near = difflib.get_close_matches(name.replace("_", "-"), names, 1) or difflib.get_close_matches(name, names, 1)
    return f" (did you mean '{near[0]}'?)" if near else f"; {otherwise or 'it has ' + (', '.join(names) or 'none')}"


def shown(given):
    """What is given as an input, in short."""
    if isinstance(given, Flow):
        return repr(given)
    if isinstance(given, np.ndarray):
        return f"<{given.dtype} {given.shape}>"
    return f"<{type(given).__name__}{f' of {len(given)}' if hasattr(given, '__len__') else ''}>"


def run(*flows):
    """Starts a dataflow with one or more sinks and returns its Run."""
    build = _Build()
    for flow in flows:
        if not isinstance(flow, Flow):
            raise TypeError(f"run() takes flows, which calling a task returns, not {flow!r}")
        if flow.task._gives_output:
            raise TypeError(f"nobody takes the output of {type(flow.task).__name__}: iterate over it, or give it to "
                            "Write or Null")
        build.node(flow)
    return build.start(flows)


# Runs that nobody may have waited for. They go on until their end, also when the interpreter ends, unless an
# exception ends it.
_unfinished = set()
_iterated = weakref.WeakSet()


def _uncaught():
    """The type of the exception that ends the script, or None. One that was raised in a callback of GLib, or before the
    prompt came back, ended nothing."""
    traceback = getattr(sys, "last_traceback", None)
    if traceback is None or hasattr(sys, "ps1"):
        return None
    is_script = traceback.tb_frame.f_code.co_name in ("<module>", "_run_module_as_main")
    return sys.last_type if is_script else None


class _ExitStatus:
    """Ends the process with this status when the interpreter drops its modules: behind all exit handlers, which can't
    change the status, and after standard output was flushed."""

    def __init__(self, status):
        self._status = status

    def __del__(self, leave=os._exit):
        leave(self._status)


_exit_status = None


def _end_with(status):
    global _exit_status
    if _exit_status is None and _uncaught() is None:  # which has a status of its own
        _exit_status = _ExitStatus(status)


def _abort_unfinished(uncaught):
    """Behind a script that an exception ended; returns the runs that it still had."""
    running = {run for run in _unfinished if run.is_running()}
    if running:
        print(f"gsttomo: {uncaught.__name__} has ended the script: {len(running)} unfinished "
              f"run{'s are' if len(running) > 1 else ' is'} aborted", file=sys.stderr, flush=True)
    for run in running:
        run.abort()
    return running


def _finish_all():
    """Before the interpreter ends: threads of a stream must not call it any more."""
    uncaught = _uncaught()
    aborted = _abort_unfinished(uncaught) if uncaught else set()
    for run in list(_iterated):
        run.abort()
        run._settle()
    for run in list(_unfinished):
        try:
            run.wait()
        except KeyboardInterrupt:
            print("gsttomo: Ctrl-C: the unfinished runs are aborted", file=sys.stderr, flush=True)
            aborted |= {run, *_unfinished}
            for other in aborted:
                other.abort()
            run._settle()
            _end_with(128 + signal.SIGINT)
        except Exception as e:
            if run not in aborted:
                print(f"gsttomo: a run that nobody waited for has failed: {e}", file=sys.stderr)
            _end_with(1)


atexit.register(_finish_all)
os.register_at_fork(after_in_child=lambda: (_unfinished.clear(), _iterated.clear()))  # they go on in the parent


class Run:
    """A run of a dataflow, which goes on while Python does other things."""

    def __init__(self, graph, elements, feeders, flows):
        self.graph = graph
        self._elements = elements  # of tasks
        self._feeders = feeders
        self._flows = flows
        self._progress = (0, 0, 0)
        self._outcome = None  # "done" or what was wrong, as soon as that is known
        this = weakref.ref(self)  # the graph must not keep it alive
        handlers = [
            graph.connect("progress", lambda _, *numbers: this() is not None and this()._keep("_progress", numbers)),
            graph.connect("error", lambda _, error: this() is not None and this()._keep("_outcome", error.message)),
            graph.connect("done", lambda _: this() is not None and this()._keep("_outcome", "done"))]
        weakref.finalize(self, _forget, graph, handlers).atexit = False
        for task, element in elements:
            task._runs.append(weakref.ref(self, task._runs.remove))
            task._listen(element)
        try:
            graph.start()
        except GLib.Error as e:
            raise Error(e.message) from None
        for feeder in feeders:
            feeder.start()
        _unfinished.difference_update([run for run in list(_unfinished) if not run.is_running()])
        _unfinished.add(self)

    def _keep(self, name, value):
        setattr(self, name, value)

    @property
    def progress(self):
        """Arrays given by the sources, those they will give (0: not known), arrays arrived at the sinks."""
        if self.graph.is_running():
            self.graph.poll(0)
        given, total, arrived = self._progress
        lengths = [feeder.length for feeder in self._feeders]
        is_known = all(lengths) and (total or all(task._inputs for task, _ in self._elements))
        return given + sum(feeder.given for feeder in self._feeders), total + sum(lengths) if is_known else 0, arrived

    def is_running(self):
        return self.graph.is_running()

    def wait(self, timeout=None):
        """Waits for the end, at most `timeout` seconds; returns whether it has come. Raises Error where the run has
        failed, and where a generator of inputs has raised an exception, this one. Ctrl-C aborts the run."""
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
        _unfinished.discard(self)
        error = None
        try:
            self.graph.wait()
        except GLib.Error as e:
            error = e
        deadline = time.monotonic() + PATIENCE
        for feeder in self._feeders:
            feeder.leave(deadline)
        return error

    def abort(self):
        """Ends it as soon as possible."""
        self.graph.abort()

    def finish(self):
        """Ends the stream: sources stop, and the arrays that they have given are completed."""
        self.graph.finish()

    def __repr__(self):
        given, total, arrived = self.progress
        if self.is_running():
            state = "running"
        elif self._outcome is None:
            state = "over"
        else:
            state = f"done after {self.graph.props.time:.3g} s" if self._outcome == "done" else f"failed ({self._outcome})"
        arrays = f"{given}{f' of {total}' if total else ''} arrays in, {arrived} out"
        return f"<Run {state}, {arrays}: {', '.join(map(repr, self._flows))}>"


def _forget(graph, handlers):
    """Behind a Run that nobody has waited for: with a listener, its graph would wait for a main loop."""
    for handler in handlers:
        graph.disconnect(handler)
    if not graph.is_running():
        graph.poll(0)


class Feeder(threading.Thread):
    """Gives arrays of Python to an appsrc, which makes it wait when the stream does not keep up.

    Elements may hold arrays back to compute several at once. A generator may wait for a result before it gives more, so
    where none comes for a moment, an event tells them to go on with those that they have."""

    PAUSE = 0.01  # seconds

    def __init__(self, graph, source, arrays):
        super().__init__(name="gsttomo-input", daemon=True)
        self._graph, self._source, self._arrays = graph, source, arrays
        self._changed = threading.Condition()
        self.length = len(arrays) if hasattr(arrays, "__len__") else 0  # 0: not known
        self.given = 0
        self._passed = 0  # arrays that nobody holds back
        self._has_ended = False
        self.failure = None
        this = weakref.ref(self)  # the graph must not keep it alive
        source.connect("need-data", lambda source, _: this() is not None and this()._is_empty(source))
        let_flow(source, wherever=isinstance(arrays, (np.ndarray, list, tuple)))

    def _is_empty(self, source):
        """In the stream's thread: it has taken all that was given."""
        with self._changed:
            taken = self.given
            if taken == self._passed or self._changed.wait_for(lambda: self.given > taken or self._has_ended, self.PAUSE):
                return
            self._passed = taken
        go_on = Gst.Event.new_custom(Gst.EventType.CUSTOM_DOWNSTREAM, Gst.Structure.new_empty("gst-tomo-go-on"))
        source.get_static_pad("src").push_event(go_on)

    def _tell(self, given=None, has_ended=False):
        with self._changed:
            self.given = given or self.given
            self._has_ended = has_ended
            self._changed.notify()

    def leave(self, deadline):
        """Waits until the generator has given its array. One that takes long goes on alone: nobody can interrupt it."""
        if threading.current_thread() is not self:
            self.join(max(0, deadline - time.monotonic()))

    def _wait_for_start(self):
        # The start may throw away arrays that are pushed before, and does not wake a thread that waits for room (1.22).
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
                array = to_stream_type(array)
                if first is None:
                    first = array
                    self._source.set_caps(caps_of(array))
                elif (array.shape, array.dtype) != (first.shape, first.dtype):
                    raise ValueError(f"array {n} is {array.dtype} {array.shape}, but the first one was {first.dtype} "
                                     f"{first.shape}; a stream has one type and size")
                if self._source.push_buffer(to_buffer(array, n)) != Gst.FlowReturn.OK:
                    return  # the stream is over
                self._tell(given=n + 1)
            if first is None:
                raise ValueError("there is no array to give")
            self._tell(has_ended=True)
            self._source.end_of_stream()
        except BaseException as e:
            self.failure = e
            self._graph.abort()


def let_flow(source, wherever):
    """Has a source say that elements may hold its arrays back: all elements, or those that its events get to."""
    def answer(_pad, info):
        query = info.get_query()
        if query.type != Gst.QueryType.CUSTOM or query.get_structure().get_name() != "gst-tomo-flow":
            return Gst.PadProbeReturn.OK
        may = wherever or query.get_structure().get_boolean("event-passes")[1]
        return Gst.PadProbeReturn.HANDLED if may else Gst.PadProbeReturn.OK

    source.get_static_pad("src").add_probe(Gst.PadProbeType.QUERY_UPSTREAM | Gst.PadProbeType.PUSH, answer)


def arrays_of(given):
    """An input as an iterable of arrays."""
    if isinstance(given, np.ndarray):
        if given.ndim not in (2, 3, 4):
            raise TypeError(f"an input array is an image, a stack of images or a stack of volumes, not of shape "
                            f"{given.shape}")
        check_type(given)
        return [given] if given.ndim == 2 else given
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

    def connect(self, given, target, number):
        source = self.node(given)
        output = given._output if isinstance(given, Flow) else None
        try:
            self.graph.connect_output(source.get_name(), output, target.get_name(), number)
        except GLib.Error as e:
            raise Error(e.message) from None
        self._taken.add(source.get_name())

    def node(self, flow):
        key = id(flow._call if isinstance(flow, Flow) else flow)
        if key in self._nodes:
            return self._nodes[key]
        try:
            if isinstance(flow, Flow):
                element = self.graph.add_node(flow.task._plugin, None)
                values, results = flow.task._values_and_results()
                GstTomo.set_properties(element, **values)
                self._elements.append((flow, element))
                self._nodes[key] = element
                for number, given in flow.inputs:
                    self.connect(given, element, number)
                for name, result in results.items():
                    source = self.node(result.flow)
                    self.graph.bind(source.get_name(), result.name, element.get_name(), name.replace("_", "-"))
            else:
                element = self.add("appsrc", format="time", block=True, max_bytes=256 << 20, max_buffers=16)
                self._nodes[key] = element
                self._feeders.append(Feeder(self.graph, element, flow))
        except GLib.Error as e:
            raise Error(e.message) from None
        return element

    def start(self, flows):
        # Only the results of these are wanted.
        for flow, element in self._elements:
            if flow.task._gives_output and element.get_name() not in self._taken:
                self.connect(flow, self.add("null"), 0)
        return Run(self.graph, [(flow.task, element) for flow, element in self._elements], self._feeders, flows)
