// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "file.hpp"

#include <gst/tomo/device/array.hpp>

namespace tomo::io {

// Format of a stream for samples in a file, UNKNOWN if there is none; `type` is the type in memory.
//   8 bit signed integers become int16, 64 bit ones float64 (exact up to 2^53), 16 bit floats that are not
//   IEEE binary16 float32, long doubles float64, a compound of two floats named r and i (or real, imag)
//   complex64. Booleans and other 8 bit enumerations without negative values, and bit fields, become uint8.
struct Hdf5SampleType {
    GstTomoFormat format = GST_TOMO_FORMAT_UNKNOWN;
    Hdf5Handle type;
};
Hdf5SampleType hdf5_memory_type(hid_t stored);

// The type for samples of a format, in files and in memory.
Hdf5Handle hdf5_type_of(GstTomoFormat format);

// For messages: "signed integers of 8 bytes".
std::string hdf5_describe_type(hid_t type);

} // namespace tomo::io
