// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "session.hpp"

#include <gst/tomo/graph/names.hpp>
#include <gst/tomo/graph/protocol.hpp>
#include <gst/tomo/support/c-string.hpp>
#include <gst/tomo/support/threads.hpp>

#include <algorithm>
#include <cmath>
#include <string_view>
#include <utility>

namespace tomo::live {

namespace {

using Clock = std::chrono::steady_clock;

[[noreturn]] void not_running() { graph_error(GST_TOMO_GRAPH_ERROR_BUSY, "nothing runs: start it first"); }

std::string name_of(GstMessage *message) {
    return GST_MESSAGE_SRC(message) ? GST_MESSAGE_SRC_NAME(message) : "";
}

// The members of an element message as JSON.
void add_fields(Json &event, const GstStructure *told) {
    for (gint i = 0; i < gst_structure_n_fields(told); i++) {
        const char *name = gst_structure_nth_field_name(told, static_cast<guint>(i));
        const auto *value = gst_structure_get_value(told, name);
        if (G_VALUE_HOLDS_STRING(value))
            event.set(name, Json::text(g_value_get_string(value) ? g_value_get_string(value) : ""));
        else if (G_VALUE_HOLDS_UINT(value))
            event.set(name, Json::integer(guint64{g_value_get_uint(value)}));
        else if (G_VALUE_HOLDS_UINT64(value))
            event.set(name, Json::integer(g_value_get_uint64(value)));
        else if (G_VALUE_HOLDS_DOUBLE(value))
            event.set(name, Json::number(g_value_get_double(value)));
        else if (G_VALUE_HOLDS_BOOLEAN(value))
            event.set(name, Json::boolean(g_value_get_boolean(value)));
    }
}

// Elements of GStreamer end their sentences, ours do not.
std::string without_stop(std::string sentence) {
    while (!sentence.empty() && sentence.back() == '.')
        sentence.pop_back();
    return sentence;
}

// Elements name their own properties, which are parameters by other names here.
std::string by_parameters(std::string told) {
    constexpr std::pair<std::string_view, std::string_view> names[] = {
        {"angle-step of tomoprojectionring", "half-turn"},
        {"views of tomoprojectionring", "views"},
        {"set angle-step, or speed", "set half-turn, angle-step-degrees, or speed-degrees"},
        {"set angle-step instead", "set half-turn or angle-step-degrees instead"},
        {"speed needs", "speed-degrees needs"},
        {"Set axis-pos", "Set axis"},
        {"give distance, in metres", "give propagation-distance, in metres"},
    };
    for (const auto &[property, parameter] : names)
        for (auto at = told.find(property); at != std::string::npos;
             at = told.find(property, at + parameter.size()))
            told.replace(at, property.size(), parameter);
    return told;
}

// How often something happens, over the last second or so.
class Frequency {
  public:
    void count(std::uint64_t total) {
        const auto now = Clock::now();
        const double seconds = std::chrono::duration<double>(now - since_).count();
        if (seconds < 0.9)
            return;
        rate_ = total >= before_ ? static_cast<double>(total - before_) / seconds : 0.0;
        since_ = now;
        before_ = total;
    }
    double rate() const { return rate_; }

