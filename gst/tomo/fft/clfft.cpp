// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The engine clFFT: lengths of the factors 2, 3, 5, 7, 11 and 13 only.
#include <gst/tomo/fft/engine.hpp>

#include <clFFT.h>

namespace tomo {

namespace {

const char *clfft_error_name(clfftStatus status) {
    switch (status) {
#define NAME(code)                                                                                           \
    case code:                                                                                               \
        return #code;
        NAME(CLFFT_BUGCHECK)
        NAME(CLFFT_NOTIMPLEMENTED)
        NAME(CLFFT_TRANSPOSED_NOTIMPLEMENTED)
        NAME(CLFFT_FILE_NOT_FOUND)
        NAME(CLFFT_FILE_CREATE_FAILURE)
        NAME(CLFFT_VERSION_MISMATCH)
        NAME(CLFFT_INVALID_PLAN)
        NAME(CLFFT_DEVICE_NO_DOUBLE)
        NAME(CLFFT_DEVICE_MISMATCH)
#undef NAME
    default:
        return cl_error_name(status);
    }
}

void check(clfftStatus status, const char *doing, const FftShape &shape) {
    if (status == CLFFT_SUCCESS)
        return;
    throw Error(cl_is_out_of_memory(status) ? GST_RESOURCE_ERROR_NO_SPACE_LEFT : GST_RESOURCE_ERROR_FAILED,
                text("clFFT, %s an FFT of %s: %s (%d); GST_TOMO_FFT=vkfft may do it", doing,
                     shape.describe().c_str(), clfft_error_name(status), static_cast<int>(status)));
}

// One lock for all of clFFT: its tables of plans and programs are global.
std::mutex &clfft_lock() {
    static std::mutex lock;
    return lock;
}

// The library set up, for as long as there are plans: only its teardown releases the programs that it keeps,
// and with them their contexts.
class Library {
  public:
    static std::shared_ptr<Library> get() {
        static std::weak_ptr<Library> current;
        auto library = current.lock();
        if (!library)
            current = library = std::make_shared<Library>();
        return library;
    }

    Library() {
        clfftSetupData data{};
        check(clfftInitSetupData(&data), "setting up", {});
        check(clfftSetup(&data), "setting up", {});
    }
    ~Library() { clfftTeardown(); }
    Library(const Library &) = delete;
    Library &operator=(const Library &) = delete;
};

class ClFft final : public Fft {
  public:
    explicit ClFft(const FftTask &task) : Fft(task.shape), context_(task.context), device_(task.device) {
        require_factors();
        base_align_ = cl_query<cl_uint>(clGetDeviceInfo, device_, CL_DEVICE_MEM_BASE_ADDR_ALIGN, 8) / 8;
        const std::lock_guard<std::mutex> guard(clfft_lock());
        library_ = Library::get();
        try {
            in_place_ = make_plan(CLFFT_INPLACE);
        } catch (...) {
            release();
            throw;
        }
    }

    ~ClFft() override {
        const std::lock_guard<std::mutex> guard(clfft_lock());
        release();
    }

    const char *engine() const override { return "clfft"; }

  private:
    // A baked plan with the scratch memory that it asks for.
    struct Plan {
        clfftPlanHandle handle = 0;
        bool made = false;
        ClMem scratch;
        Plan() = default;
        Plan(const Plan &) = delete;
        Plan &operator=(const Plan &) = delete;
        ~Plan() {
            if (made)
                clfftDestroyPlan(&handle);
        }
    };

    void release() {
        in_place_.reset();
        out_of_place_.reset();
        library_.reset();
    }

    void require_factors() const {
        for (unsigned i = 0; i < shape().dimensions; i++) {
            std::size_t rest = shape().size[i];
            for (std::size_t prime : {2, 3, 5, 7, 11, 13})
                while (rest % prime == 0)
                    rest /= prime;
            if (rest != 1)
                throw Error(
                    GST_LIBRARY_ERROR_SETTINGS,
                    text("clFFT can't transform the length %zu (of %s): it wants the factors 2, 3, 5, 7, 11 "
                         "and 13 only; set GST_TOMO_FFT=vkfft, or pad to another length",
                         shape().size[i], shape().describe().c_str()));
        }
    }

