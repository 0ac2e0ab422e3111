# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomo-reconstruct by iterations: what they begin with, what they leave, and what they tell meanwhile."""

import json
import subprocess

import tifffile
from drivertest import Driver
from phantom_scan import AXIS, ROWS, VIEWS, WIDTH, Scan
from pipetest import *
from test_reconstruct import ReconstructTestCase, volume
from test_reconstruct_geometry import CONE, METRES, turn, write
from test_reconstruct_report import Page

SIRT = ["--method", "sirt", "--subsets", 5]


class Given(ReconstructTestCase):
    """Slices to begin with, and masks."""

    def words(self, iterations, *more):
        return ["scan.nxs", "--axis", AXIS, *SIRT, "--num-iterations", iterations, *more]

    def store(self, name, array):
        with h5py.File(name, "w") as file:
            file["some/slices"] = array
        return f"{name}:/some/slices"

    def test_an_earlier_result(self):
        """Iterations go on where they ended: of all slices, of rows alone, in slabs, of the middle slice."""
        Scan().nxtomo("scan.nxs")
        self.done(*self.words(2), "--output", "before.h5")
        before = volume("before.h5")
        whole = self.slices(*self.words(5))
        begin = ["--initial", "before.h5:/entry/data/data"]
        np.testing.assert_array_equal(self.slices(*self.words(3), *begin), whole)
        rows = self.slices(*self.words(3, "--y", 3, "--height", 6, "--y-step", 2), *begin)
        self.assert_same(rows, whole[3:9:2])
        self.assert_same(self.slices(*self.words(3, "--slice", "middle"), *begin), whole[[ROWS // 2]])
        part = self.store("part.h5", before[3:9])
        self.assert_same(self.slices(*self.words(3, "--y", 3, "--height", 6), "--initial", part), whole[3:9])
        # Whole projections, in three slabs, each of which reads its own slices.
        slabs = self.words(3, "--outliers", 1e6, "--memory", 5 * 2 * 4 * WIDTH * VIEWS)
        script = self.done(*slabs, *begin, "--dry-run").stdout
        for first in (0, 5, 10):
            self.assertRegex(script, f"name=initial path=before.h5:/entry/data/data image-start={first} number={5 if first < 10 else 2} !")
        self.assert_same(self.slices(*slabs, *begin), self.slices(*self.words(5, "--outliers", 1e6)))
        subprocess.run(["bash", "-c", self.done(*self.words(3), *begin, "--dry-run", "--output", "lines.h5").stdout], check=True,
                       capture_output=True, timeout=PATIENCE)
        np.testing.assert_array_equal(volume("lines.h5"), whole)
        plan = json.loads(self.done(*self.words(3), *begin, "--dry-run", "--json").stdout)
        nodes = {node["name"]: node for node in plan["slabs"][0]["graph"]["nodes"]}
        self.assertEqual((nodes["initial"]["plugin"], nodes["initial"]["properties"]["path"]), ("read", "before.h5:/entry/data/data"))
        # Of a single slice, and of each value of a sweep.
        tifffile.imwrite("one.tif", before[4])
        self.assert_same(self.slices(*self.words(3, "--y", 4, "--height", 1), "--initial", "one.tif"), whole[[4]])
        swept = self.slices(*self.words(3, "--sweep", "num-iterations=1,3"), *begin)
        self.assert_same(swept[1], whole[ROWS // 2])

    def test_masks(self):
        """Where a mask is 0, slices stay; one of them serves for all, and one that is cropped leaves the rest free."""
        Scan().nxtomo("scan.nxs")
        rng = np.random.default_rng(SEED)
        start = rng.uniform(0, 0.01, (ROWS, WIDTH, WIDTH)).astype(np.float32)
        mask = rng.integers(0, 2, (ROWS, WIDTH, WIDTH)).astype(np.uint8)
        begin = ["--initial", self.store("start.h5", start)]
        slices = self.slices(*self.words(3), *begin, "--mask", self.store("mask.h5", mask))
        np.testing.assert_array_equal(slices[mask == 0], start[mask == 0])
        self.assertGreater(np.mean(slices[mask != 0] != start[mask != 0]), 0.99)
        one = self.slices(*self.words(3), *begin, "--mask", self.store("one.h5", mask[0]))
        np.testing.assert_array_equal(one[:, mask[0] == 0], start[:, mask[0] == 0])
        crop = ["--crop-width", 50]
        edge, cut = (WIDTH - 50) // 2, np.ones((WIDTH, WIDTH), np.uint8)
        cut[edge:edge + 50, edge:edge + 50] = mask[0, :50, :50]
        cropped = self.slices(*self.words(3), *begin, *crop, "--mask", self.store("cropped.h5", mask[0, :50, :50]))
        whole = self.slices(*self.words(3), *begin, "--mask", self.store("cut.h5", cut))
        np.testing.assert_array_equal(cropped, whole[:, edge:edge + 50, edge:edge + 50])
        # Beside a start that is cropped, pixels begin as usual: multiplications would leave zeros.
        mlem = ["scan.nxs", "--axis", AXIS, "--method", "mlem", "--num-iterations", 2]
        part = np.full((50, 50), 0.5, np.float32)
        padded = np.ones((WIDTH, WIDTH), np.float32)
        padded[edge:edge + 50, edge:edge + 50] = part
        np.testing.assert_array_equal(self.slices(*mlem, *crop, "--initial", self.store("part.h5", part)),
                                      self.slices(*mlem, *crop, "--initial", self.store("padded.h5", padded)))

    def test_in_a_cone_beam(self):
        """Slices beside those that are asked for begin as usual; with a mask of zeros nothing changes."""
        spheres, rows, axis = ((6, 2, 0, 7, 0.03), (-8, -6, 3, 5, 0.02)), 24, 20.3
        write("scan.nxs", {**CONE, "center-position-x": axis, "center-position-z": rows / 2}, turn(30), (rows, 40), spheres, **METRES)
        words = ["scan.nxs", "--axis", axis, "--method", "sirt", "--num-iterations"]
        fdk = self.slices("scan.nxs", "--axis", axis)
        begin = ["--initial", self.store("fdk.h5", fdk)]
        nothing = ["--mask", self.store("nothing.h5", np.zeros(fdk.shape[1:], np.float32))]
        np.testing.assert_array_equal(self.slices(*words, 2, *begin, *nothing), fdk)
        part = ["--y", 9, "--height", 5, "--crop-width", 20]
        np.testing.assert_array_equal(self.slices(*words, 2, *part, *begin, *nothing), fdk[9:14, 10:30, 10:30])
        near, far = self.slices(*words, 4, *begin), self.slices(*words, 4)
        truth = self.slices(*words, 60)
        self.assertLess(np.linalg.norm(near - truth), 0.6 * np.linalg.norm(far - truth))
        # In laminography the region is all that there is.
        write("scan.nxs", {"center-position-x": axis, "center-position-z": rows / 2}, turn(30, 180.0), (rows, 40), spheres)
        words = ["scan.nxs", "--axis", axis, "--axis-angle-x", 20, "--region=-5,5,1", "--method", "sirt", "--num-iterations"]
        self.done(*words, 2, "--output", "before.h5")
        np.testing.assert_array_equal(self.slices(*words, 3, "--initial", "before.h5:/entry/data/data"),
                                      self.slices(*words, 5))

    def test_what_does_not_fit(self):
        Scan().nxtomo("scan.nxs")
        for name, shape, wanted in (("few.h5", (ROWS - 1, WIDTH, WIDTH), f"wanted one image for all slices, or {ROWS}"),
                                    ("wide.h5", (ROWS, WIDTH, WIDTH + 1), f"of {WIDTH} x {WIDTH} real numbers")):
            for option in ("initial", "mask"):
                self.refused(1, [f"{option}=", name, wanted], *self.words(2), f"--{option}", self.store(name, np.zeros(shape, np.float32)),
                             "--output", "x.h5")
        self.refused(1, ["real numbers"], *self.words(2), "--initial", self.store("complex.h5", np.zeros((WIDTH, WIDTH), np.complex64)),
                     "--output", "x.h5")
        self.refused(1, ["missing.h5"], *self.words(2), "--mask", "missing.h5:/x", "--output", "x.h5")
        for option in ("initial", "mask"):
            self.refused(2, [option, "iterations: method=sirt"], "scan.nxs", "--axis", AXIS, f"--{option}", "one.tif", "--output", "x.h5")
        self.assertEqual(os.path.exists("x.h5"), False)


class Told(ReconstructTestCase):
    """What a run tells of its iterations, and slices amid these."""

    def cone(self, rows=24, width=40):
        axis = width / 2 + 0.3
        spheres = ((6, 2, 0, 7, 0.03), (-8, -6, 3, 5, 0.02))
        write("scan.nxs", {**CONE, "center-position-x": axis, "center-position-z": rows / 2}, turn(30), (rows, width), spheres, **METRES)
        return ["scan.nxs", "--axis", axis]

    def test_residuals(self):
        """Those of all slices as results, in a note and in the report."""
        Scan().nxtomo("scan.nxs")
        with Driver(self, "scan.nxs", "--axis", AXIS, *SIRT, "--num-iterations", 4, "--y", 2, "--output", "slices.h5") as driver:
            driver.end()
        results = {event["image"]: event for event in driver.events if event["event"] == "result"}
        self.assertEqual(sorted(results), list(range(ROWS - 2)))
        for event in results.values():
            self.assertEqual((event["name"], event["unit"], event["iterations"], len(event["residuals"])), ("residual", "", 4, 4))
            self.assertEqual(event["value"], event["residuals"][-1])
            self.assertGreater(event["seconds"], 0)
            self.assertEqual(event["residuals"], sorted(event["residuals"], reverse=True))
        first, last = (np.mean([event["residuals"][i] for event in results.values()]) for i in (0, -1))
        note = next(e["text"] for e in driver.events if e["event"] == "message" and "residual" in e["text"])
        self.assertIn(f"sirt: the residual |b - A x| / |b| came from {first:.4g} to {last:.4g} in 4 iterations (means of 10 slices", note)
        page = Page("slices.h5.html")
        section = page.sections["iterations"]
        for number in (first, last):
            self.assertIn(f"{number:.4g}", section)
        self.assertIn("sirt", section)
        self.assertIn("All iterations", section)
        line = page.source[page.source.index("Residual against the iteration"):].partition("</svg>")[0]
        self.assertEqual(line.count("<polyline"), 3)  # the mean, the least and the largest
        self.done("scan.nxs", "--axis", AXIS, "--output", "fbp.h5")
        self.assertNotIn("iterations", Page("fbp.h5.html").sections)

    def test_a_sweep_of_methods(self):
        Scan().nxtomo("scan.nxs")
        self.done("scan.nxs", "--axis", AXIS, "--sweep", "method=sirt,fbp,cgls,sart", "--num-iterations", 3, "--output", "sweep.h5")
        page = Page("sweep.h5.html")
        section = page.sections["iterations"]
        for method in ("sirt", "cgls", "sart"):
            self.assertIn(f"method={method}", section)
        self.assertNotIn("method=fbp", section)
        self.assertEqual(page.source.count('<polyline class="series'), 3)

    def test_in_a_cone_beam(self):
        with Driver(self, *self.cone(), *SIRT, "--num-iterations", 3, "--output", "slices.h5") as driver:
            driver.end()
        results = [event for event in driver.events if event["event"] == "result"]
        self.assertEqual([(event["name"], event["iterations"], "image" in event) for event in results], [("residual", 3, False)])

    def test_divergence(self):
        """Too much relaxation is told while iterations go on, and by the note at the end."""
        with Driver(self, *self.cone(), "--method", "sirt", "--relaxation-factor", 3, "--num-iterations", 100000,
                    "--output", "slices.h5") as driver:
            told = driver.until("message", lambda e: e["level"] == "warning" and "grew" in e["text"])
            driver.tell({"command": "abort"})
            driver.end()
        self.assertRegex(told["text"], "residual of volume 0 grew .*relaxation")
        for words in (self.cone(), None):
            if words is None:
                Scan().nxtomo("scan.nxs")
                words = ["scan.nxs", "--axis", AXIS]
            result = self.done(*words, "--method", "sirt", "--relaxation-factor", 3, "--num-iterations", 12, "--output", "x.h5", "--overwrite")
            self.assertEqual(result.stderr.count("grew"), 1, result.stderr)
        # What begins well and ends smooth is none.
        begin = ["--initial", "cgls.h5:/entry/data/data"]
        self.done(*words, "--method", "cgls", "--num-iterations", 20, "--output", "cgls.h5")
        result = self.done(*words, "--method", "fista", "--num-iterations", 20, "--lambda", 0.01, *begin, "--output", "fista.h5")
        self.assertNotIn("grew", result.stderr)

    def check_amid(self, words, rows, width):
        """The iterate comes, and is that of so many iterations."""
        with Driver(self, *words, "--num-iterations", 100000, "--output", "slices.h5") as driver:
            progress = driver.until("progress", lambda e: e.get("iteration", 0) > 1)
            self.assertEqual((progress["stage"], progress["total"], progress["iterations"]), ("reconstruct", rows, 100000))
            self.assertGreater(progress["seconds-left"], 0)
            self.assertTrue(0 < progress["residual"] < 1.5)
            later = driver.until("progress", lambda e: e.get("iteration", 0) > progress["iteration"])
            self.assertLess(later["residual"], 1.001 * progress["residual"])
            driver.tell({"command": "preview", "path": "amid.npy"})
            preview = driver.until("preview", lambda e: "iteration" in e)
            driver.tell({"command": "preview", "path": "amid.npy"})
            preview = driver.until("preview")
            driver.tell({"command": "abort"})
            done, _ = driver.end()
        self.assertEqual(done["status"], "aborted")
        self.assertEqual((preview["iterations"], preview["shape"], preview["slice"] < rows), (100000, [width, width], True))
        self.assertGreater(preview["iteration"], later["iteration"])
        image = np.load("amid.npy")
        wanted = self.slices(*words, "--num-iterations", preview["iteration"])[preview["slice"]]
        self.assertLess(np.abs(image - wanted).max(), 1e-4 * np.abs(wanted).max())

    def test_previews(self):
        self.check_amid([*self.cone(), *SIRT, "--crop-width", 30, "--y", 5, "--height", 9], 9, 30)

    def test_previews_in_a_parallel_beam(self):
        """Several turns have no middle slice ahead of the others."""
        Scan(views=2 * VIEWS, turn=2 * np.pi).nxtomo("scan.nxs")
        self.check_amid(["scan.nxs", "--axis", AXIS, *SIRT, "--crop-width", 60, "--turns", "all", "--turn-degrees", 180], 2 * ROWS, 60)


if __name__ == "__main__":
    main()
