# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The processes of a manager: those that work, and those of sessions that wait for their next job."""

import asyncio
import contextlib
import logging
import sqlite3
import time

from ._machine import boot, start_ticks
from ._worker import Worker

log = logging.getLogger(__name__)


class Pool:
    """Gives processes for jobs. A session has one process at a time; while it waits it keeps what it has loaded, but no claim."""

    def __init__(self, store, grace, most):
        self._store, self._grace, self._most = store, grace, most  # that wait
        self._boot = boot()
        self._idle = {}  # Worker, and since when, by session
        self._ends = set()  # tasks

    def adopt(self):
        """All processes that an earlier manager has left, by their numbers; those that are gone, too."""
        with contextlib.ExitStack() as undo:
            workers = {}
            for row in self._store.workers():
                worker = Worker(row["id"], row["program"], row["session"], row["devices"], self._store.worker_folder(row["id"]))
                undo.callback(worker.leave)
                worker.adopt(row["pid"], row["ticks"], row["boot"])
                workers[worker.number] = worker
            undo.pop_all()
        return workers

    def devices_of(self, session):
        """Where a process waits."""
        return self._idle[session][0].devices if session in self._idle else ()

    async def take(self, program, session, devices):
        """A process on these devices. Another one of the session ends first. Raises OSError, sqlite3.Error."""
        waiting, _ = self._idle.pop(session, (None, None))
        if waiting is not None:
            if waiting.can_be_told and (waiting.program, waiting.devices) == (program, devices):
                return waiting
            await self.end_process(waiting)
        number = self._store.add_worker(program, session, devices)
        worker = Worker(number, program, session, devices, self._store.worker_folder(number))
        try:
            worker.spawn({"GST_TOMO_DEVICE": str(devices[0]), "GST_TOMO_DEVICES": ",".join(map(str, devices))} if devices else {})
            self._store.set_process(number, worker.pid, start_ticks(worker.pid), self._boot)
        except (OSError, sqlite3.Error):
            await self.end_process(worker)
            raise
        return worker

    async def give_back(self, worker):
        """After a job. A process without a session ends first, so that nobody finds its device in use."""
        if worker.session is not None and worker.can_be_told:
            self._idle[worker.session] = worker, time.monotonic()
            if len(self._idle) > self._most:
                self._end_first()  # nobody waits for that
            return
        await self.end_process(worker)

    def end_idle(self, seconds):
        """Those that wait for longer. They end by and by."""
        now = time.monotonic()
        for session, (worker, since) in list(self._idle.items()):
            if worker.is_gone or now - since >= seconds:
                del self._idle[session]
                self.end_process(worker)

    async def end_longest(self):
        """The one that waits for longest, if there is one."""
        if self._idle:
            await self._end_first()

    async def end(self, session):
        """The process of a session, if it waits."""
        worker, _ = self._idle.pop(session, (None, None))
        if worker is not None:
            await self.end_process(worker)

    async def close(self):
        """Ends all that wait, and waits for all that end."""
        self.end_idle(0)
        while self._ends:
            await asyncio.wait(self._ends)

    def _end_first(self):
        worker, _ = self._idle.pop(next(iter(self._idle)))  # in the order that they came
        return self.end_process(worker)

    def end_process(self, worker):
        """Begins to end a process, also where it hangs. Gives a future of its end, which no cancellation of one that waits for it
        undoes."""
        task = asyncio.create_task(self._until_gone(worker))
        self._ends.add(task)
        task.add_done_callback(self._ends.discard)
        return asyncio.shield(task)

    async def _until_gone(self, worker):
        await worker.stop(self._grace)
        try:
            self._store.forget_worker(worker.number)
        except sqlite3.Error as e:
            log.error("process %s is over, which the next manager will note: %s", worker.pid, e)
