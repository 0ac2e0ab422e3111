# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomoforwardproject against exact line integrals, and against its method in float64."""

from dataclasses import replace

from tomotest import *
from elementtest import ElementTestCase, Stream
from iterativetest import fourier_matrix, matrix
from padtest import *
import tomoref

LARGEST = float(np.finfo(np.float32).max)


def joseph(image, angles, axis):
    """Sums along the axis that is closer to the ray, linear interpolation along the other one."""
    image = image.astype(np.float64)
    height, width = image.shape
    d = np.arange(width) + 0.5 - axis
    result = np.zeros((len(angles), width))
    for n, angle in enumerate(angles):
        c, s = np.cos(angle), np.sin(angle)
        turned = abs(s) >= abs(c)
        lines = image.T if turned else image
        along, other = (s, c) if turned else (c, s)
        length = lines.shape[1]
        for i, samples in enumerate(lines):
            at = (d - (i + 0.5 - axis) * other) / along + axis - 0.5
            k = np.floor(at).astype(int)
            f = at - k
            padded = np.concatenate([samples, [0, 0]])  # -1 and `length` are zeros
            first = np.where((k >= 0) & (k < length), padded[np.clip(k, 0, length)], 0)
            second = np.where((k >= -1) & (k < length - 1), padded[np.clip(k + 1, 0, length)], 0)
            result[n] += first + f * (second - first)
        result[n] /= abs(along)
    return result


