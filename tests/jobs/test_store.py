# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The queue on disk: several processes at once, quotas, and forgetting. No manager runs jobs here."""

import os
import pathlib
import random
import sqlite3
import subprocess
import sys
import time
import unittest
import unittest.mock

from gsttomo import jobs
from gsttomo.jobs import State
from gsttomo.jobs import _machine as machine
from gsttomo.jobs._events import Course, Tail
from gsttomo.jobs._provenance import MOST_FILES, inputs_of, size_of
from gsttomo.jobs._schedule import Room
from jobtest import SEED, FolderTestCase, tiny


class StoreTestCase(FolderTestCase):
    def setUp(self):
        super().setUp()
        self.queue = jobs.PlainQueue(self.folder)
        self.addCleanup(self.queue.close)
        self.store = self.queue._store

    def end(self, job, state=State.DONE, **values):
        """As a manager would."""
        self.store.claim(job.id, self.store.add_worker("none", None, ()), (), 0)
        self.store.job_folder(job.id).mkdir(parents=True)
        self.store.end(job.id, state, **values)
        return job.id

    def limit(self, **limits):
        self.store.set_limits(jobs.Limits(**limits))


class Clients(StoreTestCase):
    def test_several_at_once(self):
        """They make the queue together, too."""
        folder = self.scratch / "new"
        script = f"""
from gsttomo import jobs
queue = jobs.PlainQueue({str(folder)!r})
for n in range(25):
    queue.submit({{"nodes": [], "edges": []}}, name="{{}}-%d" % n)
"""
        clients = [subprocess.Popen([sys.executable, "-c", script.replace("{}", str(n))], stderr=subprocess.PIPE, text=True) for n in range(4)]
        for client in clients:
            self.assertEqual(client.communicate(timeout=60)[1], "")
        with jobs.PlainQueue(folder) as queue:
            found = queue.list()
        self.assertEqual(sorted(job.name for job in found), sorted(f"{c}-{n}" for c in range(4) for n in range(25)))
        self.assertEqual([job.id for job in found], list(range(100, 0, -1)))

    def test_all_or_none(self):
        with self.assertRaises(jobs.DescriptionError):
            self.queue.submit_many([jobs.Order(tiny()), jobs.Order([])])
        self.assertEqual(self.queue.list(), [])

    def test_a_client_that_is_killed(self):
        """In a transaction: nothing of it is there, and nobody waits for it."""
        script = f"""
import os, signal
from gsttomo.jobs import _store, Order
store = _store.Store({str(self.folder)!r})
with store.transaction():
    store._insert(Order({{}}).checked(), None)
    os.kill(os.getpid(), signal.SIGKILL)
"""
        self.assertEqual(subprocess.run([sys.executable, "-c", script], timeout=60).returncode, -9)
        self.assertEqual(self.queue.list(), [])
        self.queue.submit(tiny())

    def test_defaults(self):
        job = self.queue.submit({"device": "some device", "scan": "a.nxs"})
        self.assertEqual((job.devices, job.kind, job.folder, job.state), (("some device",), jobs.Kind.RECONSTRUCTION, os.getcwd(), State.QUEUED))
        self.assertEqual(self.queue.submit(tiny(), devices=[1, "2"]).devices, ("1", "2"))
        self.assertIsNone(self.queue.submit(tiny()).devices)
        flow = {"nodes": [{"plugin": "a", "properties": {"device": name}} for name in ("1", "gpu", "1", "")] + [{"plugin": "b"}], "edges": []}
        self.assertEqual(self.queue.submit(flow).devices, ("1", "gpu"))
        self.assertEqual(self.queue.submit(flow, devices=("GPU", 1, 2)).devices, ("GPU", "1", "2"))
        for devices, description in (("2", flow), ((), flow), (1, {"device": "0"})):
            with self.assertRaisesRegex(jobs.DescriptionError, "wanted the same in both"):
                self.queue.submit(description, devices=devices)
        named, given = self.queue.submit({"device": "0"}), self.queue.submit({}, devices=0)
        self.assertEqual(self.queue.repeat(named.id, description={"device": "1"}).devices, ("1",))
        self.assertEqual(self.queue.repeat(given.id).devices, ("0",))
        with self.assertRaisesRegex(jobs.DescriptionError, "names the device '1'"):
            self.queue.repeat(given.id, description={"device": "1"})
        self.assertEqual(self.queue.submit(tiny(), devices=()).devices, ())
        self.assertEqual(set(self.queue.get(1).as_dict()), set(jobs.Job.__dataclass_fields__))

    def test_what_no_queue_takes(self):
        """Everything that a process would refuse to read, or that has a wrong type."""
        deep = []
        for _ in range(5000):
            deep = [deep]
        fitting = []
        for _ in range(61):
            fitting = [fitting]
        self.queue.submit({"nodes": fitting})
        for description, words in (
                ({"nodes": [], "note": "x\0y"}, "U\\+0000"), ({"note": "\ud800"}, "U\\+D800"), ({"nodes": [{"\0": 1}]}, "U\\+0000"),
                ({"nodes": [fitting]}, "deeper than 63"), ({"nodes": deep}, "deeper than 63"), ({"nodes": float("nan")}, "no JSON"),
                ({1: 2}, "wanted a text"), ({"nodes": b"a"}, "no JSON"), (None, "an object")):
            with self.assertRaisesRegex(jobs.DescriptionError, words):
                self.queue.submit(description)
        for name, values, words in (
                ("priority", ("high", 1.5, None, True, 2**63), "priority is"), ("memory", ("8G", 2**63, [1]), "memory is"),
                ("name", (None, b"\xff", 7, "\udcff", "a\0"), "name is"), ("owner", (7, "\udcff"), "owner is"),
                ("devices", (5.5, b"0", {"0": 1}, [1.5], ["\0"], [None]), "devices? is"), ("folder", (7, b"/tmp", "/\udcff", "/\0"), "folder"),
                ("session", (7, b"s", "\0"), "session is")):
            for value in values:
                with self.subTest(name=name, value=value), self.assertRaisesRegex(jobs.DescriptionError, words):
                    self.queue.submit(tiny(), **{name: value})
        self.assertEqual(len(self.queue.list(limit=10**30)), 1)
        for number in (10**20, "1", None, 1.5):
            with self.assertRaises(jobs.NoSuchJob):
                self.queue.get(number)
        with self.assertRaisesRegex(jobs.DescriptionError, "U\\+DCFF"):
            jobs.PlainQueue(f"{self.scratch}/\udcff")

    def test_looks_are_cheap(self):
        """A job is read where something has changed, not each time somebody looks."""
        job = self.queue.submit(tiny())
        read, numbers = self.store.job, []
        self.store.job = lambda number: (numbers.append(number), read(number))[1]
        looks = self.queue._looks(job.id)
        for _ in range(9):
            self.assertFalse(next(looks).is_over)
        self.assertEqual(numbers, [job.id])
        self.queue.cancel(job.id)
        self.assertTrue(next(looks).is_over)

    def test_a_newer_queue(self):
        with sqlite3.connect(self.folder / "jobs.sqlite") as database:
            database.execute("PRAGMA user_version = 99")
        database.close()
        with self.assertRaisesRegex(jobs.Error, "newer version"):
            jobs.PlainQueue(self.folder)

    def test_where_no_queue_can_be(self):
        """Told at once, and nothing is tried for ever."""
        connect, place = sqlite3.connect, self.scratch / "fixed"
        jobs.PlainQueue(place).close()
        with connect(place / "jobs.sqlite") as database:
            database.execute("PRAGMA journal_mode = DELETE")
        database.close()
        for name, error, words in ((":memory:", jobs.Error, "mode is memory"),
                                   (f"file:{place}/jobs.sqlite?mode=ro", sqlite3.OperationalError, "readonly")):
            def other(_, name=name, **options):
                return connect(name, uri=True, **options)

            since = time.monotonic()
            with unittest.mock.patch("sqlite3.connect", other), self.assertRaisesRegex(error, words):
                jobs.PlainQueue(place)
            self.assertLess(time.monotonic() - since, 5)

    def test_folders_of_others(self):
        """Are neither used nor removed."""
        for kind in ("jobs", "workers"):
            place = self.scratch / f"data-{kind}"
            (place / kind / "12").mkdir(parents=True)
            (place / kind / "12" / "projections.h5").touch()
            for prepare in (lambda: None, (place / "jobs.sqlite").touch):  # as one leaves that was killed while it made a queue
                prepare()
                before = sorted(place.rglob("*"))
                with self.assertRaisesRegex(jobs.Error, f"has a '{kind}' already"):
                    jobs.PlainQueue(place)
                self.assertLessEqual(set(before), set(place.rglob("*")))
        self.assertFalse((self.scratch / "data-jobs" / "jobs.sqlite-wal").exists())
        jobs.PlainQueue(self.scratch / "data-jobs" / "queue").close()

    def test_a_full_disk(self):
        """Nothing is half there."""
        size = self.store._database.execute("PRAGMA page_count").fetchone()[0]
        self.store._database.execute(f"PRAGMA max_page_count = {size}")
        with self.assertRaisesRegex(sqlite3.Error, "full"):
            self.queue.submit({"a": "x" * 100000})
        self.store._database.execute("PRAGMA max_page_count = 1000000")
        self.assertEqual(self.queue.list(), [])
        self.assertEqual(self.queue.submit(tiny()).id, 1)

    def test_claims_are_taken_once(self):
        job = self.queue.submit(tiny())
        self.assertEqual(self.store.claim(job.id, 1, (0,), 0).attempt, 1)
        self.assertIsNone(self.store.claim(job.id, 2, (0,), 0))
        self.store.end(job.id, State.DONE)
        self.store.end(job.id, State.FAILED)
        self.assertFalse(self.store.put_back(job.id, True))
        self.assertEqual(self.queue.get(job.id).state, State.DONE)


