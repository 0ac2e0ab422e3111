# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomoasdpocs against the same iterations in float64."""

from tvtest import *


class Asdpocs(VariationTestCase):
    def test_iterations(self):
        # Longer steps amplify rounding: the exact iterations change by percents where the sinogram changes by 1e-7.
        slow = "tv-iterations=3 tv-step=0.003"
        quick = ("relaxation=0.8 relaxation-reduction=0.9 tv-iterations=2 tv-step=0.005 tv-step-reduction=0.5 tv-limit=0.001 "
                 "minimum=-0.01 maximum=0.04")
        changed = dict(relaxation=0.8, relaxation_reduction=0.9, steps=2, size=0.005, size_reduction=0.5, most=0.001, low=-0.01, high=0.04)
        for properties, number, changed in ((slow, self.VIEWS, dict(steps=3, size=0.003)), (f"{quick} subsets=4", 4, changed),
                                            (f"{quick} residual-limit=1", self.VIEWS, dict(changed, enough=1.0))):
            parts = [self.rows(views) for views in subsets(self.VIEWS, number)]
            with self.subTest(properties=properties):
                self.check_objective(f"tomoasdpocs num-iterations=6 {properties}",
                                     lambda problem: asd_pocs(problem, 6, **changed), parts=parts)

    def test_error(self):
        self.check_error("tomoasdpocs num-iterations=60", lambda problem: asd_pocs(problem, 60), 0.9)

    def test_start(self):
        def method(sinogram, start, mask):
            p = self.problem(sinogram[None], 2, [self.rows(v) for v in subsets(self.VIEWS, self.VIEWS)])
            return asd_pocs(p, 3, steps=3, size=0.05, start=start, mask=mask)[0]

        self.check_start("tomoasdpocs num-iterations=3 tv-iterations=3 tv-step=0.05", method)

    def test_stops(self):
        self.check_stops("tomoasdpocs tv-iterations=3 tv-step=0.02", 0.1)

    def test_streams(self):
        self.check_streams("tomoasdpocs tv-iterations=3 tv-step=0.02")


if __name__ == "__main__":
    main()
