# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The place Axis in a real window: by eye, by methods, by slices."""

import math
import subprocess

import h5py
import numpy as np
from guitest import ROOT, SCAN, GuiTest, QtCore, QtTest, QtWidgets, Qt, click, drag, main, spin, type_into, until  # noqa: I001
from phantom_scan import AXIS, Scan

from gsttomo.faces import axis as axis_facts

TOOTH = ROOT / "examples" / "data" / "tooth.h5"
TRUE = 86.35


class AxisTest(GuiTest):
    def place(self, scan=SCAN):
        self.window_ = self.window(scan)
        self.session = self.window_.session
        return self.window_.show_place("Axis")

    def press(self, place, name):
        click(place.findChild(QtWidgets.QPushButton, name))

    @property
    def axis(self):
        return self.session.configuration.values.get("axis")


class Overlay(AxisTest):
    def until_views(self, place):
        until(lambda: place.overlay.state_line.state == "done", f"no views: {place.overlay.state_line.text}")

    def test_by_mouse_and_keys(self):
        place = self.place()
        self.until_views(place)
        overlay = place.overlay.overlay
        self.assertEqual(overlay.axis(), 86.5)
        self.assertIsNone(self.axis)
        # Views of the file, corrected.
        with h5py.File(SCAN) as file:
            data = file["/entry/instrument/detector/data"][()].astype(float)
        projections, flat, dark = (data[numbers][..., 40:90, :] for numbers in ([2, 92], 1, 0))
        np.testing.assert_allclose(np.array(place.overlay._views)[:, 40:90], -np.log((projections - dark) / (flat - dark)), atol=2e-5)
        # A drag by 10 columns.
        canvas = overlay.canvas
        start = canvas.to_widget(QtCore.QPointF(86.5, 60)).toPoint()
        pixels = round(10 * canvas.scale())
        drag(canvas, start, start + QtCore.QPoint(pixels, 0))
        moved = until(lambda: self.axis, "the drag set no axis")
        self.assertAlmostEqual(moved, 86.5 + pixels / canvas.scale(), delta=0.011)
        self.assertEqual(overlay.axis(), moved)
        # Keys.
        canvas.setFocus()
        for key, modifier, step in ((Qt.Key.Key_Left, Qt.KeyboardModifier.ShiftModifier, -1.0),
                                    (Qt.Key.Key_Right, Qt.KeyboardModifier.NoModifier, 0.1)):
            before = self.axis
            QtTest.QTest.keyClick(canvas, key, modifier)
            until(lambda: self.axis != before, "the key moved nothing")
            self.assertAlmostEqual(self.axis, before + step, places=6)
        # The field of the settings moves the line, and so does undo.
        self.session.configuration.set("axis", str(TRUE))
        self.assertEqual(overlay.axis(), TRUE)
        for mode in ("difference", "sum", "colours"):
            overlay.set_mode(mode)
        self.assertLessEqual(self.window_.width(), 1280)
        self.press(place, "find-methods")
        until(lambda: "auto" in place.estimates.found and not place.estimates.is_busy(), "no estimate")
        self.save_picture(self.window_, "axis.png")
        self.window_.use_theme("light")
        self.save_picture(self.window_, "axis-light.png")

    def test_rows_and_pairs(self):
        name = self.folder / "turn.nxs"
        Scan(views=120, turn=2 * np.pi).nxtomo(name)
        place = self.place(name)
        self.until_views(place)
        self.assertEqual(place.overlay.first.maximum(), 59)
        type_into(place.overlay.rows[0], "3")
        type_into(place.overlay.rows[1], "8")
        self.assertEqual(place.overlay.overlay._images[0].array.shape, (6, 90))
        before = place.overlay._views
        type_into(place.overlay.first, "20")
        until(lambda: place.overlay._views is not before, "no other views")
        self.assertIn("80", place.overlay.pair.text())
        # With the axis of the phantom the views agree.
        zero, opposite = (view.astype(float) for view in place.overlay._views)
        columns = np.arange(90) + 0.5
        mirrored = np.interp(2 * AXIS - columns, columns, opposite[5])
        self.assertLess(np.abs(mirrored - zero[5])[10:80].mean(), 0.02)

    def test_profiles_of_few_rows(self):
        place = self.place(TOOTH)
        self.until_views(place)
        self.assertTrue(place.overlay.profile.isVisible())
        self.session.configuration.set("axis", "296.3")
        (x, zero), (mirrored, opposite) = (curve.getData() for curve in place.overlay._curves)
        self.assertEqual((x[0], mirrored[0]), (0.5, 2 * 296.3 - 0.5))
        self.assertLess(np.abs(np.interp(x[150:440], mirrored[::-1], opposite[::-1]) - zero[150:440]).mean(), 0.05)
        self.press(place, "show-mosaic")
        self.assertEqual(place.mosaic.values.text(), "292.3:300.3:1")

    def test_scans_without_such_views(self):
        name = self.folder / "short.nxs"
        Scan(views=60, turn=np.pi / 2).nxtomo(name)
        place = self.place(name)
        until(lambda: place.overlay.state_line.state == "empty", "nothing is told")
        self.assertIn("88.5°", place.overlay.overlay._corner.note)
        self.session.configuration.set("geometry", "lamino")
        until(place.overlay.doubt.isVisible, "no doubt")
        self.assertIn("tilted", place.overlay.doubt.text())

    def test_uneven_angles(self):
        """The facts tell the first and the last angle alone."""
        part = np.linspace(0, 1, 121) ** 1.5
        for name, turn, pair in (("half", np.pi, "and 120, 180.0° apart"), ("turn", 2 * np.pi, "")):
            with self.subTest(name):
                Scan(angles=part * turn).nxtomo(self.folder / f"{name}.nxs")
                place = self.place(self.folder / f"{name}.nxs")
                until(lambda: place.overlay.state_line.state in ("done", "empty"), "nothing is told")
                self.assertEqual(place.overlay.pair.text(), pair)
                self.assertEqual(place.overlay.first.maximum(), 0)
                if not pair:
                    self.assertIn("not even", place.overlay.overlay._corner.note)
                    self.assertIsNone(place.overlay.overlay._images[0].array)

    def test_views_of_a_part(self):
        """Facts of the views that are used, pairs of those that the file has."""
        name = self.folder / "turn.nxs"
        Scan(views=120, turn=2 * np.pi).nxtomo(name)
        place = self.place(name)
        self.until_views(place)
        self.session.configuration.update({"start": 20, "number": 40, "step": 2})
        until(lambda: self.session.facts["views"] == 40, "no facts")
        self.until_views(place)
        self.assertIn("and 60, 180.0°", place.overlay.pair.text())

    def test_another_scan(self):
        """Nothing stays of the scan before, also while its views are on their way."""
        place = self.place()
        self.until_views(place)
        self.press(place, "show-mosaic")
        type_into(place.mosaic.values, "85.35:87.35:1")
        until(lambda: place.mosaic.mosaics[0].cells, "no slices")
        cell = place.mosaic.mosaics[0].cells[1]
        place.overlay.refresh()
        name = self.folder / "other.nxs"
        Scan(views=60, turn=np.pi / 2).nxtomo(name)
        self.session.open_scan(str(name))
        self.assertEqual(place.mosaic.mosaics[0].cells, [])
        self.assertIsNone(place.overlay.overlay._images[0].array)
        cell.view.pressed.emit(1, 1)
        self.assertIsNone(self.axis)
        until(lambda: place.overlay.state_line.state == "empty", place.overlay.state_line.text)
        self.assertEqual((place.overlay.pair.text(), place.estimates.found["middle"]["axis-px"]), ("", 45))
        broken = self.folder / "broken.h5"
        broken.write_bytes(b"no HDF5")
        self.session.open_scan(str(broken))
        until(lambda: self.session.problem, "no failure")
        self.assertEqual((place.estimates.found, place.now.text()), ({}, ""))
        self.assertFalse(place.estimates.take.isEnabled())

    def test_the_axis_by_index(self):
        place = self.place()
        self.session.configuration.set("axis-index", "80")
        self.assertEqual(place.now.text(), "axis 80.50 px")
        self.assertEqual(place.overlay.overlay.axis(), 80.5)
        self.assertEqual(place.mosaic.values.text(), "76.5:84.5:1")


