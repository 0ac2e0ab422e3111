# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomoinpaint against direct solutions of scipy, in float64."""

import scipy.sparse
import scipy.sparse.linalg

from tomotest import *
from elementtest import ElementTestCase, Stream

INPUTS = "SRC0 ! i.images  SRC1 ! i.masks"
MASKED = f"tomoinpaint name=i  {INPUTS}  i. ! SINK"
GUIDED = f"tomoinpaint name=i  {INPUTS}  SRC2 ! i.guidance  i. ! SINK"
ALONE = "tomoinpaint name=i  SRC0 ! i.images  i. ! SINK"


def filled(image, mask=None, guidance=None):
    """Each filled pixel: the sum of its differences to its neighbours is that of the guidance."""
    if np.ndim(image) == 3:
        def plane(a, z):
            return a if a is None or a.ndim == 2 else a[z]
        return np.stack([filled(p, plane(mask, z), plane(guidance, z)) for z, p in enumerate(image)])
    image = np.asarray(image, np.float64)
    bad = ~np.isfinite(image) | (False if mask is None else np.asarray(mask) != 0)
    if bad.all():
        return np.full(image.shape, np.nan)
    if not bad.any():
        return image
    guide = np.zeros(image.shape) if guidance is None else np.asarray(guidance, np.float64)
    index = np.cumsum(bad).reshape(bad.shape) - 1
    rows, columns, values, right = [], [], [], np.zeros(bad.sum())
    height, width = image.shape
    for y, x in np.argwhere(bad):
        i = index[y, x]
        for ny, nx in ((y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)):
            if 0 <= ny < height and 0 <= nx < width:
                rows, columns, values = rows + [i], columns + [i], values + [1.0]
                right[i] += guide[y, x] - guide[ny, nx]
                if bad[ny, nx]:
                    rows, columns, values = rows + [i], columns + [index[ny, nx]], values + [-1.0]
                else:
                    right[i] += image[ny, nx]
    matrix = scipy.sparse.coo_matrix((values, (rows, columns))).tocsc()
    result = image.copy()
    result[bad] = scipy.sparse.linalg.spsolve(matrix, right)
    return result


def shapes_of_gaps():
    yield "scattered", rng.random((37, 41)) < 0.3
    yield "almost all", rng.random((53, 31)) < 0.97
    yield "all but one", np.arange(31 * 23).reshape(31, 23) != 400
    square = np.zeros((71, 67), bool)
    square[5:66, 8:60] = True
    yield "square", square
    edges = np.zeros((40, 61), bool)
    edges[:, :17] = edges[31:] = True
    yield "edges", edges
    comb = np.zeros((64, 64), bool)
    comb[::2] = comb[:, ::7] = True
    yield "comb", comb
    y, x = np.mgrid[:90, :70]
    yield "spots", np.any([np.hypot(y - rng.uniform(0, 90), x - rng.uniform(0, 70)) < rng.uniform(1, 9)
                           for _ in range(12)], axis=0)
    yield "ring", abs(np.hypot(y - 45, x - 30) - 25) < 3
    yield "one column", (np.arange(29) % 4 != 0).reshape(29, 1)
    yield "one row", (np.arange(30) > 3).reshape(1, 30)
    yield "nothing", np.zeros((3, 4), bool)


