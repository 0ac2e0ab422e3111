// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/device/context.hpp>
#include <gst/tomo/device/device-list.hpp>
#include <gst/tomo/support/debug.hpp>
#include <gst/tomo/support/error.hpp>

#include <algorithm>
#include <map>
#include <mutex>

#define GST_CAT_DEFAULT tomo::device_debug()

namespace tomo {

namespace {

using Devices = std::vector<std::shared_ptr<Device>>;

// All devices of a platform, in a new context.
std::shared_ptr<const Devices> open_platform(const std::vector<FoundDevice> &found,
                                             const FoundDevice &chosen) {
    std::vector<cl_device_id> ids;
    for (const auto &device : found)
        if (device.platform == chosen.platform)
            ids.push_back(device.id);
    const cl_context_properties properties[] = {CL_CONTEXT_PLATFORM,
                                                reinterpret_cast<cl_context_properties>(chosen.platform), 0};
    cl_int status = CL_SUCCESS;
    const ClContext context(clCreateContext(properties, ids.size(), ids.data(), nullptr, nullptr, &status));
    cl_check(status, "creating an OpenCL context on " + chosen.platform_name);

    auto devices = std::make_shared<Devices>();
    for (std::size_t i = 0; i < found.size(); i++)
        if (found[i].platform == chosen.platform)
            devices->push_back(std::make_shared<Device>(found[i].id, i, context));
    return devices;
}

} // namespace

void Context::set_devices(const std::shared_ptr<const Devices> &devices) {
    devices_ = devices;
    handle_ = ClContext::retained(devices->front()->context());
    platform_ = cl_query<cl_platform_id>(clGetDeviceInfo, devices->front()->id(), CL_DEVICE_PLATFORM);
    default_device_ = devices->front();
}

std::shared_ptr<Context> Context::create(const std::string &selector) {
    static std::mutex lock;
    static std::map<cl_platform_id, std::weak_ptr<const Devices>> open_platforms;

    const auto found = all_devices();
    const auto chosen = choose_device(found, selector);
    std::shared_ptr<Context> context(new Context);
    {
        std::lock_guard<std::mutex> guard(lock);
        auto &known = open_platforms[found[chosen].platform];
        auto devices = known.lock();
        if (!devices)
            known = devices = open_platform(found, found[chosen]);
        context->set_devices(devices);
    }
    for (const auto &device : context->devices())
        if (device->index() == chosen)
            context->default_device_ = device;
    GST_INFO("using %s (%s)", context->default_device_->name().c_str(),
             context->default_device_->driver().c_str());
    return context;
}

std::shared_ptr<Context> Context::with_usual_default() const {
    try {
        const auto usual = choose_device(all_devices(), "");
        for (const auto &device : devices())
            if (device->index() == usual) {
                std::shared_ptr<Context> context(new Context(*this));
                context->default_device_ = device;
                return context;
            }
    } catch (const Error &e) {
        GST_INFO("no usual device: %s", e.what());
    }
    return nullptr;
}

std::shared_ptr<Context> Context::with_memory_limit(std::size_t bytes) const {
    // Those of the process stay open as long as their parts, so that others share them.
    const std::shared_ptr<Devices> limited(new Devices, [whole = devices_](Devices *parts) { delete parts; });
    std::shared_ptr<Context> context(new Context);
    for (const auto &device : devices())
        limited->push_back(std::make_shared<Device>(device, bytes));
    context->set_devices(limited);
    for (std::size_t i = 0; i < limited->size(); i++)
        if (devices()[i] == default_device_)
            context->default_device_ = (*limited)[i];
    return context;
}

std::shared_ptr<Context> Context::wrap(cl_context raw) {
    std::size_t size = 0;
    cl_check(clGetContextInfo(raw, CL_CONTEXT_DEVICES, 0, nullptr, &size),
             "asking a context for its devices");
    std::vector<cl_device_id> ids(size / sizeof(cl_device_id));
    cl_check(clGetContextInfo(raw, CL_CONTEXT_DEVICES, size, ids.data(), nullptr),
             "asking a context for its devices");
    if (ids.empty())
        throw Error(GST_RESOURCE_ERROR_NOT_FOUND, "the given OpenCL context has no device");

    const auto found = all_devices();
    const auto handle = ClContext::retained(raw);
    auto devices = std::make_shared<Devices>();
    for (cl_device_id id : ids) {
        const auto known =
            std::find_if(found.begin(), found.end(), [&](const auto &f) { return f.id == id; });
        devices->push_back(
            std::make_shared<Device>(id, static_cast<unsigned>(known - found.begin()), handle));
    }
    std::shared_ptr<Context> context(new Context);
    context->set_devices(devices);
    return context;
}

std::shared_ptr<Device> Context::find(const std::string &selector) const {
    for (const auto &device : devices())
        if (means_device(selector, device->index(), device->name()))
            return device;
    return nullptr;
}

} // namespace tomo
