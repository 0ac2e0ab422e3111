# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Errors as a browser gets them: a status of HTTP and one sentence for people."""

from typing import Optional

from pydantic import BaseModel


class Refusal(Exception):
    """A request that can't be served. `field` names the value of the request that is wrong, where one is."""

    status = 400

    def __init__(self, text, field=None):
        super().__init__(text)
        self.text, self.field = text, field

    def as_dict(self):
        return {"error": self.text, **({"field": self.field} if self.field else {})}


class Unknown(Refusal):
    """What is asked for is not there, or not for this person."""
    status = 404


class Forbidden(Refusal):
    status = 403


class NotLoggedIn(Refusal):
    status = 401


class Conflict(Refusal):
    """Somebody else was faster, or the thing is in a state that forbids this."""
    status = 409


class TooLarge(Refusal):
    status = 413


class Invalid(Refusal):
    """A value that a parameter does not take, in the library's words."""
    status = 422


class TooMany(Refusal):
    """Requests within a time, or of what a person may have. retry_after: seconds, where these help."""
    status = 429

    def __init__(self, text, field=None, retry_after=None):
        super().__init__(text, field)
        self.retry_after = retry_after


class TooSlow(Refusal):
    status = 408


class Mistake(BaseModel):
    """Every answer that is no success. field: name of the value that is wrong, where one is."""
    error: str
    field: Optional[str]


MISTAKES = {status: {"model": Mistake} for status in (400, 401, 403, 404, 409, 413, 422, 429)}  # for `responses` of a route
READS = {"x-changes": False}  # for `openapi_extra` of a POST that changes nothing: it is not in the log of changes
