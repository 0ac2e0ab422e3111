# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The distribution of an image's values, with window and level to drag."""

import numpy as np

from . import _levels
from ._qt import QtCore, QtGui, QtWidgets, Qt, Signal, MARK, SURROUND, ON_SURROUND, monospaced, place, with_halo

GRIP = 6  # pixels beside an edge of the window that take it


class Histogram(QtWidgets.QWidget):
    """Counts of values (in square roots, so that rare ones show), the window from black to white over them, and the colours
    below. Dragging an edge changes it, dragging between them moves both, a double click asks for automatic levels."""

    levels_changed = Signal(float, float)  # by the mouse or a key
    automatic = Signal()

    def __init__(self, parent=None):
        super().__init__(parent)
        self._some, self._bins, self._counts = np.zeros(0), 256, np.zeros(0)
        self._most = self._range = self._window = (0.0, 1.0)
        self._colours = None
        self._held = None
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(120, 48)
        self.setSizePolicy(QtWidgets.QSizePolicy.Policy.Expanding, QtWidgets.QSizePolicy.Policy.Preferred)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setToolTip("Drag an edge or the middle; double click for 0.5 to 99.5 %")

    def sizeHint(self):
        return QtCore.QSize(320, 64)

    def set_values(self, some, bins=256):
        """Finite values as a flat array. The axis goes over nearly all of them: a few far ones do not squeeze the others."""
        self._some, self._bins = some, bins
        if some.size == 0:
            self._most = (0.0, 1.0)
        else:
            least, largest = float(some.min()), float(some.max())
            low, high = (float(value) for value in np.percentile(some, (0.1, 99.9)))
            margin = 0.25 * (high - low)
            self._most = _levels.wide(max(low - margin, least), min(high + margin, largest))
        self._count()

    def _count(self):
        low, high = self.span()
        self._counts, self._range = np.zeros(0), (low, high)
        if self._some.size:
            self._counts = np.histogram(self._some, self._bins, (low, high))[0]
        self.update()

    def counts(self):
        """Of values in bins of equal width over span()."""
        return self._counts

    def set_levels(self, low, high):
        self._window = (float(low), float(high))
        if self._held is None and self.span() != self._range:
            self._count()
        self.update()

    def levels(self):
        return self._window

    def set_table(self, table):
        """256 colours, uint32 as 0xAARRGGBB."""
        self._colours = table
        self.update()

    def span(self):
        """The values at the left and the right edge: most of those of the image, and the window where it is wider."""
        low, high = min(self._most[0], self._window[0]), max(self._most[1], self._window[1])
        margin = 0.02 * (high - low)
        return low - margin, high + margin

    def to_pixel(self, value):
        low, high = self.span() if self._held is None else self._held_span
        return (value - low) / (high - low) * self.width()

    def to_value(self, pixel):
        low, high = self.span() if self._held is None else self._held_span
        return low + pixel / self.width() * (high - low)

    def paintEvent(self, event):
        painter = QtGui.QPainter(self)
        painter.fillRect(self.rect(), SURROUND)
        strip = 8
        ground = self.height() - strip
        if self._counts.size:
            shares = np.sqrt(self._counts / max(1, self._counts.max()))
            edges = np.linspace(*self._range, len(shares) + 1)
            shape = QtGui.QPolygonF([QtCore.QPointF(self.to_pixel(edges[0]), ground)])
            for share, left, right in zip(shares, edges[:-1], edges[1:]):
                top = ground - share * (ground - 4)
                shape.append(QtCore.QPointF(self.to_pixel(left), top))
                shape.append(QtCore.QPointF(self.to_pixel(right), top))
            shape.append(QtCore.QPointF(self.to_pixel(edges[-1]), ground))
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QtGui.QColor("#7d8288"))
            painter.drawPolygon(shape)
        low, high = (self.to_pixel(value) for value in self._window)
        self._paint_strip(painter, low, high, ground + 1, strip - 1)
        painter.fillRect(QtCore.QRectF(low, 0, high - low, ground), QtGui.QColor(53, 201, 203, 36))
        painter.setPen(QtGui.QPen(MARK, 2 if self.hasFocus() else 1))
        for x in (low, high):
            painter.drawLine(QtCore.QLineF(x, 0, x, self.height()))
        painter.setFont(monospaced(11))
        self._paint_texts(painter, low, high)
        painter.end()

    def _paint_strip(self, painter, low, high, top, height):
        if self._colours is None:
            return
        gradient = QtGui.QLinearGradient(low, 0, max(high, low + 1e-6), 0)
        for i in range(0, 256, 15):
            gradient.setColorAt(i / 255, QtGui.QColor(int(self._colours[i]) & 0xffffff))
        painter.fillRect(QtCore.QRectF(0, top, self.width(), height), QtGui.QBrush(gradient))

    def _paint_texts(self, painter, low, high):
        """The two values beside their lines, inside of the widget and not over each other."""
        left, right = (_levels.text_of(value) for value in self._window)
        metrics = painter.fontMetrics()
        wide_left, wide_right = (metrics.horizontalAdvance(text) + 12 for text in (left, right))
        x_left = min(max(low - wide_left, 4), self.width() - wide_left - wide_right)
        x_right = max(min(high + 8, self.width() - wide_right + 4), x_left + wide_left)
        with_halo(painter, left, QtCore.QPointF(x_left, 4), ON_SURROUND)
        with_halo(painter, right, QtCore.QPointF(x_right, 4), ON_SURROUND)

    def _part_at(self, x):
        low, high = (self.to_pixel(value) for value in self._window)
        near_low, near_high = abs(x - low), abs(x - high)
        if min(near_low, near_high) <= GRIP:
            return "low" if near_low < near_high or (near_low == near_high and x < low) else "high"
        return "both" if low < x < high else None

    def mousePressEvent(self, event):
        if event.button() == Qt.MouseButton.LeftButton:
            part = self._part_at(place(event).x())
            if part is not None:
                self._held_span = self.span()  # so that the axis stands still meanwhile
                self._held = part, self.to_value(place(event).x()), self._window

    def mouseMoveEvent(self, event):
        x = place(event).x()
        if self._held is None:
            shapes = {"both": Qt.CursorShape.SizeAllCursor, None: Qt.CursorShape.ArrowCursor}
            self.setCursor(shapes.get(self._part_at(x), Qt.CursorShape.SplitHCursor))
            return
        part, begin, (low, high) = self._held
        step = self.to_value(x) - begin
        least = (self._held_span[1] - self._held_span[0]) * 1e-3
        if part == "low":
            low = min(low + step, high - least)
        elif part == "high":
            high = max(high + step, low + least)
        else:
            low, high = low + step, high + step
        self._change(low, high)

    def mouseReleaseEvent(self, event):
        if self._held is not None:
            self.mouseMoveEvent(event)  # the last movement may not have been told
        self._held = None
        self._count()

    def mouseDoubleClickEvent(self, event):
        self._held = None
        self.automatic.emit()

    def keyPressEvent(self, event):
        """Left and right move the window by a hundredth, up and down widen and narrow it."""
        low, high = self._window
        step = (high - low) / 100
        moves = {Qt.Key.Key_Left: (-step, -step), Qt.Key.Key_Right: (step, step),
                 Qt.Key.Key_Up: (-step, step), Qt.Key.Key_Down: (step, -step)}
        if event.key() in moves:
            first, second = moves[event.key()]
            self._change(low + first, high + second)
        else:
            super().keyPressEvent(event)

    def _change(self, low, high):
        self.set_levels(low, high)
        self.levels_changed.emit(*self._window)
