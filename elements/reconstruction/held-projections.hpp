// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/tomo/compute/compute.hpp>
#include <gst/tomo/support/error.hpp>

#include <memory>
#include <vector>

namespace tomo {

// Projections in the host's memory, one after the other, as they came.
class HeldProjections {
  public:
    explicit HeldProjections(Compute &owner) : owner_(owner) {}

    void add(const Array &plane) {
        info_ = plane.info();
        std::unique_ptr<char[]> copy(new (std::nothrow) char[info_.size()]);
        if (!copy)
            throw Error(GST_RESOURCE_ERROR_NO_SPACE_LEFT,
                        text("no memory to hold projection %zu (%s) until the volume is made: use fewer or "
                             "smaller projections, or make the volume in parts",
                             planes_.size(), info_.describe().c_str()));
        const Host<const char> samples(plane);
        std::memcpy(copy.get(), samples.data(), info_.size());
        planes_.push_back(std::move(copy));
    }
    Array on_device(std::size_t i) const {
        Array plane = owner_.allocate(info_);
        {
            const Host<char> samples(plane);
            std::memcpy(samples.data(), planes_[i].get(), info_.size());
        }
        return plane;
    }
    void clear() { planes_.clear(); }

  private:
    Compute &owner_;
    ArrayInfo info_;
    std::vector<std::unique_ptr<char[]>> planes_;
};

} // namespace tomo
