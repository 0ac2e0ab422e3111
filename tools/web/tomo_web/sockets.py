# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""WebSockets: one side hears and one side tells, until either ends."""

import asyncio

from fastapi import WebSocketDisconnect

PING = 20.0        # seconds without anything to tell
STALLED = 60.0     # seconds that a browser may take for one message
NOT_LOGGED_IN = 4401  # code by which a socket is closed


async def together(*works):
    """Runs coroutines until one of them ends; the others end then. A browser that has gone is no error."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        for task in tasks:
            if not task.cancelled() and task.exception() and not isinstance(task.exception(), (WebSocketDisconnect, RuntimeError)):
                raise task.exception()
