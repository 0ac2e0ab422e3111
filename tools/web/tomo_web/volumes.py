# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Results in parts: planes in tiles at the resolution that a window needs, and small copies. Never a whole volume."""

from typing import List, Literal, Optional

from fastapi import APIRouter, Header, Query, Request, Response
from pydantic import BaseModel

from .access import server_of
from .bricks import SIDES
from .errors import MISTAKES
from .open_volumes import as_sent, type_of
from .outputs import LARGEST, Job, Number, result_of
from .shares import Viewer, sees

TABLES = ""
router = APIRouter(tags=["results"])

FOR_EVER = "private, max-age=604800, immutable"
ASK_AGAIN = "private, no-cache"
SAMPLES = {200: {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
                 "headers": {"X-Shape": {"schema": {"type": "string"}, "description": "sizes, the slowest axis first, with commas between"},
                             "X-Type": {"schema": {"type": "string"}, "description": "uint8, uint16 or float32, little endian"},
                             "ETag": {"schema": {"type": "string"}}}},
           304: {"description": "the browser has it"}, **MISTAKES}
Which = Query(0, ge=0, le=LARGEST, description="which one of several volumes of a file")
Stamp = Query(None, max_length=64, description="the one of the volume's facts: another file at its place is an error then, and a browser may "
                                               "keep the answer")


class Level(BaseModel):
    """factor: how far samples lie apart along z, y, x. bins: planes are means of so many x so many samples of the level of the file.
    planes: shapes (rows, columns) of those across z, y, x. costs: bytes that the server reads for a plane across z, y, x where many follow
    each other; null where they can't be had at this level. Where no level has them, ask for the overview"""
    factor: List[float]
    bins: int
    stored: bool
    overview: bool
    planes: List[List[int]]
    costs: List[Optional[int]]


class Facts(BaseModel):
    """type: of the samples in the file; sample_type: as they are sent. volumes: how many the file has"""
    shape: List[int]
    type: str
    sample_type: Literal["uint8", "uint16", "float32"]
    pixel_size: Optional[float]
    levels: List[Level]
    volumes: int
    dataset: str
    stamp: str
    needs_overview: bool


class Values(BaseModel):
    """Of a sample of the volume: low and high of 0.5 to 99.5 % of the values, and how many there are in bins of equal width over `span`."""
    levels: List[float]
    counts: List[int]
    span: List[float]


@router.get("/results/{job}/{number}/volume", response_model=Facts, responses=MISTAKES)
async def volume(request: Request, job: int = Job, number: int = Number, which: int = Which, viewer: Viewer = sees()):
    """What a volume is: shape, resolutions, pixel size."""
    return await _use(request, job, number, which, None, lambda opened, stop: _facts_of(opened))


@router.get("/results/{job}/{number}/values", response_model=Values, responses=MISTAKES)
async def values(request: Request, job: int = Job, number: int = Number, which: int = Which, stamp: Optional[str] = Stamp,
                 viewer: Viewer = sees()):
    """Percentiles and histogram of a sample of planes."""
    levels, counts, span = await _use(request, job, number, which, stamp, lambda opened, stop: opened.values(stop))
    return {"levels": levels, "counts": counts, "span": span}


@router.get("/results/{job}/{number}/tile", response_class=Response, responses=SAMPLES)
async def tile(request: Request, job: int = Job, number: int = Number, which: int = Which, stamp: Optional[str] = Stamp,
               level: int = Query(0, ge=0, le=64, description="which of the volume's levels"),
               axis: int = Query(0, ge=0, le=2, description="0: planes (y, x) across z; 1: (z, x) across y; 2: (z, y) across x"),
               index: int = Query(..., ge=0, le=LARGEST, description="of the plane, at the finest level"),
               row: int = Query(0, ge=0, le=LARGEST, description="of the tile"), column: int = Query(0, ge=0, le=LARGEST),
               size: Literal["256", "512"] = Query("256", description="samples of a side of a tile"),
               border: int = Query(0, ge=0, le=1, description="samples around the tile that are sent as well, where the plane has them"),
               if_none_match: Optional[str] = Header(None), viewer: Viewer = sees()):
    """Samples of a part of a plane, raw."""
    side = int(size)

    def read(opened, stop):
        etag = f'"{opened.stamp}"'
        if if_none_match == etag:
            return None, etag
        return opened.tile(opened.level(level, stop), axis, index, (row * side, column * side), side, border, stop), etag

    return _answer(*await _use(request, job, number, which, stamp, read), stamp)


@router.get("/results/{job}/{number}/brick", response_class=Response, responses=SAMPLES)
async def brick(request: Request, job: int = Job, number: int = Number, which: int = Which, stamp: Optional[str] = Stamp,
                most: Literal[tuple(map(str, SIDES))] = Query("128", description="samples along each side"),
                if_none_match: Optional[str] = Header(None), viewer: Viewer = sees()):
    """A small copy of the whole volume, uint8 (z, y, x). X-Range has the values of 0 and 255."""
    bricks = server_of(request).bricks

    def read(opened, stop):
        etag = f'"{opened.stamp}"'
        if if_none_match == etag:
            return None, etag, (0, 0)
        array, span = bricks.get(opened, int(most), stop)
        return array, etag, span

    array, etag, span = await _use(request, job, number, which, stamp, read)
    answer = _answer(array, etag, stamp)
    answer.headers["X-Range"] = f"{span[0]!r},{span[1]!r}"
    return answer


@router.get("/results/{job}/{number}/overview", response_model=Facts, responses=MISTAKES)
async def overview(request: Request, job: int = Job, number: int = Number, which: int = Which, stamp: Optional[str] = Stamp,
                   viewer: Viewer = sees()):
    """The same facts, when planes along all axes can be had: the whole file is read once where that is needed."""
    def read(opened, stop):
        opened.make_overview(stop)
        return _facts_of(opened)

    return await _use(request, job, number, which, stamp, read)


async def _use(request, job, number, which, stamp, function):
    server = server_of(request)
    return await server.volumes.use(request, await result_of(server, job, number), which, stamp, function)


def _facts_of(opened):
    volume, levels = opened.volume, opened.levels()
    return {"shape": volume.shape, "type": str(volume.dtype), "sample_type": str(type_of(volume.dtype)), "pixel_size": volume.pixel_size,
            "levels": [{"factor": level.stored.factor, "bins": level.bins, "stored": level.bins == 1 and not level.is_overview,
                        "overview": level.is_overview,
                        "planes": [level.plane_shape(axis) for axis in range(3)], "costs": [level.cost(axis) for axis in range(3)]}
                       for level in levels],
            "volumes": volume.volumes, "dataset": volume.dataset, "stamp": opened.stamp,
            "needs_overview": opened.needs_overview()}


def _answer(array, etag, stamp):
    headers = {"ETag": etag, "Cache-Control": FOR_EVER if stamp else ASK_AGAIN}
    if array is None:
        return Response(status_code=304, headers=headers)
    headers |= {"X-Shape": ",".join(map(str, array.shape)), "X-Type": str(type_of(array.dtype))}
    return Response(as_sent(array).tobytes(), media_type="application/octet-stream", headers=headers)
