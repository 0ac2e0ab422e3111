# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomoremoverings against its float64 statement."""

from tomotest import *
from elementtest import Stream
from filtertest import FilterTestCase
from ring_removal import rings_of_slice


class RemoveRings(FilterTestCase):
    def test_properties(self):
        largest = float(np.finfo(np.float32).max)
        self.check_properties("tomoremoverings",
                              {"center-x": (-1.0, -1.0, 1e6), "center-y": (-1.0, -1.0, 1e6), "width": (30, 1, 200),
                               "threshold": (largest, 0.0, largest), "minimum": (-largest, -largest, largest),
                               "maximum": (largest, -largest, largest), "arc": (30.0, 0.0, 360.0)})

    def test_reference(self):
        self.check_filter("tomoremoverings width=3", lambda a: rings_of_slice(a, width=3), 1e-4,
                          ((1, 1), (1, 13), (17, 1), (2, 3), (31, 37)))

    def test_centres_and_parameters(self):
        for center, width, arc in (((18.5, 14.25), 1, 0), ((9, 20), 30, 90), ((30.75, 15.5), 5, 360), ((0, 3), 2, 10)):
            self.check(f"tomoremoverings center-x={center[0]} center-y={center[1]} width={width} arc={arc}",
                       [random_array(np.float32, (31, 37))],
                       lambda a: rings_of_slice(a, center, width, arc=arc), 1e-4)

    def test_lengths(self):
        """Radii of several work-items, and of one more."""
        for size in 256, 258:
            self.check("tomoremoverings width=4 arc=5", [random_array(np.float32, (size, size))],
                       lambda a: rings_of_slice(a, width=4, arc=5), 1e-4)

    def test_limits(self):
        """Values that are a step apart, so that rounding moves none over the threshold but where both are sampled."""
        a = rng.standard_normal((41, 43)).astype(np.float32)
        self.check("tomoremoverings width=3 minimum=-0.5 maximum=0.75", [a],
                   lambda a: rings_of_slice(a, width=3, limits=(-0.5, 0.75)), 1e-4)
        y, x = np.mgrid[:41, :43] + 0.5
        a = (0.001 * a + ((np.hypot(x - 30, y - 20) < 4) * 10)).astype(np.float32)
        wanted = rings_of_slice(a.astype(np.float64), width=6, threshold=0.004)
        (result,) = run("tomoremoverings width=6 threshold=0.004", [a])
        np.testing.assert_allclose(result, wanted, atol=5e-5)
        self.assertGreater(abs(rings_of_slice(a.astype(np.float64), width=6) - wanted).max(), 0.1)

    def test_not_finite(self):
        a = random_array(np.float32, (31, 37))
        a[5, 7], a[20, 22], a[16, 30] = np.nan, np.inf, -np.inf
        (result,) = run("tomoremoverings width=2", [a])
        wanted = rings_of_slice(a.astype(np.float64), width=2)
        finite = np.isfinite(a)
        np.testing.assert_array_equal(result[~finite], a[~finite])
        self.assert_close(result[finite], wanted[finite], 1e-4)

    def test_removes_rings(self):
        """Whole ones and arcs, thin and wide, off the middle; the object stays."""
        y, x = np.mgrid[:160, :180] + 0.5
        radius, angle = np.hypot(x - 85, y - 82), np.arctan2(y - 82, x - 85)
        clean = np.exp(-((x - 100) ** 2 + (y - 70) ** 2) / 6000)
        rings = sum(height * np.exp(-((radius - place) / size) ** 2) * there
                    for height, place, size, there in ((0.2, 40, 1.5, 1), (-0.3, 61, 2, 1), (0.2, 21, 1.5, angle > 0)))
        (result,) = run("tomoremoverings width=6 center-x=85 center-y=82", [(clean + rings).astype(np.float32)])
        self.assertLess(np.linalg.norm(result - clean), 0.45 * np.linalg.norm(rings))

    def test_errors(self):
        a = random_array(np.float32, (7, 9))
        self.assert_fails(["centre (9.5, 3.5)", "9 x 7"], "tomoremoverings center-x=9.5", [a])
        self.assert_fails(["minimum=2", "maximum=1"], "tomoremoverings minimum=2 maximum=1", [a])
        with Stream("tomoremoverings name=r maximum=1") as stream:
            stream.through(a)
            stream["r"].set_property("minimum", 2.0)
            with self.assertRaisesRegex(PipelineError, "minimum=2 is above maximum=1"):
                stream.through(a)


if __name__ == "__main__":
    main()
