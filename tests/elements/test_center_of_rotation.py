# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomocenterofrotation on exact sinograms of random objects."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from tomotest import *
from elementtest import ElementTestCase, Stream, scan_event
import tomoref


def phantom(radius, number=12):
    """Discs of all sizes at random places within a circle, and a large one around them."""
    discs = [tomoref.disc(0.1 * radius, -0.05 * radius, 0.8 * radius, 0.01)]
    for _ in range(number):
        place, angle = rng.uniform(0, 0.6 * radius), rng.uniform(0, 2 * np.pi)
        size = rng.uniform(0.05, 0.2) * radius
        discs.append(tomoref.disc(place * np.cos(angle), place * np.sin(angle), size, rng.uniform(-0.01, 0.02)))
    return discs


def sinogram(discs, angles, width, axis, noise=0.0):
    # A pixel sees the mean over its width.
    fine = 5
    exact = sum(
        tomoref.line_integrals(discs, angles, width, axis + u) for u in (np.arange(fine) + 0.5) / fine - 0.5
    ) / fine
    return (exact + noise * exact.max() * rng.standard_normal(exact.shape)).astype(np.float32)


class CenterOfRotation(ElementTestCase):
    def centers(self, description, *arrays, event=None):
        with Stream(f"tomocenterofrotation name=c {description}") as stream:
            for a in arrays:
                stream.push(a, event=event)
            results = stream.finish()
            for result, a in zip(results, arrays, strict=True):
                np.testing.assert_array_equal(result, a)
            values = [m.get_double("center")[1] for m in stream.element_messages("tomo-center-of-rotation")]
            np.testing.assert_equal(stream["c"].get_property("center"), values[-1])
            self.warnings = stream.warnings()
        return values

    def check(self, axis, found, tolerance):
        self.assertLessEqual(np.abs(np.subtract(axis, found)).max(), tolerance, f"{axis} {found} (seed {SEED})")

    def test_properties(self):
        limits = np.finfo(np.float64).min, np.finfo(np.float64).max
        self.check_properties("tomocenterofrotation", {"angle-step": (0.0, 0.0, 180.0), "center": (0.0, *limits)})

    def test_half_a_turn(self):
        """First and last row, axes in all places, also such that cut the object off."""
        angles = np.array([0, 1, 2, np.pi])
        for width in (128, 201):
            discs = phantom(0.35 * width)
            for share in (0.5, 0.45, 0.62, 0.8, 0.2):
                axis = share * width + rng.uniform(-0.5, 0.5)
                with self.subTest(width=width, axis=axis):
                    (found,) = self.centers("", sinogram(discs, angles, width, axis))
                    self.check(axis, found, 0.05)

    def test_noise(self):
        discs = phantom(70)
        for axis in (103.3, 88.85, 130.2):
            (found,) = self.centers("", sinogram(discs, np.array([0, np.pi]), 200, axis, noise=0.02))
            self.check(axis, found, 0.2)

    def test_empty_margins_are_no_match(self):
        """A small object far from the edges, which a sum of differences over the overlap would prefer."""
        (found,) = self.centers("", sinogram(phantom(20), np.array([0, np.pi]), 256, 140.4))
        self.check(140.4, found, 0.05)

    def test_rows_by_angles(self):
        """Of the scan, or given; the pairs of a whole turn; a scan that ends a step before half a turn."""
        discs, axis, width = phantom(40), 66.2, 128
        for angles in (np.arange(360) * np.pi / 180, np.arange(91) * np.pi / 90 + 0.3, np.arange(250) * np.pi / 180):
            rows = sinogram(discs, angles, width, axis, noise=0.01)
            step = angles[1] - angles[0]
            with self.subTest(number=len(angles)):
                self.check(axis, self.centers(f"angle-step={step!r}", rows), 0.1)
                self.check(axis, self.centers("", rows, event=scan_event(angles)), 0.1)
        angles = np.arange(1800) * np.pi / 1800
        self.check(axis, self.centers("", sinogram(discs, angles, width, axis)), 0.1)

    def test_every_format(self):
        rows = sinogram(phantom(25), np.array([0, np.pi]), 75, 36.3)
        rows = (rows - rows.min()) / np.ptp(rows) * 120
        for name in REAL:
            with self.subTest(format=name):
                (found,) = self.centers("", np.round(rows).astype(FORMATS[name]))
                self.check(36.3, found, 0.1)

    def test_planes_and_stream(self):
        discs, axes = phantom(25), (36.3, 40.1, 33.7)
        planes = np.array([sinogram(discs, np.array([0, np.pi]), 75, axis) for axis in axes])
        self.check(axes, self.centers("", planes), 0.05)
        self.check(axes, self.centers("", *planes), 0.05)

    def test_nothing_to_find(self):
        for a in (np.full((5, 64), 2.5, np.float32), np.full((5, 64), np.nan, np.float32)):
            self.assertTrue(np.isnan(self.centers("", a)[0]))
            self.assertIn("no axis", self.warnings[0])

    def test_a_nan_only_costs_its_overlaps(self):
        rows = sinogram(phantom(35), np.array([0, np.pi]), 128, 90.2)
        rows[0, 2] = np.nan
        self.check(90.2, self.centers("", rows), 0.05)

    def test_memory_and_state_cycles(self):
        arrays = [random_array(np.float32, (3, 17)) for _ in range(3)]
        self.check_memory("tomocenterofrotation", arrays, reference=arrays, tolerance=0)
        self.check_state_cycles("tomocenterofrotation", arrays, reference=arrays, tolerance=0)

    def test_errors(self):
        a = random_array(np.float32, (5, 17))
        self.assert_fails(["1 row", "two views"], "tomocenterofrotation", [a[:1]])
        self.assert_fails(["half a turn apart"], "tomocenterofrotation angle-step=0.1", [a])
        with Stream("tomocenterofrotation") as stream, self.assertRaises(PipelineError) as caught:
            stream.push(a, event=scan_event([0, 1, 2]))
            stream.finish()
        self.assertIn("3 angles", str(caught.exception))


if __name__ == "__main__":
    main()
