// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/operators/view-quads.hpp>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace tomo {

namespace {

// The form as one of a voxel's numbers before it was turned about the middle of the volume, from m to n.
VoxelView::Form before_turn(const VoxelView::Form &form, double angle, unsigned side) {
    const auto &[l, m, n, constant] = form.factors;
    const double c = std::cos(angle), s = std::sin(angle), middle = 0.5 * (side - 1.0);
    const double by_m = c * m + s * n, by_n = c * n - s * m;
    return {{l, by_m, by_n, constant + middle * (m + n - by_m - by_n)}};
}

} // namespace

VoxelView view_from(VoxelView view, double m, double n) {
    for (auto *form : {&view.fast, &view.slow, &view.depth, &view.distance})
        form->factors[3] += m * form->factors[1] + n * form->factors[2];
    return view;
}

SquareOfColumns SquareOfColumns::around(const VolumeGrid &volume) {
    constexpr double near = 1e-9, least_share = 0.6;
    const auto &[x, y, z] = volume;
    // Columns lie alike on both sides of the axis if it goes through the middle of one or between four.
    const double axis_x = -x.from / x.step, axis_y = -y.from / y.step;
    const double halves_x = std::round(2.0 * axis_x), halves_y = std::round(2.0 * axis_y);
    const double bound = near * (x.count + y.count);
    if (!(std::abs(std::abs(x.step / y.step) - 1.0) <= near) ||
        !(std::abs(2.0 * axis_x - halves_x) <= bound) || !(std::abs(2.0 * axis_y - halves_y) <= bound) ||
        std::fmod(halves_x - halves_y, 2.0) != 0.0)
        return {};
    // In halves of voxels from the axis to the farthest column.
    const double reach =
        std::max({halves_x, 2.0 * (x.count - 1.0) - halves_x, halves_y, 2.0 * (y.count - 1.0) - halves_y});
    const double side = reach + 1.0;
    if (double(x.count) * y.count < least_share * side * side)
        return {};
    return {static_cast<unsigned>(side), static_cast<unsigned>((reach - halves_x) / 2.0),
            static_cast<unsigned>((reach - halves_y) / 2.0)};
}

VolumeGrid SquareOfColumns::grid(VolumeGrid volume) const {
    volume.x = {volume.x.at(-double(x)), volume.x.step, side};
    volume.y = {volume.y.at(-double(y)), volume.y.step, side};
    return volume;
}

// Whether a view sees the turned volume as the one before saw it.
bool ViewQuads::is_turned(const VoxelView &view, const VoxelView &before, double angle) const {
    constexpr double near = 1e-9;
    const auto are_near = [&](const VoxelView::Form &turned, const VoxelView::Form &form, double scale) {
        const auto back = before_turn(turned, angle, side_);
        const double sizes[4] = {double(lanes_), double(side_), double(side_), 1.0};
        double most = 0.0;
        for (int i = 0; i < 4; i++)
            most += std::abs(back.factors[i] - form.factors[i]) * sizes[i];
        return most <= near * scale;
    };
    return std::abs(view.weight - before.weight) <= near * std::abs(before.weight) &&
           are_near(view.fast, before.fast, pixels_) && are_near(view.slow, before.slow, pixels_) &&
           are_near(view.depth, before.depth, 1.0) && are_near(view.distance, before.distance, 1.0);
}

bool ViewQuads::add(const VoxelView &view) {
    constexpr double turn = 2.0 * std::numbers::pi;
    const auto k = static_cast<unsigned>(views_.size());
    if (k >= number_)
        return false;
    // The second view tells most turns that aren't equal steps before many views are held.
    if (k == 1) {
        is_backwards_ = is_turned(view, views_[0], -turn / number_);
        if (!is_backwards_ && !is_turned(view, views_[0], turn / number_))
            return false;
    }
    if (k >= quads() && !is_turned(view, views_[k - quads()], is_backwards_ ? -turn / 4 : turn / 4))
        return false;
    views_.push_back(view);
    return true;
}

} // namespace tomo
