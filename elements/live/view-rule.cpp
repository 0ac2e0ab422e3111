// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "view-rule.hpp"

#include <gst/tomo/bases/element.hpp>

#include <algorithm>
#include <cmath>

namespace tomo::live {

void ViewRule::begin(GstBuffer *buffer, unsigned depth) {
    if (buffer_)
        arrays_++;
    planes_ += depth_;
    buffer_ = buffer;
    depth_ = depth;
    most_depth_ = std::max(most_depth_, depth);
}

void ViewRule::forget() {
    buffer_ = nullptr;
    depth_ = most_depth_ = 0;
    arrays_ = planes_ = 0;
    first_time_.reset();
}

std::uint64_t ViewRule::number(unsigned plane) const {
    const auto *meta = gst_buffer_get_tomo_frame_meta(buffer_);
    const auto array = meta                                  ? meta->index
                       : GST_BUFFER_OFFSET_IS_VALID(buffer_) ? GST_BUFFER_OFFSET(buffer_)
                                                             : arrays_;
    return array * most_depth_ + plane;
}

GstClockTime ViewRule::time() const {
    const auto *meta = gst_buffer_get_tomo_frame_meta(buffer_);
    return meta && GST_CLOCK_TIME_IS_VALID(meta->time) ? meta->time : GST_BUFFER_PTS(buffer_);
}

double ViewRule::angle(unsigned plane) {
    const auto n = number(plane);
    if (const auto step = angle_step.chosen())
        return n * *step;
    if (const auto radians = speed.chosen()) {
        const auto now = time();
        if (!GST_CLOCK_TIME_IS_VALID(now) || depth_ > 1)
            throw Error(
                GST_STREAM_ERROR_FORMAT,
                depth_ > 1
                    ? "speed needs the time of each projection, but stacks came: slice them by tomoslice"
                    : "speed needs times, but a projection came without any: set angle-step instead");
        if (!first_time_)
            first_time_ = now;
        return (static_cast<double>(now) - static_cast<double>(*first_time_)) / GST_SECOND * *radians;
    }
    const auto *meta = gst_buffer_get_tomo_frame_meta(buffer_);
    if (meta && depth_ == 1 && std::isfinite(meta->angle))
        return meta->angle;
    if (const auto view = scan.view_of(n, planes_ + plane); view < scan.angles.size())
        return scan.angles[view];
    throw Error(GST_STREAM_ERROR_FORMAT,
                text("projection %s has no angle: set angle-step, or speed where projections have times",
                     std::to_string(n).c_str()));
}

} // namespace tomo::live
