// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "projector-choice.hpp"

#include <gst/tomo/bases/effective.hpp>
#include <gst/tomo/bases/filter.hpp>
#include <gst/tomo/geometry/view-angles.hpp>

#include <algorithm>
#include <optional>

using namespace tomo;

namespace {

class Forwardproject final : public BatchFilter {
  public:
    static constexpr Info info{
        .task = "forwardproject",
        .klass = "Filter/Effect",
        .blurb =
            "Projects slices to sinograms (columns x projections) of a parallel beam: line integrals, in "
            "values times pixels",
        .details =
            R"(Column c of projection i is the integral of the slice along bx cos t + by sin t = c + 1/2 - axis,
t = i angle-step or the angle that is given for it, where pixel (x, y) has its centre at bx = x + 1/2 - axis, by = y + 1/2 - axis: the
geometry of `tomobackproject`. With `slice-axis-pos` s the axis lies at s in the slice instead: bx = x + 1/2 - s,
by = y + 1/2 - s, and the detector may have more or less `columns` than the slice; `tomobackproject mode=joseph` with the same
axes is the transpose. The slice is zero outside of its pixels. All of its pixels count, also those
outside of the circle that the detector covers in every view. Integrals are sums along the axis that is
closer to the ray, with linear interpolation along the other one (P. M. Joseph, IEEE Trans. Med. Imaging 1,
192 (1982)). A NaN reaches all rays that pass it or its neighbours.)" TOMO_PROJECTOR_DETAILS R"(

The output's scan event has these angles and the axis.)",
        .example = "tomoread path=slice.tif ! tomoforwardproject number=180 axis-pos=128 ! tomowrite "
                   "filename=sinogram.h5:/sinogram",
    };

    Property<float> axis_pos{
        this,
        "axis-pos",
        Automatic{-FLT_MAX},
        {-FLT_MAX, FLT_MAX},
        "Rotation axis in edge coordinates, in x and y; the lowest float: that of the scan, else the "
        "middle of the columns"};
    Property<double> slice_axis_pos{
        this,
        "slice-axis-pos",
        Automatic{0},
        {0.0, 65536.0},
        "Rotation axis in the slice, in edge coordinates; 0: where it is in the sinogram"};
    Property<unsigned> columns{this,           "columns",
                               Automatic{0},   {0, 32768},
                               When::reshapes, "Columns of the detector; 0: as many as the slice has"};
    Property<double> angle_step{this,
                                "angle-step",
                                Automatic{0},
                                {-4 * G_PI, 4 * G_PI},
                                "Radians between projections; 0: pi over their number"};
    Property<unsigned> number{this, "number", 256, {1, most_views}, When::reshapes, "Projections"};
    Property<std::vector<double>> angles{
        this, "angles", When::reshapes,
        "Radians of each projection, where their steps are uneven; they replace number and angle-step"};

    ProjectorChoice projector{this};

    ArrayInfo shape(const ArrayInfo &in) override {
        projector_.reset();
        projector.check();
        const auto angles = this->angles.value();
        if (angles.size() > most_views)
            throw Error(GST_RESOURCE_ERROR_SETTINGS,
                        text("angles are %zu numbers; wanted at most %u", angles.size(), most_views));
        return in.with_format(GST_TOMO_FORMAT_FLOAT32)
            .with_size(columns.chosen().value_or(in.width),
                       angles.empty() ? number.value() : static_cast<unsigned>(angles.size()))
            .with_domain(GST_TOMO_DOMAIN_SINOGRAM);
    }

    void process(const Array &in, Array &out) override {
        const auto axis = this->axis();
        if (!projector_ || angle_step != step_ || axis.position != axis_ ||
            slice_axis_pos.chosen() != axis_in_slice_) {
            step_ = angle_step;
            axis_ = axis.position;
            axis_in_slice_ = slice_axis_pos.chosen();
            projector_ =
                projector.make(*this, ParallelBeam{views().angles, axis_, out.width(), axis_in_slice_},
                               SliceRegion{0, 0, in.width(), in.height(), in.width()});
            send_scan(scan());
            tell();
        }
        projector_->forward(in, out);
    }

    void stop() override {
        projector_.reset();
        scan_ = {};
    }

  protected:
    // Stacks are projected side by side.
    unsigned batch_that_pays(const ArrayInfo &in) override {
        const std::uint64_t pays = device()->is_cpu() ? 16 : 128;
        const std::uint64_t sinogram =
            sizeof(float) * views().angles.size() * columns.chosen().value_or(in.width);
        const auto fit = device()->memory_limit() / 16 / (in.depth * sinogram);
        return static_cast<unsigned>(std::clamp<std::uint64_t>(std::min(pays / in.depth, fit), 1, pays));
    }

    EventRef scan_event(EventRef event) override {
        scan_ = Scan(event.get());
        return scan();
    }

  private:
    Axis axis() const {
        const auto columns = this->columns.chosen().value_or(input_info().width);
        const auto axis = resolve_axis(axis_pos.chosen(), axis_pos.name(), *scan_, columns);
        axis.check(ParallelBeam::most_pixels -
                   std::max(columns, input_info().width)); // as the projector, but by the property's name
        return axis;
    }

    // The angles of slices are nobody's but those that are asked for here.
    ViewAngles views() const {
        Scan given;
        given.angles = angles.value();
        if (given.angles.empty())
            return resolve_angles(angle_step.chosen(), {}, number);
        auto views = resolve_angles({}, given, given.angles.size());
        views.origin = Origin::property;
        views.sentence = text("%zu views at given angles", given.angles.size());
        return views;
    }

    void tell() {
        const auto axis = this->axis();
        const auto views = this->views();
        report_effective(EffectiveValues().add(axis).add(views).say(axis.sentence() + ", " + views.sentence));
    }

    EventRef scan() const {
        Scan scan = *scan_;
        scan.forget_views();
        scan.forget_region_x();
        scan.angles = views().angles;
        const auto axis = this->axis();
        scan.axis_position = axis.position;
        scan.axis_is_found = axis.origin == Origin::found;
        return scan.to_event();
    }

    static constexpr unsigned most_views = 32768;
    UntilStop<Scan> scan_{this};          // of the slices
    double axis_ = 0.0, step_ = 0.0;      // of projector_
    std::optional<double> axis_in_slice_; // likewise
    std::unique_ptr<Projector> projector_;
};

} // namespace

TOMO_ELEMENT(Forwardproject)
