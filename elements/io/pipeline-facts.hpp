// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "result-facts.hpp"

#include <gst/gst.h>

namespace tomo::io {

// What there is to know about the pipeline in which `element` runs.
ResultFacts facts_of_pipeline(GstElement *element, DigestOf inputs);

} // namespace tomo::io
