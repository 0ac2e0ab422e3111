# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The manager: starts the jobs of a queue on the devices of this computer, and keeps account of them.

    async with Manager("/data/queue") as manager:
        await manager.run()

`tomo-jobs serve` does that. When a manager ends, for any reason, jobs that run go on; the next manager finds them.
"""

import asyncio
import contextlib
import heapq
import logging
import signal
import sqlite3
import time

from . import _machine
from ._attendant import Attendant, insist
from ._lock import Bell, Lock
from ._model import OPEN, DescriptionError, Error, NoSuchJob, State
from ._pool import Pool
from ._provenance import Recorder
from ._schedule import Claim, Room
from ._store import Store
from ._watch import Watch, set_within
from ._worker import is_shortage

TICK = 1.0            # seconds between looks at what nobody tells, such as processes that wait for too long
CLEANING = 60.0       # seconds between looks for jobs that need not be kept
MOST_FORGOTTEN = 100  # jobs at once
WARM_BY_PLACE = 4     # processes that wait

log = logging.getLogger(__name__)


class Manager:
    """Runs a queue while it is open: `async with Manager(...)`.

    folder: of the queue; None: GST_TOMO_JOBS, or one below the user's state folder
    devices: indices or names of those that jobs may have; None: all
    memory: bytes that all jobs together may claim; None: three quarters of the computer's
    places: jobs at once; None: as many as devices, at least one
    idle: seconds after which the process of a session ends that waits for a job
    warm: such processes at most, beyond which the one ends that waits for longest; None: four for each place
    grace: seconds that a job has to obey before it is ended by force
    limits: Limits for the queue from now on, or a dict of those that change; None: as they are
    until_idle: seconds without a job that waits or runs, after which run() returns; None: never

    Raises BusyError where another manager runs this queue, Error where the devices can't be listed, DescriptionError for a device
    that is not there."""

    def __init__(self, folder=None, *, devices=None, memory=None, places=None, idle=300.0, warm=None, grace=10.0, limits=None,
                 until_idle=None):
        self._folder, self._wanted, self._limits = folder, devices, limits
        self.memory = _machine.memory() * 3 // 4 if memory is None else memory
        self.places, self._idle, self._warm, self._grace = places, idle, warm, grace
        self.devices = self._others = ()  # of the computer
        self._attendants = {}  # by job
        self._claims = {}      # (devices, memory, session) by job
        self._tasks = set()
        self._last_request = 0  # that is obeyed, or about to be
        self._is_closing = False
        self._until_idle, self._idle_since = until_idle, None

    @property
    def folder(self):
        return self._store.folder

    # Begin and end

    async def open(self):
        with contextlib.ExitStack() as opened:
            self._store = opened.enter_context(contextlib.closing(Store(self._folder)))
            self._lock = opened.enter_context(contextlib.closing(Lock(self._store.folder)))
            if self._limits is not None:
                self._store.set_limits(self._limits)
            known = await asyncio.to_thread(_machine.devices)
            chosen = range(len(known)) if self._wanted is None else _machine.indices_of(map(str, self._wanted), known)
            self.devices = tuple(device for device in known if device.index in chosen)
            self._others = tuple(device for device in known if device.index not in chosen)
            self._changed = asyncio.Event()
            opened.enter_context(contextlib.closing(Bell(self._store.folder, self._changed)))
            self.places = self.places or max(1, len(self.devices))
            self._recorder = Recorder(self.devices)
            self._watch = opened.enter_context(contextlib.closing(Watch()))
            self._pool = Pool(self._store, self._grace, WARM_BY_PLACE * self.places if self._warm is None else self._warm)
            self._recover()
            self._loop = asyncio.create_task(self._run())
            self._opened = opened.pop_all()

    async def close(self, cancel=False):
        """Ends the manager. Jobs that run go on, or with `cancel` are cancelled first; processes that wait for jobs end."""
        self._is_closing = True
        self._loop.cancel()
        await asyncio.wait([self._loop])
        if cancel:
            await asyncio.gather(*(attendant.cancel() for attendant in self._attendants.values()))
            while self._tasks:
                await asyncio.wait(self._tasks)
        for task in list(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        for attendant in self._attendants.values():
            attendant.worker.leave()
        await self._pool.close()
        self._opened.close()

    async def run(self):
        """Until it is cancelled, or for `until_idle` seconds nothing is there to do. Raises what the manager could not cope with."""
        await asyncio.shield(self._loop)

    async def end_session(self, session):
        """Cancels the jobs of a session, and ends its process."""
        for job in self._store.jobs(OPEN, session=session):
            if not self._store.cancel_waiting(job.id) and job.id in self._attendants:
                await self._attendants[job.id].cancel()
        while any(claim[2] == session for claim in self._claims.values()):
            await asyncio.sleep(0.01)
        await self._pool.end(session)

    async def __aenter__(self):
        await self.open()
        return self

    async def __aexit__(self, *_):
        await self.close()

    # What an earlier manager has left

    def _recover(self):
        workers = self._pool.adopt()
        try:
            self._store.remove_strays()
            found = [(self._store.job(number), workers[worker], *others) for number, worker, *others in self._store.running()]
        except BaseException:
            for worker in workers.values():
                worker.leave()
            raise
        for job, worker, devices, memory, session, is_cancelled in found:
            self._claims[job.id] = devices, memory, session
            log.info("job %d is found again, and its process is %s", job.id, "gone" if worker.is_gone else "alive")
            self._start_task(self._attend(job, worker, is_cancelled))
        for number in set(workers) - {worker.number for _, worker, *_ in found}:
            self._pool.end_process(workers[number])

    # The loop

    async def _run(self):
        idling = cleaning = time.monotonic()
        while True:
            self._changed.clear()
            if not self._lock.is_in_place():  # a client would put its jobs elsewhere, and nobody knows what this one has
                raise Error(f"the queue {self.folder} was removed or replaced while it was served; its jobs go on without a manager")
            try:
                self._obey_requests()
                self._start_jobs()
                if time.monotonic() >= idling:
                    idling = time.monotonic() + TICK
                    self._pool.end_idle(self._idle)
                    self._store.remove_left()
                    if self._has_been_idle():
                        return
                if time.monotonic() >= cleaning:
                    cleaning = time.monotonic() + (TICK if self._forget_some() else CLEANING)
            except sqlite3.Error as e:  # such as a full disk: queued jobs stay queued
                log.error("the queue can't be changed: %s", e)
                await asyncio.sleep(TICK)
            await set_within(self._changed, TICK)

    def _has_been_idle(self):
        """For as long as it takes to go. A client that submits at this moment finds no manager, as at any other time."""
        if self._until_idle is None:
            return False
        counts = self._store.counts()
        if self._tasks or any(counts[state] for state in OPEN):
            self._idle_since = None
        elif self._idle_since is None:
            self._idle_since = time.monotonic()
        return self._idle_since is not None and time.monotonic() - self._idle_since >= self._until_idle

    def _forget_some(self):
        """Jobs that need not be kept. Whether there are more of them."""
        limits = self._store.limits()
        outdated = self._store.outdated(limits.keep_days, limits.keep_jobs)
        self._store.forget(outdated[:MOST_FORGOTTEN])
        return len(outdated) > MOST_FORGOTTEN

    def _obey_requests(self):
        """In tasks: a process that hangs may read no more."""
        for request, number, command in self._store.requests(self._last_request):
            self._last_request = request
            self._start_task(self._obey(request, number, command))

    async def _obey(self, request, number, command):
        """A manager that is killed amid that leaves the request to the next one, so that it may be obeyed twice."""
        attendant = self._attendants.get(number)  # none: the job is over, or waits
        if command["command"] != "abort":
            if attendant is not None:
                await attendant.worker.tell(command)
        else:
            if attendant is not None:
                await attendant.cancel()
            await insist(lambda: self._store.cancel_waiting(number))  # also one that was put back meanwhile
        await insist(lambda: self._store.forget_requests(request, number))

    def _start_jobs(self):
        room = Room([device.index for device in self.devices], self.memory, self.places)
        for claim in self._claims.values():
            room.take(*claim)
        if room.places <= 0:
            return
        refused = []  # and no change as long as the queue is read: sqlite lets nobody write behind a read that others have outdated
        starts = list(room.choose(self._claims_of(self._turns(room), refused), lambda claim: self._pool.devices_of(claim.session)))
        for number, error in refused:
            self._store.refuse(number, error)
        for start in starts:
            try:
                job = self._store.job(start.job)
            except (TypeError, ValueError) as e:
                self._store.refuse(start.job, f"the order can't be understood: {e}")
                continue
            except NoSuchJob:  # it was cancelled and cleaned away meanwhile
                continue
            self._claims[job.id] = start.devices, start.memory, job.session
            self._start_task(self._start(job, start))

    def _turns(self, room):
        """The jobs that wait, in their order. Where all devices are in use, those that want one are passed over at once, and so are
        all but the first one of a session: there may be thousands."""
        return heapq.merge(self._store.queued_first(), self._turns_alone(room), key=lambda job: (-job.priority, job.id))

    def _turns_alone(self, room):
        last = None
        for job in self._store.queued():
            if self.devices and not room.has_devices:  # where there is none at all, those that want one fail
                yield from self._store.queued(after=last, without_devices=True)
                return
            if job.problem is None:
                last = job
            yield job

    def _claims_of(self, turns, refused):
        """Claims that can be served some time; other jobs come to `refused`, with an error."""
        for number, _, devices, memory, session, kind, problem in turns:
            if number in self._claims:  # its start waits for room
                continue
            memory = self.memory // self.places if memory is None else memory
            try:
                if problem is not None:
                    raise DescriptionError(problem)
                devices = None if devices is None else _machine.indices_of(devices, self.devices, self._others)
                if devices is None and not self.devices:
                    raise DescriptionError("it asks for a device, and there is none")
                if memory > self.memory:
                    raise DescriptionError(f"it asks for {memory} bytes of memory, and there are {self.memory} for jobs")
            except DescriptionError as e:
                refused.append((number, str(e)))
                continue
            yield Claim(number, devices, memory, session, kind)

    def _start_task(self, work):
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._end_task)

    def _end_task(self, task):
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("a job is left to the next manager", exc_info=task.exception())
        self._changed.set()

    # A job

    async def _start(self, job, start):
        worker = claimed = None
        try:
            if not self._is_closing:
                worker = await self._pool.take(job.kind.program, job.session, start.devices)
            if not self._is_closing:  # another process may have taken its time to end
                claimed = self._store.claim(job.id, worker.number, start.devices, start.memory)
        except (OSError, sqlite3.Error) as e:
            log.error("job %d can't be started: %s", job.id, e)
            if isinstance(e, sqlite3.Error):  # the queue is tried again, but not all the time
                await asyncio.sleep(TICK)
            elif is_shortage(e):
                await self._pool.end_longest()
                await asyncio.sleep(TICK)
            else:
                await insist(lambda: self._store.refuse(job.id, f"its process can't be started: {e}"))
        if claimed is None:  # or cancelled meanwhile
            try:
                if worker is not None:
                    await self._pool.give_back(worker)
            finally:
                del self._claims[job.id]
            return
        await self._attend(claimed, worker, is_cancelled=False, begins=True)

    async def _attend(self, job, worker, is_cancelled, begins=False):
        try:
            attendant = Attendant(self._store, self._watch, worker, job.id, job.folder, is_cancelled, self._grace)
        except OSError as e:
            if not (begins and is_shortage(e) and await insist(lambda: self._store.put_back(job.id, counts=False))):
                await insist(lambda: self._store.end(job.id, State.FAILED, error=f"its folder can't be made: {e}"))
            elif not self._is_closing:
                await asyncio.sleep(TICK)
        else:
            self._attendants[job.id] = attendant
            if begins:
                self._start_task(self._begin(attendant, job))
                self._start_task(self._record(job))
            await attendant.follow()
            del self._attendants[job.id]
        try:
            await self._pool.give_back(worker)
        finally:
            del self._claims[job.id]

    async def _begin(self, attendant, job):
        if not await attendant.worker.tell(attendant.run(job.description)):
            await attendant.worker.stop(self._grace)  # so that the job is known not to have begun

    async def _record(self, job):
        found = await asyncio.to_thread(self._recorder.facts_of, job)
        with contextlib.suppress(sqlite3.Error):
            self._store.add_facts(job.id, **found)


async def serve(manager, told=lambda: None):
    """Runs a manager until SIGINT or SIGTERM; `told` is called when it is open."""
    async with manager:
        work = asyncio.create_task(manager.run())
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, work.cancel)
        told()
        with contextlib.suppress(asyncio.CancelledError):
            await work
