# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomopowerspectrum against numpy."""

from tomotest import *
from elementtest import ElementTestCase, Stream


def reference(a):
    return np.abs(a.astype(np.complex128)) ** 2


class PowerSpectrum(ElementTestCase):
    def test_properties(self):
        self.check_properties("tomopowerspectrum", {})

    def test_shapes_and_nan(self):
        arrays = [random_array(np.complex64, s) for s in ((1, 1), (1, 13), (3, 5, 7))]
        for a, result in zip(arrays, run("tomopowerspectrum", arrays), strict=True):
            self.assertEqual(result.dtype, np.float32)
            self.assert_close(result, reference(a), 1e-6)
        a = random_array(np.complex64, (3, 5))
        a[1, 2], a[2, 2] = np.nan, complex(0, np.inf)
        (result,) = run("tomopowerspectrum", [a])
        np.testing.assert_array_equal(np.isnan(result), np.isnan(a.real))
        self.assertEqual(result[2, 2], np.inf)

    def test_memory_and_state_cycles(self):
        arrays = [random_array(np.complex64, (3, 5)) for _ in range(3)]
        wanted = [reference(a) for a in arrays]
        self.check_memory("tomopowerspectrum", arrays, reference=wanted, tolerance=1e-6)
        self.check_state_cycles("tomopowerspectrum", arrays, reference=wanted, tolerance=1e-6)

    def test_of_a_real_transform(self):
        """Parseval: the sum is N times that of the squared image."""
        a = random_array(np.float32, (7, 11))
        (result,) = run("tomofft dimensions=2 ! tomopowerspectrum", [a])
        self.assert_close(result.sum(dtype=np.float64), a.size * (a.astype(np.float64) ** 2).sum(), 1e-6)

    def test_real_samples_are_refused(self):
        self.assert_fails("tomopowerspectrum", "tomopowerspectrum", [random_array(np.float32, (2, 3))])


if __name__ == "__main__":
    main()
