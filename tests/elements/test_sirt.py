# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomosirt against float64 iterations with the same matrix."""

from iterativetest import *


class Sirt(IterativeTestCase):
    def test_iterations(self):
        for properties, relaxation, number in (("", 1.0, 1), ("relaxation=1.7", 1.7, 1), ("subsets=5 relaxation=0.8", 0.8, 5)):
            parts = [self.rows(views) for views in subsets(self.VIEWS, number)]
            with self.subTest(properties=properties):
                self.check_method(f"tomosirt num-iterations=20 {properties}",
                                  lambda b: additive(self.a, b, 20, relaxation, parts))

    def test_bounds(self):
        parts = [self.rows(range(self.VIEWS))]
        self.check_method("tomosirt num-iterations=20 minimum=0 maximum=0.5",
                          lambda b: additive(self.a, b, 20, 1.0, parts, 0.0, 0.5))
        self.assert_fails(["minimum=1", "maximum=0.5"], "tomosirt minimum=1 maximum=0.5", [self.data()[0]])

    def test_axis_elsewhere_in_the_slice(self):
        sinogram = self.data()[0]
        a = matrix(self.angles, self.COLUMNS, 15.3, 21, 23, axis_in_slice=11.25)
        with Stream("tomosirt num-iterations=4 roi-width=21 roi-height=23 slice-axis-pos=11.25") as stream:
            stream.push(sinogram, event=scan_event(self.angles, 15.3))
            result = stream.pull()
        wanted, _ = additive(a, sinogram.astype(np.float64).ravel(), 4, 1.0, [slice(None)])
        self.assertLess(np.linalg.norm(result.ravel() - wanted), 1e-4 * np.linalg.norm(wanted))

    def test_divergence_is_told(self):
        self.slices("tomosirt relaxation=3", self.data())
        self.assertRegex(" ".join(self.warnings), "residual of array 0 grew.*relaxation")
        self.slices("tomosirt", self.data())
        self.assertEqual(self.warnings, [])

    def test_stops(self):
        self.check_stops("tomosirt")

    def test_streams(self):
        self.check_streams("tomosirt")


if __name__ == "__main__":
    main()
