// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The OpenCL devices of this machine, and their selection by users.
#pragma once

#include <gst/tomo/device/cl.hpp>

#include <string>
#include <vector>

namespace tomo {

struct FoundDevice {
    cl_platform_id platform;
    cl_device_id id;
    cl_device_type type;
    std::string name;
    std::string platform_name;
};

// All devices of all platforms, in the order of the ICD loader. Users select a device by its index in this
// list.
GST_TOMO_API std::vector<FoundDevice> all_devices();
// Whether a selector, an index or a part of a name, selects this device.
bool means_device(const std::string &selector, std::size_t index, const std::string &name);
// The index of the selected device, see Context::create(). Throws Error if there is none.
std::size_t choose_device(const std::vector<FoundDevice> &devices, std::string selector);
// The devices of a list, in its order: all, gpu, cpu, indices and parts of names, with commas or + between; a name
// means all devices whose names have it. Empty: the environment variable GST_TOMO_DEVICES, else all. Throws
// Error on a part of the list that means no device, on a device that is meant twice, and where devices of one
// kind, GPUs or processors, are of two platforms, unless all of these are named by index.
GST_TOMO_API std::vector<std::size_t> choose_devices(const std::vector<FoundDevice> &devices,
                                                     std::string list);
// A list of all devices for people: "0: NVIDIA H100 (NVIDIA CUDA), 1: ...".
GST_TOMO_API std::string describe_devices();

} // namespace tomo
