// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/geometry/parallel-beam.hpp>
#include <gst/tomo/support/error.hpp>

#include <numeric>

namespace tomo {

ParallelViews resolve_views(const GivenViews &given, const Scan &scan, unsigned rows) {
    const std::uint64_t end = std::uint64_t{given.first} + rows, number = given.number.value_or(end);
    if (end > number)
        throw Error(GST_LIBRARY_ERROR_SETTINGS,
                    text("a sinogram of %u projections from offset=%u on does not fit num-projections=%zu",
                         rows, given.first, static_cast<std::size_t>(number)));
    ParallelViews views{resolve_angles(given.step, scan, number, given.offset), {}, 0.0, {}, {}};
    auto weights = projection_weights(views.scan.angles);
    views.warning = std::move(weights.warning);
    views.covered = std::accumulate(weights.weights.begin(), weights.weights.end(), 0.0);
    const auto part = [&](const std::vector<double> &all) {
        return std::vector<double>(all.begin() + given.first, all.begin() + end);
    };
    views.angles = part(views.scan.angles);
    views.weights = part(weights.weights);
    return views;
}

} // namespace tomo
