# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomo-reconstruct: from scans of all kinds to slices, what it tells, what it refuses, and going on after a kill."""

import glob
import json
import os
import pty
import signal
import subprocess
import time

import stripes
import tomoref
from phantom_scan import AXIS, ROWS, VIEWS, WIDTH, Scan
from pipetest import *
from real_scans import AXES, FOLDER
from zarr_files import halved, read_json, read_zarr

def tool(*words, **kwargs):
    return subprocess.run(["tomo-reconstruct", *map(str, words)], text=True, capture_output=True, timeout=PATIENCE, **kwargs)


def volume(path="slices.h5"):
    if path.endswith(".zarr"):
        return read_zarr(path + "/0")
    with h5py.File(path) as file:
        return file["entry/data/data"][()]


class ReconstructTestCase(PipelineTestCase):
    def done(self, *words, status=0, **kwargs):
        result = tool(*words, **kwargs)
        self.assertEqual(result.returncode, status, f"{words}\n{result.stdout}\n{result.stderr} (seed {SEED})")
        return result

    def option_names(self):
        described = json.loads(self.done("--describe").stdout)
        return [name for section in described["sections"] for option in section["options"] for name in option["names"]]

    def slices(self, *words):
        """What it writes with these words, which replaces an earlier result."""
        self.done(*words, "--output", "slices.h5", "--overwrite")
        return volume()

    def assert_same(self, slices, reference):
        """But for what backproject's kernels for other numbers of slices may differ (docs/architecture.md)."""
        self.assertEqual(slices.shape, reference.shape)
        self.assertLessEqual(np.abs(slices - reference).max(), 4e-6 * np.abs(reference).max())

    def refused(self, status, expected, *words, **kwargs):
        result = tool(*words, **kwargs)
        self.assertEqual(result.returncode, status, f"{words}: {result}")
        last = result.stderr.splitlines()[-1]
        self.assertTrue(last.startswith("tomo-reconstruct: "), result.stderr)
        for part in [expected] if isinstance(expected, str) else expected:
            self.assertIn(part, last)
        self.assertEqual(result.stderr.count("rror"), last.count("rror"), result.stderr)
        return result


