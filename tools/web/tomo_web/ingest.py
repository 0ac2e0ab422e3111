# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Data sets of all scans in a tree of folders, made in the background."""

import asyncio
import enum
import itertools
import os
import re
import time
from typing import List, Optional

from fastapi import APIRouter, Request
from pydantic import BaseModel, Extra, Field

from . import datasets
from .access import Person, Role, needs, server_of
from .browse import HDF5, IMAGES, MOST_ENTRIES
from .dataset_store import key_of
from .errors import MISTAKES, Conflict, Invalid, Refusal, Unknown
from .folders import FORBIDDEN

TABLES = ""
router = APIRouter(tags=["ingests"])

AT_ONCE = 2            # scans that are looked at
MOST_RUNNING = 4       # ingests, of all persons
MOST_KEPT = 50         # that are over
MOST_PROBLEMS = 500    # that are told
DEEPEST = 64
LEAST = 2              # projections of a scan
MARKS = {".xtekct": b"[XTekCT]", ".log": b"[System]"}  # other .log are no scans
# Names of folders that belong to a scan beside them; scan/folder.cpp knows more of them.
CALIBRATION = re.compile(r"(?:^|[^a-z])(?:darks?|flats2?|flat|dark[-_ ]?fields?|flat[-_ ]?fields?|refs?|whites?|brights?|open[-_ ]?beam|bias)(?:[^a-z]|$)",
                         re.IGNORECASE)


class State(str, enum.Enum):
    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"


class NewIngest(BaseModel):
    """place: of the folder; tags: of all data sets that are made"""
    place: str = Field(max_length=4096)
    tags: List[datasets.TagText] = Field([], max_items=datasets.MOST_TAGS)

    class Config:
        extra = Extra.forbid


class Problem(BaseModel):
    place: str
    error: str


class Progress(BaseModel):
    """folders and looked_at count; known: scans that were data sets before; at: the place that is looked at; problems: what can't be read as
    a scan, and why; more_problems: how many are left out"""
    id: int
    place: str
    owner: str
    state: State
    error: Optional[str]
    began: float
    ended: Optional[float]
    folders: int
    looked_at: int
    added: List[int]
    known: int
    at: str
    problems: List[Problem]
    more_problems: int


class Found:
    """What lies in one folder."""

    def __init__(self):
        self.folders, self.files, self.has_images = [], [], False

    @property
    def has_calibration(self):
        return any(CALIBRATION.search(name) for name in self.folders)


def found_in(path):
    """Folders and files that may be scans. Links are not followed, hidden ones left out."""
    found, scanner = Found(), False
    with os.scandir(path) as entries:
        for count, entry in enumerate(entries):
            if count > MOST_ENTRIES:
                raise Invalid(f"the folder has more than {MOST_ENTRIES} entries")
            if entry.name.startswith(".") or entry.is_symlink() or FORBIDDEN.search(entry.name):
                continue
            suffix = os.path.splitext(entry.name)[1].lower()
            if entry.is_dir():
                (found.files if suffix == ".zarr" else found.folders).append(entry.name)
            elif entry.is_file() and (suffix in HDF5 or suffix == ".txrm" or suffix in MARKS and _begins(entry.path, MARKS[suffix])):
                found.files.append(entry.name)
                scanner = scanner or suffix in MARKS
            elif entry.is_file() and (suffix in IMAGES or suffix == ".xrm"):
                found.has_images = True
    found.folders.sort()
    found.files.sort()
    found.has_images = found.has_images and not scanner  # they are the scanner's
    return found


def _begins(path, mark):
    with open(path, "rb") as file:
        return mark in file.read(512)


