// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <glib-object.h>

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

namespace tomo {

struct UnrefObject {
    void operator()(gpointer object) const { g_object_unref(object); }
};
using GObjectPtr = std::unique_ptr<GObject, UnrefObject>;

// Emits the events of an object's thread as signals: in the application's main context, or in its call that
// waits, never in a thread of the library. A part of the object's state.
class SignalOutlet {
  public:
    // `give_next` emits the signal of the next event, if there is one, and returns whether it did; `is_heard`
    // returns whether a signal has listeners.
    SignalOutlet(std::function<bool(GObject *)> give_next, std::function<bool(GObject *)> is_heard)
        : give_next_(std::move(give_next)), is_heard_(std::move(is_heard)) {}
    ~SignalOutlet() { cancel_visit(); }
    SignalOutlet(const SignalOutlet &) = delete;
    SignalOutlet &operator=(const SignalOutlet &) = delete;

    // Sets the main context for later signals, and takes its reference.
    void set_context(GMainContext *context) { context_.reset(context); }

    // Tells that there is an event to emit.
    void announce(GObject *object);
    // Takes over the reference of a thread that has ended, so that listeners still get the last signals.
    void let_go(GObjectPtr object);
    // Emits all pending events in order; one thread at a time.
    void give_out(GObject *object);
    // Waits until no other thread emits signals. Throws in a handler of a signal.
    void wait_for_others();
    // Removes the pending callback from the main context, whose loop may never run.
    void cancel_visit();

  private:
    struct UnrefContext {
        void operator()(GMainContext *context) const { g_main_context_unref(context); }
    };
    struct UnrefSource {
        void operator()(GSource *source) const { g_source_unref(source); }
    };

    bool has_more_to_do();

    const std::function<bool(GObject *)> give_next_, is_heard_;
    std::unique_ptr<GMainContext, UnrefContext> context_;
    std::unique_ptr<GSource, UnrefSource> visit_; // pending callback of the main context
    std::mutex lock_;
    std::condition_variable given_out_;
    std::thread::id giver_;
    bool once_more_ = false; // the emitting thread has to look for events again
    GObjectPtr kept_for_visit_;
};

} // namespace tomo
