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

// A number that every projection has: one for all of them, or a list with one for each.
class GST_TOMO_API PerView {
  public:
    // No value is one that nobody gave. `name` is that of the property.
    PerView(const char *name, std::vector<double> values) : name_(name), values_(std::move(values)) {}

    const char *name() const { return name_; }
    bool is_given() const { return !values_.empty(); }
    // Of projection `view`, counted from 0. Throws Error where there is none.
    double at(std::uint64_t view) const;
    double at(std::uint64_t view, double missing) const { return is_given() ? at(view) : missing; }

  private:
    const char *name_;
    std::vector<double> values_;
};

// Of one projection. Lengths are in pixels.
struct ConeView {
    double centre_x, centre_z; // column and row that the beam's middle meets, in edge coordinates
    double source_distance;    // from the source to the axis
    double detector_distance;  // from the axis to the detector
    double tilt;               // of the axis along the beam, in radians

    double magnification() const { return (source_distance + detector_distance) / source_distance; }
};

struct GST_TOMO_API ConeBeam {
    PerView centre_x, centre_z, source_distance, detector_distance, tilt;

    // In images of that size; their middle is that of the beam where nobody says otherwise, and the axis
    // upright. Throws Error on distances that can't be.
    ConeView view(std::uint64_t index, unsigned columns, unsigned rows) const;
    // For people, where a middle was assumed for this view; else empty.
    std::string assumption(const ConeView &view) const;
    static Origin origin(const PerView &value) {
        return value.is_given() ? Origin::property : Origin::assumed;
    }
};

} // namespace tomo
