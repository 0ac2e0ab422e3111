// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/graph-queues.hpp>
#include <gst/tomo/reducer.hpp>

#include <algorithm>
#include <functional>
#include <unistd.h>

namespace tomo {

// Cycles
// ------------------------------------------------------------------------------------------------------

// Biconnected components by Tarjan's depth-first search, over edges without their direction.
std::vector<std::size_t> cycles_of(std::size_t nodes, const std::vector<Graph::Edge> &edges) {
    constexpr std::size_t none = ~std::size_t{0};
    std::vector<std::vector<std::size_t>> at(nodes);
    for (std::size_t e = 0; e < edges.size(); e++) {
        at[edges[e].from].push_back(e);
        at[edges[e].to].push_back(e);
    }
    std::vector<std::size_t> component(edges.size(), none), entered(nodes, none), low(nodes), stack;
    std::size_t time = 0, components = 0;
    struct Visit {
        std::size_t node, by, next;
    };
    for (std::size_t root = 0; root < nodes; root++) {
        if (entered[root] != none)
            continue;
        entered[root] = low[root] = time++;
        std::vector<Visit> path{{root, none, 0}};
        std::vector<bool> seen(edges.size());
        while (!path.empty()) {
            const std::size_t node = path.back().node, by = path.back().by;
            if (path.back().next < at[node].size()) {
                const std::size_t e = at[node][path.back().next++];
                if (e == by || component[e] != none || seen[e])
                    continue;
                seen[e] = true;
                stack.push_back(e);
                const std::size_t other = edges[e].from == node ? edges[e].to : edges[e].from;
                if (entered[other] == none) {
                    entered[other] = low[other] = time++;
                    path.push_back({other, e, 0});
                } else {
                    low[node] = std::min(low[node], entered[other]);
                }
                continue;
            }
            path.pop_back();
            if (path.empty())
                break;
            const std::size_t parent = path.back().node;
            low[parent] = std::min(low[parent], low[node]);
            if (low[node] < entered[parent])
                continue;
            std::size_t e = none;
            do {
                e = stack.back();
                stack.pop_back();
                component[e] = components;
            } while (e != by);
            components++;
        }
    }
    return component;
}

// Queues that grow
// ---------------------------------------------------------------------------------------------

namespace {

constexpr guint usual_buffers = 4;

guint64 get_level(GstElement *queue, const char *property) {
    guint level = 0;
    g_object_get(queue, property, &level, nullptr);
    return level;
}

guint64 half_of_memory() {
    const auto pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
    return pages > 0 && size > 0 ? guint64(pages) / 2 * size : guint64{1} << 30;
}

} // namespace

// The queues of one pipeline. They live as long as the pipeline does; what is called here runs in their
// threads.
class QueueGroup : public std::enable_shared_from_this<QueueGroup> {
  public:
    explicit QueueGroup(guint64 max_memory) : max_memory_(max_memory ? max_memory : half_of_memory()) {}

    void add(GstElement *queue, std::size_t edge, std::vector<std::size_t> siblings, std::string join,
             bool may_grow) {
        std::lock_guard<std::mutex> lock(lock_);
        members_.push_back({queue, edge, std::move(siblings), std::move(join), may_grow});
        if (members_.back().siblings.empty())
            return;
        if (may_grow)
            connect(queue, "overrun", [](GstElement *q, gpointer self) { group_of(self).overrun(q); });
        connect(queue, "underrun", [](GstElement *q, gpointer self) { group_of(self).underrun(q); });
    }

  private:
    struct Member {
        GstElement *queue; // not referenced: the handlers, which use it, go before it
        std::size_t edge;
        std::vector<std::size_t> siblings; // edges
        std::string join;
        bool may_grow;
    };

    static QueueGroup &group_of(gpointer data) { return **static_cast<std::shared_ptr<QueueGroup> *>(data); }

    void connect(GstElement *queue, const char *signal, void (*handler)(GstElement *, gpointer)) {
        g_signal_connect_data(
            queue, signal, G_CALLBACK(handler), new std::shared_ptr<QueueGroup>(shared_from_this()),
            [](gpointer data, GClosure *) { delete static_cast<std::shared_ptr<QueueGroup> *>(data); },
            static_cast<GConnectFlags>(0));
    }

    static bool is_full(GstElement *queue) {
        return get_level(queue, "current-level-buffers") >= get_level(queue, "max-size-buffers");
    }
    static bool is_empty(GstElement *queue) { return get_level(queue, "current-level-buffers") == 0; }

    const Member *member(GstElement *queue) const {
        for (const auto &m : members_)
            if (m.queue == queue)
                return &m;
        return nullptr;
    }

    // A branch beside it has taken all it got and waits for more.
    bool is_in_the_way(const Member &full) const {
        for (const auto &m : members_)
            if (std::find(full.siblings.begin(), full.siblings.end(), m.edge) != full.siblings.end() &&
                is_empty(m.queue))
                return true;
        return false;
    }

    bool has_memory_for_more(GstElement *queue) const {
        guint64 total = 0;
        for (const auto &m : members_)
            total += get_level(m.queue, "current-level-bytes");
        const auto buffers = get_level(queue, "current-level-buffers");
        return total + (buffers ? get_level(queue, "current-level-bytes") / buffers : 0) <= max_memory_;
    }

    // One buffer more, if that is what the stream waits for; false when there is no memory for it.
    bool help(const Member &m) {
        if (!m.may_grow || !is_full(m.queue) || !is_in_the_way(m))
            return true;
        if (!has_memory_for_more(m.queue))
            return false;
        g_object_set(m.queue, "max-size-buffers", guint(get_level(m.queue, "current-level-buffers") + 1),
                     nullptr);
        return true;
    }

