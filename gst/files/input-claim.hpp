// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <memory>
#include <string>
#include <vector>

namespace tomo::io {

// Files that a source of this process reads or will read. While this object or a copy exists, no writer
// replaces them, because the source would read the new contents.
class InputClaim {
  public:
    InputClaim() = default;
    // Names of files, or datasets in files.
    explicit InputClaim(std::vector<std::string> locations);

    struct Files;

  private:
    std::shared_ptr<const Files> files_;
};

// Throws if a claim holds `path`.
void refuse_to_replace_input(const std::string &path);

} // namespace tomo::io
