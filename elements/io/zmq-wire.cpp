// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "zmq-wire.hpp"

#include <gst/files/byte-order.hpp>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <iterator>

namespace tomo::wire {

namespace {

constexpr std::size_t request_size = sizeof(std::int32_t) + 1, reply_size = 2;
constexpr std::size_t longest_header = 1 << 16;

struct Type {
    const char *name;
    GstTomoFormat format;
};
constexpr Type types[] = {{"float", GST_TOMO_FORMAT_FLOAT32},   {"double", GST_TOMO_FORMAT_FLOAT64},
                          {"uint8", GST_TOMO_FORMAT_UINT8},     {"uint16", GST_TOMO_FORMAT_UINT16},
                          {"uint32", GST_TOMO_FORMAT_UINT32},   {"int16", GST_TOMO_FORMAT_INT16},
                          {"int32", GST_TOMO_FORMAT_INT32},     {"float32", GST_TOMO_FORMAT_FLOAT32},
                          {"float64", GST_TOMO_FORMAT_FLOAT64}, {"float16", GST_TOMO_FORMAT_FLOAT16}};

std::string bytes_of(const zmq::message_t &message) {
    return std::string(static_cast<const char *>(message.data()), message.size());
}

} // namespace

zmq::message_t packed(const Request &request) {
    zmq::message_t message(request_size);
    auto *bytes = static_cast<char *>(message.data());
    std::memcpy(bytes, &request.id, sizeof request.id);
    bytes[sizeof request.id] = static_cast<char>(request.ask);
    return message;
}

zmq::message_t packed(const Reply &reply) {
    const char bytes[reply_size] = {static_cast<char>(reply.fault), static_cast<char>(reply.answer)};
    return zmq::message_t(bytes, sizeof bytes);
}

std::optional<Request> request_of(const zmq::message_t &message) {
    const auto bytes = bytes_of(message);
    if (bytes.size() != request_size)
        return {};
    Request request{};
    std::memcpy(&request.id, bytes.data(), sizeof request.id);
    request.ask = static_cast<Ask>(bytes[sizeof request.id]);
    return request.ask == Ask::registration || request.ask == Ask::data ? std::optional(request)
                                                                        : std::nullopt;
}

std::optional<Reply> reply_of(const zmq::message_t &message) {
    const auto bytes = bytes_of(message);
    if (bytes.size() != reply_size)
        return {};
    const Reply reply{static_cast<Fault>(bytes[0]), static_cast<Answer>(bytes[1])};
    return reply.fault <= Fault::already_sent && reply.answer <= Answer::stop ? std::optional(reply)
                                                                              : std::nullopt;
}

std::string header(std::uint64_t frame, const ArrayInfo &info) {
    auto json = Json::object();
    json.set("htype", Json::text("array-1.0"));
    json.set("frame", Json::integer(guint64{frame}));
    json.set("type", Json::text("float"));
    json.set("shape", shape_json(info));
    return json.written(false);
}

ArrayInfo info_of(const zmq::message_t &message, const std::string &from) {
    const auto fail = [&](const std::string &why) {
        return Error(GST_STREAM_ERROR_DECODE,
                     text("%s sent a header that %s: '%.200s'; wanted array-1.0 with type and shape",
                          from.c_str(), why.c_str(), bytes_of(message).c_str()));
    };
    if (message.size() > longest_header)
        throw fail(text("has %zu bytes", message.size()));
    const auto json = [&] {
        try {
            return Json::parse(bytes_of(message), from);
        } catch (const Error &error) {
            throw fail(text("is no JSON (%s)", error.what()));
        }
    }();
    if (!json.is(Json::Kind::object) || json.text_of("htype") != "array-1.0")
        throw fail("is of another kind");
    const auto name = json.text_of("type");
    const auto *type =
        std::find_if(std::begin(types), std::end(types), [&](const Type &t) { return name == t.name; });
    if (type == std::end(types))
        throw fail("has another type");
    return shape_of(json, type->format, fail);
}

Json shape_json(const ArrayInfo &info) {
    auto shape = Json::list();
    if (info.depth > 1)
        shape.add(Json::integer(guint64{info.depth}));
    shape.add(Json::integer(guint64{info.height}));
    shape.add(Json::integer(guint64{info.width}));
    return shape;
}

ArrayInfo shape_of(const Json &header, GstTomoFormat format,
                   const std::function<Error(const std::string &why)> &fail) {
    const auto *shape = header.find("shape");
    if (!shape || !shape->is(Json::Kind::list) || shape->items().empty() || shape->items().size() > 3)
        throw fail("has no shape of one to three extents");
    std::uint64_t extents[3] = {1, 1, 1}; // depth, height, width
    const auto &items = shape->items();
    for (std::size_t i = 0; i < items.size(); i++) {
        const auto &item = items[i];
        const auto extent = item.is_integer() && item.text()[0] != '-'
                                ? g_ascii_strtoull(item.text().c_str(), nullptr, 10)
                                : 0;
        if (extent < 1 || extent > G_MAXINT)
            throw fail("has an extent that can't be");
        extents[3 - items.size() + i] = extent;
    }
    const ArrayInfo info(format, extents[2], extents[1], extents[0]);
    if (!info.is_countable())
        throw fail("has a shape that is too large");
    return info;
}

std::vector<zmq::message_t> receive(zmq::socket_t &socket) {
    std::vector<zmq::message_t> parts;
    do {
        zmq::message_t part;
        (void)socket.recv(part, zmq::recv_flags::none);
        if (parts.size() < most_parts)
            parts.push_back(std::move(part));
    } while (socket.get(zmq::sockopt::rcvmore));
    return parts;
}

// By TCP, not by ZeroMQ's heartbeats: a receiver whose buffers are full does not answer these and would be
// given up, and a sender that has left resets the connection when it gets one, with all that is still to be
// read. (There, libzmq 4.3.4 even ends the process.)
void notice_lost_peers(zmq::socket_t &socket) {
    socket.set(zmq::sockopt::tcp_keepalive, 1);
    socket.set(zmq::sockopt::tcp_keepalive_idle, 60);
    socket.set(zmq::sockopt::tcp_keepalive_intvl, 10);
    socket.set(zmq::sockopt::tcp_keepalive_cnt, 6);
}

// Whether one of them can be read, within a moment in which a stop is noticed.
static bool poll(zmq::pollitem_t *items, std::size_t count) {
    constexpr std::chrono::milliseconds look{50};
    try {
        return zmq::poll(items, count, look) > 0;
    } catch (const zmq::error_t &error) {
        if (error.num() == EINTR) // a signal for the process
            return false;
        throw;
    }
}

Connection::Connection(Element &element, std::string peer, zmq::context_t &context, zmq::socket_t &socket)
    : element_(element), peer_(std::move(peer)), socket_(socket), monitor_(context, zmq::socket_type::pair) {
    // The name of one that has ended stays taken for a moment.
    static std::atomic<unsigned> count{0};
    const auto name = text("inproc://monitor-%p-%u", static_cast<void *>(this), count++);
    if (zmq_socket_monitor(socket_.handle(), name.c_str(),
                           ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_DISCONNECTED) != 0)
        throw zmq::error_t();
    monitor_.set(zmq::sockopt::linger, 0);
    monitor_.connect(name);
}

Connection::~Connection() { zmq_socket_monitor(socket_.handle(), nullptr, 0); }

Connection::News Connection::wait() {
    zmq::pollitem_t items[] = {{socket_.handle(), 0, ZMQ_POLLIN, 0}, {monitor_.handle(), 0, ZMQ_POLLIN, 0}};
    if (!poll(items, 2))
        return News::none;
    return items[0].revents & ZMQ_POLLIN ? News::message : next_event();
}

// It has two parts, the first one begins with its number.
Connection::News Connection::next_event() {
    zmq::message_t event, address;
    (void)monitor_.recv(event, zmq::recv_flags::none);
    (void)monitor_.recv(address, zmq::recv_flags::none);
    if (io::load<std::uint16_t>(event.data()) == ZMQ_EVENT_DISCONNECTED) {
        if (count_ == 0 || --count_ > 0)
            return News::none;
        was_cut_ = true;
        element_.warn(text("the connection to '%s' was cut; waiting for it to come back", peer_.c_str()));
        return News::cut;
    }
    count_++;
    if (!std::exchange(was_cut_, false))
        return News::none;
    element_.warn(text("the connection to '%s' is back", peer_.c_str()));
    return News::back;
}

bool wait_for_message(zmq::socket_t &socket, const Element &element, double seconds) {
    using Clock = std::chrono::steady_clock;
    const auto begin = Clock::now();
    for (;;) {
        if (element.is_cancelled())
            throw Flushing();
        zmq::pollitem_t item{socket.handle(), 0, ZMQ_POLLIN, 0};
        if (poll(&item, 1))
            return true;
        if (seconds > 0 && std::chrono::duration<double>(Clock::now() - begin).count() >= seconds)
            return false;
    }
}

} // namespace tomo::wire
