// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/operators/fourier-transforms.hpp>

#include <gst/tomo/bases/effective.hpp>
#include <gst/tomo/bases/filter.hpp>
#include <gst/tomo/geometry/parallel-beam.hpp>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

using namespace tomo;

namespace {

constexpr double pi = std::numbers::pi;

constexpr double slack = 1e-3; // of the kernel

// Of the kernel.
struct Line {
    cl_float at, share;
    cl_uint row;
    cl_int sense;
};

class DfiSinc final : public BatchFilter {
  public:
    static constexpr Info info{
        .task = "dfi-sinc",
        .klass = "Filter/Effect",
        .blurb =
            "Makes the two-dimensional spectrum of a slice from spectra of a sinogram's rows, by interpolation with a "
            "windowed sinc",
        .in = formats::complex64,
        .out = formats::complex64,
        .details =
            "By the Fourier slice theorem, F(r cos t, r sin t) is the spectrum of the row of angle t at frequency r. Each "
            "frequency of the slice is the mean of the L x L samples around it on the polar grid, weighted by w(dr) w(dt) "
            "with w(d) = sinc(d) (0.54 + 0.46 cos(2 pi d / L)) for |d| <= L / 2, in samples and in angular steps; "
            "L is `kernel-size`. Weights are divided by their sum. Frequencies of N / 2 samples and more are 0. No "
            "filter is needed: `tomozeropad ! tomofft ! tomodfisinc ! tomoswapquadrants ! tomoifft dimensions=2 ! "
            "tomoswapquadrants ! tomocrop` gives attenuation per pixel (Mersereau, Oppenheim, Proc. IEEE 62, 1319 "
            "(1974), doi 10.1109/PROC.1974.9625).\n"
            "\n"
            "The zero frequency is in the middle, where `tomoswapquadrants` takes it from. Phases move the axis, also by "
            "parts of a pixel, before the interpolation, and back to its place in both directions of the slice "
            "afterwards: the slice has it where the rows have it. The rows' first pixel has to lie near the axis, as "
            "by `tomozeropad`, which also tells where exactly the axis is (without that, it is the middle of the first "
            "pixel); what lies farther away is interpolated worse. "
            "Angles turn as in `tomobackproject`; they have to be even, in any range. Where lines are seen twice, both "
            "rows share their weight. A wedge that no row sees stays 0, with a warning.\n"
            "\n"
            "A sinogram with a sample that is not finite gives a slice of NaN. `tomodfi` is faster and more exact, and "
            "takes any angles and regions.",
        .example =
            "tomoread path=sinogram.tif ! tomozeropad center-of-rotation=131 ! tomofft ! tomodfisinc ! "
            "tomoswapquadrants ! tomoifft dimensions=2 ! tomoswapquadrants ! tomowrite filename=slice.tif",
    };

    Property<unsigned> kernel_size{this,    "kernel-size",  7,
                                   {1, 25}, When::reshapes, "Samples of the sinc in either direction, L"};
    Property<unsigned> number_presampled_values{
        this,           "number-presampled-values",
        2047,           {1, 16383},
        When::reshapes, "Values of the sinc in a table, an odd number; it is linear between them"};
    Property<int> roi_size{
        this,
        "roi-size",
        Automatic{0, {{-1, 0}}},
        {-1, G_MAXINT},
        When::reshapes,
        "Frequencies kept, as the diameter of a circle around zero, at most as many as a row has samples; 0: all"};
    Property<double> angle_step{
        this,
        "angle-step",
        Automatic{-1, {{0, 0}}},
        {-4 * pi, 4 * pi},
        When::reshapes,
        "Radians between rows, negative for the other sense; 0 or -1: the scan's angles, else pi over the number of "
        "rows"};

    ArrayInfo shape(const ArrayInfo &in) override {
        const auto out =
            resized(in, in.width, in.width, in.depth, text("spectra of rows of %u samples", in.width))
                .with_domain(GST_TOMO_DOMAIN_SPECTRUM);
        if (number_presampled_values % 2 == 0)
            throw Error(
                GST_LIBRARY_ERROR_SETTINGS,
                text("number-presampled-values=%u came; wanted an odd number, so that one of them is the "
                     "sinc's middle",
                     number_presampled_values.value()));
        if (const auto size = roi_size.chosen(); size && static_cast<unsigned>(*size) > in.width)
            throw Error(
                GST_LIBRARY_ERROR_SETTINGS,
                text("roi-size=%d came for rows of %u samples; wanted no more than these", *size, in.width));
        plan_is_made_ = false;
        table_ = table();
        return out;
    }

    void process(const Array &in, Array &out) override {
        // The angles that belong to the first array may come behind its shape.
        if (!std::exchange(plan_is_made_, true))
            plan(in.info());
        launch(kernel("dfi_sinc"), WorkSize(in.width(), in.width() / 2 + 1, in.depth()), in, out,
               BareBuffer{*lines_}, line_count_, BareBuffer{*first_}, BareBuffer{*table_},
               cl_uint{number_presampled_values / 2 + 1}, BareBuffer{*phases_}, middle_, cl_int(in.width()),
               cl_int(in.height()), half_length(), steps_per_radian_,
               cl_float(0.5f * static_cast<float>(roi_size.chosen().value_or(int(in.width())))));
    }

