// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/operators/fourier-projector.hpp>
#include <gst/tomo/bases/element.hpp>

#include <memory>
#include <utility>

namespace tomo {

// How slices of a parallel beam are projected.
struct ProjectorChoice {
    enum class Operator { joseph, fourier };

    explicit ProjectorChoice(Element *element)
        : kind(element, "operator", Operator::joseph,
               {{Operator::joseph, "joseph", "Sums along the rays, with linear interpolation"},
                {Operator::fourier, "fourier",
                 "Non-uniform Fourier transforms of the slice, as a band-limited function: takes N^2 log N "
                 "steps instead of N^3"}},
               When::reshapes, "How slices are projected"),
          tolerance(
              element, "operator-tolerance", usual_tolerance, {Spreading::best, Spreading::worst},
              When::reshapes,
              "Largest error of a projection by operator=fourier, as a share of it (L2 norm), for white noise "
              "in the ellipse within the slice") {}

    // Throws Error for a tolerance that does not count.
    void check() const {
        if (kind == Operator::joseph && tolerance != usual_tolerance)
            throw Error(GST_LIBRARY_ERROR_SETTINGS,
                        text("%s does not count with operator=joseph, which is exact; leave it out, or take "
                             "operator=fourier",
                             tolerance.name()));
    }

    std::unique_ptr<Projector> make(Compute &compute, ParallelBeam beam, const SliceRegion &slice,
                                    unsigned at_once = 1) const {
        if (kind == Operator::fourier)
            return std::make_unique<FourierProjector>(compute, std::move(beam), slice,
                                                      FourierProjector::spreading_of(tolerance));
        return std::make_unique<ParallelProjector>(compute, std::move(beam), slice, at_once);
    }

    // That projectors of all views together hold for any number of slices; 0: copies of slices or
    // projections.
    std::uint64_t bytes(const Device &device, const ArrayInfo &sinogram, const SliceRegion &slice) const {
        if (kind == Operator::joseph)
            return 0;
        // With the axis at the end of the rows, these are longest.
        const ParallelBeam beam{std::vector<double>(sinogram.height), double(sinogram.width), sinogram.width};
        return FourierProjector::bytes(device, beam, slice, FourierProjector::spreading_of(tolerance));
    }

    static constexpr double usual_tolerance = 2e-3;
    Choice<Operator> kind;
    Property<double> tolerance;
};

// Text for descriptions.
#define TOMO_PROJECTOR_DETAILS                                                                                           \
    "\n\nWith `operator=fourier`, A is another projection. The slice is the band-limited function through its pixels, "  \
    "without frequencies beyond half a cycle per pixel in any direction, and A has its line integrals, by the Fourier "  \
    "slice theorem: spectrum of the slice, its values on lines through the middle by a non-uniform Fourier transform "   \
    "(Fessler, Sutton, IEEE Trans. Signal Process. 51, 560 (2003), doi 10.1109/TSP.2002.807005; Kaiser-Bessel: Beatty, " \
    "Nishimura, Pauly, IEEE Trans. Med. Imaging 24, 799 (2005), doi 10.1109/TMI.2005.848376), and rows of these. A* is " \
    "its transpose to rounding. Edges in slices overshoot by some percent, as those of band-limited functions do. A "    \
    "sample that is not finite makes the whole plane NaN."

} // namespace tomo
