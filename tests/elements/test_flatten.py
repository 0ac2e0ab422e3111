# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomoflatten against numpy over depth."""

from tomotest import *
from elementtest import ElementTestCase, Stream
from padtest import *

TOLERANCE = 1e-6
MODES = {"median": np.median, "min": np.min, "max": np.max, "sum": np.sum, "mean": np.mean}


class Flatten(ElementTestCase):
    def check(self, mode, *arrays):
        for result, a in zip(run(f"tomoflatten mode={mode}", list(arrays)), arrays, strict=True):
            self.assertEqual(result.dtype, np.float32)
            planes = np.asarray(a if a.ndim == 3 else a[None], np.float64)
            with np.errstate(invalid="ignore"):
                wanted = MODES[mode](planes, axis=0)
            np.testing.assert_array_equal(np.isfinite(result), np.isfinite(wanted))
            ok = np.isfinite(wanted)
            np.testing.assert_array_equal(result[~ok], wanted[~ok])
            self.assert_close(result[ok], wanted[ok], TOLERANCE, mode)

    def test_properties(self):
        self.check_properties("tomoflatten", {"mode": ("median", set(MODES))})

    def test_every_format(self):
        for name in REAL:
            with self.subTest(format=name):
                a = random_array(FORMATS[name], (7, 5, 4))
                self.check("median", a.astype(np.float16) if name == "float16" else a)

    def test_modes_and_depths(self):
        for mode in MODES:
            for depth in 1, 2, 3, 8, 17, 100:
                with self.subTest(mode=mode, depth=depth):
                    self.check(mode, random_array(np.float32, (depth, 7, 5)), random_array(np.float32, (depth, 1, 1)))

    def test_medians_of_few_different_values(self):
        for depth in 4, 6, 9:
            self.check("median", rng.integers(-2, 3, (depth, 31, 37)).astype(np.float32),
                       rng.choice(np.float32([-1e38, -1e-45, -0.0, 0.0, 1e-45, 3e38]), (depth, 31, 37)))

    def test_infinity_and_nan(self):
        for mode in MODES:
            a = rng.choice(np.float32([np.inf, -np.inf, 1, 2, 3, 4]), (6, 20, 20))
            if mode in ("sum", "mean", "median"):
                a[a == -np.inf] = 0
            a[2, 3, 4] = a[0, 0, 0] = a[5, 1, 1] = np.nan
            self.check(mode, a)

    def test_long_sums(self):
        a = random_array(np.float32, (400, 3, 5)) + np.float32(1e6)
        a[0], a[-1] = 1e12, -1e12
        self.check("sum", a)

    def test_devices_without_double_precision(self):
        self.check_kernel_variant("common.h", "TOMO_COMPENSATED", "test_long_sums")

    def test_a_mode_changes_in_mid_stream(self):
        a = random_array(np.float32, (3, 4, 5))
        with Pads("tomoflatten") as pads:
            for mode in MODES:
                Gst.util_set_object_arg(pads.element, "mode", mode)
                self.assert_close(pads.push(a)[0].array, MODES[mode](a.astype(np.float64), axis=0), TOLERANCE)

    def test_memory_and_states(self):
        arrays = [random_array(np.float32, (5, 9, 8)) for _ in range(2)]
        wanted = [np.median(a, axis=0) for a in arrays]
        self.check_memory("tomoflatten", arrays, reference=wanted, tolerance=TOLERANCE)
        self.check_state_cycles("tomoflatten", arrays, reference=wanted, tolerance=TOLERANCE)

    def test_facts(self):
        with Pads("tomoflatten") as pads:
            (output,) = pads.push(random_array(np.float32, (3, 2, 4)), rate=10, domain="volume", angle=0.5, source="a.tif")
            self.assertEqual((output.domain, output.rate, output.angle, output.source), ("slice", (10, 1), 0.5, "a.tif"))


if __name__ == "__main__":
    main()
