// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "live-pipeline.hpp"
#include "planes.hpp"
#include "volume-files.hpp"

#include <gst/files/scan/layout.hpp>
#include <gst/reconstruction/line.hpp>
#include <gst/tomo/bases/negotiation.hpp>
#include <gst/tomo/geometry/degrees.hpp>
#include <gst/tomo/graph/names.hpp>
#include <gst/tomo/gsttomometa.h>
#include <gst/tomo/support/bytes.hpp>
#include <gst/tomo/support/c-string.hpp>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <regex>

namespace tomo::live {

namespace {

ObjectRef<GstElement> parse(const std::string &line, bool is_bin, const char *name) {
    GError *raw = nullptr;
    GstElement *parsed =
        is_bin ? gst_parse_bin_from_description_full(line.c_str(), TRUE, nullptr, GST_PARSE_FLAG_FATAL_ERRORS,
                                                     &raw)
               : gst_parse_launch_full(line.c_str(), nullptr, GST_PARSE_FLAG_FATAL_ERRORS, &raw);
    if (raw || !parsed) {
        const std::string why = raw ? raw->message : "it names no element";
        g_clear_error(&raw);
        if (parsed)
            gst_object_unref(parsed);
        graph_error(GST_TOMO_GRAPH_ERROR_SYNTAX, text("%s '%s': %s", name, line.c_str(), why.c_str()));
    }
    return ObjectRef<GstElement>(GST_ELEMENT_CAST(gst_object_ref_sink(parsed)));
}

void set(const ObjectRef<GstElement> &element, const char *property, const std::string &value) {
    gst_util_set_object_arg(G_OBJECT(element.get()), property, value.c_str());
}

// Columns of planes that have no size of their own.
std::string with_size(const std::string &plane, unsigned size) {
    const bool has_size = plane.find(',') != plane.npos || plane.find("at") != plane.npos;
    return !size || has_size ? plane : text("%s,size=%u", plane.c_str(), size);
}

std::vector<std::string> planes_of(const LiveSettings &settings) {
    auto planes = split_planes(settings.planes);
    for (auto &one : planes)
        one = with_size(one, settings.size);
    return planes;
}

// A name of a file, which no elements of GStreamer are.
bool is_played(const LiveSettings &settings) {
    return g_file_test(settings.source.value().c_str(), G_FILE_TEST_EXISTS);
}

struct FieldFiles {
    std::string darks, flats;
};

// Those that are given, else those of a scan that is played. Throws Error where it is none.
FieldFiles own_fields(const LiveSettings &settings) {
    FieldFiles files{settings.darks, settings.flats};
    const auto source = settings.source.value();
    if (!is_played(settings) || !io::names_scan_file(source))
        return files;
    io::ScanRequest request;
    request.location = source;
    const auto scan = io::find_scan(request);
    if (files.darks.empty() && !scan.darks.images.empty())
        files.darks = source;
    if (files.flats.empty() && !scan.flats.images.empty())
        files.flats = source;
    return files;
}

// Frames that wait for the clock come one by one, so that no element may wait for more of them.
void flow_by_the_clock(const ObjectRef<GstElement> &source) {
    const ObjectRef<GstPad> out(gst_element_get_static_pad(source.get(), "src"));
    gst_pad_add_probe(
        out.get(), GST_PAD_PROBE_TYPE_QUERY_UPSTREAM,
        [](GstPad *, GstPadProbeInfo *info, gpointer) {
            return is_flow_query(GST_PAD_PROBE_INFO_QUERY(info)) ? GST_PAD_PROBE_DROP : GST_PAD_PROBE_OK;
        },
        nullptr, nullptr);
}

std::int64_t now() { return g_get_monotonic_time(); }

} // namespace

ObjectRef<GstElement> LivePipeline::named(const char *name) const {
    return ObjectRef<GstElement>(gst_bin_get_by_name(GST_BIN(pipeline_.get()), name));
}

ObjectRef<GstElement> LivePipeline::make_source(const LiveSettings &settings) {
    const auto given = settings.source.value();
    if (given.find_first_not_of(" \t\n") == given.npos)
        graph_error(GST_TOMO_GRAPH_ERROR_VALUE,
                    "there is no source: name a camera, such as 'aravissrc' or 'v4l2src', or a scan");
    if (is_played(settings)) {
        auto line = "tomoscansrc name=scan" + reconstruction::launch_property("location", given);
        constexpr double for_eyes = 25.0;
        const bool follows = !settings.frame_rate.is_given() && settings.drop;
        if (const double rate = follows ? for_eyes : settings.frame_rate.value(); rate > 0) {
            int n = 0, d = 1;
            gst_util_double_to_fraction(rate, &n, &d);
            line += text(
                " scan.projections ! capsfilter caps=\"application/x-tomo-array(ANY),framerate=(fraction)%d/%d\" "
                "! clocksync sync-to-first=true",
                n, d);
            auto source = parse(line, true, "source");
            flow_by_the_clock(source);
            return source;
        }
        return parse(line + " scan.projections ! identity", true, "source");
    }
    if (given.find_first_of(" !") == given.npos && given.find("://") == given.npos) {
        const ObjectRef<GstElementFactory> factory(gst_element_factory_find(given.c_str()));
        if (!factory)
            graph_error(
                GST_TOMO_GRAPH_ERROR_VALUE,
                text("source '%s' is no file that is there, and no element of GStreamer", given.c_str()));
    }
    // Caps need an element behind them.
    static const std::regex ends_with_caps(R"((^|!)\s*\w+/x?[-.\w]*[^!]*$)");
    return parse(std::regex_search(given, ends_with_caps) ? given + " ! identity silent=true" : given, true,
                 "source");
}

LivePipeline::LivePipeline(const LiveSettings &settings, Show show) : show_(std::move(show)) {
    source_ = make_source(settings);
    gst_object_set_name(GST_OBJECT(source_.get()), "source");
    const ObjectRef<GstPad> out(gst_element_get_static_pad(source_.get(), "src"));
    if (!out)
        graph_error(
            GST_TOMO_GRAPH_ERROR_STRUCTURE,
            text("source '%s' has no output that is free: end it with one, behind a camera for instance",
                 settings.source.value().c_str()));
    const auto process = settings.process.value();
    const bool is_corrected = settings.correction.is("on"),
               retrieves_phase = !settings.retrieval_method.is("none"),
               wants_transmission = retrieves_phase || process.find("retrievephase") != process.npos;
    std::string line = "tomoconvert name=convert ! tomolivestore name=store ! queue name=waiting "
                       "max-size-bytes=0 max-size-time=0 ! ";
    if (is_corrected)
        line += text("tomolivecorrect name=correct absorption-correct=%s ! ",
                     wants_transmission ? "false" : "true");
    if (retrieves_phase)
        line += "tomoretrievephase name=phase normalize=true" +
                reconstruction::calculation("absorption", "isfinite(v) && v > 0.0f ? -log(v) : 0.0f") + " ! ";
    if (process.find_first_not_of(" \t\n") != process.npos)
        line += process + " ! ";
    line += "tomorampfilter name=filter ! tomoprojectionring name=ring ! tee name=all allow-not-linked=true "
            "all. ! tomoliveslices name=slices all. ! queue name=volume-waiting leaky=downstream "
            "max-size-buffers=1 max-size-bytes=0 max-size-time=0 ! tomoliveslice name=volume ! "
            "fakesink name=volume-sink sync=false async=false enable-last-sample=false";
    pipeline_ = parse(line, false, "process");
    g_object_set(pipeline_.get(), "auto-flush-bus", FALSE, nullptr); // what a file tells last
    store_ = named("store");
    waiting_ = named("waiting");
    ring_ = named("ring");
    slices_ = named("slices");
    volume_ = named("volume");
    if (retrieves_phase)
        phase_ = named("phase");

    const auto device = settings.device.value();
    if (!device.empty())
        for (const char *name : {"convert", "correct", "phase", "absorption", "filter", "ring", "volume"})
            if (const auto element = named(name))
                g_object_set(element.get(), "device", device.c_str(), nullptr);
    const auto own = own_fields(settings);
    g_object_set(store_.get(), "darks", own.darks.c_str(), "flats", own.flats.c_str(), nullptr);
    g_object_set(waiting_.get(), "max-size-buffers", settings.waiting_frames.value(), nullptr);
    set(waiting_, "leaky", settings.drop ? "downstream" : "no");
    set(ring_, "precision-mode", settings.precision_mode.value());
    g_object_set(slices_.get(), "drop", gboolean{settings.drop}, nullptr);
    rate_ = settings.rate;
    g_object_set(store_.get(), "wait", gboolean{!settings.drop}, "store-limit",
                 guint64{bytes_of(settings.store_limit).value_or(0)}, nullptr);
    set_phase(settings);
    set_keeping(settings);
    set_angles(settings);
    set_planes(settings);
    set_volume(settings);

    // What comes to the device, and how much of it.
    const auto count_at = [&](const char *pad_name, std::atomic<std::uint64_t> *count) {
        const ObjectRef<GstPad> pad(gst_element_get_static_pad(waiting_.get(), pad_name));
        gst_pad_add_probe(
            pad.get(), GST_PAD_PROBE_TYPE_BUFFER,
            [](GstPad *, GstPadProbeInfo *, gpointer counter) {
                ++*static_cast<std::atomic<std::uint64_t> *>(counter);
                return GST_PAD_PROBE_OK;
            },
            count, nullptr);
    };
    count_at("sink", &in_);
    count_at("src", &out_);
    const ObjectRef<GstPad> stored(gst_element_get_static_pad(store_.get(), "sink"));
    gst_pad_add_probe(
        stored.get(), GST_PAD_PROBE_TYPE_BUFFER,
        [](GstPad *pad, GstPadProbeInfo *probe, gpointer self) {
            auto *pipeline = static_cast<LivePipeline *>(self);
            const CapsRef caps(gst_pad_get_current_caps(pad));
            SampleRef sample(gst_sample_new(GST_PAD_PROBE_INFO_BUFFER(probe), caps.get(), nullptr, nullptr));
            const std::lock_guard<std::mutex> lock(pipeline->lock_);
            std::swap(pipeline->frame_, sample);
            return GST_PAD_PROBE_OK;
        },
        this, nullptr);
    const ObjectRef<GstPad> to_slices(gst_element_get_static_pad(slices_.get(), "sink"));
    gst_pad_add_probe(
        to_slices.get(), GST_PAD_PROBE_TYPE_BUFFER,
        [](GstPad *, GstPadProbeInfo *, gpointer self) {
            return static_cast<LivePipeline *>(self)->is_paused_ ? GST_PAD_PROBE_DROP : GST_PAD_PROBE_OK;
        },
        this, nullptr);

    // Volumes where somebody wants one.
    const auto volumes = named("volume-waiting"), sink = named("volume-sink");
    const ObjectRef<GstPad> gate(gst_element_get_static_pad(volumes.get(), "sink")),
        made(gst_element_get_static_pad(sink.get(), "sink"));
    gst_pad_add_probe(
        gate.get(), GST_PAD_PROBE_TYPE_BUFFER,
        [](GstPad *, GstPadProbeInfo *, gpointer self) {
            auto *pipeline = static_cast<LivePipeline *>(self);
            const double rate = pipeline->volume_rate_;
            const bool is_due = rate > 0 && !pipeline->is_paused_ && now() >= pipeline->next_volume_;
            if (!is_due && !pipeline->is_volume_wanted_)
                return GST_PAD_PROBE_DROP;
            if (rate > 0)
                pipeline->next_volume_ = now() + static_cast<std::int64_t>(1e6 / rate);
            return GST_PAD_PROBE_OK;
        },
        this, nullptr);
    gst_pad_add_probe(
        made.get(), GST_PAD_PROBE_TYPE_BUFFER,
        [](GstPad *pad, GstPadProbeInfo *probe, gpointer self) {
            auto *pipeline = static_cast<LivePipeline *>(self);
            auto *buffer = GST_PAD_PROBE_INFO_BUFFER(probe);
            // Another projection passed the gate while the one that was asked for was made.
            if (!pipeline->is_volume_wanted_.exchange(false) && !(pipeline->volume_rate_ > 0))
                return GST_PAD_PROBE_DROP;
            pipeline->show({}, ++pipeline->volumes_, pad, buffer);
            pipeline->tell_volume(pad, buffer);
            return GST_PAD_PROBE_OK;
        },
        this, nullptr);

    // An end that comes of a failure is none: the source is started again.
    gst_pad_add_probe(
        out.get(), GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM,
        [](GstPad *, GstPadProbeInfo *probe, gpointer self) {
            const bool is_end = GST_EVENT_TYPE(GST_PAD_PROBE_INFO_EVENT(probe)) == GST_EVENT_EOS;
            return is_end && static_cast<LivePipeline *>(self)->is_source_down_ ? GST_PAD_PROBE_DROP
                                                                                : GST_PAD_PROBE_OK;
        },
        this, nullptr);
    if (settings.retry > 0) {
        const ObjectRef<GstBus> bus(gst_element_get_bus(pipeline_.get()));
        gst_bus_set_sync_handler(
            bus.get(),
            [](GstBus *, GstMessage *message, gpointer self) {
                auto *pipeline = static_cast<LivePipeline *>(self);
                if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR &&
                    pipeline->is_of_source(GST_MESSAGE_SRC(message)))
                    pipeline->is_source_down_ = true;
                return GST_BUS_PASS;
            },
            this, nullptr);
    }
    gst_bin_add(GST_BIN(pipeline_.get()), source_.get());
    const auto convert = named("convert");
    if (!gst_element_link(source_.get(), convert.get()))
        graph_error(
            GST_TOMO_GRAPH_ERROR_STRUCTURE,
            text("source '%s' gives no images that can be taken: wanted gray video (GRAY8, GRAY16 or "
                 "GRAY10) or arrays; put 'videoconvert ! video/x-raw,format=GRAY16_LE' behind a camera "
                 "with colours",
                 settings.source.value().c_str()));
}

