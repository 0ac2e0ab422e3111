#!/usr/bin/python3
# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Reconstructs a scan whose rotation axis is tilted, so that its position changes from detector row to detector row.

    moving-axis.py SINOGRAMS FIRST STEP OUTPUT
    moving-axis.py 'folder/sino*.tif' 31.5 0.25 slices.h5:/slices

FIRST is the position of the axis in the first sinogram, in edge coordinates; in each one that follows it is larger by
STEP. Control sources of GStreamer know times, not numbers of frames: at one frame per second both are the same.
"""

import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstController", "1.0")
gi.require_version("GstTomo", "1.0")
from gi.repository import Gst, GstController, GstTomo

sinograms, first, step, output = sys.argv[1], float(sys.argv[2]), float(sys.argv[3]), sys.argv[4]
graph = GstTomo.Graph.new_from_words([
    "read", f"path={sinograms}", "!", "application/x-tomo-array(ANY),framerate=1/1", "!", "ramp-filter", "!",
    "backproject", "name=backproject", "!", "write", f"filename={output}"])

axis = GstController.InterpolationControlSource(mode=GstController.InterpolationMode.LINEAR)
far = 1 << 20
axis.set(0, first)
axis.set(far * Gst.SECOND, first + far * step)
backproject = graph.get_node("backproject")
backproject.add_control_binding(GstController.DirectControlBinding.new_absolute(backproject, "axis-pos", axis))

graph.run()
