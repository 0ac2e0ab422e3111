// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "distribution.hpp"

#include <gst/tomo/bases/negotiation.hpp>
#include <gst/tomo/device/gobject.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

// An end of a distribution. Its pads are those of the class below.
struct GstTomoDistributionEnd {
    GstElement parent;
};
struct GstTomoDistributionEndClass {
    GstElementClass parent;
};
G_DEFINE_TYPE(GstTomoDistributionEnd, gst_tomo_distribution_end, GST_TYPE_ELEMENT)

static void gst_tomo_distribution_end_init(GstTomoDistributionEnd *) {}

static void gst_tomo_distribution_end_class_init(GstTomoDistributionEndClass *klass) {
    gst_element_class_set_static_metadata(GST_ELEMENT_CLASS(klass), "Tomo distribution's end", "Generic",
                                          "Hands arrays to copies, or takes their results",
                                          "The gst-tomo developers");
}

namespace tomo::stream {

// Events
// -------------------------------------------------------------------------------------------------------

static bool is_same_kind(GstEvent *a, GstEvent *b) {
    if (GST_EVENT_TYPE(a) != GST_EVENT_TYPE(b))
        return false;
    const auto type = GST_EVENT_TYPE(a);
    return !(type & GST_EVENT_TYPE_STICKY_MULTI) || gst_structure_get_name_id(gst_event_get_structure(a)) ==
                                                        gst_structure_get_name_id(gst_event_get_structure(b));
}

static bool is_equal(GstEvent *a, GstEvent *b) {
    if (a == b)
        return true;
    switch (GST_EVENT_TYPE(a)) {
    case GST_EVENT_CAPS: {
        GstCaps *one = nullptr, *other = nullptr;
        gst_event_parse_caps(a, &one);
        gst_event_parse_caps(b, &other);
        return gst_caps_is_equal(one, other);
    }
    case GST_EVENT_SEGMENT: {
        const GstSegment *one = nullptr, *other = nullptr;
        gst_event_parse_segment(a, &one);
        gst_event_parse_segment(b, &other);
        return gst_segment_is_equal(one, other);
    }
    default: {
        const auto *one = gst_event_get_structure(a), *other = gst_event_get_structure(b);
        if (!one || !other)
            return false;
        if (gst_structure_is_equal(one, other))
            return true;
        // A NaN equals none, but a scan says by it what is not known.
        const CString words(gst_structure_to_string(one)), others(gst_structure_to_string(other));
        return std::strcmp(words.get(), others.get()) == 0;
    }
    }
}

static EventRef *find(std::vector<EventRef> &facts, GstEvent *event) {
    const auto known = std::find_if(facts.begin(), facts.end(),
                                    [&](const auto &each) { return is_same_kind(each.get(), event); });
    return known == facts.end() ? nullptr : &*known;
}

static const GstCaps *caps_in(const std::vector<EventRef> *facts) {
    GstCaps *caps = nullptr;
    for (const auto &event : facts ? *facts : std::vector<EventRef>())
        if (GST_EVENT_TYPE(event.get()) == GST_EVENT_CAPS)
            gst_event_parse_caps(event.get(), &caps);
    return caps; // of the event
}

// What a flush takes away from pads.
static void forget_segment(std::vector<EventRef> &facts) {
    facts.erase(std::remove_if(facts.begin(), facts.end(),
                               [](const auto &event) {
                                   const auto type = GST_EVENT_TYPE(event.get());
                                   return type == GST_EVENT_SEGMENT || type == GST_EVENT_EOS;
                               }),
                facts.end());
}

static Stamp stamp_of(GstBuffer *buffer) {
    if (gst_buffer_n_memory(buffer) == 1)
        if (const auto storage = storage_of(gst_buffer_peek_memory(buffer, 0)))
            return storage->last_write();
    return {};
}

// Pads
// ---------------------------------------------------------------------------------------------------------

struct Distribution::Pads {
    static Distribution &of(GstPad *pad) {
        return *static_cast<Distribution *>(gst_pad_get_element_private(pad));
    }
    static Copy &copy_of(GstPad *pad) { return *static_cast<Copy *>(gst_pad_get_element_private(pad)); }

    static GstPad *make(const std::string &name, GstPadDirection direction, gpointer data) {
        GstPad *pad = gst_pad_new(name.c_str(), direction);
        gst_pad_set_element_private(pad, data);
        return pad;
    }

    // Threads
    static gboolean activate_sink(GstPad *pad, GstObject *, GstPadMode mode, gboolean active) {
        if (mode != GST_PAD_MODE_PUSH)
            return FALSE;
        if (!active)
            of(pad).stop();
        return TRUE;
    }
    static void run_work(gpointer copy) {
        auto &c = *static_cast<Copy *>(copy);
        c.home->owner_.guard([&] { c.home->work(c); });
    }
    static void run_give(gpointer home) {
        auto &d = *static_cast<Distribution *>(home);
        d.owner_.guard([&] { d.give(); });
    }
    static gboolean activate_feed(GstPad *pad, GstObject *, GstPadMode mode, gboolean active) {
        return activate_thread(*copy_of(pad).home, pad, mode, active, run_work, &copy_of(pad));
    }
    static gboolean activate_src(GstPad *pad, GstObject *, GstPadMode mode, gboolean active) {
        return activate_thread(of(pad), pad, mode, active, run_give, &of(pad));
    }
    static gboolean activate_thread(Distribution &d, GstPad *pad, GstPadMode mode, gboolean active,
                                    GstTaskFunction run, gpointer data) {
        if (mode != GST_PAD_MODE_PUSH)
            return FALSE;
        if (active)
            return gst_pad_start_task(pad, run, data, nullptr);
        d.stop();
        return gst_pad_stop_task(pad);
    }

    // The input
    static GstFlowReturn chain(GstPad *pad, GstObject *, GstBuffer *buffer) {
        auto &d = of(pad);
        BufferRef owned(buffer);
        return d.owner_.guard(GST_FLOW_ERROR, [&] { return d.take(std::move(owned)); });
    }
    static gboolean sink_event(GstPad *pad, GstObject *, GstEvent *event) {
        auto &d = of(pad);
        EventRef owned(event);
        return d.owner_.guard(false, [&] { return d.take_event(std::move(owned)); });
    }
    static gboolean sink_query(GstPad *pad, GstObject *parent, GstQuery *query) {
        auto &d = of(pad);
        switch (GST_QUERY_TYPE(query)) {
        case GST_QUERY_CAPS:
            return answer_caps(query, d.copies_.empty() ? nullptr : d.copies_.front()->feed, d.taken_);
        case GST_QUERY_ACCEPT_CAPS:
            // Refused with a reason when they come, instead of with none here.
            gst_query_set_accept_caps_result(query, TRUE);
            return TRUE;
        case GST_QUERY_ALLOCATION:
            // Nobody knows which device will have an array; a copy brings it there from plain memory.
            return d.copies_.size() == 1 && gst_pad_peer_query(d.copies_.front()->feed, query);
        case GST_QUERY_DRAIN:
            return d.owner_.guard(false, [&] { return d.settle_for_query(); }) &&
                   gst_pad_peer_query(d.src_, query);
        default:
            return gst_pad_query_default(pad, parent, query);
        }
    }

