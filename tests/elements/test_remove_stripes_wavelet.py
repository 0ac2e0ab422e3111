# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomoremovestripeswavelet against the whole transform of its paper, with all details, in float64; the kernels of GPUs
where GST_TOMO_TEST_GPU_KERNELS=1 (element-remove_stripes_wavelet-gpu).
"""

from tomotest import *
from elementtest import Stream
from ringtest import SHAPES, TOLERANCE, RingTestCase
import ring_removal


class RemoveStripesWavelet(RingTestCase):
    def check_wavelet(self, shape, levels=0, wavelet="db5", sigma=2.0, padding="mean"):
        self.check(f"tomoremovestripeswavelet levels={levels} wavelet={wavelet} sigma={sigma} padding={padding}",
                   [random_array(np.float32, shape)],
                   lambda a: ring_removal.wavelet(a, levels, wavelet, sigma, padding), 1e-5)

    def test_properties(self):
        self.check_properties("tomoremovestripeswavelet",
                              {"levels": (0, 0, 20), "wavelet": "db5", "sigma": (2.0, np.float32(0.01), 1e4),
                               "padding": ("mean", {"mean", "zeros", "none"}), "batch": (0, 0, 1024)})

    def test_reference(self):
        self.check_ring_removal("tomoremovestripeswavelet", ring_removal.wavelet)

    def test_wavelets(self):
        """By their filters: all that there are, in images shorter and longer than they are."""
        for moments in int(rng.integers(2, 20)), 20:
            for shape in (11, 19), (61, 103):
                self.check_wavelet(shape, int(rng.integers(1, 5)), f"db{moments}")
        for name in "haar", "db1":
            self.check_wavelet((31, 30), 3, name)

    def test_levels_and_paddings(self):
        for padding in "mean", "zeros", "none":
            for levels, shape in (1, (40, 41)), (3, (83, 64)), (8, (37, 50)), (4, (1, 30)), (4, (30, 1)):
                self.check_wavelet(shape, levels, "db5", float(rng.uniform(0.1, 5)), padding)

    def test_sigmas(self):
        for sigma in 0.01, 0.5, 30.0, 10000.0:
            self.check_wavelet((53, 44), 2, "db5", sigma)

    def test_not_finite(self):
        self.check_not_finite("tomoremovestripeswavelet levels=3", lambda a: ring_removal.wavelet(a, 3))
        self.check_not_finite("tomoremovestripeswavelet padding=zeros wavelet=haar",
                              lambda a: ring_removal.wavelet(a, 0, "haar", 2.0, "zeros"))

    def test_tells_levels(self):
        for shape, levels in ((20, 20), 1), ((127, 70), 2), ((70, 5000), 2):
            with Stream("tomoremovestripeswavelet") as stream:
                stream.push(random_array(np.float32, shape))
                stream.finish()
                (told,) = stream.element_messages("tomo-effective")
                self.assertEqual(told.get_uint("levels").value, levels)

    def test_removes_stripes(self):
        self.check_removes("tomoremovestripeswavelet levels=3 sigma=1", 5)

    def test_errors(self):
        for name in "db21", "db0", "sym5", "":
            self.assert_fails(["wavelet=", "db1 to db20"], f"tomoremovestripeswavelet wavelet='{name}'",
                              [random_array(np.float32, (3, 5))])


if __name__ == "__main__":
    main()
