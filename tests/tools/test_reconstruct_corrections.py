# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomo-reconstruct: scans whose sample, beam or flats did not stand still give the slices of a scan where they did."""

import json

import h5py
import numpy as np
import scan_files
import tomoref
from phantom_scan import AXIS, BEAM, VIEWS, WIDTH
from pipetest import *
from test_reconstruct import ReconstructTestCase, volume

ROWS = 24
TIMES = [2, 46, 91]
DARK = 100.0
PIXEL = 2e-6


def discs(row):
    return [tomoref.disc(0, 0, 30, 0.01), tomoref.disc(9 - row / 3, 7, 5 + row / 5, 0.02), tomoref.disc(-13, row / 2 - 9, 6, -0.006)]


def transmission(angles, x, y):
    """Of each view, whose image is displaced by x columns and y rows."""
    views = [[tomoref.line_integrals(discs(row - dy), [angle], WIDTH, AXIS + dx)[0] for row in range(ROWS)]
             for angle, dx, dy in zip(angles, x, y)]
    return np.exp(-np.array(views))


class MovingScan:
    """An NXtomo file: flats and darks before, projections, and flats wherever `flats_at` says, before that projection."""

    def __init__(self, x=0.0, y=0.0, flats_at=(0,), beam=None, seed_of_flat=0):
        self.angles = np.arange(VIEWS) * np.pi / VIEWS
        self.x, self.y = (np.broadcast_to(np.asarray(a, float), VIEWS) for a in (x, y))
        rows, columns = np.mgrid[:ROWS, :WIDTH]
        kinds, images = [2], [np.full((ROWS, WIDTH), DARK)]
        views = transmission(self.angles, self.x, self.y)
        self.time = []
        beam = beam or (lambda time: 1.0)

        def flat():
            time = len(kinds)
            self.time.append(time)
            return BEAM / 2 * beam(time) * self.profile(rows, columns, time)

        for i in range(VIEWS + 1):
            for _ in range(3 if i in flats_at else 0):
                images.append(DARK + flat())
                kinds.append(1)
            if i < VIEWS:
                images.append(DARK + flat() * views[i])
                kinds.append(0)
        self.keys = np.array(kinds)
        self.images = np.array(images, np.float32)
        self.beam = np.array([beam(time) for time in range(len(kinds))])

    @staticmethod
    def profile(rows, columns, time):
        return 1 + 0.1 * np.sin(columns / 9 + rows)

    def per_frame(self, values):
        """With other numbers for frames that are no projections."""
        numbers = np.full(len(self.keys), 0.01)
        numbers[self.keys == 0] = values
        return numbers

    def write(self, path, monitor=False, translations=False, pixel=PIXEL, **facts):
        angles = np.zeros(len(self.keys))
        angles[self.keys == 0] = np.rad2deg(self.angles)
        if translations:
            facts["sample__x_translation"] = (self.per_frame(0.003 + self.x * PIXEL) * 1e3, "mm")
            facts["sample__y_translation"] = (self.per_frame(0.002 - self.y * PIXEL), None)
        if pixel:
            facts["instrument__detector__x_pixel_size"] = (pixel, "m")
        with h5py.File(path, "w") as file:
            group = scan_files.nxtomo(file, self.images, self.keys, angles, **facts)
            if monitor is not False:
                group["control/data"] = self.beam if monitor is True else monitor
                group["control"].attrs["NX_class"] = "NXmonitor"


