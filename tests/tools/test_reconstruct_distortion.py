# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomo-reconstruct: scans seen through a lens that bends straight lines."""

import json

import h5py
import numpy as np
import scan_files
from pipetest import *
from test_reconstruct import ReconstructTestCase, volume

WIDTH, ROWS, VIEWS, AXIS = 96, 56, 91, 50.0
SPHERES = ((0.0, 0.0, 27.0, 22.0), (-22.0, 9.0, 12.0, 9.0), (20.0, 12.0, 42.0, 11.0))  # x, y from the axis, row, radius
ANGLES = np.arange(VIEWS) * np.pi / VIEWS
CENTER = (41.5, 30.25)  # in edge coordinates
BENT = (1.0, 4e-4, -6e-5)


def seen(x, y):
    """Projections of smooth balls at these places of a straight image."""
    views = np.zeros((VIEWS, *x.shape))
    for view, angle in zip(views, ANGLES):
        for bx, by, row, radius in SPHERES:
            h = AXIS + bx * np.cos(angle) + by * np.sin(angle)
            square = np.maximum(1 - ((x - h) ** 2 + (y - row) ** 2) / radius**2, 0)
            view += 0.02 * radius * square**1.5  # of (1 - r^2), which falls to 0 at its edge
    return views


def factor(r):
    return np.polynomial.polynomial.polyval(r, BENT)


def places():
    """Of the pixels in the straight image."""
    y, x = np.mgrid[:ROWS, :WIDTH] + 0.5
    dx, dy = x - CENTER[0], y - CENTER[1]
    distorted = np.hypot(dx, dy)
    r = distorted.copy()
    for _ in range(100):
        r = distorted / factor(r)
    return CENTER[0] + dx * r / distorted, CENTER[1] + dy * r / distorted


def write(path, views):
    rows, columns = np.mgrid[:ROWS, :WIDTH]
    flat = 30000 * (1 + 0.1 * np.sin(columns / 9 + rows))
    images = np.array([np.zeros((ROWS, WIDTH)), flat, *(flat * np.exp(-views))]) + 100
    with h5py.File(path, "w") as file:
        scan_files.nxtomo(file, images.astype(np.float32), np.array([2, 1] + [0] * VIEWS), np.append([0, 0], np.rad2deg(ANGLES)))


GIVEN = ["--distortion", ",".join(map(repr, BENT)), "--distortion-center", ",".join(map(str, CENTER))]


