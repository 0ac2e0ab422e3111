// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Facts of NXtomo that it has for each frame: where the sample stood, and how bright the beam was.
#pragma once

#include "hdf5-parts.hpp"

namespace tomo::io {

// Once the projections are known: sample/x_translation and y_translation become displacements in pixels of
// these sizes in metres, from the first projection on. Unknown sizes are NaN.
void read_translations(const Hdf5Tree &tree, ScanLayout &scan, const std::string &entry, std::size_t frames,
                       double pixel_width, double pixel_height);

// Once the projections are known: where sample/y_translation and z_translation have the sample, in pixels of
// this height in metres.
void read_stage(const Hdf5Tree &tree, ScanLayout &scan, const std::string &entry, std::size_t frames,
                double pixel_height);

// The data of the entry's NXmonitor, which is `control` in NXtomo.
void read_monitor(const Hdf5Tree &tree, ScanLayout &scan, const std::string &entry, std::size_t frames);

} // namespace tomo::io
