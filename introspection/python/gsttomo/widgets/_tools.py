# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What can be measured in an image by the mouse: profile, length, region of interest."""

import math

import numpy as np

from . import _levels, _scalebar
from ._qt import QtCore, QtGui, Qt, HALO, MARK, monospaced, with_halo
from .canvas import Layer

GRIP = 8  # pixels around a handle that take it


def profile(array, begin, end):
    """Values along a line, from one (x, y) to the other in edge coordinates, about one for each sample: distances from
    the begin in samples, and values, interpolated linearly between the middles of samples; NaN outside of the image."""
    array = _levels.plain(array)
    (x0, y0), (x1, y1) = begin, end
    length = math.hypot(x1 - x0, y1 - y0)
    distances = np.linspace(0, length, max(2, int(round(length)) + 1))
    along = distances / length if length else distances
    x, y = x0 + along * (x1 - x0) - 0.5, y0 + along * (y1 - y0) - 0.5
    rows, columns = array.shape
    inside = (x >= -0.5) & (x <= columns - 0.5) & (y >= -0.5) & (y <= rows - 0.5)
    x, y = np.clip(x, 0, columns - 1), np.clip(y, 0, rows - 1)
    left, top = np.minimum(x.astype(int), max(0, columns - 2)), np.minimum(y.astype(int), max(0, rows - 2))
    right, bottom = np.minimum(left + 1, columns - 1), np.minimum(top + 1, rows - 1)
    to_right, down = x - left, y - top
    values = np.zeros(len(x))
    for row, of_row in ((top, 1 - down), (bottom, down)):
        for column, share in ((left, of_row * (1 - to_right)), (right, of_row * to_right)):
            taken = share > 0  # no infinity times zero
            with np.errstate(all="ignore"):
                values[taken] += share[taken] * array[row[taken], column[taken]]
    values[~inside] = np.nan
    return distances, values


def statistics(array, left, top, width, height):
    """Of the finite samples whose middles lie in a rectangle of edge coordinates: number, mean, std, minimum, maximum;
    the last four are NaN where there are none."""
    columns = slice(max(0, math.ceil(left - 0.5)), max(0, math.ceil(left + width - 0.5)))
    rows = slice(max(0, math.ceil(top - 0.5)), max(0, math.ceil(top + height - 0.5)))
    part = _levels.plain(array)[rows, columns] if array.size else array
    part = part[np.isfinite(part)].astype(np.float64)
    if part.size == 0:
        return 0, math.nan, math.nan, math.nan, math.nan
    with np.errstate(all="ignore"):  # of sums that no number can hold
        return part.size, float(part.mean()), float(part.std()), float(part.min()), float(part.max())


