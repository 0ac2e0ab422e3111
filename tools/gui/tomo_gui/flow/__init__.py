# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The place Flow: dataflows as nodes and links.

document    the dataflow, without a window: nodes, links, groups, JSON, undo
catalogue   the elements there are, and which fit together
layout      places for nodes that have none
canvas      draws the document with NodeGraphQt (view: the mouse, items: what is drawn)
palette     the list of elements; form, values: properties; picture: the arrays of a link; runner: processes; bar: tools;
            draft: what is not saved
place       puts them together
"""

import importlib.util
import pathlib
import sysconfig
import threading

from pyqtgraph.Qt import QtCore, QtWidgets

# Pip leaves the folders of a distribution's Python alone, but for those of a person who says so.
_OWN = "--user --break-system-packages " if (pathlib.Path(sysconfig.get_path("stdlib")) / "EXTERNALLY-MANAGED").exists() else ""
HOW_TO_GET = f"python3 -m pip install {_OWN}--no-deps NodeGraphQt==0.6.44 Qt.py==2.0.7"


class FlowPlace(QtWidgets.QWidget):
    """The place; without NodeGraphQt it says how to get that. session may be None.

    What it needs is loaded in a thread when it is first shown; `flow` is there a moment later."""

    title = "Flow"
    ready = QtCore.Signal()
    _loaded = QtCore.Signal(object)

    def __init__(self, session, parent=None):
        super().__init__(parent)
        self._session = session
        self._layout = QtWidgets.QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self.flow = self._path = None
        self.said = QtWidgets.QLabel(objectName="said", wordWrap=True, margin=32)
        self.said.setTextInteractionFlags(QtCore.Qt.TextInteractionFlag.TextSelectableByMouse)
        self.said.setAlignment(QtCore.Qt.AlignmentFlag.AlignCenter)
        self._layout.addWidget(self.said)
        self._is_asked = False
        self._loaded.connect(self._take)

    def shown(self):
        """It became the visible place."""
        if self._is_asked:
            return self.flow.canvas.view.setFocus() if self.flow is not None else None
        self._is_asked = True
        if not all(importlib.util.find_spec(name) for name in ("NodeGraphQt", "Qt")):
            self.said.setText(f"Flow draws dataflows with NodeGraphQt, which is not installed. To install it:\n\n{HOW_TO_GET}")
            return
        self.said.setText("Looking at the elements that are installed")
        threading.Thread(target=self._load, name="flow", daemon=True).start()

    def open(self, path):
        """Shows a dataflow in JSON, or the one that made a result."""
        self._path = path
        self.shown()
        if self.flow is not None:
            self.flow.ask_and_open(path)

    def close_place(self):
        """The window closes."""
        if self.flow is not None:
            self.flow.close_flow()

    def _load(self):
        try:
            from . import place
            from .catalogue import Catalogue
            found = place.Flow, Catalogue()
        except ImportError as error:
            found = error
        try:
            self._loaded.emit(found)
        except RuntimeError:
            pass  # the window has gone meanwhile

    def _take(self, found):
        if isinstance(found, ImportError):
            self.said.setText(f"Flow draws dataflows with NodeGraphQt, which can't be loaded: {found}. To install it again:\n\n{HOW_TO_GET}")
            return
        flow, catalogue = found
        self.said.hide()
        self.flow = flow(self._session, catalogue, self)
        self._layout.addWidget(self.flow)
        if self._path:
            self.flow.ask_and_open(self._path)
        if self.isVisible():
            self.flow.canvas.view.setFocus()
        self.ready.emit()
