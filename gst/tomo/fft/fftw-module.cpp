// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The module that holds FFTW. This text is LGPL; the module built from it is under FFTW's GPL, which is why
// it is loaded at run time and knows nothing of the rest.
//
// FFTW serves for one thing: lines of one length, packed and aligned. Each dimension is a pass over all its
// lines; a block of neighbouring lines is gathered into scratch memory, transformed there and put back. So
// one plan per length serves any offset, in place or not; strided dimensions keep to the cache (three times
// faster than FFTW's own estimated plan of a 2048 x 2048 image); and a line gives the same bits wherever it
// lies.
#include <gst/tomo/fft/fftw-module.h>

#include <fftw3.h>

#include <algorithm>
#include <complex>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <new>
#include <numeric>
#include <thread>
#include <type_traits>
#include <vector>

namespace {

using Sample = std::complex<float>;

struct FreePlan {
    void operator()(fftwf_plan plan) const;
};
struct FreeMemory {
    void operator()(Sample *memory) const { fftwf_free(memory); }
};
using LinePlan = std::unique_ptr<std::remove_pointer_t<fftwf_plan>, FreePlan>;
using Memory = std::unique_ptr<Sample[], FreeMemory>;

// FFTW's planner is one for the process and not thread-safe; only executing is.
std::mutex &planner_lock() {
    static std::mutex lock;
    return lock;
}

void FreePlan::operator()(fftwf_plan plan) const {
    const std::lock_guard<std::mutex> guard(planner_lock());
    fftwf_destroy_plan(plan);
}

constexpr std::size_t cache_line = 64 / sizeof(Sample);
constexpr std::size_t lines_per_block = 2 * cache_line; // of a strided dimension: whole cache lines are read
constexpr std::size_t samples_per_thread = 1 << 14;     // fewer are not worth a thread of their own

// All lines along one dimension.
struct Pass {
    std::size_t length; // samples of a line
    std::size_t inner;  // lines that lie next to each other, also the distance of a line's samples
    std::size_t outer;  // groups of such lines
    std::size_t pitch;  // distance of lines in the scratch memory
    std::size_t lines;  // per block
    LinePlan plans[2];  // forward, inverse

    std::size_t blocks_per_group() const { return (inner + lines - 1) / lines; }
    std::size_t blocks() const { return outer * blocks_per_group(); }
    std::size_t block() const { return lines * pitch; }
    std::size_t scratch() const { return 2 * block(); } // a block and its transform
};

fftwf_complex *fftw(Sample *samples) { return reinterpret_cast<fftwf_complex *>(samples); }

LinePlan plan_lines(const Pass &pass, Sample *scratch, int sign) {
    const std::lock_guard<std::mutex> guard(planner_lock());
    const fftwf_iodim64 line{static_cast<std::ptrdiff_t>(pass.length), 1, 1};
    // Estimated, not measured: measuring takes long and makes the last bits differ from run to run.
    return LinePlan(fftwf_plan_guru64_dft(1, &line, 0, nullptr, fftw(scratch), fftw(scratch + pass.block()),
                                          sign, FFTW_ESTIMATE | FFTW_DESTROY_INPUT));
}

void gather(const Pass &pass, std::size_t lines, const Sample *from, Sample *block) {
    if (pass.inner == 1) {
        std::copy_n(from, pass.length, block);
        return;
    }
    for (std::size_t n = 0; n < pass.length; n++)
        for (std::size_t l = 0; l < lines; l++)
            block[l * pass.pitch + n] = from[n * pass.inner + l];
}

void scatter(const Pass &pass, std::size_t lines, float scale, const Sample *block, Sample *to) {
    if (pass.inner == 1) {
        std::transform(block, block + pass.length, to, [scale](Sample sample) { return scale * sample; });
        return;
    }
    for (std::size_t n = 0; n < pass.length; n++)
        for (std::size_t l = 0; l < lines; l++)
            to[n * pass.inner + l] = scale * block[l * pass.pitch + n];
}

class Plan {
  public:
    Plan(unsigned dimensions, const std::size_t *size, std::size_t batch, unsigned threads) {
        const std::size_t item =
            std::accumulate(size, size + dimensions, std::size_t{1}, std::multiplies<std::size_t>());
        const std::size_t samples = item * batch;
        std::size_t inner = 1;
        for (unsigned i = 0; i < dimensions; i++) {
            Pass pass{};
            pass.length = size[i];
            pass.inner = inner;
            pass.outer = samples / (inner * size[i]);
            // An odd number of cache lines apart, so that equal indices of the lines don't share a cache set.
            pass.pitch = ((pass.length + cache_line - 1) / cache_line | 1) * cache_line;
            pass.lines = std::min(lines_per_block, inner);
            passes_.push_back(std::move(pass));
            inner *= size[i];
        }
        scale_ = static_cast<float>(1.0 / static_cast<double>(item));

        std::size_t largest = 0;
        for (const Pass &pass : passes_)
            largest = std::max(largest, pass.scratch());
        scratch_.resize(std::clamp<std::size_t>(samples / samples_per_thread, 1, std::max(threads, 1u)));
        helpers_.resize(scratch_.size());
        for (Memory &scratch : scratch_) {
            scratch.reset(reinterpret_cast<Sample *>(fftwf_malloc(largest * sizeof(Sample))));
            if (!scratch)
                throw std::bad_alloc();
        }
        for (Pass &pass : passes_) {
            pass.plans[0] = plan_lines(pass, scratch_[0].get(), FFTW_FORWARD);
            pass.plans[1] = plan_lines(pass, scratch_[0].get(), FFTW_BACKWARD);
            if (!pass.plans[0] || !pass.plans[1])
                throw std::bad_alloc();
        }
    }

