# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The images of a scan as a film: projections, flats and darks, raw or corrected, and the sinogram of a row."""

import math

import numpy as np
from gsttomo.faces import axis as axis_facts, looks
from gsttomo.widgets import ImageView, Layer
from pyqtgraph.Qt import QtCore, QtGui, QtWidgets

from . import theme
from .flowing import FlowLayout, group
from .states import StateLine
from .scans_strip import Strip

REST = 120    # ms without a movement of the slider until the exact frame is read
FOLLOW = 60   # ms without a movement of the pointer until the sinogram of its row is read
TICK = 80     # ms between two images of the film that plays
FILM, FRAME, FLATS, SINOGRAM = "scan-film", "scan-frame", "scan-flats", "scan-sinogram"


class RowLine(Layer):
    """A row of the image below."""

    exported = False

    def __init__(self, at=None):
        self.at, self.visible = at, False

    def paint(self, painter):
        if self.at is None:
            return
        y = self.canvas.to_widget(QtCore.QPointF(0, self.at + 0.5)).y()
        width = self.canvas.size_of_view().width()
        for colour, wide in ((QtGui.QColor(0, 0, 0, 160), 3), (QtGui.QColor(theme.MARK), 1)):
            painter.setPen(QtGui.QPen(colour, wide))
            painter.drawLine(QtCore.QLineF(0, y, width, y))


