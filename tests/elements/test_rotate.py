# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomorotate against float64 sampling and numpy."""

import os

from tomotest import *
from elementtest import ElementTestCase, Stream
from padtest import *

import subprocess
import tempfile

from sampling import ADDRESSING, sample

TOLERANCE = 1e-5


def rotated(a, angle, center=None, mode="clamp", interpolation="linear", shape=None, origin=(0, 0)):
    """`origin`: where the output's upper left corner lies (x, y)."""
    if a.ndim == 3:
        return np.stack([rotated(p, angle, center, mode, interpolation, shape, origin) for p in a])
    height, width = a.shape
    cx, cy = center or (width / 2, height / 2)
    rows, columns = shape or a.shape
    y, x = np.mgrid[:rows, :columns] + 0.5
    x, y = x + origin[0] - cx, y + origin[1] - cy
    angle = np.float64(np.float32(angle))
    c, s = np.cos(angle), np.sin(angle)
    return sample(a, cx + x * c + y * s - 0.5, cy + y * c - x * s - 0.5, mode, interpolation)


class Rotate(ElementTestCase):
    def check(self, properties, wanted, *arrays):
        for result, a in zip(run(f"tomorotate {properties}", list(arrays)), arrays, strict=True):
            self.assertEqual(result.dtype, np.float32)
            self.assert_close(result, wanted(a), TOLERANCE, properties)

    def test_properties(self):
        largest = float(np.finfo(np.float32).max)
        element = Gst.ElementFactory.make("tomorotate")
        names = {p.name for p in element.list_properties()} - {p.name for p in Gst.ElementFactory.make("tomotile").list_properties()}
        self.assertEqual(names, {"angle", "reshape", "center", "addressing-mode", "interpolation"})
        spec = element.find_property("angle")
        self.assertEqual((spec.default_value, spec.minimum, spec.maximum), (0.0, -largest, largest))
        for name, default, nicks in (("addressing-mode", "clamp", ADDRESSING), ("interpolation", "linear", {"nearest", "linear", "cubic"})):
            spec = element.find_property(name)
            self.assertEqual(spec.default_value.value_nick, default)
            self.assertEqual({v.value_nick for v in spec.enum_class.__enum_values__.values()}, nicks)
        self.assertEqual((element.get_property("reshape"), len(element.get_property("center"))), (False, 0))

    def test_every_format(self):
        for name in REAL:
            with self.subTest(format=name):
                self.check("angle=0.3", lambda a: rotated(a, 0.3), random_array(FORMATS[name], (7, 11)))

    def test_angles_centres_and_modes(self):
        arrays = [random_array(np.float32, s) for s in ((31, 37), (1, 1), (5, 1), (2, 13, 11))]
        for angle in *rng.uniform(-7, 7, 3), 1e-3, -np.pi / 2:
            self.check(f"angle={angle}", lambda a: rotated(a, angle), *arrays)
        self.check("angle=1 center=<3.25,-7>", lambda a: rotated(a, 1, (3.25, -7)), *arrays)
        self.check("angle=1 center=<0,0>", lambda a: rotated(a, 1, (0, 0)), *arrays)
        for mode in rng.permutation(sorted(ADDRESSING))[:2]:
            for interpolation in "nearest", "linear", "cubic":
                self.check(f"angle=0.7 addressing-mode={mode} interpolation={interpolation}",
                           lambda a: rotated(a, 0.7, None, mode, interpolation), arrays[0], arrays[3])

    def test_quarter_turns_are_exact(self):
        a = random_array(np.float32, (6, 9))
        a[1, 2] = np.nan
        for quarters in range(-3, 5):
            # Clockwise, so the other way round than numpy's.
            (result,) = run(f"tomorotate reshape=true interpolation=nearest angle={quarters * np.pi / 2}", [a])
            np.testing.assert_array_equal(result, np.rot90(a, -quarters))

    def test_identity(self):
        a = random_array(np.float32, (13, 17))
        a[3, 4], a[7, 8] = np.nan, np.inf
        for reshape in "true", "false":
            np.testing.assert_array_equal(run(f"tomorotate reshape={reshape}", [a])[0], a)

    def test_reshape_holds_everything(self):
        a = random_array(np.float32, (20, 33))
        for center in None, (2.5, 30.25):
            for angle in 0.3, 2.0, -1.2:
                cx, cy = center or (33 / 2, 10)
                corners = np.array([[x - cx, y - cy] for x in (0, 33) for y in (0, 20)])
                c, s = np.cos(angle), np.sin(angle)
                corners = corners @ np.array([[c, s], [-s, c]]) + [cx, cy]
                size = np.ceil(np.ptp(corners, axis=0)).astype(int)
                origin = (corners.min(0) + corners.max(0) - size) / 2
                text = f"center=<{center[0]},{center[1]}>" if center else ""
                self.check(f"reshape=true angle={angle} {text}",
                           lambda a: rotated(a, angle, center, shape=tuple(size[::-1]), origin=origin), a)
        ones = np.ones((40, 30), np.float32)
        self.assertAlmostEqual(run("tomorotate reshape=true angle=0.8", [ones])[0].sum() / 1200, 1, 2)

    def test_wide_images_keep_their_precision(self):
        a = random_array(np.float32, (3, 60000))
        self.check("angle=0.00001", lambda a: rotated(a, 1e-5), a)

    def test_an_error_in_an_included_kernel_file_names_it(self):
        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(folder, "sampling.h"), "w") as file:
                file.write("\nthis is no kernel;\n")
            line = "tomodummydata ! tomorotate angle=0.123 ! tomonull"
            result = subprocess.run(["gst-launch-1.0", *line.split()], capture_output=True, text=True, timeout=TIMEOUT,
                                    env=dict(os.environ, GST_TOMO_KERNEL_PATH=folder))
            self.assertNotEqual(result.returncode, 0)
            self.assertIn("sampling.h:2", result.stderr)

    def test_live_angle(self):
        a = random_array(np.float32, (9, 8))
        with Pads("tomorotate reshape=true") as pads:
            for angle in 0.0, 0.5, 1.0:
                pads.element.set_property("angle", angle)
                (output,) = pads.push(a)
                other = run(f"tomorotate reshape=true angle={angle}", [a])[0]
                np.testing.assert_array_equal(output.array, other)

    def test_errors(self):
        a = random_array(np.float32, (4, 6))
        self.assert_fails(["center", "1 numbers", "column and row"], "tomorotate center=<1>", [a])
        self.assert_fails("complex64", "tomorotate", [random_array(np.complex64, (4, 6))])

    def test_memory_and_states(self):
        arrays = [random_array(np.float32, (9, 8)) for _ in range(2)]
        wanted = [rotated(a, 0.4) for a in arrays]
        self.check_memory("tomorotate angle=0.4", arrays, reference=wanted, tolerance=TOLERANCE)
        self.check_state_cycles("tomorotate angle=0.4", arrays, reference=wanted, tolerance=TOLERANCE)

    def test_facts(self):
        a = random_array(np.float32, (10, 20))
        for angle, domain, axis, angles in ((0.0, "sinogram", 12.5, [0.0] * 10), (0.1, "projection", 10 + 2.5 * np.cos(0.1), [0.0] * 10),
                                            (np.pi, "projection", 7.5, [0.0] * 10), (1.5, "projection", np.nan, [0.0] * 10),
                                            (0.1, "sinogram", 10 + 2.5 * np.cos(0.1), []), (0.1, "slice", 12.5, [0.0] * 10)):
            with Pads(f"tomorotate angle={angle}") as pads:
                pads.send(scan_event([0.0] * 10, 12.5, 1e-6))
                pads.push(a, domain=domain)
                np.testing.assert_allclose(pads.scan()[1], axis, atol=1e-6)
                self.assertEqual((pads.scan()[0], pads.scan()[2]), (angles, 1e-6))

    def test_a_scan_turned_upside_down_is_reconstructed_alike(self):
        """Half a turn mirrors columns, so slices are turned by half."""
        from scipy import ndimage
        a = ndimage.gaussian_filter(rng.random((1, 24)), 2)[0]
        projection = np.repeat(a[None], 2, 0).astype(np.float32)
        with Pads("tomorotate interpolation=nearest angle=3.14159265") as pads:
            pads.send(scan_event([], 9.0))
            (output,) = pads.push(projection, domain="projection")
            np.testing.assert_array_equal(output.array, projection[::-1, ::-1])
            self.assertAlmostEqual(pads.scan()[1], 15.0, 5)


if __name__ == "__main__":
    main()
