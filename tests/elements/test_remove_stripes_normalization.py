# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomoremovestripesnormalization against the float64 statement of its source."""

from tomotest import *
from ringtest import RingTestCase
import ring_removal


class RemoveStripesNormalization(RingTestCase):
    def test_properties(self):
        self.check_properties("tomoremovestripesnormalization",
                              {"sigma": (15.0, np.float32(0.1), 1e4), "chunks": (1, 1, 10000), "batch": (0, 0, 1024)})

    def test_reference(self):
        self.check_ring_removal("tomoremovestripesnormalization sigma=3.5", lambda a: ring_removal.normalization(a, 3.5))

    def test_sigmas_and_chunks(self):
        for sigma, chunks in (0.1, 1), (0.7, 2), (15, 5), (40, 11):
            self.check(f"tomoremovestripesnormalization sigma={sigma} chunks={chunks}", [random_array(np.float32, (11, 23))],
                       lambda a: ring_removal.normalization(a, sigma, chunks), 1e-6)

    def test_not_finite(self):
        self.check_not_finite("tomoremovestripesnormalization sigma=2", lambda a: ring_removal.normalization(a, 2.0))
        self.check_not_finite("tomoremovestripesnormalization sigma=0.2 chunks=3",
                              lambda a: ring_removal.normalization(a, 0.2, 3))

    def test_removes_stripes(self):
        self.check_removes("tomoremovestripesnormalization sigma=5", 6)

    def test_errors(self):
        self.assert_fails(["chunks=4", "3 rows"], "tomoremovestripesnormalization chunks=4",
                          [random_array(np.float32, (3, 5))])


if __name__ == "__main__":
    main()
