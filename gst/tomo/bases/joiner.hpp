// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/tomo/bases/adaptation.hpp>
#include <gst/tomo/compute/running-mean.hpp>

#include <gst/base/gstaggregator.h>

#include <optional>

namespace tomo {

// Several inputs, one output, one array of each per output.
//
// Named inputs: the first one is the main input, which gives times and metas and ends the stream. Numbered
// inputs (sink_0, sink_1, ...): the stream ends when all have ended. An input that ended repeats its last
// array; one that ends without any is an error, or as good as not linked where it is optional.
class GST_TOMO_API Joiner : public Element {
  public:
    static GType parent_type();

    struct Input {
        const char *name;
        bool optional = false;
    };
    // Empty for numbered inputs.
    virtual std::vector<Input> inputs() const = 0;
    // Whether of all arrays of a named input but the first, which is the main one, the mean is taken, once
    // for the whole stream, instead of one array for each of the main input. Asked when the element starts.
    virtual bool takes_mean(std::size_t) const { return false; }
    // How many numbered inputs there have to be; 0: any number.
    virtual unsigned numbered_inputs() const { return 0; }

    // Shape of the output from those of the inputs, in their order; an optional input that is not linked has
    // format UNKNOWN. Throws Error on what does not fit together.
    virtual ArrayInfo shape(const std::vector<ArrayInfo> &in) = 0;
    // Kernels' arrays have the types of the inputs of the same name (with _ for -), "in0", "in1", ... for
    // numbered ones. What is not there is an empty array.
    virtual void process(const std::vector<Array> &in, Array &out);
    // The stream is complete.
    virtual void finish() {}
    // How many outputs come of so many arrays of the first input. Called by any thread.
    virtual std::uint64_t output_count(std::uint64_t inputs) const { return inputs; }

    // For shape(): throws Error unless all inputs have one size and are all real or all complex.
    static void check_equal(const std::vector<ArrayInfo> &in);

    void describe_pads(GstElementClass *klass) const override;
    void attach() override;
    void property_changed(PropertyBase *property) override;

    bool activate();
    void deactivate();
    void flush();
    GstAggregatorPad *create_pad(GstPadTemplate *templ, const char *name);
    // `remove` takes the pad away from the element.
    void release_pad(GstPad *pad, const std::function<void()> &remove);
    gboolean sink_event(GstAggregatorPad *pad, EventRef event);
    gboolean sink_query(GstAggregatorPad *pad, GstQuery *query);
    bool src_query(GstQuery *query);
    bool seek(EventRef event);
    GstFlowReturn work(bool timeout);
    // In a live stream: when to give up waiting for inputs that may repeat themselves.
    GstClockTime next_time();
    // Not so while it waits for its inputs.
    bool is_at_work() const { return at_work_; }

  protected:
    // For process(): the number of the main input's array in its scan, else in its stream.
    std::uint64_t frame() const { return frame_; }
    // How many arrays the main input will have had in the end, if it knows.
    std::optional<std::uint64_t> main_count();
    // How many arrays of a named input the present one is the mean of; 1 where none is taken.
    std::uint64_t averaged(std::size_t input);
    bool inputs_may_end_anywhere(); // see may_end_anywhere()

    // The scan's facts, as the first input has them; may return others to be passed on, or null for none.
    // Called when the inputs are known, and again when these changed.
    virtual EventRef scan_event(EventRef event) { return event; }

    // What takes the place of process() where inputs and outputs do not come one by one, see JoiningReducer.
    virtual GstFlowReturn join(const std::vector<Array> &in, GstBuffer *facts);
    virtual GstFlowReturn conclude();
    virtual void reset() {}
    const ArrayInfo &output_info() const { return out_info_; }
    GstFlowReturn push(const Array &array, BufferRef buffer);

  private:
    struct Port {
        std::string name;
        bool optional = false;
        GstAggregatorPad *pad = nullptr; // owned by the element
        bool is_taken = false;           // until the element has lost the pad
        ArrayInfo info;
        bool has_info = false;
        Array last;
        std::unique_ptr<RunningMean> mean; // where it is taken
        Array only;                        // the first array, until another one makes a mean necessary
        std::uint64_t averaged = 0;        // in `last`
        std::uint64_t count() const { return only ? 1 : mean->count(); }
    };
    bool is_numbered() const { return inputs().empty(); }
    std::shared_ptr<Port> port(GstAggregatorPad *pad);
    std::vector<ObjectRef<GstPad>> linked_pads();
    GstFlowReturn aggregate(bool timeout);
    void negotiate(const std::vector<ArrayInfo> &infos);
    void announce(const ArrayInfo &out);
    // Adds what has come to inputs of which the mean is taken. Unlocks while it may wait for memory.
    void add_to_means(std::unique_lock<std::mutex> &lock);
    // Whether every input has an array for the next output.
    bool gather(bool timeout, bool &ended);
    // Takes the next array of each input, in the beginning with the lock held, then without it, because that
    // may wait for memory; returns the buffer that gives times and metas.
    BufferRef take_inputs(std::unique_lock<std::mutex> &lock, std::vector<Array> &in,
                          std::vector<ArrayInfo> &infos);

    GstAggregator *aggregator() const { return reinterpret_cast<GstAggregator *>(gst()); }

    std::mutex ports_lock_; // pads come and go from the application's threads
    std::vector<std::shared_ptr<Port>> ports_;
    std::atomic<bool> at_work_{false};
    Adaptation adaptation_;
    std::vector<ArrayInfo> in_infos_; // that the output was negotiated for
    ArrayInfo out_info_;
    bool output_on_device_ = false;
    std::uint64_t frame_ = 0;
    EventRef scan_;                     // as it came
    EventRef sent_scan_;                // as it went
    std::vector<EventRef> late_events_; // that go out with the next buffer
};

// A join that gives several outputs for each set of inputs, or one for many of them. shape() may return an
// info without a format where only the outputs tell their shape.
class GST_TOMO_API JoiningReducer : public Joiner {
  public:
    virtual void consume(const std::vector<Array> &in) = 0;
    // Whether produce() has another output, and the output itself; asked after consume() and after finish().
    virtual bool ready() const = 0;
    virtual unsigned unfinished_set() const { return 0; } // see Reducer
    virtual Array produce() = 0;
    // Forget everything.
    virtual void clear() = 0;

  protected:
    GstFlowReturn join(const std::vector<Array> &in, GstBuffer *facts) override;
    GstFlowReturn conclude() override;
    void reset() override;

  private:
    GstFlowReturn push_ready(GstBuffer *facts);

    std::uint64_t produced_ = 0;
};

} // namespace tomo
