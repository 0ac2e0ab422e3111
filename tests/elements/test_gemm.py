# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomogemm against numpy's products in float64."""

from tomotest import *
from elementtest import ElementTestCase, Stream

LARGEST = float(np.finfo(np.float32).max)


def line(inputs, options=""):
    return f"tomogemm name=g {options} " + " ".join(f"SRC{i} ! g.sink_{i}" for i in range(inputs)) + "  g. ! SINK"


def reference(a, b, c=None, alpha=1.0, beta=0.0):
    product = alpha * (a.astype(np.float64) @ b.astype(np.float64))
    return product if beta == 0 else product + beta * c.astype(np.float64)


class Gemm(ElementTestCase):
    def assert_product(self, result, a, b, c=None, alpha=1.0, beta=0.0, tolerance=1e-6):
        magnitudes = (None if m is None else np.abs(m.astype(np.float64)) for m in (a, b, c))
        size = reference(*magnitudes, abs(alpha), abs(beta))
        self.assert_close(result, reference(a, b, c, alpha, beta), tolerance, size=size)

    def test_properties(self):
        self.check_properties("tomogemm", {"alpha": (1.0, -LARGEST, LARGEST), "beta": (0.0, -LARGEST, LARGEST)})

    def test_shapes(self):
        for m, k, n in ((1, 1, 1), (1, 31, 1), (13, 1, 17), (64, 32, 64), (67, 101, 131), (129, 257, 63)):
            a, b, c = (random_array(np.float32, s) for s in ((m, k), (k, n), (m, n)))
            with self.subTest(m=m, k=k, n=n):
                (result,) = run(line(2), [a], [b])
                self.assertEqual(result.dtype, np.float32)
                self.assert_product(result, a, b)
                (result,) = run(line(3, "alpha=-0.5 beta=2"), [a], [b], [c])
                self.assert_product(result, a, b, c, -0.5, 2.0)

    def test_every_format(self):
        for name, dtype in FORMATS.items():
            if name in ("float32", "complex64"):
                continue
            a, b = random_array(dtype, (5, 7)), random_array(np.float32, (7, 3))
            with self.subTest(format=name):
                (result,) = run(line(2), [a], [b])
                self.assert_product(result, a, b)

    def test_long_sums_keep_their_precision(self):
        # Positive, so that partial sums, whose rounding counts, become large.
        a, b = rng.uniform(0, 1, (2, 20011)).astype(np.float32), rng.uniform(0, 1, (20011, 3)).astype(np.float32)
        (result,) = run(line(2), [a], [b])
        self.assert_close(result, reference(a, b), 2e-7)

    def test_planes(self):
        a, b, c = (random_array(np.float32, s) for s in ((3, 5, 7), (7, 4), (3, 5, 4)))
        self.assert_product(run(line(3, "beta=1"), [a], [b], [c])[0], a, b, c, beta=1.0)
        b = random_array(np.float32, (3, 7, 4))
        self.assert_product(run(line(2), [a[0]], [b])[0], a[0], b)

    def test_nan_and_infinity(self):
        a, b, c = (random_array(np.float32, s) for s in ((5, 7), (7, 4), (5, 4)))
        a[1, 2], b[3, 3], c[0, 0] = np.nan, np.inf, np.nan
        with np.errstate(invalid="ignore"):
            product = reference(a, b)
        (result,) = run(line(3), [a], [b], [c])  # C is not read
        np.testing.assert_array_equal(np.isnan(result), np.isnan(product))
        np.testing.assert_array_equal(result[np.isinf(product)], product[np.isinf(product)])
        (result,) = run(line(3, "beta=1"), [a], [b], [c])
        self.assertTrue(np.isnan(result[0, 0]))

    def test_memory_and_state_cycles(self):
        inputs = [[random_array(np.float32, s) for _ in range(n)] for s, n in (((3, 5), 3), ((5, 4), 1))]
        wanted = [reference(a, inputs[1][0]) for a in inputs[0]]
        places = "tomogemm name=g  SRC1 ! g.sink_1  SRC0 ! g.sink_0  g."
        self.check_memory(places, *inputs, reference=wanted, tolerance=1e-6)
        self.check_state_cycles(line(2), *inputs, reference=wanted, tolerance=1e-6)

    def test_errors(self):
        a, b, c = (random_array(np.float32, s) for s in ((5, 7), (6, 4), (5, 4)))
        self.assert_fails(["7 x 5", "4 x 6", "as many columns"], line(2), [a], [b])
        self.assert_fails(["5 x 7", "rows"], line(3), [a], [random_array(np.float32, (7, 4))], [a.T.copy()])
        self.assert_fails(["beta=2", "sink_2"], line(2, "beta=2"), [a], [random_array(np.float32, (7, 4))])
        self.assert_fails(["1 inputs"], line(1), [a])


if __name__ == "__main__":
    main()
