# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Volumes as they are stored: as planes one after the other, in bricks, or in memory. No Qt.

Samples are read by os.preadv, which lets other threads run meanwhile; a library of a format is asked only where they lie."""

import collections
import concurrent.futures
import contextlib
import itertools
import math
import os
import threading

import numpy as np

CACHE = 256 << 20  # bytes of bricks that are kept
_OPEN = 16         # files that stay open
_CALL = 32768      # bytes that could be read in the time of a call


class VolumeError(Exception):
    """A volume can't be read; the text is one sentence for people."""


class Stopped(Exception):
    """Nobody wants the result any more."""


class Files:
    """Open files by their names. They are closed when nobody reads any more, and none is opened after close(): what another
    file of the same name holds is something else."""

    def __init__(self):
        self._open, self._read = {}, {}  # handles, and how many read by them now
        self._is_closed = False
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def opened(self, path):
        with self._lock:
            if self._is_closed:
                raise VolumeError(f"{path}: it was closed")
            handle = self._open.get(path)
            if handle is None and len(self._open) < _OPEN:
                handle = self._open[path] = self._new(path)
            if handle is not None:
                self._read[handle] = self._read.get(handle, 0) + 1
        if handle is None:
            handle = self._new(path)
            try:
                yield handle
            finally:
                os.close(handle)
            return
        try:
            yield handle
        finally:
            with self._lock:
                self._read[handle] -= 1
                if not self._read[handle]:
                    del self._read[handle]
                    if self._is_closed:
                        os.close(handle)

    @staticmethod
    def _new(path):
        try:
            return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise VolumeError(f"{path}: {error.strerror}") from None

    def fill(self, path, offset, array):
        """Reads into a C-contiguous array. Raises VolumeError where the file ends before."""
        with self.opened(path) as handle:
            fill(handle, path, offset, array)

    def close(self):
        """At once, or by those that read still."""
        with self._lock:
            self._is_closed = True
            for handle in self._open.values():
                if handle not in self._read:
                    os.close(handle)
            self._open.clear()

    def __del__(self):
        self.close()


def fill(handle, path, offset, array):
    rest = memoryview(array).cast("B") if array.size else memoryview(b"")
    while rest:
        try:
            came = os.preadv(handle, [rest[:1 << 30]], offset)
        except OSError as error:
            raise VolumeError(f"{path}: {error.strerror}") from None
        if came == 0:
            raise VolumeError(f"{path}: the file ends too early, {len(rest)} bytes before the end of an image; "
                              "it is cut off or still being written")
        rest, offset = rest[came:], offset + came


def native(array):
    """The same values in this machine's byte order."""
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


def never():
    return False


def _check(stop):
    if stop():
        raise Stopped


class Level:
    """A volume at one resolution. `shape` is (z, y, x), `factor` how far its samples lie apart along each;
    `is_cut`: whether parts of a plane can be read without the rest of it."""

    is_cut = False

    def __init__(self, shape, dtype, factor=(1, 1, 1)):
        self.shape, self.dtype, self.factor = tuple(int(size) for size in shape), np.dtype(dtype), tuple(factor)

    @property
    def size(self):
        return math.prod(self.shape)

    @property
    def bytes(self):
        return self.size * self.dtype.itemsize

    def plane_shape(self, axis):
        return tuple(size for i, size in enumerate(self.shape) if i != axis)

    def plane(self, axis, index, stop=never):
        """The plane of samples at `index` along an axis: (y, x), (z, x) or (z, y). stop() ends a long read by Stopped."""
        raise NotImplementedError

    def box(self, begin, end, stop=never):
        """Samples from `begin` to `end`, both (z, y, x)."""
        part = tuple(slice(first, last) for first, last in zip(begin[1:], end[1:]))
        made = np.empty([last - first for first, last in zip(begin, end)], self.dtype.newbyteorder("="))
        for z in range(begin[0], end[0]):
            _check(stop)
            made[z - begin[0]] = self.plane(0, z, stop)[part]
        return made

    def cost(self, axis):
        """Bytes to read for a plane, and for a plane of many that follow each other."""
        raise NotImplementedError


class InMemory(Level):
    is_cut = True

    def __init__(self, array, factor=(1, 1, 1)):
        super().__init__(array.shape, array.dtype, factor)
        self.array = array

    def plane(self, axis, index, stop=never):
        return np.ascontiguousarray(self.array.take(index, axis))

    def box(self, begin, end, stop=never):
        return self.array[tuple(slice(first, last) for first, last in zip(begin, end))]

    def cost(self, axis):
        return 0, 0


