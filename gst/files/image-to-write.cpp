// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "image-to-write.hpp"

#include <gst/tomo/support/error.hpp>

#include <cstring>

namespace tomo::io {

ImageToWrite::ImageToWrite(const ArrayInfo &info, std::function<Samples()> make)
    : info_(info), shared_(std::make_shared<Shared>()), bytes_in_memory_(info.size()) {
    shared_->make = std::move(make);
}

ImageToWrite::ImageToWrite(const ArrayInfo &info, std::function<Samples()> make, const ValueRange &grey)
    : ImageToWrite(info, std::move(make)) {
    shared_->grey = grey;
    shared_->came_as_grey = true;
}

ImageToWrite::ImageToWrite(const ArrayInfo &info, const void *samples)
    : ImageToWrite(info, [samples] { return Samples(samples, [](const void *) {}); }) {}

const void *ImageToWrite::samples() const {
    // Not std::call_once: an exception that leaves it ends the process.
    const std::lock_guard<std::mutex> lock(shared_->lock);
    if (shared_->make) {
        shared_->samples = shared_->make();
        shared_->make = nullptr; // and what it holds
    }
    return static_cast<const unsigned char *>(shared_->samples.get()) + offset_;
}

ImageToWrite ImageToWrite::plane(unsigned number) const {
    auto plane = *this;
    plane.info_ = info_.with_size(info_.width, info_.height, 1);
    plane.offset_ += number * plane.info_.size();
    plane.bytes_in_memory_ /= info_.depth;
    return plane;
}

std::optional<ValueRange> ImageToWrite::grey() const {
    samples();
    const std::lock_guard<std::mutex> lock(shared_->lock);
    return shared_->grey;
}

ImageToWrite ImageToWrite::converted(const ArrayInfo &to, Convert convert) const {
    ImageToWrite image(to, nullptr);
    image.shared_->make = [from = *this, to, convert = std::move(convert),
                           &grey = image.shared_->grey]() -> Samples {
        const std::shared_ptr<unsigned char[]> samples(new unsigned char[to.size()]);
        grey = convert(from.samples(), samples.get());
        if (!grey)
            grey = from.grey();
        return samples;
    };
    image.bytes_in_memory_ += bytes_in_memory_;
    return image;
}

ImageToWrite ImageToWrite::made_of(std::vector<ImageToWrite> images, const ArrayInfo &to, Make make) {
    ImageToWrite image(to, nullptr);
    for (const auto &from : images)
        image.bytes_in_memory_ += from.bytes_in_memory_;
    image.shared_->came_as_grey = images.front().came_as_grey();
    image.shared_->make = [images = std::move(images), to, make = std::move(make),
                           &grey = image.shared_->grey]() -> Samples {
        // Of doubles, so that samples of all types are aligned.
        const std::shared_ptr<double[]> samples(new double[to.size() / sizeof(double) + 1]);
        std::vector<const void *> all;
        for (const auto &from : images)
            all.push_back(from.samples());
        make(all, samples.get());
        grey = images.front().grey();
        return samples;
    };
    return image;
}

ImageToWrite ImageToWrite::interleaved() const {
    const auto &info = info_;
    if (info.depth != 3)
        throw Error(GST_STREAM_ERROR_FORMAT,
                    text("rgb is set, but %s come instead of three planes", info.describe().c_str()));
    return converted(info, [info](const void *from, void *to) {
        const auto size = info.sample_size();
        const auto pixels = info.samples() / 3;
        for (unsigned plane = 0; plane < 3; plane++)
            for (std::uint64_t i = 0; i < pixels; i++)
                std::memcpy(static_cast<char *>(to) + (3 * i + plane) * size,
                            static_cast<const char *>(from) + (plane * pixels + i) * size, size);
        return std::nullopt;
    });
}

} // namespace tomo::io
