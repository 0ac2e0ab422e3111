// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/effective.hpp>
#include <gst/tomo/bases/filter.hpp>
#include <gst/tomo/geometry/redundant-rays.hpp>
#include <gst/tomo/geometry/turn-views.hpp>

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>

using namespace tomo;

namespace {

enum class Weighting { automatic, short_scan, offset, none };

class RedundancyWeight final : public Filter {
  public:
    static constexpr Info info{
        .task = "redundancy-weight",
        .klass = "Filter/Effect",
        .blurb =
            "Weights the columns of projections by how often the scan measures their rays, before the filter of a "
            "reconstruction from a part of a turn, or with the detector to one side of the axis",
        .details =
            "A ray in the middle plane of a fan or cone beam is measured again from its other side: that of view t "
            "at the fan angle g comes back in view t + pi + 2 g at -g. The weights of both add up to c / pi, where "
            "the views cover the angle c, and change smoothly with t and g. Behind them, "
            "`tomogeneralbackproject` counts all views the same, so that slices are in attenuation.\n"
            "\n"
            "short-scan: with c = pi + 2 d, and t counted from the begin of the scan, the weight is c / pi times "
            "sin^2(pi/4 t / (d - g)) for t < 2 d - 2 g, sin^2(pi/4 (c - t) / (d + g)) for t > pi - 2 g, and 1 between "
            "(Parker, Med. Phys. 9, 254 (1982), doi 10.1118/1.595078). d may be larger than half of the fan, up to "
            "a full turn. offset: the axis is seen off the middle of the detector, so that one side is seen up to "
            "the fan angle a only. The weight is c / pi times (1 + sin(pi/2 g / a)) / 2 up to a, 1 beyond on the wide side "
            "(Wang, Med. Phys. 29, 1634 (2002), doi 10.1118/1.1489043); it needs a full turn. The formulas hold "
            "in the middle plane, and nearly in the others. Without source-distance the beam is parallel, and g / a "
            "is a ratio of pixels.\n"
            "\n"
            "Angles are those of `tomogeneralbackproject`: axis-angle-z, else overall-angle, else those of the scan. All "
            "planes of an array are projections.",
        .example =
            "tomoread path='projections/*.tif' ! tomocalculate expression='-log(v)' ! tomoredundancyweight "
            "source-distance='<2000.0>' detector-distance='<500.0>' overall-angle=6.2832 num-projections=180 ! tomowrite "
            "filename=weighted.tif",
    };

    Choice<Weighting> mode{
        this,
        "mode",
        Weighting::automatic,
        {{Weighting::automatic, "auto",
          "short-scan for fan and cone beams over less than a full turn; offset for a full turn whose axis is seen more "
          "than 1 % of the columns off their middle; else none"},
         {Weighting::short_scan, "short-scan", "Half a turn and the fan, or more, up to a full turn"},
         {Weighting::offset, "offset", "A full turn, with the detector to one side of the axis"},
         {Weighting::none, "none", "1 everywhere"}},
        When::ready,
        "Which rays are redundant"};
    Property<std::vector<double>> center_x{
        this, "center-position-x",
        "Column of the axis, in edge coordinates; empty: that of the scan, else the middle"};
    Property<std::vector<double>> source{this, "source-distance", When::ready,
                                         "From the source to the axis, in pixels; empty: parallel beam"};
    Property<std::vector<double>> detector{this, "detector-distance", When::ready,
                                           "From the axis to the detector, in pixels; empty: 0"};
    Property<std::vector<double>> axis_angle_z{
        this, "axis-angle-z", When::ready,
        "Angles of the projections, in radians; one value is added to the angles of all"};
    Property<double> overall_angle{
        this, "overall-angle", Automatic{0}, When::ready,
        "Angle in radians that the projections cover in even steps; 0: angles of the scan"};
    Property<unsigned> num_projections{
        this,       "num-projections", Automatic{0},
        {0, 32768}, When::ready,       "Projections of the scan; 0: as many as the stream or the lists tell"};

    ArrayInfo shape(const ArrayInfo &in) override {
        kernel("weight_columns");
        if (width_ != in.width)
            rays_.reset();
        width_ = in.width;
        return Filter::shape(in);
    }

    void process(const Array &in, Array &out) override {
        count(in.depth());
        for (unsigned z = 0; z < in.depth(); z++) {
            const auto volume_of = [&] { return (plane_ - event_plane_) / views_; };
            if (!rays_ || volume_of() != volume_)
                resolve(in.info());
            volume_ = volume_of();
            const auto weights = rays_->weights((plane_ - event_plane_) % views_);
            auto plane = out.plane(z);
            launch(kernel("weight_columns"), WorkSize(plane.info()), in.plane(z), plane,
                   BareBuffer{upload(weights)});
            plane_++;
        }
    }

