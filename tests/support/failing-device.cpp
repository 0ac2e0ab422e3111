// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

// To be preloaded: device FAILING_DEVICE of the first platform runs so many kernels, FAILING_AFTER, and then
// no more, as one that fell off its bus. Device SLOW_DEVICE, or each without it, takes SLOW_BY microseconds
// more for each.

#include <atomic>
#include <cstdlib>
#include <dlfcn.h>
#include <unistd.h>
#include <vector>

#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl.h>

namespace {

long number_in(const char *name) {
    const char *text = std::getenv(name);
    return text ? std::atol(text) : -1;
}

cl_device_id device_of(const char *name) {
    const long wanted = number_in(name);
    cl_platform_id platform = nullptr;
    cl_uint count = 0;
    if (wanted < 0 || clGetPlatformIDs(1, &platform, nullptr) != CL_SUCCESS ||
        clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 0, nullptr, &count) != CL_SUCCESS ||
        wanted >= static_cast<long>(count))
        return nullptr;
    std::vector<cl_device_id> devices(count);
    clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, count, devices.data(), nullptr);
    return devices[static_cast<std::size_t>(wanted)];
}

std::atomic<long> run{0};

} // namespace

extern "C" cl_int clEnqueueNDRangeKernel(cl_command_queue queue, cl_kernel kernel, cl_uint dimensions,
                                         const std::size_t *offset, const std::size_t *global,
                                         const std::size_t *local, cl_uint waits, const cl_event *list,
                                         cl_event *event) {
    static const auto next =
        reinterpret_cast<decltype(&clEnqueueNDRangeKernel)>(dlsym(RTLD_NEXT, "clEnqueueNDRangeKernel"));
    static const auto failing = device_of("FAILING_DEVICE"), slow = device_of("SLOW_DEVICE");
    cl_device_id device = nullptr;
    if (clGetCommandQueueInfo(queue, CL_QUEUE_DEVICE, sizeof device, &device, nullptr) == CL_SUCCESS) {
        if (device == failing && run.fetch_add(1) >= number_in("FAILING_AFTER"))
            return CL_INVALID_COMMAND_QUEUE;
        if ((device == slow || !slow) && number_in("SLOW_BY") > 0)
            usleep(static_cast<useconds_t>(number_in("SLOW_BY")));
    }
    return next(queue, kernel, dimensions, offset, global, local, waits, list, event);
}
