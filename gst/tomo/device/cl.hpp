// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Owning wrappers of OpenCL handles. No other file keeps a raw cl_* handle.
#pragma once

#include <gst/tomo/support/forked.hpp>

#ifndef CL_TARGET_OPENCL_VERSION
#define CL_TARGET_OPENCL_VERSION 120
#endif
#include <CL/cl.h>

#include <utility>
#include <vector>

namespace tomo {

// "CL_OUT_OF_RESOURCES" for -5; "unknown OpenCL error" for numbers that the standard does not name.
GST_TOMO_API const char *cl_error_name(int status);

// Throws Error unless status is CL_SUCCESS. `what` names the call, the kernel or the purpose.
GST_TOMO_API void cl_check(cl_int status, const std::string &what);

// Whether a call or a command of OpenCL failed, rather than a file or a setting.
GST_TOMO_API bool is_device_failure(const Error &error);

// Whether the device had no room; a caller may try again when less memory is in use.
inline bool cl_is_out_of_memory(cl_int status) {
    return status == CL_MEM_OBJECT_ALLOCATION_FAILURE || status == CL_OUT_OF_RESOURCES ||
           status == CL_OUT_OF_HOST_MEMORY;
}

// A reference to an OpenCL object: adopts on construction, retains on copy, releases at the end. In a forked
// process it does not call the driver, whose locks and threads do not live on there.
template <class Handle, cl_int (*retain)(Handle), cl_int (*release)(Handle)>
class ClRef {
  public:
    ClRef() = default;
    explicit ClRef(Handle adopted) : handle_(adopted) {}
    ClRef(const ClRef &other) : handle_(other.handle_) {
        if (handle_ && !is_forked())
            retain(handle_);
    }
    ClRef(ClRef &&other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
    ClRef &operator=(ClRef other) noexcept {
        std::swap(handle_, other.handle_);
        return *this;
    }
    ~ClRef() {
        if (handle_ && !is_forked())
            release(handle_);
    }

    static ClRef retained(Handle borrowed) {
        if (borrowed && !is_forked())
            retain(borrowed);
        return ClRef(borrowed);
    }

    Handle get() const { return handle_; }
    explicit operator bool() const { return handle_ != nullptr; }

  private:
    Handle handle_ = nullptr;
};

using ClContext = ClRef<cl_context, clRetainContext, clReleaseContext>;
using ClQueue = ClRef<cl_command_queue, clRetainCommandQueue, clReleaseCommandQueue>;
using ClMem = ClRef<cl_mem, clRetainMemObject, clReleaseMemObject>;
using ClEvent = ClRef<cl_event, clRetainEvent, clReleaseEvent>;
using ClProgram = ClRef<cl_program, clRetainProgram, clReleaseProgram>;
using ClKernel = ClRef<cl_kernel, clRetainKernel, clReleaseKernel>;
using ClSampler = ClRef<cl_sampler, clRetainSampler, clReleaseSampler>;

// An enqueued command and its queue.
struct Stamp {
    ClEvent event;
    ClQueue queue;

    explicit operator bool() const { return static_cast<bool>(event); }
};

// Events that a command must wait for, kept alive until it is enqueued. Commands of the same in-order queue
// need no wait. The queue of any other command is flushed, as OpenCL requires of waits across queues.
class GST_TOMO_API WaitList {
  public:
    explicit WaitList(cl_command_queue waiting) : waiting_(waiting) {}
    void add(const Stamp &stamp);
    void add(const WaitList &other);

    cl_uint size() const { return static_cast<cl_uint>(raw_.size()); }
    const cl_event *data() const { return raw_.empty() ? nullptr : raw_.data(); }
    const std::vector<cl_event> &raw() const { return raw_; }

  private:
    cl_command_queue waiting_;
    std::vector<ClEvent> events_;
    std::vector<cl_event> raw_;
};

// Blocks until the command has ended. Throws Error with `what` if it failed.
GST_TOMO_API void wait_for(const Stamp &stamp, const std::string &what);
GST_TOMO_API bool is_complete(const Stamp &stamp); // also if it failed
GST_TOMO_API bool has_failed(const Stamp &stamp);

template <class T, class Object, class Query, class Param>
T cl_query(Query query, Object object, Param param, const T &fallback = {}) {
    T value = fallback;
    return query(object, param, sizeof value, &value, nullptr) == CL_SUCCESS ? value : fallback;
}

template <class Object, class Query, class Param>
std::string cl_query_string(Query query, Object object, Param param) {
    std::size_t size = 0;
    if (query(object, param, 0, nullptr, &size) != CL_SUCCESS || size == 0)
        return {};
    std::string value(size, '\0');
    query(object, param, size, value.data(), nullptr);
    return value.c_str(); // some drivers pad with zeros
}

} // namespace tomo
