# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A job that has a process, until it is over."""

import asyncio
import contextlib
import signal
import sqlite3
import time

from ._events import Course, Tail
from ._model import State
from ._provenance import size_of
from ._watch import POLL, set_within
from ._worker import is_shortage, why_it_ended

INTERVAL = 0.25  # seconds between changes that say only how far it is


class Attendant:
    """Reads the events of a job and keeps the store true. It may begin at any time, also when all is over."""

    def __init__(self, store, watch, worker, number, folder, is_cancelled, grace):
        self.worker, self.number = worker, number
        self._store, self._watch, self._folder, self._grace = store, watch, folder, grace
        self._is_cancelled = is_cancelled
        self._course = Course()
        self._written = 0.0
        self._is_written = True
        self._escalation = self._telling = None  # tasks
        self._is_followed = True
        self._refusals = Tail(worker.folder / "events.jsonl")
        self.place.mkdir(parents=True, exist_ok=True)

    @property
    def place(self):
        return self._store.job_folder(self.number)

    def run(self, description):
        """The command that begins it."""
        return {"command": "run", "description": description, "events": str(self.place / "events.jsonl"),
                "errors": str(self.place / "errors.log"), "folder": self._folder}

    async def follow(self):
        """Until it is over, or waits again because it never began."""
        if self._is_cancelled:
            self._telling = asyncio.create_task(self.cancel())
        try:
            await self._read()
        finally:
            self._is_followed = False
            if self._escalation is not None:
                self._escalation.cancel()
            self._refusals.close()
        size = await asyncio.to_thread(size_of, self._course.outputs, self._folder)
        await insist(lambda: self._end(size))

    async def _read(self):
        wake = asyncio.Event()
        with Tail(self.place / "events.jsonl") as tail, self._watch.folder(self.place, wake) as is_told, \
                self._watch.folder(self.worker.folder, wake), self.worker.end_sets(wake):
            while True:
                wake.clear()
                was_gone = self.worker.is_gone  # before the last look at the file
                try:
                    self._take(tail.read())
                    if self._course.is_over or was_gone or self._is_refused():
                        return
                except OSError as e:  # nobody knows yet what has come
                    if not is_shortage(e):
                        raise
                    await asyncio.sleep(INTERVAL)
                    continue
                if tail.has_begun():
                    self.worker.connect()  # of an earlier manager's process; before that, its end would say that it never began
                await set_within(wake, INTERVAL if is_told else POLL)

    def _take(self, events):
        news = [self._course.take(event) for event in events]
        self._is_written = self._is_written and not events
        if not self._is_written:
            self._write(is_important=any(news))

    def _is_refused(self):
        """Whether the process could not begin at all, as where the disk is full, or where it does not understand the command."""
        for event in self._refusals.read():
            if event["event"] == "message" and event.get("level") == "error" and not self._course.began:
                self._course.take(event)
                self.worker.release()  # such a process gets no other job: its log would refuse that, too
                return True
        return False

    def _write(self, is_important):
        now = time.monotonic()
        if not is_important and now - self._written < INTERVAL:
            return
        self._written, self._is_written = now, True
        course = self._course
        with contextlib.suppress(sqlite3.Error):  # the next time, or at the end
            self._store.update(self.number, state=State.PAUSED if course.is_paused else State.RUNNING, began=course.began,
                               results=course.results, **course.values)

    def _end(self, size):
        course, worker = self._course, self.worker
        if not course.is_over and course.began is None and course.error is None and not self._is_cancelled:
            (self.place / "events.jsonl").unlink(missing_ok=True)  # an empty one, by which the next process would not begin
            # Where nobody knows how the process ended, it was the manager that ended first.
            if self._store.put_back(self.number, counts=worker.exit is not None):
                return
        values = {"status": course.status, "began": course.began, "results": course.results, "outputs": course.outputs,
                  "bytes": size, **course.values}
        if course.status in ("done", "finished early"):
            self._store.end(self.number, State.DONE, exit=0, **values)
            return
        error = course.error if course.is_over or course.error else why_it_ended(
            worker.exit, self.place / "errors.log", worker.folder / "errors.log")
        state = State.CANCELLED if self._is_cancelled else State.FAILED
        self._store.end(self.number, state, exit=1 if course.is_over else worker.exit, error=error or course.status, **values)

    async def cancel(self):
        """Ends it, in the end by force. Nothing happens to a process that may have another job already."""
        self._is_cancelled = True
        with contextlib.suppress(sqlite3.Error):
            self._store.update(self.number, is_cancelled=1)
        if not self._is_followed:
            return
        if self._escalation is None:
            self._escalation = asyncio.create_task(self._escalate())
        await self.worker.tell({"command": "abort"})

    async def _escalate(self):
        for number in (signal.SIGTERM, signal.SIGTERM, signal.SIGKILL):
            await asyncio.sleep(self._grace / 3)
            self.worker.signal(number)


async def insist(change):
    """Does it, as soon as the disk lets it."""
    while True:
        try:
            return change()
        except sqlite3.Error:
            await asyncio.sleep(1)
