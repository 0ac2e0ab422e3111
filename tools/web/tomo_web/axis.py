# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The rotation axis: views half a turn apart, what methods find, slices for several values."""

import math
from typing import Any, Dict, List, Literal, Optional

from fastapi import APIRouter, Query, Request, Response
from gsttomo.faces import axis, looks
from pydantic import BaseModel, Extra, Field

from .access import Person, Role, needs, server_of
from .errors import MISTAKES, READS, Invalid
from .folders import told_values
from .given import NUMBER, telling, while_there
from .kept_settings import settings_of
from .parameters import schema
from .pictures import SAMPLES, plan_of, said, samples
from .slices import Look

TABLES = ""
router = APIRouter(tags=["axis"])
METHODS = tuple(schema()["axis-method"]["enum"])
SWEPT = tuple(axis.swept(schema()))


class Opposite(BaseModel):
    """Views that look along one line from both sides: how many views lie between them, and degrees"""
    apart: int
    degrees: float


class About(BaseModel):
    """opposite: None where no views are known to be half a turn apart, and `why` says so; doubt: why mirrored views can't fit, "" where
    they can; methods: that look for the axis; swept: parameters that slices can be compared for"""
    opposite: Optional[Opposite]
    why: str
    doubt: str
    methods: List[str]
    swept: List[str]
    middle_row: int


class Pair(BaseModel):
    """Axis and uncertainty (one sigma) as a method found it before, in pixels."""
    axis: float
    uncertainty: float


class Estimate(Look):
    """beside: what other methods have found with the same settings, by their names"""
    method: Literal[METHODS] = "auto"
    beside: Dict[str, Pair] = {}


class Found(BaseModel):
    """found: by method what tomo-reconstruct estimate --json says: axis-px, uncertainty-px, tilt-degrees, and of the method asked for
    `curve` and `rows`; failed: why there is nothing; agreement: what all of them together say, with its tone (good, warning, or none)"""
    found: Dict[str, Dict[str, Any]]
    failed: Dict[str, str]
    agreement: str
    tone: str


class Sweep(Look):
    """values: FROM:TO:STEP, or values with commas between them. two: whether another row is compared, for the tilt: neither is turned
    upright then"""
    parameter: Literal[SWEPT] = "axis"
    values: str = Field(max_length=1000)
    row: int = Field(ge=0, le=2**31 - 1)
    two: bool = False


class RowAxis(BaseModel):
    row: float = Field(ge=0, le=1e9)
    axis: float = Field(ge=-1e9, le=1e9)


class TwoRows(BaseModel):
    upper: RowAxis
    lower: RowAxis

    class Config:
        extra = Extra.forbid


class Tilted(BaseModel):
    """axis: in the middle row, in pixels; tilt: in degrees, as `roll` takes it"""
    axis: float
    tilt: float


class Proposal(BaseModel):
    values: str


@router.get("/datasets/{number}/axis", response_model=About, responses=MISTAKES)
async def about_axis(request: Request, number: int = NUMBER, person: Person = needs(Role.VIEWER)):
    """What can be done to find the axis, with your settings."""
    given = await _given(request, number, person)
    has_views = given.facts["kind"] == "scan"
    opposite = axis.opposite(given.facts, given.values) if has_views else None
    why = "" if opposite else (axis.why_not_opposite(given.facts) if has_views else
                               "These are sinograms: compare slices, or let a method find the axis.")
    return {"opposite": opposite and {"apart": opposite[0], "degrees": opposite[1]}, "why": why,
            "doubt": axis.doubt(given.facts, given.values), "methods": METHODS, "swept": SWEPT, "middle_row": axis.middle_row(given.facts)}


@router.get("/datasets/{number}/axis/views", response_class=Response, responses=SAMPLES)
async def views(request: Request, number: int = NUMBER, first: int = Query(0, ge=0, le=2**31 - 1, description="of the two views"),
                binning: int = Query(1, ge=1, le=16), tab: str = Query("", max_length=64), person: Person = needs(Role.VIEWER)):
    """Two views half a turn apart, with your settings: as absorption where that can be, else raw. X-Facts: first, apart, degrees, mode."""
    server, given = server_of(request), await _given(request, number, person)
    opposite = axis.opposite(given.facts, given.values) if given.facts["kind"] == "scan" else None
    if not opposite:
        raise Invalid(axis.why_not_opposite(given.facts) if given.facts["kind"] == "scan" else "these are sinograms: compare slices")
    apart, degrees = opposite
    if first + apart >= given.facts["projections"]:
        raise Invalid(f"there is no view {first + apart}", "first")
    mode = "absorption" if "absorption" in looks.modes(given.configuration, given.facts) else "raw"
    binning = looks.binning_of(given.facts, binning)
    with telling(server):
        made = await while_there(request, server.looks.ask(
            (person.name, tab, "views"), looks.projections(given.configuration, given.facts, mode, first, 2, apart, binning), person.name))
    if len(made.array) < 2:
        raise Invalid(f"there is no view {first + apart}", "first")
    return samples(made.array[:2], {"first": first, "apart": apart, "degrees": degrees, "mode": mode, "binning": binning})


