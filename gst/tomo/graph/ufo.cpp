// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/graph/ufo.hpp>

#include <algorithm>
#include <map>
#include <vector>

namespace tomo {

namespace {

struct Numbered {
    std::int64_t number;
    const char *name;
};
using Enumeration = std::vector<Numbered>;

// "task.property" of those of ufo-filters after 0.17. Where an enumeration has no numbers of its own, they
// count from 0 in the order of its declaration.
const std::map<std::string, Enumeration> &enumerations() {
    // OpenCL's: CL_ADDRESS_... and CL_FILTER_...
    static const Enumeration addressing = {{0x1130, "none"},
                                           {0x1131, "clamp_to_edge"},
                                           {0x1132, "clamp"},
                                           {0x1133, "repeat"},
                                           {0x1134, "mirrored_repeat"}};
    static const Enumeration interpolation = {{0x1140, "nearest"}, {0x1141, "linear"}, {0x1142, "cubic"}};
    // Precisions of general-backproject.
    static const Enumeration accumulation = {{0, "half"}, {1, "float"}, {2, "double"}};
    // ufo-core's UfoBufferDepth: bits that are set as 16 are written as 3.
    static const Enumeration bits = {{1, "8"}, {3, "16"}, {7, "32"}};
    static const std::map<std::string, Enumeration> all = {
        {"backproject.mode", {{0, "nearest"}, {1, "texture"}}},
        {"cross-correlate.postproc", {{0, "align"}, {1, "output"}, {2, "pick-closest"}}},
        {"detect-edge.addressing-mode", addressing},
        {"detect-edge.filter", {{0, "sobel"}, {1, "laplace"}, {2, "prewitt"}}},
        {"filter.filter",
         {{0, "ramp"},
          {1, "ramp-fromreal"},
          {2, "butterworth"},
          {3, "faris-byer"},
          {4, "hamming"},
          {5, "bh3"}}},
        {"find-large-spots.addressing-mode", addressing},
        {"find-large-spots.spot-threshold-mode", {{-1, "below"}, {0, "absolute"}, {1, "above"}}},
        {"flatten-inplace.mode", {{0, "sum"}, {1, "min"}, {2, "max"}}},
        {"flip.direction", {{0, "horizontal"}, {1, "vertical"}}},
        {"general-backproject.addressing-mode", addressing},
        {"general-backproject.compute-type", {{0, "float"}, {1, "double"}}},
        {"general-backproject.parameter",
         {{0, "axis-angle-x"},
          {1, "axis-angle-y"},
          {2, "axis-angle-z"},
          {3, "volume-angle-x"},
          {4, "volume-angle-y"},
          {5, "volume-angle-z"},
          {6, "detector-angle-x"},
          {7, "detector-angle-y"},
          {8, "detector-angle-z"},
          {9, "detector-position-x"},
          {10, "detector-position-y"},
          {11, "detector-position-z"},
          {12, "source-position-x"},
          {13, "source-position-y"},
          {14, "source-position-z"},
          {15, "center-position-x"},
          {16, "center-position-z"},
          {17, "z"}}},
        {"general-backproject.result-type", accumulation},
        {"general-backproject.store-type",
         {{0, "half"}, {1, "float"}, {2, "double"}, {3, "uchar"}, {4, "ushort"}, {5, "uint"}}},
        {"gradient.addressing-mode", addressing},
        {"gradient.direction",
         {{0, "horizontal"}, {1, "vertical"}, {2, "both"}, {3, "both_abs"}, {4, "both_mag"}}},
        {"gradient.finite-difference-type", {{0, "forward"}, {1, "backward"}, {2, "central"}}},
        {"lamino-backproject.addressing-mode", addressing},
        {"lamino-backproject.parameter", {{0, "z"}, {1, "x-center"}, {2, "lamino-angle"}, {3, "roll-angle"}}},
        {"map-coordinates.addressing-mode", addressing},
        {"map-coordinates.interpolation", interpolation},
        {"measure.metric",
         {{0, "min"},
          {1, "max"},
          {2, "sum"},
          {3, "mean"},
          {4, "var"},
          {5, "std"},
          {6, "skew"},
          {7, "kurtosis"}}},
        {"memory-in.bitdepth", bits},
        {"memory-in.memory-location", {{0, "host"}, {1, "buffer"}}},
        {"non-local-means.addressing-mode", addressing},
        {"pad.addressing-mode", addressing},
        {"polar-coordinates.direction", {{0, "polar_to_cartesian"}, {1, "cartesian_to_polar"}}},
        {"read.raw-bitdepth", bits},
        // Of a build with libtiff and HDF5.
        {"read.type", {{0, "edf"}, {1, "raw"}, {2, "tiff"}, {3, "hdf5"}, {4, "unspecified"}}},
        {"rescale.interpolation", {{0x1140, "nearest"}, {0x1141, "linear"}}},
        // 0.16 had two methods more; its 2 and 4 are these.
        {"retrieve-phase.method", {{0, "tie"}, {1, "ctf"}, {2, "ctf_multidistance"}, {3, "qp"}, {4, "qp2"}}},
        {"rotate.addressing-mode", addressing},
        {"rotate.interpolation", interpolation},
        {"stacked-backproject.precision-mode", {{0, "int8"}, {1, "half"}, {2, "single"}}},
        {"stdin.bitdepth", bits},
    };
    return all;
}

const Enumeration *choices_of(const std::string &task, const std::string &property) {
    const auto found = enumerations().find(task + "." + property);
    return found == enumerations().end() ? nullptr : &found->second;
}

} // namespace

std::optional<std::string> ufo_choice(const std::string &task, const std::string &property,
                                      std::int64_t number) {
    const Enumeration *choices = choices_of(task, property);
    if (!choices)
        return {};
    const auto found = std::find_if(choices->begin(), choices->end(),
                                    [&](const Numbered &choice) { return choice.number == number; });
    return found == choices->end() ? std::nullopt : std::optional<std::string>(found->name);
}

std::string ufo_choices(const std::string &task, const std::string &property) {
    std::string list;
    if (const Enumeration *choices = choices_of(task, property))
        for (const Numbered &choice : *choices)
            list += (list.empty() ? "" : ", ") + std::to_string(choice.number) + " " + choice.name;
    return list;
}

} // namespace tomo
