// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/device/device.hpp>
#include <gst/tomo/device/memory.hpp>
#include <gst/tomo/device/profile.hpp>
#include <gst/tomo/support/error.hpp>

#include <algorithm>

namespace tomo {

// For tests: on devices that share the host's memory as well, arrays travel through pinned memory.
static bool plays_discrete() { return g_strcmp0(g_getenv("GST_TOMO_TEST_DISCRETE"), "1") == 0; }

Device::Device(cl_device_id id, unsigned index, const ClContext &context)
    : id_(id), index_(index), context_(context), queues_([this] { return new_queue(); }),
      companions_(std::make_unique<Companions>()) {
    look_at(id);
    programs_ = std::make_shared<Programs>(context_.get(), id, name_, driver_);
    memory_ = std::make_shared<BlockPool>(name_, max_allocation_, memory_limit_of(id, shares_host_memory_),
                                          [this](std::size_t size) { return make_block(size); });
}

// Blocks come from the pool of the whole device, and programs are those of its context.
Device::Device(const std::shared_ptr<Device> &whole, std::size_t limit)
    : id_(whole->id_), index_(whole->index_), context_(whole->context_),
      queues_([this] { return new_queue(); }), programs_(whole->programs_),
      companions_(std::make_unique<Companions>()), whole_(whole) {
    look_at(id_);
    memory_ = BlockPool::part_of(whole->memory_, limit);
}

void Device::look_at(cl_device_id id) {
    const auto type = cl_query<cl_device_type>(clGetDeviceInfo, id, CL_DEVICE_TYPE);
    const auto platform = cl_query<cl_platform_id>(clGetDeviceInfo, id, CL_DEVICE_PLATFORM);
    name_ = cl_query_string(clGetDeviceInfo, id, CL_DEVICE_NAME);
    driver_ = cl_query_string(clGetPlatformInfo, platform, CL_PLATFORM_VERSION) + ", " +
              cl_query_string(clGetDeviceInfo, id, CL_DRIVER_VERSION) + ", " +
              cl_query_string(clGetDeviceInfo, id, CL_DEVICE_VERSION);
    is_cpu_ = type & CL_DEVICE_TYPE_CPU;
    prefers_local_memory_ = !is_cpu_ || g_strcmp0(g_getenv("GST_TOMO_TEST_GPU_KERNELS"), "1") == 0;
    shares_host_memory_ =
        (cl_query<cl_bool>(clGetDeviceInfo, id, CL_DEVICE_HOST_UNIFIED_MEMORY) || is_cpu_) &&
        !plays_discrete();
    has_images_ = !is_cpu_ && cl_query<cl_bool>(clGetDeviceInfo, id, CL_DEVICE_IMAGE_SUPPORT);
    has_fp64_ =
        cl_query_string(clGetDeviceInfo, id, CL_DEVICE_EXTENSIONS).find("cl_khr_fp64") != std::string::npos;
    constexpr cl_device_info compute_capability_major = 0x4000; // cl_nv_device_attribute_query
    if (cl_query_string(clGetDeviceInfo, id, CL_DEVICE_EXTENSIONS).find("cl_nv_device_attribute_query") !=
        std::string::npos)
        has_tensor_cores_ = cl_query<cl_uint>(clGetDeviceInfo, id, compute_capability_major) >= 8;
    local_memory_ = cl_query<cl_ulong>(clGetDeviceInfo, id, CL_DEVICE_LOCAL_MEM_SIZE);
    max_work_group_ = cl_query<std::size_t>(clGetDeviceInfo, id, CL_DEVICE_MAX_WORK_GROUP_SIZE);
    max_allocation_ = cl_query<cl_ulong>(clGetDeviceInfo, id, CL_DEVICE_MAX_MEM_ALLOC_SIZE);
    base_align_ =
        std::max<std::size_t>(cl_query<cl_uint>(clGetDeviceInfo, id, CL_DEVICE_MEM_BASE_ADDR_ALIGN) / 8, 1);
    compute_units_ = cl_query<cl_uint>(clGetDeviceInfo, id, CL_DEVICE_MAX_COMPUTE_UNITS);
    upload_ = new_queue();
    download_ = new_queue();
}

Device::~Device() {
    if (is_forked()) {
        static_cast<void>(companions_.release()); // they would ask the driver
        return;
    }
    finish();
    // Blocks refer to this device's queues by their stamps: they go first.
    memory_->trim();
}

ClQueue Device::new_queue() {
    cl_int status = CL_SUCCESS;
    ClQueue queue(
        clCreateCommandQueue(context_.get(), id_, is_recording() ? CL_QUEUE_PROFILING_ENABLE : 0, &status));
    cl_check(status, "creating a command queue on " + name_);
    return queue;
}

void Device::finish() noexcept {
    if (is_forked())
        return;
    auto queues = queues_.all();
    queues.push_back(upload_);
    queues.push_back(download_);
    for (const auto &queue : queues)
        clFinish(queue.get());
}

std::unique_ptr<Block> Device::make_block(std::size_t size) {
    auto block = std::make_unique<Block>();
    cl_int status = CL_SUCCESS;
    block->size = size;
    block->buffer = ClMem(
        clCreateBuffer(context_.get(), CL_MEM_READ_WRITE | (shares_host_memory_ ? CL_MEM_ALLOC_HOST_PTR : 0),
                       size, nullptr, &status));
    if (status == CL_SUCCESS) {
        // Drivers allocate late; a first byte makes them say now that there is no room.
        // clEnqueueMigrateMemObjects is made for this, but crashes NVIDIA's driver 580 when several threads
        // use the context.
        static const char zero = 0;
        cl_event written = nullptr;
        status = clEnqueueWriteBuffer(upload_.get(), block->buffer.get(), CL_FALSE, 0, 1, &zero, 0, nullptr,
                                      &written);
        block->write = {ClEvent(written), upload_};
    }
    if (cl_is_out_of_memory(status))
        return nullptr;
    cl_check(status, text("allocating %zu bytes on %s", size, name_.c_str()));
    return block;
}

} // namespace tomo
