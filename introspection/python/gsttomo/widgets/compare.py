# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The same planes of two volumes."""

import os

import numpy as np

from . import _levels
from ._bar import ToolBar
from ._pane import NAMES, PlanePane, levels_of, prepare
from ._qt import QtCore, QtWidgets, Qt, Signal, monospaced
from .histogram import Histogram
from .loader import Loader

PERIOD = 500  # ms that each of both is shown for


class CompareView(QtWidgets.QWidget):
    """Volumes A and B side by side, or in turns at the same place (flicker), where the eye finds the smallest change.

    Place, scale and plane are those of both. Levels are the same, by the values of A, or own ones of each (own levels).
    In flicker the space key holds and shows the other one."""

    levels_changed = Signal(float, float)
    pointed = Signal(str)
    failed = Signal(str)

    def __init__(self, parent=None, loader=None):
        super().__init__(parent)
        self.resize(1200, 700)  # where it is a window of its own
        self._loader, self._background = loader or Loader(self), None
        self._volumes, self._some = [None, None], [np.zeros(0), np.zeros(0)]
        self._axis, self._is_flicker, self._turn, self._linking = 0, False, 0, False
        self._automatic, self._tool = True, ""
        self.panes = (PlanePane(0, self._loader), PlanePane(0, self._loader))
        self.panes[1].like = self.panes[0]
        self.histogram = Histogram()
        self.readout = QtWidgets.QLabel()
        self.readout.setFont(monospaced())
        self.readout.setObjectName("readout")
        self.toolbar = ToolBar(self)
        self._timer = QtCore.QTimer(self)
        self._timer.setInterval(PERIOD)
        self._timer.timeout.connect(self.turn)
        self._build()
        for number, pane in enumerate(self.panes):
            view = pane.view
            pane.index_changed.connect(self.panes[1 - number].set_index)
            pane.shown.connect(lambda _, number=number: self._shown(number))
            pane.failed.connect(self.failed)
            view.failed.connect(self.failed)
            view.moved.connect(lambda number=number: self._follow(number))
            view.levels_changed.connect(lambda low, high, number=number: self._levels_of_pane(number, low, high))
            view.pointed.connect(lambda at, number=number: self._point(number, at))
        self.histogram.levels_changed.connect(self.set_levels)
        self.histogram.automatic.connect(self.auto_levels)
        self.setFocusProxy(self.panes[0])
        self.set_colour_map("grey")
        self.set_tool("")
        self._point(0, None)

    def _build(self):
        bar = self.toolbar
        self._axes = bar.add_choices({i: (name, f"Planes across {name}") for i, name in enumerate(NAMES)}, self.set_axis)
        bar.addSeparator()
        self._ways = bar.add_choices({False: ("Side by side", "A on the left, B on the right"),
                                      True: ("Flicker", "A and B in turns; space holds and changes")}, self.set_flicker)
        self.own_levels = bar.add_button("Own levels", "Black and white of each by its own values", self.auto_levels, True)
        bar.addSeparator()
        bar.add_tools()
        both = QtWidgets.QHBoxLayout()
        both.setSpacing(4)
        for pane in self.panes:
            both.addWidget(pane, 1)
        below = QtWidgets.QHBoxLayout()
        below.setContentsMargins(0, 0, 8, 4)
        below.setSpacing(8)
        below.addWidget(self.histogram, 1)
        below.addWidget(self.readout, 0, Qt.AlignmentFlag.AlignVCenter)
        column = QtWidgets.QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.toolbar)
        column.addLayout(both, 1)
        column.addLayout(below)
        self.set_flicker(False)
        self.toolbar.show_choice(self._axes, 0)

    def set_volumes(self, a, b, keep=False):
        """Two Volumes or arrays (z, y, x), or None. With `keep` place and levels stay, for others of the same size."""
        from .volume import Volume
        self._volumes = [Volume(each) if isinstance(each, np.ndarray) else each for each in (a, b)]
        self._some = [np.zeros(0), np.zeros(0)]
        self._automatic = self._automatic or not keep
        for number, (pane, volume) in enumerate(zip(self.panes, self._volumes)):
            pane.set_volume(volume, self._axis, keep)
            if volume is not None:
                if volume.needs_overview():
                    self._background = self._background or Loader(self)
                    prepare(self._background, volume, self.panes, self.failed.emit)
                self._loader.ask(("sample", id(self), number), volume.sample,
                                 lambda some, number=number, volume=volume: self._take_sample(number, volume, some), self.failed.emit)
        self._caption()

    def volumes(self):
        return tuple(self._volumes)

    def _take_sample(self, number, volume, some):
        if volume is self._volumes[number]:
            self._some[number] = some
            if number == 0:
                self.histogram.set_values(some)
            if self._automatic:
                self.auto_levels()

    def set_axis(self, axis):
        """Planes across 0 z, 1 y or 2 x."""
        self._axis = axis
        self.toolbar.show_choice(self._axes, axis)
        for pane, volume in zip(self.panes, self._volumes):
            pane.set_volume(volume, axis)
        self.fit()

    def axis(self):
        return self._axis

    def set_index(self, index):
        for pane in self.panes:
            pane.set_index(index)

    # In turns

    def set_flicker(self, on):
        """A and B in turns at one place, or side by side."""
        self._is_flicker, self._turn = bool(on), 0
        self.toolbar.show_choice(self._ways, bool(on))
        if on:
            self._timer.start()
        else:
            self._timer.stop()
        self._arrange()

    def is_flicker(self):
        return self._is_flicker

    def turn(self):
        """Shows the other one."""
        self._turn = 1 - self._turn
        self._arrange()

    def turned(self):
        """0 while A is shown in flicker, 1 for B."""
        return self._turn

    def keyPressEvent(self, event):
        if event.key() == Qt.Key.Key_Space and self._is_flicker:
            self._timer.stop()
            self.turn()
        else:
            super().keyPressEvent(event)

    def _arrange(self):
        seen = next((pane.view for pane in self.panes if pane.isVisible()), self.panes[0].view)
        self.setUpdatesEnabled(False)  # both changes are one for the eye
        for number, pane in enumerate(self.panes):
            pane.setVisible(not self._is_flicker or number == self._turn)
            pane.like = self.panes[self._turn] if self._is_flicker else self.panes[0]
        self.layout().activate()
        self._linking = True  # a pane that was hidden has its size only now
        for pane in self.panes:
            if pane.view is not seen:
                pane.view.show_like(seen)
        self._linking = False
        self.setUpdatesEnabled(True)
        if self._is_flicker and self.isActiveWindow():
            self.panes[self._turn].view.canvas.setFocus()

    def _caption(self):
        names = [volume.name if volume is not None else "" for volume in self._volumes]
        if names[0] == names[1]:
            names = [os.path.join(os.path.basename(os.path.dirname(os.path.abspath(volume.path))), name) if volume and volume.path else name
                     for volume, name in zip(self._volumes, names)]
        for letter, name, pane, volume in zip("AB", names, self.panes, self._volumes):
            which = f"  volume {volume.number + 1} of {volume.volumes}" if volume is not None and volume.volumes > 1 else ""
            pane.view.set_caption(f"{letter}  {name}{which}" if volume is not None else "")

    # The same in both

    def _shown(self, number):
        if number == 1 and self.panes[0].plane() is not None:
            self._follow(0)

    def _follow(self, number):
        if self._linking:
            return
        self._linking = True
        self.panes[1 - number].view.show_like(self.panes[number].view)
        self._linking = False

    def set_levels(self, low, high):
        """Values that are black and white in both."""
        self._automatic = False
        self._apply((low, high), (low, high))

    def levels(self):
        """Of A."""
        return self.panes[0].view.levels()

    def auto_levels(self):
        """0.5 and 99.5 % of some values of A; of each one with own levels."""
        self._automatic = True
        first = levels_of(self._some[0])
        self._apply(first, levels_of(self._some[1]) if self.own_levels.isChecked() else first)

    def _apply(self, *levels):
        self._linking = True
        for pane, (low, high) in zip(self.panes, levels):
            pane.view.set_levels(low, high, _levels.TOLD if self._automatic else "")
        self._linking = False
        self.histogram.set_levels(*levels[0])
        self.levels_changed.emit(*levels[0])

    def _levels_of_pane(self, number, low, high):
        if self._linking or self.panes[number].view.is_automatic():
            return
        self._automatic = False
        if not self.own_levels.isChecked():
            self.set_levels(low, high)
        elif number == 0:
            self.histogram.set_levels(low, high)

    def _point(self, number, at):
        if at is None:
            text = f"column {'-':>5} row {'-':>5}  A {'-':>11}  B {'-':>11}"
        else:
            values = [_levels.text_of(pane.view.value_at(*at), 5) for pane in self.panes]
            text = f"column {int(at[0]):>5} row {int(at[1]):>5}  A {values[0]:>11}  B {values[1]:>11}"
        self.readout.setText(text)
        self.pointed.emit(text)

    def set_colour_map(self, name):
        for pane in self.panes:
            pane.view.set_colour_map(name)
        self.histogram.set_table(self.panes[0].view.colours())
        self.toolbar.show_map(name)

    def set_tool(self, name):
        for pane in self.panes:
            pane.view.set_tool(name)
        self.toolbar.show_tool(name)

    def fit(self):
        for pane in self.panes:
            pane.view.fit()

    def show_samples(self):
        self.panes[0].view.show_samples()

    def export(self):
        """Asks for a name, and writes the plane that has the focus, or A's."""
        pane = self.panes[1] if self.panes[1].view.canvas.hasFocus() else self.panes[0]
        if pane.volume() is not None:
            pane.view.set_name(f"{pane.volume().name.partition('.')[0]}-{NAMES[pane.axis]}{pane.index()}")
        pane.view.export()

    def close_loader(self):
        """Ends the threads that read."""
        for loader in (self._loader, self._background):
            if loader is not None:
                loader.close()
