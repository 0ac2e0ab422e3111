# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the form of the parameters is made of, and what is right in it."""

from typing import Any, Dict, List, Optional, Union

from fastapi import APIRouter, Request
from gsttomo.faces import axis, looks
from gsttomo.faces.parameters import FOR_RESULTS, NOT_OF_ESTIMATES, OF_ESTIMATES, OF_ONE_SCAN, OF_SCAN, TITLES, hint_of, text_of
from pydantic import BaseModel, Extra, StrictBool, StrictFloat, StrictInt, StrictStr

from .access import Person, Role, needs, server_of
from .errors import MISTAKES, READS
from .parameters import PLACES, REFUSED, schema, sorted_out

TABLES = ""
router = APIRouter(tags=["settings"])
Value = Union[StrictBool, StrictInt, StrictFloat, StrictStr]  # of a parameter
HUGE = 1e12  # bounds beyond are no help to people


class Parameter(BaseModel):
    """hint: what the default stands for. by_server: no person sets it. is_place: its value is a place of a file, FOLDER/PATH.
    of_scan: it decides how the scan is read. of_one_scan: it belongs to one data set alone. for_slice, for_estimate: another value
    makes another slice, or lets methods find another axis. is_swept: slices can be compared for its values"""
    name: str
    type: str
    description: str
    section: str
    level: str
    unit: str
    hint: str
    default: Optional[Value]
    choices: Optional[List[str]]
    minimum: Optional[float]
    maximum: Optional[float]
    by_server: bool
    is_place: bool
    of_scan: bool
    of_one_scan: bool
    for_slice: bool
    for_estimate: bool
    is_swept: bool


class Section(BaseModel):
    name: str
    title: str


class Schema(BaseModel):
    sections: List[Section]
    parameters: List[Parameter]


class Values(BaseModel):
    """Values of parameters by their names: texts as people write them, or numbers, true and false. "" is the default."""
    values: Dict[str, Any]

    class Config:
        extra = Extra.forbid


class Checked(BaseModel):
    """values: those that are right, as the library writes them, without those that have their defaults; texts: the same as a form
    shows them; problems: sentences about the others, by their names"""
    values: Dict[str, Value]
    texts: Dict[str, str]
    problems: Dict[str, str]


@router.get("/schema", response_model=Schema)
async def schema_of_form(person: Person = needs(Role.VIEWER)):
    """All parameters of a reconstruction in their order."""
    swept = set(axis.swept(schema()))
    return {"sections": [{"name": name, "title": title} for name, title in TITLES.items()],
            "parameters": [_about(name, about, name in swept) for name, about in schema().items()]}


@router.post("/settings/check", openapi_extra=READS, response_model=Checked, responses=MISTAKES)
async def check(given: Values, request: Request, person: Person = needs(Role.VIEWER)):
    """What values mean, and what is wrong with them."""
    right, problems = sorted_out(given.values, server_of(request).folders)
    return {"values": right, "texts": {name: text_of(value) for name, value in right.items()}, "problems": problems}


def _about(name, about, is_swept):
    return described(
        name, about, by_server=name in REFUSED, is_place=name in PLACES, of_scan=name in OF_SCAN, of_one_scan=name in OF_ONE_SCAN,
        for_slice=name not in FOR_RESULTS | looks.OF_ROWS,
        for_estimate=about["x-section"] in OF_ESTIMATES and name not in NOT_OF_ESTIMATES, is_swept=is_swept)


def described(name, about, **flags):
    """A Parameter of its part of a schema; flags: those that tell what it is for, of which the others are false."""
    def bound(key):
        return about[key] if abs(about.get(key, HUGE)) < HUGE else None

    default = about.get("default")
    told = {flag: False for flag in ("by_server", "is_place", "of_scan", "of_one_scan", "for_slice", "for_estimate", "is_swept")} | flags
    return Parameter(
        name=name, type=about["type"], description=about["description"], section=about["x-section"], level=about["x-level"],
        unit=about.get("x-unit", ""), hint=hint_of(about), default=default, choices=about.get("enum"), minimum=bound("minimum"),
        maximum=bound("maximum"), **told)
