# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""gsttomo.jobs: a manager runs the jobs of a queue, also where processes crash, disks are full and descriptors are short."""

import asyncio
import contextlib
import errno
import os
import pathlib
import resource
import shutil
import signal
import sqlite3
import time
import unittest
import unittest.mock

from gsttomo import jobs
from gsttomo.jobs import State
from jobtest import *
from jobtest import SEED


class Course(JobTestCase):
    async def test_a_dataflow(self):
        """Its numbers, files, log and provenance."""
        source = self.scratch / "in.tif"
        async with self.manager():
            job = await self.over(await self.submit(writing(source, 3)))
            self.assertEqual((job.outputs, job.bytes, job.exit, job.status), ([str(source)], source.stat().st_size, 0, "done"))
            flow = dataflow(("read", {"path": str(source)}), ("measure", {"metric": "mean"}), ("write", {"filename": "out.tif"}))
            job = await self.over(await self.submit(flow, name="mean", folder=self.scratch))
        self.assertEqual([(r["value"], r["image"]) for r in job.results], [(7.0, 0), (7.0, 1), (7.0, 2)])
        self.assertTrue((self.scratch / "out.tif").exists())
        self.assertEqual((job.done, job.total, job.unit, job.name), (3, 3, "arrays", "mean"))
        self.assertTrue(job.submitted <= job.started <= job.began <= job.ended)
        facts = job.provenance
        self.assertIn("gst-tomo", facts["version"].replace("tomo-runjson", "gst-tomo"))
        self.assertEqual(facts["inputs"], [{"name": str(source), "files": [
            {"path": str(source), "bytes": source.stat().st_size, "modified": source.stat().st_mtime}]}])
        self.assertTrue(facts["host"] and len(facts["devices"]) == 1)
        self.assertEqual([e["event"] for e in events_of(self.queue, job)][::len(events_of(self.queue, job)) - 1], ["hello", "done"])
        self.assertIsInstance(await self.queue.log(job.id), str)
        self.assertEqual([event["event"] async for event in self.queue.follow(job.id)][-1], "done")

    async def test_a_reconstruction(self):
        from phantom_scan import AXIS, Scan
        here = os.getcwd()
        os.chdir(self.scratch)
        self.addCleanup(os.chdir, here)
        Scan().nxtomo("scan.nxs")
        async with self.manager():
            job = await self.over(await self.submit({"scan": "scan.nxs", "axis": AXIS, "output": "slices.h5"}))
            self.assertTrue(job.outputs[0].startswith("slices.h5:"), job.outputs)
            self.assertGreater(job.bytes, os.path.getsize("slices.h5"))  # with the report
            self.assertEqual(job.provenance["inputs"][0]["name"], "scan.nxs")
            again = await self.over(await self.queue.repeat(job.id), State.FAILED)  # the result is there
            self.assertIn("slices.h5", again.error)
            again = await self.over(await self.queue.repeat(job.id, description={"overwrite": True}, priority=3))
            self.assertEqual((again.repeats, again.priority), (job.id, 3))
            self.assertFalse(any(file.endswith(".h5") for file in os.listdir("/") ))

    async def test_failures(self):
        async with self.manager(memory=1000):
            for description, order, words in (
                    (dataflow(("read", {"path": "missing.tif"}), ("null", {})), {}, "missing.tif"),
                    (dataflow(("no-task", {})), {}, "no-task"),
                    ({"scann": 3}, {}, "scann"),
                    (tiny(), {"devices": "no such device"}, "no such device"),
                    (tiny(), {"memory": 1001}, "1001 bytes"),
                    (tiny(), {"folder": self.scratch / "missing"}, "missing")):
                job = await self.over(await self.submit(description, **order), State.FAILED)
                self.assertIn(words, job.error)
            await self.over(await self.submit())
        for description, order in (([], {}), ({"a": float("nan")}, {}), ({"a": {1}}, {}), (tiny(), {"memory": -1}), (tiny(), {"session": ""})):
            with self.assertRaises(jobs.DescriptionError):
                await self.submit(description, **order)
        with self.assertRaises(jobs.NoSuchJob):
            await self.queue.get(4711)
        with self.assertRaises(jobs.DescriptionError):
            await self.manager(devices=[99]).open()

    async def test_what_a_process_does_not_understand(self):
        """Such a job fails at once, with what the process said, and its device is free again. Only its own: orders of clients
        that check nothing fail where they stand in the queue."""
        store = self.queue._store
        flow = '{"nodes": [], "edges": [], "note": %s}'
        notes = (r'"x\u0000y"', r'"\ud800"', "[" * 70 + "]" * 70)
        async with self.manager() as manager:
            for session in (None, "s"):
                for note in notes:
                    await self.over(await self.submit(session=session))
                    job = await self.submit(session=session, priority=-1)
                    await self.queue.pause(job.id)
                    store._database.execute("UPDATE jobs SET description = ?, state = 'queued' WHERE id = ?", (flow % note, job.id))
                    self.assertRegex((await self.over(job, State.FAILED)).error, "no JSON")
                    await self.nothing_is_claimed(manager)
        wrong = [await self.submit() for _ in range(5)]
        for job, change in zip(wrong, ("priority = 'high'", "name = x'ff', priority = 1.5", "devices = '{'", "kind = 'x'", "description = '{'")):
            store._database.execute(f"UPDATE jobs SET {change} WHERE id = ?", (job.id,))
        fine = await self.submit()
        async with self.manager():
            await self.over(fine)
            for job in wrong[:2]:
                self.assertIn("can't be understood", (await self.over(job, State.FAILED)).error)
            rows = store._database.execute("SELECT state, error FROM jobs WHERE id BETWEEN ? AND ?", (wrong[2].id, wrong[4].id)).fetchall()
            for row in rows:
                self.assertEqual(row["state"], "failed")
                self.assertIn("can't be understood", row["error"])

    async def test_no_program(self):
        path = os.environ["PATH"]
        async with self.manager() as manager:
            os.environ["PATH"] = str(self.scratch)
            try:
                job = await self.over(await self.submit(), State.FAILED)
            finally:
                os.environ["PATH"] = path
            self.assertIn("can't be started", job.error)
            await self.over(await self.submit())
            await self.nothing_is_claimed(manager)

    async def test_priorities(self):
        order = [await self.submit(priority=priority) for priority in (0, 5, -3, 5)]
        async with self.manager():
            over = [await self.over(job) for job in order]
        self.assertEqual([job.id for job in sorted(over, key=lambda job: job.began)], [order[n].id for n in (1, 3, 0, 2)])

    async def test_nobody_fights_for_a_device(self):
        async with self.manager(places=6):
            given = [await self.submit(writing(self.scratch / f"{n}.tif", 2, 0.05), session="s" if n % 3 == 0 else None) for n in range(7)]
            free = [await self.submit(endless(), devices=()) for n in range(3)]
            for job in free:  # beside each other
                await self.in_state(job, State.RUNNING)
            spans = sorted((job.started, job.ended) for job in [await self.over(job) for job in given])
            self.assertTrue(all(one[1] <= other[0] for one, other in zip(spans, spans[1:])), spans)
            for job in free:
                self.assertEqual((await self.queue.get(job.id)).state, State.RUNNING)
                await self.queue.finish(job.id)
                await self.over(job)

    async def test_memory_is_claimed(self):
        async with self.manager(places=4, memory=100):
            given = [await self.submit(writing(self.scratch / f"{n}.tif", 2, 0.1), devices=(), memory=51) for n in range(3)]
            spans = sorted((job.started, job.ended) for job in [await self.over(job) for job in given])
        self.assertTrue(all(one[1] <= other[0] for one, other in zip(spans, spans[1:])), spans)


