# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Additions of Python to GstTomo-1.0: values of all kinds for properties, runs that Ctrl-C ends, and UFO's names
PluginManager, TaskGraph and Scheduler, so that its scripts need only `from gi.repository import GstTomo as Ufo`.
"""

import contextlib
import json
import math
import os
import signal
import threading

import gi

gi.require_version("Gst", "1.0")
from gi.module import get_introspection_module  # noqa: E402
from gi.overrides import override  # noqa: E402
from gi.repository import GObject, Gst  # noqa: E402

GstTomo = get_introspection_module("GstTomo")
Gst.init(None)

__all__ = []


def to_plain(value):
    """The value as JSON has it: numpy scalars and arrays, paths and numbers that are not finite included."""
    if isinstance(value, GObject.GEnum):  # its number would be taken for UFO's
        return value.value_nick
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, os.PathLike):
        value = os.fspath(value)
    if isinstance(value, float) and not math.isfinite(value):
        return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"
    if isinstance(value, (list, tuple)):
        return [to_plain(v) for v in value]
    if isinstance(value, dict):
        return {str(k): to_plain(v) for k, v in value.items()}
    return value


def set_properties(element, **properties):
    """Sets properties by their names, with _ for -, and checks what GObject would clip. Raises GLib.Error."""
    for name, value in properties.items():
        name = name.replace("_", "-")
        plain = to_plain(value)
        if plain is None or not isinstance(plain, (bool, int, float, str, list, dict)):
            element.set_property(name, value)
        else:
            GstTomo.set_properties_from_json(element, json.dumps({name: plain}))


__all__ += ["set_properties"]


@contextlib.contextmanager
def interruptible(graph):
    """While a graph is waited for: Ctrl-C aborts it and raises KeyboardInterrupt at the end. Python's own handler
    raises it wherever the interpreter is, which may be a signal's handler, where exceptions are printed and lost."""
    is_ours = (threading.current_thread() is threading.main_thread()
               and signal.getsignal(signal.SIGINT) is signal.default_int_handler)
    if not is_ours:
        yield
        return
    interrupts = []

    def interrupt(*_):
        interrupts.append(True)
        graph.abort()

    signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    except Exception:
        if not interrupts:
            raise
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if interrupts:
        raise KeyboardInterrupt


__all__ += ["interruptible"]


class Graph(GstTomo.Graph):
    def wait(self):
        """Waits for the end of a run; Ctrl-C aborts it. Other threads go on meanwhile."""
        with interruptible(self):
            while self.poll(100):
                pass
            return super().wait()

    def run(self):
        self.start()
        return self.wait()


Graph = override(Graph)
__all__ += ["Graph"]


class Task:
    """A node of a TaskGraph. Attributes that it does not have are those of its element."""

    def __init__(self, element):
        self.element = element

    def set_properties(self, **properties):
        set_properties(self.element, **properties)

    def set_property(self, name, value):
        set_properties(self.element, **{name: value})

    def __getattr__(self, name):
        if name == "element":
            raise AttributeError(name)
        return getattr(self.element, name)

    def __repr__(self):
        return f"<Task {self.element.get_name()}>"


__all__ += ["Task"]


def element_of(task):
    return task.element if isinstance(task, Task) else task


class PluginManager:
    def get_task(self, name):
        """A new task by its name, which may also be that of any GStreamer element."""
        return Task(GstTomo.make_task(name, None))

    def get_all_task_names(self):
        return GstTomo.list_tasks()


__all__ += ["PluginManager"]


class _Reader:
    """A method that reads into a new graph when it is called on the class, and into its own when on an object."""

    def __init__(self, make, doc):
        self.make, self.__doc__ = make, doc

    def __get__(self, graph, cls):
        def read(manager, source):
            target = cls() if graph is None else graph
            target.graph = self.make(os.fspath(source))
            return target

        read.__doc__ = self.__doc__
        return read


class TaskGraph:
    def __init__(self):
        self.graph = GstTomo.Graph.new()

    def connect_nodes(self, source, target, input=0, output=None):
        """From one task to an input of another one; `output` names one of several outputs, such as "darks"."""
        source, target = element_of(source), element_of(target)
        if output is None:
            self.graph.connect_elements(source, target, input)
            return
        for element in (source, target):
            self.graph.add_element(element)
        self.graph.connect_output(source.get_name(), output, target.get_name(), input)

    connect_nodes_full = connect_nodes

    read_from_file = _Reader(GstTomo.Graph.new_from_file, "read_from_file(plugin_manager, file): a JSON file as a graph")
    read_from_data = _Reader(GstTomo.Graph.new_from_json, "read_from_data(plugin_manager, text): JSON as a graph")

    def save_to_json(self, file):
        self.graph.write_json(os.fspath(file))

    def get_nodes(self):
        return [Task(self.graph.get_node(name)) for name in self.graph.list_nodes()]


__all__ += ["TaskGraph"]


class Scheduler:
    """Runs graphs. GStreamer schedules: a queue in the graph begins a thread, and the property `device` of a task
    places it."""

    def __init__(self):
        self._graph = None

    def run(self, graph):
        """Runs a graph to its end; other threads of Python go on meanwhile. Raises GLib.Error."""
        self._graph = graph.graph if isinstance(graph, TaskGraph) else graph
        self._graph.run()

    def abort(self):
        """Ends the run, from any thread."""
        if self._graph:
            self._graph.abort()

    @property
    def time(self):
        """Seconds that the last run took."""
        return self._graph.props.time if self._graph else 0.0


FixedScheduler = Scheduler
__all__ += ["Scheduler", "FixedScheduler"]
