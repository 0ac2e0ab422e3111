# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Jobs: reconstructions of data sets, which wait for their turn. Persons see all of them and change their own; administrators change all."""

from typing import Any, Dict, List, Literal, Optional

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import PlainTextResponse
from gsttomo import jobs
from pydantic import BaseModel, Extra, Field

from . import orders
from .access import Person, Role, needs, server_of
from .errors import MISTAKES
from .job_texts import course_of, log_of, short, whole
from .orders import NUMBER, asking
from .pictures import SAMPLES, samples

TABLES = orders.TABLES
router = APIRouter(tags=["jobs"])
MOST_AT_ONCE = 1000  # data sets of one request
KEY = Field(regex=r"^[\w-]{8,64}$", description="of your choice, such as a UUID: a request that comes twice with the same key is one order")
PRIORITY = Field(0, ge=-100, le=100, description="jobs of a higher one come first")
States = Literal[tuple(str(state) for state in jobs.State)]
Sort = Literal[tuple(way + name for name in ("id", "name", "state", "owner", "priority", "time", "submitted") for way in ("", "-"))]
TEXT = {200: {"content": {"text/plain": {"schema": {"type": "string"}}}, "description": "What the process has written, at most the last MB of it"},
        **MISTAKES}


class NewJobs(BaseModel):
    """datasets: a job for each. settings: of the reconstruction. Of several data sets those settings that belong to one scan alone, such
    as its axis, are the ones that you have set for it. devices: indices or parts of names, beside those of the settings"""
    datasets: List[int] = Field(min_items=1, max_items=MOST_AT_ONCE)
    settings: Dict[str, Any] = {}
    name: str = Field("", max_length=200, description="in place of that of the data set; before it, where there are several")
    priority: int = PRIORITY
    devices: Optional[List[str]] = Field(None, min_items=1, max_items=16)
    memory: Optional[int] = Field(None, ge=0, lt=2**63, description="bytes of the computer's memory that each job claims")
    key: str = KEY
    notify: bool = Field(False, description="tell you when they are over, see /api/notices")

    class Config:
        extra = Extra.forbid


class Again(BaseModel):
    """settings: in place of those of the job, for its data set; without them everything is as it was"""
    settings: Optional[Dict[str, Any]] = None
    priority: int = PRIORITY
    key: str = KEY

    class Config:
        extra = Extra.forbid


class Change(BaseModel):
    priority: int = Field(ge=-100, le=100)

    class Config:
        extra = Extra.forbid


class Written(BaseModel):
    """number: of the output; /api/results/JOB/NUMBER shows it"""
    number: int
    name: str


class Short(BaseModel):
    """mark: the state as people read it. batch: the key of a request that ordered several jobs. seconds: that it runs, or ran.
    progress: how far it is, as people read it; done of total of what it makes. Times are seconds since 1970"""
    id: int
    name: str
    owner: str
    kind: str
    dataset: Optional[int]
    batch: Optional[str]
    state: States
    mark: str
    status: Optional[str] = Field(description="of one that is over: done, finished early, failed, aborted")
    priority: int
    progress: str
    done: Optional[int]
    total: Optional[int]
    rate: Optional[float]
    seconds_left: Optional[float]
    submitted: float
    started: Optional[float]
    began: Optional[float]
    ended: Optional[float]
    seconds: Optional[float]
    error: Optional[str]
    results: List[Written]
    bytes: int
    repeats: Optional[int]


class Whole(Short):
    """description: what its process was told, with places in the stead of paths; settings: the part of it that a form has, and left_out:
    names of those that no form has. command: the line of a shell that does the same. course: what it told so far"""
    description: Dict[str, Any]
    settings: Dict[str, Any]
    left_out: List[str]
    command: Optional[str]
    devices: List[str]
    memory: Optional[int]
    assigned: List[int]
    outputs: List[str]
    provenance: List[List[str]]
    course: List[str]
    may_change: bool
    is_pinned: bool = Field(description="no rule takes it away")


class Several(BaseModel):
    jobs: List[Short]


class Page(BaseModel):
    items: List[Short]
    total: int


class Batch(BaseModel):
    """counts: numbers of its jobs by their states. seconds_left: None where nobody knows"""
    key: str
    total: int
    counts: Dict[States, int]
    submitted: float
    ended: Optional[float]


class Device(BaseModel):
    index: int
    name: str
    is_cpu: bool
    memory: int


class Computer(BaseModel):
    """memory: bytes, as in devices"""
    devices: List[Device]
    memory: int


@router.get("/computer", response_model=Computer, responses=MISTAKES)
async def show_computer(request: Request, person: Person = needs(Role.VIEWER)):
    """What jobs may have here."""
    computer = server_of(request).computer
    with asking():
        return {"devices": [device._asdict() for device in await computer.devices()], "memory": computer.memory}


@router.post("/jobs", status_code=201, response_model=Several, responses=MISTAKES)
async def order_jobs(asked: NewJobs, request: Request, person: Person = needs(Role.USER)):
    """Queues a job for each data set, all or none. A volume goes into the folder of results, under a name that is free."""
    server = server_of(request)
    given = await orders.submit(server, person, asked)
    if asked.notify:
        server.notices.want(person, given)
    return {"jobs": [short(job, server.folders.told) for job in given]}