class Control(JobTestCase):
    async def test_cancel(self):
        async with self.manager():
            first = await self.submit(endless())
            second = await self.submit()
            await self.in_state(first, State.RUNNING)
            self.assertEqual((await self.queue.cancel(second.id)).state, State.CANCELLED)
            pid = (await self.queue.get(first.id)).pid
            await self.queue.cancel(first.id)
            await self.over(first, State.CANCELLED)
            await self.is_gone(pid)
            self.assertEqual((await self.queue.cancel(first.id)).state, State.CANCELLED)  # changes nothing
            early = await self.submit(endless())
            await asyncio.sleep(0.02)  # while its process starts
            await self.queue.cancel(early.id)
            await self.over(early, State.CANCELLED)

    async def test_a_process_that_hangs(self):
        async with self.manager(grace=0.6):
            job = await self.submit(endless())
            await self.in_state(job, State.RUNNING)
            pid = (await self.queue.get(job.id)).pid
            os.kill(pid, signal.SIGSTOP)
            await self.queue.cancel(job.id)
            await self.over(job, State.CANCELLED)
            self.assertFalse(is_alive(pid))
            await self.over(await self.submit())

    async def test_a_cancellation_that_comes_too_late(self):
        """Hits no later job of the process."""
        async with self.manager(grace=0.3) as manager:
            for when in ("over", "again"):
                job = await self.submit(endless(), session="s")
                await self.in_state(job, State.RUNNING)
                attendant = manager._attendants[job.id]
                await self.queue.finish(job.id)
                await self.over(job)
                await attendant.cancel()
                self.assertIsNone(attendant._escalation)
            await self.over(await self.submit(writing(self.scratch / "later.tif", 2, 0.3), session="s"))

    async def test_a_manager_that_ends_while_it_obeys(self):
        """The next one obeys, once more where need be."""
        job = await self.submit(endless())
        async with self.manager():
            await self.in_state(job, State.RUNNING)
            with unittest.mock.patch("gsttomo.jobs._attendant.Attendant.cancel", lambda _: asyncio.sleep(1000)):
                await self.queue.cancel(job.id)
                await asyncio.sleep(0.2)
        async with self.manager():
            await self.over(job, State.CANCELLED)

            async def is_forgotten():
                return not self.queue._store.requests()

            await self.until(is_forgotten)

    async def test_requests_are_obeyed_while_a_process_ends(self):
        """That waited, and hangs."""
        async with self.manager(grace=PATIENCE, idle=1.0) as manager:
            await self.over(await self.submit(session="hangs", devices=()))
            await self.nothing_is_claimed(manager)
            worker, _ = manager._pool._idle["hangs"]
            os.kill(worker.pid, signal.SIGSTOP)

            async def ends():
                return "hangs" not in manager._pool._idle

            await self.until(ends)
            await self.over(await self.submit(devices=()))
            self.assertFalse(worker.is_gone)
            os.kill(worker.pid, signal.SIGKILL)
        self.assertTrue(worker.is_gone)

    async def test_another_program_of_a_session(self):
        """Begins when the one before has ended."""
        async with self.manager() as manager:
            await self.over(await self.submit(session="s"))
            await self.nothing_is_claimed(manager)
            worker, _ = manager._pool._idle["s"]
            spawn, alive = jobs._worker.Worker.spawn, []
            with unittest.mock.patch.object(jobs._worker.Worker, "spawn", lambda *arguments: (alive.append(worker.is_gone), spawn(*arguments))):
                await self.over(await self.submit({"scan": "missing.nxs"}, session="s"), State.FAILED)
            self.assertEqual(alive, [True])

    async def test_pause_and_finish(self):
        async with self.manager():
            job = await self.submit(endless())
            await self.in_state(job, State.RUNNING)
            await self.queue.pause(job.id)
            await self.in_state(job, State.PAUSED)
            waiting = await self.submit()  # a paused job keeps its device
            await asyncio.sleep(0.2)
            self.assertEqual((await self.queue.get(waiting.id)).state, State.QUEUED)
            self.assertEqual((await self.queue.pause(waiting.id)).state, State.PAUSED)
            await self.queue.resume(job.id)
            await self.in_state(job, State.RUNNING)
            await self.queue.preview(job.id, self.scratch / "look.npy")
            async for event in self.queue.follow(job.id):
                if event["event"] == "preview":
                    break
            self.assertTrue((self.scratch / "look.npy").exists())
            await self.queue.finish(job.id)
            self.assertEqual((await self.over(job)).status, "finished early")
            await asyncio.sleep(0.2)
            self.assertEqual((await self.queue.get(waiting.id)).state, State.PAUSED)
            await self.queue.resume(waiting.id)
            await self.over(waiting)
            held = await self.submit()
            await self.queue.pause(held.id)
            self.assertEqual((await self.queue.pause(held.id)).state, State.PAUSED)
            for change in (self.queue.finish, self.queue.preview):
                with self.assertRaisesRegex(jobs.Error, "held in the queue"):
                    await change(held.id)
            self.assertEqual(self.queue._store.requests(), [])
            await self.queue.cancel(held.id)
            for change in (self.queue.pause, self.queue.resume, self.queue.finish, self.queue.preview):
                with self.assertRaisesRegex(jobs.Error, "is done"):
                    await change(job.id)
            held = await self.submit(endless(), devices=())
            await self.queue.pause(held.id)
            await self.queue.cancel(held.id)
            await self.over(held, State.CANCELLED)

    async def test_wait(self):
        job = await self.submit()
        with self.assertRaises(asyncio.TimeoutError):
            await self.queue.wait(job.id, 0.1)
        waiting = asyncio.create_task(self.queue.wait(job.id, PATIENCE))
        await asyncio.sleep(0.1)
        await self.queue.cancel(job.id)  # by the same connection
        self.assertEqual((await waiting).state, State.CANCELLED)


