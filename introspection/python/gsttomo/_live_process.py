# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""python3 -m gsttomo._live_process [--samples uint16]: slices of a camera for a face, in a process of its own.

It reads commands, a line of JSON each, and writes events, a line of JSON each, behind which the samples of a slice or frame stand
(gsttomo.faces.live.Unpacker). Of a coarse volume these are its largest values along x, y and z: events `maximum`. Whoever reads slowly gets the newest
slice of each plane. The end of the commands ends it. A command with
an `id` is answered: by an event `obeyed` or `refused` with this id.

    start {parameters}                       begins; planes, keep and the like are those of GstTomo.Live.command()
    move {index, offset or pixels}           a plane along its normal
    element {element, name, value}           a property of an element
    darks, flats {count}                     the demo camera closes its shutter, or takes its sample away, for these; cancel-fields brings it back
"""

import argparse
import json
import sys
import threading
from collections import OrderedDict

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstTomo", "1.0")
import numpy as np  # noqa: E402
from gi.repository import GLib, Gst, GstTomo  # noqa: E402

from ._arrays import copy_of  # noqa: E402
from .faces import live as faces  # noqa: E402
from .faces.parameters import text_of  # noqa: E402

FRAMES = 250      # ms between looks at the camera's newest frame
SETTLE = 3        # frames after which a changed scene is in all later ones
PIXELS = {"GRAY8": "uint8", "GRAY16_LE": "<u2", "GRAY16_BE": ">u2"}


class Outlet:
    """Writes in a thread. Of each picture the newest one waits; events wait in their order."""

    def __init__(self, file):
        self._file = file
        self._events, self._pictures = [], OrderedDict()
        self._changed, self._is_over = threading.Condition(), False
        self._thread = threading.Thread(target=self._write, daemon=True)
        self._thread.start()

    def tell(self, event):
        with self._changed:
            if event["event"] == "progress":
                self._events = [one for one in self._events if one["event"] != "progress"]
            self._events.append(event)
            self._changed.notify()

    def show(self, key, made):
        """made: a function that gives the event and its samples, called when there is room."""
        with self._changed:
            self._pictures[key] = made
            self._changed.notify()

    def close(self):
        with self._changed:
            self._is_over = True
            self._changed.notify()
        self._thread.join(5)

    def _write(self):
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._events or self._pictures or self._is_over)
                events, self._events = self._events, []
                made = None if events or not self._pictures else self._pictures.popitem(last=False)[1]
                if not (events or made):
                    return
            packed = [faces.pack(event) for event in events]
            if made:
                try:
                    packed.append(faces.pack(*made()))
                except Exception as e:  # of one picture: the next one may be good
                    packed.append(faces.pack({"event": "message", "level": "error", "text": f"a picture can't be shown: {e}"}))
            try:
                for one in packed:
                    self._file.write(one)
                self._file.flush()
            except (BrokenPipeError, ValueError):  # nobody reads any more
                return


class Process:
    def __init__(self, outlet, kind):
        self._outlet, self._kind = outlet, kind
        self._live, self._loop = None, GLib.MainLoop()
        self._wants = []  # scenes that the demo camera goes through: (kind, count)
        self._frame_shown = None
        self._schema = json.loads(GstTomo.Live.get_schema())["properties"]
        GLib.timeout_add(FRAMES, self._look)

    def run(self):
        self._loop.run()
        if self._live and self._live.is_running():
            self._live.stop()
            while self._live.poll(20):
                pass

    def quit(self):
        self._loop.quit()

    def take(self, line):
        """A command; what is wrong with it is an event `refused`."""
        command, number = None, None
        try:
            command = json.loads(line)
            number = command.pop("id", None)
            self._obey(command)
            if number is not None:
                self._outlet.tell({"event": "obeyed", "id": number})
        except (GLib.Error, ValueError, LookupError, TypeError) as e:
            text = getattr(e, "message", None) or f"no command: {e}"
            known = command if isinstance(command, dict) else {}
            if known.get("command") == "start":
                self._outlet.tell({"event": "message", "level": "error", "text": text})
                self._outlet.tell({"event": "done", "status": "failed", "outputs": []})
            self._outlet.tell({"event": "refused", "text": text, "command": known.get("command", ""), "name": known.get("name", ""), "id": number})
        return False

    def _obey(self, command):
        name = command["command"]
        if name == "start":
            self._start(command["parameters"])
        elif self._live is None:
            raise ValueError("nothing runs: start it first")
        elif name == "move":
            planes, index = self._live.get_planes(), int(command["index"])
            if not 0 <= index < len(planes):
                raise ValueError(f"there is no plane {index}: there are {len(planes)}, the first one is 0")
            plane = faces.Plane.read(planes[index])
            plane = plane.at(float(command["offset"])) if "offset" in command else plane.moved(float(command["pixels"]))
            self._live.set_plane(int(command["index"]), str(plane.limited(*self._detector())))
            self._tell_planes()
        elif name == "add-plane" and len(self._live.get_planes()) >= faces.MOST_PLANES:
            raise ValueError(f"there are {faces.MOST_PLANES} planes already: remove one first")
        elif name == "element":
            self._set_element(command["element"], command["name"], command["value"])
        elif name == "set":
            self._set(command["name"], command.get("value"))
        elif name == "cancel-fields" and self._wants:
            self._cancel_scenes()
        elif name in ("darks", "flats") and "count" in command and self._demo():
            self._wants.append((name, int(command["count"])))
            if len(self._wants) == 1:  # else it follows
                self._next_scene()
        else:
            if name == "quit":
                self._outlet.tell({"event": "stopping"})
            self._live.command(json.dumps(command))
        if name in ("plane", "add-plane", "remove-plane", "set"):
            self._tell_planes()

    def _start(self, parameters):
        if self._live and self._live.is_running():
            raise ValueError("it runs already: stop it first")
        self._live = GstTomo.Live.new(None)
        self._live.set_parameters(json.dumps({name: value for name, value in parameters.items() if name not in faces.FACE_ONLY}))
        self._process = parameters.get("process", "")
        self._live.connect("slice", self._on_slice)
        self._live.connect("volume", self._on_volume)
        self._live.connect("event", self._on_event)
        self._live.start()
        self._frame_shown, self._wants, self._turn = None, [], None
        self._tell_planes()
        if self._demo() and parameters.get("correction", "on") == "on":  # a beamline that is ready for slices
            self._wants = [(kind, faces.FIELDS) for kind in faces.FILES if not parameters.get(kind)]
            self._next_scene()

    def _set(self, name, value):
        if name in faces.FACE_ONLY:
            return
        if name == "process":
            changes = faces.element_changes(self._process, value or "")
            if changes is not None and value:
                for element, key, text in changes:
                    self._set_element(element, key, text)
                self._process = value
                return
        if value is None:  # the default
            value = self._schema[name].get("default", "") if name in self._schema else ""
        self._live.set_parameter(name, text_of(value))

    def _set_element(self, element, name, text):
        """Of the first element of that name or kind."""
        found = self._live.get_element(element)
        if not found:
            store = self._live.get_element("store")
            inside = store.get_parent().iterate_recurse() if store else None
            while inside and not found:
                state, one = inside.next()
                if state is not Gst.IteratorResult.OK:
                    break
                found = one if one.get_factory() and one.get_factory().get_name() == element else None
        if not found or not found.find_property(name):
            raise ValueError(f"no element '{element}' with a property '{name}' runs")
        GstTomo.set_properties_from_json(found, json.dumps({name: text}))

    # Results

    def _detector(self):
        """Columns, rows and axis, or zeros before the first frame."""
        sample = self._live.get_frame()
        caps = sample.get_caps().get_structure(0) if sample else None
        if caps is None:
            return 0, 0, 0.0
        columns, rows = caps.get_value("width"), caps.get_value("height")
        return columns, rows, self._live.props.axis or columns / 2

    def _on_slice(self, live, index, sample):
        planes = live.get_planes()
        if index >= len(planes):
            return  # it was removed meanwhile
        (columns, rows, axis), size = self._detector(), live.props.size
        event = {"event": "slice", "index": index, "plane": planes[index], **facts_of(sample)}

        def made():
            array = samples_of(sample)
            place = faces.place_of(planes[index], columns, rows, axis, size, array.shape)
            return packed({**event, "place": place}, array, self._kind)
        self._outlet.show(index, made)

    def _on_volume(self, live, sample):
        event, detector, largest = facts_of(sample), self._detector(), Largest(sample)
        for along in faces.NORMALS:
            def made(along=along):
                array = largest.along(along)
                place = faces.place_of_maximum(along, *detector, array.shape)
                return packed({"event": "maximum", "along": along, **event, "place": place}, array, self._kind)
            self._outlet.show(f"maximum {along}", made)

    def _on_event(self, live, text):
        event = json.loads(text)
        if event["event"] == "fields" and self._wants and self._wants[0][0] == event["kind"]:
            self._wants.pop(0)
            self._next_scene()
        self._outlet.tell(event)

    def _look(self):
        """The newest frame of the camera."""
        if self._live and self._live.is_running():
            sample = self._live.get_frame()
            buffer = sample and sample.get_buffer()
            if buffer and buffer != self._frame_shown:
                self._frame_shown = buffer
                self._outlet.show("frame", lambda: packed({"event": "frame", "axis": self._live.props.axis, "roll": self._live.props.roll},
                                                          samples_of(sample), self._kind))
        return True

    def _tell_planes(self):
        self._outlet.tell({"event": "planes", "planes": self._live.get_planes()})

    # The demo camera: what stands before it

    def _demo(self):
        camera = self._live.get_element("camera")
        return camera if camera and camera.get_factory().get_name() == "tomophantomcamera" else None

    def _next_scene(self):
        camera = self._demo()
        if not camera:
            return
        kind, count = self._wants[0] if self._wants else ("sample", 0)
        scene = kind.rstrip("s")
        Gst.util_set_object_arg(camera, "scene", scene)
        if not self._wants:
            return
        self._outlet.tell({"event": "taking", "state": "begun", "kind": kind, "taken": 0, "frames": count})
        self._turn = turn = object()
        store, live = self._live.get_element("store"), self._live
        seen = store.get_property("frames") + SETTLE

        def take():
            if turn is not self._turn or not live.is_running():
                return False
            if store.get_property("frames") < seen:
                return True
            (live.take_darks if kind == "darks" else live.take_flats)(count)
            return False
        GLib.timeout_add(20, take)

    def _cancel_scenes(self):
        """The sample is back; also while a scene was still changing, and nothing was taken of it."""
        kind, count = self._wants[0]
        self._wants, self._turn = [], None
        self._next_scene()
        try:
            self._live.cancel_fields()
        except GLib.Error:
            self._outlet.tell({"event": "taking", "state": "cancelled", "kind": kind, "taken": 0, "frames": count, "text": f"0 of {count} {kind} were taken"})


class Largest:
    """The largest values of a coarse volume along its axes, computed when the first of them is shown."""

    AXES = {"x": 2, "y": 1, "z": 0}

    def __init__(self, sample):
        self._sample, self._images = sample, {}

    def along(self, name):
        if not self._images:
            volume = copy_of(self._sample)
            self._images = {one: np.fmax.reduce(volume, axis) for one, axis in self.AXES.items()}  # nan where there is nothing else
            self._sample = None
        return self._images[name]


def facts_of(sample):
    """What is told of a slice or volume."""
    info = sample.get_info()
    values = {name: info.get_value(name) for name in ("number", "count", "angle", "latency")}
    return {name: value for name, value in values.items() if value == value}  # without nan


def samples_of(sample):
    """The array of a GstSample with one image."""
    caps, buffer = sample.get_caps().get_structure(0), sample.get_buffer()
    shape = caps.get_value("height"), caps.get_value("width")
    told = caps.get_value("format")
    kind = np.dtype(PIXELS.get(told, told))
    is_mapped, about = buffer.map(Gst.MapFlags.READ)
    if not is_mapped:
        raise ValueError("the samples of an image can't be read")
    try:
        data = np.frombuffer(about.data, np.uint8)
        row = len(data) // shape[0] if caps.get_name() == "video/x-raw" else shape[1] * kind.itemsize  # rows of video may be padded
        rows = data[:shape[0] * row].reshape(shape[0], row)[:, :shape[1] * kind.itemsize]
        return np.ascontiguousarray(rows).view(kind).astype(kind.newbyteorder("="))
    finally:
        buffer.unmap(about)


def packed(event, array, kind):
    """The event with its samples: as they are, or for `uint16` as shares of their range."""
    if kind == "uint16" and array.dtype.kind == "f":
        finite = array[np.isfinite(array)]
        low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
        scale = 65535 / (high - low) if high > low else 0.0
        array = (np.nan_to_num(array, nan=low, posinf=high, neginf=low) - low) * scale
        event = {**event, "range": [low, high]}
        array = np.rint(array).astype(np.uint16)
    elif array.dtype not in (np.uint8, np.uint16):
        array = array.astype(np.float32)
    return {**event, "shape": list(array.shape), "type": array.dtype.name}, np.ascontiguousarray(array).data.cast("B")


def main(words=None):
    made = argparse.ArgumentParser(prog="gsttomo._live_process", description=__doc__.splitlines()[0])
    made.add_argument("--samples", choices=("float32", "uint16"), default="float32")
    arguments = made.parse_args(words)
    Gst.init(None)
    outlet = Outlet(sys.stdout.buffer)
    process = Process(outlet, arguments.samples)

    def hear():
        for line in sys.stdin.buffer:
            GLib.idle_add(process.take, line)
        GLib.idle_add(process.quit)
    threading.Thread(target=hear, daemon=True).start()
    process.run()
    outlet.close()


if __name__ == "__main__":
    main()
