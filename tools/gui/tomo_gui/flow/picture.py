# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The arrays that pass a link, while a dataflow runs.

tomo-runjson copies the next array that comes to an input of a node, when it is asked to (the command preview with node and
input, docs/progress.md), into a file of numpy; the graph is run as it is, and a link that nobody looks at costs nothing.
Each link is asked once when a run begins, so that there is a picture of it afterwards; the chosen one again and again, at
most every INTERVAL ms, never before the last picture was drawn. Files are read in a thread, and the newest one wins."""

import os
import tempfile

import numpy as np
from pyqtgraph.Qt import QtCore, QtWidgets

from gsttomo.widgets import ImageView

INTERVAL = 150


class _Loader(QtCore.QObject):
    """Reads files in threads."""

    loaded = QtCore.Signal(object, object)  # ticket, array or text

    def load(self, ticket, path):
        QtCore.QThreadPool.globalInstance().start(_Load(self, ticket, path))


class _Load(QtCore.QRunnable):
    def __init__(self, owner, ticket, path):
        super().__init__()
        self.owner, self.ticket, self.path = owner, ticket, path

    def run(self):
        try:
            found = image_of(np.load(self.path))
        except Exception as error:  # whatever is wrong with a file is told
            found = str(error)
        try:
            self.owner.loaded.emit(self.ticket, found)
        except RuntimeError:
            pass  # the window has gone meanwhile


def image_of(array):
    """What can be shown of it: of spectra the logarithm of the magnitude."""
    return np.log10(np.abs(array) + np.finfo(np.float32).tiny, dtype=np.float32) if np.iscomplexobj(array) else array


class LinkPicture(QtWidgets.QWidget):
    """The newest array of the chosen link."""

    def __init__(self, runner, parent=None):
        super().__init__(parent)
        self.runner = runner
        self.link = None
        self.shown = 0  # pictures since the link was chosen
        self._folder = tempfile.TemporaryDirectory(prefix="gst-tomo-flow-")
        self._paths, self._numbers = {}, {}  # by link: its file, and the number of the array in it
        self._waiting = set()  # links whose picture was asked for
        self._is_loading = self._is_outdated = False
        self._ticket = 0
        self.title = QtWidgets.QLabel("", objectName="link")
        self.view = ImageView(toolbar=False, histogram=False)
        self.view.setMinimumSize(160, 140)
        self.view.set_scale_bar(False)  # no size of a pixel is known here
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(4, 4, 8, 8)
        layout.setSpacing(4)
        layout.addWidget(self.title)
        layout.addWidget(self.view, 1)
        self._loader = _Loader(self)
        self._loader.loaded.connect(self._loaded)
        self._again = QtCore.QTimer(self, singleShot=True, interval=INTERVAL, timeout=self._ask)
        runner.previewed.connect(self._previewed)
        runner.not_previewed.connect(self._not_previewed)
        runner.changed.connect(self._state_changed)
        self.watch(None)

    def begin(self, links):
        """A run has begun."""
        self._paths.clear()
        self._numbers.clear()
        self._waiting.clear()
        self._is_outdated = False
        for number, link in enumerate(links):
            self._paths[link] = os.path.join(self._folder.name, f"{number}.npy")
            self._waiting.add(link)
            self.runner.ask_preview(link.target, link.input, self._paths[link])
        self._ticket += 1
        self._show_state()

    def watch(self, link, carried=""):
        """Shows the arrays of this link; None: none."""
        if link != self.link:
            self.shown = 0
        self.link, self._carried = link, carried
        self._ticket += 1
        self._is_loading = False
        self._show_state()
        if link is not None:
            self._load()
            self._ask()

    def close_files(self):
        self._folder.cleanup()

    def outdated(self):
        """The dataflow is not the one of the pictures any more."""
        if not self._is_outdated:
            self._is_outdated = True
            self._show_state()

    def _show_state(self):
        link = self.link
        if link is None:
            self.title.setText("")
            self.view.clear("Choose a link to see the arrays that pass it")
            return
        self.title.setText(f"{link.source} \u2192 {link.target}" + (f" ({link.input})" if link.input != "sink" else ""))
        self.title.setToolTip(self._carried)
        number = self._numbers.get(link)
        if number is None:
            self.view.clear(self._why_empty())
        else:
            words = [f"array {number}", *(["of the run before the last change"] if self._is_outdated and not self.runner.is_busy else [])]
            self.view.set_caption(", ".join(words))

    def _why_empty(self):
        if self._carried and "array" not in self._carried and self._carried != "anything":
            return f"This link carries {self._carried}: put convert into it to see it as arrays"
        if self.link in self._waiting and self.runner.is_busy:
            return "Waiting for the first array"
        return "No array has passed this link" if self._paths and not self.runner.is_busy else "Run the dataflow to see its arrays"

    def _state_changed(self):
        if not self.runner.is_busy:
            self._waiting.clear()
        self._show_state()

    def _ask(self):
        if self.runner.is_busy and self.link in self._paths and self.link not in self._waiting and not self._is_loading:
            self._waiting.add(self.link)
            self.runner.ask_preview(self.link.target, self.link.input, self._paths[self.link])

    def _previewed(self, event):
        link = next((link for link, path in self._paths.items() if path == event["path"]), None)
        if link is None:
            return
        self._waiting.discard(link)
        self._numbers[link] = event["slice"]
        if link == self.link:
            self._load()

    def _not_previewed(self, node, why):
        for link in [link for link in self._waiting if link.target == node]:
            self._waiting.discard(link)
            if link == self.link and link not in self._numbers and self.runner.is_busy:
                self.view.clear(why[:1].upper() + why[1:])

    def _load(self):
        if self.link in self._numbers and not self._is_loading:
            self._is_loading = True
            self._ticket += 1
            self._loader.load((self._ticket, self._numbers[self.link]), self._paths[self.link])

    def _loaded(self, ticket, found):
        if ticket[0] != self._ticket:
            return  # of another link, or an older run
        self._is_loading = False
        if isinstance(found, str):
            self.view.clear(f"The array can't be shown: {found}")
        else:
            self.view.set_image(found, fit=self.shown == 0)
            self.shown += 1
            self._show_state()
        if self._numbers.get(self.link) != ticket[1]:
            self._load()
        else:
            self._again.start()
