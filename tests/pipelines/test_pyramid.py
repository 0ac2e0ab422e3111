#!/usr/bin/python3
# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Volumes in HDF5 files: their chunks, and the pyramid beside them."""

import os
import shutil
import signal
import time

from pipetest import *
from zarr_files import halved

LINE = "tomoread path=scan.npy convert=false ! {} tomowrite name=write filename=out.h5:/entry/data/data {}"


def levels(name="out.h5", dataset="entry/data/data"):
    with h5py.File(name, "r") as file:
        found = [file[dataset][...]]
        while f"{dataset}_{2 ** len(found)}x" in file:
            level = file[f"{dataset}_{2 ** len(found)}x"]
            assert level.attrs["pyramid_factor"] == 2 ** len(found)
            assert level.attrs["pyramid_of"] == "/" + dataset
            found.append(level[...])
        return found


class Volumes(FaultTestCase):
    def save(self, shape, dtype=np.float32):
        self.scan = random_array(dtype, shape)
        np.save("scan.npy", self.scan)
        return self.scan

    def check(self, scan=None, **place):
        scan, found = self.scan if scan is None else scan, levels(**place)
        np.testing.assert_array_equal(found[0], scan)
        for before, level in zip(found, found[1:]):
            wanted = halved(before)
            self.assertEqual((level.shape, level.dtype), (wanted.shape, scan.dtype))
            precision = 4 * np.finfo(scan.dtype).eps if scan.dtype.kind in "fc" else 0
            np.testing.assert_allclose(level, wanted, rtol=precision, atol=precision * (np.abs(before).max() if precision else 0))
        self.assertEqual(len(found), 1 + max(0, int(np.ceil(np.log2(max(scan.shape[1:]) / 64)))))
        return found

    def interrupt(self, settings, seconds, delay=8000, file="out.h5.partial", by=signal.SIGKILL):
        """A run that ends some time after its file is there."""
        process = start_launch(LINE.format(f"identity sleep-time={delay} !", settings), ("-e",))
        since = time.monotonic()
        while not os.path.exists(file) and process.poll() is None and time.monotonic() - since < PATIENCE:
            time.sleep(0.01)
        time.sleep(seconds)
        process.send_signal(by)
        process.communicate(timeout=PATIENCE)


