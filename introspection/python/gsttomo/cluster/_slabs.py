# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Has the workers of a scheduler make slabs: each of them, wherever that works."""

import asyncio
import collections
import contextlib
import glob
import os
import shutil
import time
import uuid

from . import _worker
from ._errors import ClusterError, OutOfMemory, SlabError

MOST_FAILURES = 3  # of a slab, on workers of their own, before the result has failed
MOST_FAILURES_OF_WORKER = 3  # in a row, before it gets no more slabs
MOST_LOSSES = 3  # of one slab, each with several workers that died
PER_WORKER = 2  # slabs that the scheduler knows at once, so that no worker waits for the next one
TO_ANSWER = 60.0  # seconds, of a question
TO_TELL = 10.0  # seconds, of one whose answer only an estimate wants
GO_ON = "; slabs that are made stay, and --resume goes on from there"
SILENT = 30.0  # seconds, at least, until a worker counts as hanging


class _Slab:
    def __init__(self, order, run):
        self.order, self.number, self._run = order, order["number"], run
        self.attempts = self.losses = 0
        self.failures = {}  # text by address of the worker
        self.worker = self.heard = self.future = self.made = None
        self.allowed = None  # addresses, where another attempt has failed
        self.only = None  # addresses that this attempt may go to; None: any

    @property
    def key(self):
        """As the scheduler's page shows it: the number is that of the first image. A scheduler takes jobs of one key for the same job, also
        where two clients ask for them, so the key has the run as well."""
        name = f"slab-{os.path.basename(self.order['file']).partition('.')[0]}-{self._run}"
        return name if self.attempts == 1 else f"{name}-attempt-{self.attempts}"


