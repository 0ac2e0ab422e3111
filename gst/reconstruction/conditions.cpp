// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/files/file-format.hpp>
#include <gst/files/memory/images.hpp>
#include <gst/reconstruction/alignment.hpp>
#include <gst/reconstruction/beam-geometry.hpp>
#include <gst/reconstruction/conditions.hpp>
#include <gst/reconstruction/distortion.hpp>
#include <gst/reconstruction/flat-field.hpp>
#include <gst/reconstruction/general-axis.hpp>
#include <gst/reconstruction/linearisation.hpp>
#include <gst/reconstruction/method.hpp>
#include <gst/reconstruction/off-axis.hpp>
#include <gst/reconstruction/phase.hpp>
#include <gst/reconstruction/shifts.hpp>
#include <gst/reconstruction/sweep.hpp>
#include <gst/tomo/gsttomograph.h>

#include <algorithm>
#include <set>

namespace tomo::reconstruction {

namespace {

// A row of the tables below. A parameter may have several rows; it counts where all of them say so.
struct Condition {
    const ParameterBase &parameter;
    bool counts;
    const char *why_not; // goes on behind "would have no effect: "
};

std::vector<Condition> source_conditions(const Settings &s) {
    const bool is_scan = s.sinograms.empty();
    constexpr const char *files = "sinograms are read, and they are corrected already",
                         *views = "sinograms are taken with all of their projections and columns",
                         *one_volume = "all views become one volume; give turns as well",
                         *correction = "sinograms are not corrected by darks and flats",
                         *one_scan = "one scan is read; give stitch as well",
                         *stitched = "scans at several heights are stitched, of which each has its own";
    return {
        {s.stitch, !s.scan.empty(), "the first of the scans is that of scan, which is not given"},
        {s.stitch, s.result.is("slices"), "slices of the heights are joined, and none are made"},
        {s.stitch_method, !s.stitch.empty(), one_scan},
        {s.stitch_method, !s.stitch_overlap.is_given(), "stitch-overlap is given"},
        {s.stitch_overlap, !s.stitch.empty(), one_scan},
        {s.stitch_weights, !s.stitch.empty(), one_scan},
        {s.stitch_axes, !s.stitch.empty(), one_scan},
        {s.stitch_axes, !s.given_axis(), "one axis for all is given"},
        {s.stitch_rolls, !s.stitch.empty(), one_scan},
        {s.stitch_rolls, !s.roll.is_given(), "one roll for all is given"},
        {s.sweep, s.stitch.empty(), "several scans are stitched; take one of them for a sweep"},
        {s.shifts, s.stitch.empty() || s.shifts.value() == "none", stitched},
        {s.turns, s.stitch.empty() || s.turns.value() == "together", stitched},
        {s.entry, is_scan, "sinograms are read, and no scan; name a dataset as in file.h5:/data"},
        {s.detector, is_scan, "sinograms are read, and no scan; name a dataset as in file.h5:/data"},
        {s.darks, is_scan, files},
        {s.flats, is_scan, files},
        {s.flats2, is_scan, files},
        {s.start, is_scan, views},
        {s.number, is_scan, views},
        {s.step, is_scan, views},
        {s.turns, is_scan, views},
        {s.turn_degrees, !s.turns.empty() && s.turns.value() != "together", one_volume},
        {s.turn_step_degrees, !s.turns.empty() && s.turns.value() != "together", one_volume},
        {s.binning, is_scan, views},
        {s.flat_correction, is_scan || s.flat_correction.is("off"), correction},
        {s.reduction_mode, is_scan, correction},
        {s.dark_scale, is_scan, correction},
        {s.flat_scale, is_scan, correction},
        {s.roll, is_scan || s.roll == 0.0,
         "projections are rotated, and sinograms are read; rotate when these are made"},
        {s.white_level, is_scan, correction},
        {s.detector_linearity, is_scan, correction},
        {s.detector_linearity_order, names_steps(s.detector_linearity),
         "it is that of the steps in a file of detector-linearity"},
        {s.beam_hardening_order, names_steps(s.beam_hardening),
         "it is that of the steps in a file of beam-hardening"},
        {s.beam_hardening_attenuation, names_steps(s.beam_hardening),
         "it is that of the steps in a file of beam-hardening"},
        {s.beam, is_scan, correction},
        {s.air, is_scan, correction},
        {s.shifts, is_scan, "projections are moved, and sinograms are read"},
        {s.distortion, is_scan,
         "images of the detector are straightened, and sinograms are read; correct it when these are made"},
        {s.distortion_center, !names_distortion_file(s), "the file of distortion tells it"},
        {s.distortion_center, corrects_distortion(s), "no distortion is corrected; give distortion as well"},
        {s.distortion_interpolation, corrects_distortion(s),
         "no distortion is corrected; give distortion as well"},
        {s.distortion_padding_mode, corrects_distortion(s),
         "no distortion is corrected; give distortion as well"},
        {s.outliers, is_scan,
         "outliers are found in images of the detector, and sinograms are read; remove them when these are made"},
        {s.retrieval_method, is_scan || !retrieves_phase(s),
         "phase is retrieved from projections, and sinograms are read; retrieve it when these are made"},
        {s.angles, is_scan,
         "its angles are those of a scan; for sinograms give angle-step-degrees or range-degrees"},
    };
}

io::FileType format_of(const Settings &s) {
    return s.format.is("hdf5")       ? io::FileType::Hdf5
           : s.format.is("ome-zarr") ? io::FileType::Zarr
           : s.format.is("tiff")     ? io::FileType::Tiff
                                     : io::FileType::Automatic;
}

constexpr const char *no_slices = "no slices are made",
                     *no_axis =
                         "no slices are made, and only a scan's sinograms and projections in HDF5 tell "
                         "an axis to those who make slices of them";

bool keeps_axis(const Settings &s, const Inspection &scan, io::FileType output) {
    return s.result.is("slices") || (!scan.is_sinograms && output == io::FileType::Hdf5);
}

std::vector<Condition> chain_conditions(const Settings &s, const Inspection &scan, io::FileType output) {
    const bool is_placed_by_stage =
        std::any_of(scan.heights.begin(), scan.heights.end(),
                    [](const auto &height) { return height.displaced.from == "scan"; });
    const bool is_corrected = scan.is_corrected(s), makes_slices = s.result.is("slices"),
               finds_stripes = s.rings.is("large") || s.rings.is("dead") || s.rings.is("all"),
               is_dynamic = is_flat_dynamic(s, scan), to_file = !io::names_memory(s.output),
               is_axis_needed = makes_slices && !s.given_axis() && !s.stitch_axes.is_given();
    const bool is_in_metres =
        is_general(s, scan) && beam_of(s, scan).is_cone && !s.general.source_y.is_given();
    constexpr const char
        *dynamic = "dynamic flats are found in darks and flats as they are",
        *uncorrected = "projections are not corrected by darks and flats",
        *no_phase = "no phase is retrieved; give retrieval-method as well",
        *iterations = "it is that of iterations: method=sirt, sart, cgls, mlem, fista, sbtv and asdpocs",
        *no_distance = "no phase is retrieved, and the beam is parallel, or nearly; geometry=cone makes "
                       "it a cone, unless source-position-y tells its distances in pixels";
    return {
        // Correction
        {s.darks, is_corrected, uncorrected},
        {s.flats, is_corrected, uncorrected},
        {s.flats2, is_corrected, uncorrected},
        {s.reduction_mode, is_corrected, uncorrected},
        {s.dark_scale, is_corrected, uncorrected},
        {s.dark_scale, scan.darks > 0, "the scan has no darks"},
        {s.flat_scale, is_corrected, uncorrected},
        {s.beam, is_corrected, uncorrected},
        {s.air, is_corrected, uncorrected},
        {s.flat_components, is_dynamic, "they are those of flat-correction=dynamic"},
        {s.reduction_mode, !is_dynamic, dynamic},
        {s.dark_scale, !is_dynamic, dynamic},
        {s.flat_scale, !is_dynamic, dynamic},
        {s.beam, !is_dynamic || s.beam.is("none"),
         "a dynamic flat leaves the intensity of the whole beam open; give air"},
        {s.white_level, !is_corrected, "flats correct the projections"},
        {s.beam_hardening, takes_logarithm(s, scan) || !are_values_transmission(s, scan),
         "it is that of line integrals, and these values are transmission; give absorptivity=on"},
        {s.shifts_reverse, are_shifts_corrected(s, scan) || is_placed_by_stage,
         "no displacements are corrected"},
        {s.shifts, makes_slices || !wants_alignment(s),
         "projections are aligned by their slices, and no slices are made"},
        {s.align_iterations, wants_alignment(s), "it is that of shifts=align"},
        {s.align_binning, wants_alignment(s), "it is that of shifts=align"},
        {s.roll, s.roll == 0.0 || !wants_alignment(s),
         "shifts=align moves projections that are upright; align first, and give roll and its file then"},
        // Outliers and rings
        {s.outliers_size, s.outliers.is_given(), "no outliers are removed; give outliers as well"},
        {s.rings, !s.result.is("projections"),
         "rings are removed from sinograms, and projections are written"},
        {s.rings,
         !(finds_stripes || s.rings.is("fitting") || s.rings.is("double-flat-field")) ||
             are_values_transmission(s, scan) || s.absorptivity.is("on"),
         "this method divides transmission, and these values count as absorption; give absorptivity=on "
         "if they are transmission"},
        {s.rings_width, s.rings.is("fourier"), "it is the width of rings=fourier"},
        {s.rings_sigma,
         s.rings.is("wavelet") || s.rings.is("normalization") || s.rings.is("double-flat-field") ||
             s.rings.is("filtering") || s.rings.is("fitting"),
         "it is that of rings=wavelet, normalization, double-flat-field, filtering and fitting"},
        {s.rings_wavelet, s.rings.is("wavelet"), "it is that of rings=wavelet"},
        {s.rings_levels, s.rings.is("wavelet"), "they are those of rings=wavelet"},
        {s.rings_alpha, s.rings.is("titarenko"), "it is that of rings=titarenko"},
        {s.rings_chunks, s.rings.is("titarenko") || s.rings.is("normalization"),
         "they are those of rings=titarenko and normalization"},
        {s.rings_size, finds_stripes || s.rings.is("sorting") || s.rings.is("filtering"),
         "it is the window of rings=sorting, filtering, large, dead and all"},
        {s.rings_large_size, s.rings.is("all"), "it is a window of rings=all"},
        {s.rings_snr, finds_stripes, "it is the threshold of rings=large, dead and all"},
        {s.rings_order, s.rings.is("fitting"), "it is the order of rings=fitting"},
        // Phase
        {s.regularization_rate, retrieves_phase(s), no_phase},
        {s.energy, retrieves_phase(s), no_phase},
        {s.propagation_distance, retrieves_phase(s) || is_in_metres, no_distance},
        {s.source_distance, retrieves_phase(s) || is_in_metres, no_distance},
        {s.pixel_size, retrieves_phase(s) || is_in_metres, no_distance},
        {s.delta, retrieves_phase(s), no_phase},
        {s.delta, takes_logarithm(s, scan), "thickness needs the logarithm; give absorptivity=on"},
        {s.thresholding_rate, s.retrieval_method.is("qp") || s.retrieval_method.is("qp2"),
         "it is that of retrieval-method=qp and qp2"},
        {s.frequency_cutoff, retrieves_phase(s), no_phase},
        {s.ict_alpha, s.retrieval_method.is("ict"), "it is that of retrieval-method=ict"},
        {s.ict_alpha_threshold, s.retrieval_method.is("ict"), "it is that of retrieval-method=ict"},
        {s.retrieval_padded_width, retrieves_phase(s), no_phase},
        {s.retrieval_padded_height, retrieves_phase(s), no_phase},
        {s.retrieval_padding_mode, retrieves_phase(s), no_phase},
        // Slices
        {s.offset, makes_slices, no_slices},
        {s.projection_filter, makes_slices, no_slices},
        {s.projection_filter_cutoff, makes_slices, no_slices},
        {s.projection_filter_cutoff,
         s.projection_filter.is("butterworth") || s.projection_filter.is("hamming"),
         "it is the cut-off of projection-filter=butterworth and hamming"},
        {s.projection_filter, !s.projection_filter.is("none") || s.method.is("fbp"),
         "rows that are filtered before are backprojected by method=fbp"},
        {s.method, makes_slices, no_slices},
        {s.tolerance, makes_slices, no_slices},
        {s.tolerance, s.method.is("dfi") || s.method.is("auto") || s.projector.is("fourier"),
         "it is that of method=dfi and operator=fourier"},
        {s.projector,
         makes_slices &&
             (s.method.is("sirt") || s.method.is("cgls") || s.method.is("fista") || s.method.is("sbtv")),
         "it is that of method=sirt, cgls, fista and sbtv"},
        {s.projector, !is_general(s, scan), "it is that of a parallel beam, and slices that its rays lie in"},
        {s.projection_filter, !is_iterative(s), "rows are filtered for method=fbp and dfi"},
        {s.projection_filter_cutoff, !is_iterative(s), "rows are filtered for method=fbp and dfi"},
        {s.num_iterations, makes_slices && is_iterative(s), iterations},
        {s.lambda, makes_slices && (s.method.is("fista") || s.method.is("sbtv")),
         "it is that of method=fista and sbtv"},
        {s.relaxation_factor,
         makes_slices && (s.method.is("sirt") || s.method.is("sart") || s.method.is("asdpocs")),
         "it is that of method=sirt, sart and asdpocs"},
        {s.subsets,
         makes_slices &&
             (s.method.is("sirt") || s.method.is("mlem") || s.method.is("fista") || s.method.is("asdpocs")),
         "they are those of method=sirt, mlem, fista and asdpocs"},
        {s.slice_minimum, makes_slices && is_iterative(s) && !s.method.is("cgls"),
         "it is a bound of iterations, but for method=cgls"},
        {s.slice_maximum, makes_slices && is_iterative(s) && !s.method.is("cgls"),
         "it is a bound of iterations, but for method=cgls"},
        {s.initial, makes_slices && is_iterative(s), iterations},
        {s.initial, s.stitch.empty(), "slices of several heights are joined; reconstruct each of the scans"},
        {s.mask, makes_slices && is_iterative(s), iterations},
        {s.mask, s.stitch.empty(), "slices of several heights are joined; reconstruct each of the scans"},
        {s.crop_width, makes_slices, no_slices},
        {s.crop_width, s.crop_width <= most_columns(s, scan), "slices have fewer columns"},
        {s.off_axis, makes_slices, no_slices},
        {s.circle, makes_slices, no_slices},
        {s.slice_rings, makes_slices, no_slices},
        {s.slice_rings_width, s.slice_rings.is("polar"), "it is that of slice-rings=polar"},
        {s.slice_rings_threshold, s.slice_rings.is("polar"), "it is that of slice-rings=polar"},
        {s.slice_rings_arc, s.slice_rings.is("polar"), "it is that of slice-rings=polar"},
        // Axis
        {s.axis, keeps_axis(s, scan, output), no_axis},
        {s.axis_index, keeps_axis(s, scan, output), no_axis},
        {s.axis_method, is_axis_needed, "the axis is given, or none is needed"},
        {s.axis_rows, is_axis_needed, "the axis is given, or none is needed"},
        {s.axis_rows, !s.axis_method.is("scan") && !s.axis_method.is("middle"), "the axis is not looked for"},
        {s.axis_metric, is_axis_needed, "the axis is given, or none is needed"},
        {s.axis_range, is_axis_needed, "the axis is given, or none is needed"},
        {s.axis_range, !s.axis_method.is("scan") && !s.axis_method.is("middle"),
         "the axis is not looked for"},
        {s.axis_metric, s.axis_method.is("sharpness"), "it is the measure of axis-method=sharpness"},
        {s.precision, makes_slices, no_slices},
        {s.precision, s.method.is("fbp"), "it is that of method=fbp"},
        // Output
        {s.output_minimum, !s.output_bitdepth.is("32"), "samples are float32; give output-bitdepth as well"},
        {s.output_maximum, !s.output_bitdepth.is("32"), "samples are float32; give output-bitdepth as well"},
        {s.compression, output == io::FileType::Hdf5, "only HDF5 is compressed"},
        {s.format, to_file, "the result goes into memory"},
        {s.format, s.format.is("auto") || output == format_of(s), "the name of output tells another format"},
        {s.chunks, output == io::FileType::Zarr || output == io::FileType::Hdf5,
         "only HDF5 and OME-Zarr have such chunks"},
        {s.chunks, output != io::FileType::Hdf5 || s.output_parts == 1u,
         "slices that follow each other lie in several files; leave out output-parts"},
        {s.output_parts, output == io::FileType::Hdf5,
         "only a dataset of HDF5 has its images in several files"},
        {s.output_parts, s.cluster.empty(), "each slab of a cluster is a file"},
        {s.on_failure, s.cluster.empty(), "workers of a cluster make the slabs of those that fail"},
        {s.devices, s.cluster.empty(), "workers of a cluster share the slabs, with one device each"},
        {s.cluster_slab, !s.cluster.empty(), "this computer makes all slices; give cluster as well"},
        {s.cluster_patience, !s.cluster.empty(), "this computer makes all slices; give cluster as well"},
        {s.pyramid, output == io::FileType::Hdf5 || output == io::FileType::Zarr,
         "only HDF5 and OME-Zarr have pyramids"},
        {s.pyramid, makes_slices && s.sweep.empty(), "it is that of a volume"},
        {s.report, makes_slices, "a report is about slices"},
        {s.picture, makes_slices, "a picture is of slices"},
        {s.picture, to_file, "a picture stands beside a file, and the result goes into memory"},
        {s.overwrite, to_file, "the result goes into memory"},
        {s.resume, to_file, "the result goes into memory"},
        {s.overwrite, !s.resume, "resume goes on with the result that is there; give one of them"},
    };
}

// Of source, sample and detector.
std::vector<Condition> geometry_conditions(const Settings &s, const Inspection &scan, io::FileType output) {
    const auto &g = s.general;
    const bool makes_slices = s.result.is("slices"), general = is_general(s, scan),
               is_cone = general && beam_of(s, scan).is_cone, makes_volume = general && is_iterative(s),
               are_slices_whole = !general || !(g.x_region.is_given() || g.y_region.is_given()),
               are_heights_given = general && (g.slice_region.is_given() || g.z.is_given());
    constexpr const char *one_volume = "iterations in this geometry make the whole volume at once",
                         *parallel = "the beam is parallel; give source-position-y or source-distance, or "
                                     "geometry=cone",
                         *row_by_row = "slices are made row by row of the detector",
                         *not_filtered = "projections of iterations are neither weighted nor filtered",
                         *heights = "region or z tell the heights of slices",
                         *part = "x-region or y-region are given";
    std::vector<Condition> conditions = {
        {g.source_x, is_cone, parallel},
        {g.source_y, is_cone, "geometry is parallel"},
        {g.source_z, is_cone, parallel},
        {g.detector_y, is_cone, parallel},
        {g.center_x, keeps_axis(s, scan, output), no_axis},
        {g.center_z, general, row_by_row},
        {g.cone_beam_weight, is_cone, parallel},
        {g.cone_beam_weight, !makes_volume, not_filtered},
        {g.redundancy_weight, general, row_by_row},
        {g.redundancy_weight, !makes_volume, not_filtered},
        {g.padding_mode, general, row_by_row},
        {g.padding_mode, !makes_volume, "iterations take what lies beyond projections for unknown"},
        {g.z_parameter, !makes_volume, one_volume},
        {g.z, !makes_volume, one_volume},
        {g.z, !g.slice_region.is_given() || !g.z_parameter.is("z"), "region tells the heights"},
        {s.slice, !makes_volume || scan.image.height / s.binning == 1, one_volume},
        {s.y, !are_heights_given, heights},
        {s.height, !are_heights_given, heights},
        {s.y_step, !are_heights_given, heights},
        {s.crop_width, are_slices_whole, part},
        {s.circle, are_slices_whole, part},
        {s.slice_rings, are_slices_whole, part},
        {s.axis_rows, mirrors_views(s, scan), "in this geometry one row tells the axis"},
        {s.off_axis, !general, "in this geometry redundancy-weight says so"},
        {s.method, !general || !s.method.is("dfi"), "it is for rows of sinograms, and these views have none"},
        {s.shifts, !general || !wants_alignment(s),
         "slices are projected again by a parallel beam across the axis"},
        {s.stitch, !general, "slices are stitched row by row; reconstruct each of the scans"},
    };
    for (const auto *numbers : g.arrangement())
        if (numbers != &g.center_x)
            conditions.push_back({*numbers, makes_slices, no_slices});
    const ParameterBase *const others[] = {&g.geometry,     &g.x_region, &g.y_region,
                                           &g.slice_region, &g.z,        &g.z_parameter};
    for (const auto *parameter : others)
        conditions.push_back({*parameter, makes_slices, no_slices});
    return conditions;
}

std::vector<Condition> all_conditions(const Settings &settings, const Inspection &scan, io::FileType output) {
    auto conditions = chain_conditions(settings, scan, output);
    for (const auto &condition : geometry_conditions(settings, scan, output))
        conditions.push_back(condition);
    return conditions;
}

// The given parameters that do not count: name and message of each.
using Ignored = std::vector<std::pair<std::string, std::string>>;

Ignored ignored_by(const std::vector<Condition> &conditions) {
    Ignored ignored;
    for (const auto &[parameter, counts, why_not] : conditions)
        if (parameter.is_given() && !counts)
            ignored.emplace_back(parameter.name(), text("%s=%s would have no effect: %s", parameter.name(),
                                                        parameter.text().c_str(), why_not));
    return ignored;
}

void refuse_first(const Ignored &ignored) {
    if (!ignored.empty())
        throw Error(GST_TOMO_GRAPH_ERROR, GST_TOMO_GRAPH_ERROR_VALUE, ignored.front().second);
}

bool names(const Ignored &ignored, const std::string &name) {
    return std::any_of(ignored.begin(), ignored.end(), [&](const auto &one) { return one.first == name; });
}

// The parameters that do not count for any of the values.
Ignored ignored_by_all(const Sweep &sweep, const Settings &settings, const Inspection &scan,
                       io::FileType output) {
    std::set<std::string> counting;
    Ignored ignored;
    for (std::size_t i = 0; i < sweep.values.size(); i++) {
        Settings of_value;
        sweep.apply(i, settings, of_value);
        const auto of_this = ignored_by(all_conditions(of_value, scan, output));
        for (const auto *parameter : of_value.all())
            if (parameter->is_given() && !names(of_this, parameter->name()))
                counting.insert(parameter->name());
        ignored.insert(ignored.end(), of_this.begin(), of_this.end());
    }
    ignored.erase(std::remove_if(ignored.begin(), ignored.end(),
                                 [&](const auto &one) { return counting.count(one.first) > 0; }),
                  ignored.end());
    return ignored;
}

} // namespace

void check_source_conditions(const Settings &settings) {
    refuse_first(ignored_by(source_conditions(settings)));
}

void check_conditions(const Settings &settings, const Inspection &scan, const std::string &output) {
    const auto type = io::type_of_suffix(io::split_location(output).file);
    const auto sweep = sweep_of(settings);
    refuse_first(sweep ? ignored_by_all(*sweep, settings, scan, type)
                       : ignored_by(all_conditions(settings, scan, type)));
}

} // namespace tomo::reconstruction
