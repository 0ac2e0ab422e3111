# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The lock of a folder's manager, and the bell by which clients wake the manager."""

import asyncio
import contextlib
import fcntl
import os
import socket

from ._model import BusyError


class Lock:
    """Held as long as this process lives: the kernel gives it back. Raises BusyError."""

    def __init__(self, folder):
        self._file = open(folder / "manager.lock", "a+")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.seek(0)
            other = self._file.read().strip()
            self._file.close()
            raise BusyError(f"{folder} has a manager already: process {other or 'unknown'}") from None
        self._path = folder / "manager.lock"
        self._file.truncate(0)
        self._file.write(str(os.getpid()))
        self._file.flush()

    def is_in_place(self):
        """Whether the folder still is the one that is locked."""
        try:
            return os.path.samestat(os.stat(self._path), os.fstat(self._file.fileno()))
        except (FileNotFoundError, NotADirectoryError):
            return False

    def close(self):
        self._file.close()


class Bell:
    """Sets an asyncio.Event when a client rings."""

    def __init__(self, folder, rung):
        self._path, self._rung = folder / "wake", rung
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._path)  # of a manager that was killed
        with short(folder) as name:
            self._socket.bind(f"{name}/wake")
        asyncio.get_running_loop().add_reader(self._socket, self._hear)

    def _hear(self):
        with contextlib.suppress(BlockingIOError):
            while True:
                self._socket.recv(16)
        self._rung.set()

    def close(self):
        asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._path)


def is_heard(folder):
    """Whether a manager listens, which is not woken by that."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as bell, short(folder) as name:
            bell.connect(f"{name}/wake")
    except OSError:
        return False
    return True


def ring(folder):
    """Nothing happens where nobody listens."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as bell, short(folder) as name:
        bell.setblocking(False)
        bell.sendto(b"\n", f"{name}/wake")


@contextlib.contextmanager
def short(folder):
    """A name of the folder that is short enough for a socket, wherever the folder is."""
    descriptor = os.open(folder, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{descriptor}"
    finally:
        os.close(descriptor)