    void stop() override {
        rays_.reset();
        event_ = {};
        scan_ = {};
        told_.clear();
    }

  protected:
    EventRef scan_event(EventRef event) override {
        if (!event_ || !gst_structure_is_equal(gst_event_get_structure(event_.get()),
                                               gst_event_get_structure(event.get()))) {
            rays_.reset();
            event_plane_ = plane_;
        }
        event_ = event;
        scan_ = Scan(event.get());
        return event;
    }

    void reset() override {
        plane_ = event_plane_ = next_frame_ = 0;
        depth_ = 0;
        rays_.reset();
        Filter::reset();
    }

  private:
    static double single(const Property<std::vector<double>> &list, double missing) {
        const PerView values(list.name(), list.value());
        if (values.is_list())
            throw Error(GST_LIBRARY_ERROR_SETTINGS,
                        text("%s is a list; wanted one value, because the weights are those of a circle",
                             list.name()));
        return values.at(0, missing);
    }

    std::size_t number(const ArrayInfo &in) const {
        if (num_projections)
            return num_projections;
        if (axis_angle_z.value().size() > 1)
            return axis_angle_z.value().size();
        if (!scan_.angles.empty() && !overall_angle.chosen())
            return scan_.angles.size();
        if (const auto count = input_count())
            return *count * in.depth;
        throw Error(GST_LIBRARY_ERROR_SETTINGS,
                    "nothing tells how many projections come: set num-projections");
    }

    // The number of the next plane: arrays follow each other, also where the last one has fewer planes,
    // unless the stream begins elsewhere.
    void count(unsigned planes) {
        if (!depth_)
            depth_ = planes;
        if (frame_index() != next_frame_) {
            plane_ = frame_index() * depth_;
            event_plane_ = std::min(event_plane_, plane_);
        }
        next_frame_ = frame_index() + 1;
    }

    void resolve(const ArrayInfo &in) {
        views_ = number(in);
        // A scan may tell the angles of one volume, or of all.
        const std::uint64_t counted = plane_ - event_plane_,
                            first = scan_.angles.size() == views_ ? 0 : counted - counted % views_;
        const auto turn =
            resolve_turn({PerView(axis_angle_z.name(), axis_angle_z.value()), overall_angle.chosen(), {}},
                         scan_, first, views_, TurnKind::unknown);
        const double s = single(source, HUGE_VAL), d = single(detector, 0.0);
        if (!(s > 0.0) || !(s + d > 0.0))
            throw Error(
                GST_LIBRARY_ERROR_SETTINGS,
                text(
                    "source-distance is %g and detector-distance %g; wanted pixels, with the detector behind "
                    "the source",
                    s, d));
        const auto given = center_x.value();
        const auto axis = resolve_axis(given.empty() ? std::nullopt : std::optional(single(center_x, 0.0)),
                                       center_x.name(), scan_, in.width);
        const Fan fan{axis.position, s + d, in.width};
        using Mode = RedundantRays::Mode;
        const Mode chosen = mode == Weighting::automatic    ? RedundantRays::mode_for(fan, turn.views.angles)
                            : mode == Weighting::short_scan ? Mode::short_scan
                            : mode == Weighting::offset     ? Mode::offset
                                                            : Mode::none;
        rays_.emplace(chosen, fan, turn.views.angles);
        const char *names[] = {"none", "short-scan", "offset"};
        report_effective(EffectiveValues()
                             .add(axis)
                             .add(turn.views)
                             .add("mode", names[static_cast<int>(chosen)])
                             .add("angle-covered", rays_->covered(), "rad", turn.views.origin));
        for (const std::string &words : {axis.assumption(), turn.views.assumption, rays_->warning()})
            if (!words.empty() && told_.insert(words).second)
                warn(words);
    }

    EventRef event_;
    Scan scan_;
    std::optional<RedundantRays> rays_; // of the volume
    std::uint64_t volume_ = 0;          // since the scan event
    std::size_t views_ = 0;
    std::set<std::string> told_;                // warnings of the stream
    unsigned width_ = 0, depth_ = 0;            // of the arrays
    std::uint64_t plane_ = 0, event_plane_ = 0; // the next one, and the first one of the scan
    std::uint64_t next_frame_ = 0;
};

} // namespace

TOMO_ELEMENT(RedundancyWeight)
