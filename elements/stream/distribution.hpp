// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// One stream through several copies of a part of a pipeline, each on a device of its own.
#pragma once

#include <gst/tomo/bases/filter.hpp>
#include <gst/tomo/bases/side-by-side.hpp>
#include <gst/tomo/bases/side-input.hpp>
#include <gst/tomo/device/memory.hpp>

#include <condition_variable>
#include <deque>
#include <set>

namespace tomo::stream {

// Hands arrays to copies that are free, and gives the results back in the order of the arrays.
//
// Each copy has a thread that takes the next arrays of the stream, as many as the copy computes at once, and
// pushes them in. So a fast copy takes more of them. Results wait in slots until all earlier ones are there;
// the thread of the output takes them from there.
//
// Arrays of side inputs go with those of the main one by number: they are in the same slots, and each copy is
// handed those of its arrays.
//
// A serialized event waits until all earlier arrays have left. Then each copy gets it, in its own thread, and
// what the first copy makes of it goes on.
//
//     upstream's thread     a thread for each copy               a thread
//     take() -> slots ----> work() -> copy 0 -> take_result() -> slots -> give() -> downstream
//                    \----> work() -> copy 1 -> take_result() --/
class Distribution {
  public:
    explicit Distribution(Element &owner) : owner_(owner) {}
    Distribution(const Distribution &) = delete;
    Distribution &operator=(const Distribution &) = delete;

    // Puts both ends and their pads into the bin.
    void attach(GstBin *bin);

    // While the bin stands still
    // ---------------------------------------------------------------------------------------

    // Puts `bin`, with pads sink and src, between the ends. It is for the device of this index and name.
    void add_copy(const ObjectRef<GstElement> &bin, const std::vector<GstElement *> &elements,
                  unsigned device, const std::string &name);
    void remove_copies();
    // What the part takes and gives, as long as there is no copy.
    void set_caps(CapsRef taken, CapsRef given);
    // Inputs beside the main one, for elements of the copies. Throws Error where there is not just one
    // element for each.
    void set_side_inputs(std::vector<SideInput *> inputs);
    // Called in the streaming thread before it takes an array.
    void before_arrays(std::function<void()> look) { look_ = std::move(look); }
    // Before the start. If the stream goes on after failures, arrays of a copy that failed are done again.
    // Arrays under way have no more than `most_bytes`, if each copy has some; 0: a share of the devices'
    // memory. Copies take groups of arrays that are whole, or so small that each copy gets some.
    void reset(bool goes_on, bool takes_whole_groups, std::uint64_t most_bytes);

    // While it runs
    // --------------------------------------------------------------------------------------------------

    // Everybody stops waiting.
    void stop();
    // A change of all copies, which get their elements in the order of the stream.
    using Change = std::function<void(const std::vector<GstElement *> &)>;
    // Carries it out between the arrays that have come and those that will; at once if nothing runs.
    void change(Change change);
    // Whether arrays are on their way.
    bool runs() const;
    std::vector<WithCopies::Copy> copies() const;
    bool is_at_work() const;
    bool takes_no_more() const;
    // Whether somebody waits for results, asked by the streaming thread.
    bool is_result_wanted() const;

    // The copy that the object belongs to; -1 for none.
    int copy_of(GstObject *object) const;
    // For people; empty if it has nothing to do with an error: it is the only one, or handles an event as
    // others do.
    std::string device_of(int copy) const;
    enum class Verdict { post, warn, drop };
    // Takes an error of a copy, and says what becomes of it: the message, or a warning with the text `words`.
    // Once that is on the bus, call told().
    Verdict judge(int copy, const GError &error, std::string &words);
    void told();

  private:
    using Number = std::uint64_t; // of an array, from the last flush on
    static constexpr Number never = G_MAXUINT64;
    using Lock = std::unique_lock<std::mutex>;
    // Sticky events, the latest of each kind.
    using Facts = std::vector<EventRef>;

    struct Slot {
        BufferRef array; // until a copy has it; if the work goes on after failures, until the end
        std::vector<SideInput::Came> beside; // likewise, of each side input
        bool has_number = true;              // came with one, as its offset
        BufferRef result;
        std::size_t by = 0;                 // the copy that computed it
        std::shared_ptr<const Facts> facts; // in force for the result
        std::vector<EventRef> events;       // in front of it
    };

    struct Copy {
        Distribution *home = nullptr;
        std::size_t number = 0;
        ObjectRef<GstElement> bin;
        std::vector<GstElement *> elements; // of the bin
        std::vector<Filter *> filters;      // those of them that are ours
        std::vector<SideInput *> beside;    // theirs, for each side input
        std::string device;                 // for people
        unsigned device_index = 0;
        std::string device_name;
        GstPad *feed = nullptr, *result = nullptr; // of the ends, which own them

        // Under the lock
        bool is_busy = false;     // with the arrays from `next` to before `end`
        bool is_waiting = false;  // for the next of them to come
        std::uint64_t arrays = 0; // done
        Number next = 0, end = 0;
        unsigned at_once = 1;      // arrays that its elements compute together
        std::deque<Number> inside; // it took these and did not give them back yet
        EventRef event;            // to be handled
        bool has_ended = false;    // the end of the stream came out
        bool has_failed = false;
        std::shared_ptr<const Facts> facts;
        std::vector<EventRef> events; // not sticky, since its last result
        std::deque<Stamp> stamps;     // of its results
        double speed = 1.0;           // expected, against those of other copies
        double seconds = 0.0;         // measured for an array; 0: not yet
        double busy_seconds = 0.0;    // since the begin of the stream
        std::uint64_t busy_arrays = 0, given_planes = 0;
    };

