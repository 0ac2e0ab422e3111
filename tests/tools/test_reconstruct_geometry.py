# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomo-reconstruct: cone and fan beams, laminography and other arrangements, against exact projections of spheres."""

import json
import os
import subprocess

import generalref
import scan_files
import tifffile
import tomoref
from pipetest import *
from test_reconstruct import ReconstructTestCase, volume
from zarr_files import read_json

WIDTH, ROWS, VIEWS, AXIS = 64, 40, 90, 31.3
SOURCE, DETECTOR, PIXEL = 200.0, 50.0, 1e-4  # pixels, pixels, metres on the detector
MAGNIFICATION = (SOURCE + DETECTOR) / SOURCE
SPHERES = ((10, 4, 0, 8, 0.03), (-8, -12, 6, 7, 0.02), (-9, 11, -7, 6, 0.01))
DARK, BEAM = 100.0, 60000.0
CONE = {"source-position-y": -SOURCE, "detector-position-y": DETECTOR, "center-position-x": AXIS, "center-position-z": ROWS / 2}
METRES = {"instrument__source__distance": (-SOURCE * PIXEL, "m"), "instrument__detector__distance": (DETECTOR * PIXEL, "m"),
          "instrument__detector__x_pixel_size": (PIXEL, "m"), "instrument__detector__y_pixel_size": (PIXEL, "m")}


def turn(views=VIEWS, degrees=360.0):
    return np.arange(views) * np.deg2rad(degrees) / views


def write(path, geometry, angles=None, shape=(ROWS, WIDTH), spheres=SPHERES, angles_in_file=True, **facts):
    """A scan of spheres in counts; returns the line integrals."""
    angles = turn() if angles is None else angles
    geometry = {"axis-angle-z": angles, **geometry}
    attenuation = generalref.project(spheres, geometry, shape, len(angles))
    dark = np.full((1, *shape), DARK)
    data = np.rint(np.concatenate([dark, dark + BEAM, DARK + BEAM * np.exp(-attenuation)])).astype(np.uint16)
    with h5py.File(path, "w") as file:
        scan_files.nxtomo(file, data, [2, 1] + [0] * len(angles),
                          np.concatenate([[0, 0], np.rad2deg(angles)]) if angles_in_file else None, **facts)
    return attenuation


class Arrangements(ReconstructTestCase):
    def words(self, *more):
        return ["scan.nxs", "--axis", AXIS, *more]

    def check_spheres(self, slices, tolerance=0.01, axis=AXIS, rows=ROWS, spheres=SPHERES, first=0.0, step=1.0):
        """Means well within the spheres, with rows of slices against the beam as tomobackproject has them."""
        z, y, x = np.mgrid[: slices.shape[0], : slices.shape[1], : slices.shape[2]] + 0.5
        x, y, z = x - axis, axis - y, (z - 0.5) * step + first + 0.5 - rows / 2
        for *middle, radius, value in spheres:
            inside = sum((a - b) ** 2 for a, b in zip((x, y, z), middle)) < (radius - 2) ** 2
            self.assertGreater(inside.sum(), 0)
            self.assertLess(abs(slices[inside].mean() - value), tolerance * max(s[-1] for s in spheres),
                            f"sphere of {value}: {slices[inside].mean()} (seed {SEED})")

    def run_lines(self, *words):
        """The same by the printed lines."""
        script = self.done(*words, "--dry-run", "--output", "lines.h5").stdout
        subprocess.run(["bash", "-c", script], check=True, capture_output=True, timeout=PATIENCE)
        return volume("lines.h5")


