# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Images as TIFF and PNG, and a zip of many that is written as it is sent: one image in the memory, its whole size known before."""

import struct
import zlib

import numpy as np

_SHORT, _LONG, _ASCII, _RATIONAL = 3, 4, 2, 5
_EXIF_CENTIMETRE = 3
LIMIT = 0xffffffff  # from which on zip needs its larger fields


def tiff_head(shape, dtype, pixel_size=None, text=""):
    """What is before the samples of an image (rows, columns), which follow little endian."""
    rows, columns = shape
    kind = {"u": 1, "i": 2, "f": 3}[dtype.kind]
    about = text.encode("ascii", "replace") + b"\0"
    tags = [(256, _LONG, columns), (257, _LONG, rows), (258, _SHORT, 8 * dtype.itemsize), (259, _SHORT, 1), (262, _SHORT, 1), (270, _ASCII, about),
            (273, _LONG, None), (277, _SHORT, 1), (278, _LONG, rows), (279, _LONG, rows * columns * dtype.itemsize)]
    if pixel_size:
        per_centimetre = 0.01 / pixel_size
        parts = max(1, min(1_000_000, int(4e9 / per_centimetre)))
        resolution = struct.pack("<II", min(LIMIT, round(per_centimetre * parts)), parts)
        tags += [(282, _RATIONAL, resolution), (283, _RATIONAL, resolution), (296, _SHORT, _EXIF_CENTIMETRE)]
    tags.append((339, _SHORT, kind))
    behind = 8 + 2 + 12 * len(tags) + 4
    extra = b""
    for _, _, value in tags:
        if isinstance(value, bytes) and len(value) > 4:
            extra += value + b"\0" * (len(value) % 2)
    begin = -(-(behind + len(extra)) // 16) * 16
    made, at = struct.pack("<2sHIH", b"II", 42, 8, len(tags)), behind
    for tag, sort, value in tags:
        count = 1
        if isinstance(value, bytes):
            count = len(value) if sort == _ASCII else 1
            if len(value) > 4:
                field, at = struct.pack("<I", at), at + len(value) + len(value) % 2
            else:
                field = value.ljust(4, b"\0")
        else:
            field = struct.pack("<I", begin if value is None else value)
        made += struct.pack("<HHI", tag, sort, count) + field
    return (made + b"\0\0\0\0" + extra).ljust(begin, b"\0")


def scaled(image, low, high):
    """Values from low to high as 0 to 65535; NaN as 0."""
    with np.errstate(all="ignore"):
        made = np.clip((image.astype(np.float64) - low) * (65535 / (high - low)) + 0.5, 0, 65535)
    return np.nan_to_num(made).astype("<u2")


def png(shades):
    """An image of grey uint8 or uint16 (rows, columns)."""
    rows, columns = shades.shape
    bits = 8 * shades.dtype.itemsize
    lines = np.zeros((rows, 1 + columns * shades.dtype.itemsize), np.uint8)
    lines[:, 1:] = np.ascontiguousarray(shades, shades.dtype.newbyteorder(">")).view(np.uint8).reshape(rows, -1)

    def chunk(name, content):
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", columns, rows, bits, 0, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(lines.tobytes(), 3)) + chunk(b"IEND", b""))


class Zip:
    """A zip of `count` files of the same size, stored as they are. name(i) tells their names, all of one length."""

    def __init__(self, count, size, name):
        self._count, self._size, self._name = count, size, name
        self._checks = []
        self._name_length = len(name(0).encode())

    @property
    def length(self):
        """Bytes of the whole."""
        return (len(self._head(0)) + self._size) * self._count + self._length_of_directory()

    def _length_of_directory(self):
        step = len(self._head(0)) + self._size
        large = sum(step * i >= LIMIT for i in range(self._count)) if step * self._count >= LIMIT else 0
        length = self._count * (46 + self._name_length) + 12 * large
        return length + 22 + (76 if self._needs_large(length) else 0)

    def _needs_large(self, directory):
        return (len(self._head(0)) + self._size) * self._count + directory >= LIMIT or self._count >= 0xffff

    def _head(self, check, i=0):
        return struct.pack("<IHHHHHIIIHH", 0x04034b50, 20, 0x800, 0, 0, 0x21, check, self._size, self._size, self._name_length, 0) + self._name(
            i).encode()

    def entry(self, i, content):
        """The bytes of file number i, in their order."""
        check = zlib.crc32(content)
        self._checks.append(check)
        return self._head(check, i) + content

    def end(self):
        """What follows the last file."""
        step, made = len(self._head(0)) + self._size, []
        for i, check in enumerate(self._checks):
            at, more = i * step, b""
            if at >= LIMIT:
                at, more = LIMIT, struct.pack("<HHQ", 1, 8, at)
            made.append(struct.pack("<IHHHHHHIIIHHHHHII", 0x02014b50, 45, 45 if more else 20, 0x800, 0, 0, 0x21, check, self._size, self._size,
                                    self._name_length, len(more), 0, 0, 0, 0, at) + self._name(i).encode() + more)
        directory, begin = b"".join(made), step * self._count
        count, size, at, large = self._count, len(directory), begin, b""
        if self._needs_large(len(directory)):
            large = struct.pack("<IQHHIIQQQQ", 0x06064b50, 44, 45, 45, 0, 0, count, count, size, begin)
            large += struct.pack("<IIQI", 0x07064b50, 0, begin + size, 1)
            count, size, at = min(count, 0xffff), min(size, LIMIT), min(begin, LIMIT)
        return directory + large + struct.pack("<IHHHHIIH", 0x06054b50, 0, 0, count, count, size, at, 0)