LivePipeline::~LivePipeline() {
    end();
    const ObjectRef<GstBus> bus(gst_element_get_bus(pipeline_.get()));
    if (!bus)
        return;
    gst_bus_set_sync_handler(bus.get(), nullptr, nullptr, nullptr);
    gst_bus_set_flushing(bus.get(), TRUE);
}

void LivePipeline::play() {
    // A failure is told on the bus.
    gst_element_set_state(pipeline_.get(), GST_STATE_PLAYING);
}

void LivePipeline::end() { gst_element_set_state(pipeline_.get(), GST_STATE_NULL); }

bool LivePipeline::is_of_source(GstObject *object) const {
    return object && (object == GST_OBJECT(source_.get()) ||
                      gst_object_has_as_ancestor(object, GST_OBJECT(source_.get())));
}

void LivePipeline::stop_source() {
    gst_element_set_locked_state(source_.get(), TRUE);
    gst_element_set_state(source_.get(), GST_STATE_NULL);
}

void LivePipeline::start_source() {
    is_source_down_ = false;
    gst_element_set_locked_state(source_.get(), FALSE);
    gst_element_sync_state_with_parent(source_.get());
}

// Parameters
// -------------------------------------------------------------------------------------------------

void LivePipeline::set_angles(const LiveSettings &settings) {
    const unsigned half_turn = settings.half_turn;
    const double step = half_turn ? std::numbers::pi / half_turn : radians(settings.angle_step_degrees);
    g_object_set(store_.get(), "angle-step", step, "speed", radians(settings.speed_degrees), nullptr);
    g_object_set(ring_.get(), "views", settings.views ? settings.views.value() : half_turn, nullptr);
    const double axis = settings.axis > 0 ? settings.axis.value() : -1.0;
    g_object_set(store_.get(), "axis-pos", settings.axis.value(), nullptr);
    for (const auto *element : {&slices_, &volume_})
        g_object_set(element->get(), "axis-pos", axis, "roll", radians(settings.roll), nullptr);
}

