# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Turns at what only so many can have at a time. Persons take turns, however much each of them asks for."""

import asyncio
import collections
import contextlib

from .errors import TooMany

MOST = 16  # of one person that wait


class Turns:
    def __init__(self, places=1, most=MOST):
        self._free, self._most = places, most
        self._waiting = collections.OrderedDict()  # person to futures, the next person first

    @contextlib.asynccontextmanager
    async def turn(self, person=""):
        """Waits for a turn, and has it. Raises TooMany for a person of whom too much waits already."""
        if self._free:
            self._free -= 1
        else:
            await self._wait(person)
        try:
            yield
        finally:
            self._pass_on()

    async def _wait(self, person):
        own = self._waiting.setdefault(person, collections.deque())
        if self._most and len(own) >= self._most:
            raise TooMany("too much of yours is waiting already: wait for it, or close other pages")
        future = asyncio.get_running_loop().create_future()
        own.append(future)
        try:
            await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled():
                self._pass_on()  # the turn came at the same moment
            else:
                self._forget(person, future)
            raise

    def _forget(self, person, future):
        own = self._waiting.get(person, ())
        if future in own:
            own.remove(future)
        if person in self._waiting and not own:
            del self._waiting[person]

    def _pass_on(self):
        while self._waiting:
            person, own = self._waiting.popitem(last=False)
            future = own.popleft()
            if own:
                self._waiting[person] = own  # behind the others
            if not future.done():
                future.set_result(None)
                return
        self._free += 1
