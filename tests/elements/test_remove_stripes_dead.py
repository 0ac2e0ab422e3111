# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomoremovestripesdead against numpy."""

from stripestest import *


class RemoveStripesDead(StripesTestCase):
    def test_properties(self):
        self.check_properties("tomoremovestripesdead", {**BATCH, "size": (51, 1, 1023), "snr": SNR, "residual": True})

    def test_stripes(self):
        self.check_stripes("tomoremovestripesdead", stripes.remove_dead, less_by=3.5)
        self.check_batches("tomoremovestripesdead", stripes.remove_dead)
        without = lambda p: stripes.remove_dead(p, residual=False)
        self.check_stripes("tomoremovestripesdead residual=false", without, less_by=0.8)
        self.check_nan("tomoremovestripesdead residual=false", without)

    def test_dead_and_fluctuating(self):
        """Become what lies between the columns beside them; so do columns that are not finite."""
        clean = (1 + 0.01 * rng.standard_normal((301, 143))).astype(np.float32)
        image = clean.copy()
        image[:, 30] = 0.5
        image[:, 60:62] *= 1 + 0.5 * rng.uniform(-1, 1, (301, 2)).astype(np.float32)
        image[5, 100] = np.nan
        result = run("tomoremovestripesdead residual=false", [image])[0]
        for left, right in ((28, 32), (58, 63), (98, 102)):
            w = np.linspace(0, 1, right - left + 1)
            self.assert_close(result[:, left : right + 1],
                              (1 - w) * clean[:, left : left + 1] + w * clean[:, right : right + 1], 1e-6)
        for x in (0, 1, 141, 142):  # no columns on both sides
            self.assertTrue((result[:, x] == clean[:, x]).all())

    def test_outermost_columns_that_are_not_finite(self):
        """Stay, and make no other column so."""
        for x in (0, 1, 35, 36):
            for value in (np.nan, np.inf):
                with self.subTest(column=x, value=value):
                    image = (1 + 0.1 * rng.standard_normal((31, 37))).astype(np.float32)
                    image[4, x] = value
                    image[:, 20] = np.nan
                    result = run("tomoremovestripesdead residual=false", [image])[0]
                    self.assertEqual(np.argwhere(~np.isfinite(result)).tolist(), [[4, x]])
                    wanted = stripes.remove_dead(image, residual=False)
                    known = np.isfinite(result)
                    self.assert_close(result[known], wanted[known], 1e-6)

    def test_too_many(self):
        image = (1 + 0.1 * rng.standard_normal((31, 37))).astype(np.float32)
        image[4, 5:30] = np.nan
        np.testing.assert_array_equal(run("tomoremovestripesdead residual=false", [image])[0], image)


if __name__ == "__main__":
    main()
