// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The common part of elements that take stripes of sinograms for faults of detector columns: means over the
// views, and their correction.
#pragma once

#include <gst/tomo/bases/filter.hpp>

namespace tomo::correction {

enum class Operation { add, multiply };

// Weights by the distance to the middle, on the device.
struct Gaussian {
    Array weights;
    cl_int radius = -1; // below 0: there is none
};

// Up to four times its sigma; 0: none.
Gaussian upload_gaussian(Compute &compute, double sigma);

// Sets of rows of sinograms of one shape, each with its own mean of every column. The first sets have a row
// more where the height is not a multiple of their number.
class ColumnMeans {
  public:
    ColumnMeans() = default;
    // Compiles the kernels. Throws Error if there are more sets than rows.
    ColumnMeans(Compute &compute, const ArrayInfo &in, unsigned chunks);

    // Lines of means: float32, width x sets x depth. Samples that are not finite don't count; the mean of a
    // column without any other is NaN.
    Array of(Compute &compute, const Array &in) const;

    // From lines of means: what has to be added to a column, or multiplied with it, so that its mean becomes
    // that over a Gaussian along the line, or 1 without one. A line continues as its mirror image. A column
    // without a mean stays as it is, and so does one without a factor above 0.
    Array smoothed(Compute &compute, const Array &lines, const Gaussian &gaussian, Operation operation) const;

    // Sets `out` to `in` with the correction of each column.
    void correct(Compute &compute, const Array &in, const Array &corrections, Array &out,
                 Operation operation) const;

  private:
    Kernel kernel(Compute &compute, const char *name) const;

    unsigned chunks_ = 1;
    unsigned columns_ = 1; // of a work-item that adds
    unsigned parts_ = 1;   // in which the rows of a set are added
};

// A filter that corrects the columns of sinograms of absorption by their means.
class StripesByMeans : public BatchFilter {
  public:
    Property<unsigned> chunks{
        this,
        "chunks",
        1,
        {1, 10000},
        When::reshapes,
        "Sets of rows that are corrected one by one; above 1 for stripes that change during the scan"};

    ArrayInfo shape(const ArrayInfo &in) override;
    void process(const Array &in, Array &out) override;

  protected:
    // What is added to the columns, from lines of their means.
    virtual Array corrections(const Array &lines) = 0;
    const ColumnMeans &means() const { return *means_; }

    unsigned batch_that_pays(const ArrayInfo &in) override;

  private:
    UntilStop<ColumnMeans> means_{this};
};

} // namespace tomo::correction
