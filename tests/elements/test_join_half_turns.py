# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomojoinhalfturns against float64 statements of both of its methods, and against phantoms wider than the detector."""

import tomoref
from elementtest import ElementTestCase, Stream
from elementtest import scan_event as event
from padtest import *
from tomotest import *

LINE = "tomojoinhalfturns"


def field(width, axis):
    """Columns that are added on the left, all columns, and the weight of each that stays where it is."""
    added = int(np.ceil(abs(2 * axis - width) - 1e-6))
    left = 0 if axis >= width / 2 else added
    half = max((2 * min(axis, width - axis) - 1) / 2, 0.5)
    s = np.arange(width + added) + 0.5 - left - axis
    return left, width + added, np.clip(0.5 - (s if axis >= width / 2 else -s) / (2 * half), 0, 1)


def at(row, places, order):
    """Between pixel centres; the edge pixels go on."""
    last = len(row) - 1
    first = np.floor(places).astype(int)
    t = places - first
    pixel = lambda k: row[np.clip(first + k, 0, last)]
    if order == "nearest":
        return pixel((t >= 0.5).astype(int))
    if order == "linear":
        return (1 - t) * pixel(0) + t * pixel(1)
    slopes = (pixel(1) - pixel(-1)) / 2, (pixel(2) - pixel(0)) / 2
    return ((2 * t**3 - 3 * t**2 + 1) * pixel(0) + (t**3 - 2 * t**2 + t) * slopes[0]
            + (3 * t**2 - 2 * t**3) * pixel(1) + (t**3 - t**2) * slopes[1])


