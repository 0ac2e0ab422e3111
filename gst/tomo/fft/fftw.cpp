// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The engine FFTW: runs as a native kernel of a CPU device, so in the order of the device's queue and with
// nobody waiting for it on the host. FFTW itself is in a module of its own, see fft-fftw-module.h.
#include <gst/tomo/fft/engine.hpp>
#include <gst/tomo/fft/fftw-module.h>

#include <gmodule.h>

#include <cstring>
#include <optional>
#include <utility>

namespace tomo {

namespace {

constexpr const char *path_variable = "GST_TOMO_FFT_MODULE_PATH";
constexpr const char *module_name = "libgsttomofftw." G_MODULE_SUFFIX;

struct Search {
    const GstTomoFftwModule *module = nullptr;
    std::string problem; // why there is none
};

struct FreeString {
    void operator()(gchar *s) const { g_free(s); }
};
using String = std::unique_ptr<gchar, FreeString>;

// Tries one file. It stays loaded for good: native kernels of it may still be queued at any time.
const GstTomoFftwModule *load(const char *file, std::string &problem) {
    GModule *module =
        g_module_open(file, static_cast<GModuleFlags>(G_MODULE_BIND_LOCAL | G_MODULE_BIND_LAZY));
    if (!module) {
        problem += text("; %s", g_module_error());
        return nullptr;
    }
    gpointer symbol = nullptr;
    const bool found = g_module_symbol(module, GST_TOMO_FFTW_MODULE_SYMBOL, &symbol) && symbol;
    const auto *functions = found ? reinterpret_cast<GstTomoFftwModuleFunction>(symbol)() : nullptr;
    if (!functions || functions->version != GST_TOMO_FFTW_MODULE_VERSION) {
        problem += text("; %s does not belong to this version of gst-tomo", file);
        g_module_close(module);
        return nullptr;
    }
    g_module_make_resident(module);
    return functions;
}

Search search() {
    std::vector<std::string> folders;
    if (const char *given = g_getenv(path_variable)) {
        const std::unique_ptr<gchar *, decltype(&g_strfreev)> list(
            g_strsplit(given, G_SEARCHPATH_SEPARATOR_S, -1), g_strfreev);
        for (gchar **folder = list.get(); *folder; folder++)
            if (**folder)
                folders.emplace_back(*folder);
    }
#ifdef GST_TOMO_MODULE_DIR
    folders.emplace_back(GST_TOMO_MODULE_DIR);
#endif
    Search result;
    std::string looked, problem;
    for (const std::string &folder : folders) {
        const String file(g_build_filename(folder.c_str(), module_name, nullptr));
        looked += (looked.empty() ? "" : ", ") + folder;
        if (!g_file_test(file.get(), G_FILE_TEST_EXISTS))
            continue;
        result.module = load(file.get(), problem);
        if (result.module)
            return result;
    }
    result.problem = text("no usable module %s in %s%s", module_name,
                          looked.empty() ? "any folder" : looked.c_str(), problem.c_str());
    return result;
}

// Looked for once; a program that sets GST_TOMO_FFT_MODULE_PATH does so before the first transform.
const Search &fftw_module() {
    static const Search found = search();
    return found;
}

// What a queued transform needs; lives until its event completes, whatever becomes of the Fft.
struct Job {
    std::shared_ptr<GstTomoFftwPlan> plan;
    FftDirection direction;
    const void *in;
    void *out;
};

void CL_CALLBACK run_job(void *data) {
    const Job *job = nullptr;
    std::memcpy(&job, data, sizeof job);
    fftw_module().module->plan_run(job->plan.get(), job->direction == FftDirection::Inverse,
                                   static_cast<const float *>(job->in), static_cast<float *>(job->out));
}

// The host's view of a buffer while the queue is at the commands enqueued in this object's life.
//
// A native kernel could be given its buffers' addresses by OpenCL, but PoCL (3.1) hands them over in the
// order in which the buffers were made. Devices that share the host's memory map without copying.
class Mapping {
  public:
    Mapping(cl_command_queue queue, cl_mem buffer, std::size_t byte, std::size_t size, cl_map_flags access,
            const WaitList &wait)
        : queue_(queue), buffer_(buffer) {
        cl_int status = CL_SUCCESS;
        address_ = clEnqueueMapBuffer(queue, buffer, CL_FALSE, access, byte, size, wait.size(), wait.data(),
                                      nullptr, &status);
        cl_check(status, "mapping the memory of an FFT");
    }
    ~Mapping() {
        if (address_)
            clEnqueueUnmapMemObject(queue_, buffer_, address_, 0, nullptr, nullptr);
    }
    Mapping(const Mapping &) = delete;
    Mapping &operator=(const Mapping &) = delete;

