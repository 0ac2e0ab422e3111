# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""10 000 jobs on a warm process without growth, and 200 kill -9 of jobs and of their manager."""

import os
import pathlib
import time
import unittest

from gsttomo import jobs
from jobtest import SEED, FolderTestCase, Served, storm, tiny

JOBS = int(os.environ.get("GST_TOMO_TEST_JOBS", 10000))
KILLS = int(os.environ.get("GST_TOMO_TEST_KILLS", 200))
SETTLED = 0.2  # of the jobs, behind which nothing may grow


class Many(FolderTestCase):
    def test_without_growth(self):
        def held(manager, worker):
            found = []
            for pid in (manager, worker):
                status = pathlib.Path(f"/proc/{pid}/status").read_text()
                found += [len(os.listdir(f"/proc/{pid}/fd")), int(status.partition("Threads:")[2].split()[0]),
                          int(status.partition("VmRSS:")[2].split()[0])]
            return found

        queue = jobs.PlainQueue(self.folder)
        self.addCleanup(queue.close)
        with Served(self.folder, "--keep-jobs", str(JOBS)) as served:
            since = time.monotonic()
            given = queue.submit_many([jobs.Order(tiny(), session="s") for _ in range(JOBS)])
            print(f"submitted in {time.monotonic() - since:.1f} s")
            queue.wait(given[int(SETTLED * JOBS)].id)
            (worker,) = [row["pid"] for row in queue._store.workers()]
            before = held(served.process.pid, worker)
            queue.wait(given[-1].id)
            self.until(lambda: all(held(served.process.pid, worker)[n] <= before[n] for n in (0, 3)), "descriptors grow")
            after = held(served.process.pid, worker)
            seconds = time.monotonic() - since
        print(f"{JOBS} jobs in {seconds:.1f} s; descriptors, threads and KiB of manager and process: {before}, then {after}")
        self.assertEqual(queue.counts()[jobs.State.DONE], JOBS)
        for one, other, slack in zip(before, after, (0, 1, 4096) * 2):
            self.assertLessEqual(other, one + slack, (before, after))
        self.assertLess((self.folder / "jobs.sqlite-wal").stat().st_size if (self.folder / "jobs.sqlite-wal").exists() else 0, 64 << 20)


class Kills(FolderTestCase):
    def test_kills(self):
        found, failed, killed = storm(self, KILLS, KILLS, SEED)
        print(f"{len(found)} jobs, {len(failed)} failed by {len(killed)} kills of jobs, {KILLS} kills in all")


if __name__ == "__main__":
    print(f"GST_TOMO_TEST_SEED={SEED}")
    unittest.main(verbosity=2)
