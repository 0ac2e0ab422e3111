// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace tomo::reconstruction {

// Residuals and times of the iterations of a run, of all its slices together.
class IterationRecord {
  public:
    struct Iteration {
        double least, largest, sum; // residuals
        double seconds;             // sum of the times behind it
        std::size_t slices;         // that went through it
        double mean() const { return sum / static_cast<double>(slices); }
    };
    struct Course {
        std::string label; // the value of a sweep; else empty
        std::size_t slices = 0;
        std::vector<Iteration> iterations;
    };

    // Of a slice, or of a volume with residuals in common.
    void add(const std::string &label, const std::vector<double> &residuals,
             const std::vector<double> &seconds);
    const std::vector<Course> &courses() const { return courses_; }

  private:
    std::vector<Course> courses_;
};

// In a sentence: from where to where the residuals of a course came.
std::string residuals_text(const IterationRecord::Course &course);

} // namespace tomo::reconstruction
