# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Methods for HTTomo, which chooses how to call a function by the end of its module's name; see docs/tomopy.md."""
