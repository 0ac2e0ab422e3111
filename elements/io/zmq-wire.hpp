// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// How UFO's tasks zmq-pub and zmq-sub talk (ufo-filters, src/ufo-zmq-common.h): a subscriber asks by REQ, the
// publisher answers by REP. A request is five bytes, a reply two; behind a reply to a request for data come
// two more parts, a header in JSON and the samples.
#pragma once

#include <gst/tomo/bases/element.hpp>
#include <gst/tomo/support/json.hpp>

#include <zmq.hpp>

#include <functional>
#include <optional>
#include <vector>

namespace tomo::wire {

enum class Ask : std::uint8_t { registration = 0, data = 1 };
enum class Answer : std::uint8_t { acknowledged = 0, stop = 1 };
enum class Fault : std::uint8_t {
    none = 0,
    registration_expected = 1,
    already_registered = 2,
    not_registered = 3,
    already_sent = 4,
};

struct Request {
    std::int32_t id; // of the subscriber, in the byte order of the host
    Ask ask;
};
struct Reply {
    Fault fault;
    Answer answer;
};

zmq::message_t packed(const Request &request);
zmq::message_t packed(const Reply &reply);
// Empty for a message of another length, or of a kind that there is not.
std::optional<Request> request_of(const zmq::message_t &message);
std::optional<Reply> reply_of(const zmq::message_t &message);

// The header of float32 arrays of this shape.
std::string header(std::uint64_t frame, const ArrayInfo &info);
// The shape and type that a header tells of; throws Error on one that makes no sense. `from` is for messages.
ArrayInfo info_of(const zmq::message_t &header, const std::string &from);

// The member `shape` of a header: up to three extents, the columns last. What `fail` makes of a reason is
// thrown.
ArrayInfo shape_of(const Json &header, GstTomoFormat format,
                   const std::function<Error(const std::string &why)> &fail);
Json shape_json(const ArrayInfo &info);

// The parts of the message that has come. Of one of more parts than any wire here has, the further ones are
// left out.
inline constexpr std::size_t most_parts = 4;
std::vector<zmq::message_t> receive(zmq::socket_t &socket);

// Peers whose host or cable is gone say no goodbye: connections to them end after two minutes, and are made
// anew.
void notice_lost_peers(zmq::socket_t &socket);

// Tells, by warnings of the element, when all connections of a socket are gone and when one is there again.
// The socket has to live longer.
class Connection {
  public:
    Connection(Element &element, std::string peer, zmq::context_t &context, zmq::socket_t &socket);
    ~Connection();
    Connection(const Connection &) = delete;
    Connection &operator=(const Connection &) = delete;

    enum class News { none, message, cut, back };
    // Waits for a moment; messages come first.
    News wait();

  private:
    News next_event();

    Element &element_;
    const std::string peer_; // for messages
    zmq::socket_t &socket_;
    zmq::socket_t monitor_;
    int count_ = 0; // of connections
    bool was_cut_ = false;
};

// Waits until the socket can be read; throws Flushing if the element is cancelled meanwhile. False after
// `seconds`; 0: never.
bool wait_for_message(zmq::socket_t &socket, const Element &element, double seconds);

} // namespace tomo::wire
