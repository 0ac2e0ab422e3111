// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <string>

namespace tomo::io {

// A file name with at most one conversion of an integer as printf has it: %i, %d or %u with flags, width and
// precision; %% is a per cent sign. Anything else is refused with an Error.
class NumberPattern {
  public:
    explicit NumberPattern(const std::string &name);

    bool has_number() const { return !conversion_.empty(); }
    std::string name(std::uint64_t number) const; // the number is not used where there is no conversion

  private:
    std::string before_, after_;
    std::string conversion_; // for a long long, signed or not
};

} // namespace tomo::io
