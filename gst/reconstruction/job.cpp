// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/files/image-names.hpp>
#include <gst/files/memory/images.hpp>
#include <gst/reconstruction/alignment.hpp>
#include <gst/reconstruction/axis-finder.hpp>
#include <gst/reconstruction/chain.hpp>
#include <gst/reconstruction/cluster/conditions.hpp>
#include <gst/reconstruction/cluster/slabs.hpp>
#include <gst/reconstruction/conditions.hpp>
#include <gst/reconstruction/devices/shared-line.hpp>
#include <gst/reconstruction/general-volume.hpp>
#include <gst/reconstruction/job-course.hpp>
#include <gst/reconstruction/method.hpp>
#include <gst/reconstruction/off-axis.hpp>
#include <gst/reconstruction/parts.hpp>
#include <gst/reconstruction/report/result-picture.hpp>
#include <gst/reconstruction/roll.hpp>
#include <gst/reconstruction/slabs.hpp>
#include <gst/reconstruction/sweep.hpp>
#include <gst/reconstruction/turns.hpp>
#include <gst/tomo/device/gobject.hpp>
#include <gst/tomo/graph/run.hpp>
#include <gst/tomo/gsttomocontext.h>
#include <gst/tomo/support/c-string.hpp>
#include <gst/tomo/support/lettering.hpp>
#include <gst/tomo/support/text-file.hpp>
#include <gst/tomo/support/threads.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <numbers>

#include <unistd.h>

namespace tomo::reconstruction {

namespace {

constexpr double uncertain_axis = 1.0; // pixels
// Such a device would need longer for the slices that it computes together than the others for all that may
// wait for them.
constexpr double too_slow = 8.0;      // times
constexpr double doubtful_axis = 1.0; // pixels between that of the scan and that of its views

void remove_file(const std::string &file) {
    std::error_code ignored;
    if (std::filesystem::is_regular_file(file, ignored))
        std::filesystem::remove(file, ignored);
}

void set_number(ParameterBase &parameter, double value) {
    Value number(G_TYPE_DOUBLE);
    g_value_set_double(number.get(), value);
    parameter.set(number.get());
}

// Images that have come to a sink, with those that were left out in front of them: planes of all buffers.
// The preview sees them.
class ImageCount {
  public:
    ImageCount(const Graph &graph, Preview *preview, guint64 before) : preview_(preview), before_(before) {
        for (const auto &node : graph.nodes())
            if (node.name == "write")
                pad_ = ObjectRef<GstPad>(gst_element_get_static_pad(node.element.get(), "sink"));
        if (pad_)
            probe_ = gst_pad_add_probe(pad_.get(), GST_PAD_PROBE_TYPE_BUFFER, count, this, nullptr);
    }
    ~ImageCount() {
        if (pad_)
            gst_pad_remove_probe(pad_.get(), probe_);
    }
    ImageCount(const ImageCount &) = delete;
    ImageCount &operator=(const ImageCount &) = delete;

    double images() const { return static_cast<double>(images_); }

  private:
    static GstPadProbeReturn count(GstPad *pad, GstPadProbeInfo *info, gpointer data) {
        auto *self = static_cast<ImageCount *>(data);
        const CapsRef caps(gst_pad_get_current_caps(pad));
        int depth = 1;
        if (caps)
            gst_structure_get_int(gst_caps_get_structure(caps.get(), 0), "depth", &depth);
        auto *buffer = GST_PAD_PROBE_INFO_BUFFER(info);
        auto &images = self->images_;
        // A run that goes on with a file leaves out the images that are in it.
        const guint64 before = GST_BUFFER_OFFSET_IS_VALID(buffer) ? GST_BUFFER_OFFSET(buffer) : 0;
        images = std::max(images.load(), before * static_cast<guint64>(depth)) + static_cast<guint64>(depth);
        if (self->preview_)
            self->preview_->offer(pad, buffer, self->before_ + images - 1);
        return GST_PAD_PROBE_OK;
    }

    Preview *const preview_; // null where the images are none of the result
    const guint64 before_;   // images of other lines
    ObjectRef<GstPad> pad_;
    gulong probe_ = 0;
    std::atomic<guint64> images_{0};
};

} // namespace

Job::Job(const Settings &settings, std::function<void(const Json &)> tell) : tell_(std::move(tell)) {
    settings_.assign(settings);
    const auto output = settings_.output.value();
    if (output.empty() ? io::names_memory(settings_.source()) : output == "memory:") {
        result_ = io::MemoryImages::reserved(settings_.result.value());
        settings_.output.set_text(result_->location());
    } else if (io::names_memory(output)) {
        result_ = io::MemoryImages::named(output);
    }
}

Job::~Job() {
    if (opening_.joinable())
        opening_.join();
    if (middle_thread_.joinable())
        middle_thread_.join();
}

// Events
// ---------------------------------------------------------------------------------------------------

void Job::stage(const char *name, unsigned index) {
    Json told = event("stage");
    told.set("name", Json::text(name));
    told.set("index", Json::integer(guint64{index}));
    told.set("count", Json::integer(guint64{3}));
    tell_(told);
    record_.begin(name, paused_seconds());
}

void Job::message(const char *level, const std::string &text, const std::string &element) {
    tell_(message_event(level, text, element));
    record_.tell({level, text, element});
}

// Of dynamic flats, which are the same in all slabs.
void Job::tell_components(const GstStructure *effective) {
    const char *sentence = gst_structure_get_string(effective, "text");
    if (!sentence || components_ == sentence || !gst_structure_has_name(effective, "tomo-effective") ||
        !gst_structure_has_field(effective, "components"))
        return;
    components_ = sentence;
    this->message("info", components_ + " count in the dynamic flats");
}

void Job::tell_of(GstMessage *message) {
    if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ELEMENT)
        tell_components(gst_message_get_structure(message));
    if (GST_MESSAGE_TYPE(message) != GST_MESSAGE_WARNING)
        return;
    GError *raw = nullptr;
    // Of a stream that was ended on purpose, reconstruct() says more.
    if (finishing_ && g_strcmp0(GST_MESSAGE_SRC_NAME(message), "write") == 0)
        return;
    gst_message_parse_warning(message, &raw, nullptr);
    this->message("warning", raw->message, GST_MESSAGE_SRC_NAME(message));
    g_error_free(raw);
}

