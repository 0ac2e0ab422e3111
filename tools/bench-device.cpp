// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Measures what a device can do at best, for the shares that tools/bench prints. Writes one JSON object to
// standard output; rates are the best of several runs, in GB/s (1e9 bytes) and 1e9 samples per second.
#include <gst/tomo/device/context.hpp>
#include <gst/tomo/support/json.hpp>

#include <gst/gst.h>

#include <algorithm>
#include <cstdio>
#include <functional>
#include <memory>
#include <random>

namespace {

using tomo::cl_check;
using tomo::ClEvent;
using tomo::ClKernel;
using tomo::ClMem;
using tomo::ClQueue;

constexpr int runs = 5;
constexpr unsigned unroll = 16;

// V is the widest type that one work-item loads at once. Indices depend on the round, so that no load can be
// kept in a register; several sums, so that additions don't wait for each other.
const char source[] = R"(
kernel void copy(global const V *in, global V *out, ulong n) {
    for (size_t i = get_global_id(0); i < n; i += get_global_size(0))
        out[i] = in[i];
}

kernel __attribute__((reqd_work_group_size(GROUP, 1, 1)))
void read_local(global const V *in, global V *out, uint rounds) {
    local V tile[TILE];
    const uint me = get_local_id(0);
    for (uint i = me; i < TILE; i += GROUP)
        tile[i] = in[i];
    barrier(CLK_LOCAL_MEM_FENCE);
    V sum[8];
    for (int k = 0; k < 8; k++)
        sum[k] = (V)(0);
    for (uint r = 0; r < rounds; r++) {
        #pragma unroll
        for (uint k = 0; k < UNROLL; k++)
            sum[k % 8] += tile[(me + r + 37 * k) & (TILE - 1)];
    }
    out[get_global_id(0)] = sum[0] + sum[1] + sum[2] + sum[3] + sum[4] + sum[5] + sum[6] + sum[7];
}

#ifdef HAVE_IMAGES
constant sampler_t linear = CLK_NORMALIZED_COORDS_FALSE | CLK_ADDRESS_CLAMP | CLK_FILTER_LINEAR;

// Neighbours sample neighbours along slanted lines, as in a backprojection.
kernel void sample(read_only image2d_t image, global float4 *out, uint rounds) {
    const float x = get_global_id(0) % 1024 * 0.8f + 0.3f, y = get_global_id(1) % 512 * 0.6f;
    float4 sum = (float4)(0.0f);
    for (uint r = 0; r < rounds; r++)
        sum += read_imagef(image, linear, (float2)(x + y + (r & 63) * 0.37f, (r & 1023) + 0.5f));
    out[get_global_id(1) * get_global_size(0) + get_global_id(0)] = sum;
}
#endif
)";

class Bench {
  public:
    explicit Bench(std::shared_ptr<tomo::Device> device) : device_(std::move(device)) {
        // A core loads 64 bytes at once and has no use for work-groups; a GPU loads 16 bytes per work-item.
        group_ = device_->is_cpu() ? 1 : std::min<std::size_t>(256, device_->max_work_group());
        vector_bytes_ = device_->is_cpu() ? 64 : 16;
        tile_ = 16384 / vector_bytes_;
        program_ =
            device_->program("bench-device", source,
                             tomo::text("-cl-std=CL1.2 -D V=float%zu -D GROUP=%zu -D TILE=%zu -D UNROLL=%u%s",
                                        vector_bytes_ / 4, group_, tile_, unroll,
                                        device_->has_images() ? " -D HAVE_IMAGES" : ""));
        queue_ = new_queue();
        // Far larger than any cache, as far as the device allows.
        bytes_ = std::min<std::size_t>(
            {std::size_t{256} << 20, device_->max_allocation() / 2, device_->memory_limit() / 8});
        bytes_ -= bytes_ % 4096;
        in_ = buffer(0);
        out_ = buffer(0);
        fill_with_noise();
    }

    // Read and written bytes both count.
    double copy_rate() {
        const auto copy = kernel("copy");
        const cl_ulong n = bytes_ / vector_bytes_;
        set(copy, 0, in_.get());
        set(copy, 1, out_.get());
        set(copy, 2, n);
        const std::size_t work = device_->compute_units() * (device_->is_cpu() ? 1 : 2048);
        const double by_kernel = best([&] { return run(copy, {work, 1}, {group_, 1}); });
        const double by_command = best([&] {
            cl_event event = nullptr;
            cl_check(
                clEnqueueCopyBuffer(queue_.get(), in_.get(), out_.get(), 0, 0, bytes_, 0, nullptr, &event),
                "copying");
            return ClEvent(event);
        });
        return 2.0 * bytes_ / std::min(by_kernel, by_command);
    }

    struct Transfers {
        double up, down, both;
    };

