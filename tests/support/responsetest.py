# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What elements have in common that filter rows by a response; see elements/fourier/response-properties.hpp."""

import tomoref
from filtertest import LARGEST

PROPERTIES = {
    "batch": (0, 0, 1024),
    "filter": ("ramp-fromreal", set(tomoref.FILTERS)),
    "cutoff": (0.5, 0.0, 1.0),
    "order": (4.0, 2.0, 32.0),
    "tau": (0.1, -LARGEST, LARGEST),
    "theta": (1.0, -LARGEST, LARGEST),
    "scale": (1.0, -LARGEST, LARGEST),
}
