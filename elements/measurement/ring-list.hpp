// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Lists of rings. A list is one row: the number of rings, then x, y, radius, contrast and intensity of each,
// in pixels from the centre of the first one; further values are not used.
#pragma once

#include <gst/tomo/bases/transform.hpp>

#include <vector>

namespace tomo {

struct Ring {
    float x, y, radius, contrast, intensity;

    // How clearly it is seen.
    float strength() const { return contrast * intensity; }
    double distance(const Ring &other) const;
};

// Throws Error unless these are lists of rings.
void check_ring_list(const ArrayInfo &info);
// The rings of a list of this shape. Throws Error on a number that can't be; `number` is that of the list,
// for the message.
std::vector<Ring> rings_of(const float *list, const ArrayInfo &info, std::uint64_t number);
// Likewise, from a buffer.
std::vector<Ring> rings_of(GstBuffer *buffer, const ArrayInfo &info, std::uint64_t number);
BufferRef list_of(const std::vector<Ring> &rings);
// Of this list, with the rate of `in`.
ArrayInfo list_info(const std::vector<Ring> &rings, const ArrayInfo &in);

// A filter of lists, on the host.
class RingFilter : public Transform {
  public:
    bool needs_device() const override { return false; }

  protected:
    virtual std::vector<Ring> filter(std::vector<Ring> rings) = 0;

    void begin(const ArrayInfo &in) override { check_ring_list(in); }
    GstFlowReturn take(GstBuffer *buffer) override;
    void clear() override { lists_ = 0; }

    // For filters that compare each ring with pairs of others. Throws Error on lists for which that takes
    // minutes.
    static void check_number(const std::vector<Ring> &rings);

  private:
    std::uint64_t lists_ = 0;
};

} // namespace tomo
