// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What the methods of a Solver share.
#pragma once

#include <gst/operators/solver.hpp>
#include <gst/tomo/compute/steps.hpp>

namespace tomo {

// Views that are taken at once.
struct SolverSubset {
    unsigned first, number, step; // view `first` and each step-th one behind, `number` in all
    std::unique_ptr<Projector> projector;
    Array ray_sums;   // for methods that divide by them
    Array pixel_sums; // likewise; empty where there is no memory for those of all subsets

    unsigned view(unsigned row) const { return first + row * step; }
};

struct SolverViews {
    unsigned number = 0;
    std::vector<SolverSubset> subsets; // in the order in which they are taken
    // Instead of a subset for each view, with a single one of all views.
    std::unique_ptr<ViewSweep> sweep;
    double gradient_bound = 0.0; // no less than the largest value of A*A, times the number of subsets
};

// One run on some volumes: `coupled` planes each, with norms and steps of their own.
class SolverRun {
  public:
    // `x` has the start and gets the result. `mask`, which may be none, is 0 where x stays as it is.
    SolverRun(Compute &compute, const SolverSettings &settings, SolverViews &views,
              std::vector<Array> projections, Array &x, const Array &mask);

    Compute &compute;
    const SolverSettings &settings;
    SolverViews &views;
    Array &x;
    const Array mask;
    bool starts_at_zero = true;
    Array norms;                 // |b - A x|^2 of each volume, iteration by iteration
    Array measured;              // |b|^2 of each volume, once b is gathered
    Array done;                  // of each volume, whether it stays as it is
    Steps steps;                 // for each forward or backprojection
    std::vector<double> seconds; // of the iterations, since the start
    std::function<void(const Solver::Iterate &)> watch; // may be none

    unsigned volumes() const { return x.depth() / settings.coupled; }
    // Of a volume.
    cl_ulong count(const Array &array) const { return array.info().samples() / volumes(); }

    Kernel kernel(const char *function, const char *file = "iterative.cl") const;
    Array filled(const ArrayInfo &info, float value) const;
    Array numbers(std::uint64_t count) const; // zeros
    Array like(const Array &array) const { return compute.allocate(array.info()); }
    Array copy(const Array &array) const;

    // b of each subset. Once: lets the projections go.
    std::vector<Array> gather();
    void forward(SolverSubset &subset, const Array &volume, Array &projections);
    void back(SolverSubset &subset, const Array &projections, Array &volume);
    // Of `measured`, which is b of the subset, the part that x does not explain: b - A x.
    void subtract_projection(SolverSubset &subset, Array &measured);
    // For kernels: the mask, or any array where there is none.
    BareBuffer mask_argument() const { return BareBuffer{mask ? mask : done}; }
    // Gradients are 0 where x stays as it is.
    void apply_mask(Array &gradient) const;

    // Work-groups that add up each volume, and their sums: sums[first + volume] += the sum of its parts.
    unsigned groups_of_volume() const;
    WorkSize groups(const Array &values) const;
    Array parts(unsigned volumes) const;
    void add_parts(const Array &parts, Array &sums, unsigned first, unsigned volumes) const;
    void add_products(const Array &values, const Array &others, Array &sums, unsigned first) const;
    void add_norms(const Array &values, Array &norms, unsigned first) const {
        add_products(values, values, norms, first);
    }
    // Corrects x by all views, one by one, and adds the norm of the difference.
    void sweep(const Array &measured, double relaxation, unsigned iteration);
    // to += sign products[step] / lengths along, volume by volume
    void move(Array &to, const Array &along, const Array &products, unsigned step, const Array &lengths,
              float sign) const;
    // direction = gradient + gradients[step] / gradients[step - 1] direction
    void turn(Array &direction, const Array &gradient, const Array &gradients, unsigned step) const;
    // Once in each iteration: whether all volumes are below the tolerance; stops those that are. Notes the
    // time, and lets others watch.
    bool is_done(unsigned iteration);
    // Of iterations that are done. Waits for the device.
    Solver::Residuals residuals(unsigned first, unsigned end) const;

  private:
    std::vector<Array> projections_;
    Array swept_mask_; // as the sweep wants it
    const gint64 start_ = g_get_monotonic_time();
};

// How the device adds up: work-groups for a volume of so many samples.
unsigned groups_on(const Device &device, std::uint64_t samples);
constexpr unsigned solver_group = 64;
Kernel solver_kernel(Compute &compute, const SolverSettings &settings, bool is_masked, const char *function,
                     const char *file, const std::string &more = "");
// A new array of `value`.
Array filled_array(Compute &compute, const ArrayInfo &info, float value);

// Whether those of all subsets are kept, of `slice` bytes each.
bool keeps_pixel_sums(unsigned subsets, std::uint64_t slice, const Device &device);
// Rays and pixels that a projector of positive weights hardly sees may count for one with others: there no
// sum is less than a quarter of the largest.
void raise_sums(Projector &projector, Array &sums);
// A* 1 of a subset.
Array pixel_sums_of(Compute &compute, SolverSubset &subset);

// The methods. Each makes run.x and gives the number of iterations.
unsigned iterate_rays(SolverRun &run, SolverMethod method); // additive, multiplicative
unsigned descend_gradients(SolverRun &run);
unsigned iterate_fista(SolverRun &run);
unsigned iterate_split_bregman(SolverRun &run);
unsigned iterate_asd_pocs(SolverRun &run);

// Gradients that descend_gradients() keeps, of `bytes` each, and the bytes that all may have; the kernels
// read some of them at once.
constexpr unsigned gradients_at_once = 4;
unsigned gradients_kept(const SolverSettings &settings, std::uint64_t bytes, const Device &device);
std::uint64_t most_bytes_of_gradients(const Device &device);

// What an iteration of iterate_rays() and iterate_asd_pocs() does with the subsets: x is corrected by what
// the rays tell, and the norm of the difference is added.
void correct_by_rays(SolverRun &run, const std::vector<Array> &measured, Array &correction,
                     SolverMethod method, double relaxation, unsigned iteration);

} // namespace tomo
