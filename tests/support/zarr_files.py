# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Arrays of Zarr, version 2, by their specification, with numpy alone; and the levels of a pyramid in float64."""

import itertools
import json
import os
import warnings

import numpy as np


def read_json(*path):
    with open(os.path.join(*path)) as file:
        return json.load(file)


def read_zarr(folder):
    """The array in a folder, with all of its samples."""
    about = read_json(folder, ".zarray")
    assert about["zarr_format"] == 2 and about["order"] == "C" and about["compressor"] is None and about["filters"] is None
    shape, chunk, dtype = about["shape"], about["chunks"], np.dtype(about["dtype"])
    array = np.full(shape, about["fill_value"], dtype)
    for index in itertools.product(*(range(-(-size // each)) for size, each in zip(shape, chunk))):
        name = os.path.join(folder, about.get("dimension_separator", ".").join(map(str, index)))
        if not os.path.exists(name):
            continue
        samples = np.fromfile(name, dtype)
        assert samples.size == np.prod(chunk), name
        place = tuple(slice(i * each, (i + 1) * each) for i, each in zip(index, chunk))
        array[place] = samples.reshape(chunk)[tuple(slice(0, size) for size in array[place].shape)]
    return array


def write_zarr(folder, array, chunk, separator=".", fill=0, order="", leave_out=()):
    """An array, but for the chunks that are left out; `order` is that of the bytes."""
    os.makedirs(folder)
    array = array.astype(array.dtype.newbyteorder(order)) if order else array
    with open(os.path.join(folder, ".zarray"), "w") as file:
        json.dump({"zarr_format": 2, "shape": array.shape, "chunks": chunk, "dtype": array.dtype.str, "compressor": None,
                   "filters": None, "fill_value": fill, "order": "C", "dimension_separator": separator}, file)
    for index in itertools.product(*(range(-(-size // each)) for size, each in zip(array.shape, chunk))):
        if index in leave_out:
            continue
        name = os.path.join(folder, separator.join(map(str, index)))
        os.makedirs(os.path.dirname(name), exist_ok=True)
        samples = np.zeros(chunk, array.dtype)
        part = array[tuple(slice(i * each, (i + 1) * each) for i, each in zip(index, chunk))]
        samples[tuple(slice(0, size) for size in part.shape)] = part
        samples.tofile(name)


def halved(array):
    """Means of 2 x 2 x 2 samples, of those that are there and not NaN; integers are rounded, halves upwards."""
    if array.dtype.kind == "c":
        return halved(array.real) + 1j * halved(array.imag)
    padded = np.pad(array.astype(np.float64), [(0, size % 2) for size in array.shape], constant_values=np.nan)
    parts = np.stack([padded[z::2, y::2, x::2] for z, y, x in itertools.product((0, 1), repeat=3)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of means of nothing
        means = np.nanmean(parts, 0)
    return np.floor(means + 0.5) if array.dtype.kind in "iu" else means
