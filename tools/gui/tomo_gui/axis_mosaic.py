# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Slices for several values of a parameter beside each other; a click takes one."""

import dataclasses
import math

import numpy as np
from gsttomo.faces import axis as axis_facts, looks
from gsttomo.widgets import ImageView
from pyqtgraph.Qt import QtCore, QtWidgets

from . import theme
from .flowing import FlowLayout, group
from .states import StateLine

CHANNEL = "mosaic"
USUAL = 9  # slices, whose places are made ahead


@dataclasses.dataclass
class Making:
    """What the slices of a mosaic are made for, whatever the fields say meanwhile."""
    name: str          # of the parameter
    unit: str
    sweep: str         # its values, as they were typed
    rows: tuple        # one, or the upper and the lower one
    descriptions: tuple  # of the slices of each row
    is_cropped: bool


class Cell(QtWidgets.QFrame):
    """One slice, with its value."""

    def __init__(self, parent=None):
        super().__init__(parent)
        self.value = ""
        self.setObjectName("cell")
        self.view = ImageView(toolbar=False, histogram=False, readout=False)
        self.view.set_scale_bar(False)
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(2, 2, 2, 2)
        layout.addWidget(self.view)
        self.hide()

    def show_slice(self, value, unit, image, levels):
        self.value = value
        self.view.set_caption(f"{value} {unit}".strip())
        self.view.set_image(np.asarray(image, np.float32), fit=True, levels=levels)
        self.mark(False)
        self.show()

    def mark(self, is_chosen):
        theme.mark(self, "chosen", is_chosen)


