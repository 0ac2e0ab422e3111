#!/usr/bin/python3
# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomopy-slices.py [SCAN]: a scan becomes slices as with TomoPy: by tomopy.recon() with our algorithm where TomoPy is installed,
else by the same function of gsttomo.tomopy. SCAN is a file of Data Exchange, by default the tooth."""

import os
import sys

import gsttomo.tomopy
import h5py
import numpy as np

try:
    from tomopy import recon
except ImportError:
    from gsttomo.tomopy import recon

path = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(os.path.realpath(__file__)), "data", "tooth.h5")
with h5py.File(path) as file:
    data, dark, flat, degrees = (file["exchange"][name][()] for name in ("data", "data_dark", "data_white", "theta"))

theta = np.deg2rad(degrees)
dark, flat = dark.mean(axis=0), flat.mean(axis=0)
data = -np.log(np.clip((data - dark) / (flat - dark), 1e-4, None)).astype(np.float32)

center = gsttomo.tomopy.find_center_vo(data, theta=theta)
slices = recon(data, theta, center=center, algorithm=gsttomo.tomopy.dfi, options={"filter_name": "hamming"})
print(f"axis {center:.2f}, slices {slices.shape} {slices.dtype}, from {slices.min():.4f} to {slices.max():.4f} per pixel")