class Pyramids(Volumes):
    def test_levels(self):
        """Of all types, in sizes that are odd and prime, alone and with other settings of the writer."""
        kinds = [("", ""), ("", "hdf5-deflate=1"), ("tomostack number={} !", "")]
        shapes = [(67, 131, 257), (1, 1, 130), (2, 129, 3), (3, 65, 64), (31, 64, 64), (33, 66, 300)]
        for number, dtype in enumerate(FORMATS.values()):
            shape, (before, settings) = shapes[number % len(shapes)], kinds[number % len(kinds)]
            with self.subTest(np.dtype(dtype).name, shape=shape, settings=settings):
                self.save(shape, dtype)
                self.assert_launches(LINE.format(before.format(shape[0]), "pyramid=yes " + settings))
                self.check()
        self.save((11, 70, 71))
        self.assert_launches(LINE.format("", "bits=8 pyramid=yes"))
        with h5py.File("out.h5") as file:
            low, high = self.scan.min(), self.scan.max()
            self.assertEqual([file["entry/data/data_2x"].attrs["grey_" + name] for name in ("minimum", "maximum")], [low, high])
        self.check(scan=np.floor((self.scan.astype(np.float64) - low) / (float(high) - low) * 255 + 0.5).astype(np.uint8))

    def test_when(self):
        """By itself beside large volumes; nowhere else, and where it can't be, asking for it is an error."""
        line = "tomodummydata width=2500 height=1001 number={} init=3 ! tomowrite filename={}.h5:/data fsync=false"
        self.assert_launches(line.format(100, "large"))
        self.assert_launches(line.format(10, "small"))
        self.assert_launches(line.format(100, "parts") + " hdf5-parts=3")
        with h5py.File("parts.h5") as file:
            self.assertEqual(sorted(file), ["data"] + sorted(f"data_{2 ** level}x" for level in range(1, 7)))
            self.assertTrue((file["data_64x"][...] == 3).all())
        with h5py.File("large.h5") as file:
            self.assertEqual(sorted(file), ["data"] + sorted(f"data_{2 ** level}x" for level in range(1, 7)))
            self.assertEqual(file["data_2x"].shape, (50, 501, 1250))
            self.assertTrue((file["data_64x"][...] == 3).all())
        with h5py.File("small.h5") as file:
            self.assertEqual(list(file), ["data"])
        os.remove("large.h5")
        os.remove("small.h5")
        os.remove("parts.h5")
        shutil.rmtree("parts.h5.parts")
        self.save((5, 70, 71))
        for settings in ("append=true", "hdf5-volume=2"):
            self.check_error(launch(LINE.format("", "pyramid=yes " + settings), ("-q",)).errors[0], "write", ["pyramid"])
        self.check_error(launch("tomoread path=scan.npy ! tomowrite name=write filename=out.tif pyramid=yes", ("-q",)).errors[0],
                         "write", ["pyramid"])
        self.assertEqual(os.listdir(), ["scan.npy"])

    def test_replaced(self):
        """No level of an older dataset stays beside a new one; other datasets stay as they are."""
        self.save((20, 300, 71))
        self.assert_launches(LINE.format("", "pyramid=yes"))
        with h5py.File("out.h5", "a") as file:
            file["entry/data/data_notes"] = np.arange(3)
        self.save((9, 70, 130))
        self.assert_launches(LINE.format("", "pyramid=yes"))
        self.check()
        self.save((8, 70, 130))
        self.assert_launches(LINE.format("", ""))
        self.assertEqual(len(levels()), 1)
        self.assert_launches(LINE.format("", "pyramid=yes"))
        self.assert_launches(LINE.format("", "append=true"))
        self.assertEqual([level.shape for level in levels()], [(16, 70, 130)])
        with h5py.File("out.h5") as file:
            np.testing.assert_array_equal(file["entry/data/data_notes"], np.arange(3))

    def test_early_end(self):
        """The levels are those of the images that came; a later run goes on with both."""
        self.save((101, 70, 130))
        process = start_launch(LINE.format("identity sleep-time=30000 !", "pyramid=yes"), ("-e",))
        since = time.monotonic()
        while not os.path.exists("out.h5.partial") and time.monotonic() - since < PATIENCE:
            time.sleep(0.01)
        time.sleep(0.4)
        process.send_signal(signal.SIGINT)
        end_launch(process, since)
        came = len(levels()[0])
        self.assertTrue(0 < came < 101, came)
        self.check(scan=self.scan[:came])
        self.assert_launches(LINE.format("", "pyramid=yes resume=true"))
        self.check()
        self.assert_launches(LINE.format("", "pyramid=yes resume=true"))
        self.check()

    def test_resumed_after_a_kill(self):
        """In a file of its own, and beside another dataset; also by a run that wants levels which were not there."""
        self.save((301, 70, 131))
        for first in "pyramid=yes", "pyramid=yes", "pyramid=no":
            process = start_launch(LINE.format("identity sleep-time=8000 !", first))
            since = time.monotonic()
            while not os.path.exists("out.h5.partial") and process.poll() is None and time.monotonic() - since < PATIENCE:
                time.sleep(0.01)
            time.sleep(rng.uniform(0.5, 1.5))
            process.kill()
            process.communicate()
            self.assert_launches(LINE.format("", "pyramid=yes resume=true"))
            self.check()
            os.remove("out.h5")
        with h5py.File("out.h5", "w") as file:
            file["other"] = np.arange(3)
        process = start_launch(LINE.format("identity sleep-time=5000 !", "pyramid=yes"))
        time.sleep(rng.uniform(1, 2))
        process.kill()
        process.communicate()
        self.assert_launches(LINE.format("", "pyramid=yes resume=true"))
        self.check()
        with h5py.File("out.h5") as file:
            np.testing.assert_array_equal(file["other"], np.arange(3))
            self.assertEqual(sorted(file["entry/data"]), ["data", "data_2x", "data_4x", "x", "y", "z"])
        # Levels that a killed run left are none of a new one with other images.
        process = start_launch(LINE.format("identity sleep-time=5000 !", "pyramid=yes"))
        time.sleep(rng.uniform(1, 2))
        process.kill()
        process.communicate()
        self.save((5, 65, 132), np.uint8)
        self.assert_launches(LINE.format("", "pyramid=yes"))
        self.check()
        with h5py.File("out.h5") as file:
            self.assertEqual(sorted(file["entry/data"]), ["data", "data_2x", "data_4x", "x", "y", "z"])

    def test_beside_parts(self):
        """Further files have the levels of a dataset in several files, the largest one in several; they go with them."""
        for shape, dtype, settings in (((67, 131, 257), np.float32, "hdf5-parts=3"), ((9, 66, 129), np.uint16, "hdf5-parts=8 hdf5-deflate=1"),
                                       ((2, 3, 300), np.complex64, "hdf5-parts=5"), ((1, 70, 64), np.float16, "hdf5-parts=2"),
                                       ((31, 64, 64), np.uint8, "hdf5-parts=2"), ((603, 3, 130), np.uint8, "hdf5-parts=3"),
                                       ((257, 66, 65), np.float32, "hdf5-parts=6 hdf5-deflate=1")):
            with self.subTest(shape=shape, settings=settings):
                self.save(shape, dtype)
                self.assert_launches(LINE.format("", "pyramid=yes " + settings))
                self.check()
                parts = int(settings.split("=")[1].split()[0])
                blocks = -(-shape[0] // 128) if max(shape[1:]) > 64 else 0
                files = min(shape[0], parts) + min(blocks, parts, 4) + (max(shape[1:]) > 128)
                self.assertEqual(len(os.listdir("out.h5.parts")), files)
                # Of level 1 each image is read where it is.
                if blocks > 1:
                    found = list(run("tomoread path=out.h5:/entry/data/data_2x convert=false"))
                    np.testing.assert_array_equal(found, levels()[1])
        self.save((12, 70, 71))
        self.assert_launches(LINE.format("tomostack number=4 !", "bits=8 pyramid=yes hdf5-parts=2"))
        with h5py.File("out.h5") as file:
            low, high = self.scan.min(), self.scan.max()
            self.assertEqual([file["entry/data/data_2x"].attrs["grey_" + name] for name in ("minimum", "maximum")], [low, high])
        self.check(scan=np.floor((self.scan.astype(np.float64) - low) / (float(high) - low) * 255 + 0.5).astype(np.uint8))
        # What replaces it has no levels of it.
        self.assert_launches(LINE.format("", "hdf5-parts=2"))
        self.assertEqual((len(levels()), len(os.listdir("out.h5.parts"))), (1, 2))
        self.assert_launches(LINE.format("", "pyramid=yes"))
        self.assert_launches(LINE.format("", "hdf5-parts=2"))
        self.assertEqual(len(levels()), 1)
        self.assert_launches(LINE.format("", "pyramid=yes hdf5-parts=3"))
        self.assert_launches(LINE.format("", ""))
        self.assertEqual((len(levels()), os.path.exists("out.h5.parts")), (1, False))

    def test_beside_parts_resumed(self):
        """After a kill, after an early end at an odd image, and where the interrupted run had no levels."""
        self.save((301, 70, 131))
        first_part = "out.h5.parts/entry.data.data-a-000-of-003.h5.partial"
        for before in "pyramid=yes", "pyramid=no":
            self.interrupt(before + " hdf5-parts=3", rng.uniform(0.5, 1.4), file=first_part)
            self.assertFalse(os.path.exists("out.h5"))
            self.assert_launches(LINE.format("", "pyramid=yes hdf5-parts=3 resume=true"))
            self.check()
            self.assertEqual(len(os.listdir("out.h5.parts")), 7)
            shutil.rmtree("out.h5.parts")
            os.remove("out.h5")
        for number in 80, 81:
            self.assert_launches(LINE.format(f"identity eos-after={number} !", "pyramid=yes hdf5-parts=3"))
            self.check(scan=self.scan[:len(levels()[0])])
            for _ in range(2):
                self.assert_launches(LINE.format("", "pyramid=yes hdf5-parts=3 resume=true"))
                self.check()
        self.assert_launches(LINE.format("", "pyramid=no hdf5-parts=3 resume=true"))
        self.assertEqual((len(levels()), len(os.listdir("out.h5.parts"))), (1, 3))


class Chunks(Volumes):
    def check_chunks(self, chunks, **place):
        with h5py.File(place.get("name", "out.h5")) as file:
            self.assertEqual(file["entry/data/data"].chunks, chunks)
            # What lies in a chunk beyond the edge is the same whatever ran before.
            dataset = file["entry/data/data"]
            if dataset.compression is None and dataset.dtype.names is None:
                for i in range(dataset.id.get_num_chunks()):
                    where = dataset.id.get_chunk_info(i).chunk_offset
                    _, stored = dataset.id.read_direct_chunk(where)
                    whole = np.frombuffer(stored, dataset.dtype).reshape(chunks)
                    inside = tuple(slice(0, max(0, min(c, n - o))) for c, n, o in zip(chunks, dataset.shape, where))
                    np.testing.assert_array_equal(whole[inside], dataset[tuple(slice(o, o + c) for o, c in zip(where, chunks))])
                    outside = np.ones(chunks, bool)
                    outside[inside] = False
                    self.assertFalse(whole[outside].any())

    def test_chunks(self):
        """Of all types and odd sizes, with partial chunks at all borders, compressed, with levels and as integers."""
        shapes = [(67, 70, 131), (1, 1, 3), (129, 66, 65), (5, 65, 1)]
        kinds = [("cube", ""), ("7,11,13", ""), ("cube", "hdf5-deflate=1"), ("1,16,131", ""), ("3,64,200", "hdf5-deflate=4 pyramid=yes")]
        for number, dtype in enumerate(FORMATS.values()):
            for (chunks, settings), shape in zip([kinds[number % len(kinds)], ("cube", "pyramid=yes")], shapes[number % 2:]):
                with self.subTest(np.dtype(dtype).name, shape=shape, chunks=chunks, settings=settings):
                    self.save(shape, dtype)
                    self.assert_launches(LINE.format("", f"chunks={chunks} {settings}"))
                    sizes = [64] * 3 if chunks == "cube" else [int(size) for size in chunks.split(",")]
                    self.check_chunks(tuple(min(a, b) for a, b in zip(sizes, shape)))
                    if "pyramid" in settings:
                        self.check()
                    np.testing.assert_array_equal(levels()[0], self.scan)
        # As tomoread gives them.
        found = list(run("tomoread path=out.h5:/entry/data/data convert=false"))
        np.testing.assert_array_equal(np.concatenate([np.atleast_3d(a).reshape(-1, *self.scan.shape[1:]) for a in found]), self.scan)
        self.save((70, 9, 71))
        self.assert_launches(LINE.format("tomostack number=35 !", "chunks=32,8,16 bits=16"))
        self.check_chunks((32, 8, 16))
        scan, low, high = (value.astype(np.float64) for value in (self.scan, self.scan.min(), self.scan.max()))
        np.testing.assert_array_equal(levels()[0], np.floor((scan - low) / (high - low) * 65535 + 0.5))

    def test_continued(self):
        """Behind images that fill no chunk, also those of other programs; a failure leaves what was there."""
        for settings in "", "hdf5-deflate=2":
            scan = self.save((37, 20, 30), np.uint16)
            self.assert_launches(LINE.format("", "chunks=16,8,8 " + settings))
            for _ in range(2):
                self.assert_launches(LINE.format("", "append=true"))
                scan = np.concatenate([scan, self.scan])
                np.testing.assert_array_equal(levels()[0], scan)
            self.check_chunks((16, 8, 8))
            for after in 3, 30:
                result = launch(LINE.format(f"identity error-after={after + 1} !", "append=true"), ("-q",))
                self.assertNotEqual(result.rc, 0)
                with h5py.File("out.h5") as file:
                    np.testing.assert_array_equal(file["entry/data/data"][...], scan)
                    partial = file["entry/data/data.partial"][...]
                    self.assertEqual(partial.shape[0], after)
                    np.testing.assert_array_equal(partial, self.scan[:after])
            os.remove("out.h5")

    def test_resumed(self):
        """After a kill, an early end and a whole run: with images of the last chunk, and its levels."""
        self.save((301, 70, 131))
        for settings in "chunks=16,64,64 pyramid=yes", "chunks=10,64,64 hdf5-deflate=1 pyramid=yes", "chunks=cube":
            self.interrupt(settings, rng.uniform(0.4, 1.2))
            self.assert_launches(LINE.format("", settings + " resume=true"))
            np.testing.assert_array_equal(levels()[0], self.scan)
            if "pyramid" in settings:
                self.check()
            os.remove("out.h5")
        settings = "chunks=32,64,64 pyramid=yes"
        self.interrupt(settings, 0.5, by=signal.SIGINT)
        came = len(levels()[0])
        self.assertTrue(0 < came < 301, came)
        self.check(scan=self.scan[:came])
        self.check_chunks((32, 64, 64))
        for _ in range(2):
            self.assert_launches(LINE.format("", settings + " resume=true"))
            self.check()
            self.check_chunks((32, 64, 64))
        self.check_error(launch(LINE.format("", "chunks=cube resume=true"), ("-q",)).errors[0], "write", ["other chunks"])
        self.check()

    def test_refused(self):
        self.save((5, 70, 71))
        before = sorted(os.listdir())
        for settings, words in (("chunks=ball", ["ball", "cube"]), ("chunks=0,8,8", ["0,8,8"]), ("chunks=cube hdf5-parts=2", ["chunks", "2 files"])):
            self.check_error(launch(LINE.format("", settings), ("-q",)).errors[0], "write", words)
        for name in "out.tif", "out-%i.h5:/data":
            self.check_error(launch(f"tomoread path=scan.npy ! tomowrite name=write filename={name} chunks=cube", ("-q",)).errors[0], "write", ["chunks"])
        for settings in "1024,1024,1024", "4294967295,1024,1024":
            line = f"tomodummydata width=1025 height=1025 number=100000 ! tomowrite name=write filename=out.h5:/data chunks={settings}"
            self.check_error(launch(line, ("-q",)).errors[0], "write", ["4 GiB"])
        self.assertEqual(sorted(os.listdir()), before)


if __name__ == "__main__":
    main()
