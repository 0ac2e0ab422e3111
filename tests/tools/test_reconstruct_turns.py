# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomo-reconstruct: scans of more than half a turn, off axis and in time."""

import json

import tomoref
from phantom_scan import ROWS, WIDTH, Scan, attenuation
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


if __name__ == "__main__":
    main()
