// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Weights of rays that a scan measures twice, once from each side, and of rays that it measures once.
#pragma once

#include <gst/tomo/gsttomo-prelude.h>

#include <string>
#include <vector>

namespace tomo {

// A flat detector behind a point source, or in a parallel beam.
struct GST_TOMO_API Fan {
    double centre;          // column that the ray through the axis meets, in edge coordinates
    double source_detector; // distance in pixels; infinite for a parallel beam
    unsigned columns;

    double left() const { return centre; } // pixels on both sides of the ray through the axis
    double right() const { return columns - centre; }
    // Angle between the ray through the axis and the one to an edge coordinate. In a parallel beam pixels
    // stand for angles.
    double angle_at(double column) const;
};

// In the sense of Parker, Med. Phys. 9, 254 (1982), doi 10.1118/1.595078, for less than a full turn, and of
// Wang, Med. Phys. 29, 1634 (2002), doi 10.1118/1.1489043, for a detector to one side and a full turn. The
// weights of the two measurements of a ray add up to covered / pi, so a scan of a full turn with the detector
// in the middle has 1 everywhere, and all views of a scan count the same in a backprojection.
class GST_TOMO_API RedundantRays {
  public:
    enum class Mode { none, short_scan, offset };

    // `angles` of all views in radians, in any order and with any step. Throws Error where the mode does not
    // fit the scan.
    RedundantRays(Mode mode, const Fan &fan, std::vector<double> angles);
    // The mode that the scan needs.
    static Mode mode_for(const Fan &fan, const std::vector<double> &angles);

    // The factor of each column of a view.
    std::vector<float> weights(std::size_t view) const;
    double covered() const { return covered_; }
    // For the user; empty where all rays are there.
    const std::string &warning() const { return warning_; }

  private:
    double parker(double turned, double angle) const;
    double wang(double column) const;

    Mode mode_;
    Fan fan_;
    std::vector<double> angles_;
    double covered_;      // by the views, at most a full turn
    double first_ = 0.0;  // angle at which the scan begins, half a step before a view
    double excess_ = 0.0; // half of what is beyond half a turn
    std::string warning_;
};

} // namespace tomo
