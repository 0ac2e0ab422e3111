// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/bound-value.hpp>
#include <gst/tomo/bases/joiner-pairing.hpp>
#include <gst/tomo/bases/negotiation.hpp>

#include <algorithm>

namespace tomo {

Joiner::Joiner()
    : ports_(std::make_unique<JoinerInputs>(*this)),
      pairing_(std::make_unique<JoinerPairing>(*this, *ports_)) {}

Joiner::~Joiner() = default;

void Joiner::describe_pads(GstElementClass *klass) const {
    const CapsRef in(template_caps(info().in)), out(template_caps(info().out));
    auto add = [&](const char *name) {
        gst_element_class_add_pad_template(klass, gst_pad_template_new_with_gtype(name, GST_PAD_SINK,
                                                                                  GST_PAD_REQUEST, in.get(),
                                                                                  GST_TYPE_AGGREGATOR_PAD));
    };
    if (inputs().empty())
        add("sink_%u");
    std::string optional;
    for (const auto &input : inputs()) {
        add(input.name);
        if (input.optional)
            optional += (optional.empty() ? "" : " ") + std::string(input.name);
    }
    gst_element_class_add_metadata(klass, "tomo-optional-inputs", optional.c_str());
    gst_element_class_add_pad_template(klass,
                                       gst_pad_template_new_with_gtype("src", GST_PAD_SRC, GST_PAD_ALWAYS,
                                                                       out.get(), GST_TYPE_AGGREGATOR_PAD));
}

void Joiner::attach() {
    ports_->declare(inputs());
    GstPad *src = aggregator()->srcpad;
    output_.attach(
        src,
        {.choose_caps =
             [src](const ArrayInfo &out) { return choose_output_caps(src, out, OutputPlace::any); },
         .send_caps = [this](GstCaps *caps) { return send_caps(caps); },
         .push = [this](GstBuffer *buffer) { return gst_aggregator_finish_buffer(aggregator(), buffer); },
         .events_go_with_buffers = true});
    // The aggregator flushes its output before it waits for the thread that may wait for memory.
    gst_pad_add_probe(
        src, GST_PAD_PROBE_TYPE_EVENT_FLUSH,
        [](GstPad *, GstPadProbeInfo *info, gpointer joiner) {
            auto *self = static_cast<Joiner *>(joiner);
            GST_EVENT_TYPE(GST_PAD_PROBE_INFO_EVENT(info)) == GST_EVENT_FLUSH_START
                ? self->cancel(Cancel::flush)
                : self->go_on(Cancel::flush);
            return GST_PAD_PROBE_OK;
        },
        this, nullptr);
}

// The aggregator does not tell whether they got through.
bool Joiner::send_caps(GstCaps *caps) {
    gst_aggregator_set_src_caps(aggregator(), caps);
    const CapsRef current(gst_pad_get_current_caps(output_.pad()));
    return current && gst_caps_is_equal(current.get(), caps);
}

void Joiner::property_changed(PropertyBase *property) { output_.property_changed(*property); }

// Life
// ---------------------------------------------------------------------------------------------------------

void Joiner::activate() {
    adapt_at_frames(true);
    forget_error();
    output_.demand_adaptation();
    ports_->check_all_linked(numbered_inputs());
    pairing_->begin();
    start();
}

void Joiner::deactivate() noexcept {
    guard([&] { adapt_at_frames(false); });
    stop_flush();
    stop_and_forget();
    ports_->forget_infos();
    scan_ = {};
    output_.reset();
}

void Joiner::stop_flush() noexcept {
    go_on(Cancel::flush);
    guard([&] { reset(); });
    output_.stop_flush();
    guard([&] { pairing_->clear(); });
    output_.demand_adaptation();
}

// Inputs
// -------------------------------------------------------------------------------------------------------

bool Joiner::is_numbered() const { return ports_->is_numbered(); }

std::vector<ObjectRef<GstPad>> Joiner::linked_pads() { return ports_->linked_pads(); }

GstAggregatorPad *Joiner::create_pad(GstPadTemplate *templ, const char *name) {
    return ports_->create_pad(templ, name);
}

void Joiner::release_pad(GstPad *pad, const std::function<void()> &remove) {
    ports_->release_pad(pad, remove);
    output_.demand_adaptation();
}

gboolean Joiner::sink_event(GstAggregatorPad *pad, EventRef event) {
    const auto from = ports_->port(pad);
    if (!from)
        return FALSE;
    const bool is_main = ports_->is_main(from);
    switch (GST_EVENT_TYPE(event.get())) {
    case GST_EVENT_CAPS: {
        GstCaps *caps = nullptr;
        gst_event_parse_caps(event.get(), &caps);
        check_accepts(GST_PAD_CAST(pad), caps);
        ports_->set_info(*from, ArrayInfo::from_caps(caps));
        output_.demand_adaptation();
        return TRUE;
    }
    case GST_EVENT_SEGMENT:
        if (is_main) {
            const GstSegment *segment = nullptr;
            gst_event_parse_segment(event.get(), &segment);
            if (segment->format == GST_FORMAT_TIME)
                gst_aggregator_update_segment(aggregator(), segment);
        }
        return TRUE;
    default:
        if (take_bound_value(gst(), event.get()))
            return TRUE;
        if (is_main && gst_event_is_tomo_scan(event.get())) {
            scan_ = std::move(event);
            output_.demand_adaptation();
        } else if (is_main || is_bound_value(event.get())) {
            output_.send(std::move(event));
        }
        return TRUE;
    }
}

gboolean Joiner::sink_query(GstAggregatorPad *pad, GstQuery *query) {
    return answer_sink_query(*this, GST_PAD_CAST(pad), query);
}

// Positions, durations and what they are converted with are those of the first input.
bool Joiner::src_query(GstQuery *query) {
    switch (GST_QUERY_TYPE(query)) {
    case GST_QUERY_CONTEXT:
        return handle_context_query(query);
    case GST_QUERY_DURATION: {
        const auto pads = linked_pads();
        if (pads.empty() || !gst_pad_peer_query(pads.front().get(), query))
            return false;
        GstFormat format = GST_FORMAT_UNDEFINED;
        gint64 frames = -1;
        gst_query_parse_duration(query, &format, &frames);
        if (format == GST_FORMAT_DEFAULT && frames >= 0)
            gst_query_set_duration(query, format, static_cast<gint64>(output_count(frames)));
        return true;
    }
    case GST_QUERY_POSITION:
    case GST_QUERY_SEEKING:
    case GST_QUERY_CONVERT: {
        const auto pads = linked_pads();
        return !pads.empty() && gst_pad_peer_query(pads.front().get(), query);
    }
    case GST_QUERY_CUSTOM:
        if (is_early_end_query(query)) {
            const auto pads = linked_pads();
            return std::any_of(pads.begin(), pads.end(),
                               [](const auto &pad) { return is_ending_early(pad.get()); });
        }
        return is_interruption_query(query) ? inputs_may_end_anywhere()
                                            : is_flow_query(query) && inputs_flow_by_themselves();
    default:
        return false;
    }
}

bool Joiner::inputs_flow_by_themselves() {
    const auto pads = linked_pads();
    return std::all_of(pads.begin(), pads.end(), [](const auto &pad) {
        return flows_by_itself(pad.get(), false); // events go out with the next buffer
    });
}

bool Joiner::inputs_may_end_anywhere() {
    const auto pads = linked_pads();
    return std::any_of(pads.begin(), pads.end(), [](const auto &pad) { return may_end_anywhere(pad.get()); });
}

std::optional<std::uint64_t> Joiner::main_count() {
    const auto pads = linked_pads();
    gint64 count = -1;
    if (pads.empty() || !gst_pad_peer_query_duration(pads.front().get(), GST_FORMAT_DEFAULT, &count) ||
        count < 0)
        return {};
    return static_cast<std::uint64_t>(count);
}

std::uint64_t Joiner::averaged(std::size_t input) { return pairing_->averaged(input); }

GstClockTime Joiner::next_time() { return pairing_->next_time(); }

void Joiner::check_equal(const std::vector<ArrayInfo> &in) {
    const ArrayInfo &first = in.front();
    for (std::size_t i = 1; i < in.size(); i++)
        if (in[i].width != first.width || in[i].height != first.height || in[i].depth != first.depth ||
            in[i].is_complex() != first.is_complex())
            throw Error(
                GST_STREAM_ERROR_FORMAT,
                text("input %zu is %s, but input 0 is %s: wanted the same size, and all inputs real or all "
                     "complex",
                     i, in[i].describe().c_str(), first.describe().c_str()));
}

// Outputs
// ------------------------------------------------------------------------------------------------------

GstFlowReturn Joiner::aggregate(bool timeout) {
    struct AtWork {
        std::atomic<bool> &flag;
        ~AtWork() { flag = false; }
    } at_work{at_work_};
    at_work_ = true;
    if (has_failed())
        return GST_FLOW_ERROR;
    JoinerPairing::Set set;
    const auto state = pairing_->next(timeout, set);
    const bool is_starved = state == JoinerPairing::State::starved;
    if (is_starved && !may_end_anywhere(set.starved.get()))
        throw Error(GST_STREAM_ERROR_FAILED,
                    text("input %s ended without any image", GST_PAD_NAME(set.starved.get())));
    if (is_starved || state == JoinerPairing::State::ended)
        return end();
    if (state == JoinerPairing::State::incomplete || !set.facts)
        return GST_AGGREGATOR_FLOW_NEED_DATA;
    if (set.infos != in_infos_)
        output_.demand_adaptation();
    output_.adapt([&] { return adapt_to_inputs(set.infos), GST_FLOW_OK; });

    const auto *facts = gst_buffer_get_tomo_frame_meta(set.facts.get());
    frame_ = facts ? facts->index : GST_BUFFER_OFFSET(set.facts.get());
    return join(set.arrays, set.facts.get());
}

GstFlowReturn Joiner::end() {
    const auto main = pairing_->main_name();
    // Where somebody ended the streams, they do not end together.
    const auto left_over = pairing_->left_over();
    if (!left_over.empty() && !inputs_may_end_anywhere())
        for (const auto &name : left_over)
            warn(text("input %s ended while %s still has images, which are left out", main.c_str(),
                      name.c_str()));
    const auto flow = drain();
    if (flow != GST_FLOW_OK)
        return flow;
    output_.finish();
    return GST_FLOW_EOS;
}

static std::string c_name(std::string name) {
    std::replace(name.begin(), name.end(), '-', '_');
    return name;
}

void Joiner::adapt_to_inputs(const std::vector<ArrayInfo> &infos) {
    commit_properties();
    output_.set_live(!inputs_flow_by_themselves());
    const auto named = inputs();
    for (std::size_t i = 0; i < infos.size(); i++)
        if (infos[i].format != GST_TOMO_FORMAT_UNKNOWN && (is_numbered() || i < named.size()))
            input_format(is_numbered() ? text("in%zu", i) : c_name(named[i].name), infos[i].format);
    in_infos_ = infos;
    if (const auto out = shape(infos); out.format != GST_TOMO_FORMAT_UNKNOWN)
        output_.negotiate(out);
    if (scan_)
        output_.send_scan(scan_event(scan_));
}

void Joiner::process(const std::vector<Array> &, Array &) {
    throw Error(GST_CORE_ERROR_NOT_IMPLEMENTED, text("%s neither processes nor joins", info().task));
}

GstFlowReturn Joiner::join(const std::vector<Array> &in, GstBuffer *facts) {
    Array out = allocate(output_info());
    process(in, out);
    BufferRef result = out.to_buffer();
    copy_frame_metadata(facts, result.get());
    return push(out, std::move(result));
}

GstFlowReturn Joiner::drain() {
    finish();
    return GST_FLOW_OK;
}

GstFlowReturn Joiner::push(const Array &array, BufferRef buffer) {
    output_.negotiate(array.info());
    if (needs_device())
        output_.submit(array);
    const auto flow = output_.push(std::move(buffer));
    if (flow < GST_FLOW_EOS)
        join_error();
    return flow;
}

// Several outputs, or one of many inputs
// ------------------------------------------------------------------------------------------------

GstFlowReturn JoiningReducer::join(const std::vector<Array> &in, GstBuffer *facts) {
    consume(in);
    return push_ready(facts);
}

GstFlowReturn JoiningReducer::drain() {
    if (const auto left = unfinished_set(); left > 0 && inputs_may_end_anywhere()) {
        warn(incomplete_set_text(left));
        clear();
        return GST_FLOW_OK;
    }
    finish();
    return push_ready(nullptr);
}

GstFlowReturn JoiningReducer::push_ready(GstBuffer *facts) {
    auto flow = GST_FLOW_OK;
    for (std::uint64_t n = 0; flow == GST_FLOW_OK && ready(); n++) {
        // The aggregator takes buffers without a word while it stops.
        if (is_cancelled() || GST_PAD_IS_FLUSHING(reinterpret_cast<GstAggregator *>(gst())->srcpad))
            return GST_FLOW_FLUSHING;
        const Array array = produce();
        BufferRef buffer = array.to_buffer();
        if (facts)
            copy_frame_metadata(facts, buffer.get());
        number_output(buffer.get(), array.info(), n, produced_++);
        flow = push(array, std::move(buffer));
    }
    return flow;
}

void JoiningReducer::reset() {
    produced_ = 0;
    Joiner::reset();
}

} // namespace tomo
