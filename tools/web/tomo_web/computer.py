# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What this computer has for jobs, and the manager that runs them: a process of its own, which goes on when the server ends."""

import asyncio
import os
import time

from gsttomo import jobs

from .errors import Invalid

FRESH = 300.0       # seconds after which devices are listed anew
START_AGAIN = 5.0   # seconds between starts of a manager


class Computer:
    """Devices are asked of another process: a driver that crashes takes nobody along."""

    def __init__(self):
        self._devices, self._listed = None, 0.0
        self._turn = asyncio.Lock()

    async def devices(self):
        """With index, name, is_cpu, memory. Raises jobs.Error where they can't be listed."""
        async with self._turn:
            if self._devices is None or time.monotonic() - self._listed > FRESH:
                self._devices, self._listed = await asyncio.to_thread(jobs.devices), time.monotonic()
        return self._devices

    async def check(self, wanted, memory):
        """Whether a job could have that some time. Raises Invalid."""
        if memory is not None and memory > self.memory:
            raise Invalid(f"the computer has {self.memory} bytes of memory, fewer than {memory}", "memory")
        if wanted:
            try:
                jobs.indices_of(wanted, await self.devices())
            except jobs.DescriptionError as e:
                raise Invalid(str(e), "devices") from None

    @property
    def memory(self):
        """Bytes."""
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


class Keeper:
    """Sees to it that somebody runs the jobs of a queue that are open."""

    def __init__(self, folder):
        self._folder = folder
        self._manager, self._started = None, -START_AGAIN

    def start(self):
        """Where there is a manager, also one of the desktop program or of a server before this one, nothing happens."""
        is_ours = self._manager is not None and self._manager.poll() is None
        if is_ours or time.monotonic() - self._started < START_AGAIN:
            return
        self._manager = jobs.start_manager(self._folder)
        if self._manager is not None:
            self._started = time.monotonic()
