# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomocorrelatestacks against sums of squared differences in float64."""

from tomotest import *
from elementtest import ElementTestCase, Stream


TOLERANCE = 1e-6
LINE = "tomocorrelatestacks name=c {}  SRC0 ! c.sink_0  SRC1 ! c.sink_1  c."


def matrix(references, images):
    references = np.asarray(references if references.ndim == 3 else references[None], np.float64)
    return np.array([[((r - np.asarray(i, np.float64)) ** 2).sum() for r in references] for i in images])


class CorrelateStacks(ElementTestCase):
    def check(self, references, images, number=0):
        results = run(LINE.format(f"number={number}"), [references], images)
        number = number or len(images)
        for k, result in enumerate(results):
            self.assertEqual(result.dtype, np.float32)
            self.assert_close(result, matrix(references, images[k * number:(k + 1) * number]), TOLERANCE)
        self.assertEqual(len(results), len(images) // number)

    def test_properties(self):
        self.check_properties("tomocorrelatestacks", {"number": (0, 0, 2**32 - 1)})

    def test_every_format(self):
        for name, other in zip(REAL, REAL[3:] + REAL[:3]):
            with self.subTest(formats=(name, other)):
                self.check(rng.uniform(0, 99, (3, 5, 4)).astype(FORMATS[name]),
                           [rng.uniform(0, 99, (5, 4)).astype(FORMATS[other]) for _ in range(2)])

    def test_shapes(self):
        for n, shape, m in (1, (1, 1), 1), (1, (13, 17), 3), (7, (31, 37), 5), (3, (600, 401), 2), (2, (1, 300), 50):
            self.check(random_array(np.float32, (n, *shape)), [random_array(np.float32, shape) for _ in range(m)])

    def test_devices_without_double_precision(self):
        self.check_kernel_variant("common.h", "TOMO_COMPENSATED", "test_shapes", "test_nan_spoils_its_image")

    def test_numbers(self):
        images = [random_array(np.float32, (3, 4)) for _ in range(6)]
        for number in 1, 2, 3, 6:
            self.check(random_array(np.float32, (4, 3, 4)), images, number)

    def test_like_finds_like(self):
        references = random_array(np.float32, (5, 9, 8))
        (result,) = run(LINE.format(""), [references], list(references))
        self.assertEqual(list(np.diag(result)), [0] * 5)
        self.assertGreater(result[~np.eye(5, dtype=bool)].min(), 0)

    def test_nan_spoils_its_image(self):
        references, images = random_array(np.float32, (3, 4, 5)), [random_array(np.float32, (4, 5)) for _ in range(3)]
        references[1, 0, 0] = images[2][1, 1] = np.nan
        (result,) = run(LINE.format(""), [references], images)
        np.testing.assert_array_equal(np.isnan(result), np.isnan(matrix(references, images)))

    def test_errors(self):
        references = random_array(np.float32, (3, 4, 5))
        self.assert_fails(["sink_1", "of the references' size"], LINE.format(""), [references], [random_array(np.float32, (4, 4))])
        self.assert_fails(["of one plane"], LINE.format(""), [references], [references])
        self.assert_fails(["number=4", "only 3"], LINE.format("number=4"), [references], list(references))

    def test_memory_and_states(self):
        references = random_array(np.float32, (3, 4, 5))
        images = [random_array(np.float32, (4, 5)) for _ in range(2)]
        wanted = [matrix(references, images)]
        self.check_memory(LINE.format(""), [references], images, reference=wanted, tolerance=TOLERANCE)


if __name__ == "__main__":
    main()
