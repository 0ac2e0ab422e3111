# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Planes of a volume, two volumes compared, and the loader that reads for them."""

import runpy
import sys
import threading
import time
from unittest import mock

import h5py
import numpy as np
import zarr_files
from guitest import APPLICATION, RIGHT, ROOT, Qt, QtCore, click, drag, main, move, own_time, spin, until
from widgetstest import WidgetTest, at_sample, colour_at, press_key, seen, wheel

from gsttomo.widgets import CompareView, Loader, SliceView, Volume, VolumeError

RNG = np.random.default_rng(5)
SHAPE = (30, 50, 70)


def shades(array, low, high):
    return np.clip(np.floor((array.astype(np.float64) - low) / (high - low) * 256), 0, 255).astype(np.uint8)


class Slices(WidgetTest):
    def setUp(self):
        super().setUp()
        self.array = RNG.uniform(0, 1, SHAPE).astype(np.float32)
        self.view = self.show(SliceView(), 1000, 760)
        self.addCleanup(self.view.close_loader)
        self.told = self.heard(self.view.position_changed)

    def shows(self, volume):
        self.view.set_volume(volume)
        until(lambda: all(pane.plane() is not None for pane in self.view.panes) and self.view.histogram.counts().size)
        spin(0.1)

    def wait(self, pane, index):
        until(lambda: pane.view.image() is not None and np.array_equal(pane.view.image(), self.array.take(index, pane.axis)), f"plane {index} never came")
        spin(0.05)

    def check_pixels(self, pane):
        image, canvas, array = seen(pane.view.canvas), pane.view.canvas, pane.view.image()
        wanted = shades(array, *pane.view.levels())
        for row, column in ((3, 4), (array.shape[0] - 9, 40), (7, 30)):  # beside crosshair, scale bar and words
            at = at_sample(canvas, column, row)
            self.assertEqual(colour_at(canvas, at.x(), at.y(), image), (wanted[row, column],) * 3, (pane.axis, row, column))

    def test_planes_and_levels(self):
        self.shows(self.array)
        self.assertEqual(self.view.position(), (15, 25, 35))
        for pane, index in zip(self.view.panes, self.view.position()):
            np.testing.assert_array_equal(pane.view.image(), self.array.take(index, pane.axis))
            self.check_pixels(pane)
        some = self.array[[7, 15, 22]]
        np.testing.assert_allclose(self.view.levels(), np.percentile(some, (0.5, 99.5)), rtol=0.02)
        for pane in self.view.panes:
            self.assertEqual(pane.view.levels(), self.view.levels())

    def test_profile(self):
        """Only the plane with a line has a plot; what lies outside of the image is no part of the line."""
        self.shows(self.array)
        click(self.view.toolbar.button("Profile"))
        view = self.view.panes[0].view
        plots = [pane.view.profile_plot() for pane in self.view.panes]
        self.assertFalse(any(plot.isVisible() for plot in plots))
        told = self.heard(view.measured)
        end = at_sample(view.canvas, 40, 20)
        drag(view.canvas, QtCore.QPoint(2, end.y()), end)
        spin(0.1)
        self.assertEqual([plot.isVisible() for plot in plots], [True, False, False])
        distances, values = told[-1][1]
        self.assertAlmostEqual(distances[-1], 40.5, delta=0.1)
        self.assertTrue(np.isfinite(values).all())
        press_key(view.canvas, Qt.Key.Key_Delete)
        self.assertFalse(any(plot.isVisible() for plot in plots))

    def test_click_moves_the_crosshair(self):
        self.shows(self.array)
        z, y, x = self.view.panes
        click(z.view.canvas, at_sample(z.view.canvas, 12, 40))
        self.assertEqual((self.told[-1], self.view.position()), ((15, 40, 12),) * 2)
        self.wait(y, 40)
        self.wait(x, 12)
        click(x.view.canvas, at_sample(x.view.canvas, 33, 4))
        self.assertEqual(self.view.position(), (4, 33, 12))
        self.wait(z, 4)
        self.check_pixels(z)

    def test_drag_of_a_line(self):
        self.shows(self.array)
        y = self.view.panes[1]
        begin = y.view.canvas.to_widget(QtCore.QPointF(35.5, 3)).toPoint()
        drag(y.view.canvas, begin, at_sample(y.view.canvas, 50, 20))
        self.assertEqual(self.view.position(), (15, 25, 50))  # the line of x moves along x alone
        self.wait(self.view.panes[2], 50)

    def test_wheel_keys_and_slider(self):
        self.shows(self.array)
        z, y, x = self.view.panes
        wheel(y.view.canvas, QtCore.QPoint(40, 40), -240)
        self.assertEqual(self.view.position(), (15, 27, 35))
        press_key(x.view.canvas, Qt.Key.Key_PageDown)
        press_key(x.view.canvas, Qt.Key.Key_Up)
        self.assertEqual(self.view.position(), (15, 27, 44))
        press_key(z.view.canvas, Qt.Key.Key_End)
        self.assertEqual(self.view.position(), (29, 27, 44))
        z.slider.setValue(3)
        self.assertEqual((self.view.position(), self.told[-1]), ((3, 27, 44),) * 2)
        self.wait(z, 3)
        self.wait(y, 27)
        self.wait(x, 44)

    def test_levels_by_right_drag_count_for_all(self):
        self.shows(self.array)
        low, high = self.view.levels()
        canvas = self.view.panes[2].view.canvas
        drag(canvas, QtCore.QPoint(40, 40), QtCore.QPoint(40, 100), RIGHT)
        moved = (high - low) * 60 / 300
        np.testing.assert_allclose(self.view.levels(), (low + moved, high + moved), rtol=1e-5)
        np.testing.assert_allclose(self.view.histogram.levels(), self.view.levels())
        for pane in self.view.panes:
            np.testing.assert_allclose(pane.view.levels(), self.view.levels())
            self.check_pixels(pane)
        click(self.view.toolbar.button("Auto"))
        np.testing.assert_allclose(self.view.levels(), (low, high))

    def test_one_plane_alone(self):
        self.shows(self.array)
        width = self.view.panes[1].width()
        click(self.view.toolbar.button("y"))
        spin(0.1)
        self.assertEqual([pane.isVisible() for pane in self.view.panes], [False, True, False])
        self.assertGreater(self.view.panes[1].width(), 1.9 * width)
        self.assertEqual(self.view.panes[1].width(), self.view.width())
        click(self.view.toolbar.button("Three"))
        self.assertTrue(all(pane.isVisible() for pane in self.view.panes))

    def test_read_out(self):
        self.shows(self.array)
        told = self.heard(self.view.pointed)
        canvas = self.view.panes[1].view.canvas
        move(canvas, at_sample(canvas, 60, 9))
        spin(0.1)
        words = told[-1].split()
        self.assertEqual([int(words[i]) for i in (1, 3, 5)], [60, 25, 9])
        self.assertAlmostEqual(float(words[7]), self.array[9, 25, 60], delta=1e-4)
        self.assertEqual(self.view.readout.text().strip(), told[-1])

    def test_thin_volumes(self):
        for shape in ((1, 1, 1), (1, 20, 30), (20, 1, 30), (20, 30, 1)):
            self.array = RNG.uniform(0, 1, shape)
            self.shows(self.array)
            for pane in self.view.panes:
                wheel(pane.view.canvas, QtCore.QPoint(30, 30), -12000)
            self.assertEqual(self.view.position(), tuple(size - 1 for size in shape))
            for pane in self.view.panes:
                self.wait(pane, shape[pane.axis] - 1)

    def test_another_volume_takes_its_place(self):
        self.shows(self.array)
        self.array = RNG.uniform(5, 6, (12, 20, 16))
        self.shows(self.array)
        self.assertEqual(self.view.position(), (6, 10, 8))
        self.wait(self.view.panes[0], 6)
        self.assertGreater(self.view.levels()[0], 4)
        self.view.set_volume(None)
        spin(0.1)
        self.assertIsNone(self.view.panes[0].view.image())

    def test_scrolling_and_the_best_level(self):
        self.view.resize(520, 560)
        shape = (64, 512, 512)
        array = RNG.integers(0, 1000, shape).astype(np.uint16)
        name = str(self.folder / "p.h5")
        with h5py.File(name, "w") as file:
            file.create_dataset("data", data=array, chunks=(1, 512, 512))
            level = file.create_dataset("data_2x", data=zarr_files.halved(array).astype("u2"), chunks=(32, 64, 64))
            level.attrs["pyramid_factor"] = 2
        volume = Volume(name)
        self.addCleanup(volume.close)
        self.shows(volume)
        pane = self.view.panes[0]
        until(lambda: pane.plane().step == (2, 2))  # 512 samples in less than 256 pixels
        pane.view.canvas.zoom(4)
        until(lambda: pane.plane().step == (1, 1), "the finest level never came")
        np.testing.assert_array_equal(pane.view.image(), array[32])
        self.assertEqual(pane.view.canvas.area(), QtCore.QRectF(0, 0, 512, 512))

    def test_scrolling_is_smooth_and_the_window_answers(self):
        array = RNG.integers(0, 1000, (200, 600, 600)).astype(np.uint16)
        name = str(self.folder / "v.h5")
        with h5py.File(name, "w") as file:
            file.create_dataset("data", data=array, chunks=(64, 64, 64))
        volume = Volume(name)
        self.addCleanup(volume.close)
        self.shows(volume)
        for pane in self.view.panes:
            shown, gaps, last = self.heard(pane.shown), [], own_time()
            begin = last
            for step in range(60):
                wheel(pane.view.canvas, QtCore.QPoint(30, 30), -120 if step < 30 else 120)
                gaps.append(own_time() - last)
                last = own_time()
            until(lambda: shown and shown[-1] == pane.index(), "the last plane never came")
            self.assertGreater(len(shown), 10)
            self.assertLess(sorted(gaps)[-2], 0.5)
            self.assertLess(own_time() - begin, 30)

    def test_a_file_that_breaks_meanwhile(self):
        np.save(self.folder / "a.npy", self.array)
        volume = Volume(str(self.folder / "a.npy"))
        self.addCleanup(volume.close)
        self.shows(volume)
        failed = self.heard(self.view.failed)
        with open(self.folder / "a.npy", "r+b") as file:
            file.truncate(5000)
        self.view.panes[0].slider.setValue(29)
        until(lambda: failed)
        self.assertIn("ends too early", failed[0])
        self.assertIsNone(self.view.panes[0].view.image())  # rather than that of another plane


