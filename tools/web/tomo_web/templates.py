# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Settings with a name: presets, which are ready, and templates, which a person saves for oneself or for all."""

import json
import time
from typing import Any, Dict, List, Optional

from fastapi import APIRouter, Path, Request
from gsttomo.faces.parameters import OF_ONE_SCAN
from pydantic import BaseModel, Extra, Field

from .access import Person, Role, needs, server_of
from .errors import MISTAKES, Conflict, Forbidden, Invalid, TooMany, Unknown
from .forms import Value
from .parameters import PLACES, checked, resolved

TABLES = """
CREATE TABLE IF NOT EXISTS templates (id INTEGER PRIMARY KEY AUTOINCREMENT, owner TEXT NOT NULL, name TEXT NOT NULL, is_shared INTEGER NOT NULL,
    settings TEXT NOT NULL, changed REAL NOT NULL, UNIQUE (owner, name));
"""
router = APIRouter(tags=["settings"])
MOST = 500  # templates of one person
NUMBER = Path(..., ge=1, lt=2**63)

# How slices are computed; a preset about that begins with the defaults of these, since parameters without an effect are refused.
OF_METHOD = dict.fromkeys(("method", "num-iterations", "lambda", "relaxation-factor", "subsets", "slice-minimum", "slice-maximum", "initial",
                           "mask", "operator", "tolerance", "projection-filter", "projection-filter-cutoff"), "")
OF_RINGS = dict.fromkeys(("rings", "rings-size", "rings-large-size", "rings-snr", "rings-order", "rings-width", "rings-sigma",
                          "rings-wavelet", "rings-levels", "rings-alpha", "rings-chunks"), "")
OF_PHASE = dict.fromkeys(("retrieval-method", "regularization-rate", "delta", "thresholding-rate", "frequency-cutoff", "ict-alpha",
                          "ict-alpha-threshold", "retrieval-padded-width", "retrieval-padded-height", "retrieval-padding-mode"), "")


class Preset(BaseModel):
    """settings: texts; "" is the default. wanted: parameters without which this does nothing, if the scan does not tell them"""
    name: str
    text: str
    settings: Dict[str, str]
    wanted: List[str] = []


PRESETS = (
    Preset(name="Fast look", text="Four pixels become one: a quarter of the data, for a first look", settings={**OF_METHOD, "binning": "2"}),
    Preset(name="Standard", text="Filtered backprojection of all pixels, nothing else",
           settings={**OF_METHOD, **OF_RINGS, **OF_PHASE, "binning": "", "outliers": "", "slice-rings": "", "circle": ""}),
    Preset(name="Large slices", text="By Fourier transforms: faster than backprojection where slices are large", settings={**OF_METHOD, "method": "dfi"}),
    Preset(name="Noise", text="A softer filter: less noise, less sharp", settings={**OF_METHOD, "projection-filter": "hamming"}),
    Preset(name="Rings", text="Stripes of sinograms are removed by their sorted values", settings={**OF_RINGS, "rings": "sorting"}),
    Preset(name="Strong rings", text="Dead, large and small stripes of sinograms are removed, one after the other", settings={**OF_RINGS, "rings": "all"}),
    Preset(name="Bright spots", text="Pixels far above their neighbours are replaced, as zingers are", settings={"outliers": "0.5"}),
    Preset(name="Phase object", text="Paganin's filter for a sample that shows in phase: needs energy, distance and pixel size",
           settings={**OF_PHASE, "retrieval-method": "tie", "regularization-rate": "2.5"}, wanted=["energy", "propagation-distance", "pixel-size"]),
    Preset(name="Few views", text="Iterations that keep edges (total variation), where there are few views or much noise",
           settings={**OF_METHOD, "method": "fista", "num-iterations": "50", "slice-minimum": "0"}),
    Preset(name="Iterative", text="Least squares by iterations, without a prior", settings={**OF_METHOD, "method": "cgls", "num-iterations": "10"}),
    Preset(name="Round slices", text="What not all views see becomes 0", settings={"circle": "true"}),
    Preset(name="Small files", text="16 bits a sample, over one grey range of the volume", settings={"output-bitdepth": "16"}),
)


