// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "column-means.hpp"

#include <gst/operators/fourier-transforms.hpp>

#include <algorithm>
#include <cmath>

namespace tomo::correction {

namespace {

const char *const file = "column-means.cl";

} // namespace

Gaussian upload_gaussian(Compute &compute, double sigma) {
    std::vector<float> weights{1.0f};
    for (int distance = 1; distance <= 4.0 * sigma + 0.5; distance++)
        weights.push_back(static_cast<float>(std::exp(-0.5 * distance * distance / (sigma * sigma))));
    const auto radius = sigma > 0.0 ? static_cast<cl_int>(weights.size()) - 1 : -1;
    return {compute.upload(weights), radius};
}

ColumnMeans::ColumnMeans(Compute &compute, const ArrayInfo &in, unsigned chunks) : chunks_(chunks) {
    if (chunks > in.height)
        throw Error(GST_LIBRARY_ERROR_SETTINGS,
                    text("chunks=%u, but sinograms have %u rows; wanted at most one chunk for each row",
                         chunks, in.height));
    // A core reads many columns at once, row by row; a GPU wants many work-items.
    const auto &device = *compute.device();
    if (device.is_cpu() && !device.prefers_local_memory())
        columns_ = 128;
    else
        parts_ = std::clamp(in.height / chunks / 32, 1u, 32u);
    for (const char *name : {"column_sums", "column_means", "columns_corrected"})
        kernel(compute, name);
}

// All of one program.
Kernel ColumnMeans::kernel(Compute &compute, const char *name) const {
    return compute.kernel(name, text("-D COLUMNS=%u", columns_), file);
}

Array ColumnMeans::of(Compute &compute, const Array &in) const {
    const unsigned width = in.width(), lines = chunks_ * in.depth();
    // Samples of the size of a tomo_sum.
    auto sums = compute.allocate({GST_TOMO_FORMAT_COMPLEX64, width, parts_, lines});
    auto counts = compute.allocate({GST_TOMO_FORMAT_UINT32, width, parts_, lines});
    compute.launch(kernel(compute, "column_sums"), WorkSize((width + columns_ - 1) / columns_, parts_, lines),
                   in, sums, counts, cl_uint{width}, cl_uint{in.height()}, cl_uint{chunks_});
    auto means = compute.allocate({GST_TOMO_FORMAT_FLOAT32, width, chunks_, in.depth()});
    compute.launch(kernel(compute, "column_means"), WorkSize(width, lines), std::as_const(sums),
                   std::as_const(counts), means, cl_uint{parts_});
    return means;
}

Array ColumnMeans::smoothed(Compute &compute, const Array &lines, const Gaussian &gaussian,
                            Operation operation) const {
    auto corrections = compute.allocate(lines.info());
    compute.launch(kernel(compute, "columns_smoothed"),
                   WorkSize(lines.width(), lines.height() * lines.depth()), lines, corrections,
                   BareBuffer{gaussian.weights}, gaussian.radius, cl_int{operation == Operation::multiply});
    return corrections;
}

void ColumnMeans::correct(Compute &compute, const Array &in, const Array &corrections, Array &out,
                          Operation operation) const {
    compute.launch(kernel(compute, "columns_corrected"), WorkSize(out.info()), in, corrections, out,
                   cl_uint{chunks_}, cl_int{operation == Operation::multiply});
}

ArrayInfo StripesByMeans::shape(const ArrayInfo &in) {
    means_ = {*this, in, chunks};
    return Filter::shape(in);
}

void StripesByMeans::process(const Array &in, Array &out) {
    means_->correct(*this, in, corrections(means_->of(*this, in)), out, Operation::add);
}

unsigned StripesByMeans::batch_that_pays(const ArrayInfo &in) {
    return fourier::batch_that_pays(*device(), in);
}

} // namespace tomo::correction
