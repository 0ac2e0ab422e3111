# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Its place is kept."""

from pyqtgraph.Qt import QtWidgets

from .states import EmptyPage


class ResultsPlace(QtWidgets.QWidget):
    title = "Results"

    def __init__(self, session, parent=None):
        super().__init__(parent)
        QtWidgets.QVBoxLayout(self).addWidget(EmptyPage("Not here yet."))

    def shown(self):
        pass

    def open(self, name):
        pass
