// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fields.hpp"
#include "frame-store.hpp"
#include "keep-condition.hpp"
#include "view-rule.hpp"

#include <gst/files/number-pattern.hpp>

#include <gst/tomo/bases/filter.hpp>
#include <gst/tomo/bases/negotiation.hpp>
#include <gst/tomo/bases/side-by-side.hpp>
#include <gst/tomo/support/host-memory.hpp>

#include <cmath>
#include <filesystem>

using namespace tomo;

namespace {

class LiveStore final : public Filter, public WithHistory {
  public:
    static constexpr Info info{
        .task = "live-store",
        .klass = "Filter/Effect",
        .blurb =
            "Stores the newest frames of a camera, keeps them in files when told to, takes darks and flats, and "
            "gives each frame its number and angle",
        .in = formats::real,
        .out = formats::real,
        .details =
            R"(It stands directly behind the camera, before anything that may drop frames. Frames go on unchanged, each with its number, its angle,
the time of its arrival, and the darks and flats that are in force, for `tomolivecorrect`.

Numbers, times and angles are those of [tomoprojectionring](#tomoprojectionring), which takes the angles that this element gives. A number
that leaves others out means lost frames, one that was there a repeated frame, a lower one a late frame. A projection without an angle
is told by a warning and does not go on.

The action signals `take-darks` and `take-flats` take the next so many frames as darks or flats: their mean takes the place of that in force,
and none of them goes on. `cancel-fields` takes that back: what was in force stays, and frames go on again. `read-darks` and `read-flats` read a file, folder, pattern or the darks or flats of a scan instead, in the
thread of the caller, while the stream goes on. A message `tomo-fields` tells each change; `tomo-taking` tells state (begun, cancelled), kind, the frames taken and those wanted.

The newest frames are stored in the host's memory, as many as `store-limit` has room for. The action signal `keep` writes those of the last seconds
and all that follow into a new file of HDF5, until `stop-keeping` or the end of the stream; `keep-when` does so when the counts of a frame pass a bound. The file
is a scan in the layout of Data Exchange: `/exchange/data` as the camera gave it, the darks and flats in force as their means, angles, `rotation_axis` where
`axis-pos` gives it, and the numbers and times of the frames under `/defaults`. It is NAME.partial until it is whole; on a full disk it is completed with the frames that had room, since that for darks, flats and angles
was reserved. Frames that wait for the disk are in the
store; where they fill it, the disk is too slow: a message tells both rates, the file is completed with the frames so far, and the stream goes on. With
`wait` the stream waits instead, as is right for files. Messages `tomo-keep` tell the state (begun, slow, done, failed), path, frames and a text.)",
        .example =
            "tomoread path=projections ! tomolivestore darks=darks flats=flats angle-step=0.01745 ! tomolivecorrect ! tomorampfilter "
            "! tomoprojectionring views=180 ! tomoliveslice ! tomowrite filename=live.tif",
    };

    live::ViewRule rule{this};
    Property<std::string> darks{this, "darks", "", When::ready,
                                "Darks at the start: a file, folder or pattern, or a scan that has some"};
    Property<std::string> flats{this, "flats", "", When::ready,
                                "Flats at the start: a file, folder or pattern, or a scan that has some"};
    Property<std::uint64_t> store_limit{
        this, "store-limit", Automatic{0}, When::reshapes,
        "Bytes of the host's memory for the newest frames; 0: an eighth of it, 1 GiB at most"};
    Property<bool> wait{this, "wait", false, "Whether the stream waits for a disk that is too slow"};
    Property<double> axis_pos{
        this,
        "axis-pos",
        Automatic{0.0},
        {0.0, 32768.0},
        "Rotation axis that files tell, in edge coordinates; 0: that of the scan, else none"};
    Property<std::string> keep_when{
        this, "keep-when", "", When::reshapes,
        "Measured value of a frame that begins to keep: mean, minimum, maximum or deviation, < or >, and a bound in counts, such as mean>3000"};
    Property<double> keep_seconds{
        this, "keep-seconds", 0.0, {0.0, 1e9}, "Seconds before the frame of keep-when that are kept as well"};
    Property<std::string> keep_path{this, "keep-path", "live-%03i.h5",
                                    "File of keep-when; a number in it is the first one that is free"};
    Result stored{this, "stored", {0.0, G_MAXDOUBLE}, "Frames in the store"};
    Result stored_seconds{this, "stored-seconds", {0.0, G_MAXDOUBLE}, "Seconds that these cover"};
    Result kept{this, "kept", {0.0, G_MAXDOUBLE}, "Frames in the file that is being written"};
    Result frames{this, "frames", {0.0, G_MAXDOUBLE}, "Frames that came"};
    Result to_take{this,
                   "to-take",
                   {0.0, G_MAXDOUBLE},
                   "Frames to come of the darks or flats that are being taken; 0: none are"};
    Result lost{this, "lost", {0.0, G_MAXDOUBLE}, "Numbers of frames that were left out"};
    Result repeated{this, "repeated", {0.0, G_MAXDOUBLE}, "Frames with the number of the one before"};
    Result late{this, "late", {0.0, G_MAXDOUBLE}, "Frames with a lower number than one before"};

