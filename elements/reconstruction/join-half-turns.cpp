// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/effective.hpp>
#include <gst/tomo/bases/filter.hpp>
#include <gst/tomo/bases/interpolation.hpp>
#include <gst/tomo/geometry/half-turns.hpp>
#include <gst/tomo/geometry/view-angles.hpp>

#include <cmath>
#include <utility>

using namespace tomo;

namespace {

class JoinHalfTurns final : public Filter {
  public:
    static constexpr Info info{
        .task = "join-half-turns",
        .klass = "Filter/Effect",
        .blurb =
            "Widens sinograms of a whole turn about an axis near one edge of the detector (half acquisition, "
            "extended field of view)",
        .details =
            "In view t, column x of the detector sees the line at distance s = x - a of the axis a. The view at t + pi "
            "sees it at -s, so that both half turns together see all s from -m to m, with m = max(a, W - a). Rows behind "
            "have the ceil(2 m) columns that these take. In the overlap, |s| <= min(a, W - a), both halves see the "
            "sample, and one gives way to the other linearly: the weights of s and -s add up to 1. (N. T. Vo, R. C. "
            "Atwood, M. Drakopoulos, M. Connolley, Data processing methods and instrumentation for 4D/parallel-beam "
            "tomography, Optics Express 29 (2021) 17849, doi 10.1364/OE.418448.)\n"
            "\n"
            "`method=join` gives a sinogram of half a turn, for every method of reconstruction: each view of the first "
            "half turn has its own pixels where they are, and those of the view that looks against it mirrored at the "
            "axis. That view lies between two pixels unless 2 a is a whole number, and between two views if their number "
            "is odd; so half of the field gets as blurred as `interpolation` makes it.\n"
            "\n"
            "`method=weigh` is for filtered backprojection, which is linear in the rows: all views stay, with their own "
            "pixels times their weight and zeros on the other side of the axis, and no value is interpolated. In a head "
            "of 300 columns with a quarter of a pixel between both halves, slices differ from the truth by 0.056 of the "
            "skull (root mean square), as much as from a detector of the whole width; joined by linear "
            "interpolation it is 0.061, by cubic 0.059. But twice as many views are backprojected. `method=auto` joins "
            "where the halves meet pixel by pixel and view by view, which gives the same slices as weighing in half the "
            "time, and weighs otherwise.\n"
            "\n"
            "Views may be in any order and at uneven angles, or make several turns; a last view that repeats the first "
            "one counts once. Where they cover no whole turn that is an error, and so is an axis outside of the detector, "
            "since nobody saw the middle of the sample then. Put the element behind the logarithm and in front of "
            "`tomorampfilter`, which needs the whole width of rows. The scan event has axis, columns and angles of the "
            "output; `tomo-effective` tells `method`, `overlap`, `columns` and `first-column`.",
        .example =
            "tomoread path=half.h5:/sinograms ! tomojoinhalfturns axis-pos=131 angle-step=0.0174532925199433 ! "
            "tomorampfilter ! tomobackproject ! tomowrite filename=wide.h5:/slices",
    };

    Property<double> axis_pos{
        this,
        "axis-pos",
        Automatic{-1},
        {-1.0, 32768.0},
        When::reshapes,
        "Rotation axis in edge coordinates (the middle of W columns is W / 2); -1: that of "
        "the scan, else the middle"};
    Property<double> angle_step{
        this,           "angle-step",
        Automatic{0},   {-G_MAXDOUBLE, G_MAXDOUBLE},
        When::reshapes, "Radians between projections, negative for the other sense; 0: the scan's angles"};
    Choice<HalfTurnMethod> method{
        this,
        "method",
        HalfTurnMethod::join,
        {{HalfTurnMethod::automatic, "auto", "Joins where nothing is interpolated, else weighs"},
         {HalfTurnMethod::join, "join",
          "Half of the views, each with the mirrored one that looks against it"},
         {HalfTurnMethod::weigh, "weigh", "All views, weighted, for filtered backprojection"}},
        When::reshapes,
        "How rows of both half turns become one"};
    InterpolationMode interpolation{this, Interpolation::cubic};

    ArrayInfo shape(const ArrayInfo &in) override {
        if (in.domain == GST_TOMO_DOMAIN_PROJECTION)
            throw Error(GST_STREAM_ERROR_FORMAT,
                        text("got projections (%s), but joins rows of sinograms: put "
                             "tomotransposeprojections before, which makes these",
                             in.describe().c_str()));
        const auto axis = resolve_axis(axis_pos.chosen(), axis_pos.name(), scan_, in.width);
        axis.check();
        const bool wanders = has_begun_ && std::abs(axis.position - laid_out_at_) <= most_wandering;
        const auto field = extended_field(axis.position, in.width);
        if (wanders) {
            field_.overlap = field.overlap;
        } else {
            field_ = field;
            laid_out_at_ = axis.position;
        }
        const auto views = resolve_angles(angle_step.chosen(), scan_, in.height);
        turns_ = half_turns(views.angles, axis, wanders ? method_ : method.value());
        method_ = turns_.is_joined ? HalfTurnMethod::join : HalfTurnMethod::weigh;
        axis_ = axis.position;
        rows_ = upload(turns_.rows.data(), turns_.rows.size() * sizeof turns_.rows[0]);
        tell(axis, views);
        half_turn_kernel();
        return in.with_format(GST_TOMO_FORMAT_FLOAT32)
            .with_size(field_.columns, static_cast<unsigned>(turns_.rows.size()));
    }

