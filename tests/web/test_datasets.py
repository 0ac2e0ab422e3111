# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Data sets of tomo-web: made, found, changed, forgotten."""

import json
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
import unittest

import h5py
import numpy as np
from webtest import SCAN, TOOTH, ServerTest, main

from tomo_web import dataset_store
from tomo_web.database import Database

MANY = 10_000
LONGEST = 1.0  # seconds of processor time for a list of MANY; 0.1 where nothing else runs


def new_data_set(server, place="scans/savu24737.nxs", **more):
    return server.ask("POST", "datasets", {"places": {"scan": place}, **more})


class Making(ServerTest):
    def test_a_scan_becomes_a_data_set_with_its_facts(self):
        server = self.server()
        answer = new_data_set(server, tags=["tomo 1", "tomo 1"], notes="first")
        self.assertEqual(answer.status, 201, answer.body)
        made = answer.json
        self.assertEqual((made["name"], made["state"], made["tags"], made["owner"], made["may_change"]),
                         ("savu24737", "ready", ["tomo 1"], "local", True))
        self.assertEqual((made["facts"]["width"], made["facts"]["projections"]), (160, 91))
        self.assertEqual(made["size"], "160 x 135, 91 views, -88.2 to 91.8°")
        self.assertIn(["Axis", "86.50 px (scan)"], made["lines"])
        self.assertEqual([finding["name"] for finding in made["findings"]], ["last-view"])
        self.assertNotIn(str(self.folder), answer.body.decode())  # nobody learns where folders are
        self.assertEqual(made["facts"]["name"], "'scans/savu24737.nxs', NXtomo /entry")
        self.assertEqual(server.get(f"datasets/{made['id']}"), made)

    def test_what_is_no_scan_is_refused_in_one_sentence(self):
        server = self.server()
        (server.scans / "notes.txt").write_text("no scan")
        (server.scans / "outside").symlink_to("/etc")
        for place, status in (("scans/notes.txt", 422), ("scans/none.h5", 404), ("scans/../state/web.sqlite", 422), ("/etc/passwd", 404),
                              ("elsewhere/a.h5", 404), ("scans/outside/passwd", 404), ("scans/none.h5:/entry", 404)):
            with self.subTest(place=place):
                answer = new_data_set(server, place)
                self.assertEqual(answer.status, status, answer.body)
                self.assertNotIn("\n", answer.json["error"])
                self.assertNotIn(str(self.folder), answer.json["error"])
        for body in ({"places": {}}, {"places": {"darks": "scans/savu24737.nxs"}}, {"places": {"output": "scans/x.h5"}},
                     {"places": {"scan": ["scans/savu24737.nxs"]}}, {"places": {"scan": "scans/savu24737.nxs"}, "more": 1}):
            with self.subTest(body=body):
                self.assertEqual(server.ask("POST", "datasets", body).status, 422)
        self.assertEqual(server.get("datasets"), {"items": [], "total": 0})

    def test_values_of_its_own_are_checked_as_the_library_does(self):
        server = self.server()
        for values, field in (({"entry": 5, "axis": "left"}, "axis"), ({"output": "/tmp/x.h5"}, "output"), ({"flats": "/etc/passwd"}, "flats"),
                              ({"stitch": "/etc/passwd"}, "stitch"), ({"nonsense": 1}, "nonsense")):
            with self.subTest(values=values):
                answer = new_data_set(server, values=values)
                self.assertEqual((answer.status, answer.json["field"]), (422, field), answer.body)
        made = new_data_set(server, values={"entry": "/entry", "axis": 86.35}).json
        self.assertEqual(made["values"], {"entry": "/entry", "axis": 86.35})

    def test_nothing_becomes_two_data_sets(self):
        server = self.server()
        number = new_data_set(server).json["id"]
        again = new_data_set(server)
        self.assertEqual((again.status, again.json["error"]), (409, f"data set {number} is of the same files"))
        other = new_data_set(server, values={"axis": 86.0}).json  # the same files, seen otherwise
        self.assertEqual(server.ask("PATCH", f"datasets/{other['id']}", {"values": {}}).status, 409)
        self.assertEqual(server.get("datasets")["total"], 2)

    def test_projections_darks_and_flats_that_somebody_chose(self):
        server = self.server()
        with h5py.File(SCAN) as scan, h5py.File(server.scans / "parts.h5", "w") as parts:
            data, keys = scan["entry/instrument/detector/data"][:], scan["entry/instrument/detector/image_key"][:]
            for name, key in (("projections", 0), ("flats", 1), ("darks", 2)):
                parts[name] = data[keys == key]
        answer = server.ask("POST", "datasets", {"name": "by hand", "values": {"range-degrees": 180}, "places": {
            name: f"scans/parts.h5:/{name}" for name in ("projections", "flats", "darks")}})
        self.assertEqual(answer.status, 201, answer.body)
        facts = answer.json["facts"]
        self.assertEqual((facts["projections"], facts["flats"], facts["darks"]), (91, 1, 1))