    bool needs_device() const override { return false; }
    ArrayInfo shape(const ArrayInfo &in) override {
        if (in.depth != 1)
            throw Error(
                GST_STREAM_ERROR_FORMAT,
                text("got stacks (%s), but takes frames: put tomoslice before", in.describe().c_str()));
        condition_ = live::KeepCondition(keep_when);
        const auto automatic = std::min<std::uint64_t>(host_memory() / 8, std::uint64_t{1} << 30);
        frame_store_.begin(in, store_limit.chosen().value_or(automatic));
        forget_what_does_not_fit(in);
        tell_to_take();
        return in;
    }
    void forget_what_does_not_fit(const ArrayInfo &in) {
        const std::lock_guard<std::mutex> lock(lock_);
        if (sum_ && !sum_->fits(in)) {
            warn(text("the frames are %s now, so %s that were being taken are forgotten: take them again",
                      in.describe().c_str(), live::name_of(sum_->kind)));
            tell_taking("cancelled", *sum_);
            sum_.reset();
        }
        for (const auto *field : {&fields_->dark, &fields_->flat})
            if (*field && !(*field)->fits(in))
                warn(text(
                    "%s of %u x %u pixels do not fit frames of %s, and are forgotten: take them again",
                    live::name_of(field == &fields_->dark ? live::FieldKind::dark : live::FieldKind::flat),
                    (*field)->width, (*field)->height, in.describe().c_str()));
        auto left = *fields_;
        for (auto *field : {&left.dark, &left.flat})
            if (*field && !(*field)->fits(in))
                field->reset();
        fields_ = std::make_shared<const live::Fields>(left);
    }
    void start() override {
        live::KeepCondition{keep_when}; // throws
        live::Fields fields;
        if (!darks.value().empty())
            fields.dark = live::read_field(darks, live::FieldKind::dark);
        if (!flats.value().empty())
            fields.flat = live::read_field(flats, live::FieldKind::flat);
        const std::lock_guard<std::mutex> lock(lock_);
        fields_ = std::make_shared<const live::Fields>(fields);
    }
    void stop() override {
        frame_store_.end();
        forget();
        rule.scan = {};
    }
    void property_changed(PropertyBase *property) override {
        Filter::property_changed(property);
        if (property == &axis_pos)
            frame_store_.set_axis(axis());
    }
    void cancelled_changed() override { frame_store_.cancel(is_cancelled()); }
    std::string history() const override { return "frames are counted, and some are darks and flats"; }

    // Actions, in any thread.
    bool take_next(live::FieldKind kind, unsigned count);
    bool read(live::FieldKind kind, const std::string &path);
    bool cancel_fields();
    bool keep(double seconds, const std::string &path);
    bool stop_keeping() { return frame_store_.stop(), true; }

    void describe_pads(GstElementClass *klass) const override;

  protected:
    GstFlowReturn take(GstBuffer *buffer) override {
        const auto &in = input_info();
        const auto arrival = gst_util_get_timestamp();
        rule.begin(buffer, in.depth);
        count_frame();
        if (is_for_field(buffer)) {
            tell_to_take();
            tell_counts();
            return GST_FLOW_OK;
        }
        double angle = std::nan("");
        std::string without;
        try {
            angle = rule.angle(0);
        } catch (const Error &e) {
            without = e.what();
        }
        store(buffer, arrival, angle);
        tell_counts();
        if (!without.empty()) {
            if (!std::exchange(told_angles_, true))
                warn(text("%s. Projections without one do not go on", without.c_str()));
            return GST_FLOW_OK;
        }
        told_angles_ = false;
        BufferRef result(gst_buffer_copy(buffer));
        if (auto *own = gst_buffer_get_tomo_frame_meta(result.get()))
            own->angle = angle;
        else
            gst_buffer_add_tomo_frame_meta(result.get(), rule.number(0), angle, GST_CLOCK_TIME_NONE, nullptr);
        static GstStaticCaps arrival_caps = GST_STATIC_CAPS("timestamp/x-tomo-arrival");
        const CapsRef caps(gst_static_caps_get(&arrival_caps));
        gst_buffer_add_reference_timestamp_meta(result.get(), caps.get(), arrival, GST_CLOCK_TIME_NONE);
        {
            const std::lock_guard<std::mutex> lock(lock_);
            live::FieldsMeta::attach(result.get(), fields_);
        }
        return push_submitted(output_info(), std::move(result));
    }