    std::unique_ptr<Plan> make_plan(clfftResultLocation location) const {
        const auto bake = "planning";
        static constexpr clfftDim dimensions[] = {CLFFT_1D, CLFFT_2D, CLFFT_3D};
        auto plan = std::make_unique<Plan>();
        check(clfftCreateDefaultPlan(&plan->handle, context_, dimensions[shape().dimensions - 1],
                                     shape().size.data()),
              bake, shape());
        plan->made = true;
        check(clfftSetPlanBatchSize(plan->handle, shape().batch), bake, shape());
        check(clfftSetPlanPrecision(plan->handle, CLFFT_SINGLE), bake, shape());
        check(clfftSetLayout(plan->handle, CLFFT_COMPLEX_INTERLEAVED, CLFFT_COMPLEX_INTERLEAVED), bake,
              shape());
        check(clfftSetResultLocation(plan->handle, location), bake, shape());

        cl_int status = CL_SUCCESS;
        const ClQueue queue(clCreateCommandQueue(context_, device_, 0, &status));
        cl_check(status, "making a queue to plan an FFT");
        cl_command_queue raw = queue.get();
        check(clfftBakePlan(plan->handle, 1, &raw, nullptr, nullptr), bake, shape());
        std::size_t scratch = 0;
        check(clfftGetTmpBufSize(plan->handle, &scratch), bake, shape());
        if (scratch > 0)
            plan->scratch = make_buffer(scratch);
        return plan;
    }

    ClMem make_buffer(std::size_t size) const {
        cl_int status = CL_SUCCESS;
        ClMem buffer(clCreateBuffer(context_, CL_MEM_READ_WRITE, size, nullptr, &status));
        cl_check(status, text("allocating %zu bytes of scratch memory for an FFT of %s", size,
                              shape().describe().c_str()));
        return buffer;
    }

    std::size_t bytes() const { return shape().samples() * sizeof(cl_float2); }

    // clFFT takes no offsets: a view of the buffer from there on, where the device allows it.
    ClMem view(const Place &place) const {
        if (place.byte == 0)
            return ClMem::retained(place.buffer);
        const cl_buffer_region region{place.byte, bytes()};
        cl_int status = CL_SUCCESS;
        ClMem part(clCreateSubBuffer(place.buffer, 0, CL_BUFFER_CREATE_TYPE_REGION, &region, &status));
        cl_check(status, "making a sub-buffer for an FFT");
        return part;
    }

    void run(Plan &plan, const Launch &l, const ClMem &in, const ClMem &out) const {
        cl_command_queue queue = l.queue;
        cl_mem from = in.get(), to = out.get();
        check(clfftEnqueueTransform(plan.handle,
                                    l.direction == FftDirection::Forward ? CLFFT_FORWARD : CLFFT_BACKWARD, 1,
                                    &queue, 0, nullptr, nullptr, &from, &to, plan.scratch.get()),
              "running", shape());
    }

    ClEvent launch(const Launch &l) override {
        const std::lock_guard<std::mutex> guard(clfft_lock());
        fft_begin(l.queue, scratch_use_.waits_of(l.queue, l.wait));
        if (l.in.byte % base_align_ != 0 || l.out.byte % base_align_ != 0) {
            if (!copy_)
                copy_ = make_buffer(bytes());
            cl_check(clEnqueueCopyBuffer(l.queue, l.in.buffer, copy_.get(), l.in.byte, 0, bytes(), 0, nullptr,
                                         nullptr),
                     "copying the input of an FFT");
            run(*in_place_, l, copy_, copy_);
            cl_check(clEnqueueCopyBuffer(l.queue, copy_.get(), l.out.buffer, 0, l.out.byte, bytes(), 0,
                                         nullptr, nullptr),
                     "copying the output of an FFT");
        } else if (l.in == l.out) {
            const ClMem data = view(l.in);
            run(*in_place_, l, data, data);
        } else {
            if (!out_of_place_)
                out_of_place_ = make_plan(CLFFT_OUTOFPLACE);
            run(*out_of_place_, l, view(l.in), view(l.out));
        }
        ClEvent done = fft_end(l.queue);
        scratch_use_.record(l.queue, done);
        return done;
    }

    cl_context context_;
    cl_device_id device_;
    std::size_t base_align_;
    std::shared_ptr<Library> library_;
    std::unique_ptr<Plan> in_place_, out_of_place_; // the latter from its first use on
    ClMem copy_;                                    // for places that are not aligned
    ScratchUse scratch_use_;
};

} // namespace

std::unique_ptr<Fft> make_clfft(const FftTask &task) { return std::make_unique<ClFft>(task); }

} // namespace tomo
