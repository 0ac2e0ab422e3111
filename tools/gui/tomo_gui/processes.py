# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Programs of gst-tomo as processes of the window. One that crashes is a message."""

import json
import shutil

from gsttomo.faces.texts import without_program
from pyqtgraph.Qt import QtCore

LINES = 8  # of standard error that a message quotes


class Process(QtCore.QProcess):
    """A program that runs beside the window. It ends with it.

    line: of standard output
    ended: with None, or with the reason for a failure in one sentence"""

    line = QtCore.Signal(str)
    ended = QtCore.Signal(object)

    def __init__(self, program, words, parent=None, folder=None, name=None):
        super().__init__(parent)
        self._program, self._wanted = name or program, True
        self._rest, self._errors = b"", b""
        if folder:
            self.setWorkingDirectory(str(folder))
        self.readyReadStandardOutput.connect(self._read)
        self.readyReadStandardError.connect(self._read_errors)
        self.finished.connect(self._finish)
        self.errorOccurred.connect(self._fail)
        words = [str(word) for word in words]
        # Nothing that was made for a window goes on behind a window that was killed.
        if guard := shutil.which("setpriv"):
            self.start(guard, ["--pdeathsig", "KILL", program, *words])
        else:
            self.start(program, words)

    def tell(self, command):
        self.write((json.dumps(command) + "\n").encode())

    def drop(self):
        """Ends it without a word."""
        self._wanted = False
        self.kill()

    @property
    def errors(self):
        """The last lines of standard error."""
        return self._errors.decode(errors="replace").strip()

    def _read(self):
        *lines, self._rest = (self._rest + bytes(self.readAllStandardOutput())).split(b"\n")
        for one in lines:
            self.line.emit(one.decode(errors="replace"))

    def _read_errors(self):
        text = self._errors + bytes(self.readAllStandardError())
        self._errors = b"\n".join(text.split(b"\n")[-LINES - 1:])

    def _finish(self, code, status):
        self._read()
        self._read_errors()
        if not self._wanted:
            return
        if status == QtCore.QProcess.ExitStatus.CrashExit:
            self.ended.emit(f"{self._program} was ended by signal {code}" + (f": {self.errors}" if self.errors else ""))
        else:
            self.ended.emit(None if code == 0 else self.errors or f"{self._program} ended with the status {code}")

    def _fail(self, error):
        if error == QtCore.QProcess.ProcessError.FailedToStart and self._wanted:
            self.ended.emit(f"{self._program} does not start: {self.errorString()}")


class Question(QtCore.QObject):
    """What a program answers in JSON, and ends.

    answered: with the object
    failed: with the reason in one sentence"""

    answered = QtCore.Signal(object)
    failed = QtCore.Signal(str)

    def __init__(self, program, words, parent=None, folder=None):
        super().__init__(parent)
        self._lines = []
        self._process = Process(program, words, self, folder)
        self._process.line.connect(self._lines.append)
        self._process.ended.connect(self._end)

    def drop(self):
        """Nobody wants the answer any more."""
        self._process.finished.connect(lambda *_: self.deleteLater())
        self._process.drop()

    def _end(self, reason):
        self.deleteLater()
        if reason:
            self.failed.emit(without_program(reason))
            return
        try:
            answer = json.loads("\n".join(self._lines))
        except ValueError:
            self.failed.emit("the answer is no JSON: " + " ".join(self._lines)[:200])
            return
        self.answered.emit(answer)


