# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomocontrast against its histogram in numpy."""

from tomotest import *
from filtertest import *


def contrast(plane, remove_high=False):
    plane = np.asarray(plane, np.float32).astype(np.float64)
    finite = plane[np.isfinite(plane)]
    bins = int(np.sqrt(plane.size))
    black = high = finite.max() if finite.size else np.nan
    if bins > 1 and finite.size and finite.min() < high:
        step = (high - finite.min()) / (bins - 1)
        histogram = np.bincount(np.floor((finite - finite.min()) / step + 0.5).astype(int), minlength=bins)
        black = finite.min() + (1 + histogram[1 : bins - 1].argmax() if bins > 3 else 1) * step
    white = high - (high - black) / 2 if remove_high else high
    with np.errstate(all="ignore"):
        result = ((plane - black) / (white - black)) ** 0.3
    result = np.where(plane <= black, 0, result)
    result = np.where(plane >= white, 0 if remove_high else 1, result)
    return np.where(np.isnan(plane), np.nan, result)


def image(dtype, shape):
    """With a background that most pixels have."""
    return np.where(rng.random(shape) < 0.7, rng.normal(40, 2, shape), rng.uniform(10, 100, shape)).astype(dtype)


class Contrast(FilterTestCase):
    def test_properties(self):
        self.check_properties("tomocontrast", {"remove-high": False})

    # Values just above black rise steeply, and rounding errors with them.
    def test_filter(self):
        self.check_filter("tomocontrast", contrast, 1e-4, make=image)

    def test_remove_high(self):
        self.check("tomocontrast remove-high=true", [image(np.float32, shape) for shape in SHAPES],
                   lambda p: contrast(p, True), 1e-4)

    def test_the_background_becomes_black(self):
        a = image(np.float32, (203, 211))
        (result,) = run("tomocontrast", [a])
        self.assert_close(result, contrast(a), 1e-5)
        self.assertGreater(np.mean(result == 0), 0.3)
        self.assertEqual(result.max(), 1)

    def test_constants_nan_and_infinity(self):
        a = image(np.float32, (31, 37))
        a[3, 4], a[5, 6], a[7, 8] = np.nan, np.inf, -np.inf
        for high in False, True:
            self.check(f"tomocontrast remove-high={high}", [a, np.full((5, 7), 2.5, np.float32),
                                                            np.full((5, 7), np.nan, np.float32)],
                       lambda p: contrast(p, high), 1e-4)


if __name__ == "__main__":
    main()
