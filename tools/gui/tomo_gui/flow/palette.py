# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The list of elements: search, choose, drag to the canvas."""

from pyqtgraph.Qt import QtCore, QtGui, QtWidgets

from .looks import Looks
from .rooms import ROOMS

MIME = "application/x-gst-tomo-element"  # as in view.py, which needs NodeGraphQt
PLUGIN = QtCore.Qt.ItemDataRole.UserRole


class _Tree(QtWidgets.QTreeWidget):
    def mimeTypes(self):
        return [MIME]

    def mimeData(self, items):
        data = QtCore.QMimeData()
        plugin = items[0].data(0, PLUGIN) if items else None
        if plugin:
            data.setData(MIME, plugin.encode())
        return data


class Palette(QtWidgets.QWidget):
    wanted = QtCore.Signal(str)  # an element is to be added

    def __init__(self, catalogue, parent=None):
        super().__init__(parent)
        self.catalogue = catalogue
        self.search = QtWidgets.QLineEdit(placeholderText="Search elements", clearButtonEnabled=True)
        self.search.setObjectName("search")
        self.search.setToolTip("Words in the name, the description or the class of an element; Enter adds the first one")
        self.tree = _Tree(headerHidden=True, uniformRowHeights=True)
        self.tree.setObjectName("elements")
        self.tree.setDragEnabled(True)
        self.tree.setDragDropMode(QtWidgets.QAbstractItemView.DragDropMode.DragOnly)
        self.about = QtWidgets.QLabel(wordWrap=True)
        self.about.setObjectName("about")
        self.about.setMinimumHeight(64)
        self.about.setAlignment(QtCore.Qt.AlignmentFlag.AlignTop)
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 4, 8)
        layout.setSpacing(4)
        for widget in (self.search, self.tree, self.about):
            layout.addWidget(widget, 1 if widget is self.tree else 0)
        self.search.textChanged.connect(self.fill)
        self.search.returnPressed.connect(self._take_first)
        self.tree.itemActivated.connect(self._activated)
        self.tree.currentItemChanged.connect(self._tell)
        self.fill()

    def fill(self):
        text = self.search.text().strip().lower()
        looks, open_rooms = Looks.of(self.palette()), self._open_rooms()
        self.tree.clear()
        found = self.catalogue.listed(text)
        if text:
            for element in found:
                self.tree.addTopLevelItem(self._item(element, looks))
            if found:
                self.tree.setCurrentItem(self.tree.topLevelItem(0))
            else:
                self.about.setText(f"No element has {text!r} in its name, description or class.")
        else:
            for room, word in ROOMS.items():
                members = [element for element in found if element.room == room]
                if not members:
                    continue
                head = QtWidgets.QTreeWidgetItem([f"{word} ({len(members)})"])
                head.setFlags(QtCore.Qt.ItemFlag.ItemIsEnabled)
                head.setIcon(0, square(looks.room(room)))
                head.setData(0, PLUGIN + 1, room)
                self.tree.addTopLevelItem(head)
                for element in members:
                    head.addChild(self._item(element, looks))
                head.setExpanded(room in open_rooms)
            self.about.setText("")
        self.tree.setRootIsDecorated(not text)

    def _open_rooms(self):
        tops = [self.tree.topLevelItem(i) for i in range(self.tree.topLevelItemCount())]
        return {item.data(0, PLUGIN + 1) for item in tops if item.isExpanded()}

    def _item(self, element, looks):
        item = QtWidgets.QTreeWidgetItem([element.plugin])
        item.setData(0, PLUGIN, element.plugin)
        item.setIcon(0, square(looks.room(element.room)))
        item.setToolTip(0, f"<p>{element.description}</p><p>{element.klass}</p>")
        item.setFlags(QtCore.Qt.ItemFlag.ItemIsEnabled | QtCore.Qt.ItemFlag.ItemIsSelectable | QtCore.Qt.ItemFlag.ItemIsDragEnabled)
        return item

    def _take_first(self):
        item = self.tree.topLevelItem(0)
        if item is not None and item.data(0, PLUGIN):
            self.wanted.emit(item.data(0, PLUGIN))

    def _activated(self, item):
        if item.data(0, PLUGIN):
            self.wanted.emit(item.data(0, PLUGIN))

    def _tell(self, item):
        element = self.catalogue.find(item.data(0, PLUGIN)) if item is not None and item.data(0, PLUGIN) else None
        self.about.setText(f"{element.description} ({ROOMS[element.room]})" if element else "")

    def changeEvent(self, event):
        if event.type() == QtCore.QEvent.Type.PaletteChange and hasattr(self, "tree"):
            self.fill()
        super().changeEvent(event)


def square(color):
    picture = QtGui.QPixmap(24, 24)
    picture.fill(QtCore.Qt.GlobalColor.transparent)
    painter = QtGui.QPainter(picture)
    painter.fillRect(QtCore.QRect(4, 4, 16, 16), color)
    painter.end()
    return QtGui.QIcon(picture)
