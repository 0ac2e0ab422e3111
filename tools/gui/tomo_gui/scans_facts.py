# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is known about a scan: its facts, and findings with what can be done about them."""

from gsttomo.faces.parameters import parameters_in
from gsttomo.faces.texts import ORDER, SIGNS, facts_of, in_form
from pyqtgraph.Qt import QtCore, QtWidgets

from . import theme



class FactsTable(QtWidgets.QWidget):
    def __init__(self, parent=None):
        super().__init__(parent)
        self._rows = QtWidgets.QFormLayout(self)
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._rows.setSpacing(theme.SPACE // 2)
        self._rows.setLabelAlignment(QtCore.Qt.AlignmentFlag.AlignLeft)
        self.lines = []

    def show_facts(self, facts, axis=None):
        lines = facts_of(facts, axis) if facts else []
        if lines == self.lines:
            return
        self.lines = lines
        while self._rows.rowCount():
            self._rows.removeRow(0)
        for name, value in self.lines:
            label = QtWidgets.QLabel(name)
            label.setProperty("faint", True)
            said = QtWidgets.QLabel(value, wordWrap=True, textInteractionFlags=QtCore.Qt.TextInteractionFlag.TextSelectableByMouse)
            self._rows.addRow(label, said)


class FindingWidget(QtWidgets.QFrame):
    """One finding: its severity by word, colour and shape, what to do, and buttons for it."""

    def __init__(self, session, finding, parent=None):
        super().__init__(parent)
        self.session, self.name = session, finding["name"]
        self.setObjectName(f"finding-{self.name}")
        sign, tone = SIGNS[finding["severity"]]
        self.sign = QtWidgets.QLabel(sign)
        theme.mark(self.sign, "tone", tone)
        text = QtWidgets.QLabel(in_form(finding["text"]), wordWrap=True)
        advice = QtWidgets.QLabel(in_form(finding["advice"]), wordWrap=True)
        advice.setProperty("faint", True)
        column = QtWidgets.QVBoxLayout(self)
        column.setContentsMargins(0, theme.SPACE, 0, theme.SPACE)
        column.setSpacing(theme.SPACE // 2)
        for label in (self.sign, text, advice):
            label.setSizePolicy(QtWidgets.QSizePolicy.Policy.Ignored, QtWidgets.QSizePolicy.Policy.Preferred)
            column.addWidget(label)
        self.buttons = []
        if finding["severity"] == "error" and self.name != "problem":  # a file that can't be read is no matter of opinion
            self._ignore = self._button(column, "Ignore", "The reconstruction goes on all the same", self._toggle)
            self._ignore.setCheckable(True)
            self._ignore.setChecked(self.name in ignored(session))
        for name in parameters_in(finding["advice"], session.configuration.schema):
            if name not in ("sinograms", "ignore"):
                self._button(column, f"Set {name}…", session.configuration.schema[name]["description"],
                             lambda _=False, name=name: session.field_wanted.emit(name))

    def _button(self, column, text, tip, clicked):
        button = QtWidgets.QPushButton(text, toolTip=tip)
        button.clicked.connect(clicked)
        column.addWidget(button, 0, QtCore.Qt.AlignmentFlag.AlignLeft)
        self.buttons.append(button)
        return button

    def _toggle(self, is_ignored):
        names = [name for name in ignored(self.session) if name != self.name] + [self.name] * is_ignored
        self.session.configuration.set("ignore", ",".join(names))


def ignored(session):
    return [name.strip() for name in session.configuration.values.get("ignore", "").split(",") if name.strip()]


class FindingsList(QtWidgets.QWidget):
    """The worst first."""

    def __init__(self, session, parent=None):
        super().__init__(parent)
        self.session = session
        self.title = QtWidgets.QLabel()
        font = self.title.font()
        font.setBold(True)
        self.title.setFont(font)
        self._column = QtWidgets.QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(theme.SPACE)
        self._column.addWidget(self.title)
        self.findings = []

    def show_findings(self, findings):
        for widget in self.findings:
            self._column.removeWidget(widget)
            widget.deleteLater()
        self.findings = [FindingWidget(self.session, finding) for finding in sorted(findings or [], key=lambda f: ORDER.index(f["severity"]))]
        for widget in self.findings:
            self._column.addWidget(widget)
        self.title.setText("" if findings is None else f"Findings: {len(findings)}" if findings else "Nothing is wrong")

    def finding(self, name):
        return next((widget for widget in self.findings if widget.name == name), None)
