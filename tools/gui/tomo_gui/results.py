# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The place Results: volumes of jobs and of files, by slices, in perspective, and two beside each other."""

import os

from gsttomo.widgets import CompareView, Loader, SliceView, Volume, VolumeView
from pyqtgraph.Qt import QtCore, QtGui, QtWidgets

from . import theme
from .results_list import ResultsList
from .states import EmptyPage, StateLine, next_button

FILTER = "Volumes (*.h5 *.hdf5 *.nxs *.tif *.tiff *.npy);;All files (*)"


class ResultsPlace(QtWidgets.QWidget):
    title = "Results"

    def __init__(self, session, parent=None):
        super().__init__(parent)
        self.session = session
        self._loader = Loader(self)
        self._name = ""  # of the one that is shown, or being opened
        self.list = ResultsList(session.jobs)
        self.slices, self.volume_view, self.compare = SliceView(), VolumeView(), CompareView()
        self.state = StateLine()
        self.state.setObjectName("results-state")
        self._build()
        for view in (self.slices, self.volume_view, self.compare):
            view.failed.connect(self._fail)
        self.list.chosen.connect(self._load)
        self.list.pair_chosen.connect(self._pair)
        self.list.changed.connect(self._turn_page)
        self._turn_page()

    def _build(self):
        self.tabs = QtWidgets.QTabWidget(documentMode=True, objectName="results-tabs")
        for view, name in ((self.slices, "Slices"), (self.volume_view, "Volume"), (self.compare, "Compare")):
            self.tabs.addTab(view, name)
        self.tabs.currentChanged.connect(self._turn_tab)
        self._which_label = QtWidgets.QLabel("Volume")
        self._which = QtWidgets.QSpinBox(objectName="volume-number", keyboardTracking=False)
        self._which.setToolTip("A scan of several turns has a volume of each")
        self._which.valueChanged.connect(self._take_other)
        self._report = QtWidgets.QToolButton(text="Report", objectName="open-report", enabled=False, autoRaise=True)
        self._report.setToolTip("Pictures, axis, times and settings of this result, in a browser")
        self._report.clicked.connect(self._open_report)
        corner = QtWidgets.QWidget()
        row = QtWidgets.QHBoxLayout(corner)
        row.setContentsMargins(0, 0, 2 * theme.SPACE, 0)
        for widget in (self._which_label, self._which, self._report):
            row.addWidget(widget)
        self.tabs.setCornerWidget(corner)
        self._say_which(1)
        right = QtWidgets.QWidget()
        column = QtWidgets.QVBoxLayout(right)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.tabs, 1)
        column.addWidget(self.state)
        side = QtWidgets.QWidget()
        left = QtWidgets.QVBoxLayout(side)
        left.setContentsMargins(0, 0, 0, theme.SPACE)
        left.setSpacing(theme.SPACE)
        left.addWidget(self.list, 1)
        row = QtWidgets.QHBoxLayout()
        row.setContentsMargins(theme.SPACE, 0, theme.SPACE, 0)
        opened = QtWidgets.QPushButton("Open", objectName="open-result")
        menu = QtWidgets.QMenu(opened)
        menu.addAction("File…").triggered.connect(lambda *_: self.ask_file())
        menu.addAction("Folder of images or OME-Zarr…").triggered.connect(lambda *_: self.ask_folder())
        opened.setMenu(menu)
        self._both = QtWidgets.QPushButton("Compare", objectName="compare", enabled=False)
        self._both.setToolTip("Two results that are marked in the list")
        self._both.clicked.connect(self._compare)
        for button in (opened, self._both):
            row.addWidget(button)
        left.addLayout(row)
        split = QtWidgets.QSplitter(QtCore.Qt.Orientation.Horizontal, childrenCollapsible=False)
        split.addWidget(side)
        split.addWidget(right)
        split.setStretchFactor(1, 1)
        split.setSizes([200, 940])
        start = next_button("Reconstruct volume")
        start.clicked.connect(lambda: self.session.place_wanted.emit("Reconstruct"))
        other = QtWidgets.QPushButton("Open result…")
        other.clicked.connect(self.ask_file)
        self._pages = QtWidgets.QStackedLayout(self)
        self._pages.addWidget(EmptyPage("Volumes that you reconstruct are listed here. You can also open or drop one: "
                                        "HDF5, OME-Zarr, TIFF or .npy.", start, other))
        self._pages.addWidget(split)
        self.state.empty("Choose a result in the list.")

    def shown(self):
        """The newest result is opened where nothing was chosen yet."""
        if not self._name and not self.list.marked():
            self.list.mark_newest()

    def close_place(self):
        """Ends the threads of the viewers."""
        self._loader.close()
        self.slices.close_loader()
        self.compare.close_loader()
        self.volume_view.close_threads()

    # What is opened

    def ask_file(self):
        name, _ = QtWidgets.QFileDialog.getOpenFileName(self, "Open result", os.path.dirname(self._name.partition(":/")[0]), FILTER)
        if name:
            self.open(name)

    def ask_folder(self):
        name = QtWidgets.QFileDialog.getExistingDirectory(self, "Open folder of images or OME-Zarr")
        if name:
            self.open(name)

    def open(self, path):
        """Shows a volume: a file or folder, with :/DATASET behind it if need be."""
        self.list.add_file(path)
        self.list.mark(path)

    def _open_report(self):
        QtGui.QDesktopServices.openUrl(QtCore.QUrl.fromLocalFile(report_of(self._name)))

    def name(self):
        """Of the result that is shown, or being opened."""
        return self._name

    def _load(self, path, number=0):
        self._name = path
        self.state.working(f"Opening {os.path.basename(path)}", can_cancel=False)
        if self.tabs.currentWidget() is self.compare:
            self.tabs.setCurrentWidget(self.slices)
        self._loader.ask("open", lambda stop: Volume(path, number), lambda volume: self._show(path, number, volume), self._fail)

    def _show(self, path, number, volume):
        self.slices.set_volume(volume)
        self.volume_view.set_volume(volume)
        self.compare.set_volumes(None, None)
        self._say_which(volume.volumes, number)
        self._report.setEnabled(os.path.exists(report_of(path)))
        depth, rows, columns = volume.shape
        self.state.done(f"{path}   {columns} x {rows} x {depth}, {volume.dtype}")

    def _fail(self, text):
        self.state.failed(text, has_log=False)
        self.session.noted.emit("error", text)

    def _say_which(self, volumes, number=0):
        for widget in (self._which, self._which_label):
            widget.setVisible(volumes > 1)
        blocked = self._which.blockSignals(True)
        self._which.setRange(1, volumes)
        self._which.setSuffix(f" of {volumes}")
        self._which.setValue(number + 1)
        self._which.blockSignals(blocked)

    def _take_other(self, number):
        if self._name:
            self._load(self._name, number - 1)

    # Two of them

    def _pair(self, is_pair):
        self._both.setEnabled(is_pair)

    def _compare(self):
        first, second = self.list.marked()
        self.tabs.setCurrentWidget(self.compare)
        self.state.working("Opening both results", can_cancel=False)
        self._loader.ask("open", lambda stop: (Volume(first), Volume(second)),
                         lambda both: self._show_both(first, second, both), self._fail)

    def _show_both(self, first, second, volumes):
        self._name = first
        self.compare.set_volumes(*volumes)
        self.slices.set_volume(volumes[0])
        self.volume_view.set_volume(volumes[0])
        self._say_which(1)
        differ = volumes[0].shape != volumes[1].shape
        self.state.done(f"A {first}   B {second}" + ("   (of different sizes)" if differ else ""))

    def _turn_tab(self, _):
        if self.tabs.currentWidget() is self.compare and self.compare.volumes() == (None, None) and self.state.state != "working":
            self.state.empty("Mark two results in the list (Ctrl+click), then Compare.")

    def _turn_page(self):
        self._pages.setCurrentIndex(1 if self.list.count() else 0)


def report_of(path):
    """The report that tomo-reconstruct writes beside a result."""
    return path.partition(":/")[0] + ".html"
