// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Contexts: the devices of a platform, with the default one.
#pragma once

#include <gst/tomo/device/device.hpp>

#include <memory>
#include <string>
#include <vector>

namespace tomo {

// One cl_context over all devices of one platform. A process has one Context per platform, apart from
// contexts made by the application and those with a memory limit of their own, so that budgets and programs
// of devices count for the whole process.
class GST_TOMO_API Context {
  public:
    // The context with the device of a selector: an index over all devices or a part of a name; empty for
    // GST_TOMO_DEVICE, else for the best device (GPU, then accelerator, then CPU). If there is no such
    // device, throws an Error that names all devices.
    static std::shared_ptr<Context> create(const std::string &selector);
    // The same context with the device of an empty selector as its default; null if the context does not have
    // that device.
    std::shared_ptr<Context> with_usual_default() const;
    // The same devices, of each of which no more than `bytes` are in use at a time; they count for the whole
    // process as well.
    std::shared_ptr<Context> with_memory_limit(std::size_t bytes) const;
    // A Context for a cl_context that the application made.
    static std::shared_ptr<Context> wrap(cl_context context);

    const ClContext &handle() const { return handle_; }
    cl_platform_id platform() const { return platform_; }
    const std::vector<std::shared_ptr<Device>> &devices() const { return *devices_; }
    // The device of a selector if this context has it, else null.
    std::shared_ptr<Device> find(const std::string &selector) const;
    std::shared_ptr<Device> default_device() const { return default_device_; }

  private:
    using Devices = std::vector<std::shared_ptr<Device>>;

    Context() = default;
    Context(const Context &) = default;
    void set_devices(const std::shared_ptr<const Devices> &devices);

    ClContext handle_;
    cl_platform_id platform_ = nullptr;
    std::shared_ptr<const Devices> devices_;
    std::shared_ptr<Device> default_device_;
};

} // namespace tomo
