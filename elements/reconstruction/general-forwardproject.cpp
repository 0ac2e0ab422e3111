// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "general-geometry.hpp"

#include <gst/operators/general-projector.hpp>
#include <gst/tomo/bases/reducer.hpp>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <optional>

using namespace tomo;

namespace {

class GeneralForwardproject final : public Reducer {
    using List = Property<std::vector<double>>;

  public:
    static constexpr Info info{
        .task = "general-forwardproject",
        .klass = "Filter/Effect",
        .blurb = "Projects a volume to the projections of a parallel or cone beam: line integrals, in any "
                 "arrangement of source, object and detector",
        .details =
            "The geometry is that of `tomogeneralbackproject`, drawn in [Geometry](../geometry.md). An array is a "
            "volume, its planes are slices: `tomostack number=N` makes one of N slices. Voxel (i, j, k) is at "
            "(x + i step, y + j step, z + k step) by x-region, y-region and region, and the volume is 0 outside of "
            "its voxels.\n"
            "\n"
            "A ray is followed from plane to plane along the axis that it is closest to, and the volume interpolated "
            "linearly between the four voxels around it there (P. M. Joseph, IEEE Trans. Med. Imaging 1, 192 (1982), in "
            "three dimensions). The sum of these times the way from plane to plane is the line integral, in values "
            "times the unit of the volume: a detector pixel, or in a cone beam what a pixel shows at the axis. "
            "`tomogeneraliterate` inverts the same projection.\n"
            "\n"
            "Angles are those of axis-angle-z, if it is a list, with one projection for each; else `number` of them in "
            "even steps over overall-angle, to which one value of axis-angle-z is added. A NaN reaches all rays that "
            "pass it or its neighbours. The output's scan event has the angles and the axis.",
        .example =
            "tomometaballs width=64 height=64 number=48 ! tomostack number=48 ! tomogeneralforwardproject "
            "number=90 columns=80 rows=60 source-position-y='<-400.0>' detector-position-y='<100.0>' ! "
            "tomowrite filename=projections.h5:/projections",
    };

    GeneralGeometry geometry{this};
    Property<unsigned> number{
        this, "number", 256, {1, most_views}, When::ready, "Projections, where axis-angle-z is no list"};
    Property<double> overall_angle{this, "overall-angle", 2 * std::numbers::pi, When::ready,
                                   "Angle in radians that they cover in even steps; may be negative"};
    Property<unsigned> columns{this,         "columns",
                               Automatic{0}, {0, 32768},
                               When::ready,  "Columns of a projection; 0: as many as the volume has"};
    Property<unsigned> rows{this,         "rows",
                            Automatic{0}, {0, 32768},
                            When::ready,  "Rows of a projection; 0: as many as the volume has slices"};
    List x_region{
        this, "x-region", When::ready,
        "From, to, step of the voxels across the beam; empty: step 1 from minus half of the columns"};
    List y_region{this, "y-region", When::ready,
                  "From, to, step of the voxels along the beam; empty: step 1 from minus half of the rows"};
    List region{this, "region", When::ready,
                "From, to, step of the slices along the axis; empty: step 1, with the middle at 0"};

    void begin(const ArrayInfo &in) override {
        if (in.domain == GST_TOMO_DOMAIN_PROJECTION || in.domain == GST_TOMO_DOMAIN_SINOGRAM)
            throw Error(GST_STREAM_ERROR_FORMAT,
                        text("got projections or sinograms (%s), but projects volumes of slices",
                             in.describe().c_str()));
        clear();
        projector_.reset();
        projection_ = in.with_format(GST_TOMO_FORMAT_FLOAT32)
                          .with_size(columns.chosen().value_or(in.width), rows.chosen().value_or(in.depth), 1)
                          .with_domain(GST_TOMO_DOMAIN_PROJECTION);
        negotiate(projection_);
    }

    // Given back with the last projection, before the next array comes.
    void consume(const Array &in) override {
        set_geometry();
        volume_ = in;
    }
    bool ready() const override { return static_cast<bool>(volume_); }

    Array produce() override {
        if (next_ == staged_first_ + staged_views_) {
            staged_first_ = next_;
            staged_views_ = std::min(views_at_a_time(), views_ - next_);
            staged_ = allocate(projection_.with_size(projection_.width, projection_.height, staged_views_));
            projector_->forward(volume_, next_, staged_);
        }
        Array out = allocate(projection_);
        copy_rows(staged_, {(next_ - staged_first_) * projection_.size()}, out, {}, projection_.size());
        if (++next_ == views_)
            clear();
        return out;
    }

    void clear() override {
        volume_ = staged_ = {};
        next_ = staged_first_ = staged_views_ = 0;
    }