@router.post("/datasets/{number}/axis/estimate", openapi_extra=READS, response_model=Found, responses=MISTAKES)
async def estimate(asked: Estimate, request: Request, number: int = NUMBER, person: Person = needs(Role.USER)):
    """The axis as a method finds it; it ends when the browser goes away or asks again."""
    server = server_of(request)
    given = await server.facts.given(server, number, asked.settings, person)
    # A given axis and its method would be refused beside each other.
    description = {name: value for name, value in given.values.items() if name not in ("axis", "axis-index", "axis-method")}
    if asked.method != "auto":
        description["axis-method"] = asked.method
    with telling(server):
        answer = await while_there(request, server.estimates.ask((person.name, asked.tab), description, person.name))
    answers = axis.answers_of(asked.method, told_values(answer, server.folders.told), asked.beside)
    found = {name: one for name, one in answers.items() if "failure" not in one}
    beside = {name: {"axis-px": one.axis, "uncertainty-px": one.uncertainty} for name, one in asked.beside.items() if name not in found}
    text, tone = axis.agreement({**beside, **found})
    return {"found": found, "failed": {name: one["failure"] for name, one in answers.items() if "failure" in one},
            "agreement": text, "tone": tone}


@router.post("/datasets/{number}/axis/sweep", openapi_extra=READS, response_class=Response, responses=SAMPLES)
async def sweep(asked: Sweep, request: Request, number: int = NUMBER, person: Person = needs(Role.USER)):
    """The slice of a row for each of several values of a parameter. X-Facts: parameter, unit, values in the order of the slices, row,
    sharpest (of an axis), columns (of all where slices were cut), seconds, warnings."""
    server = server_of(request)
    _refuse_many(asked.parameter, asked.values)
    given = await server.facts.given(server, number, asked.settings, person)
    description = axis.sweep_of(given.values, given.facts, asked.parameter, asked.values.strip(), asked.row, asked.two)
    with telling(server):
        made = await while_there(request, server.looks.ask((person.name, asked.tab, "sweep"), description, person.name))
    sharpest = next((event["value"] for event in made.events if event["event"] == "result" and event["name"] == "sharpest-axis"), None)
    about = {"parameter": asked.parameter, "unit": schema()[asked.parameter].get("x-unit", ""), "row": asked.row, "sharpest": sharpest,
             "values": plan_of(made.events).get("values") or [str(number) for number in range(len(made.array))],
             "columns": axis.MOST_COLUMNS if "crop-width" in description and "crop-width" not in given.values else None,
             "warnings": said(made.events, "warning", server.folders.told)}
    return samples(made.array, about)


@router.post("/datasets/{number}/axis/tilt", openapi_extra=READS, response_model=Tilted, responses=MISTAKES)
async def tilt(rows: TwoRows, request: Request, number: int = NUMBER, person: Person = needs(Role.VIEWER)):
    """Axis and tilt by the axes in two rows."""
    given = await _given(request, number, person)
    pairs = [(one.row + 0.5, one.axis) for one in (rows.upper, rows.lower)]
    if pairs[0][0] == pairs[1][0]:
        raise Invalid("choose two rows: one above, one below", "lower")
    return {"axis": axis.axis_at(given.facts["height"] / 2, *pairs), "tilt": axis.tilt(*pairs)}


@router.get("/axis/proposal", response_model=Proposal, responses=MISTAKES)
async def proposal(parameter: Literal[SWEPT], at: Optional[float] = Query(None, ge=-1e9, le=1e9, description="a value, around which others are"),
                   of: str = Query("", max_length=1000, description="a range that was chosen before, FROM:TO:STEP"),
                   factor: float = Query(1.0, gt=0, le=1000, description="that its steps grow by"), person: Person = needs(Role.VIEWER)):
    """Values of a parameter that slices could be compared for: some around the usual ones, or finer or wider ones than before."""
    if of:
        text = axis.scaled(of, factor, at)
        if not text:
            raise Invalid("wanted a range, FROM:TO:STEP", "of")
        return {"values": text}
    return {"values": axis.values_of(schema()[parameter], at if parameter == "axis" else None)}


async def _given(request, number, person):
    server = server_of(request)
    return await server.facts.given(server, number, settings_of(server, person, number), person)


def _refuse_many(name, text):
    """Before a program makes a million slices."""
    parts = text.strip().split(":")
    try:
        begin, end, step = (float(part) for part in parts) if len(parts) == 3 else (0.0, float(text.count(",")), 1.0)
        count = (end - begin) / step + 1
    except (ValueError, ZeroDivisionError):
        raise Invalid(f"{name} does not take '{text}'; wanted FROM:TO:STEP, or values with commas between them", "values") from None
    if not math.isfinite(count) or count > axis.MOST_SLICES + 0.5:
        raise Invalid(f"that are too many slices: at most {axis.MOST_SLICES} at once", "values")
