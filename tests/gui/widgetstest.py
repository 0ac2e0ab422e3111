# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Hands and eyes for the tests of viewers: wheels, keys, and the pixels that a widget shows."""

import numpy as np
from guitest import GuiTest, Qt, QtCore, QtTest, spin
from pyqtgraph.Qt import QtGui

CONTROL = Qt.KeyboardModifier.ControlModifier
NONE = Qt.KeyboardModifier.NoModifier


def pixels(picture):
    """A QImage or QPixmap as uint8 (rows, columns, 3)."""
    picture = picture.toImage() if hasattr(picture, "toImage") else picture
    picture = picture.convertToFormat(QtGui.QImage.Format.Format_RGB32)
    rows = np.frombuffer(picture.constBits(), np.uint8, picture.bytesPerLine() * picture.height()).reshape(picture.height(), -1)
    return rows[:, :4 * picture.width()].reshape(picture.height(), picture.width(), 4)[..., 2::-1].copy()


def seen(widget):
    """What a widget shows, as uint8 (rows, columns, 3) of pixels of the screen."""
    return pixels(widget.grab())


def colour_at(widget, x, y, image=None):
    """The colour at a place in the widget's coordinates."""
    ratio = widget.devicePixelRatioF()
    return tuple(int(value) for value in (seen(widget) if image is None else image)[int(y * ratio), int(x * ratio)])


def wheel(widget, at, turned, modifiers=NONE):
    at = QtCore.QPointF(at)
    event = QtGui.QWheelEvent(at, QtCore.QPointF(widget.mapToGlobal(at.toPoint())), QtCore.QPoint(0, 0), QtCore.QPoint(0, turned),
                              Qt.MouseButton.NoButton, modifiers, Qt.ScrollPhase.NoScrollPhase, False)
    QtCore.QCoreApplication.sendEvent(widget, event)
    spin(0.02)


def press_key(widget, key, modifiers=NONE):
    widget.setFocus()
    QtTest.QTest.keyClick(widget, key, modifiers)
    spin(0.02)


def at_sample(canvas, column, row):
    """The pixel in the middle of a sample."""
    return canvas.to_widget(QtCore.QPointF(column + 0.5, row + 0.5)).toPoint()


class WidgetTest(GuiTest):
    def show(self, widget, width=500, height=400):
        widget.resize(width, height)
        widget.show()
        self.addCleanup(widget.close)
        spin(0.1)
        return widget

    def heard(self, signal):
        """A list that gets what a signal tells."""
        told = []
        signal.connect(lambda *values: told.append(values[0] if len(values) == 1 else values))
        return told
