// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/operators/fourier-projector.hpp>
#include <gst/operators/slice-pairs.hpp>
#include <gst/tomo/device/device.hpp>
#include <gst/tomo/support/error.hpp>

#include <algorithm>
#include <cmath>
#include <utility>

namespace tomo {

Spreading FourierProjector::spreading_of(double tolerance) {
    constexpr double times = 2.0; // of what filtered slices have: there, low frequencies count less
    return Spreading::of_tolerance(tolerance / times);
}

FourierProjector::FourierProjector(Compute &compute, ParallelBeam beam, const SliceRegion &slice,
                                   const Spreading &spreading)
    : compute_(compute), beam_(std::move(beam)), slice_(slice), spreading_(spreading),
      length_(length_of(beam_, slice_)), rows_(compute), grid_(compute, spreading) {}

// A pixel is seen at most as far from the axis as it lies, and rows are periodic.
unsigned FourierProjector::length_of(const ParallelBeam &beam, const SliceRegion &slice) {
    beam.check(slice);
    const double in_slice = beam.axis_in_slice.value_or(beam.axis);
    const auto farthest = [](double from, double to) { return std::max(std::abs(from), std::abs(to)); };
    const double of_pixels =
                     std::hypot(farthest(slice.x - in_slice, double(slice.x) + slice.width - in_slice),
                                farthest(slice.y - in_slice, double(slice.y) + slice.height - in_slice)),
                 of_columns = farthest(beam.axis, beam.columns - beam.axis), needed = of_pixels + of_columns;
    constexpr double most = 200000.0;
    if (needed > most)
        throw Error(
            GST_LIBRARY_ERROR_SETTINGS,
            text("pixels lie up to %.0f pixels from the axis, and columns up to %.0f; a projection by "
                 "Fourier transforms serves up to %.0f together: take Joseph's method",
                 of_pixels, of_columns, most));
    return fourier::good_length(std::max(needed, double(beam.columns)));
}

std::uint64_t FourierProjector::bytes(const Device &device, const ParallelBeam &beam,
                                      const SliceRegion &slice, const Spreading &spreading) {
    const unsigned length = length_of(beam, slice), views = static_cast<unsigned>(beam.angles.size());
    const unsigned pairs =
        FourierGrid::pairs_of(device, spreading, views, slice.width, slice.height, length, G_MAXUINT32);
    const auto of_grid = FourierGrid::bytes_of(spreading, views, slice.width, slice.height, length, pairs);
    const std::uint64_t factors = std::uint64_t{views} * (length + 2) * sizeof(cl_float2);
    return of_grid.to_slices + of_grid.from_slices + of_grid.block + factors;
}

void FourierProjector::plan(unsigned slices) {
    const unsigned views = static_cast<unsigned>(beam_.angles.size());
    const unsigned pairs = FourierGrid::pairs_of(*compute_.device(), spreading_, views, slice_.width,
                                                 slice_.height, length_, slices);
    if (pairs <= pairs_)
        return;
    pairs_ = pairs;
    // Both ends of the band would be one frequency of a row.
    std::vector<std::complex<double>> response(length_, 1.0);
    response[length_ / 2] = 0.0;
    compute_.input_format("sinograms", GST_TOMO_FORMAT_FLOAT32);
    rows_.plan(beam_.columns, views, pairs_, false, response);
    rows_.set_views(
        columns_of_middle(beam_.angles, beam_.axis, beam_.axis_in_slice.value_or(beam_.axis), slice_),
        std::vector<double>(views, 1.0));
    grid_.plan(slice_.width, slice_.height, length_, pairs_);
    grid_.set_angles(beam_.angles);
}

void FourierProjector::forward(const Array &volume, Array &projections) {
    const auto slices = volume.depth();
    check_shapes(volume.info(), this->volume(slices), projections.info(), this->projections(slices));
    plan(slices);
    compute_.input_format("slices", volume.info().format);
    fourier::each_block(volume, projections, pairs_, [&](const Array &in, Array &out, unsigned pairs) {
        Array samples = compute_.allocate(rows_.samples(pairs)),
              is_bad = fourier::no_slice_is_bad(compute_, pairs);
        grid_.from_slices(in, samples, is_bad, pairs);
        rows_.from_samples(samples, out, is_bad, pairs);
    });
}

void FourierProjector::back(const Array &projections, Array &volume) {
    const auto slices = projections.depth();
    check_shapes(projections.info(), this->projections(slices), volume.info(), this->volume(slices));
    plan(slices);
    compute_.input_format("sinograms", projections.info().format);
    fourier::each_block(projections, volume, pairs_, [&](const Array &in, Array &out, unsigned pairs) {
        Array samples = compute_.allocate(rows_.samples(pairs)),
              is_bad = fourier::no_slice_is_bad(compute_, pairs);
        rows_.to_samples(in, samples, is_bad, pairs);
        grid_.to_slices(samples, out, is_bad, pairs);
    });
}

Projector &FourierProjector::of_sums() {
    if (!of_sums_)
        of_sums_ = std::make_unique<ParallelProjector>(compute_, beam_, slice_);
    return *of_sums_;
}

} // namespace tomo
