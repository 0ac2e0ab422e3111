# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Views half a turn apart over each other, with the axis to drag."""

import numpy as np
import pyqtgraph
from gsttomo.faces import axis as axis_facts, looks
from gsttomo.faces.parameters import OF_SCAN
from gsttomo.widgets import AxisOverlay
from pyqtgraph.Qt import QtCore, QtWidgets

from . import axis_estimates, theme
from .flowing import FlowLayout, group
from .states import StateLine

CHANNEL = "axis-views"
THIN = 16    # columns of a row, from which on views are lines rather than images
PAUSE = 150  # ms without a movement until the axis is set


class OverlayPage(QtWidgets.QWidget):
    def __init__(self, session, parent=None):
        super().__init__(parent)
        self.session = session
        self._views = self._facts = self._opposite = None
        self._is_old = False
        self.overlay = AxisOverlay()
        self.overlay.axis_changed.connect(lambda _: self._moved.start())
        self.overlay.axis_changed.connect(lambda _: self._move_profile())
        self.profile = axis_estimates.plot("column (px)")
        self.profile.setLabel("left", "mean")
        self.profile.getAxis("left").setWidth(48)
        self.profile.setFixedHeight(150)
        self.profile.hide()
        self.profile.addLegend(offset=(-8, 4), labelTextColor=theme.ON_SURROUND)
        self._curves = [self.profile.plot(pen=pyqtgraph.mkPen(colour, width=1), name=name)
                        for colour, name in ((theme.CYAN, "0°"), (theme.RED, "180°, mirrored"))]
        self._profile_line = pyqtgraph.InfiniteLine(angle=90, pen=pyqtgraph.mkPen(theme.MARK, width=1, style=QtCore.Qt.PenStyle.DashLine))
        self.profile.addItem(self._profile_line)
        self.overlay.canvas.moved.connect(self._align_profile)
        self.profile.getViewBox().sigResized.connect(lambda *_: self._align_profile())
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
        below = FlowLayout(group(QtWidgets.QLabel("View"), self.first, self.pair), self.show_profile,
                           group(QtWidgets.QLabel("Rows"), self.rows[0], QtWidgets.QLabel("to"), self.rows[1]))
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.overlay, 1)
        layout.addWidget(self.profile)
        layout.addLayout(below)
        layout.addWidget(self.doubt)
        layout.addWidget(self.state_line)

    def clear(self):
        """Nothing is shown of a scan that is not there any more."""
        self._facts = self._views = None
        self._is_old = False
        self._rest.stop()
        self._moved.stop()
        self._forget()
        self.overlay.clear()
        self.pair.setText("")
        for curve in self._curves:
            curve.setData([], [])
        self._tell_doubt()

    def show_scan(self):
        self.clear()
        facts = self._facts = self.session.facts
        self.overlay.set_pixel_size(facts.get("pixel-size"))
        opposite = self._look_for_views()
        for widget, most, value in ((self.first, facts["projections"] - 1 - opposite[0] if opposite else 0, 0),
                                    (self.rows[0], facts["height"] - 1, 0), (self.rows[1], facts["height"] - 1, facts["height"] - 1)):
            blocked = widget.blockSignals(True)
            widget.setMaximum(most)
            widget.setValue(value)
            widget.blockSignals(blocked)
        self.show_profile.setChecked(facts["height"] * THIN < facts["width"])
        self.show_axis()
        self.refresh()

    def know(self):
        """Other facts of the same scan came, which what was changed may have waited for."""
        self._facts = self.session.facts
        self._look_for_views()
        self.show_axis()
        if self._is_old and self.isVisible() or self.state_line.state == "working":
            self.refresh()

    def change(self, names):
        schema = self.session.configuration.schema
        if not self._facts:
            return
        if names & {"axis", "axis-index", "axis-method"}:
            self.show_axis()
        self._tell_doubt()
        if any(schema[name]["x-section"] in ("scan", "angles", "flat-correction", "distortion-correction", "retrieve-phase")
               or name in OF_SCAN or name.startswith("outliers") for name in names):
            self._is_old = True
            if self.isVisible() and not names & OF_SCAN:  # of these, other facts come
                self._rest.start()

    def showEvent(self, event):  # noqa: N802
        super().showEvent(event)
        if self._is_old:
            self._rest.start()
        QtCore.QTimer.singleShot(0, self._align_profile)

    def axis(self):
        """The axis that counts now."""
        return self.session.axis_or_middle()

    def _look_for_views(self):
        self._opposite = axis_facts.opposite(self._facts, self.session.configuration.values) if self._facts["kind"] == "scan" else None
        return self._opposite

    def show_axis(self):
        if self._facts and not self._moved.isActive():
            self.overlay.set_axis(self.axis())
            self._move_profile()

    def refresh(self):
        """Asks for the two views; the last ones stay until these are there."""
        self._rest.stop()
        self._is_old = False
        facts = self._facts
        if not facts or facts is not self.session.facts:
            return
        self._tell_doubt()
        opposite = self._opposite
        self.first.setEnabled(bool(opposite) and self.first.maximum() > 0)
        if not opposite:
            self.session.pictures.forget(CHANNEL)
            self._views = None
            for curve in self._curves:
                curve.setData([], [])
            self.pair.setText("")
            self.overlay.clear("These are sinograms: compare slices, or let a method find the axis." if facts["kind"] != "scan" else
                               axis_facts.why_not_opposite(facts))
            self.state_line.empty("There are no views to lay over each other")
            return
        first, (apart, degrees) = self.first.value(), opposite
        self.pair.setText(f"and {first + apart}, {degrees:.1f}° apart")
        mode = "absorption" if "absorption" in looks.modes(self.session.configuration, facts) else "raw"
        self.state_line.working("Two views are read")
        self.session.pictures.ask(CHANNEL, looks.projections(self.session.configuration, facts, mode, first, 2, apart),
                                  lambda images, _: self._keep(facts, images, first, apart), self._fail)

    def _keep(self, facts, images, first, apart):
        if facts is not self._facts:  # other facts came, with which others are asked for
            return
        if len(images) < 2:
            self._fail(f"there is no view {first + apart}")
            return
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
        QtCore.QTimer.singleShot(0, self._align_profile)

    def resizeEvent(self, event):  # noqa: N802
        super().resizeEvent(event)
        QtCore.QTimer.singleShot(0, self._align_profile)

    def _align_profile(self):
        """Columns of the plot lie below those of the views."""
        canvas, plot = self.overlay.canvas, self.profile.getViewBox()
        if self._views is None or not self.profile.isVisible():
            return
        box = plot.mapRectToScene(plot.boundingRect())
        left = self.profile.mapTo(self, self.profile.mapFromScene(box.topLeft())).x() - canvas.mapTo(self, QtCore.QPoint(0, 0)).x()
        at = canvas.to_widget(QtCore.QPointF(0, 0)).x()
        begin = (left - at) / canvas.scale()
        plot.setXRange(begin, begin + box.width() / canvas.scale(), padding=0)

    def _move_profile(self):
        """Means of the rows, the second one mirrored at the axis."""
        if self._views is None or not self.show_profile.isChecked():
            return
        top, bottom = sorted(field.value() for field in self.rows)
        zero, opposite = (view[top:bottom + 1].mean(0) for view in self._views[:2])
        columns = np.arange(len(zero)) + 0.5
        self._profile_line.setValue(self.overlay.axis())
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
