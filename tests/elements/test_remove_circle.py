# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomoremovecircle against the same rules in numpy."""

from tomotest import *
from elementtest import ElementTestCase
from ringlists import check_bad_lists, ring_list, rings_of


def remaining(rings, threshold=5.0):
    rings = np.float64(np.float32(rings)).reshape(-1, 5)
    strength = np.float64(np.float32(rings[:, 3]) * np.float32(rings[:, 4]))
    gone = set()
    for a in np.argsort(-strength, kind="stable"):
        if a in gone:
            continue
        for b in range(len(rings)):
            small, large = sorted((rings[a, 2], rings[b, 2]))
            if b != a and abs(np.hypot(*(rings[a, :2] - rings[b, :2])) + small - large) < 6 \
                    and strength[b] < 0.75 * strength[a]:
                gone.add(b)
    rings = np.array([r for i, r in enumerate(rings) if i not in gone]).reshape(-1, 5)
    gone = set()
    for a in range(len(rings)):
        for b in range(a):
            d, s = np.hypot(*(rings[a, :2] - rings[b, :2])), rings[a, 2] + rings[b, 2]
            for c in range(len(rings)):
                if d < s and c not in (a, b) and np.hypot(*(rings[c, :2] - (rings[a, :2] + rings[b, :2]) / 2)) < d / 2 \
                        and min(abs(rings[c, 2] - (s - d) / 2), abs(rings[c, 2] - (s + d) / 2)) < threshold:
                    gone.add(c)
    return np.array([r for i, r in enumerate(rings) if i not in gone]).reshape(-1, 5)


def random_rings(n):
    return np.column_stack([rng.uniform(0, 120, n), rng.uniform(0, 120, n), rng.uniform(5, 40, n), rng.uniform(0.1, 1, n),
                            rng.uniform(0.1, 1, n)])


class RemoveCircle(ElementTestCase):
    def test_properties(self):
        self.check_properties("tomoremovecircle", {"threshold": (5.0, 1.0, float(np.finfo(np.float32).max))})

    def test_lists(self):
        removed = 0
        for n in (0, 1, 2, 3, 8, 15, 30):
            for threshold in (1, 5, 20):
                with self.subTest(n=n, threshold=threshold):
                    rings = random_rings(n)
                    (result,) = run(f"tomoremovecircle threshold={threshold}", [ring_list(rings, n + 2)])
                    wanted = remaining(rings, threshold)
                    np.testing.assert_array_equal(rings_of(result), wanted.astype(np.float32))
                    removed += n - len(wanted)
        self.assertGreater(removed, 0)

    def test_cases(self):
        strong, inner, apart = (50, 50, 30, 1, 1), (60, 50, 20, 1, 0.7), (50, 50, 10, 1, 0.7)
        as_strong = (60, 50, 20, 1, 0.8)
        left, right, between = (30, 50, 20, 1, 1), (60, 50, 20, 1, 1), (45, 50, 5, 1, 1)
        for rings, wanted in (((inner, strong), (strong,)), ((apart, strong), (apart, strong)),
                              ((as_strong, strong), (as_strong, strong)), ((left, between, right), (left, right)),
                              ((left, right), (left, right))):
            (result,) = run("tomoremovecircle threshold=2", [ring_list(rings)])
            np.testing.assert_array_equal(rings_of(result), np.float32(wanted))

    def test_streams(self):
        lists = [random_rings(n) for n in (4, 4, 0, 9)]
        for result, rings in zip(run("tomoremovecircle", [ring_list(r) for r in lists]), lists, strict=True):
            np.testing.assert_array_equal(rings_of(result), remaining(rings).astype(np.float32))

    def test_errors(self):
        check_bad_lists(self, "tomoremovecircle")
        self.assert_fails(["2001 rings", "2000", "tomofilterparticle"], "tomoremovecircle", [ring_list(random_rings(2001))])


if __name__ == "__main__":
    main()