class Displaced(ReconstructTestCase):
    # Of splines through the projections of this phantom with its sharp edges, root mean square as a part of the largest
    # value of the slices. Where displacements are left, it is 0.05.
    INTERPOLATION = 0.013

    def error(self, slices, reference):
        return np.sqrt(np.mean((slices - reference) ** 2)) / reference.max()

    def setUp(self):
        super().setUp()
        # The first view is where it is.
        self.x, self.y = (np.append(0, np.random.default_rng(SEED).uniform(-3, 3, VIEWS - 1)) for _ in range(2))
        self.y = np.roll(self.y, 7) - np.roll(self.y, 7)[0]

    def test_translations_of_a_scan(self):
        MovingScan().write("still.nxs")
        reference = self.slices("still.nxs", "--axis", AXIS)
        inner = slice(7, ROWS - 7)  # rows that every view saw
        scan = MovingScan(self.x, self.y)
        scan.write("moved.nxs", translations=True)
        result = self.done("moved.nxs", "--axis", AXIS)
        self.assertRegex(result.stderr, r"displaced by .* columns and by .* rows. They are moved back")
        for axes, told in (((1, 0), "{0:.4g} to {1:.4g} columns"), ((0, 1), "{2:.4g} to {3:.4g} rows"), ((1, 1), "{0:.4g} to {1:.4g} columns and by {2:.4g} to {3:.4g} rows")):
            np.savetxt("given.txt", np.transpose([self.x, self.y]) * axes)
            told = told.format(min(self.x), max(self.x), min(self.y), max(self.y))
            self.assertIn(f"displaced by {told}. They are moved back", self.done("info", "still.nxs", "--shifts", "given.txt").stdout)
        moved = volume("moved-slices.h5")
        error = self.error(moved[inner], reference[inner])
        left = self.error(self.slices("moved.nxs", "--axis", AXIS, "--shifts", "none")[inner], reference[inner])
        print(f"moved back: {error:.4f} of the largest value; left: {left:.4f}")
        self.assertLess(error, self.INTERPOLATION)
        self.assertGreater(left, 3 * self.INTERPOLATION)
        # A region, slabs, every third row, and rows around medians are what they are in the whole.
        self.assert_same(self.slices("moved.nxs", "--axis", AXIS, "--y", 9, "--height", 4), moved[9:13])
        self.assert_same(self.slices("moved.nxs", "--axis", AXIS, "--y", 5, "--height", 15, "--y-step", 3), moved[5:20:3])
        self.assert_same(self.slices("moved.nxs", "--axis", AXIS, "--memory", 5 * 8 * VIEWS * WIDTH), moved)
        clean = self.slices("moved.nxs", "--axis", AXIS, "--outliers", 0.5)
        self.assert_same(self.slices("moved.nxs", "--axis", AXIS, "--outliers", 0.5, "--y", 11, "--height", 3), clean[11:14])
        binned = self.slices("moved.nxs", "--axis", AXIS, "--binning", 2)
        still = self.slices("still.nxs", "--axis", AXIS, "--binning", 2)
        self.assertLess(self.error(binned[4:-4], still[4:-4]), self.INTERPOLATION)
        self.assert_same(self.slices("moved.nxs", "--axis", AXIS, "--binning", 2, "--y", 8, "--height", 6), binned[4:7])
        # And so is the axis that is found.
        found = json.loads(self.done("estimate", "moved.nxs", "--json").stdout)
        self.assertAlmostEqual(found["axis"], AXIS, delta=0.2)

    def test_along_rows_alone(self):
        """Then sinograms can be read, as the line shows."""
        MovingScan().write("still.nxs")
        reference = self.slices("still.nxs", "--axis", AXIS)
        MovingScan(self.x).write("moved.nxs", translations=True)
        line = self.done("moved.nxs", "--axis", AXIS, "--dry-run").stdout
        self.assertIn("order=sinograms", line)
        self.assertIn("tomoshift", line)
        moved = self.slices("moved.nxs", "--axis", AXIS)
        self.assertLess(self.error(moved, reference), self.INTERPOLATION)
        np.savetxt("x.txt", np.transpose([-self.x, 0 * self.x]))
        MovingScan(self.x).write("untold.nxs")
        self.assert_same(self.slices("untold.nxs", "--axis", AXIS, "--shifts", "x.txt", "--shifts-reverse", "x"), moved)
        parts = self.slices("untold.nxs", "--axis", AXIS, "--shifts", "x.txt", "--shifts-reverse", "x", "--step", 3, "--start", 1)
        self.assert_same(parts, self.slices("moved.nxs", "--axis", AXIS, "--step", 3, "--start", 1))

    def test_files_of_shifts(self):
        MovingScan(self.x, self.y).write("untold.nxs")
        shifts = np.transpose([self.x, self.y])
        np.savetxt("shifts.txt", shifts, header="horizontal vertical")
        np.save("shifts.npy", shifts)
        np.save("columns.npy", np.asfortranarray(shifts))
        with h5py.File("shifts.h5", "w") as file:
            file["shifts"] = shifts
        reference = self.slices("untold.nxs", "--axis", AXIS, "--slice", "middle", "--shifts", "shifts.txt")
        for name in ("shifts.npy", "columns.npy", "shifts.h5:/shifts"):
            self.assert_same(self.slices("untold.nxs", "--axis", AXIS, "--slice", "middle", "--shifts", name), reference)
        np.save("few.npy", shifts[:-1])
        np.save("flat.npy", shifts.ravel())
        np.savetxt("one.txt", self.x)
        np.save("nan.npy", np.where(np.arange(VIEWS)[:, None] == 5, np.nan, shifts))
        for name, part in (("few.npy", f"{VIEWS - 1} displacements"), ("flat.npy", "N x 2"), ("one.txt", "1 columns"),
                           ("nan.npy", "projection 5"), ("none.txt", "none.txt")):
            self.refused(1, part, "untold.nxs", "--axis", AXIS, "--shifts", name, "--output", "x.h5")
        self.refused(2, "no displacements", "untold.nxs", "--axis", AXIS, "--shifts-reverse", "x", "--output", "x.h5")

    def test_shifts_that_cannot_count(self):
        scan = MovingScan(self.x, self.y)
        scan.write("no-pixel.nxs", translations=True, pixel=None)
        self.refused(1, ["x_translation", "size of a pixel", "--shifts none"], "no-pixel.nxs", "--axis", AXIS, "--output", "x.h5")
        self.done("no-pixel.nxs", "--axis", AXIS, "--shifts", "none", "--output", "x.h5", "--slice", "middle")
        scan.write("far.nxs", pixel=PIXEL, sample__x_translation=(scan.per_frame(1e3 * self.x), "um"))
        self.refused(1, "more than the detector sees", "far.nxs", "--axis", AXIS, "--output", "y.h5")
        scan.write("few.nxs", sample__x_translation=(self.x[:-1], "um"))
        self.refused(1, f"has {VIEWS - 1} values", "few.nxs", "--axis", AXIS, "--output", "y.h5")
        scan.write("still.nxs", sample__x_translation=(scan.per_frame(1e-9 * self.x), "m"))
        self.assertIn("less than 0.01 pixels", self.done("still.nxs", "--axis", AXIS, "--output", "z.h5", "--slice", "middle").stderr)


