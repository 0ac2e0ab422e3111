# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomofilterstripes1d against its formula in float64."""

from tomotest import *
from elementtest import ElementTestCase, Stream


def reference(a, strength):
    k = np.abs(np.fft.fftfreq(a.shape[-1], 1 / a.shape[-1]))
    sigma = strength / (2 * np.sqrt(2 * np.log(2)))
    return a.astype(np.complex128) * -np.expm1(-(k**2) / (2 * sigma**2))


class FilterStripes1d(ElementTestCase):
    def test_properties(self):
        limits = float(np.float32(1e-3)), float(np.finfo(np.float32).max)
        self.check_properties("tomofilterstripes1d", {"strength": (1.0, *limits)})

    def test_strengths_and_shapes(self):
        for strength in (1e-3, 1.0, 7.5, 1e6):
            line = f"tomofilterstripes1d strength={strength}"
            arrays = [random_array(np.complex64, s) for s in ((3, 1), (1, 13), (4, 32), (2, 5, 7))]
            for a, result in zip(arrays, run(line, arrays), strict=True):
                with self.subTest(strength=strength, shape=a.shape):
                    self.assert_close(result, reference(a, float(np.float32(strength))), 1e-6)

    def test_the_mean_goes_and_stripes_get_weaker(self):
        stripes = np.broadcast_to(random_array(np.float32, (1, 37)), (5, 37)).copy()
        (result,) = run("tomofft ! tomofilterstripes1d strength=4 ! tomoifft", [stripes])
        wanted = np.fft.ifft(reference(np.fft.fft(stripes.astype(np.float64)), 4.0)).real
        self.assert_close(result, wanted, 1e-6)
        self.assertLess(abs(result.mean()), 1e-6)

    def test_nan(self):
        a = random_array(np.complex64, (3, 5))
        a[1, 0], a[2, 3] = np.nan, np.nan
        (result,) = run("tomofilterstripes1d", [a])
        np.testing.assert_array_equal(np.isnan(result), np.isnan(a))

    def test_memory_and_state_cycles(self):
        arrays = [random_array(np.complex64, (3, 5)) for _ in range(3)]
        wanted = [reference(a, 1.0) for a in arrays]
        self.check_memory("tomofilterstripes1d", arrays, reference=wanted, tolerance=1e-6)
        self.check_state_cycles("tomofilterstripes1d", arrays, reference=wanted, tolerance=1e-6)

    def test_real_samples_are_refused(self):
        self.assert_fails("tomofilterstripes1d", "tomofilterstripes1d", [random_array(np.float32, (2, 3))])


if __name__ == "__main__":
    main()