void Job::go_on() const {
    if (aborting_)
        throw Error(GST_TOMO_GRAPH_ERROR, GST_TOMO_GRAPH_ERROR_ABORTED, "the reconstruction was aborted");
}

// Steps
// ---------------------------------------------------------------------------------------------------

const Inspection &Job::inspect() {
    if (inspection_)
        return *inspection_;
    choose_devices();
    if (settings_.stitch.empty())
        inspection_ = std::make_unique<Inspection>(reconstruction::inspect(settings_, device_memory()));
    else
        inspect_heights();
    for (const auto &finding : inspection_->findings)
        message(finding.severity_name(), finding.text + ". " + finding.advice + " [" + finding.name + "]");
    settle_devices();
    return *inspection_;
}

void Job::inspect_heights() {
    check_source_conditions(settings_);
    const auto names = scans_of(settings_);
    open_device();
    for (std::size_t i = 0; i < names.size(); i++) {
        Settings of_one;
        take_height(i, settings_, of_one);
        auto part = std::make_unique<Job>(of_one, [this, name = names[i]](const Json &told) {
            if (told.text_of("event") == "message")
                message(told.text_of("level").c_str(), "'" + name + "': " + told.text_of("text"),
                        told.find("element") ? told.text_of("element") : "");
        });
        part->context_ = context_;
        part->inspection_ =
            std::make_unique<Inspection>(reconstruction::inspect(part->settings_, part->device_memory()));
        {
            std::lock_guard<std::mutex> lock(lock_);
            go_on();
            part->finishing_ = finishing_.load();
            parts_.push_back(std::move(part));
        }
        const auto &known = *parts_.back();
        heights_.push_back(
            {i, &known.settings_, known.inspection_.get(), {known.inspection_->image.width / 2.0, ""}});
    }
    inspection_ = std::make_unique<Inspection>(
        place_heights(settings_, heights_, [this](const Height &height, const std::string &line) {
            parts_[height.number]->run_line(line, [](GstMessage *) {});
            if (finishing_) // a part of the views says nothing
                throw Error(GST_TOMO_GRAPH_ERROR, GST_TOMO_GRAPH_ERROR_ABORTED,
                            "it was ended while heights were compared: there is no result");
        }));
}

void Job::settle_heights() {
    for (auto &height : heights_)
        height.axis = parts_[height.number]->settle_axis();
    tell_axes(heights_, *inspection_);
}

void Job::open_device() {
    const auto limit = settings_.device_memory_bytes();
    try {
        if (!context_) {
            context_ = Context::create(settings_.device);
            if (limit)
                context_ = context_->with_memory_limit(*limit);
        }
    } catch (const Error &) { // elements say which device is missing
    }
}

void Job::choose_devices() {
    if (std::exchange(are_devices_chosen_, true) || !settings_.cluster.empty())
        return;
    given_devices_ = settings_.devices;
    try {
        devices_ = devices_of(settings_);
    } catch (const Error &error) {
        if (settings_.devices.is_given())
            throw;
        wrong_devices_ = error; // of the environment, which does not matter until something is computed
        return;
    }
    settings_.devices.reset();
    if (devices_.empty())
        return;
    for (const auto &slow : take_devices_slower_than(devices_, too_slow))
        message("info",
                text("device %zu (%s) makes no slices: it takes about %.0f times as long as device %zu (%s), "
                     "which would wait for it",
                     slow.index, slow.name.c_str(), devices_.front().speed / slow.speed,
                     devices_.front().index, devices_.front().name.c_str()));
    settings_.device.set_text(std::to_string(devices_.front().index)); // for all that is not shared
    open_device();
    if (devices_.size() < 2 || !context_)
        return;
    std::vector<std::size_t> others;
    for (const auto &device : devices_)
        others.push_back(device.index);
    opening_ = start_thread([context = context_, others] { context->open(others); });
}

void Job::settle_devices() {
    if (devices_.size() < 2)
        return;
    if (const auto why = why_not_shared(settings_); !why.empty())
        return message(given_devices_.empty() ? "info" : "warning",
                       text("device %zu (%s) computes alone: %s", devices_.front().index,
                            devices_.front().name.c_str(), why.c_str()));
    if (!settings_.sweep.empty()) // whose lines are not shared, but take turns
        for (const auto &slow : take_devices_slower_than(devices_, 1.5))
            message("info", text("device %zu (%s) makes no slices of the sweep: the others would wait for it",
                                 slow.index, slow.name.c_str()));
    else if (is_general(settings_, *inspection_)) // whose parts are divided before any speed is measured
        for (const auto &slow : take_processors_beside_gpus(devices_))
            message("info",
                    text("device %zu (%s) makes no slices: the others would wait for its part of the volume",
                         slow.index, slow.name.c_str()));
    if (devices_.size() < 2)
        return;
    settings_.devices.set_text(indices_of(devices_));
    for (const auto &part : parts_)
        part->settings_.devices.set_text(indices_of(devices_));
}

// Devices that share iterations over a volume hold more of it than one of them alone.
Plan Job::plan_as_memory_allows(const Axis &axis, const std::vector<Height> *heights) {
    const auto make = [&] { return make_plan(settings_, *inspection_, axis, heights); };
    if (!is_shared(settings_) || !settings_.sweep.empty() || !is_iterative(settings_) ||
        !is_general(settings_, *inspection_))
        return make();
    try {
        return make();
    } catch (const Error &error) {
        settings_.devices.reset();
        auto alone = make(); // throws the same where several devices are not the cause
        message(given_devices_.empty() ? "info" : "warning",
                text("device %zu (%s) computes alone: with several, %s", devices_.front().index,
                     devices_.front().name.c_str(), error.what()));
        return alone;
    }
}

// Whether several devices are worth their start.
void Job::judge_sharing() {
    constexpr double worth = 0.95;
    if (is_general(settings_, *inspection_) && is_iterative(settings_) && goes_view_by_view(settings_))
        return message("info",
                       text("%s goes view by view, of which each is too little to be shared: others gain "
                            "little, and more with %s",
                            settings_.method.value().c_str(),
                            settings_.method.is("sart") ? "method=sirt" : "subsets"));
    Settings alone;
    alone.assign(settings_);
    alone.devices.reset();
    Plan by_one = *plan_;
    expect_time(by_one, alone, *inspection_, *context_->default_device());
    if (plan_->seconds > worth * by_one.seconds)
        message(
            "info",
            "by this plan the computer takes as long to read and to write as one device to compute: others gain little");
}

