# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The line of tools of the place Flow, and its keys. They are Flow's while something in it has the focus; elsewhere the same
keys are the window's (Ctrl+O opens a scan there)."""

from pyqtgraph.Qt import QtCore, QtGui, QtWidgets

KEY_EVENT = QtCore.QEvent.Type.ShortcutOverride
QAction = getattr(QtGui, "QAction", None) or QtWidgets.QAction


class Sentence(QtWidgets.QLabel):
    """One line, which is cut where it does not fit; its tip has all of it."""

    def setText(self, text):
        super().setText(text)
        self.setToolTip(text)

    def minimumSizeHint(self):
        return QtCore.QSize(40, super().minimumSizeHint().height())

    def paintEvent(self, event):
        painter = QtGui.QPainter(self)
        painter.setPen(self.palette().color(self.foregroundRole()))
        text = self.fontMetrics().elidedText(self.text(), QtCore.Qt.TextElideMode.ElideRight, self.width())
        painter.drawText(self.rect(), int(QtCore.Qt.AlignmentFlag.AlignVCenter | QtCore.Qt.AlignmentFlag.AlignLeft), text)
        painter.end()


class Tools(QtWidgets.QToolBar):
    def __init__(self, entries, parent=None):
        """entries: (text, slot, key, whether only for the canvas), or None between groups. None for the last: a key without a
        button here."""
        super().__init__(parent)
        self.setToolButtonStyle(QtCore.Qt.ToolButtonStyle.ToolButtonTextOnly)
        self.by_name, self._keys = {}, []
        for entry in entries:
            if entry is None:
                self.addSeparator()
                continue
            text, slot, key, of_canvas = entry
            name = text.strip("\u2026")
            action = self.by_name[name] = QAction(text, self)
            action.triggered.connect(lambda *_, slot=slot: slot())
            if of_canvas is not None:
                self.addAction(action)
                self.widgetForAction(action).setObjectName(name.lower().replace(" ", "-"))
            if key:
                sequences = QtGui.QKeySequence.keyBindings(key) if not isinstance(key, str) else [QtGui.QKeySequence(key)]
                self._keys.append((sequences, action, of_canvas))
            self.tell(name)

    def tell(self, name, more=""):
        """The tip of a tool: its name, more about it, and its key."""
        action = self.by_name[name]
        keys = next((sequences for sequences, one, _ in self._keys if one is action), [])
        action.setToolTip(f"{name}{' ' + more if more else ''}" + (f" ({keys[0].toString()})" if keys else ""))

    def action_of(self, event, in_canvas):
        """The tool that a key press means."""
        if event.key() in (QtCore.Qt.Key.Key_unknown, QtCore.Qt.Key.Key_Control, QtCore.Qt.Key.Key_Shift, QtCore.Qt.Key.Key_Alt):
            return None
        pressed = QtGui.QKeySequence(event.keyCombination() if hasattr(event, "keyCombination") else int(event.modifiers()) | event.key())
        return next((action for sequences, action, of_canvas in self._keys if pressed in sequences and (in_canvas or not of_canvas)), None)
