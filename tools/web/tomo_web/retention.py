# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""How long jobs and their results are kept, by rules of the administrator. A file goes only if the job has written it and nobody has
touched it since; what is pinned or shared stays."""

import asyncio
import contextlib
import dataclasses
import logging
import os
import pathlib
import sqlite3
import stat
import time
from typing import List, Optional

from fastapi import APIRouter, Request
from gsttomo import jobs
from gsttomo.faces.names import split
from pydantic import BaseModel

from .access import Person, Role, needs, server_of
from .errors import MISTAKES, Conflict
from .orders import NUMBER, asking, own

TABLES = """
CREATE TABLE IF NOT EXISTS pins (job INTEGER PRIMARY KEY, person TEXT NOT NULL, pinned REAL NOT NULL);
"""
router = APIRouter(tags=["retention"])
PERIOD = 3600.0  # seconds between looks
SLACK = 2.0      # seconds that the clock of a file server may go wrong
PIECE = 500      # jobs that are looked at together
MOST_TOLD = 1000

log = logging.getLogger(__name__)


@dataclasses.dataclass
class Verdict:
    """reason: why it goes, or why it stays although a rule is against it"""
    job: object
    goes: bool
    reason: str


class Keeping:
    """One for each server."""

    def __init__(self, settings, database, queue):
        self._settings, self._database, self._queue = settings, database, queue
        self._results = pathlib.Path(settings.results).resolve()
        self._turn = asyncio.Lock()
        self._task = None

    def start(self):
        if self._queue.limits() == jobs.Limits():  # nobody has decided: rules are those of this server, or nothing goes
            self._queue.set_limits({"keep_days": None, "keep_jobs": None})
        if self.has_rules:
            self._task = asyncio.create_task(self._run())

    async def close(self):
        if self._task:
            self._task.cancel()
            await asyncio.wait([self._task])

    @property
    def has_rules(self):
        return self._settings.keep_days is not None or self._settings.keep_bytes is not None

    async def verdicts(self):
        """About all jobs that a rule is against."""
        found, used, seen = [], {}, set()
        oldest = None if self._settings.keep_days is None else time.time() - self._settings.keep_days * 86400
        offset = 0
        while page := (await self._queue.page(states=jobs.OVER, order="-ended", offset=offset, limit=PIECE)).jobs:
            offset += len(page)
            for job in page:
                if job.id in seen:  # jobs that ended meanwhile have moved it to the next page
                    continue
                seen.add(job.id)
                used[job.owner] = used.get(job.owner, 0) + job.bytes
                if oldest is not None and job.ended < oldest:
                    found.append(self._verdict(job, f"older than {self._settings.keep_days:g} days"))
                elif self._settings.keep_bytes is not None and job.bytes and used[job.owner] > self._settings.keep_bytes:
                    found.append(self._verdict(job, f"{job.owner} has more than {self._settings.keep_bytes} bytes of results"))
                    if found[-1].goes:
                        used[job.owner] -= job.bytes
            await asyncio.sleep(0)
        return found

    def is_pinned(self, number):
        return self._database.one("SELECT 1 FROM pins WHERE job = ?", number) is not None

    def pin(self, number, person):
        self._database.run("INSERT OR IGNORE INTO pins VALUES (?, ?, ?)", number, person.name, time.time())

    def unpin(self, number):
        self._database.run("DELETE FROM pins WHERE job = ?", number)

    def why_files_stay(self, job):
        """Why the files of a job must not go; None if they may, or are gone already."""
        present = 0
        for path in self._files(job):
            if not path.parent.resolve().is_relative_to(self._results):
                return "its result is not in the folder of results"
            try:
                about = path.lstat()
            except FileNotFoundError:
                continue
            if not stat.S_ISREG(about.st_mode):
                return f"{path.name} is no plain file"
            if about.st_nlink != 1:
                return f"{path.name} has another name as well"
            if not job.started - SLACK <= about.st_mtime <= job.ended + SLACK:
                return f"{path.name} was changed behind the end of the job"
            present += about.st_size
        if present and present != job.bytes:
            return f"its files have {present} bytes, and the job has written {job.bytes}"
        return None

    async def remove(self, job):
        """Its files and the job. Raises Conflict where that must not be, or something else was done meanwhile."""
        if reason := self.why_files_stay(job):
            raise Conflict(f"job {job.id} stays: {reason}")
        for path in self._files(job):
            try:
                path.unlink(missing_ok=True)
            except OSError as e:
                raise Conflict(f"{path.name} can't be removed: {e.strerror}") from None
        with contextlib.suppress(jobs.NoSuchJob):
            await self._queue.clean([job.id])
        self.unpin(job.id)

    async def apply(self):
        """What goes, goes; returns verdicts as they came about."""
        async with self._turn:
            found = await self.verdicts()
            for verdict in found:
                if verdict.goes:
                    try:
                        await self.remove(verdict.job)
                    except (Conflict, jobs.Error) as e:
                        verdict.goes, verdict.reason = False, str(e)
            return found

    def _files(self, job):
        return [pathlib.Path(split(output)[0]) for output in job.outputs]

    def _verdict(self, job, rule):
        shared = self._database.one("SELECT 1 FROM shares WHERE job = ? AND expires > ?", job.id, time.time())
        awaited = self._database.one("SELECT 1 FROM finds WHERE job = ? AND state IN ('ordered', 'registering')", job.id)
        stays = ("it is pinned" if self.is_pinned(job.id) else "somebody has a link to it" if shared
                 else "a portal has still to know of it" if awaited else self._why_not_ours(job))
        return Verdict(job, not stays, f"{rule}; stays: {stays}" if stays else rule)

    def _why_not_ours(self, job):
        if job.key is None or not all(os.path.isabs(path) for path in self._files(job)):
            return "it was not ordered here"
        return self.why_files_stay(job)

    async def _run(self):
        while True:
            try:
                gone = [verdict.job.id for verdict in await self.apply() if verdict.goes]
                if gone:
                    log.warning("%d jobs and their results are taken away by the rules: %s", len(gone), ", ".join(map(str, gone[:20])))
            except (jobs.Error, sqlite3.Error, OSError) as e:
                log.error("jobs can't be cleaned: %s", e)
            await asyncio.sleep(PERIOD)


class Told(BaseModel):
    """reason: why it goes, or why it stays although a rule is against it"""
    job: int
    name: str
    owner: str
    ended: float
    bytes: int
    goes: bool
    reason: str


class Retention(BaseModel):
    """days, bytes: the rules, None: there is none. bytes is for each person. items: all jobs that a rule is against, at most 1000"""
    days: Optional[float]
    bytes: Optional[int]
    count: int
    freed: int
    items: List[Told]


@router.get("/retention", response_model=Retention, responses=MISTAKES)
async def show_retention(request: Request, person: Person = needs(Role.ADMIN)):
    """What would go by the rules, and what would stay. Nothing is removed."""
    server = server_of(request)
    with asking():
        return _told(server, await server.keeping.verdicts())


@router.post("/retention/apply", response_model=Retention, responses=MISTAKES)
async def apply_retention(request: Request, person: Person = needs(Role.ADMIN)):
    """Removes now what goes by the rules, and tells it. Otherwise that happens every hour."""
    server = server_of(request)
    with asking():
        return _told(server, await server.keeping.apply())


@router.put("/jobs/{number}/pin", status_code=204, responses=MISTAKES)
async def pin_job(request: Request, number: int = NUMBER, person: Person = needs(Role.USER)):
    """No rule takes this job and its result away."""
    server = server_of(request)
    with asking():
        own(await server.queue.get(number), person, person.role >= Role.ADMIN)
    server.keeping.pin(number, person)


@router.delete("/jobs/{number}/pin", status_code=204, responses=MISTAKES)
async def unpin_job(request: Request, number: int = NUMBER, person: Person = needs(Role.USER)):
    """Rules are for this job again."""
    server = server_of(request)
    with asking():
        own(await server.queue.get(number), person, person.role >= Role.ADMIN)
    server.keeping.unpin(number)


def _told(server, verdicts):
    going = [verdict for verdict in verdicts if verdict.goes]
    return {"days": server.settings.keep_days, "bytes": server.settings.keep_bytes, "count": len(going),
            "freed": sum(verdict.job.bytes for verdict in going),
            "items": [{"job": verdict.job.id, "name": verdict.job.name, "owner": verdict.job.owner, "ended": verdict.job.ended, "bytes": verdict.job.bytes,
                       "goes": verdict.goes, "reason": server.folders.told(verdict.reason)} for verdict in verdicts[:MOST_TOLD]]}
