# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Rules for tests that are quick: two slices, and short times."""

QUICK = "settings = { axis = 86.35, y = 60, height = 2 }\n"
BEAM = '[rules.beam]\nfolder = "scans/in"\nwhole = { still = 0.5 }\nevery = 0.5\nretry-after = 0.3\n' + QUICK
