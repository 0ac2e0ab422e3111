// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/device/cl.hpp>

#include <algorithm>

namespace tomo {

const char *cl_error_name(int status) {
    // The values are those of the Khronos header cl.h.
    switch (status) {
#define NAME(code)                                                                                           \
    case code:                                                                                               \
        return #code;
        NAME(CL_SUCCESS)
        NAME(CL_DEVICE_NOT_FOUND)
        NAME(CL_DEVICE_NOT_AVAILABLE)
        NAME(CL_COMPILER_NOT_AVAILABLE)
        NAME(CL_MEM_OBJECT_ALLOCATION_FAILURE)
        NAME(CL_OUT_OF_RESOURCES)
        NAME(CL_OUT_OF_HOST_MEMORY)
        NAME(CL_PROFILING_INFO_NOT_AVAILABLE)
        NAME(CL_MEM_COPY_OVERLAP)
        NAME(CL_IMAGE_FORMAT_MISMATCH)
        NAME(CL_IMAGE_FORMAT_NOT_SUPPORTED)
        NAME(CL_BUILD_PROGRAM_FAILURE)
        NAME(CL_MAP_FAILURE)
        NAME(CL_MISALIGNED_SUB_BUFFER_OFFSET)
        NAME(CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST)
        NAME(CL_COMPILE_PROGRAM_FAILURE)
        NAME(CL_LINKER_NOT_AVAILABLE)
        NAME(CL_LINK_PROGRAM_FAILURE)
        NAME(CL_DEVICE_PARTITION_FAILED)
        NAME(CL_KERNEL_ARG_INFO_NOT_AVAILABLE)
        NAME(CL_INVALID_VALUE)
        NAME(CL_INVALID_DEVICE_TYPE)
        NAME(CL_INVALID_PLATFORM)
        NAME(CL_INVALID_DEVICE)
        NAME(CL_INVALID_CONTEXT)
        NAME(CL_INVALID_QUEUE_PROPERTIES)
        NAME(CL_INVALID_COMMAND_QUEUE)
        NAME(CL_INVALID_HOST_PTR)
        NAME(CL_INVALID_MEM_OBJECT)
        NAME(CL_INVALID_IMAGE_FORMAT_DESCRIPTOR)
        NAME(CL_INVALID_IMAGE_SIZE)
        NAME(CL_INVALID_SAMPLER)
        NAME(CL_INVALID_BINARY)
        NAME(CL_INVALID_BUILD_OPTIONS)
        NAME(CL_INVALID_PROGRAM)
        NAME(CL_INVALID_PROGRAM_EXECUTABLE)
        NAME(CL_INVALID_KERNEL_NAME)
        NAME(CL_INVALID_KERNEL_DEFINITION)
        NAME(CL_INVALID_KERNEL)
        NAME(CL_INVALID_ARG_INDEX)
        NAME(CL_INVALID_ARG_VALUE)
        NAME(CL_INVALID_ARG_SIZE)
        NAME(CL_INVALID_KERNEL_ARGS)
        NAME(CL_INVALID_WORK_DIMENSION)
        NAME(CL_INVALID_WORK_GROUP_SIZE)
        NAME(CL_INVALID_WORK_ITEM_SIZE)
        NAME(CL_INVALID_GLOBAL_OFFSET)
        NAME(CL_INVALID_EVENT_WAIT_LIST)
        NAME(CL_INVALID_EVENT)
        NAME(CL_INVALID_OPERATION)
        NAME(CL_INVALID_GL_OBJECT)
        NAME(CL_INVALID_BUFFER_SIZE)
        NAME(CL_INVALID_MIP_LEVEL)
        NAME(CL_INVALID_GLOBAL_WORK_SIZE)
        NAME(CL_INVALID_PROPERTY)
        NAME(CL_INVALID_IMAGE_DESCRIPTOR)
        NAME(CL_INVALID_COMPILER_OPTIONS)
        NAME(CL_INVALID_LINKER_OPTIONS)
        NAME(CL_INVALID_DEVICE_PARTITION_COUNT)
#undef NAME
    case -1001: // CL_PLATFORM_NOT_FOUND_KHR of cl_khr_icd
        return "CL_PLATFORM_NOT_FOUND_KHR";
    default:
        return "unknown OpenCL error";
    }
}

static constexpr const char *failed_with = " failed: "; // and the name of a status

void cl_check(cl_int status, const std::string &what) {
    if (status == CL_SUCCESS)
        return;
    const auto code =
        cl_is_out_of_memory(status) ? GST_RESOURCE_ERROR_NO_SPACE_LEFT : GST_RESOURCE_ERROR_FAILED;
    throw Error(code, text("%s%s%s (%d)", what.c_str(), failed_with, cl_error_name(status), status));
}

bool is_device_failure(const Error &error) {
    return error.domain == GST_RESOURCE_ERROR &&
           std::string_view(error.what()).find(failed_with) != std::string_view::npos;
}

static cl_int status_of(const Stamp &stamp) {
    return stamp ? cl_query<cl_int>(clGetEventInfo, stamp.event.get(), CL_EVENT_COMMAND_EXECUTION_STATUS,
                                    cl_int{CL_COMPLETE})
                 : CL_COMPLETE;
}

void WaitList::add(const Stamp &stamp) {
    if (!stamp || stamp.queue.get() == waiting_)
        return;
    if (std::find(raw_.begin(), raw_.end(), stamp.event.get()) != raw_.end())
        return;
    // PoCL (3.1) would never start what waits for a command that has failed already.
    if (const cl_int status = status_of(stamp); status < 0)
        cl_check(status, "a command that others wait for");
    // A stamp without a queue belongs to no queue of ours (a user event): nothing to flush.
    if (stamp.queue)
        cl_check(clFlush(stamp.queue.get()), "flushing a queue that another one waits for");
    events_.push_back(stamp.event);
    raw_.push_back(stamp.event.get());
}

void WaitList::add(const WaitList &other) {
    for (const auto &event : other.events_) {
        if (std::find(raw_.begin(), raw_.end(), event.get()) != raw_.end())
            continue;
        events_.push_back(event);
        raw_.push_back(event.get());
    }
}

void wait_for(const Stamp &stamp, const std::string &what) {
    if (!stamp)
        return;
    must_not_be_forked();
    cl_event event = stamp.event.get();
    const cl_int waited = clWaitForEvents(1, &event);
    const auto status =
        cl_query<cl_int>(clGetEventInfo, event, CL_EVENT_COMMAND_EXECUTION_STATUS, cl_int{CL_COMPLETE});
    if (status < 0)
        cl_check(status, what);
    cl_check(waited, what);
}

bool is_complete(const Stamp &stamp) { return status_of(stamp) <= CL_COMPLETE; }

bool has_failed(const Stamp &stamp) { return status_of(stamp) < 0; }

} // namespace tomo
