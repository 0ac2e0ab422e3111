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
        // What has come, see JoinerPairing
        Array last;
        std::unique_ptr<RunningMean> mean; // where it is taken
        Array only;                        // the first array, until another one makes a mean necessary
        std::uint64_t averaged = 0;        // in `last`
        std::uint64_t count() const { return only ? 1 : mean->count(); }
    };
    using PortRef = std::shared_ptr<Port>; // a port may be released while a thread works with it

    explicit JoinerInputs(Joiner &joiner) : joiner_(joiner) {}

    // Makes the ports of inputs with names.
    void declare(const std::vector<Joiner::Input> &inputs);
    // Null where there is no such input, or it is taken; a warning tells.
    GstAggregatorPad *create_pad(GstPadTemplate *templ, const char *name);
    // `remove` takes the pad away from the element.
    void release_pad(GstPad *pad, const std::function<void()> &remove);

    bool is_numbered() const { return is_numbered_; }
    // Throws Error unless all inputs that have to be are linked; `wanted` counts numbered ones, 0 for any
    // number.
    void check_all_linked(unsigned wanted);
    // Null for a pad that was released.
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
