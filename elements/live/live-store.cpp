// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fields.hpp"
#include "view-rule.hpp"

#include <gst/tomo/bases/filter.hpp>
#include <gst/tomo/bases/negotiation.hpp>
#include <gst/tomo/bases/side-by-side.hpp>

#include <cmath>

using namespace tomo;

namespace {

class LiveStore final : public Filter, public WithHistory {
  public:
    static constexpr Info info{
        .task = "live-store",
        .klass = "Filter/Effect",
        .blurb = "Counts the frames of a camera, gives each its number and angle, and takes darks and flats "
                 "when told to",
        .in = formats::real,
        .out = formats::real,
        .details =
            R"(It stands directly behind the camera, before anything that may drop frames. Frames go on unchanged, each with its number, its angle,
the time of its arrival, and the darks and flats that are in force, for `tomolivecorrect`.

Numbers, times and angles are those of [tomoprojectionring](#tomoprojectionring), which takes the angles that this element gives. A number
that leaves others out means lost frames, one that was there a repeated frame, a lower one a late frame. A projection without an angle
is told by a warning and does not go on.

The action signals `take-darks` and `take-flats` take the next so many frames as darks or flats: their mean takes the place of that in force,
and none of them goes on. `read-darks` and `read-flats` read a file, folder, pattern or the darks or flats of a scan instead, in the
thread of the caller, while the stream goes on. A message `tomo-fields` tells each change.)",
        .example =
            "tomoread path=projections ! tomolivestore darks=darks flats=flats angle-step=0.01745 ! tomolivecorrect ! tomorampfilter "
            "! tomoprojectionring views=180 ! tomoliveslice ! tomowrite filename=live.tif",
    };

    live::ViewRule rule{this};
    Property<std::string> darks{this, "darks", "", When::ready,
                                "Darks at the start: a file, folder or pattern, or a scan that has some"};
    Property<std::string> flats{this, "flats", "", When::ready,
                                "Flats at the start: a file, folder or pattern, or a scan that has some"};
    Result frames{this, "frames", {0.0, G_MAXDOUBLE}, "Frames that came"};
    Result lost{this, "lost", {0.0, G_MAXDOUBLE}, "Numbers of frames that were left out"};
    Result repeated{this, "repeated", {0.0, G_MAXDOUBLE}, "Frames with the number of the one before"};
    Result late{this, "late", {0.0, G_MAXDOUBLE}, "Frames with a lower number than one before"};

