# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomohorizontalinterpolate against numpy, row by row."""

from tomotest import *
from elementtest import ElementTestCase

INPUTS = "SRC0 ! i.images  SRC1 ! i.masks"


def line(properties=""):
    return f"tomohorizontalinterpolate name=i {properties}  {INPUTS}  i. ! SINK"


def filled(image, mask, gradient=True):
    result = np.array(image, np.float64)
    for row, bad in zip(result, np.asarray(mask) != 0):
        good = np.flatnonzero(~bad)
        if len(good) == 0:
            continue
        positions = np.flatnonzero(bad)
        row[positions] = np.interp(positions, good, row[good])
        if gradient and len(good) > 1:
            first, last = good[0], good[-1]
            if good[1] == first + 1:
                row[:first] = row[first] + (row[first] - row[first + 1]) * (first - np.arange(first))
            if good[-2] == last - 1:
                row[last + 1 :] = row[last] + (row[last] - row[last - 1]) * np.arange(1, len(row) - last)
    return result


def mask(shape, share=0.5, dtype=np.float32):
    return (rng.random(shape) < share).astype(dtype)


class HorizontalInterpolate(ElementTestCase):
    def test_properties(self):
        self.check_properties("tomohorizontalinterpolate", {"use-one-sided-gradient": True})

    def test_every_format(self):
        for name, other in zip(REAL, REAL[1:] + REAL[:1]):
            with self.subTest(format=name):
                a, m = random_array(FORMATS[name], (5, 17)), mask((5, 17), dtype=FORMATS[other])
                self.assert_close(run(line(), [a], [m])[0], filled(a, m), 1e-6)

    def test_shapes_and_shares(self):
        for shape in (1, 1), (1, 2), (13, 1), (31, 37):
            for share in 0.1, 0.5, 0.9, 1.0:
                for gradient in False, True:
                    with self.subTest(shape=shape, share=share, gradient=gradient):
                        a, m = random_array(np.float32, shape), mask(shape, share)
                        (result,) = run(line(f"use-one-sided-gradient={gradient}"), [a], [m])
                        self.assert_close(result, filled(a, m, gradient), 1e-6)

    def test_borders(self):
        a = np.array([[9, 9, 3, 5, 9, 9]] * 3, np.float32)
        m = np.array([[1, 1, 0, 0, 1, 1], [1, 1, 0, 1, 1, 1], [-1, 1, 1, 1, 2, 1]], np.float32)
        wanted = [[-1, 1, 3, 5, 7, 9], [3, 3, 3, 3, 3, 3], [9, 9, 3, 5, 9, 9]]
        np.testing.assert_array_equal(run(line(), [a], [m])[0], wanted)

    def test_planes_and_masks_that_stay(self):
        a, m = [random_array(np.float32, (3, 4, 9)) for _ in range(3)], mask((4, 9))
        for result, image in zip(run(line(), a, [m]), a, strict=True):
            for plane, p in zip(result, image):
                self.assert_close(plane, filled(p, m), 1e-6)
        m = mask((3, 4, 9))
        for plane, p, q in zip(run(line(), a[:1], [m])[0], a[0], m):
            self.assert_close(plane, filled(p, q), 1e-6)

    def test_nan_is_repaired_under_the_mask_only(self):
        a, m = random_array(np.float32, (2, 9)), np.zeros((2, 9), np.float32)
        a[0, 4] = a[1, 4] = np.nan
        m[0, 4] = 1
        (result,) = run(line(), [a], [m])
        np.testing.assert_array_equal(np.isnan(result), np.isnan(a) & (m == 0))

    def test_memory_and_states(self):
        a, m = [random_array(np.float32, (5, 7)) for _ in range(2)], [mask((5, 7)) for _ in range(2)]
        wanted = [filled(*pair) for pair in zip(a, m)]
        self.check_memory(f"{INPUTS} tomohorizontalinterpolate name=i", a, m, reference=wanted, tolerance=1e-6)
        self.check_state_cycles(line(), a, m, reference=wanted, tolerance=1e-6)

    def test_errors(self):
        self.assert_fails(["masks are 5 x 3 x 1", "images are 3 x 5 x 1"], line(),
                          [random_array(np.float32, (5, 3))], [mask((3, 5))])
        self.assert_fails(["input masks", "without any image"], line(), [random_array(np.float32, (5, 3))], [])


if __name__ == "__main__":
    main()
