# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomopolarcoordinates against float64 sampling."""

from tomotest import *
from elementtest import ElementTestCase, Stream
from padtest import *

from scipy import ndimage
from sampling import sample

TOLERANCE = 1e-5


def to_polar(a, width=0, height=0):
    h, w = a.shape[-2:]
    width = width or max(1, int(np.floor(np.hypot(w, h) / 2 + 0.5)))
    height = height or max(1, int(np.floor(2 * np.pi / np.tan(2 / max(w, h)) + 0.5)))
    t, r = np.mgrid[:height, :width] + 0.5
    phi = (2 * t / height - 1) * np.pi
    return sample(a, w / 2 + r * np.cos(phi) - 0.5, h / 2 + r * np.sin(phi) - 0.5, "clamp_to_edge")


def to_cartesian(a, width=0, height=0):
    side = max(1, int(np.floor(np.sqrt(2) * a.shape[-1] + 0.5)))
    width, height = width or side, height or side
    y, x = np.mgrid[:height, :width] + 0.5
    x, y = x - width / 2, y - height / 2
    t = (np.arctan2(y, x) / np.pi + 1) / 2 * a.shape[-2]
    return sample(a, np.hypot(x, y) - 0.5, t - 0.5, ("clamp_to_edge", "repeat"))


class PolarCoordinates(ElementTestCase):
    def check(self, properties, wanted, *arrays):
        for result, a in zip(run(f"tomopolarcoordinates {properties}", list(arrays)), arrays, strict=True):
            self.assertEqual(result.dtype, np.float32)
            self.assert_close(result, np.stack([wanted(p) for p in a]) if a.ndim == 3 else wanted(a), TOLERANCE, properties)

    def test_properties(self):
        self.check_properties("tomopolarcoordinates", {
            "width": (0, 0, 32768), "height": (0, 0, 32768),
            "direction": ("cartesian_to_polar", {"polar_to_cartesian", "cartesian_to_polar"})})

    def test_every_format(self):
        for name in REAL:
            with self.subTest(format=name):
                self.check("width=5 height=9", lambda a: to_polar(a, 5, 9), random_array(FORMATS[name], (7, 11)))

    def test_to_polar(self):
        arrays = [random_array(np.float32, s) for s in ((31, 37), (40, 20), (2, 5, 4), (1, 1), (1, 2), (2, 1), (3, 3))]
        self.check("", to_polar, *arrays)
        self.check("width=13", lambda a: to_polar(a, 13), *arrays)
        self.check("height=1", lambda a: to_polar(a, 0, 1), *arrays)

    def test_to_cartesian(self):
        arrays = [random_array(np.float32, s) for s in ((31, 17), (1, 1), (2, 50, 9), (1, 5))]
        back = "direction=polar_to_cartesian "
        self.check(back, to_cartesian, *arrays)
        self.check(back + "width=13 height=6", lambda a: to_cartesian(a, 13, 6), *arrays)

    def test_wide_images_keep_their_precision(self):
        a = random_array(np.float32, (9, 40001))
        self.check("width=20000 height=7", lambda a: to_polar(a, 20000, 7), a)

    def test_there_and_back(self):
        """The image, where there was one: nothing is mirrored, turned or shifted."""
        a = ndimage.gaussian_filter(rng.random((64, 64)), 3).astype(np.float32)
        (result,) = run("tomopolarcoordinates ! tomopolarcoordinates direction=polar_to_cartesian width=64 height=64", [a])
        self.assert_close(result[2:-2, 2:-2], a[2:-2, 2:-2], 2e-3)

    def test_circles_become_lines(self):
        y, x = np.mgrid[:60, :60] + 0.5 - 30
        (result,) = run("tomopolarcoordinates width=28", [np.hypot(x, y).astype(np.float32)])
        np.testing.assert_allclose(result[:, 2:], np.broadcast_to(np.arange(2, 28) + 0.5, result[:, 2:].shape), atol=0.05)

    def test_memory_and_states(self):
        arrays = [random_array(np.float32, (9, 8)) for _ in range(2)]
        wanted = [to_polar(a) for a in arrays]
        self.check_memory("tomopolarcoordinates", arrays, reference=wanted, tolerance=TOLERANCE)
        self.check_state_cycles("tomopolarcoordinates", arrays, reference=wanted, tolerance=TOLERANCE)

    def test_facts(self):
        with Pads("tomopolarcoordinates") as pads:
            pads.send(scan_event([1.0], 1.5, 1e-6))
            (output,) = pads.push(random_array(np.float32, (4, 4)), rate=10, domain="slice", source="a.tif")
            self.assertEqual((output.domain, output.rate, output.source), (None, (10, 1), "a.tif"))
            self.assertIsNone(pads.scan())


if __name__ == "__main__":
    main()
