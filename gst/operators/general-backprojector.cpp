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
    return std::size_t{projection_.width + 2 * border} * (window_.count + 2 * border);
}

std::uint64_t GeneralBackprojector::bytes_of(unsigned columns, unsigned rows) const {
    return std::uint64_t{columns + 2 * border} * (rows + 2 * border) *
           (settings_.has_half_projections ? 2 : 4);
}

// By facts of the problem, so that all parts of a volume are made alike wherever they are. A part that finds
// no place so is made a smaller one, which fewer rows of the detector see.
GeneralBackprojector::Form GeneralBackprojector::form_of(const ArrayInfo &projection, unsigned projections,
                                                         const VolumePart &part) const {
    // Slices farther apart would see too much of a projection for one tile, and share nothing.
    constexpr unsigned lanes_that_pay = 16;
    constexpr double near = 2.0;
    const auto &volume = part.volume;
    const std::uint64_t bytes = bytes_of(projection.width, part.detector_rows);
    Form form{};
    form.is_along_z =
        !part.is_per_plane && volume.z.count >= lanes_that_pay && std::abs(volume.z.step) <= near;
    // GPUs read and write all sums for each burst.
    const std::uint64_t pays = has_columns() ? 64 : 16,
                        budget = has_columns() ? 5'000'000'000 : 1'250'000'000;
    form.burst = settings_.burst ? settings_.burst
                                 : static_cast<unsigned>(std::clamp<std::uint64_t>(budget / bytes, 1, pays));
    form.held = projections ? std::min(form.burst, projections) : form.burst;
    // Neighbours lie beside a sample where memory is plenty: then one load gives all of them.
    constexpr unsigned neighbours = 4;
    const std::uint64_t held =
        bytes_of(projection.width, part.rows(projection.height).count) * neighbours * form.held;
    form.texel = has_columns() && held <= compute_.device()->memory_limit() / 4 ? neighbours : 1;
    form.has_quads = has_columns() && form.is_along_z && settings_.burst == 0 &&
                     SquareOfColumns::around(volume).side > 0 && ViewQuads::is_possible(projections) &&
                     bytes * projections <= compute_.device()->max_allocation();
    return form;
}

// Beside projections and slices on their way: four that wait or are added and the one that comes, three
// slices, and those that are copied at a time.
bool GeneralBackprojector::fits(const ArrayInfo &projection, unsigned projections, const VolumePart &part,
                                const ArrayInfo &out) const {
    const Device &device = *compute_.device();
    const auto form = form_of(projection, projections, part);
    const std::uint64_t of_projection = bytes_of(projection.width, part.rows(projection.height).count);
    const std::uint64_t sums =
        out.plane_samples() * part.planes * gst_tomo_format_get_size(format_of(settings_.sums));
    const std::uint64_t quads = form.has_quads ? of_projection * projections : 0; // bursts, if they are none
    const std::uint64_t burst = of_projection * form.texel * form.held;
    const std::uint64_t others = 5 * projection.size() + 3 * (out.size() / out.depth) + out.size();
    std::uint64_t mine = 0;
    for (const Array *array : {&projections_, &sums_, &quads_})
        mine += *array ? array->info().size() : 0;
    const std::uint64_t taken =
        device.memory_in_use() - std::min<std::uint64_t>(device.memory_in_use(), mine);
    return std::max({sums, burst, quads}) <= device.max_allocation() &&
           taken + burst + quads + others + sums <= device.memory_limit() / 8 * 7;
}

Array GeneralBackprojector::allocate_texels(unsigned samples, unsigned projections) {
    return compute_.allocate(
        {settings_.has_half_projections ? GST_TOMO_FORMAT_FLOAT16 : GST_TOMO_FORMAT_FLOAT32,
         std::uint64_t{samples} * (projection_.width + 2 * border), window_.count + 2 * border, projections});
}

void GeneralBackprojector::begin(const ArrayInfo &projection, unsigned projections, const VolumePart &part) {
    projection_ = projection;
    part_ = part;
    part_.seen = {};
    window_ = part.rows(projection.height);
    form_ = form_of(projection, projections, part);
    is_begun_ = false;
    if (projections_ && projections_.info().samples() != texels() * form_.texel * form_.held)
        projections_ = {};
    count_ = 0;
    views_.clear();
    traits_ = {};
    quads_ = {};
    const ArrayInfo sums(format_of(settings_.sums), volume().x.count, volume().y.count, part.planes);
    if (!sums_ || sums_.info() != sums) {
        sums_ = {};
        sums_ = compute_.allocate(sums);
    }
    if (form_.has_quads) {
        square_ = SquareOfColumns::around(volume());
        quads_ = allocate_texels(4, projections / 4);
        const unsigned pixels = std::max(projection.width, part.detector_rows);
        view_quads_ = ViewQuads(projections, square_.side, lanes(), pixels);
    }
}

cl_uint4 GeneralBackprojector::part() const {
    const cl_uint first = part_.first, count = part_.planes;
    return form_.is_along_z ? cl_uint4{{first, count, 0, planes()}} : cl_uint4{{0, lanes(), first, count}};
}

cl_int4 GeneralBackprojector::window() const {
    const auto first = static_cast<cl_int>(window_.first), rows = static_cast<cl_int>(part_.detector_rows),
               columns = static_cast<cl_int>(projection_.width);
    return form_.is_along_z ? cl_int4{{first, 0, rows, columns}} : cl_int4{{0, first, columns, rows}};
}

// Tiles of the whole volume in which the part has voxels.
std::size_t GeneralBackprojector::tiles_along_lanes(unsigned tile) const {
    const auto own = part();
    return (own.s[0] + own.s[1] + tile - 1) / tile - own.s[0] / tile;
}

VoxelView GeneralBackprojector::view_of(const WeightedView &view, unsigned plane) const {
    using Numbers = VoxelView::Form;
    const auto form = [&](const ViewGeometry::Form &of_points) {
        const auto voxel = volume().in_voxels(of_points);
        const Vector3 &f = voxel.factors;
        if (form_.is_along_z)
            return Numbers{{f.z, f.x, f.y, voxel.constant}};
        if (part_.is_per_plane) // all of them may have one height: that of the plane's own views
            return Numbers{{f.x, f.y, 0.0, voxel.constant + f.z * plane}};
        return Numbers{{f.x, f.y, f.z, voxel.constant}};
    };
    const ViewGeometry &g = view.geometry;
    const Numbers column = form(g.column()), row = form(g.row());
    return {form_.is_along_z ? row : column,
            form_.is_along_z ? column : row,
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
    const unsigned planes = part_.is_per_plane ? part_.planes : 1;
    if (projection.info().plane_samples() != projection_.plane_samples() || views.size() != planes)
        throw Error(GST_LIBRARY_ERROR_SETTINGS,
                    text("a projection of %s and %zu views came; wanted %u x %u pixels and %u views",
                         projection.info().describe().c_str(), views.size(), projection_.width,
                         projection_.height, planes));
    std::vector<VoxelView> own;
    for (unsigned plane = 0; plane < planes; plane++)
        own.push_back(view_of(views[plane], part_.first + plane));
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
        projections_ = allocate_texels(form_.texel, form_.held);
}

void GeneralBackprojector::add_to_burst(const std::vector<VoxelView> &views) {
    views_.resize(views.size() * form_.burst);
    for (std::size_t plane = 0; plane < views.size(); plane++) {
        traits_.add(views[plane]);
        views_[plane * form_.burst + count_] = views[plane];
    }
    if (++count_ == form_.held)
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
