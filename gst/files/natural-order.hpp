// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <vector>

namespace tomo::io {

// The order of files by their names.
enum class NameOrder {
    Natural, // numbers count as numbers: 2 before 10, 0 before 0.5 before 1, -5 before 0
    Name,    // byte by byte
};

// Sorts paths. In the natural order, a name consists of texts and numbers in turn. All names together decide
// whether a dot or comma between digits begins decimals or separates two counts ("1.10" behind "1.9"), and
// whether a minus is a sign:
//
//     A dot separates counts if some number has more digits than others and ends with 0, which programs that
//     print only the necessary decimals never write. Three numbers with dots between ("2024.11.05") are
//     counts, too.
//
//     A minus is a sign if no letter or digit stands before it, except if all names have a minus and some of
//     the numbers are padded with zeros ("_-001").
void sort_names(std::vector<std::string> &paths, NameOrder order);

} // namespace tomo::io
