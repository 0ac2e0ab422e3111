# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The queue for those that show it to many: keys of orders, what jobs are about, parts of long lists, and queues of earlier versions."""

import contextlib
import json
import os
import pathlib
import random
import sqlite3
import subprocess
import sys
import time
import unittest

from gsttomo import jobs
from gsttomo.jobs import State
from gsttomo.jobs._lock import is_heard
from jobtest import SEED, FolderTestCase, tiny

HERE = pathlib.Path(__file__).parent
MANY = 100_000
BOUND = 1.0  # seconds of a page, where 0.1 are wanted: other tests run at the same time


class QueueTestCase(FolderTestCase):
    def setUp(self):
        super().setUp()
        self.queue = jobs.PlainQueue(self.folder)
        self.addCleanup(self.queue.close)


class Keys(QueueTestCase):
    def test_a_second_order_is_the_first_job(self):
        first = self.queue.submit(tiny(), owner="a", key="k", name="first")
        again = self.queue.submit(tiny(), owner="a", key="k", name="second")
        self.assertEqual((again.id, again.name, again.key), (first.id, "first", "k"))
        self.assertNotEqual(self.queue.submit(tiny(), owner="b", key="k").id, first.id)
        self.assertNotEqual(self.queue.submit(tiny(), owner="a").id, self.queue.submit(tiny(), owner="a").id)
        given = self.queue.submit_many([jobs.Order(tiny(), owner="a", key=key) for key in ("new", "k", "new", None)])
        self.assertEqual([job.id for job in given], [given[0].id, first.id, given[0].id, given[3].id])
        self.assertEqual(len(self.queue.list()), 6)

    def test_in_another_process(self):
        """Also where several order at the same time, and behind the end of the job."""
        script = f"""
from gsttomo import jobs
print(*(job.id for job in jobs.PlainQueue({str(self.folder)!r}).submit_many(
    [jobs.Order({{"nodes": [], "edges": []}}, owner="a", key=f"k{{n}}") for n in range(20)])))
"""
        def clients(number):
            started = [subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) for _ in range(number)]
            return {client.communicate(timeout=60)[0].strip() for client in started}

        told = clients(4)
        self.assertEqual(told, {" ".join(map(str, range(1, 21)))})
        self.queue.cancel(5)
        self.assertEqual(clients(1), told)
        self.queue.clean([5])
        self.assertEqual(self.queue.submit(tiny(), owner="a", key="k4").id, 21)  # a job that is forgotten has no key
        with self.assertRaises(sqlite3.IntegrityError):
            self.queue._store._database.execute("UPDATE jobs SET key = 'k1' WHERE id = 1")

    def test_repeat(self):
        job = self.queue.submit(tiny(), owner="a", key="k", subject="data set 17")
        again = self.queue.repeat(job.id)
        self.assertEqual((again.subject, again.key, again.repeats), ("data set 17", None, job.id))
        self.assertNotEqual(again.id, job.id)
        keyed = self.queue.repeat(job.id, key="r", subject="data set 18")
        self.assertEqual((keyed.subject, self.queue.repeat(job.id, key="r").id), ("data set 18", keyed.id))

    def test_quotas(self):
        """Count jobs that are new. The one of a client and that of the queue hold both."""
        order = [jobs.Order(tiny(), owner="a", key=f"k{n}") for n in range(3)]
        given = self.queue.submit_many(order, most_open=3)
        self.assertEqual(self.queue.submit_many(order, most_open=3), given)
        with self.assertRaisesRegex(jobs.QuotaError, "a has 3 jobs .* the 3 that"):
            self.queue.submit_many([*order, jobs.Order(tiny(), owner="a")], most_open=3)
        with self.assertRaises(jobs.QuotaError):
            self.queue.repeat(given[0].id, most_open=3)
        self.queue._store.set_limits({"jobs_per_owner": 4})
        self.queue.submit_many([jobs.Order(tiny(), owner="a")], most_open=9)
        with self.assertRaisesRegex(jobs.QuotaError, "the 4 that"):
            self.queue.submit_many([jobs.Order(tiny(), owner="a")], most_open=9)

    def test_what_no_queue_takes(self):
        for name, values in (("subject", (None, 7, "a\0")), ("key", (7, b"k", "\udcff", ""))):
            for value in values:
                with self.subTest(name=name, value=value), self.assertRaisesRegex(jobs.DescriptionError, name):
                    self.queue.submit(tiny(), **{name: value})


