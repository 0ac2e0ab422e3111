// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A point source and a flat detector, for each projection.
#pragma once

#include <gst/tomo/geometry/origin.hpp>
#include <gst/tomo/gsttomo-prelude.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tomo {

// One number for all projections, or a list with one number for each.
class GST_TOMO_API PerView {
  public:
    // An empty list means that the property was not set. `name` is the name of that property.
    PerView(const char *name, std::vector<double> values) : name_(name), values_(std::move(values)) {}

    const char *name() const { return name_; }
    bool is_given() const { return !values_.empty(); }
    // Whether there is one value for each projection.
    bool is_list() const { return values_.size() > 1; }
    // Throws Error if a list has another length than there are projections.
    void check(std::uint64_t views) const;
    // The value for projection `view`, counted from 0. Throws Error where the list has none for it.
    double at(std::uint64_t view) const;
    double at(std::uint64_t view, double missing) const { return is_given() ? at(view) : missing; }

  private:
    const char *name_;
    std::vector<double> values_;
};

// The geometry of one projection. Lengths are in pixels.
struct ConeView {
    double centre_x, centre_z; // column and row where the central ray meets the detector, in edge coordinates
    double source_distance;    // from the source to the axis
    double detector_distance;  // from the axis to the detector
    double tilt;               // of the axis along the beam, in radians

    double magnification() const { return (source_distance + detector_distance) / source_distance; }
};

struct GST_TOMO_API ConeBeam {
    PerView centre_x, centre_z, source_distance, detector_distance, tilt;

    // The geometry of projection `index`, for images of this size. Without centre_x or centre_z, the central
    // ray meets the middle of the image; without a tilt, the axis is upright. Throws Error on impossible
    // distances.
    ConeView view(std::uint64_t index, unsigned columns, unsigned rows) const;
    // A sentence for people if the middle of the image was assumed for this view; else empty.
    std::string assumption(const ConeView &view) const;
    static Origin origin(const PerView &value) {
        return value.is_given() ? Origin::property : Origin::assumed;
    }
};

} // namespace tomo
