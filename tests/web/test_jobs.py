# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Jobs by the web interface: orders, keys, races, quotas, rights, and what is told of them."""

import concurrent.futures
import json
import sqlite3
import time
import unittest
import uuid

import h5py
from gsttomo.faces.texts import in_form, without_program
from gsttomo.jobs._lock import Lock
from webtest import LONG, SCAN, ServerTest, main, until

QUICK = {"axis": 86.35, "flat-scale": 0.68, "slice": "middle"}
SLOW = {"axis": 86.35, "method": "sirt", "num-iterations": 300}
MANY = 100_000 if LONG else 10_000
PATH = "/tomo-web-test-"  # of the folders of tests, which no answer has


class JobsTest(ServerTest):
    def setUp(self):
        super().setUp()
        self.web = self.server()
        self.dataset = self.web.post("datasets", {"places": {"scan": "scans/savu24737.nxs"}})["id"]

    def order(self, settings=None, **wanted):
        """Ordered jobs."""
        return self.web.post("jobs", {"datasets": [self.dataset], "settings": settings or QUICK, "key": str(uuid.uuid4()), **wanted})["jobs"]

    def refused(self, status, **wanted):
        answer = self.web.ask("POST", "jobs", {"datasets": [self.dataset], "settings": QUICK, "key": str(uuid.uuid4()), **wanted})
        self.assertEqual(answer.status, status, answer.body)
        return answer.json

    def over(self, job):
        return until(lambda: (now := self.web.get(f"jobs/{job['id']}"))["ended"] and now, f"job {job['id']} is not over")

    def no_manager(self):
        """Jobs wait: the queue's lock is held by the test."""
        holder = Lock(self.web.queue)
        self.addCleanup(holder.close)
        (self.web.queue / "manager.lock").write_text("")  # nobody ends this process for a manager


class Orders(JobsTest):
    def test_a_slice_is_made_where_results_are(self):
        job = self.order(name="the first")[0]
        self.assertEqual((job["name"], job["owner"], job["dataset"], job["batch"]), ("the first", "local", self.dataset, None))
        job = self.over(job)
        self.assertEqual((job["state"], job["mark"], job["results"]), ("done", "✓ done", [{"number": 0, "name": "savu24737-slices.h5"}]), job)
        with h5py.File(self.web.results / "savu24737-slices.h5") as file:
            self.assertEqual(file["/entry/data/data"].shape[0], 1)
        self.assertEqual(job["settings"], QUICK)
        self.assertIn("tomo-reconstruct scans/savu24737.nxs", job["command"])
        self.assertIn(["Output", "results/savu24737-slices.h5:/entry/data/data"], job["provenance"])
        self.assertIn("Input", [name for name, _ in job["provenance"]])
        self.assertTrue(any("began" in line for line in job["course"]), job["course"])
        self.assertNotIn(PATH, json.dumps(job))
        log = self.web.ask("GET", f"jobs/{job['id']}/log")
        self.assertEqual((log.status, log.headers.get_content_type()), (200, "text/plain"))
        self.assertNotIn(PATH, log.body.decode())
        listed = self.web.get("jobs", dataset=self.dataset)
        self.assertEqual((listed["total"], listed["items"][0]["id"]), (1, job["id"]))

    def test_a_failure_tells_its_reason(self):
        (self.web.scans / "savu24737.nxs").write_bytes(b"no scan")
        job = self.over(self.order()[0])
        self.assertEqual(job["state"], "failed")
        self.assertTrue(job["error"])
        self.assertNotIn(PATH, json.dumps(job))

    def test_what_is_refused(self):
        self.assertEqual(self.refused(422, settings={"axis": "left"})["field"], "axis")
        self.refused(403, settings={"output": "/etc/x.h5"})
        self.refused(403, settings={"scan": "/etc/passwd"})
        self.refused(404, datasets=[99])
        self.refused(404, datasets=[self.dataset, 99])  # all or none
        self.refused(422, datasets=[])
        self.refused(422, key="short")
        self.refused(422, priority=101)
        self.assertIn("there is no device", self.refused(422, devices=["radeon 99"])["error"])
        self.assertEqual(self.refused(422, settings={**QUICK, "device": "7"})["field"], "devices")
        self.assertEqual(self.refused(422, memory=2**60)["field"], "memory")
        self.refused(422, colour="red")
        self.assertEqual(self.web.get("jobs")["total"], 0)
        self.assertEqual(self.web.ask("GET", "jobs/99").status, 404)
        self.assertEqual(self.web.ask("POST", "jobs/99/cancel", {}).status, 404)
        self.assertEqual(self.web.ask("GET", "jobs", query={"sort": "colour"}).status, 422)

    def test_the_computer(self):
        told = self.web.get("computer")
        self.assertGreaterEqual(len(told["devices"]), 1)
        self.assertGreater(told["memory"], 2**30)
        job = self.order(devices=[told["devices"][0]["name"]])[0]
        self.assertEqual(self.web.get(f"jobs/{job['id']}")["devices"], [told["devices"][0]["name"]])


