# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A surface that shows images and what lies over them, moved and zoomed by the mouse."""

import math

import numpy as np

from . import _colours, _levels
from ._qt import QtCore, QtGui, QtWidgets, Qt, Signal, SURROUND, place

NEAREST = 2.0          # device pixels per sample above which samples are squares
SMALLEST, LARGEST = 1 / 256, 128
FAR = 1 << 30          # images: to the first or the last one


class Layer:
    """Something that a Canvas draws. Override paint(); press(), move() and release() for the mouse, key() for keys.

    Positions are QPointF in edge coordinates of the canvas: x columns, y rows."""

    canvas = None
    visible = True
    exported = True  # shown in pictures that are written

    def paint(self, painter):
        """Draws in pixels of the widget; self.canvas.to_widget() tells where a position is."""

    def press(self, at, event):
        """A left button went down; True takes the drag."""
        return False

    def move(self, at, event):
        pass

    def release(self, at, event):
        pass

    def hover(self, at):
        """The shape of the pointer there, as Qt.CursorShape, or None."""
        return None

    def key(self, event):
        """True takes the key."""
        return False

    def update(self):
        if self.canvas is not None:
            self.canvas.update()


class ImageLayer(Layer):
    """An image: (rows, columns) of any real type, or (rows, columns, 3 or 4) of uint8.

    offset     where its left and upper edge lie, as (x, y), in parts of samples too: moved by drawing, not by resampling
    step       how far its samples lie apart in the canvas, as (x, y): 4 where an image of a quarter of the size stands for it
    mirrored   left and right swapped within its place
    table      256 colours, uint32 as 0xAARRGGBB
    mode       how it is drawn over what lies below, a QPainter.CompositionMode"""

    def __init__(self, table=None):
        self.table = _colours.table("grey") if table is None else table
        self.offset, self.step = (0.0, 0.0), (1.0, 1.0)
        self.mirrored = False
        self.mode = QtGui.QPainter.CompositionMode.CompositionMode_SourceOver
        self.array = None
        self._levels = (0.0, 1.0)
        self._means = {}
        self._made = None

    def set_array(self, array):
        """Keeps the array, without a copy; None shows nothing. Raises ValueError for what is no image."""
        self.array = None if array is None else _levels.plain(array)
        self._means.clear()
        self._made = None
        self.update()

    def set_levels(self, low, high):
        self._levels = _levels.wide(float(low), float(high))
        self._made = None
        self.update()

    def levels(self):
        return self._levels

    def set_table(self, table):
        self.table = table
        self._made = None
        self.update()

    def rect(self):
        if self.array is None:
            return QtCore.QRectF()
        rows, columns = self.array.shape[:2]
        return QtCore.QRectF(*self.offset, columns * self.step[0], rows * self.step[1])

    def paint(self, painter):
        if self.array is None:
            return
        rect, (step_x, step_y) = self.rect(), self.step
        seen = self.canvas.seen().intersected(rect)
        if seen.isEmpty():
            return
        seen.translate(-rect.x(), -rect.y())
        if self.mirrored:
            seen = QtCore.QRectF(rect.width() - seen.right(), seen.top(), seen.width(), seen.height())
        seen = QtCore.QRectF(seen.x() / step_x, seen.y() / step_y, seen.width() / step_x, seen.height() / step_y)
        density = self.canvas.density()
        picture, part = self._picture(density * step_x, density * step_y, seen)
        painter.save()
        painter.setCompositionMode(self.mode)
        painter.setRenderHint(QtGui.QPainter.RenderHint.SmoothPixmapTransform, density * min(step_x, step_y) <= NEAREST)
        painter.translate(self.canvas.to_widget(rect.topLeft()))
        painter.scale(self.canvas.scale(), self.canvas.scale())
        if self.mirrored:
            painter.translate(rect.width(), 0)
            painter.scale(-1, 1)
        painter.scale(step_x, step_y)
        painter.drawImage(part, picture)
        painter.restore()

    def _picture(self, density_x, density_y, seen):
        """A picture that holds what is seen, and the rectangle of samples that it shows. Densities are pixels per sample."""
        rows, columns = self.array.shape[:2]
        down, right = (2 ** min(max(0, math.floor(math.log2(1 / density) + 1e-9)), int(math.log2(size)))
                       for density, size in ((density_y, rows), (density_x, columns)))
        if self.array.ndim == 3:
            down = right = 1
        if self._made is not None:
            bins, known, part, picture = self._made
            if bins == (down, right) and known.contains(seen):
                return picture, part
        means = self._binned(down, right)
        margin_x, margin_y = seen.width() / 4 + 2 * right, seen.height() / 4 + 2 * down
        left = max(0, math.floor((seen.left() - margin_x) / right))
        top = max(0, math.floor((seen.top() - margin_y) / down))
        to_right = min(means.shape[1], math.ceil((seen.right() + margin_x) / right))
        to_bottom = min(means.shape[0], math.ceil((seen.bottom() + margin_y) / down))
        left, top = min(left, to_right - 1), min(top, to_bottom - 1)
        picture = as_picture(means[top:to_bottom, left:to_right], *self._levels, self.table)
        part = QtCore.QRectF(left * right, top * down, (to_right - left) * right, (to_bottom - top) * down)
        # The rest at the edges that bins leave out counts as known, else it would be looked for again and again.
        known = QtCore.QRectF(part)
        if to_right == means.shape[1]:
            known.setRight(columns)
        if to_bottom == means.shape[0]:
            known.setBottom(rows)
        self._made = (down, right), known, part, picture
        return picture, part

    def _binned(self, down, right):
        if (down, right) == (1, 1):
            return self.array
        if (down, right) not in self._means:
            self._means[down, right] = _levels.binned(self.array, down, right)
        return self._means[down, right]


