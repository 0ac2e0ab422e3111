# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Proves tomoref.py itself: against analytic truth, closed forms and direct sums written a second time."""
import os
import unittest

import numpy as np
import tomoref

SEED = int(os.environ.get("GST_TOMO_TEST_SEED", np.random.SeedSequence().entropy % 2**32))
WIDTH, VIEWS = 512, 800
AXES = (256.0, 250.3, 271.75)


class LineIntegrals(unittest.TestCase):
    def test_agree_with_numerical_integration(self):
        rng = np.random.default_rng(SEED)
        e = tomoref.Ellipse(*rng.uniform(-8, 8, 2), 9.0, 4.0, 0.7, rng.uniform(-2, 2))
        axis, width, angles = 31.2, 61, rng.uniform(-7, 7, 5)
        sinogram = tomoref.line_integrals([e], angles, width, axis)
        along = np.linspace(-40, 40, 160001)
        for t, row in zip(angles, sinogram):
            for column in range(0, width, 7):
                s = column + 0.5 - axis
                x, y = s * np.cos(t) - along * np.sin(t) - e.x, s * np.sin(t) + along * np.cos(t) - e.y
                u, v = x * np.cos(e.tilt) + y * np.sin(e.tilt), y * np.cos(e.tilt) - x * np.sin(e.tilt)
                inside = (u / e.a) ** 2 + (v / e.b) ** 2 <= 1
                self.assertAlmostEqual(row[column], e.value * inside.sum() * (along[1] - along[0]), delta=2e-3)

    def test_mass_of_shepp_logan(self):
        # Each view holds the whole mass: the sum of value pi a b.
        head = tomoref.shepp_logan(100.0, 0.01)
        views = tomoref.line_integrals(head, np.linspace(0, 3, 7), 256, 128.0).sum(axis=1)
        np.testing.assert_allclose(views, sum(e.value * np.pi * e.a * e.b for e in head), rtol=2e-3)

    def test_crown_of_shepp_logan_is_up(self):
        image = tomoref.slice_of(tomoref.shepp_logan(100.0), 256, 128.0)
        self.assertAlmostEqual(image[128 - 35, 128], 0.3)  # the grey blob of the forehead
        self.assertAlmostEqual(image[128 + 35, 128], 0.2)


class Reconstruction(unittest.TestCase):
    """3 pixels off the edges: mean inside each object and mean outside all within 0.5 % of the attenuation.

    Means alone don't see wrong weights of views, because every view brings the same mean; the noise outside does.
    """

    VALUE = 0.02
    OBJECTS = [tomoref.disc(0.0, 0.0, 95.0, VALUE), tomoref.disc(140.0, -110.0, 50.0, VALUE),
               tomoref.Ellipse(-20.0, 150.0, 70.0, 40.0, VALUE, 0.5)]

    def measure(self, objects, angles, axis, size=1024, weights=None):
        """Relative deviation of the mean inside each object, mean and RMS outside, all relative to the attenuation."""
        q = tomoref.fft_filter(tomoref.line_integrals(objects, angles, WIDTH, axis), size)
        slice_ = tomoref.backproject_linear(q, angles, axis=axis, weights=weights) / self.VALUE
        inside = [slice_[tomoref.slice_of([e], WIDTH, axis, margin=3) > 0].mean() - 1 for e in objects]
        outside = slice_[tomoref.field_of_view(WIDTH, axis, margin=3)
                         & (tomoref.slice_of(objects, WIDTH, axis, margin=-3) == 0)]
        return np.array(inside), outside.mean(), np.sqrt((outside**2).mean())

    def test_discs_and_an_ellipse(self):
        for degrees in (180, 200, 240, 360):
            for axis in AXES:
                with self.subTest(degrees=degrees, axis=axis):
                    angles = tomoref.angles_of_scan(VIEWS, np.deg2rad(degrees) / VIEWS, offset=0.3)
                    inside, outside, rms = self.measure(self.OBJECTS, angles, axis)
                    print(f"{degrees} degrees, axis {axis}: inside {inside}, outside {outside:+.1e}, RMS {rms:.1e}")
                    self.assertLess(np.abs(inside).max(), 5e-3)
                    self.assertLess(abs(outside), 5e-3)
                    self.assertLess(rms, 2e-2)

    def test_wrong_weights_and_missing_padding_show(self):
        # The truth must be able to fail.
        angles = tomoref.angles_of_scan(200, np.deg2rad(200) / 200)
        _, _, rms = self.measure(self.OBJECTS, angles, 256.0, weights=np.full(200, np.pi / 200))
        self.assertGreater(rms, 5e-2)
        big = [tomoref.disc(0.0, 0.0, 150.0, self.VALUE)]
        _, outside, _ = self.measure(big, tomoref.angles_of_scan(200), 256.0, size=WIDTH)
        self.assertLess(outside, -1e-2)

    def test_shepp_logan_looks_like_itself(self):
        width, axis = 128, 62.7
        head = tomoref.shepp_logan(55.0, 0.01)
        angles = tomoref.angles_of_scan(300, offset=-1.0)
        slice_ = tomoref.backproject_linear(
            tomoref.fft_filter(tomoref.line_integrals(head, angles, width, axis), 256), angles, axis=axis)
        self.assertGreater(np.corrcoef(slice_.ravel(), tomoref.slice_of(head, width, axis).ravel())[0, 1], 0.95)
        upside_down = tomoref.slice_of(head, width, axis)[::-1]
        self.assertLess(np.corrcoef(slice_.ravel(), upside_down.ravel())[0, 1], 0.9)


