// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// tomo-reconstruct: from a scan to a volume. Everything that it does, GstTomoReconstruction does.
#include "driven/drive.hpp"
#include "graph-program.hpp"
#include "interrupts.hpp"
#include "reconstruct/options.hpp"
#include "reconstruct/progress.hpp"
#include "reconstruct/reconstruction-run.hpp"

#include <gst/tomo/graph/names.hpp>
#include <gst/tomo/support/descriptors.hpp>
#include <gst/tomo/support/error.hpp>

#include <cmath>

namespace {

using namespace reconstruct;

constexpr char usual_configuration[] = "reco.conf";

struct Failure : std::runtime_error {
    using std::runtime_error::runtime_error;
};

// What a function of the object gives, or its error as an exception.
std::string must(gchar *given, GError *error) {
    const tool::Owned<gchar> text(given);
    const tool::Owned<GError> problem(error);
    if (problem && is_usage(problem.get()))
        throw Usage(problem->message);
    if (problem)
        throw Failure(problem->message);
    return text.get();
}

bool exists(const std::string &file) { return g_file_test(file.c_str(), G_FILE_TEST_EXISTS); }

std::string value_of(GstTomoReconstruction *reconstruction, const char *property) {
    gchar *value = nullptr;
    g_object_get(reconstruction, property, &value, nullptr);
    const tool::Owned<gchar> owned(value);
    return value ? value : "";
}

bool names_images(GstTomoReconstruction *reconstruction) {
    for (const char *property : {"scan", "projections", "sinograms"})
        if (!value_of(reconstruction, property).empty())
            return true;
    return false;
}

class Program {
  public:
    Program(const std::string &name, const Options &options)
        : name_(name), options_(options), reconstruction_(gst_tomo_reconstruction_new(nullptr)) {}

    int run() {
        if (options_.serve)
            return serve();
        check_command();
        if (options_.command == "init")
            return init();
        choose_configuration();
        apply(options_, reconstruction_.get());
        set_result();
        set_geometry();
        if (!names_images(reconstruction_.get()))
            throw Usage("no scan is named; see " + name_ + " --help");
        if (options_.command == "info")
            return info();
        if (options_.command == "estimate")
            return estimate();
        if (options_.command == "sweep" && value_of(reconstruction_.get(), "sweep").empty())
            throw Usage("sweep wants values, such as --parameter axis=300:320:0.5");
        return options_.dry_run                        ? print_plan()
               : options_.progress == ProgressAs::json ? reconstruct_driven()
                                                       : reconstruct();
    }

  private:
    void check_command() const {
        for (const auto &command : commands)
            if (options_.command == command.name && !*command.summary)
                throw Usage("'" + options_.command + "' is not there yet; see " + name_ + " --help");
        if (options_.command.empty())
            check_is_scan(options_.scan);
        // Each form of JSON where there is something to tell in it.
        const bool has_result = options_.command == "info" || options_.command == "estimate";
        const bool has_run = !has_result && options_.command != "init" && !options_.dry_run;
        if (options_.progress == ProgressAs::json && !has_run)
            throw Usage(
                "--progress json tells of a run, and there is none; --json gives the results of info, "
                "estimate and --dry-run");
        if (options_.json && !has_result && !options_.dry_run)
            throw Usage("--json gives the results of info, estimate and --dry-run; a run tells of itself by "
                        "--progress json");
        if (options_.dry_run && (has_result || options_.command == "init"))
            throw Usage("--dry-run prints the lines of a run, and " + options_.command + " has none");
    }

    void choose_configuration() {
        const bool is_run = options_.command == "run";
        if (!options_.configuration.empty() || options_.command.empty())
            return;
        if (exists(usual_configuration)) {
            options_.configuration = usual_configuration;
            g_printerr("%s: takes parameters from %s in this folder\n", name_.c_str(), usual_configuration);
        } else if (is_run && options_.scan.empty() && options_.parameters.empty())
            throw Usage("there is no reco.conf here: " + name_ +
                        " init writes one, --config names another file");
    }

    void set_result() {
        for (const auto &[command, result] :
             {std::pair{"sinos", "sinograms"}, {"flatcorrect", "projections"}})
            if (options_.command == command)
                g_object_set(reconstruction_.get(), "result", result, nullptr);
    }

