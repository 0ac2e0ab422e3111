# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The program tomo-tango."""

import logging
import os
import signal
import socket
import sys
import threading

import tango
from tango.server import run

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
            Process.end_all()
        finally:
            os._exit(0)

    threading.Thread(target=wait, name="signals", daemon=True).start()


def main():
    logging.basicConfig(format="tomo-tango: %(message)s")
    util = tango.Util(sys.argv)
    # Wait takes as long as a job does, and nobody else shall wait for that.
    util.set_serial_model(tango.SerialModel.NO_SYNC)
    end_on_signals()
    run((Process,), util=util)
    return 0
