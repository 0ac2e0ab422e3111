# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The right side of a place: the settings, their files, and the same as a command or a pipeline."""

import json
import shlex

from gsttomo.faces.parameters import command_of
from pyqtgraph.Qt import QtCore, QtGui, QtWidgets

from . import theme
from .form import ParameterForm


class PipelineDialog(QtWidgets.QDialog):
    """The plan of tomo-reconstruct: its lines for gst-launch-1.0, and its graphs as JSON."""

    def __init__(self, session, parent=None):
        super().__init__(parent)
        self.setWindowTitle("The same as a pipeline")
        self.resize(840, 520)
        self._tabs = QtWidgets.QTabWidget()
        self.script, self.graph = (QtWidgets.QPlainTextEdit(readOnly=True) for _ in range(2))
        for text in (self.script, self.graph):
            text.setFont(QtGui.QFontDatabase.systemFont(QtGui.QFontDatabase.SystemFont.FixedFont))
        self._tabs.addTab(self.script, "Lines for a shell")
        self._tabs.addTab(self.graph, "JSON")
        copy = QtWidgets.QPushButton("Copy")
        copy.clicked.connect(lambda: QtWidgets.QApplication.clipboard().setText(self._tabs.currentWidget().toPlainText()))
        close = QtWidgets.QPushButton("Close")
        close.clicked.connect(self.accept)
        buttons = QtWidgets.QHBoxLayout()
        buttons.addStretch(1)
        buttons.addWidget(copy)
        buttons.addWidget(close)
        layout = QtWidgets.QVBoxLayout(self)
        layout.addWidget(self._tabs)
        layout.addLayout(buttons)
        self.script.setPlainText("The plan is made: the scan is inspected, and its axis is found if nothing tells it.")
        question = session.ask_program("tomo", "--dry-run", "--output", session.free_output())
        # Methods of this object, so that nobody calls them when the dialogue is gone.
        question.answered.connect(self._show)
        question.failed.connect(self._fail)

    def _fail(self, reason):
        self.script.setPlainText(f"There is no plan: {reason}")

    def _show(self, plan):
        self.script.setPlainText(plan.get("script") or "\n\n".join(slab["line"] for slab in plan["slabs"]))
        self.graph.setPlainText(json.dumps([slab["graph"] for slab in plan["slabs"]] if len(plan["slabs"]) > 1
                                           else plan["slabs"][0]["graph"], indent=2))


class SettingsPanel(QtWidgets.QWidget):
    """The form with what belongs to it."""

    def __init__(self, session, parent=None):
        super().__init__(parent)
        self.session = session
        configuration = session.configuration
        self.form = ParameterForm(configuration)
        bar = QtWidgets.QHBoxLayout()
        bar.setContentsMargins(2 * theme.SPACE, theme.SPACE, 2 * theme.SPACE, 0)
        bar.setSpacing(theme.SPACE)
        title = QtWidgets.QLabel("Settings")
        font = title.font()
        font.setBold(True)
        title.setFont(font)
        bar.addWidget(title)
        bar.addStretch(1)
        self._undo = self._button(bar, "Undo", configuration.undo)
        self._redo = self._button(bar, "Redo", configuration.redo)
        self._more = QtWidgets.QToolButton(text="File", autoRaise=True, objectName="settings-file",
                                           popupMode=QtWidgets.QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QtWidgets.QMenu(self._more)
        for text, what in (("Load settings…", self.ask_load), ("Save settings…", self.ask_save), ("All to defaults", self.reset),
                           (None, None), ("Copy command", self.copy_command), ("Show as pipeline…", self.show_pipeline)):
            menu.addAction(text, what) if text else menu.addSeparator()
        self._more.setMenu(menu)
        bar.addWidget(self._more)
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(bar)
        layout.addWidget(self.form, 1)
        configuration.changed.connect(lambda _: self._enable())
        self._enable()

    def ask_load(self):
        name, _ = QtWidgets.QFileDialog.getOpenFileName(self, "Load settings", "", "Settings (*.conf);;All files (*)")
        if name:
            self.load(name)

    def load(self, name):
        """Takes all settings from a reco.conf; the scan stays where the file names none."""
        scan = self.session.scan
        try:
            self.session.configuration.load(name)
        except ValueError as e:
            self.session.noted.emit("error", str(e))
            return
        if scan and not self.session.scan:
            self.session.configuration.set("scan", scan)
        self.session.noted.emit("info", f"settings of {name}")

    def ask_save(self):
        name, _ = QtWidgets.QFileDialog.getSaveFileName(self, "Save settings", "reco.conf", "Settings (*.conf)")
        if name:
            self.save(name)

    def save(self, name):
        try:
            self.session.configuration.save(name)
        except OSError as e:
            self.session.noted.emit("error", str(e))
        else:
            self.session.noted.emit("info",
                                    f"settings are in {name}. The same slices: tomo-reconstruct run --config {shlex.quote(str(name))} "
                                    f"--output {shlex.quote(self.session.free_output())}")

    def reset(self):
        """All but the scan."""
        kept = {name: value for name, value in self.session.configuration.values.items() if name in ("scan", "output")}
        self.session.configuration.update({name: kept.get(name) for name in self.session.configuration.values})

    def copy_command(self):
        QtWidgets.QApplication.clipboard().setText(command_of(self.session.description(output=self.session.free_output())))
        self.session.noted.emit("info", "the command is in the clipboard")

    def show_pipeline(self):
        self.dialog = PipelineDialog(self.session, self)
        self.dialog.setAttribute(QtCore.Qt.WidgetAttribute.WA_DeleteOnClose)
        self.dialog.open()

    def _button(self, bar, text, what):
        button = QtWidgets.QToolButton(text=text, autoRaise=True, objectName=text.lower())
        button.clicked.connect(what)
        bar.addWidget(button)
        return button

    def _enable(self):
        self._undo.setEnabled(self.session.configuration.can_undo)
        self._redo.setEnabled(self.session.configuration.can_redo)
