# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The viewer of an image, its histogram, its tools and its files, by mouse, keys and pixels."""

import pathlib
import time
import warnings

import numpy as np
from guitest import RIGHT, Qt, QtCore, QtTest, QtWidgets, click, drag, main, move, spin  # noqa: I001
from pyqtgraph.Qt import QtGui
from widgetstest import CONTROL, WidgetTest, at_sample, colour_at, pixels, press_key, seen, wheel

from gsttomo.widgets import ImageView, Layer

RNG = np.random.default_rng(16)


def shades(array, low, high):
    """Grey of samples by the definition of levels."""
    return np.clip(np.floor((array.astype(np.float64) - low) / (high - low) * 256), 0, 255).astype(np.uint8)


class Pixels(WidgetTest):
    def view(self, array, **options):
        view = self.show(ImageView(**options))
        view.set_image(array, fit=True)
        spin(0.05)
        return view

    def check_samples(self, view, array, low, high):
        """Each sample has its shade in its middle, but for those below the scale bar and the words at the lower edge."""
        image, canvas = seen(view.canvas), view.canvas
        wanted = shades(array, low, high)
        for row, column in np.ndindex(array.shape):
            at = at_sample(canvas, column, row)
            if at.y() > canvas.height() - 48:
                self.assertEqual(row, len(array) - 1)
                continue
            self.assertEqual(colour_at(canvas, at.x(), at.y(), image), (wanted[row, column],) * 3, (row, column))

    def test_every_type(self):
        for kind in ("?", "u1", "i1", "u2", "i2", "u4", "i4", "i8", "u8", "f2", "f4", "f8", ">u2", ">f4"):
            with self.subTest(type=kind):
                array = (RNG.uniform(0, 1, (7, 9)) > 0.5 if kind == "?" else RNG.uniform(0, 100, (7, 9))).astype(kind)
                view = self.view(array, toolbar=False)
                low, high = np.percentile(array.astype(np.float64), (0.5, 99.5))
                np.testing.assert_allclose(view.levels(), (low, high), rtol=1e-3)
                view.set_levels(10.2, 90.1) if kind != "?" else view.set_levels(0, 2)
                spin(0.02)
                self.check_samples(view, array, *view.levels())

    def test_complex_numbers_and_colours(self):
        array = RNG.normal(size=(5, 6)) + 1j * RNG.normal(size=(5, 6))
        view = self.view(array)
        self.check_samples(view, np.abs(array), *view.levels())
        colours = RNG.integers(0, 256, (5, 6, 3), np.uint8)
        view.set_image(colours, fit=True)
        image = seen(view.canvas)
        for row, column in np.ndindex(4, 6):  # the scale bar lies over the last row
            at = at_sample(view.canvas, column, row)
            self.assertEqual(colour_at(view.canvas, at.x(), at.y(), image), tuple(colours[row, column]))

    def test_no_image(self):
        view = self.view(np.ones((3, 3)))
        for wrong in (np.ones(3), np.ones((2, 3, 4)), np.ones((0, 3)), np.array([["a"]])):
            with self.assertRaisesRegex(ValueError, "wanted an image"):
                view.set_image(wrong)
        view.clear("Nothing here")
        self.assertIsNone(view.image())
        self.assertGreater(np.ptp(seen(view.canvas)), 100)  # the note

    def test_nothing_finite(self):
        array = RNG.uniform(1, 2, (40, 50)).astype(np.float32)
        array[3], array[4], array[5] = np.nan, np.inf, -np.inf
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            view = self.view(array)
            finite = array[np.isfinite(array)]
            np.testing.assert_allclose(view.levels(), np.percentile(finite, (0.5, 99.5)), rtol=1e-5)
            self.assertEqual(view.histogram.counts().sum(), finite.size)
            image = seen(view.canvas)
            for row, shade in ((3, 0), (4, 255), (5, 0)):
                at = at_sample(view.canvas, 20, row)
                self.assertEqual(colour_at(view.canvas, at.x(), at.y(), image), (shade,) * 3)
            view.set_image(np.full((4, 4), np.nan))
            view.set_image(np.full((4, 4), 7.0))
            spin(0.05)
            rows, columns = (size // 2 for size in seen(view.canvas).shape[:2])
            self.assertEqual(np.ptp(seen(view.canvas)[rows - 50:rows + 50, columns - 50:columns + 50]), 0)

    def test_extreme_images(self):
        """One sample, one row, one column, and the largest numbers of each type: no warning, finite levels, a file."""
        view = self.show(ImageView())
        with warnings.catch_warnings():
            warnings.simplefilter("error", RuntimeWarning)
            for array in (np.ones((1, 1)), np.arange(5000.0)[None], np.arange(5000.0)[:, None], np.full((3, 3), 1e30, np.float32),
                          np.full((3, 3), 1e-300), np.array([[-2 ** 63, 2 ** 63 - 1]]), np.array([[0, 2 ** 64 - 1]], np.uint64),
                          np.array([[1e308, -1e308, 0]]), np.array([[np.inf, -np.inf, np.nan]]), np.zeros((4, 4), np.float16)):
                view.set_image(array, fit=True)
                for factor in (1e9, 1e-12):
                    view.canvas.zoom(factor)
                    spin(0.02)
                for name in ("profile", "length", "region"):
                    view.measure(name, (0, 0), (1, 1))
                    view.measure(name, (0.3, 0.3), (0.3, 0.3))
                view.fit()
                view.auto_levels()
                self.assertTrue(np.isfinite(view.levels()).all() and view.levels()[1] > view.levels()[0])
                view.to_png(self.folder / "a.png")
                self.assertFalse(QtGui.QImage(str(self.folder / "a.png")).isNull())

    def test_squares_above_200_percent_and_linear_below(self):
        array = RNG.choice([3, 250], (60, 60)).astype(np.uint8)
        view = self.view(array)
        canvas = view.canvas
        for scale, is_nearest in ((4, True), (2.5, True), (1.5, False)):
            view.set_levels(0, 256)
            canvas.show_part(scale / canvas.devicePixelRatioF(), QtCore.QPointF(30, 30))
            spin(0.05)
            rows, columns = (size // 2 for size in seen(canvas).shape[:2])
            middle = seen(canvas)[rows - 30:rows + 30, columns - 30:columns + 30, 0]
            values = set(middle.ravel()) - set(array.ravel())
            self.assertEqual(not values, is_nearest, scale)

    def test_smaller_pictures_are_means(self):
        array = RNG.uniform(0, 1, (1024, 1024)).astype(np.float32)
        view = self.view(array)
        view.set_levels(0, 1)
        canvas = view.canvas
        canvas.show_part(0.25 / canvas.devicePixelRatioF(), QtCore.QPointF(512, 512))
        spin(0.05)
        image = seen(canvas)[..., 0].astype(float)
        inside = image[image.shape[0] // 2 - 60:image.shape[0] // 2 + 60, image.shape[1] // 2 - 60:image.shape[1] // 2 + 60]
        self.assertLess(inside.std(), 1.3 * 255 / np.sqrt(12) / 4)  # of means of 16 samples; of single ones it would be 73
        self.assertAlmostEqual(inside.mean(), 127.5, delta=2)

    def test_colour_maps(self):
        view = self.view(np.array([[0.0, 1.0]]))
        view.set_levels(0, 1)
        # Ends of viridis as published (S. van der Walt and N. Smith): 0.267, 0.005, 0.329 and 0.993, 0.906, 0.144.
        for name, ends in (("grey", ((0,) * 3, (255,) * 3)), ("inverted", ((255,) * 3, (0,) * 3)), ("viridis", ((68, 1, 84), (253, 231, 37)))):
            view.set_colour_map(name)
            spin(0.02)
            for column, wanted in enumerate(ends):
                at = at_sample(view.canvas, column, 0)
                np.testing.assert_allclose(colour_at(view.canvas, at.x(), at.y()), wanted, atol=1)
        for name in view.colour_maps():
            view.set_colour_map(name)
        with self.assertRaisesRegex(ValueError, "no colour map"):
            view.set_colour_map("pink")

    def test_a_coarser_level_lies_in_the_same_place(self):
        view = self.view(np.zeros((30, 50)))
        area, scale = view.canvas.area(), view.scale()
        coarse = RNG.uniform(0, 1, (8, 13))
        view.set_image(coarse, step=4, levels=(0, 1), size=(50, 30))
        spin(0.05)
        self.assertEqual((view.canvas.area(), view.scale()), (area, scale))
        image = seen(view.canvas)
        for column, row in ((2, 2), (17, 22), (46, 5)):
            at = at_sample(view.canvas, column, row)
            self.assertEqual(colour_at(view.canvas, at.x(), at.y(), image)[0], shades(coarse, 0, 1)[row // 4, column // 4])
            self.assertEqual(view.value_at(column + 0.5, row + 0.5), coarse[row // 4, column // 4])

    def test_large_images_are_quick(self):
        view = self.show(ImageView(), 1200, 700)
        image = RNG.integers(0, 60000, (2048, 2048), np.uint16).astype(np.float32)
        view.set_image(image, fit=True)
        spin(0.1)
        times = []
        for _ in range(5):
            begin = time.process_time()
            view.set_image(image)
            view.canvas.repaint()
            times.append(time.process_time() - begin)
        self.assertLess(min(times), 0.15)


class Mouse(WidgetTest):
    def setUp(self):
        super().setUp()
        self.view = self.show(ImageView())
        self.array = RNG.uniform(0, 1, (200, 300)).astype(np.float32)
        self.view.set_image(self.array, fit=True)
        self.canvas = self.view.canvas
        spin(0.05)

    def test_zoom_keeps_the_sample_under_the_pointer(self):
        at = QtCore.QPoint(140, 120)
        where = self.canvas.to_image(QtCore.QPointF(at))
        before = self.view.scale()
        for turned in (120, 120, 120, 120, 120, -120, 120):
            wheel(self.canvas, at, turned, CONTROL)
        self.assertAlmostEqual(self.view.scale(), before * 1.2 ** 5)
        now = self.canvas.to_image(QtCore.QPointF(at))
        self.assertAlmostEqual(now.x(), where.x(), places=6)
        self.assertAlmostEqual(now.y(), where.y(), places=6)
        shade = shades(self.array, *self.view.levels())[int(where.y()), int(where.x())]
        self.assertEqual(colour_at(self.canvas, at.x(), at.y()), (shade,) * 3)

    def test_wheel_steps(self):
        told = self.heard(self.view.stepped)
        for turned in (-120, 120, -240, -60, -60, -15):
            wheel(self.canvas, QtCore.QPoint(50, 50), turned)
        self.assertEqual(told, [1, -1, 2, 1])
        for key in (Qt.Key.Key_PageDown, Qt.Key.Key_Up):
            press_key(self.canvas, key)
        self.assertEqual(told[4:], [10, -1])

    def test_drag_moves(self):
        self.canvas.zoom(4)
        where = self.canvas.to_image(QtCore.QPointF(100, 100))
        drag(self.canvas, QtCore.QPoint(100, 100), QtCore.QPoint(163, 141))
        now = self.canvas.to_image(QtCore.QPointF(163, 141))
        self.assertAlmostEqual(now.x(), where.x(), places=6)
        self.assertAlmostEqual(now.y(), where.y(), places=6)
        QtTest.QTest.mouseDClick(self.canvas, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, QtCore.QPoint(90, 90))
        self.assertTrue(self.canvas.is_fitted())
        self.assertAlmostEqual(self.canvas.centre().x(), 150)

    def test_click_and_drag_differ(self):
        told = self.heard(self.view.pressed)
        click(self.canvas, QtCore.QPoint(100, 100))
        self.assertEqual(self.canvas.to_widget(QtCore.QPointF(*told[0])).toPoint(), QtCore.QPoint(100, 100))
        drag(self.canvas, QtCore.QPoint(200, 100), QtCore.QPoint(250, 100))
        self.assertEqual(len(told), 1)

    def test_right_drag_is_window_and_level(self):
        self.view.set_levels(0.2, 0.8)
        told = self.heard(self.view.levels_changed)
        drag(self.canvas, QtCore.QPoint(100, 100), QtCore.QPoint(250, 130), RIGHT)
        width, level = 0.6 * 2, 0.5 + 0.6 * 30 / 300  # 150 pixels to the right double the window
        np.testing.assert_allclose(self.view.levels(), (level - width / 2, level + width / 2), rtol=1e-6)
        np.testing.assert_allclose(told[-1], self.view.levels())
        np.testing.assert_allclose(self.view.histogram.levels(), self.view.levels())
        self.assertFalse(self.view.is_automatic())
        self.canvas.show_part(5, QtCore.QPointF(150, 100))
        at = at_sample(self.canvas, 150, 100)
        self.assertEqual(colour_at(self.canvas, at.x(), at.y())[0], shades(self.array, *self.view.levels())[100, 150])

    def test_levels_stay_or_follow(self):
        self.view.set_image(self.array * 10)
        np.testing.assert_allclose(self.view.levels(), np.percentile(self.array * 10, (0.5, 99.5)), rtol=0.01)
        self.view.set_levels(1, 2)
        self.view.set_image(self.array)
        self.assertEqual(self.view.levels(), (1, 2))
        click(self.view.toolbar.button("Auto"))
        np.testing.assert_allclose(self.view.levels(), np.percentile(self.array, (0.5, 99.5)), rtol=0.01)

    def test_histogram(self):
        histogram = self.view.histogram
        self.assertAlmostEqual(histogram.counts().sum(), self.array.size, delta=self.array.size / 50)
        low, high = self.view.levels()
        begin = QtCore.QPoint(round(histogram.to_pixel(high)), 30)
        drag(histogram, begin, begin - QtCore.QPoint(100, 0))
        self.assertEqual(self.view.levels()[0], low)
        self.assertAlmostEqual(self.view.levels()[1], histogram.to_value(histogram.to_pixel(high) - 100), delta=0.01)
        low, high = self.view.levels()
        middle = QtCore.QPoint(round(histogram.to_pixel((low + high) / 2)), 30)
        drag(histogram, middle, middle + QtCore.QPoint(20, 0))
        self.assertAlmostEqual(self.view.levels()[1] - self.view.levels()[0], high - low)
        self.assertGreater(self.view.levels()[0], low)
        press_key(histogram, Qt.Key.Key_Up)
        self.assertGreater(self.view.levels()[1] - self.view.levels()[0], high - low)
        QtTest.QTest.mouseDClick(histogram, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, middle)
        self.assertTrue(self.view.is_automatic())

    def test_read_out_does_not_jump(self):
        texts, told = [], self.heard(self.view.pointed)
        for column, row in ((0, 0), (150, 100), (299, 199)):
            move(self.canvas, at_sample(self.canvas, column, row))
            spin(0.05)
            texts.append(self.view.readout.text())
            words = texts[-1].split()
            self.assertEqual((int(words[1]), int(words[3])), (column, row))
            self.assertAlmostEqual(float(words[5]), self.array[row, column], delta=1e-4)
        move(self.canvas, QtCore.QPoint(2, 2))
        spin(0.05)
        texts.append(self.view.readout.text())
        self.assertEqual(len({len(text) for text in texts}), 1, texts)
        self.assertIsNone(told[-1])

    def test_overlays(self):
        class Cross(Layer):
            taken = False

            def paint(self, painter):
                painter.fillRect(QtCore.QRectF(self.canvas.to_widget(QtCore.QPointF(10, 10)), QtCore.QSizeF(20, 20)), QtGui.QColor("#ff0000"))

            def press(self, at, event):
                self.taken = at.x() < 50
                return self.taken

        layer = self.view.add_overlay(Cross())
        at = self.canvas.to_widget(QtCore.QPointF(10, 10)) + QtCore.QPointF(10, 10)
        self.assertEqual(colour_at(self.canvas, at.x(), at.y()), (255, 0, 0))
        drag(self.canvas, QtCore.QPoint(20, 200), QtCore.QPoint(90, 200))
        self.assertTrue(layer.taken and self.canvas.is_fitted())
        self.view.remove_overlay(layer)
        self.assertNotEqual(colour_at(self.canvas, at.x(), at.y()), (255, 0, 0))

    def test_the_view_stays_in_another_image_and_size(self):
        self.canvas.zoom(5, QtCore.QPointF(100, 50))
        centre, scale = self.canvas.centre(), self.view.scale()
        self.view.set_image(self.array[::-1])
        self.view.resize(640, 520)
        spin(0.1)
        self.assertEqual(self.view.scale(), scale)
        self.assertAlmostEqual(self.canvas.centre().x(), centre.x(), places=6)
        self.view.set_image(np.ones((10, 10)))  # of which nothing would be seen
        self.assertTrue(self.canvas.seen().contains(self.canvas.area()))


class Tools(WidgetTest):
    def setUp(self):
        super().setUp()
        self.view = self.show(ImageView(), 700, 600)
        y, x = np.ogrid[:120, :160]
        self.array = (2.0 * x + 3.0 * y).astype(np.float32)  # which linear interpolation meets exactly
        self.view.set_image(self.array, fit=True)
        self.view.set_pixel_size(0.65e-6)
        self.canvas = self.view.canvas
        spin(0.05)

    def choose(self, name):
        click(self.view.toolbar.button(name.capitalize()))
        spin(0.05)

    def use(self, name, begin, end):
        """Drags with the tool that is chosen; returns what was told last."""
        told = self.heard(self.view.measured)
        drag(self.canvas, *(self.canvas.to_widget(QtCore.QPointF(*place)).toPoint() for place in (begin, end)))
        tool, measured = told[-1]
        self.assertEqual(tool, name)
        return measured

    def places(self, begin, end):
        """Where the mouse will really be, which moves by whole pixels."""
        return [self.canvas.to_image(QtCore.QPointF(self.canvas.to_widget(QtCore.QPointF(*place)).toPoint())) for place in (begin, end)]

    def test_profile(self):
        self.choose("profile")
        a, b = self.places((20, 30), (100, 70))
        distances, values = self.use("profile", (20, 30), (100, 70))
        length = np.hypot(b.x() - a.x(), b.y() - a.y())
        self.assertAlmostEqual(distances[-1], length, places=4)
        along = distances / length
        wanted = 2 * (a.x() + along * (b.x() - a.x()) - 0.5) + 3 * (a.y() + along * (b.y() - a.y()) - 0.5)
        np.testing.assert_allclose(values, wanted, atol=1e-3)
        plot = self.view.profile_plot()
        shown, heights = plot.values()
        np.testing.assert_allclose(shown[-1], length * 0.65, rtol=1e-6)  # micrometres
        np.testing.assert_allclose(heights, values)
        self.assertTrue(plot.isVisible())
        press_key(self.canvas, Qt.Key.Key_Delete)
        self.assertFalse(len(plot.values()[0] or ()))
        click(self.view.toolbar.button("Move"))
        self.assertFalse(plot.isVisible())

    def test_profile_over_the_edge(self):
        """What lies outside of the image is no part of the line."""
        distances, values = self.view.measure("profile", (-10, 60), (10, 60))
        self.assertEqual(distances[-1], 10)
        self.assertTrue(np.isfinite(values).all())
        self.assertIsNone(self.view.measure("profile", (5, 5), (5, 5)))

    def test_length(self):
        self.choose("length")
        a, b = self.places((10, 10), (130, 100))
        length = self.use("length", (10, 10), (130, 100))
        self.assertAlmostEqual(length, np.hypot(b.x() - a.x(), b.y() - a.y()), places=4)
        text = self.view._tools["length"].text
        self.assertIn(f"{length:.1f} px", text)
        self.assertAlmostEqual(float(text.split("= ")[1].split()[0]), length * 0.65, delta=0.06)
        # An end can be dragged, along a row with Shift; a click elsewhere removes it.
        drag(self.canvas, self.canvas.to_widget(b).toPoint(), self.canvas.to_widget(QtCore.QPointF(60, 100)).toPoint())
        self.assertAlmostEqual(self.view._tools["length"].pairs()[1][0], 60, delta=1)

    def test_region(self):
        self.choose("region")
        a, b = self.places((15, 25), (95, 85))
        number, mean, std, low, high = self.use("region", (15, 25), (95, 85))
        part = self.array[int(np.ceil(a.y() - 0.5)):int(np.ceil(b.y() - 0.5)), int(np.ceil(a.x() - 0.5)):int(np.ceil(b.x() - 0.5))]
        self.assertEqual((number, low, high), (part.size, part.min(), part.max()))
        np.testing.assert_allclose((mean, std), (part.mean(), part.std()), rtol=1e-5)
        # Moved as a whole, and measured anew in another image.
        drag(self.canvas, self.canvas.to_widget(QtCore.QPointF(50, 50)).toPoint(), self.canvas.to_widget(QtCore.QPointF(70, 50)).toPoint())
        told = self.heard(self.view.measured)
        self.view.set_image(self.array * 0 + 5)
        self.assertEqual(told[-1][1][:3], (number, 5.0, 0.0))

    def test_scale_bar(self):
        self.canvas.show_part(4 / self.canvas.devicePixelRatioF(), QtCore.QPointF(80, 60))
        for size, text in ((0.65e-6, None), (None, None)):
            self.view.set_pixel_size(size)
            image = seen(self.canvas)
            bright = (image > 200).all(2) if image.ndim == 3 else image
            ratio = self.canvas.devicePixelRatioF()
            row = bright[int(image.shape[0] - 13 * ratio), :int(200 * ratio)]
            pixels_long = int(row.sum())
            unit = 0.65 if size else 1.0
            length = pixels_long / 4 * unit
            # A round number of micrometres or samples: 1, 2 or 5 times a power of ten.
            first = length / 10 ** np.floor(np.log10(length) + 1e-3)
            self.assertLess(min(abs(first - each) / each for each in (1, 2, 5, 10)), 0.05, (pixels_long, length))

    def test_picture_and_raw_values(self):
        self.view.set_levels(0, 700)
        self.view.set_colour_map("viridis")
        self.view.set_scale_bar(False)
        name = self.folder / "slice.png"
        self.canvas.fit()
        self.view.export_to(str(name))
        picture = pixels(QtGui.QImage(str(name)))
        table = np.array([[(int(colour) >> 16) & 255, (int(colour) >> 8) & 255, int(colour) & 255] for colour in self.view.colours()])
        factor = picture.shape[0] // 120
        self.assertEqual(picture.shape[:2], (120 * factor, 160 * factor))
        for row, column in ((0, 0), (0, 159), (119, 0), (119, 159), (60, 80)):
            middle = picture[row * factor + factor // 2, column * factor + factor // 2]
            np.testing.assert_array_equal(middle, table[shades(self.array, 0, 700)[row, column]])
        self.view.set_scale_bar(True)
        self.view.to_png(name)
        self.assertFalse(np.array_equal(pixels(QtGui.QImage(str(name))), picture))
        import tifffile
        self.view.export_to(str(self.folder / "slice.tif"))
        with tifffile.TiffFile(self.folder / "slice.tif") as file:
            np.testing.assert_array_equal(file.asarray(), self.array)
            number, parts = file.pages[0].tags["XResolution"].value
        self.assertAlmostEqual(0.01 / (number / parts), 0.65e-6, delta=1e-10)
        self.assertEqual(sorted(path.name for path in pathlib.Path(self.folder).iterdir()), ["slice.png", "slice.tif"])

    def test_files_that_cannot_be_written(self):
        told = self.heard(self.view.failed)
        for name in (self.folder / "missing" / "a.png", self.folder / "a.gif", self.folder / "missing" / "a.tif"):
            self.view.export_to(str(name))
        self.assertEqual(len(told), 3)
        self.assertIn("missing", told[0])
        self.assertIn(".png", told[1])
        self.assertEqual(list(self.folder.iterdir()), [])


class Bar(WidgetTest):
    def test_a_narrow_window_keeps_all_tools(self):
        view = self.show(ImageView(), 240, 300)
        more = view.toolbar.findChild(QtWidgets.QToolButton, "qt_toolbar_ext_button")
        self.assertTrue(more.isVisible())
        self.assertFalse(view.toolbar.button("Export").isVisible())
        self.assertLess(view.minimumSizeHint().width(), 700)


if __name__ == "__main__":
    main()
