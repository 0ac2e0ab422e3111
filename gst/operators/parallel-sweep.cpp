// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/operators/parallel-sweep.hpp>
#include <gst/tomo/device/device.hpp>

#include <algorithm>
#include <utility>

namespace tomo {

namespace {

constexpr unsigned margin = 2; // MARGIN of the kernels

// How a device follows rays.
struct Shape {
    unsigned lanes, columns, segments; // columns of a work-item, or columns and segments of a work-group
};

Shape shape_for(const Device &device, unsigned depth) {
    if (!device.prefers_local_memory())
        return {depth == 1 ? 1u : depth <= 4 ? 4u : depth <= 8 ? 8u : 16u, 8, 0};
    unsigned lanes = 1;
    while (lanes < depth && lanes < 32)
        lanes *= 2;
    // Neighbours read neighbours, and short segments keep all units busy with the rays of one view.
    const unsigned columns = std::clamp(32 / lanes, 1u, 8u);
    unsigned segments = std::min(256 / (lanes * columns), 16u);
    while (lanes * columns * segments > device.max_work_group() && segments > 1)
        segments /= 2;
    return {lanes, columns, segments};
}

unsigned parts(unsigned count, unsigned of) { return (count + of - 1) / of; }

// Of slices side by side, with their margins.
ArrayInfo sets_of(const Shape &shape, const ArrayInfo &slices) {
    return {GST_TOMO_FORMAT_FLOAT32, (slices.width + 2 * margin) * shape.lanes,
            (slices.height + 2 * margin) * std::uint64_t{parts(slices.depth, shape.lanes)}};
}

// Of a view: what the rays tell.
ArrayInfo numbers_of(const Shape &shape, unsigned columns, unsigned depth) {
    return {GST_TOMO_FORMAT_FLOAT32, (columns + 2 * margin) * shape.lanes, parts(depth, shape.lanes)};
}

ArrayInfo squares_of(const Shape &shape, unsigned columns, unsigned views, unsigned depth) {
    return {GST_TOMO_FORMAT_FLOAT32, std::uint64_t{views} * parts(columns, shape.columns), 1, depth};
}

} // namespace

ParallelSweep::ParallelSweep(Compute &compute, std::vector<unsigned> order, Array rays, Array rows,
                             Array sums)
    : compute_(compute), order_(std::move(order)), rays_(std::move(rays)), rows_(std::move(rows)),
      sums_(std::move(sums)) {}

ViewSweep::Memory ParallelSweep::memory(const Device &device, const ArrayInfo &projections,
                                        const ArrayInfo &slices, bool has_mask) {
    const unsigned depth = slices.depth;
    const auto shape = shape_for(device, depth);
    const auto sets = sets_of(shape, slices).size(),
               numbers = numbers_of(shape, projections.width, depth).size(),
               squares = squares_of(shape, projections.width, projections.height, depth).size();
    return {(has_mask ? 2 : 1) * sets + numbers + squares, std::max({sets, numbers, squares})};
}

Kernel ParallelSweep::kernel(const char *name, unsigned depth, bool is_masked) const {
    const bool is_gpu = compute_.device()->prefers_local_memory();
    const auto shape = shape_for(*compute_.device(), depth);
    return compute_.kernel(name,
                           text("-D LANES=%u -D COLUMNS=%u -D SEGMENTS=%u%s%s", shape.lanes, shape.columns,
                                shape.segments, is_masked ? " -D MASKED" : "",
                                is_gpu ? "" : " -D FOLLOW_LANES"),
                           is_gpu ? "sweep-group.cl" : "sweep-lanes.cl");
}

void ParallelSweep::pack(const Array &slices, Array &sets, bool is_masked) const {
    const cl_uint width = slices.width(), height = slices.height(), depth = slices.depth();
    const auto shape = shape_for(*compute_.device(), depth);
    compute_.launch(
        kernel("pack_sets", depth, is_masked),
        WorkSize((width + 2 * margin) * shape.lanes, height + 2 * margin, parts(depth, shape.lanes)),
        BareBuffer{slices}, ReadWriteBareBuffer{sets}, width, height, depth);
}

Array ParallelSweep::packed(const Array &mask) {
    Array sets = compute_.allocate(sets_of(shape_for(*compute_.device(), mask.depth()), mask.info()));
    pack(mask, sets, true);
    return sets;
}

Array ParallelSweep::run(const Array &measured, Array &x, const Correction &correction, Steps &steps) {
    const Device &device = *compute_.device();
    const bool is_gpu = device.prefers_local_memory();
    const cl_uint width = x.width(), height = x.height(), depth = x.depth();
    const cl_uint columns = measured.width(), views = measured.height();
    const auto shape = shape_for(device, depth);
    const unsigned set_count = parts(depth, shape.lanes), blocks = parts(columns, shape.columns);
    const auto kernel = [&](const char *name) {
        return this->kernel(name, depth, static_cast<bool>(correction.mask));
    };
    Array sets = compute_.allocate(sets_of(shape, x.info()));
    const Array &mask = correction.mask ? correction.mask : sets;
    Array numbers = compute_.allocate(numbers_of(shape, columns, depth));
    Array squares = compute_.allocate(squares_of(shape, columns, views, depth));
    const float zero = 0.0f;
    compute_.fill(numbers, &zero, sizeof zero);
    pack(x, sets, static_cast<bool>(correction.mask));

    WorkSize of_rays(blocks, set_count), of_pixels(height, set_count);
    if (is_gpu) {
        of_rays = WorkSize(std::size_t{blocks} * shape.columns * shape.lanes, shape.segments, set_count)
                      .groups(shape.columns * shape.lanes, shape.segments);
        const unsigned together = std::min(shape.lanes, 4u); // TOGETHER of the kernel
        of_pixels = WorkSize(std::size_t{width} * (shape.lanes / together), height, set_count).groups(64, 4);
    }
    const auto rays = kernel("sweep_rays"), pixels = kernel("sweep_pixels");
    // A launch takes microseconds on a device with memory of its own.
    const unsigned between = device.shares_host_memory() ? 1 : 32;
    for (std::size_t i = 0; i < order_.size(); i++) {
        const cl_uint view = order_[i];
        compute_.launch(rays, of_rays, BareBuffer{sets}, BareBuffer{measured}, BareBuffer{sums_},
                        ReadWriteBareBuffer{numbers}, ReadWriteBareBuffer{squares}, BareBuffer{rays_}, width,
                        height, depth, columns, views, view);
        compute_.launch(pixels, of_pixels, ReadWriteBareBuffer{sets}, BareBuffer{mask}, BareBuffer{numbers},
                        BareBuffer{rows_}, BareBuffer{correction.done}, cl_uint{correction.planes},
                        correction.relaxation, correction.minimum, correction.maximum, width, height, depth,
                        columns, views, view);
        if (i % between == 0)
            steps.done(sets);
    }
    compute_.launch(kernel("unpack_sets"), WorkSize(x.info()), BareBuffer{sets}, ReadWriteBareBuffer{x});
    return squares;
}

} // namespace tomo
