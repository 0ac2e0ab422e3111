# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Views half a turn apart over each other: their colours for an axis that is dragged, typed and moved by keys."""

import numpy as np
from guitest import RIGHT, Qt, QtCore, QtWidgets, click, drag, main, spin, type_into
from widgetstest import WidgetTest, press_key, seen

from gsttomo.widgets import AxisOverlay

RNG = np.random.default_rng(180)
SHIFT = Qt.KeyboardModifier.ShiftModifier


def shade(value, low, high):
    return np.clip(np.floor((value - low) / (high - low) * 256), 0, 255)


class Overlay(WidgetTest):
    def setUp(self):
        super().setUp()
        self.zero, self.opposite = RNG.uniform(0, 1, (2, 40, 60)).astype(np.float32)
        self.overlay = self.show(AxisOverlay(), 900, 560)
        self.overlay.set_images(self.zero, self.opposite)
        self.overlay.set_levels(0, 1)
        self.canvas = self.overlay.canvas
        self.ratio = self.canvas.devicePixelRatioF()
        spin(0.05)

    def line_at(self, y=200):
        return QtCore.QPoint(round(self.canvas.to_widget(QtCore.QPointF(self.overlay.axis(), 0)).x()), y)

    def shades_at(self, column, row, axis):
        """Of both views at the middle of a sample of the first one, by the definition of a mirror image."""
        mirrored = 2 * axis - (column + 0.5)
        other = int(np.floor(mirrored))
        inside = 0 <= other < 60 and abs(mirrored - np.round(mirrored)) > 0.1  # not where two samples meet
        return shade(self.zero[row, column], 0, 1), shade(self.opposite[row, other], 0, 1) if inside else None

    def check(self, axis, wanted):
        """wanted(a, b) is the colour of two shades."""
        self.assertAlmostEqual(self.overlay.axis(), axis, places=6)
        spin(0.05)
        image, checked = seen(self.canvas), 0
        for column, row in np.argwhere(np.ones((60, 34))):  # the scale bar and the text are below
            at = self.canvas.to_widget(QtCore.QPointF(column + 0.5, row + 0.5))
            a, b = self.shades_at(column, row, axis)
            if b is not None and row > 4 and abs(column + 0.5 - axis) > 1 and 0 < at.x() < self.canvas.width() and at.y() < self.canvas.height() - 50:
                colour = image[int(at.y() * self.ratio), int(at.x() * self.ratio)].astype(int)
                np.testing.assert_allclose(colour, wanted(a, b), atol=2, err_msg=f"column {column}, row {row}")
                checked += 1
        self.assertGreater(checked, 900)

    @staticmethod
    def cyan_and_red(a, b):
        return b, a, a

    def test_colours(self):
        self.check(30, self.cyan_and_red)
        agree = self.zero[:, ::-1].copy()
        self.overlay.set_images(self.zero, agree)
        spin(0.05)
        image = seen(self.canvas)
        part = image[image.shape[0] // 2 - 60:image.shape[0] // 2 + 60, image.shape[1] // 6:image.shape[1] // 3].astype(int)
        self.assertEqual(np.ptp(part, axis=2).max(), 0)  # white and grey where both agree
        self.assertGreater(part.max(), 240)

    def test_difference_and_sum(self):
        click(self.overlay.toolbar.button("Difference"))
        self.check(30, lambda a, b: (np.floor(a / 2) + 127 - np.floor(b / 2),) * 3)
        self.overlay.set_levels(0.2, 0.8)
        self.assertIn("-0.6 to 0.6", self.overlay._corner.text)
        self.overlay.set_levels(0, 1)
        click(self.overlay.toolbar.button("Sum"))
        self.check(30, lambda a, b: (np.floor(a / 2) + np.floor(b / 2),) * 3)
        with self.assertRaisesRegex(ValueError, "no way to show"):
            self.overlay.set_mode("product")

    def test_drag(self):
        told = self.heard(self.overlay.axis_changed)
        scale = self.canvas.scale()
        begin = self.line_at()
        drag(self.canvas, begin, begin + QtCore.QPoint(round(3.4 * scale), 30))
        axis = round(30 + round(3.4 * scale) / scale, 2)
        self.assertEqual(told[-1], axis)
        self.check(axis, self.cyan_and_red)
        self.assertTrue(self.canvas.is_fitted())  # the image did not move
        begin = QtCore.QPoint(100, 200)
        drag(self.canvas, begin, begin + QtCore.QPoint(50, 0))
        self.assertEqual(self.overlay.axis(), axis)
        self.assertFalse(self.canvas.is_fitted())

    def test_keys(self):
        told = self.heard(self.overlay.axis_changed)
        for key, modifiers in ((Qt.Key.Key_Right, SHIFT), (Qt.Key.Key_Right, SHIFT), (Qt.Key.Key_Left, Qt.KeyboardModifier.NoModifier),
                               (Qt.Key.Key_Left, Qt.KeyboardModifier.NoModifier), (Qt.Key.Key_Left, SHIFT)):
            press_key(self.canvas, key, modifiers)
        self.assertEqual(told, [31.0, 32.0, 31.9, 31.8, 30.8])
        self.check(30.8, self.cyan_and_red)

    def test_field(self):
        field = self.overlay.findChild(QtWidgets.QDoubleSpinBox)
        told = self.heard(self.overlay.axis_changed)
        type_into(field, "28.3")
        self.assertEqual(told, [28.3])
        self.check(28.3, self.cyan_and_red)
        self.overlay.set_axis(31.5)
        self.assertEqual((told, field.value()), ([28.3], 31.5))

    def test_parts_of_pixels_change_no_sample(self):
        """The mirrored view is drawn beside its samples: its edge lies where the axis says, to a pixel of the screen."""
        self.overlay.set_images(np.zeros((40, 60)), np.ones((40, 60)), levels=(0, 1))
        for axis in (27.3, 27.4, 27.5):
            self.overlay.set_axis(axis)
            spin(0.03)
            image = seen(self.canvas)
            red = image[image.shape[0] // 2, :, 0] > 128
            edge = 2 * axis  # where column 0 goes
            found = np.flatnonzero(red)[-1] + 1
            self.assertAlmostEqual(found / self.ratio, self.canvas.to_widget(QtCore.QPointF(edge, 0)).x(), delta=1.01)

    def test_levels_of_both(self):
        self.overlay.auto_levels()
        both = np.concatenate([self.zero.ravel(), self.opposite.ravel()])
        np.testing.assert_allclose(self.overlay.levels(), np.percentile(both, (0.5, 99.5)), rtol=1e-5)
        drag(self.canvas, QtCore.QPoint(60, 200), QtCore.QPoint(60, 260), RIGHT)
        low, high = np.percentile(both, (0.5, 99.5))
        np.testing.assert_allclose(self.overlay.levels(), np.array((low, high)) + (high - low) * 60 / 300, rtol=1e-5)

    def test_other_views(self):
        self.overlay.set_axis(33)
        self.overlay.set_images(self.opposite, self.zero)
        self.assertEqual(self.overlay.axis(), 33)
        self.overlay.set_images(np.ones((20, 100)), np.ones((20, 100)))
        self.assertEqual(self.overlay.axis(), 50)
        with self.assertRaisesRegex(ValueError, "two of one size"):
            self.overlay.set_images(self.zero, self.opposite[1:])
        with self.assertRaisesRegex(ValueError, "edge coordinate"):
            self.overlay.set_axis(np.nan)
        self.overlay.clear("No views")
        spin(0.05)
        self.assertGreater(np.ptp(seen(self.canvas)), 100)


if __name__ == "__main__":
    main()