class Backprojection(unittest.TestCase):
    def test_pixel_by_pixel(self):
        rng = np.random.default_rng(SEED)
        n, width, axis, roi = 7, 23, rng.uniform(3, 20), (5, 2, 11, 31)
        q, angles = rng.standard_normal((n, width)), rng.uniform(-4, 4, n)
        weights = rng.uniform(0, 1, n)
        expected = np.zeros((roi[3], roi[2]))
        sample = lambda row, k: row[k] if 0 <= k < width else 0.0
        for j in range(roi[3]):
            for i in range(roi[2]):
                bx, by = i + roi[0] - axis + 0.5, j + roi[1] - axis + 0.5
                for row, t, w in zip(q, angles, weights):
                    u = axis + bx * np.cos(t) + by * np.sin(t) - 0.5
                    k = int(np.floor(u))
                    expected[j, i] += w * (sample(row, k) * (k + 1 - u) + sample(row, k + 1) * (u - k))
        result = tomoref.backproject_linear(q, angles, axis=axis, roi=roi, weights=weights)
        self.assertLess(tomoref.error(result, expected), 1e-13)

    def test_far_away_is_zero(self):
        result = tomoref.backproject_linear(np.ones((5, 8)), angles=np.zeros(5), roi=(1000, 0, 3, 3))
        np.testing.assert_array_equal(result, 0.0)

    def test_defaults_and_bad_input(self):
        q = np.random.default_rng(SEED).standard_normal((6, 10))
        np.testing.assert_array_equal(
            tomoref.backproject_linear(q), tomoref.backproject_linear(q, step=np.pi / 6, axis=5.0, roi=(0, 0, 10, 10)))
        with self.assertRaises(ValueError):
            tomoref.backproject_linear(q, angles=np.zeros(5))
        with self.assertRaises(ValueError):
            tomoref.backproject_linear(q, angles=np.zeros(6), step=1.0)


class Weights(unittest.TestCase):
    def weights(self, degrees):
        return tomoref.projection_weights(np.deg2rad(degrees))

    def test_even_scans(self):
        for n, span in ((800, 180), (800, 360), (801, 180), (7, -180), (9, -360)):
            weights, wedge = self.weights(13.0 + span / n * np.arange(n))
            np.testing.assert_allclose(weights, np.pi / n)
            self.assertFalse(wedge)

    def test_small_jitter_is_even(self):
        rng = np.random.default_rng(SEED)
        weights, _ = self.weights(np.arange(180) + rng.uniform(-0.02, 0.02, 180))
        np.testing.assert_allclose(weights, np.pi / 180)

    def test_both_ends(self):
        # 0 and 180 degrees see the same lines and share the weight of one view.
        weights, wedge = self.weights(np.linspace(-88.2, 91.8, 91))
        np.testing.assert_allclose(np.rad2deg(weights[1:-1]), 2.0)
        np.testing.assert_allclose(np.rad2deg(weights[[0, -1]]), 1.0)
        self.assertFalse(wedge)

    def test_overlap_sums_to_pi(self):
        for span in (200, 240, 300):
            weights, wedge = self.weights(span / 800 * np.arange(800))
            self.assertAlmostEqual(weights.sum(), np.pi)
            self.assertFalse(wedge)
        np.testing.assert_allclose(np.rad2deg(self.weights(np.arange(0, 200.0))[0][[5, 100, 185]]), [0.5, 1.0, 0.5])

    def test_missing_wedge(self):
        weights, wedge = self.weights(np.arange(0, 120.0))
        self.assertTrue(wedge)
        np.testing.assert_allclose(np.rad2deg(weights), 1.0)

    def test_golden_angle(self):
        weights, wedge = self.weights(np.arange(50) * 180 * (np.sqrt(5) - 1) / 2)
        self.assertAlmostEqual(weights.sum(), np.pi)
        self.assertFalse(wedge)

    def test_odd_cases(self):
        np.testing.assert_allclose(tomoref.projection_weights([0.4])[0], [np.pi])
        np.testing.assert_allclose(tomoref.projection_weights([0.4, 0.4])[0], [np.pi / 2] * 2)
        for bad in ([], [0.0, np.nan]):
            with self.assertRaises(ValueError):
                tomoref.projection_weights(bad)


