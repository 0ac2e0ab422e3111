// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/files/stored-samples.hpp>

#include <optional>
#include <string>

// Words for the types of samples in the headers of EDF files.
namespace tomo::io {

// The type for a word in any spelling; empty for an unknown word.
std::optional<StoredType> edf_stored_type(const std::string &word, bool swapped);

// The word for a format. Throws if EDF has none.
const char *edf_word(GstTomoFormat format);

} // namespace tomo::io
