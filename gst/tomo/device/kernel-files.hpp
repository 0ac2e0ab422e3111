// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The source texts of kernels.
#pragma once

#include <gst/tomo/gsttomo-prelude.h>

#include <string>

namespace tomo {

// The text of a kernel file: from a folder of GST_TOMO_KERNEL_PATH, else from the resources of a loaded
// plugin below /gst-tomo/kernels. Throws Error if neither has it.
GST_TOMO_API std::string kernel_file(const std::string &name);
GST_TOMO_API bool has_kernel_file(const std::string &name);

} // namespace tomo
