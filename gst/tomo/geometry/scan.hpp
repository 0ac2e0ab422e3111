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

// The known facts of a scan. to_event() passes other fields of the event on unchanged.
struct GST_TOMO_API Scan {
    std::vector<double> angles; // radians; empty when unknown
    // Numbers of the projections among all frames of the scan, which follow each other in time; empty when
    // unknown.
    std::vector<double> frames;
    // For a scan without angles: the number of each view among total_projections, from 0, so that angles that
    // are assumed later fit the views of a part.
    std::vector<double> projection_numbers;
    double total_projections = std::numeric_limits<double>::quiet_NaN(); // of the whole scan
    // Rows of the stored images, which are projections or sinograms: see rows_are_views().
    double total_rows = std::numeric_limits<double>::quiet_NaN();
    double axis_position =
        std::numeric_limits<double>::quiet_NaN(); // edge coordinate of the detector's columns
    bool axis_is_found = false; // by an element in the images; otherwise it was measured or set
    // Of the array along columns, metres at the sample: behind a point source that of the detector divided by
    // the magnification.
    double pixel_size = std::numeric_limits<double>::quiet_NaN();
    double energy = std::numeric_limits<double>::quiet_NaN();   // keV
    double distance = std::numeric_limits<double>::quiet_NaN(); // metres, from the sample to the detector
    // Metres from a point source to the sample; NaN or infinite: the beam is parallel.
    double source_distance = std::numeric_limits<double>::quiet_NaN();
    // Time of the flats before and after the projections: the mean of their numbers among all frames.
    double flats_frame = std::numeric_limits<double>::quiet_NaN();
    double flats_after_frame = std::numeric_limits<double>::quiet_NaN();
    // The same of each set of the flats before, where these come as the means of several sets.
    std::vector<double> flat_set_frames;
    // Intensity of the beam, in any unit, as a monitor tells it: of each view, and the means of each set of
    // the flats (one if they are not told apart) and of the flats after. Empty and NaN when unknown.
    std::vector<double> beam, flats_beam;
    double flats_after_beam = std::numeric_limits<double>::quiet_NaN();
    // Detector pixels by which each view is displaced to larger columns and to larger rows; empty where
    // nothing is, or after it is corrected.
    std::vector<double> shifts_x, shifts_y;
    // Position of the array's columns and detector rows in the images of the scan: an edge at e in the array
    // is at region + e * binning there. NaN behind elements that keep no such relation.
    double region_x = 0.0, region_y = 0.0;
    double binning_x = 1.0, binning_y = 1.0; // detector pixels per pixel of the array; negative: mirrored
    // In slices the columns are along x, too, and each slice is a detector row. The rows of a slice are along
    // the beam, in the coordinates of x. NaN: not known.
    double region_beam = std::numeric_limits<double>::quiet_NaN();
    double binning_beam = std::numeric_limits<double>::quiet_NaN();

    Scan() = default;
    explicit Scan(GstEvent *event);
    EventRef to_event() const;

    // For an element that takes its images as sinograms. If the images have no domain, their rows may be
    // views, and frames are not views. If they have one, total_rows says nothing about views.
    void rows_are_views(const ArrayInfo &in);
    // For elements after which frames or rows are not views any more.
    void forget_views();
    // For elements that repeat each view `n` times, or the whole list. Drops lists that would be longer than
    // most_views.
    enum class Order { each, all };
    void repeat_views(std::uint64_t n, Order order = Order::each);
    static constexpr std::size_t most_views = std::size_t{1} << 24;
    // The lists that have an item for each view.
    std::array<std::vector<double> *, 6> view_lists() {
        return {&angles, &frames, &projection_numbers, &beam, &shifts_x, &shifts_y};
    }
    // The index in these lists of the frame of this number in the scan, which comes as the `nth` one.
    std::size_t view_of(std::uint64_t number, std::uint64_t nth) const;

    void forget_region_x() { region_x = binning_x = std::numeric_limits<double>::quiet_NaN(); }
    // Drops the facts about the rows of images of this domain: views, positions along the beam, or rows of
    // the detector.
    void forget_rows(GstTomoDomain domain);
    void forget_region_y() { region_y = binning_y = std::numeric_limits<double>::quiet_NaN(); }

  private:
    EventRef event_; // that this scan was read from
};

// How an element moves the pixels of its input along one axis, in edge coordinates: an edge at e goes to (e -
// offset) * scale.
struct Layout {
    double offset = 0.0;
    double scale = 1.0;
    unsigned size; // of the output

    // The mirrored layout: the first pixel of the output becomes the last.
    Layout mirrored() const { return {offset + size / scale, -scale, size}; }
};

// The scan event for an image made of several views: without angles, with the same detector.
GST_TOMO_API EventRef scan_without_views(const EventRef &event);

// Whether the columns of an image are detector columns, as far as its domain says.
GST_TOMO_API bool has_detector_columns(const ArrayInfo &info);

// The scan event after an element changed columns and rows of images of shape `in` (projections, sinograms or
// slices) in this way. Where rows are views, each row gets the interpolated angle at its centre. Rows outside
// of the input have no angle; then all angles are dropped.
GST_TOMO_API EventRef scan_after(const EventRef &event, const ArrayInfo &in, const Layout &columns,
                                 const Layout &rows);

} // namespace tomo
