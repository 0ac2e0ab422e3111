# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomodumpring against circles in numpy."""

from tomotest import *
from elementtest import ElementTestCase
from ringlists import check_bad_lists, ring_list

INPUTS = "SRC0 ! d.rings  SRC1 ! d.images"
LINE = f"tomodumpring name=d  {INPUTS}  d. ! SINK"


def drawn(image, rings, scale=1):
    if image.ndim == 3:
        return np.stack([drawn(plane, rings, scale) for plane in image])
    result = np.array(image, np.float64)
    most = np.nanmax(result, initial=-np.inf)
    bright = most + 100 if most > 100 else 2 * most if most > 0 else most + 1 if np.isfinite(most) else 1
    y, x = np.indices(image.shape)
    for cx, cy, r, *_ in np.copysign(np.floor(np.abs(np.float64(np.float32(rings)) * scale) + 0.5), rings):
        d = np.hypot(x - cx, y - cy)
        result[(d >= r - 0.5) & (d < r + 0.5)] = bright
    return result


def rings_in(shape, n):
    return np.column_stack([rng.uniform(-5, shape[-1] + 5, n), rng.uniform(-5, shape[-2] + 5, n), rng.uniform(0, 15, n),
                            rng.random((n, 2))])


class DumpRing(ElementTestCase):
    def check(self, result, wanted):
        np.testing.assert_allclose(result, wanted, rtol=1e-6, err_msg=f"(seed {SEED})")

    def test_properties(self):
        self.check_properties("tomodumpring", {"scale": (1, 1, 2**32 - 1)})

    def test_images(self):
        for shape in ((1, 1), (1, 20), (17, 1), (40, 31), (3, 20, 25)):
            for n in (0, 1, 6):
                for scale in (1, 3):
                    with self.subTest(shape=shape, n=n, scale=scale):
                        image, rings = random_array(np.float32, shape), rings_in(shape, n)
                        (result,) = run(LINE.replace("name=d", f"name=d scale={scale}"), [ring_list(rings, n + 1)], [image])
                        self.check(result, drawn(image, rings, scale))

    def test_circles_are_closed(self):
        """Those of large radius, too."""
        image = np.ones((700, 700), np.float32)
        (result,) = run(LINE, [ring_list([(350, 350, 300, 0, 0)])], [image])
        angles = np.linspace(0, 2 * np.pi, 20000)
        y, x = (350 + np.round(300 * f(angles)).astype(int) for f in (np.sin, np.cos))
        near = np.max([result[y + v, x + u] for v in (-1, 0, 1) for u in (-1, 0, 1)], axis=0)
        self.assertTrue((near == 2).all())

    def test_brightness(self):
        rings = [(2, 2, 1, 0, 0)]
        for image in (np.full((5, 5), 300, np.uint16), np.full((5, 5), 50, np.uint8), np.zeros((5, 5), np.float32),
                      np.full((5, 5), -7, np.int16), np.full((5, 5), np.nan, np.float32)):
            self.check(run(LINE, [ring_list(rings)], [image])[0], drawn(image.astype(float), rings))

    def test_every_format(self):
        for name in REAL:
            with self.subTest(format=name):
                image, rings = (20 * rng.random((9, 9))).astype(FORMATS[name]), rings_in((9, 9), 2)
                self.check(run(LINE, [ring_list(rings)], [image])[0], drawn(image.astype(float), rings))

    def test_lists_that_change(self):
        images = [random_array(np.float32, (20, 20)) for _ in range(4)]
        lists = [rings_in((20, 20), n) for n in (2, 0, 5)]
        results = run(LINE, [ring_list(r) for r in lists], images)
        for result, image, rings in zip(results, images, [*lists, lists[-1]], strict=True):
            self.check(result, drawn(image, rings))

    def test_memory(self):
        images, lists = [random_array(np.float32, (9, 8))], [rings_in((9, 8), 3)]
        self.check_memory(f"{INPUTS} tomodumpring name=d", [ring_list(r) for r in lists], images,
                          reference=[drawn(images[0], lists[0])], tolerance=1e-6)

    def test_errors(self):
        check_bad_lists(self, LINE, [random_array(np.float32, (4, 4))])


if __name__ == "__main__":
    main()
