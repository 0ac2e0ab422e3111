// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/joiner-pairing.hpp>
#include <gst/tomo/bases/negotiation.hpp>

#include <algorithm>

namespace tomo {

void JoinerPairing::begin() {
    const Lock lock(inputs_.lock());
    const auto &ports = inputs_.ports();
    for (std::size_t i = 0; !inputs_.is_numbered() && i < ports.size(); i++)
        ports[i]->mean = joiner_.takes_mean(i) ? std::make_unique<RunningMean>(joiner_) : nullptr;
}

void JoinerPairing::clear() {
    const Lock lock(inputs_.lock());
    for (const auto &port : inputs_.ports())
        forget(*port);
}

void JoinerPairing::forget(JoinerInputs::Port &port) {
    port.last = port.only = {};
    port.averaged = 0;
    port.is_new = port.is_end_known = port.was_cut = false;
    if (port.mean)
        port.mean->clear();
}

bool JoinerPairing::is_main(const JoinerInputs::PortRef &port) const {
    return !inputs_.is_numbered() && port == inputs_.ports().front();
}

std::string JoinerPairing::main_name() {
    const Lock lock(inputs_.lock());
    return inputs_.ports().empty() ? "" : inputs_.ports().front()->name;
}

std::uint64_t JoinerPairing::averaged(std::size_t input) {
    const Lock lock(inputs_.lock());
    return std::max<std::uint64_t>(1, inputs_.ports()[input]->averaged);
}

static void check_has_info(const JoinerInputs::Port &port) {
    if (!port.has_info)
        throw Error(GST_STREAM_ERROR_FORMAT,
                    text("input %s got a buffer before any caps", port.name.c_str()));
}

void JoinerPairing::add_to_means(Lock &lock) {
    const auto ports = inputs_.ports(); // they may be released meanwhile
    for (const auto &p : ports) {
        while (true) {
            if (p->is_new && p->pad) // here, where no other thread has the mean in use
                forget(*p);
            const BufferRef buffer(p->mean && p->pad ? gst_aggregator_pad_pop_buffer(p->pad) : nullptr);
            if (!buffer)
                break;
            check_has_info(*p);
            const auto info = p->info;
            lock.unlock();
            const Array array = joiner_.import(buffer.get(), info);
            if (p->count() == 0) {
                p->only = array;
            } else {
                if (p->only)
                    p->mean->add(std::exchange(p->only, {}));
                p->mean->add(array);
                joiner_.limit_frames_in_flight(array);
            }
            lock.lock();
        }
    }
}

JoinerPairing::State JoinerPairing::state(bool timeout, ObjectRef<GstPad> &starved) const {
    bool all_ended = true, complete = true;
    for (const auto &p : inputs_.ports()) {
        if (!p->pad)
            continue;
        const bool has = gst_aggregator_pad_has_buffer(p->pad);
        const bool eos = !has && gst_aggregator_pad_is_eos(p->pad);
        if (is_main(p) && eos)
            return State::ended;
        all_ended = all_ended && eos;
        if (p->mean && (has || !eos)) {
            // In a live stream, which may never end, the mean of those that came in time will do.
            if (!timeout || p->count() == 0)
                complete = false;
            continue;
        }
        if (p->mean && p->count() > 0)
            continue;
        if (eos && !p->last && p->optional)
            continue;
        if (eos && !p->last) {
            starved = ObjectRef<GstPad>::referenced(GST_PAD_CAST(p->pad));
            return State::starved;
        }
        // Late in a live stream: a side input may repeat itself, the main input may not.
        if (!has && !eos && (is_main(p) || !timeout || !p->last))
            complete = false;
    }
    if (inputs_.is_numbered() && all_ended)
        return State::ended;
    return complete ? State::complete : State::incomplete;
}

GstClockTime JoinerPairing::next_time() {
    const Lock lock(inputs_.lock());
    GstClockTime time = GST_CLOCK_TIME_NONE;
    for (const auto &p : inputs_.ports()) {
        if (!p->pad)
            continue;
        const BufferRef head(gst_aggregator_pad_peek_buffer(p->pad));
        if (!head && (is_main(p) || !(p->last || (p->mean && p->count() > 0))))
            return GST_CLOCK_TIME_NONE;
        if (head && !GST_CLOCK_TIME_IS_VALID(time) && p->pad->segment.format == GST_FORMAT_TIME)
            time = gst_segment_to_running_time(&p->pad->segment, GST_FORMAT_TIME, GST_BUFFER_PTS(head.get()));
    }
    return time;
}

std::vector<std::string> JoinerPairing::left_over() {
    const Lock lock(inputs_.lock());
    std::vector<std::string> names;
    for (const auto &p : inputs_.ports())
        if (p->pad && (gst_aggregator_pad_has_buffer(p->pad) || (p->mean && !p->averaged && p->count() > 0)))
            names.push_back(p->name);
    return names;
}

JoinerPairing::State JoinerPairing::next(bool timeout, Set &set) {
    Lock lock(inputs_.lock());
    add_to_means(lock);
    const auto now = state(timeout, set.starved);
    if (now != State::complete)
        return now;
    if (repeats_after_cut(lock))
        return State::ended;
    set = take(lock);
    return now;
}

bool JoinerPairing::repeats_after_cut(Lock &lock) {
    bool is_cut = false;
    const auto ports = inputs_.ports(); // they may be released meanwhile
    for (const auto &p : ports) {
        if (!p->pad || p->mean || !p->last || gst_aggregator_pad_has_buffer(p->pad) ||
            !gst_aggregator_pad_is_eos(p->pad))
            continue;
        if (!p->is_end_known) {
            const auto pad = ObjectRef<GstPad>::referenced(GST_PAD_CAST(p->pad));
            lock.unlock();
            const bool was_cut = interruption_of(pad.get()).has_value();
            lock.lock();
            p->is_end_known = true;
            p->was_cut = was_cut;
        }
        is_cut = is_cut || p->was_cut;
    }
    return is_cut;
}

JoinerPairing::Set JoinerPairing::take(Lock &lock) {
    struct Taken {
        JoinerInputs::PortRef port;
        ArrayInfo info;
        BufferRef buffer; // none: the last array again
        Array array;
        bool is_mean;
    };
    std::vector<Taken> all;
    Set set;
    GstClockTime time = GST_CLOCK_TIME_NONE;
    for (const auto &p : inputs_.ports()) {
        BufferRef buffer(p->pad && !p->mean ? gst_aggregator_pad_pop_buffer(p->pad) : nullptr);
        if (buffer)
            check_has_info(*p);
        if (buffer && !set.facts) {
            time = stream_time(p->pad->segment, GST_BUFFER_PTS(buffer.get()));
            set.facts = buffer;
        }
        // Who gets another array gives up the last one before that takes memory.
        Array again = p->last;
        const bool has_new_mean = p->pad && p->mean && p->count() != p->averaged;
        if (buffer || has_new_mean)
            p->last = again = {};
        all.push_back({p, p->info, std::move(buffer), std::move(again), has_new_mean});
        set.infos.push_back(p->pad ? p->last.info() : ArrayInfo{});
    }
    lock.unlock();

    joiner_.follow_time(time);
    for (std::size_t i = 0; i < all.size(); i++)
        if (all[i].buffer) {
            all[i].array = joiner_.import(all[i].buffer.get(), all[i].info);
            set.infos[i] = all[i].info;
        } else if (all[i].is_mean) {
            auto &port = *all[i].port;
            port.averaged = port.count();
            all[i].array = port.only ? port.only : port.mean->mean();
            set.infos[i] = all[i].array.info();
        }
    lock.lock();
    for (const auto &taken : all) {
        if ((taken.buffer || taken.is_mean) && taken.port->pad)
            taken.port->last = taken.array;
        set.arrays.push_back(taken.array);
    }
    return set;
}

} // namespace tomo
