// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/operators/volume-operator.hpp>
#include <gst/tomo/compute/compute.hpp>

#include <memory>

namespace tomo {

// A volume of which several devices make parts, with an operator and a thread each. Each projection comes
// once and goes to all of them, as far as their slices are seen. The slices are those of one operator, if its
// parts have the bits of the whole.
class GST_TOMO_API SharedVolume final : public VolumeOperator {
  public:
    using Make = std::function<std::unique_ptr<VolumeOperator>(Compute &)>;
    struct Listener {
        // The slices that a device has made so far, when its part is copied.
        std::function<void(const Device &, std::uint64_t planes)> made = {};
        // Just before a function throws the error of this device.
        std::function<void(const Device &)> failed = {};
    };

    // `owner` computes what comes and what goes. Throws Error where an operator can't be made.
    SharedVolume(Compute &owner, const std::vector<std::shared_ptr<Device>> &devices, const Make &make,
                 Listener listener);
    ~SharedVolume() override;

    bool fits(const ArrayInfo &projection, unsigned projections, const VolumePart &part,
              const ArrayInfo &out) const override;
    void begin(const ArrayInfo &projection, unsigned projections, const VolumePart &part) override;
    void add(const Array &projection, const std::vector<WeightedView> &views) override;
    void copy_slices(unsigned first, Array &out, const Greys &greys) override;

  private:
    class Worker;
    Worker &worker_of(unsigned plane) const;
    // Where the part of each worker begins, and the end.
    std::vector<unsigned> borders(const VolumePart &part) const;

    const Listener listener_;
    VolumePart part_;
    std::vector<std::unique_ptr<Worker>> workers_;
};

} // namespace tomo