class Inpaint(ElementTestCase):
    def check(self, result, wanted, image, tolerance=1e-5):
        """Relative to the range of the image; other pixels are the same."""
        self.assert_close(result, wanted, tolerance, size=np.full(np.shape(wanted), np.ptp(image[np.isfinite(image)])))

    def test_properties(self):
        self.check_properties("tomoinpaint", {})

    def test_gaps(self):
        for name, bad in shapes_of_gaps():
            with self.subTest(gaps=name):
                image = random_array(np.float32, bad.shape)
                (result,) = run(MASKED, [image], [bad.astype(np.float32)])
                self.check(result, filled(image, bad), image)
                np.testing.assert_array_equal(result[~bad], image[~bad])

    def test_large_offsets(self):
        """Rounding goes by differences, not by values."""
        bad = rng.random((40, 50)) < 0.6
        image = (30000 + rng.integers(0, 100, bad.shape)).astype(np.uint16)
        (result,) = run(MASKED, [image], [bad.astype(np.uint8)])
        self.check(result, filled(image, bad), image.astype(float), 6e-5)

    def test_planes_are_flat(self):
        """A slope goes on through a gap exactly."""
        y, x = np.mgrid[:60, :50]
        image, bad = (3.0 * x - 2.0 * y).astype(np.float32), np.hypot(y - 30, x - 25) < 20
        (result,) = run(MASKED, [image], [bad.astype(np.float32)])
        np.testing.assert_allclose(result, image, atol=2e-4)

    def test_quiet_images_first(self):
        """The number of steps does not go by the first image."""
        bad = np.zeros((71, 67), bool)
        bad[5:66, 8:60] = True
        images = [np.full(bad.shape, 3, np.float32), random_array(np.float32, bad.shape)]
        for result, image in zip(run(MASKED, images, [bad.astype(np.float32)]), images, strict=True):
            self.check(result, filled(image, bad), images[1])

    def test_guidance(self):
        bad = rng.random((31, 37)) < 0.7
        image, guide = random_array(np.float32, bad.shape), random_array(np.float32, bad.shape)
        (result,) = run(GUIDED, [image], [bad.astype(np.float32)], [guide])
        self.check(result, filled(image, bad, guide), image)
        # One that differs by a constant is the gap's contents.
        (result,) = run(GUIDED, [image], [bad.astype(np.float32)], [image + 7])
        np.testing.assert_allclose(result, image, atol=1e-5)

    def test_every_format(self):
        for name, other in zip(REAL, REAL[1:] + REAL[:1]):
            with self.subTest(format=name):
                image, bad = random_array(FORMATS[name], (13, 17)), rng.random((13, 17)) < 0.4
                guide = random_array(np.int16, (13, 17))
                wanted = filled(image, bad, guide)
                (result,) = run(GUIDED, [image], [bad.astype(FORMATS[other])], [guide])
                self.check(result, wanted, wanted, 1e-5)

    def test_without_a_mask(self):
        image = random_array(np.float32, (3, 19, 23))
        image[rng.random(image.shape) < 0.3] = np.nan
        image[1, 4, 4:9] = np.inf
        (result,) = run(ALONE, [image])
        self.check(result, filled(image), image)
        (result,) = run("tomoinpaint", [image[0]])  # linked without names
        self.check(result, filled(image[0]), image[0])

    def test_not_finite_beside_the_mask(self):
        image, bad = random_array(np.float32, (2, 19, 23)), rng.random((19, 23)) < 0.3
        image[0, 5, 6:10] = np.nan
        (result,) = run(MASKED, [image], [bad.astype(np.float32)])
        self.check(result, filled(image, bad), image)

    def test_stacks_and_masks_that_stay(self):
        images, bad = [random_array(np.float32, (3, 21, 18)) for _ in range(3)], rng.random((21, 18)) < 0.4
        for result, image in zip(run(MASKED, images, [bad.astype(np.float32)]), images, strict=True):
            self.check(result, filled(image, bad), image)
        several = rng.random((3, 21, 18)) < 0.4
        self.check(run(MASKED, images[:1], [several.astype(np.uint8)])[0], filled(images[0], several), images[0])
        guide = random_array(np.float32, (21, 18))
        self.check(run(GUIDED, images[:1], [several.astype(np.uint8)], [guide])[0], filled(images[0], several, guide), images[0])
        self.check(run(GUIDED, images[:1], [bad.astype(np.uint8)], [images[1]])[0], filled(images[0], bad, images[1]), images[0])

    def test_masks_that_change(self):
        with Stream(MASKED, inputs=2) as stream:
            for dtype, shape, share in ((np.uint8, (9, 11), 0.5), (np.uint8, (9, 11), 0.0), (np.uint8, (9, 11), 0.7),
                                        (np.float32, (9, 11), 0.3), (np.float32, (7, 30), 0.3), (np.uint16, (7, 30), 0.3)):
                image, bad = random_array(dtype, shape), rng.random(shape) < share
                stream.push(image, 0)
                stream.push(bad.astype(np.float32), 1)
                self.check(stream.pull(), filled(image, bad), image.astype(float))

    def test_large_spots(self):
        """The masks of tomofindlargespots, and tofu's chain."""
        y, x = np.mgrid[:64, :80]
        clean = (100 + 0.2 * x - 0.1 * y).astype(np.float32)
        image = clean + 0.01 * random_array(np.float32, clean.shape)
        for cy, cx, r in ((20, 30, 4.5), (44, 60, 7.2), (1, 70, 3.3)):
            image[np.hypot(y - cy, x - cx) < r] += 40
        (result,) = run("tomoinpaint name=i  SRC0 ! tee name=t ! queue ! i.images  t. ! queue ! tomofindlargespots "
                        "spot-threshold=130 spot-threshold-mode=above grow-threshold=5 ! i.masks  i. ! SINK", [image])
        self.assertLess(np.abs(result - clean).max(), 0.3)

    def test_nothing_to_start_from(self):
        image, bad = random_array(np.float32, (3, 5, 6)), np.zeros((3, 5, 6), np.float32)
        bad[1], bad[2, 2, 2:5] = 1, 1
        with Stream(MASKED, inputs=2) as stream:
            for _ in range(2):
                stream.push(image, 0)
                stream.push(bad, 1)
                result = stream.pull()
                self.assertTrue(np.isnan(result[1]).all())
                wanted = filled(image, bad)
                self.check(result[[0, 2]], wanted[[0, 2]], image)
            stream.end()
            stream.finish()
            self.assertEqual(sum(m.type == Gst.MessageType.WARNING for m in stream.messages), 1)
        (result,) = run(MASKED, [image], [np.ones((5, 6), np.float32)])
        self.assertTrue(np.isnan(result).all())

    def test_memory_and_states(self):
        images, bad = [random_array(np.float32, (9, 8)) for _ in range(2)], [rng.random((9, 8)) < 0.4 for _ in range(2)]
        wanted, masks = [filled(*pair) for pair in zip(images, bad)], [b.astype(np.float32) for b in bad]
        self.check_memory(f"{INPUTS} tomoinpaint name=i", images, masks, reference=wanted, tolerance=1e-5)
        self.check_state_cycles(MASKED, images, masks, reference=wanted, tolerance=1e-5)

    def test_errors(self):
        image = random_array(np.float32, (5, 7))
        self.assert_fails(["masks are 6 x 5", "7 x 5"], MASKED, [image], [np.zeros((5, 6), np.float32)])
        self.assert_fails(["guidance are 7 x 4", "7 x 5"], GUIDED, [image], [image], [np.zeros((4, 7), np.float32)])


if __name__ == "__main__":
    main()
