# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A tree of folders becomes data sets in one go."""

import os
import shutil

import h5py
import numpy as np
from scan_files import series
from webtest import SCAN, TOOTH, ServerTest, main, until


def over(server, number):
    def look():
        found = server.get(f"ingests/{number}")
        return found if found["state"] != "running" else None
    return until(look, "the ingest does not end")


class Ingest(ServerTest):
    def tree(self, server):
        """Scans of several kinds, and what is none."""
        top = server.scans / "visit"
        for name in ("day 1", "day 2/deep", "series", "parts/darks", "parts/flats", "parts/projections", "one image", ".hidden"):
            (top / name).mkdir(parents=True)
        shutil.copyfile(SCAN, top / "day 1" / "a.nxs")
        shutil.copyfile(TOOTH, top / "day 2" / "deep" / "tooth.h5")
        shutil.copyfile(TOOTH, top / ".hidden" / "tooth.h5")
        images = np.arange(5 * 12 * 16, dtype=np.uint16).reshape(5, 12, 16) + 1000
        series(top / "series", images)
        for name in ("darks", "flats", "projections"):
            series(top / "parts" / name, images)
        series(top / "one image", images[:1])
        with h5py.File(top / "result.h5", "w") as file:
            file["x"] = 1
        (top / "notes.log").write_text("no scanner's")
        (top / "link").symlink_to(top / "day 1")
        (top / "link.h5").symlink_to(TOOTH)
        return top

    def test_each_scan_is_found_once(self):
        server = self.server()
        self.tree(server)
        answer = server.ask("POST", "ingests", {"place": "scans/visit", "tags": ["visit 7"]})
        self.assertEqual(answer.status, 202, answer.body)
        found = over(server, answer.json["id"])
        self.assertEqual((found["state"], found["error"], len(found["added"]), found["known"]), ("done", None, 4, 0), found)
        made = {one["place"]: one for one in server.get("datasets")["items"]}
        self.assertEqual(set(made), {f"scans/visit/{name}" for name in ("day 1/a.nxs", "day 2/deep/tooth.h5", "series", "parts")})
        self.assertEqual({tuple(one["tags"]) for one in made.values()}, {("visit 7",)})
        facts = server.get(f"datasets/{made['scans/visit/parts']['id']}")["facts"]
        self.assertEqual((facts["projections"], facts["flats"], facts["darks"]), (5, 5, 5))
        problems = {one["place"]: one["error"] for one in found["problems"]}
        self.assertEqual(set(problems), {"scans/visit/result.h5", "scans/visit/one image"})
        self.assertEqual(problems["scans/visit/one image"], "it has less than 2 projections: that is no scan")
        self.assertNotIn(str(self.folder), str(problems))
        again = over(server, server.post("ingests", {"place": "scans/visit"})["id"])
        self.assertEqual((again["added"], again["known"]), ([], 4))
        self.assertEqual(server.get("datasets")["total"], 4)
        self.assertEqual([one["id"] for one in server.get("ingests")], [again["id"], found["id"]])

    def test_names_that_are_no_text(self):
        """Bytes that are no UTF-8 hide their own file, and none beside it."""
        server = self.server()
        for name in (b"\xff.nxs", b"folder-\xfe"):
            path = os.path.join(os.fsencode(server.scans), name)
            os.mkdir(path) if b"folder" in name else shutil.copyfile(SCAN, path)
        self.assertEqual([one["name"] for one in server.get("folders/contents", place="scans")["items"]], [SCAN.name])
        found = over(server, server.post("ingests", {"place": "scans"})["id"])
        self.assertEqual((found["state"], len(found["added"]), found["problems"]), ("done", 1, []), found)

    def test_it_can_be_cancelled(self):
        server = self.server()
        top = server.scans / "many"
        top.mkdir()
        for number in range(60):
            shutil.copyfile(SCAN, top / f"scan-{number:02}.nxs")
        number = server.post("ingests", {"place": "scans/many"})["id"]
        self.assertEqual(server.ask("POST", "ingests", {"place": "scans/many"}).status, 409)
        until(lambda: server.get(f"ingests/{number}")["added"], "nothing is added")
        cancelled = server.ask("DELETE", f"ingests/{number}").json
        self.assertEqual(cancelled["state"], "cancelled")
        self.assertLess(len(cancelled["added"]), 60)
        self.assertEqual(server.get("datasets")["total"], len(cancelled["added"]))  # what is made stays, and nothing comes behind it
        server.ask("DELETE", f"ingests/{number}")
        self.assertEqual(server.ask("GET", f"ingests/{number}").status, 404)

    def test_wrong_places(self):
        server = self.server()
        (server.scans / "outside").symlink_to("/etc")
        for place, status in (("scans/savu24737.nxs", 422), ("scans/none", 404), ("scans/outside", 404), ("scans/../..", 422)):
            self.assertEqual(server.ask("POST", "ingests", {"place": place}).status, status, place)


if __name__ == "__main__":
    main()
