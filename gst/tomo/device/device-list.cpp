// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/device/device-list.hpp>
#include <gst/tomo/support/descriptors.hpp>
#include <gst/tomo/support/error.hpp>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <mutex>

namespace tomo {

namespace {

std::string describe(const std::vector<FoundDevice> &devices) {
    std::string list;
    for (std::size_t i = 0; i < devices.size(); i++)
        list += text("%s%zu: %s (%s)", i ? ", " : "", i, devices[i].name.c_str(),
                     devices[i].platform_name.c_str());
    return list;
}

bool is_index(const std::string &selector) {
    return !selector.empty() && selector.find_first_not_of("0123456789") == std::string::npos;
}

void need_devices(const std::vector<FoundDevice> &devices) {
    if (!devices.empty())
        return;
    need_files(4, "the OpenCL library"); // the list of drivers is a folder of files
    throw Error(GST_RESOURCE_ERROR_NOT_FOUND,
                "no OpenCL device was found: install the driver of your GPU, or PoCL (package "
                "pocl-opencl-icd) to compute on the CPU");
}

} // namespace

std::vector<FoundDevice> all_devices() {
    // One thread at a time: PoCL (3.1) tells a second one that there is no device while the first one is at
    // it.
    static std::mutex lock;
    use_threads();
    const std::lock_guard<std::mutex> guard(lock);
    std::vector<FoundDevice> found;
    cl_uint n = 0;
    if (clGetPlatformIDs(0, nullptr, &n) != CL_SUCCESS || n == 0)
        return found;
    std::vector<cl_platform_id> platforms(n);
    cl_check(clGetPlatformIDs(n, platforms.data(), nullptr), "listing OpenCL platforms");
    for (cl_platform_id platform : platforms) {
        cl_uint m = 0;
        if (clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 0, nullptr, &m) != CL_SUCCESS || m == 0)
            continue;
        std::vector<cl_device_id> ids(m);
        cl_check(clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, m, ids.data(), nullptr),
                 "listing OpenCL devices");
        for (cl_device_id id : ids)
            found.push_back({platform, id, cl_query<cl_device_type>(clGetDeviceInfo, id, CL_DEVICE_TYPE),
                             cl_query_string(clGetDeviceInfo, id, CL_DEVICE_NAME),
                             cl_query_string(clGetPlatformInfo, platform, CL_PLATFORM_NAME)});
    }
    return found;
}

bool means_device(const std::string &selector, std::size_t index, const std::string &name) {
    if (is_index(selector))
        return std::strtoul(selector.c_str(), nullptr, 10) == index;
    return std::search(name.begin(), name.end(), selector.begin(), selector.end(),
                       [](char a, char b) { return g_ascii_tolower(a) == g_ascii_tolower(b); }) != name.end();
}

std::size_t choose_device(const std::vector<FoundDevice> &devices, std::string selector) {
    need_devices(devices);
    const char *origin = "device";
    if (selector.empty()) {
        if (const char *env = g_getenv("GST_TOMO_DEVICE")) {
            selector = env;
            origin = "GST_TOMO_DEVICE";
        }
    }
    if (selector.empty()) {
        for (cl_device_type type : {CL_DEVICE_TYPE_GPU, CL_DEVICE_TYPE_ACCELERATOR})
            for (std::size_t i = 0; i < devices.size(); i++)
                if (devices[i].type & type)
                    return i;
        return 0;
    }
    for (std::size_t i = 0; i < devices.size(); i++)
        if (means_device(selector, i, devices[i].name))
            return i;
    throw Error(GST_RESOURCE_ERROR_NOT_FOUND,
                text("%s=%s means none of the OpenCL devices, which are, by index: %s", origin,
                     selector.c_str(), describe(devices).c_str()));
}

std::vector<std::size_t> choose_devices(const std::vector<FoundDevice> &devices, std::string list) {
    need_devices(devices);
    const char *origin = "devices";
    if (list.empty()) {
        const char *env = g_getenv("GST_TOMO_DEVICES");
        list = env && *env ? env : "all";
        origin = "GST_TOMO_DEVICES";
    }
    const auto refuse = [&](const std::string &problem) {
        throw Error(GST_RESOURCE_ERROR_NOT_FOUND,
                    text("%s=%s %s; the OpenCL devices are, by index: %s", origin, list.c_str(),
                         problem.c_str(), describe(devices).c_str()));
    };
    const auto means = [&](const std::string &part, std::size_t i) {
        if (part == "all")
            return true;
        if (part == "gpu" || part == "cpu")
            return (devices[i].type & (part == "gpu" ? CL_DEVICE_TYPE_GPU : CL_DEVICE_TYPE_CPU)) != 0;
        return means_device(part, i, devices[i].name);
    };
    std::vector<std::size_t> chosen;
    std::vector<bool> by_index; // of these
    // One processor, or one GPU, may be there twice, by the drivers of two platforms.
    const auto refuse_second_platform = [&](std::size_t i, bool is_index) {
        constexpr cl_device_type kinds = CL_DEVICE_TYPE_GPU | CL_DEVICE_TYPE_CPU | CL_DEVICE_TYPE_ACCELERATOR;
        for (std::size_t k = 0; k < chosen.size(); k++) {
            const auto &one = devices[chosen[k]], &other = devices[i];
            if ((one.type & other.type & kinds) && one.platform != other.platform &&
                !(by_index[k] && is_index))
                refuse(text(
                    "means devices %zu and %zu, which are of one kind and of two platforms, %s and %s, and may be "
                    "one device with two drivers: name those of one platform, or each by its index",
                    chosen[k], i, one.platform_name.c_str(), other.platform_name.c_str()));
        }
    };
    const std::unique_ptr<gchar *, decltype(&g_strfreev)> parts(g_strsplit_set(list.c_str(), ",+", -1),
                                                                g_strfreev);
    for (gchar **each = parts.get(); *each; each++) {
        const std::string part = g_strstrip(*each);
        if (part.empty())
            refuse("has an empty part");
        bool is_any = false;
        for (std::size_t i = 0; i < devices.size(); i++) {
            if (!means(part, i))
                continue;
            is_any = true;
            if (std::find(chosen.begin(), chosen.end(), i) != chosen.end())
                refuse(text("names device %zu twice", i));
            refuse_second_platform(i, is_index(part));
            chosen.push_back(i);
            by_index.push_back(is_index(part));
        }
        if (!is_any)
            refuse(text("has '%s', which means none of them", part.c_str()));
    }
    return chosen;
}

std::string describe_devices() { return describe(all_devices()); }

} // namespace tomo
