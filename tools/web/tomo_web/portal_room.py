# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Rules and the portal as people see them: what was found and what became of it. The rules themselves are in the administrator's file."""

import json
import time
from typing import Any, Dict, List, Literal, Optional

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, Extra, Field

from . import datasets, finds
from .access import Person, Role, needs, server_of
from .dataset_store import key_of
from .errors import MISTAKES, Conflict, Forbidden, Invalid
from .finds import Finds
from .patterns import Pattern
from .watch import LONG

TABLES = finds.TABLES
router = APIRouter(tags=["portal"])
NAME = Path(..., min_length=1, max_length=60, description="of the rule")
MOST_FOUND = 200  # data sets of a search


class Rule(BaseModel):
    """state: active, paused, or stopped where nothing watches; looked: when it last looked, seconds since 1970; problem: why it could not;
    about: what the file says; counts: how much was found, by its states"""
    name: str
    source: str
    state: Literal["active", "paused", "stopped"]
    looked: Optional[float]
    problem: Optional[str]
    about: Dict[str, Any]
    counts: Dict[finds.State, int]
    may_change: bool


class Rules(BaseModel):
    """file: name of the file of rules, None where there never was one; content: its text, for administrators; problem: what is wrong with it now"""
    file: Optional[str]
    content: Optional[str]
    problem: Optional[str]
    is_watched: bool
    portal: Optional[str]
    rules: List[Rule]


class Found(BaseModel):
    """source: the place of the scan, or its number in the portal; job, registered: the last one, and the number of the result in the portal;
    result: an address below /api/results"""
    id: int
    rule: str
    source: str
    name: str
    state: finds.State
    why: str
    found: float
    changed: float
    attempts: int
    dataset: Optional[int]
    job: Optional[int]
    result: Optional[str]
    registered: Optional[str]


class FoundPage(BaseModel):
    items: List[Found]
    total: int


class Change(BaseModel):
    is_paused: bool

    class Config:
        extra = Extra.forbid


class State(BaseModel):
    """is_fine: whether the portal answers us; text: one sentence"""
    is_configured: bool
    address: Optional[str]
    is_fine: bool
    text: str


class RawDataSet(BaseModel):
    """created: seconds since 1970; dataset: its number where it is a data set already"""
    id: str
    name: str
    proposal: str
    owner: str
    files: int
    size: int
    created: Optional[float]
    dataset: Optional[int]


class RawDataSets(BaseModel):
    items: List[RawDataSet]
    total: int


class Taken(BaseModel):
    """id: of the portal's raw data set; pattern: which of its files is the scan"""
    id: str = Field(min_length=1, max_length=400)
    pattern: str = Field("**/*.{h5,hdf5,nxs,nx}", max_length=400)

    class Config:
        extra = Extra.forbid


class Number(BaseModel):
    dataset: int


@router.get("/rules", response_model=Rules, responses={401: MISTAKES[401]})
async def list_rules(request: Request, person: Person = needs(Role.VIEWER)):
    """The rules by which scans are reconstructed without anybody, and how they stand."""
    store = _finds(request)
    row = store.watching()
    if not row:
        return {"is_watched": False, "rules": []}
    is_watched = time.time() - row["seen"] < LONG
    content = row["content"] if person.role >= Role.ADMIN else None
    return {"file": row["file"], "content": content, "problem": row["problem"], "is_watched": is_watched, "portal": row["portal"],
            "rules": [_rule(store, one, person, is_watched) for one in store.rules()]}


@router.patch("/rules/{name}", response_model=Rule, responses=MISTAKES)
async def change_rule(change: Change, request: Request, name: str = NAME, person: Person = needs(Role.USER)):
    """Pauses a rule, or ends the pause. What it has ordered goes on."""
    store = _finds(request)
    _own(store, name, person)
    store.pause(name, change.is_paused)
    return _rule(store, store.rule(name), person, _is_watched(store))


@router.post("/rules/{name}/run", response_model=Rule, responses=MISTAKES)
async def run_rule(request: Request, name: str = NAME, person: Person = needs(Role.USER)):
    """Lets a rule look now, and try again what failed."""
    store = _finds(request)
    _own(store, name, person)
    if not _is_watched(store):
        raise Conflict("nothing watches now: start tomo-web with --watch")
    store.ask_run(name)
    return _rule(store, store.rule(name), person, True)