    void stop() override {
        scan_ = {};
        warned_.clear();
    }

  protected:
    unsigned batch_that_pays(const ArrayInfo &in) override { return fourier::batch_that_pays(*device(), in); }

    EventRef scan_event(EventRef event) override {
        scan_ = Scan(event.get());
        scan_.rows_are_views(input_info().with_domain(GST_TOMO_DOMAIN_UNKNOWN));
        plan_is_made_ = false;
        auto behind = scan_;
        behind.axis_position = std::nan("");
        behind.forget_views();
        behind.forget_region_x();
        behind.forget_region_y();
        return behind.to_event();
    }

  private:
    cl_float half_length() const { return 0.5f * static_cast<float>(kernel_size.value()); }

    // The windowed sinc over 0 .. L / 2.
    Array table() {
        const unsigned last = number_presampled_values / 2;
        std::vector<float> values;
        for (unsigned i = 0; i <= last; i++) {
            const double share = last ? static_cast<double>(i) / last : 0.0, d = pi * share * half_length();
            values.push_back(static_cast<float>((d == 0.0 ? 1.0 : std::sin(d) / d) *
                                                (0.54 + 0.46 * std::cos(pi * share))));
        }
        return upload(values);
    }

    void plan(const ArrayInfo &in) {
        const auto views = resolve_views({angle_step.chosen(), 0.0, {}, 0}, scan_, in.height);
        const auto even = views.scan.even_step();
        if (views.angles.size() > 1 && !(even && std::abs(*even) < 1.001 * pi / 2))
            throw Error(
                GST_STREAM_ERROR_FORMAT,
                text("interpolates between angles with one step of up to a quarter turn, but got %s: use "
                     "tomodfi, which takes any, or set angle-step",
                     views.scan.sentence.c_str()));
        const double step = even ? std::abs(*even) : pi;
        tell(views);
        make_lines(views, step);
        make_phases(in.width);
    }

    void make_lines(const ParallelViews &views, double step) {
        const double turn = pi / step, reach = half_length() + slack;
        std::vector<Line> folded, lines;
        for (std::size_t i = 0; i < views.angles.size(); i++) {
            const double half_turns = std::floor(views.angles[i] / pi);
            folded.push_back({static_cast<cl_float>((views.angles[i] - half_turns * pi) / step),
                              static_cast<cl_float>(views.weights[i] / step), static_cast<cl_uint>(i),
                              std::remainder(half_turns, 2.0) == 0.0 ? 1 : -1});
        }
        std::sort(folded.begin(), folded.end(), [](const Line &a, const Line &b) { return a.at < b.at; });
        const int around = static_cast<int>(std::ceil(reach / turn));
        for (int k = -around; k <= around; k++)
            for (const auto &line : folded) {
                const double at = line.at + k * turn;
                if (at >= -reach && at <= turn + reach)
                    lines.push_back(
                        {static_cast<cl_float>(at), line.share, line.row, k % 2 ? -line.sense : line.sense});
            }
        std::vector<cl_uint> first;
        for (unsigned whole = 0; whole <= static_cast<unsigned>(turn) + 1; whole++)
            first.push_back(static_cast<cl_uint>(
                std::partition_point(lines.begin(), lines.end(),
                                     [&](const Line &line) { return line.at < whole - reach; }) -
                lines.begin()));
        line_count_ = static_cast<cl_uint>(lines.size());
        lines_ = upload(lines.data(), lines.size() * sizeof(Line));
        first_ = upload(first.data(), first.size() * sizeof(cl_uint));
        steps_per_radian_ = static_cast<cl_float>(1.0 / step);
    }

    void make_phases(unsigned width) {
        const double shift = std::isfinite(scan_.axis_position) ? scan_.axis_position - 0.5 : 0.0;
        middle_ = static_cast<cl_int>(width / 2 + kernel_size + 1);
        std::vector<float> phases;
        for (int k = -middle_; k <= middle_; k++) {
            const double angle = 2 * pi * std::remainder(k * shift / width, 1.0);
            phases.push_back(static_cast<float>(std::cos(angle)));
            phases.push_back(static_cast<float>(std::sin(angle)));
        }
        phases_ = upload(phases);
    }

    void tell(const ParallelViews &views) {
        report_effective(
            EffectiveValues().add(views.scan).add("angle-covered", views.covered, "rad", views.scan.origin));
        std::string warning = views.warning;
        if (views.scan.is_part)
            warning += (warning.empty() ? "" : ". And ") + views.scan.assumption;
        if (!warning.empty() && std::exchange(warned_, warning) != warning)
            warn(warning);
    }

    Scan scan_;
    std::string warned_;
    bool plan_is_made_ = false;
    UntilStop<Array> lines_{this}, first_{this}, table_{this}, phases_{this};
    cl_uint line_count_ = 0;
    cl_int middle_ = 0;
    cl_float steps_per_radian_ = 0.0f;
};

} // namespace

TOMO_ELEMENT(DfiSinc)
