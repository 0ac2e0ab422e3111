// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The images of a result as parts that a dataflow makes by itself. An image is a row of the detector, or in
// the general geometry a plane of the volume.
#pragma once

#include <gst/reconstruction/inspection.hpp>

#include <memory>
#include <optional>
#include <string>

namespace tomo::reconstruction {

// Images that one dataflow makes.
struct PartSize {
    unsigned images;      // 0 if the memory does not take one
    std::uint64_t memory; // bytes that the dataflow holds, about
    std::uint64_t least;  // bytes that the smallest part holds
};

class ImageParts {
  public:
    virtual ~ImageParts() = default;
    virtual unsigned images() const = 0;
    // The most that the memory takes.
    virtual PartSize at_once() const = 0;
    // Rows of the detector, or sinograms, from which a part is made.
    virtual Rows rows(unsigned first, unsigned count) const = 0;
    // The row that shows the middle of an image.
    virtual unsigned row_of(unsigned image) const = 0;
    // A line from the scan to a part, without a sink, and the name of its first element behind the
    // correction.
    virtual std::string line(unsigned first, unsigned count) const = 0;
    virtual std::string first_behind_correction() const = 0;
    // Throws Error where files beside the scan do not fit.
    virtual void check() const = 0;
    // Whether an image can be made without the others.
    virtual bool can_be_single() const { return true; }
};

// Of slices or sinograms. `axis` is an edge coordinate of the full detector, NaN where it is not known yet.
// Settings and scan have to live as long.
GST_TOMO_API std::unique_ptr<ImageParts> parts_of(const Settings &settings, const Inspection &scan, double axis);

} // namespace tomo::reconstruction
