// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Private to Joiner: which arrays of its inputs make one output.
#pragma once

#include <gst/tomo/bases/joiner-inputs.hpp>

namespace tomo {

// An output takes the next array of each input. An input that has ended repeats its last one; where the mean
// of an input is taken, it waits for the end of that input. The main input ends the stream, else the end of
// all.
class JoinerPairing {
  public:
    enum class State { complete, incomplete, ended };
    struct Set {
        std::vector<Array> arrays;    // in the order of the inputs; an empty one where nothing is linked
        std::vector<ArrayInfo> infos; // with an unknown format there
        BufferRef facts;              // gives times and metas; none where a flush came between
    };

    JoinerPairing(Joiner &joiner, JoinerInputs &inputs) : joiner_(joiner), inputs_(inputs) {}

    // The stream begins: decides of which inputs the mean is taken.
    void begin();
    // Looks at what has come, and takes it out of the inputs where it makes a set. `timeout`: the stream is
    // live and late, so inputs that can repeat themselves need not be waited for.
    State next(bool timeout, Set &set);
    // When a live stream is late, as a running time; none while an input is needed in any case.
    GstClockTime next_time();
    // At the end: which inputs have arrays that no output was made of.
    std::vector<std::string> left_over();
    std::string main_name();
    // How many arrays the last one of an input is the mean of.
    std::uint64_t averaged(std::size_t input);
    // A flush or a stop.
    void clear();

  private:
    using Lock = std::unique_lock<std::mutex>;
    bool is_main(const JoinerInputs::PortRef &port) const;
    // Unlocks while it may wait for memory.
    void add_to_means(Lock &lock);
    State state(bool timeout) const;
    // In the beginning with the lock held, then without it, because that may wait for memory.
    Set take(Lock &lock);

    Joiner &joiner_;
    JoinerInputs &inputs_;
};

} // namespace tomo
