// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "solver-inputs.hpp"

#include <gst/tomo/support/error.hpp>

#include <utility>

namespace tomo {

namespace {

// Planes from `first` on.
Array planes(const Array &array, unsigned first, unsigned count) {
    const auto &info = array.info();
    return {info.with_size(info.width, info.height, count), array.storage(),
            array.plane(first).byte_offset()};
}

void check_shape(const SideInput &input, const Array &given, const ArrayInfo &slices, const char *wanted) {
    if (given.width() != slices.width || given.height() != slices.height)
        throw Error(GST_STREAM_ERROR_FORMAT,
                    text("input %s got %s; wanted slices of %u x %u, %s", input.name(),
                         given.info().describe().c_str(), slices.width, slices.height, wanted));
}

Array of_arrays(Compute &compute, SideInput &input, std::uint64_t first, unsigned arrays,
                const ArrayInfo &slices, bool is_mask) {
    if (!input.is_linked())
        return {};
    Array all = compute.allocate(slices);
    const unsigned depth = slices.depth / arrays;
    for (unsigned i = 0; i < arrays; i++) {
        if (!input.array(first + i) && !input.last())
            return {};                     // it ended without any array, so it counts as not linked
        const Array &given = input.last(); // the last one where it has ended
        check_shape(input, given, slices, "as the element makes them");
        if (given.depth() != 1 && given.depth() != depth)
            throw Error(GST_STREAM_ERROR_FORMAT,
                        text("input %s got %s; wanted a plane for each of %u sinograms, or one for all",
                             input.name(), given.info().describe().c_str(), depth));
        for (unsigned z = 0; z < depth; z += given.depth()) {
            Array part = planes(all, i * depth + z, given.depth());
            Solver::copy_given(compute, given, part, is_mask);
        }
    }
    return all;
}

} // namespace

Solver::Start SolverInputs::start(Compute &compute, std::uint64_t first, unsigned arrays,
                                  const ArrayInfo &slices) {
    return {of_arrays(compute, initial, first, arrays, slices, false),
            of_arrays(compute, mask, first, arrays, slices, true)};
}

Array SolverInputs::of_volume(Compute &compute, SideInput &input, Volumes &volumes, std::uint64_t number,
                              const ArrayInfo &slices, bool is_mask, bool more, const Beside &beside) {
    if (!input.is_linked())
        return {};
    if (number < volumes.next)
        volumes = {}; // after a flush
    Array all = compute.allocate(slices);
    const unsigned wanted = slices.depth - beside.before - beside.behind;
    if (wanted < slices.depth) {
        const float value = is_mask ? 1.0f : beside.begin;
        compute.fill(all, &value, sizeof value);
    }
    for (; volumes.next <= number; volumes.next++) {
        unsigned z = 0;
        while (z < wanted && input.array(volumes.arrays)) {
            const Array &given = input.last();
            volumes.arrays++;
            check_shape(input, given, slices, "the planes of the volume");
            if (z + given.depth() > wanted)
                throw Error(
                    GST_STREAM_ERROR_FORMAT,
                    text("input %s got %u slices where a volume has %u: give it as many for each volume",
                         input.name(), z + given.depth(), wanted));
            Array part = planes(all, beside.before + z, given.depth());
            Solver::copy_given(compute, given, part, is_mask);
            z += given.depth();
        }
        if (z == wanted)
            continue;
        // The input has ended: a volume, or a slice, is for all that follow.
        if (volumes.arrays == 0)
            return {}; // it counts as not linked
        if (z == 0 && volumes.last && is_mask)
            all = volumes.last;
        else if (z == 0 && volumes.last)
            compute.copy_rows(volumes.last, {}, all, {}, slices.size());
        else if (z == 1 && volumes.arrays == 1) {
            const std::size_t plane = slices.plane_samples() * sizeof(float);
            for (unsigned other = 0; other < slices.depth; other++)
                if (other != beside.before)
                    compute.copy_rows(all, {.offset = beside.before * plane}, all, {.offset = other * plane},
                                      plane);
        } else
            throw Error(GST_STREAM_ERROR_FAILED,
                        text("input %s ended after %u of the %u slices of volume %" G_GUINT64_FORMAT
                             ": give it all of them, or one for all",
                             input.name(), z, wanted, volumes.next));
    }
    if (more && is_mask) // which iterations only read
        volumes.last = all;
    else if (more) {
        volumes.last = compute.allocate(slices);
        compute.copy_rows(all, {}, volumes.last, {}, slices.size());
    }
    return all;
}

Solver::Start SolverInputs::start_of_volume(Compute &compute, std::uint64_t number, const ArrayInfo &slices,
                                            bool more, const Beside &beside) {
    return {of_volume(compute, initial, of_initial_, number, slices, false, more, beside),
            of_volume(compute, mask, of_mask_, number, slices, true, more, beside)};
}

unsigned SolverInputs::held(bool more) { return mask.is_linked() + (more && initial.is_linked()); }

void SolverInputs::clear() { of_initial_ = of_mask_ = {}; }

} // namespace tomo
