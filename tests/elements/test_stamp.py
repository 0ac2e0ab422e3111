# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomostamp: where it writes, how much, and that digits differ. What digits look like is Pango's affair."""

from tomotest import *
from elementtest import ElementTestCase
from padtest import *


def ink(n=1, properties="", shape=(40, 120)):
    """What is added to n black images."""
    return run(f"tomostamp {properties}", [np.zeros(shape, np.float32)] * n)


class Stamp(ElementTestCase):
    def test_properties(self):
        largest = float(np.finfo(np.float32).max)
        self.check_properties("tomostamp", {"font": "Mono 9", "scale": (1.0, -largest, largest)})

    def test_ink_is_added_in_the_corner(self):
        (mask,) = ink()
        self.assertTrue(0 <= mask.min() and 0.9 < mask.max() <= 1)
        rows, columns = np.nonzero(mask)
        self.assertTrue(0 < rows.max() < 25 and 20 < columns.max() < 100, (rows.max(), columns.max()))
        for name in REAL:
            with self.subTest(format=name):
                a = random_array(FORMATS[name], (2, 40, 120))
                (result,) = run("tomostamp scale=-3", [a])
                self.assertEqual(result.dtype, np.float32)
                self.assert_close(result, a.astype(np.float64) - 3 * mask, 1e-6)

    def test_digits(self):
        """Six of them, in a font of one width; only the last one changes from 0 to 1."""
        zero, one = ink(2)
        width = next(w for w in range(4, 20) if np.array_equal(zero[:, :w], zero[:, w:2 * w]))
        for k in range(6):
            np.testing.assert_array_equal(zero[:, k * width:(k + 1) * width], zero[:, :width])
        self.assertEqual(zero[:, 6 * width:].max(), 0)
        np.testing.assert_array_equal(zero[:, :5 * width], one[:, :5 * width])
        self.assertFalse(np.array_equal(zero, one))

    def test_fonts(self):
        small, large = ink()[0], ink(properties='font="Mono 18"')[0]
        self.assertGreater(np.nonzero(large)[0].max(), 1.5 * np.nonzero(small)[0].max())

    def test_what_does_not_fit_is_cut(self):
        for shape in (1, 1), (3, 5), (200, 7):
            np.testing.assert_array_equal(ink(shape=shape)[0], np.pad(ink()[0], ((0, 200), (0, 0)))[:shape[0], :shape[1]])

    def test_nan_stays(self):
        a = np.full((40, 120), np.nan, np.float32)
        self.assertTrue(np.isnan(run("tomostamp", [a])[0]).all())

    def test_errors(self):
        self.assert_fails(['font="Mono 100000"', "can't write"], 'tomostamp font="Mono 100000"', [np.zeros((4, 4), np.float32)])

    def test_memory_and_states(self):
        arrays = [random_array(np.float32, (40, 120)) for _ in range(2)]
        wanted = [a + m for a, m in zip(arrays, ink(2))]
        self.check_memory("tomostamp", arrays, reference=wanted, tolerance=1e-6)
        self.check_state_cycles("tomostamp", arrays, reference=wanted, tolerance=1e-6)


if __name__ == "__main__":
    main()
