// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "stream-pyramid.hpp"
#include "halving.hpp"

#include <gst/tomo/support/error.hpp>

#include <algorithm>
#include <cstring>

namespace tomo::io {

namespace {

std::shared_ptr<void> memory_for(const ArrayInfo &image) {
    // Of doubles, so that samples of all types are aligned.
    return std::shared_ptr<double[]>(new double[image.size() / sizeof(double) + 1]);
}

Error not_computed() { return Error(GST_RESOURCE_ERROR_FAILED, "an image of the pyramid was not computed"); }

} // namespace

StreamPyramid::StreamPyramid(const ArrayInfo &image) : images_{image} {
    while (std::max(images_.back().width, images_.back().height) > smallest_level)
        images_.push_back(image.with_size(half_of(images_.back().width), half_of(images_.back().height), 1));
}

void StreamPyramid::put(std::uint64_t number, const void *samples) {
    if (levels() == 1)
        return;
    Samples other;
    {
        const std::lock_guard<std::mutex> lock(lock_);
        other = claim(0, number ^ 1);
    }
    if (!other) { // the thread that has it may come here at the same time
        const auto copy = memory_for(images_[0]);
        std::memcpy(copy.get(), samples, images_[0].size());
        put(0, number, copy, false);
        return;
    }
    const bool is_second = number % 2 == 1;
    put(1, number / 2, halved(0, is_second ? other.get() : samples, is_second ? samples : other.get()),
        false);
}

void StreamPyramid::put(unsigned level, std::uint64_t number, Samples samples, bool was_there) {
    for (;; level++, number /= 2) {
        Samples other;
        {
            const std::lock_guard<std::mutex> lock(lock_);
            if (level > 0 && !was_there)
                whole_[{level, number}] = samples;
            was_there = false;
            if (level + 1 == levels())
                return;
            other = claim(level, number ^ 1);
            if (!other) {
                waiting_[{level, number}] = std::move(samples);
                return;
            }
        }
        const bool is_second = number % 2 == 1;
        samples =
            halved(level, is_second ? other.get() : samples.get(), is_second ? samples.get() : other.get());
    }
}

StreamPyramid::Samples StreamPyramid::claim(unsigned level, std::uint64_t number) {
    const auto found = waiting_.find({level, number});
    if (found == waiting_.end())
        return {};
    auto samples = std::move(found->second);
    waiting_.erase(found);
    return samples;
}

StreamPyramid::Samples StreamPyramid::halved(unsigned level, const void *first, const void *second) const {
    const auto &image = images_[level];
    const auto half = memory_for(images_[level + 1]);
    halve_images(image.format, first, second, image.height, image.width, half.get());
    return half;
}

void StreamPyramid::take(std::uint64_t number, const Visit &visit) {
    for (unsigned level = 1; level < levels() && (number + 1) % (std::uint64_t{1} << level) == 0; level++) {
        const auto of_level = number >> level;
        Samples samples;
        {
            const std::lock_guard<std::mutex> lock(lock_);
            const auto found = whole_.find({level, of_level});
            if (found == whole_.end())
                throw not_computed();
            samples = std::move(found->second);
            whole_.erase(found);
        }
        visit(level, images_[level], samples.get());
    }
}

void StreamPyramid::take_rest(std::uint64_t images, const Visit &visit) {
    bool is_new = false; // whether the last image of the level was made here
    for (unsigned level = 0; level + 1 < levels(); level++, images = half_of(images)) {
        const auto last = images - 1;
        if (images % 2 == 0 && !is_new)
            continue;
        Samples first, second;
        {
            const std::lock_guard<std::mutex> lock(lock_);
            first = claim(level, last & ~std::uint64_t{1});
            if (images % 2 == 0)
                second = claim(level, last);
        }
        if (!first || (images % 2 == 0 && !second))
            throw not_computed();
        const auto made = halved(level, first.get(), second.get());
        visit(level + 1, images_[level + 1], made.get());
        const std::lock_guard<std::mutex> lock(lock_);
        waiting_[{level + 1, last / 2}] = made;
        is_new = true;
    }
}

} // namespace tomo::io