DeviceMemory Job::device_memory() {
    return [this]() -> std::uint64_t {
        open_device();
        const bool has_own = context_ && (!context_->default_device()->shares_host_memory() ||
                                          settings_.device_memory.is_given());
        return has_own ? context_->default_device()->memory_limit() : 0;
    };
}

// A part of the device's memory belongs to this job; else elements open the device that all share.
void Job::lend_device(const Graph &graph) const {
    if (!context_ || !settings_.device_memory.is_given())
        return;
    const ObjectRef<GstTomoContext> context(new_context_object(context_));
    auto *carrier = gst_tomo_context_to_context(context.get());
    for (const auto &node : graph.nodes())
        gst_element_set_context(node.element.get(), carrier);
    gst_context_unref(carrier);
}

// A line that runs. Its end without end() aborts it.
class Job::RunningLine {
  public:
    RunningLine(Job &job, const std::string &line, guint64 images_before, MiddleRow *middle)
        : job_(job), before_(images_before), graph_(graph_of(job, line)),
          count_(*graph_, job.makes_images_ ? &job.preview_ : nullptr, images_before), iterating_(*graph_),
          watch_(middle ? middle->watch(*graph_) : nullptr), known_(job, runner_) {
        runner_.pause(job.paused_ && job.makes_images_);
        runner_.start(*graph_);
        if (job.aborting_) // before it ran
            runner_.abort();
        else if (job.finishing_)
            runner_.end();
    }
    ~RunningLine() {
        if (runner_.is_running())
            runner_.abort();
    }
    RunningLine(const RunningLine &) = delete;
    RunningLine &operator=(const RunningLine &) = delete;

    // Takes what it tells within some time. Returns false where it is over.
    bool look(std::chrono::milliseconds time, const std::function<void(GstMessage *)> &on_message) {
        if (!runner_.wait(time) && !runner_.is_running())
            return false;
        while (const auto event = runner_.take())
            if (const auto *message = std::get_if<MessageRef>(&*event))
                look_at(message->get(), on_message);
        if (job_.makes_images_ && job_.preview_.wants_iterate())
            iterating_.ask();
        return true;
    }
    double images() const { return count_.images(); }
    // Behind its last message. Throws its error.
    void end() {
        runner_.join_after_end();
        if (const auto error = runner_.error())
            throw *error;
    }

  private:
    struct Known {
        Job &job;
        Runner &runner;
        Known(Job &of, Runner &running) : job(of), runner(running) {
            std::lock_guard<std::mutex> lock(job.lock_);
            job.go_on();
            job.runners_.push_back(&runner);
        }
        ~Known() {
            std::lock_guard<std::mutex> lock(job.lock_);
            job.runners_.erase(std::find(job.runners_.begin(), job.runners_.end(), &runner));
        }
    };

    static std::unique_ptr<Graph> graph_of(const Job &job, const std::string &line) {
        auto graph = Graph::from_line(line);
        graph->set_max_memory(job.settings_.memory_bytes());
        job.lend_device(*graph);
        return graph;
    }

    void look_at(GstMessage *message, const std::function<void(GstMessage *)> &on_message) {
        const auto *told = gst_message_get_structure(message);
        if (job_.shares_.look_at(told))
            return;
        guint failed = 0;
        if (told && gst_structure_has_name(told, "tomo-device-failed") &&
            gst_structure_get_uint(told, "index", &failed))
            job_.failed_device_ = failed;
        if (told && job_.makes_images_ && gst_structure_has_name(told, "tomo-iterate"))
            job_.preview_.offer_iterate(iterating_.image_of(told, before_));
        on_message(message);
    }

    Job &job_;
    const guint64 before_; // images of other lines
    const std::unique_ptr<Graph> graph_;
    const ImageCount count_;
    IteratingElements iterating_;
    const std::shared_ptr<void> watch_;
    Runner runner_{[] {}, [] {}};
    const Known known_;
};

void Job::run_line(const std::string &line, const std::function<void(GstMessage *)> &on_message,
                   const std::function<void(double)> &on_images, double images_before, MiddleRow *middle) {
    open_device();
    if (makes_images_)
        shares_.begin();
    RunningLine running(*this, line, static_cast<guint64>(images_before), middle);
    while (running.look(Course::progress_interval, on_message)) {
        attend();
        if (on_images)
            on_images(running.images());
    }
    running.end();
    if (on_images)
        on_images(running.images());
    attend();
}

AxisFinder Job::axis_finder() {
    return {settings_, inspect(),
            [this](const std::string &line, const std::function<void(GstMessage *)> &on_message) {
                run_line(line, on_message);
            }};
}

const AxisEstimate &Job::estimate_axis() {
    if (estimate_)
        return *estimate_;
    if (!settings_.stitch.empty())
        throw Error(GST_TOMO_GRAPH_ERROR, GST_TOMO_GRAPH_ERROR_VALUE,
                    "each of the scans that are stitched has its own axis; estimate that of one scan");
    const Inspection &scan = inspect();
    const auto stop_where_ended = [this] {
        if (finishing_) // a part of the rows says another axis, or none
            throw Error(GST_TOMO_GRAPH_ERROR, GST_TOMO_GRAPH_ERROR_ABORTED,
                        "it was ended while the axis was looked for: there is no result");
    };
    try {
        auto found = axis_finder().find();
        stop_where_ended();
        estimate_ = std::make_unique<AxisEstimate>(std::move(found));
    } catch (const AxisNotFound &e) {
        stop_where_ended();
        throw Error(e.domain, e.code,
                    "the axis was not found: " + std::string(e.what()) +
                        ". Give it by --axis, or take the middle of the detector by --axis-method middle",
                    e.debug);
    }
    estimate_->axis_of_scan = scan.axis;
    if (!estimate_->warning.empty())
        message("warning", estimate_->warning);
    compare_with_scan(*estimate_);
    Json told = event("result");
    told.set("name", Json::text("axis"));
    told.set("value", Json::number(estimate_->axis));
    told.set("unit", Json::text("px"));
    told.set("uncertainty", Json::number(estimate_->uncertainty));
    told.set("tilt", Json::number(estimate_->tilt));
    told.set("tilt-degrees", Json::number(estimate_->tilt_degrees()));
    told.set("method", Json::text(estimate_->method));
    tell_(told);
    return *estimate_;
}

