# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a person asks of a data set: its files and own values with the settings of the request, and what is known of the scan with them.
Rooms that show images, and that queue jobs, begin here."""

import asyncio
import collections
import contextlib
import dataclasses
import json

from fastapi import Path
from gsttomo.faces.parameters import OF_SCAN, TO_FIND_AXIS

from . import datasets
from .errors import Conflict, Invalid
from .parameters import Configuration, field_in, resolved
from .programs import Failure, Superseded

NUMBER = Path(..., ge=1, lt=2**63, description="number of a data set")
GLANCE = 0.002    # seconds for the news that a browser is gone already
MOST_FACTS = 256  # of scans as settings have them, that are kept


@dataclasses.dataclass
class Given:
    """values: a description for programs; facts: those of tomo-reconstruct info --json with these values"""
    dataset: object
    values: dict
    facts: dict

    @property
    def configuration(self):
        return Configuration(self.values)


def description_of(server, number, settings):
    """Values for programs, without a result's name. Raises what is wrong with the settings, or Unknown."""
    return merged(datasets.configuration_of(server, number), resolved(settings, server.folders))


def merged(own, asked):
    """Those of a data set with those of a request, which count more."""
    if asked.keys() & {"axis", *TO_FIND_AXIS}:  # of those, any replaces what the data set says about its axis
        own = {name: value for name, value in own.items() if name not in ("axis", *TO_FIND_AXIS)}
    return {**own, **asked}


class Facts:
    """Those of scans as settings have them, such as other angles. One for each server."""

    def __init__(self):
        self._kept = collections.OrderedDict()

    async def given(self, server, number, settings, person):
        values = description_of(server, number, settings)
        dataset = await datasets.with_facts(server, number)
        if dataset.facts is None:
            raise Conflict(f"{dataset.name} can't be read: {dataset.problem}")
        asked = {name: value for name, value in values.items() if name in OF_SCAN and name in settings}
        if not asked:
            return Given(dataset, values, dataset.facts)
        key = json.dumps([number, dataset.stamp, asked], sort_keys=True)
        if key not in self._kept:
            with telling(server):
                own = datasets.configuration_of(server, number)
                self._kept[key] = await server.questions.ask(["info"], {**own, **asked}, person.name)
        self._kept.move_to_end(key)
        while len(self._kept) > MOST_FACTS:
            self._kept.popitem(last=False)
        return Given(dataset, values, self._kept[key])


@contextlib.contextmanager
def telling(server):
    """Errors of programs as people may read them: without paths, and with the field that they are about."""
    try:
        yield
    except Failure as e:
        raise Invalid(server.folders.told(e.text), field_in(e.text)) from None
    except Superseded:
        raise Conflict("another image was asked for in its place") from None


async def while_there(request, work):
    """The result of a coroutine, which ends when the browser that asked for it goes away."""
    gone = asyncio.ensure_future(_gone(request))
    await asyncio.wait({gone}, timeout=GLANCE)
    if gone.done():
        work.close()  # begun now, it would take the place of what a later request has begun
        raise Conflict("nobody waits for this any more")
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise Conflict("nobody waits for this any more")
        return task.result()
    finally:
        gone.cancel()  # and not waited for: where a message comes at this moment, it ends with the answer
        if not task.done():
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await task


async def _gone(request):
    while (await request.receive())["type"] != "http.disconnect":
        pass