class Compare(WidgetTest):
    def setUp(self):
        super().setUp()
        self.a, self.b = RNG.uniform(0, 1, SHAPE).astype(np.float32), RNG.uniform(2, 5, SHAPE).astype(np.float32)
        self.view = self.show(CompareView(), 1000, 700)
        self.addCleanup(self.view.close_loader)
        self.view.set_volumes(self.a, self.b)
        until(lambda: all(pane.plane() is not None for pane in self.view.panes) and self.view.histogram.counts().size)
        spin(0.2)

    def check_pixels(self, pane, array, levels):
        canvas = pane.view.canvas
        image, wanted = seen(canvas), shades(array, *levels)
        for row, column in ((10, 12), (20, 55), (30, 5)):
            at = at_sample(canvas, column, row)
            self.assertEqual(colour_at(canvas, at.x(), at.y(), image), (wanted[row, column],) * 3)

    def test_side_by_side(self):
        levels = self.view.levels()
        np.testing.assert_allclose(levels, np.percentile(self.a, (0.5, 99.5)), atol=0.005)
        for pane, array in zip(self.view.panes, (self.a, self.b)):
            self.check_pixels(pane, array[15], levels)
        click(self.view.toolbar.button("Own levels"))
        spin(0.05)
        np.testing.assert_allclose(self.view.panes[1].view.levels(), np.percentile(self.b, (0.5, 99.5)), atol=0.02)
        self.check_pixels(self.view.panes[1], self.b[15], self.view.panes[1].view.levels())
        self.assertEqual(self.view.panes[0].view.levels(), levels)

    def test_linked(self):
        first, second = self.view.panes
        wheel(second.view.canvas, QtCore.QPoint(100, 100), -360)
        self.assertEqual((first.index(), second.index()), (18, 18))
        until(lambda: np.array_equal(first.view.image(), self.a[18]) and np.array_equal(second.view.image(), self.b[18]))
        wheel(first.view.canvas, QtCore.QPoint(100, 100), 360, Qt.KeyboardModifier.ControlModifier)
        self.assertEqual(first.view.scale(), second.view.scale())
        self.assertEqual(first.view.canvas.centre(), second.view.canvas.centre())
        drag(second.view.canvas, QtCore.QPoint(200, 200), QtCore.QPoint(150, 170))
        self.assertAlmostEqual(first.view.canvas.centre().x(), second.view.canvas.centre().x())
        drag(second.view.canvas, QtCore.QPoint(200, 200), QtCore.QPoint(250, 200), RIGHT)
        self.assertEqual(first.view.levels(), second.view.levels())

    def test_flicker(self):
        levels = self.view.levels()
        first, second = self.view.panes
        click(self.view.toolbar.button("Flicker"))
        self.assertEqual((first.isVisible(), second.isVisible()), (True, False))
        until(second.isVisible, "B was never shown")
        press_key(self.view.panes[self.view.turned()].view.canvas, Qt.Key.Key_Space)  # holds
        if self.view.turned() == 0:
            press_key(first.view.canvas, Qt.Key.Key_Space)
        self.assertEqual((first.isVisible(), second.isVisible()), (False, True))
        spin(0.2)
        self.check_pixels(second, self.b[15], levels)
        second.view.canvas.zoom(2.5, QtCore.QPointF(300, 200))
        place = second.view.canvas.seen()
        spin(0.6)
        self.assertTrue(second.isVisible())  # it does not go on by itself
        press_key(second.view.canvas, Qt.Key.Key_Space)
        spin(0.1)
        self.assertTrue(first.isVisible())
        self.assertEqual(first.view.canvas.seen(), place)  # no sample jumps
        self.check_pixels_seen(first, self.a[15], levels)
        click(self.view.toolbar.button("Side by side"))
        self.assertTrue(first.isVisible() and second.isVisible())

    def check_pixels_seen(self, pane, array, levels):
        """In the middle of what is seen."""
        canvas = pane.view.canvas
        centre = canvas.centre()
        column, row = int(centre.x()), int(centre.y())
        at = at_sample(canvas, column, row)
        self.assertEqual(colour_at(canvas, at.x(), at.y())[0], shades(array, *levels)[row, column])

    def test_other_axis_and_values_of_both(self):
        click(self.view.toolbar.button("x"))
        until(lambda: np.array_equal(self.view.panes[1].view.image(), self.b[:, :, 35]))
        told = self.heard(self.view.pointed)
        canvas = self.view.panes[0].view.canvas
        move(canvas, at_sample(canvas, 20, 7))
        spin(0.1)
        words = told[-1].split()
        np.testing.assert_allclose([float(words[5]), float(words[7])], [self.a[7, 20, 35], self.b[7, 20, 35]], atol=1e-3)


