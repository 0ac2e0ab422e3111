# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The form of the parameters, made from their schema."""

from gsttomo.faces.parameters import FILES, NOT_IN_FORM, TITLES, hint_of, text_of
from pyqtgraph.Qt import QtCore, QtWidgets

from . import theme

TYPING = 250  # ms behind the last key until a value counts


def tip_of(name, about):
    bounds = [text_of(about[bound]) if abs(about.get(bound, 1e300)) < 1e12 else "" for bound in ("minimum", "maximum")]
    parts = [f"<b>{name}</b>", about["description"]]
    if any(bounds):
        parts.append(" to ".join(bounds) if all(bounds) else f"at least {bounds[0]}" if bounds[0] else f"at most {bounds[1]}")
    parts.append(f"default: {hint_of(about) or 'none'}")
    return "<p style='width: 320px'>" + "<br>".join(parts) + "</p>"


class Field(QtWidgets.QWidget):
    """A parameter: its name, an editor, its unit, and the way back to the default.

    changed: with the text that a person has entered; "" is the default"""

    changed = QtCore.Signal(str)

    def __init__(self, name, about, parent=None):
        super().__init__(parent)
        self.name, self.about = name, about
        self._label = QtWidgets.QLabel(name)
        self._label.setSizePolicy(QtWidgets.QSizePolicy.Policy.Ignored, QtWidgets.QSizePolicy.Policy.Preferred)
        self._unit = QtWidgets.QLabel(about.get("x-unit", ""))
        theme.mark(self._unit, "faint", True)
        self._back = QtWidgets.QToolButton(text="↺", autoRaise=True)
        self._back.setToolTip(f"Back to the default of {name}")
        self._back.setAccessibleName(f"Default of {name}")
        self._back.clicked.connect(lambda: self.changed.emit(""))
        self._problem = QtWidgets.QLabel(wordWrap=True, visible=False)
        theme.mark(self._problem, "tone", "failure")
        layout = QtWidgets.QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, theme.SPACE)
        layout.setSpacing(theme.SPACE)
        layout.addWidget(self._label, 0, 0)
        layout.addLayout(self._edited(), 0, 1)
        layout.addWidget(self._back, 0, 2)
        layout.addWidget(self._problem, 1, 0, 1, 3)
        layout.setColumnStretch(0, 5)
        layout.setColumnStretch(1, 6)
        for widget in (self._label, self.editor):
            widget.setToolTip(tip_of(name, about))
        self.editor.setAccessibleName(name)
        self.editor.setObjectName(f"field-{name}")
        self.show_text("")

    def show_text(self, text):
        """Shows the value; "" is the default."""
        font = self._label.font()
        font.setBold(text != "")
        self._label.setFont(font)
        self._back.setEnabled(text != "")
        self.say(None)
        self._show(text)

    def say(self, problem):
        """Tells why the text is no value, or None."""
        self._problem.setText(problem or "")
        self._problem.setVisible(bool(problem))
        if isinstance(self.editor, QtWidgets.QLineEdit):
            theme.mark(self.editor, "wrong", bool(problem))

    def matches(self, words):
        text = f"{self.name} {self.about['description']}".lower()
        return all(word in text for word in words)

    def _edited(self):
        """Makes the editor; subclasses differ."""
        raise NotImplementedError

    def _show(self, text):
        raise NotImplementedError


class TextField(Field):
    """A number or a text."""

    def _edited(self):
        self.editor = QtWidgets.QLineEdit(placeholderText=hint_of(self.about))
        self._pause = QtCore.QTimer(self, singleShot=True, interval=TYPING)
        self._pause.timeout.connect(self._enter)
        self.editor.textEdited.connect(lambda _: self._pause.start())
        self.editor.editingFinished.connect(self._enter)
        row = QtWidgets.QHBoxLayout()
        row.addWidget(self.editor, 1)
        row.addWidget(self._unit)
        if self.name in FILES:
            choose = QtWidgets.QToolButton(text="…", autoRaise=True)
            choose.setAccessibleName(f"Choose a file for {self.name}")
            choose.clicked.connect(self._choose)
            row.addWidget(choose)
        self._shown = ""
        return row

    def _show(self, text):
        self._shown = text
        # Nobody's typing is overwritten by the same number in other digits.
        if not (self.editor.hasFocus() and self.editor.text().strip() and same_number(self.editor.text(), text)):
            self.editor.setText(text)

    def _enter(self):
        self._pause.stop()
        text = self.editor.text().strip()
        if text != self._shown:
            self._shown = text
            self.changed.emit(text)

    def _choose(self):
        name, _ = QtWidgets.QFileDialog.getOpenFileName(self, f"{self.name}: a file", self.editor.text())
        if name:
            self.changed.emit(name)


class ChoiceField(Field):
    """One of several words, or yes and no."""

    def _edited(self):
        self.editor = QtWidgets.QComboBox()
        self.editor.setSizePolicy(QtWidgets.QSizePolicy.Policy.Ignored, QtWidgets.QSizePolicy.Policy.Fixed)
        self._words = self.about.get("enum") or ["true", "false"]
        for word in self._words:
            self.editor.addItem({"true": "yes", "false": "no"}.get(word, word) if self.about["type"] == "boolean" else word, word)
        self.editor.activated.connect(self._enter)
        # A wheel that moves the form changes no value.
        self.editor.setFocusPolicy(QtCore.Qt.FocusPolicy.StrongFocus)
        self.editor.installEventFilter(self)
        row = QtWidgets.QHBoxLayout()
        row.addWidget(self.editor, 1)
        row.addWidget(self._unit)
        return row

    def eventFilter(self, watched, event):  # noqa: N802
        if event.type() == QtCore.QEvent.Type.Wheel and not self.editor.hasFocus():
            event.ignore()
            return True
        return super().eventFilter(watched, event)

    def _show(self, text):
        text = text or text_of(self.about.get("default", self._words[0]))
        self.editor.setCurrentIndex(max(0, self.editor.findData(text)))

    def _enter(self):
        word = self.editor.currentData()
        self.changed.emit("" if word == text_of(self.about.get("default")) else word)


