# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A view of one image."""

import math

import numpy as np

from . import _colours, _export, _levels, _scalebar, _tools
from ._qt import QtCore, QtWidgets, Qt, Signal, ON_SURROUND, monospaced, with_halo
from .canvas import Canvas, ImageLayer, Layer
from .histogram import Histogram
from ._bar import ToolBar

MOST_PIXELS = 64e6  # of a picture that is written


class ScaleBar(Layer):
    """How long a length is, in the lower left corner."""

    pixel_size = None
    shown = True
    has_image = True
    right = 0  # where it ends

    def paint(self, painter):
        if self.shown and self.has_image:
            size = self.canvas.size_of_view()
            # In a picture that is written, text grows with the picture, which is looked at as a whole.
            larger = 1.0 if self.canvas.is_on_screen() else max(1.0, min(size.width(), size.height()) / 600)
            self.right = _scalebar.paint(painter, self.canvas.scale(), self.pixel_size, size.width(), size.height(), larger)
        else:
            self.right = 0


class Corner(Layer):
    """What the grey stands for, and how large samples are; a caption."""

    exported = False

    def __init__(self, bar):
        self._bar = bar
        self.text = self.caption = self.note = ""

    def paint(self, painter):
        font = painter.font()
        font.setPixelSize(12)
        painter.setFont(font)
        metrics, size = painter.fontMetrics(), self.canvas.size_of_view()
        width = metrics.boundingRect(self.text).width() + 12
        if self.text and self._bar.right + width + 8 <= size.width():  # a part of it would mislead
            with_halo(painter, self.text, QtCore.QPointF(size.width() - width, size.height() - metrics.height() - 10))
        if self.caption:
            with_halo(painter, self.caption, QtCore.QPointF(12, 10))
        if self.note:
            painter.setPen(ON_SURROUND)
            area = QtCore.QRectF(16, 16, size.width() - 32, size.height() - 32)
            painter.drawText(area, int(Qt.AlignmentFlag.AlignCenter) | int(Qt.TextFlag.TextWordWrap), self.note)


