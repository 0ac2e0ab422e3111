// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/operators/projection-store.hpp>

#include <algorithm>

namespace tomo {

void ProjectionStore::begin(const ArrayInfo &projection, unsigned expected) {
    clear();
    projection_ = projection;
    row_ = projection.width * projection.sample_size();
    expected_ = expected;
}

void ProjectionStore::clear() {
    blocks_.clear();
    count_ = 0;
}

// The device's memory, unless it is spoken for.
Array ProjectionStore::try_device(const ArrayInfo &shape) const {
    const auto &device = *owner_.device();
    if (shape.size() > device.max_allocation() ||
        device.memory_in_use() + shape.size() > device.memory_limit() / 2)
        return {};
    try {
        return owner_.allocate(shape);
    } catch (const Error &e) {
        // Others use the device, too.
        if (e.domain == GST_RESOURCE_ERROR && e.code == GST_RESOURCE_ERROR_NO_SPACE_LEFT)
            return {};
        throw;
    }
}

ProjectionStore::Block ProjectionStore::make_block() const {
    // Large blocks make few copies, small ones waste little when the number of projections is not known.
    const auto &device = *owner_.device();
    constexpr std::size_t large = std::size_t{1} << 30;
    const std::size_t bytes = std::min({large, device.max_allocation(), device.memory_limit() / 8});
    const std::size_t most = std::max<std::size_t>(bytes / projection_.size(), 1);
    const std::size_t wanted = expected_ > count_ ? expected_ - count_ : blocks_.empty() ? 16 : count_;
    Block block{static_cast<unsigned>(std::min(wanted, most)), {}, nullptr};

    const std::uint64_t rows = std::uint64_t{projection_.height} * projection_.depth;
    if (rows <= G_MAXUINT)
        block.on_device = try_device(projection_.with_size(projection_.width, block.capacity, rows));
    if (!block.on_device) {
        const std::size_t size = projection_.size() * block.capacity;
        block.on_host.reset(new (std::nothrow) char[size]);
        if (!block.on_host)
            throw Error(
                GST_RESOURCE_ERROR_NO_SPACE_LEFT,
                text("no memory for %u more projections (%zu bytes) after %u: use fewer or smaller ones, or "
                     "their rows in parts",
                     block.capacity, size, count_));
    }
    return block;
}

void ProjectionStore::add(const Array &projection) {
    std::size_t i = 0;
    unsigned first = 0;
    while (i < blocks_.size() && count_ - first >= blocks_[i].capacity)
        first += blocks_[i++].capacity;
    if (i == blocks_.size())
        blocks_.push_back(make_block());
    Block &block = blocks_[i];

    const std::size_t place = (count_ - first) * row_, pitch = row_of(block, 1, 0);
    const std::size_t plane = row_ * projection_.height;
    if (block.on_device) {
        for (unsigned z = 0; z < projection_.depth; z++)
            owner_.copy_rows(projection, {z * plane, row_}, block.on_device,
                             {row_of(block, 0, z) + place, pitch}, row_, projection_.height);
    } else {
        const Host<const char> rows(projection);
        for (unsigned z = 0; z < projection_.depth; z++)
            for (unsigned y = 0; y < projection_.height; y++)
                std::memcpy(block.on_host.get() + row_of(block, y, z) + place,
                            rows.data() + z * plane + y * row_, row_);
    }
    count_++;
}

void ProjectionStore::copy_blocks(unsigned y, Array &out, bool of_host) const {
    unsigned first = 0;
    std::unique_ptr<Host<char>> rows;
    for (const auto &block : blocks_) {
        if (first >= count_)
            break;
        const std::size_t size = std::min(block.capacity, count_ - first) * row_;
        if (of_host == static_cast<bool>(block.on_host))
            for (unsigned z = 0; z < projection_.depth; z++) {
                const std::size_t target = (std::size_t{z} * count_ + first) * row_;
                if (!of_host) {
                    owner_.copy_rows(block.on_device, {row_of(block, y, z)}, out, {target}, size);
                    continue;
                }
                if (!rows)
                    rows = std::make_unique<Host<char>>(out);
                std::memcpy(rows->data() + target, block.on_host.get() + row_of(block, y, z), size);
            }
        first += block.capacity;
    }
}

void ProjectionStore::copy_sinogram(unsigned y, Array &out) {
    // In this order: mapping memory that the device has written would download it.
    copy_blocks(y, out, true);
    copy_blocks(y, out, false);
}

} // namespace tomo