    void *address() const { return address_; }
    void end() {
        void *const address = std::exchange(address_, nullptr);
        cl_check(clEnqueueUnmapMemObject(queue_, buffer_, address, 0, nullptr, nullptr),
                 "unmapping the memory of an FFT");
    }

  private:
    cl_command_queue queue_;
    cl_mem buffer_;
    void *address_ = nullptr;
};

// Called at the end of the command, also when it failed or never ran.
void CL_CALLBACK drop_job(cl_event, cl_int, void *data) {
    std::default_delete<Job>()(static_cast<Job *>(data));
}

class Fftw final : public Fft {
  public:
    explicit Fftw(const FftTask &task) : Fft(task.shape) {
        const GstTomoFftwModule &module = *fftw_module().module;
        const auto threads = cl_query<cl_uint>(clGetDeviceInfo, task.device, CL_DEVICE_MAX_COMPUTE_UNITS, 1);
        GstTomoFftwPlan *plan =
            module.plan_new(task.shape.dimensions, task.shape.size.data(), task.shape.batch, threads);
        if (!plan)
            throw Error(
                GST_RESOURCE_ERROR_NO_SPACE_LEFT,
                text("FFTW could not plan an FFT of %s: not enough memory", task.shape.describe().c_str()));
        plan_.reset(plan, module.plan_free);
    }

    const char *engine() const override { return "fftw"; }

  private:
    ClEvent launch(const Launch &l) override {
        const std::size_t size = shape().samples() * sizeof(cl_float2);
        auto job = std::make_unique<Job>(Job{plan_, l.direction, nullptr, nullptr});
        std::optional<Mapping> in, out;
        if (l.in == l.out) {
            out.emplace(l.queue, l.out.buffer, l.out.byte, size, CL_MAP_READ | CL_MAP_WRITE, l.wait);
            job->in = job->out = out->address();
        } else {
            in.emplace(l.queue, l.in.buffer, l.in.byte, size, CL_MAP_READ, l.wait);
            out.emplace(l.queue, l.out.buffer, l.out.byte, size, CL_MAP_WRITE_INVALIDATE_REGION, l.wait);
            job->in = in->address();
            job->out = out->address();
        }
        run(l.queue, std::move(job));
        if (in)
            in->end();
        out->end();
        return fft_end(l.queue);
    }

    void run(cl_command_queue queue, std::unique_ptr<Job> job) const {
        Job *arg = job.get();
        cl_event event = nullptr;
        cl_check(
            clEnqueueNativeKernel(queue, run_job, &arg, sizeof arg, 0, nullptr, nullptr, 0, nullptr, &event),
            text("enqueueing FFTW for an FFT of %s", shape().describe().c_str()));
        const ClEvent done(event);
        const cl_int status = clSetEventCallback(event, CL_COMPLETE, drop_job, arg);
        if (status != CL_SUCCESS)
            clWaitForEvents(1, &event);
        else
            job.release(); // drop_job has it now
        cl_check(status, "watching an FFT by FFTW");
    }

    std::shared_ptr<GstTomoFftwPlan> plan_;
};

// Empty where FFTW can serve the device.
std::string why_not(cl_device_id device) {
    const auto type = cl_query<cl_device_type>(clGetDeviceInfo, device, CL_DEVICE_TYPE);
    if (!(type & CL_DEVICE_TYPE_CPU))
        return "it serves CPU devices only";
    const auto abilities =
        cl_query<cl_device_exec_capabilities>(clGetDeviceInfo, device, CL_DEVICE_EXECUTION_CAPABILITIES);
    if (!(abilities & CL_EXEC_NATIVE_KERNEL))
        return "the device can't run native kernels";
    return fftw_module().problem;
}

} // namespace

bool fftw_is_available(cl_device_id device, std::string &reason) {
    reason = why_not(device);
    return reason.empty();
}

std::unique_ptr<Fft> make_fftw(const FftTask &task) {
    const std::string problem = why_not(task.device);
    if (!problem.empty())
        throw Error(GST_LIBRARY_ERROR_SETTINGS,
                    text("FFTW can't transform on the device '%s': %s; unset GST_TOMO_FFT or set it to vkfft",
                         cl_query_string(clGetDeviceInfo, task.device, CL_DEVICE_NAME).c_str(),
                         problem.c_str()));
    return std::make_unique<Fftw>(task);
}

} // namespace tomo
