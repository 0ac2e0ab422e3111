// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/tomo/bases/property.hpp>
#include <gst/tomo/geometry/scan.hpp>

#include <optional>

namespace tomo::live {

// Number and angle of each projection of a stream.
class ViewRule {
  public:
    explicit ViewRule(Element *owner)
        : angle_step(
              owner, "angle-step", Automatic{0}, When::reshapes,
              "Radians from the projection of one number to the next one, negative for the other sense; 0: speed, else the angles of the source"),
          speed(
              owner, "speed", Automatic{0}, When::reshapes,
              "Radians in a second, by which the time of a projection tells its angle; 0: the angles of the source") {
    }

    Property<double> angle_step, speed;
    Scan scan; // of the stream

    // The next array, of so many projections. The buffer stays until the next call.
    void begin(GstBuffer *buffer, unsigned depth);
    // Of a projection among all, counted from 0: arrays are numbered, and all stacks but the last one have
    // one depth.
    std::uint64_t number(unsigned plane) const;
    // Radians. Throws Error where nobody tells it.
    double angle(unsigned plane);
    // Time of the exposure, else of the buffer; not valid where there is none.
    GstClockTime time() const;

    // Another stream begins.
    void forget();
    // Stacks of another depth begin.
    void forget_stacks() { most_depth_ = 0; }

  private:
    GstBuffer *buffer_ = nullptr;
    unsigned depth_ = 0, most_depth_ = 0;   // of this array, and of all arrays but the last one
    std::uint64_t arrays_ = 0, planes_ = 0; // before this one
    std::optional<GstClockTime> first_time_;
};

} // namespace tomo::live
