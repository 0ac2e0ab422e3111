// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/support/bytes.hpp>

#include <cstring>

#include <glib.h>

namespace tomo {

std::optional<std::uint64_t> bytes_of(const std::string &size) {
    constexpr double most = 9007199254740992.0; // 2^53: more than any computer has, and exact as a double
    constexpr char units[] = "KMGT";
    if (size.find_first_of("xX") != std::string::npos) // hexadecimal, for g_ascii_strtod()
        return {};
    gchar *end = nullptr;
    double bytes = g_ascii_strtod(size.c_str(), &end);
    if (end == size.c_str())
        return {};
    if (*end) {
        const char *unit = std::strchr(units, g_ascii_toupper(*end));
        if (!unit || end[1])
            return {};
        for (const char *power = units; power <= unit; power++)
            bytes *= 1024.0;
    }
    if (!(bytes >= 1.0 && bytes <= most) || end + (*end ? 1 : 0) != size.c_str() + size.size())
        return {};
    return static_cast<std::uint64_t>(bytes);
}

} // namespace tomo
