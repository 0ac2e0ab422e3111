# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""`tomo-web --watch FILE`: all rules of a file at work, beside the server or without one."""

import asyncio
import contextlib
import fcntl
import os
import signal
import sqlite3
import sys
import types

from . import rules, templates
from .database import Database
from .errors import Conflict
from .finds import Finds, State
from .portal import opened
from .portal.paths import Paths
from .rule_work import Work

BEAT = 2.0  # seconds between looks at the file of rules
LONG = 15.0  # seconds after which nobody seems to watch
TOLD = ("name", "source", "why", "dataset", "job", "registered")  # of a find, to hooks


class PortalDesk:
    """A portal, what it calls our folders, and how it is reached."""

    def __init__(self, settings, folders):
        self.settings, self.portal, self.paths = settings, opened(settings), Paths(folders, settings.folders)


class Watcher:
    """One process at a time watches for a state folder. Raises RulesError for what is wrong with the file, Conflict where another one
    watches."""

    def __init__(self, server, file):
        self._server, self._file = server, os.path.abspath(file)
        self.finds = Finds(server.database)
        self.desk = None
        self._tasks = []
        self._read = rules.read(self._file, server)
        self._stamp = self._stamp_of_file()
        self._lock = locked(server.settings.state)
        self._task = None

    def start(self):
        self._task = asyncio.ensure_future(self.run())

    async def run(self):
        """Until it is cancelled."""
        await self._begin(None)
        while True:
            await asyncio.sleep(BEAT)
            try:
                self.finds.seen()
                if (stamp := self._stamp_of_file()) != self._stamp:
                    self._stamp = stamp
                    await self._read_again()
            except sqlite3.Error as e:  # a disk that is full may have room again
                print(f"tomo-web: the database can't be used: {e}", file=sys.stderr, flush=True)

    async def close(self):
        for task in [one for one in (self._task, *self._tasks) if one]:
            task.cancel()
        await asyncio.gather(*(one for one in (self._task, *self._tasks) if one), return_exceptions=True)
        if self.desk:
            await self.desk.portal.close()
        self._lock.close()

    async def _begin(self, problem):
        """All rules as the file has them now."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        settings = self._read.portal
        if not self.desk or self.desk.settings != settings:
            if self.desk:
                await self.desk.portal.close()
            self.desk = PortalDesk(settings, self._server.folders) if settings else None
        for at, rule in enumerate(self._read.rules):
            self.finds.begin(rule, at)
        self.finds.end_others([rule.name for rule in self._read.rules])
        self._watched(problem)
        works = [Work(self._server, self.finds, rule, self.desk if rule.proposals else None, self.tell) for rule in self._read.rules]
        self._tasks = [asyncio.ensure_future(one.run()) for one in works]

    async def _read_again(self):
        """Rules go on as they were where the file is wrong now."""
        try:
            self._read = rules.read(self._file, self._server)
        except rules.RulesError as e:
            self._watched(e.text)
            print(f"tomo-web: {e.text}; the rules go on as they were", file=sys.stderr, flush=True)
            return
        await self._begin(None)

    def _watched(self, problem):
        self.finds.watch(os.path.basename(self._file), self._read.text, problem, self._read.portal.address if self._read.portal else None)

    def tell(self, rule, find):
        """Of a find that is over: once, together with what else is written about it."""
        if find.told or find.state is not State.FAILED and rule.notify_when != "all":
            return
        find.told = 1
        text = f"rule {rule.name}: {find.name}: {find.state.value}{': ' + find.why if find.why else ''}"
        print(f"tomo-web: {text}", file=sys.stderr, flush=True)
        for address in rule.notify:
            self._server.notices.add(rule.owner, address, {
                "event": "rule", "subject": f"gst-tomo: {rule.name}: {find.name}: {find.state.value}", "text": text, "rule": rule.name,
                **{name: getattr(find, name) for name in TOLD}, "state": find.state.value})

    def _stamp_of_file(self):
        with contextlib.suppress(OSError):
            about = os.stat(self._file)
            return about.st_mtime_ns, about.st_size, about.st_ino
        return None


def check(settings, folders):
    """Raises RulesError, Conflict for what would keep a Watcher from beginning."""
    database = Database(settings.state / "web.sqlite", (templates,))
    try:
        rules.read(settings.watch, types.SimpleNamespace(settings=settings, folders=folders, database=database))
    finally:
        database.close()
    locked(settings.state).close()


def watch_alone(make_server):
    """The rules at work without any address, until somebody ends the process."""
    async def watch():
        server = make_server()
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, task.cancel)
        server.notices.start()
        try:
            await server.watcher.run()
        finally:
            await server.close()

    with contextlib.suppress(asyncio.CancelledError):
        asyncio.run(watch())


def locked(state):
    """The lock of a state folder, as long as it is open. Raises Conflict."""
    lock = open(state / "watch.lock", "a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise Conflict("another tomo-web watches with this state already: give one of them another --state") from None
    return lock
