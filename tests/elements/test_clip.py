# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomoclip against numpy.clip."""

from tomotest import *
from elementtest import ElementTestCase, Stream

LARGEST = float(np.finfo(np.float32).max)


class Clip(ElementTestCase):
    def test_properties(self):
        self.check_properties("tomoclip", {"min": (0.0, -LARGEST, LARGEST), "max": (1.0, -LARGEST, LARGEST)})

    def test_every_format(self):
        for name in REAL:
            a = random_array(FORMATS[name], (5, 7))
            low, high = (float(np.float32(q)) for q in np.quantile(a.astype(np.float64), (0.25, 0.75)))
            with self.subTest(format=name):
                (result,) = run(f"tomoclip min={low:.9g} max={high:.9g}", [a])
                self.assertEqual(result.dtype, np.float32)
                self.assert_close(result, np.clip(a.astype(np.float64), low, high), 1e-7)

    def test_shapes_and_nan(self):
        arrays = [random_array(np.float32, s) for s in ((1, 1), (1, 13), (3, 5, 7))]
        arrays[2][1, 2, 3:6] = np.nan, np.inf, -np.inf
        for a, result in zip(arrays, run("tomoclip min=-0.25 max=0.5", arrays), strict=True):
            np.testing.assert_array_equal(result, np.clip(a, -0.25, 0.5))

    def test_memory_and_state_cycles(self):
        arrays = [random_array(np.float32, (3, 5)) for _ in range(3)]
        wanted = [np.clip(a, 0, 1) for a in arrays]
        self.check_memory("tomoclip", arrays, reference=wanted, tolerance=0)
        self.check_state_cycles("tomoclip", arrays, reference=wanted, tolerance=0)

    def test_errors(self):
        self.assert_fails(["min=2", "max=1"], "tomoclip min=2", [random_array(np.float32, (2, 3))])


if __name__ == "__main__":
    main()
