// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Live sources whose frames come in messages of ZeroMQ.
#pragma once

#include "live-source.hpp"
#include "zmq-wire.hpp"

namespace tomo {

class ZmqSource : public LiveSource {
  public:
    ZmqSource(const char *endpoint, bool bind, double timeout);

    Property<std::string> endpoint;
    Property<bool> bind;
    Property<unsigned> buffers{
        this,
        "buffers",
        64,
        {1, 1u << 20},
        When::ready,
        "Messages that wait in this host at most; the sender keeps, or drops, what comes beyond"};

    void start() override;
    void stop() override;

  protected:
    using Parts = std::vector<zmq::message_t>;

    // Before it binds or connects; throws what zmq throws.
    virtual zmq::socket_type socket_type() const = 0;
    virtual void prepare_socket(zmq::socket_t &) {}
    // Waits. Connections that break and come back are told.
    Parts next_message();
    void send(zmq::message_t message) { socket_->send(std::move(message), zmq::send_flags::none); }
    // An error about what came: "'tcp://...' sent ...".
    Error bad(const std::string &what, const std::string &wanted) const;
    std::string peer() const { return endpoint; }

  private:
    zmq::context_t context_;
    std::optional<zmq::socket_t> socket_;
    std::optional<wire::Connection> connection_;
    std::uint64_t messages_ = 0;
};

} // namespace tomo
