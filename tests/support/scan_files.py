# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Scans as beamlines write them, and chunks as detectors compress them."""

import os
import struct

import h5py
import numpy as np
import tifffile

# Where a plugin for HDF5 is installed, it would change what is written about chunks that come filtered.
while h5py.h5pl.size():
    h5py.h5pl.remove(0)


def nxtomo(file, data, keys, angles=None, entry="entry", units="deg", **facts):
    """An entry of an open file; `data` is a dataset or an array, `facts` are datasets below the entry (with _ for /)."""
    group = file.create_group(entry)
    group.attrs["NX_class"] = "NXentry"
    group["definition"] = "NXtomo"
    detector = group.create_group("instrument/detector")
    group["instrument"].attrs["NX_class"] = "NXinstrument"
    detector.attrs["NX_class"] = "NXdetector"
    if data is not None:
        detector["data"] = data
    detector["image_key"] = keys
    if angles is not None:
        group["sample/rotation_angle"] = np.asarray(angles, float)
        if units:
            group["sample/rotation_angle"].attrs["units"] = units
    for path, (value, unit) in facts.items():
        path = path.replace("__", "/")
        group[path] = value
        if unit:
            group[path].attrs["units"] = unit
    return group


def data_exchange(path, data, white=None, dark=None, theta=None, units=None):
    with h5py.File(path, "w") as file:
        file["exchange/data"] = data
        if white is not None:
            file["exchange/data_white"] = white
        if dark is not None:
            file["exchange/data_dark"] = dark
        if theta is not None:
            file["exchange/theta"] = np.asarray(theta, float)
            if units:
                file["exchange/theta"].attrs["units"] = units


def series(folder, arrays, name="%05d.tif"):
    os.makedirs(folder, exist_ok=True)
    for i, array in enumerate(arrays):
        tifffile.imwrite(os.path.join(folder, name % i), array)


def lz4_block(data):
    """LZ4 without any match, and with one where the data begins with 64 equal bytes."""
    out, rest = b"", data
    if len(data) >= 96 and len(set(data[:64])) == 1:
        # One literal, then a match of 63 bytes at distance 1.
        out += bytes([0x1F]) + data[:1] + struct.pack("<H", 1) + bytes([63 - 4 - 15])
        rest = data[64:]
    n = len(rest)
    out += bytes([min(n, 15) << 4])
    if n >= 15:
        n -= 15
        out += b"\xff" * (n // 255) + bytes([n % 255])
    return out + rest


def lz4_chunk(data, block):
    """As filter 32004 stores it."""
    out = struct.pack(">QI", len(data), block)
    for at in range(0, len(data), block):
        part = data[at : at + block]
        packed = lz4_block(part)
        packed = part if len(packed) >= len(part) else packed
        out += struct.pack(">I", len(packed)) + packed
    return out


def bitshuffle(array):
    """A multiple of eight samples, bit by bit."""
    size = array.dtype.itemsize
    bits = np.unpackbits(array.view(np.uint8).reshape(-1, size), axis=1, bitorder="little")
    return np.packbits(bits.T, axis=1, bitorder="little").tobytes()


def bitshuffle_chunk(array, block, compressed=True):
    """As filter 32008 stores it; `block` in samples."""
    flat = np.ascontiguousarray(array).ravel()
    size = flat.dtype.itemsize
    out = struct.pack(">QI", flat.nbytes, block * size) if compressed else b""
    whole = len(flat) // 8 * 8
    at = 0
    while at < whole:
        n = min(block, whole - at)
        bits = bitshuffle(flat[at : at + n])
        if compressed:
            packed = lz4_block(bits)
            out += struct.pack(">I", len(packed)) + packed
        else:
            out += bits
        at += n
    return out + flat[whole:].tobytes()


def filtered_dataset(file, name, shape, dtype, chunk, filter_id, values):
    """For chunks that somebody else has filtered."""
    creation = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    creation.set_chunk(chunk)
    creation.set_filter(filter_id, h5py.h5z.FLAG_OPTIONAL, values)
    space, stored = h5py.h5s.create_simple(shape), h5py.h5t.py_create(np.dtype(dtype))
    return h5py.h5d.create(file.id, name.encode(), stored, space, dcpl=creation)


def compressed_dataset(file, name, data, chunk, kind):
    """A dataset of whole and partial chunks, "lz4", "bitshuffle-lz4" or "bitshuffle"."""
    block = 1024
    values = (0, 4, data.dtype.itemsize, block, 2 if kind == "bitshuffle-lz4" else 0)
    dataset = filtered_dataset(
        file,
        name,
        data.shape,
        data.dtype,
        chunk,
        32004 if kind == "lz4" else 32008,
        (block,) if kind == "lz4" else values,
    )
    for corner in np.ndindex(*(-(-n // c) for n, c in zip(data.shape, chunk))):
        start = tuple(i * c for i, c in zip(corner, chunk))
        part = data[tuple(slice(s, s + c) for s, c in zip(start, chunk))]
        whole = np.zeros(chunk, data.dtype)
        whole[tuple(slice(n) for n in part.shape)] = part
        if kind == "lz4":
            stored = lz4_chunk(whole.tobytes(), block)
        else:
            stored = bitshuffle_chunk(whole, block, kind == "bitshuffle-lz4")
        dataset.write_direct_chunk(start, stored)
