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

} // namespace

ParallelSweep::ParallelSweep(Compute &compute, std::vector<unsigned> order, Array rays, Array rows,
                             Array sums)
    : compute_(compute), order_(std::move(order)), rays_(std::move(rays)), rows_(std::move(rows)),
      sums_(std::move(sums)) {}

Array ParallelSweep::run(const Array &measured, Array &x, const Correction &correction, Steps &steps) {
    const Device &device = *compute_.device();
    const auto shape = shape_for(device, x.depth());
    const bool is_gpu = device.prefers_local_memory();
    const auto kernel = [&](const char *name) {
        return compute_.kernel(name,
                               text("-D LANES=%u -D COLUMNS=%u -D SEGMENTS=%u%s%s", shape.lanes,
                                    shape.columns, shape.segments, correction.mask ? " -D MASKED" : "",
                                    is_gpu ? "" : " -D FOLLOW_LANES"),
                               is_gpu ? "sweep-group.cl" : "sweep-lanes.cl");
    };
    const cl_uint width = x.width(), height = x.height(), depth = x.depth();
    const cl_uint columns = measured.width(), views = measured.height();
    const unsigned set_count = (depth + shape.lanes - 1) / shape.lanes,
                   blocks = (columns + shape.columns - 1) / shape.columns;
    Array sets = compute_.allocate({GST_TOMO_FORMAT_FLOAT32, (width + 2 * margin) * shape.lanes,
                                    std::uint64_t{height + 2 * margin} * set_count});
    Array mask = correction.mask ? compute_.allocate(sets.info()) : sets;
    Array numbers =
        compute_.allocate({GST_TOMO_FORMAT_FLOAT32, (columns + 2 * margin) * shape.lanes, set_count});
    Array squares = compute_.allocate({GST_TOMO_FORMAT_FLOAT32, std::uint64_t{views} * blocks, 1, depth});
    const float zero = 0.0f;
    compute_.fill(numbers, &zero, sizeof zero);
    const auto pack = [&](const Array &from, Array &to) {
        compute_.launch(kernel("pack_sets"),
                        WorkSize((width + 2 * margin) * shape.lanes, height + 2 * margin, set_count),
                        BareBuffer{from}, ReadWriteBareBuffer{to}, width, height, depth);
    };
    pack(x, sets);
    if (correction.mask)
        pack(correction.mask, mask);

    WorkSize of_rays(blocks, set_count), of_pixels(height, set_count);
    if (is_gpu) {
        of_rays = WorkSize(std::size_t{blocks} * shape.columns * shape.lanes, shape.segments, set_count)
                      .groups(shape.columns * shape.lanes, shape.segments);
        of_pixels = WorkSize(std::size_t{width} * shape.lanes, height, set_count).groups(64, 4);
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