def same_number(one, other):
    try:
        return float(one) == float(other)
    except ValueError:
        return one.strip() == other


def field_of(name, about, parent=None):
    kind = ChoiceField if "enum" in about or about["type"] == "boolean" else TextField
    return kind(name, about, parent)


class Section(QtWidgets.QWidget):
    """Parameters that belong together; folded by a click."""

    def __init__(self, name, title, parent=None):
        super().__init__(parent)
        self.name, self.fields = name, []
        self._head = QtWidgets.QToolButton(text=title, checkable=True, checked=False)
        self._head.setToolButtonStyle(QtCore.Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self._head.setProperty("section", True)
        self._head.setObjectName(f"section-{name}")
        self._head.toggled.connect(self.unfold)
        self._body = QtWidgets.QWidget(visible=False)
        self._rows = QtWidgets.QVBoxLayout(self._body)
        self._rows.setContentsMargins(2 * theme.SPACE, 0, 0, 0)
        self._rows.setSpacing(0)
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._head)
        layout.addWidget(self._body)
        self.unfold(False)

    def add(self, field):
        self.fields.append(field)
        self._rows.addWidget(field)

    def unfold(self, is_open):
        self._head.setChecked(is_open)
        self._head.setArrowType(QtCore.Qt.ArrowType.DownArrow if is_open else QtCore.Qt.ArrowType.RightArrow)
        self._body.setVisible(is_open)

    def choose(self, wanted):
        """Shows those fields alone that are wanted. Returns whether there is one."""
        for field in self.fields:
            field.setVisible(wanted(field))
        has_any = any(wanted(field) for field in self.fields)
        self.setVisible(has_any)
        return has_any


class ParameterForm(QtWidgets.QWidget):
    """All parameters by their sections, with a search, bound to a Configuration."""

    OPEN = ("reconstruction", "axis", "flat-correction")

    def __init__(self, configuration, parent=None, titles=TITLES, without=NOT_IN_FORM, unfolded=OPEN):
        super().__init__(parent)
        self.configuration = configuration
        self.fields, self.sections = {}, {}
        self._search = QtWidgets.QLineEdit(placeholderText="Search settings", clearButtonEnabled=True, objectName="search")
        self._advanced = QtWidgets.QCheckBox("Advanced", objectName="advanced")
        self._changed_only = QtWidgets.QCheckBox("Changed", objectName="changed-only")
        self._empty = QtWidgets.QLabel("No setting has this word.", visible=False, alignment=QtCore.Qt.AlignmentFlag.AlignCenter)
        body = QtWidgets.QWidget()
        rows = QtWidgets.QVBoxLayout(body)
        rows.setContentsMargins(2 * theme.SPACE, 0, 2 * theme.SPACE, 0)
        rows.setSpacing(theme.SPACE)
        for name, about in configuration.schema.items():
            if name in without:
                continue
            section = self.sections.get(about["x-section"])
            if not section:
                section = self.sections[about["x-section"]] = Section(about["x-section"], titles.get(about["x-section"], about["x-section"]))
                rows.addWidget(section)
            field = self.fields[name] = field_of(name, about)
            field.changed.connect(lambda text, field=field: self._enter(field, text))
            section.add(field)
        rows.addStretch(1)
        area = QtWidgets.QScrollArea(widgetResizable=True)
        area.setHorizontalScrollBarPolicy(QtCore.Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(body)
        top = QtWidgets.QHBoxLayout()
        top.setContentsMargins(2 * theme.SPACE, theme.SPACE, 2 * theme.SPACE, 0)
        for widget in (self._search, self._advanced, self._changed_only):
            top.addWidget(widget)
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(top)
        layout.addWidget(self._empty)
        layout.addWidget(area, 1)
        for name in unfolded:
            self.sections[name].unfold(True)
        self._search.textChanged.connect(self._choose)
        self._advanced.toggled.connect(self._choose)
        self._changed_only.toggled.connect(self._choose)
        configuration.changed.connect(self._show)
        self._choose()

    def find(self, name):
        """Shows a field and puts the cursor there."""
        field = self.fields[name]
        if field.about["x-level"] == "advanced":
            self._advanced.setChecked(True)
        self._search.clear()
        self.sections[field.about["x-section"]].unfold(True)
        self.findChild(QtWidgets.QScrollArea).ensureWidgetVisible(field)
        field.editor.setFocus()

    def _enter(self, field, text):
        try:
            self.configuration.set(field.name, text)
        except ValueError as e:
            field.say(str(e))
        else:
            if field.name not in self.configuration.values:
                field.show_text("")

    def _show(self, names):
        for name in names & self.fields.keys():
            self.fields[name].show_text(self.configuration.text(name))
        if self._changed_only.isChecked():
            self._choose()

    def _choose(self):
        words = self._search.text().lower().split()
        found = False
        for section in self.sections.values():
            has_any = section.choose(lambda field: (
                field.matches(words) and (not self._changed_only.isChecked() or not self.configuration.is_default(field.name))
                and (bool(words) or self._advanced.isChecked() or field.about["x-level"] == "basic"
                     or not self.configuration.is_default(field.name))))
            found = found or has_any
            if has_any and (words or self._changed_only.isChecked()):
                section.unfold(True)
        self._empty.setVisible(not found)