class Scans(ReconstructTestCase):
    def test_truth(self):
        """Attenuation per pixel where it belongs, with the axis found."""
        Scan().nxtomo("scan.nxs")
        slices = self.slices("scan.nxs")
        self.assertEqual(slices.shape, (ROWS, WIDTH, WIDTH))
        for row in (0, ROWS - 1):
            reference = tomoref.backproject_linear(tomoref.fft_filter(Scan().attenuation[row], size=256, crop=WIDTH),
                                                   angles=Scan().angles, axis=AXIS)
            self.assert_close(slices[row], reference, 0.03)  # counts are integers
        found = json.loads(self.done("estimate", "scan.nxs", "--json").stdout)
        self.assertAlmostEqual(found["axis"], AXIS, delta=0.1)
        self.assertAlmostEqual(found["tilt"], 0.0, delta=0.01)
        self.assertEqual(found["method"], "correlation+spectrum")
        self.assertGreater(found["pairs"], 0)

    def test_axis_of_a_wrong_file(self):
        """An axis that the scan tells counts, and what its views say is at hand."""
        Scan().nxtomo("scan.nxs", axis=44.0)
        found = json.loads(self.done("estimate", "scan.nxs", "--json").stdout)
        self.assertEqual(found["axis-of-scan-px"], 44.0)
        self.assertAlmostEqual(found["axis"], AXIS, delta=0.1)
        self.assertIn("44.000 px", self.done("estimate", "scan.nxs").stdout)
        result = self.done("scan.nxs", "--axis-method", "correlation")
        self.assertIn("an axis at 44.00, but its views say 47.", result.stderr)

    def test_bundled_scans(self):
        """The axis without a hint, and the middle slice at once."""
        for name, axis in AXES.items():
            since = time.monotonic()
            found = json.loads(self.done("estimate", os.path.join(FOLDER, name), "--json").stdout)
            print(f"{name}: {found['axis']:.3f} +- {found['uncertainty']:.3f} in {time.monotonic() - since:.2f} s")
            self.assertAlmostEqual(found["axis"], axis, delta=0.5)
            self.assertLess(found["uncertainty"], 0.5)
            since = time.monotonic()
            result = self.done(os.path.join(FOLDER, name), "--slice", "middle")
            print(f"{name}: a slice in {time.monotonic() - since:.2f} s")
            output = name.split(".")[0] + "-slices.h5"
            self.assertIn(output, result.stderr)
            self.assertEqual(len(volume(output)), 1)

    def test_kinds_of_input(self):
        scan = Scan()
        scan.nxtomo("scan.nxs")
        scan.data_exchange("scan.h5")
        scan.folder("folder")
        reference = self.slices("scan.nxs", "--axis", AXIS)
        for words in (["scan.h5"], ["folder", "--range-degrees", 180], ["folder", "--angle-step-degrees", 180 / VIEWS],
                      ["folder", "--angle", np.pi / VIEWS],
                      ["--projections", "folder/*.tif", "--darks", "folder/darks", "--flats", "folder/flats", "--range-degrees", 180]):
            self.assert_close(self.slices(*words, "--axis", AXIS), reference, 1e-5)
        self.done("sinos", "scan.nxs", "--output", "sinos.h5")
        self.assertEqual(volume("sinos.h5").shape, (ROWS, VIEWS, WIDTH))
        self.assert_close(volume("sinos.h5"), scan.attenuation, 1e-3)
        by_sinograms = self.slices("--sinograms", "sinos.h5:/entry/data/data", "--range-degrees", 180, "--axis", AXIS)
        self.assert_close(by_sinograms, reference, 1e-5)
        # The angles stand beside them.
        self.done("sinos", "scan.nxs", "--start", 20, "--step", 2, "--output", "some.h5")
        for words in (["sinos.h5"], ["some.h5", "--start", 20, "--step", 2]):
            by_scan = self.slices("scan.nxs", "--axis", AXIS, *words[1:])
            result = self.done("--sinograms", f"{words[0]}:/entry/data/data", "--axis", AXIS, "--output", "by.h5", "--overwrite")
            self.assert_close(volume("by.h5"), by_scan, 1e-5)
            self.assertNotIn("is assumed", result.stderr)
        told = json.loads(self.done("info", "--sinograms", "some.h5:/entry/data/data", "--json").stdout)
        self.assertEqual(told["angles-from"], "sinograms")
        self.assertAlmostEqual(told["angle-first"], 20 * np.pi / VIEWS)
        with h5py.File("some.h5", "r+") as file:
            file["entry/data/rotation_angle"][7] += 0.01
        self.refused(1, ["not evenly spaced", "--ignore angles-uneven"], "--sinograms", "some.h5:/entry/data/data", "--axis", AXIS, "--output", "u.h5")
        # The axis as well, where it is known: with the region and the binning of the sinograms.
        with h5py.File("sinos.h5") as file:
            self.assertNotIn("axis", file["entry/reconstruction/parameters"])
        scan.nxtomo("tells.nxs", axis=AXIS)
        for words, axis in ((["scan.nxs", "--axis", AXIS + 0.5], AXIS + 0.5), (["tells.nxs"], AXIS), (["tells.nxs", "--axis-index", 44], 44.5),
                            (["tells.nxs", "--binning", 2], AXIS / 2)):
            for kind in ("sinos", "flatcorrect"):
                self.done(kind, *words, "--output", "axis.h5", "--overwrite")
                with h5py.File("axis.h5") as file:
                    self.assertEqual((file["entry/reconstruction/parameters/axis"][()], file["entry/reconstruction/parameters/axis"].attrs["units"]),
                                     (axis, "pixel"))
        self.done("sinos", "tells.nxs", "--output", "axis.h5", "--overwrite")
        told = json.loads(self.done("--sinograms", "axis.h5:/entry/data/data", "--dry-run", "--json").stdout)
        self.assertEqual((told["axis"], told["axis-from"]), (AXIS, "scan"))
        self.refused(2, ["axis", "no slices"], "sinos", "scan.nxs", "--axis", AXIS, "--output", "s.tif")
        found = json.loads(self.done("estimate", "--sinograms", "sinos.h5:/entry/data/data", "--range-degrees", 180, "--json").stdout)
        self.assertAlmostEqual(found["axis"], AXIS, delta=0.1)
        self.done("flatcorrect", "scan.nxs", "--output", "flat.h5", "--no-absorptivity")
        self.assert_close(volume("flat.h5"), np.exp(-scan.attenuation.transpose(1, 0, 2)), 1e-3)

    def test_parts_of_scans(self):
        """What a scan lacks, and what it has twice."""
        scan = Scan()
        scan.nxtomo("scan.nxs")
        reference = self.slices("scan.nxs", "--axis", AXIS)
        scan.nxtomo("after.nxs", flats_at_end=True)
        self.assert_close(self.slices("after.nxs", "--axis", AXIS), reference, 1e-6)
        scan.nxtomo("no-darks.nxs", darks=False)
        result = self.done("no-darks.nxs", "--axis", AXIS, "--output", "d.h5")
        self.assertIn("no darks", result.stderr)
        scan.nxtomo("no-angles.nxs", angles=False)
        result = self.done("no-angles.nxs", "--axis", AXIS, "--output", "a.h5")
        self.assertIn("half a turn", result.stderr)
        self.assert_close(volume("a.h5"), reference, 1e-5)
        scan.folder("folder")
        told = self.done("info", "folder/tomo_00000.tif").stdout
        self.assertIn("a single projection", told)  # which a sinogram may be meant by
        self.assertIn("--sinograms", told)
        scan.nxtomo("no-flats.nxs", flats=False)
        self.refused(1, ["no flats", "--ignore no-flats"], "no-flats.nxs", "--axis", AXIS, "--output", "f.h5")
        self.done("no-flats.nxs", "--axis", AXIS, "--output", "f.h5", "--ignore", "no-flats")
        self.refused(1, "outside of the detector", "scan.nxs", "--axis", 5000, "--output", "outside.h5")
        self.refused(1, ["holds one image", "--slice middle"], "scan.nxs", "--axis", AXIS, "--output", "all.png")
        self.done("scan.nxs", "--axis", AXIS, "--slice", "middle", "--output", "middle.png", "--output-bitdepth", 8)
        self.assertFalse([name for name in os.listdir(".") if name.startswith(("outside", "all"))])
        Scan(repeats=True).nxtomo("repeats.nxs")
        self.assert_close(self.slices("repeats.nxs", "--axis", AXIS), reference, 0.03)
        Scan(views=2 * VIEWS, turn=2 * np.pi).nxtomo("whole-turn.nxs")
        self.assert_close(self.slices("whole-turn.nxs"), reference, 0.1)  # which samples rows between pixels
        # Corrected projections, which are transmission.
        corrected = np.exp(-scan.attenuation.transpose(1, 0, 2)).astype(np.float32)
        with h5py.File("corrected.h5", "w") as file:
            file["data"] = corrected
        for extra in ([], ["--binning", 2]):
            self.assert_close(
                self.slices("corrected.h5:/data", "--absorptivity", "--flat-correction", "off", "--axis", AXIS, *extra),
                self.slices("scan.nxs", "--axis", AXIS, *extra), 5e-3)

    def test_a_region_changes_nothing(self):
        Scan().nxtomo("scan.nxs")
        for extra in ([], ["--outliers", 0.05, "--outliers-size", 5]):
            whole = self.slices("scan.nxs", "--axis", AXIS, *extra)
            middle = self.slices("scan.nxs", "--axis", AXIS, "--slice", "middle", *extra)
            self.assert_same(middle, whole[ROWS // 2 :][:1])
            part = self.slices("scan.nxs", "--axis", AXIS, "--y", 3, "--height", 5, *extra)
            self.assert_same(part, whole[3:8])
        every_third = self.slices("scan.nxs", "--axis", AXIS, "--y-step", 3)
        self.assert_same(every_third, self.slices("scan.nxs", "--axis", AXIS)[::3])
        # The axis, too: it is found in the same rows.
        self.assert_same(self.slices("scan.nxs", "--y", 3, "--height", 5), self.slices("scan.nxs")[3:8])

    def test_slabs_change_nothing(self):
        Scan().nxtomo("scan.nxs")
        row = WIDTH * VIEWS * 4
        for extra in (["--outliers", 0.05], ["--reduction-mode", "median"], ["--binning", 2]):
            words = ["scan.nxs", "--axis", AXIS, *extra]
            plan = json.loads(self.done(*words, "--memory", 5 * row, "--output", "new.h5", "--dry-run", "--json").stdout)
            self.assertGreater(len(plan["slabs"]), 1)
            self.assertLessEqual(plan["memory"], 5 * row)
            self.assert_same(self.slices(*words, "--memory", 5 * row), self.slices(*words))
            self.assertEqual(glob.glob("*.slabs"), [])

    def test_no_slabs_of_a_run_that_made_none(self):
        Scan().nxtomo("scan.nxs")
        slabs = ["scan.nxs", "--axis", AXIS, "--outliers", 0.05, "--memory", 5 * WIDTH * VIEWS * 4, "--output", "new.h5"]
        self.refused(1, "no-such-device", *slabs, "--device", "no-such-device")
        self.assertEqual(glob.glob("new.h5*"), [])

    def test_binning(self):
        Scan().nxtomo("scan.nxs")
        slices = self.slices("scan.nxs", "--axis", AXIS, "--binning", 2)
        self.assertEqual(slices.shape, (ROWS // 2, WIDTH // 2, WIDTH // 2))
        whole = self.slices("scan.nxs", "--axis", AXIS)
        small = whole.reshape(ROWS // 2, 2, WIDTH // 2, 2, WIDTH // 2, 2).mean((1, 3, 5))
        self.assert_close(slices, 2 * small, 0.15)  # in attenuation per pixel, which is twice as large
        middle = self.slices("scan.nxs", "--axis", AXIS, "--binning", 2, "--slice", "middle")
        self.assert_same(middle, slices[ROWS // 4 :][:1])

    def test_not_finite(self):
        """NaN and infinities become 0 wherever the values come from, unless they are to stay."""
        scan = Scan()
        for log in (False, True):
            clean = (np.exp(-scan.attenuation) if log else scan.attenuation).astype(np.float32)
            spoilt = clean.copy()
            places = rng.integers(0, [ROWS, VIEWS, WIDTH], (5, 3))
            for place, value in zip(places, (np.nan, np.inf, -np.inf, 0.0, -1.0) if log else (np.nan, np.inf, -np.inf, np.nan, np.inf)):
                spoilt[tuple(place)] = value
                clean[tuple(place)] = 1.0 if log else 0.0
            for name, data in (("clean", clean), ("spoilt", spoilt)):
                with h5py.File(f"{name}.h5", "w") as file:
                    file["sinograms"] = data
                    file["projections"] = data.transpose(1, 0, 2)
            words = ["--range-degrees", 180, "--axis", AXIS, *(["--absorptivity"] if log else [])]
            for source in (["--sinograms", "NAME.h5:/sinograms"], ["--flat-correction", "off", "--projections", "NAME.h5:/projections"]):
                both = [self.slices(*(word.replace("NAME", name) for word in source), *words) for name in ("spoilt", "clean")]
                self.assert_same(*both)
                kept = self.slices(*(word.replace("NAME", "spoilt") for word in source), *words, "--no-fix-nan-and-inf")
                self.assertFalse(np.isfinite(kept).all())

    def test_zero_is_a_value(self):
        Scan().nxtomo("scan.nxs")
        words = ["scan.nxs", "--axis", AXIS, "--output", "bytes.h5", "--output-bitdepth", 8, "--overwrite"]
        self.done(*words, "--output-minimum", 0, "--output-maximum", 0.25)
        with h5py.File("bytes.h5") as file:
            attrs = file["entry/data/data"].attrs
            self.assertEqual((attrs["grey_minimum"], attrs["grey_maximum"]), (0.0, 0.25))
        self.done(*words, "--output-maximum", 0)
        with h5py.File("bytes.h5") as file:
            attrs = file["entry/data/data"].attrs
            self.assertLess(attrs["grey_minimum"], 0.0)
            self.assertEqual(attrs["grey_maximum"], 0.0)
        for option in ("angle", "angle-step-degrees", "range-degrees"):
            self.refused(2, f"{option} is 0", *words, f"--{option}", 0)

    def test_parts_of_the_views(self):
        """Chosen projections stand at the angles that they have in the whole scan."""
        scan = Scan()
        scan.nxtomo("scan.nxs")
        scan.nxtomo("no-angles.nxs", angles=False)
        words = ["--axis", AXIS, "--start", 5, "--step", 2, "--number", 50]
        reference = self.slices("scan.nxs", *words)
        for other in (["no-angles.nxs"], ["scan.nxs", "--range-degrees", 180]):
            self.assert_close(self.slices(*other, *words), reference, 1e-5)

    def test_circle_and_crop(self):
        Scan().nxtomo("scan.nxs")
        whole = self.slices("scan.nxs", "--axis", AXIS)
        circle = self.slices("scan.nxs", "--axis", AXIS, "--circle")
        y, x = np.mgrid[:WIDTH, :WIDTH] + 0.5
        inside = np.hypot(x - AXIS, y - AXIS) <= WIDTH - AXIS
        np.testing.assert_array_equal(circle, whole * inside)
        cropped = self.slices("scan.nxs", "--axis", AXIS, "--circle", "--crop-width", 40)
        self.assert_close(cropped, circle[:, 25:65, 25:65], 1e-5)

    def test_rings(self):
        scan = Scan()
        scan.flat[:, 30] *= 1.3
        scan.flats = np.repeat(np.rint(scan.flat)[None], 3, 0).astype(np.uint16)
        Scan().nxtomo("clean.nxs")
        scan.nxtomo("scan.nxs")
        clean = self.slices("clean.nxs", "--axis", AXIS)
        ring = np.linalg.norm(self.slices("scan.nxs", "--axis", AXIS) - clean)
        for method in (["fourier"], ["wavelet", "--rings-sigma", 1, "--rings-levels", 2, "--rings-wavelet", "db3"],
                       ["titarenko", "--rings-alpha", 1, "--rings-chunks", 2],
                       ["normalization", "--rings-sigma", 2, "--rings-chunks", 2],
                       ["double-flat-field", "--rings-sigma", 2]):
            with self.subTest(method=method):
                left = np.linalg.norm(self.slices("scan.nxs", "--axis", AXIS, "--rings", *method) - clean)
                self.assertLess(left, 0.8 * ring)
        words = ["--axis", AXIS, "--slice-rings", "polar", "--slice-rings-width", 4, "--slice-rings-arc", 60]
        polar = self.slices("scan.nxs", *words)
        self.assertLess(np.linalg.norm(polar - clean), 0.9 * ring)
        # About the axis, also in a part of the slice; beyond the outermost ring nothing is done.
        cropped = self.slices("scan.nxs", *words, "--crop-width", 60)
        y, x = np.mgrid[:60, :60] + 0.5 + (WIDTH - 60) // 2
        inside = np.hypot(x - AXIS, y - AXIS) < min(AXIS - (WIDTH - 60) // 2, (WIDTH + 60) // 2 - AXIS) - 8
        part = polar[:, (WIDTH - 60) // 2:(WIDTH + 60) // 2, (WIDTH - 60) // 2:(WIDTH + 60) // 2]
        self.assert_close(cropped[:, inside], part[:, inside], 0.02)

    def test_rings_of_transmission(self):
        """Each method, with its parameters, before the logarithm; with whole projections as well."""
        scan = Scan()
        scan.projections = np.random.default_rng(SEED).poisson(scan.projections).astype(np.uint16)
        scan.nxtomo("scan.nxs")
        transmission = ((scan.projections - scan.dark) / (scan.flat - scan.dark)).transpose(1, 0, 2)
        for method, parameters, reference in (
            ("sorting", ["--rings-size", 5], lambda p: stripes.remove_sorting(p, 5)),
            ("filtering", ["--rings-size", 5, "--rings-sigma", 2], lambda p: stripes.remove_filtering(p, 2, 5)),
            ("fitting", ["--rings-order", 3, "--rings-sigma", 4], lambda p: stripes.remove_fitting(p, 3, 4)),
            ("large", ["--rings-size", 9, "--rings-snr", 2], lambda p: stripes.remove_large(p, 9, 2)),
            ("dead", [], stripes.remove_dead),
            ("all", ["--rings-size", 5, "--rings-large-size", 9, "--rings-snr", 2], lambda p: stripes.remove_all(p, 9, 5, 2)),
        ):
            with self.subTest(method=method):
                self.done("sinos", "scan.nxs", "--rings", method, *parameters, "--output", "sinos.h5", "--overwrite")
                self.assert_close(volume("sinos.h5"), -np.log([reference(plane) for plane in transmission]), 1e-4)
        self.done("sinos", "scan.nxs", "--rings", "all", *parameters, "--outliers", 100, "--output", "whole.h5")
        self.assert_close(volume("whole.h5"), volume("sinos.h5"), 1e-6)


class Sweeps(ReconstructTestCase):
    def test_values(self):
        Scan().nxtomo("scan.nxs")
        self.done("sweep", "scan.nxs", "--parameter", "axis=46:48:0.5")
        found = volume("scan-sweep.h5")
        self.assertEqual(len(found), 5)
        for number, axis in enumerate((46, 46.5, 47, 47.5, 48)):
            self.assert_same(found[number : number + 1], self.slices("scan.nxs", "--axis", axis, "--slice", "middle"))
        self.done("sweep", "scan.nxs", "--axis", AXIS, "--parameter", "projection-filter=ramp,hamming", "--output", "filters.tif")
        self.assertEqual(len(read_pages("filters.tif")), 2)
        # Which slice has which value.
        with open("filters.tif.values") as file:
            self.assertEqual(file.read(), "0\tprojection-filter=ramp\n1\tprojection-filter=hamming\n")
        with h5py.File("scan-sweep.h5") as file:
            group = file["entry/data"]
            self.assertEqual(list(group.attrs["axes"]), ["axis", "y", "x"])
            np.testing.assert_array_equal(group["axis"][()], [46, 46.5, 47, 47.5, 48])
            self.assertTrue(group["data"].attrs["complete"])
        self.done("sweep", "scan.nxs", "--axis", AXIS, "--parameter", "projection-filter=ramp,hamming", "--output", "filters.h5")
        with h5py.File("filters.h5") as file:
            self.assertEqual([name.decode() for name in file["entry/data/projection_filter"][()]], ["ramp", "hamming"])
        plan = json.loads(self.done("sweep", "scan.nxs", "--parameter", "axis-index=46:47:1", "--output", "new.h5",
                                    "--dry-run", "--json").stdout)
        self.assertEqual([slab["value"] for slab in plan["slabs"]], ["axis-index=46", "axis-index=47"])
        self.assertEqual(glob.glob("*.slabs"), [])
        for values, expected in (("axs=1:2:1", "axis"), ("axis=1:2", "FROM:TO:STEP"), ("axis=2:1:1", "steps"),
                                 ("scan=a,b", "scan"), ("axis=x:2:1", "x"), ("binning=1,2", "binning")):
            self.refused(2, expected, "sweep", "scan.nxs", "--parameter", values)


class Lines(ReconstructTestCase):
    def test_dry_run_gives_the_same_bytes(self):
        Scan().nxtomo("my scan (1).nxs")
        row = WIDTH * VIEWS * 4
        for words in (["--axis", AXIS], [], ["--circle", "--outliers", 0.05, "--memory", 5 * row], ["--flat-correction", "off", "--absorptivity"]):
            words = ["my scan (1).nxs", "--output", "slices.h5", *words]
            plain = self.done(*words, "--dry-run").stdout
            self.assertFalse(os.path.exists("slices.h5"))
            self.shell(plain)
            by_hand = volume()
            os.remove("slices.h5")
            self.done(*words)
            np.testing.assert_array_equal(volume(), by_hand)
            with h5py.File("slices.h5") as file:
                self.assertNotIn("complete=false", str(dict(file["entry/data/data"].attrs)))
            os.remove("slices.h5")

    def shell(self, script, status=0):
        result = subprocess.run(["bash"], input=script, text=True, timeout=PATIENCE, capture_output=True)
        self.assertEqual(result.returncode, status, f"{script}\n{result.stdout}\n{result.stderr}")
        return result

    def test_dry_run_refuses_as_the_tool_does(self):
        """What is there stays, and nothing goes on behind a command that failed."""
        Scan().nxtomo("scan.nxs")
        slabs = ["scan.nxs", "--axis", AXIS, "--outliers", 0.05, "--memory", 5 * WIDTH * VIEWS * 4]
        for output, there in (("some slices.h5", "some slices.h5"), ("out/slice-%05i.tif", "out/slice-00007.tif")):
            for words in (slabs, slabs[:3]):
                plain = self.done(*words, "--output", output, "--dry-run").stdout
                os.makedirs("out", exist_ok=True)
                with h5py.File(there, "w") as file:
                    file["earlier"] = 1.0
                with open(there, "rb") as file:
                    before = file.read()
                self.assertIn(there, self.shell(plain, status=1).stderr)
                with open(there, "rb") as file:
                    self.assertEqual(file.read(), before)
                self.assertEqual(glob.glob("*.slabs") + glob.glob("out/*.slabs"), [])
                self.shell(self.done(*words, "--output", output, "--dry-run", "--overwrite").stdout)
                os.remove(there)
                for name in glob.glob("out/*"):
                    os.remove(name)
        plain = self.done(*slabs, "--output", "new/slices.h5", "--dry-run").stdout
        os.makedirs("new/slices.h5.slabs")
        self.assertIn("slices.h5.slabs", self.shell(plain, status=1).stderr)
        self.assertEqual(os.listdir("new/slices.h5.slabs"), [])
        self.shell(self.done(*slabs, "--output", "new/slices.h5", "--dry-run", "--resume").stdout)
        self.assertEqual(os.listdir("new"), ["slices.h5"])
        # Slabs stay where the scan is gone in the meantime.
        plain = self.done(*slabs, "--output", "late.h5", "--dry-run").stdout
        os.rename("scan.nxs", "moved.nxs")
        self.assertNotEqual(subprocess.run(["bash"], input=plain, text=True, timeout=PATIENCE, capture_output=True).returncode, 0)
        self.assertEqual(glob.glob("late.h5*"), ["late.h5.slabs"])

    def test_expected_time(self):
        """Grows with the work, and names the device."""
        def plan(*words):
            return json.loads(self.done("scan.nxs", "--axis", AXIS, *words, "--output", "new.h5", "--dry-run", "--json").stdout)

        scan = Scan().repeated(40, 4)
        scan.nxtomo("scan.nxs")
        whole, half, slabs = plan(), plan("--height", 20 * ROWS), plan("--outliers", 0.05, "--memory", "40M")
        self.assertLess(0.0, half["seconds"])
        self.assertLess(half["seconds"], whole["seconds"])
        self.assertLess(whole["seconds"], slabs["seconds"])
        self.assertTrue(whole["device"])
        # Iterations take their time for each subset, and for all of a slice that is cropped.
        iterated = "--method", "fista", "--num-iterations", 20
        plain, subsets, cropped = plan(*iterated), plan(*iterated, "--subsets", 10), plan(*iterated, "--crop-width", 20)
        self.assertGreater(subsets["seconds"], 2 * plain["seconds"])
        self.assertGreater(cropped["seconds"], 0.9 * plain["seconds"])
        self.assertRegex(whole["script"], rf"^# {40 * ROWS} images to new.h5:/entry/data/data, .* MB, about .* s on ")
        since = time.monotonic()
        events = [json.loads(line) for line in self.done("scan.nxs", "--axis", AXIS, "--progress", "json").stdout.splitlines()]
        took = time.monotonic() - since
        print(f"expected {whole['seconds']:.2f} s, took {took:.2f} s")
        # Other programs make it longer, but nothing shorter.
        self.assertLess(whole["seconds"], 10 * took)
        self.assertGreater(whole["seconds"], took / 100)
        told = next(event for event in events if event["event"] == "plan")
        self.assertEqual(told["device"], whole["device"])
        self.assertGreater(told["seconds"], 0.0)
        first = next(event for event in events if event["event"] == "progress")
        self.assertEqual((first["done"], first["seconds-left"]), (0, told["seconds"]))

    def test_plan(self):
        Scan().nxtomo("scan.nxs", axis=44.0)
        plan = json.loads(self.done("scan.nxs", "--dry-run", "--json").stdout)
        self.assertEqual((plan["axis"], plan["axis-from"]), (44.0, "scan"))
        self.assertEqual((plan["width"], plan["height"], plan["depth"]), (WIDTH, WIDTH, ROWS))
        self.assertEqual(plan["output"], "scan-slices.h5:/entry/data/data")
        self.assertEqual([slab["rows"] for slab in plan["slabs"]], [ROWS])
        # The graph is what tomo-runjson runs.
        with open("graph.json", "w") as file:
            json.dump(plan["slabs"][0]["graph"], file)
        subprocess.run(["tomo-runjson", "-q", "graph.json"], check=True, timeout=PATIENCE)
        by_graph = volume("scan-slices.h5")
        np.testing.assert_array_equal(by_graph, self.slices("scan.nxs"))


class Telling(ReconstructTestCase):
    def test_json_protocol(self):
        Scan().nxtomo("scan.nxs")
        result = self.done("scan.nxs", "--progress", "json")
        self.assertEqual(result.stderr, "")
        events = [json.loads(line) for line in result.stdout.splitlines()]
        kinds = [event["event"] for event in events]
        self.assertEqual(kinds[0], "hello")
        self.assertEqual(kinds[-1], "done")
        self.assertLess(kinds.index("result"), kinds.index("plan"))
        self.assertEqual(events[0]["version"], 1)
        self.assertTrue(all(a["time"] <= b["time"] for a, b in zip(events, events[1:])))
        self.assertEqual([e["name"] for e in events if e["event"] == "stage"], ["inspect", "axis", "reconstruct"])
        progress = [e for e in events if e["event"] == "progress"]
        self.assertEqual((progress[-1]["done"], progress[-1]["total"], progress[-1]["unit"]), (ROWS, ROWS, "slices"))
        self.assertEqual([p["done"] for p in progress], sorted(p["done"] for p in progress))
        found = next(e for e in events if e["event"] == "result")
        self.assertAlmostEqual(found["value"], AXIS, delta=0.1)
        self.assertEqual(events[-1]["status"], "done")
        for output in events[-1]["outputs"]:
            self.assertTrue(os.path.exists(output.split(":")[0]))
        result = tool("missing.nxs", "--progress", "json")
        self.assertEqual(result.returncode, 1)
        events = [json.loads(line) for line in result.stdout.splitlines()]
        self.assertEqual([e["event"] for e in events], ["hello", "stage", "message", "done"])
        self.assertEqual((events[-2]["level"], events[-1]["status"]), ("error", "failed"))

    def test_info(self):
        Scan().nxtomo("scan.nxs", axis=45.5)
        told = json.loads(self.done("info", "scan.nxs", "--json").stdout)
        expected = {"width": WIDTH, "height": ROWS, "projections": VIEWS, "views": VIEWS, "darks": 2, "flats": 3, "format": "uint16",
                    "axis": 45.5, "angles-from": "scan", "findings": []}
        self.assertEqual({key: told[key] for key in expected}, expected)
        self.assertAlmostEqual(told["angle-step"], np.pi / VIEWS)
        text = self.done("info", "scan.nxs").stdout
        for part in ("scan.nxs", f"{VIEWS} of {WIDTH} x {ROWS}, uint16", "45.5 px"):
            self.assertIn(part, text)

    def test_findings(self):
        def findings(**changes):
            scan = Scan()
            for name, change in changes.items():
                setattr(scan, name, change(getattr(scan, name)))
            scan.nxtomo("scan.nxs")
            told = json.loads(self.done("info", "scan.nxs", "--json").stdout)
            return {f["name"]: f["severity"] for f in told["findings"]}

        self.assertEqual(findings(), {})
        self.assertEqual(findings(flats=lambda f: f // 500), {"flats-below-darks": "error"})
        self.assertEqual(findings(angles=lambda a: a[::-1] * 0.5), {"missing-wedge": "warning"})
        self.assertEqual(findings(angles=lambda a: np.concatenate([a[:40], a[39:-1]])), {"angles-repeated": "warning"})
        bright = findings(flats=lambda f: np.maximum(f, 65535 * (np.arange(WIDTH) < 9)).astype(np.uint16))
        self.assertEqual(bright, {"saturated-flats": "warning"})
        self.assertEqual(findings(angles=lambda a: 5 * a)["several-turns"], "error")

    def test_bar(self):
        """On a terminal; elsewhere a few lines."""
        Scan().nxtomo("scan.nxs")
        master, slave = pty.openpty()
        process = subprocess.Popen(["tomo-reconstruct", "scan.nxs"], stderr=slave, stdout=subprocess.PIPE)
        os.close(slave)
        told = b""
        while True:
            try:
                if not (part := os.read(master, 4096)):
                    break
            except OSError:  # nobody writes any more
                break
            told += part
        os.close(master)
        self.assertEqual(process.communicate(timeout=PATIENCE)[0], b"")
        self.assertIn(b"looking for the axis", told)
        self.assertIn(f"{'#' * 24}] {ROWS} of {ROWS} slices".encode(), told)
        last = told.decode().split("\r")[-2].strip().removeprefix("\x1b[K")
        self.assertRegex(last, "done in .* s: scan-slices.h5")
        lines = self.done("scan.nxs", "--overwrite").stderr.splitlines()
        self.assertEqual(len(lines), 2, lines)
        self.assertEqual(self.done("scan.nxs", "--overwrite", "--progress", "none").stderr, "")

    def test_help(self):
        text = self.done("--help").stdout
        everything = self.done("--help-all").stdout
        for part in ("estimate", "--axis=px", "--circle", "--projection-filter=ramp-fromreal|none"):
            self.assertIn(part, text)
        self.assertNotIn("--axis-index", text)
        self.assertIn("--axis-index", everything)
        names = self.option_names()
        self.assertGreater(len(names), 100)
        for name in names:
            self.assertIn(name, everything)
        self.assertRegex(self.done("--version").stdout, r"tomo-reconstruct \d")

class Methods(ReconstructTestCase):
    def test_direct_fourier_inversion(self):
        """The same slice as by filtered backprojection, but for the interpolation, whatever the region and the step."""
        Scan().nxtomo("scan.nxs")
        for words in ([], ["--crop-width", 51], ["--binning", 2], ["--offset", 0.3]):
            words = ["--axis", AXIS, "--projection-filter", "hamming", *words]
            fbp, dfi = (self.slices("scan.nxs", *words, "--circle", "--method", method) for method in ("fbp", "dfi"))
            self.assertEqual(fbp.shape, dfi.shape)
            self.assertLess(np.linalg.norm(fbp - dfi), 0.06 * np.linalg.norm(fbp), str(words))
            self.assertGreater(np.linalg.norm(fbp - dfi), 1e-5 * np.linalg.norm(fbp), "nothing was done differently")
        line = self.done("--dry-run", "scan.nxs", "--axis", AXIS, "--method", "dfi", "--tolerance", 1e-4).stdout
        self.assertIn("tomodfi name=dfi tolerance=0.0001", line)
        self.assertNotIn("ramp", line)

    def test_automatic_choice(self):
        Scan().nxtomo("scan.nxs")
        for words, method in (([], "dfi"), (["--crop-width", 20], "fbp"), (["--step", 3], "fbp")):
            words = ["scan.nxs", "--axis", AXIS, "--method", "auto", *words]
            told = self.done(*words, "--output", "auto.h5", "--overwrite")
            self.assertIn(f"method=auto takes {method}", told.stdout + told.stderr)
            line = self.done("--dry-run", *words).stdout
            self.assertIn({"dfi": "tomodfi", "fbp": "tomobackproject"}[method], line)

    def test_iterations(self):
        """Each method comes near the phantom, and bounds, subsets and regions are taken."""
        Scan().nxtomo("scan.nxs")
        fbp = self.slices("scan.nxs", "--axis", AXIS, "--projection-filter", "hamming", "--circle")
        for words in (["sirt", "--num-iterations", 40], ["sirt", "--subsets", 8, "--num-iterations", 6, "--slice-minimum", 0],
                      ["sart", "--relaxation-factor", 0.3, "--num-iterations", 5], ["cgls"], ["mlem", "--subsets", 8, "--num-iterations", 4],
                      ["fista", "--subsets", 8, "--num-iterations", 5, "--lambda", 1e-5], ["sbtv", "--num-iterations", 5, "--lambda", 1e-5],
                      ["asdpocs", "--subsets", 10, "--num-iterations", 10],
                      ["sirt", "--operator", "fourier", "--subsets", 8, "--num-iterations", 6], ["cgls", "--operator", "fourier"],
                      ["fista", "--operator", "fourier", "--subsets", 8, "--num-iterations", 5, "--lambda", 1e-5],
                      ["sbtv", "--operator", "fourier", "--num-iterations", 5, "--lambda", 1e-5]):
            with self.subTest(words=words):
                words = ["scan.nxs", "--axis", AXIS, "--circle", "--method", *words]
                found = self.slices(*words)
                self.assertLess(np.linalg.norm(found - fbp), 0.15 * np.linalg.norm(fbp))
                if "--slice-minimum" in words:
                    self.assertGreaterEqual(found.min(), 0)
        line = self.done("--dry-run", "scan.nxs", "--axis", AXIS, "--method", "sart", "--relaxation-factor", 1).stdout
        self.assertIn("tomosart name=sart relaxation=1", line)
        line = self.done("--dry-run", "scan.nxs", "--axis", AXIS, "--method", "cgls", "--operator", "fourier", "--tolerance", 1e-4).stdout
        self.assertIn("tomocgls name=cgls operator=fourier operator-tolerance=0.0001", line)
        cropped = self.slices("scan.nxs", "--axis", AXIS, "--method", "cgls", "--crop-width", 50)
        whole = self.slices("scan.nxs", "--axis", AXIS, "--method", "cgls")
        np.testing.assert_array_equal(cropped, whole[:, 20:70, 20:70])

    def test_what_does_not_count(self):
        Scan().nxtomo("scan.nxs")
        for words, name in ((["--method", "cgls", "--subsets", 2], "method=sirt, mlem, fista and asdpocs"),
                            (["--lambda", 0.1], "method=fista and sbtv"), (["--method", "sbtv", "--subsets", 2], "method=sirt, mlem"),
                            (["--method", "sirt", "--projection-filter", "ramp"], "method=fbp"),
                            (["--num-iterations", 5], "method=sirt"), (["--slice-minimum", 0, "--method", "cgls"], "method=cgls"),
                            (["--method", "dfi", "--precision", "half"], "method=fbp"),
                            (["--method", "dfi", "--projection-filter", "none"], "method=fbp"),
                            (["--tolerance", 1e-4], "method=dfi"), (["--tolerance", 1e-4, "--method", "cgls"], "operator=fourier"),
                            (["--operator", "fourier"], "method=sirt, cgls"),
                            (["--operator", "fourier", "--method", "sart"], "method=sirt, cgls"),
                            (["--operator", "fourier", "--method", "cgls", "--source-position-y", -500], "parallel beam")):
            self.refused(2, [name], "scan.nxs", "--axis", AXIS, *words)



class Tofu(ReconstructTestCase):
    def test_options(self):
        """Each of tofu's options is one of ours, or docs/migrating-from-ufo.md says why not."""
        here = os.path.dirname(os.path.abspath(__file__))
        with open(os.path.join(here, "tofu_options.json")) as file:
            sections = json.load(file)
        with open(os.path.join(here, "..", "..", "docs", "migrating-from-ufo.md")) as file:
            page = file.read().split("\n## tofu\n")[1].split("\n## ")[0]
        ours = self.option_names()
        later = page.split("Options of these sections")[1]
        self.assertEqual(sum(map(len, sections.values())), 164)
        for section, options in sections.items():
            for option in options if f"`{section}`" not in later else ():
                with self.subTest(section=section, option=option):
                    self.assertTrue(f"--{option}" in ours or f"`--{option}`" in page)

    def test_configuration(self):
        """Of words as tofu writes them."""
        Scan().nxtomo("scan.nxs")
        with open("reco.conf", "w") as file:
            file.write("[general]\noutput = result-%05i.tif\n[flat-correction]\nreduction-mode = Average\nabsorptivity = on\n"
                       "[fbp]\ncrop-width = 40\n[tomographic-reconstruction]\naxis = 47.3\n")
        self.done("tomo", "scan.nxs")
        self.assertEqual(tifffile.imread("result-00003.tif").shape, (40, 40))


class Configurations(ReconstructTestCase):
    def test_init_and_run(self):
        Scan().nxtomo("scan.nxs")
        self.refused(2, "reco.conf", "run")
        self.done("init", "scan.nxs", "--axis", 40, "--circle")
        self.refused(1, ["reco.conf", "--overwrite"], "init")
        self.done("run", "--axis", AXIS)  # options win
        by_run = volume("scan-slices.h5")
        np.testing.assert_array_equal(by_run, self.slices("scan.nxs", "--axis", AXIS, "--circle"))
        np.testing.assert_array_equal(volume("scan-slices.h5"), by_run)
        # What is written beside the result makes it again.
        os.rename("scan-slices.h5", "before.h5")
        self.done("run", "--config", "scan-slices.h5.conf")
        np.testing.assert_array_equal(volume("scan-slices.h5"), by_run)
        # A default that is no value is written as none, and is read as none.
        with open("reco.conf") as file:
            keys = [line.lstrip("#").partition("=") for line in file.read().splitlines() if "=" in line and not line.startswith("# ")]
        self.assertEqual({key: value for key, _, value in keys if key in ("axis", "axis-index", "output-minimum", "angle", "height", "rings")},
                         {"axis": "40.0", "axis-index": "", "output-minimum": "", "angle": "", "height": "", "rings": "none"})
        with open("empty.conf", "w") as file:
            file.write("[all]\n" + "".join(f"{key}={value}\n" for key, _, value in keys if key != "axis"))
        self.assert_same(self.slices("run", "--config", "empty.conf", "--axis", AXIS), by_run)
        with open("reco.conf", "a") as file:
            file.write("\n[more]\naxs=1\n")
        self.refused(2, ["reco.conf", "axs", "axis"], "run")

    def test_outputs(self):
        Scan().nxtomo("scan.nxs")
        reference = self.slices("scan.nxs", "--axis", AXIS)
        words = ["scan.nxs", "--axis", AXIS]
        self.done(*words, "--output", "slices.tif")
        np.testing.assert_array_equal(read_pages("slices.tif"), reference)
        self.done(*words, "--output", "out/slice-%05i.tif")
        self.assertEqual(len(glob.glob("out/slice-*.tif")), ROWS)
        np.testing.assert_array_equal(tifffile.imread("out/slice-00003.tif"), reference[3])
        self.assertTrue(os.path.exists("out/slice.conf"))
        self.done(*words, "--output", "sixteen.h5:/some/where", "--output-bitdepth", 16)
        with h5py.File("sixteen.h5") as file:
            data = file["some/where"]
            low, high = data.attrs["grey_minimum"], data.attrs["grey_maximum"]
            values = low + data[()] / 65535 * (high - low)
            self.assertEqual(data.dtype, np.uint16)
        np.testing.assert_allclose(values, reference, atol=(high - low) / 65535)
        # The format, where no name tells it.
        with h5py.File("scan.nxs", "a") as file:
            for axis in "xy":
                file.create_dataset(f"entry/instrument/detector/{axis}_pixel_size", data=2.5).attrs["units"] = "um"
        for output in [], ["--output", "named"]:
            self.done(*words, *output, "--format", "ome-zarr", "--chunks", "4,16,32")
            name = output[1] + ".ome.zarr" if output else "scan-slices.ome.zarr"
            np.testing.assert_array_equal(volume(name), reference)
            self.assertEqual(read_json(name, "0/.zarray")["chunks"], [4, 16, 32])
        self.done(*words, "--output", "flat.zarr", "--pyramid", "no")
        self.assertEqual(len(read_json("flat.zarr", ".zattrs")["multiscales"][0]["datasets"]), 1)
        for words_of_pyramid in (["--pyramid", "yes", "--chunks", "8,16,32"], ["--pyramid", "yes", "--output-parts", 2],
                                 ["--pyramid", "yes", "--outliers", 10, "--memory", 6 * 4 * WIDTH * VIEWS]):
            self.done(*words, "--output", "levels.h5", "--overwrite", *words_of_pyramid)
            with h5py.File("levels.h5") as file:
                self.assertEqual(file["entry/data/data"].chunks == (8, 16, 32), "--chunks" in words_of_pyramid)
                levels = [file["entry/data/data" + name][...] for name in ("", "_2x")]
                self.assertEqual("entry/data/data_4x" in file, WIDTH > 128)
            np.testing.assert_allclose(levels[1], halved(levels[0]), atol=1e-6 * np.abs(levels[0]).max())
        (image,) = read_json(name, ".zattrs")["multiscales"]
        self.assertEqual(image["axes"], [{"name": axis, "type": "space", "unit": "meter"} for axis in "zyx"])
        np.testing.assert_allclose(image["datasets"][0]["coordinateTransformations"][0]["scale"], [2.5e-6] * 3)
        for output in ("slices.tif", "out/slice-%05i.tif", "sixteen.h5", "named.ome.zarr"):
            before = {name: os.stat(name).st_mtime_ns for name in glob.glob("**", recursive=True)}
            self.refused(1, [output.replace("%05i", "00000"), "--overwrite"], *words, "--output", output)
            self.assertEqual({name: os.stat(name).st_mtime_ns for name in glob.glob("**", recursive=True)}, before)


class Refusals(ReconstructTestCase):
    def test_wrong_usage(self):
        Scan().nxtomo("scan.nxs")
        for words, expected in (
            ([], "no scan"),
            (["scan.nxs", "--axs", 3], ["--axs", "did you mean '--axis'"]),
            (["scan.nxs", "-x"], "-x"),
            (["scan.nxs", "--axis"], "--axis"),
            (["scan.nxs", "--axis", "left"], ["--axis", "left"]),
            (["scan.nxs", "--binning", 99], ["binning", "16"]),
            (["scan.nxs", "--method", "magic"], ["magic", "fbp"]),
            (["scan-1.tif", "scan-2.tif"], ["scan-1.tif", "scan-2.tif", "quotation marks"]),
            (["scan.nxs", "--progress", "loud"], ["loud", "json"]),
            (["scan.nxs", "--dry-run=3"], "--dry-run"),
            (["scan.nxs", "--dry-run", "--progress", "json"], ["--progress json", "--json"]),
            (["info", "scan.nxs", "--progress", "json"], ["--progress json", "--json"]),
            (["scan.nxs", "--json"], ["--json", "--progress json"]),
            (["estimate", "scan.nxs", "--dry-run"], ["--dry-run", "estimate"]),
            (["scan.nxs", "--config", "missing.conf"], "missing.conf"),
            (["scan.nxs", "--axis", 3, "--axis-index", 3], "axis-index"),
            (["rnu"], ["rnu", "did you mean 'run'"]),
            (["infos", "scan.nxs"], ["infos", "did you mean 'info'"]),
            (["scan.nxs", "--output-bitdepth", 12], ["12", "one of 32, 16, 8"]),
            (["lamino", "scan.nxs"], ["lamino", "axis-angle-x"]),
            (["perf", "scan.nxs"], ["perf", "not there yet"]),
            (["sweep", "scan.nxs"], "--parameter"),
        ):
            with self.subTest(words=words):
                self.refused(2, expected, *words)
        self.assertEqual(os.listdir(), ["scan.nxs"])

    def test_bad_scans(self):
        scan = Scan()
        scan.nxtomo("scan.nxs")
        scan.flats //= 500
        scan.nxtomo("dark.nxs")
        Scan(turn=1.0).nxtomo("short.nxs")
        with open("text.h5", "w") as file:
            file.write("no scan")
        with open("scan.nxs", "rb") as file, open("truncated.nxs", "wb") as other:
            other.write(file.read()[:3000])
        os.mkdir("empty")
        there = sorted(os.listdir())
        for words, expected in (
            (["missing.nxs"], "missing.nxs"),
            (["text.h5"], "text.h5"),
            (["truncated.nxs"], "truncated.nxs"),
            (["empty"], "empty"),
            (["dark.nxs"], ["not brighter", "--ignore flats-below-darks"]),
            (["short.nxs"], ["axis", "--axis"]),
            (["scan.nxs", "--y", 5, "--height", 99], ["y=5", str(ROWS)]),
            (["scan.nxs", "--axis", 0], "axis at 0"),
            (["scan.nxs", "--start", 500], ["500", str(VIEWS)]),
            (["scan.nxs", "--angle", 1.5], ["turns", "--angle-step-degrees 1.5", "--ignore angle-range"]),
            (["scan.nxs", "--output", "volume.xyz"], "volume.xyz"),
            (["scan.nxs", "--output", "text.h5/x.h5"], "text.h5"),
            (["scan.nxs", "--binning", 2, "--y-step", 2], "y-step"),
            (["scan.nxs", "--axis-method", "scan"], "--axis"),
            (["scan.nxs", "--ignore", "no-darkness"], "did you mean 'no-darks'"),
            (["scan.nxs", "--sinograms", "scan.nxs"], "leave one"),
            (["scan.nxs", "--binning", 2, "--memory", 100], "memory"),
        ):
            with self.subTest(words=words):
                self.refused(1, expected, *words)
                self.assertEqual(sorted(os.listdir()), there)
        self.done("dark.nxs", "--axis", AXIS, "--ignore", "flats-below-darks")


class Conditions(ReconstructTestCase):
    """A parameter that can't count is an error, which names it and the reason."""

    def test_parameters(self):
        scan = Scan()
        scan.nxtomo("scan.nxs")
        scan.nxtomo("no-darks.nxs", darks=False)
        with h5py.File("sinograms.h5", "w") as file:
            file["data"] = scan.attenuation.astype(np.float32)
        with h5py.File("images.h5", "w") as file:
            file["data"] = scan.flats
        there = sorted(os.listdir())
        whole, off = ["scan.nxs", "--axis", AXIS], ["scan.nxs", "--axis", AXIS, "--flat-correction", "off"]
        sinograms = ["--sinograms", "sinograms.h5:/data", "--axis", AXIS, "--range-degrees", 180]
        for words, option, value, reason in (
            (whole, "axis-method", "spectrum", "the axis is given"),
            (whole, "axis-rows", 3, "the axis is given"),
            (["scan.nxs", "--axis-method", "middle"], "axis-rows", 3, "not looked for"),
            (sinograms, "outliers", 0.05, "sinograms"),
            (sinograms, "flat-correction", "on", "sinograms"),
            (sinograms, "reduction-mode", "median", "sinograms"),
            (sinograms, "dark-scale", 2, "sinograms"),
            (sinograms, "flat-scale", 2, "sinograms"),
            (sinograms, "entry", "/entry", "no scan"),
            (sinograms, "detector", "camera", "no scan"),
            (sinograms, "darks", "d.tif", "sinograms"),
            (sinograms, "flats", "f.tif", "sinograms"),
            (sinograms, "flats2", "f.tif", "sinograms"),
            (sinograms, "start", 1, "sinograms"),
            (sinograms, "number", 9, "sinograms"),
            (sinograms, "step", 2, "sinograms"),
            (sinograms, "binning", 2, "sinograms"),
            (sinograms, "angles", "a.txt", "range-degrees"),
            (off, "darks", "images.h5:/data", "not corrected"),
            (off, "flats", "images.h5:/data", "not corrected"),
            (off, "flats2", "images.h5:/data", "not corrected"),
            (off, "reduction-mode", "median", "not corrected"),
            (off, "dark-scale", 2, "not corrected"),
            (off, "flat-scale", 2, "not corrected"),
            (["no-darks.nxs", "--axis", AXIS], "dark-scale", 2, "no darks"),
            (whole, "outliers-size", 5, "outliers"),
            (whole, "rings-width", 5, "rings=fourier"),
            ([*whole, "--rings", "titarenko"], "rings-sigma", 5, "normalization"),
            (whole, "rings-wavelet", "db2", "rings=wavelet"),
            (whole, "rings-levels", 2, "rings=wavelet"),
            (whole, "rings-alpha", 0.1, "rings=titarenko"),
            ([*whole, "--rings", "wavelet"], "rings-chunks", 2, "normalization"),
            (whole, "slice-rings-width", 5, "slice-rings=polar"),
            (whole, "slice-rings-threshold", 5, "slice-rings=polar"),
            (whole, "slice-rings-arc", 5, "slice-rings=polar"),
            (["sinos", "scan.nxs"], "slice-rings", "polar", "no slices"),
            (off, "rings", "double-flat-field", "absorptivity=on"),
            (whole, "rings-size", 5, "rings=sorting"),
            ([*whole, "--rings", "fitting"], "rings-size", 5, "rings=sorting"),
            ([*whole, "--rings", "sorting"], "rings-large-size", 5, "rings=all"),
            ([*whole, "--rings", "sorting"], "rings-snr", 2, "rings=large"),
            ([*whole, "--rings", "sorting"], "rings-sigma", 2, "filtering"),
            ([*whole, "--rings", "filtering"], "rings-order", 1, "rings=fitting"),
            (off, "rings", "large", "absorptivity=on"),
            (whole, "projection-filter-cutoff", 0.25, "hamming"),
            (whole, "crop-width", WIDTH + 1, "fewer columns"),
            (whole, "output-minimum", 0, "output-bitdepth"),
            (whole, "output-maximum", 0, "output-bitdepth"),
            ([*whole, "--output", "slices.tif"], "compression", 5, "HDF5"),
            ([*whole, "--output", "slices.tif"], "format", "ome-zarr", "another format"),
            ([*whole, "--output", "slices.tif"], "chunks", "cube", "OME-Zarr"),
            ([*whole, "--output-parts", 2], "chunks", "cube", "output-parts"),
            ([*whole, "--output", "slices.tif"], "pyramid", "yes", "OME-Zarr"),
            (["sinos", "scan.nxs"], "pyramid", "yes", "volume"),
            ([*whole, "--resume"], "overwrite", "true", "resume"),
            (["flatcorrect", "scan.nxs"], "rings", "fourier", "projections are written"),
            (["flatcorrect", "scan.nxs"], "circle", "true", "no slices"),
            (["sinos", "scan.nxs"], "circle", "true", "no slices"),
            (["sinos", "scan.nxs"], "crop-width", 20, "no slices"),
            (["sinos", "scan.nxs"], "projection-filter", "ramp", "no slices"),
            (["sinos", "scan.nxs"], "offset", 0.5, "no slices"),
            (["sinos", "scan.nxs"], "precision", "half", "no slices"),
        ):
            with self.subTest(words=words, option=option):
                words = words[:-2] if option == "flat-correction" and "off" in words else words
                self.refused(2, [f"{option}={value}", "no effect", reason], *words, f"--{option}={value}")
                self.assertEqual(sorted(os.listdir()), there)

    def test_sweeps(self):
        """In which a parameter has to count for one of the values."""
        Scan().nxtomo("scan.nxs")
        words = ["sweep", "scan.nxs", "--axis", AXIS, "--slice", "middle", "--output", "sweep.h5"]
        self.refused(2, ["projection-filter-cutoff", "hamming"], *words, "--projection-filter-cutoff", 0.25, "--parameter", "projection-filter=ramp,faris-byer")
        self.refused(2, ["rings-width", "rings=fourier"], *words, "--parameter", "rings-width=12,20")
        self.refused(2, "sweep", *words, "--parameter", "sweep=axis=1")
        self.done(*words, "--projection-filter-cutoff", 0.25, "--parameter", "projection-filter=hamming,ramp")
        self.assertEqual(len(volume("sweep.h5")), 2)
        self.refused(1, ["axis at 95", f"{WIDTH} columns", "--ignore axis-outside"], "sweep", "scan.nxs", "--parameter", "axis=45:95:10")
        self.done("sweep", "scan.nxs", "--parameter", "axis=85:95:10", "--ignore", "axis-outside", "--output", "outside.h5")


class Interruptions(ReconstructTestCase):
    def start(self, *words, stdin=subprocess.DEVNULL, slow=0):
        return subprocess.Popen(["tomo-reconstruct", *map(str, words), "--progress", "json"], text=True, stdin=stdin,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=slow_kernels(slow))

    def large_scan(self, times=10):
        """That many times the rows."""
        scan = Scan().repeated(times, 4)
        scan.nxtomo("scan.nxs")

    def test_resume_after_kill(self):
        self.large_scan()
        row = 4 * WIDTH * VIEWS * 4
        for output, extra, least, times in (("slices.h5", [], 0, 2), ("slices.h5", ["--outliers", 0.05, "--memory", 30 * row], 15, 2),
                                            ("slices.ome.zarr", [], 0, 1)):
            def remove():
                shutil.rmtree(output) if os.path.isdir(output) else os.remove(output)

            words = ["scan.nxs", "--axis", 180, "--output", output, *extra]
            self.done(*words, "--overwrite")
            reference = volume(output)
            remove()
            for _ in range(times):
                process = self.start(*words, "--overwrite", slow=1000 if extra else 0)
                enough = rng.integers(least, 5 * ROWS)
                for line in process.stdout:  # killed somewhere in the middle
                    event = json.loads(line)
                    if event["event"] == "progress" and event["done"] > enough:
                        break
                process.kill()
                process.communicate(timeout=PATIENCE)
                self.assertEqual(os.path.exists(output + ".slabs"), bool(extra))
                if extra:
                    self.refused(1, "other settings", "scan.nxs", "--axis", 181, *words[3:], "--resume")
                    # A finished slab is not made again: a mark in it stays.
                    reference[7, 5, 3] = rng.random()
                    with h5py.File("slices.h5.slabs/00000.h5", "r+") as file:
                        file["entry/data/data"][7, 5, 3] = reference[7, 5, 3]
                elif os.path.exists(output):
                    remove()
                self.done(*words, "--resume")
                np.testing.assert_array_equal(volume(output), reference)
                remove()
            self.assertEqual(glob.glob("*.slabs") + glob.glob("*.partial"), [])

    def test_slabs_of_an_earlier_run(self):
        """A result is made of its own slabs alone."""
        Scan().nxtomo("scan.nxs")
        words = ["scan.nxs", "--axis", AXIS, "--outliers", 0.05, "--memory", 5 * WIDTH * VIEWS * 4, "--output", "slices.h5"]
        self.done(*words)
        reference = volume()
        os.remove("slices.h5")
        os.mkdir("slices.h5.slabs")
        for name in ("00001.h5", "00099.h5", "00100.tif", "00002.h5.partial", "lines.txt", "123456.tif.partial"):
            with h5py.File(f"slices.h5.slabs/{name}", "w") as file:  # as a sweep leaves them, or another --memory
                file["entry/data/data"] = np.ones((1, WIDTH, WIDTH), np.float32)
        for extra in ([], ["--overwrite"]):
            self.done(*words, *extra)
            np.testing.assert_array_equal(volume(), reference)
            self.assertEqual(glob.glob("*.slabs"), [])
        # Files of unknown origin are no slabs to go on with.
        os.remove("slices.h5")
        os.mkdir("slices.h5.slabs")
        for name in ("00000.h5", "00001.h5"):
            with h5py.File(f"slices.h5.slabs/{name}", "w") as file:
                file["entry/data/data"] = np.ones((1, WIDTH, WIDTH), np.float32)
        self.done(*words, "--resume")
        np.testing.assert_array_equal(volume(), reference)
        # Files of others stay, and are not joined.
        os.remove("slices.h5")
        os.mkdir("slices.h5.slabs")
        for name in ("mine.h5", "mine.txt"):
            with open(f"slices.h5.slabs/{name}", "w") as file:
                file.write("mine")
        self.refused(1, ["slices.h5.slabs/mine.h5", "move it away"], *words)
        self.assertEqual(sorted(os.listdir("slices.h5.slabs")), ["mine.h5", "mine.txt"])
        os.remove("slices.h5.slabs/mine.h5")
        self.done(*words)
        np.testing.assert_array_equal(volume(), reference)
        self.assertEqual(os.listdir("slices.h5.slabs"), ["mine.txt"])

    def test_an_earlier_result(self):
        """Which an interrupted run leaves as it is."""
        self.large_scan()
        words = ["scan.nxs", "--axis", 180, "--output", "slices.h5", "--outliers", 0.05, "--memory", 30 * 4 * WIDTH * VIEWS * 4]
        with open("slices.h5", "w") as file:
            file.write("earlier")
        with open("slices.h5.conf", "w") as file:
            file.write("earlier")
        process = self.start(*words, "--overwrite", stdin=subprocess.PIPE, slow=1000)
        for line in process.stdout:
            if json.loads(line).get("done"):
                break
        out, err = process.communicate('{"command": "finish"}\n', timeout=PATIENCE)
        done = json.loads(out.splitlines()[-1])
        self.assertEqual((done["status"], done["outputs"]), ("finished early", []), err)
        told = [event["text"] for event in map(json.loads, out.splitlines()) if event["event"] == "message"][-1]
        whole = 15 * len(glob.glob("slices.h5.slabs/*.h5"))
        for part in (f"{whole} of {10 * ROWS} slices", "'slices.h5.slabs'", "--resume"):
            self.assertIn(part, told)
        for name in ("slices.h5", "slices.h5.conf"):
            with open(name) as file:
                self.assertEqual(file.read(), "earlier")

    def test_commands(self):
        """By a program, on standard input."""
        self.large_scan(40)
        # In slabs the next ones are to come, and those that are whole stay for --resume.
        slabs = ["--outliers", 0.05, "--outliers-size", 15, "--memory", 30 * 4 * WIDTH * VIEWS * 4]
        for command, status, told, words in (("finish", 0, "finished early", []), ("abort", 1, "aborted", []), ("abort", 1, "aborted", slabs)):
            planned = 0
            process = self.start("scan.nxs", "--axis", 180, "--output", f"{command}.h5", *words, stdin=subprocess.PIPE, slow=0 if words else 10000)
            process.stdin.write('no JSON\n\n{"command": "finnish"}\n')
            process.stdin.flush()
            first = []
            for event in map(json.loads, process.stdout):
                first.append(event)
                planned = event.get("slabs", 0) if event["event"] == "plan" else planned
                if event.get("done"):
                    break
            out, err = process.communicate(f'{{"command": "{command}"}}\n', timeout=PATIENCE)
            self.assertEqual(process.returncode, status, err)
            self.assertEqual(json.loads(out.splitlines()[-1])["status"], told)
            self.assertEqual(os.path.exists(f"{command}.h5"), command == "finish")
            if words:
                self.assertGreater(planned, 10)
                self.assertLess(len(glob.glob(f"{command}.h5.slabs/*.h5")), planned / 2)
            if command == "finish":
                self.assertLess(len(volume("finish.h5")), 40 * ROWS)
            told = [e["text"] for e in first + [*map(json.loads, out.splitlines())] if e["event"] == "message" and e["level"] == "error"]
            self.assertEqual(["finnish" in text for text in told][:2], [False, True], told)
            self.assertEqual(os.path.exists(f"{command}.h5.html"), command == "finish")
        with open("finish.h5.html", encoding="utf-8") as file:
            page = file.read()
        self.assertIn("did not come to its end", page)
        self.assertRegex(page, rf"<b>\d+ of {40 * ROWS}</b><span>slices")
        self.assertIn("Slice z = ", page)

    def test_end_while_the_axis_is_looked_for(self):
        """What was found by then is no axis."""
        self.large_scan(4)
        process = self.start("scan.nxs", "--axis-method", "sharpness", "--axis-rows", 200, "--output", "slices.h5")
        for line in process.stdout:
            event = json.loads(line)
            if event["event"] == "stage" and event["name"] == "axis":
                break
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, 128 + signal.SIGINT, err)
        events = [json.loads(line) for line in out.splitlines()]
        self.assertEqual((events[-1]["status"], events[-1]["outputs"]), ("finished early", []))
        self.assertIn("while the axis was looked for", [e["text"] for e in events if e["event"] == "message"][-1])
        self.assertEqual([name for name in os.listdir() if name.startswith("slices")], [])

    def test_ctrl_c_amid_iterations(self):
        """What is whole stays; arrays that would take minutes more are given up, also where all views were read before."""
        self.large_scan(4)
        for iterations, slab in ((50, []), (100000, []), (100000, ["--memory", 20 * 4 * WIDTH * VIEWS * 4])):
            process = self.start("scan.nxs", "--axis", 180, "--output", "slices.h5", "--method", "sirt",
                                 "--num-iterations", iterations, *slab)
            for line in process.stdout:
                event = json.loads(line)
                if event.get("done") or (iterations > 50 and event.get("name") == "reconstruct"):
                    break
            if iterations > 50:
                time.sleep(1.0) # then iterations have begun, on a quick machine
            done = event.get("done", 0)
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=PATIENCE)
            self.assertEqual(process.returncode, 128 + signal.SIGINT, err)
            self.assertEqual(json.loads(out.splitlines()[-1])["status"], "finished early", out)
            self.assertEqual(os.path.exists("slices.h5"), bool(done))
            if done:
                self.assertLess(len(volume()), 4 * ROWS)
                self.assertGreaterEqual(len(volume()), done)
                os.remove("slices.h5")

    def test_ctrl_c(self):
        self.large_scan(40)
        process = self.start("scan.nxs", "--axis", 180, "--output", "slices.h5", slow=10000)
        for line in process.stdout:
            if json.loads(line).get("done"):
                break
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, 128 + signal.SIGINT, err)
        done = json.loads(out.splitlines()[-1])
        self.assertEqual(done["status"], "finished early")
        part = volume()
        self.assertLess(len(part), 40 * ROWS)
        warnings = [event["text"] for event in map(json.loads, out.splitlines()) if event["event"] == "message"]
        self.assertEqual(len(warnings), 1, warnings)
        self.assertIn(f"has {len(part)} of {40 * ROWS} slices: the same with --resume", warnings[0])
        self.done("scan.nxs", "--axis", 180, "--output", "slices.h5", "--resume")
        np.testing.assert_array_equal(volume()[: len(part)], part)
        self.assertEqual(len(volume()), 40 * ROWS)


if __name__ == "__main__":
    unittest.main()
