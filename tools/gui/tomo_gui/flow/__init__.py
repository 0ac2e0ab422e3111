# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The place Flow: dataflows as nodes and links.

document    the dataflow, without a window: nodes, links, groups, JSON, undo
catalogue   the elements there are, and which fit together
layout      places for nodes that have none
canvas      draws the document with NodeGraphQt (view: the mouse, items: what is drawn)
palette     the list of elements; form, values: properties; picture: the arrays of a link; runner: processes; bar: tools
place       puts them together
"""

import importlib.util

from pyqtgraph.Qt import QtCore, QtWidgets

HOW_TO_GET = "python3 -m pip install --no-deps NodeGraphQt==0.6.44 Qt.py"


class FlowPlace(QtWidgets.QWidget):
    """The place; without NodeGraphQt it says how to get that. session may be None."""

    title = "Flow"

    def __init__(self, session, parent=None):
        super().__init__(parent)
        self._session = session
        self._layout = QtWidgets.QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self.flow = None
        self.missing = None
        self._path = None

    def shown(self):
        """It became the visible place: the canvas is made when it is first looked at."""
        if self.flow is not None or self.missing is not None:
            return
        if not all(importlib.util.find_spec(name) for name in ("NodeGraphQt", "Qt")):
            return self._say(f"Flow draws dataflows with NodeGraphQt, which is not installed. To install it:\n\n{HOW_TO_GET}")
        try:
            from .place import Flow
        except ImportError as error:
            return self._say(f"Flow draws dataflows with NodeGraphQt, which can't be loaded: {error}. To install it again:\n\n{HOW_TO_GET}")
        self.flow = Flow(self._session, self)
        self._layout.addWidget(self.flow)
        if self._path:
            self.flow.open(self._path)

    def open(self, path):
        self._path = path
        if self.flow is not None:
            self.flow.open(path)
        else:
            self.shown()

    def close_place(self):
        """The window closes."""
        if self.flow is not None:
            self.flow.runner.drop()

    def _say(self, text):
        self.missing = QtWidgets.QLabel(text, objectName="missing", wordWrap=True)
        self.missing.setTextInteractionFlags(QtCore.Qt.TextInteractionFlag.TextSelectableByMouse)
        self.missing.setAlignment(QtCore.Qt.AlignmentFlag.AlignCenter)
        self.missing.setMargin(32)
        self._layout.addWidget(self.missing)
