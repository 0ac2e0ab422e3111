# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomononlocalmeans against the formula in double precision, and against scikit-image."""

import unittest

from tomotest import *
from elementtest import Stream
from filtertest import *
from test_find_large_spots import noise

try:
    from skimage.restoration import denoise_nl_means
except ImportError:
    denoise_nl_means = None


def means(plane, search=10, patch=3, h=0.0, sigma=0.0, window=False, addressing="mirrored_repeat", first=None):
    level = noise(plane if first is None else first, addressing)
    h, sigma = h or level, level if sigma is None else sigma
    height, width = plane.shape
    margin, side = search + patch, 2 * patch + 1
    image = padded(plane, margin, margin, addressing)
    patches = np.lib.stride_tricks.sliding_window_view(image, (side, side))
    y, x = np.mgrid[-patch : patch + 1, -patch : patch + 1]
    weights = np.exp(-(x**2 + y**2) / (2 * (patch / 2) ** 2)) if window else np.ones((side, side))
    weights /= weights.sum()
    own = patches[search : search + height, search : search + width]
    total, value = np.zeros(plane.shape), np.zeros(plane.shape)
    for dy in range(2 * search + 1):
        for dx in range(2 * search + 1):
            other = patches[dy : dy + height, dx : dx + width]
            d = np.einsum("yxij,ij->yx", (own - other) ** 2, weights)
            excess = np.maximum(0, d - 2 * sigma**2)  # NaN stays
            with np.errstate(divide="ignore", invalid="ignore"):
                w = np.where(excess == 0, 1, np.exp(-excess / h**2))
            w = np.where(np.isnan(w), 0, w)
            total += w
            value += np.where(w > 0, w * other[..., patch, patch], 0)
    with np.errstate(invalid="ignore"):
        return value / total


def picture(dtype, shape):
    y, x = np.indices(shape[-2:])
    clean = 50 + 40 * ((x // 7 + y // 5) % 2)
    return (clean + rng.normal(0, 6, shape)).astype(dtype)


class NonLocalMeans(FilterTestCase):
    def test_properties(self):
        self.check_properties("tomononlocalmeans", {
            "search-radius": (10, 1, 8192), "patch-radius": (3, 1, 100), "h": (0.0, 0.0, LARGEST),
            "sigma": (0.0, 0.0, LARGEST), "window": True, "fast": True, "estimate-sigma": False,
            "addressing-mode": ("mirrored_repeat", ADDRESSING)})

    def test_filter(self):
        self.check_filter("tomononlocalmeans search-radius=3 patch-radius=2 h=9 sigma=4",
                          lambda p: means(p, 3, 2, 9, 4), make=picture, shapes=((1, 1), (1, 13), (17, 1), (41, 37)))

    def test_slow(self):
        for window in False, True:
            self.check(f"tomononlocalmeans fast=false window={window} search-radius=4 patch-radius=2 h=9 sigma=4",
                       [picture(np.float32, shape) for shape in SHAPES], lambda p: means(p, 4, 2, 9, 4, window))

    def test_slow_in_bands(self):
        self.check("tomononlocalmeans fast=false search-radius=10 patch-radius=10 h=9", [picture(np.float32, (59, 37))],
                   lambda p: means(p, 10, 10, 9, window=True), 1e-5)

    def test_defaults(self):
        self.check("tomononlocalmeans", [picture(np.float32, (41, 37))], means, 1e-5)

    def test_large_patches(self):
        self.check("tomononlocalmeans search-radius=2 patch-radius=23 h=9", [picture(np.float32, (41, 37))],
                   lambda p: means(p, 2, 23, 9), 1e-5)

    def test_addressing(self):
        for addressing in sorted(ADDRESSING - {"none"}):
            self.check(f"tomononlocalmeans search-radius=2 patch-radius=1 h=5 addressing-mode={addressing}",
                       [picture(np.float32, (17, 11)), picture(np.float32, (2, 3))],
                       lambda p: means(p, 2, 1, 5, addressing=addressing))

    def test_noise_is_estimated_from_the_first_array(self):
        arrays = [picture(np.float32, (41, 37)) * np.float32(k) for k in (1, 3)]
        for estimate in False, True:
            for fast in False, True:
                results = run(f"tomononlocalmeans search-radius=3 patch-radius=1 window=false fast={fast} "
                              f"estimate-sigma={estimate} sigma=2", arrays)
                for result, a in zip(results, arrays, strict=True):
                    wanted = means(a.astype(np.float64), 3, 1, sigma=None if estimate else 2.0,
                                   first=arrays[0].astype(np.float64))
                    self.assert_close(result, wanted, 1e-5)

    def test_constants_and_nan(self):
        a = picture(np.float32, (41, 37))
        a[30, 11] = a[2, 35] = np.nan
        for fast in False, True:
            line = f"tomononlocalmeans search-radius=3 patch-radius=1 window=false fast={fast}"
            self.check(line + " h=9", [a], lambda p: means(p, 3, 1, 9))
            self.check(line, [np.full((5, 7), 2.5, np.float32)], lambda p: p)

    @unittest.skipIf(denoise_nl_means is None, "scikit-image is not installed")
    def test_scikit_image_agrees_inside(self):
        a = picture(np.float32, (61, 67)) / np.float32(100)
        line = "tomononlocalmeans search-radius=5 patch-radius=2 h=0.08 sigma=0.06"
        (result,) = run(f"{line} fast=false", [a])
        # It cuts small weights off, and mirrors the image differently.
        wanted = denoise_nl_means(a.astype(np.float64), patch_size=5, patch_distance=5, h=0.08, sigma=0.06,
                                  fast_mode=False)
        self.assert_close(result[8:-8, 8:-8], wanted[8:-8, 8:-8], 3e-3)

    def test_less_noise_and_sharp_edges(self):
        clean = np.where(np.indices((61, 67))[1] < 30, 0.2, 0.8)
        noisy = (clean + rng.normal(0, 0.06, clean.shape)).astype(np.float32)
        (result,) = run("tomononlocalmeans search-radius=7 patch-radius=2 estimate-sigma=true", [noisy])
        self.assertLess(np.std(result - clean), 0.5 * np.std(noisy - clean))
        self.assertGreater(np.mean(result[:, 30] - result[:, 29]), 0.5)

    def test_a_wide_search_can_be_stopped(self):
        for fast, search, shape in (True, 1000, (3, 5)), (False, 100, (50000, 3)):
            with Stream(f"tomononlocalmeans search-radius={search} patch-radius=10 h=1 fast={fast}") as stream:
                stream.push(picture(np.float32, shape))
                GLib.usleep(1000000)
                # Leaving the block stops it, long before its end.

    def test_errors(self):
        self.assert_fails(["addressing-mode=none", "choose another"], "tomononlocalmeans addressing-mode=none",
                          [picture(np.float32, (5, 7))])


if __name__ == "__main__":
    main()
