# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The server, the manager and processes of jobs are killed in the middle of many jobs: each of these is running, done or honestly failed,
none is lost, and none runs twice."""

import contextlib
import os
import random
import signal
import time
import uuid

import h5py
from managers import manager_of
from webtest import LONG, ServerTest, main, until

NUMBER = 20 if LONG else 8
SEED = int(os.environ.get("GST_TOMO_TEST_SEED", random.SystemRandom().randrange(2**31)))
SETTINGS = {"axis": 86.35, "flat-scale": 0.68, "method": "sirt", "num-iterations": 15, "y": 60, "height": 4}
STATES = {"queued", "running", "paused", "done", "failed"}


class Restart(ServerTest):
    def setUp(self):
        super().setUp()
        self.web = self.server()
        number = self.web.post("datasets", {"places": {"scan": "scans/savu24737.nxs"}})["id"]
        self.given = [self.web.post("jobs", {"datasets": [number], "settings": SETTINGS, "key": str(uuid.uuid4()), "name": f"job {n}"})["jobs"][0]["id"]
                      for n in range(NUMBER)]

    def listed(self):
        return {job["id"]: job for job in self.web.get("jobs", limit=100)["items"]}

    def some_are_over(self, number):
        until(lambda: sum(job["ended"] is not None for job in self.listed().values()) >= number, f"no {number} jobs are over")

    def kill_manager(self):
        if number := manager_of(self.web.queue):
            with contextlib.suppress(OSError):
                os.kill(number, signal.SIGKILL)

    def kill_worker(self):
        """Of a job that runs."""
        for name in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError):
                if os.readlink(f"/proc/{name}/fd/0").startswith(f"{self.web.queue}/workers/"):
                    os.kill(int(name), signal.SIGKILL)
                    return

    def check(self, most_failed):
        """Everything is over in the end, and as it says."""
        until(lambda: all(job["ended"] for job in self.listed().values()), "jobs are not over", patience=180)
        jobs = self.listed()
        self.assertEqual(sorted(jobs), self.given)  # none is lost, none is new
        self.assertEqual(sorted(job["name"] for job in jobs.values()), sorted(f"job {n}" for n in range(NUMBER)))
        failed = [job for job in jobs.values() if job["state"] == "failed"]
        self.assertLessEqual(len(failed), most_failed, [job["error"] for job in failed])
        for job in failed:
            self.assertRegex(job["error"], "signal 9|ended without a result", job)
        files = set()
        for job in jobs.values():
            self.assertIn(job["state"], ("done", "failed"))
            begun = (self.web.queue / "jobs" / str(job["id"]) / "events.jsonl").read_text().count('"hello"')
            self.assertLessEqual(begun, 1, f"job {job['id']} has run {begun} times")
            if job["state"] == "done":
                self.assertEqual(begun, 1)
                name = job["results"][0]["name"]
                self.assertNotIn(name, files)
                files.add(name)
                with h5py.File(self.web.results / name) as file:
                    self.assertEqual(file["/entry/data/data"].shape[0], SETTINGS["height"])

    def test_a_restart(self):
        """Nothing fails."""
        self.some_are_over(3)
        self.web.stop()
        self.web.start()
        self.assertLessEqual({job["state"] for job in self.listed().values()}, STATES)
        self.assertEqual(len(self.listed()), NUMBER)
        self.check(most_failed=0)

    def test_kills(self):
        """Of the server, of a process of a job and of the manager, at any moment: as many jobs fail as processes were killed."""
        print(f"GST_TOMO_TEST_SEED={SEED}")
        rng = random.Random(SEED)
        self.some_are_over(2)
        for _ in range(2):
            for kill in rng.sample([self.web.kill, self.kill_worker, self.kill_manager], 3):
                kill()
                time.sleep(rng.random())
            if rng.random() < 0.5:
                time.sleep(2)
            self.web.start()
            jobs = self.listed()
            self.assertEqual(sorted(jobs), self.given)
            self.assertLessEqual({job["state"] for job in jobs.values()}, STATES)
        self.kill_worker()
        self.check(most_failed=3)

    def test_an_order_as_the_server_dies(self):
        """Whoever got no answer sends it again, and has one job."""
        key, dataset = str(uuid.uuid4()), self.web.get("datasets")["items"][0]["id"]
        order = {"datasets": [dataset], "settings": {**SETTINGS, "height": 1}, "key": key, "name": "the last"}
        self.web.post("jobs", order)  # of which the answer may be lost
        self.web.kill()
        self.web.start()
        again = self.web.post("jobs", order)["jobs"][0]["id"]
        self.assertEqual([job["id"] for job in self.listed().values() if job["name"] == "the last"], [again])


if __name__ == "__main__":
    main()
