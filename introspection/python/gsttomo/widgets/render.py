# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A volume in perspective."""

import numpy as np

from . import _colours, _export, _levels
from ._bar import Bar
from ._pane import levels_of
from ._qt import QtCore, QtGui, QtWidgets, Qt, Signal
from ._range import RangeSlider
from ._raycaster import RayCaster, Scene
from ._stage import Stage
from .histogram import Histogram
from .loader import Loader

MOST = 256 ** 3     # samples of the texture
SETTLED = 200       # ms without a movement, after which the final picture is drawn
FINER, WHOLE = "Reads what the sliders leave at a higher resolution", "Reads all of the volume again"
MODES = ("maximum", "transfer")


class VolumeView(QtWidgets.QWidget):
    """A Volume as it looks from outside: the maximum along each ray, or colours and opacities of a transfer function.

    Drag turns, wheel zooms, Shift+drag or the middle button moves, right drag changes window and level, a double click resets.
    Three sliders cut from six sides; 'Finer' reads what is left at a higher resolution. It needs OpenGL 3.3, which a program
    draws too where there is no graphics card; without it a sentence stands in its place."""

    levels_changed = Signal(float, float)
    drawn = Signal(bool)   # a picture has come; whether it is the final one
    failed = Signal(str)

    def __init__(self, parent=None, loader=None):
        super().__init__(parent)
        self.resize(900, 760)  # where it is a window of its own
        self._loader = loader or Loader(self)
        self._volume = self._samples = None
        self._region = None   # of the finest level that the texture holds: (begin, end), each (z, y, x)
        self._mode, self._map = "maximum", "grey"
        self._levels, self._automatic, self._some = (0.0, 1.0), True, np.zeros(0)
        self._caster = None
        self._error = ""
        self.stage = Stage()
        self.histogram = Histogram()
        self._build()
        self._settle = QtCore.QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(SETTLED)
        self._settle.timeout.connect(lambda: self._draw(True))
        self.stage.changed.connect(self._moved)
        self.stage.window_dragged.connect(self._drag_window)
        self.histogram.levels_changed.connect(self.set_levels)
        self.histogram.automatic.connect(self.auto_levels)
        self.setFocusProxy(self.stage)
        self.set_mode("maximum")
        self.set_colour_map("grey")
        self._say_reads()

    def _build(self):
        bar = self.toolbar = Bar(self)
        self._modes = bar.add_choices({"maximum": ("Maximum", "The largest value along each ray"),
                                       "transfer": ("Transfer function", "Colours and opacities")}, self.set_mode)
        bar.addSeparator()
        self._rays = bar.add_choices({True: ("Perspective", "Rays from an eye"),
                                      False: ("Parallel", "Parallel rays: lengths can be compared")}, self.set_perspective)
        bar.addSeparator()
        self._maps = bar.add_maps(self.set_colour_map)
        self.opacity = QtWidgets.QSlider(Qt.Orientation.Horizontal)
        self.opacity.setRange(1, 100)
        self.opacity.setValue(50)
        self.opacity.setFixedWidth(80)
        self.opacity.setAccessibleName("Opacity of white")
        self.opacity.setToolTip("Opacity of a sample that is white; black is clear")
        self.opacity.valueChanged.connect(lambda _: self._moved())
        bar.addWidget(self.opacity)
        bar.add_button("Auto", "Black and white from 0.5 to 99.5 % of the values", self.auto_levels)
        bar.add_button("Reset", "The first view (double click, 0)", self.stage.reset)
        self.finer = bar.add_button("Finer", FINER, self.read_finer)
        self.whole = bar.add_button("Whole", WHOLE, self.read_whole)
        bar.add_button("Export", "Write the picture", self.export)
        self._set_rays(True)
        below = QtWidgets.QHBoxLayout()
        below.setContentsMargins(0, 0, 8, 4)
        below.setSpacing(12)
        below.addWidget(self.histogram, 1)
        grid = QtWidgets.QGridLayout()
        grid.setSpacing(2)
        self.clips, self._clip_texts = [], []
        for i, name in enumerate("xyz"):
            clip = RangeSlider()
            clip.setAccessibleName(f"Part along {name}")
            clip.setToolTip(f"The part along {name} that is shown")
            clip.changed.connect(self._clipped)
            text = QtWidgets.QLabel()
            text.setMinimumWidth(text.fontMetrics().horizontalAdvance("00000 - 00000"))
            grid.addWidget(QtWidgets.QLabel(name), i, 0)
            grid.addWidget(clip, i, 1)
            grid.addWidget(text, i, 2)
            self.clips.append(clip)
            self._clip_texts.append(text)
        below.addLayout(grid, 1)
        column = QtWidgets.QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(bar)
        column.addWidget(self.stage, 1)
        column.addLayout(below)

    # The volume

    def set_volume(self, volume, keep=False):
        """A Volume, an array (z, y, x), or None. With `keep` cuts and levels stay, for another volume of the same size."""
        if isinstance(volume, np.ndarray):
            from .volume import Volume
            volume = Volume(volume)
        self._loader.forget(self._channel)
        keep = keep and None not in (volume, self._volume) and volume.shape == self._volume.shape
        self._volume, self._samples, self._region, self._some = volume, None, None, np.zeros(0)
        self.stage.clear()
        self.histogram.set_values(self._some)
        self._automatic = self._automatic or not keep
        if volume is None:
            self.stage.note = self._error
        else:
            for clip, size in zip(self.clips, reversed(volume.shape)) if not keep else ():
                clip.set_most(size)
            self._read_when_seen()
        self._say_reads()
        self._say_clips()

    def showEvent(self, event):
        self._read_when_seen()

    def _read_when_seen(self):
        if self._volume is not None and self._samples is None and self.isVisible():
            self._read((0, 0, 0), self._volume.shape)

    @property
    def _channel(self):
        return "volume", id(self)

    def volume(self):
        return self._volume

    def _read(self, begin, end):
        volume = self._volume
        if not self._error:
            self.stage.note = "" if self._samples is not None else "Reading the volume"
            self.stage.update()
        self._loader.ask(self._channel, lambda stop: (_plain(volume.part(begin, end, MOST, stop)), begin, end),
                         lambda result: self._take(volume, *result), self._fail, stoppable=True)

    def _take(self, volume, samples, begin, end):
        if volume is not self._volume:
            return
        self._samples, self._region = samples, (tuple(begin), tuple(end))
        self._some = _levels.sample(samples)
        self.histogram.set_values(self._some)
        self.stage.sides = tuple(b - a for a, b in zip(reversed(begin), reversed(end)))
        self.stage.fit_first()
        self._say_reads()
        self._set_clip()
        if self._caster is None and not self._error:
            self._start()
        if self._caster is not None:
            self._caster.show_volume(samples, self.stage.sides)
        if self._automatic:
            self.auto_levels()
        if not self._error:
            self.stage.note = ""
        self._moved()

    def _say_reads(self):
        """What can be read at another resolution, and why it can't."""
        is_known = self._samples is not None
        is_coarse = is_known and any(have < size for have, size in zip(self._samples.shape, self.stage.sides[::-1]))
        is_part = is_known and self._region != ((0, 0, 0), tuple(self._volume.shape))
        for action, serves, tip, why in ((self.finer, is_coarse, FINER, "every sample of the file is drawn already"),
                                         (self.whole, is_part, WHOLE, "it is shown already")):
            action.setEnabled(serves)
            action.setToolTip(tip if serves else f"{tip}: {why if is_known else 'no volume is shown'}")

    def _start(self):
        self._caster = RayCaster(self)
        self._caster.drawn.connect(self._show)
        self._caster.failed.connect(self._fail_to_draw)
        self._caster.start()

    def _fail(self, text):
        self.stage.note = text
        self.stage.update()
        self.failed.emit(text)

    def _fail_to_draw(self, text):
        self._error = text
        self.stage.clear()
        self._fail(text)

    def read_finer(self):
        """Reads the part that the sliders leave, at the finest resolution that fits the texture."""
        if self._volume is not None:
            (x0, x1), (y0, y1), (z0, z1) = (clip.values() for clip in self.clips)
            self._read((z0, y0, x0), (z1, y1, x1))

    def read_whole(self):
        """Shows all of the volume again."""
        if self._volume is not None:
            for clip, size in zip(self.clips, reversed(self._volume.shape)):
                clip.set_most(size)
            self._say_clips()
            self._read((0, 0, 0), self._volume.shape)

    def texture_shape(self):
        """Of the samples that are drawn, (z, y, x); None before they are there."""
        return None if self._samples is None else self._samples.shape

    # What is shown of it, and how

    def set_region(self, begin, end):
        """Cuts from six sides: what lies from `begin` to `end` stays, both (z, y, x) of the finest level."""
        for clip, first, last in zip(self.clips, reversed(begin), reversed(end)):
            clip.set_values(first, last)
        self._clipped()

    def region(self):
        """(begin, end), each (z, y, x)."""
        values = [clip.values() for clip in reversed(self.clips)]
        return tuple(first for first, _ in values), tuple(last for _, last in values)

    def _clipped(self, *_):
        self._say_clips()
        self._set_clip()
        self._moved()

    def _set_clip(self):
        if self._region is None:
            return
        begin, end = (tuple(reversed(each)) for each in self._region)
        parts = [[(value - first) / (last - first) for value in clip.values()] for clip, first, last in zip(self.clips, begin, end)]
        self.stage.low = tuple(min(max(low, 0.0), 1.0) for low, _ in parts)
        self.stage.high = tuple(min(max(high, 0.0), 1.0) for _, high in parts)

    def _say_clips(self):
        for clip, text in zip(self.clips, self._clip_texts):
            text.setText("" if self._volume is None else "{} - {}".format(*clip.values()))
            clip.setEnabled(self._volume is not None)

    def set_mode(self, mode):
        """'maximum', or 'transfer' for colours and opacities."""
        if mode not in MODES:
            raise ValueError(f"'{mode}' came; wanted one of {', '.join(MODES)}")
        self._mode = mode
        self.toolbar.show_choice(self._modes, mode)
        self.opacity.setEnabled(mode == "transfer")
        self._moved()

    def mode(self):
        return self._mode

    def set_perspective(self, on):
        """Rays from an eye, or parallel ones."""
        self._set_rays(bool(on))
        self.stage.fit_first()
        self._moved()

    def _set_rays(self, on):
        self.stage.perspective = on
        self.toolbar.show_choice(self._rays, on)

    def set_view(self, turn=None, zoom=None, pan=None):
        """The rotation from (x right, y up, z to the viewer) as a matrix, the magnification, and what lies in the middle."""
        self.stage.touch()
        self.stage.turn = self.stage.turn if turn is None else np.asarray(turn, float)
        self.stage.zoom = self.stage.zoom if zoom is None else float(zoom)
        self.stage.pan = self.stage.pan if pan is None else tuple(pan)
        self._moved()

    def set_colour_map(self, name):
        self._table = _colours.table(name)
        self._map = name
        self._maps.setCurrentText(name)
        self.histogram.set_table(self._table)
        self._moved()

    def colour_map(self):
        return self._map

    def set_levels(self, low, high):
        """Values that are black (and clear) and white (and opaque)."""
        self._automatic = False
        self._apply(low, high)

    def levels(self):
        return self._levels

    def auto_levels(self):
        self._automatic = True
        self._apply(*levels_of(self._some))

    def _apply(self, low, high):
        self._levels = _levels.wide(float(low), float(high))
        self.histogram.set_levels(*self._levels)
        self.levels_changed.emit(*self._levels)
        self._moved()

    def _drag_window(self, right, down, begins):
        if begins:
            self._window = self._levels
        else:
            self.set_levels(*_levels.dragged(self._window, right, down))

    # Drawing

    def scene(self, is_final=True):
        """What is drawn now."""
        stage, ratio = self.stage, self.devicePixelRatioF()
        rgb = np.stack([self._table >> 16 & 255, self._table >> 8 & 255, self._table & 255], 1)
        ramp = np.arange(256) / 255 * self.opacity.value() / 100
        table = np.column_stack([rgb, np.round(255 * ramp ** 1.5)]).astype(np.uint8).tobytes()
        width, height = (max(1, round(size * ratio)) for size in (stage.width(), stage.height()))
        return Scene(width, height, tuple(map(tuple, stage.turn)), stage.zoom, stage.pan,
                     stage.perspective, stage.low, stage.high, MODES.index(self._mode), self._levels, table, is_final)

    def _moved(self):
        self.stage.update()
        if self._caster is not None and self._samples is not None:
            self._draw(False)
            self._settle.start()

    def _draw(self, is_final):
        if self._caster is not None and self._samples is not None:
            self._caster.show_scene(self.scene(is_final))

    def _show(self, picture, scene):
        if self._samples is not None and self._caster is not None:
            self.stage.show_picture(picture, scene)
            self.drawn.emit(scene.is_final)

    def seconds(self):
        """That the last final picture took."""
        return self._caster.seconds if self._caster is not None else 0.0

    def error(self):
        """Why nothing can be drawn, or ''."""
        return self._error

    def to_png(self, path):
        """Writes what is seen. Raises OSError, or ValueError without a picture."""
        if self.stage.picture() is None:
            raise ValueError("there is no picture to write")
        ratio = self.devicePixelRatioF()
        picture = QtGui.QImage(round(self.stage.width() * ratio), round(self.stage.height() * ratio), QtGui.QImage.Format.Format_RGB32)
        picture.setDevicePixelRatio(ratio)
        painter = QtGui.QPainter(picture)
        self.stage.paint(painter)
        painter.end()
        _export.write_picture(path, picture)

    def export(self):
        """Asks for a name, and writes the picture."""
        if self.stage.picture() is None:
            return
        name = self._volume.name.partition(".")[0] + "-volume.png"
        path, _ = QtWidgets.QFileDialog.getSaveFileName(self, "Export picture", name, "Picture as seen (*.png)")
        if path:
            try:
                self.to_png(path)
            except OSError as error:
                self.failed.emit(str(error))

    def close_threads(self):
        """Ends the threads that read and draw."""
        self._loader.close()
        if self._caster is not None:
            self._caster.close()
            self._caster = None


def _plain(samples):
    return np.abs(samples) if samples.dtype.kind == "c" else samples.view(np.uint8) if samples.dtype.kind == "b" else samples