class Ingest:
    def __init__(self, number, server, person, place, tags):
        self.number, self.place, self.person = number, place, person
        self._server, self._tags = server, tags
        self.state, self.error, self.began, self.ended = State.RUNNING, None, time.time(), None
        self.folders = self.looked_at = self.known = self.more_problems = 0
        self.added, self.problems, self.at = [], [], place
        self._waiting = set()
        self.task = asyncio.ensure_future(self._run())

    def as_dict(self):
        return {"id": self.number, "place": self.place, "owner": self.person.name, **{name: getattr(self, name) for name in (
            "state", "error", "began", "ended", "folders", "looked_at", "added", "known", "at", "problems", "more_problems")}}

    async def _run(self):
        try:
            await self._walk()
            self.state = State.DONE
        except asyncio.CancelledError:
            self.state = State.CANCELLED
        except Refusal as e:
            self.state, self.error = State.FAILED, e.text
        except Exception as e:  # noqa: B902
            self.state, self.error = State.FAILED, self._server.folders.told(str(e))
        finally:
            for task in self._waiting:
                task.cancel()
            await asyncio.gather(*self._waiting, return_exceptions=True)
            self.ended, self.at = time.time(), ""

    async def _walk(self):
        waiting = [(self.place, 0)]
        while waiting:
            place, depth = waiting.pop()
            self.at = place
            try:
                found = await asyncio.to_thread(found_in, self._server.folders.path(place))
            except (Refusal, OSError) as e:
                if place == self.place:
                    raise
                self._say(place, e.text if isinstance(e, Refusal) else "the server may not read this folder")
                continue
            self.folders += 1
            is_taken = False
            if found.has_calibration:
                # One scan with its darks and flats, or several scans beside each other: the program knows.
                is_taken = await self._take(place)
            elif found.has_images and not CALIBRATION.search(place.rpartition("/")[2]):
                await self._begin(place)
            for name in found.files:
                await self._begin(f"{place}/{name}")
            if not is_taken and depth < DEEPEST:
                waiting += [(f"{place}/{name}", depth + 1) for name in reversed(found.folders)]
        await asyncio.gather(*self._waiting)

    async def _begin(self, place):
        """Looks at it beside others, as soon as fewer are under way."""
        while len(self._waiting) >= AT_ONCE:
            _, self._waiting = await asyncio.wait(self._waiting, return_when=asyncio.FIRST_COMPLETED)
        self._waiting.add(asyncio.ensure_future(self._take(place)))

    async def _take(self, place):
        """Whether it is a scan."""
        server = self._server
        if server.datasets.known(key_of({"scan": place}, {})):
            self.known += 1
            return True
        self.at = place
        try:
            one = await datasets.create(server, self.person, {"scan": place}, tags=self._tags, least=LEAST)
        except Conflict:
            self.known += 1  # somebody else was faster
            return True
        except Refusal as e:
            self._say(place, e.text)
            return False
        finally:
            self.looked_at += 1
        self.added.append(one.id)
        return True

    def _say(self, place, text):
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append({"place": place, "error": text})
        else:
            self.more_problems += 1


class Ingests:
    """Those that run and the last ones that are over."""

    def __init__(self):
        self._all, self._numbers = {}, itertools.count(1)

    def begin(self, server, person, place, tags):
        if not server.folders.path(place).is_dir():
            raise Invalid("that is no folder", "place")
        running = [one for one in self._all.values() if one.state is State.RUNNING]
        if any(one.place == place for one in running):
            raise Conflict("this folder is looked through already")
        if len(running) >= MOST_RUNNING:
            raise Conflict(f"{MOST_RUNNING} folders are looked through already: wait for one of them")
        number = next(self._numbers)
        self._all[number] = Ingest(number, server, person, place, tags)
        for old in [key for key, one in self._all.items() if one.state is not State.RUNNING][:-MOST_KEPT]:
            del self._all[old]
        return self._all[number]

    def get(self, number, person):
        one = self._all.get(number)
        if not one or (one.person.name != person.name and person.role < Role.ADMIN):
            raise Unknown(f"there is no ingest {number}")
        return one

    def of(self, person):
        return [one for one in reversed(self._all.values()) if one.person.name == person.name or person.role >= Role.ADMIN]

    async def end(self, one):
        """Cancels one that runs, forgets one that is over."""
        if one.state is State.RUNNING:
            one.task.cancel()
            await asyncio.wait({one.task})
        else:
            self._all.pop(one.number, None)

    async def close(self):
        for one in list(self._all.values()):
            one.task.cancel()
        await asyncio.gather(*(one.task for one in self._all.values()), return_exceptions=True)


@router.post("/ingests", status_code=202, response_model=Progress, responses=MISTAKES)
async def begin_ingest(new: NewIngest, request: Request, person: Person = needs(Role.USER)):
    """Begins to make data sets of all scans below a folder."""
    server = server_of(request)
    return server.ingests.begin(server, person, new.place, new.tags).as_dict()


@router.get("/ingests", response_model=List[Progress], responses=MISTAKES)
async def list_ingests(request: Request, person: Person = needs(Role.USER)):
    """Yours, the newest first; administrators see everybody's."""
    return [one.as_dict() for one in server_of(request).ingests.of(person)]


@router.get("/ingests/{number}", response_model=Progress, responses=MISTAKES)
async def show_ingest(number: int, request: Request, person: Person = needs(Role.USER)):
    """How far it is."""
    return server_of(request).ingests.get(number, person).as_dict()


@router.delete("/ingests/{number}", response_model=Progress, responses=MISTAKES)
async def end_ingest(number: int, request: Request, person: Person = needs(Role.USER)):
    """Cancels one that runs: data sets that are made stay. Forgets one that is over."""
    ingests = server_of(request).ingests
    one = ingests.get(number, person)
    await ingests.end(one)
    return one.as_dict()