void LivePipeline::set_planes(const LiveSettings &settings) {
    const auto planes = planes_of(settings);
    const std::lock_guard<std::mutex> lock(lock_);
    while (branches_.size() > planes.size())
        remove_branch();
    g_object_set(slices_.get(), "planes", joined_planes(planes).c_str(), nullptr);
    while (branches_.size() < planes.size())
        add_branch();
}

void LivePipeline::set_phase(const LiveSettings &settings) {
    if (!phase_)
        return;
    set(phase_, "method", settings.retrieval_method.value());
    g_object_set(phase_.get(), "regularization-rate", settings.regularization_rate.value(), "energy",
                 settings.energy.value(), "pixel-size", settings.pixel_size.value(), nullptr);
    for (const auto &[name, distance] : {std::pair{"distance", settings.propagation_distance.value()},
                                         {"source-distance", settings.source_distance.value()}})
        set(phase_, name, distance > 0 ? "<" + reconstruction::number(distance) + ">" : "<>");
}

void LivePipeline::set_keeping(const LiveSettings &settings) {
    const auto path = settings.keep_path.value();
    g_object_set(store_.get(), "keep-when", settings.keep_when.value().c_str(), "keep-seconds",
                 settings.keep_seconds.value(), "keep-path", path.empty() ? "live-%03i.h5" : path.c_str(),
                 nullptr);
}