class Mosaic(QtWidgets.QWidget):
    """Slices in one window of grey and one crop. chosen: with the number and the value that is printed in it"""

    chosen = QtCore.Signal(int, str)

    def __init__(self, parent=None):
        super().__init__(parent)
        self.cells = []  # that have a slice
        self._all = []   # made once, as that takes tens of milliseconds each under load
        self._grid = QtWidgets.QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(2)
        self._is_linking = False
        self._ahead = QtCore.QTimer(self, interval=0)
        self._ahead.timeout.connect(self._make_ahead)

    def showEvent(self, event):  # noqa: N802
        super().showEvent(event)
        self._ahead.start()

    def show_slices(self, values, images, unit="", columns=None):
        self.clear()
        some = images[:, ::max(1, images.shape[1] // 256), ::max(1, images.shape[2] // 256)]
        some = some[np.isfinite(some)]
        low, high = map(float, np.percentile(some, (0.5, 99.5)) if some.size else (0.0, 1.0))
        columns = columns or math.ceil(math.sqrt(len(values)))
        while len(self._all) < len(values):
            self._make()
        self.cells = self._all[:len(values)]
        self._is_linking = True
        for number, (cell, value, image) in enumerate(zip(self.cells, values, images)):
            self._grid.addWidget(cell, number // columns, number % columns)
            cell.show_slice(value, unit, image, (low, max(high, low + 1e-12)))
        self._is_linking = False

    def _make_ahead(self):
        if len(self._all) >= USUAL:
            self._ahead.stop()
        else:
            self._make()

    def _make(self):
        number, cell = len(self._all), Cell(self)
        cell.view.pressed.connect(lambda _x, _y: self.choose(number))
        cell.view.moved.connect(lambda: self._link(cell))
        cell.view.levels_changed.connect(lambda low, high: self._link_levels(cell, low, high))
        self._all.append(cell)

    def choose(self, number):
        if number >= len(self.cells):  # a slice that is on its way out
            return
        self.mark(number)
        self.chosen.emit(number, self.cells[number].value)

    def mark(self, number):
        for i, cell in enumerate(self.cells):
            cell.mark(i == number)

    def clear(self):
        for cell in self.cells:
            self._grid.removeWidget(cell)
            cell.hide()
            cell.view.clear()
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
        self._made = [None, None]    # Making of each mosaic
        self._picked = [None, None]  # pairs of row and axis, above and below
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
        above = QtWidgets.QHBoxLayout()
        above.setContentsMargins(2 * theme.SPACE, theme.SPACE, 2 * theme.SPACE, 0)
        above.setSpacing(theme.SPACE)
        for widget in (self.parameter, self.values, self.start):
            above.addWidget(widget, 1 if widget is self.values else 0)
        self.parameter.setMinimumWidth(80)
        self.values.setMinimumWidth(60)
        rows = above, FlowLayout(group(QtWidgets.QLabel("Row"), self.row, self.lower), self.two, self.finer, self.wider, self.tilt, self.take_tilt)
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
        self.clear()
        facts = self._facts = self.session.facts
        for field, row in ((self.row, axis_facts.middle_row(facts)), (self.lower, facts["height"] - 1 - facts["height"] // 8)):
            field.setMaximum(facts["height"] - 1)
            field.setValue(row)
        self._propose()
        self.state_line.empty("Choose values, and make slices. A click takes the value of a slice")

    def clear(self):
        """Nothing is shown of a scan that is not there any more."""
        self._facts = None
        self._forget()
        for mosaic in self.mosaics:
            mosaic.clear()
        self._made, self._picked = [None, None], [None, None]
        self._tell_tilt()

    def make(self):
        """Makes the slices of the chosen values; the last ones stay until these are there."""
        if not self._facts:
            return
        name = self.parameter.currentText()
        rows = (self.row.value(), self.lower.value()) if self.is_of_two() else (self.row.value(),)
        sweep = self.values.text().strip()
        descriptions = tuple(self.description(name, sweep, row, len(rows) > 1) for row in rows)
        is_cropped = "crop-width" in descriptions[0] and "crop-width" not in self.session.configuration.values
        unit = self.session.configuration.schema[name].get("x-unit", "")
        self._ask(0, Making(name, unit, sweep, rows, descriptions, is_cropped))

    def is_of_two(self):
        return self.two.isChecked() and self.parameter.currentText() == "axis"

    def description(self, name, sweep, row, is_of_two):
        return axis_facts.sweep_of(self.session.description(), self._facts, name, sweep, row, is_of_two)

    def _ask(self, number, making):
        self.state_line.working(f"Slices of row {making.rows[number]}")
        self.session.pictures.ask(CHANNEL, making.descriptions[number],
                                  lambda images, events: self._show(number, making, images, events), self._fail)

    def _show(self, number, making, images, events):
        plan = next((event for event in events if event["event"] == "plan"), {})
        values = plan.get("values") or [str(i) for i in range(len(images))]
        is_two, most = len(making.rows) > 1, axis_facts.MOST_SLICES
        self.mosaics[number].show_slices(values[:most], images[:most], making.unit, len(values) if is_two and len(values) < 8 else None)
        self._made[number], self._picked[number] = making, None
        self._tell_tilt()
        sharpest = next((event for event in events if event["event"] == "result" and event["name"] == "sharpest-axis"), None)
        if number + 1 < len(making.rows):
            self._ask(number + 1, making)
            return
        text = f"{len(images)} slices of row {making.rows[number]}" + (f", the sharpest at {sharpest['value']:g} px" if sharpest else "")
        text += f"; the first {most} are shown" if len(images) > most else ""
        text += f"; their middle {axis_facts.MOST_COLUMNS} columns" if making.is_cropped else ""
        self.state_line.done(text + ". A click takes a value")
        self._tell_age()

    def _pick(self, number, value):
        making = self._made[number]
        if making.name == "axis" and self.is_of_two():
            self._picked[number] = making.rows[number] + 0.5, float(value)
            self._tell_tilt()
            return
        if making.name == "axis":
            self.session.take_axis(float(value))
        else:
            self.session.configuration.set(making.name, value)
        self.state_line.done(f"{making.name} is {value}")
        self._tell_age()

    def _tell_age(self):
        """Says that the slices were made with other settings than those that count now."""
        making = self._made[0]
        if not making or self.state_line.state not in ("done", "stale"):
            return
        now = self.description(making.name, making.sweep, making.rows[0], len(making.rows) > 1)
        is_old = any(now.get(name) != making.descriptions[0].get(name) for name in now.keys() | making.descriptions[0].keys()
                     if self.session.configuration.schema[name]["x-section"] not in ("output", "machine") and name not in looks.NOT_FOR_LOOKS)
        if is_old:
            self.state_line.stale()
        elif self.state_line.state == "stale":
            self.state_line.done(f"Slices of row {making.rows[0]}. A click takes a value")

    def _tell_tilt(self):
        is_whole = None not in self._picked and self._picked[0][0] != self._picked[1][0]
        self.take_tilt.setEnabled(is_whole)
        self.tilt.setText(f"tilt {axis_facts.tilt(*self._picked):.2f}°" if is_whole else
                          "Choose one above and one below" if self.is_of_two() else "")

    def _take_tilt(self):
        axis, tilt = axis_facts.axis_at(self._facts["height"] / 2, *self._picked), axis_facts.tilt(*self._picked)
        self.session.take_axis(axis, roll=round(tilt, 4))
        self.state_line.done(f"axis is {axis:.2f}, roll {tilt:.2f}°")

    def _arrange(self):
        is_axis = self.parameter.currentText() == "axis"
        self.two.setVisible(is_axis)
        is_two = self.is_of_two()
        for widget in (self.lower, self.mosaics[1], self.take_tilt):
            widget.setVisible(is_two)
        if self._facts and is_two and self.row.value() >= self.lower.value():
            self.row.setValue(self._facts["height"] // 8)
        elif self._facts and is_two and self.row.value() == axis_facts.middle_row(self._facts):
            self.row.setValue(self._facts["height"] // 8)
        self._tell_tilt()

    def _propose(self):
        """Values around the one that counts now."""
        name = self.parameter.currentText()
        about = self.session.configuration.schema[name]
        at = None
        if name == "axis" and self._facts:
            at = round(self.session.axis_or_middle(), 2)
        self._proposed = axis_facts.values_of(about, at)
        self.values.setText(self._proposed)
        is_range = ":" in self.values.text()
        self.finer.setVisible(is_range)
        self.wider.setVisible(is_range)
        self._arrange()

    def change(self, names):
        """Another axis counts: values that nobody typed follow it. Slices of other settings are old."""
        if self._facts:
            self._tell_age()
        if names & {"axis", "axis-index"} and self._facts and self.parameter.currentText() == "axis" and self.values.text() == self._proposed:
            self._propose()

    def _scale(self, factor):
        """The same number of values around the chosen one, closer together or further apart."""
        name = self.parameter.currentText()
        middle = self.session.configuration.values.get(name)
        if name == "axis" and "axis-index" in self.session.configuration.values:
            middle = self.session.axis_or_middle()
        if text := axis_facts.scaled(self.values.text(), factor, middle):
            self.values.setText(text)
            self.make()

    def _forget(self):
        self.session.pictures.forget(CHANNEL)
        self.state_line.done()

    def _fail(self, text):
        self.state_line.failed(text, has_log=False)
        self.session.noted.emit("error", text)
