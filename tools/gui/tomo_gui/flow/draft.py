# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is drawn and not saved outlives the window, also one that is killed: it lies beside the settings of the program."""

import json
import os

from pyqtgraph.Qt import QtCore

PAUSE = 1000  # ms after a change


def draft_file():
    return os.path.join(os.path.dirname(QtCore.QSettings("gst-tomo", "tomo-gui").fileName()), "flow-draft.json")


class Draft(QtCore.QObject):
    def __init__(self, document, parent=None):
        super().__init__(parent)
        self._document = document
        self._later = QtCore.QTimer(self, singleShot=True, interval=PAUSE, timeout=self.keep)
        document.listeners.append(self._later.start)

    def keep(self):
        """Now. A full disk loses the draft alone."""
        self._later.stop()
        path = draft_file()
        try:
            if not self._document.is_changed or not self._document.nodes:
                if os.path.exists(path):
                    os.unlink(path)
                return
            os.makedirs(os.path.dirname(path), exist_ok=True)
            write_whole(path, json.dumps({"path": self._document.path, "dataflow": self._document.to_json()}))
        except OSError:
            pass

    def restore(self):
        """Whether there was one."""
        try:
            with open(draft_file(), encoding="utf-8") as file:
                kept = json.load(file)
            self._document.load(kept["dataflow"], "draft", is_saved=False)
            self._document.path = kept["path"]
            return True
        except (OSError, ValueError, KeyError, TypeError):  # none, or of a newer version
            return False


def write_whole(path, text):
    """Under its name it is complete."""
    beside = path + ".partial"
    with open(beside, "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(beside, path)
