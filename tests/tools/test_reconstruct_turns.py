# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomo-reconstruct: scans of more than half a turn, off axis and in time."""

import json
import os
import subprocess

import tifffile
import tomoref
from phantom_scan import AXIS, ROWS, WIDTH, Scan, attenuation
from pipetest import *
from test_reconstruct import ReconstructTestCase, volume

TURN = 2 * np.pi
VIEWS = 240


def whole_field(axis, views):
    """Slices from a detector that sees the whole field, by half a turn, and what of them lies in the circle."""
    columns = WIDTH + int(np.ceil(abs(2 * axis - WIDTH) - 1e-6))
    middle = axis if axis >= WIDTH / 2 else axis + columns - WIDTH
    angles = np.arange(views // 2) * TURN / views
    rows = attenuation(angles, middle, columns)
    padded = 1 << (2 * columns - 1).bit_length()
    slices = [tomoref.backproject_linear(tomoref.fft_filter(row, size=padded, crop=columns), angles=angles, axis=middle) for row in rows]
    visible = tomoref.field_of_view(columns, middle, margin=2)
    return np.array(slices), visible


class OffAxis(ReconstructTestCase):
    def test_slices_are_those_of_a_wide_detector(self):
        for axis, views, repeats in ((80.0, VIEWS, False), (80.3, VIEWS, False), (8.7, VIEWS + 1, True), (14.5, VIEWS + 1, False)):
            with self.subTest(axis=axis, views=views):
                Scan(views=views, turn=TURN, axis=axis, repeats=repeats).nxtomo("scan.nxs")
                slices = self.slices("scan.nxs", "--axis", axis)
                wanted, visible = whole_field(axis, views)
                self.assertEqual(slices.shape, wanted.shape)
                self.assert_close(slices[:, visible], wanted[:, visible], 0.08)  # the edges of discs are met elsewhere

    def test_ways_to_the_same_slices(self):
        """Other sources, the line by hand, parts of slices, binning."""
        scan = Scan(views=VIEWS, turn=TURN, axis=80.3)
        scan.nxtomo("scan.nxs")
        scan.nxtomo("no-angles.nxs", angles=False)
        result = self.done("scan.nxs", "--axis", 80.3, "--output", "joined.h5")
        self.assertIn("slices of 161 columns", result.stderr)
        reference = volume("joined.h5")
        same = self.slices("no-angles.nxs", "--axis", 80.3, "--range-degrees", 360)
        self.assert_close(same, reference, 1e-5)
        self.done("sinos", "scan.nxs", "--output", "sinos.h5")
        self.assertEqual(volume("sinos.h5").shape, (ROWS, VIEWS, WIDTH))
        same = self.slices("--sinograms", "sinos.h5:/entry/data/data", "--range-degrees", 360, "--axis", 80.3)
        self.assert_close(same, reference, 1e-4)
        line = self.done("scan.nxs", "--axis", 80.3, "--output", "by-hand.h5", "--dry-run").stdout
        self.assertIn("tomojoinhalfturns", line)
        subprocess.run(["bash"], input=line, text=True, timeout=PATIENCE, check=True, capture_output=True)
        np.testing.assert_array_equal(volume("by-hand.h5"), reference)
        cropped = self.slices("scan.nxs", "--axis", 80.3, "--crop-width", 121)
        self.assert_same(cropped, reference[:, 20:141, 20:141])
        circle = self.slices("scan.nxs", "--axis", 80.3, "--circle")
        y, x = np.mgrid[:161, :161] + 0.5 - 80.3
        inside = x * x + y * y <= 80.3**2
        np.testing.assert_array_equal(circle[:, inside], reference[:, inside])
        self.assertFalse(circle[:, ~inside].any())
        binned = self.slices("scan.nxs", "--axis", 80.3, "--binning", 2)
        self.assertEqual(binned.shape, (ROWS // 2, 81, 81))
        middle = reference[:, :160, :160].reshape(ROWS // 2, 2, 80, 2, 80, 2).mean((1, 3, 5))
        self.assert_close(2 * middle, binned[:, :80, :80], 0.2)  # attenuation per pixel of twice the size

    def test_when_turns_are_joined(self):
        """By the axis, unless somebody says so."""
        Scan(views=VIEWS, turn=TURN, axis=48.0).nxtomo("middle.nxs", axis=48.0)
        Scan(views=VIEWS, turn=TURN, axis=60.0).nxtomo("off.nxs", axis=60.0)
        Scan(views=VIEWS // 2, axis=60.0).nxtomo("half.nxs", axis=60.0)
        for scan, words, columns in (("middle", [], WIDTH), ("middle", ["--off-axis", "on"], 96), ("off", [], 120), ("off", ["--off-axis", "off"], WIDTH),
                                     ("half", [], WIDTH)):
            plan = json.loads(self.done(f"{scan}.nxs", *words, "--dry-run", "--json").stdout)
            self.assertEqual((plan["width"], plan["height"]), (columns, columns), (scan, words))
        result = self.done("off.nxs", "--off-axis", "off", "--output", "small.h5")
        self.assertIn("values are too small", result.stderr)
        self.refused(1, ["off-axis=on", "cover 180 degrees"], "half.nxs", "--off-axis", "on")
        self.refused(1, ["crop-width=121", "120 columns"], "off.nxs", "--crop-width", 121)
        self.refused(2, ["off-axis=on would have no effect"], "sinos", "off.nxs", "--off-axis", "on")

    def test_sweep(self):
        """Slices of several axes have one size."""
        Scan(views=VIEWS, turn=TURN, axis=80.3).nxtomo("scan.nxs")
        self.done("sweep", "scan.nxs", "--parameter", "axis=79.3:81.3:1", "--output", "sweep.h5")
        slices = volume("sweep.h5")
        self.assertEqual(slices.shape, (3, 159, 159))
        whole = self.slices("scan.nxs", "--axis", 80.3, "--slice", "middle")
        self.assert_same(slices[1:2], whole[:, 1:160, 1:160])


class Turns(ReconstructTestCase):
    """Scans in time."""

    STRENGTHS = (1.0, 1.3, 0.6)

    def in_time(self, path="scan.nxs", counts=(60, 60, 60), rest=20, wrapped=False, sense=1):
        """Half turns of these views, the sample of each of its own strength, and some views more."""
        angles, strengths = [], []
        for turn, (views, strength) in enumerate(zip(counts, self.STRENGTHS)):
            angles.append((turn + np.arange(views) / views) * np.pi)
            strengths.append(np.full(views, strength))
        angles.append((len(counts) + np.arange(rest) / 60) * np.pi)
        strengths.append(np.ones(rest))
        angles = sense * np.concatenate(angles) + 0.3
        scan = Scan(angles=angles, strength=np.concatenate(strengths))
        if wrapped:
            scan.angles = np.mod(scan.angles, TURN)
        scan.nxtomo(path)
        return scan

    def turns(self, *words, output="turns.h5"):
        self.done(*words, "--output", output, "--overwrite")
        with h5py.File(output) as file:
            volumes = file["entry/data/data_volumes"][()]
            np.testing.assert_array_equal(volumes.reshape(-1, *volumes.shape[2:]), file["entry/data/data"][()])
        return volumes

    def test_volumes_in_time(self):
        """A volume for each half turn, which is that of its projections alone."""
        whole = {}
        for name, kinds in (("even", {}), ("wrapped", {"wrapped": True}), ("backwards", {"sense": -1}), ("uneven", {"counts": (60, 91, 47)})):
            counts = kinds.get("counts", (60, 60, 60))
            self.in_time(**kinds)
            volumes = whole[name] = self.turns("scan.nxs", "--axis", AXIS, "--turns", "all", "--turn-degrees", 180)
            self.assertEqual(volumes.shape, (3, ROWS, WIDTH, WIDTH))
            y, x = np.mgrid[:WIDTH, :WIDTH] + 0.5 - AXIS
            inside = x * x + y * y < 25**2
            for volume_of_turn, strength in zip(volumes, self.STRENGTHS):
                self.assertAlmostEqual(volume_of_turn[:, inside].mean() / volumes[0][:, inside].mean(), strength, delta=0.02)
            first = 0
            for number, count in enumerate(counts):
                alone = self.slices("scan.nxs", "--axis", AXIS, "--start", first, "--number", count)
                self.assert_same(volumes[number], alone)
                first += count
        self.assert_close(whole["wrapped"], whole["even"], 1e-4)

    def test_which_turns(self):
        self.in_time()
        half = ["scan.nxs", "--axis", AXIS, "--turn-degrees", 180]
        volumes = self.turns(*half, "--turns", "all")
        self.assert_same(self.slices(*half, "--turns", 1), volumes[1])
        np.testing.assert_array_equal(self.turns(*half, "--turns", "1:2"), volumes[1:])
        whole = self.slices("scan.nxs", "--axis", AXIS, "--turns", "all")
        self.assertEqual(len(whole), ROWS)  # there is one whole turn
        self.assert_same(whole, self.slices("scan.nxs", "--axis", AXIS, "--number", 120))
        moving = self.turns(*half, "--turns", "all", "--turn-step-degrees", 60)
        self.assertEqual(len(moving), 8)  # begin at 0, 60, ... 420 of 600 degrees
        np.testing.assert_array_equal(moving[::3], volumes)
        self.assert_same(moving[1], self.slices("scan.nxs", "--axis", AXIS, "--start", 20, "--number", 60))
        self.assertEqual(self.turns(*half, "--turns", "all", "--slice", "middle").shape, (3, 1, WIDTH, WIDTH))

    def test_turns_off_axis(self):
        """Turns of a scan that is wider than the detector, with every other view of it, and the same by the configuration."""
        angles = np.arange(2 * VIEWS + 31) * TURN / VIEWS
        Scan(angles=angles, axis=80.3, strength=np.where(angles < TURN - 1e-6, 1.0, 0.5)).nxtomo("scan.nxs", axis=80.3)
        for words, first in (([], VIEWS), (["--step", 2], VIEWS)):
            volumes = self.turns("scan.nxs", "--turns", "all", *words)
            self.assertEqual(volumes.shape, (2, ROWS, 161, 161))
            visible = tomoref.field_of_view(161, 80.3, margin=2)
            self.assert_close(2 * volumes[1][:, visible], volumes[0][:, visible], 2e-3)  # counts are whole
            alone = self.slices("scan.nxs", *words, "--start", first, "--number", VIEWS // (2 if words else 1))
            self.assert_same(volumes[1], alone)
        self.done("run", "--config", "turns.h5.conf", "--output", "again.h5")
        with h5py.File("again.h5") as file:
            np.testing.assert_array_equal(file["entry/data/data_volumes"], volumes)
        self.assertAlmostEqual(json.loads(self.done("info", "scan.nxs", "--json").stdout)["turns"], 2 + 31 / VIEWS, places=6)

    def test_slabs_series_and_scripts(self):
        self.in_time()
        words = ["scan.nxs", "--axis", AXIS, "--turns", "0:2", "--turn-degrees", 180]
        volumes = self.turns(*words)
        small = [*words, "--memory", 2 * 90 * 60 * 4 * 5, "--outliers", 1e6]
        self.assert_close(self.turns(*small), volumes, 1e-3)
        self.assertGreater(len(json.loads(self.done(*small, "--dry-run", "--json", "--overwrite").stdout)["slabs"]), 3)
        self.done(*words, "--output", "out/t-%03i-%05i.tif")
        self.assertEqual(len(os.listdir("out")), 3 * ROWS + 3)  # and the configuration, the report and the picture
        for turn in range(3):
            pages = [tifffile.imread(f"out/t-{turn:03}-{slice:05}.tif") for slice in range(ROWS)]
            np.testing.assert_array_equal(np.array(pages), volumes[turn])
        self.refused(1, "is there already", *words, "--output", "out/t-%03i-%05i.tif")
        self.done(*words, "--output", "out/t-%03i-%05i.tif", "--resume")
        for output in ("by-hand.h5", "hand/t-%03i-%05i.tif"):
            plain = self.done(*words, "--output", output, "--dry-run").stdout
            subprocess.run(["bash"], input=plain, text=True, timeout=PATIENCE, check=True, capture_output=True)
        with h5py.File("by-hand.h5") as file:
            np.testing.assert_array_equal(file["entry/data/data_volumes"], volumes)
        self.assertEqual(tifffile.imread("hand/t-002-00003.tif").tobytes(), volumes[2, 3].tobytes())
        integers = self.turns(*words, "--output-bitdepth", 16)
        self.assertEqual(integers.dtype, np.uint16)
        self.assertEqual((integers.min(), integers.max()), (0, 65535))

    def test_question(self):
        """Several turns are one volume or several: nobody but the user knows."""
        views = lambda *parts: np.deg2rad(np.concatenate([np.asarray(part, float) for part in parts]))
        sweep = np.arange(0, 180, 3)

        def finding(angles, *words):
            Scan(angles=angles).nxtomo("asked.nxs")
            found = json.loads(self.done("info", "asked.nxs", "--json", *words).stdout)["findings"]
            return next((one["severity"] for one in found if one["name"] == "several-turns"), None)

        for wanted, angles in ((None, views(sweep)), (None, views(sweep, sweep + 180)), (None, views(np.arange(0, 363, 3))),
                               ("warning", views(np.arange(0, 400, 3))), ("error", views(np.arange(0, 720, 3))),
                               ("error", np.mod(views(np.arange(0, 720, 3)), TURN)), ("error", views(sweep, sweep)),
                               ("error", views(sweep, sweep[::-1])), (None, views(sweep, sweep + 1.5)),
                               (None, np.arange(150) * np.pi * (3 - np.sqrt(5))), ("error", views(-np.arange(0, 1500, 3)))):
            self.assertEqual(finding(angles), wanted, np.rad2deg(angles))
        Scan(angles=views(np.arange(0, 720, 3))).nxtomo("asked.nxs", axis=AXIS)
        self.refused(1, ["2.00 turns", "--turns all", "--ignore several-turns"], "asked.nxs")
        together = self.slices("asked.nxs", "--turns", "together")
        self.assertEqual(len(together), ROWS)
        self.assert_same(self.slices("asked.nxs", "--ignore", "several-turns"), together)
        volumes = self.turns("asked.nxs", "--turns", "all")
        self.assert_close(volumes.mean(0), together, 1e-3)

    def test_refusals(self):
        self.in_time()
        scan = ["scan.nxs", "--axis", AXIS]
        for status, words, parts in (
                (2, ["--turns", "some"], ["'some'", "all, N, FROM:TO or together"]),
                (2, ["--turns", "2:1"], ["turns=2:1", "1 whole turn"]),
                (2, ["--turns", "3", "--turn-degrees", 180], ["turns=3", "3 whole turns of 180 degrees, 0 to 2"]),
                (2, ["--turns", "all", "--turn-degrees", 700], ["cover 600 degrees", "turn-degrees=700"]),
                (2, ["--turns", "all", "--turn-step-degrees", 1], ["turn-step-degrees=1", "3 degrees"]),
                (2, ["--turn-degrees", 180], ["turn-degrees=180.0 would have no effect"]),
                (1, ["--turns", "all", "--turn-degrees", 180, "--output", "v-%05i.tif"], ["two numbers", "slice-%03i-%05i.tif"]),
                (1, ["--turns", "all", "--turn-degrees", 180, "--output", "v.tif"], ["holds one volume, and there are 3"]),
                (1, ["--turns", "all", "--turn-degrees", 180, "--output", "v-%i-%05i.tif", "--output-bitdepth", 8], ["one grey range"]),
                (1, ["--turns", "all", "--turn-degrees", 180, "--result", "sinograms"], ["one of the turns for sinograms"])):
            with self.subTest(words=words):
                self.refused(status, parts, *scan, *words)
        Scan(angles=np.arange(150) * np.pi * (3 - np.sqrt(5))).nxtomo("golden.nxs")
        self.refused(2, "follow no rotation", "golden.nxs", "--turns", "all")


if __name__ == "__main__":
    main()
