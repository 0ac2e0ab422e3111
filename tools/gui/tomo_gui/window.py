# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The main window: the rail of places, the head with the facts of the scan, settings, and the log."""

import importlib
import time

from gsttomo.faces.texts import axis_text, size_of, state_of
from pyqtgraph.Qt import QtCore, QtGui, QtWidgets

from . import theme
from .processes import Process
from .settings import SettingsPanel

# Modules and classes of the places, in the order of the work.
PLACES = (("scans", "ScansPlace"), ("axis", "AxisPlace"), ("reconstruct", "ReconstructPlace"), ("results", "ResultsPlace"),
          ("jobs", "JobsPlace"), ("flow", "FlowPlace"), ("live", "LivePlace"))
WITH_SETTINGS = {"Scans", "Axis", "Reconstruct"}
MOST_LINES = 5000  # of the log


class Head(QtWidgets.QFrame):
    """Facts of the chosen scan, in one line."""

    def __init__(self, session, parent=None):
        super().__init__(parent)
        self.setObjectName("head")
        self.session = session
        self._name = QtWidgets.QLabel(objectName="name")
        self._facts, self._axis, self._state = (QtWidgets.QLabel(objectName=name) for name in ("facts", "axis-of-scan", "state"))
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(2 * theme.SPACE, theme.SPACE, 2 * theme.SPACE, theme.SPACE)
        for label in (self._name, self._facts, self._axis):
            layout.addWidget(label)
        layout.addStretch(1)
        layout.addWidget(self._state)
        session.facts_changed.connect(self.show_facts)
        session.configuration.changed.connect(lambda _: self.show_facts())
        session.axis_known.connect(self.show_facts)
        for label in (self._name, self._facts):  # which gives way in a narrow window
            label.setMinimumWidth(40)
        self.show_facts()

    def show_facts(self):
        session, facts = self.session, self.session.facts
        scan = session.scan
        self._name.setText(scan.rstrip("/").rpartition("/")[2] or "No scan")
        self._name.setToolTip(scan)
        self._facts.setText(size_of(facts) if facts else "")
        self._axis.setText(axis_text(session.axis(), session.axis_uncertainty) if facts else "")
        word, tone = state_of(facts, session.problem) if scan else ("EMPTY", "")
        self._state.setText(word)
        theme.mark(self._state, "tone", tone)


