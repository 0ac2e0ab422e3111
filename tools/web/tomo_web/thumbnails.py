# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Small pictures of data sets, made once for each state of their files and kept in the server's state."""

import asyncio
import hashlib
import os

import numpy as np
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import FileResponse
from gsttomo._show import grey_range, png, thinned
from gsttomo.faces import axis, looks

from . import datasets
from .access import Person, Role, needs, server_of
from .errors import MISTAKES, Invalid
from .parameters import Configuration
from .programs import Failure

TABLES = ""
router = APIRouter(tags=["data sets"])

LARGEST = 160           # pixels of a side
THIN = 8                # times longer than wide
KEPT = "private, max-age=604800"  # by the browser: another state of the files has another address
PICTURE = {200: {"content": {"image/png": {"schema": {"type": "string", "format": "binary"}}}, "description": "A picture"}, **MISTAKES}


class Thumbnails:
    """One is made at a time, so that whoever looks at images waits for one of them at most."""

    def __init__(self, folder, looks_at_scans):
        self._folder, self._looks = folder, looks_at_scans
        self._turn = asyncio.Lock()
        self._failed = {}  # stamps of files of which none can be made

    async def file(self, server, one):
        """The picture's path. Raises why there is none."""
        path = self._folder / f"{one.id}-{hashlib.sha256((one.key + (one.stamp or '')).encode()).hexdigest()[:16]}.png"
        if path.exists():
            return path
        async with self._turn:
            if path.exists():  # meanwhile
                return path
            if path.name in self._failed:
                raise Invalid(self._failed[path.name])
            try:
                await self._make(server, one, path)
            except Failure as e:
                self._failed[path.name] = server.folders.told(e.text)
                raise Invalid(self._failed[path.name]) from None
        return path

    def forget(self, number):
        for path in self._folder.glob(f"{number}-*"):
            path.unlink(missing_ok=True)

    async def _make(self, server, one, path):
        if not one.facts:
            raise Invalid(one.problem or "nobody has looked at the files yet")
        description = described(Configuration(datasets.described(server, one)), one.facts)
        images = await self._looks.ask(("thumbnail", one.id), description)
        self._folder.mkdir(parents=True, exist_ok=True)
        self.forget(one.id)
        beside = path.with_suffix(".part")
        beside.write_bytes(await asyncio.to_thread(picture_of, images.array[0]))
        os.replace(beside, path)


def described(configuration, facts):
    """The projection in the middle, corrected where that is possible, or the middle sinogram."""
    mode = "transmission" if "transmission" in looks.modes(configuration, facts) else "raw"
    if facts["kind"] == "sinograms":
        return looks.sinogram(configuration, facts, "raw", axis.middle_row(facts))
    binning = looks.binning_of(facts, max(facts["width"], facts["height"]) / (2 * LARGEST))
    return looks.projections(configuration, facts, mode, facts["projections"] // 2, binning=binning)


def picture_of(image):
    small = thinned(image, LARGEST)
    for side, other in ((0, 1), (1, 0)):  # few rows or columns are stretched, to be seen
        if small.shape[other] > THIN * small.shape[side]:
            small = np.repeat(small, small.shape[other] // (2 * small.shape[side]), axis=side)
    return png(small, *grey_range(small))


@router.get("/datasets/{number}/thumbnail", response_class=Response, responses=PICTURE)
async def show_thumbnail(number: int, request: Request, stamp: str = Query("", max_length=10000, description="that of the data set: browsers keep the picture"),
                         person: Person = needs(Role.VIEWER)):
    """A small picture of a data set, in PNG."""
    server = server_of(request)
    path = await server.thumbnails.file(server, server.datasets.get(datasets.row_of(number)))
    return FileResponse(path, media_type="image/png", headers={"Cache-Control": KEPT if stamp else "no-cache"})