    // A cone beam has a tilted axis, too.
    void set_geometry() {
        auto *self = reconstruction_.get();
        if (options_.command != "lamino")
            return;
        if (value_of(self, "axis-angle-x").empty() && value_of(self, "z-parameter") != "axis-angle-x")
            throw Usage("lamino wants --axis-angle-x, the tilt of the axis along the beam in degrees");
        if (value_of(self, "geometry") == "auto")
            g_object_set(self, "geometry", "lamino", nullptr);
    }

    int init() {
        const auto file = std::exchange(options_.configuration, {});
        apply(options_, reconstruction_.get());
        const std::string name = file.empty() ? usual_configuration : file;
        gboolean overwrite = FALSE;
        g_object_get(reconstruction_.get(), "overwrite", &overwrite, nullptr);
        if (exists(name) && !overwrite)
            throw Failure("'" + name +
                          "' is there already: --overwrite replaces it, --config names another file");
        g_object_set(reconstruction_.get(), "overwrite", FALSE, nullptr);
        GError *error = nullptr;
        gst_tomo_reconstruction_save_configuration(reconstruction_.get(), name.c_str(), &error);
        must(g_strdup(""), error);
        g_print("%s is written; edit it, then: %s run%s\n", name.c_str(), name_.c_str(),
                file.empty() ? "" : (" --config " + file).c_str());
        return tool::ok;
    }

    int info() {
        GError *error = nullptr;
        auto *given = gst_tomo_reconstruction_inspect(reconstruction_.get(), &error);
        const auto json = must(given, error);
        g_print("%s\n", options_.json ? json.c_str()
                                      : Json::parse(json, "inspection").text_of("description").c_str());
        return tool::ok;
    }

    int estimate() {
        GError *error = nullptr;
        auto *given = gst_tomo_reconstruction_estimate_axis(reconstruction_.get(), &error);
        const auto json = must(given, error);
        if (options_.json) {
            g_print("%s\n", json.c_str());
            return tool::ok;
        }
        const auto found = Json::parse(json, "estimate");
        const auto number = [&](const char *key) {
            return g_ascii_strtod(found.find(key)->text().c_str(), nullptr);
        };
        const double tilt = number("tilt-degrees"), sigma = number("tilt-uncertainty-degrees");
        constexpr double sure = 3.0; // sigmas
        g_print("axis %.3f +- %.3f px (%s, %zu rows), ", number("axis-px"), number("uncertainty-px"),
                found.text_of("method").c_str(), found.find("rows")->items().size());
        if (!(sigma > 0.0))
            g_print("one row tells no tilt\n");
        else if (std::abs(tilt) > sure * sigma)
            g_print("tilt %.4f +- %.4f degrees\n", tilt, sigma);
        else
            g_print("no tilt that stands out: %.4f +- %.4f degrees\n", tilt, sigma);
        if (const auto *methods = found.find("methods"))
            for (const auto &one : methods->items()) {
                const auto &failure = one.text_of("failure");
                const auto of_one = [&](const char *key) {
                    return g_ascii_strtod(one.find(key)->text().c_str(), nullptr);
                };
                if (failure.empty())
                    g_print("  %s: %.3f +- %.3f px\n", one.text_of("method").c_str(), of_one("axis-px"),
                            of_one("uncertainty-px"));
                else
                    g_print("  %s: %s\n", one.text_of("method").c_str(), failure.c_str());
            }
        if (const auto &warning = found.text_of("warning"); !warning.empty())
            g_printerr("%s: warning: %s\n", name_.c_str(), warning.c_str());
        if (found.find("axis-of-scan-px"))
            g_print("the scan tells an axis at %.3f px\n", number("axis-of-scan-px"));
        return tool::ok;
    }

    int print_plan() {
        Progress progress(name_, options_.progress);
        listen(progress);
        GError *error = nullptr;
        auto *given = gst_tomo_reconstruction_plan(reconstruction_.get(), &error);
        g_signal_handlers_disconnect_by_data(reconstruction_.get(), &progress);
        progress.clear();
        const auto json = must(given, error);
        if (options_.json) {
            g_print("%s\n", json.c_str());
            return tool::ok;
        }
        g_print("%s", Json::parse(json, "plan").text_of("script").c_str());
        return tool::ok;
    }