  private:
    Clock::time_point since_ = Clock::now();
    std::uint64_t before_ = 0;
    double rate_ = 0;
};

} // namespace

// What the thread that runs knows of the course.
struct Session::Course {
    double patience = 0, retry = 0;
    Frequency frames, passed, slices;
    std::uint64_t seen = 0; // frames
    Clock::time_point last_frame = Clock::now(), next_progress = Clock::now();
    std::optional<Clock::time_point> retry_at = {};
    std::string state = {};
    std::vector<std::string> outputs = {};
    std::optional<Error> failure = {};
    bool has_ended = false;
    bool has_missed_first = false;                      // it is said that no frame has come at all
    std::string taking = {};                            // darks or flats, the last ones
    unsigned to_take = 0;                               // all of them
    std::map<std::string, Clock::time_point> told = {}; // of the last minute, and when they came first
};

Session::~Session() {
    stop();
    leave_thread();
}

std::shared_ptr<LivePipeline> Session::running_or_null() {
    const std::lock_guard<std::mutex> lock(lock_);
    return pipeline_;
}

std::shared_ptr<LivePipeline> Session::running() {
    auto pipeline = running_or_null();
    if (!pipeline)
        not_running();
    was_steered_ = true;
    return pipeline;
}

void Session::start(const LiveSettings &settings) {
    join_after_end();
    const std::lock_guard<std::mutex> thread_lock(thread_lock_);
    if (is_running() || thread_.joinable())
        graph_error(GST_TOMO_GRAPH_ERROR_BUSY, "it runs already: stop it first");
    auto pipeline =
        std::make_shared<LivePipeline>(settings, [this](std::optional<unsigned> index, SampleRef sample) {
            show(index, std::move(sample));
        });
    Course course;
    course.patience = settings.patience;
    course.retry = settings.retry;
    const std::lock_guard<std::mutex> lock(lock_);
    events_.clear();
    error_.reset();
    slices_.clear();
    volume_ = {};
    is_stopping_ = false;
    statistics_ = {};
    thread_ = start_thread([this, pipeline, course] { run(pipeline, course); });
    pipeline_ = pipeline;
    running_ = true;
}

void Session::show(std::optional<unsigned> index, SampleRef sample) {
    LiveEvent event{index ? LiveEvent::Kind::slice : LiveEvent::Kind::volume, index.value_or(0), {}, sample};
    push(std::move(event), [&](auto &events, const LiveEvent &newest) {
        // Whoever looks seldom sees the newest ones.
        std::erase_if(events, [&](const LiveEvent &one) {
            return one.kind == newest.kind && one.index == newest.index;
        });
        (index ? slices_[*index] : volume_) = sample;
    });
}

void Session::stop() { is_stopping_ = true; }

void Session::pause(bool is_paused) {
    running()->pause(is_paused);
    tell(state_event(is_paused));
}

void Session::change(const LiveSettings &settings, const std::string &name) {
    was_steered_ = true;
    if (const auto pipeline = running_or_null())
        pipeline->change(settings, name);
}

void Session::take_fields(const std::string &kind, unsigned count) { running()->take_fields(kind, count); }
void Session::cancel_fields() { running()->cancel_fields(); }
void Session::keep(double seconds, const std::string &path) { running()->keep(seconds, path); }
void Session::stop_keeping() { running()->stop_keeping(); }
void Session::request_volume(const std::string &path) { running()->request_volume(path); }

GstSample *Session::slice(unsigned index) {
    const std::lock_guard<std::mutex> lock(lock_);
    const auto found = slices_.find(index);
    return found == slices_.end() ? nullptr : gst_sample_ref(found->second.get());
}

GstSample *Session::volume() {
    const std::lock_guard<std::mutex> lock(lock_);
    return volume_ ? gst_sample_ref(volume_.get()) : nullptr;
}

GstSample *Session::frame() {
    const auto pipeline = running_or_null();
    return pipeline ? pipeline->frame() : nullptr;
}

GstElement *Session::element(const std::string &name) {
    const auto pipeline = running_or_null();
    return pipeline ? gst_bin_get_by_name(GST_BIN(pipeline->gst()), name.c_str()) : nullptr;
}

Json Session::statistics() {
    const std::lock_guard<std::mutex> lock(lock_);
    return statistics_;
}

// The thread
// --------------------------------------------------------------------------------------------------

void Session::run(std::shared_ptr<LivePipeline> pipeline, Course course) {
    const auto error = error_of_work([&] {
        tell(hello_event());
        set_state(course, "waiting");
        const ObjectRef<GstBus> bus(gst_element_get_bus(pipeline->gst()));
        pipeline->play();
        while (!is_stopping_ && !course.has_ended && !course.failure) {
            constexpr auto patience = 50 * GST_MSECOND;
            using Message = Reference<GstMessage, mini_object_ref, mini_object_unref>;
            if (const Message message(gst_bus_timed_pop(bus.get(), patience)); message)
                look(message.get(), *pipeline, course);
            watch(*pipeline, course);
        }
        pipeline->stop_keeping();
        pipeline->end();
        for (;;) { // what was told last, such as the end of a file
            using Message = Reference<GstMessage, mini_object_ref, mini_object_unref>;
            const Message message(gst_bus_pop_filtered(
                bus.get(), static_cast<GstMessageType>(GST_MESSAGE_ELEMENT | GST_MESSAGE_WARNING)));
            if (!message)
                break;
            look(message.get(), *pipeline, course);
        }
        tell_progress(*pipeline, course);
        if (course.failure)
            throw Error(*course.failure);
    });
    {
        const std::lock_guard<std::mutex> lock(lock_);
        pipeline_.reset();
    }
    pipeline.reset();
    auto outputs = Json::list();
    for (const auto &file : course.outputs)
        outputs.add(Json::text(file));
    if (error)
        tell(message_event("error", error->what()));
    tell(done_event(error ? "failed" : "done", std::move(outputs)));
    finish_work(error, [] {});
}

void Session::set_state(Course &course, const char *state) {
    if (course.state == state)
        return;
    course.state = state;
    auto event = event_of("state");
    event.set("state", Json::text(state));
    tell(event);
}

void Session::look(GstMessage *message, LivePipeline &pipeline, Course &course) {
    switch (GST_MESSAGE_TYPE(message)) {
    case GST_MESSAGE_ERROR:
    case GST_MESSAGE_WARNING:
    case GST_MESSAGE_INFO: {
        const auto type = GST_MESSAGE_TYPE(message);
        GError *raw = nullptr;
        (type == GST_MESSAGE_ERROR     ? gst_message_parse_error
         : type == GST_MESSAGE_WARNING ? gst_message_parse_warning
                                       : gst_message_parse_info)(message, &raw, nullptr);
        const std::unique_ptr<GError, void (*)(GError *)> told(raw, g_error_free);
        const auto words = by_parameters(told->message);
        if (type != GST_MESSAGE_ERROR) {
            // Each plane has its own element, which says what the others say.
            constexpr auto pause = std::chrono::minutes(1);
            const auto now = Clock::now();
            if (was_steered_.exchange(false))
                course.told.clear();
            std::erase_if(course.told, [&](const auto &one) { return now - one.second >= pause; });
            if (!course.told.emplace(words, now).second)
                return;
            tell(message_event(type == GST_MESSAGE_WARNING ? "warning" : "info", words, name_of(message)));
            return;
        }
        if (course.retry_at)
            return; // what follows from a failure
        if (course.retry > 0 && pipeline.is_of_source(GST_MESSAGE_SRC(message))) {
            tell(message_event(
                "error",
                text("%s. The source is started again every %g s", without_stop(words).c_str(), course.retry),
                name_of(message)));
            set_state(course, "waiting");
            pipeline.stop_source();
            course.retry_at = Clock::now() + std::chrono::milliseconds(std::llround(course.retry * 1000));
            return;
        }
        course.failure =
            Error(told->domain, told->code, text("%s: %s", name_of(message).c_str(), words.c_str()));
        return;
    }
    case GST_MESSAGE_EOS:
        course.has_ended = true;
        return;
    case GST_MESSAGE_LATENCY:
        gst_bin_recalculate_latency(GST_BIN(pipeline.gst()));
        return;
    case GST_MESSAGE_ELEMENT: {
        const auto *told = gst_message_get_structure(message);
        if (!told)
            return;
        for (const char *kind : {"fields", "taking", "keep", "volume"})
            if (gst_structure_has_name(told, text("tomo-%s", kind).c_str())) {
                auto event = event_of(kind);
                add_fields(event, told);
                tell(event);
                if (g_str_equal(kind, "taking")) {
                    course.taking = gst_structure_get_string(told, "kind");
                    gst_structure_get_uint(told, "frames", &course.to_take);
                }
                const char *state = gst_structure_get_string(told, "state"),
                           *path = gst_structure_get_string(told, "path");
                gboolean is_whole = FALSE; // also of a file that ended early
                gst_structure_get_boolean(told, "whole", &is_whole);
                if (path && (is_whole || g_strcmp0(state, "done") == 0))
                    course.outputs.emplace_back(path);
                return;
            }
        return;
    }
    default:
        return;
    }
}

void Session::watch(LivePipeline &pipeline, Course &course) {
    const auto now = Clock::now();
    const auto counts = pipeline.counts();
    course.frames.count(counts.frames);
    course.passed.count(counts.passed);
    course.slices.count(counts.slices);
    if (counts.frames != course.seen) {
        course.seen = counts.frames;
        course.last_frame = now;
        set_state(course, "running");
    } else if ((course.state == "running" || (!course.seen && !course.has_missed_first)) &&
               std::chrono::duration<double>(now - course.last_frame).count() > course.patience) {
        tell(message_event("warning",
                           text("the camera has sent no frame for %g s; the slices go on with the next one",
                                course.patience)));
        course.has_missed_first = true;
        set_state(course, "waiting");
    }
    if (course.retry_at && now >= *course.retry_at) {
        course.retry_at.reset();
        pipeline.start_source();
    }
    pipeline.follow_rate(course.passed.rate());
    if (now >= course.next_progress) {
        course.next_progress = now + std::chrono::milliseconds(500);
        tell_progress(pipeline, course);
    }
}

void Session::tell_progress(LivePipeline &pipeline, Course &course) {
    const auto counts = pipeline.counts();
    auto event = event_of("progress");
    event.set("stage", Json::text("live"));
    event.set("done", Json::integer(guint64{counts.frames}));
    event.set("total", Json::integer(guint64{0}));
    event.set("unit", Json::text("frames"));
    event.set("rate", Json::number(course.frames.rate()));
    event.set("lost", Json::integer(guint64{counts.lost}));
    event.set("repeated", Json::integer(guint64{counts.repeated}));
    event.set("late", Json::integer(guint64{counts.late}));
    event.set("dropped", Json::integer(guint64{counts.dropped}));
    event.set("slices", Json::integer(guint64{counts.slices}));
    event.set("slice-rate", Json::number(course.slices.rate()));
    if (std::isfinite(counts.latency))
        event.set("latency", Json::number(counts.latency));
    event.set("stored", Json::integer(guint64{counts.stored}));
    event.set("stored-seconds", Json::number(counts.stored_seconds));
    event.set("kept", Json::integer(guint64{counts.kept}));
    if (counts.to_take && counts.to_take <= course.to_take) {
        event.set("taking", Json::text(course.taking));
        event.set("taken", Json::integer(guint64{course.to_take - counts.to_take}));
        event.set("to-take", Json::integer(counts.to_take));
    }
    {
        const std::lock_guard<std::mutex> lock(lock_);
        statistics_ = event;
    }
    // Whoever looks seldom has no use for earlier ones.
    push({LiveEvent::Kind::progress, 0, event.written(false), {}}, [](auto &events, const LiveEvent &) {
        std::erase_if(events, [](const LiveEvent &one) { return one.kind == LiveEvent::Kind::progress; });
    });
}

} // namespace tomo::live
