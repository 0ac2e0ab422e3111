# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Qt by pyqtgraph, and the places where its two bindings and versions differ."""

import os

if "PYQTGRAPH_QT_LIB" not in os.environ:  # else pyqtgraph would prefer bindings of PyQt, where these are installed
    import importlib.util
    os.environ["PYQTGRAPH_QT_LIB"] = "PySide6" if importlib.util.find_spec("PySide6") else "PySide2"

from pyqtgraph.Qt import QtCore, QtGui, QtWidgets  # noqa: E402

Qt = QtCore.Qt
Signal = QtCore.Signal

SURROUND = QtGui.QColor("#1b1d20")     # around pictures, in light and dark themes
ON_SURROUND = QtGui.QColor("#d8dadd")  # text there
MARK = QtGui.QColor("#35c9cb")         # lines over pictures: the accent, bright enough for dark grey
CYAN = QtGui.QColor("#00e0e0")
RED = QtGui.QColor("#ff5050")
AXES = tuple(QtGui.QColor(name) for name in ("#e070d0", "#60b0ff", "#f0c040"))  # of x, y, z
HALO = QtGui.QColor(0, 0, 0, 160)      # beside lines and behind text over pictures, so that they show on white too


def application():
    """The application of Qt, made where there is none."""
    app = QtWidgets.QApplication.instance()
    if app is None:
        if QtCore.qVersion().startswith("5"):
            QtWidgets.QApplication.setAttribute(Qt.ApplicationAttribute.AA_EnableHighDpiScaling)
        app = QtWidgets.QApplication(["gsttomo.widgets"])
    if not hasattr(app, "exec"):  # PySide2
        app.exec = app.exec_
    return app


def place(event):
    """Where an event of the mouse happened, in the widget."""
    return event.position() if hasattr(event, "position") else event.localPos()


def monospaced(size=12):
    font = QtGui.QFontDatabase.systemFont(QtGui.QFontDatabase.SystemFont.FixedFont)
    font.setPixelSize(size)
    return font


def with_halo(painter, text, where, colour=ON_SURROUND):
    """Draws text whose background keeps it readable."""
    box = QtCore.QRectF(painter.fontMetrics().boundingRect(text))
    box.moveTopLeft(where)
    painter.fillRect(box.adjusted(-4, -2, 4, 2), HALO)
    painter.setPen(colour)
    painter.drawText(box, int(Qt.AlignmentFlag.AlignCenter), text)
    return box
