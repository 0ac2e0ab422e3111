# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The place of a camera's stream."""

from pyqtgraph.Qt import QtWidgets

from .states import EmptyPage


class LivePlace(QtWidgets.QWidget):
    title = "Live"

    def __init__(self, session, parent=None):
        super().__init__(parent)
        layout = QtWidgets.QVBoxLayout(self)
        layout.addWidget(EmptyPage("Slices of a camera's stream are not here yet.\nA scan that is being written opens under Scans."))

    def shown(self):
        pass
