# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""run.py BINDING FILE [ARGUMENT...]: a test with PySide6 by the Python that tools/setup --gui makes, or with Debian's PySide2."""

import os
import sys

binding, *words = sys.argv[1:]
python = os.environ["GST_TOMO_GUI_PYTHON"] if binding == "PySide6" else "/usr/bin/python3"
os.environ["PYQTGRAPH_QT_LIB"] = os.environ["QT_PREFERRED_BINDING"] = binding
if not os.path.exists(python):
    sys.exit(f"{python} is missing: tools/setup --tests makes it")
os.execv(python, [python, *words])
