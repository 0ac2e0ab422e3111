# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Colours, sizes and spacing of the program, dark and light."""

import dataclasses

from pyqtgraph.Qt import QtCore, QtGui, QtWidgets

SPACE = 4         # pixels; spacing is a multiple of it
SMALL, NORMAL, LARGE = 12, 14, 18  # pixels of the text
SURROUND = "#1b1d20"  # of pictures, in both themes
ON_SURROUND, MARK, MARK_2 = "#d8dadd", "#35c9cb", "#e0a030"  # text, lines and points over pictures and in plots
CYAN, RED = "#00e0e0", "#ff5050"  # views at 0 and at 180 degrees


@dataclasses.dataclass(frozen=True)
class Colours:
    window: str
    base: str        # of fields and lists
    raised: str      # of buttons and heads
    text: str
    faint: str       # units, hints
    line: str
    accent: str
    fill: str         # the accent below text, dark enough for white (5.4 : 1)
    accent_text: str  # on it
    warning: str
    failure: str


DARK = Colours(window="#25282c", base="#1e2124", raised="#31353a", text="#e6e8ea", faint="#a3a9b0", line="#43484e", accent="#0f8b8d", fill="#0c7678",
               accent_text="#ffffff", warning="#e0a030", failure="#ff7b72")
LIGHT = Colours(window="#f3f4f5", base="#ffffff", raised="#e5e7ea", text="#1b1d20", faint="#5a6068", line="#c3c7cc", accent="#0b7375", fill="#0b7375",
                accent_text="#ffffff", warning="#8a5a00", failure="#b3261e")


def palette_of(colours):
    palette, role = QtGui.QPalette(), QtGui.QPalette.ColorRole
    for one, name in {role.Window: "window", role.Base: "base", role.AlternateBase: "raised", role.Button: "raised",
                      role.ToolTipBase: "raised", role.WindowText: "text", role.Text: "text", role.ButtonText: "text",
                      role.ToolTipText: "text", role.PlaceholderText: "faint", role.Highlight: "fill",
                      role.HighlightedText: "accent_text", role.Link: "accent", role.Mid: "line", role.Dark: "line",
                      role.BrightText: "failure"}.items():
        palette.setColor(one, QtGui.QColor(getattr(colours, name)))
    faint = QtGui.QColor(colours.faint)
    for one in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(QtGui.QPalette.ColorGroup.Disabled, one, faint)
    return palette


def style_of(c):
    return f"""
* {{ font-size: {NORMAL}px; }}
QToolTip {{ color: {c.text}; background: {c.raised}; border: 1px solid {c.line}; padding: {SPACE}px; }}
#head {{ background: {c.base}; border-bottom: 1px solid {c.line}; }}
#head QLabel {{ padding: 0 {SPACE}px; }}
#name {{ font-size: {LARGE}px; font-weight: 600; }}
#rail {{ background: {c.base}; border-right: 1px solid {c.line}; }}
#rail QToolButton {{ border: 0; border-left: 3px solid transparent; padding: {2 * SPACE}px {3 * SPACE}px; text-align: left; }}
#rail QToolButton:checked {{ border-left-color: {c.accent}; background: {c.raised}; font-weight: 600; }}
#rail QToolButton:hover {{ background: {c.raised}; }}
#faint, QLabel[faint="true"] {{ color: {c.faint}; font-size: {SMALL}px; }}
QLabel[tone="warning"] {{ color: {c.warning}; }}
QLabel[tone="failure"] {{ color: {c.failure}; }}
QLabel[tone="good"] {{ color: {c.accent if c is LIGHT else "#3fc1c3"}; }}
QPushButton {{ background: {c.raised}; border: 1px solid {c.line}; padding: {SPACE}px {3 * SPACE}px; min-height: 20px; }}
QPushButton[small="true"] {{ padding: {SPACE}px {2 * SPACE}px; }}
QPushButton:hover {{ border-color: {c.accent}; }}
QPushButton:focus, QLineEdit:focus, QComboBox:focus {{ border: 1px solid {c.accent}; }}
QPushButton:disabled {{ color: {c.faint}; }}
QPushButton[next="true"] {{ background: {c.fill}; color: {c.accent_text}; border-color: {c.fill}; font-weight: 600; }}
QPushButton[next="true"]:disabled {{ background: {c.raised}; color: {c.faint}; border-color: {c.line}; }}
QPushButton:checked {{ background: {c.fill}; color: {c.accent_text}; }}
QLineEdit, QPlainTextEdit {{ background: {c.base}; border: 1px solid {c.line}; padding: 2px {SPACE}px;
    selection-background-color: {c.accent}; }}
QLineEdit[wrong="true"] {{ border: 1px solid {c.failure}; }}
QComboBox {{ background: {c.base}; border: 1px solid {c.line}; padding: 2px {SPACE}px; }}
QTableView, QTreeView, QListView {{ background: {c.base}; border: 1px solid {c.line}; alternate-background-color: {c.window}; }}
QHeaderView::section {{ background: {c.raised}; border: 0; border-right: 1px solid {c.line}; padding: {SPACE}px; }}
QSplitter::handle {{ background: {c.line}; }}
QSplitter::handle:horizontal {{ width: 1px; }}
QSplitter::handle:vertical {{ height: 1px; }}
QProgressBar {{ background: {c.base}; border: 1px solid {c.line}; text-align: center; min-height: 16px; }}
QProgressBar::chunk {{ background: {c.accent}; }}
QScrollArea {{ border: 0; }}
QToolButton[section="true"] {{ border: 0; font-weight: 600; padding: {SPACE}px 0; }}
#surround {{ background: {SURROUND}; }}
#cell {{ border: 2px solid transparent; }}
#cell[chosen="true"] {{ border: 2px solid {MARK}; }}
"""


def is_dark():
    return QtWidgets.QApplication.instance().property("theme") != "light"


def colours():
    return DARK if is_dark() else LIGHT


def apply(name):
    """Gives the application the theme: dark or light."""
    application = QtWidgets.QApplication.instance()
    application.setProperty("theme", name)
    application.setStyle("Fusion")
    application.setPalette(palette_of(colours()))
    application.setStyleSheet(style_of(colours()))


def saved():
    """That of the last window, else dark."""
    return QtCore.QSettings("gst-tomo", "tomo-gui").value("theme", "dark")


def save(name):
    QtCore.QSettings("gst-tomo", "tomo-gui").setValue("theme", name)


def mark(widget, name, value):
    """Sets a property that the style looks at."""
    if widget.property(name) != value:
        widget.setProperty(name, value)
        widget.style().unpolish(widget)
        widget.style().polish(widget)
