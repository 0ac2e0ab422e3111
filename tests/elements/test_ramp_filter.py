# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomorampfilter against tomoref on padded rows; its other way, by local memory, where GST_TOMO_TEST_GPU_KERNELS=1
(element-ramp_filter-gpu).
"""

from tomotest import *
from elementtest import ElementTestCase, Stream
import responsetest
import tomoref

# Two transforms, each to 1e-6.
TOLERANCE = 2e-6


def reference(a, length=0, **parameters):
    width = a.shape[-1]
    length = length or 2 ** int(np.ceil(np.log2(2 * width)))
    behind = (length - width + 1) // 2
    pads = [(0, 0)] * (a.ndim - 1)
    padded = np.pad(a.astype(np.float64), [*pads, (0, behind)], mode="edge")
    padded = np.concatenate([padded, np.repeat(a[..., :1].astype(np.float64), length - width - behind, -1)], -1)
    return tomoref.fft_filter(padded, crop=width, **parameters)


class RampFilter(ElementTestCase):
    def check(self, line, a, tolerance=TOLERANCE, length=0, **parameters):
        (result,) = run(f"tomorampfilter {line}", [a])
        self.assert_close(result, reference(a, length, **parameters), tolerance, f"{line} {a.shape} {a.dtype}")

    def test_properties(self):
        self.check_properties("tomorampfilter", {**responsetest.PROPERTIES, "pad-width": (0, 0, 65536)})

    def test_widths(self):
        """Every number of passes, rows that make no pair, and a row of one sample."""
        for width in (1, 2, 5, 9, 16, 31, 64, 100, 255, 400, 777, 1500, 2048):
            for rows in (1, 4):
                a = random_array(np.float32, (rows, width)) + np.float32(0.5)
                self.check("", a)

    def test_given_widths(self):
        for width, length in (37, 37), (37, 38), (64, 64), (40, 64), (97, 211), (1000, 2000), (2500, 5000):
            self.check(f"pad-width={length}", random_array(np.float32, (3, width)), length=length)

    def test_is_fft_filter_ifft(self):
        a = random_array(np.float32, (7, 90))
        (together,) = run("tomorampfilter pad-width=90", [a])
        (chain,) = run("tomofft ! tomofilter ! tomoifft", [a])
        self.assert_close(together, chain.astype(np.float64), TOLERANCE)

    def test_responses(self):
        for name in tomoref.FILTERS:
            self.check(f"filter={name} cutoff=0.3 order=3 tau=0.4 theta=0.7 scale=1.5", random_array(np.float32, (4, 50)),
                       name=name, cutoff=0.3, order=3.0, tau=0.4, theta=0.7, scale=1.5)

    def test_formats_and_depth(self):
        for name in REAL:
            self.check("", random_array(FORMATS[name], (3, 5, 33)))

    def test_not_finite(self):
        """Such a row is NaN all along, and its neighbours are as if it were not there."""
        a = random_array(np.float32, (7, 60))
        a[2, 11], a[5, 0] = np.nan, np.inf
        wanted = reference(np.where(np.isfinite(a), a, 0))
        (result,) = run("tomorampfilter", [a])
        self.assertTrue(np.isnan(result[[2, 5]]).all())
        good = [0, 1, 3, 4, 6]
        self.assert_close(result[good], wanted[good], TOLERANCE)

    def test_batches(self):
        arrays = [random_array(np.float32, (5, 70)) for _ in range(7)]
        for batch in 1, 3, 7, 8:
            results = run(f"tomorampfilter batch={batch}", arrays)
            for result, a in zip(results, arrays, strict=True):
                self.assert_close(result, reference(a), TOLERANCE)

    def test_memory_and_states(self):
        a = random_array(np.float32, (4, 21))
        self.check_memory("tomorampfilter", [a], reference=[reference(a)], tolerance=TOLERANCE)
        self.check_state_cycles("tomorampfilter", [a], reference=[reference(a)], tolerance=TOLERANCE)

    def test_errors(self):
        for line, words in (("pad-width=20", "pad-width=20 is less than the input's 21 columns"),
                            ("filter=faris-byer tau=0", "tau=0")):
            with self.assertRaises(PipelineError) as caught:
                run(f"tomorampfilter {line}", [random_array(np.float32, (4, 21))])
            self.assertIn(words, str(caught.exception))
            self.assertTrue(caught.exception.element.startswith("tomorampfilter"))

    def test_truth(self):
        """Discs reconstructed through it have their attenuation, inside and outside, for every range of angles."""
        width, count, attenuation = 256, 400, 0.02
        shapes = [tomoref.disc(30.5, -20.25, 50, attenuation)]
        for degrees in 180, 360:
            angles = np.arange(count) * np.radians(degrees) / count
            sinogram = tomoref.line_integrals(shapes, angles, width, width / 2).astype(np.float32)
            (slice_,) = run(f"tomorampfilter ! tomobackproject angle-step={np.radians(degrees) / count!r}", [sinogram])
            y, x = np.mgrid[:width, :width] + 0.5 - width / 2
            distance = np.hypot(x - 30.5, y + 20.25)
            outside = (distance > 53) & (np.hypot(x, y) < width / 2 - 3)
            self.assertLess(abs(slice_[distance < 47].mean() - attenuation), 0.005 * attenuation)
            self.assertLess(abs(slice_[outside].mean()), 0.005 * attenuation)


if __name__ == "__main__":
    main()
