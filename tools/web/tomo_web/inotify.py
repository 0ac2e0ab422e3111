# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Linux tells at once what changes in folders of this computer. It says nothing of what others do on network disks: look again anyway."""

import asyncio
import contextlib
import ctypes
import os

MOST = 4096  # folders
CHANGES = 0x8 | 0x40 | 0x80 | 0x100 | 0x200  # closed after writing, moved away, moved here, made, removed
ONLY_FOLDERS = 0x01000000
NONBLOCK = os.O_NONBLOCK | os.O_CLOEXEC
LONGEST = 1 << 16


class Inotify:
    """Sets an asyncio.Event where something changes in its folders. Without inotify nothing ever happens."""

    def __init__(self):
        self.changed = asyncio.Event()
        self._library = ctypes.CDLL(None, use_errno=True)
        self._descriptor = self._library.inotify_init1(NONBLOCK)
        self._watched = {}
        if self._descriptor >= 0:
            asyncio.get_running_loop().add_reader(self._descriptor, self._hear)

    def watch(self, folders):
        """These folders, and no others any more."""
        wanted = set(folders[:MOST])
        for folder in self._watched.keys() - wanted:
            self._library.inotify_rm_watch(self._descriptor, self._watched.pop(folder))
        for folder in wanted:  # again also where it is watched: it may be another folder of that name
            number = self._library.inotify_add_watch(self._descriptor, os.fsencode(folder), CHANGES | ONLY_FOLDERS) if self._descriptor >= 0 else -1
            if number >= 0:
                self._watched[folder] = number
            else:
                self._watched.pop(folder, None)

    def _hear(self):
        with contextlib.suppress(BlockingIOError):
            while os.read(self._descriptor, LONGEST):
                self.changed.set()

    def close(self):
        if self._descriptor >= 0:
            asyncio.get_running_loop().remove_reader(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = -1
