// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "graph-run.hpp"

#include "../interrupts.hpp"
#include "../results.hpp"

#include <cmath>
#include <stdexcept>

namespace tool {

using tomo::DriverCommand;
using tomo::Json;

namespace {

constexpr guint patience = 100; // ms

std::string filename_of(GstElement *writer) {
    gchar *name = nullptr;
    g_object_get(writer, "filename", &name, nullptr);
    const Owned<gchar> owned(name);
    return name ? name : "";
}

// "slices.h5" of "slices.h5:/entry/data".
std::string file_of(const std::string &location) {
    const auto end = location.find(":/");
    return location.substr(0, end);
}

} // namespace

GraphRun::GraphRun(Owned<GstTomoGraph> graph, EventOutput &output)
    : graph_(std::move(graph)), output_(output) {
    if (const auto problem = why_not_alone(graph_.get()); !problem.empty())
        throw std::runtime_error(problem);
    if (writes_to_stdout(graph_.get()))
        throw std::runtime_error(
            "a node writes arrays to standard output, which is for events here: give it a file");
    output_.tell(tomo::hello_event());
    Json stage = tomo::event_of("stage");
    stage.set("name", Json::text("run"));
    stage.set("index", Json::integer(guint64{0}));
    stage.set("count", Json::integer(guint64{1}));
    output_.tell(stage);
    g_signal_connect(graph_.get(), "progress",
                     G_CALLBACK(+[](GstTomoGraph *, guint64 position, guint64 duration, guint64 arrays,
                                    GraphRun *self) { self->on_progress(position, duration, arrays); }),
                     this);
    g_signal_connect(
        graph_.get(), "message",
        G_CALLBACK(+[](GstTomoGraph *, GstMessage *message, GraphRun *self) { self->on_message(message); }),
        this);
    watch_nodes();
    GError *raw = nullptr;
    gst_tomo_graph_start(graph_.get(), &raw);
    start_error_.reset(raw); // end() tells it
}

GraphRun::~GraphRun() { g_signal_handlers_disconnect_by_data(graph_.get(), this); }

// The last writer, else the last sink, shows images.
void GraphRun::watch_nodes() {
    // Nodes stand where they will run. If there is no pipeline, the start tells why.
    const Owned<GstElement> pipeline(gst_tomo_graph_get_pipeline(graph_.get(), nullptr));
    GstElement *shown = nullptr;
    for (GstElement *element : elements_of(graph_.get())) {
        taps_.watch(element);
        const bool writes = factory_of(element) == "tomowrite";
        if (writes)
            path_beside_ = file_of(filename_of(element)) + ".preview.npy";
        if (writes || (GST_OBJECT_FLAG_IS_SET(element, GST_ELEMENT_FLAG_SINK) &&
                       (!shown || factory_of(shown) != "tomowrite")))
            shown = element;
    }
    if (shown)
        shown_ = GST_OBJECT_NAME(shown);
}

void GraphRun::ask_preview(const std::string &path, const std::string &node, const std::string &input) {
    const auto &written = path.empty() ? path_beside_ : path;
    if (written.empty())
        throw std::runtime_error("no node writes a file beside which a preview could lie: give a path");
    taps_.ask(node.empty() ? shown_ : node, input, written);
}

void GraphRun::on_progress(guint64 position, guint64 duration, guint64 arrays) {
    position_ = position;
    duration_ = duration;
    arrays_ = arrays;
    tell_progress();
}

void GraphRun::tell_progress() {
    Json progress = tomo::event_of("progress");
    progress.set("stage", Json::text("run"));
    progress.set("done", Json::integer(position_));
    progress.set("total", Json::integer(duration_)); // 0: not known
    progress.set("unit", Json::text("arrays"));
    progress.set("output", Json::integer(arrays_));
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - since_).count();
    if (position_ > 0 && seconds > 0.0) {
        const double rate = static_cast<double>(position_) / seconds;
        progress.set("rate", Json::number(rate));
        if (duration_ > position_)
            progress.set("seconds-left", Json::number(static_cast<double>(duration_ - position_) / rate));
    }
    if (const auto shares = device_shares(graph_.get()); !shares.empty()) {
        Json devices = Json::list();
        for (const auto &share : shares) {
            Json device = Json::object();
            device.set("device",
                       Json::text("device " + std::to_string(share.device) + " (" + share.name + ")"));
            device.set("done", Json::integer(share.arrays));
            devices.add(std::move(device));
        }
        progress.set("devices", std::move(devices));
    }
    Json nodes = taps_.counts();
    told_ = nodes.written(false);
    progress.set("nodes", std::move(nodes));
    output_.tell(progress);
}

