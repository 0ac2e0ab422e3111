// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/filter.hpp>
#include <gst/tomo/geometry/scan.hpp>

#include <cmath>

using namespace tomo;

namespace {

class Forwardproject final : public Filter {
  public:
    static constexpr Info info{
        .task = "forwardproject",
        .klass = "Filter/Effect",
        .blurb =
            "Projects slices to sinograms (columns x projections) of a parallel beam: line integrals, in "
            "values times pixels",
        .details =
            R"(Column c of projection i is the integral of the slice along bx cos t + by sin t = c + 1/2 - axis,
t = i angle-step, where pixel (x, y) has its centre at bx = x + 1/2 - axis, by = y + 1/2 - axis: the
geometry of `tomobackproject`. The slice is zero outside of its pixels. All of its pixels count, also those
outside of the circle that the detector covers in every view. Integrals are sums along the axis that is
closer to the ray, with linear interpolation along the other one (P. M. Joseph, IEEE Trans. Med. Imaging 1,
192 (1982)). A NaN reaches all rays that pass it or its neighbours.

The output's scan event has these angles and the axis.)",
        .example = "tomoread path=slice.tif ! tomoforwardproject number=180 axis-pos=128 ! tomowrite "
                   "filename=sinogram.h5:/sinogram",
    };

    Property<float> axis_pos{
        this,
        "axis-pos",
        -FLT_MAX,
        {-FLT_MAX, FLT_MAX},
        "Rotation axis in edge coordinates, in x and y; the lowest float: that of the scan, else the "
        "middle of the columns"};
    Property<double> angle_step{this,
                                "angle-step",
                                0.0,
                                {-4 * G_PI, 4 * G_PI},
                                "Radians between projections; 0: pi over their number"};
    Property<unsigned> number{this, "number", 256, {1, 32768}, When::reshapes, "Projections"};

    ArrayInfo shape(const ArrayInfo &in) override {
        rays_ = {};
        return in.with_format(GST_TOMO_FORMAT_FLOAT32)
            .with_size(in.width, number)
            .with_domain(GST_TOMO_DOMAIN_SINOGRAM);
    }

    void process(const Array &in, Array &out) override {
        if (!rays_ || step() != step_ || axis() != axis_) {
            make_rays();
            send_scan(scan());
            tell();
        }
        constexpr unsigned margins = 4;
        auto direct = allocate({GST_TOMO_FORMAT_FLOAT32, in.width() + margins, in.height(), in.depth()});
        auto turned = allocate({GST_TOMO_FORMAT_FLOAT32, in.height() + margins, in.width(), in.depth()});
        const cl_uint width = in.width(), height = in.height();
        launch(kernel("pad_slice"), WorkSize(direct.info()), in, direct, width, height);
        launch(kernel("turn_slice"), WorkSize(turned.info()), in, turned, width, height);
        // Neighbouring rays of a few views: they share what they read.
        launch(kernel("forwardproject"), WorkSize(out.info()).groups(32, 4), std::as_const(direct),
               std::as_const(turned), out, BareBuffer{rays_}, width, height, cl_uint{out.height()});
    }

    void stop() override {
        rays_ = {};
        scan_ = {};
    }

  protected:
    EventRef scan_event(EventRef event) override {
        scan_ = Scan(event.get());
        return scan();
    }

  private:
    // As in the kernel.
    struct Rays {
        cl_long start, per_column, per_line;
        cl_float weight;
        cl_uint is_turned;
    };

    double step() const { return angle_step != 0.0 ? angle_step.value() : G_PI / number; }

    double axis() const {
        const double axis = axis_pos != -FLT_MAX                 ? axis_pos.value()
                            : std::isfinite(scan_.axis_position) ? scan_.axis_position
                                                                 : input_info().width / 2.0;
        constexpr double far = 1e6;
        if (std::abs(axis) > far)
            throw Error(GST_LIBRARY_ERROR_SETTINGS,
                        text("axis-pos: the axis is at %g; wanted at most %g columns away", axis, far));
        return axis;
    }

    void tell() {
        const char *source = axis_pos != -FLT_MAX                 ? "property"
                             : std::isfinite(scan_.axis_position) ? "scan"
                                                                  : "assumed";
        const char *of_step = angle_step != 0.0 ? "property" : "assumed";
        report_effective(gst_structure_new(
            "tomo-effective", "axis", G_TYPE_DOUBLE, axis_, "axis-units", G_TYPE_STRING, "pixel",
            "axis-source", G_TYPE_STRING, source, "projections", G_TYPE_UINT, number.value(), "angle-first",
            G_TYPE_DOUBLE, 0.0, "angle-first-units", G_TYPE_STRING, "rad", "angle-step", G_TYPE_DOUBLE, step_,
            "angle-step-units", G_TYPE_STRING, "rad", "angle-source", G_TYPE_STRING, of_step, "text",
            G_TYPE_STRING,
            text("axis %.6g px (%s), %u projections from 0 by %.6g degrees (%s)", axis_, source,
                 number.value(), step_ * 180.0 / G_PI, of_step)
                .c_str(),
            nullptr));
    }

    EventRef scan() const {
        Scan scan = scan_;
        scan.forget_views();
        scan.forget_region_x();
        for (unsigned i = 0; i < number; i++)
            scan.angles.push_back(i * step());
        scan.axis_position = axis();
        return scan.to_event();
    }

    void make_rays() {
        axis_ = axis();
        step_ = step();
        std::vector<Rays> rays;
        for (unsigned i = 0; i < number; i++) {
            const double c = std::cos(i * step_), s = std::sin(i * step_), centre = 0.5 - axis_;
            // Along columns, y = (d - x cos) / sin; along rows, x = (d - y sin) / cos.
            const bool is_turned = std::abs(s) >= std::abs(c);
            const double along = is_turned ? s : c, other = is_turned ? c : s;
            auto fixed = [](double v) { return static_cast<cl_long>(std::llround(v * 0x1p32)); };
            rays.push_back({fixed(centre * (1.0 - other) / along - centre), fixed(1.0 / along),
                            fixed(-other / along), static_cast<cl_float>(1.0 / std::abs(along)), is_turned});
        }
        rays_ = upload(rays.data(), rays.size() * sizeof rays[0]);
    }

    Scan scan_;                      // of the slices
    double axis_ = 0.0, step_ = 0.0; // of rays_
    Array rays_;
};

} // namespace

TOMO_ELEMENT(Forwardproject)
