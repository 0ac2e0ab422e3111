// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Headers that nearly all code for files includes, compiled once. Files still include all that they use.
#include <gst/tomo/device/array.hpp>
#include <gst/tomo/support/error.hpp>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>
