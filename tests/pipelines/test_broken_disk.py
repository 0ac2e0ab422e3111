#!/usr/bin/python3
# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Disks that break, quotas and network shares that go away in the middle: system calls that fail, by a library that is
preloaded (tests/support/failing-disk.cpp)."""

import errno
import os

from pipetest import *
from elementtest import Stream
from zarr_files import read_zarr

SHAPE = (40, 50)
BYTES = 4 * SHAPE[0] * SHAPE[1]
OLD = np.arange(1000, dtype=np.float32).reshape(25, 40)
STACKS = "out.tif", "out.edf", "out.raw", "out.h5:/data", "out.h5:/data hdf5-deflate=1"


def text_of(number):
    return os.strerror(number)


class BrokenDisk(FaultTestCase):
    def setUp(self):
        super().setUp()
        self.images = write_sinograms("in", SHAPE, 6)
        self.inputs = [f"in/sino{i:02}.tif" for i in range(6)]

    def failing(self, call, name, number, after=0):
        return {"LD_PRELOAD": os.environ["GST_TOMO_FAILING_DISK"], "FAILING_DISK": f"{call}:{name}:{number}:{after}"}

    def fails(self, line, environment, element, *words, inputs=None):
        """One clear error, and what was there before stays as it is; returns the new files."""
        result = launch(line, ("-q",), environment)
        self.assertNotEqual(result.rc, 0, str(result))
        self.assertTrue(result.errors, str(result))
        self.check_error(result.errors[0], element, words)
        files = {os.path.relpath(os.path.join(root, name), self.folder)
                 for root, _, names in os.walk(self.folder) for name in names}
        return files - set(inputs or self.inputs), result

    def remove(self, files):
        for name in files:
            os.remove(name)

    def images_in(self, place):
        name, _, dataset = place.partition(":")
        if dataset:
            return list(read_dataset(name, dataset))
        if ".tif" in name:
            return read_pages(name)
        header = 512 if ".edf" in name else 0
        with open(name, "rb") as file:
            samples = file.read()
        return [np.frombuffer(samples, np.float32, SHAPE[0] * SHAPE[1], start + header).reshape(SHAPE)
                for start in range(0, len(samples), header + BYTES)]

    def assert_first_images(self, place, least=1):
        images = self.images_in(place)
        self.assertGreaterEqual(len(images), least)
        for image, wanted in zip(images, self.images):
            np.testing.assert_array_equal(image, wanted)
        return len(images)

    def test_writing_a_zarr_stops(self):
        scan = random_array(np.float32, (150, 129, 70))
        np.save("scan.npy", scan)
        line = "tomoread path=scan.npy ! tomowrite filename=out.zarr"
        for file, after, images in ("out.zarr.partial/0/1/", 3 << 18, 64), ("out.zarr.partial/1/", 0, 0):
            result = launch(line, ("-q",), self.failing("write", file, errno.EDQUOT, after))
            self.assertIn(text_of(errno.EDQUOT), result.errors[0])
            self.assertEqual(os.path.exists("out.zarr.partial"), images > 0)
            if images:
                self.assertIn(f"{images} whole images are kept in 'out.zarr.partial'", result.out)
                np.testing.assert_array_equal(read_zarr("out.zarr.partial/0"), scan[:images])
            self.assert_launches(line + " resume=true")
            np.testing.assert_array_equal(read_zarr("out.zarr/0"), scan)
            shutil.rmtree("out.zarr")

    def partial(self, target):
        name, _, dataset = target.split()[0].partition(":")
        return name + ".partial" + (":" + dataset if dataset else "")

    def test_writing_stops(self):
        """Whole images are kept, and resume=true goes on behind them."""
        for target in STACKS:
            # Noise hardly shrinks.
            after = int(3.5 * BYTES)
            for number in errno.EIO, errno.EDQUOT, errno.ESTALE:
                with self.subTest(target, error=errno.errorcode[number]):
                    line = f"tomoread path=in ! tomowrite filename={target}"
                    left, result = self.fails(line, self.failing("write", "out.", number, after), "tomowrite0", "out.",
                                              text_of(number))
                    self.assertNotIn(target.split(":")[0].split()[0], left)
                    if left:
                        self.assert_first_images(self.partial(target))
                        self.assertIn("kept in", result.out)
                    else: # HDF5 is readable up to the last flush, which is that of no image here
                        self.assertIn(".h5", target)
                    self.assert_launches(line + " resume=true")
                    self.assertEqual(self.assert_first_images(target.split()[0]), 6)
                    self.remove({target.split(":")[0].split()[0]})
                    self.assert_files(*self.inputs)

    def test_writing_a_second_dataset_stops(self):
        with h5py.File("out.h5", "w") as file:
            file["first"] = OLD
        half_done = 0
        for after in range(0, 8 * BYTES, 2100):
            with self.subTest(after=after):
                left, _ = self.fails("tomoread path=in ! tomowrite filename=out.h5:/entry/second",
                                     self.failing("write", "out.h5", errno.EIO, after), "tomowrite0", "out.h5", text_of(errno.EIO))
                self.assertIn("out.h5", left)
                self.assertLessEqual(left, {"out.h5", "out.h5.journal"})
                if "out.h5.journal" in left:
                    half_done += 1
                    self.complete_without_locks()
                # The next one to open it completes what was under way.
                self.assert_launches("tomoread path=out.h5:/first ! tomowrite filename=read.raw")
                np.testing.assert_array_equal(np.fromfile("read.raw", np.float32), OLD.ravel())
                np.testing.assert_array_equal(read_dataset("out.h5", "first"), OLD)
                os.remove("read.raw")
        self.assertGreater(half_done, 0)

    def complete_without_locks(self):
        """Nobody knows whether a writer is alive: readers wait a minute after its last sign."""
        no_locks = self.failing("lock", "out.h5", errno.ENOSYS)
        launch("tomoread path=out.h5:/first ! tomonull", ("-q",), no_locks)
        self.assertTrue(os.path.exists("out.h5.journal"))
        before = os.path.getmtime("out.h5.journal")
        os.utime("out.h5.journal", (before - 100, before - 100))
        self.assert_launches("tomoread path=out.h5:/first ! tomonull", env=no_locks)
        self.assertFalse(os.path.exists("out.h5.journal"))

    def test_the_disk_fails_later(self):
        """What the system took and then could not write: no file gets its name, and nothing is called whole."""
        for target in STACKS:
            with self.subTest(target):
                name = target.split(":")[0].split()[0]
                line = f"tomoread path=in ! tomowrite filename={target}"
                left, result = self.fails(line, self.failing("sync", "out.", errno.EIO), "tomowrite0", "out.", text_of(errno.EIO))
                if ".h5" in target:
                    self.assertEqual(left, set(), str(result))
                else:
                    self.assertEqual(left, {name + ".damaged"}, str(result))
                    self.assertIn("6 images are kept", result.out)
                    self.assertIn("the disk may lack some", result.out)
                self.remove(left)
                self.assert_launches(line + " fsync=false", env=self.failing("sync", "out.", errno.EIO))
                self.assertEqual(self.assert_first_images(target.split()[0]), 6)
                os.remove(name)

    def test_the_disk_fails_at_a_later_flush(self):
        """HDF5 keeps what was safe before; a dataset that was there stays whatever fails."""
        failed = 0
        for after in range(14):
            with self.subTest(after=after):
                with h5py.File("out.h5", "w") as file:
                    file.create_dataset("entry/x/data", data=OLD, chunks=OLD.shape)
                result = launch("tomoread path=in ! tomowrite filename=out.h5:/entry/x/data", ("-q",),
                                self.failing("sync", "out.h5", errno.EIO, after))
                if result.rc == 0: # there were fewer
                    np.testing.assert_array_equal(read_dataset("out.h5", "entry/x/data"), self.images)
                else:
                    failed += 1
                    self.check_error(result.errors[0], "tomowrite0", ["out.h5", text_of(errno.EIO)])
                    self.assert_launches("tomoread path=out.h5:/entry/x/data ! tomowrite filename=read.raw")
                    found = np.fromfile("read.raw", np.float32)
                    np.testing.assert_array_equal(
                        found, OLD.ravel() if len(found) == OLD.size else np.ravel(self.images))
                    os.remove("read.raw")
        self.assertGreater(failed, 5)

    def test_append_and_resume(self):
        """What was there before is there after a failure, and so is what was flushed."""
        failed = 0
        for options in "append=true", "resume=true":
            for call, afters in ("sync", range(8)), ("write", range(0, 8 * BYTES, 5100)):
                for after in afters:
                    with self.subTest(options, call=call, after=after):
                        self.remove(set(os.listdir()) - {"in"})
                        with h5py.File("out.h5" if "append" in options else "out.h5.partial", "w") as file:
                            file.create_dataset("entry/x/data", data=self.images[:4], chunks=(1, *SHAPE), maxshape=(None, *SHAPE))
                        line = f"tomoread path=in ! tomowrite filename=out.h5:/entry/x/data {options}"
                        result = launch(line, ("-q",), self.failing(call, "out.h5", errno.EIO, after))
                        self.assertNotIn("SIGSEGV", result.out)
                        if result.rc != 0:
                            failed += 1
                            self.check_error(result.errors[0], "tomowrite0", ["out.h5", text_of(errno.EIO)])
                        if "resume" in options:
                            self.assert_launches(line)
                        else:
                            self.assert_launches("tomoread path=out.h5:/entry/x/data ! tomonull") # completes it
                        images = read_dataset("out.h5", "entry/x/data")
                        if "append" in options:
                            np.testing.assert_array_equal(images[:4], self.images[:4])
                            np.testing.assert_array_equal(images[4:], np.array(self.images)[: len(images) - 4])
                        else:
                            np.testing.assert_array_equal(images, self.images)
        self.assertGreater(failed, 10)

    def test_resume_computes_in_the_same_groups(self):
        """What is computed together gives the bits that it gave: several slices side by side round in another way than one."""
        os.mkdir("many")
        for n in range(37):
            tifffile.imwrite(f"many/{n:02}.tif", rng.standard_normal((20, 24)).astype(np.float32))
        for chain in ("tomosirt axis-pos=12 num-iterations=3", "tomoblur ! tomosirt axis-pos=12 num-iterations=3 batch=5 ! queue ! tomorampfilter batch=7"):
            line = f"tomoread path=many ! {chain} ! tomowrite filename=out.h5:/data"
            self.assert_launches(line)
            whole = read_dataset("out.h5", "data")
            for there in 2, 17, 20, 33, 36:
                with self.subTest(chain, there=there):
                    os.remove("out.h5")
                    with h5py.File("out.h5.partial", "w") as file:
                        file.create_dataset("data", data=whole[:there], chunks=(1, *whole.shape[1:]), maxshape=(None, *whole.shape[1:]))
                    self.assert_launches(line + " resume=true")
                    np.testing.assert_array_equal(read_dataset("out.h5", "data"), whole)
            os.remove("out.h5")

    def test_resume_behind_a_queue(self):
        """Where the writer says what it has, a filter may hold the begin of a group already: that is left out, too."""
        images = rng.standard_normal((40, 20, 24)).astype(np.float32)
        tifffile.imwrite("many.tif", images)
        line = "tomosirt name=sirt axis-pos=12 num-iterations=3 batch=16 ! queue name=q ! tomowrite name=write filename={}:/data"
        self.assert_launches(f"tomoread path=many.tif ! {line.format('whole.h5')}")
        whole = read_dataset("whole.h5", "data")
        for there, held in (33, 1), (20, 1), (40, 3):
            with self.subTest(there=there, held=held):
                name = f"out-{there}.h5"
                with h5py.File(f"{name}.partial", "w") as file:
                    file.create_dataset("data", data=whole[:there], chunks=(1, *whole.shape[1:]), maxshape=(None, *whole.shape[1:]))
                with Stream(f"{line.format(name)} resume=true NOSINK", play=False) as stream:
                    waits = []
                    stream.sources[0].connect("need-data", lambda *_: waits.append(True))
                    way_out, way_in = stream["q"].get_static_pad("src"), stream["write"].get_static_pad("sink")
                    blocked = way_out.add_probe(Gst.PadProbeType.BLOCK_DOWNSTREAM, lambda *_: Gst.PadProbeReturn.OK)
                    stream.play()
                    wait_until(lambda: waits, "the first question for an array")
                    for number, image in enumerate(images):
                        if number == held:
                            way_out.remove_probe(blocked)
                            wait_until(way_in.get_current_caps, "the begin of the writer")
                        asked = len(waits)
                        stream.push(image)
                        if number < held: # tomosirt has it then
                            wait_until(lambda: len(waits) > asked, "the next question for an array")
                    stream.finish()
                np.testing.assert_array_equal(read_dataset(name, "data"), whole)

    def test_append_to_chunks_of_several_images(self):
        """They are written anew at their place, or at another: the old ones stay until a flush."""
        for after in range(6):
            with self.subTest(after=after):
                with h5py.File("out.h5", "w") as file:
                    file.create_dataset("data", data=self.images[:6], chunks=(4, *SHAPE), maxshape=(None, *SHAPE),
                                        compression="gzip")
                result = launch("tomoread path=in ! tomowrite filename=out.h5:/data append=true", ("-q",),
                                self.failing("sync", "out.h5", errno.EIO, after))
                self.assertNotIn("SIGSEGV", result.out)
                self.assert_launches("tomoread path=out.h5:/data ! tomonull")
                images = read_dataset("out.h5", "data")
                np.testing.assert_array_equal(images[:6], self.images)

    def test_a_series_stops(self):
        for call, after in ("write", 2.5 * BYTES), ("sync", 2), ("rename", 2):
            for name in "out-%02i.tif", "out-%02i.png bits=16 minimum=-9 maximum=9", "out-%02i.h5:/data":
                with self.subTest(call, name=name):
                    line = f"tomoread path=in ! tomowrite filename={name}"
                    left, result = self.fails(line, self.failing(call, "out-", errno.EIO, int(after)), "tomowrite0", "out-",
                                              text_of(errno.EIO))
                    named = sorted(n for n in left if not n.endswith((".partial", ".damaged", ".journal")))
                    suffix = name[8:].split()[0].split(":")[0]
                    self.assertEqual(named, [f"out-{i:02}{suffix}" for i in range(len(named))])
                    self.assertLess(len(named), 6)
                    self.assert_launches(line + " resume=true")
                    if ".png" not in name:
                        for i, image in enumerate(self.images):
                            place = f"out-{i:02}{name[8:]}"
                            np.testing.assert_array_equal(self.images_in(place)[0], image)
                    self.remove([f"out-{i:02}{suffix}" for i in range(6)])
                    self.remove(left - set(named) - {n for n in left if n.endswith((".partial", ".journal"))})
                    self.assert_files(*self.inputs)

    def test_resume_beside_a_partial_file(self):
        """What has its name counts, not what a later run left beside it."""
        line = "tomoread path=in ! tomowrite filename=out-%02i.tif"
        self.assert_launches(line)
        with open("out-03.tif", "rb") as file:
            gaps = bytearray(file.read())
        gaps[100:5000] = bytes(4900)
        with open("out-03.tif.partial", "wb") as file:
            file.write(gaps)
        self.assert_launches(line + " resume=true")
        for i, image in enumerate(self.images):
            np.testing.assert_array_equal(tifffile.imread(f"out-{i:02}.tif"), image)
        self.assertFalse(os.path.exists("out-03.tif.partial"))

    def test_closing_and_renaming(self):
        """A network file system may say at the end only that there was no room."""
        for target in STACKS:
            for call in "close", "rename":
                failed = 0
                name = target.split(":")[0].split()[0]
                line = f"tomoread path=in ! tomowrite filename={target}"
                for after in range(9 if call == "close" and ".h5" in target else 1):
                    with self.subTest(target, call=call, after=after):
                        result = launch(line, ("-q",), self.failing(call, name, errno.EDQUOT, after))
                        if result.rc == 0: # that of a journal, for example, which was safe, or of none at all
                            self.assertEqual(self.assert_first_images(target.split()[0]), 6)
                            os.remove(name)
                            continue
                        failed += 1
                        self.check_error(result.errors[0], "tomowrite0", [name, text_of(errno.EDQUOT)])
                        left = set(os.listdir()) - {"in"}
                        self.assertNotIn(name, left)
                        self.remove(left)
                self.assertGreater(failed, 0)

    def test_reading_stops(self):
        """One error that names the file, and the images before it are whole."""
        stack = np.array(self.images)
        tifffile.imwrite("scan.tif", stack)
        stack.tofile("scan.raw")
        with h5py.File("scan.h5", "w") as file:
            file["data"] = stack
            file.create_dataset("chunks", data=stack, chunks=(1, *SHAPE))
            file.create_dataset("deflate", data=stack, chunks=(1, 20, 50), compression="gzip")
            file.create_dataset("lzf", data=stack, chunks=(2, 20, 50), compression="lzf")
        inputs = [*self.inputs, "scan.tif", "scan.raw", "scan.h5"]
        for source in ("scan.tif", f"scan.raw raw-width={SHAPE[1]} raw-height={SHAPE[0]} raw-format=float32", "scan.h5:/data",
                       "scan.h5:/chunks", "scan.h5:/deflate", "scan.h5:/lzf", "in"):
            for after in 0, 3 * BYTES, 5 * BYTES:
                with self.subTest(source, after=after):
                    name = source.split()[0].split(":")[0]
                    left, _ = self.fails(f"tomoread path={source} ! tomowrite filename=out.tif",
                                         self.failing("read", "sino0" if name == "in" else name, errno.EIO, after), "tomoread0",
                                         name, inputs=inputs)
                    self.assertLessEqual(left, {"out.tif.partial"})
                    if left:
                        self.assert_first_images("out.tif.partial")
                        os.remove("out.tif.partial")

    def test_reading_a_scan_stops(self):
        data = rng.integers(0, 60000, (8, *SHAPE), dtype=np.uint16)
        with h5py.File("scan.h5", "w") as file:
            file["exchange/data"] = data
            file["exchange/data_dark"] = data[:1]
            file["exchange/data_white"] = data[1:2]
            file["exchange/theta"] = np.linspace(0, 180, 8)
        for after in range(0, os.path.getsize("scan.h5"), 12000):
            with self.subTest(after=after):
                left, _ = self.fails("tomoscansrc location=scan.h5 name=s s.projections ! tomowrite filename=out.tif",
                                     self.failing("read", "scan.h5", errno.ESTALE, after), "s: ", "scan.h5",
                                     inputs=[*self.inputs, "scan.h5"])
                self.assertLessEqual(left, {"out.tif.partial"})
                for image, wanted in zip(read_pages("out.tif.partial") if left else (), data):
                    np.testing.assert_array_equal(image, wanted)
                self.remove(left)

    def keep(self, environment, store=90000):
        """Frames of a camera that are kept from the first one on; the warnings, and what is in the file."""
        # At the pace of a camera with 200 frames a second, but none is lost where the processor is busy.
        result = launch("tomophantomcamera live=false num-buffers=120 width=64 height=64 frame-rate=200 scene=flat ! identity sleep-time=5000 ! "
                        "tomolivestore angle-step=0.1 "
                        f"store-limit={store} keep-when=mean>0 keep-seconds=100 keep-path=kept.h5 ! fakesink", (), environment)
        self.assertEqual(result.rc, 0, str(result))
        [name] = [name for name in os.listdir() if name.startswith("kept")]
        with h5py.File(name) as file:
            frames = file["exchange/data"][:]
            numbers = file["defaults/NDArrayUniqueId"][:].tolist() if name == "kept.h5" else None
        self.assertTrue((frames > 30000).all())
        return name, len(frames), numbers, str(result)

    def test_a_disk_that_is_too_slow_for_a_camera(self):
        """The file ends whole, without a gap, and an error tells both rates; the stream goes on to its end."""
        name, count, numbers, output = self.keep(self.failing("slow", "kept.h5", 100))
        self.assertEqual(name, "kept.h5")
        self.assertEqual(numbers, list(range(numbers[0], numbers[0] + count)))
        self.assertTrue(10 <= count < 100, numbers)
        self.assertRegex(output, "the disk is too slow: the camera gives .* MB/s, and .* MB/s are written")

    def test_a_disk_that_is_full_while_frames_are_kept(self):
        """What could be written stays under the name of a part, and the stream goes on to its end."""
        name, count, numbers, output = self.keep(self.failing("write", "kept.h5", errno.ENOSPC, 400000), 10**6)
        self.assertIn("No space left", output)
        self.assertEqual(name, "kept.h5.partial")
        self.assertLess(count, 50)

    def test_a_disk_that_is_fast_enough(self):
        name, count, numbers, output = self.keep({}, 10**6)
        self.assertEqual((name, count), ("kept.h5", len(numbers)), output)
        self.assertEqual(numbers[-1] - numbers[0] + 1 - count, 0)
        self.assertNotIn("WARNING", output)


if __name__ == "__main__":
    main()
