# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The place Reconstruct: a slice while settings change, then the volume, or many scans."""

import pathlib
import shutil

import numpy as np
from gsttomo import jobs
from gsttomo.faces import looks
from gsttomo.faces.names import free_name, output_beside, scratch_folder
from gsttomo.faces.parameters import FOR_RESULTS, OF_ONE_SCAN
from gsttomo.faces.texts import error_of, progress_of
from gsttomo.widgets import ImageView
from pyqtgraph.Qt import QtCore, QtWidgets

from . import theme
from .processes import Question
from .states import EmptyPage, StateLine, next_button

PAUSE = 200  # ms without a change until a slice is made
PEEK = 1000  # ms between images of a volume that is made
CHANNEL = "preview"
class ReconstructPlace(QtWidgets.QWidget):
    title = "Reconstruct"

    def __init__(self, session, parent=None):
        super().__init__(parent)
        self.session = session
        self._looks = scratch_folder()
        self._job, self._outputs, self._scan = None, [], None
        self._is_stale, self._shows_run, self._is_asked = True, False, False
        self.picture = ImageView()
        self.picture.stepped.connect(self._step)
        self._row = QtWidgets.QSpinBox(minimum=0, maximum=0, objectName="row", keyboardTracking=False)
        self._row.valueChanged.connect(lambda _: self._change())
        self._slider = QtWidgets.QSlider(QtCore.Qt.Orientation.Horizontal, objectName="row-slider")
        self._slider.valueChanged.connect(self._row.setValue)
        self._row.valueChanged.connect(self._slider.setValue)
        self._automatic = QtWidgets.QCheckBox("At each change", checked=True, objectName="automatic")
        self._again = QtWidgets.QPushButton("Preview slice", objectName="preview")
        self._again.clicked.connect(lambda: self.look())
        self._devices = QtWidgets.QComboBox(objectName="devices")
        self._devices.addItem("Any free device", "")
        self._devices.activated.connect(lambda: self._set("device", self._devices.currentData()))
        self._first, self._last = (QtWidgets.QSpinBox(minimum=0, maximum=0, objectName=name, keyboardTracking=False)
                                   for name in ("first-row", "last-row"))
        for box in (self._first, self._last):
            box.valueChanged.connect(lambda _: self._choose_rows())
        self.start = next_button("Reconstruct volume")
        self.start.setObjectName("reconstruct")
        self.start.clicked.connect(lambda: self.submit())
        self._many = QtWidgets.QPushButton("Many scans…", objectName="many")
        self._many.clicked.connect(self.ask_many)
        self._pause = QtWidgets.QPushButton("Pause", visible=False, objectName="pause")
        self._pause.clicked.connect(self._pause_or_resume)
        self._open = next_button("Open result")
        self._open.setObjectName("open-result")
        self._open.setVisible(False)
        self._open.clicked.connect(lambda: self.session.opened.emit(self._outputs[0]))
        self.look_state, self.state = StateLine(), StateLine()
        self.look_state.cancelled.connect(lambda: self._drop_look())
        self.state.cancelled.connect(lambda: self._job and session.jobs.cancel(self._job))
        self.state.log_wanted.connect(lambda: session.place_wanted.emit("Jobs"))

        rows = QtWidgets.QHBoxLayout()
        rows.setContentsMargins(2 * theme.SPACE, theme.SPACE, 2 * theme.SPACE, theme.SPACE)
        rows.setSpacing(2 * theme.SPACE)
        rows.addWidget(QtWidgets.QLabel("Row"))
        rows.addWidget(self._row)
        rows.addWidget(self._slider, 1)
        rows.addWidget(self._automatic)
        rows.addWidget(self._again)
        region = QtWidgets.QHBoxLayout()
        region.setSpacing(2 * theme.SPACE)
        region.setContentsMargins(2 * theme.SPACE, theme.SPACE, 2 * theme.SPACE, 0)
        for widget in (QtWidgets.QLabel("Volume: rows"), self._first, QtWidgets.QLabel("to"), self._last, QtWidgets.QLabel("on"), self._devices):
            region.addWidget(widget)
        region.addStretch(1)
        steps = QtWidgets.QHBoxLayout()
        steps.setSpacing(2 * theme.SPACE)
        steps.setContentsMargins(0, theme.SPACE, 2 * theme.SPACE, theme.SPACE)
        steps.addWidget(self.state, 1)
        for widget in (self._pause, self._many, self._open, self.start):
            steps.addWidget(widget)
        work = QtWidgets.QWidget()
        layout = QtWidgets.QVBoxLayout(work)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.picture, 1)
        layout.addWidget(self.look_state)
        layout.addLayout(rows)
        layout.addLayout(region)
        layout.addLayout(steps)
        choose = next_button("Choose a scan")
        choose.clicked.connect(lambda: session.place_wanted.emit("Scans"))
        self._pages = QtWidgets.QStackedLayout(self)
        self._pages.addWidget(EmptyPage("There is no scan yet. Slices come when one is open.", choose))
        self._pages.addWidget(work)

        self._timer = QtCore.QTimer(self, singleShot=True, interval=PAUSE)
        self._timer.timeout.connect(self.look)
        session.facts_changed.connect(self._know)
        session.configuration.changed.connect(self._change)
        session.jobs.changed.connect(self._follow)
        session.jobs.told.connect(self._hear)
        self._peek = QtCore.QTimer(self, interval=PEEK)
        self._peek.timeout.connect(self._ask_for_image)
        self._question = Question("tomo-query", ["--devices", "--json"], self)
        self._question.answered.connect(self._list_devices)
        self._question.failed.connect(lambda reason: session.noted.emit("error", reason))
        self._know()
        self._follow()

    def shown(self):
        if self._is_stale and self._automatic.isChecked():
            self._timer.start()

    def look(self):
        """Makes the slice of the chosen row by the settings; the last picture stays until it is there."""
        self._timer.stop()
        if not self.session.facts:
            return
        self._is_stale = self._shows_run = False
        row = self._row.value()
        self.look_state.working(f"Slice of row {row}")
        started = QtCore.QElapsedTimer()
        started.start()
        values = self.session.configuration.values
        self.session.pictures.ask(CHANNEL, looks.slice_of(self.session.description(), self.session.facts, row),
                                  lambda images, events: self._show(images, events, row, values, started.elapsed()), self._fail)

    def submit(self, done=None):
        """Queues the volume of the chosen scan."""
        values = self.session.description(output=self.session.free_output())

        def queued(given):
            self._watch(given[0].id)
            self._follow()
            if done:
                done(given)
        self.state.working("The volume is queued", can_cancel=False)
        self.session.jobs.submit([jobs.Order(values, name=pathlib.Path(self.session.scan).name)], queued,
                                 lambda text: self.state.failed(text, has_log=False))

    def ask_many(self):
        names, _ = QtWidgets.QFileDialog.getOpenFileNames(self, "Scans with these settings", str(pathlib.Path(self.session.scan).parent),
                                                          "Scans (*.nxs *.h5 *.hdf5 *.hdf *.nx *.xtekct *.log *.txrm);;All files (*)")
        if names:
            self.submit_many(names)

    def submit_many(self, names, done=None):
        """Queues each of several scans with these settings, without those that belong to the chosen one alone, such as its axis, rows
        and flats: each has its own, or they are found."""
        orders, taken = [], self.session.jobs.outputs()
        for name in names:
            output = free_name(output_beside(name), taken)
            taken.add(output)
            orders.append(jobs.Order(self.session.description(**{**dict.fromkeys(OF_ONE_SCAN), "scan": name, "output": output}),
                                     name=pathlib.Path(name).name))

        def queued(given):
            self.session.noted.emit("info", f"{len(given)} scans are queued; see Jobs")
            if done:
                done(given)
        self.session.jobs.submit(orders, queued)

    def _know(self):
        facts = self.session.facts
        self._pages.setCurrentIndex(1 if self.session.scan else 0)
        self.start.setEnabled(bool(facts))
        self._again.setEnabled(bool(facts))
        if facts:
            most = facts["height"] - 1
            for widget in (self._row, self._slider, self._first, self._last):
                widget.blockSignals(True)  # the last scan's rows are no wish for this one
                widget.setMaximum(most)
                widget.blockSignals(False)
            self._show_rows()
            if self._scan != self.session.scan:
                self._scan = self.session.scan
                self._row.setValue(most // 2)
                self._slider.setValue(most // 2)
            self.picture.set_pixel_size(facts.get("pixel-size"))
            self._change()
        elif self.session.problem:
            self._forget_picture()
            self.look_state.failed(self.session.problem, has_log=False)
        else:
            if self._scan != self.session.scan:
                self._forget_picture()
            self.look_state.working("The scan is read", can_cancel=False)
        self._follow()

    def _forget_picture(self):
        """That of another scan."""
        self.session.pictures.forget(CHANNEL)
        self._timer.stop()
        self._scan, self._shows_run = None, False
        self.picture.clear()
        self.picture.set_caption("")

    def _set(self, name, text):
        try:
            self.session.configuration.set(name, text)
        except ValueError as e:
            self.session.noted.emit("error", str(e))

    def _list_devices(self, devices):
        for device in devices:
            self._devices.addItem(f"{device['name']}, {device['memory'] / 2**30:.3g} GiB", str(device["index"]))
        self._show_device()

    def _show_device(self):
        wanted = self.session.configuration.text("device")
        at = next((at for at in range(1, self._devices.count())
                   if wanted and (wanted == self._devices.itemData(at) or wanted.lower() in self._devices.itemText(at).lower())), 0)
        self._devices.setCurrentIndex(at)

    def _show_rows(self):
        """The region of the configuration."""
        values, rows = self.session.configuration.values, self.session.facts["height"]
        first = min(values.get("y", 0), rows - 1)
        last = min(first + (values.get("height") or rows), rows) - 1
        for box, value in ((self._first, first), (self._last, last)):
            box.blockSignals(True)
            box.setValue(value)
            box.blockSignals(False)

    def _choose_rows(self):
        first, last, rows = self._first.value(), self._last.value(), self.session.facts["height"]
        if last < first:
            first, last = (first, first) if self.sender() is self._first else (last, last)
        self.session.configuration.update({"y": first or None, "height": last - first + 1 if last < rows - 1 else None})
        self._show_rows()

    def _change(self, names=None):
        if names is not None and self.session.facts:
            self._show_rows()
            self._show_device()
        if names is not None and names <= FOR_RESULTS | looks.OF_ROWS and self.look_state.state != "failed":
            return
        self._is_stale = True
        if not self.session.facts:
            return
        if self.isVisible() and self._automatic.isChecked():
            self._timer.start()
        else:
            self.look_state.stale()

    def _step(self, steps):
        self._row.setValue(self._row.value() + steps)

    def _show(self, images, events, row, values, elapsed):
        self.picture.set_image(np.asarray(images[0], dtype=np.float32))
        self.picture.set_caption(f"slice of row {row}")
        plan = next((event for event in events if event["event"] == "plan"), {})
        axis = f", axis {plan['axis']:.2f} ({plan.get('axis-from', 'given')})" if "axis" in plan else ""
        if plan.get("axis-from") == "found":
            self.session.found_axis = plan["axis"]
            self.session.axis_known.emit()
        self.session.calmed.emit()
        if self._is_stale or values != self.session.configuration.values:
            self._is_stale = True
            self.look_state.stale()
            return
        warnings = [event["text"] for event in events if event["event"] == "message" and event["level"] == "warning"]
        method = values.get("method", "fbp")
        self.look_state.done(f"Row {row}, {method}{axis}, {elapsed / 1000:.2f} s" + (f". ⚠ {warnings[0]}" if warnings else ""))

    def _ask_for_image(self):
        """Pictures on the way instead of a text at the end."""
        if self._shows_run and self.isVisible() and not self._is_asked:
            self._is_asked = True
            self.session.jobs.preview(self._job, str(self._looks / f"{self._job}.npy"))

    def _hear(self, number, event):
        if number != self._job or event["event"] != "preview":
            return
        self._is_asked = False
        if not self._shows_run:
            return
        try:
            image = np.load(event["path"])
        except (OSError, ValueError):
            return  # it is replaced by a newer one at this moment
        self.picture.set_image(image.reshape(image.shape[-2:]).astype(np.float32, copy=False))
        self.picture.set_caption(f"slice {event['slice']} of the volume that is made")

    def close_place(self):
        shutil.rmtree(self._looks, ignore_errors=True)

    def _fail(self, text):
        self.look_state.failed(text, has_log=False)
        self.session.noted.emit("error", text)

    def _drop_look(self):
        self.session.pictures.forget(CHANNEL)
        self.look_state.stale()

    def _pause_or_resume(self):
        job = self.session.jobs.job(self._job)
        if job:
            (self.session.jobs.resume if job.state is jobs.State.PAUSED else self.session.jobs.pause)(self._job)

    def _watch(self, number):
        """Shows the course of a job, and its images."""
        if self._job:
            self.session.jobs.unfollow(self._job)
        self._job, self._shows_run, self._is_asked = number, True, False
        self.session.jobs.follow(number)

    def _follow(self):
        """Shows the job that was started here last, or one that an earlier window started for this scan."""
        job = self.session.jobs.job(self._job) if self._job else None
        if not job or job.description.get("scan") != self.session.scan:
            job = next((job for job in self.session.jobs.jobs if not job.is_over and self.session.scan
                        and job.description.get("scan") == self.session.scan), None)
        if not job:
            if self.state.state != "working" or self._job:  # the course of another scan's job is under Jobs
                self._no_job()
            return
        if self._job != job.id:
            self._watch(job.id)
        is_open = not job.is_over
        self._pause.setVisible(is_open)
        self._pause.setText("Resume" if job.state is jobs.State.PAUSED else "Pause")
        self._open.setVisible(job.state is jobs.State.DONE)
        self.start.setVisible(not is_open)
        theme.mark(self.start, "next", job.state is not jobs.State.DONE)  # one step is the next one
        if job.state is jobs.State.RUNNING and job.began and not self._peek.isActive():
            self._peek.start()
        elif job.state is not jobs.State.RUNNING:
            self._peek.stop()
        if not is_open and self._shows_run:
            self._shows_run = False
            self.picture.set_caption("a slice of the volume" if job.state is jobs.State.DONE else
                                     "a slice of the volume that was given up")
        self._outputs = job.outputs
        if is_open:
            self.state.working(progress_of(job), job.done or 0, job.total or 0)
        elif job.state is jobs.State.DONE:
            self.state.done(f"{job.outputs[0] if job.outputs else 'nothing was written'}, {job.ended - job.began:.1f} s")
        elif job.state is jobs.State.CANCELLED:
            self.state.done(f"Job {job.id} was cancelled")
        else:
            self.state.failed(error_of(job) or "the process ended without a reason")


    def _no_job(self):
        if self._job:
            self.session.jobs.unfollow(self._job)
            self._job = None
        self._peek.stop()
        for button in (self._pause, self._open):
            button.hide()
        self.start.show()
        theme.mark(self.start, "next", True)
        self.state.empty("")


