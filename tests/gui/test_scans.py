# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The place Scans in a real window: its pictures are those of the file."""

import h5py
import numpy as np
from guitest import LEFT, ROOT, SCAN, GuiTest, QtCore, QtTest, QtWidgets, Qt, click, main, move, spin, type_into, until  # noqa: I001

from phantom_scan import Scan
from pyqtgraph.Qt import QtGui

TOOTH = ROOT / "examples" / "data" / "tooth.h5"


def frames(name=SCAN):
    """Projections, flats and darks of the NXtomo file."""
    with h5py.File(name, "r") as file:
        data, keys = file["/entry/instrument/detector/data"][()], file["/entry/instrument/detector/image_key"][()]
    return data[keys == 0], data[keys == 1], data[keys == 2]


def transmission():
    projections, flats, darks = (images.astype(np.float64) for images in frames())
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.nan_to_num((projections - darks.mean(0)) / (flats.mean(0) - darks.mean(0)), nan=0, posinf=0, neginf=0)


class ScansTest(GuiTest):
    def place(self, scan=SCAN):
        window = self.window(scan)
        self.window_ = window
        place = window.show_place("Scans")
        until(lambda: place.film.shown and place.film.shown[3], f"no image: {place.film.state_line.text}")
        return place

    def press(self, place, name):
        click(place.findChild(QtWidgets.QPushButton, name))

    def until_shown(self, place, kind, mode, number):
        until(lambda: place.film.shown == (kind, mode, number, True), f"{kind} {mode} {number}: {place.film.shown}, {place.film.state_line.text}")
        return place.film.view.image()


class Film(ScansTest):
    def test_raw_frames_are_those_of_the_file(self):
        place = self.place()
        self.press(place, "mode-raw")
        np.testing.assert_array_equal(self.until_shown(place, "projections", "raw", 0), frames()[0][0])
        place.film.slider.setFocus()
        QtTest.QTest.keyClick(place.film.slider, Qt.Key.Key_End)
        np.testing.assert_array_equal(self.until_shown(place, "projections", "raw", 90), frames()[0][90])
        type_into(place.film.number, "37")
        np.testing.assert_array_equal(self.until_shown(place, "projections", "raw", 37), frames()[0][37])
        self.assertIn("Projection 37 of 0 … 90", place.film.state_line.text)
        self.assertIn("-14.2°", place.film.state_line.text)

    def test_flats_and_darks_are_those_of_the_file(self):
        place = self.place()
        _, flats, darks = frames()
        until(lambda: {"flats", "darks"} <= {kind for kind, _ in place.film.strip.thumbnails()}, "no thumbnails")
        for kind, images in (("flats", flats), ("darks", darks)):
            self.press(place, f"kind-{kind}")
            np.testing.assert_array_equal(self.until_shown(place, kind, "transmission", 0), images[0])

    def test_transmission_and_absorption(self):
        place = self.place()
        wanted = transmission()
        type_into(place.film.number, "12")
        np.testing.assert_allclose(self.until_shown(place, "projections", "transmission", 12), wanted[12], atol=2e-6)
        self.press(place, "mode-absorption")
        image = self.until_shown(place, "projections", "absorption", 12)
        sound = wanted[12] > 0
        np.testing.assert_allclose(image[sound], -np.log(wanted[12][sound]), atol=2e-5)

    def test_the_film_is_reduced_and_then_exact(self):
        place = self.place()
        until(lambda: place.film._film is not None, "no film")
        numbers, images, binning = place.film._film
        self.assertEqual((binning, list(numbers[:3]), len(images)), (1, [0, 3, 6], 31))
        self.press(place, "play")
        seen = set()
        until(lambda: seen.add(place.film.shown[2]) or len(seen) > 4, "the film does not play")
        self.press(place, "play")
        number = place.film.slider.value()
        np.testing.assert_allclose(self.until_shown(place, "projections", "transmission", number), transmission()[number], atol=2e-6)

    def test_a_large_scan_is_shown_reduced_first(self):
        from gsttomo.faces import looks
        facts = {"projections": 1500, "width": 2048, "height": 2048, "flats": 100}
        self.assertEqual(looks.film(facts), (40, 38, 6))
        self.assertEqual(looks.calibration_binning(facts, "flats"), 6)
        self.assertEqual(looks.film({"projections": 181, "width": 640, "height": 2})[2], 2)

    def test_thumbnails(self):
        place = self.place()
        until(lambda: place.film.strip.count() == 7, "thumbnails are missing")
        item = place.film.strip.item(2)
        click(place.film.strip.viewport(), place.film.strip.visualItemRect(item).center())
        number = item.data(QtCore.Qt.ItemDataRole.UserRole + 1)
        self.until_shown(place, "projections", "transmission", number)
        item = place.film.strip.item(place.film.strip.count() - 1)
        place.film.strip.scrollToItem(item)
        spin(0.05)
        click(place.film.strip.viewport(), place.film.strip.visualItemRect(item).center())
        self.until_shown(place, "darks", "transmission", 0)

    def test_a_setting_changes_the_picture(self):
        place = self.place()
        before = place.film.view.image().copy()
        self.window_.session.configuration.set("flat-scale", "0.68")
        until(lambda: not np.array_equal(place.film.view.image(), before), "nothing changed")
        # Nothing is read for a place that nobody sees.
        before = place.film.view.image()
        reconstruct = self.window_.show_place("Reconstruct")
        self.window_.session.configuration.set("flat-scale", "0.9")
        until(lambda: reconstruct.look_state.state == "done", "no slice")
        self.assertIs(place.film.view.image(), before)
        self.window_.show_place("Scans")
        until(lambda: place.film.view.image() is not before, "the picture stays old")
        self.window_.session.configuration.set("method", "sirt")
        self.window_.session.configuration.set("num-iterations", "3")
        self.press(place, "mode-raw")
        self.until_shown(place, "projections", "raw", 0)


