# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomobackproject against tomoref and against discs whose slices are known, with angles from everywhere."""

import os
import sys

from tomotest import *
from elementtest import ElementTestCase, Stream, scan_event
from iterativetest import matrix
import tomoref

NOISE_TOLERANCE = 1e-4
SMOOTH_TOLERANCE = 1e-5
WIDTH = 97  # most tests use it, because each size of tiles is compiled anew


def sinogram(angles=40, width=WIDTH, depth=None, dtype=np.float32):
    """White noise: the hardest input, because every sample counts by itself."""
    return random_array(dtype, (angles, width) if depth is None else (depth, angles, width))


def reference(sino, **geometry):
    planes = sino if sino.ndim == 3 else sino[None]
    slices = np.stack([tomoref.backproject_linear(p.astype(np.float64), **geometry) for p in planes])
    return slices if sino.ndim == 3 else slices[0]


def nearest_reference(sino, angles, axis, roi, weights):
    """Sum of weight q[floor(h)], and how far it may be off where h is a border to within rounding."""
    q = sino.astype(np.float64)
    bx, by = tomoref.slice_coordinates(axis, roi)
    total, slack = np.zeros((roi[3], roi[2])), np.zeros((roi[3], roi[2]))
    for row, t, weight in zip(np.pad(q, ((0, 0), (2, 2))), angles, weights):
        h = axis + bx * np.cos(t) + by * np.sin(t)
        index = np.clip(np.floor(h).astype(int) + 2, 0, row.size - 1)
        total += weight * row[index]
        border = np.abs(h - np.rint(h)) < 1e-4
        other = np.clip(np.rint(h).astype(int) + 2, 1, row.size - 1)
        slack += np.where(border, weight * np.abs(row[other] - row[other - 1]), 0)
    return total, slack


def steps_apart(n, step):
    """Whether no two views nearly coincide when folded; such ones share their weights in a way of its own."""
    folded = np.sort(np.mod(np.arange(n) * step, np.pi))
    gaps = np.diff(np.append(folded, folded[0] + np.pi))
    return gaps.min() > 0.15 * gaps.max()


def random_step(n):
    while True:
        step = rng.uniform(0.7, 2.5) * np.pi / n
        if steps_apart(n, step):
            return step


