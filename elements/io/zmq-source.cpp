// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "zmq-source.hpp"

namespace tomo {

ZmqSource::ZmqSource(const char *address, bool binds, double seconds)
    : LiveSource(seconds),
      endpoint(
          this, "endpoint", address, When::ready,
          "Address and port of the sender, or, with bind, of this element, as tcp://host:port; * is every address of this host"),
      bind(this, "bind", binds, When::ready,
           "Wait at the endpoint for senders, who connect; else connect to the sender") {}

void ZmqSource::start() {
    LiveSource::start();
    messages_ = 0;
    try {
        socket_.emplace(context_, socket_type());
        socket_->set(zmq::sockopt::linger, 0);
        socket_->set(zmq::sockopt::rcvhwm, static_cast<int>(buffers));
        wire::notice_lost_peers(*socket_);
        prepare_socket(*socket_);
        connection_.emplace(*this, peer(), context_, *socket_);
        if (bind)
            socket_->bind(endpoint);
        else
            socket_->connect(endpoint);
    } catch (const zmq::error_t &error) {
        stop();
        throw Error(GST_RESOURCE_ERROR_OPEN_READ,
                    text("can't %s '%s': %s; wanted an endpoint such as tcp://%s:5555",
                         bind ? "listen at" : "connect to", peer().c_str(), error.what(),
                         bind ? "*" : "host"));
    }
}

void ZmqSource::stop() {
    connection_.reset();
    socket_.reset();
}

ZmqSource::Parts ZmqSource::next_message() {
    using Clock = std::chrono::steady_clock;
    const auto begin = Clock::now();
    while (connection_->wait() != wire::Connection::News::message) {
        if (is_cancelled())
            throw Flushing();
        if (const std::chrono::duration<double> waited = Clock::now() - begin;
            timeout > 0 && waited.count() >= timeout)
            throw Error(GST_RESOURCE_ERROR_READ,
                        text("'%s' has sent nothing for %g s, after %" G_GUINT64_FORMAT
                             " messages: is the sender there? A longer timeout waits for it",
                             peer().c_str(), timeout.value(), messages_));
    }
    messages_++;
    return wire::receive(*socket_);
}

Error ZmqSource::bad(const std::string &what, const std::string &wanted) const {
    return Error(GST_STREAM_ERROR_DECODE,
                 text("'%s' sent %s; wanted %s", peer().c_str(), what.c_str(), wanted.c_str()));
}

} // namespace tomo
