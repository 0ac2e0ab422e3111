# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Shared by the tests of jobs: small dataflows, queues in folders that go away, and storms of kill -9."""

import asyncio
import contextlib
import json
import os
import pathlib
import random
import signal
import subprocess
import tempfile
import time
import unittest

from drivertest import dataflow
from gsttomo import jobs

SEED = int(os.environ.get("GST_TOMO_TEST_SEED", random.SystemRandom().randrange(2**31)))
PATIENCE = 60  # seconds until something counts as hanging


def tiny(number=2):
    return dataflow(("dummy-data", {"width": 8, "height": 8, "number": number}), ("null", {}))


def writing(filename, number=2, seconds=0.0):
    """Writes images, with a rest before each."""
    rest = [("sleep", {"time": seconds})] if seconds else []
    return dataflow(("dummy-data", {"width": 8, "height": 8, "number": number, "init": 7.0}), *rest, ("write", {"filename": str(filename)}))


def endless():
    return dataflow(("dummy-data", {"width": 4, "height": 4, "number": 1000000}), ("sleep", {"time": 0.02}), ("null", {}))


def is_alive(pid):
    """A process that is no zombie."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def is_worker(pid):
    try:
        return b"--serve" in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def events_of(queue, job):
    with open(queue.folder / "jobs" / str(job.id) / "events.jsonl") as file:
        return [json.loads(line) for line in file]


class FolderTestCase(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix="gst-tomo-jobs-")
        self.addCleanup(scratch.cleanup)
        self.scratch = pathlib.Path(scratch.name)
        self.folder = self.scratch / "queue"
        self.addCleanup(self.end_workers)

    def pids(self):
        """Of processes of jobs, of any queue below the test's folder: they read a pipe there."""
        found = []
        for name in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError):
                if is_worker(name) and os.readlink(f"/proc/{name}/fd/0").startswith(f"{self.scratch}/"):
                    found.append(int(name))
        return found

    def end_workers(self):
        """Those that outlive a test that fails."""
        for pid in self.pids():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def until(self, condition, what):
        end = time.monotonic() + PATIENCE
        while not condition():
            self.assertLess(time.monotonic(), end, what)
            time.sleep(0.02)


class JobTestCase(FolderTestCase, unittest.IsolatedAsyncioTestCase):
    """A queue of its own for each test, and managers in the test's process."""

    def setUp(self):
        super().setUp()
        self.queue = jobs.Queue(self.folder)
        self.addCleanup(self.queue.close)

    def manager(self, **options):
        return jobs.Manager(self.folder, **{"grace": 3.0, **options})

    async def submit(self, description=None, **order):
        return await self.queue.submit(tiny() if description is None else description, **order)

    async def over(self, job, state=jobs.State.DONE):
        job = await self.queue.wait(job.id, PATIENCE)
        self.assertEqual(job.state, state, job)
        return job

    async def until(self, condition, what="nothing happened"):
        """The same for a coroutine function: managers go on meanwhile."""
        end = time.monotonic() + PATIENCE
        while not await condition():
            self.assertLess(time.monotonic(), end, what)
            await asyncio.sleep(0.01)

    async def is_gone(self, pid):
        async def is_so():
            return not is_alive(pid)

        await self.until(is_so, f"process {pid} does not end")

    async def told(self, job, kind):
        """Such an event by the process of a job, whether a manager watches or not."""
        async def is_so():
            with contextlib.suppress(FileNotFoundError, ValueError):  # a line may be half there
                return kind in [event["event"] for event in events_of(self.queue, job)]
            return False

        await self.until(is_so, f"the process of job {job.id} does not tell {kind}")

    async def no_process_is_noted(self):
        return not self.queue._store.workers()

    async def nothing_is_claimed(self, manager):
        async def is_so():
            return not manager._claims

        await self.until(is_so, "a job that is over keeps its claims")

    async def in_state(self, job, state):
        async def is_so():
            now = await self.queue.get(job.id)
            self.assertTrue(now.state == state or not now.is_over, now)
            return now.state == state and (state != jobs.State.RUNNING or now.began is not None)

        await self.until(is_so, f"job {job.id} is not {state}")
        return await self.queue.get(job.id)


class Served:
    """A manager as a process."""

    def __init__(self, folder, *options):
        self.command = ["tomo-jobs", "--queue", str(folder), "serve", *options]

    def __enter__(self):
        """When it serves. Its messages go to a file, which no pipe can hold up."""
        self.log = tempfile.NamedTemporaryFile(prefix="gst-tomo-serve-", suffix=".log")
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stderr=self.log)
        end = time.monotonic() + PATIENCE
        while "tomo-jobs: serves" not in (told := pathlib.Path(self.log.name).read_text()):
            if self.process.poll() is not None or time.monotonic() > end:
                told = pathlib.Path(self.log.name).read_text()  # what came last
                self.__exit__()
                raise AssertionError(f"the manager does not serve (status {self.process.returncode}): {told}")
            time.sleep(0.005)
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait(PATIENCE)
        self.log.close()

    def kill(self):
        self.process.kill()
        self.process.wait()


def storm(case, number, kills, seed, seconds=0.02):
    """Jobs, and kill -9 of their processes and of their manager at random moments. None of the jobs is lost or done twice."""
    rng = random.Random(seed)
    out = case.scratch / "out"
    out.mkdir()
    queue = jobs.PlainQueue(case.folder)
    case.addCleanup(queue.close)
    submitted = [job.id for job in queue.submit_many(
        [jobs.Order(writing(out / f"{n}.tif", 3, seconds), name=str(n), session=rng.choice([None, "a", "b"]), devices=())
         for n in range(number)])]
    killed = set()
    with contextlib.ExitStack() as stack:
        manager = stack.enter_context(Served(case.folder, "--places", "3"))
        for _ in range(kills):
            time.sleep(rng.uniform(0, 0.15))
            running = [job for job in queue.list(("running", "paused")) if job.pid]
            if rng.random() < 0.5 or not running:
                manager.kill()
                if rng.random() < 0.5:  # jobs end while nobody watches
                    time.sleep(rng.uniform(0, 0.2))
                manager = stack.enter_context(Served(case.folder, "--places", "3"))
            else:
                job = rng.choice(running)
                if is_worker(job.pid):
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(job.pid, signal.SIGKILL)
                    killed.add(job.pid)
            while queue.counts()[jobs.State.QUEUED] < number // 4:
                submitted += [queue.submit(writing(out / f"{len(submitted)}.tif", 3, seconds), name=str(len(submitted)), devices=()).id]
        for one in submitted:
            queue.wait(one, 10 * PATIENCE)
    found = queue.list()
    case.assertEqual(sorted(job.id for job in found), submitted)
    failed = [job for job in found if job.state is not jobs.State.DONE]
    case.assertLessEqual(len(failed), len(killed), failed)
    for job in found:
        case.assertIn(job.state, (jobs.State.DONE, jobs.State.FAILED), job)
        if job.state is jobs.State.FAILED and job.began is None:  # killed each time before it began
            case.assertEqual(job.attempt, 3)
            continue
        kinds = [event["event"] for event in events_of(queue, job)]
        case.assertEqual((kinds.count("hello"), kinds.count("done")), (1, int(job.state is jobs.State.DONE)), job)
        if job.state is jobs.State.DONE:
            case.assertTrue((out / f"{job.name}.tif").stat().st_size > 3 * 8 * 8, job)
            case.assertFalse(list(out.glob(f"{job.name}.tif.partial")))
        else:
            case.assertRegex(job.error, "SIGKILL|no manager watched")
    return found, failed, killed