void Job::compare_with_scan(const AxisEstimate &found) {
    const double of_scan = inspection_->axis;
    if (std::abs(found.axis - of_scan) > std::max(doubtful_axis, 3.0 * found.uncertainty))
        message("warning", text("the scan tells an axis at %.2f, but its views say %.2f +- %.2f px", of_scan,
                                found.axis, found.uncertainty));
}

Axis Job::find_axis() {
    const Inspection &scan = *inspection_;
    if (settings_.result.value() != "slices")
        return {}; // with which nothing is computed
    if (const auto given = settings_.given_axis())
        return {*given, "given"};
    if (const auto sweep = sweep_of(settings_); sweep && sweep->is_of_axis())
        return {};
    if (settings_.axis_method.is("middle"))
        return {scan.image.width / 2.0, "assumed"};
    const bool wants_scan = settings_.axis_method.is("scan");
    if (!std::isnan(scan.axis) && (wants_scan || settings_.axis_method.is("auto"))) {
        if (!wants_scan)
            look_at_axis();
        return {scan.axis, "scan"};
    }
    if (wants_scan)
        throw Error(GST_RESOURCE_ERROR_READ,
                    "the scan tells no axis: give --axis, or find it by --axis-method auto");
    stage("axis", 1);
    return {estimate_axis().axis, "found"};
}

// That of the scan, in a few rows. It counts, so no failure of this is one of the reconstruction.
void Job::look_at_axis() {
    try {
        if (const auto found = axis_finder().look()) {
            compare_with_scan(*found);
            warn_of_tilt(*found);
        }
    } catch (const Error &) {
        go_on();
    }
}

void Job::warn_of_tilt(const AxisEstimate &found) {
    const double height = inspection_->image.height;
    if (found.tilt_matters(height) && !corrects_roll(settings_))
        message("warning",
                text("the axis is tilted by %.3f +- %.3f degrees: it is off by %.1f px in the first and the "
                     "last row. It is not corrected; --roll %.3f does that",
                     found.tilt_degrees(), found.tilt_uncertainty_degrees(),
                     std::abs(found.tilt) * height / 2.0, found.tilt_degrees()));
}

// The roll that was found with the axis, unless one is given.
void Job::choose_roll(const Axis &axis) {
    if (axis.from != "found" || !estimate_)
        return;
    const bool can_rotate =
        !inspection_->is_sinograms && settings_.y_step == 1u && !wants_alignment(settings_);
    if (!settings_.roll.is_given() && can_rotate && estimate_->tilt_matters(inspection_->image.height)) {
        set_number(settings_.roll, estimate_->tilt_degrees());
        message("info",
                text("the axis is tilted by %.3f +- %.3f degrees, by which projections are rotated; --roll 0 "
                     "leaves them as they are",
                     estimate_->tilt_degrees(), estimate_->tilt_uncertainty_degrees()));
    }
    warn_of_tilt(*estimate_);
}

void Job::align(const Axis &axis) {
    if (!wants_alignment(settings_))
        return;
    if (const auto sweep = sweep_of(settings_); sweep && sweep->is_of_axis())
        throw Error(GST_TOMO_GRAPH_ERROR, GST_TOMO_GRAPH_ERROR_VALUE,
                    "shifts=align wants one axis, and slices for several are made; align first, and give the "
                    "file of displacements then");
    const bool is_in_memory = io::names_memory(settings_.output);
    if (is_in_memory)
        shifts_folder_ = std::make_unique<WorkFolder>(std::string(g_get_tmp_dir()) + "/gst-tomo-shifts");
    const auto file = is_in_memory ? shifts_folder_->file("shifts.txt")
                                   : make_plan(settings_, *inspection_, axis).beside(".shifts");
    // What is there already was made with them.
    if (!settings_.resume || !g_file_test(file.c_str(), G_FILE_TEST_EXISTS)) {
        stage("align", 1);
        Aligner aligner(settings_, *inspection_, axis.position, [&](const std::string &line) {
            run_line(line, [](GstMessage *) {});
            if (finishing_)
                throw Error(GST_TOMO_GRAPH_ERROR, GST_TOMO_GRAPH_ERROR_ABORTED,
                            "it was ended while projections were aligned: there is no result");
        });
        const WorkFolder folder(is_in_memory ? shifts_folder_->file("work") : file);
        const auto found = aligner.find(folder, [&](unsigned step) {
            Json progress = event("progress");
            progress.set("stage", Json::text("align"));
            progress.set("done", Json::integer(guint64{step}));
            progress.set("total", Json::integer(guint64{settings_.align_iterations}));
            progress.set("unit", Json::text("steps"));
            tell_(progress);
        });
        replace_text_file(file, shifts_text(found));
        const auto steps = text("the last of %u steps of the alignment moved projections by %.2g px",
                                found.steps, found.last_step);
        if (found.has_settled)
            message("info", steps);
        else
            message("warning", steps + ", so it has not settled: give more align-iterations, or look at the "
                                       "displacements that were found");
    }
    settings_.shifts.set_text(file);
    for (ParameterBase *parameter : {static_cast<ParameterBase *>(&settings_.shifts_reverse),
                                     static_cast<ParameterBase *>(&settings_.align_iterations),
                                     static_cast<ParameterBase *>(&settings_.align_binning)})
        parameter->reset();
    *inspection_ = reconstruction::inspect(settings_, device_memory());
    const auto &shifts = inspection_->shifts;
    message("info", "projections are displaced by " + shifts.range() + ", as their reprojections say; " +
                        (is_in_memory ? "they are moved back" : "'" + file + "' has all numbers"));
    check_findings();
}

