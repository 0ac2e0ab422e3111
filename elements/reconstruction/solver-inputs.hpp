// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/operators/solver.hpp>
#include <gst/tomo/bases/side-input.hpp>

namespace tomo {

// What iterations may be given beside projections: slices to begin with, and a mask.
struct SolverInputs {
    explicit SolverInputs(Transform *element) : initial(element, "initial"), mask(element, "mask") {}

    // For `arrays` arrays of slices from number `first` on, one behind another in `slices`. Throws Error for
    // other shapes.
    Solver::Start start(Compute &compute, std::uint64_t first, unsigned arrays, const ArrayInfo &slices);
    // Slices of a volume before and behind those that the inputs have.
    struct Beside {
        unsigned before = 0, behind = 0;
        float begin = 0.0f; // what they begin with
    };
    // For volume `number`, whose slices come in arrays of any number of planes. `more`: other volumes may
    // follow, for which they are kept in case that the inputs end.
    Solver::Start start_of_volume(Compute &compute, std::uint64_t number, const ArrayInfo &slices, bool more,
                                  const Beside &beside);
    // Arrays of the shape of all slices that are held while a solver runs, besides its own.
    unsigned held(bool more);
    void clear();

    SideInput initial, mask;

  private:
    struct Volumes {
        std::uint64_t arrays = 0, next = 0; // taken so far, for the volumes before `next`
        Array last;                         // of the volume before, if more may follow
    };
    static Array of_volume(Compute &compute, SideInput &input, Volumes &volumes, std::uint64_t number,
                           const ArrayInfo &slices, bool is_mask, bool more, const Beside &beside);

    Volumes of_initial_, of_mask_;
};

// Text for descriptions.
#define TOMO_SOLVER_INPUTS_DETAILS                                                                                        \
    "\n\nTwo inputs are optional. `initial` gives slices that iterations begin with, and `mask` those pixels that may "   \
    "change: where it is 0, a pixel keeps the value that it begins with. Both have the shape of the slices, in any real " \
    "format. "

} // namespace tomo