class Tool(Layer):
    """Two points that are drawn by a drag, and moved by their handles or as a whole afterwards."""

    def __init__(self, changed):
        self.points = None
        self.text = ""
        self._changed = changed
        self._held = None

    def set_points(self, begin, end):
        """Positions (x, y) in edge coordinates."""
        self.points = [self._inside(QtCore.QPointF(*begin)), self._inside(QtCore.QPointF(*end))]
        self._tell()

    def _inside(self, at):
        """The nearest place of the image: what lies outside of it can't be measured."""
        area = self.canvas.area()
        if area.isEmpty():
            return QtCore.QPointF(at)
        return QtCore.QPointF(min(max(at.x(), area.left()), area.right()), min(max(at.y(), area.top()), area.bottom()))

    def is_held(self):
        return self._held is not None

    def clear(self):
        self.points = None
        self._tell()

    def pairs(self):
        """Both points as (x, y)."""
        return [(point.x(), point.y()) for point in self.points]

    def handles(self):
        return self.points

    def _tell(self):
        self._changed(self)
        self.update()

    def _near(self, at):
        if self.points is None:
            return None
        for i, handle in enumerate(self.handles()):
            step = self.canvas.to_widget(handle) - self.canvas.to_widget(at)
            if math.hypot(step.x(), step.y()) <= GRIP:
                return i
        return "all" if self.is_inside(at) else None

    def is_inside(self, at):
        """Whether `at` takes the whole."""
        a, b = (self.canvas.to_widget(point) for point in self.points)
        at = self.canvas.to_widget(at)
        length = math.hypot(b.x() - a.x(), b.y() - a.y())
        if length == 0:
            return False
        along = ((at.x() - a.x()) * (b.x() - a.x()) + (at.y() - a.y()) * (b.y() - a.y())) / length
        across = ((at.x() - a.x()) * (b.y() - a.y()) - (at.y() - a.y()) * (b.x() - a.x())) / length
        return abs(across) <= GRIP and 0 <= along <= length

    def press(self, at, event):
        part = self._near(at)
        if part is None:
            self.points, part = [self._inside(at), self._inside(at)], 1
        self._held = part, QtCore.QPointF(at)
        return True

    def move(self, at, event):
        part, last = self._held
        if part == "all":
            steps = [self._inside(point + at - last) - point for point in self.points]
            step = QtCore.QPointF(*(min((getattr(each, along)() for each in steps), key=abs) for along in ("x", "y")))
            self.points = [point + step for point in self.points]
            at = last + step
        else:
            at = self._inside(at)
            self.drag(part, at, bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier))
        self._held = part, QtCore.QPointF(at)
        self._tell()

    def drag(self, handle, at, straight):
        other = self.points[1 - handle]
        if straight:  # along rows or columns
            flat = abs(at.x() - other.x()) >= abs(at.y() - other.y())
            at = QtCore.QPointF(at.x(), other.y()) if flat else QtCore.QPointF(other.x(), at.y())
        self.points[handle] = QtCore.QPointF(at)

    def release(self, at, event):
        self._held = None
        a, b = (self.canvas.to_widget(point) for point in self.points)
        if math.hypot(a.x() - b.x(), a.y() - b.y()) < 3:  # a click
            self.clear()
        else:
            self._tell()

    def hover(self, at):
        part = self._near(at)
        return {None: None, "all": Qt.CursorShape.SizeAllCursor}.get(part, Qt.CursorShape.PointingHandCursor)

    def key(self, event):
        if event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace, Qt.Key.Key_Escape) and self.points is not None:
            self.clear()
            return True
        return False

    def paint(self, painter):
        if self.points is None:
            return
        painter.setRenderHint(QtGui.QPainter.RenderHint.Antialiasing)
        for pen in (QtGui.QPen(HALO, 4), QtGui.QPen(MARK, 1.5)):
            painter.setPen(pen)
            self.paint_shape(painter, *(self.canvas.to_widget(point) for point in self.points))
        painter.setPen(QtGui.QPen(HALO, 1))
        painter.setBrush(MARK)
        for handle in self.handles():
            painter.drawEllipse(self.canvas.to_widget(handle), 4, 4)
        if self.text:
            self._paint_text(painter)

    def paint_shape(self, painter, a, b):
        painter.drawLine(a, b)

    def _paint_text(self, painter):
        painter.setFont(monospaced(12))
        ends = [self.canvas.to_widget(point) for point in self.points]
        size = painter.fontMetrics().boundingRect(self.text)
        below = max(ends, key=lambda point: point.y())
        view = self.canvas.size_of_view()
        x = min(max(below.x() + 10, 8), max(8, view.width() - size.width() - 8))
        y = min(max(below.y() + 10, 8), max(8, view.height() - size.height() - 8))
        with_halo(painter, self.text, QtCore.QPointF(x, y))


class Length(Tool):
    name = "length"

    def measure(self, array, pixel_size):
        (x0, y0), (x1, y1) = self.pairs()
        length = math.hypot(x1 - x0, y1 - y0)
        self.text = f"{length:.1f} px" + (f" = {_scalebar.length_text(length * pixel_size, 4)}" if pixel_size else "")
        return length


class Profile(Length):
    name = "profile"


class Region(Tool):
    name = "region"

    def rect(self):
        """Left, top, width and height in edge coordinates."""
        (x0, y0), (x1, y1) = self.pairs()
        return min(x0, x1), min(y0, y1), abs(x1 - x0), abs(y1 - y0)

    def handles(self):
        a, b = self.points
        return [a, b, QtCore.QPointF(a.x(), b.y()), QtCore.QPointF(b.x(), a.y())]

    def drag(self, handle, at, straight):
        a, b = self.points
        if handle < 2:
            self.points[handle] = QtCore.QPointF(at)
            if straight:  # a square
                other = self.points[1 - handle]
                right, down = at.x() - other.x(), at.y() - other.y()
                size = max(abs(right), abs(down))
                self.points[handle] = QtCore.QPointF(other.x() + math.copysign(size, right), other.y() + math.copysign(size, down))
        elif handle == 2:
            self.points = [QtCore.QPointF(at.x(), a.y()), QtCore.QPointF(b.x(), at.y())]
        else:
            self.points = [QtCore.QPointF(a.x(), at.y()), QtCore.QPointF(at.x(), b.y())]

    def is_inside(self, at):
        left, top, width, height = self.rect()
        return left <= at.x() <= left + width and top <= at.y() <= top + height

    def paint_shape(self, painter, a, b):
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(QtCore.QRectF(a, b).normalized())

    def measure(self, array, step):
        left, top, width, height = self.rect()
        number, mean, std, low, high = statistics(array, left / step[0], top / step[1], width / step[0], height / step[1])
        size = f"{width:.0f} x {height:.0f} px"
        self.text = f"{size}  mean {_levels.text_of(mean)}  std {_levels.text_of(std, 3)}" if number else f"{size}  no sample"
        return number, mean, std, low, high


TOOLS = {tool.name: tool for tool in (Profile, Length, Region)}
