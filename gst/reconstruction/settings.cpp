// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/reconstruction/settings.hpp>

#include <gst/tomo/geometry/degrees.hpp>
#include <gst/tomo/gsttomograph.h>
#include <gst/tomo/support/bytes.hpp>
#include <gst/tomo/support/host-memory.hpp>


namespace tomo::reconstruction {

namespace {

[[noreturn]] void refuse(const std::string &why) {
    throw Error(GST_TOMO_GRAPH_ERROR, GST_TOMO_GRAPH_ERROR_VALUE, why);
}

} // namespace

std::uint64_t Settings::memory_bytes() const {
    const auto written = memory.value();
    if (written.empty())
        return host_memory() / 2;
    const auto bytes = bytes_of(written);
    if (!bytes)
        refuse("memory does not take '" + written + "'; " + wanted_bytes);
    return *bytes;
}

std::optional<std::uint64_t> Settings::device_memory_bytes() const {
    if (device_memory.empty())
        return {};
    const auto bytes = bytes_of(device_memory.value());
    if (!bytes)
        refuse("device-memory does not take '" + device_memory.value() + "'; " + wanted_bytes);
    return bytes;
}

std::string Settings::source() const {
    return !sinograms.empty() ? sinograms : scan.empty() ? projections.value() : scan.value();
}

std::optional<double> Settings::given_axis() const {
    const auto centers = general.center_x.value();
    if (int{axis.is_given()} + int{axis_index.is_given()} + int{!centers.empty()} > 1)
        refuse(
            "two of axis, axis-index and center-position-x are given, which say the same; leave one of them out");
    if (axis.is_given())
        return axis;
    if (axis_index.is_given())
        return axis_index + 0.5;
    return centers.empty() ? std::nullopt : std::optional(centers.front());
}

std::optional<double> Settings::given_step(std::size_t projections) const {
    std::optional<double> step;
    for (const auto *parameter : {&angle, &angle_step_degrees, &range_degrees, &overall_angle}) {
        if (!parameter->is_given())
            continue;
        if (step)
            refuse(
                "angle, angle-step-degrees, range-degrees and overall-angle say the same in different ways; "
                "give one of them");
        step = parameter == &angle ? parameter->value() : radians(parameter->value());
        if (parameter == &range_degrees || parameter == &overall_angle)
            *step /= static_cast<double>(projections);
        if (*step == 0.0)
            refuse(text("%s is 0, with which all projections look along one line", parameter->name()));
    }
    if (step && !angles.empty())
        refuse("both a file of angles and a step are given; leave one of them out");
    return step;
}

} // namespace tomo::reconstruction
