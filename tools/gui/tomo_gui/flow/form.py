# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The properties of the chosen node: name, value, unit, and what each is for. Wrong values stay in the field, with what is
wanted; the document keeps the last right one."""

from pyqtgraph.Qt import QtCore, QtWidgets

from .. import theme
from .catalogue import unit_of
from .document import A_FILE, Refused
from .values import Wrong, parsed, shown

FILES = ("filename", "path", "location", "darks", "flats", "angles", "kernel-file")


def default_of(info):
    """In words; one that stands for "automatic" says so, and no number that nobody would type."""
    default, text = info["default"], shown(info, info["default"])
    if isinstance(default, float) and abs(default) > 1e30:
        return "automatic"
    if any(one["minimum"] <= default <= one["maximum"] for one in info.get("automatic", ())):
        return f"{text} (automatic)"
    return text


class _NoWheel(QtWidgets.QComboBox):
    """The wheel scrolls the form, and changes nothing on the way."""

    def wheelEvent(self, event):
        event.ignore()


class Row(QtWidgets.QWidget):
    """One property."""

    edited = QtCore.Signal(str, object)
    asked = QtCore.Signal(str, object)  # where its values may come from, at this place of the screen

    def __init__(self, info, parent=None):
        super().__init__(parent)
        self.info = info
        self.setObjectName(f"row-{info['name']}")
        self.label = QtWidgets.QLabel(info["name"])
        self.label.setMinimumWidth(120)
        self.editor = self._make_editor()
        self.editor.setObjectName(info["name"])
        self.unit = QtWidgets.QLabel(unit_of(info), objectName="faint")
        self.reset = QtWidgets.QToolButton(text="\u21ba", autoRaise=True)
        self.reset.setToolTip(f"Default: {default_of(info) or 'not set'}")
        policy = self.reset.sizePolicy()
        policy.setRetainSizeWhenHidden(True)  # so that fields stay below each other
        self.reset.setSizePolicy(policy)
        self.unit.setFixedWidth(28)
        self.wrong = QtWidgets.QLabel(wordWrap=True)
        self.wrong.setProperty("tone", "failure")
        self.wrong.hide()
        layout = QtWidgets.QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setHorizontalSpacing(4)
        layout.setVerticalSpacing(0)
        layout.setColumnStretch(1, 1)
        layout.addWidget(self.label, 0, 0)
        layout.addWidget(self.editor, 0, 1)
        column = 2
        if info["type"] == "string" and info["name"] in FILES:
            choose = QtWidgets.QToolButton(text="...", autoRaise=True)
            choose.setToolTip("Choose a file")
            choose.clicked.connect(self._choose_file)
            layout.addWidget(choose, 0, column)
        layout.addWidget(self.unit, 0, 3)
        layout.addWidget(self.reset, 0, 4)
        layout.addWidget(self.wrong, 1, 0, 1, 5)
        default = default_of(info)
        tip = f"<p>{info['description']}</p><p>{info['values']}" + (f"; default {default}" if default else "") + "</p>"
        if info["type"] in ("integer", "number"):
            tip += "<p>Right click on the name: take its values from what another node finds out</p>"
            self.label.setContextMenuPolicy(QtCore.Qt.ContextMenuPolicy.CustomContextMenu)
            self.label.customContextMenuRequested.connect(lambda at: self.asked.emit(info["name"], self.label.mapToGlobal(at)))
        for widget in (self.label, self.editor):
            widget.setToolTip(tip)
        self.reset.clicked.connect(self._reset)

    def _make_editor(self):
        info = self.info
        if info["type"] == "boolean":
            box = QtWidgets.QCheckBox()
            box.toggled.connect(lambda on: self.edited.emit(info["name"], None if on == info["default"] else on))
            return box
        if info["type"] == "enum":
            box = _NoWheel()
            box.setFocusPolicy(QtCore.Qt.FocusPolicy.StrongFocus)
            box.setSizeAdjustPolicy(QtWidgets.QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            box.setMinimumContentsLength(8)
            for number, choice in enumerate(info["choices"]):
                box.addItem(choice["name"])
                box.setItemData(number, choice["description"], QtCore.Qt.ItemDataRole.ToolTipRole)
            box.activated.connect(lambda: self.edited.emit(info["name"], None if box.currentText() == info["default"] else box.currentText()))
            return box
        line = QtWidgets.QLineEdit()
        line.setPlaceholderText(default_of(info))
        line.textEdited.connect(self._typed)
        return line

    def _typed(self, text):
        try:
            value = parsed(self.info, text)
        except Wrong as error:
            return self._show_wrong(str(error))
        self._show_wrong("")
        self.edited.emit(self.info["name"], value)

    def _reset(self):
        if isinstance(self.editor, QtWidgets.QLineEdit):
            self.editor.clear()
            self._show_wrong("")
        self.edited.emit(self.info["name"], None)

    def _show_wrong(self, text):
        self.reset.setVisible(bool(text) or self.label.font().bold())
        self.wrong.setText(text)
        self.wrong.setVisible(bool(text))
        theme.mark(self.editor, "wrong", "true" if text else "")

    def show_missing(self, is_missing, example):
        """A value that has to be given."""
        self.editor.setPlaceholderText(example)
        if is_missing != self._is_missing:
            self._is_missing = is_missing
            self._show_wrong("Missing: where the arrays are written" if is_missing else "")
            self.reset.setVisible(not is_missing)

    _is_missing = False

    def _choose_file(self):
        ask = QtWidgets.QFileDialog.getSaveFileName if self.info["name"] == "filename" else QtWidgets.QFileDialog.getOpenFileName
        path, _ = ask(self, self.info["name"])
        if path:
            self.edited.emit(self.info["name"], path)

    def show_value(self, value, bound=""):
        """None: the default. bound: where its values come from instead."""
        is_default = value is None
        font = self.label.font()
        font.setBold(not is_default)
        self.label.setFont(font)
        self.reset.setVisible(not is_default)
        self.editor.setEnabled(not bound)
        self.editor.blockSignals(True)
        self._write(self.info["default"] if is_default else value, is_default, bound)
        self.editor.blockSignals(False)

    def _write(self, value, is_default, bound):
        if isinstance(self.editor, QtWidgets.QCheckBox):
            self.editor.setChecked(bool(value))
            self.editor.setText(bound)
        elif isinstance(self.editor, QtWidgets.QComboBox):
            self.editor.setCurrentText(str(value))
        elif bound:
            self.editor.setText(bound)
            self.editor.setCursorPosition(0)
        else:
            text = "" if is_default else shown(self.info, value)
            if not self._means(text):
                self.editor.setText(text)
                self._show_wrong("")

    def _means(self, text):
        """Whether what is written there means the same already, so that the cursor stays."""
        written = self.editor.text()
        if written == text:
            return True
        try:
            return self.editor.hasFocus() and bool(written) and parsed(self.info, written) == (parsed(self.info, text) if text else None)
        except Wrong:
            return self.editor.hasFocus()


class Form(QtWidgets.QWidget):
    refused = QtCore.Signal(str)
    describe = QtCore.Signal(str)  # the properties of this plugin are not known yet

    def __init__(self, document, parent=None):
        super().__init__(parent)
        self.document = document
        self.name, self._plugin, self._rows = None, None, {}
        self.title = QtWidgets.QLineEdit()
        self.title.setObjectName("node-name")
        self.title.setToolTip("The name of the node in the file")
        self.about = QtWidgets.QLabel(wordWrap=True)
        self.search = QtWidgets.QLineEdit(placeholderText="Search properties", clearButtonEnabled=True)
        self.search.setObjectName("search-properties")
        self.all = QtWidgets.QCheckBox("All")
        self.all.setToolTip("Also the properties that elements share")
        self.nothing = QtWidgets.QLabel("Choose a node to see its properties, or a link to see the arrays that pass it.", wordWrap=True)
        self.nothing.setAlignment(QtCore.Qt.AlignmentFlag.AlignTop)
        self.area = QtWidgets.QScrollArea(widgetResizable=True)
        self.area.setFrameShape(QtWidgets.QFrame.Shape.NoFrame)
        self.area.setHorizontalScrollBarPolicy(QtCore.Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        line = QtWidgets.QHBoxLayout()
        line.setSpacing(4)
        line.addWidget(self.search, 1)
        line.addWidget(self.all)
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(4, 8, 8, 4)
        layout.setSpacing(4)
        for widget in (self.title, self.about):
            layout.addWidget(widget)
        layout.addLayout(line)
        layout.addWidget(self.nothing)
        layout.addWidget(self.area, 1)
        self.title.editingFinished.connect(self._rename)
        self.search.textChanged.connect(self._filter)
        self.all.toggled.connect(self._filter)
        document.listeners.append(self.refresh)
        self.show_node(None)

    def row(self, key):
        return self._rows[key]

    def show_node(self, name):
        self.document.end_series()
        node = self.document.node(name) if name else None
        self.name = name if node else None
        for widget in (self.title, self.about, self.search, self.all, self.area):
            widget.setVisible(bool(node))
        self.nothing.setVisible(not node)
        if node:
            self._build(node)
        else:
            self._plugin = None

    def refresh(self):
        node = self.document.node(self.name) if self.name else None
        if node is None:
            return self.show_node(None) if self.name else None
        if node.plugin != self._plugin or not self._rows:
            return self._build(node)
        self._show_values(node)

    def _build(self, node):
        element = self.document.catalogue.find(node.plugin)
        self._plugin = node.plugin
        self.about.setText(element.description if element else f"There is no element {node.plugin} here. The file keeps its properties.")
        page = QtWidgets.QWidget()
        column = QtWidgets.QVBoxLayout(page)
        column.setContentsMargins(0, 0, 4, 0)
        column.setSpacing(4)
        self._rows = {}
        if element and element.description_of is None:
            column.addWidget(QtWidgets.QLabel("Asking tomo-query for the properties..."))
            self.describe.emit(element.plugin)
        for info in element.properties if element else ():
            row = self._rows[info["name"]] = Row(info)
            row.edited.connect(self._edited)
            row.asked.connect(self._offer_results)
            column.addWidget(row)
        column.addStretch(1)
        self.area.setWidget(page)
        self._show_values(node)
        self._filter()

    def _show_values(self, node):
        if not self.title.hasFocus() or self.title.text() == "":
            self.title.setText(node.name)
        bound = {b.property: f"from {b.result} of {b.source}" for b in self.document.bindings if b.target == node.name}
        for key, row in self._rows.items():
            row.show_value(node.properties.get(key), bound.get(key, ""))
        if node.plugin == "write" and "filename" in self._rows:
            self._rows["filename"].show_missing(not node.properties.get("filename"), A_FILE)

    def _filter(self):
        words = self.search.text().lower().split()
        node = self.document.node(self.name) if self.name else None
        for key, row in self._rows.items():
            text = f"{key} {row.info['description']}".lower()
            is_usual = row.info["own"] and key not in ("device", "batch") or (node and key in node.properties)
            row.setVisible(all(word in text for word in words) and bool(words or self.all.isChecked() or is_usual))

    def _edited(self, key, value):
        self.document.set_property(self.name, key, value)

    def _offer_results(self, key, place):
        """Numbers that other nodes find out, as values of the property."""
        document, name = self.document, self.name
        menu = QtWidgets.QMenu(self)
        for node in document.nodes:
            element = document.catalogue.find(node.plugin)
            for result in element.results if element and node.name != name else ():
                action = menu.addAction(f"{result['name']} of {node.name}")
                action.setToolTip(result["description"])
                action.triggered.connect(lambda *_, a=node.name, r=result["name"]: document.bind(a, r, name, key))
        if any((b.target, b.property) == (name, key) for b in document.bindings):
            menu.addAction("A value of its own").triggered.connect(lambda *_: document.bind(None, None, name, key))
        if not menu.actions():
            menu.addAction("No other node finds out a number").setEnabled(False)
        menu.setToolTipsVisible(True)
        menu.popup(place)
        self.menu = menu

    def _rename(self):
        if not self.name or self.title.text() == self.name:
            return
        old, new = self.name, self.title.text().strip()
        self.name = new
        try:
            self.document.rename(old, new)
        except Refused as why:
            self.name = old
            self.title.setText(old)
            self.refused.emit(str(why))
