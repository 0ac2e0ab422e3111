# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The queue for its users: submit jobs, look at them, wait for them, and change their course."""

import asyncio
import time

from ._events import Tail
from ._model import Error, State
from ._order import Order, text
from ._store import Store

POLL = 0.02  # seconds between looks at whether the queue has changed


class _Desk:
    """The changes of both kinds of queues: none of them waits."""

    def __init__(self, folder=None):
        self._store = Store(folder)

    @property
    def folder(self):
        return self._store.folder

    def _submit(self, orders, repeats=None, most_open=None):
        numbers = self._store.submit(orders, repeats, most_open)
        self._store.wake_manager()  # which may begin meanwhile
        self._store.make_durable()
        return [self._store.job(number) for number in numbers]

    def _repeat(self, number, changes, most_open=None):
        order = self._store.order_of(number)
        unknown = set(changes) - set(Order.__dataclass_fields__)
        if unknown:
            raise TypeError(f"a job has no {', '.join(sorted(unknown))}")
        description = {**order.description, **changes.pop("description", {})}
        return self._submit([Order(**{**order.__dict__, "description": description, **changes})], number, most_open)[0]

    def _cancel(self, number):
        if not self._store.job(number).is_over and not self._store.cancel_waiting(number):
            self._ask(number, {"command": "abort"})
        return self._store.job(number)

    def _pause(self, number):
        if not self._store.change_queued(number, State.QUEUED, State.PAUSED) and not is_held(self._store.job(number)):
            self._ask_running(number, {"command": "pause"})
        return self._store.job(number)

    def _prioritize(self, number, priority):
        if self._store.prioritize(number, priority):
            self._store.wake_manager()
        elif (job := self._store.job(number)).priority != priority:
            raise Error(f"job {number} is {job.state}: its turn has come already")
        return self._store.job(number)

    def _resume(self, number):
        if self._store.change_queued(number, State.PAUSED, State.QUEUED):
            self._store.wake_manager()
        else:
            self._ask_running(number, {"command": "resume"})
        return self._store.job(number)

    def _preview(self, number, path):
        return self._ask_running(number, {"command": "preview", **({"path": text("the path", str(path))} if path else {})})

    def _ask_running(self, number, command):
        job = self._store.job(number)
        if job.state not in (State.RUNNING, State.PAUSED):
            raise Error(f"job {number} is {job.state}: {command['command']} is for one that runs")
        if is_held(job):
            raise Error(f"job {number} is held in the queue and never began: {command['command']} is for one that runs")
        self._ask(number, command)
        return job

    def _ask(self, number, command):
        self._store.request(number, command)
        self._store.wake_manager()

    def _clean(self, keep_days, keep_jobs, numbers):
        if numbers:
            for number in numbers:
                if not self._store.job(number).is_over:
                    raise Error(f"job {number} is not over")
            return self._store.forget(numbers)
        return self._store.forget(self._store.outdated(keep_days, keep_jobs))

    def _log(self, number):
        self._store.job(number)
        try:
            return (self._store.job_folder(number) / "errors.log").read_text(errors="replace")
        except FileNotFoundError:
            return ""

    def _tail(self, number):
        self._store.job(number)
        return Tail(self._store.job_folder(number) / "events.jsonl")

    def _looks(self, number):
        """The job for each look. It is read again only where something has changed."""
        before = job = None
        while True:
            now = self._store.change_count()
            if now != before:
                before, job = now, self._store.job(number)
            yield job

    def job_folder(self, number):
        """Where a job's log is, and files that go with the job."""
        return self._store.job_folder(number)

    def change_count(self):
        """Another value whenever something about the jobs has changed. It takes some microseconds."""
        return self._store.change_count()

    def tail(self, number):
        """The events of a job, from the first one on: its read() returns those that have come since the last one, also long before
        and behind the job's course. It is to be closed. Raises NoSuchJob."""
        return self._tail(number)

    def limits(self):
        """The Limits in force."""
        return self._store.limits()

    def set_limits(self, limits):
        """Limits, or a dict of those that change."""
        self._store.set_limits(limits)

    def close(self):
        self._store.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def is_held(job):
    """Paused before it began."""
    return job.state is State.PAUSED and job.started is None