class Changing(ServerTest):
    def test_tags_notes_and_names(self):
        server = self.server()
        made = new_data_set(server).json
        changed = server.ask("PATCH", f"datasets/{made['id']}", {"name": " wood  3 ", "tags": ["wood", "beamline 7"], "notes": "<b>wet</b>"}).json
        self.assertEqual((changed["name"], changed["tags"], changed["notes"]), ("wood 3", ["wood", "beamline 7"], "<b>wet</b>"))
        self.assertEqual(server.get("datasets/tags"), [{"tag": "beamline 7", "count": 1}, {"tag": "wood", "count": 1}])
        self.assertEqual(server.get("datasets", tag="wood")["total"], 1)
        self.assertEqual(server.get("datasets", tag="woo")["total"], 0)
        for body in ({"name": ""}, {"name": "\n"}, {"tags": ["a\x00b"]}, {"tags": [""]}, {"tags": ["x" * 65]}, {"state": "ready"}):
            self.assertEqual(server.ask("PATCH", f"datasets/{made['id']}", body).status, 422, body)

    def test_of_two_pages_that_change_one_the_second_is_told(self):
        server = self.server()
        made = new_data_set(server).json
        first = server.ask("PATCH", f"datasets/{made['id']}", {"notes": "first", "version": made["version"]})
        second = server.ask("PATCH", f"datasets/{made['id']}", {"notes": "second", "version": made["version"]})
        self.assertEqual((first.status, second.status), (200, 409))
        self.assertEqual(server.get(f"datasets/{made['id']}")["notes"], "first")

    def test_forgetting_leaves_the_files(self):
        server = self.server()
        number = new_data_set(server, tags=["gone"]).json["id"]
        self.assertEqual(server.ask("DELETE", f"datasets/{number}").status, 204)
        self.assertEqual(server.ask("GET", f"datasets/{number}").status, 404)
        self.assertTrue((server.scans / SCAN.name).exists())
        self.assertEqual((server.get("datasets/tags"), server.get("datasets", search="savu")["total"]), ([], 0))
        for wrong in (0, -1, 2**70):
            self.assertEqual(server.ask("GET", f"datasets/{wrong}").status, 404)

    def test_files_that_change_are_looked_at_again(self):
        server = self.server()
        number = new_data_set(server).json["id"]
        shutil.copyfile(TOOTH, server.scans / SCAN.name)
        self.assertEqual(server.get(f"datasets/{number}")["facts"]["width"], 640)
        os.rename(server.scans / SCAN.name, server.scans / "away")
        gone = server.get(f"datasets/{number}")
        self.assertEqual((gone["state"], gone["problem"], gone["facts"]), ("broken", "scans/savu24737.nxs is not there", None))
        self.assertEqual(server.get("datasets", state="broken")["total"], 1)
        os.rename(server.scans / "away", server.scans / SCAN.name)
        self.assertEqual(server.get(f"datasets/{number}")["state"], "ready")

    def test_a_thumbnail_is_made_once_for_each_state_of_the_files(self):
        server = self.server()
        number = new_data_set(server).json["id"]
        first = server.ask("GET", f"datasets/{number}/thumbnail")
        self.assertEqual((first.status, first.headers["Content-Type"], first.body[:8]), (200, "image/png", b"\x89PNG\r\n\x1a\n"))
        width, height = struct.unpack(">II", first.body[16:24])
        self.assertEqual((width, height), (160, 135))
        kept = list((server.state / "thumbnails").iterdir())
        self.assertEqual(len(kept), 1)
        written = kept[0].stat().st_mtime_ns
        self.assertEqual(server.ask("GET", f"datasets/{number}/thumbnail").body, first.body)
        self.assertEqual(kept[0].stat().st_mtime_ns, written)
        shutil.copyfile(TOOTH, server.scans / SCAN.name)
        server.get(f"datasets/{number}")
        self.assertNotEqual(server.ask("GET", f"datasets/{number}/thumbnail").body, first.body)
        self.assertEqual(len(list((server.state / "thumbnails").iterdir())), 1)
        server.ask("DELETE", f"datasets/{number}")
        self.assertEqual(list((server.state / "thumbnails").iterdir()), [])

    def test_they_outlive_the_server(self):
        server = self.server()
        made = new_data_set(server, tags=["kept"]).json
        server.kill()
        server.start()
        self.assertEqual(server.get(f"datasets/{made['id']}"), made)