class Versions(FolderTestCase):
    def old(self):
        self.folder.mkdir()
        with contextlib.closing(sqlite3.connect(self.folder / "jobs.sqlite", isolation_level=None)) as database:
            database.executescript((HERE / "queue-1.sql").read_text())

    def test_a_queue_of_version_1(self):
        self.old()
        before = sqlite3.connect(self.folder / "jobs.sqlite", isolation_level=None)  # of a manager that goes on
        self.addCleanup(before.close)
        before.execute("PRAGMA journal_mode = WAL")
        self.assertEqual(before.execute("SELECT count(*) FROM jobs").fetchone()[0], 3)
        with jobs.PlainQueue(self.folder) as queue:
            self.assertEqual([(job.id, job.name, job.owner, job.state, job.subject, job.key) for job in queue.list()], [
                (3, "", "ben", State.CANCELLED, "", None), (2, "a flow", "ben", State.QUEUED, "", None), (1, "the vial", "anna", State.DONE, "", None)])
            self.assertEqual((queue.get(1).outputs, queue.get(1).bytes, queue.get(2).devices), (["slices.h5:/entry/data/data"], 7, ("0",)))
            self.assertEqual(queue.limits(), jobs.Limits(jobs_per_owner=7))
            self.assertEqual(queue.repeat(1, subject="data set 1").id, 4)
            self.assertEqual([job.id for job in queue.page(subject="data set 1").jobs], [4])
            before.execute("UPDATE jobs SET state = 'running', started = 1 WHERE id = 2")
            self.assertEqual(queue.get(2).state, State.RUNNING)
            self.assertEqual(queue.changed()[1], [4, 2])
        with jobs.PlainQueue(self.folder) as queue:
            self.assertEqual(len(queue.list()), 4)
        self.assertEqual(before.execute("PRAGMA user_version").fetchone()[0], 2)

    def test_changed_by_several_at_once(self):
        self.old()
        script = f"from gsttomo import jobs; jobs.PlainQueue({str(self.folder)!r}).submit({{}}, subject='s')"
        clients = [subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.PIPE, text=True) for _ in range(4)]
        self.assertEqual([client.communicate(timeout=60)[1] for client in clients], [""] * 4)
        with jobs.PlainQueue(self.folder) as queue:
            self.assertEqual((len(queue.list()), queue.page(subject="s").total), (7, 4))


