// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The volume of a reconstruction in the general geometry: its voxels, and which rows of the detector see
// them.
#pragma once

#include <gst/reconstruction/view-arrangement.hpp>
#include <gst/tomo/geometry/redundant-rays.hpp>
#include <gst/tomo/geometry/volume-grid.hpp>

namespace tomo::reconstruction {

// Lengths are in pixels after binning.
class GST_TOMO_API GeneralVolume {
  public:
    // `axis` is an edge coordinate of the full detector; NaN: its middle. Throws Error, which names the
    // parameter, for a geometry that can't be.
    GeneralVolume(const Settings &settings, const Inspection &scan, double axis);

    const ViewArrangement &arrangement() const { return arrangement_; }
    // Of all images. With z-parameter, its z are values of that number.
    const VolumeGrid &grid() const { return grid_; }
    unsigned images() const { return grid_.z.count; }
    // What iterations make, of which the images are a part: all that the rays of their rows pass, as they
    // take it for nothing outside. Else the images.
    const VolumeGrid &made() const { return made_; }
    // The voxels of it before the first one of the images along x, y and z.
    struct Place {
        unsigned x = 0, y = 0, z = 0;
    };
    const Place &place() const { return place_; }
    unsigned detector_rows() const { return rows_; }
    unsigned whole_columns() const { return whole_columns_; }   // of slices that are not cropped
    const std::optional<Part> &swept() const { return swept_; } // the number of z-parameter
    double height() const { return height_; }                   // of all slices then
    RedundantRays::Mode redundancy() const { return redundancy_; }

    // Rows of the full detector that see these images, in all projections.
    Rows rows(unsigned first, unsigned count) const;
    // The row of the full detector that the ray through the middle of an image meets.
    unsigned row_of(unsigned image) const;
    // Of the axis in a slice, an edge coordinate, and pixels around it that all views see.
    double axis_in_slices() const { return 0.5 - grid_.x.from / grid_.x.step; }
    double radius() const { return radius_; }
    // Beam, axis and weights in words.
    std::string description() const;

  private:
    void set_redundancy(const Settings &settings);
    void set_grid(const Settings &settings);
    void set_heights(const Settings &settings, const Inspection &scan);
    void set_made(const Settings &settings);
    void check() const;

    const unsigned binning_, columns_, rows_; // of the detector
    ViewArrangement arrangement_;
    VolumeGrid grid_, made_;
    Place place_;
    const bool needs_all_rows_;        // beside the detector is its other end
    bool is_wide_ = false;             // slices, as the axis lies to one side in a whole turn
    bool is_detector_assumed_ = false; // to be at the axis
    std::optional<Part> swept_;
    unsigned whole_columns_;
    double whole_axis_ = 0.0; // in these
    double height_ = 0.0, radius_ = 0.0;
    RedundantRays::Mode redundancy_ = RedundantRays::Mode::none;
};

} // namespace tomo::reconstruction
