# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomogeneralbackproject against the steps of its geometry in float64, and against spheres whose values are known."""

import os
import subprocess
import sys
import tempfile

from tomotest import *
from elementtest import ElementTestCase, Stream, scan_event
from generaltest import random_geometry, text
from padtest import Pads, arrays_of, scan_event as pads_scan_event
import generalref
import tomoref
from generalref import PARTS

TOLERANCE = 1e-5
NAME = "tomogeneralbackproject"


def line(geometry, **properties):
    """The element with this geometry; in names of properties, _ stands for -."""
    words = [NAME] + [f"{name}={text(value)}" for name, value in geometry.items()]
    for name, value in properties.items():
        words.append(f"{name.replace('_', '-')}={value if isinstance(value, (str, int, float)) else text(value)}")
    return " ".join(words)


def region(start, step, count):
    return start, start + (count - 0.5) * step, step


def points(of):
    start, to, step = of
    return start + step * np.arange(int(np.ceil((to - start) / step)))


def noise(views, shape, dtype=np.float32):
    return [random_array(dtype, shape) for _ in range(views)]


class GeneralBackproject(ElementTestCase):
    def check(self, projections, geometry, x, y, z, tolerance=TOLERANCE, sweep=None, addressing="clamp", overall=None,
              **properties):
        """Against the reference, with the weights of an overall angle."""
        overall = overall or rng.uniform(1, 6)
        weights = np.full(len(projections), abs(overall) / len(projections))
        if "axis-angle-z" not in geometry or np.size(geometry["axis-angle-z"]) == 1:
            offset = geometry.get("axis-angle-z", 0.0)
            turned = dict(geometry, **{"axis-angle-z": np.arange(len(projections)) * overall / len(projections) + offset})
        else:
            turned = geometry
        slices = points(properties["region"]) if "region" in properties else z
        wanted = generalref.backproject(projections, turned, points(x), points(y), z if sweep else slices, weights,
                                        addressing, (sweep, slices) if sweep else None)
        if sweep:
            properties.update(parameter=sweep, z=z)
        results = run(line(geometry, x_region=x, y_region=y, overall_angle=overall, addressing_mode=addressing,
                           **properties), projections)
        self.assertEqual(len(results), len(wanted))
        self.assert_close(np.array(results), wanted, tolerance)
        return results

    def test_properties(self):
        largest = sys.float_info.max
        parts = {name: [] for name in PARTS}
        regions = {name: [] for name in ("region", "x-region", "y-region")}
        numbers = {"single", "half"}
        self.check_properties(NAME, {
            **parts, **regions,
            "burst": (0, 0, 128),
            "parameter": ("z", {*PARTS, "z"}),
            "z": (0.0, -largest, largest),
            "compute-type": ("float", {"float", "double"}),
            "result-type": ("float", {"half", "float", "double"}),
            "store-type": ("float", {"half", "float", "double", "uchar", "ushort", "uint"}),
            "precision-mode": ("single", numbers),
            "addressing-mode": ("clamp", set(generalref.PAD)),
            "overall-angle": (0.0, -largest, largest),
            "angle-step": (0.0, -largest, largest),
            "gray-map-min": (0.0, -largest, largest),
            "gray-map-max": (0.0, -largest, largest),
            "num-projections": (0, 0, 32768),
            "devices": None,
            **{name: (0, 0, 2**32 - 1) for name in ("first-slice", "num-slices", "first-row", "detector-rows")},
        })

    def test_any_geometry(self):
        shape = 37, 43
        for is_cone in True, False:
            for planes in 3, 20:
                for _ in range(3):
                    views = int(rng.integers(1, 30))
                    geometry = random_geometry(shape, views, is_cone)
                    with self.subTest(geometry=geometry):
                        self.check(noise(views, shape), geometry, region(-14.3, 1.1, 23), region(9.2, -0.7, 29), None,
                                   region=region(-12.3, 1.21, planes))

    def test_upright(self):
        shape = 37, 43
        for source in -np.inf, -150.0:
            for planes in 3, 20:
                with self.subTest(source=source, planes=planes):
                    self.check(noise(11, shape), {"source-position-y": source, "detector-position-y": 30.0,
                                                  "center-position-x": 20.3, "center-position-z": 17.7},
                               region(-20.0, 1.0, 41), region(-18.5, 1.0, 37), None, region=region(-11, 1.0, planes))


    def test_equal_steps_of_a_turn(self):
        """Four views at a time, in any arrangement whose volume alone turns about its middle; both senses, odd and even sides."""
        shape = 41, 37
        for sense, side, views in (1, 11, 12), (-1, 12, 8), (1, 13, 4), (-1, 70, 4), (1, 1, 4), (-1, 2, 12), (1, 33, 16):
            for tilt in {}, {"axis-angle-x": 0.3, "detector-angle-y": 0.05, "detector-angle-x": 0.1}:
                for source in -200.0, -np.inf:
                    geometry = {"axis-angle-z": [0.37], "source-position-y": source, "detector-position-y": 25.0,
                                "source-position-x": 3.0, "center-position-x": 20.3, "center-position-z": 18.2,
                                "detector-position-x": 1.5, **tilt}
                    step = rng.uniform(0.4, 1.1)
                    # The axis through a middle of voxels, or between some; and columns that are no square.
                    off = rng.integers(0, 2) / 2
                    x, y = (region(-sign * step * ((count - 1) / 2 + off + (count - side) / 2), sign * step, count)
                            for sign, count in zip(rng.choice((-1, 1), 2), (side, side + rng.integers(0, 3))))
                    with self.subTest(geometry=geometry, sense=sense, side=side, views=views):
                        self.check(noise(views, shape), geometry, x, y, None, region=region(-9.3, 1.1, 19),
                                   overall=sense * 2 * np.pi, num_projections=views)

    def test_nearly_equal_steps(self):
        """What may be four views at a time at first, and is not after all; nothing of it is lost."""
        shape, views, side = (41, 37), 12, 15
        box = region(-7.0, 1.0, side), region(-7.0, 1.0, side), None
        heights = {"region": region(-9.3, 1.1, 19)}
        steps = 0.2 + np.arange(views) * 2 * np.pi / views
        for wrong in None, 1, 2, 3, 4, 11:
            angles = steps.copy()
            if wrong is not None:
                angles[wrong] += 0.01
            geometry = {"axis-angle-z": angles, "source-position-y": -200.0, "center-position-x": 20.3, "center-position-z": 18.2}
            for words in {}, {"precision_mode": "half"}:
                with self.subTest(wrong=wrong, **words):
                    self.check(noise(views, shape), geometry, *box, overall=2 * np.pi, num_projections=views,
                               tolerance=1e-3 if words else TOLERANCE, **heights, **words)
        geometry["axis-angle-z"] = steps
        projections = noise(views, shape)
        # The source moves; the volume is off the axis; its sides or voxels are uneven; views are not four times as many.
        moving = {**geometry, "source-position-z": np.linspace(0, 1, views)}
        for given, x, y in ((moving, *box[:2]), (geometry, region(-6.9, 1.0, side), box[1]), (geometry, box[0], region(-6.0, 1.0, 13)),
                            (geometry, box[0], region(-6.3, 0.9, side))):
            self.check(projections, given, x, y, None, overall=2 * np.pi, num_projections=views, **heights)
        self.check(projections[:10], {**geometry, "axis-angle-z": steps[:10] * 1.2}, *box, overall=2 * np.pi, num_projections=10,
                   **heights)

    def test_slices_at_any_steps(self):
        """Columns of voxels that are seen in one line of the projection: upright axes, and tilts in a parallel beam."""
        shape = 51, 43
        cases = (({"source-position-y": -180.0, "detector-position-y": 20.0}, 0.37, "clamp"),
                 ({"source-position-y": -180.0, "detector-position-y": 20.0}, -1.9, "clamp"),
                 ({"source-position-y": -180.0, "detector-position-y": 20.0}, 1.0, "clamp_to_edge"),
                 ({"source-position-y": -1800.0, "detector-angle-x": 0.3}, -1.0, "clamp"),
                 ({"axis-angle-x": 0.6}, 1.0, "clamp"), ({"axis-angle-x": 0.6}, 17.0, "clamp"),
                 ({"axis-angle-x": -0.2, "detector-position-y": 3.0}, -1.3, "clamp_to_edge"))
        for geometry, step, addressing in cases:
            with self.subTest(geometry=geometry, step=step, addressing=addressing):
                self.check(noise(9, shape), {**geometry, "center-position-x": 20.3, "center-position-z": 27.1},
                           region(-12.0, 1.3, 19), region(9.0, -0.9, 21), None, region=region(-33 * step, step, 67),
                           addressing=addressing)

    def test_a_nan_in_a_line(self):
        projections = noise(5, (39, 23))
        projections[3][17, 11] = np.nan
        geometry = {"source-position-y": -150.0, "center-position-x": 11.4, "center-position-z": 19.3,
                    "axis-angle-z": rng.uniform(-3, 3, 5)}
        box = region(-7.1, 1.0, 15), region(-7.2, 1.0, 15), region(-15.3, 1.0, 31)
        wanted = generalref.backproject(projections, geometry, *map(points, box), np.ones(5))
        self.assertTrue(np.isnan(wanted).any())
        results = np.array(run(line(geometry, x_region=box[0], y_region=box[1], region=box[2], overall_angle=5.0), projections))
        np.testing.assert_array_equal(np.isnan(results), np.isnan(wanted))
        good = ~np.isnan(wanted)
        self.assert_close(results[good], wanted[good], TOLERANCE)

    def test_all_projections_known_before(self):
        # Each is added as it comes; else they are held until the end.
        shape, views = (37, 43), 21
        geometry = random_geometry(shape, views, True)
        box = region(-14.3, 1.1, 23), region(9.2, -0.7, 29), None
        for planes in 3, 20:
            projections = noise(views, shape)
            overall = rng.uniform(-6, -1)
            at_once, at_the_end = (
                self.check(projections, geometry, *box, region=region(-3, 1.0, planes), overall=overall, burst=5, **number)
                for number in ({"num_projections": views}, {}))
            np.testing.assert_array_equal(at_once, at_the_end)

    def test_sizes(self):
        for shape in (1, 1), (1, 13), (17, 1), (2, 3), (31, 29):
            for views in 1, 3:
                for planes in 1, 17:
                    with self.subTest(shape=shape, views=views, planes=planes):
                        geometry = {"center-position-x": shape[1] / 2, "center-position-z": shape[0] / 2,
                                    "axis-angle-z": rng.uniform(-3, 3, views), "axis-angle-x": 0.2,
                                    "source-position-y": -200.0}
                        self.check(noise(views, shape), geometry, region(-2, 0.9, 5), region(-3, 0.9, 7), None,
                                   region=region(-0.9, 0.11, planes))

    def test_formats(self):
        shape, views = (9, 11), 4
        geometry = random_geometry(shape, views, True)
        for name in REAL:
            with self.subTest(format=name):
                self.check(noise(views, shape, FORMATS[name]), geometry, region(-4, 1.0, 9), region(-4, 1.0, 9), None,
                           region=region(-2, 1.0, 3))

    def test_planes_are_projections(self):
        shape, views = (9, 11), 12
        geometry = random_geometry(shape, views, False)
        projections = noise(views, shape)
        words = line(geometry, x_region=region(-4, 1.0, 9), y_region=region(-4, 1.0, 9), region=region(-4, 1.0, 3))
        single = run(words, projections)
        for number in "", " num-projections=12":
            np.testing.assert_array_equal(run(words + number, list(np.array(projections).reshape(4, 3, *shape))), single)
        self.assert_fails(["num-projections=4", "array of 3 projections"], f"{NAME} num-projections=4",
                          list(np.array(projections).reshape(4, 3, *shape)))

    def test_types(self):
        shape, views = (19, 23), 9
        geometry = random_geometry(shape, views, True)
        box = region(-7, 1.0, 15), region(-7, 1.0, 15), None
        heights = {"region": region(-4, 1.0, 17)}
        projections = noise(views, shape)
        self.check(projections, geometry, *box, tolerance=1e-12, compute_type="double", result_type="double",
                   store_type="double", **heights)
        for tolerance, words in ((1e-5, {"compute_type": "double"}), (1e-5, {"result_type": "double"}),
                                 (2e-3, {"result_type": "half"}), (1e-3, {"precision_mode": "half"}),
                                 (1e-3, {"store_type": "half"})):
            with self.subTest(**words):
                (result, *_) = self.check(projections, geometry, *box, tolerance=tolerance, burst=5, **words, **heights)
                self.assertEqual(result.dtype, np.float16 if "store_type" in words else np.float32)

    def test_integers(self):
        shape, views = (9, 11), 3
        geometry = random_geometry(shape, views, False)
        words = dict(x_region=region(-4, 1.0, 9), y_region=region(-4, 1.0, 9), region=region(-2, 1.0, 2), overall_angle=2.0)
        projections = noise(views, shape)
        exact = np.array(run(line(geometry, compute_type="double", result_type="double", store_type="double", **words),
                             projections))
        low, high = -0.5, 0.8
        for store, dtype in ("uchar", np.uint8), ("ushort", np.uint16), ("uint", np.uint32):
            largest = np.iinfo(dtype).max
            for least, most in (low, high), (high, low):
                results = np.array(run(line(geometry, store_type=store, gray_map_min=least, gray_map_max=most, **words),
                                       projections))
                self.assertEqual(results.dtype, dtype)
                wanted = np.clip((exact - least) / (most - least) * largest, 0, largest)
                self.assertTrue((wanted == 0).any() and (wanted == largest).any())
                off = np.abs(results - wanted).max()
                self.assertLess(off, 0.5 + 2e-6 * largest)
        for low, high in (-1e308, 1e308), (0, 1e-300):
            self.assert_fails([f"gray-map-min={low:g} and gray-map-max={high:g}", "store-type=uint"],
                              line(geometry, store_type="uint", gray_map_min=low, gray_map_max=high, **words), projections)
        self.assert_fails(["gray-map-min and gray-map-max are both 0", "store-type=uchar"],
                          line(geometry, store_type="uchar", **words), projections)

    def test_addressing(self):
        shape = 9, 11
        geometry = {"axis-angle-z": rng.uniform(-3, 3, 5), "axis-angle-x": 0.4, "source-position-y": -100.0,
                    "center-position-x": 5.3, "center-position-z": 4.1}
        for addressing in generalref.PAD:
            for planes in 3, 20:
                with self.subTest(addressing=addressing, planes=planes):
                    self.check(noise(5, shape), geometry, region(-24, 1.7, 29), region(-24, 1.7, 29), None,
                               region=region(-20, 2.0, planes), addressing=addressing)

    def test_sweeps(self):
        shape, views = (19, 23), 7
        for name in PARTS:
            with self.subTest(parameter=name):
                geometry = random_geometry(shape, views, True)
                if name != "axis-angle-z":
                    geometry.pop(name)
                middle = {"source-position-y": -90.0, "detector-position-y": 9.0}.get(
                    name, 0.0 if "angle" in name else 3.0)
                self.check(noise(views, shape), geometry, region(-7, 1.0, 15), region(-7, 1.0, 15), rng.uniform(-4, 4),
                           region=region(middle, 0.11 if "angle" in name else 1.3, 5), sweep=name)

    def test_default_regions(self):
        shape, views = (8, 11), 3
        geometry = {"center-position-x": 5.0, "center-position-z": 3.0, "axis-angle-z": [0.1, 0.7, 2.0]}
        projections = noise(views, shape)
        (result,) = run(line(geometry, z=1.25, overall_angle=3.0), projections)
        wanted = generalref.backproject(projections, geometry, np.arange(11) - 5.5, np.arange(11) - 5.5, [1.25], [1.0] * 3)
        self.assert_close(result, wanted[0], TOLERANCE)
        (result,) = run(line(geometry, z=1.25, overall_angle=3.0, region=(0, 0, 0), x_region=(0, 0, 0)), projections)
        self.assert_close(result, wanted[0], TOLERANCE)
        # Without a sweep's region: the geometry as it is.
        (result,) = run(line(geometry, z=1.25, overall_angle=3.0, parameter="axis-angle-x"), projections)
        self.assert_close(result, wanted[0], TOLERANCE)
        # Rounding makes no step more: 0.1 + 0.2 > 0.3.
        self.assertEqual(len(run(line(geometry, region=(0.1, 0.1 + 0.2 * 3, 0.2)), projections)), 3)

    def test_a_nan(self):
        shape, views = (19, 23), 5
        geometry = {**random_geometry(shape, views, True), "detector-position-x": 0.3, "detector-position-z": 0.2}
        projections = noise(views, shape)
        column, row, _ = generalref.see(np.zeros((3, 1)), generalref.numbers(geometry, 2))
        projections[2][int(np.clip(row[0], 0, 18)), int(np.clip(column[0], 0, 22))] = np.nan  # where the middle is seen
        box = region(-7, 1.0, 15), region(-7, 1.0, 15), [0.0]
        weights = np.ones(views)
        wanted = generalref.backproject(projections, geometry, *map(points, box[:2]), box[2], weights)
        (result,) = run(line(geometry, x_region=box[0], y_region=box[1], overall_angle=float(views)), projections)
        self.assertTrue(0 < np.isnan(wanted).sum() < wanted.size)
        np.testing.assert_array_equal(np.isnan(result), np.isnan(wanted[0]))
        good = ~np.isnan(wanted[0])
        self.assert_close(result[good], wanted[0][good], TOLERANCE)
        (result,) = run(line(geometry, x_region=box[0], y_region=box[1], overall_angle=5.0, store_type="uchar",
                             gray_map_max=1.0), projections)
        self.assertTrue((result[~good] == 0).all())

    def test_angles(self):
        """From properties, the scan, the frames, or nowhere; weights without an overall angle."""
        shape, views = (9, 11), 8
        projections = noise(views, shape)
        box = dict(x_region=region(-4, 1.0, 9), y_region=region(-4, 1.0, 9), region=region(-2, 1.0, 3))
        known = {"center-position-x": 5.2, "center-position-z": 4.0}

        def wanted(geometry, weights):
            return generalref.backproject(projections, {**known, **geometry},
                                          *(points(box[name]) for name in ("x_region", "y_region", "region")), weights)

        def stream(words, angles=(), count=None):
            with Stream(words) as stream:
                if count:
                    stream["src0"].set_property("num-buffers", count)
                for i, projection in enumerate(projections):
                    stream.push(projection, event=scan_event(angles) if i == 0 and len(angles) else None)
                return stream.finish(), stream

        half = 0.3 + np.arange(views) * np.pi / views
        whole = -0.4 - np.arange(views) * 2 * np.pi / views
        uneven = np.cumsum(rng.uniform(0.33, 0.39, views))
        for angles in half, whole, uneven:
            weights = tomoref.projection_weights(angles)[0]
            lines = [line(known, **box), line({**known, "axis-angle-z": angles}, **box)]
            if angles is not uneven:
                lines.append(line({**known, "axis-angle-z": angles[0]}, angle_step=float(angles[1] - angles[0]), **box))
            for words in lines:
                results, _ = stream(words, angles)  # properties win over the scan
                self.assert_close(np.array(results), wanted({"axis-angle-z": angles}, weights), TOLERANCE)
        # One value is added.
        results, _ = stream(line({**known, "axis-angle-z": 0.25}, **box), half)
        self.assert_close(np.array(results), wanted({"axis-angle-z": half + 0.25}, [np.pi / views] * views), TOLERANCE)
        # From nowhere.
        results, told = stream(line(known, **box))
        turn = np.arange(views) * 2 * np.pi / views
        self.assert_close(np.array(results), wanted({"axis-angle-z": turn}, [np.pi / views] * views), TOLERANCE)
        self.assertTrue(any("taken for a full turn" in warning for warning in told.warnings()))
        effective = told.element_messages("tomo-effective")[-1]
        self.assertEqual(effective.get_int("projections")[1] if effective.get_int("projections")[0]
                         else effective.get_uint("projections")[1], views)
        # A cone beam and a tilted axis: a full turn counts once, distances are 1 at the axis, the tilt counts.
        cone = {"source-position-y": -100.0, "detector-position-y": 25.0}
        results, _ = stream(line({**known, **cone}, **box), whole)
        self.assert_close(np.array(results), wanted({"axis-angle-z": whole, **cone}, [np.pi / views / 1.25**2] * views),
                          TOLERANCE)
        short = np.arange(views) * 0.5
        results, _ = stream(line({**known, **cone}, **box), short)
        self.assert_close(np.array(results), wanted({"axis-angle-z": short, **cone}, [np.pi / views / 1.25**2] * views),
                          TOLERANCE)
        results, _ = stream(line({**known, "axis-angle-x": 0.6}, **box), whole)
        self.assert_close(np.array(results),
                          wanted({"axis-angle-z": whole, "axis-angle-x": 0.6}, [np.pi / views * np.cos(0.6)] * views),
                          TOLERANCE)

    def test_several_volumes(self):
        shape, views = (9, 11), 5
        geometry = random_geometry(shape, views, True)
        words = line(geometry, x_region=region(-4, 1.0, 9), y_region=region(-4, 1.0, 9), region=region(-2, 1.0, 3))
        projections = noise(3 * views, shape)
        results = run(f"{words} num-projections={views}", projections)
        self.assertEqual(len(results), 9)
        for i in range(3):
            np.testing.assert_array_equal(results[3 * i:3 * i + 3], run(words, projections[i * views:(i + 1) * views]))
        self.assert_fails(["4 projections came", "num-projections=5"], f"{words} num-projections=5", projections[:9])

    def test_a_shorter_stack_at_the_end(self):
        projections = noise(6, (9, 11))
        words = line({"center-position-x": 5.0}, region=(-1, 2, 1), overall_angle=6.0)
        wanted = run(words, projections)
        stacks = [np.stack(projections[:4]), np.stack(projections[4:])]
        for number in "", " num-projections=6":
            np.testing.assert_array_equal(run(words + number, stacks), wanted)
        # The number of stacks, as a file tells it, is not that of projections.
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "projections.npy")
            np.save(path, np.array(projections))
            np.testing.assert_array_equal(run(f"tomoread path={path} ! tomostack number=4 ! {words}"), wanted)

    def test_volumes_of_scans(self):
        """Angles are counted from their scan event on, over changes of the shape."""
        angles = [np.sort(rng.uniform(0, 6, 6)) for _ in range(2)]
        words = line({"center-position-x": 5.0}, region=(-1, 2, 1))
        projections = noise(6, (9, 11)) + noise(3, (9, 11)) + noise(3, (7, 13))
        with Stream(f"{words} num-projections=3") as stream:
            for i, projection in enumerate(projections):
                stream.push(projection, event=scan_event(angles[i // 6]) if i % 6 == 0 else None)
            results = stream.finish()
        self.assertEqual(sum("no axis" in warning for warning in stream.warnings()), 0)
        self.assertEqual(len(results), 12)
        for i in range(4):
            known = {"center-position-x": 5.0, "axis-angle-z": angles[i // 2][i % 2 * 3:][:3]}
            for result, wanted in zip(results[3 * i:3 * i + 3], run(line(known, region=(-1, 2, 1)), projections[3 * i:3 * i + 3])):
                np.testing.assert_array_equal(result, wanted)

    def test_more_angles_than_projections(self):
        projections, angles = noise(6, (9, 11)), np.linspace(0, 3, 10)
        with Stream(line({"center-position-x": 5.0})) as stream:
            for i, projection in enumerate(projections):
                stream.push(projection, event=scan_event(angles) if i == 0 else None)
            (result,) = stream.finish()
        self.assertTrue(any("the scan has 10 angles, but 6 projections came" in warning for warning in stream.warnings()))
        np.testing.assert_array_equal(result, run(line({"center-position-x": 5.0, "axis-angle-z": angles[:6]}), projections)[0])

    def test_angles_of_frames(self):
        try:
            import gi
            gi.require_version("GstTomo", "1.0")
        except ValueError:
            self.skipTest("built without GstTomo-1.0.typelib")
        from gi.repository import GstTomo

        angles, projections = list(np.sort(rng.uniform(0, 6, 5))), noise(5, (9, 11))
        known = {"center-position-x": 5.0}

        def stream(words, given):
            with Stream(words) as stream:
                of = caps(np.float32, (9, 11))
                stream["src0"].set_property("caps", of)
                for i, (projection, angle) in enumerate(zip(projections, given)):
                    buffer = to_buffer(projection, i)
                    GstTomo.buffer_add_tomo_frame_meta(buffer, i, np.nan if angle is None else angle, Gst.CLOCK_TIME_NONE, None)
                    stream["src0"].push_sample(Gst.Sample.new(buffer, of, None, None))
                return stream.finish()

        (wanted,) = run(line({**known, "axis-angle-z": angles}), projections)
        for number in "", " num-projections=5":
            words = line(known) + number
            np.testing.assert_array_equal(stream(words, angles)[0], wanted)
            for given, missing in ([None] + angles[1:], 0), (angles[:-1] + [None], 4):
                with self.assertRaisesRegex(PipelineError, f"projection {missing} of the volume has no angle.*set axis-angle-z"):
                    stream(words, given)
        stream(line({**known}, overall_angle=3.0), angles[:-1] + [None])

    def test_other_movements(self):
        """The source moves, the object does not: all projections count the same. Equal values in a list are one value."""
        shape, views = (9, 11), 6
        projections = noise(views, shape)
        box = dict(x_region=region(-4, 1.0, 9), y_region=region(-4, 1.0, 9), region=region(-2, 1.0, 3))
        geometry = {"center-position-x": 5.2, "center-position-z": 4.0, "source-position-y": -50.0,
                    "source-position-x": np.linspace(-5, 5, views), "axis-angle-z": np.zeros(views)}
        wanted = generalref.backproject(projections, geometry, *(points(box[name]) for name in ("x_region", "y_region", "region")),
                                        [np.pi / views] * views)
        self.assert_close(np.array(run(line(geometry, **box), projections)), wanted, TOLERANCE)
        self.assert_fails(["look in one direction", "set axis-angle-z"],
                          line({**geometry, "source-position-x": 1.0}, **box), projections)
        known = {"center-position-x": 5.2, "axis-angle-z": np.radians(200) * np.arange(views) / views}
        for name, value in ("source-position-y", -np.inf), ("axis-angle-x", 0.4), ("volume-angle-x", 0.0):
            single = np.array(run(line({**known, name: value}, **box), projections))
            np.testing.assert_array_equal(np.array(run(line({**known, name: [value] * views}, **box), projections)), single)

    def test_weights_of_a_sweep(self):
        """Those of the same arrangement without one, and no word about an axis that is swept."""
        views = 10
        projections = noise(views, (9, 11))
        known = {"center-position-x": 5.0, "axis-angle-z": np.arange(views) * 0.42}
        box = dict(x_region=region(-4, 1.0, 9), y_region=region(-4, 1.0, 9))
        for name, values in (("axis-angle-x", (0.0, 0.5)), ("source-position-y", (-60.0, -50.0)), ("center-position-x", (4.0, 5.0))):
            geometry = {key: value for key, value in known.items() if key != name}
            with Stream(line(geometry, parameter=name, region=(values[0], values[1] + 0.1, values[1] - values[0]), **box)) as stream:
                for projection in projections:
                    stream.push(projection)
                results = stream.finish()
            self.assertFalse(any("no axis" in warning for warning in stream.warnings()))
            for value, result in zip(values, results, strict=True):
                self.assert_close(result, run(line({**known, name: value}, **box), projections)[0], TOLERANCE)
        self.assert_fails(["axis-angle-x is a list", "parameter"],
                          line({**known, "axis-angle-x": np.linspace(0, 1, views)}, parameter="axis-angle-x", region=(0, 1, 1)),
                          projections)

    def test_a_seek_into_a_volume(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "projections.npy")
            projections = np.array(noise(12, (9, 11)))
            np.save(path, projections)
            angles = np.sort(rng.uniform(0, 6, 4))
            words = line({"center-position-x": 5.0, "axis-angle-z": angles}, num_projections=4)
            wanted = run(words, list(projections[4:]))
            for start in 4, 6:
                with Stream(f"tomoread path={path} ! {words} ! SINK", inputs=0, play=False) as stream:
                    stream.pipeline.set_state(Gst.State.PAUSED)
                    stream.pipeline.get_state(TIMEOUT * Gst.SECOND)
                    self.assertTrue(stream.pipeline.seek_simple(Gst.Format.DEFAULT, Gst.SeekFlags.FLUSH, start))
                    stream.play()
                    if start == 6:
                        with self.assertRaisesRegex(PipelineError, "projection 6, within a volume.*num-projections=4"):
                            stream.finish()
                    else:
                        np.testing.assert_array_equal(stream.finish()[-2:], wanted)

    def test_latency(self):
        """In arrays, each of which may hold several projections."""
        for depth, latency in (1, 11), (4, 2), (5, 2):
            with Stream(f"SRC0 ! {line({}, num_projections=12, overall_angle=6.0)} name=e ! SINK", framerate=10,
                        play=False) as stream:
                stream["src0"].set_property("is-live", True)
                stream.play()
                stream.push(np.zeros((depth, 9, 11), np.float32))
                query = Gst.Query.new_latency()
                deadline = GLib.get_monotonic_time() + 10**7
                while GLib.get_monotonic_time() < deadline:
                    if stream["e"].query(query) and query.parse_latency()[1] == latency * Gst.SECOND // 10:
                        break
                self.assertEqual(query.parse_latency()[1], latency * Gst.SECOND // 10)

    def test_memory_and_states(self):
        shape, views = (9, 11), 4
        geometry = random_geometry(shape, views, True)
        projections = noise(views, shape)
        words = line(geometry, x_region=region(-4, 1.0, 9), y_region=region(-4, 1.0, 9), region=region(-2, 1.0, 3),
                     num_projections=views)
        reference = run(words, projections)
        self.check_memory(words, projections, reference=reference, tolerance=1e-7)
        self.check_state_cycles(words, projections, reference=reference, tolerance=1e-7)

    def test_a_volume_larger_than_the_device(self):
        """Slabs give the same slices, and so do parts of them on two devices."""
        script = """
from test_general_backproject import *
views = int(sys.argv[2])
geometry = {"axis-angle-z": np.linspace(0, 6, 7) if views == 7 else np.arange(8) * np.pi / 4, "axis-angle-x": 0.3,
            "source-position-y": -300.0, "center-position-x": 40.0, "center-position-z": 30.0}
generator = np.random.default_rng(5)
projections = [generator.standard_normal((61, 83)).astype(np.float32) for _ in range(views)]
words = line(geometry, x_region=region(-41, 1.0, 83), y_region=region(-41, 1.0, 83), region=region(-30, 1.0, 61),
             num_projections=views, **({"devices": sys.argv[3]} if sys.argv[3] else {}))
with Pads(words) as pads:
    pads.push(*projections)
    pads.eos()
    np.save(sys.argv[1], np.array(arrays_of(pads.outputs)))
"""
        for views in "7", "8":
            results = []
            with tempfile.TemporaryDirectory() as folder:
                for limit, devices in ("1000000000", ""), ("600000", ""), ("300000", ""), ("1000000000", "1,0"), ("400000", "all"):
                    path = os.path.join(folder, f"{limit}-{devices}.npy")
                    environment = dict(os.environ, GST_TOMO_MEMORY_LIMIT=limit, POCL_DEVICES="pthread pthread")
                    environment["PYTHONPATH"] += ":" + os.path.dirname(os.path.abspath(__file__))
                    done = subprocess.run([sys.executable, "-c", script, path, views, devices], env=environment, capture_output=True,
                                          text=True, timeout=120)
                    self.assertEqual(done.returncode, 0, done.stderr)
                    results.append(np.load(path))
            for result in results[1:]:
                np.testing.assert_array_equal(result, results[0])

    def test_parts(self):
        """Each slice has the bits that it has among all others, from all rows of the detector or from those that see it."""
        upright = {"source-position-y": -150.0, "detector-position-y": 30.0, "center-position-x": 20.3, "center-position-z": 57.7}
        tilted = {**upright, "axis-angle-x": 0.15, "axis-angle-y": -0.05, "detector-angle-y": 0.02, "axis-angle-z": [0.37]}
        rows, columns, views = 111, 43, 12
        projections = noise(views, (rows, columns))
        sides = {"x_region": region(-10.5, 1.0, 22), "y_region": region(-10.5, 1.0, 22), "overall_angle": 2 * np.pi}
        for geometry, height, step, more in ((upright, 150, 0.6, {}), (tilted, 70, 0.9, {"precision_mode": "half"}), (tilted, 9, 8.0, {})):
            words = {**sides, **more, "region": region(-0.3 * height * step, step, height)}
            whole = run(line(geometry, **words), projections)
            cuts = [0, *sorted(rng.choice(np.arange(1, height), 2, replace=False).tolist()), height]
            for first, end in zip(cuts, cuts[1:]):
                part = {"first_slice": first, "num_slices": end - first, **words}
                with self.subTest(height=height, first=first, end=end):
                    np.testing.assert_array_equal(run(line(geometry, **part), projections), whole[first:end])
                    # Rows that see it, and two around.
                    z = -0.3 * height * step + step * np.array([first, end - 1])
                    low, high = self.rows_that_see(geometry, z)
                    of_part = [projection[low:high] for projection in projections]
                    part.update(first_row=low, detector_rows=rows)
                    np.testing.assert_array_equal(run(line(geometry, **part), of_part), whole[first:end])

    @staticmethod
    def rows_that_see(geometry, z):
        """Of a detector of 111 rows, for columns within a radius of 16 around the axis."""
        tilt = geometry.get("axis-angle-x", 0.0)
        reach = 16 * (abs(np.sin(tilt)) + 0.2) + 3
        scale = np.array([180 / (150 - 18), 180 / (150 + 18)])
        seen = [57.7 + (value + side) * s for value in z for side in (-reach, reach) for s in scale]
        low = min(max(int(min(seen)) - 3, 0), 110)  # one row at least, which sees nothing of slices beyond the detector
        return low, max(min(int(max(seen)) + 4, 111), low + 1)

    def test_parts_that_can_not_be(self):
        projections = noise(2, (7, 9))
        heights = {"region": region(-1, 1.0, 4)}
        for words, why in (({"first_slice": 4}, "first-slice=4 and num-slices=0 are no part of the 4 slices"),
                           ({"first_slice": 1, "num_slices": 4}, "are no part of the 4 slices"),
                           ({"first_row": 1, "detector_rows": 7}, "projections of 7 rows from first-row=1 on are no part of 7 rows"),
                           ({"detector_rows": 6}, "set detector-rows to all of its rows"),
                           ({"detector_rows": 9, "addressing_mode": "repeat"}, "have 7 of its 9 rows")):
            with self.assertRaisesRegex(PipelineError, why):
                run(line({}, **heights, **words), projections)

    def test_tilt_0_is_tomobackproject(self):
        height, width, views = 5, 31, 20
        angles = 0.2 + np.arange(views) * np.pi / views
        axis = 14.3
        projections = noise(views, (height, width))
        with Stream(f"{NAME} center-position-x=<{axis}> x-region={text(region(0.5 - axis, 1.0, width))} "
                    f"y-region={text(region(axis - 0.5, -1.0, width))} region={text(region(0.5 - height / 2, 1.0, height))}"
                    ) as stream:
            for i, projection in enumerate(projections):
                stream.push(projection, event=scan_event(angles) if i == 0 else None)
            results = stream.finish()
        for row, result in enumerate(results):
            sinogram = np.array([projection[row] for projection in projections], np.float64)
            self.assert_close(result, tomoref.backproject_linear(sinogram, angles=angles, axis=axis), TOLERANCE)

    def test_the_scan_behind(self):
        """Places of slices and the size of their pixels, as the detector would see them at the axis."""
        projections, angles = noise(6, (9, 11)), np.arange(6) * np.pi / 6
        for geometry, scale in ({}, 1.0), ({"source-position-y": -90.0, "detector-position-y": 30.0}, 0.75):
            with Pads(line({**geometry, "center-position-z": 4.25}, x_region=(-3, 3, 0.5), y_region=(2, -4, -0.5),
                           region=(-1, 2, 0.5), num_projections=6)) as pads:
                pads.send(pads_scan_event(angles, 5.75, 2e-6))
                self.assertEqual(len(pads.push(*projections)), 6)
                told, axis, pixel = pads.scan()
                self.assertEqual((told, axis), ([], 5.75))
                self.assertAlmostEqual(pixel, 1e-6 * scale, delta=1e-12)
                event = pads.end.get_sticky_event(Gst.EventType.CUSTOM_DOWNSTREAM_STICKY, 0).get_structure()
                for name, value in {"region-x": 5.75 - 3.25, "binning-x": 0.5, "region-y": 4.25 - 1.25, "binning-y": 0.5,
                                    "region-beam": 5.75 - 2.25, "binning-beam": 0.5}.items():
                    self.assertAlmostEqual(event.get_double(name)[1], value, msg=name)

    def test_flush_and_early_end(self):
        projections = noise(8, (9, 11))
        words = line({"axis-angle-z": np.linspace(0, 3, 8), "center-position-x": 5.0}, region=(-1, 2, 1), overall_angle=3.0)
        wanted = run(words, projections)
        for number in "", " num-projections=8":
            with Pads(words + number) as pads:
                pads.push(*projections[:5])  # forgotten
                pads.flush()
                pads.push(*projections)
                pads.eos()
                results = arrays_of(pads.outputs)
                self.assertEqual(len(results), 3)
                np.testing.assert_array_equal(results, wanted)
                pads.stop(Gst.State.READY)
                pads.play()
                pads.push(*projections)
                pads.eos()
                np.testing.assert_array_equal(arrays_of(pads.outputs), wanted)

    def test_errors(self):
        projections = noise(3, (9, 11))
        for words, properties in (
                (["center-position-x has 2 values for 3 projections"], {"center-position-x": [1, 2]}),
                (["axis-angle-z has 4 values for 3 projections"], {"axis-angle-z": [1, 2, 3, 4]}),
                (["source-position-y is 3", "projection 0"], {"source-position-y": 3}),
                (["detector-position-y is -90", "behind the source"], {"source-position-y": -80, "detector-position-y": -90}),
                (["detector-angle-x, -y and -z turn the detector"], {"detector-angle-x": np.pi / 2}),
                (["volume reaches the source", "source-position-y=-4"], {"source-position-y": -4}),
                (["axis is along the beam of projection 0", "set axis-angle-x"], {"axis-angle-x": np.pi / 2}),
                (["x-region is <1, 2>", "from, to and step"], {"x-region": [1, 2]}),
                (["y-region is <1, 2, -1>", "step"], {"y-region": [1, 2, -1]}),
                (["region is <0, 1e+09, 1>"], {"region": [0, 1e9, 1]})):
            for number in "", " num-projections=3":
                with self.subTest(words=words, number=number):
                    self.assert_fails(words, line(properties) + number, projections)
        self.assert_fails(["source-position-y", "nan"], line({"source-position-y": [-50.0, np.nan, -50.0]}), projections)
        self.assert_fails(["got sinograms"], f"tomotransposeprojections ! {NAME}", projections)

    def test_stop_in_the_middle(self):
        with Stream(line({}, region=region(-100, 1.0, 200), num_projections=2000)) as stream:
            for projection in noise(3, (200, 200)):
                stream.push(projection)
        with Stream(line({}, region=region(-100, 1.0, 200))) as stream:
            for projection in noise(3, (200, 200)):
                stream.push(projection)
            stream.end()

if __name__ == "__main__":
    main()
