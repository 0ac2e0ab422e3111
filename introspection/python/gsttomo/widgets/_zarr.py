# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Volumes in Zarr, version 2: an array, or an image of OME-Zarr with its levels. No Qt, and no library of Zarr.

Source: "Zarr storage specification version 2", zarr-specs.readthedocs.io; OME-NGFF 0.4, ngff.openmicroscopy.org."""

import json
import math
import os
import zlib

import numpy as np

from ._stored import Bricks, VolumeError

_LENGTHS = {"meter": 1.0, "millimeter": 1e-3, "micrometer": 1e-6, "nanometer": 1e-9}


def read(path, number, files, cache):
    """Levels, pixel size in metres or None, and the number of volumes."""
    attributes = _json(os.path.join(path, ".zattrs"), path) or {}
    scales = attributes.get("multiscales") if isinstance(attributes, dict) else None
    try:
        if os.path.exists(os.path.join(path, ".zarray")):
            level, volumes = _level(path, number, None, files, cache)
            return [level], None, volumes
        if not scales:
            raise VolumeError(f"{path}: the folder holds no array of Zarr of version 2, and no image of OME-Zarr")
        datasets = scales[0]["datasets"]
        spacings = [_spacing(each) for each in datasets]
        levels, volumes = [], 1
        for each, spacing in zip(datasets, spacings):
            factor = None
            if spacing is not None and spacings[0] is not None:
                factor = tuple(round(a / b, 6) for a, b in zip(spacing[-3:], spacings[0][-3:]))
            level, count = _level(os.path.join(path, each["path"]), number, factor, files, cache)
            if not levels:
                volumes = count
            elif factor is None:
                level.factor = tuple(max(1, round(a / b)) for a, b in zip(levels[0].shape, level.shape))
            levels.append(level)
        return levels, _pixel_size(scales[0], spacings[0]), volumes
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise VolumeError(f"{path}: its description is damaged ({type(error).__name__}: {error})") from None


def _json(name, path):
    try:
        with open(name, encoding="utf-8") as file:
            return json.load(file)
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        raise VolumeError(f"{path}: {os.path.basename(name)} can't be read") from None


def _spacing(dataset):
    for change in dataset.get("coordinateTransformations", []):
        if change.get("type") == "scale" and len(change["scale"]) >= 3 and all(size > 0 for size in change["scale"]):
            return [float(size) for size in change["scale"]]
    return None


def _pixel_size(image, spacing):
    axes = image.get("axes", [])
    unit = axes[-1].get("unit") if axes and isinstance(axes[-1], dict) else None
    return spacing[-1] * _LENGTHS[unit] if spacing is not None and unit in _LENGTHS else None


def _level(folder, number, factor, files, cache):
    about = _json(os.path.join(folder, ".zarray"), folder)
    if about is None:
        raise VolumeError(f"{folder}: the folder holds no array of Zarr of version 2")
    shape, chunk, dtype = tuple(about["shape"]), tuple(about["chunks"]), np.dtype(about["dtype"])
    if len(shape) < 2 or len(shape) != len(chunk) or min(shape) < 1 or min(chunk) < 1 or dtype.kind not in "biufc":
        raise VolumeError(f"{folder}: shape {shape} and type {dtype} came; wanted images of numbers")
    decode = _decoder(folder, about)
    order, separator = about.get("order", "C"), about.get("dimension_separator", ".")
    fill = about.get("fill_value") or 0
    fill = {"NaN": np.nan, "Infinity": np.inf, "-Infinity": -np.inf}.get(fill, fill)
    volumes = math.prod(shape[:-3])
    if not 0 <= number < volumes:
        raise VolumeError(f"{folder}: volume {number} was asked for; it has {volumes}")
    lead = [int(i) for i in np.unravel_index(number, shape[:-3])] if len(shape) > 3 else []
    flat = len(shape) == 2

    def load(*numbers):
        numbers = numbers[1:] if flat else tuple(i // size for i, size in zip(lead, chunk)) + numbers
        name = os.path.join(folder, separator.join(map(str, numbers)).replace("/", os.sep))
        try:
            size = os.stat(name).st_size
        except FileNotFoundError:
            return None
        except OSError as error:
            raise VolumeError(f"{name}: {error.strerror}") from None
        wanted = math.prod(chunk)
        if decode is None:
            brick = np.empty(wanted, dtype)
            files.fill(name, 0, brick)
        else:
            stored = np.empty(size, np.uint8)
            files.fill(name, 0, stored)
            brick = np.frombuffer(decode(name, stored), dtype)
            if brick.size != wanted:
                raise VolumeError(f"{name}: the chunk is damaged")
        brick = brick.reshape(chunk, order=order)
        inner = tuple(i % size for i, size in zip(lead, chunk))
        return brick[np.newaxis] if flat else brick[inner]

    sizes = ((1,) + chunk) if flat else chunk[-3:]
    made = Bricks(cache, ((1,) + shape) if flat else shape[-3:], dtype, sizes, load, fill, decode is not None, factor or (1, 1, 1))
    return made, volumes


def _decoder(folder, about):
    """A function that undoes the coding of chunks, or None for raw ones."""
    if about.get("zarr_format") != 2:
        raise VolumeError(f"{folder}: it is not of version 2 of Zarr")
    if about.get("filters"):
        raise VolumeError(f"{folder}: its chunks pass filters, which can't be undone here")
    compressor = about.get("compressor")
    if compressor is None:
        return None
    name = compressor.get("id")
    if name in ("zlib", "gzip"):
        return _inflated
    try:
        import numcodecs
        codec = numcodecs.get_codec(compressor)
    except (ImportError, ValueError):
        raise VolumeError(f"{folder}: its chunks are coded by '{name}', which needs the Python module numcodecs") from None

    def decode(name, stored):
        try:
            return codec.decode(stored)
        except Exception:  # each codec has its own
            raise VolumeError(f"{name}: the chunk is damaged") from None

    return decode


def _inflated(name, stored):
    try:
        return zlib.decompress(stored, 47)  # zlib or gzip, as its header tells
    except zlib.error:
        raise VolumeError(f"{name}: the chunk is damaged") from None