class Backproject(ElementTestCase):
    def test_properties(self):
        largest = sys.float_info.max
        self.check_properties(
            "tomobackproject",
            {
                "batch": (0, 0, 1024),
                "precision-mode": ("single", {"single", "half"}),
                "num-projections": (0, 0, 32768),
                "offset": (0, 0, 32768),
                "axis-pos": (-1.0, -1.0, 32768.0),
                "angle-step": (-1.0, -largest, largest),
                "angle-offset": (0.0, -largest, largest),
                "mode": ("linear", {"linear", "texture", "nearest", "joseph"}),
                "slice-axis-pos": (0.0, 0.0, 65536.0),
                "roi-x": (0, 0, 2**32 - 1),
                "roi-y": (0, 0, 2**32 - 1),
                "roi-width": (0, 0, 32768),
                "roi-height": (0, 0, 32768),
            },
        )

    def test_every_format(self):
        for name in REAL:
            with self.subTest(format=name):
                sino = sinogram(dtype=FORMATS[name])
                (sample,) = run("tomobackproject", [sino], samples=True, framerate=25)
                self.assert_close(to_array(sample), reference(sino), NOISE_TOLERANCE)
                structure = sample.get_caps().get_structure(0)
                self.assertEqual(structure.get_string("format"), "float32")
                self.assertEqual(structure.get_string("domain"), "slice")
                self.assertEqual(structure.get_fraction("framerate")[1:], (25, 1))

    def test_sizes(self):
        for angles, width in ((1, 1), (7, 1), (3, 2), (131, 101), (1, 160)):
            with self.subTest(angles=angles, width=width):
                sino = sinogram(angles, width)
                self.assert_close(run("tomobackproject", [sino])[0], reference(sino), NOISE_TOLERANCE)

    def test_planes(self):
        for depth in (2, 5, 17):
            with self.subTest(depth=depth):
                sino = sinogram(21, depth=depth)
                self.assert_close(run("tomobackproject", [sino])[0], reference(sino), NOISE_TOLERANCE)

    def test_random_geometry(self):
        for _ in range(8):
            n = int(rng.integers(20, 60))
            step, offset, axis = random_step(n), rng.uniform(-7, 7), rng.uniform(0.5, 1.5 * WIDTH)
            roi = (int(rng.integers(0, 60)), int(rng.integers(0, 60)), 97, 101)
            with self.subTest(n=n, step=step, offset=offset, axis=axis, roi=roi):
                sino = sinogram(n)
                (result,) = run(
                    f"tomobackproject angle-step={step!r} angle-offset={offset!r} axis-pos={axis!r} "
                    f"roi-x={roi[0]} roi-y={roi[1]} roi-width={roi[2]} roi-height={roi[3]}",
                    [sino],
                )
                wanted = reference(sino, step=step, offset=offset, axis=axis, roi=roi)
                self.assert_close(result, wanted, NOISE_TOLERANCE)

    def test_weights(self):
        """Of each view by itself: plane p has nothing but view p."""
        for n, step in (
            (36, np.pi / 36),
            (36, 2 * np.pi / 36),
            (40, np.deg2rad(5)),
            (48, np.deg2rad(5)),
            (30, np.deg2rad(4)),
            (16, -np.pi / 16),
        ):
            with self.subTest(n=n, step=step):
                sino = np.repeat(np.eye(n, dtype=np.float32)[..., None], 5, axis=2)
                (result,) = run(
                    f"tomobackproject angle-step={step!r} roi-x=2 roi-y=2 roi-width=1 roi-height=1", [sino]
                )
                wanted, _ = tomoref.projection_weights(np.arange(n) * step)
                self.assert_close(result[:, 0, 0], wanted, 1e-6)

    def test_sense_of_rotation(self):
        sino = sinogram()
        step = np.pi / 40
        self.assert_close(
            run(f"tomobackproject angle-step={-step!r}", [sino])[0],
            reference(sino, step=-step),
            NOISE_TOLERANCE,
        )
        for unset in (0, -1):
            self.assert_close(
                run(f"tomobackproject angle-step={unset}", [sino])[0], reference(sino), NOISE_TOLERANCE
            )

    def test_an_axis_elsewhere_in_the_slice(self):
        sino = sinogram()
        for axis, in_slice, x in ((44.3, 47.3, 0), (44.3, 51.85, 0), (60.25, 3.1, 5)):
            (result,) = run(f"tomobackproject axis-pos={axis} slice-axis-pos={in_slice} roi-x={x}", [sino])
            moved = axis - in_slice
            self.assert_close(result, reference(sino, axis=axis, roi=(x + moved, moved, WIDTH, WIDTH)), NOISE_TOLERANCE)

    def test_joseph_is_the_transpose(self):
        """Of tomoforwardproject, for any axis, region and number of columns: of its matrix, in float64 for small ones."""
        for views, columns, side, axis, in_slice in ((7, 12, 9, 5.25, 4.5), (4, 9, 14, 4.5, 8.125), (3, 1, 1, 0.5, 0.5), (2, 5, 3, -1, 1.5)):
            angles = np.arange(views) * np.pi / views
            middle = columns / 2 if axis == -1 else axis
            a = matrix(angles, columns, middle, side, side, axis_in_slice=in_slice)
            for depth in (1, 3, 17):
                sino = random_array(np.float32, (depth, views, columns))
                (result,) = run(
                    f"tomobackproject mode=joseph axis-pos={axis} slice-axis-pos={in_slice} roi-width={side} roi-height={side}", [sino]
                )
                wanted = (sino.reshape(depth, -1) @ a).reshape(depth, side, side)
                terms = np.abs(sino).reshape(depth, -1) @ np.abs(a)
                with self.subTest(views=views, columns=columns, depth=depth):
                    self.assert_close(result.reshape(wanted.shape), wanted, 2e-6, size=terms)
        sino = sinogram(23, 40)
        whole = run("tomobackproject mode=joseph axis-pos=18.5", [sino])[0]
        part = run("tomobackproject mode=joseph axis-pos=18.5 roi-x=3 roi-y=11 roi-width=20 roi-height=7", [sino])[0]
        self.assert_close(part, whole[11:18, 3:23], SMOOTH_TOLERANCE)
        self.assert_close(sum(run(f"tomobackproject mode=joseph axis-pos=18.5 num-projections=23 offset={first}", [sino[first:last]])[0]
                              for first, last in ((0, 9), (9, 23))), whole, 1e-5)

    def test_joseph_changes_while_playing(self):
        sino = sinogram(23, 40)
        with Stream("tomobackproject name=it mode=joseph axis-pos=18.5") as stream:
            before = stream.through(sino)
            stream["it"].set_property("axis-pos", 21.0)
            moved = stream.through(sino)
            Gst.util_set_object_arg(stream["it"], "mode", "linear")
            linear = stream.through(sino)
        self.assert_close(before, run("tomobackproject mode=joseph axis-pos=18.5", [sino])[0], 1e-6)
        self.assert_close(moved, run("tomobackproject mode=joseph axis-pos=21", [sino])[0], 1e-6)
        self.assert_close(linear, run("tomobackproject axis-pos=21", [sino])[0], 1e-6)

    def test_regions(self):
        sino = sinogram()
        whole = reference(sino, roi=(0, 0, 400, 400))
        for x, y, width, height in (
            (0, 0, 97, 0),
            (13, 29, 71, 101),
            (0, 50, 128, 64),
            (150, 160, 100, 100),
            (0, 0, 400, 400),
        ):
            with self.subTest(roi=(x, y, width, height)):
                (result,) = run(
                    f"tomobackproject roi-x={x} roi-y={y} roi-width={width} roi-height={height}", [sino]
                )
                wanted = whole[y : y + (height or WIDTH), x : x + (width or WIDTH)]
                np.testing.assert_allclose(result, wanted, rtol=0, atol=NOISE_TOLERANCE)

    def test_nearest(self):
        for depth, roi in ((None, (0, 0, WIDTH, WIDTH)), (2, (11, 3, 97, 101))):
            n, offset, axis = 37, rng.uniform(-3, 3), rng.uniform(30, 70)
            step = np.pi / n
            with self.subTest(depth=depth, offset=offset, axis=axis):
                sino = sinogram(n, depth=depth)
                (result,) = run(
                    f"tomobackproject mode=nearest angle-step={step!r} angle-offset={offset!r} "
                    f"axis-pos={axis!r} roi-x={roi[0]} roi-y={roi[1]} roi-width={roi[2]} roi-height={roi[3]}",
                    [sino],
                )
                for plane, slice_ in zip(
                    sino.reshape(-1, n, WIDTH), result.reshape(-1, *result.shape[-2:]), strict=True
                ):
                    wanted, slack = nearest_reference(
                        plane, offset + step * np.arange(n), axis, roi, np.full(n, step)
                    )
                    self.assertLess((slack > 0).mean(), 0.05, "the reference proves nothing")
                    self.assertTrue((np.abs(slice_ - wanted) <= slack + 1e-5).all())

    def test_texture(self):
        try:
            gi.require_version("GstTomo", "1.0")
        except ValueError:
            self.skipTest("built without GstTomo-1.0.typelib")
        from gi.repository import GstTomo

        sino = sinogram()
        if GstTomo.Context.new(None).get_default_device().is_cpu():
            self.assert_fails(
                ["mode=texture", "image unit", "mode=linear"], "tomobackproject mode=texture", [sino]
            )
        else:
            for s in (sino, sinogram(depth=3)):
                self.assert_close(run("tomobackproject mode=texture", [s])[0], reference(s), 5e-3)

    def test_chunks_add_up(self):
        sino = sinogram(60)
        whole, total = reference(sino), 0.0
        for first, rows in ((0, 17), (17, 1), (18, 42)):
            (part,) = run(f"tomobackproject num-projections=60 offset={first}", [sino[first : first + rows]])
            angles = tomoref.angles_of_scan(60)[first : first + rows]
            wanted = reference(sino[first : first + rows], angles=angles, weights=np.full(rows, np.pi / 60))
            self.assert_close(part, wanted, NOISE_TOLERANCE)
            total = total + part.astype(np.float64)
        self.assert_close(total, whole, NOISE_TOLERANCE)
        # The last part needs no number.
        (part,) = run("tomobackproject offset=18", [sino[18:]])
        self.assert_close(part, wanted, NOISE_TOLERANCE)

    def test_nan_stays_on_its_line(self):
        n, view, column = 40, 7, 50
        sino = sinogram(n)
        clean = reference(sino)
        sino[view, column] = np.nan
        (result,) = run("tomobackproject", [sino])
        bx, by = tomoref.slice_coordinates(WIDTH / 2, (0, 0, WIDTH, WIDTH))
        t = view * np.pi / n
        distance = np.abs(WIDTH / 2 + bx * np.cos(t) + by * np.sin(t) - 0.5 - column)
        self.assertTrue(np.isnan(result[distance < 0.999]).all())
        # A GPU's pixels share their samples with the one above or below.
        near = distance < (2.001 if os.environ.get("GST_TOMO_TEST_GPU_KERNELS") else 1.001)
        self.assert_close(result[~near], clean[~near], NOISE_TOLERANCE)

    # Accuracy ------------------------------------------------------------------------------------------

    def test_filtered_noise_far_from_the_axis(self):
        """Coordinates of thousands of pixels, where float32 alone would not do."""
        n, width = 90, 2039
        noise = tomoref.white_noise((n, width), SEED)
        sino = tomoref.fft_filter(noise).astype(np.float32)
        for roi in ((0, 0, 128, 64), (1911, 1975, 128, 64), (900, 1500, 128, 64)):
            with self.subTest(roi=roi):
                line = "tomobackproject roi-x=%d roi-y=%d roi-width=%d roi-height=%d" % roi
                self.assert_close(run(line, [sino])[0], reference(sino, roi=roi), NOISE_TOLERANCE)

    def test_filtered_head(self):
        n, width, axis, roi = 400, 512, 250.3, (96, 130, 256, 256)
        sino = tomoref.line_integrals(tomoref.shepp_logan(230), tomoref.angles_of_scan(n), width, axis)
        sino += 0.01 * sino.max() * rng.standard_normal(sino.shape)
        sino = tomoref.fft_filter(sino, size=1024).astype(np.float32)
        (result,) = run(
            f"tomobackproject axis-pos={axis} roi-x=96 roi-y=130 roi-width=256 roi-height=256", [sino]
        )
        self.assert_close(result, reference(sino, axis=axis, roi=roi), SMOOTH_TOLERANCE)

    def test_truth(self):
        """Attenuation per pixel comes out, whatever the range of angles and wherever the axis is."""
        n, width, value = 800, 512, 0.02
        objects = [
            tomoref.disc(-60.5, 47.25, 61, value),
            tomoref.Ellipse(75, -40, 70, 33, value, 0.6),
            tomoref.disc(0.3, -110.2, 25, value),
        ]
        for degrees in (180, 200, 240, 360):
            for axis in (256.0, 219.3, 270.75):
                with self.subTest(degrees=degrees, axis=axis):
                    step = np.deg2rad(degrees) / n
                    sino = tomoref.line_integrals(objects, np.arange(n) * step, width, axis).astype(
                        np.float32
                    )
                    line = "tomofft size-x=1024 ! tomofilter ! tomoifft crop-width=512 ! tomobackproject"
                    (result,) = run(f"{line} angle-step={step!r} axis-pos={axis}", [sino])
                    seen = tomoref.field_of_view(width, axis, margin=3)
                    for thing in objects:
                        inside = tomoref.slice_of([thing], width, axis, margin=3) > 0
                        self.assertTrue((seen | ~inside).all())
                        self.assertLess(abs(result[inside].mean() / value - 1), 0.005)
                    outside = seen & (tomoref.slice_of(objects, width, axis, margin=-3) == 0)
                    self.assertLess(abs(result[outside].mean()) / value, 0.005)
                    self.assertLess(np.sqrt((result[outside].astype(np.float64) ** 2).mean()) / value, 0.02)

    # The scan's event ----------------------------------------------------------------------------------

    def test_angles_and_axis_of_the_scan(self):
        n, sino = 40, sinogram()
        angles = np.sort(rng.uniform(0, 0.4, n)) * np.pi / n + np.arange(n) * np.pi / n
        step, offset = np.pi / n, 0.3
        for properties, geometry in (
            ("", dict(angles=angles, axis=41.25)),
            ("axis-pos=50.5", dict(angles=angles, axis=50.5)),
            (f"angle-offset={offset}", dict(angles=angles + offset, axis=41.25)),
            (f"angle-step={step!r} angle-offset={offset}", dict(step=step, offset=offset, axis=41.25)),
        ):
            with self.subTest(properties=properties), Stream(f"tomobackproject {properties}") as stream:
                stream.push(sino, event=scan_event(angles, 41.25))
                self.assert_close(stream.pull(), reference(sino, **geometry), NOISE_TOLERANCE)

    def test_event_with_angles_or_axis_alone(self):
        sino = sinogram()
        angles = tomoref.angles_of_scan(40, offset=0.5)
        with Stream("tomobackproject") as stream:
            stream.push(sino, event=scan_event(angles))
            self.assert_close(stream.pull(), reference(sino, angles=angles), NOISE_TOLERANCE)
        with Stream("tomobackproject") as stream:
            stream.push(sino, event=scan_event(axis=30.75))
            self.assert_close(stream.pull(), reference(sino, axis=30.75), NOISE_TOLERANCE)

    def test_a_new_scan(self):
        sino = sinogram()
        with Stream("tomobackproject") as stream:
            for axis in (40.5, 50.25):
                stream.push(sino, event=scan_event(axis=axis))
                self.assert_close(stream.pull(), reference(sino, axis=axis), NOISE_TOLERANCE)
            stream.push(sino)
            self.assert_close(stream.pull(), reference(sino, axis=axis), NOISE_TOLERANCE)

    def test_event_reaches_through_the_filters(self):
        sino = sinogram()
        with Stream(
            "tomofft size-x=256 ! tomofilter ! tomoifft crop-width=97 ! queue ! tomobackproject"
        ) as stream:
            stream.push(sino, event=scan_event(axis=44.5))
            wanted = reference(tomoref.fft_filter(sino, size=256), axis=44.5)
            self.assert_close(stream.pull(), wanted, NOISE_TOLERANCE)

    def test_a_part_of_the_scan(self):
        sino, angles = sinogram(60), tomoref.angles_of_scan(60, offset=-0.25)
        with Stream("tomobackproject num-projections=60 offset=20") as stream:
            stream.push(sino[20:50], event=scan_event(angles))
            wanted = reference(sino[20:50], angles=angles[20:50], weights=np.full(30, np.pi / 60))
            self.assert_close(stream.pull(), wanted, NOISE_TOLERANCE)

    def test_wrong_number_of_angles(self):
        with Stream("tomobackproject") as stream:
            stream.push(sinogram(40), event=scan_event(np.arange(41.0)))
            with self.assertRaises(PipelineError) as caught:
                stream.pull()
            for words in ("41 angles", "40 projections", "angle-step"):
                self.assertIn(words, str(caught.exception))

    def effective(self, description, array, event=None):
        """Of one sinogram: what was told, warnings, and informations."""
        with Stream(description) as stream:
            stream.push(array, event=event)
            stream.finish()
            told = [m for m in stream.element_messages("tomo-effective") if m.has_field("axis")]
            self.assertEqual(len(told), 1)
            informed = [m.parse_info()[0].message for m in stream.messages if m.type == Gst.MessageType.INFO]
            return told[0], stream.warnings(), informed

    def test_what_is_in_force_is_told(self):
        """Axis and angles with their source, in one message; what nobody gave, also to people, once."""
        sino = sinogram(30)
        width = sino.shape[1]
        angles = np.deg2rad(np.arange(30) * 6.0 + 10)

        def check(told, axis, source, first, last, of_angles, covered=np.pi):
            self.assertEqual((told.get_double("axis")[1], told.get_string("axis-source")), (axis, source))
            self.assertEqual(told.get_string("axis-units"), "pixel")
            self.assertEqual((told.get_uint("projections")[1], told.get_string("angle-source")), (30, of_angles))
            for name, value in (("first", first), ("last", last), ("step", (last - first) / 29), ("covered", covered)):
                self.assertAlmostEqual(told.get_double(f"angle-{name}")[1], value, places=9)
            for name in ("first", "last", "step", "covered"):
                self.assertEqual(told.get_string(f"angle-{name}-source"), of_angles)
            self.assertIn("30 views", told.get_string("text"))

        told, warnings, informed = self.effective("tomobackproject", sino)
        check(told, width / 2, "assumed", 0, np.pi - np.pi / 30, "assumed")
        self.assertEqual(informed, [])
        (text,) = warnings
        for words in ("no axis", f"{width} columns", "axis-pos", "tomocenterofrotation", "no angles", "angle-step"):
            self.assertIn(words, text)

        told, warnings, informed = self.effective("tomobackproject axis-pos=20", sino)
        self.assertEqual(warnings, [])
        (text,) = informed
        self.assertIn("30 views were taken for half a turn", text)

        told, warnings, informed = self.effective("tomobackproject", sino, scan_event(angles, 33.25))
        check(told, 33.25, "scan", angles[0], angles[-1], "scan")
        self.assertEqual((warnings, informed), ([], []))

        told, warnings, informed = self.effective("tomobackproject", sino, scan_event(angles))
        check(told, width / 2, "assumed", angles[0], angles[-1], "scan")
        self.assertEqual(informed, [])
        self.assertEqual(len([w for w in warnings if "no axis" in w]), 1, warnings)

        told, warnings, informed = self.effective(
            f"tomobackproject axis-pos=31.5 angle-step={np.pi / 30!r} angle-offset=0.25", sino, scan_event(angles, 33.25))
        check(told, 31.5, "property", 0.25, 0.25 + np.pi - np.pi / 30, "property")
        self.assertEqual((warnings, informed), ([], []))

        told, *_ = self.effective("tomocenterofrotation ! tomobackproject", sino, scan_event(angles))
        self.assertEqual(told.get_string("axis-source"), "found")

    def test_part_of_a_scan_without_angles(self):
        """It is no half turn: the angles are those of the part, and the missing wedge is told."""
        width, number = 40, 90
        sino = random_array(np.float32, (30, width))
        for numbers in (np.arange(30), np.arange(30) + 45, np.arange(0, number, 3)):
            fields = (f"tomo-scan, total-projections=(double){number}, axis-position=(double)19.5, "
                      "projection-numbers=<" + ",".join(f"(double){n}" for n in numbers) + ">")
            event = Gst.Event.new_custom(Gst.EventType.CUSTOM_DOWNSTREAM_STICKY, Gst.Structure.new_from_string(fields))
            with Stream("tomobackproject") as stream:
                stream.push(sino, event=event)
                result = stream.pull()
                stream.finish()
                angles = numbers * np.pi / number
                self.assert_close(result, reference(sino, angles=angles, axis=19.5), NOISE_TOLERANCE)
                warnings = stream.warnings()
                self.assertEqual(
                    len([w for w in warnings
                         if f"{number} projections were taken for half a turn, of which 30 came" in w]), 1, warnings)
                self.assertEqual([w for w in warnings if "leave out" in w] != [], numbers[-1] - numbers[0] < 80)

    def test_angles_that_say_nothing(self):
        """All equal, multiples of half a turn: no slice comes of that. Two or three directions: a warning."""
        sino = sinogram(30)
        for angles in (np.zeros(30), np.full(30, 1.3), np.arange(30) * np.pi):
            with Stream("tomobackproject axis-pos=20") as stream:
                stream.push(sino, event=scan_event(angles))
                with self.assertRaises(PipelineError) as caught:
                    stream.pull()
            for words in ("30 projections", "one direction", "angle-step"):
                self.assertIn(words, str(caught.exception))
        with Stream("tomobackproject axis-pos=20") as stream:
            stream.push(sino, event=scan_event(np.arange(30) % 3 * 0.5))
            stream.finish()
            (warning,) = stream.warnings()
            self.assertIn("only 3 directions", warning)

    def test_the_axis_goes_on(self):
        """The one that was used, in the scan event behind; of each scan, and of each change of the property."""
        sino = sinogram(30)
        angles = np.deg2rad(np.arange(30) * 6.0)
        found = "tomo-scan, axis-position=(double)20.5, axis-source=(string)found"
        found = Gst.Event.new_custom(Gst.EventType.CUSTOM_DOWNSTREAM_STICKY, Gst.Structure.new_from_string(found))
        # Before each array: the property, the event; and what follows: the axis, and whether it was found.
        steps = (
            (-1, scan_event(angles, 33.25), (33.25, False)),
            (31.5, None, (31.5, False)),
            (33.25, None, (33.25, False)),
            (33.25, scan_event(angles, 28.75), (33.25, False)),
            (-1, None, (28.75, False)),
            (28.75, found, (28.75, False)),
            (-1, None, (20.5, True)),
            (20.5, None, (20.5, False)),
            (-1, scan_event(angles, 33.25), (33.25, False)),
            (-1, scan_event(angles), (sino.shape[1] / 2, False)),
        )
        for batch in (0, 1):
            seen = []
            with Stream(f"tomobackproject name=b batch={batch} ! identity name=i silent=true", play=False) as stream:
                def look(pad, _):
                    event = pad.get_sticky_event(Gst.EventType.CUSTOM_DOWNSTREAM_STICKY, 0)
                    fields = event.get_structure()
                    seen.append((fields.get_double("axis-position")[1], fields.get_string("axis-source") == "found"))
                    return Gst.PadProbeReturn.OK

                stream["i"].get_static_pad("sink").add_probe(Gst.PadProbeType.BUFFER, look)
                stream.play()
                for setting, event, *_ in steps:
                    stream["b"].set_property("axis-pos", setting)
                    stream.push(sino, event=event)
                    stream.pull()
                stream.finish()
            self.assertEqual(seen, [wanted for *_, wanted in steps])

    def test_missing_wedge_is_told_once(self):
        sino = sinogram(30)
        angles = np.deg2rad(np.arange(30) * 4.0)
        with Stream("tomobackproject name=b") as stream:
            for i in range(3):
                stream.push(sino, event=scan_event(angles, sino.shape[1] / 2) if i == 0 else None)
                self.assert_close(stream.pull(), reference(sino, angles=angles), NOISE_TOLERANCE)
            stream["b"].set_property("axis-pos", 40.0)
            self.assert_close(
                stream.through(sino), reference(sino, angles=angles, axis=40.0), NOISE_TOLERANCE
            )
            stream.finish()
            (warning,) = stream.warnings()
            self.assertIn("60 of 180 degrees", warning)

    # As every element ----------------------------------------------------------------------------------

    def test_memory(self):
        arrays = [sinogram() for _ in range(5)]
        self.check_memory(
            "tomobackproject", arrays, reference=[reference(a) for a in arrays], tolerance=NOISE_TOLERANCE
        )

    def test_state_cycles(self):
        arrays = [sinogram() for _ in range(3)]
        self.check_state_cycles(
            "tomobackproject", arrays, reference=[reference(a) for a in arrays], tolerance=NOISE_TOLERANCE
        )

    def test_changes_while_playing(self):
        sino = sinogram(40)
        geometry = {}
        with Stream("tomobackproject name=b") as stream:
            for name, value, key in (
                (None, None, None),
                ("axis-pos", 30.25, "axis"),
                ("angle-step", 2 * np.pi / 40, "step"),
                ("angle-offset", -1.5, "offset"),
            ):
                if name:
                    stream["b"].set_property(name, value)
                    geometry[key] = value
                with self.subTest(**geometry):
                    self.assert_close(stream.through(sino), reference(sino, **geometry), NOISE_TOLERANCE)
            stream["b"].set_property("roi-x", 7)
            stream["b"].set_property("roi-y", 12)
            self.assert_close(
                stream.through(sino), reference(sino, roi=(7, 12, WIDTH, WIDTH), **geometry), NOISE_TOLERANCE
            )
            stream["b"].set_property("roi-width", 110)
            self.assert_close(
                stream.through(sino), reference(sino, roi=(7, 12, 110, WIDTH), **geometry), NOISE_TOLERANCE
            )
            Gst.util_set_object_arg(stream["b"], "mode", "nearest")
            nearest = stream.through(sino)
            self.assertGreater(
                relative_error(nearest, reference(sino, roi=(7, 12, 110, WIDTH), **geometry)), 0.05
            )
            wanted, slack = nearest_reference(
                sino,
                -1.5 + np.arange(40) * geometry["step"],
                30.25,
                (7, 12, 110, WIDTH),
                np.full(40, np.pi / 40),
            )
            self.assertTrue((np.abs(nearest - wanted) <= slack + 1e-5).all())

    def test_axis_driven_by_a_controller(self):
        try:
            gi.require_version("GstController", "1.0")
        except ValueError:
            self.skipTest("no GstController-1.0.typelib")
        from gi.repository import GstController

        sino = sinogram()
        with Stream("tomobackproject name=b", framerate=1, play=False) as stream:
            source = GstController.InterpolationControlSource()
            source.set_property("mode", GstController.InterpolationMode.LINEAR)
            stream["b"].add_control_binding(
                GstController.DirectControlBinding.new_absolute(stream["b"], "axis-pos", source)
            )
            source.set(0, 40.0)
            source.set(2 * Gst.SECOND, 44.0)
            stream.play()
            for axis in (40.0, 42.0, 44.0):
                self.assert_close(stream.through(sino), reference(sino, axis=axis), NOISE_TOLERANCE)

    def test_caps_changes(self):
        arrays = [sinogram(40), sinogram(40, 101), sinogram(23, dtype=np.uint16), sinogram(23, depth=5)]
        for a, result in zip(arrays, run("tomobackproject", arrays), strict=True):
            self.assert_close(result, reference(a), NOISE_TOLERANCE)

    def test_errors(self):
        sino = sinogram()
        self.assert_fails(
            ["40 projections", "num-projections=39"], "tomobackproject num-projections=39", [sino]
        )
        self.assert_fails(
            ["40 projections", "offset=2", "num-projections=41"],
            "tomobackproject num-projections=41 offset=2",
            [sino],
        )
        self.assert_fails(["region", "4294967295", "axis"], "tomobackproject roi-x=4294967295", [sino])
        self.assert_fails(["sink", "complex64"], "tomobackproject", [random_array(np.complex64, (3, 5))])
        self.assert_fails(["joseph", "precision-mode=single"], "tomobackproject mode=joseph precision-mode=half", [sino])
        # More than any device has.
        self.assert_fails(
            ["bytes", "allocate"],
            "tomobackproject roi-width=32768 roi-height=32768",
            [sinogram(2, 3, depth=200)],
        )


if __name__ == "__main__":
    main()
