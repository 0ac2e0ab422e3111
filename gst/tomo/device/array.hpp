// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/tomo/gsttomoarray.h>

#include <cstddef>
#include <cstdint>
#include <string>

namespace tomo {

// GstTomoArrayInfo with methods. The layout is the same, so C and C++ functions accept both.
struct GST_TOMO_API ArrayInfo : GstTomoArrayInfo {
    ArrayInfo() : ArrayInfo(GST_TOMO_FORMAT_UNKNOWN, 0, 0, 0) {}
    // Throws Error if a size is too large; so does with_size().
    ArrayInfo(GstTomoFormat format, std::uint64_t width, std::uint64_t height, std::uint64_t depth = 1);
    explicit ArrayInfo(const GstTomoArrayInfo &info) : GstTomoArrayInfo(info) {}

    // Throws Error if the caps are not fixed array caps, or if the size overflows.
    static ArrayInfo from_caps(const GstCaps *caps);
    GstCaps *to_caps(bool device_memory) const; // transfer full

    ArrayInfo with_format(GstTomoFormat f) const;
    ArrayInfo with_size(std::uint64_t w, std::uint64_t h, std::uint64_t d) const;
    ArrayInfo with_size(std::uint64_t w, std::uint64_t h) const { return with_size(w, h, depth); }
    ArrayInfo with_domain(GstTomoDomain d) const;
    ArrayInfo with_rate(int n, int d) const;
    // Sets the rate of a stream with `n` frames for every `d` frames of this one.
    ArrayInfo with_rate_times(unsigned n, unsigned d) const;
    // Complex samples become twice as many float32, real and imaginary parts; other formats stay.
    ArrayInfo floats() const;

    bool is_complex() const { return format == GST_TOMO_FORMAT_COMPLEX64; }
    std::size_t sample_size() const { return gst_tomo_format_get_size(format); }
    std::uint64_t samples() const { return std::uint64_t{width} * height * depth; }
    std::uint64_t plane_samples() const { return std::uint64_t{width} * height; }
    std::uint64_t size() const { return samples() * sample_size(); }
    bool is_countable() const;           // whether size() does not overflow
    GstClockTime frame_duration() const; // GST_CLOCK_TIME_NONE when there is no rate
    std::string describe() const;        // "uint16 2048 x 1024 x 1"

    bool operator==(const ArrayInfo &o) const { return gst_tomo_array_info_is_equal(this, &o); }
    bool operator!=(const ArrayInfo &o) const { return !(*this == o); }
};

GST_TOMO_API std::string to_string(const GstCaps *caps);

} // namespace tomo
