#!/usr/bin/env bash
# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# examples/reconstruct.sh [FOLDER]: the bundled scan of a tooth becomes two slices, by filtered backprojection.
# Writes FOLDER/tooth.h5 (dataset /entry/data/data, 2 x 640 x 640 float32, attenuation per pixel) and
# FOLDER/tooth.png (the first slice); FOLDER is demo-output by default.
# Run it in the shell that tools/shell opens, or with an installed gst-tomo; tools/demo does the former.
set -euo pipefail

here=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")
folder=${1:-demo-output}
mkdir -p -- "$folder"
rm -f -- "$folder/tooth.h5" "$folder/tooth.png" # replaced, not extended

# The file tells which images are darks, flats and projections, and the angles. It does not tell the axis, which is found.
# With --dry-run the line prints the pipeline that it runs.
tomo-reconstruct "$here/data/tooth.h5" --output "$folder/tooth.h5"

# shellcheck disable=SC2046 # two properties
gst-launch-1.0 -q \
    tomoread path="$folder/tooth.h5:/entry/data/data" number=1 ! \
    tomowrite filename="$folder/tooth.png" bits=8 $("$here/grey-window.py" "$folder/tooth.h5:/entry/data/data" 0)
