// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/reconstruction/off-axis.hpp>
#include <gst/reconstruction/stitch.hpp>

#include <algorithm>
#include <cmath>

namespace tomo::reconstruction {

namespace {

// Rows of the volume in which it passes from one scan to the next.
struct Zone {
    double begin, end;
};

std::vector<Zone> zones_of(const std::vector<Height> &heights, unsigned binning) {
    std::vector<Zone> zones;
    for (std::size_t i = 0; i + 1 < heights.size(); i++) {
        zones.push_back({static_cast<double>(heights[i + 1].first_row()),
                         static_cast<double>(heights[i].end_row(binning))});
        if (i > 0 && zones[i].begin < zones[i - 1].end)
            zones[i].begin = zones[i - 1].end = std::floor((zones[i].begin + zones[i - 1].end) / 2.0);
    }
    return zones;
}

// The slices of one scan, without a sink.
std::string height_line(const Height &height, const StitchedPart &part, const SliceFrame &frame) {
    const auto &settings = *height.settings;
    const unsigned binning = settings.binning;
    auto line = sinograms_to_slices_line(settings, *height.scan, rows_in(height, part, binning),
                                         height.axis.position, &frame);
    // How many come in an array depends on files and steps, and may be another number for the other scan.
    if (part.fades || height.part() > 0.0)
        line += " ! tomoslice name=planes";
    if (height.part() > 0.0)
        line += " ! tomointerpolateneighbours name=between" + property("fraction", height.part() / binning);
    return line;
}

} // namespace

std::vector<StitchedPart> stitched_parts(const Settings &settings, const Inspection &whole,
                                         const std::vector<Height> &heights) {
    const auto all = whole.rows(settings);
    const unsigned binning = settings.binning, images = all.count / binning, step = binning * all.step;
    if (all.step > 1 &&
        std::any_of(heights.begin(), heights.end(), [](const auto &h) { return h.part() > 0.0; }))
        throw Error(
            GST_RESOURCE_ERROR_SETTINGS,
            "heights lie parts of a row apart and are interpolated between neighbours, and y-step leaves "
            "some out; give one of them, or a stitch-overlap of whole rows");
    const auto zones = zones_of(heights, binning);
    std::vector<StitchedPart> parts;
    for (unsigned k = 0; k < images; k++) {
        const unsigned row = all.first + k * step;
        std::size_t upper = 0;
        while (upper < zones.size() && row + binning > zones[upper].end)
            upper++;
        const bool fades = upper < zones.size() && row >= zones[upper].begin;
        if (row < heights[upper].first_row() || row + binning > heights[upper].end_row(binning))
            throw Error(
                GST_RESOURCE_ERROR_SETTINGS,
                text("no scan has all of the %u rows from %u on, which binning makes one: the overlap is "
                     "too small for it",
                     binning, row));
        if (parts.empty() || parts.back().upper != upper || parts.back().fades != fades) {
            StitchedPart part{k, 0, {row, 0, all.step}, upper, fades, 0.0, 0.0};
            if (fades) {
                part.way = (zones[upper].end - zones[upper].begin) / step;
                part.way_begin = (row + binning / 2.0 - zones[upper].begin) / step - 0.5;
            }
            parts.push_back(part);
        }
        parts.back().images++;
        parts.back().rows.count += binning;
    }
    return parts;
}

Rows rows_in(const Height &height, const StitchedPart &part, unsigned binning) {
    return {part.rows.first - height.first_row(), part.rows.count + (height.part() > 0.0 ? binning : 0),
            part.rows.step};
}

SliceFrame frame_of_slices(const std::vector<Height> &heights) {
    std::optional<SliceFrame> frame;
    for (const auto &height : heights) {
        const auto field = field_of_slices(*height.settings, *height.scan, height.axis.position);
        const double radius = std::max(std::min(field.axis, field.columns - field.axis), 0.0);
        if (!frame)
            frame = {field.columns, field.axis, radius};
        frame->radius = std::min(frame->radius, radius);
    }
    return *frame;
}

std::string stitched_line(const Settings &settings, const std::vector<Height> &heights,
                          const StitchedPart &part) {
    const auto frame = frame_of_slices(heights);
    const auto upper = height_line(heights[part.upper], part, frame);
    if (!part.fades)
        return upper;
    std::string line = upper + " ! fade.sink_0 " +
                       with_prefix("lower-", height_line(heights[part.upper + 1], part, frame)) +
                       " ! fade.sink_1 tomofade name=fade" + property("number", part.way) +
                       property("first", part.way_begin);
    if (settings.stitch_weights.is_given())
        line += launch_property("curve", settings.stitch_weights.value());
    return line;
}

} // namespace tomo::reconstruction
