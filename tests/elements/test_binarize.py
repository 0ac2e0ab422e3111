# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomobinarize against numpy's comparison."""

from tomotest import *
from elementtest import ElementTestCase, Stream

LARGEST = float(np.finfo(np.float32).max)


def reference(a, threshold):
    return np.where(np.isnan(a), np.nan, np.asarray(a, np.float64) >= threshold)


class Binarize(ElementTestCase):
    def test_properties(self):
        self.check_properties("tomobinarize", {"threshold": (1.0, -LARGEST, LARGEST)})

    def test_every_format(self):
        for name in REAL:
            a = random_array(FORMATS[name], (5, 7))
            threshold = float(np.float32(np.median(a)))
            with self.subTest(format=name):
                (result,) = run(f"tomobinarize threshold={threshold:.9g}", [a])
                self.assertEqual(result.dtype, np.float32)
                np.testing.assert_array_equal(result, reference(a, threshold))

    def test_shapes_and_nan(self):
        arrays = [random_array(np.float32, s) for s in ((1, 1), (1, 13), (3, 5, 7))]
        arrays[2][1, 2, 3:6] = np.nan, np.inf, -np.inf
        arrays[1][0, 4] = 0.25
        for a, result in zip(arrays, run("tomobinarize threshold=0.25", arrays), strict=True):
            np.testing.assert_array_equal(result, reference(a, 0.25))

    def test_memory_and_state_cycles(self):
        arrays = [random_array(np.float32, (3, 5)) for _ in range(3)]
        wanted = [reference(a, 0) for a in arrays]
        self.check_memory("tomobinarize threshold=0", arrays, reference=wanted, tolerance=0)
        self.check_state_cycles("tomobinarize threshold=0", arrays, reference=wanted, tolerance=0)

    def test_changes_while_playing(self):
        a = random_array(np.float32, (3, 5))
        with Stream("tomobinarize name=b threshold=0") as stream:
            np.testing.assert_array_equal(stream.through(a), a >= 0)
            stream["b"].set_property("threshold", 0.5)
            np.testing.assert_array_equal(stream.through(a), a >= 0.5)

    def test_complex_samples_are_refused(self):
        self.assert_fails("tomobinarize", "tomobinarize", [random_array(np.complex64, (2, 3))])


if __name__ == "__main__":
    main()
