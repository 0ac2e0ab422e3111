// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Variants of a kernel that give the same numbers: which one is the fastest on a device is found out once and
// kept beside the compiled programs.
#pragma once

#include <gst/tomo/device/device.hpp>

#include <optional>

namespace tomo {

// The environment variable GST_TOMO_TUNE. 0: always the first variant. 1: tries all where none is known yet.
// Not set: the same, where there is so much to do that trying is a small part of it.
class GST_TOMO_API Tuning {
  public:
    // `subject` says what is computed, for what shape; `variants` describe how, the usual one first.
    Tuning(Device &device, std::string subject, std::vector<std::string> variants);

    // The number of a variant. `seconds` runs the n-th; an Error that it throws leaves this one out.
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
