// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "reduction.hpp"

#include <algorithm>

namespace tomo::measurement {

ArrayInfo Reduction::sums(std::uint64_t each) const {
    return {GST_TOMO_FORMAT_COMPLEX64, each, 1, results()};
}

// Enough work-items for the device, with enough samples for each.
std::uint64_t Reduction::parts_on(const Device &device) const {
    const std::uint64_t wanted = device.prefers_local_memory() ? 65536 : 4 * device.compute_units();
    constexpr std::uint64_t least_samples = 64, most_parts = 16384;
    return std::clamp<std::uint64_t>(std::min(wanted / results(), count / least_samples), 1, most_parts);
}

Array Reduction::merge(Compute &compute, Array parts, std::uint64_t count, unsigned order) const {
    while (count > 1) {
        constexpr std::uint64_t most_at_once = 256, few = 128;
        const std::uint64_t next = count > most_at_once ? few : 1;
        Array merged = compute.allocate(sums(2 * next));
        compute.launch(compute.kernel("measure_merge", "", "measure.cl"), {1, next, results()},
                       std::as_const(parts), merged, cl_ulong{count}, cl_uint{order},
                       spread(*compute.device()));
        parts = std::move(merged);
        count = next;
    }
    return parts;
}

} // namespace tomo::measurement
