# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Getting in and out."""

from typing import Literal, Optional

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from ..errors import MISTAKES, Invalid, NotLoggedIn
from . import keys
from .model import Person, Role
from .who import LOCAL, address_of, cookie_name, csrf_token, is_secure, key_of, needs, server_of, tell

router = APIRouter(tags=["access"])
LONGEST = 1024


class Way(BaseModel):
    access: Literal["token", "passwords", "proxy"]


class Login(BaseModel):
    """A token, or a name and a password."""
    token: Optional[str] = Field(None, max_length=LONGEST)
    name: Optional[str] = Field(None, max_length=LONGEST)
    password: Optional[str] = Field(None, max_length=LONGEST)


class Session(BaseModel):
    """csrf goes with each request that changes something, as X-CSRF-Token."""
    name: str
    role: Literal["viewer", "user", "expert", "admin"]
    access: Literal["token", "passwords", "proxy"]
    expert: bool
    csrf: str


class NewPassword(BaseModel):
    old: str = Field(max_length=LONGEST)
    password: str = Field(max_length=LONGEST)


@router.get("/access", response_model=Way)
async def access(request: Request):
    """How people get in."""
    return {"access": server_of(request).settings.access}


@router.post("/session", status_code=204, responses=MISTAKES)
async def log_in(login: Login, request: Request, response: Response):
    """Logs in, by the token of the address that the server has printed, or by name and password. The answer sets a cookie."""
    server, address = server_of(request), address_of(request)
    name = LOCAL if server.settings.access == "token" else login.name or ""
    request.state.tried = name
    # Where a guess comes from counts, and whose password it is for: guesses from many places are guesses, too.
    server.access.logins.take(address)
    server.access.guesses.take(name)
    if not await _is_right(server, login):
        raise NotLoggedIn(WRONG[server.settings.access])
    server.access.logins.give(address)
    server.access.guesses.give(name)
    if old := key_of(request):
        server.access.sessions.end(old)
    key = server.access.sessions.begin(name, address, request.headers.get("user-agent", ""))
    response.set_cookie(cookie_name(request), key, httponly=True, samesite="strict", secure=is_secure(request), path="/")


@router.get("/session", response_model=Session, responses=MISTAKES)
async def session(request: Request, person: Person = needs(Role.VIEWER)):
    """Who is logged in."""
    return {"name": person.name, "role": str(person.role), "access": server_of(request).settings.access, "expert": person.is_expert,
            "csrf": csrf_token(request)}


@router.delete("/session", status_code=204, responses=MISTAKES)
async def log_out(request: Request, response: Response, person: Person = needs(Role.VIEWER)):
    """Logs out."""
    server_of(request).access.sessions.end(key_of(request))
    response.delete_cookie(cookie_name(request), path="/", secure=is_secure(request), httponly=True, samesite="strict")


@router.delete("/sessions", status_code=204, responses=MISTAKES)
async def log_out_everywhere(request: Request, response: Response, person: Person = needs(Role.VIEWER)):
    """Logs out in all browsers."""
    server_of(request).access.sessions.end_all(person.name)
    response.delete_cookie(cookie_name(request), path="/", secure=is_secure(request), httponly=True, samesite="strict")


@router.put("/session/password", status_code=204, responses=MISTAKES)
async def change_password(given: NewPassword, request: Request, person: Person = needs(Role.VIEWER)):
    """Changes your password, and logs out your other browsers."""
    server = server_of(request)
    if server.settings.access != "passwords":
        raise Invalid("this server has no passwords")
    server.access.guesses.take(person.name)
    stored = server.access.persons.password_of(person.name)
    if not await keys.fits_soon(given.old, stored):
        raise Invalid("this is not your password", "old")
    server.access.guesses.give(person.name)
    server.access.persons.replace_password(person.name, stored, await keys.hashed_soon(keys.checked(given.password)))
    server.access.sessions.end_all(person.name, but=key_of(request))
    tell(request, "password")


WRONG = {"token": "the token is not that of this server", "passwords": "name or password is wrong",
         "proxy": "the proxy tells who you are: there is no login"}


async def _is_right(server, login):
    if server.settings.access == "token":
        return keys.is_same(login.token or "", server.access.token)
    if server.settings.access == "passwords":
        persons, name = server.access.persons, login.name or ""
        stored = persons.password_of(name)
        # It may be another one by now, and sessions of the last one have ended.
        return await keys.fits_soon(login.password or "", stored) and persons.password_of(name) == stored
    return False
