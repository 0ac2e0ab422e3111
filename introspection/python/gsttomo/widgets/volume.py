# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A volume in a file or folder, larger than the memory if need be. No Qt."""

import collections
import hashlib
import math
import os
import threading
import typing

import numpy as np

from . import _hdf5, _images, _levels, _zarr
from ._stored import BrickCache, Files, InMemory, Level, Stopped, VolumeError, never

__all__ = ["Plane", "Stopped", "Volume", "VolumeError", "split_name"]

QUICK = 8 << 20      # bytes to read for each of many planes that follow each other, at which scrolling is smooth
MOST = 256 << 20     # bytes to read for one of them
FULL = 1 << 30       # bytes to read for a plane that somebody looks at for longer
PLANES = 96 << 20    # bytes of planes that are kept


HDF5 = (".h5", ".hdf5", ".hdf", ".nxs", ".nx5", ".nx")


class Plane(typing.NamedTuple):
    """A plane through a volume. Sample (row, column) of `array` lies at step * (column, row) in coordinates of the finest level."""
    array: np.ndarray
    step: tuple  # (x, y)
    level: Level


class Volume:
    """Samples (z, y, x) of a file:

    HDF5       FILE.h5 or FILE.h5:/DATASET, with the pyramid that tomo-reconstruct puts beside it, chunks and virtual datasets
    OME-Zarr   a folder with its levels; an array of Zarr 2
    TIFF       a file with many pages, a pattern (slice-%05i.tif, slice-*.tif), or a folder of images
    numpy      FILE.npy; or an array

    number  which one of several volumes, where the file has more axes (turns)

    shape, dtype of the finest level; pixel_size in metres or None; name for people; levels; volumes: how many there are.
    Files are not locked: other programs may write them anew meanwhile. changed() tells that, and reading raises then.
    Threads may share it. Raises VolumeError, whose text is one sentence."""

    def __init__(self, path, number=0):
        self._files, self._cache = Files(), BrickCache()
        self._planes, self._kept, self._coming = collections.OrderedDict(), 0, {}
        self._lock = threading.Lock()
        self._file = None
        self._seen = None
        self.pixel_size, self.volumes, self.dataset, self.number = None, 1, "", number
        if isinstance(path, np.ndarray):
            if path.ndim not in (2, 3) or path.size == 0 or path.dtype.kind not in "biufc":
                raise VolumeError(f"an array of shape {path.shape} and type {path.dtype} came; wanted numbers (z, y, x)")
            self.path, self.name = "", "array"
            self.levels = [InMemory(path if path.ndim == 3 else path[np.newaxis])]
        else:
            self.path = os.fspath(path)
            file, dataset = split_name(self.path)
            self._seen = _Seen(file)
            self._open(file, dataset, number)
            self.name = os.path.basename(os.path.normpath(file))
        self.shape, self.dtype = self.levels[0].shape, self.levels[0].dtype

    def _open(self, file, dataset, number):
        suffix = os.path.splitext(file)[1].lower()
        if os.path.isdir(file):
            if any(os.path.exists(os.path.join(file, name)) for name in (".zattrs", ".zarray", ".zgroup")) or suffix == ".zarr":
                self.levels, self.pixel_size, self.volumes = _zarr.read(file, number, self._files, self._cache)
                return
            self.levels, self.pixel_size = _images.read_series(file, self._files)
        elif not os.path.exists(file) and any(sign in os.path.basename(file) for sign in "%*"):
            self.levels, self.pixel_size = _images.read_series(file, self._files)
        elif not os.path.exists(file):
            raise VolumeError(f"{file}: there is no such file")
        elif _images.is_tiff(file):
            self.levels, self.pixel_size = _images.read_tiff(file, self._files)
        elif suffix == ".npy":
            self.levels = _images.read_npy(file, self._files)
        elif dataset or suffix in HDF5 or _has_signature(file):
            self.levels, self.pixel_size, self.volumes, self.dataset, self._file = _hdf5.read(
                file, dataset, number, self._files, self._cache)
        else:
            raise VolumeError(f"{file}: it is none of HDF5, OME-Zarr, TIFF and .npy")

    def files(self):
        """Names of the files that samples come from, of HDF5: links and virtual datasets lead to others."""
        if self._file is None:
            return set()
        names = [self.dataset, *(f"{self.dataset}_{2 ** i}x" for i in range(1, len(self.levels)))]
        return set().union(*(_hdf5.files_of(self._file[name]) for name in names if name in self._file))

    @property
    def stamp(self):
        """A text that changes with the file, as it was when it was opened; '' of an array."""
        return "" if self._seen is None else self._seen.text

    def changed(self):
        """One sentence where the file is not the one any more that was opened, else ''; and whether there is none of that name."""
        return ("", False) if self._seen is None else self._seen.changed()

    def _check(self):
        """What was read from a file that changed may be anything."""
        text, _ = self.changed()
        if text:
            raise VolumeError(text)

    def close(self):
        """Gives its files back as soon as nothing reads them. It can't be read any more."""
        self._files.close()
        with self._lock:
            self._planes.clear()
            self._kept = 0
        for level in self.levels:
            for part in getattr(level, "parts", []):
                part.close()
        if self._file is not None:
            self._file.close()

    def slice(self, axis, index, size=None, best=True, stop=never):
        """A Plane across an axis (0 z, 1 y, 2 x) of (y, x), (z, x) or (z, y).

        size   (rows, columns) of pixels into which the plane is fitted: the coarsest level that has as many samples is read; a
               coarser one where that reads more than 1 GB. None: the finest, whatever it takes
        best   if False, a coarser one where reading that takes too long for scrolling
        stop   a function; where it gives True, a long read ends by Stopped

        None where all levels take too long: overview() helps. Raises VolumeError, IndexError."""
        if not 0 <= index < self.shape[axis]:
            raise IndexError(f"plane {index} was asked for; there are {self.shape[axis]} along axis {axis}")
        level = self.level_for(axis, size, best)
        if level is None:
            return None
        array = self._plane(level, axis, min(int(index / level.factor[axis]), level.shape[axis] - 1), stop)
        down, right = (factor for i, factor in enumerate(level.factor) if i != axis)
        return Plane(array, (float(right), float(down)), level)

    def tile(self, level, axis, index, begin, end, stop=never):
        """A part of a plane, rows and columns from `begin` to `end` in samples of one of `levels`; `index` is that of the finest level, as
        in slice(). Bricks that the part needs are read, of other files the whole plane, which is kept. Raises VolumeError,
        IndexError."""
        rows, columns = level.plane_shape(axis)
        if not (0 <= index < self.shape[axis] and 0 <= begin[0] < end[0] <= rows and 0 <= begin[1] < end[1] <= columns):
            raise IndexError(f"samples {begin} to {end} of plane {index} were asked for; there are {self.shape[axis]} of {rows} x {columns}")
        at = min(int(index / level.factor[axis]), level.shape[axis] - 1)
        if not level.is_cut:
            return self._plane(level, axis, at, stop)[begin[0]:end[0], begin[1]:end[1]]
        low, high = list(begin), list(end)
        low.insert(axis, at)
        high.insert(axis, at + 1)
        array = level.box(low, high, stop)
        self._check()
        return array.reshape(end[0] - begin[0], end[1] - begin[1])

    def _plane(self, level, axis, at, stop):
        """The kept plane, or one that is read now, once also where several threads want it."""
        key = (id(level), axis, at)
        with self._lock:
            array = self._planes.get(key)
            if array is not None:
                self._planes.move_to_end(key)
                return array
            reading = self._coming.setdefault(key, threading.Lock())
        try:
            with reading:
                with self._lock:
                    array = self._planes.get(key)
                if array is None:
                    array = level.plane(axis, at, stop)
                    self._check()
                    self._keep(key, array)
                return array
        finally:
            with self._lock:
                self._coming.pop(key, None)

    def _keep(self, key, array):
        with self._lock:
            if key not in self._planes:
                self._planes[key] = array
                self._kept += array.nbytes
            while self._kept > PLANES and len(self._planes) > 1:
                self._kept -= self._planes.popitem(last=False)[1].nbytes

    def level_for(self, axis, size=None, best=True):
        """The level that slice() reads; None where there is none."""
        order = sorted(self.levels, key=lambda level: math.prod(level.factor))
        if size is None and best:
            return order[0]
        first = 0
        if size is not None:
            most = max(1.0, max(have / max(1, wanted) for have, wanted in zip(order[0].plane_shape(axis), size)))  # samples for a pixel
            for i, level in enumerate(order):
                if max(factor for j, factor in enumerate(level.factor) if j != axis) <= most * 1.001:
                    first = i
        for level in order[first:]:
            once, following = level.cost(axis)
            if once <= FULL if best else once <= MOST and following <= QUICK:
                return level
        return None

    def needs_overview(self):
        """Whether planes along an axis are to be had only when overview() was called."""
        return any(self.level_for(axis, (1, 1), best=False) is None for axis in range(3))

    def sample(self, stop=never):
        """Values for percentiles and a histogram: some finite ones of planes across z."""
        depth = self.shape[0]
        level = self.level_for(0, (512, 512), best=False) or self.level_for(0)
        planes = {min(int(z / level.factor[0]), level.shape[0] - 1) for z in (depth // 4, depth // 2, depth - 1 - depth // 4)}
        some = np.concatenate([_levels.sample(_levels.plain(level.plane(0, z, stop)), 65536) for z in sorted(planes)])
        self._check()
        return some

    def part(self, begin, end, most=256 ** 3, stop=never):
        """Samples from `begin` to `end`, both (z, y, x) of the finest level: of the finest level at which they are at most `most`,
        or means of the coarsest one. An array (z, y, x). Raises VolumeError, MemoryError."""
        boxes = []
        for level in self.levels:
            low = [min(int(a / factor), size - 1) for a, factor, size in zip(begin, level.factor, level.shape)]
            high = [min(max(int(math.ceil(b / factor)), a + 1), size) for b, factor, a, size in zip(end, level.factor, low, level.shape)]
            boxes.append((math.prod(b - a for a, b in zip(low, high)), level, low, high))
        fitting = [box for box in boxes if box[0] <= most]
        if fitting:
            _, level, low, high = max(fitting, key=lambda box: box[0])
            made = level.box(low, high, stop)
            self._check()
            return made
        _, level, low, high = min(boxes, key=lambda box: box[0])
        bins = bins_of([b - a for a, b in zip(low, high)], most)
        made = reduced(level, low, high, bins, stop)
        self._check()
        if list(high) == list(level.shape) and not any(low):  # serves planes whose own level takes too long
            self.levels = [*self.levels, InMemory(made, tuple(a * b for a, b in zip(level.factor, bins)))]
        return made

    def overview(self, most=256 ** 3, stop=never):
        """The whole volume with at most `most` samples, as part() gives it."""
        return self.part((0, 0, 0), self.shape, most, stop)


def split_name(path):
    """The name of a file and, as '/DATASET', of what is meant in it; '' for none. Folders and files may have colons in their
    names, so a file is what is one; of none that is there, what ends like one."""
    path = os.fspath(path)
    if ":/" not in path:
        return path, ""
    places = [] if os.path.exists(path) else [i for i in range(len(path)) if path.startswith(":/", i)]
    for is_one in (os.path.isfile, lambda name: name.lower().endswith((*HDF5, ".zarr"))):
        for i in places:
            if is_one(path[:i]):
                return path[:i], path[i + 1:] if len(path) > i + 2 else ""
    return path, ""


class _Seen:
    """What a file, or a folder or pattern of images, was when it was opened."""

    def __init__(self, path):
        self._path, self._parts = path, [path]
        if os.path.isdir(path):
            self._parts = [name for name in (os.path.join(path, each) for each in (".zattrs", ".zarray", ".zgroup", "0/.zarray"))
                           if os.path.exists(name)]
        if not self._parts or not os.path.exists(path):
            try:
                names = _images.names_of(path)
            except VolumeError:
                names = []
            self._parts = names[::max(1, len(names) // 32)] + names[-1:]  # a look at thousands would take too long
        self._stamps = [_stamp(name) for name in self._parts]

    @property
    def text(self):
        return hashlib.sha256(repr(self._stamps).encode()).hexdigest()[:24]

    def changed(self):
        stamps = [_stamp(name) for name in self._parts]
        for name, before, now in zip(self._parts, self._stamps, stamps):
            if before != now:
                return f"{name}: " + ("the file is not there any more" if now is None else "the file has changed"), now is None
        return "", False


def _stamp(name):
    try:
        found = os.stat(name)
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def bins_of(shape, most):
    """Powers of two, by which samples along each axis are put together so that at most `most` are left."""
    bins = [1, 1, 1]
    while math.prod(-(-size // each) for size, each in zip(shape, bins)) > most:
        longest = max(range(3), key=lambda i: (shape[i] / bins[i], -bins[i]))
        bins[longest] *= 2
    return bins


def reduced(level, low, high, bins, stop):
    """Means of bins; what lies at the edge is a mean of fewer samples."""
    made = np.empty([-(-(b - a) // each) for a, b, each in zip(low, high, bins)], np.float32)
    for number in range(made.shape[0]):
        begin = low[0] + number * bins[0]
        end = min(high[0], begin + bins[0])
        if stop():
            raise Stopped
        images = level.box((begin, *low[1:]), (end, *high[1:]), stop)
        images = np.abs(images) if images.dtype.kind == "c" else images
        made[number] = _means(_means(images.mean(0, dtype=np.float32), bins[1], 0), bins[2], 1)
    return made


def means_of(plane, bins):
    """A plane whose samples are means of bins x bins of another one, at the edges of fewer; of integers the nearest ones."""
    if bins == 1:
        return plane
    plane = np.abs(plane) if plane.dtype.kind == "c" else plane
    is_whole = plane.dtype.kind in "iu"
    made = _means(_means(plane.astype(np.float32), bins, 0), bins, 1)
    return np.rint(made).astype(plane.dtype) if is_whole else made.astype(np.float32)


def _means(array, size, axis):
    if size == 1:
        return array
    begins = np.arange(0, array.shape[axis], size)
    counts = np.diff(np.append(begins, array.shape[axis])).astype(np.float32)
    return np.add.reduceat(array, begins, axis) / (counts[:, np.newaxis] if axis == 0 else counts)


def _has_signature(path):
    try:
        with open(path, "rb") as file:
            return file.read(8) == b"\x89HDF\r\n\x1a\n"
    except OSError as error:
        raise VolumeError(f"{path}: {error.strerror}") from None
