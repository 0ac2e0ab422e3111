# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Dataflows that stay between calls, so that a call costs no start: arrays go in, one comes out for each."""

import atexit
import collections
import contextlib
import os
import threading
import time
import typing
import warnings

import gi
import numpy as np

gi.require_version("Gst", "1.0")
gi.require_version("GstTomo", "1.0")
from gi.repository import GLib, Gst, GstTomo  # noqa: E402

from ._arrays import caps_of, lent, view_of  # noqa: E402
from ._flow import Error, let_flow  # noqa: E402

WAITING = 100 * Gst.MSECOND  # between looks at whether the stream has failed
AT_ONCE = 2  # lines that use a device at once: one moves arrays while the other one computes
KEPT = 4  # lines that wait for the next call

Scan = collections.namedtuple("Scan", "angles axis")  # of the views of an array; the axis is an edge coordinate


class Recipe(typing.NamedTuple):
    """Of a line. Two lines with equal recipes do the same."""
    tasks: tuple  # of pairs: a task, and its properties as a tuple of pairs
    dtype: np.dtype
    shape: tuple  # of each array
    together: int  # arrays that come and may be computed together; 0: many
    device: str  # by the property of that name; "" for the best one


class Line:
    """The dataflow of a recipe, for one thread at a time."""

    def __init__(self, recipe):
        self.recipe = recipe
        self.facts = []  # structures of the elements' messages since the last run began
        self._warnings = []
        self._scan = None
        self._caps = caps_of(np.empty(recipe.shape, recipe.dtype))
        self._graph = GstTomo.Graph.new()
        heard = self.facts, self._warnings  # the graph must not keep the line alive
        self._listener = self._graph.connect("message", lambda _, message: _hear(message, *heard))
        try:
            self._start()
        except GLib.Error as e:
            self.end()
            raise Error(e.message) from None
        except BaseException:
            self.end()
            raise

    def _start(self):
        recipe = self.recipe
        self._source = self._add("appsrc", format="time", block=False, max_bytes=0, max_buffers=0)
        self._source.set_caps(self._caps)
        self._answer(recipe.together)
        last = self._source
        for number, (task, properties) in enumerate(recipe.tasks):
            node = self._add(task, **dict(properties), **({"device": recipe.device} if recipe.device and not number else {}))
            self._graph.connect_nodes(last.get_name(), node.get_name(), 0)
            last = node
        self._sink = self._add("appsink", sync=False, max_buffers=4, enable_last_sample=False, caps="application/x-tomo-array")
        self._graph.connect_nodes(last.get_name(), self._sink.get_name(), 0)
        self._graph.start()
        # The start may throw away what comes before.
        while self._source.get_state(0).state < Gst.State.PAUSED:
            self._must_go_on()
            time.sleep(0.001)

    def _add(self, plugin, **properties):
        element = self._graph.add_node(plugin, None)
        GstTomo.set_properties(element, **properties)
        return element

    def _answer(self, together):
        """Elements may hold arrays back to compute several at once, and learn how many come."""
        let_flow(self._source, wherever=True)
        if not together:
            return

        def count(_pad, info):
            query = info.get_query()
            if query.type != Gst.QueryType.DURATION or query.parse_duration()[0] != Gst.Format.DEFAULT:
                return Gst.PadProbeReturn.OK
            query.set_duration(Gst.Format.DEFAULT, together)
            return Gst.PadProbeReturn.HANDLED

        self._source.get_static_pad("src").add_probe(Gst.PadProbeType.QUERY_UPSTREAM | Gst.PadProbeType.PUSH, count)

    def run(self, arrays, scans, take):
        """Calls take(number, result) for each array, with a view that is valid until then. `scans` has the Scan of each
        array. Behind that, `facts` has all messages of elements that belong to the results. Returns warnings. Raises Error; behind that, and behind any other exception, the line is of no more use."""
        self._graph.poll(0)  # what was left, such as an end
        self.facts.clear()
        given = taken = 0
        while taken < len(arrays):
            wait = 0 if given < len(arrays) else WAITING
            sample = self._sink.try_pull_sample(wait)
            if sample is not None:
                take(taken, view_of(sample))
                del sample
                taken += 1
            elif given < len(arrays):
                self._give(arrays[given], scans[given])
                given += 1
                if given == len(arrays):
                    self._send(Gst.Event.new_custom(Gst.EventType.CUSTOM_DOWNSTREAM, Gst.Structure.new_empty("gst-tomo-go-on")))
            else:
                self._must_go_on()
        self._graph.sync()  # messages go another way than arrays
        told = self._warnings[:]
        self._warnings.clear()
        return told

    def _give(self, array, scan):
        if scan is not None and scan != self._scan:
            self._send(GstTomo.event_new_tomo_scan(scan.angles, scan.axis, float("nan")))
            self._scan = scan
        if self._source.push_sample(lent(array, caps=self._caps)) != Gst.FlowReturn.OK:
            self._must_go_on()
            raise Error("the dataflow takes no more arrays")

    def _send(self, event):
        if not self._source.send_event(event):
            self._must_go_on()
            raise Error("the dataflow takes no events")

    def _must_go_on(self):
        if not self._graph.poll(0):
            try:
                self._graph.wait()
            except GLib.Error as e:
                raise Error(e.message) from None
            raise Error("the dataflow has ended")

    def end(self):
        """Ends its threads and frees its memory."""
        self._graph.abort()
        listener, self._listener = self._listener, None  # the end of the interpreter may come in between
        if listener is not None:
            self._graph.disconnect(listener)
        with contextlib.suppress(GLib.Error):  # that it was aborted
            self._graph.wait()


