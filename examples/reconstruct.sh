#!/usr/bin/env bash
# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# examples/reconstruct.sh [FOLDER]: the bundled scan becomes slices, by filtered backprojection.
# Writes FOLDER/slices.h5 (dataset /entry/data/data, 135 x 160 x 160 float32, attenuation per pixel) and
# FOLDER/slice.png (the middle slice); FOLDER is demo-output by default.
# Run it inside `meson devenv -C build`, or with an installed gst-tomo; tools/demo does the former.
set -euo pipefail

scan=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/data/savu24737.nxs:/entry/instrument/detector/data
folder=${1:-demo-output}
mkdir -p -- "$folder"
rm -f -- "$folder/slices.h5" "$folder/slice.png" # replaced, not extended

# Frame 0 is the dark, frame 1 the flat, the others are 91 views from -88.2 to 91.8 degrees in steps of 2.
# The beam was weaker while the views were taken: air is 0.68 of the flat (examples/data/README.md).
# 512 is a fast transform length of at least twice the width, so that the filter does not wrap around.
gst-launch-1.0 -q \
    tomoread path="$scan" image-start=2 ! f.projections \
    tomoread path="$scan" number=1 ! tomoaverage ! f.darks \
    tomoread path="$scan" image-start=1 number=1 ! tomoaverage ! f.flats \
    tomoflatfieldcorrect name=f flat-scale=0.68 absorption-correct=true fix-nan-and-inf=true ! \
    tomotransposeprojections ! \
    tomofft size-x=512 ! tomofilter ! tomoifft crop-width=160 ! \
    tomobackproject axis-pos=86.35 angle-step=0.034906585 angle-offset=-1.539380400 ! \
    tomowrite filename="$folder/slices.h5:/entry/data/data"

gst-launch-1.0 -q \
    tomoread path="$folder/slices.h5:/entry/data/data" image-start=67 number=1 ! \
    tomoconvert min=-0.005 max=0.03 ! video/x-raw,format=GRAY8 ! pngenc ! \
    filesink location="$folder/slice.png"
