# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Widgets in a line, which goes on below where a window is narrow."""

from pyqtgraph.Qt import QtCore, QtWidgets

from . import theme


class FlowLayout(QtWidgets.QLayout):
    """As wide as its widest widget at least, and as high as its lines."""

    def __init__(self, *widgets, below=0):
        super().__init__()
        self._items = []
        self.setContentsMargins(2 * theme.SPACE, theme.SPACE, 2 * theme.SPACE, below)
        self.setSpacing(theme.SPACE)
        for widget in widgets:
            self.addWidget(widget)

    def addItem(self, item):  # noqa: N802
        self._items.append(item)

    def count(self):
        return len(self._items)

    def itemAt(self, index):  # noqa: N802
        return self._items[index] if 0 <= index < len(self._items) else None

    def takeAt(self, index):  # noqa: N802
        return self._items.pop(index) if 0 <= index < len(self._items) else None

    def expandingDirections(self):  # noqa: N802
        return QtCore.Qt.Orientation(0)

    def hasHeightForWidth(self):  # noqa: N802
        return True

    def heightForWidth(self, width):  # noqa: N802
        return self._place(QtCore.QRect(0, 0, width, 0), False)

    def setGeometry(self, rect):  # noqa: N802
        super().setGeometry(rect)
        self._place(rect, True)

    def sizeHint(self):  # noqa: N802
        shown = [item.sizeHint() for item in self._items if not item.isEmpty()]
        return self._around(sum(size.width() for size in shown) + self.spacing() * max(0, len(shown) - 1),
                            max((size.height() for size in shown), default=0))

    def minimumSize(self):  # noqa: N802
        shown = [item.minimumSize() for item in self._items if not item.isEmpty()]
        return self._around(max((size.width() for size in shown), default=0), max((size.height() for size in shown), default=0))

    def _around(self, width, height):
        margins = self.contentsMargins()
        return QtCore.QSize(width + margins.left() + margins.right(), height + margins.top() + margins.bottom())

    def _place(self, rect, is_real):
        """Lays the widgets into lines; returns the height of all."""
        margins = self.contentsMargins()
        inner = rect.adjusted(margins.left(), margins.top(), -margins.right(), -margins.bottom())
        lines, x = [[]], 0
        for item in self._items:
            if item.isEmpty():
                continue
            width = item.sizeHint().width()
            if lines[-1] and x + width > inner.width():
                lines.append([])
                x = 0
            lines[-1].append((x, item))
            x += width + self.spacing()
        y = inner.y()
        for line in lines:
            height = max((item.sizeHint().height() for _, item in line), default=0)
            for x, item in line if is_real else ():
                size = item.sizeHint()
                at = QtCore.QPoint(inner.x() + x, y + (height - size.height()) // 2)
                item.setGeometry(QtCore.QRect(at, QtCore.QSize(min(size.width(), inner.width()), size.height())))
            y += height + self.spacing()
        return y - self.spacing() - inner.y() + margins.top() + margins.bottom()


def group(*widgets):
    """Widgets that stay beside each other."""
    whole = QtWidgets.QWidget()
    row = QtWidgets.QHBoxLayout(whole)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(theme.SPACE)
    for widget in widgets:
        row.addWidget(widget)
    return whole
