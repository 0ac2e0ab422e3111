# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Results over HTTP: lists, facts, reports, files, zips, pictures, and links for guests."""

import http.client
import io
import os
import pathlib
import tempfile
import time
import zipfile

import numpy as np
from gsttomo.widgets import Volume
from PIL import Image
from resulttest import ResultTest, add_job, random_volume
from webtest import PATIENCE, main, until


class Downloads(ResultTest):
    def test_the_file_comes_as_it_is_and_in_parts(self):
        address = self.result(random_volume((30, 80, 90), np.float32))
        content = (self.server.results / f"volume{self.number}.h5").read_bytes()
        whole = self.ask(f"{address}/file")
        self.assertEqual((whole.body, int(whole.headers["Content-Length"])), (content, len(content)))
        size, path = len(content), f"/api/{address}/file"
        for text, begin, end in (("bytes=0-0", 0, 1), ("bytes=100-199", 100, 200), (f"bytes={size - 5}-", size - 5, size), ("bytes=-7", size - 7, size),
                                 (f"bytes=10-{size * 2}", 10, size), (f"bytes=-{size * 2}", 0, size)):
            answer = self.server.ask("GET", path, headers={"Range": text})
            self.assertEqual((answer.status, answer.body, answer.headers["Content-Range"]), (206, content[begin:end], f"bytes {begin}-{end - 1}/{size}"))
        for text in (f"bytes={size}-", "bytes=5-4", "bytes=-0"):
            self.assertEqual(self.server.ask("GET", path, headers={"Range": text}).status, 416, text)
        for text in ("bytes=0-1,5-6", "lines=1-2", "bytes=-", "nonsense"):
            answer = self.server.ask("GET", path, headers={"Range": text})
            self.assertEqual((answer.status, len(answer.body)), (200, size), text)
        part = {"Range": "bytes=0-9", "If-Range": whole.headers["ETag"]}
        self.assertEqual(self.server.ask("GET", path, headers=part).status, 206)
        self.assertEqual(self.server.ask("GET", path, headers={**part, "If-Range": '"another"'}).status, 200)
        head = self.server.ask("HEAD", path)
        self.assertEqual((head.status, head.body, head.headers["Content-Length"]), (200, b"", str(size)))

    def test_a_zip_has_all_slices_as_tiff(self):
        array = random_volume((12, 30, 41), np.float32)
        address = self.result(array, pixel_size=2e-6)
        answer = self.ask(f"{address}/zip")
        self.assertEqual(int(answer.headers["Content-Length"]), len(answer.body))
        self.compare_slices(answer.body, array, 2e-6)
        scaled = self.ask(f"{address}/zip", samples="uint16", low=-1, high=2).body
        wanted = np.floor(np.clip((array.astype(float) + 1) * (65535 / 3) + 0.5, 0, 65535)).astype(np.uint16)
        self.compare_slices(scaled, wanted, 2e-6)
        self.assertIn(b"0 to 65535 are -1.0 to 2.0", scaled)
        counts = random_volume((3, 9, 7), np.uint16)
        self.compare_slices(self.ask(f"{self.result(counts)}/zip").body, counts, None)
        for query in ({}, {"low": 1}, {"low": 2, "high": 1}, {"low": 0, "high": "nan"}):
            self.error(f"{address}/zip", 422, samples="uint16", **query)

    def compare_slices(self, body, array, pixel_size):
        with tempfile.TemporaryDirectory() as folder:
            with zipfile.ZipFile(io.BytesIO(body)) as archive:
                self.assertIsNone(archive.testzip())
                archive.extractall(folder)
            names = sorted(pathlib.Path(folder).glob("*/*.tif"))
            self.assertEqual(len(names), len(array))
            volume = Volume(str(names[0].parent))
            self.assertEqual((volume.dtype, volume.shape), (array.dtype, array.shape))
            if pixel_size:
                self.assertAlmostEqual(volume.pixel_size, pixel_size, delta=1e-3 * pixel_size)
            for z, image in enumerate(array):
                np.testing.assert_array_equal(volume.slice(0, z).array, image)
            volume.close()

    def test_a_zip_of_more_than_four_gigabytes(self):
        from tomo_web.archive import Zip
        size = 0x60000000
        made = Zip(4, size, lambda z: f"large/large-{z}.tif")
        file = self.server.folder / "large.zip"
        with open(file, "wb") as out:  # zeros are no blocks on the disk
            for z in range(4):
                out.write(made.entry(z, b""))
                out.seek(size, os.SEEK_CUR)
            out.write(made.end())
            self.assertEqual(out.tell(), made.length)
        with zipfile.ZipFile(file) as archive:
            self.assertEqual([info.file_size for info in archive.infolist()], [size] * 4)
            with archive.open("large/large-3.tif") as last:
                self.assertEqual(last.read(10), bytes(10))
        file.unlink()

    def test_a_zip_that_nobody_takes_ends(self):
        array = np.zeros((800, 300, 300), np.float32)
        address, before = self.result(array), self.read_bytes()
        connection = http.client.HTTPConnection(self.server.host, self.server.port, timeout=PATIENCE)
        connection.request("GET", f"/api/{address}/zip", headers={"Authorization": f"Bearer {self.server.token}"})
        answer = connection.getresponse()
        self.assertEqual(len(answer.read(100000)), 100000)
        answer.close()
        connection.close()
        seen = [before]

        def is_quiet():
            time.sleep(0.3)
            seen.append(self.read_bytes())
            return seen[-1] - seen[-2] < 10000

        until(is_quiet, "the server goes on with a zip")
        self.assertLess(seen[-1] - before, array.nbytes / 4)

    def test_a_picture_of_a_slice(self):
        array = random_volume((4, 30, 20), np.float32)
        address = self.result(array)
        got = np.asarray(Image.open(io.BytesIO(self.ask(f"{address}/png", axis=1, index=7, low=-1, high=1).body)))
        np.testing.assert_array_equal(got, np.clip((array[:, 7].astype(np.float32) + 1) * np.float32(128), 0, 255).astype(np.uint8))
        self.error(f"{address}/png", 422, index=0, low=1, high=1)
        self.error(f"{address}/png", 404, index=4, low=0, high=1)

    # Lists, facts, the report

    def test_results_are_listed_the_newest_first(self):
        paths = [self.written(random_volume((1, 2, 2), np.uint8)) for _ in range(3)]
        first = add_job(self.server, paths[0], name="needle one")
        second = add_job(self.server, paths[1], str(paths[1]) + ".html", paths[2], name="needle two", subject="data set 17")
        page = self.server.get("results", search="needle")
        self.assertEqual([(one["job"], one["number"]) for one in page["items"]], [(second, 0), (second, 2), (first, 0)])
        self.assertEqual((page["total"], page["items"][0]["dataset"], page["items"][0]["bytes"]), (2, 17, paths[1].stat().st_size))
        self.assertEqual([one["job"] for one in self.server.get("results", search="needle", offset=1, limit=1)["items"]], [first])
        self.assertEqual(self.server.get("results", dataset=17, search="needle")["total"], 1)

    def test_facts_name_no_files(self):
        number = add_job(self.server, self.written(random_volume((1, 2, 2), np.uint8)), description={
            "scan": "/home/somebody/secret.nxs", "output": "/home/somebody/x.h5", "axis": 86.35, "method": "dfi"},
            provenance='{"version": "1.2", "devices": ["a device"], "inputs": [{"path": "/home/somebody/secret.nxs", "bytes": 5000000}]}',
            results='[{"name": "axis", "value": 86.35, "unit": "px"}]')
        facts = self.ask(f"results/{number}/0").json
        self.assertEqual(facts["settings"], {"axis": 86.35, "method": "dfi"})
        self.assertEqual(facts["found"], [{"name": "axis", "value": "86.35 px"}])
        self.assertIn({"name": "Made of", "value": "secret.nxs (5 MB)"}, facts["provenance"])
        self.assertNotIn("somebody", str(facts))

    def test_a_report_runs_nothing(self):
        address = self.result(random_volume((1, 2, 2), np.uint8))
        self.error(f"{address}/report", 404)
        path = self.server.results / f"volume{self.number}.h5.html"
        path.write_text("<script>alert(1)</script>Report")
        self.assertTrue(self.ask(address).json["has_report"])
        answer = self.ask(f"{address}/report")
        policy = answer.headers["Content-Security-Policy"]
        self.assertTrue(policy.startswith("sandbox;") and "default-src 'none'" in policy and "script" not in policy, policy)
        path.unlink()
        path.symlink_to("/etc/passwd")
        self.error(f"{address}/report", 404)

    # Links for guests

    def test_a_link_shows_one_result_for_a_time(self):
        array = random_volume((2, 3, 4), np.uint8)
        address, other = self.result(array), self.result(array)
        guest = {"Authorization": None}
        for path in (address, f"{address}/volume", f"{address}/tile?index=0", f"{address}/file", "results"):
            self.assertEqual(self.server.ask("GET", path, headers=guest).status, 401)
        made = self.server.post(f"{address}/shares", {"hours": 1, "note": "for Anna"})
        self.assertNotIn(made["token"], (self.server.state / "web.sqlite").read_bytes().decode("latin-1"))
        opened = self.server.ask("POST", "shared", {"token": made["token"]}, headers=guest)
        self.assertEqual((opened.status, opened.json["job"]), (200, int(address.split("/")[1])))
        cookie = opened.headers["Set-Cookie"]
        self.assertTrue(all(word in cookie for word in (f"Path=/api/{address};", "HttpOnly", "SameSite=strict")), cookie)
        guest["Cookie"] = cookie.partition(";")[0]
        facts = self.server.ask("GET", address, headers=guest)
        self.assertEqual((facts.status, facts.json["place"]), (200, None))
        for part in ("volume", "values", "tile?index=0", "brick", "file", "zip", "png?index=0&low=0&high=1"):
            self.assertEqual(self.server.ask("GET", f"{address}/{part}", headers=guest).status, 200, part)
        for method, path in (("GET", "results"), ("GET", other), ("GET", f"{other}/tile?index=0"), ("GET", "datasets"), ("GET", "session"),
                             ("GET", f"{address}/shares"), ("POST", f"{address}/shares"), ("DELETE", f"shares/{made['id']}")):
            self.assertEqual(self.server.ask(method, path, {} if method == "POST" else None, headers=guest).status, 401, path)
        self.assertEqual([one["note"] for one in self.server.get(f"{address}/shares")], ["for Anna"])
        self.assertEqual(self.server.ask("DELETE", f"shares/{made['id']}").status, 204)
        self.assertEqual(self.server.ask("GET", address, headers=guest).status, 401)
        self.assertEqual(self.server.ask("POST", "shared", {"token": made["token"]}, headers={"Authorization": None}).status, 404)

    def test_a_link_expires(self):
        address = self.result(random_volume((1, 2, 2), np.uint8))
        made = self.server.post(f"{address}/shares", {"hours": 1 / 3600})
        until(lambda: self.server.ask("POST", "shared", {"token": made["token"]}, headers={"Authorization": None}).status == 404, "the link stays valid")
        guest = {"Authorization": None, "Cookie": f"gst-tomo-share={made['token']}"}
        self.assertEqual(self.server.ask("GET", address, headers=guest).status, 401)
        self.assertEqual(self.server.get(f"{address}/shares"), [])
        for hours in (0, -1, 1e9, "nan"):
            self.assertEqual(self.server.ask("POST", f"{address}/shares", {"hours": hours}).status, 422, hours)


if __name__ == "__main__":
    main()
