# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomo-reconstruct: scans of a tall sample at several heights, which become one volume."""

import functools
import json
import os
import re
import signal
import subprocess
import time

import scan_files
import tomoref
from gsttomo import reconstruction
from pipetest import *
from test_reconstruct import ReconstructTestCase, tool, volume

WIDTH, HEIGHT, VIEWS, AXIS, PIXEL = 75, 44, 90, 39.3, 2e-6
SHARED = 20
STEP = HEIGHT - SHARED
ANGLES = np.arange(VIEWS) * np.pi / VIEWS


def attenuation(tops, axis=AXIS, angles=ANGLES):
    """Of a sample whose discs change along its height, in rows that begin at `tops`: rows x views x columns."""
    rows = []
    for z in np.asarray(tops) + 0.5:
        discs = [tomoref.disc(0, 0, 30 + 2 * np.sin(z / 9), 0.01),
                 tomoref.disc(14 * np.sin(z / 13), 9, 5 + 3 * np.sin(z / 5), 0.03),
                 tomoref.disc(-11, 12 * np.cos(z / 11), 6 + 2 * np.cos(z / 4), -0.008)]
        rows.append(tomoref.line_integrals(discs, angles, WIDTH, axis))
    return np.array(rows)


def scan(path, top, rows=HEIGHT, axis=AXIS, lifted=None, pixel=PIXEL, noise=0.0, entry="entry", mode="w", direction=1, energy=20.0, told_axis=None,
         angles=ANGLES):
    """The rows from `top` on of the sample, with darks and flats that differ from scan to scan."""
    random = np.random.default_rng(SEED + int(10 * top))
    y, x = np.mgrid[:rows, :WIDTH]
    dark = np.rint(100 + 5 * np.sin(x + top))
    flat = np.rint(40000 * (1 + 0.1 * np.sin(x / 9 + y + top)))
    values = attenuation(top + np.arange(rows), axis, angles)[:, ::direction].transpose(1, 0, 2)
    counts = dark + (flat - dark) * np.exp(-values + noise * random.standard_normal(values.shape))
    images = np.concatenate([dark[None], flat[None], np.rint(counts)]).astype(np.uint16)
    degrees = np.concatenate([[0, 0], np.rad2deg(angles[::direction])])
    facts = {"instrument__detector__x_pixel_size": (pixel * 1e6, "um"), "instrument__beam__incident_energy": (energy, "keV")}
    if lifted is not None:
        facts["sample__y_translation"] = (np.full(len(images), lifted * PIXEL * 1e3), "mm")
    if told_axis is not None:
        facts["instrument__detector__x_rotation_axis_pixel_position"] = (told_axis - 0.5, None)
    with h5py.File(path, mode) as file:
        scan_files.nxtomo(file, images, np.array([2, 1] + [0] * len(angles)), degrees, entry=entry, **facts)


@functools.cache
def at_once(rows, axis=AXIS, first=0):
    """Slices of the sample from a detector that sees all of these rows, with the axis of the slices at AXIS."""
    padded, to_frame = 1 << (2 * WIDTH - 1).bit_length(), axis - AXIS
    return np.array([tomoref.backproject_linear(tomoref.fft_filter(row, size=padded, crop=WIDTH), angles=ANGLES, axis=axis,
                                                roi=(to_frame, to_frame, WIDTH, WIDTH))
                     for row in attenuation(first + np.arange(rows), axis)])


def stitched(tops, axes=(AXIS,) * 3):
    """The same of heights with axes of their own, which fade into each other; parts of a row are interpolated."""
    whole = at_once(HEIGHT, axes[0])
    for axis, top in zip(axes[1:], tops[1:], strict=True):
        slices, first = at_once(HEIGHT, axis, top), int(np.ceil(top))
        if first > top:
            slices = (1 - first + top) * slices[:-1] + (first - top) * slices[1:]
        shared = len(whole) - first
        w = ((1 - np.cos(np.pi * (np.arange(shared) + 0.5) / shared)) / 2)[:, None, None]
        whole = np.concatenate([whole[:first], (1 - w) * whole[first:] + w * slices[:shared], slices[shared:]])
    return whole


SEEN = tomoref.field_of_view(WIDTH, AXIS, margin=3)  # by all views, also with other axes


