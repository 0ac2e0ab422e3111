// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/filter.hpp>

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
    List source{this, "source-distance", "From the source to the axis, in pixels"};
    List detector{this, "detector-distance", "From the axis to the detector, in pixels"};
    List tilt{this, "axis-angle-x", "Tilt of the axis along the beam, in radians; empty: 0"};

    ArrayInfo shape(const ArrayInfo &in) override {
        kernel("weight_projection");
        return Filter::shape(in);
    }

    void process(const Array &in, Array &out) override {
        for (unsigned z = 0; z < in.depth(); z++) {
            const auto index = frame_index() * in.depth() + z;
            const double s = positive(source, index), d = at(detector, index, std::nan(""));
            if (!(s + d > 0.0) || std::isinf(d))
                throw Error(GST_LIBRARY_ERROR_SETTINGS,
                            text("detector-distance is %g for projection %" G_GUINT64_FORMAT
                                 "; wanted pixels, with the detector behind the source",
                                 d, index));
            const double cosine = std::cos(at(tilt, index, 0.0));
            const cl_float x = at(center_x, index, in.width() / 2.0),
                           y = at(center_z, index, in.height() / 2.0);
            if (index == 0)
                tell(x, y);
            auto plane = out.plane(z);
            launch(kernel("weight_projection"), WorkSize(plane.info()), in.plane(z), ReadWrite{plane}, x, y,
                   cl_float(s * cosine), cl_float(cosine > 0.9999999 ? s : s + d), cl_float(s / (s + d)));
        }
    }

  private:
    void tell(double x, double z) {
        auto source = [](const List &list) { return list.value().empty() ? "assumed" : "property"; };
        report_effective(gst_structure_new(
            "tomo-effective", "center-position-x", G_TYPE_DOUBLE, x, "center-position-x-units", G_TYPE_STRING,
            "pixel", "center-position-x-source", G_TYPE_STRING, source(center_x), "center-position-z",
            G_TYPE_DOUBLE, z, "center-position-z-units", G_TYPE_STRING, "pixel", "center-position-z-source",
            G_TYPE_STRING, source(center_z), nullptr));
        if (center_x.value().empty() || center_z.value().empty())
            inform(
                text("the beam's middle was taken at column %g (%s) and row %g (%s); set center-position-x "
                     "and center-position-z",
                     x, source(center_x), z, source(center_z)));
    }

    static double at(const List &list, std::uint64_t index, double missing) {
        const auto values = list.value();
        if (values.empty() && !std::isnan(missing))
            return missing;
        if (values.size() != 1 && index >= values.size())
            throw Error(GST_LIBRARY_ERROR_SETTINGS,
                        text("%s has %zu values, but projection %" G_GUINT64_FORMAT
                             " came, counted from 0; wanted one value, or one for each projection",
                             list.name(), values.size(), index));
        return values.size() == 1 ? values[0] : values[index];
    }

    static double positive(const List &list, std::uint64_t index) {
        const double value = at(list, index, std::nan(""));
        if (!(value > 0.0) || std::isinf(value))
            throw Error(GST_LIBRARY_ERROR_SETTINGS,
                        text("%s is %g for projection %" G_GUINT64_FORMAT "; wanted more than 0 pixels",
                             list.name(), value, index));
        return value;
    }
};

} // namespace

TOMO_ELEMENT(ConeBeamProjectionWeight)
