# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The axis that tomo-reconstruct finds: each method on phantoms, their agreement, and the roll of the detector."""

import json

import scan_files
import tomoref
from phantom_scan import AXIS, WIDTH, Scan
from pipetest import *
from test_reconstruct import ReconstructTestCase


class Measurement:
    """Counts of a stack of rows, each of another object, with noise, stripes, and an object that reaches over the edge."""

    DARK, BEAM = 100.0, 40000.0

    def __init__(self, width, rows, views, axis, turn=np.pi, cut=0.0, noise=0.0, stripes=0.0):
        self.width, self.axis = width, axis
        self.angles = np.arange(views) * turn / views
        reach = min(axis, width - axis) if turn < 4 else max(axis, width - axis)
        radius = reach / (1 - 2 * cut) if cut else 0.92 * reach
        self.attenuation = np.array([self.row(radius, noise, stripes) for _ in range(rows)])

    def row(self, radius, noise, stripes):
        objects = [tomoref.Ellipse(0.03 * radius, -0.03 * radius, 0.95 * radius, 0.85 * radius, 0.6 / radius, 0.4)]
        for _ in range(12):
            place, angle = rng.uniform(0, 0.65 * radius), rng.uniform(0, 2 * np.pi)
            a, b = rng.uniform(0.04, 0.2, 2) * radius
            objects.append(tomoref.Ellipse(place * np.cos(angle), place * np.sin(angle), a, b, rng.uniform(-0.6, 1.2) / radius, angle))
        exact = sum(tomoref.line_integrals(objects, self.angles, self.width, self.axis + u) for u in (-1 / 3, 0, 1 / 3)) / 3
        most = exact.max()
        return exact + noise * most * rng.standard_normal(exact.shape) + stripes * most * rng.standard_normal(self.width)

    def nxtomo(self, path, axis=None):
        write_counts(path, self.attenuation.transpose(1, 0, 2), self.angles, axis)


def write_counts(path, attenuation, angles, axis=None):
    """An NXtomo scan of views x rows x columns."""
    shape = attenuation.shape[1:]
    dark, flat = np.full(shape, Measurement.DARK), np.full(shape, Measurement.BEAM)
    counts = dark + (flat - dark) * np.exp(-attenuation)
    images = np.rint(np.concatenate([[dark], [flat], counts])).astype(np.uint16)
    keys = np.array([2, 1] + [0] * len(angles))
    degrees = np.concatenate([[0, 0], np.rad2deg(angles)])
    facts = {} if axis is None else {"instrument__detector__x_rotation_axis_pixel_position": (axis - 0.5, None)}
    with h5py.File(path, "w") as file:
        scan_files.nxtomo(file, images, keys, degrees, **facts)


