# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A slider with two ends."""

from ._qt import QtCore, QtGui, QtWidgets, Qt, Signal, place

GRIP = 12  # width of a handle


class RangeSlider(QtWidgets.QWidget):
    """A part of a range of whole numbers, from `begin` to `end`, at least 1 wide. Drag an end or what lies between; arrow keys move the
    end that was used last, a double click takes all."""

    changed = Signal(int, int)  # by the mouse or a key: begin, end

    def __init__(self, most=1, parent=None):
        super().__init__(parent)
        self._most, self._begin, self._end = most, 0, most
        self._held, self._last = None, "begin"
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(80, 20)
        self.setSizePolicy(QtWidgets.QSizePolicy.Policy.Expanding, QtWidgets.QSizePolicy.Policy.Fixed)

    def sizeHint(self):
        return QtCore.QSize(160, 20)

    def set_most(self, most):
        """The range becomes 0 to `most`, all of it taken."""
        self._most, self._begin, self._end = max(1, int(most)), 0, max(1, int(most))
        self.update()

    def values(self):
        return self._begin, self._end

    def set_values(self, begin, end):
        begin = min(max(int(begin), 0), self._most - 1)
        self._begin, self._end = begin, min(max(int(end), begin + 1), self._most)
        self.update()

    def to_pixel(self, value):
        return GRIP + value / self._most * (self.width() - 2 * GRIP)

    def to_value(self, x):
        return (x - GRIP) / max(1, self.width() - 2 * GRIP) * self._most

    def paintEvent(self, event):
        painter = QtGui.QPainter(self)
        painter.setRenderHint(QtGui.QPainter.RenderHint.Antialiasing)
        palette, middle = self.palette(), self.height() / 2
        painter.fillRect(QtCore.QRectF(GRIP, middle - 2, self.width() - 2 * GRIP, 4), palette.mid())
        left, right = self.to_pixel(self._begin), self.to_pixel(self._end)
        painter.fillRect(QtCore.QRectF(left, middle - 2, right - left, 4), palette.highlight())
        for name, box in (("begin", self._handle(left, -1)), ("end", self._handle(right, 1))):
            painter.setPen(QtGui.QPen(palette.highlight().color(), 2 if self.hasFocus() and name == self._last else 1))
            painter.setBrush(palette.button())
            painter.drawRoundedRect(box, 2, 2)
        painter.end()

    def _handle(self, x, side):
        """Handles lie outside of what is taken, so that both can be held where they meet."""
        return QtCore.QRectF(x - GRIP + 2 if side < 0 else x, self.height() / 2 - 8, GRIP - 2, 16)

    def mousePressEvent(self, event):
        if event.button() != Qt.MouseButton.LeftButton:
            return
        x = place(event).x()
        left, right = self.to_pixel(self._begin), self.to_pixel(self._end)
        part = "begin" if x <= left else "end" if x >= right else "both"
        self._held = part, self.to_value(x), self._begin, self._end
        self._last = "end" if part == "end" else "begin"
        self.update()

    def mouseMoveEvent(self, event):
        if self._held is None:
            return
        part, begin, first, last = self._held
        step = round(self.to_value(place(event).x()) - begin)
        if part == "begin":
            first = min(first + step, last - 1)
        elif part == "end":
            last = max(last + step, first + 1)
        else:
            step = min(max(step, -first), self._most - last)
            first, last = first + step, last + step
        self._change(first, last)

    def mouseReleaseEvent(self, event):
        self.mouseMoveEvent(event)  # the last movement may not have been told
        self._held = None

    def mouseDoubleClickEvent(self, event):
        self._change(0, self._most)

    def keyPressEvent(self, event):
        step = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1, Qt.Key.Key_PageDown: -10, Qt.Key.Key_PageUp: 10}.get(event.key())
        if step is None:
            super().keyPressEvent(event)
        elif self._last == "begin":
            self._change(min(self._begin + step, self._end - 1), self._end)
        else:
            self._change(self._begin, max(self._end + step, self._begin + 1))

    def _change(self, begin, end):
        before = self.values()
        self.set_values(begin, end)
        if self.values() != before:
            self.changed.emit(*self.values())