class FilmView(QtWidgets.QWidget):
    """state_line tells what is made; shown is (kind, mode, number, whether it is exact) of the picture."""

    def __init__(self, session, parent=None):
        super().__init__(parent)
        self.session = session
        self.kind, self.mode = "projections", "transmission"
        self._wanted = self.mode    # that counts wherever the scan has flats
        self.shown = self.row = self._facts = self._angles = None
        self._film = None           # numbers, images, binning
        self._calibration = {}      # of flats and darks: images, binning
        self._is_held = self._is_old = False
        self.view, self.sinogram = ImageView(), ImageView(toolbar=False, histogram=False)
        self.sinogram.readout.setContentsMargins(2 * theme.SPACE, 0, 0, 0)
        for view in (self.view, self.sinogram):
            view.readout.setMinimumWidth(80)  # cut off where a window is narrow
        self.sinogram.hide()
        self._line, self._view_line = self.view.add_overlay(RowLine()), self.sinogram.add_overlay(RowLine())
        self.slider = QtWidgets.QSlider(QtCore.Qt.Orientation.Horizontal, objectName="frame-slider")
        self.number = QtWidgets.QSpinBox(objectName="frame", keyboardTracking=False)
        self._play = QtWidgets.QPushButton("Play", checkable=True, objectName="play")
        self._kinds = self._choice(looks.KINDS, "kind", self.choose_kind)
        self._modes = self._choice(looks.MODES, "mode", self.choose_mode)
        self._show_sinogram = QtWidgets.QPushButton("Sinogram", checkable=True, objectName="show-sinogram")
        self._export = QtWidgets.QPushButton("Export", objectName="export", toolTip="Write a picture as seen, or raw values")
        self._export.clicked.connect(self.view.export)
        self._show_sinogram.setProperty("small", True)
        self._show_sinogram.setToolTip("Of the row under the pointer; a click holds the row, another one lets it go")
        self.strip, self.state_line = Strip(), StateLine()
        self._lay_out()

        self._rest, self._pointed, self._ticks, self._stale = (QtCore.QTimer(self) for _ in range(4))
        for timer, pause, what in ((self._rest, REST, self._ask_frame), (self._pointed, FOLLOW, self._ask_sinogram),
                                   (self._stale, REST, self.refresh)):
            timer.setSingleShot(True)
            timer.setInterval(pause)
            timer.timeout.connect(what)
        self._ticks.setInterval(TICK)
        self._ticks.timeout.connect(self._tick)
        self._play.toggled.connect(self._toggle_play)
        self.slider.valueChanged.connect(self._slide)
        self.number.valueChanged.connect(self.slider.setValue)
        self.view.stepped.connect(lambda steps: self.slider.setValue(self.slider.value() + steps))
        self.sinogram.stepped.connect(lambda steps: self._show_row((self.row or 0) + steps))
        self.view.pointed.connect(self._point)
        self.view.pressed.connect(self._press)
        self.sinogram.pressed.connect(lambda _, y: self._jump(math.floor(y)))
        self.view.failed.connect(lambda text: session.noted.emit("error", text))
        self._show_sinogram.toggled.connect(self._toggle_sinogram)
        self.strip.chosen.connect(self._choose_thumbnail)
        self.state_line.cancelled.connect(self.forget)
        self._mark()

    def _choice(self, texts, name, chosen):
        group = QtWidgets.QButtonGroup(self)
        buttons = {}
        for key, text in texts.items():
            button = buttons[key] = QtWidgets.QPushButton(text, checkable=True, objectName=f"{name}-{key}")
            button.setProperty("small", True)
            group.addButton(button)
            button.clicked.connect(lambda _=False, key=key: chosen(key))
        return buttons

    def _lay_out(self):
        # The bar of the picture has no room for it beside the lists and the settings.
        next(action for action in self.view.toolbar.actions() if action.text() == "Export").setVisible(False)
        self._export.setProperty("small", True)
        top = FlowLayout(group(*self._kinds.values()), group(*self._modes.values()), self._export, below=theme.SPACE)
        self._split = QtWidgets.QSplitter(QtCore.Qt.Orientation.Vertical, childrenCollapsible=False)
        self.slider.setMinimumWidth(40)
        self._split.addWidget(self.view)
        self._split.addWidget(self.sinogram)
        self._split.setSizes([600, 300])
        below = QtWidgets.QHBoxLayout()
        below.setContentsMargins(2 * theme.SPACE, theme.SPACE, 2 * theme.SPACE, theme.SPACE)
        below.addWidget(self._play)
        below.addWidget(self.slider, 1)
        below.addWidget(self.number)
        below.addWidget(self._show_sinogram)
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(top)
        layout.addWidget(self._split, 1)
        layout.addLayout(below)
        layout.addWidget(self.strip)

    # What is shown

    def show_scan(self):
        """Begins with another scan, whose facts are known."""
        self.clear()
        facts = self._facts = self.session.facts
        self._angles = axis_facts.per_projection(facts, self.session.configuration.values)
        self.view.set_pixel_size(facts.get("pixel-size"))
        self.view.set_name(self.session.scan.rpartition("/")[2].partition(".")[0])
        self.row = axis_facts.middle_row(facts)
        is_scan = facts["kind"] == "scan"
        for kind, button in self._kinds.items():
            button.setVisible(is_scan and (kind == "projections" or facts[kind] > 0))
        for button in (*self._modes.values(), self._show_sinogram, self._play):
            button.setVisible(is_scan)
        self.strip.setVisible(is_scan)
        self.kind = "projections" if is_scan else "sinograms"
        self._choose_mode()
        self._fit_slider()
        self.slider.setValue(0 if is_scan else axis_facts.middle_row(facts))
        self.refresh()
        for kind in ("flats", "flats-after", "darks"):
            if is_scan and facts[kind]:
                self._ask_calibration(kind)

    def clear(self):
        """Nothing is shown of a scan that is not there any more."""
        self._play.setChecked(False)
        for timer in (self._rest, self._pointed, self._stale):
            timer.stop()
        self.shown = self._facts = self._film = self._angles = None
        self._calibration = {}
        self._is_old = False
        self.forget()
        self.strip.clear_all()
        for view in (self.view, self.sinogram):
            view.clear()
        self._line.visible = False
        for widget in (self.slider, self.number):
            blocked = widget.blockSignals(True)
            widget.setMaximum(0)
            widget.blockSignals(blocked)
        self.number.setSuffix("")
        for button in (*self._kinds.values(), *self._modes.values(), self._show_sinogram, self._play):
            button.setEnabled(False)

    def know(self):
        """Other facts of the same images came, such as angles."""
        self._facts = self.session.facts
        self._angles = axis_facts.per_projection(self._facts, self.session.configuration.values)
        if self._film:
            self._put_film()
        if self.shown and self.state_line.state == "done":
            self.state_line.done(self._text())

    def refresh(self):
        """Asks for what is shown now, in the exact way first."""
        self._stale.stop()
        self._is_old = False
        if not self._facts:
            return
        self._ask_frame()
        if self.kind == "projections":
            self._ask_film()
        self._ask_sinogram()

    def change(self, names):
        """Settings have changed; the last images stay until the new ones are there."""
        schema = self.session.configuration.schema
        before = self.mode
        if self._facts:
            self._choose_mode()
        if self.mode != before:
            self.choose_mode(self._wanted)
        elif any(schema[name]["x-section"] in ("scan", "flat-correction", "distortion-correction", "retrieve-phase", "cleaning")
               for name in names) and self.mode != "raw":
            self._film = None
            self._is_old = True
            if self.isVisible():
                self._stale.start()

    def showEvent(self, event):  # noqa: N802
        super().showEvent(event)
        if self._is_old:
            self._stale.start()

    def hideEvent(self, event):  # noqa: N802
        self._play.setChecked(False)
        super().hideEvent(event)

    def forget(self):
        """Nothing more is wanted."""
        for channel in (FILM, FRAME, SINOGRAM):
            self.session.pictures.forget(channel)
        for kind in ("flats", "flats-after", "darks"):
            self.session.flow_pictures.forget(f"{FLATS}-{kind}")
        self.state_line.done(self._text() if self.shown else "")

    def choose_kind(self, kind):
        self.kind = kind
        self._mark()
        self._fit_slider()
        self.view.auto_levels()
        self._slide(self.slider.value())

    def choose_mode(self, mode):
        self._wanted, self._film = mode, None
        self._choose_mode()
        self.view.auto_levels()
        self.sinogram.auto_levels()
        self.refresh()

    def _choose_mode(self):
        """That is wanted, where it has a meaning."""
        self.mode = self._wanted if self._wanted in looks.modes(self.session.configuration, self._facts) else "raw"
        self._mark()

    def show_thumbnail(self, kind, number):
        if kind != self.kind:
            self.choose_kind(kind)
        self.slider.setValue(number)

    _choose_thumbnail = show_thumbnail

    def _mark(self):
        is_raw = self.kind not in ("projections", "sinograms")  # flats and darks always are
        for buttons, key in ((self._kinds, self.kind), (self._modes, "raw" if is_raw else self.mode)):
            for name, button in buttons.items():
                button.setChecked(name == key)
        is_view = self.kind in ("projections", "sinograms")
        known = looks.modes(self.session.configuration, self._facts) if self._facts else ()
        for name, button in self._modes.items():
            button.setEnabled(self.kind == "projections" and name in known)
            button.setToolTip("" if name in known else "The scan has no flats: its values are shown as they are")
        self._play.setEnabled(self.kind == "projections" and bool(known))
        for button in (*self._kinds.values(), self._show_sinogram):
            button.setEnabled(bool(known))
        self._line.visible = self._show_sinogram.isChecked() and is_view

    def _fit_slider(self):
        facts = self._facts
        most = (facts["height"] if self.kind == "sinograms" else facts[self.kind]) - 1
        for widget in (self.slider, self.number):
            blocked = widget.blockSignals(True)
            widget.setMaximum(max(0, most))
            widget.blockSignals(blocked)
        self.number.setSuffix(f" of 0 … {max(0, most)}")

    def _slide(self, number):
        self.number.setValue(number)
        self._view_line.at = number
        self.sinogram.canvas.update()
        if self.kind in ("flats", "flats-after", "darks"):
            self._show_calibration()
            return
        if self._film and self.kind == "projections" and self.shown != ("projections", self.mode, number, True):
            numbers, images, binning = self._film
            nearest = int(np.argmin(np.abs(numbers - number)))
            self._show(images[nearest], binning, int(numbers[nearest]), binning == 1 and int(numbers[nearest]) == number)
            if self.shown[3]:
                self._rest.stop()
                self.session.pictures.forget(FRAME)
                return
        if not self._ticks.isActive() and self._facts:
            self._rest.start()

    def _show(self, image, binning, number, is_exact):
        facts = self._facts
        self.view.set_image(image, step=binning, size=(facts["width"], facts["height"]) if binning > 1 else None)
        self.shown = (self.kind, self.mode, number, is_exact)
        self.state_line.done(self._text())

    def _text(self):
        kind, mode, number, is_exact = self.shown
        return looks.caption(self._facts, self.session.configuration.values, kind, mode, number, is_exact)

    # Projections

    def _ask_frame(self):
        self._rest.stop()
        if self.kind not in ("projections", "sinograms") or not self._facts:
            return
        number, mode = self.slider.value(), self.mode
        if self.shown is None:
            self.state_line.working("The first image is read")
        description = (looks.projections(self.session.configuration, self._facts, mode, number) if self.kind == "projections"
                       else looks.sinogram(self.session.configuration, self._facts, mode, number))
        kind = self.kind

        def show(images, _):
            if (kind, mode) == (self.kind, self.mode):
                self._show(images[0], 1, number, True)
        self.session.pictures.ask(FRAME, description, show, self._fail)

    def _ask_film(self):
        facts = self._facts
        frames, step, binning = looks.film(facts)
        numbers = np.arange(frames) * step

        def keep(images, _):
            if facts["projections"] != self._facts["projections"]:
                return
            self._film = numbers[:len(images)], images, binning
            self._put_film()
        self.session.pictures.ask(FILM, looks.projections(self.session.configuration, facts, self.mode, 0, frames, step, binning), keep, self._fail)

    def _put_film(self):
        self.strip.put("projections", *self._film[:2], lambda number: looks.angle_text(self._angles, number) or str(number))

    def _tick(self):
        if not self._film:
            return
        numbers = self._film[0]
        later = numbers[numbers > self.slider.value()]
        self.slider.setValue(int(later[0] if len(later) else numbers[0]))

    def _toggle_play(self, is_on):
        self._play.setText("Stop" if is_on else "Play")
        if is_on:
            self._ticks.start()
        else:
            self._ticks.stop()
            if self._facts:
                self._rest.start()

    # Flats and darks

    def _ask_calibration(self, kind):
        binning = looks.calibration_binning(self._facts, kind)
        scan = self.session.scan

        def keep(images, _):
            if self.session.scan != scan or not self._facts:
                return
            self._calibration[kind] = (images if binning == 1 else images / np.float32(binning ** 2)), binning
            self.strip.put(kind, np.arange(len(images)), self._calibration[kind][0], lambda number: looks.KINDS[kind])
            if self.kind == kind:
                self._show_calibration()
        self.session.flow_pictures.ask(f"{FLATS}-{kind}", looks.calibration(self.session.configuration, kind, binning), keep, self._fail)

    def _show_calibration(self):
        if self.kind in self._calibration:
            images, binning = self._calibration[self.kind]
            number = min(self.slider.value(), len(images) - 1)
            self._show(images[number], binning, number, binning == 1)

    # The sinogram

    def _toggle_sinogram(self, is_on):
        self.sinogram.setVisible(is_on)
        self._mark()
        self.view.canvas.update()
        self._ask_sinogram()

    def _point(self, at):
        if at is not None and not self._is_held and self._show_sinogram.isChecked() and self.kind == "projections":
            self._show_row(math.floor(at[1]))

    def _press(self, _x, y):
        if self._show_sinogram.isChecked() and self.kind == "projections":
            self._is_held = not self._is_held
            self._show_row(math.floor(y))

    def _jump(self, view):
        """To the projection that a click into the sinogram means."""
        if self.kind == "projections":
            self.slider.setValue(view)

    def _show_row(self, row):
        if not self._facts:
            return
        row = min(max(0, row), self._facts["height"] - 1)
        if row != self.row:
            self.row = row
            self._pointed.start()

    def _ask_sinogram(self):
        self._line.at = self.row
        self.view.canvas.update()
        if not (self._show_sinogram.isChecked() and self._facts and self._facts["kind"] == "scan"):
            return
        row, mode = self.row, self.mode

        def show(images, _):
            self.sinogram.set_image(images[0])
            self.sinogram.set_caption(f"Sinogram of row {row}{', held' if self._is_held else ''}")
            self._view_line.at, self._view_line.visible = self.slider.value(), True
        self.session.pictures.ask(SINOGRAM, looks.sinogram(self.session.configuration, self._facts, mode, row), show, self._fail)

    def _fail(self, text):
        self.state_line.failed(text, has_log=False)
        self.session.noted.emit("error", text)
