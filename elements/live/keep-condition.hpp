// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/tomo/device/array.hpp>

#include <string>

namespace tomo::live {

// A bound on what is measured in frames, such as "mean>3000".
class KeepCondition {
  public:
    KeepCondition() = default; // that is never met
    // Throws Error on another text; an empty one is never met.
    explicit KeepCondition(const std::string &text);

    // Whether this frame is the first one beyond the bound.
    bool begins(const ArrayInfo &image, const void *samples);

  private:
    enum class Measure { none, mean, minimum, maximum, deviation };

    Measure measure_ = Measure::none;
    bool is_above_ = true;
    double bound_ = 0.0;
    bool is_met_ = false;
};

} // namespace tomo::live
