# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The elements that can be nodes of a dataflow, as GStreamer's registry has them. No element is made here, so no device
is opened; what the registry does not know, an element's properties, tomo-query tells in a process of its own."""

import json
import re
import subprocess
from dataclasses import dataclass, field
from functools import cached_property

import gi

gi.require_version("Gst", "1.0")
from gi.repository import Gst  # noqa: E402

from .rooms import ROOMS, room_of  # noqa: E402

ARRAYS = "application/x-tomo-array"
# They hand on what they get.
PASS = {"queue", "queue2", "tee", "identity", "valve", "capsfilter", "input-selector", "output-selector", "progressreport", "clocksync",
        "concat", "funnel", "tomorefeed", "tomosleep", "tomomonitor", "tomoduplicate", "tomoloop", "tomobuffer"}
# Exchange data with an application, or are pipelines of their own.
UNFIT = {"appsrc", "appsink", "proxysrc", "proxysink", "pipeline", "playbin", "playbin3", "uriplaylistbin", "tomomemoryin", "tomomemoryout"}
ELSEWHERE = re.compile(r"audio|midi|rtp|dtls|sctp|subtitle|caption|payloader|testing|tuner|visualization|metadata|dvd|player|encoding", re.I)
WANTED = re.compile(r"^(Generic|Source|Sink|Filter|Codec|Transform|Debug|Util|Network|Video)")
UNIT = re.compile(r"\b(pixels|radians|degrees|metres|micrometres|keV|seconds|milliseconds|nanoseconds|bytes)\b", re.I)
SHORT = {"pixels": "px", "radians": "rad", "degrees": "deg", "metres": "m", "micrometres": "um", "kev": "keV", "seconds": "s",
         "milliseconds": "ms", "nanoseconds": "ns", "bytes": "B"}


@dataclass(frozen=True)
class Port:
    """A pad template: name is sink, darks or sink_%u."""

    name: str
    caps: str
    presence: str  # always, request, sometimes

    @property
    def is_numbered(self):
        return "%" in self.name

    @property
    def stem(self):
        return self.name.partition("%")[0]

    @property
    def counts(self):
        return self.name[len(self.stem):] in ("%u", "%d")

    def matches(self, pad):
        return pad == self.name or (self.is_numbered and pad.startswith(self.stem) and pad != self.stem)


@dataclass
class Element:
    """A kind of node. plugin is its name in JSON: that of a task, or of GStreamer's element."""

    plugin: str
    factory: str
    title: str
    description: str
    klass: str
    room: str
    is_task: bool
    inputs: list
    outputs: list
    description_of: object = field(default=None, repr=False)  # what tomo-query tells, once it was asked

    @property
    def is_passing(self):
        return self.factory in PASS

    @property
    def optional(self):
        return (self.description_of or {}).get("optional-inputs", [])

    @property
    def properties(self):
        return (self.description_of or {}).get("properties", [])

    @property
    def results(self):
        """Numbers that it finds out, which properties of others may follow."""
        return (self.description_of or {}).get("results", [])

    def property(self, name):
        return next((p for p in self.properties if p["name"] == name), None)

    def input_port(self, pad):
        return next((port for port in self.inputs if port.matches(pad)), None)

    def output_port(self, pad):
        if not pad:
            return self.outputs[0] if self.outputs else None
        return next((port for port in self.outputs if port.matches(pad)), None)

    def input_name(self, number):
        """The pad that is the n-th input in JSON; None if there is none."""
        fixed = [port.name for port in self.inputs if not port.is_numbered]
        numbered = [port for port in self.inputs if port.is_numbered]
        if number < len(fixed):
            return fixed[number]
        if len(numbered) == 1 and numbered[0].counts:
            return f"{numbered[0].stem}{number - len(fixed)}"
        return None

    def input_number(self, pad):
        """The opposite; None if the pad has only a name."""
        fixed = [port.name for port in self.inputs if not port.is_numbered]
        numbered = [port for port in self.inputs if port.is_numbered]
        if pad in fixed:
            return fixed.index(pad)
        if len(numbered) == 1 and numbered[0].counts and pad[len(numbered[0].stem):].isdigit() and numbered[0].matches(pad):
            return len(fixed) + int(pad[len(numbered[0].stem):])
        return None

    def output_name(self, number):
        """The pad that is the n-th output in JSON, empty for the first one; None if there is none."""
        if number == 0 or (len(self.outputs) == 1 and self.outputs[0].is_numbered):
            return ""
        return self.outputs[number].name if number < len(self.outputs) and not self.outputs[number].is_numbered else None

    def shown_inputs(self, used):
        """The names of pads to draw: of those with numbers the used ones and one more."""
        names = []
        for port in self.inputs:
            if not port.is_numbered:
                names.append(port.name)
                continue
            taken = sorted((pad for pad in used if port.matches(pad)), key=_by_number)
            free = next(n for n in range(len(taken) + 1) if f"{port.stem}{n}" not in taken)
            names += sorted([*taken, f"{port.stem}{free}"] if port.counts else taken, key=_by_number)
        return names

    @cached_property
    def words(self):
        return " ".join((self.plugin, self.factory, self.title, self.description, self.klass, ROOMS.get(self.room, self.room))).lower()


def _by_number(pad):
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", pad)]


def unit_of(info):
    """The unit that the description of a property names; empty if it names none."""
    found = UNIT.search(info["description"]) if info["type"] in ("integer", "number", "array") else None
    return SHORT[found.group(1).lower()] if found else ""


