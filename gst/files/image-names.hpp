// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <vector>

namespace tomo::io {

// Writes the values of a quantity by which the images of a whole dataset differ, as the dataset NAME beside
// it: numbers, or texts where one of them is no number. It becomes the first axis of an NXdata. `location` is
// FILE:/DATASET; returns false if that is no dataset of HDF5. Throws Error.
bool name_images(const std::string &location, const std::string &name,
                 const std::vector<std::string> &values);

} // namespace tomo::io
