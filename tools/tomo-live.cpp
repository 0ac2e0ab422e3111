// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// tomo-live: slices of a sample while it turns. Everything that it does, GstTomoLive does.
#include "driven/command-input.hpp"
#include "driven/event-output.hpp"
#include "graph-program.hpp"
#include "interrupts.hpp"
#include "live/demo.hpp"
#include "live/window.hpp"
#include "live/words.hpp"
#include "status-line.hpp"

#include <gst/tomo/graph/protocol.hpp>

#include <chrono>
#include <cmath>
#include <deque>

#include <unistd.h>

namespace {

using tomo::Json;
using tool::Owned;

struct Usage : std::runtime_error {
    using std::runtime_error::runtime_error;
};

void must(gboolean good, GError *raw) {
    const Owned<GError> error(raw);
    if (good)
        return;
    if (g_error_matches(error.get(), GST_TOMO_GRAPH_ERROR, GST_TOMO_GRAPH_ERROR_VALUE) ||
        g_error_matches(error.get(), GST_TOMO_GRAPH_ERROR, GST_TOMO_GRAPH_ERROR_SYNTAX) ||
        g_error_matches(error.get(), GST_TOMO_GRAPH_ERROR, GST_TOMO_GRAPH_ERROR_NOT_FOUND))
        throw Usage(error->message);
    throw std::runtime_error(error->message);
}

// An option for each parameter but the source.
class ParameterOptions {
  public:
    explicit ParameterOptions(tool::Program &program) {
        const Owned<gchar> schema(gst_tomo_live_get_schema());
        const auto described = Json::parse(schema.get(), "schema");
        for (const auto &[name, about, place] : described.find("properties")->members()) {
            if (name == "source")
                continue;
            auto &option = options_.emplace_back();
            option.name = name;
            option.about = about.text_of("description");
            if (const auto &automatic = about.text_of("x-automatic"); !automatic.empty())
                option.about += " (default: " + automatic + ")";
            if (const auto *words = about.find("enum"))
                for (const auto &word : words->items())
                    option.value += (option.value.empty() ? "" : "|") + word.text();
            else if (about.text_of("type") == "boolean")
                option.value = "true|false";
            else
                option.value = !about.text_of("x-unit").empty()     ? about.text_of("x-unit")
                               : about.text_of("type") == "string"  ? "TEXT"
                               : about.text_of("type") == "integer" ? "N"
                                                                    : "NUMBER";
            program.add({option.name.c_str(), 0, 0, G_OPTION_ARG_STRING, &option.given, option.about.c_str(),
                         option.value.c_str()});
        }
    }
    ~ParameterOptions() {
        for (auto &option : options_)
            g_free(option.given);
    }

    void set_on(GstTomoLive *live) const {
        for (const auto &option : options_)
            if (option.given) {
                GError *error = nullptr;
                const bool good =
                    gst_tomo_live_set_parameter(live, option.name.c_str(), option.given, &error);
                must(good, error);
            }
    }

  private:
    struct Option {
        std::string name, about, value;
        gchar *given = nullptr;
    };
    std::deque<Option> options_; // whose members stay where they are
};

class Run {
  public:
    Run(const tool::Program &program, GstTomoLive *live, bool is_demo, bool tells_events, bool shows)
        : program_(program), live_(live), status_(shows && !tells_events) {
        if (tells_events)
            output_.emplace();
        if (is_demo)
            demo_.emplace(live);
        g_signal_connect(
            live, "event",
            G_CALLBACK(+[](GstTomoLive *, const gchar *event, Run *self) { self->on_event(event); }), this);
        g_signal_connect(live, "slice",
                         G_CALLBACK(+[](GstTomoLive *, guint plane, GstSample *slice, Run *self) {
                             self->on_slice(plane, slice);
                         }),
                         this);
    }
    ~Run() { g_signal_handlers_disconnect_by_data(live_, this); }
    Run(const Run &) = delete;
    Run &operator=(const Run &) = delete;

    void show_in(const std::string &window) {
        double minimum = 0, maximum = 0;
        g_object_get(live_, "minimum", &minimum, "maximum", &maximum, nullptr);
        const auto given = [](double value) {
            return std::abs(value) < 1e300 ? std::optional(value) : std::nullopt;
        };
        const Owned<gchar *> planes(gst_tomo_live_get_planes(live_));
        window_.emplace(window, g_strv_length(planes.get()), given(minimum), given(maximum));
    }
    void end_after(double seconds) { seconds_ = seconds; }

