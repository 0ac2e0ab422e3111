// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "zmq-source.hpp"
#include "zmq-wire.hpp"

#include <gst/files/byte-order.hpp>

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
    peers_ = 0;
    was_cut_ = false;
    messages_ = 0;
    try {
        socket_.emplace(context_, socket_type());
        socket_->set(zmq::sockopt::linger, 0);
        socket_->set(zmq::sockopt::rcvhwm, static_cast<int>(buffers));
        wire::notice_lost_peers(*socket_);
        prepare_socket(*socket_);
        const auto name = text("inproc://monitor-%p", static_cast<void *>(this));
        if (zmq_socket_monitor(socket_->handle(), name.c_str(),
                               ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_DISCONNECTED) != 0)
            throw zmq::error_t();
        monitor_.emplace(context_, zmq::socket_type::pair);
        monitor_->set(zmq::sockopt::linger, 0);
        monitor_->connect(name);
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
    if (socket_)
        zmq_socket_monitor(socket_->handle(), nullptr, 0);
    monitor_.reset();
    socket_.reset();
}

ZmqSource::Parts ZmqSource::next_message() {
    using Clock = std::chrono::steady_clock;
    constexpr std::chrono::milliseconds look{50}; // until a stop is noticed
    const auto begin = Clock::now();
    for (;;) {
        if (is_cancelled())
            throw Flushing();
        zmq::pollitem_t items[] = {{socket_->handle(), 0, ZMQ_POLLIN, 0},
                                   {monitor_->handle(), 0, ZMQ_POLLIN, 0}};
        zmq::poll(items, 2, look);
        if (items[0].revents & ZMQ_POLLIN)
            break;
        if (items[1].revents & ZMQ_POLLIN) {
            look_at_connection();
            continue;
        }
        if (const std::chrono::duration<double> waited = Clock::now() - begin;
            timeout > 0 && waited.count() >= timeout)
            throw Error(GST_RESOURCE_ERROR_READ,
                        text("'%s' has sent nothing for %g s, after %" G_GUINT64_FORMAT
                             " messages: is the sender there? A longer timeout waits for it",
                             peer().c_str(), timeout.value(), messages_));
    }
    Parts parts;
    do {
        zmq::message_t part;
        (void)socket_->recv(part, zmq::recv_flags::none);
        if (parts.size() < most_parts)
            parts.push_back(std::move(part));
    } while (socket_->get(zmq::sockopt::rcvmore));
    messages_++;
    return parts;
}

// Of an event there are two parts, the first one begins with its number.
void ZmqSource::look_at_connection() {
    zmq::message_t event, address;
    (void)monitor_->recv(event, zmq::recv_flags::none);
    (void)monitor_->recv(address, zmq::recv_flags::none);
    if (io::load<std::uint16_t>(event.data()) == ZMQ_EVENT_DISCONNECTED) {
        if (peers_ > 0 && --peers_ == 0) {
            was_cut_ = true;
            warn(text("the connection to '%s' was cut after %" G_GUINT64_FORMAT
                      " messages; waiting for it to come back",
                      peer().c_str(), messages_));
        }
    } else {
        peers_++;
        if (std::exchange(was_cut_, false))
            warn(text("the connection to '%s' is back", peer().c_str()));
    }
}

Error ZmqSource::bad(const std::string &what, const std::string &wanted) const {
    return Error(GST_STREAM_ERROR_DECODE,
                 text("'%s' sent %s; wanted %s", peer().c_str(), what.c_str(), wanted.c_str()));
}

} // namespace tomo