class Crashes(JobTestCase):
    async def test_of_a_job(self):
        async with self.manager():
            for number, session in ((signal.SIGKILL, None), (signal.SIGSEGV, "s")):
                job = await self.submit(endless(), session=session)
                await self.in_state(job, State.RUNNING)
                pid = (await self.queue.get(job.id)).pid
                while is_alive(pid):  # the compiler within PoCL takes the first SIGSEGV for its own
                    os.kill(pid, number)
                    await asyncio.sleep(0.05)
                job = await self.over(job, State.FAILED)
                self.assertEqual(job.exit, -number)
                self.assertIn(number.name, job.error)
                await self.over(await self.submit(session=session))

    async def test_before_it_began(self):
        """Such a job begins once more, but not for ever."""
        program = self.scratch / "tomo-runjson"
        program.write_text("#!/bin/sh\necho no driver >&2\nexit 3\n")
        program.chmod(0o755)
        path = os.environ["PATH"]
        os.environ["PATH"] = f"{self.scratch}:{path}"
        try:
            async with self.manager():
                job = await self.over(await self.submit(), State.FAILED)
        finally:
            os.environ["PATH"] = path
        self.assertEqual((job.attempt, job.exit), (3, 3))
        self.assertRegex(job.error, "status 3(?s:.*)no driver")

    async def test_a_process_that_reads_nothing(self):
        """Its command is larger than a pipe. The others go on."""
        hangs, program = self.scratch / "hangs", self.scratch / "tomo-runjson"
        program.write_text(f'#!/bin/sh\n[ -e {hangs} ] && [ $1 = --serve ] && exec sleep 1000\nexec {shutil.which("tomo-runjson")} "$@"\n')
        program.chmod(0o755)
        hangs.touch()
        path = os.environ["PATH"]
        os.environ["PATH"] = f"{self.scratch}:{path}"
        try:
            async with self.manager(places=2, grace=1.0):
                large = await self.submit({**tiny(), "note": "x" * 300000})

                async def has_process():
                    return (await self.queue.get(large.id)).pid is not None

                await self.until(has_process)
                hangs.unlink()
                await self.over(await self.submit(devices=()))
                await self.queue.cancel(large.id)
                await self.over(await self.submit(devices=()))
                await self.over(large, State.CANCELLED)
                await self.over(await self.submit())
        finally:
            os.environ["PATH"] = path

    async def test_a_full_disk(self):
        """Of the queue: jobs that run go on, and end when there is room."""
        async with self.manager() as manager:
            job = await self.submit(endless())
            await self.in_state(job, State.RUNNING)
            update, manager._store.update = manager._store.update, self.no_room
            await self.queue.finish(job.id)
            await self.told(job, "done")
            await asyncio.sleep(0.3)
            self.assertEqual((await self.queue.get(job.id)).state, State.RUNNING)
            waiting = await self.submit()
            claim, manager._store.claim = manager._store.claim, self.no_room
            manager._store.update = update
            await self.over(job)
            await asyncio.sleep(0.3)
            self.assertEqual((await self.queue.get(waiting.id)).state, State.QUEUED)
            manager._store.claim = claim
            await self.over(waiting)

    @staticmethod
    def no_room(*_, **__):
        raise sqlite3.OperationalError("database or disk is full")

    async def test_too_few_descriptors(self):
        """Jobs wait until there are some, and a warm process that waits ends to make room."""
        limits = resource.getrlimit(resource.RLIMIT_NOFILE)
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, limits)
        async with self.manager() as manager:
            warm = await self.over(await self.submit(session="w", devices=()))
            await self.nothing_is_claimed(manager)
            for spare in (0, 3, 5, 6, 7):  # the start fails at another place with each
                job = await self.submit(devices=())
                await self.queue.pause(job.id)
                with self.descriptors(spare, limits):
                    await self.queue.resume(job.id)
                    await asyncio.sleep(1.2)
                    state = (await self.queue.get(job.id)).state
                    self.assertFalse(state in (State.FAILED, State.CANCELLED) or (spare == 0 and state != State.QUEUED), state)
                await self.over(job)
                await self.nothing_is_claimed(manager)
            await self.is_gone(events_of(self.queue, warm)[0]["pid"])
            await self.until(self.no_process_is_noted)
            before = len(os.listdir("/proc/self/fd"))
            for spare in range(12):
                with self.descriptors(spare, limits):
                    jobs._machine.version_of("tomo-runjson")
            self.assertEqual(len(os.listdir("/proc/self/fd")), before, "descriptors leak")

            async def is_empty():
                return not os.listdir(self.folder / "workers")

            await self.until(is_empty)  # folders that could not be removed are removed later

    @contextlib.contextmanager
    def descriptors(self, spare, limits):
        """As many as `spare` are left."""
        with contextlib.ExitStack() as stack:
            highest = max(map(int, os.listdir("/proc/self/fd"))) + 10
            used = {int(name) for name in os.listdir("/proc/self/fd")}
            while not set(range(highest)) <= used:
                used.add(stack.enter_context(open("/dev/null")).fileno())
            resource.setrlimit(resource.RLIMIT_NOFILE, (highest + spare, limits[1]))
            try:
                yield
            finally:
                resource.setrlimit(resource.RLIMIT_NOFILE, limits)

    async def test_a_start_that_waits_for_room(self):
        """Is one start, also where other places are free."""
        async with self.manager(places=4) as manager:
            take, starts = manager._pool.take, []

            def no_room(*_):
                starts.append(time.monotonic())
                raise OSError(errno.EMFILE, "too many")

            manager._pool.take = no_room
            job = await self.submit(devices=())
            for _ in range(20):
                await asyncio.sleep(0.05)
                manager._changed.set()
            self.assertTrue(all(later - one > 0.9 for one, later in zip(starts, starts[1:])), starts)
            manager._pool.take = take
            await self.over(job)
            await self.nothing_is_claimed(manager)

    async def test_a_queue_that_is_removed(self):
        """Or replaced: its manager ends and says so."""
        for after in (lambda: None, self.folder.mkdir):
            manager = self.manager()
            await manager.open()
            shutil.rmtree(self.folder)
            after()
            with self.assertRaisesRegex(jobs.Error, "removed or replaced"):
                await asyncio.wait_for(manager.run(), PATIENCE)
            await manager.close()
            self.queue.close()
            self.queue = jobs.Queue(self.folder)

    async def test_what_no_process_may_write(self):
        """A manager that finds a log where it begins a job would run it twice."""
        (self.folder / "jobs" / "1").mkdir(parents=True)
        async with self.manager() as manager:
            (self.folder / "jobs" / "1").mkdir(parents=True, exist_ok=True)
            (self.folder / "jobs" / "1" / "events.jsonl").touch()
            job = await self.over(await self.submit(), State.FAILED)
            self.assertIn("nothing was run", job.error)
            await self.nothing_is_claimed(manager)


    async def test_an_open_that_fails(self):
        """Leaves nothing: not the lock, not the bell, no reader of a process."""
        job = await self.submit(endless())
        async with self.manager():
            await self.in_state(job, State.RUNNING)
        before = len(os.listdir("/proc/self/fd"))
        for name in ("remove_strays", "running"):
            with unittest.mock.patch.object(jobs._store.Store, name, self.no_room), self.assertRaises(sqlite3.Error):
                await self.manager().open()
            self.assertEqual(len(os.listdir("/proc/self/fd")), before)
            self.assertFalse((self.folder / "wake").exists())
        async with self.manager():
            await self.queue.cancel(job.id)
            await self.over(job, State.CANCELLED)

    async def test_a_job_that_is_gone_before_its_start(self):
        async with self.manager() as manager:
            get = manager._store.job

            def gone(number):
                manager._store.job = get
                self.queue._store.cancel_waiting(number)
                self.queue._store.forget([number])
                return get(number)

            manager._store.job = gone
            job = await self.submit()
            await self.over(await self.submit())
            with self.assertRaises(jobs.NoSuchJob):
                await self.queue.get(job.id)

    async def test_refusals_while_others_write(self):
        async with self.manager(memory=100) as manager:
            refuse = manager._store.refuse

            def late(*arguments):
                self.queue._store.set_limits({})
                self.queue._store.set_limits({"keep_jobs": 1000})
                refuse(*arguments)

            manager._store.refuse = late
            given = await self.queue.submit_many([jobs.Order(tiny(), memory=101)] * 3)
            for job in given:
                await self.over(job, State.FAILED)

    async def test_a_process_that_can_not_be_noted(self):
        """It ends, and nobody is left without its device."""
        async with self.manager() as manager:
            note, pids = manager._store.set_process, []

            def no_room(_, pid, *others):
                manager._store.set_process = note
                pids.append(pid)
                self.no_room()

            manager._store.set_process = no_room
            await self.over(await self.submit())
            await self.is_gone(pids[0])
            await self.nothing_is_claimed(manager)
        self.assertEqual(self.queue._store.workers(), [])


