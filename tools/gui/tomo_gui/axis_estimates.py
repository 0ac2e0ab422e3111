# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The axis as methods find it, how sure they are, and their curves."""

import numpy as np
import pyqtgraph
from gsttomo.faces import axis as axis_facts
from gsttomo.faces.parameters import NOT_OF_ESTIMATES, OF_ESTIMATES
from pyqtgraph.Qt import QtCore, QtWidgets

from . import theme

COLUMNS = ("Method", "Axis", "±", "Tilt °")


def plot(title):
    widget = pyqtgraph.PlotWidget(background=theme.SURROUND)
    widget.hideButtons()
    widget.setMenuEnabled(False)
    widget.setMouseEnabled(False, False)
    widget.setMinimumHeight(110)
    for side in ("left", "bottom"):
        axis = widget.getAxis(side)
        axis.setPen(theme.ON_SURROUND)
        axis.setTextPen(theme.ON_SURROUND)
        axis.enableAutoSIPrefix(False)
    widget.setLabel("bottom", title, color=theme.ON_SURROUND)
    return widget


class Estimates(QtWidgets.QWidget):
    """taken: with axis, uncertainty, and the roll in degrees or None"""

    taken = QtCore.Signal(float, object, object)

    def __init__(self, session, parent=None):
        super().__init__(parent)
        self.session = session
        self.methods = session.configuration.schema["axis-method"]["enum"]
        self.found, self.failed = {}, {}  # by method: what estimate --json says; why there is nothing
        self.old = set()  # methods whose answers belong to other settings
        self._question, self._waiting, self._running = None, [], None
        self.table = QtWidgets.QTableWidget(len(self.methods), len(COLUMNS), objectName="estimates")
        self.table.setHorizontalHeaderLabels(COLUMNS)
        self.table.verticalHeader().hide()
        self.table.setSelectionBehavior(QtWidgets.QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QtWidgets.QAbstractItemView.SelectionMode.SingleSelection)
        self.table.setEditTriggers(QtWidgets.QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setShowGrid(False)
        head = self.table.horizontalHeader()
        head.setSectionResizeMode(QtWidgets.QHeaderView.ResizeMode.ResizeToContents)
        head.setSectionResizeMode(0, QtWidgets.QHeaderView.ResizeMode.Stretch)
        self.table.verticalHeader().setDefaultSectionSize(24)
        self.table.setFixedHeight(24 * len(self.methods) + 34)
        self.table.itemSelectionChanged.connect(self._select)
        self.find = QtWidgets.QPushButton("Find", objectName="find-methods", toolTip="By the methods that serve this scan")
        self.find.clicked.connect(lambda: self.ask(["auto"]))
        self.all = QtWidgets.QPushButton("All methods", objectName="all-methods", toolTip="Each by itself, one after the other")
        self.all.clicked.connect(lambda: self.ask([name for name in self.methods if name not in axis_facts.WITHOUT_SEARCH]))
        self.stop = QtWidgets.QPushButton("Cancel", visible=False, objectName="cancel-methods")
        self.stop.clicked.connect(self.cancel)
        self.said = QtWidgets.QLabel(wordWrap=True)
        self.curve, self.rows = plot("axis (px)"), plot("axis (px)")
        self.rows.setLabel("left", "row", color=theme.ON_SURROUND)
        self.rows.invertY(True)
        self.tilted = QtWidgets.QCheckBox("with tilt", objectName="with-tilt")
        self.tilted.setToolTip("Takes the tilt as the roll that projections are rotated by")
        self.take = QtWidgets.QPushButton("Take", objectName="take")
        self.take.clicked.connect(self._take)
        for button in (self.find, self.all, self.stop, self.take):
            button.setProperty("small", True)
        column = QtWidgets.QVBoxLayout(self)
        column.setContentsMargins(theme.SPACE, theme.SPACE, 2 * theme.SPACE, theme.SPACE)
        column.setSpacing(theme.SPACE)
        row = QtWidgets.QHBoxLayout()
        row.setSpacing(theme.SPACE)
        for widget in (self.find, self.all, self.stop):
            row.addWidget(widget)
        row.addStretch(1)
        column.addLayout(row)
        column.addWidget(self.table)
        column.addWidget(self.said)
        self._titles = {self.curve: QtWidgets.QLabel(), self.rows: QtWidgets.QLabel("Axis in each row")}
        for widget, label in self._titles.items():
            label.setProperty("faint", True)
            column.addWidget(label)
            column.addWidget(widget, 1)
        self._none = QtWidgets.QLabel("Find shows what a method compares, and the axis in each row.", wordWrap=True)
        self._none.setProperty("faint", True)
        column.addWidget(self._none)
        column.addStretch(0)
        row = QtWidgets.QHBoxLayout()
        row.addWidget(self.tilted)
        row.addStretch(1)
        row.addWidget(self.take)
        column.addLayout(row)
        self.clear()

    def clear(self):
        """Begins with another scan."""
        self.cancel()
        self.found, self.failed, self.old = {}, {}, set()
        facts = self.session.facts
        if facts:
            self.found["middle"] = {"axis-px": facts["width"] / 2, "method": "middle"}
            if "axis" in facts:
                self.found["scan"] = {"axis-px": facts["axis"], "method": "scan"}
        self._fill()
        self.table.clearSelection()
        self._draw(None)

    def ask(self, methods):
        """Has the axis found by each of these methods, one after the other."""
        self.cancel()
        self.old |= self._searched() if "auto" in methods else self.found.keys() & set(methods)
        self._waiting = list(methods)
        self._next()
        self._select()

    def change(self, names):
        """Settings that decide what methods see have changed: what they found is older."""
        schema = self.session.configuration.schema
        if any(schema[name]["x-section"] in OF_ESTIMATES and name not in NOT_OF_ESTIMATES for name in names) and self._searched() - self.old:
            self.old |= self._searched()
            self._fill()

    def _searched(self):
        return set(self.found) - set(axis_facts.WITHOUT_SEARCH)

    def cancel(self):
        self._waiting = []
        if self._question:
            self._question.drop()
            self._question = self._running = None
        self._fill()
        self._select()

    def chosen(self):
        rows = self.table.selectionModel().selectedRows() if self.table.selectionModel() else []
        return self.methods[rows[0].row()] if rows else None

    def choose(self, method):
        self.table.selectRow(self.methods.index(method))

    def is_busy(self):
        return self._question is not None

    def _next(self):
        self._question = self._running = None
        if self._waiting:
            method = self._running = self._waiting.pop(0)
            self._question = self.session.ask_program("estimate", "--axis-method", method)
            self._question.answered.connect(lambda answer: self._know(method, answer))
            self._question.failed.connect(lambda reason: self._fail(method, reason))
        self._fill()

    def _know(self, method, answer):
        for name, one in axis_facts.answers_of(method, answer, self.found.keys() - self.old).items():
            self._forget(name)
            if "failure" in one:
                self.failed[name] = one["failure"]
            else:
                self.found[name] = one
        if method == "auto":  # what it did not ask again
            for name in self._searched() & self.old:
                self._forget(name)
        self._next()
        if not self.chosen() or method == "auto":
            self.choose(method)
        self._select()

    def _forget(self, method):
        self.found.pop(method, None)
        self.failed.pop(method, None)
        self.old.discard(method)

    def _fail(self, method, reason):
        self._forget(method)
        self.failed[method] = reason
        self.session.noted.emit("warning", f"{method}: {reason}")
        self._next()
        self._select()

    def _fill(self):
        for row, method in enumerate(self.methods):
            one = self.found.get(method)
            texts = [method, "", "", ""]
            if method == self._running:
                texts[1] = "…"
            elif one and "axis-px" in one:
                texts[1] = f"{one['axis-px']:.2f}"
                texts[2] = f"{one['uncertainty-px']:.2f}" if "uncertainty-px" in one else ""
                texts[3] = f"{one['tilt-degrees']:.2f}" if "tilt-degrees" in one else ""
            elif method in self.failed:
                texts[1] = "✕"
            for column, text in enumerate(texts):
                item = self.table.item(row, column)
                if item is None:
                    item = QtWidgets.QTableWidgetItem()
                    self.table.setItem(row, column, item)
                item.setText(text)
                font = item.font()
                font.setItalic(method in self.old)
                item.setFont(font)
                item.setToolTip("Older than the settings" if method in self.old else self.failed.get(method, ""))
                if column:
                    item.setData(QtCore.Qt.ItemDataRole.TextAlignmentRole,
                                 int(QtCore.Qt.AlignmentFlag.AlignRight | QtCore.Qt.AlignmentFlag.AlignVCenter))
        is_busy = self._running is not None
        self.stop.setVisible(is_busy)
        for button in (self.find, self.all):
            button.setVisible(not is_busy)
            button.setEnabled(bool(self.session.facts))
        counting = {name: one for name, one in self.found.items() if name not in self.old}
        text, tone = (f"Working: {self._running}", "") if is_busy else axis_facts.agreement(counting)
        if not text and self.failed:
            reason = next(iter(self.failed.values()))
            text, tone = (f"⚠ {reason}", "warning") if "auto" in counting else (f"✕ {reason}", "failure")
        if not is_busy and self.old:
            text, tone = "⚠ What methods found is older than the settings", "warning"
        self.said.setText(text)
        theme.mark(self.said, "tone", tone)

    def _select(self):
        one = self.found.get(self.chosen())
        self._draw(one if one and "axis-px" in one else None)
        if self._running is None and self.chosen() in self.failed:
            self.said.setText(f"✕ {self.failed[self.chosen()]}")
            theme.mark(self.said, "tone", "failure")

    def _draw(self, one):
        self.curve.clear()
        self.rows.clear()
        self.take.setEnabled(one is not None and not (self._running and self.chosen() in self.old))
        self.tilted.setEnabled(bool(one) and "tilt-degrees" in one)
        for widget, key in ((self.curve, "curve"), (self.rows, "rows")):
            for part in (widget, self._titles[widget]):
                part.setVisible(bool(one) and key in one)
        self._none.setVisible(not one or "curve" not in one)
        if not one:
            return
        line = pyqtgraph.mkPen(theme.MARK, width=2)
        curve = one.get("curve")
        if curve and curve["axis-px"]:
            self.curve.plot(curve["axis-px"], curve["value"], pen=pyqtgraph.mkPen(theme.ON_SURROUND, width=1))
            self._titles[self.curve].setText(f"What {curve['method']} compares, row {int(curve['row-px'])}")
        self.curve.addItem(pyqtgraph.InfiniteLine(one["axis-px"], angle=90, pen=line, label=f"{one['axis-px']:.2f}",
                                                  labelOpts={"color": theme.MARK, "position": 0.9}))
        self._titles[self.rows].setText(f"Axis in each row: points; {one['axis-px']:.2f}: line")
        rows = [row for row in one.get("rows", ()) if None not in row.values()]
        if rows:
            at, axes, spread = (np.array([row[key] for row in rows]) for key in ("row-px", "axis-px", "uncertainty-px"))
            self.rows.addItem(pyqtgraph.ErrorBarItem(x=axes, y=at, width=2 * spread, pen=pyqtgraph.mkPen(theme.MARK_2)))
            self.rows.plot(axes, at, pen=None, symbol="o", symbolSize=6, symbolBrush=theme.MARK_2, symbolPen=None)
        whole = pyqtgraph.InfiniteLine(one["axis-px"], angle=90, pen=line)
        whole.setZValue(-1)  # below the points
        self.rows.addItem(whole)

    def _take(self):
        one = self.found[self.chosen()]
        roll = round(one["tilt-degrees"], 4) if self.tilted.isChecked() and "tilt-degrees" in one else None
        self.taken.emit(one["axis-px"], one.get("uncertainty-px"), roll)
