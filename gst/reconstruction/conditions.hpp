// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Many parameters count only under a condition. One that is given where it can't count is an error, so that
// nobody takes a result for what it is not.
#pragma once

#include <gst/reconstruction/inspection.hpp>

namespace tomo::reconstruction {

// Each throws Error that names the first parameter without effect, and the reason.
// Conditions on the kind of source, before it is read.
void check_source_conditions(const Settings &settings);
// All others; `output` is the file that is written. In a sweep a parameter has to count for one of the
// values.
void check_conditions(const Settings &settings, const Inspection &scan, const std::string &output);

} // namespace tomo::reconstruction
