# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomoremovestripeslarge against ratios of means and medians of sorted columns."""

from stripestest import *


class RemoveStripesLarge(StripesTestCase):
    def test_properties(self):
        self.check_properties("tomoremovestripeslarge", {**BATCH, "size": (51, 1, 1023), "snr": SNR, "drop-ratio": (0.1, 0.0, 0.8)})

    def test_stripes(self):
        self.check_stripes("tomoremovestripeslarge", stripes.remove_large, less_by=3.5)
        self.check_nan("tomoremovestripeslarge", stripes.remove_large)
        self.check_batches("tomoremovestripeslarge", stripes.remove_large)

    def test_parameters(self):
        for size, snr, drop in ((11, 1.1, 0.0), (4, 10.0, 0.8)):
            self.check(f"tomoremovestripeslarge size={size} snr={snr} drop-ratio={drop}", [striped(67, 143)[1]],
                       lambda p: stripes.remove_large(p, size, snr, drop), 1e-4)

    def test_columns_of_zeros(self):
        image = striped(67, 143)[1]
        image[:, 40:50] = 0
        self.check("tomoremovestripeslarge size=5", [image], lambda p: stripes.remove_large(p, 5), 1e-4)

    def test_columns_whose_values_cancel(self):
        """Their means are rounding, and no ratio of them divides the values."""
        for shape in (5, 7), (7, 5), (40, 31):
            image = rng.uniform(0.5, 1.5, shape)
            image = (image - image.mean(axis=0)).astype(np.float32)
            (result,) = run("tomoremovestripeslarge drop-ratio=0", [image])
            self.assertLess(np.abs(result).max(), 4 * np.abs(image).max(), f"(seed {SEED})")

    def test_the_stripe_alone_is_replaced(self):
        """With medians; what differs by a factor is a stripe even where there is no noise, and becomes what it was."""
        image = np.outer(np.linspace(1, 2, 67), np.ones(143)).astype(np.float32)
        image[:, 70:73] *= 1.1
        self.assert_close(run("tomoremovestripeslarge", [image])[0], np.outer(np.linspace(1, 2, 67), np.ones(143)), 1e-6)


if __name__ == "__main__":
    main()
