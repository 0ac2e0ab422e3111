# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A volume in perspective: its pictures against those of numpy, clip planes, movements, and a computer without OpenGL."""

import math
import os
import subprocess
import sys
import unittest
import unittest.mock

import numpy as np
from guitest import RIGHT, Qt, QtCore, QtTest, click, drag, main, spin, until
from pyqtgraph.Qt import QtGui
from widgetstest import WidgetTest, pixels, press_key, seen, wheel

from gsttomo.widgets import Volume, VolumeView
from gsttomo.widgets._raycaster import ROOM
from gsttomo.widgets._stage import FRONT, rotation

RNG = np.random.default_rng(7)
SHAPE = (24, 40, 48)


class Perspective(WidgetTest):
    def setUp(self):
        super().setUp()
        self.array = RNG.integers(0, 256, SHAPE).astype(np.uint8)
        self.view = self.show(VolumeView(), 600, 560)
        self.addCleanup(self.view.close_threads)
        self.finals = []
        self.view.drawn.connect(lambda is_final: self.finals.append(self.view.stage.scene()) if is_final else None)

    def draw(self):
        """The final picture of what is wanted now, as uint8 (rows, columns, 4)."""
        wanted = self.view.scene()
        until(lambda: self.finals and self.finals[-1] == self.view.scene(), "no picture came")
        self.assertEqual(wanted, self.view.scene())
        picture = self.view.stage.picture().convertToFormat(QtGui.QImage.Format.Format_ARGB32_Premultiplied)
        rows = np.frombuffer(picture.constBits(), np.uint8, picture.bytesPerLine() * picture.height())
        return rows.reshape(picture.height(), picture.width(), 4)[..., [2, 1, 0, 3]].copy()

    def start(self, array=None, levels=(0, 256)):
        """Parallel rays from the front, so that a sample has a whole number of pixels."""
        self.view.set_volume(self.array if array is None else array)
        until(lambda: self.view.texture_shape() is not None)
        self.view.set_perspective(False)
        self.view.set_levels(*levels)
        # A height of ROOM / zoom is seen, in which the longest side, here 48 samples, is 1.
        scale = self.view.scene()
        self.samples = 6
        self.view.set_view(turn=FRONT, zoom=ROOM * self.samples * 48 / scale.height, pan=(0, 0))

    def test_truth_values(self):
        """True is white, False black."""
        self.start(self.array > 127, (0, 1))
        picture = self.draw()
        np.testing.assert_allclose(self.project(picture, SHAPE[1:])[..., 0], 255 * (self.array > 127).max(0), atol=2)
        self.view.auto_levels()
        self.assertEqual(self.view.levels(), (0, 1))

    def test_all_of_it_is_seen_first(self):
        """A cube and flat volumes, in windows of several shapes, with their names of axes."""
        for shape in ((32, 32, 32), (8, 32, 32), (32, 8, 32), (32, 32, 8)):
            self.view.set_volume(np.ones(shape, np.uint8))
            until(lambda: self.view.stage.sides == shape[::-1])
            for size in ((900, 560), (500, 700), (1000, 480)):
                self.view.resize(*size)
                spin(0.05)
                for is_perspective in (True, False):
                    self.view.set_perspective(is_perspective)
                    self.view.stage.reset()
                    inside = QtCore.QRectF(self.view.stage.rect())
                    for corner in range(8):
                        at = self.view.stage.project([corner >> i & 1 for i in range(3)])[0]
                        self.assertTrue(inside.contains(at), (shape, size, at))

    def project(self, picture, shape):
        """The pixel in the middle of each sample of a picture of (rows, columns) samples."""
        rows, columns = shape
        y = picture.shape[0] / 2 + (np.arange(rows) + 0.5 - rows / 2) * self.samples
        x = picture.shape[1] / 2 + (np.arange(columns) + 0.5 - columns / 2) * self.samples
        return picture[np.floor(y).astype(int)[:, None], np.floor(x).astype(int)]

    def check(self, wanted, most=4):
        """A picture of maxima. Between middles of pixels and samples values are interpolated, so they differ a little."""
        picture = self.project(self.draw(), wanted.shape)
        self.assertEqual(picture[..., 3].min(), 255)
        difference = picture[..., 0].astype(int) - wanted
        self.assertLess(abs(difference.mean()), 0.15 * most)
        return np.abs(difference)

    def smooth(self):
        """Where neighbours differ little, so that it does not matter where a ray passes a sample."""
        z, y, x = np.ogrid[:SHAPE[0], :SHAPE[1], :SHAPE[2]]
        return (120 + 50 * np.sin(x / 5 + z / 9) + 40 * np.cos(y / 6 - z / 4) + z).clip(0, 255).astype(np.uint8)

    def test_maximum(self):
        for kind, levels in (("u1", (0, 256)), ("f4", (20, 230)), ("i2", (40, 200))):
            with self.subTest(type=kind):
                array = self.smooth().astype(kind)
                self.start(array, levels)
                low, high = levels
                wanted = np.clip(np.floor((array.max(0).astype(float) - low) / (high - low) * 256), 0, 255).astype(int)
                self.assertLess(self.check(wanted).max(), 12)

    def test_along_other_axes(self):
        array = self.smooth()
        self.start(array)
        press_key(self.view.stage, Qt.Key.Key_Y)  # from above: x to the right, z upwards or downwards
        picture = self.project(self.draw(), (SHAPE[0], SHAPE[2]))[..., 0].astype(int)
        wanted = array.max(1).astype(int)
        self.assertLess(min(np.abs(picture - wanted).max(), np.abs(picture - wanted[::-1]).max()), 12)
        press_key(self.view.stage, Qt.Key.Key_X)
        picture = self.project(self.draw(), (SHAPE[1], SHAPE[0]))[..., 0].astype(int)
        wanted = array.max(2).T.astype(int)
        self.assertLess(min(np.abs(picture - wanted).max(), np.abs(picture - wanted[:, ::-1]).max()), 12)

    def test_clip_planes(self):
        array = np.zeros(SHAPE, np.uint8)
        array[2:6, 5:35, 5:43] = 100
        array[12:20, 20:36, 24:44] = 220
        self.start(array)
        whole = self.project(self.draw(), SHAPE[1:])[..., 0]
        self.assertEqual((whole[28, 34], whole[10, 10]), (220, 100))
        self.view.set_region((0, 0, 0), (9, *SHAPE[1:]))
        near = self.project(self.draw(), SHAPE[1:])[..., 0]
        self.assertEqual((near[28, 34], near[10, 10]), (100, 100))
        self.view.set_region((9, 0, 0), SHAPE)
        far = self.project(self.draw(), SHAPE[1:])[..., 0]
        self.assertEqual((far[28, 34], far[10, 10]), (220, 0))
        for axis in range(3):
            for end in range(2):
                begin, stop = [0, 0, 0], list(SHAPE)
                (begin if end == 0 else stop)[axis] = SHAPE[axis] // 2
                self.view.set_region(begin, stop)
                picture = self.project(self.draw(), SHAPE[1:])
                wanted = array[tuple(slice(a, b) for a, b in zip(begin, stop))].max(0)
                here = picture[begin[1] + 1:stop[1] - 1, begin[2] + 1:stop[2] - 1]
                self.assertLess(np.mean(here[..., 0] != wanted[1:-1, 1:-1]), 0.1)  # those at edges
                outside = picture[..., 3].astype(int)
                self.assertEqual(int((outside > 0).sum()), (stop[1] - begin[1]) * (stop[2] - begin[2]))

    def test_clip_planes_by_mouse(self):
        self.start()
        slider = self.view.clips[0]
        begin = QtCore.QPoint(round(slider.to_pixel(48)) + 4, slider.height() // 2)
        drag(slider, begin, QtCore.QPoint(round(slider.to_pixel(30)) + 4, begin.y()))
        self.assertEqual(slider.values()[0], 0)
        self.assertAlmostEqual(slider.values()[1], 30, delta=1)
        self.assertEqual(self.view.region()[1][2], slider.values()[1])
        self.assertAlmostEqual(self.draw()[..., 3].astype(bool).any(0).sum(), slider.values()[1] * self.samples, delta=2)
        middle = QtCore.QPoint(round(slider.to_pixel(15)), begin.y())
        drag(slider, middle, QtCore.QPoint(round(slider.to_pixel(60)), begin.y()))
        self.assertEqual(slider.values()[1], 48)
        press_key(slider, Qt.Key.Key_Left)
        self.assertGreater(slider.values()[0], 15)
        QtTest.QTest.mouseDClick(slider, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, middle)
        self.assertEqual(slider.values(), (0, 48))

    def test_transfer_function(self):
        array = np.zeros(SHAPE, np.uint8)
        array[:, 10:30, 10:38] = 200
        self.start(array, (0, 200))
        click(self.view.toolbar.button("Transfer function"))
        self.view.opacity.setValue(100)
        picture = self.project(self.draw(), SHAPE[1:])
        self.assertEqual(int(picture[2:8, 2:8, 3].max()), 0)     # black is clear
        self.assertGreater(int(picture[20, 20, 3]), 250)         # white is opaque
        self.view.opacity.setValue(5)
        thin = self.project(self.draw(), SHAPE[1:])
        # An opacity a of each of 24 samples leaves (1 - a)^24 of what lies behind.
        a = round(255 * 0.05 ** 1.5) / 255
        self.assertAlmostEqual(int(thin[20, 20, 3]) / 255, 1 - (1 - a) ** 24, delta=0.03)
        self.view.set_colour_map("viridis")
        coloured = self.project(self.draw(), SHAPE[1:])[20, 20].astype(int)
        self.assertGreater(coloured[1], 2 * coloured[2])  # yellow

    def test_movements(self):
        self.start(np.full(SHAPE, 200, np.uint8))
        stage = self.view.stage
        front = self.draw()
        drag(stage, QtCore.QPoint(200, 200), QtCore.QPoint(260, 200))
        np.testing.assert_allclose(stage.turn @ stage.turn.T, np.eye(3), atol=1e-9)
        self.assertGreater(stage.turn[0, 2], 0.1)  # the front went to the right
        turned = self.draw()
        self.assertFalse(np.array_equal(turned, front))
        width = turned[..., 3].astype(bool).any(0).sum()
        angle = math.acos(stage.turn[0, 0])
        self.assertAlmostEqual(width, self.samples * (48 * math.cos(angle) + 24 * math.sin(angle)), delta=4)
        zoom = stage.zoom
        wheel(stage, QtCore.QPoint(100, 100), 240)
        self.assertAlmostEqual(stage.zoom, zoom * 1.44)
        self.assertAlmostEqual(self.draw()[..., 3].astype(bool).any(0).sum(), width * 1.44, delta=6)
        stage.setFocus()
        drag(stage, QtCore.QPoint(200, 200), QtCore.QPoint(250, 240), Qt.MouseButton.MiddleButton)
        moved = np.argwhere(self.draw()[..., 3] > 0)
        middle = (moved.min(0) + moved.max(0)) / 2
        ratio = stage.devicePixelRatioF()
        np.testing.assert_allclose(middle / ratio, (stage.height() / 2 + 40, stage.width() / 2 + 50), atol=3)
        QtTest.QTest.mouseDClick(stage, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, QtCore.QPoint(50, 50))
        self.assertEqual((stage.zoom, stage.pan), (1.0, (0.0, 0.0)))

    def test_right_drag_and_histogram(self):
        self.start()
        drag(self.view.stage, QtCore.QPoint(100, 100), QtCore.QPoint(100, 160), RIGHT)
        np.testing.assert_allclose(self.view.levels(), (256 / 5, 256 * 1.2))
        np.testing.assert_allclose(self.view.histogram.levels(), self.view.levels())
        self.assertEqual(self.view.histogram.counts().sum(), self.array.size)

    def test_box(self):
        """Corners are drawn where rays find the volume."""
        self.start(np.full(SHAPE, 200, np.uint8))
        for turn, perspective in ((FRONT, False), (rotation((0, 1, 0), 0.4) @ rotation((1, 0, 0), 0.3), True)):
            self.view.set_perspective(perspective)
            self.view.set_view(turn=turn, zoom=0.9)
            solid = np.argwhere(self.draw()[..., 3] > 0) / self.view.stage.devicePixelRatioF()
            corners = np.array([[point.y(), point.x()] for point, _ in (self.view.stage.project([i >> j & 1 for j in range(3)]) for i in range(8))])
            np.testing.assert_allclose(solid.min(0), corners.min(0), atol=2)
            np.testing.assert_allclose(solid.max(0) + 1, corners.max(0), atol=2)
        with_box = seen(self.view.stage)
        self.view.stage.box = False
        self.view.stage.update()
        self.assertFalse(np.array_equal(seen(self.view.stage), with_box))

    def test_a_part_at_higher_resolution(self):
        z, y, x = np.ogrid[:64, :512, :512]
        array = ((x // 3 + y // 3 + z // 3) % 2 * 200).astype(np.uint8)  # which a coarse level shows as grey
        np.save(self.folder / "a.npy", array)
        volume = Volume(str(self.folder / "a.npy"))
        self.addCleanup(volume.close)
        from gsttomo.widgets import render
        with unittest.mock.patch.object(render, "MOST", 400_000):
            self.view.set_volume(volume)
            until(lambda: self.view.texture_shape() is not None)
            coarse = self.view.texture_shape()
            self.assertLessEqual(math.prod(coarse), 400_000)
            self.assertFalse(self.view.whole.isEnabled())
            self.view.set_region((10, 100, 200), (40, 200, 300))
            click(self.view.toolbar.button("Finer"))
            until(lambda: self.view.texture_shape() == (30, 100, 100))
            until(lambda: self.view.whole.isEnabled())
            self.assertEqual(self.view.stage.low + self.view.stage.high, (0.0,) * 3 + (1.0,) * 3)
            self.draw()
            click(self.view.toolbar.button("Whole"))
            until(lambda: self.view.texture_shape() == coarse)
            self.assertEqual(self.view.region(), ((0, 0, 0), (64, 512, 512)))

    def test_picture_file(self):
        self.start()
        self.draw()
        spin(0.1)
        self.view.to_png(str(self.folder / "a.png"))
        np.testing.assert_array_equal(pixels(QtGui.QImage(str(self.folder / "a.png"))), seen(self.view.stage))
        self.view.set_volume(None)
        with self.assertRaisesRegex(ValueError, "no picture"):
            self.view.to_png(str(self.folder / "b.png"))

    def test_speed(self):
        """A picture of 256^3 samples takes 0.2 s of two cores that have nothing else to do."""
        import time
        z, y, x = np.ogrid[:256, :256, :256]
        self.view.set_volume(((x + y + z) % 256).astype(np.uint8))
        until(lambda: self.finals)
        times = []
        for _ in range(3):
            begin = time.process_time()
            count = len(self.finals)
            self.view.set_view(turn=rotation((0, 1, 0), 0.3 + len(times)))
            until(lambda: len(self.finals) > count)
            times.append(time.process_time() - begin)
        self.assertLess(min(times), 2.0)

    def test_nothing_is_read_before_it_is_seen(self):
        self.view.hide()
        self.view.set_volume(self.array)
        spin(0.2)
        self.assertIsNone(self.view.texture_shape())
        self.view.show()
        until(lambda: self.view.texture_shape() == SHAPE)


class NoOpenGL(unittest.TestCase):
    def test_a_sentence_in_its_place(self):
        code = """
import time
import numpy as np
from gsttomo.widgets import VolumeView, application
app = application()
view = VolumeView()
told = []
view.failed.connect(told.append)
view.show()
view.set_volume(np.zeros((4, 5, 6)))
end = time.monotonic() + 20
while not told and time.monotonic() < end:
    app.processEvents()
    time.sleep(0.01)
assert "OpenGL 3.3" in told[0] and view.error() == told[0] and view.stage.note == told[0], told
view.set_volume(np.ones((4, 5, 6)))
view.set_mode("transfer")
for _ in range(50):
    app.processEvents()
    time.sleep(0.01)
assert len(told) == 1 and view.stage.note
view.close_threads()
print("well")
"""
        environment = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
        done = subprocess.run([sys.executable, "-c", code], env={**environment, "QT_QPA_PLATFORM": "offscreen"}, capture_output=True, text=True, timeout=60)
        self.assertEqual((done.stdout.strip(), done.returncode), ("well", 0), done.stderr)


if __name__ == "__main__":
    main()
