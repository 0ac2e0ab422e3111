// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/addressing.hpp>
#include <gst/tomo/bases/filter.hpp>
#include <gst/tomo/bases/interpolation.hpp>
#include <gst/tomo/geometry/scan.hpp>

#include <algorithm>
#include <cmath>

using namespace tomo;

namespace {

class Rotate final : public Filter {
  public:
    static constexpr Info info{
        .task = "rotate",
        .klass = "Filter/Effect",
        .blurb = "Rotates each plane clockwise",
        .details =
            R"(Output pixel (i, j), with its centre at d = (i + 1/2, j + 1/2) - c', is the input at c + (d_x cos
a + d_y sin a, d_y cos a - d_x sin a) in edge coordinates, where pixel k spans k to k + 1; c is the centre
and c' the same place in the output. Without `reshape` c' = c; with it the output is just large enough for
the rotated image, which lies in its middle for every centre. The axis of a scan at x becomes c'_x + (x
- c_x) cos a, which is where a tilted axis stands that the rotation sets upright; it is unknown where the
  image turns by more than 45 degrees to its side. Rows of rotated sinograms have no angles.)",
        .example =
            "tomoread path=slice.tif ! tomorotate angle=0.5 reshape=true ! tomowrite filename=rotated.tif",
    };

    Property<float> angle{this, "angle", 0.0f, "Radians, clockwise as the image is shown, rows downwards"};
    Property<bool> reshape_output{this, "reshape", false, When::reshapes,
                                  "Give all of the rotated image, in an output of another size"};
    Property<std::vector<double>> center{
        this, "center", When::reshapes,
        "Column and row that stay where they are, in edge coordinates; none: W / 2 and H / 2"};
    AddressingMode addressing_mode{this, Addressing::clamp, "Zero; nothing is undefined"};
    InterpolationMode interpolation{this, Interpolation::cubic};

    void property_changed(PropertyBase *property) override {
        if (property == &angle)
            reshape();
        Filter::property_changed(property);
    }

    ArrayInfo shape(const ArrayInfo &in) override {
        const auto given = center.value();
        if (!given.empty() && given.size() != 2)
            throw Error(GST_LIBRARY_ERROR_SETTINGS,
                        text("center has %zu numbers; wanted column and row", given.size()));
        x_.from = x_.to = given.empty() ? in.width / 2.0 : given[0];
        y_.from = y_.to = given.empty() ? in.height / 2.0 : given[1];
        cos_ = std::cos(double{angle});
        sin_ = std::sin(double{angle});
        auto out = in.with_format(GST_TOMO_FORMAT_FLOAT32);
        if (reshape_output) {
            const Span across{-x_.from, in.width - x_.from}, down{-y_.from, in.height - y_.from};
            const auto width = surround(x_, across, cos_, down, -sin_);
            out = out.with_size(width, surround(y_, across, sin_, down, cos_));
        }
        columns_ = table(out.width, x_, cos_, -sin_, x_.from - 0.5, y_.from - 0.5);
        rows_ = table(out.height, y_, sin_, cos_, 0.0, 0.0);
        rotated();
        return out;
    }

    void process(const Array &in, Array &out) override {
        launch(rotated(), WorkSize(out.info()), in, out, BareBuffer{*columns_}, BareBuffer{*rows_},
               cl_int(in.width()), cl_int(in.height()));
    }

  protected:
    EventRef scan_event(EventRef event) override {
        const auto domain = input_info().domain;
        const bool has_columns = has_detector_columns(input_info());
        if (angle == 0.0f || !(has_columns || domain == GST_TOMO_DOMAIN_SLICE))
            return event;
        Scan scan(event.get());
        const bool is_upright = std::abs(cos_) >= std::sqrt(0.5);
        if (has_columns)
            scan.axis_position = is_upright ? x_.to + (scan.axis_position - x_.from) * cos_ : std::nan("");
        scan.forget_region_x();
        scan.forget_rows(domain);
        return scan.to_event();
    }

  private:
    // The centre along an axis, in the input and in the output.
    struct Centre {
        double from = 0.0, to = 0.0;
    };
    // The input along an axis, seen from the centre.
    struct Span {
        double first, last;
        double least(double factor) const { return std::min(factor * first, factor * last); }
        double most(double factor) const { return std::max(factor * first, factor * last); }
    };

    Kernel rotated() { return kernel("rotate_plane", addressing_mode.option() + interpolation.option()); }

    // Pixels along an axis of the output that hold all of the rotated image, in their middle.
    static unsigned surround(Centre &centre, const Span &across, double a, const Span &down, double b) {
        constexpr double rounding = 1e-4; // of angles in float32, in images of thousands of pixels
        const double first = across.least(a) + down.least(b), last = across.most(a) + down.most(b);
        const double size = std::clamp(std::ceil(last - first - rounding), 1.0, double{G_MAXINT});
        centre.to = (size - first - last) / 2;
        return static_cast<unsigned>(size);
    }

    // Where in the input, between pixel centres; what a column and what a row of the output add. As in the
    // kernel.
    struct Place {
        cl_int x, y;
        cl_float x_fraction, y_fraction;
    };

    Array table(unsigned size, const Centre &centre, double x_step, double y_step, double x0, double y0) {
        std::vector<Place> places(size);
        // A sum of two of them is still an int.
        const auto part = [](double v, cl_int &whole, cl_float &fraction) {
            const double place = std::clamp(v, -0x1p29, 0x1p29), below = std::floor(place);
            whole = static_cast<cl_int>(below);
            fraction = static_cast<cl_float>(place - below);
        };
        for (unsigned k = 0; k < size; k++) {
            const double d = k + 0.5 - centre.to;
            part(d * x_step + x0, places[k].x, places[k].x_fraction);
            part(d * y_step + y0, places[k].y, places[k].y_fraction);
        }
        return upload(places.data(), places.size() * sizeof places[0]);
    }

    Centre x_, y_;
    double cos_ = 1.0, sin_ = 0.0;
    UntilStop<Array> columns_{this};
    UntilStop<Array> rows_{this};
};

} // namespace

TOMO_ELEMENT(Rotate)