@router.get("/jobs", response_model=Page, responses=MISTAKES)
async def list_jobs(request: Request, offset: int = Query(0, ge=0, le=10**9), limit: int = Query(50, ge=1, le=500), sort: Sort = "-id",
                    state: List[States] = Query([], description="several times for several"), owner: Optional[str] = Query(None, max_length=200),
                    dataset: Optional[int] = Query(None, ge=1, lt=2**63), batch: Optional[str] = Query(None, regex=r"^[\w-]{8,64}$"),
                    search: str = Query("", max_length=200, description="a text within name, owner or data set"),
                    person: Person = needs(Role.VIEWER)):
    """A page of the jobs. A - before the column that they are sorted by: the last ones first."""
    server = server_of(request)
    with asking():
        page = await server.queue.page(states=state or None, owner=owner, subject=orders.subject_of(dataset) if dataset else None,
                                       key=f"{batch}/" if batch else None, search=search, order=sort.replace("submitted", "id"), offset=offset,
                                       limit=limit)
    return {"items": [short(job, server.folders.told) for job in page.jobs], "total": page.total}


@router.get("/jobs/batches/{key}", response_model=Batch, responses=MISTAKES)
async def show_batch(request: Request, key: str = Path(..., regex=r"^[\w-]{8,64}$"), person: Person = needs(Role.VIEWER)):
    """How far the jobs of one request are."""
    queue = server_of(request).queue
    with asking():
        first = await queue.page(key=f"{key}/", order="id", limit=1)
        if not first.jobs:
            raise orders.Unknown(f"there is no batch {key}")
        counts = {str(state): (await queue.page(states=[state], key=f"{key}/", limit=0)).total for state in jobs.State}
        last = await queue.page(states=jobs.OVER, key=f"{key}/", order="-ended", limit=1)
    return {"key": key, "total": first.total, "counts": counts, "submitted": first.jobs[0].submitted,
            "ended": last.jobs[0].ended if last.jobs and last.total == first.total else None}


@router.get("/jobs/{number}", response_model=Whole, responses=MISTAKES)
async def show_job(request: Request, number: int = NUMBER, person: Person = needs(Role.VIEWER)):
    """Everything about a job but its log."""
    server = server_of(request)
    with asking():
        job = await server.queue.get(number)
        course = course_of(server.queue.tail(number), server.folders.told)
    return {**whole(job, server.folders, course), "may_change": job.owner == person.name or person.role >= Role.ADMIN,
            "is_pinned": server.keeping.is_pinned(number)}


@router.get("/jobs/{number}/log", response_class=PlainTextResponse, responses=TEXT)
async def show_log(request: Request, number: int = NUMBER, person: Person = needs(Role.VIEWER)):
    """What the process of a job has written to standard error."""
    server = server_of(request)
    with asking():
        await server.queue.get(number)
    return PlainTextResponse(log_of(server.queue.job_folder(number), server.folders.told))


@router.patch("/jobs/{number}", response_model=Short, responses=MISTAKES)
async def change_job(change: Change, request: Request, number: int = NUMBER, person: Person = needs(Role.USER)):
    """Gives a job that waits another priority."""
    return await _told(request, person, number, "prioritize", change.priority)


@router.post("/jobs/{number}/pause", response_model=Short, responses=MISTAKES)
async def pause_job(request: Request, number: int = NUMBER, person: Person = needs(Role.USER)):
    """Holds a job, where it runs or in the queue. It keeps its devices."""
    return await _told(request, person, number, "pause")


@router.post("/jobs/{number}/resume", response_model=Short, responses=MISTAKES)
async def resume_job(request: Request, number: int = NUMBER, person: Person = needs(Role.USER)):
    """Ends a pause."""
    return await _told(request, person, number, "resume")


@router.post("/jobs/{number}/finish", response_model=Short, responses=MISTAKES)
async def finish_job(request: Request, number: int = NUMBER, person: Person = needs(Role.USER)):
    """Ends a job early, with the slices that are made."""
    return await _told(request, person, number, "finish")


@router.post("/jobs/{number}/cancel", response_model=Short, responses=MISTAKES)
async def cancel_job(request: Request, number: int = NUMBER, person: Person = needs(Role.USER)):
    """Ends a job without a result. One that is over stays as it is."""
    return await _told(request, person, number, "cancel")


@router.post("/jobs/{number}/repeat", status_code=201, response_model=Short, responses=MISTAKES)
async def repeat_job(again: Again, request: Request, number: int = NUMBER, person: Person = needs(Role.USER)):
    """Queues a job once more, as it was or with other settings. Its result gets a name of its own."""
    server = server_of(request)
    job = await _own(server, person, number)
    return short(await orders.repeat(server, person, job, again.settings, again.key, again.priority), server.folders.told)


@router.post("/jobs/{number}/preview", responses=SAMPLES)
async def preview_job(request: Request, number: int = NUMBER, person: Person = needs(Role.USER)):
    """An image of the volume that is made, as soon as there is one: the middle slice first, the next one that is made later."""
    server = server_of(request)
    with asking():
        array, facts = await server.previews.ask(number)
    return samples(array, facts)


@router.delete("/jobs/{number}", status_code=204, responses=MISTAKES)
async def remove_job(request: Request, number: int = NUMBER, results: bool = Query(False, description="remove the files that it has written, too"),
                     person: Person = needs(Role.USER)):
    """Forgets a job that is over, with its log. Its result stays on the disk, but nobody sees it here any more; or it goes, too, unless
    somebody has changed its files."""
    server = server_of(request)
    job = await _own(server, person, number)
    with asking():
        if results and job.is_over:
            await server.keeping.remove(job)
        else:
            await server.queue.clean([number])


async def _own(server, person, number):
    with asking():
        return orders.own(await server.queue.get(number), person, person.role >= Role.ADMIN)


async def _told(request, person, number, method, *arguments):
    """A request about a job of one's own, and the job as it is then."""
    server = server_of(request)
    await _own(server, person, number)
    with asking():
        job = await getattr(server.queue, method)(number, *arguments)
    server.keeper.start()
    return short(job, server.folders.told)
