# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Thumbnails of a scan's images."""

import numpy as np
from pyqtgraph.Qt import QtCore, QtGui, QtWidgets

from . import theme

WIDTH, HEIGHT = 72, 48  # of a thumbnail
THIN = 8                # times longer than wide, from which on an image is stretched
SHOWN = 5               # projections
KIND, NUMBER = QtCore.Qt.ItemDataRole.UserRole, QtCore.Qt.ItemDataRole.UserRole + 1


def thumbnail(image, low, high):
    """A QImage of WIDTH x HEIGHT, grey from low to high; samples stay square, but for images of few rows or columns."""
    skips = [max(1, int(np.ceil(size / (2 * most)))) for size, most in zip(image.shape, (HEIGHT, WIDTH))]
    if max(image.shape) <= THIN * min(image.shape):
        skips = [max(skips)] * 2
    image = np.nan_to_num(image[::skips[0], ::skips[1]].astype(np.float32), nan=low, posinf=high, neginf=low)
    grey = np.ascontiguousarray(np.clip((image - low) * (255 / max(high - low, 1e-30)), 0, 255).astype(np.uint8))
    picture = QtGui.QImage(grey.data, grey.shape[1], grey.shape[0], grey.shape[1], QtGui.QImage.Format.Format_Grayscale8)
    is_thin = max(grey.shape) > THIN * min(grey.shape)
    ratio = QtCore.Qt.AspectRatioMode.IgnoreAspectRatio if is_thin else QtCore.Qt.AspectRatioMode.KeepAspectRatio
    picture = picture.scaled(WIDTH, HEIGHT, ratio, QtCore.Qt.TransformationMode.SmoothTransformation)
    whole = QtGui.QImage(WIDTH, HEIGHT, QtGui.QImage.Format.Format_RGB32)  # so that names stand in a line
    whole.fill(QtGui.QColor(theme.SURROUND))
    painter = QtGui.QPainter(whole)
    painter.drawImage((WIDTH - picture.width()) // 2, (HEIGHT - picture.height()) // 2, picture)
    painter.end()
    return whole


class Strip(QtWidgets.QListWidget):
    """chosen: with a kind of images and the number of one"""

    chosen = QtCore.Signal(str, int)

    def __init__(self, parent=None):
        super().__init__(parent)
        self.setObjectName("strip")
        self.setViewMode(QtWidgets.QListView.ViewMode.IconMode)
        self.setFlow(QtWidgets.QListView.Flow.LeftToRight)
        self.setWrapping(False)
        self.setMovement(QtWidgets.QListView.Movement.Static)
        self.setIconSize(QtCore.QSize(WIDTH, HEIGHT))
        self.setGridSize(QtCore.QSize(WIDTH + 8, HEIGHT + 26))
        self.setVerticalScrollBarPolicy(QtCore.Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._fit()
        self.setSelectionMode(QtWidgets.QAbstractItemView.SelectionMode.SingleSelection)
        self.itemClicked.connect(lambda item: self.chosen.emit(item.data(KIND), item.data(NUMBER)))
        self._parts = {}

    def clear_all(self):
        self._parts.clear()
        self._fill()

    def resizeEvent(self, event):  # noqa: N802
        super().resizeEvent(event)
        self._fit()

    def _fit(self):
        """As high as one line, and its scroll bar where there is one."""
        is_long = self.count() * self.gridSize().width() > self.viewport().width()
        self.setFixedHeight(HEIGHT + 32 + (self.horizontalScrollBar().sizeHint().height() if is_long else 0))

    def put(self, kind, numbers, images, name):
        """Replaces the thumbnails of a kind by some of these images; name(number) is written below each."""
        chosen = np.unique(np.linspace(0, len(images) - 1, min(SHOWN if kind == "projections" else 1, len(images))).astype(int))
        finite = images[::max(1, len(images) // 4), ::max(1, images.shape[1] // 64), ::max(1, images.shape[2] // 64)]
        finite = finite[np.isfinite(finite)]
        low, high = np.percentile(finite, (0.5, 99.5)) if finite.size else (0.0, 1.0)
        self._parts[kind] = [(int(numbers[i]), thumbnail(images[i], low, high), name(int(numbers[i]))) for i in chosen]
        self._fill()

    def thumbnails(self):
        """Kind and number of each."""
        return [(self.item(i).data(KIND), self.item(i).data(NUMBER)) for i in range(self.count())]

    def _fill(self):
        self.clear()
        for kind in ("projections", "flats", "flats-after", "darks"):
            for number, picture, name in self._parts.get(kind, ()):
                item = QtWidgets.QListWidgetItem(QtGui.QIcon(QtGui.QPixmap.fromImage(picture)), name)
                item.setData(KIND, kind)
                item.setData(NUMBER, number)
                item.setToolTip(f"{kind}, {name}")
                self.addItem(item)
        self._fit()
