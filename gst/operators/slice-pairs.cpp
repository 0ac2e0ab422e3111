// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/operators/slice-pairs.hpp>
#include <gst/tomo/device/device.hpp>

namespace tomo::fourier {

bool works_in_groups(const Device &device) {
    return device.prefers_local_memory() && device.max_work_group() >= 256;
}

unsigned pairs_that_pay(const Device &device) { return device.prefers_local_memory() ? 16 : 8; }

Kernel kernel_of_pairs(Compute &compute, const char *function, unsigned pairs, const char *file,
                       const std::string &options) {
    const bool in_groups = works_in_groups(*compute.device());
    return compute.kernel(function,
                          text("-D PAIRS=%u -D LANES=%u%s", pairs, std::min(2 * pairs, in_groups ? 8u : 16u),
                               in_groups ? " -D IN_GROUPS" : "") +
                              options,
                          file);
}

Array no_slice_is_bad(Compute &compute, unsigned pairs) {
    Array is_bad = compute.allocate({GST_TOMO_FORMAT_UINT32, 2 * pairs, 1});
    const cl_uint none = 0;
    compute.fill(is_bad, &none, sizeof none);
    return is_bad;
}

} // namespace tomo::fourier
