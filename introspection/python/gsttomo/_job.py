# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A reconstruction with its arrays, and its run."""

import asyncio
import atexit
import collections
import json
import os
import time
import weakref

import gi
import numpy as np

gi.require_version("Gst", "1.0")
gi.require_version("GstTomo", "1.0")
from gi.repository import GLib, GstTomo  # noqa: E402

from . import _flow  # noqa: E402
from ._arrays import Mapped, arranged, is_readable_in_place, lent, to_stream_type  # noqa: E402
from ._parameters import name_of, plain_value  # noqa: E402


class Error(_flow.Error):
    """A reconstruction has failed: its first cause."""


class ParameterError(Error, ValueError):
    """A parameter does not take its value."""


class Aborted(Error):
    """Somebody has aborted the reconstruction."""


class Warning(UserWarning):  # noqa: A001
    """Something that may make the slices worse."""


Stage = collections.namedtuple("Stage", "name index count")
Message = collections.namedtuple("Message", "level text element")
Result = collections.namedtuple("Result", "name value unit uncertainty")
Progress = collections.namedtuple("Progress", "stage done total unit rate seconds_left iteration iterations residual")
Preview = collections.namedtuple("Preview", "number image iteration")  # None of a slice that is finished
Done = collections.namedtuple("Done", "status outputs")
Finding = collections.namedtuple("Finding", "name severity text advice")

# What arrays of each parameter are; the number of axes that they have, and that a single image has.
ROLES = {
    "projections": ("(views, rows, columns)", 3), "darks": ("(images, rows, columns)", 2),
    "flats": ("(images, rows, columns)", 2), "flats2": ("(images, rows, columns)", 2),
    "sinograms": ("(rows, views, columns)", 2), "angles": ("(views,)", 1), "shifts": ("(views, 2)", 2),
    "initial": ("(slices, rows, columns)", 2), "mask": ("(slices, rows, columns)", 2)}

def is_array(value):
    return isinstance(value, (np.ndarray, list, tuple)) or (hasattr(value, "__array__") and not hasattr(value, "__float__"))


def error_of(error):
    """A GLib.Error as an exception of this module."""
    is_own = error.domain == "gst-tomo-graph-error-quark"
    if is_own and error.code == GstTomo.GraphError.ABORTED:
        return Aborted(error.message)
    return (ParameterError if is_own else Error)(error.message)


def wrapped(array, role, is_writable=False):
    """An array as a GstSample, without a copy where its samples lie in a way that the library reads."""
    try:
        return lent(array, is_writable)
    except GLib.Error as e:
        raise ParameterError(f"{role}: {e.message}") from None


def as_lent(role, given):
    """An array of a role as the library takes it: itself, or a copy where that can't be."""
    wanted, least = ROLES[role]
    array = np.asanyarray(given)
    if role in ("angles", "shifts"):
        array = array.astype(np.float64) if array.dtype.kind in "iuf" else array
    most = least if role in ("angles", "shifts") else 3
    if not least <= array.ndim <= most or array.size == 0 or (role == "shifts" and array.shape[1] != 2):
        raise ParameterError(f"{role}: an array of type {array.dtype} and shape {array.shape} came; wanted {wanted}")
    try:
        array = to_stream_type(array)
    except (TypeError, ValueError) as e:
        raise ParameterError(f"{role}: {e}") from None
    if array.dtype.kind == "c":
        raise ParameterError(f"{role}: an array of {array.dtype} came; wanted integers or floats, such as its abs()")
    return array if is_readable_in_place(array) else np.ascontiguousarray(array)


class Job:
    """A GstTomo.Reconstruction with its parameters and arrays."""

    def __init__(self, source, parameters, out=None, function="reconstruct"):
        self.object = GstTomo.Reconstruction.new(None)
        self.out = out
        parameters = {name_of(key, function): value for key, value in parameters.items()}
        if isinstance(source, (str, os.PathLike)):
            self._add(parameters, "scan", source)
        elif source is not None and hasattr(source, "_job"):  # a Scan
            for name, value in source._job.given.items():
                parameters.setdefault(name, value)
        elif source is not None:
            if not is_array(source):
                raise TypeError(f"a scan is the name of a file or folder, an array of projections, or a Scan, not {source!r}")
            self._add(parameters, "projections", source)
        self.given = {name: value for name, value in parameters.items() if value is not None}
        if out is not None:
            self._take_room(out)
        elif "output" not in self.given:
            self._set({"output": "memory:"})
        plain = {}
        for name, value in self.given.items():
            if name in ROLES and is_array(value):
                self._lend(name, value)
            else:
                plain[name] = plain_value(name, value)
        self._set(plain)

    @staticmethod
    def _add(parameters, name, value):
        if parameters.get(name) is not None:
            raise TypeError(f"{name} is given twice")
        parameters[name] = value

    def _lend(self, name, value):
        try:
            self.object.set_memory(name, wrapped(as_lent(name, value), name))
        except GLib.Error as e:
            raise error_of(e) from None

    def _take_room(self, out):
        if not isinstance(out, np.ndarray) or not out.flags.c_contiguous or not out.flags.writeable or not 2 <= out.ndim <= 3 \
                or out.size == 0 or not out.dtype.isnative:
            raise ParameterError("out is no array that a result fits into: wanted a writable, contiguous one of (slices, rows, columns)")
        if "output" in self.given:
            raise TypeError("both out and output are given; leave one of them out")
        self.object.set_memory("output", wrapped(out, "out", is_writable=True))

    def _set(self, plain):
        try:
            self.object.set_parameters(json.dumps(plain))
        except GLib.Error as e:
            raise error_of(e) from None
        except TypeError:
            wrong = next(f"{name}={value!r}" for name, value in plain.items() if not isinstance(value, (bool, int, float, str, list)))
            raise TypeError(f"a parameter does not take a value of this type: {wrong}") from None

    def ask(self, method):
        """What inspect(), estimate_axis() and plan() answer; other threads go on meanwhile. They can't be left by
        Ctrl-C before they have answered, but are aborted by it."""
        run = _Asked(self.object)
        with GstTomo.interruptible(run):
            try:
                return json.loads(getattr(self.object, method)())
            except GLib.Error as e:
                raise error_of(e) from None