class Sinogram(ScansTest):
    def test_of_the_row_under_the_pointer(self):
        place = self.place()
        self.press(place, "mode-raw")
        self.until_shown(place, "projections", "raw", 0)
        self.press(place, "show-sinogram")
        film, raw = place.film, frames()[0]
        until(lambda: film.sinogram.image() is not None, "no sinogram")
        spin(0.05)
        for row in (20, 101):
            at = film.view.canvas.to_widget(QtCore.QPointF(50, row + 0.5)).toPoint()
            move(film.view.canvas, at)
            until(lambda: film.row == row and np.array_equal(film.sinogram.image(), raw[:, row]), f"no sinogram of row {row}")
        column, row, value = (int(word) for word in film.view.readout.text().split()[1::2])
        self.assertEqual((row, value), (101, raw[0, 101, column]))
        # A click holds the row.
        click(film.view.canvas, at)
        move(film.view.canvas, film.view.canvas.to_widget(QtCore.QPointF(50, 10.5)).toPoint())
        spin(0.1)
        self.assertEqual(film.row, 101)
        # A click into the sinogram is a projection.
        click(film.sinogram.canvas, film.sinogram.canvas.to_widget(QtCore.QPointF(30, 66.5)).toPoint())
        self.until_shown(place, "projections", "raw", 66)

    def test_profile_and_histogram(self):
        place = self.place()
        self.press(place, "mode-raw")
        image = self.until_shown(place, "projections", "raw", 0)
        distances, values = place.film.view.measure("profile", (10.5, 60.5), (140.5, 60.5))
        self.assertEqual(distances[-1], 130)
        np.testing.assert_allclose(values[[0, -1]], image[60, [10, 140]])


