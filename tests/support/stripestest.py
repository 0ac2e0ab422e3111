# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the elements tomoremovestripes... have in common: sinograms with stripes, and what all of them keep to."""

import stripes
import tomoref
from filtertest import *
from tomotest import *

BATCH = {"batch": (0, 0, 1024)}
SNR = 3.0, 0.1, 1e6
SIZES = (1, 1), (1, 13), (17, 1), (2, 3), (31, 37), (101, 97)


def ring_energy(sinogram, clean):
    """Of what all views have in common, in absorption."""
    return np.square(np.log(sinogram / clean).mean(axis=0)).sum()


def striped(views=160, columns=401):
    """A phantom's transmission with 1 % noise, and the same with full, partial, wide, and fluctuating stripes."""
    attenuation = tomoref.line_integrals(tomoref.shepp_logan(0.4 * columns, 3.0 / columns), tomoref.angles_of_scan(views),
                                         columns, columns / 2 + 3.3)
    clean = np.exp(-attenuation) * (1 + 0.01 * rng.standard_normal((views, columns)))
    response = np.ones((views, columns))
    thin = rng.permutation(np.arange(10, columns - 10))[:10]
    response[:, thin[:6]] *= 1 + 0.05 * rng.choice([-1, 1], 6)
    response[views // 3 : 2 * views // 3, thin[6:]] *= 1.08
    response[:, columns // 3 : columns // 3 + 4] *= 1.15
    response[:, 2 * columns // 3] *= 1 + 0.3 * rng.uniform(-1, 1, views)
    return clean.astype(np.float32), (clean * response).astype(np.float32)


class StripesTestCase(FilterTestCase):
    def check_stripes(self, line, reference, less_by, settled=None):
        """Against reference() for all sizes, types and planes; `less_by`: how much less of the rings it leaves at least."""
        noise = lambda shape: (1 + 0.1 * rng.standard_normal(shape)).astype(np.float32)
        clean, rings = striped()
        self.check(line, [noise(shape) for shape in SIZES], reference, 1e-4, settled=settled)
        self.check(line, [rings], reference, 1e-4, settled=settled)
        self.check(line, [np.stack([rings, clean, rings[::-1]])], reference, 1e-4, settled=settled)
        self.check(line, [rng.integers(100, 60000, (31, 37)).astype(np.uint16)], reference, 1e-4, settled=settled)
        left = ring_energy(run(line, [rings])[0], clean)
        self.assertLess(left * less_by, ring_energy(rings, clean))
        for value in (0.0, 0.75):
            constant = np.full((31, 37), value, np.float32)
            np.testing.assert_allclose(run(line, [constant])[0], constant, 1e-6)

    def check_batches(self, line, reference, settled=None):
        """Several arrays at once are what each of them is alone."""
        arrays = [(1 + 0.1 * rng.standard_normal((31, 37))).astype(np.float32) for _ in range(5)]
        for batch in (1, 2, 5):
            self.check(f"{line} batch={batch}", arrays, reference, 1e-4, settled=settled)

    def check_nan(self, line, reference, settled=None):
        """One value, a column, a view."""
        holes = (1 + 0.1 * rng.standard_normal((31, 37))).astype(np.float32)
        holes[3, 5] = holes[:, 20] = np.nan
        infinite = (1 + 0.1 * rng.standard_normal((31, 37))).astype(np.float32)
        infinite[7, 9] = np.inf
        view = (1 + 0.1 * rng.standard_normal((31, 37))).astype(np.float32)
        view[11] = np.nan
        self.check(line, [holes, infinite, view, np.full((5, 7), np.nan, np.float32)], reference, 1e-4, settled=settled)
