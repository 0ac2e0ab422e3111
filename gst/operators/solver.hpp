// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Iterative reconstructions. They know the geometry only through projectors A.
#pragma once

#include <gst/operators/projector.hpp>
#include <gst/tomo/compute/compute.hpp>

#include <functional>
#include <limits>
#include <memory>
#include <vector>

namespace tomo {

// With b the measured projections, x the slices, and 1 for arrays of ones:
//
// additive        For subset after subset of the views: x += relaxation A*((b - A x) / A 1) / A* 1, then
// bounds.
//                 One subset: SIRT (Gilbert, J. Theor. Biol. 36, 105 (1972); with these weights Gregor,
//                 Benson, IEEE Trans. Med. Imaging 27, 918 (2008), doi 10.1109/TMI.2008.923696). A subset for
//                 each view: SART (Andersen, Kak, Ultrason. Imaging 6, 81 (1984)). Begins with zeros.
// multiplicative  x *= A*(b / A x) / A* 1. One subset: MLEM (Shepp, Vardi, IEEE Trans. Med. Imaging 1, 113
//                 (1982)); more: OSEM (Hudson, Larkin, IEEE Trans. Med. Imaging 13, 601 (1994)). Begins with
//                 ones.
// gradients       Conjugate gradients for the least |A x - b| (CGLS: Hestenes, Stiefel, J. Res. Nat. Bur.
// Stand. 49,
//                 409 (1952); Bjoerck, Numerical Methods for Least Squares Problems, 1996, 7.4). Begins with
//                 zeros.
enum class SolverMethod { additive, multiplicative, gradients };

struct SolverSettings {
    unsigned iterations = 10; // each goes through all views once
    double relaxation = 1.0;
    unsigned subsets = 1;           // view v belongs to subset v % subsets; at most as many as views
    bool is_in_golden_order = true; // subsets follow each other far apart, else one by one
    double minimum = -std::numeric_limits<double>::infinity(),
           maximum = std::numeric_limits<double>::infinity();
    double tolerance = 0.0; // a slice with |b - A x| <= tolerance |b| stays as it is
};

class GST_TOMO_API Solver {
  public:
    // A projector of the views with these numbers, in this order.
    using MakeProjector = std::function<std::unique_ptr<Projector>(const std::vector<unsigned> &views)>;

    Solver(Compute &compute, SolverMethod method, const SolverSettings &settings)
        : compute_(compute), method_(method), settings_(settings) {}

    void set_geometry(unsigned views, const MakeProjector &make);

    // |b - A x| / |b| of each slice before each iteration (additive, multiplicative) or behind it
    // (gradients); with subsets, each with the x that it met. Fewer than `iterations` where all slices came
    // below the tolerance.
    using Residuals = std::vector<std::vector<double>>;
    // Waits for the device.
    Residuals run(const Array &projections, Array &slices);

    // At a time, beside what else is on the device. With fewer, results are the same bits.
    static std::uint64_t slices_that_fit(SolverMethod method, const SolverSettings &settings,
                                         const ArrayInfo &projections, const ArrayInfo &slice,
                                         const Device &device);

  private:
    struct Subset {
        unsigned first, number; // of views in order_
        std::unique_ptr<Projector> projector;
        Array ray_sums;
        Array pixel_sums; // empty where there is no memory for those of all subsets
    };

    // The order of subsets: every one once, neighbours far apart.
    static std::vector<unsigned> golden_order(unsigned number);

    static unsigned gradients_kept(const SolverSettings &settings, std::uint64_t bytes, const Device &device);
    Kernel kernel(const char *function);
    void make_sums(Subset &subset, bool keeps_pixel_sums);
    Array pixel_sums_of(Subset &subset);
    Array filled(const ArrayInfo &info, float value);
    // Adds the norm of each slice to `norms`, from `first` on.
    void add_norms(const Array &values, Array &norms, unsigned first) {
        add_products(values, values, norms, first);
    }
    void add_products(const Array &values, const Array &others, Array &sums, unsigned first);
    void add_parts(const Array &parts, Array &norms, unsigned first, unsigned slices);
    void free_of_kept(Array &gradient, const Array &kept, unsigned number, const Array &norms);
    bool is_done(unsigned iteration, const Array &norms, const Array &measured, Array &done);
    unsigned iterate(const Array &projections, Array &slices, Array &norms, const Array &measured,
                     Array &done);
    unsigned descend(const Array &projections, Array &slices, Array &norms, const Array &measured,
                     Array &done);

    Compute &compute_;
    const SolverMethod method_;
    const SolverSettings settings_;
    Array order_; // numbers of views, subset by subset
    unsigned views_ = 0;
    std::vector<Subset> subsets_; // in the order in which they are taken
};

} // namespace tomo
