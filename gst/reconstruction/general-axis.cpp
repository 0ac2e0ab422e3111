// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/files/memory/images.hpp>
#include <gst/reconstruction/chain.hpp>
#include <gst/reconstruction/general-axis.hpp>
#include <gst/reconstruction/general-line.hpp>
#include <gst/reconstruction/mirrored-rays.hpp>
#include <gst/tomo/device/device-array.hpp>
#include <gst/tomo/support/parabola.hpp>

#include <algorithm>
#include <cmath>

namespace tomo::reconstruction {

namespace {

constexpr unsigned enough_columns = 256; // of slices that tell the axis coarsely

// A slice for each of several axes, and how sharp it is.
class Search {
  public:
    Search(const Settings &settings, const Inspection &scan, unsigned binning,
           const AxisFinder::RunLine &run_line)
        : scan_(scan), run_line_(run_line) {
        settings_.assign(settings);
        settings_.binning.set_text(std::to_string(binning));
        settings_.slice.set_text("all");
        auto &general = settings_.general;
        for (ParameterBase *parameter : std::initializer_list<ParameterBase *>{
                 &settings_.y, &settings_.height, &settings_.y_step, &settings_.circle,
                 &settings_.slice_rings, &settings_.axis, &settings_.axis_index, &settings_.method,
                 &general.center_x, &general.x_region, &general.y_region, &general.slice_region, &general.z,
                 &general.z_parameter})
            parameter->reset();
        if (scan.image.width / binning > 2 * enough_columns)
            settings_.crop_width.set_text(std::to_string(2 * enough_columns));
        else
            settings_.crop_width.reset();
    }

    // In the slice that a row of the full detector sees at the axis.
    AxisCurve measure(double row, double from, double step, unsigned count) {
        const double binning = settings_.binning;
        AxisCurve curve{"sharpness", row, {}, {}};
        for (unsigned i = 0; i < count; i++)
            curve.axes.push_back(from + i * step);
        const GeneralVolume volume(settings_, scan_, from + 0.5 * (count - 1) * step);
        // The rows that see this slice alone.
        Settings of_row;
        of_row.assign(settings_);
        const double height = row / binning - volume.arrangement().at(0).centre_z;
        of_row.general.z.set_text(number(height));
        const Rows rows = GeneralVolume(of_row, scan_, curve.axes.front()).rows(0, 1);
        const double side = volume.grid().x.count;
        const auto line =
            general_source_line(settings_, scan_, rows) +
            axes_line(settings_, volume, rows, {from / binning, step / binning, count}, height) +
            " ! tomomeasuresharpness name=sharpness" +
            launch_property("metric", settings_.axis_metric.value()) + property("radius", 0.42 * side) +
            " ! tomonull name=null";
        run_line_(line, [&](GstMessage *message) {
            const GstStructure *told = gst_message_get_structure(message);
            double sharpness = 0.0;
            if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ELEMENT &&
                gst_structure_has_name(told, "tomo-sharpness") &&
                gst_structure_get_double(told, "sharpness", &sharpness))
                curve.values.push_back(sharpness);
        });
        if (curve.values.size() != count)
            throw AxisNotFound(text("%zu of %u slices for it were made", curve.values.size(), count));
        return curve;
    }

  private:
    Settings settings_;
    const Inspection &scan_;
    const AxisFinder::RunLine &run_line_;
};

std::size_t least_of(const AxisCurve &curve) {
    return static_cast<std::size_t>(std::min_element(curve.values.begin(), curve.values.end()) -
                                    curve.values.begin());
}

// The vertex of the parabola through the least value and its neighbours; NaN at an end.
double vertex_of(const AxisCurve &curve) {
    const auto i = least_of(curve);
    if (i == 0 || i + 1 == curve.values.size())
        return std::nan("");
    return curve.axes[i] + (curve.axes[i + 1] - curve.axes[i]) *
                               Parabola(curve.values[i - 1], curve.values[i], curve.values[i + 1]).vertex;
}

// The row that the ray across the axis meets, or the one next to it.
unsigned row_across(const ViewArrangement &arrangement, const Inspection &scan) {
    return static_cast<unsigned>(
        std::clamp(std::floor(arrangement.at(0).centre_z), 0.0, scan.image.height - 1.0));
}

unsigned steps_between(double from, double to, double step) {
    return static_cast<unsigned>(std::floor((to - from) / step + 1e-9)) + 1;
}

} // namespace

