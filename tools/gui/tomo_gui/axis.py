# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The place Axis: by eye, by methods, by slices."""

from pyqtgraph.Qt import QtCore, QtWidgets

from . import theme
from .axis_estimates import Estimates
from .axis_mosaic import MosaicPage
from .axis_overlay import OverlayPage
from .flowing import FlowLayout
from .states import EmptyPage, next_button


# Facts with which the work begins anew.
LOOKED_AT = ("name", "kind", "width", "height", "projections", "views", "flats", "angle-first", "angle-last", "angle-step", "steps-are-even")


class AxisPlace(QtWidgets.QWidget):
    title = "Axis"

    def __init__(self, session, parent=None):
        super().__init__(parent)
        self.session = session
        self._shown = None
        self.overlay, self.mosaic, self.estimates = OverlayPage(session), MosaicPage(session), Estimates(session)
        self.estimates.taken.connect(session.take_axis)
        self._views = QtWidgets.QStackedWidget()
        buttons = FlowLayout()
        group = QtWidgets.QButtonGroup(self)
        self._buttons = {}
        for name, text, page in (("overlay", "0 and 180 degrees", self.overlay), ("mosaic", "Slices for several values", self.mosaic)):
            button = self._buttons[name] = QtWidgets.QPushButton(text, checkable=True, objectName=f"show-{name}")
            button.setProperty("small", True)
            button.clicked.connect(lambda _=False, name=name: self.show_view(name))
            group.addButton(button)
            buttons.addWidget(button)
            self._views.addWidget(page)
        self.preview = next_button("Preview slice")
        self.preview.setObjectName("preview-slice")
        self.preview.clicked.connect(lambda: session.place_wanted.emit("Reconstruct"))
        self.now = QtWidgets.QLabel(objectName="axis-now", wordWrap=True)
        left = QtWidgets.QWidget()
        column = QtWidgets.QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(buttons)
        column.addWidget(self._views, 1)
        right = QtWidgets.QWidget()
        right.setMinimumWidth(240)
        steps = QtWidgets.QHBoxLayout()
        steps.setContentsMargins(theme.SPACE, theme.SPACE, 2 * theme.SPACE, theme.SPACE)
        steps.addStretch(1)
        steps.addWidget(self.preview)
        self.now.setContentsMargins(theme.SPACE, 0, 2 * theme.SPACE, 0)
        beside = QtWidgets.QVBoxLayout(right)
        beside.setContentsMargins(0, 0, 0, 0)
        beside.setSpacing(0)
        beside.addWidget(self.estimates, 1)
        beside.addWidget(self.now)
        beside.addLayout(steps)
        work = QtWidgets.QSplitter(QtCore.Qt.Orientation.Horizontal, childrenCollapsible=False)
        work.addWidget(left)
        work.addWidget(right)
        work.setStretchFactor(0, 1)
        work.setSizes([640, 250])
        choose = next_button("Choose a scan")
        choose.clicked.connect(lambda: session.place_wanted.emit("Scans"))
        self._pages = QtWidgets.QStackedLayout(self)
        self._pages.addWidget(EmptyPage("There is no scan yet. Its axis is found when one is open.", choose))
        self._pages.addWidget(work)
        self.show_view("overlay")
        session.facts_changed.connect(self._know)
        session.configuration.changed.connect(self._change)

    def shown(self):
        self._know()

    def show_view(self, name):
        """overlay or mosaic."""
        self._buttons[name].setChecked(True)
        self._views.setCurrentWidget({"overlay": self.overlay, "mosaic": self.mosaic}[name])

    def close_place(self):
        self.estimates.cancel()

    def _know(self):
        session, facts = self.session, self.session.facts
        self._pages.setCurrentIndex(1 if session.scan else 0)
        self.preview.setEnabled(bool(facts))
        if not facts:
            if self._shown:
                self._shown = None
                for page in (self.overlay, self.mosaic, self.estimates):
                    page.clear()
            self._tell()
            if session.problem:
                self.overlay.state_line.failed(session.problem, has_log=False)
            elif session.scan:
                self.overlay.state_line.working("The scan is read", can_cancel=False)
            return
        looked_at = session.scan, *(facts.get(name) for name in LOOKED_AT)
        if self._shown != looked_at and self.isVisible():
            self._shown = looked_at
            self.overlay.show_scan()
            self.mosaic.show_scan()
            self.estimates.clear()
        elif self._shown == looked_at:
            self.overlay.know()
        self._tell()

    def _change(self, names):
        if self._shown and self.session.scan == self._shown[0]:
            self.overlay.change(names)
            self.mosaic.change(names)
            self.estimates.change(names)
            self._tell()

    def _tell(self):
        axis = self.session.axis()
        if not self.session.facts or not axis:
            self.now.setText("axis not known" if self.session.facts else "")
            return
        value, origin = axis
        spread = self.session.axis_uncertainty if origin == "set" else None
        text = f"axis {value:.2f}" + (f" ± {max(spread, 0.01):.2f}" if spread is not None else "") + " px"
        text += "" if origin == "set" else f" ({origin})"
        values = self.session.configuration.values
        self.now.setText(text + (f", roll {values['roll']:.2f}°" if "roll" in values else ""))
