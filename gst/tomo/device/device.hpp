// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A device with its queues, programs and memory, which all computations on it share.
#pragma once

#include <gst/tomo/device/block-pool.hpp>
#include <gst/tomo/device/programs.hpp>
#include <gst/tomo/device/thread-queues.hpp>

#include <memory>
#include <mutex>
#include <string>
#include <typeindex>
#include <unordered_map>
#include <vector>

namespace tomo {

// One OpenCL device with its queues and its memory budget.
class GST_TOMO_API Device {
  public:
    Device(cl_device_id id, unsigned index, const ClContext &context);
    // The same device with a part of its memory, and queues and plans of its own.
    Device(const std::shared_ptr<Device> &whole, std::size_t limit);
    ~Device();
    Device(const Device &) = delete;
    Device &operator=(const Device &) = delete;

    cl_device_id id() const { return id_; }
    cl_context context() const { return context_.get(); }
    unsigned index() const { return index_; } // over all devices of all platforms
    const std::string &name() const { return name_; }
    const std::string &driver() const { return driver_; } // platform, driver and device version
    bool is_cpu() const { return is_cpu_; }
    // Whether kernels whose work-items share local memory are faster. False on CPU devices, except with
    // GST_TOMO_TEST_GPU_KERNELS=1 for tests.
    bool prefers_local_memory() const { return prefers_local_memory_; }
    bool shares_host_memory() const { return shares_host_memory_; }
    bool has_images() const { return has_images_; } // a hardware image unit; false on CPU devices
    bool has_fp64() const { return has_fp64_; }
    // NVIDIA's tensor cores with PTX's mma.m16n8k16: compute capability 8.0 or higher.
    bool has_tensor_cores() const { return has_tensor_cores_; }
    std::size_t local_memory() const { return local_memory_; }
    std::size_t max_work_group() const { return max_work_group_; }
    std::size_t max_allocation() const { return max_allocation_; }
    std::size_t base_align() const { return base_align_; } // alignment of sub-buffers, bytes
    unsigned compute_units() const { return compute_units_; }

    // The in-order compute queue of the calling thread. Elements between two GStreamer queues run in one
    // thread, so they need no events between each other. A GStreamer queue starts a thread, whose commands
    // overlap.
    cl_command_queue queue() { return queues_.of_this_thread(); }
    cl_command_queue upload_queue() { return upload_.get(); }
    cl_command_queue download_queue() { return download_.get(); }
    // Waits for all enqueued commands of all threads. Only for the end of a process: it crashes if it ends
    // while a driver works (PoCL compiles in threads of its own).
    void finish() noexcept;

    Programs &programs() { return *programs_; }
    ClProgram program(const std::string &name, const std::string &source, const std::string &options) {
        return programs_->get(name, source, options);
    }
    // Objects that live as long as the device, one of each type, made at their first use.
    template <class T>
    T &companion() {
        std::lock_guard<std::mutex> lock(companions_lock_);
        auto &held = (*companions_)[std::type_index(typeid(T))];
        if (!held)
            held = std::make_shared<T>();
        return *static_cast<T *>(held.get());
    }

    // Memory, reused with its events attached and counted against the device's budget.
    BlockPool &memory() { return *memory_; }
    void trim() { memory_->trim(); }
    std::size_t memory_in_use() const { return memory_->in_use(); }
    std::size_t memory_limit() const { return memory_->limit(); }

  private:
    std::unique_ptr<Block> make_block(std::size_t size);
    ClQueue new_queue();

    void look_at(cl_device_id id);

    cl_device_id id_;
    unsigned index_;
    ClContext context_;
    std::string name_, driver_;
    bool is_cpu_, prefers_local_memory_, shares_host_memory_, has_images_, has_fp64_,
        has_tensor_cores_ = false;
    std::size_t local_memory_, max_work_group_, max_allocation_, base_align_;
    unsigned compute_units_;
    ClQueue upload_, download_;
    ThreadQueues queues_;
    std::shared_ptr<Programs> programs_;

    std::mutex companions_lock_;
    using Companions = std::unordered_map<std::type_index, std::shared_ptr<void>>;
    std::unique_ptr<Companions> companions_;

    const std::shared_ptr<Device> whole_; // of which this is a part; else null
    std::shared_ptr<BlockPool> memory_;   // last, as blocks refer to the queues
};

} // namespace tomo
