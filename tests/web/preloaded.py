# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Servers for tests without the second that each one takes to import what it is made of: a process does so once, and forks."""

import atexit
import contextlib
import gc
import json
import os
import pathlib
import select
import signal
import socket
import subprocess
import sys
import time

PYTHON = "/usr/bin/python3"  # of the program


class Process:
    """tomo-web with these words, as a subprocess.Popen of it: pid, stdout, poll(), wait(), terminate(), kill()."""

    _source = None

    def __init__(self, words, log):
        Process.prepare()
        reads, writes = os.pipe()
        self.pid, self._handle = Process._source.start(words, (writes, log.fileno()))
        os.close(writes)
        self.stdout = os.fdopen(reads)

    @staticmethod
    def prepare():
        """Begins to import, beside what else a test does before it wants a server."""
        if Process._source is None:
            Process._source = _Source()

    def poll(self):
        """0 when it is over, however it ended: its parent knows more, and nobody asks."""
        if self._handle is not None and select.select([self._handle], [], [], 0)[0]:
            os.close(self._handle)
            self._handle = None
        return 0 if self._handle is None else None

    def wait(self, patience):
        end = time.monotonic() + patience
        while self.poll() is None:
            if time.monotonic() > end:
                raise subprocess.TimeoutExpired("tomo-web", patience)
            select.select([self._handle], [], [], max(0.0, end - time.monotonic()))

    def terminate(self):
        self._send(signal.SIGTERM)

    def kill(self):
        self._send(signal.SIGKILL)

    def _send(self, number):
        if self.poll() is None:
            signal.pidfd_send_signal(self._handle, number)


class _Source:
    """The process that forks."""

    def __init__(self):
        self._socket, theirs = socket.socketpair()
        self._process = subprocess.Popen([PYTHON, __file__, str(theirs.fileno())], pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL)
        theirs.close()
        atexit.register(self._close)

    def start(self, words, files):
        request = json.dumps({"words": words, "environment": dict(os.environ), "folder": os.getcwd()}).encode()
        socket.send_fds(self._socket, [len(request).to_bytes(4, "little")], files)
        self._socket.sendall(request)
        number = int.from_bytes(self._socket.recv(4), "little")
        return number, os.pidfd_open(number)  # it is reaped at the next request, not before

    def _close(self):
        self._socket.close()
        self._process.wait()


def next_request(connection):
    """Forks for each request, and returns it in the child; None when nobody can ask any more."""
    while True:
        head, files, *_ = socket.recv_fds(connection, 4, 2)
        if not head:
            return None
        request = json.loads(connection.recv(int.from_bytes(head, "little"), socket.MSG_WAITALL))
        with contextlib.suppress(ChildProcessError):  # those that are over
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        number = os.fork()
        if not number:
            connection.close()
            for output, one in enumerate(files, 1):
                os.dup2(one, output)
                os.close(one)
            return request
        for one in files:
            os.close(one)
        connection.sendall(number.to_bytes(4, "little"))


def main():
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools" / "web"))
    from tomo_web import app, connections, watch  # noqa: F401
    from tomo_web.main import main as program
    gc.collect()
    gc.freeze()  # children look through none of this, and copy none of it
    request = next_request(socket.socket(fileno=int(sys.argv[1])))
    if request is None:
        return 0
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    status = program(request["words"])
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)  # taking all modules apart takes a second; test_start.py has a server that does


if __name__ == "__main__":
    sys.exit(main())
