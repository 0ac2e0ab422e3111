# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What goes wrong, as answers: {error, field}."""

import errno
import logging
import sqlite3

from fastapi import Request, WebSocket
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from .errors import Refusal

FULL = (errno.ENOSPC, errno.EDQUOT)
log = logging.getLogger(__name__)


def answer_for_mishaps(app):
    """Gives an application its answers."""
    @app.exception_handler(Refusal)
    async def refuse(request: Request, refusal: Refusal):
        if isinstance(request, WebSocket):
            return await request.close(1008, refusal.text)
        after = getattr(refusal, "retry_after", None)
        return JSONResponse(refusal.as_dict(), refusal.status, {"Retry-After": str(after)} if after else None)

    @app.exception_handler(RequestValidationError)
    async def misunderstand(request: Request, error: RequestValidationError):
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"][1:])
        return JSONResponse({"error": f"{field or 'the request'}: {first['msg']}", "field": field}, 422)

    @app.exception_handler(HTTPException)
    async def say(request: Request, error: HTTPException):
        text = {404: "there is nothing at this address", 405: "this address does not take such requests"}.get(error.status_code, error.detail)
        return JSONResponse({"error": str(text)}, error.status_code, error.headers)

    @app.exception_handler(UnicodeEncodeError)
    async def no_text(request: Request, error: UnicodeEncodeError):
        return JSONResponse({"error": "a text has half a character, which belongs to no language"}, 422)

    @app.exception_handler(OSError)
    @app.exception_handler(sqlite3.OperationalError)
    async def fail_on_the_disk(request: Request, error: Exception):
        code = getattr(error, "sqlite_errorcode", 0) & 0xff
        if code != sqlite3.SQLITE_FULL and getattr(error, "errno", None) not in FULL:
            raise error  # to fail()
        log.error("%s %s: %s", request.method, request.url.path, error)
        return JSONResponse({"error": "the server's disk is full: tell the administrator"}, 503)

    @app.exception_handler(Exception)
    async def fail(request: Request, error: Exception):
        return JSONResponse({"error": "the server failed; its log tells why"}, 500)