class Turns(StoreTestCase):
    def test_order(self):
        rng = random.Random(SEED)
        orders = [jobs.Order(tiny(), name="s" if n % 2 else "", priority=rng.randint(-2, 2), session=rng.choice([None, None, "a", "b"]),
                             devices=rng.choice([None, (), "0"])) for n in range(40)]
        found = sorted(self.queue.submit_many(orders), key=lambda job: (-job.priority, job.id))
        alone = [job for job in found if job.session is None]
        self.assertEqual([job.id for job in self.store.queued()], [job.id for job in alone])
        self.assertEqual([job.id for job in self.store.queued_first()],
                         [job.id for n, job in enumerate(found) if job.session and job.session not in [j.session for j in found[:n]]])
        last = list(self.store.queued())[5]
        self.assertEqual([job.id for job in self.store.queued(after=last, without_devices=True)],
                         [job.id for job in alone[6:] if job.devices == ()])

    def test_what_a_manager_looks_at(self):
        """Without a free device only at what needs none."""
        manager = jobs.Manager(self.folder)
        manager._store, manager.devices = self.store, (machine.Device(0, "one", False, 1),)
        wanted = self.queue.submit_many([jobs.Order(tiny(), priority=3, devices=()), *[jobs.Order(tiny())] * 50, jobs.Order(tiny(), devices=()),
                                         jobs.Order(tiny(), session="s", priority=-1), jobs.Order(tiny(), session="s", priority=-1)])
        for devices, seen in (((), [0, 51, 52]), ((0,), range(53))):
            room = Room(devices, 100, 3)
            self.assertEqual([job.id for job in manager._turns(room)], [wanted[n].id for n in seen])
        manager.devices, manager.places, manager.memory = (), 1, 100  # a computer without any
        refused = []
        self.assertEqual([claim.job for claim in manager._claims_of(manager._turns(Room((), 100, 1)), refused)], [wanted[0].id, wanted[51].id])
        self.assertEqual({number for number, _ in refused}, {job.id for job in wanted[1:51] + wanted[52:53]})
        self.assertIn("there is none", refused[0][1])