class Planes(Level):
    """Images along z. place(z) tells file and offset of raw samples, or None where the image is not there; in place of it load(z)
    gives an array, where samples are coded."""

    def __init__(self, files, shape, dtype, place=None, load=None, fill=0, factor=(1, 1, 1)):
        super().__init__(shape, dtype, factor)
        self._files, self._place, self._load, self._fill = files, place, load, fill

    def _image(self, z):
        if self._load is not None:
            return native(self._load(z))
        place = self._place(z)
        if place is None:
            return np.full(self.shape[1:], self._fill, self.dtype.newbyteorder("="))
        image = np.empty(self.shape[1:], self.dtype)
        self._files.fill(*place, image)
        return native(image)

    def plane(self, axis, index, stop=never):
        if axis == 0:
            return self._image(index)
        depth, rows, columns = self.shape
        made = np.empty(self.plane_shape(axis), self.dtype)
        for z in range(depth):
            _check(stop)
            if axis == 1 and self._load is None:
                place = self._place(z)
                if place is None:
                    made[z] = self._fill
                else:
                    self._files.fill(place[0], place[1] + index * columns * self.dtype.itemsize, made[z])
            else:
                made[z] = self._image(z).take(index, axis - 1)
        return native(made)

    def cost(self, axis):
        depth, rows, columns = self.shape
        image = rows * columns * self.dtype.itemsize
        if self._load is not None:  # decoding takes several times as long
            return (4 * image,) * 2 if axis == 0 else (4 * depth * image,) * 2
        return ((image,) * 2, (depth * max(_CALL, columns * self.dtype.itemsize),) * 2, (depth * image,) * 2)[axis]


class BrickCache:
    """Decoded bricks, those used last."""

    def __init__(self, most=CACHE):
        self._bricks, self._bytes, self._most = collections.OrderedDict(), 0, most
        self._lock = threading.Lock()

    def get(self, key):
        with self._lock:
            if key in self._bricks:
                self._bricks.move_to_end(key)
                return self._bricks[key]
        return None

    def put(self, key, brick):
        with self._lock:
            if key not in self._bricks:
                self._bricks[key] = brick
                self._bytes += brick.nbytes
            while self._bytes > self._most and len(self._bricks) > 1:
                self._bytes -= self._bricks.popitem(last=False)[1].nbytes


class Bricks(Level):
    """Chunks of the same size. load(z, y, x) gives the one of these numbers, whole or cut off at the edges, or None where it was
    never written."""

    is_cut = True
    _readers = None

    def __init__(self, cache, shape, dtype, chunk, load, fill=0, is_coded=False, factor=(1, 1, 1)):
        super().__init__(shape, dtype, factor)
        self.chunk = tuple(min(a, b) for a, b in zip(chunk, self.shape))
        self.size_of_brick, self.load, self.is_coded = tuple(chunk), load, is_coded
        self._fill, self._cache = fill, cache

    def _brick(self, numbers, stop=never):
        _check(stop)
        brick = self.load(*numbers)
        brick = np.empty((0, 0, 0), self.dtype) if brick is None else native(brick)
        self._cache.put((id(self), *numbers), brick)
        return numbers, brick

    def _fill_box(self, begin, end, stop):
        """Samples from `begin` to `end`, both (z, y, x)."""
        made = np.empty([b - a for a, b in zip(begin, end)], self.dtype.newbyteorder("="))
        wanted = itertools.product(*(range(a // size, (b - 1) // size + 1) for a, b, size in zip(begin, end, self.size_of_brick)))
        missing = []
        for numbers in wanted:
            brick = self._cache.get((id(self), *numbers))
            if brick is None:
                missing.append(numbers)
            else:
                self._put(made, begin, end, numbers, brick)
        if len(missing) > 1:
            if Bricks._readers is None:
                Bricks._readers = concurrent.futures.ThreadPoolExecutor(4, "bricks")
            read = Bricks._readers.map(lambda numbers: self._brick(numbers, stop), missing)
        else:
            read = map(self._brick, missing)
        for numbers, brick in read:
            self._put(made, begin, end, numbers, brick)
        return made

    def _put(self, made, begin, end, numbers, brick):
        corner = [number * size for number, size in zip(numbers, self.size_of_brick)]
        low = [max(a, c) for a, c in zip(begin, corner)]
        high = [min(b, c + size) for b, c, size in zip(end, corner, self.size_of_brick)]
        to = tuple(slice(first - a, last - a) for first, last, a in zip(low, high, begin))
        made[to] = self._fill if brick.size == 0 else brick[tuple(slice(first - c, last - c) for first, last, c in zip(low, high, corner))]

    def plane(self, axis, index, stop=never):
        begin, end = [0, 0, 0], list(self.shape)
        begin[axis], end[axis] = index, index + 1
        return self._fill_box(begin, end, stop).reshape(self.plane_shape(axis))

    def box(self, begin, end, stop=never):
        return self._fill_box(begin, end, stop)

    def cost(self, axis):
        across = math.prod(-(-size // chunk) * chunk for i, (size, chunk) in enumerate(zip(self.shape, self.chunk)) if i != axis)
        once = across * self.chunk[axis] * self.dtype.itemsize * (4 if self.is_coded else 1)
        is_kept = across * self.chunk[axis] * self.dtype.itemsize <= CACHE
        return once, once / self.chunk[axis] if is_kept else once
