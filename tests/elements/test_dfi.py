# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomodfi against float64 sums of trigonometric polynomials, and against discs whose slices are known."""

import sys

from tomotest import *
from elementtest import ElementTestCase, Stream, scan_event
from iterativetest import good_length
import responsetest
import tomoref

WIDTH = 61


def sinogram(angles=40, width=WIDTH, depth=None, dtype=np.float32):
    """White noise: the hardest input, because every sample counts by itself."""
    return random_array(dtype, (angles, width) if depth is None else (depth, angles, width))


def reference(sino, angles=None, axis=None, roi=None, weights=None, length=None, **response):
    """Rows, continued by their edge values, filtered, and interpolated by their trigonometric polynomial."""
    if sino.ndim == 3:
        return np.stack([reference(plane, angles, axis, roi, weights, length, **response) for plane in sino])
    n, width = sino.shape
    angles = tomoref.angles_of_scan(n) if angles is None else angles
    weights = tomoref.projection_weights(angles)[0] if weights is None else weights
    axis = width / 2 if axis is None else axis
    length = length or good_length(2 * width)
    after = (length - width + 1) // 2
    rows = np.hstack([sino, np.repeat(sino[:, -1:], after, 1), np.repeat(sino[:, :1], length - width - after, 1)])
    spectra = np.fft.fft(rows.astype(np.float64)) * tomoref.filter_response(
        response.pop("filter", "ramp-fromreal"), length, **response) / length
    k = np.arange(-(length // 2), length // 2 + 1)
    spectra = spectra[:, k]
    spectra[:, [0, -1]] *= 0.5
    bx, by = tomoref.slice_coordinates(axis, roi or (0, 0, width, width))
    result = 0.0
    for row, t, weight in zip(spectra, angles, weights):
        # exp(2 pi i k h / length) is a product of a column's and a row's factor.
        across = np.exp(2j * np.pi * np.outer(k, bx.ravel() * np.cos(t)) / length)
        down = np.exp(2j * np.pi * np.outer(by.ravel() * np.sin(t), k) / length)
        at_axis = row * np.exp(2j * np.pi * k * (axis - 0.5) / length)
        result = result + weight * ((down * at_axis) @ across).real
    return result


class Dfi(ElementTestCase):
    def check_error(self, result, wanted, tolerance=1e-3, rms=0.0):
        """Relative L2 distance of each plane; `rms` is that of the whole slice, where this is a part that may be darker."""
        self.assertEqual(result.shape, wanted.shape)
        for a, b in zip(result.reshape(-1, *result.shape[-2:]), wanted.reshape(-1, *wanted.shape[-2:])):
            size = max(np.linalg.norm(b), rms * np.sqrt(b.size))
            self.assertLess(np.linalg.norm(a - b), tolerance * size, f"(seed {SEED})")

    def test_properties(self):
        largest = sys.float_info.max
        self.check_properties("tomodfi", {
            "batch": (0, 0, 1024), "num-projections": (0, 0, 32768), "offset": (0, 0, 32768),
            "axis-pos": (-1.0, -1.0, 32768.0), "slice-axis-pos": (0.0, 0.0, 65536.0), "angle-step": (-1.0, -largest, largest),
            "angle-offset": (0.0, -largest, largest), "roi-x": (0, 0, 2**32 - 1), "roi-y": (0, 0, 2**32 - 1),
            "roi-width": (0, 0, 32768), "roi-height": (0, 0, 32768), "pad-width": (0, 0, 65536),
            "tolerance": (1e-3, 1e-5, 1e-2),
            **responsetest.PROPERTIES})

    def test_every_format(self):
        for name in REAL:
            with self.subTest(format=name):
                sino = sinogram(dtype=FORMATS[name])
                (sample,) = run("tomodfi", [sino], samples=True, framerate=25)
                self.check_error(to_array(sample), reference(sino))
                structure = sample.get_caps().get_structure(0)
                self.assertEqual(structure.get_string("format"), "float32")
                self.assertEqual(structure.get_string("domain"), "slice")

    def test_tolerances(self):
        """The error within the circle that all views see, of white noise, is what was asked for, and no less by far."""
        sino = sinogram(150, 128)
        wanted, seen = reference(sino), tomoref.field_of_view(128, 64)
        for tolerance in (1e-2, 3e-3, 1e-3, 1e-4, 1e-5):
            with self.subTest(tolerance=tolerance):
                (result,) = run(f"tomodfi tolerance={tolerance}", [sino])
                error = np.linalg.norm((result - wanted)[seen]) / np.linalg.norm(wanted[seen])
                self.assertLess(error, tolerance, f"(seed {SEED})")
                self.assertGreater(error, tolerance / 20, f"(seed {SEED})")

    def test_sizes(self):
        for angles, width in ((1, 1), (7, 1), (3, 2), (53, 37), (1, 64), (2, 5)):
            with self.subTest(angles=angles, width=width):
                sino = sinogram(angles, width)
                self.check_error(run("tomodfi tolerance=1e-4", [sino])[0], reference(sino), 2e-4)

    def test_planes_and_streams(self):
        """Two slices are one, and several of these are computed side by side: each comes out as it does alone."""
        for depth in (2, 5, 17, 35):
            with self.subTest(depth=depth):
                sino = sinogram(21, 31, depth=depth)
                self.check_error(run("tomodfi tolerance=1e-4", [sino])[0], reference(sino), 2e-4)
        sinos = [sinogram(21, 31) for _ in range(7)]
        for batch in (0, 1, 3):
            for result, sino in zip(run(f"tomodfi batch={batch} tolerance=1e-4", sinos), sinos, strict=True):
                self.check_error(result, reference(sino), 2e-4)

    def test_random_geometry(self):
        for _ in range(6):
            n = int(rng.integers(20, 60))
            angles = rng.uniform(-7, 7) + rng.permutation(n) * np.pi / n * rng.choice([-2, -1, 1, 2])
            axis = rng.uniform(0.5, 1.5 * WIDTH)
            roi = (int(rng.integers(0, 40)), int(rng.integers(0, 40)), int(rng.integers(1, 90)), int(rng.integers(1, 90)))
            with self.subTest(n=n, axis=axis, roi=roi):
                sino = sinogram(n)
                with Stream("tomodfi tolerance=1e-4 roi-x=%d roi-y=%d roi-width=%d roi-height=%d" % roi) as stream:
                    stream.push(sino, event=scan_event(angles, axis))
                    wanted = reference(sino, angles=angles, axis=axis, roi=roi)
                    whole = reference(sino, angles=angles, axis=axis)
                    self.check_error(stream.pull(), wanted, 4e-4, np.sqrt((whole**2).mean()))

    def test_another_axis_and_other_angles(self):
        sino = sinogram()
        with Stream("tomodfi") as stream:
            for offset, axis in ((0.0, 30.5), (0.0, 20.25), (1.0, 20.25)):
                angles = tomoref.angles_of_scan(40, offset=offset)
                stream.push(sino, event=scan_event(angles, axis))
                self.check_error(stream.pull(), reference(sino, angles=angles, axis=axis))

    def test_axis_elsewhere_in_the_slice(self):
        sino = sinogram()
        (result,) = run("tomodfi axis-pos=20.25 slice-axis-pos=31.75 roi-x=4 roi-width=50", [sino])
        # The region is moved by as much.
        self.check_error(result, reference(sino, axis=20.25, roi=(4 - 11.5, -11.5, 50, WIDTH)))

    def test_region_at_the_largest_place(self):
        sino = sinogram()
        (result,) = run(f"tomodfi tolerance=1e-4 roi-x={2**32 - 1} roi-y={2**32 - 1} roi-width=3 roi-height=2", [sino])
        self.check_error(result, reference(sino, roi=(2**32 - 1, 2**32 - 1, 3, 2)), 1e-3)

    def test_responses_and_padding(self):
        sino = sinogram()
        for properties, parameters in (
            ("filter=ramp", {"filter": "ramp"}), ("filter=hamming cutoff=0.3", {"filter": "hamming", "cutoff": 0.3}),
            ("filter=butterworth order=2", {"filter": "butterworth", "order": 2.0}),
            ("filter=bh3 scale=2", {"filter": "bh3", "scale": 2.0}),
            ("filter=faris-byer tau=0.5", {"filter": "faris-byer", "tau": 0.5}),
            ("pad-width=62", {"length": 62}), ("pad-width=326", {"length": 326}),
            # Powers of two, which some devices transform in another way.
            ("pad-width=64", {"length": 64}), ("pad-width=1024", {"length": 1024}),
        ):
            with self.subTest(properties=properties):
                self.check_error(run(f"tomodfi {properties} tolerance=1e-4", [sino])[0], reference(sino, **parameters), 3e-4)
        for width in (60, 63):
            self.assert_fails([f"pad-width={width}", "61 samples", "even"], f"tomodfi pad-width={width}", [sino])

    def test_not_finite(self):
        """A slice is lost as a whole, and the one beside it is what it is without."""
        clean = sinogram(depth=3)
        for bad, length in ((np.nan, 0), (np.inf, 0), (np.nan, 128)):
            sino = clean.copy()
            sino[1, 7, 30] = bad
            (result,) = run(f"tomodfi pad-width={length}", [sino])
            self.assertTrue(np.isnan(result[1]).all())
            self.check_error(result[[0, 2]], reference(clean[[0, 2]], length=length))

    def test_repeats(self):
        sino = sinogram(depth=4)
        np.testing.assert_array_equal(run("tomodfi", [sino])[0], run("tomodfi", [sino])[0])

    def test_like_backprojection(self):
        """Smooth objects: the same slice as by tomorampfilter and tomobackproject, wherever the axis is."""
        n, width = 400, 256
        objects = [tomoref.disc(-30.5, 23.25, 41, 0.02), tomoref.disc(40.3, -50.2, 25, 0.01)]
        for degrees, axis in ((180, 128), (200, 119.3), (360, 131.75)):
            with self.subTest(degrees=degrees, axis=axis):
                step = np.deg2rad(degrees) / n
                sino = tomoref.line_integrals(objects, np.arange(n) * step, width, axis).astype(np.float32)
                geometry = f"angle-step={step!r} axis-pos={axis}"
                (result,) = run(f"tomodfi {geometry} filter=hamming", [sino])
                (wanted,) = run(f"tomorampfilter filter=hamming ! tomobackproject {geometry}", [sino])
                seen = tomoref.field_of_view(width, axis, margin=2)
                self.assertLess(np.abs(result - wanted)[seen].max(), 0.06 * 0.02)
                (result,) = run(f"tomodfi {geometry}", [sino])
                for thing in objects:
                    inside = tomoref.slice_of([thing], width, axis, margin=5) > 0
                    self.assertLess(abs(result[inside].mean() / thing.value - 1), 0.003)

    def test_bad_input(self):
        with Stream("tomodfi") as stream:
            stream.push(sinogram(40), event=scan_event(np.arange(41.0)))
            with self.assertRaises(PipelineError):
                stream.pull()


if __name__ == "__main__":
    main()
