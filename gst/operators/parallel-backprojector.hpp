// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/operators/backproject-plan.hpp>
#include <gst/operators/backproject-rows.hpp>
#include <gst/tomo/compute/compute.hpp>

#include <vector>

namespace tomo {

// Sinograms to slices: each pixel is the weighted sum over all views of what they saw where it is.
//
// In the modes linear, nearest and texture a row is sampled between its pixels, as filtered backprojection
// wants it: the fastest way, and the transpose of no line integral. Mode joseph, with the weights of
// ParallelProjector, is the transpose of its projection.
class GST_TOMO_API ParallelBackprojector {
  public:
    ParallelBackprojector(Compute &compute, BackprojectMode mode, Precision precision)
        : compute_(compute), mode_(mode), precision_(precision) {}

    // Chooses and compiles the kernels for so many slices at a time. Where `expected` sinograms make it worth
    // it, variants are tried. Throws Error where the device can't do the mode.
    void plan(const ArrayInfo &sinograms, const ArrayInfo &slices, double expected = 0.0);
    // One for each row of the sinograms, for the region that the slices show.
    void set_views(const std::vector<BackprojectRow> &rows);
    bool has_views() const { return static_cast<bool>(rows_); }
    void forget_views() { rows_ = {}; }
    // `slices` may be those of a smaller batch than the plan's.
    void run(const Array &sinograms, Array &slices);

    // How many sinograms of `depth` planes keep the device busy.
    unsigned batch_that_pays(unsigned depth, unsigned roi_width, unsigned roi_height) const;

  private:
    double seconds(const BackprojectPlan &plan, const ArrayInfo &sinograms, const ArrayInfo &slices);
    void interpolate(const Array &sinograms, Array &slices);
    void multiply(const Array &sinograms, Array &slices, const WorkSize &size);
    void make_image(const ArrayInfo &sinograms);
    void sample_texture(const Array &sinograms, Array &slices);
    Kernel &kernel(const std::string &function);
    WorkSize work_size() const;

    Compute &compute_;
    BackprojectMode mode_;
    Precision precision_;
    BackprojectPlan plan_;
    Array rows_;
    ClMem image_; // one plane, for mode texture
    Stamp image_use_;
};

} // namespace tomo
