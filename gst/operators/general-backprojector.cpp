// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/operators/general-backprojector.hpp>
#include <gst/tomo/device/device.hpp>
#include <gst/tomo/support/error.hpp>

#include <algorithm>
#include <cmath>

namespace tomo {

namespace {

constexpr GstTomoFormat format_of(FloatSize size) {
    return size == FloatSize::half     ? GST_TOMO_FORMAT_FLOAT16
           : size == FloatSize::single ? GST_TOMO_FORMAT_FLOAT32
                                       : GST_TOMO_FORMAT_FLOAT64;
}

} // namespace

GeneralBackprojector::GeneralBackprojector(Compute &compute, const GeneralBackprojection &settings)
    : compute_(compute), settings_(settings) {
    const Device &device = *compute.device();
    if ((settings.is_double || settings.sums == FloatSize::twofold) && !device.has_fp64())
        throw Error(
            GST_RESOURCE_ERROR_SETTINGS,
            text("%s has no double precision; take float for compute-type and result-type, or another "
                 "device",
                 device.name().c_str()));
}

std::size_t GeneralBackprojector::texels() const {
    return std::size_t{projection_.width + 2 * border} * (projection_.height + 2 * border);
}

// As many projections as pay, as long as they take a small part of the memory.
unsigned GeneralBackprojector::burst_of(const ArrayInfo &projection) const {
    const std::uint64_t pays = has_columns() ? 64 : 16; // GPUs read and write all sums for each burst
    if (settings_.burst)
        return settings_.burst;
    const std::uint64_t fit = compute_.device()->memory_limit() / 8 / bytes_of(projection);
    return static_cast<unsigned>(std::clamp<std::uint64_t>(fit, 1, pays));
}

std::uint64_t GeneralBackprojector::bytes_of(const ArrayInfo &projection) const {
    return std::uint64_t{projection.width + 2 * border} * (projection.height + 2 * border) *
           texel_of(projection) * (settings_.has_half_projections ? 2 : 4);
}

// Neighbours lie beside a sample where memory is plenty: then one load gives all of them.
unsigned GeneralBackprojector::texel_of(const ArrayInfo &projection) const {
    constexpr unsigned neighbours = 4, plenty = 16; // projections
    const std::uint64_t bytes =
        std::uint64_t{projection.width + 2 * border} * (projection.height + 2 * border) * neighbours * 4;
    return has_columns() && bytes * plenty <= compute_.device()->memory_limit() / 8 ? neighbours : 1;
}

// What is left beside projections and slices on their way.
std::uint64_t GeneralBackprojector::memory_for_sums(const ArrayInfo &projection,
                                                    const ArrayInfo &slice) const {
    const Device &device = *compute_.device();
    const std::uint64_t burst = bytes_of(projection) * burst_of(projection);
    const std::uint64_t others = 4 * projection.size() + 3 * slice.size();
    std::uint64_t mine = 0;
    for (const Array *array : {&projections_, &sums_, &quads_})
        mine += *array ? array->info().size() : 0;
    const std::uint64_t taken =
        device.memory_in_use() - std::min<std::uint64_t>(device.memory_in_use(), mine) + burst + others;
    const std::uint64_t limit = device.memory_limit() / 8 * 7;
    return limit - std::min(taken, limit);
}

unsigned GeneralBackprojector::planes_that_fit(const ArrayInfo &projection, unsigned, const ArrayInfo &slice,
                                               unsigned) const {
    const std::uint64_t plane = slice.plane_samples() * gst_tomo_format_get_size(format_of(settings_.sums));
    // Some slices lie there twice, on their way out.
    const std::uint64_t planes = std::min<std::uint64_t>(compute_.device()->max_allocation(),
                                                         memory_for_sums(projection, slice) / 9 * 8) /
                                 plane;
    return static_cast<unsigned>(std::min<std::uint64_t>(planes, G_MAXINT));
}

// Whether so many projections find place as quads, beside the sums and a burst, which they need if they turn
// out to be none.
bool GeneralBackprojector::fits_quads(unsigned projections) const {
    const ArrayInfo slice(GST_TOMO_FORMAT_FLOAT32, volume_.x.count, volume_.y.count);
    const std::uint64_t sums =
        slice.plane_samples() * volume_.z.count * gst_tomo_format_get_size(format_of(settings_.sums));
    const std::uint64_t quads = texels() * projections * (settings_.has_half_projections ? 2 : 4);
    return quads <= compute_.device()->max_allocation() &&
           quads + sums / 8 * 9 <= memory_for_sums(projection_, slice);
}

Array GeneralBackprojector::allocate_texels(unsigned samples, unsigned projections) {
    return compute_.allocate(
        {settings_.has_half_projections ? GST_TOMO_FORMAT_FLOAT16 : GST_TOMO_FORMAT_FLOAT32,
         std::uint64_t{samples} * (projection_.width + 2 * border), projection_.height + 2 * border,
         projections});
}

void GeneralBackprojector::begin(const ArrayInfo &projection, unsigned projections, const VolumeGrid &volume,
                                 bool is_per_plane) {
    // Slices farther apart would see too much of a projection for one tile, and share nothing.
    constexpr unsigned lanes_that_pay = 16;
    constexpr double near = 2.0;
    projection_ = projection;
    volume_ = volume;
    is_per_plane_ = is_per_plane;
    is_along_z_ = !is_per_plane && volume.z.count >= lanes_that_pay && std::abs(volume.z.step) <= near;
    is_begun_ = false;
    burst_ = burst_of(projection);
    texel_ = texel_of(projection);
    if (projections_ && projections_.info().samples() != texels() * texel_ * burst_)
        projections_ = {};
    count_ = 0;
    views_.clear();
    traits_ = {};
    quads_ = {};
    const ArrayInfo sums(format_of(settings_.sums), volume.x.count, volume.y.count, volume.z.count);
    if (!sums_ || sums_.info() != sums)
        sums_ = {};
    square_ = SquareOfColumns::around(volume);
    const bool may_be_quads = has_columns() && is_along_z_ && settings_.burst == 0 && square_.side > 0 &&
                              ViewQuads::is_possible(projections) && fits_quads(projections);
    if (!sums_)
        sums_ = compute_.allocate(sums);
    if (may_be_quads) {
        quads_ = allocate_texels(4, projections / 4);
        view_quads_ = ViewQuads(projections, square_.side, lanes(), std::max(fasts(), slows()));
    }
}

VoxelView GeneralBackprojector::view_of(const WeightedView &view, unsigned plane) const {
    using Form = VoxelView::Form;
    const auto form = [&](const ViewGeometry::Form &of_points) {
        const auto voxel = volume_.in_voxels(of_points);
        const Vector3 &f = voxel.factors;
        if (is_along_z_)
            return Form{{f.z, f.x, f.y, voxel.constant}};
        if (is_per_plane_) // all of them may have one height: that of the plane's own views
            return Form{{f.x, f.y, 0.0, voxel.constant + f.z * plane}};
        return Form{{f.x, f.y, f.z, voxel.constant}};
    };
    const ViewGeometry &g = view.geometry;
    const Form column = form(g.column()), row = form(g.row());
    return {is_along_z_ ? row : column,
            is_along_z_ ? column : row,
            form(g.depth()),
            form(g.distance()),
            view.weight,
            {}};
}

void GeneralBackprojector::Traits::add(const VoxelView &view) {
    const double flat[4] = {0.0, 0.0, 0.0, 1.0};
    for (int i = 0; i < 4; i++) { // up to rounding; forms are near 1
        is_tilted |= std::abs(view.depth.factors[i] - view.distance.factors[i]) > 1e-13;
        has_depth |= view.depth.factors[i] != flat[i]; // of a parallel beam, exactly
    }
    for (const auto *still : {&view.slow, &view.depth, &view.distance})
        has_lines &= std::abs(still->factors[0]) < 1e-13;
}

void GeneralBackprojector::add(const Array &projection, const std::vector<WeightedView> &views) {
    const unsigned planes = is_per_plane_ ? volume_.z.count : 1;
    if (projection.info().plane_samples() != projection_.plane_samples() || views.size() != planes)
        throw Error(GST_LIBRARY_ERROR_SETTINGS,
                    text("a projection of %s and %zu views came; wanted %u x %u pixels and %u views",
                         projection.info().describe().c_str(), views.size(), projection_.width,
                         projection_.height, planes));
    std::vector<VoxelView> own;
    for (unsigned plane = 0; plane < planes; plane++)
        own.push_back(view_of(views[plane], plane));
    if (quads_) {
        const auto number = static_cast<unsigned>(view_quads_.views().size());
        if (view_quads_.add(view_from(own.front(), -double(square_.x), -double(square_.y)))) {
            pack_quad(projection, number);
            if (view_quads_.is_complete())
                run_quads();
            return;
        }
        leave_quads();
    }
    prepare_burst();
    pack(projection);
    add_to_burst(own);
}

void GeneralBackprojector::prepare_burst() {
    if (!projections_)
        projections_ = allocate_texels(texel_, burst_);
}

void GeneralBackprojector::add_to_burst(const std::vector<VoxelView> &views) {
    views_.resize(views.size() * burst_);
    for (std::size_t plane = 0; plane < views.size(); plane++) {
        traits_.add(views[plane]);
        views_[plane * burst_ + count_] = views[plane];
    }
    if (++count_ == burst_)
        run_burst();
}

void GeneralBackprojector::run_burst() {
    if (count_ == 0)
        return;
    const Array views = upload(views_);
    if (has_columns())
        run_columns(views);
    else
        run_tiles(views);
    is_begun_ = true;
    count_ = 0;
    traits_ = {};
}

// Views that came are no quads: they become bursts as they would have.
void GeneralBackprojector::leave_quads() {
    const auto views = view_quads_.views();
    for (unsigned view = 0; view < views.size(); view++) {
        prepare_burst();
        take_from_quad(view);
        add_to_burst({view_from(views[view], square_.x, square_.y)});
    }
    quads_ = {};
}

} // namespace tomo
