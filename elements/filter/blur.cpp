// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/filter.hpp>

#include <cmath>

namespace {

class Blur final : public tomo::Filter {
  public:
    static constexpr tomo::Info info{
        "blur",
        "Filter/Effect",
        "Convolves each plane with a Gaussian",
        tomo::formats::real,
        tomo::formats::float32,
        "The weight of a pixel at distance d along either axis is exp(-d^2 / (2 sigma^2)), for d up to size "
        "/ 2 "
        "rounded down. Near the edges, the weights that lie inside of the image are scaled to the sum of 1, "
        "so a "
        "constant image stays as it is. NaN spreads as far as the weights reach.",
        "tomoread path=projection.tif ! tomoblur sigma=2.5 size=21 ! tomowrite filename=blurred.tif"};

    tomo::Property<unsigned> size{this,
                                  "size",
                                  "Width of the Gaussian in pixels; an even one reaches as far as "
                                  "the next odd one",
                                  5,
                                  {3, 1000},
                                  tomo::When::reshapes};
    tomo::Property<float> sigma{this, "sigma",      "Standard deviation in pixels; 0: no blur",
                                1.0f, {0.0f, 1000}, tomo::When::reshapes};

    tomo::ArrayInfo shape(const tomo::ArrayInfo &in) override {
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

    void process(const tomo::Array &in, tomo::Array &out) override {
        auto rows = allocate(out.info());
        launch(kernel("blur_rows"), tomo::WorkSize(out.info()), in, rows, tomo::Whole{weights_}, radius_);
        launch(kernel("blur_columns"), tomo::WorkSize(out.info()), std::as_const(rows), out,
               tomo::Whole{weights_}, radius_);
    }

    void stop() override { weights_ = {}; }

  private:
    tomo::Array weights_; // by distance
    cl_int radius_ = 0;
};

} // namespace

TOMO_ELEMENT(Blur)