    void listen(Progress &progress) {
        g_signal_connect(reconstruction_.get(), "event",
                         G_CALLBACK(+[](GstTomoReconstruction *, const gchar *event, Progress *progress) {
                             progress->on_event(event);
                         }),
                         &progress);
    }

    int reconstruct() {
        tool::catch_interrupts();
        auto *self = reconstruction_.get();
        Progress progress(name_, options_.progress);
        listen(progress);
        GError *raw = nullptr;
        bool good = gst_tomo_reconstruction_start(self, &raw);
        if (good) {
            tool::run_to_end({[&] { return gst_tomo_reconstruction_poll(self, 100) == TRUE; },
                              [&] {
                                  progress.clear();
                                  g_printerr("%s: ending; once more to stop at once\n", name_.c_str());
                                  gst_tomo_reconstruction_finish(self);
                              },
                              [&] { gst_tomo_reconstruction_abort(self); }});
            good = gst_tomo_reconstruction_wait(self, &raw);
        }
        g_signal_handlers_disconnect_by_data(self, &progress);
        const tool::Owned<GError> error(raw);
        progress.clear();
        if (good)
            return tool::status_after(true);
        g_printerr("%s: %s\n", name_.c_str(), error->message);
        const int status = tool::status_after(false);
        return is_usage(error.get()) && status == tool::failed ? tool::usage : status;
    }

    int reconstruct_driven() {
        tool::catch_interrupts();
        tool::EventOutput output;
        tool::CommandInput input;
        ReconstructionRun run(std::move(reconstruction_), output);
        const int status = tool::drive(run, [&] {
            for (const auto &line : input.take())
                run.obey(line);
        });
        if (!run.problem().empty())
            g_printerr("%s: %s\n", name_.c_str(), run.problem().c_str());
        return status;
    }

    int serve() {
        if (options_.progress != ProgressAs::json || !options_.command.empty() || !options_.scan.empty() ||
            !options_.configuration.empty() || !options_.parameters.empty() || options_.dry_run)
            throw Usage(
                "--serve wants --progress json and nothing else, because configurations come by commands");
        return tool::serve([](const Json &description, tool::EventOutput &output) {
            Reconstruction reconstruction(gst_tomo_reconstruction_new(nullptr));
            GError *raw = nullptr;
            if (!gst_tomo_reconstruction_set_parameters(reconstruction.get(),
                                                        description.written(false).c_str(), &raw))
                throw Failure(tool::Owned<GError>(raw)->message);
            if (!names_images(reconstruction.get()))
                throw Failure("no scan is named: the description has no scan, projections or sinograms");
            return std::make_unique<ReconstructionRun>(std::move(reconstruction), output);
        });
    }

    const std::string name_;
    Options options_;
    Reconstruction reconstruction_;
};

} // namespace

int main(int argc, char **argv) {
    const tool::Owned<gchar> base(g_path_get_basename(argv[0]));
    const std::string name = base.get();
    constexpr unsigned least_files = 16; // GLib and GStreamer end the process where they get none
    if (!tomo::can_open_files(least_files)) {
        g_printerr("%s: no more than a few files can be opened: raise the limit of open files (ulimit -n)\n",
                   name.c_str());
        return tool::failed;
    }
    gst_init(nullptr, nullptr);
    try {
        const auto options = read_options({argv + 1, argv + argc});
        if (options.describe) {
            g_print("%s\n", described(name).written(true).c_str());
            return tool::ok;
        }
        if (options.version) {
            g_print("%s %s\n", name.c_str(), GST_TOMO_VERSION);
            return tool::ok;
        }
        if (options.help) {
            g_print("%s", help_text(name, options.help_all).c_str());
            return tool::ok;
        }
        if (argc == 1)
            throw Usage("no scan is named; see " + name + " --help");
        return Program(name, options).run();
    } catch (const Usage &e) {
        g_printerr("%s: %s\n", name.c_str(), e.what());
        return tool::usage;
    } catch (const std::exception &e) {
        g_printerr("%s: %s\n", name.c_str(), e.what());
        return tool::failed;
    }
}
