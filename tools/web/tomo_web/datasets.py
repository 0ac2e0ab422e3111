# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Data sets: places of files, the values that belong to them, and what is known of them. Everybody who is logged in sees all of them;
who made one, and administrators, change it."""

import os
import re
from typing import Any, Dict, List, Literal, Optional, Union

from fastapi import APIRouter, Query, Request
from gsttomo.faces.parameters import OF_ONE_SCAN, OF_SCAN, parameters_in
from gsttomo.faces.texts import ORDER, facts_of, head_of, in_form, size_of
from pydantic import BaseModel, Extra, Field

from . import confined, dataset_store
from .access import Person, Role, needs, server_of
from .dataset_store import COLUMNS, DataSet, State
from .errors import MISTAKES, Forbidden, Invalid, Refusal, Unknown
from .folders import told_values
from .parameters import FILES, OF_SERVER, checked, schema

TABLES = dataset_store.TABLES
router = APIRouter(tags=["data sets"])

ROLES_OF_FILES = ("scan", "projections", "darks", "flats", "flats2", "sinograms", "angles", "shifts", "stitch")
IMAGES = ("scan", "projections", "sinograms")  # one of them is what a data set is of
OWN = (OF_SCAN | set(OF_ONE_SCAN) | {"pixel-size", "energy"}) - FILES - OF_SERVER - {"stitch"}
DATASET = re.compile(r"^(.*\.(?:h5|hdf5|hdf|nxs|nx)):((?:/[^/\x00-\x1f\\]+)+)$", re.IGNORECASE)  # FILE:/DATASET
MOST_TAGS = 32
Sort = Literal[tuple(way + name for name in COLUMNS for way in ("", "-"))]


class TagText(str):
    """One word or several, without line breaks."""

    @classmethod
    def __get_validators__(cls):
        yield cls.validate

    @classmethod
    def __modify_schema__(cls, about):
        about.update(type="string", minLength=1, maxLength=64)

    @classmethod
    def validate(cls, value):
        if not isinstance(value, str) or not (text := " ".join(value.split())) or len(text) > 64 or not text.isprintable():
            raise ValueError("a tag has 1 to 64 characters that can be seen")
        return text


class NewDataSet(BaseModel):
    """places: of the files, by parameter: scan; or projections with darks, flats, flats2; or sinograms; and angles, shifts, stitch.
    values: of parameters that belong to this data set alone, such as entry or angle-step-degrees"""
    name: Optional[str] = Field(None, max_length=200)
    places: Dict[Literal[ROLES_OF_FILES], Union[str, List[str]]]
    values: Dict[str, Any] = {}
    tags: List[TagText] = Field([], max_items=MOST_TAGS)
    notes: str = Field("", max_length=20000)

    class Config:
        extra = Extra.forbid


class Change(BaseModel):
    """What differs. version: that of the data set that was shown; where another one is there now, nothing changes."""
    name: Optional[str] = Field(None, min_length=1, max_length=200)
    values: Optional[Dict[str, Any]] = None
    tags: Optional[List[TagText]] = Field(None, max_items=MOST_TAGS)
    notes: Optional[str] = Field(None, max_length=20000)
    version: Optional[int] = None

    class Config:
        extra = Extra.forbid


class Short(BaseModel):
    """A data set in a list."""
    id: int
    name: str
    place: str
    tags: List[str]
    owner: str
    created: float
    state: State
    problem: Optional[str]
    size: Optional[str] = Field(description="such as 2048 x 2048, 1500 views, 0 to 179.9°")
    stamp: Optional[str] = Field(description="changes with the files")


class Finding(BaseModel):
    """parameters: those that the advice tells to set"""
    name: str
    severity: Literal[tuple(ORDER)]
    text: str
    advice: str
    parameters: List[str]


class Head(BaseModel):
    """What stands above the places: size, axis, state as a word with its tone."""
    size: str
    axis: str
    word: str
    tone: str


class Whole(Short):
    """facts: those of tomo-reconstruct info --json; lines: the same as pairs of a name and a value, for people"""
    places: Dict[str, Union[str, List[str]]]
    values: Dict[str, Any]
    notes: str
    version: int
    facts: Optional[Dict[str, Any]]
    findings: List[Finding]
    lines: List[List[str]]
    head: Head
    may_change: bool


class Page(BaseModel):
    items: List[Short]
    total: int


class TagCount(BaseModel):
    tag: str
    count: int


# What other rooms use

def configuration_of(server, number):
    """Values for programs: paths of the data set's files, and its own values. Raises Unknown where it, or a file of it, is not there."""
    return described(server, server.datasets.get(number))


