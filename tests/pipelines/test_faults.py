#!/usr/bin/python3
# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What goes wrong, and what must follow: the first error is the clear one, nothing hangs, no file is half written.

Every fault runs in a process of its own, through gst-launch-1.0 and through a bus that keeps the order of messages.
"""

import os
import resource
import signal
import subprocess
import tempfile
import unittest

from pipetest import *

WORK = "tomocalculate expression=v+1"


class Inputs(FaultTestCase):
    """Files that are not what they should be."""

    def test_missing(self):
        self.assert_fault("tomoread path=nothing.tif ! tomowrite filename=out.tif", "tomoread0",
                          "nothing.tif", "No such file", leaks=True)
        self.assert_fault("tomoread path=nothing.h5:/data ! tomowrite filename=out.h5:/data", "tomoread0",
                          "nothing.h5", "No such file", leaks=True)

    def test_empty_glob(self):
        os.mkdir("folder")
        self.assert_fault("tomoread path='folder/sino*.tif' ! tomowrite filename=out.tif", "tomoread0",
                          "no file matches 'folder/sino*.tif'", leaks=True)
        self.assert_fault("tomoread path='nofolder/sino*.tif' ! tomowrite filename=out.tif", "tomoread0",
                          "the folder 'nofolder' does not exist")
        self.assert_fault("tomoread path=folder ! tomowrite filename=out.tif", "tomoread0", "'folder' holds no file")

    def test_not_an_image(self):
        """Garbage and the wrong kind of file under the name of an image."""
        garbage = rng.integers(0, 256, 5000, np.uint8).tobytes()
        for name, magic in (("a.tif", b""), ("b.tif", b"II*\0"), ("c.tif", b"II+\0\x08\0\0\0"), ("d.h5", b""),
                            ("e.h5", b"\x89HDF\r\n\x1a\n"), ("f.tif", None), ("g.h5", None)):
            with self.subTest(name):
                with open(name, "wb") as file:
                    file.write(b"" if magic is None else magic + garbage)
                path = name + (":/data" if name.endswith("h5") else "")
                try:
                    self.assert_fault(f"tomoread path={path} ! {WORK} ! tomowrite filename=out.tif", "tomoread0", name,
                                      files=[name])
                finally:
                    os.remove(name)

    def test_garbled_anywhere(self):
        """Flipped bytes give an error or an image, never a crash, a hang, or a strange size."""
        for name, write in (("x.tif", lambda a: tifffile.imwrite("x.tif", a)),
                            ("x.h5", lambda a: h5py.File("x.h5", "w").create_dataset("data", data=a).file.close())):
            write(random_array(np.uint16, (3, 9, 11)))
            with open(name, "rb") as file:
                good = np.frombuffer(file.read(), np.uint8)
            for _ in range(25):
                bad = good.copy()
                places = rng.integers(0, len(bad), 4) if rng.random() < 0.5 else rng.integers(0, min(len(bad), 512), 4)
                bad[places] = rng.integers(0, 256, 4)
                with open(name, "wb") as file:
                    file.write(bad.tobytes())
                with Play(f"tomoread name=r path={name}{':/data' if name == 'x.h5' else ''} ! tomonull") as play:
                    error = play.run(timeout=30)
                if error:
                    self.assertTrue(error.startswith("r: "), f"{error} (seed {SEED})")
                    self.assertIn(name, error)

    def test_truncated(self):
        """The last one of a series: what came before stays a partial file."""
        for name, write in (("tif", tifffile.imwrite),
                            ("h5", lambda n, a: h5py.File(n, "w").create_dataset("data", data=a).file.close())):
            with self.subTest(name):
                images = [random_array(np.float32, (40, 50)) for _ in range(4)]
                for i, image in enumerate(images):
                    write(f"{i}.{name}", image)
                os.truncate(f"3.{name}", os.path.getsize(f"3.{name}") - 1000)
                dataset = ":/data" if name == "h5" else ""
                inputs = [f"{i}.{name}" for i in range(4)]
                # A queue for one image, so that the file is begun when the source fails.
                for chain in ("", f"! {WORK} ! queue max-size-buffers=1 ",
                              "! tomofft batch=1 ! tomoifft batch=1 ! queue max-size-buffers=1 ! tomocalculate expression=v+1 "):
                    self.assert_fault(f"tomoread path='*.{name}{dataset}' {chain}! tomowrite filename=out.tif",
                                      "tomoread0", f"3.{name}", "truncated", files=[*inputs, "out.tif.partial"],
                                      leaks=not chain)
                    kept = read_pages("out.tif.partial")
                    if not chain:  # a queue loses what it holds
                        self.assertEqual(len(kept), 3)
                    self.assert_close(kept, [i + (1.0 if chain else 0.0) for i in np.float64(images[:len(kept)])], 1e-6)
                    os.remove("out.tif.partial")
                # Nothing comes out of a reducer that did not see the end.
                self.assert_fault(f"tomoread path='*.{name}{dataset}' ! tomoaverage ! tomowrite filename=out.tif",
                                  "tomoread0", f"3.{name}", "truncated", files=inputs)
                self.assert_fault(f"tomoread path='*.{name}{dataset}' ! tomotransposeprojections ! "
                                  "tomowrite filename=out.tif", "tomoread0", f"3.{name}", "truncated", files=inputs)
                for path in inputs:
                    os.remove(path)

    def test_one_broken_branch(self):
        """A branch that fails does not let the other one take its half for the whole."""
        write_sinograms(number=30)
        os.truncate("folder/sino20.tif", 100)
        inputs = [f"folder/sino{i:02}.tif" for i in range(30)]
        # The source fails; both branches break, which have begun by then: their queues take no more.
        self.assert_fault(f"tomoread path=folder ! tee name=t t. ! queue max-size-buffers=2 ! {WORK} ! tomowrite filename=a.tif "
                          "t. ! queue max-size-buffers=2 ! tomowrite filename=b.tif", "tomoread0", "sino20.tif",
                          files=[*inputs, "a.tif.partial", "b.tif.partial"])
        # One branch fails.
        write_sinograms(number=30)
        os.remove("a.tif.partial")
        os.remove("b.tif.partial")
        tifffile.imwrite("folder/sino20.tif", random_array(np.float32, (7, 9)))
        with h5py.File("a.h5", "w") as file:
            file["data"] = np.arange(4)
        for source in ("tomoread path=folder", "tomoread path=folder ! tomocalculate expression=v",
                       "tomoread path=folder ! f.projections tomodummydata width=40 height=24 ! f.darks "
                       "tomodummydata width=40 height=24 init=1 ! f.flats tomoflatfieldcorrect name=f"):
            result = launch(f"{source} ! tee name=t t. ! tomowrite name=a filename=a.h5:/data async=false "
                            "t. ! tomowrite name=b filename=b.tif async=false", ("-q",))
            self.assertNotEqual(result.rc, 0, str(result))
            self.assertIn("f:" if "f.darks" in source else "a:", result.errors[0])
            self.assertIn("9 x 7", result.errors[0])
            # What failed beside it may be noticed too late to stop it before its own end; then it is whole.
            left = "b.tif" if "f.darks" not in source and os.path.exists("b.tif") else "b.tif.partial"
            pages = read_pages(left)
            self.assert_close(pages[0], tifffile.imread("folder/sino00.tif"), 1e-6)
            self.assertTrue(len(pages) == 30 or left != "b.tif", str(result))
            np.testing.assert_array_equal(read_dataset("a.h5", "data"), np.arange(4))
            os.remove(left)

    def test_missing_dataset(self):
        with h5py.File("in.h5", "w") as file:
            file["group/data"] = np.zeros((2, 3, 4), np.float32)
        self.assert_fault("tomoread path=in.h5:/group/nodata ! tomowrite filename=out.tif", "tomoread0",
                          "in.h5", "/group/nodata", files=["in.h5"], leaks=True)
        self.assert_fault("tomoread path=in.h5 ! tomowrite filename=out.tif", "tomoread0", "dataset", files=["in.h5"])
        self.assert_fault("tomoread path=in.h5:/group ! tomowrite filename=out.tif", "tomoread0", "/group",
                          files=["in.h5"])

    def test_mixed_sizes(self):
        os.mkdir("mixed")
        for i, shape in enumerate([(5, 7), (5, 7), (6, 7)]):
            tifffile.imwrite(f"mixed/{i}.tif", random_array(np.float32, shape))
        inputs = [f"mixed/{i}.tif" for i in range(3)]
        errors = self.assert_fault("tomoread path=mixed ! tomotransposeprojections number=3 ! tomowrite filename=out.tif",
                                   "tomotransposeprojections0", "3", "2", files=inputs)
        self.assertTrue(errors)
        self.assert_fault("tomoread path=mixed ! tomowrite filename=out.h5:/data", "tomowrite0", "7 x 6", "7 x 5",
                          files=[*inputs, "out.h5.partial"])


class Outputs(FaultTestCase):
    def setUp(self):
        super().setUp()
        self.images = write_sinograms("in", (40, 50), 6)
        self.inputs = [f"in/sino{i:02}.tif" for i in range(6)]

    def test_arrays_that_writers_can_not_take(self):
        """Threads of the writer find out; the process goes on."""
        array = "application/x-tomo-array,format=float32,width=2,height=2,depth=1,framerate=0/1"
        for name in ("out.tif", "s%i.tif", "out.h5:/data", "out.edf", "s%i.png"):
            with self.subTest(name):
                self.assert_fault(f"fakesrc num-buffers=1 sizetype=fixed sizemax=3 format=time ! {array} ! tomowrite filename={name}",
                                  "tomowrite0", "a buffer of 3 bytes came where float32 2 x 2 x 1 takes 16",
                                  files=self.inputs)

    def test_target_is_a_folder(self):
        os.mkdir("out.tif")
        os.mkdir("out.h5")
        self.assert_fault("tomoread path=in ! tomowrite filename=out.tif", "tomowrite0", "out.tif", "folder",
                          files=self.inputs, leaks=True)
        self.assert_fault("tomoread path=in ! tomowrite filename=out.h5:/data", "tomowrite0", "out.h5", "folder",
                          files=self.inputs)

    def test_folder_under_a_file(self):
        self.assert_fault("tomoread path=in ! tomowrite filename=in/sino00.tif/out.tif", "tomowrite0", "in/sino00.tif",
                          files=self.inputs)

    def test_unwritable_folder(self):
        os.mkdir("locked")
        os.chmod("locked", 0o555)
        self.assert_fault_as_nobody("tomoread path=in ! tomowrite filename=locked/out.tif", "tomowrite0", "locked/out.tif",
                                    "Permission denied")
        self.assert_fault_as_nobody("tomoread path=in ! tomowrite filename=locked/out.h5:/data", "tomowrite0",
                                    "locked/out.h5", "Permission denied")

    def assert_fault_as_nobody(self, line, element, *words):
        """Permissions say nothing to root."""
        user = {}
        with tempfile.TemporaryDirectory() as cache:
            if os.getuid() == 0:
                os.chmod(self.folder, 0o755)
                os.chmod(cache, 0o777)
                user = {"user": 65534, "group": 65534, "extra_groups": []}
            self.assert_fault(line, element, *words, files=self.inputs,
                              env={"HOME": cache, "POCL_CACHE_DIR": cache, "XDG_CACHE_HOME": cache}, **user)

    def limit_size(self):
        # Beyond it, the kernel sends a signal unless it is ignored; then write() fails.
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))

    def test_full(self):
        """No room for the third image of 8000 bytes: two are kept, and an older file stays as it is."""
        tifffile.imwrite("out.tif", np.arange(12.0).reshape(3, 4))
        with h5py.File("out.h5", "w") as file:
            file["data"], file["other"] = np.arange(3), np.arange(4)
        for chain in ("", "! tomocalculate expression=v ! queue "):
            self.assert_fault(f"tomoread path=in {chain}! tomowrite filename=out.tif", "tomowrite0", "out.tif", "File too large",
                              files=[*self.inputs, "out.h5", "out.tif", "out.tif.partial"], preexec_fn=self.limit_size)
            self.assert_close(read_pages("out.tif.partial"), self.images[:2], 0)
            os.remove("out.tif.partial")
        result = launch("tomoread path=in ! tomowrite filename=out.h5:/data", ("-q",), preexec_fn=self.limit_size)
        self.assertNotEqual(result.rc, 0)
        self.assertIn("tomowrite0", result.errors[0])
        self.assertIn("File too large", result.errors[0])
        with h5py.File("out.h5", "r") as file:
            np.testing.assert_array_equal(file["data"], np.arange(3))
            np.testing.assert_array_equal(file["other"], np.arange(4))

    def test_full_device(self):
        """A file system without room."""
        os.mkdir("small")
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24k", "tmpfs", "small"], capture_output=True)
        if mounted.returncode != 0:
            self.skipTest("needs the right to mount a tmpfs")
        try:
            for name in ("small/out.tif", "small/out.h5:/data", "small/out.raw"):
                result = launch(f"tomoread path=in ! tomowrite filename={name}", ("-q",))
                self.assertNotEqual(result.rc, 0, str(result))
                self.assertIn("tomowrite0", result.errors[0])
                self.assertIn("No space left on device", result.errors[0])
                file = name.split(":")[0]
                self.assertFalse(os.path.exists(file), str(result))
                if os.path.exists(file + ".partial"):
                    os.remove(file + ".partial")
        finally:
            subprocess.run(["umount", "small"], check=True)

    def test_full_standard_output(self):
        with open("/dev/full", "wb") as full:
            process = subprocess.run(["gst-launch-1.0", "-q", "tomoread", "path=in", "!", "tomowrite"], stdout=full,
                                     stderr=subprocess.PIPE, text=True, timeout=PATIENCE)
        self.assertNotEqual(process.returncode, 0)
        first = process.stderr.splitlines()[0]
        self.assertIn("tomowrite0", first)
        self.assertIn("No space left on device", first)

    def test_two_writers(self):
        """The same file twice: one of them says so before anything is written."""
        result = launch("tomoread path=in ! tee name=t t. ! queue ! tomowrite name=a filename=out.tif "
                        "t. ! queue ! tomowrite name=b filename=out.tif", ("-q",))
        self.assertNotEqual(result.rc, 0, str(result))
        self.assertIn("being written by another element", result.errors[0])
        self.assertFalse(os.path.exists("out.tif"))

    def test_input_as_output(self):
        """An HDF5 file that is read is never opened for writing."""
        images = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
        with h5py.File("scan.h5", "w") as file:
            file["raw"] = images
        for dataset in ("raw", "result"):
            result = launch(f"tomoread path=scan.h5:/raw ! tomowrite filename=scan.h5:/{dataset}", ("-q",))
            self.assertNotEqual(result.rc, 0, str(result))
            self.assertIn("it is an input; write to another file", result.errors[0])
        with h5py.File("scan.h5") as file:
            self.assertEqual(list(file), ["raw"])
            np.testing.assert_array_equal(file["raw"], images)
        # Neither is an image replaced that may not have been read.
        before = {path: tifffile.imread(path) for path in self.inputs}
        os.symlink("in/sino04.tif", "link.tif")
        os.makedirs("scan/projections")
        for path in self.inputs:
            os.link(path, path.replace("in/", "scan/projections/"))
        for line in ("tomoread path=in ! tomowrite filename=in/sino%02i.tif counter-start=2",
                     "tomoread path=in ! tomowrite filename=link.tif",
                     "tomoread path=in start=3 ! tomowrite filename=in/sino%02i.tif append=true counter-start=2"
                     " tomoread path=in/sino02.tif ! tomowrite filename=in/sino02.tif resume=true",
                     "tomoscansrc location=scan name=s s.projections ! tomowrite filename=in/sino%02i.tif counter-start=5"):
            with self.subTest(line):
                result = launch(line, ("-q",))
                self.assertNotEqual(result.rc, 0, str(result))
                self.assertIn("it is an input; write to another file", result.errors[0])
                for path, image in before.items():
                    np.testing.assert_array_equal(tifffile.imread(path), image)
        # What nobody reads may be replaced.
        self.assertEqual(launch("tomoread path=in start=3 ! tomowrite filename=in/sino%02i.tif", ("-q",)).rc, 0)
        np.testing.assert_array_equal(tifffile.imread(self.inputs[0]), before[self.inputs[3]])

    def test_unknown_suffix(self):
        self.assert_fault("tomoread path=in ! tomowrite filename=out.xyz", "tomowrite0", "out.xyz", files=self.inputs)

    def test_interrupted(self):
        """Ctrl-C: without -e the partial file with its whole images stays and is named; with -e the file is complete."""
        tifffile.imwrite("out.tif", np.arange(12.0).reshape(3, 4))
        with h5py.File("out.h5", "w") as file:
            file["data"], file["other"] = np.arange(3), np.arange(4)
        line = "tomodummydata width=64 height=64 number=1000000 init=3 ! identity sleep-time=5000 ! tomowrite filename={}"
        for name, partial in (("out.tif", "out.tif.partial"), ("out.h5:/data", "data.partial"), ("out.raw", "out.raw.partial")):
            with self.subTest(name):
                changed = os.stat("out.h5").st_mtime_ns
                result = self.interrupt(line.format(name), lambda: os.path.exists(partial)
                                        and os.path.getsize(partial) > 50000
                                        or name == "out.h5:/data" and os.stat("out.h5").st_mtime_ns > changed)
                self.assertIn(partial, result.out)
                self.assertIn("whole images are kept", result.out)
        for page in (pages := read_pages("out.tif.partial")):
            np.testing.assert_array_equal(page, np.full((64, 64), 3, np.float32))
        self.assertGreater(len(pages), 2)
        np.testing.assert_array_equal(tifffile.imread("out.tif"), np.arange(12.0).reshape(3, 4))
        with h5py.File("out.h5", "r") as file:
            np.testing.assert_array_equal(file["data"], np.arange(3))
            np.testing.assert_array_equal(file["other"], np.arange(4))
            self.assertTrue((file["data.partial"][...] == 3).all())
        self.assertFalse(os.path.exists("out.raw"))

        os.remove("out.tif.partial")
        for name in ("out.tif", "out.h5:/data"):
            changed = os.stat("out.h5").st_mtime_ns
            self.interrupt(line.format(name), lambda: os.path.exists("out.tif.partial")
                           or os.stat("out.h5").st_mtime_ns > changed, "-e")
        pages = read_pages("out.tif")
        self.assertTrue(all((page == 3).all() for page in pages))
        with h5py.File("out.h5", "r") as file:
            self.assertEqual(sorted(file), ["data", "other"])
            self.assertTrue((file["data"][...] == 3).all())
            np.testing.assert_array_equal(file["other"], np.arange(4))
        self.assertFalse(os.path.exists("out.tif.partial"))

    def interrupt(self, line, ready, *options):
        since = time.monotonic()
        process = start_launch(line, options)
        while not ready() and process.poll() is None and time.monotonic() - since < PATIENCE:
            time.sleep(0.02)
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        result = end_launch(process, since)
        self.assertEqual(result.rc, 0, str(result))
        return result

    def test_killed(self):
        """Nothing can be done any more: what was there before is still there."""
        tifffile.imwrite("out.tif", np.arange(12.0).reshape(3, 4))
        with h5py.File("new.h5", "w") as file:
            file["data"] = np.arange(3)
        line = "tomodummydata width=64 height=64 number=1000000 ! identity sleep-time=3000 ! tomowrite filename={}"
        for name in ("out.tif", "other.h5:/data"):
            process = start_launch(line.format(name))
            partial = name.split(":")[0] + ".partial"
            since = time.monotonic()
            while not (os.path.exists(partial) and os.path.getsize(partial) > 50000) and time.monotonic() - since < PATIENCE:
                time.sleep(0.02)
            process.kill()
            process.communicate()
        np.testing.assert_array_equal(tifffile.imread("out.tif"), np.arange(12.0).reshape(3, 4))
        self.assertFalse(os.path.exists("other.h5"))
        # The next one takes over what the killed one left.
        for name in ("out.tif", "other.h5:/data"):
            self.assert_launches(f"tomoread path=in ! tomowrite filename={name}")
        self.assert_close(read_pages("out.tif"), self.images, 0)
        self.assert_close(read_dataset("other.h5", "data"), self.images, 0)
        self.assert_files(*self.inputs, "new.h5", "out.tif", "other.h5")


class Devices(FaultTestCase):
    def setUp(self):
        super().setUp()
        self.images = write_sinograms("in", (64, 64), 40)
        self.inputs = [f"in/sino{i:02}.tif" for i in range(40)]

    def test_kernel_that_does_not_compile(self):
        os.mkdir("kernels")
        with open("kernels/filter-stripes.cl", "w") as file:
            file.write("kernel void broken(global float *p) { p[0] = undefined_thing; }\n")
        self.assert_fault("tomoread path=in ! tomofft dimensions=2 ! tomofilterstripes ! tomoifft dimensions=2 ! "
                          "tomowrite filename=out.tif", "tomofilterstripes0", "filter-stripes.cl", "undefined_thing",
                          env={"GST_TOMO_KERNEL_PATH": os.path.abspath("kernels")},
                          files=[*self.inputs, "kernels/filter-stripes.cl"])

    def test_expression_that_does_not_compile(self):
        self.assert_fault("tomoread path=in ! tomocalculate expression='v + nothing' ! tomowrite filename=out.tif",
                          "tomocalculate0", "nothing", files=self.inputs)
        self.assert_fault("tomoread path=in ! queue ! tomocalculate expression='sqrt(v' ! tomowrite filename=out.tif",
                          "tomocalculate0", "sqrt(v", files=self.inputs, leaks=True)

    def test_no_device(self):
        for line, element in ((f"tomoread path=in ! {WORK} ! tomowrite filename=out.tif", "tomocalculate0"),
                              ("tomodummydata number=2 ! tomowrite filename=out.tif", "tomodummydata0")):
            self.assert_fault(line, element, "no OpenCL device was found", env={"OCL_ICD_VENDORS": "/nonexistent"},
                              files=self.inputs)
        # What needs none works without.
        self.assert_launches("videotestsrc num-buffers=3 ! video/x-raw,format=GRAY8,width=8,height=4 ! "
                             "multifilesink location=f%d.raw", env={"OCL_ICD_VENDORS": "/nonexistent"})

    def test_wrong_device(self):
        self.assert_fault("tomoread path=in ! tomocalculate expression=v device=nonsense ! tomowrite filename=out.tif",
                          "tomocalculate0", "nonsense", files=self.inputs, leaks=True)
        self.assert_fault("tomoread path=in ! tomocalculate expression=v device=77 ! tomowrite filename=out.tif",
                          "tomocalculate0", "77", files=self.inputs)
        self.assert_fault("tomoread path=in ! tomocalculate expression=v ! tomowrite filename=out.tif", "tomo", "nonsense",
                          env={"GST_TOMO_DEVICE": "nonsense"}, files=self.inputs)

    def test_memory_is_enough(self):
        """A limit of a few frames slows down, and does no harm."""
        frame = 64 * 64 * 4
        queue = "queue max-size-buffers=1"
        for frames, chain in ((8, f"{WORK} ! tomocalculate expression=v*2"),
                              (12, f"tomocalculate expression=v+1 ! {queue} ! tomocalculate expression=v*2 ! {queue} ! "
                                   "tomocalculate expression=v"),
                              (16, f"tomocalculate expression=v+1 ! {queue} ! tomofft ! tomoifft ! "
                                   "tomocalculate expression=v*2")):
            with self.subTest(chain):
                self.assert_launches(f"tomoread path=in ! {chain} ! tomowrite filename=out.tif",
                                     env={"GST_TOMO_MEMORY_LIMIT": str(frames * frame)})
                self.assert_close(read_pages("out.tif"), [2.0 * (np.float64(i) + 1.0) for i in self.images], 1e-6)

    def test_memory_is_exhausted(self):
        frame = 64 * 64 * 4
        # Not one frame.
        self.assert_fault(f"tomoread path=in ! {WORK} ! tomowrite filename=out.tif", "tomo", "GST_TOMO_MEMORY_LIMIT",
                          "16384", env={"GST_TOMO_MEMORY_LIMIT": "10000"}, files=self.inputs, leaks=True)
        # A reducer that holds all of them.
        self.assert_fault("tomoread path=in ! tomostack number=40 ! tomowrite filename=out.tif", "tomo", "bytes",
                          env={"GST_TOMO_MEMORY_LIMIT": str(30 * frame)}, files=self.inputs)
        # A queue larger than the memory: nobody gives any back.
        self.assert_fault("tomoread path=in ! tomocalculate expression=v ! queue ! tomofft ! tomoifft ! "
                          "tomowrite filename=out.tif", "tomo", "out of memory", "queues",
                          env={"GST_TOMO_MEMORY_LIMIT": str(5 * frame)}, files=self.inputs)

    def test_not_negotiable(self):
        result = launch("tomoread path=in ! tomofft ! tomobackproject ! tomowrite filename=out.tif", ("-q",))
        self.assertNotEqual(result.rc, 0)
        self.assertIn("could not link tomofft0 to tomobackproject0", result.out)
        # Where it turns out only later.
        with h5py.File("complex.h5", "w") as file:
            file["data"] = np.zeros((2, 5, 7), np.complex64)
        self.assert_fault("tomoread path=complex.h5:/data ! queue ! tomobackproject ! tomowrite filename=out.tif",
                          "tomoread0", "complex64", files=[*self.inputs, "complex.h5"], leaks=True)
        os.remove("complex.h5")
        self.assert_fault("tomoread path=in ! application/x-tomo-array,format=uint8 ! tomowrite filename=out.tif",
                          "tomoread0", "float32", "uint8", files=self.inputs)
        self.assert_fault("tomoread path=in ! tomocalculate expression=v ! application/x-tomo-array(ANY),width=63 ! "
                          "tomowrite filename=out.tif", "tomocalculate0", "width=(int)64", "width=(int)63",
                          files=self.inputs)

    def test_what_a_link_lacks(self):
        with h5py.File("complex.h5", "w") as file:
            file["data"] = np.zeros((2, 5, 7), np.complex64)
        self.assert_fault("tomoread path=complex.h5:/data ! queue ! tomobackproject ! tomonull", "tomoread0",
                          "complex64", "tomobackproject0", "put tomoifft between", files=[*self.inputs, "complex.h5"])
        os.remove("complex.h5")
        self.assert_fault("tomoread path=in ! application/x-tomo-array(ANY),domain=projection ! tomobackproject ! tomonull",
                          "tomobackproject0", "got projections", "tomotransposeprojections", files=self.inputs)
        for line, words in (("dummy-data number=1 ! fft ! filter ! backproject ! null",
                             ("filter", "backproject", "complex64", "put tomoifft between")),
                            ("dummy-data number=1 ! ifft ! null", ("dummy-data", "put tomofft between")),
                            ("videotestsrc num-buffers=1 ! tomofft ! null", ("video", "put tomoconvert between")),
                            ("dummy-data number=1 ! videoconvert ! fakesink", ("arrays", "put tomoconvert between"))):
            with self.subTest(line):
                result = subprocess.run(["tomo-launch", "-q", *quoted(line)], capture_output=True, text=True,
                                        timeout=PATIENCE)
                self.assertNotEqual(result.returncode, 0)
                for word in words:
                    self.assertIn(word, result.stderr)

    def test_join(self):
        self.assert_fault("tomoread path=in ! f.projections tomoread path=in ! f.darks tomoflatfieldcorrect name=f ! "
                          "tomowrite filename=out.tif", "f", "flats", "not linked", files=self.inputs)
        os.mkdir("small")
        tifffile.imwrite("small/0.tif", np.zeros((5, 7), np.float32))
        self.assert_fault("tomoread path=in ! f.projections tomoread path=small ! f.darks tomoread path=in ! f.flats "
                          "tomoflatfieldcorrect name=f ! tomowrite filename=out.tif", "f", "darks", "7 x 5",
                          "64 x 64", files=[*self.inputs, "small/0.tif"], leaks=True)
        self.assert_fault("tomoread path=in ! f.projections tomoread path=nothing.tif ! f.darks tomoread path=in ! f.flats "
                          "tomoflatfieldcorrect name=f ! tomowrite filename=out.tif", "tomoread1", "nothing.tif",
                          files=[*self.inputs, "small/0.tif"])
        # The projections break in the middle.
        os.truncate(self.inputs[30], 200)
        self.assert_fault("tomoread path=in ! f.projections tomoread path=in number=2 ! tomoaverage ! f.darks "
                          "tomoread path=in number=3 ! tomoaverage ! f.flats "
                          "tomoflatfieldcorrect name=f ! queue ! tomowrite filename=out.tif", "tomoread0", "sino30.tif",
                          files=[*self.inputs, "small/0.tif", "out.tif.partial"])
        os.remove("out.tif.partial")

    def test_no_buffers_before_caps(self):
        """A stream that says nothing of its shape."""
        self.assert_fault(f"fakesrc num-buffers=2 sizetype=fixed sizemax=16 ! {WORK} ! tomowrite filename=out.tif",
                          "tomocalculate0", "caps", files=self.inputs)


class Descriptors(FaultTestCase):
    """Few files may be open, of which libunwind, PoCL, GLib and GStreamer want some as well."""

    LINES = ("gst-launch-1.0 -q tomoread path=in ! tomowrite filename=out.h5:/data",
             "gst-launch-1.0 -q tomoread path=in.h5:/data ! tomowrite filename=out-%02i.tif",
             "gst-launch-1.0 -q tomoscansrc location=in ! tomocalculate expression=v+1 ! queue ! tomowrite filename=out.tif",
             "tomo-launch -q read path=in ! fft ! ifft ! write filename=out.tif",
             "tomo-runjson -q in.json",
             "tomo-query -p read")

    def run_with(self, limit, line):
        return subprocess.run(quoted(line), text=True, capture_output=True, timeout=PATIENCE,
                              preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit)))

    def test_list_of_drivers(self):
        """Where it can't be read, that is no lack of a driver."""
        os.mkdir("in")
        said = self.run_with(9, self.LINES[0]).stderr
        self.assertRegex(said.splitlines()[0], "^ERROR: from element .*OpenCL library .*ulimit -n", said)

    def test_limits(self):
        """One error or success, whatever the limit: no end from within, no hang."""
        images = [random_array(np.float32, (5, 7)) for _ in range(4)]
        os.mkdir("in")
        for i, image in enumerate(images):
            tifffile.imwrite(f"in/{i}.tif", image)
        with h5py.File("in.h5", "w") as file:
            file["data"] = images
        subprocess.run(["tomo-launch", "-d", "in.json", *quoted(self.LINES[3])[2:]], check=True, timeout=PATIENCE)
        refused = 0
        for line in self.LINES:
            limits = [12, 14, 16] + sorted(rng.choice(np.arange(10, 60), 4, replace=False).tolist())
            for limit in limits if "query" not in line else limits[::3]:
                result = self.run_with(limit, line)
                told = f"{line} with {limit} files (seed {SEED}): {result}"
                self.assertIn(result.returncode, (0, 1), told)
                if result.returncode == 1:
                    refused += 1
                    errors = [text for text in result.stderr.splitlines()
                              if not line.startswith("gst-launch") or text.startswith("ERROR: from element")]
                    if not line.startswith("gst-launch"):
                        self.assertEqual(len(errors), 1, told)
                    self.assertRegex(errors[0], r"ulimit -n", told)
                    self.assertEqual(result.stdout, "", told)
                else:
                    self.assertEqual(result.stderr, "", told)
                    self.assertEqual(bool(result.stdout), "query" in line, told)
        self.assertGreater(refused, len(self.LINES), "the limits were not felt")


if __name__ == "__main__":
    main()
