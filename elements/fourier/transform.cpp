// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "transform.hpp"

namespace tomo::fourier {

FftShape shape_of(const ArrayInfo &info, unsigned dimensions) {
    FftShape shape;
    shape.dimensions = dimensions;
    shape.size = {info.width, dimensions > 1 ? info.height : 1, dimensions > 2 ? info.depth : 1};
    shape.batch = info.samples() / shape.item_samples();
    return shape;
}

std::shared_ptr<Fft> plan(Element &element, const ArrayInfo &info, unsigned dimensions) {
    const auto &device = element.device();
    return device->ffts().get(device->context(), device->id(), shape_of(info, dimensions));
}

void run(Element &element, Fft &fft, FftDirection direction, const Array &in, Array &out) {
    const auto queue = element.queue();
    const bool in_place = in.storage() == out.storage();
    auto waits = out.storage()->write(queue, in_place ? Storage::Contents::keep : Storage::Contents::discard);
    if (!in_place)
        waits.add(in.storage()->read(queue));
    const ClEvent done = fft.enqueue(queue, direction, in.storage()->buffer(), in.sample_offset(),
                                     out.storage()->buffer(), out.sample_offset(), waits);
    if (!in_place)
        in.storage()->read_done(queue, done);
    out.storage()->write_done(queue, done);
}

} // namespace tomo::fourier
