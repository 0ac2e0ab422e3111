// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/operators/fourier-backprojector.hpp>
#include <gst/operators/slice-pairs.hpp>
#include <gst/tomo/device/device.hpp>
#include <gst/tomo/support/error.hpp>

#include <algorithm>

namespace tomo {

unsigned FourierBackprojector::batch_that_pays(const ArrayInfo &sinogram, unsigned width, unsigned height,
                                               unsigned length) const {
    const auto slices = 2 * FourierGrid::pairs_of(*compute_.device(), spreading_, sinogram.height, width,
                                                  height, length, G_MAXUINT32);
    return std::max(1u, slices / sinogram.depth);
}

void FourierBackprojector::plan(const ArrayInfo &in, const ArrayInfo &out,
                                const std::vector<std::complex<double>> &response) {
    const auto length = static_cast<unsigned>(response.size());
    slice_ = out.with_size(out.width, out.height, 1);
    pairs_ = FourierGrid::pairs_of(*compute_.device(), spreading_, in.height, out.width, out.height, length,
                                   in.depth);
    compute_.input_format("sinograms", in.format);
    rows_.plan(in.width, in.height, pairs_, true, response);
    grid_.plan(out.width, out.height, length, pairs_);
}

void FourierBackprojector::set_views(const std::vector<double> &angles, const std::vector<double> &weights,
                                     double axis, double axis_in_slice, const SliceRegion &slice) {
    rows_.set_views(columns_of_middle(angles, axis, axis_in_slice, slice), weights);
    grid_.set_angles(angles);
}

void FourierBackprojector::run(const Array &in, Array &out) {
    if (!grid_.has_angles() || in.height() != rows_.views() || in.width() != rows_.width() ||
        out.width() != slice_.width || out.height() != slice_.height || out.depth() != in.depth())
        throw Error(GST_STREAM_ERROR_FORMAT,
                    text("sinograms of %s and slices of %s came, which were not planned",
                         in.info().describe().c_str(), out.info().describe().c_str()));
    compute_.input_format("sinograms", in.info().format);
    fourier::each_block(in, out, pairs_, [&](const Array &sinograms, Array &slices, unsigned pairs) {
        Array samples = compute_.allocate(rows_.samples(pairs)),
              is_bad = fourier::no_slice_is_bad(compute_, pairs);
        rows_.to_samples(sinograms, samples, is_bad, pairs);
        grid_.to_slices(samples, slices, is_bad, pairs);
    });
}

} // namespace tomo
