# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Changes in folders, told by the kernel: a manager learns of a line within a millisecond and looks at nothing meanwhile."""

import asyncio
import contextlib
import ctypes
import os
import struct

MODIFIED, CREATED = 0x2, 0x100
EVENT = struct.Struct("iIII")
POLL = 0.05  # seconds between looks where the kernel has no more watches to give


async def set_within(event, seconds):
    """Waits for an asyncio.Event, at most that long. (asyncio.wait_for() of Python 3.11 loses a cancellation that comes together
    with the event.)"""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()


class Watch:
    """Waits for changes of files in folders, in a running event loop."""

    def __init__(self):
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._descriptor = self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)  # -1: none left
        self._changes = {}  # lists of asyncio.Event, by the number of a watch
        if self._descriptor >= 0:
            asyncio.get_running_loop().add_reader(self._descriptor, self._read)

    @contextlib.contextmanager
    def folder(self, path, wake):
        """Sets an asyncio.Event whenever a file in the folder grows or comes. Gives whether anybody tells."""
        number = self._libc.inotify_add_watch(self._descriptor, os.fsencode(path), MODIFIED | CREATED) if self._descriptor >= 0 else -1
        if number < 0:
            yield False
            return
        self._changes.setdefault(number, []).append(wake)  # a folder has one number, for all that look at it
        try:
            yield True
        finally:
            self._changes[number].remove(wake)
            if not self._changes[number]:
                del self._changes[number]
                self._libc.inotify_rm_watch(self._descriptor, number)

    def _read(self):
        with contextlib.suppress(BlockingIOError):
            events = os.read(self._descriptor, 65536)
            at = 0
            while at < len(events):
                number, _, _, length = EVENT.unpack_from(events, at)
                at += EVENT.size + length
                for wake in self._changes.get(number, ()):
                    wake.set()

    def close(self):
        if self._descriptor >= 0:
            asyncio.get_running_loop().remove_reader(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = -1
