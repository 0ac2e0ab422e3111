# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The place Jobs: the queue, with logs and settings."""

import time

from gsttomo import jobs
from gsttomo.faces.texts import MARKS, duration_of, error_of, event_text, progress_of, settings_text, time_text
from pyqtgraph.Qt import QtCore, QtGui, QtWidgets

from . import theme
from .states import EmptyPage, next_button

COLUMNS = ("No.", "Job", "State", "Progress", "Time", "Submitted", "Result")
SORTED_BY = QtCore.Qt.ItemDataRole.UserRole


class Table(QtCore.QAbstractTableModel):
    """Jobs as rows. A change of some changes no choice of others."""

    def __init__(self, model, parent=None):
        super().__init__(parent)
        self._model, self.jobs = model, list(model.jobs)
        model.changed.connect(self._take)

    def rowCount(self, parent=QtCore.QModelIndex()):  # noqa: B008, N802
        return 0 if parent.isValid() else len(self.jobs)

    def columnCount(self, parent=QtCore.QModelIndex()):  # noqa: B008, N802
        return 0 if parent.isValid() else len(COLUMNS)

    def headerData(self, section, orientation, role):  # noqa: N802
        if role == QtCore.Qt.ItemDataRole.DisplayRole and orientation == QtCore.Qt.Orientation.Horizontal:
            return COLUMNS[section]
        return None

    def data(self, index, role):
        job, column = self.jobs[index.row()], index.column()
        if role == QtCore.Qt.ItemDataRole.DisplayRole:
            return self._text(job, column)
        if role == SORTED_BY:
            return (job.id, job.name, str(job.state), (job.done or 0) / (job.total or 1), duration_of(job) or 0.0, job.submitted,
                    self._text(job, 6))[column]
        if role == QtCore.Qt.ItemDataRole.ForegroundRole and column == 2 and job.state is jobs.State.FAILED:
            return QtGui.QBrush(QtGui.QColor(theme.colours().failure))
        if role == QtCore.Qt.ItemDataRole.ToolTipRole:
            return error_of(job) or self._text(job, column)
        return None

    def row_of(self, number):
        return next((row for row, job in enumerate(self.jobs) if job.id == number), None)

    def _text(self, job, column):
        if column == 3:
            return "" if job.is_over or job.state is jobs.State.QUEUED else progress_of(job)
        if column == 4:
            seconds = duration_of(job)
            return "" if seconds is None else time_text(seconds) if seconds >= 10 else f"{seconds:.1f} s"
        if column == 5:
            return time.strftime("%Y-%m-%d %H:%M", time.localtime(job.submitted))
        if column == 6:
            return error_of(job) if job.state is jobs.State.FAILED else ", ".join(job.outputs[:1])
        return (str(job.id), job.name or str(job.kind), MARKS[job.state])[column]

    def _take(self):
        before, now = [job.id for job in self.jobs], [job.id for job in self._model.jobs]
        if before == now:
            changed = [row for row, (old, new) in enumerate(zip(self.jobs, self._model.jobs)) if old != new]
            self.jobs = list(self._model.jobs)
            for row in changed:
                self.dataChanged.emit(self.index(row, 0), self.index(row, len(COLUMNS) - 1))
            return
        added = [number for number in now if number not in set(before)]
        if now == added + before[:len(now) - len(added)] and len(now) == len(before) + len(added):
            self.beginInsertRows(QtCore.QModelIndex(), 0, len(added) - 1)
            self.jobs = list(self._model.jobs)
            self.endInsertRows()
        else:
            self.beginResetModel()
            self.jobs = list(self._model.jobs)
            self.endResetModel()