class Window(QtWidgets.QMainWindow):
    def __init__(self, session):
        super().__init__()
        self.session = session
        self.setWindowTitle("gst-tomo")
        self.resize(1280, 800)
        self.setAcceptDrops(True)
        self.places, self._buttons = {}, {}
        self._pages = QtWidgets.QStackedWidget()
        self.settings = SettingsPanel(session)
        self._split = QtWidgets.QSplitter(QtCore.Qt.Orientation.Horizontal, childrenCollapsible=False)
        self._split.addWidget(self._pages)
        self._split.addWidget(self.settings)
        self._split.setStretchFactor(0, 1)
        self._split.setSizes([900, 340])
        self.settings.setMinimumWidth(280)
        self.log = QtWidgets.QPlainTextEdit(readOnly=True, visible=False, objectName="log", maximumBlockCount=MOST_LINES)
        self.log.setMaximumHeight(160)
        self._last = QtWidgets.QLabel(objectName="last-message")
        self._last.setSizePolicy(QtWidgets.QSizePolicy.Policy.Ignored, QtWidgets.QSizePolicy.Policy.Preferred)
        self._fold = QtWidgets.QToolButton(text="Log", checkable=True, autoRaise=True, objectName="show-log")
        self._fold.toggled.connect(self.log.setVisible)
        foot = QtWidgets.QHBoxLayout()
        foot.setContentsMargins(2 * theme.SPACE, 0, 2 * theme.SPACE, 0)
        foot.addWidget(self._last, 1)
        foot.addWidget(self._fold)
        inner = QtWidgets.QVBoxLayout()
        inner.setContentsMargins(0, 0, 0, 0)
        inner.setSpacing(0)
        inner.addWidget(Head(session))
        inner.addWidget(self._split, 1)
        inner.addWidget(self.log)
        inner.addLayout(foot)
        body = QtWidgets.QWidget()
        outer = QtWidgets.QHBoxLayout(body)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        outer.addWidget(self._rail())
        outer.addLayout(inner, 1)
        self.setCentralWidget(body)
        self._menus()
        session.noted.connect(self.note)
        session.calmed.connect(self._calm)
        session.facts_changed.connect(self._calm)
        session.jobs.failed.connect(lambda text: self.note("error", text))
        if session.jobs.problem:
            self.note("error", session.jobs.problem)
        session.opened.connect(self.open_result)
        session.place_wanted.connect(self.show_place)
        session.field_wanted.connect(self.show_field)
        session.log_wanted.connect(lambda: self._fold.setChecked(True))
        self.show_place("Scans")

    def show_place(self, title):
        """Brings a place to the front; it is made when it is wanted first."""
        place = self.places.get(title)
        if place is None:
            module, name = next(pair for pair in PLACES if pair[0] == title.lower())
            place = self.places[title] = getattr(importlib.import_module(f".{module}", __package__), name)(self.session)
            self._pages.addWidget(place)
        self._buttons[title].setChecked(True)
        self._pages.setCurrentWidget(place)
        self.settings.setVisible(title in WITH_SETTINGS)
        place.shown()
        return place

    def show_field(self, name):
        """Puts the cursor into the field of a parameter."""
        self.settings.show()
        self.settings.form.find(name)

    def open_result(self, name):
        self.show_place("Results").open(name)

    def note(self, level, text):
        """Writes a message to the log, and to the foot of the window."""
        self.log.appendPlainText(f"{time.strftime('%H:%M:%S')} {level}: {text}")
        self._last.setText({"error": "✕ ", "warning": "⚠ "}.get(level, "") + text.splitlines()[0])
        self._last.setToolTip(text)
        theme.mark(self._last, "tone", {"error": "failure", "warning": "warning"}.get(level, ""))

    def _calm(self):
        """The foot has no old error; the log keeps it."""
        self._last.clear()
        self._last.setToolTip("")

    def dragEnterEvent(self, event):  # noqa: N802
        if event.mimeData().hasUrls():
            event.acceptProposedAction()

    def dropEvent(self, event):  # noqa: N802
        names = [url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile()]
        if not names:
            return
        event.acceptProposedAction()
        title = next(title for title, button in self._buttons.items() if button.isChecked())
        place = self.places[title]
        if title in ("Results", "Flow"):
            place.open(names[0])
        else:
            self.show_place("Scans").open_scans(names)

    def closeEvent(self, event):  # noqa: N802
        for place in self.places.values():
            getattr(place, "close_place", lambda: None)()
        self.session.close()
        for process in [*self.findChildren(Process), *self.session.findChildren(Process)]:
            process.drop()
            process.waitForFinished(1000)
        super().closeEvent(event)

    def _rail(self):
        rail = QtWidgets.QFrame(objectName="rail")
        layout = QtWidgets.QVBoxLayout(rail)
        layout.setContentsMargins(0, theme.SPACE, 0, theme.SPACE)
        layout.setSpacing(0)
        group = QtWidgets.QButtonGroup(self)
        for number, (module, _) in enumerate(PLACES, 1):
            title = module.capitalize()
            button = QtWidgets.QToolButton(text=title, checkable=True, objectName=f"place-{module}", shortcut=f"Ctrl+{number}")
            button.setSizePolicy(QtWidgets.QSizePolicy.Policy.Expanding, QtWidgets.QSizePolicy.Policy.Fixed)
            button.setToolTip(f"{title} (Ctrl+{number})")
            button.clicked.connect(lambda _, title=title: self.show_place(title))
            group.addButton(button)
            layout.addWidget(button)
            self._buttons[title] = button
        layout.addStretch(1)
        return rail

    def _menus(self):
        file = self.menuBar().addMenu("&File")
        self._action(file, "Open scan…", lambda: self.show_place("Scans").ask_file(), "Open")
        self._action(file, "Open folder of images…", lambda: self.show_place("Scans").ask_folder())
        self._recent = file.addMenu("Open recent scan")
        self._recent.aboutToShow.connect(self._list_recent)
        self._action(file, "Open result…", lambda: self.show_place("Results").ask_file())
        file.addSeparator()
        self._action(file, "Load settings…", self.settings.ask_load)
        self._action(file, "Save settings…", self.settings.ask_save, "Save")
        self._action(file, "Copy command", self.settings.copy_command)
        self._action(file, "Show as pipeline…", self.settings.show_pipeline)
        file.addSeparator()
        self._action(file, "Quit", self.close, "Quit")
        edit = self.menuBar().addMenu("&Edit")
        self._action(edit, "Undo setting", self.session.configuration.undo, "Undo")
        self._action(edit, "Redo setting", self.session.configuration.redo, "Redo")
        view = self.menuBar().addMenu("&View")
        for name in ("dark", "light"):
            self._action(view, f"{name.capitalize()} theme", lambda name=name: self.use_theme(name))
        view.addSeparator()
        shown = view.addAction("Settings")
        shown.setShortcut("F9")
        shown.triggered.connect(lambda: self.settings.setVisible(not self.settings.isVisible()))
        log = view.addAction("Log")
        log.setShortcut("F8")
        log.triggered.connect(self._fold.toggle)

    def use_theme(self, name):
        theme.apply(name)
        theme.save(name)

    def _action(self, menu, text, what, key=None):
        action = menu.addAction(text)
        action.triggered.connect(lambda *_: what())
        if key:
            action.setShortcut(QtGui.QKeySequence(getattr(QtGui.QKeySequence.StandardKey, key)))

    def _list_recent(self):
        self._recent.clear()
        for name in self.session.recent:
            action = self._recent.addAction(name)
            action.triggered.connect(lambda _=False, name=name: self.show_place("Scans").open_scans([name]))
        if not self._recent.actions():
            self._recent.addAction("None yet").setEnabled(False)