def described(server, one):
    paths = {role: _joined(server, role, places) for role, places in one.places.items()}
    return {**paths, **one.own}


def _joined(server, role, places):
    if isinstance(places, str):
        return path_of(server, places)
    paths = [path_of(server, place) for place in places]
    if any("," in path for path in paths):
        raise Invalid(f"{role}: names of files must not have commas where there are several", role)
    return ",".join(paths)


def path_of(server, place):
    """The path of a place, or of FILE:/DATASET, as programs take it."""
    file = file_of(place)
    return str(server.folders.path(file)) + place[len(file):]


def places_of(one):
    return [place for places in one.places.values() for place in ([places] if isinstance(places, str) else places)]


def file_of(place):
    """Without the dataset behind it."""
    match = DATASET.match(place)
    return match[1] if match else place


async def with_facts(server, number):
    """The data set. Where its files have changed since somebody looked at them, it is looked at again."""
    one = server.datasets.get(number)
    if one.state is State.NEW or stamp_of(server, one) != one.stamp:
        await look(server, one)
        server.datasets.keep_look(one)
    return one


async def look(server, one):
    """Asks what is known of the files, into the data set. It is broken where they can't be read."""
    one.stamp = stamp_of(server, one)
    try:
        for place in places_of(one):
            await confined.check(server.folders, server.folders.path(file_of(place)))
        facts = await server.questions.ask(["info"], described(server, one))
    except Refusal as e:
        one.state, one.problem, one.facts = State.BROKEN, server.folders.told(e.text), None
        return
    one.facts = told_values(facts, server.folders.told)
    is_fine = all(finding["severity"] == "info" for finding in facts["findings"])
    one.state, one.problem = State.READY if is_fine else State.WARNINGS, None


def stamp_of(server, one):
    """Of the files' times and sizes; "" where one is not there."""
    stamps = []
    try:
        for place in places_of(one):
            about = os.stat(server.folders.path(file_of(place)))
            stamps.append(f"{about.st_mtime_ns:x}-{about.st_size:x}")
    except (Refusal, OSError):
        return ""
    return ".".join(stamps)


async def create(server, person, places, values=None, name=None, tags=(), notes="", least=1):
    """A new data set of at least so many projections. Raises what is wrong with it: Invalid where its files can't be read, Conflict where
    there is one of them already."""
    new = DataSet(_checked_places(server, places), person.name, "", _checked_own(values or {}), _each_once(tags), notes)
    new.name = _checked_name(name) if name else default_name(new.place)
    server.datasets.refuse_second(new)
    await look(server, new)
    if new.state is State.BROKEN:
        raise Invalid(new.problem, "places")
    if new.facts["projections"] < least:
        raise Invalid(f"it has less than {least} projections: that is no scan", "places")
    return server.datasets.add(new)


def default_name(place):
    last = place.rpartition("/")[2]
    return last.partition(".")[0] or last


def _checked_places(server, places):
    if sum(role in places for role in IMAGES) != 1:
        raise Invalid("a data set has a scan, or projections, or sinograms", "places")
    for role, one in places.items():
        if role == "stitch" and isinstance(one, str):
            one = places[role] = [one]
        if role != "stitch" and not isinstance(one, str):
            raise Invalid(f"{role} is one place", "places")
        if not one or len(one) > 64 and role == "stitch":
            raise Invalid(f"{role}: 1 to 64 places", "places")
        _joined(server, role, one)
    return places


def _checked_own(values):
    for name in values:
        if name not in OWN:
            raise Invalid(f"{name} is no value of a data set" if name in schema() else f"there is no parameter {name}", name)
    return checked(values)


def _checked_name(name):
    text = " ".join(name.split())
    if not text or not text.isprintable():
        raise Invalid("a name has characters that can be seen", "name")
    return text


def _each_once(tags):
    return list(dict.fromkeys(tags))


# Answers

