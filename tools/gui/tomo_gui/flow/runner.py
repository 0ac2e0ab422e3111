# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Processes behind the canvas: tomo-runjson runs a dataflow and tells how far it is (docs/progress.md), tomo-query describes
elements. Each may die; that is a sentence, and nothing else."""

import json
import re

from gsttomo.faces.texts import without_program
from pyqtgraph.Qt import QtCore

from ..processes import Process, Question

NO_PREVIEW = "the preview was not written: "
NODE = re.compile(r"node '([^']+)'")  # that an error of the run begins with
PATIENCE = 10000  # ms between an abort and a kill


class Runner(QtCore.QObject):
    """One run at a time."""

    progressed = QtCore.Signal(dict)  # the event
    told = QtCore.Signal(str, str)  # level, text
    previewed = QtCore.Signal(dict)
    not_previewed = QtCore.Signal(str, str)  # node, and why a picture that was asked for does not come
    changed = QtCore.Signal()  # state
    ended = QtCore.Signal(str, str)  # status of the event done, or failed; a sentence

    def __init__(self, parent=None):
        super().__init__(parent)
        self.state = "idle"
        self.node = ""  # that the first error names
        self.pid = 0
        self.outputs = []  # files that the last run has written
        self._process = None

    @property
    def is_busy(self):
        return self.state != "idle"

    def start(self, path, folder):
        """Runs a dataflow; names of files in it are meant in the folder."""
        self._status, self._error, self.outputs, self.node, self.pid = None, "", [], "", 0
        self._change("running")
        process = self._process = Process("tomo-runjson", ["--progress", "json", path], self, folder)
        process.line.connect(self._read)
        process.ended.connect(self._end)

    def tell(self, **command):
        if self._process is not None:
            self._process.tell(command)

    def pause(self):
        self.tell(command="pause")

    def resume(self):
        self.tell(command="resume")

    def finish(self):
        self.tell(command="finish")

    def abort(self):
        self.tell(command="abort")
        process = self._process
        QtCore.QTimer.singleShot(PATIENCE, lambda: process is self._process and process is not None and process.kill())

    def drop(self):
        """Ends it with the window."""
        if self._process is not None:
            self.tell(command="abort")
            self._process.closeWriteChannel()
            if not self._process.waitForFinished(1000):
                self._process.drop()
            self._process = None

    def ask_preview(self, node, pad, path):
        self.tell(command="preview", node=node, input=pad, path=path)

    def _change(self, state):
        if state != self.state:
            self.state = state
            self.changed.emit()

    def _read(self, line):
        try:
            event = json.loads(line)
        except ValueError:
            return
        kind = event.get("event")
        if kind == "hello":
            self.pid = event["pid"]
        elif kind == "progress":
            self.progressed.emit(event)
        elif kind == "preview":
            self.previewed.emit(event)
        elif kind == "state":
            self._change(event["state"])
        elif kind == "message":
            self._take_message(event["level"], event["text"], event.get("element", ""))
        elif kind == "result":
            image = f" (image {event['image']})" if "image" in event else ""
            self.told.emit("info", f"{event.get('element', '')}: {event['name']} {event['value']:.6g} {event['unit']}".rstrip() + image)
        elif kind == "done":
            self._status, self.outputs = event["status"], event["outputs"]

    def _take_message(self, level, text, node):
        if text.startswith(NO_PREVIEW):
            return self.not_previewed.emit(node, text[len(NO_PREVIEW):])
        if level == "error" and not self._error:
            named = NODE.match(text)
            self._error, self.node = text, node or (named.group(1) if named else "")
        self.told.emit(level, f"{node}: {text}" if node and node not in text else text)

    def _end(self, reason):
        process, self._process = self._process, None
        process.deleteLater()
        self._change("idle")
        if self._status is None:
            reason = reason or "tomo-runjson ended without a word"
            return self.ended.emit("failed", without_program(reason) if reason.startswith("tomo-runjson: ") else reason)
        self.ended.emit(self._status, self._error if self._status == "failed" else ", ".join(self.outputs) + " written" if self.outputs else "")


class Describer(QtCore.QObject):
    """Brings what tomo-query tells of elements into a catalogue: of all tasks first, of others when they are asked for."""

    described = QtCore.Signal()
    failed = QtCore.Signal(str)

    def __init__(self, catalogue, parent=None):
        super().__init__(parent)
        self._catalogue, self._asked = catalogue, set()

    def start(self):
        self._ask("", ["--list", "--verbose"])

    def ask(self, plugin):
        element = self._catalogue.find(plugin)
        if element is not None and not (element.is_task and "" in self._asked):  # tasks come all together
            self._ask(plugin, ["--properties", plugin])

    def _ask(self, key, words):
        if key in self._asked:
            return
        self._asked.add(key)
        question = Question("tomo-query", ["--json", *words], self)
        question.answered.connect(self._take)
        question.failed.connect(self.failed)

    def _take(self, told):
        self._catalogue.take_descriptions(told if isinstance(told, list) else [told])
        self.described.emit()
