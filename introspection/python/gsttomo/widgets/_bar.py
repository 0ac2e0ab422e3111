# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""One line of tools above an image."""

from . import _colours, _tools
from ._qt import QtCore, QtGui, QtWidgets, Qt


class ToolBar(QtWidgets.QWidget):
    """Tools, colour map, fit, levels and export of an ImageView; widgets of the owner can be added at its end."""

    def __init__(self, view):
        super().__init__(view)
        self.setSizePolicy(QtWidgets.QSizePolicy.Policy.Preferred, QtWidgets.QSizePolicy.Policy.Fixed)
        self.row = QtWidgets.QHBoxLayout(self)
        self.row.setContentsMargins(4, 4, 4, 0)
        self.row.setSpacing(4)
        self._tools = {}
        for name, text, tip in (("", "Move", "Drag moves the image (Esc)"), ("profile", "Profile", "Values along a line"),
                                ("length", "Length", "Distance between two points"),
                                ("region", "Region", "Mean and standard deviation in a rectangle")):
            button = self._button(text, tip, lambda _=False, name=name: view.set_tool(name))
            button.setCheckable(True)
            self._tools[name] = button
        self.row.addSpacing(8)
        self._maps = QtWidgets.QComboBox()
        self._maps.addItems(_colours.NAMES)
        for i, name in enumerate(_colours.NAMES):
            self._maps.setItemIcon(i, QtGui.QIcon(_strip(name)))
        self._maps.setIconSize(QtCore.QSize(32, 12))
        self._maps.setToolTip("Colour map")
        self._maps.setAccessibleName("Colour map")
        self._maps.textActivated.connect(view.set_colour_map)
        self.row.addWidget(self._maps)
        self._button("Auto", "Black and white from 0.5 to 99.5 % of the values", lambda: view.auto_levels())
        self._button("Fit", "All of the image (double click, 0)", lambda: view.fit())
        self._button("1 : 1", "A sample is a pixel (1)", lambda: view.show_samples())
        self._button("Export", "Write a picture as seen, or raw values", lambda: view.export())
        self.row.addStretch(1)

    def _button(self, text, tip, clicked):
        button = QtWidgets.QToolButton()
        button.setText(text)
        button.setToolTip(tip)
        button.setAutoRaise(True)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.clicked.connect(clicked)
        self.row.addWidget(button)
        return button

    def button(self, text):
        """A button by its text; KeyError where there is none."""
        return next(found for found in self.findChildren(QtWidgets.QToolButton) if found.text() == text)

    def show_tool(self, name):
        for key, button in self._tools.items():
            button.setChecked(key == name)

    def show_map(self, name):
        self._maps.setCurrentText(name)


def _strip(name):
    picture = QtGui.QImage(32, 12, QtGui.QImage.Format.Format_RGB32)
    for x, colour in enumerate(_colours.table(name)[4::8]):
        for y in range(12):
            picture.setPixel(x, y, int(colour))
    return QtGui.QPixmap.fromImage(picture)
