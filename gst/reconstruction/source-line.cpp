// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/reconstruction/flat-field.hpp>
#include <gst/reconstruction/line.hpp>
#include <gst/reconstruction/shifts.hpp>
#include <gst/reconstruction/source-line.hpp>

#include <algorithm>

namespace tomo::reconstruction {

namespace {

// Sinograms per array of a scan whose rows can be read by themselves; 0 leaves that to the source, which
// takes large pieces. A small scan would be no more than a few of them: nobody saw how far it is, and what is
// interrupted would begin anew.
unsigned rows_per_array(const Inspection &scan, const Rows &rows) {
    constexpr unsigned arrays = 24, least = 8; // for which backproject has a kernel
    constexpr std::uint64_t large = 64 << 20;
    const auto row = scan.image.with_size(scan.image.width, 1, 1).size() * scan.views;
    const unsigned part = (rows.count / arrays + least - 1) / least * least;
    return scan.rows_per_chunk == 1 && part > 0 && part * row < large ? part : 0;
}

} // namespace

std::string scan_images(const char *name, const Settings &settings, const Inspection &scan,
                        bool as_projections) {
    std::string line = text("tomoscansrc name=%s", name) + launch_property("location", settings.source());
    if (!as_projections)
        line += " order=sinograms";
    for (const auto &[key, parameter] : {std::pair{"entry", &settings.entry},
                                         {"detector", &settings.detector},
                                         {"darks", &settings.darks},
                                         {"flats", &settings.flats},
                                         {"flats-after", &settings.flats2},
                                         {"angles", &settings.angles}})
        if (!parameter->empty())
            line += launch_property(key, *parameter);
    if (const auto shifts = shifts_file(settings); are_shifts_corrected(settings, scan) && !shifts.empty())
        line += launch_property("shifts", shifts);
    if (const auto axis = settings.given_axis(); axis && !settings.result.is("slices"))
        line += property("axis-pos", *axis); // of which these tell those who make slices of them
    if (are_flat_sets_apart(settings, scan))
        line += " flat-sets=means";
    if (settings.start)
        line += property("start", settings.start.value());
    if (settings.number)
        line += property("number", settings.number.value());
    if (settings.step > 1)
        line += property("step", settings.step.value());
    return line;
}

std::string scan_source(const Settings &settings, const Inspection &scan, const Rows &rows,
                        bool as_projections) {
    std::string line = scan_images("scan", settings, scan, as_projections) + property("y", rows.first) +
                       property("height", rows.span());
    if (rows.step > 1)
        line += property("y-step", rows.step);
    if (const unsigned stack = as_projections ? 0 : rows_per_array(scan, rows))
        line += property("stack", stack);
    if (settings.memory.is_given() && !as_projections)
        line += text(" max-memory=%" G_GUINT64_FORMAT, settings.memory_bytes() / 4);
    return line + device_property(settings);
}

std::string read_sinograms(const Settings &settings, const Rows &rows) {
    return "tomoread name=read" + launch_property("path", settings.source()) +
           property("image-start", rows.first) + property("number", rows.count) +
           (rows.step > 1 ? property("image-step", rows.step) : "") + device_property(settings);
}

} // namespace tomo::reconstruction
