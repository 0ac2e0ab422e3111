#!/usr/bin/env bash
# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# examples/camera.sh [FOLDER]: a live source, 16 bit grey, is scaled on the device and stored as JPEG pictures.
# Any GStreamer source of grey video can stand in place of the test picture, such as v4l2src, aravissrc or udpsrc.
# Run it in the shell that tools/shell opens, or with an installed gst-tomo.
set -euo pipefail

folder=${1:-demo-output}
mkdir -p -- "$folder"

gst-launch-1.0 -q \
    videotestsrc is-live=true pattern=ball num-buffers=25 ! \
    video/x-raw,format=GRAY16_LE,width=640,height=480,framerate=25/1 ! \
    tomoconvert ! tomocalculate expression="v * 2" ! tomoconvert min=0 max=65535 ! video/x-raw,format=GRAY8 ! \
    jpegenc ! multifilesink location="$folder/camera-%03d.jpg"
