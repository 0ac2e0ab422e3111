# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""run_tomopy.py SCAN AXIS padded|unpadded OUTPUT: reconstructs a raw scan in HDF5 by gridrec, on all cores."""
import sys

import h5py
import numpy as np
import tomopy

path, axis, padding, output = sys.argv[1], float(sys.argv[2]), sys.argv[3], sys.argv[4]
with h5py.File(path) as file:
    exchange = file["exchange"]
    views = tomopy.normalize(exchange["data"][:], exchange["data_white"][:], exchange["data_dark"][:])
    angles = np.radians(exchange["theta"][:].ravel())
views = tomopy.minus_log(views, out=views)
width = views.shape[2]
before = width // 2 if padding == "padded" else 0
if before:
    views = tomopy.pad(views, 2, npad=before, mode="edge")
# Its axis is the index of a pixel.
slices = tomopy.recon(views, angles, center=axis - 0.5 + before, algorithm="gridrec", filter_name="ramlak")
with h5py.File(output, "w") as file:
    file["data"] = slices[:, before : before + width, before : before + width]
