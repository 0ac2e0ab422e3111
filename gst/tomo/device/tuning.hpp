// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Variants of a kernel that give the same numbers up to rounding. The fastest one on a device is measured
// once and kept beside the compiled programs.
#pragma once

#include <gst/tomo/device/device.hpp>

#include <optional>

namespace tomo {

// The environment variable GST_TOMO_TUNE. 0: always the first variant. 1: tries all variants if the fastest
// one is not known yet. Not set: the same, if trying is a small part of the expected work.
class GST_TOMO_API Tuning {
  public:
    // `subject` names the computation and its shape; `variants` name the ways to compute it, the usual one
    // first.
    Tuning(Device &device, std::string subject, std::vector<std::string> variants);

    // The number of the chosen variant. `seconds` runs and times the n-th variant; if it throws an Error,
    // that variant is left out.
    std::size_t choose(bool is_worth_it, const std::function<double(std::size_t)> &seconds) const;

  private:
    std::optional<std::size_t> stored() const;
    void store(std::size_t chosen, const std::vector<double> &seconds) const;

    Device &device_;
    std::string subject_;
    std::vector<std::string> variants_;
    std::string path_;
};

} // namespace tomo
