# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomolaminobackproject against its formula in float64."""

import sys

from tomotest import *
from elementtest import ElementTestCase, Stream, scan_event
from generalref import sample
from padtest import Pads, arrays_of
import tomoref

NAME = "tomolaminobackproject"
TOLERANCE = 1e-5


def backproject(projections, x, y, z, angles, weights, centre, lamino, roll=0.0):
    total = np.zeros((y.size, x.size))
    x, y = x[None, :], y[:, None]
    for projection, t, weight in zip(projections, angles, weights):
        u = x * np.cos(t) + y * np.sin(t)
        v = np.cos(lamino) * (x * np.sin(t) - y * np.cos(t)) + z * np.sin(lamino)
        column, row = u * np.cos(roll) + v * np.sin(roll), v * np.cos(roll) - u * np.sin(roll)
        total += weight * sample(projection.astype(float), column + centre[0], row + centre[1])
    return total


def noise(views, shape):
    return [random_array(np.float32, shape) for _ in range(views)]


class LaminoBackproject(ElementTestCase):
    def test_properties(self):
        largest, single = sys.float_info.max, float(np.finfo(np.float32).max)
        self.check_properties(NAME, {
            "x-region": [], "y-region": [], "region": [], "projection-offset": [], "center": [],
            "z": (0.0, -single, single),
            "overall-angle": (0.0, -single, single),
            "num-projections": (0, 0, 32768),
            "tomo-angle": (-single, -single, single),
            "lamino-angle": (0.0, -single, single),
            "roll-angle": (0.0, -single, single),
            "parameter": ("z", {"z", "x-center", "lamino-angle", "roll-angle"}),
            "addressing-mode": ("clamp", {"none", "clamp", "clamp_to_edge", "repeat", "mirrored_repeat"}),
        })

    def test_formula(self):
        for shape, views in ((31, 37), 13), ((1, 7), 3), ((8, 1), 1), ((1, 1), 2):
            for count in 3, 18:
                with self.subTest(shape=shape, count=count):
                    projections = noise(views, shape)
                    lamino, roll, overall = (float(np.float32(v)) for v in rng.uniform(0.3, 1.8, 3))
                    centre, offset = rng.uniform(0, 40, 2), rng.integers(0, 9, 2)
                    x, y = np.arange(-9, 11, 2.0), np.arange(-12, 9, 3.0)
                    results = run(f"{NAME} lamino-angle={lamino!r} roll-angle={roll!r} overall-angle={overall!r} "
                                  f"x-region=<-9,11,2> y-region=<-12,9,3> region=<-4,{-4 + count},1> "
                                  f"center=<{centre[0]},{centre[1]}> projection-offset=<{offset[0]},{offset[1]}>", projections)
                    self.assertEqual(len(results), count)
                    for z, result in zip(range(-4, count), results):
                        wanted = backproject(projections, x, y, z, np.arange(views) * overall / views,
                                             np.full(views, overall / views), centre - offset, lamino, roll)
                        self.assert_close(result, wanted, TOLERANCE, size=np.full_like(wanted, overall))

    def test_sweeps(self):
        projections = noise(7, (21, 23))
        x = np.arange(-8, 9.0)
        known = {"lamino": 1.1, "roll": 0.2, "centre": (11.2, 10.1)}
        for parameter, key in ("x-center", "centre"), ("lamino-angle", "lamino"), ("roll-angle", "roll"):
            values = 0.3 + 0.2 * np.arange(4)
            results = run(f"{NAME} lamino-angle=1.1 roll-angle=0.2 overall-angle=6 z=2.5 center=<11.2,10.1> x-region=<-8,9,1> "
                          f"y-region=<-8,9,1> parameter={parameter} region=<0.3,1.05,0.2>", projections)
            self.assertEqual(len(results), 4)
            for value, result in zip(values, results):
                geometry = dict(known, **{key: (value, 10.1) if key == "centre" else value})
                wanted = backproject(projections, x, x, 2.5, np.arange(7) * 6 / 7, np.full(7, 6 / 7), **geometry)
                self.assert_close(result, wanted, 2e-5)  # angles are float32 as well

    def test_angles_one_by_one(self):
        projections = noise(9, (11, 13))
        angles = np.float32(np.linspace(0.2, 5, 9))
        words = f"{NAME} lamino-angle=1 center=<6,5> x-region=<-5,6,1> y-region=<-5,6,1>"
        x = np.arange(-5, 6.0)
        for overall, weights in (" overall-angle=4.5", np.full(9, 0.5)), ("", None):
            with Pads(words + overall) as pads:
                for projection, angle in zip(projections, angles):
                    pads.element.set_property("tomo-angle", float(angle))
                    pads.push(projection)
                pads.eos()
                (result,) = arrays_of(pads.outputs)
            if weights is None:  # evenly over a part of a turn, raised to a full one, with the sine of the tilt
                weights = np.full(9, np.pi / 9 * np.sin(1))
            wanted = backproject(projections, x, x, 0, angles.astype(float), weights, (6, 5), 1.0)
            self.assert_close(result, wanted, 2e-5)

    def test_upright_is_tomobackproject_mirrored(self):
        """At L = pi/2, with the angles of the scan: y as in tomobackproject."""
        views, height, width, axis = 12, 3, 17, 7.7
        projections = noise(views, (height, width))
        angles = 0.4 + np.arange(views) * np.pi / views
        start = 0.5 - axis
        region = f"<{start},{start + width - 0.5},1>"
        with Stream(f"{NAME} lamino-angle={np.pi / 2} center=<{axis},{height / 2}> x-region={region} y-region={region} "
                    "region=<-1,1.5,1>") as stream:
            for i, projection in enumerate(projections):
                stream.push(projection, event=scan_event(angles) if i == 0 else None)
            results = stream.finish()
        for row, result in enumerate(results):
            sinogram = np.array([p[row] for p in projections], float)
            self.assert_close(result, tomoref.backproject_linear(sinogram, angles=angles, axis=axis), TOLERANCE)

    def test_errors(self):
        projections = noise(3, (5, 7))
        self.assert_fails(["center has 3 values"], f"{NAME} center=<1,2,3>", projections)
        self.assert_fails(["projection-offset has 1 values"], f"{NAME} projection-offset=<1>", projections)
        self.assert_fails(["3 projections", "num-projections=5"], f"{NAME} lamino-angle=1 num-projections=5", projections)
        self.assert_fails(["axis is along the beam of projection 0", "set lamino-angle"], NAME, projections)

    def test_projection_offset(self):
        """Where a crop begins counts for a centre from before it, not for the axis that the scan tells of what came."""
        projections = noise(6, (9, 11))
        words = f"{NAME} lamino-angle=1.2 overall-angle=6 x-region=<-3,3,1> y-region=<-3,3,1> region=<-1,2,1>"
        wanted = run(f"{words} center=<5,4.5>", projections)
        np.testing.assert_array_equal(run(f"{words} center=<9,6.5> projection-offset=<4,2>", projections), wanted)
        for axis in 5.0, None:
            with Stream(f"{words} projection-offset=<4,2>") as stream:
                for i, projection in enumerate(projections):
                    stream.push(projection, event=scan_event(axis=axis) if i == 0 and axis else None)
                results = stream.finish()
            if axis is None:
                wanted = run(f"{words} center=<5.5,4.5>", projections)
            np.testing.assert_array_equal(results, wanted)


if __name__ == "__main__":
    main()
