# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Where a picture of a volume is shown, turned and moved, with the box around the volume."""

import math

import numpy as np

from ._qt import QtCore, QtGui, QtWidgets, Qt, Signal, AXES, MARK, ON_SURROUND, SURROUND, place
from ._raycaster import DISTANCE, Scene, extent_of

_EDGES = [(a, b) for a in range(8) for b in range(a + 1, 8) if bin(a ^ b).count("1") == 1]  # of corners 0bzyx


def rotation(axis, angle):
    """The matrix that turns by an angle about a direction."""
    x, y, z = (part / math.sqrt(sum(each * each for each in axis)) for part in axis)
    c, s, k = math.cos(angle), math.sin(angle), 1 - math.cos(angle)
    return np.array([[c + x * x * k, x * y * k - z * s, x * z * k + y * s], [y * x * k + z * s, c + y * y * k, y * z * k - x * s],
                     [z * x * k - y * s, z * y * k + x * s, c + z * z * k]])


FRONT = np.eye(3)
OBLIQUE = rotation((1, 0, 0), 0.5) @ rotation((0, 1, 0), -0.6)


class Stage(QtWidgets.QWidget):
    """Shows the newest picture with the box around the volume, and turns the mouse into movements."""

    changed = Signal()
    window_dragged = Signal(float, float, bool)

    def __init__(self, parent=None):
        super().__init__(parent)
        self.turn, self.zoom, self.pan = OBLIQUE, 1.0, (0.0, 0.0)
        self.perspective, self.box, self.note = True, True, ""
        self.low, self.high, self.sides = (0.0,) * 3, (1.0,) * 3, None
        self._picture = self._scene = self._held = None
        self._is_first = True  # nobody has turned or moved it: all of it is seen
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(64, 64)
        self.setSizePolicy(QtWidgets.QSizePolicy.Policy.Expanding, QtWidgets.QSizePolicy.Policy.Expanding)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)

    def show_picture(self, picture, scene):
        self._picture, self._scene = picture, scene
        self.update()

    def picture(self):
        return self._picture

    def scene(self):
        """The Scene of the picture, or None."""
        return self._scene

    def clear(self):
        self._picture = self._scene = self.sides = None
        self.update()

    def project(self, point):
        """Where x, y, z, each from 0 to 1 along the volume, is seen, in pixels of the widget; and how near it is."""
        longest = max(self.sides)
        x, y, z = ((0.5 - value if i else value - 0.5) * side / longest for i, (value, side) in enumerate(zip(point, self.sides)))
        x, y, z = self.turn @ (x, y, z)
        half_wide, half_high = extent_of(Scene(self.width(), self.height(), zoom=self.zoom))
        shrink = DISTANCE / max(1e-6, DISTANCE - z) if self.perspective else 1.0
        return QtCore.QPointF(self.width() / 2 * (1 + (x - self.pan[0]) * shrink / half_wide),
                              self.height() / 2 * (1 - (y - self.pan[1]) * shrink / half_high)), z

    def paintEvent(self, event):
        painter = QtGui.QPainter(self)
        try:
            self.paint(painter)
        finally:
            painter.end()

    def paint(self, painter):
        painter.fillRect(self.rect(), SURROUND)
        painter.setRenderHint(QtGui.QPainter.RenderHint.Antialiasing)
        if self.sides is not None and self.box:
            self._paint_box(painter, behind=True)
        if self._picture is not None:
            painter.setRenderHint(QtGui.QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawImage(QtCore.QRectF(self.rect()), self._picture)
        if self.sides is not None and self.box:
            self._paint_box(painter, behind=False)
        if self.note:
            font = painter.font()
            font.setPixelSize(14)
            painter.setFont(font)
            painter.setPen(ON_SURROUND)
            painter.drawText(QtCore.QRectF(self.rect()).adjusted(32, 32, -32, -32),
                             int(Qt.AlignmentFlag.AlignCenter) | int(Qt.TextFlag.TextWordWrap), self.note)

    def _paint_box(self, painter, behind):
        """Edges at the farthest corner lie behind the picture, the others before it."""
        boxes = [((0.0,) * 3, (1.0,) * 3, ON_SURROUND)]
        if self.low != boxes[0][0] or self.high != boxes[0][1]:
            boxes = [(*boxes[0][:2], QtGui.QColor("#6a7076")), (self.low, self.high, MARK)]
        for low, high, colour in boxes:
            corners = [self.project([(high if corner >> i & 1 else low)[i] for i in range(3)]) for corner in range(8)]
            farthest = min(range(8), key=lambda corner: corners[corner][1])
            painter.setPen(QtGui.QPen(colour, 1))
            for a, b in _EDGES:
                if (farthest in (a, b)) == behind:
                    painter.drawLine(corners[a][0], corners[b][0])
        if not behind:
            self._paint_axes(painter)

    def _paint_axes(self, painter):
        font = painter.font()
        font.setPixelSize(12)
        font.setBold(True)
        painter.setFont(font)
        for i, name in enumerate("xyz"):
            end = [1.06 if i == j else 0.0 for j in range(3)]
            painter.setPen(AXES[i])
            painter.drawLine(self.project((0, 0, 0))[0], self.project([min(1, value) for value in end])[0])
            at = self.project(end)[0]
            painter.drawText(QtCore.QRectF(at.x() - 10, at.y() - 10, 20, 20), int(Qt.AlignmentFlag.AlignCenter), name)

    def fit_first(self):
        """Shows all of the box, with the names of its axes, as long as nobody has turned or moved it."""
        if not self._is_first or self.sides is None:
            return
        self.zoom, width, height = 1.0, self.width() / 2, self.height() / 2
        corners = [[corner >> i & 1 for i in range(3)] for corner in range(8)] + [[1.06 * (i == j) for j in range(3)] for i in range(3)]
        for at in (self.project(corner)[0] for corner in corners):
            for part, half in ((at.x() - width, width), (at.y() - height, height)):
                if part:
                    self.zoom = min(self.zoom, max(half - 16, half / 2) / abs(part))

    def touch(self):
        """The view is somebody's choice."""
        self._is_first = False

    def resizeEvent(self, event):
        self.fit_first()
        self.changed.emit()

    def mousePressEvent(self, event):
        self._held = event.button(), place(event)
        if event.button() == Qt.MouseButton.RightButton:
            self.window_dragged.emit(0.0, 0.0, True)

    def mouseMoveEvent(self, event):
        if self._held is None:
            return
        button, last = self._held
        at = place(event)
        if button != Qt.MouseButton.RightButton and at != last:
            self.touch()
        right, down = at.x() - last.x(), at.y() - last.y()
        if button == Qt.MouseButton.RightButton:
            self.window_dragged.emit(right, down, False)
            return
        self._held = button, at
        if button == Qt.MouseButton.MiddleButton or event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            half_wide, half_high = extent_of(Scene(self.width(), self.height(), zoom=self.zoom))
            self.pan = self.pan[0] - right * 2 * half_wide / self.width(), self.pan[1] + down * 2 * half_high / self.height()
        elif right or down:
            angle = math.hypot(right, down) * math.pi / max(200, min(self.width(), self.height()))
            self.turn = rotation((down, right, 0), angle) @ self.turn
        self.changed.emit()

    def mouseReleaseEvent(self, event):
        self.mouseMoveEvent(event)  # the last movement may not have been told
        self._held = None

    def mouseDoubleClickEvent(self, event):
        if event.button() == Qt.MouseButton.LeftButton:
            self.reset()

    def wheelEvent(self, event):
        self.touch()
        self.zoom = min(max(self.zoom * 1.2 ** (event.angleDelta().y() / 120), 0.1), 50.0)
        self.changed.emit()
        event.accept()

    def reset(self):
        self.turn, self.zoom, self.pan = OBLIQUE, 1.0, (0.0, 0.0)
        self._is_first = True
        self.fit_first()
        self.changed.emit()

    def keyPressEvent(self, event):
        """Arrows turn, + and - zoom, 0 resets; z, y and x look along that axis."""
        key, step = event.key(), math.radians(5)
        turns = {Qt.Key.Key_Left: ((0, 1, 0), -step), Qt.Key.Key_Right: ((0, 1, 0), step),
                 Qt.Key.Key_Up: ((1, 0, 0), -step), Qt.Key.Key_Down: ((1, 0, 0), step)}
        looks = {Qt.Key.Key_Z: FRONT, Qt.Key.Key_Y: rotation((1, 0, 0), math.pi / 2), Qt.Key.Key_X: rotation((0, 1, 0), -math.pi / 2)}
        if key in turns:
            self.turn = rotation(*turns[key]) @ self.turn
        elif key in looks:
            self.turn = looks[key]
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal, Qt.Key.Key_Minus):
            self.zoom = min(max(self.zoom * (1 / 1.2 if key == Qt.Key.Key_Minus else 1.2), 0.1), 50.0)
        elif key == Qt.Key.Key_0:
            self.reset()
            return
        else:
            super().keyPressEvent(event)
            return
        self.touch()
        self.changed.emit()
