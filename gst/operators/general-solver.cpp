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

// The rest is for the elements before and behind.
std::uint64_t room_on(const Device &device) { return device.memory_limit() / 8 * 7; }

} // namespace

bool GeneralSolver::fits(const ArrayInfo &projection, unsigned projections, const VolumePart &part,
                         const ArrayInfo &out) const {
    const unsigned slices = part.planes;
    const ArrayInfo all(projection.format, projection.plane_samples(), projections);
    const ArrayInfo volume(GST_TOMO_FORMAT_FLOAT32, out.plane_samples(), slices);
    const Device &device = *compute_.device();
    auto settings = settings_;
    settings.stacked = slices;
    // First the projections that came, their copy and the volume; then all that iterations need.
    const auto at_first = all.size() + sizeof(float) * all.samples() + volume.size();
    const auto needed = std::max(at_first, Solver::bytes_of_run(method_, settings, all, volume, device));
    if (needed > room_on(device))
        throw Error(
            GST_RESOURCE_ERROR_NO_SPACE_LEFT,
            text("iterations over %u projections of %u x %u pixels and %u slices of %u x %u find no place on "
                 "%s, with a limit of %.3g GB: make a smaller region, bin the projections, or take another "
                 "device",
                 projections, projection.width, projection.height, slices, out.width, out.height,
                 device.name().c_str(), double(device.memory_limit()) * 1e-9));
    return true;
}

// Of the room what a run leaves, with the two copies that it counts.
std::uint64_t GeneralSolver::memory_for_copies(const SolverSettings &settings) const {
    const ArrayInfo volume(GST_TOMO_FORMAT_FLOAT32, std::uint64_t{grid_.x.count} * grid_.y.count,
                           grid_.z.count);
    const ArrayInfo all(projection_.format, projection_.plane_samples(), views_.size());
    const Device &device = *compute_.device();
    const auto room = room_on(device) + 2 * volume.size();
    return room - std::min(room, Solver::bytes_of_run(method_, settings, all, volume, device));
}

void GeneralSolver::begin(const ArrayInfo &projection, unsigned, const VolumePart &part) {
    if (part.is_per_plane)
        throw Error(GST_LIBRARY_ERROR_SETTINGS,
                    "iterations make one volume: no number of the geometry can be swept");
    projection_ = projection;
    grid_ = part.volume;
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
    auto settings = settings_;
    settings.stacked = grid_.z.count;
    const auto memory = memory_for_copies(settings);
    const bool is_shared = !sharing_.devices.empty();
    auto listener = sharing_.listener;
    listener.left_out = [this](const Device &device, const std::string &why) {
        std::erase_if(sharing_.devices, [&](const auto &one) { return one.get() == &device; });
        if (sharing_.listener.left_out)
            sharing_.listener.left_out(device, why);
    };
    ProjectorHelpers helpers(compute_, sharing_.devices, sharing_.goes_on, std::move(listener));
    const auto projector_of = [&](const std::vector<unsigned> &chosen) -> std::unique_ptr<Projector> {
        std::vector<ViewGeometry> own;
        for (const unsigned view : chosen)
            own.push_back(views_[view]);
        const auto make = [own = std::move(own), projection = projection_, grid = grid_,
                           memory](Compute &compute) {
            return std::make_unique<GeneralProjector>(compute, own, projection.width, projection.height, grid,
                                                      memory);
        };
        if (helpers.count() == 0)
            return make(compute_);
        auto shared = std::make_unique<SharedProjector>(helpers, make);
        helpers.keep_those_with_room(shared->helper_bytes());
        if (shared->owner_bytes() > memory)
            helpers.leave_out(text("its parts find no place beside the iterations on device %u, with a limit "
                                   "of %.3g GB",
                                   compute_.device()->index(),
                                   1e-9 * static_cast<double>(compute_.device()->memory_limit())));
        return shared;
    };
    // To iterative methods a projection is a row.
    std::vector<Array> rows;
    for (std::size_t i = 0; i < blocks_.size(); i++)
        rows.push_back(blocks_[i].as(
            {projection_.format, projection_.plane_samples(), i + 1 < blocks_.size() ? block : in_block_}));
    blocks_.clear();
    Solver solver(compute_, method_, settings);
    solver.set_geometry(views, projector_of);
    auto start = start_({GST_TOMO_FORMAT_FLOAT32, grid_.x.count, grid_.y.count, grid_.z.count});
    // To iterative methods all slices are one.
    const ArrayInfo slices(GST_TOMO_FORMAT_FLOAT32, grid_.x.count,
                           std::uint64_t{grid_.y.count} * grid_.z.count);
    for (Array *given : {&start.slices, &start.mask})
        if (*given)
            *given = given->as(slices);
    const auto made = solver.run(std::move(rows), std::move(start));
    volume_ = made.slices;
    tell_(made);
    if (sharing_.made && is_shared)
        sharing_.made(helpers.shares());
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
