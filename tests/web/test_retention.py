# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Rules take results away that jobs have written and nobody has touched, and nothing else."""

import asyncio
import os
import sqlite3
import time
import types
import unittest
import uuid
from unittest import mock

from webtest import ServerTest, main, until

from tomo_web import retention

QUICK = {"axis": 86.35, "flat-scale": 0.68, "slice": "middle"}


class Retention(ServerTest):
    def begin(self, *words):
        self.web = self.server(*words)
        self.dataset = self.web.post("datasets", {"places": {"scan": "scans/savu24737.nxs"}})["id"]

    def done(self, name="one"):
        number = self.web.post("jobs", {"datasets": [self.dataset], "settings": QUICK, "key": str(uuid.uuid4()), "name": name})["jobs"][0]["id"]
        job = until(lambda: (now := self.web.get(f"jobs/{number}"))["ended"] and now, "it is not over")
        self.assertEqual(job["state"], "done", job["error"])
        return number, self.web.results / job["results"][0]["name"]

    def age(self, number, days):
        """As if it had run then."""
        file = self.web.get(f"jobs/{number}")["results"][0]["name"]
        seconds = days * 86400
        with sqlite3.connect(self.web.queue / "jobs.sqlite", timeout=30) as database:
            database.execute("UPDATE jobs SET started = started - ?, began = began - ?, ended = ended - ? WHERE id = ?", (seconds,) * 3 + (number,))
        database.close()
        for path in self.web.results.glob(f"{file}*"):
            about = path.stat()
            os.utime(path, (about.st_atime, about.st_mtime - seconds))

    def told(self, dry=True):
        told = self.web.get("retention") if dry else self.web.post("retention/apply")
        return {item["job"]: (item["goes"], item["reason"]) for item in told["items"]}

    def test_old_ones_go_unless_somebody_wants_them(self):
        self.begin("--keep-days", "5")
        files = dict(self.done(name) for name in ("plain", "pinned", "shared", "awaited", "changed", "linked", "grown", "young"))
        plain, pinned, shared, awaited, changed, linked, grown, young = files
        for number in files:
            if number != young:
                self.age(number, 6)
        self.assertEqual(self.web.ask("PUT", f"jobs/{pinned}/pin").status, 204)
        self.assertTrue(self.web.get(f"jobs/{pinned}")["is_pinned"])
        self.web.post(f"results/{shared}/0/shares", {"hours": 1})
        with sqlite3.connect(self.web.state / "web.sqlite", timeout=30) as database:  # as a rule does whose portal can't be reached
            database.execute("INSERT INTO finds (rule, source, name, stamp, state, found, still_since, changed, job) "
                             "VALUES ('r', 's', 'n', '1', 'registering', 0, 0, 0, ?)", (awaited,))
        database.close()
        with open(files[changed], "r+b") as file:
            file.write(file.read(1))
        elsewhere = self.folder / "elsewhere.h5"
        files[linked].rename(elsewhere)
        files[linked].symlink_to(elsewhere)
        before = files[grown].stat()
        with open(files[grown], "ab") as file:
            file.write(b"more")
        os.utime(files[grown], (before.st_atime, before.st_mtime))
        stray = self.web.results / "by-hand.h5"
        stray.write_text("not of a job")
        os.utime(stray, (0, 0))
        dry = self.told()
        self.assertEqual({number: goes for number, (goes, _) in dry.items()},
                         {plain: True, pinned: False, shared: False, awaited: False, changed: False, linked: False, grown: False})
        self.assertEqual([next(words for words in ("pinned", "link", "portal", "changed", "plain file", "bytes", "older") if words in reason.partition("stays")[2])
                          for number, (_, reason) in sorted(dry.items()) if number != plain], ["pinned", "link", "portal", "changed", "plain file", "bytes"])
        self.assertTrue(all(path.exists() for path in files.values()))  # a dry run
        self.assertEqual(self.told(dry=False), dry)
        self.assertEqual([number for number, path in files.items() if not path.exists()], [plain])
        self.assertEqual(list(self.web.results.glob(f"{files[plain].name}*")), [])  # report, picture and configuration went, too
        self.assertTrue(stray.exists() and elsewhere.exists())
        self.assertEqual(self.web.ask("GET", f"jobs/{plain}").status, 404)
        self.assertEqual(self.web.ask("DELETE", f"jobs/{pinned}/pin").status, 204)
        self.web.stop()
        self.web.start()  # the rules are applied by themselves
        until(lambda: not files[pinned].exists(), "nothing goes by itself")
        until(lambda: self.web.get("jobs")["total"] == 6, "its job stays")

    def test_bytes_of_a_person(self):
        self.begin("--keep-bytes", str(1 << 40))
        files = dict(self.done(name) for name in ("first", "second", "third"))
        sizes = [self.web.get(f"jobs/{number}")["bytes"] for number in files]
        most = sum(sizes[-2:])  # for two of them
        self.web.stop()
        self.web._words[self.web._words.index("--keep-bytes") + 1] = str(most)
        self.web.start()
        until(lambda: not list(files.values())[0].exists(), "the oldest one does not go")
        time.sleep(0.5)
        self.assertEqual([path.exists() for path in files.values()], [False, True, True])

    def test_remove_with_result(self):
        self.begin()
        number, file = self.done()
        other, changed = self.done()
        changed.write_text("by hand")
        self.assertEqual(self.web.ask("DELETE", f"jobs/{other}", query={"results": "true"}).status, 409)
        self.assertTrue(changed.exists())
        self.assertEqual(self.web.ask("DELETE", f"jobs/{number}", query={"results": "true"}).status, 204)
        self.assertEqual([path.name for path in self.web.results.iterdir() if path.name.startswith(file.name)], [])
        self.assertEqual(self.told(), {})  # no rules, nothing goes


class Pages(unittest.TestCase):
    def test_jobs_that_end_while_pages_are_read(self):
        """No result counts twice, so that none goes that has room."""
        over = [types.SimpleNamespace(id=number, owner="otto", bytes=1, ended=0.0, key="k", outputs=[], state="done") for number in range(3)]

        class Queue:
            async def page(self, offset, limit, **_):
                found = types.SimpleNamespace(jobs=over[offset:offset + limit])
                if offset == 0:
                    over.insert(0, types.SimpleNamespace(**{**vars(over[0]), "id": 3}))
                return found

        settings = types.SimpleNamespace(results="/nowhere", keep_days=None, keep_bytes=3)
        verdict = types.SimpleNamespace(goes=True)
        with mock.patch.object(retention, "PIECE", 2), mock.patch.object(retention.Keeping, "_verdict", return_value=verdict):
            self.assertEqual(asyncio.run(retention.Keeping(settings, None, Queue()).verdicts()), [])


if __name__ == "__main__":
    main()
