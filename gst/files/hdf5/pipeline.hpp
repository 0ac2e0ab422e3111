// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

namespace tomo::io {

bool is_hdf5_file(const std::string &path);

// The pipeline that made a dataset, from "file.h5:/path/to/dataset", or from "file.h5" if only one dataset
// records one.
struct RecordedPipeline {
    std::string json;
    std::string folder; // where it ran
};
RecordedPipeline hdf5_recorded_pipeline(const std::string &path);

} // namespace tomo::io