class Heights(ReconstructTestCase):
    ALL = "a.nxs", "b.nxs", "c.nxs"

    def assert_volume(self, slices, rows, tolerance, wanted=None):
        wanted = at_once(rows) if wanted is None else wanted
        self.assertEqual(slices.shape, wanted.shape)
        error = np.linalg.norm((slices - wanted)[:, SEEN], axis=1) / np.linalg.norm(wanted[:, SEEN], axis=1)
        print(f"{self.id().split('.')[-1]}: {error.mean():.4f} on average, {error.max():.4f} in row {error.argmax()}")
        self.assertLess(error.max(), tolerance)

    def told(self, *words):
        return json.loads(self.done("info", *words, "--json").stdout)["heights"]

    def three(self, tops=(0, STEP, 2 * STEP), **facts):
        """Scans of three heights, from the top to the bottom."""
        for path, top in zip(self.ALL, tops, strict=True):
            scan(path, top, **facts)

    def test_rolls_are_told(self):
        scan("a.nxs", 0)
        scan("b.nxs", STEP)
        for words, kept, told in (([], [], ["0\u00b0"] * 2), (["--stitch-rolls", "0.5,0"], ["stitch-rolls=0.5,0"], ["0.5\u00b0", "0\u00b0"])):
            self.done("a.nxs", "b.nxs", "--axis", AXIS, "--stitch-overlap", SHARED, "--output", "rolls.h5", "--overwrite", *words)
            with open("rolls.h5.conf", encoding="utf-8") as file:
                self.assertEqual([line.strip() for line in file if line.startswith("stitch-rolls=")], kept)
            with open("rolls.h5.html", encoding="utf-8") as file:
                page = file.read()
            self.assertIn("<h1>a.nxs to b.nxs ", page)
            heights = page[page.index("Shared with the one above"):]
            self.assertEqual(re.findall(r">([^<>]*\u00b0)<", heights[:heights.index("</table>")]), told)

    def test_two_heights_of_which_the_overlap_is_given(self):
        scan("a.nxs", 0)
        scan("b.nxs", STEP)
        for words in ([], ["--stitch-weights", "linear"]):
            slices = self.slices("a.nxs", "b.nxs", "--axis", AXIS, "--stitch-overlap", SHARED, *words)
            self.assert_volume(slices, STEP + HEIGHT, 5e-4)
        alone = self.slices("a.nxs", "--axis", AXIS), self.slices("b.nxs", "--axis", AXIS)
        t = (np.arange(SHARED) + 0.5)[:, None, None] / SHARED
        faded = (1 - t) * alone[0][STEP:] + t * alone[1][:SHARED]
        self.assert_same(slices, np.concatenate([alone[0][:STEP], np.float32(faded), alone[1][SHARED:]]))
        with h5py.File("b.nxs", "r+") as file:  # whose rows come in arrays of another number
            images = file["entry/instrument/detector/data"][()]
            del file["entry/instrument/detector/data"]
            file.create_dataset("entry/instrument/detector/data", data=images, chunks=(1, 7, WIDTH), compression=1)
        in_memory = reconstruction.reconstruct("a.nxs", stitch=["b.nxs"], axis=AXIS, stitch_overlap=SHARED, stitch_weights="linear")
        self.assert_same(in_memory, slices)

    def test_three_heights_by_their_positions(self):
        """Named in any order; what lies below is lifted further, unless somebody says the opposite."""
        for sense, words in ((1, []), (-1, ["--shifts-reverse", "y"])):
            for path, top in zip(self.ALL, (0, STEP, 2 * STEP)):
                scan(path, top, lifted=3 + sense * top)
            whole = None
            for order in ("a.nxs", "b.nxs", "c.nxs"), ("c.nxs", "b.nxs", "a.nxs"), ("b.nxs", "a.nxs", "c.nxs"):
                slices = self.slices(*order, "--axis", AXIS, *words)
                whole = slices if whole is None else whole
                np.testing.assert_array_equal(slices, whole)
            self.assert_volume(whole, 2 * STEP + HEIGHT, 5e-4)
        told = self.told("c.nxs", "a.nxs", "b.nxs", "--shifts-reverse", "y")
        self.assertEqual([(t["top"], t.get("overlap"), t.get("overlap-from")) for t in told],
                         [(0, None, None), (STEP, SHARED, "scan"), (2 * STEP, SHARED, "scan")])
        self.assertEqual([os.path.basename(t["name"].split("'")[1]) for t in told], list(self.ALL))
        for t in told[1:]:
            self.assertAlmostEqual(t["overlap-by-views"], SHARED, delta=0.1)
        self.assertIn("20 shared with the one above (scan", self.done("info", *self.ALL, "--shifts-reverse", "y").stdout)

    def test_heights_by_their_views(self):
        """From above and from below, with parts of a row, and noise; views in the opposite order."""
        for tops, kinds in (((0, STEP, 2 * STEP), {}), ((0, STEP + 0.37, 2 * STEP + 0.81), {"noise": 0.01}), ((0, 9.5, 33.25), {"noise": 0.01})):
            self.three(tops, **kinds)
            scan("b.nxs", tops[1], direction=-1, **kinds)
            for order in self.ALL, self.ALL[::-1]:
                told = self.told(*order)
                tops_found = [t["top"] for t in told]
                self.assertLess(np.abs(np.diff(tops_found) - np.diff(tops)).max(), 0.1, tops_found)
                self.assertEqual([t["overlap-from"] for t in told[1:]], ["views"] * 2)
                print(tops, [round(t, 3) for t in tops_found])

    def test_parts_of_a_row(self):
        tops = 0, STEP + 0.4, 2 * STEP - 0.3
        self.three(tops)
        overlaps = HEIGHT - np.diff(tops)
        slices = self.slices(*self.ALL, "--axis", AXIS, "--stitch-overlap", ",".join(map(str, overlaps)))
        self.assert_volume(slices, 2 * STEP + HEIGHT - 1, 5e-4, stitched(tops))
        self.assert_volume(slices, 2 * STEP + HEIGHT - 1, 0.08)  # linear interpolation rounds edges off
        self.refused(1, "y-step", *self.ALL, "--axis", AXIS, "--stitch-overlap", "19.6,20.7", "--y-step", 2, "--output", "steps.h5")

    def test_each_has_its_axis(self):
        tops = 0, STEP, 2 * STEP
        for axes, to_truth in (((AXIS, AXIS + 2, AXIS - 3), 5e-4), ((AXIS, AXIS + 1.7, AXIS - 2.4), None)):
            for path, top, axis in zip(self.ALL, tops, axes):
                scan(path, top, axis=axis, lifted=top)
            given = self.slices(*self.ALL, "--stitch-axes", ",".join(map(str, axes)))
            self.assert_volume(given, len(given), 5e-4, stitched(tops, axes))
            if to_truth:  # discs meet pixels as they do at once
                self.assert_volume(given, 2 * STEP + HEIGHT, to_truth)
        self.assert_volume(self.slices(*self.ALL), 2 * STEP + HEIGHT, 0.05, stitched(tops, axes))  # found
        with open("slices.h5.conf") as file:
            self.assertRegex(file.read(), r"(?m)^stitch-axes=39\.[23]")
        by_configuration = self.done("run", "--config", "slices.h5.conf", "--output", "again.h5")
        np.testing.assert_array_equal(volume("again.h5"), volume())
        self.assertNotIn("warning", by_configuration.stderr)
        for path, top, axis in zip(self.ALL, tops, axes):
            scan(path, top, axis=axis, lifted=top, told_axis=axis)
        np.testing.assert_allclose(self.slices(*self.ALL), given, atol=1e-6)
        circle = self.slices(*self.ALL, "--circle")
        y, x = np.mgrid[:WIDTH, :WIDTH] + 0.5 - AXIS
        inside = x * x + y * y <= (WIDTH - axes[1]) ** 2  # that the scan with the smallest one sees
        np.testing.assert_array_equal(circle[:, inside], volume()[:, inside])
        self.assertFalse(circle[:, ~inside].any())

    def test_off_axis(self):
        """Slices of joined half turns have the size of the uppermost ones, with the axis at the same place."""
        for path, top, axis in (("a.nxs", 0, 60.0), ("b.nxs", STEP, 62.0)):
            scan(path, top, axis=axis, lifted=top, told_axis=axis, angles=np.arange(2 * VIEWS) * np.pi / VIEWS)
        whole = self.slices("a.nxs", "b.nxs")
        self.assertEqual(whole.shape, (STEP + HEIGHT, 120, 120))
        self.assert_same(whole[:STEP], self.slices("a.nxs")[:STEP])
        self.assert_same(whole[HEIGHT:], self.slices("b.nxs")[SHARED:, 2:122, 2:122])
        cropped = self.slices("a.nxs", "b.nxs", "--crop-width", 100)
        self.assert_same(cropped, whole[:, 10:110, 10:110])

    def test_what_does_not_agree_is_told(self):
        self.three()
        wrong = self.done(*self.ALL, "--axis", AXIS, "--stitch-overlap", 12, "--output", "wrong.h5")
        self.assertEqual(wrong.stderr.count("share 12.00 rows as given, but their views say 20.0"), 2, wrong.stderr)
        self.assertEqual(len(volume("wrong.h5")), 3 * HEIGHT - 24)
        for path, top in zip(self.ALL, (0, STEP, 2 * STEP)):
            scan(path, top, lifted=1.1 * top)  # as with another size of a pixel
        result = self.done(*self.ALL, "--axis", AXIS, "--output", "scan.h5")
        self.assertIn("share 17.60 rows as the scans tell, but their views say 20.0", result.stderr)
        self.assert_volume(self.slices(*self.ALL, "--axis", AXIS, "--stitch-method", "views"), 2 * STEP + HEIGHT, 0.01)
        self.assertNotIn("views say", self.done(*self.ALL, "--axis", AXIS, "--stitch-method", "scan", "--output", "only.h5").stderr)
        for path, top in zip(self.ALL, (0, STEP, 2 * STEP)):
            scan(path, top, lifted=-top)
        self.assertIn("--shifts-reverse y", self.done("info", *self.ALL).stdout)

    def test_what_makes_no_volume(self):
        self.three()
        scan("gap.nxs", HEIGHT + 5, lifted=HEIGHT + 5)
        scan("first.nxs", 0, lifted=0)
        words = ["--axis", AXIS, "--output", "none.h5"]
        self.refused(1, ["5.00 rows are missing", "first.nxs", "gap.nxs"], "first.nxs", "gap.nxs", *words)
        self.refused(1, ["nothing tells how far", "stitch-overlap"], "a.nxs", "gap.nxs", *words)
        self.refused(1, "tell no positions", "a.nxs", "b.nxs", *words, "--stitch-method", "scan")
        self.refused(1, "shows nothing", "a.nxs", "b.nxs", *words, "--stitch-overlap", HEIGHT)
        with h5py.File("b.nxs", "r+") as file:
            file["entry/instrument/detector/x_pixel_size"][()] *= 1.1
        self.refused(1, ["pixel size of 2 um", "of 2.2", "--ignore stitch-differs"], "a.nxs", "b.nxs", *words)
        self.done("a.nxs", "b.nxs", *words, "--ignore", "stitch-differs")
        scan("b.nxs", STEP, energy=25.0)
        self.refused(1, ["energy of 20 keV", "of 25"], "a.nxs", "b.nxs", *words[:2])
        with h5py.File("narrow.nxs", "w") as file:
            scan_files.nxtomo(file, np.ones((VIEWS, HEIGHT, WIDTH - 2), np.float32), np.zeros(VIEWS), np.rad2deg(ANGLES))
        self.refused(1, ["75 columns", "73"], "a.nxs", "narrow.nxs", *words[:2])
        self.refused(1, "missing.nxs", "a.nxs", "missing.nxs", *words[:2])
        for words, told in ((["--stitch-weights", "linear"], "one scan is read"), (["--stitch", "b.nxs", "--stitch-overlap", "1,2"], "2 numbers"),
                            (["--stitch", "b.nxs,"], "wanted scans"), (["--stitch", "b.nxs", "--turns", "all"], "turns"),
                            (["--stitch", "b.nxs", "--axis", 1, "--stitch-axes", 1], "one axis for all"),
                            (["--stitch", "b.nxs", "--stitch-overlap", 1, "--stitch-method", "scan"], "stitch-overlap is given")):
            self.refused(2, told, "a.nxs", *words)
        self.refused(2, "none are made", "sinos", "a.nxs", "b.nxs")
        self.refused(2, "take one of them", "sweep", "a.nxs", "b.nxs", "--parameter", "axis=1:2:1")
        self.refused(2, "estimate that of one", "estimate", "a.nxs", "b.nxs")
        self.refused(2, "quotation marks", "a.tif", "b.tif")
        for words in (["a.nxs", ""], ["", "a.nxs"]):
            self.refused(2, "empty word", *words)

    def test_parts_of_the_volume(self):
        """They are what they are in the whole, also by the printed line, and from entries of one file."""
        for i, top in enumerate((0, STEP, 2 * STEP)):
            scan("all.nxs", top, entry=f"entry{i}", mode="a")
        self.three()
        words = ["all.nxs:/entry0", "--stitch", "all.nxs:/entry1,all.nxs:/entry2", "--axis", AXIS, "--stitch-overlap", SHARED]
        whole = self.slices(*words)
        self.assert_volume(whole, 2 * STEP + HEIGHT, 5e-4)
        for part, rows in ((["--y", 17, "--height", 31], slice(17, 48)), (["--y", 30, "--height", 5], slice(30, 35)),
                           (["--slice", "middle"], slice(46, 47)), (["--y-step", 5], slice(0, None, 5))):
            self.assert_same(self.slices(*words, *part), whole[rows])
        line = self.done(*words, "--dry-run", "--output", "by-hand.h5").stdout
        self.assertEqual(line.count("tomofade"), 2)
        subprocess.run(["bash"], input=line, text=True, timeout=PATIENCE, check=True, capture_output=True)
        np.testing.assert_array_equal(volume("by-hand.h5"), whole)
        plan = json.loads(self.done(*words, "--dry-run", "--json").stdout)
        self.assertEqual([slab["heights"] for slab in plan["slabs"]], [[0], [0, 1], [1], [1, 2], [2]])
        self.done(*words, "--output", "part-%03i.tif")
        self.assertTrue(os.path.exists("part-091.tif"))
        binned = self.slices(*words, "--binning", 2)
        self.assertEqual(binned.shape, (46, 37, 37))
        means = whole[:, :74, :74].reshape(46, 2, 37, 2, 37, 2).mean((1, 3, 5))
        self.assert_close(2 * means, binned, 0.2)
        with open("slices.h5.html") as file:
            report = file.read()
        for words in "Heights", "given by the user", "all.nxs", "cosine":
            self.assertIn(words, report)

    def test_three_of_which_all_see_some_rows(self):
        self.three((0, 15, 30))
        slices = self.slices(*self.ALL, "--axis", AXIS, "--stitch-overlap", HEIGHT - 15)
        self.assert_volume(slices, 30 + HEIGHT, 5e-4)

    def test_memory_and_going_on(self):
        """A line for some rows at a time; killed at any moment, it goes on to the same bytes."""
        self.three()
        words = [*self.ALL, "--axis", AXIS, "--stitch-overlap", SHARED, "--outliers", 0.5, "--memory", "900k"]
        whole = self.slices(*words)
        plan = json.loads(self.done(*words, "--dry-run", "--json").stdout)
        self.assertGreater(len(plan["slabs"]), 8)
        self.assertLessEqual(plan["memory"], 900 * 1024)
        single = self.slices(*words[:-2])
        self.assert_same(single, whole)
        random = np.random.default_rng(SEED)
        resumes = 0
        for _ in range(6):
            run = subprocess.Popen(["tomo-reconstruct", *map(str, words), "--output", "killed.h5", "--resume"], stderr=subprocess.DEVNULL)
            time.sleep(random.uniform(0.3, 1.5))
            run.send_signal(signal.SIGKILL)
            run.wait()
            resumes += os.path.isdir("killed.h5.slabs")
        os.makedirs("killed.h5.slabs", exist_ok=True)
        with open("killed.h5.slabs/lines.txt.K1LL3D", "w"):  # as if it was killed while it wrote the list
            pass
        self.done(*words, "--output", "killed.h5", "--resume")
        self.assert_same(volume("killed.h5"), whole)
        print(f"{resumes} of 6 killed runs left slabs")
        self.assertFalse(os.path.exists("killed.h5.slabs"))


if __name__ == "__main__":
    main()
