# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The pictures of the place Live: a slice of each plane, where planes cut each other, and the frame of the camera."""

import math

from gsttomo.faces import live as faces
from gsttomo.widgets import ImageView
from gsttomo.widgets.canvas import Layer
from pyqtgraph.Qt import QtCore, QtGui, QtWidgets

from . import theme

GRIP = 6   # pixels beside a line that take it
HALO = QtGui.QColor(0, 0, 0, 160)


class Lines(Layer):
    """Lines across columns (which 0) or rows (which 1) that can be dragged: `lines` are (key, which, position, colour)."""

    exported = False

    def __init__(self, moved):
        self.lines, self._moved, self._held = [], moved, None

    def set_lines(self, lines):
        self.lines = lines
        self.update()

    def paint(self, painter):
        size = self.canvas.size_of_view()
        for _, which, position, colour in self.lines:
            at = self.canvas.to_widget(QtCore.QPointF(position, position))
            line = QtCore.QLineF(at.x(), 0, at.x(), size.height()) if which == 0 else QtCore.QLineF(0, at.y(), size.width(), at.y())
            for pen in (QtGui.QPen(HALO, 3), QtGui.QPen(QtGui.QColor(colour), 1)):
                painter.setPen(pen)
                painter.drawLine(line)

    def _near(self, at):
        scale = self.canvas.scale()
        return next((line for line in self.lines if abs((at.x() if line[1] == 0 else at.y()) - line[2]) * scale <= GRIP), None)

    def hover(self, at):
        line = self._near(at)
        return None if line is None else QtCore.Qt.CursorShape.SplitHCursor if line[1] == 0 else QtCore.Qt.CursorShape.SplitVCursor

    def press(self, at, event):
        self._held = self._near(at)
        return self._held is not None

    def move(self, at, event):
        key, which, _, colour = self._held
        position = at.x() if which == 0 else at.y()
        self.lines = [(key, which, position, colour) if line[:2] == (key, which) else line for line in self.lines]
        self.update()
        self._moved(key, which, position)

    def release(self, at, event):
        self._held = None

    @property
    def is_held(self):
        return self._held is not None


class Pane(QtWidgets.QWidget):
    """A picture, and the text of its plane below it.

    stepped: pixels along the plane's normal
    entered: another text; removed: nobody wants this plane any more
    line_moved: key of a line, which, and its position in samples"""

    stepped = QtCore.Signal(int)
    entered = QtCore.Signal(str)
    removed = QtCore.Signal()
    line_moved = QtCore.Signal(object, int, float)

    def __init__(self, title="", parent=None):
        super().__init__(parent)
        self.place = None
        self.view = ImageView(toolbar=False, histogram=False, readout=False)
        self.view.stepped.connect(lambda steps: self.stepped.emit(-steps))
        self.lines = self.view.add_overlay(Lines(self.line_moved.emit))
        column = QtWidgets.QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.view, 1)
        row = self.row = QtWidgets.QHBoxLayout()
        row.setContentsMargins(2 * theme.SPACE, 0, theme.SPACE, 0)
        row.setSpacing(theme.SPACE)
        column.addLayout(row)
        self.text = None
        if title:
            row.addWidget(QtWidgets.QLabel(title))
            row.addStretch(1)
            return
        self.text = QtWidgets.QLineEdit()
        self.text.setAccessibleName("Plane")
        self.text.setToolTip("x, y or z and the pixels from the axis and the middle row, such as z=3.5 or x=0,size=512; "
                             "or at=X:Y:Z,right=X:Y:Z,down=X:Y:Z,width=N,height=N")
        self.text.editingFinished.connect(self._enter)
        row.addWidget(self.text, 1)
        self.remove = QtWidgets.QToolButton(text="✕", autoRaise=True)
        self.remove.setToolTip("Remove this plane")
        self.remove.setAccessibleName("Remove this plane")
        self.remove.clicked.connect(self.removed)
        row.addWidget(self.remove)

    def show_text(self, text):
        is_typed = self.text.hasFocus() and self.text.text() != self._shown
        self._shown = text
        if not is_typed:
            self.text.setText(text)

    def complain(self, text):
        """Goes back to the text that counts."""
        self.text.setText(self._shown)

    _shown = ""

    def _enter(self):
        text = self.text.text().strip()
        if text and text != self._shown:
            self.entered.emit(text)
        else:
            self.text.setText(self._shown)

    def show_image(self, array, caption, levels=None, fit=False):
        self.view.set_image(array, fit=fit, levels=levels)
        self.view.set_caption(caption)

    def clear(self):
        self.view.clear()
        self.view.set_caption("")
        self.place = None
        self.lines.set_lines([])


class VolumePane(Pane):
    """The largest values of a coarse volume along one of its axes, which is chosen below. All of them come, so another one is shown at once.

    changed: another picture is shown, or a newer one"""

    changed = QtCore.Signal()

    def __init__(self, parent=None):
        super().__init__("Volume: maximum along", parent)
        self.view.canvas.setAccessibleName("Volume")
        self.view.set_scale_bar(False)  # its samples are larger than the pixels of the others
        self._newest, self._levels = {}, None
        self.along = QtWidgets.QComboBox(objectName="live-along")
        self.along.addItems(faces.NORMALS)
        self.along.setCurrentText("y")  # as the camera sees the sample
        self.along.setAccessibleName("Direction of the maximum")
        self.along.setToolTip("z: from above; x and y: from the side")
        self.along.currentTextChanged.connect(lambda _: self._show(fit=True))
        self.row.insertWidget(1, self.along)

    def take(self, event, array, levels):
        self._newest[event["along"]] = event, array
        self._levels = levels
        if event["along"] == self.along.currentText():
            self._show(fit=self.view.image() is None)

    def _show(self, fit):
        event, array = self._newest.get(self.along.currentText(), (None, None))
        if event is None:
            return
        self.place = event["place"]
        self.show_image(array, faces.caption_of(event), self._levels, fit=fit)
        self.changed.emit()

    def clear(self):
        self._newest.clear()
        super().clear()


