# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""One rule at work: it looks for scans, waits until each is whole, orders its job, and sees to what comes after. What a step is about to do
is written before, and each step can be done twice with the effect of once: a process may be killed anywhere."""

import asyncio
import hashlib
import math
import os
import time

from gsttomo import jobs
from gsttomo.faces.texts import error_of

from . import datasets
from .dataset_store import DataSet, key_of
from .dataset_store import State as Known
from .errors import Conflict, Invalid, Refusal, Unknown
from .finds import OPEN, Find, State
from .given import description_of
from .inotify import Inotify
from .patterns import TooMuch, found_below, stamp_of
from .portal import Away
from .registering import Registrar
from .result_names import name_of, plain_name

PART = 1000          # scans that are compared with what is known at once
BEAT = 1.0           # seconds between steps where nothing calls for them earlier
CALM = 0.2           # seconds of changes that are one
AWAY = 30.0          # seconds until a portal that does not answer is asked again
CROWDED = 5.0        # the same for a queue that takes no more
LONGEST = 1800.0     # the same for a scan that is not whole since days
UNREADABLE = Known.BROKEN


class Work:
    """desk: a PortalDesk, or None; tell: called with a rule and a Find that is over"""

    def __init__(self, server, finds, rule, desk, tell):
        self._server, self._finds, self.rule, self._tell = server, finds, rule, tell
        self._portal, self._paths = (desk.portal, desk.paths) if desk else (None, None)
        self._registrar = Registrar(server, desk.portal, desk.paths, desk.settings.contact) if desk else None
        self._inotify = Inotify()
        self._began = self._looked = self._took = 0.0

    async def run(self):
        """Until it is cancelled. Whatever goes wrong is told, and tried again."""
        try:
            while True:
                try:
                    await self._turn()
                except Exception as e:  # noqa: B902
                    self._finds.looked(self.rule.name, self._began, self._server.folders.told(f"{e}" or type(e).__name__))
                    await asyncio.sleep(BEAT)
                await self._wait()
        finally:
            self._inotify.close()

    async def _wait(self):
        try:
            await asyncio.wait_for(self._inotify.changed.wait(), BEAT)
        except asyncio.TimeoutError:
            return
        await asyncio.sleep(CALM)

    async def _turn(self):
        self._began = time.time()  # before it is read who has asked
        row = self._finds.rule(self.rule.name)
        is_asked = row["run_asked"] > (row["looked"] or 0)
        if is_asked:
            self._finds.try_again(self.rule.name)
        if is_asked or self._is_time():
            self._inotify.changed.clear()
            await self._look(is_first=row["begun"] is None)
        free = self.rule.at_once - len(self._finds.ordered(self.rule.name))
        for find in self._finds.due(self.rule.name, time.time()):
            if find.state is State.REGISTERING:
                await self._guarded(find, self._register)
            elif free > 0 and not row["is_paused"]:
                await self._guarded(find, self._take)
                free -= find.state is State.ORDERED
            await asyncio.sleep(0)
        await self._follow()

    def _is_time(self):
        """Also where something has changed, but never more than a tenth of the time goes into looking."""
        since = time.monotonic() - self._looked
        return since >= self.rule.every or not self._looked or self._inotify.changed.is_set() and since >= 10 * self._took

    async def _guarded(self, find, step):
        try:
            await step(find)
        except Away as e:
            self._later(find, e.text, AWAY)
        except (Refusal, jobs.DescriptionError, OSError) as e:
            self._fail(find, self._server.folders.told(str(e)))

    # Looking

    async def _look(self, is_first):
        began = time.monotonic()
        problem = None
        try:
            found = await (self._found_in_folder() if self.rule.folder else self._found_in_portal())
            known = self._finds.last(self.rule.name)
            for at in range(0, len(found), PART):
                self._keep(found[at:at + PART], known, is_first)
                await asyncio.sleep(0)  # others are served meanwhile
            if is_first:
                self._finds.begun(self.rule.name)
        except (Refusal, TooMuch) as e:
            problem = self._server.folders.told(str(e))
        except OSError as e:
            problem = f"the folder can't be looked through: {e.strerror}"
        self._finds.looked(self.rule.name, self._began, problem)
        self._looked = time.monotonic()
        self._took = self._looked - began

    async def _found_in_folder(self):
        root = self._server.folders.path(self.rule.folder)

        def walk():
            names, folders = found_below(root, self.rule.pattern)
            return [(name, stamp_of(root / name)) for name in names if self._server.folders.place(root / name)], folders

        names, folders = await asyncio.to_thread(walk)
        self._inotify.watch([str(root / folder) for folder in folders])
        return [Find(self.rule.name, f"{self.rule.folder}/{name}", datasets.default_name(name), stamp, place=f"{self.rule.folder}/{name}")
                for name, stamp in names if stamp]

    async def _found_in_portal(self):
        raws = await self._portal.find(self.rule.proposals)
        known = self._finds.last(self.rule.name)
        places = {raw.id: known[raw.id]["place"] for raw in raws if raw.id in known}
        stamps = await asyncio.to_thread(lambda: {number: self._stamp(place) for number, place in places.items() if place})
        return [Find(self.rule.name, raw.id, raw.name, stamps.get(raw.id, ""), place=places.get(raw.id), proposal=raw.proposal)
                for raw in reversed(raws)]

    def _stamp(self, place):
        try:
            return stamp_of(self._server.folders.path(place))
        except Refusal:
            return ""

    def _keep(self, found, known, is_first):
        with self._finds.transaction():
            for one in found:
                last = known.get(one.source)
                if last is None:
                    if is_first and not self.rule.existing:
                        one.state, one.why = State.PASSED, "was there before the rule"
                    self._finds.add(one)
                elif one.stamp and last["stamp"] and one.stamp != last["stamp"]:
                    self._replaced(last, one)

    def _replaced(self, last, one):
        """Another scan has taken the place of one that is over."""
        state = State(last["state"])
        if state is State.FAILED or state is State.PASSED and last["job"] is None:
            self._finds.add(one)  # it was being written at that time
        elif state in (State.DONE, State.PASSED) and self.rule.replaced == "again":
            self._finds.add(one)
        elif state is State.DONE:
            one.state, one.why, one.dataset, one.job = State.PASSED, "was replaced: the rule ignores that", last["dataset"], last["job"]
            self._finds.add(one)
        elif state is State.PASSED:
            self._finds.follow(last["id"], one.stamp)

    # Taking

    async def _take(self, find):
        if waits := await self._waits_for(find):
            return
        one = await self._looked_at(find)
        if waits := self._lacks(one):
            self._later(find, waits, self._patience(find))
            return
        if one.id is None:
            one = self._added(one)
        find.dataset = one.id
        if self.rule.proposals:
            self._finds.take(find.source, one.id)
        await self._order(find, one)

    async def _waits_for(self, find):
        """Whether the scan is not whole yet, as its files tell."""
        if self.rule.proposals:
            raw, files = await self._portal.files(find.source)
            find.place = self._paths.scan(raw, files, self.rule.pattern)
            if missing := await asyncio.to_thread(self._paths.missing, raw, files):
                return self._later(find, missing, self._patience(find))
        try:
            path = self._server.folders.path(find.place)
        except Unknown:
            if self.rule.proposals:
                return self._later(find, "its files are not here yet", self._patience(find))
            self._finds.remove(find)  # as it was renamed, or thought better of
            return True
        stamp, now = await asyncio.to_thread(stamp_of, path), time.time()
        if stamp != find.stamp:
            find.stamp, find.still_since = stamp, now
        left = find.still_since + self.rule.whole.still - now
        if left > 0:
            return self._later(find, f"waits until it has not changed for {self.rule.whole.still:g} s", min(left, 10 * BEAT))
        marker = self.rule.whole.marker
        if marker and not (path / marker if path.is_dir() else path.with_name(marker.replace("{name}", path.stem))).exists():
            return self._later(find, f"waits for the file {marker.replace('{name}', path.stem)}", min(self.rule.every, 2 * BEAT))
        return False

    def _patience(self, find):
        """Seconds until something is looked at again that costs more than a glance: the more, the longer it is as it is."""
        return min(max((time.time() - find.still_since) / 8, min(self.rule.every, 5 * BEAT)), LONGEST)

    async def _looked_at(self, find):
        """The data set as its files are now; without a number where it is new."""
        number = self._server.datasets.known(key_of({"scan": find.place}, {}))
        one = self._server.datasets.get(number) if number else DataSet(
            {"scan": find.place}, self.rule.owner, datasets.default_name(find.place), tags=list(self.rule.tags))
        await datasets.look(self._server, one)
        if number:
            self._server.datasets.keep_look(one)
        if one.state is UNREADABLE:
            raise Invalid(one.problem)
        return one

    def _lacks(self, one):
        """What a whole scan has and this one has not, or None."""
        facts, whole = one.facts, self.rule.whole
        if facts["projections"] < whole.projections:
            return f"has {facts['projections']} of {whole.projections} projections"
        span = math.degrees(abs(facts.get("angle-last", 0) - facts.get("angle-first", 0)) + abs(facts.get("angle-step", 0)))
        if span < whole.angles - 0.01:
            return f"has {span:.1f} of {whole.angles:g} degrees"
        return None

    def _added(self, one):
        try:
            return self._server.datasets.add(one)
        except Conflict:  # a person was faster
            return self._server.datasets.get(self._server.datasets.known(one.key))

    async def _order(self, find, one):
        if not find.output:
            find.output = self._free_name(find)
        self._finds.save(find)
        description = {**description_of(self._server, one.id, self.rule.settings), "output": find.output, "pyramid": "yes"}
        os.makedirs(os.path.dirname(find.output), exist_ok=True)
        try:
            given = await self._server.queue.submit_many(
                [jobs.Order(description, one.name, self.rule.owner, self.rule.priority, folder=str(self._server.settings.results),
                            subject=f"data set {one.id}", key=key_of_order(self.rule.name, find))], most_open=self._server.settings.jobs_per_person)
        except jobs.QuotaError as e:
            return self._later(find, str(e), CROWDED)
        find.job, find.state, find.why, find.output = given[0].id, State.ORDERED, "", given[0].description["output"]
        self._finds.save(find)
        self._server.keeper.start()

    def _free_name(self, find):
        """That nothing has, and that nothing else is going to have."""
        folder = self._server.settings.results.resolve() / self.rule.into
        fields = {"name": datasets.default_name(find.place), "rule": self.rule.name, "proposal": find.proposal or "",
                  "date": time.strftime("%Y-%m-%d", time.localtime(find.found))}
        stem = self.rule.result
        for field, value in fields.items():
            stem = stem.replace("{%s}" % field, value)
        stem, number = plain_name(stem), 1
        while os.path.lexists(path := str(folder / name_of(stem, number))) or self._finds.is_taken(path):
            number += 1
        return path

    # After that

    async def _follow(self):
        ordered = {find.job: find for find in self._finds.ordered(self.rule.name)}
        if not ordered:
            return
        page = await self._server.queue.page(numbers=list(ordered), limit=len(ordered))
        for job in page.jobs:
            find = ordered.pop(job.id)
            if job.state is jobs.State.DONE:
                self._over(find, State.REGISTERING if self.rule.register else State.DONE)
            elif job.state is jobs.State.CANCELLED:
                find.orders, find.output, find.told = find.orders + 1, None, 1  # whoever did it knows
                self._over(find, State.FAILED, "the job was cancelled")
            elif job.is_over:
                self._fail(find, self._server.folders.told(error_of(job) or f"job {job.id} failed"))
            else:
                self._server.keeper.start()
        for find in ordered.values():  # that the queue has forgotten
            if os.path.exists(find.output):
                self._over(find, State.DONE)
            else:
                self._fail(find, f"job {find.job} is not in the queue any more, and has left nothing")

    async def _register(self, find):
        await self._registrar.register(self.rule, find, lambda: self._finds.save(find))
        self._over(find, State.DONE)

    def _later(self, find, why, seconds):
        """Nothing is wrong; true, for those who return with it."""
        find.why, find.not_before = why, time.time() + seconds
        self._finds.save(find)
        return True

    def _fail(self, find, why):
        """Again after a while, so many times as the rule says; then it is told, once."""
        find.attempts += 1
        if find.state is State.ORDERED:
            find.orders, find.output = find.orders + 1, None
        if find.attempts > self.rule.retries:
            self._over(find, State.FAILED, why)
            return
        if find.state is State.ORDERED:
            find.state = State.WAITING
        self._later(find, f"{why} (tried again, {find.attempts} of {self.rule.retries})", self.rule.retry_after)

    def _over(self, find, state, why=""):
        find.state, find.why = state, why
        with self._finds.transaction():  # told if it is written, and the other way round
            if state not in OPEN:
                self._tell(self.rule, find)
            self._finds.save(find)


def key_of_order(rule, find):
    """The same one for the same scan in the same state of its files, until a job of it has failed."""
    content = hashlib.sha256(f"{find.source}\0{find.stamp}".encode()).hexdigest()[:24]
    return f"rule:{rule}:{content}:{find.orders}"