    EventRef scan_event(EventRef event) override {
        rule.scan = Scan(event.get());
        return event;
    }
    void clear() override { forget(); }
    void sees(GstEvent *event) override {
        // drain() is for the end of a size as well.
        if (GST_EVENT_TYPE(event) == GST_EVENT_EOS)
            frame_store_.stop();
        if (GST_EVENT_TYPE(event) == GST_EVENT_STREAM_START) // a camera that is started again may count anew
            last_before_ = std::exchange(last_, {});
    }

  private:
    void store(GstBuffer *buffer, GstClockTime arrival, double angle) {
        const auto &in = input_info();
        const auto time = rule.time();
        const live::FrameStore::Facts facts{rule.number(0), angle,
                                            GST_CLOCK_TIME_IS_VALID(time)
                                                ? static_cast<double>(time) / GST_SECOND
                                                : static_cast<double>(g_get_real_time()) / G_USEC_PER_SEC,
                                            static_cast<double>(arrival) / GST_SECOND};
        std::vector<char> packed;
        if (gst_buffer_get_tomo_array_meta(buffer)) {
            packed.resize(in.size());
            copy_packed(buffer, in, packed.data());
        }
        const MappedBuffer mapped(buffer, GST_MAP_READ);
        const void *samples = packed.empty() ? static_cast<const void *>(mapped.data()) : packed.data();
        frame_store_.put(samples, facts, wait);
        if (condition_.begins(in, samples) && !frame_store_.is_keeping())
            keep(std::nextafter(keep_seconds.value(), HUGE_VAL),
                 next_path()); // with the frame that begins it
        const auto counts = frame_store_.counts();
        stored.report(static_cast<double>(counts.stored));
        stored_seconds.report(counts.seconds);
        kept.report(static_cast<double>(counts.kept));
    }

    double axis() const {
        return axis_pos.chosen().value_or(std::isfinite(rule.scan.axis_position) ? rule.scan.axis_position
                                                                                 : 0.0);
    }

    std::string next_path() const {
        const io::NumberPattern pattern(keep_path);
        std::uint64_t number = 0;
        std::error_code ignored;
        while (pattern.has_number() && std::filesystem::exists(pattern.name(number), ignored))
            number++;
        return pattern.name(number);
    }

    void tell_keeping(const live::FrameStore::Report &report) {
        using State = live::FrameStore::Report::State;
        constexpr const char *names[] = {"begun", "slow", "done", "failed"};
        post_message(gst_structure_new(
            "tomo-keep", "state", G_TYPE_STRING, names[static_cast<int>(report.state)], "path", G_TYPE_STRING,
            report.path.c_str(), "frames", G_TYPE_UINT64, guint64{report.frames}, "whole", G_TYPE_BOOLEAN,
            gboolean{report.is_whole}, "text", G_TYPE_STRING, report.text.c_str(), nullptr));
        if (report.state == State::slow || report.state == State::failed)
            warn(report.text);
    }

    struct Taken {
        live::FieldKind kind;
        unsigned count;
        std::optional<live::FieldSum> sum; // from the first frame on
        ArrayInfo image;

        bool fits(const ArrayInfo &in) const { return !sum || image == in; }
        unsigned missing() const { return sum ? sum->missing() : count; }
    };

    void forget() {
        rule.forget();
        last_.reset();
        counts_ = {};
        told_angles_ = false;
        cancel_fields();
    }

