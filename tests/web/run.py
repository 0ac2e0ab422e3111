# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""run.py FILE [ARGUMENT...]: a test by the Python that tools/setup --tests makes for it."""

import os
import sys

python = os.environ["GST_TOMO_WEB_PYTHON"]
if not os.path.exists(python):
    sys.exit(f"{python} is missing: tools/setup --tests makes it")
os.execv(python, [python, *sys.argv[1:]])