class Methods(AxisTest):
    def test_all_methods(self):
        place = self.place()
        estimates = place.estimates
        self.press(place, "all-methods")
        until(lambda: not estimates.is_busy() and "sharpness" in estimates.found, "not all methods came")
        for name in ("auto", "correlation", "spectrum", "sharpness"):
            self.assertAlmostEqual(estimates.found[name]["axis-px"], TRUE, delta=0.5)
        self.assertIn("whole turn", estimates.failed["overlap"])
        self.assertIn("agree", estimates.said.text())
        estimates.choose("spectrum")
        curve = estimates.curve.listDataItems()[0]
        at, values = curve.getData()
        self.assertAlmostEqual(at[np.argmin(values)], TRUE, delta=0.5)
        click(estimates.take)
        self.assertEqual(self.axis, 86.36)
        self.assertAlmostEqual(self.session.axis_uncertainty, 0.05, delta=0.02)
        self.assertNotIn("roll", self.session.configuration.values)
        self.assertIn("± 0.05", place.now.text())
        click(estimates.tilted, QtCore.QPoint(8, 8))
        click(estimates.take)
        self.assertAlmostEqual(self.session.configuration.values["roll"], estimates.found["spectrum"]["tilt-degrees"], places=4)

    def test_tooth(self):
        place = self.place(TOOTH)
        self.press(place, "find-methods")
        until(lambda: "auto" in place.estimates.found, f"no axis: {place.estimates.said.text()}")
        click(place.estimates.take)
        self.assertAlmostEqual(self.axis, 296.0, delta=0.5)

    def test_a_whole_turn_with_the_axis_near_an_edge(self):
        name = self.folder / "wide.nxs"
        Scan(views=180, turn=2 * np.pi, axis=78.4).nxtomo(name)
        place = self.place(name)
        place.estimates.ask(["overlap"])
        until(lambda: not place.estimates.is_busy() and place.estimates.found.get("overlap"), f"no axis: {place.estimates.failed}")
        self.assertAlmostEqual(place.estimates.found["overlap"]["axis-px"], 78.4, delta=0.2)

    def test_methods_that_find_nothing_or_disagree(self):
        scan, noise = Scan(), np.random.default_rng(1).integers(0, 50, (121, 12, 90))
        moved = scan.projections.copy()
        moved[-1] = np.roll(moved[-1], 6, axis=-1)  # which misleads mirrored views more than the spectrum
        for name, projections, said in (("noise", scan.flats[0] // 2 + noise, "⚠ correlation finds no axis"), ("moved", moved, "⚠ correlation finds the axis at")):
            with self.subTest(name):
                scan.projections = projections.astype(np.uint16)
                scan.nxtomo(self.folder / f"{name}.nxs")
                place = self.place(self.folder / f"{name}.nxs")
                self.press(place, "find-methods")
                until(lambda: not place.estimates.is_busy() and "auto" in place.estimates.found, "no answer")
                self.assertIn(said, place.estimates.said.text())
                self.assertEqual(place.estimates.said.property("tone"), "warning")
                for method, reason in place.estimates.failed.items():
                    item = place.estimates.table.item(place.estimates.methods.index(method), 1)
                    self.assertEqual((item.text(), item.toolTip()), ("✕", reason))

    def test_a_failure_leaves_no_number(self):
        place = self.place()
        estimates = place.estimates
        estimates.ask(["correlation"])
        until(lambda: not estimates.is_busy() and "correlation" in estimates.found, "no axis")
        self.assertTrue(estimates.take.isEnabled())
        self.session.configuration.set("outliers", "50")
        row = estimates.methods.index("correlation")
        self.assertTrue(estimates.table.item(row, 1).font().italic())
        self.assertIn("older", estimates.said.text())
        estimates.ask(["correlation"])
        self.assertFalse(estimates.take.isEnabled())
        question = estimates._question
        question.failed.emit("no reason")
        question.drop()
        self.assertEqual(estimates.table.item(row, 1).text(), "✕")
        self.assertNotIn("correlation", estimates.found)
        self.assertFalse(estimates.take.isEnabled())

    def test_judgement(self):
        self.assertEqual(axis_facts.judge({"a": (100.0, 0.1), "b": (100.3, 0.1)}), ("✓ The methods agree within 0.30 px", "good"))
        text, tone = axis_facts.judge({"a": (100.0, 0.1), "b": (103.0, 0.2), "c": (101.0, 0.1)})
        self.assertEqual((text[:1], tone), ("⚠", "warning"))
        self.assertIn("a and b disagree by 3.0 px", text)
        self.assertEqual(axis_facts.judge({"a": (100.0, 0.1)}), ("", ""))


class Slices(AxisTest):
    def made(self, place, number=0):
        until(lambda: place.mosaic.state_line.state in ("done", "failed") and place.mosaic.mosaics[number].cells,
              f"no slices: {place.mosaic.state_line.text}")
        self.assertEqual(place.mosaic.state_line.state, "done", place.mosaic.state_line.text)
        spin(0.05)
        return place.mosaic.mosaics[number].cells

    def test_a_click_takes_the_axis(self):
        place = self.place()
        self.press(place, "show-mosaic")
        self.assertEqual(place.mosaic.values.text(), "82.5:90.5:1")
        type_into(place.mosaic.values, "85.35:87.35:0.5")
        cells = self.made(place)
        self.assertEqual([cell.value for cell in cells], ["85.35", "85.85", "86.35", "86.85", "87.35"])
        subprocess.run(["tomo-reconstruct", SCAN, "--axis=86.35", "--y=67", "--height=1", "--progress=none", f"--output={self.folder}/one.h5"],
                       check=True)
        with h5py.File(self.folder / "one.h5") as file:
            np.testing.assert_array_equal(cells[2].view.image(), file["/entry/data/data"][0])
        self.assertIn("sharpest", place.mosaic.state_line.text)
        click(cells[2].view.canvas)
        self.assertEqual(self.axis, 86.35)
        self.assertEqual([bool(cell.property("chosen")) for cell in cells], [False, False, True, False, False])
        # All show the same crop.
        cells[0].view.canvas.zoom(3)
        self.assertEqual(cells[4].view.scale(), cells[0].view.scale())
        self.save_picture(self.window_, "axis-mosaic.png")
        self.press(place, "finer")
        until(lambda: place.mosaic.mosaics[0].cells is not cells, "no finer slices")
        self.assertEqual([cell.value for cell in self.made(place)], ["85.95", "86.15", "86.35", "86.55", "86.75"])

    def test_another_parameter(self):
        place = self.place()
        self.session.configuration.set("axis", "86.35")
        self.press(place, "show-mosaic")
        place.mosaic.parameter.setCurrentText("projection-filter")
        self.assertEqual(place.mosaic.values.text().split(",")[0], "ramp-fromreal")
        type_into(place.mosaic.values, "ramp,hamming,bh3")
        cells = self.made(place)
        click(cells[1].view.canvas)
        self.assertEqual(self.session.configuration.values["projection-filter"], "hamming")
        type_into(place.mosaic.values, "ramp,nonsense")
        until(lambda: place.mosaic.state_line.state == "failed", "no failure")
        self.assertIn("nonsense", place.mosaic.state_line.text)
        self.assertIs(place.mosaic.mosaics[0].cells, cells)
        for name in axis_facts.swept(self.session.configuration.schema):
            place.mosaic.parameter.setCurrentText(name)
            self.assertTrue(place.mosaic.values.text(), name)

    def test_a_click_takes_what_the_slices_were_made_for(self):
        place = self.place()
        self.press(place, "show-mosaic")
        type_into(place.mosaic.values, "85.35:87.35:1")
        cells = self.made(place)
        place.mosaic.parameter.setCurrentText("offset")
        click(cells[2].view.canvas)
        self.assertEqual(self.axis, 87.35)
        self.assertNotIn("offset", self.session.configuration.values)
        self.assertIn("axis is 87.35", place.mosaic.state_line.text)
        # Other settings make the slices old; the axis, which they replace, does not.
        self.session.configuration.set("rings", self.session.configuration.schema["rings"]["enum"][-1])
        self.assertEqual(place.mosaic.state_line.state, "stale")
        self.session.configuration.undo()
        self.assertEqual(place.mosaic.state_line.state, "done")

    def test_two_rows_tell_the_tilt(self):
        place = self.place()
        self.press(place, "show-mosaic")
        click(place.mosaic.two, QtCore.QPoint(8, 8))
        type_into(place.mosaic.row, "76")
        type_into(place.mosaic.lower, "116")
        type_into(place.mosaic.values, "85.35:87.35:1")
        until(lambda: place.mosaic.mosaics[1].cells, "no slices of the lower row")
        self.made(place, 1)
        self.assertFalse(place.mosaic.take_tilt.isEnabled())
        click(place.mosaic.mosaics[0].cells[1].view.canvas)
        click(place.mosaic.mosaics[1].cells[2].view.canvas)
        self.assertLessEqual(self.window_.width(), 1280)
        self.save_picture(self.window_, "axis-tilt.png")
        type_into(place.mosaic.row, "20")  # the picked slices are of other rows
        click(place.mosaic.take_tilt)
        self.assertAlmostEqual(self.session.configuration.values["roll"], math.degrees(math.atan(1 / 40)), places=3)
        self.assertAlmostEqual(self.axis, 86.35 + (67.5 - 76.5) / 40, delta=0.006)

    def test_the_next_step(self):
        place = self.place()
        self.press(place, "preview-slice")
        self.assertEqual(self.window_._pages.currentWidget().title, "Reconstruct")


class Facts(GuiTest):
    def test_opposite_views(self):
        def facts(views, covered):
            return {"projections": views, "angle-first": 0.0, "angle-last": math.radians(covered)}
        self.assertEqual(axis_facts.opposite(facts(181, 180.0))[0], 180)
        self.assertIsNone(axis_facts.opposite({**facts(361, 360.0), "steps-are-even": False}))
        self.assertEqual(axis_facts.opposite(facts(181, 179.0))[0], 180)   # a step less than half a turn
        self.assertEqual(axis_facts.opposite(facts(361, 360.0))[0], 180)
        self.assertIsNone(axis_facts.opposite(facts(91, 90.0)))
        self.assertIsNone(axis_facts.opposite({"projections": 3}))


if __name__ == "__main__":
    main()
