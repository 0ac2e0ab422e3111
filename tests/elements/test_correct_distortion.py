# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomocorrectdistortion against float64 sampling at the places of the backward model."""

from tomotest import *
from elementtest import ElementTestCase, Stream
from padtest import *

from sampling import ADDRESSING, sample

TOLERANCE = 1e-5
BENT = (0.98, 3e-3, -2e-4, 1e-6)


def straight(a, coefficients=BENT, center=None, mode="clamp_to_edge", interpolation="cubic", rows=slice(None)):
    if a.ndim == 3:
        return np.stack([straight(p, coefficients, center, mode, interpolation, rows) for p in a])
    height, width = a.shape
    cx, cy = center or (width / 2, height / 2)
    y, x = np.mgrid[:height, :width][:, rows] + 0.5
    factor = np.polynomial.polynomial.polyval(np.hypot(x - cx, y - cy), coefficients)
    return sample(a, cx + (x - cx) * factor - 0.5, cy + (y - cy) * factor - 0.5, mode, interpolation)


def properties(coefficients=BENT, center=None, **others):
    line = f"coefficients=<{','.join(repr(float(c)) for c in coefficients)}>"
    if center:
        line += f" center=<{center[0]},{center[1]}>"
    return " ".join([line, *(f"{name.replace('_', '-')}={value}" for name, value in others.items())])


class CorrectDistortion(ElementTestCase):
    def check(self, line, wanted, *arrays):
        for result, a in zip(run(f"tomocorrectdistortion {line}", list(arrays)), arrays, strict=True):
            self.assertEqual(result.dtype, np.float32)
            self.assert_close(result, wanted(a), TOLERANCE, line)

    def test_properties(self):
        self.check_properties("tomocorrectdistortion", {
            "coefficients": [], "center": [], "addressing-mode": ("clamp_to_edge", set(ADDRESSING)),
            "interpolation": ("cubic", {"nearest", "linear", "cubic"}), "y": (0, 0, 2**32 - 1), "height": (0, 0, 2**32 - 1),
            "y-step": (1, 1, 2**32 - 1)})

    def test_every_format(self):
        for name in REAL:
            with self.subTest(format=name):
                self.check(properties(), straight, random_array(FORMATS[name], (7, 11)))

    def test_centres_and_modes(self):
        arrays = [random_array(np.float32, s) for s in ((31, 37), (1, 1), (1, 9), (5, 1), (2, 13, 11))]
        for center in None, (3.25, -7.0), tuple(rng.uniform(0, 30, 2)), (0.0, 0.0):
            self.check(properties(center=center), lambda a: straight(a, center=center), *arrays)
        for coefficients in (1.0,), (0.5,), (1.3, 0.0, 0.01), (2.0, -0.05, 1e-3, -1e-5, 1e-7, 1e-9):
            self.check(properties(coefficients), lambda a: straight(a, coefficients), *arrays)
        for mode in sorted(ADDRESSING):
            for interpolation in "nearest", "linear", "cubic":
                # No place lies in the middle between two pixels, where rounding decides.
                center = tuple(rng.uniform(5, 6, 2))
                self.check(properties(center=center, addressing_mode=mode, interpolation=interpolation),
                           lambda a: straight(a, BENT, center, mode, interpolation), arrays[0], arrays[4])

    def test_identity(self):
        a = random_array(np.float32, (13, 17))
        a[3, 4], a[7, 8] = np.nan, np.inf
        for line in "", "coefficients=<1.0>", "coefficients=<1.0,0.0,0.0> center=<3.3,4.4>", "interpolation=linear":
            np.testing.assert_array_equal(run(f"tomocorrectdistortion {line}", [a])[0], a)

    def test_places_in_wide_images(self):
        """Far from the origin, a coordinate in float32 would be off by 1e-4 pixels."""
        width, center, coefficients = 8191, (4000.3, 1.2), (1.0001, 1e-8, -2e-12)
        a = np.tile(np.where(np.arange(width) % 2, 1000.0, -1000.0).astype(np.float32), (3, 1))
        (result,) = run(f"tomocorrectdistortion {properties(coefficients, center)}", [a])
        wanted = straight(a, coefficients, center)
        self.assertLess(np.abs(result - wanted).max(), 0.01)  # 5e-6 pixels

    def test_rows(self):
        a = random_array(np.float32, (2, 23, 15))
        for y, height, step in ((0, 0, 1), (5, 0, 1), (5, 9, 1), (3, 4, 5), (22, 1, 1), (0, 0, 7)):
            rows = slice(y, y + height * step if height else None, step)
            with self.subTest(rows=rows):
                self.check(properties(center=(7, 11.5), y=y, height=height, y_step=step),
                           lambda a: straight(a, center=(7, 11.5), rows=rows), a)

    def test_nan(self):
        a = random_array(np.float32, (9, 9))
        a[4, 6] = np.nan
        (result,) = run(f"tomocorrectdistortion {properties()}", [a])
        touched = straight(np.isnan(a).astype(float)) != 0
        np.testing.assert_array_equal(np.isnan(result), touched)
        self.assert_close(result[~touched], straight(np.nan_to_num(a))[~touched], TOLERANCE)

    def test_scan(self):
        a = random_array(np.float32, (12, 10))
        with Pads(f"tomocorrectdistortion {properties(y=2, height=4, y_step=2)}") as pads:
            pads.begin(a, domain="projection")
            pads.send(scan_event([1.0, 2.0], 5.25, 1e-6))
            pads.push(a, domain="projection")
            self.assertEqual(pads.scan(), ([1.0, 2.0], 5.25, 1e-6))
            event = pads.end.get_sticky_event(Gst.EventType.CUSTOM_DOWNSTREAM_STICKY, 0).get_structure()
            self.assertEqual((event.get_double("region-y").value, event.get_double("binning-y").value), (1.5, 2.0))

    def test_memory_and_state_cycles(self):
        arrays = [random_array(np.float32, (9, 12)) for _ in range(3)]
        reference = [straight(a) for a in arrays]
        self.check_memory(f"tomocorrectdistortion {properties()}", arrays, reference=reference, tolerance=TOLERANCE)
        self.check_state_cycles(f"tomocorrectdistortion {properties()}", arrays, reference=reference, tolerance=TOLERANCE)

    def test_changes_while_playing(self):
        a, b = random_array(np.float32, (9, 12)), random_array(np.float32, (4, 5))
        with Stream(f"tomocorrectdistortion name=f {properties()}") as stream:
            self.assert_close(stream.through(a), straight(a), TOLERANCE)
            stream["f"].set_property("y", 3)
            self.assert_close(stream.through(a), straight(a, rows=slice(3, None)), TOLERANCE)
            self.assert_close(stream.through(b), straight(b, rows=slice(3, None)), TOLERANCE)

    def test_errors(self):
        a = random_array(np.float32, (5, 6))
        for expected, line in (
            (["center has 3 numbers", "column and row"], "center=<1.0,2.0,3.0>"),
            (["y=5 height=0", "do not lie in", "6 x 5"], "y=5"),
            (["y=2 height=2 y-step=3", "do not lie in"], "y=2 height=2 y-step=3"),
        ):
            self.assert_fails(expected, f"tomocorrectdistortion {line}", [a])
        with Pads("tomocorrectdistortion") as pads, self.assertRaises(PipelineError) as raised:
            pads.begin(a, domain="sinogram")
        self.assertIn("before tomotransposeprojections", str(raised.exception))


if __name__ == "__main__":
    main()
