# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Views half a turn apart over each other, with the axis to drag."""

import numpy as np
import pyqtgraph
from gsttomo.widgets import AxisOverlay
from pyqtgraph.Qt import QtCore, QtWidgets

from . import axis_estimates, axis_facts, scans_looks, theme
from .states import StateLine

CHANNEL = "axis-views"
THIN = 16    # columns of a row, from which on views are lines rather than images
PAUSE = 150  # ms without a movement until the axis is set


class OverlayPage(QtWidgets.QWidget):
    def __init__(self, session, parent=None):
        super().__init__(parent)
        self.session = session
        self._views = self._facts = None
        self._is_old = False
        self.overlay = AxisOverlay()
        self.overlay.axis_changed.connect(lambda _: self._moved.start())
        self.overlay.axis_changed.connect(lambda _: self._move_profile())
        self.profile = axis_estimates.plot("column (px)")
        self.profile.setFixedHeight(150)
        self.profile.hide()
        self._curves = [self.profile.plot(pen=pyqtgraph.mkPen(colour, width=1)) for colour in (theme.CYAN, theme.RED)]
        self.show_profile = QtWidgets.QPushButton("Profile", checkable=True, objectName="axis-profile")
        self.show_profile.setProperty("small", True)
        self.show_profile.setToolTip("Mean of the rows, of both views")
        self.show_profile.toggled.connect(self._toggle_profile)
        self.overlay.stepped.connect(lambda steps: self.first.setValue(self.first.value() + steps))
        self.first = QtWidgets.QSpinBox(objectName="first-view", keyboardTracking=False)
        self.first.setToolTip("View at 0 degrees; the wheel takes the next pair")
        self.first.valueChanged.connect(lambda _: self._rest.start())
        self.rows = [QtWidgets.QSpinBox(objectName=name, keyboardTracking=False) for name in ("row-from", "row-to")]
        for field in self.rows:
            field.valueChanged.connect(lambda _: self._show_views())
        self.pair, self.doubt = QtWidgets.QLabel(), QtWidgets.QLabel(wordWrap=True, visible=False)
        theme.mark(self.doubt, "tone", "warning")
        self.state_line = StateLine()
        self.state_line.cancelled.connect(self._forget)
        self._moved, self._rest = (QtCore.QTimer(self, singleShot=True, interval=PAUSE) for _ in range(2))
        self._moved.timeout.connect(self._set_axis)
        self._rest.timeout.connect(self.refresh)
        below = QtWidgets.QHBoxLayout()
        below.setContentsMargins(2 * theme.SPACE, theme.SPACE, 2 * theme.SPACE, 0)
        below.setSpacing(theme.SPACE)
        for widget in (QtWidgets.QLabel("View"), self.first, self.pair):
            below.addWidget(widget)
        below.addStretch(1)
        below.addWidget(self.show_profile)
        for widget in (QtWidgets.QLabel("Rows"), self.rows[0], QtWidgets.QLabel("to"), self.rows[1]):
            below.addWidget(widget)
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.overlay, 1)
        layout.addWidget(self.profile)
        layout.addLayout(below)
        layout.addWidget(self.doubt)
        layout.addWidget(self.state_line)

    def show_scan(self):
        facts = self._facts = self.session.facts
        self._forget()
        self._views = None
        self.overlay.clear()
        self.overlay.set_pixel_size(facts.get("pixel-size"))
        opposite = axis_facts.opposite(facts) if facts["kind"] == "scan" else None
        for widget, most, value in ((self.first, facts["projections"] - 1 - opposite[0] if opposite else 0, 0),
                                    (self.rows[0], facts["height"] - 1, 0), (self.rows[1], facts["height"] - 1, facts["height"] - 1)):
            blocked = widget.blockSignals(True)
            widget.setMaximum(most)
            widget.setValue(value)
            widget.blockSignals(blocked)
        self.show_profile.setChecked(facts["height"] * THIN < facts["width"])
        self.show_axis()
        self.refresh()

    def change(self, names):
        schema = self.session.configuration.schema
        if names & {"axis", "axis-index"}:
            self.show_axis()
        self._tell_doubt()
        if self._facts and any(schema[name]["x-section"] in ("scan", "flat-correction", "distortion-correction", "retrieve-phase")
                               or name.startswith("outliers") for name in names):
            self._is_old = True
            if self.isVisible():
                self._rest.start()

    def showEvent(self, event):  # noqa: N802
        super().showEvent(event)
        if self._is_old:
            self._rest.start()

    def axis(self):
        """The axis that counts now."""
        values = self.session.configuration.values
        return values.get("axis", values["axis-index"] + 0.5 if "axis-index" in values else axis_facts.middle(self._facts))

    def show_axis(self):
        if self._facts and not self._moved.isActive():
            self.overlay.set_axis(self.axis())
            self._move_profile()

    def refresh(self):
        """Asks for the two views; the last ones stay until these are there."""
        self._rest.stop()
        self._is_old = False
        facts = self._facts
        if not facts:
            return
        self._tell_doubt()
        opposite = axis_facts.opposite(facts)
        self.first.setEnabled(bool(opposite))
        if facts["kind"] != "scan":
            self.overlay.clear("These are sinograms: compare slices, or let a method find the axis.")
            self.state_line.empty("There are no views to lay over each other")
            return
        if not opposite:
            self.overlay.clear(f"The views cover {axis_facts.covered(facts):.4g}°: no two are half a turn apart. Compare slices.")
            self.state_line.empty("There are no views to lay over each other")
            return
        first, (apart, degrees) = self.first.value(), opposite
        self.pair.setText(f"and {first + apart}, {degrees:.1f}° apart")
        mode = "absorption" if facts["flats"] else "transmission"
        self.state_line.working("Two views are read")
        self.session.pictures.ask(CHANNEL, scans_looks.projections(self.session, facts, mode, first, 2, apart),
                                  lambda images, _: self._keep(images, first, apart), self._fail)

    def _keep(self, images, first, apart):
        self._views = images
        self._show_views()
        self.state_line.done(f"Views {first} and {first + apart}. Drag the line, or press Left, Right: 0.1 px, Shift 1 px")

    def _show_views(self):
        if self._views is None:
            return
        top, bottom = sorted(field.value() for field in self.rows)
        self.overlay.set_images(*(np.ascontiguousarray(view[top:bottom + 1]) for view in self._views[:2]), axis=self.overlay.axis())
        self._move_profile()

    def _toggle_profile(self, is_on):
        self.profile.setVisible(is_on)
        self._move_profile()

    def _move_profile(self):
        """Means of the rows, the second one mirrored at the axis."""
        if self._views is None or not self.show_profile.isChecked():
            return
        top, bottom = sorted(field.value() for field in self.rows)
        zero, opposite = (view[top:bottom + 1].mean(0) for view in self._views[:2])
        columns = np.arange(len(zero)) + 0.5
        self._curves[0].setData(columns, zero, connect="finite")
        self._curves[1].setData(2 * self.overlay.axis() - columns, opposite, connect="finite")

    def _set_axis(self):
        self.session.take_axis(self.overlay.axis())

    def _tell_doubt(self):
        text = axis_facts.doubt(self._facts, self.session.configuration.values) if self._facts else ""
        self.doubt.setText(f"⚠ {text}" if text else "")
        self.doubt.setVisible(bool(text))

    def _forget(self):
        self.session.pictures.forget(CHANNEL)
        self.state_line.done()

    def _fail(self, text):
        self.state_line.failed(text, has_log=False)
        self.session.noted.emit("error", text)