class Distortion(ReconstructTestCase):
    def setUp(self):
        super().setUp()
        write("straight.nxs", seen(*np.mgrid[:ROWS, :WIDTH][::-1] + 0.5))
        write("bent.nxs", seen(*places()))

    def error(self, slices, reference, rows=slice(6, -6)):
        return np.linalg.norm(slices[rows] - reference[rows]) / np.linalg.norm(reference[rows])

    def test_slices(self):
        reference = self.slices("straight.nxs", "--axis", AXIS)
        self.assertGreater(self.error(self.slices("bent.nxs", "--axis", AXIS), reference), 0.08)
        whole = self.slices("bent.nxs", "--axis", AXIS, *GIVEN)
        self.assertLess(self.error(whole, reference), 0.01)
        linear = self.slices("bent.nxs", "--axis", AXIS, *GIVEN, "--distortion-interpolation", "linear")
        self.assertLess(self.error(whole, reference), self.error(linear, reference))
        # Parts of the scan are what they are in the whole.
        for y, height, step in ((0, 5, 1), (50, 6, 1), (13, 20, 1), (20, 1, 1), (3, 50, 7)):
            part = self.slices("bent.nxs", "--axis", AXIS, *GIVEN, "--y", y, "--height", height, "--y-step", step)
            self.assert_same(part, whole[y : y + height : step])
        slabs = self.done("bent.nxs", "--axis", AXIS, *GIVEN, "--memory", 24 * 8 * VIEWS * WIDTH, "--dry-run").stdout
        self.assertGreater(slabs.count("name=distortion"), 2)
        self.assert_same(self.slices("bent.nxs", "--axis", AXIS, *GIVEN, "--memory", 24 * 8 * VIEWS * WIDTH), whole)

    def test_with_other_steps(self):
        for words, most in ((["--binning", 2], 0.03), (["--outliers", 0.3], 0.01), (["--roll", 0.5], 0.02), (["--rings", "sorting"], 0.1)):
            with self.subTest(words=words):
                reference = self.slices("straight.nxs", "--axis", AXIS, *words)
                whole = self.slices("bent.nxs", "--axis", AXIS, *words, *GIVEN)
                self.assertLess(self.error(whole, reference), most)
                first, count = (4, 12)
                part = self.slices("bent.nxs", "--axis", AXIS, *words, *GIVEN, "--y", first, "--height", count)
                binning = 2 if words[0] == "--binning" else 1
                self.assert_same(part, whole[first // binning : (first + count) // binning])
        np.savetxt("shifts.txt", np.transpose([np.full(VIEWS, 1.5), np.full(VIEWS, 2.0)]))
        words = ["--axis", AXIS, "--shifts", "shifts.txt"]
        reference = self.slices("straight.nxs", *words)
        whole = self.slices("bent.nxs", *words, *GIVEN)
        self.assertLess(self.error(whole, reference), 0.01)
        self.assert_same(self.slices("bent.nxs", *words, *GIVEN, "--y", 9, "--height", 9, "--y-step", 4), whole[9:18:4])

    def test_projections(self):
        self.done("flatcorrect", "bent.nxs", *GIVEN, "--output", "projections.h5")
        wanted = seen(*np.mgrid[:ROWS, :WIDTH][::-1] + 0.5)
        inner = np.s_[:, 6:-6, 6:-6]
        self.assert_close(volume("projections.h5")[inner], wanted[inner], 0.003)
        self.done("sinos", "bent.nxs", *GIVEN, "--output", "sinos.h5")
        self.assert_close(np.swapaxes(volume("sinos.h5"), 0, 1)[inner], wanted[inner], 0.003)
        padded = ["--distortion-padding-mode", "clamp"]
        self.done("flatcorrect", "bent.nxs", "--distortion", "1.5", *padded, "--output", "zero.h5")
        self.assertEqual(np.abs(volume("zero.h5")[:, 0]).max(), 0)

    def test_axis(self):
        """Found in straight images."""
        found = json.loads(self.done("estimate", "bent.nxs", *GIVEN, "--json").stdout)
        self.assertAlmostEqual(found["axis"], AXIS, delta=0.05)
        self.assertAlmostEqual(found["tilt"], 0, delta=0.003)

    def test_files(self):
        """Of Discorpy, which counts pixels by their indices."""
        reference = self.slices("bent.nxs", "--axis", AXIS, *GIVEN, "--slice", "middle")
        with open("coefficients.txt", "w") as file:
            file.write(f"xcenter = {CENTER[0] - 0.5}\nycenter = {CENTER[1] - 0.5}\n\n")
            file.writelines(f"factor{i} = {c!r}\n" for i, c in enumerate(BENT))
        with open("coefficients.json", "w") as file:
            json.dump({"xcenter": CENTER[0] - 0.5, "ycenter": CENTER[1] - 0.5, "list_fact": BENT}, file, indent=4)
        for name in ("coefficients.txt", "coefficients.json"):
            self.assert_same(self.slices("bent.nxs", "--axis", AXIS, "--distortion", name, "--slice", "middle"), reference)
        self.refused(2, ["distortion-center", "the file of distortion tells it"], "bent.nxs", "--axis", AXIS, "--output", "x.h5",
                     "--distortion", "coefficients.txt", "--distortion-center", "1,2")
        for text, expected in (("", "empty"), ("xcenter = 1\n", "1 numbers"), ("xcenter = a\n", "ends in no number"), ("{}", "list_fact"),
                               ('{"list_fact": [1], "xcenter": 2}', "no number ycenter"),
                               ('{"list_fact": ["a"], "xcenter": 2}', "no number in list_fact"), ("{", "line 1")):
            with self.subTest(text=text):
                with open("bad.txt", "w") as file:
                    file.write(text)
                self.refused(1, ["bad.txt"] + [expected] * bool(text), "bent.nxs", "--axis", AXIS, "--output", "x.h5", "--distortion", "bad.txt")

    def test_faults(self):
        for status, expected, *words in (
            (1, ["missing.txt"], "--distortion", "missing.txt"),
            (1, ["folds the image", "a0"], "--distortion", "1,-0.1"),
            (1, ["folds the image", "a0"], "--distortion", "0,1e-3,-1"),
            (1, ["distortion-center has 1 numbers"], "--distortion", "1,0", "--distortion-center", "4"),
            (1, ["outliers are found", "y-step"], *GIVEN, "--outliers", 1, "--y-step", 2),
            (2, ["no effect", "give distortion"], "--distortion-center", "4,5"),
            (2, ["no effect", "give distortion"], "--distortion-interpolation", "linear"),
            (2, ["no effect", "give distortion"], "--distortion-padding-mode", "repeat"),
        ):
            with self.subTest(words=words):
                self.refused(status, expected, "bent.nxs", "--axis", AXIS, "--output", "x.h5", *words)
        self.done("sinos", "bent.nxs", "--output", "sinos.h5")
        self.refused(2, ["distortion", "sinograms are read"], "--sinograms", "sinos.h5:/entry/data/data", *GIVEN, "--output", "x.h5")


if __name__ == "__main__":
    main()
