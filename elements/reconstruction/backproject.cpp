// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "parallel-slices.hpp"

#include <gst/operators/parallel-projector.hpp>

#include <optional>

using namespace tomo;

namespace {

class Backproject final : public ParallelSlices {
  public:
    static constexpr Info info{
        .task = "backproject",
        .klass = "Filter/Effect",
        .blurb = "Backprojects filtered sinograms (columns x projections) of a parallel beam to slices, in "
                 "attenuation per pixel",
        .details =
            "Slice pixel (i, j) is the weighted sum over all rows of the sinogram, sampled linearly at h "
            "= a + bx cos t + by sin t, bx = i + roi-x - a + 1/2, by = j + roi-y - a + 1/2, with axis a "
            "and angle t; the detector is continued by zeros. A row's weight is the part of the half "
            "circle that it measures, so that scans over 180, 200 or 360 degrees and with uneven steps "
            "give attenuation per pixel (Kak, Slaney, 1988, section 3.3). With `slice-axis-pos` c the axis "
            "lies at c in the slice instead: bx = i + roi-x - c + 1/2, by = j + roi-y - c + 1/2, so that "
            "slices of scans with different axes lie on one another. The input has to be filtered, "
            "as by `tomorampfilter`. One slice per sinogram.\n"
            "\n"
            "`mode=joseph` is the transpose of `tomoforwardproject` to rounding, for iterative methods that "
            "are put together from elements: rows have no weights by their angles, and a slice is the sum "
            "of the line integrals' shares in each pixel (P. M. Joseph, IEEE Trans. Med. Imaging 1, 192 "
            "(1982)), in pixels. It takes sinograms as they are measured.\n"
            "\n"
            "Which axis and angles are used, and where they come from, is told once by an element message "
            "`tomo-effective`, and again when they change: `axis`, `projections`, `angle-first`, "
            "`angle-last`, `angle-step`, `angle-covered`. An axis that neither the property nor the scan "
            "gives is assumed to be the middle of the columns, and a warning says so. Without angles the "
            "projections of the scan are taken for half a turn all together, also where a part of them "
            "comes. Angles that leave out a wedge, or are few directions again and again, are a warning; "
            "projections that all look in one direction are an error. The scan event behind has the axis "
            "that was used.",
        .example =
            "tomoread path='sinograms/*.tif' ! tomorampfilter ! tomobackproject axis-pos=131 ! tomowrite "
            "filename=slices.h5:/slices",
    };

    Choice<BackprojectMode> mode{
        this,
        "mode",
        BackprojectMode::linear,
        {{BackprojectMode::nearest, "nearest", "The sample that is met"},
         {BackprojectMode::texture, "texture",
          "Linear by the image unit, which rounds to 1/256 of a pixel; not on CPU devices"},
         {BackprojectMode::linear, "linear",
          "Linear between pixel centres, the same numbers on every device"},
         {BackprojectMode::joseph, "joseph", "The transpose of tomoforwardproject, without a filter"}},
        When::reshapes,
        "How rows are sampled"};
    Choice<Precision> precision{
        this,
        "precision-mode",
        Precision::single,
        {{Precision::single, "single", "float32"},
         {Precision::half, "half",
          "Half precision factors and float32 sums, on the tensor cores of an NVIDIA GPU: more than "
          "twice as fast, errors of about 1e-4 of the slice's noise. A NaN spreads to all pixels within "
          "eight columns of its line"}},
        When::reshapes,
        "What linear interpolation is computed in"};
    void stop() override {
        operator_.reset();
        transpose_.reset();
        ParallelSlices::stop();
    }

  protected:
    using ParallelSlices::batch_that_pays;

    void plan(const ArrayInfo &sinograms, const ArrayInfo &slices) override {
        operator_.reset();
        transpose_.reset();
        if (mode == BackprojectMode::joseph) {
            if (precision != Precision::single)
                throw Error(GST_LIBRARY_ERROR_SETTINGS,
                            "mode=joseph is computed in float32: set precision-mode=single");
            columns_ = sinograms.width;
            return;
        }
        operator_.emplace(*this, mode, precision);
        operator_->plan(sinograms, slices, double(input_count().value_or(0)) * slices.depth);
    }

    void set_views(const Views &v) override {
        if (mode == BackprojectMode::joseph)
            transpose_.emplace(*this, ParallelBeam{v.angles, v.axis, columns_, v.axis_in_slice}, v.slice);
        else
            operator_->set_views(backproject_rows(v.angles, v.weights, v.axis, v.axis_in_slice, v.slice));
    }

    void reconstruct(const Array &sinograms, Array &slices) override {
        if (transpose_)
            transpose_->back(sinograms, slices);
        else
            operator_->run(sinograms, slices);
    }

    unsigned batch_that_pays(const ArrayInfo &in, const SliceRegion &slice) override {
        return ParallelBackprojector(*this, mode, precision)
            .batch_that_pays(in.depth, slice.width, slice.height);
    }

  private:
    std::optional<ParallelBackprojector> operator_; // of all modes but joseph
    std::optional<ParallelProjector> transpose_;
    unsigned columns_ = 0; // of transpose_
};

} // namespace

TOMO_ELEMENT(Backproject)
