# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""One slice while settings change."""

import time
from typing import Any, Dict, Optional

from fastapi import APIRouter, Request, Response
from gsttomo.faces import axis, looks
from pydantic import BaseModel, Extra, Field

from .access import Person, Role, needs, server_of
from .errors import READS
from .given import NUMBER, telling, while_there
from .pictures import SAMPLES, plan_of, said, samples

TABLES = ""
router = APIRouter(tags=["slices"])


class Look(BaseModel):
    """tab: a name that a page gives itself: the next wish of the same page takes the place of the last one, which ends"""
    settings: Dict[str, Any] = {}
    tab: str = Field("", max_length=64)

    class Config:
        extra = Extra.forbid


class SliceLook(Look):
    """row: of the detector; without one: the middle"""
    row: Optional[int] = Field(None, ge=0, le=2**31 - 1)


@router.post("/datasets/{number}/slice", openapi_extra=READS, response_class=Response, responses=SAMPLES)
async def make_slice(look: SliceLook, request: Request, number: int = NUMBER, person: Person = needs(Role.USER)):
    """The slice of a row by these settings. X-Facts: row, method, axis and axis-from (given, scan, found), seconds, warnings."""
    server = server_of(request)
    given = await server.facts.given(server, number, look.settings, person)
    row = axis.middle_row(given.facts) if look.row is None else look.row
    began = time.monotonic()
    with telling(server):
        made = await while_there(request, server.looks.ask((person.name, look.tab, "slice"), looks.slice_of(given.values, given.facts, row),
                                                           person.name))
    plan = plan_of(made.events)
    about = {"row": row, "method": given.values.get("method", "fbp"), "axis": plan.get("axis"), "axis-from": plan.get("axis-from"),
             "seconds": round(time.monotonic() - began, 3), "warnings": said(made.events, "warning", server.folders.told),
             "pixel-size": plan.get("pixel-size")}
    return samples(made.array[0], about)