class Forwardproject(ElementTestCase):
    def test_properties(self):
        turns = 4 * np.pi
        self.check_properties(
            "tomoforwardproject",
            {
                "axis-pos": (-LARGEST, -LARGEST, LARGEST),
                "angle-step": (0.0, -turns, turns),
                "number": (256, 1, 32768),
                "angles": [],
                "slice-axis-pos": (0.0, 0.0, 65536.0),
                "columns": (0, 0, 32768),
                "batch": (0, 0, 1024),
                "operator": ("joseph", {"joseph", "fourier"}),
                "operator-tolerance": (2e-3, 1e-5, 1e-2),
            },
        )

    def test_the_method(self):
        for shape, axis in (((1, 1), None), ((31, 37), None), ((37, 31), 11.3), ((64, 64), 40.0), ((5, 90), -3.0)):
            image = random_array(np.float32, shape)
            for number, step in ((7, 0), (5, 0.77), (4, -np.pi / 2)):
                with self.subTest(shape=shape, axis=axis, number=number, step=step):
                    options = f"number={number} angle-step={step!r}" + (f" axis-pos={axis}" if axis is not None else "")
                    (result,) = run(f"tomoforwardproject {options}", [image])
                    angles = np.arange(number) * (step or np.pi / number)
                    wanted = joseph(image, angles, shape[1] / 2 if axis is None else float(np.float32(axis)))
                    self.assert_close(result, wanted, 2e-6)

    def test_a_detector_of_its_own(self):
        """More and fewer columns than the slice, and the axis elsewhere in it; one slice and stacks."""
        for (height, width), columns, axis, in_slice in (((11, 17), 25, 11.25, 8.5), ((17, 11), 6, 3, 6.0), ((1, 1), 7, 3.5, 0.5),
                                                         ((5, 9), 1, 0.5, 4.5)):
            angles = np.arange(9) * np.pi / 9
            a = matrix(angles, columns, axis, width, height, axis_in_slice=in_slice)
            for depth in (1, 3):
                image = random_array(np.float32, (depth, height, width))
                (result,) = run(f"tomoforwardproject number=9 axis-pos={axis} slice-axis-pos={in_slice} columns={columns}", [image])
                wanted = (image.reshape(depth, -1) @ a.T).reshape(depth, 9, columns)
                with self.subTest(width=width, columns=columns, depth=depth):
                    self.assert_close(result.reshape(wanted.shape), wanted, 2e-6)
        image = random_array(np.float32, (8, 8))
        angles = np.arange(5) * np.pi / 5
        (wide,) = run("tomoforwardproject number=5 columns=12", [image])
        self.assert_close(wide, (matrix(angles, 12, 6.0, 8, 8) @ image.ravel()).reshape(5, 12), 2e-6)
        with Stream("tomoforwardproject name=it number=5") as stream:
            self.assert_close(stream.through(image), joseph(image, angles, 4.0), 2e-6)
            stream["it"].set_property("slice-axis-pos", 3.5)
            self.assert_close(stream.through(image), (matrix(angles, 8, 4.0, 8, 8, axis_in_slice=3.5) @ image.ravel()).reshape(5, 8), 2e-6)
            stream["it"].set_property("columns", 9)
            self.assert_close(stream.through(image), (matrix(angles, 9, 4.5, 8, 8, axis_in_slice=3.5) @ image.ravel()).reshape(5, 9), 2e-6)

    def test_fourier(self):
        """Sums over all frequencies in float64; sizes odd, prime and one, axes off the middle, one slice and stacks."""
        for (height, width), columns, axis, in_slice, depth in (((37, 31), 43, 21.5, 15.5, 1), ((31, 37), 29, 11.25, 18.0, 5),
                                                                ((1, 1), 7, 3.5, 0.5, 1), ((5, 90), 1, 0.5, 4.5, 3), ((64, 64), 70, 33.0, 31.5, 19)):
            image = random_array(np.float32, (depth, height, width))
            y, x = np.ogrid[:height, :width]
            # The tolerance is that of what all views see of a slice; its corners are less exact.
            image[:, np.hypot((2 * y + 1) / height - 1, (2 * x + 1) / width - 1) > 1] = 0
            a = fourier_matrix(np.arange(9) * np.pi / 9, columns, axis, width, height, axis_in_slice=in_slice)
            wanted = (image.reshape(depth, -1).astype(np.float64) @ a.T).reshape(depth, 9, columns)
            for tolerance in (1e-2, 2e-3, 1e-3, 1e-4, 1e-5):
                with self.subTest(width=width, height=height, tolerance=tolerance):
                    (result,) = run(f"tomoforwardproject operator=fourier operator-tolerance={tolerance} number=9 axis-pos={axis} "
                                    f"slice-axis-pos={in_slice} columns={columns}", [image])
                    self.assert_close(result.reshape(wanted.shape), wanted, tolerance)
        self.assert_fails(["operator-tolerance", "operator=fourier"], "tomoforwardproject operator-tolerance=1e-4", [image])

    def test_fourier_with_rows_of_a_power_of_two(self):
        """Some devices transform these, 64 long here, in another way."""
        image = random_array(np.float32, (5, 48, 48))
        a = fourier_matrix(np.arange(9) * np.pi / 9, 56, 28.0, 48, 48, axis_in_slice=24.0)
        (result,) = run("tomoforwardproject operator=fourier operator-tolerance=1e-4 number=9 axis-pos=28 slice-axis-pos=24 columns=56",
                        [image])
        self.assert_close(result, (image.reshape(5, -1).astype(np.float64) @ a.T).reshape(5, 9, 56), 1e-3)

    def test_fourier_integrals(self):
        """Of Gaussians, which are band-limited but for 1e-7: exact where Joseph's method is a low-pass."""
        width, axis, angles = 101, 47.3, np.arange(60) * np.pi / 60
        bx = by = np.arange(width) + 0.5 - axis
        h, t = np.arange(width) + 0.5 - axis, angles[:, None]
        image, wanted = np.zeros((width, width)), np.zeros((60, width))
        for x, y, size, value in ((3, -5, 2.0, 1.0), (-20.3, 14.7, 1.8, -0.7), (22.2, 18.1, 6.0, 0.3)):
            image += value * np.exp(-((bx - x) ** 2 + (by[:, None] - y) ** 2) / (2 * size**2))
            wanted += value * np.sqrt(2 * np.pi) * size * np.exp(-((h - x * np.cos(t) - y * np.sin(t)) ** 2) / (2 * size**2))
        image = image.astype(np.float32)
        (result,) = run(f"tomoforwardproject operator=fourier operator-tolerance=1e-5 number=60 axis-pos={axis}", [image])
        self.assert_close(result, wanted, 5e-6)
        (joseph,) = run(f"tomoforwardproject number=60 axis-pos={axis}", [image])
        self.assertGreater(np.linalg.norm(joseph - wanted), 1e-3 * np.linalg.norm(wanted))

    def test_fourier_not_finite(self):
        """A plane is lost as a whole, and the one beside it is not touched."""
        clean = random_array(np.float32, (3, 9, 11))
        image = clean.copy()
        image[1, 4, 5] = np.nan
        (result,), (wanted,) = (run("tomoforwardproject number=4 operator=fourier", [i]) for i in (image, clean))
        self.assertTrue(np.isnan(result[1]).all())
        self.assert_close(result[[0, 2]], wanted[[0, 2]], 1e-5)

    def test_given_angles(self):
        image = random_array(np.float32, (31, 37))
        angles = rng.uniform(-4, 4, 11)
        (result,) = run(f"tomoforwardproject angles=<{','.join(map(repr, angles.tolist()))}> number=3 angle-step=1 axis-pos=17", [image])
        self.assert_close(result, joseph(image, angles, 17.0), 2e-6)

    def test_exact_line_integrals(self):
        """Of ellipses, two of them off the axis, three pixels off their edges in each view."""
        width = 256
        for axis in (128.0, 120.5):
            ellipses = [
                tomoref.Ellipse(x=0, y=0, a=90, b=60, tilt=0.4, value=0.01),
                tomoref.Ellipse(x=35, y=-20, a=25, b=12, tilt=1.1, value=0.02),
                tomoref.disc(-50, 10, 15, -0.005),
            ]
            # Pixels that an edge crosses hold the mean over them.
            fine = 8
            offsets = (np.arange(fine) + 0.5) / fine - 0.5
            image = sum(
                tomoref.slice_of([replace(e, x=e.x - u, y=e.y - v) for e in ellipses], width, axis)
                for u in offsets
                for v in offsets
            ) / fine**2
            angles = np.arange(180) * np.pi / 180
            (result,) = run(f"tomoforwardproject number=180 axis-pos={axis}", [image.astype(np.float32)])
            exact = tomoref.line_integrals(ellipses, angles, width, axis)
            off_edges = np.ones(exact.shape, bool)
            for e in ellipses:
                t = angles[:, None]
                s = np.arange(width) + 0.5 - axis - e.x * np.cos(t) - e.y * np.sin(t)
                r = np.hypot(e.a * np.cos(t - e.tilt), e.b * np.sin(t - e.tilt))
                off_edges &= np.abs(np.abs(s) - r) > 3
            self.assertGreater(off_edges.mean(), 0.8)
            self.assert_close(result[off_edges], exact[off_edges], 1e-3)
            np.testing.assert_array_equal(result[off_edges & (exact == 0)], 0)
            # The mass is that of the slice in every view.
            np.testing.assert_allclose(result.sum(1, dtype=np.float64), image.sum(), rtol=1e-3)

    def test_every_format(self):
        for name in REAL:
            a = random_array(FORMATS[name], (5, 7))
            with self.subTest(format=name):
                (result,) = run("tomoforwardproject number=3", [a])
                self.assertEqual(result.dtype, np.float32)
                self.assert_close(result, joseph(a, np.arange(3) * np.pi / 3, 3.5), 3e-6)

    def test_planes_and_nan(self):
        a = random_array(np.float32, (3, 9, 11))
        a[1, 4, 5] = np.nan
        (result,) = run("tomoforwardproject number=4", [a])
        angles = np.arange(4) * np.pi / 4
        for plane, wanted in ((0, a[0]), (2, a[2])):
            self.assert_close(result[plane], joseph(wanted, angles, 5.5), 2e-6)
        self.assertTrue(np.isnan(result[1]).any(1).all() and np.isfinite(result[1]).any())

    def test_sense_is_that_of_backproject(self):
        """The sinogram of a point is where the exact one is, so that a reconstruction puts it back."""
        image = np.zeros((65, 65), np.float32)
        image[20, 45] = 1
        line = "tomoforwardproject number=100 ! tomorampfilter ! tomobackproject"
        (result,) = run(line, [image])
        self.assertEqual(np.unravel_index(result.argmax(), result.shape), (20, 45))

    def test_scan(self):
        a = random_array(np.float32, (5, 8))
        with Pads("tomoforwardproject number=3 angle-step=0.5") as pads:
            (output,) = pads.push(a)
            self.assertEqual(output.domain, "sinogram")
            angles, axis, pixel_size = pads.scan()
            self.assertEqual((angles, axis), ([0, 0.5, 1], 4))
            pads.element.set_property("angle-step", 0.25)
            (output,) = pads.push(a)
            self.assert_close(output.array, joseph(a, [0, 0.25, 0.5], 4), 2e-6)
            self.assertEqual(pads.scan()[0], [0, 0.25, 0.5])
        with Pads("tomoforwardproject number=2") as pads:
            pads.send(scan_event([0, 1, 2], 3.25, 1e-6))
            (output,) = pads.push(a, domain="slice")
            self.assertEqual(pads.scan(), ([0, np.pi / 2], 3.25, 1e-6))
            self.assert_close(output.array, joseph(a, [0, np.pi / 2], 3.25), 2e-6)

    def test_memory_and_state_cycles(self):
        arrays = [random_array(np.float32, (5, 7)) for _ in range(3)]
        wanted = [joseph(a, np.arange(3) * np.pi / 3, 3.5) for a in arrays]
        self.check_memory("tomoforwardproject number=3", arrays, reference=wanted, tolerance=2e-6)
        self.check_state_cycles("tomoforwardproject number=3", arrays, reference=wanted, tolerance=2e-6)

    def test_errors(self):
        self.assert_fails(["axis-pos", "1e+30"], "tomoforwardproject axis-pos=1e30", [random_array(np.float32, (5, 7))])


if __name__ == "__main__":
    main()