class JobsPlace(QtWidgets.QWidget):
    title = "Jobs"

    def __init__(self, session, parent=None):
        super().__init__(parent)
        self.session = session
        self._chosen = None
        self.table = Table(session.jobs, self)
        self._sorted = QtCore.QSortFilterProxyModel(self, filterKeyColumn=-1, sortRole=SORTED_BY)
        self._sorted.setFilterCaseSensitivity(QtCore.Qt.CaseSensitivity.CaseInsensitive)
        self._sorted.setSourceModel(self.table)
        self.view = QtWidgets.QTableView(objectName="jobs", sortingEnabled=True, alternatingRowColors=True, showGrid=False, wordWrap=False)
        self.view.setModel(self._sorted)
        self.view.setSelectionBehavior(QtWidgets.QAbstractItemView.SelectionBehavior.SelectRows)
        self.view.sortByColumn(0, QtCore.Qt.SortOrder.DescendingOrder)
        self.view.verticalHeader().hide()
        header = self.view.horizontalHeader()
        header.setStretchLastSection(True)
        for column, width in enumerate((48, 160, 96, 260, 88, 150)):
            self.view.setColumnWidth(column, width)
        self.view.selectionModel().selectionChanged.connect(lambda *_: self._choose())
        self._filter = QtWidgets.QLineEdit(placeholderText="Filter", clearButtonEnabled=True, objectName="filter")
        self._filter.textChanged.connect(self._sorted.setFilterFixedString)
        bar = QtWidgets.QHBoxLayout()
        bar.setSpacing(theme.SPACE)
        bar.setContentsMargins(2 * theme.SPACE, theme.SPACE, 2 * theme.SPACE, theme.SPACE)
        bar.addWidget(self._filter, 1)
        self._buttons = {}
        for name, what in (("Pause", self._pause), ("Resume", self._resume), ("Finish early", self._finish), ("Cancel", self._cancel),
                           ("Remove", self._remove), ("Again", self._repeat), ("Use settings", self._use)):
            button = self._buttons[name] = QtWidgets.QPushButton(name, objectName=f"job-{name.lower().replace(' ', '-')}")
            button.clicked.connect(what)
            bar.addWidget(button)
        self._open = next_button("Open result")
        self._open.setObjectName("job-open")
        self._open.clicked.connect(lambda: session.opened.emit(self._chosen_job().outputs[0]))
        bar.addWidget(self._open)
        self.details = QtWidgets.QTabWidget()
        self.events, self.log, self.settings = (QtWidgets.QPlainTextEdit(readOnly=True) for _ in range(3))
        self.log.setPlaceholderText("The process has written nothing.")
        for text, name in ((self.events, "Course"), (self.log, "Log of the process"), (self.settings, "Settings")):
            text.setFont(QtGui.QFontDatabase.systemFont(QtGui.QFontDatabase.SystemFont.FixedFont))
            self.details.addTab(text, name)
        split = QtWidgets.QSplitter(QtCore.Qt.Orientation.Vertical, childrenCollapsible=False)
        split.addWidget(self.view)
        split.addWidget(self.details)
        split.setSizes([400, 220])
        work = QtWidgets.QWidget()
        layout = QtWidgets.QVBoxLayout(work)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(bar)
        layout.addWidget(split, 1)
        start = next_button("Reconstruct a scan")
        start.clicked.connect(lambda: session.place_wanted.emit("Reconstruct"))
        self._pages = QtWidgets.QStackedLayout(self)
        self._pages.addWidget(EmptyPage("The queue is empty. Volumes that you start are listed here, also those of earlier windows.", start))
        self._pages.addWidget(work)
        session.jobs.changed.connect(self._change)
        session.jobs.told.connect(self._tell)
        self._change()

    def shown(self):
        if self.view.currentIndex().isValid() or not self.table.jobs:
            return
        self.view.selectRow(0)

    def choose(self, number):
        """Brings a job to the front."""
        row = self.table.row_of(number)
        if row is not None:
            self.view.selectRow(self._sorted.mapFromSource(self.table.index(row, 0)).row())

    def chosen(self):
        """Numbers of the jobs that are marked."""
        rows = {self._sorted.mapToSource(index).row() for index in self.view.selectionModel().selectedRows()}
        return [self.table.jobs[row] for row in sorted(rows) if row < len(self.table.jobs)]

    def _chosen_job(self):
        return self.session.jobs.job(self._chosen)

    def _choose(self):
        marked = self.chosen()
        number = marked[0].id if len(marked) == 1 else None
        if number != self._chosen:
            if self._chosen:
                self.session.jobs.unfollow(self._chosen)
            self._chosen = number
            for text in (self.events, self.log, self.settings):
                text.clear()
            if number:
                for event in self.session.jobs.follow(number):
                    self._tell(number, event)
                self.settings.setPlainText(settings_text(marked[0]))
        self._change()

    def _change(self):
        self._pages.setCurrentIndex(1 if self.table.jobs else 0)
        marked = self.chosen()
        states = {job.state for job in marked}
        open_ones = bool(states & set(jobs.OPEN))
        one = marked[0] if len(marked) == 1 else None
        for name, is_on in (("Pause", states & {jobs.State.RUNNING, jobs.State.QUEUED}), ("Resume", jobs.State.PAUSED in states),
                            ("Finish early", jobs.State.RUNNING in states), ("Cancel", open_ones), ("Remove", marked and not open_ones),
                            ("Again", marked), ("Use settings", one and one.kind is jobs.Kind.RECONSTRUCTION)):
            self._buttons[name].setEnabled(bool(is_on))
        self._open.setEnabled(bool(one and one.outputs))
        if one:
            self.session.jobs.log(one.id, lambda text, number=one.id: self._show_log(number, text))

    def _show_log(self, number, text):
        if number == self._chosen and text != self.log.toPlainText():
            self.log.setPlainText(text)

    def _tell(self, number, event):
        if number == self._chosen and event["event"] not in ("progress", "preview"):
            self.events.appendPlainText(event_text(event))

    def _each(self, states, what):
        for job in self.chosen():
            if job.state in states:
                what(job.id)

    def _pause(self):
        self._each({jobs.State.RUNNING, jobs.State.QUEUED}, self.session.jobs.pause)

    def _resume(self):
        self._each({jobs.State.PAUSED}, self.session.jobs.resume)

    def _finish(self):
        self._each({jobs.State.RUNNING}, self.session.jobs.finish)

    def _cancel(self):
        self._each(jobs.OPEN, self.session.jobs.cancel)

    def _repeat(self):
        self._each(jobs.State, self.session.jobs.repeat)

    def _remove(self):
        self.session.jobs.clean([job.id for job in self.chosen()])

    def _use(self):
        """Takes the settings and the scan of a job."""
        configuration = self.session.configuration
        wanted = dict(self._chosen_job().description)
        configuration.update({**dict.fromkeys(configuration.values), **wanted})
        self.session.place_wanted.emit("Reconstruct")