void GraphRun::on_message(GstMessage *message) {
    const std::string element = GST_MESSAGE_SRC_NAME(message);
    if (const auto sentence = sentence_of(message); !sentence.empty())
        output_.tell(tomo::message_event("info", sentence, element));
    tell_numbers(message);
    if (GST_MESSAGE_TYPE(message) != GST_MESSAGE_WARNING)
        return;
    GError *raw = nullptr;
    gst_message_parse_warning(message, &raw, nullptr);
    const Owned<GError> warning(raw);
    output_.tell(tomo::message_event("warning", warning->message, element));
}

void GraphRun::tell_numbers(GstMessage *message) {
    const std::string element = GST_MESSAGE_SRC_NAME(message);
    for (const auto &number : numbers_of(message)) {
        if (!std::isfinite(number.value)) { // JSON has no such numbers
            output_.tell(
                tomo::message_event("warning", number.name + " is " + std::to_string(number.value), element));
            continue;
        }
        Json result = tomo::event_of("result");
        result.set("name", Json::text(number.name));
        result.set("value", Json::number(number.value));
        result.set("unit", Json::text(number.unit));
        result.set("element", Json::text(element));
        if (number.image)
            result.set("image", Json::integer(*number.image));
        output_.tell(result);
    }
}

bool GraphRun::poll() {
    const bool goes_on = gst_tomo_graph_poll(graph_.get(), patience);
    write_previews(!goes_on);
    return goes_on;
}

void GraphRun::write_previews(bool is_over) {
    for (const auto &[path, image, node, input] : taps_.take(is_over))
        try {
            if (!image)
                throw std::runtime_error("no array came any more");
            Json told = tomo::reconstruction::write_preview_file(path, image.get());
            told.set("node", Json::text(node));
            told.set("input", Json::text(input));
            output_.tell(told);
        } catch (const std::exception &e) {
            output_.tell(
                tomo::message_event("error", std::string("the preview was not written: ") + e.what(), node));
        }
}

void GraphRun::pause(bool is_paused) {
    if (is_paused == is_paused_)
        return;
    is_paused_ = is_paused;
    if (is_paused)
        gst_tomo_graph_pause(graph_.get());
    else
        gst_tomo_graph_unpause(graph_.get());
    output_.tell(tomo::state_event(is_paused));
}

void GraphRun::obey(const std::string &line) {
    try {
        DriverCommand(line).steer(*this);
    } catch (const std::exception &e) {
        output_.tell(tomo::message_event("error", e.what()));
    }
}

void GraphRun::finish() {
    is_finishing_ = true;
    gst_tomo_graph_finish(graph_.get());
    if (is_paused_)
        pause(false);
}

void GraphRun::abort() { gst_tomo_graph_abort(graph_.get()); }

Json GraphRun::outputs() const {
    Json files = Json::list();
    for (GstElement *element : elements_of(graph_.get()))
        if (factory_of(element) == "tomowrite")
            files.add(Json::text(filename_of(element)));
    return files;
}

int GraphRun::end() {
    GError *raw = start_error_.release();
    const bool is_good = !raw && gst_tomo_graph_wait(graph_.get(), &raw);
    const Owned<GError> error(raw);
    if (taps_.counts().written(false) != told_)
        tell_progress();
    write_previews(true);
    const bool is_aborted =
        error && g_error_matches(error.get(), GST_TOMO_GRAPH_ERROR, GST_TOMO_GRAPH_ERROR_ABORTED);
    if (error && !is_aborted)
        output_.tell(tomo::message_event("error", error->message));
    const char *status = is_aborted      ? "aborted"
                         : !is_good      ? "failed"
                         : is_finishing_ ? "finished early"
                                         : "done";
    output_.tell(tomo::done_event(status, is_good ? outputs() : Json::list()));
    return status_after(is_good);
}

} // namespace tool
