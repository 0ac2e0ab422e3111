# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The place Results: volumes of jobs and of files, by slices, in perspective, and two beside each other."""

import os
import time

from gsttomo.widgets import CompareView, Loader, SliceView, Volume, VolumeError, VolumeView, split_name
from gsttomo.widgets.volume import Stopped
from pyqtgraph.Qt import QtCore, QtGui, QtWidgets

from . import theme
from .results_list import ResultsList
from .states import EmptyPage, StateLine, next_button

FILTER = "Volumes (*.h5 *.hdf5 *.nxs *.tif *.tiff *.npy);;All files (*)"
LOOK = 1000  # ms between looks whether files are what they were


class ResultsPlace(QtWidgets.QWidget):
    title = "Results"

    def __init__(self, session, parent=None):
        super().__init__(parent)
        self.session = session
        self._loader = Loader(self)
        self._names = ()    # of the one or both that are shown, or being opened
        self._volumes, self._shown = (), ()  # that are shown, and their names
        self._number = 0    # of the volume in a file of several ones
        self._failed_with = None  # stamps of files that could not be opened
        self._position, self._said = None, ""
        self.list = ResultsList(session.jobs)
        self.slices, self.volume_view, self.compare = SliceView(), VolumeView(), CompareView()
        self.state = StateLine()
        self.state.setObjectName("results-state")
        self._build()
        for view in (self.slices, self.volume_view, self.compare):
            view.failed.connect(self._fail)
        self._timer = QtCore.QTimer(self, interval=LOOK)
        self._timer.timeout.connect(self._look)
        self._timer.start()
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
        if not self._names and not self.list.marked():
            self.list.mark_newest()

    def close_place(self):
        """Ends the threads of the viewers."""
        self._timer.stop()
        self._loader.close()
        self.slices.close_loader()
        self.compare.close_loader()
        self.volume_view.close_threads()

    # What is opened

    def ask_file(self):
        name, _ = QtWidgets.QFileDialog.getOpenFileName(self, "Open result", os.path.dirname(split_name(self.name())[0]), FILTER)
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
        QtGui.QDesktopServices.openUrl(QtCore.QUrl.fromLocalFile(report_of(self.name())))

    def name(self):
        """Of the result that is shown, or being opened; of A where it is two."""
        return self._names[0] if self._names else ""

    def _load(self, path, number=0):
        self._read((path,), number)

    def _read(self, names, number=0, is_changed=False):
        """Opens one or two; what was shown of the same names keeps its place and levels."""
        keep, is_known, volumes = names == self._names, bool(set(names) & set(self._names)), self._volumes
        if self.slices.volume() is not None:
            self._position = self.slices.position()
        if not keep:
            self._position = None
        self._names, self._number, self._failed_with = names, number, None
        if is_known:  # before it is opened: HDF5 takes a file that it has open for the same one
            for volume in volumes:
                volume.close()
        words = f"{os.path.basename(split_name(names[0])[0])}" if len(names) == 1 else "both results"
        self.state.working(f"The file has changed: opening {words} anew" if is_changed else f"Opening {words}", can_cancel=False)
        if len(names) == 1 and self.tabs.currentWidget() is self.compare:
            self.tabs.setCurrentWidget(self.slices)

        def open_all(stop):
            stamps = _stamps(names)
            try:
                if is_changed:
                    _wait(names, stop)
                    stamps = _stamps(names)
                return [_opened(name, number) for name in names], stamps, ""
            except VolumeError as error:
                return None, stamps, str(error)

        self._loader.ask("open", open_all, lambda result: self._take(names, number, keep, is_changed, *result), self._fail_to_open, stoppable=True)

    def _take(self, names, number, keep, is_changed, volumes, stamps, error):
        if volumes is None:
            self._fail_to_open(error)
            self._failed_with = stamps
            return
        before, self._volumes, self._shown = self._volumes, tuple(volumes), names
        self.slices.set_volume(volumes[0], keep=keep)
        self.volume_view.set_volume(volumes[0], keep=keep)
        self.compare.set_volumes(*(volumes if len(volumes) == 2 else (None, None)), keep=keep)
        if keep and self._position:
            self.slices.set_position(*self._position)
        for volume in before:
            volume.close()
        self._say_which(max(volume.volumes for volume in volumes), number)
        self._report.setEnabled(len(names) == 1 and os.path.exists(report_of(names[0])))
        self._said = self._words() + ("   (the file has changed)" if is_changed else "")
        self.state.done(self._said)

    def _words(self):
        texts = []
        for name, volume in zip(self._names, self._volumes):
            which = f", volume {volume.number + 1} of {volume.volumes}" if volume.volumes > 1 else ""
            depth, rows, columns = volume.shape
            size = f"   {columns} x {rows} x {depth}, {volume.dtype}" if len(self._names) == 1 else ""
            texts.append(f"{name}{size}{which}")
        if len(texts) == 1:
            return texts[0]
        differ = self._volumes[0].shape != self._volumes[1].shape
        return f"A {texts[0]}   B {texts[1]}" + ("   (of different sizes)" if differ else "")

    def _clear(self):
        """Nothing is shown: what was there is no part of what is asked for."""
        if self._volumes and self._shown == self._names:
            self._position = self.slices.position()
        before, self._volumes = self._volumes, ()
        self.slices.set_volume(None)
        self.volume_view.set_volume(None)
        self.compare.set_volumes(None, None)
        for volume in before:
            volume.close()
        self._say_which(1)
        self._report.setEnabled(False)

    def _fail_to_open(self, text):
        self._clear()
        self.state.failed(text, has_log=False)
        self.session.noted.emit("error", text)

    def _fail(self, text):
        """Of a viewer."""
        if self.state.state == "working":  # it reads what is about to be replaced
            return
        if any(volume.changed()[0] for volume in self._volumes):
            self._look()
            return
        self.state.failed(text, has_log=False)
        self.session.noted.emit("error", text)

    def _look(self):
        """Whether the files are what they were."""
        if self.state.state == "working" or not self.isVisible():
            return
        names, volumes, failed_with = self._names, self._volumes, self._failed_with
        if volumes:
            self._loader.ask("look", lambda stop: [volume.changed() for volume in volumes], lambda told: self._looked(volumes, told))
        elif failed_with is not None:
            self._loader.ask("look", lambda stop: _stamps(names), lambda stamps: self._looked_again(failed_with, stamps))

    def _looked(self, volumes, told):
        if volumes is not self._volumes or self.state.state == "working":
            return
        gone = next((text for text, is_gone in told if is_gone), "")
        if gone:
            self._fail_to_open(gone)
            self._failed_with = [stamp for stamp in _stamps(self._names)]
        elif any(text for text, _ in told):
            self._read(self._names, self._number, True)

    def _looked_again(self, failed_with, stamps):
        if failed_with is self._failed_with and stamps != failed_with and None not in stamps:
            self._read(self._names, self._number, True)

    def _say_which(self, volumes, number=0):
        for widget in (self._which, self._which_label):
            widget.setVisible(volumes > 1)
        blocked = self._which.blockSignals(True)
        self._which.setRange(1, volumes)
        self._which.setSuffix(f" of {volumes}")
        self._which.setValue(number + 1)
        self._which.blockSignals(blocked)

    def _take_other(self, number):
        if self._names:
            self._read(self._names, number - 1)

    # Two of them

    def _pair(self, is_pair):
        self._both.setEnabled(is_pair)

    def _compare(self):
        number = self._number if self._volumes and self._volumes[0].volumes > 1 else 0
        self.tabs.setCurrentWidget(self.compare)
        self._read(tuple(self.list.marked()), number)

    def _turn_tab(self, _):
        if self.state.state not in ("done", "empty"):
            return
        if self.tabs.currentWidget() is self.compare and self.compare.volumes() == (None, None):
            self.state.empty("Mark two results in the list (Ctrl+click), then Compare.")
        elif self._volumes:
            self.state.done(self._said)

    def _turn_page(self):
        self._pages.setCurrentIndex(1 if self.list.count() else 0)


def _stamps(names):
    """What the files are now; None for one that is not there."""
    stamps = []
    for name in names:
        try:
            found = os.stat(split_name(name)[0])
            stamps.append((found.st_ino, found.st_size, found.st_mtime_ns))
        except OSError:
            stamps.append(None)
    return stamps


def _wait(names, stop):
    """Until nobody writes the files."""
    before = None
    while (stamps := _stamps(names)) != before:
        before = stamps
        for _ in range(5):
            if stop():
                raise Stopped
            time.sleep(0.1)


def _opened(path, number):
    """The volume of that number, or the first one where there are fewer."""
    try:
        return Volume(path, number)
    except VolumeError:
        if not number:
            raise
    return Volume(path)


def report_of(path):
    """The report that tomo-reconstruct writes beside a result."""
    return split_name(path)[0] + ".html"
