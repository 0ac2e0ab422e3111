// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The engine VkFFT: a header that writes and compiles the kernels of a plan. This is the one unit that
// includes it.
#include <gst/tomo/fft/engine.hpp>

#include <glib/gprintf.h>

#include <algorithm>
#include <clocale>
#include <cmath>
#include <cstdarg>
#include <cstdint>
#include <cstring>
#include <limits>
#include <locale.h>

namespace {

// What VkFFT met since the last look, in this thread: it returns neither OpenCL's status nor the compiler's
// log.
thread_local cl_int vkfft_status = CL_SUCCESS;
thread_local std::string vkfft_log;

cl_int vkfft_note(cl_int status) {
    if (status != CL_SUCCESS)
        vkfft_status = status;
    return status;
}

G_GNUC_PRINTF(1, 2) int vkfft_print(const char *format, ...) {
    va_list args;
    va_start(args, format);
    char *line = nullptr;
    const int length = g_vasprintf(&line, format, args);
    va_end(args);
    if (line)
        vkfft_log += line;
    g_free(line);
    return length;
}

cl_mem vkfft_create_buffer(cl_context context, cl_mem_flags flags, std::size_t size, void *host,
                           cl_int *status) {
    cl_mem buffer = clCreateBuffer(context, flags, size, host, status);
    vkfft_note(*status);
    return buffer;
}

// CPU devices offer groups and local memory so large that kernels made for them overrun PoCL's stacks (65536
// samples do). They are offered the common GPU's instead.
template <class T>
void vkfft_cap(void *value, T limit) {
    T offered;
    std::memcpy(&offered, value, sizeof offered);
    offered = std::min(offered, limit);
    std::memcpy(value, &offered, sizeof offered);
}

cl_int vkfft_device_info(cl_device_id device, cl_device_info name, std::size_t size, void *value,
                         std::size_t *used) {
    const cl_int status = vkfft_note(clGetDeviceInfo(device, name, size, value, used));
    if (status != CL_SUCCESS || !value ||
        !(tomo::cl_query<cl_device_type>(clGetDeviceInfo, device, CL_DEVICE_TYPE) & CL_DEVICE_TYPE_CPU))
        return status;
    if (name == CL_DEVICE_MAX_WORK_GROUP_SIZE)
        vkfft_cap<std::size_t>(value, 1024);
    if (name == CL_DEVICE_LOCAL_MEM_SIZE)
        vkfft_cap<cl_ulong>(value, 48 * 1024);
    return status;
}

// VkFFT switches the locale of the whole process while it writes code, and back to a name that may be freed
// by then. It gets no locale to switch; PlanLocale does it for the thread alone.
char *vkfft_setlocale(int, const char *) { return nullptr; }

} // namespace

#include <inttypes.h>
#include <math.h>
#include <memory.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VKFFT_BACKEND 3
#define setlocale vkfft_setlocale
#define printf vkfft_print
#define clCreateBuffer vkfft_create_buffer
#define clGetDeviceInfo vkfft_device_info
// Without warnings: some compilers print them.
#define clBuildProgram(program, n, devices, options, notify, data)                                           \
    vkfft_note((clBuildProgram)(program, n, devices, "-w", notify, data))
#define clSetKernelArg(...) vkfft_note((clSetKernelArg)(__VA_ARGS__))
#define clEnqueueNDRangeKernel(...) vkfft_note((clEnqueueNDRangeKernel)(__VA_ARGS__))
#include <vkFFT.h>
#undef setlocale
#undef printf
#undef clCreateBuffer
#undef clGetDeviceInfo
#undef clBuildProgram
#undef clSetKernelArg
#undef clEnqueueNDRangeKernel

namespace tomo {

namespace {

const char *vkfft_error_name(VkFFTResult result) {
    switch (result) {
#define NAME(code)                                                                                           \
    case VKFFT_ERROR_##code:                                                                                 \
        return #code;
        NAME(MALLOC_FAILED)
        NAME(INSUFFICIENT_CODE_BUFFER)
        NAME(INSUFFICIENT_TEMP_BUFFER)
        NAME(PLAN_NOT_INITIALIZED)
        NAME(NULL_TEMP_PASSED)
        NAME(INVALID_DEVICE)
        NAME(INVALID_CONTEXT)
        NAME(INVALID_PLATFORM)
        NAME(EMPTY_FFTdim)
        NAME(EMPTY_size)
        NAME(EMPTY_buffer)
        NAME(EMPTY_tempBuffer)
        NAME(EMPTY_inputBuffer)
        NAME(UNSUPPORTED_RADIX)
        NAME(UNSUPPORTED_FFT_LENGTH)
        NAME(FAILED_TO_ALLOCATE)
        NAME(FAILED_SHADER_PREPROCESS)
        NAME(FAILED_TO_CREATE_SHADER_MODULE)
        NAME(FAILED_TO_CREATE_BUFFER)
        NAME(FAILED_TO_ALLOCATE_MEMORY)
        NAME(FAILED_TO_SYNCHRONIZE)
        NAME(FAILED_TO_COPY)
        NAME(FAILED_TO_CREATE_PROGRAM)
        NAME(FAILED_TO_COMPILE_PROGRAM)
        NAME(FAILED_TO_LAUNCH_KERNEL)
        NAME(FAILED_TO_INITIALIZE)
        NAME(FAILED_TO_GET_ATTRIBUTE)
        NAME(FAILED_TO_SET_KERNEL_ARG)
        NAME(FAILED_TO_CREATE_COMMAND_QUEUE)
        NAME(FAILED_TO_RELEASE_COMMAND_QUEUE)
#undef NAME
    default:
        return "an error";
    }
}

// The C locale for this thread: kernels are written with sprintf and want decimal points.
class PlanLocale {
  public:
    PlanLocale() : c_(newlocale(LC_ALL_MASK, "C", nullptr)), before_(uselocale(c_)) {}
    ~PlanLocale() {
        uselocale(before_);
        freelocale(c_);
    }
    PlanLocale(const PlanLocale &) = delete;
    PlanLocale &operator=(const PlanLocale &) = delete;