class Races(JobsTest):
    def test_one_key_is_one_order(self):
        """At the same time, later, and behind a restart of the server."""
        self.no_manager()
        key = str(uuid.uuid4())
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            given = list(pool.map(lambda _: self.order(key=key)[0]["id"], range(8)))
        self.assertEqual(set(given), {1})
        self.web.stop()
        self.web.start()
        self.assertEqual(self.order(key=key)[0]["id"], 1)
        self.assertEqual(self.web.get("jobs")["total"], 1)
        self.assertIn("key", self.refused(409, key=key, datasets=[self.second()])["field"])

    def second(self):
        (self.web.scans / "second.nxs").write_bytes(SCAN.read_bytes())
        return self.web.post("datasets", {"places": {"scan": "scans/second.nxs"}, "name": "savu24737"})["id"]

    def test_no_two_jobs_write_one_file(self):
        self.no_manager()
        (self.web.results / "savu24737-slices-3.h5").write_text("something")
        both = [self.dataset, self.second()]
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            given = [job["id"] for made in pool.map(lambda n: self.order(datasets=both if n % 2 else both[:1]), range(8)) for job in made]
        self.assertEqual(len(set(given)), 12)
        names = [self.web.get(f"jobs/{number}")["description"]["output"] for number in given]
        self.assertEqual(len(set(names)), 12, names)
        self.assertNotIn("results/savu24737-slices-3.h5", names)
        first = names.index("results/savu24737-slices.h5")
        self.web.post(f"jobs/{given[first]}/cancel")
        self.assertEqual(self.web.get(f"jobs/{self.order()[0]['id']}")["description"]["output"], "results/savu24737-slices.h5")  # nobody needs it

    def test_batches(self):
        """What belongs to one scan alone is what the person has set for it."""
        self.no_manager()
        other = self.second()
        self.assertEqual(self.web.ask("PUT", f"datasets/{other}/settings", {"values": {"axis": 80, "method": "dfi"}}).status, 200)
        given = self.order({"axis": 86.35, "binning": 2}, datasets=[self.dataset, other, self.dataset], name="both")
        self.assertEqual([job["name"] for job in given], ["both, savu24737", "both, savu24737"])
        first, second = (self.web.get(f"jobs/{job['id']}")["description"] for job in given)
        self.assertEqual((first.get("axis"), first["binning"], second["axis"], second["binning"], second.get("method")), (None, 2, 80, 2, None))
        key = given[0]["batch"]
        self.assertEqual(self.web.get("jobs", batch=key)["total"], 2)
        self.web.post(f"jobs/{given[0]['id']}/cancel")
        batch = self.web.get(f"jobs/batches/{key}")
        self.assertEqual((batch["total"], batch["counts"]["queued"], batch["counts"]["cancelled"], batch["ended"]), (2, 1, 1, None))
        self.assertEqual(self.web.ask("GET", "jobs/batches/aaaaaaaa").status, 404)


