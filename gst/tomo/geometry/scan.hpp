// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The facts of a scan event, for elements that change them.
#pragma once

#include <gst/tomo/device/array.hpp>
#include <gst/tomo/support/references.hpp>

#include <array>
#include <limits>
#include <vector>

namespace tomo {

// All of what is known. Fields of the event that stand not here go through unchanged.
struct GST_TOMO_API Scan {
    std::vector<double> angles; // radians; empty when unknown
    // Numbers of the projections among all frames of the scan, which follow each other in time; empty when
    // unknown.
    std::vector<double> frames;
    // Where the scan has no angles: which of its projections these views are, counted from 0 among
    // total_projections, so that angles assumed later are those of the views that are there.
    std::vector<double> projection_numbers;
    double total_projections = std::numeric_limits<double>::quiet_NaN(); // of the whole scan
    // Rows of the images as they are stored, which are projections or sinograms: see rows_are_views().
    double total_rows = std::numeric_limits<double>::quiet_NaN();
    double axis_position =
        std::numeric_limits<double>::quiet_NaN(); // edge coordinate of the detector's columns
    bool axis_is_found = false; // in the images, by an element; otherwise somebody measured or set it
    double pixel_size = std::numeric_limits<double>::quiet_NaN(); // metres
    double energy = std::numeric_limits<double>::quiet_NaN();     // keV
    double distance = std::numeric_limits<double>::quiet_NaN();   // metres, from the sample to the detector
    // When the flats were taken: the mean of their numbers among all frames.
    double flats_frame = std::numeric_limits<double>::quiet_NaN();
    double flats_after_frame = std::numeric_limits<double>::quiet_NaN();
    // Where the array's columns and detector rows are among those of the images of the scan: an edge at e in
    // the array is at region + e * binning there. After elements that keep no such relation it is NaN.
    double region_x = 0.0, region_y = 0.0;
    double binning_x = 1.0, binning_y = 1.0; // pixels of the detector to one of the array; negative: mirrored
    // In slices the columns are along x, too, and each slice is a detector row; their rows are along the
    // beam, in the coordinates of x. NaN: not known.
    double region_beam = std::numeric_limits<double>::quiet_NaN();
    double binning_beam = std::numeric_limits<double>::quiet_NaN();

    Scan() = default;
    explicit Scan(GstEvent *event);
    EventRef to_event() const;

    // For an element that takes images for sinograms: where they do not say what they are, rows may be views
    // and frames are none; where they do, rows of the stored images tell nothing about views.
    void rows_are_views(const ArrayInfo &in);
    // Where frames or rows are no views any more, ...
    void forget_views();
    // ... and where each stands for several, or all come again. Lists that would be too long are forgotten.
    enum class Order { each, all };
    void repeat_views(std::uint64_t n, Order order = Order::each);
    static constexpr std::size_t most_views = std::size_t{1} << 24;
    // All lists with an item for each view.
    std::array<std::vector<double> *, 3> view_lists() { return {&angles, &frames, &projection_numbers}; }

    void forget_region_x() { region_x = binning_x = std::numeric_limits<double>::quiet_NaN(); }
    // What the rows of images with these axes are: views, along the beam, or rows of the detector.
    void forget_rows(GstTomoDomain domain);
    void forget_region_y() { region_y = binning_y = std::numeric_limits<double>::quiet_NaN(); }

  private:
    EventRef event_; // that this came from
};

// How an element lays its input's pixels out anew along one axis, in edge coordinates: an edge at e goes to
// (e - offset) * scale.
struct Layout {
    double offset = 0.0;
    double scale = 1.0;
    unsigned size; // of the output

    // The other way round: the output's first pixel is the last.
    Layout mirrored() const { return {offset + size / scale, -scale, size}; }
};

// For one image made of several views: it has no angle, but the detector is still the same.
GST_TOMO_API EventRef scan_without_views(const EventRef &event);

// Whether an image's columns are those of the detector, as far as it says what they are.
GST_TOMO_API bool has_detector_columns(const ArrayInfo &info);

// The scan as images of shape `in`, projections, sinograms or slices, show it after such a change of columns
// and rows. Where rows are views, these get the angles at their centres, interpolated; rows outside of the
// input have none, and then nothing is known about any.
GST_TOMO_API EventRef scan_after(const EventRef &event, const ArrayInfo &in, const Layout &columns,
                                 const Layout &rows);

} // namespace tomo
