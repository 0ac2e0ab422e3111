# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomorescale against the formula of its documentation in float64."""

from tomotest import *
from elementtest import ElementTestCase
from padtest import *

import math

from scipy import ndimage

TOLERANCE = 1e-5
LARGEST = float(np.finfo(np.float32).max)


def resample(a, x_factor, y_factor, width=0, height=0, interpolation="linear"):
    a = np.asarray(a, dtype=np.float64)
    for axis, factor, size in ((-1, x_factor, width), (-2, y_factor, height)):
        n = a.shape[axis]
        factor = size / n if size else factor
        edge = (np.arange(size or math.floor(factor * n + 1e-6)) + 0.5) / factor
        if interpolation == "nearest":
            a = np.take(a, np.clip(np.floor(edge), 0, n - 1).astype(int), axis)
            continue
        at = np.clip(edge - 0.5, 0, n - 1)
        first = np.floor(at).astype(int)
        weight = (at - first)[:, None] if axis == -2 else at - first
        second = np.minimum(first + 1, n - 1)
        a = np.take(a, first, axis) * (1 - weight) + np.take(a, second, axis) * weight
    return a


class Rescale(ElementTestCase):
    def check(self, properties, wanted, *arrays):
        for result, a in zip(run(f"tomorescale {properties}", list(arrays)), arrays, strict=True):
            self.assertEqual(result.dtype, np.float32)
            self.assert_close(result, wanted(a), TOLERANCE, properties)

    def test_properties(self):
        factor = (2.0, 1e-3, LARGEST)
        self.check_properties("tomorescale", {
            "x-factor": factor, "y-factor": factor, "factor": factor, "interpolation": ("linear", {"nearest", "linear"}),
            "width": (0, 0, 2**31 - 1), "height": (0, 0, 2**31 - 1)})

    def test_factor_is_both_factors(self):
        element = Gst.parse_launch("tomorescale x-factor=3 factor=0.5")
        self.assertEqual([element.get_property(p) for p in ("x-factor", "y-factor")], [0.5, 0.5])
        element = Gst.parse_launch("tomorescale factor=0.5 y-factor=3")
        self.assertEqual([element.get_property(p) for p in ("x-factor", "y-factor")], [0.5, 3])
        a = random_array(np.float32, (4, 6))
        self.check("factor=0.5 y-factor=3", lambda a: resample(a, 0.5, 3), a)

    def test_every_format(self):
        for name in REAL:
            with self.subTest(format=name):
                self.check("factor=0.7", lambda a: resample(a, 0.7, 0.7), random_array(FORMATS[name], (20, 30)))

    def test_sizes(self):
        """0.7 of 10 is 7, although it is no number in binary, whatever the type that it comes in."""
        a = random_array(np.float32, (10, 10))
        self.assertEqual(run("tomorescale factor=0.7", [a])[0].shape, (7, 7))
        with Pads("tomorescale") as pads:
            pads.element.set_property("factor", float(np.float32(0.7)))
            self.assertEqual(pads.push(a)[0].array.shape, (7, 7))
        for factor, n, size in ((1 / 3, 9, 3), (0.1, 19, 1), (0.1, 20, 2), (1.1, 10, 11), (0.29, 100, 29), (2.5, 3, 7),
                                (1 / 7, 7, 1)):
            for f in (factor, float(np.float32(factor))):
                result = run(f"tomorescale x-factor={f!r} y-factor=1", [np.zeros((1, n), np.float32)])[0]
                self.assertEqual(result.shape, (1, size), (f, n))

    def test_factors(self):
        arrays = [random_array(np.float32, s) for s in ((31, 37), (2, 11, 13), (7, 64))]
        for x, y in ((0.5, 0.5), (2, 2), (1, 1), (0.3, 4.7), (1.001, 0.25), (math.pi, 1 / math.pi)):
            for interpolation in "linear", "nearest":
                self.check(f"x-factor={x!r} y-factor={y!r} interpolation={interpolation}",
                           lambda a: resample(a, x, y, interpolation=interpolation), *arrays)

    def test_explicit_sizes(self):
        arrays = [random_array(np.float32, s) for s in ((31, 37), (1, 1), (5, 3))]
        self.check("width=17 height=29 factor=0.001", lambda a: resample(a, 0, 0, 17, 29), *arrays)
        self.check("width=40", lambda a: resample(a, 0, 2, 40), *arrays)
        self.check("height=1 interpolation=nearest", lambda a: resample(a, 2, 0, 0, 1, "nearest"), *arrays)

    def test_one_pixel(self):
        a = random_array(np.float32, (1, 1))
        for interpolation in "linear", "nearest":
            (result,) = run(f"tomorescale factor=7 interpolation={interpolation}", [a])
            np.testing.assert_array_equal(result, np.full((7, 7), a[0, 0]))

    def test_identity(self):
        a = random_array(np.float32, (13, 17))
        a[3, 4], a[7, 8], a[0, 0] = np.nan, np.inf, -np.inf
        for interpolation in "linear", "nearest":
            (result,) = run(f"tomorescale factor=1 interpolation={interpolation}", [a])
            np.testing.assert_array_equal(result, a)

    def test_nan_stays_near_where_it_was(self):
        a = random_array(np.float32, (8, 8))
        a[2, 5] = np.nan
        (result,) = run("tomorescale factor=2", [a])
        with np.errstate(invalid="ignore"):
            wanted = resample(a, 2, 2)
        np.testing.assert_array_equal(np.isnan(result), np.isnan(wanted))
        self.assert_close(np.nan_to_num(result), np.nan_to_num(wanted), TOLERANCE)

    def test_wide_images_keep_their_precision(self):
        """Positions beyond 2^16 leave 7 bits for the fraction in float32."""
        a = random_array(np.float32, (2, 100003))
        self.check("x-factor=1.37 y-factor=1", lambda a: resample(a, 1.37, 1), a)
        self.check("x-factor=0.73 y-factor=1 interpolation=nearest",
                   lambda a: resample(a, 0.73, 1, interpolation="nearest"), a)

    def test_scipy_agrees(self):
        a = random_array(np.float32, (24, 36))
        for factor in (0.5, 1.5):
            y, x = ((np.arange(int(n * factor)) + 0.5) / factor - 0.5 for n in a.shape)
            wanted = ndimage.map_coordinates(a.astype(np.float64), np.meshgrid(y, x, indexing="ij"), order=1, mode="nearest")
            self.check(f"factor={factor}", lambda _: wanted, a)

    def test_the_middle_stays_the_middle(self):
        """An axis at W / 2 scales with the image: a symmetric image stays symmetric."""
        a = random_array(np.float32, (1, 40))
        a = a + a[:, ::-1]
        for factor in (0.5, 0.3, 0.7, 2.5):
            (result,) = run(f"tomorescale x-factor={factor} y-factor=1", [a])
            self.assert_close(result, result[:, ::-1], 1e-6)

    def test_memory(self):
        arrays = [random_array(np.float32, (15, 17)) for _ in range(2)]
        self.check_memory("tomorescale factor=0.7", arrays, reference=[resample(a, 0.7, 0.7) for a in arrays],
                          tolerance=TOLERANCE)
        results = run("tomocalculate expression=v*2 ! tomorescale factor=2 ! queue ! tomocalculate expression=v+1", arrays)
        for result, a in zip(results, arrays, strict=True):
            self.assert_close(result, resample(a, 2, 2) * 2 + 1, TOLERANCE)
        volume = random_array(np.uint8, (3, 3, 7))
        for result, plane in zip(run("tomoslice ! tomorescale factor=3", [volume]), volume, strict=True):
            self.assert_close(result, resample(plane, 3, 3), TOLERANCE)

    def test_errors(self):
        a = random_array(np.float32, (4, 6))
        for properties, words in (
            ("factor=0.1", ["x-factor=0.1", "width", "6"]),
            ("x-factor=1 y-factor=0.2", ["y-factor=0.2", "height", "4"]),
            ("factor=1e30", ["x-factor=1e+30", "at most 2147483647"]),
            ("width=2147483647 height=2147483647", ["width=2147483647", "float32 2147483647 x 2147483647", "bytes"]),
            ("x-factor=1e8 y-factor=1e8", ["x-factor=1e+08", "float32 600000000 x 400000000", "bytes"]),
        ):
            with self.subTest(properties):
                self.assert_fails(words, f"tomorescale {properties}", [a])
        self.assert_fails(["complex64"], "tomorescale", [random_array(np.complex64, (4, 6))])

    def test_changes_in_mid_stream(self):
        a, b = random_array(np.float32, (5, 7)), random_array(np.uint16, (4, 4))
        with Pads("tomorescale factor=3") as pads:
            self.assert_close(pads.push(a)[0].array, resample(a, 3, 3), TOLERANCE)
            pads.element.set_property("x-factor", 0.5)
            self.assert_close(pads.push(a)[0].array, resample(a, 0.5, 3), TOLERANCE)
            Gst.util_set_object_arg(pads.element, "interpolation", "nearest")
            self.assert_close(pads.push(b)[0].array, resample(b, 0.5, 3, interpolation="nearest"), TOLERANCE)
            pads.flush()
            self.assert_close(pads.push(b)[0].array, resample(b, 0.5, 3, interpolation="nearest"), TOLERANCE)

    def test_state_cycles(self):
        arrays = [random_array(np.float32, (5, 7)) for _ in range(3)]
        self.check_state_cycles("tomorescale", arrays, reference=[resample(a, 2, 2) for a in arrays], tolerance=TOLERANCE)

    def test_facts(self):
        a = random_array(np.float32, (4, 8))
        with Pads("tomorescale x-factor=0.5 y-factor=2") as pads:
            pads.send(scan_event([0.0, 0.25, 0.5, 0.75], 3.5, 2e-6))
            (output,) = pads.push(a, rate=10, domain="sinogram", angle=0.5, source="a.tif")
            self.assertEqual((output.domain, output.rate, output.source), ("sinogram", (10, 1), "a.tif"))
            angles, axis, pixel_size = pads.scan()
            self.assertEqual((axis, pixel_size), (1.75, 4e-6))
            # Angles at the centres of the new rows, like the samples.
            np.testing.assert_allclose(angles, [0, 0.0625, 0.1875, 0.3125, 0.4375, 0.5625, 0.6875, 0.75], atol=1e-15)


if __name__ == "__main__":
    main()
