// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/operators/backproject-plan.hpp>
#include <gst/operators/backproject-rows.hpp>
#include <gst/tomo/compute/compute.hpp>

#include <vector>

namespace tomo {

// Sinograms to slices: each pixel is the weighted sum over all views of the sample at its position on the
// detector.
//
// The modes linear, nearest and texture sample a row between its pixels, for filtered backprojection. They
// are fast, but not the transpose of a line integral. Mode joseph, with the weights of ParallelProjector, is
// the transpose of its projection.
class GST_TOMO_API ParallelBackprojector {
  public:
    ParallelBackprojector(Compute &compute, BackprojectMode mode, Precision precision)
        : compute_(compute), mode_(mode), precision_(precision) {}

    // Chooses and compiles the kernels for slices.depth slices at a time. Tries variants if the `expected`
    // number of sinograms makes that worthwhile. Throws Error if the device does not support the mode.
    void plan(const ArrayInfo &sinograms, const ArrayInfo &slices, double expected = 0.0);
    // Sets one entry for each row of the sinograms, for the region of the slices.
    void set_views(const std::vector<BackprojectRow> &rows);
    bool has_views() const { return static_cast<bool>(rows_); }
    void forget_views() { rows_ = {}; }
    // `slices` may be a smaller batch than the plan's. Throws Error for arrays of other shapes than the
    // plan's and the views'.
    void run(const Array &sinograms, Array &slices);

    // Number of sinograms of `depth` planes that keep the device busy.
    unsigned batch_that_pays(unsigned depth, unsigned roi_width, unsigned roi_height) const;

  private:
    void check(const ArrayInfo &sinograms, const ArrayInfo &slices) const;
    double seconds(const BackprojectPlan &plan, const ArrayInfo &sinograms, const ArrayInfo &slices);
    void interpolate(const Array &sinograms, Array &slices);
    void interpolate_lanes(const Array &sinograms, Array &slices, WorkSize size);
    void multiply(const Array &sinograms, Array &slices, const WorkSize &size);
    void make_image(const ArrayInfo &sinograms);
    void sample_texture(const Array &sinograms, Array &slices);
    Kernel kernel(const std::string &function);
    WorkSize work_size() const;

    Compute &compute_;
    BackprojectMode mode_;
    Precision precision_;
    BackprojectPlan plan_;
    ArrayInfo sinograms_, slices_; // of the plan
    Array rows_;
    std::size_t views_ = 0; // in rows_
    ClMem image_;           // one plane, for mode texture
    Stamp image_use_;
};

} // namespace tomo
