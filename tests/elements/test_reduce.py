# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomoreduce against sums of squares of four pixels in float64."""

from tomotest import *
from elementtest import ElementTestCase
from padtest import *

TOLERANCE = 1e-6


def halved(a):
    a = np.asarray(a, np.float64)
    a = a[..., : a.shape[-2] // 2 * 2, : a.shape[-1] // 2 * 2]
    return a[..., ::2, ::2] + a[..., 1::2, ::2] + a[..., ::2, 1::2] + a[..., 1::2, 1::2]


class Reduce(ElementTestCase):
    def test_properties(self):
        self.check_properties("tomoreduce", {})

    def test_every_format(self):
        for name in REAL:
            with self.subTest(format=name):
                a = rng.uniform(0, 100, (7, 10)).astype(FORMATS[name])
                (result,) = run("tomoreduce", [a])
                self.assertEqual(result.dtype, np.float32)
                self.assert_close(result, halved(a), TOLERANCE)

    def test_planes_stay_planes(self):
        for shape in (2, 2), (37, 53), (3, 5, 7):
            a = rng.random(shape, np.float32)
            self.assert_close(run("tomoreduce", [a])[0], halved(a), TOLERANCE)

    def test_errors(self):
        for shape in (1, 9), (9, 1):
            self.assert_fails(["too small", "2 x 2"], "tomoreduce", [random_array(np.float32, shape)])

    def test_memory_and_states(self):
        arrays = [rng.random((9, 8), np.float32) for _ in range(2)]
        arrays[1][3, 3] = np.inf
        wanted = [halved(a) for a in arrays[:1]]
        self.check_memory("tomoreduce", arrays[:1], reference=wanted, tolerance=TOLERANCE)
        self.check_state_cycles("tomoreduce", arrays[:1], reference=wanted, tolerance=TOLERANCE)
        np.testing.assert_array_equal(np.isinf(run("tomoreduce", arrays)[1]), np.isinf(halved(arrays[1])))

    def test_facts(self):
        with Pads("tomoreduce") as pads:
            pads.send(scan_event([0.0, 0.25, 0.5], 3.0, 1e-6))
            pads.push(rng.random((3, 9), np.float32), domain="sinogram")
            self.assertEqual(pads.scan(), ([0.125], 1.5, 2e-6))


if __name__ == "__main__":
    main()
