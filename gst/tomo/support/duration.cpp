// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/support/duration.hpp>
#include <gst/tomo/support/error.hpp>

namespace tomo {

std::string duration_text(double seconds) {
    const auto s = static_cast<long long>(seconds + 0.5);
    return s >= 3600 ? text("%lld:%02lld:%02lld", s / 3600, s / 60 % 60, s % 60)
                     : text("%lld:%02lld", s / 60, s % 60);
}

std::string expected_text(double seconds) {
    return seconds < 60.0 ? text("%.2g s", seconds) : duration_text(seconds);
}

} // namespace tomo
