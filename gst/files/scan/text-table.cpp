// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "text-table.hpp"
#include <gst/files/input-file.hpp>

#include <algorithm>
#include <cmath>
#include <fstream>

namespace tomo::io {

namespace {

using Fields = std::vector<std::string>;

std::optional<double> number_of(std::string field, bool decimal_comma) {
    if (decimal_comma)
        std::replace(field.begin(), field.end(), ',', '.');
    char *end = nullptr;
    const double number = g_ascii_strtod(field.c_str(), &end);
    if (field.empty() || *end || !std::isfinite(number))
        return {};
    return number;
}

// Semicolons separate where there are any, and then a comma is a decimal point; else blanks, tabs and commas.
Fields fields_of(const std::string &line) {
    const bool has_semicolons = line.find(';') != std::string::npos;
    const auto separators = has_semicolons ? ";" : ", \t\r";
    Fields fields;
    for (std::size_t begin = 0; begin <= line.size();) {
        const auto end = std::min(line.find_first_of(separators, begin), line.size());
        auto field = line.substr(begin, end - begin);
        const auto first = field.find_first_not_of(" \t\r\"'"), last = field.find_last_not_of(" \t\r\"'");
        field = first == std::string::npos ? "" : field.substr(first, last + 1 - first);
        if (!field.empty())
            fields.push_back(field);
        begin = end + 1;
    }
    return fields;
}

} // namespace

TextTable text_table(const std::string &file, const char *wanted, bool (*is_heading)(const std::string &)) {
    require_readable_file(file);
    std::ifstream input(file);
    TextTable table;
    std::string line;
    const std::string byte_order_mark = "\xef\xbb\xbf";
    for (unsigned number = 1; std::getline(input, line); number++) {
        if (number == 1 && line.compare(0, byte_order_mark.size(), byte_order_mark) == 0)
            line.erase(0, byte_order_mark.size());
        line = line.substr(0, line.find('#'));
        const auto fields = fields_of(line);
        if (fields.empty())
            continue;
        std::vector<double> row;
        for (const auto &field : fields)
            if (const auto value = number_of(field, line.find(';') != std::string::npos))
                row.push_back(*value);
        const bool may_be_heading = row.empty() && table.rows.empty() && table.heading.empty();
        if (may_be_heading && (fields.size() > 1 || is_heading(fields[0]))) {
            table.heading = fields;
            table.heading_line = line;
            continue;
        }
        if (row.size() != fields.size())
            throw Error(GST_STREAM_ERROR_DECODE, text("'%s', line %u: wanted %s, found '%s'", file.c_str(),
                                                      number, wanted, line.c_str()));
        if (!table.rows.empty() && row.size() != table.rows[0].size())
            throw Error(GST_STREAM_ERROR_DECODE, text("'%s', line %u: wanted %" G_GSIZE_FORMAT
                                                      " number%s as in the lines before, found "
                                                      "'%s'",
                                                      file.c_str(), number, table.rows[0].size(),
                                                      table.rows[0].size() == 1 ? "" : "s", line.c_str()));
        table.rows.push_back(std::move(row));
    }
    if (table.rows.empty())
        throw Error(GST_STREAM_ERROR_DECODE,
                    text("'%s' holds no numbers; wanted %s on each line", file.c_str(), wanted));
    return table;
}

std::optional<std::vector<double>> numbers_in_words(const std::string &words) {
    std::vector<double> numbers;
    auto line = words;
    std::replace(line.begin(), line.end(), '\n', ' ');
    for (const auto &field : fields_of(line)) {
        const auto number = number_of(field, line.find(';') != std::string::npos);
        if (!number)
            return {};
        numbers.push_back(*number);
    }
    return numbers;
}

} // namespace tomo::io
