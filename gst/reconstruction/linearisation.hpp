// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Measured values that do not grow in proportion to what they measure: line integrals of a beam of many
// energies, which hardens on its way, and counts of a detector. A polynomial makes them do so.
#pragma once

#include <gst/reconstruction/inspection.hpp>

#include <optional>
#include <vector>

namespace tomo::reconstruction {

struct Linearisation {
    std::vector<double> coefficients; // of the value, of its square, and so on
    // Known up to here, and continued by a straight line.
    double last = std::numeric_limits<double>::infinity();
    // Of a fit to steps: how many, and the largest relative distance of one from the polynomial.
    std::size_t steps = 0;
    double residual = 0.0;

    double operator()(double value) const;
    std::string expression() const; // of tomocalculate
};

// Whether the parameter names a file of steps.
bool names_steps(const std::string &value);

// Throws Error where the parameter gives none that can be.
std::optional<Linearisation> beam_hardening(const Settings &settings);
std::optional<Linearisation> detector_linearity(const Settings &settings);

// Faults of both, and how well they meet the steps.
std::vector<Finding> findings_about_linearity(const Settings &settings);

// " ! " and the element that corrects line integrals; empty where nothing is given.
std::string beam_hardening_line(const Settings &settings);
// The same for counts of images of this kind.
std::string detector_linearity_line(const Settings &settings, const std::string &name);

} // namespace tomo::reconstruction
