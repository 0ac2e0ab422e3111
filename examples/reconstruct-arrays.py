#!/usr/bin/python3
# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""reconstruct-arrays.py [SCAN]: arrays of numpy become slices. SCAN is a file of Data Exchange, by default the tooth."""

import os
import sys

import h5py
from gsttomo.reconstruction import estimate_axis, reconstruct

path = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(os.path.realpath(__file__)), "data", "tooth.h5")
with h5py.File(path) as file:
    names = {"source": "data", "darks": "data_dark", "flats": "data_white", "angles": "theta"}
    scan = {name: file["exchange"][dataset][()] for name, dataset in names.items()}

axis = estimate_axis(**scan)
slices = reconstruct(**scan, axis=axis)
print(f"axis {axis}, slices {slices.shape} {slices.dtype}, from {slices.min():.4f} to {slices.max():.4f} per pixel")
