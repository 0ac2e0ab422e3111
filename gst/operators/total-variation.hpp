// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/operators/solver-run.hpp>

namespace tomo {

// Kernels for the total variation of a run's volumes: the sum over all pixels of the length of their forward
// differences along columns, rows and, where slices are neighbours, slices. Differences behind the last pixel
// are 0. A dual array has all differences along columns, then those along rows, then those along slices.
class TotalVariation {
  public:
    explicit TotalVariation(SolverRun &run) : run_(run) {}

    Array dual() const; // zeros

    // Fast gradient projection (Beck, Teboulle 2009) towards the volume next to `noisy`, with `weight` of the
    // variation and the bounds of the run. A dual array of this has zeros before each part.
    class Denoiser {
      public:
        explicit Denoiser(const TotalVariation &variation); // from zeros
        // The dual's next step begins `momentum` times this step further on.
        void step(const Array &noisy, float weight, float momentum);
        const Array &dual() const { return dual_; }
        // Lets go of what steps need, behind the last one, whose momentum is 0.
        void rest();

      private:
        const TotalVariation &variation_;
        Array dual_, other_; // where the next step begins, or on GPUs the dual before
        Array next_;         // on GPUs, as the one before only while there are steps
        Array denoised_;     // elsewhere, with a place behind the last slice
        float momentum_ = 0.0f;
    };
    // The run's x from the dual, and `ahead` = x + momentum (x - x before).
    void take_denoised(const Array &noisy, const Array &dual, float weight, float momentum,
                       Array &ahead) const;

    // Split Bregman: target = d - shift and shift, for the next x.
    void split(Array &shift, Array &target, float threshold) const;
    void split_bounds(Array &lag, Array &target) const;
    // gradient = scale gradient + penalty D*(target - D x) [+ penalty (bounds - x)]
    void add_split_gradient(Array &gradient, const Array &target, const Array *bounds, float scale,
                            float penalty) const;
    // product = scale product + penalty (D*D [+ 1]) direction
    void add_split_product(Array &product, const Array &direction, bool is_bounded, float scale,
                           float penalty) const;

    // The gradient of the variation, which is smoothed where it is 0.
    void gradient(Array &result) const;

  private:
    WorkSize size() const;
    Array padded_dual() const; // zeros
    void denoise(const Array &noisy, const Array &dual, float weight, Array &denoised) const;
    void improve_dual(const Array &denoised, float weight, float momentum, Array &dual, Array &ahead) const;
    void denoise_and_improve_dual(const Array &noisy, const Array &dual, const Array &before, float weight,
                                  float momentum, Array &next) const;
    // For kernels that go along these.
    WorkSize lines() const;
    // Of slices, which may lie below each other in planes of x.
    cl_uint height() const { return run_.x.height() / run_.settings.stacked; }
    cl_uint depth() const { return run_.x.depth() * run_.settings.stacked; }
    template <class... Args>
    void launch(const char *function, Args &&...args) const {
        launch(size(), function, std::forward<Args>(args)...);
    }
    template <class... Args>
    void launch(const WorkSize &size, const char *function, Args &&...args) const {
        launch(run_.kernel(function, file), size, std::forward<Args>(args)...);
    }
    template <class... Args>
    void launch(const Kernel &kernel, const WorkSize &size, Args &&...args) const {
        run_.compute.launch(kernel, size, std::forward<Args>(args)..., cl_uint{run_.x.width()}, height(),
                            depth(), cl_uint{run_.settings.neighbours()});
    }

    static constexpr const char *file = "total-variation.cl";
    SolverRun &run_;
};

} // namespace tomo
