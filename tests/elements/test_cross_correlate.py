# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomocrosscorrelate against numpy, and against images that moved by known parts of pixels."""

from tomotest import *
from elementtest import ElementTestCase, Stream

LARGEST = float(np.finfo(np.float32).max)


def line(options="", inputs=2, after=""):
    sources = " ".join(f"SRC{i} ! c.sink_{i}" for i in range(inputs))
    return f"tomocrosscorrelate name=c num-inputs={inputs} {options} {sources}  c. {after} ! SINK"


def frequencies(shape):
    return np.meshgrid(np.fft.fftfreq(shape[-2]), np.fft.fftfreq(shape[-1]), indexing="ij")


def moved(spectrum, x, y):
    """Of a real image that moves by (x, y), where half of the sampling rate is a cosine."""
    v, u = frequencies(spectrum.shape)
    turn_x, turn_y = np.exp(-2j * np.pi * u * x), np.exp(-2j * np.pi * v * y)
    turn_x[u == -0.5], turn_y[v == -0.5] = turn_x[u == -0.5].real, turn_y[v == -0.5].real
    return spectrum * turn_x * turn_y


def correlation(reference, image, sigma=0.0, laplace=False):
    v, u = frequencies(reference.shape)
    q = 4 * np.pi**2 * (u**2 + v**2)
    product = np.conj(reference) * image * np.exp(-(sigma**2) * q) * (q**2 if laplace else 1)
    product[..., 0, 0] = 0
    return np.fft.ifft2(product).real


def spectrum(shape):
    return np.fft.fft2(random_array(np.float32, shape).astype(np.float64))


def single(*arrays):
    return [a.astype(np.complex64) for a in arrays]