def _hear(message, facts, told):
    if message.type == Gst.MessageType.WARNING:
        told.append(message.parse_warning()[0].message)
    elif message.type == Gst.MessageType.ELEMENT:
        facts.append(message.get_structure())


class Lines:
    """Lines that are used or wait, for all threads. A device computes for a few of them at once, whatever the number of
    threads: more would want more memory and give nothing."""

    def __init__(self):
        self._forget()

    def _forget(self):
        self._changed = threading.Condition()
        self._waiting = []  # the one that was used last at the end
        self._used = collections.Counter()  # lines, by device
        self._working = set()
        self._is_over = False

    def run(self, recipe, devices, arrays, scans, take, warn=4):
        """As Line.run(), on that of the devices which has the least to do. Waits while all of them are busy. Returns what
        the elements told. `warn` is the level of the stack that warnings are about; 0: there are none."""
        device, line = self._begin(recipe, devices)
        try:
            if line is None:
                self._make_room(device)
                line = Line(recipe._replace(device=device))
            self._working.add(line)
            told = line.run(arrays, scans, take)
            facts = list(line.facts)
        except BaseException:
            if line is not None:
                line.end()
            self._finish(device, line, is_good=False)
            raise
        self._finish(device, line, is_good=True)
        for words in told if warn else ():
            warnings.warn(words, stacklevel=warn)
        return facts

    def _begin(self, recipe, devices):
        with self._changed:
            while True:
                if self._is_over:
                    raise Error("the interpreter ends")
                device = min(devices, key=lambda name: self._used[name])
                if self._used[device] < AT_ONCE:
                    break
                self._changed.wait()
            self._used[device] += 1
            for line in reversed(self._waiting):
                if line.recipe == recipe._replace(device=device):
                    self._waiting.remove(line)
                    return device, line
        return device, None

    def _finish(self, device, line, is_good):
        dropped = []
        with self._changed:
            self._working.discard(line)
            self._used[device] -= 1
            if is_good:
                self._waiting.append(line)
                if len(self._waiting) > KEPT or self._is_over:
                    dropped.append(self._waiting.pop(0))
            self._changed.notify_all()  # those that wait may want other devices
        for line in dropped:
            line.end()

    def _make_room(self, device):
        """Ends lines that wait where they hold memory that a new one may want."""
        used, limit = memory_of(device)
        if used > limit / 4:
            self.end_waiting()

    def end_waiting(self):
        with self._changed:
            dropped, self._waiting = self._waiting, []
        for line in dropped:
            line.end()

    def end_all(self):
        """Before the interpreter ends: threads of a stream must not call it any more."""
        with self._changed:
            self._is_over = True
            self._changed.notify_all()
            working = list(self._working)
        for line in working:
            line.end()
        self.end_waiting()


def memory_of(device):
    """Bytes in use, and how many may be, on the device that the property `device` of an element means. Raises Error. The
    device is not kept: memory that lines have left stays with it."""
    try:
        context = GstTomo.Context.new(device or None)
    except GLib.Error as e:
        raise Error(e.message) from None
    about = context.get_default_device()
    return about.get_memory_in_use(), about.get_memory_limit()


def all_devices():
    """Values of the property `device` for each of them."""
    return tuple(str(n) for n in range(GstTomo.Context.new(None).get_n_devices()))


lines = Lines()
atexit.register(lines.end_all)
os.register_at_fork(after_in_child=lines._forget)  # they go on in the parent