class Courses(JobsTest):
    def running(self, settings=SLOW):
        number = self.order(settings)[0]["id"]
        until(lambda: self.web.get(f"jobs/{number}")["progress"].startswith("Reconstruct"), "it does not run")
        return number

    def test_previews(self):
        """Several that look see the same image, which one process has made once."""
        number = self.running({**SLOW, "num-iterations": 20})
        with concurrent.futures.ThreadPoolExecutor(3) as pool:
            images = list(pool.map(lambda _: self.web.ask("POST", f"jobs/{number}/preview", {}), range(3)))
        for image in images:
            self.assertEqual(image.status, 200, image.body[:200])
            self.assertEqual(len(image.array.shape), 2)
            self.assertGreater(image.array.std(), 0)
        self.assertEqual(len({image.body for image in images}), 1)
        self.assertEqual(list(self.web.queue.glob(f"jobs/{number}/preview*")), [])
        self.web.post(f"jobs/{number}/cancel")

    def test_pause_resume_cancel(self):
        number = self.running()
        for action, state in (("pause", "paused"), ("resume", "running"), ("cancel", "cancelled")):
            self.web.post(f"jobs/{number}/{action}")
            until(lambda state=state: self.web.get(f"jobs/{number}")["state"] == state, f"{action} does not work")
        self.assertEqual(self.web.ask("POST", f"jobs/{number}/finish", {}).status, 409)
        self.assertEqual(self.web.ask("POST", f"jobs/{number}/preview", {}).status, 409)
        self.assertEqual(self.web.ask("DELETE", f"jobs/{number}").status, 204)
        self.assertEqual(self.web.ask("GET", f"jobs/{number}").status, 404)

    def test_finish_early_and_again(self):
        self.running()
        self.web.post("jobs/1/finish")
        job = self.over({"id": 1})
        self.assertEqual((job["state"], job["status"]), ("done", "finished early"))
        key = str(uuid.uuid4())
        again = self.web.post("jobs/1/repeat", {"key": key})
        self.assertEqual(self.web.post("jobs/1/repeat", {"key": key})["id"], again["id"])
        described = self.web.get(f"jobs/{again['id']}")
        self.assertEqual((described["repeats"], described["settings"], described["dataset"]), (1, job["settings"], self.dataset))
        changed = self.web.post("jobs/1/repeat", {"key": str(uuid.uuid4()), "settings": QUICK, "priority": 3})
        output = described["description"]["output"]
        described = self.web.get(f"jobs/{changed['id']}")
        self.assertNotEqual(described["description"]["output"], output)
        self.assertEqual((described["settings"], described["priority"], described["repeats"]), (QUICK, 3, 1))
        self.assertEqual(self.web.ask("POST", "jobs/1/repeat", {"key": key[:-1] + "x", "settings": {"axis": "left"}}).status, 422)

    def test_priorities(self):
        self.no_manager()
        job = self.order()[0]
        answer = self.web.ask("PATCH", f"jobs/{job['id']}", {"priority": 7})
        self.assertEqual((answer.status, answer.json["priority"]), (200, 7))
        self.web.post(f"jobs/{job['id']}/cancel")
        self.assertEqual(self.web.ask("PATCH", f"jobs/{job['id']}", {"priority": 8}).status, 409)