class Pages(QueueTestCase):
    def ids(self, **wanted):
        return [job.id for job in self.queue.page(**wanted).jobs]

    def test_against_the_whole_list(self):
        rng = random.Random(SEED)
        self.queue.submit_many([
            jobs.Order(tiny(), name=rng.choice(["vial", "Vial", "50%", "5_0", "tooth"]), owner=rng.choice("ab"), priority=rng.randint(0, 2),
                       subject=rng.choice(["", "data set 1", "data set 12"]), key=f"{rng.choice('xy')}/{n}") for n in range(60)])
        for job in self.queue.list():
            if rng.random() < 0.4:
                self.queue.cancel(job.id)
        database = self.queue._store._database
        database.execute("UPDATE jobs SET began = submitted, ended = submitted + id % 7 WHERE state = 'cancelled'")
        listed = self.queue.list()
        for wanted, fits in (
                ({}, lambda job: True), ({"states": [State.CANCELLED]}, lambda job: job.is_over), ({"states": jobs.OPEN}, lambda job: not job.is_over),
                ({"owner": "a"}, lambda job: job.owner == "a"), ({"subject": "data set 1"}, lambda job: job.subject == "data set 1"),
                ({"key": "x/"}, lambda job: job.key.startswith("x/")), ({"search": "VIAL"}, lambda job: job.name in ("vial", "Vial")),
                ({"search": "set 1"}, lambda job: job.subject), ({"search": "%"}, lambda job: "%" in job.name),
                ({"search": "_"}, lambda job: "_" in job.name), ({"search": "\\"}, lambda job: False),
                ({"owner": "b", "states": ["queued"], "search": "oo"}, lambda job: job.owner == "b" and not job.is_over and job.name == "tooth")):
            expected = [job.id for job in listed if fits(job)]
            for offset, limit in ((0, 100), (0, 5), (3, 4), (1000, 5), (0, 0)):
                page = self.queue.page(**wanted, offset=offset, limit=limit)
                self.assertEqual(([job.id for job in page.jobs], page.total), (expected[offset:offset + limit], len(expected)), (wanted, offset))
        for order, key in (("id", lambda job: job.id), ("name", lambda job: (job.name.lower(), -job.id)), ("priority", lambda job: (job.priority, -job.id)),
                           ("owner", lambda job: (job.owner, -job.id)), ("state", lambda job: (job.state.value, -job.id))):
            self.assertEqual(self.ids(order=order), [job.id for job in sorted(listed, key=key)], order)
        longest = self.queue.page(order="-time").jobs
        self.assertEqual([job.id % 7 for job in longest if job.is_over], sorted((job.id % 7 for job in listed if job.is_over), reverse=True))
        self.assertFalse(any(job.is_over for job in longest[-sum(not job.is_over for job in listed):]))  # that have no time come last
        with self.assertRaisesRegex(jobs.Error, "not ordered by 'color'"):
            self.queue.page(order="color")

    def test_what_a_line_tells(self):
        job = self.queue.submit(tiny(), name="a", subject="s")
        brief = self.queue.page().jobs[0]
        self.assertEqual(brief, jobs.Brief(**{name: getattr(job, name) for name in jobs.Brief.__dataclass_fields__}))
        self.assertFalse({"description", "results", "provenance"} & set(brief.as_dict()))
        self.assertEqual(brief.as_dict()["state"], "queued")

    def test_what_has_changed(self):
        first, second, third = (self.queue.submit(tiny()) for _ in range(3))
        last, numbers = self.queue.changed()
        self.assertEqual(numbers, [first.id, second.id, third.id])
        self.assertEqual(self.queue.changed(last), (last, []))
        with jobs.PlainQueue(self.folder) as other:
            other.cancel(second.id)
            other.clean([second.id])
            other.prioritize(first.id, 5)
        now, numbers = self.queue.changed(last)
        self.assertEqual(numbers, [second.id, first.id])
        self.assertGreater(now, last)
        self.assertEqual([job.id for job in self.queue.page(numbers=[first.id, second.id, 99]).jobs], [first.id])
        self.assertEqual(self.queue.page(numbers=[]).total, 0)

    def test_priorities(self):
        job = self.queue.submit(tiny())
        self.assertEqual(self.queue.prioritize(job.id, 7).priority, 7)
        self.queue.pause(job.id)
        self.assertEqual(self.queue.prioritize(job.id, -7).priority, -7)
        self.queue.cancel(job.id)
        with self.assertRaisesRegex(jobs.Error, "is cancelled"):
            self.queue.prioritize(job.id, 1)
        with self.assertRaises(jobs.DescriptionError):
            self.queue.prioritize(job.id, "high")
        with self.assertRaises(jobs.NoSuchJob):
            self.queue.prioritize(99, 1)

    def test_many_jobs(self):
        """Pages of 100 000 jobs, each by its own order and filter."""
        rng = random.Random(SEED)
        description, provenance = json.dumps({"scan": "/data/scan.nxs", "text": "x" * 1200}), json.dumps({"inputs": ["y" * 800]})
        with self.queue._store.transaction():
            self.queue._store._database.executemany(
                "INSERT INTO jobs (kind, name, owner, priority, state, description, folder, submitted, began, ended, provenance, subject, key) "
                "VALUES ('reconstruction', ?, ?, 0, ?, ?, '/', ?, ?, ?, ?, ?, ?)",
                ((f"{rng.choice(('vial', 'tooth', 'fly'))} {n}", rng.choice(("anna", "ben")), rng.choice(("done",) * 98 + ("failed", "queued")),
                  description, n, n, n + rng.random(), provenance, f"data set {n % 5000}", f"{n // 100}/{n}") for n in range(MANY)))
        times = {}
        for name, wanted, total in (
                ("newest", {}, MANY), ("last", {"offset": MANY - 50}, MANY), ("open", {"states": jobs.OPEN}, None), ("done", {"states": ["done"]}, None),
                ("of one", {"owner": "ben"}, None), ("of a data set", {"subject": "data set 17"}, MANY // 5000), ("batch", {"key": "17/"}, 100),
                ("found once", {"search": "77777"}, 1), ("found often", {"search": "tooth"}, None), ("by name", {"order": "name"}, MANY),
                ("longest", {"order": "-time"}, MANY), ("longest of one", {"owner": "ben", "order": "-time"}, None)):
            measured = []
            for _ in range(3):
                since = time.perf_counter()
                page = self.queue.page(limit=50, **wanted)
                measured.append(time.perf_counter() - since)
            times[name] = sorted(measured)[1]
            if total is not None:
                self.assertEqual(page.total, total, name)
            self.assertEqual(len(page.jobs), min(50, page.total), name)
        print(", ".join(f"{name} {1000 * seconds:.0f} ms" for name, seconds in times.items()), file=sys.stderr)
        self.assertLess(max(times.values()), BOUND)


class Starting(QueueTestCase):
    def test_a_manager_of_its_own(self):
        """It runs what waits, and ends when nothing does. A second one ends at once."""
        job, held = self.queue.submit(tiny()), self.queue.submit(tiny())
        self.queue.pause(held.id)
        first = jobs.start_manager(self.folder, linger=0.5)
        self.addCleanup(first.wait)
        self.addCleanup(first.kill)
        self.assertNotEqual(os.getsid(first.pid), os.getsid(0))  # what ends this one leaves it alone
        self.assertIs(self.queue.wait(job.id, 60).state, State.DONE)
        self.assertIsNone(jobs.start_manager(self.folder))
        self.assertIsNone(first.poll())
        self.queue.cancel(held.id)
        self.assertEqual(first.wait(60), 0)
        killed = self.started()
        killed.kill()
        killed.wait()
        job = self.queue.submit(tiny())
        self.started()
        self.assertIs(self.queue.wait(job.id, 60).state, State.DONE)

    def started(self):
        """A manager that listens."""
        manager = jobs.start_manager(self.folder)
        self.addCleanup(manager.wait)
        self.addCleanup(manager.kill)
        end = time.monotonic() + 60
        while not is_heard(self.folder) and time.monotonic() < end:
            time.sleep(0.05)
        self.assertIsNone(jobs.start_manager(self.folder))
        return manager


if __name__ == "__main__":
    unittest.main(verbosity=2)
