// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Computing on one device: kernels, launches, copies and new arrays. It knows no GstElement and needs no
// gst_init(). Elements derive from it; solvers and tests make one.
#pragma once

#include <gst/tomo/compute/kernel.hpp>
#include <gst/tomo/device/device-array.hpp>
#include <gst/tomo/device/kernel-files.hpp>
#include <gst/tomo/device/profile.hpp>
#include <gst/tomo/support/recently-used.hpp>

#include <deque>
#include <map>
#include <type_traits>

namespace tomo {

// One thread at a time uses a Compute. Any thread may call `allocate` and `patience`.
class GST_TOMO_API Compute {
  public:
    // A recorder gets the commands with this `tag`.
    explicit Compute(std::shared_ptr<Device> device, WorkTag tag = nullptr);
    virtual ~Compute();
    Compute(const Compute &) = delete;
    Compute &operator=(const Compute &) = delete;

    // Throws Error if no device is set yet.
    const std::shared_ptr<Device> &device() const;
    cl_command_queue queue() const { return device()->queue(); }
    WorkTag tag() const { return tag_; }
    // How long `allocate` may wait now for memory that other users hold.
    virtual Patience patience() const { return Patience::limited; }
    // Whether long work should go on; see Steps.
    virtual bool is_result_wanted() const { return patience() != Patience::none; }

    // Kernels. The most recently used ones are kept, others are made again. A copy of a Kernel keeps it
    // alive. ------------------------------------------------------------------------------------------------

    // A kernel, compiled once, with `options` and with the types given by input_format() for the arrays that
    // the kernel file declares with IN(name). The default of `file` is kernel_file_name().
    Kernel kernel(const std::string &function, const std::string &options = {}, const std::string &file = {});
    // The same for a kernel source that is generated at run time. `name` is for messages.
    Kernel kernel_from_source(const std::string &name, const std::string &source, const std::string &function,
                              const std::string &options = {});
    // A kernel from a user's source, compiled as it stands, without kernels/common.h.
    Kernel users_kernel(const std::string &name, const std::string &source, const std::string &function,
                        const std::string &options);
    static constexpr std::size_t kept_kernels = 32;
    std::size_t kernel_count() const { return kernels_.count(); }
    void input_format(const std::string &name, GstTomoFormat format);
    // For kernels that only move samples: a type of that size, so that formats of one size share a program.
    void input_size(const std::string &name, std::size_t bytes);
    // The build options for the types of inputs. They name only the inputs that `source` uses, so that a
    // change of another input does not compile it again.
    std::string input_types(const std::string &source = {}) const;
    // The default file of `kernel`; empty if there is none.
    virtual std::string kernel_file_name() const { return {}; }

    // Enqueues a kernel. Arrays take two arguments each, IN or OUT in kernels/common.h; const ones are read.
    template <class... Args>
    void launch(const Kernel &kernel, const WorkSize &size, Args &&...args);
    class Launch;

    // Arrays
    // -------------------------------------------------------------------------------------------------

    Array allocate(const ArrayInfo &info);
    // `in` with another size. Throws Error if the device can't allocate that much in one piece; the message
    // begins with `what`, the cause of the size, such as "number=3 arrays of uint8 4 x 5 x 1".
    ArrayInfo resized(const ArrayInfo &in, std::uint64_t width, std::uint64_t height, std::uint64_t depth,
                      const std::string &what);
    // Fills the array with a pattern, whose size must divide that of the array.
    void fill(Array &array, const void *pattern, std::size_t pattern_size);
    // Copies rows of `bytes` each, on the device. Other bytes of `to` keep their values.
    void copy_rows(const Array &from, Rows source, Array &to, Rows target, std::size_t bytes,
                   std::size_t rows = 1);
    // A small table for kernels, as an array of float32 or of bytes.
    Array upload(const std::vector<float> &values);
    Array upload(const void *table, std::size_t bytes);
    // As tomo_real of kernels, which is float on devices without double precision.
    Array upload_reals(const double *numbers, std::size_t count);

    // Bounds how many frames the host enqueues ahead of the device: waits for the third frame before
    // `newest`, or, in streams that are not live and with enough memory, for an earlier one.
    void limit_frames_in_flight(const Array &newest, bool live = true);
    void drop_frames_in_flight() { in_flight_.clear(); }

  protected:
    // Drops kernels and frames in flight if the device changes. Null: no device.
    void use_device(std::shared_ptr<Device> device);
    bool has_device() const { return device_ != nullptr; }
    void forget_input_formats() { input_formats_.clear(); }

  private:
    Kernel compile(const std::string &name, const std::string &source, const std::string &function,
                   const std::string &options, const std::string &before);

    std::shared_ptr<Device> device_;
    const WorkTag tag_;
    RecentlyUsed<std::string, Kernel> kernels_{kept_kernels};
    std::map<std::string, GstTomoFormat> input_formats_;
    std::deque<Stamp> in_flight_;
};

// One launch, argument by argument, for kernels whose arguments are known only at run time.
class GST_TOMO_API Compute::Launch {
  public:
    Launch(Compute &compute, Kernel kernel);
    void add(const Array &array);
    void add(Array &array) { add_written(array, Storage::Contents::discard); }
    void add(Array &&array) { add(static_cast<const Array &>(array)); }
    void add(ReadWrite update) { add_written(update.array, Storage::Contents::keep); }
    void add(BareBuffer whole);
    void add(ReadWriteBareBuffer whole);
    void add(LocalMemory local) { set(local.bytes, nullptr); }
    void add(const ClMem &mem);
    void add(const ClSampler &sampler);
    template <class T, class = std::enable_if_t<std::is_trivially_copyable_v<T>>>
    void add(const T &value) {
        static_assert(!std::is_same_v<T, bool>, "OpenCL kernels take no bool");
        set(sizeof value, &value);
    }
    void wait(const WaitList &waits) { waits_.add(waits); }
    ClEvent run(const WorkSize &size);

  private:
    void set(std::size_t size, const void *value);
    void add_written(Array &array, Storage::Contents contents);
    void add_place(const Array &array);

    Compute &compute_;
    const Kernel kernel_;
    cl_command_queue queue_;
    cl_uint next_ = 0;
    WaitList waits_;
    std::vector<std::shared_ptr<Storage>> reads_, writes_;
};

template <class... Args>
void Compute::launch(const Kernel &kernel, const WorkSize &size, Args &&...args) {
    Launch launch(*this, kernel);
    (launch.add(std::forward<Args>(args)), ...);
    launch.run(size);
}

} // namespace tomo
