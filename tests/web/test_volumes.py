# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Volumes in parts over HTTP: facts, tiles, bricks, what happens where files are damaged or replaced. What comes is compared with what
the file has."""

import concurrent.futures
import http.client
import io
import os
import pathlib
import tempfile
import unittest.mock
import zipfile

import h5py
import numpy as np
from gsttomo.widgets import Volume
from gsttomo.widgets._stored import never
from resulttest import ResultTest, add_job, halved, random_volume, write_volume
from tomo_web import open_volumes
from tomo_web.errors import Invalid
from webtest import PATIENCE, main


class Volumes(ResultTest):
    def plane_of_tiles(self, address, level, number, axis, index, size, border=0):
        """A plane put together; `level` as the facts have it."""
        rows, columns = level["planes"][axis]
        made = None
        for row in range(-(-rows // size)):
            for column in range(-(-columns // size)):
                tile = self.ask(f"{address}/tile", level=number, axis=axis, index=index, row=row, column=column, size=size, border=border).array
                made = np.zeros((rows, columns), tile.dtype) if made is None else made
                top, left = max(0, row * size - border), max(0, column * size - border)
                wanted = min(rows, (row + 1) * size + border) - top, min(columns, (column + 1) * size + border) - left
                self.assertEqual(tile.shape, wanted)
                made[top:top + tile.shape[0], left:left + tile.shape[1]] = tile
        return made

    # Tiles

    def test_tiles_of_every_level_and_axis_are_those_of_the_file(self):
        for dtype, options in ((np.float32, {}), (np.uint16, {"chunks": (1, 300, 270)}), (np.uint16, {"chunks": (16, 16, 16), "compression": 4}),
                               (np.uint8, {"chunks": (8, 64, 64)})):
            array = random_volume((21, 300, 270), dtype)
            address = self.result(array, pyramid=True, **options)
            facts = self.ask(f"{address}/volume").json
            self.assertEqual((facts["shape"], facts["type"], facts["sample_type"]), ([21, 300, 270], str(array.dtype), str(array.dtype)))
            self.assertEqual([level["factor"][0] for level in facts["levels"]], [1, 2, 4, 8, 16])
            for number, level in enumerate(facts["levels"]):
                whole = array if number == 0 else halved(array, 2 ** number)
                for axis in range(3):
                    for index in {0, array.shape[axis] // 2, array.shape[axis] - 1}:
                        with self.subTest((dtype.__name__, options, number, axis, index)):
                            got = self.plane_of_tiles(address, level, number, axis, index, 256, border=index % 2)
                            np.testing.assert_array_equal(got, whole.take(index >> number, axis))

    def test_levels_that_a_file_lacks_are_means(self):
        array = random_volume((3, 1030, 700), np.uint16)
        address = self.result(array)
        facts = self.ask(f"{address}/volume").json
        self.assertEqual([(level["bins"], level["stored"]) for level in facts["levels"]], [(1, True), (2, False), (4, False)])
        for number, bins in ((1, 2), (2, 4)):
            got = self.plane_of_tiles(address, facts["levels"][number], number, 0, 1, 512, border=1)
            rows, columns = (np.arange(0, size, bins) for size in array.shape[1:])
            sums = np.add.reduceat(np.add.reduceat(array[1].astype(float), rows, 0), columns, 1)
            counts = np.outer(np.diff(np.append(rows, 1030)), np.diff(np.append(columns, 700)))
            np.testing.assert_array_equal(got, np.rint(sums / counts))

    def test_planes_that_cost_too_much_come_from_an_overview(self):
        array = random_volume((16, 20, 24), np.float32)
        path = str(self.written(array))
        made = Volume.overview
        with unittest.mock.patch.object(open_volumes, "FULL", 2 * array[0].nbytes), unittest.mock.patch.object(
                Volume, "overview", lambda volume, stop: made(volume, 1000, stop)):
            opened = open_volumes.OpenVolume(path, 0)
            self.addCleanup(opened.volume.close)
            self.assertEqual([level.cost(2) for level in opened.levels()], [None])
            self.assertTrue(opened.needs_overview())
            with self.assertRaises(Invalid):
                opened.tile(opened.levels()[0], 2, 3, (0, 0), 256, 0, never)
            level = opened.level(1, never)  # as after a restart: somebody knows of it
            self.assertFalse(opened.needs_overview())
            self.assertEqual((level.is_overview, level.stored.factor), (True, (2, 2, 2)))
            got = opened.tile(level, 2, 9, (0, 0), 256, 0, never)
        np.testing.assert_allclose(got, array.reshape(8, 2, 10, 2, 12, 2).mean((1, 3, 5))[:, :, 4], rtol=1e-5, atol=1e-6)
        np.testing.assert_array_equal(opened.tile(opened.levels()[0], 0, 3, (0, 0), 256, 0, never), array[3])

    def test_samples_of_other_types_become_float(self):
        for dtype in (np.int16, np.float64, ">f4"):
            array = random_volume((2, 5, 7), np.float32).astype(dtype) if dtype != np.int16 else random_volume((2, 5, 7), np.int16)
            address = self.result(array)
            tile = self.ask(f"{address}/tile", index=1).array
            self.assertEqual((self.ask(f"{address}/volume").json["sample_type"], tile.dtype), ("float32", np.float32))
            np.testing.assert_array_equal(tile, array[1].astype(np.float32))

    def test_one_sample_and_nothing_but_nan(self):
        address = self.result(np.full((1, 1, 1), np.nan, np.float32))
        self.assertTrue(np.isnan(self.ask(f"{address}/tile", index=0).array).all())
        self.assertEqual(self.ask(f"{address}/values").json["levels"], [0, 1])
        self.assertEqual(self.ask(f"{address}/brick").array.tolist(), [[[0]]])

    def test_what_is_not_there_is_refused(self):
        address = self.result(random_volume((4, 8, 9), np.uint8))
        self.assertIn("there are 4", self.error(f"{address}/tile", 404, index=4))
        self.assertIn("8 x 9", self.error(f"{address}/tile", 404, index=0, row=1))
        self.assertIn("no level 9", self.error(f"{address}/tile", 404, index=0, level=9))
        for query in ({"index": -1}, {"index": 0, "axis": 3}, {"index": 0, "size": 100}, {"index": "x"}, {"index": 0, "row": 1e9}, {"index": 2 ** 70}):
            self.assertTrue(self.error(f"{address}/tile", 422, **query), query)
        job = address.split("/")[1]
        self.assertEqual(self.error(f"results/{job}/1/volume", 404), f"job {job} has no volume 1")
        self.assertEqual(self.error("results/99999/0/volume", 404), "there is no job 99999")
        self.assertEqual(self.error(f"{address}/volume", 422, which=1), f"results/volume{self.number}.h5: volume 1 of /entry/data/data was asked for, which has 1")
        self.assertEqual(self.error("results/-1/0", 422).partition(":")[0], "job")

    def test_a_job_that_is_not_done_has_no_results(self):
        number = add_job(self.server, self.written(random_volume((1, 2, 2), np.uint8)), state="failed")
        self.assertEqual(self.error(f"results/{number}/0/volume", 404), f"job {number} is failed: it has results when it is done")

    def test_files_outside_of_the_folders_are_not_seen(self):
        with tempfile.TemporaryDirectory() as outside:
            secret = write_volume(pathlib.Path(outside) / "secret.h5", random_volume((2, 4, 4), np.uint8))
            link = self.server.results / "link.h5"
            link.symlink_to(secret)
            virtual, linked, raw = (self.server.results / f"{name}.h5" for name in ("virtual", "linked", "raw"))
            with h5py.File(virtual, "w") as file:
                layout = h5py.VirtualLayout((2, 4, 4), np.uint8)
                layout[:] = h5py.VirtualSource(str(secret), "entry/data/data", (2, 4, 4))
                file.create_virtual_dataset("entry/data/data", layout)
            with h5py.File(linked, "w") as file:
                file["entry/data/data"] = h5py.ExternalLink(str(secret), "entry/data/data")
            with h5py.File(raw, "w") as file:
                file.create_group("entry/data").create_dataset("data", (1, 2, 2), np.uint8, external=[("/etc/passwd", 0, h5py.h5f.UNLIMITED)])
            for path in (secret, link, virtual, linked, raw):
                number = add_job(self.server, path)
                said = self.ask(f"results/{number}/0/volume", 404 if path in (secret, link) else 422).json["error"]
                self.assertIn("in no folder that people see", said)
                self.assertNotIn(outside, said)
                if path in (secret, link):
                    self.error(f"results/{number}/0/file", 404)
            self.assertNotIn("secret.h5", str(self.server.get("results", limit=200)))

    # Caches, changes, damage

    def test_a_browser_hears_when_the_file_is_another_one(self):
        array = random_volume((3, 20, 30), np.uint16)
        address = self.result(array)
        stamp = self.ask(f"{address}/volume").json["stamp"]
        first = self.ask(f"{address}/tile", index=1)
        self.assertEqual(first.headers["Cache-Control"], "private, no-cache")
        kept = self.ask(f"{address}/tile", index=1, stamp=stamp)
        self.assertIn("immutable", kept.headers["Cache-Control"])
        etag = {"If-None-Match": first.headers["ETag"]}
        self.assertEqual(self.server.ask("GET", f"/api/{address}/tile?index=1", headers=etag).status, 304)
        path = self.server.results / f"volume{self.number}.h5"
        write_volume(path.with_suffix(".new"), array + 1)
        os.replace(path.with_suffix(".new"), path)
        again = self.server.ask("GET", f"/api/{address}/tile?index=1", headers=etag)
        self.assertEqual(again.status, 200)
        np.testing.assert_array_equal(again.array, array[1] + 1)
        self.assertEqual(self.error(f"{address}/tile", 409, index=1, stamp=stamp), "the file has changed since it was opened: open it again")
        path.unlink()
        for part in ("volume", "values", "tile?index=0", "brick", "file", "zip", "png?index=0&low=0&high=1"):
            self.assertEqual(self.error(f"{address}/{part}", 404), f"volume{self.number}.h5 is not there any more", part)
        self.assertIsNone(self.ask(address).json["bytes"])

    def test_damaged_files_are_told_in_one_sentence(self):
        whole = self.written(random_volume((8, 40, 40), np.float32), chunks=(1, 40, 40), compression=4).read_bytes()
        no = self.server.results / "no.h5"
        for content, said in ((b"", "no.h5: it is no HDF5 file, or damaged"), (b"no HDF5" * 100, "no.h5: it is no HDF5 file, or damaged"),
                              (whole[:len(whole) // 2], "no.h5: it is cut off, or still being written")):
            no.write_bytes(content)
            self.assertEqual(self.error(f"results/{add_job(self.server, no)}/0/volume", 422), f"results/{said}")
        middle = bytearray(whole)
        with h5py.File(self.server.results / f"volume{self.number}.h5", "r") as file:
            info = file["entry/data/data"].id.get_chunk_info_by_coord((3, 0, 0))
        middle[info.byte_offset:info.byte_offset + info.size] = bytes(info.size)
        no.write_bytes(middle)
        address = f"results/{add_job(self.server, no)}/0"
        self.assertEqual(self.error(f"{address}/tile", 422, index=3), "results/no.h5: a chunk of /entry/data/data is damaged")
        self.ask(f"{address}/tile", index=2)
        zipped = self.server.ask("GET", f"{address}/file")
        self.assertEqual((zipped.status, zipped.body), (200, bytes(middle)))
        for name in ("empty", "text"):
            with h5py.File(no, "w") as file:
                file["entry/data/data"] = np.zeros((0, 3, 3), np.uint8) if name == "empty" else np.array([b"a", b"b"])
            self.assertTrue(self.error(f"results/{add_job(self.server, no)}/0/volume", 422).startswith("results/no.h5: "))

    def test_names_with_html_in_them_are_texts(self):
        wild = "<img src=x onerror=alert(1)>"
        path = self.server.results / f"{wild} 'ä\"%.h5"
        with h5py.File(path, "w") as file:
            file.create_dataset(wild.replace("/", ""), data=random_volume((2, 3, 4), np.uint8))
        address = f"results/{add_job(self.server, path, name=wild)}/0"
        answer = self.ask(f"{address}/volume")
        self.assertEqual((answer.json["dataset"], answer.headers["Content-Type"]), (f"/{wild}", "application/json"))
        self.assertEqual(self.ask(address).json["name"], path.name)
        given = self.ask(f"{address}/file").headers["Content-Disposition"]
        self.assertTrue(given.isascii() and "attachment" in given and given.count('"') == 2, given)
        with zipfile.ZipFile(io.BytesIO(self.ask(f"{address}/zip").body)) as archive:
            self.assertEqual(len(archive.namelist()), 2)

    # Several volumes, values, bricks

    def test_a_brick_keeps_small_things_that_are_bright(self):
        array = np.zeros((64, 64, 64), np.float32)
        array[30:33, 20:40, 20:40] = 5
        address = self.result(array)
        self.assertEqual(self.ask(f"{address}/values").json["levels"], [0, 5])
        brick = self.ask(f"{address}/brick")
        low, high = map(float, brick.headers["X-Range"].split(","))
        np.testing.assert_allclose(brick.array.max() * (high - low) / 255 + low, 5, atol=(high - low) / 255)

    def test_one_of_several_volumes(self):
        array = random_volume((3, 4, 5, 6), np.uint16)
        path = self.server.results / "turns.h5"
        with h5py.File(path, "w") as file:
            file["entry/data/data"] = array
        address = f"results/{add_job(self.server, path)}/0"
        self.assertEqual(self.ask(f"{address}/volume").json["volumes"], 3)
        for which in range(3):
            np.testing.assert_array_equal(self.ask(f"{address}/tile", index=2, which=which).array, array[which, 2])
            brick = self.ask(f"{address}/brick", which=which)
            self.assertEqual(brick.array.shape, (4, 5, 6))

    def test_values_are_those_of_the_desktop_program(self):
        array = random_volume((40, 50, 60), np.float32)
        address = self.result(array)
        got = self.ask(f"{address}/values").json
        volume = Volume(str(self.server.results / f"volume{self.number}.h5"))
        some = volume.sample()
        volume.close()
        np.testing.assert_allclose(got["levels"], np.percentile(some, (0.5, 99.5)), rtol=1e-6)
        np.testing.assert_array_equal(got["counts"], np.histogram(some, 256, got["span"])[0])

    def test_a_brick_is_a_small_copy(self):
        array = random_volume((150, 90, 70), np.uint16)
        for pyramid in (True, False):
            address = self.result(array, pyramid=pyramid)
            answer = self.ask(f"{address}/brick", most=128)
            low, high = map(float, answer.headers["X-Range"].split(","))
            self.assertEqual(answer.array.shape, (75, 45, 35) if pyramid else (75, 90, 70))
            wanted = halved(array, 2).astype(float) if pyramid else np.add.reduceat(array.astype(float), np.arange(0, 150, 2), 0) / 2
            np.testing.assert_allclose(answer.array * ((high - low) / 255) + low, wanted.clip(low, high), atol=(high - low) / 254)
            self.assertEqual(self.ask(f"{address}/brick", most=256).array.shape, (150, 90, 70))
            # The window that a browser begins with has its place in it.
            levels = self.ask(f"{address}/values").json["levels"]
            self.assertTrue(low <= levels[0] < levels[1] <= high, (low, levels, high))
        self.assertTrue(list((self.server.state / "bricks").glob("*.brick")))
        self.assertEqual(self.ask(f"{address}/brick").body, self.ask(f"{address}/brick").body)

    # Many at once

    def test_many_browsers_read_at_once(self):
        arrays = [random_volume((16, 256, 256), np.uint16, seed) for seed in range(6)]  # more than stay open
        addresses = [self.result(array, chunks=(4, 64, 64)) for array in arrays]
        random = np.random.default_rng(3)
        wishes = [(int(random.integers(6)), int(random.integers(3)), int(random.integers(16))) for _ in range(150)]

        def wish(one):
            which, axis, index = one
            return self.ask(f"{addresses[which]}/tile", axis=axis, index=index).array

        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            for (which, axis, index), got in zip(wishes, pool.map(wish, wishes)):
                np.testing.assert_array_equal(got, arrays[which].take(index, axis)[:256, :256])

    def test_who_has_gone_is_not_waited_for(self):
        """A plane along x is read from all of the file, and to its end for those alone who wait."""
        address = self.result(np.zeros((400, 256, 256), np.float32))
        before = self.read_bytes()
        self.ask(f"{address}/tile", axis=2, index=0)
        one = self.read_bytes() - before
        before = self.read_bytes()
        for index in range(1, 41):
            connection = http.client.HTTPConnection(self.server.host, self.server.port, timeout=PATIENCE)
            connection.request("GET", f"/api/{address}/tile?axis=2&index={index}", headers={"Authorization": f"Bearer {self.server.token}"})
            connection.close()
        self.ask(f"{address}/tile", axis=2, index=50)  # comes behind all of them
        self.assertLess(self.read_bytes() - before, 20 * one)


if __name__ == "__main__":
    main()
