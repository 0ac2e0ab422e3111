// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "frame-store.hpp"

#include <gst/tomo/support/threads.hpp>

#include <cmath>
#include <cstring>
#include <utility>

namespace tomo::live {

void FrameStore::begin(const ArrayInfo &image, std::uint64_t limit) {
    std::unique_lock<std::mutex> lock(lock_);
    const auto most = static_cast<std::size_t>(limit / image.size());
    if (image == image_ && most == most_)
        return;
    if (most < 2)
        throw Error(GST_RESOURCE_ERROR_NO_SPACE_LEFT,
                    text("store-limit of %s bytes has no room for two frames of %s: set a larger one",
                         std::to_string(limit).c_str(), image.describe().c_str()));
    const bool is_like = image == image_;
    if (keeping_ && !is_like)
        stop_locked(text("the frames are %s now, and %s before: the file has those before",
                         image.describe().c_str(), image_.describe().c_str()));
    if (!is_like) {
        changed_.wait(lock, [&] { return !keeping_; });
        first_ = count();
        frames_.clear();
        free_.clear();
    }
    image_ = image;
    most_ = most;
}

void FrameStore::put(const void *samples, const Facts &facts, bool waits) {
    std::unique_lock<std::mutex> lock(lock_);
    // The oldest one has been written, or nobody wants it.
    const auto has_room = [&] {
        return frames_.size() < most_ || !keeping_ || (keeping_->end && first_ >= *keeping_->end) ||
               first_ < keeping_->next;
    };
    if (!has_room()) {
        if (waits) {
            changed_.wait(lock, [&] { return has_room() || is_cancelled_; });
        } else if (!keeping_->end) {
            stop_locked(text("the disk is too slow: %s", rates().c_str()));
            const Report report{Report::State::slow, keeping_->path,
                                text("'%s' ends with the frames so far, because %s", keeping_->path.c_str(),
                                     keeping_->failure.c_str()),
                                *keeping_->end - keeping_->next + keeping_->written / image_.size()};
            lock.unlock();
            tell_(report);
            lock.lock();
        }
        if (!has_room())
            return; // what is stored is still to be written
    }
    Frame frame{facts, {}};
    while (frames_.size() >= most_) {
        free_.push_back(std::move(frames_.front().samples));
        frames_.pop_front();
        first_++;
    }
    if (free_.empty())
        frame.samples.reset(new unsigned char[image_.size()]);
    else {
        frame.samples = std::move(free_.back());
        free_.pop_back();
    }
    lock.unlock();
    std::memcpy(frame.samples.get(), samples, image_.size());
    lock.lock();
    frames_.push_back(std::move(frame));
    if (keeping_)
        keeping_->came += image_.size();
    changed_.notify_all();
}

void FrameStore::cancel(bool is_cancelled) {
    const std::lock_guard<std::mutex> lock(lock_);
    is_cancelled_ = is_cancelled;
    changed_.notify_all();
}

void FrameStore::keep(double seconds, const std::string &path, std::shared_ptr<const Fields> fields,
                      double axis) {
    std::unique_lock<std::mutex> lock(lock_);
    constexpr auto to_close = std::chrono::seconds(5); // a file that has its end
    changed_.wait_for(lock, to_close, [&] { return !keeping_ || !keeping_->end; });
    if (keeping_)
        throw Error(GST_RESOURCE_ERROR_BUSY,
                    text("frames are being kept in '%s': stop that first", keeping_->path.c_str()));
    if (image_.format == GST_TOMO_FORMAT_UNKNOWN)
        throw Error(GST_RESOURCE_ERROR_BUSY,
                    "no frame has come yet, so its size is not known: wait for the first one");
    io::check_exchange_name(path);
    if (writer_.joinable()) // of an earlier file, which is closed
        writer_.join();
    auto begin = count();
    if (!frames_.empty())
        for (const double now = frames_.back().facts.arrival;
             begin > first_ && now - frames_[begin - 1 - first_].facts.arrival < seconds;)
            begin--;
    keeping_.emplace();
    keeping_->path = path;
    keeping_->fields = std::move(fields);
    keeping_->axis = axis;
    keeping_->next = begin;
    keeping_->since = Clock::now();
    const auto before = count() - begin;
    writer_ = start_thread([this] { write(); });
    lock.unlock();
    tell_({Report::State::begun, path,
           text("%s frames are kept in '%s', and all that follow", std::to_string(before).c_str(),
                path.c_str()),
           before});
}

void FrameStore::stop_locked(const std::string &failure) {
    if (!keeping_ || keeping_->end)
        return;
    keeping_->end = count();
    keeping_->failure = failure;
    changed_.notify_all();
}

void FrameStore::set_axis(double axis) {
    const std::lock_guard<std::mutex> lock(lock_);
    if (keeping_ && !keeping_->end)
        keeping_->axis = axis;
}

void FrameStore::stop(const std::string &failure) {
    const std::lock_guard<std::mutex> lock(lock_);
    stop_locked(failure);
}

void FrameStore::end() {
    stop({});
    if (writer_.joinable())
        writer_.join();
    const std::lock_guard<std::mutex> lock(lock_);
    first_ = count();
    frames_.clear();
    free_.clear();
    image_ = {};
    most_ = 0;
}

bool FrameStore::is_keeping() const {
    const std::lock_guard<std::mutex> lock(lock_);
    return keeping_.has_value();
}

void FrameStore::set_fields(std::shared_ptr<const Fields> fields) {
    const std::lock_guard<std::mutex> lock(lock_);
    if (!keeping_)
        return;
    auto of_file = keeping_->fields ? *keeping_->fields : Fields{};
    if (!of_file.dark)
        of_file.dark = fields->dark;
    if (!of_file.flat)
        of_file.flat = fields->flat;
    keeping_->fields = std::make_shared<const Fields>(of_file);
}

FrameStore::Counts FrameStore::counts() const {
    const std::lock_guard<std::mutex> lock(lock_);
    Counts counts{frames_.size(), 0, 0.0};
    if (frames_.size() > 1)
        counts.seconds = frames_.back().facts.arrival - frames_.front().facts.arrival;
    if (keeping_)
        counts.kept = keeping_->written / image_.size();
    return counts;
}

// Megabytes a second, of the camera and of the disk.
std::string FrameStore::rates() const {
    const double seconds = std::chrono::duration<double>(Clock::now() - keeping_->since).count();
    return text("the camera gives %.4g MB/s, and %.4g MB/s are written",
                keeping_->came / 1e6 / std::max(seconds, 1e-9),
                keeping_->written / 1e6 / std::max(keeping_->busy, 1e-9));
}

// The thread of a file.
void FrameStore::write() {
    std::unique_lock<std::mutex> lock(lock_);
    io::ExchangeFacts facts;
    bool has_angles = true;
    std::string failure;
    std::unique_ptr<io::ExchangeWriter> writer;
    const auto attempt = [&](auto work) {
        lock.unlock();
        try {
            work();
        } catch (...) {
            failure = current_error().what();
        }
        lock.lock();
        return failure.empty();
    };
    const auto path = keeping_->path;
    const auto image = image_;
    attempt([&] { writer = io::create_exchange_file(path, image); });
    while (failure.empty()) {
        changed_.wait(lock, [&] { return keeping_->end || keeping_->next < count(); });
        if (keeping_->end && keeping_->next >= *keeping_->end)
            break;
        // It stays where it is until `next` has passed it.
        const auto &frame = frames_[keeping_->next - first_];
        const auto *samples = frame.samples.get();
        const auto told = frame.facts;
        const auto begin = Clock::now();
        if (!attempt([&] { writer->add(samples); }))
            break;
        const double took = std::chrono::duration<double>(Clock::now() - begin).count();
        facts.angles.push_back(told.angle);
        has_angles &= std::isfinite(told.angle);
        facts.times.push_back(told.time);
        facts.numbers.push_back(told.number);
        keeping_->written += image_.size();
        keeping_->busy += took;
        keeping_->next++;
        changed_.notify_all();
    }
    if (!has_angles)
        facts.angles.clear();
    if (failure.empty())
        failure = keeping_->failure;
    facts.axis = keeping_->axis;
    if (keeping_->fields && keeping_->fields->dark)
        facts.dark = keeping_->fields->dark->mean;
    if (keeping_->fields && keeping_->fields->flat)
        facts.flat = keeping_->fields->flat->mean;
    keeping_->end = keeping_->next; // nothing waits for this file any more
    changed_.notify_all();
    Report report{Report::State::done, path, {}, facts.numbers.size()};
    auto first_failure = std::exchange(failure, {});
    const bool is_whole = writer && attempt([&] { writer->finish(facts); });
    report.is_whole = is_whole;
    if (writer && !is_whole)
        report.path += ".partial";
    if (!first_failure.empty() && first_failure != failure)
        failure = failure.empty() ? first_failure : first_failure + "; " + failure;
    lock.unlock();
    writer.reset();
    lock.lock();
    keeping_.reset();
    changed_.notify_all();
    lock.unlock();
    if (!failure.empty()) {
        report.state = Report::State::failed;
        report.text = is_whole ? text("'%s' ends behind %s frames: %s", report.path.c_str(),
                                      std::to_string(report.frames).c_str(), failure.c_str())
                               : text("'%s' is not complete: %s", report.path.c_str(), failure.c_str());
    } else
        report.text = text("'%s' has %s frames", report.path.c_str(), std::to_string(report.frames).c_str());
    tell_(report);
}

} // namespace tomo::live
