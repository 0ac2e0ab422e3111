// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// How Concert sends images (concert/networking/base.py): a message of two parts, a header in JSON and the
// samples, and one part
// {"end": true} behind the last image.
#pragma once

#include "live-source.hpp"

#include <zmq.hpp>

namespace tomo::concert {

struct Header {
    bool is_end = false;
    ArrayInfo info;          // of the samples as they were sent
    bool is_swapped = false; // their bytes stand in the other order
    bool mirror = false;     // to be done by the receiver: columns, then
    unsigned quarters = 0;   // quarter turns to the left
    // What senders may add.
    std::optional<std::uint64_t> number; // frame_number
    std::optional<double> angle;         // radians
    std::optional<GstClockTime> time;    // timestamp: nanoseconds since the epoch
};

// Throws Error whose text begins with `from`.
Header parsed(const zmq::message_t &message, const std::string &from);
std::string written(const Header &header);
constexpr const char *end_of_stream = "{\"end\": true}";

} // namespace tomo::concert