    void count_frame() {
        const auto number = rule.number(0);
        if (const auto before = std::exchange(last_before_, {}); before && number <= *before)
            frame_store_.stop("the camera was started again and counts its frames anew");
        counts_.frames++;
        if (last_ && number > *last_ + 1)
            counts_.lost += number - *last_ - 1;
        if (last_ && number == *last_)
            counts_.repeated++;
        if (last_ && number < *last_) {
            counts_.late++;
            counts_.lost -= counts_.lost > 0; // it was counted as lost
        }
        last_ = std::max(last_.value_or(0), number);
    }

    // Once the frame is where it belongs.
    void tell_counts() {
        const auto told = std::exchange(told_counts_, counts_);
        const auto tell = [](Result &result, std::uint64_t now, std::uint64_t before) {
            if (now != before)
                result.report(static_cast<double>(now));
        };
        tell(frames, counts_.frames, told.frames);
        tell(lost, counts_.lost, told.lost);
        tell(repeated, counts_.repeated, told.repeated);
        tell(late, counts_.late, told.late);
    }

    // Whether it is one of the darks or flats that are being taken.
    bool is_for_field(GstBuffer *buffer) {
        std::shared_ptr<const live::Field> field;
        live::FieldKind kind;
        {
            const std::lock_guard<std::mutex> lock(lock_);
            if (!sum_)
                return false;
            const auto &in = input_info();
            kind = sum_->kind;
            if (!sum_->sum) {
                sum_->sum.emplace(in, sum_->count);
                sum_->image = in;
            }
            const MappedBuffer samples(buffer, GST_MAP_READ);
            if (!sum_->sum->add(samples.data()))
                return true;
            field = sum_->sum->mean();
            sum_.reset();
            replace(kind, field);
        }
        tell(kind, *field, {});
        return true;
    }

    // With the lock held.
    void replace(live::FieldKind kind, std::shared_ptr<const live::Field> field) {
        auto fields = *fields_;
        (kind == live::FieldKind::dark ? fields.dark : fields.flat) = std::move(field);
        fields_ = std::make_shared<const live::Fields>(std::move(fields));
        frame_store_.set_fields(fields_);
    }

    void tell(live::FieldKind kind, const live::Field &field, const std::string &path) {
        const auto sentence =
            path.empty() ? text("the mean of %u %s", field.frames, live::name_of(kind))
                         : text("the mean of %u %s of '%s'", field.frames, live::name_of(kind), path.c_str());
        post_message(gst_structure_new("tomo-fields", "kind", G_TYPE_STRING, live::name_of(kind), "frames",
                                       G_TYPE_UINT, field.frames, "text", G_TYPE_STRING, sentence.c_str(),
                                       nullptr));
    }

    // Of darks or flats that are not in force yet, or will not be.
    void tell_taking(const char *state, const Taken &taken) {
        const auto so_far = taken.count - taken.missing();
        const bool is_dark = taken.kind == live::FieldKind::dark;
        const char *kind = live::name_of(taken.kind);
        std::string sentence;
        if (std::string_view(state) == "begun")
            sentence = text("the next %u frames are taken as %s", taken.count, kind);
        else
            sentence = text("%u of %u %s were taken, and are forgotten; ", so_far, taken.count, kind) +
                       ((is_dark ? fields_->dark : fields_->flat) ? text("the %s before stay in force", kind)
                                                                  : text("there are no %s yet", kind));
        post_message(gst_structure_new("tomo-taking", "state", G_TYPE_STRING, state, "kind", G_TYPE_STRING,
                                       kind, "taken", G_TYPE_UINT, so_far, "frames", G_TYPE_UINT, taken.count,
                                       "text", G_TYPE_STRING, sentence.c_str(), nullptr));
    }

    // Without the lock, since whoever follows the property may give commands.
    void tell_to_take() {
        unsigned missing = 0;
        {
            const std::lock_guard<std::mutex> lock(lock_);
            missing = sum_ ? sum_->missing() : 0;
        }
        to_take.report(missing);
    }

    struct Counts {
        std::uint64_t frames = 0, lost = 0, repeated = 0, late = 0;
    };