class _Asked:
    def __init__(self, reconstruction):
        self.abort = reconstruction.abort


_running = weakref.WeakSet()


@atexit.register
def _abort_all():
    for run in list(_running):
        run.abort()
        run._settle()


class Run:
    """A reconstruction that runs, as an iterator over what happens. `result` is the array or the name of the file.

    Leaving the loop by an exception does not end it at once: `with run(...) as events:` does, or abort()."""

    def __init__(self, job, preview=None):
        self._job, self._preview = job, preview
        self._events = collections.deque()
        self._result = self._error = None
        self._outputs = ()
        self._is_over = False
        self._previewed = time.monotonic()
        self.status = "running"  # "done", "finished early", "failed" or "aborted"
        self.axis = None  # the axis that is used, an edge coordinate; None before it is known
        self.pixel_size = None  # of the result, in metres
        self.values = None  # of the parameter that is swept
        this = weakref.ref(self)
        self._handler = job.object.connect("event", lambda _, event: this() is not None and this()._take(json.loads(event)))
        try:
            job.object.start()
        except GLib.Error as e:
            raise error_of(e) from None
        _running.add(self)

    def _take(self, event):
        kind = event["event"]
        if kind == "stage":
            self._events.append(Stage(event["name"], event["index"], event["count"]))
        elif kind == "message":
            self._events.append(Message(event["level"], event["text"], event.get("element")))
        elif kind == "result":
            self._events.append(Result(event["name"], event["value"], event.get("unit", ""), event.get("uncertainty")))
        elif kind == "progress":
            self._events.append(Progress(event["stage"], event["done"], event["total"], event["unit"], event.get("rate"),
                                         event.get("seconds-left"), event.get("iteration"), event.get("iterations"),
                                         event.get("residual")))
        elif kind == "plan":
            self.axis = event.get("axis")
            self.pixel_size = event.get("pixel-size")
            self.values = event.get("values")
        elif kind == "done":
            self.status, self._outputs = event["status"], event["outputs"]
            self._events.append(Done(event["status"], event["outputs"]))

    def _step(self):
        """Until there is an event, or nothing more comes."""
        while not self._events and not self._is_over:
            if not self._job.object.poll(100):
                self._is_over = True
                self._settle()
            elif self._preview is not None and time.monotonic() - self._previewed >= self._preview:
                self._look()

    def _look(self):
        self._previewed = time.monotonic()
        sample = self._job.object.get_preview()
        if sample is not None:
            image = arranged(sample, np.asarray(Mapped(sample.get_buffer())))
            amid = sample.get_info()
            self._events.append(Preview(sample.get_buffer().offset, np.array(image), amid and amid.get_value("iteration")))

    def __iter__(self):
        return self

    def __next__(self):
        with GstTomo.interruptible(self):
            self._step()
        if self._events:
            return self._events.popleft()
        if self._error is not None:
            error, self._error = self._error, None
            raise error
        raise StopIteration

    def __aiter__(self):
        return self

    async def __anext__(self):
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(None, self._step)
        except asyncio.CancelledError:
            self.abort()
            raise
        try:
            return next(self)
        except StopIteration:
            raise StopAsyncIteration from None

    def _settle(self):
        _running.discard(self)
        try:
            self._job.object.wait()
        except GLib.Error as e:
            self._error = self._error or error_of(e)
            return
        self._result = self._take_result()

    def _take_result(self):
        from ._results import File, Slices

        sample = self._job.object.take_result()
        if sample is None:
            return None if not self._outputs or self._outputs[0].startswith("memory:") else File(self._outputs[0])
        array = arranged(sample, np.asarray(Mapped(sample.get_buffer(), is_writable=True)))
        array = array if array.ndim == 3 else array[None]
        if self._job.out is not None:
            array = self._job.out[tuple(slice(n) for n in array.shape)] if self._job.out.ndim == 3 else self._job.out
        return Slices(array, self.axis, self.pixel_size)

    @property
    def result(self):
        """Waits for the end. Raises Error where there is no result."""
        for _ in self:
            pass
        return self._result

    def is_running(self):
        return not self._is_over

    def finish(self):
        """Completes what was read; the result is a part."""
        self._job.object.finish()

    def pause(self):
        """Holds the streams until unpause(), finish() or abort(). From any thread."""
        self._job.object.pause()

    def unpause(self):
        self._job.object.unpause()

    def abort(self):
        """Ends it as soon as possible, without a result. From any thread."""
        self._job.object.abort()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._end()

    def __del__(self):
        if getattr(self, "_handler", None) is not None and not self._is_over:
            # With a listener, the object would wait for a main loop.
            self._job.object.disconnect(self._handler)
            self.abort()

    def _end(self):
        if not self._is_over:
            self.abort()
            while self._job.object.poll(100):
                pass
            self._is_over = True
            self._settle()
            self._error = None

    def __repr__(self):
        return f"<Run {self.status}: {', '.join(f'{k}={v!r}' for k, v in self._job.given.items() if not is_array(v))}>"
