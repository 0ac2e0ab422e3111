# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The files that the examples of elements read: a small real scan, cut from the bundled one.

    projections/0000.tif ...   corrected projections (transmission), float32, 160 x 32, one per angle over 180 degrees
    radiographs/, flats/, darks/   the same and its flats and darks as measured, uint16
    sinograms/0000.tif ...     attenuation, one sinogram per detector row, 160 x 91
    projection.tif, sinogram.tif   one of each
    slice.tif                  a slice of 160 x 160, in attenuation per pixel
    volume.h5:/volume          four of them, as planes
    scan.nxs                   the bundled scan, whole
"""

import os
import shutil
import sys

import h5py
import numpy as np
import tifffile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "reference"))
import tomoref

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
SCAN = os.path.join(ROOT, "examples", "data", "savu24737.nxs")
AXIS = 86.35  # in edge coordinates


def reconstruct(sinogram):
    width = sinogram.shape[1]
    rows = tomoref.fft_filter(sinogram, size=2 * width, crop=width)
    return tomoref.backproject_linear(rows, axis=AXIS)


def make(folder):
    shutil.copy(SCAN, os.path.join(folder, "scan.nxs"))
    with h5py.File(SCAN) as scan:
        data = scan["entry/instrument/detector/data"][()]
        keys = scan["entry/instrument/detector/image_key"][()]
    data = data[:, 95:127]
    radiographs, flats, darks = (data[keys == key] for key in (0, 1, 2))
    flat, dark = flats.mean(0), darks.mean(0)
    projections = ((radiographs - dark) / np.maximum(flat - dark, 1) / 0.68).astype(np.float32)
    sinograms = -np.log(np.clip(projections, 1e-3, None)).transpose(1, 0, 2)

    def series(name, arrays):
        os.makedirs(os.path.join(folder, name))
        for i, array in enumerate(arrays):
            tifffile.imwrite(os.path.join(folder, name, f"{i:04d}.tif"), array)

    series("projections", projections)
    series("radiographs", radiographs)
    series("flats", flats)
    series("darks", darks)
    series("sinograms", sinograms)
    shutil.copy(os.path.join(folder, "projections", "0000.tif"), os.path.join(folder, "projection.tif"))
    shutil.copy(os.path.join(folder, "sinograms", "0016.tif"), os.path.join(folder, "sinogram.tif"))
    slices = [reconstruct(s) for s in sinograms[14:18]]
    tifffile.imwrite(os.path.join(folder, "slice.tif"), slices[2].astype(np.float32))
    with h5py.File(os.path.join(folder, "volume.h5"), "w") as file:
        file["volume"] = np.array(slices, np.float32)