class Facts(ScansTest):
    def test_facts_and_findings(self):
        place = self.place()
        facts = dict(place.facts.lines)
        self.assertEqual((facts["Projections"], facts["Flats"], facts["Darks"], facts["Pixels"]), ("91", "1", "1", "160 x 135"))
        self.assertEqual(facts["Angles"], "-88.2 to 91.8°")
        self.assertEqual(facts["Axis"], "86.50 px (scan)")
        finding = place.findings.finding("last-view")
        self.assertEqual(finding.sign.text(), "● INFO")
        self.assertLessEqual(self.window_.width(), 1280)
        self.press(place, "show-sinogram")
        until(lambda: place.film.strip.count() == 7 and place.film.sinogram.image() is not None, "no sinogram")
        self.save_picture(self.window_, "scans.png")
        self.window_.use_theme("light")
        self.save_picture(self.window_, "scans-light.png")

    def test_an_error_is_ignored(self):
        name = self.folder / "scan.nxs"
        scan = Scan()
        scan.flats, scan.darks = scan.darks, scan.flats  # exchanged
        scan.nxtomo(name)
        window = self.window(name)
        place = window.show_place("Scans")
        finding = until(lambda: place.findings.finding("flats-below-darks"), "no finding")
        self.assertEqual(finding.sign.text(), "✕ ERROR")
        self.assertEqual(finding.sign.property("tone"), "failure")
        click(next(button for button in finding.buttons if button.text() == "Ignore"))
        self.assertEqual(window.session.configuration.values["ignore"], "flats-below-darks")
        click(finding.buttons[0])
        self.assertNotIn("ignore", window.session.configuration.values)

    def test_a_field_is_set(self):
        name = self.folder / "scan.nxs"
        Scan().nxtomo(name, angles=False)
        window = self.window(name)
        place = window.show_place("Scans")
        finding = until(lambda: place.findings.finding("no-angles"), "no finding")
        self.assertEqual(finding.sign.text(), "⚠ WARNING")
        self.assertEqual([button.text() for button in finding.buttons],
                         ["Set angles…", "Set range-degrees…", "Set angle-step-degrees…"])
        window.activateWindow()
        click(finding.buttons[1])
        editor = window.settings.form.fields["range-degrees"].editor
        until(editor.hasFocus, "the field has no focus")
        QtTest.QTest.keyClicks(editor, "180")
        QtTest.QTest.keyClick(editor, Qt.Key.Key_Return)
        until(lambda: window.session.facts and not place.findings.finding("no-angles"), "the finding stays")

    def test_a_narrow_window(self):
        place = self.place()
        self.assertIn("Export", [button.text() for button in place.film.findChildren(QtWidgets.QPushButton) if button.isVisible()])
        lines = [button.y() for button in place.film._modes.values()]
        for title in ("Scans", "Axis"):
            self.window_.show_place(title)
        self.window_.show_place("Scans")
        self.window_.resize(600, 800)
        top = lambda button: button.mapTo(place.film, QtCore.QPoint(0, 0)).y()  # noqa: E731
        until(lambda: top(place.film._export) > top(place.film._modes["raw"]), "all of the bar is in one line")
        self.assertLess(self.window_.width(), 960)
        self.assertEqual(len(set(lines)), 1)

    def test_thumbnails_of_few_rows(self):
        from tomo_gui.scans_strip import HEIGHT, WIDTH, thumbnail
        picture = thumbnail(np.ones((2, 640)), 0, 1)
        self.assertTrue(all(picture.pixelColor(x, y).value() == 255 for x in (1, WIDTH - 2) for y in (1, HEIGHT - 2)))
        square = thumbnail(np.ones((64, 64)), 0, 1)
        self.assertLess(square.pixelColor(1, HEIGHT // 2).value(), 255)

    def test_find_axis(self):
        place = self.place()
        click(place.find_axis)
        self.assertEqual(self.window_._pages.currentWidget().title, "Axis")


    def test_angles_that_are_set(self):
        place = self.place()
        film, configuration = place.film, self.window_.session.configuration
        type_into(film.number, "40")
        until(lambda: "Projection 40" in film.state_line.text and film.shown[3], "no image")
        until(lambda: film.strip.count() == 7, "no thumbnails")
        angle = film.state_line.text
        # Facts are those of the views that are used, images those of the file.
        configuration.update({"start": 10, "step": 2})
        until(lambda: self.window_.session.facts["views"] == 41, "no facts")
        self.assertEqual(film.state_line.text, angle)
        configuration.update({"start": None, "step": None, "range-degrees": 91})
        until(lambda: "40.0°" in film.state_line.text, film.state_line.text)
        self.assertEqual(film.strip.item(4).text(), "90.0°")
        self.assertEqual(film.slider.value(), 40)

    def test_the_axis_that_counts(self):
        place = self.place()
        self.window_.session.configuration.set("axis-index", "85.85")
        self.assertEqual(dict(place.facts.lines)["Axis"], "86.35 px (set); 86.50 px (scan)")
        self.window_.session.configuration.update({"axis-index": None, "axis-method": "spectrum"})
        self.window_.session.found_axis = 86.36
        self.window_.show_place("Scans")
        self.assertEqual(dict(place.facts.lines)["Axis"], "86.36 px (found); 86.50 px (scan)")

    def test_a_scan_without_flats(self):
        name = self.folder / "counts.nxs"
        scan = Scan()
        scan.nxtomo(name, flats=False, darks=False)
        place = self.place(name)
        buttons = {mode: place.findChild(QtWidgets.QPushButton, f"mode-{mode}") for mode in ("raw", "transmission", "absorption")}
        self.assertEqual({mode: button.isEnabled() for mode, button in buttons.items()},
                         {"raw": True, "transmission": False, "absorption": False})
        np.testing.assert_array_equal(self.until_shown(place, "projections", "raw", 0), scan.projections[0])
        self.assertIn("raw", place.film.state_line.text)
        self.window_.session.configuration.set("white-level", "40000")
        np.testing.assert_allclose(self.until_shown(place, "projections", "transmission", 0), scan.projections[0] / 40000, rtol=1e-5)


class Lists(ScansTest):
    def test_several_scans(self):
        place = self.place()
        window = self.window_
        other = self.folder / "other.nxs"
        Scan().nxtomo(other)
        window.session.configuration.set("axis", "86.4")
        place.open_scans([str(other)])
        until(lambda: window.session.facts and window.session.facts["width"] == 90, "no facts")
        self.assertEqual((place.list.count(), place.list.currentRow()), (2, 1))
        self.assertNotIn("axis", window.session.configuration.values)
        until(lambda: place.film.view.image() is not None and place.film.view.image().shape == (12, 90), "no image")
        # What was set for the first one comes back with it.
        click(place.list.viewport(), place.list.visualItemRect(place.list.item(0)).center())
        until(lambda: window.session.facts and window.session.facts["width"] == 160, "no facts")
        self.assertEqual(window.session.configuration.values["axis"], 86.4)
        until(lambda: place.film.view.image() is not None and place.film.view.image().shape == (135, 160), "no image")
        click(place.findChild(QtWidgets.QPushButton, "close"))
        until(lambda: window.session.facts and window.session.facts["width"] == 90, "no facts")
        click(place.findChild(QtWidgets.QPushButton, "close"))
        self.assertEqual(window.session.scan, "")
        self.assertTrue(place.findChild(QtWidgets.QPushButton, "sample").isVisible())

    def test_empty_recent_and_sample(self):
        window = self.window()
        place = window.show_place("Scans")
        self.save_picture(window, "scans-empty.png")
        click(place.findChild(QtWidgets.QPushButton, "sample"))
        until(lambda: window.session.facts, "no facts")
        self.assertNotIn("examples", window.session.output())
        click(place.findChild(QtWidgets.QPushButton, "close"))
        until(lambda: not window.session.scan)
        recent = until(lambda: place.findChild(QtWidgets.QPushButton, "recent"), "no recent scan")
        click(recent)
        until(lambda: window.session.facts, "no facts")

    def test_dropped_files(self):
        window = self.window()
        name = self.folder / "scan.nxs"
        Scan().nxtomo(name)
        data = QtCore.QMimeData()
        data.setUrls([QtCore.QUrl.fromLocalFile(str(name))])
        place = window.show_place("Scans")
        position = QtCore.QPointF(place.mapTo(window, place.rect().center()))
        if not hasattr(QtGui.QDropEvent, "position"):
            position = position.toPoint()
        window.dropEvent(QtGui.QDropEvent(position, Qt.DropAction.CopyAction, data, LEFT, Qt.KeyboardModifier.NoModifier))
        until(lambda: window.session.facts and window.session.facts["width"] == 90, "no facts")

    def test_a_file_that_is_no_scan(self):
        place = self.place()
        until(lambda: place.film.strip.count() == 7, "thumbnails are missing")
        name = self.folder / "broken.h5"
        name.write_bytes(b"no HDF5")
        place.open_scans([str(name)])
        until(lambda: place.film.state_line.state == "failed", "no failure")
        self.assertIn("broken.h5", place.film.state_line.text)
        self.assertFalse(place.find_axis.isEnabled())
        # Nothing of the scan before is shown under its name.
        self.assertIsNone(place.film.view.image())
        self.assertEqual((place.film.strip.count(), place.film.slider.maximum(), place.facts.lines), (0, 0, []))
        self.assertEqual([button.text() for button in place.findings.finding("problem").buttons], [])
        spin(0.3)
        self.assertIsNone(place.film.view.image())
        place.list.setCurrentRow(0)
        until(lambda: place.film.shown and place.film.shown[3], "the scan does not come back")

    def test_folder_of_images(self):
        name = self.folder / "images"
        Scan().folder(str(name))
        window = self.window()
        place = window.show_place("Scans")
        place.open_scans([str(name)])
        until(lambda: place.film.shown and place.film.shown[3], "no image")
        until(lambda: "darks" in place.film._calibration, f"no darks: {place.film.state_line.text}")
        np.testing.assert_array_equal(place.film._calibration["darks"][0], Scan().darks)
        # Other flats, as somebody names them.
        window.session.configuration.set("flats", str(name / "darks"))
        until(lambda: "flats" in place.film._calibration and np.array_equal(place.film._calibration["flats"][0], Scan().darks), "the flats stay")

    def test_sinograms(self):
        name = self.folder / "sinograms.npy"
        sinograms = np.random.default_rng(1).random((5, 30, 40), np.float32)
        np.save(name, sinograms)
        window = self.window()
        place = window.show_place("Scans")
        window.session.configuration.set("sinograms", str(name))
        until(lambda: place.film.shown == ("sinograms", place.film.mode, 2, True), f"no sinogram: {place.film.state_line.text}")
        np.testing.assert_array_equal(place.film.view.image(), sinograms[2])

    def test_tooth(self):
        place = self.place(TOOTH)
        with h5py.File(TOOTH) as file:
            self.press(place, "mode-raw")
            np.testing.assert_array_equal(self.until_shown(place, "projections", "raw", 0), file["/exchange/data"][0])
            self.press(place, "kind-flats")
            type_into(place.film.number, "7")
            np.testing.assert_array_equal(self.until_shown(place, "flats", "raw", 7), file["/exchange/data_white"][7])


if __name__ == "__main__":
    main()
