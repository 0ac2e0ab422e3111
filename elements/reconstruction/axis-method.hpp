// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The ways in which tomocenterofrotation finds the axis of a sinogram.
#pragma once

#include "axis-search.hpp"

#include <gst/tomo/bases/effective.hpp>
#include <gst/tomo/compute/compute.hpp>

#include <memory>
#include <optional>
#include <string>

namespace tomo {

// Views from which a method can't tell an axis; another one may.
class UnfitViews final : public Error {
  public:
    explicit UnfitViews(const std::string &message) : Error(GST_STREAM_ERROR_FORMAT, message) {}
};

class AxisMethod {
  public:
    virtual ~AxisMethod() = default;

    // Prepares for sinograms of this shape with these views. Throws UnfitViews.
    virtual void begin(const ArrayInfo &sinograms, const ViewAngles &views) = 0;
    virtual void report(EffectiveValues &) const {}
    // The axis of each plane, within the range.
    virtual std::vector<AxisFound> find(const Array &sinograms, const AxisRange &range) = 0;
    // The range in which it looks by itself.
    virtual AxisRange usual_range(unsigned width) const { return {0.0, double(width)}; }
};

// Measures of slices; the axis has the least one.
enum class AxisMetric { entropy, absolute, negativity };

// Kernels take their input's type as that of the array `in` of the `compute`.
std::unique_ptr<AxisMethod> axis_by_correlation(Compute &compute);
std::unique_ptr<AxisMethod> axis_by_overlap(Compute &compute);
std::unique_ptr<AxisMethod> axis_by_spectrum(Compute &compute);
std::unique_ptr<AxisMethod> axis_by_sharpness(Compute &compute, AxisMetric metric);

} // namespace tomo
