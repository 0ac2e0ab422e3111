# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomofindshift against least squares in float64, and displacements that are known."""

from tomotest import *
from elementtest import ElementTestCase

LINE = "tomofindshift name=f {} SRC0 ! {} f.images  SRC1 ! f.models  f. ! SINK"


def reference(image, model, margin=0):
    image, model = (a.astype(np.float64) for a in (image, model))
    slopes = [(np.roll(model, -1, axis) - np.roll(model, 1, axis)) / 2 if model.shape[axis] > 2 else np.zeros_like(model)
              for axis in (1, 0)]
    inside = tuple(slice(max(margin, 1), -max(margin, 1)) if n > 2 else slice(None) for n in image.shape)
    values = np.stack([a[inside].ravel() for a in (*slopes, model, np.ones_like(model))], axis=1)
    values, image = values, image[inside].ravel()
    good = np.isfinite(values).all(1) & np.isfinite(image)
    x, y, factor, _ = np.linalg.lstsq(values[good], image[good], rcond=None)[0]
    return np.array([-x, -y]) / factor if factor > 0 else np.zeros(2)


def smooth(shape, x=0.0, y=0.0):
    """Blobs that are displaced."""
    rows, columns = np.mgrid[:shape[0], :shape[1]]
    return sum(h * np.exp(-((columns - x - c * shape[1]) ** 2 + (rows - y - r * shape[0]) ** 2) / (2 * s * s))
               for c, r, s, h in ((0.4, 0.5, 6, 1), (0.6, 0.4, 5, 2), (0.5, 0.6, 4, -1)))


class FindShift(ElementTestCase):
    def found(self, images, models, properties="", memory=""):
        return np.array(run(LINE.format(properties, memory), images, models))

    def test_properties(self):
        self.check_properties("tomofindshift", {"margin": (0, 0, 2**32 - 1)})

    def test_least_squares(self):
        for shape, margin in (((61, 83), 0), ((37, 52), 5), ((1, 90), 0), ((71, 1), 3), ((2, 40), 1)):
            images, models = (rng.normal(size=(3, *shape)).cumsum(1).cumsum(2).astype(np.float32) for _ in range(2))
            images += 3 * models + 1
            for memory in ("", "tomoupload !"):
                with self.subTest(shape=shape, margin=margin, memory=memory):
                    found = self.found(images, models, f"margin={margin}", memory)
                    self.assertEqual(found.shape, (3, 1, 2))
                    for numbers, image, model in zip(found[:, 0], images, models, strict=True):
                        wanted = reference(image, model, margin)
                        self.assertLess(np.abs(numbers - wanted).max(), 1e-3 * (1 + np.abs(wanted).max()))

    def test_displacements(self):
        """Small ones are found at once, with another factor and offset; planes are images."""
        places = rng.uniform(-0.3, 0.3, (4, 2))
        models = np.array([smooth((70, 90))] * 4).astype(np.float32)
        images = np.array([1.7 * smooth((70, 90), x, y) - 0.4 for x, y in places]).astype(np.float32)
        self.assertLess(np.abs(self.found(images, models)[:, 0] - places).max(), 0.02)
        (stack,) = run(LINE.format("", "tomostack number=4 !").replace("SRC1 !", "SRC1 ! tomostack number=4 !"), images, models)
        self.assertLess(np.abs(stack.reshape(4, 2) - places).max(), 0.02)

    def test_nothing_to_see(self):
        models = np.zeros((2, 20, 30), np.float32)
        models[1] = np.arange(30)
        found = self.found(models + [[[1]], [[0.5]]], models)[:, 0]
        self.assertEqual(found[0].tolist(), [0, 0])
        self.assertEqual(found[1, 1], 0)  # no slope along columns
        self.assertEqual(self.found([-smooth((40, 50))], [smooth((40, 50))]).tolist(), [[[0, 0]]])  # not like the model
        image = smooth((40, 50), 0.2, 0.1).astype(np.float32)
        image[20, 30] = np.nan
        model = smooth((40, 50)).astype(np.float32)
        model[15, 12] = np.inf
        self.assertLess(np.abs(self.found([image], [model])[0, 0] - [0.2, 0.1]).max(), 0.02)

    def test_errors(self):
        images = np.ones((1, 20, 30))
        self.assert_fails(["margin=10", "30 x 20"], LINE.format("margin=10", ""), images, images)
        self.assert_fails(["f: "], LINE.format("", ""), images, images[:, :9])


if __name__ == "__main__":
    main()
