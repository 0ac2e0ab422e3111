# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Links by which somebody without a login sees one result, for a time. The database has hashes of them, which open nothing."""

import dataclasses
import hashlib
import secrets
import time
from typing import List

from fastapi import APIRouter, Depends, Path, Request, Response
from pydantic import BaseModel, Extra, Field

from .access import Person, Role, needs, person_of, server_of
from .errors import MISTAKES, Forbidden, NotLoggedIn, TooMany, Unknown
from .outputs import LARGEST, Job, Number, result_of

TABLES = """
CREATE TABLE IF NOT EXISTS shares (
    id INTEGER PRIMARY KEY AUTOINCREMENT, hash TEXT NOT NULL UNIQUE, job INTEGER NOT NULL, number INTEGER NOT NULL, owner TEXT NOT NULL,
    note TEXT NOT NULL, created REAL NOT NULL, expires REAL NOT NULL);
CREATE INDEX IF NOT EXISTS shares_by_result ON shares (job, number);
CREATE TRIGGER IF NOT EXISTS shares_of_person_gone AFTER DELETE ON persons BEGIN DELETE FROM shares WHERE owner = OLD.name; END;
"""
router = APIRouter(tags=["shares"])

COOKIE = "gst-tomo-share"
MOST = 100            # of one result
HOURS, MOST_HOURS = 24 * 7, 24 * 366


@dataclasses.dataclass(frozen=True)
class Viewer:
    """Who looks at a result: a person, or whoever has a link to it."""
    name: str
    is_guest: bool


def sees():
    """For a route of a result: who may see it. Guests have a cookie for this one alone."""
    async def check(request: Request, job: int = Job, number: int = Number):
        try:
            return Viewer((await person_of(request)).name, False)
        except NotLoggedIn:
            if share := _valid(server_of(request), request.cookies.get(COOKIE, "")):
                if (share["job"], share["number"]) == (job, number):
                    return Viewer("guest", True)
            raise
    return Depends(check)


def _valid(server, token):
    """The link of a token. Those of a person who is blocked open nothing until he is let in again."""
    return server.database.one("SELECT * FROM shares WHERE hash = ? AND expires > ? AND owner NOT IN (SELECT name FROM persons WHERE is_blocked)",
                               _hash(token), time.time()) if token else None


def _hash(token):
    return hashlib.sha256(token.encode()).hexdigest()  # of 32 random bytes: nobody tries all


class NewShare(BaseModel):
    hours: float = Field(HOURS, gt=0, le=MOST_HOURS, description="until the link opens nothing any more")
    note: str = Field("", max_length=200, description="for whom it is")

    class Config:
        extra = Extra.forbid


class Share(BaseModel):
    id: int
    job: int
    number: int
    owner: str
    note: str
    created: float
    expires: float


class MadeShare(Share):
    """token: told this once; the link is /ui/shared.html#TOKEN"""
    token: str


class Token(BaseModel):
    token: str = Field(..., max_length=200)


class Opened(BaseModel):
    job: int
    number: int
    expires: float


@router.post("/results/{job}/{number}/shares", status_code=201, response_model=MadeShare, responses=MISTAKES)
async def share(new: NewShare, request: Request, job: int = Job, number: int = Number, person: Person = needs(Role.USER)):
    """Makes a link by which anybody sees this result for a time."""
    server, now = server_of(request), time.time()
    await result_of(server, job, number)
    server.database.run("DELETE FROM shares WHERE expires < ?", now)
    if server.database.one("SELECT count(*) AS number FROM shares WHERE job = ? AND number = ?", job, number)["number"] >= MOST:
        raise TooMany(f"this result has {MOST} links: revoke some")
    token = secrets.token_urlsafe(32)
    made = server.database.run("INSERT INTO shares (hash, job, number, owner, note, created, expires) VALUES (?, ?, ?, ?, ?, ?, ?)",
                               _hash(token), job, number, person.name, new.note, now, now + 3600 * new.hours)
    return {**_row(server, made.lastrowid), "token": token}


@router.get("/results/{job}/{number}/shares", response_model=List[Share], responses=MISTAKES)
async def list_shares(request: Request, job: int = Job, number: int = Number, person: Person = needs(Role.USER)):
    """Links to a result that are valid: those that the person made, and for administrators all."""
    rows = server_of(request).database.all("SELECT * FROM shares WHERE job = ? AND number = ? AND expires > ? ORDER BY id", job, number, time.time())
    return [dict(row) for row in rows if _is_of(row, person)]


@router.delete("/shares/{id}", status_code=204, responses=MISTAKES)
async def revoke(request: Request, id: int = Path(..., ge=0, le=LARGEST), person: Person = needs(Role.USER)):
    """Ends a link at once."""
    server = server_of(request)
    row = _row(server, id)
    if not _is_of(row, person):
        raise Forbidden(f"this link was made by {row['owner']}")
    server.database.run("DELETE FROM shares WHERE id = ?", id)


@router.post("/shared", response_model=Opened, responses={status: MISTAKES[status] for status in (404, 422)})
async def open_share(given: Token, request: Request, response: Response):
    """Opens a link: the browser gets a cookie for its result, and for nothing else."""
    row = _valid(server_of(request), given.token)
    if row is None:
        raise Unknown("this link has expired, or was revoked")
    response.set_cookie(COOKIE, given.token, max_age=max(1, int(row["expires"] - time.time())), path=f"/api/results/{row['job']}/{row['number']}",
                        httponly=True, samesite="strict", secure=request.url.scheme == "https")
    return dict(row)


def _is_of(row, person):
    return person.role >= Role.ADMIN or row["owner"] == person.name


def _row(server, id):
    row = server.database.one("SELECT * FROM shares WHERE id = ?", id)
    if row is None:
        raise Unknown(f"there is no link {id}")
    return dict(row)
