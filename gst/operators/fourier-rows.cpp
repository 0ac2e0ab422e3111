// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/operators/fourier-rows.hpp>
#include <gst/operators/slice-pairs.hpp>
#include <gst/tomo/device/device.hpp>
#include <gst/tomo/support/error.hpp>

#include <algorithm>
#include <cmath>

namespace tomo {

using fourier::complex_samples;

namespace {

constexpr const char *file = "fourier-rows.cl";

// View of the kernels.
struct FourierView {
    std::int64_t axis;
    float weight;
    std::uint32_t unused;
};
static_assert(sizeof(FourierView) == 16, "the device reads this layout");

} // namespace

std::vector<double> columns_of_middle(const std::vector<double> &angles, double axis, double axis_in_slice,
                                      const SliceRegion &slice) {
    // From the axis to the middle.
    const double x = double(slice.x) + slice.width / 2 - axis_in_slice + 0.5,
                 y = double(slice.y) + slice.height / 2 - axis_in_slice + 0.5;
    std::vector<double> columns;
    for (const double angle : angles)
        columns.push_back(axis - 0.5 + x * std::cos(angle) + y * std::sin(angle));
    return columns;
}

void FourierRows::plan(unsigned width, unsigned views, unsigned pairs, bool continues_edges,
                       const std::vector<std::complex<double>> &response) {
    const auto length = static_cast<unsigned>(response.size());
    if (length % 2 != 0 || length < width)
        throw Error(
            GST_LIBRARY_ERROR_SETTINGS,
            text("rows of %u samples are padded to %u; wanted an even number, and no less than the row has",
                 width, length));
    width_ = width;
    views_ = views;
    length_ = length;
    continues_edges_ = continues_edges;
    // Rows that stay in a cache, and on GPUs enough of them to keep the device busy.
    group_fft_.reset();
    if (fourier::GroupFft::fits(*compute_.device(), length))
        group_fft_.emplace(compute_, length);
    const std::uint64_t together = compute_.device()->is_cpu() ? 2 << 20 : group_fft_ ? 32 << 20 : 64 << 20;
    chunk_ = static_cast<unsigned>(
        std::clamp<std::uint64_t>(together / (sizeof(cl_float2) * length * pairs), 1, views));
    if (!group_fft_)
        transforms_ = {compute_, complex_samples(length, chunk_), 1, pairs};
    std::vector<cl_float2> table(length);
    for (unsigned k = 0; k < length; k++)
        table[k] = {{static_cast<float>(response[k].real() / length),
                     static_cast<float>(response[k].imag() / length)}};
    response_ = compute_.upload(table.data(), table.size() * sizeof table[0]);
}

void FourierRows::set_views(const std::vector<double> &middles, const std::vector<double> &weights) {
    std::vector<FourierView> table(middles.size());
    for (std::size_t p = 0; p < middles.size(); p++) {
        const double column = middles[p] - std::floor(middles[p] / length_) * length_;
        table[p] = {std::llround(std::ldexp(column, 24)), static_cast<float>(weights[p]), 0};
    }
    const auto views = compute_.upload(table.data(), table.size() * sizeof table[0]);
    const unsigned columns = length_ / 2 + 1;
    factors_ = compute_.allocate(complex_samples(2, columns, views_));
    compute_.launch(fourier::kernel_of_pairs(compute_, "fourier_factors", 1, file), WorkSize(columns, views_),
                    BareBuffer{views}, BareBuffer{response_}, ReadWriteBareBuffer{factors_},
                    cl_uint{length_});
}

ArrayInfo FourierRows::samples(unsigned pairs) const {
    return complex_samples(2 * pairs, length_ / 2 + 1, views_);
}

Array FourierRows::chunk_of_rows(unsigned pairs) const {
    return compute_.allocate(complex_samples(length_, std::uint64_t{chunk_} * pairs));
}

WorkSize FourierRows::size_of_samples(unsigned pairs) const {
    const unsigned columns = length_ / 2 + 1;
    return fourier::works_in_groups(*compute_.device()) ? WorkSize(columns, pairs, chunk_).groups(16, pairs)
                                                        : WorkSize(columns, chunk_);
}

Kernel FourierRows::kernel_of_rows(const char *function, unsigned pairs) const {
    return group_fft_ ? compute_.kernel(function, group_fft_->options(), "fourier-group-rows.cl")
                      : fourier::kernel_of_pairs(compute_, function, pairs, file);
}

// A work-group for each row.
WorkSize FourierRows::size_of_groups(unsigned pairs) const {
    return WorkSize(group_fft_->items(), chunk_, pairs).groups(group_fft_->items());
}

void FourierRows::to_samples(const Array &sinograms, Array &samples, Array &is_bad, unsigned pairs) {
    Array rows = chunk_of_rows(pairs);
    const cl_uint slices = sinograms.depth(), continues = continues_edges_;
    const auto fill = kernel_of_rows("fourier_rows", pairs),
               turn = fourier::kernel_of_pairs(compute_, "fourier_samples", pairs, file);
    for (unsigned first = 0; first < views_; first += chunk_) {
        if (group_fft_)
            compute_.launch(fill, size_of_groups(pairs), sinograms, ReadWriteBareBuffer{rows},
                            ReadWriteBareBuffer{is_bad}, cl_uint{first}, cl_uint{width_}, cl_uint{views_},
                            slices, continues, group_fft_->circle(), group_fft_->local());
        else {
            compute_.launch(fill, WorkSize(length_, chunk_, pairs), sinograms, ReadWriteBareBuffer{rows},
                            ReadWriteBareBuffer{is_bad}, cl_uint{first}, cl_uint{width_}, cl_uint{views_},
                            slices, cl_uint{length_}, continues);
            transforms_.run(compute_, FftDirection::Forward, rows, rows);
        }
        compute_.launch(turn, size_of_samples(pairs), BareBuffer{rows}, BareBuffer{factors_},
                        ReadWriteBareBuffer{samples}, cl_uint{first}, cl_uint{views_}, cl_uint{length_});
    }
}

void FourierRows::from_samples(const Array &samples, Array &sinograms, const Array &is_bad, unsigned pairs) {
    Array rows = chunk_of_rows(pairs);
    // Views behind the last one have rows, too.
    const float zero = 0.0f;
    compute_.fill(rows, &zero, sizeof zero);
    const cl_uint slices = sinograms.depth();
    const auto turn = fourier::kernel_of_pairs(compute_, "fourier_spectra", pairs, file),
               crop = kernel_of_rows("fourier_unpad_rows", pairs);
    for (unsigned first = 0; first < views_; first += chunk_) {
        compute_.launch(turn, size_of_samples(pairs), BareBuffer{samples}, BareBuffer{factors_},
                        ReadWriteBareBuffer{rows}, cl_uint{first}, cl_uint{views_}, cl_uint{length_});
        if (group_fft_)
            compute_.launch(crop, size_of_groups(pairs), BareBuffer{rows}, ReadWrite{sinograms},
                            BareBuffer{is_bad}, cl_uint{first}, cl_uint{width_}, cl_uint{views_}, slices,
                            group_fft_->circle(), group_fft_->local());
        else {
            transforms_.run(compute_, FftDirection::Inverse, rows, rows);
            compute_.launch(crop, WorkSize(width_, chunk_, pairs), BareBuffer{rows}, ReadWrite{sinograms},
                            BareBuffer{is_bad}, cl_uint{first}, cl_uint{views_}, slices, cl_uint{length_});
        }
    }
}

} // namespace tomo
