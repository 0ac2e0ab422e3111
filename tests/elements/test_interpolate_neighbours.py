# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomointerpolateneighbours against its formula in float64."""

from tomotest import *
from elementtest import ElementTestCase, Stream
from padtest import *

TOLERANCE = 1e-6
LINE = "tomointerpolateneighbours fraction={}"


class InterpolateNeighbours(ElementTestCase):
    def check(self, arrays, fraction):
        results = run(LINE.format(fraction), arrays)
        for result, one, other in zip(results, arrays[:-1], arrays[1:], strict=True):
            one, other = one.astype(np.float64), other.astype(np.float64)
            self.assertEqual(result.dtype, np.float32)
            self.assert_close(result, (1 - fraction) * one + fraction * other, TOLERANCE, size=np.abs(one) + np.abs(other))

    def test_properties(self):
        self.check_properties("tomointerpolateneighbours", {"fraction": (0.5, 0.0, 1.0)})

    def test_fractions(self):
        for shape, count in (((31, 37), 2), ((1, 1), 5), ((3, 5, 7), 3), ((1, 13), 4)):
            for fraction in 0.25, 0.5, float(np.random.default_rng(SEED).uniform()):
                self.check([random_array(np.float32, shape) for _ in range(count)], fraction)

    def test_every_format(self):
        for name in REAL:
            with self.subTest(format=name):
                self.check([random_array(FORMATS[name], (5, 4)) for _ in range(3)], 0.75)

    def test_the_ends_are_the_inputs(self):
        a = [random_array(np.float32, (3, 4)) for _ in range(3)]
        a[1][:] = np.nan
        for fraction, wanted in ((0.0, a[:2]), (1.0, a[1:])):
            for result, array in zip(run(LINE.format(fraction), a), wanted, strict=True):
                np.testing.assert_array_equal(result, array)

    def test_one_array(self):
        self.assert_fails(["one array came"], LINE.format(0.5) + " ! SINK", [random_array(np.float32, (2, 3))])

    def test_memory_and_states(self):
        a = [random_array(np.float32, (4, 3)) for _ in range(3)]
        wanted = [np.float32(p / 2 + q / 2) for p, q in zip(a[:-1], a[1:])]
        self.check_memory(LINE.format(0.5), a, reference=wanted, tolerance=TOLERANCE)
        self.check_state_cycles(LINE.format(0.5), a, reference=wanted, tolerance=TOLERANCE)


if __name__ == "__main__":
    main()
