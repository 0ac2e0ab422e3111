// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The queues of one running pipeline, and whether the stream stands still because one of them is full.
//
// A full queue alone is nothing to act upon: whoever takes from it may be slow. It has to grow if those wait
// for each other in a circle (M. Geilen, T. Basten, Requirements on the Execution of Kahn Process Networks,
// 2003): the producer waits for room in the queue, the join behind the queue waits for another of its inputs,
// and what would have to deliver that waits, maybe over others, for the producer.
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
    // Buffers in a queue that need not hold more.
    static constexpr guint usual_buffers = 4;

    // Bytes in all queues together; 0 for half of the computer's memory.
    explicit QueueGroup(guint64 max_memory);

    // `join` names who waits, for messages. A queue that may not grow only takes part in the circles of
    // others.
    void add(GstElement *queue, std::string join, bool may_grow);
    void add(std::shared_ptr<LiveBinding> binding);

  private:
    struct Member {
        GstElement *queue; // not referenced: handlers and probes, which use it, go before it
        std::string join;
        bool may_grow;
        GThread *producer = nullptr; // that waits for room
        bool idle = false;           // its consumer has done all it got and waits for more
    };
    // For a circle that begins and ends with one queue.
    struct Search {
        const GstElement *start;
        std::set<const void *> seen;
        bool is_sure = true; // only elements whose waiting is known
        bool is_new(const void *what) { return seen.insert(what).second; }
    };

    // In the threads of the queues.
    void overrun(GstElement *queue);
    void underrun(GstElement *queue);
    void taken(GstElement *queue);
    void fail(const Member &member);

    Member *member(GstElement *queue);
    bool has_memory_for_more(GstElement *queue);

    // Whether it can't happen any more unless the queue that the search began with grows: ...
    bool never_gets_room(const Member &full, Search &search);
    bool never_gets_data(GstPad *sink, Search &search);
    bool never_gets_inputs(GstElement *join, Search &search);
    bool never_gets_value(const LiveBinding &binding, Search &search);
    // ... that what comes from here is taken by the next join;
    bool never_hands_on(GstPad *source, Search &search);
    // ... that the thread goes on, if it is known to wait.
    std::optional<bool> never_goes_on(GThread *thread, Search &search);

    const guint64 max_memory_;
    std::mutex lock_;
    std::condition_variable changed_;
    std::vector<Member> members_;
    std::vector<std::shared_ptr<LiveBinding>> live_bindings_;
    guint64 moves_ = 0;
};

} // namespace tomo