def describe_caps(caps):
    """In words: "arrays of complex64", "video/x-raw"."""
    if caps.is_any():
        return "anything"
    names = []
    for i in range(caps.get_size()):
        structure = caps.get_structure(i)
        name = structure.get_name()
        if name == ARRAYS:
            formats = _formats(structure)
            name = "arrays" if len(formats) > 3 else f"arrays of {', '.join(formats)}"
        if name not in names:
            names.append(name)
    return ", ".join(names[:4]) + (", ..." if len(names) > 4 else "")


def _formats(structure):
    text = structure.to_string()
    found = re.search(r"format=\((?:string)\)(\{[^}]*\}|[\w-]+)", text)
    return [word.strip().removeprefix("(string)").strip() for word in found.group(1).strip("{}").split(",")] if found else []


def _has(caps, name):
    return any(caps.get_structure(i).get_name() == name for i in range(caps.get_size()))


def _arrays(caps):
    return {f for i in range(caps.get_size()) if caps.get_structure(i).get_name() == ARRAYS for f in _formats(caps.get_structure(i))}


def advice(given, taken):
    """The element to put between two that do not fit; empty if none is known."""
    if _has(given, ARRAYS) and _has(taken, ARRAYS):
        if _arrays(given) == {"complex64"}:
            return "put ifft between, which makes images of spectra"
        if _arrays(taken) == {"complex64"}:
            return "put fft between, which makes spectra of images"
        return "put calculate expression=v between, which gives float32" if "float32" in _arrays(taken) else ""
    if _has(given, ARRAYS):
        return "put convert between, which makes video of arrays" if _has(taken, "video/x-raw") else "write stores arrays in files"
    if _has(taken, ARRAYS):
        return "put convert between, which makes arrays of video" if _has(given, "video/x-raw") else "read makes arrays of files"
    return ""


def why_not(given, taken):
    """Why caps do not fit, or nothing. Both are texts."""
    given, taken = Gst.Caps.from_string(given), Gst.Caps.from_string(taken)
    if given.can_intersect(taken):
        return ""
    hint = advice(given, taken)
    return f"gives {describe_caps(given)}, but {{}} takes {describe_caps(taken)}" + (f": {hint}" if hint else "")


def joint(a, b):
    """What both caps have."""
    return Gst.Caps.from_string(a).intersect(Gst.Caps.from_string(b)).to_string()


class Catalogue:
    """All elements, by their names in JSON."""

    def __init__(self):
        Gst.init(None)
        self.elements = {}
        for factory in Gst.Registry.get().get_feature_list(Gst.ElementFactory):
            element = _element(factory)
            if element:
                self.elements[element.plugin] = element
        self._by_factory = {element.factory: element for element in self.elements.values()}

    def find(self, plugin):
        """None if there is none. Names are found as the loader finds them: a task first, also as tomoread."""
        ours = "tomo" + plugin.replace("-", "").replace("_", "")
        return self._by_factory.get(ours) or self.elements.get(plugin) or self._by_factory.get(plugin)

    def listed(self, text=""):
        """Elements that make sense as nodes, those first whose names have the text; all words have to occur."""
        wanted = text.lower().split()
        found = [element for element in self.elements.values() if is_sensible(element) and all(word in element.words for word in wanted)]

        def rank(element):
            name = element.plugin
            return (0 if name == text else 1 if text and name.startswith(text) else 2 if text and text in name else 3, not element.is_task, name)

        return sorted(found, key=rank)

    def take_descriptions(self, descriptions):
        """What tomo-query told of elements."""
        for about in descriptions:
            element = self.find(about.get("task") or about["element"])
            if element is None:
                continue
            element.description_of = about
            # In the order of the loader, which is that of numbers in JSON.
            for ports, names in ((element.inputs, about["inputs"]), (element.outputs, about["outputs"])):
                ports.sort(key=lambda port: names.index(port.name) if port.name in names else len(names))

    def describe(self, *words):
        """Asks tomo-query and waits: for tests and for threads."""
        done = subprocess.run(["tomo-query", "--json", *words], capture_output=True, text=True, timeout=60, check=True)
        told = json.loads(done.stdout)
        self.take_descriptions(told if isinstance(told, list) else [told])


def _element(factory):
    ports = {Gst.PadDirection.SINK: [], Gst.PadDirection.SRC: []}
    for template in factory.get_static_pad_templates():
        presence = {Gst.PadPresence.ALWAYS: "always", Gst.PadPresence.REQUEST: "request"}.get(template.presence, "sometimes")
        if template.direction in ports:
            ports[template.direction].append(Port(template.name_template, template.static_caps.string, presence))
    inputs, outputs = ports[Gst.PadDirection.SINK], ports[Gst.PadDirection.SRC]
    if not inputs and not outputs:
        return None
    task, name = factory.get_metadata("tomo-task"), factory.get_name()
    klass = factory.get_metadata("klass") or ""
    return Element(task or name, name, factory.get_metadata("long-name") or name, factory.get_metadata("description") or "", klass,
                   room_of(task, klass, inputs, outputs), bool(task), inputs, outputs)


def is_sensible(element):
    if element.factory in UNFIT:
        return False
    return element.is_task or bool(WANTED.match(element.klass) and not ELSEWHERE.search(element.klass + " " + element.factory))