    void run(bool inverse, const Sample *in, Sample *out) {
        const std::lock_guard<std::mutex> guard(lock_);
        for (std::size_t i = 0; i < passes_.size(); i++) {
            run_pass(passes_[i], inverse, inverse && i == 0 ? scale_ : 1.0f, in, out);
            in = out;
        }
    }

  private:
    void run_pass(const Pass &pass, bool inverse, float scale, const Sample *in, Sample *out) {
        const std::size_t blocks = pass.blocks(), shares = std::min(scratch_.size(), blocks);
        const auto share = [&](std::size_t i) {
            run_blocks(pass, inverse, scale, in, out, scratch_[i].get(), blocks * i / shares,
                       blocks * (i + 1) / shares);
        };
        std::size_t helped = 1;
        try {
            for (; helped < shares; helped++)
                helpers_[helped] = std::thread(share, helped);
        } catch (const std::exception &) {
            // No thread to be had: this one does the rest.
        }
        share(0);
        for (std::size_t i = helped; i < shares; i++)
            share(i);
        for (std::size_t i = 1; i < helped; i++)
            helpers_[i].join();
    }

    static void run_blocks(const Pass &pass, bool inverse, float scale, const Sample *in, Sample *out,
                           Sample *scratch, std::size_t from, std::size_t to) {
        const fftwf_plan plan = pass.plans[inverse].get();
        Sample *const result = scratch + pass.block();
        for (std::size_t block = from; block < to; block++) {
            const std::size_t group = block / pass.blocks_per_group();
            const std::size_t first = block % pass.blocks_per_group() * pass.lines;
            const std::size_t lines = std::min(pass.lines, pass.inner - first);
            const std::size_t base = group * pass.length * pass.inner + first;
            gather(pass, lines, in + base, scratch);
            for (std::size_t l = 0; l < lines; l++)
                fftwf_execute_dft(plan, fftw(scratch + l * pass.pitch), fftw(result + l * pass.pitch));
            scatter(pass, lines, scale, result, out + base);
        }
    }

    std::mutex lock_; // held while the plan runs: there is one scratch memory
    std::vector<Pass> passes_;
    std::vector<Memory> scratch_;      // of each thread
    std::vector<std::thread> helpers_; // all but the first of them
    float scale_;
};

// To the outside a plan is an opaque handle.
GstTomoFftwPlan *plan_new(unsigned dimensions, const std::size_t *size, std::size_t batch, unsigned threads) {
    try {
        auto plan = std::make_unique<Plan>(dimensions, size, batch, threads);
        return reinterpret_cast<GstTomoFftwPlan *>(plan.release());
    } catch (const std::exception &) {
        return nullptr;
    }
}

void plan_free(GstTomoFftwPlan *plan) { std::default_delete<Plan>()(reinterpret_cast<Plan *>(plan)); }

void plan_run(GstTomoFftwPlan *plan, int inverse, const float *in, float *out) {
    reinterpret_cast<Plan *>(plan)->run(inverse != 0, reinterpret_cast<const Sample *>(in),
                                        reinterpret_cast<Sample *>(out));
}

} // namespace

extern "C" __attribute__((visibility("default"))) const GstTomoFftwModule *gst_tomo_fftw_module() {
    static const GstTomoFftwModule module{GST_TOMO_FFTW_MODULE_VERSION, plan_new, plan_free, plan_run};
    return &module;
}