class NewTemplate(BaseModel):
    name: str = Field(min_length=1, max_length=100)
    settings: Dict[str, Any]
    is_shared: bool = Field(False, description="whether all persons see it")

    class Config:
        extra = Extra.forbid


class Template(BaseModel):
    """may_change: whether it is yours"""
    id: int
    owner: str
    name: str
    is_shared: bool
    settings: Dict[str, Value]
    changed: Optional[float]
    may_change: bool


@router.get("/presets", response_model=List[Preset])
async def list_presets(person: Person = needs(Role.VIEWER)):
    """Settings for the usual cases. Each changes a few parameters, and leaves the others as they are."""
    return PRESETS


@router.get("/templates", response_model=List[Template])
async def list_templates(request: Request, person: Person = needs(Role.VIEWER)):
    """Your templates, and those that others share."""
    rows = server_of(request).database.all("SELECT * FROM templates WHERE owner = ? OR is_shared ORDER BY name COLLATE NOCASE, id", person.name)
    return [_template(row, person) for row in rows]


@router.post("/templates", status_code=201, response_model=Template, responses=MISTAKES)
async def add_template(new: NewTemplate, request: Request, person: Person = needs(Role.USER)):
    """Saves settings under a name, without those that belong to one data set alone, such as its axis and rows."""
    database = server_of(request).database
    name, settings = _checked(new, server_of(request))
    with database.transaction():
        _refuse_second(database, person.name, name)
        if database.one("SELECT COUNT(*) FROM templates WHERE owner = ?", person.name)[0] >= MOST:
            raise TooMany(f"you have {MOST} templates: remove some")
        made = database.run("INSERT INTO templates (owner, name, is_shared, settings, changed) VALUES (?, ?, ?, ?, ?)", person.name, name,
                            new.is_shared, settings, time.time())
    return _template(_row(database, made.lastrowid, person), person)


@router.put("/templates/{number}", response_model=Template, responses=MISTAKES)
async def change_template(new: NewTemplate, request: Request, number: int = NUMBER, person: Person = needs(Role.USER)):
    """Replaces a template of yours."""
    database = server_of(request).database
    name, settings = _checked(new, server_of(request))
    with database.transaction():
        owner = _own(database, number, person)["owner"]
        _refuse_second(database, owner, name, number)
        database.run("UPDATE templates SET name = ?, is_shared = ?, settings = ?, changed = ? WHERE id = ?", name, new.is_shared, settings,
                     time.time(), number)
    return _template(_row(database, number, person), person)


@router.delete("/templates/{number}", status_code=204, responses=MISTAKES)
async def remove_template(request: Request, number: int = NUMBER, person: Person = needs(Role.USER)):
    """Forgets a template of yours."""
    database = server_of(request).database
    _own(database, number, person)
    database.run("DELETE FROM templates WHERE id = ?", number)


def _checked(new, server):
    name = " ".join(new.name.split())
    if not name or not name.isprintable():
        raise Invalid("a name has characters that can be seen", "name")
    values = {key: value for key, value in checked(new.settings, PLACES).items() if key not in OF_ONE_SCAN}
    resolved(values, server.folders)
    return name, json.dumps(values)


def _refuse_second(database, owner, name, number=None):
    row = database.one("SELECT id FROM templates WHERE owner = ? AND name = ?", owner, name)
    if row and row["id"] != number:
        raise Conflict(f"there is a template {name} already", "name")


def _row(database, number, person):
    row = database.one("SELECT * FROM templates WHERE id = ?", number)
    if not row or not (row["owner"] == person.name or row["is_shared"] or person.role >= Role.ADMIN):
        raise Unknown(f"there is no template {number}")
    return row


def _own(database, number, person):
    row = _row(database, number, person)
    if row["owner"] != person.name and person.role < Role.ADMIN:
        raise Forbidden(f"this template belongs to {row['owner']}")
    return row


def _template(row, person):
    return {**{name: row[name] for name in ("id", "owner", "name", "changed")}, "is_shared": bool(row["is_shared"]),
            "settings": json.loads(row["settings"]), "may_change": row["owner"] == person.name or person.role >= Role.ADMIN}