SINOGRAMS = ["--result", "sinograms"]  # the ramp filter takes away what is the same in a whole view


class Beam(ReconstructTestCase):
    def test_monitor(self):
        """The ring lost current, and was filled again."""
        MovingScan().write("still.nxs")
        reference = self.slices("still.nxs", *SINOGRAMS)
        scan = MovingScan(beam=lambda time: 1 - 0.003 * (time % 50), flats_at=(0, VIEWS))
        scan.write("monitor.nxs", monitor=True)
        result = self.done("monitor.nxs", *SINOGRAMS)
        self.assertRegex(result.stderr, "beam changed by 1[0-9]( |\\.).*Projections and flats are divided by it")
        normal = volume("monitor-sinograms.h5")
        self.assert_close(normal, reference, 2e-4)
        left = self.slices("monitor.nxs", *SINOGRAMS, "--beam", "none")
        self.assertGreater(np.abs(left - reference).max(), 0.1)
        # As whole projections.
        self.assert_close(self.slices("monitor.nxs", *SINOGRAMS, "--outliers", 100), reference, 2e-4)
        # A monitor that tells nothing changes nothing.
        scan.write("even.nxs", monitor=np.full(len(scan.keys), 7.0))
        np.testing.assert_array_equal(self.slices("even.nxs", *SINOGRAMS), left)
        dead = scan.beam.copy()
        dead[9] = 0
        scan.write("dead.nxs", monitor=dead)
        result = self.done("dead.nxs", *SINOGRAMS, "--output", "dead.h5")
        self.assertIn("a value of 0, and is not used", result.stderr)
        np.testing.assert_array_equal(volume("dead.h5"), left)
        self.refused(1, "a value of 0", "dead.nxs", *SINOGRAMS, "--beam", "monitor", "--output", "x.h5")
        self.refused(1, "has no monitor", "still.nxs", *SINOGRAMS, "--beam", "monitor", "--output", "x.h5")
        wrong = np.where(np.arange(len(scan.keys)) > len(scan.keys) - 4, 2.0, 1.0)
        scan.write("wrong.nxs", monitor=wrong)
        self.assertIn("the monitor says 2", self.done("wrong.nxs", *SINOGRAMS, "--output", "w.h5", "--slice", "middle").stderr)

    def test_air(self):
        """A region far from the rows that are read."""
        MovingScan().write("still.nxs")
        reference = self.slices("still.nxs", *SINOGRAMS)
        flicker = np.random.default_rng(SEED).uniform(0.8, 1.2, 4 * VIEWS)
        MovingScan(beam=lambda time: flicker[time]).write("flicker.nxs")
        for words in ([], ["--outliers", 100]):
            everything = self.slices("flicker.nxs", *SINOGRAMS, "--air", "1,2,6,5", *words)
            self.assert_close(everything, reference, 2e-4)
            self.assert_same(self.slices("flicker.nxs", *SINOGRAMS, "--air", "1,2,6,5", "--y", 15, "--height", 3, *words), everything[15:18])
        self.assert_close(self.slices("flicker.nxs", *SINOGRAMS, "--air", "1,2,6,5", "--absorptivity", "off"),
                          transmission(MovingScan().angles, np.zeros(VIEWS), np.zeros(VIEWS)).transpose(1, 0, 2), 2e-4)
        self.assert_close(self.slices("flicker.nxs", *SINOGRAMS, "--air", "1,2,6,5", "--binning", 2, "--reduction-mode", "median"),
                          self.slices("still.nxs", *SINOGRAMS, "--binning", 2), 2e-4)
        self.assert_same(self.slices("flicker.nxs", *SINOGRAMS, "--air", "0000000000000001,2,6,5"),
                         self.slices("flicker.nxs", *SINOGRAMS, "--air", "1,2,6,5"))
        self.refused(1, "90 x 24", "flicker.nxs", *SINOGRAMS, "--air", "85,2,6,5", "--output", "x.h5")
        self.refused(2, "X,Y,WIDTH,HEIGHT", "flicker.nxs", *SINOGRAMS, "--air", "85,2,6", "--output", "x.h5")


