# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomosegment against direct solutions of scipy, in float64."""

import scipy.sparse
import scipy.sparse.linalg

from tomotest import *
from elementtest import ElementTestCase, Stream

INPUTS = "SRC0 ! s.volume  SRC1 ! s.labels"


def line(properties=""):
    return f"tomosegment name=s {properties}  {INPUTS}  s. ! SINK"


def probabilities(volume, labels, sigma=None):
    """Of each label, and the labels."""
    volume = np.atleast_3d(np.float64(volume)) if np.ndim(volume) != 2 else np.float64(volume)[None]
    seeds = np.zeros(volume.shape, int)
    seeds[: 1 if np.ndim(labels) == 2 else len(labels)] = np.maximum(labels, 0)
    index = np.arange(volume.size).reshape(volume.shape)
    pairs, differences = [], []
    for axis in range(3):
        n = volume.shape[axis]
        a, b = index.take(range(n - 1), axis).ravel(), index.take(range(1, n), axis).ravel()
        pairs.append(np.stack([a, b]))
    a, b = np.concatenate(pairs, axis=1)
    with np.errstate(invalid="ignore"):
        d = volume.ravel()[b] - volume.ravel()[a]
    finite = np.isfinite(d)
    variance = sigma**2 if sigma else (d[finite] ** 2).sum() / max(len(d), 1)
    w = np.full(len(d), 1e-6)
    w[finite] += np.exp(-0.5 * d[finite] ** 2 / variance)
    n = volume.size
    matrix = scipy.sparse.coo_matrix((np.concatenate([-w, -w]), (np.concatenate([a, b]), np.concatenate([b, a]))), (n, n)).tocsr()
    matrix = matrix + scipy.sparse.diags(-np.asarray(matrix.sum(axis=1)).ravel())
    free = seeds.ravel() == 0
    kinds = np.unique(seeds[seeds > 0])
    result = np.zeros((len(kinds), n))
    for k, label in enumerate(kinds):
        known = (seeds.ravel() == label).astype(float)
        result[k] = known
        if free.any():
            result[k, free] = scipy.sparse.linalg.spsolve(matrix[free][:, free].tocsc(), -matrix[free][:, ~free] @ known[~free])
    return result.reshape(-1, *volume.shape), kinds


class Segment(ElementTestCase):
    def check(self, results, volume, labels, sigma=None):
        p, kinds = probabilities(volume, labels, sigma)
        wanted = kinds[p.argmax(axis=0)]
        ranked = np.sort(p, axis=0)
        clear = ranked[-1] - ranked[-2] > 5e-3 if len(kinds) > 1 else np.ones(wanted.shape, bool)
        self.assertGreater(clear.mean(), 0.6)
        got = np.stack(results)
        self.assertEqual(got.shape, wanted.shape)
        np.testing.assert_array_equal(got[clear], wanted[clear], err_msg=f"(seed {SEED})")

    def labels(self, shape, kinds, share=0.05):
        result = np.where(rng.random(shape) < share, rng.integers(1, kinds + 1, shape), 0)
        result.ravel()[:kinds] = range(1, kinds + 1)
        return result.astype(np.float32)

    def test_properties(self):
        self.check_properties("tomosegment", {"sigma": (0.0, 0.0, float(np.finfo(np.float32).max)),
                                              "tolerance": (1e-4, float(np.float32(1e-6)), float(np.float32(0.1)))})

    def test_volumes(self):
        for shape, kinds in (((1, 1, 1), 1), ((1, 1, 9), 2), ((7, 1, 1), 2), ((1, 13, 17), 3), ((5, 8, 11), 2), ((6, 9, 7), 5)):
            with self.subTest(shape=shape, kinds=kinds):
                volume, labels = random_array(np.float32, shape), self.labels(shape, min(kinds, np.prod(shape)))
                self.check(run(line(), [volume], [labels]), volume, labels)

    def test_labels_of_the_first_slice(self):
        volume, labels = random_array(np.float32, (4, 9, 10)), self.labels((9, 10), 3, 0.1)
        self.check(run(line("sigma=1.5"), [volume], [labels]), volume, labels, 1.5)

    def test_objects(self):
        """Noisy balls are found as a whole from a few voxels in the first slice that they reach."""
        z, y, x = np.mgrid[:12, :40, :50]
        ball, rod = (z - 1) ** 2 + (y - 20) ** 2 + (x - 14) ** 2 < 81, (y - 20) ** 2 + (x - 38) ** 2 < 49
        truth = np.where(ball, 2, np.where(rod, 7, 1))
        volume = (1.0 * ball + 2.0 * rod + 0.05 * rng.standard_normal(truth.shape)).astype(np.float32)
        labels = np.zeros((40, 50), np.uint8)
        labels[20, 12:16], labels[20, 36:40], labels[2:4, 2:48] = 2, 7, 1
        result = np.stack(run(line("sigma=0.2"), [volume], [labels]))
        self.assertGreater((result == truth).mean(), 0.995)

    def test_formats(self):
        for name, other in zip(REAL, REAL[1:] + REAL[:1]):
            with self.subTest(format=name):
                volume = (20 * rng.random((2, 6, 7))).astype(FORMATS[name])
                labels = self.labels((2, 6, 7), 2, 0.2).astype(FORMATS[other])
                self.check(run(line(), [volume], [labels]), volume, labels)

    def test_not_finite(self):
        volume, labels = random_array(np.float32, (2, 8, 9)), self.labels((8, 9), 2, 0.2)
        volume[1, 3, 4], volume[0, 5, 5] = np.nan, np.inf
        self.check(run(line(), [volume], [labels]), volume, labels)

    def test_streams(self):
        volumes, labels = [random_array(np.float32, (2, 5, 6)) for _ in range(2)], self.labels((5, 6), 2, 0.2)
        results = run(line(), volumes, [labels])
        for k, volume in enumerate(volumes):
            self.check(results[2 * k : 2 * k + 2], volume, labels)
        other = random_array(np.float32, (3, 4, 4)), self.labels((3, 4, 4), 3)
        with Stream(line(), inputs=2) as stream:
            for volume, label in ((volumes[0], labels), other):
                stream.push(volume, 0)
                stream.push(label, 1)
                self.check([stream.pull() for _ in volume], volume, label)
        wanted = run(line(), volumes[:1], [labels])
        self.check_memory(f"{INPUTS} tomosegment name=s", volumes[:1], [labels], reference=wanted, tolerance=0)

    def test_errors(self):
        volume = random_array(np.float32, (2, 5, 6))
        self.assert_fails(["labels are 5 x 5 x 1", "6 x 5 x 2"], line(), [volume], [np.ones((5, 5), np.float32)])
        self.assert_fails(["no voxel has a label"], line(), [volume], [np.full((5, 6), -1, np.float32)])
        for bad in (0.5, 70000, np.nan, np.inf):
            labels = np.ones((5, 6), np.float32)
            labels[2, 3] = bad
            self.assert_fails(["label", "whole numbers"], line(), [volume], [labels])
        self.assert_fails(["256 different"], line(), [np.zeros((30, 30), np.float32)],
                          [np.arange(900).reshape(30, 30).astype(np.float32)])


if __name__ == "__main__":
    main()