    struct Pads; // functions for GStreamer

    // All of these are called with the lock, which those with a Lock release meanwhile.
    bool is_stopped() const { return is_flushing_ || is_off_; }
    bool is_broken() const { return flow_ != GST_FLOW_OK && flow_ != GST_FLOW_EOS; }
    Slot *slot(Number number);
    Copy *leader() const; // the first copy that has not failed; null for none
    std::size_t alive() const;
    unsigned group_size() const;
    void look_at_batches(Copy &copy);
    std::uint64_t capacity() const;
    bool is_full() const;
    bool is_slow(const Copy &copy) const;
    bool pays(const Copy &copy) const;
    bool may_claim(const Copy &copy) const;
    void measure(Lock &lock, Copy &copy, Number first, gint64 begun);
    void tell_shares(Lock &lock, bool is_end);
    void claim(Copy &copy);
    void lose(Copy &copy);
    void forget_arrays();
    void end_with(GstFlowReturn flow);
    void end_at(Number number);
    void clear();
    void count_told();
    void fail(Lock &lock, const Error &error);
    void fail(Lock &lock, Copy &copy, const Error &error);
    bool settle(Lock &lock);
    bool make_changes(Lock &lock);
    bool hand_to_copies(Lock &lock, GstEvent *event);
    void tell_failures(Lock &lock);
    bool give_news(Lock &lock);
    void handle_event(Lock &lock, Copy &copy);
    void compute(Lock &lock, Copy &copy);
    bool hand_on(Lock &lock, Copy &copy);
    void empty(Lock &lock, Copy &copy);
    bool is_computed(Lock &lock);
    void refused(Lock &lock, const Facts *facts);
    std::string differing_caps() const;

    std::vector<SideInput::Came> beside(Number number);
    GstFlowReturn take(BufferRef buffer);
    bool take_event(EventRef event);
    bool start_flush(EventRef event);
    bool stop_flush(EventRef event);
    bool settle_for_query();
    void work(Copy &copy);
    GstFlowReturn take_result(Copy &copy, BufferRef buffer);
    bool take_result_event(Copy &copy, EventRef event);
    bool is_leader(const Copy &copy) const;
    void give();
    bool give_facts(const std::shared_ptr<const Facts> &facts);
    bool give_events(std::vector<EventRef> events);
    bool send_upstream(EventRef event);
    void start_tasks();
    void pause_tasks();

    Element &owner_;
    GstElement *entry_ = nullptr, *exit_ = nullptr; // the ends, which the bin owns
    GstPad *sink_ = nullptr, *src_ = nullptr;       // the outer pads of the ends
    std::vector<std::unique_ptr<Copy>> copies_;
    std::vector<SideInput *> side_inputs_;
    std::function<void()> look_;
    CapsRef taken_, given_caps_;
    std::atomic<GstClockTime> frame_duration_{GST_CLOCK_TIME_NONE};

    std::mutex tasks_lock_; // taken before the lock below
    bool is_active_ = false;

    // For all below and for what copies have. Nobody who may wait for others is called under it.
    mutable std::mutex lock_;
    std::condition_variable changed_;
    bool is_flushing_ = false, is_off_ = true;
    bool goes_on_ = false;     // after failures
    bool is_settling_ = false; // the streaming thread waits for all arrays
    bool has_begun_ = false;   // something came
    bool has_error_ = false;   // it is on the bus, or on the way to it
    unsigned telling_ = 0;     // messages on the way to the bus
    GstFlowReturn flow_ = GST_FLOW_OK;
    std::deque<Slot> slots_; // from array first_ on
    Number first_ = 0, next_ = 0;
    Number unclaimed_ = 0;   // from here on no copy takes care of them; may be ahead of next_
    Number ends_at_ = never; // where a copy gave an array up, because somebody had ended the stream
    std::set<Number> again_; // whose copy failed
    Number next_index_ = 0;  // of an array that comes without a number
    std::uint64_t most_ = never, count_ = 0; // arrays under way; arrays of the stream, 0 if that is not known
    std::vector<Change> changes_;
    bool takes_whole_groups_ = false;
    std::uint64_t most_bytes_ = 0;
    unsigned depth_ = 1;                         // of the arrays
    std::uint64_t bytes_ = 1, bytes_beside_ = 0; // of an array, and of those that come beside each
    gint64 told_shares_ = 0;                     // when

    unsigned handling_ = 0;  // copies that have not handled the event
    bool is_handled_ = true; // by all of them
    struct Failure {
        std::string device;
        Error error;
    };
    std::vector<Failure> failures_; // of copies that handled an event
    std::size_t last_by_ = 0;       // who computed the last result since the last event
    bool has_result_ = false;

    bool is_giving_ = false; // the thread of the output pushes
    bool has_news_ = false;  // for that thread; the streaming thread waits
    bool are_news_given_ = true;
    std::shared_ptr<const Facts> news_;
    std::vector<EventRef> news_events_;
    // Downstream has them. Only the thread of the output uses these, and others while it rests.
    Facts given_;
    std::vector<std::shared_ptr<const Facts>> equal_; // facts of copies that are these
    std::vector<EventRef> given_events_;              // since the last event of the input
};

} // namespace tomo::stream
