# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Task classes, made from GStreamer's registry of elements."""

import functools
import inspect
import json
import keyword
import textwrap

from gi.repository import GLib, GObject, Gst, GstTomo

from ._flow import Call, Error, Flow, Outputs, Result, arrays_of, or_rather, together


class Task:
    """A task with its properties. Calling it with its inputs gives a Flow."""

    _plugin = None  # set by the classes that are made
    _inputs = ()
    _optional = ()
    _gives_output = False
    _outputs = ()  # where there are several with names
    _optional_outputs = ()
    _properties = {}
    _results = ()

    def __init__(self, **properties):
        self._given = {}
        self._found = {}
        self._own_call = None
        self._runs = []  # weak references to those that have elements of this task; threads share it
        self._prototype = GstTomo.make_task(self._plugin, None)
        for name, value in properties.items():
            if name not in self._properties:
                raise TypeError(self._no("property", name, self._properties))
            setattr(self, name, value)

    def __setattr__(self, name, value):
        if name.startswith("_"):
            return super().__setattr__(name, value)
        if name not in self._properties:
            raise AttributeError(self._no("property", name, self._properties))
        runs = [run for run in (weak() for weak in list(self._runs)) if run is not None and run.is_running()]
        running = [element for run in runs for task, element in run._elements if task is self]
        if self._is_fixed_at_start(name) and (running or isinstance(value, Result)):
            raise Error(f"{name} of {type(self).__name__} can only be set before the start, " +
                        ("and a run is under way: set it after wait() or abort()" if running else
                         f"and {value!r} comes later"))
        if isinstance(value, Result):
            self._given[name] = value
            return
        try:
            for element in (self._prototype, *running):
                GstTomo.set_properties(element, **{name: value})
        except GLib.Error as e:
            raise ValueError(f"{type(self).__name__}: {e.message}") from None
        self._given[name] = value

    def _is_fixed_at_start(self, name):
        flags = self._prototype.find_property(name.replace("_", "-")).flags
        return bool(flags & (Gst.PARAM_MUTABLE_READY | Gst.PARAM_MUTABLE_PAUSED)
                    and not flags & (Gst.PARAM_MUTABLE_PLAYING | Gst.PARAM_CONTROLLABLE))

    def _no(self, kind, name, names):
        return f"{type(self).__name__} has no {kind} '{name}'{or_rather(name, names)}"

    def _readable(self, name):
        """The property of that name, with - for _."""
        specs = [spec.name for spec in self._prototype.list_properties() if spec.flags & GObject.ParamFlags.READABLE]
        if (name := name.replace("_", "-")) not in specs:
            own = [*self._results, *(key.replace("_", "-") for key in self._properties)]
            raise AttributeError(self._no("result", name, own))
        return name

    def _listen(self, element):
        """Keeps the results of an element of this task, also when the element is gone."""
        found = self._found
        for name in self._results:
            element.connect("notify::" + name,
                            lambda element, spec: found.update({spec.name: element.get_property(spec.name)}))

    def _values_and_results(self):
        results = {name: value for name, value in self._given.items() if isinstance(value, Result)}
        return {name: value for name, value in self._given.items() if name not in results}, results

    def __call__(self, *inputs, **named):
        """Connects its inputs, in their order or by name, and returns the Flow that comes out, or Outputs where there
        are several. An input is a flow, a source, a numpy array (an image, or a stack of images or volumes), or an
        iterable of arrays, such as a generator; all arrays of one input have one type and shape. Streams hold uint8,
        uint16, uint32, int16, int32, float16, float32, float64 and complex64. bool becomes uint8, int8 int16, int64 int32
        and uint64 uint32, which have to hold the values. Raises TypeError for other types and for wrong inputs."""
        numbered = list(enumerate(inputs))
        for name, given in named.items():
            name = name.replace("_", "-") if name not in self._inputs else name
            if name not in self._inputs:
                raise TypeError(self._no("input", name, self._inputs))
            numbered.append((self._inputs.index(name), given))
        numbers = [number for number, _ in numbered]
        if len(set(numbers)) != len(numbers):
            raise TypeError(f"an input of {type(self).__name__} is given twice")
        fixed = not any("%" in name for name in self._inputs)
        if fixed and any(number >= len(self._inputs) for number in numbers):
            raise TypeError(f"{type(self).__name__} takes {len(self._inputs)} inputs, not {len(numbers)}")
        if fixed and len(numbers) < len(self._inputs):
            missing = [name for i, name in enumerate(self._inputs) if i not in numbers and name not in self._optional]
            if missing:
                raise TypeError(f"inputs of {type(self).__name__} are missing: {', '.join(missing)}")
        if self._inputs and not numbers:
            raise TypeError(f"{type(self).__name__} needs inputs")
        call = Call(self, [(number, self._input(given)) for number, given in numbered])
        return Outputs(call) if self._outputs else Flow(call)

    @property
    def outputs(self):
        """The outputs of a source that has several: outputs["darks"] or outputs.darks. Always those of one call, so
        that the source runs once."""
        if not self._outputs or self._inputs:
            raise AttributeError(f"{type(self).__name__} is no source with several outputs")
        if self._own_call is None:
            self._own_call = self()
        return self._own_call

    def _input(self, given):
        if isinstance(given, Task):
            given = given.outputs if given._outputs and not given._inputs else given()
        if isinstance(given, Flow):
            if not given.task._gives_output:
                raise TypeError(f"{type(given.task).__name__} gives no output for {type(self).__name__}")
            return given
        return arrays_of(given)

    def __iter__(self):
        """Its arrays, as numpy arrays, or its outputs where there are several: for tasks that take no input."""
        if not self._inputs:
            return iter(self.outputs if self._outputs else self())
        raise TypeError(f"{type(self).__name__} takes inputs: iterate over {type(self).__name__}(...)(INPUT)")

    def __array__(self, dtype=None):
        """All its arrays as one: for tasks that take no input."""
        return together(self, dtype)

    def __repr__(self):
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in self._given.items())})"


