// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace tomo::io {

// A file name with at most one integer conversion of printf: %i, %d or %u with flags, width and precision; %%
// is a per cent sign. Throws on other conversions. The first `literal` characters, a folder, are taken
// literally.
class NumberPattern {
  public:
    explicit NumberPattern(const std::string &name, std::size_t literal = 0);

    bool has_number() const { return !conversion_.empty(); }
    std::string name(std::uint64_t number) const; // without a conversion the number is not used
    // The number that gives this name, if one does.
    std::optional<std::uint64_t> number_in(const std::string &name) const;

  private:
    std::string before_, after_;
    std::string conversion_; // for a long long, signed or not
};

// The pattern that gives this name, whatever characters it has. The first `literal` characters stay as they
// are, as a pattern takes them.
std::string escape_pattern(const std::string &name, std::size_t literal = 0);

} // namespace tomo::io
