// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Results whose slabs a cluster can make.
#pragma once

#include <gst/reconstruction/inspection.hpp>

namespace tomo::reconstruction {

// `output` is the file that is written. Throws Error where the result can't be split into slabs that other
// computers make, and says why.
void check_cluster(const Settings &settings, const Inspection &scan, const std::string &output);
// Whether the slabs of a cluster can stay in their files, so that the result is a virtual dataset of them;
// otherwise they are joined as those of one computer.
bool is_volume_virtual(const Settings &settings, const std::string &output);
// Images of a slab such that all of so many workers get some, and those that are slower get fewer.
unsigned images_of_slab(const Settings &settings, const Inspection &scan, unsigned images, unsigned workers);

} // namespace tomo::reconstruction