void Job::judge_axis(const Axis &axis) {
    const double width = inspection_->image.width;
    const auto is_outside = [&](double position) {
        if (position >= 0.0 && position <= width)
            return false;
        inspection_->findings.push_back(
            {"axis-outside", Finding::Severity::error,
             text("the axis at %g is outside of the detector's %.0f columns", position, width),
             "Give the axis as an edge coordinate of the full detector, from 0 to its width."});
        return true;
    };
    if (const auto sweep = sweep_of(settings_); sweep && sweep->is_of_axis()) {
        Settings of_value;
        for (std::size_t i = 0; i < sweep->values.size(); i++) {
            sweep->apply(i, settings_, of_value);
            if (is_outside(of_value.given_axis().value_or(0.0)))
                return;
        }
    }
    if (axis.from.empty())
        return;
    if (is_outside(axis.position))
        return;
    Settings settings;
    settings.assign(settings_);
    Inspection scan = *inspection_;
    take_first_turn(settings, scan);
    if (is_general(settings, scan))
        message("info",
                "the general geometry: " + GeneralVolume(settings, scan, axis.position).description());
    else if (joins_half_turns(settings, scan, axis.position))
        message(
            "info",
            text("the scan makes a whole turn about an axis at %.2f, off the middle at %g: both half turns "
                 "together give slices of %u columns",
                 axis.position, width / 2.0, field_of_slices(settings, scan, axis.position).columns));
    else if (scan.range() > 1.5 * std::numbers::pi &&
             std::abs(axis.position - width / 2.0) > far_off_axis * width)
        message(
            "warning",
            text(
                "the scan makes a whole turn about an axis at %.2f, off the middle at %g: where "
                "half of the views do not see the sample, values are too small, unless --off-axis joins both "
                "half turns",
                axis.position, width / 2.0));
    if (const auto choice = chosen_method(settings, scan, axis.position); !choice.reason.empty())
        message("info", "method=auto takes " + choice.reason);
    if (axis.from == "assumed")
        message("warning", text("the axis is taken for the middle of the detector, %g", axis.position));
    if (!estimate_)
        return;
    if (estimate_->uncertainty > uncertain_axis)
        message("warning", text("the axis is uncertain: %.2f +- %.2f px; look at slices, and give --axis",
                                axis.position, estimate_->uncertainty));
}

void Job::check_findings() const {
    if (const auto *obstacle = inspection_->obstacle(settings_))
        throw Error(GST_RESOURCE_ERROR_FAILED, obstacle->text + ". " + obstacle->advice +
                                                   " To go on all the same: --ignore " + obstacle->name);
}

Axis Job::settle_axis() {
    const Axis axis = find_axis();
    judge_axis(axis);
    choose_roll(axis);
    check_findings();
    return axis;
}

void Job::begin_cluster() {
    if (settings_.cluster.empty())
        return;
    cluster_ = std::make_unique<ClusterSlabs>(
        settings_,
        ClusterSlabs::Listener{[this](const char *level, const std::string &text,
                                      const std::string &element) { message(level, text, element); },
                               [this](double images) { on_cluster_images_(images); },
                               [this] {
                                   go_on();
                                   attend();
                                   if (finishing_)
                                       cluster_->finish();
                                   cluster_->pause(paused_ && makes_images_);
                               }});
}

void Job::choose_slabs(const Plan &checked) {
    if (settings_.cluster.empty())
        return;
    constexpr unsigned some = 8; // workers of a cluster that nobody asks, in a plan alone
    const auto workers = cluster_ ? cluster_->workers() : some;
    const auto earlier =
        settings_.resume ? SlabFolder(checked).most_images_of_earlier() : std::optional<unsigned>();
    inspection_->most_images =
        earlier && !settings_.cluster_slab
            ? *earlier
            : images_of_slab(settings_, *inspection_, checked.shape.depth / checked.turns, workers);
}

// A plan alone asks no cluster: the time is known only where workers are processes of this computer.
std::vector<Workers> Job::workers_of_cluster() const {
    if (cluster_)
        return cluster_->kinds();
    constexpr char local[] = "local:";
    const std::string &name = settings_.cluster;
    const auto count = g_str_has_prefix(name.c_str(), local)
                           ? g_ascii_strtoull(name.c_str() + sizeof local - 1, nullptr, 10)
                           : 0;
    if (count == 0 || !context_)
        return {};
    const auto device = context_->default_device();
    const double share = 1.0 / static_cast<double>(count);
    return {{device->name(), device->is_cpu(), share * device->compute_units(), share, count}};
}

void Job::estimate_time() {
    if (!settings_.cluster.empty())
        expect_time(*plan_, settings_, *inspection_, workers_of_cluster());
    else if (context_)
        expect_time(*plan_, settings_, *inspection_, *context_->default_device(), devices_);
}

const Plan &Job::plan() {
    if (plan_)
        return *plan_;
    const Inspection &scan = inspect();
    if (wrong_devices_)
        throw *wrong_devices_;
    check_findings();
    go_on();
    open_device();
    const auto *heights = heights_.empty() ? nullptr : &heights_;
    // What is wrong with the output shows before time goes into the axis.
    const auto checked = plan_as_memory_allows({scan.image.width / 2.0, ""}, heights);
    choose_slabs(checked);
    Axis axis;
    if (heights) {
        stage("axis", 1);
        settle_heights();
        axis = heights_.front().axis;
    } else {
        axis = settle_axis();
        align(axis);
    }
    plan_ = std::make_unique<Plan>(make_plan(settings_, scan, axis, heights));
    if (opening_.joinable())
        opening_.join();
    estimate_time();
    if (context_) {
        if (!is_general(settings_, scan)) // in which it is another one
            check_precision(settings_, *context_->default_device());
        if (is_shared(settings_) && settings_.sweep.empty())
            judge_sharing();
    }
    return *plan_;
}

