// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Where a line begins: the images of a scan, or sinograms from a file.
#pragma once

#include <gst/reconstruction/inspection.hpp>

namespace tomo::reconstruction {

// The images of a scan that are read, of all columns and rows, by an element of this name.
std::string scan_images(const char *name, const Settings &settings, const Inspection &scan,
                        bool as_projections);
// The images in these rows, by the element `scan`.
std::string scan_source(const Settings &settings, const Inspection &scan, const Rows &rows,
                        bool as_projections);
std::string read_sinograms(const Settings &settings, const Rows &rows);

} // namespace tomo::reconstruction
