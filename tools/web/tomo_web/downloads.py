# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Results as files: HDF5 as it is, also in parts; a zip of TIFFs, made while it is sent; a PNG of a slice."""

import asyncio
import hashlib
import math
import os
import re
import urllib.parse
from typing import Literal, Optional

import numpy as np
from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.responses import StreamingResponse
from gsttomo.widgets import _levels as shades
from gsttomo.widgets import split_name

from .access import server_of
from .archive import Zip, png, scaled, tiff_head
from .errors import MISTAKES, Invalid, Refusal, Unknown
from .open_volumes import as_sent
from .outputs import LARGEST, Job, Number, result_of
from .shares import Viewer, sees

TABLES = ""
router = APIRouter(tags=["results"])

BLOCK = 1 << 20
HDF5 = "application/x-hdf5"
RANGE = re.compile(r"bytes=(\d*)-(\d*)")
FILE = {"content": {HDF5: {"schema": {"type": "string", "format": "binary"}}}}
Which = Query(0, ge=0, le=LARGEST, description="which one of several volumes of a file")


class NotSatisfiable(Refusal):
    status = 416


@router.get("/results/{job}/{number}/file", response_class=StreamingResponse,
            responses={200: FILE, 206: FILE, 304: {"description": "the browser has it"}, 416: {"description": "the file has no such bytes"}, **MISTAKES})
@router.head("/results/{job}/{number}/file", include_in_schema=False)
async def download(request: Request, job: int = Job, number: int = Number, range: Optional[str] = Header(None), if_range: Optional[str] = Header(None),
                   if_none_match: Optional[str] = Header(None), viewer: Viewer = sees()):
    """The file of a result; with Range a part of it, for downloads that go on."""
    path = split_name(await result_of(server_of(request), job, number))[0]
    file = _opened(path)
    about = os.fstat(file.fileno())
    etag = '"' + hashlib.sha256(repr((about.st_dev, about.st_ino, about.st_size, about.st_mtime_ns)).encode()).hexdigest()[:24] + '"'
    headers = {"ETag": etag, "Accept-Ranges": "bytes", "Cache-Control": "private, no-cache", "Content-Disposition": attachment(os.path.basename(path))}
    if if_none_match == etag:
        return Response(status_code=304, headers=headers)
    part = _part(range, about.st_size) if range and (not if_range or if_range == etag) else None
    begin, end = part or (0, about.st_size)
    headers["Content-Length"] = str(end - begin)
    if part:
        headers["Content-Range"] = f"bytes {begin}-{end - 1}/{about.st_size}"
    if request.method == "HEAD":
        return Response(headers=headers, media_type=HDF5)
    return StreamingResponse(_blocks(file, begin, end), 206 if part else 200, headers, HDF5)


def _opened(path):
    """What is sent is this file, also where another one takes its name meanwhile."""
    name = os.path.basename(path)
    if os.path.isdir(path):
        raise Unknown(f"{name} is a folder: download its slices")
    try:
        return open(path, "rb", buffering=0)
    except OSError:
        raise Unknown(f"{name} is not there any more") from None


def _part(text, size):
    """Begin and end of one range; None for several ones, which get all. Raises NotSatisfiable."""
    match = RANGE.fullmatch(text.strip())
    if not match or match[1] == match[2] == "":
        return None
    if match[1]:
        begin, end = int(match[1]), min(int(match[2]) + 1 if match[2] else size, size)
    else:
        begin, end = max(0, size - int(match[2])), size
    if begin >= size or end <= begin:
        raise NotSatisfiable(f"the file has {size} bytes")
    return begin, end


async def _blocks(file, begin, end):
    with file:
        while begin < end:
            block = await asyncio.to_thread(os.pread, file.fileno(), min(BLOCK, end - begin), begin)
            if not block:  # the browser sees that bytes are missing
                raise RuntimeError("the file has become shorter while it was sent")
            begin += len(block)
            yield block