class Panes(QtWidgets.QWidget):
    """All pictures in a grid, each as large as can be.

    plane_moved: number of a plane, and its offset
    plane_stepped: number, and pixels; plane_entered: number, and a text; plane_removed: number
    axis_moved: to a column of the detector; levels_moved: black and white, by a drag in a picture"""

    plane_moved = QtCore.Signal(int, float)
    plane_stepped = QtCore.Signal(int, int)
    plane_entered = QtCore.Signal(int, str)
    plane_removed = QtCore.Signal(int)
    axis_moved = QtCore.Signal(float)
    levels_moved = QtCore.Signal(float, float)

    def __init__(self, parent=None):
        super().__init__(parent)
        self.panes, self._planes, self._levels = [], [], None
        self.frame = Pane("Camera: the line is the axis")
        self.frame.line_moved.connect(lambda key, which, position: self.axis_moved.emit(position))
        self.volume = VolumePane()
        self.volume.changed.connect(lambda: self._draw_lines_in(self.volume))
        self._connect(self.volume)
        self._has_volume = False
        self._grid = QtWidgets.QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(theme.SPACE)
        self._is_setting = False
        self.set_planes(["x=0", "y=0", "z=0"])

    def set_planes(self, planes):
        self._planes = list(planes)
        while len(self.panes) > len(planes):
            pane = self.panes.pop()
            self._grid.removeWidget(pane)
            pane.hide()
            pane.deleteLater()
        while len(self.panes) < len(planes):
            self.panes.append(self._made(len(self.panes)))
        for pane, text in zip(self.panes, planes):
            pane.show_text(text)
            pane.remove.setEnabled(len(planes) > 1)
        self._lay_out()
        self._draw_lines()

    def show_slice(self, event, array):
        number = event["index"]
        if number >= len(self.panes):
            return
        pane = self.panes[number]
        is_first, pane.place = pane.view.image() is None, event.get("place")
        self._is_setting = True
        pane.show_image(array, faces.caption_of(event), self._levels, fit=is_first)
        self._is_setting = False
        self._draw_lines_in(pane)

    def show_maximum(self, event, array):
        self._is_setting = True
        self.volume.take(event, array, self._levels)
        self._is_setting = False

    def set_volume(self, is_shown):
        """Whether the volume has a place."""
        if is_shown == self._has_volume:
            return
        self._has_volume = is_shown
        if not is_shown:
            self._grid.removeWidget(self.volume)
            self.volume.clear()
        self._lay_out()

    def show_frame(self, event, array):
        self.frame.show_image(array, "", fit=self.frame.view.image() is None)
        if not self.frame.lines.is_held:
            axis = event["axis"] or array.shape[1] / 2
            self.frame.lines.set_lines([("axis", 0, axis, theme.CYAN)])

    def set_levels(self, levels):
        """Black and white of all slices; None: each by itself."""
        self._levels, self._is_setting = levels, True
        for pane in [*self.panes, self.volume]:
            if levels is None:
                pane.view.auto_levels()
            else:
                pane.view.set_levels(*levels)
        self._is_setting = False

    def clear(self):
        for pane in [*self.panes, self.volume, self.frame]:
            pane.clear()

    def _made(self, number):
        pane = Pane()
        self._connect(pane)
        pane.view.canvas.setAccessibleName(f"Slice {number + 1}")
        pane.stepped.connect(lambda pixels: self.plane_stepped.emit(number, pixels))
        pane.entered.connect(lambda text: self.plane_entered.emit(number, text))
        pane.removed.connect(lambda: self.plane_removed.emit(number))
        return pane

    def _connect(self, pane):
        pane.line_moved.connect(lambda key, which, position: pane.place and self.plane_moved.emit(
            key, faces.offset_at(pane.place, which, position)))
        pane.view.levels_changed.connect(lambda low, high: self._tell_levels(pane, low, high))

    def _tell_levels(self, pane, low, high):
        if not self._is_setting and not pane.view.is_automatic():
            self.levels_moved.emit(low, high)

    def _lay_out(self):
        shown = [*self.panes, *([self.volume] if self._has_volume else []), self.frame]
        self.volume.setVisible(self._has_volume)
        columns = math.ceil(math.sqrt(len(shown)))
        for pane in shown:
            self._grid.removeWidget(pane)
        for at in range(faces.MOST_PLANES + 2):
            self._grid.setRowStretch(at, int(at * columns < len(shown)))
            self._grid.setColumnStretch(at, int(at < columns))
        for at, pane in enumerate(shown):
            row, place = divmod(at, columns)
            self._grid.addWidget(pane, row, place, 1, columns - place if pane is self.frame else 1)  # that has what is left of the row
            pane.show()

    def _draw_lines(self):
        for pane in [*self.panes, self.volume]:
            self._draw_lines_in(pane)

    def _draw_lines_in(self, pane):
        if not pane.lines.is_held:
            pane.lines.set_lines([(number, which, position, faces.COLOURS[faces.Plane.read(self._planes[number]).normal])
                                  for number, which, position in faces.lines_in(pane.place, self._planes)])
