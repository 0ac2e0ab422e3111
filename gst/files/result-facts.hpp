// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

// Facts about the making of a result, which are written beside it.
namespace tomo::io {

// The input files, with a digest of their contents.
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
    std::string source; // "property", "scan", "found" or "assumed"; empty if the origin is obvious
};

// An element that took part in making the result.
struct StepFacts {
    std::string name, plugin, task;
    // Properties that are not automatic; the values of automatic ones are effective values.
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
    std::string pipeline;           // as JSON; empty if JSON can't express it
    std::string folder;             // to which relative names refer
    std::string device, driver;     // of several devices with commas between: "0: NAME, 1: NAME"
    std::string version, gstreamer; // of gst-tomo and of GStreamer
    std::vector<StepFacts> steps;   // in the order in which GStreamer sorts them, sources first
    std::vector<InputFacts> inputs;
    // Known only at the end.
    std::vector<EffectiveFact> effective;
    std::vector<AxisFacts> axes = {
        {"z", "pixel", 0, 1, {}}, {"y", "pixel", 0, 1, {}}, {"x", "pixel", 0, 1, {}}};
};

// The bytes of files that go into a digest.
enum class DigestOf { Nothing, Ends, All };

// SHA-256 over the names, sizes and chosen bytes of the files of `path`. Throws if one can't be read.
InputFacts digest_input(const std::string &path, DigestOf what);

} // namespace tomo::io
