// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/operators/parallel-backprojector.hpp>
#include <gst/tomo/bases/effective.hpp>
#include <gst/tomo/bases/filter.hpp>
#include <gst/tomo/geometry/degrees.hpp>
#include <gst/tomo/geometry/parallel-beam.hpp>
#include <gst/tomo/geometry/slice-region.hpp>

#include <optional>

using namespace tomo;

namespace {

class Backproject final : public BatchFilter {
  public:
    static constexpr Info info{
        .task = "backproject",
        .klass = "Filter/Effect",
        .blurb = "Backprojects filtered sinograms (columns x projections) of a parallel beam to slices, in "
                 "attenuation per pixel",
        .details =
            "Slice pixel (i, j) is the weighted sum over all rows of the sinogram, sampled linearly at h "
            "= a + bx cos t + by sin t, bx = i + roi-x - a + 1/2, by = j + roi-y - a + 1/2, with axis a "
            "and angle t; the detector is continued by zeros. A row's weight is the part of the half "
            "circle that it measures, so that scans over 180, 200 or 360 degrees and with uneven steps "
            "give attenuation per pixel (Kak, Slaney, 1988, section 3.3). With `slice-axis-pos` c the axis "
            "lies at c in the slice instead: bx = i + roi-x - c + 1/2, by = j + roi-y - c + 1/2, so that "
            "slices of scans with different axes lie on one another. The input has to be filtered, "
            "as by `tomorampfilter`. One slice per sinogram.\n"
            "\n"
            "Which axis and angles are used, and where they come from, is told once by an element message "
            "`tomo-effective`, and again when they change: `axis`, `projections`, `angle-first`, "
            "`angle-last`, `angle-step`, `angle-covered`. An axis that neither the property nor the scan "
            "gives is assumed to be the middle of the columns, and a warning says so. Without angles the "
            "projections of the scan are taken for half a turn all together, also where a part of them "
            "comes. Angles that leave out a wedge, or are few directions again and again, are a warning; "
            "projections that all look in one direction are an error. The scan event behind has the axis "
            "that was used.",
        .example =
            "tomoread path='sinograms/*.tif' ! tomorampfilter ! tomobackproject axis-pos=131 ! tomowrite "
            "filename=slices.h5:/slices",
    };

    Property<unsigned> num_projections{
        this,
        "num-projections",
        Automatic{0},
        {0, 32768},
        "Projections of the whole scan, if a sinogram holds a part of them; 0: up to the sinogram's last"};
    Property<unsigned> offset{
        this, "offset", 0, {0, 32768}, "Number of the sinogram's first projection in the scan"};
    Property<double> axis_pos{
        this,
        "axis-pos",
        Automatic{-1, {{-1, 0}}},
        {-1.0, 32768.0},
        "Rotation axis in edge coordinates (the middle of W columns is W / 2); 0 or less: that of the "
        "scan, else the middle"};
    Property<double> slice_axis_pos{
        this,
        "slice-axis-pos",
        Automatic{0},
        {0.0, 65536.0},
        "Rotation axis in the slice, in edge coordinates; 0: where it is in the sinogram"};
    Property<double> angle_step{
        this,
        "angle-step",
        Automatic{-1, {{0, 0}}},
        {-G_MAXDOUBLE, G_MAXDOUBLE},
        "Radians between projections, negative for the other sense; 0 or -1: the scan's angles, else "
        "pi over the number of projections"};
    Property<double> angle_offset{this,
                                  "angle-offset",
                                  0.0,
                                  {-G_MAXDOUBLE, G_MAXDOUBLE},
                                  "Angle of the first projection in radians, added to the scan's angles"};
    Choice<BackprojectMode> mode{
        this,
        "mode",
        BackprojectMode::linear,
        {{BackprojectMode::nearest, "nearest", "The sample that is met"},
         {BackprojectMode::texture, "texture",
          "Linear by the image unit, which rounds to 1/256 of a pixel; not on CPU devices"},
         {BackprojectMode::linear, "linear",
          "Linear between pixel centres, the same numbers on every device"}},
        When::reshapes,
        "How rows are sampled"};
    Choice<Precision> precision{
        this,
        "precision-mode",
        Precision::single,
        {{Precision::single, "single", "float32"},
         {Precision::half, "half",
          "Half precision factors and float32 sums, on the tensor cores of an NVIDIA GPU: more than "
          "twice as fast, errors of about 1e-4 of the slice's noise. A NaN spreads to all pixels within "
          "eight columns of its line"}},
        When::reshapes,
        "What linear interpolation is computed in"};
    Property<unsigned> roi_x{this, "roi-x", 0, When::reshapes, "First column of the region of the slice"};
    Property<unsigned> roi_y{this, "roi-y", 0, When::reshapes, "First row of the region of the slice"};
    Property<unsigned> roi_width{this,           "roi-width",
                                 Automatic{0},   {0, 32768},
                                 When::reshapes, "Columns of the region; 0: as many as the sinogram has"};
    Property<unsigned> roi_height{
        this,       "roi-height",   Automatic{0},
        {0, 32768}, When::reshapes, "Rows of the region; 0: as many as the sinogram has columns"};

