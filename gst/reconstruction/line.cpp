// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/reconstruction/line.hpp>

#include <glib.h>
#include <string_view>

namespace tomo::reconstruction {

std::string number(double value) {
    char digits[G_ASCII_DTOSTR_BUF_SIZE];
    return g_ascii_dtostr(digits, sizeof digits, value);
}

std::string launch_property(const std::string &key, const std::string &value) {
    std::string line = " " + key + "=";
    if (value.empty())
        return line + "\"\"";
    for (const char c : value) {
        const bool is_plain = g_ascii_isalnum(c) || (c & 0x80) ||
                              std::string_view("_-./:+,%@=").find(c) != std::string_view::npos;
        if (!is_plain)
            line += '\\';
        line += c;
    }
    return line;
}

std::string property(const char *key, unsigned value) { return text(" %s=%u", key, value); }
std::string property(const char *key, double value) { return text(" %s=%s", key, number(value).c_str()); }

std::string literal(double value) {
    const std::string digits = number(static_cast<float>(value));
    return digits + (digits.find_first_of(".e") == std::string::npos ? ".0f" : "f");
}

std::string first_name_in(const std::string &line) {
    constexpr std::string_view key = " name=";
    const auto at = line.find(key);
    if (at == std::string::npos)
        return {};
    const auto begin = at + key.size();
    return line.substr(begin, line.find(' ', begin) - begin);
}

std::string calculation(const char *name, const std::string &expression, unsigned dimensions) {
    return text(" ! tomocalculate name=%s", name) +
           (dimensions > 1 ? property("dimensions", dimensions) : "") +
           launch_property("expression", expression);
}

} // namespace tomo::reconstruction
