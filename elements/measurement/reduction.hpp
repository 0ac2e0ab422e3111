// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Numbers of many samples, computed by kernels/measure.cl in parts that are merged.
#pragma once

#include <gst/tomo/compute/compute.hpp>

namespace tomo::measurement {

// For each of outer x inner results, `count` samples that lie `inner` apart.
struct Reduction {
    std::uint64_t outer, count, inner;

    std::uint64_t results() const { return outer * inner; }

    // Runs a kernel of kernels/measure.cl that makes parts, (inputs..., OUT(tomo_sum, parts), ulong count,
    // uint argument, uint spread), and merges them: two tomo_sum for each result. Order 0 merges extremes,
    // others sums.
    template <class... Inputs>
    Array run(Compute &compute, const char *kernel, unsigned order, unsigned argument,
              const Inputs &...inputs) const {
        const std::uint64_t parts = parts_on(*compute.device());
        Array made = compute.allocate(sums(2 * parts));
        compute.launch(compute.kernel(kernel, "", "measure.cl"), {inner, parts, outer}, inputs..., made,
                       cl_ulong{count}, cl_uint{argument}, spread(*compute.device()));
        return merge(compute, std::move(made), parts, order);
    }

    // So many tomo_sum for each result.
    ArrayInfo sums(std::uint64_t each) const;

  private:
    std::uint64_t parts_on(const Device &device) const;
    static cl_uint spread(const Device &device) { return device.prefers_local_memory(); }
    Array merge(Compute &compute, Array parts, std::uint64_t count, unsigned order) const;
};

} // namespace tomo::measurement
