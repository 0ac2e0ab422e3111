// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Private to Joiner: chooses the arrays of its inputs that make one output.
#pragma once

#include <gst/tomo/bases/joiner-inputs.hpp>

namespace tomo {

// An output takes the next array of each input. An input that has come to its end repeats its last one; if
// somebody ended it before, what it would have given is unknown, and the stream ends. If the mean of
// an input is taken, the output waits for the end of that input. The stream ends with the main input; without
// a main input, with the last one.
class JoinerPairing {
  public:
    // starved: an input ended without any array, which is a fault unless somebody ended its stream.
    enum class State { complete, incomplete, ended, starved };
    struct Set {
        std::vector<Array> arrays;    // in the order of the inputs; empty for an input that is not linked
        std::vector<ArrayInfo> infos; // with format UNKNOWN for an input that is not linked
        BufferRef facts;              // source of times and metas; none if a flush came in between
        ObjectRef<GstPad> starved;    // the input
    };

    JoinerPairing(Joiner &joiner, JoinerInputs &inputs) : joiner_(joiner), inputs_(inputs) {}

    // The stream begins: decides for which inputs the mean is taken.
    void begin();
    // Takes a set out of the inputs if their arrays complete one. `timeout`: the stream is live and late, so
    // next() does not wait for inputs that can repeat their last array.
    State next(bool timeout, Set &set);
    // Running time from which a live stream is late; none while a required input is missing.
    GstClockTime next_time();
    // At the end: the inputs with arrays that no output used.
    std::vector<std::string> left_over();
    std::string main_name();
    // How many arrays were averaged in the last array of an input.
    std::uint64_t averaged(std::size_t input);
    // A flush or a stop.
    void clear();

  private:
    using Lock = std::unique_lock<std::mutex>;
    bool is_main(const JoinerInputs::PortRef &port) const;
    // Unlocks while it may wait for memory.
    static void forget(JoinerInputs::Port &port);
    void add_to_means(Lock &lock);
    State state(bool timeout, ObjectRef<GstPad> &starved) const;
    // Whether an input would repeat its last array that was not its last one. Unlocks while it asks.
    bool repeats_after_cut(Lock &lock);
    // Releases the lock before it waits for memory.
    Set take(Lock &lock);

    Joiner &joiner_;
    JoinerInputs &inputs_;
};

} // namespace tomo
