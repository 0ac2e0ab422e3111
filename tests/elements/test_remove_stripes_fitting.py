# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomoremovestripesfitting against polynomials fitted by numpy."""

from stripestest import *


class RemoveStripesFitting(StripesTestCase):
    def test_properties(self):
        self.check_properties("tomoremovestripesfitting", {**BATCH, "order": (2, 0, 10), "sigma": (10.0, 0.1, 1000.0)})

    def test_stripes(self):
        self.check_stripes("tomoremovestripesfitting", stripes.remove_fitting, less_by=1.05)
        self.check_nan("tomoremovestripesfitting", stripes.remove_fitting)
        self.check_batches("tomoremovestripesfitting", stripes.remove_fitting)

    def test_orders_and_windows(self):
        """Up to one that smoothes nothing."""
        image = (2 + 0.1 * rng.standard_normal((67, 43))).astype(np.float32)
        for order, sigma in ((0, 0.1), (5, 3.0), (10, 1000.0)):
            self.check(f"tomoremovestripesfitting order={order} sigma={sigma}", [image],
                       lambda p: stripes.remove_fitting(p, order, sigma), 1e-4)
        self.assert_close(run("tomoremovestripesfitting sigma=1000", [image])[0], image, 1e-5)


if __name__ == "__main__":
    main()