@router.get("/rules/{name}/found", response_model=FoundPage, responses=MISTAKES)
async def list_found(request: Request, name: str = NAME, offset: int = Query(0, ge=0, le=10**9), limit: int = Query(50, ge=1, le=200),
                     state: Optional[finds.State] = None, search: str = Query("", max_length=200), person: Person = needs(Role.VIEWER)):
    """A page of what a rule has found and what became of it, the newest first."""
    store = _finds(request)
    store.rule(name)
    found, total = store.page(name, offset=offset, limit=limit, state=state, search=search)
    return {"items": [_found(one) for one in found], "total": total}


@router.get("/portal", response_model=State, responses={401: MISTAKES[401]})
async def show_portal(request: Request, person: Person = needs(Role.VIEWER)):
    """Whether there is a portal, and whether it answers."""
    desk = _desk(request)
    if not desk:
        return {"is_configured": False, "is_fine": False, "text": "There is no portal: a file of rules with [portal] names one."}
    health = await desk.portal.health()
    return {"is_configured": True, "address": desk.settings.address, "is_fine": health.is_fine, "text": health.text}


@router.get("/portal/datasets", response_model=RawDataSets, responses={**MISTAKES, 503: {"model": MISTAKES[404]["model"]}})
async def search_portal(request: Request, proposal: str = Query(..., min_length=1, max_length=200),
                        search: str = Query("", max_length=200, description="a part of a name"), person: Person = needs(Role.USER)):
    """Raw data sets of a proposal in the portal, the newest first."""
    found = await _needed(request).portal.find([proposal], search, MOST_FOUND)
    known = _finds(request).taken([one.id for one in found])
    return {"items": [{**{name: getattr(one, name) for name in ("id", "name", "proposal", "owner", "files", "size", "created")},
                       "dataset": known.get(one.id)} for one in found], "total": len(found)}


@router.post("/portal/datasets", status_code=201, response_model=Number, responses={**MISTAKES, 503: {"model": MISTAKES[404]["model"]}})
async def take_from_portal(taken: Taken, request: Request, person: Person = needs(Role.USER)):
    """Makes a data set of a raw data set of the portal, whose files have to be here."""
    desk, server = _needed(request), server_of(request)
    try:
        pattern = Pattern(taken.pattern)
    except ValueError as e:
        raise Invalid(str(e), "pattern") from None
    raw, files = await desk.portal.files(taken.id)
    place = desk.paths.scan(raw, files, pattern)
    if missing := desk.paths.missing(raw, files):
        raise Conflict(f"the scan {missing}")
    known = server.datasets.known(key_of({"scan": place}, {}))
    one = server.datasets.get(known) if known else await datasets.create(server, person, {"scan": place}, name=raw.name)
    _finds(request).take(taken.id, one.id)
    return {"dataset": one.id}


def _finds(request):
    return Finds(server_of(request).database)


def _desk(request):
    watcher = server_of(request).watcher
    return watcher and watcher.desk


def _needed(request):
    desk = _desk(request)
    if not desk:
        raise Conflict("there is no portal: a file of rules with [portal] names one, and this server has to watch by it")
    return desk


def _is_watched(store):
    row = store.watching()
    return bool(row) and time.time() - row["seen"] < LONG


def _rule(store, row, person, is_watched):
    about = json.loads(row["about"])
    source = about["folder"] or ", ".join(about["proposals"])
    state = "stopped" if not is_watched else "paused" if row["is_paused"] else "active"
    return {"name": row["rule"], "source": source, "state": state, "looked": row["looked"], "problem": row["problem"],
            "about": about if person.role >= Role.ADMIN else {**about, "notify": []}, "counts": store.counts(row["rule"]),
            "may_change": _may_change(about, person)}


def _may_change(about, person):
    return person.role >= Role.ADMIN or person.role >= Role.USER and about["owner"] == person.name


def _own(store, name, person):
    about = json.loads(store.rule(name)["about"])
    if not _may_change(about, person):
        raise Forbidden(f"this rule belongs to {about['owner']}")


def _found(one):
    told = ("id", "rule", "source", "name", "state", "why", "found", "changed", "attempts", "dataset", "job", "registered")
    return {**{name: getattr(one, name) for name in told},
            "result": f"{one.job}/0" if one.job and one.state in (finds.State.DONE, finds.State.REGISTERING) else None}
