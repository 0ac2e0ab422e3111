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

// The files of `path` in order, each as open_reader() takes it. `path` is a file, a folder (all files in it
// that are not hidden), or a pattern of the shell (with ~); a part of the path that exists as written is not
// a pattern. A dataset behind a colon applies to every file. Folders and patterns skip files that can't be
// read: unknown suffixes unless options.type gives the type, raw files without a layout, HDF5 files without a
// dataset; folders also skip arrays of numpy beside other images. Throws if no file is left, and on a broken
// link, because it may be one of the images.
std::vector<std::string> list_files(const std::string &path, const ReadOptions &options = {},
                                    const FileRange &range = {});

struct ChosenFiles {
    std::vector<std::string> files;
    std::size_t of; // all files of the path
};

// The files of list_files(), and the number of those among which the range chose.
ChosenFiles choose_files(const std::string &path, const ReadOptions &options, const FileRange &range);

} // namespace tomo::io
