# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Results: volumes that jobs have written, as the queue knows them."""

import asyncio
import contextlib
import os
import pathlib
from typing import Any, Dict, List, Optional

from fastapi import APIRouter, Query, Request, Response
from gsttomo import jobs
from gsttomo.faces.parameters import FILES, text_of
from gsttomo.faces.texts import duration_of, time_text
from gsttomo.widgets import split_name
from pydantic import BaseModel, Field

from .access import Person, Role, needs, server_of
from .errors import MISTAKES, Unknown
from .outputs import LARGEST, Job, Number, dataset_of, job_of, path_of, result_of, visible
from .parameters import OF_SERVER, schema
from .shares import Viewer, sees

TABLES = ""
router = APIRouter(tags=["results"])

LARGEST_REPORT = 64 << 20
LONGEST_SUMMARY = 200  # characters
NOT_SUMMED = OF_SERVER | {"pyramid"}  # that is the same for all, or nobody's business
# A report is a page of ours, but what it tells comes from files: nothing in it runs or loads anything.
HARMLESS = {"Content-Security-Policy": "sandbox; default-src 'none'; img-src data:; style-src 'unsafe-inline'", "X-Frame-Options": "SAMEORIGIN",
            "Cache-Control": "private, no-cache"}


class Result(BaseModel):
    """One volume of a job. name: of the file; title: of the job; summary: its method, and what differs from the defaults; dataset: number of
    the data set that it was made of; status: "done", or "finished early"; bytes: of the file, none where it is not there any more"""
    job: int
    number: int
    name: str
    title: str
    summary: str
    dataset: Optional[int]
    owner: str
    ended: Optional[float]
    status: Optional[str]
    bytes: Optional[int]


class Page(BaseModel):
    """total: jobs that are done, of which some may have no volume, or several"""
    items: List[Result]
    total: int


class Line(BaseModel):
    name: str
    value: str


class Whole(Result):
    """settings: of the reconstruction, without names of files; found: what it has found out, such as the axis; provenance: where and how
    it was made; has_report: whether there is a page about it"""
    place: Optional[str] = Field(description="of the file, for those who see folders")
    settings: Dict[str, Any]
    found: List[Line]
    provenance: List[Line]
    has_report: bool
    is_file: bool


@router.get("/results", response_model=Page, responses={status: MISTAKES[status] for status in (401, 422)})
async def list_results(request: Request, offset: int = Query(0, ge=0, le=LARGEST), limit: int = Query(50, ge=1, le=200),
                       search: str = Query("", max_length=200, description="a part of a name, of the data set or of the owner"),
                       dataset: Optional[int] = Query(None, ge=0, le=LARGEST, description="those that were made of it"),
                       person: Person = needs(Role.VIEWER)):
    """Volumes of jobs that are done, the newest first."""
    server = server_of(request)
    page = await server.queue.page([jobs.State.DONE], search=search, offset=offset, limit=limit,
                                   subject=None if dataset is None else f"data set {dataset}")
    items = []
    for brief in page.jobs:
        with contextlib.suppress(jobs.NoSuchJob):  # forgotten meanwhile
            job = await server.queue.get(brief.id)
            items += [short(server, job, number) for number in visible(server, job)]
    return {"items": items, "total": page.total}


def short(server, job, number):
    file = split_name(job.outputs[number])[0]
    try:
        size = os.stat(file).st_size
    except OSError:
        size = None
    return {"job": job.id, "number": number, "name": os.path.basename(file), "title": server.folders.told(job.name or f"job {job.id}"),
            "summary": server.folders.told(_summary(job)), "dataset": dataset_of(job), "owner": job.owner, "ended": job.ended, "status": job.status, "bytes": size}


def _summary(job):
    if job.kind is not jobs.Kind.RECONSTRUCTION:
        return "dataflow"
    values = {"method": schema()["method"]["default"], **{name: value for name, value in job.description.items() if name not in NOT_SUMMED}}
    return ", ".join([values.pop("method"), *(f"{name} {text_of(value)}" for name, value in values.items())])[:LONGEST_SUMMARY]


@router.get("/results/{job}/{number}", response_model=Whole, responses=MISTAKES)
async def show_result(request: Request, job: int = Job, number: int = Number, viewer: Viewer = sees()):
    """What a result is, by which settings it was made, and of what."""
    server = server_of(request)
    found = await job_of(server, job)
    path = split_name(path_of(server, found, number))[0]
    return {**short(server, found, number), "place": None if viewer.is_guest else server.folders.place(path),
            "settings": {name: value for name, value in found.description.items() if name not in FILES | {"output", "nodes", "edges"}},
            "found": [{"name": one["name"], "value": f"{text_of(one['value'])} {one.get('unit', '')}".strip()} for one in found.results[:100]],
            "provenance": list(_provenance(server, found)), "has_report": os.path.isfile(path + ".html"), "is_file": os.path.isfile(path)}


def _provenance(server, job):
    def line(name, value):
        return {"name": name, "value": server.folders.told(str(value))}

    if job.provenance.get("version"):
        yield line("Version", job.provenance["version"])
    for device in job.provenance.get("devices", ()):
        yield line("Device", device)
    if seconds := duration_of(job):
        yield line("Time", time_text(seconds))
    for entry in job.provenance.get("inputs", ()):
        for file in entry.get("files", [entry]):
            name = os.path.basename(file["path"]) if "path" in file else f"{file.get('count')} files"
            yield line("Made of", f"{name} ({file['bytes'] / 1e6:.4g} MB)" if file.get("bytes") else name)


@router.get("/results/{job}/{number}/report", response_class=Response, responses={200: {"content": {"text/html": {}}}, **MISTAKES})
async def show_report(request: Request, job: int = Job, number: int = Number, viewer: Viewer = sees()):
    """The page about a reconstruction, for a frame: it runs and loads nothing."""
    server = server_of(request)
    path = pathlib.Path(split_name(await result_of(server, job, number))[0] + ".html")
    if server.folders.place(path) is None or not path.is_file():
        raise Unknown(f"{path.name} is not there")
    if path.stat().st_size > LARGEST_REPORT:
        raise Unknown(f"{path.name} is too large for a report")
    text = await asyncio.to_thread(lambda: server.folders.told(path.read_text(errors="replace")))
    return Response(text, media_type="text/html; charset=utf-8", headers=HARMLESS)
