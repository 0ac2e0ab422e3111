# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The bundled scans as numpy sees them: attenuation, one sinogram per detector row, and the angles."""

import os

import h5py
import numpy as np

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "examples", "data")
AXES = {"savu24737.nxs": 86.35, "tooth.h5": 296.0}  # in edge coordinates


def real_scan(name):
    """float64 rows x views x columns, -ln of the transmission (0 where that is none), and radians."""
    with h5py.File(os.path.join(FOLDER, name)) as file:
        if name.endswith(".nxs"):
            data = file["entry/instrument/detector/data"][()].astype(np.float64)
            keys = file["entry/instrument/detector/image_key"][()]
            projections, flats, darks = (data[keys == key] for key in (0, 1, 2))
            angles = file["entry/sample/rotation_angle"][()][keys == 0]
        else:
            projections, flats, darks, angles = (
                file[f"exchange/{n}"][()].astype(np.float64) for n in ("data", "data_white", "data_dark", "theta"))
    dark = darks.mean(0)
    with np.errstate(divide="ignore", invalid="ignore"):
        attenuation = -np.log((projections - dark) / (flats.mean(0) - dark))
    attenuation[~np.isfinite(attenuation)] = 0.0
    return attenuation.transpose(1, 0, 2), np.deg2rad(angles)
