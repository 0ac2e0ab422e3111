# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Streams of images in files, from which jobs read them, and the volumes that jobs make of them."""

import math
import os

import h5py
import numpy as np

from .stream import StreamError

KINDS = ("u1", "u2", "f4")  # of samples that are kept as they come; others become float32


def record(path, images, shape=None, wanted=None):
    """Writes images into a new file, which is there when all have come, and returns the shape of one. Those beyond the `wanted` ones do
    not count. Raises StreamError for a stream with too few images, or with one of another shape; OSError.

    The samples are in a file beside it: HDF5 ends the process where a disk is full."""
    samples = path.with_suffix(".samples")
    partial, count = [path.with_suffix(".partial"), samples.with_suffix(".samples-partial")], 0
    try:
        with open(partial[1], "wb") as file:
            for image in images:
                if shape is not None and image.shape != shape:
                    raise StreamError(f"an image has {image.shape[0]} rows and {image.shape[1]} columns, and those before it had {shape[0]} and "
                                      f"{shape[1]}; darks, flats and projections have the same size")
                if count == 0:
                    shape, kind = image.shape, image.dtype.newbyteorder("=")
                    kind = kind if kind.str[1:] in KINDS else np.dtype(np.float32)
                if wanted is None or count < wanted:
                    file.write(np.ascontiguousarray(image, kind))
                    count += 1
        if count < (wanted or 1):
            raise StreamError(f"the stream ended behind {count} images; wanted {wanted or 'one at least'}")
        partial[0].write_bytes(header_of(samples, (count, *shape), kind))
        os.replace(partial[1], samples)
        os.replace(partial[0], path)
    finally:
        for one in partial:
            one.unlink(missing_ok=True)
    return shape


def header_of(samples, shape, kind):
    """An HDF5 file about the samples in another one."""
    with h5py.File(samples.with_suffix(".h5"), "w", driver="core", backing_store=False) as file:
        file.create_dataset("images", shape, kind, external=[(str(samples), 0, kind.itemsize * math.prod(shape))])
        file.flush()
        return file.id.get_file_image()


def forget(path):
    path.unlink(missing_ok=True)
    path.with_suffix(".samples").unlink(missing_ok=True)


def name_of(path):
    """As a parameter of a reconstruction."""
    return f"{path}:/images"


class Volume:
    """Slices in a file of a job."""

    def __init__(self, path):
        self._path = path
        with self._open() as file:
            self.shape = file["entry/data/data"].shape

    def _open(self):
        return h5py.File(self._path, "r")

    def cut(self, axis, index):
        """The image at an index along an axis. Raises IndexError."""
        if not 0 <= index < self.shape[axis]:
            raise IndexError(f"there is no image {index} along {'zyx'[axis]}; wanted 0 to {self.shape[axis] - 1}")
        with self._open() as file:
            return file["entry/data/data"][tuple(index if axis == n else slice(None) for n in range(3))]

    def slices(self):
        for index in range(self.shape[0]):
            yield self.cut(0, index)


def moments(image, order):
    deviation = image - image.mean()
    return (deviation**order).mean() / image.std() ** order


METRICS = {  # of a slice, by the names and definitions of Concert
    "min": np.min, "max": np.max, "sum": np.sum, "mean": np.mean, "var": np.var, "std": np.std,
    "skew": lambda image: moments(image, 3),
    "kurtosis": lambda image: moments(image, 4) - 3,
    "sag": lambda image: sum(np.abs(np.gradient(image, axis=n)).sum() for n in (0, 1) if image.shape[n] > 1),  # of the absolute gradient
}


def measured(volume, metric):
    """A number for each slice."""
    return np.array([METRICS[metric](image.astype(np.float64)) for image in volume.slices()])
