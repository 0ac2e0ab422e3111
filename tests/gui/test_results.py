# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The place Results: volumes of jobs and files, and what is done with them."""

import os
import shutil
import subprocess
import sys
import unittest.mock

import h5py
import numpy as np
from guitest import SCAN, GuiTest, Qt, QtCore, QtWidgets, click, main, own_time, spin, until
from pyqtgraph.Qt import QtGui
from widgetstest import at_sample, colour_at, pixels, press_key, seen

from gsttomo import jobs

RNG = np.random.default_rng(9)
SHAPE = (20, 48, 64)


def shade(value, levels):
    return int(np.clip(np.floor((value - levels[0]) / (levels[1] - levels[0]) * 256), 0, 255))


class Results(GuiTest):
    def setUp(self):
        super().setUp()
        self.a, self.b = (RNG.uniform(low, high, SHAPE).astype(np.float32) for low, high in ((0, 1), (0.2, 0.7)))
        self.names = []
        for name, array in (("a.h5", self.a), ("b.h5", self.b)):
            self.names.append(str(self.folder / name))
            with h5py.File(self.names[-1], "w") as file:
                file["entry/data/data"] = array
                file["entry/data/x"] = (np.arange(SHAPE[2]) + 0.5) * 2e-6
                file["entry/data/x"].attrs["units"] = "m"

    def place(self):
        self.main_window = self.window()
        return self.main_window.show_place("Results")

    def wait(self, place):
        until(lambda: place.state.state in ("done", "failed"))
        self.assertEqual(place.state.state, "done", place.state.text)
        until(lambda: all(pane.plane() is not None for pane in place.slices.panes) and not place.slices.panes[0].view.is_automatic())
        spin(0.1)

    def check_slice(self, place, array):
        """Pixels of the slice in the middle."""
        view = place.slices.panes[0].view
        image = seen(view.canvas)
        for row, column in ((5, 6), (30, 50), (12, 40)):
            at = at_sample(view.canvas, column, row)
            wanted = shade(array[SHAPE[0] // 2, row, column], view.levels())
            self.assertAlmostEqual(colour_at(view.canvas, at.x(), at.y(), image)[0], wanted, delta=1)

    def test_nothing_yet(self):
        place = self.place()
        wanted = []
        place.session.place_wanted.connect(wanted.append)
        button = next(each for each in place.findChildren(QtWidgets.QPushButton) if each.text() == "Reconstruct volume")
        self.assertTrue(button.isVisible())
        self.save_picture(self.main_window, "results-empty.png")
        click(button)
        self.assertEqual(wanted, ["Reconstruct"])

    def test_open(self):
        place = self.place()
        place.open(self.names[0])
        self.wait(place)
        self.check_slice(place, self.a)
        self.assertIn("64 x 48 x 20", place.state.text)
        self.assertIn("2 µm per pixel", place.slices.facts.text())
        self.assertEqual(place.list.marked(), [self.names[0]])
        place.open(self.names[1] + ":/entry/data/data")
        until(lambda: place.slices.volume() and place.slices.volume().name == "b.h5")
        self.wait(place)
        self.check_slice(place, self.b)
        # Back by a click into the list.
        item = next(place.list.item(i) for i in range(place.list.count()) if place.list.item(i).data(Qt.ItemDataRole.UserRole) == self.names[0])
        click(place.list.viewport(), place.list.visualItemRect(item).center())
        until(lambda: place.slices.volume().name == "a.h5")
        self.wait(place)
        self.check_slice(place, self.a)

    def test_drop_and_dialogue(self):
        place = self.place()
        data = QtCore.QMimeData()
        data.setUrls([QtCore.QUrl.fromLocalFile(self.names[0])])
        event = QtGui.QDropEvent(QtCore.QPointF(10, 10) if not QtCore.qVersion().startswith("5") else QtCore.QPoint(10, 10), Qt.DropAction.CopyAction,
                                 data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
        self.main_window.dropEvent(event)
        self.wait(place)
        self.check_slice(place, self.a)
        with unittest.mock.patch.object(QtWidgets.QFileDialog, "getOpenFileName", return_value=(self.names[1], "")):
            place.ask_file()
        until(lambda: place.slices.volume().name == "b.h5")

    def test_what_cannot_be_opened(self):
        place = self.place()
        place.open(self.names[0])
        self.wait(place)
        (self.folder / "words.h5").write_text("words")
        for name, text in ((str(self.folder / "words.h5"), "no HDF5 file"), (str(self.folder / "none.tif"), "no such file"),
                           (self.names[0] + ":/other", "no dataset /other")):
            place.open(name)
            until(lambda: place.state.state == "failed" and text in place.state.text, text)
            self.assertIsNone(place.slices.volume())  # nothing else stands below this name
            self.assertTrue(all(pane.view.image() is None for pane in place.slices.panes))
        self.assertIn("none.tif", self.main_window.log.toPlainText())
        place.open(self.names[1])
        until(lambda: place.state.state == "done")

    def test_several_volumes(self):
        with h5py.File(self.folder / "turns.h5", "w") as file:
            file["entry/data/data"] = np.stack([self.a, self.b, self.a + 1])
        place = self.place()
        place.open(str(self.folder / "turns.h5"))
        self.wait(place)
        number = place.findChild(QtWidgets.QSpinBox, "volume-number")
        self.assertTrue(number.isVisible())
        self.assertEqual((number.maximum(), number.value()), (3, 1))
        self.check_slice(place, self.a)
        number.setValue(2)
        until(lambda: place.slices.panes[0].view.image() is not None and np.array_equal(place.slices.panes[0].view.image(), self.b[10]))
        self.assertEqual(number.value(), 2)

    def write(self, name, array):
        with h5py.File(name, "w") as file:
            file["entry/data/data"] = array

    def test_written_anew(self):
        """A program writes a result that is shown: in place, or as another file of the same name."""
        place = self.place()
        place.open(self.names[0])
        self.wait(place)
        place.slices.set_position(7, 11, 13)
        place.slices.set_levels(0.25, 0.5)
        program = ("import h5py, sys, numpy as np\nwith h5py.File(sys.argv[1], 'w') as file:\n"
                   "    file['entry/data/data'] = np.load(sys.argv[2])\n")
        for step, array in enumerate((self.b, self.a + 2)):
            np.save(self.folder / "new.npy", array)
            name = self.names[0] if step == 0 else self.names[0] + ".new"
            subprocess.run([sys.executable, "-c", program, name, str(self.folder / "new.npy")], check=True,
                           env={**os.environ, "HDF5_USE_FILE_LOCKING": "TRUE"})
            if step:
                os.replace(name, self.names[0])
            until(lambda: np.array_equal(place.slices.panes[0].view.image(), array[7]), "the new planes never came")
            until(lambda: place.state.state == "done")
            self.assertIn("the file has changed", place.state.text)
            self.assertEqual(place.slices.position(), (7, 11, 13))
            self.assertEqual(place.slices.levels(), (0.25, 0.5))
            until(lambda: np.array_equal(place.slices.panes[2].view.image(), array[:, :, 13]))

    def test_removed_or_cut_off(self):
        import tifffile
        folder = self.folder / "12:30 x" / "a:"
        folder.mkdir(parents=True)
        for i in range(5):
            tifffile.imwrite(folder / f"slice-{i}.tif", self.a[i])
        place = self.place()
        for name, spoil, words in (
                (self.names[0], lambda: os.truncate(self.names[0], 3000), "cut off"),
                (self.names[1], lambda: os.remove(self.names[1]), "not there any more"),
                (str(folder), lambda: os.remove(folder / "slice-3.tif"), "slice-3.tif: the file is not there any more"),
                (str(folder / "slice-*.tif"), lambda: os.truncate(folder / "slice-2.tif", 900), "slice-2.tif")):
            place.open(name)
            self.wait(place)
            spoil()
            until(lambda: place.state.state == "failed" and words in place.state.text, place.state.text)
            self.assertIsNone(place.slices.panes[0].view.image())
        # It is shown again where it comes again.
        place.open(self.names[1])
        until(lambda: place.state.state == "failed" and "no such file" in place.state.text)
        self.write(self.names[1], self.b)
        until(lambda: np.array_equal(place.slices.panes[0].view.image(), self.b[10]))

    def test_names_with_colons(self):
        folder = self.folder / "12:30 x" / "a:"
        folder.mkdir(parents=True)
        name = str(folder / "b.h5")
        shutil.copyfile(self.names[1], name)
        place = self.place()
        for each in (name, name + ":/entry/data/data", name + ":/"):
            place.open(self.names[0])
            self.wait(place)
            place.open(each)
            until(lambda: place.slices.volume() and place.slices.volume().name == "b.h5", place.state.text)
            self.wait(place)
            self.check_slice(place, self.b)

    def test_compare_turns(self):
        """The volume that was chosen is the one that is compared."""
        turns = [str(self.folder / name) for name in ("turns.h5", "others.h5")]
        self.write(turns[0], np.stack([self.a, self.b, self.a + 1]))
        self.write(turns[1], np.stack([self.b + 2, self.a + 3]))
        place = self.place()
        for name in reversed(turns):
            place.open(name)
            self.wait(place)
        number = place.findChild(QtWidgets.QSpinBox, "volume-number")
        number.setValue(2)
        until(lambda: np.array_equal(place.slices.panes[0].view.image(), self.b[10]))
        self.wait(place)
        place.list.selectAll()
        click(place.findChild(QtWidgets.QPushButton, "compare"))
        both = place.list.marked()
        for value, wanted in ((2, (self.b, self.a + 3)), (3, (self.a + 1, self.b + 2))):
            number.setValue(value)
            wanted = dict(zip(turns, wanted))
            until(lambda: all(np.array_equal(pane.view.image(), wanted[name][10]) for pane, name in zip(place.compare.panes, both)))
            until(lambda: place.state.state == "done")
            self.assertTrue(number.isVisible())
            self.assertIn(f"volume {value} of 3", place.state.text)

    def test_compare(self):
        place = self.place()
        for name in self.names:
            place.open(name)
            until(lambda: place.state.state == "done")
        compare = place.findChild(QtWidgets.QPushButton, "compare")
        self.assertFalse(compare.isEnabled())
        place.tabs.setCurrentWidget(place.compare)
        self.assertIn("Mark two results", place.state.text)
        for i in range(2):
            click(place.list.viewport(), place.list.visualItemRect(place.list.item(i)).center(),
                  modifiers=Qt.KeyboardModifier.ControlModifier if i else Qt.KeyboardModifier.NoModifier)
        until(compare.isEnabled)
        click(compare)
        until(lambda: all(pane.plane() is not None for pane in place.compare.panes))
        shown = [pane.view.image() for pane in place.compare.panes]
        self.assertTrue(any(np.array_equal(shown[0], each[10]) for each in (self.a, self.b)))
        spin(0.3)
        self.save_picture(self.main_window, "results-compare.png")
        click(place.compare.toolbar.button("Flicker"))
        until(lambda: place.compare.turned() == 1)
        press_key(place.compare.panes[1].view.canvas, Qt.Key.Key_Space)
        if place.compare.turned() == 0:
            press_key(place.compare.panes[0].view.canvas, Qt.Key.Key_Space)
        spin(0.1)
        view = place.compare.panes[1].view
        at = at_sample(view.canvas, 20, 30)
        self.assertAlmostEqual(colour_at(view.canvas, at.x(), at.y())[0], shade(shown[1][30, 20], view.levels()), delta=1)

    def test_perspective(self):
        place = self.place()
        place.open(self.names[0])
        self.wait(place)
        self.assertIsNone(place.volume_view.texture_shape())
        place.tabs.setCurrentWidget(place.volume_view)
        finals = []
        place.volume_view.drawn.connect(lambda is_final: finals.append(is_final))
        until(lambda: True in finals, "no picture of the volume came")
        self.assertEqual(place.volume_view.texture_shape(), SHAPE)
        self.assertGreater(np.ptp(seen(place.volume_view.stage)), 100)
        self.save_picture(self.main_window, "results-volume.png")

    def test_measure_and_export(self):
        place = self.place()
        place.open(self.names[0])
        self.wait(place)
        self.save_picture(self.main_window, "results-slices.png")
        click(place.slices.toolbar.button("Length"))
        view = place.slices.panes[0].view
        length = view.measure("length", (2, 2), (32, 42))
        self.assertAlmostEqual(length, 50)
        self.assertIn("100 µm", view._tools["length"].text)
        for name, check in (("slice.png", lambda name: pixels(QtGui.QImage(name)).shape[0] >= SHAPE[1]), ("slice.tif", self.is_raw)):
            path = str(self.folder / name)
            with unittest.mock.patch.object(QtWidgets.QFileDialog, "getSaveFileName", return_value=(path, "")) as asked:
                click(place.slices.toolbar.button("Export"))
            self.assertIn("a-z10.png", asked.call_args[0])
            self.assertTrue(check(path))
        with unittest.mock.patch.object(QtWidgets.QFileDialog, "getSaveFileName", return_value=("/nowhere/a.png", "")):
            click(place.slices.toolbar.button("Export"))
        self.assertEqual(place.state.state, "failed")

    def is_raw(self, path):
        import tifffile
        return np.array_equal(tifffile.imread(path), self.a[10])

    def test_a_job(self):
        scan = self.folder / "scan.nxs"
        shutil.copyfile(SCAN, scan)
        place = self.place()
        output = str(self.folder / "slices.h5")
        place.session.jobs.submit([jobs.Order({"scan": str(scan), "axis": 86, "y": 55, "height": 60, "output": output}, name="sixty slices")])
        until(lambda: place.list.names(), "the job's result was never listed")
        item = place.list.item(0)
        self.assertIn("sixty slices", item.text())
        self.assertIn("slices.h5", item.text())
        click(place.list.viewport(), place.list.visualItemRect(item).center())
        self.wait(place)
        with h5py.File(output) as file:
            np.testing.assert_array_equal(place.slices.panes[0].view.image(), file["entry/data/data"][30])
        self.save_picture(self.main_window, "results.png")
        self.assertEqual(os.path.exists(output + ".html"), place.findChild(QtWidgets.QToolButton, "open-report").isEnabled())
        # A window that is opened later shows it at once.
        self.main_window.close()
        later = self.place()
        until(lambda: later.list.names())
        later.shown()
        self.wait(later)
        self.assertEqual(later.slices.volume().shape[0], 60)

    def test_the_window_answers_while_a_large_volume_is_read(self):
        """A timer of 20 ms in the window's thread, while planes of a file without a pyramid and its overview are read."""
        with open(self.folder / "large.npy", "wb") as file:
            np.lib.format.write_array_header_1_0(file, {"descr": "<u2", "fortran_order": False, "shape": (512, 1024, 1024)})
            noise = RNG.integers(0, 60000, (1024, 1024)).astype("<u2")
            for z in range(512):
                file.write(np.roll(noise, z).tobytes())
        place = self.place()
        ticks = [own_time()]
        timer = QtCore.QTimer(interval=20)
        timer.timeout.connect(lambda: ticks.append(own_time()))
        place.open(str(self.folder / "large.npy"))
        timer.start()
        until(lambda: all(pane.plane() is not None for pane in place.slices.panes), "planes along x never came")
        for step in range(20):
            for pane in place.slices.panes:
                pane.slider.setValue(100 + step)
            spin(0.05)
        place.tabs.setCurrentWidget(place.volume_view)
        until(lambda: place.volume_view.stage.picture() is not None)
        timer.stop()
        gaps = sorted(np.diff(ticks))
        self.assertGreater(len(gaps), 20)
        self.assertLess(gaps[-1], 1.0)  # 0.2 on a computer that has nothing else to do
        self.assertLess(gaps[int(len(gaps) * 0.95)], 0.2)


if __name__ == "__main__":
    main()
