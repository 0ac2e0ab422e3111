# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomomeasuresharpness against numpy in float64."""

import scipy.ndimage

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from tomotest import *
from elementtest import ElementTestCase, Stream


def reference(a):
    a = a.astype(np.float64)
    inner = a[1:, 1:]
    return (np.abs(inner - a[1:, :-1]) + np.abs(inner - a[:-1, 1:])).sum() / 2 / a.size


class MeasureSharpness(ElementTestCase):
    def sharpness(self, arrays):
        """Of all planes, and what came out."""
        with Stream("tomomeasuresharpness name=m") as stream:
            for a in arrays:
                stream.push(a)
            results = stream.finish()
            messages = stream.element_messages("tomo-sharpness")
            values = [m.get_double("sharpness")[1] for m in messages]
            np.testing.assert_equal(stream["m"].get_property("sharpness"), values[-1])
        return values, results

    def test_properties(self):
        self.check_properties("tomomeasuresharpness", {"sharpness": (0.0, 0.0, np.finfo(np.float64).max)})

    def test_every_format(self):
        for name in REAL:
            a = random_array(FORMATS[name], (13, 17))
            with self.subTest(format=name):
                (value,), (result,) = self.sharpness([a])
                self.assert_close(value, reference(a), 1e-6)
                self.assertEqual(result.dtype, a.dtype)
                np.testing.assert_array_equal(result, a)

    def test_shapes(self):
        arrays = [random_array(np.float32, s) for s in ((1, 1), (1, 13), (31, 37), (211, 103))]
        for a in arrays:
            self.assert_close(self.sharpness([a])[0], [reference(a)], 1e-6)
        volume = random_array(np.float32, (3, 5, 7))
        self.assert_close(self.sharpness([volume, volume])[0], [reference(p) for p in volume] * 2, 1e-6)

    def test_blurred_is_less_sharp(self):
        a = random_array(np.float32, (31, 37))
        blurred = [scipy.ndimage.gaussian_filter(a, sigma) for sigma in (0, 0.5, 1, 2)]
        values, _ = self.sharpness(blurred)
        self.assertEqual(values, sorted(values, reverse=True))

    def test_nan(self):
        a = random_array(np.float32, (5, 7))
        a[2, 3] = np.nan
        self.assertTrue(np.isnan(self.sharpness([a])[0][0]))

    def test_memory_and_state_cycles(self):
        arrays = [random_array(np.float32, (5, 7)) for _ in range(3)]
        self.check_memory("tomomeasuresharpness", arrays, reference=arrays, tolerance=0)
        self.check_state_cycles("tomomeasuresharpness", arrays, reference=arrays, tolerance=0)


if __name__ == "__main__":
    main()
