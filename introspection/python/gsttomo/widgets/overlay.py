# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Two views half a turn apart over each other, and the axis of rotation between them."""

import math

import numpy as np

from . import _colours, _levels
from ._bar import Bar
from ._qt import QtCore, QtGui, QtWidgets, Qt, Signal, HALO, MARK, ON_SURROUND, monospaced, with_halo
from .canvas import Canvas, ImageLayer, Layer
from .image import Corner, ScaleBar

GRIP = 8  # pixels beside the line that take it
_PLUS = QtGui.QPainter.CompositionMode.CompositionMode_Plus

_HALF = np.arange(256) // 2  # shades of an image to which another one is added


def _grey(shades):
    return _colours.packed(np.stack([shades] * 3, 1))


# Colours of the view at 0 degrees and of the mirrored one, which are added to each other.
_MODES = {
    "colours": ("Cyan / red", (_colours.tinted(0, 1, 1), _colours.tinted(1, 0, 0)), "White where the views agree"),
    "difference": ("Difference", (_grey(_HALF), _grey(127 - _HALF)), "Middle grey where the views agree"),
    "sum": ("Sum", (_grey(_HALF),) * 2, "Sharp where the views agree"),
}


class _Black(Layer):
    """Below images that are added to each other."""

    def __init__(self, images):
        self._images = images

    def paint(self, painter):
        for image in self._images:
            rect = image.rect()
            if not rect.isEmpty():
                corners = (self.canvas.to_widget(corner) for corner in (rect.topLeft(), rect.bottomRight()))
                painter.fillRect(QtCore.QRectF(*corners), Qt.GlobalColor.black)


class _AxisLine(Layer):
    def __init__(self, moved):
        self.at = 0.0
        self._moved = moved
        self._from = None

    def paint(self, painter):
        height = self.canvas.size_of_view().height()
        x = self.canvas.to_widget(QtCore.QPointF(self.at, 0)).x()
        for pen in (QtGui.QPen(HALO, 4), QtGui.QPen(MARK, 2 if self.canvas.hasFocus() else 1, Qt.PenStyle.DashLine)):
            painter.setPen(pen)
            painter.drawLine(QtCore.QLineF(x, 0, x, height))
        painter.setFont(monospaced(14))
        text = f"axis {self.at:.2f}"
        width = painter.fontMetrics().boundingRect(text).width()
        left = x + 10 if x + width + 24 < self.canvas.size_of_view().width() else x - width - 10
        with_halo(painter, text, QtCore.QPointF(left, 10), ON_SURROUND)

    def _is_near(self, at):
        return abs(at.x() - self.at) * self.canvas.scale() <= GRIP

    def hover(self, at):
        return Qt.CursorShape.SplitHCursor if self._is_near(at) else None

    def press(self, at, event):
        if self._is_near(at):
            self._from = at.x() - self.at
            return True
        return False

    def move(self, at, event):
        self._moved(at.x() - self._from)

    def key(self, event):
        steps = {Qt.Key.Key_Left: -0.1, Qt.Key.Key_Right: 0.1}
        if event.key() not in steps:
            return False
        self._moved(self.at + steps[event.key()] * (10 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1))
        return True


