#!/usr/bin/python3
# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""show-slices.py VOLUME: a window with three planes through a volume of HDF5, OME-Zarr, TIFF or numpy, one crosshair, and tools."""

import sys

from gsttomo.widgets import SliceView, Volume, application

app = application()
view = SliceView()
view.set_volume(Volume(sys.argv[1]))
view.pointed.connect(view.setWindowTitle)
view.show()
sys.exit(app.exec())
