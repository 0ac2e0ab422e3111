# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The place Live: slices of a camera while the sample turns."""

import os
import pathlib
import time

import gi
import numpy as np
from gsttomo.faces import live as faces
from gsttomo.faces.names import free_name
from gsttomo.widgets import _levels as shades
from gsttomo.widgets.histogram import Histogram
from pyqtgraph.Qt import QtCore, QtWidgets

from . import theme
from .configuration import Configuration
from .form import ParameterForm
from .live_planes import Panes
from .live_process import LiveProcess
from .states import EmptyPage, StateLine, next_button

gi.require_version("Gst", "1.0")
gi.require_version("GstTomo", "1.0")
from gi.repository import Gst, GstTomo  # noqa: E402

CALM = 300  # ms without a drag after which a grey range is a setting


class LivePlace(QtWidgets.QWidget):
    title = "Live"

    def __init__(self, session, parent=None):
        super().__init__(parent)
        self.session = session
        self.configuration = Configuration(self, GstTomo.Live)
        self.process = LiveProcess(self)
        self._sources = {one.title: one for one in faces.sources(lambda name: Gst.ElementFactory.find(name) is not None)}
        self._some = {}      # values of each plane, for the histogram
        self._quiet = False  # while a value is set that the process knows
        self._planes = None
        self._build()
        process, configuration = self.process, self.configuration
        process.changed.connect(self._show_course)
        process.sliced.connect(self._show_slice)
        process.framed.connect(lambda event, array: self.panes.show_frame(event, array))
        process.projected.connect(lambda event, array: self.panes.show_maximum(event, array))
        process.planes_changed.connect(self._take_planes)
        process.told.connect(session.noted)
        process.refused.connect(self._refuse)
        configuration.changed.connect(self._set)
        panes = self.panes
        panes.plane_moved.connect(lambda index, offset: process.tell(command="move", index=index, offset=offset))
        panes.plane_stepped.connect(lambda index, pixels: process.tell(command="move", index=index, pixels=pixels))
        panes.plane_entered.connect(self._enter_plane)
        panes.plane_removed.connect(self._remove_plane)
        panes.axis_moved.connect(lambda axis: self.configuration.update({"axis": round(axis, 1)}))
        panes.levels_moved.connect(self._drag_levels)
        self._show_course()

    def _build(self):
        self.source = QtWidgets.QComboBox(editable=True, objectName="live-source")
        self.source.addItems(self._sources)
        self.source.setCurrentIndex(-1)
        self.source.lineEdit().setPlaceholderText("A camera, elements of GStreamer, or a scan")
        self.source.setAccessibleName("Source")
        self.source.setToolTip("A camera of the list; elements of GStreamer that end with grey images; or the name of a scan, which is played")
        self.source.setSizePolicy(QtWidgets.QSizePolicy.Policy.Expanding, QtWidgets.QSizePolicy.Policy.Fixed)
        scan = QtWidgets.QToolButton(text="…", autoRaise=True)
        scan.setAccessibleName("Choose a scan")
        scan.setToolTip("Choose a scan that is played")
        scan.clicked.connect(self._choose_scan)
        self.start_button = next_button(faces.START)
        self.start_button.setObjectName("live-start")
        self.start_button.clicked.connect(lambda: self.start())
        self.stop_button = QtWidgets.QPushButton(faces.STOP, objectName="live-stop")
        self.stop_button.clicked.connect(self.process.stop)
        self.pause_button = QtWidgets.QPushButton(faces.PAUSE, objectName="live-pause")
        self.pause_button.clicked.connect(lambda: self.process.tell(command="resume" if self.process.course.state == "paused" else "pause"))
        top = QtWidgets.QHBoxLayout()
        top.setContentsMargins(2 * theme.SPACE, theme.SPACE, 2 * theme.SPACE, theme.SPACE)
        top.setSpacing(theme.SPACE)
        for widget in (QtWidgets.QLabel("Source"), self.source, scan, self.start_button, self.pause_button, self.stop_button):
            top.addWidget(widget, 1 if widget is self.source else 0)

        self.panes = Panes()
        self.histogram = Histogram()
        self.histogram.set_table(self.panes.frame.view.colours())
        self.histogram.setMaximumHeight(56)
        self.histogram.levels_changed.connect(self._drag_levels)
        self.histogram.automatic.connect(lambda: self.configuration.update({"minimum": None, "maximum": None}))
        self.state = StateLine()
        self.state.setObjectName("live-state")
        self.state.log_wanted.connect(self.session.log_wanted)
        numbers = QtWidgets.QHBoxLayout()
        numbers.setContentsMargins(2 * theme.SPACE, 0, 2 * theme.SPACE, theme.SPACE)
        numbers.setSpacing(theme.SPACE)
        self._numbers = {}
        for name, _ in self.process.course.numbers():
            label = QtWidgets.QLabel(name)
            theme.mark(label, "faint", True)
            value = self._numbers[name] = QtWidgets.QLabel("-", objectName=f"live-{name.lower().replace(' ', '-')}")
            value.setMinimumWidth(40)
            numbers.addWidget(label)
            numbers.addWidget(value)
        numbers.addStretch(1)
        left = QtWidgets.QWidget()
        column = QtWidgets.QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.panes, 1)
        column.addSpacing(theme.SPACE)
        column.addWidget(self.histogram)
        column.addWidget(self.state)
        column.addLayout(numbers)

        split = QtWidgets.QSplitter(QtCore.Qt.Orientation.Horizontal, childrenCollapsible=False)
        split.addWidget(left)
        split.addWidget(self._side())
        split.setStretchFactor(0, 1)
        split.setSizes([860, 340])
        work = QtWidgets.QWidget()
        rows = QtWidgets.QVBoxLayout(work)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(0)
        rows.addWidget(split, 1)
        demo = next_button(faces.DEMO_BUTTON)
        demo.setObjectName("live-demo")
        demo.clicked.connect(lambda: self.start(faces.DEMO.title))
        self._pages = QtWidgets.QStackedWidget()
        self._pages.addWidget(EmptyPage(faces.EMPTY, demo))
        self._pages.addWidget(work)
        whole = QtWidgets.QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addLayout(top)
        whole.addWidget(self._pages, 1)
        self._calm = QtCore.QTimer(self, singleShot=True, interval=CALM)
        self._calm.timeout.connect(self._take_levels)

    def _side(self):
        """Commands, and the parameters."""
        side = QtWidgets.QWidget()
        side.setMinimumWidth(280)
        column = QtWidgets.QVBoxLayout(side)
        column.setContentsMargins(0, theme.SPACE, 0, 0)
        column.setSpacing(theme.SPACE)
        self.count = QtWidgets.QSpinBox(minimum=1, maximum=10000, value=faces.FIELDS, objectName="live-count")
        self.count.setToolTip("Frames that are taken")
        self.count.setAccessibleName("Frames for darks and flats")
        self.darks = QtWidgets.QPushButton(faces.TAKE["darks"], objectName="live-darks")
        self.darks.setToolTip("The next frames are darks: close the beam first")
        self.flats = QtWidgets.QPushButton(faces.TAKE["flats"], objectName="live-flats")
        self.flats.setToolTip("The next frames are flats: take the sample out of the beam first")
        for button, kind in ((self.darks, "darks"), (self.flats, "flats")):
            button.clicked.connect(lambda _=False, kind=kind: self._take_fields(kind))
        self.seconds = QtWidgets.QDoubleSpinBox(minimum=0, maximum=1e6, decimals=1, value=faces.KEEP_SECONDS, objectName="live-seconds")
        self.seconds.setSuffix(" s")
        self.seconds.setToolTip("Of the past that is kept as well")
        self.seconds.setAccessibleName("Seconds of the past")
        self.keep_button = QtWidgets.QPushButton(faces.KEEP, objectName="live-keep")
        self.keep_button.setToolTip("Writes the frames of the last seconds and all that follow to a file that tomo-reconstruct takes")
        self.keep_button.clicked.connect(self._keep)
        self.path = QtWidgets.QLineEdit(objectName="live-path")
        self.path.setPlaceholderText("live-DATE-TIME.h5")
        self.path.setAccessibleName("File of the frames")
        self.path.setToolTip("File that the frames go to; without: one with date and time in its name")
        self.add_button = QtWidgets.QPushButton("Add plane", objectName="live-add")
        self.add_button.clicked.connect(lambda: self._add_plane("z=0"))
        self.volume_button = QtWidgets.QPushButton(faces.SHOW_VOLUME, objectName="live-volume")
        self.volume_button.setToolTip("The largest values of a coarse volume, in which the planes are lines; volume-size and volume-rate are among the settings")
        self.volume_button.clicked.connect(lambda: self.configuration.update({"volume-rate": None if self._has_volume() else faces.VOLUME_RATE}))
        grid = QtWidgets.QGridLayout()
        grid.setContentsMargins(2 * theme.SPACE, 0, 2 * theme.SPACE, 0)
        grid.setSpacing(theme.SPACE)
        for row, widgets in enumerate(((self.darks, self.flats, self.count), (self.add_button, self.volume_button), (self.keep_button, self.seconds))):
            for at, widget in enumerate(widgets):
                grid.addWidget(widget, row, at)
        grid.addWidget(self.path, 3, 0, 1, 3)
        for at, stretch in enumerate((3, 3, 2)):
            grid.setColumnStretch(at, stretch)
        self.form = ParameterForm(self.configuration, titles=faces.TITLES, without=faces.NOT_IN_FORM, unfolded=faces.OPEN)
        column.addLayout(grid)
        column.addWidget(self.form, 1)
        return side

    def shown(self):
        pass

    def close_place(self):
        self.process.close()

    # A run

    def start(self, source=None):
        """Begins with a source: a title of the list, elements, or a scan. Without one with that of the field."""
        text = (source or self.source.currentText()).strip()
        if not text:
            self.state.failed("there is no source: choose a camera, or a scan", has_log=False)
            self._pages.setCurrentIndex(1)
            return
        self.source.setEditText(text)
        chosen = self._sources.get(text)
        if chosen:
            self._quiet = True
            self.configuration.update(chosen.values)
            self._quiet = False
        values = {**self.configuration.values, "source": chosen.description if chosen else text}
        if self._planes:
            values["planes"] = ";".join(self._planes)
        self.panes.clear()
        self._some.clear()
        self.process.start(values)

    def begin(self, name):
        """The source of a command line: the name of one of the list, elements, or a scan; "" starts nothing."""
        if name:
            self.start(next((one.title for one in self._sources.values() if one.name == name), name))

    def _choose_scan(self):
        name, _ = QtWidgets.QFileDialog.getOpenFileName(self, "A scan that is played", "", "Scans (*.nxs *.h5 *.hdf5 *.hdf *.nx);;All files (*)")
        if name:
            self.source.setEditText(name)

    def _keep(self):
        if self.process.course.is_keeping:
            self.process.tell(command="stop-keeping")
            return
        path = self.path.text().strip() or os.path.join(_folder(), time.strftime("live-%Y%m%d-%H%M%S.h5"))
        self.process.tell(command="keep", seconds=self.seconds.value(), path=free_name(os.path.abspath(os.path.expanduser(path))))

    def _take_fields(self, kind):
        if self.process.course.taking == kind:
            self.process.tell(command="cancel-fields")
        else:
            self.process.tell(command=kind, count=self.count.value())

    def _show_course(self):
        course = self.process.course
        if course.state != "empty":
            self._pages.setCurrentIndex(1)
        is_on = course.is_on
        self.start_button.setVisible(not is_on)
        self.source.setEnabled(not is_on)
        for button in (self.pause_button, self.stop_button):
            button.setVisible(is_on)
        for button in (self.keep_button, self.add_button):
            button.setEnabled(is_on)
        for button, kind in ((self.darks, "darks"), (self.flats, "flats")):
            button.setEnabled(is_on and course.taking in ("", kind))
            button.setText((faces.CANCEL if is_on and course.taking == kind else faces.TAKE)[kind])
        self.pause_button.setText(faces.RESUME if course.state == "paused" else faces.PAUSE)
        self.keep_button.setText(faces.STOP_KEEPING if course.is_keeping else faces.KEEP)
        if course.state == "working":
            self.state.working(course.text, can_cancel=False)
        elif course.state == "failed":
            self.state.failed(course.text)
        else:
            self.state.done(course.text)
        if is_on and course.tone:
            self.state.set_tone(course.tone)
        for name, text in course.numbers():
            self._numbers[name].setText(text)
        theme.mark(self._numbers["Lost"], "tone", "warning" if course.progress.get("lost") else "")
        theme.mark(self._numbers["Left out"], "tone", "warning" if course.progress.get("dropped") else "")

    # Slices

    def _show_slice(self, event, array):
        self.panes.show_slice(event, array)
        self._some[event["index"]] = shades.sample(array, shades.MOST // 16)
        if not self.isVisible():
            return
        some = self._all_values()
        self.histogram.set_values(some)
        self.histogram.set_levels(*(self._levels() or shades.percentiles(some)))

    def _all_values(self):
        return np.concatenate(list(self._some.values()))

    def _levels(self):
        """Black and white of the settings; None where they are automatic. One of them alone leaves the other to the values."""
        values = self.configuration.values
        if not {"minimum", "maximum"} & values.keys():
            return None
        low, high = shades.percentiles(self._all_values()) if self._some else (0.0, 1.0)
        return shades.wide(values.get("minimum", low), values.get("maximum", high))

    def _drag_levels(self, low, high):
        self._dragged = low, high
        self.panes.set_levels((low, high))
        self.histogram.set_levels(low, high)
        self._calm.start()

    def _take_levels(self):
        low, high = (float(f"{value:.6g}") for value in self._dragged)
        self.configuration.update({"minimum": low, "maximum": high})

    # Planes and settings

    def _take_planes(self, planes):
        for number in [number for number in self._some if number >= len(planes)]:
            del self._some[number]
        self._planes = planes
        self.panes.set_planes(planes)

    def _enter_plane(self, index, text):
        self.process.tell(command="plane", index=index, plane=text)

    def _add_plane(self, text):
        self.process.tell(command="add-plane", plane=text)

    def _remove_plane(self, index):
        self.process.tell(command="remove-plane", index=index)

    def _set(self, names):
        """Tells the process of parameters that have another value."""
        if "volume-rate" in names:
            self.panes.set_volume(self._has_volume())
            self.volume_button.setText(faces.HIDE_VOLUME if self._has_volume() else faces.SHOW_VOLUME)
        if names & set(faces.FACE_ONLY):
            levels = self._levels()
            self.panes.set_levels(levels)
            if self._some:
                self.histogram.set_levels(*(levels or shades.percentiles(self._all_values())))
        if self._quiet or not self.process.course.is_on:
            return
        values = self.configuration.values
        for name in sorted(names - set(faces.FACE_ONLY)):
            self.process.tell(command="set", name=name, value=values.get(name))

    def _has_volume(self):
        return self.configuration.values.get("volume-rate", 0) > 0

    def _refuse(self, name, text):
        if name in self.form.fields:
            self.form.fields[name].say(text)
        else:
            for pane in self.panes.panes:
                pane.complain(text)
        self.session.noted.emit("error", text)


def _folder():
    """Where frames go if nothing else is said."""
    here = pathlib.Path.cwd()
    return str(here if os.access(here, os.W_OK) else pathlib.Path.home())
