# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What stands before every request, whatever it asks for: whom it may come from, how large and how slow it may be, and the headers that
bind browsers. It also writes down what persons change."""

import asyncio
import contextlib
import re
import time

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse

from .access.who import SAFE, is_of
from .errors import Forbidden, Refusal, TooLarge, TooSlow, Unknown

UPLOADS = re.compile(r"/api/uploads/[^/]+")  # whose bodies (PATCH) may have the size of a file
SLOWEST = 10_000  # bytes a second that a body has to come with, behind the first `patience` seconds
LINGER, LINGER_BYTES = 2.0, 64 << 20  # seconds that the rest of a refused request may take, and its size
LONGEST_PATH, LONGEST_HEAD, LONGEST_NAME = 8192, 32768, 255
CONTROL = re.compile(r"[\x00-\x1f\x7f]")
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
POLICY = ("default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'")
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


class Guard:
    """An ASGI application around another one."""

    def __init__(self, app, settings):
        self._app, self._settings = app, settings

    async def __call__(self, scope, receive, send):
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        scope["state"] = {}
        self._see_client(scope)
        exchange = Exchange(scope, receive, send, self._settings)
        try:
            check_head(scope)
            self._check_origin(scope)
            if scope["type"] == "http":
                exchange.check_length()
            await self._app(scope, exchange.receive, exchange.send)
        except Refusal as refusal:
            await exchange.refuse(refusal)
        except Exception:
            if not exchange.refusal:
                raise
        if exchange.refusal:
            await exchange.refuse(exchange.refusal)
        if scope["type"] == "http" and scope["method"] not in SAFE:
            self._write_down(scope, exchange.status)

    def _see_client(self, scope):
        """Behind a proxy that the administrator trusts the client is the one that this proxy names, and not the proxy."""
        address = scope["client"][0] if scope.get("client") else ""
        if not is_of(address, self._settings.proxies):
            return
        scope["state"]["is_from_proxy"] = True
        named = ",".join(Headers(scope=scope).getlist("x-forwarded-for")).split(",")
        for one in reversed([name.strip() for name in named if name.strip()]):
            scope["client"] = (one, 0)
            if not is_of(one, self._settings.proxies):
                return

    def _check_origin(self, scope):
        """A name that somebody else gave to this computer is none of ours, and no page of another server may change something."""
        headers = Headers(scope=scope)
        origins = self._origins(scope)
        hosts = {origin.partition("://")[2] for origin in origins}
        if headers.getlist("host")[1:] or headers.get("host") not in hosts:
            raise Forbidden("the address of this server is another one: the administrator names it with --address")
        origin = headers.get("origin")
        if origin is not None and (scope["type"] == "websocket" or scope["method"] not in SAFE) and origin not in origins:
            raise Forbidden("the request comes from a page of another server")

    def _origins(self, scope):
        port = scope["server"][1]
        local = [f"http://{host}:{port}" for host in {self._settings.host, *(LOOPBACK if is_loopback(self._settings.host) else ())}]
        return {*self._settings.addresses, *local}

    def _write_down(self, scope, status):
        state = scope["state"]
        person, route = state.get("person"), scope.get("route")
        tried = state.get("tried")
        extra = getattr(route, "openapi_extra", None) or {}
        if not (person or tried is not None) or not route or extra.get("x-changes") is False or (status >= 400 and tried is None):
            return
        address = scope["client"][0] if scope.get("client") else ""
        scope["app"].state.server.access.audit.add(person.name if person else tried, address, route.summary or title_of(route.name),
                                         f"{scope['method']} {scope['path']}", status, state.get("detail", ""))


class Exchange:
    """One request and its answer, with limits. `refusal` is why it was given up, `status` that of the answer."""

    def __init__(self, scope, receive, send, settings):
        self._scope, self._receive, self._send, self._settings = scope, receive, send, settings
        is_upload = scope["type"] == "http" and scope["method"] == "PATCH" and UPLOADS.fullmatch(scope["path"])
        self._most = settings.largest_upload if is_upload else settings.largest_request
        self._begin, self._received, self._is_whole = time.monotonic(), 0, scope["type"] == "websocket"
        self.status, self.refusal = 0, None

    def check_length(self):
        length = Headers(scope=self._scope).get("content-length", "0")
        if not re.fullmatch(r"\d{1,18}", length, re.ASCII) or int(length) > self._most:
            raise TooLarge(f"a request may have at most {self._most} bytes")

    async def receive(self):
        if self._is_whole:
            return await self._receive()
        left = self._begin + self._settings.patience + self._received / SLOWEST - time.monotonic()
        try:
            message = await asyncio.wait_for(self._receive(), max(0.0, left))
        except asyncio.TimeoutError:
            self.refusal = TooSlow("the request came too slowly")
            raise self.refusal from None
        self._received += len(message.get("body", b""))
        self._is_whole = not message.get("more_body", False)
        if self._received > self._most:
            self.refusal = TooLarge(f"a request may have at most {self._most} bytes")
            raise self.refusal
        return message

    async def send(self, message):
        if self.refusal and not self.status:
            return  # what the application says of a body that it could not read
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message = {**message, "headers": list(message["headers"])}
            add_headers(MutableHeaders(raw=message["headers"]), self._scope["path"])
        await asyncio.wait_for(self._send(message), self._settings.patience)

    async def refuse(self, refusal):
        if self._scope["type"] == "websocket":
            await self._send({"type": "websocket.close", "code": 1008, "reason": refusal.text})
        elif not self.status:
            self.refusal = None
            await JSONResponse(refusal.as_dict(), refusal.status, {"Connection": "close"})(self._scope, self._receive, self._send_and_linger)

    async def _send_and_linger(self, message):
        """A connection that ends before all of the request has come takes the answer with it (RFC 9112, 9.6)."""
        is_end = message["type"] == "http.response.body"
        await self.send({**message, "more_body": True} if is_end else message)
        if is_end:
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._discard_rest(), LINGER)
            await self.send({"type": "http.response.body"})

    async def _discard_rest(self):
        while not self._is_whole and self._received < self._most + LINGER_BYTES:
            message = await self._receive()
            self._received += len(message.get("body", b""))
            self._is_whole = not message.get("more_body", False)


def check_head(scope):
    if len(scope["raw_path"]) + len(scope["query_string"]) > LONGEST_PATH:
        raise TooLarge("the address is too long")
    if sum(len(name) + len(value) for name, value in scope["headers"]) > LONGEST_HEAD:
        raise TooLarge("the headers are too long")
    if CONTROL.search(scope["path"]) or max(map(len, scope["path"].split("/"))) > LONGEST_NAME:
        raise Unknown("there is nothing at this address")


def add_headers(headers, path):
    """Routes may have set some of them themselves."""
    for name, value in HEADERS.items():
        headers.setdefault(name, value)
    headers.setdefault("Cache-Control", "no-store" if path.startswith("/api/") else "no-cache")


def is_loopback(host):
    return host in LOOPBACK or host == "::1" or host.startswith("127.")


def title_of(name):
    return name.replace("_", " ").capitalize()
