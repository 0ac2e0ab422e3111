#!/usr/bin/python3
# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A machine that stops while, or after, results are written: what is on the disk then is whole, or says that it is not.

A run is recorded once; then the disk is made as it may be after a stop at many moments of it."""

import os

from pipetest import *
from stopped_machine import Disk, read_files, read_log, write_files

IMAGES = 24
STOPS = int(os.environ.get("GST_TOMO_TEST_STOPS", 24))


class StoppedMachine(PipelineTestCase):
    def setUp(self):
        super().setUp()
        self.images = [random_array(np.float32, (30, 50)) for _ in range(IMAGES)]
        tifffile.imwrite("in.tif", np.array(self.images))

    def record(self, target, options=""):
        """Returns what was there before, and what happened."""
        before = read_files(self.folder, "out")
        environment = {"LD_PRELOAD": os.environ["GST_TOMO_RECORDING_DISK"], "RECORDING_DISK_NAME": f"{self.folder}/out",
                       "RECORDING_DISK_LOG": f"{self.folder}/log"}
        # HDF5 flushes several times.
        pause = "! tomosleep time=0.18" if ".h5" in target else ""
        self.assert_launches(f"tomoread path=in.tif {pause} ! tomowrite filename={target} {options}", env=environment)
        self.clear()
        log = read_log("log")
        os.remove("log")
        self.assertGreater(len(log), 10)
        return before, log

    def clear(self):
        for name in read_files(self.folder, "out"):
            os.remove(name)

    def assert_complete_in_the_end(self, before, log, *names):
        """When the run has ended, nothing has to be waited for any more."""
        disk = Disk(before)
        for record in log:
            disk.play(record)
        # Removing the empty file that claims a series need not be waited for: who finds it takes it over.
        claim = f"{self.folder}/out-%02i.tif.partial"
        for _ in range(3):
            files = disk.after_stop(rng)
            self.assertEqual(files.pop(claim, b""), b"")
            self.assertEqual(files, {f"{self.folder}/{name}": bytes(disk.names[f"{self.folder}/{name}"].safe) for name in names})
        self.assertEqual([record.path for record, _ in disk.waiting if record.path != claim], [])

    def at_stops(self, check, before, log):
        """Calls check(names of files) on the disk as it may be after stops at random moments; every other one is close
        to a sync or a change of names."""
        turns = [i for i, record in enumerate(log) if record.operation not in ("write", "truncate")]
        for number in range(STOPS):
            at = int(rng.integers(len(log) + 1))
            if number % 2:
                at = min(len(log), int(rng.choice(turns)) + int(rng.integers(-2, 3)))
            disk = Disk(before)
            for record in log[:max(at, 0)]:
                disk.play(record)
            files = disk.after_stop(rng)
            self.clear()
            write_files(files)
            left = {os.path.basename(name): len(data) for name, data in files.items()}
            with self.subTest(stop=f"before record {at} of {len(log)}", left=left):
                check(set(left))

    def complete(self, target):
        """With what a stopped machine left, by the same line once more."""
        self.assert_launches(f"tomoread path=in.tif ! tomowrite filename={target} resume=true")

    def assert_first_images(self, images):
        for image, wanted in zip(images, self.images):
            np.testing.assert_array_equal(image, wanted)
        return len(images)

    def test_hdf5(self):
        kept = set()

        def check(left):
            if "out.h5" in left:
                self.assertEqual(self.assert_first_images(read_dataset("out.h5", "entry/x/data")), IMAGES)
            elif "out.h5.partial" in left:
                result = launch("tomoread path=out.h5.partial:/entry/x/data type=hdf5 ! tomowrite filename=read.tif", ("-q",))
                if result.rc == 0:
                    kept.add(self.assert_first_images(read_pages("read.tif")))
                    os.remove("read.tif")
            self.complete("out.h5:/entry/x/data")
            self.assertEqual(self.assert_first_images(read_dataset("out.h5", "entry/x/data")), IMAGES)

        for options in "", "hdf5-deflate=1":
            self.clear()
            before, log = self.record("out.h5:/entry/x/data", options)
            self.assert_complete_in_the_end(before, log, "out.h5")
            self.at_stops(check, before, log)
        self.assertGreater(len(kept), 2) # flushes do keep something

    def test_second_dataset(self):
        first = random_array(np.float32, (7, 30, 50))

        def check(left):
            self.assertIn("out.h5", left)
            self.assert_launches("tomoread path=out.h5:/first ! tomowrite filename=read.tif")
            np.testing.assert_array_equal(read_pages("read.tif"), first)
            data = read_dataset("out.h5", "entry/x/data")
            if len(data) == 2:
                np.testing.assert_array_equal(data, first[:2])
                self.assert_launches("tomoread path=in.tif ! tomowrite filename=out.h5:/entry/x/data")
                data = read_dataset("out.h5", "entry/x/data")
            self.assertEqual(self.assert_first_images(data), IMAGES)
            np.testing.assert_array_equal(read_dataset("out.h5", "first"), first)
            os.remove("read.tif")

        with h5py.File("out.h5", "w") as file:
            file["first"] = first
            file.create_dataset("entry/x/data", data=first[:2], chunks=(1, 30, 50))
        self.at_stops(check, *self.record("out.h5:/entry/x/data"))

    def test_series(self):
        def check(left):
            for name in left:
                if name.endswith(".tif"):
                    np.testing.assert_array_equal(tifffile.imread(name), self.images[int(name[4:6])])
            self.complete("out-%02i.tif")
            for i, image in enumerate(self.images):
                np.testing.assert_array_equal(tifffile.imread(f"out-{i:02}.tif"), image)

        before, log = self.record("out-%02i.tif")
        self.assert_complete_in_the_end(before, log, *(f"out-{i:02}.tif" for i in range(IMAGES)))
        self.at_stops(check, before, log)

    def test_stack(self):
        """There are no promises for the partial file, but for the name."""

        def check(left):
            if target == "out.tif" and target in left:
                self.assertEqual(self.assert_first_images(read_pages(target)), IMAGES)
            elif target in left:
                header = 512 if target == "out.edf" else 0
                rows = np.fromfile(target, np.uint8).reshape(IMAGES, -1)[:, header:].copy().view(np.float32)
                np.testing.assert_array_equal(rows, np.reshape(self.images, (IMAGES, -1)))

        for target in "out.tif", "out.edf", "out.raw":
            self.clear()
            before, log = self.record(target)
            self.assert_complete_in_the_end(before, log, target)
            self.at_stops(check, before, log)


if __name__ == "__main__":
    main()
