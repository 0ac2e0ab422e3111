# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The program tomo-tango."""

import contextlib
import itertools
import logging
import os
import pathlib
import re
import signal
import socket
import sys
import threading

import tango
from tango.server import run

from .device import JobDevice
from .online import TangoOnlineReconstruction
from .process import Process


def end_on_signals():
    """Tango's loop never lets Python's handlers run, but they can wake a thread."""
    woken, wake = socket.socketpair()
    wake.setblocking(False)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)

    def wait(wake=wake):  # which stays open
        woken.recv(1)
        try:
            JobDevice.end_all()
        finally:
            os._exit(0)

    threading.Thread(target=wait, name="signals", daemon=True).start()


def classes_of(arguments):
    """Those that -dlist or a file of properties names, else all. Tango ends a server with a class that is not in its file, and makes a
    device for one that is not in the list."""
    known, text = {one.__name__: one for one in (TangoOnlineReconstruction, Process)}, None
    for word, following in itertools.zip_longest(arguments, arguments[1:]):
        if word == "-dlist":
            text = ",".join(f"/device/{name.partition('::')[0] if '::' in name else Process.__name__}:" for name in str(following).split(","))
        elif word.startswith("-file="):
            with contextlib.suppress(OSError):  # which Tango tells better
                text = pathlib.Path(word.partition("=")[2]).read_text(errors="replace")
    named = {name.lower() for name in re.findall(r"/device/(\w+)\s*:", text or "", re.IGNORECASE)}
    return tuple(one for name, one in known.items() if name.lower() in named or text is None) or (Process,)


def main():
    logging.basicConfig(format="tomo-tango: %(message)s")
    classes = classes_of(sys.argv)
    util = tango.Util(sys.argv)
    # Wait takes as long as a job does, and nobody else shall wait for that.
    util.set_serial_model(tango.SerialModel.NO_SYNC)
    end_on_signals()
    run(classes, util=util)
    return 0
