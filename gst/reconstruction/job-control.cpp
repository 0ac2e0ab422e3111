// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What a program asks of a job that runs: pauses and previews.
#include <gst/files/memory/images.hpp>
#include <gst/reconstruction/chain.hpp>
#include <gst/reconstruction/job.hpp>
#include <gst/reconstruction/parts.hpp>
#include <gst/reconstruction/turns.hpp>
#include <gst/tomo/device/device-array.hpp>
#include <gst/tomo/graph/run.hpp>
#include <gst/tomo/support/text-file.hpp>
#include <gst/tomo/support/threads.hpp>

namespace tomo::reconstruction {

namespace {

using Clock = std::chrono::steady_clock;

} // namespace

double Job::paused_seconds() const {
    return paused_seconds_ +
           (is_told_paused_ ? std::chrono::duration<double>(Clock::now() - paused_since_).count() : 0.0);
}

void Job::attend() {
    if (const bool is_paused = paused_ && makes_images_; is_paused != is_told_paused_) {
        paused_seconds_ = paused_seconds();
        paused_since_ = Clock::now();
        is_told_paused_ = is_paused;
        states_++;
        tell_(state_event(is_paused));
    }
    if (!makes_images_)
        return;
    begin_middle();
    if (middle_is_over_ && !middle_failure_.empty())
        message("warning",
                "the middle slice is no preview, but a later one: " + std::exchange(middle_failure_, {}));
    while (const auto image = preview_.take()) {
        try {
            write_preview(image->first, image->second.get());
        } catch (const std::exception &e) { // a result is worth more
            message("error", std::string("the preview was not written: ") + e.what());
        }
    }
}

void Job::write_preview(const std::string &path, GstSample *image) {
    if (path.empty() && plan_->is_in_memory())
        throw Error(GST_RESOURCE_ERROR_SETTINGS, "the result goes into memory; give a path");
    const auto file = path.empty() ? plan_->beside(".preview.npy") : path;
    tell_(write_preview_file(file, image));
}

bool Job::can_make_middle() const {
    return settings_.result.is("slices") && settings_.sweep.empty() && heights_.empty() &&
           plan_->turns == 1 && parts_of(settings_, *inspection_, plan_->axis.position)->can_be_single();
}

// In a thread of its own, beside the stream of all slices: a preview waits for no volume.
void Job::begin_middle() {
    if (!preview_.is_wanted() || middle_thread_.joinable() || middle_is_over_ || aborting_ ||
        !can_make_middle())
        return;
    middle_thread_ = start_thread([this] {
        SampleRef image;
        try {
            image = make_middle();
        } catch (...) {
            middle_failure_ = current_error().what();
        }
        preview_.give(std::move(image));
        middle_is_over_ = true;
    });
}

SampleRef Job::make_middle() {
    Settings settings;
    settings.assign(settings_);
    Inspection scan = *inspection_;
    take_first_turn(settings, scan);
    settings.resume.reset();
    settings.devices.reset(); // one of them makes it
    const Middle middle(*plan_, settings.binning);
    const auto images = io::MemoryImages::reserved("preview");
    images->allocate(ArrayInfo(GST_TOMO_FORMAT_FLOAT32, plan_->shape.width, plan_->shape.height));
    const auto graph =
        Graph::from_line(parts_of(settings, scan, plan_->axis.position)->line(middle.image, 1) +
                         sink_line(settings, images->location(), true));
    lend_device(*graph);
    Runner runner([] {}, [] {});
    {
        std::lock_guard<std::mutex> lock(lock_);
        go_on();
        runner.start(*graph);
        middle_runner_ = &runner;
    }
    while (runner.wait())
        while (runner.take()) {
        }
    {
        std::lock_guard<std::mutex> lock(lock_);
        middle_runner_ = nullptr;
    }
    runner.join_after_end();
    if (const auto error = runner.error())
        throw *error;
    const SampleRef made(images->take_result());
    const BufferRef image(gst_buffer_copy(gst_sample_get_buffer(made.get())));
    GST_BUFFER_OFFSET(image.get()) = middle.image;
    return SampleRef(gst_sample_new(image.get(), gst_sample_get_caps(made.get()), nullptr, nullptr));
}

} // namespace tomo::reconstruction