    int run() {
        tool::catch_interrupts();
        GError *error = nullptr;
        const bool has_started = gst_tomo_live_start(live_, &error);
        must(has_started, error);
        tool::run_to_end(
            {[&] { return poll(); }, [&] { gst_tomo_live_stop(live_); }, [&] { gst_tomo_live_stop(live_); }});
        GError *raw = nullptr;
        const bool good = gst_tomo_live_wait(live_, &raw);
        const Owned<GError> problem(raw);
        status_.clear();
        if (good && !last_.empty())
            status_.finish(last_);
        if (!good && output_)
            program_.complain(problem.get());
        return tool::status_after(good);
    }

  private:
    bool poll() {
        for (const auto &line : input_.take())
            obey(line);
        if (demo_)
            demo_->step();
        if (seconds_ && status_.elapsed() >= *seconds_)
            gst_tomo_live_stop(live_);
        if (window_)
            if (const auto problem = window_->problem(); !problem.empty()) {
                complain("no window any more: " + problem + ". It goes on without one, quit ends it");
                window_.reset();
            }
        constexpr guint patience = 20; // ms
        return gst_tomo_live_poll(live_, patience);
    }

    void obey(const std::string &line) {
        GError *raw = nullptr;
        try {
            const auto command = live::command_of(line);
            if (command.empty() || gst_tomo_live_command(live_, command.c_str(), &raw))
                return;
        } catch (const std::exception &e) {
            return complain(e.what());
        }
        const Owned<GError> error(raw);
        complain(error->message);
    }

    void complain(const std::string &text) {
        if (output_)
            return output_->tell(tomo::message_event("error", text));
        status_.clear();
        program_.complain(text);
    }

    void on_slice(unsigned plane, GstSample *slice) {
        if (window_)
            window_->show(plane, slice);
    }

    void on_event(const std::string &text) {
        const auto event = Json::parse(text, "event");
        if (demo_)
            demo_->hear(event);
        if (output_)
            return output_->tell(text);
        const auto &kind = event.text_of("event"), &told = event.text_of("text");
        if (kind == "progress") {
            last_ = line_of(event);
            status_.update(last_);
        } else if (kind == "message") {
            const auto &level = event.text_of("level");
            status_.clear();
            program_.complain(level == "error" ? told : level + ": " + told);
        } else if ((kind == "fields" || kind == "taking" || kind == "keep" || kind == "volume") &&
                   !told.empty() && event.text_of("state") != "failed" && event.text_of("state") != "slow") {
            status_.clear();
            g_printerr("%s: %s\n", program_.name().c_str(), told.c_str());
        } else if (kind == "state") {
            status_.clear();
            g_printerr("%s: %s\n", program_.name().c_str(), event.text_of("state").c_str());
        }
    }

    static std::string line_of(const Json &event) {
        const auto number = [&](const char *key) {
            const auto *value = event.find(key);
            return value ? g_ascii_strtod(value->text().c_str(), nullptr) : 0.0;
        };
        std::string line = tomo::text("%.0f frames, %.1f/s; %.0f slices, %.1f/s", number("done"),
                                      number("rate"), number("slices"), number("slice-rate"));
        if (event.find("taking"))
            line += tomo::text("; %.0f of %.0f %s taken", number("taken"),
                               number("taken") + number("to-take"), event.text_of("taking").c_str());
        if (event.find("latency"))
            line += tomo::text(", %.0f ms behind", 1e3 * number("latency"));
        for (const auto &[key, words] : {std::pair{"lost", "lost"},
                                         {"repeated", "repeated"},
                                         {"late", "late"},
                                         {"dropped", "left out of slices"},
                                         {"kept", "kept"}})
            if (number(key) > 0)
                line += tomo::text("; %.0f %s", number(key), words);
        return line;
    }