class Example(WidgetTest):
    def test_show_slices(self):
        name = str(self.folder / "a.npy")
        np.save(name, RNG.uniform(0, 1, SHAPE).astype(np.float32))
        shown = []

        def run():
            until(lambda: any(widget.isVisible() and isinstance(widget, SliceView) for widget in APPLICATION.topLevelWidgets()))
            view = next(widget for widget in APPLICATION.topLevelWidgets() if widget.isVisible() and isinstance(widget, SliceView))
            until(lambda: all(pane.plane() is not None for pane in view.panes))
            shown.append(view.panes[0].view.image()[3, 5])
            view.close()
            view.close_loader()
            return 0

        program = mock.Mock(exec=run)
        with mock.patch("gsttomo.widgets._qt.application", return_value=program), mock.patch.object(sys, "argv", ["show-slices.py", name]):
            with self.assertRaises(SystemExit) as ended:
                runpy.run_path(str(ROOT / "examples" / "show-slices.py"), run_name="__main__")
        self.assertEqual((ended.exception.code, shown), (0, [np.load(name)[15, 3, 5]]))


class Reading(WidgetTest):
    def loader(self):
        loader = Loader()
        self.addCleanup(loader.close)
        return loader

    def test_the_latest_wins(self):
        loader, done, gate, began = self.loader(), [], threading.Event(), threading.Event()

        def first(stop):
            began.set()
            gate.wait(10)

        loader.ask("a", first, lambda result: done.append("first"))
        self.assertTrue(began.wait(10))
        for i in range(20):
            loader.ask("b", lambda stop, i=i: i, done.append)
        loader.ask("c", lambda stop: "c", done.append)
        spin(0.1)
        self.assertEqual(done, [])
        gate.set()
        until(loader.is_idle)
        spin(0.1)
        self.assertEqual(done, ["first", "c", 19])

    def test_stop_and_forget(self):
        loader, done, failed = self.loader(), [], []

        def slow(stop):
            while not stop():
                time.sleep(0.005)
            from gsttomo.widgets._stored import Stopped
            raise Stopped

        loader.ask("a", slow, done.append, stoppable=True)
        spin(0.1)
        loader.ask("a", lambda stop: 2, done.append)
        until(lambda: done == [2])
        loader.ask("a", lambda stop: 3, done.append)
        loader.forget("a")
        spin(0.1)
        self.assertEqual(done, [2])
        for error, text in ((VolumeError("it is broken"), "it is broken"), (MemoryError(), "memory"), (KeyError("x"), "KeyError")):
            def fail(stop, error=error):
                raise error
            loader.ask("a", fail, done.append, failed.append)
            until(lambda: failed)
            self.assertIn(text, failed.pop())
        loader.ask("a", lambda stop: 4, done.append)
        until(lambda: done == [2, 4])


if __name__ == "__main__":
    main()
