// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Every element of a line has a name, so that a result says the same of how it came about whoever runs it.
#include <gst/reconstruction/beam.hpp>
#include <gst/reconstruction/chain.hpp>
#include <gst/reconstruction/off-axis.hpp>
#include <gst/reconstruction/rings.hpp>
#include <gst/reconstruction/roll.hpp>
#include <gst/reconstruction/shifts.hpp>

#include <algorithm>
#include <string_view>

namespace tomo::reconstruction {

bool takes_logarithm(const Settings &settings, const Inspection &scan) {
    return settings.absorptivity.is("on") ||
           (settings.absorptivity.is("auto") && scan.is_corrected(settings));
}

namespace {

// Whether the logarithm waits for a step that works on transmission.
bool is_logarithm_late(const Settings &settings) {
    return rings_want_transmission(settings) && !settings.result.is("projections");
}

bool takes_logarithm_at_once(const Settings &settings, const Inspection &scan) {
    return takes_logarithm(settings, scan) && !is_logarithm_late(settings);
}

std::string absorption(const Settings &settings) {
    return calculation("absorption",
                       settings.fix_nan_and_inf ? "isfinite(v) && v > 0.0f ? -log(v) : 0.0f" : "-log(v)");
}

// What follows values that no flats correct: the steps that the correction would make as well.
std::string uncorrected(const Settings &settings, const Inspection &scan) {
    if (takes_logarithm_at_once(settings, scan))
        return absorption(settings);
    const bool is_integer = scan.image.format < GST_TOMO_FORMAT_FLOAT16;
    return settings.fix_nan_and_inf && !is_integer ? calculation("finite", "isfinite(v) ? v : 0.0f") : "";
}

// Whether projections are corrected by the two sets of flats around them.
bool are_flat_sets_apart(const Settings &settings, const Inspection &scan) {
    return scan.flat_sets > 1 && scan.is_corrected(settings) && !settings.reduction_mode.is("median");
}

std::string device(const Settings &settings) {
    return settings.device.empty() ? "" : launch_property("device", settings.device);
}

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

// The images of a scan that are read, of all columns and rows.
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
    if (are_shifts_corrected(settings, scan) && !settings.shifts.empty())
        line += launch_property("shifts", settings.shifts);
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
    return line + device(settings);
}

std::string read_sinograms(const Settings &settings, const Rows &rows) {
    return "tomoread name=read" + launch_property("path", settings.source()) +
           property("image-start", rows.first) + property("number", rows.count) +
           (rows.step > 1 ? property("image-step", rows.step) : "") + device(settings);
}

// One of the corrections by darks and flats of a line: that of the projections, or that of their air.
struct FlatField {
    std::string prefix;     // of the names of its elements
    unsigned binning = 1;   // of its images
    unsigned width, height; // of a dark, binned
    bool as_projections;

