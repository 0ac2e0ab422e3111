// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Numbers in text files, as programs and people write them.
#pragma once

#include <gst/tomo/support/error.hpp>

#include <optional>
#include <string>
#include <vector>

namespace tomo::io {

// Columns of numbers below an optional heading.
struct TextTable {
    std::string heading_line;
    std::vector<std::string> heading;
    std::vector<std::vector<double>> rows;
};

// At least one row. `wanted` says what a line should be ("one angle in degrees"); `is_heading` tells a
// heading of a single word.
TextTable text_table(const std::string &file, const char *wanted, bool (*is_heading)(const std::string &));

// Numbers with blanks or commas between them, or with semicolons, and then a comma is a decimal point. Empty
// if there are other words.
std::optional<std::vector<double>> numbers_in_words(const std::string &words);

} // namespace tomo::io