def joined(sinogram, axis, order="linear"):
    """Of an even whole turn, for each view of its first half."""
    views, width = sinogram.shape
    left, columns, weight = field(width, axis)
    result = []
    for k in range((views + 1) // 2):
        own = at(sinogram[k], np.clip(np.arange(columns) - left, 0, width - 1), "nearest")
        mirrored = 2 * axis - 1 - (np.arange(columns) - left)
        opposite = k + views / 2
        before, share = int(opposite), opposite % 1
        other = (1 - share) * at(sinogram[before % views], mirrored, order) + share * at(sinogram[(before + 1) % views], mirrored, order)
        result.append(weight * own + (1 - weight) * other)
    return np.array(result)


def shares(angles, period):
    """Half the way to both neighbours on the circle; views in one direction share theirs."""
    place = np.mod(np.round(np.asarray(angles), 9), round(period, 9))
    place[period - place < 1e-6] = 0
    directions, of_view = np.unique(np.round(place, 6), return_inverse=True)
    ways = np.diff(np.append(directions, directions[0] + period))
    return ((ways + np.roll(ways, 1)) / 2 / np.bincount(of_view))[of_view]


def weighed(sinogram, axis, angles):
    """With all shares of the whole turn in place of those of the half turn, by which backproject weighs rows."""
    width = sinogram.shape[-1]
    left, columns, weight = field(width, axis)
    factor = shares(angles, 2 * np.pi) / shares(angles, np.pi)
    result = np.zeros((*sinogram.shape[:-1], columns))
    result[..., left : left + width] = sinogram * factor[:, None]
    return result * weight


def turn(views):
    return np.arange(views) * 2 * np.pi / views


def text_of(value):
    return repr(float(value))


class JoinHalfTurns(ElementTestCase):
    def test_properties(self):
        self.check_properties(LINE, {
            "axis-pos": (-1.0, -1.0, 32768.0), "angle-step": (0.0, -np.finfo(float).max, np.finfo(float).max),
            "method": ("join", {"auto", "join", "weigh"}), "interpolation": ("linear", {"nearest", "linear", "cubic"})})

    def test_axes_and_shapes(self):
        """Axis on the left and on the right, at the edges, between pixels; even, odd and prime numbers; several slices."""
        for shape in ((2, 2), (4, 1), (6, 13), (2, 7, 16)):
            views, width = shape[-2:]
            a = random_array(np.float32, shape)
            planes = a.reshape(-1, views, width).astype(float)
            for axis in {0, width, width / 2, width - 0.3, 0.3 * width}:
                given = f"axis-pos={axis} angle-step={text_of(2 * np.pi / views)}"
                with self.subTest(shape=shape, axis=axis):
                    for order in ("nearest", "linear", "cubic") if width == 13 else ("cubic",):
                        wanted = np.array([joined(plane, axis, order) for plane in planes])
                        (result,) = run(f"{LINE} {given} interpolation={order}", [a])
                        self.assert_close(result, wanted.reshape(*shape[:-2], *wanted.shape[1:]), 1e-4)
                    if views > 2:
                        (result,) = run(f"{LINE} {given} method=weigh", [a])
                        self.assert_close(result, weighed(a.astype(float), axis, turn(views)), 1e-6)

    def test_every_format(self):
        for name, dtype in FORMATS.items():
            if np.issubdtype(dtype, np.complexfloating):
                continue
            a = random_array(dtype, (6, 11))
            with self.subTest(format=name):
                (result,) = run(f"{LINE} axis-pos=8.5 angle-step={np.pi / 3}", [a])
                self.assertEqual(result.dtype, np.float32)
                self.assert_close(result, joined(a.astype(float), 8.5), 1e-5)

    def test_lists_of_angles(self):
        """Golden, backwards, a repeated last view, two speeds, and several turns."""
        a = random_array(np.float32, (24, 13))
        golden = np.arange(24) * np.pi * (3 - np.sqrt(5))
        repeated = np.arange(24) * 2 * np.pi / 23
        speeds = np.concatenate([np.arange(10) * np.pi / 10, np.pi + np.arange(14) * np.pi / 14])
        for angles in (golden, -turn(24), repeated, speeds, 2 * turn(24), turn(24) + 5):
            with Pads(f"{LINE} axis-pos=10.4 method=weigh") as pads:
                pads.send(scan_event(angles))
                (output,) = pads.push(a, domain="sinogram")
                self.assert_close(output.array, weighed(a.astype(float), 10.4, angles), 1e-5)
                behind, axis, _ = pads.scan()
                np.testing.assert_array_equal(behind, angles)
                self.assertEqual(axis, 10.4)

    def test_joined_views(self):
        """Each view with the one that looks against it, whichever that is."""
        a = random_array(np.float32, (9, 13))
        for angles, pairs in ((np.arange(9) * np.pi / 4, ((0, 4), (1, 5), (2, 6), (3, 7))),  # the last one repeats
                              (np.arange(9) * -np.pi / 4, ((0, 4), (1, 5), (2, 6), (3, 7))),
                              (np.roll(np.arange(9) * 2 * np.pi / 9, 4), None)):
            with Pads(f"{LINE} axis-pos=10.5") as pads:
                pads.send(scan_event(angles))
                (output,) = pads.push(a, domain="sinogram")
                behind, axis, _ = pads.scan()
                if pairs:
                    even = np.concatenate([a[[own for own, _ in pairs]], a[[other for _, other in pairs]]]).astype(float)
                    self.assert_close(output.array, joined(even, 10.5), 1e-6)
                    np.testing.assert_array_equal(behind, angles[[own for own, _ in pairs]])
                else:
                    self.assertEqual(len(behind), 5)

    def test_scan(self):
        for center, axis, left in ((10.4, 10.4, 0), (2.4, 8.4 + 0.0, 9)):
            a = random_array(np.float32, (6, 13))
            with Pads(LINE) as pads:
                pads.send(scan_event(turn(6), center, 1e-6))
                (output,) = pads.push(a, domain="sinogram")
                self.assert_close(output.array, joined(a.astype(float), center), 1e-5)
                behind, found, pixel = pads.scan()
                np.testing.assert_allclose(behind, turn(6)[:3])
                self.assertAlmostEqual(found, center + left if left else axis)
                self.assertEqual(pixel, 1e-6)

    def test_method_auto(self):
        """Joins only what meets: then slices are those of weighed rows, with half of the views."""
        for views, axis, rows in ((12, 9.5, 6), (12, 9.75, 12), (13, 9.5, 13), (12, 9.51, 6), (12, 9.52, 12)):
            a = random_array(np.float32, (views, 13))
            (result,) = run(f"{LINE} axis-pos={axis} angle-step={text_of(2 * np.pi / views)} method=auto", [a])
            self.assertEqual(len(result), rows, (views, axis))
        a = random_array(np.float32, (40, 31))
        slices = [run(f"{LINE} axis-pos=24.5 angle-step={np.pi / 20} method={method} ! tomorampfilter ! tomobackproject", [a])[0]
                  for method in ("join", "weigh")]
        self.assert_close(slices[0], slices[1], 1e-3)  # padded by an odd number of columns

    def test_slices_of_the_whole_field(self):
        """The error against the truth is that of a detector as wide as the field."""
        rng = np.random.default_rng(SEED)
        discs = [tomoref.disc(0, 0, 80, 0.01)] + [tomoref.disc(*rng.uniform(-50, 50, 2), rng.uniform(4, 9), 0.01) for _ in range(8)]
        for views, axis in ((360, 88.25), (361, 22.6), (360, 105.3)):
            width = 113
            left, columns, _ = field(width, axis)
            full = tomoref.line_integrals(discs, turn(views), columns, axis + left)
            truth = tomoref.slice_of(discs, columns, axis + left)
            visible = tomoref.field_of_view(columns, axis + left, margin=3)

            def error(description, sinogram):
                (result,) = run(description, [sinogram.astype(np.float32)])
                return np.sqrt(np.mean((result - truth)[visible] ** 2)) / 0.01

            # It takes half a turn to see as much.
            slices = "tomorampfilter ! tomobackproject"
            step = text_of(2 * np.pi / views)
            ideal = error(f"{slices} axis-pos={axis + left} angle-step={step}", full[: views // 2])
            part = full[:, left : left + width]
            of_method = {method: error(f"{LINE} axis-pos={axis} angle-step={step} method={method} ! {slices}", part)
                         for method in ("weigh", "join", "auto")}
            print(f"{views} views, axis {axis}: whole detector {ideal:.4f}, {of_method}")
            self.assertLess(of_method["weigh"], 1.15 * ideal)
            self.assertLess(of_method["weigh"], of_method["join"])
            self.assertLess(of_method["join"], 1.3 * ideal)
            self.assertEqual(of_method["auto"], of_method["weigh"])

    def test_not_a_number(self):
        """It stays where it is, and does not come from pixels without weight."""
        a = random_array(np.float32, (6, 13))
        bad = a.copy()
        bad[1, 3] = np.nan
        for method in ("join", "weigh"):
            (clean,) = run(f"{LINE} axis-pos=10.5 angle-step={np.pi / 3} method={method}", [a])
            (result,) = run(f"{LINE} axis-pos=10.5 angle-step={np.pi / 3} method={method}", [bad])
            self.assertEqual(np.argwhere(np.isnan(result)).tolist(), [[1, 3]])
            np.testing.assert_array_equal(np.where(np.isnan(result), clean, result), clean)

    def test_a_wandering_axis_keeps_the_size(self):
        arrays = [random_array(np.float32, (6, 17)) for _ in range(4)]
        with Stream(LINE) as stream:
            for a, axis in zip(arrays, (12.45, 12.55, 12.4, 15.0)):
                stream.push(a, event=event(angles=turn(6), axis=axis))
            results = stream.finish()
        for result, a, axis, columns in zip(results, arrays, (12.45, 12.55, 12.4, 15), (25, 25, 25, 30), strict=True):
            self.assert_close(result[:, :24], joined(a.astype(float), axis)[:, :24], 1e-5)
            self.assertEqual(result.shape[1], columns)

    def test_memory_and_state_cycles(self):
        arrays = [random_array(np.float32, (6, 7)) for _ in range(3)]
        line = f"{LINE} axis-pos=5.3 angle-step={np.pi / 3}"
        wanted = [joined(a.astype(float), 5.3) for a in arrays]
        self.check_memory(line, arrays, reference=wanted, tolerance=1e-5)
        self.check_state_cycles(line, arrays, reference=wanted, tolerance=1e-5)

    def test_warnings(self):
        a = random_array(np.float32, (36, 7))
        for angles, words in ((np.deg2rad(np.arange(36) * 9), "gap of 45 degrees"), (2 * turn(36), "18 views are left out")):
            with Pads(f"{LINE} axis-pos=5") as pads:
                pads.send(scan_event(angles))
                pads.push(a, domain="sinogram")
                self.assertEqual(len(pads.warnings), 1)
                self.assertIn(words, pads.warnings[0])

    def test_errors(self):
        a = random_array(np.float32, (8, 5))
        whole = f"angle-step={np.pi / 4}"
        self.assert_fails(["axis-pos=7", "0 to 5"], f"{LINE} axis-pos=7 {whole}", [a])
        self.assert_fails(["cover 157.5 of 360 degrees", "whole turn"], f"{LINE} axis-pos=4 angle-step={np.pi / 8}", [a])
        self.assert_fails(["whole turn"], f"{LINE} axis-pos=4", [a])  # half a turn is assumed
        self.assert_fails(["0 of 360"], f"{LINE} axis-pos=4 {whole}", [a[:1]])
        with Pads(f"{LINE} axis-pos=4") as pads:
            pads.send(scan_event(turn(7)))
            with self.assertRaisesRegex(PipelineError, "7 angles for 8"):
                pads.push(a, domain="sinogram")
        with Pads(f"{LINE} {whole}") as pads, self.assertRaisesRegex(PipelineError, "got projections"):
            pads.push(a, domain="projection")


if __name__ == "__main__":
    main()
