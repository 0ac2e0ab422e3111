# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Images of a scan for the window: projections, sinograms, single slices. Processes that stay warm make them, so that the window
needs no device, and a driver that crashes costs one image."""

import collections
import dataclasses
import json
import os
import pathlib
import shutil

import h5py
import numpy as np
from gsttomo.faces import looks
from gsttomo.faces.names import scratch_folder
from gsttomo.faces.texts import in_form, without_program
from pyqtgraph.Qt import QtCore

from .processes import Process

ROOM = "/dev/shm"  # images stay in memory on their way


@dataclasses.dataclass
class Look:
    """One that was asked for."""
    channel: str
    description: dict
    done: object
    failed: object
    file: pathlib.Path = None
    message: str = None
    is_wanted: bool = True


class Pictures(QtCore.QObject):
    """Asks tomo-reconstruct for images, and hands them out as arrays of numpy of shape (images, rows, columns).

    A channel is a place where one image is shown: what it asks for replaces its last wish, also one that is under way."""

    PROGRAM = "tomo-reconstruct"
    busy = QtCore.Signal(bool)

    def __init__(self, parent=None):
        super().__init__(parent)
        self._waiting = collections.OrderedDict()  # channel to Look
        self._current = None
        self._process = None
        self._number = 0
        self._folder = None

    def ask(self, channel, description, done, failed=None):
        """Has the program run a description, and calls done(array, events) with its images and the events of the run, or
        failed(text) with the first cause."""
        self._waiting.pop(channel, None)
        self._waiting[channel] = Look(channel, description, done, failed or (lambda text: None))
        if self._current and self._current.channel == channel and self._current.is_wanted:
            self._current.is_wanted = False
            self._process.tell({"command": "abort"})
        self._go_on()

    def forget(self, channel):
        """The place needs none any more."""
        self._waiting.pop(channel, None)
        if self._current and self._current.channel == channel and self._current.is_wanted:
            self._current.is_wanted = False
            self._process.tell({"command": "abort"})

    _whole = staticmethod(looks.whole)

    def close(self):
        """Ends the process, and removes its images."""
        self._waiting.clear()
        self._current = None
        if self._process:
            self._process.drop()
            self._process.waitForFinished(3000)
            self._process = None
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def _go_on(self):
        if self._current or not self._waiting:
            return
        if not self._folder:
            room = ROOM if os.access(ROOM, os.W_OK) else None
            self._folder = scratch_folder(room)
        if not self._process:
            self._process = Process(self.PROGRAM, ["--serve", "--progress", "json"], self)
            self._process.line.connect(self._hear)
            self._process.ended.connect(self._lose)
        _, look = self._waiting.popitem(last=False)
        self._number += 1
        look.file, look.events = self._folder / f"{self._number}.h5", []
        self._current = look
        self.busy.emit(True)
        self._process.tell({"command": "run", "description": self._whole(look.description, str(look.file)),
                            "folder": os.getcwd()})

    def _hear(self, line):
        try:
            event = json.loads(line)
        except ValueError:
            return
        look = self._current
        if not look:
            return
        if event["event"] == "hello":
            look.events.clear()
        look.events.append(event)
        if event["event"] == "message" and event["level"] == "error" and not look.message:
            look.message = in_form(event["text"])
        if event["event"] == "done":
            self._end(look, event)

    def _end(self, look, event):
        self._current = None
        try:
            if not look.is_wanted or event["status"] == "aborted":
                return
            if event["status"] == "failed":
                look.failed(look.message or "nothing was made")
                return
            with h5py.File(look.file, "r") as file:
                images = np.asarray(file["/entry/data/data"])
            look.done(images, look.events)
        except OSError as e:
            look.failed(f"the image can't be read: {e}")
        finally:
            self._remove(look)
            self.busy.emit(False)
            self._go_on()

    def _remove(self, look):
        """The image, and what an aborted run has left of it."""
        for path in self._folder.glob(f"{look.file.name}*") if self._folder else ():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)

    def _lose(self, reason):
        """The process has ended, which it does not do by itself."""
        look, self._current, self._process = self._current, None, None
        if look:
            self._remove(look)
        if look and look.is_wanted:
            look.failed(without_program(reason or "the process that makes images has ended"))
        self.busy.emit(False)
        self._go_on()


class FlowPictures(Pictures):
    """The same of dataflows: `nodes` and `edges` without a writer, one of which leads to the node 'images', their writer."""

    PROGRAM = "tomo-runjson"

    _whole = staticmethod(looks.whole_flow)
