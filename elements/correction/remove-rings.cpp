// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/filter.hpp>

#include <algorithm>
#include <cmath>

using namespace tomo;

namespace {

class RemoveRings final : public Filter {
  public:
    static constexpr Info info{
        .task = "remove-rings",
        .klass = "Filter/Effect",
        .blurb =
            "Removes rings from slices: in polar coordinates about the axis, what stands out from medians along "
            "the radius and is the same along the arc",
        .details =
            R"(The slice in polar coordinates about the centre, limited to `minimum` and `maximum`, less its medians along the radius
over 2 `width` + 1 pixels; where that is larger than `threshold` it is no ring and counts as 0; the mean along the arc over
`arc` degrees is the ring there, and is subtracted from the slice. After J. Sijbers and A. Postnov, Reduction of ring artefacts
in high resolution micro-CT reconstructions, Physics in Medicine and Biology 49 (2004) N247, doi 10.1088/0031-9155/49/14/N06,
in the manner of TomoPy's remove_ring: its rwidth, thresh, thresh_max, thresh_min and theta_min are `width`, `threshold`,
`maximum`, `minimum` and `arc`. TomoPy's thresholds are for grey values like CT numbers; here no threshold is set by default.

Places are in edge coordinates, where pixel k spans k to k + 1. There are R radii r + 1/2, as many as lie within the slice, and
2 round(pi R) angles, sampled linearly both ways. Lines along the radius go on across the centre, and at their outer end as
their mirror image. The slice stays as it is beyond R - 1/2, where samples are not finite, and where any in the median's
window is not.

Rings are removed best from sinograms, before the reconstruction. This is for slices whose sinograms are gone.)",
        .example = "tomoread path=slice.tif ! tomoremoverings width=9 arc=30 ! tomowrite filename=clean.tif",
    };

    Property<double> center_x{
        this,        "center-x",     Automatic{-1.0},
        {-1.0, 1e6}, When::reshapes, "Centre of the rings, from the left edge; -1: the middle"};
    Property<double> center_y{
        this,        "center-y",     Automatic{-1.0},
        {-1.0, 1e6}, When::reshapes, "Centre of the rings, from the upper edge; -1: the middle"};
    Property<unsigned> width{this,     "width",        30,
                             {1, 200}, When::reshapes, "Widest rings that are removed, in pixels"};
    Property<float> threshold{this,
                              "threshold",
                              FLT_MAX,
                              {0.0f, FLT_MAX},
                              "Larger differences to the median are structures of the object"};
    Property<float> minimum{
        this,           "minimum",
        -FLT_MAX,       {-FLT_MAX, FLT_MAX},
        When::reshapes, "Smaller values count as this, so that dark structures make no rings"};
    Property<float> maximum{
        this,           "maximum",
        FLT_MAX,        {-FLT_MAX, FLT_MAX},
        When::reshapes, "Larger values count as this, so that bright structures make no rings"};
    Property<float> arc{this, "arc", 30.0f, {0.0f, 360.0f}, "Shortest rings that are removed, in degrees"};

    ArrayInfo shape(const ArrayInfo &in) override {
        x_ = center_x.chosen().value_or(0.5 * in.width);
        y_ = center_y.chosen().value_or(0.5 * in.height);
        const double radius = std::floor(std::min({x_, y_, in.width - x_, in.height - y_}));
        if (radius < 0.0)
            throw Error(GST_LIBRARY_ERROR_SETTINGS,
                        text("the centre (%g, %g) lies outside of slices of %u x %u; wanted center-x and "
                             "center-y in edge coordinates of the slice",
                             x_, y_, in.width, in.height));
        if (minimum > maximum)
            throw Error(GST_LIBRARY_ERROR_SETTINGS,
                        text("minimum=%g is above maximum=%g", double{minimum}, double{maximum}));
        radii_ = static_cast<unsigned>(std::max(radius, 1.0));
        angles_ = 2 * static_cast<unsigned>(std::lround(M_PI * radii_));
        kernel("rings_polar", options());
        return Filter::shape(in);
    }

    // Plane by plane, as the polar images are larger than the slices.
    void process(const Array &in, Array &out) override {
        auto polar = allocate({GST_TOMO_FORMAT_FLOAT32, radii_, angles_});
        auto rings = allocate(polar.info());
        for (unsigned z = 0; z < in.depth(); z++) {
            auto clean = out.plane(z);
            remove(in.plane(z), polar, rings, clean);
        }
    }

  private:
    static constexpr unsigned length = 128; // radii of a work-item that sorts
    static constexpr unsigned run = 64;     // the kernels' RUN

    void remove(const Array &in, Array &polar, Array &rings, Array &out) {
        const auto x = static_cast<float>(x_), y = static_cast<float>(y_);
        launch(kernel("rings_polar", options()), WorkSize(radii_, angles_), in, polar, cl_int(in.width()),
               cl_int(in.height()), x, y, minimum.value(), maximum.value());
        launch(kernel("rings_stand_out", options()), WorkSize((radii_ + length - 1) / length, angles_),
               std::as_const(polar), rings, cl_int(radii_), cl_uint{angles_}, threshold.value());
        const auto reach = static_cast<cl_int>(std::min(double{arc} / 720.0 * angles_, angles_ / 2 - 1.0));
        launch(kernel("rings_average", options()), WorkSize(radii_, (angles_ + run - 1) / run),
               std::as_const(rings), polar, cl_int(angles_), reach);
        launch(kernel("rings_subtract", options()), WorkSize(out.info()), in, std::as_const(polar), out,
               cl_int(radii_), cl_int(angles_), x, y);
    }

    std::string options() const {
        return text("-D WIDTH=%u -D LENGTH=%u -D INTERPOLATION=1 -D ADDRESSING=2", width.value(), length);
    }

    double x_ = 0.0, y_ = 0.0; // the centre
    unsigned radii_ = 1, angles_ = 1;
};

} // namespace

TOMO_ELEMENT(RemoveRings)
