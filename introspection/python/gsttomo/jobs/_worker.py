# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Processes that serve descriptions, one after the other: `tomo-reconstruct --serve` and `tomo-runjson --serve`.

Commands go through a named pipe, and everything that comes back goes to files. So a process needs no manager to run its job to
the end, and a later manager can go on reading and telling.
"""

import asyncio
import contextlib
import errno
import json
import os
import signal
import subprocess
import threading

from . import _machine
from ._watch import set_within

EXPENDABLE = 500  # for the kernel, which ends a process where memory is short: rather this one than the manager


SHORTAGES = {errno.EMFILE, errno.ENFILE, errno.ENOSPC, errno.EDQUOT, errno.EAGAIN, errno.ENOMEM}


def is_shortage(error):
    """Whether an OSError may be another one, or none, when others have given something back."""
    return error.errno in SHORTAGES


class Worker:
    """A process, or one that is gone. It belongs to a running event loop."""

    def __init__(self, number, program, session, devices, folder):
        self.number, self.program, self.session, self.devices, self.folder = number, program, session, devices, folder
        self.pid = None
        self.exit = None  # a status, or minus a signal; None where it is not a child of this process
        self.is_gone = True
        self._child = self._descriptor = self._pipe = None
        self._listeners = set()
        self._turn = asyncio.Lock()  # of those that write

    def spawn(self, environment):
        """Starts it. Raises OSError."""
        self.folder.mkdir(parents=True)
        os.mkfifo(self.folder / "commands")
        commands = os.open(self.folder / "commands", os.O_RDONLY | os.O_NONBLOCK)
        try:
            self._pipe = os.open(self.folder / "commands", os.O_WRONLY | os.O_NONBLOCK)
            with open(self.folder / "events.jsonl", "ab") as events, open(self.folder / "errors.log", "ab") as errors:
                # A group of its own: what ends the manager's session does not end it.
                self._child = subprocess.Popen([self.program, "--serve", "--progress", "json"], stdin=commands, stdout=events,
                                               stderr=errors, start_new_session=True, env={**os.environ, **environment}, cwd="/")
            self._watch(self._child.pid)
        except OSError:
            if self._child is not None:  # nobody would learn of its end
                self._child.kill()
                self._child.wait()
            self.release()
            raise
        finally:
            os.close(commands)
        with contextlib.suppress(OSError), open(f"/proc/{self.pid}/oom_score_adj", "w") as score:
            score.write(str(EXPENDABLE))

    def adopt(self, pid, ticks, boot):
        """Takes a process over from another manager, if it is still the same one."""
        if pid is None or boot != _machine.boot():
            return
        with contextlib.suppress(ProcessLookupError):
            self._watch(pid)
        if not self.is_gone and _machine.start_ticks(pid) != ticks:  # another one of the same number
            self._forget()

    def _watch(self, pid):
        self._descriptor = os.pidfd_open(pid)
        self.pid, self.is_gone = pid, False
        asyncio.get_running_loop().add_reader(self._descriptor, self._end)

    def _end(self):
        if self._child is not None:
            self.exit = self._child.wait()
        self._forget()

    def _forget(self):
        asyncio.get_running_loop().remove_reader(self._descriptor)
        os.close(self._descriptor)
        self._descriptor, self.is_gone = None, True
        self.release()
        for wake in list(self._listeners):
            wake.set()

    @contextlib.contextmanager
    def end_sets(self, wake):
        """Sets an asyncio.Event at its end."""
        self._listeners.add(wake)
        try:
            if self.is_gone:
                wake.set()
            yield
        finally:
            self._listeners.discard(wake)

    async def wait(self, seconds):
        """Whether it has ended within that time."""
        over = asyncio.Event()
        with self.end_sets(over):
            await set_within(over, seconds)
        return self.is_gone

    @property
    def can_be_told(self):
        return not self.is_gone and self._pipe is not None

    def connect(self):
        """Opens the pipe for commands, which keeps the process. Nothing happens where it reads no more."""
        if self._pipe is None:
            with contextlib.suppress(OSError):
                self._pipe = os.open(self.folder / "commands", os.O_WRONLY | os.O_NONBLOCK)

    async def tell(self, command):
        """Whether it gets the command; it need not obey."""
        line = json.dumps(command).encode() + b"\n"
        async with self._turn:
            while line:
                if self._pipe is None:
                    return False
                try:
                    line = line[os.write(self._pipe, line):]
                except BlockingIOError:  # larger than a pipe
                    await asyncio.sleep(0.005)
                except BrokenPipeError:
                    return False
        return True

    def release(self):
        """It may end, once it has done what it was told."""
        if self._pipe is not None:
            os.close(self._pipe)
            self._pipe = None

    def leave(self):
        """It goes on without this manager."""
        self.release()
        if self._descriptor is not None:
            asyncio.get_running_loop().remove_reader(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = None
        if self._child is not None:  # somebody has to take note of its end
            threading.Thread(target=self._child.wait, daemon=True).start()

    async def stop(self, grace):
        """Ends it: on request, by a signal, by force."""
        self.release()
        for number in (None, signal.SIGTERM, signal.SIGKILL):
            if self.is_gone:
                return
            if number:
                self.signal(number)
            await self.wait(grace)

    def signal(self, number):
        """To all processes of its group."""
        if not self.is_gone:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, number)


def why_it_ended(exit, *logs):
    """A sentence about a process that ended without a result, with the last lines of the first log that has some."""
    if exit is None:
        reason = "its process ended without a result, while no manager watched"
    elif exit >= 0:
        reason = f"its process ended with status {exit}, without a result"
    else:
        names = {number.value: f" ({number.name})" for number in signal.Signals}
        hint = ", perhaps by the kernel because memory was short" if -exit == signal.SIGKILL else ""
        reason = f"its process was killed by signal {-exit}{names.get(-exit, '')}{hint}"
    lines = next(filter(None, map(last_lines, logs)), [])
    return reason + "".join(f"\n    {line}" for line in lines)


def last_lines(log):
    try:
        with open(log, "rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - 2000))
            return file.read().decode(errors="replace").strip().splitlines()[-5:]
    except OSError:
        return []
