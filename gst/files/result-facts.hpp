// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

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

using FactValue = std::variant<bool, std::int64_t, double, std::string>;

// A value that was in force.
struct EffectiveFact {
    std::string name; // such as "axis", with underscores between words
    FactValue value;
    std::string units;  // as NeXus writes them; empty where there are none
    std::string source; // "property", "scan", "found" or "assumed"; empty where that is no question
};

// An element that took part in making the result.
struct StepFacts {
    std::string name, plugin, task;
    // Properties whose values mean themselves; what "automatic" became is an effective value.
    std::vector<std::pair<std::string, FactValue>> parameters;
};

// One axis of a dataset of images, rows and columns: number i has its centre at origin + (i + 1/2) * step, or
// at values[i].
struct AxisFacts {
    std::string name, units;
    double origin = 0, step = 1;
    std::vector<double> values;
};

struct ResultFacts {
    std::string pipeline; // as JSON; empty where it can't be written down
    std::string folder;   // from which relative names are meant
    std::string device, driver;
    std::string version, gstreamer; // of gst-tomo and of GStreamer
    std::vector<StepFacts> steps;   // in the order in which GStreamer sorts them, sources first
    std::vector<InputFacts> inputs;
    // What is known at the end only.
    std::vector<EffectiveFact> effective;
    std::vector<AxisFacts> axes = {
        {"z", "pixel", 0, 1, {}}, {"y", "pixel", 0, 1, {}}, {"x", "pixel", 0, 1, {}}};
};

// Which bytes of files count for a digest.
enum class DigestOf { Nothing, Ends, All };

// SHA-256 over the names, sizes and chosen bytes of the files that `path` stands for. Throws where one can't
// be read.
InputFacts digest_input(const std::string &path, DigestOf what);

} // namespace tomo::io