void LivePipeline::set_volume(const LiveSettings &settings) {
    volume_rate_ = settings.volume_rate;
    {
        const std::lock_guard<std::mutex> lock(lock_);
        volume_pattern_ = settings.volume_path;
    }
    g_object_set(volume_.get(), "plane", text("z=0,size=%u,depth=all", settings.volume_size.value()).c_str(),
                 nullptr);
}

void LivePipeline::add_branch() {
    auto branch = std::make_unique<Branch>();
    branch->owner = this;
    branch->index = static_cast<unsigned>(branches_.size());
    auto *sink = gst_element_factory_make("fakesink", nullptr);
    if (!sink)
        throw Error(GST_CORE_ERROR_MISSING_PLUGIN,
                    "GStreamer has no element fakesink: install its core elements");
    branch->sink = ObjectRef<GstElement>::referenced(sink);
    g_object_set(sink, "sync", FALSE, "async", FALSE, "enable-last-sample", FALSE, nullptr);
    gst_bin_add(GST_BIN(pipeline_.get()), sink);
    const ObjectRef<GstPad> in(gst_element_get_static_pad(sink, "sink"));
    gst_pad_add_probe(
        in.get(), GST_PAD_PROBE_TYPE_BUFFER,
        [](GstPad *pad, GstPadProbeInfo *probe, gpointer data) {
            auto *branch = static_cast<Branch *>(data);
            branch->owner->slice_count_++;
            branch->owner->show(branch->index, ++branch->count, pad, GST_PAD_PROBE_INFO_BUFFER(probe));
            return GST_PAD_PROBE_OK;
        },
        branch.get(), nullptr);
    gst_element_sync_state_with_parent(sink);
    branch->slices = ObjectRef<GstPad>(
        gst_element_request_pad_simple(slices_.get(), text("src_%u", branch->index).c_str()));
    gst_pad_link(branch->slices.get(), in.get());
    branches_.push_back(std::move(branch));
}