class Sessions(JobTestCase):
    async def pid_of(self, job):
        job = await self.over(job)
        return events_of(self.queue, job)[0]["pid"]

    async def test_one_process(self):
        async with self.manager():
            pids = [await self.pid_of(await self.submit(session="a")) for _ in range(3)]
            self.assertEqual(len(set(pids)), 1)
            self.assertNotEqual(await self.pid_of(await self.submit(session="b")), pids[0])
            self.assertTrue(is_alive(pids[0]))
        self.assertEqual(self.queue._store.workers(), [])

    async def test_one_that_waits_for_too_long(self):
        async with self.manager(idle=0.3):
            pid = await self.pid_of(await self.submit(session="a"))
            await self.is_gone(pid)
            self.assertNotEqual(await self.pid_of(await self.submit(session="a")), pid)

    async def test_few_are_warm(self):
        """The one that waits for longest ends."""
        async with self.manager(warm=2) as manager:
            pids = []
            for session in ("a", "b", "c"):
                pids.append(await self.pid_of(await self.submit(session=session)))
                await self.nothing_is_claimed(manager)
            await self.is_gone(pids[0])
            self.assertEqual([await self.pid_of(await self.submit(session=session)) for session in ("b", "c")], pids[1:])

    async def test_a_command_that_comes_too_late(self):
        """Is no answer to the next job's."""
        async with self.manager() as manager:
            pid = await self.pid_of(await self.submit(session="a"))
            await self.nothing_is_claimed(manager)
            worker, _ = manager._pool._idle["a"]
            await worker.tell({"command": "abort"})
            log = worker.folder / "events.jsonl"

            async def is_told():
                return "nothing runs" in log.read_text()

            await self.until(is_told)
            self.assertEqual(await self.pid_of(await self.submit(session="a")), pid)

    async def test_a_process_that_ends_while_it_waits(self):
        async with self.manager():
            pid = await self.pid_of(await self.submit(session="a"))
            os.kill(pid, signal.SIGKILL)
            self.assertNotEqual(await self.pid_of(await self.submit(session="a")), pid)

    async def test_without_growth(self):
        def held():
            worker = [row["pid"] for row in self.queue._store.workers()][0]
            texts = [pathlib.Path(f"/proc/{pid}/status").read_text() for pid in (os.getpid(), worker)]
            resident = [int(text.partition("VmRSS:")[2].split()[0]) for text in texts]
            threads = int(texts[0].partition("Threads:")[2].split()[0])
            return len(os.listdir("/proc/self/fd")), len(os.listdir(f"/proc/{worker}/fd")), threads, *resident

        async with self.manager() as manager:
            for number in (50, 150):
                given = await self.queue.submit_many([jobs.Order(tiny(), session="s") for _ in range(number)])
                for job in given:
                    await self.over(job)
                await self.nothing_is_claimed(manager)  # the process's own files of a job are closed by then, or soon
                if number == 50:
                    before = held()

            async def is_equal():
                return all(now <= then for now, then in zip(held()[:2], before))  # before, some may not have been closed yet

            await self.until(is_equal, "descriptors grow")
            after = held()
        self.assertLessEqual(after[2], before[2] + 1, "threads")
        self.assertLess(max(after[3] - before[3], after[4] - before[4]), 4096, f"KiB: {before} {after}")
        self.assertEqual((await self.queue.counts())[State.DONE], 200)

    async def test_starts(self):
        """The best of a few, and of more where others use the processors as well. A new process has its command before it can read."""
        async def times(session):
            job = await self.over(await self.submit(session=session))
            return job.started - job.submitted, job.began - job.submitted

        async def best(session, which, bound, number):
            seconds, end = [], time.monotonic() + PATIENCE
            while len(seconds) < number or (min(seconds) >= bound and time.monotonic() < end):
                seconds.append((await times(session))[which])
            return min(seconds)

        async with self.manager():
            cold = await best(None, 0, 0.05, 4)
            await times("s")
            warm = await best("s", 1, 0.005, 40)
        print(f"start: {1000 * cold:.1f} ms beside the process's own, {1000 * warm:.2f} ms in a warm process")
        self.assertLess(cold, 0.05)
        self.assertLess(warm, 0.005)