def short(one):
    return {"id": one.id, "name": one.name, "place": one.place, "tags": one.tags, "owner": one.owner, "created": one.created,
            "state": one.state, "problem": one.problem, "size": size_of(one.facts) if one.facts else None, "stamp": one.stamp}


def whole(one, person):
    told = (one.own["axis"], "set") if "axis" in one.own else (one.facts["axis"], "scan") if one.facts and "axis" in one.facts else None
    findings = sorted(one.facts["findings"], key=lambda finding: ORDER.index(finding["severity"])) if one.facts else []
    return {**short(one), "places": one.places, "values": one.own, "notes": one.notes, "version": one.version, "facts": one.facts,
            "findings": [{**finding, "text": in_form(finding["text"]), "advice": in_form(finding["advice"]), "parameters": parameters_in(finding["advice"], schema())} for finding in findings],
            "lines": facts_of(one.facts, told) if one.facts else [], "head": head_of(one.facts, told, problem=one.problem or ""), "may_change": _may_change(one, person)}


def _may_change(one, person):
    return person.role >= Role.ADMIN or (person.role >= Role.USER and one.owner == person.name)


def _of_person(server, number, person):
    one = server.datasets.get(number)
    if not _may_change(one, person):
        raise Forbidden(f"data set {number} belongs to {one.owner}")
    return one


@router.get("/datasets", response_model=Page, responses={401: MISTAKES[401], 422: MISTAKES[422]})
async def list_data_sets(request: Request, offset: int = Query(0, ge=0, le=10**9), limit: int = Query(50, ge=1, le=200), sort: Sort = "-created",
                         search: str = Query("", max_length=200, description="words that are in the name, a tag or the place"),
                         tag: Optional[str] = Query(None, max_length=64), state: Optional[State] = None, person: Person = needs(Role.VIEWER)):
    """A page of the data sets. A - before the column that they are sorted by: the last ones first."""
    found, total = server_of(request).datasets.page(offset=offset, limit=limit, sort=sort, search=search, tag=tag, state=state)
    return {"items": [short(one) for one in found], "total": total}


@router.post("/datasets", status_code=201, response_model=Whole, responses=MISTAKES)
async def add_data_set(new: NewDataSet, request: Request, person: Person = needs(Role.USER)):
    """Makes a data set of files that can be read as a scan."""
    one = await create(server_of(request), person, new.places, new.values, new.name, new.tags, new.notes)
    return whole(one, person)


@router.get("/datasets/tags", response_model=List[TagCount], responses={401: MISTAKES[401]})
async def list_tags(request: Request, person: Person = needs(Role.VIEWER)):
    """All tags, and how many data sets have each."""
    return [{"tag": tag, "count": count} for tag, count in server_of(request).datasets.tags()]


@router.get("/datasets/{number}", response_model=Whole, responses={401: MISTAKES[401], 404: MISTAKES[404]})
async def show_data_set(number: int, request: Request, person: Person = needs(Role.VIEWER)):
    """All that is known of a data set. Files that have changed are looked at again."""
    return whole(await with_facts(server_of(request), row_of(number)), person)


@router.patch("/datasets/{number}", response_model=Whole, responses=MISTAKES)
async def change_data_set(number: int, change: Change, request: Request, person: Person = needs(Role.USER)):
    """Changes name, values, tags, notes of a data set."""
    server = server_of(request)
    one = _of_person(server, row_of(number), person)
    if change.name is not None:
        one.name = _checked_name(change.name)
    if change.tags is not None:
        one.tags = _each_once(change.tags)
    if change.notes is not None:
        one.notes = change.notes
    if change.values is not None and (own := _checked_own(change.values)) != one.own:
        one.own, one.state, one.facts = own, State.NEW, None
    version = change.version if change.version is not None else one.version
    one = server.datasets.change(one, version)
    return whole(await with_facts(server, number), person)


@router.delete("/datasets/{number}", status_code=204, responses=MISTAKES)
async def remove_data_set(number: int, request: Request, person: Person = needs(Role.USER)):
    """Forgets a data set. Its files stay."""
    server = server_of(request)
    server.datasets.remove(_of_person(server, row_of(number), person).id)
    server.thumbnails.forget(number)


def row_of(number):
    """sqlite knows no larger ones."""
    if not 0 < number < 2**63:
        raise Unknown(f"there is no data set {number}")
    return number