    std::string name(const char *part) const { return prefix + part; }
};

// The steps of the images of each kind before the correction.
std::string prepared(const FlatField &field, const char *kind, const Settings &settings, std::size_t images,
                     unsigned sets = 1) {
    std::string line;
    const auto name = [&](const char *step) { return field.name(step) + "-" + kind; };
    const bool is_reduced = std::string_view(kind) != "projections";
    if (is_reduced && settings.reduction_mode.is("median") && images > 1)
        line += text(" ! tomostack name=%s number=%zu ! tomoflatten name=%s mode=median",
                     name("stack").c_str(), images, name("median").c_str());
    if (field.binning == 1)
        return line;
    if (sets > 1) // planes of one array, which would be binned together
        line += text(" ! tomoslice name=%s", name("split").c_str());
    line += text(" ! tomobin name=%s size=%u", name("bin").c_str(), field.binning);
    if (sets > 1)
        line += text(" ! tomostack name=%s number=%u", name("join").c_str(), sets);
    return line;
}

// From the source of this name, with the result open.
std::string flat_field(const FlatField &field, const char *source, const Settings &settings,
                       const Inspection &scan) {
    std::string line;
    const std::string flat = field.name("flat");
    // Sums over bins cancel in the ratio.
    const auto input = [&](const char *output, const char *input, std::size_t images, unsigned sets = 1) {
        line += text(" %s.%s", source, output) + prepared(field, output, settings, images, sets) +
                text(" ! %s.%s", flat.c_str(), input);
    };
    input("projections", "projections", scan.views);
    if (scan.darks)
        input("darks", "darks", scan.darks);
    else
        line += text(" tomodummydata name=%s", field.name("no-darks").c_str()) +
                property("width", field.width) + property("height", field.as_projections ? field.height : 1) +
                text(" ! %s.darks", flat.c_str());
    if (scan.flats)
        input("flats", "flats", scan.flats, are_flat_sets_apart(settings, scan) ? scan.flat_sets : 1);
    if (scan.flats_after)
        input("flats-after", scan.flats ? "flats-after" : "flats", scan.flats_after);
    line += " tomoflatfieldcorrect name=" + flat;
    if (!field.as_projections)
        line += " sinogram-input=true";
    if (is_monitor_used(settings, scan))
        line += " normalize-beam=true";
    if (settings.dark_scale.is_given())
        line += property("dark-scale", settings.dark_scale.value());
    if (settings.flat_scale.is_given())
        line += property("flat-scale", settings.flat_scale.value());
    return line;
}

// " ! " and the element that makes the mean of each projection in the region of air 1. The region is read by
// itself, wherever the rows of the line lie, and whole, so that no finite number of a defect counts as air.
std::string air_line(const AirRegion &air, const Settings &settings, const Inspection &scan,
                     bool as_projections) {
    const FlatField field{"air-", 1, air.width, air.height, as_projections};
    std::string source = scan_images("air-scan", settings, scan, as_projections) + property("x", air.x) +
                         property("width", air.width) + property("y", air.y) + property("height", air.height);
    if (!as_projections)
        source += property("stack", air.height);
    return " ! air.projections " + source + device(settings) + flat_field(field, "air-scan", settings, scan) +
           " ! air.air tomoaircorrect name=air";
}

std::string corrected(const Settings &settings, const Inspection &scan, const Rows &rows,
                      bool as_projections) {
    const unsigned binning = settings.binning;
    const FlatField field{"", binning, scan.image.width / binning, rows.count / binning, as_projections};
    if (!scan.is_corrected(settings)) {
        std::string line = " scan.projections" + prepared(field, "projections", settings, scan.views);
        if (binning > 1)
            line += calculation("mean", "v / " + literal(binning * binning));
        return line + uncorrected(settings, scan);
    }
    std::string line = flat_field(field, "scan", settings, scan);
    const auto air = air_region(settings, scan);
    if (takes_logarithm_at_once(settings, scan) && !air)
        line += " absorption-correct=true";
    if (settings.fix_nan_and_inf)
        line += " fix-nan-and-inf=true";
    if (air)
        line += air_line(*air, settings, scan, as_projections) +
                (takes_logarithm_at_once(settings, scan) ? absorption(settings) : "");
    return line;
}

} // namespace

bool needs_projections(const Settings &settings, const Inspection &scan) {
    return !scan.is_sinograms && (settings.outliers.is_given() || corrects_roll(settings) ||
                                  settings.binning > 1 || settings.result.is("projections") ||
                                  are_rows_shifted(settings, scan) ||
                                  (settings.reduction_mode.is("median") && scan.is_corrected(settings)));
}

std::string projection_line(const Settings &settings, const Inspection &scan, const Rows &rows) {
    // Rows around take part in medians, between shifted rows and in rotations, so that a region is what it is in the
    // whole.
    const auto shifts = shift_margin(settings, scan);
    const unsigned binning = settings.binning,
                   of_roll = (rows_for_roll(settings, scan) + binning - 1) / binning * binning,
                   of_outliers = settings.outliers.is_given() ? settings.outliers_size / 2 * binning : 0,
                   margin = of_roll + of_outliers;
    if (margin > 0 && rows.step > 1)
        throw Error(GST_RESOURCE_ERROR_SETTINGS,
                    text("%s among rows that are neighbours, and y-step leaves some out; give one of them",
                         of_outliers ? "outliers are found" : "projections are rotated by roll"));
    if (of_outliers && settings.outliers_size % 2 == 0)
        throw Error(GST_RESOURCE_ERROR_SETTINGS,
                    text("outliers-size is %u; wanted an odd number", settings.outliers_size.value()));
    const unsigned above = std::min(margin + shifts.above, rows.first / binning * binning);
    const unsigned below = std::min(margin + shifts.below,
                                    (scan.image.height - rows.first - rows.span()) / binning * binning);
    const bool reads_around = margin > 0 || are_rows_shifted(settings, scan);
    const Rows around = reads_around ? Rows{rows.first - above, rows.span() + above + below, 1} : rows;
    std::string line = scan_source(settings, scan, around, true) + corrected(settings, scan, around, true);
    if (of_outliers)
        line += " ! tomoremoveoutliers name=outliers sign=0" +
                property("threshold", settings.outliers.value()) +
                property("size", settings.outliers_size.value());
    const bool is_shifted = are_shifts_corrected(settings, scan);
    if (is_shifted && reads_around && of_roll == 0)
        return line + shift_line(settings, above / binning, {0, rows.count / binning, rows.step});
    if (is_shifted)
        line += shift_line(settings);
    line += roll_line(settings, scan, around);
    if (above + below > 0)
        line += " ! tomocrop name=crop" + property("y", above / binning) +
                property("height", rows.count / binning);
    return line;
}

