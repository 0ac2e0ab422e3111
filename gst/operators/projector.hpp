// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/operators/view-sweep.hpp>

#include <memory>
#include <vector>

namespace tomo {

// A linear operator A from a volume to its projections, and its transpose A*. Iterative methods know the
// geometry only through it.
//
// <A x, y> = <x, A* y> holds for all x and y, to the rounding of float32. The default backprojection of
// tomobackproject is not the transpose of a projection: see ParallelBackprojector.
class GST_TOMO_API Projector {
  public:
    virtual ~Projector();

    // Shapes for this number of slices. In a parallel beam slices are independent of each other.
    virtual ArrayInfo volume(unsigned slices) const = 0;
    virtual ArrayInfo projections(unsigned slices) const = 0;

    // projections = A volume. Accepts any real format, gives float32.
    virtual void forward(const Array &volume, Array &projections) = 0;
    // volume = A* projections.
    virtual void back(const Array &projections, Array &volume) = 0;

    // The projector whose A 1 and A* 1 methods divide by. It has no negative weight, so it is another one
    // where this one has some.
    virtual Projector &of_sums() { return *this; }

    // Null where single views have no faster way than forward() and back(). All views, in this order. What it
    // holds is in SolverSettings::sweep_memory.
    virtual std::unique_ptr<ViewSweep> sweep(std::vector<unsigned> order);

  protected:
    // Throws Error unless both have the wanted shapes, `from` in any real format and `to` in float32.
    static void check_shapes(const ArrayInfo &from, ArrayInfo wanted_from, const ArrayInfo &to,
                             const ArrayInfo &wanted_to);
};

} // namespace tomo
