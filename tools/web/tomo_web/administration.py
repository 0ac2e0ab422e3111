# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""For the administrator: persons, sessions, what was changed, and this computer."""

import asyncio
import shutil
import time
from typing import List, Literal, Optional, Union

from fastapi import APIRouter, Path, Query, Request
from gsttomo.jobs import Error
from gsttomo.jobs._machine import devices, version_of
from pydantic import BaseModel, Field, StrictBool, StrictFloat, StrictInt, StrictStr

from .access import Person, Role, key_of, keys, needs, server_of, tell
from .access.persons import NAME, role_of
from .errors import MISTAKES, Invalid, Unknown
from .settings import option_name, options

TABLES = ""
router = APIRouter(prefix="/administration", tags=["administration"])
RoleName = Literal["viewer", "user", "expert", "admin"]
WHO = Path(..., regex=f"^{NAME}$")
LARGEST_ID = (1 << 63) - 1


class OnePerson(BaseModel):
    name: str
    role: RoleName
    is_blocked: bool
    has_password: bool
    added: float
    sessions: int


class NewPerson(BaseModel):
    """password: none where a proxy tells who somebody is."""
    name: str = Field(max_length=64)
    role: RoleName = "user"
    password: Optional[str] = Field(None, max_length=1024)


class Change(BaseModel):
    """Of what is given."""
    role: Optional[RoleName]
    is_blocked: Optional[bool]
    password: Optional[str] = Field(None, max_length=1024)


class OneSession(BaseModel):
    """mine: of this browser"""
    number: str
    person: str
    began: float
    seen: float
    address: str
    browser: str
    mine: bool


class Entry(BaseModel):
    """count: how often within a minute; status: of the answer"""
    id: int
    time: float
    person: str
    address: str
    action: str
    path: str
    detail: str
    status: int
    count: int


class Log(BaseModel):
    items: List[Entry]


class Space(BaseModel):
    folder: str
    free: int
    size: int


class Limit(BaseModel):
    option: str
    about: str
    value: Union[StrictBool, StrictInt, StrictFloat, StrictStr, List[str], None]


class QueueLimits(BaseModel):
    """Of jobs that are over, and of owners."""
    keep_days: Optional[float]
    keep_jobs: Optional[int]
    jobs_per_owner: Optional[int]
    bytes_per_owner: Optional[int]


class About(BaseModel):
    version: str
    now: float
    spaces: List[Space]
    settings: List[Limit]
    queue: QueueLimits


class OneDevice(BaseModel):
    index: int
    name: str
    is_cpu: bool
    memory: int


@router.get("/persons", response_model=List[OnePerson], responses=MISTAKES)
async def persons(request: Request, person: Person = needs(Role.ADMIN)):
    """All persons, by name."""
    return [_as_dict(server_of(request), row) for row in server_of(request).access.persons.all()]


@router.post("/persons", status_code=201, response_model=OnePerson, responses=MISTAKES)
async def add_person(given: NewPerson, request: Request, person: Person = needs(Role.ADMIN)):
    """Adds a person."""
    server = server_of(request)
    if server.settings.access == "passwords" and not given.password:
        raise Invalid("a password is needed", "password")
    password = await keys.hashed_soon(keys.checked(given.password)) if given.password else None
    server.access.persons.add(given.name, role_of(given.role), password)
    tell(request, f"{given.name}: {given.role}")
    return _as_dict(server, server.access.persons.get(given.name))


@router.patch("/persons/{name}", response_model=OnePerson, responses=MISTAKES)
async def change_person(given: Change, request: Request, name: str = WHO, person: Person = needs(Role.ADMIN)):
    """Changes role or password, blocks or lets in again. A new password and a block end the sessions."""
    access = server_of(request).access
    access.persons.get(name)
    password = await keys.hashed_soon(keys.checked(given.password)) if given.password is not None else None
    access.persons.change(name, given.role and role_of(given.role), given.is_blocked)
    if password:
        access.persons.set_password(name, password)
    if password or given.is_blocked:
        access.sessions.end_all(name)
    told = {"role": given.role, "blocked": given.is_blocked, "password": "new" if password else None}
    tell(request, ", ".join(f"{key}: {value}" for key, value in told.items() if value is not None))
    return _as_dict(server_of(request), access.persons.get(name))


@router.delete("/persons/{name}", status_code=204, responses=MISTAKES)
async def remove_person(request: Request, name: str = WHO, person: Person = needs(Role.ADMIN)):
    """Takes a person away, with all sessions, links to results and addresses for messages. Data sets and jobs stay."""
    access = server_of(request).access
    access.persons.remove(name)
    access.sessions.end_all(name)


@router.get("/sessions", response_model=List[OneSession], responses=MISTAKES)
async def sessions(request: Request, person: Person = needs(Role.ADMIN)):
    """Sessions, those that were used last first."""
    access = server_of(request).access
    mine = keys.digest(key_of(request))
    return [{**dict(row), "mine": row["digest"] == mine} for row in access.sessions.all()]


@router.delete("/sessions/{number}", status_code=204, responses=MISTAKES)
async def end_session(request: Request, number: str = Path(..., regex="^[0-9a-f]{16}$"), person: Person = needs(Role.ADMIN)):
    """Logs a browser out."""
    if not server_of(request).access.sessions.end_number(number):
        raise Unknown("there is no such session")


@router.get("/audit", response_model=Log, responses=MISTAKES)
async def audit(request: Request, before: Optional[int] = Query(None, ge=1, le=LARGEST_ID), of: Optional[str] = Query(None, max_length=64),
                limit: int = Query(100, ge=1, le=1000), person: Person = needs(Role.ADMIN)):
    """What persons changed, and logins: the newest first, of those before an entry and of one person."""
    return {"items": [dict(row) for row in server_of(request).access.audit.page(before, of or None, limit)]}


@router.get("/server", response_model=About, responses=MISTAKES)
async def about(request: Request, person: Person = needs(Role.ADMIN)):
    """Version, disk space of the folders, settings and limits."""
    server = server_of(request)
    version = await asyncio.to_thread(version_of, "tomo-reconstruct")
    limits = server.queue.limits()
    return {"version": version.rpartition(" ")[2] or "unknown", "now": time.time(), "spaces": await asyncio.to_thread(_spaces, server.settings),
            "settings": [_limit(server.settings, field) for field in options()],
            "queue": vars(limits)}


@router.get("/devices", response_model=List[OneDevice], responses=MISTAKES)
async def list_devices(request: Request, person: Person = needs(Role.ADMIN)):
    """The OpenCL devices of this computer."""
    try:
        return [device._asdict() for device in await asyncio.to_thread(devices)]
    except Error as e:
        raise Invalid(str(e)) from None


def _as_dict(server, row):
    return {**dict(row), "role": str(Role(row["role"])), "sessions": server.access.sessions.count(row["name"])}


def _spaces(settings):
    found = []
    for name, path in {**settings.folders, "results": settings.results, "state": settings.state}.items():
        try:
            usage = shutil.disk_usage(path)
        except OSError:
            continue  # it was there when the server began
        found.append({"folder": name, "free": usage.free, "size": usage.total})
    return found


def _limit(settings, field):
    value = getattr(settings, field.name)
    value = list(value) if isinstance(value, tuple) else value if isinstance(value, (int, float, str, type(None))) else str(value)
    return {"option": option_name(field), "about": field.metadata["help"], "value": value}
