# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomoremovestripestitarenko against the system of equations that its paper solves; its kernel for GPUs where
GST_TOMO_TEST_GPU_KERNELS=1 (element-remove_stripes_titarenko-gpu).
"""

from tomotest import *
from ringtest import RingTestCase
import ring_removal


class RemoveStripesTitarenko(RingTestCase):
    def test_properties(self):
        self.check_properties("tomoremovestripestitarenko",
                              {"alpha": (0.0005, np.float32(1e-10), 1e4), "chunks": (1, 1, 10000),
                               "batch": (0, 0, 1024)})

    def test_reference(self):
        self.check_ring_removal("tomoremovestripestitarenko", ring_removal.titarenko)

    def test_alphas_and_chunks(self):
        for alpha, chunks in (1e-6, 1), (0.02, 2), (1.5, 5), (1e4, 11):
            for width in 2, 127, 128, 129, 300:
                self.check(f"tomoremovestripestitarenko alpha={alpha} chunks={chunks}",
                           [random_array(np.float32, (11, width))],
                           lambda a: ring_removal.titarenko(a, alpha, chunks), 1e-6)

    def test_not_finite(self):
        """Means that are missing don't count in the sums of the formula."""
        self.check_not_finite("tomoremovestripestitarenko alpha=0.01", lambda a: ring_removal.titarenko(a, 0.01))
        self.check_not_finite("tomoremovestripestitarenko alpha=3 chunks=3", lambda a: ring_removal.titarenko(a, 3.0, 3))

    def test_removes_stripes(self):
        self.check_removes("tomoremovestripestitarenko alpha=0.02", 5)

    def test_errors(self):
        self.assert_fails(["chunks=4", "3 rows"], "tomoremovestripestitarenko chunks=4",
                          [random_array(np.float32, (3, 5))])


if __name__ == "__main__":
    main()
