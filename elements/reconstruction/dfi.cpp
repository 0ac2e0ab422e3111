// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "../fourier/response-properties.hpp"
#include "parallel-slices.hpp"

#include <gst/operators/fourier-backprojector.hpp>

#include <optional>

using namespace tomo;

namespace {

class Dfi final : public ParallelSlices {
  public:
    static constexpr Info info{
        .task = "dfi",
        .klass = "Filter/Effect",
        .blurb =
            "Reconstructs slices from sinograms (columns x projections) of a parallel beam by direct Fourier "
            "inversion, filter included, in attenuation per pixel",
        .details =
            "The result is that of `tomorampfilter ! tomobackproject` but for the interpolation of the filtered rows: "
            "here it is exact, by the trigonometric polynomial through the samples of the padded row. Linear "
            "interpolation differs from that by some percent where the rows are noisy, because it is a low-pass. The "
            "time grows with N^2 log N instead of N^3.\n"
            "\n"
            "By the Fourier slice theorem, rows' spectra times the filter are samples of the slice's spectrum on lines "
            "through its middle. They are spread over a regular grid by the function of Kaiser and Bessel, "
            "the grid is transformed, and the slice divided by the transform of that function (non-uniform Fourier "
            "transform; Fessler, Sutton, IEEE Trans. Signal Process. 51, 560 (2003), doi 10.1109/TSP.2002.807005; Beatty, "
            "Nishimura, Pauly, IEEE Trans. Med. Imaging 24, 799 (2005), doi 10.1109/TMI.2005.848376). Width of the "
            "function and size of the grid follow from `tolerance`.\n"
            "\n"
            "Rows are continued by their edge values, as by `tomorampfilter`. A pixel that some view sees beside the "
            "detector gets what the continued row has there, and not zero as by `tomobackproject`: the circle that all "
            "views see is the same. A slice whose sinogram has a sample that is not finite is NaN. Two slices are "
            "computed as one complex one, so the rounding of a slice's samples may depend on the slice beside it.\n"
            "\n"
            "Axis, angles, weights and region are those of `tomobackproject`, and so are its messages.",
        .example =
            "tomoread path='sinograms/*.tif' ! tomodfi axis-pos=131 ! tomowrite filename=slices.h5:/slices",
    };

    fourier::ResponseProperties response{this};
    Property<unsigned> pad_width{
        this,
        "pad-width",
        Automatic{0},
        {0, 65536},
        When::reshapes,
        "Samples of a padded row, an even number; 0: the next one of at least twice the row's width that has no prime "
        "factor above 7. Less than twice the width brings the ends of the row together"};
    Property<double> tolerance{
        this,
        "tolerance",
        1e-3,
        {Spreading::best, Spreading::worst},
        When::reshapes,
        "Largest error by the transform, as a share of the slice (L2 norm), for a slice of white noise; rounding of "
        "float32 adds about 1e-6"};

    void stop() override {
        operator_.reset();
        ParallelSlices::stop();
    }

  protected:
    using ParallelSlices::batch_that_pays;

    void plan(const ArrayInfo &sinograms, const ArrayInfo &slices) override {
        if (pad_width && (pad_width < sinograms.width || pad_width % 2 != 0))
            throw Error(
                GST_LIBRARY_ERROR_SETTINGS,
                text("pad-width=%u came for rows of %u samples; wanted an even number, and no less than that",
                     pad_width.value(), sinograms.width));
        const auto length = padded(sinograms.width);
        operator_.emplace(*this, Spreading::of_tolerance(tolerance));
        operator_->plan(sinograms, slices, response.of_length(length));
        fourier::report_response(*this, response, length);
    }

    void set_views(const Views &v) override {
        operator_->set_views(v.angles, v.weights, v.axis, v.axis_in_slice, v.slice);
    }

    void reconstruct(const Array &sinograms, Array &slices) override { operator_->run(sinograms, slices); }

    unsigned batch_that_pays(const ArrayInfo &in, const SliceRegion &slice) override {
        return FourierBackprojector(*this, Spreading::of_tolerance(tolerance))
            .batch_that_pays(in, slice.width, slice.height, padded(in.width));
    }

  private:
    unsigned padded(unsigned width) const {
        return pad_width ? pad_width.value() : fourier::good_length(2.0 * width);
    }

    std::optional<FourierBackprojector> operator_;
};

} // namespace

TOMO_ELEMENT(Dfi)