def _property(name, info):
    doc = f"{info['description']} ({info['values']})"
    attribute = name.replace("_", "-")
    return property(lambda self: self._prototype.get_property(attribute), lambda self, value: setattr(self, name, value),
                    doc=doc)


def _result(info):
    name = info["name"]
    return property(lambda self: self._found.get(name), doc=f"{info['description']}: the last one found, or None")


def _usage(name, info, outputs):
    """A call in Python, with names of inputs and outputs where they have some."""
    optional = info["optional-inputs"]
    inputs = [i.replace("-", "_") + ("=None" if i in optional else "") for i in info["inputs"]]
    if any("%" in i for i in inputs):
        inputs = [i for i in inputs if "%" not in i] + ["INPUT", "INPUT", "..."]
    elif len(inputs) == 1:
        inputs = ["INPUT"]
    text = f"{name}(...)({', '.join(inputs)})" + ("" if info["outputs"] else ".run().wait()")
    if not outputs:
        return text
    usual = ", ".join(o.replace("-", "_") for o in outputs if o not in info["optional-outputs"])
    more = "".join(f"; .outputs.{o.replace('-', '_')}" for o in info["optional-outputs"])
    return f"{usual} = {text}{more}"


@functools.lru_cache(maxsize=None)
def class_of(plugin):
    """The class of a task or of any GStreamer element."""
    try:
        info = json.loads(GstTomo.describe_task(plugin))
    except GLib.Error as e:
        raise Error(e.message) from None
    properties = {p["name"].replace("-", "_"): p for p in info["properties"]}
    name = "".join(part.capitalize() for part in info.get("task", info["element"]).split("-"))
    outputs = tuple(info["outputs"]) if len(info["outputs"]) > 1 and "%" not in "".join(info["outputs"]) else ()
    lines = [info["description"], "", "    " + _usage(name, info, outputs), "", "Properties:"]
    for key, p in properties.items():
        if p["own"]:
            lines += textwrap.wrap(f"{key}: {p['description']} ({p['values']}; default {p['default']})", 100,
                                   initial_indent="    ", subsequent_indent="        ")
    if info["results"]:
        lines.append("Results:")
        lines += [f"    {r['name'].replace('-', '_')}: {r['description']}" for r in info["results"]]
    members = {key: _property(key, p) for key, p in properties.items()}
    members.update({r["name"].replace("-", "_"): _result(r) for r in info["results"]})
    members.update(
        _results=tuple(r["name"] for r in info["results"]),
        _plugin=plugin, _inputs=tuple(info["inputs"]), _optional=tuple(info["optional-inputs"]),
        _gives_output=bool(info["outputs"]), _properties=properties,
        _outputs=outputs, _optional_outputs=tuple(info["optional-outputs"]),
        __doc__="\n".join(lines), __module__="gsttomo",
        __signature__=inspect.Signature([
            inspect.Parameter(key, inspect.Parameter.KEYWORD_ONLY, default=p["default"])
            for key, p in properties.items() if p["own"] and not keyword.iskeyword(key)]))
    return type(name, (Task,), members)


def class_names():
    """From the name of each class to its task."""
    return {"".join(part.capitalize() for part in task.split("-")): task for task in GstTomo.list_tasks()}


def overview():
    """A line for each class."""
    lines = []
    for name, task in sorted(class_names().items()):
        factory = Gst.ElementFactory.find("tomo" + task.replace("-", ""))
        lines.append(f"    {name}: {factory.get_metadata('description')}" if factory else f"    {name}")
    return "\n".join(textwrap.fill(line, 110, subsequent_indent=" " * 8) for line in lines)


def element(plugin, **properties):
    """A task that is any GStreamer element, by the element's own name: element("videotestsrc", num_buffers=3)."""
    return class_of(plugin)(**properties)