    // From the copies upstream
    static gboolean feed_event(GstPad *pad, GstObject *, GstEvent *event) {
        auto &copy = copy_of(pad);
        EventRef owned(event);
        // One of them speaks for all.
        if (!copy.home->is_leader(copy))
            return TRUE;
        const bool is_seek = GST_EVENT_TYPE(owned.get()) == GST_EVENT_SEEK;
        const auto beside = is_seek ? copy.home->side_inputs_ : std::vector<SideInput *>();
        for (auto *input : beside)
            input->begin_again(owned.get());
        const bool passed = gst_pad_push_event(copy.home->sink_, owned.release());
        for (auto *input : beside)
            input->found();
        return passed;
    }

    // The results
    static GstFlowReturn result_chain(GstPad *pad, GstObject *, GstBuffer *buffer) {
        auto &copy = copy_of(pad);
        BufferRef owned(buffer);
        return copy.home->owner_.guard(GST_FLOW_ERROR,
                                       [&] { return copy.home->take_result(copy, std::move(owned)); });
    }
    static gboolean result_event(GstPad *pad, GstObject *, GstEvent *event) {
        auto &copy = copy_of(pad);
        EventRef owned(event);
        return copy.home->owner_.guard(false,
                                       [&] { return copy.home->take_result_event(copy, std::move(owned)); });
    }
    static gboolean result_query(GstPad *pad, GstObject *parent, GstQuery *query) {
        auto &d = *copy_of(pad).home;
        switch (GST_QUERY_TYPE(query)) {
        case GST_QUERY_CAPS:
            return answer_caps(query, d.src_, {});
        case GST_QUERY_ACCEPT_CAPS:
            gst_query_set_accept_caps_result(query, TRUE);
            return TRUE;
        case GST_QUERY_DRAIN:
            return TRUE; // all results before it are in the slots
        default:
            return gst_pad_query_default(pad, parent, query);
        }
    }

    // The output
    static gboolean src_event(GstPad *pad, GstObject *, GstEvent *event) {
        auto &d = of(pad);
        EventRef owned(event);
        return d.owner_.guard(false, [&] { return d.send_upstream(std::move(owned)); });
    }
    static gboolean src_query(GstPad *pad, GstObject *parent, GstQuery *query) {
        auto &d = of(pad);
        if (GST_QUERY_TYPE(query) == GST_QUERY_CAPS)
            return answer_caps(query, d.copies_.empty() ? nullptr : d.copies_.front()->result, d.given_caps_);
        if (!gst_pad_query_default(pad, parent, query))
            return FALSE;
        if (GST_QUERY_TYPE(query) == GST_QUERY_LATENCY) {
            gboolean live = FALSE;
            GstClockTime min = 0, max = GST_CLOCK_TIME_NONE;
            gst_query_parse_latency(query, &live, &min, &max);
            // Where the copies just keep up, an array takes as long as so many come.
            const GstClockTime frame = d.frame_duration_;
            const GstClockTime own = GST_CLOCK_TIME_IS_VALID(frame) ? d.copies_.size() * frame : 0;
            gst_query_set_latency(query, live, min + own, GST_CLOCK_TIME_IS_VALID(max) ? max + own : max);
        }
        return TRUE;
    }