class Quotas(StoreTestCase):
    def test_jobs(self):
        self.limit(jobs_per_owner=2)
        first = self.queue.submit(tiny(), owner="a")
        with self.assertRaisesRegex(jobs.QuotaError, "a has 1 jobs"):
            self.queue.submit_many([jobs.Order(tiny(), owner="a")] * 2)
        self.queue.submit(tiny(), owner="a")
        with self.assertRaises(jobs.QuotaError):
            self.queue.submit(tiny(), owner="a")
        self.queue.submit(tiny(), owner="b")
        self.queue.cancel(first.id)
        self.queue.submit(tiny(), owner="a")

    def test_bytes(self):
        self.limit(bytes_per_owner=1000)
        number = self.end(self.queue.submit(tiny(), owner="a"), bytes=1000)
        with self.assertRaisesRegex(jobs.QuotaError, "1000 bytes"):
            self.queue.submit(tiny(), owner="a")
        self.queue.submit(tiny(), owner="b")
        self.queue.clean([number])
        self.queue.submit(tiny(), owner="a")


class Forgetting(StoreTestCase):
    def test_clean(self):
        ended = [self.end(self.queue.submit(tiny())) for _ in range(5)]
        waits = self.queue.submit(tiny()).id
        self.store._database.execute("UPDATE jobs SET ended = ended - 86400 * id")
        with self.assertRaisesRegex(jobs.Error, "is not over"):
            self.queue.clean([ended[0], waits])
        self.assertEqual(self.queue.clean(keep_days=4.5), 1)
        self.assertEqual(self.queue.clean(keep_jobs=2), 2)
        self.assertEqual([job.id for job in self.queue.list()], [waits, ended[1], ended[0]])
        self.assertEqual(sorted(path.name for path in (self.folder / "jobs").iterdir()), ["1", "2"])
        with self.assertRaises(jobs.NoSuchJob):
            self.queue.get(ended[4])
        self.assertGreater(self.queue.submit(tiny()).id, waits)  # no number comes again
        (self.folder / "jobs" / "77").mkdir()
        (self.folder / "workers" / "77").mkdir(parents=True)
        (self.folder / "jobs" / "78").mkdir()
        for name in ("events.jsonl", "errors.log", "preview-1.npy"):
            (self.folder / "jobs" / "78" / name).touch()
        foreign = ["jobs/2024", "jobs/scan", "jobs/007", "workers/5", "jobs/79"]
        for name in foreign:
            (self.folder / name).mkdir()
        for name in ("jobs/2024/scan.h5", "workers/5/jobs.log", "jobs/80"):
            (self.folder / name).touch()
        (self.folder / "jobs" / "79" / "events.jsonl").mkdir()
        (self.folder / "jobs" / "81").symlink_to(self.scratch)
        self.store.remove_strays()
        self.assertTrue(all((self.folder / name).exists() for name in [*foreign, "jobs/2024/scan.h5", "jobs/80", "jobs/81"]))
        self.assertFalse((self.folder / "jobs" / "78").exists())
        self.assertFalse((self.folder / "jobs" / "77").exists() or (self.folder / "workers" / "77").exists())
        self.assertTrue((self.folder / "jobs" / "1").exists())

    def test_limits(self):
        self.assertEqual(self.queue.limits(), jobs.Limits())
        self.limit(keep_jobs=3, keep_days=None)
        self.assertEqual(jobs.PlainQueue(self.folder).limits(), jobs.Limits(None, 3))
        self.store.set_limits({"jobs_per_owner": 7})  # and no other
        self.assertEqual(self.queue.limits(), jobs.Limits(None, 3, 7))
        with self.assertRaisesRegex(TypeError, "no limit jobs"):
            self.store.set_limits({"jobs": 7})


