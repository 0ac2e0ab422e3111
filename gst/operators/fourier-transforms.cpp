// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/operators/fourier-transforms.hpp>

#include <algorithm>
#include <cmath>

namespace tomo::fourier {

Transforms::Transforms(Compute &compute, const ArrayInfo &one, unsigned dimensions, unsigned most)
    : one_(one), dimensions_(dimensions), most_(most), all_(plan(compute, most)) {
    if (most == 1)
        single_ = all_;
}

std::shared_ptr<Fft> Transforms::plan(Compute &compute, unsigned count) const {
    FftShape shape;
    shape.dimensions = dimensions_;
    shape.size = {one_.width, dimensions_ > 1 ? one_.height : 1, dimensions_ > 2 ? one_.depth : 1};
    shape.batch = one_.samples() / shape.item_samples() * count;
    const auto &device = compute.device();
    return fft_of(*device, shape);
}

void Transforms::run(Compute &compute, FftDirection direction, const Array &in, Array &out) {
    const auto count = static_cast<unsigned>(out.info().samples() / one_.samples());
    if (count != most_ && !single_)
        single_ = plan(compute, 1);

    const auto queue = compute.queue();
    const bool in_place = in.storage() == out.storage();
    auto waits = out.storage()->write(queue, in_place ? Storage::Contents::keep : Storage::Contents::discard);
    if (!in_place)
        waits.add(in.storage()->read(queue));
    ClEvent done;
    const auto &fft = count == most_ ? all_ : single_;
    const std::size_t step = fft->shape().samples();
    for (std::size_t at = 0; at < out.info().samples(); at += step, waits = WaitList(queue))
        done = fft->enqueue(queue, direction, in.storage()->buffer(), in.sample_offset() + at,
                            out.storage()->buffer(), out.sample_offset() + at, waits);
    if (!in_place)
        in.storage()->read_done(queue, done);
    out.storage()->write_done(queue, done);
}

unsigned batch_that_pays(const Device &device, const ArrayInfo &in, unsigned dimensions) {
    // Samples. Planes are transformed in several passes, of which each wants enough to do.
    const std::uint64_t enough = dimensions > 1 ? 1 << 25 : 1 << 22;
    return device.is_cpu() ? 1
                           : static_cast<unsigned>(std::clamp<std::uint64_t>(enough / in.samples(), 1, 32));
}

unsigned good_length(double least) {
    for (unsigned length = std::max(2.0, 2.0 * std::ceil(least / 2.0));; length += 2) {
        unsigned rest = length;
        for (unsigned prime : {2, 3, 5, 7})
            while (rest % prime == 0)
                rest /= prime;
        if (rest == 1)
            return length;
    }
}

} // namespace tomo::fourier
