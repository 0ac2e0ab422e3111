# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Programs of gst-tomo as processes of the server. One that crashes costs its answer, and nothing else."""

import asyncio
import contextlib
import dataclasses
import json
import os
import shutil
import tempfile

import h5py
import numpy as np
from gsttomo.faces import looks
from gsttomo.faces.names import scratch_folder
from gsttomo.faces.texts import in_form, without_program

from .errors import Invalid
from .parameters import save
from .turns import Turns

ROOM = "/dev/shm"   # images stay in memory on their way
LINES = 8           # of standard error that a message quotes
QUESTIONS = 2       # at once
LONGEST_LINE = 64 << 20
PATIENCE = 5.0      # seconds that a process has to obey
LONGEST_LOOK = 60.0  # seconds that one image may take while others wait
GUARD = ("setpriv", "--pdeathsig", "KILL") if shutil.which("setpriv") else ()  # nothing goes on behind a server that was killed


class Failure(Invalid):
    """What a program says when it can't: its first cause in one sentence."""


class Superseded(Exception):
    """Somebody wants another image of the same channel."""


class Channels:
    """Work of which the next one of a channel ends the last one, also one that is under way."""

    def __init__(self):
        self._tasks = {}  # by channel, that wait or run

    async def run(self, channel, work):
        """The result of a coroutine. Raises Superseded where another one came."""
        if before := self._tasks.get(channel):
            before.cancel()
        task = self._tasks[channel] = asyncio.ensure_future(work)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            if task.cancelled():
                raise Superseded from None
            task.cancel()  # nobody waits for it any more
            raise
        finally:
            if self._tasks.get(channel) is task:
                del self._tasks[channel]

    def cancel(self):
        for task in list(self._tasks.values()):
            task.cancel()


async def ended(process):
    """Sees to it that a process is gone."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
    await process.wait()


async def until_done(task, patience=None):
    """Waits for a task, whoever cancels the one that waits meanwhile. patience: seconds; None: for ever"""
    loop = asyncio.get_running_loop()
    end = None if patience is None else loop.time() + patience
    while not task.done() and (end is None or loop.time() < end):
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait({task}, timeout=None if end is None else end - loop.time())


class Questions:
    """What tomo-reconstruct answers in JSON: `info`, `estimate`, `check`."""

    def __init__(self):
        self._turns = Turns(QUESTIONS, most=None)

    async def ask(self, words, description, person=""):
        """The answer of a command for a configuration. Raises Failure. Cancelling it ends the process. Persons take turns."""
        async with self._turns.turn(person):
            with tempfile.NamedTemporaryFile(prefix="tomo-web-", suffix=".conf") as file:
                save(description, file.name)
                process = await asyncio.create_subprocess_exec(
                    *GUARD, "tomo-reconstruct", *words, "--json", "--config", file.name, stdin=asyncio.subprocess.DEVNULL,
                    stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, limit=LONGEST_LINE)
                try:
                    answer, errors = await process.communicate()
                finally:
                    await ended(process)
        if process.returncode:
            raise Failure(_reason(errors, process.returncode))
        try:
            return json.loads(answer)
        except ValueError:
            raise Failure(f"the answer is no JSON: {answer[:200].decode(errors='replace')}") from None


def _reason(errors, status):
    text = "\n".join(errors.decode(errors="replace").strip().splitlines()[-LINES:])
    if text:
        return without_program(text)
    return f"tomo-reconstruct was ended by signal {-status}" if status < 0 else f"tomo-reconstruct ended with the status {status}"


class Estimates:
    """Axes by tomo-reconstruct estimate."""

    def __init__(self, questions):
        self._questions, self._channels = questions, Channels()

    async def ask(self, channel, description, person=""):
        """What it answers. The next question of a channel ends the last one. Raises Failure, Superseded."""
        return await self._channels.run(channel, self._questions.ask(["estimate"], description, person))


@dataclasses.dataclass
class Images:
    """array: (images, rows, columns); events: those of the run (docs/progress.md)"""
    array: np.ndarray
    events: list


@dataclasses.dataclass
class Run:
    description: dict
    is_told: bool = False    # the process has it
    is_wanted: bool = True


class Looks:
    """Images of scans by one process that stays warm. A channel is a place where one image is shown: the next wish there ends the
    last one, also one that is under way. Persons take turns, however many channels each has."""

    def __init__(self, program="tomo-reconstruct", whole=looks.whole):
        self._program, self._whole = program, whole
        self._turns = Turns()
        self._channels = Channels()
        self._process = self._folder = None
        self._number = 0

    async def ask(self, channel, description, person=""):
        """Images of a description that jobs could run, without output. Raises Failure, Superseded."""
        return await self._channels.run(channel, self._turn(description, person))

    async def close(self):
        self._channels.cancel()
        if self._process:
            await ended(self._process)
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)

    async def _turn(self, description, person):
        async with self._turns.turn(person):
            self._folder = self._folder or scratch_folder(ROOM if os.access(ROOM, os.W_OK) else None)
            self._number += 1
            file = self._folder / f"{self._number}.h5"
            try:
                events = await self._whole_run(self._whole(description, str(file)))
                return Images(await asyncio.to_thread(_read, file), events)
            finally:
                for path in self._folder.glob(f"{file.name}*"):
                    shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)

    async def _whole_run(self, description):
        """Events of a run. However often it is cancelled, no other run begins before this one has ended."""
        run = Run(description)
        task = asyncio.ensure_future(self._run(run))
        try:
            await asyncio.wait({task}, timeout=LONGEST_LOOK)
            if task.done():
                return task.result()
        finally:
            if not task.done():
                await self._end(run, task)
        raise Failure(f"this takes more than {LONGEST_LOOK:.0f} s, and others wait: reconstruct the volume of a few rows")

    async def _run(self, run):
        await self._start()
        if run.is_wanted:
            self._tell({"command": "run", "description": run.description, "folder": str(self._folder)})
            run.is_told = True
            return await self._hear()

    async def _end(self, run, task):
        """Of a run that nobody waits for."""
        run.is_wanted = False
        if run.is_told:
            self._tell({"command": "abort"})
        await until_done(task, PATIENCE)
        if not task.done():
            await until_done(asyncio.ensure_future(self._lose()))  # what it says later would be taken for the next run's
            await until_done(task)
        if not task.cancelled():
            task.exception()  # it says that it was aborted

    async def _start(self):
        if self._process and self._process.returncode is None:
            return
        self._process = await asyncio.create_subprocess_exec(
            *GUARD, self._program, "--serve", "--progress", "json", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL, limit=LONGEST_LINE)

    def _tell(self, command):
        with contextlib.suppress(ConnectionError):
            self._process.stdin.write((json.dumps(command) + "\n").encode())

    async def _hear(self):
        """Events up to the end of the run. Raises Failure with the first cause."""
        events, message = [], None
        while line := await self._process.stdout.readline():
            event = json.loads(line)
            events.append(event)
            if event["event"] == "message" and event["level"] == "error":
                message = message or in_form(event["text"])
            if event["event"] == "done":
                if event["status"] in ("failed", "aborted"):
                    raise Failure(message or "nothing was made")
                return events
        await self._lose()
        raise Failure(message or "the process that makes images has ended")

    async def _lose(self):
        process, self._process = self._process, None
        if process:
            await ended(process)


def _read(file):
    try:
        with h5py.File(file, "r") as opened:
            return np.asarray(opened["/entry/data/data"])
    except (OSError, KeyError) as e:
        raise Failure(f"the image can't be read: {e}") from None
