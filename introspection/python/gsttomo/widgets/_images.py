# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Volumes of images: TIFF in one file or a series of files, and .npy. No Qt."""

import glob
import logging
import os
import re

import numpy as np

from ._stored import Planes, VolumeError

_TIFF = (".tif", ".tiff")
logging.getLogger("tifffile").addHandler(logging.NullHandler())  # errors are raised here, and not printed


def names_of(path):
    """Files of a series by a pattern (slice-%05i.tif, slice-*.tif) or a folder, in the order of their numbers."""
    if os.path.isdir(path):
        found = [entry.path for entry in os.scandir(path) if entry.name.lower().endswith(_TIFF) and not entry.name.startswith(".")]
        # A folder often has other pictures as well; the series is the largest group of names with one stem.
        groups = {}
        for name in found:
            groups.setdefault(re.sub(r"\d+", "#", os.path.basename(name)), []).append(name)
        found = max(groups.values(), key=len) if groups else []
    else:
        folder, name = os.path.split(path)
        if "%" in name:
            parts = re.split(r"%0?\d*[iudl]+", name)
            name = "*".join(glob.escape(part.replace("%%", "%")) for part in parts)
            digits = "([0-9]+)".join(re.escape(part.replace("%%", "%")) for part in parts)
            found = [each for each in glob.glob(os.path.join(glob.escape(folder), name)) if re.fullmatch(digits, os.path.basename(each))]
        else:
            found = glob.glob(os.path.join(glob.escape(folder), name))
    if not found:
        raise VolumeError(f"{path}: there are no such images")
    return sorted(found, key=lambda name: [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", os.path.basename(name))])


def is_tiff(path):
    return path.lower().endswith(_TIFF)


def read_tiff(path, files):
    """Levels and pixel size of a file with one or many pages."""
    tifffile, tiff = _open(path)
    try:
        series = _flat_pages(tiff, path)
        first = series[0]
        if len(series) == 1 and (level := _all_behind_one_page(tiff, path, files)):
            return [level], _resolution(first)
        _check_end(tiff, path)
        shape, dtype = (len(series), *first.shape), first.dtype.newbyteorder(tiff.byteorder)
        if all(_is_raw(page) for page in (series[0], series[-1])):
            offsets = {}

            def place(z):
                if z not in offsets:
                    page = series[z]
                    if not _is_raw(page) or page.shape != first.shape or page.dtype != first.dtype:
                        raise VolumeError(f"{path}: page {z} is unlike the first one")
                    offsets[z] = page.dataoffsets[0]
                return path, offsets[z]

            level = Planes(files, shape, dtype, place=place)
        else:
            level = Planes(files, shape, first.dtype, load=lambda z: _decoded(series[z], path))
        level.parts = [tiff]
        return [level], _resolution(first)
    except Exception as error:
        tiff.close()
        if isinstance(error, VolumeError):
            raise
        raise VolumeError(f"{path}: it is cut off or damaged ({error})") from None


def _all_behind_one_page(tiff, path, files):
    """The level of a file, such as ImageJ's, that has a directory for the first image alone; None for another one."""
    series = tiff.series[0]
    if series.dataoffset is None or len(series.shape) != 3 or series.shape[0] < 2 or series.shape[1:] != tiff.pages[0].shape:
        return None
    dtype = series.dtype.newbyteorder(tiff.byteorder)
    begin, step = series.dataoffset, series.shape[1] * series.shape[2] * dtype.itemsize
    level = Planes(files, series.shape, dtype, place=lambda z: (path, begin + z * step))
    level.parts = [tiff]
    return level


def _check_end(tiff, path):
    """The last directory says that there is no other one; of a file that is cut off it does not."""
    len(tiff.pages)
    size = tiff.tiff.offsetsize
    tiff.filehandle.seek(tiff.pages.next_page_offset)
    if any(tiff.filehandle.read(size)):
        raise VolumeError(f"{path}: it is cut off, or still being written: images behind number {len(tiff.pages)} are missing")


def read_series(path, files):
    """Levels and pixel size of a series with an image per file."""
    names = names_of(path)
    if len(names) == 1:
        return read_tiff(names[0], files)
    with _opened(names[0]) as tiff:
        first = _flat_pages(tiff, names[0])[0]
        shape, dtype, pixel_size, raw = first.shape, first.dtype.newbyteorder(tiff.byteorder), _resolution(first), _is_raw(first)
        if len(tiff.pages) > 1:
            raise VolumeError(f"{names[0]}: a series of files with many pages each can't be shown; open one of them")
    offsets = {}

    def checked(z, tiff):
        page = tiff.pages[0]
        if page.shape != shape or page.dtype.newbyteorder(tiff.byteorder) != dtype:
            raise VolumeError(f"{names[z]}: {page.shape} {page.dtype} came; the first image has {shape} {dtype}")
        return page

    def place(z):
        if z not in offsets:
            with _opened(names[z]) as tiff:
                page = checked(z, tiff)
                if not _is_raw(page):
                    raise VolumeError(f"{names[z]}: it is compressed, unlike the first image")
                offsets[z] = page.dataoffsets[0]
        return names[z], offsets[z]

    def load(z):
        with _opened(names[z]) as tiff:
            return _decoded(checked(z, tiff), names[z])

    shape3 = (len(names), *shape)
    return [Planes(files, shape3, dtype, place=place) if raw else Planes(files, shape3, dtype, load=load)], pixel_size


def read_npy(path, files):
    try:
        with open(path, "rb") as file:
            version = np.lib.format.read_magic(file)
            form = np.lib.format
            read_header = form.read_array_header_1_0 if version == (1, 0) else form.read_array_header_2_0
            shape, is_fortran, dtype = read_header(file)
            begin = file.tell()
    except (OSError, ValueError) as error:
        raise VolumeError(f"{path}: it is no file of numpy ({error})") from None
    if len(shape) not in (2, 3) or 0 in shape or dtype.kind not in "biufc" or is_fortran:
        raise VolumeError(f"{path}: an array of shape {shape} and type {dtype}{' in the order of Fortran' if is_fortran else ''} came; "
                          "wanted images of numbers (images, rows, columns)")
    shape = (1,) * (3 - len(shape)) + shape
    step = shape[1] * shape[2] * dtype.itemsize
    return [Planes(files, shape, dtype, place=lambda z: (path, begin + z * step))]


def _open(path):
    try:
        import tifffile
    except ImportError:
        raise VolumeError(f"{path}: TIFF needs the Python module tifffile (Debian: python3-tifffile)") from None
    try:
        return tifffile, tifffile.TiffFile(path)
    except OSError as error:
        raise VolumeError(f"{path}: {error.strerror or error}") from None
    except Exception as error:  # tifffile has errors of its own, and others for damaged files
        raise VolumeError(f"{path}: it is no TIFF file, or damaged ({error})") from None


class _opened:
    def __init__(self, path):
        self._path = path

    def __enter__(self):
        self._tiff = _open(self._path)[1]
        return self._tiff

    def __exit__(self, *_):
        self._tiff.close()


def _flat_pages(tiff, path):
    pages = tiff.pages
    first = pages[0]
    if first.ndim != 2 or first.dtype is None:
        raise VolumeError(f"{path}: images of shape {first.shape} came; wanted grey ones (rows, columns)")
    return pages


def _is_raw(page):
    return page.is_contiguous and page.compression == 1 and len(page.dataoffsets) > 0


def _decoded(page, path):
    try:
        return page.asarray()
    except Exception as error:
        raise VolumeError(f"{path}: an image can't be read, it is cut off or damaged ({error})") from None


def _resolution(page):
    """The pixel size in metres by the tags of resolution. 72 or 96 dots per inch are what programs write that know none."""
    try:
        (number, parts), unit = page.tags["XResolution"].value, int(page.tags["ResolutionUnit"].value)
    except (KeyError, TypeError, ValueError):
        return None
    metres = {2: 0.0254, 3: 0.01}.get(unit)
    if not metres or not number or not parts:
        return None
    per_unit = number / parts
    return None if unit == 2 and per_unit in (72, 96, 100, 150, 300) else metres / per_unit
