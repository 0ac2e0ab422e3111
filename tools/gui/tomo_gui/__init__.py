# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The desktop program. It computes nothing: forms come from the schema of the parameters, slices from processes, and volumes from
jobs, which go on when the window is gone."""
