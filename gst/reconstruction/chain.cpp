// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Every element of a line has a name, so that a result says the same of how it came about whoever runs it.
#include <gst/reconstruction/beam-geometry.hpp>
#include <gst/reconstruction/chain.hpp>
#include <gst/reconstruction/devices/shared-line.hpp>
#include <gst/reconstruction/distortion.hpp>
#include <gst/reconstruction/flat-field.hpp>
#include <gst/reconstruction/given-slices.hpp>
#include <gst/reconstruction/linearisation.hpp>
#include <gst/reconstruction/method.hpp>
#include <gst/reconstruction/off-axis.hpp>
#include <gst/reconstruction/phase.hpp>
#include <gst/reconstruction/rings.hpp>
#include <gst/reconstruction/roll.hpp>
#include <gst/reconstruction/shifts.hpp>
#include <gst/reconstruction/source-line.hpp>

#include <algorithm>

namespace tomo::reconstruction {

bool needs_projections(const Settings &settings, const Inspection &scan) {
    return !scan.is_sinograms &&
           (is_general(settings, scan) || settings.outliers.is_given() || corrects_roll(settings) ||
            settings.binning > 1 || settings.result.is("projections") || corrects_distortion(settings) ||
            are_rows_shifted(settings, scan) || is_flat_dynamic(settings, scan) ||
            retrieves_phase(settings) ||
            (settings.reduction_mode.is("median") && scan.is_corrected(settings)));
}

std::string projection_line(const Settings &settings, const Inspection &scan, const Rows &rows) {
    // Rows around take part in medians, between shifted rows and in rotations, so that a region is what it is
    // in the whole; all rows take part in a dynamic flat and in phase retrieval.
    const auto shifts = shift_margin(settings, scan);
    const unsigned binning = settings.binning,
                   of_roll = (rows_for_roll(settings, scan) + binning - 1) / binning * binning,
                   of_outliers = settings.outliers.is_given() ? settings.outliers_size / 2 * binning : 0,
                   of_flat = is_flat_dynamic(settings, scan) ? scan.image.height : 0,
                   of_phase = retrieves_phase(settings) ? scan.image.height : 0,
                   margin = of_roll + of_outliers + of_flat + of_phase;
    if (margin > 0 && rows.step > 1)
        throw Error(GST_RESOURCE_ERROR_SETTINGS,
                    text("%s, and y-step leaves rows out; give one of them",
                         of_flat       ? "a dynamic flat is found in whole projections"
                         : of_phase    ? "phase is retrieved from whole projections"
                         : of_outliers ? "outliers are found among rows that are neighbours"
                                       : "projections are rotated by roll among rows that are neighbours"));
    if (of_outliers && settings.outliers_size % 2 == 0)
        throw Error(GST_RESOURCE_ERROR_SETTINGS,
                    text("outliers-size is %u; wanted an odd number", settings.outliers_size.value()));
    const auto rows_above = [&](unsigned wanted) { return std::min(wanted, rows.first / binning * binning); };
    const auto rows_below = [&](unsigned wanted) {
        return std::min(wanted, (scan.image.height - rows.first - rows.span()) / binning * binning);
    };
    // Of straight images, in front of which only outliers are removed.
    const unsigned straight_above = rows_above(margin - of_outliers + shifts.above),
                   straight_below = rows_below(margin - of_outliers + shifts.below);
    const auto distortion = distortion_margin(settings, scan, rows.first - straight_above,
                                              rows.span() + straight_above + straight_below);
    const auto in_bins = [&](unsigned pixels) { return (pixels + binning - 1) / binning * binning; };
    const unsigned above = rows_above(straight_above + in_bins(distortion.above) + of_outliers),
                   below = rows_below(straight_below + in_bins(distortion.below) + of_outliers);
    const bool reads_around = margin > 0 || are_rows_shifted(settings, scan) || corrects_distortion(settings);
    const Rows around = reads_around ? Rows{rows.first - above, rows.span() + above + below, 1} : rows;
    std::string line = scan_source(settings, scan, around, true) + corrected(settings, scan, around, true);
    if (of_outliers)
        line += " ! tomoremoveoutliers name=outliers sign=0" +
                property("threshold", settings.outliers.value()) +
                property("size", settings.outliers_size.value());
    const bool is_shifted = are_shifts_corrected(settings, scan);
    // Where no step behind looks at neighbours, only the rows themselves are made straight.
    const bool is_cut = corrects_distortion(settings) && !is_shifted && margin == of_outliers;
    line += distortion_line(settings, scan, around.first);
    if (is_cut)
        line += chosen_rows(above / binning, {0, rows.count / binning, rows.step});
    line += phase_line(settings, scan);
    if (takes_logarithm_behind_phase(settings, scan))
        line += absorption(settings);
    if (settings.result.is("projections"))
        line += beam_hardening_line(settings) + thickness_line(settings, scan);
    if (is_cut)
        return line;
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

std::string circle_line(const Settings &settings, double axis, double radius) {
    if (!settings.circle)
        return {};
    const std::string middle = literal(axis - 0.5);
    return calculation("circle",
                       "(x - " + middle + ") * (x - " + middle + ") + (y - " + middle + ") * (y - " + middle +
                           ") <= " + literal(radius * radius) + " ? v : 0.0f",
                       2);
}

// Arrays that the method takes. All of the row takes part in the filter, so half turns are joined before.
static std::string method_input_line(const Settings &settings, const Inspection &scan, double axis) {
    return join_half_turns_line(settings, scan, axis) +
           (takes_given_slices(settings) ? " ! tomoslice name=planes" : ""); // given slices come one by one
}

static std::string method_and_behind(const Settings &settings, const Inspection &scan, double axis,
                                     const SliceFrame *given_frame) {
    std::string line;
    const bool is_joined = !join_half_turns_line(settings, scan, axis).empty();
    const auto field = field_of_slices(settings, scan, axis);
    const SliceFrame frame =
        given_frame ? *given_frame
                    : SliceFrame{field.columns, field.axis,
                                 std::max(std::min(field.axis, field.columns - field.axis), 0.0)};
    const unsigned columns = frame.columns;
    if (!(field.axis > 0.0)) // the elements would take the middle
        throw Error(GST_RESOURCE_ERROR_SETTINGS,
                    text("an axis at %g lies left of the detector; wanted an edge coordinate above 0", axis));
    const auto method = chosen_method(settings, scan, axis).method;
    line += method_line(settings, method) + property("axis-pos", field.axis);
    axis = frame.axis;
    if (axis != field.axis)
        line += property("slice-axis-pos", axis);
    double offset = settings.offset;
    if (!scan.has_angles()) {
        // A part of the projections stands at the angles that it has in the whole.
        offset += scan.angle_first;
        if (scan.views > 1 && !is_joined) // else they come with the joined rows
            line += property("angle-step", scan.angle_step);
    }
    if (offset != 0.0)
        line += property("angle-offset", offset);
    unsigned edge = 0;
    if (settings.crop_width && settings.crop_width < columns) {
        edge = (columns - settings.crop_width) / 2;
        const auto at = [&](const char *prefix) {
            const std::string begin = prefix;
            return property((begin + "x").c_str(), edge) + property((begin + "y").c_str(), edge) +
                   property((begin + "width").c_str(), settings.crop_width.value()) +
                   property((begin + "height").c_str(), settings.crop_width.value());
        };
        // Iterations take what lies beside the region for nothing.
        if (method != Method::iterative)
            line += at("roi-");
        else
            line +=
                (columns != field.columns ? property("roi-width", columns) + property("roi-height", columns)
                                          : "") +
                " ! tomocrop name=crop-slices" + at("");
    } else if (columns != field.columns) {
        line += property("roi-width", columns) + property("roi-height", columns);
    }
    line += slice_rings_line(settings, axis - edge);
    line += circle_line(settings, axis - edge, frame.radius);
    return line;
}

std::string slice_line(const Settings &settings, const Inspection &scan, double axis,
                       const SliceFrame *given_frame) {
    return method_input_line(settings, scan, axis) + method_and_behind(settings, scan, axis, given_frame);
}

std::string sink_line(const Settings &settings, const std::string &output, bool is_part) {
    std::string line = " ! queue name=results ! tomowrite name=write" + launch_property("filename", output);
    if (settings.resume)
        line += " resume=true";
    const bool is_volume = settings.result.is("slices") && settings.sweep.empty();
    if (is_part || (!is_volume && settings.pyramid.is("auto")))
        line += " pyramid=no";
    if (is_part)
        return line;
    if (!settings.pyramid.is("auto"))
        line += launch_property("pyramid", settings.pyramid.value());
    if (!settings.output_bitdepth.is("32")) {
        line += launch_property("bits", settings.output_bitdepth.value());
        if (settings.output_minimum.is_given())
            line += property("minimum", settings.output_minimum.value());
        if (settings.output_maximum.is_given())
            line += property("maximum", settings.output_maximum.value());
    }
    if (settings.compression)
        line += property("hdf5-deflate", settings.compression.value());
    if (!settings.chunks.empty())
        line += launch_property("chunks", settings.chunks);
    if (settings.output_parts > 1)
        line += property("hdf5-parts", settings.output_parts.value());
    return line;
}

// From the scan to sinograms.
static std::string unfiltered_line(const Settings &settings, const Inspection &scan, const Rows &rows) {
    if (scan.is_sinograms)
        return read_sinograms(settings, rows) + uncorrected(settings, scan);
    if (needs_projections(settings, scan))
        return projection_line(settings, scan, rows) + " ! tomotransposeprojections name=transpose";
    return scan_source(settings, scan, rows, false) + corrected(settings, scan, rows, false) +
           (are_shifts_corrected(settings, scan) ? shift_line(settings) : "");
}

// Corrects sinograms one by one.
static std::string sinogram_filter_line(const Settings &settings, const Inspection &scan) {
    return rings_line(settings, scan.image.width / settings.binning) +
           (takes_logarithm_behind_rings(settings, scan) ? absorption(settings) : "") +
           beam_hardening_line(settings) + thickness_line(settings, scan);
}

std::string sinogram_line(const Settings &settings, const Inspection &scan, const Rows &rows) {
    return unfiltered_line(settings, scan, rows) + sinogram_filter_line(settings, scan);
}

std::string sinograms_to_slices_line(const Settings &settings, const Inspection &scan, const Rows &rows,
                                     double axis, const SliceFrame *given_frame) {
    const auto sinograms = unfiltered_line(settings, scan, rows),
               filters = sinogram_filter_line(settings, scan),
               input = method_input_line(settings, scan, axis),
               slices = method_and_behind(settings, scan, axis, given_frame);
    // Some elements have no copies: one joins inputs, one gives several arrays for each.
    if (takes_given_slices(settings))
        return sinograms + filters + input + shared_line(settings, slices);
    if (settings.rings.is("double-flat-field"))
        return sinograms + filters + shared_line(settings, input + slices);
    return sinograms + shared_line(settings, filters + input + slices);
}

} // namespace tomo::reconstruction