class Axes(ReconstructTestCase):
    def estimate(self, *words):
        self.result = self.done("estimate", "scan.nxs", "--json", *words)
        return json.loads(self.result.stdout)

    def test_methods(self):
        """1 % noise and stripes, 4 % of the object beyond the edge, the axis a tenth off the middle, odd sizes."""
        axis = 0.6 * 151 + rng.uniform(-0.5, 0.5)
        Measurement(151, 15, 181, axis, cut=0.04, noise=0.01, stripes=0.01).nxtomo("scan.nxs")
        for method in ("auto", "correlation", "spectrum", "sharpness"):
            found = self.estimate("--axis-method", method)
            with self.subTest(method=method):
                self.assertAlmostEqual(found["axis-px"], axis, delta=0.1, msg=f"{found['uncertainty-px']} (seed {SEED})")
                self.assertEqual(found["method"], "correlation+spectrum" if method == "auto" else method)
                self.assertEqual([len(found["curve"][name]) for name in ("axis-px", "value")],
                                 [len(found["curve"]["axis-px"])] * 2)
                self.assertLess(abs(found["curve"]["axis-px"][np.argmin(found["curve"]["value"])] - axis), 2.5)
        self.assertEqual([m["method"] for m in self.estimate()["methods"]], ["correlation", "spectrum"])
        near = self.estimate("--axis-method", "sharpness", "--axis-range", "80:100", "--axis-rows", 3)
        self.assertAlmostEqual(near["axis-px"], axis, delta=0.4)
        self.assertGreaterEqual(min(near["curve"]["axis-px"]), 80)
        self.assertLessEqual(max(near["curve"]["axis-px"]), 100)

    def test_metrics_of_whole_objects(self):
        axis = 0.6 * 101 + rng.uniform(-0.5, 0.5)
        Measurement(101, 9, 121, axis, noise=0.01).nxtomo("scan.nxs")
        for metric in ("absolute", "negativity"):
            found = self.estimate("--axis-method", "sharpness", "--axis-metric", metric)
            with self.subTest(metric=metric):
                self.assertAlmostEqual(found["axis-px"], axis, delta=0.25)

    def test_whole_turns(self):
        """The axis near an edge, by the overlap of both halves; in the middle, where both see air at the edges."""
        for width, share in ((151, 0.87), (151, 0.12)):
            axis = share * width + rng.uniform(-0.5, 0.5)
            Measurement(width, 9, 240, axis, turn=2 * np.pi, noise=0.01, stripes=0.01).nxtomo("scan.nxs")
            for method in ("auto", "overlap", "correlation"):
                found = self.estimate("--axis-method", method)
                with self.subTest(share=share, method=method):
                    self.assertAlmostEqual(found["axis-px"], axis, delta=0.1, msg=f"(seed {SEED})")
            self.assertEqual(found["side"], "right" if share > 0.5 else "left")
        Scan(views=240, turn=2 * np.pi).nxtomo("scan.nxs")
        found = self.estimate()
        self.assertAlmostEqual(found["axis-px"], AXIS, delta=0.1)

    def test_methods_that_disagree(self):
        """A last view that moved misleads mirrored views more than the spectrum; that is told, and doubtful."""
        scan = Measurement(101, 9, 120, 55.3, noise=0.01)
        scan.attenuation[:, -1] = np.roll(scan.attenuation[:, -1], 6, axis=-1)
        scan.nxtomo("scan.nxs")
        found = self.estimate()
        by = {m["method"]: m["axis-px"] for m in found["methods"]}
        distance = abs(by["correlation"] - by["spectrum"])
        self.assertGreater(distance, 0.5)
        self.assertGreaterEqual(found["uncertainty-px"], 0.49 * distance)
        self.assertIn(found["method"], by)
        for told in (found["warning"], self.done("scan.nxs", "--output", "slices.h5").stderr, self.done("estimate", "scan.nxs").stderr):
            self.assertRegex(told, "correlation finds the axis at .*, and spectrum at .*--axis")

    def test_axis_of_the_scan_is_checked(self):
        Scan().nxtomo("scan.nxs", axis=44.0)
        result = self.done("scan.nxs", "--output", "slices.h5")
        self.assertIn("an axis at 44.00, but its views say 47.", result.stderr)
        Scan().nxtomo("scan.nxs", axis=AXIS)
        self.assertNotIn("warning", self.done("scan.nxs", "--output", "slices.h5", "--overwrite").stderr)

    def test_usage(self):
        Scan().nxtomo("scan.nxs")
        for words, expected in (
            (["--axis", -1], ["axis", "-1"]), (["--axis-range", "30"], ["axis-range", "FROM:TO"]),
            (["--axis-range", "50:40"], "FROM:TO"), (["--axis-range", "40:500"], [str(WIDTH), "40:500"]),
            (["--axis-range", "40:50", "--axis", 45], "no effect"), (["--axis-metric", "absolute"], "sharpness"),
            (["--roll", 60], ["roll", "45"]), (["--axis-method", "overlap"], ["whole turn"]),
        ):
            with self.subTest(words=words):
                result = self.done("scan.nxs", "--output", "x.h5", *words, status=1 if words[1] in ("40:500", 60, "overlap") else 2)
                for part in [expected] if isinstance(expected, str) else expected:
                    self.assertIn(part, result.stderr.splitlines()[-1])
                self.assertEqual("the axis was not found" in result.stderr, "overlap" in words)

    def test_roll(self):
        """Spheres in front of a detector that is rolled by 0.3 degrees, as if it was not."""
        width, rows, views, axis, roll = 81, 401, 91, 43.4, np.deg2rad(0.3)
        angles = np.arange(views) * np.pi / views
        spheres = [(rng.uniform(0, 20), rng.uniform(0, 2 * np.pi), y + rng.uniform(-4, 4), rng.uniform(6, 12), rng.uniform(0.01, 0.03))
                   for y in range(-205, 206, 8)]

        def attenuation(angle):
            x, y = np.meshgrid(np.arange(width) + 0.5 - width / 2, np.arange(rows) + 0.5 - rows / 2)
            across = x * np.cos(angle) - y * np.sin(angle) - (axis - width / 2) * np.cos(angle)
            down = y * np.cos(angle) + x * np.sin(angle)
            result = np.zeros((views, rows, width))
            for distance, at, height, radius, value in spheres:
                for i, t in enumerate(angles):
                    chord = radius**2 - (down - height) ** 2 - (across - distance * np.cos(t - at)) ** 2
                    result[i] += 2 * value * np.sqrt(np.maximum(chord, 0))
            return result

        write_counts("scan.nxs", attenuation(roll), angles)
        write_counts("upright.nxs", attenuation(0.0), angles)
        found = self.estimate()
        self.assertAlmostEqual(found["tilt-degrees"], 0.3, delta=0.02)
        self.assertAlmostEqual(found["axis-px"], axis, delta=0.05)
        self.assertIn("tilt 0.", self.done("estimate", "scan.nxs").stdout)
        upright = json.loads(self.done("estimate", "upright.nxs", "--json").stdout)
        self.assertAlmostEqual(upright["tilt-degrees"], 0.0, delta=0.03)
        self.assertRegex(self.done("estimate", "upright.nxs").stdout, r"no tilt|tilt -?0\.0[0-2]")
        wanted = self.slices("upright.nxs", "--axis", axis)
        result = self.done("scan.nxs", "--output", "slices.h5", "--overwrite")
        self.assertIn("projections are rotated", result.stderr)
        with open("slices.h5.conf") as file:
            self.assertIn("roll=0.", file.read())
        with h5py.File("slices.h5") as file:
            found = file["entry/data/data"][()]
        tilted = self.slices("scan.nxs", "--axis", axis, "--roll", 0)
        by_truth = self.slices("scan.nxs", "--axis", axis, "--roll", 0.3)
        errors = []
        for row in (6, rows // 2, rows - 7):
            with self.subTest(row=row):
                error = np.linalg.norm(found[row] - wanted[row]) / np.linalg.norm(wanted[row])
                errors.append(error)
                # Edges of spheres are as sharp as they happen to lie; the true roll says how well they come out.
                self.assertLess(error, 1.25 * np.linalg.norm(by_truth[row] - wanted[row]) / np.linalg.norm(wanted[row]) + 0.01)
                if row != rows // 2:
                    self.assertLess(error, 0.4 * np.linalg.norm(tilted[row] - wanted[row]) / np.linalg.norm(wanted[row]))
        self.assertLess(np.median(errors), 0.06)
        left = self.done("scan.nxs", "--roll", 0, "--output", "left.h5")
        self.assertRegex(left.stderr, r"tilted by 0\.(2[789]|3[0123]).*not corrected; --roll 0\.(2|3)")
        # A region and slabs are what they are in the whole.
        whole = self.slices("scan.nxs", "--axis", axis, "--roll", 0.3)
        self.assert_same(self.slices("scan.nxs", "--axis", axis, "--roll", 0.3, "--y", 250, "--height", 30), whole[250:280])
        memory = 40 * 2 * width * views * 4
        self.assert_same(self.slices("scan.nxs", "--axis", axis, "--roll", 0.3, "--memory", memory), whole)
        self.done("sinos", "scan.nxs", "--output", "sinos.h5")
        self.refused(2, "roll", "--sinograms", "sinos.h5:/entry/data/data", "--range-degrees", 180, "--axis", axis, "--roll", 0.3, "--output", "y.h5")
        self.refused(1, ["roll", "y-step"], "scan.nxs", "--axis", axis, "--roll", 0.3, "--y-step", 2, "--output", "y.h5")


if __name__ == "__main__":
    main()
