# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The four states that every place has: empty, working, failed, done."""

from pyqtgraph.Qt import QtCore, QtWidgets

from . import theme


class StateLine(QtWidgets.QWidget):
    """One line below a picture: what is made and how far it is, or the first cause of a failure and what to do. The picture stays."""

    cancelled = QtCore.Signal()
    log_wanted = QtCore.Signal()

    def __init__(self, parent=None):
        super().__init__(parent)
        self.state = "empty"
        self._text = QtWidgets.QLabel(wordWrap=True, textInteractionFlags=QtCore.Qt.TextInteractionFlag.TextSelectableByMouse)
        self._bar = QtWidgets.QProgressBar(visible=False, maximumWidth=220)
        self._cancel = QtWidgets.QPushButton("Cancel", visible=False)
        self._log = QtWidgets.QPushButton("Show log", visible=False)
        self._cancel.clicked.connect(self.cancelled)
        self._log.clicked.connect(self.log_wanted)
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(2 * theme.SPACE, theme.SPACE, 2 * theme.SPACE, theme.SPACE)
        layout.addWidget(self._text, 1)
        for widget in (self._bar, self._cancel, self._log):
            layout.addWidget(widget)

    def empty(self, text):
        """What to do first."""
        self._set("empty", text)

    def working(self, text, done=0, total=0, can_cancel=True):
        """What is made; total 0: nobody knows how long."""
        self._set("working", text, cancel=can_cancel)
        self._bar.setVisible(True)
        self._bar.setRange(0, total)
        self._bar.setValue(done)

    def failed(self, text, has_log=True):
        """The first cause."""
        self._set("failed", f"Failed: {text}", "failure", log=has_log)

    def stale(self):
        """Something else is wanted than what is shown."""
        self._set("stale", "The picture is older than the settings.", "warning")

    def done(self, text=""):
        self._set("done", text)

    def set_tone(self, tone):
        """Of a line that has a warning in it although work goes on: warning or failure."""
        theme.mark(self._text, "tone", tone)

    @property
    def text(self):
        return self._text.text()

    def _set(self, state, text, tone="", cancel=False, log=False):
        self.state = state
        self._text.setText(text)
        theme.mark(self._text, "tone", tone)
        self._bar.setVisible(False)
        self._cancel.setVisible(cancel)
        self._log.setVisible(log)


class EmptyPage(QtWidgets.QWidget):
    """A place without anything: says what to do first, with buttons."""

    def __init__(self, text, *buttons, parent=None):
        super().__init__(parent)
        self.setObjectName("empty")
        said = QtWidgets.QLabel(text, alignment=QtCore.Qt.AlignmentFlag.AlignCenter, wordWrap=True)
        row = QtWidgets.QHBoxLayout()
        row.addStretch(1)
        for button in buttons:
            row.addWidget(button)
        row.addStretch(1)
        layout = QtWidgets.QVBoxLayout(self)
        layout.setSpacing(4 * theme.SPACE)
        layout.addStretch(1)
        layout.addWidget(said)
        layout.addLayout(row)
        layout.addStretch(1)


def next_button(text):
    """The next step of a place, of which there is one."""
    button = QtWidgets.QPushButton(text)
    button.setProperty("next", True)
    return button