void Job::run() {
    tell_(hello_event());
    Json outputs = Json::list();
    const char *status = "done";
    std::optional<Error> failure;
    bool has_result = false;
    try {
        stage("inspect", 0);
        begin_cluster();
        inspect();
        const Plan &planned = plan();
        Json told = event("plan");
        told.set("slabs", Json::integer(guint64{planned.slabs.size()}));
        told.set("images", Json::integer(guint64{planned.shape.depth}));
        told.set("bytes", Json::integer(guint64{planned.shape.size()}));
        told.set("output", Json::text(planned.output));
        if (!planned.axis.from.empty()) {
            told.set("axis", Json::number(planned.axis.position));
            told.set("axis-from", Json::text(planned.axis.from));
        }
        if (planned.seconds > 0.0) {
            told.set("device", Json::text(planned.device));
            told.set("seconds", Json::number(planned.seconds));
        }
        if (!planned.shares.empty())
            told.set("devices", planned.devices_json());
        if (!std::isnan(inspection_->pixel_size))
            told.set("pixel-size", Json::number(inspection_->voxel_size(settings_)));
        if (!settings_.sweep.empty()) {
            Json values = Json::list();
            for (const auto &slab : planned.slabs)
                values.add(Json::text(slab.value.substr(slab.value.find('=') + 1)));
            told.set("values", std::move(values));
        }
        tell_(told);
        if (result_)
            result_->allocate(planned.shape);
        has_result = reconstruct_as_devices_can();
        tell_residuals();
        if (!shares_.is_empty())
            record_.devices = shares_.text();
        if (!record_.devices.empty())
            message("info", record_.devices);
        if (finishing_)
            status = "finished early";
        if (has_result) {
            outputs.add(Json::text(planned.output));
            if (!result_) {
                if (const auto values = write_values())
                    outputs.add(Json::text(*values));
                else
                    remove_file(plan_->beside(".values"));
                write_configuration();
                outputs.add(Json::text(planned.beside(".conf")));
                if (write_picture())
                    outputs.add(Json::text(planned.beside(".png")));
                else // that of an earlier result
                    remove_file(planned.beside(".png"));
            }
        }
    } catch (...) {
        failure = current_error();
    }
    if (middle_thread_.joinable())
        middle_thread_.join();
    attend();
    for (const auto &path : preview_.unserved())
        message("warning", "there is no preview" + (path.empty() ? "" : " in '" + path + "'") +
                               ": no image was made after it was asked for");
    if (failure && finishing_ && failure->domain == GST_TOMO_GRAPH_ERROR &&
        failure->code == GST_TOMO_GRAPH_ERROR_ABORTED && !aborting_) {
        message("warning", failure->what());
        status = "finished early";
        failure.reset();
    }
    if (failure) {
        message("error", failure->what());
        status = aborting_ ? "aborted" : "failed";
    }
    const bool has_report = !aborting_ && write_report(status, has_result);
    if (has_report && has_result)
        outputs.add(Json::text(plan_->beside(".html")));
    else if (has_result && !result_) // that of an earlier result
        remove_file(plan_->beside(".html"));
    has_result_ = result_ && !failure;
    tell_(done_event(status, std::move(outputs)));
    if (failure)
        throw *failure;
}

// A volume is made anew; a distribution of arrays does those of a device again by itself.
bool Job::can_do_without_failed(const Error &error) {
    auto failed = std::exchange(failed_device_, {});
    // The first one has also all that no copy has.
    if (!failed && !devices_.empty() && is_device_failure(error))
        failed = devices_.front().index;
    const auto place = std::find_if(devices_.begin(), devices_.end(),
                                    [&](const auto &device) { return failed && device.index == *failed; });
    if (place == devices_.end() || devices_.size() < 2 || !settings_.on_failure.is("continue") ||
        is_out_of_device_memory(error) || aborting_ || finishing_)
        return false;
    message("warning", text("device %zu (%s) failed, and the others make the slices again: %s", place->index,
                            place->name.c_str(), error.what()));
    devices_.erase(place);
    settings_.device.set_text(std::to_string(devices_.front().index));
    settings_.devices.reset();
    if (devices_.size() > 1)
        settings_.devices.set_text(indices_of(devices_));
    context_.reset(); // the default device may be another one
    open_device();
    return true;
}

// Without a device that fails, and fewer images at a time where a device has no memory for them, until it
// does not take a single one.
bool Job::reconstruct_as_devices_can() {
    while (true) {
        unsigned most = 0;
        for (const auto &slab : plan_->slabs)
            most = std::max(most, slab.images);
        try {
            return reconstruct();
        } catch (const Error &e) {
            const bool can_be_parted = most > 1 && !settings_.result.is("projections") &&
                                       settings_.sweep.empty() && !settings_.resume &&
                                       !(is_general(settings_, *inspection_) && is_iterative(settings_));
            if (!can_do_without_failed(e)) {
                if (!is_out_of_device_memory(e) || !can_be_parted || aborting_ || finishing_)
                    throw;
                constexpr unsigned share = 4; // each attempt costs some seconds
                inspection_->most_images = (most + share - 1) / share;
                message("info", text("%s. Slices are made anew, %u of them at a time instead of %u", e.what(),
                                     inspection_->most_images, most));
            }
        }
        if (middle_thread_.joinable())
            middle_thread_.join();
        makes_images_ = false;
        *plan_ = make_plan(settings_, *inspection_, plan_->axis, heights_.empty() ? nullptr : &heights_);
        estimate_time();
    }
}

void Job::tell_residuals() {
    const auto &courses = record_.iterations.courses();
    if (courses.size() == 1 && settings_.sweep.empty()) // else the report has them all
        message("info", settings_.method.value() + ": " + residuals_text(courses.front()));
}

