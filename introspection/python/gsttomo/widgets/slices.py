# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Three planes through a volume."""

import math

import numpy as np

from . import _levels
from ._bar import ToolBar
from ._pane import NAMES, PlanePane, levels_of, prepare
from ._qt import QtCore, QtGui, QtWidgets, Qt, Signal, AXES, HALO, monospaced
from ._scalebar import length_text
from .canvas import Layer
from .histogram import Histogram
from .loader import Loader

GRIP = 6  # pixels beside a line that take it
ACROSS = ((2, 1), (2, 0), (1, 0))  # the axes along columns and along rows of a plane across z, y, x


class _Crosshair(Layer):
    """Where the two other planes cross this one."""

    exported = False

    def __init__(self, axis, moved):
        self.axis, self._moved = axis, moved
        self.at = (0.0, 0.0)
        self._held = (False, False)
        self._from = (0.0, 0.0)

    def paint(self, painter):
        size = self.canvas.size_of_view()
        cross = self.canvas.to_widget(QtCore.QPointF(*self.at))
        gap = 10  # so that the sample itself can be seen
        for colour, wide in ((HALO, 3), (None, 1)):
            for along, lines in ((0, ((cross.x(), 0, cross.x(), cross.y() - gap), (cross.x(), cross.y() + gap, cross.x(), size.height()))),
                                 (1, ((0, cross.y(), cross.x() - gap, cross.y()), (cross.x() + gap, cross.y(), size.width(), cross.y())))):
                painter.setPen(QtGui.QPen(colour or AXES[2 - ACROSS[self.axis][along]], wide))
                for line in lines:
                    painter.drawLine(QtCore.QLineF(*line))

    def _near(self, at):
        scale = self.canvas.scale()
        return abs(at.x() - self.at[0]) * scale <= GRIP, abs(at.y() - self.at[1]) * scale <= GRIP

    def hover(self, at):
        return {(True, True): Qt.CursorShape.SizeAllCursor, (True, False): Qt.CursorShape.SplitHCursor,
                (False, True): Qt.CursorShape.SplitVCursor}.get(self._near(at))

    def press(self, at, event):
        self._held = self._near(at)
        self._from = at.x() - self.at[0], at.y() - self.at[1]
        return any(self._held)

    def move(self, at, event):
        x = at.x() - self._from[0] if self._held[0] else self.at[0]
        y = at.y() - self._from[1] if self._held[1] else self.at[1]
        self._moved(self.axis, x, y)


