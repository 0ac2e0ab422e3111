# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomogetdupcirc against the same rule in numpy."""

from tomotest import *
from elementtest import ElementTestCase
from ringlists import check_bad_lists, ring_list, rings_of


def joined(rings, threshold=10.0):
    left, result = list(np.float64(np.float32(rings)).reshape(-1, 5)), []
    while left:
        group = [left.pop(0)]
        while True:
            mean = np.mean(group, axis=0)
            near = [r for r in left if np.hypot(*(r[:2] - mean[:2])) < threshold and abs(r[2] - mean[2]) < threshold]
            if not near:
                break
            group += near
            left = [r for r in left if not any(r is n for n in near)]
        result.append([*np.mean(group, axis=0)[:3], *np.max(group, axis=0)[3:]])
    return np.reshape(result, (-1, 5))


def random_rings(n, size):
    return np.column_stack([rng.uniform(0, size, n), rng.uniform(0, size, n), rng.uniform(5, 5 + size / 3, n),
                            rng.uniform(0, 1, (n, 2))])


class GetDupCirc(ElementTestCase):
    def test_properties(self):
        self.check_properties("tomogetdupcirc", {"threshold": (10.0, 1.0, float(np.finfo(np.float32).max))})

    def test_lists(self):
        for n in (0, 1, 2, 7, 25, 60):
            for size in (20, 70, 300):
                with self.subTest(n=n, size=size):
                    rings = random_rings(n, size)
                    (result,) = run("tomogetdupcirc", [ring_list(rings, n + 1)])
                    np.testing.assert_allclose(rings_of(result), joined(rings), rtol=1e-5, err_msg=f"(seed {SEED})")

    def test_the_mean_of_all(self):
        """Each ring counts once, also where it is found late."""
        rings = [(0, 0, 10, 0.1, 0.9), (9, 0, 10, 0.5, 0.2), (14, 0, 12, 0.3, 0.3), (100, 0, 10, 0, 0)]
        (result,) = run("tomogetdupcirc", [ring_list(rings)])
        np.testing.assert_allclose(rings_of(result), [(23 / 3, 0, 32 / 3, 0.5, 0.9), rings[3]], rtol=1e-6)

    def test_streams(self):
        lists = [random_rings(n, 60) for n in (4, 4, 0, 9)]
        for result, rings in zip(run("tomogetdupcirc threshold=15", [ring_list(r) for r in lists]), lists, strict=True):
            np.testing.assert_allclose(rings_of(result), joined(rings, 15), rtol=1e-5)

    def test_errors(self):
        check_bad_lists(self, "tomogetdupcirc")
        self.assert_fails(["2001 rings"], "tomogetdupcirc", [ring_list(random_rings(2001, 9))])


if __name__ == "__main__":
    main()
