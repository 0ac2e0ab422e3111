# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What happens to jobs, told to all browsers: one look at the queue and one at the events of each job that is followed, however many
watch. Each piece is written as JSON once."""

import asyncio
import contextlib
import json
import logging
import sqlite3
import time

from gsttomo import jobs

from .job_texts import MOST_EVENTS, SILENT, short, told_event

TICK = 0.25          # seconds between looks
GUARD = 5.0          # seconds between looks whether open jobs have a manager
MOST_CHANGED = 200   # jobs of one message; where more have changed, browsers ask for their page again
MOST_FOLLOWED = 16   # jobs of one browser
MOST_WAITING = 5000  # events for a browser that takes none; then it has to come again

log = logging.getLogger(__name__)


class Browser:
    """What one browser has not got yet. It may lose how far something was, never a state or an event."""

    def __init__(self):
        self.followed = set()
        self.is_lost = False
        self._changed = asyncio.Event()
        self._revision, self._jobs, self._gone, self._many = None, {}, set(), False
        self._events, self._progress = {}, {}  # by job and number; of each job, the key of the one event that tells how far it is

    def put_jobs(self, revision, found, gone, many=False):
        """found: JSON by number."""
        self._revision = revision
        self._jobs.update(found)
        self._gone.update(gone)
        self._many = self._many or many
        self._changed.set()

    def put_event(self, number, n, text, is_progress):
        if is_progress:
            self._events.pop(self._progress.get(number), None)
            self._progress[number] = number, n
        self._events[number, n] = text
        self.is_lost = self.is_lost or len(self._events) - len(self._progress) > MOST_WAITING
        self._changed.set()

    async def message(self):
        """The next one, when there is something to tell."""
        await self._changed.wait()
        self._changed.clear()
        parts = [f'"jobs":[{",".join(self._jobs.values())}]'] if self._jobs else []
        if self._revision is not None:
            parts.append(f'"revision":{self._revision}')
        if self._gone:
            parts.append(f'"gone":{json.dumps(sorted(self._gone))}')
        if self._many:
            parts.append('"many":true')
        if self._events:
            parts.append(f'"events":[{",".join(text for _, text in sorted(self._events.items()))}]')
        self._revision, self._jobs, self._gone, self._many = None, {}, set(), False
        self._events, self._progress = {}, {}
        return "{" + ",".join(parts) + "}"


class Followed:
    """The events of a job. `n` numbers them, so that a browser that comes again gets those that it lacks."""

    def __init__(self, number, tail, told):
        self.number, self.browsers = number, set()
        self._tail, self._told = tail, told
        self._next = 1
        self._past, self._progress = [], None  # pairs of n and JSON; the last one that tells only how far it is stands alone

    def close(self):
        self._tail.close()

    def read(self):
        """Tells browsers what has come."""
        for event in self._tail.read():
            n, self._next = self._next, self._next + 1
            if event["event"] == "preview":
                continue
            text = json.dumps({"job": self.number, "n": n, "event": told_event(event, self._told)}, separators=(",", ":"))
            is_progress = event["event"] in SILENT
            if is_progress:
                self._progress = n, text
            else:
                self._past.append((n, text))
            for browser in self.browsers:
                browser.put_event(self.number, n, text, is_progress)
        del self._past[:-MOST_EVENTS]

    def add(self, browser, after):
        for n, text in self._past:
            if n > after:
                browser.put_event(self.number, n, text, False)
        if self._progress:
            browser.put_event(self.number, *self._progress, True)
        self.browsers.add(browser)


class Hub:
    """One for each server. `listeners` are called when something about jobs has changed."""

    def __init__(self, queue, told, keeper):
        self._queue, self._told, self._keeper = queue, told, keeper
        self._browsers, self._followed = set(), {}
        self._last = 0
        self._task = None
        self.listeners = []

    def start(self):
        self._task = asyncio.create_task(self._watch())

    async def close(self):
        if self._task:
            self._task.cancel()
            await asyncio.wait([self._task])
        for followed in self._followed.values():
            followed.close()

    @contextlib.contextmanager
    def browser(self):
        one = Browser()
        self._browsers.add(one)
        try:
            yield one
        finally:
            self._browsers.discard(one)
            self.follow(one, ())

    def follow(self, browser, numbers, after=None):
        """Events of these jobs and no others, behind those that `after` has the numbers of."""
        wanted = set(list(numbers)[:MOST_FOLLOWED])
        for number in browser.followed - wanted:
            self._leave(browser, number)
        for number in wanted - browser.followed:
            self._join(browser, number, (after or {}).get(number, 0))
        browser.followed = wanted & self._followed.keys()

    async def catch_up(self, browser, since):
        """Jobs that have changed behind that revision."""
        last, numbers = await self._queue.changed(since)
        browser.put_jobs(last, *await self._found(numbers))

    def _join(self, browser, number, after):
        try:
            followed = self._followed.get(number) or Followed(number, self._queue.tail(number), self._told)
            followed.read()
        except (jobs.NoSuchJob, OSError):
            browser.put_jobs(None, {}, {number})
            return
        self._followed[number] = followed
        followed.add(browser, after)

    def _leave(self, browser, number):
        followed = self._followed.get(number)
        if followed:
            followed.browsers.discard(browser)
            if not followed.browsers:
                self._followed.pop(number).close()

    async def _watch(self):
        guarded, before = -GUARD, None
        self._last, _ = await self._queue.changed(2**62)
        while True:
            try:
                for followed in list(self._followed.values()):
                    followed.read()
                if (count := self._queue.change_count()) != before:
                    before = count
                    await self._tell()
                if time.monotonic() - guarded >= GUARD:
                    guarded = time.monotonic()
                    await self._guard()
            except (jobs.Error, sqlite3.Error, OSError) as e:  # such as a full disk: the next look may find it better
                log.error("jobs can't be watched: %s", e)
            await asyncio.sleep(TICK)

    async def _guard(self):
        if (await self._queue.page(states=jobs.OPEN, limit=1)).jobs:
            self._keeper.start()

    async def _tell(self):
        last, numbers = await self._queue.changed(self._last)
        if last == self._last:
            return
        self._last = last
        for listener in self.listeners:
            listener()
        if self._browsers:
            found = await self._found(numbers)
            for browser in self._browsers:
                browser.put_jobs(last, *found)

    async def _found(self, numbers):
        """JSON of jobs, numbers of those that are gone, whether there are too many."""
        if len(numbers) > MOST_CHANGED:
            return {}, set(), True
        page = await self._queue.page(numbers=numbers, limit=len(numbers))
        found = {job.id: json.dumps(short(job, self._told), separators=(",", ":")) for job in page.jobs}
        return found, set(numbers) - found.keys(), False
