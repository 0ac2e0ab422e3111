# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The processes of a manager: those that work, and those of sessions that wait for their next job."""

import time

from ._machine import boot, start_ticks
from ._worker import Worker


class Pool:
    """Gives processes for jobs. A session has one process at a time; while it waits it keeps what it has loaded, but no claim."""

    def __init__(self, store, grace, most):
        self._store, self._grace, self._most = store, grace, most  # that wait
        self._boot = boot()
        self._idle = {}  # Worker, and since when, by session

    def adopt(self):
        """All processes that an earlier manager has left, by their numbers; those that are gone, too."""
        workers = {}
        for row in self._store.workers():
            worker = Worker(row["id"], row["program"], row["session"], row["devices"], self._store.worker_folder(row["id"]))
            worker.adopt(row["pid"], row["ticks"], row["boot"])
            workers[worker.number] = worker
        return workers

    def devices_of(self, session):
        """Where a process waits."""
        return self._idle[session][0].devices if session in self._idle else ()

    def take(self, program, session, devices):
        """A process on these devices. Raises OSError."""
        waiting, _ = self._idle.pop(session, (None, None))
        if waiting is not None:
            if waiting.can_be_told and (waiting.program, waiting.devices) == (program, devices):
                return waiting
            waiting.release()
            self.forget(waiting)
        number = self._store.add_worker(program, session, devices)
        worker = Worker(number, program, session, devices, self._store.worker_folder(number))
        try:
            worker.spawn({"GST_TOMO_DEVICE": str(devices[0])} if devices else {})
        except OSError:
            self._store.forget_worker(number)
            raise
        self._store.set_process(number, worker.pid, start_ticks(worker.pid), self._boot)
        return worker

    async def give_back(self, worker):
        """After a job. A process without a session ends first, so that nobody finds its device in use."""
        if worker.session is not None and worker.can_be_told:
            self._idle[worker.session] = worker, time.monotonic()
            if len(self._idle) > self._most:
                await self.end_longest()
            return
        await worker.stop(self._grace)
        self.forget(worker)

    async def end_idle(self, seconds):
        """Those that wait for longer."""
        now = time.monotonic()
        for session, (worker, since) in list(self._idle.items()):
            if worker.is_gone or now - since >= seconds:
                del self._idle[session]
                await worker.stop(self._grace)
                self.forget(worker)

    async def end_longest(self):
        """The one that waits for longest, if there is one."""
        if self._idle:
            await self.end(next(iter(self._idle)))  # in the order that they came

    async def end(self, session):
        """The process of a session, if it waits."""
        worker, _ = self._idle.pop(session, (None, None))
        if worker is not None:
            await worker.stop(self._grace)
            self.forget(worker)

    def forget(self, worker):
        self._store.forget_worker(worker.number)
