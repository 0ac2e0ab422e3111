# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The plot of a profile."""

import numpy as np
import pyqtgraph

from . import _scalebar
from ._levels import LARGEST
from ._qt import QtWidgets, Qt, MARK, ON_SURROUND, SURROUND


class ProfilePlot(pyqtgraph.PlotWidget):
    _note = None  # sizes change before it is made

    def __init__(self, parent=None):
        super().__init__(parent, background=SURROUND)
        self.setFixedHeight(140)
        self.hideButtons()
        self.setMenuEnabled(False)
        for side in ("left", "bottom"):
            axis = self.getAxis(side)
            axis.setPen(ON_SURROUND)
            axis.setTextPen(ON_SURROUND)
            axis.enableAutoSIPrefix(False)
        self.getAxis("left").setWidth(64)
        self.setLabel("left", "value")
        self._note = QtWidgets.QLabel("Drag a line over the image", self, alignment=Qt.AlignmentFlag.AlignCenter)
        self._note.setStyleSheet(f"color: {ON_SURROUND.name()}; background: {SURROUND.name()}")
        self._curve = self.plot(pen=pyqtgraph.mkPen(MARK, width=1))

    def show_profile(self, measured, pixel_size):
        """Distances in samples with values, or None."""
        self._note.setVisible(measured is None)
        if measured is None:
            self._curve.setData([], [])
            return
        distances, values = measured
        unit, factor = "px", 1.0
        if pixel_size:
            size, unit = _scalebar.unit_of(distances[-1] * pixel_size)
            factor = pixel_size / size
        self.setLabel("bottom", f"distance ({unit})")
        self._curve.setData(distances * factor, np.where(np.abs(values) < LARGEST, values, np.nan), connect="finite")

    def resizeEvent(self, event):
        super().resizeEvent(event)
        if self._note is not None:
            self._note.setGeometry(self.rect())

    def values(self):
        """Distances as they are drawn, and values."""
        return self._curve.getData()