def attachment(name):
    """For Content-Disposition: any name, in a way that all browsers read."""
    plain = re.sub(r'[^\x20-\x7e]|["\\%]', "_", name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{urllib.parse.quote(name, safe='')}"


@router.get("/results/{job}/{number}/zip", response_class=StreamingResponse, responses={200: {"content": {"application/zip": {}}}, **MISTAKES})
async def download_zip(request: Request, job: int = Job, number: int = Number, which: int = Which,
                       samples: Literal["stored", "uint16"] = Query("stored", description="uint16: values from low to high become 0 to 65535"),
                       low: Optional[float] = Query(None), high: Optional[float] = Query(None), viewer: Viewer = sees()):
    """All slices as TIFFs in a zip, which is made while it is sent."""
    server = server_of(request)
    path = await result_of(server, job, number)
    if samples == "uint16":
        _check_window(low, high)
    depth, head, first, stamp = await server.volumes.use(request, path, which, None, lambda opened, stop: _first(opened, samples, low, high, stop))
    if first.nbytes >= 1 << 31:
        raise Invalid("a slice is too large for a TIFF: download the file")
    stem, digits = os.path.splitext(os.path.basename(split_name(path)[0]))[0], max(5, len(str(depth)))
    made = Zip(depth, len(head) + first.nbytes, lambda z: f"{stem}/{stem}-{z:0{digits}d}.tif")

    async def send():
        for z in range(depth):
            array = await server.volumes.use(request, path, which, stamp,
                                             lambda opened, stop, z=z: _as_samples(opened.volume.slice(0, z, stop=stop).array, samples, low, high))
            yield made.entry(z, head + array.tobytes())
        yield made.end()

    return StreamingResponse(send(), media_type="application/zip",
                             headers={"Content-Length": str(made.length), "Content-Disposition": attachment(f"{stem}.zip"), "Cache-Control": "no-store"})


def _check_window(low, high):
    if low is None or high is None or not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise Invalid("low and high are the values of black and white, low below high", "low")


def _first(opened, samples, low, high, stop):
    volume = opened.volume
    array = _as_samples(volume.slice(0, 0, stop=stop).array, samples, low, high)
    text = f"0 to 65535 are {low!r} to {high!r}" if samples == "uint16" else ""
    return volume.shape[0], tiff_head(array.shape, array.dtype, volume.pixel_size, text), array, opened.stamp


def _as_samples(image, samples, low, high):
    image = as_sent(image)
    return scaled(image, low, high) if samples == "uint16" else image


@router.get("/results/{job}/{number}/png", response_class=Response, responses={200: {"content": {"image/png": {}}}, **MISTAKES})
async def picture(request: Request, job: int = Job, number: int = Number, which: int = Which, axis: int = Query(0, ge=0, le=2),
                  index: int = Query(..., ge=0, le=LARGEST), low: float = Query(..., description="the value that is black"),
                  high: float = Query(..., description="the value that is white"), viewer: Viewer = sees()):
    """A plane at its full resolution, as a picture in 256 greys."""
    _check_window(low, high)

    def read(opened, stop):
        level = opened.levels()[0]
        if level.cost(axis) is None:
            raise Invalid("this plane can't be had at its full resolution: too much of the file would be read", "axis")
        if index >= opened.volume.shape[axis]:
            raise Unknown(f"there is no plane {index}: there are {opened.volume.shape[axis]}")
        plane = opened.volume.slice(axis, index, stop=stop).array
        grey = np.arange(256, dtype=np.uint32)
        return png(shades.coloured(as_sent(plane), low, high, grey).astype(np.uint8))

    server = server_of(request)
    path = await result_of(server, job, number)
    made = await server.volumes.use(request, path, which, None, read)
    stem = os.path.splitext(os.path.basename(split_name(path)[0]))[0]
    return Response(made, media_type="image/png", headers={"Content-Disposition": attachment(f"{stem}-{'zyx'[axis]}{index}.png"),
                                                           "Cache-Control": "private, no-cache"})