class Restarts(JobTestCase):
    async def test_amid_jobs(self):
        async with self.manager(places=3):
            cold = await self.submit(endless(), devices=())
            warm = await self.submit(endless(), devices=(), session="s")
            for job in (cold, warm):
                await self.in_state(job, State.RUNNING)
            short = await self.submit(writing(self.scratch / "a.tif", 2, 0.8), devices=())
            await self.in_state(short, State.RUNNING)
            waiting = await self.submit(devices=())
            pids = [(await self.queue.get(job.id)).pid for job in (cold, warm)]
        await self.told(short, "done")
        self.assertEqual((await self.queue.get(short.id)).state, State.RUNNING)
        await self.queue.pause(cold.id)
        async with self.manager(places=3):
            self.assertEqual((await self.over(short)).exit, 0)
            await self.over(waiting)
            await self.in_state(cold, State.PAUSED)  # which somebody asked for while there was no manager
            await self.queue.resume(cold.id)
            await self.in_state(cold, State.RUNNING)
            await self.queue.finish(warm.id)
            self.assertEqual((await self.over(warm)).status, "finished early")
            again = await self.over(await self.submit(session="s", devices=()))
            self.assertEqual(events_of(self.queue, again)[0]["pid"], pids[1])  # it stayed warm
            await self.queue.cancel(cold.id)
            await self.over(cold, State.CANCELLED)
        self.assertFalse(any(map(is_alive, pids)))

    async def test_a_job_that_ended_badly_meanwhile(self):
        async with self.manager():
            job = await self.submit(endless())
            await self.in_state(job, State.RUNNING)
            pid = (await self.queue.get(job.id)).pid
        os.kill(pid, signal.SIGKILL)
        async with self.manager():
            job = await self.over(job, State.FAILED)
        self.assertIn("no manager watched", job.error)
        self.assertIsNone(job.exit)

    async def test_another_process_of_the_same_number(self):
        """And jobs whose process was never told of them."""
        store = self.queue._store
        begun, new = await self.submit(), await self.submit(endless())
        for job in (begun, new):
            worker = store.add_worker("tomo-runjson", None, (0,))
            store.set_process(worker, os.getpid(), 1, jobs._machine.boot())
            store.claim(job.id, worker, (0,), 0)
        (self.folder / "jobs" / str(begun.id)).mkdir(parents=True)
        (self.folder / "jobs" / str(begun.id) / "events.jsonl").write_text('{"event": "hello", "time": 1.0}\n{"event": "pro')
        gone = store.add_worker("tomo-runjson", None, (0,))  # its manager did not come to start it
        async with self.manager(places=2):
            self.assertIn("no manager watched", (await self.over(begun, State.FAILED)).error)
            await self.in_state(new, State.RUNNING)
            self.assertEqual((await self.queue.get(new.id)).attempt, 1)
            await self.queue.cancel(new.id)
            await self.over(new, State.CANCELLED)
        self.assertNotIn(gone, [row["id"] for row in store.workers()])

    async def test_close_with_cancel(self):
        manager = self.manager()
        await manager.open()
        given = [await self.submit(endless(), devices=()) for _ in range(2)]
        await self.in_state(given[0], State.RUNNING)
        await manager.close(cancel=True)
        self.assertEqual([(await self.queue.get(job.id)).state for job in given], [State.CANCELLED, State.QUEUED])

    async def test_one_manager(self):
        async with self.manager():
            with self.assertRaisesRegex(jobs.BusyError, str(os.getpid())):
                await self.manager().open()
        async with self.manager():
            pass


if __name__ == "__main__":
    print(f"GST_TOMO_TEST_SEED={SEED}")
    unittest.main(verbosity=2)
