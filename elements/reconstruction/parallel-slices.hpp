// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/tomo/bases/effective.hpp>
#include <gst/tomo/bases/filter.hpp>
#include <gst/tomo/geometry/parallel-beam.hpp>
#include <gst/tomo/geometry/slice-region.hpp>

namespace tomo {

// A filter that makes slices from sinograms of a parallel beam, each by itself. It knows where axis, angles
// and region come from; a method sees only their values.
class ParallelSlices : public BatchFilter {
  public:
    Property<unsigned> num_projections{
        this,
        "num-projections",
        Automatic{0},
        {0, 32768},
        "Projections of the whole scan, if a sinogram holds a part of them; 0: up to the sinogram's last"};
    Property<unsigned> offset{
        this, "offset", 0, {0, 32768}, "Number of the sinogram's first projection in the scan"};
    Property<double> axis_pos{
        this,
        "axis-pos",
        Automatic{-1, {{-1, 0}}},
        {-1.0, 32768.0},
        "Rotation axis in edge coordinates (the middle of W columns is W / 2); 0 or less: that of the "
        "scan, else the middle"};
    Property<double> slice_axis_pos{
        this,
        "slice-axis-pos",
        Automatic{0},
        {0.0, 65536.0},
        "Rotation axis in the slice, in edge coordinates; 0: where it is in the sinogram"};
    Property<double> angle_step{
        this,
        "angle-step",
        Automatic{-1, {{0, 0}}},
        {-G_MAXDOUBLE, G_MAXDOUBLE},
        "Radians between projections, negative for the other sense; 0 or -1: the scan's angles, else "
        "pi over the number of projections"};
    Property<double> angle_offset{this,
                                  "angle-offset",
                                  0.0,
                                  {-G_MAXDOUBLE, G_MAXDOUBLE},
                                  "Angle of the first projection in radians, added to the scan's angles"};
    Property<unsigned> roi_x{this, "roi-x", 0, When::reshapes, "First column of the region of the slice"};
    Property<unsigned> roi_y{this, "roi-y", 0, When::reshapes, "First row of the region of the slice"};
    Property<unsigned> roi_width{this,           "roi-width",
                                 Automatic{0},   {0, 32768},
                                 When::reshapes, "Columns of the region; 0: as many as the sinogram has"};
    Property<unsigned> roi_height{
        this,       "roi-height",   Automatic{0},
        {0, 32768}, When::reshapes, "Rows of the region; 0: as many as the sinogram has columns"};

    ArrayInfo shape(const ArrayInfo &in) final;
    void process(const Array &in, Array &out) final;
    void stop() override;

  protected:
    struct Views {
        const std::vector<double> &angles, &weights; // one for each row of a sinogram
        double axis;                                 // edge coordinate of the columns
        double axis_in_slice;                        // likewise of the slice, along both directions
        SliceRegion slice;
    };

    // Prepares for so many sinograms at a time. Throws Error on shapes that can't be served.
    virtual void plan(const ArrayInfo &sinograms, const ArrayInfo &slices) = 0;
    // The views of the sinograms to come; after each plan, and when they change.
    virtual void set_views(const Views &views) = 0;
    // As many slices as sinograms, which may be fewer than planned.
    virtual void reconstruct(const Array &sinograms, Array &slices) = 0;
    virtual unsigned batch_that_pays(const ArrayInfo &in, const SliceRegion &slice) = 0;

    EventRef scan_event(EventRef event) override;
    EventRef own_scan_event() override;
    unsigned batch_that_pays(const ArrayInfo &in) final { return batch_that_pays(in, region(in.width)); }

  private:
    // That the views are for.
    struct Settings {
        double axis, axis_in_slice;
        Origin origin;
        GivenViews views;
        unsigned roi_x, roi_y, rows;
        bool operator==(const Settings &) const = default;
    };

    SliceRegion region(unsigned columns) const;
    Axis axis() const;
    double axis_in_slice(double axis) const { return slice_axis_pos.chosen().value_or(axis); }
    GivenViews given_views() const;
    EventRef scan_of_region(Scan scan) const;
    EventRef scan_behind() const;
    void tell(const Axis &axis, const ParallelViews &views, const SliceRegion &slice);
    void update_views(const Array &in);

    Scan scan_;
    bool is_of_scan_ = false; // somebody told of one
    std::optional<Settings> settings_;
    std::string angle_warning_; // about the angles
    std::string assumed_;       // and that was told
    bool has_reported_ = false;
};

} // namespace tomo
