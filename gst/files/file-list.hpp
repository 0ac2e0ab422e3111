// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "image-reader.hpp"
#include "natural-order.hpp"

#include <string>
#include <vector>

namespace tomo::io {

// Every `step`-th file from `start` on.
struct FileRange {
    unsigned start = 0;
    unsigned step = 1;
    NameOrder order = NameOrder::Natural;
};

// Whether a name begins with a dot. Such files are other programs' own (as "._scan.tif" of macOS, beside
// "scan.tif").
bool is_hidden(const std::string &path);

// The files that `path` stands for, in order, each as open_reader() takes it: one file, a folder (all files
// in it that are not hidden), or a pattern as the shell has it (with ~); a part of the path that exists as it
// is written is no pattern. A dataset behind a colon goes with every file. In folders and patterns, files are
// left out that nobody can read: by their suffix unless options.type says what they are, raw ones without a
// layout, HDF5 ones without a dataset; in folders also arrays of numpy beside other images. Throws where no
// file is left, and on a link that leads nowhere: it may be one of the images.
std::vector<std::string> list_files(const std::string &path, const ReadOptions &options = {},
                                    const FileRange &range = {});

} // namespace tomo::io