class Rights(ServerTest):
    def test_persons_change_their_own_jobs(self):
        """All are seen by all; quotas are for each."""
        from test_access import Browser, add_persons
        self.web = web = self.server("--access", "passwords", "--jobs-per-person", "2")
        self.assertEqual(web.ask("GET", "access").json["access"], "passwords")
        add_persons(web.state, anna="admin", otto="user", emma="user", vera="viewer")
        JobsTest.no_manager(self)
        persons = {}
        for name in ("anna", "otto", "emma", "vera"):
            persons[name] = Browser(web)
            self.assertEqual(persons[name].log_in(name), 204)
        dataset = persons["otto"].ask("POST", "datasets", {"places": {"scan": "scans/savu24737.nxs"}}).json["id"]

        def order(name, key=None):
            return persons[name].ask("POST", "jobs", {"datasets": [dataset], "settings": QUICK, "key": key or str(uuid.uuid4())})

        key = str(uuid.uuid4())
        number = order("otto", key).json["jobs"][0]["id"]
        self.assertEqual([order("otto").status, order("otto").status, order("emma", key).status, order("vera").status], [201, 429, 201, 403])
        self.assertEqual(order("otto", key).json["jobs"][0]["id"], number)  # a request that comes twice asks for nothing more
        self.assertEqual(persons["otto"].ask("POST", f"jobs/{number}/repeat", {"key": str(uuid.uuid4())}).status, 429)
        self.assertEqual([job["owner"] for job in persons["vera"].ask("GET", "jobs").json["items"]], ["emma", "otto", "otto"])
        for method, path, body in (("POST", "pause", {}), ("POST", "cancel", {}), ("POST", "repeat", {"key": str(uuid.uuid4())}), ("PUT", "pin", {})):
            self.assertEqual(persons["emma"].ask(method, f"jobs/{number}/{path}", body).status, 403, path)
            self.assertEqual(persons["vera"].ask(method, f"jobs/{number}/{path}", body).status, 403, path)
        self.assertEqual(persons["emma"].ask("PATCH", f"jobs/{number}", {"priority": 3}).status, 403)
        self.assertEqual(persons["emma"].ask("DELETE", f"jobs/{number}").status, 403)
        self.assertEqual(persons["emma"].ask("GET", f"jobs/{number}").json["may_change"], False)
        self.assertEqual(persons["emma"].ask("GET", "retention").status, 403)
        self.assertEqual(persons["otto"].ask("POST", f"jobs/{number}/pause", {}).json["state"], "paused")
        self.assertEqual(persons["anna"].ask("POST", f"jobs/{number}/cancel", {}).json["state"], "cancelled")
        self.assertEqual(order("otto").status, 201)


class Lists(JobsTest):
    def test_sorted_filtered_paged(self):
        self.no_manager()
        for name in ("b", "a", "c"):
            self.order(name=name)
        self.web.post("jobs/2/cancel")

        def names(**query):
            return [job["name"] for job in self.web.get("jobs", **query)["items"]]

        self.assertEqual((names(), names(sort="name"), names(sort="-submitted", limit=1), names(sort="id", offset=2)), (["c", "a", "b"], ["a", "b", "c"], ["c"], ["c"]))
        self.assertEqual((names(state="cancelled"), names(search="B"), names(owner="nobody"), names(dataset=99)), (["a"], ["b"], [], []))

    def seconds_for(self, query):
        since = time.perf_counter()
        self.web.get("jobs", **query)
        return time.perf_counter() - since

    def test_many_jobs(self):
        """A page of 100 000 takes 0.1 s, told with room for other tests."""
        with sqlite3.connect(self.web.queue / "jobs.sqlite", timeout=30) as database:
            database.executemany(
                "INSERT INTO jobs (kind, name, owner, priority, state, description, folder, submitted, subject) VALUES ('reconstruction', ?, 'anna', 0, "
                "'done', ?, '/', ?, ?)", ((f"scan {n}", json.dumps({"x": "y" * 1000}), n, f"data set {n % 1000}") for n in range(MANY)))
        database.close()
        times = {}
        for name, query in (("newest", {}), ("last", {"offset": MANY - 50}), ("found", {"search": str(MANY * 7 // 9)}), ("by name", {"sort": "name"}),
                            ("of a data set", {"dataset": 17}), ("failed", {"state": "failed"})):
            self.web.get("jobs", **query)
            times[name] = min(self.seconds_for(query) for _ in range(3))  # one of them has the computer for itself
        print(", ".join(f"{name} {1000 * seconds:.0f} ms" for name, seconds in times.items()))
        self.assertLess(max(times.values()), 1.0)


class Texts(unittest.TestCase):
    def test_options_are_fields(self):
        for said, shown in (("give --axis 86.35, or --axis-method", "give axis 86.35, or axis-method"), ("'--roll' of -1 -- or x--y", "'roll' of -1 -- or x--y")):
            self.assertEqual(in_form(said), shown)
        self.assertEqual(without_program("tomo-reconstruct: warning: a\ntomo-reconstruct: error: give --axis"), "give axis")


if __name__ == "__main__":
    main()
