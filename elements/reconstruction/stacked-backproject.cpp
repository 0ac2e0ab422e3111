// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "../measurement/reduction.hpp"
#include "parallel-slices.hpp"

#include <gst/operators/parallel-backprojector.hpp>

#include <algorithm>
#include <optional>

using namespace tomo;

namespace {

enum class Stored { int8, half, single };

class StackedBackproject final : public ParallelSlices {
  public:
    static constexpr Info info{
        .task = "stacked-backproject",
        .klass = "Filter/Effect",
        .blurb =
            "Backprojects stacks of filtered sinograms (columns x projections) of a parallel beam to slices that "
            "are mirrored along their rows, with samples of less precision where asked for",
        .details =
            "For lines from UFO. `tomobackproject` does the same with slices that are not mirrored, in stacks of any "
            "depth. Here slice pixel (i, j) is seen at h = a + bx cos t - by sin t, bx = i + roi-x - a + 1/2, by = j + roi-y - "
            "a + 1/2, with axis a and angle t. All else is as in `tomobackproject`: sampling, weights, axis, angles, messages.\n"
            "\n"
            "int8 rounds samples to 256 values between the least and the largest one of their sinogram, half to "
            "float16; both are errors of the input. Unlike UFO, any number of sinograms may come in a stack, "
            "regions have any width, and int8 counts the least value with each projection.",
        .example =
            "tomoread path='sinograms/*.tif' ! tomorampfilter ! tomostack number=4 ! tomostackedbackproject "
            "axis-pos=131 precision-mode=half ! tomowrite filename=slices.h5:/slices",
    };

    Choice<Stored> precision{
        this,
        "precision-mode",
        Stored::single,
        {{Stored::int8, "int8", "256 values for each sinogram"},
         {Stored::half, "half",
          "float16; computed by tensor cores where an NVIDIA GPU has them, as by tomobackproject"},
         {Stored::single, "single", "float32"}},
        When::reshapes,
        "Precision of samples"};

    void stop() override {
        operator_.reset();
        ParallelSlices::stop();
    }

  protected:
    using ParallelSlices::batch_that_pays;

    void plan(const ArrayInfo &sinograms, const ArrayInfo &slices) override {
        operator_.emplace(*this, BackprojectMode::linear, multiplied());
        operator_->plan(rounded(sinograms), slices, double(input_count().value_or(0)) * slices.depth);
    }

    void set_views(const Views &v) override {
        std::vector<double> mirrored(v.angles.size());
        std::transform(v.angles.begin(), v.angles.end(), mirrored.begin(),
                       [](double angle) { return -angle; });
        operator_->set_views(backproject_rows(mirrored, v.weights, v.axis, v.axis_in_slice, v.slice));
    }

    void reconstruct(const Array &sinograms, Array &slices) override {
        operator_->run(precision == Stored::single ? sinograms : round(sinograms), slices);
    }

    unsigned batch_that_pays(const ArrayInfo &in, const SliceRegion &slice) override {
        return ParallelBackprojector(*this, BackprojectMode::linear, multiplied())
            .batch_that_pays(in.depth, slice.width, slice.height);
    }

  private:
    Precision multiplied() const {
        return precision == Stored::half && device()->has_tensor_cores() ? Precision::half
                                                                         : Precision::single;
    }

    ArrayInfo rounded(const ArrayInfo &sinograms) const {
        return precision == Stored::single
                   ? sinograms
                   : sinograms.with_format(precision == Stored::half ? GST_TOMO_FORMAT_FLOAT16
                                                                     : GST_TOMO_FORMAT_FLOAT32);
    }

    Array round(const Array &sinograms) {
        const auto &info = sinograms.info();
        Array out = allocate(rounded(info));
        input_format("in", info.format);
        if (precision == Stored::half) {
            launch(kernel("round_to_half"), WorkSize(info.samples()), sinograms, out);
        } else {
            const measurement::Reduction extremes{info.depth, info.plane_samples(), 1};
            const Array range =
                extremes.run(*this, "measure_part", 0, 0, sinograms, allocate(extremes.sums(1)));
            launch(kernel("round_to_256"), WorkSize(info.plane_samples(), info.depth), sinograms, range, out);
        }
        return out;
    }

    std::optional<ParallelBackprojector> operator_;
};

} // namespace

TOMO_ELEMENT(StackedBackproject)
