// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/device/context.hpp>
#include <gst/tomo/device/device-list.hpp>
#include <gst/tomo/support/debug.hpp>
#include <gst/tomo/support/error.hpp>
#include <gst/tomo/support/threads.hpp>

#include <algorithm>
#include <map>
#include <mutex>

#define GST_CAT_DEFAULT tomo::device_debug()

namespace tomo {

namespace {

// The device of this process, which all contexts share as long as somebody uses it.
std::shared_ptr<Device> open_device(const FoundDevice &found, std::size_t index) {
    struct Place {
        std::mutex lock; // one for each, as drivers take long to open one
        std::weak_ptr<Device> device;
    };
    static std::mutex lock;
    static std::map<cl_device_id, Place> places;

    auto &place = [&]() -> Place & {
        const std::lock_guard<std::mutex> guard(lock);
        return places[found.id];
    }();
    const std::lock_guard<std::mutex> guard(place.lock);
    if (const auto known = place.device.lock())
        return known;
    const cl_context_properties properties[] = {CL_CONTEXT_PLATFORM,
                                                reinterpret_cast<cl_context_properties>(found.platform), 0};
    cl_int status = CL_SUCCESS;
    const ClContext context(clCreateContext(properties, 1, &found.id, nullptr, nullptr, &status));
    cl_check(status, "creating an OpenCL context on " + found.name + " (" + found.platform_name + ")");
    const auto device = std::make_shared<Device>(found.id, static_cast<unsigned>(index), context);
    GST_INFO("opened %s (%s)", device->name().c_str(), device->driver().c_str());
    place.device = device;
    return device;
}

} // namespace

// Contexts that differ in their default share it.
struct Context::Devices {
    std::vector<FoundDevice> found; // of the machine; a wrapped context has all of its devices open instead
    std::size_t limit = 0;          // bytes; 0: that of the process
    std::mutex lock;
    std::vector<std::shared_ptr<Device>> open; // null where nobody asked yet

    std::shared_ptr<Device> get(std::size_t n) {
        {
            const std::lock_guard<std::mutex> guard(lock);
            if (open.at(n))
                return open[n];
        }
        auto device = open_device(found.at(n), n); // without the lock: others want other devices
        const std::lock_guard<std::mutex> guard(lock);
        if (!open[n])
            open[n] = limit ? std::make_shared<Device>(device, limit) : device;
        return open[n];
    }
};

std::shared_ptr<Context> Context::create(const std::string &selector) {
    auto devices = std::make_shared<Devices>();
    devices->found = all_devices();
    devices->open.resize(devices->found.size());
    const std::shared_ptr<Context> context(new Context(devices));
    context->default_ = choose_device(devices->found, selector);
    context->default_device();
    return context;
}

std::shared_ptr<Context> Context::with_usual_default() const {
    try {
        const auto found = all_devices();
        const auto usual = choose_device(found, "");
        for (std::size_t n = 0; n < size(); n++) {
            const auto id = devices_->found.empty() ? devices_->open[n]->id() : devices_->found[n].id;
            if (id != found[usual].id)
                continue;
            const std::shared_ptr<Context> context(new Context(devices_));
            context->default_ = n;
            return context;
        }
    } catch (const Error &e) {
        GST_INFO("no usual device: %s", e.what());
    }
    return nullptr;
}

std::shared_ptr<Context> Context::with_memory_limit(std::size_t bytes) const {
    auto limited = std::make_shared<Devices>();
    limited->found = devices_->found;
    limited->limit = bytes;
    limited->open.resize(size());
    if (limited->found.empty()) // those of a wrapped context
        for (std::size_t n = 0; n < size(); n++)
            limited->open[n] = std::make_shared<Device>(devices_->open[n], bytes);
    const std::shared_ptr<Context> context(new Context(limited));
    context->default_ = default_;
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
        devices->open.push_back(
            std::make_shared<Device>(id, static_cast<unsigned>(known - found.begin()), handle));
    }
    return std::shared_ptr<Context>(new Context(devices));
}

std::size_t Context::size() const { return devices_->open.size(); }

std::shared_ptr<Device> Context::device(std::size_t n) const { return devices_->get(n); }

std::shared_ptr<Device> Context::find(const std::string &selector) const {
    for (std::size_t n = 0; n < size(); n++) {
        const bool is_meant = devices_->found.empty() ? means_device(selector, devices_->open[n]->index(),
                                                                     devices_->open[n]->name())
                                                      : means_device(selector, n, devices_->found[n].name);
        if (is_meant)
            return device(n);
    }
    return nullptr;
}

void Context::open(const std::vector<std::size_t> &numbers) const {
    const auto open_one = [this](std::size_t n) {
        try {
            device(n);
        } catch (...) { // who asks for it is told
        }
    };
    struct Threads {
        std::vector<std::thread> all;
        ~Threads() { // also where one can't be started
            for (auto &thread : all)
                thread.join();
        }
    } threads;
    for (const auto n : numbers)
        threads.all.push_back(start_thread([open_one, n] { open_one(n); }));
}

} // namespace tomo
