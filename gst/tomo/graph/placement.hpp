// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Which parts of a dataflow run in copies on several devices.
#pragma once

#include <gst/tomo/support/json.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace tomo {

class Graph;

struct Placement {
    struct Device {
        std::size_t index; // among all devices
        std::string name;
        bool operator==(const Device &other) const { return index == other.index; }
    };
    // Nodes that stand in one row, in the order of the stream.
    using Chain = std::vector<std::size_t>;

    std::vector<Device> devices;
    // The longest rows of nodes of which copies may run side by side (why_not_side_by_side) and that compute
    // on a device. Nodes with a device of their own, nodes that others take values from, and those that only
    // measure, whose messages come in the order of the stream, stand beside them. None on a single device.
    std::vector<Chain> chains;
    // Other nodes that compute, where the default device is none of the chosen ones: they run on the first of
    // these.
    std::vector<std::size_t> moved;
    bool goes_on = false; // after the failure of a device

    bool is_empty() const { return chains.empty() && moved.empty(); }
    bool operator==(const Placement &other) const {
        return devices == other.devices && chains == other.chains && moved == other.moved &&
               goes_on == other.goes_on;
    }
    // As choose_devices() takes them: "0,1".
    std::string device_list() const;
    // [{"nodes": ["ramp-filter", "backproject"], "devices": [{"index": 0, "name": ...}, ...]}, ...]
    Json to_json(const Graph &graph) const;
};

// `devices` as choose_devices() takes them. Throws Error on devices that are not there or named twice.
Placement place(const Graph &graph, const std::string &devices);

} // namespace tomo
