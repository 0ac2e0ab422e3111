// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "held-projections.hpp"

#include <gst/operators/general-backprojector.hpp>
#include <gst/tomo/bases/addressing.hpp>
#include <gst/tomo/bases/effective.hpp>
#include <gst/tomo/bases/reducer.hpp>
#include <gst/tomo/geometry/turn-views.hpp>

#include <map>
#include <memory>
#include <optional>

namespace tomo {

// A reducer that makes the slices of a volume from its projections, in any geometry. It knows when which
// slices can be made: each projection is added to all of them as it comes, if their number and their angles
// are known before and the volume finds place on the device. Else the projections are held on the host, and
// slices made at the end, as many at a time as find place. An element says what the geometry is.
class VolumeSlices : public Reducer {
    using List = Property<std::vector<double>>;

  public:
    explicit VolumeSlices(
        const char *of_region =
            "From, to, step of the parameter, one slice each; empty or step 0: one slice, at z")
        : region(this, "region", When::ready, of_region) {}

    List x_region{
        this, "x-region", When::ready,
        "From, to, step across the beam; empty or step 0: as many as columns, from minus half of them"};
    List y_region{
        this, "y-region", When::ready,
        "From, to, step along the beam; empty or step 0: as many as columns, from minus half of them"};
    List region;
    Property<unsigned> num_projections{
        this,         "num-projections",
        Automatic{0}, {0, 32768},
        When::ready,  "Projections that make a volume, again and again; 0: all until the end of the stream"};

    unsigned latency() const override { return num_projections ? (num_projections - 1) / depth_ : 0; }
    std::optional<std::uint64_t> output_count(std::uint64_t inputs, const ArrayInfo &in) const override;

    void begin(const ArrayInfo &in) override;
    void consume(const Array &in) override;
    void finish() override;
    unsigned unfinished_set() const override { return num_projections ? count_ : 0; }
    bool ready() const override { return is_complete_; }
    Array produce() override;
    void clear() override;

  protected:
    // What properties ask for.
    struct Job {
        // Its z are the heights of slices, or the values of a number of the geometry, of which each slice has
        // another one, at height `z`.
        VolumeGrid grid;
        unsigned first = 0, planes = 0;                // of its slices, that are made
        unsigned hidden_before = 0, hidden_behind = 0; // of these, which are not given
        VolumeGrid::Axis given() const {
            auto heights = grid.z;
            heights.from = heights.at(first + hidden_before);
            heights.count = planes - hidden_before - hidden_behind;
            return heights;
        }
        // Rows of the detector: those before the first one that comes, and all of them; 0: as many as come.
        unsigned first_row = 0, detector_rows = 0;
        bool is_swept = false;
        double z = 0.0;
        GeneralBackprojection settings;
        GstTomoFormat format = GST_TOMO_FORMAT_FLOAT32; // of slices
        VolumeOperator::Greys greys;
    };
    virtual Job job(const ArrayInfo &projection) const = 0;
    // The geometry, before the first projection of a volume. Throws Error where it can't be. `number` is 0 if
    // it is not known.
    virtual void resolve(const ArrayInfo &projection, const Scan &scan, unsigned number) = 0;
    virtual GivenTurn turn() const = 0;
    // Whether nothing but the angle differs between projections.
    virtual bool only_turns() const { return true; }
    // Whether projections count by their share of the turn.
    virtual bool has_weights() const { return true; }
    // The property that tilts the axis along the beam.
    virtual const char *tilt_name() const { return "axis-angle-x"; }
    // Of projection `view`, turned by `angle`, with the swept number at `swept` where one is.
    virtual Arrangement arrangement(unsigned view, double angle, std::optional<double> swept) const = 0;
    // The angle that a property gives the projection that comes in.
    virtual std::optional<double> own_angle() const { return {}; }
    // Values in force, to be told.
    virtual void add_effective(EffectiveValues &) const {}
    // Whether the y of slices goes against the beam.
    virtual bool is_against_beam() const { return false; }