  private:
    locale_t c_, before_;
};

class VkFft final : public Fft {
  public:
    explicit VkFft(const FftTask &task) : Fft(task.shape), context_(task.context), device_(task.device) {
        narrow_ = make_plan(false);
    }

    const char *engine() const override { return "vkfft"; }

  private:
    // Deleted before the buffers' addresses and device that it points to are gone: it is a member of VkFft.
    struct Plan {
        VkFFTApplication app{};
        bool made = false;
        ~Plan() {
            if (made)
                deleteVkFFT(&app);
        }
    };

    std::unique_ptr<Plan> make_plan(bool wide_offsets) {
        VkFFTConfiguration configuration{};
        configuration.FFTdim = shape().dimensions;
        for (unsigned i = 0; i < shape().dimensions; i++)
            configuration.size[i] = shape().size[i];
        configuration.numberBatches = shape().batch;
        configuration.device = &device_;
        configuration.context = &context_;
        configuration.normalize = 1;
        configuration.useLUT = 1; // otherwise native_sin, whose error on GPUs is near the tolerance of 1e-6
        configuration.isInputFormatted = 1;
        configuration.specifyOffsetsAtLaunch = 1;
        configuration.useUint64 = wide_offsets;
        configuration.inputBuffer = &in_;
        configuration.buffer = &out_;

        auto plan = std::make_unique<Plan>();
        vkfft_status = CL_SUCCESS;
        vkfft_log.clear();
        const PlanLocale locale;
        const VkFFTResult result = initializeVkFFT(&plan->app, configuration); // deletes itself on failure
        plan->made = result == VKFFT_SUCCESS;
        check(result, "planning");
        return plan;
    }

    void check(VkFFTResult result, const char *doing) const {
        if (result == VKFFT_SUCCESS)
            return;
        const auto what = text("VkFFT, %s an FFT of %s: %s (%d)", doing, shape().describe().c_str(),
                               vkfft_error_name(result), static_cast<int>(result));
        const auto cause = vkfft_status == CL_SUCCESS
                               ? std::string()
                               : text(", %s (%d)", cl_error_name(vkfft_status), vkfft_status);
        throw Error(cl_is_out_of_memory(vkfft_status) ? GST_RESOURCE_ERROR_NO_SPACE_LEFT
                                                      : GST_RESOURCE_ERROR_FAILED,
                    what + cause, vkfft_log);
    }

    // Its kernels index with 32 bits as long as that will do.
    Plan &plan_for(const Launch &l) {
        const std::size_t end = std::max(l.in.byte, l.out.byte) / sizeof(cl_float2) + shape().samples();
        if (end <= std::numeric_limits<std::uint32_t>::max())
            return *narrow_;
        if (!wide_)
            wide_ = make_plan(true);
        return *wide_;
    }

    ClEvent launch(const Launch &l) override {
        const std::lock_guard<std::mutex> guard(lock_);
        Plan &plan = plan_for(l);
        const bool has_scratch = plan.app.configuration.allocateTempBuffer != 0;
        fft_begin(l.queue, has_scratch ? scratch_use_.waits_of(l.queue, l.wait) : l.wait.raw());

        // VkFFT keeps pointers to the handles.
        in_ = l.in.buffer;
        out_ = l.out.buffer;
        queue_ = l.queue;
        VkFFTLaunchParams params{};
        params.commandQueue = &queue_;
        params.inputBuffer = &in_;
        params.buffer = &out_;
        params.inputBufferOffset = l.in.byte;
        params.bufferOffset = l.out.byte;
        vkfft_status = CL_SUCCESS;
        vkfft_log.clear();
        check(VkFFTAppend(&plan.app, l.direction == FftDirection::Inverse ? 1 : -1, &params), "running");

        ClEvent done = fft_end(l.queue);
        if (has_scratch)
            scratch_use_.record(l.queue, done);
        return done;
    }

    cl_context context_;
    cl_device_id device_;
    std::mutex lock_; // over all below: plans hold kernels with their arguments
    cl_mem in_ = nullptr, out_ = nullptr;
    cl_command_queue queue_ = nullptr;
    ScratchUse scratch_use_;
    std::unique_ptr<Plan> narrow_, wide_; // 32 and 64 bit indices
};

} // namespace

std::unique_ptr<Fft> make_vkfft(const FftTask &task) { return std::make_unique<VkFft>(task); }

} // namespace tomo
