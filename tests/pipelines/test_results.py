#!/usr/bin/python3
# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Results that say how they were made, pictures with a window, files that other programs read, and runs that go on
after a kill."""

import hashlib
import json
import os
import signal
import subprocess
import time

from pipetest import *

import fabio
import silx.io
import silx.io.nxdata
from PIL import Image

RECONSTRUCT = ("tomoread path='folder/sino*.tif' ! tomofft ! tomofilter cutoff=0.4 ! tomoifft ! "
               "tomobackproject axis-pos=20.25 name=back ! tomowrite filename={}")


def text(value):
    return value.decode() if isinstance(value, bytes) else value


def read_edf(name, image_bytes):
    """The first header as a dictionary, and the headers of all images as text."""
    with open(name, "rb") as file:
        data = file.read()
    headers = [data[at:at + 512].decode() for at in range(0, len(data), 512 + image_bytes)]
    fields = [field.split("=", 1) for field in headers[0].strip("{}\n ").split(";") if "=" in field]
    return {key.strip(): value.strip() for key, value in fields}, headers


class Results(PipelineTestCase):
    def setUp(self):
        super().setUp()
        self.sinograms = write_sinograms()

    def digest(self, whole):
        digest = hashlib.sha256()
        for name in sorted(os.listdir("folder")):
            with open(f"folder/{name}", "rb") as file:
                content = file.read()
            digest.update(f"{name}\n{len(content)}\n".encode())
            ends = content if len(content) <= 2 * 65536 else content[:65536] + content[-65536:]
            digest.update(content if whole else ends)
        return digest.hexdigest()

    def test_facts(self):
        """A result tells everything, in NeXus's words, and can be made again from itself."""
        self.assert_launches(RECONSTRUCT.format("slices.h5:/entry/data/data input-checksum=whole"))
        with h5py.File("slices.h5") as file:
            first = file["entry/data/data"][...]
            self.assertEqual(text(file["entry"].attrs["NX_class"]), "NXentry")
            self.assertEqual(text(file["entry/definition"][()]), "NXtomoproc")
            data = file["entry/data"]
            self.assertEqual(text(data.attrs["NX_class"]), "NXdata")
            self.assertEqual(text(data.attrs["signal"]), "data")
            self.assertEqual([text(axis) for axis in data.attrs["axes"]], ["z", "y", "x"])
            for axis, size in zip("zyx", first.shape):
                np.testing.assert_array_equal(data[axis], np.arange(size) + 0.5)
                self.assertEqual(text(data[axis].attrs["units"]), "pixel")
            process = file["entry/reconstruction"]
            self.assertEqual(text(process.attrs["NX_class"]), "NXprocess")
            self.assertEqual(text(process["program"][()]), "gst-tomo")
            for name in ("version", "date", "gstreamer_version", "hdf5_version", "device", "driver"):
                self.assertTrue(text(process[name][()]), name)
            self.assertEqual(text(process["working_directory"][()]), os.getcwd())
            back = process["elements/back"]
            self.assertEqual(text(back.attrs["task"]), "backproject")
            self.assertEqual(float(back["axis-pos"][()]), 20.25)
            self.assertEqual(text(back["mode"][()]), "linear")  # also what was not set
            self.assertEqual(float(process["elements/tomofilter0/cutoff"][()]), np.float32(0.4))
            source = process["input_tomoread0"]
            self.assertEqual(text(source["path"][()]), "folder/sino*.tif")
            self.assertEqual(int(source["files"][()]), 5)
            self.assertEqual(text(source["checksum"][()]), self.digest(whole=True))
            graph = json.loads(text(process["pipeline"][()]))
            self.assertEqual([node["plugin"] for node in graph["nodes"]],
                             ["read", "fft", "filter", "ifft", "backproject", "write"])
            self.assertEqual(text(data["data"].attrs["pipeline"]), text(process["pipeline"][()]))
            self.assertNotIn("steps", process)
            parameters = process["parameters"]
            self.assertEqual(text(parameters["raw_file"][()]), "folder/sino*.tif")
            self.assertEqual([int(parameters[name][()]) for name in ("images", "rows", "columns")], list(first.shape))
            self.assertTrue(bool(parameters["complete"][()]))
        os.rename("slices.h5", "first.h5")
        for path in "first.h5", "first.h5:/entry/data/data":
            subprocess.run(["tomo-runjson", "-q", path], check=True, timeout=PATIENCE)
            np.testing.assert_array_equal(read_dataset("slices.h5", "entry/data/data"), first)
        # In place: it takes the place of itself, but only if it may.
        self.assertEqual(subprocess.run(["tomo-runjson", "--quieter", "slices.h5"], timeout=PATIENCE).returncode, 1)
        subprocess.run(["tomo-runjson", "-q", "--overwrite", "slices.h5"], check=True, timeout=PATIENCE)
        np.testing.assert_array_equal(read_dataset("slices.h5", "entry/data/data"), first)

    def test_scan(self):
        """Every input of a scan counts; folders with all that is in them."""
        for kind in ("projections", "darks", "flats"):
            write_sinograms(f"scan/{kind}", shape=(5, 7), number=3, dtype=np.uint16)
        self.assert_launches("tomoscansrc name=s location=scan s.projections ! tomowrite filename=slices.h5:/entry/data/data")
        with h5py.File("slices.h5") as file:
            source = file["entry/reconstruction/input_s"]
            self.assertEqual((text(source["path"][()]), int(source["files"][()])), ("scan", 9))
            self.assertEqual(len(text(source["checksum"][()])), 64)

    def test_several(self):
        """Results beside each other, and near to the root."""
        for name in ("/entry/data/data", "/entry/data/other", "/raw"):
            self.assert_launches(f"tomoread path='folder/sino*.tif' ! tomowrite filename=slices.h5:{name}")
        with h5py.File("slices.h5") as file:
            self.assertEqual(sorted(file), ["entry", "raw"])
            self.assertEqual(sorted(file["entry"]), ["data", "definition", "reconstruction", "reconstruction_other"])
            self.assertEqual(text(file["entry/data"].attrs["signal"]), "data")
            self.assertEqual(text(file["raw"].attrs["pipeline"])[0], "{")
            self.assertEqual(text(file["entry/reconstruction/input_tomoread0/checksum"][()]), self.digest(whole=False))
        run = subprocess.run(["tomo-runjson", "-q", "slices.h5"], capture_output=True, text=True, timeout=PATIENCE)
        self.assertEqual(run.returncode, 1)
        self.assertIn("several results (/entry/data/data, /entry/data/other, /raw)", run.stderr)
        with h5py.File("plain.h5", "w") as file:
            file["data"] = np.zeros((2, 3, 4))
        for path, words in (("plain.h5", "holds no result"), ("plain.h5:/data", "was not written by tomowrite"),
                            ("plain.h5:/x", "there is no such dataset")):
            run = subprocess.run(["tomo-runjson", "-q", path], capture_output=True, text=True, timeout=PATIENCE)
            self.assertEqual(run.returncode, 1)
            self.assertIn(words, run.stderr)

    def test_again_after_a_kill(self):
        """Killed in the middle, then run with resume=true: as if nothing had been."""
        scan = rng.standard_normal((400, 40, 50)).astype(np.float32)
        tifffile.imwrite("scan.tif", scan)
        chain = "tomoread path=scan.tif ! tomocalculate expression=v*2 ! {} tomowrite filename={} {}"
        for name, settings in (("out.tif", ""), ("out.h5:/entry/data/data", ""), ("out.h5:/entry/data/data", "hdf5-parts=3"),
                               ("out.edf", ""), ("s%03i.tif", "")):
            with self.subTest(name, settings=settings):
                self.assert_launches(chain.format("", "whole-" + name, settings))
                if settings:
                    os.remove("out.h5")
                # Whole files of a series count as well.
                process = start_launch(chain.format("identity sleep-time=5000 !", name, settings))
                started = name.replace("%03i", "003").split(":")[0] + ("" if "%" in name else ".partial")
                if settings:
                    started = "out.h5.parts/entry.data.data-a-002-of-003.h5.partial"
                wait_until(lambda: os.path.exists(started), started)
                time.sleep(rng.uniform(0, 1.5))
                process.kill()
                process.communicate()
                self.assert_launches(chain.format("", name, settings + " resume=true"))
                if ":" in name:
                    np.testing.assert_array_equal(read_dataset("out.h5", "entry/data/data"),
                                                  read_dataset("whole-out.h5", "entry/data/data"))
                else:
                    for number in range(400 if "%" in name else 1):
                        each = name % number if "%" in name else name
                        with open(each, "rb") as file, open("whole-" + each, "rb") as whole:
                            self.assertEqual(file.read(), whole.read(), each)
                files = os.listdir() + (os.listdir("out.h5.parts") if settings else [])
                self.assertFalse([file for file in files if "partial" in file or "journal" in file])
        result = launch(chain.replace("v*2", "v*3").format("", "out.tif", "resume=true"), ("-q",))
        self.assertIn("can't be resumed", result.errors[0])

    def test_parts(self):
        """A dataset with its images in several files."""
        scan = rng.standard_normal((11, 23, 17)).astype(np.float32)
        tifffile.imwrite("scan.tif", scan, photometric="minisblack")
        line = "tomoread path=scan.tif ! {} tomowrite filename=out.h5:/entry/data/data hdf5-parts={} {}"
        for number, before, settings, wanted in ((3, "", "", scan), (16, "", "", scan), (2, "tomostack number=11 !", "", scan),
                                                 (4, "", "hdf5-deflate=1", scan),
                                                 (3, "", "bits=16 minimum=-3 maximum=3",
                                                  (scan.clip(-3, 3).astype(float) + 3) / 6 * 65535),
                                                 (3, "", "bits=8", (scan.astype(float) - scan.min()) / np.ptp(scan.astype(float)) * 255)):
            with self.subTest(number, before=before, settings=settings):
                self.assert_launches(line.format(before, number, settings))
                with h5py.File("out.h5") as file:
                    data = file["entry/data/data"]
                    self.assertTrue(data.is_virtual)
                    if settings.startswith("bits"):  # what lies between two integers may become either
                        np.testing.assert_allclose(data[()], wanted, rtol=0, atol=0.5 + 1e-3)
                    else:
                        np.testing.assert_array_equal(data[()], wanted)
                    self.assertTrue(data.attrs["complete"])
                    self.assertIn("tomowrite", text(data.attrs["pipeline"]))
                    if settings:
                        self.assertEqual("grey_minimum" in data.attrs, "bits" in settings)
                self.assertEqual(len(os.listdir("out.h5.parts")), min(number, 11))
                found = list(run("tomoread path=out.h5:/entry/data/data convert=false"))
                np.testing.assert_array_equal(np.concatenate([np.atleast_3d(a).reshape(-1, 23, 17) for a in found]),
                                              read_dataset("out.h5", "entry/data/data"))
        # The earlier result stands until the next one does.
        before = read_dataset("out.h5", "entry/data/data")
        result = launch(line.format("tomocalculate expression=v ! identity error-after=9 !", 3, ""), ("-q",))
        self.assertNotEqual(result.rc, 0)
        np.testing.assert_array_equal(read_dataset("out.h5", "entry/data/data"), before)
        for settings, word in (("append=true", "append"), ("bits=8 range-per-image=true", "range-per-image")):
            result = launch(line.format("", 3, settings), ("-q",))
            self.assertIn(word, result.errors[0])
        for name in "out.tif", "o%i.h5:/data":
            result = launch(line.replace("out.h5:/entry/data/data", name).format("", 3, ""), ("-q",))
            self.assertIn("parts are 3", result.errors[0])

    def write_parts(self, images, place="out.h5:/a", settings="hdf5-parts=3", before="", options=("-q",)):
        tifffile.imwrite("parts.tif", images, photometric="minisblack")
        return launch(f"tomoread path=parts.tif ! {before} tomowrite filename={place} {settings}", options)

    def interrupt_parts(self, images, place="out.h5:/a", settings="hdf5-parts=3"):
        """A run that fails behind nine images; returns its message."""
        result = self.write_parts(images, place, settings, "tomocalculate expression=v ! identity error-after=9 !")
        self.assertNotEqual(result.rc, 0)
        return result.out

    def assert_parts(self, images, dataset="a", name="out.h5"):
        np.testing.assert_array_equal(read_dataset(name, dataset), images)
        found = list(run(f"tomoread path={name}:/{dataset} convert=false"))
        np.testing.assert_array_equal(np.concatenate([np.atleast_3d(a).reshape(-1, *images.shape[1:]) for a in found]), images)

    def test_parts_of_several_datasets(self):
        """Each dataset of a file has parts of its own, and so has each place."""
        scans = {name: rng.standard_normal((7, 5, 6)).astype(np.float32) for name in ("a", "b", "c/d", "c.d", "c~d", "a-a-000-of-003")}
        for _ in range(2):
            for name, scan in scans.items():
                self.assertEqual(self.write_parts(scan, f"out.h5:/{name}").rc, 0)
            for name, scan in scans.items():
                self.assert_parts(scan, name)
            self.assertEqual(len(os.listdir("out.h5.parts")), 3 * len(scans))
        # A link is followed; a per cent sign is one.
        os.makedirs("far")
        os.symlink("far/real.h5", "link.h5")
        with h5py.File("far/real.h5", "w"):
            pass
        scan = scans["a"]
        for place, name in (("link.h5:/a", "link.h5"), ("50%%.h5:/a", "50%.h5")):
            for _ in range(2):
                self.assertEqual(self.write_parts(scan, place).rc, 0)
                self.assert_parts(scan, name=name)
            self.assertEqual(self.write_parts(scan, place, "hdf5-parts=3 resume=true").rc, 0)
            self.assert_parts(scan, name=name)
        self.assertEqual(len(os.listdir("far/real.h5.parts")), 3)
        self.assertFalse(os.path.exists("link.h5.parts"))
        self.assertEqual(len(os.listdir("50%.h5.parts")), 3)

    def test_parts_of_several_runs(self):
        """A result stands until the next one does, whatever an interrupted run leaves; that can be resumed."""
        first, second = rng.standard_normal((2, 17, 5, 6)).astype(np.float32)
        self.assertEqual(self.write_parts(first).rc, 0)
        with open("out.h5.parts/a-note.h5", "w") as file:
            file.write("mine")
        for settings in "hdf5-parts=3", "hdf5-parts=3", "hdf5-parts=8":
            self.assertIn("out.h5.parts", self.interrupt_parts(second, settings=settings))
            self.assert_parts(first)
        self.assertIn("its images are in 8", self.write_parts(second, settings="hdf5-parts=3 resume=true").errors[0])
        self.assert_parts(first)
        self.assertEqual(self.write_parts(second, settings="hdf5-parts=8 resume=true").rc, 0)
        self.assert_parts(second)
        self.assertEqual(sorted(os.listdir("out.h5.parts")),
                         [f"a-b-{n:03}-of-008.h5" for n in range(8)] + ["a-note.h5"])
        # All of it is there.
        self.assertIn("its images are in 8", self.write_parts(second, settings="hdf5-parts=9 resume=true").errors[0])
        self.assertEqual(self.write_parts(second, settings="hdf5-parts=8 resume=true").rc, 0)
        self.assert_parts(second)
        self.assertIn("its images are in 8", self.write_parts(second, settings="resume=true").errors[0])
        # Under another name, a result keeps its images.
        os.rename("out.h5", "kept.h5")
        for scan in first[:9], first:
            result = self.write_parts(scan, settings="hdf5-parts=8", options=())
            self.assertEqual(result.rc, 0)
            self.assertIn("a-b-000-of-008.h5' and those beside it are files of an earlier run", result.out)
            self.assert_parts(scan)
            self.assert_parts(second, name="kept.h5")
        self.assertEqual(len(os.listdir("out.h5.parts")), 17)
        # Whole parts of a run that was killed before the end are continued, or replaced.
        os.remove("kept.h5")
        for scan, settings in ((first[:11], ""), (first, " resume=true")):
            run, = {name[:3] for name in os.listdir("out.h5.parts") if name.startswith(("a-a", "a-c"))}
            os.remove("out.h5")
            with open(f"out.h5.parts/{run}-of-008.unfinished", "w"):
                pass
            self.assertEqual(self.write_parts(scan, settings="hdf5-parts=8" + settings).rc, 0)
            self.assert_parts(scan)
            self.assertEqual(len(os.listdir("out.h5.parts")), 17)
        # What an interrupted run leaves of more parts than there are images now.
        self.interrupt_parts(first, settings="hdf5-parts=8")
        os.remove(next(f"out.h5.parts/{name}" for name in os.listdir("out.h5.parts") if name.endswith("unfinished")))
        self.assertEqual(self.write_parts(second[:2], settings="hdf5-parts=8").rc, 0)
        self.assert_parts(second[:2])
        self.assertEqual(len(os.listdir("out.h5.parts")), 11)
        # The interrupted run is resumed, with parts or without, whatever the result before it.
        for scan, settings in ((second, ""), (first, " hdf5-parts=2"), (second, "")):
            self.interrupt_parts(scan, settings=settings)
            self.assertEqual(self.write_parts(scan, settings="resume=true" + settings).rc, 0)
            if settings:
                self.assert_parts(scan)
                continue
            # Written without parts, it leaves none behind, but what others have stays.
            np.testing.assert_array_equal(read_dataset("out.h5", "a"), scan)
            self.assertEqual(sorted(os.listdir("out.h5.parts")), [f"a-b-{n:03}-of-008.h5" for n in range(8)] + ["a-note.h5"])
        self.assertIn("its images are in one", self.write_parts(first, settings="hdf5-parts=8 resume=true").errors[0])
        # What is resumed in another number of parts is an error also where nothing has the name yet.
        self.interrupt_parts(first, "new.h5:/a")
        before = sorted(os.listdir("new.h5.parts"))
        for number in 1, 4:
            self.assertIn("its images are in 3", self.write_parts(first, "new.h5:/a", f"hdf5-parts={number} resume=true").errors[0])
        self.assertEqual(sorted(os.listdir("new.h5.parts")), before)
        self.assertFalse([name for name in os.listdir() if name.startswith("new.h5") and name != "new.h5.parts"])
        self.assertEqual(self.write_parts(first, "new.h5:/a", "hdf5-parts=3 resume=true").rc, 0)
        self.assert_parts(first, name="new.h5")

    def test_parts_are_refused_at_once(self):
        """What is in the way is told with the first image, and nothing is left."""
        scan = rng.standard_normal((17, 5, 6)).astype(np.float32)
        with h5py.File("out.h5", "w") as file:
            file["group/data"] = np.zeros((2, 3, 4))
        for place, words in (("out.h5:/group", "is a group"), ("out.h5:/group/data/x", "nothing can be inside")):
            result = self.write_parts(scan, place, before="tomocalculate expression=v ! identity sleep-time=200000 error-after=9 !")
            self.assertIn(words, result.errors[0])
        with h5py.File("in.h5", "w") as file:
            file["a"] = scan
        result = launch("tomoread path=in.h5:/a ! identity sleep-time=200000 error-after=9 ! tomowrite filename=in.h5:/b hdf5-parts=3", ("-q",))
        self.assertIn("input", result.errors[0])
        self.assertEqual(sorted(os.listdir()), ["folder", "in.h5", "out.h5", "parts.tif"])
        # Another process is at it.
        tifffile.imwrite("scan.tif", scan, photometric="minisblack")
        other = start_launch("tomoread path=scan.tif ! identity sleep-time=300000 ! tomowrite filename=new.h5:/a hdf5-parts=3")
        try:
            wait_until(lambda: os.path.exists("new.h5.parts/a-a-002-of-003.h5.partial"), "the last part")
            result = self.write_parts(scan + 1, "new.h5:/a")
            self.assertIn("being written by another", result.errors[0])
        finally:
            other.communicate(timeout=PATIENCE)
        self.assert_parts(scan, name="new.h5")

    def test_only_the_rest_is_computed(self):
        """Filters leave out what is there; the last image is computed again, and so is all behind a reducer."""
        images = list(rng.standard_normal((30, 20, 25)).astype(np.float32))
        tifffile.imwrite("scan.tif", np.stack(images), photometric="minisblack")
        for chain, passed in (("tomocalculate name=c expression=v*2 ! queue max-size-buffers=2 ! tomopad width=30 height=30", 11),
                              ("tomocalculate expression=v*2 ! tomostack number=1 ! tomocalculate name=c expression=v", 11),
                              ("tomocalculate name=c expression=v*2 ! tomostack number=1", 30),
                              ("tomocalculate name=c expression=v*2 ! tee ! queue", 30)):
            with self.subTest(chain):
                self.assert_launches(f"tomoread path=scan.tif number=20 ! {chain} ! tomowrite filename=out.tif")
                self.assert_launches(f"tomoread path=scan.tif ! {chain} ! tomowrite filename=whole.tif")
                with Play(f"tomoread path=scan.tif ! {chain} ! tomowrite name=write filename=out.tif resume=true") as play:
                    frames = play.watch("c", "src")
                    play.run()
                    # Those that had begun before the writer knew may be more.
                    self.assertLessEqual(passed, len(frames.values))
                    self.assertLessEqual(len(frames.values), passed + (8 if "queue" in chain and passed < 30 else 0))
                with open("out.tif", "rb") as file, open("whole.tif", "rb") as whole:
                    self.assertEqual(file.read(), whole.read())
                # Fewer come than are there.
                result = launch(f"tomoread path=scan.tif number=5 ! {chain} ! tomowrite filename=out.tif resume=true", ("-q",))
                if passed < 30:
                    self.assertIn("more than come now", result.errors[0])
                os.remove("out.tif")

    def test_other_programs(self):
        """What is written, as they read it."""
        images = self.sinograms
        read = "tomoread path='folder/sino*.tif' ! "
        self.assert_launches(read + "tomowrite filename=out.edf")
        file = fabio.open("out.edf")
        self.assertEqual(file.nframes, 5)
        for number in range(5):
            np.testing.assert_array_equal(file.getframe(number).data, images[number])
        low, high = float(min(i.min() for i in images)), float(max(i.max() for i in images))
        scaled = [np.floor((i.astype(np.float64) - low) / (high - low) * 65535 + 0.5) for i in images]
        self.assert_launches(read + "tomowrite filename=p%i.png")
        for number in range(5):
            self.assertLessEqual(np.abs(np.asarray(Image.open(f"p{number}.png")).astype(float) - scaled[number]).max(), 1)
        level, window = low + (high - low) * 0.5, (high - low) * 0.3
        self.assert_launches(read + f"tomowrite filename=w%i.png bits=8 level={level!r} window={window!r}")
        grey = np.clip((images[2].astype(np.float64) - level) / window + 0.5, 0, 1) * 255
        self.assertLessEqual(np.abs(np.asarray(Image.open("w2.png")) - grey).max(), 0.51)
        self.assert_launches(read + f"tomowrite filename=w%i.jpg jpeg-quality=100 level={level!r} window={window!r}")
        self.assertLess(np.abs(np.asarray(Image.open("w2.jpg")) - grey).mean(), 2)
        self.assert_launches(read + "tomowrite filename=deflated.h5:/entry/data/data hdf5-deflate=4")
        with h5py.File("deflated.h5") as file:
            self.assertEqual((file["entry/data/data"].compression, file["entry/data/data"].compression_opts), ("gzip", 4))
            self.assertTrue(file["entry/data/data"].shuffle)
            np.testing.assert_array_equal(file["entry/data/data"], images)
        self.assert_launches(read + "tomowrite filename=out.h5:/entry/data/data")
        self.assert_launches(read + "tomowrite filename=pages.tif tiff-bigtiff=false")
        for name in "deflated.h5", "out.h5":
            with silx.io.open(name) as file:
                plot = silx.io.nxdata.get_default(file)
                self.assertTrue(plot.is_valid, plot.issues)
                np.testing.assert_array_equal(plot.signal[()], images)
                self.assertEqual([len(axis[()]) for axis in plot.axes], list(np.shape(images)))
            np.testing.assert_array_equal(silx.io.get_data(f"silx:{name}::/entry/data/data"), images)
            with fabio.open(f"{name}::/entry/data/data") as file:
                self.assertEqual(file.nframes, 5)
                np.testing.assert_array_equal(file.getframe(3).data, images[3])
        with fabio.open("pages.tif") as file:
            np.testing.assert_array_equal(file.getframe(3).data, images[3])

    def test_volumes(self):
        """A view of several volumes in one dataset, which stays true where the file is renamed or grows."""
        line = "tomoread path='folder/sino*.tif' ! tomowrite filename=out.h5:/a/b hdf5-volume=2"
        images = np.array(self.sinograms)
        self.assertEqual(len(images), 5)
        self.assert_launches(line)
        os.rename("out.h5", "other.h5")
        with h5py.File("other.h5") as file:
            self.assertTrue(file["a/b_volumes"].is_virtual)
            np.testing.assert_array_equal(file["a/b"], images)
            np.testing.assert_array_equal(file["a/b_volumes"], images[:4].reshape(2, 2, *images.shape[1:]))
        os.rename("other.h5", "out.h5")
        self.assert_launches(line + " append=true")
        with h5py.File("out.h5") as file:
            twice = np.concatenate([images, images])
            np.testing.assert_array_equal(file["a/b_volumes"], twice.reshape(5, 2, *images.shape[1:]))
        for volume in 6, 0:
            self.assert_launches(line)
            self.assert_launches(line.replace("=2", f"={volume}"))
            with h5py.File("out.h5") as file:
                self.assertEqual(list(file["a"]), ["b"])
        with h5py.File("out.h5", "a") as file:
            self.assertEqual(list(file["a"]), ["b"])  # no whole volume
            file["a/b_volumes"] = 1.0
        self.assert_launches(line.replace(" hdf5-volume=2", ""))
        with h5py.File("out.h5") as file:
            self.assertEqual(file["a/b_volumes"][()], 1.0)
        self.assertIn("no view of volumes", launch(line).errors[0])
        # Neither is a group, a link that leads nowhere, or a virtual dataset of somebody; it is told with the first image.
        def group(file):
            file.create_group("a/b_volumes/mine")
        def link(file):
            file["a/b_volumes"] = h5py.SoftLink("/nowhere")
        def view(file):
            layout = h5py.VirtualLayout(shape=(5, *images.shape[1:]), dtype=np.float32)
            layout[:] = h5py.VirtualSource(".", "a/b", shape=images.shape)
            file.create_virtual_dataset("a/b_volumes", layout)
        for make in group, link, view:
            for settings in "", "hdf5-parts=2":
                with self.subTest(make.__name__, settings=settings):
                    os.remove("out.h5")
                    with h5py.File("out.h5", "w") as file:
                        file["a/b"] = images
                        make(file)
                    result = launch(line.replace("! tomowrite", "! identity sleep-time=200000 error-after=4 ! tomowrite") + " " + settings, ("-q",))
                    self.assertIn("no view of volumes", result.errors[0])
                    self.assert_launches(line.replace("hdf5-volume=2", settings))
                    with h5py.File("out.h5") as file:
                        self.assertEqual(file["a"].get("b_volumes", getclass=True, getlink=True), h5py.SoftLink if make is link else h5py.HardLink)
                        np.testing.assert_array_equal(file["a/b"], images)

    def test_values_of_integers(self):
        """Integers say what they stand for: the values are found again within half a step."""
        volume = np.stack([image * 10.0 ** number for number, image in enumerate(self.sinograms)])
        tifffile.imwrite("volume.tif", volume, photometric="minisblack")
        low, high = float(volume.min()), float(volume.max())
        level, window = np.float64(volume.mean()), np.float64(volume.std())
        fixed = (level - window / 2, level + window / 2)
        for settings, ranges in (("", [(low, high)] * 5), (f"level={level!r} window={window!r}", [fixed] * 5),
                                 ("minimum=-0.5", [(-0.5, high)] * 5), ("minimum=0.25 maximum=4", [(0.25, 4)] * 5),
                                 ("range-per-image=true", [(float(i.min()), float(i.max())) for i in volume])):
            for bits in (8, 16):
                with self.subTest(settings, bits=bits):
                    found = {}
                    for name in ("v.tif", "v.edf", "v.h5:/entry/data/data", "v%i.png", "v%i.tif") + (("v%i.jpg",) if bits == 8 else ()):
                        with Play(f"tomoread path=volume.tif ! tomowrite filename={name} bits={bits} {settings}") as play:
                            self.assertIsNone(play.run())
                            told = [m.get_structure() for m in play.messages
                                    if m.type == Gst.MessageType.ELEMENT and m.get_structure().has_name("tomo-effective")]
                        if "per-image" in settings:
                            self.assertEqual(told, [])
                        else:
                            self.assertEqual([(t["grey-minimum"], t["grey-maximum"]) for t in told], [ranges[0]])
                            self.assertIn(f"0 to {2**bits - 1} stand for values from {ranges[0][0]:g} to", told[0]["text"])
                    for name in ("v.tif", "v%i.tif"):
                        found[name] = []
                        for number in range(5):
                            with tifffile.TiffFile(name % number if "%" in name else name) as file:
                                page = file.pages[0 if "%" in name else number]
                                limits = tuple(page.tags[tag].value for tag in ("SMinSampleValue", "SMaxSampleValue"))
                                words = dict(line.split("=") for line in page.description.splitlines() if "grey" in line)
                                self.assertEqual((float(words["grey_minimum"]), float(words["grey_maximum"])), limits)
                                found[name].append((page.asarray(), *limits))
                    with fabio.open("v.edf") as file:
                        frames = [file.getframe(number) for number in range(5)]
                        found["edf"] = [(f.data, float(f.header["grey_minimum"]), float(f.header["grey_maximum"])) for f in frames]
                    with h5py.File("v.h5") as file:
                        stack = file["entry/data/data"]
                        if "per-image" in settings:
                            self.assertIn("data_grey_minimum", text(stack.attrs["grey_range"]))
                            self.assertNotIn("grey_minimum", stack.attrs)
                            limits = zip(file["entry/data/data_grey_minimum"], file["entry/data/data_grey_maximum"])
                        else:
                            self.assertNotIn("entry/data/data_grey_minimum", file)
                            limits = [(stack.attrs["grey_minimum"], stack.attrs["grey_maximum"])] * 5
                        found["h5"] = [(image, *pair) for image, pair in zip(stack[...], limits)]
                    found["png"] = []
                    for number in range(5):
                        with Image.open(f"v{number}.png") as file:
                            found["png"].append((np.asarray(file), float(file.text["grey_minimum"]), float(file.text["grey_maximum"])))
                        if bits == 8:
                            with Image.open(f"v{number}.jpg") as file:
                                words = dict(line.split("=") for line in file.info["comment"].decode().splitlines())
                                self.assertEqual((float(words["grey_minimum"]), float(words["grey_maximum"])), ranges[number])
                    for name, images in found.items():
                        for (integers, *limits), expected, image in zip(images, ranges, volume, strict=True):
                            np.testing.assert_allclose(limits, expected, rtol=1e-12, err_msg=name)
                            values = limits[0] + integers / (2.0**bits - 1) * (limits[1] - limits[0])
                            off = np.abs(values - np.clip(image.astype(np.float64), *limits))
                            self.assertLessEqual(off.max(), 0.5001 * (limits[1] - limits[0]) / (2**bits - 1), name)
        # As they are, they stand for themselves.
        self.assert_launches("tomoread path=volume.tif ! tomowrite filename=plain.tif bits=8 rescale=false")
        with tifffile.TiffFile("plain.tif") as file:
            self.assertNotIn("SMinSampleValue", file.pages[0].tags)

    def test_lost_values(self):
        """A range for which a file has no place, and samples that integers can't hold, are told."""
        images = np.stack(write_sinograms("lost", number=3, shape=(5, 7)))
        low, high = f"from {images.min():g} to {images.max():g}", "has no place for that"
        for target in "q.raw", "q.npy":
            out = self.assert_launches(f"tomoread path=lost ! tomowrite filename={target} bits=8", ())
            self.assertIn(low, out)
            self.assertIn(high, out)
            out = self.assert_launches(f"tomoread path=lost ! tomowrite filename={target} bits=8 minimum=-2 maximum=3", ())
            self.assertNotIn(high, out)
        out = self.assert_launches("tomoread path=lost ! tomowrite filename=q.tif bits=8", ())
        self.assertNotIn("WARNING", out)
        images[1, 2, :3] = np.nan
        tifffile.imwrite("nan.tif", images, photometric="minisblack")
        tifffile.imwrite("all.tif", images * np.nan, photometric="minisblack")
        for name, count in ("nan", 3), ("all", 105):
            out = self.assert_launches(f"tomoread path={name}.tif ! tomowrite filename=q.tif bits=16", ())
            self.assertEqual(out.count(f"{count} of 105 samples are not a number"), 1, out)
            # On a device with memory of its own, these are made there.
            out = launch(f"tomoread path={name}.tif ! tomocalculate expression=v ! tomowrite filename=q.tif bits=16 minimum=0 maximum=1",
                         (), {"GST_TOMO_TEST_DISCRETE": "1"}).out
            self.assertEqual(out.count(f"{count} of 105 samples are not a number"), 1, out)

    def axes_of(self, chain):
        """The axes of the result of a chain, by name, and the units of the last one."""
        self.assert_launches(f"{chain} ! tomowrite filename=axes.h5:/entry/data/data")
        with h5py.File("axes.h5") as file:
            data = file["entry/data"]
            names = [text(name) for name in data.attrs["axes"]]
            for name, size in zip(names, data["data"].shape):
                self.assertEqual(data[name].shape, (size,))
            axes = {name: (data[name][...], text(data[name].attrs["units"])) for name in names}
        os.remove("axes.h5")
        return axes

    def test_places(self):
        """Slabs and regions are where they are in the whole."""
        scan = os.path.join(os.path.dirname(__file__), "..", "..", "examples", "data", "savu24737.nxs")
        slices = (f"tomoscansrc name=s location={scan} order=sinograms {{}} s.projections ! f.projections  s.darks ! f.darks  "
                  "s.flats ! f.flats  tomoflatfieldcorrect name=f sinogram-input=true absorption-correct=true fix-nan-and-inf=true ! "
                  "{} tomorampfilter ! tomobackproject {}")
        whole = self.axes_of(slices.format("y=64 height=6", "", ""))
        units = whole["z"][1]
        self.assertEqual({axis[1] for axis in whole.values()}, {units})
        self.assertIn(units, ("m", "pixel"))
        pixel = np.diff(whole["x"][0])[0]
        self.assertEqual(units == "pixel", pixel == 1.0)

        def check(axes, name, first, step, count):
            np.testing.assert_allclose(axes[name][0] / pixel, first + step * np.arange(count), rtol=1e-9, err_msg=name)
            self.assertEqual(axes[name][1], units)

        check(whole, "z", 64.5, 1, 6)
        check(whole, "x", 0.5, 1, 160)
        check(whole, "y", 0.5, 1, 160)
        slabs = [self.axes_of(slices.format(f"y={first} height=3", "", "")) for first in (64, 67)]
        np.testing.assert_array_equal(np.concatenate([slab["z"][0] for slab in slabs]), whole["z"][0])
        axes = self.axes_of(slices.format("y=64 height=1", "tomocrop x=20 width=101 y=0 height=91 !", "roi-x=40 roi-y=7 roi-width=30 roi-height=31"))
        check(axes, "x", 60.5, 1, 30)
        check(axes, "y", 27.5, 1, 31)
        # Behind the reconstruction as well, in pixels of the scan.
        axes = self.axes_of(slices.format("y=70 height=1", "", "roi-x=40 roi-y=7 roi-width=30 roi-height=32 ! tomocrop x=3 y=5 width=20 height=24 "
                                          "! tomobin size=2"))
        check(axes, "x", 44, 2, 10)
        check(axes, "y", 13, 2, 12)
        check(axes, "z", 70.5, 1, 1)
        # Also where nothing is known of a scan.
        axes = self.axes_of("tomoread path='folder/sino*.tif' ! tomobackproject roi-x=40 roi-y=10 roi-width=5 roi-height=7")
        np.testing.assert_array_equal(axes["x"][0], 40.5 + np.arange(5))
        np.testing.assert_array_equal(axes["y"][0], 10.5 + np.arange(7))
        np.testing.assert_array_equal(axes["z"][0], 0.5 + np.arange(5))
        # An axis that is given takes nothing away.
        axes = self.axes_of(slices.format("y=70 height=1", "", "axis-pos=81 roi-x=40 roi-y=7 roi-width=30 roi-height=31"))
        check(axes, "x", 40.5, 1, 30)
        check(axes, "y", 7.5, 1, 31)
        check(axes, "z", 70.5, 1, 1)
        # Rows that tomoread leaves out are still there; those of sinograms are views.
        write_sinograms("radiographs", shape=(23, 9), number=7, dtype=np.uint16)
        for rows, first, step, count in ("y=13 height=4", 13.5, 1, 4), ("y=3 y-step=3 height=13", 3.5, 3, 5):
            axes = self.axes_of(f"tomoread path=radiographs {rows} ! tomotransposeprojections ! tomorampfilter ! tomobackproject")
            np.testing.assert_array_equal(axes["z"][0], first + step * np.arange(count))
            axes = self.axes_of(f"tomoread path='folder/sino*.tif' {rows.replace('13', '4')} ! tomorampfilter ! tomobackproject")
            np.testing.assert_array_equal(axes["z"][0], 0.5 + np.arange(5))
        # Views are no lengths.
        axes = self.axes_of(f"tomoscansrc name=s location={scan} y=10 height=5 x=7 width=9 start=3 number=4 s.projections")
        self.assertEqual(sorted(axes), ["rotation_angle", "x", "y"])
        self.assertEqual(axes["rotation_angle"][1], "rad")
        check(axes, "y", 10.5, 1, 5)
        check(axes, "x", 7.5, 1, 9)

    def test_only_what_matters(self):
        """No plumbing, no sign for "automatic", nothing of other branches; what was in force has units."""
        chain = ("tomoscansrc name=s location=scan s.projections ! queue ! tomodownload ! tomocalculate expression=v*2 ! tee name=t "
                 "t. ! queue ! tomorescale factor=0.5 ! tomoblur sigma=0 ! tomowrite filename=small.h5:/entry/data/data "
                 "t. ! queue ! tomopad width=9 height=9 ! identity ! tomowrite bits=8 filename=out.h5:/entry/data/data")
        for kind in ("projections", "darks", "flats"):
            write_sinograms(f"scan/{kind}", shape=(5, 7), number=3, dtype=np.uint16)
        self.assert_launches(chain)
        with h5py.File("out.h5") as file, h5py.File("small.h5") as small:
            process = file["entry/reconstruction"]
            self.assertEqual(sorted(process["elements"]), ["s", "tomocalculate0", "tomopad0"])
            self.assertEqual(sorted(small["entry/reconstruction/elements"]), ["s", "tomoblur0", "tomocalculate0", "tomorescale0"])
            self.assertEqual(float(small["entry/reconstruction/elements/tomoblur0/sigma"][()]), 0)
            for step, name in (("tomorescale0", "width"), ("s", "number"), ("s", "stack")):
                self.assertNotIn(name, small[f"entry/reconstruction/elements/{step}"])
            for group in (process["elements"], small["entry/reconstruction/elements"]):
                numbers = [group[step][name][()] for step in group for name in group[step] if group[step][name].dtype.kind in "if"]
                self.assertFalse([n for n in numbers if abs(float(n)) > 1e9 or n == -1], numbers)
                self.assertFalse({"async-handling", "message-forward"} & set(group["s"]))
            self.assertEqual(int(process["elements/tomopad0/width"][()]), 9)
            self.assertEqual(list(process), list(small["entry/reconstruction"]))
            stack = file["entry/data/data"]
            for name in "grey_minimum", "grey_maximum":
                self.assertEqual(float(process[f"parameters/{name}"][()]), float(stack.attrs[name]))
                self.assertEqual(text(process[f"parameters/{name}"].attrs["source"]), "found")
                self.assertNotIn(name, small["entry/reconstruction/parameters"])

    def interrupt(self, line, name):
        """Ends a run by SIGINT when some images are there; returns its output."""
        process, since = start_launch(line, ("-e",)), time.monotonic()
        wait_until(lambda: os.path.exists(name), name)
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        return end_launch(process, since)

    def test_ended_early(self):
        """A stream that somebody ended says so in its file, and goes on from there."""
        scan = rng.standard_normal((300, 11, 13)).astype(np.float32)
        tifffile.imwrite("scan.tif", scan, photometric="minisblack")
        chain = "tomoread path=scan.tif ! tomocalculate expression=v*2 ! {} tomowrite filename={} {}"
        for settings in "", "bits=16 minimum=-4 maximum=4":
            for name in "out.h5:/entry/data/data", "out.tif", "s%03i.tif":
                with self.subTest(name, settings=settings):
                    file = name % 2 if "%" in name else name.split(":")[0]
                    ended = self.interrupt(chain.format("identity sleep-time=10000 !", name, settings),
                                           file if "%" in name else file + ".partial")
                    self.assertEqual(ended.rc, 0, str(ended))
                    self.assertIn("of 300 images; the same line with resume=true", ended.out)
                    came = int(ended.out.split(" of 300 images")[0].split()[-1])
                    self.assertTrue(2 < came < 300, came)
                    if name == "out.tif":
                        with tifffile.TiffFile(name) as tiff:
                            self.assertEqual(len(tiff.pages), came)
                            self.assertIn("complete=false\nimages_expected=300", tiff.pages[0].description)
                            self.assertNotIn("complete", tiff.pages[1].description)
                    elif ":" in name:
                        with h5py.File("out.h5") as hdf5:
                            data, parameters = hdf5["entry/data/data"], hdf5["entry/reconstruction/parameters"]
                            self.assertEqual((len(data), bool(data.attrs["complete"]), int(data.attrs["images_expected"])), (came, False, 300))
                            self.assertEqual((bool(parameters["complete"][()]), int(parameters["images_expected"][()])), (False, 300))
                            self.assertEqual(data.attrs["complete"].dtype, bool)
                    self.assert_launches(chain.format("", name, settings + " resume=true"))
                    whole = "whole-" + name
                    out = self.assert_launches(chain.format("", whole, settings))
                    self.assertNotIn("ended early", out)
                    if ":" in name:
                        with h5py.File("out.h5") as hdf5:
                            data = hdf5["entry/data/data"]
                            np.testing.assert_array_equal(data, read_dataset("whole-out.h5", "entry/data/data"))
                            self.assertTrue(data.attrs["complete"])
                            self.assertNotIn("images_expected", data.attrs)
                    else:
                        for number in range(300 if "%" in name else 1):
                            each = name % number if "%" in name else name
                            with open(each, "rb") as one, open("whole-" + each, "rb") as other:
                                self.assertEqual(one.read(), other.read(), each)
                    if name == "out.tif":
                        with tifffile.TiffFile(name) as tiff:
                            self.assertIn("complete=true", tiff.pages[0].description)
                    for each in os.listdir():
                        if each != "scan.tif" and os.path.isfile(each):
                            os.remove(each)
        # EDF says it in its first header.
        ended = self.interrupt(chain.format("identity sleep-time=10000 !", "out.edf", ""), "out.edf.partial")
        came = int(ended.out.split(" of 300 images")[0].split()[-1])
        header, images = read_edf("out.edf", scan[0].nbytes)
        self.assertEqual((header["complete"], header["images_expected"], len(images)), ("false", "300", came))
        self.assert_launches(chain.format("", "out.edf", "resume=true"))
        self.assert_launches(chain.format("", "whole.edf", ""))
        with open("out.edf", "rb") as one, open("whole.edf", "rb") as other:
            self.assertEqual(one.read(), other.read())
        header, images = read_edf("out.edf", scan[0].nbytes)
        self.assertEqual((header["complete"], len(images)), ("true", 300))
        self.assertNotIn("images_expected", header)
        self.assertNotIn("complete", images[1])
        # Who asks for less gets all of that; of a part of the stream nothing is said.
        out = self.assert_launches("tomoread path=scan.tif num-buffers=5 ! tomowrite filename=five.h5:/data")
        self.assertNotIn("ended early", out)
        with h5py.File("five.h5") as hdf5:
            self.assertTrue(hdf5["data"].attrs["complete"])
        with Play("tomoread path=scan.tif ! application/x-tomo-array,framerate=10/1 ! tomowrite filename=part.h5:/data") as play:
            play.state(Gst.State.PAUSED)
            play.seek(1.0, Gst.Format.TIME, Gst.SeekFlags.FLUSH, Gst.SeekType.SET, Gst.SECOND, Gst.SeekType.SET, 2 * Gst.SECOND)
            play.pipeline.set_state(Gst.State.PLAYING)
            self.assertIsNone(play.finish())
            self.assertEqual(play.warnings(), [])
        with h5py.File("part.h5") as hdf5:
            self.assertEqual(len(hdf5["data"]), 10)
            self.assertNotIn("complete", hdf5["data"].attrs)

    def test_tiff_kind(self):
        """Classic where the images are known to fit, so that old programs read them."""
        tifffile.imwrite("scan.tif", np.stack(self.sinograms), photometric="minisblack")
        for line, name, version in (("tomoread path=scan.tif", "a.tif", 42), ("tomoread path=scan.tif", "a%i.tif", 42),
                                    ("tomoread path=scan.tif ! tomowrite filename=b.tif tiff-bigtiff=true", "b.tif", 43),
                                    ("tomoread path=scan.tif ! tomowrite filename=c.tif tiff-bigtiff=false", "c.tif", 42),
                                    ("tomoread path=scan.tif ! identity ! tomowrite filename=d%i.tif bytes-per-file=9000", "d%i.tif", 42),
                                    ("tomoread path=scan.tif ! tomowrite filename=e%i.tif bytes-per-file=3000000000", "e%i.tif", 43)):
            with self.subTest(line, name=name):
                self.assert_launches(line if "tomowrite" in line else f"{line} ! tomowrite filename={name}")
                with open(name % 0 if "%" in name else name, "rb") as file:
                    self.assertEqual(file.read(4)[2], version)
        # Of a number that is known: by the size of all, though few come.
        with open("many.raw", "wb") as file:
            file.truncate(3 << 30)
        process = start_launch("tomoread path=many.raw raw-width=8192 raw-height=4096 raw-format=uint8 ! identity sleep-time=300000 ! "
                               "tomowrite filename=f.tif")
        wait_until(lambda: os.path.exists("f.tif.partial") and os.path.getsize("f.tif.partial") > 8, "f.tif.partial")
        process.kill()
        process.communicate()
        with open("f.tif.partial", "rb") as file:
            self.assertEqual(file.read(4)[2], 43)
        # From JSON as UFO has it.
        for value, version in ((True, 43), (False, 42), ("auto", 42)):
            with open("flow.json", "w") as file:
                json.dump({"nodes": [{"plugin": "read", "name": "r", "properties": {"path": "scan.tif"}},
                                     {"plugin": "write", "name": "w", "properties": {"filename": "g.tif", "tiff-bigtiff": value}}],
                           "edges": [{"from": {"name": "r"}, "to": {"name": "w"}}]}, file)
            subprocess.run(["tomo-runjson", "-q", "flow.json"], check=True, timeout=PATIENCE)
            with open("g.tif", "rb") as file:
                self.assertEqual(file.read(4)[2], version)

    def test_colour(self):
        colour = rng.integers(0, 256, (9, 11, 3), np.uint8)
        Image.fromarray(colour).save("in.png")
        for name in ("out.png", "out.tif"):
            self.assert_launches(f"tomoread path=in.png convert=false ! tomowrite filename={name} rgb=true")
            np.testing.assert_array_equal(np.asarray(Image.open(name)), colour)
        np.testing.assert_array_equal(tifffile.imread("out.tif"), colour)
        for line, words in (("tomoread path=in.png ! tomowrite filename=out.h5:/a/b/c rgb=true", "no colours"),
                            ("tomoread path=folder/sino00.tif ! tomowrite filename=x.tif rgb=true", "instead of three planes"),
                            ("tomoread path=in.png ! tomowrite filename=one.png", "holds one image"),
                            ("tomoread path=in.png ! tomowrite filename=x.jpg bits=16", "JPEG has 8"),
                            ("tomoread path=in.png ! tomowrite filename=x.pgm", "read only"),
                            ("tomoread path=in.png ! tomowrite filename=x.tif window=1 minimum=0", "set one pair"),
                            ("tomoread path=in.png ! tomowrite filename=x.tif level=1", "not window")):
            with self.subTest(line):
                result = launch(line, ("-q",))
                self.assertNotEqual(result.rc, 0, str(result))
                self.assertIn(words, result.errors[0])

    def test_large_files(self):
        """Beyond 4 GiB: sparse, since nobody writes zeros here."""
        width, height = 1 << 15, 1 << 14  # 1 GiB of uint16 each
        with tifffile.TiffWriter("big.tif", bigtiff=True) as file:
            for number in range(5):
                file.write(np.full((1, 1), number, np.uint16), metadata=None, contiguous=False)
        # Each page is moved to its own GiB: only directories change.
        with tifffile.TiffFile("big.tif") as file, open("big.tif", "r+b") as raw:
            for number, page in enumerate(file.pages):
                for tag, value in (("ImageWidth", width), ("ImageLength", height), ("RowsPerStrip", height),
                                   ("StripOffsets", (number + 1) << 30), ("StripByteCounts", width * height * 2)):
                    entry = page.tags[tag]
                    raw.seek(entry.offset + 12)
                    raw.write(int(value).to_bytes({3: 2, 4: 4, 16: 8}[int(entry.dtype)], "little"))
                raw.seek(((number + 1) << 30) + 2 * (width * 5 + 7))
                raw.write((1000 + number).to_bytes(2, "little"))
            raw.truncate(6 << 30)
        self.assert_launches("tomoread path=big.tif y=4 height=3 convert=false ! tomowrite filename=part.tif")
        pages = read_pages("part.tif")
        self.assertEqual([int(page[1, 7]) for page in pages], [1000 + n for n in range(5)])
        self.assertEqual([int(page.astype(np.int64).sum()) for page in pages], [1000 + n for n in range(5)])
        # Classic TIFF ends at 4 GiB, where the file says so: the images before are kept.
        with h5py.File("big.h5", "w") as file:
            stack = file.create_dataset("data", (70000, 256, 256), np.uint8, chunks=(1, 256, 256))  # 2^32 elements and more
            stack[69999] = 7
        self.assert_launches("tomoread path=big.h5:/data image-start=69999 convert=false ! tomowrite filename=last.tif")
        self.assertTrue((read_pages("last.tif")[0] == 7).all())


if __name__ == "__main__":
    main()