std::string slice_line(const Settings &settings, const Inspection &scan, double axis) {
    // All of the row takes part in the filter, so half turns are joined before.
    std::string line = join_half_turns_line(settings, scan, axis);
    const bool is_joined = !line.empty();
    const auto field = field_of_slices(settings, scan, axis);
    const unsigned columns = field.columns;
    if (!settings.projection_filter.is("none")) {
        line += " ! tomorampfilter name=filter";
        if (settings.projection_filter.is_given())
            line += launch_property("filter", settings.projection_filter.value());
        if (settings.projection_filter_cutoff.is_given())
            line += property("cutoff", settings.projection_filter_cutoff.value());
    }
    if (!(field.axis > 0.0)) // tomobackproject would take the middle
        throw Error(GST_RESOURCE_ERROR_SETTINGS,
                    text("an axis at %g lies left of the detector; wanted an edge coordinate above 0", axis));
    axis = field.axis;
    line += " ! tomobackproject name=backproject" + property("axis-pos", axis);
    double offset = settings.offset;
    if (!scan.has_angles()) {
        // A part of the projections stands at the angles that it has in the whole.
        offset += scan.angle_first;
        if (scan.views > 1 && !is_joined) // else they come with the joined rows
            line += property("angle-step", scan.angle_step);
    }
    if (offset != 0.0)
        line += property("angle-offset", offset);
    if (settings.precision.is("half"))
        line += " precision-mode=half";
    unsigned edge = 0;
    if (settings.crop_width && settings.crop_width < columns) {
        edge = (columns - settings.crop_width) / 2;
        line += property("roi-x", edge) + property("roi-y", edge) +
                property("roi-width", settings.crop_width.value()) +
                property("roi-height", settings.crop_width.value());
    }
    line += slice_rings_line(settings, axis - edge);
    if (settings.circle) {
        const double radius = std::max(std::min(axis, columns - axis), 0.0);
        const std::string middle = literal(axis - edge - 0.5);
        line += calculation("circle",
                            "(x - " + middle + ") * (x - " + middle + ") + (y - " + middle + ") * (y - " +
                                middle + ") <= " + literal(radius * radius) + " ? v : 0.0f",
                            2);
    }
    return line;
}

std::string sink_line(const Settings &settings, const std::string &output, bool is_part) {
    std::string line = " ! queue name=results ! tomowrite name=write" + launch_property("filename", output);
    if (settings.resume)
        line += " resume=true";
    if (is_part)
        return line;
    if (!settings.output_bitdepth.is("32")) {
        line += launch_property("bits", settings.output_bitdepth.value());
        if (settings.output_minimum.is_given())
            line += property("minimum", settings.output_minimum.value());
        if (settings.output_maximum.is_given())
            line += property("maximum", settings.output_maximum.value());
    }
    if (settings.compression)
        line += property("hdf5-deflate", settings.compression.value());
    if (settings.output_parts > 1)
        line += property("hdf5-parts", settings.output_parts.value());
    return line;
}

std::string sinogram_line(const Settings &settings, const Inspection &scan, const Rows &rows) {
    std::string line;
    if (scan.is_sinograms) {
        line = read_sinograms(settings, rows) + uncorrected(settings, scan);
    } else if (needs_projections(settings, scan)) {
        line = projection_line(settings, scan, rows) + " ! tomotransposeprojections name=transpose";
    } else {
        line = scan_source(settings, scan, rows, false) + corrected(settings, scan, rows, false);
        if (are_shifts_corrected(settings, scan))
            line += shift_line(settings);
    }
    line += rings_line(settings, scan.image.width / settings.binning);
    if (is_logarithm_late(settings) && takes_logarithm(settings, scan))
        line += absorption(settings);
    return line;
}

} // namespace tomo::reconstruction
