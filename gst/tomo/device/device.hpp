// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Contexts, devices, queues and programs: what every element shares.
#pragma once

#include <gst/tomo/device/cl.hpp>

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <typeindex>
#include <unordered_map>
#include <vector>

namespace tomo {

struct Block;

// The text of a kernel file: from a folder of GST_TOMO_KERNEL_PATH, else from the resources of a loaded
// plugin below /gst-tomo/kernels. Throws Error where neither has it.
GST_TOMO_API std::string kernel_file(const std::string &name);
GST_TOMO_API bool has_kernel_file(const std::string &name);

// How long somebody waits for memory that others have.
enum class Patience {
    limited, // as long as any comes back, and some seconds longer: a graph that waits for itself never ends
    endless, // the stream is paused: nobody gives anything back
    none,    // the stream is being flushed or stopped
};
using AskPatience = std::function<Patience()>; // called with a lock held, again and again

// One OpenCL device with its queues and its memory budget.
class GST_TOMO_API Device {
  public:
    Device(cl_device_id id, unsigned index, const ClContext &context);
    ~Device();
    Device(const Device &) = delete;
    Device &operator=(const Device &) = delete;

    cl_device_id id() const { return id_; }
    cl_context context() const { return context_.get(); }
    unsigned index() const { return index_; } // over all devices of all platforms
    const std::string &name() const { return name_; }
    const std::string &driver() const { return driver_; } // platform, driver and device version
    bool is_cpu() const { return is_cpu_; }
    // Kernels whose work-items share local memory are the faster ones: not on CPU devices, but for tests with
    // GST_TOMO_TEST_GPU_KERNELS=1.
    bool prefers_local_memory() const { return prefers_local_memory_; }
    bool shares_host_memory() const { return shares_host_memory_; }
    bool has_images() const { return has_images_; } // an image unit worth the name: not on CPU devices
    bool has_fp64() const { return has_fp64_; }
    // NVIDIA's, with PTX's mma.m16n8k16: from compute capability 8.0 on.
    bool has_tensor_cores() const { return has_tensor_cores_; }
    std::size_t local_memory() const { return local_memory_; }
    std::size_t max_work_group() const { return max_work_group_; }
    std::size_t max_allocation() const { return max_allocation_; }
    std::size_t base_align() const { return base_align_; } // bytes, of sub-buffers
    unsigned compute_units() const { return compute_units_; }

    // The in-order compute queue of the calling thread. Elements between two GStreamer queues run in one
    // thread, so they need no events between each other; a GStreamer queue makes a thread and so overlap.
    cl_command_queue queue();
    cl_command_queue upload_queue() { return upload_.get(); }
    cl_command_queue download_queue() { return download_.get(); }
    // Waits for all that was enqueued, in whatever thread. For the end, not for the way there: a process that
    // ends under a driver at work crashes (PoCL compiles in threads of its own).
    void finish() noexcept;

    // A built program, from memory, from disk or from the compiler. Throws Error with the compiler's log.
    ClProgram program(const std::string &name, const std::string &source, const std::string &options);
    // What others keep as long as the device lives, one object of each type: made at its first use.
    template <class T>
    T &companion() {
        std::lock_guard<std::mutex> lock(companions_lock_);
        auto &held = (*companions_)[std::type_index(typeid(T))];
        if (!held)
            held = std::make_shared<T>();
        return *static_cast<T *>(held.get());
    }

    // Device memory, recycled with its events attached; counts against the budget of the device. Waits
    // for others to give memory back while the budget is spent; throws Error when that can't happen.
    std::unique_ptr<Block> take_block(std::size_t size, const AskPatience &ask);
    void give_block(std::unique_ptr<Block> block) noexcept;
    void trim(); // drops what is kept for reuse
    std::size_t memory_in_use() const;
    std::size_t memory_limit() const { return memory_limit_; }

    struct ThreadQueue;

  private:
    std::unique_ptr<Block> make_block(std::size_t size);
    ClQueue new_queue();

    cl_device_id id_;
    unsigned index_;
    ClContext context_;
    std::string name_, driver_;
    bool is_cpu_, prefers_local_memory_, shares_host_memory_, has_images_, has_fp64_,
        has_tensor_cores_ = false;
    std::size_t local_memory_, max_work_group_, max_allocation_, base_align_;
    unsigned compute_units_;
    ClQueue upload_, download_;

    std::mutex queues_lock_;
    std::vector<std::shared_ptr<ThreadQueue>> queues_;

    std::mutex programs_lock_;
    std::map<std::string, ClProgram> programs_;

    std::mutex companions_lock_;
    using Companions = std::unordered_map<std::type_index, std::shared_ptr<void>>;
    std::unique_ptr<Companions> companions_;

    mutable std::mutex memory_lock_;
    std::condition_variable memory_freed_;
    std::multimap<std::size_t, std::unique_ptr<Block>> free_;
    std::size_t taken_ = 0;        // bytes in use
    std::size_t free_size_ = 0;    // bytes kept for reuse
    std::uint64_t given_back_ = 0; // blocks so far
    std::size_t memory_limit_;
};

// One cl_context over all devices of one platform. A process has no two of them for one platform, apart from
// those made elsewhere, so that devices' memory budgets and programs are those of the process.
class GST_TOMO_API Context {
  public:
    // The context with the device that a selector means: an index over all devices or a part of a name;
    // empty for GST_TOMO_DEVICE, else for the best device (GPU, then accelerator, then CPU).
    // Throws Error when there is no such device, naming those that exist.
    static std::shared_ptr<Context> create(const std::string &selector);
    // The same context, with the device that an empty selector means as its default; null if it has it not.
    std::shared_ptr<Context> with_usual_default() const;
    // The same for a context made by somebody else.
    static std::shared_ptr<Context> wrap(cl_context context);

    const ClContext &handle() const { return handle_; }
    cl_platform_id platform() const { return platform_; }
    const std::vector<std::shared_ptr<Device>> &devices() const { return *devices_; }
    // The device a selector means if this context has it, else null.
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

// A list of all devices for people: "0: NVIDIA H100 (NVIDIA CUDA), 1: ...".
GST_TOMO_API std::string describe_devices();

} // namespace tomo
