# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Planes of a volume along one axis: a picture, and a slider for its place."""

import numpy as np

from . import _levels
from ._qt import QtCore, QtWidgets, Qt, Signal, monospaced
from .image import ImageView

NAMES = ("z", "y", "x")
SETTLED = 150  # ms without another plane, after which the best one is read


class PlanePane(QtWidgets.QWidget):
    """Reads by a Loader: while somebody scrolls what comes quickly, then the level that fits the window."""

    index_changed = Signal(int)  # by the wheel, a key or the slider
    shown = Signal(int)          # the plane of this index has come
    failed = Signal(str)

    def __init__(self, axis, loader, parent=None):
        super().__init__(parent)
        self.axis, self._loader = axis, loader
        self._volume, self._index, self._plane, self._stays = None, 0, None, False
        self.like = self  # the pane whose size counts, for one that is hidden
        self.view = ImageView(toolbar=False, histogram=False, readout=False)
        self.view.set_late_plot(True)
        self.slider = QtWidgets.QSlider(Qt.Orientation.Horizontal)
        self.slider.setEnabled(False)
        self._label = QtWidgets.QLabel()
        self._label.setFont(monospaced())
        self.row = QtWidgets.QHBoxLayout()
        self.row.setContentsMargins(8, 0, 8, 0)
        self.row.setSpacing(8)
        self.row.addWidget(self._label)
        self.row.addWidget(self.slider, 1)
        column = QtWidgets.QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.view, 1)
        column.addLayout(self.row)
        self.setFocusProxy(self.view)
        self.slider.valueChanged.connect(self._go)
        self.view.stepped.connect(lambda steps: self._go(self._index + steps))
        self.view.moved.connect(self._view_moved)
        self._settle = QtCore.QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(SETTLED)
        self._settle.timeout.connect(lambda: self._ask(True))
        self._say()

    def set_volume(self, volume, axis=None, keep=False):
        """A Volume, or None. The plane in the middle is shown; with `keep` the same one in the same view, where sizes are equal."""
        self._loader.forget(self._channel)
        self._settle.stop()
        keep = keep and None not in (volume, self._volume) and volume.shape == self._volume.shape
        self._volume, self._plane, self._stays = volume, None, keep and self._plane is not None
        self.axis = self.axis if axis is None else axis
        if not keep:
            self._index = 0 if volume is None else volume.shape[self.axis] // 2
        blocked = self.slider.blockSignals(True)
        self.slider.setEnabled(volume is not None)
        self.slider.setRange(0, 0 if volume is None else volume.shape[self.axis] - 1)
        self.slider.setPageStep(10)
        self.slider.setValue(self._index)
        self.slider.setAccessibleName(f"Plane along {NAMES[self.axis]}")
        self.slider.blockSignals(blocked)
        self.view.set_pixel_size(None if volume is None else volume.pixel_size)
        self._say()
        if volume is None:
            self.view.clear()
        else:
            self._ask(False)

    @property
    def _channel(self):
        return id(self)

    def volume(self):
        return self._volume

    def index(self):
        return self._index

    def set_index(self, index):
        """Shows another plane; one outside of the volume becomes the nearest one. index_changed is not told."""
        if self._volume is None:
            return
        index = min(max(int(index), 0), self._volume.shape[self.axis] - 1)
        if index != self._index:
            self._index = index
            blocked = self.slider.blockSignals(True)
            self.slider.setValue(index)
            self.slider.blockSignals(blocked)
            self._say()
            self._ask(False)

    def _go(self, index):
        before = self._index
        self.set_index(index)
        if self._index != before:
            self.index_changed.emit(self._index)

    def size_of_plane(self):
        """(columns, rows) of the finest level."""
        rows, columns = self._volume.levels[0].plane_shape(self.axis)
        return columns, rows

    def wanted_size(self):
        """(rows, columns) of pixels that the whole plane would fill at the scale of the view."""
        columns, rows = self.size_of_plane()
        canvas = self.like.view.canvas
        ratio = canvas.devicePixelRatioF()
        if canvas.is_fitted() or self._plane is None:
            return canvas.height() * ratio, canvas.width() * ratio
        return rows * canvas.density(), columns * canvas.density()

    def _ask(self, best):
        volume, axis, index = self._volume, self.axis, self._index
        if volume is None:
            return
        size = self.wanted_size()

        def done(plane):
            if volume is not self._volume:
                return
            if plane is not None:
                self._show(index, plane)
            elif self._plane is None:
                self.view.clear("The file is read once as a whole; then planes along this axis come at once")
            if not best and index == self._index and volume.level_for(axis, size) is not (plane and plane.level):
                self._settle.start()

        def failed(text):
            if volume is self._volume:
                self.view.clear("This plane can't be read")  # rather than another one
                self.failed.emit(text)

        self._loader.ask(self._channel, lambda stop: volume.slice(axis, index, size, best, stop), done, failed, stoppable=best)

    def _show(self, index, plane):
        is_first, self._plane, self._stays = self._plane is None and not self._stays, plane, False
        self.view.set_image(plane.array, fit=is_first, step=plane.step, size=self.size_of_plane())
        self.shown.emit(index)

    def _view_moved(self):
        if self._plane is not None and self._volume.level_for(self.axis, self.wanted_size()) is not self._plane.level:
            self._settle.start()

    def ask_again(self):
        """The volume has another level."""
        self._ask(False)

    def plane(self):
        """The Plane that is shown, or None."""
        return self._plane

    def _say(self):
        digits = 4 if self._volume is None else len(str(max(self._volume.shape)))
        text = "-" if self._volume is None else str(self._index)
        self._label.setText(f"{NAMES[self.axis]} {text:>{digits}}")


def levels_of(values):
    """Black and white of a volume by some of its values."""
    return _levels.percentiles(np.asarray(values))


def prepare(loader, volume, panes, failed):
    """Has an overview made of a volume whose planes along some axis take too long."""
    if volume is not None and volume.needs_overview():
        def again(_):
            for pane in panes:
                if pane.volume() is volume:
                    pane.ask_again()

        loader.ask(("overview", id(volume)), lambda stop: volume.overview(stop=stop), again, failed)
