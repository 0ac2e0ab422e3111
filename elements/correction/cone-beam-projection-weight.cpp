// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/effective.hpp>
#include <gst/tomo/bases/filter.hpp>
#include <gst/tomo/geometry/cone-beam.hpp>

#include <cmath>

using namespace tomo;

namespace {

class ConeBeamProjectionWeight final : public Filter {
    using List = Property<std::vector<double>>;

  public:
    static constexpr Info info{
        .task = "cone-beam-projection-weight",
        .klass = "Filter/Effect",
        .blurb =
            "Weights projections by the obliquity of their rays, before the filter of a cone-beam reconstruction",
        .details =
            "A pixel is multiplied by S cos(a) / sqrt(D^2 + x^2 + y^2), with x = (column + 1/2 - "
            "center-position-x) / M, y likewise from the row, the magnification M = (S + d) / S, the "
            "source distance S, the detector distance d and the tilt a. D = S where the axis is not "
            "tilted (cos(a) > 0.9999999), which is the weight of Feldkamp, Davis and Kress, J. Opt. Soc. "
            "Am. A 1, 612 (1984); with a tilt D = S + d, as in UFO, whose reconstruction scales "
            "differently in the two cases. Each list holds one value, or one for each projection; every "
            "plane of an array is a projection.",
        .example = "tomoread path=projection.tif ! tomoconebeamprojectionweight source-distance='<2000.0>' "
                   "detector-distance='<500.0>' ! tomowrite filename=weighted.tif",
    };

    List center_x{this, "center-position-x",
                  "Column of the axis, in pixels from the left edge; empty: the middle"};
    List center_z{this, "center-position-z",
                  "Row of the beam, in pixels from the top edge; empty: the middle"};
    Property<unsigned> first_row{
        this, "first-row", 0,
        "Rows of the detector before the first one that projections have; center-position-z counts from the first one of the "
        "detector, whose number is then to be given"};
    List source{this, "source-distance", "From the source to the axis, in pixels"};
    List detector{this, "detector-distance", "From the axis to the detector, in pixels"};
    List tilt{this, "axis-angle-x", "Tilt of the axis along the beam, in radians; empty: 0"};

    ArrayInfo shape(const ArrayInfo &in) override {
        kernel("weight_projection");
        return Filter::shape(in);
    }

    void process(const Array &in, Array &out) override {
        const ConeBeam beam{of(center_x), of(center_z), of(source), of(detector), of(tilt)};
        for (unsigned z = 0; z < in.depth(); z++) {
            const auto index = frame_index() * in.depth() + z;
            const auto view = beam.view(index, in.width(), in.height() + first_row);
            if (index == 0)
                tell(beam, view);
            const double s = view.source_distance, cosine = std::cos(view.tilt);
            auto plane = out.plane(z);
            launch(kernel("weight_projection"), WorkSize(plane.info()), in.plane(z), ReadWrite{plane},
                   cl_float(view.centre_x), cl_float(view.centre_z), cl_float(s * cosine),
                   cl_float(cosine > 0.9999999 ? s : s + view.detector_distance),
                   cl_float(1.0 / view.magnification()), cl_uint{first_row});
        }
    }

  private:
    static PerView of(const List &list) { return {list.name(), list.value()}; }

    void tell(const ConeBeam &beam, const ConeView &view) {
        report_effective(EffectiveValues()
                             .add(center_x.name(), view.centre_x, "pixel", beam.origin(beam.centre_x))
                             .add(center_z.name(), view.centre_z, "pixel", beam.origin(beam.centre_z)));
        if (const auto assumption = beam.assumption(view); !assumption.empty())
            inform(assumption);
    }
};

} // namespace

TOMO_ELEMENT(ConeBeamProjectionWeight)
