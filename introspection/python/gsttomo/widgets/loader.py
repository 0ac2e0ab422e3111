# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A thread that reads for a window."""

import collections
import threading

from ._qt import QtCore, Qt, Signal
from ._stored import Stopped, VolumeError


class _Work:
    def __init__(self, channel, number, job, done, failed, stoppable):
        self.channel, self.number, self.job, self.done, self.failed, self.stoppable = channel, number, job, done, failed, stoppable
        self.is_stopped = False


class Loader(QtCore.QObject):
    """Runs jobs in a thread, those that were asked for last first. Of a channel only the latest one that waits is kept; one that
    runs is stopped by a newer one if it may be. Results come in the thread of the window, and never behind newer ones.

    close() ends the thread; it waits for the job that runs, which is told to stop."""

    _came = Signal(object, object, object)

    def __init__(self, parent=None):
        super().__init__(parent)
        self._wake = threading.Condition()
        self._waiting = collections.OrderedDict()  # channel: work; the last one is run first
        self._running = None
        self._number = 0
        self._shown = {}   # number of the newest result of each channel that came
        self._forgotten = {}
        self._ends = False
        self._came.connect(self._deliver, Qt.ConnectionType.QueuedConnection)
        self._thread = threading.Thread(target=self._run, name="loader", daemon=True)
        self._thread.start()
        QtCore.QCoreApplication.instance().aboutToQuit.connect(self.close)

    def ask(self, channel, job, done, failed=None, stoppable=False):
        """Runs job(stop), and calls done(result) with what it returns, or failed(text). stop() is True when the job shall end
        by Stopped: a `stoppable` one also for a newer one of its channel."""
        with self._wake:
            self._number += 1
            self._waiting.pop(channel, None)
            self._waiting[channel] = _Work(channel, self._number, job, done, failed, stoppable)
            if self._running is not None and self._running.channel == channel and self._running.stoppable:
                self._running.is_stopped = True
            self._wake.notify()

    def forget(self, channel):
        """Nothing that was asked for on a channel so far comes any more."""
        with self._wake:
            self._waiting.pop(channel, None)
            self._forgotten[channel] = self._number
            if self._running is not None and self._running.channel == channel:
                self._running.is_stopped = True

    def is_idle(self):
        with self._wake:
            return not self._waiting and self._running is None

    def close(self):
        with self._wake:
            self._ends = True
            self._waiting.clear()
            if self._running is not None:
                self._running.is_stopped = True
            self._wake.notify()
        self._thread.join()

    def _run(self):
        while True:
            with self._wake:
                self._running = None
                while not self._waiting and not self._ends:
                    self._wake.wait()
                if self._ends:
                    return
                work = self._running = self._waiting.popitem()[1]
            result = error = None
            try:
                result = work.job(lambda: work.is_stopped)
            except Stopped:
                continue
            except VolumeError as problem:
                error = str(problem)
            except MemoryError:
                error = "the memory does not suffice"
            except Exception as problem:  # of a damaged file; the thread goes on for others
                error = f"{type(problem).__name__}: {problem}"
            try:
                self._came.emit(work, result, error)
            except RuntimeError:  # the window is gone
                return

    def _deliver(self, work, result, error):
        if self._ends or work.number <= max(self._shown.get(work.channel, 0), self._forgotten.get(work.channel, 0)):
            return
        self._shown[work.channel] = work.number
        if error is None:
            work.done(result)
        elif work.failed is not None:
            work.failed(error)
