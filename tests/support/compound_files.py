# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Compound files (OLE), as [MS-CFB] describes them, and scans of Zeiss microscopes in them."""

import struct

import numpy as np

SECTOR, MINI, CUTOFF = 512, 64, 4096
END, FREE, FAT, NONE = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD, 0xFFFFFFFF


def padded(data, size):
    return data + bytes(-len(data) % size)


def compound(streams):
    """The bytes of a file with these streams: {"folder/name": bytes}."""
    entries = [{"name": "Root Entry", "type": 5, "children": [], "data": b""}]
    folders = {"": 0}
    for path, data in streams.items():
        *above, name = path.split("/")
        parent, so_far = 0, ""
        for part in above:
            so_far += "/" + part
            if so_far not in folders:
                folders[so_far] = len(entries)
                entries[parent]["children"].append(len(entries))
                entries.append({"name": part, "type": 1, "children": [], "data": b""})
            parent = folders[so_far]
        entries[parent]["children"].append(len(entries))
        entries.append({"name": name, "type": 2, "children": [], "data": bytes(data)})
    sectors, fat, mini, mini_fat = [], [], b"", []

    def store(data):
        """The first of the sectors that get it."""
        if not data:
            return END
        first, count = len(sectors), -(-len(data) // SECTOR)
        whole = padded(data, SECTOR)
        sectors.extend(whole[i * SECTOR:(i + 1) * SECTOR] for i in range(count))
        fat.extend([*range(first + 1, first + count), END])
        return first

    for entry in entries:
        data = entry["data"]
        if entry["type"] == 2 and 0 < len(data) < CUTOFF:
            first, count = len(mini_fat), -(-len(data) // MINI)
            mini += padded(data, MINI)
            mini_fat.extend([*range(first + 1, first + count), END])
            entry["start"] = first
        else:
            entry["start"] = store(data)
    entries[0].update(start=store(mini), data=mini)
    mini_fat_sectors = -(-len(mini_fat) // (SECTOR // 4))
    mini_fat_start = store(padded(struct.pack(f"<{len(mini_fat)}I", *mini_fat), SECTOR)[:]) if mini_fat else END
    directory = b""
    links = {}  # each child leads to the next one
    for entry in entries:
        ordered = sorted(entry["children"], key=lambda i: (len(entries[i]["name"]), entries[i]["name"].upper()))
        entry["child"] = ordered[0] if ordered else NONE
        links.update(zip(ordered, [*ordered[1:], NONE]))
    for number, entry in enumerate(entries):
        name = entry["name"].encode("utf-16-le") + b"\0\0"
        directory += struct.pack("<64sHBBIII16sIQQIQ", name, len(name), entry["type"], 1, NONE, links.get(number, NONE), entry["child"],
                                 b"", 0, 0, 0, entry["start"], len(entry["data"]))
    directory_start = store(directory)
    count = 0
    while count * (SECTOR // 4) < len(fat) + count:
        count += 1
    assert count <= 109
    places = list(range(len(sectors), len(sectors) + count))
    fat += [FAT] * count
    fat += [FREE] * (-len(fat) % (SECTOR // 4))
    table = struct.pack(f"<{len(fat)}I", *fat)
    header = struct.pack("<8s16sHHHHH6sIIIIIIIII", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"", 0x3E, 3, 0xFFFE, 9, 6, b"", 0, count,
                         directory_start, 0, CUTOFF, mini_fat_start, mini_fat_sectors, END, 0)
    header += struct.pack("<109I", *places, *[FREE] * (109 - count))
    return header + b"".join(sectors) + table


def floats(*numbers):
    return struct.pack(f"<{len(numbers)}f", *numbers)


def integer(number):
    return struct.pack("<I", number)


def zeiss(path, images, angles, reference=None, **more):
    """A scan of a Zeiss microscope: counts, degrees, and further streams, with __ for /; None leaves one out."""
    types = {"uint8": 3, "uint16": 5, "float32": 10}
    streams = {"ImageInfo/NoOfImages": integer(len(images)), "ImageInfo/ImageWidth": integer(images.shape[2]),
               "ImageInfo/ImageHeight": integer(images.shape[1]), "ImageInfo/DataType": integer(types[images.dtype.name]),
               "ImageInfo/Angles": floats(*angles), "Version": floats(1.0)}
    for i, image in enumerate(images):
        streams[f"ImageData{i // 100 + 1}/Image{i + 1}"] = np.ascontiguousarray(image.astype(image.dtype.newbyteorder("<"))).tobytes()
    if reference is not None:
        streams["ReferenceData/Image"] = np.ascontiguousarray(reference).tobytes()
        streams["ReferenceData/DataType"] = integer(types[reference.dtype.name])
    streams.update({name.replace("__", "/"): data for name, data in more.items()})
    with open(path, "wb") as file:
        file.write(compound({name: data for name, data in streams.items() if data is not None}))