void LivePipeline::remove_branch() {
    const auto branch = std::move(branches_.back());
    branches_.pop_back();
    gst_element_release_request_pad(slices_.get(), branch->slices.get());
    gst_element_set_locked_state(branch->sink.get(), TRUE);
    gst_element_set_state(branch->sink.get(), GST_STATE_NULL);
    gst_bin_remove(GST_BIN(pipeline_.get()), branch->sink.get());
}

void LivePipeline::change(const LiveSettings &settings, const std::string &name) {
    static const std::vector<std::string> no_matter = {"minimum", "maximum", "patience", "retry",
                                                       "frame-rate"};
    if (name == "planes" || name == "size")
        set_planes(settings);
    else if (name == "half-turn" || name == "angle-step-degrees" || name == "speed-degrees" ||
             name == "views" || name == "axis" || name == "roll")
        set_angles(settings);
    else if (name == "retrieval-method" && !phase_ == settings.retrieval_method.is("none"))
        set_phase(settings);
    else if (name == "regularization-rate" || name == "energy" || name == "propagation-distance" ||
             name == "source-distance" || name == "pixel-size")
        set_phase(settings);
    else if (name == "volume-size" || name == "volume-rate" || name == "volume-path")
        set_volume(settings);
    else if (name == "rate")
        rate_ = settings.rate;
    else if (name == "keep-when" || name == "keep-seconds" || name == "keep-path")
        set_keeping(settings);
    else if (name == "waiting-frames")
        g_object_set(waiting_.get(), "max-size-buffers", settings.waiting_frames.value(), nullptr);
    else if (name == "darks" || name == "flats") {
        gboolean is_read = FALSE;
        const auto path = name == "darks" ? settings.darks.value() : settings.flats.value();
        g_signal_emit_by_name(store_.get(), ("read-" + name).c_str(), path.c_str(), &is_read);
    } else if (std::find(no_matter.begin(), no_matter.end(), name) == no_matter.end())
        graph_error(GST_TOMO_GRAPH_ERROR_BUSY,
                    text("%s can't change while it runs: stop it first", name.c_str()));
}