    bool needs_device() const override { return false; }
    ArrayInfo shape(const ArrayInfo &in) override {
        if (in.depth != 1)
            throw Error(
                GST_STREAM_ERROR_FORMAT,
                text("got stacks (%s), but takes frames: put tomoslice before", in.describe().c_str()));
        const std::lock_guard<std::mutex> lock(lock_);
        if (sum_ && !sum_->fits(in)) {
            warn(text("the frames are %s now, so %s that were being taken are forgotten: take them again",
                      in.describe().c_str(), live::name_of(sum_->kind)));
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
        return in;
    }
    void start() override {
        live::Fields fields;
        if (!darks.value().empty())
            fields.dark = live::read_field(darks, live::FieldKind::dark);
        if (!flats.value().empty())
            fields.flat = live::read_field(flats, live::FieldKind::flat);
        const std::lock_guard<std::mutex> lock(lock_);
        fields_ = std::make_shared<const live::Fields>(fields);
    }
    void stop() override {
        forget();
        rule.scan = {};
    }
    std::string history() const override { return "frames are counted, and some are darks and flats"; }

    // Actions, in any thread.
    bool take_next(live::FieldKind kind, unsigned count);
    bool read(live::FieldKind kind, const std::string &path);

    void describe_pads(GstElementClass *klass) const override;

  protected:
    GstFlowReturn take(GstBuffer *buffer) override {
        const auto &in = input_info();
        const auto arrival = gst_util_get_timestamp();
        rule.begin(buffer, in.depth);
        count_frame();
        if (is_for_field(buffer))
            return GST_FLOW_OK;
        double angle = std::nan("");
        try {
            angle = rule.angle(0);
        } catch (const Error &e) {
            if (!std::exchange(told_angles_, true))
                warn(text("%s. Projections without one do not go on", e.what()));
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

  private:
    struct Taken {
        live::FieldKind kind;
        unsigned count;
        std::optional<live::FieldSum> sum; // from the first frame on
        ArrayInfo image;

        bool fits(const ArrayInfo &in) const { return !sum || image == in; }
    };

    void forget() {
        rule.forget();
        last_.reset();
        counts_ = {};
        told_angles_ = false;
        const std::lock_guard<std::mutex> lock(lock_);
        sum_.reset();
    }

    void count_frame() {
        const auto number = rule.number(0);
        frames.report(static_cast<double>(++counts_.frames));
        if (last_ && number > *last_ + 1)
            lost.report(static_cast<double>(counts_.lost += number - *last_ - 1));
        if (last_ && number == *last_)
            repeated.report(static_cast<double>(++counts_.repeated));
        if (last_ && number < *last_) {
            late.report(static_cast<double>(++counts_.late));
            if (counts_.lost) // it was counted as lost
                lost.report(static_cast<double>(--counts_.lost));
        }
        last_ = std::max(last_.value_or(0), number);
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
    }

    void tell(live::FieldKind kind, const live::Field &field, const std::string &path) {
        const auto sentence =
            path.empty() ? text("the mean of %u %s", field.frames, live::name_of(kind))
                         : text("the mean of %u %s of '%s'", field.frames, live::name_of(kind), path.c_str());
        post_message(gst_structure_new("tomo-fields", "kind", G_TYPE_STRING, live::name_of(kind), "frames",
                                       G_TYPE_UINT, field.frames, "text", G_TYPE_STRING, sentence.c_str(),
                                       nullptr));
    }

    struct Counts {
        std::uint64_t frames = 0, lost = 0, repeated = 0, late = 0;
    };

    std::mutex lock_; // for fields_ and sum_
    std::shared_ptr<const live::Fields> fields_ = std::make_shared<const live::Fields>();
    std::optional<Taken> sum_;
    std::optional<std::uint64_t> last_; // the highest number so far
    Counts counts_;
    bool told_angles_ = false;
};

bool LiveStore::take_next(live::FieldKind kind, unsigned count) {
    if (!count) {
        warn(text("0 %s can't be taken: say how many frames they are the mean of", live::name_of(kind)));
        return false;
    }
    const std::lock_guard<std::mutex> lock(lock_);
    if (sum_) {
        warn(text("%s are still being taken, %u to come: wait for them", live::name_of(sum_->kind),
                  sum_->sum ? sum_->sum->missing() : sum_->count));
        return false;
    }
    sum_.emplace();
    sum_->kind = kind;
    sum_->count = count;
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

void LiveStore::describe_pads(GstElementClass *klass) const {
    Filter::describe_pads(klass);
    const auto add = [&](const char *name, GCallback handler, GType argument) {
        g_signal_new_class_handler(name, G_TYPE_FROM_CLASS(klass),
                                   static_cast<GSignalFlags>(G_SIGNAL_RUN_LAST | G_SIGNAL_ACTION), handler,
                                   nullptr, nullptr, nullptr, G_TYPE_BOOLEAN, 1, argument);
    };
    using live::FieldKind;
    add("take-darks", G_CALLBACK(take_action<FieldKind::dark>), G_TYPE_UINT);
    add("take-flats", G_CALLBACK(take_action<FieldKind::flat>), G_TYPE_UINT);
    add("read-darks", G_CALLBACK(read_action<FieldKind::dark>), G_TYPE_STRING);
    add("read-flats", G_CALLBACK(read_action<FieldKind::flat>), G_TYPE_STRING);
}

} // namespace

TOMO_ELEMENT(LiveStore)
