# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Slices for several values of a parameter beside each other; a click takes one."""

import math

import numpy as np
from gsttomo.widgets import ImageView
from pyqtgraph.Qt import QtCore, QtWidgets

from . import axis_facts, theme
from .reconstruct import slice_description
from .session import TO_FIND_AXIS
from .states import StateLine

CHANNEL = "mosaic"
MOST = 25  # slices


class Cell(QtWidgets.QFrame):
    """One slice, with its value."""

    def __init__(self, value, unit, parent=None):
        super().__init__(parent)
        self.value = value
        self.setObjectName("cell")
        self.view = ImageView(toolbar=False, histogram=False, readout=False)
        self.view.set_scale_bar(False)
        self.view.set_caption(f"{value} {unit}".strip())
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(2, 2, 2, 2)
        layout.addWidget(self.view)

    def mark(self, is_chosen):
        theme.mark(self, "chosen", is_chosen)


class Mosaic(QtWidgets.QWidget):
    """Slices in one window of grey and one crop. chosen: with the number and the value that is printed in it"""

    chosen = QtCore.Signal(int, str)

    def __init__(self, parent=None):
        super().__init__(parent)
        self.cells = []
        self._grid = QtWidgets.QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(2)
        self._is_linking = False

    def show_slices(self, values, images, unit="", columns=None):
        self.clear()
        some = images[:, ::max(1, images.shape[1] // 256), ::max(1, images.shape[2] // 256)]
        some = some[np.isfinite(some)]
        levels = np.percentile(some, (0.5, 99.5)) if some.size else (0.0, 1.0)
        columns = columns or math.ceil(math.sqrt(len(values)))
        for number, (value, image) in enumerate(zip(values, images)):
            cell = Cell(value, unit)
            cell.view.set_image(np.asarray(image, np.float32), fit=True, levels=(float(levels[0]), max(float(levels[1]), float(levels[0]) + 1e-12)))
            cell.view.pressed.connect(lambda _x, _y, number=number: self.choose(number))
            cell.view.moved.connect(lambda cell=cell: self._link(cell))
            cell.view.levels_changed.connect(lambda low, high, cell=cell: self._link_levels(cell, low, high))
            self._grid.addWidget(cell, number // columns, number % columns)
            self.cells.append(cell)

    def choose(self, number):
        self.mark(number)
        self.chosen.emit(number, self.cells[number].value)

    def mark(self, number):
        for i, cell in enumerate(self.cells):
            cell.mark(i == number)

    def clear(self):
        for cell in self.cells:
            self._grid.removeWidget(cell)
            cell.deleteLater()
        self.cells = []

    def _link(self, moved):
        if self._is_linking:
            return
        self._is_linking = True
        for cell in self.cells:
            if cell is not moved:
                cell.view.show_like(moved.view)
        self._is_linking = False

    def _link_levels(self, changed, low, high):
        if self._is_linking:
            return
        self._is_linking = True
        for cell in self.cells:
            if cell is not changed:
                cell.view.set_levels(low, high)
        self._is_linking = False


class MosaicPage(QtWidgets.QWidget):
    """A sweep of one row, or of the axis in two rows, which tell its tilt."""

    def __init__(self, session, parent=None):
        super().__init__(parent)
        self.session = session
        self._facts = None
        self._picked = [None, None]  # axis in the upper and in the lower row
        self._proposed = ""
        schema = session.configuration.schema
        self.parameter = QtWidgets.QComboBox(objectName="sweep-parameter")
        self.parameter.addItems(axis_facts.swept(schema))
        self.parameter.setMaxVisibleItems(20)
        self.parameter.currentTextChanged.connect(self._propose)
        self.values = QtWidgets.QLineEdit(objectName="sweep-values")
        self.values.setToolTip("FROM:TO:STEP, or values with commas between them")
        self.values.returnPressed.connect(self.make)
        self.row = QtWidgets.QSpinBox(objectName="sweep-row", keyboardTracking=False)
        self.lower = QtWidgets.QSpinBox(objectName="sweep-lower-row", keyboardTracking=False)
        self.two = QtWidgets.QCheckBox("Two rows", objectName="two-rows", toolTip="Axes in two rows tell the tilt")
        self.two.toggled.connect(self._arrange)
        self.start = QtWidgets.QPushButton("Make slices", objectName="make-slices")
        self.start.clicked.connect(self.make)
        self.finer, self.wider = QtWidgets.QPushButton("Finer", objectName="finer"), QtWidgets.QPushButton("Wider", objectName="wider")
        self.finer.clicked.connect(lambda: self._scale(0.4))
        self.wider.clicked.connect(lambda: self._scale(2.5))
        self.mosaics = Mosaic(), Mosaic()
        for number, mosaic in enumerate(self.mosaics):
            mosaic.chosen.connect(lambda _, value, number=number: self._pick(number, value))
        self.mosaics[1].hide()
        self.tilt = QtWidgets.QLabel()
        self.take_tilt = QtWidgets.QPushButton("Take both", objectName="take-tilt", enabled=False, visible=False)
        self.take_tilt.clicked.connect(self._take_tilt)
        self.state_line = StateLine()
        self.state_line.cancelled.connect(self._forget)
        for button in (self.start, self.finer, self.wider, self.take_tilt):
            button.setProperty("small", True)
        self._lay_out()
        self._arrange()

    def _lay_out(self):
        rows = []
        for widgets in ((self.parameter, self.values, self.finer, self.wider, self.start),
                        (QtWidgets.QLabel("Row"), self.row, self.lower, self.two, None, self.tilt, self.take_tilt)):
            row = QtWidgets.QHBoxLayout()
            row.setContentsMargins(2 * theme.SPACE, theme.SPACE, 2 * theme.SPACE, 0)
            row.setSpacing(theme.SPACE)
            for widget in widgets:
                row.addWidget(widget, 1 if widget is self.values else 0) if widget else row.addStretch(1)
            rows.append(row)
        self.parameter.setMaximumWidth(170)
        surround = QtWidgets.QFrame(objectName="surround")
        inside = QtWidgets.QVBoxLayout(surround)
        inside.setContentsMargins(0, theme.SPACE, 0, 0)
        for mosaic in self.mosaics:
            inside.addWidget(mosaic, 1)
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        for row in rows:
            layout.addLayout(row)
        layout.addSpacing(theme.SPACE)
        layout.addWidget(surround, 1)
        layout.addWidget(self.state_line)

    def show_scan(self):
        facts = self._facts = self.session.facts
        self._forget()
        for mosaic in self.mosaics:
            mosaic.clear()
        self._picked = [None, None]
        for field, row in ((self.row, facts["height"] // 2), (self.lower, facts["height"] - 1 - facts["height"] // 8)):
            field.setMaximum(facts["height"] - 1)
            field.setValue(row)
        self._propose()
        self.state_line.empty("Choose values, and make slices. A click takes the value of a slice")

    def make(self):
        """Makes the slices of the chosen values; the last ones stay until these are there."""
        if not self._facts:
            return
        self._picked = [None, None]
        self._tell_tilt()
        self._ask(0)

    def is_of_two(self):
        return self.two.isChecked() and self.parameter.currentText() == "axis"

    def description(self, row):
        name = self.parameter.currentText()
        values = slice_description(self.session, row)
        values["sweep"] = f"{name}={self.values.text().strip()}"
        if name == "axis":
            for other in TO_FIND_AXIS:
                values.pop(other, None)
            if self.is_of_two():
                values.pop("roll", None)
        if self._facts["width"] // values.get("binning", 1) > axis_facts.MOST_COLUMNS and "crop-width" not in values:
            values["crop-width"] = axis_facts.MOST_COLUMNS
        values.pop(name, None)
        return values

    def _ask(self, number):
        row = (self.row, self.lower)[number].value()
        self.state_line.working(f"Slices of row {row}")
        self.session.pictures.ask(CHANNEL, self.description(row), lambda images, events: self._show(number, row, images, events), self._fail)

    def _show(self, number, row, images, events):
        plan = next((event for event in events if event["event"] == "plan"), {})
        values = plan.get("values") or [str(i) for i in range(len(images))]
        unit = self.session.configuration.schema[self.parameter.currentText()].get("x-unit", "")
        self.mosaics[number].show_slices(values[:MOST], images[:MOST], unit, len(values) if self.is_of_two() and len(values) < 8 else None)
        sharpest = next((event for event in events if event["event"] == "result" and event["name"] == "sharpest-axis"), None)
        if number == 0 and self.is_of_two():
            self._ask(1)
            return
        text = f"{len(images)} slices of row {row}" + (f", the sharpest at {sharpest['value']:g} px" if sharpest else "")
        self.state_line.done(text + (f"; the first {MOST} are shown" if len(images) > MOST else "") + ". A click takes a value")

    def _pick(self, number, value):
        if self.is_of_two():
            self._picked[number] = float(value)
            self._tell_tilt()
            return
        name = self.parameter.currentText()
        if name == "axis":
            self.session.take_axis(float(value))
        else:
            self.session.configuration.set(name, value)
        self.state_line.done(f"{name} is {value}")

    def _pairs(self):
        return tuple((field.value() + 0.5, axis) for field, axis in zip((self.row, self.lower), self._picked))

    def _tell_tilt(self):
        is_whole = None not in self._picked and self.row.value() != self.lower.value()
        self.take_tilt.setEnabled(is_whole)
        self.tilt.setText(f"tilt {axis_facts.tilt(*self._pairs()):.2f}°" if is_whole else
                          "Choose one above and one below" if self.is_of_two() else "")

    def _take_tilt(self):
        axis = axis_facts.axis_at(self._facts["height"] / 2, *self._pairs())
        self.session.take_axis(axis, roll=round(axis_facts.tilt(*self._pairs()), 4))
        self.state_line.done(f"axis is {axis:.2f}, roll {axis_facts.tilt(*self._pairs()):.2f}°")

    def _arrange(self):
        is_axis = self.parameter.currentText() == "axis"
        self.two.setVisible(is_axis)
        is_two = self.is_of_two()
        for widget in (self.lower, self.mosaics[1], self.take_tilt):
            widget.setVisible(is_two)
        if self._facts and is_two and self.row.value() >= self.lower.value():
            self.row.setValue(self._facts["height"] // 8)
        elif self._facts and is_two and self.row.value() == self._facts["height"] // 2:
            self.row.setValue(self._facts["height"] // 8)
        self._tell_tilt()

    def _propose(self):
        """Values around the one that counts now."""
        name = self.parameter.currentText()
        about = self.session.configuration.schema[name]
        at = None
        if name == "axis" and self._facts:
            at = round(self.session.configuration.values.get("axis", axis_facts.middle(self._facts)), 2)
        self._proposed = axis_facts.values_of(about, at)
        self.values.setText(self._proposed)
        is_range = ":" in self.values.text()
        self.finer.setVisible(is_range)
        self.wider.setVisible(is_range)
        self._arrange()

    def change(self, names):
        """Another axis counts: values that nobody typed follow it."""
        if "axis" in names and self._facts and self.parameter.currentText() == "axis" and self.values.text() == self._proposed:
            self._propose()

    def _scale(self, factor):
        """The same number of values around the chosen one, closer together or further apart."""
        try:
            begin, end, step = (float(part) for part in self.values.text().split(":"))
        except ValueError:
            return
        name, either_side = self.parameter.currentText(), max(1, round((end - begin) / step / 2))
        middle = self.session.configuration.values.get(name, (begin + end) / 2)
        self.values.setText(axis_facts.range_text(middle, float(f"{step * factor:.2g}"), either_side))
        self.make()

    def _forget(self):
        self.session.pictures.forget(CHANNEL)
        self.state_line.done()

    def _fail(self, text):
        self.state_line.failed(text, has_log=False)
        self.session.noted.emit("error", text)
