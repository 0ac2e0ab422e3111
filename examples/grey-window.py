#!/usr/bin/python3
# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Prints a grey window for a picture of a slice, as properties of tomowrite.

    grey-window.py FILE.h5:/DATASET [INDEX]
    gst-launch-1.0 tomoread path=slices.h5:/entry/data/data number=1 ! \\
        tomowrite filename=slice.png bits=8 $(grey-window.py slices.h5:/entry/data/data 0)

Black is the 1 % percentile and white the 99 % percentile of the values inside the largest circle: a few hot pixels, or
the corners that no projection shows completely, do not change the picture.
"""

import sys

import h5py
import numpy as np

name, _, dataset = sys.argv[1].rpartition(":")
with h5py.File(name, "r") as file:
    image = file[dataset]
    image = image[int(sys.argv[2]) if len(sys.argv) > 2 else 0] if image.ndim > 2 else image[()]
height, width = image.shape
y, x = np.ogrid[:height, :width]
inside = (x + 0.5 - width / 2) ** 2 + (y + 0.5 - height / 2) ** 2 < (min(width, height) / 2) ** 2
low, high = np.nanpercentile(image[inside], (1, 99))
print(f"minimum={low:.9g} maximum={high:.9g}")
