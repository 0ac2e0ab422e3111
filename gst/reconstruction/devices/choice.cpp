// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/reconstruction/devices/choice.hpp>

#include <gst/reconstruction/method.hpp>
#include <gst/reconstruction/speed.hpp>
#include <gst/tomo/device/device-list.hpp>
#include <gst/tomo/gsttomograph.h>

#include <algorithm>

namespace tomo::reconstruction {

static double speed_of(const FoundDevice &device) {
    const auto units = cl_query<cl_uint>(clGetDeviceInfo, device.id, CL_DEVICE_MAX_COMPUTE_UNITS);
    return rates_of((device.type & CL_DEVICE_TYPE_CPU) != 0, units, 0.0).updates;
}

std::vector<SharingDevice> devices_of(const Settings &settings) {
    if (settings.devices.is_given() && settings.device.is_given())
        throw Error(GST_TOMO_GRAPH_ERROR, GST_TOMO_GRAPH_ERROR_VALUE,
                    "device and devices are given, which say the same; leave one of them out");
    const char *usual = g_getenv("GST_TOMO_DEVICES");
    if (settings.devices.empty() && (settings.device.is_given() || !usual || !*usual))
        return {};
    const auto found = all_devices();
    std::vector<SharingDevice> devices;
    for (const auto index : choose_devices(found, settings.devices))
        devices.push_back({index, found[index].name, speed_of(found[index])});
    std::stable_sort(devices.begin(), devices.end(),
                     [](const auto &a, const auto &b) { return a.speed > b.speed; });
    return devices;
}

std::vector<SharingDevice> take_devices_slower_than(std::vector<SharingDevice> &devices, double times) {
    std::vector<SharingDevice> slow;
    if (devices.empty())
        return slow;
    const double fastest = devices.front().speed;
    const auto first = std::find_if(devices.begin(), devices.end(),
                                    [&](const auto &device) { return device.speed * times < fastest; });
    slow.assign(first, devices.end());
    devices.erase(first, devices.end());
    return slow;
}

std::vector<SharingDevice> take_processors_beside_gpus(std::vector<SharingDevice> &devices) {
    const auto found = all_devices();
    const auto is_processor = [&](const SharingDevice &device) {
        return (found.at(device.index).type & CL_DEVICE_TYPE_CPU) != 0;
    };
    std::vector<SharingDevice> processors;
    if (devices.empty() || is_processor(devices.front()))
        return processors;
    const auto first = std::stable_partition(devices.begin(), devices.end(),
                                             [&](const auto &device) { return !is_processor(device); });
    processors.assign(first, devices.end());
    devices.erase(first, devices.end());
    return processors;
}

std::string why_not_shared(const Settings &settings) {
    return settings.result.is("slices") ? "" : "no slices are made";
}

} // namespace tomo::reconstruction
