# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What filters of images have in common: formats, shapes, planes, memory, states, all against one reference."""

import numpy as np
from elementtest import ElementTestCase
from tomotest import FORMATS, REAL, random_array, run

ADDRESSING = {"none", "clamp", "clamp_to_edge", "repeat", "mirrored_repeat"}
PAD_MODES = {"clamp": "constant", "clamp_to_edge": "edge", "repeat": "wrap", "mirrored_repeat": "symmetric"}
SHAPES = (1, 1), (1, 13), (17, 1), (2, 3), (31, 37)
LARGEST = float(np.finfo(np.float32).max)


def padded(plane, before, after, addressing):
    """A plane of float64 with so many pixels more on each side of both axes."""
    return np.pad(np.asarray(plane, np.float64), (before, after), PAD_MODES[addressing])


def by_plane(reference, array):
    """reference() of each plane, in float64."""
    array = np.asarray(array, np.float64)
    planes = [reference(p) for p in (array if array.ndim == 3 else array[None])]
    return np.array(planes) if array.ndim == 3 else planes[0]


def neighbourhoods(plane, size, addressing="mirrored_repeat"):
    """For each pixel the box that begins (size - 1) // 2 pixels above and left of it."""
    before = (size - 1) // 2
    return np.lib.stride_tricks.sliding_window_view(padded(plane, before, size - 1 - before, addressing), (size, size))


class FilterTestCase(ElementTestCase):
    def check(self, line, arrays, reference, tolerance=1e-6, is_weighted_sum=False, settled=None):
        """Arrays of any shapes, one after another, against reference() of each of their planes; where that is a sum
        with positive weights, the error is measured by that of the magnitudes. settled() of a plane tells the samples that
        rounding can't move; others are not compared."""
        results = run(line, arrays)
        self.assertEqual(len(results), len(arrays))
        for result, array in zip(results, arrays):
            with self.subTest(line=line, shape=array.shape, dtype=array.dtype):
                wanted = by_plane(reference, array)
                self.assertEqual((result.dtype, result.shape), (np.float32, array.shape))
                np.testing.assert_array_equal(np.isnan(result), np.isnan(wanted))
                finite = np.isfinite(wanted)
                if settled:
                    kept = by_plane(settled, array).astype(bool)
                    self.assertGreater(kept.mean(), 0.9)
                    finite &= kept
                infinite = ~np.isfinite(wanted)
                np.testing.assert_array_equal(result[infinite], wanted.astype(np.float32)[infinite])
                size = by_plane(reference, np.abs(array.astype(np.float64)))[finite] if is_weighted_sum else None
                self.assert_close(result[finite], wanted[finite], tolerance, size=size)

    def check_filter(self, line, reference, tolerance=1e-6, shapes=SHAPES, make=random_array, state_shape=(5, 7)):
        """`make(dtype, shape)` gives inputs."""
        for name in REAL:
            self.check(line, [make(FORMATS[name], shapes[-1])], reference, tolerance)
        self.check(line, [make(np.float32, shape) for shape in shapes], reference, tolerance)
        self.check(line, [make(np.float32, (3, *shapes[-1]))], reference, tolerance)
        arrays = [make(np.float32, state_shape) for _ in range(3)]
        wanted = [by_plane(reference, a) for a in arrays]
        self.check_memory(line, arrays, reference=wanted, tolerance=tolerance)
        self.check_state_cycles(line, arrays, reference=wanted, tolerance=tolerance)
