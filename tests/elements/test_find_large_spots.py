# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomofindlargespots against connected components and scipy.ndimage."""

from tomotest import *
from filtertest import *
from scipy import ndimage, sparse


def noise(plane, addressing="mirrored_repeat"):
    p = padded(plane, 1, 1, "clamp" if addressing == "none" else addressing)
    value = abs(ndimage.convolve(p, [[1, -2, 1], [-2, 4, -2], [1, -2, 1]])[1:-1, 1:-1])
    if addressing == "none":
        value = value[1:-1, 1:-1]
    value = value[~np.isnan(value)]
    return np.sqrt(np.pi / 2) / 6 * value.mean() if value.size else 0.0


def spots(plane, threshold=0.0, mode="absolute", grow=0.0, addressing="mirrored_repeat"):
    steep = grow or 4.29 * noise(plane, addressing)
    with np.errstate(invalid="ignore"):
        seeds = {"absolute": abs(plane) > threshold, "above": plane > threshold, "below": plane < threshold}[mode]
    seeds |= np.isnan(plane)
    index = np.arange(plane.size).reshape(plane.shape)
    pairs = []
    for axis in 0, 1:
        other = np.roll(index, -1, axis)
        if addressing != "repeat":
            cut = [slice(None)] * 2
            cut[axis] = slice(-1)
            first, other = index[tuple(cut)], other[tuple(cut)]
        else:
            first = index
        with np.errstate(invalid="ignore"):
            connected = abs(plane.flat[first] - plane.flat[other]) > steep
        pairs.append((first[connected], other[connected]))
    first, other = (np.concatenate(c) for c in zip(*pairs))
    graph = sparse.coo_matrix((np.ones(first.size), (first, other)), (plane.size, plane.size))
    _, labels = sparse.csgraph.connected_components(graph, directed=False)
    mask = np.isin(labels, labels[seeds.ravel()]).reshape(plane.shape)
    return ndimage.binary_fill_holes(mask).astype(float)


def blobs(dtype, shape):
    """Smooth hills on a little noise, in whole numbers."""
    field = ndimage.gaussian_filter(rng.standard_normal(shape), 2, mode="nearest")
    field = np.clip(field / (field.std() or 1), -3, 3)
    return np.round(60 + 15 * field + rng.normal(0, 0.5, shape)).astype(dtype)


class FindLargeSpots(FilterTestCase):
    def test_properties(self):
        self.check_properties("tomofindlargespots", {
            "spot-threshold": (0.0, -LARGEST, LARGEST), "grow-threshold": (0.0, 0.0, LARGEST),
            "spot-threshold-mode": ("absolute", {"below", "absolute", "above"}),
            "addressing-mode": ("mirrored_repeat", ADDRESSING)})

    def test_filter(self):
        self.check_filter("tomofindlargespots spot-threshold=85 grow-threshold=2.5",
                          lambda p: spots(p, 85, grow=2.5), make=blobs, shapes=((1, 1), (1, 13), (17, 1), (71, 83)))

    def test_modes_and_addressing(self):
        for addressing in sorted(ADDRESSING):
            for mode, threshold in ("below", 40), ("absolute", 80), ("above", 85):
                for grow in 1.5, 3.5:
                    self.check(f"tomofindlargespots spot-threshold={threshold} spot-threshold-mode={mode} "
                               f"grow-threshold={grow} addressing-mode={addressing}",
                               [blobs(np.float32, shape) for shape in ((67, 71), (2, 3))],
                               lambda p: spots(p, threshold, mode, grow, addressing))

    def test_threshold_from_the_noise(self):
        for addressing in sorted(ADDRESSING):
            a = rng.normal(0, 1, (67, 71)).astype(np.float32)
            a[20:30, 20:25] += 50
            a[40, 5:60] += 30
            (result,) = run(f"tomofindlargespots spot-threshold=25 addressing-mode={addressing}", [a])
            np.testing.assert_array_equal(result, spots(a.astype(np.float64), 25, addressing=addressing))
            self.assertEqual(result[25, 22], 1)
        self.assertAlmostEqual(noise(rng.normal(0, 1, (99, 101)), "none"), 1, delta=0.1)

    def test_the_first_array_tells_the_noise(self):
        a = rng.normal(0, 1, (67, 71)).astype(np.float32)
        later = a * 10
        later[30:40, 30:40] += 50
        steep = 4.29 * noise(a.astype(np.float64))
        wanted = spots(later.astype(np.float64), 60, grow=steep)
        np.testing.assert_array_equal(run("tomofindlargespots spot-threshold=60", [a, later])[1], wanted)

    def test_spirals(self):
        """The longest ways that a spot can take."""
        n = 101
        a = np.zeros((n, n), np.float32)
        x, y, dx, dy = 0, 0, 1, 0
        a[0, 0] = 3
        for length in [n - 1] + [k for k in range(n - 1, 1, -2) for _ in (0, 1)]:
            for i in range(length):
                x, y = x + dx, y + dy
                a[y, x] = 1 + (x + y) % 2
            dx, dy = -dy, dx
        self.check("tomofindlargespots spot-threshold=2.5 grow-threshold=0.75", [a],
                   lambda p: spots(p, 2.5, grow=0.75))

    def test_holes(self):
        a = np.zeros((11, 13), np.float32)
        a[2:9, 2:9] = 9
        a[4:7, 4:7] = 0  # a hole
        a[0:4, 10:13] = 9
        a[0:2, 11] = 0  # open to the border
        a[9, 11] = np.nan
        wanted = a > 5
        wanted[4:7, 4:7] = wanted[9, 11] = True
        (result,) = run("tomofindlargespots spot-threshold=5 grow-threshold=100", [a])
        np.testing.assert_array_equal(result, wanted)


if __name__ == "__main__":
    main()
