# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomoordfilt against sorted pixels under the pattern."""

from tomotest import *
from elementtest import ElementTestCase

INPUTS = "SRC0 ! o.images  SRC1 ! o.patterns"
LINE = f"tomoordfilt name=o  {INPUTS}  o. ! SINK"


def ordfilt(plane, pattern):
    h, w = pattern.shape
    box = np.pad(np.asarray(plane, np.float64), ((h // 2, h - 1 - h // 2), (w // 2, w - 1 - w // 2)), "symmetric")
    values = np.lib.stride_tricks.sliding_window_view(box, (h, w))[..., pattern != 0]
    missing = np.isnan(values).any(axis=-1)
    values = np.sort(values, axis=-1)
    low, high = (values[..., max(0, int(values.shape[-1] * share - 1))] for share in (0.25, 0.5))
    return np.where(missing, np.nan, (low + high) / 2 * (1 - (high - low)))


def pattern(shape, share=0.4, dtype=np.float32):
    while True:
        p = (rng.random(shape) < share).astype(dtype)
        if p.any():
            return p


class Ordfilt(ElementTestCase):
    def test_properties(self):
        self.check_properties("tomoordfilt", {})

    def test_every_format(self):
        for name, other in zip(REAL, REAL[1:] + REAL[:1]):
            with self.subTest(format=name):
                a, p = rng.uniform(0, 100, (9, 11)).astype(FORMATS[name]), pattern((5, 3), dtype=FORMATS[other])
                self.assert_close(run(LINE, [a], [p])[0], ordfilt(a, p), 1e-5)

    def test_shapes(self):
        for shape in (1, 1), (1, 13), (17, 1), (31, 37):
            for pattern_shape in (1, 1), (2, 4), (5, 3), (20, 41):
                for share in 0.05, 1.0:
                    with self.subTest(shape=shape, pattern=pattern_shape, share=share):
                        a, p = random_array(np.float32, shape), pattern(pattern_shape, share)
                        self.assert_close(run(LINE, [a], [p])[0], ordfilt(a, p), 1e-5)

    def test_patterns_change_and_stay(self):
        a, p = [random_array(np.float32, (2, 9, 7)) for _ in range(4)], [pattern((3, 5)) for _ in range(2)]
        for result, image, q in zip(run(LINE, a, p), a, [p[0], p[1], p[1], p[1]], strict=True):
            for plane, wanted in zip(result, image):
                self.assert_close(plane, ordfilt(wanted, q), 1e-5)

    def test_nan(self):
        a, p = random_array(np.float32, (9, 7)), pattern((3, 5))
        a[4, 3] = np.nan
        (result,) = run(LINE, [a], [p])
        wanted = ordfilt(a, p)
        np.testing.assert_array_equal(np.isnan(result), np.isnan(wanted))
        finite = ~np.isnan(wanted)
        self.assert_close(result[finite], wanted[finite], 1e-5)

    def test_a_ring_answers_at_its_centre(self):
        y, x = np.indices((41, 41))
        image = (abs(np.hypot(x - 23, y - 17) - 6) < 1.5).astype(np.float32)
        image += rng.uniform(0, 0.01, image.shape).astype(np.float32)
        line = f"tomoordfilt name=o  SRC0 ! o.images  tomoringpattern width=17 height=17 ring-start=6 ring-end=6 " \
               f"ring-thickness=2 ! tomopad x=8 y=8 width=17 height=17 addressing-mode=repeat ! o.patterns  o. ! SINK"
        (result,) = run(line, [image])
        self.assertGreater(result[17, 23], 0.9)
        self.assertLess(np.hypot(*(np.argwhere(result > 0.9) - (17, 23)).T).max(), 2)

    def test_memory_and_states(self):
        a, p = [random_array(np.float32, (5, 7)) for _ in range(2)], [pattern((3, 5)) for _ in range(2)]
        wanted = [ordfilt(*pair) for pair in zip(a, p)]
        self.check_memory(f"{INPUTS} tomoordfilt name=o", a, p, reference=wanted, tolerance=1e-5)
        self.check_state_cycles(LINE, a, p, reference=wanted, tolerance=1e-5)

    def test_errors(self):
        a = random_array(np.float32, (5, 7))
        self.assert_fails(["0 everywhere"], LINE, [a], [np.zeros((3, 3), np.float32)])
        self.assert_fails(["2 planes"], LINE, [a], [np.ones((2, 3, 3), np.float32)])


if __name__ == "__main__":
    main()
