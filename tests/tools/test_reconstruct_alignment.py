# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomo-reconstruct --shifts align: finds displacements against reprojections."""

import glob
import os

import h5py
import numpy as np
import scan_files
from pipetest import *
from test_reconstruct import ReconstructTestCase, volume

WIDTH, ROWS, AXIS = 95, 41, 48.3
COUNTS, DARK, PIXEL = 8000, 100, 2e-6


class Balls:
    """A sample without symmetry, its views with the noise of counts."""

    def __init__(self, angles):
        self.angles = np.asarray(angles, float)
        place = rng.uniform(-18, 18, (25, 2))
        self.balls = [(0, 0, ROWS / 2, 32, 0.6, 0.008)] + [
            (x, y, rng.uniform(4, ROWS - 4), rng.uniform(3, 8), 1.0, rng.uniform(-0.006, 0.03)) for x, y in place]
        self.x, self.y = (rng.uniform(-3, 3, len(self.angles)) for _ in range(2))

    def transmission(self, x, y):
        rows, columns = np.mgrid[:ROWS, :WIDTH] + 0.5
        sums = np.zeros((len(self.angles), ROWS, WIDTH))
        for ball_x, ball_y, ball_z, radius, flatness, value in self.balls:
            across = columns - (AXIS + ball_x * np.cos(self.angles) + ball_y * np.sin(self.angles) + x)[:, None, None]
            along = rows - (ball_z + y)[:, None, None]
            sums += 2 * value * np.sqrt(np.clip(radius**2 - across**2 - flatness * along**2, 0, None))
        return np.exp(-sums)

    def write(self, path, recorded=None):
        counts = [rng.poisson(COUNTS * image) + DARK for image in (np.ones((20, ROWS, WIDTH)), self.transmission(self.x, self.y))]
        images = np.concatenate([np.full((2, ROWS, WIDTH), DARK), *counts]).astype(np.uint16)
        keys = np.array([2] * 2 + [1] * 20 + [0] * len(self.angles))
        others = np.zeros(22)
        facts = {}
        if recorded is not None:
            x, y = recorded
            facts = {"sample__x_translation": (np.append(others, x * PIXEL), "m"),
                     "sample__y_translation": (np.append(others, -y * PIXEL), "m"),
                     "instrument__detector__x_pixel_size": (PIXEL, "m")}
        with h5py.File(path, "w") as file:
            scan_files.nxtomo(file, images, keys, np.append(others, np.rad2deg(self.angles)), **facts)

    def errors(self, found, views=slice(None)):
        """Root mean squares of x and y, without what moves the whole sample; and the displacements with that."""
        off = (found - np.stack([self.x, self.y], axis=1))[views]
        angles = self.angles[views]
        waves = np.stack([np.ones(len(angles)), np.cos(angles), np.sin(angles)], axis=1)
        place = waves @ np.linalg.lstsq(waves, off[:, 0], rcond=None)[0]
        mean = off[:, 1].mean()
        self.moved_as_a_whole = np.stack([self.x[views] + place, self.y[views] + mean], axis=1)
        return np.std(off[:, 0] - place), np.std(off[:, 1])


