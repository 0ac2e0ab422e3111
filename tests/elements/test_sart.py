# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomosart against float64 iterations with the same matrix."""

from iterativetest import *


class Sart(IterativeTestCase):
    def test_iterations(self):
        for properties, relaxation, golden in (("", 0.25, True), ("view-order=sequential relaxation=0.9", 0.9, False)):
            parts = [self.rows(views) for views in subsets(self.VIEWS, self.VIEWS, golden)]
            with self.subTest(properties=properties):
                self.check_method(f"tomosart num-iterations=20 {properties}",
                                  lambda b: additive(self.a, b, 20, relaxation, parts))

    def test_bounds(self):
        parts = [self.rows(views) for views in subsets(self.VIEWS, self.VIEWS)]
        self.check_method("tomosart num-iterations=5 minimum=0.1 maximum=0.5",
                          lambda b: additive(self.a, b, 5, 0.25, parts, 0.1, 0.5))

    def test_order(self):
        """Every view once, and neighbours far apart."""
        for number in (1, 2, 3, 17, 181):
            order = [int(part[0]) for part in subsets(number, number)]
            self.assertEqual(sorted(order), list(range(number)))
        self.assertGreater(np.abs(np.diff(order)).min(), 181 / 4)

    def test_start(self):
        parts = [self.rows(views) for views in subsets(self.VIEWS, self.VIEWS)]
        self.check_start("tomosart num-iterations=3 minimum=0.01", lambda b, start, mask: additive(
            self.a, b, 3, 0.25, parts, 0.01, start=start, mask=mask)[0])

    def test_stops(self):
        self.check_stops("tomosart")

    def test_streams(self):
        self.check_streams("tomosart")


if __name__ == "__main__":
    main()
