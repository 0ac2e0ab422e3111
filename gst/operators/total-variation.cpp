// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/operators/total-variation.hpp>
#include <gst/tomo/device/device.hpp>

#include <algorithm>
#include <utility>

namespace tomo {

WorkSize TotalVariation::size() const { return WorkSize(run_.x.width(), height(), depth()).groups(32, 4); }

Array TotalVariation::dual() const {
    const unsigned dimensions = run_.settings.neighbours() > 1 ? 3 : 2;
    return run_.filled(run_.x.info().with_size(run_.x.width(), height(), std::uint64_t{dimensions} * depth()),
                       0.0f);
}

// As the kernels have it: with ROWS a work-item for each of them.
WorkSize TotalVariation::lines() const {
    return run_.compute.device()->prefers_local_memory() ? size() : WorkSize(height(), depth());
}

// See `Line` of the kernels.
Array TotalVariation::padded_dual() const {
    const auto rows = std::uint64_t{height()} * depth();
    return run_.filled(ArrayInfo(GST_TOMO_FORMAT_FLOAT32, run_.x.width(),
                                 run_.settings.neighbours() > 1 ? 3 * rows + 2 + height() : 2 * rows + 2),
                       0.0f);
}

TotalVariation::Denoiser::Denoiser(const TotalVariation &variation)
    : variation_(variation), dual_(variation.padded_dual()) {
    const auto &run = variation.run_;
    if (run.compute.device()->prefers_local_memory())
        return;
    other_ = variation.padded_dual();
    denoised_ = run.compute.allocate({GST_TOMO_FORMAT_FLOAT32, run.x.width(),
                                      std::uint64_t{variation.height()} * (variation.depth() + 1)});
}

void TotalVariation::Denoiser::step(const Array &noisy, float weight, float momentum) {
    if (denoised_) {
        variation_.denoise(noisy, other_, weight, denoised_);
        variation_.improve_dual(denoised_, weight, momentum, dual_, other_);
        return;
    }
    // The first step begins at the dual, and takes no other one.
    Array next = next_ ? std::move(next_) : variation_.padded_dual();
    variation_.denoise_and_improve_dual(noisy, dual_, other_ ? other_ : dual_, weight, momentum_, next);
    next_ = std::move(other_);
    other_ = std::move(dual_);
    dual_ = std::move(next);
    momentum_ = momentum;
}

void TotalVariation::Denoiser::rest() {
    if (denoised_)
        return;
    other_ = {};
    next_ = {};
}

void TotalVariation::denoise(const Array &noisy, const Array &dual, float weight, Array &denoised) const {
    launch(lines(), "denoise", BareBuffer{noisy}, BareBuffer{dual}, ReadWriteBareBuffer{denoised},
           BareBuffer{run_.x}, run_.mask_argument(), weight, cl_float(run_.settings.minimum),
           cl_float(run_.settings.maximum));
}

void TotalVariation::improve_dual(const Array &denoised, float weight, float momentum, Array &dual,
                                  Array &ahead) const {
    launch(lines(), "improve_dual", BareBuffer{denoised}, ReadWriteBareBuffer{dual},
           ReadWriteBareBuffer{ahead}, weight, momentum);
}

void TotalVariation::denoise_and_improve_dual(const Array &noisy, const Array &dual, const Array &before,
                                              float weight, float momentum, Array &next) const {
    constexpr unsigned columns = 64, march = 32; // TILE_COLUMNS and MARCH of the kernel
    const Device &device = *run_.compute.device();
    const unsigned rows =
        static_cast<unsigned>(std::clamp<std::size_t>(device.max_work_group() / columns, 1, 8));
    const unsigned neighbours = run_.settings.neighbours();
    const auto tiles = [](std::size_t count, unsigned tile) { return (count + tile - 1) / tile; };
    const auto kernel = solver_kernel(run_.compute, run_.settings, static_cast<bool>(run_.mask),
                                      "denoise_and_improve_dual", file, text(" -D TILE_ROWS=%u", rows));
    const WorkSize size(tiles(run_.x.width(), columns) * columns * rows, tiles(height(), rows),
                        depth() / neighbours * tiles(neighbours, march));
    launch(kernel, WorkSize(size).groups(columns * rows, 1), BareBuffer{noisy}, BareBuffer{dual},
           BareBuffer{before}, ReadWriteBareBuffer{next}, BareBuffer{run_.x}, run_.mask_argument(), weight,
           momentum, cl_float(run_.settings.minimum), cl_float(run_.settings.maximum));
}

void TotalVariation::take_denoised(const Array &noisy, const Array &dual, float weight, float momentum,
                                   Array &ahead) const {
    launch(lines(), "take_denoised", BareBuffer{noisy}, BareBuffer{dual}, ReadWriteBareBuffer{run_.x},
           ReadWriteBareBuffer{ahead}, BareBuffer{run_.done}, run_.mask_argument(),
           cl_uint{depth() / run_.volumes()}, weight, momentum, cl_float(run_.settings.minimum),
           cl_float(run_.settings.maximum));
}

void TotalVariation::split(Array &shift, Array &target, float threshold) const {
    launch("split_differences", BareBuffer{run_.x}, ReadWriteBareBuffer{shift}, ReadWriteBareBuffer{target},
           threshold);
}

void TotalVariation::split_bounds(Array &lag, Array &target) const {
    launch("split_bounds", BareBuffer{run_.x}, ReadWriteBareBuffer{lag}, ReadWriteBareBuffer{target},
           cl_float(run_.settings.minimum), cl_float(run_.settings.maximum));
}

void TotalVariation::add_split_gradient(Array &gradient, const Array &target, const Array *bounds,
                                        float scale, float penalty) const {
    launch("add_split_gradient", ReadWriteBareBuffer{gradient}, BareBuffer{run_.x}, BareBuffer{target},
           BareBuffer{bounds ? *bounds : target}, cl_uint{bounds != nullptr}, scale, penalty);
}

void TotalVariation::add_split_product(Array &product, const Array &direction, bool is_bounded, float scale,
                                       float penalty) const {
    launch("add_split_product", ReadWriteBareBuffer{product}, BareBuffer{direction}, cl_uint{is_bounded},
           scale, penalty);
}

void TotalVariation::gradient(Array &result) const {
    launch(lines(), "variation_gradient", BareBuffer{run_.x}, ReadWriteBareBuffer{result});
}

} // namespace tomo
