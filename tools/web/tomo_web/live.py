# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Slices of a camera while the sample turns. A browser that looks has a WebSocket, /api/live/stream: it gets texts with the members of
/api/live that change, and bytes: a line of JSON about a picture, and its samples behind it. It sends `got` for each picture, and gets the newest ones
that it has time for."""

import asyncio
import functools
import json
import math
import re
from typing import Dict, List, Literal, Optional

import gi
from fastapi import APIRouter, Request, WebSocket
from gsttomo.faces import live as faces
from gsttomo.faces.parameters import text_of
from pydantic import BaseModel, Extra, Field

from .access import Person, Role, is_still_in, needs, server_of, tell
from .errors import MISTAKES, Forbidden, Invalid, Refusal
from .forms import Checked, Schema, Value, Values, described
from .live_run import MOST, OF_ELEMENTS, OF_SERVER
from .parameters import path_text, set_one
from .sockets import NOT_LOGGED_IN, PING, STALLED, together

gi.require_version("GstTomo", "1.0")
from gi.repository import GstTomo  # noqa: E402

TABLES = ""
router = APIRouter(tags=["live"])
LONGEST = 4096
PLANE = re.compile(r"[\w=:,;. +-]*")


class LiveSource(BaseModel):
    name: str
    title: str


class LiveState(BaseModel):
    """state: empty, working, running, paused, failed or done; text and tone say more. taking: darks or flats, while they are taken. numbers: pairs of a name and a text. planes: their
    texts. volume_lines: where they cut the maxima of a coarse volume along x, y and z: number of the plane, 0 for a line across columns or 1 across
    rows, position in samples, and x, y or z. values: of parameters that differ from their defaults, the same for all persons; texts: as a form shows them. elements: whether
    a source may be elements of GStreamer; empty: what to do first"""
    state: str
    text: str
    tone: str
    is_keeping: bool
    taking: str
    has_losses: bool
    planes: List[str]
    numbers: List[List[str]]
    volume_lines: Dict[str, List[list]]
    source: str
    person: str
    values: Dict[str, Value]
    texts: Dict[str, str]
    sources: List[LiveSource]
    elements: bool
    empty: str


class Start(BaseModel):
    """One of: source, the name of a camera; place, FOLDER/PATH of a scan, which is played; elements of GStreamer."""
    source: Optional[str] = Field(None, max_length=100)
    place: Optional[str] = Field(None, max_length=LONGEST)
    elements: Optional[str] = Field(None, max_length=LONGEST)

    class Config:
        extra = Extra.forbid


class Command(BaseModel):
    """index: of a plane; plane: a text such as z=3; offset or pixels: to where or by how much it moves along its normal; count: of frames
    that are darks or flats; seconds: of the past that is kept"""
    command: Literal["plane", "add-plane", "remove-plane", "move", "darks", "flats", "cancel-fields", "keep", "stop-keeping", "pause", "resume"]
    index: Optional[int] = Field(None, ge=0, lt=1000)
    plane: Optional[str] = Field(None, max_length=500)
    offset: Optional[float]
    pixels: Optional[float]
    count: Optional[int] = Field(None, ge=1, le=10000)
    seconds: Optional[float] = Field(None, ge=0, le=1e6)

    class Config:
        extra = Extra.forbid


WANTED = {"plane": ("index", "plane"), "add-plane": ("plane",), "remove-plane": ("index",), "move": ("index",), "darks": ("count",),
          "flats": ("count",), "keep": ("seconds",)}


@functools.lru_cache(maxsize=None)
def schema():
    return json.loads(GstTomo.Live.get_schema())["properties"]


@router.get("/live", response_model=LiveState)
async def state(request: Request, person: Person = needs(Role.VIEWER)):
    """How the live slices are, and of which cameras there can be some."""
    server = server_of(request)
    return {**server.live.told(), "sources": [{"name": one.name, "title": one.title} for one in server.live.sources.values()],
            "elements": _may_name_elements(server, person), "empty": faces.EMPTY}


@router.get("/live/schema", response_model=Schema)
async def live_schema(request: Request, person: Person = needs(Role.VIEWER)):
    """All parameters of live slices in their order."""
    of_server = OF_SERVER | (set() if _may_name_elements(server_of(request), person) else OF_ELEMENTS)
    return {"sections": [{"name": name, "title": title} for name, title in faces.TITLES.items()],
            "parameters": [described(name, about, by_server=name in of_server, is_place=name in faces.FILES) for name, about in schema().items()]}


@router.post("/live/start", status_code=204, responses=MISTAKES)
async def start_live(given: Start, request: Request, person: Person = needs(Role.USER)):
    """Starts live slices of a camera, or of a scan that is played."""
    server = server_of(request)
    live, shown = server.live, None
    if sum(one is not None for one in (given.source, given.place, given.elements)) != 1:
        raise Invalid("wanted one of source, place and elements", "source")
    if given.source is not None:
        if given.source not in live.sources:
            raise Invalid(f"there is no camera '{given.source}'", "source")
        one = live.sources[given.source]
        title, elements = one.title, one.description
        shown = {**live.values, **one.values}
    elif given.place is not None:
        path = str(server.folders.path(given.place))
        if re.search(r"[\s\"'!]", path):  # which would be read as elements
            raise Invalid("names with blanks, quotes or ! can't be played", "place")
        title, elements = given.place, path
    else:
        if not _may_name_elements(server, person):
            raise Forbidden("elements of GStreamer are for experts, where the administrator allows them: choose a camera", "elements")
        title, elements = "elements of GStreamer", given.elements
    tell(request, title)
    values = {name: path_text(name, value, server.folders) if name in faces.FILES else value
              for name, value in (shown or live.values).items()}
    if given.source is not None:
        values = {**live.fixed.get(given.source, {}), **values}
    if "keep-path" not in values:  # also for a keep-when that comes later
        values["keep-path"] = live.free_pattern()
    if live.course.planes:
        values["planes"] = ";".join(live.course.planes)
    await live.start(title, elements, values, person.name, shown)


@router.post("/live/stop", status_code=204, responses=MISTAKES)
async def stop_live(request: Request, person: Person = needs(Role.USER)):
    """Stops live slices."""
    await server_of(request).live.stop()


@router.post("/live/command", status_code=204, responses=MISTAKES)
async def steer_live(given: Command, request: Request, person: Person = needs(Role.USER)):
    """Steers live slices: planes, darks and flats, frames that are kept, a pause."""
    live = server_of(request).live
    command = {name: value for name, value in given.dict().items() if value is not None}
    for name in WANTED.get(given.command, ()):
        if name not in command:
            raise Invalid(f"{given.command} wants {name}", name)
    if given.command == "move" and ("offset" in command) == ("pixels" in command):
        raise Invalid("move wants offset or pixels", "offset")
    if not all(math.isfinite(command.get(name, 0.0)) for name in ("offset", "pixels", "seconds")):
        raise Invalid("wanted a finite number")
    if given.plane is not None and not PLANE.fullmatch(given.plane):
        raise Invalid("wanted a plane such as z=3", "plane")
    wanted = {"command", *WANTED.get(given.command, ()), *(("offset", "pixels") if given.command == "move" else ())}
    command = {name: value for name, value in command.items() if name in wanted}
    if given.command == "keep":
        command["path"] = live.free_path()
    if given.command in ("darks", "flats", "cancel-fields", "keep", "stop-keeping"):
        tell(request, given.command)
    await live.command(command)


@router.patch("/live/settings", response_model=Checked, responses=MISTAKES)
async def set_live(given: Values, request: Request, person: Person = needs(Role.USER)):
    """Sets parameters of live slices, "" to their defaults. They count at once where slices come, else from the next start on."""
    server = server_of(request)
    live, problems = server.live, {}
    for name, value in given.values.items():
        try:
            await _set(server, live, person, name, value)
        except Refusal as e:
            problems[str(name)[:100]] = e.text
    return {"values": live.values, "texts": {name: text_of(value) for name, value in live.values.items()}, "problems": problems}


async def _set(server, live, person, name, value):
    if name not in schema():
        raise Invalid(f"there is no parameter '{str(name)[:100]}'")
    if name in OF_SERVER or (name in OF_ELEMENTS and not _may_name_elements(server, person)):
        raise Forbidden(f"{name} is set by the server")
    made = GstTomo.Live.new(None)
    made.set_parameters(json.dumps({key: one for key, one in live.values.items() if key != name}))
    set_one(made, schema(), name, value)
    values = json.loads(made.get_parameters())
    if name in MOST and values.get(name, 0) > MOST[name]:
        raise Invalid(f"{name} is at most {MOST[name]:g} in a browser, got {values[name]:g}")
    told = path_text(name, values[name], server.folders) if name in faces.FILES and name in values else values.get(name)
    live.set_values(values)
    if live.course.is_on:
        await live.command({"command": "set", "name": name, "value": told})


@router.websocket("/live/stream")
async def stream(websocket: WebSocket, person: Person = needs(Role.VIEWER)):
    with websocket.app.state.server.live.watcher() as watcher:
        await websocket.accept()
        await together(_hear(websocket, watcher), _show(websocket, watcher))


async def _hear(websocket, watcher):
    while (await websocket.receive())["type"] != "websocket.disconnect":
        watcher.confirm()


async def _show(websocket, watcher):
    while True:
        try:
            async with asyncio.timeout(PING):
                message = await watcher.message()
        except TimeoutError:
            message = '{"ping":true}'
        if not is_still_in(websocket):
            return await websocket.close(NOT_LOGGED_IN)
        async with asyncio.timeout(STALLED):
            await (websocket.send_text(message) if isinstance(message, str) else websocket.send_bytes(message))


def _may_name_elements(server, person):
    return server.settings.live_elements and person.role >= Role.EXPERT
