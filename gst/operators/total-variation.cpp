// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/operators/total-variation.hpp>
#include <gst/tomo/device/device.hpp>

namespace tomo {

WorkSize TotalVariation::size() const { return WorkSize(run_.x.width(), height(), depth()).groups(32, 4); }

Array TotalVariation::dual() const {
    const unsigned dimensions = run_.settings.neighbours() > 1 ? 3 : 2;
    return run_.filled(run_.x.info().with_size(run_.x.width(), height(), std::uint64_t{dimensions} * depth()),
                       0.0f);
}

// As the kernels have it: with ROWS a work-item for each of them.
WorkSize TotalVariation::lines(unsigned columns, unsigned rows) const {
    return run_.compute.device()->prefers_local_memory()
               ? WorkSize(run_.x.width(), height(), depth()).groups(columns, rows)
               : WorkSize(height(), depth());
}

// See `Line` of the kernels.
Array TotalVariation::padded_dual() const {
    const auto rows = std::uint64_t{height()} * depth();
    return run_.filled(ArrayInfo(GST_TOMO_FORMAT_FLOAT32, run_.x.width(),
                                 run_.settings.neighbours() > 1 ? 3 * rows + 2 + height() : 2 * rows + 2),
                       0.0f);
}

Array TotalVariation::denoised() const {
    return run_.compute.allocate(
        {GST_TOMO_FORMAT_FLOAT32, run_.x.width(), std::uint64_t{height()} * (depth() + 1)});
}

void TotalVariation::denoise(const Array &noisy, const Array &dual, float weight, Array &denoised) const {
    launch(lines(), "denoise", BareBuffer{noisy}, BareBuffer{dual}, ReadWriteBareBuffer{denoised},
           BareBuffer{run_.x}, run_.mask_argument(), weight, cl_float(run_.settings.minimum),
           cl_float(run_.settings.maximum));
}

void TotalVariation::improve_dual(const Array &denoised, float weight, float momentum, Array &dual,
                                  Array &ahead) const {
    // Parts of four rows at once took an H200 four times as long: no other kernel has that many arrays.
    launch(lines(128, 1), "improve_dual", BareBuffer{denoised}, ReadWriteBareBuffer{dual},
           ReadWriteBareBuffer{ahead}, weight, momentum);
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
