# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The list of results: of jobs, the newest first, and of files that were opened."""

import os
import time

from gsttomo import jobs
from gsttomo.widgets import split_name
from pyqtgraph.Qt import QtCore, QtGui, QtWidgets

from . import theme

PATH = QtCore.Qt.ItemDataRole.UserRole
VOLUMES = (".h5", ".hdf5", ".nxs", ".tif", ".tiff", ".npy", ".zarr")


class TwoLines(QtWidgets.QStyledItemDelegate):
    """Both lines of a text, each of which is cut in its middle where it does not fit."""

    def paint(self, painter, option, index):
        option = QtWidgets.QStyleOptionViewItem(option)
        self.initStyleOption(option, index)
        lines, option.text = index.data().split("\n"), ""
        style = option.widget.style()
        style.drawControl(QtWidgets.QStyle.ControlElement.CE_ItemViewItem, option, painter, option.widget)
        is_marked = bool(option.state & QtWidgets.QStyle.StateFlag.State_Selected)
        group = QtGui.QPalette.ColorGroup.Active if option.state & QtWidgets.QStyle.StateFlag.State_Enabled else QtGui.QPalette.ColorGroup.Disabled
        area = option.rect.adjusted(2 * theme.SPACE, theme.SPACE, -theme.SPACE, -theme.SPACE)
        painter.save()
        for number, line in enumerate(lines):
            role = QtGui.QPalette.ColorRole.HighlightedText if is_marked else (
                QtGui.QPalette.ColorRole.PlaceholderText if number else QtGui.QPalette.ColorRole.Text)
            font = QtGui.QFont(option.font)
            font.setPixelSize(theme.SMALL if number else theme.NORMAL)
            painter.setFont(font)
            painter.setPen(option.palette.color(group, role))
            metrics = painter.fontMetrics()
            painter.drawText(area, int(QtCore.Qt.AlignmentFlag.AlignLeft | QtCore.Qt.AlignmentFlag.AlignTop),
                             metrics.elidedText(line, QtCore.Qt.TextElideMode.ElideMiddle, area.width()))
            area.setTop(area.top() + metrics.lineSpacing())
        painter.restore()

    def sizeHint(self, option, index):
        return QtCore.QSize(80, 2 * theme.NORMAL + 5 * theme.SPACE)


class ResultsList(QtWidgets.QListWidget):
    chosen = QtCore.Signal(str)        # one result is marked: its name
    pair_chosen = QtCore.Signal(bool)  # whether two are
    changed = QtCore.Signal()          # others are listed

    def __init__(self, model, parent=None):
        super().__init__(parent)
        self.setObjectName("results")
        self.setSelectionMode(QtWidgets.QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setItemDelegate(TwoLines(self))
        self.setHorizontalScrollBarPolicy(QtCore.Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._model = model
        self._files = []
        self._listed = None
        self.itemSelectionChanged.connect(self._choose)
        self.itemDoubleClicked.connect(lambda item: self.chosen.emit(item.data(PATH)) if item.data(PATH) else None)  # reads it anew
        self._marked = None
        model.changed.connect(self._list)
        self._list()

    def add_file(self, path):
        """Puts a file that is no result of a job in front."""
        if path not in self._files and path not in [name for name, _, _ in self._of_jobs()]:
            self._files.insert(0, path)
            self._list()

    def names(self):
        """Of all results that can be opened, as they are listed."""
        return [self.item(i).data(PATH) for i in range(self.count()) if self.item(i).data(PATH)]

    def marked(self):
        return [item.data(PATH) for item in self.selectedItems()]

    def mark(self, path):
        """Marks one of them, which opens it."""
        for i in range(self.count()):
            if self.item(i).data(PATH) == path:
                if self.marked() == [path]:
                    self.chosen.emit(path)
                else:
                    self.setCurrentItem(self.item(i), QtCore.QItemSelectionModel.SelectionFlag.ClearAndSelect)

    def mark_newest(self):
        names = self.names()
        if names:
            self.mark(names[0])

    def _of_jobs(self):
        """Names, first lines and second lines; the name of one that is under way is ''."""
        found, known = [], set()
        for job in self._model.jobs:
            name = job.name or f"job {job.id}"
            if job.state in (jobs.State.RUNNING, jobs.State.PAUSED):
                part = f", {100 * job.done // job.total} %" if job.total else ""
                found.append(("", name, f"{job.state}{part}"))
            elif job.state is jobs.State.DONE:
                when = time.strftime("%m-%d %H:%M", time.localtime(job.ended or job.submitted))
                for output in job.outputs:
                    path = output if os.path.isabs(output) else os.path.join(job.folder, output)
                    file = split_name(path)[0]
                    if file.lower().endswith(VOLUMES) and path not in known:  # else a later job has replaced it
                        known.add(path)
                        folder, base = os.path.split(file)
                        more = os.path.basename(folder) if base.startswith(name) else name
                        found.append((path, base, f"{when}  {more}"))
        return found

    def _list(self):
        rows = [(path, *_lines_of(path)) for path in self._files] + self._of_jobs()
        if rows == self._listed:
            return
        marked, self._listed = self.marked(), rows
        blocked = self.blockSignals(True)
        self.clear()
        for path, first, second in rows:
            item = QtWidgets.QListWidgetItem(f"{first}\n{second}")
            item.setData(PATH, path)
            item.setToolTip(path or "Not done yet: it can be opened when it is")
            if not path:
                item.setFlags(QtCore.Qt.ItemFlag.NoItemFlags)
            self.addItem(item)
            item.setSelected(bool(path) and path in marked)
        self.blockSignals(blocked)
        self.changed.emit()

    def _choose(self):
        marked = self.marked()
        self.pair_chosen.emit(len(marked) == 2)
        if len(marked) == 1 and marked != self._marked:
            self.chosen.emit(marked[0])
        self._marked = marked


def _lines_of(path):
    """What a file is called, and where it is."""
    file, dataset = split_name(path)
    folder, name = os.path.split(os.path.normpath(file))
    return name + (f"  {dataset}" if dataset not in ("", "/entry/data/data") else ""), folder
