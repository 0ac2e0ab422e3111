# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomointerpolate against its formula in float64."""

from tomotest import *
from elementtest import ElementTestCase, Stream
from padtest import *

TOLERANCE = 1e-6
LINE = "tomointerpolate name=i {}  SRC0 ! i.sink_0  SRC1 ! i.sink_1  i."


def between(a, b, n):
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    return [a if n == 1 else a + (b - a) * i / (n - 1) for i in range(n)]


class Interpolate(ElementTestCase):
    def check(self, n, a, b):
        results = run(LINE.format(f"number={n}"), a, b)
        last = max(len(a), len(b))
        pairs = [(a[min(i, len(a) - 1)], b[min(i, len(b) - 1)]) for i in range(last)]
        wanted = [w for p in pairs for w in between(*p, n)]
        sizes = [s for p in pairs for s in between(*(np.abs(np.float64(i)) for i in p), n)]
        for result, values, size in zip(results, wanted, sizes, strict=True):
            self.assertEqual(result.dtype, np.float32)
            self.assert_close(result, values, TOLERANCE, size=size)

    def test_properties(self):
        self.check_properties("tomointerpolate", {"number": (1, 1, 2**32 - 1)})

    def test_every_format(self):
        for name, other in zip(REAL, REAL[3:] + REAL[:3]):
            with self.subTest(formats=(name, other)):
                self.check(3, [random_array(FORMATS[name], (5, 4))], [random_array(FORMATS[other], (5, 4))])

    def test_numbers(self):
        for n in 1, 2, 3, 10:
            for shape in (1, 1), (31, 37), (2, 3, 5):
                self.check(n, [random_array(np.float32, shape)], [random_array(np.float32, shape)])

    def test_every_pair(self):
        a, b = ([random_array(np.float32, (3, 4)) for _ in range(n)] for n in (1, 3))
        self.check(4, a, b)
        self.check(4, b, a)

    def test_the_ends_are_the_inputs(self):
        a, b = random_array(np.float32, (3, 4)), random_array(np.float32, (3, 4))
        a[0, 0], b[1, 1], a[2, 2] = np.nan, np.nan, np.inf
        first, middle, last = run(LINE.format("number=3"), [a], [b])
        np.testing.assert_array_equal(first, a)
        np.testing.assert_array_equal(last, b)
        np.testing.assert_array_equal(np.isnan(middle), np.isnan(a + b))

    def test_errors(self):
        self.assert_fails(["sink_0", "sink_1", "same size"], LINE.format(""), [random_array(np.float32, (3, 4))],
                          [random_array(np.float32, (3, 5))])

    def test_memory_and_states(self):
        a, b = random_array(np.float32, (4, 6)), random_array(np.float32, (4, 6))
        wanted = between(a, b, 3)
        self.check_memory(LINE.format("number=3"), [a], [b], reference=wanted, tolerance=TOLERANCE)
        self.check_state_cycles(LINE.format("number=3"), [a] * 2, [b] * 2, reference=wanted * 2, tolerance=TOLERANCE)

    def test_time_and_number(self):
        a = [random_array(np.float32, (2, 3)) for _ in range(2)]
        samples = run(LINE.format("number=4"), a, a, samples=True, framerate=10)
        self.assertEqual([s.get_buffer().pts for s in samples], [i * Gst.SECOND // 40 for i in range(8)])
        self.assertEqual([s.get_buffer().offset for s in samples], list(range(8)))

    def test_many_can_be_stopped(self):
        with Stream(LINE.format("number=4294967295"), inputs=2) as stream:
            for i in range(2):
                stream.push(random_array(np.float32, (2, 3)), i)
            stream.pull()


if __name__ == "__main__":
    main()
