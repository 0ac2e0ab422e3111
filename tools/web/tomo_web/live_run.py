# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Slices of a camera for all browsers that look: one run at a time, by a process of its own, whose crash costs the run and nothing else."""

import asyncio
import contextlib
import itertools
import json
import subprocess
import sys
import time

from gsttomo.faces import live as faces
from gsttomo.faces.names import free_name
from gsttomo.faces.parameters import text_of

from .errors import Conflict, Invalid
from .programs import GUARD, ended

PATIENCE = 20.0   # seconds that the process has for a command
END = 10.0        # seconds that it has to end, with files that it keeps
PIECE = 1 << 20   # bytes that are read at once
TOLD = 10         # messages that browsers are told: one that reads slowly lacks none
IN_FLIGHT = 4     # pictures that a browser has not confirmed yet
FIRST = "first"   # name of the camera of --live
# What nobody sets in a browser: where frames come from and go, and what the server may take for that; elements and files may be anything.
OF_SERVER = faces.NOT_IN_FORM | {"store-limit", "waiting-frames", "device", "volume-path"}
OF_ELEMENTS = {"process"}
MOST = {"volume-size": 512, "volume-rate": 10.0}  # what a person may ask of a machine that all share
OF_ADMINISTRATOR = OF_SERVER | OF_ELEMENTS | set(faces.FILES)


class Watcher:
    """What one browser has not got yet: of each picture the newest one, and how things are now."""

    def __init__(self, told):
        self._pictures, self._told, self._in_flight = {}, told, 0
        self._changed = asyncio.Event()
        self._changed.set()

    def put_picture(self, key, packed):
        self._pictures[key] = packed
        self._changed.set()

    def put_told(self, told):
        self._told = told
        self._changed.set()

    def confirm(self):
        self._in_flight = max(0, self._in_flight - 1)
        self._changed.set()

    async def message(self):
        """The next one: a text, or the bytes of a picture."""
        while True:
            await self._changed.wait()
            if self._told is not None:
                told, self._told = self._told, None
                return told
            if self._pictures and self._in_flight < IN_FLIGHT:
                key = next(iter(self._pictures))
                self._in_flight += 1
                return self._pictures.pop(key)
            self._changed.clear()