class Alignment(ReconstructTestCase):
    def test_displacements_are_found(self):
        """At uneven angles."""
        sample = Balls((np.arange(180) + rng.uniform(-0.4, 0.4, 180)) * np.pi / 180)
        sample.write("moved.nxs")
        words = ["moved.nxs", "--axis", AXIS]
        result = self.done(*words, "--shifts", "align", "--output", "aligned.h5")
        self.assertRegex(result.stderr, r"the last of \d+ steps of the alignment moved projections by 0.00\d+ px")
        self.assertRegex(result.stderr, r"displaced by -\d.* columns and by .* rows, as their reprojections say; 'aligned.h5.shifts'")
        self.assertEqual([name for name in os.listdir() if "shifts-" in name], [])
        errors = sample.errors(np.loadtxt("aligned.h5.shifts"))
        print("found: %.3f px rms of x, %.3f of y" % errors)
        self.assertLess(max(errors), 0.15)
        np.savetxt("true.txt", sample.moved_as_a_whole)
        aligned, best, left = volume("aligned.h5"), self.slices(*words, "--shifts", "true.txt"), self.slices(*words)
        inner = slice(4, ROWS - 4)
        off, of_left = (np.sqrt(np.mean((a - best)[inner] ** 2)) for a in (aligned, left))
        print(f"slices differ from those of true displacements by {off / of_left:.3f} of what they do without")
        self.assertLess(off, of_left / 7)
        # The file is one for --shifts, for a run that goes on, and for the line of the dry run.
        self.assert_same(self.slices(*words, "--shifts", "aligned.h5.shifts"), aligned)
        with open("aligned.h5.conf") as configuration:
            self.assertIn("shifts=aligned.h5.shifts", configuration.read())
        result = self.done(*words, "--shifts", "align", "--output", "aligned.h5", "--resume")
        self.assertNotIn("steps of the alignment", result.stderr)
        line = self.done(*words, "--shifts", "align", "--output", "aligned.h5", "--resume", "--dry-run").stdout
        self.assertIn("shifts=aligned.h5.shifts", line)

    def test_what_the_scan_tells_is_the_begin(self):
        """The other way round, and for every second projection."""
        sample = Balls(np.arange(160) * np.pi / 160)
        sample.write("told.nxs", [rng.uniform(-1, 1, 160) - sample.x, rng.uniform(-1, 1, 160) - sample.y])
        result = self.done("told.nxs", "--axis", AXIS, "--shifts", "align", "--shifts-reverse", "both", "--step", 2,
                           "--align-binning", 1, "--align-iterations", 30, "--height", 3, "--output", "slices/%03i.tif")
        self.assertEqual(len(glob.glob("slices/*.tif")), 3)
        (file,) = glob.glob("slices/*.shifts") or glob.glob("slices*.shifts")
        found = np.loadtxt(file)
        self.assertEqual(found.shape, (160, 2))
        errors = sample.errors(found, slice(None, None, 2))
        print("found with a begin: %.3f px rms of x, %.3f of y" % errors)
        self.assertLess(max(errors), 0.15, result.stderr)

    def test_in_memory(self):
        from gsttomo.reconstruction import reconstruct
        sample = Balls(np.arange(120) * np.pi / 120)
        projections = -np.log(sample.transmission(sample.x, sample.y)).astype(np.float32)
        words = {"angles": np.arange(120) * 1.5, "axis": AXIS, "flat_correction": "off"}
        aligned, left, still = (reconstruct(p, **words, **more) for p, more in (
            (projections, {"shifts": "align"}), (projections, {}),
            (-np.log(sample.transmission(np.zeros(120), np.zeros(120))).astype(np.float32), {})))
        error, of_left = (np.sqrt(np.mean((a - still)[4:-4] ** 2)) for a in (aligned, left))
        self.assertLess(error, of_left * 0.8)  # the whole of the sample moves by parts of a pixel

    def test_bad_input(self):
        Balls(np.arange(60) * np.pi / 120).write("half.nxs")
        Balls(np.arange(20) * np.pi / 20).write("few.nxs")
        Balls(np.arange(60) * np.pi / 60).write("scan.nxs")
        align = ["--axis", AXIS, "--shifts", "align", "--output", "x.h5"]
        self.refused(1, "60 views over 90 degrees", "half.nxs", *align)
        self.refused(1, "at least 30", "few.nxs", *align)
        self.refused(2, "upright", "scan.nxs", *align, "--roll", 1)
        self.refused(2, "shifts=align wants one axis", "sweep", "scan.nxs", "--shifts", "align", "--parameter", "axis=47,48", "--output", "x.h5")
        self.refused(2, "no slices are made", "sinos", "scan.nxs", "--shifts", "align", "--output", "x.h5")
        self.refused(2, "shifts=align", "scan.nxs", "--axis", AXIS, "--align-iterations", 3, "--output", "x.h5")
        self.assertEqual(glob.glob("x.h5*"), [])
        result = self.done("scan.nxs", *align, "--align-iterations", 1)
        self.assertIn("has not settled", result.stderr)


if __name__ == "__main__":
    main()
