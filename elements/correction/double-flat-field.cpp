// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "column-means.hpp"

#include <gst/tomo/bases/joiner.hpp>

#include <utility>

using namespace tomo;

namespace {

enum { projections, average };

class DoubleFlatField final : public Joiner {
  public:
    static constexpr Info info{
        .task = "double-flat-field",
        .klass = "Filter/Effect",
        .blurb =
            "Divides transmission by the mean over all views, or by what that has of structures narrower than a "
            "Gaussian: a second flat field, from the projections themselves",
        .details =
            R"(t g(m) / m: t is the transmission of a pixel, behind the correction by flats, m the mean of the pixel over all views and
g(m) that mean, blurred by a Gaussian of `sigma` pixels, which ends at 4 sigma and sees the mirror image of m beyond the edges.
So faults of detector pixels are divided out, and wider structures of the mean, which are those of the object, stay. With
`sigma=0` g is 1, and each pixel's mean becomes 1, that of the object as well.

Projections need two inputs: the projections, and the same ones, or their mean, at `average`, from a source of their own; the
mean is complete before the first projection is corrected, and the blur has two dimensions. Sinograms need one input: each row
of the detector has all its views in one, and the blur goes along the row. One pass over the scan is enough for that, and any
part of the rows gives what it is in the whole; horizontal streaks of the detector stay, which make no rings.

M. Boin and A. Haibel, Compensation of ring artefacts in synchrotron tomographic images, Optics Express 14 (2006) 12071, doi
10.1364/OE.14.012071, with a moving average in the place of the Gaussian. nabu of the ESRF has it as double flat-field; with
`dff_sigma` it takes the mean of the logarithms.

Samples that are not finite stay as they are and don't count in any mean. A pixel whose mean is not above 0, or that has none,
stays as it is.)",
        .example =
            "tomoread path=sinogram.tif ! tomocalculate expression=\"exp(-v)\" ! tomodoubleflatfield sigma=15 ! "
            "tomowrite filename=clean.tif\n"
            "tomodoubleflatfield name=d ! tomowrite filename=corrected.tif  tomoread path=radiographs ! "
            "d.projections  tomoread path=radiographs ! d.average",
    };

    Property<float> sigma{this,
                          "sigma",
                          15.0f,
                          {0.0f, 1e3f},
                          When::reshapes,
                          "Standard deviation of the Gaussian in pixels; 0: no blur, "
                          "the mean of each pixel becomes 1"};

    std::vector<Input> inputs() const override { return {{"projections"}, {"average", true}}; }

    bool takes_mean(std::size_t input) const override { return input == average; }

    ArrayInfo shape(const std::vector<ArrayInfo> &in) override {
        const auto &image = in[projections], &mean = in[average];
        has_average_ = mean.format != GST_TOMO_FORMAT_UNKNOWN;
        if (has_average_) {
            if (mean.width != image.width || mean.height != image.height ||
                (mean.depth != image.depth && mean.depth != 1))
                throw Error(GST_STREAM_ERROR_FORMAT,
                            text("average is %u x %u x %u, but projections are %u x %u x %u; wanted the same "
                                 "size or one plane",
                                 mean.width, mean.height, mean.depth, image.width, image.height,
                                 image.depth));
        } else if (image.domain == GST_TOMO_DOMAIN_PROJECTION) {
            throw Error(GST_CORE_ERROR_PAD,
                        "projections alone do not tell their mean: link the same projections, from a source "
                        "of their own, to the input average, or give sinograms, by tomotransposeprojections");
        } else {
            input_format("in", image.format);
            means_ = {*this, image, 1};
        }
        gaussian_ = correction::upload_gaussian(*this, sigma);
        factors_ = {};
        return image.with_format(GST_TOMO_FORMAT_FLOAT32);
    }

    void process(const std::vector<Array> &in, Array &out) override {
        if (!has_average_) {
            const auto means = means_->of(*this, in[projections]);
            const auto factors = means_->smoothed(*this, means, *gaussian_, correction::Operation::multiply);
            means_->correct(*this, in[projections], factors, out, correction::Operation::multiply);
            return;
        }
        if (!*factors_ || averaged(average) != averaged_) {
            factors_ = factors_of(in[average]);
            averaged_ = averaged(average);
        }
        launch(kernel("double_flat_field"), WorkSize(out.info()), in[projections], std::as_const(*factors_),
               out, cl_uint{factors_->depth()});
    }

  protected:
    void clear() override { factors_ = {}; }

  private:
    Array factors_of(const Array &mean) {
        const WorkSize size(mean.info());
        auto rows = allocate(mean.info().with_format(GST_TOMO_FORMAT_COMPLEX64));
        launch(kernel("double_flat_field_rows"), size, mean, rows, BareBuffer{gaussian_->weights},
               gaussian_->radius);
        auto factors = allocate(mean.info().with_format(GST_TOMO_FORMAT_FLOAT32));
        launch(kernel("double_flat_field_factors"), size, std::as_const(rows), mean, factors,
               BareBuffer{gaussian_->weights}, gaussian_->radius);
        return factors;
    }

    bool has_average_ = false;
    UntilStop<correction::ColumnMeans> means_{this};
    UntilStop<correction::Gaussian> gaussian_{this};
    UntilStop<Array> factors_{this}; // of the pixels, from the mean of the projections
    std::uint64_t averaged_ = 0;     // projections that are in it
};

} // namespace

TOMO_ELEMENT(DoubleFlatField)
