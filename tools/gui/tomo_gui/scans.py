# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The place Scans: what is open, what is known about it, and its images."""

import os
import pathlib

from pyqtgraph.Qt import QtCore, QtWidgets

from . import theme
from .flowing import FlowLayout
from .scans_facts import FactsTable, FindingsList
from .scans_film import FilmView
from .states import EmptyPage, next_button

SAMPLES = pathlib.Path(__file__).resolve().parents[3] / "examples" / "data"  # where the program runs from its sources
SAMPLE = "savu24737.nxs"
FILTER = "Scans (*.nxs *.h5 *.hdf5 *.hdf *.nx *.xtekct *.log *.txrm *.tif *.tiff *.npy);;All files (*)"


class ScansPlace(QtWidgets.QWidget):
    title = "Scans"

    def __init__(self, session, parent=None):
        super().__init__(parent)
        self.session = session
        self._kept = {}     # values of each open scan alone
        self._shown = None  # what the film shows
        self.list = QtWidgets.QListWidget(objectName="open-scans")
        self.list.setTextElideMode(QtCore.Qt.TextElideMode.ElideMiddle)
        self.list.currentItemChanged.connect(self._choose)
        self.facts, self.findings, self.film = FactsTable(), FindingsList(session), FilmView(session)
        self.find_axis = next_button("Find axis")
        self.find_axis.setObjectName("find-axis")
        self.find_axis.clicked.connect(lambda: session.place_wanted.emit("Axis"))
        self._pages = QtWidgets.QStackedLayout(self)
        self._pages.addWidget(self._empty_page())
        self._pages.addWidget(self._work_page())
        session.facts_changed.connect(self._know)
        session.configuration.changed.connect(self._change)
        if session.scan:
            self._list(session.scan)
        self._know()

    def _empty_page(self):
        open_file, open_folder, sample = next_button("Open scan…"), QtWidgets.QPushButton("Open folder…"), QtWidgets.QPushButton("Sample scan")
        open_file.clicked.connect(self.ask_file)
        open_folder.clicked.connect(self.ask_folder)
        sample.clicked.connect(self.open_sample)
        sample.setObjectName("sample")
        sample.setVisible((SAMPLES / SAMPLE).exists())
        self._recent_box = QtWidgets.QVBoxLayout()
        page = EmptyPage("Open a scan: an HDF5 file (NXtomo, Data Exchange), a scanner's file, or a folder of images. Or drop it here.",
                         open_file, open_folder, sample)
        page.layout().insertLayout(page.layout().count() - 1, self._recent_box)
        return page

    def _work_page(self):
        work = QtWidgets.QSplitter(QtCore.Qt.Orientation.Horizontal, childrenCollapsible=False)
        left = QtWidgets.QWidget()
        left.setMinimumWidth(180)
        column = QtWidgets.QVBoxLayout(left)
        column.setContentsMargins(2 * theme.SPACE, theme.SPACE, theme.SPACE, theme.SPACE)
        column.setSpacing(theme.SPACE)
        row = FlowLayout()
        row.setContentsMargins(0, 0, 0, 0)
        for text, what, name in (("Open…", self.ask_file, "open"), ("Folder…", self.ask_folder, "open-folder"), ("Close", self.close_scan, "close")):
            button = QtWidgets.QPushButton(text, objectName=name)
            button.setProperty("small", True)
            button.clicked.connect(what)
            row.addWidget(button)
        column.addLayout(row)
        column.addWidget(self.list)
        body = QtWidgets.QWidget()
        known = QtWidgets.QVBoxLayout(body)
        known.setContentsMargins(0, theme.SPACE, theme.SPACE, 0)
        known.setSpacing(3 * theme.SPACE)
        known.addWidget(self.findings)
        known.addWidget(self.facts)
        known.addStretch(1)
        area = QtWidgets.QScrollArea(widgetResizable=True)
        area.setHorizontalScrollBarPolicy(QtCore.Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(body)
        column.addWidget(area, 1)
        right = QtWidgets.QWidget()
        layout = QtWidgets.QVBoxLayout(right)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.film, 1)
        steps = QtWidgets.QHBoxLayout()
        steps.setContentsMargins(2 * theme.SPACE, theme.SPACE, 2 * theme.SPACE, theme.SPACE)
        steps.addWidget(self.film.state_line, 1)
        steps.addWidget(self.find_axis)
        layout.addLayout(steps)
        work.addWidget(left)
        work.addWidget(right)
        work.setStretchFactor(1, 1)
        work.setSizes([240, 700])
        return work

    # What the window asks for

    def shown(self):
        if not self.session.scan:
            self._list_recent()
        elif self.session.facts:  # an axis may have been found meanwhile
            self.facts.show_facts(self.session.facts, self.session.axis())

    def open_scans(self, names):
        """Adds scans to the list, and chooses the first of them."""
        items = [self._list(str(pathlib.Path(name).absolute()) if os.path.exists(name) else str(name)) for name in names]
        if self.list.currentItem() is items[0]:
            self._choose(items[0], None)
        else:
            self.list.setCurrentItem(items[0])

    def ask_file(self):
        names, _ = QtWidgets.QFileDialog.getOpenFileNames(self, "Open scans", self._folder(), FILTER)
        if names:
            self.open_scans(names)

    def ask_folder(self):
        name = QtWidgets.QFileDialog.getExistingDirectory(self, "Open a folder of images", self._folder())
        if name:
            self.open_scans([name])

    def open_sample(self):
        """Its result goes to the home folder, as the sources are no place for it."""
        self.open_scans([str(SAMPLES / SAMPLE)])
        self.session.configuration.set("output", str(pathlib.Path.home() / f"{pathlib.Path(SAMPLE).stem}-slices.h5"))

    def close_scan(self):
        """Takes the chosen scan off the list; the next one is chosen."""
        row = self.list.currentRow()
        if row < 0:
            return
        path = self.list.item(row).data(QtCore.Qt.ItemDataRole.UserRole)
        self._kept.pop(path, None)
        blocked = self.list.blockSignals(True)
        self.list.takeItem(row)
        self.list.blockSignals(blocked)
        self._fit_list()
        if self.list.count():
            self._choose(self.list.currentItem(), None)
        else:
            self.session.configuration.update(dict.fromkeys(("scan", *self.session.values_of_scan())))
            self._know()

    # Inside

    def _folder(self):
        return str(pathlib.Path(self.session.scan or (self.session.recent or [str(pathlib.Path.home())])[0]).parent)

    def _list(self, path):
        """The item of a scan, which is made where there is none."""
        for row in range(self.list.count()):
            if self.list.item(row).data(QtCore.Qt.ItemDataRole.UserRole) == path:
                return self.list.item(row)
        item = QtWidgets.QListWidgetItem(path.rstrip("/").rpartition("/")[2])
        item.setData(QtCore.Qt.ItemDataRole.UserRole, path)
        item.setToolTip(path)
        blocked = self.list.blockSignals(True)
        self.list.addItem(item)
        self.list.blockSignals(blocked)
        self._fit_list()
        return item

    def _fit_list(self):
        """As high as its scans need, up to six."""
        self.list.setFixedHeight(min(6, max(2, self.list.count())) * (self.list.sizeHintForRow(0) + 2) + theme.SPACE)

    def _choose(self, item, _before):
        if item is None:
            return
        path = item.data(QtCore.Qt.ItemDataRole.UserRole)
        last = self.session.configuration.values.get("scan")
        if last and last != path:
            self._kept[last] = self.session.values_of_scan()
        self.session.open_scan(path, self._kept.get(path) if last != path else None)

    def _list_recent(self):
        while self._recent_box.count():
            self._recent_box.takeAt(0).widget().deleteLater()
        for name in self.session.recent[:6]:
            button = QtWidgets.QPushButton(name, flat=True, objectName="recent")
            button.clicked.connect(lambda _=False, name=name: self.open_scans([name]))
            self._recent_box.addWidget(button, 0, QtCore.Qt.AlignmentFlag.AlignCenter)

    def _change(self, names):
        if self.session.facts and self._shown == self._read():
            self.film.change(names)
        if self.session.facts and names & {"axis", "axis-index", "axis-method"}:
            self.facts.show_facts(self.session.facts, self.session.axis())

    def _read(self):
        """Which files the images come from, and how many there are."""
        schema, facts = self.session.configuration.schema, self.session.facts
        return ({name: value for name, value in self.session.configuration.values.items() if schema[name]["x-section"] == "scan"},
                *(facts[name] for name in ("name", "kind", "width", "height", "projections", "flats", "flats-after", "darks")))

    def _know(self):
        session, facts = self.session, self.session.facts
        self._pages.setCurrentIndex(1 if session.scan else 0)
        if not session.scan:
            self._forget()
            self._list_recent()
            return
        item = self._list(session.scan)
        if self.list.currentItem() is not item:  # chosen elsewhere, as by settings from a file
            blocked = self.list.blockSignals(True)
            self.list.setCurrentItem(item)
            self.list.blockSignals(blocked)
        self.find_axis.setEnabled(bool(facts))
        if facts:
            self.facts.show_facts(facts, session.axis())
            self.findings.show_findings(facts["findings"])
            read = self._read()
            if self._shown != read:
                self._shown = read
                self.film.show_scan()
            else:
                self.film.know()
        elif session.problem:
            self._forget()
            self.findings.show_findings([{"name": "problem", "severity": "error", "text": session.problem, "advice": "Choose another scan."}])
            self.film.state_line.failed(session.problem, has_log=False)
        else:
            self._forget()
            self.film.state_line.working("The scan is read", can_cancel=False)

    def _forget(self):
        """What was known and shown of another scan."""
        self._shown = None
        self.film.clear()
        self.facts.show_facts(None)
        self.findings.show_findings(None)
