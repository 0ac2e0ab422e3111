// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What a scan is, and what is wrong with it, before anything is computed.
#pragma once

#include <gst/reconstruction/settings.hpp>
#include <gst/tomo/device/array.hpp>

#include <limits>

namespace tomo::reconstruction {

struct Finding {
    enum class Severity { information, warning, error }; // an error would make the result wrong

    std::string name; // for --ignore
    Severity severity;
    std::string text;   // what is wrong
    std::string advice; // a sentence: what to do

    const char *severity_name() const;
};

// Rows of the detector, or sinograms.
struct Rows {
    unsigned first = 0, count = 0; // of those that are taken
    unsigned step = 1;

    unsigned span() const { return count ? (count - 1) * step + 1 : 0; }
};

struct GST_TOMO_API Inspection {
    static constexpr double unknown = std::numeric_limits<double>::quiet_NaN();

    std::string name; // "'scan.nxs', NXtomo /entry"
    bool is_sinograms = false;
    ArrayInfo image; // as it is stored, whole; of sinograms: their columns and number
    std::size_t projections = 0, darks = 0, flats = 0, flats_after = 0;
    std::size_t files = 0;
    std::size_t views = 0;        // projections that the settings take
    std::string angles_from;      // "scan", "given", or "assumed"
    double angle_first = unknown; // radians; of the views, as the scan has them
    double angle_last = unknown;  // ...
    double angle_step = unknown;  // ... on average
    bool steps_are_even = false;
    double axis = unknown;       // edge coordinate, of the file
    double pixel_size = unknown; // metres
    double energy = unknown;     // keV
    double distance = unknown;   // metres
    std::vector<Finding> findings;

    // Whether the stream brings the angles of the views.
    bool has_angles() const { return angles_from == "scan"; }
    // Radians that all views cover, each with the step behind it.
    double range() const { return std::abs(angle_last - angle_first) + std::abs(angle_step); }
    // Whether projections are corrected by darks and flats.
    bool is_corrected(const Settings &settings) const;
    // Those of which the slices are made. Throws Error where the settings name others than there are.
    Rows rows(const Settings &settings) const;
    // Size of what the settings ask for: depth images of width x height.
    ArrayInfo output(const Settings &settings) const;

    // The first error that the settings do not ignore; null if there is none. Throws Error where they ignore
    // what is none.
    const Finding *obstacle(const Settings &settings) const;

    // For people, in lines, and for programs.
    std::string description() const;
    Json json() const;
};

// Looks at the files: all names and headers, and the samples of a few images. Throws Error where there is no
// scan.
GST_TOMO_API Inspection inspect(const Settings &settings);

} // namespace tomo::reconstruction
