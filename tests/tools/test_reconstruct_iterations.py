# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomo-reconstruct by iterations: what they begin with, what they leave, and what they tell meanwhile."""

import json
import subprocess

import tifffile
from phantom_scan import AXIS, ROWS, VIEWS, WIDTH, Scan
from pipetest import *
from test_reconstruct import ReconstructTestCase, volume
from test_reconstruct_geometry import METRES, CONE, turn, write

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


if __name__ == "__main__":
    main()