    void underrun(GstElement *queue) {
        std::unique_lock<std::mutex> lock(lock_);
        const auto *m = member(queue);
        for (const auto &other : members_)
            if (m && std::find(m->siblings.begin(), m->siblings.end(), other.edge) != m->siblings.end() &&
                !help(other)) {
                const ObjectRef<GstElement> full = ObjectRef<GstElement>::referenced(other.queue);
                const std::string join = other.join;
                lock.unlock();
                wait_at_limit(full.get(), join, queue, "src");
                return;
            }
    }

    void overrun(GstElement *queue) {
        std::unique_lock<std::mutex> lock(lock_);
        const auto *m = member(queue);
        if (!m || help(*m))
            return;
        const std::string join = m->join;
        lock.unlock();
        wait_at_limit(queue, join, queue, "sink");
    }

    // No room is left. The other branch may still be computing with what it has taken, so this is an error
    // only if nothing moves for a while. The caller, who delivers to the full queue or waits at an empty one,
    // would wait anyway; it has to leave when its own pad is stopped.
    void wait_at_limit(GstElement *queue, const std::string &join, GstElement *waiter,
                       const char *waiters_pad) {
        constexpr int ticks = 150, microseconds = 20000;
        const ObjectRef<GstPad> own(gst_element_get_static_pad(waiter, waiters_pad));
        std::string before;
        for (int still = 0; still < ticks; still++) {
            g_usleep(microseconds);
            if (GST_PAD_IS_FLUSHING(own.get()) || !is_full(queue))
                return;
            std::unique_lock<std::mutex> lock(lock_);
            const auto *m = member(queue);
            if (!m || help(*m))
                return;
            std::string levels;
            for (const auto &other : members_)
                levels += std::to_string(get_level(other.queue, "current-level-buffers")) + " ";
            if (levels != before)
                still = 0;
            before = levels;
        }
        const auto bytes = get_level(queue, "current-level-bytes");
        gst_element_message_full(
            queue, GST_MESSAGE_ERROR, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NO_SPACE_LEFT,
            g_strdup(text("%s has to wait for another of its inputs, and what it gets from here meanwhile, "
                          "%" G_GUINT64_FORMAT " MB in %" G_GUINT64_FORMAT
                          " arrays so far, has reached max-memory, %" G_GUINT64_FORMAT
                          " MB; raise max-memory, or write the result of the slower branch to a file first",
                          join.c_str(), bytes / 1000000, get_level(queue, "current-level-buffers"),
                          max_memory_ / 1000000)
                         .c_str()),
            nullptr, __FILE__, GST_FUNCTION, __LINE__);
    }

    const guint64 max_memory_;
    std::mutex lock_;
    std::vector<Member> members_;
};

Queues::Queues(const std::vector<Graph::Node> &nodes, const std::vector<Graph::Edge> &edges,
               guint64 max_memory)
    : nodes_(nodes), edges_(edges), cycles_(cycles_of(nodes.size(), edges)),
      group_(std::make_shared<QueueGroup>(max_memory)) {}

std::vector<std::size_t> Queues::siblings(std::size_t edge) const {
    std::vector<std::size_t> found;
    for (std::size_t e = 0; e < edges_.size(); e++)
        if (e != edge && edges_[e].from == edges_[edge].from && cycles_[e] == cycles_[edge])
            found.push_back(e);
    return found;
}

bool Queues::is_critical(std::size_t edge) const { return !siblings(edge).empty(); }

// On the edge's way to where it meets its siblings.
bool Queues::leads_through_reducer(std::size_t edge) const {
    std::vector<bool> seen(nodes_.size());
    std::vector<std::size_t> next{edges_[edge].to};
    while (!next.empty()) {
        const auto node = next.back();
        next.pop_back();
        if (seen[node])
            continue;
        seen[node] = true;
        GstElement *element = nodes_[node].element.get();
        if (dynamic_cast<Reducer *>(element_of(element)))
            return true;
        std::size_t inputs = 0;
        for (std::size_t e = 0; e < edges_.size(); e++)
            inputs += edges_[e].to == node && cycles_[e] == cycles_[edge];
        for (std::size_t e = 0; inputs < 2 && e < edges_.size(); e++)
            if (edges_[e].from == node && cycles_[e] == cycles_[edge])
                next.push_back(edges_[e].to);
    }
    return false;
}

bool Queues::may_fill(std::size_t edge) const {
    const auto beside = siblings(edge);
    return std::any_of(beside.begin(), beside.end(), [&](std::size_t e) { return leads_through_reducer(e); });
}

std::string Queues::join_after(std::size_t edge) const {
    std::size_t e = edge;
    for (std::size_t steps = 0; steps <= edges_.size(); steps++) {
        const auto node = edges_[e].to;
        std::size_t inputs = 0, onwards = e;
        for (std::size_t i = 0; i < edges_.size(); i++) {
            if (cycles_[i] != cycles_[edge])
                continue;
            inputs += edges_[i].to == node;
            if (edges_[i].from == node)
                onwards = i;
        }
        if (inputs > 1 || onwards == e)
            return "node '" + nodes_[node].name + "'" +
                   (edges_[e].input.empty() ? "" : ", input " + edges_[e].input + ",");
        e = onwards;
    }
    return "a join";
}

void Queues::manage(std::size_t edge, GstElement *queue) {
    g_object_set(queue, "max-size-buffers", usual_buffers, "max-size-bytes", 0u, "max-size-time", guint64{0},
                 nullptr);
    group_->add(queue, edge, siblings(edge), join_after(edge), true);
}

void Queues::watch(std::size_t edge, GstElement *queue) {
    group_->add(queue, edge, siblings(edge), join_after(edge), false);
}

} // namespace tomo