    GstFlowReturn take(GstBuffer *buffer) override;
    // A volume goes on where only the number of planes changes: begin() ends it where more does.
    bool takes_any_shape() const override { return true; }
    GstFlowReturn drain() override;
    void reset() override;
    EventRef scan_event(EventRef event) override;

    // The job of the regions, with slices at `z` where another number is swept or no region is set. Throws
    // Error for regions that can't be.
    Job job_of(const ArrayInfo &projection, bool is_swept, double z) const;
    // The axis that the scan tells, else the middle, with a warning unless it is swept; `property` would have
    // set it.
    Axis scan_axis(const Scan &scan, const char *property, unsigned columns, bool is_swept = false);
    bool sweeps() const { return job_.is_swept; }
    // Devices of the element's context by a list as tomodistribute takes it; empty: none.
    std::vector<std::shared_ptr<Device>> devices_in(const std::string &list);
    // Tells of slices that a device has made, and of one whose error is thrown.
    void tell_made(const Device &device, std::uint64_t planes);
    void tell_failed(const Device &device);
    // Makes the slices of the job. By default by backprojection.
    virtual std::unique_ptr<VolumeOperator> make_operator(const Job &job);
    // The number of the volume in the stream.
    std::uint64_t volume_index() const { return num_projections ? (taken_ - 1) / num_projections : 0; }

  private:
    void start_volume();
    void take_scan();
    unsigned promise() const;
    void resolve_views(unsigned number);
    TurnKind kind_of(const Arrangement &arrangement) const;
    bool scan_has_angles(unsigned number) const;
    bool is_turn_given() const;
    void check_frame_angle() const;
    void check_begin(GstBuffer *buffer);
    bool has_angles() const;
    std::vector<WeightedView> views_of(unsigned view, unsigned first, unsigned planes) const;
    VolumePart volume_part(unsigned first, unsigned planes) const;
    DetectorRows rows_seen(unsigned first, unsigned planes) const;
    bool fits(unsigned first, unsigned planes) const;
    unsigned most_that_fit(unsigned first, unsigned planes) const;
    void begin_slab(unsigned first, unsigned planes);
    void next_slab();
    Array next_slice();
    ArrayInfo slice() const;
    void tell();
    EventRef scan_of_slices() const;

    void forget_stream();

    ArrayInfo projection_; // of one plane
    unsigned depth_ = 1;   // of the arrays that come
    Job job_;
    std::unique_ptr<VolumeOperator> operator_;
    HeldProjections held_{*this};
    UntilStop<EventRef> scan_event_{this}, volume_event_{this}; // the last one, and that of the volume
    Scan scan_;
    TurnViews views_;
    // For slices that see half a turn twice, and for those that don't.
    std::map<TurnKind, std::vector<double>> weights_;
    std::vector<double> frame_angles_; // of the projections so far, NaN where unknown
    double frame_angle_ = 0.0;         // of the frame that comes in
    bool has_own_angle_ = false;       // by a property
    std::uint64_t taken_ = 0;          // projections of the stream
    unsigned promised_ = 0;            // projections of the volume, 0 if not known
    unsigned count_ = 0;               // that came
    bool is_resolved_ = false, adds_at_once_ = false, is_complete_ = false;
    bool is_outdated_ = false;                    // the job, for the next volume
    bool has_taken_ = false, is_flushed_ = false; // a projection of the stream; the stream before
    bool has_told_axis_ = false;
    std::uint64_t event_first_ = 0;   // projection of the stream that the last scan begins with
    std::uint64_t first_in_scan_ = 0; // projection of its scan that the volume begins with
    // Slices are counted from the first one of the volume that is made.
    unsigned slab_first_ = 0, slab_planes_ = 0; // those that the operator holds
    unsigned slice_ = 0;                        // that is next
    Array staged_;                              // slices, a few at a time
    unsigned staged_first_ = 0;
};

} // namespace tomo
