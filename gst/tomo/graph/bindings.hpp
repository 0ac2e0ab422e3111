// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Properties that take their values from results of another element while the stream runs. A value belongs to
// a known array, independent of the queues in between, because it travels with the stream:
//
//     below     The target gets its arrays from the source, directly or not. A value goes in front of the
//               first array that the source pushes after it, and takes effect with that array.
//     beside    The target is in another branch. Its arrays wait for the first value; later values take
//               effect with the next array that the target takes.
//     above     The source gets its arrays from the target. Nothing can wait, and values take effect with
//               the next array that the target takes.
#pragma once

#include <gst/tomo/bases/bound-value.hpp>
#include <gst/tomo/graph/graph.hpp>

#include <atomic>
#include <condition_variable>
#include <mutex>

namespace tomo {

class LiveBinding final : public ValueReceiver, public std::enable_shared_from_this<LiveBinding> {
  public:
    // Position of the target in the dataflow, as seen from the source.
    enum class TargetPosition { downstream, other_branch, upstream };

    // The properties must have been looked up by require_result() and require_target().
    LiveBinding(GstElement *source, GParamSpec *result, GstElement *target, GParamSpec *property,
                TargetPosition position);
    void connect();
    void disconnect();
    // Before a run: drops all values.
    void reset();

    GstElement *source() const { return source_.get(); }
    GstElement *target() const override { return target_.get(); }
    TargetPosition target_position() const { return position_; }
    // The thread that waits for the first value, or null.
    GThread *waiting_thread() const { return waiting_; }
    bool has_value() const { return has_value_; }

    void deliver(guint64 number, const GValue *value) override;

  private:
    using PadRef = ObjectRef<GstPad>;
    static LiveBinding &binding_of(gpointer data) {
        return **static_cast<std::shared_ptr<LiveBinding> *>(data);
    }
    gulong probe(GstPad *pad, GstPadProbeType type, GstPadProbeCallback callback);
    void on_notify();
    void set(const GValue *value);
    void fail(const std::string &message);
    void send(GstPad *pad);
    void send_again(GstPad *pad);
    // Whether the source has ended without a value.
    bool has_ended();
    void hold(GstPad *pad);
    std::string name() const;

    const ObjectRef<GstElement> source_, target_;
    GParamSpec *const result_, *const property_;
    const TargetPosition position_;
    gulong handler_ = 0;
    std::vector<std::pair<PadRef, gulong>> probes_;

    std::mutex lock_;
    std::condition_variable changed_;
    Value newest_;
    guint64 value_count_ = 0, taken_count_ = 0;
    std::map<GstPad *, guint64> sent_; // by output of the source: number of the last value sent
    std::map<GstPad *, bool> ends_;    // by output of the source: whether its stream has ended
    std::atomic<bool> has_value_{false};
    std::atomic<bool> failed_{false};
    std::atomic<GThread *> waiting_{nullptr};
};

// A readable property. Throws with a suggestion if there is none of this name.
GParamSpec *require_result(GstElement *element, const std::string &name);
// A property that may change while the stream runs.
GParamSpec *require_target(GstElement *element, const std::string &name);

} // namespace tomo
