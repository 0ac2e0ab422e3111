# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Chains of general geometry give the attenuation of spheres: cone and fan beams, parts of a turn, laminography."""

from tomotest import *
from generaltest import text
import generalref

COLUMNS, SOURCE_DETECTOR = 96, 365.0
HALF_FAN = np.arctan(COLUMNS / 2 / SOURCE_DETECTOR)


def reconstruct(spheres, shape, geometry, edges, chain):
    """The slices at these middles of voxels along each axis, from exact projections."""
    views = len(geometry["axis-angle-z"])
    projections = generalref.project(spheres, geometry, shape, views).astype(np.float32)
    words = " ".join(f"{name}={text(values)}" for name, values in geometry.items())
    for name, (first, count) in zip(("x-region", "y-region", "region"), edges):
        words += f" {name}={text((first, first + count, 1))}"
    return np.array(run(f"{chain} ! tomorampfilter ! tomogeneralbackproject {words} num-projections={views}",
                        list(projections)))


class Cone(TestCase):
    def check(self, magnification=1.25, rows=64, turn=2 * np.pi, views=240, centre=COLUMNS / 2, weight=None, tolerance=0.005):
        source = SOURCE_DETECTOR / magnification
        detector = SOURCE_DETECTOR - source
        reach = COLUMNS / 2 / magnification
        height = 0.3 * reach if rows > 1 else 0.0
        start = rng.uniform(0, 2 * np.pi)
        spheres = []
        for i, (distance, r) in enumerate(((0.5, 0.25), (0.55, 0.22), (0.6, 0.2))):  # off the axis, 120 degrees apart
            angle = start + 2 * np.pi / 3 * i
            spheres.append((distance * reach * np.cos(angle), distance * reach * np.sin(angle), height * (i - 1), r * reach,
                            0.01 * (i + 1)))
        angles = rng.uniform(-4, 4) + np.arange(views) * turn / views
        geometry = {"source-position-y": -source, "detector-position-y": detector, "center-position-x": centre,
                    "center-position-z": rows / 2, "axis-angle-z": angles}
        distances = f"source-distance=<{source}> detector-distance=<{detector}> center-position-x=<{centre}>"
        chain = f"tomoconebeamprojectionweight {distances}"
        if weight:
            chain += f" ! tomoredundancyweight mode={weight} {distances} axis-angle-z={text(angles)}"
        count = 2 * int(reach)
        along = (0.5 - count / 2, count)
        z = along if rows > 1 else (0.0, 1)
        slices = reconstruct(spheres, (rows, COLUMNS), geometry, (along, along, z), chain)
        x = along[0] + np.arange(count)
        z, y, x = np.meshgrid(z[0] + np.arange(z[1]), x, x, indexing="ij")
        outside = np.hypot(x, y) < 0.9 * reach
        for *middle, radius, value in spheres:
            away = np.sqrt(sum((axis - m) ** 2 for axis, m in zip((x, y, z), middle)))
            outside &= away > radius + 3
            self.assertAlmostEqual(slices[away < radius - 3].mean() / value, 1.0, delta=tolerance)
        self.assertAlmostEqual(slices[outside].mean() / 0.02, 0.0, delta=0.005)

    def test_full_turn(self):
        for magnification in 1.0, 1.25, 1.8:
            with self.subTest(magnification=magnification):
                self.check(magnification)

    def test_cone_of_15_degrees(self):
        self.check(rows=2 * int(SOURCE_DETECTOR * np.tan(np.radians(7.5))))

    def test_short_scan(self):
        for turn in np.pi + 2 * HALF_FAN, 1.6 * np.pi:
            for sense in 1, -1:
                with self.subTest(turn=turn, sense=sense):
                    self.check(turn=sense * turn, weight="auto", tolerance=0.015)

    def test_detector_to_one_side(self):
        for centre in 36.0, 61.0:
            with self.subTest(centre=centre):
                self.check(centre=centre, weight="auto")

    def test_fan_beam(self):
        self.check(rows=1)
        self.check(rows=1, turn=np.pi + 2 * HALF_FAN, weight="auto")
        self.check(rows=1, centre=35.0, weight="auto")


class Laminography(TestCase):
    """A tilted axis leaves a double cone of frequencies unseen: the slices are those of a volume without it."""

    SIZE, PADDED = 32, 96

    def without_unseen(self, spheres, tilt):
        middles = np.arange(self.PADDED) - self.PADDED / 2 + 0.5
        volume = np.zeros((self.PADDED,) * 3)
        parts = (np.arange(4) - 1.5) / 4
        for x, y, z, radius, value in spheres:
            box = tuple(slice(int(m - radius + self.PADDED / 2) - 1, int(m + radius + self.PADDED / 2) + 2) for m in (z, y, x))
            for dz in parts:
                for dy in parts:
                    for dx in parts:
                        away = ((middles[box[0]] + dz - z)[:, None, None] ** 2 + (middles[box[1]] + dy - y)[:, None] ** 2 +
                                (middles[box[2]] + dx - x) ** 2)
                        volume[box] += value / 64 * (away < radius**2)
        f = np.fft.fftfreq(self.PADDED)
        seen = np.abs(f)[:, None, None] * np.sin(tilt) <= np.hypot(f[:, None], f) * np.cos(tilt) + 1e-12
        volume = np.fft.ifftn(np.fft.fftn(volume) * (seen if tilt else 1.0)).real
        part = slice((self.PADDED - self.SIZE) // 2, (self.PADDED + self.SIZE) // 2)
        return volume[part, part, part]

    def smooth(self, volume):
        low = np.exp(-20 * (2 * np.fft.fftfreq(self.SIZE)) ** 2)
        return np.fft.ifftn(np.fft.fftn(volume) * low[:, None, None] * low[:, None] * low).real

    def check(self, tilt, source=None, detector=None):
        spheres = [(7.0, 3.0, 1.0, 5.0, 0.03), (-6.0, -8.0, -3.0, 4.0, 0.02), (-5.0, 7.0, 0.0, 4.5, 0.01)]
        views, shape, centre = 240, (65, 67), (33.2, 32.1)
        geometry = {"axis-angle-x": tilt, "axis-angle-z": 0.2 + np.arange(views) * 2 * np.pi / views,
                    "center-position-x": centre[0], "center-position-z": centre[1]}
        chain = "identity"
        if source:
            geometry.update({"source-position-y": -source, "detector-position-y": detector})
            chain = f"tomoconebeamprojectionweight source-distance=<{source}> detector-distance=<{detector}> " \
                    f"center-position-x=<{centre[0]}> center-position-z=<{centre[1]}>"
        along = (0.5 - self.SIZE / 2, self.SIZE)
        slices = self.smooth(reconstruct(spheres, shape, geometry, (along,) * 3, chain))
        wanted = self.smooth(self.without_unseen(spheres, tilt))
        self.assertAlmostEqual((slices * wanted).sum() / (wanted**2).sum(), 1.0, delta=0.015)
        self.assertLess(np.linalg.norm(slices - wanted), 0.04 * np.linalg.norm(wanted))

    def test_parallel(self):
        for degrees in 0, 30, 60:
            with self.subTest(degrees=degrees):
                self.check(np.radians(degrees))

    def test_cone(self):
        self.check(np.radians(30), 700.0, 150.0)


if __name__ == "__main__":
    main()