class Finding(ServerTest):
    def test_pages_sort_and_search(self):
        server = self.server(scans=(SCAN, TOOTH))
        first = new_data_set(server, name="Apple", tags=["fruit"]).json["id"]
        second = new_data_set(server, "scans/tooth.h5", name="molar", tags=["bone", "dry"]).json["id"]
        third = new_data_set(server, "scans/tooth.h5", name="apple 2", values={"axis": 300}).json["id"]

        def numbers(**query):
            found = server.get("datasets", **query)
            return [one["id"] for one in found["items"]], found["total"]
        self.assertEqual(numbers(), ([third, second, first], 3))
        self.assertEqual(numbers(sort="name"), ([first, third, second], 3))
        self.assertEqual(numbers(sort="-size", limit=1), ([first], 3))
        self.assertEqual(numbers(sort="name", limit=1, offset=1), ([third], 3))
        self.assertEqual(numbers(sort="name", offset=5), ([], 3))
        self.assertEqual(numbers(search="PPL", sort="id"), ([first, third], 2))
        self.assertEqual(numbers(search="tooth.h5", sort="id"), ([second, third], 2))
        self.assertEqual(numbers(search="appl tooth"), ([third], 1))
        self.assertEqual(numbers(search="dry bo"), ([second], 1))
        self.assertEqual(numbers(search="2"), ([third, first], 2))  # a short word: in a name, in savu24737
        self.assertEqual(numbers(search='"%_ OR NEAR('), ([], 0))
        self.assertEqual(server.ask("GET", "datasets", query={"sort": "facts"}).status, 422)
        self.assertEqual(server.ask("GET", "datasets", query={"limit": 100000}).status, 422)


