# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Ports for servers of tests."""

import contextlib
import pathlib
import random
import socket

FIRST = 10000


def free_port():
    """One of 127.0.0.1 that nobody has at the moment, and that nobody gets who asks for any."""
    given = int(pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])  # to those, from here on
    while True:
        with socket.socket() as one, contextlib.suppress(OSError):
            one.bind(("127.0.0.1", random.randrange(FIRST, given) if given > FIRST else 0))
            return one.getsockname()[1]
