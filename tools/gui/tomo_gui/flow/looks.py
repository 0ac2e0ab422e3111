# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Colours of the canvas: those of the palette, and one for each room of elements, so that dark and light themes both fit."""

from dataclasses import dataclass

from pyqtgraph.Qt import QtGui

from .. import theme
from .rooms import ROOMS

TEXT, SMALL = 14, 13  # logical pixels
SMALLEST = 0.5   # the zoom at which names can just be read
READABLE = 0.92  # the zoom at which the small text has 12
ROLE = QtGui.QPalette.ColorRole


@dataclass(frozen=True)
class Looks:
    is_dark: bool
    ground: QtGui.QColor
    grid: QtGui.QColor
    node: QtGui.QColor
    border: QtGui.QColor
    text: QtGui.QColor
    dim: QtGui.QColor
    accent: QtGui.QColor
    link: QtGui.QColor
    warning: QtGui.QColor
    failure: QtGui.QColor

    @classmethod
    def of(cls, palette):
        colours = theme.colours()
        window, text = palette.color(ROLE.Window), palette.color(ROLE.WindowText)
        is_dark = window.lightness() < text.lightness()
        node = palette.color(ROLE.Base) if not is_dark else window.lighter(150)
        return cls(is_dark, window, mixed(window, text, 0.06), node, mixed(window, text, 0.35), text, mixed(node, text, 0.72),
                   palette.color(ROLE.Highlight), mixed(window, text, 0.55),
                   *(QtGui.QColor(getattr(colours, name)) for name in ("warning", "failure")))

    def room(self, name):
        """The colour of a room; its word always stands beside it."""
        rooms = list(ROOMS)
        hue = round(360 * rooms.index(name) / len(rooms)) if name in rooms else 0
        return QtGui.QColor.fromHsl(hue, 110 if name in rooms else 0, 150 if self.is_dark else 110)


def mixed(a, b, part):
    return QtGui.QColor.fromRgbF(*(x + (y - x) * part for x, y in zip(a.getRgbF()[:3], b.getRgbF()[:3])))


def font(size=TEXT, bold=False):
    made = QtGui.QFont()
    made.setPixelSize(size)
    made.setBold(bold)
    return made
