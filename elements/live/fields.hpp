// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Darks and flats of a live stream.
#pragma once

#include "frame-meta.hpp"

#include <gst/tomo/device/array.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tomo::live {

enum class FieldKind { dark, flat };
const char *name_of(FieldKind kind); // "darks" or "flats"

// The mean of several darks or flats, one value for each pixel.
struct Field {
    unsigned width = 0, height = 0, frames = 0;
    std::vector<float> mean;

    bool fits(const ArrayInfo &image) const { return width == image.width && height == image.height; }
};

// Those in force for a frame; null: not taken yet.
struct Fields {
    static constexpr char meta_name[] = "GstTomoFieldsMeta", meta_api_name[] = "GstTomoFieldsMetaAPI";

    std::shared_ptr<const Field> dark, flat;
};
using FieldsMeta = FrameMeta<Fields>;

// Adds up frames, in double precision.
class FieldSum {
  public:
    FieldSum(const ArrayInfo &image, unsigned frames);

    // `samples` of the image's format; whether these were the last ones. Throws Error on a complex format.
    bool add(const void *samples);
    std::shared_ptr<const Field> mean() const;
    unsigned missing() const { return frames_ - count_; }

  private:
    const ArrayInfo image_;
    const unsigned frames_;
    unsigned count_ = 0;
    std::vector<double> sums_;
};

// The mean of all images of a file, folder or pattern; of a scan, that of its darks or flats. Throws Error.
std::shared_ptr<const Field> read_field(const std::string &path, FieldKind kind);

} // namespace tomo::live
