# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the desktop program and the web interface share: descriptions of looks at scans, facts about axes, names of results, and the
words for all of it. No face is drawn here, and nothing is computed."""
