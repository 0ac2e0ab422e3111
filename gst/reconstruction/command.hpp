// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What a program that drives a reconstruction writes: an object in JSON, as docs/progress.md has it.
#pragma once

#include <string>

namespace tomo::reconstruction {

struct Command {
    enum class Kind { pause, resume, finish, abort, preview };

    Kind kind;
    std::string path; // of a preview; empty: beside the result

    // Throws Error if it is none.
    explicit Command(const std::string &written);
};

} // namespace tomo::reconstruction
