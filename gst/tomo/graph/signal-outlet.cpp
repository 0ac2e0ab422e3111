// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/graph/names.hpp>
#include <gst/tomo/graph/signal-outlet.hpp>

namespace tomo {

// One visit of the main loop gives out all that is there. It finds the object only if somebody still has it:
// an object that nobody wants any more must not wait for a main loop that may never run.
void SignalOutlet::announce(GObject *object) {
    struct Place {
        GWeakRef object;
        SignalOutlet *outlet; // of the object, there as long as it is
    };
    std::lock_guard<std::mutex> lock(lock_);
    if (visit_)
        return;
    GSource *source = g_idle_source_new();
    g_source_set_priority(source, G_PRIORITY_DEFAULT);
    auto place = std::make_unique<Place>();
    place->outlet = this;
    g_weak_ref_init(&place->object, object);
    g_source_set_callback(
        source,
        [](gpointer data) -> gboolean {
            auto *place = static_cast<Place *>(data);
            if (const GObjectPtr object{static_cast<GObject *>(g_weak_ref_get(&place->object))})
                place->outlet->give_out(object.get());
            return G_SOURCE_REMOVE;
        },
        place.release(),
        [](gpointer data) {
            const std::unique_ptr<Place> ended(static_cast<Place *>(data));
            g_weak_ref_clear(&ended->object);
        });
    g_source_attach(source, context_.get());
    visit_.reset(source);
}

void SignalOutlet::let_go(GObjectPtr object) {
    std::lock_guard<std::mutex> lock(lock_);
    if (visit_ && is_heard_(object.get()))
        kept_for_visit_ = std::move(object);
}

void SignalOutlet::give_out(GObject *borrowed) {
    const GObjectPtr object(G_OBJECT(g_object_ref(borrowed)));
    cancel_visit();
    {
        std::lock_guard<std::mutex> lock(lock_);
        once_more_ = true;
        if (giver_ != std::thread::id())
            return;
        giver_ = std::this_thread::get_id();
    }
    while (has_more_to_do())
        while (give_next_(object.get())) {
        }
    given_out_.notify_all();
}

bool SignalOutlet::has_more_to_do() {
    std::lock_guard<std::mutex> lock(lock_);
    if (!once_more_)
        giver_ = {};
    return std::exchange(once_more_, false);
}

void SignalOutlet::cancel_visit() {
    std::unique_lock<std::mutex> lock(lock_);
    const auto object = std::move(kept_for_visit_);
    const auto source = std::move(visit_);
    lock.unlock();
    if (source)
        g_source_destroy(source.get());
}

void SignalOutlet::wait_for_others() {
    std::unique_lock<std::mutex> lock(lock_);
    if (giver_ == std::this_thread::get_id())
        graph_error(GST_TOMO_GRAPH_ERROR_BUSY, "a handler of a signal can't wait for the end of the run");
    given_out_.wait(lock, [this] { return giver_ == std::thread::id(); });
}

} // namespace tomo
