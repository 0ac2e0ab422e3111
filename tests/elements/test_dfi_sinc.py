# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomodfisinc against float64 sums over the samples around each frequency, and the whole chain against known slices."""

from tomotest import *
from elementtest import ElementTestCase, Stream, scan_event
import tomoref

CHAIN = "tomoswapquadrants ! tomoifft dimensions=2 ! tomoswapquadrants"


def window(d, length):
    return np.where(np.abs(d) <= length / 2 + 1e-3, np.sinc(d) * (0.54 + 0.46 * np.cos(2 * np.pi * d / length)), 0.0)


def reference(rows, angles=None, axis=0.5, length=7, roi=None):
    """The spectrum with its zero at N - N div 2, as the element gives it."""
    n, width = rows.shape
    angles = np.pi / n * np.arange(n) if angles is None else angles
    step = abs(angles[1] - angles[0]) if n > 1 else np.pi
    weights = tomoref.projection_weights(angles)[0] / step
    zero, half, shift = width - width // 2, length / 2, axis - 0.5
    result = np.zeros((width, width), complex)
    for v in range(width // 2 + 1):
        for u in range(-(width // 2), width // 2 + 1):
            radius = np.hypot(u, v)
            if radius >= (roi or width) / 2 or (v == 0 and u < 0):
                continue
            theta = np.arctan2(v, u)
            k = np.arange(int(np.ceil(radius - half)), int(np.floor(radius + half)) + 1)
            along = window(radius - k, length)
            total, weight, nearest = 0.0, 0.0, np.inf
            for row, angle, share in zip(rows, angles, weights):
                turns = np.round((theta - angle) / np.pi)
                for turn in np.arange(turns - length, turns + length + 1):
                    distance = abs(theta - angle - turn * np.pi) / step
                    if distance > half + 1e-3:
                        continue
                    w, sense = share * window(distance, length), 1 if turn % 2 == 0 else -1
                    total += w * np.sum(along * row[sense * k % width] * np.exp(2j * np.pi * sense * k * shift / width))
                    weight, nearest = weight + w, min(nearest, distance)
            value = 0.0 if nearest > 1 else total / (along.sum() * max(weight, 0.5))
            value *= np.exp(-2j * np.pi * (u + v) * shift / width)
            result[(zero + v) % width, (zero + u) % width] = value
            result[(zero - v) % width, (zero - u) % width] = np.conj(value)
    result[zero % width, zero % width] = result[zero % width, zero % width].real
    return result


def spectra(rows, width):
    """Spectra of white noise, which no interpolation smooths."""
    return np.fft.fft(rng.standard_normal((rows, width))).astype(np.complex64)


class DfiSinc(ElementTestCase):
    def test_properties(self):
        self.check_properties("tomodfisinc", {
            "batch": (0, 0, 1024), "kernel-size": (7, 1, 25), "number-presampled-values": (2047, 1, 16383),
            "roi-size": (0, -1, 2**31 - 1), "angle-step": (-1.0, -4 * np.pi, 4 * np.pi)})

    def test_sizes(self):
        for n, width in ((1, 1), (1, 6), (5, 1), (2, 2), (7, 5), (10, 16), (21, 31)):
            with self.subTest(rows=n, width=width):
                rows = spectra(n, width)
                (sample,) = run("tomodfisinc number-presampled-values=16383", [rows], samples=True)
                self.assert_close(to_array(sample), reference(rows), 2e-5)
                self.assertEqual(sample.get_caps().get_structure(0).get_string("domain"), "spectrum")

    def test_kernel_sizes_and_regions(self):
        rows = spectra(13, 20)
        for length in (1, 2, 3, 6, 12, 25):
            with self.subTest(length=length):
                (result,) = run(f"tomodfisinc kernel-size={length} number-presampled-values=16383", [rows])
                self.assert_close(result, reference(rows, length=length), 5e-5)
        for roi in (-1, 0, 1, 7, 20):
            (result,) = run(f"tomodfisinc roi-size={roi}", [rows])
            self.assert_close(result, reference(rows, roi=roi if roi > 0 else None), 1e-4)
        # The table's steps are seen where it is short.
        (short,), (none,) = (run(f"tomodfisinc number-presampled-values={n}", [rows]) for n in (15, 1))
        self.assertGreater(relative_error(short, reference(rows)), 1e-3)
        self.assertLess(relative_error(short, reference(rows)), 0.3)
        self.assertGreater(relative_error(none, reference(rows)), 0.3)

    def test_planes_and_streams(self):
        planes = np.stack([spectra(9, 12) for _ in range(5)])
        wanted = np.stack([reference(plane) for plane in planes])
        self.assert_close(run("tomodfisinc", [planes])[0], wanted, 1e-4)
        for batch in (0, 1, 3):
            for result, one in zip(run(f"tomodfisinc batch={batch}", list(planes)), wanted, strict=True):
                self.assert_close(result, one, 1e-4)
        self.check_memory("tomodfisinc", list(planes[:2]), reference=wanted[:2], tolerance=1e-4)
        self.check_state_cycles("tomodfisinc", list(planes[:3]), reference=wanted[:3], tolerance=1e-4)

    def test_angles_and_axes(self):
        """Any even angles: more or less than half a turn, either sense, lines that are seen twice and ones that no row sees."""
        for step, n, first, axis in ((np.pi / 12, 12, 0.7, 0.5), (np.pi / 12, 24, -9.0, 0.0), (-np.pi / 12, 16, 0.3, 0.8),
                                     (np.pi / 11.3, 19, 2.0, 0.25), (np.pi / 20, 11, 0.4, 6.3), (-np.pi / 2, 2, 0.1, 0.5)):
            with self.subTest(step=step, n=n), Stream("tomodfisinc") as stream:
                rows, angles = spectra(n, 18), first + step * np.arange(n)
                stream.push(rows, event=scan_event(angles, axis))
                self.assert_close(stream.pull(), reference(rows, angles, axis), 2e-4)
        rows = spectra(16, 18)
        (result,) = run("tomodfisinc angle-step=-0.25", [rows])
        self.assert_close(result, reference(rows, -0.25 * np.arange(16)), 2e-4)

    def test_changes(self):
        with Stream("tomodfisinc name=e") as stream:
            for n, width, angles in ((9, 12, None), (9, 12, 0.1 + np.arange(9) * np.pi / 9), (14, 10, np.arange(14) * 0.2)):
                rows = spectra(n, width)
                stream.push(rows, event=None if angles is None else scan_event(angles))
                self.assert_close(stream.pull(), reference(rows, angles), 1e-4)
            stream["e"].set_property("kernel-size", 3)
            stream.push(rows)
            self.assert_close(stream.pull(), reference(rows, angles, length=3), 1e-4)

    def test_slices(self):
        """UFO's chain gives attenuation per pixel, where backprojection has it, also with an axis between pixels."""
        n, width = 160, 96
        discs = [tomoref.disc(-9.5, 7.25, 19, 0.02), tomoref.disc(17.3, -16.2, 11, 0.01)]
        for degrees, axis, property in ((180, 48, ""), (180, 45.3, "center-of-rotation=45.3"), (360, 48, "")):
            with self.subTest(degrees=degrees, axis=axis):
                angles = np.deg2rad(degrees) / n * np.arange(n)
                sino = tomoref.line_integrals(discs, angles, width, axis).astype(np.float32)
                with Stream(f"tomozeropad oversampling=2 {property} ! tomofft ! tomodfisinc ! {CHAIN} ! tomocrop "
                            f"from-center=true width={width} height={width}") as stream:
                    stream.push(sino, event=scan_event(angles))
                    result = stream.pull()
                # The middle of the square is the axis' column.
                shift = int(np.floor(axis)) - width // 2
                wanted = tomoref.slice_of(discs, width, axis - shift)
                for disc in discs:
                    inside = tomoref.slice_of([disc], width, axis - shift, margin=3) > 0
                    self.assertLess(abs(result[inside].mean() / disc.value - 1), 0.006)
                seen = tomoref.field_of_view(width, axis - shift, margin=6)
                self.assertLess(relative_error(result[seen], wanted[seen]), 0.16)

    def test_not_finite(self):
        planes = np.stack([spectra(9, 12) for _ in range(3)])
        planes[1, 4] = np.nan
        (result,) = run("tomodfisinc", [planes])
        self.assertTrue(np.isnan(result[1]).any())
        self.assert_close(result[[0, 2]], np.stack([reference(planes[0]), reference(planes[2])]), 1e-4)

    def test_errors_and_warnings(self):
        rows = spectra(9, 12)
        self.assert_fails(["number-presampled-values=2046", "odd"], "tomodfisinc number-presampled-values=2046", [rows])
        self.assert_fails(["roi-size=13", "12 samples"], "tomodfisinc roi-size=13", [rows])
        self.assert_fails(["one step", "tomodfi"], "tomodfisinc angle-step=2", [rows])
        with Stream("tomodfisinc") as stream:
            stream.push(rows, event=scan_event([0, 0.1, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]))
            with self.assertRaisesRegex(PipelineError, "uneven.*tomodfi"):
                stream.pull()
        with Stream("tomodfisinc angle-step=0.2") as stream:
            stream.push(rows)
            stream.pull()
            stream.push(rows)
            stream.pull()
            stream.finish()
            self.assertEqual(sum(m.type == Gst.MessageType.WARNING for m in stream.messages), 1)


if __name__ == "__main__":
    main()
