// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/files/input-file.hpp>
#include <gst/files/stored-samples.hpp>

#include <vector>

namespace tomo::io {

// The header of a file of numpy.save(). Source: numpy.lib.format, versions 1.0 to 3.0.
struct NpyHeader {
    StoredType type;
    std::string said_type;      // as in the header: "<f4"
    bool fortran_order = false; // the first axis is the fastest one
    std::vector<std::uint64_t> shape;
    std::uint64_t offset = 0; // of the first sample

    // Throws if the file has no such header, or samples that no image has.
    explicit NpyHeader(const InputFile &file);
};

// A header for samples of a format in the byte order of the host and in C order, of `bytes` bytes. Throws if
// that is too small.
std::string npy_header(GstTomoFormat format, const std::vector<std::uint64_t> &shape, std::uint64_t bytes);

} // namespace tomo::io
