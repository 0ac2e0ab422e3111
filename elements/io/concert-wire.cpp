// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "concert-wire.hpp"
#include "live-source.hpp"
#include "zmq-wire.hpp"

#include <gst/files/byte-order.hpp>
#include <gst/tomo/support/c-string.hpp>
#include <gst/tomo/support/json.hpp>

#include <algorithm>
#include <cmath>

namespace tomo::concert {

namespace {

constexpr std::size_t longest_header = 1 << 20; // metadata of a camera may be many

struct Type {
    const char *name, *code; // of numpy
    GstTomoFormat format;
};
constexpr Type types[] = {
    {"uint8", "u1", GST_TOMO_FORMAT_UINT8},     {"uint16", "u2", GST_TOMO_FORMAT_UINT16},
    {"uint32", "u4", GST_TOMO_FORMAT_UINT32},   {"int16", "i2", GST_TOMO_FORMAT_INT16},
    {"int32", "i4", GST_TOMO_FORMAT_INT32},     {"float16", "f2", GST_TOMO_FORMAT_FLOAT16},
    {"float32", "f4", GST_TOMO_FORMAT_FLOAT32}, {"float64", "f8", GST_TOMO_FORMAT_FLOAT64},
};

// By the name or the code of a type of numpy, which may begin with the order of bytes.
const Type *find_type(const std::string &name, bool &is_swapped) {
    const char order = name.empty() ? ' ' : name[0];
    const bool has_order = order == '<' || order == '>' || order == '=' || order == '|';
    const auto code = has_order ? name.substr(1) : name;
    is_swapped = order == (io::host_is_little_endian ? '>' : '<') && code != "u1";
    const auto *type = std::find_if(std::begin(types), std::end(types), [&](const Type &t) {
        return code == t.code || (!has_order && code == t.name);
    });
    return type == std::end(types) ? nullptr : type;
}

std::optional<double> number_in(const Json &json, const char *key) {
    const auto *found = json.find(key);
    if (!found || !found->is(Json::Kind::number))
        return {};
    return g_ascii_strtod(found->text().c_str(), nullptr);
}

// Seconds since the epoch, or a date by ISO 8601, of the host's time zone where it names none.
std::optional<GstClockTime> time_in(const Json &json) {
    if (const auto seconds = number_in(json, "timestamp")) {
        if (*seconds < 0 || *seconds > 1e10)
            return {};
        const double whole = std::floor(*seconds); // by itself, for all digits
        return static_cast<GstClockTime>(whole) * GST_SECOND + std::llround((*seconds - whole) * GST_SECOND);
    }
    const auto *found = json.find("timestamp");
    if (!found || !found->is(Json::Kind::text))
        return {};
    const std::unique_ptr<GTimeZone, decltype(&g_time_zone_unref)> local(g_time_zone_new_local(),
                                                                         g_time_zone_unref);
    return time_of_date(found->text(), local.get());
}

} // namespace

Header parsed(const zmq::message_t &message, const std::string &from) {
    const std::string bytes(static_cast<const char *>(message.data()),
                            std::min(message.size(), longest_header));
    const auto fail = [&](const std::string &why) {
        return Error(
            GST_STREAM_ERROR_DECODE,
            text(
                "%s sent a header that %s: '%.200s'; wanted JSON with dtype and shape of an image, as Concert sends it",
                from.c_str(), why.c_str(), CString(g_utf8_make_valid(bytes.data(), bytes.size())).get()));
    };
    if (message.size() > longest_header)
        throw fail(text("has %zu bytes", message.size()));
    const auto json = [&] {
        try {
            return Json::parse(bytes, from);
        } catch (const Error &error) {
            throw fail(text("is no JSON (%s)", error.what()));
        }
    }();
    if (!json.is(Json::Kind::object))
        throw fail("is no object");
    Header header;
    if (json.find("end")) {
        header.is_end = true;
        return header;
    }
    const auto *type = find_type(json.text_of("dtype"), header.is_swapped);
    if (!type)
        throw fail("has another dtype than integers of 8, 16 and 32 bits and float16 to float64");
    header.info = wire::shape_of(json, type->format, fail);
    if (const auto *applied = json.find("conversion_applied"); !applied || !applied->is_true()) {
        const auto *mirror = json.find("mirror");
        header.mirror = mirror && mirror->is_true();
        const auto quarters = number_in(json, "rotate").value_or(0);
        if (!(std::abs(quarters) < 1e6) || quarters != std::floor(quarters))
            throw fail("has a rotate that is no number of quarter turns");
        header.quarters = static_cast<unsigned>((static_cast<int>(quarters) % 4 + 4) % 4);
    }
    for (const char *key : {"frame_number", "frame-number"})
        if (const auto number = number_in(json, key); number && *number >= 0 && *number < 9e15)
            header.number = static_cast<std::uint64_t>(*number);
    if (const auto angle = number_in(json, "angle"); angle && std::isfinite(*angle))
        header.angle = angle;
    header.time = time_in(json);
    return header;
}

std::string written(const Header &header) {
    const auto *type = std::find_if(std::begin(types), std::end(types),
                                    [&](const Type &t) { return t.format == header.info.format; });
    auto json = Json::object();
    json.set("dtype", Json::text(type->name));
    json.set("shape", wire::shape_json(header.info));
    if (header.number)
        json.set("frame_number", Json::integer(guint64{*header.number}));
    if (header.angle)
        json.set("angle", Json::number(*header.angle));
    if (header.time) {
        const std::unique_ptr<GDateTime, decltype(&g_date_time_unref)> date(
            g_date_time_new_from_unix_utc(static_cast<gint64>(*header.time / GST_SECOND)), g_date_time_unref);
        const CString seconds(g_date_time_format(date.get(), "%Y-%m-%dT%H:%M:%S"));
        json.set("timestamp", Json::text(text("%s.%06u+00:00", seconds.get(),
                                              unsigned(*header.time % GST_SECOND / GST_USECOND))));
    }
    return json.written(false);
}

} // namespace tomo::concert
