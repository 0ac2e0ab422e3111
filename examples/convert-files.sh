#!/usr/bin/env bash
# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# examples/convert-files.sh [FOLDER]: the same frames from one kind of file to the next, without a change of a pixel.
# Writes FOLDER/frames/ (TIFF, one per frame), FOLDER/frames.tif (multi-page) and FOLDER/frames.h5 (dataset /raw).
# Run it in the shell that tools/shell opens, or with an installed gst-tomo.
set -euo pipefail

scan=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/data/savu24737.nxs:/entry/instrument/detector/data
folder=${1:-demo-output}
mkdir -p -- "$folder"

gst-launch-1.0 -q tomoread path="$scan" number=10 ! tomowrite filename="$folder/frames/frame-%05i.tif"
gst-launch-1.0 -q tomoread path="$folder/frames/frame-*.tif" ! tomowrite filename="$folder/frames.tif"
gst-launch-1.0 -q tomoread path="$folder/frames.tif" ! tomowrite filename="$folder/frames.h5:/raw"
