# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Images of volumes while they are made. However many ask for one of a job, its process makes one at a time."""

import asyncio
import contextlib
import itertools
import os

import numpy as np

from .errors import Conflict

PATIENCE = 60.0  # seconds until a job that makes no image is given up
LOOK = 0.05      # seconds between looks


class Previews:
    def __init__(self, queue):
        self._queue = queue
        self._tasks = {}  # by job
        self._count = itertools.count(1)

    async def ask(self, number):
        """An image and what is known of it. Raises jobs.Error for a job that does not run, Conflict where none comes."""
        if number not in self._tasks:
            task = self._tasks[number] = asyncio.ensure_future(self._make(number))
            task.add_done_callback(lambda _: self._tasks.pop(number, None))
        return await asyncio.shield(self._tasks[number])

    async def close(self):
        for task in list(self._tasks.values()):
            task.cancel()

    async def _make(self, number):
        # Of a name by which the queue removes it with the job, where this process ends before.
        path = self._queue.job_folder(number) / f"preview-{os.getpid()}-{next(self._count)}.npy"
        with self._queue.tail(number) as tail:
            tail.read()
            await self._queue.preview(number, path)
            try:
                async with asyncio.timeout(PATIENCE):
                    return await self._heard(number, tail, path)
            except TimeoutError:
                raise Conflict(f"job {number} has made no image within {PATIENCE:.0f} s") from None
            finally:
                with contextlib.suppress(OSError):
                    path.unlink()

    async def _heard(self, number, tail, path):
        while True:
            for event in tail.read():
                if event["event"] == "preview" and event.get("path") == str(path):
                    return await asyncio.to_thread(_read, path), {name: event[name] for name in ("slice", "iteration", "iterations") if name in event}
                if event["event"] == "done":
                    raise Conflict(f"job {number} is over")
            if (await self._queue.get(number)).is_over:
                raise Conflict(f"job {number} is over")
            await asyncio.sleep(LOOK)


def _read(path):
    try:
        array = np.load(path, allow_pickle=False)
        return array.reshape(array.shape[-2:])
    except (OSError, ValueError) as e:
        raise Conflict(f"the image can't be read: {e}") from None
