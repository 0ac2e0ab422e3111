# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Who asks: by the cookie of a session, by a proxy's header, or by the token as `Authorization: Bearer TOKEN`."""

import ipaddress

from fastapi import Depends
from starlette.requests import HTTPConnection

from ..errors import Forbidden, NotLoggedIn
from . import keys
from .model import Person, Role

SAFE = ("GET", "HEAD", "OPTIONS")
COOKIE = "gst-tomo-session"
LOCAL = "local"  # the one person of the mode `token`


def server_of(connection: HTTPConnection):
    return connection.app.state.server


def cookie_name(connection):
    """Browsers give cookies to all ports of a computer. By https one that no other computer can set."""
    return f"__Host-{COOKIE}" if is_secure(connection) else f"{COOKIE}-{connection.scope['server'][1]}"


def is_secure(connection):
    """Whether the browser speaks https, with this server or with the proxy in front of it."""
    return connection.url.scheme in ("https", "wss") or f"https://{connection.headers.get('host')}" in server_of(connection).settings.addresses


def key_of(connection):
    """Of the session, "" where there is none."""
    return connection.cookies.get(cookie_name(connection), "")


def address_of(connection):
    return connection.client.host if connection.client else ""


async def person_of(connection: HTTPConnection):
    """Raises NotLoggedIn, Forbidden, TooMany."""
    server = server_of(connection)
    person, csrf = _found(connection, server)
    connection.state.person = person
    if csrf and connection.scope["type"] == "http" and connection.scope["method"] not in SAFE and \
            not keys.is_same(connection.headers.get("x-csrf-token", ""), csrf):
        raise Forbidden("the request does not come from a page of this server: its X-CSRF-Token is wrong")
    server.access.requests.take(person.name)
    return person


def csrf_token(connection):
    """That of who is logged in; "" where none is needed."""
    return _found(connection, server_of(connection))[1]


def is_still_in(connection):
    """Whether a WebSocket's person is still logged in."""
    try:
        _found(connection, server_of(connection))
    except NotLoggedIn:
        return False
    return True


def needs(role):
    async def check(person: Person = Depends(person_of)):
        if role == Role.EXPERT and not person.is_expert:
            raise Forbidden("this is for experts, whom the administrator has to allow")
        if person.role < role:
            raise Forbidden(f"this is for the role {role}, and {person.name} is {person.role}")
        return person
    return Depends(check)


def tell(request, text):
    """What the audit log says beside the address of this request."""
    request.state.detail = text


def is_of(address, networks):
    """Whether an address is in one of the networks, "127.0.0.1" or "10.0.0.0/8"."""
    try:
        one = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(one in network for network in networks)


def _found(connection, server):
    """The person and the CSRF token that goes with it; "" where nothing comes along by itself."""
    if token := _bearer(connection):
        return _by_token(connection, server, token), ""
    if server.settings.access == "proxy":
        name = _told_by_proxy(connection, server)
        return _person(server, name), keys.csrf_of(server.access.secret, name)
    key = key_of(connection)
    name = key and server.access.sessions.person(key)
    if not name:
        raise NotLoggedIn("log in first")
    return _person(server, name), keys.csrf_of(key)


def _bearer(connection):
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    return token if scheme.lower() == "bearer" else ""


def _by_token(connection, server, token):
    if server.settings.access != "token" or not keys.is_same(token, server.access.token):
        server.access.logins.take(address_of(connection))
        raise NotLoggedIn("the token is not that of this server")
    return _person(server, LOCAL)


def _told_by_proxy(connection, server):
    # Headers of others than the proxy are what anybody writes. connection.client is whom the proxy speaks for.
    if not connection.scope["state"].get("is_from_proxy"):
        raise NotLoggedIn("the request does not come through the proxy")
    names = connection.headers.getlist(server.settings.proxy_header)
    if len(names) != 1 or not names[0]:
        raise NotLoggedIn("the proxy does not tell who you are")
    return names[0]


def _person(server, name):
    if server.settings.access == "token":
        return Person(LOCAL, Role.ADMIN, server.settings.experts)
    row = server.access.persons.find(name)
    if not row and server.settings.access == "proxy":
        role = server.settings.new_persons
        if role == "none":
            raise NotLoggedIn(f"{name} is not known here; ask the administrator")
        server.access.persons.add(name, Role[role.upper()])
        row = server.access.persons.find(name)
    if not row or row["is_blocked"]:
        raise NotLoggedIn("log in first")
    role = Role(row["role"])
    if role == Role.EXPERT and not server.settings.experts:
        role = Role.USER
    return Person(name, role, server.settings.experts and role >= Role.EXPERT)