class ImageView(QtWidgets.QWidget):
    """One image, with histogram, read-out and tools.

    Wheel: stepped (for the owner to show another image). Ctrl+wheel: zoom at the pointer. Drag: move. Right drag: window to
    the right, level up and down. Double click or 0: fit. 1: a sample is a pixel.

    canvas, histogram, toolbar and readout are its parts; histogram and readout may be put elsewhere."""

    stepped = Signal(int)                   # images forward (> 0) or back
    levels_changed = Signal(float, float)   # black and white
    moved = Signal()                        # another part of the image is seen
    pointed = Signal(object)                # (x, y) under the pointer in edge coordinates, or None
    pressed = Signal(float, float)          # a click at x, y
    measured = Signal(str, object)          # tool and its result: profile (distances, values), length in samples,
                                            # region (number, mean, std, minimum, maximum); None where it was removed
    failed = Signal(str)                    # an export went wrong: one sentence

    def __init__(self, parent=None, toolbar=True, histogram=True, readout=True):
        super().__init__(parent)
        self.resize(720, 720)  # where it is a window of its own
        self._array = None
        self._some = np.zeros(0)
        self._step = (1.0, 1.0)
        self._automatic, self._told = True, ""
        self._map = "grey"
        self._pixel_size = None
        self._name = "image"
        self.canvas = Canvas()
        self._layer = self.canvas.add(ImageLayer())
        self._tools = {name: self.canvas.add(tool(self._tool_changed)) for name, tool in _tools.TOOLS.items()}
        self._bar = self.canvas.add(ScaleBar())
        self._bar.has_image = False
        self._corner = self.canvas.add(Corner(self._bar))
        self._plot = None
        self.histogram = Histogram()
        self.readout = QtWidgets.QLabel()
        self.readout.setFont(monospaced())
        self.readout.setObjectName("readout")
        self.readout.setTextInteractionFlags(Qt.TextInteractionFlag.NoTextInteraction)
        self.toolbar = ToolBar(self)
        self.toolbar.add_tools()
        self.toolbar.setVisible(toolbar)
        self._column = QtWidgets.QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(4)
        self._column.addWidget(self.toolbar)
        self._column.addWidget(self.canvas, 1)
        below = QtWidgets.QHBoxLayout()
        below.setSpacing(8)
        below.setContentsMargins(0, 0, 8, 4)
        if histogram:
            below.addWidget(self.histogram, 1)
        if readout:
            below.addWidget(self.readout, 0, Qt.AlignmentFlag.AlignVCenter)
        self._column.addLayout(below)
        self.canvas.stepped.connect(self.stepped)
        self.canvas.moved.connect(self._view_moved)
        self.canvas.pressed.connect(self.pressed)
        self.canvas.pointed.connect(self._point)
        self.canvas.window_dragged.connect(self._drag_window)
        self.histogram.levels_changed.connect(lambda low, high: self.set_levels(low, high))
        self.histogram.automatic.connect(self.auto_levels)
        self.setFocusProxy(self.canvas)
        self.set_tool("")
        self.set_colour_map("grey")
        self._point(None)

    # The image

    def set_image(self, array, fit=False, step=1, levels=None, size=None):
        """Shows an array (rows, columns) of any real type; or colours, (rows, columns, 3 or 4) of uint8. It is kept without a
        copy. NaN and infinities are drawn as black and white, and left out of histogram and percentiles.

        fit     shows all of it; otherwise the view stays where it is, unless the size differs
        step    how far samples lie apart in the coordinates of the view, a number or (x, y): an image of a quarter
                of the size, with step=4, takes the place of the large one
        size    (columns, rows) of the whole image in these coordinates, where its last samples stand for less than a step
        levels  (black, white); otherwise they stay, or are the percentiles of this image where they are automatic

        Raises ValueError for what is no image."""
        array = _levels.plain(array)
        step = (float(step),) * 2 if np.ndim(step) == 0 else tuple(map(float, step))
        self._array, self._step = array, step
        self._corner.note = ""
        self._layer.step = step
        self._layer.set_array(array)
        self._bar.has_image = True
        area = self._layer.rect() if size is None else QtCore.QRectF(0, 0, *size)
        is_new_size = area != self.canvas.area()
        self._some = _levels.sample(array) if array.ndim == 2 else np.zeros(0)
        if levels is not None:
            self._automatic = False
            self._apply_levels(*levels)
        elif self._automatic:
            self._apply_levels(*_levels.percentiles(self._some))
        self.histogram.set_values(self._some)
        if is_new_size:
            self.canvas.set_area(area)
        if fit or (is_new_size and not self.canvas.seen().intersects(self._layer.rect())):
            self.canvas.fit()
        for tool in self._tools.values():
            if tool.points is not None:
                self._tool_changed(tool)
        self._tell_corner()
        self._point(self._pointer)

    def clear(self, note=""):
        """Shows no image, and a note in its place."""
        self._array, self._some = None, np.zeros(0)
        self._layer.set_array(None)
        self._bar.has_image = False
        self._corner.note = note
        self.histogram.set_values(self._some)
        self._tell_corner()
        self._point(None)

    def image(self):
        """The array that is shown, or None."""
        return self._array

    def set_name(self, name):
        """Of the image, without folder and suffix; exports suggest it for their files."""
        self._name = name

    def name(self):
        return self._name

    def set_caption(self, text):
        """A few words in the upper left corner, such as 'before' and 'after'."""
        self._corner.caption = text
        self.canvas.update()

    def set_pixel_size(self, metres):
        """The edge of a sample (of step 1) in metres, or None: lengths are in pixels then."""
        if metres is not None and not (math.isfinite(metres) and metres > 0):
            raise ValueError(f"a pixel size of {metres} m came; wanted a length above 0, or None")
        self._pixel_size = self._bar.pixel_size = metres
        for tool in self._tools.values():
            if tool.points is not None:
                self._tool_changed(tool)
        self.canvas.update()

    def pixel_size(self):
        return self._pixel_size

    def set_scale_bar(self, shown):
        self._bar.shown = shown
        self.canvas.update()

    # Window and level

    def set_levels(self, low, high, told=""):
        """Values that are black and white; automatic levels end. The corner says `told` of them. Raises ValueError for what is
        no window."""
        if not (math.isfinite(low) and math.isfinite(high)):
            raise ValueError(f"levels {low} and {high} came; wanted finite values")
        self._automatic, self._told = False, told
        self._apply_levels(low, high)

    def levels(self):
        """Values that are black and white."""
        return self._layer.levels()

    def auto_levels(self):
        """0.5 and 99.5 % of the values of this image, and of each one that comes."""
        self._automatic = True
        self._apply_levels(*_levels.percentiles(self._some))

    def is_automatic(self):
        return self._automatic

    def _apply_levels(self, low, high):
        was = self._layer.levels()
        self._layer.set_levels(low, high)
        self.histogram.set_levels(*self._layer.levels())
        self._tell_corner()
        if self._layer.levels() != was:
            self.levels_changed.emit(*self._layer.levels())

    def _drag_window(self, right, down, begins):
        if begins:
            self._window = self.levels()
            return
        self.set_levels(*_levels.dragged(self._window, right, down))

    def set_colour_map(self, name):
        """grey, inverted, viridis, ...: see colour_maps(). Raises ValueError for another name."""
        self._layer.set_table(_colours.table(name))
        self._map = name
        self.histogram.set_table(self._layer.table)
        self.toolbar.show_map(name)

    def colour_map(self):
        return self._map

    def colours(self):
        """The table of 256 colours, uint32 as 0xAARRGGBB."""
        return self._layer.table

    @staticmethod
    def colour_maps():
        return list(_colours.NAMES)

    # The view

    def fit(self):
        self.canvas.fit()

    def show_samples(self):
        """One sample as one pixel of the screen."""
        self.canvas.show_part(1 / self.devicePixelRatioF(), self.canvas.centre())

    def scale(self):
        """Pixels of the widget per sample."""
        return self.canvas.scale()

    def show_like(self, other):
        """The same part at the same scale as another ImageView or Canvas."""
        canvas = getattr(other, "canvas", other)
        if canvas.is_fitted():
            self.canvas.fit()
        else:
            self.canvas.show_part(canvas.scale(), canvas.centre())

    def add_overlay(self, layer):
        """Puts a Layer over the image, and returns it."""
        return self.canvas.add(layer)

    def remove_overlay(self, layer):
        self.canvas.remove(layer)

    def _view_moved(self):
        self._tell_corner()
        self.moved.emit()

    def _tell_corner(self):
        if self._array is None or self._array.ndim == 3:
            self._corner.text = ""
        else:
            told = _levels.TOLD if self._automatic else self._told
            self._corner.text = _levels.corner_text(self.levels(), self.canvas.density(), told)
        self.canvas.update()

    # Position and value

    _pointer = None

    def value_at(self, x, y):
        """The sample at a position in edge coordinates, or None outside of the image."""
        if self._array is None:
            return None
        column, row = math.floor(x / self._step[0]), math.floor(y / self._step[1])
        rows, columns = self._array.shape[:2]
        return self._array[row, column] if 0 <= row < rows and 0 <= column < columns else None

    def _point(self, at):
        self._pointer = at
        value = None if at is None else self.value_at(*at)
        rect = self._layer.rect()
        digits = max(len(str(int(max(rect.width(), rect.height())))), 4)
        if value is None:
            text = f"column {'-':>{digits}}  row {'-':>{digits}}  value {'-':<11}"
        else:
            shown = " ".join(map(str, value)) if np.ndim(value) else _levels.text_of(value, 5)
            text = f"column {math.floor(at[0]):>{digits}}  row {math.floor(at[1]):>{digits}}  value {shown:<11}"
        self.readout.setText(text)
        self.pointed.emit(None if value is None else at)

    # Tools

    def set_tool(self, name):
        """'profile', 'length' or 'region' is drawn by the next drag; '' moves the image."""
        if name and name not in self._tools:
            raise ValueError(f"'{name}' is no tool; wanted one of {', '.join(self._tools)}, or ''")
        for key, tool in self._tools.items():
            tool.visible = key == name
        self._tool = name
        self.toolbar.show_tool(name)
        if name == "profile" and self._plot is None:
            from ._plot import ProfilePlot
            self._plot = ProfilePlot()
            self._column.insertWidget(self._column.indexOf(self.canvas) + 1, self._plot)
        self._show_plot()
        self.canvas.update()

    def set_late_plot(self, on):
        """The plot of a profile comes when a line was drawn: for one of several views."""
        self._has_late_plot = on

    _has_late_plot = False

    def _show_plot(self):
        # Before a line is drawn, or after it, so that no drag is disturbed.
        if self._plot is not None:
            line = self._tools["profile"]
            is_wanted = line.points is not None and not line.is_held() if self._has_late_plot and self._plot.isHidden() else (
                line.points is not None or not self._has_late_plot)
            self._plot.setVisible(self._tool == "profile" and is_wanted)

    def tool(self):
        return self._tool

    def measure(self, name, begin, end):
        """Uses a tool from one position (x, y) to another in edge coordinates, as by the mouse; returns what it measures."""
        self.set_tool(name)
        self._tools[name].set_points(begin, end)
        return self._measured

    _measured = None

    def _tool_changed(self, tool):
        self._measured = None
        if tool.points is None or self._array is None or self._array.ndim == 3:
            tool.text = ""
        elif tool.name == "profile":
            length = tool.measure(self._array, self._pixel_size)
            begin, end = ((x / self._step[0], y / self._step[1]) for x, y in tool.pairs())
            distances, values = _tools.profile(self._array, begin, end)
            self._measured = (distances * (length / distances[-1]), values) if distances[-1] else None
        elif tool.name == "region":
            self._measured = tool.measure(self._array, self._step)
        else:
            self._measured = tool.measure(self._array, self._pixel_size)
        if tool.name == "profile" and self._plot is not None:
            self._plot.show_profile(self._measured, self._pixel_size)
            self._show_plot()
        self.measured.emit(tool.name, self._measured)

    def profile_plot(self):
        """The plot of the profile, or None before the tool was used."""
        return self._plot

    # Files

    def to_png(self, path):
        """Writes what is seen of the image as a picture, with its colours, scale bar and measurements: at least one pixel for
        each sample, up to 64 million. It is written beside and renamed. Raises OSError, or ValueError without an image."""
        if self._array is None:
            raise ValueError("there is no image to write")
        part = self.canvas.seen().intersected(self.canvas.area())
        if part.isEmpty():
            part = self.canvas.area()
        scale = max(self.canvas.density(), 1 / min(self._step))
        if scale > 1:
            scale = math.floor(scale)  # so that all samples have the same number of pixels
        scale = min(scale, math.sqrt(MOST_PIXELS / (part.width() * part.height())))
        # Whole samples.
        part = QtCore.QRectF(QtCore.QPointF(math.floor(part.left() + 1e-6), math.floor(part.top() + 1e-6)),
                             QtCore.QPointF(math.ceil(part.right() - 1e-6), math.ceil(part.bottom() - 1e-6)))
        _export.write_picture(path, self.canvas.picture(part, scale))

    def to_tiff(self, path):
        """Writes all samples of the image with their values. Raises OSError, or ValueError without an image."""
        if self._array is None:
            raise ValueError("there is no image to write")
        _export.write_tiff(path, self._array, self._pixel_size and self._pixel_size * self._step[0])

    def export(self):
        """Asks for a name, and writes a picture (.png) or raw values (.tif)."""
        if self._array is None:
            return
        path, _ = QtWidgets.QFileDialog.getSaveFileName(self, "Export image", self._name + ".png",
                                                        "Picture as seen (*.png);;Raw values (*.tif *.tiff)")
        if path:
            self.export_to(path)

    def export_to(self, path):
        """As to_png() or to_tiff(), by the suffix; an error is told by `failed`."""
        try:
            if path.lower().endswith((".tif", ".tiff")):
                self.to_tiff(path)
            elif path.lower().endswith(".png"):
                self.to_png(path)
            else:
                raise ValueError(f"{path}: wanted a name that ends with .png (picture as seen) or .tif (raw values)")
        except (OSError, ValueError) as error:
            self.failed.emit(str(error))
