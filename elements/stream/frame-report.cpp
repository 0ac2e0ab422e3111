// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "frame-report.hpp"

#include <gst/tomo/device/memory.hpp>
#include <gst/tomo/device/samples.hpp>
#include <gst/tomo/gsttomometa.h>

#include <algorithm>
#include <cmath>
#include <cstring>

namespace tomo {

static std::string number(double value) { return text("%.9g", value); }

static std::string value_at(const char *samples, GstTomoFormat format, std::size_t i) {
    const auto as = [&](auto type, std::size_t n) {
        std::memcpy(&type, samples + n * sizeof type, sizeof type);
        return type;
    };
    switch (format) {
    case GST_TOMO_FORMAT_UINT8:
        return std::to_string(as(guint8{}, i));
    case GST_TOMO_FORMAT_UINT16:
        return std::to_string(as(guint16{}, i));
    case GST_TOMO_FORMAT_UINT32:
        return std::to_string(as(guint32{}, i));
    case GST_TOMO_FORMAT_INT16:
        return std::to_string(as(gint16{}, i));
    case GST_TOMO_FORMAT_INT32:
        return std::to_string(as(gint32{}, i));
    case GST_TOMO_FORMAT_FLOAT16:
        return number(as(Half{}, i));
    case GST_TOMO_FORMAT_FLOAT32:
        return number(as(float{}, i));
    case GST_TOMO_FORMAT_FLOAT64:
        return text("%.17g", as(double{}, i));
    case GST_TOMO_FORMAT_COMPLEX64:
        return text("%.9g%+.9gi", as(float{}, 2 * i), as(float{}, 2 * i + 1));
    case GST_TOMO_FORMAT_UNKNOWN:
        break;
    }
    return "?";
}

static const char *place_of(GstBuffer *buffer) {
    return gst_buffer_n_memory(buffer) && storage_of(gst_buffer_peek_memory(buffer, 0)) ? "device" : "host";
}

std::string frame_report(const char *who, GstBuffer *buffer, const ArrayInfo &info) {
    std::string facts;
    auto add = [&](const std::string &fact) { facts += (facts.empty() ? "" : ", ") + fact; };
    if (const auto *meta = gst_buffer_get_tomo_frame_meta(buffer)) {
        add("index=" + std::to_string(meta->index));
        if (!std::isnan(meta->angle))
            add("angle=" + number(meta->angle));
        if (GST_CLOCK_TIME_IS_VALID(meta->time))
            add("time=" + std::to_string(meta->time));
        if (meta->source)
            add(text("source=%s", meta->source));
    }
    return text("%s: dims=[%u %u %u] format=%s keys=[%s] location=%s\n", who, info.width, info.height,
                info.depth, gst_tomo_format_to_string(info.format), facts.c_str(), place_of(buffer));
}

std::string first_values(GstBuffer *buffer, const ArrayInfo &info, std::uint64_t n) {
    n = std::min(n, info.samples());
    if (!n)
        return {};
    std::vector<char> samples(info.size());
    copy_packed(buffer, info, samples.data());
    std::string line = " ";
    for (std::uint64_t i = 0; i < n; i++)
        line += " " + value_at(samples.data(), info.format, i);
    return line + "\n";
}

} // namespace tomo
