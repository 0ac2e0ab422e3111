// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

// Angles of a scan in text files, as programs and people write them.
#include "layout.hpp"
#include "text-table.hpp"
#include <gst/files/formats/npy-header.hpp>
#include <gst/files/input-file.hpp>

#include <algorithm>
#include <cmath>
#include <optional>

namespace tomo::io {

namespace {

std::vector<std::string> words_of(const std::string &text) {
    std::vector<std::string> words(1);
    for (const char c : text) {
        if (g_ascii_isalpha(c))
            words.back() += g_ascii_tolower(c);
        else if (!words.back().empty())
            words.emplace_back();
    }
    return words;
}

// "grad" is German for degrees.
bool says_radians(const std::string &text) {
    const auto words = words_of(text);
    return std::any_of(words.begin(), words.end(),
                       [](const std::string &word) { return word.compare(0, 3, "rad") == 0; });
}

// Counted one by one, from any number on.
bool is_index(const TextTable &table, std::size_t column) {
    const double first = table.rows[0][column];
    for (std::size_t i = 0; i < table.rows.size(); i++)
        if (table.rows[i][column] != first + double(i) || first != std::floor(first))
            return false;
    return true;
}

std::size_t column_of_angles(const TextTable &table, const std::string &file) {
    const auto columns = table.rows[0].size();
    if (columns == 1)
        return 0;
    if (table.heading.size() == columns) {
        std::vector<std::size_t> named;
        for (std::size_t i = 0; i < columns; i++)
            if (names_angle(table.heading[i]))
                named.push_back(i);
        if (named.size() == 1)
            return named[0];
    }
    if (columns == 2 && is_index(table, 0))
        return 1;
    throw Error(
        GST_STREAM_ERROR_DECODE,
        text("'%s' has %" G_GSIZE_FORMAT
             " columns: which one are the angles? Wanted is one number per line, an index and an angle, "
             "or a heading that names one column angle or theta",
             file.c_str(), columns));
}

} // namespace

std::vector<double> angles_of_text(const std::string &file) {
    const auto table = text_table(file, "one angle in degrees", names_angle);
    const auto column = column_of_angles(table, file);
    std::vector<double> angles;
    for (const auto &row : table.rows)
        angles.push_back(row[column]);
    const bool is_named = table.heading.size() == table.rows[0].size();
    const bool radians = says_radians(is_named ? table.heading[column] : table.heading_line);
    return angles_in_radians(std::move(angles), radians ? "rad" : "deg");
}

std::vector<double> angles_of_npy(const std::string &path) {
    const InputFile file(path);
    const NpyHeader header(file);
    std::uint64_t count = 1, bytes = 0;
    const auto axes = std::count_if(header.shape.begin(), header.shape.end(), [](auto n) { return n != 1; });
    const bool fits = multiply(
        {count, header.shape.empty() ? 1 : *std::max_element(header.shape.begin(), header.shape.end())},
        count);
    if (axes > 1 || !fits || count == 0 || count > G_MAXINT ||
        header.type.format == GST_TOMO_FORMAT_COMPLEX64)
        throw Error(GST_STREAM_ERROR_DECODE,
                    text("'%s' is an array of %" G_GSIZE_FORMAT
                         " axes of '%s'; wanted one axis of real numbers, the "
                         "angle of each projection in degrees",
                         path.c_str(), header.shape.size(), header.said_type.c_str()));
    const auto n = static_cast<unsigned>(count);
    if (!stored_size(header.type, n, 1, bytes) || bytes > file.size() - header.offset)
        throw Error(GST_RESOURCE_ERROR_READ,
                    text("'%s' is truncated or damaged: it holds fewer than its %u angles", path.c_str(), n));
    auto angles = read_stored_numbers(file, header.offset, header.type, n, path);
    if (std::any_of(angles.begin(), angles.end(), [](double angle) { return !std::isfinite(angle); }))
        throw Error(GST_STREAM_ERROR_DECODE,
                    text("'%s' holds an angle that is no finite number", path.c_str()));
    return angles_in_radians(std::move(angles), "deg");
}

bool names_angle(const std::string &name) {
    const auto words = words_of(name);
    return std::any_of(words.begin(), words.end(), [](const std::string &word) {
        const auto is_in_it = [&](const char *part) { return word.find(part) != std::string::npos; };
        return is_in_it("angle") || is_in_it("theta") || is_in_it("rotation") || is_in_it("omega") ||
               is_in_it("winkel") || word == "rot" || word == "srot" || word == "phi" || word == "degrees" ||
               word == "deg";
    });
}

} // namespace tomo::io
