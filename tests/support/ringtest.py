# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What elements that remove stripes of sinograms have in common: their references, sizes, samples that are not finite,
and a phantom with known stripes.
"""

import numpy as np
from filtertest import FilterTestCase
from tomotest import FORMATS, REAL, random_array, rng, run

TOLERANCE = 1e-4
SHAPES = (1, 1), (1, 13), (17, 1), (2, 3), (31, 37), (64, 101), (127, 96)


def phantom(views=181, width=400):
    """Absorption of smooth blobs, and the same with stripes: of some columns strong ones, of all columns weak ones."""
    angles = np.arange(views)[:, None] * np.pi / views
    columns = np.arange(width) + 0.5 - width / 2
    clean = np.zeros((views, width))
    for _ in range(5):
        radius, direction = 0.2 * width * np.sqrt(rng.random()), 2 * np.pi * rng.random()
        size = width * rng.uniform(0.1, 0.15)
        clean += rng.uniform(0.1, 0.5) * np.exp(-0.5 * ((columns - radius * np.cos(angles - direction)) / size) ** 2)
    stripes = 0.01 * rng.standard_normal(width)
    stripes[rng.choice(np.arange(8, width - 8), width // 20, replace=False)] += rng.choice([-0.2, 0.2], width // 20)
    return clean, clean + stripes


def ring_energy(image, clean):
    """Rings are what the mean over the views has too much or too little, but for an offset of all columns."""
    difference = (image - clean).mean(axis=0)
    return np.sum((difference - difference.mean()) ** 2)


class RingTestCase(FilterTestCase):
    def check_ring_removal(self, line, reference, tolerance=TOLERANCE, shapes=SHAPES):
        """All formats, shapes, depths, memories, states and batches, and samples that are not finite."""
        self.check_filter(line, reference, tolerance, shapes)
        arrays = [random_array(np.float32, (7, 19)) for _ in range(5)]
        for batch in 1, 4:
            for result, array in zip(run(f"{line} batch={batch}", arrays), arrays, strict=True):
                self.assert_close(result, reference(array.astype(np.float64)), tolerance)

    def check_not_finite(self, line, reference, tolerance=TOLERANCE):
        array = random_array(np.float32, (23, 29))
        array[rng.integers(0, 23, 9), rng.integers(0, 29, 9)] = rng.choice([np.nan, np.inf, -np.inf], 9)
        array[:, 11] = np.nan
        array[:, 0] = np.inf
        self.check(line, [array], reference, tolerance)
        self.check(line, [np.full((5, 7), np.nan, np.float32)], reference, tolerance)

    def check_removes(self, line, least):
        """The energy of rings becomes smaller by this factor, of several phantoms together: one may be a hard one."""
        phantoms = [phantom() for _ in range(6)]
        results = run(line, [striped.astype(np.float32) for _, striped in phantoms])
        before = sum(ring_energy(striped, clean) for clean, striped in phantoms)
        after = sum(ring_energy(result, clean) for result, (clean, _) in zip(results, phantoms, strict=True))
        self.assertGreater(before / after, least)
