// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A scan in the layout of APS Data Exchange (https://dxfile.readthedocs.io) that is written while it is
// taken.
#pragma once

#include <gst/tomo/device/array.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace tomo::io {

// What stands beside the projections. Lists have a value for each, or are empty.
struct ExchangeFacts {
    std::vector<double> angles;         // radians
    std::vector<double> times;          // seconds since the epoch
    std::vector<std::uint64_t> numbers; // of frames
    double axis = 0.0;                  // edge coordinate; 0: not known
    std::vector<float> dark, flat;      // the means, an image each
};

class ExchangeWriter {
  public:
    virtual ~ExchangeWriter() = default; // leaves whole images in PATH.partial, unless it has been finished

    // Adds a projection, packed. After an Error call only finish().
    virtual void add(const void *samples) = 0;
    virtual std::uint64_t images() const = 0; // whole ones
    // Completes the file and gives it its name.
    virtual void finish(const ExchangeFacts &facts) = 0;
};

// Throws Error if this is no name of a file of HDF5, or there is a file of that name.
void check_exchange_name(const std::string &path);

// A new HDF5 file, PATH.partial until it is finished. Throws Error if there is a file of that name, or none
// can be.
std::unique_ptr<ExchangeWriter> create_exchange_file(const std::string &path, const ArrayInfo &image);

} // namespace tomo::io
