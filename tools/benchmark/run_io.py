# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""run_io.py MODULE NUMBER SOURCE WIDTH HEIGHT [OUTPUT [LEVEL]]: the first images of a folder or dataset, one after the
other, into memory or into OUTPUT, by tifffile or h5py as their manuals do it."""
import os
import sys

import numpy as np

import files


def from_folder(folder, number, read):
    for name in sorted(os.listdir(folder))[:number]:
        yield read(os.path.join(folder, name))


def from_dataset(source, number):
    import h5py
    try:
        import hdf5plugin  # noqa: F401  the filters that HDF5 itself lacks
    except ImportError:
        pass
    path, _, name = source.partition(":")
    with h5py.File(path, "r") as file:
        dataset = file[name]
        image = np.empty(dataset.shape[1:], dataset.dtype)  # used again and again, which is faster
        for i in range(number):
            dataset.read_direct(image, np.s_[i])
            yield image


def into_dataset(output, images, number, shape, level):
    import h5py
    options = {}
    if level:  # chunks of 1 MiB as tomowrite makes them
        rows = min(max(1, (1 << 20) // (4 * shape[1])), shape[0])
        options = {"chunks": (1, rows, shape[1]), "compression": "gzip", "compression_opts": level, "shuffle": True}
    path, _, name = output.partition(":")
    with h5py.File(path, "w") as file:
        dataset = file.create_dataset(name, (number, *shape), "<f4", **options)
        for i, image in enumerate(images):
            dataset[i] = image


def main(module, number, source, width, height, output="", level="0"):
    number, shape = int(number), (int(height), int(width))
    if module == "tifffile":
        import tifffile
        for i, image in enumerate(from_folder(source, number, tifffile.imread)):
            if output:
                tifffile.imwrite(output % i, image)
    elif output:
        images = from_folder(source, number, lambda path: files.read_tiff(path, shape))
        into_dataset(output, images, number, shape, int(level))
    else:
        for _ in from_dataset(source, number):
            pass


main(*sys.argv[1:])
