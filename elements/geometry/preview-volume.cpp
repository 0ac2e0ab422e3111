// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "preview-volume.hpp"

#include <algorithm>

namespace tomo {

PreviewVolume::PreviewVolume(Compute &compute, const ArrayInfo &slices, std::optional<std::uint64_t> count,
                             std::uint64_t most)
    : compute_(compute),
      slice_(slices.with_size(slices.width, slices.height, 1).with_format(GST_TOMO_FORMAT_FLOAT32)),
      most_(most) {
    const std::uint64_t expected = std::max<std::uint64_t>(count.value_or(1) * slices.depth, 1);
    while (!fits(expected, halvings_))
        halvings_++;
    sums_ = zeros(info(expected, halvings_));
}

ArrayInfo PreviewVolume::info(std::uint64_t slices, unsigned halvings) const {
    return slice_.with_size(halved(slice_.width, halvings), halved(slice_.height, halvings),
                            halved(slices, halvings));
}

// A single voxel always does.
bool PreviewVolume::fits(std::uint64_t slices, unsigned halvings) const {
    const std::uint64_t voxels = halved(slice_.width, halvings) * halved(slice_.height, halvings);
    const auto depth = halved(slices, halvings);
    return (voxels * depth == 1) || (depth <= G_MAXINT && depth <= most_ / sizeof(float) / voxels);
}

Array PreviewVolume::zeros(const ArrayInfo &info) {
    Array array = compute_.allocate(info);
    const float zero = 0.0f;
    compute_.fill(array, &zero, sizeof zero);
    return array;
}

void PreviewVolume::make_room(std::uint64_t slices) {
    while (halved(slices, halvings_) > sums_.depth()) {
        if (!fits(slices, halvings_)) {
            halve();
            continue;
        }
        // Twice as much, so that all slices are copied only a few times.
        auto wanted = 2 * slices;
        while (!fits(wanted, halvings_))
            wanted = slices + (wanted - slices) / 2;
        auto more = zeros(info(wanted, halvings_));
        compute_.copy_rows(sums_, {}, more, {}, sums_.info().size());
        sums_ = std::move(more);
    }
}

void PreviewVolume::halve() {
    halvings_++;
    const auto &fine = sums_.info();
    Array coarse = compute_.allocate(
        fine.with_size(halved(fine.width, 1), halved(fine.height, 1), halved(fine.depth, 1)));
    compute_.launch(kernel("halve"), WorkSize(coarse.info()), BareBuffer{sums_}, cl_uint{fine.width},
                    cl_uint{fine.height}, cl_uint{fine.depth}, ReadWriteBareBuffer{coarse});
    sums_ = std::move(coarse);
}

void PreviewVolume::add(const Array &slices) {
    make_room(slices_ + slices.depth());
    compute_.launch(kernel("add_slices"), WorkSize(sums_.width(), sums_.height()), slices,
                    cl_uint{slices.width()}, cl_uint{slices.height()}, cl_uint{slices.depth()},
                    cl_ulong{slices_}, cl_uint{halvings_}, ReadWriteBareBuffer{sums_});
    slices_ += slices.depth();
}

Array PreviewVolume::take() {
    auto volume = sums_.as(info(slices_, halvings_));
    if (halvings_ > 0)
        compute_.launch(kernel("divide_by_count"), WorkSize(volume.info()), ReadWriteBareBuffer{volume},
                        cl_uint{slice_.width}, cl_uint{slice_.height}, cl_ulong{slices_}, cl_uint{halvings_});
    return volume;
}

} // namespace tomo
