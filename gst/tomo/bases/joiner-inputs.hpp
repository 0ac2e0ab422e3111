// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Private to Joiner: its inputs, whose pads come and go from the application's threads.
#pragma once

#include <gst/tomo/bases/joiner.hpp>
#include <gst/tomo/compute/running-mean.hpp>

namespace tomo {

class JoinerInputs {
  public:
    struct Port {
        std::string name;
        bool optional = false;
        GstAggregatorPad *pad = nullptr; // owned by the element
        bool is_taken = false;           // until the element has lost the pad
        ArrayInfo info;
        bool has_info = false;
        bool is_new = false; // another pad took the place of one that was released
        // The arrays so far, see JoinerPairing
        Array last;
        bool is_end_known = false, was_cut = false; // whether somebody ended it before its own end
        std::unique_ptr<RunningMean> mean; // for inputs whose mean is taken
        Array only;                        // the first array, while it is the only one
        std::uint64_t averaged = 0;        // arrays averaged in `last`
        std::uint64_t count() const { return only ? 1 : mean->count(); }
    };
    using PortRef = std::shared_ptr<Port>; // a port may be released while a thread works with it

    explicit JoinerInputs(Joiner &joiner) : joiner_(joiner) {}

    // Makes the ports of named inputs.
    void declare(const std::vector<Joiner::Input> &inputs);
    // Null, with a warning, if there is no such input or it is taken.
    GstAggregatorPad *create_pad(GstPadTemplate *templ, const char *name);
    // `remove` takes the pad away from the element.
    void release_pad(GstPad *pad, const std::function<void()> &remove);

    bool is_numbered() const { return is_numbered_; }
    // Throws Error unless all required inputs are linked; `wanted` is the number of numbered inputs, 0 for
    // any.
    void check_all_linked(unsigned wanted);
    // Null for a released pad.
    PortRef port(GstAggregatorPad *pad);
    bool is_main(const PortRef &port);
    void set_info(Port &port, const ArrayInfo &info);
    void forget_infos();
    // The pads with a peer, in the order of the inputs.
    std::vector<ObjectRef<GstPad>> linked_pads();

    // For JoinerPairing: the ports in the order of the inputs, under this lock.
    std::mutex &lock() { return lock_; }
    const std::vector<PortRef> &ports() const { return ports_; }

  private:
    PortRef find(const std::string &name) const;
    PortRef add(const std::string &name);
    std::string free_name() const;

    Joiner &joiner_;
    std::mutex lock_;
    std::vector<PortRef> ports_;
    bool is_numbered_ = true;
};

} // namespace tomo
