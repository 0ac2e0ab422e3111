# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What faces say and ask about slices while the sample turns: sources, parameters, planes, the course of a run, and the stream of the process
that makes them (gsttomo._live_process)."""

import dataclasses
import glob
import json
import math
import re

from .texts import in_form

TITLES = {"camera": "Camera", "correction": "Darks and flats", "phase": "Phase", "angles": "Angles", "slices": "Slices", "keep": "Keeping frames",
          "machine": "Computer"}
OPEN = ("angles", "slices")        # sections that a form shows at first
NOT_IN_FORM = {"source", "planes", "keep-path"}  # which have places of their own
FACE_ONLY = ("minimum", "maximum")  # that no slice depends on
FILES = ("darks", "flats")
NORMALS = ("x", "y", "z")
ACROSS = {"x": ("y", "z"), "y": ("x", "z"), "z": ("x", "y")}  # directions along columns and rows of a plane
COLOURS = {"x": "#e070d0", "y": "#60b0ff", "z": "#f0c040"}    # of the line where a plane cuts another one
MOST_PLANES = 16
FIELDS = 10          # frames that a face proposes for darks and flats
KEEP_SECONDS = 20.0  # that it proposes to keep of the past
VOLUME_RATE = 1.0    # coarse volumes a second where somebody wants to see them
EMPTY = ("Slices while the sample turns: choose a camera, or play a scan, and start. The demo is a beamline of its own, with a sample that turns.")
START, STOP, PAUSE, RESUME, KEEP, STOP_KEEPING = "Start", "Stop", "Pause", "Resume", "Keep", "Stop keeping"
TAKE, CANCEL = {"darks": "Take darks", "flats": "Take flats"}, {"darks": "Cancel darks", "flats": "Cancel flats"}
SHOW_VOLUME, HIDE_VOLUME = "Show volume", "Hide volume"
DEMO_BUTTON = "Start demo camera"


@dataclasses.dataclass(frozen=True)
class Source:
    """name: for addresses and options; description: for GStreamer; values: of parameters that go with it"""
    name: str
    title: str
    description: str
    values: dict = dataclasses.field(default_factory=dict)


DEMO = Source("demo", "Demo camera", "tomophantomcamera name=camera width=256 height=192 half-turn=150 frame-rate=30 noise=0.2",
              {"half-turn": 150, "axis": 128.0, "rate": 5.0, "volume-size": 96})


def sources(has_element):
    """Those that this computer has: the demo, and a camera of each kind. has_element: whether GStreamer has an element"""
    found = [DEMO]
    if has_element("tomocamera"):
        found.append(Source("genicam", "GigE or USB3 Vision camera", "tomocamera"))
    elif has_element("aravissrc"):
        found.append(Source("genicam", "GigE or USB3 Vision camera", "aravissrc"))
    if has_element("v4l2src"):
        found += [Source(f"video{number}", f"Video camera {number}", f"v4l2src device={path} ! videoconvert ! video/x-raw,format=GRAY8")
                  for number, path in enumerate(sorted(glob.glob("/dev/video*")))]
    return found


# Planes

@dataclasses.dataclass(frozen=True)
class Plane:
    """A plane as GstTomo.Live writes it. `parts` are pairs of a name and a text in their order."""
    parts: tuple

    @classmethod
    def read(cls, text):
        return cls(tuple(tuple(part.strip() for part in one.partition("=")[::2]) for one in text.split(",")))

    def __str__(self):
        return ",".join(f"{name}={value}" for name, value in self.parts)

    def part(self, name):
        return next((value for key, value in self.parts if key == name), None)

    @property
    def normal(self):
        """x, y or z; None for another plane."""
        return next((name for name, _ in self.parts if name in NORMALS), None)

    @property
    def offset(self):
        return _number(self.part(self.normal)) if self.normal else None

    def at(self, offset):
        """The same plane at another place along x, y or z."""
        normal = self.normal
        return Plane(tuple((name, _short(offset)) if name == normal else (name, value) for name, value in self.parts))

    def moved(self, pixels):
        """The same plane so many pixels further along its normal."""
        if self.normal:
            return self.at(self.offset + pixels)
        middle, right, down = (_vector(self.part(name)) for name in ("at", "right", "down"))
        if None in (middle, right, down):
            return self
        across = [right[1] * down[2] - right[2] * down[1], right[2] * down[0] - right[0] * down[2], right[0] * down[1] - right[1] * down[0]]
        length = math.hypot(*across) or 1.0
        there = ":".join(_short(begin + pixels * step / length) for begin, step in zip(middle, across))
        return Plane(tuple((name, there) if name == "at" else (name, value) for name, value in self.parts))

    def limited(self, columns, rows, axis):
        """Where it would miss the detector's field, the same plane at the edge."""
        if not self.normal or not columns:
            return self
        low, high = (-rows / 2, rows / 2) if self.normal == "z" else (-axis, columns - axis)
        return self.at(min(max(self.offset, low), high)) if not low <= self.offset <= high else self


