// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "image-reader.hpp"
#include "input-file.hpp"

#include <vector>

namespace tomo::io {

// Storage of samples in a file, and their type in a page.
struct StoredType {
    // Stored types without a format of their own: 8 bit signed integers become int16, 64 bit ones float64
    // (exact up to 2^53), packed 12 bit ones uint16.
    enum class Form { AsFormat, Int8, Int64, UInt64, Packed12 };

    GstTomoFormat format = GST_TOMO_FORMAT_UNKNOWN; // of the page
    Form form = Form::AsFormat;
    bool swapped = false; // not the byte order of the host
    Packing12 packing = Packing12::LowFirst;

    unsigned bits() const;
};

// The type for samples that are stored in this format without conversion.
StoredType stored_as(GstTomoFormat format, bool swapped = false);
StoredType stored_as(StoredType::Form form, bool swapped = false);

// Bytes of an image without gaps between the rows; false if the number overflows.
bool stored_size(const StoredType &type, std::uint64_t width, std::uint64_t height, std::uint64_t &bytes);

// Reads the rows of the region of an image at `offset`, and nothing else of the file, into `destination`,
// which must have room for them. `where` names the page in errors.
void read_stored_rows(const InputFile &file, std::uint64_t offset, const StoredType &type, unsigned width,
                      unsigned height, const RowRegion &rows, void *destination, const std::string &where);

// Reads `count` real samples as numbers. Empty if they are complex.
std::vector<double> read_stored_numbers(const InputFile &file, std::uint64_t offset, const StoredType &type,
                                        unsigned count, const std::string &where);

} // namespace tomo::io
