// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/tomo/support/error.hpp>
#include <gst/tomo/support/forked.hpp>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

namespace tomo {

// A thread that does one piece of work after the other and tells of it by events. They wait until take() is
// called.
template <class Event>
class EventThread {
  public:
    // The thread calls `announce` whenever take() has a new event, and `finished` last of all.
    EventThread(std::function<void()> announce, std::function<void()> finished)
        : announce_(std::move(announce)), finished_(std::move(finished)) {}
    EventThread(const EventThread &) = delete;
    EventThread &operator=(const EventThread &) = delete;

    bool is_running() const {
        std::lock_guard<std::mutex> lock(lock_);
        return running_;
    }
    // The next event, if there is one.
    std::optional<Event> take() {
        std::lock_guard<std::mutex> lock(lock_);
        if (events_.empty())
            return {};
        Event event = std::move(events_.front());
        events_.pop_front();
        return event;
    }
    // Waits for an event (true), for the end of the work without any (false), or at most `patience`.
    bool wait(std::optional<std::chrono::milliseconds> patience = {}) {
        std::unique_lock<std::mutex> lock(lock_);
        const auto ready = [this] { return !events_.empty() || !running_; };
        if (patience)
            wake_.wait_for(lock, *patience, ready);
        else
            wake_.wait(lock, ready);
        return !events_.empty();
    }
    // After the end: waits until the thread is gone.
    void join_after_end() {
        std::lock_guard<std::mutex> lock(thread_lock_);
        if (!is_running() && thread_.joinable())
            thread_.join();
    }
    // The error of the work that ended, if it failed.
    std::optional<Error> error() const {
        std::lock_guard<std::mutex> lock(lock_);
        return error_;
    }

  protected:
    ~EventThread() = default;

    // For the destructors of derived classes, whose members the thread uses.
    void leave_thread() {
        if (!thread_.joinable())
            return;
        if (is_forked()) // the thread is not in this process, and must neither be joined nor detached
            static_cast<void>(std::make_unique<std::thread>(std::move(thread_)).release());
        else if (thread_.get_id() == std::this_thread::get_id()) // it dropped the last reference of its owner
            thread_.detach();
        else
            thread_.join();
    }
    // `merge` may change the queue before the event is added; it is called with the lock held.
    template <class Merge>
    void push(Event event, Merge merge) {
        {
            std::lock_guard<std::mutex> lock(lock_);
            merge(events_, event);
            events_.push_back(std::move(event));
            if (running_)
                announce_(); // before anybody can take it
        }
        wake_.notify_all();
    }
    void push(Event event) {
        push(std::move(event), [](const auto &, const auto &) {});
    }
    // Changes the state by `change`, with the lock held, and wakes those who wait for that.
    template <class Change>
    void change_state(Change change) {
        {
            std::lock_guard<std::mutex> lock(lock_);
            change();
        }
        wake_.notify_all();
    }
    // Waits until `is_so`, which is called with the lock held.
    template <class Condition>
    void wait_until(Condition is_so) {
        std::unique_lock<std::mutex> lock(lock_);
        wake_.wait(lock, is_so);
    }
    // Runs `work`; returns the Error that it threw.
    template <class Work>
    static std::optional<Error> error_of_work(Work work) {
        try {
            work();
        } catch (...) {
            return current_error();
        }
        return {};
    }
    // The last step of the thread, after which the object may be gone. `forget` ends the rest of the state,
    // with the lock held; it may add a last event.
    template <class Forget>
    void finish_work(std::optional<Error> error, Forget forget) {
        {
            std::lock_guard<std::mutex> lock(lock_);
            error_ = std::move(error);
            running_ = false;
            forget();
            announce_();
        }
        wake_.notify_all();
        const auto finished = finished_;
        finished();
    }

    mutable std::mutex lock_;
    std::deque<Event> events_;
    bool running_ = false;
    std::optional<Error> error_;
    std::mutex thread_lock_; // taken before lock_
    std::thread thread_;

  private:
    const std::function<void()> announce_, finished_;
    std::condition_variable wake_;
};

} // namespace tomo
