// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The queues of one running pipeline. Detects whether the stream stands still because one of them is full.
//
// A full queue alone need not grow, because its consumer may be slow. It has to grow if threads wait for each
// other in a circle (M. Geilen, T. Basten, Requirements on the Execution of Kahn Process Networks, 2003): the
// producer waits for room in the queue, the join behind the queue waits for another of its inputs, and the
// element that should deliver that input waits, perhaps over others, for the producer.
#pragma once

#include <gst/tomo/support/references.hpp>

#include <gst/gst.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace tomo {

class LiveBinding;

class QueueGroup : public std::enable_shared_from_this<QueueGroup> {
  public:
    // First size of a queue, in buffers.
    static constexpr guint usual_buffers = 4;

    // Bytes in all queues together; 0 for half of the computer's memory.
    explicit QueueGroup(guint64 max_memory);

    // `join` names the waiting join, for messages. A queue that may not grow only takes part in the circles
    // of other queues.
    void add(GstElement *queue, std::string join, bool may_grow);
    void add(std::shared_ptr<LiveBinding> binding);

  private:
    struct Member {
        GstElement *queue; // not referenced: handlers and probes, which use it, are removed before it
        std::string join;
        bool may_grow;
        GThread *producer = nullptr; // the thread that waits for room, or null
        bool idle = false;           // its consumer has processed all buffers and waits for more
    };
    // The search for a circle that begins and ends with one queue.
    struct Search {
        const GstElement *start;
        std::set<const void *> seen;
        bool is_sure = true; // whether the circle has only elements that are known to wait
        bool is_new(const void *what) { return seen.insert(what).second; }
    };

    // Called in the threads of the queues.
    void overrun(GstElement *queue);
    void underrun(GstElement *queue);
    void taken(GstElement *queue);
    void fail(const Member &member);

    Member *member(GstElement *queue);
    bool has_memory_for_more(GstElement *queue);

    // These return whether the event can't happen any more unless the queue at the start of the search grows:
    // ...
    bool never_gets_room(const Member &full, Search &search);
    bool never_gets_data(GstPad *sink, Search &search);
    bool never_gets_inputs(GstElement *join, Search &search);
    bool never_gets_value(const LiveBinding &binding, Search &search);
    // ... that the next join takes the buffers from this pad;
    bool never_hands_on(GstPad *source, Search &search);
    // ... that the thread goes on; empty if it is not known to wait.
    std::optional<bool> never_goes_on(GThread *thread, Search &search);

    const guint64 max_memory_;
    std::mutex lock_;
    std::condition_variable changed_;
    std::vector<Member> members_;
    std::vector<std::shared_ptr<LiveBinding>> live_bindings_;
    guint64 moves_ = 0;
};

} // namespace tomo
