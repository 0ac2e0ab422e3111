// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The algorithms of N. T. Vo, R. C. Atwood, M. Drakopoulos, "Superior techniques for eliminating ring
// artifacts in X-ray micro-tomography", Optics Express 26 (2018) 28396, for stacks of sinograms. `in` has any
// real type, `out` is float32 of the same size; a plane knows nothing of the others. Kernels:
// kernels/stripes.cl.
#pragma once

#include <gst/tomo/compute/compute.hpp>

#include <functional>

namespace tomo {

// Where the medians go: to an array of their own, or to the views whose values had their places, which they
// replace or to which they are added.
enum class Medians { alone, in_time, added };

class Stripes {
  public:
    explicit Stripes(Compute &compute) : compute_(compute) {}

    // Compiles what medians of `size` values need, so that the first array does not wait for that.
    void prepare(const ArrayInfo &in, unsigned size, Medians medians);

    // Algorithm 3: medians along the rows of the columns in order.
    void sort_out(const Array &in, Array &out, unsigned size);
    // Algorithm 2: the same for the low frequencies of the columns. `sigma` frequencies are the standard
    // deviation of the window that separates them.
    void filter_out(const Array &in, Array &out, double sigma, unsigned size);
    // Algorithm 1: polynomials fitted to the columns, smoothed along the rows by a window of `sigma`
    // frequencies.
    void fit_out(const Array &in, Array &out, unsigned order, double sigma);
    // Algorithm 5: normalises columns, and replaces those that algorithm 4 finds among the ratios.
    void normalise_large(const Array &in, Array &out, unsigned size, double snr, double drop_ratio);
    // Algorithm 6, without what it leaves: interpolates columns that are dead or fluctuate.
    void bridge_dead(const Array &in, Array &out, unsigned size, double snr);

  private:
    // Columns in order, as kernels/stripes.cl says.
    struct Ordered {
        Array keys, views;
        cl_uint columns, height, pitch;
        unsigned planes;
    };
    // Functions of the view, and how much of each makes up a column.
    struct Functions {
        unsigned views = 0, columns = 0, count = 0, reach = 0, pad = 0;
        double sigma = 0.0;
        unsigned modes = 0, length = 0; // rounded up, of the tables
        Array analysis, synthesis, weights;
    };

    bool on_cpu() const;
    unsigned lanes() const { return on_cpu() ? 16 : 1; }
    unsigned items(std::size_t wanted) const;
    std::string options(unsigned height) const;
    Kernel kernel(const char *function, const std::string &options) const;
    Kernel medians_kernel(unsigned height, unsigned size, Medians medians) const;
    void by_planes(const Array &in, Array &out,
                   const std::function<void(const Array &, Array &)> &work) const;
    Ordered ordered(const Array &in);
    void sort_far(const Array &in, Ordered &out);
    WorkSize windows(const Ordered &columns, unsigned size, cl_uint &run) const;
    Array medians(const Ordered &columns, unsigned size);
    void put_medians(const Ordered &columns, unsigned size, Array &out, bool added);
    Array marks(const Array &ratios, double snr, bool gaps);
    Array fits(const Array &in, const Functions &functions);
    const Functions &frequencies(unsigned views, double sigma);
    const Functions &polynomials(const ArrayInfo &in, unsigned order, double sigma);
    void upload_tables(Functions &functions, const std::function<double(unsigned, unsigned)> &analysis,
                       const std::function<double(unsigned, unsigned)> &synthesis);

    Compute &compute_;
    Functions window_, polynomials_;
};

} // namespace tomo
