# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""run_skimage.py FOLDER SIZE PROJECTIONS NUMBER PATTERN: reconstructs a scan's first sinograms with scikit-image."""
import sys

import numpy as np
from skimage.transform import iradon

import files

folder, size, projections, number, pattern = sys.argv[1], *map(int, sys.argv[2:5]), sys.argv[5]
degrees = -np.arange(projections) * (180.0 / projections)  # its rows count upwards
for i in range(number):
    sinogram = files.read_tiff(f"{folder}/sino-{i:05}.tif", (projections, size))
    image = iradon(np.ascontiguousarray(sinogram.T), theta=degrees, circle=True)
    if pattern:
        image.astype("<f4").tofile(pattern % i)