class Queue(_Desk):
    """A queue in a folder, for one event loop. It needs no manager: jobs wait until there is one.

    folder: None: GST_TOMO_JOBS, or one below the user's state folder. It is made where it is not there.

    All methods raise NoSuchJob for a number that is none, and sqlite3.Error where the disk fails or is full."""

    async def submit(self, description, **order):
        """A job for a configuration of tomo-reconstruct or a dataflow; see Order for further arguments. It is on disk when
        this returns. Raises DescriptionError, QuotaError."""
        return self._submit([Order(description, **order)])[0]

    async def submit_many(self, orders, most_open=None, repeats=None):
        """The same for Orders: all or none.

        most_open: jobs that are not over, which an owner may have here, beside the limit of the queue
        repeats: number of a job that they repeat, with other settings"""
        return self._submit(orders, repeats, most_open)

    async def repeat(self, number, most_open=None, **changes):
        """A new job like that one; `description` has the members that differ, other arguments are those of Order. Devices that
        the description names are those that the new one names. The key of the job is not repeated."""
        return self._repeat(number, changes, most_open)

    async def get(self, number):
        """The job as it is."""
        return self._store.job(number)

    async def list(self, states=None, owner=None, limit=None, session=None):
        """Jobs, the newest first."""
        return self._store.jobs(states, owner, limit, session)

    async def page(self, states=None, owner=None, subject=None, key=None, search="", order="-id", offset=0, limit=100, numbers=None):
        """A Page of a list that may be long: `limit` jobs as Brief, behind the first `offset`, and how many there are in all.

        key: the begin of their keys
        search: a text within name, subject or owner
        order: id, name, state, owner, subject, priority, ended or time; with a - before it the largest first. Raises Error for another
        numbers: of those jobs alone"""
        return self._store.page(states=states, owner=owner, subject=subject, key=key, search=search, order=order, offset=offset, limit=limit,
                                numbers=numbers)

    async def changed(self, since=0):
        """The number of the last change, and the numbers of the jobs that have changed behind the change `since`, those that are
        gone as well."""
        return self._store.changed(since)

    async def changes(self):
        """Gives something at the begin, and whenever something about the jobs has changed."""
        before = None
        while True:
            now = self._store.change_count()
            if now != before:
                before = now
                yield
            await asyncio.sleep(POLL)

    async def counts(self):
        """Numbers of jobs by their state."""
        return self._store.counts()

    async def cancel(self, number):
        """Ends it without a result, in the end by force. One that is over stays as it is."""
        return self._cancel(number)

    async def finish(self, number):
        """Ends one that runs early, with what it has. Raises Error if it does not run."""
        return self._ask_running(number, {"command": "finish"})

    async def pause(self, number):
        """Holds it, where it runs or in the queue. It keeps its devices. Raises Error if it is over."""
        return self._pause(number)

    async def prioritize(self, number, priority):
        """Gives one that waits another priority. Raises Error if its turn has come already."""
        return self._prioritize(number, priority)

    async def resume(self, number):
        """Ends a pause."""
        return self._resume(number)

    async def preview(self, number, path=None):
        """Asks for an image; an event tells its file, see follow(). Raises Error if the job does not run."""
        return self._preview(number, path)

    async def clean(self, numbers=(), keep_days=None, keep_jobs=None):
        """Forgets jobs that are over, with their logs: these, or those that are older, or all but the newest. Results stay.
        Returns how many. Raises Error if one of `numbers` is not over."""
        return self._clean(keep_days, keep_jobs, numbers)

    async def log(self, number):
        """The text that its process has written to standard error."""
        return self._log(number)

    async def wait(self, number, timeout=None):
        """The job, when it is over. Raises asyncio.TimeoutError."""
        async with asyncio.timeout(timeout):
            for job in self._looks(number):
                if job.is_over:
                    return job
                await asyncio.sleep(POLL)

    async def follow(self, number):
        """All events of a job, from the first one on, as they come; see docs/progress.md. It ends with the job."""
        with self._tail(number) as tail:
            for job in self._looks(number):  # before that at the file, so that nothing of it is missed
                for event in tail.read():
                    yield event
                if job.is_over:
                    return
                await asyncio.sleep(POLL)


class PlainQueue(_Desk):
    """The same as Queue for scripts without an event loop: each method waits. Errors are the same, and TimeoutError of wait()."""

    def submit(self, description, **order):
        return self._submit([Order(description, **order)])[0]

    def submit_many(self, orders, most_open=None, repeats=None):
        return self._submit(orders, repeats, most_open)

    def repeat(self, number, most_open=None, **changes):
        return self._repeat(number, changes, most_open)

    def get(self, number):
        return self._store.job(number)

    def list(self, states=None, owner=None, limit=None, session=None):
        return self._store.jobs(states, owner, limit, session)

    def page(self, states=None, owner=None, subject=None, key=None, search="", order="-id", offset=0, limit=100, numbers=None):
        return self._store.page(states=states, owner=owner, subject=subject, key=key, search=search, order=order, offset=offset, limit=limit,
                                numbers=numbers)

    def changed(self, since=0):
        return self._store.changed(since)

    def counts(self):
        return self._store.counts()

    def cancel(self, number):
        return self._cancel(number)

    def finish(self, number):
        return self._ask_running(number, {"command": "finish"})

    def pause(self, number):
        return self._pause(number)

    def prioritize(self, number, priority):
        return self._prioritize(number, priority)

    def resume(self, number):
        return self._resume(number)

    def preview(self, number, path=None):
        return self._preview(number, path)

    def clean(self, numbers=(), keep_days=None, keep_jobs=None):
        return self._clean(keep_days, keep_jobs, numbers)

    def log(self, number):
        return self._log(number)

    def wait(self, number, timeout=None):
        end = None if timeout is None else time.monotonic() + timeout
        for job in self._looks(number):
            if job.is_over:
                return job
            if end is not None and time.monotonic() > end:
                raise TimeoutError(f"job {number} is not over after {timeout} s")
            time.sleep(POLL)

    def follow(self, number):
        with self._tail(number) as tail:
            for job in self._looks(number):
                yield from tail.read()
                if job.is_over:
                    return
                time.sleep(POLL)
