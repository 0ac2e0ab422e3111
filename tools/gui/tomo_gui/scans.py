# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The place of scans."""

from pyqtgraph.Qt import QtWidgets

from .states import EmptyPage


class ScansPlace(QtWidgets.QWidget):
    title = "Scans"

    def __init__(self, session, parent=None):
        super().__init__(parent)
        self.session = session
        QtWidgets.QVBoxLayout(self).addWidget(EmptyPage("Not here yet."))

    def shown(self):
        pass

    def open_scans(self, names):
        self.session.open_scan(names[0])

    def ask_file(self):
        pass

    def ask_folder(self):
        pass
