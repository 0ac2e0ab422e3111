# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tomobinarize against numpy, on random images."""
import os
import subprocess
import tempfile

import numpy as np

image = np.random.default_rng().normal(size=(7, 13)).astype(np.float32)
with tempfile.TemporaryDirectory() as folder:
    os.chdir(folder)
    image.tofile("in.raw")
    subprocess.run("gst-launch-1.0 -q tomoread path=in.raw raw-width=13 raw-height=7 raw-bitdepth=32 ! "
                   "tomobinarize threshold=0.25 ! tomowrite filename=out.raw", shell=True, check=True, timeout=120)
    result = np.fromfile("out.raw", np.float32).reshape(image.shape)
    os.chdir("/")
np.testing.assert_array_equal(result, image >= np.float32(0.25))
