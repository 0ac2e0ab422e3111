// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/filter.hpp>

#include <cmath>

using namespace tomo;

namespace {

class Blur final : public Filter {
  public:
    static constexpr Info info{
        .task = "blur",
        .klass = "Filter/Effect",
        .blurb = "Convolves each plane with a Gaussian",
        .details =
            "The weight of a pixel at distance d along either axis is exp(-d^2 / (2 sigma^2)), for d up "
            "to size / 2 rounded down. Near the edges, the weights that lie inside of the image are "
            "scaled to the sum of 1, so a constant image stays as it is. NaN spreads as far as the "
            "weights reach.",
        .example =
            "tomoread path=projection.tif ! tomoblur sigma=2.5 size=21 ! tomowrite filename=blurred.tif",
    };

    Property<unsigned> size{
        this,
        "size",
        5,
        {3, 1000},
        When::reshapes,
        "Width of the Gaussian in pixels; an even one reaches as far as the next odd one"};
    Property<float> sigma{this,         "sigma",        1.0f,
                          {0.0f, 1000}, When::reshapes, "Standard deviation in pixels; 0: no blur"};

    ArrayInfo shape(const ArrayInfo &in) override {
        kernel("blur_rows");
        std::vector<float> weights{1.0f};
        // Weights that are zero would still make NaN of an infinity.
        for (unsigned d = 1; d <= size / 2 && sigma > 0.0f; d++) {
            const double scaled = d / double{sigma};
            if (const float weight = static_cast<float>(std::exp(-0.5 * scaled * scaled)); weight > 0.0f)
                weights.push_back(weight);
        }
        radius_ = static_cast<cl_int>(weights.size()) - 1;
        weights_ = upload(weights);
        return Filter::shape(in);
    }

    void process(const Array &in, Array &out) override {
        auto rows = allocate(out.info());
        launch(kernel("blur_rows"), WorkSize(out.info()), in, rows, BareBuffer{*weights_}, radius_);
        launch(kernel("blur_columns"), WorkSize(out.info()), std::as_const(rows), out, BareBuffer{*weights_},
               radius_);
    }

  private:
    UntilStop<Array> weights_{this}; // by distance
    cl_int radius_ = 0;
};

} // namespace

TOMO_ELEMENT(Blur)
