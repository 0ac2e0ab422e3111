// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "scan-stream.hpp"
#include <gst/files/input-file.hpp>

#include <gst/tomo/geometry/scan.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>

namespace tomo::io {

void ScanStream::set_plan(std::shared_ptr<const ScanPlan> plan, const std::string &kind) {
    frames_ = ScanFrames(std::move(plan), kind);
}

void ScanStream::require_images() const {
    const auto &scan = frames_.plan().scan;
    if (frames_.is_projections() && frames_.images().empty())
        throw Error(GST_RESOURCE_ERROR_NOT_FOUND,
                    text("%s holds no projections, but %" G_GSIZE_FORMAT " darks and %" G_GSIZE_FORMAT
                         " flats, by image_key or the words in names of folders and files; leave the output "
                         "projections alone, or name the projections as location",
                         scan.name.c_str(), scan.darks.images.size(),
                         scan.flats.images.size() + scan.flats_after.images.size()));
    if (frames_.images().empty() && !may_be_empty())
        throw Error(GST_RESOURCE_ERROR_NOT_FOUND,
                    text("%s holds no %s; name where they are by the property %s, or leave the output alone",
                         scan.name.c_str(), frames_.kind().c_str(), frames_.kind().c_str()));
}

void ScanStream::start() {
    complete_ = !follows();
    available_ = 0;
    announced_ = 0;
    problem_.reset();
    if (!complete_)
        return;
    require_images();
    if (!frames_.images().empty())
        open();
}

void ScanStream::open() {
    frames_.measure();
    ahead_ = std::make_unique<ReadAhead>(
        *this,
        [this](std::uint64_t n) { return follows() && n >= available_ ? std::nullopt : frames_.locate(n); },
        // As they are now: the thread of the stream may look at the scan anew.
        [frames = frames_] { return frames.make_reader(); });
}

void ScanStream::stop() {
    ahead_.reset();
    looker_.reset();
}

std::optional<ArrayInfo> ScanStream::frame_info(std::uint64_t n) {
    if (!complete_)
        wait_for(n);
    const auto *frame = ahead_ ? ahead_->plan(n) : nullptr;
    return frame ? std::optional(frame->info) : std::nullopt;
}

// Following
// -------------------------------------------------------------------------------------------------------------

void ScanStream::wait_for(std::uint64_t n) {
    using Clock = std::chrono::steady_clock;
    constexpr auto pause = std::chrono::milliseconds(20);
    constexpr unsigned pauses = 10; // between two looks
    const auto end = Clock::now() + std::chrono::duration<double>(frames_.plan().timeout);
    for (unsigned i = 0; !complete_ && n >= available_; i++) {
        if (is_cancelled())
            throw Flushing();
        if (i % pauses == 0)
            look_again();
        else if (Clock::now() > end)
            return time_out();
        else
            std::this_thread::sleep_for(pause);
    }
    if (complete_)
        require_images();
}

void ScanStream::look_again() {
    // Before looking, or it could be closed after the look and with more than was seen.
    const bool closed = !is_being_written().value_or(true);
    auto fresh = std::make_shared<ScanPlan>(frames_.plan());
    try {
        fresh->find();
    } catch (const NotYet &error) {
        problem_ = error;
        return;
    } catch (const Error &error) {
        if (!io::is_being_written(split_location(frames_.plan().request.location).file).value_or(true))
            throw;
        problem_ = error;
        return;
    }
    const auto before = frames_;
    const auto &known = before.images();
    frames_.grow(std::move(fresh));
    const auto is_same = [&](const ScanImages::Image &a, const ScanImages::Image &b) {
        return a.page == b.page && known.files[a.file] == frames_.images().files[b.file];
    };
    if (available_ > frames_.images().images.size() ||
        !std::equal(known.images.begin(), known.images.begin() + available_, frames_.images().images.begin(),
                    is_same))
        throw Error(
            GST_STREAM_ERROR_FAILED,
            text("%s: images stand before, or in place of, those that were read already; a scan that is "
                 "followed grows at its end",
                 frames_.plan().scan.name.c_str()));

    const auto &scan = frames_.plan().scan;
    available_ = number_stored();
    // Keys that were written beforehand tell the end; those that grow with the frames are ahead by a few.
    constexpr std::size_t few = 8;
    if (scan.announced != announced_)
        announced_ = scan.announced > scan.frames + few ? scan.announced : 0;
    const bool all_came = closed || scan.projections.images.size() >= frames_.plan().number ||
                          (announced_ > 0 && scan.frames >= announced_);
    // With the first projection, what comes before the projections is there.
    const bool last_known = all_came || &frames_.images() == &scan.darks || &frames_.images() == &scan.flats;
    complete_ = last_known && available_ == frames_.images().images.size();
    if (closed && !complete_) {
        warn(text("%s was closed with %" G_GSIZE_FORMAT " of %" G_GSIZE_FORMAT " %s", scan.name.c_str(),
                  available_, frames_.images().images.size(), frames_.kind().c_str()));
        complete_ = true;
    }
    if (available_ > 0 && !ahead_)
        open();
}

// How many images from the first on are there as a whole.
std::size_t ScanStream::number_stored() {
    const auto &images = frames_.images().images;
    auto count = available_;
    for (; count < images.size(); count++) {
        const auto &file = frames_.images().files[images[count].file];
        if (frames_.images().type != FileType::Hdf5) {
            // The last file counts when it has not grown for a while.
            if (images[count].file + 1 < frames_.images().files.size())
                continue;
            std::error_code ignored;
            const auto size = std::filesystem::file_size(file, ignored);
            const auto now = std::chrono::steady_clock::now();
            if (file != looked_at_ || size != size_)
                size_since_ = now;
            looked_at_ = file;
            size_ = size;
            if (size == 0 || now - size_since_ < std::chrono::milliseconds(200))
                break;
            continue;
        }
        if (!looker_ || file != looked_at_) {
            ReadOptions options;
            options.type = frames_.images().type;
            options.follow = true;
            try {
                looker_ = open_reader(file, options);
            } catch (const NotYet &error) {
                problem_ = error;
                break;
            }
            looked_at_ = file;
        }
        if (!looker_->is_stored(images[count].page))
            break;
    }
    return count;
}

// The images may be in other files than the one that names them. What is not there yet counts.
std::optional<bool> ScanStream::is_being_written() const {
    const auto &projections = frames_.plan().scan.projections;
    if (projections.files.empty())
        return {};
    const auto location = io::is_being_written(split_location(frames_.plan().request.location).file);
    std::optional<bool> images;
    if (projections.type == FileType::Hdf5) {
        ReadOptions options;
        options.type = projections.type;
        options.follow = true;
        try {
            images = open_reader(projections.files[0], options)->is_being_written();
        } catch (const Error &) {
            return true;
        }
    }
    if (location && images)
        return *location || *images;
    return location ? location : images;
}

void ScanStream::time_out() {
    const auto &scan = frames_.plan().scan;
    if (available_ == 0 && problem_)
        throw *problem_;
    const bool by_number = frames_.plan().number != G_MAXUINT;
    if (frames_.is_projections() &&
        (by_number || scan.announced > scan.frames || available_ < frames_.images().images.size()))
        throw Error(GST_RESOURCE_ERROR_READ,
                    text("%s: no other projection came within %g s (timeout), after %" G_GSIZE_FORMAT
                         " of them; more were expected by %s",
                         scan.name.c_str(), frames_.plan().timeout, available_,
                         by_number ? "number" : "what the scan says"));
    if (frames_.is_projections() && is_being_written().value_or(false))
        throw Error(
            GST_RESOURCE_ERROR_READ,
            text("%s: no other projection came within %g s (timeout), after %" G_GSIZE_FORMAT
                 " of them, but the file is marked as being written: its writer waits, or was killed; set "
                 "number if these are all, or read the images so far with follow=false",
                 scan.name.c_str(), frames_.plan().timeout, available_));
    complete_ = true;
    require_images();
}

Array ScanStream::frame(std::uint64_t, const ArrayInfo &) {
    ahead_->set_upload(output_is_on_device());
    return ahead_->take();
}

std::optional<std::uint64_t> ScanStream::frame_count() {
    if (follows())
        return {};
    return frames_.count();
}

// The mean over each set of what `value` says of a frame's number; one for all if they are not told apart.
template <class Value>
static std::vector<double> means_of_sets(const ScanImages &images, const Value &value, bool apart = true) {
    std::vector<double> sums(apart ? images.sets() : std::min(images.sets(), 1u)), counts(sums.size());
    for (const auto &image : images.images) {
        sums[apart ? image.set : 0] += value(image.number);
        counts[apart ? image.set : 0]++;
    }
    for (std::size_t i = 0; i < sums.size(); i++)
        sums[i] /= counts[i];
    return sums;
}

EventRef ScanStream::scan_event() {
    const auto &plan = frames_.plan();
    const auto &scan = plan.scan;
    const auto &part = plan.part;
    tomo::Scan event;
    event.axis_position = scan.axis_position - part.first_column;
    event.region_x = part.first_column;
    event.region_y = part.rows.edge();
    event.binning_y = part.rows.step;
    event.pixel_size = scan.pixel_size;
    event.energy = scan.energy;
    event.distance = scan.distance;
    event.source_distance = scan.source_distance;
    // Of a scan that is followed frames know their angles, and nobody all of them.
    if (frames_.is_projections() && !follows()) {
        event.angles = scan.angles;
        event.total_projections = double(plan.total);
        if (scan.angles.empty())
            event.projection_numbers.assign(plan.numbers_in_it.begin(), plan.numbers_in_it.end());
    }
    if (frames_.is_projections() && scan.has_order && !follows()) {
        for (const auto &image : scan.projections.images)
            event.frames.push_back(double(image.number));
        const auto mean = [](const ScanImages &images) {
            double sum = 0.0;
            for (const auto &image : images.images)
                sum += double(image.number);
            return sum / double(images.images.size()); // NaN where there are none
        };
        event.flats_frame = mean(scan.flats);
        event.flats_after_frame = mean(scan.flats_after);
        if (plan.means_of_flat_sets())
            event.flat_set_frames =
                means_of_sets(scan.flats, [](std::size_t number) { return double(number); });
    }
    if (frames_.is_projections() && !follows()) {
        event.shifts_x = scan.shifts.x;
        event.shifts_y = scan.shifts.y;
    }
    if (frames_.is_projections() && !scan.beam.empty() && !follows()) {
        const auto beam = [&](std::size_t number) { return scan.beam.at(number); };
        for (const auto &image : scan.projections.images)
            event.beam.push_back(beam(image.number));
        event.flats_beam = means_of_sets(scan.flats, beam, plan.means_of_flat_sets());
        if (!scan.flats_after.empty())
            event.flats_after_beam = means_of_sets(scan.flats_after, beam, false).front();
    }
    return event.to_event();
}

void ScanStream::describe_frame(std::uint64_t n, GstTomoFrameMeta &meta) {
    if (frames_.is_sinograms()) {
        meta.source = g_strdup(frames_.images().files[0].c_str());
        return;
    }
    const auto &image = frames_.images().images[n];
    meta.index = image.number;
    meta.source = g_strdup(frames_.images().files[image.file].c_str());
    if (frames_.is_projections() && !frames_.plan().scan.angles.empty())
        meta.angle = frames_.plan().scan.angles[n];
}

} // namespace tomo::io