class LiveRun:
    """
    course   what is known of the run
    values   of its parameters, without those that have their defaults: the same for all persons
    source, person   of the last run: a title, and a name
    """

    def __init__(self, settings, folders):
        self._settings, self._folders = settings, folders
        cameras = [faces.Source(name, name, elements) for name, _, elements in (one.partition("=") for one in settings.cameras)]
        if settings.demo_camera:
            cameras.append(faces.DEMO)
        self.sources = {one.name: one for one in cameras}
        self.fixed = {}  # parameters by the name of a camera, which the administrator gives and nobody else sees
        self.course, self.values, self.source, self.person = faces.Course(), {}, "", ""
        self.log = []
        self._process = self._reader = self._first = None
        self._numbers, self._answers, self._watchers = itertools.count(1), {}, set()
        self._pictures = {}  # the newest ones, for browsers that come
        self._places = {}    # of the maxima of a volume, by their directions
        self._lock = asyncio.Lock()

    def begin(self):
        """The run of --live, as the server starts."""
        if self._settings.live_run is None:
            return
        given = dict(self._settings.live_run["parameters"])
        elements = given.pop("source", faces.DEMO.description)
        title = faces.DEMO.title if self._settings.live_run["demo"] else elements
        self.values = {**(faces.DEMO.values if elements == faces.DEMO.description else {}),
                       **{name: value for name, value in given.items() if name not in OF_ADMINISTRATOR}}
        self.sources = {FIRST: faces.Source(FIRST, title, elements), **self.sources}
        self.fixed[FIRST] = {name: value for name, value in given.items() if name in OF_ADMINISTRATOR}
        self._first = asyncio.ensure_future(self._begin_with(title, elements))

    async def _begin_with(self, title, elements):
        with contextlib.suppress(Invalid):  # which browsers are told as the end of the run
            await self.start(title, elements, {**self.values, **self.fixed[FIRST]}, "tomo-web")

    def told(self):
        return {**self.course.told(), "source": self.source, "person": self.person, "values": self.values,
                "texts": {name: text_of(value) for name, value in self.values.items()}, "log": self.log[-TOLD:],
                "volume_lines": {along: self._lines_in(place) for along, place in self._places.items()}}

    def _lines_in(self, place):
        """Where planes cut a picture, with their colours' names."""
        planes = self.course.planes
        return [[number, which, position, faces.Plane.read(planes[number]).normal] for number, which, position in faces.lines_in(place, planes)]

    @contextlib.contextmanager
    def watcher(self):
        one = Watcher(json.dumps(self.told()))
        for key, packed in self._pictures.items():
            one.put_picture(key, packed)
        self._watchers.add(one)
        try:
            yield one
        finally:
            self._watchers.discard(one)

    async def start(self, title, source, values, person, shown=None):
        """values: with paths of files; shown: the values that all see from now on, if they change. Raises Invalid, Conflict."""
        async with self._lock:
            if self.course.is_on:
                raise Conflict(f"{self.person} looks at {self.source}: stop that first")
            if shown is not None:
                self.values = shown
            await self._begin()
            self.source, self.person = title, person
            self.course.begin(title)
            self._pictures.clear()
            self._places.clear()
            self._tell()
            await self._ask({"command": "start", "parameters": {**values, "source": source}})

    async def command(self, command):
        """Raises Invalid in the library's words, Conflict where nothing runs."""
        if not self.course.is_on:
            raise Conflict("nothing runs: start it first")
        await self._ask(command)

    async def stop(self):
        if not self.course.is_on:
            return
        try:
            await self._ask({"command": "quit"})
        except Invalid:  # it has ended meanwhile
            pass
        except Conflict:  # it hangs
            self._process.kill()

    def set_values(self, values):
        self.values = values
        self._tell()

    def free_path(self):
        """A file for frames that are kept."""
        return free_name(str(self._settings.results / time.strftime("live-%Y%m%d-%H%M%S.h5")))

    def free_pattern(self):
        """The same of several files: a number stands for %03i."""
        return self.free_path().removesuffix(".h5") + "-%03i.h5"

    async def close(self):
        if self._first:
            self._first.cancel()
        if self._process:
            process = self._process
            process.stdin.close()
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(process.wait(), END)
            await ended(process)
        if self._reader:
            await asyncio.wait({self._reader})

    async def _begin(self):
        if self._process and self._process.returncode is None:
            return
        if self._reader:
            await self._reader
        self._process = await asyncio.create_subprocess_exec(
            *GUARD, sys.executable, "-m", "gsttomo._live_process", "--samples", "uint16", stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL)
        self._reader = asyncio.ensure_future(self._read(self._process))

    async def _ask(self, command):
        number = next(self._numbers)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        try:
            try:
                with contextlib.suppress(ConnectionError):
                    self._process.stdin.write((json.dumps({**command, "id": number}) + "\n").encode())
                    await asyncio.wait_for(self._process.stdin.drain(), PATIENCE)
                refused = await asyncio.wait_for(answer, PATIENCE)
            except asyncio.TimeoutError:
                raise Conflict("the process that makes slices does not answer: stop it, and start it again") from None
        finally:
            del self._answers[number]
        if refused:
            raise Invalid(self._folders.told(refused["text"]), refused.get("name") or None)

    async def _read(self, process):
        unpacker = faces.Unpacker()
        try:
            while data := await process.stdout.read(PIECE):
                for event, samples in unpacker.feed(data):
                    self._take(event, samples)
        except Exception:  # nobody can follow it any more
            process.kill()
            raise
        finally:
            status = await process.wait()
            self.course.lost(f"the process that makes slices was ended by signal {-status}" if status < 0 else "")
            for answer in self._answers.values():
                if not answer.done():
                    answer.set_result({"text": "the process that makes slices has ended"})
            self._tell()

    def _take(self, event, samples):
        kind = event["event"]
        if kind in ("obeyed", "refused"):
            answer = self._answers.get(event.get("id"))
            if answer and not answer.done():
                answer.set_result(event if kind == "refused" else None)
            return
        before = self.course.told()
        if kind == "message":
            event = {**event, "text": self._folders.told(event["text"])}
        if "path" in event:
            event = {**event, "path": self._folders.place(event["path"]) or event["path"].rpartition("/")[2]}
        if "text" in event and kind != "message":
            event = {**event, "text": self._folders.told(event["text"])}
        said = self.course.take(event)
        if said:
            self.log = [*self.log[-99:], {"level": said[0], "text": said[1], "time": time.time()}]
        if kind == "planes":
            self._pictures = {key: packed for key, packed in self._pictures.items() if isinstance(key, str) or key < len(event["planes"])}
        has_moved = kind == "maximum" and self._places.get(event["along"]) != event["place"]
        if has_moved:
            self._places[event["along"]] = event["place"]
        if kind in ("slice", "frame", "maximum"):
            event = {**event, "caption": "" if kind == "frame" else faces.caption_of(event), "lines": self._lines_in(event.get("place"))}
            key = {"slice": event.get("index"), "frame": "frame", "maximum": f"maximum {event.get('along')}"}[kind]
            self._pictures[key] = packed = faces.pack({name: value for name, value in event.items() if name != "bytes"}, samples)
            for one in self._watchers:
                one.put_picture(key, packed)
        if said or has_moved or self.course.told() != before:
            self._tell()

    def _tell(self):
        told = json.dumps(self.told())
        for one in self._watchers:
            one.put_told(told)
