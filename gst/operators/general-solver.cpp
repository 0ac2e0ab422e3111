// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/operators/general-projector.hpp>
#include <gst/operators/general-solver.hpp>
#include <gst/tomo/device/device.hpp>
#include <gst/tomo/support/error.hpp>

#include <algorithm>

namespace tomo {

namespace {

constexpr unsigned block = 16; // projections

} // namespace

unsigned GeneralSolver::planes_that_fit(const ArrayInfo &projection, unsigned projections,
                                        const ArrayInfo &slice, unsigned slices) const {
    const ArrayInfo all(projection.format, projection.plane_samples(), projections);
    const ArrayInfo volume(GST_TOMO_FORMAT_FLOAT32, slice.plane_samples(), slices);
    const Device &device = *compute_.device();
    if (std::max(all.size(), volume.size()) > device.max_allocation() ||
        Solver::slices_that_fit(method_, settings_, all, volume, device) == 0)
        throw Error(
            GST_RESOURCE_ERROR_NO_SPACE_LEFT,
            text("iterations over %u projections of %u x %u pixels and %u slices of %u x %u find no place on "
                 "%s, with a limit of %.3g GB: make a smaller region, bin the projections, or take another "
                 "device",
                 projections, projection.width, projection.height, slices, slice.width, slice.height,
                 device.name().c_str(), double(device.memory_limit()) * 1e-9));
    return slices;
}

void GeneralSolver::begin(const ArrayInfo &projection, const VolumeGrid &volume, bool is_per_plane) {
    if (is_per_plane)
        throw Error(GST_LIBRARY_ERROR_SETTINGS,
                    "iterations make one volume: no number of the geometry can be swept");
    projection_ = projection;
    grid_ = volume;
    blocks_.clear();
    in_block_ = 0;
    views_.clear();
    volume_ = {};
}

void GeneralSolver::add(const Array &projection, const std::vector<WeightedView> &views) {
    if (blocks_.empty() || in_block_ == block) {
        blocks_.push_back(
            compute_.allocate(projection_.with_size(projection_.width, projection_.height, block)));
        in_block_ = 0;
    }
    compute_.copy_rows(projection, {}, blocks_.back(), {in_block_++ * projection_.size()},
                       projection_.size());
    views_.push_back(views.front().geometry);
}

void GeneralSolver::solve() {
    const auto views = static_cast<unsigned>(views_.size());
    const auto projector_of = [&](const std::vector<unsigned> &chosen) {
        std::vector<ViewGeometry> own;
        for (const unsigned view : chosen)
            own.push_back(views_[view]);
        return std::make_unique<GeneralProjector>(compute_, own, projection_.width, projection_.height,
                                                  grid_);
    };
    Array all = compute_.allocate({projection_.format, projection_.plane_samples(), views});
    for (std::size_t i = 0; i < blocks_.size(); i++) {
        const unsigned count = i + 1 < blocks_.size() ? block : in_block_;
        compute_.copy_rows(blocks_[i], {}, all, {i * block * projection_.size()}, count * projection_.size());
    }
    blocks_.clear();
    Solver solver(compute_, method_, settings_);
    solver.set_geometry(views, projector_of);
    volume_ = compute_.allocate(
        {GST_TOMO_FORMAT_FLOAT32, grid_.x.count, std::uint64_t{grid_.y.count} * grid_.z.count});
    tell_(solver.run(all, volume_).front());
}

void GeneralSolver::copy_slices(unsigned first, Array &out, const Greys &) {
    if (!volume_)
        solve();
    const ArrayInfo &slice = out.info();
    if (slice.format != GST_TOMO_FORMAT_FLOAT32)
        throw Error(GST_LIBRARY_ERROR_SETTINGS, "iterations give float32");
    const std::size_t plane = slice.plane_samples() * sizeof(float);
    compute_.copy_rows(volume_, {first * plane}, out, {}, slice.size());
}

} // namespace tomo