def as_picture(array, low, high, table):
    """A QImage of samples."""
    if array.ndim == 3:
        parts = [array[..., i].astype(np.uint32) for i in range(array.shape[2])]
        alpha = parts[3] if len(parts) == 4 else 255
        colours = np.ascontiguousarray(alpha << np.uint32(24) if len(parts) == 4 else np.uint32(0xff000000))
        colours = colours | parts[0] << 16 | parts[1] << 8 | parts[2]
        shape = QtGui.QImage.Format.Format_ARGB32
    else:
        colours = _levels.coloured(array, low, high, table)
        shape = QtGui.QImage.Format.Format_RGB32
    colours = np.ascontiguousarray(colours, np.uint32)
    picture = QtGui.QImage(colours.data, colours.shape[1], colours.shape[0], 4 * colours.shape[1], shape)
    picture.samples = colours  # which the picture uses
    return picture


class Canvas(QtWidgets.QWidget):
    """Draws layers, the first one lowest. One sample is a square of scale() pixels of the widget.

    Drag moves, Ctrl+wheel zooms at the pointer, the wheel asks for the next image, a right drag changes window and level, a
    double click fits. Keys: arrows, Page Up and Down, Home and End for other images; + - 0 1 for the scale."""

    stepped = Signal(int)               # images forward (> 0) or back
    moved = Signal()                    # another part is seen
    pointed = Signal(object)            # position under the pointer as (x, y), or None
    pressed = Signal(float, float)      # a left click without a drag, at x, y
    window_dragged = Signal(float, float, bool)  # pixels right and down since the right button went down; whether it is a begin

    def __init__(self, parent=None):
        super().__init__(parent)
        self.layers = []
        self._area = QtCore.QRectF(0, 0, 1, 1)
        self._scale, self._origin = 1.0, QtCore.QPointF(0, 0)  # the pixel of the widget where (0, 0) lies
        self._laid = self.size()  # of the widget when it was laid out last; one that is hidden hears of its size later
        self._size = None  # of a picture that is being made, in place of the widget's
        self._fits = True
        self._holder = self._from = self._right = None
        self._dragged = False
        self._turned = 0
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(64, 64)
        self.setSizePolicy(QtWidgets.QSizePolicy.Policy.Expanding, QtWidgets.QSizePolicy.Policy.Expanding)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)

    # What is shown, and where

    def add(self, layer):
        """Puts a layer on top, and returns it."""
        layer.canvas = self
        self.layers.append(layer)
        self.update()
        return layer

    def remove(self, layer):
        self.layers.remove(layer)
        if self._holder is layer:
            self._holder = None
        self.update()

    def set_area(self, rect):
        """The rectangle that fit() makes visible."""
        self._area = QtCore.QRectF(rect)
        if self._fits:
            self.fit()

    def area(self):
        return QtCore.QRectF(self._area)

    def scale(self):
        """Pixels of the widget per sample."""
        return self._scale

    def is_fitted(self):
        return self._fits

    def to_widget(self, at):
        return QtCore.QPointF(at.x() * self._scale + self._origin.x(), at.y() * self._scale + self._origin.y())

    def to_image(self, at):
        return QtCore.QPointF((at.x() - self._origin.x()) / self._scale, (at.y() - self._origin.y()) / self._scale)

    def seen(self):
        """The visible part, as QRectF in edge coordinates; it may reach over the image."""
        corner, size = self.to_image(QtCore.QPointF(0, 0)), self.size_of_view()
        return QtCore.QRectF(corner.x(), corner.y(), size.width() / self._scale, size.height() / self._scale)

    def size_of_view(self):
        """Of the widget, or of the picture that is being made."""
        return QtCore.QSizeF(self.size()) if self._size is None else self._size

    def is_on_screen(self):
        """False while a picture is being made."""
        return self._size is None

    def density(self):
        """Pixels of the screen per sample."""
        return self._scale * (self.devicePixelRatioF() if self._size is None else 1.0)

    def picture(self, rect, scale):
        """A QImage of a part, in edge coordinates, with so many pixels per sample, and without what is for the screen alone."""
        kept = self._scale, self._origin
        self._scale, self._origin = scale, QtCore.QPointF(-rect.x() * scale, -rect.y() * scale)
        self._size = QtCore.QSizeF(max(1, round(rect.width() * scale)), max(1, round(rect.height() * scale)))
        try:
            picture = QtGui.QImage(self._size.toSize(), QtGui.QImage.Format.Format_RGB32)
            painter = QtGui.QPainter(picture)
            try:
                self._paint(painter, [layer for layer in self.layers if layer.exported])
            finally:
                painter.end()
            return picture
        finally:
            (self._scale, self._origin), self._size = kept, None

    def fit(self):
        """Shows all of the area, as large as it can be."""
        area = self._area
        if area.isEmpty():
            return
        scale = min(self.width() / area.width(), self.height() / area.height(), LARGEST)
        self._move_to(max(scale, SMALLEST), area.center())
        self._fits = True

    def show_part(self, scale, centre):
        """Zooms to a scale, with a position (QPointF) in the middle."""
        self._fits = False
        self._move_to(min(max(scale, SMALLEST), LARGEST), centre)

    def zoom(self, factor, at=None):
        """Larger (> 1) or smaller; the position below `at`, in pixels of the widget, stays there."""
        at = self.to_widget(self.centre()) if at is None else QtCore.QPointF(at)
        scale = min(max(self._scale * factor, SMALLEST), LARGEST)
        fixed = self.to_image(at)
        self._fits = False
        self._scale = scale
        self._origin = QtCore.QPointF(at.x() - fixed.x() * scale, at.y() - fixed.y() * scale)
        self._tell()

    def centre(self):
        """The position in the middle."""
        return self.to_image(QtCore.QPointF(self._laid.width() / 2, self._laid.height() / 2))

    def _move_to(self, scale, centre):
        self._scale, self._laid = scale, self.size()
        self._origin = QtCore.QPointF(self.width() / 2 - centre.x() * scale, self.height() / 2 - centre.y() * scale)
        self._tell()

    def _tell(self):
        self.update()
        self.moved.emit()

    # Events

    def resizeEvent(self, event):
        if self._fits:
            self.fit()
        else:  # the middle stays in the middle
            self._move_to(self._scale, self.centre())

    def paintEvent(self, event):
        painter = QtGui.QPainter(self)
        try:
            self._paint(painter, self.layers)
        finally:  # Qt does not survive a painter that is left open by an error
            painter.end()

    def _paint(self, painter, layers):
        painter.fillRect(QtCore.QRectF(QtCore.QPointF(0, 0), self.size_of_view()), SURROUND)
        for layer in layers:
            if layer.visible:
                painter.save()
                layer.paint(painter)
                painter.restore()

    def wheelEvent(self, event):
        turned = event.angleDelta()
        turned = turned.y() or turned.x()
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.zoom(1.2 ** (turned / 120), place(event))
        else:
            self._turned += turned  # fine wheels turn by parts of a step
            steps = int(self._turned / 120)
            self._turned -= steps * 120
            if steps:
                self.stepped.emit(-steps)
        event.accept()

    def mousePressEvent(self, event):
        at = place(event)
        if event.button() == Qt.MouseButton.RightButton:
            self._right = at
            self.window_dragged.emit(0.0, 0.0, True)
        elif event.button() in (Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton):
            self._from, self._dragged = at, False
            if event.button() == Qt.MouseButton.LeftButton:
                where = self.to_image(at)
                self._holder = next((layer for layer in reversed(self.layers) if layer.visible and layer.press(where, event)), None)

    def mouseMoveEvent(self, event):
        at = place(event)
        where = self.to_image(at)
        if self._right is not None:
            self.window_dragged.emit(at.x() - self._right.x(), at.y() - self._right.y(), False)
        elif self._holder is not None:
            self._holder.move(where, event)
        elif self._from is not None:
            step = at - self._from
            if self._dragged or abs(step.x()) + abs(step.y()) >= QtWidgets.QApplication.startDragDistance() / 2:
                self._dragged, self._fits = True, False
                self._origin += step
                self._from = at
                self.setCursor(Qt.CursorShape.ClosedHandCursor)
                self._tell()
        else:
            shapes = (layer.hover(where) for layer in reversed(self.layers) if layer.visible)
            self.setCursor(next((shape for shape in shapes if shape is not None), Qt.CursorShape.CrossCursor))
        self.pointed.emit((where.x(), where.y()))

    def mouseReleaseEvent(self, event):
        if self._right is not None or self._holder is not None or self._dragged:
            self.mouseMoveEvent(event)  # the last movement may not have been told
        if event.button() == Qt.MouseButton.RightButton:
            self._right = None
        elif self._holder is not None:
            self._holder.release(self.to_image(place(event)), event)
            self._holder = None
        elif self._from is not None:
            if not self._dragged and event.button() == Qt.MouseButton.LeftButton:
                where = self.to_image(place(event))
                self.pressed.emit(where.x(), where.y())
            self.setCursor(Qt.CursorShape.CrossCursor)
        self._from, self._dragged = None, False

    def mouseDoubleClickEvent(self, event):
        if event.button() == Qt.MouseButton.LeftButton:
            self.fit()

    def leaveEvent(self, event):
        self.pointed.emit(None)

    def keyPressEvent(self, event):
        if any(layer.visible and layer.key(event) for layer in reversed(self.layers)):
            return
        key, steps = event.key(), {Qt.Key.Key_PageUp: -10, Qt.Key.Key_PageDown: 10, Qt.Key.Key_Up: -1, Qt.Key.Key_Left: -1,
                                   Qt.Key.Key_Down: 1, Qt.Key.Key_Right: 1, Qt.Key.Key_Home: -FAR, Qt.Key.Key_End: FAR}
        if key in steps:
            self.stepped.emit(steps[key])
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal, Qt.Key.Key_Minus):
            self.zoom(1 / 1.2 if key == Qt.Key.Key_Minus else 1.2)
        elif key == Qt.Key.Key_0:
            self.fit()
        elif key == Qt.Key.Key_1:
            self.show_part(1 / self.devicePixelRatioF(), self.centre())
        else:
            super().keyPressEvent(event)
