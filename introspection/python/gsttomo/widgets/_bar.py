# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""One line of tools above a picture."""

from . import _colours
from ._qt import QtCore, QtGui, QtWidgets, Qt, MARK


class Bar(QtWidgets.QToolBar):
    """Buttons with words. What a narrow window has no room for is behind the arrow at the end."""

    def __init__(self, parent=None):
        super().__init__(parent)
        self.setMovable(False)
        self.setFloatable(False)
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        self.setStyleSheet("QToolBar { border: 0; } QToolBarExtension { background: palette(button); }")
        if arrow := self.findChild(QtWidgets.QToolButton, "qt_toolbar_ext_button"):
            arrow.setIcon(_arrow())  # that of the style is dark, on a dark window too
            arrow.setToolTip("More tools")
        self.layout().setContentsMargins(4, 4, 4, 0)
        self.layout().setSpacing(4)

    def add_button(self, text, tip, clicked, checkable=False):
        """At the end; returns its action."""
        action = QtGui.QAction(text, self) if hasattr(QtGui, "QAction") else QtWidgets.QAction(text, self)
        action.setToolTip(tip)
        action.setCheckable(checkable)
        action.triggered.connect(lambda *_: clicked())
        self.addAction(action)
        self.widgetForAction(action).setFocusPolicy(Qt.FocusPolicy.TabFocus)
        return action

    def add_choices(self, choices, chosen):
        """Buttons of which one is down: names with texts and tips; chosen(name) is called. Returns their actions by name."""
        return {name: self.add_button(text, tip, lambda name=name: chosen(name), True) for name, (text, tip) in choices.items()}

    def add_maps(self, chosen):
        """The colour maps; returns the box."""
        box = QtWidgets.QComboBox()
        for name in _colours.NAMES:
            box.addItem(QtGui.QIcon(_strip(name)), name)
        box.setIconSize(QtCore.QSize(32, 12))
        box.setToolTip("Colour map")
        box.setAccessibleName("Colour map")
        box.textActivated.connect(chosen)
        self.addWidget(box)
        return box

    def button(self, text):
        """A button by its text; StopIteration where there is none."""
        return next(self.widgetForAction(action) for action in self.actions() if action.text() == text)

    @staticmethod
    def show_choice(actions, chosen):
        for name, action in actions.items():
            action.setChecked(name == chosen)


class ToolBar(Bar):
    """What can be done with an image or several ones: tools, colour map, fit, levels, export. The owner may put buttons before
    these, and calls add_tools() then."""

    def __init__(self, view):
        super().__init__(view)
        self._view = view

    def add_tools(self):
        view = self._view
        self._tools = self.add_choices({"": ("Move", "Drag moves the image"), "profile": ("Profile", "Values along a line"),
                                        "length": ("Length", "Distance between two points"),
                                        "region": ("Region", "Mean and standard deviation in a rectangle")}, view.set_tool)
        self.addSeparator()
        self._maps = self.add_maps(view.set_colour_map)
        self.add_button("Auto", "Black and white from 0.5 to 99.5 % of the values", view.auto_levels)
        self.add_button("Fit", "All of the image (double click, 0)", view.fit)
        self.add_button("1 : 1", "A sample is a pixel (1)", view.show_samples)
        self.add_button("Export", "Write a picture as seen, or raw values", view.export)

    def show_tool(self, name):
        self.show_choice(self._tools, name)

    def show_map(self, name):
        self._maps.setCurrentText(name)


def _arrow():
    picture = QtGui.QPixmap(16, 16)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QtGui.QPainter(picture)
    painter.setRenderHint(QtGui.QPainter.RenderHint.Antialiasing)
    painter.setPen(QtGui.QPen(MARK, 2))
    for left in (3, 8):
        painter.drawPolyline(QtGui.QPolygonF([QtCore.QPointF(left, 4), QtCore.QPointF(left + 4, 8), QtCore.QPointF(left, 12)]))
    painter.end()
    return QtGui.QIcon(picture)


def _strip(name):
    picture = QtGui.QImage(32, 12, QtGui.QImage.Format.Format_RGB32)
    for x, colour in enumerate(_colours.table(name)[4::8]):
        for y in range(12):
            picture.setPixel(x, y, int(colour))
    return QtGui.QPixmap.fromImage(picture)