class Flats(ReconstructTestCase):
    def test_several_sets(self):
        """Flats that change by a line from set to set, which interpolation follows exactly."""
        MovingScan().write("still.nxs")
        reference = self.slices("still.nxs", "--axis", AXIS)

        class Bending(MovingScan):
            @staticmethod
            def profile(rows, columns, time):
                return 1 + 0.1 * np.sin(columns / 9 + rows) * np.interp(time, TIMES, [1, -2, 2])

        scan = Bending(flats_at=(0, 41, 83))
        self.assertEqual(np.flatnonzero(scan.keys == 1)[1::3].tolist(), TIMES)  # of the middle flat of each set
        scan.write("sets.nxs")
        result = self.done("sets.nxs", "--axis", AXIS)
        self.assertIn("flats were taken at 3 times. Each projection takes those of the two times around it", result.stderr)
        two = volume("sets-slices.h5")
        mixed = self.slices("sets.nxs", "--axis", AXIS, "--reduction-mode", "median")
        errors = [np.abs(a - reference).max() / reference.max() for a in (two, mixed)]
        print("sets of flats: %.4f by the two around, %.4f by one for all" % tuple(errors))
        self.assertLess(errors[0], errors[1] / 5)
        self.assert_same(self.slices("sets.nxs", "--axis", AXIS, "--outliers", 100), two)
        binned = self.slices("sets.nxs", "--axis", AXIS, "--binning", 2)
        still = self.slices("still.nxs", "--axis", AXIS, "--binning", 2)
        self.assertLess(np.abs(binned - still).max() / still.max(), 2 * errors[0])

    def test_dynamic(self):
        """A profile that changes from frame to frame, and its intensity; regions are what they are in the whole."""
        random = np.random.default_rng(SEED)
        drift = random.uniform(-1, 1, 400)
        drift[:20] = random.permutation(np.linspace(0, 1, 20))  # of the flats, whose mean is that of no projection

        class Drifting(MovingScan):
            @staticmethod
            def profile(rows, columns, time):
                return (1 + 0.1 * np.sin(columns / 9 + rows)) * (1 + 0.1 * drift[time] * np.sin(columns / 3 + rows / 2))

        def write(name, scan):
            scan.images += random.normal(0, 0.004 * BEAM / 2, scan.images.shape)
            scan.write(name)

        words = ["--axis", AXIS, "--air", "1,2,7,20"]
        MovingScan().write("truth.nxs")
        truth = self.slices("truth.nxs", *words)
        write("still.nxs", MovingScan(flats_at=(0, 1, 2, 3, 4)))
        write("drift.nxs", Drifting(flats_at=(0, 1, 2, 3, 4), beam=lambda time: 1 + drift[time] / 20))
        still, plain = (self.slices(scan, *words) for scan in ("still.nxs", "drift.nxs"))
        words = ["drift.nxs", *words, "--flat-correction", "dynamic"]
        self.assertRegex(self.done(*words, "--output", "told.h5").stderr, r"1 components? of \d+ flats count in the dynamic flats")
        dynamic = self.slices(*words)
        of_dynamic, of_plain, of_still = (np.sqrt(np.mean((a - truth) ** 2)) / truth.max() for a in (dynamic, plain, still))
        print(f"drifting flats: {of_dynamic:.4f} by components, {of_plain:.4f} by sets of flats, {of_still:.4f} where none drifts")
        self.assertLess(of_dynamic, 1.2 * of_still)
        self.assertLess(of_dynamic, of_plain / 2)
        self.assert_same(self.slices(*words, "--flat-components", 1), dynamic)
        self.assert_same(self.slices(*words, "--y", 9, "--height", 4), dynamic[9:13])
        self.slices(*words, "--binning", 2)
        # The dry run is a line for a shell.
        script = self.done(*words, "--output", "by-hand.h5", "--dry-run").stdout
        subprocess.run(["bash", "-c", script], check=True, timeout=100)
        self.assert_same(volume("by-hand.h5"), dynamic)

    def test_dynamic_is_refused(self):
        MovingScan().write("few.nxs", monitor=True)
        words = ["few.nxs", "--axis", AXIS, "--flat-correction", "dynamic", "--output", "x.h5"]
        self.refused(2, "give air", *words, "--beam", "monitor")
        self.refused(2, "dynamic flats", *words, "--reduction-mode", "median")
        self.refused(2, "flat-correction=dynamic", *words[:3], "--flat-components", 2)
        self.refused(1, "y-step", *words, "--y-step", 2)
        self.refused(1, "wanted at least 4", *words, "--flat-components", 3)


if __name__ == "__main__":
    main()
