// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/reconstruction/line.hpp>
#include <gst/reconstruction/settings.hpp>

#include <set>
#include <string_view>
#include <vector>

#include <glib.h>

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

std::string device_property(const Settings &settings) {
    return settings.device.empty() ? "" : launch_property("device", settings.device);
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

std::string with_prefix(const std::string &prefix, const std::string &line) {
    // Blanks within values are quoted by a backslash.
    std::vector<std::string> words(1);
    for (std::size_t i = 0; i < line.size(); i++) {
        if (line[i] == ' ')
            words.emplace_back();
        else
            words.back() += line[i];
        if (line[i] == '\\' && i + 1 < line.size())
            words.back() += line[++i];
    }
    constexpr std::string_view key = "name=";
    std::set<std::string> names;
    for (const auto &word : words)
        if (word.compare(0, key.size(), key) == 0)
            names.insert(word.substr(key.size()));
    std::string prefixed;
    for (auto word = words.begin(); word != words.end(); ++word) {
        prefixed += word == words.begin() ? "" : " ";
        if (word->compare(0, key.size(), key) == 0)
            prefixed += std::string(key) + prefix + word->substr(key.size());
        else
            prefixed += (names.count(word->substr(0, word->find('.'))) ? prefix : "") + *word;
    }
    return prefixed;
}

std::string calculation(const char *name, const std::string &expression, unsigned dimensions) {
    return text(" ! tomocalculate name=%s", name) +
           (dimensions > 1 ? property("dimensions", dimensions) : "") +
           launch_property("expression", expression);
}

} // namespace tomo::reconstruction
