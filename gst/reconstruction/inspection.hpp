// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The contents of a scan and its faults, before anything is computed.
#pragma once

#include <gst/reconstruction/settings.hpp>
#include <gst/tomo/device/array.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

namespace tomo::reconstruction {

struct Finding {
    enum class Severity { information, warning, error }; // an error would make the result wrong

    std::string name; // for --ignore
    Severity severity;
    std::string text;   // the fault
    std::string advice; // the remedy, a sentence

    const char *severity_name() const;
};

// Rows of the detector, or sinograms.
struct Rows {
    unsigned first = 0, count = 0; // first chosen row and number of chosen rows
    unsigned step = 1;

    unsigned span() const { return count ? (count - 1) * step + 1 : 0; }
};

// Displacements of the chosen views in detector pixels, as the scan or a file tells them.
struct Shifts {
    double least_x = 0.0, most_x = 0.0, least_y = 0.0, most_y = 0.0; // to larger columns, to larger rows
    std::string from;                                                // "scan" or "file"; empty without any
    std::vector<double> x, y;                                        // of all projections

    // Less is no more than the noise of a motor's encoder.
    static constexpr double least_visible = 0.01;
    bool are_columns_moved() const { return std::max(most_x, -least_x) >= least_visible; }
    bool are_rows_moved() const { return std::max(most_y, -least_y) >= least_visible; }
    bool is_visible() const { return are_columns_moved() || are_rows_moved(); }
    std::string range() const; // such as "0 to 1.79 columns", or with rows as well
};

// Values of a monitor of the beam for each frame.
struct BeamMonitor {
    bool is_usable = false; // all that count are finite and above 0
    double change = 0.0;    // between the least and the largest, as a share of their mean
};

// How far one scan of a sample lies below another one.
struct Displaced {
    double rows = 0.0;
    std::string from; // "given", "scan" or "views"; empty without another one
    double uncertainty = std::numeric_limits<double>::quiet_NaN(); // of what the views say
    double by_views = std::numeric_limits<double>::quiet_NaN();    // where that is not what counts
};

// One of several scans at different heights.
struct HeightFacts {
    std::string name;
    double top = 0.0; // row of the volume at which its first row lies
    unsigned rows = 0;
    double overlap = 0.0; // rows that it shares with the scan above
    Displaced displaced;  // from that
    double axis = std::numeric_limits<double>::quiet_NaN(), roll = 0.0; // once they are known
    std::string axis_from;

    double overlap_by_views() const {
        return overlap + std::abs(displaced.rows) - std::abs(displaced.by_views);
    }
};

struct GST_TOMO_API Inspection {
    static constexpr double unknown = std::numeric_limits<double>::quiet_NaN();

    std::string name; // "'scan.nxs', NXtomo /entry"
    bool is_sinograms = false;
    ArrayInfo image; // whole stored image; for sinograms: their columns and their number; of scans at several
                     // heights all of their rows
    std::size_t projections = 0, darks = 0, flats = 0, flats_after = 0;
    unsigned flat_sets = 0; // of the flats before the last projection, with projections between them
    std::size_t files = 0;
    Shifts shifts;
    BeamMonitor monitor;
    std::uint64_t rows_per_chunk = 1; // rows that are decompressed together
    double reading_rate = 0.0;        // bytes per second of the images that were read; 0: not known
    std::size_t views = 0;            // projections that the settings choose
    std::string angles_from;          // "scan", "sinograms", "given", or "assumed"
    double angle_first = unknown;     // radians; first of the views, from the scan
    double angle_last = unknown;      // radians; last of the views
    double angle_step = unknown;      // radians; mean step
    double angle_span = 0.0;          // radians between the least and the largest angle
    std::vector<double> angles;       // radians, of the views
    bool steps_are_even = false;
    double axis = unknown;       // edge coordinate, from the file
    double pixel_size = unknown; // metres at the sample
    double energy = unknown;     // keV
    double distance = unknown;   // metres, from the sample to the detector
    double source_distance = unknown; // metres, from a point source to the sample; unknown: a parallel beam
    double white_level = unknown;     // counts of the whole beam, of a scanner that divided by flats
    double stage_y = unknown, stage_z = unknown; // rows by which the scan says that its sample is lifted
    std::vector<HeightFacts> heights; // from the top to the bottom, where this stands for several scans
    std::vector<Finding> findings;
    // Bytes of the device that will compute, where it has memory of its own; 0 where none are asked for.
    std::uint64_t device_memory = 0;
    // The most that a dataflow makes at once, where the device had no memory for more.
    unsigned most_images = std::numeric_limits<unsigned>::max();

    // Whether the scan event has the angles of the views.
    bool has_angles() const { return angles_from == "scan"; }
    // The views and all facts about their angles.
    void set_angles(std::vector<double> of_views);
    // Radians that all views cover, each with the step after it.
    double range() const {
        return views > 1 ? angle_span * static_cast<double>(views) / static_cast<double>(views - 1) : 0.0;
    }
    // Whether they go round once or more, but for a step that may be missing.
    bool is_whole_turn() const;
    // Whether projections are corrected by darks and flats.
    bool is_corrected(const Settings &settings) const;
    // Counts of the whole beam in projections that no flats correct, given or as the scanner tells; NaN where
    // nobody does.
    double whole_beam(const Settings &settings) const;
    // The rows for the slices. Throws Error if the settings choose rows that do not exist.
    Rows rows(const Settings &settings) const;
    // Size of the result: `depth` images of width x height, in the volumes of all turns. Slices of half turns
    // that are joined depend on the axis, an edge coordinate of the full detector.
    ArrayInfo output(const Settings &settings, double axis = unknown) const;

    // Metres of a column of slices, NaN where the pixel size is not known, and columns between slices.
    double voxel_size(const Settings &settings) const;
    double slice_spacing(const Settings &settings) const;

    // The first error that the settings do not ignore; null if there is none. Throws Error if the settings
    // ignore an unknown finding.
    const Finding *obstacle(const Settings &settings) const;

    // The inspection as lines for people, and as JSON for programs.
    std::string description() const;
    Json json() const;
};

// Names of all findings that there are.
const std::vector<std::string> &finding_names();

} // namespace tomo::reconstruction