class Dispatcher:
    """Makes slabs. `tell` gets events.

    work: a function that makes a slab, in place of the worker's"""

    def __init__(self, client, tell, work=_worker.make_slab):
        self._client, self._tell, self._work = client, tell, work
        self._begin_run()
        self._waiting, self._running = collections.deque(), {}
        self._ended = asyncio.Queue()  # pairs of a slab and its future
        self._failed_in_row = collections.Counter()
        self._made_by = collections.Counter()
        self._warned = set()
        self._addresses, self._dropped = [], set()
        self._has_dropped = False  # whether the scheduler has workers that are left out here, and serve others
        self._version, self._checked, self._checking = "", set(), None
        self._lonely_since = None
        self.is_paused = self.is_finishing = False

    def _begin_run(self):
        self._run = uuid.uuid4().hex
        self._token = f"cluster-{self._run}.token"

    async def workers(self):
        """Addresses of those that the scheduler has. Raises ClusterError where it doesn't tell."""
        try:
            found = await asyncio.wait_for(self._client.nthreads(), TO_ANSWER)
        except TimeoutError:
            raise ClusterError(f"the scheduler has not answered for {TO_ANSWER:.0f} s{GO_ON}") from None
        except OSError:
            raise ClusterError(f"the scheduler has gone{GO_ON}") from None
        self._addresses = [address for address in found if address not in self._dropped]
        self._has_dropped = len(self._addresses) < len(found)
        return self._addresses

    async def check(self, folder=None):
        """Raises ClusterError where a worker can't make slabs."""
        self._version = await asyncio.to_thread(_worker.version)
        workers = await self.workers()
        self._checked.update(workers)
        problems = await self.problems(workers, folder)
        if problems:
            address, problem = problems[0]
            others = f", and {len(problems) - 1} more of {len(workers)} have a problem" if len(problems) > 1 else ""
            raise ClusterError(f"the worker {address} can't make slabs: {problem}{others}. Workers want the gst-tomo and the file system of this "
                               "computer: start them in its environment")

    async def problems(self, workers, folder=None):
        """Pairs of a worker and why it can't make slabs."""
        # By its text: a worker without the module can say so.
        question = f"__import__('importlib').import_module('gsttomo.cluster._worker').probe({self._version!r}, {folder!r}, {self._token!r})"
        answers = await asyncio.gather(*(self._ask(worker, question) for worker in workers))
        return [(worker, answer) for worker, answer in zip(workers, answers) if answer]

    async def kinds(self):
        """Workers that are alike, with the share of a device and of a computer's disk that each of them has. Empty where none tells."""
        question = "__import__('importlib').import_module('gsttomo.cluster._worker').device()"
        try:
            told = await asyncio.wait_for(self._client.run(eval, question, workers=list(self._addresses), on_error="return"), TO_TELL)
        except (TimeoutError, OSError):
            return []
        devices = [one for one in told.values() if isinstance(one, dict)]
        hosts = collections.Counter(one["host"] for one in devices)
        sharing = collections.Counter((one["host"], one["index"]) for one in devices)
        kinds = collections.Counter((one["name"], one["is-cpu"], one["compute-units"] / sharing[one["host"], one["index"]], 1 / hosts[one["host"]])
                                    for one in devices)
        return [{"device": name, "is-cpu": is_cpu, "compute-units": units, "disk": disk, "count": count}
                for (name, is_cpu, units, disk), count in kinds.items()]

    async def _check_new(self):
        """Leaves out workers that have come meanwhile and can't make slabs. Returns whether there were any."""
        workers = [address for address in await self.workers() if address not in self._checked]
        self._checked.update(workers)
        problems = await self.problems(workers, self._folder) if workers else []
        for worker, problem in problems:
            self._drop(worker, problem)
        return bool(problems)

    def _look_at_new(self):
        """One at a time."""
        if self._checking is None or self._checking.done():
            self._checking = asyncio.ensure_future(self._check_new())
        return self._checking

    async def _ask(self, worker, question):
        """Its problem; "" also of one that has gone, about which the scheduler knows more."""
        try:
            told = await asyncio.wait_for(self._client.run(eval, question, workers=[worker], on_error="return"), TO_ANSWER)
        except TimeoutError:
            self._drop(worker, f"it does not answer for {TO_ANSWER:.0f} s")
            return ""
        except OSError:
            return ""
        answer = told.get(worker, "")
        if isinstance(answer, ModuleNotFoundError):
            return f"it has no gst-tomo: {answer}"
        if isinstance(answer, OSError):
            return ""
        return f"it does not answer: {answer!r}" if isinstance(answer, Exception) else answer

    async def make(self, orders, folder, patience, *, lonely=30.0):
        """Until all are made, or is_finishing is set and those that were begun are. Raises ClusterError, of which OutOfMemory leaves all ready
        for smaller slabs.

        patience: seconds without a sign of a slab
        lonely: seconds without any worker"""
        self._patience, self._lonely = patience, lonely
        self._begin_run()  # also behind one that found no memory, some of whose slabs have the same numbers
        topic, made_before = _worker.TOPIC + self._token, self._made_by.copy()
        self._client.subscribe_topic(topic, self._hear)
        try:
            with self._marked(folder):
                try:
                    await self.check(folder)
                    shared = {"slab-folder": folder, "token": self._token, "version": self._version}
                    self._waiting.extend(_Slab({**order, **shared}, self._run) for order in orders)
                    await self._go_through()
                except OutOfMemory:
                    self._made_by = made_before  # all are made anew
                    raise
                finally:
                    await self._give_up()
        finally:
            with contextlib.suppress(Exception):  # a scheduler that has gone knows no topics
                self._client.unsubscribe_topic(topic)

    @contextlib.contextmanager
    def _marked(self, folder):
        self._folder = folder
        mark = self._mark()
        try:
            with open(mark, "w", encoding="ascii") as file:
                file.write(self._token)
        except OSError as e:
            raise ClusterError(f"'{mark}' can't be written: {e.strerror}") from None
        try:
            yield
        finally:
            with contextlib.suppress(OSError):  # it is another run's folder, if that has taken the mark away
                os.unlink(mark)
                self._clean()

    def _mark(self):
        return os.path.join(self._folder, self._token)

    def _clean(self):
        """Workers that still make a slab, also those of an earlier run, miss their folder and give up; without its token they begin none."""
        folder = glob.escape(self._folder)
        for token in set(glob.glob(os.path.join(folder, "cluster-*.token"))) - {self._mark()}:
            with contextlib.suppress(OSError):
                os.unlink(token)
        for attempt in glob.glob(os.path.join(folder, "attempt-*")):
            shutil.rmtree(attempt, ignore_errors=True)

    async def _give_up(self):
        futures = [slab.future for slab in self._running.values()]
        self._running.clear()
        self._waiting.clear()
        if self._checking:
            self._checking.cancel()
            await asyncio.wait({self._checking})
        if futures:
            with contextlib.suppress(Exception):
                await asyncio.wait_for(self._client.cancel(futures, force=True), 5)

    async def _go_through(self):
        self._clean()
        await self._look_after_workers()
        look = time.monotonic()
        while self._waiting or self._running:
            if self.is_finishing:
                self._waiting.clear()
                self._drop_unbegun()
                if not self._running:
                    return
            elif not self.is_paused:
                self._submit()
            ended = await self._next_ended()
            for slab, future in ended:
                await self._end(slab, future)
            if time.monotonic() - look >= 1.0:
                look = time.monotonic()
                await self._look_after_workers()

    async def _next_ended(self):
        """Several that ended together are replaced together, which costs the scheduler less."""
        with contextlib.suppress(TimeoutError):
            ended = [await asyncio.wait_for(self._ended.get(), 0.5)]
            while not self._ended.empty():
                ended.append(self._ended.get_nowait())
            return ended
        return []

    def _submit(self):
        count = len(self._addresses)
        beat = max(1.0, count / 100)  # one event in 10 ms for the scheduler, of all workers together
        self._silent = min(self._patience, max(SILENT, 5 * beat))
        fresh = []
        while self._waiting and len(self._running) < count * PER_WORKER:
            slab = self._waiting.popleft()
            slab.attempts += 1
            slab.heard, slab.worker = time.monotonic(), None
            # A list for each slab would cost a large cluster much, so there is one only where it matters.
            slab.only = slab.allowed or (list(self._addresses) if self._has_dropped else None)
            slab.order.update(beat=min(beat, self._patience / 5), patience=self._patience)
            self._running[slab.number] = slab
            if slab.only is None:
                fresh.append(slab)
            else:
                self._follow(slab, self._client.submit(self._work, slab.order, key=slab.key, pure=False, workers=slab.only))
        if fresh:
            futures = self._client.map(self._work, [slab.order for slab in fresh], key=[slab.key for slab in fresh], pure=False)
            for slab, future in zip(fresh, futures):
                self._follow(slab, future)

    def _follow(self, slab, future):
        slab.future = future
        future.add_done_callback(lambda done: self._loop_put(slab, done))

    def _loop_put(self, slab, future):
        self._client.loop.add_callback(self._ended.put_nowait, (slab, future))

    async def _end(self, slab, future):
        if self._running.get(slab.number) is not slab or slab.future is not future:
            return  # that of an attempt that was given up
        del self._running[slab.number]
        slab.future = None
        if future.status == "finished":
            self._take(slab)
        elif future.status == "error":
            await self._learn(slab, await future.exception())
        elif not self.is_finishing:  # lost with the scheduler, or cancelled by somebody
            if self._client.status == "running":
                self._again(slab, "its job was lost")
            else:
                self._warn("the scheduler is lost; this waits until it is there again")
                self._waiting.appendleft(slab)

    def _take(self, slab):
        if slab.made:
            self._failed_in_row.pop(slab.made["worker"], None)
            self._made_by[slab.made["host"]] += 1
            for text in slab.made["warnings"]:
                self._warn(text)
        self._tell({"event": "made", "slab": slab.number, "shares": self.shares()})

    def shares(self):
        hosts = self._made_by.most_common()
        told = ", ".join(f"{host}: {count}" for host, count in hosts[:20]) + (f" and {len(hosts) - 20} hosts more" if len(hosts) > 20 else "")
        count = sum(self._made_by.values())
        return f"{count} slab{'s' * (count != 1)} by workers of a cluster ({told})"

    def _warn(self, text):
        if text not in self._warned:
            self._warned.add(text)
            self._tell({"event": "message", "level": "warning", "text": text})

    async def _learn(self, slab, error):
        if not os.path.exists(self._mark()):  # before workers are blamed for it
            raise ClusterError(f"the folder '{self._folder}' has gone while slabs were made in it, or another run has taken it")
        if isinstance(error, SlabError):
            slab.failures[error.worker] = error
            self._failed_in_row[error.worker] += not error.is_out_of_memory
            is_bad = error.is_unfit or self._failed_in_row[error.worker] >= MOST_FAILURES_OF_WORKER
            if len(slab.failures) >= MOST_FAILURES and not error.is_unfit:
                raise self._failure(slab)
            left = [address for address in await self.workers() if address not in slab.failures]
            if not left and error.is_killed and slab.losses + 1 < MOST_LOSSES:
                slab.losses += 1  # from outside, or for want of memory that others had: once more on any of them
                slab.failures.clear()
                slab.allowed = None
                self._again(slab, error.text)
                return
            if not left:
                raise self._failure(slab)
            if is_bad:
                self._drop(error.worker, f"it gets no more slabs: {error.text}")
                left = [address for address in left if address not in self._dropped]
            slab.allowed = left
            if error.is_out_of_memory:  # that of others may do
                self._waiting.appendleft(slab)
            else:
                self._again(slab, f"on {error.worker}: {error.text}")
            return
        if type(error).__name__ == "KilledWorker":
            slab.losses += 1
            if slab.losses >= MOST_LOSSES:
                raise ClusterError(f"{_about(slab)} was not made: one worker after the other died with it")
            self._again(slab, "workers died with it")
            return
        # Of Dask, as where a worker has come that lacks the module.
        slab.losses += 1
        if not await self._look_at_new() and slab.losses >= MOST_LOSSES:
            raise ClusterError(f"{_about(slab)} was not made: {error!r}")
        self._again(slab, repr(error))

    def _failure(self, slab):
        worker, first = next(iter(slab.failures.items()))
        count = len(slab.failures)
        kind = OutOfMemory if all(error.is_out_of_memory for error in slab.failures.values()) else ClusterError
        return kind(f"{_about(slab)} was not made, on {count} worker{'s' * (count != 1)}; first on {worker}: {first}")

    def _again(self, slab, why):
        self._warn(f"{_about(slab)} is made once more: {why}")
        self._waiting.appendleft(slab)

    def _drop(self, worker, why):
        """Such a worker gets no more work of this run. It stays with the scheduler, where others may use it."""
        if worker in self._dropped:
            return
        self._dropped.add(worker)
        self._has_dropped = True
        self._addresses = [address for address in self._addresses if address != worker]
        for slab in list(self._running.values()):
            if slab.worker in (None, worker) and (slab.only is None or worker in slab.only):
                self._take_back(slab)
        self._tell({"event": "message", "level": "warning", "text": f"the worker {worker} is left out: {why}"})

    def _drop_unbegun(self):
        for slab in [slab for slab in self._running.values() if slab.worker is None]:
            del self._running[slab.number]
            asyncio.ensure_future(self._client.cancel([slab.future], force=True))

    def _hear(self, event):
        _, told = event
        slab = self._running.get(told["slab"])
        if slab is None or told["worker"] in self._dropped:
            return
        slab.worker, slab.heard = told["worker"], time.monotonic()
        if "host" in told:
            slab.made = told
        elif told["images"]:
            self._tell({"event": "progress", "slab": slab.number, "images": told["images"]})

    async def _look_after_workers(self):
        now, there = time.monotonic(), set(await self.workers())
        if self._checking and self._checking.done():
            self._checking.result()
        if there - self._checked:
            self._look_at_new()
        if there:
            self._lonely_since = None
        elif self._lonely_since is None:
            self._lonely_since = now
        elif now - self._lonely_since > self._lonely:
            raise ClusterError(f"there has been no worker for {self._lonely:.0f} s{GO_ON}")
        for slab in list(self._running.values()):
            if self._running.get(slab.number) is not slab:
                continue  # it was taken back from a worker that is left out
            if slab.only is not None and not there.intersection(slab.only):
                self._take_back(slab)  # those that were left have gone
            elif slab.worker is not None and slab.worker not in there:
                slab.worker, slab.heard = None, now  # the scheduler gives it to another one
            elif slab.worker is not None and now - slab.heard > self._silent:
                self._drop(slab.worker, f"it has told nothing for {now - slab.heard:.0f} s, and its slabs are made elsewhere")
                if self._running.get(slab.number) is slab:
                    self._take_back(slab)

    def _take_back(self, slab):
        """It is made on any worker then, at once."""
        self._forget(slab)
        slab.allowed = None
        self._waiting.appendleft(slab)

    def _forget(self, slab):
        del self._running[slab.number]
        future, slab.future = slab.future, None
        asyncio.ensure_future(self._client.cancel([future], force=True))


def _about(slab):
    return f"the slab {os.path.basename(slab.order['file'])} ({slab.order['images']} images)"
