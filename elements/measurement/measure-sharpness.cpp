// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "reduction.hpp"

#include <gst/tomo/filter.hpp>

using tomo::measurement::Reduction;

namespace {

class MeasureSharpness final : public tomo::Filter {
  public:
    static constexpr tomo::Info info{
        "measure-sharpness",
        "Filter/Analyzer",
        "Tells how sharp each plane is, by the mean of its gradients, and passes the array on",
        tomo::formats::real,
        tomo::formats::real,
        R"(sum over x, y > 0 of (|v(x, y) - v(x - 1, y)| + |v(x, y) - v(x, y - 1)|) / (2 W H): 0 for a plane of one value,
larger the sharper edges are, for images of the same thing. Sums are double precision or compensated. NaN gives NaN.

Each value is told by an element message `tomo-sharpness` (fields `index` of the array, `plane`, `sharpness`) and by
the property; the host waits for them.)",
        "tomoread path=projections ! tomomeasuresharpness ! fakesink"};

    tomo::Property<double> sharpness{this, "sharpness",        "Sharpness of the last plane",
                                     0.0,  {0.0, G_MAXDOUBLE}, tomo::When::result};

    tomo::ArrayInfo shape(const tomo::ArrayInfo &in) override { return in; }

  protected:
    tomo::Array apply(const tomo::Array &in) override {
        const Reduction planes{in.depth(), in.info().plane_samples(), 1};
        tomo::Array values = allocate({GST_TOMO_FORMAT_FLOAT32, 1, 1, in.depth()});
        constexpr cl_uint as_it_is = 2; // metric sum of kernels/measure.cl
        launch(kernel("measure_value", "", "measure.cl"), in.depth(),
               planes.run(*this, "sharpness_part", 1, in.width(), in), values, cl_ulong{planes.count},
               as_it_is);
        const tomo::Host<const float> sums(values);
        for (unsigned z = 0; z < in.depth(); z++) {
            const double value = sums[z] / 2.0 / static_cast<double>(planes.count);
            report(sharpness, value);
            post_message(gst_structure_new("tomo-sharpness", "index", G_TYPE_UINT64, frame_index(), "plane",
                                           G_TYPE_UINT, z, "sharpness", G_TYPE_DOUBLE, value, nullptr));
        }
        return in;
    }
};

} // namespace

TOMO_ELEMENT(MeasureSharpness)
