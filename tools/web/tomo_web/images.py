# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Images of data sets: projections, flats, darks, sinograms, one by one and as a film."""

import asyncio
import collections
import json
from typing import Literal

import numpy as np
from fastapi import APIRouter, Query, Request, Response
from gsttomo.faces import looks

from .access import Person, Role, needs, server_of
from .errors import Invalid
from .given import NUMBER, telling, while_there
from .kept_settings import settings_of
from .pictures import SAMPLES, samples

TABLES = ""
router = APIRouter(tags=["images"])

Kind = Literal[(*looks.KINDS, "sinogram")]
Mode = Literal[tuple(looks.MODES)]
TAB = Query("", max_length=64, description="a name that a page gives itself: its next wish of this kind takes the place of the last one")
MOST_STACKS = 8  # of flats and darks that are kept, each of at most looks.MOST_BYTES


class Stacks:
    """Flats and darks of scans that somebody looks at: programs read all of them at once."""

    def __init__(self, looks_at_flows):
        self._looks, self._kept, self._coming = looks_at_flows, collections.OrderedDict(), {}

    async def ask(self, given, kind, person):
        """Images, and the side of the squares of pixels whose means they are. Those who want the same wait for the same."""
        binning = looks.calibration_binning(given.facts, kind)
        description = looks.calibration(given.configuration, kind, binning)
        key = (given.dataset.id, given.dataset.stamp, json.dumps(description, sort_keys=True))
        if key not in self._kept:
            if key not in self._coming:
                self._coming[key] = asyncio.ensure_future(self._read(key, description, binning, person))
                self._coming[key].add_done_callback(lambda task: task.cancelled() or task.exception())  # also where all have gone
            await asyncio.shield(self._coming[key])
        self._kept.move_to_end(key)
        return self._kept[key], binning

    async def _read(self, key, description, binning, person):
        try:
            images = (await self._looks.ask(key, description, person.name)).array
            self._kept[key] = images if binning == 1 else images / np.float32(binning**2)
        finally:
            del self._coming[key]
        while len(self._kept) > MOST_STACKS:
            self._kept.popitem(last=False)


@router.get("/datasets/{dataset}/image", response_class=Response, responses=SAMPLES)
async def show_image(request: Request, dataset: int = NUMBER, kind: Kind = "projections",
                     number: int = Query(0, ge=0, le=2**31 - 1, description="of the image, or row of a sinogram"), mode: Mode = "raw", binning: int = Query(1, ge=1, le=looks.MOST_BINNING), tab: str = TAB,
                     person: Person = needs(Role.VIEWER)):
    """One image by your settings of the data set. X-Facts: mode (raw where there is nothing to correct by), binning, caption."""
    server, given, mode = await _given(request, dataset, mode, person)
    _check(given, kind, number)
    binning = min(binning, given.facts["width"], given.facts["height"])
    with telling(server):
        if kind in ("flats", "flats-after", "darks"):
            images, binning = await while_there(request, server.stacks.ask(given, kind, person))
            image, mode = images[number], "raw"
        else:
            wish = (looks.sinogram(given.configuration, given.facts, mode, number) if kind == "sinogram" else
                    looks.projections(given.configuration, given.facts, mode, number, binning=binning))
            binning = 1 if kind == "sinogram" else binning
            image = (await while_there(request, server.looks.ask((person.name, tab, dataset, kind), wish, person.name))).array[0]
    return samples(image, {"mode": mode, "binning": binning,
                           "caption": looks.caption(given.facts, given.values, kind, mode, number, binning == 1)})


@router.get("/datasets/{dataset}/film", response_class=Response, responses=SAMPLES)
async def show_film(request: Request, dataset: int = NUMBER, kind: Literal[tuple(looks.KINDS)] = "projections", mode: Mode = "raw", tab: str = TAB,
                    person: Person = needs(Role.VIEWER)):
    """Some projections spread evenly, or all flats or darks, smaller where they are large. X-Facts: numbers and captions of the images,
    mode, modes that are possible, binning."""
    server, given, mode = await _given(request, dataset, mode, person)
    _check(given, kind, 0)
    with telling(server):
        if kind == "projections":
            frames, step, binning = looks.film(given.facts)
            wish = looks.projections(given.configuration, given.facts, mode, 0, frames, step, binning)
            images = (await while_there(request, server.looks.ask((person.name, tab, dataset, "film"), wish, person.name))).array
        else:
            (images, binning), step, mode = await while_there(request, server.stacks.ask(given, kind, person)), 1, "raw"
    numbers = [at * step for at in range(len(images))]
    captions = [looks.caption(given.facts, given.values, kind, mode, at, binning == 1) for at in numbers]
    return samples(images, {"numbers": numbers, "captions": captions, "mode": mode, "modes": looks.modes(given.configuration, given.facts),
                            "binning": binning})


async def _given(request, dataset, mode, person):
    """The server, what is known with the person's settings, and the mode that these allow."""
    server = server_of(request)
    given = await server.facts.given(server, dataset, settings_of(server, person, dataset), person)
    return server, given, mode if mode in looks.modes(given.configuration, given.facts) else "raw"


def _check(given, kind, number):
    facts = given.facts
    is_sinograms = facts["kind"] == "sinograms"
    if is_sinograms and kind != "sinogram":
        raise Invalid("this data set has sinograms alone", "kind")
    count = facts["height"] if kind == "sinogram" else facts[kind]
    if not count:
        raise Invalid(f"this data set has no {looks.KINDS[kind].lower()}", "kind")
    if number >= count:
        raise Invalid(f"wanted 0 to {count - 1}", "number")