    void process(const Array &in, Array &out) override {
        has_begun_ = true;
        const double axis = axis_ + field_.left, mirror = 2.0 * axis_ + field_.left - 1.0;
        const auto whole = [](double value) { return cl_int(std::floor(value)); };
        const auto fraction = [](double value) { return float(value - std::floor(value)); };
        const float slope = float((field_.ends_at_right ? 0.5 : -0.5) / field_.half_transition());
        Launch launch(*this, half_turn_kernel());
        launch.add(in);
        launch.add(out);
        launch.add(BareBuffer{*rows_});
        for (const cl_int number :
             {cl_int(in.width()), cl_int(in.height()), cl_int(field_.left), whole(axis)})
            launch.add(number);
        launch.add(fraction(axis));
        launch.add(slope);
        if (turns_.is_joined) {
            launch.add(whole(mirror));
            launch.add(fraction(mirror));
        }
        launch.run(WorkSize(out.info()));
    }

    void stop() override {
        scan_ = {};
        scan_event_ = {};
        is_laid_out_ = has_begun_ = false;
        warning_.clear();
        assumed_.clear();
    }

  protected:
    // Axis and angles come behind the caps. What does not fit before they are there may fit then.
    void begin(const ArrayInfo &in) override {
        is_laid_out_ = has_begun_ = false;
        if (scan_event_)
            lay_out_if_possible(in);
    }

    GstFlowReturn take(GstBuffer *buffer) override {
        if (!is_laid_out_) {
            lay_out(input_info());
            send_scan(scan_behind());
        }
        return Filter::take(buffer);
    }

    EventRef scan_event(EventRef event) override {
        const Scan scan(event.get());
        const bool is_other = scan.angles != scan_.angles ||
                              !(scan.axis_position == scan_.axis_position ||
                                (std::isnan(scan.axis_position) && std::isnan(scan_.axis_position)));
        scan_event_ = event;
        scan_ = scan;
        scan_.rows_are_views(input_info());
        if (is_other || !is_laid_out_)
            lay_out_if_possible(input_info());
        return is_laid_out_ ? scan_behind() : EventRef();
    }

  private:
    static constexpr double most_wandering = 1.0; // pixels, of an axis that is found for each sinogram

    Kernel half_turn_kernel() {
        return kernel(turns_.is_joined ? "join_half_turns" : "weigh_half_turns", interpolation.option());
    }

    void lay_out(const ArrayInfo &in) {
        Filter::begin(in);
        is_laid_out_ = true;
    }

    void lay_out_if_possible(const ArrayInfo &in) {
        try {
            lay_out(in);
        } catch (const Error &) {
            is_laid_out_ = false; // take() says it again
        }
    }

    EventRef scan_behind() const {
        Scan scan = scan_event_ ? Scan(scan_event_.get()) : Scan();
        const unsigned views = input_info().height;
        for (auto *list : scan.view_lists())
            if (list->size() == views) {
                const auto all = std::exchange(*list, {});
                for (const auto &row : turns_.rows)
                    list->push_back(all[row.own]);
            }
        scan.angles = turns_.angles;
        scan.axis_position = axis_ + field_.left;
        scan.region_x -= field_.left * scan.binning_x;
        return scan.to_event();
    }

    void tell(const Axis &axis, const ViewAngles &views) {
        report_effective(EffectiveValues()
                             .add(axis)
                             .add(views)
                             .add("method", turns_.is_joined ? "join" : "weigh")
                             .add("overlap", field_.overlap, "pixel")
                             .add("columns", field_.columns)
                             .add("first-column", field_.left));
        const auto tell_once = [this](std::string &told, const std::string &now) {
            if (std::exchange(told, now) != now && !now.empty())
                warn(now);
        };
        tell_once(assumed_, axis.assumption());
        tell_once(warning_, turns_.warning());
    }

    Scan scan_;
    EventRef scan_event_; // as it came
    ExtendedField field_;
    HalfTurns turns_;
    HalfTurnMethod method_ = HalfTurnMethod::join; // that is in force
    double axis_ = 0.0, laid_out_at_ = 0.0;
    UntilStop<Array> rows_{this};
    bool is_laid_out_ = false, has_begun_ = false;
    std::string assumed_, warning_; // told to people
};

} // namespace

TOMO_ELEMENT(JoinHalfTurns)
