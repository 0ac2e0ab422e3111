// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "image-reader.hpp"

#include <string>
#include <vector>

namespace tomo::io {

// Every `step`-th file from `start` on.
struct FileRange {
    unsigned start = 0;
    unsigned step = 1;
};

// The files that `path` stands for, in the order of their names' bytes, each as open_reader() takes it: one
// file, a folder (all files in it), or a pattern as the shell has it (with ~). A dataset behind a colon goes
// with every file. In folders and patterns, files are left out that nobody can read: by their suffix unless
// options.type says what they are, raw ones without a layout, HDF5 ones without a dataset. Throws where no
// file is left.
std::vector<std::string> list_files(const std::string &path, const ReadOptions &options = {},
                                    const FileRange &range = {});

} // namespace tomo::io