    // The caps at the other end of the pad's link; `otherwise` where there is no pad.
    static gboolean answer_caps(GstQuery *query, GstPad *pad, const CapsRef &otherwise) {
        GstCaps *filter = nullptr;
        gst_query_parse_caps(query, &filter);
        CapsRef caps;
        if (pad && gst_pad_is_linked(pad))
            caps = CapsRef(gst_pad_peer_query_caps(pad, filter));
        else {
            caps = otherwise ? otherwise : CapsRef(template_caps(formats::all));
            if (filter)
                caps = CapsRef(gst_caps_intersect_full(filter, caps.get(), GST_CAPS_INTERSECT_FIRST));
        }
        gst_query_set_caps_result(query, caps.get());
        return TRUE;
    }
};

void Distribution::attach(GstBin *bin) {
    auto *klass = GST_ELEMENT_GET_CLASS(bin);
    const auto add_end = [&](const char *name) {
        auto *end = GST_ELEMENT(g_object_new(gst_tomo_distribution_end_get_type(), "name", name, nullptr));
        gst_bin_add(bin, end);
        return end;
    };
    entry_ = add_end("entry");
    exit_ = add_end("exit");
    sink_ = Pads::make("sink", GST_PAD_SINK, this);
    gst_pad_set_activatemode_function(sink_, Pads::activate_sink);
    gst_pad_set_chain_function(sink_, Pads::chain);
    gst_pad_set_event_function(sink_, Pads::sink_event);
    gst_pad_set_query_function(sink_, Pads::sink_query);
    src_ = Pads::make("src", GST_PAD_SRC, this);
    gst_pad_set_activatemode_function(src_, Pads::activate_src);
    gst_pad_set_event_function(src_, Pads::src_event);
    gst_pad_set_query_function(src_, Pads::src_query);
    gst_element_add_pad(entry_, sink_);
    gst_element_add_pad(exit_, src_);
    for (GstPad *pad : {sink_, src_})
        gst_element_add_pad(
            GST_ELEMENT(bin),
            gst_ghost_pad_new_from_template(GST_PAD_NAME(pad), pad,
                                            gst_element_class_get_pad_template(klass, GST_PAD_NAME(pad))));
}

void Distribution::add_copy(const ObjectRef<GstElement> &bin, const std::vector<GstElement *> &elements,
                            unsigned device, const std::string &name) {
    auto copy = std::make_unique<Copy>();
    copy->home = this;
    copy->number = copies_.size();
    copy->bin = bin;
    copy->elements = elements;
    copy->device = text("device %u (%s)", device, name.c_str());
    copy->device_index = device;
    copy->device_name = name;
    for (auto *element : elements)
        if (auto *filter = dynamic_cast<Filter *>(element_of(element)))
            copy->filters.push_back(filter);
    const std::string number = std::to_string(copy->number);
    copy->feed = Pads::make("to_" + number, GST_PAD_SRC, copy.get());
    gst_pad_set_activatemode_function(copy->feed, Pads::activate_feed);
    gst_pad_set_event_function(copy->feed, Pads::feed_event);
    copy->result = Pads::make("from_" + number, GST_PAD_SINK, copy.get());
    gst_pad_set_chain_function(copy->result, Pads::result_chain);
    gst_pad_set_event_function(copy->result, Pads::result_event);
    gst_pad_set_query_function(copy->result, Pads::result_query);
    gst_element_add_pad(entry_, copy->feed);
    gst_element_add_pad(exit_, copy->result);
    gst_bin_add(GST_BIN(owner_.gst()), bin.get());
    const ObjectRef<GstPad> in(gst_element_get_static_pad(bin.get(), "sink")),
        out(gst_element_get_static_pad(bin.get(), "src"));
    auto &added = *copy;
    {
        const Lock lock(lock_);
        copies_.push_back(std::move(copy));
    }
    if (gst_pad_link(added.feed, in.get()) != GST_PAD_LINK_OK ||
        gst_pad_link(out.get(), added.result) != GST_PAD_LINK_OK)
        throw Error(GST_CORE_ERROR_PAD, text("the copy for %s can't be linked", added.device.c_str()));
}

void Distribution::remove_copies() {
    for (auto &copy : copies_) {
        gst_element_set_locked_state(copy->bin.get(), TRUE);
        gst_element_set_state(copy->bin.get(), GST_STATE_NULL);
        gst_bin_remove(GST_BIN(owner_.gst()), copy->bin.get());
        for (GstPad *pad : {copy->feed, copy->result})
            gst_pad_set_active(pad, FALSE);
        gst_element_remove_pad(entry_, copy->feed);
        gst_element_remove_pad(exit_, copy->result);
    }
    const Lock lock(lock_);
    copies_.clear();
}

static std::vector<SideInput *> inputs_named(const std::vector<Filter *> &filters, const std::string &name) {
    std::vector<SideInput *> found;
    for (const auto *filter : filters)
        for (auto *input : filter->side_inputs())
            if (name == input->name())
                found.push_back(input);
    return found;
}

// A sentence.
static std::string names_of_inputs(const std::vector<Filter *> &filters) {
    std::string names;
    for (const auto *filter : filters)
        for (const auto *input : filter->side_inputs())
            names += (names.empty() ? "They have " : ", ") + std::string(input->name());
    return names.empty() ? "They have no such inputs" : names;
}

void Distribution::set_side_inputs(std::vector<SideInput *> inputs) {
    for (auto &copy : copies_) {
        for (const auto *filter : copy->filters)
            for (auto *input : filter->side_inputs())
                input->expect(false);
        copy->beside.clear();
        for (const auto *input : inputs) {
            const auto found = inputs_named(copy->filters, input->name());
            if (found.size() != 1)
                throw Error(
                    GST_LIBRARY_ERROR_SETTINGS,
                    text("input %s is linked, and %s of the elements that run in copies %s; wanted one. %s",
                         input->name(), found.empty() ? "none" : text("%zu", found.size()).c_str(),
                         found.size() > 1 ? "have it" : "has it", names_of_inputs(copy->filters).c_str()));
            found.front()->expect(true);
            copy->beside.push_back(found.front());
        }
    }
    side_inputs_ = std::move(inputs);
}

void Distribution::set_caps(CapsRef taken, CapsRef given) {
    taken_ = std::move(taken);
    given_caps_ = std::move(given);
}

// Beginning and end
// -------------------------------------------------------------------------------------------

// The copies stand still, or stop at once.
void Distribution::forget_arrays() {
    slots_.clear();
    again_.clear();
    first_ = unclaimed_ = next_;
}

// For a new stream, while no thread works.
void Distribution::clear() {
    forget_arrays();
    first_ = next_ = unclaimed_ = next_index_ = 0;
    ends_at_ = never;
    flow_ = GST_FLOW_OK;
    handling_ = 0;
    failures_.clear();
    is_giving_ = has_news_ = has_result_ = false;
    news_ = nullptr;
    news_events_.clear();
    given_events_.clear();
    equal_.clear();
    for (auto &copy : copies_) {
        copy->is_busy = copy->is_waiting = copy->has_ended = false;
        copy->next = copy->end = 0;
        copy->inside.clear();
        copy->event = {};
        copy->events.clear();
        copy->stamps.clear();
        for (auto *input : copy->beside)
            input->forget_handed_over();
    }
}

void Distribution::reset(bool goes_on, bool takes_whole_groups, std::uint64_t most_bytes) {
    const std::lock_guard<std::mutex> tasks(tasks_lock_);
    const Lock lock(lock_);
    clear();
    given_.clear();
    for (auto &copy : copies_) {
        copy->has_failed = false;
        copy->facts = nullptr;
        copy->seconds = copy->busy_seconds = 0.0;
        copy->busy_arrays = copy->given_planes = 0;
        copy->arrays = 0;
    }
    takes_whole_groups_ = takes_whole_groups;
    most_bytes_ = most_bytes;
    told_shares_ = 0;
    changes_.clear();
    goes_on_ = goes_on;
    is_flushing_ = is_off_ = has_begun_ = has_error_ = false;
    telling_ = 0;
    most_ = never;
    count_ = 0;
    bytes_ = 1;
    bytes_beside_ = 0;
    frame_duration_ = GST_CLOCK_TIME_NONE;
    is_active_ = true;
}

void Distribution::stop() {
    const std::lock_guard<std::mutex> tasks(tasks_lock_);
    is_active_ = false;
    const Lock lock(lock_);
    is_off_ = true;
    changed_.notify_all();
}

void Distribution::start_tasks() {
    const std::lock_guard<std::mutex> tasks(tasks_lock_);
    if (!is_active_)
        return;
    for (auto &copy : copies_)
        if (gst_pad_is_active(copy->feed))
            gst_pad_start_task(copy->feed, Pads::run_work, copy.get(), nullptr);
    if (gst_pad_is_active(src_))
        gst_pad_start_task(src_, Pads::run_give, this, nullptr);
}

void Distribution::pause_tasks() {
    for (auto &copy : copies_)
        gst_pad_pause_task(copy->feed);
    gst_pad_pause_task(src_);
}

bool Distribution::start_flush(EventRef event) {
    {
        const Lock lock(lock_);
        is_flushing_ = true;
        changed_.notify_all();
    }
    // Downstream first: who waits there may hold up the copies.
    const bool passed = gst_pad_push_event(src_, EventRef(event).release());
    for (auto &copy : copies_)
        gst_pad_push_event(copy->feed, EventRef(event).release());
    pause_tasks();
    return passed;
}

bool Distribution::stop_flush(EventRef event) {
    {
        const Lock lock(lock_);
        is_flushing_ = true; // also where the begin of the flush did not come here
        changed_.notify_all();
    }
    pause_tasks();
    for (auto &copy : copies_)
        gst_pad_push_event(copy->feed, EventRef(event).release());
    {
        const Lock lock(lock_);
        clear();
        forget_segment(given_);
        for (auto &copy : copies_)
            if (copy->facts) {
                auto facts = std::make_shared<Facts>(*copy->facts);
                forget_segment(*facts);
                copy->facts = facts;
            }
    }
    const bool passed = gst_pad_push_event(src_, event.release());
    {
        const Lock lock(lock_);
        is_flushing_ = false;
    }
    start_tasks();
    return passed;
}

// Failures
// -----------------------------------------------------------------------------------------------------

int Distribution::copy_of(GstObject *object) const {
    auto each = ObjectRef<GstObject>::referenced(object);
    while (each) {
        for (const auto &copy : copies_)
            if (GST_OBJECT_CAST(copy->bin.get()) == each.get())
                return static_cast<int>(copy->number);
        each = ObjectRef<GstObject>(gst_object_get_parent(each.get()));
    }
    return -1;
}

std::string Distribution::device_of(int copy) const {
    const Lock lock(lock_);
    return copies_.size() > 1 && !copies_[copy]->event ? copies_[copy]->device : "";
}

Distribution::Copy *Distribution::leader() const {
    for (const auto &copy : copies_)
        if (!copy->has_failed)
            return copy.get();
    return nullptr;
}

bool Distribution::is_leader(const Copy &copy) const {
    const Lock lock(lock_);
    return leader() == &copy;
}

std::size_t Distribution::alive() const {
    return std::count_if(copies_.begin(), copies_.end(), [](const auto &copy) { return !copy->has_failed; });
}

// Others do its arrays.
void Distribution::lose(Copy &copy) {
    copy.has_failed = true;
    const auto do_again = [&](Number number) {
        const auto *lost = slot(number);
        if (lost && !lost->result)
            again_.insert(number);
    };
    for (const Number number : copy.inside)
        do_again(number);
    copy.inside.clear();
    if (copy.is_busy) {
        for (Number number = copy.next; number < std::min(copy.end, next_); number++)
            do_again(number);
        if (copy.end > next_)
            unclaimed_ = next_;
        copy.end = copy.next;
    }
    copy.stamps.clear();
    changed_.notify_all();
}

static std::string done_again(const std::string &device, const std::string &why) {
    return text("the copy on %s failed, and the others do its arrays again: %s", device.c_str(), why.c_str());
}

Distribution::Verdict Distribution::judge(int number, const GError &error, std::string &words) {
    const Lock lock(lock_);
    auto &copy = *copies_[number];
    if (!has_begun_)
        return Verdict::post; // a state change fails
    if (copy.has_failed || has_error_)
        return Verdict::drop;
    // A device without memory has not failed, and what others would do again may find none either.
    const bool has_no_room = is_out_of_device_memory(Error(error.domain, error.code, error.message));
    if (goes_on_ && !is_off_ && !has_no_room) {
        lose(copy);
        if (copy.event) { // perhaps it is the same for all
            failures_.push_back({copy.device, Error(error.domain, error.code, error.message)});
            return Verdict::drop;
        }
        if (alive() > 0) {
            words = done_again(copy.device, error.message);
            telling_++;
            return Verdict::warn;
        }
    }
    has_error_ = true;
    telling_++;
    return Verdict::post;
}

void Distribution::told() {
    const Lock lock(lock_);
    count_told();
}

// Once all is on the bus, and not before, the flow tells other threads of an error: upstream complains of it,
// too.
void Distribution::count_told() {
    if (telling_ > 0)
        telling_--;
    if (has_error_ && telling_ == 0)
        end_with(GST_FLOW_ERROR);
    changed_.notify_all();
}

// The whole stream.
void Distribution::fail(Lock &lock, const Error &error) {
    if (std::exchange(has_error_, true))
        return;
    telling_++;
    lock.unlock();
    owner_.post_error(error);
    lock.lock();
    count_told();
}

// A copy, without an error of its elements.
void Distribution::fail(Lock &lock, Copy &copy, const Error &error) {
    if (copy.has_failed)
        return;
    if (goes_on_) {
        lose(copy);
        if (alive() > 0) {
            telling_++;
            lock.unlock();
            owner_.warn(done_again(copy.device, error.what()));
            lock.lock();
            count_told();
            return;
        }
    }
    fail(lock, error);
}

void Distribution::end_with(GstFlowReturn flow) {
    flow_ = flow;
    forget_arrays();
    changed_.notify_all();
}

void Distribution::end_at(Number number) {
    ends_at_ = std::min(ends_at_, number);
    again_.erase(again_.lower_bound(ends_at_), again_.end());
    changed_.notify_all();
}

// Input
// --------------------------------------------------------------------------------------------------------

Distribution::Slot *Distribution::slot(Number number) {
    return number >= first_ && number - first_ < slots_.size() ? &slots_[number - first_] : nullptr;
}

// The arrays that a copy takes at a time: as many as its elements compute at once, but so few that each copy
// gets some.
unsigned Distribution::group_size() const {
    std::uint64_t most = 1;
    for (const auto &copy : copies_)
        most = std::max<std::uint64_t>(most, copy->at_once);
    if (count_ > 0 && most > 1 && !takes_whole_groups_) {
        const std::uint64_t share = (count_ + 2 * copies_.size() - 1) / (2 * copies_.size());
        most = std::min(most, share + share % 2); // elements that pair arrays find the same pairs
    }
    return static_cast<unsigned>(most);
}

// While nothing is in the copy.
void Distribution::look_at_batches(Copy &copy) {
    copy.at_once = 1;
    for (const auto *filter : copy.filters)
        copy.at_once = std::max(copy.at_once, filter->latency() + 1);
}

// Arrays under way. A fast copy goes on while a slow one computes.
std::uint64_t Distribution::capacity() const {
    const std::uint64_t group = group_size(), copies = copies_.size(),
                        pays = std::max<std::uint64_t>(64, 4 * copies * group),
                        most = most_ / (1 + (bytes_beside_ + bytes_ - 1) / bytes_);
    return std::max(std::min(pays, most), copies * group + 1);
}

bool Distribution::is_full() const {
    const std::uint64_t group = group_size(), copies = copies_.size();
    if (next_ > unclaimed_ && next_ - unclaimed_ >= std::max(group, copies))
        return true;
    return slots_.size() >= capacity();
}

// Asked without the lock.
bool Distribution::is_result_wanted() const {
    {
        const Lock lock(lock_);
        if (is_stopped() || flow_ != GST_FLOW_OK || ends_at_ != never)
            return false;
    }
    return !is_ending_early(sink_);
}

// The arrays that go with this one.
std::vector<SideInput::Came> Distribution::beside(Number number) {
    std::vector<SideInput::Came> arrays;
    for (auto *input : side_inputs_)
        arrays.push_back(input->came(number));
    return arrays;
}

GstFlowReturn Distribution::take(BufferRef buffer) {
    if (look_)
        look_();
    Lock lock(lock_);
    has_begun_ = true;
    if (!changes_.empty() && settle(lock))
        make_changes(lock);
    changed_.wait(lock,
                  [&] { return is_stopped() || flow_ != GST_FLOW_OK || ends_at_ != never || !is_full(); });
    Slot slot;
    if (!side_inputs_.empty()) {
        const auto number =
            GST_BUFFER_OFFSET_IS_VALID(buffer.get()) ? GST_BUFFER_OFFSET(buffer.get()) : next_index_;
        lock.unlock();
        try {
            slot.beside = beside(number);
            lock.lock();
        } catch (const Flushing &) {
            lock.lock();
            if (!is_stopped() && flow_ == GST_FLOW_OK)
                end_at(next_); // somebody ended the stream
        }
    }
    if (is_stopped())
        return GST_FLOW_FLUSHING;
    if (flow_ != GST_FLOW_OK)
        return flow_;
    if (ends_at_ != never)
        return GST_FLOW_EOS;
    bytes_beside_ = 0;
    for (const auto &came : slot.beside)
        bytes_beside_ += came.buffer ? came.info.size() : 0;
    slot.has_number = GST_BUFFER_OFFSET_IS_VALID(buffer.get());
    if (!slot.has_number) {
        // A copy does not see the arrays before it, so it can't count.
        buffer = BufferRef(gst_buffer_make_writable(buffer.release()));
        GST_BUFFER_OFFSET(buffer.get()) = next_index_;
    }
    next_index_ = GST_BUFFER_OFFSET(buffer.get()) + 1;
    slot.array = std::move(buffer);
    slots_.push_back(std::move(slot));
    next_++;
    changed_.notify_all();
    return GST_FLOW_OK;
}

// Waits until all arrays have left; false if the stream can't go on.
bool Distribution::settle(Lock &lock) {
    is_settling_ = true; // none waits for more arrays
    for (auto &copy : copies_)
        if (copy->is_busy)
            copy->end = std::min(copy->end, std::max(copy->next, next_));
    unclaimed_ = std::min(unclaimed_, next_);
    changed_.notify_all();
    changed_.wait(lock, [&] {
        const bool is_idle =
            std::none_of(copies_.begin(), copies_.end(), [](const auto &copy) { return copy->is_busy; });
        return is_stopped() || is_broken() ||
               ((slots_.empty() || flow_ == GST_FLOW_EOS) && is_idle && !is_giving_ && telling_ == 0);
    });
    is_settling_ = false;
    return !is_stopped() && !is_broken();
}

bool Distribution::settle_for_query() {
    Lock lock(lock_);
    return settle(lock);
}

bool Distribution::runs() const {
    const Lock lock(lock_);
    return !is_off_ && has_begun_;
}

std::vector<WithCopies::Copy> Distribution::copies() const {
    const Lock lock(lock_);
    std::vector<WithCopies::Copy> all;
    for (const auto &copy : copies_) {
        WithCopies::Copy told{copy->device_index, copy->device_name, {}, copy->arrays};
        for (auto *element : copy->elements)
            told.elements.push_back(ObjectRef<GstElement>::referenced(element));
        all.push_back(std::move(told));
    }
    return all;
}

// A copy that waits for the rest of the arrays that it computes at once is not at work.
bool Distribution::is_at_work() const {
    const Lock lock(lock_);
    if (is_giving_ || has_news_ || handling_ > 0 || !again_.empty() ||
        (!slots_.empty() && slots_.front().result))
        return true;
    return std::any_of(copies_.begin(), copies_.end(), [&](const auto &copy) {
        return !copy->has_failed && (copy->is_busy ? !copy->is_waiting : may_claim(*copy));
    });
}

bool Distribution::takes_no_more() const {
    const Lock lock(lock_);
    return is_full();
}

void Distribution::change(Change change) {
    Lock lock(lock_);
    changes_.push_back(std::move(change));
    if (is_off_ || !has_begun_)
        make_changes(lock);
}

bool Distribution::make_changes(Lock &lock) {
    const auto changes = std::exchange(changes_, {});
    has_result_ = false; // others may follow
    lock.unlock();
    for (const auto &change : changes)
        for (const auto &copy : copies_)
            change(copy->elements);
    lock.lock();
    return !is_stopped();
}

bool Distribution::take_event(EventRef event) {
    const auto type = GST_EVENT_TYPE(event.get());
    if (type == GST_EVENT_FLUSH_START)
        return start_flush(std::move(event));
    if (type == GST_EVENT_FLUSH_STOP)
        return stop_flush(std::move(event));
    if (!GST_EVENT_IS_SERIALIZED(event.get())) {
        bool passed = false;
        for (auto &copy : copies_)
            passed |= gst_pad_push_event(copy->feed, EventRef(event).release());
        return passed;
    }

    std::optional<ArrayInfo> info;
    gint64 count = -1;
    if (type == GST_EVENT_CAPS) {
        GstCaps *caps = nullptr;
        gst_event_parse_caps(event.get(), &caps);
        try {
            info = ArrayInfo::from_caps(caps);
        } catch (const Error &) {
            // The copies say what is wrong with them.
        }
        gst_pad_peer_query_duration(sink_, GST_FORMAT_DEFAULT, &count);
        const auto duration = info ? info->frame_duration() : GST_CLOCK_TIME_NONE;
        if (frame_duration_.exchange(duration) != duration)
            gst_element_post_message(owner_.gst(), gst_message_new_latency(GST_OBJECT(owner_.gst())));
    }
    Lock lock(lock_);
    has_begun_ = true;
    if (!settle(lock))
        return false;
    if (type == GST_EVENT_EOS)
        tell_shares(lock, true);
    if (type == GST_EVENT_SEGMENT || type == GST_EVENT_STREAM_START) {
        flow_ = GST_FLOW_OK;
        ends_at_ = never;
    }
    if (!changes_.empty() && !make_changes(lock))
        return false;
    if (!hand_to_copies(lock, event.get()))
        return false;
    if (info) {
        count_ = count > 0 ? count : 0;
        depth_ = info->depth;
        bytes_ = info->size();
        // Other elements want memory, too.
        constexpr unsigned share = 8;
        most_ = most_bytes_ ? most_bytes_ / info->size() : never;
        // Before any is measured, as tomo-reconstruct expects it (gst/reconstruction/speed.cpp).
        constexpr double unit_of_cpu = 12.0, unit_of_gpu = 30.0;
        for (const auto &copy : copies_)
            for (auto *filter : copy->filters)
                if (const auto device = filter->current_device()) {
                    most_ = std::min<std::uint64_t>(most_, device->memory_limit() / share / info->size());
                    copy->speed = device->compute_units() * (device->is_cpu() ? unit_of_cpu : unit_of_gpu);
                }
    }
    return true;
}

bool Distribution::hand_to_copies(Lock &lock, GstEvent *event) {
    is_handled_ = true;
    has_result_ = false;
    handling_ = 0;
    for (auto &copy : copies_)
        if (!copy->has_failed) {
            copy->events.clear();
            copy->event = EventRef::referenced(event);
            handling_++;
        }
    changed_.notify_all();
    changed_.wait(lock, [&] { return handling_ == 0 || is_stopped(); });
    if (is_stopped())
        return false;
    tell_failures(lock);
    if (is_broken() || is_stopped() || !leader())
        return false;
    if (const auto problem = differing_caps(); !problem.empty())
        return fail(lock, Error(GST_CORE_ERROR_NEGOTIATION, problem)), false;
    return give_news(lock) && is_handled_;
}

// Where all copies failed, their input is to blame, and one error is enough.
void Distribution::tell_failures(Lock &lock) {
    const auto failures = std::exchange(failures_, {});
    if (failures.empty())
        return;
    if (alive() == 0)
        return fail(lock, failures.front().error);
    lock.unlock();
    for (const auto &failure : failures)
        owner_.warn(done_again(failure.device, failure.error.what()));
    lock.lock();
}

std::string Distribution::differing_caps() const {
    const Copy *one = nullptr;
    for (const auto &copy : copies_) {
        const auto *caps = copy->has_failed ? nullptr : caps_in(copy->facts.get());
        if (!caps)
            continue;
        if (!one)
            one = copy.get();
        else if (const auto *first = caps_in(one->facts.get()); !gst_caps_is_equal(first, caps))
            return text("the copies do not give the same: that on %s %s, that on %s %s", one->device.c_str(),
                        to_string(first).c_str(), copy->device.c_str(), to_string(caps).c_str());
    }
    return {};
}

// The first copy's, by the thread of the output.
bool Distribution::give_news(Lock &lock) {
    auto *first = leader();
    news_ = first->facts;
    news_events_ = std::exchange(first->events, {});
    for (auto &copy : copies_)
        copy->events.clear();
    given_events_.clear();
    has_news_ = true;
    changed_.notify_all();
    changed_.wait(lock, [&] { return (!has_news_ && !is_giving_) || is_stopped(); });
    return !is_stopped() && are_news_given_;
}

// Copies
// -------------------------------------------------------------------------------------------------------

// Whether another copy is more than twice as fast.
bool Distribution::is_slow(const Copy &copy) const {
    constexpr double slow = 2.0;
    return std::any_of(copies_.begin(), copies_.end(), [&](const auto &other) {
        if (other->has_failed || other.get() == &copy)
            return false;
        return other->seconds > 0.0 && copy.seconds > 0.0 ? copy.seconds > slow * other->seconds
                                                          : other->speed > slow * copy.speed;
    });
}

// Whether a slow copy will have made the next arrays before the others would have made all that come, and
// before these wait for its results.
bool Distribution::pays(const Copy &copy) const {
    double others = 0.0, mine = copy.seconds; // arrays per second; seconds per array
    for (const auto &other : copies_) {
        if (other->has_failed || is_slow(*other))
            continue;
        if (other->seconds == 0.0)
            return false; // nobody knows yet
        others += 1.0 / other->seconds;
        constexpr double doubt = 4.0; // of a guess
        if (copy.seconds == 0.0)
            mine = std::max(mine, doubt * other->seconds * other->speed / copy.speed);
    }
    const double size = group_size(), meanwhile = size * mine * others;
    const double left = count_ > unclaimed_ ? static_cast<double>(count_ - unclaimed_)
                        : count_ > 0        ? 0.0
                                            : HUGE_VAL;
    return meanwhile <= left - size && meanwhile + size <= static_cast<double>(capacity());
}

bool Distribution::may_claim(const Copy &copy) const {
    if (flow_ != GST_FLOW_OK || has_error_)
        return false;
    return !again_.empty() || (unclaimed_ < std::min(next_, ends_at_) && (!is_slow(copy) || pays(copy)));
}

// Of the arrays from `first` on. Commands of a fast copy are still under way, so the mean over many counts.
void Distribution::measure(Lock &lock, Copy &copy, Number first, gint64 begun) {
    if (is_slow(copy)) {
        const auto stamps = copy.stamps;
        lock.unlock();
        for (const auto &stamp : stamps)
            if (stamp)
                clWaitForEvents(1, std::array{stamp.event.get()}.data()); // a failure shows at the next array
        lock.lock();
    }
    if (copy.next <= first || copy.has_failed || is_stopped())
        return;
    const auto arrays = copy.next - first;
    const double seconds = 1e-6 * static_cast<double>(g_get_monotonic_time() - begun);
    copy.busy_seconds += seconds;
    copy.busy_arrays += arrays;
    if (is_slow(copy))
        copy.seconds = seconds / static_cast<double>(arrays);
    else if (copy.busy_arrays > std::max(8u, 2 * group_size())) // which may be under way
        copy.seconds = copy.busy_seconds / static_cast<double>(copy.busy_arrays);
}

// For people: which device made how many planes.
void Distribution::tell_shares(Lock &lock, bool is_end) {
    constexpr gint64 often = 200000; // microseconds
    const auto now = g_get_monotonic_time();
    if (copies_.size() < 2 || (!is_end && now - told_shares_ < often))
        return;
    told_shares_ = now;
    std::vector<std::pair<std::string, guint64>> shares;
    for (const auto &copy : copies_)
        shares.emplace_back(copy->device, copy->given_planes);
    lock.unlock();
    for (const auto &[device, planes] : shares)
        owner_.post_message(gst_structure_new("tomo-device", "element", G_TYPE_STRING,
                                              GST_OBJECT_NAME(owner_.gst()), "device", G_TYPE_STRING,
                                              device.c_str(), "planes", G_TYPE_UINT64, planes, nullptr));
    lock.lock();
}

void Distribution::claim(Copy &copy) {
    const unsigned size = group_size();
    if (again_.empty()) {
        copy.next = unclaimed_;
        copy.end = unclaimed_ = is_settling_ ? std::min(unclaimed_ + size, next_) : unclaimed_ + size;
    } else {
        copy.next = copy.end = *again_.begin();
        while (!again_.empty() && *again_.begin() == copy.end && copy.end - copy.next < size) {
            again_.erase(again_.begin());
            copy.end++;
        }
    }
    copy.is_busy = true;
    changed_.notify_all();
}

void Distribution::work(Copy &copy) {
    Lock lock(lock_);
    changed_.wait(lock, [&] { return is_stopped() || copy.event || (!copy.has_failed && may_claim(copy)); });
    if (is_stopped()) {
        lock.unlock();
        gst_pad_pause_task(copy.feed);
    } else if (copy.event) {
        handle_event(lock, copy);
    } else {
        claim(copy);
        const auto begun = g_get_monotonic_time();
        const auto first = copy.next;
        compute(lock, copy);
        measure(lock, copy, first, begun);
        tell_shares(lock, false);
        look_at_batches(copy);
        copy.is_busy = false;
        changed_.notify_all();
    }
}

void Distribution::handle_event(Lock &lock, Copy &copy) {
    const EventRef event = copy.event;
    const bool is_end = GST_EVENT_TYPE(event.get()) == GST_EVENT_EOS;
    if (GST_EVENT_TYPE(event.get()) == GST_EVENT_STREAM_START)
        copy.has_ended = false;
    lock.unlock();
    const bool passed = gst_pad_push_event(copy.feed, EventRef(event).release());
    if (!is_end) { // the event may wait in a queue
        const QueryRef drain(gst_query_new_drain());
        gst_pad_peer_query(copy.feed, drain.get());
    }
    lock.lock();
    if (is_end)
        changed_.wait(lock, [&] {
            return copy.has_ended || !passed || copy.has_failed || is_broken() || is_stopped();
        });
    if (!copy.event) // a flush went by
        return;
    look_at_batches(copy);
    copy.event = {};
    is_handled_ = is_handled_ && (passed || copy.has_failed);
    handling_--;
    changed_.notify_all();
}

void Distribution::compute(Lock &lock, Copy &copy) {
    const auto ends = [&] { return is_stopped() || copy.has_failed || flow_ != GST_FLOW_OK; };
    for (;;) {
        // Arrays to be done again do not wait for those that are still to come.
        copy.is_waiting = true;
        changed_.wait(
            lock, [&] { return ends() || copy.next >= copy.end || copy.next < next_ || !again_.empty(); });
        copy.is_waiting = false;
        if (!ends() && copy.next < copy.end && copy.next >= next_)
            copy.end = unclaimed_ = copy.next;
        if (ends() || copy.next >= std::min(copy.end, ends_at_) || !hand_on(lock, copy))
            break;
    }
    if (!ends() && !copy.inside.empty())
        empty(lock, copy);
}

// One array; false if no more can follow.
bool Distribution::hand_on(Lock &lock, Copy &copy) {
    const Number number = copy.next++;
    auto *const mine = slot(number);
    if (!mine || mine->result)
        return true;
    BufferRef array = goes_on_ ? mine->array : std::exchange(mine->array, {});
    const auto beside = goes_on_ ? mine->beside : std::exchange(mine->beside, {});
    for (std::size_t i = 0; i < beside.size(); i++)
        if (beside[i].buffer)
            copy.beside[i]->hand_over(GST_BUFFER_OFFSET(array.get()), beside[i]);
    copy.inside.push_back(number);

    // Copies that run far ahead would take arrays that others could begin sooner.
    const std::size_t most = std::max(8u, 2 * group_size());
    std::vector<Stamp> earlier;
    for (; copy.stamps.size() > most; copy.stamps.pop_front())
        earlier.push_back(copy.stamps.front());
    lock.unlock();
    GstFlowReturn flow = GST_FLOW_OK;
    try {
        for (const auto &stamp : earlier)
            if (stamp)
                wait_for(stamp, text("computing an array on %s", copy.device.c_str()));
        flow = gst_pad_push(copy.feed, array.release());
        lock.lock();
    } catch (...) {
        const auto error = current_error();
        lock.lock();
        fail(lock, copy, error);
        return false;
    }
    if (flow == GST_FLOW_OK)
        return true;
    if (is_stopped() || copy.has_failed || flow_ != GST_FLOW_OK)
        return false; // that is why
    if (flow == GST_FLOW_EOS)
        end_at(copy.inside.empty() ? number : copy.inside.front());
    else if (flow == GST_FLOW_FLUSHING)
        end_with(flow);
    else
        fail(lock, copy,
             Error(GST_STREAM_ERROR_FAILED,
                   text("the copy on %s gave %s", copy.device.c_str(), gst_flow_get_name(flow))));
    return false;
}

// The copy gives what it holds back only to compute more at once.
void Distribution::empty(Lock &lock, Copy &copy) {
    lock.unlock();
    const QueryRef drain(gst_query_new_drain());
    gst_pad_peer_query(copy.feed, drain.get());
    lock.lock();
    if (is_stopped() || copy.has_failed || flow_ != GST_FLOW_OK || copy.inside.empty())
        return;
    const Number number = copy.inside.front();
    lock.unlock();
    const bool is_interrupted = interruption_of(copy.result).has_value();
    lock.lock();
    if (is_stopped() || copy.has_failed || flow_ != GST_FLOW_OK)
        return;
    if (is_interrupted)
        return end_at(number);
    fail(lock, copy,
         Error(GST_STREAM_ERROR_FAILED, text("the copy on %s gave no result for array %" G_GUINT64_FORMAT
                                             ", but each array has to give one",
                                             copy.device.c_str(), number)));
}

GstFlowReturn Distribution::take_result(Copy &copy, BufferRef buffer) {
    Lock lock(lock_);
    if (is_stopped() || copy.has_failed)
        return GST_FLOW_FLUSHING;
    if (flow_ != GST_FLOW_OK)
        return flow_;
    if (copy.inside.empty()) {
        fail(lock, copy,
             Error(GST_STREAM_ERROR_FAILED,
                   text("the copy on %s gave more arrays than it took", copy.device.c_str())));
        return GST_FLOW_ERROR;
    }
    const Number number = copy.inside.front();
    copy.inside.pop_front();
    copy.stamps.push_back(stamp_of(buffer.get()));
    if (auto *mine = slot(number); mine && !mine->result) {
        mine->result = std::move(buffer);
        copy.given_planes += depth_;
        mine->by = copy.number;
        copy.arrays++;
        mine->facts = copy.facts;
        mine->events = std::exchange(copy.events, {});
    }
    changed_.notify_all();
    return GST_FLOW_OK;
}

bool Distribution::take_result_event(Copy &copy, EventRef event) {
    const auto type = GST_EVENT_TYPE(event.get());
    if (type == GST_EVENT_FLUSH_START || type == GST_EVENT_FLUSH_STOP)
        return true; // downstream knows
    if (!GST_EVENT_IS_SERIALIZED(event.get()))
        return !is_leader(copy) || gst_pad_push_event(src_, event.release());
    const Lock lock(lock_);
    if (is_stopped())
        return false;
    if (type == GST_EVENT_EOS || !GST_EVENT_IS_STICKY(event.get())) {
        copy.has_ended = copy.has_ended || type == GST_EVENT_EOS;
        copy.events.push_back(std::move(event));
    } else {
        // Results have those that were in force.
        auto facts = copy.facts ? std::make_shared<Facts>(*copy.facts) : std::make_shared<Facts>();
        if (auto *known = find(*facts, event.get()))
            *known = std::move(event);
        else
            facts->push_back(std::move(event));
        copy.facts = facts;
    }
    changed_.notify_all();
    return true;
}

// Output
// -------------------------------------------------------------------------------------------------------

void Distribution::give() {
    Lock lock(lock_);
    changed_.wait(lock, [&] {
        const bool is_ready = (!slots_.empty() && slots_.front().result) || first_ >= ends_at_;
        return is_stopped() || has_news_ || (flow_ == GST_FLOW_OK && !has_error_ && is_ready);
    });
    if (is_stopped()) {
        lock.unlock();
        gst_pad_pause_task(src_);
        return;
    }
    if (has_news_) {
        const auto facts = std::exchange(news_, nullptr);
        auto events = std::exchange(news_events_, {});
        has_news_ = false;
        is_giving_ = true;
        lock.unlock();
        const bool is_negotiated = give_facts(facts),
                   passed = is_negotiated && give_events(std::move(events));
        lock.lock();
        if (!is_negotiated)
            refused(lock, facts.get());
        is_giving_ = false;
        are_news_given_ = passed;
        changed_.notify_all();
        return;
    }
    if (first_ >= ends_at_)
        return end_with(GST_FLOW_EOS);
    if (goes_on_ && !is_computed(lock))
        return;

    Slot slot = std::move(slots_.front());
    slots_.pop_front();
    first_++;
    is_giving_ = true;
    changed_.notify_all();
    const auto *caps = caps_in(slot.facts.get()), *before = caps_in(&given_);
    if (has_result_ && slot.by != last_by_ && caps && before && !gst_caps_is_equal(caps, before)) {
        fail(lock, Error(GST_CORE_ERROR_NEGOTIATION,
                         text("the copies do not give the same: that on %s %s, that on %s %s",
                              copies_[last_by_]->device.c_str(), to_string(before).c_str(),
                              copies_[slot.by]->device.c_str(), to_string(caps).c_str())));
        is_giving_ = false;
        changed_.notify_all();
        return;
    }
    has_result_ = true;
    last_by_ = slot.by;
    lock.unlock();
    GstFlowReturn flow = GST_FLOW_NOT_NEGOTIATED;
    const bool is_negotiated = give_facts(slot.facts);
    if (is_negotiated) {
        give_events(std::move(slot.events));
        BufferRef result = std::move(slot.result);
        if (!slot.has_number) {
            result = BufferRef(gst_buffer_make_writable(result.release()));
            GST_BUFFER_OFFSET(result.get()) = GST_BUFFER_OFFSET_NONE;
        }
        slot.array = {};
        slot.beside = {};
        flow = gst_pad_push(src_, result.release());
    }
    lock.lock();
    if (!is_negotiated)
        refused(lock, slot.facts.get());
    is_giving_ = false;
    if (flow != GST_FLOW_OK && !is_stopped() && flow_ == GST_FLOW_OK)
        end_with(flow);
    changed_.notify_all();
}

void Distribution::refused(Lock &lock, const Facts *facts) {
    const auto *caps = caps_in(facts);
    const ObjectRef<GstPad> outer(gst_element_get_static_pad(owner_.gst(), "src"));
    const ObjectRef<GstPad> peer(gst_pad_get_peer(outer.get()));
    if (!caps || is_stopped() || flow_ != GST_FLOW_OK || !peer || GST_PAD_IS_FLUSHING(peer.get()))
        return;
    fail(lock, Error(GST_CORE_ERROR_NEGOTIATION,
                     text("gives %s, which was refused downstream", to_string(caps).c_str())));
}

// Whether the next result has come out of its device's queue. Where it failed, another copy does it again.
bool Distribution::is_computed(Lock &lock) {
    const auto number = first_;
    auto &copy = *copies_[slots_.front().by];
    const BufferRef result = slots_.front().result;
    lock.unlock();
    try {
        if (const auto stamp = stamp_of(result.get()))
            wait_for(stamp, text("computing an array on %s", copy.device.c_str()));
        lock.lock();
    } catch (...) {
        const auto error = current_error();
        lock.lock();
        if (auto *mine = slot(number)) {
            mine->result = {};
            again_.insert(number);
        }
        if (!is_stopped() && flow_ == GST_FLOW_OK)
            fail(lock, copy, error);
        changed_.notify_all();
        return false;
    }
    return !is_stopped() && flow_ == GST_FLOW_OK && number == first_ && !slots_.empty();
}

bool Distribution::give_facts(const std::shared_ptr<const Facts> &facts) {
    if (!facts || std::find(equal_.begin(), equal_.end(), facts) != equal_.end())
        return true;
    bool passed = true;
    for (const auto &event : *facts) {
        auto *known = find(given_, event.get());
        if (known && is_equal(known->get(), event.get()))
            continue;
        equal_.clear();
        if (!gst_pad_push_event(src_, EventRef(event).release()) &&
            GST_EVENT_TYPE(event.get()) == GST_EVENT_CAPS && gst_pad_is_linked(src_)) {
            passed = false;
            continue; // they are refused again with the next array
        }
        if (known)
            *known = event;
        else
            given_.push_back(event);
    }
    if (equal_.size() > 4 * copies_.size())
        equal_.clear();
    if (passed)
        equal_.push_back(facts);
    return passed;
}

bool Distribution::give_events(std::vector<EventRef> events) {
    bool passed = true;
    for (auto &event : events) {
        // Each copy hands on what came for all of them.
        if (std::any_of(given_events_.begin(), given_events_.end(),
                        [&](const auto &known) { return known.get() == event.get(); }))
            continue;
        given_events_.push_back(event);
        passed = gst_pad_push_event(src_, event.release()) && passed;
    }
    return passed;
}

bool Distribution::send_upstream(EventRef event) {
    const auto type = GST_EVENT_TYPE(event.get());
    const bool is_for_all = type == GST_EVENT_RECONFIGURE || type == GST_EVENT_LATENCY;
    bool passed = false;
    for (auto &copy : copies_)
        if (is_for_all || is_leader(*copy))
            passed |= gst_pad_push_event(copy->result, EventRef(event).release());
    return passed;
}

} // namespace tomo::stream
