# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomomapcoordinates against float64 sampling, and that against scipy."""

from tomotest import *
from elementtest import ElementTestCase, Stream, scan_event
from scipy import ndimage
from sampling import ADDRESSING, SCIPY, sample

TOLERANCE = 1e-5
LINE = "tomomapcoordinates name=m {}  SRC0 ! m.images  SRC1 ! m.x  SRC2 ! m.y  m."


def maps(shape, size, reach=1.5):
    """Random places in an image of `size` (height, width), some of them outside."""
    return [rng.uniform(-reach * n / 2, n + reach * n / 2, shape).astype(np.float32) for n in (size[1], size[0])]


class MapCoordinates(ElementTestCase):
    def check(self, properties, image, x, y, wanted):
        (result,) = run(LINE.format(properties), [image], [x], [y])
        self.assertEqual(result.dtype, np.float32)
        self.assert_close(result, wanted, TOLERANCE, properties)

    def test_properties(self):
        self.check_properties("tomomapcoordinates", {
            "addressing-mode": ("clamp", ADDRESSING), "interpolation": ("linear", {"nearest", "linear", "cubic"})})

    def test_modes(self):
        """One of the modes with each interpolation, as there are many; all of them over several runs."""
        a = random_array(np.float32, (23, 31))
        for interpolation in "nearest", "linear", "cubic":
            for mode in [*rng.permutation(sorted(ADDRESSING))[:2]]:
                x, y = maps((17, 13), a.shape)
                self.check(f"addressing-mode={mode} interpolation={interpolation}", a, x, y,
                           sample(a, x, y, mode, interpolation))

    def test_scipy_agrees(self):
        a = random_array(np.float32, (11, 19))
        x, y = maps((9, 40), a.shape)
        for mode, name in SCIPY.items():
            self.assert_close(sample(a, x, y, mode), ndimage.map_coordinates(a.astype(np.float64), [y, x], order=1, mode=name),
                              1e-12, mode)
        self.check("", a, x, y, ndimage.map_coordinates(a.astype(np.float64), [y, x], order=1, mode="grid-constant"))

    def test_every_format(self):
        """Of the images; and of the maps, some of which."""
        x, y = maps((3, 4), (5, 7), 0)
        for name in REAL:
            a = random_array(FORMATS[name], (5, 7))
            self.check("", a, x, y, sample(a, x, y))
        rows, columns = np.mgrid[:5, :7]
        for dtype in np.uint8, np.int16:
            self.check("", a, columns[::-1, ::-1].astype(dtype), rows.astype(np.float32), a[:, ::-1].astype(np.float64)[:])

    def test_whole_numbers_are_pixels(self):
        a = random_array(np.float32, (13, 17))
        a[2, 3], a[12, 16], a[5, 5] = np.nan, np.inf, -np.inf
        y, x = np.mgrid[:13, :17].astype(np.float32)
        for interpolation in "nearest", "linear", "cubic":
            (result,) = run(LINE.format(f"interpolation={interpolation}"), [a], [x], [y])
            np.testing.assert_array_equal(result, a)

    def test_precision(self):
        """Maps in float64 keep what float32 has no bits for; fractions in wide images are exact."""
        a = random_array(np.float32, (2, 100003))
        x = rng.uniform(65536, 100000, (3, 50))
        y = rng.uniform(0, 1, (3, 50))
        self.check("", a, x, y, sample(a, x, y))
        self.check("", a, x.astype(np.float32), y.astype(np.float32), sample(a, x.astype(np.float32), y.astype(np.float32)))

    def test_far_and_unknown_places(self):
        a = random_array(np.float32, (3, 5))
        x = np.array([[np.nan, np.inf, -np.inf, 1e38, -1e38, 3e9, 1]], np.float32)
        y = np.ones_like(x)
        (result,) = run(LINE.format("addressing-mode=clamp_to_edge"), [a], [x], [y])
        np.testing.assert_array_equal(result, [[np.nan, np.nan, np.nan, a[1, 4], a[1, 0], a[1, 4], a[1, 1]]])

    def test_planes(self):
        a = random_array(np.float32, (2, 9, 8))
        x, y = maps((5, 4), (9, 8), 0)
        self.check("", a, x, y, [sample(p, x, y) for p in a])
        xs, ys = maps((2, 5, 4), (9, 8), 0)
        self.check("", a, xs, ys, [sample(*p) for p in zip(a, xs, ys)])
        self.check("", random_array(np.float32, (1, 1)) * 0, *maps((1, 1), (1, 1)), [[0.0]])

    def test_maps_that_ended_repeat(self):
        arrays = [random_array(np.float32, (9, 8)) for _ in range(3)]
        x, y = maps((5, 4), (9, 8), 0)
        for result, a in zip(run(LINE.format(""), arrays, [x], [y]), arrays, strict=True):
            self.assert_close(result, sample(a, x, y), TOLERANCE)

    def test_errors(self):
        a, x, y = random_array(np.float32, (9, 8)), *maps((5, 4), (9, 8))
        self.assert_fails(["x is", "y is", "same size"], LINE.format(""), [a], [x], [y[:3]])
        self.assert_fails(["of one plane"], LINE.format(""), [a], [np.stack([x] * 2)], [np.stack([y] * 2)])

    def test_memory_and_states(self):
        a = [random_array(np.float32, (9, 8)) for _ in range(2)]
        x, y = maps((5, 4), (9, 8), 0)
        wanted = [sample(p, x, y) for p in a]
        self.check_memory(LINE.format(""), a, [x], [y], reference=wanted, tolerance=TOLERANCE)
        self.check_state_cycles(LINE.format(""), a, [x], [y], reference=wanted, tolerance=TOLERANCE)


if __name__ == "__main__":
    main()
