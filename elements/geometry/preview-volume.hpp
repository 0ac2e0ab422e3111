// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/tomo/compute/compute.hpp>

#include <optional>

namespace tomo {

// A volume on the device, slice by slice. Where it would not fit, voxels become means of 2 x 2 x 2, as often
// as it takes.
class PreviewVolume {
  public:
    // Of so many slices, if that is known; `most` bytes.
    PreviewVolume(Compute &compute, const ArrayInfo &slices, std::optional<std::uint64_t> count,
                  std::uint64_t most);

    void add(const Array &slices);
    // Samples of the slices per voxel, in each direction.
    unsigned binning() const { return 1u << halvings_; }
    std::uint64_t slices() const { return slices_; }
    // float32 voxels, of everything so far. Not to be called twice.
    Array take();

  private:
    static std::uint64_t halved(std::uint64_t length, unsigned times) { return ((length - 1) >> times) + 1; }
    ArrayInfo info(std::uint64_t slices, unsigned halvings) const;
    bool fits(std::uint64_t slices, unsigned halvings) const;
    void make_room(std::uint64_t slices);
    void halve();
    Array zeros(const ArrayInfo &info);
    Kernel kernel(const char *name) { return compute_.kernel(name, {}, "volume-render.cl"); }

    Compute &compute_;
    const ArrayInfo slice_;
    const std::uint64_t most_;
    unsigned halvings_ = 0;
    std::uint64_t slices_ = 0;
    Array sums_; // of the samples in each voxel
};

} // namespace tomo
