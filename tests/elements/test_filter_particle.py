# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomofilterparticle against scipy's labels."""

import scipy.ndimage

from tomotest import *
from elementtest import ElementTestCase, Stream
from ringlists import rings_of


def particles(image, least=0.125, threshold=0.8, radius=None):
    image = np.asarray(image, np.float64)
    most = np.nanmax(image, initial=-np.inf)
    if not most >= least:
        return np.zeros((0, 5))
    bright = np.nan_to_num(image, nan=-np.inf) > np.float32(threshold) * most
    padded = np.pad(bright, 1)
    bright &= padded[:-2, 1:-1] | padded[2:, 1:-1] | padded[1:-1, :-2] | padded[1:-1, 2:]
    labels, count = scipy.ndimage.label(bright, np.ones((3, 3)))
    result = []
    for k in range(1, count + 1):
        y, x = np.nonzero(labels == k)
        v = image[y, x]
        cx, cy = (x * v).sum() / v.sum(), (y * v).sum() / v.sum()
        result.append((cx, cy, np.sqrt(len(v) / np.pi) if radius is None else radius, v.max() / most,
                       image[int(np.floor(cy + 0.5)), int(np.floor(cx + 0.5))]))
    return np.reshape(result, (-1, 5))


class FilterParticle(ElementTestCase):
    def check(self, result, wanted):
        rings = rings_of(result)
        self.assertEqual(rings.shape, wanted.shape, f"(seed {SEED})")
        np.testing.assert_allclose(rings, wanted, rtol=1e-5, atol=1e-4, err_msg=f"(seed {SEED})")

    def test_properties(self):
        self.check_properties("tomofilterparticle", {"min": (0.125, 0.0, 1.0), "threshold": (0.8, 0.0, 1.0),
                                                     "radius": (0.0, 0.0, float(np.finfo(np.float32).max))})

    def test_regions(self):
        for shape in ((1, 1), (1, 9), (11, 1), (31, 37), (64, 50)):
            for threshold in (0.0, 0.5, 0.8, 1.0):
                with self.subTest(shape=shape, threshold=threshold):
                    image = scipy.ndimage.gaussian_filter(rng.random(shape), 0.7).astype(np.float32)
                    (result,) = run(f"tomofilterparticle min=0.01 threshold={threshold}", [image])
                    self.check(result, particles(image, 0.01, threshold))

    def test_every_format(self):
        for name in REAL:
            with self.subTest(format=name):
                image = (100 * scipy.ndimage.gaussian_filter(rng.random((20, 30)), 1)).astype(FORMATS[name])
                (result,) = run("tomofilterparticle threshold=0.7", [image])
                self.check(result, particles(image, threshold=0.7))

    def test_places(self):
        """In pixels from the centre of the first one; single pixels do not count, and corners touch."""
        image = np.zeros((9, 12), np.float32)
        image[2, 3:6] = 1
        image[3:5, 6] = 1
        image[7, 9] = 1
        (result,) = run("tomofilterparticle radius=4.5", [image])
        np.testing.assert_allclose(rings_of(result), [(4.8, 2.6, 4.5, 1, 0)], atol=1e-6)

    def test_dim_images_and_nan(self):
        image = np.full((5, 6), 0.1, np.float32)
        self.check(run("tomofilterparticle", [image])[0], np.zeros((0, 5)))
        for bad in (np.nan, -np.inf):
            image = rng.random((9, 9)).astype(np.float32)
            image[3, 3] = image[4, 7] = bad
            self.check(run("tomofilterparticle threshold=0.4", [image])[0], particles(image, threshold=0.4))
        self.check(run("tomofilterparticle", [np.full((3, 3), np.nan, np.float32)])[0], np.zeros((0, 5)))

    def test_radii_of_patterns(self):
        """The chain that finds rings: their centres, and the radius of the pattern that the source tells."""
        y, x = np.mgrid[:96, :96]
        image = np.zeros((96, 96), np.float32)
        for cx, cy, r in ((30, 40, 9), (70, 62, 13)):
            image += np.exp(-((np.hypot(x - cx, y - cy) - r) / 1.0) ** 2)
        results = run("SRC0 ! tomofft dimensions=2 ! m.sink_1  tomoringpattern width=96 height=96 ring-start=9 ring-end=13 "
                      "ring-step=4 ring-thickness=3 ! tomofft dimensions=2 ! m.sink_0  tomofftmult name=m ! "
                      "tomoifft dimensions=2 ! tomofilterparticle threshold=0.7 ! SINK", [image])
        found = [rings_of(r) for r in results]
        self.assertEqual([list(f[:, 2]) for f in found], [[9.0], [13.0]])
        for f, (cx, cy) in zip(found, ((30, 40), (70, 62))):
            self.assertLess(np.hypot(*(f[0, :2] - (cx, cy))), 0.5)

    def test_streams(self):
        images = [scipy.ndimage.gaussian_filter(rng.random((17, 19)), 1).astype(np.float32) for _ in range(4)]
        for result, image in zip(run("tomofilterparticle", images), images, strict=True):
            self.check(result, particles(image))
        (result,) = run("tomoupload ! tomofilterparticle", images[:1])
        self.check(result, particles(images[0]))
        self.check_state_cycles("tomofilterparticle", images[:1], reference=run("tomofilterparticle", images[:1]), tolerance=0)

    def test_errors(self):
        self.assert_fails(["single images", "tomoslice"], "tomofilterparticle", [random_array(np.float32, (2, 3, 4))])


if __name__ == "__main__":
    main()
