// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sharpness.hpp"

#include <gst/tomo/bases/filter.hpp>

using namespace tomo;
using Metric = measurement::Sharpness;

namespace {

class MeasureSharpness final : public Filter {
  public:
    static constexpr Info info{
        .task = "measure-sharpness",
        .klass = "Filter/Analyzer",
        .blurb = "Tells how sharp each plane is, or how consistent a slice is with its rotation axis, and "
                 "passes the array on",
        .out = formats::real,
        .details =
            R"(Over the N pixels inside the circle of `radius` around the middle of the plane, or over all W H:
- `gradient`: sum over x, y > 0 of (|v(x, y) - v(x - 1, y)| + |v(x, y) - v(x, y - 1)|) / (2 N): 0 for a plane of one value,
  larger the sharper edges are, for images of the same thing;
- `absolute`: sum of |v| / N;
- `negativity`: sum of max(-v, 0) / N;
- `entropy`: - sum of h log2 h, h the shares of 256 equal steps from the mean less 4 standard deviations to the mean plus 4,
  with all that lies beyond in the first and the last one. In bits; 0 for a plane of one value.

Images that are out of focus have a **maximum** of `gradient` where they are sharp. Slices with a wrong rotation axis are
another thing: they are not blurred, but each edge comes as two arcs, with streaks around, which adds gradients. So along a
row of axes all four have their **minimum** at the right one. The last three are those of Donath et al., J. Opt. Soc. Am. A
23, 1048 (2006), where they are divided by the sum of the projections, which is the same for all axes. With the bundled scans
and those of phantoms, `entropy` finds the axis to half a pixel or better in every slice that shows more than noise, also
with the whole plane; `negativity` comes next. `gradient` varies by less than a percent there and follows noise and the
corners, which no view covers entirely: don't use it for the axis without `radius`. Give the same `radius` for all axes: the
object and some air, within what every view sees. A radius that follows the axis compares different things.

Sums are double precision or compensated. NaN among the pixels gives NaN, and so does infinity in `entropy`.

Each value is told by an element message `tomo-sharpness` (fields `index` of the array, `plane`, `metric`, `sharpness`) and by
the property; the host waits for them.)",
        .example = "tomoread path=projections ! tomomeasuresharpness ! fakesink\n"
                   "tomoread path=sinogram.tif ! tomorampfilter ! tomobackproject axis-pos=131 ! "
                   "tomomeasuresharpness metric=entropy radius=110 ! fakesink",
    };

    Choice<Metric> metric{
        this,
        "metric",
        Metric::gradient,
        {{Metric::gradient, "gradient", "Mean of the gradients; largest for a sharp image"},
         {Metric::absolute, "absolute", "Mean of the absolute values; smallest with the right axis"},
         {Metric::negativity, "negativity", "Mean of the values below zero; smallest with the right axis"},
         {Metric::entropy, "entropy", "Entropy of the histogram; smallest with the right axis"}},
        "Measure of sharpness"};
    Property<float> radius{
        this,
        "radius",
        Automatic{0},
        {0.0f, 65536.0f},
        "Radius of the circle around the middle of the plane whose pixels count, in pixels; 0: all pixels"};
    Result sharpness{this, "sharpness", {0.0, G_MAXDOUBLE}, "That of the last plane"};

    ArrayInfo shape(const ArrayInfo &in) override { return in; }

  protected:
    Array apply(const Array &in) override {
        const auto values = measurement::sharpness(*this, in, metric, radius);
        for (unsigned z = 0; z < in.depth(); z++) {
            sharpness.report(values[z]);
            post_message(gst_structure_new("tomo-sharpness", "index", G_TYPE_UINT64, frame_index(), "plane",
                                           G_TYPE_UINT, z, "metric", G_TYPE_STRING, metric.nick(),
                                           "sharpness", G_TYPE_DOUBLE, values[z], nullptr));
        }
        return in;
    }
};

} // namespace

TOMO_ELEMENT(MeasureSharpness)
