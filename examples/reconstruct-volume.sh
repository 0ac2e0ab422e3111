#!/usr/bin/env bash
# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# examples/reconstruct-volume.sh [FOLDER]: the bundled scan of a cylinder becomes 135 slices, by filtered backprojection.
# Writes FOLDER/slices.h5 (dataset /entry/data/data, 135 x 160 x 160 float32, attenuation per pixel) and
# FOLDER/slice.png (the middle slice); FOLDER is demo-output by default.
# Run it in the shell that tools/shell opens, or with an installed gst-tomo; tools/demo does the former.
set -euo pipefail

here=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")
folder=${1:-demo-output}
mkdir -p -- "$folder"
rm -f -- "$folder/slices.h5" "$folder/slice.png" # replaced, not extended

# The file tells which frames are darks, flats and views, and the angles; slices are sharper with another axis than its 86.5.
# The beam was weaker while the views were taken: air is 0.68 of the flat (examples/data/README.md).
gst-launch-1.0 -q \
    tomoscansrc name=s location="$here/data/savu24737.nxs" \
    s.projections ! f.projections  s.darks ! tomoaverage ! f.darks  s.flats ! tomoaverage ! f.flats \
    tomoflatfieldcorrect name=f flat-scale=0.68 absorption-correct=true fix-nan-and-inf=true ! \
    tomotransposeprojections ! tomorampfilter ! tomobackproject axis-pos=86.35 ! \
    tomowrite filename="$folder/slices.h5:/entry/data/data"

# shellcheck disable=SC2046 # two properties
gst-launch-1.0 -q \
    tomoread path="$folder/slices.h5:/entry/data/data" image-start=67 number=1 ! \
    tomowrite filename="$folder/slice.png" bits=8 $("$here/grey-window.py" "$folder/slices.h5:/entry/data/data" 67)