class Facts(FolderTestCase):
    def test_lines_that_grow(self):
        path = self.scratch / "events.jsonl"
        with Tail(path) as tail:
            self.assertEqual(tail.read(), [])
            with open(path, "wb", buffering=0) as file:
                file.write(b'{"event": "stage", "name": "a"}\n{"event": ')
                self.assertEqual([event["event"] for event in tail.read()], ["stage"])
                self.assertEqual(tail.read(), [])
                file.write(b'"done"}\nno event\n[]\n\n')
                self.assertEqual([event["event"] for event in tail.read()], ["done", "message", "message"])
            path.unlink()  # an attempt that never began
            path.write_text('{"event": "hello"}\n')
            self.assertEqual(tail.read(), [{"event": "hello"}])

    def test_course(self):
        course = Course()
        lines = [{"event": "hello", "time": 3.0}, {"event": "progress", "done": 1, "total": 2}, {"event": "state", "state": "paused"},
                 {"event": "message", "level": "error", "text": "why"}, {"event": "something new"}, {"event": "done", "status": "failed", "outputs": []}]
        self.assertEqual([course.take(line) for line in lines], [True, False, True, False, True, True])
        self.assertEqual((course.began, course.is_paused, course.error, course.status, course.values["done"]), (3.0, True, "why", "failed", 1))

    def test_inputs(self):
        for n in range(MOST_FILES + 1):
            (self.scratch / f"p-{n:03}.tif").write_bytes(bytes(10))
        (self.scratch / "scan.nxs").write_bytes(bytes(5))
        description = {"scan": "scan.nxs:/entry", "projections": "p-*.tif", "darks": "missing", "output": "scan.nxs", "list": ["p-000.tif"],
                       "nodes": [{"plugin": "scan.nxs"}]}
        found = {entry["name"]: entry for entry in inputs_of(description, self.scratch)}
        self.assertEqual(set(found), {"scan.nxs:/entry", "p-*.tif", "p-000.tif"})
        self.assertEqual((found["p-*.tif"]["count"], found["p-*.tif"]["bytes"]), (MOST_FILES + 1, 10 * (MOST_FILES + 1)))
        self.assertEqual(found["scan.nxs:/entry"]["files"][0]["bytes"], 5)
        self.assertEqual(size_of(["p-%03i.tif", "scan.nxs:/x", "missing"], self.scratch), 10 * (MOST_FILES + 1) + 5)
        self.assertEqual(size_of([str(self.scratch)], "/"), 10 * (MOST_FILES + 1) + 5)

    def test_processes(self):
        self.assertGreater(machine.start_ticks(os.getpid()), 0)
        child = subprocess.Popen(["sleep", "60"])
        self.assertGreaterEqual(machine.start_ticks(child.pid), machine.start_ticks(os.getpid()))
        child.kill()
        while pathlib.Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z":
            pass
        self.assertIsNone(machine.start_ticks(child.pid))
        child.wait()
        self.assertIsNone(machine.start_ticks(child.pid))

    def test_devices(self):
        known = [machine.Device(0, "NVIDIA H200", False, 1), machine.Device(1, "pthread CPU", True, 1)]
        self.assertEqual(machine.indices_of(["cpu", "0", "h200"], known), (0, 1))
        # As the parameter `devices` of a configuration has it.
        two = [*known, machine.Device(2, "NVIDIA H200", False, 1)]
        for written, meant in (("all", (0, 1, 2)), ("gpu", (0, 2)), ("cpu+2", (1, 2)), ("h200", (0, 2)), ("0,1", (0, 1))):
            named = jobs._order.named_devices({"scan": "scan.nxs", "devices": written})
            self.assertEqual(machine.indices_of(named, two), meant, written)
        self.assertEqual(machine.indices_of(["h200"], two), (0,))
        # The process of a job would take those that its manager does not have.
        self.assertEqual(machine.indices_of(["every cpu"], known, two[2:]), (1,))
        with self.assertRaisesRegex(jobs.DescriptionError, "'all' means also devices that are not for jobs .2: NVIDIA H200"):
            machine.indices_of(["every all"], known, two[2:])
        self.assertIsNone(jobs._order.named_devices({"scan": "scan.nxs"}))
        dataflow = {"nodes": [{"plugin": "flip", "properties": {"device": "1"}}, {"plugin": "null"}], "devices": "2,h200"}
        self.assertEqual(machine.indices_of(jobs._order.named_devices(dataflow), two), (0, 1, 2))
        for wrong in ("2", "radeon"):
            with self.assertRaisesRegex(jobs.DescriptionError, "0: NVIDIA H200, 1: pthread CPU"):
                machine.indices_of([wrong], known)


if __name__ == "__main__":
    unittest.main(verbosity=2)
