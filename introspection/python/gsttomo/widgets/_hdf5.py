# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Volumes in HDF5: the dataset, the pyramid beside it (DATASET_2x, DATASET_4x, ...), the pixel size of its axes. No Qt."""

import contextlib
import fcntl
import math
import os
import zlib

import numpy as np

from ._stored import Bricks, Planes, VolumeError

_DEFLATE, _SHUFFLE = 1, 2  # numbers of HDF5's filters
_LENGTHS = {"m": 1.0, "meter": 1.0, "metre": 1.0, "mm": 1e-3, "millimeter": 1e-3, "um": 1e-6, "\N{MICRO SIGN}m": 1e-6,
            "micrometer": 1e-6, "nm": 1e-9, "nanometer": 1e-9}


def read(path, name, number, files, cache):
    """Levels, pixel size in metres or None, and the number of volumes of a dataset; `name` may be empty."""
    try:
        import h5py
    except ImportError:
        raise VolumeError(f"{path}: HDF5 needs the Python module h5py (Debian: python3-h5py)") from None
    try:
        file = _open(h5py, path)
    except OSError as error:
        reason = "it is cut off, or still being written" if "truncated" in str(error) else "it is no HDF5 file, or damaged"
        raise VolumeError(f"{path}: {reason}") from None
    try:
        dataset = _dataset(h5py, file, path, name)
        volumes = math.prod(dataset.shape[:-3])
        if not 0 <= number < volumes:
            raise VolumeError(f"{path}: volume {number} of {dataset.name} was asked for, which has {volumes}")
        levels = [_level(h5py, path, dataset, number, (1, 1, 1), files, cache)]
        factor = 2
        while f"{dataset.name}_{factor}x" in file and dataset.ndim <= 3:
            level = file[f"{dataset.name}_{factor}x"]
            wanted = tuple(-(-size // factor) for size in levels[0].shape)
            if "pyramid_factor" not in level.attrs or level.shape != wanted:
                break
            levels.append(_level(h5py, path, level, 0, (factor,) * 3, files, cache))
            factor *= 2
        return levels, _pixel_size(dataset), volumes, dataset.name, file
    except (OSError, RuntimeError, KeyError) as error:
        file.close()
        raise VolumeError(f"{path}: it can't be read: {str(error).splitlines()[0]}") from None
    except VolumeError:
        file.close()
        raise


def files_of(dataset):
    """Names of all files that samples of a dataset come from, by links, by external storage and by virtual datasets."""
    import h5py
    names, seen = set(), set()

    def add(one):
        path = one.file.filename
        if (path, one.name) in seen:
            return
        seen.add((path, one.name))
        names.add(path)
        folder = os.path.dirname(os.path.abspath(path))
        names.update(os.path.join(folder, os.fsdecode(part[0])) for part in one.external or ())
        for source in one.virtual_sources() if one.is_virtual else ():
            name = path if source.file_name == "." else os.path.join(folder, source.file_name)
            names.add(name)
            with contextlib.suppress(OSError, KeyError):
                if name == path:
                    add(one.file[source.dset_name])
                else:
                    with _open(h5py, name) as other:
                        add(other[source.dset_name])

    add(dataset)
    return names


def _open(h5py, path):
    """Without a lock, so that a result that is looked at can be written anew. The lock is given back rather than never taken:
    HDF5 refuses a file in one process with a lock and without one, and others in this process open it in the usual way."""
    try:
        file = h5py.File(path, "r")
    except OSError as error:  # another program writes it, or it is open here without a lock
        if "lock" not in str(error):
            raise
        return h5py.File(path, "r", locking=False)
    with contextlib.suppress(OSError, TypeError, ValueError):
        fcntl.flock(file.id.get_vfd_handle(), fcntl.LOCK_UN)
    return file


def _dataset(h5py, file, path, name):
    if name:
        found = file.get(name)
        if not isinstance(found, h5py.Dataset):
            raise VolumeError(f"{path}: it has no dataset {name}")
    else:
        found = _default(h5py, file)
        if found is None:
            raise VolumeError(f"{path}: it has no dataset of images")
    if found.dtype.kind not in "biufc" or found.ndim < 2 or 0 in found.shape:
        raise VolumeError(f"{path}: {found.name} has the shape {found.shape} and the type {found.dtype}; wanted images of numbers")
    return found


def _default(h5py, file):
    """The default of NeXus, those of usual names, or the largest dataset of images."""
    group = file
    for _ in range(8):
        following = group.attrs.get("default")
        following = following.decode() if isinstance(following, bytes) else following
        if not isinstance(following, str) or not isinstance(group.get(following), h5py.Group):
            break
        group = group[following]
    signal = group.attrs.get("signal", "data")
    signal = signal.decode() if isinstance(signal, bytes) else signal
    for found in (group.get(signal) if isinstance(signal, str) else None, file.get("entry/data/data"), file.get("exchange/data")):
        if isinstance(found, h5py.Dataset) and found.ndim >= 2 and found.dtype.kind in "biufc":
            return found
    largest = []

    def visit(_, found):
        if isinstance(found, h5py.Dataset) and found.ndim >= 2 and found.dtype.kind in "biufc":
            largest.append((found.size, found.name))

    file.visititems(visit)
    return file[max(largest)[1]] if largest else None


def _pixel_size(dataset):
    """From the axis x beside the dataset, or an attribute."""
    group = dataset.parent
    axis = group.get("x")
    if axis is not None and getattr(axis, "ndim", 0) == 1 and axis.shape[0] > 1 and axis.shape[0] == dataset.shape[-1]:
        unit = axis.attrs.get("units", "")
        unit = unit.decode() if isinstance(unit, bytes) else unit
        if unit in _LENGTHS:
            size = float(axis[-1] - axis[0]) / (axis.shape[0] - 1) * _LENGTHS[unit]
            if math.isfinite(size) and size > 0:
                return size
    return None


def _level(h5py, path, dataset, number, factor, files, cache):
    if dataset.ndim == 2:
        shape, lead = (1, *dataset.shape), ()
    else:
        shape = dataset.shape[-3:]
        lead = tuple(int(i) for i in np.unravel_index(number, dataset.shape[:-3])) if dataset.ndim > 3 else ()
    fill = dataset.fillvalue
    if dataset.is_virtual:
        return _virtual(h5py, path, dataset, shape, lead, factor, files, cache)
    is_plain = dataset.ndim == 3 and dataset.file.userblock_size == 0 and not dataset.external and dataset.dtype.kind != "b"
    if is_plain and dataset.chunks is None and dataset.id.get_offset() is not None:
        begin, step = dataset.id.get_offset(), math.prod(shape[1:]) * dataset.dtype.itemsize
        return Planes(files, shape, dataset.dtype, place=lambda z: (path, begin + z * step), fill=fill, factor=factor)
    coding = _coding(dataset)
    if is_plain and dataset.chunks is not None and coding is not None:
        if dataset.chunks == (1, *shape[1:]) and not coding:
            def place(z):
                info = dataset.id.get_chunk_info_by_coord((z, 0, 0))
                return None if info.byte_offset is None else (path, info.byte_offset)

            return Planes(files, shape, dataset.dtype, place=place, fill=fill, factor=factor)
        return Bricks(cache, shape, dataset.dtype, dataset.chunks, _chunk_loader(path, dataset, coding, files), fill, bool(coding), factor)

    if dataset.chunks is not None and dataset.ndim >= 3 and dataset.chunks[-3] > 1:
        sizes = dataset.chunks[-3:]

        def brick(*numbers):
            box = tuple(slice(n * size, (n + 1) * size) for n, size in zip(numbers, sizes))
            return _read(path, dataset, lead + box)

        return Bricks(cache, shape, dataset.dtype, sizes, brick, fill, True, factor)
    return _by_library(path, dataset, shape, lead, factor, files)


def _by_library(path, dataset, shape, lead, factor, files):
    def load(z):
        return _read(path, dataset, lead if dataset.ndim == 2 else (*lead, z))

    return Planes(files, shape, dataset.dtype, load=load, factor=factor)


def _read(path, dataset, where):
    try:
        return dataset[where]
    except (OSError, RuntimeError) as error:
        raise VolumeError(f"{path}: {dataset.name} can't be read: {str(error).splitlines()[0]}") from None


def _coding(dataset):
    """Filters that can be undone here, as a tuple in the order of writing; None if there are others."""
    properties = dataset.id.get_create_plist()
    codes = tuple(properties.get_filter(i)[0] for i in range(properties.get_nfilters()))
    return codes if set(codes) <= {_DEFLATE, _SHUFFLE} else None


def _chunk_loader(path, dataset, coding, files):
    chunk, dtype = dataset.chunks, dataset.dtype

    def load(*numbers):
        info = dataset.id.get_chunk_info_by_coord(tuple(n * size for n, size in zip(numbers, chunk)))
        if info.byte_offset is None:
            return None
        if not coding:
            brick = np.empty(chunk, dtype)
            files.fill(path, info.byte_offset, brick)
            return brick
        stored = np.empty(info.size, np.uint8)
        files.fill(path, info.byte_offset, stored)
        for place, code in reversed(list(enumerate(coding))):
            if info.filter_mask >> place & 1:
                continue
            if code == _DEFLATE:
                try:
                    stored = np.frombuffer(zlib.decompress(stored), np.uint8)
                except zlib.error:
                    raise VolumeError(f"{path}: a chunk of {dataset.name} is damaged") from None
            else:
                stored = np.ascontiguousarray(stored.reshape(dtype.itemsize, -1).T).ravel()
        if stored.size != math.prod(chunk) * dtype.itemsize:
            raise VolumeError(f"{path}: a chunk of {dataset.name} is damaged")
        return stored.view(dtype).reshape(chunk)

    return load


def _virtual(h5py, path, dataset, shape, lead, factor, files, cache):
    """A dataset that joins others. Of one that is whole in another file, that one is read; of images in several files, each image
    where it is, or each brick."""
    folder = os.path.dirname(os.path.abspath(path))
    parts = []
    for source in dataset.virtual_sources() if dataset.ndim == 3 else []:
        name = path if source.file_name == "." else os.path.join(folder, source.file_name)
        if not os.path.exists(name):
            raise VolumeError(f"{path}: a part of it is missing, {name}")
        parts.append((name, source))
    opened, levels, by_image = {}, {}, {}
    for name, source in parts:
        try:
            if name not in opened:
                opened[name] = dataset.file if name == path else _open(h5py, name)
            part = opened[name][source.dset_name]
        except (OSError, KeyError):
            raise VolumeError(f"{name}: this part of {path} is no HDF5 file with {source.dset_name}, or cut off") from None
        if len(parts) == 1 and part.shape == dataset.shape and not part.is_virtual:
            level = _level(h5py, name, part, 0, factor, files, cache)
            level.parts = list(opened.values())  # which stay open
            return level
        images = _images_of(source.vspace, shape), _images_of(source.src_space, part.shape)
        if part.ndim != 3 or part.shape[1:] != shape[1:] or part.is_virtual or None in images or len(images[0]) != len(images[1]):
            return _by_library(path, dataset, shape, lead, factor, files)
        level = levels.get((name, source.dset_name))
        if level is None:
            level = levels[name, source.dset_name] = _level(h5py, name, part, 0, factor, files, cache)
        for here, there in zip(*images):
            by_image[here] = level, there
    if not by_image:
        return _by_library(path, dataset, shape, lead, factor, files)
    made = _joined_bricks(cache, shape, dataset, by_image, factor) or _Joined(shape, dataset.dtype, by_image, dataset.fillvalue, factor)
    made.parts = list(opened.values())
    return made


def _joined_bricks(cache, shape, dataset, by_image, factor):
    """None where images that follow each other do not lie in the same bricks of one file."""
    first = next(iter(by_image.values()))[0]
    if not isinstance(first, Bricks) or first.size_of_brick[0] == 1:
        return None
    depth, places = first.size_of_brick[0], {}
    for here, (level, there) in by_image.items():
        number, rest = divmod(here, depth)
        if not isinstance(level, Bricks) or level.size_of_brick != first.size_of_brick or there % depth != rest or \
                places.setdefault(number, (level, there // depth)) != (level, there // depth):
            return None

    def load(z, y, x):
        if z not in places:
            return None
        level, there = places[z]
        return level.load(there, y, x)

    return Bricks(cache, shape, dataset.dtype, first.size_of_brick, load, dataset.fillvalue, first.is_coded, factor)


def _images_of(space, shape):
    """Numbers of images that a selection of whole images holds, in their order; None for another one."""
    if space.get_select_type() == 3:  # all
        return range(shape[0])
    if not space.is_regular_hyperslab():
        return None
    start, stride, count, block = space.get_regular_hyperslab()
    if start[1:] != (0, 0) or any(c * b != size for c, b, size in zip(count[1:], block[1:], shape[1:])):
        return None
    return [start[0] + i * stride[0] + j for i in range(count[0]) for j in range(block[0])]


class _Joined(Planes):
    """Images of several files."""

    def __init__(self, shape, dtype, by_image, fill, factor):
        super().__init__(None, shape, dtype, load=self._load_image, factor=factor)
        self._by_image, self._value = by_image, fill

    def _load_image(self, z):
        if z not in self._by_image:
            return np.full(self.shape[1:], self._value, self.dtype)
        level, there = self._by_image[z]
        return level.plane(0, there)

    def cost(self, axis):
        once, following = super().cost(axis)
        return once / 4, following / 4  # nothing is decoded