class ConeBeam(Arrangements):
    def test_scan_in_metres(self):
        """Distances of the file make it a cone, whose slices, at their scale, are those of the printed line."""
        write("scan.nxs", CONE, **METRES)
        self.assertIn("1.25 times larger", self.done("info", "scan.nxs").stdout)
        slices = self.slices(*self.words())
        self.check_spheres(slices)
        told = self.done(*self.words("--output", "named.ome.zarr")) and read_json("named.ome.zarr", ".zattrs")
        scale = told["multiscales"][0]["datasets"][0]["coordinateTransformations"][0]["scale"]
        np.testing.assert_allclose(scale, [PIXEL / MAGNIFICATION] * 3, rtol=1e-6)
        np.testing.assert_array_equal(self.run_lines(*self.words()), slices)
        # Coordinates are those of the detector's edges, as it sees a voxel at the axis; y grows against the beam.
        self.done(*self.words("--x-region=-9,0,1", "--y-region=7,-3,-1", "--region=-6.5,-1.6,1", "--output", "part.h5"))
        with h5py.File("part.h5") as file:
            for name, first, count in (("x", AXIS - 9, 9), ("y", AXIS - 7, 10), ("z", ROWS / 2 - 6.5, 5)):
                np.testing.assert_allclose(file[f"entry/data/{name}"][()], (first + np.arange(count)) * PIXEL / MAGNIFICATION, rtol=1e-5)
        # The numbers of a file, and given ones.
        with h5py.File("scan.nxs", "a") as file:
            for name in ("source", "detector/distance", "detector/x_pixel_size", "detector/y_pixel_size"):
                del file[f"entry/instrument/{name}"]
        metres = ["--source-distance", SOURCE * PIXEL, "--propagation-distance", DETECTOR * PIXEL, "--pixel-size", PIXEL]
        pixels = ["--source-position-y", -SOURCE, "--detector-position-y", DETECTOR]
        for words in metres, pixels, ["--geometry", "cone", *metres]:
            self.assert_same(self.slices(*self.words(*words)), slices)
        self.refused(1, ["geometry is cone", "--source-distance", "--propagation-distance", "--pixel-size"],
                     *self.words("--geometry", "cone", "--output", "x.h5"))
        self.refused(1, ["source 0.02 m", "size of a pixel"],
                     *self.words(*metres[:4], "--output", "x.h5"))

    def test_scanner(self):
        """From the file of a laboratory scanner, which tells distances, angles and the beam, and from nothing else."""
        attenuation = generalref.project(SPHERES, {"axis-angle-z": turn(), **CONE}, (ROWS, WIDTH), VIEWS)
        for i, image in enumerate(BEAM * np.exp(-attenuation)):
            tifffile.imwrite(f"part_{i + 1:04d}.tif", np.rint(image).astype(np.uint16))
        millimetres = 1e3 * PIXEL
        with open("part.xtekct", "w") as file:
            file.write(f"[XTekCT]\nName=part\nInputSeparator=_\nSrcToObject={SOURCE * millimetres}\n"
                       f"SrcToDetector={(SOURCE + DETECTOR) * millimetres}\nDetectorPixelSizeX={millimetres}\n"
                       f"WhiteLevel={BEAM}\nProjections={VIEWS}\nInitialAngle=0\nAngularStep={360 / VIEWS}\n")
        self.done("part.xtekct", "--output", "part.h5")
        self.check_spheres(volume("part.h5"), 0.02)

    def test_slabs(self):
        """Parts of the volume read the rows that see them, and join to the same slices; so do parts that go on."""
        write("scan.nxs", CONE, **METRES)
        whole = self.slices(*self.words())
        words = self.words("--memory", 9 * 4 * WIDTH**2)
        plan = json.loads(self.done(*words, "--dry-run", "--json").stdout)
        self.assertEqual([slab["images"] for slab in plan["slabs"]], [9, 9, 9, 9, 4])
        self.assertLess(plan["slabs"][0]["rows"], ROWS / 2)
        parts = self.slices(*words)
        np.testing.assert_array_equal(parts, whole)
        np.testing.assert_array_equal(self.run_lines(*words), parts)
        for region in (["--y", 13, "--height", 5], ["--region=-6.5,-1.6,1"]):
            self.assert_same(self.slices(*self.words(*region)), whole[13:18])
        self.assert_same(self.slices(*self.words("--y-step", 3)), whole[::3])
        self.assert_same(self.slices(*self.words("--slice", "middle")), whole[20:21])
        self.assert_same(self.slices(*self.words("--crop-width", 30)), whole[:, 17:47, 17:47])
        # Interrupted behind the second slab.
        self.done(*words, "--output", "again.h5")
        os.makedirs("rest.h5.slabs")
        lines = [slab["line"].replace(plan["folder"], "rest.h5.slabs") for slab in plan["slabs"]]
        with open("rest.h5.slabs/lines.txt", "w") as file:
            file.writelines(line + "\n" for line in lines)
        for line in lines[:2]:
            subprocess.run(["bash", "-c", "gst-launch-1.0 -q " + line], check=True, capture_output=True, timeout=PATIENCE)
        times = {name: os.stat(os.path.join("rest.h5.slabs", name)).st_mtime_ns for name in os.listdir("rest.h5.slabs") if name.endswith(".h5")}
        self.assertEqual(len(times), 2)
        told = self.done(*words, "--resume", "--output", "rest.h5", "--progress", "json").stdout
        self.assertNotIn('"error"', told)
        np.testing.assert_array_equal(volume("rest.h5"), parts)
        self.refused(1, ["memory=", "too small"], *self.words("--memory", 1000, "--output", "x.h5"))

    def test_preview(self):
        """The middle slice by itself, and the row that shows it in the report."""
        write("scan.nxs", CONE, **METRES)
        from gsttomo.reconstruction import Preview, reconstruct, run

        images = [event for event in run("scan.nxs", axis=AXIS, preview=0.001) if isinstance(event, Preview)]
        self.assertTrue(images)
        whole = reconstruct("scan.nxs", axis=AXIS)
        self.assert_close(np.asarray(images[0].image), np.asarray(whole)[images[0].number], 1e-5)
        self.slices(*self.words())
        with open("slices.h5.html") as file:
            page = file.read()
        self.assertIn("200 pixels before the axis", page)
        self.assertIn("Row 20 of the detector", page)

    def test_told(self):
        """A detector that nothing places, a turn that nothing tells, and no tilt where none was looked for; by --dry-run as well."""
        write("scan.nxs", CONE, angles_in_file=False)
        words = ["scan.nxs", f"--source-position-y={-SOURCE}"]
        told = self.done(*words, "--axis", AXIS, "--dry-run")
        self.assertIn("a whole turn over all 90 projections is assumed", told.stderr)
        self.assertIn("warning: ", told.stderr)
        self.assertIn("detector counts as at the axis; --detector-position-y", told.stderr)
        self.assertNotIn("warning", told.stdout)
        result = self.done(*words, "--detector-position-y", DETECTOR, "--output", "found.h5")
        self.assertNotIn("counts as at the axis", result.stderr)
        self.check_spheres(volume("found.h5"), 0.02)  # which half a turn would not show
        with open("found.h5.html") as file:
            page = file.read()
        self.assertIn("Estimate at the middle row", page)
        self.assertNotIn("0.000 \u00b1 0.000", page)

    def test_cleaning(self):
        """Steps of projections and of sinograms are in the line before the weights."""
        write("scan.nxs", CONE, **METRES)
        words = self.words("--rings", "sorting", "--rings-size", 5, "--outliers", 0.5, "--beam-hardening", "1,0.0")
        line = self.done(*words, "--dry-run").stdout
        names = ("flat", "outliers", "transpose", "rings", "absorption", "beam-hardening", "transpose-back", "cone-weight", "filter", "backproject")
        places = [line.index(f"name={name} ") for name in names]
        self.assertEqual(places, sorted(places))
        self.check_spheres(self.slices(*words), 0.03)
        self.assert_same(self.slices(*words, "--memory", 900000), self.slices(*words))
        binned = self.slices(*self.words("--binning", 2))
        self.assertEqual(binned.shape, (ROWS // 2, WIDTH // 2, WIDTH // 2))
        self.check_spheres(binned / 2, 0.03, AXIS / 2, ROWS // 2, [(x / 2, y / 2, z / 2, r / 2, v) for x, y, z, r, v in SPHERES])
        circled = self.slices(*self.words("--circle"))
        self.assertEqual(np.count_nonzero(circled[20, :8, :8]), 0)
        self.check_spheres(circled)

    def test_redundant_rays(self):
        """A part of a turn, and an axis to one side, are weighted, and that is said."""
        fan = np.rad2deg(np.arctan(33 / (SOURCE + DETECTOR)))
        write("scan.nxs", CONE, turn(100, 182 + 2 * fan), **METRES)
        result = self.done("scan.nxs", "--output", "short.h5")
        self.assertIn("Parker", result.stderr)
        self.assertRegex(result.stdout + result.stderr, r"axis 31\.[23]")
        self.check_spheres(volume("short.h5"), 0.03)
        unweighted = self.slices(*self.words("--redundancy-weight", "none"))
        self.assertGreater(abs(unweighted - volume("short.h5")).max(), 0.003)
        self.refused(1, "full turn", *self.words("--redundancy-weight", "offset", "--output", "x.h5"))
        beside = {**CONE, "center-position-x": 12.3}
        write("scan.nxs", beside, turn(180), **METRES)
        result = self.done("scan.nxs", "--output", "beside.h5")
        self.assertIn("Wang", result.stderr)
        self.assertIn("axis 12.3", result.stdout + result.stderr)
        slices = volume("beside.h5")
        self.assertEqual(slices.shape, (ROWS, 104, 104))
        self.check_spheres(slices, 0.03, 12.3 + 40)

    def test_fan_beam(self):
        """One row, one slice."""
        discs = [(12, 4, 0, 9, 0.03), (-14, -8, 0, 7, 0.02)]
        write("scan.nxs", {**CONE, "center-position-z": 0.5}, shape=(1, WIDTH), spheres=discs, **METRES)
        slices = self.slices(*self.words())
        self.assertEqual(slices.shape, (1, WIDTH, WIDTH))
        self.check_spheres(slices, 0.03, rows=1, spheres=discs)
        iterated = self.slices(*self.words("--method", "sirt", "--slice", "middle", "--num-iterations", 30))
        self.check_spheres(iterated, 0.1, rows=1, spheres=discs)

    def test_iterations(self):
        spheres, rows, axis = ((6, 2, 0, 7, 0.03), (-8, -6, 3, 5, 0.02)), 24, 20.3
        write("scan.nxs", {**CONE, "center-position-x": axis, "center-position-z": rows / 2}, turn(30), (rows, 40), spheres, **METRES)
        words = ["scan.nxs", "--axis", axis, "--method"]
        for method in (["cgls", "--num-iterations", 6], ["sart", "--num-iterations", 4], ["mlem", "--subsets", 5, "--num-iterations", 5],
                       ["fista", "--subsets", 5, "--num-iterations", 2, "--lambda", 1e-4, "--slice-minimum", 0]):
            self.check_spheres(self.slices(*words, *method), 0.1, axis, rows, spheres)  # a wrong unit of length is 25 % off
        self.assertIn("minimum=0", self.done(*words, "asdpocs", "--dry-run").stdout)
        self.refused(1, ["memory=", "too small"], *words, "cgls", "--memory", "500K", "--output", "x.h5")

    def test_room_for_iterations_on_a_device(self):
        """The memory of the device is known before the disk is judged: no slabs are expected that are never made."""
        write("scan.nxs", CONE, **METRES)
        disk = os.statvfs(".")
        side = int((0.7 * disk.f_bavail * disk.f_frsize / 4) ** (1 / 3))  # slabs would be as much again
        region = f"-{side / 2},{side / 2},1"
        words = ["info", *self.words("--json", "--method", "sirt", "--memory", "64M", f"--x-region={region}", f"--y-region={region}",
                                     f"--region={region}", "--detector-position-y", 4 * side, "--source-position-y", -4 * side)]
        found = {discrete: [one["name"] for one in json.loads(self.done(*words, env={**os.environ, "GST_TOMO_TEST_DISCRETE": discrete}).stdout)["findings"]]
                 for discrete in "01"}
        self.assertIn("disk", found["0"])
        self.assertNotIn("disk", found["1"])

    def test_iterations_of_a_part(self):
        """What lies beside the slices that are asked for is made with them, as rays pass it, and does not come out."""
        spheres, rows, width, axis = ((5, 2, 0, 4, 0.03), (-6, -4, -8, 4, 0.02), (6, 5, 9, 4, 0.02)), 32, 36, 17.6
        write("scan.nxs", {**CONE, "center-position-x": axis, "center-position-z": rows / 2}, turn(40), (rows, width), spheres, **METRES)
        words = ["scan.nxs", "--axis", axis, "--method", "cgls", "--num-iterations", 8]
        whole = self.slices(*words)
        self.assertEqual(whole.shape, (rows, width, width))
        part = self.slices(*words, "--y", 13, "--height", 6)
        self.assertEqual(part.shape, (6, width, width))
        self.assertLess(abs(part - whole[13:19]).max(), 0.1 * whole.max())  # an object cut off piles up to a multiple of it
        self.assertLess(abs(part[0] - whole[13]).max(), 0.1 * whole.max())
        line = self.done(*words, "--y", 13, "--height", 6, "--dry-run").stdout
        self.assertIn("slices-before=", line)
        self.assertRegex(line, r"height=[12]\d ")  # of 32 rows
        self.assert_same(self.slices(*words, "--crop-width", 20), whole[:, 8:28, 8:28])
        self.assert_same(self.slices(*words, "--x-region=-9.1,0.4,1", "--y-region=7.1,-2.4,-1"), whole[:, 10:20, 8:18])
        self.refused(1, ["y and height", "region=FROM,TO,STEP"], *words, "--axis-angle-x", 20, "--y", 3, "--output", "x.h5")

    def test_iterations_with_the_axis_to_one_side(self):
        spheres, rows, axis = ((14, 3, 0, 6, 0.03), (-12, -9, 1, 5, 0.02)), 20, 8.4
        write("scan.nxs", {**CONE, "center-position-x": axis, "center-position-z": rows / 2}, turn(72), (rows, 36), spheres, **METRES)
        words = ["scan.nxs", "--axis", axis]
        filtered = self.slices(*words)
        result = self.done(*words, "--method", "sirt", "--num-iterations", 40, "--output", "sirt.h5")
        self.assertIn("slices are wider", result.stderr)
        self.assertNotIn("Wang", result.stderr)
        iterated = volume("sirt.h5")
        self.assertEqual(iterated.shape, filtered.shape)
        self.assertGreater(iterated.shape[2], 50)
        self.check_spheres(iterated, 0.1, axis + (iterated.shape[2] - 36), rows, spheres)

    def test_axis(self):
        """Found by rays from both sides or by the sharpness of slices, swept, and not by views that do not mirror each other."""
        write("scan.nxs", CONE, **METRES)
        found = json.loads(self.done("estimate", "scan.nxs", "--json").stdout)
        self.assertEqual(found["method"], "correlation")
        self.assertAlmostEqual(found["axis"], AXIS, delta=0.03)
        self.assertLess(found["uncertainty"], 0.05)
        self.assertGreater(len(found["curve"]["axis-px"]), 5)
        self.check_spheres(self.slices("scan.nxs"), 0.02)
        with h5py.File("scan.nxs", "a") as file:
            file["entry/instrument/detector/x_rotation_axis_pixel_position"] = 34.0
        self.assertIn("tells an axis at 34.50, but its views say 31.3", self.done("scan.nxs", "--output", "told.h5").stderr)
        sharp = ["estimate", "scan.nxs", "--json", "--axis-method", "sharpness"]
        for words in sharp, [*sharp, "--axis-range", "28:36"]:
            found = json.loads(self.done(*words).stdout)
            self.assertEqual(found["method"], "sharpness")
            self.assertAlmostEqual(found["axis"], AXIS, delta=0.2)
        self.refused(1, ["not found", "at an end"], *sharp, "--axis-range", "36:40")
        self.refused(1, ["not found", "both sides"], *sharp[:2], "--axis-method", "correlation", "--axis-range", "50:55")
        self.refused(2, ["axis-rows=3", "one row"], "scan.nxs", "--axis-rows", 3, "--output", "x.h5")
        self.refused(2, ["spectrum", "sharpness"], "estimate", "scan.nxs", "--axis-method", "spectrum")
        result = self.done("sweep", "scan.nxs", "--parameter", "axis=29.8:32.8:0.5", "--output", "sweep.h5")
        self.assertIn("axis = 31.3 px is the sharpest", result.stderr)
        swept = volume("sweep.h5")
        self.assertEqual(swept.shape, (7, WIDTH, WIDTH))
        self.assert_same(swept[3:4], self.slices(*self.words("--slice", "middle")))
        # Another number of the geometry.
        swept = self.slices("sweep", *self.words("--parameter", "source-distance=0.019,0.02,0.021"))
        self.assert_same(swept[1:2], self.slices(*self.words("--slice", "middle")))
        self.assertGreater(abs(swept[0] - swept[1]).max(), 1e-4)

    def test_numbers_of_each_projection(self):
        """Positions and angles may differ from projection to projection."""
        angles = turn() + rng.uniform(-0.02, 0.02, VIEWS)
        moved = {**CONE, "detector-position-x": rng.uniform(-2, 2, VIEWS), "center-position-x": AXIS + rng.uniform(-2, 2, VIEWS)}
        write("scan.nxs", moved, angles, angles_in_file=False, **METRES)
        listed = lambda values: ",".join(f"{v:.9g}" for v in values)
        words = ["scan.nxs", "--axis-angle-z", listed(np.rad2deg(angles)), "--detector-position-x=" + listed(moved["detector-position-x"]),
                 "--center-position-x", listed(moved["center-position-x"])]
        slices = self.slices(*words)
        self.check_spheres(slices, 0.03, moved["center-position-x"][0])
        some = self.slices(*words, "--step", 2)  # of all projections, as angles are
        self.check_spheres(some, 0.05, moved["center-position-x"][0])
        # Of the sample, as a stage tells them.
        moves = rng.integers(-3, 4, (2, VIEWS))
        write("scan.nxs", {**CONE, "center-position-x": AXIS + moves[0], "center-position-z": ROWS / 2 + moves[1]}, **METRES)
        np.savetxt("moves.txt", moves.T)
        moved = self.slices(*self.words("--shifts", "moves.txt"))
        self.check_spheres(moved)
        self.assert_same(self.slices(*self.words("--shifts", "moves.txt", "--memory", 14 * 4 * WIDTH**2)), moved)
        self.refused(1, ["detector-position-x", "3 numbers", str(VIEWS)], "scan.nxs", "--axis", AXIS, "--detector-position-x", "1,2,3",
                     "--output", "x.h5")
        self.refused(1, ["axis-angle-z", "2 numbers"], "scan.nxs", "--axis-angle-z", "1,2", "--output", "x.h5")


class Laminography(Arrangements):
    TILT = 30.0
    GEOMETRY = {"axis-angle-x": np.deg2rad(TILT), "center-position-x": AXIS, "center-position-z": ROWS / 2}
    FLAT = ((10, 4, 1, 7, 0.03), (-8, -9, -2, 6, 0.02))

    def test_tilt(self):
        """As the printed line and a float64 backprojection make it."""
        attenuation = write("scan.nxs", self.GEOMETRY, spheres=self.FLAT)
        words = ["lamino", *self.words("--axis-angle-x", self.TILT, "--x-region=-16,16,1", "--y-region=-14,14,1", "--region=-5,6,1")]
        slices = self.slices(*words)
        self.assertEqual(slices.shape, (11, 28, 32))
        filtered = tomoref.fft_filter(attenuation.reshape(-1, WIDTH), size=256, crop=WIDTH).reshape(attenuation.shape)
        geometry = {**self.GEOMETRY, "axis-angle-z": turn()}
        weights = np.full(VIEWS, np.pi / VIEWS * np.cos(np.deg2rad(self.TILT)))
        reference = generalref.backproject(filtered, geometry, np.arange(-16.0, 16), np.arange(-14.0, 14), np.arange(-5.0, 6), weights)
        self.assert_close(slices, reference, 0.02)
        np.testing.assert_array_equal(self.run_lines(*words), slices)
        self.refused(2, "--axis-angle-x", "lamino", "scan.nxs", "--geometry", "cone")
        # Where auto looks at the tilt alone, and with all columns.
        self.assert_same(self.slices(*words[1:]), slices)
        whole = self.slices(*self.words("--axis-angle-x", self.TILT))
        self.assertEqual(whole.shape, (ROWS, WIDTH, WIDTH))
        ball = whole[16:27, 24:31, 38:45].mean()
        self.assertGreater(ball, 0.015)

    def test_sweep(self):
        """Slices differ by a number of the geometry: by z-parameter in one pass, and by sweep."""
        write("scan.nxs", self.GEOMETRY, spheres=self.FLAT)
        words = self.words("--z-parameter", "axis-angle-x", "--region", "26,35,2", "--z", 1)
        tilts = self.slices(*words)
        self.assertEqual(tilts.shape, (5, WIDTH, WIDTH))
        one = self.slices(*self.words("--axis-angle-x", 30, "--z", 1))
        self.assert_same(tilts[2:3], one)
        swept = self.slices("sweep", *self.words("--parameter", "axis-angle-x=28,30,32", "--z", 1))
        self.assert_same(swept[1:2], one)
        named = self.slices("sweep", *self.words("--geometry", "lamino", "--parameter", "axis-angle-x=28:32:2", "--z", 1))
        self.assert_same(named, swept)
        self.refused(2, ["lamino", "axis-angle-x"], "sweep", *self.words("--geometry", "lamino", "--parameter", "offset=0,1", "--output", "x.h5"))
        found = json.loads(self.done("estimate", "scan.nxs", "--axis-angle-x", 30, "--json").stdout)
        self.assertAlmostEqual(found["axis"], AXIS, delta=0.3)
        # Without angles.
        write("bare.nxs", self.GEOMETRY, spheres=self.FLAT, angles_in_file=False)
        result = self.done("lamino", "bare.nxs", "--axis", AXIS, "--axis-angle-x", 30, "--z", 1, "--output", "bare.h5")
        self.assertIn("a whole turn over all 90 projections is assumed", result.stderr)
        self.assert_close(volume("bare.h5"), one, 1e-4)

    def test_limit_of_tomography(self):
        """Tilt 0, and a source far away, give the slices of the parallel beam."""
        angles = turn(degrees=180)
        write("scan.nxs", {"center-position-x": AXIS, "center-position-z": ROWS / 2}, angles)
        parallel = self.slices(*self.words("--y", 8, "--height", 6))
        for words, tolerance in ((["--volume-angle-z=0"], 0), (["--x-region=0,-1,1"], 0), (["--geometry", "parallel", "--detector-angle-y=0"], 0),
                                 (["--source-position-y=-1e9", "--redundancy-weight", "none"], 1e-4)):
            with self.subTest(words=words):
                given = self.words("--y", 8, "--height", 6, *words)
                self.assertIn("tomogeneralbackproject", self.done(*given, "--dry-run").stdout)
                self.assert_close(self.slices(*given), parallel, max(tolerance, 2e-5))
        found = json.loads(self.done("estimate", "scan.nxs", "--x-region=0,8,1", "--json").stdout)
        self.assertEqual(found["method"], "correlation+spectrum")
        self.assertAlmostEqual(found["axis"], AXIS, delta=0.1)
        given = self.words("--y", 8, "--height", 6, "--offset", 0.3)
        turned = self.slices(*given)
        self.assert_close(self.slices(*given, "--x-region=0,-1,1"), turned, 2e-5)
        # Steps instead of the scan's angles.
        write("steps.nxs", {"center-position-x": AXIS, "center-position-z": ROWS / 2}, angles, angles_in_file=False)
        for words in (["--overall-angle", 180], ["--angle-step-degrees", 2]):
            for part in ([], ["--start", 3]):
                expected = self.slices("scan.nxs", "--axis", AXIS, "--y", 8, "--height", 6, *part)
                found = self.slices("steps.nxs", "--axis", AXIS, "--y", 8, "--height", 6, *words, *part, "--x-region=0,-1,1")
                self.assert_close(found, expected, 2e-5)

    def test_fault(self):
        write("scan.nxs", self.GEOMETRY, spheres=self.FLAT)
        words = self.words("--output", "x.h5")
        for status, expected, given in (
                (2, ["geometry=lamino", "axis-angle-x"], ["--geometry", "lamino"]),
                (1, ["source-position-y is 5"], ["--source-position-y", 5]),
                (1, ["detector-position-y is -400", "source-position-y=-300"], ["--source-position-y=-300", "--detector-position-y=-400"]),
                (1, ["volume reaches the source", "source-position-y=-20"], ["--source-position-y=-20"]),
                (1, ["x-region is <3, 1, 1>"], ["--x-region", "3,1,1"]),
                (1, ["region is <1, 2>"], ["--region", "1,2"]),
                (1, ["detector-angle-x", "along the beam"], ["--detector-angle-x", 90]),
                (1, ["z-parameter=axis-angle-x", "region=FROM,TO,STEP"], ["--z-parameter", "axis-angle-x"]),
                (1, ["redundancy-weight=short-scan", "across the beam"], ["--axis-angle-x", 30, "--redundancy-weight", "short-scan"]),
                (2, ["axis-angle-x does not take 'abc'"], ["--axis-angle-x", "abc"]),
                (2, ["detector-position-y=5", "parallel"], ["--detector-position-y", 5]),
                (2, ["source-position-y=-300", "parallel"], ["--geometry", "parallel", "--source-position-y=-300"]),
                (2, ["center-position-z=3", "row by row"], ["--center-position-z", 3]),
                (2, ["method=dfi", "sinograms"], ["--axis-angle-x", 30, "--method", "dfi"]),
                (2, ["slice=middle", "whole volume"], ["--axis-angle-x", 30, "--method", "cgls", "--slice", "middle"]),
                (2, ["off-axis=on", "redundancy-weight"], ["--axis-angle-x", 30, "--off-axis", "on"]),
                (2, ["y=3", "region"], ["--region", "0,4,1", "--y", 3]),
                (2, ["axis-range=3:5", "given"], ["--axis-angle-x", 30, "--axis-range", "3:5"]),
                (2, ["circle=true", "x-region"], ["--x-region", "0,4,1", "--circle"]),
                (2, ["shifts=align", "parallel beam"], ["--axis-angle-x", 30, "--shifts", "align"]),
                (2, ["axis-index", "center-position-x"], ["--center-position-x", 31]),
                (2, ["geometry=lamino", "no slices"], ["--geometry", "lamino", "--result", "sinograms"]),
        ):
            with self.subTest(given=given):
                self.refused(status, expected, *words, *given)
                self.assertFalse(os.path.exists("x.h5"))
        self.done("sinos", *self.words("--output", "sinos.h5"))
        self.refused(1, ["sinograms are read", "whole projections"], "--sinograms", "sinos.h5:/entry/data/data", "--axis-angle-x", 30,
                     "--output", "x.h5")


if __name__ == "__main__":
    unittest.main(verbosity=2)
