// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "projection-window.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace tomo::live {

std::vector<double> Window::angles() const {
    std::vector<double> angles;
    for (const auto &part : parts)
        for (unsigned i = part.first; i < part.first + part.count; i++)
            angles.push_back(part.block->views[i].angle);
    return angles;
}

// Ring
// -----------------------------------------------------------------------------------------------------------

// Of a few projections, so that little is kept beyond the oldest one, and writing waits for little reading.
static constexpr unsigned block_depth = 16;
// Zeros around each projection: all that linear interpolation meets beyond the detector.
static constexpr unsigned border = 3;

const View &Ring::view(std::uint64_t n) const {
    const auto at = n - first_of_blocks_;
    return blocks_[at / block_depth]->views[at % block_depth];
}

// Whether those behind the first `without` suffice. Without a number they do where they cover half a turn,
// each projection its own step.
bool Ring::is_whole(std::uint64_t without) const {
    const auto count = kept() - without;
    if (views_)
        return count >= views_;
    if (count < 2)
        return false;
    const double covered = std::abs(view(number_ - 1).angle - view(first_ + without).angle);
    return covered * count / (count - 1) >= std::numbers::pi * (1 - 1e-6);
}

void Ring::trim() {
    while (is_whole(1))
        first_++;
    while (first_ - first_of_blocks_ >= block_depth) {
        blocks_.erase(blocks_.begin());
        first_of_blocks_ += block_depth;
    }
}

Block &Ring::writable(Compute &compute) {
    const auto used = number_ - first_of_blocks_;
    if (used < blocks_.size() * block_depth)
        return *blocks_.back();
    const auto info =
        compute.resized(projection_, projection_.width + border, projection_.height + border, block_depth,
                        text("%u projections of %s", block_depth, projection_.describe().c_str()));
    const auto limit = compute.device()->memory_limit();
    if ((blocks_.size() + 1) * info.size() > limit)
        throw Error(
            GST_RESOURCE_ERROR_NO_SPACE_LEFT,
            text(
                "%s projections of %s do not fit into the %s bytes of the device: set views, make them smaller by "
                "tomobin or tomocrop, or set precision-mode=half",
                std::to_string(kept()).c_str(), projection_.describe().c_str(),
                std::to_string(limit).c_str()));
    blocks_.push_back(std::make_shared<Block>(info, compute.allocate(info)));
    return *blocks_.back();
}

// Half a turn that is told by its ends would be whole though most of it is not there.
bool Ring::is_behind_gap(double angle) const {
    constexpr double wide = std::numbers::pi / 4, much = 4.0;
    if (views_ || kept() < 2)
        return false;
    const auto last = this->view(number_ - 1).angle, before = this->view(number_ - 2).angle;
    const double step = std::abs(angle - last);
    return step > wide && step > much * std::abs(last - before);
}

void Ring::put(Compute &compute, const Kernel &copy, const Array &projection, const View &view) {
    if (is_behind_gap(view.angle))
        first_ = number_;
    auto &block = writable(compute);
    const auto place = static_cast<unsigned>((number_ - first_of_blocks_) % block_depth);
    Array plane = block.samples.plane(place);
    Compute::Launch launch(compute, copy);
    launch.add(projection);
    if (place == 0)
        launch.add(plane);
    else
        launch.add(ReadWrite{plane});
    launch.add(static_cast<cl_int>(projection.width()));
    launch.add(static_cast<cl_int>(projection.height()));
    launch.run(WorkSize(plane.width(), plane.height()));
    block.views[place] = view;
    number_++;
    trim();
    if (!is_whole(0)) // a turn back covers less
        whole_since_.reset();
    else if (!whole_since_)
        whole_since_ = number_;
}

std::shared_ptr<const Window> Ring::window() const {
    if (!number_)
        return nullptr;
    auto window = std::make_shared<Window>();
    window->projection = projection_;
    window->number = number_;
    window->whole_since = whole_since_;
    for (std::size_t i = 0; i < blocks_.size(); i++) {
        const auto begin = first_of_blocks_ + i * block_depth;
        const auto first = std::max(begin, first_),
                   end = std::min<std::uint64_t>(begin + block_depth, number_);
        if (first < end)
            window->parts.push_back(
                {blocks_[i], static_cast<unsigned>(first - begin), static_cast<unsigned>(end - first)});
    }
    return window;
}

} // namespace tomo::live