class SliceView(QtWidgets.QWidget):
    """A Volume by its planes across z, y and x, with one crosshair, and shared levels and colours.

    A click or a drag of the lines moves the crosshair; wheel, arrow keys and sliders move the plane below the pointer. One of
    the planes can fill the window. toolbar, histogram and readout are its parts; panes are the three planes."""

    position_changed = Signal(object)      # (z, y, x) of the crosshair
    levels_changed = Signal(float, float)
    pointed = Signal(str)                  # position and value
    failed = Signal(str)

    def __init__(self, parent=None, loader=None):
        super().__init__(parent)
        self.resize(1000, 760)  # where it is a window of its own
        self._loader, self._background = loader or Loader(self), None
        self._volume = None
        self._some = np.zeros(0)
        self._automatic = True
        self._levels = (0.0, 1.0)
        self._sharing = False
        self._tool = ""
        self.panes = tuple(PlanePane(axis, self._loader) for axis in range(3))
        self._crosses = [pane.view.add_overlay(_Crosshair(pane.axis, self._drag_cross)) for pane in self.panes]
        self.histogram = Histogram()
        self.readout = QtWidgets.QLabel()
        self.readout.setFont(monospaced())
        self.readout.setObjectName("readout")
        self.facts = QtWidgets.QLabel()
        self.facts.setWordWrap(True)
        self.facts.setObjectName("facts")
        self.toolbar = ToolBar(self)
        self._build()
        for pane in self.panes:
            axis, view = pane.axis, pane.view
            pane.index_changed.connect(self._tell_position)
            pane.failed.connect(self.failed)
            view.levels_changed.connect(lambda low, high, view=view: self._levels_of_pane(view, low, high))
            view.pointed.connect(lambda at, axis=axis: self._point(axis, at))
            view.pressed.connect(lambda x, y, axis=axis: self._drag_cross(axis, x, y))
            view.failed.connect(self.failed)
        self.histogram.levels_changed.connect(self.set_levels)
        self.histogram.automatic.connect(self.auto_levels)
        self.setFocusProxy(self.panes[0])
        self.set_colour_map("grey")
        self.set_tool("")
        self.show_planes("three")
        self._point(0, None)

    def _build(self):
        self._layouts = self.toolbar.add_choices({"three": ("Three", "All three planes"), "z": ("z", "The plane across z (x, y)"),
                                                  "y": ("y", "The plane across y (x, z)"), "x": ("x", "The plane across x (y, z)")},
                                                 self.show_planes)
        self.toolbar.addSeparator()
        self.toolbar.add_tools()
        self._side = QtWidgets.QWidget()
        side = QtWidgets.QVBoxLayout(self._side)
        side.setContentsMargins(12, 8, 12, 8)
        side.setSpacing(8)
        side.addWidget(self.facts)
        side.addStretch(1)
        side.addWidget(self.readout)
        side.addWidget(self.histogram)
        self._grid = QtWidgets.QGridLayout()
        self._grid.setSpacing(4)
        for widget, (row, column) in ((self.panes[0], (0, 0)), (self._side, (0, 1)), (self.panes[1], (1, 0)), (self.panes[2], (1, 1))):
            self._grid.addWidget(widget, row, column)
        column = QtWidgets.QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.toolbar)
        column.addLayout(self._grid, 1)

    # The volume

    def set_volume(self, volume, keep=False):
        """A Volume, an array (z, y, x), or None. Levels become those of the volume where they are automatic. With `keep` the
        position stays, for another volume of the same size."""
        if isinstance(volume, np.ndarray):
            from .volume import Volume
            volume = Volume(volume)
        self._volume = volume
        self._some = np.zeros(0)
        for pane in self.panes:
            pane.set_volume(volume, keep=keep)
        self._place_crosses()
        if volume is None:
            self.facts.setText("")
            self.histogram.set_values(self._some)
            return
        depth, rows, columns = volume.shape
        size = "" if volume.pixel_size is None else f", {length_text(volume.pixel_size)} per pixel"
        self.facts.setText(f"{volume.name}\n{columns} x {rows} x {depth}, {volume.dtype}{size}")
        if volume.needs_overview():
            self._background = self._background or Loader(self)
            prepare(self._background, volume, self.panes, self.failed.emit)
        self._loader.ask(("sample", id(self)), volume.sample, lambda some: self._take_sample(volume, some), self.failed.emit)

    def volume(self):
        return self._volume

    def _take_sample(self, volume, some):
        if volume is self._volume:
            self._some = some
            self.histogram.set_values(some)
            if self._automatic:
                self.auto_levels()

    def position(self):
        """(z, y, x) of the crosshair."""
        return tuple(pane.index() for pane in self.panes)

    def set_position(self, z, y, x):
        """Moves the crosshair; position_changed is not told."""
        for pane, index in zip(self.panes, (z, y, x)):
            pane.set_index(index)
        self._place_crosses()

    def _tell_position(self):
        self._place_crosses()
        self.position_changed.emit(self.position())

    def _drag_cross(self, axis, x, y):
        if self._volume is None:
            return
        before = self.position()
        for along, value in zip(ACROSS[axis], (x, y)):
            self.panes[along].set_index(math.floor(value))
        if self.position() != before:
            self._tell_position()

    def _place_crosses(self):
        position = self.position()
        for cross in self._crosses:
            cross.visible = self._volume is not None
            cross.at = tuple(position[along] + 0.5 for along in ACROSS[cross.axis])
            cross.update()

    def _point(self, axis, at):
        if at is None or self._volume is None:
            text = "x    -  y    -  z    -  value -"
        else:
            position = list(self.position())
            for along, value in zip(ACROSS[axis], at):
                position[along] = math.floor(value)
            value = self.panes[axis].view.value_at(*at)
            digits = max(4, len(str(max(self._volume.shape))))
            text = "  ".join(f"{NAMES[i]} {position[i]:>{digits}}" for i in (2, 1, 0)) + f"  value {_levels.text_of(value, 5)}"
        self.readout.setText(f"{text:<42}")
        self.pointed.emit(text)

    def show_planes(self, name):
        """'three', or one of 'z', 'y', 'x', which fills the window."""
        if name not in self._layouts:
            raise ValueError(f"'{name}' came; wanted one of {', '.join(self._layouts)}")
        self.toolbar.show_choice(self._layouts, name)
        self._shown = name
        for pane in self.panes:
            pane.setVisible(name in ("three", NAMES[pane.axis]))
        is_alone = name != "three"
        self._grid.removeWidget(self._side)
        self._grid.addWidget(self._side, *((2, 0, 1, 2) if is_alone else (0, 1, 1, 1)))
        places = {self._place_of(pane) for pane in self.panes if name in ("three", NAMES[pane.axis])}
        for i in range(2):  # a row or column without a plane takes no room
            self._grid.setRowStretch(i, int(any(row == i for row, _ in places)))
            self._grid.setColumnStretch(i, int(any(column == i for _, column in places)))
        self._grid.setHorizontalSpacing(0 if is_alone else 4)
        self.facts.setVisible(not is_alone)

    def _place_of(self, pane):
        return self._grid.getItemPosition(self._grid.indexOf(pane))[:2]

    def planes(self):
        return self._shown

    def _pane(self):
        """The one that tools and export mean: that which fills the window, or has the focus, else z."""
        if self._shown != "three":
            return self.panes[NAMES.index(self._shown)]
        return next((pane for pane in self.panes if pane.view.canvas.hasFocus()), self.panes[0])

    # What is the same in all planes; named as in ImageView, for the toolbar

    def set_levels(self, low, high):
        """Values that are black and white; automatic levels end."""
        self._automatic = False
        self._apply(low, high)

    def levels(self):
        return self._levels

    def auto_levels(self):
        """0.5 and 99.5 % of some values of the volume."""
        self._automatic = True
        self._apply(*levels_of(self._some))

    def is_automatic(self):
        return self._automatic

    def _apply(self, low, high):
        self._sharing = True
        for pane in self.panes:
            pane.view.set_levels(low, high, _levels.TOLD if self._automatic else "")
        self._sharing = False
        self._levels = self.panes[0].view.levels()
        self.histogram.set_levels(*self._levels)
        self.levels_changed.emit(*self._levels)

    def _levels_of_pane(self, view, low, high):
        # Automatic levels of a plane count for that plane alone, until those of the volume are known.
        if not self._sharing and not view.is_automatic():
            self.set_levels(low, high)

    def set_colour_map(self, name):
        for pane in self.panes:
            pane.view.set_colour_map(name)
        self.histogram.set_table(self.panes[0].view.colours())
        self.toolbar.show_map(name)

    def colour_map(self):
        return self.panes[0].view.colour_map()

    def set_tool(self, name):
        for pane, cross in zip(self.panes, self._crosses):
            pane.view.set_tool(name)
            cross.visible = not name and self._volume is not None
        self._tool = name
        self.toolbar.show_tool(name)

    def tool(self):
        return self._tool

    def fit(self):
        for pane in self.panes:
            pane.view.fit()

    def show_samples(self):
        """One sample as one pixel, in all planes."""
        for pane in self.panes:
            pane.view.show_samples()

    def export(self):
        """Asks for a name, and writes the plane that has the focus."""
        pane = self._pane()
        if self._volume is not None:
            pane.view.set_name(f"{self._volume.name.partition('.')[0]}-{NAMES[pane.axis]}{pane.index()}")
        pane.view.export()

    def close_loader(self):
        """Ends the threads that read."""
        for loader in (self._loader, self._background):
            if loader is not None:
                loader.close()