bool has_mirrored_rays(const Settings &settings, const Inspection &scan) {
    const ViewArrangement arrangement(settings, scan, scan.image.width / 2.0);
    bool moves = false; // otherwise than about the axis
    for (unsigned i = 0; i < part_count; i++)
        if (const Part part{static_cast<int>(i)}; part != Part::axis_angle_z)
            moves |= !arrangement.is_constant(part);
    if (moves || !arrangement.is_upright())
        return false;
    const auto a = arrangement.at(0);
    const auto is_zero = [](const Vector3 &v) { return v.x == 0.0 && v.y == 0.0 && v.z == 0.0; };
    return is_zero(a.detector_angle) && a.source.x == 0.0 && a.detector.x == 0.0 &&
           a.source.z == a.detector.z;
}

bool mirrors_views(const Settings &settings, const Inspection &scan) {
    return !is_general(settings, scan) ||
           (has_mirrored_rays(settings, scan) && !beam_of(settings, scan).is_cone);
}

AxisEstimate find_axis_by_rays(const Settings &settings, const Inspection &scan, double from, double to,
                               const AxisFinder::RunLine &run_line) {
    const ViewArrangement arrangement(settings, scan, scan.image.width / 2.0);
    const auto a = arrangement.at(0);
    const unsigned row = row_across(arrangement, scan);
    const auto images = io::MemoryImages::reserved("axis");
    const auto views = static_cast<unsigned>(scan.views), columns = scan.image.width;
    images->allocate(ArrayInfo(GST_TOMO_FORMAT_FLOAT32, columns, views));
    Settings of_row;
    of_row.assign(settings);
    of_row.result.set_text("sinograms");
    run_line(sinogram_line(of_row, scan, {row, 1, 1}) + sink_line(of_row, images->location(), true),
             [](GstMessage *) {});
    FanSinogram sinogram{{},
                         columns,
                         arrangement.angles(),
                         a.is_parallel() ? Arrangement::infinity : a.detector.y - a.source.y};
    const SampleRef sample(images->take_result());
    if (!sample)
        throw AxisNotFound("no view came");
    const MappedBuffer mapped(gst_sample_get_buffer(sample.get()), GST_MAP_READ);
    const auto *values = reinterpret_cast<const float *>(mapped.data());
    sinogram.values.assign(values, values + std::size_t{views} * columns);
    const auto found = axis_of_mirrored_rays(sinogram, from, to);
    if (std::isnan(found.axis))
        throw AxisNotFound(text(
            "rays that are measured from both sides tell no axis between the columns %g and %g", from, to));
    auto estimate = fit_axis({{row + 0.5, found.axis, found.uncertainty, static_cast<unsigned>(found.pairs)}},
                             scan.image.height / 2.0, "correlation");
    estimate.curve = {"correlation", row + 0.5, found.axes, found.values};
    return estimate;
}

AxisEstimate find_axis_by_slices(const Settings &settings, const Inspection &scan, double from, double to,
                                 const AxisFinder::RunLine &run_line) {
    const unsigned binning =
        std::clamp(scan.image.width / enough_columns, 1u, std::min(16u, scan.image.height));
    const double middle = row_across(ViewArrangement(settings, scan, scan.image.width / 2.0), scan) + 0.5,
                 coarse = std::min<double>(binning, (to - from) / 4.0);
    Search search(settings, scan, binning, run_line);
    const auto wide = search.measure(middle, from, coarse, steps_between(from, to, coarse));
    const double about = vertex_of(wide);
    if (std::isnan(about))
        throw AxisNotFound(
            text("slices are sharpest for an axis at an end of the columns %g to %g; wanted an "
                 "--axis-range around it",
                 from, to));
    const auto closer = search.measure(middle, about - 2.0 * coarse, coarse / 4.0, 17);
    const double near = std::isnan(vertex_of(closer)) ? about : vertex_of(closer);
    Search fine(settings, scan, 1, run_line);
    const double step = std::max(coarse / 8.0, 0.1);
    constexpr unsigned around = 5;
    const auto curve = fine.measure(middle, near - around * step, step, 2 * around + 1);
    const double vertex = vertex_of(curve);
    constexpr double usual = 0.5; // pixels that the sharpest slice may be off, as phantoms show
    auto found = fit_axis({{middle, vertex, std::isnan(vertex) ? HUGE_VAL : usual, 0}}, middle, "sharpness");
    found.curve = curve;
    return found;
}

} // namespace tomo::reconstruction
