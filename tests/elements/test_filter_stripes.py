# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomofilterstripes against its formula in double precision, and on stripes."""

from tomotest import *
from elementtest import ElementTestCase, Stream

TOLERANCE = 1e-6


def gaussian(n, sigma):
    """exp(-f^2 / (2 sigma^2)) of the signed frequencies."""
    return np.exp(-0.5 * (np.fft.fftfreq(n, 1 / n) / sigma) ** 2)


def factor(shape, horizontal=1e-7, vertical=0.0):
    height, width = shape[-2:]
    wx = gaussian(width, horizontal) if horizontal else np.zeros(width)
    wy = gaussian(height, vertical) if vertical else (np.arange(height) == 0).astype(float)
    return 1 - wy[:, None] * (1 - wx)


def random_spectrum(*shape):
    return random_array(np.complex64, shape)


class FilterStripes(ElementTestCase):
    def test_properties(self):
        largest = float(np.finfo(np.float32).max)
        self.check_properties(
            "tomofilterstripes",
            {"horizontal-sigma": (1e-7, 0.0, largest), "vertical-sigma": (0.0, 0.0, largest)},
        )

    def check(self, shape, horizontal, vertical):
        a = random_spectrum(*shape)
        (result,) = run(f"tomofilterstripes horizontal-sigma={horizontal} vertical-sigma={vertical}", [a])
        wanted = a * factor(shape, float(np.float32(horizontal)), float(np.float32(vertical)))
        self.assert_close(result, wanted, TOLERANCE, f"{shape} {horizontal} {vertical}")

    def test_sizes(self):
        for shape in ((1, 1), (1, 5), (5, 1), (8, 8), (7, 13), (97, 31), (3, 6, 11)):
            with self.subTest(shape=shape):
                self.check(shape, 2.0, 1.5)

    def test_sigmas(self):
        for horizontal in (0.0, 1e-30, 1e-7, 0.5, 3.0, 1e30):
            for vertical in (0.0, 1e-30, 0.5, 3.0, 1e30):
                with self.subTest(horizontal=horizontal, vertical=vertical):
                    self.check((12, 15), horizontal, vertical)

    def test_the_mean_stays_by_default(self):
        a = random_spectrum(6, 9)
        (result,) = run("tomofilterstripes", [a])
        self.assertEqual(result[0, 0], a[0, 0])
        np.testing.assert_array_equal(result[0, 1:], 0)
        np.testing.assert_array_equal(result[1:], a[1:])

    def test_stripes_vanish(self):
        """Offsets of columns over a sinogram whose columns have no mean: what is left is the sinogram."""
        sinogram = rng.standard_normal((32, 24))
        sinogram -= sinogram.mean(axis=0)
        stripes = rng.standard_normal(24)
        line = "tomofft dimensions=2 ! tomofilterstripes ! tomoifft dimensions=2"
        (result,) = run(line, [(sinogram + stripes).astype(np.float32)])
        self.assert_close(result, sinogram + stripes.mean(), 2e-6)

    def test_nan_stays_where_it_is(self):
        a = random_spectrum(4, 8)
        a[0, 3] = a[2, 2] = np.nan
        (result,) = run("tomofilterstripes", [a])
        np.testing.assert_array_equal(np.isnan(result), np.isnan(a))

    def test_memory(self):
        arrays = [random_spectrum(4, 10) for _ in range(5)]
        self.check_memory(
            "tomofilterstripes vertical-sigma=2",
            arrays,
            tolerance=TOLERANCE,
            reference=[a * factor(a.shape, vertical=2.0) for a in arrays],
        )

    def test_state_cycles(self):
        arrays = [random_spectrum(4, 10) for _ in range(3)]
        self.check_state_cycles(
            "tomofilterstripes", arrays, tolerance=TOLERANCE, reference=[a * factor(a.shape) for a in arrays]
        )

    def test_changes_while_playing(self):
        a = random_spectrum(6, 9)
        with Stream("tomofilterstripes name=f") as stream:
            self.assert_close(stream.through(a), a * factor(a.shape), TOLERANCE)
            stream["f"].set_property("vertical-sigma", 2.0)
            self.assert_close(stream.through(a), a * factor(a.shape, vertical=2.0), TOLERANCE)
            stream["f"].set_property("horizontal-sigma", 3.0)
            self.assert_close(stream.through(a), a * factor(a.shape, 3.0, 2.0), TOLERANCE)

    def test_caps_changes(self):
        arrays = [random_spectrum(*shape) for shape in ((4, 8), (5, 13), (2, 5, 13), (4, 8))]
        for a, result in zip(arrays, run("tomofilterstripes", arrays), strict=True):
            self.assert_close(result, a * factor(a.shape), TOLERANCE)

    def test_errors(self):
        self.assert_fails(
            ["sink", "float32", "complex64"], "tomofilterstripes", [random_array(np.float32, (3, 5))]
        )


if __name__ == "__main__":
    main()
