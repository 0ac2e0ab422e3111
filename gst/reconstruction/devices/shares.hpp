// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Devices that share the slices of one reconstruction, and what each of them makes.
#pragma once

#include <gst/tomo/support/json.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <gst/gst.h>

namespace tomo::reconstruction {

struct SharingDevice {
    std::size_t index; // over all devices, as property "device" of the elements takes it
    std::string name;
    double speed; // relative to that of other devices, by kind and compute units
};

// Indices with commas between, as `devices` takes them.
std::string indices_of(const std::vector<SharingDevice> &devices);

// Images by device, as its elements tell by messages.
class SharesOfDevices {
  public:
    // Of the line that begins.
    void begin() { before_ = all(), line_.clear(); }
    // Takes a message of an element. Returns whether it told of a device.
    bool look_at(const GstStructure *message);
    // Images that a device made by lines of its own.
    void made(const SharingDevice &device, std::uint64_t images);
    bool is_empty() const { return before_.empty() && line_.empty(); }
    // Images of each device so far, by its name.
    std::map<std::string, std::uint64_t> all() const;
    std::uint64_t sum() const;
    Json json() const;
    // "131 on device 0 (...), 125 on device 1 (...)".
    std::string text() const;

  private:
    std::map<std::string, std::uint64_t> before_;
    std::map<std::pair<std::string, std::string>, std::uint64_t> line_; // by element and device
};

} // namespace tomo::reconstruction