// Lines that depend on nothing of each other, one on each device at a time. Returns false where it was ended
// early.
bool Job::run_side_by_side(const SlabFolder &folder, Course &course) {
    struct Lane {
        std::size_t next; // slab
        const Slab *slab = nullptr;
        std::unique_ptr<RunningLine> line = {};
    };
    const auto &slabs = plan_->slabs;
    std::vector<Lane> lanes;
    for (std::size_t i = 0; i < devices_.size(); i++)
        lanes.push_back({i});
    const auto is_over = [&](const Lane &lane) {
        return !lane.line && (lane.next >= slabs.size() || finishing_);
    };
    const std::chrono::milliseconds time(Course::progress_interval.count() / static_cast<int>(lanes.size()) +
                                         1);
    while (!std::all_of(lanes.begin(), lanes.end(), is_over)) {
        go_on();
        for (std::size_t i = 0; i < lanes.size(); i++) {
            auto &lane = lanes[i];
            if (is_over(lane))
                continue;
            if (!lane.line) {
                lane.slab = &slabs[lane.next];
                lane.next += lanes.size();
                if (!settings_.resume || !folder.has(*lane.slab))
                    lane.line = std::make_unique<RunningLine>(*this, lane.slab->line,
                                                              lane.slab - slabs.data(), nullptr);
                else
                    course.before += lane.slab->images;
                continue;
            }
            if (lane.line->look(time, [&](GstMessage *message) {
                    tell_of(message);
                    course.look_at(message, *lane.slab);
                }))
                continue;
            try {
                lane.line->end();
            } catch (const Error &error) {
                if (!failed_device_ && is_device_failure(error)) // the line has this one alone
                    failed_device_ = devices_[i].index;
                throw;
            }
            lane.line.reset();
            if (finishing_) { // a part of its images would be taken for all of them
                folder.remove(*lane.slab);
                continue;
            }
            shares_.made(devices_[i], lane.slab->images);
            course.before += lane.slab->images;
            course.tell(0.0);
        }
        attend();
    }
    return !finishing_;
}

bool Job::reconstruct() {
    stage("reconstruct", 2);
    shares_ = {};
    record_.iterations = {}; // of an attempt before
    prepare_report();
    Course course{*this, "reconstruct", static_cast<double>(plan_->shape.depth), plan_->seconds};
    course.tell(0.0);
    makes_images_ = true;
    if (can_make_middle()) {
        preview_.wait_for_first();
        attend();
        if (middle_thread_.joinable()) // it is wanted before all others
            middle_thread_.join();
    }
    const auto on_message_of = [&](const Slab &slab) {
        return [&](GstMessage *message) {
            tell_of(message);
            course.look_at(message, slab);
        };
    };
    // The sinograms of images that are there already do not come.
    const auto middle_of = [&](const Slab &slab) {
        const bool is_middle =
            middle_ && &slab - plan_->slabs.data() == static_cast<std::ptrdiff_t>(middle_->middle().slab);
        return is_middle && !settings_.resume ? middle_.get() : nullptr;
    };
    if (plan_->folder.empty()) { // one line, or several into memory
        // What is there already is none of this run, unless this run goes on with it.
        double images = 0.0;
        for (const auto &slab : plan_->slabs) {
            go_on();
            if (finishing_)
                break;
            run_line(
                slab.line, on_message_of(slab),
                [&](double done) { course.tell(done), images = course.before + done; }, course.before,
                middle_of(slab));
            course.before += slab.images;
        }
        {
            std::lock_guard<std::mutex> lock(lock_);
            if (images == course.total) { // nothing is left that could end early
                finishing_ = false;
                joining_ = true;
            }
        }
        if (finishing_ && images > 0.0 && !result_)
            message("warning",
                    text("'%s' has %.0f of %.0f %s: the same with --resume goes on from there",
                         plan_->output.c_str(), images, course.total, settings_.result.value().c_str()));
        return images > 0.0;
    }
    const SlabFolder folder(*plan_);
    const auto claimed = folder.prepare(settings_.resume);
    const auto stop = [&] {
        message("warning",
                text("there is no result yet: %.0f of %.0f %s are in '%s', and the same with --resume "
                     "goes on from there",
                     course.before, course.total, settings_.result.value().c_str(), plan_->folder.c_str()));
        return false;
    };
    const auto is_there = [&](const Slab &slab) { return settings_.resume && folder.has(slab); };
    if (cluster_) {
        on_cluster_images_ = [&](double images) { course.tell(images); };
        try {
            cluster_->make(*plan_, is_there);
        } catch (...) {
            if (!is_out_of_device_memory(current_error()))
                cluster_.reset(); // until then, workers write in the folder
            folder.remove_without_slabs();
            throw;
        }
        for (const auto &slab : plan_->slabs)
            course.before += folder.has(slab) ? slab.images : 0;
        if (finishing_ && course.before < course.total)
            return stop();
        finishing_ = false; // nothing is left that could end early
        record_.devices = cluster_->shares();
    } else if (is_shared(settings_) && !settings_.sweep.empty()) {
        try {
            if (!run_side_by_side(folder, course))
                return stop();
        } catch (...) {
            folder.remove_without_slabs();
            throw;
        }
    } else {
        for (const auto &slab : plan_->slabs) {
            go_on();
            if (finishing_)
                return stop();
            if (!is_there(slab)) {
                try {
                    run_line(
                        slab.line, on_message_of(slab), [&](double images) { course.tell(images); },
                        course.before, middle_of(slab));
                } catch (...) {
                    folder.remove_without_slabs();
                    throw;
                }
                if (finishing_) { // a part of its images would be taken for all of them
                    folder.remove(slab);
                    return stop();
                }
            }
            course.before += slab.images;
            course.tell(0.0);
        }
    }
    {
        std::lock_guard<std::mutex> lock(lock_);
        joining_ = !finishing_;
    }
    if (!joining_)
        return stop();
    folder.check();
    record_.begin("join", paused_seconds());
    if (plan_->is_virtual) {
        cluster_->join(*plan_);
        return true;
    }
    Course joining{*this, "join", static_cast<double>(plan_->shape.depth), 0.0, true};
    double joined = 0.0;
    const auto on_join = [&](GstMessage *message) {
        tell_of(message);
        double sharpness = 0.0;
        if (const auto *told = gst_message_get_structure(message);
            told && gst_structure_has_name(told, "tomo-sharpness") &&
            gst_structure_get_double(told, "sharpness", &sharpness))
            record_.sharpness.push_back(sharpness);
    };
    run_line(plan_->join, on_join, [&](double images) { joining.tell(joined = images); });
    if (joined != joining.total)
        throw Error(GST_STREAM_ERROR_FAILED,
                    text("'%s' has %.0f of %.0f images; its slabs stay in '%s'", plan_->output.c_str(),
                         joined, joining.total, plan_->folder.c_str()));
    folder.remove();
    tell_sharpest();
    return true;
}

std::optional<std::string> Job::write_values() const {
    const auto sweep = sweep_of(settings_);
    if (!sweep)
        return {};
    std::string name = sweep->name;
    std::replace(name.begin(), name.end(), '-', '_');
    if (io::name_images(plan_->output, name, sweep->values))
        return {};
    std::string table;
    for (std::size_t i = 0; i < plan_->slabs.size(); i++)
        table += text("%zu\t%s\n", i, plan_->slabs[i].value.c_str());
    const auto file = plan_->beside(".values");
    replace_text_file(file, table);
    return file;
}