    void stop() override {
        projector_.reset();
        told_.reset();
    }

    std::optional<std::uint64_t> output_count(std::uint64_t inputs, const ArrayInfo &) const override {
        const auto list = geometry.axis_angle_z.value();
        return inputs * (list.size() > 1 ? list.size() : number.value());
    }

  protected:
    EventRef scan_event(EventRef event) override {
        slices_ = Scan(event.get());
        return scan();
    }

  private:
    static constexpr unsigned most_views = 32768;
    static constexpr std::size_t share_of_staged = 16; // of the device's memory

    // As properties have it for the volume that comes.
    void set_geometry() {
        const ArrayInfo &in = input_info();
        const VolumeGrid grid{axis_of(x_region, {-0.5 * in.width, 1.0, in.width}, "columns"),
                              axis_of(y_region, {-0.5 * in.height, 1.0, in.height}, "rows"),
                              axis_of(region, {-0.5 * (in.depth - 1.0), 1.0, in.depth}, "slices")};
        const auto list = geometry.axis_angle_z.value();
        views_ = list.size() > 1 ? static_cast<unsigned>(list.size()) : number.value();
        if (views_ > most_views)
            throw Error(GST_LIBRARY_ERROR_SETTINGS,
                        text("axis-angle-z has %u numbers; wanted at most %u", views_, most_views));
        std::optional<Axis> middle;
        if (!geometry.has_center_x())
            middle = resolve_axis({}, geometry.center_x.name(), {}, projection_.width);
        geometry.resolve(middle, projection_.height, views_);
        const auto angles =
            resolve_turn(geometry.turn(overall_angle), {}, 0, views_, TurnKind::unknown).views;
        std::vector<Arrangement> arrangements;
        for (unsigned view = 0; view < views_; view++)
            arrangements.push_back(geometry.at(view, angles.angles[view]));
        if (!projector_ || arrangements != arrangements_)
            make_projector(arrangements, grid);

        const bool has_one_axis = geometry.center_x.value().size() <= 1;
        const Told now{angles.angles, has_one_axis ? geometry.at(0, 0.0).centre_x : std::nan("")};
        if (told_ && told_->angles == now.angles && told_->is_at(now.axis))
            return;
        told_ = now;
        send_scan(scan());
        EffectiveValues values;
        values.add(angles);
        geometry.add_to(values);
        report_effective(values.say(angles.sentence));
    }

    void make_projector(const std::vector<Arrangement> &arrangements, const VolumeGrid &grid) {
        std::vector<ViewGeometry> views;
        for (unsigned view = 0; view < views_; view++)
            views.emplace_back(arrangements[view], view);
        // An eighth is for the elements before and behind.
        const std::uint64_t limit = device()->memory_limit(),
                            held = limit / 8 + limit / share_of_staged + 2 * input_info().size();
        projector_.emplace(*this, views, projection_.width, projection_.height, grid,
                           limit - std::min(limit, held));
        arrangements_ = arrangements;
    }

    // GPUs make all of them from one copy of the volume, and those of equal steps of a turn four together.
    unsigned views_at_a_time() const {
        const std::size_t most = device()->prefers_local_memory() ? views_ : 16;
        return static_cast<unsigned>(std::clamp<std::size_t>(
            device()->memory_limit() / share_of_staged / projection_.size(), 1, most));
    }

    // Of a volume with `usual.count` voxels along it.
    static VolumeGrid::Axis axis_of(const List &region, const VolumeGrid::Axis &usual, const char *what) {
        const auto axis = region_axis(region, usual);
        if (axis.count != usual.count)
            throw Error(GST_LIBRARY_ERROR_SETTINGS,
                        text("%s has %u steps, and the volume has %u %s: wanted a step for each",
                             region.name(), axis.count, usual.count, what));
        return axis;
    }

    EventRef scan() const {
        Scan scan = slices_;
        scan.forget_views();
        scan.forget_region_x();
        scan.forget_region_y();
        if (told_) {
            scan.angles = told_->angles;
            scan.axis_position = told_->axis;
        }
        return scan.to_event();
    }

    struct Told {
        std::vector<double> angles;
        double axis; // NaN: it moves
        bool is_at(double other) const { return axis == other || (std::isnan(axis) && std::isnan(other)); }
    };

    Scan slices_;
    ArrayInfo projection_;
    std::optional<Told> told_; // downstream
    unsigned views_ = 0, next_ = 0;
    unsigned staged_first_ = 0, staged_views_ = 0;
    std::vector<Arrangement> arrangements_;
    std::optional<GeneralProjector> projector_; // of these, for volumes of one shape
    Array volume_, staged_;
};

} // namespace

TOMO_ELEMENT(GeneralForwardproject)
