// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The filters of phase retrieval, in frequencies.
#pragma once

#include <vector>

namespace tomo::phase {

enum class Method { tie, ctf, ctf_multidistance, qp, qp2, ict, gpm };

constexpr bool takes_several_distances(Method method) {
    return method == Method::ctf_multidistance || method == Method::ict;
}

// a = columns u^2 + rows v^2 radians at (u, v) cycles per pixel: pi wavelength distance / pixel size^2.
struct Steepness {
    double columns, rows;
};

struct Filter {
    Method method;
    std::vector<Steepness> distances;
    double ratio; // of delta and beta
    double thresholding_rate, frequency_cutoff;
    double ict_alpha, ict_alpha_threshold;
    bool normalize;

    // Its values at frequencies that are not negative, for transforms of this size: a table of width / 2 + 1
    // columns and height / 2 + 1 rows for each distance. Those at negative ones are the same.
    std::vector<float> quadrant(unsigned width, unsigned height) const;
    // Pixels after which it has decayed in space, along columns and rows.
    Steepness reach() const;

  private:
    double of_one(double a, bool is_mean) const;
    void of_several(const std::vector<double> &a, std::vector<double> &values) const;
};

} // namespace tomo::phase
