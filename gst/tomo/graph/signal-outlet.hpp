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

// Gives out as signals what happens in a thread of an object: in the application's main context, or where it
// waits, never in a thread of the library. A part of the object's state.
class SignalOutlet {
  public:
    // `give_next` emits the signal of what happened next, if there is anything; `is_heard` tells whether
    // somebody listens.
    SignalOutlet(std::function<bool(GObject *)> give_next, std::function<bool(GObject *)> is_heard)
        : give_next_(std::move(give_next)), is_heard_(std::move(is_heard)) {}
    ~SignalOutlet() { cancel_visit(); }
    SignalOutlet(const SignalOutlet &) = delete;
    SignalOutlet &operator=(const SignalOutlet &) = delete;

    // The main context of what is to come; its reference is taken.
    void set_context(GMainContext *context) { context_.reset(context); }

    // There is something to give out.
    void announce(GObject *object);
    // Takes the reference of a thread that has ended: who listens is still told of the end.
    void let_go(GObjectPtr object);
    // Gives out what is there, in order; one thread at a time.
    void give_out(GObject *object);
    // Until nobody else is giving out; throws in a handler of a signal.
    void wait_for_others();
    // Leaves nothing to a main loop that may never run.
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
    std::unique_ptr<GSource, UnrefSource> visit_; // of the main loop, to come
    std::mutex lock_;
    std::condition_variable given_out_;
    std::thread::id giver_;
    bool once_more_ = false; // for the one who gives out to look again
    GObjectPtr kept_for_visit_;
};

} // namespace tomo
