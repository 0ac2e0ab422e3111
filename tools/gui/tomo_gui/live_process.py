# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The process that makes slices of a camera, as the window sees it."""

import sys

import numpy as np
from gsttomo.faces.live import Course, Unpacker
from pyqtgraph.Qt import QtCore

from .processes import Process

PATIENCE = 5000  # ms that a run has to end


class _Stream(Process):
    """Whose output has samples behind events."""

    came = QtCore.Signal(object, object)  # an event, and its array or None

    def __init__(self, parent=None):
        self._unpacker = Unpacker()
        super().__init__(sys.executable, ["-m", "gsttomo._live_process"], parent, name="the process that makes slices")

    def _read(self):
        for event, samples in self._unpacker.feed(bytes(self.readAllStandardOutput())):
            array = np.frombuffer(samples, event["type"]).reshape(event["shape"]) if samples else None
            self.came.emit(event, array)


class LiveProcess(QtCore.QObject):
    """A run at a time, by a process that begins with the first one. `course` is what is known of it.

    changed: the course
    sliced: with an event and the array of a slice; framed: the same of the camera's newest frame; projected: of the maximum of a volume
    planes_changed: with their texts
    told: with a level and a text for the log
    refused: with the name of a parameter, or "", and why it does not count"""

    changed = QtCore.Signal()
    sliced = QtCore.Signal(object, object)
    framed = QtCore.Signal(object, object)
    projected = QtCore.Signal(object, object)
    planes_changed = QtCore.Signal(object)
    told = QtCore.Signal(str, str)
    refused = QtCore.Signal(str, str)

    def __init__(self, parent=None):
        super().__init__(parent)
        self.course = Course()
        self._stream = None

    def start(self, parameters):
        if self.course.is_on:
            return
        if self._stream is None:
            self._stream = _Stream(self)
            self._stream.came.connect(self._take)
            self._stream.ended.connect(self._lose)
        self.course.begin(parameters.get("source", ""))
        self.changed.emit()
        self.tell(command="start", parameters=parameters)

    def tell(self, **command):
        if self._stream is not None:
            self._stream.tell(command)

    def stop(self):
        """A process that does not obey is ended."""
        self.tell(command="quit")
        stream = self._stream
        QtCore.QTimer.singleShot(PATIENCE, lambda: stream is self._stream and stream is not None and self.course.is_on and stream.kill())

    def close(self):
        """Ends it with the window; frames that are kept come to a whole file."""
        if self._stream is not None:
            stream, self._stream = self._stream, None
            stream.came.disconnect(self._take)
            stream.ended.disconnect(self._lose)
            stream.closeWriteChannel()
            if not stream.waitForFinished(PATIENCE):
                stream.drop()

    def _take(self, event, array):
        kind = event["event"]
        if kind == "refused":
            if event["command"] != "start":  # whose end is told as one
                self.refused.emit(event["name"] if event["command"] == "set" else "", event["text"])
            return
        before = self.course.told()
        if said := self.course.take(event):
            self.told.emit(*said)
        if kind == "slice":
            self.sliced.emit(event, array)
        elif kind == "frame":
            self.framed.emit(event, array)
        elif kind == "maximum":
            self.projected.emit(event, array)
        elif kind == "planes":
            self.planes_changed.emit(event["planes"])
        if self.course.told() != before:
            self.changed.emit()

    def _lose(self, reason):
        self._stream.deleteLater()
        self._stream = None
        self.course.lost(reason)
        self.changed.emit()
