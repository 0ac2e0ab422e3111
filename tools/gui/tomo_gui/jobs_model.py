# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The queue of jobs for the window. A thread talks to it, so that no disk makes the window wait."""

import asyncio
import contextlib
import os
import sqlite3
import threading

from gsttomo import jobs
from gsttomo.faces.names import free_name
from pyqtgraph.Qt import QtCore


MOST_LISTED = 500
PAUSE = 0.15  # seconds between lists at least
START_AGAIN = 5.0  # seconds between starts of a manager


class JobsModel(QtCore.QObject):
    """Jobs of a queue, the newest first, as `jobs`.

    changed: `jobs` are others
    told: number of a job that is followed, and what it tells (docs/progress.md)
    failed: with the reason why something about the jobs can't be done"""

    changed = QtCore.Signal()
    told = QtCore.Signal(int, object)
    failed = QtCore.Signal(str)
    _came = QtCore.Signal(object)
    _told = QtCore.Signal(int, object)
    _ready = QtCore.Signal(object, object)

    def __init__(self, folder=None, parent=None):
        super().__init__(parent)
        self.jobs = []
        self._folder = folder
        self._manager, self._started = None, -START_AGAIN
        self.problem = None  # why there is no queue, in one sentence
        self._promised = set()  # names of results that are about to be queued
        self._is_closed = self._has_open = False
        self._followed = {}   # tasks of the loop
        self._followers = {}  # how many places
        self._past = {}       # lists of events, without those that only tell how far it is
        self._loop = asyncio.new_event_loop()
        self._queue = None
        self._came.connect(self._take)
        self._told.connect(self._tell)
        self._ready.connect(lambda done, result: None if self._is_closed else done(result))
        self._thread = threading.Thread(target=self._run, name="jobs", daemon=True)
        self._thread.start()

    def submit(self, orders, done=None, failed=None):
        """Queues jobs.Orders, all or none, and sees to it that somebody runs them; done(jobs) when they are on disk, or failed(text)."""
        self._promised |= {order.description["output"] for order in orders if order.description.get("output")}

        async def submit():
            given = await self._queue.submit_many(orders)
            self._start_manager(self._loop.time())
            return given
        self._call(submit, done, failed)

    def repeat(self, number, done=None):
        """The same once more. A result that is there already stays: the new one gets a name of its own."""
        job = self.job(number)
        changes = {}
        output = job and job.kind is jobs.Kind.RECONSTRUCTION and job.description.get("output")
        if output and not (job.description.get("overwrite") or job.description.get("resume")):
            changes["description"] = {"output": free_name(os.path.join(job.folder, output), self.outputs())}

        async def repeat():
            given = await self._queue.repeat(number, **changes)
            self._start_manager(self._loop.time())
            return given
        self._call(repeat, done)

    def outputs(self):
        """Names of results that jobs will write."""
        return {os.path.join(job.folder, job.description["output"]) for job in self.jobs
                if not job.is_over and job.description.get("output")} | self._promised

    def cancel(self, number):
        self._call_queue("cancel", None, number)

    def pause(self, number):
        self._call_queue("pause", None, number)

    def resume(self, number):
        self._call_queue("resume", None, number)

    def finish(self, number):
        self._call_queue("finish", None, number)

    def preview(self, number, path):
        self._call_queue("preview", None, number, path)

    def clean(self, numbers):
        self._call_queue("clean", None, numbers)

    def log(self, number, done):
        """done(text) with the standard error of the job's process."""
        self._call_queue("log", done, number)

    def job(self, number):
        return next((job for job in self.jobs if job.id == number), None)

    def follow(self, number):
        """Its events come by the signal until it is over or unfollow(). Returns those that have come already, where another place
        follows it as well."""
        self._followers[number] = self._followers.get(number, 0) + 1
        if number in self._past:
            return list(self._past[number])
        self._past[number] = []

        async def follow():
            self._followed[number] = asyncio.current_task()
            try:
                async for event in self._queue.follow(number):
                    self._told.emit(number, event)
            finally:
                self._followed.pop(number, None)
        self._call(follow)
        return []

    def unfollow(self, number):
        self._followers[number] = self._followers.get(number, 0) - 1
        if self._followers[number] <= 0:
            self._followers.pop(number)
            self._past.pop(number, None)
            self._loop.call_soon_threadsafe(lambda: number in self._followed and self._followed[number].cancel())

    def close(self):
        """Jobs and their manager go on. What was asked for is done first."""
        self._is_closed = True
        with contextlib.suppress(RuntimeError):  # it has ended by itself
            self._loop.call_soon_threadsafe(lambda: [task.cancel() for task in asyncio.all_tasks(self._loop)])
        self._thread.join(5)

    def _call_queue(self, method, done, *arguments):
        async def call():
            return await getattr(self._queue, method)(*arguments)
        self._call(call, done)

    def _call(self, action, done=None, failed=None):
        """Has the thread await action(), then calls done(result) here, or failed(text)."""
        def fail(text):
            self.failed.emit(text)
            if failed:
                self._ready.emit(failed, text)

        async def call():
            try:
                while self._queue is None and not self.problem:  # it is opened at this moment
                    await asyncio.sleep(0.01)
                if self.problem:
                    raise jobs.Error(self.problem)
                result = await action()
            except (jobs.Error, sqlite3.Error, OSError, ValueError) as e:
                fail(str(e))
            else:
                if done:
                    self._ready.emit(done, result)

        if self.problem:
            fail(self.problem)
        elif not self._is_closed:
            self._loop.call_soon_threadsafe(lambda: self._loop.create_task(call()))

    def _run(self):
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._watch())
        except asyncio.CancelledError:
            pass
        except Exception as e:  # of a disk that fails, or a folder that was removed
            self.problem = f"the queue of jobs can't be used: {e}"
            self.failed.emit(self.problem)
        finally:
            rest = asyncio.all_tasks(self._loop)
            for task in rest:
                task.cancel()
            self._loop.run_until_complete(asyncio.gather(*rest, return_exceptions=True))
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.close()

    async def _watch(self):
        with jobs.Queue(self._folder) as self._queue:
            guard = asyncio.create_task(self._guard())
            try:
                async for _ in self._queue.changes():
                    listed = await self._queue.list(limit=MOST_LISTED)
                    self._has_open = any(not job.is_over for job in listed)
                    self._came.emit(listed)
                    await asyncio.sleep(PAUSE)
            finally:
                guard.cancel()

    async def _guard(self):
        """A manager that was killed tells nobody: where jobs are open, another one is started, which ends at once beside a first one."""
        while True:
            if self._has_open:
                self._start_manager(self._loop.time())
            await asyncio.sleep(PAUSE)

    def _start_manager(self, now):
        """A process of its own, which goes on when the window is gone. Where there is one already, the new one ends at once."""
        if self._manager and self._manager.poll() is None or now - self._started < START_AGAIN:
            return
        self._started = now
        self._manager = jobs.start_manager(self._queue.folder)

    def _tell(self, number, event):
        if number in self._past:
            if event["event"] != "progress":
                self._past[number].append(event)
            self.told.emit(number, event)

    def _take(self, listed):
        self.jobs = listed
        self._promised -= {job.description.get("output") for job in listed}
        self.changed.emit()