class AxisOverlay(QtWidgets.QWidget):
    """The view at 0 degrees and the mirrored one at 180 degrees, as they lie over each other for an axis of rotation.

    Drag the line, or press Left and Right (0.1 pixels, with Shift 1). The mirrored view moves by twice as much, also by parts
    of pixels: it is drawn at another place, no sample changes. Other movements are those of ImageView."""

    axis_changed = Signal(float)  # by the mouse, a key or the field; an edge coordinate: the middle of W columns is W / 2
    levels_changed = Signal(float, float)
    stepped = Signal(int)         # by the wheel, for the owner to show other views or rows
    mode_changed = Signal(str)

    def __init__(self, parent=None, toolbar=True):
        super().__init__(parent)
        self.canvas = Canvas()
        self._images = [ImageLayer(), ImageLayer()]
        self.canvas.add(_Black(self._images))
        for image in self._images:
            image.mode = _PLUS
            self.canvas.add(image)
        self._images[1].mirrored = True
        self._bar = self.canvas.add(ScaleBar())
        self._corner = self.canvas.add(Corner(self._bar))
        self._line = self.canvas.add(_AxisLine(self._move))
        self._line.visible = False
        self._columns = 0
        self._some = np.zeros(0)
        self._automatic = True
        self._mode = "colours"
        column = QtWidgets.QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        self.toolbar = self._make_toolbar()
        self.toolbar.setVisible(toolbar)
        column.addWidget(self.toolbar)
        column.addWidget(self.canvas, 1)
        self.setFocusProxy(self.canvas)
        self.canvas.window_dragged.connect(self._drag_window)
        self.canvas.stepped.connect(self.stepped)
        self.canvas.moved.connect(self._tell)
        self.set_mode("colours")

    def _make_toolbar(self):
        bar = Bar(self)
        self._modes = bar.add_choices({name: (text, tip) for name, (text, _, tip) in _MODES.items()}, self.set_mode)
        bar.addSeparator()
        bar.addWidget(QtWidgets.QLabel("Axis"))
        self._field = QtWidgets.QDoubleSpinBox()
        self._field.setDecimals(2)
        self._field.setSingleStep(0.1)
        self._field.setRange(-1e6, 1e6)
        self._field.setSuffix(" px")
        self._field.setKeyboardTracking(False)
        self._field.setAccessibleName("Axis of rotation")
        self._field.setToolTip("Edge coordinate: the middle of W columns is W / 2")
        self._field.valueChanged.connect(self._move)
        bar.addWidget(self._field)
        bar.add_button("Auto", "Black and white from 0.5 to 99.5 % of the values", self.auto_levels)
        bar.add_button("Fit", "All of the view (double click, 0)", self.canvas.fit)
        return bar

    def set_images(self, zero, opposite, axis=None, levels=None):
        """Views at 0 and at 180 degrees, both (rows, columns) of one shape. The view is fitted where its size is new; the axis
        stays, or is the middle at first. Raises ValueError for arrays that are no such views."""
        zero, opposite = _levels.plain(zero), _levels.plain(opposite)
        if zero.ndim != 2 or zero.shape != opposite.shape:
            raise ValueError(f"views of the shapes {zero.shape} and {opposite.shape} came; wanted two of one size (rows, columns)")
        is_new_size = self._images[0].array is None or self._images[0].array.shape != zero.shape
        for image, array in zip(self._images, (zero, opposite)):
            image.set_array(array)
        self._columns = zero.shape[1]
        self._some = np.concatenate([_levels.sample(zero), _levels.sample(opposite)])
        self._corner.note = ""
        if is_new_size:
            self.canvas.set_area(self._images[0].rect())
            self.canvas.fit()
        if levels is not None:
            self.set_levels(*levels)
        elif self._automatic:
            self.auto_levels()
        self._line.visible = True
        self.set_axis(axis if axis is not None else zero.shape[1] / 2 if is_new_size else self._line.at)

    def clear(self, note=""):
        """Shows no views, and a note in their place."""
        for image in self._images:
            image.set_array(None)
        self._line.visible = False
        self._corner.note = note
        self._tell()

    def axis(self):
        return self._line.at

    def set_axis(self, axis):
        """Moves the line and the mirrored view; axis_changed is not told. Raises ValueError for what is no number."""
        axis = float(axis)
        if not math.isfinite(axis):
            raise ValueError(f"the axis {axis} came; wanted an edge coordinate")
        self._line.at = axis
        # Mirrored about the axis, column x lies at 2 axis - x: the view, swapped in its place, begins where its last edge goes.
        self._images[1].offset = (2 * axis - self._columns, 0.0)
        blocked = self._field.blockSignals(True)
        self._field.setValue(axis)
        self._field.blockSignals(blocked)
        self.canvas.update()

    def _move(self, axis):
        axis = round(axis, 2)
        if axis != self._line.at:
            self.set_axis(axis)
            self.axis_changed.emit(axis)

    def mode(self):
        return self._mode

    def set_mode(self, mode):
        """'colours' (cyan and red, white where both agree), 'difference' (middle grey where both agree) or 'sum'."""
        if mode not in _MODES:
            raise ValueError(f"'{mode}' is no way to show two views; wanted one of {', '.join(_MODES)}")
        changed, self._mode = mode != self._mode, mode
        for image, table in zip(self._images, _MODES[mode][1]):
            image.set_table(table)
        self.toolbar.show_choice(self._modes, mode)
        self._tell()
        if changed:
            self.mode_changed.emit(mode)

    def set_pixel_size(self, metres):
        """The edge of a sample in metres, or None: the scale bar is in pixels then."""
        self._bar.pixel_size = metres
        self.canvas.update()

    def set_levels(self, low, high):
        """Values that are black and white in both views."""
        self._automatic = False
        self._apply(low, high)

    def auto_levels(self):
        """0.5 and 99.5 % of the values of both views."""
        self._automatic = True
        self._apply(*_levels.percentiles(self._some))

    def levels(self):
        return self._images[0].levels()

    def _apply(self, low, high):
        for image in self._images:
            image.set_levels(low, high)
        self._tell()
        self.levels_changed.emit(*self.levels())

    def _tell(self):
        if self._images[0].array is None:
            self._corner.text = ""
        else:
            told = _levels.TOLD if self._automatic else ""
            low, high = self.levels()
            if self._mode == "difference":  # black and white are differences of the views
                low, high = low - high, high - low
                told = ""
            self._corner.text = _levels.corner_text((low, high), self.canvas.density(), told)
        self.canvas.update()

    def _drag_window(self, right, down, begins):
        if begins:
            self._window = self.levels()
        else:
            self.set_levels(*_levels.dragged(self._window, right, down))
