#!/usr/bin/python3
# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Volumes as images of OME-Zarr: their chunks, pyramid and attributes, and what becomes of them after faults."""

import os
import pathlib
import resource
import signal
import time

from pipetest import *
from zarr_files import *

NAME = "out.ome.zarr"
LINE = "tomoread path=scan.npy convert=false ! {} tomowrite name=write filename=" + NAME + " {}"


def files_in(folder):
    found = {}
    for root, _, names in os.walk(folder):
        for name in names:
            with open(os.path.join(root, name), "rb") as file:
                found[os.path.relpath(os.path.join(root, name), folder)] = file.read()
    return found


class OmeZarr(FaultTestCase):
    def save(self, shape, dtype=np.float32, name="scan.npy"):
        self.scan = random_array(dtype, shape)
        np.save(name, self.scan)
        return self.scan

    def levels(self, name=NAME):
        about = read_json(name, ".zattrs")["multiscales"][0]
        return [read_zarr(os.path.join(name, level["path"])) for level in about["datasets"]]

    def check_levels(self, name=NAME, scan=None):
        levels = self.levels(name)
        scan = self.scan if scan is None else scan
        np.testing.assert_array_equal(levels[0], scan)
        self.assertEqual(levels[0].dtype, scan.dtype)
        for before, level in zip(levels, levels[1:]):
            wanted = halved(before)
            self.assertEqual(level.dtype, scan.dtype)
            self.assertEqual(level.shape, wanted.shape)
            precision = 4 * np.finfo(scan.dtype).eps if scan.dtype.kind in "fc" else 0
            scale = np.abs(before).max() if scan.dtype.kind in "fc" and np.isfinite(before).all() else 1
            np.testing.assert_allclose(level, wanted, rtol=precision, atol=precision * scale)
        self.assertLessEqual(max(levels[-1].shape[1:]), 64)
        if len(levels) > 1:
            self.assertGreater(max(levels[-2].shape[1:]), 64)
        return levels

    def test_types(self):
        """Samples of all types, sizes that are odd and prime, and chunks of all kinds."""
        shapes = [(131, 97, 67), (1, 1, 1), (3, 1, 211), (70, 257, 1), (5, 130, 64), (2, 66, 129)]
        kinds = ["", "chunks=cube", "chunks=image", "chunks=32,16,24", "chunks=7,6,500", "chunks=1,2,2"]
        for number, dtype in enumerate(FORMATS.values()):
            shape, kind = shapes[number % len(shapes)], kinds[number % len(kinds)]
            with self.subTest(np.dtype(dtype).name, shape=shape, kind=kind):
                self.save(shape, dtype)
                self.assert_launches(LINE.format("", kind))
                self.check_levels()
        self.assertEqual([name for name in os.listdir() if "partial" in name], [])
        self.save((131, 67, 97))
        for before in "", "tomostack number=131 !":
            self.assert_launches(LINE.format(before, ""))
            self.check_levels()
        self.assertEqual(read_json(NAME, "0/.zarray")["chunks"], [64, 64, 64])

    def test_nan(self):
        """A sample that is not a number does not count; infinity does."""
        self.save((9, 70, 71), name="all.npy")
        self.scan[rng.random(self.scan.shape) < 0.3] = np.nan
        self.scan[4:6, 10:12, 10:12] = np.nan
        self.scan[0, 0, 0] = np.inf
        for dtype in np.float32, np.float16, np.float64:
            np.save("scan.npy", self.scan.astype(dtype))
            self.assert_launches(LINE.format("", ""))
            levels = self.check_levels(scan=self.scan.astype(dtype))
            self.assertTrue(np.isnan(levels[1][2, 5, 5]))
            self.assertEqual(levels[1][0, 0, 0], np.inf)
        window = read_json(NAME, ".zattrs")["omero"]["channels"][0]["window"]
        self.assertTrue(np.isfinite(list(window.values())).all())

    def test_attributes(self):
        """Axes, pixel size and grey values as NGFF 0.4 wants them, and the facts about the making."""
        self.save((70, 90, 100))
        self.assert_launches(LINE.format("tomocalculate name=double expression=v*2 !", ""))
        self.assertEqual(read_json(NAME, ".zgroup"), {"zarr_format": 2})
        about = read_json(NAME, ".zattrs")
        (image,) = about["multiscales"]
        self.assertEqual(image["version"], "0.4")
        self.assertEqual([axis["name"] for axis in image["axes"]], ["z", "y", "x"])
        self.assertEqual({axis["type"] for axis in image["axes"]}, {"space"})
        for number, level in enumerate(image["datasets"]):
            scale, translation = level["coordinateTransformations"]
            self.assertEqual(scale, {"type": "scale", "scale": [2.0**number] * 3})
            self.assertEqual(translation, {"type": "translation", "translation": [2.0**number / 2] * 3})
            self.assertEqual(read_json(NAME, level["path"], ".zattrs")["_ARRAY_DIMENSIONS"], ["z", "y", "x"])
        window = about["omero"]["channels"][0]["window"]
        values = self.levels()[0]
        self.assertEqual((window["min"], window["max"]), (values.min(), values.max()))
        self.assert_close(np.array([window["start"], window["end"]]), np.percentile(values, [0.5, 99.5]), 1e-3)
        making = about["gst-tomo"]
        self.assertTrue(making["complete"])
        self.assertEqual([step["name"] for step in making["elements"] if step["task"] == "calculate"], ["double"])
        self.assertEqual(making["inputs"][0]["path"], "scan.npy")
        self.assertTrue(making["pipeline"]["nodes"])

    def test_integers(self):
        """By a range that is known, or by that of all images; the attributes tell which values integers stand for."""
        self.save((66, 70, 71))
        for bits, settings, low, high in ((16, "minimum=-2 maximum=3", -2, 3), (8, "", self.scan.min(), self.scan.max())):
            self.assert_launches(LINE.format("", f"bits={bits} {settings}"))
            wanted = np.floor((self.scan.astype(np.float64).clip(low, high) - low) / (float(high) - low) * (2**bits - 1) + 0.5)
            self.check_levels(scan=wanted.astype(f"uint{bits}"))
            making = read_json(NAME, ".zattrs")["gst-tomo"]
            self.assertEqual((making["grey_minimum"], making["grey_maximum"]), (low, high))
        self.assertEqual(sorted(os.listdir()), [NAME, "scan.npy"])

    def test_read_back(self):
        """By tomoread: the whole, a part of it, another level, in all types; and arrays of other programs."""
        line = "tomoread path={} convert=false {} ! tomowrite filename=back.npy"
        self.save((67, 70, 131))
        self.assert_launches(LINE.format("", ""))
        levels = self.levels()
        for path, part, wanted in ((NAME, "", levels[0]), (NAME + "/", "number=3 image-start=60", levels[0][60:63]),
                                   (NAME + ":/1", "", levels[1]), (NAME, "y=61 height=9 y-step=3", levels[0][:, 61:70:3])):
            self.assert_launches(line.format(path, part))
            np.testing.assert_array_equal(np.load("back.npy"), wanted)
        kinds = [((4, 5, 6), {"leave_out": [(0, 0, 1), (2, 2, 2)], "fill": 7}),
                 ((1, 13, 17), {"separator": "/", "order": ">"}), ((1, 1, 16, 2, 3), {})]
        for number, (type_name, dtype) in enumerate(FORMATS.items()):
            name, (chunk, options) = type_name + ".zarr", kinds[number % len(kinds)]
            scan = random_array(dtype, (11, 13, 17))
            write_zarr(name, scan.reshape((1,) * (len(chunk) - 3) + scan.shape), chunk, **options)
            self.assert_launches(line.format(name, ""))
            np.testing.assert_array_equal(np.load("back.npy"), read_zarr(name).reshape(scan.shape))

    def test_refused(self):
        """Names, settings and arrays that won't do; nothing that others wrote is touched."""
        self.save((5, 20, 21))
        os.makedirs("foreign.zarr/0")
        with open("foreign.zarr/notes.txt", "w") as file:
            file.write("years of work")
        write_zarr("other.zarr/0", self.scan, (5, 20, 21))
        write_zarr("packed.zarr", self.scan, (5, 20, 21))
        about = read_json("packed.zarr", ".zarray")
        with open("packed.zarr/.zarray", "w") as file:
            json.dump({**about, "compressor": {"id": "blosc"}}, file)
        with open("file.zarr", "w") as file:
            file.write("a file")
        before = files_in(".")
        write = "tomoread path=scan.npy ! tomowrite name=write filename={}"
        for line, *words in ((write.format("foreign.zarr"), "foreign.zarr", "did not write"),
                             (write.format("other.zarr"), "other.zarr", "another program"),
                             (write.format("file.zarr"), "file.zarr", "no folder"),
                             (write.format("image-%03i.zarr"), "has no number"),
                             (write.format("out.zarr:/0"), "no dataset"),
                             (write.format("out.zarr append=true"), "append"),
                             (write.format("out.zarr bits=8 range-per-image=true"), "range-per-image"),
                             (write.format("out.zarr hdf5-deflate=1"), "compression"),
                             (write.format("out.zarr hdf5-parts=2"), "parts"),
                             (write.format("out.zarr rgb=true"), "rgb"),
                             (write.format("out.zarr chunks=1,3,4"), "even"),
                             (write.format("out.zarr chunks=64"), "chunks"),
                             (write.format("out.tif chunks=cube"), "chunks"),
                             ("tomoread name=write path=packed.zarr ! tomonull", "blosc"),
                             ("tomoread name=write path=foreign.zarr ! tomonull", "no array of Zarr")):
            with self.subTest(line):
                result = launch(line, ("-q",))
                self.check_error(result.errors[0], "write", words)
                self.assertEqual(files_in("."), before)

    def test_replaced(self):
        """A volume is replaced as a whole, and only when the new one is whole."""
        first = self.save((67, 70, 71))
        self.assert_launches(LINE.format("", ""))
        np.save("other.npy", 2 * self.scan[:5, :65, :66])
        self.assert_launches(LINE.replace("scan", "other").format("", ""))
        self.check_levels(scan=2 * first[:5, :65, :66])
        self.assertEqual(sorted(os.listdir(NAME)), [".zattrs", ".zgroup", "0", "1"])
        before = files_in(NAME)
        with open("broken.npy", "wb") as file:
            np.lib.format.write_array_header_1_0(file, {"descr": "<f4", "fortran_order": False, "shape": (2, 3, 4)})
        result = launch(f"concat name=all ! tomowrite filename={NAME} tomoread path=scan.npy ! all. "
                        "tomoread path=broken.npy ! all.", ("-q",))
        self.assertNotEqual(result.rc, 0)
        self.assertEqual(files_in(NAME), before)
        os.mkdir(NAME + "/labels")
        self.assertIn("labels", launch(LINE.format("", ""), ("-q",)).errors[0])
        self.assertTrue(os.path.isdir(NAME + "/labels"))

    def test_early_end(self):
        """A stream that somebody ends: the volume has the images that came, and a later run the others."""
        self.save((150, 70, 71))
        process = start_launch(LINE.format("identity sleep-time=30000 !", ""), ("-e",))
        since = time.monotonic()
        while not os.path.exists(NAME + ".partial/.gst-tomo-images") and time.monotonic() - since < PATIENCE:
            time.sleep(0.01)
        time.sleep(0.4)
        process.send_signal(signal.SIGINT)
        self.assertIn("ended early", end_launch(process, since).out)
        came = len(self.levels()[0])
        self.assertTrue(0 < came < 150, came)
        self.check_levels(scan=self.scan[:came])
        self.assertEqual(read_json(NAME, ".zattrs")["gst-tomo"]["images_expected"], 150)
        self.assert_launches(LINE.format("", "resume=true"))
        self.check_levels()
        self.assertNotIn("images_expected", read_json(NAME, ".zattrs")["gst-tomo"])
        files = files_in(NAME)
        self.assert_launches(LINE.format("", "resume=true"))  # nothing is left to do
        self.assertEqual(files_in(NAME), files)

    def test_resumed_after_a_kill(self):
        """At random moments: the same files as if nothing had been. Another input is refused."""
        self.save((300, 130, 60))
        self.assert_launches(LINE.format("", "").replace(NAME, "whole.ome.zarr"))
        for _ in range(2):
            process = start_launch(LINE.format("identity sleep-time=4000 !", ""))
            since = time.monotonic()
            while not os.path.exists(NAME + ".partial/0/1/0/0") and time.monotonic() - since < PATIENCE:
                time.sleep(0.01)
            time.sleep(rng.uniform(0, 0.8))
            process.kill()
            process.communicate()
            pathlib.Path(NAME + ".partial/.gst-tomo-new").write_text("half a descri")  # as if it had been killed there
            np.save("other.npy", self.scan + 1)
            result = launch(LINE.replace("scan", "other").format("", "resume=true"), ("-q",))
            self.assertIn("can't be resumed", result.errors[0])
            self.assert_launches(LINE.format("", "resume=true"))
            self.check_levels()
            made, whole = files_in(NAME), files_in("whole.ome.zarr")
            self.assertEqual(sorted(made), sorted(whole))
            self.assertEqual([name for name in made if name != ".zattrs" and made[name] != whole[name]], [])
            shutil.rmtree(NAME)
        self.assertEqual(sorted(os.listdir()), ["other.npy", "scan.npy", "whole.ome.zarr"])

    def test_two_writers(self):
        self.save((200, 70, 71))
        process = start_launch(LINE.format("identity sleep-time=200000 !", ""))
        since = time.monotonic()
        while not os.path.exists(NAME + ".partial/.gst-tomo-images") and time.monotonic() - since < PATIENCE:
            time.sleep(0.01)
        self.assertIn("being written", launch(LINE.format("", ""), ("-q",)).errors[0])
        process.kill()
        process.communicate()
        self.assert_launches(LINE.format("", ""))
        self.check_levels()

    def test_full_disk(self):
        """One error, and nothing is left."""

        self.save((150, 129, 70))
        limit = 64 * 64 * 64 * 4 - 1  # of a file
        result = launch(LINE.format("", ""), ("-q",),
                        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))
        self.assertIn(NAME, result.errors[0])
        self.assertEqual(os.listdir(), ["scan.npy"])


if __name__ == "__main__":
    main()
