# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The server of the web interface: a client of gsttomo.jobs. It computes nothing and knows no OpenCL."""
