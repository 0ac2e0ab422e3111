# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The events of jobs as they come: one WebSocket for each page of a browser, /api/events.

A browser sends {"since": R, "follow": [17], "after": {"17": 42}}: it knows what had happened up to the revision R, and the events of job
17 up to number 42; all of them may be missing. It gets messages with some of these members:

    revision   of the last change that it knows now
    jobs       those that have changed, as /api/jobs lists them
    gone       numbers of jobs that are forgotten
    many       true: more have changed than are told, so that lists are out of date
    events     {job, n, event} of jobs that it follows (docs/progress.md), without previews; `line` is an event as people read it
    ping       so that both sides notice where the other one is gone
"""

import asyncio
import contextlib
import json

from fastapi import APIRouter, WebSocket

from .access import Person, Role, is_still_in, needs
from .sockets import NOT_LOGGED_IN, PING, STALLED, together

TABLES = ""
router = APIRouter(tags=["events"])
LONGEST = 1 << 16  # characters of what a browser sends
TOO_SLOW, WRONG = 4408, 4400  # codes by which a socket is closed


@router.websocket("/events")
async def events(websocket: WebSocket, person: Person = needs(Role.VIEWER)):
    hub = websocket.app.state.server.hub
    with hub.browser() as browser:  # known before it can ask, so that nothing is told without it
        await websocket.accept()
        await together(_hear(websocket, hub, browser), _tell(websocket, browser))


async def _hear(websocket, hub, browser):
    while True:
        message = await websocket.receive()
        if message["type"] == "websocket.disconnect":
            return
        text = message.get("text") or ""
        try:
            wish = json.loads(text) if len(text) <= LONGEST else None
            since, follow = wish.get("since"), wish.get("follow")
            after = {int(number): int(n) for number, n in (wish.get("after") or {}).items()}
            if not all(type(number) is int and 0 < number < 2**63 for number in [*(follow or ()), *([] if since is None else [since + 1])]):
                raise ValueError
        except (AttributeError, TypeError, ValueError, KeyError, RecursionError):
            return await _close(websocket, WRONG)
        if since is not None:
            await hub.catch_up(browser, since)
        if follow is not None:
            hub.follow(browser, follow, after)


async def _tell(websocket, browser):
    while not browser.is_lost:
        try:
            async with asyncio.timeout(PING):
                text = await browser.message()
        except TimeoutError:
            text = '{"ping":true}'
        if not is_still_in(websocket):  # who is logged out meanwhile learns nothing more
            return await _close(websocket, NOT_LOGGED_IN)
        try:
            async with asyncio.timeout(STALLED):
                await websocket.send_text(text)
        except TimeoutError:
            break
    await _close(websocket, TOO_SLOW)


async def _close(websocket, code):
    with contextlib.suppress(RuntimeError, TimeoutError):
        async with asyncio.timeout(1):
            await websocket.close(code)
