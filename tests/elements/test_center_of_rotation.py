# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomocenterofrotation on exact sinograms of random objects."""

from tomotest import *
from elementtest import ElementTestCase, Stream, scan_event
from real_scans import AXES, real_scan
import tomoref


def phantom(radius, number=12):
    """Discs of all sizes at random places within a circle, and a large one around them."""
    discs = [tomoref.disc(0.1 * radius, -0.05 * radius, 0.8 * radius, 0.01)]
    for _ in range(number):
        place, angle = rng.uniform(0, 0.6 * radius), rng.uniform(0, 2 * np.pi)
        size = rng.uniform(0.05, 0.2) * radius
        discs.append(tomoref.disc(place * np.cos(angle), place * np.sin(angle), size, rng.uniform(-0.01, 0.02)))
    return discs


def sinogram(discs, angles, width, axis, noise=0.0, fine=5):
    # A pixel sees the mean over its width.
    exact = sum(
        tomoref.line_integrals(discs, angles, width, axis + u) for u in (np.arange(fine) + 0.5) / fine - 0.5
    ) / fine
    return (exact + noise * exact.max() * rng.standard_normal(exact.shape)).astype(np.float32)


HALF_TURN = f"angle-step={np.pi!r}"  # from each row to the next


def spectrum_curve(rows, axes):
    """Mean magnitude in the wedge of a whole turn's spectrum (Vo et al. 2014), of half a turn and its mirror image."""
    n, width = rows.shape
    padded = 1 << (width - 1).bit_length()
    x = np.arange(width) + 0.5
    inside = np.clip(np.minimum(x, width - x) / (0.1 * width), 0, 1)
    half = np.zeros((n, padded))
    half[:, :width] = rows * (0.5 - 0.5 * np.cos(np.pi * inside))
    mirrored = np.zeros((n, padded))
    mirrored[:, :width] = half[:, width - 1 :: -1]
    u, v = np.arange(1, padded // 2), np.arange(n)[:, None]
    wedge = v >= np.floor(2 * np.pi * (width / 2) * u / padded) + 4
    result = []
    for axis in axes:
        shift = np.exp(-2j * np.pi * np.fft.fftfreq(padded) * (2 * axis - width))
        whole = np.vstack([half, np.fft.ifft(np.fft.fft(mirrored) * shift)])
        result.append(np.abs(np.fft.fft2(whole)[:n, 1 : padded // 2])[wedge].mean())
    return result


def overlap_curve(rows, window):
    """1 - r of the outermost columns of the mirrored half turn at all places of the other one (Vo et al. 2021)."""
    half, width = len(rows) // 2, rows.shape[1]
    first, mirrored = rows[:half], rows[half:, ::-1]
    curve = []
    for edge, offset in ((mirrored[:, width - window :], window), (mirrored[:, :window], width)):
        for place in range(width - window + 1):
            r = np.corrcoef(first[:, place : place + window].ravel(), edge.ravel())[0, 1]
            curve.append(((place + offset) / 2, 1 - r))
    return np.array(sorted(curve, key=lambda point: point[0])).T


def slice_measures(rows, angles, axes, metric):
    """Of slices on a grid of 5000 points within W / 2 of the axis in the middle, which move with the object for the
    others (Donath et al. 2006)."""
    width = rows.shape[1]
    padded = 1 << (2 * width - 1).bit_length()
    after = (padded - width) // 2
    wide = np.hstack([rows, np.repeat(rows[:, -1:], after, 1), np.repeat(rows[:, :1], padded - width - after, 1)])
    f = np.fft.fftfreq(padded)
    response = tomoref.ramp_fromreal(padded) * np.exp(-2 * (np.pi * 1.5 * f) ** 2)
    filtered = np.fft.ifft(np.fft.fft(wide) * response).real[:, :width]
    step = np.sqrt(np.pi * (width / 2) ** 2 / 5000)
    reach = np.arange(-int(width / 2 / step), int(width / 2 / step) + 1) * step
    x, y = (c.ravel() for c in np.meshgrid(reach, reach))
    keep = x * x + y * y <= width * width / 4
    x, y = x[keep], y[keep]
    directions = np.stack([np.cos(angles), np.sin(angles)], 1)
    moved = directions @ np.linalg.lstsq(directions, np.ones(len(angles)), rcond=None)[0]  # in each view, by a pixel of the axis
    middle = (axes[0] + axes[-1]) / 2
    result = []
    for axis in axes:
        values = sum(
            np.interp(x * c + y * s + axis - (axis - middle) * m - 0.5, np.arange(width), row)
            for (c, s), m, row in zip(directions, moved, filtered, strict=True)
        ) * np.pi / len(angles)
        result.append(np.abs(values).mean() if metric == "absolute" else np.maximum(-values, 0).mean())
    return result


class CenterOfRotation(ElementTestCase):
    def centers(self, description, *arrays, event=None):
        with Stream(f"tomocenterofrotation name=c {description}") as stream:
            for a in arrays:
                stream.push(a, event=event)
            results = stream.finish()
            for result, a in zip(results, arrays, strict=True):
                np.testing.assert_array_equal(result, a)
            messages = stream.element_messages("tomo-center-of-rotation")
            values = [m.get_double("center")[1] for m in messages]
            self.curves = [[[m.get_value(name)[i] for i in range(len(m.get_value(name)))]
                            for name in ("curve-axes", "curve-values")] for m in messages]
            self.sigmas = [m.get_double("uncertainty")[1] for m in messages]
            self.pairs = [m.get_uint("pairs")[1] for m in messages]
            for name, last in (("center", values[-1]), ("uncertainty", self.sigmas[-1]), ("pairs", self.pairs[-1])):
                np.testing.assert_equal(stream["c"].get_property(name), last)
            self.warnings = stream.warnings()
        return values

    def check(self, axis, found, tolerance):
        self.assertLessEqual(np.abs(np.subtract(axis, found)).max(), tolerance, f"{axis} {found} (seed {SEED})")

    def test_properties(self):
        limits = np.finfo(np.float64).min, np.finfo(np.float64).max
        self.check_properties("tomocenterofrotation", {
            "method": 0, "metric": 0, "from": (-1.0, -1.0, 1e6), "to": (-1.0, -1.0, 1e6),
            "angle-step": (0.0, 0.0, 180.0), "update-scan": True, "skip-unfit-views": False, "center": (0.0, *limits),
            "uncertainty": (0.0, 0.0, limits[1]), "pairs": (0.0, 0.0, 64.0)})

    def test_half_a_turn(self):
        """First and last row, axes in all places, also such that cut the object off."""
        angles = np.array([0, 1, 2, np.pi])
        for width in (128, 201):
            discs = phantom(0.35 * width)
            for share in (0.5, 0.45, 0.62, 0.8, 0.2):
                axis = share * width + rng.uniform(-0.5, 0.5)
                with self.subTest(width=width, axis=axis):
                    # Of an object that is cut off, a single one may hide its axis.
                    many = [discs] if 0.3 < share < 0.7 else [discs, *(phantom(0.35 * width) for _ in range(4))]
                    found = self.centers("", *(sinogram(one, angles, width, axis) for one in many), event=scan_event(angles))
                    self.check(axis, np.median(np.abs(np.subtract(found, axis))) + axis, 0.05)
                    self.check(axis, found, 0.1)

    def test_noise(self):
        """In many noisy planes, since a single one may be far off by chance."""
        angles = np.array([0, np.pi])
        for axis in (103.3, 88.85, 130.2):
            planes = np.array([sinogram(phantom(70), angles, 200, axis, noise=0.02) for _ in range(60)])
            misses = np.abs(np.subtract(self.centers(HALF_TURN, planes), axis))
            with self.subTest(axis=axis):
                self.assertLess(np.median(misses), 0.08, f"{misses} (seed {SEED})")
                self.assertLessEqual(misses.max(), 0.4, f"{misses} (seed {SEED})")
                self.assertLessEqual(np.count_nonzero(misses > 0.2), 5, f"{misses} (seed {SEED})")

    def test_empty_margins_are_no_match(self):
        """A small object far from the edges, which a sum of differences over the overlap would prefer."""
        (found,) = self.centers(HALF_TURN, sinogram(phantom(20), np.array([0, np.pi]), 256, 140.4))
        self.check(140.4, found, 0.05)

    def test_rows_by_angles(self):
        """Of the scan, or given; the pairs of a whole turn; a scan that ends a step before half a turn."""
        discs, axis, width = phantom(40), 66.2, 128
        for angles in (np.arange(360) * np.pi / 180, np.arange(91) * np.pi / 90 + 0.3, np.arange(250) * np.pi / 180):
            # One phantom with its noise is no sample.
            planes = [sinogram(phantom(40), angles, width, axis, noise=0.01) for _ in range(9)]
            step = angles[1] - angles[0]
            with self.subTest(number=len(angles)):
                found = self.centers(f"angle-step={step!r}", *planes)
                self.check(axis, found, 0.2)
                self.check(axis, np.median(np.abs(np.subtract(found, axis))) + axis, 0.05)
                self.assertEqual(self.centers("", planes[0], event=scan_event(angles)), found[:1])
        angles = np.arange(1800) * np.pi / 1800
        self.check(axis, self.centers("", sinogram(discs, angles, width, axis)), 0.1)

    def test_without_angles(self):
        """The angles are those that tomobackproject assumes, also of a part of a scan, and that is a warning."""
        number, axis, width = 200, 66.2, 128
        part = ("tomo-scan, total-projections=(double)200, projection-numbers=<"
                + ",".join(f"(double){n}" for n in range(0, number, 2)) + ">")
        event = Gst.Event.new_custom(Gst.EventType.CUSTOM_DOWNSTREAM_STICKY, Gst.Structure.new_from_string(part))
        for step, event in ((1, None), (2, event)):
            rows = sinogram(phantom(40), np.arange(0, number, step) * np.pi / number, width, axis)
            with self.subTest(step=step), Stream("tomocenterofrotation name=c ! tomobackproject name=b") as stream:
                stream.push(rows, event=event)
                stream.finish()
                self.check(axis, stream["c"].get_property("center"), 0.1)
                told = {m.src.get_name(): m.get_structure() for m in stream.messages
                        if m.get_structure() and m.get_structure().has_name("tomo-effective")}
                for name in ("angle-first", "angle-last", "angle-step"):
                    values = [told[element].get_double(name)[1] for element in "cb"]
                    self.assertEqual(*values)
                self.assertEqual(told["c"].get_string("angle-source"), "assumed")
                self.assertEqual(told["c"].get_double("angle-step")[1], np.pi / number * step)
                self.assertEqual(len([w for w in stream.warnings() if "half a turn" in w and "angle-step" in w]), 2 if step > 1 else 1)

    def test_everyday_scans(self):
        """Scans that end before half a turn, odd numbers of views, uneven and golden angles; noise, stripes, a
        truncated object and an axis far off the middle. Right within half a pixel, and honest about it."""
        degree = np.pi / 180
        scans = {
            "0 to 179.5 by 0.5": np.arange(360) * degree / 2,
            "0 to 179.5 by a quarter": np.arange(719) * degree / 4,
            "0 to 179": np.arange(180) * degree,
            "a step short, odd": np.arange(181) * np.pi / 181,
            "odd, full turn": np.arange(361) * 2 * np.pi / 361,
            "backwards from 300": (300 - np.arange(271) * 0.7) * degree,
            "golden": np.arange(300) * np.pi * (3 - 5**0.5),
            "uneven": np.arange(200) * 0.97 * degree + rng.normal(0, 0.2 * degree, 200),
        }
        normalised = []
        for name, angles in scans.items():
            for width, share, radius, noise, stripes in (
                (128, 0.5, 0.35, 0.0, 0.0), (201, 0.62, 0.35, 0.02, 0.01), (157, 0.73, 0.35, 0.01, 0.0),
                (211, 0.45, 0.7, 0.01, 0.0),
            ):
                axis = share * width + rng.uniform(-0.5, 0.5)
                rows = sinogram(phantom(radius * width), angles, width, axis, noise, fine=2)
                rows += stripes * rows.max() * rng.standard_normal(width).astype(np.float32)
                with self.subTest(scan=name, width=width, axis=axis):
                    (found,) = self.centers("", rows, event=scan_event(angles))
                    self.check(axis, found, max(0.5, 4 * self.sigmas[0]))
                    normalised.append((found - axis) / max(self.sigmas[0], 0.05))
                    short = name.startswith(("0 to", "a step"))
                    self.assertTrue(self.pairs[0] == 1 if short else 5 <= self.pairs[0] <= 32, self.pairs)
        # One sigma means what it says, on the whole.
        self.assertLess(np.sqrt(np.mean(np.square(normalised))), 2.0, f"(seed {SEED})")
        self.assertGreater(np.sqrt(np.mean(np.square(normalised))), 0.25, f"(seed {SEED})")

    def test_real_scans(self):
        for name, rows in (("savu24737.nxs", slice(60, 130, 8)), ("tooth.h5", slice(0, 2))):
            axis = AXES[name]
            attenuation, angles = real_scan(name)
            with self.subTest(scan=name):
                found = self.centers("", *attenuation[rows], event=scan_event(angles))
                self.check(axis, found, 0.5)
                self.assertLess(max(self.sigmas), 0.5)
                self.assertEqual(set(self.pairs), {1})
                self.assertEqual(self.warnings, [])

    def test_it_says_when_it_does_not_know(self):
        """Rows of a real scan without anything but noise, and noise alone."""
        attenuation, angles = real_scan("savu24737.nxs")
        found = self.centers("", *attenuation[0:20:4], event=scan_event(angles))
        self.assertGreater(min(self.sigmas), 0.5)
        self.assertLess(np.max(np.abs(np.subtract(found, 86.35)) / self.sigmas), 5)
        self.assertEqual(len([w for w in self.warnings if "one sigma" in w]), 1, self.warnings)
        self.centers("", rng.standard_normal((20, 127)))
        self.assertGreater(self.sigmas[0], 2)

    def test_it_becomes_that_of_the_scan(self):
        """In front of its array, with all else that is known, unless somebody says no."""
        angles, axes = np.arange(91) * np.pi / 90, (36.3, 40.1)
        arrays = [sinogram(phantom(25), angles, 75, axis) for axis in axes]
        for setting, expected in (("", axes), ("update-scan=false", (30.0, 30.0))):
            seen = []
            with Stream(f"tomocenterofrotation {setting} ! identity name=i silent=true", play=False) as stream:
                def look(pad, _):
                    event = pad.get_sticky_event(Gst.EventType.CUSTOM_DOWNSTREAM_STICKY, 0)
                    seen.append(event.get_structure().get_double("axis-position")[1])
                    self.assertTrue(event.get_structure().has_field("angles"))
                    return Gst.PadProbeReturn.OK
                stream["i"].get_static_pad("sink").add_probe(Gst.PadProbeType.BUFFER, look)
                stream.play()
                stream.push(arrays[0], event=scan_event(angles, 30.0))
                stream.push(arrays[1])
                stream.finish()
            with self.subTest(setting=setting):
                np.testing.assert_allclose(seen, expected, rtol=0, atol=0.1)

    def test_spectrum(self):
        for width, number in ((75, 90), (53, 67)):
            angles = np.arange(number) * np.pi / number + 0.2
            axis = 0.57 * width + rng.uniform(-0.5, 0.5)
            rows = sinogram(phantom(0.33 * width), angles, width, axis, noise=0.01)
            with self.subTest(width=width):
                (found,) = self.centers("method=spectrum from=20 to=50", rows, event=scan_event(angles))
                self.check(axis, found, 0.15)
                axes, values = self.curves[0]
                np.testing.assert_array_equal(axes, np.arange(20, 50.25, 0.5))
                self.assert_close(np.array(values), np.array(spectrum_curve(rows, axes)), 1e-5)
        # Half a turn of a whole one, and of one that begins with the last view and repeats the first.
        angles = np.arange(180) * np.pi / 90
        rows = sinogram(phantom(25), angles, 75, 36.3)
        self.check(36.3, self.centers("method=spectrum", rows, event=scan_event(angles)), 0.05)
        angles = np.arange(91)[::-1] * np.pi / 90
        rows = sinogram(phantom(25), angles, 75, 36.3)
        self.check(36.3, self.centers("method=spectrum", rows, event=scan_event(angles)), 0.05)

    def test_overlap(self):
        for width, share in ((157, 0.88), (201, 0.13)):
            angles = np.arange(122) * np.pi / 61
            axis = share * width + rng.uniform(-0.5, 0.5)
            rows = sinogram(phantom(0.92 * max(axis, width - axis)), angles, width, axis, noise=0.01)
            with self.subTest(width=width, share=share):
                (found,) = self.centers("method=overlap", rows, event=scan_event(angles))
                self.check(axis, found, 0.1)
                axes, values = overlap_curve(rows.astype(np.float64), max(8, width // 16))
                np.testing.assert_array_equal(self.curves[0][0], axes)
                self.assert_close(np.array(self.curves[0][1]), values, 1e-4)
                # Stripes are at the same columns of both halves.
                rows += 0.02 * rows.max() * rng.standard_normal(width).astype(np.float32)
                self.check(axis, self.centers("method=overlap", rows, event=scan_event(angles)), 0.2)
        # Nothing but noise at both edges.
        rows = sinogram(phantom(40), angles, 157, 80.3, noise=0.01)
        self.assertTrue(np.isnan(self.centers("method=overlap", rows, event=scan_event(angles))[0]))

    def test_slices(self):
        width, number = 75, 90
        angles = np.arange(number) * np.pi / number
        axis = 34.7 + rng.uniform(-0.5, 0.5)
        rows = sinogram(phantom(26), angles, width, axis)
        for metric, tolerance in (("entropy", 0.1), ("absolute", 0.1), ("negativity", 0.2)):
            with self.subTest(metric=metric):
                (found,) = self.centers(f"method=sharpness metric={metric} from=25 to=45", rows, event=scan_event(angles))
                self.check(axis, found, tolerance)
                axes, values = self.curves[0]
                self.assertLess(abs(axes[np.argmin(values)] - axis), 2)
                np.testing.assert_array_equal(axes, np.arange(25, 46))
                if metric != "entropy":
                    self.assert_close(np.array(values), np.array(slice_measures(rows, angles, axes, metric)), 1e-4)

    def test_everything_at_once(self):
        """Noise, stripes, an object that reaches over the edge of the detector, an axis a tenth off the middle."""
        for width in (153, 203):
            number = int(1.2 * width) | 1
            angles, axes, arrays = np.arange(number) * np.pi / number, [], []
            for side in 5 * (1, -1, 1):
                axis = (0.5 + 0.1 * side) * width + rng.uniform(-0.5, 0.5)
                radius = 0.4 * width / 0.92
                rows = sinogram(phantom(radius / 0.9), angles, width, axis, noise=0.01, fine=3)
                axes.append(axis)
                arrays.append(rows + 0.01 * rows.max() * rng.standard_normal(width).astype(np.float32))
            for description in ("correlation", "spectrum", "sharpness"):
                found = self.centers(f"method={description}", *arrays, event=scan_event(angles))
                with self.subTest(width=width, method=description):
                    error = np.subtract(found, axes)
                    self.assertLess(abs(np.median(error)), 0.1, f"{error} {self.sigmas} (seed {SEED})")
                    self.assertLess(np.sort(np.abs(error))[-2], 0.4, f"{error} (seed {SEED})")

    def test_range(self):
        """An end of the range is told as such, and an impossible range is an error."""
        angles = np.arange(150) * np.pi / 150
        rows = sinogram(phantom(40), angles, 101, 48.3)
        for method in ("correlation", "spectrum", "sharpness"):
            with self.subTest(method=method):
                (found,) = self.centers(f"method={method} from=42 to=54", rows, event=scan_event(angles))
                self.check(48.3, found, 0.2)
                self.assertEqual(self.warnings, [])
        angles = np.arange(180) * np.pi / 90
        rows = sinogram(phantom(25), angles, 75, 36.3)
        for limits in ((38, 44), (36.75, 44), (30, 36)):
            (found,) = self.centers(f"method=spectrum from={limits[0]} to={limits[1]}", rows, event=scan_event(angles))
            self.assertTrue(limits[0] <= found <= limits[1], f"{limits} {found} (seed {SEED})")
        self.centers("method=spectrum from=38 to=44", rows, event=scan_event(angles))
        self.assertIn("at an end of the range", " ".join(self.warnings))
        self.assert_fails(["from 50 to 40", "75 columns"], f"tomocenterofrotation {HALF_TURN} from=50 to=40", [rows])
        self.assert_fails(["half a turn", "another method"], "tomocenterofrotation method=spectrum angle-step=0.005", [rows])
        self.assert_fails(["whole turn", "another method"], f"tomocenterofrotation method=overlap angle-step={np.pi / 180!r}", [rows])

    def test_unfit_views_on_request(self):
        """Of methods in a row, each says of itself that the views do not serve it, and the others go on."""
        angles = np.arange(90) * np.pi / 90
        rows = sinogram(phantom(25), angles, 75, 36.3)
        with Stream("tomocenterofrotation method=overlap skip-unfit-views=true ! "
                    "tomocenterofrotation method=spectrum skip-unfit-views=true") as stream:
            for _ in range(2):
                stream.push(rows, event=scan_event(angles))
            for result in stream.finish():
                np.testing.assert_array_equal(result, rows)
            told = stream.element_messages("tomo-center-of-rotation")
        failures = [m.get_string("failure") for m in told if m.get_string("method") == "overlap"]
        self.assertIn("wants a whole turn", failures[0])
        self.check(36.3, [m.get_double("center")[1] for m in told if m.get_string("method") == "spectrum"], 0.3)
        with Stream("tomocenterofrotation skip-unfit-views=true") as stream:
            stream.push(rows[:1])
            stream.finish()
            (told,) = stream.element_messages("tomo-center-of-rotation")
        self.assertIn("1 row", told.get_string("failure"))

    def test_methods_take_formats_planes_and_nan(self):
        for method, number, turn, width, radius, axes in (
            ("spectrum", 90, np.pi, 75, 25, (36.3, 40.1)), ("sharpness", 150, np.pi, 101, 40, (48.3, 52.1)),
            ("overlap", 90, 2 * np.pi, 101, 75, (82.3, 17.4)),
        ):
            angles = np.arange(number) * turn / number
            planes = np.array([sinogram(phantom(radius), angles, width, axis) for axis in axes])
            with self.subTest(method=method):
                self.check(axes, self.centers(f"method={method}", planes, event=scan_event(angles)), 0.4)
                whole = np.round((planes - planes.min()) / np.ptp(planes) * 40000).astype(np.uint16)
                self.check(axes, self.centers(f"method={method}", whole, event=scan_event(angles)), 0.4)
                description = f"tomocenterofrotation method={method} angle-step={turn / number!r}"
                self.check_memory(description, [planes], reference=[planes], tolerance=0)
                holes = [planes[0].copy(), planes[0].copy()]
                for value, image in zip((0, np.nan), holes):
                    image[3, 5] = image[0, width // 2] = value
                self.assertEqual(*self.centers(f"method={method}", *holes, event=scan_event(angles)))
                np.testing.assert_array_equal(*self.curves)
                planes[1, 3, 5] = np.nan
                self.check(axes[:1], self.centers(f"method={method}", planes, event=scan_event(angles))[:1], 0.4)
                nothing = self.centers(f"method={method}", np.zeros((number, width), np.float32), event=scan_event(angles))
                self.assertTrue(np.isnan(nothing[0]))

    def test_backprojection_takes_the_axis_of_its_own_sinogram(self):
        angles, axes = np.arange(91) * np.pi / 90, (36.3, 40.1, 33.7)
        arrays = [sinogram(phantom(25), angles, 75, axis) for axis in axes]
        for batch in (0, 2):
            with Stream(f"tomocenterofrotation name=c ! tomobackproject batch={batch}") as stream:
                for a in arrays:
                    stream.push(a, event=scan_event(angles))
                slices = stream.finish()
                found = [m.get_double("center")[1] for m in stream.element_messages("tomo-center-of-rotation")]
            for a, axis, result in zip(arrays, found, slices, strict=True):
                with self.subTest(batch=batch, axis=axis):
                    self.assert_close(result, tomoref.backproject_linear(a, angles, axis=axis), 1e-4)

    def test_every_format(self):
        rows = sinogram(phantom(25), np.array([0, np.pi]), 75, 36.3)
        rows = (rows - rows.min()) / np.ptp(rows) * 120
        for name in REAL:
            with self.subTest(format=name):
                (found,) = self.centers(HALF_TURN, np.round(rows).astype(FORMATS[name]))
                self.check(36.3, found, 0.1)

    def test_planes_and_stream(self):
        discs, axes = phantom(25), (36.3, 40.1, 33.7)
        planes = np.array([sinogram(discs, np.array([0, np.pi]), 75, axis) for axis in axes])
        self.check(axes, self.centers(HALF_TURN, planes), 0.05)
        self.check(axes, self.centers(HALF_TURN, *planes), 0.05)

    def test_nothing_to_find(self):
        for a in (np.full((5, 64), 2.5, np.float32), np.full((5, 64), np.nan, np.float32)):
            self.assertTrue(np.isnan(self.centers(f"angle-step={np.pi / 4!r}", a)[0]))
            self.assertIn("no axis", self.warnings[0])

    def test_a_nan_only_costs_its_overlaps(self):
        rows = sinogram(phantom(35), np.array([0, np.pi]), 128, 90.2)
        rows[0, 2] = np.nan
        self.check(90.2, self.centers(HALF_TURN, rows), 0.05)
        rows = sinogram(phantom(70), np.array([0, np.pi]), 256, 208.4)  # the overlap begins at 161
        rows[0, 128] = np.nan
        self.check(208.4, self.centers(HALF_TURN, rows), 0.05)

    def test_memory_and_state_cycles(self):
        arrays = [random_array(np.float32, (3, 17)) for _ in range(3)]
        self.check_memory("tomocenterofrotation angle-step=1.5", arrays, reference=arrays, tolerance=0)
        self.check_state_cycles("tomocenterofrotation angle-step=1.5", arrays, reference=arrays, tolerance=0)

    def test_errors(self):
        a = random_array(np.float32, (5, 17))
        self.assert_fails(["1 row", "two views"], "tomocenterofrotation", [a[:1]])
        self.assert_fails(["2 rows", "angle-step", "3.14159265"], "tomocenterofrotation", [a[:2]])
        self.assert_fails(["half a turn apart", "miss it by 157.1 degrees"], "tomocenterofrotation angle-step=0.1", [a])
        with Stream("tomocenterofrotation") as stream, self.assertRaises(PipelineError) as caught:
            stream.push(a, event=scan_event([0, 1, 2]))
            stream.finish()
        self.assertIn("3 angles", str(caught.exception))


if __name__ == "__main__":
    main()