def place_of(text, columns, rows, axis, size, shape):
    """Where a slice lies, for faces that draw lines over it: {normal, offset, along, begin, step}. The edge of its first column is at begin[0]
    pixels along along[0], and its columns are step pixels apart; the same of rows. None for other planes.
    columns, rows, axis: of the detector; size: the parameter; shape: (rows, columns) of the slice"""
    plane = Plane.read(text)
    if not plane.normal or not columns:
        return None
    own = _number(plane.part("size")) or (size if len(plane.parts) == 1 else 0)
    step = columns / own if own else _number(plane.part("step")) or 1.0
    middle = columns / 2 - axis
    along = ACROSS[plane.normal]
    begin = [(0.0 if name == "z" else middle) - pixels * step / 2 for name, pixels in zip(along, (shape[1], shape[0]))]
    return {"normal": plane.normal, "offset": plane.offset, "along": list(along), "begin": begin, "step": step}


def place_of_maximum(along, columns, rows, axis, shape):
    """The same of the largest values of a coarse volume along x, y or z. shape: of that image"""
    return place_of(f"{along}=0,size={shape[1]}", columns, rows, axis, 0, shape)  # whose columns are those of the whole field


def lines_in(place, planes):
    """Where other planes cut a slice: (number of the plane, 0 for a line across columns or 1 across rows, position in its samples)."""
    if not place:
        return []
    found = []
    for number, text in enumerate(planes):
        plane = Plane.read(text)
        if plane.normal in place["along"]:
            which = place["along"].index(plane.normal)
            found.append((number, which, (plane.offset - place["begin"][which]) / place["step"]))
    return found


def offset_at(place, which, position):
    """The inverse: the offset of a plane whose line lies at a position in the samples of a slice, to a tenth of a pixel."""
    return round(place["begin"][which] + position * place["step"], 1)


def _number(text):
    try:
        return float(text)
    except (TypeError, ValueError):
        return 0.0


def _short(value):
    return f"{round(value, 2):.10g}"


def _vector(text):
    try:
        numbers = [float(part) for part in text.split(":")]
    except (AttributeError, ValueError):
        return None
    return numbers if len(numbers) == 3 else None


# The course