    Transfers transfer_rates() {
        const auto pinned = buffer(CL_MEM_ALLOC_HOST_PTR), other = buffer(CL_MEM_ALLOC_HOST_PTR);
        void *from = map(pinned), *to = map(other);
        std::mt19937 random{std::random_device{}()};
        std::generate_n(static_cast<unsigned *>(from), bytes_ / sizeof(unsigned), std::ref(random));
        const auto upload = [&](const ClQueue &queue) {
            cl_event event = nullptr;
            cl_check(
                clEnqueueWriteBuffer(queue.get(), in_.get(), CL_FALSE, 0, bytes_, from, 0, nullptr, &event),
                "uploading");
            return ClEvent(event);
        };
        const auto download = [&](const ClQueue &queue) {
            cl_event event = nullptr;
            cl_check(
                clEnqueueReadBuffer(queue.get(), out_.get(), CL_FALSE, 0, bytes_, to, 0, nullptr, &event),
                "downloading");
            return ClEvent(event);
        };
        Transfers t{};
        t.up = bytes_ / best([&] { return upload(queue_); });
        t.down = bytes_ / best([&] { return download(queue_); });
        const auto second = new_queue();
        double shortest = 0;
        for (int i = 0; i <= runs; i++) {
            const auto up = upload(queue_), down = download(second);
            clFlush(queue_.get());
            clFlush(second.get());
            finish(up);
            finish(down);
            const double time =
                std::max(moment(up, CL_PROFILING_COMMAND_END), moment(down, CL_PROFILING_COMMAND_END)) -
                std::min(moment(up, CL_PROFILING_COMMAND_START), moment(down, CL_PROFILING_COMMAND_START));
            if (i == 1 || (i > 1 && time < shortest))
                shortest = time;
        }
        t.both = 2.0 * bytes_ / shortest;
        unmap(pinned, from);
        unmap(other, to);
        return t;
    }

    double local_rate() {
        const auto read = kernel("read_local");
        const std::size_t groups = device_->compute_units() * std::size_t{64};
        const cl_uint rounds = device_->is_cpu() ? 16384 : 4096;
        set(read, 0, in_.get());
        set(read, 1, out_.get());
        set(read, 2, rounds);
        const double time = best([&] { return run(read, {groups * group_, 1}, {group_, 1}); });
        return static_cast<double>(groups) * group_ * rounds * unroll * vector_bytes_ / time;
    }

    // 1e9 samples per second, each of all channels; 0 where there is no such image.
    double image_rate(cl_channel_order order, cl_channel_type type, std::size_t sample_bytes) {
        if (!device_->has_images())
            return 0;
        const cl_image_format format{order, type};
        cl_image_desc desc = {};
        desc.image_type = CL_MEM_OBJECT_IMAGE2D;
        desc.image_width = 2048;
        desc.image_height = 1024;
        cl_int status = CL_SUCCESS;
        const ClMem image(
            clCreateImage(device_->context(), CL_MEM_READ_WRITE, &format, &desc, nullptr, &status));
        if (status != CL_SUCCESS || desc.image_width * desc.image_height * sample_bytes > bytes_)
            return 0;
        const std::size_t origin[3] = {0, 0, 0}, region[3] = {desc.image_width, desc.image_height, 1};
        cl_check(clEnqueueCopyBufferToImage(queue_.get(), in_.get(), image.get(), 0, origin, region, 0,
                                            nullptr, nullptr),
                 "filling an image");
        const auto sample = kernel("sample");
        const cl_uint rounds = 512;
        set(sample, 0, image.get());
        set(sample, 1, out_.get());
        set(sample, 2, rounds);
        const std::size_t size = 2048; // squared times 16 bytes: 64 MiB
        if (size * size * 16 > bytes_)
            return 0;
        const double time = best([&] { return run(sample, {size, size}, {16, group_ / 16}); });
        return static_cast<double>(size) * size * rounds / time;
    }

  private:
    ClQueue new_queue() {
        cl_int status = CL_SUCCESS;
        ClQueue queue(
            clCreateCommandQueue(device_->context(), device_->id(), CL_QUEUE_PROFILING_ENABLE, &status));
        cl_check(status, "creating a queue that measures times");
        return queue;
    }

    ClMem buffer(cl_mem_flags flags) {
        cl_int status = CL_SUCCESS;
        ClMem mem(clCreateBuffer(device_->context(), CL_MEM_READ_WRITE | flags, bytes_, nullptr, &status));
        cl_check(status, tomo::text("allocating %zu bytes", bytes_));
        return mem;
    }

    void *map(const ClMem &mem) {
        cl_int status = CL_SUCCESS;
        void *address = clEnqueueMapBuffer(queue_.get(), mem.get(), CL_TRUE, CL_MAP_READ | CL_MAP_WRITE, 0,
                                           bytes_, 0, nullptr, nullptr, &status);
        cl_check(status, "mapping pinned memory");
        return address;
    }

    void unmap(const ClMem &mem, void *address) {
        cl_check(clEnqueueUnmapMemObject(queue_.get(), mem.get(), address, 0, nullptr, nullptr), "unmapping");
        cl_check(clFinish(queue_.get()), "unmapping");
    }

