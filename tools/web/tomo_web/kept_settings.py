# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The settings of each person for each data set, and the same as a reco.conf, as a command, and as a pipeline."""

import json
import pathlib
import re
import tempfile
import time
from typing import Any, Dict, List, Optional

from fastapi import APIRouter, Body, Request
from fastapi.responses import PlainTextResponse
from gsttomo.faces.parameters import command_of, text_of
from pydantic import BaseModel

from .access import Person, Role, needs, server_of
from .errors import MISTAKES, READS, TooLarge
from .folders import told_values
from .forms import Value, Values
from .given import NUMBER, description_of, telling
from .parameters import PLACES, checked, load, resolved, save, with_places

TABLES = """
CREATE TABLE IF NOT EXISTS kept_settings (person TEXT NOT NULL, dataset INTEGER NOT NULL REFERENCES datasets (id) ON DELETE CASCADE,
    settings TEXT NOT NULL, changed REAL NOT NULL, PRIMARY KEY (person, dataset)) WITHOUT ROWID;
"""
router = APIRouter(tags=["settings"])
LARGEST = 1 << 18  # bytes of a reco.conf, of which 2^14 have all parameters with their descriptions
CONF = {200: {"content": {"text/plain": {"schema": {"type": "string"}}}, "description": "A reco.conf"}, **MISTAKES}


class Kept(BaseModel):
    """values: that differ from the defaults; texts: the same as a form shows them; changed: seconds since 1970, None: never"""
    values: Dict[str, Value]
    texts: Dict[str, str]
    changed: Optional[float]


class Loaded(Kept):
    """left_out: names of parameters of the file that the server decides, or whose files are in no folder that people see"""
    left_out: List[str]


class Text(BaseModel):
    text: str


class Plan(BaseModel):
    """script: lines for a shell; graph: the dataflow, or a list of those of several slabs"""
    script: str
    graph: Any


def settings_of(server, person, number):
    """Those that the person has chosen for a data set, with places in the stead of paths."""
    row = server.database.one("SELECT settings FROM kept_settings WHERE person = ? AND dataset = ?", person.name, number)
    return json.loads(row["settings"]) if row else {}


@router.get("/datasets/{number}/settings", response_model=Kept, responses=MISTAKES)
async def show_settings(request: Request, number: int = NUMBER, person: Person = needs(Role.VIEWER)):
    """What you have set for this data set."""
    server = server_of(request)
    server.datasets.get(number)
    return _answer(server, person, number)


@router.put("/datasets/{number}/settings", response_model=Kept, responses=MISTAKES)
async def keep_settings(given: Values, request: Request, number: int = NUMBER, person: Person = needs(Role.USER)):
    """Keeps these in place of what you had set for this data set. Nothing is kept where one is wrong."""
    server = server_of(request)
    server.datasets.get(number)
    values = checked(given.values, PLACES)
    resolved(values, server.folders)
    return _keep(server, person, number, values)


@router.patch("/datasets/{number}/settings", response_model=Kept, responses=MISTAKES)
async def change_settings(given: Values, request: Request, number: int = NUMBER, person: Person = needs(Role.USER)):
    """Sets these, and leaves the others as they are, also those that another page has set meanwhile. "" is the default."""
    server = server_of(request)
    server.datasets.get(number)
    changes = checked(given.values, PLACES)
    resolved(changes, server.folders)
    others = {name: value for name, value in settings_of(server, person, number).items() if name not in given.values}
    return _keep(server, person, number, {**others, **changes})


@router.get("/datasets/{number}/settings.conf", response_class=PlainTextResponse, responses=CONF)
async def download_settings(request: Request, number: int = NUMBER, person: Person = needs(Role.VIEWER)):
    """A reco.conf, with which tomo-reconstruct makes the same slices. Files in it are places for persons who are no experts: put the
    folder's path before them."""
    server = server_of(request)
    with tempfile.NamedTemporaryFile(prefix="tomo-web-", suffix=".conf") as file:
        save(_description(server, person, number), file.name)
        text = pathlib.Path(file.name).read_text()
    name = re.sub(r"[^\w.-]+", "_", server.datasets.get(number).name, flags=re.ASCII)
    return PlainTextResponse(text, headers={"Content-Disposition": f'attachment; filename="{name}.conf"'})


@router.put("/datasets/{number}/settings.conf", response_model=Loaded, responses=MISTAKES)
async def upload_settings(request: Request, number: int = NUMBER, content: bytes = Body(..., media_type="text/plain"),
                          person: Person = needs(Role.USER)):
    """Keeps the settings of a reco.conf for this data set, all but those that the server decides."""
    server = server_of(request)
    server.datasets.get(number)
    if len(content) > LARGEST:
        raise TooLarge(f"a reco.conf has at most {LARGEST >> 10} kB")
    with tempfile.NamedTemporaryFile(prefix="tomo-web-", suffix=".conf") as file:
        pathlib.Path(file.name).write_bytes(content)
        values, left_out = with_places(load(file.name, "the file"), server.folders)
    return {**_keep(server, person, number, values), "left_out": left_out}


@router.get("/datasets/{number}/command", response_model=Text, responses=MISTAKES)
async def command(request: Request, number: int = NUMBER, person: Person = needs(Role.VIEWER)):
    """The line of a shell that makes the volume with your settings."""
    server = server_of(request)
    return {"text": command_of({**_description(server, person, number), "output": _output(server, number)})}


@router.post("/datasets/{number}/plan", openapi_extra=READS, response_model=Plan, responses=MISTAKES)
async def plan(given: Values, request: Request, number: int = NUMBER, person: Person = needs(Role.USER)):
    """The same as a pipeline: the lines for gst-launch-1.0, and the dataflow for tomo-runjson."""
    server = server_of(request)
    with telling(server):
        answer = await server.questions.ask(["tomo", "--dry-run", "--output", _output(server, number)],
                                            description_of(server, number, given.values), person.name)
    slabs = answer["slabs"]
    made = {"script": answer.get("script") or "\n\n".join(slab["line"] for slab in slabs),
            "graph": [slab["graph"] for slab in slabs] if len(slabs) > 1 else slabs[0]["graph"]}
    return made if _may_see_paths(person) else told_values(made, server.folders.told)


def _may_see_paths(person):
    return person.role >= Role.EXPERT


def _description(server, person, number):
    values = description_of(server, number, settings_of(server, person, number))
    return values if _may_see_paths(person) else told_values(values, server.folders.told)


def _output(server, number):
    """A name in the folder of whoever runs this."""
    stem = pathlib.PurePath(server.datasets.get(number).name).stem
    return re.sub(r"[^\w.-]+", "_", stem) + "-slices.h5"


def _keep(server, person, number, values):
    if values:
        server.database.run("INSERT INTO kept_settings VALUES (?, ?, ?, ?) ON CONFLICT (person, dataset) DO UPDATE SET "
                            "settings = excluded.settings, changed = excluded.changed", person.name, number, json.dumps(values), time.time())
    else:
        server.database.run("DELETE FROM kept_settings WHERE person = ? AND dataset = ?", person.name, number)
    return _answer(server, person, number)


def _answer(server, person, number):
    row = server.database.one("SELECT settings, changed FROM kept_settings WHERE person = ? AND dataset = ?", person.name, number)
    values = json.loads(row["settings"]) if row else {}
    return {"values": values, "texts": {name: text_of(value) for name, value in values.items()}, "changed": row["changed"] if row else None}
