// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/tomo/bases/output-port.hpp>

#include <gst/base/gstaggregator.h>

#include <optional>

namespace tomo {

class JoinerInputs;
class JoinerPairing;

// Several inputs, one output, one array of each per output.
//
// Named inputs: the first one is the main input, which gives times and metas and ends the stream. Numbered
// inputs (sink_0, sink_1, ...): the stream ends when all have ended. An input that ended repeats its last
// array. An input that ends without any array is an error, unless somebody ended its stream; if it is
// optional, it counts as not linked.
class GST_TOMO_API Joiner : public Element {
  public:
    static GType parent_type();

    Joiner();
    ~Joiner() override;

    struct Input {
        const char *name;
        bool optional = false;
    };
    // Empty for numbered inputs.
    virtual std::vector<Input> inputs() const = 0;
    // Whether the mean of all arrays of a named input is taken once for the whole stream, instead of one
    // array for each of the main input. Not for the main input, the first one. Called when the element
    // starts.
    virtual bool takes_mean(std::size_t) const { return false; }
    // Required number of numbered inputs; 0: any number.
    virtual unsigned numbered_inputs() const { return 0; }

    // Shape of the output from the shapes of the inputs, in their order; an optional input that is not linked
    // has format UNKNOWN. Throws Error on shapes that do not fit together.
    virtual ArrayInfo shape(const std::vector<ArrayInfo> &in) = 0;
    // An array argument of a kernel has the type of the input of the same name (with _ for -), or "in0",
    // "in1", ... for numbered inputs. An input that is not linked is an empty array.
    virtual void process(const std::vector<Array> &in, Array &out);
    // The stream is complete.
    virtual void finish() {}
    // Number of outputs for this number of arrays of the first input. Called by any thread.
    virtual std::uint64_t output_count(std::uint64_t inputs) const { return inputs; }

    // For shape(): throws Error unless all inputs have the same size and are all real or all complex.
    static void check_equal(const std::vector<ArrayInfo> &in);

    void describe_pads(GstElementClass *klass) const override;
    void attach() override;
    void property_changed(PropertyBase *property) override;

    void activate();
    void deactivate() noexcept;
    void stop_flush() noexcept;
    GstAggregatorPad *create_pad(GstPadTemplate *templ, const char *name);
    // `remove` takes the pad away from the element.
    void release_pad(GstPad *pad, const std::function<void()> &remove);
    gboolean sink_event(GstAggregatorPad *pad, EventRef event);
    gboolean sink_query(GstAggregatorPad *pad, GstQuery *query);
    bool src_query(GstQuery *query);
    bool seek(EventRef event);
    // Negotiates again before the next array, because the peer asks for it.
    void renegotiate() { output_.renegotiate(); }
    GstFlowReturn aggregate(bool timeout);
    // In a live stream: when to stop waiting for inputs that may repeat their last array.
    GstClockTime next_time();
    // False while the element waits for its inputs.
    bool is_at_work() const { return at_work_; }

  protected:
    // For process(): the number of the main input's array in its scan, else in its stream.
    std::uint64_t frame() const { return frame_; }
    // Number of arrays of the main input until its end, if that is known.
    std::optional<std::uint64_t> main_count();
    // Number of arrays averaged in the present array of a named input; 1 if no mean is taken.
    std::uint64_t averaged(std::size_t input);
    // The scan event of the main input, or null. Known before shape() is called.
    const EventRef &received_scan() const { return scan_; }
    bool inputs_may_end_anywhere(); // see may_end_anywhere()

    // Returns the scan event to send, from that of the first input, or null for none. Called when the inputs
    // are known, and again when they change.
    virtual EventRef scan_event(EventRef event) { return event; }

    // Replaces process() in bases whose inputs and outputs do not come one by one, see JoiningReducer.
    virtual GstFlowReturn join(const std::vector<Array> &in, GstBuffer *facts);
    virtual GstFlowReturn drain();
    // A flush or a stop: discards the state from the arrays so far.
    virtual void clear() {}
    // The same, including the state of the bases. Elements override clear().
    virtual void reset() { clear(); }
    const ArrayInfo &output_info() const { return output_.info(); }
    GstFlowReturn push(const Array &array, BufferRef buffer);

  private:
    bool is_numbered() const;
    std::vector<ObjectRef<GstPad>> linked_pads();
    bool inputs_flow_by_themselves();
    bool send_caps(GstCaps *caps);
    GstFlowReturn end();
    void adapt_to_inputs(const std::vector<ArrayInfo> &infos);

    GstAggregator *aggregator() const { return reinterpret_cast<GstAggregator *>(gst()); }

    std::unique_ptr<JoinerInputs> ports_;
    std::unique_ptr<JoinerPairing> pairing_;
    std::atomic<bool> at_work_{false};
    OutputPort output_{*this};
    std::vector<ArrayInfo> in_infos_; // for which the output was negotiated
    std::uint64_t frame_ = 0;
    EventRef scan_; // as received
};

// A join that gives several outputs for each set of inputs, or one for many sets. shape() may return an info
// without a format if the shape is known only with the outputs.
class GST_TOMO_API JoiningReducer : public Joiner {
  public:
    virtual void consume(const std::vector<Array> &in) = 0;
    // ready() tells whether produce() has another output. Called after consume() and after finish().
    virtual bool ready() const = 0;
    virtual unsigned unfinished_set() const { return 0; } // see Reducer
    virtual Array produce() = 0;
    // Discards everything that came.
    void clear() override = 0;

  protected:
    GstFlowReturn join(const std::vector<Array> &in, GstBuffer *facts) override;
    GstFlowReturn drain() override;
    void reset() override;

  private:
    GstFlowReturn push_ready(GstBuffer *facts);

    std::uint64_t produced_ = 0;
};

} // namespace tomo
