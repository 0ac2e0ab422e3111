#!/usr/bin/env bash
# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# examples/reconstruct.sh [FOLDER]: the bundled scan becomes slices, by filtered backprojection.
# Writes FOLDER/slices.h5 (dataset /entry/data/data, 135 x 160 x 160 float32, attenuation per pixel) and
# FOLDER/slice.png (the middle slice); FOLDER is demo-output by default.
# Run it inside `meson devenv -C build`, or with an installed gst-tomo; tools/demo does the former.
set -euo pipefail

scan=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/data/savu24737.nxs
folder=${1:-demo-output}
mkdir -p -- "$folder"
rm -f -- "$folder/slices.h5" "$folder/slice.png" # replaced, not extended

# The file tells which frames are darks, flats and views, and the angles; its axis (86.5) is a little off the sharpest.
# The beam was weaker while the views were taken: air is 0.68 of the flat (examples/data/README.md).
# 512 is a fast transform length of at least twice the width, so that the filter does not wrap around.
gst-launch-1.0 -q \
    tomoscansrc name=s location="$scan" \
    s.projections ! f.projections  s.darks ! tomoaverage ! f.darks  s.flats ! tomoaverage ! f.flats \
    tomoflatfieldcorrect name=f flat-scale=0.68 absorption-correct=true fix-nan-and-inf=true ! \
    tomotransposeprojections ! \
    tomofft size-x=512 ! tomofilter ! tomoifft crop-width=160 ! \
    tomobackproject axis-pos=86.35 ! \
    tomowrite filename="$folder/slices.h5:/entry/data/data"

gst-launch-1.0 -q \
    tomoread path="$folder/slices.h5:/entry/data/data" image-start=67 number=1 ! \
    tomoconvert min=-0.005 max=0.03 ! video/x-raw,format=GRAY8 ! pngenc ! \
    filesink location="$folder/slice.png"
