# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""run_algotom.py METHOD FOLDER SIZE PROJECTIONS NUMBER PATTERN: removes the stripes of a scan's first sinograms."""
import sys

import numpy as np
from algotom.prep import removal

import files

METHODS = {
    "sorting": removal.remove_stripe_based_sorting, "filtering": removal.remove_stripe_based_filtering,
    "fitting": removal.remove_stripe_based_fitting, "large": removal.remove_large_stripe,
    "dead": removal.remove_dead_stripe, "all": removal.remove_all_stripe,
}

method, folder, size, projections, number, pattern = *sys.argv[1:3], *map(int, sys.argv[3:6]), sys.argv[6]
for i in range(number):
    result = METHODS[method](files.read_tiff(f"{folder}/sino-{i:05}.tif", (projections, size)))
    np.ascontiguousarray(result, "<f4").tofile(pattern % i)
