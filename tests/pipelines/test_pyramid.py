#!/usr/bin/python3
# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The pyramid beside a volume in an HDF5 file."""

import os
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


class Pyramids(FaultTestCase):
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
        with h5py.File("large.h5") as file:
            self.assertEqual(sorted(file), ["data"] + sorted(f"data_{2 ** level}x" for level in range(1, 7)))
            self.assertEqual(file["data_2x"].shape, (50, 501, 1250))
            self.assertTrue((file["data_64x"][...] == 3).all())
        with h5py.File("small.h5") as file:
            self.assertEqual(list(file), ["data"])
        os.remove("large.h5")
        os.remove("small.h5")
        self.save((5, 70, 71))
        for settings in ("hdf5-parts=2", "append=true", "hdf5-volume=2"):
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
        process = start_launch(LINE.format("identity sleep-time=10000 !", "pyramid=yes"), ("-e",))
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
            process = start_launch(LINE.format("identity sleep-time=5000 !", first))
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


if __name__ == "__main__":
    main()
