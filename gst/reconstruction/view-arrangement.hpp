// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Where source, sample and detector are in each view that is chosen, by the parameters and the scan.
#pragma once

#include <gst/reconstruction/beam-geometry.hpp>
#include <gst/tomo/geometry/arrangement.hpp>

#include <array>

namespace tomo::reconstruction {

// Lengths are in pixels after binning, angles in radians. Rows count from the first one of the detector.
class ViewArrangement {
  public:
    // `axis` is an edge coordinate of the full detector. Throws Error for a list of another length than the
    // projections of the scan.
    ViewArrangement(const Settings &settings, const Inspection &scan, double axis);

    bool is_cone() const { return is_cone_; }
    std::size_t views() const { return angles_.size(); }
    // Of a chosen view, with another number for one part.
    Arrangement at(std::size_t view, std::optional<std::pair<Part, double>> swept = {}) const;
    // Whether a number is the same in all views.
    bool is_constant(Part part) const { return of(part).size() <= 1; }
    // Whether the axis is across the beam in all views.
    bool is_upright() const;
    const std::vector<double> &angles() const {
        return angles_;
    } // of the views, as the scan or a list has them

    // Properties of elements for images whose first row is `first_row` of the full detector, and without one
    // part where that is swept.
    std::string words(unsigned first_row, std::optional<Part> left_out = {}) const;
    std::string angle_words() const;
    // The same for an element that takes no step between views.
    std::string turn_words() const;
    // " KEY=<...>" with the numbers of a part, times a factor, plus an offset.
    std::string list(const char *key, Part part, double factor = 1.0, double offset = 0.0) const;

    // Radians or pixels of a number in the unit of its parameter.
    double in_pixels(Part part, double value) const;

  private:
    std::vector<double> &of(Part part) { return numbers_[static_cast<std::size_t>(part)]; }
    const std::vector<double> &of(Part part) const { return numbers_[static_cast<std::size_t>(part)]; }
    std::string turn_of_all() const;

    const double binning_;
    bool is_cone_ = false;
    std::array<std::vector<double>, part_count> numbers_; // none, one, or one for each view
    std::vector<double> angles_;
    double turned_ = 0.0;    // radians that are added to all angles
    bool has_angles_ = true; // whether the stream has those of the scan
    double step_ = 0.0;      // else
};

} // namespace tomo::reconstruction