class CrossCorrelate(ElementTestCase):
    def shifts(self, description, *inputs):
        """Results, and {(index, input, plane): (x, y)}."""
        with Stream(description, inputs=len(inputs)) as stream:
            for i, arrays in enumerate(inputs):
                for a in arrays:
                    stream.push(a, i)
            results = stream.finish()
            messages = stream.element_messages("tomo-shift")
        return results, {
            (m.get_uint64("index")[1], m.get_uint("input")[1], m.get_uint("plane")[1]): (
                m.get_double("x")[1],
                m.get_double("y")[1],
            )
            for m in messages
        }

    def test_properties(self):
        self.check_properties(
            "tomocrosscorrelate",
            {
                "num-inputs": (2, 2, 128),
                "nth": (1, 1, 2**32 - 1),
                "postproc": ("align", {"align", "output", "pick-closest"}),
                "supersampling": (1, 1, 128),
                "gauss-sigma": (0.0, 0.0, LARGEST),
                "apply-laplace": False,
            },
        )

    def test_maps(self):
        for shape in ((1, 1), (1, 13), (8, 16), (31, 37)):
            a, b = single(spectrum(shape), spectrum(shape))
            for options, parameters in (("", ()), ("gauss-sigma=1.5", (1.5,)), ("apply-laplace=true", (0, True))):
                with self.subTest(shape=shape, options=options):
                    (result,) = run(line(f"postproc=output {options}"), [a], [b])
                    self.assertEqual(result.dtype, np.float32)
                    wanted = [correlation(a.astype(np.complex128), image, *parameters) for image in (a, b)]
                    self.assert_close(result, wanted, 2e-6)

    def test_whole_pixels(self):
        for shape, (x, y) in (((16, 32), (5, -3)), ((31, 37), (-18, 15)), ((1, 13), (4, 0)), ((2, 2), (1, 1))):
            with self.subTest(shape=shape):
                image = random_array(np.float32, shape).astype(np.float64)
                (a, b) = single(np.fft.fft2(image), np.fft.fft2(np.roll(image, (y, x), (0, 1))))
                (result,), shifts = self.shifts(line(), [a], [b])
                back_x, back_y = shifts[0, 1, 0]
                self.assertEqual(((back_x + x) % shape[1], (back_y + y) % shape[0]), (0, 0))
                self.assertTrue(abs(back_x) <= shape[1] / 2 and abs(back_y) <= shape[0] / 2)
                self.assertEqual(result.dtype, np.complex64)
                self.assert_close(result, [a, a], 2e-6)

    def test_parts_of_pixels(self):
        for shape, steps, x, y in (
            ((31, 37), 10, 3.3, -7.8),
            ((32, 48), 8, -0.375, 0.5),
            ((33, 64), 5, 20.4, 0.2),
            ((24, 17), 128, 1 / 128, -2 - 37 / 128),
        ):
            with self.subTest(shape=shape, steps=steps):
                # Without the highest frequencies, of which a cosine alone can't tell the place.
                first = spectrum(shape) * (np.hypot(*frequencies(shape)) < 0.4)
                a, b = single(first, moved(first, x, y))
                (result,), shifts = self.shifts(line(f"supersampling={steps}"), [a], [b])
                np.testing.assert_allclose(shifts[0, 1, 0], (-x, -y), atol=1e-9)
                self.assert_close(result, [first, first], 3e-6)
                # Steps too coarse for it give the nearest one.
                _, shifts = self.shifts(line("supersampling=2"), [a], [b])
                self.assertLessEqual(np.abs(np.add(shifts[0, 1, 0], (x, y))).max(), 0.2501)

    def test_real_images(self):
        """From images to images; noise, blur and edges don't move the peak by more than a step."""
        first = np.fft.ifft2(spectrum((40, 50)) * np.exp(-60 * np.hypot(*frequencies((40, 50))) ** 2)).real
        second = np.fft.ifft2(moved(np.fft.fft2(first), 4.6, -2.3)).real
        noisy = [(f + 0.02 * first.std() * random_array(np.float32, f.shape)).astype(np.float32) for f in (first, second)]
        for options in ("", "gauss-sigma=1", "gauss-sigma=2 apply-laplace=true"):
            sources = " ".join(f"SRC{i} ! tomofft dimensions=2 ! c.sink_{i}" for i in (0, 1))
            description = (
                f"tomocrosscorrelate name=c supersampling=20 {options} {sources}  c. ! tomoifft dimensions=2 ! SINK"
            )
            (result,), shifts = self.shifts(description, *[[n] for n in noisy])
            np.testing.assert_allclose(shifts[0, 1, 0], (-4.6, 2.3), atol=0.1001, err_msg=options)
            self.assertLess(np.abs(result[1] - first).max(), 0.3 * first.std())

    def test_planes_and_inputs(self):
        """All planes of all inputs are images; the closest one is the one with the highest peak."""
        first = spectrum((9, 11))
        others = [moved(first, 1, 0) + 0.5 * spectrum((9, 11)), 2 * moved(first, 3, -2), moved(first, 2, 2)]
        inputs = [single(np.array([first, others[0]])), single(others[1]), single(others[2])]
        (result,), shifts = self.shifts(line(inputs=3), *inputs)
        self.assertEqual(set(shifts), {(0, 0, 1), (0, 1, 0), (0, 2, 0)})
        self.assertEqual([shifts[0, 1, 0], shifts[0, 2, 0]], [(-3, 2), (-2, -2)])
        self.assert_close(result, [first, moved(others[0], *shifts[0, 0, 1]), 2 * first, first], 2e-6)
        (result,), shifts = self.shifts(line("postproc=pick-closest", inputs=3), *inputs)
        self.assertEqual(shifts, {(0, 1, 0): (-3, 2)})
        self.assert_close(result, [first, 2 * first], 2e-6)

    def test_every_nth(self):
        first = spectrum((9, 11))
        places = [(1, 0), (2, 1), (3, 0), (-2, 2), (0, 1)]
        inputs = [single(first), single(*[moved(first, *p) for p in places])]
        for nth in (1, 2, 3):
            results, shifts = self.shifts(line(f"nth={nth}"), *inputs)
            self.assertEqual(len(results), 5)
            for i, result in enumerate(results):
                x, y = places[i - i % nth]
                self.assertEqual(shifts[i, 1, 0], (-x, -y))
                self.assert_close(result[1], moved(inputs[1][i].astype(np.complex128), -x, -y), 2e-6)

    def test_nan(self):
        a, b = single(spectrum((5, 7)), np.full((5, 7), np.nan))
        (result,), shifts = self.shifts(line("supersampling=4"), [a], [b])
        self.assert_close(result[0], a, 1e-6)
        self.assertTrue(np.isnan(result[1]).all() and np.isnan(shifts[0, 1, 0]).all())

    def test_memory_and_state_cycles(self):
        first = spectrum((5, 7))
        inputs = [single(first), single(*[moved(first, x, 1) for x in range(3)])]
        wanted = [np.array([first, first])] * 3
        places = "tomocrosscorrelate name=c  SRC1 ! c.sink_1  SRC0 ! c.sink_0  c."
        self.check_memory(places, *inputs, reference=wanted, tolerance=2e-6)
        self.check_state_cycles(line(), *inputs, reference=wanted, tolerance=2e-6)

    def test_errors(self):
        a, b = single(spectrum((5, 7)), spectrum((5, 6)))
        self.assert_fails(["same size"], line(), [a], [b])
        self.assert_fails(["2 inputs", "num-inputs=3"], line("num-inputs=3"), [a], [a])
        real = random_array(np.float32, (5, 7))
        self.assert_fails(["float32", "complex64"], line(), [real], [real])


if __name__ == "__main__":
    main()
