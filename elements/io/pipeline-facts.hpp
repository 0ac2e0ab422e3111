// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/files/result-facts.hpp>

#include <gst/gst.h>

namespace tomo::io {

// What there is to know about the pipeline in which `element` runs, and in it of the elements from which its
// stream comes.
ResultFacts facts_of_pipeline(GstElement *element, DigestOf inputs);

// Adds what is known when the stream has ended.
void add_final_facts(GstElement *element, ResultFacts &facts);

} // namespace tomo::io