void LivePipeline::follow_rate(double frames_per_second) {
    const double rate = rate_;
    const auto every = rate > 0 ? std::max(1.0, std::round(frames_per_second / rate)) : 1.0;
    guint now = 0;
    g_object_get(slices_.get(), "every", &now, nullptr);
    if (now != static_cast<guint>(every))
        g_object_set(slices_.get(), "every", static_cast<guint>(every), nullptr);
}

// Commands
// ---------------------------------------------------------------------------------------------------

void LivePipeline::take_fields(const std::string &kind, unsigned count) {
    gboolean is_begun = FALSE;
    g_signal_emit_by_name(store_.get(), ("take-" + kind).c_str(), count, &is_begun);
    if (!is_begun)
        graph_error(GST_TOMO_GRAPH_ERROR_BUSY, text("%s are not taken; a warning tells why", kind.c_str()));
}

void LivePipeline::cancel_fields() {
    gboolean is_cancelled = FALSE;
    g_signal_emit_by_name(store_.get(), "cancel-fields", &is_cancelled);
    if (!is_cancelled)
        graph_error(GST_TOMO_GRAPH_ERROR_BUSY, "no darks or flats are being taken");
}

void LivePipeline::keep(double seconds, const std::string &path) {
    gboolean is_begun = FALSE;
    g_signal_emit_by_name(store_.get(), "keep", seconds, path.c_str(), &is_begun);
    if (!is_begun)
        graph_error(GST_TOMO_GRAPH_ERROR_BUSY,
                    text("frames are not kept in '%s'; the event keep tells why", path.c_str()));
}

void LivePipeline::stop_keeping() {
    gboolean is_stopped = FALSE;
    g_signal_emit_by_name(store_.get(), "stop-keeping", &is_stopped);
}

void LivePipeline::request_volume(const std::string &path) {
    if (!path.empty()) {
        check_volume_name(path);
        const std::lock_guard<std::mutex> lock(lock_);
        if (!next_volume_path_.empty())
            graph_error(GST_TOMO_GRAPH_ERROR_BUSY,
                        text("the next volume goes to '%s': wait for it", next_volume_path_.c_str()));
        next_volume_path_ = path;
    }
    is_volume_wanted_ = true;
}

GstSample *LivePipeline::frame() {
    const std::lock_guard<std::mutex> lock(lock_);
    return frame_ ? gst_sample_ref(frame_.get()) : nullptr;
}

LivePipeline::Counts LivePipeline::counts() const {
    const auto result = [&](const char *property) {
        double value = 0;
        g_object_get(store_.get(), property, &value, nullptr);
        return static_cast<std::uint64_t>(value);
    };
    guint waiting = 0;
    g_object_get(waiting_.get(), "current-level-buffers", &waiting, nullptr);
    const auto passed = out_.load(), out = passed + waiting, in = in_.load();
    Counts counts{};
    counts.passed = passed;
    counts.frames = result("frames");
    counts.lost = result("lost");
    counts.repeated = result("repeated");
    counts.late = result("late");
    counts.dropped = in > out ? in - out : 0;
    counts.slices = slice_count_;
    counts.stored = result("stored");
    counts.kept = result("kept");
    counts.to_take = result("to-take");
    g_object_get(store_.get(), "stored-seconds", &counts.stored_seconds, nullptr);
    counts.latency = latency_;
    return counts;
}