class Filters(unittest.TestCase):
    LENGTHS = (1, 2, 3, 31, 32, 1024, 1031)

    def test_ramps_approach_the_frequency(self):
        for n in (1024, 1031):
            f = np.abs(np.fft.fftfreq(n))
            for name in ("ramp", "ramp-fromreal"):
                np.testing.assert_allclose(tomoref.filter_response(name, n), f, atol=1e-3)
            # The windows start as the ramp (a Butterworth of high order and a wide Hamming too).
            for name in ("butterworth", "hamming"):
                np.testing.assert_allclose(tomoref.filter_response(name, n)[1:n // 50] / f[1:n // 50], 1, atol=1e-2)

    def test_zero_frequency(self):
        for n in self.LENGTHS:
            dc = {name: tomoref.filter_response(name, n, scale=3.0)[0] for name in tomoref.FILTERS}
            self.assertEqual(dc["ramp"], 0.25 / n)
            self.assertEqual(dc["bh3"], 0.25 / n)
            self.assertEqual(dc["butterworth"], 0.0)
            self.assertEqual(dc["hamming"], 0.0)
        self.assertAlmostEqual(tomoref.ramp_fromreal(1024)[0], 2 / np.pi**2 / 1024, delta=1e-8)

    def test_values(self):
        # n = 8: f = 1/8, 1/4, 3/8, 1/2 by hand.
        np.testing.assert_allclose(tomoref.filter_response("ramp", 8, scale=2.0),
                                   [0.25 / 8, 0.25, 0.5, 0.75, 1.0, 0.75, 0.5, 0.25])
        np.testing.assert_allclose(tomoref.filter_response("hamming", 8, cutoff=0.25)[:3], [0, 0.125 * 0.54, 0])
        np.testing.assert_allclose(tomoref.filter_response("butterworth", 8, cutoff=0.25, order=2.0)[2:4],
                                   [0.125, 0.375 / (1 + 1.5**4)])
        np.testing.assert_allclose(tomoref.filter_response("bh3", 8)[[4, 2]],
                                   [0.5 * 0.34, 0.25 * (0.42 + 0.5 * np.sqrt(0.5))])
        np.testing.assert_allclose(tomoref.ramp_fromreal(4), 0.25 - np.array([2, 0, -2, 0]) / np.pi**2)

    def test_real_rows_stay_real(self):
        for n in self.LENGTHS:
            for name in tomoref.FILTERS:
                response = tomoref.filter_response(name, n)
                self.assertEqual(response.shape, (n,))
                self.assertTrue(np.isfinite(response).all(), name)
                np.testing.assert_allclose(response, np.conj(np.roll(response[::-1], 1)), atol=1e-12, err_msg=name)

    def test_faris_byer_turns_deflections_into_the_object(self):
        # A Gaussian of width sigma has Gaussian views; their derivative is what beams are deflected by.
        sigma, width, axis, value = 6.0, 128, 64.0, 0.3
        h = np.arange(width) + 0.5 - axis
        view = value * np.sqrt(2 * np.pi) * sigma * np.exp(-h**2 / (2 * sigma**2))
        deflection = np.tile(-h / sigma**2 * view, (90, 1))
        bx, by = tomoref.slice_coordinates(axis, (0, 0, width, width))
        truth = value * np.exp(-(bx**2 + by**2) / (2 * sigma**2))
        for tau in (1.0, 0.1):
            q = tomoref.fft_filter(deflection, 512, "faris-byer", tau=tau, theta=0.0) * tau
            error = tomoref.error(tomoref.backproject_linear(q, axis=axis), truth)
            self.assertLess(error, 2e-2)
        # theta adds the ramp of the same record
        q = tomoref.fft_filter(np.tile(view, (90, 1)), 512, "faris-byer", tau=1.0, theta=np.pi / 2)
        q -= tomoref.fft_filter(np.tile(view, (90, 1)), 512, "faris-byer", tau=1.0, theta=0.0)
        self.assertLess(tomoref.error(2 * tomoref.backproject_linear(q, axis=axis), truth), 2e-2)

    def test_bad_input(self):
        with self.assertRaises(ValueError):
            tomoref.filter_response("hann", 8)
        with self.assertRaises(ValueError):
            tomoref.filter_response("faris-byer", 8, tau=0.0)
        with self.assertRaises(ValueError):
            tomoref.fft_filter(np.zeros((2, 9)), 8)

    def test_fft_filter_is_a_convolution(self):
        rng = np.random.default_rng(SEED)
        row = rng.standard_normal(37)
        for size in (37, 74, 101):
            kernel = np.fft.ifft(tomoref.ramp_fromreal(size)).real
            padded = np.append(row, np.zeros(size - 37))
            direct = [sum(padded[m] * kernel[(k - m) % size] for m in range(size)) for k in range(37)]
            self.assertLess(tomoref.error(tomoref.fft_filter(row, size), direct), 1e-12)


class Rescale(unittest.TestCase):
    def test_straight_lines_stay_straight(self):
        y, x = np.mgrid[0:21, 0:34] + 0.5
        for fx, fy in ((0.5, 0.5), (2.0, 1.3), (0.37, 3.1)):
            result = tomoref.rescale(2 * x - 3 * y, fx, fy)
            self.assertEqual(result.shape, (int(21 * fy), int(34 * fx)))
            j, i = np.mgrid[0:result.shape[0], 0:result.shape[1]] + 0.5
            sx, sy = np.clip(i / fx, 0.5, 33.5), np.clip(j / fy, 0.5, 20.5)
            np.testing.assert_allclose(result, 2 * sx - 3 * sy)

    def test_half_is_the_mean_of_two(self):
        image = np.random.default_rng(SEED).standard_normal((4, 6))
        np.testing.assert_allclose(tomoref.rescale(image, 0.5), image.reshape(2, 2, 3, 2).mean(axis=(1, 3)))

    def test_nearest_and_one_pixel(self):
        np.testing.assert_array_equal(tomoref.rescale([[1.0, 2.0]], 3.0, 1.0, "nearest"), [[1, 1, 1, 2, 2, 2]])
        np.testing.assert_array_equal(tomoref.rescale([[5.0]], 4.0), np.full((4, 4), 5.0))
        with self.assertRaises(ValueError):
            tomoref.rescale([[5.0]], 4.0, interpolation="cubic")


class Error(unittest.TestCase):
    def test_error(self):
        self.assertEqual(tomoref.error([3.0, 4.0], [3.0, 4.0]), 0.0)
        self.assertAlmostEqual(tomoref.error([3.0, 4.5], [3.0, 4.0]), 0.1)
        self.assertAlmostEqual(tomoref.error([3j], [4j]), 0.25)
        self.assertEqual(tomoref.error([1.0], [0.0]), np.inf)
        self.assertEqual(tomoref.error([0.0], [0.0]), 0.0)
        self.assertTrue(np.isnan(tomoref.error([np.nan], [1.0])))
        self.assertTrue(np.isnan(tomoref.error([np.nan], [0.0])))
        with self.assertRaises(ValueError):
            tomoref.error([1.0], [1.0, 1.0])

    def test_noise_is_fresh_and_repeatable(self):
        noise = tomoref.white_noise((200, 200), SEED, 2.0, 3.0)
        self.assertEqual(noise.dtype, np.float32)
        self.assertAlmostEqual(noise.mean(), 2.0, delta=0.1)
        self.assertAlmostEqual(noise.std(), 3.0, delta=0.1)
        np.testing.assert_array_equal(noise, tomoref.white_noise((200, 200), SEED, 2.0, 3.0))
        self.assertFalse(np.array_equal(noise, tomoref.white_noise((200, 200), SEED + 1, 2.0, 3.0)))


if __name__ == "__main__":
    print(f"seed {SEED} (set GST_TOMO_TEST_SEED to repeat)")
    unittest.main()
