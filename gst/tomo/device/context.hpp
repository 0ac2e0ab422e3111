// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Contexts: the devices that computations choose from, of which only those are opened that are used.
#pragma once

#include <gst/tomo/device/device.hpp>

#include <memory>
#include <string>
#include <vector>

namespace tomo {

// All devices of the machine with one of them as the default, or those of a cl_context of the application. A
// device is opened when somebody asks for it, with a cl_context of its own: drivers take their time and
// memory for each device of a cl_context, used or not. A process opens each device once, whatever contexts
// ask for it, so that budgets and programs of devices count for the whole process. Only those of cl_contexts
// of the application, and parts with a memory limit, are others.
class GST_TOMO_API Context {
  public:
    // With the device of a selector as its default, which is opened: an index over all devices or a part of a
    // name; empty for GST_TOMO_DEVICE, else for the best device (GPU, then accelerator, then CPU). Throws
    // Error if there is no such device, which names all devices, and where its driver fails.
    static std::shared_ptr<Context> create(const std::string &selector);
    // The same context with the device of an empty selector as its default; null if the context does not have
    // that device.
    std::shared_ptr<Context> with_usual_default() const;
    // The same devices, of each of which no more than `bytes` are in use at a time; they count for the whole
    // process as well.
    std::shared_ptr<Context> with_memory_limit(std::size_t bytes) const;
    // A Context for a cl_context that the application made.
    static std::shared_ptr<Context> wrap(cl_context context);

    // Of the default device.
    cl_context handle() const { return default_device()->context(); }
    std::size_t size() const; // devices, opened or not
    // Both open the device. Throw Error where its driver fails.
    std::shared_ptr<Device> device(std::size_t n) const;
    std::shared_ptr<Device> default_device() const { return device(default_); }
    // The first device that a selector means; null if there is none in this context.
    std::shared_ptr<Device> find(const std::string &selector) const;
    // Several devices at the same time, as drivers take long.
    void open(const std::vector<std::size_t> &numbers) const;

  private:
    struct Devices;

    explicit Context(std::shared_ptr<Devices> devices) : devices_(std::move(devices)) {}

    std::shared_ptr<Devices> devices_;
    std::size_t default_ = 0; // its place among them
};

} // namespace tomo
