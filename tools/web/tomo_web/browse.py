# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Folders and files that people see: the administrator's folders, and what lies below them."""

import asyncio
import functools
import os
import stat
from typing import List, Literal, Optional

from fastapi import APIRouter, Query, Request
from gsttomo.faces.names import natural_key
from pydantic import BaseModel

from .access import Person, Role, needs, server_of
from .dataset_store import key_of
from .errors import MISTAKES, Invalid, Unknown
from .folders import FORBIDDEN

TABLES = ""
router = APIRouter(tags=["folders"])

HDF5 = {".h5", ".hdf5", ".hdf", ".nxs", ".nx"}
SCANNERS = {".xtekct", ".log", ".txrm", ".xrm"}
IMAGES = {".tif", ".tiff", ".edf", ".jpg", ".jpeg", ".png", ".pgm", ".ppm", ".pnm", ".npy"}
MOST_ENTRIES = 200_000  # of one folder


class Folder(BaseModel):
    name: str
    takes_uploads: bool


class Entry(BaseModel):
    """kind: folder; or of files: hdf5, scanner, images, other. dataset: number of the data set of exactly this"""
    name: str
    place: str
    kind: Literal["folder", "hdf5", "scanner", "images", "other"]
    size: Optional[int]
    time: Optional[float]
    dataset: Optional[int]


class Contents(BaseModel):
    place: str
    items: List[Entry]
    total: int


def kind_of(name, is_folder):
    suffix = os.path.splitext(name)[1].lower()
    if is_folder:
        return "folder"
    return "hdf5" if suffix in HDF5 else "scanner" if suffix in SCANNERS else "images" if suffix in IMAGES else "other"


def entries_of(folders, path, search=""):
    """Pairs of a name and whether it is a folder, folders first, names in the order of their numbers. Without hidden ones, what is neither
    file nor folder, and links that lead out. That of one page is kept for the next one."""
    try:
        found = _sorted_entries(folders, path, os.stat(path).st_mtime_ns)
    except NotADirectoryError:
        raise Invalid("that is no folder", "place") from None
    except PermissionError:
        raise Unknown("the server may not read this folder") from None
    except FileNotFoundError:
        raise Unknown("the folder is not there") from None
    return [one for one in found if search.lower() in one[0].lower()] if search else found


@functools.lru_cache(maxsize=8)
def _sorted_entries(folders, path, _changed):
    found = []
    with os.scandir(path) as entries:
        for entry in entries:
            if entry.name.startswith(".") or FORBIDDEN.search(entry.name):
                continue
            if entry.is_symlink() and not folders.place(entry.path):
                continue
            if (is_folder := entry.is_dir()) or entry.is_file():
                found.append((entry.name, is_folder))
            if len(found) > MOST_ENTRIES:
                raise Invalid(f"the folder has more than {MOST_ENTRIES} entries", "place")
    return sorted(found, key=lambda one: (not one[1], natural_key(one[0])))


def _entry(server, place, path, name, is_folder):
    try:
        about = os.stat(path / name)
    except OSError:
        about = None  # gone meanwhile
    inside = f"{place}/{name}"
    return {"name": name, "place": inside, "kind": kind_of(name, is_folder), "size": about.st_size if about and stat.S_ISREG(about.st_mode) else None,
            "time": about and about.st_mtime, "dataset": server.datasets.known(key_of({"scan": inside}, {}))}


@router.get("/folders", response_model=List[Folder], responses={401: MISTAKES[401]})
async def list_folders(request: Request, person: Person = needs(Role.VIEWER)):
    """Names of the folders whose files people see."""
    server = server_of(request)
    return [{"name": name, "takes_uploads": name == server.settings.uploads} for name in server.folders.names]


@router.get("/folders/contents", response_model=Contents, responses={status: MISTAKES[status] for status in (401, 404, 422)})
async def list_contents(request: Request, place: str = Query(max_length=4096), offset: int = Query(0, ge=0, le=10**9),
                        limit: int = Query(200, ge=1, le=1000), search: str = Query("", max_length=200, description="a part of a name"),
                        person: Person = needs(Role.VIEWER)):
    """A page of what lies in a folder."""
    server = server_of(request)
    path = server.folders.path(place)
    found = await asyncio.to_thread(entries_of, server.folders, path, search)
    page = found[offset:offset + limit]
    return {"place": place, "items": [_entry(server, place, path, *one) for one in page], "total": len(found)}