void Job::resolve(Settings &resolved) const {
    resolved.assign(settings_);
    if (!plan_->axis.from.empty()) {
        const bool has_axes = resolved.general.center_x.value().size() > 1; // of each view
        for (ParameterBase *parameter : {static_cast<ParameterBase *>(&resolved.axis_index),
                                         static_cast<ParameterBase *>(&resolved.axis_method),
                                         static_cast<ParameterBase *>(&resolved.axis_rows),
                                         static_cast<ParameterBase *>(&resolved.axis_range),
                                         static_cast<ParameterBase *>(&resolved.axis_metric)})
            parameter->reset();
        if (heights_.empty()) {
            if (!has_axes) {
                resolved.general.center_x.reset();
                set_number(resolved.axis, plan_->axis.position);
            }
        } else {
            resolved.axis.reset();
            resolved.roll.reset();
            resolved.stitch_method.reset();
            resolve_heights(heights_, resolved);
        }
    }
    if (!devices_.empty()) {
        resolved.device.reset();
        resolved.devices.set_text(given_devices_);
        if (given_devices_.empty())
            resolved.devices.reset();
    }
    resolved.output.set_text(plan_->output);
    resolved.resume.reset();
    resolved.overwrite.reset();
    for (ParameterBase *parameter : {static_cast<ParameterBase *>(&resolved.cluster),
                                     static_cast<ParameterBase *>(&resolved.cluster_slab),
                                     static_cast<ParameterBase *>(&resolved.cluster_patience)})
        parameter->reset(); // the same slices come from one computer
}

void Job::write_configuration() const {
    Settings resolved;
    resolve(resolved);
    replace_text_file(plan_->beside(".conf"), resolved.configuration());
}

void Job::prepare_report() {
    // It stands beside a file.
    has_report_ = settings_.report && settings_.result.is("slices") && !result_;
    if (!has_report_ || !settings_.sweep.empty())
        return;
    Settings settings;
    settings.assign(settings_);
    Inspection scan = *inspection_;
    take_first_turn(settings, scan);
    middle_ = std::make_unique<MiddleRow>(
        Middle(*plan_, settings_.binning), scan.views,
        parts_of(settings, scan, plan_->axis.position)->first_behind_correction());
}

bool Job::write_report(const char *status, bool has_result) {
    // An earlier result and its report stay together.
    if (!has_report_ || record_.images == 0.0 ||
        (!has_result && g_file_test(plan_->first_file().c_str(), G_FILE_TEST_EXISTS)))
        return false;
    try {
        record_.end(paused_seconds());
        record_.status = status;
        Settings resolved, of_turn;
        resolve(resolved);
        Inspection scan = *inspection_;
        // The middle slice is of one turn, and so are the views of each slice.
        const auto turn = plan_->slabs.at(Middle(*plan_, settings_.binning).slab).turn;
        for (const auto &one : turn ? turns_of(settings_, scan) : std::vector<Turn>())
            if (one.number == *turn) {
                of_turn.assign(settings_);
                take_turn(one, of_turn, scan);
                break;
            }
        replace_text_file(plan_->beside(".html"), report_of({resolved, scan, *plan_, record_, estimate_.get(),
                                                             middle_.get(), has_result}));
        return true;
    } catch (const std::exception &e) { // the result is worth more than its report
        message("warning", text("the report was not written: %s", e.what()));
        return false;
    }
}

bool Job::write_picture() {
    if (!settings_.picture || !settings_.result.is("slices") || plan_->is_picture())
        return false;
    try {
        const double pixel_size = inspection_->voxel_size(settings_);
        std::string picture;
        if (const auto sweep = sweep_of(settings_)) {
            std::vector<std::string> labels;
            for (std::size_t i = 0; i < sweep->values.size(); i++)
                labels.push_back(sweep->label(i));
            picture = mosaic_of(*plan_, labels, record_.sharpest(), pixel_size, most_side_of_picture).png;
        } else {
            picture = picture_of_middle(*plan_, settings_.binning, pixel_size, most_side_of_picture);
        }
        if (!has_lettering())
            message("info",
                    "the picture has no labels: this build draws no letters, as it was made without Pango");
        replace_text_file(plan_->beside(".png"), picture);
        return true;
    } catch (const std::exception &e) { // the result is worth more than its picture
        message(settings_.picture.is_given() ? "warning" : "info", text("there is no picture: %s", e.what()));
        return false;
    }
}

void Job::tell_sharpest() {
    const auto best = record_.sharpest();
    if (!best)
        return;
    const auto sweep = sweep_of(settings_);
    Json told = event("result");
    told.set("name", Json::text("sharpest-" + sweep->name));
    told.set("value", Json::number(g_ascii_strtod(sweep->values[*best].c_str(), nullptr)));
    told.set("unit", Json::text("px"));
    tell_(told);
    message("info", text("the slice with %s is the sharpest one, by the entropy of its values",
                         sweep->label(*best).c_str()));
}

GstSample *Job::take_result() { return has_result_.exchange(false) ? result_->take_result() : nullptr; }

void Job::pause(bool is_paused) {
    std::lock_guard<std::mutex> lock(lock_);
    if (finishing_ || aborting_)
        return;
    paused_ = is_paused;
    if (makes_images_)
        for (auto *runner : runners_)
            runner->pause(is_paused);
}

void Job::finish() {
    std::lock_guard<std::mutex> lock(lock_);
    paused_ = false;
    for (auto *runner : runners_)
        runner->pause(false);
    if (joining_) // all slices are there, and soon in one place
        return;
    finishing_ = true;
    for (const auto &part : parts_)
        part->finish();
    for (auto *runner : runners_)
        runner->end();
}

void Job::abort() {
    aborting_ = true;
    std::lock_guard<std::mutex> lock(lock_);
    for (const auto &part : parts_)
        part->abort();
    for (auto *runner : runners_)
        runner->abort();
    if (middle_runner_)
        middle_runner_->abort();
}

} // namespace tomo::reconstruction
