// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Iterative reconstructions. They know the geometry only through projectors A.
#pragma once

#include <gst/operators/projector.hpp>
#include <gst/tomo/compute/steps.hpp>

#include <functional>
#include <limits>
#include <memory>
#include <vector>

namespace tomo {

// With b the measured projections, x the slices, and 1 for arrays of ones:
//
// additive        For subset after subset of the views: x += relaxation A*((b - A x) / A 1) / A* 1, then
//                 bounds. One subset: SIRT (Gilbert, J. Theor. Biol. 36, 105 (1972); with these weights
//                 Gregor, Benson, IEEE Trans. Med. Imaging 27, 918 (2008), doi 10.1109/TMI.2008.923696). A
//                 subset for each view: SART (Andersen, Kak, Ultrason. Imaging 6, 81 (1984)). Begins with
//                 zeros.
// multiplicative  x *= A*(b / A x) / A* 1. One subset: MLEM (Shepp, Vardi, IEEE Trans. Med. Imaging 1, 113
//                 (1982)); more: OSEM (Hudson, Larkin, IEEE Trans. Med. Imaging 13, 601 (1994)). Begins with
//                 ones.
// gradients       Conjugate gradients for the least |A x - b| (CGLS: Hestenes, Stiefel, J. Res. Nat. Bur.
//                 Stand. 49, 409 (1952); Bjoerck, Numerical Methods for Least Squares Problems, 1996, 7.4).
//                 Begins with zeros.
// fista           Proximal gradients for the least |A x - b|^2 / (2 views) + lambda TV(x) within bounds, with
//                 momentum; the total variation TV by fast gradient projection (Beck, Teboulle, IEEE Trans.
//                 Image Process. 18, 2419 (2009), doi 10.1109/TIP.2009.2028250). With subsets, each stands
//                 for all.
// split_bregman   For the same sum: differences of pixels and their copies, which alternate (Goldstein,
//                 Osher, SIAM J. Imaging Sci. 2, 323 (2009), doi 10.1137/080725891), with some conjugate
//                 gradients for the pixels. Bounds have a copy likewise.
// asd_pocs        The additive corrections and bounds, then descent of TV, as far as these have moved x
//                 (Sidky, Pan, Phys. Med. Biol. 53, 4777 (2008), doi 10.1088/0031-9155/53/17/021).
enum class SolverMethod { additive, multiplicative, gradients, fista, split_bregman, asd_pocs };

// Where nobody says how many.
constexpr unsigned usual_iterations(SolverMethod method) {
    return method == SolverMethod::fista                                               ? 50
           : method == SolverMethod::split_bregman || method == SolverMethod::asd_pocs ? 20
                                                                                       : 10;
}

struct SolverSettings {
    unsigned iterations = 10; // each goes through all views once at least
    double relaxation = 1.0;
    unsigned subsets = 1;           // view v belongs to subset v % subsets; at most as many as views
    bool is_in_golden_order = true; // subsets follow each other far apart, else one by one
    double minimum = -std::numeric_limits<double>::infinity(),
           maximum = std::numeric_limits<double>::infinity();
    double tolerance = 0.0; // a slice with |b - A x| <= tolerance |b| stays as it is
    unsigned coupled = 1;   // planes that make a volume, with residuals and steps in common
    unsigned stacked = 1;   // slices that lie below each other in a plane, as those of a GeneralProjector
    // Directions of the total variation's differences: 3, also between the slices of a volume.
    unsigned dimensions = 2;
    double lambda = 0.0;           // fista, split_bregman
    unsigned inner_iterations = 0; // of the projection, of conjugate gradients, of the descent
    double penalty = 1.0;          // split_bregman: weight of |D x - d|^2 / 2
    // asd_pocs: the first step of the descent in parts of the first change by data; its factor where a
    // descent moved x by more than `descent_limit` of that, unless the residual is within `enough`; and the
    // factor of the relaxation after each iteration.
    double descent = 0.2, descent_reduction = 0.95, descent_limit = 0.95, enough = 0.0,
           relaxation_reduction = 0.995;

    // Of projectors that have a sweep, what it holds; null: of projectors without one, which are not asked.
    ViewSweep::MemoryOf sweep_memory = nullptr;
    // That projectors hold for any number of slices. 0: what they copy of slices or projections.
    std::uint64_t projector_bytes = 0;
    unsigned given = 0; // arrays in the slices' shape that are held besides: a mask, starts for later volumes

    // Slices that have differences between them.
    unsigned neighbours() const { return dimensions == 3 ? coupled * stacked : 1; }
};

struct SolverViews;
class SolverRun;

class GST_TOMO_API Solver {
  public:
    // A projector of the views with these numbers, in this order.
    using MakeProjector = std::function<std::unique_ptr<Projector>(const std::vector<unsigned> &views)>;

    Solver(Compute &compute, SolverMethod method, const SolverSettings &settings);
    ~Solver();

    void set_geometry(unsigned views, const MakeProjector &make);

    // |b - A x| / |b| of each volume, before each iteration (of fista with the x ahead that its momentum
    // gives) or behind it (gradients, split_bregman); with subsets, each with the x that it met. Fewer than
    // `iterations` where all volumes came below the tolerance.
    using Residuals = std::vector<std::vector<double>>;
    struct Solution {
        Array slices;
        Residuals residuals;
        // At which each iteration was handed to the device, since the first one began.
        std::vector<double> seconds;
    };
    // A run behind an iteration, for the time of a call.
    struct Iterate {
        unsigned done;       // iterations
        const Array &slices; // as they are now
        // Of iterations that are done, from `first` up to `end`. Waits for the device.
        const std::function<Residuals(unsigned first, unsigned end)> residuals;
    };
    // float32, in the shape of the slices, for run() to keep; each may be left out. copy_given() makes them.
    struct Start {
        Array slices; // that iterations begin with, instead of zeros or ones
        Array mask;   // pixels of 0 keep the value that they begin with
        std::function<void(const Iterate &)> watch = {}; // is called behind each iteration
    };
    // Copies real samples as float32, or as 0 and 1 for a mask. Both arrays have the same shape.
    static void copy_given(Compute &compute, const Array &given, Array &to, bool is_mask);
    // The views of `projections` follow each other in one or several arrays, which are let go as soon as they
    // are read. Waits for the device.
    Solution run(std::vector<Array> projections, Start start);
    Solution run(std::vector<Array> projections) { return run(std::move(projections), {}); }

    // At a time, beside what else is on the device. With fewer, results are the same bits.
    static std::uint64_t slices_that_fit(SolverMethod method, const SolverSettings &settings,
                                         const ArrayInfo &projections, const ArrayInfo &slice,
                                         const Device &device);
    // Most bytes that run() and the geometry hold at a time for these, besides `projections` as they come.
    static std::uint64_t bytes_of_run(SolverMethod method, const SolverSettings &settings,
                                      const ArrayInfo &projections, const ArrayInfo &slices,
                                      const Device &device);

  private:
    // The order of subsets: every one once, neighbours far apart.
    static std::vector<unsigned> golden_order(unsigned number);
    void make_sums(SolverViews &views);
    double gradient_bound(SolverViews &views);
    double value_by_powers(Projector &projector, Steps &steps);
    unsigned iterate(SolverRun &run) const;

    Compute &compute_;
    const SolverMethod method_;
    const SolverSettings settings_;
    std::unique_ptr<SolverViews> views_;
};

} // namespace tomo
