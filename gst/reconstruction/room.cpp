// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/reconstruction/chain.hpp>
#include <gst/reconstruction/flat-field.hpp>
#include <gst/reconstruction/room.hpp>
#include <gst/reconstruction/sweep.hpp>
#include <gst/reconstruction/turns.hpp>

#include <algorithm>

namespace tomo::reconstruction {

Share rows_at_once(const Settings &settings, const Inspection &scan, const Rows &all) {
    const unsigned binning = settings.binning;
    const std::uint64_t row = std::uint64_t{scan.image.width / binning} * scan.views * sizeof(float);
    if (!needs_projections(settings, scan))
        return {all.count, 2 * row * std::min(all.count, 8u)};
    // All projections of a slab are held, as they come and as sinograms, and all flats for a dynamic flat.
    const std::uint64_t flats = is_flat_dynamic(settings, scan)
                                    ? 2 * (scan.flats + scan.flats_after) * sizeof(float) *
                                          (scan.image.plane_samples() / binning / binning)
                                    : 0;
    const auto memory = settings.memory_bytes();
    const auto room = memory > flats ? (memory - flats) / (2 * row) : 0;
    const auto sinograms = static_cast<unsigned>(std::min<std::uint64_t>(room, all.count / binning));
    return {sinograms * binning, 2 * row * sinograms + flats};
}

BytesOnDisk bytes_on_disk(const Settings &settings, const Inspection &scan) {
    auto result = scan.output(settings, settings.given_axis().value_or(scan.axis));
    const auto sweep = sweep_of(settings);
    if (sweep)
        result.depth = static_cast<unsigned>(sweep->values.size());
    const auto all = scan.rows(settings);
    Settings of_turn;
    of_turn.assign(settings);
    Inspection part = scan;
    take_first_turn(of_turn, part);
    const bool is_in_time = turns_of(settings, scan).size() > 1 && !series_of_turn(settings.output, 0);
    const bool is_joined =
        sweep || is_in_time ||
        (!settings.result.is("projections") && rows_at_once(of_turn, part, all).rows < all.count);
    return {result.size(), is_joined ? result.samples() * sizeof(float) : 0};
}

} // namespace tomo::reconstruction