    ArrayInfo shape(const ArrayInfo &in) override {
        if (in.domain == GST_TOMO_DOMAIN_PROJECTION)
            throw Error(GST_STREAM_ERROR_FORMAT,
                        text("got projections (%s), but reconstructs slices from sinograms: put "
                             "tomotransposeprojections before, which makes these",
                             in.describe().c_str()));
        const auto slice = region(in.width);
        const auto out = in.with_size(slice.width, slice.height)
                             .with_format(GST_TOMO_FORMAT_FLOAT32)
                             .with_domain(GST_TOMO_DOMAIN_SLICE);
        operator_.emplace(*this, mode, precision);
        operator_->plan(in.with_size(in.width, in.height, in.depth * batch_size()), out,
                        double(input_count().value_or(0)) * in.depth);
        return out;
    }

    void process(const Array &in, Array &out) override {
        update_views(in);
        operator_->run(in, out);
    }

    void stop() override {
        operator_.reset();
        scan_ = {};
        angle_warning_.clear();
        assumed_.clear();
        is_of_scan_ = has_reported_ = false;
    }

  protected:
    EventRef scan_event(EventRef event) override {
        scan_ = Scan(event.get());
        scan_.rows_are_views(input_info());
        is_of_scan_ = true;
        if (operator_)
            operator_->forget_views();
        return scan_behind();
    }

    EventRef own_scan_event() override {
        return region(input_info().width).begins_at_corner() && !slice_axis_pos.chosen() ? EventRef()
                                                                                         : scan_of_region({});
    }

    unsigned batch_that_pays(const ArrayInfo &in) override {
        const auto slice = region(in.width);
        return ParallelBackprojector(*this, mode, precision)
            .batch_that_pays(in.depth, slice.width, slice.height);
    }

  private:
    EventRef scan_of_region(Scan scan) const {
        const double axis = this->axis().position;
        return scan_of_slices(std::move(scan), input_info(), axis, axis_in_slice(axis),
                              region(input_info().width))
            .to_event();
    }

    // The scan of the slices, with their axis.
    EventRef scan_behind() const {
        const auto axis = this->axis();
        auto scan = scan_;
        scan.axis_position = axis.position;
        scan.axis_is_found = axis.origin == Origin::found;
        return scan_of_region(std::move(scan));
    }

    Axis axis() const { return resolve_axis(axis_pos.chosen(), axis_pos.name(), scan_, input_info().width); }

    double axis_in_slice(double axis) const { return slice_axis_pos.chosen().value_or(axis); }

    SliceRegion region(unsigned columns) const {
        return {roi_x, roi_y, roi_width.chosen(), roi_height.chosen(), columns};
    }

    GivenViews given_views() const {
        return {angle_step.chosen(), angle_offset, num_projections.chosen(), offset};
    }

    // What is in force, once, and numbers again when they change. What was assumed is told to people once: as
    // a warning, unless it is no more than that all views that there are make half a turn.
    void tell(const Axis &axis, const ParallelViews &views, const SliceRegion &slice) {
        EffectiveValues report;
        report.add(axis).add(views.scan).add("angle-covered", views.covered, "rad", views.scan.origin);
        report.add("region-width", slice.width).add("region-height", slice.height);
        if (!std::exchange(has_reported_, true))
            report.say(text("%s, %s, which cover %.4g of 180 degrees", axis.sentence().c_str(),
                            views.scan.sentence.c_str(), degrees(views.covered)));
        report_effective(report);
        std::string assumed = axis.assumption();
        if (!views.scan.assumption.empty())
            assumed += (assumed.empty() ? "" : ". And ") + views.scan.assumption;
        if (!assumed.empty() && assumed_ != assumed) {
            if (axis.origin == Origin::assumed || views.scan.is_part)
                warn(assumed);
            else
                inform(assumed);
        }
        assumed_ = assumed;
    }

    // The table of the projections follows properties, which may change from frame to frame.
    void update_views(const Array &in) {
        const auto axis = this->axis();
        const auto slice = region(in.width());
        const double in_slice = axis_in_slice(axis.position);
        const Settings now{axis.position, in_slice, axis.origin, given_views(),
                           slice.x,       slice.y,  in.height()};
        if (operator_->has_views() && now == settings_)
            return;
        const auto views = resolve_views(now.views, scan_, in.height());
        if (views.warning != std::exchange(angle_warning_, views.warning) && !angle_warning_.empty())
            warn(angle_warning_);
        tell(axis, views, slice);
        if (is_of_scan_)
            send_scan(scan_behind());
        operator_->set_views(backproject_rows(views.angles, views.weights, axis.position, in_slice, slice));
        settings_ = now;
    }

    // That the views are for.
    struct Settings {
        double axis, axis_in_slice;
        Origin origin;
        GivenViews views;
        unsigned roi_x, roi_y, rows;
        bool operator==(const Settings &) const = default;
    };

    Scan scan_;
    bool is_of_scan_ = false; // somebody told of one
    std::optional<ParallelBackprojector> operator_;
    Settings settings_{};
    std::string angle_warning_; // about the angles
    std::string assumed_;       // and that was told
    bool has_reported_ = false;
};

} // namespace

TOMO_ELEMENT(Backproject)