// Results
// ----------------------------------------------------------------------------------------------------

void LivePipeline::show(std::optional<unsigned> index, std::uint64_t count, GstPad *pad, GstBuffer *buffer) {
    GstMapInfo map;
    if (!gst_buffer_map(buffer, &map, GST_MAP_READ)) // waits for the device
        return;
    gst_buffer_unmap(buffer, &map);
    double latency = std::nan(""), angle = std::nan("");
    static GstStaticCaps arrival_caps = GST_STATIC_CAPS("timestamp/x-tomo-arrival");
    const CapsRef of_arrival(gst_static_caps_get(&arrival_caps));
    if (const auto *arrival = gst_buffer_get_reference_timestamp_meta(buffer, of_arrival.get()))
        latency = static_cast<double>(gst_util_get_timestamp() - arrival->timestamp) / GST_SECOND;
    guint64 number = GST_BUFFER_OFFSET(buffer), time = GST_CLOCK_TIME_NONE;
    if (const auto *facts = gst_buffer_get_tomo_frame_meta(buffer)) {
        number = facts->index;
        time = facts->time;
        angle = facts->angle;
    }
    if (!GST_CLOCK_TIME_IS_VALID(time))
        time = GST_BUFFER_PTS(buffer);
    if (index)
        latency_ = latency;
    const CapsRef caps(gst_pad_get_current_caps(pad));
    auto *facts = gst_structure_new(index ? "slice" : "volume", "number", G_TYPE_UINT64, number, "count",
                                    G_TYPE_UINT64, guint64{count}, "latency", G_TYPE_DOUBLE, latency, "time",
                                    G_TYPE_UINT64, time, "angle", G_TYPE_DOUBLE, angle, nullptr);
    if (index)
        gst_structure_set(facts, "plane", G_TYPE_UINT, *index, nullptr);
    show_(index, SampleRef(gst_sample_new(buffer, caps.get(), nullptr, facts)));
}

// And writes it where somebody wants that.
void LivePipeline::tell_volume(GstPad *pad, GstBuffer *buffer) {
    std::string path, pattern;
    {
        const std::lock_guard<std::mutex> lock(lock_);
        path = std::exchange(next_volume_path_, {});
        pattern = volume_pattern_;
    }
    std::string said;
    std::optional<Error> error;
    ArrayInfo info;
    try {
        const CapsRef caps(gst_pad_get_current_caps(pad));
        info = ArrayInfo::from_caps(caps.get());
        if (path.empty() && !pattern.empty())
            path = free_volume_name(pattern);
        if (!path.empty()) {
            const MappedBuffer mapped(buffer, GST_MAP_READ);
            write_volume(path, info, mapped.data());
            said = text("'%s' has a volume of %s", path.c_str(), info.describe().c_str());
        }
    } catch (...) {
        error = current_error();
        said = text("a coarse volume was not written: %s", error->what());
    }
    auto *told = gst_structure_new("tomo-volume", "state", G_TYPE_STRING, error ? "failed" : "done", "width",
                                   G_TYPE_UINT, info.width, "height", G_TYPE_UINT, info.height, "depth",
                                   G_TYPE_UINT, info.depth, nullptr);
    const auto *facts = gst_buffer_get_tomo_frame_meta(buffer);
    gst_structure_set(told, "number", G_TYPE_UINT64, facts ? facts->index : GST_BUFFER_OFFSET(buffer),
                      nullptr);
    if (facts && std::isfinite(facts->angle))
        gst_structure_set(told, "angle", G_TYPE_DOUBLE, facts->angle, nullptr);
    if (!path.empty())
        gst_structure_set(told, "path", G_TYPE_STRING, path.c_str(), "text", G_TYPE_STRING, said.c_str(),
                          nullptr);
    gst_element_post_message(volume_.get(), gst_message_new_element(GST_OBJECT(volume_.get()), told));
    if (error)
        gst_element_message_full(volume_.get(), GST_MESSAGE_WARNING, error->domain, error->code,
                                 g_strdup(said.c_str()), nullptr, __FILE__, G_STRFUNC, __LINE__);
}

} // namespace tomo::live
