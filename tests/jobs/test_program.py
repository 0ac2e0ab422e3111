# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The program tomo-jobs."""

import json
import os
import pathlib
import signal
import subprocess
import unittest

from gsttomo import jobs
from jobtest import PATIENCE, FolderTestCase, Served, endless, tiny, writing


class ProgramTest(FolderTestCase):
    def setUp(self):
        super().setUp()
        for name, flow in (("tiny", tiny()), ("endless", endless()), ("writing", writing("out.tif"))):
            (self.scratch / f"{name}.json").write_text(json.dumps(flow))

    def run_it(self, *words, status=0, **kwargs):
        done = subprocess.run(["tomo-jobs", *map(str, words)], text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=PATIENCE,
                              cwd=self.scratch, env={**os.environ, "GST_TOMO_JOBS": str(self.folder)}, **kwargs)
        self.assertEqual(done.returncode, status, f"{words}\n{done.stdout}\n{done.stderr}")
        self.assertNotIn("Traceback", done.stderr)
        self.assertEqual(bool(done.stderr.strip()), status != 0, done.stderr)
        return done.stdout if status == 0 else done.stderr

    def job(self, number):
        return json.loads(self.run_it("show", number, "--json"))

    def in_state(self, number, state):
        with jobs.PlainQueue(self.folder) as queue:
            self.until(lambda: queue.get(number).state == state, f"job {number} is not {state}")

    def test_life(self):
        self.assertEqual(self.run_it("submit", "endless.json", "--name", "first", "--priority", 2).strip(), "1")
        self.run_it("submit", "writing.json")
        self.run_it("submit", "-", input=json.dumps(tiny()))
        self.run_it("pause", 3)
        with Served(self.folder):
            self.in_state(1, "running")
            self.run_it("pause", 1)
            self.in_state(1, "paused")
            self.run_it("resume", 1)
            self.run_it("finish", 1)
            self.assertRegex(self.run_it("follow", 1), r"(?s)stage run.* arrays.*finished early")
            self.assertIn("done: out.tif", self.run_it("follow", 2))
            lines = [json.loads(line) for line in self.run_it("follow", 2, "--json").splitlines()]
            self.assertEqual((lines[0]["event"], lines[-1]["status"]), ("hello", "done"))
            self.assertTrue((self.scratch / "out.tif").exists())
            self.run_it("resume", 3)
            self.run_it("follow", 3)
            self.assertIn("done", self.run_it("repeat", 2, "--session", "s", "--follow"))
            self.assertEqual(self.job(4)["repeats"], 2)
            missing = self.run_it("submit", "scan=missing.nxs", "output=x.h5", "--follow", status=1)
            self.assertIn("missing.nxs", missing)
            self.assertIn("other.nxs", self.run_it("repeat", 5, "--follow", "scan=other.nxs", status=1))
            self.run_it("submit", "endless.json")
            self.in_state(7, "running")
            self.run_it("cancel", 7)
            self.run_it("follow", 7, status=1)
            self.assertEqual(self.job(7)["state"], "cancelled")
            self.assertIn("has a manager already", self.run_it("serve", status=1))
        self.assertRegex(self.run_it("show", 2), r"(?s)job 2: dummy-data ! write\nstate +done\n.*output +out.tif\n.*version +tomo-runjson")
        self.run_it("show", 2, "--log")
        self.assertEqual(json.loads(self.run_it("show", 2, "--log", "--json")), {**self.job(2), "log": self.run_it("show", 2, "--log")})
        self.assertEqual(self.run_it("clean", 1, 2), "2 jobs are forgotten\n")
        self.run_it("show", 1, status=1)
        self.assertEqual(len(json.loads(self.run_it("list", "--json"))), 5)
        self.assertEqual(len(json.loads(self.run_it("list", "--json", "--state", "failed"))), 2)
        self.run_it("clean", "--all-but", 1)
        self.assertEqual(len(json.loads(self.run_it("list", "--json"))), 1)

    def test_configurations(self):
        subprocess.run(["tomo-reconstruct", "init", "--config", "reco.conf", "--axis", "31.5", "scan.nxs"], cwd=self.scratch, check=True,
                       stdout=subprocess.PIPE)
        self.run_it("submit", "reco.conf", "output=a.h5", "--device", "0", "--memory", "1.5G", "--session", "s", "--owner", "x")
        job = self.job(1)
        self.assertEqual((job["description"], job["devices"], job["memory"], job["session"], job["owner"]),
                         ({"scan": "scan.nxs", "axis": 31.5, "output": "a.h5"}, ["0"], 3 << 29, "s", "x"))
        self.run_it("submit", "tiny.json", "--device", "none")
        self.assertEqual(self.job(2)["devices"], [])
        for name, text in (("wrong", "{"), ("deep", '{"a": ' + "[" * 10**5), ("nul", r'{"a": "\u0000"}')):
            (self.scratch / f"{name}.json").write_text(text)
        for words, status, told in ((["submit", "scann=3"], 2, "did you mean 'scan'"), (["submit", "reco.conf", "nothing"], 2, "NAME=VALUE"),
                                    (["submit", "missing.conf"], 1, "missing.conf"), (["submit", "wrong.json"], 1, "no JSON"),
                                    (["submit", "tiny.json", "axis=3"], 2, "dataflow"), (["submit"], 2, "required"),
                                    (["submit", "tiny.json", "--memory", "much"], 2, "wanted bytes"), (["repeat", 1, "axiss=3"], 2, "axiss"),
                                    (["show", 1, "axis=3"], 2, "unknown"), (["clean"], 2, "--older"), (["show", 0], 2, "wanted a number"),
                                    (["cancel", 99], 1, "no job 99"), (["finish", 1], 1, "is queued"), ([], 2, "COMMAND"), (["serv"], 2, "serv"),
                                    (["submit", "tiny.json", "--priority", 10**20], 2, "wanted a number"), (["show", 10**20], 2, "wanted a number"),
                                    (["submit", "tiny.json", "--memory", "99999999999T"], 2, "wanted at most"), (["list", "--limit", 10**30], 2, "wanted a number"),
                                    (["submit", "deep.json"], 1, "no JSON"), (["submit", "nul.json"], 1, "U+0000"),
                                    (["submit", "tiny.json", "--name", b"\xff".decode(errors="surrogateescape")], 1, "U+DCFF"),
                                    (["list", "--owner", b"\xff".decode(errors="surrogateescape")], 1, "surrogates")):
            with self.subTest(words=words):
                self.assertIn(told, self.run_it(*words, status=status))
        self.assertEqual(len(json.loads(self.run_it("list", "--json"))), 2)

    def test_completion(self):
        completion = pathlib.Path(__file__).parents[2] / "tools" / "completion" / "tomo.bash"
        for words, expected in (("tomo-jobs su", ["submit"]), ("tomo-jobs --q", ["--queue"]), ("tomo-jobs --queue x re", ["resume", "repeat"]),
                                ("tomo-jobs serve --keep", ["--keep-days", "--keep-jobs"]), ("tomo-jobs submit a.json --me", ["--memory"]),
                                ("tomo-jobs cancel --me", [])):
            done = subprocess.run(["bash", "-uc", '. "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _tomo_jobs; echo "${COMPREPLY[*]}"',
                                   completion, *words.split()], text=True, capture_output=True, timeout=PATIENCE)
            self.assertEqual((done.stdout.split(), done.stderr), (expected, ""))

    def test_the_table_fits(self):
        (self.scratch / "wide.json").write_text(json.dumps(writing("a very long name " * 10 + ".tif")))
        self.run_it("submit", "wide.json", "--name", "ä very long näme " * 10, "--owner", "somebody.with.a.long.name", "--priority", -1000)
        for _ in range(3):
            self.run_it("submit", "wide.json")
        for words in (["list"], ["list", "--limit", 2]):
            table = self.run_it(*words)
            self.assertLessEqual(max(map(len, table.splitlines())), 80, table)
            self.assertRegex(table, r"^ID +STATE +OWNER +PROGRESS +TIME +JOB\n")
        self.assertIn("in all: 4 queued", table)
        self.assertEqual(len(table.splitlines()), 4)

    def test_what_a_terminal_would_obey(self):
        """Is escaped in texts for people."""
        wrong = "a\x1b[31m\x07\nb\x9b\u202e"
        (self.scratch / "names.json").write_text(json.dumps({"nodes": [{"plugin": wrong}], "edges": []}))
        self.run_it("submit", "tiny.json", "--name", wrong, "--owner", wrong, "--session", wrong)
        self.run_it("submit", "names.json")
        for words in (["list"], ["show", 1], ["show", 2]):
            told = self.run_it(*words)
            self.assertIn(r"a\x1b[31m\x07\nb\x9b\u202e", told)
            self.assertTrue(all(c.isprintable() or c == "\n" for c in told), ascii(told))
        self.assertEqual(self.job(1)["name"], wrong)

    def test_a_reader_that_has_seen_enough(self):
        for number in (1, 400):  # within a buffer, and beyond
            with jobs.PlainQueue(self.folder) as queue:
                queue.submit_many([jobs.Order(tiny())] * number)
            reading, writing = os.pipe()
            os.close(reading)
            done = subprocess.run(["tomo-jobs", "--queue", self.folder, "list", "--json", "--limit", "1000"], stdout=writing, stderr=subprocess.PIPE, timeout=PATIENCE)
            os.close(writing)
            self.assertEqual((done.returncode, done.stderr), (0, b""))

    def test_a_manager_until_nothing_is_to_do(self):
        self.run_it("submit", "endless.json")
        self.run_it("submit", "tiny.json")
        with Served(self.folder, "--until-idle", "0") as served:
            self.in_state(1, "running")
            self.run_it("pause", 1)
            self.in_state(1, "paused")  # which is not over
            with self.assertRaises(subprocess.TimeoutExpired):
                served.process.wait(3)
            self.run_it("cancel", 1)
            self.assertEqual(served.process.wait(PATIENCE), 0)
        self.assertEqual([self.job(number)["state"] for number in (1, 2)], ["cancelled", "done"])

    def test_the_end_of_a_manager(self):
        """Jobs go on."""
        self.run_it("submit", "endless.json")
        with Served(self.folder) as served:
            self.in_state(1, "running")
            with self.assertRaisesRegex(AssertionError, "has a manager already"), Served(self.folder):
                self.fail("two managers")
            served.process.send_signal(signal.SIGINT)
            self.assertEqual(served.process.wait(PATIENCE), 0)
            pid = self.job(1)["pid"]
            os.kill(pid, 0)
        with Served(self.folder, "--jobs-per-owner", "1"):
            self.assertIn("has 1 jobs that are not over", self.run_it("submit", "tiny.json", status=1))
            self.run_it("cancel", 1)
            self.run_it("follow", 1, status=1)


if __name__ == "__main__":
    unittest.main(verbosity=2)