    const tool::Program &program_;
    GstTomoLive *const live_;
    tool::StatusLine status_;
    tool::CommandInput input_;
    std::optional<tool::EventOutput> output_;
    std::optional<live::Demo> demo_;
    std::optional<live::Window> window_;
    std::optional<double> seconds_;
    std::string last_;
};

// The page of the web interface shows it, in the place of this program.
[[noreturn]] void show_in_browser(GstTomoLive *live, bool is_demo) {
    const Owned<gchar> parameters(gst_tomo_live_get_parameters(live));
    auto all = Json::object();
    all.set("demo", Json::boolean(is_demo));
    all.set("parameters", Json::parse(parameters.get(), "parameters"));
    const auto json = all.written(false);
    execlp("tomo-web", "tomo-web", "--live", json.c_str(), nullptr);
    throw std::runtime_error("tomo-web can't be started, which shows the page: " +
                             std::string(g_strerror(errno)));
}

} // namespace

int main(int argc, char **argv) {
    gst_init(nullptr, nullptr);
    tool::Program program(
        "SOURCE...",
        "Slices of a sample while it turns:\n\n"
        "  tomo-live aravissrc --half-turn 180 --flats flats --darks darks --window autovideosink\n"
        "  tomo-live --demo\n\n"
        "SOURCE is elements of GStreamer that give images, or a scan that is played. Commands on standard "
        "input: plane N PLANE, axis PIXELS, darks N, flats N, cancel-fields, keep SECONDS PATH, stop-keeping, "
        "volume PATH, pause, resume, quit; --progress json takes them as objects.");
    gboolean is_demo = FALSE, is_web = FALSE, quiet = FALSE;
    gchar *progress_text = nullptr, *window_text = nullptr;
    double seconds = 0;
    program.add({"demo", 0, 0, G_OPTION_ARG_NONE, &is_demo,
                 "A beamline to try it: a phantom before a camera, in a window", nullptr});
    program.add({"web", 0, 0, G_OPTION_ARG_NONE, &is_web, "Show it in a browser, by tomo-web", nullptr});
    program.add({"window", 0, 0, G_OPTION_ARG_STRING, &window_text,
                 "Show slices by these elements, such as autovideosink (--demo does); none: no window",
                 "ELEMENTS"});
    program.add({"seconds", 0, 0, G_OPTION_ARG_DOUBLE, &seconds, "End after this time", "SECONDS"});
    program.add({"quiet", 'q', 0, G_OPTION_ARG_NONE, &quiet, "No progress, only messages", nullptr});
    program.add({"progress", 0, 0, G_OPTION_ARG_STRING, &progress_text,
                 "How progress is told: bar, or json, an object per line on standard output", "bar|json"});
    const ParameterOptions options(program);
    int status = tool::ok;
    const bool parsed = program.parse(argc, argv, status);
    const Owned<gchar> progress(progress_text), window(window_text);
    if (!parsed)
        return status;
    try {
        const bool tells_events = progress && std::string(progress.get()) == "json";
        if (progress && !tells_events && std::string(progress.get()) != "bar")
            throw Usage(std::string("--progress does not take '") + progress.get() + "'; wanted bar or json");
        const Owned<gchar> words(program.arguments() ? g_strjoinv(" ", program.arguments()) : nullptr);
        if (is_demo && words)
            throw Usage("--demo has a source of its own, and '" + std::string(words.get()) +
                        "' is one: leave one of them");
        if (!is_demo && !words)
            throw Usage("no source is named; see " + program.name() + " --help, or try " + program.name() +
                        " --demo");
        if (seconds < 0)
            throw Usage("--seconds wants a time above 0");
        const Owned<GstTomoLive> live(gst_tomo_live_new(words.get()));
        GError *error = nullptr;
        if (is_demo) {
            const bool good = gst_tomo_live_set_parameters(
                live.get(), live::Demo::parameters().written(false).c_str(), &error);
            must(good, error);
        }
        options.set_on(live.get());
        if (is_web)
            show_in_browser(live.get(), is_demo);
        Run run(program, live.get(), is_demo, tells_events, !quiet);
        const std::string shown = window                     ? window.get()
                                  : is_demo && !tells_events ? live::Window::usual_line()
                                                             : "none";
        if (shown != "none")
            run.show_in(shown);
        if (seconds > 0)
            run.end_after(seconds);
        return run.run();
    } catch (const Usage &e) {
        program.complain(e.what());
        return tool::usage;
    } catch (const std::exception &e) {
        program.complain(e.what());
        return tool::failed;
    }
}
