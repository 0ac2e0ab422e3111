// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cmath>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

// How a result came about, as it is written beside it.
namespace tomo::io {

// What was read, and a number that changes with it.
struct InputFacts {
    std::string name; // of the element, and the property where it is not the main one
    std::string path, digest, method;
    std::uint64_t files = 0, bytes = 0;
};

struct StepFacts {
    using Parameter = std::variant<bool, std::int64_t, double, std::string>;
    std::string name, plugin, task;
    std::vector<std::pair<std::string, Parameter>> parameters; // all of them
};

struct ResultFacts {
    std::string pipeline; // as JSON; empty where it can't be written down
    std::string folder;   // from which relative names are meant
    std::string device, driver;
    std::string version, gstreamer; // of gst-tomo and of GStreamer
    std::vector<StepFacts> steps;   // against the stream's direction no further than GStreamer sorts them
    std::vector<InputFacts> inputs;
    double pixel_size = std::nan(""); // metres
};

// Which bytes of files count for a digest.
enum class DigestOf { Nothing, Ends, All };

// SHA-256 over the names, sizes and chosen bytes of the files that `path` stands for. Throws where one can't
// be read.
InputFacts digest_input(const std::string &path, DigestOf what);

} // namespace tomo::io
