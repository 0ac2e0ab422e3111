# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Messages about jobs that are over: by e-mail, or by a request to an address that the administrator allows (a webhook)."""

import re
import secrets
from typing import List, Literal, Optional

from fastapi import APIRouter, Request
from pydantic import BaseModel, Extra, Field

from . import notices, webhook
from .access import Person, Role, needs, server_of
from .errors import MISTAKES, Conflict, Invalid

TABLES = notices.TABLES
router = APIRouter(tags=["messages"])
ADDRESS = re.compile(r"[A-Za-z0-9._%+-]{1,64}@((?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z]{2,63}|localhost)")
TELLS = Literal["never", "failed", "always"]


class Wish(BaseModel):
    """tells: of which of your jobs, beside those that are ordered with notify"""
    email: Optional[str] = Field(None, max_length=254)
    webhook: Optional[str] = Field(None, max_length=2000)
    tells: TELLS = "never"

    class Config:
        extra = Extra.forbid


class Notice(Wish):
    """can_mail: whether the server sends e-mail. webhooks: how addresses of webhooks may begin"""
    can_mail: bool
    webhooks: List[str]


class Secret(BaseModel):
    """X-Tomo-Signature of a request is sha256=HMAC-SHA256(secret, X-Tomo-Timestamp + "." + body) in hexadecimal digits."""
    secret: str


class Delivery(BaseModel):
    """due: when it is tried next, None: no more. sent: when it arrived"""
    id: int
    job: Optional[int]
    kind: Literal["email", "webhook"]
    address: str
    created: float
    tries: int
    due: Optional[float]
    sent: Optional[float]
    problem: Optional[str]


class Deliveries(BaseModel):
    items: List[Delivery]


class Count(BaseModel):
    count: int


@router.get("/notices", response_model=Notice, responses=MISTAKES)
async def show_notices(request: Request, person: Person = needs(Role.VIEWER)):
    """How you are told of your jobs."""
    server = server_of(request)
    row = server.database.one("SELECT * FROM notices WHERE person = ?", person.name)
    found = {name: row[name] for name in ("email", "webhook", "tells")} if row else {"tells": "never"}
    return {**found, "can_mail": bool(server.settings.smtp), "webhooks": list(server.settings.webhooks)}


@router.put("/notices", response_model=Notice, responses=MISTAKES)
async def change_notices(wish: Wish, request: Request, person: Person = needs(Role.USER)):
    """Changes how you are told of your jobs."""
    server = server_of(request)
    email, url = (wish.email or "").strip() or None, (wish.webhook or "").strip() or None
    if email:
        _check_email(email, server.settings)
    if url:
        webhook.checked(url, server.settings.webhooks)
    server.database.run(
        "INSERT INTO notices VALUES (?, ?, ?, ?, ?) ON CONFLICT (person) DO UPDATE SET email = excluded.email, webhook = excluded.webhook, "
        "tells = excluded.tells", person.name, email, url, secrets.token_urlsafe(32), wish.tells)
    return await show_notices(request, person)


@router.post("/notices/secret", response_model=Secret, responses=MISTAKES)
async def new_secret(request: Request, person: Person = needs(Role.USER)):
    """Makes a new secret for your webhook, which signs all requests from now on. Nobody sees it a second time."""
    made = secrets.token_urlsafe(32)
    if not server_of(request).database.run("UPDATE notices SET secret = ? WHERE person = ?", made, person.name).rowcount:
        raise Conflict("give an address first")
    return {"secret": made}


@router.post("/notices/trial", status_code=202, response_model=Count, responses=MISTAKES)
async def try_notices(request: Request, person: Person = needs(Role.USER)):
    """Sends a message to your addresses."""
    if not (count := server_of(request).notices.put(person.name, None, {"event": "trial"})):
        raise Conflict("there is no address that messages could go to")
    return {"count": count}


@router.get("/notices/deliveries", response_model=Deliveries, responses=MISTAKES)
async def list_deliveries(request: Request, person: Person = needs(Role.VIEWER)):
    """The last messages to you, and what became of them."""
    rows = server_of(request).database.all("SELECT * FROM deliveries WHERE person = ? ORDER BY id DESC LIMIT 50", person.name)
    return {"items": [{name: row[name] for name in Delivery.__fields__} for row in rows]}


def _check_email(email, settings):
    if not settings.smtp:
        raise Invalid("this server sends no e-mail", "email")
    found = ADDRESS.fullmatch(email)
    if not found:
        raise Invalid("an address of e-mail is NAME@DOMAIN", "email")
    if settings.mail_domains and not any(found[1].lower() == one.lower() for one in settings.mail_domains):
        raise Invalid(f"the administrator allows addresses of {', '.join(settings.mail_domains)}", "email")