class Images(ServerTest):
    def reference(self, *words):
        """What tomo-reconstruct makes of the scan."""
        file = self.folder / "reference.h5"
        subprocess.run(["tomo-reconstruct", str(SCAN), *words, "--axis", "80", "--output", str(file), "--overwrite", "--format", "hdf5"], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        with h5py.File(file) as opened:
            return opened["entry/data/data"][:]

    def test_images_are_those_of_the_file_and_of_the_program(self):
        server = self.server()
        number = new_data_set(server).json["id"]
        with h5py.File(SCAN) as scan:
            data, keys = scan["entry/instrument/detector/data"][:], scan["entry/instrument/detector/image_key"][:]
        for kind, key, at in (("projections", 0, 7), ("flats", 1, 0), ("darks", 2, 0)):
            answer = server.ask("GET", f"datasets/{number}/image", query={"kind": kind, "number": at})
            self.assertEqual((answer.status, answer.headers["X-Type"]), (200, "uint16"), answer.body[:300])
            np.testing.assert_array_equal(answer.array, data[keys == key][at])
        for mode, absorptivity in (("transmission", "off"), ("absorption", "on")):
            answer = server.ask("GET", f"datasets/{number}/image", query={"number": 7, "mode": mode})
            expected = self.reference("--result", "projections", "--start", "7", "--number", "1", "--absorptivity", absorptivity)[0]
            np.testing.assert_array_equal(answer.array, expected)
            self.assertEqual(json.loads(answer.headers["X-Facts"])["caption"], f"Projection 7 of 0 … 90, -74.2°, {mode}")
        answer = server.ask("GET", f"datasets/{number}/image", query={"kind": "sinogram", "number": 60, "mode": "absorption"})
        expected = self.reference("--result", "sinograms", "--y", "60", "--height", "1", "--absorptivity", "on")[0]
        np.testing.assert_array_equal(answer.array, expected)
        half = server.ask("GET", f"datasets/{number}/image", query={"number": 7, "binning": 2}).array
        self.assertEqual(half.shape, (67, 80))

    def test_a_film_has_images_of_all_of_the_scan(self):
        server = self.server()
        number = new_data_set(server).json["id"]
        answer = server.ask("GET", f"datasets/{number}/film", query={"mode": "transmission"})
        facts = json.loads(answer.headers["X-Facts"])
        self.assertEqual((answer.array.shape, facts["numbers"][:3], facts["mode"], facts["binning"]), ((31, 135, 160), [0, 3, 6], "transmission", 1))
        self.assertEqual(facts["modes"], ["raw", "transmission", "absorption"])
        exact = server.ask("GET", f"datasets/{number}/image", query={"number": 6, "mode": "transmission"}).array
        np.testing.assert_array_equal(answer.array[2], exact)
        server.ask("PUT", f"datasets/{number}/settings", {"values": {"flat-correction": "off"}})  # of the person: nothing is corrected
        raw = server.ask("GET", f"datasets/{number}/film", query={"mode": "transmission"})
        self.assertEqual((json.loads(raw.headers["X-Facts"])["mode"], raw.array.dtype), ("raw", np.uint16))

    def test_browsers_that_go_away_hold_up_nobody(self):
        server = self.server()
        number = new_data_set(server).json["id"]
        for turn in range(6):
            for path in ("film?kind=flats", "film?tab=x", f"image?number={turn}&tab=x"):
                if "flats" in path:  # none is kept
                    os.utime(server.scans / SCAN.name, ns=(turn, turn))
                path = f"/api/datasets/{number}/{path}"
                with socket.create_connection((server.host, server.port)) as gone:
                    gone.sendall(f"GET {path} HTTP/1.1\r\nHost: {server.host}:{server.port}\r\nAuthorization: Bearer {server.token}\r\n\r\n".encode())
                    time.sleep((0, 0.005, 0.02)[turn % 3])
                answer = server.ask("GET", path)
                self.assertEqual(answer.status, 200, (path, answer.body))

    def test_wrong_wishes(self):
        server = self.server()
        number = new_data_set(server).json["id"]
        for query, field in (({"kind": "flats-after"}, "kind"), ({"number": 91}, "number"), ({"kind": "sinogram", "number": 135}, "number"),
                             ({"kind": "../x"}, "kind"), ({"mode": "x"}, "mode"), ({"binning": 0}, "binning"), ({"number": -1}, "number")):
            answer = server.ask("GET", f"datasets/{number}/image", query=query)
            self.assertEqual((answer.status, answer.json["field"]), (422, field), (query, answer.body))
        self.assertEqual(server.ask("GET", f"datasets/{number + 1}/image").status, 404)


class Browsing(ServerTest):
    def names(self, server, **query):
        found = server.get("folders/contents", **query)
        return [one["name"] for one in found["items"]], found["total"]

    def test_folders_and_what_lies_in_them(self):
        server = self.server()
        for name in ("a10.tif", "a9.tif", "A1.TIF", ".hidden", "notes.txt"):
            (server.scans / name).write_bytes(b"123")
        (server.scans / "week 2").mkdir()
        (server.scans / "outside").symlink_to("/etc")
        (server.scans / "within").symlink_to(server.scans / "week 2")
        (server.scans / "gone").symlink_to(server.scans / "nowhere")
        os.mkfifo(server.scans / "pipe")
        self.assertEqual({one["name"] for one in server.get("folders")}, {"samples", "scans", "results"})
        self.assertEqual(self.names(server, place="scans"),
                         (["week 2", "within", "A1.TIF", "a9.tif", "a10.tif", "notes.txt", "savu24737.nxs"], 7))
        self.assertEqual(self.names(server, place="scans", limit=2, offset=3), (["a9.tif", "a10.tif"], 7))
        self.assertEqual(self.names(server, place="scans", search=".TIF"), (["A1.TIF", "a9.tif", "a10.tif"], 3))
        number = new_data_set(server).json["id"]
        items = {one["name"]: one for one in server.get("folders/contents", place="scans")["items"]}
        self.assertEqual(items["savu24737.nxs"]["dataset"], number)
        self.assertEqual({name: one["kind"] for name, one in items.items()}, {
            "week 2": "folder", "within": "folder", "A1.TIF": "images", "a9.tif": "images", "a10.tif": "images", "notes.txt": "other",
            "savu24737.nxs": "hdf5"})
        self.assertEqual((items["a9.tif"]["size"], items["week 2"]["size"]), (3, None))

    def test_nothing_leads_out(self):
        server = self.server()
        (server.scans / "outside").symlink_to("/etc")
        for place, status in (("scans/outside", 404), ("scans/..", 422), ("..", 404), ("/", 422), ("scans//", 422), ("scans/a\x00", 422), ("", 422),
                              ("scans/savu24737.nxs", 422), ("scans/none", 404), ("state", 404)):
            with self.subTest(place=place):
                answer = server.ask("GET", "folders/contents", query={"place": place})
                self.assertEqual(answer.status, status, answer.body)
                self.assertNotIn(str(self.folder), answer.body.decode())

    def test_a_large_folder_comes_in_pages(self):
        server = self.server()
        large = server.scans / "large"
        large.mkdir()
        for number in range(5000):
            (large / f"image_{number}.tif").touch()
        for _ in range(2):
            began = time.perf_counter()
            found = self.names(server, place="scans/large", offset=4990)
            print(f"the last page of 5000 files: {(time.perf_counter() - began) * 1000:.0f} ms", file=sys.stderr)
        (large / "image_3.tif").unlink()
        self.assertEqual(self.names(server, place="scans/large", offset=4990)[1], 4999)
        self.assertEqual(found, ([f"image_{number}.tif" for number in range(4990, 5000)], 5000))


class Many(unittest.TestCase):
    def test_lists_of_many_take_no_time(self):
        folder = self.enterContext(tempfile.TemporaryDirectory())
        database = Database(f"{folder}/web.sqlite", (dataset_store,))
        self.addCleanup(database.close)
        store = dataset_store.Store(database)
        facts = {"width": 2048, "height": 2048, "projections": 1500, "findings": [], "description": "x" * 1000}
        for number in range(MANY):
            store.add(dataset_store.DataSet({"scan": f"scans/visit-{number // 100}/scan_{number:05}.nxs"}, "somebody", f"scan_{number:05}",
                                            tags=[f"visit {number // 100}", "all"], facts=facts, state=dataset_store.State.READY))
        for query, total in (({}, MANY), ({"sort": "name", "offset": MANY - 50}, MANY), ({"search": "scan_0123"}, 10), ({"search": "scan"}, MANY),
                             ({"search": "42", "sort": "-size"}, None), ({"tag": "visit 7"}, 100), ({"tag": "all", "sort": "owner"}, MANY),
                             ({"state": "ready", "search": "visit-99 scan_099"}, 100)):
            began = time.process_time()
            found, counted = store.page(**query)
            took = time.process_time() - began
            print(f"{MANY} data sets, {query}: {took * 1000:.1f} ms", file=sys.stderr)
            self.assertLess(took, LONGEST)
            self.assertTrue(found)
            self.assertEqual(counted, total or counted)


if __name__ == "__main__":
    main()