class Course:
    """What events tell of a run: a state, one line for people, and numbers.

    state   empty, working (until the first slice), running, paused, failed or done"""

    def __init__(self):
        self.begin("")
        self.state, self.text = "empty", ""

    def begin(self, source):
        """A run was asked for."""
        self.source, self.state, self.text, self.tone = source, "working", "The camera is started", ""
        self.progress, self.planes, self.fields, self.keep = {}, [], {}, {}
        self._error, self._warning, self._has_slices = "", "", False
        self.taking, self._is_stopping = "", False

    @property
    def is_on(self):
        return self.state in ("working", "running", "paused")

    def take(self, event):
        """Takes an event. Returns (level, text) where it is a message for the log, else None."""
        kind = event["event"]
        if kind == "progress":
            self.progress = event
            if "taking" in event and event["taking"] == self.taking:
                self._say_taken(event["taken"], event["taken"] + event["to-take"])
        elif kind == "planes":
            self.planes = event["planes"]
        elif kind == "slice" and self.state in ("working", "running"):
            if self.state == "working" or self._warning:
                self._warning = ""
                self._say("running", "Slices come")
            self._has_slices = True
        elif kind == "state":
            self._take_state(event["state"])
        elif kind == "fields":
            self.fields[event["kind"]] = event
            if event["kind"] == self.taking:
                self.taking = ""
            text = f"{event['frames']} {event['kind']} are in force"
            self._say_slices(text)
            return "info", text
        elif kind == "keep":
            self.keep = event
            return self._take_keep(event)
        elif kind == "volume" and event["state"] == "done" and "path" in event:  # a failure is a message as well
            return "info", f"A coarse volume is in {event['path']}"
        elif kind == "taking":
            return self._take_taking(event)
        elif kind == "message":
            return self._take_message(event)
        elif kind == "stopping":
            self._is_stopping = True
        elif kind == "done":
            if event["status"] == "failed":
                self._say("failed", self._error or "the run ended without a reason", "failure")
            else:
                self._say("done", "Stopped" if self._is_stopping else "The frames are over")
        return None

    def lost(self, reason):
        """The process is gone."""
        if self.is_on:
            self._say("failed", self._error or reason or "the process that makes slices has ended", "failure")

    @property
    def is_keeping(self):
        return self.is_on and self.keep.get("state") == "begun"

    def numbers(self):
        """Pairs of a name and a text, always the same names: how fast frames and slices come, and what was left out."""
        told = self.progress

        def whole(name):
            return f"{told[name]:.0f}" if name in told else "-"

        def rate(name):
            return f"{told[name]:.1f} /s" if name in told else "-"

        stored = told.get("stored-seconds")
        return [("Frames", rate("rate")), ("Lost", whole("lost")), ("Repeated", whole("repeated")), ("Left out", whole("dropped")),
                ("Slices", rate("slice-rate")), ("Latency", f"{1e3 * told['latency']:.0f} ms" if "latency" in told else "-"),
                ("Stored", "-" if stored is None else f"{stored:.1f} s"), ("Kept", whole("kept"))]

    def told(self):
        """All of that as JSON."""
        return {"state": self.state, "text": self.text, "tone": self.tone, "is_keeping": self.is_keeping, "taking": self.taking if self.is_on else "", "planes": self.planes,
                "numbers": [list(pair) for pair in self.numbers()], "has_losses": self.has_losses}

    @property
    def has_losses(self):
        return bool(self.progress.get("lost") or self.progress.get("dropped"))

    def _say(self, state, text, tone=""):
        self.state, self.text, self.tone = state, text, tone

    def _say_slices(self, otherwise):
        """Slices come, or what else is to be said while there are none."""
        if self.is_on:
            self._say(self.state, "Slices come" if self._has_slices and self.state == "running" else otherwise)

    def _say_taken(self, taken, frames):
        self._say(self.state, f"{self.taking.capitalize()} are taken: {taken} of {frames}")

    def _take_taking(self, event):
        if event["state"] == "begun":
            self.taking = event["kind"]
            self._say_taken(event["taken"], event["frames"])
            return None
        self.taking = ""
        self._say_slices(event["text"])
        return "info", event["text"]

    def _take_state(self, state):
        if state == "paused":
            self._say("paused", "Paused: frames come, and are stored; slices stay")
        elif state == "running":
            self._say("running" if self._has_slices else "working", "Slices come" if self._has_slices else "Frames come; slices follow")
        elif self.is_on and self._has_slices:
            self._say(self.state, self.text, self.tone)
        elif self.is_on:
            self._say("working", "The camera is waited for")

    def _take_keep(self, event):
        state, path = event.get("state"), event.get("path", "")
        text = {"begun": f"Frames go to {path}", "done": f"{event.get('frames', 0)} frames are in {path}"}.get(
            state, event.get("text") or f"frames are not kept in {path}")
        return ("error" if state == "failed" else "info"), text

    def _take_message(self, event):
        level, text = event["level"], in_form(event["text"])
        if level == "error":
            self._error = text
            if self.is_on:
                self._say(self.state, f"✕ {text}", "failure")
        elif level == "warning" and self.is_on and not self.taking:  # that there are none yet
            self._warning = text
            self._say(self.state, f"⚠ {text}", "warning")
        return level, text


def caption_of(event):
    """What is said over a slice, or over the largest values of a volume: z=0   frame 512, 34 ms"""
    late, shown = event.get("latency"), event["plane"] if "plane" in event else f"maximum along {event['along']}"
    return f"{shown}   frame {event['number']}" + (f", {1e3 * late:.0f} ms" if late is not None else "")


# The stream

def pack(event, samples=b""):
    """An event as bytes: a line of JSON, and samples behind it."""
    if len(samples):
        event = {**event, "bytes": len(samples)}
    return json.dumps(event).encode() + b"\n" + bytes(samples)


class Unpacker:
    """Events of such bytes, in whatever pieces they come."""

    def __init__(self):
        self._rest, self._event = bytearray(), None

    def feed(self, data):
        """Pairs of an event and its samples, of those that are whole."""
        self._rest += data
        found = []
        while True:
            if self._event is None:
                end = self._rest.find(b"\n")
                if end < 0:
                    return found
                self._event = json.loads(bytes(self._rest[:end]))
                del self._rest[:end + 1]
            size = self._event.get("bytes", 0)
            if len(self._rest) < size:
                return found
            samples = bytes(self._rest[:size])
            del self._rest[:size]
            found.append((self._event, samples))
            self._event = None


def element_changes(before, after):
    """(element, property, text) of what differs between two lines of elements; None where they are not the same elements in a row."""
    old, new = (_elements_of(line) for line in (before, after))
    if [name for name, _ in old] != [name for name, _ in new]:
        return None
    changes = []
    for (name, had), (_, has) in zip(old, new):
        if set(had) - set(has):
            return None  # back to a default that nobody here knows
        changes += [(name, key, value) for key, value in has.items() if had.get(key) != value]
    return changes


def _elements_of(line):
    found = []
    for part in line.split("!"):
        name, *words = re.findall(r"""[^\s"']+(?:"[^"]*"|'[^']*')?""", part) or [""]
        found.append((name, {key: value.strip("\"'") for key, _, value in (word.partition("=") for word in words)}))
    return found