    live::FrameStore frame_store_{[this](const live::FrameStore::Report &report) { tell_keeping(report); }};
    live::KeepCondition condition_;
    std::mutex keep_lock_; // one asks for a file at a time
    std::mutex lock_;      // for fields_ and sum_
    std::shared_ptr<const live::Fields> fields_ = std::make_shared<const live::Fields>();
    std::optional<Taken> sum_;
    std::optional<std::uint64_t> last_;        // the highest number so far
    std::optional<std::uint64_t> last_before_; // that of the stream before
    Counts counts_, told_counts_;
    bool told_angles_ = false;
};

bool LiveStore::take_next(live::FieldKind kind, unsigned count) {
    if (!count) {
        warn(text("0 %s can't be taken: say how many frames they are the mean of", live::name_of(kind)));
        return false;
    }
    {
        const std::lock_guard<std::mutex> lock(lock_);
        if (sum_) {
            warn(text("%s are still being taken, %u to come: wait for them, or cancel them",
                      live::name_of(sum_->kind), sum_->missing()));
            return false;
        }
        sum_.emplace();
        sum_->kind = kind;
        sum_->count = count;
        tell_taking("begun", *sum_);
    }
    tell_to_take();
    return true;
}

bool LiveStore::cancel_fields() {
    {
        const std::lock_guard<std::mutex> lock(lock_);
        if (!sum_)
            return false;
        tell_taking("cancelled", *sum_);
        sum_.reset();
    }
    tell_to_take();
    return true;
}

bool LiveStore::read(live::FieldKind kind, const std::string &path) {
    std::shared_ptr<const live::Field> field;
    try {
        field = live::read_field(path, kind);
    } catch (const Error &e) {
        warn(text("%s. The %s stay as they were", e.what(), live::name_of(kind)));
        return false;
    }
    {
        const std::lock_guard<std::mutex> lock(lock_);
        replace(kind, field);
    }
    reshape(); // sizes are compared
    tell(kind, *field, path);
    return true;
}

bool LiveStore::keep(double seconds, const std::string &path) {
    const std::lock_guard<std::mutex> lock(keep_lock_);
    std::shared_ptr<const live::Fields> fields;
    {
        const std::lock_guard<std::mutex> fields_lock(lock_);
        fields = fields_;
    }
    try {
        frame_store_.keep(seconds, path, std::move(fields), axis());
    } catch (const Error &e) {
        tell_keeping({live::FrameStore::Report::State::failed, path, e.what(), 0});
        return false;
    }
    return true;
}

LiveStore *store_of(gpointer gst) { return static_cast<LiveStore *>(element_of(GST_ELEMENT_CAST(gst))); }

template <live::FieldKind kind>
gboolean take_action(GstElement *gst, guint count) {
    auto *store = store_of(gst);
    return store->guard<gboolean>(FALSE, [&] { return store->take_next(kind, count); });
}

template <live::FieldKind kind>
gboolean read_action(GstElement *gst, const gchar *path) {
    auto *store = store_of(gst);
    return store->guard<gboolean>(FALSE, [&] { return store->read(kind, path ? path : ""); });
}

gboolean cancel_action(GstElement *gst) {
    auto *store = store_of(gst);
    return store->guard<gboolean>(FALSE, [&] { return store->cancel_fields(); });
}

gboolean keep_action(GstElement *gst, gdouble seconds, const gchar *path) {
    auto *store = store_of(gst);
    return store->guard<gboolean>(FALSE, [&] { return store->keep(seconds, path ? path : ""); });
}

gboolean stop_action(GstElement *gst) {
    auto *store = store_of(gst);
    return store->guard<gboolean>(FALSE, [&] { return store->stop_keeping(); });
}

void LiveStore::describe_pads(GstElementClass *klass) const {
    Filter::describe_pads(klass);
    const auto add = [&](const char *name, GCallback handler, auto... arguments) {
        g_signal_new_class_handler(
            name, G_TYPE_FROM_CLASS(klass), static_cast<GSignalFlags>(G_SIGNAL_RUN_LAST | G_SIGNAL_ACTION),
            handler, nullptr, nullptr, nullptr, G_TYPE_BOOLEAN, sizeof...(arguments), arguments...);
    };
    add("keep", G_CALLBACK(keep_action), G_TYPE_DOUBLE, G_TYPE_STRING);
    add("stop-keeping", G_CALLBACK(stop_action));
    using live::FieldKind;
    add("take-darks", G_CALLBACK(take_action<FieldKind::dark>), G_TYPE_UINT);
    add("take-flats", G_CALLBACK(take_action<FieldKind::flat>), G_TYPE_UINT);
    add("cancel-fields", G_CALLBACK(cancel_action));
    add("read-darks", G_CALLBACK(read_action<FieldKind::dark>), G_TYPE_STRING);
    add("read-flats", G_CALLBACK(read_action<FieldKind::flat>), G_TYPE_STRING);
}

} // namespace

TOMO_ELEMENT(LiveStore)
