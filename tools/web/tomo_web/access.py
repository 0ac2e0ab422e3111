# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Who may do what. A router's function has the person by `person: Person = needs(Role.USER)`."""

import dataclasses
import enum
import hmac

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel

from .errors import Forbidden, NotLoggedIn

TABLES = ""
COOKIE = "gst-tomo-session"
router = APIRouter(tags=["access"])


class Role(enum.IntEnum):
    VIEWER = 1   # looks and downloads
    USER = 2     # runs jobs
    EXPERT = 3   # where the administrator allows it: names any file, gives dataflows
    ADMIN = 4    # manages persons and everybody's jobs


@dataclasses.dataclass(frozen=True)
class Person:
    name: str
    role: Role


def server_of(request: Request):
    return request.app.state.server


def person_of(request: Request):
    token = request.app.state.token
    if hmac.compare_digest(request.cookies.get(COOKIE, ""), token) or request.headers.get("Authorization") == f"Bearer {token}":
        return Person("local", Role.ADMIN)
    raise NotLoggedIn("log in first")


def needs(role):
    def check(person: Person = Depends(person_of)):
        if person.role < role:
            raise Forbidden(f"this is for the role {role.name.lower()}, and {person.name} is {person.role.name.lower()}")
        return person
    return Depends(check)


class Login(BaseModel):
    token: str


@router.post("/session", status_code=204)
async def log_in(login: Login, request: Request, response: Response):
    """Takes the token of the address that the server has printed."""
    if not hmac.compare_digest(login.token.encode(), request.app.state.token.encode()):
        raise NotLoggedIn("the token is not that of this server")
    response.set_cookie(COOKIE, login.token, httponly=True, samesite="strict")


@router.get("/access")
async def access():
    """How people get in: token, passwords or proxy."""
    return {"access": "token"}


@router.get("/session")
async def session(person: Person = needs(Role.VIEWER)):
    """Who is logged in."""
    return {"name": person.name, "role": person.role.name.lower(), "access": "token", "expert": False, "csrf": ""}