    // Finite floats in 1 ... 2: an image of noise, and no time is spent on special values.
    void fill_with_noise() {
        std::vector<cl_uint> noise(bytes_ / sizeof(cl_uint));
        std::mt19937 random{std::random_device{}()};
        for (auto &word : noise)
            word = 0x3f800000u | (random() & 0x7fffffu);
        for (const auto &mem : {in_, out_})
            cl_check(clEnqueueWriteBuffer(queue_.get(), mem.get(), CL_TRUE, 0, bytes_, noise.data(), 0,
                                          nullptr, nullptr),
                     "filling a buffer");
    }

    ClKernel kernel(const char *name) {
        cl_int status = CL_SUCCESS;
        ClKernel kernel(clCreateKernel(program_.get(), name, &status));
        cl_check(status, tomo::text("taking kernel %s", name));
        return kernel;
    }

    template <class T>
    void set(const ClKernel &kernel, cl_uint index, const T &value) {
        cl_check(clSetKernelArg(kernel.get(), index, sizeof value, &value), "setting an argument");
    }

    ClEvent run(const ClKernel &kernel, std::pair<std::size_t, std::size_t> work,
                std::pair<std::size_t, std::size_t> group) {
        const std::size_t local[2] = {group.first, std::max<std::size_t>(group.second, 1)};
        const std::size_t global[2] = {(work.first + local[0] - 1) / local[0] * local[0], work.second};
        cl_event event = nullptr;
        cl_check(
            clEnqueueNDRangeKernel(queue_.get(), kernel.get(), 2, nullptr, global, local, 0, nullptr, &event),
            "running a kernel");
        return ClEvent(event);
    }

    static void finish(const ClEvent &event) {
        const cl_event raw = event.get();
        cl_check(clWaitForEvents(1, &raw), "measuring");
    }

    // Nanoseconds.
    static double moment(const ClEvent &event, cl_profiling_info which) {
        cl_ulong time = 0;
        cl_check(clGetEventProfilingInfo(event.get(), which, sizeof time, &time, nullptr),
                 "asking for a time");
        return static_cast<double>(time);
    }

    // Nanoseconds of the shortest run after a first one: bytes per nanosecond are GB/s.
    double best(const std::function<ClEvent()> &enqueue) {
        double shortest = 0;
        for (int i = 0; i <= runs; i++) {
            const auto event = enqueue();
            finish(event);
            const double time =
                moment(event, CL_PROFILING_COMMAND_END) - moment(event, CL_PROFILING_COMMAND_START);
            if (i == 1 || (i > 1 && time < shortest))
                shortest = time;
        }
        return std::max(shortest, 1.0);
    }

    std::shared_ptr<tomo::Device> device_;
    tomo::ClProgram program_;
    ClQueue queue_;
    std::size_t group_, vector_bytes_, tile_, bytes_;
    ClMem in_, out_;
};

// A JSON number, or null for what the device has not.
std::string number(double value) {
    char digits[G_ASCII_DTOSTR_BUF_SIZE];
    return value > 0 ? g_ascii_formatd(digits, sizeof digits, "%.2f", value) : "null";
}

} // namespace

int main(int argc, char **argv) {
    if (argc > 1) {
        std::fprintf(
            stderr,
            "bench-device: unknown argument '%s'; it takes none, GST_TOMO_DEVICE chooses the device\n",
            argv[1]);
        return 2;
    }
    try {
        const auto device = tomo::Context::create("")->default_device();
        Bench bench(device);
        const double copy = bench.copy_rate();
        const auto transfers = bench.transfer_rates();
        const double local = bench.local_rate();
        const double single = bench.image_rate(CL_R, CL_FLOAT, 4);
        const double four_half = bench.image_rate(CL_RGBA, CL_HALF_FLOAT, 8);
        std::printf("{\n  \"device\": %s,\n  \"driver\": %s,\n  \"compute_units\": %u,\n  \"is_cpu\": %s,\n"
                    "  \"shares_host_memory\": %s,\n  \"copy_GBps\": %s,\n  \"upload_GBps\": %s,\n"
                    "  \"download_GBps\": %s,\n  \"both_ways_GBps\": %s,\n  \"local_read_GBps\": %s,\n"
                    "  \"image_R32F_Gsamples\": %s,\n  \"image_RGBA16F_Gsamples\": %s\n}\n",
                    tomo::json_string(device->name()).c_str(), tomo::json_string(device->driver()).c_str(),
                    device->compute_units(), device->is_cpu() ? "true" : "false",
                    device->shares_host_memory() ? "true" : "false", number(copy).c_str(),
                    number(transfers.up).c_str(), number(transfers.down).c_str(),
                    number(transfers.both).c_str(), number(local).c_str(), number(single).c_str(),
                    number(four_half).c_str());
        return 0;
    } catch (const std::exception &e) {
        std::fprintf(stderr, "bench-device: %s\n", e.what());
        return 1;
    }
}
