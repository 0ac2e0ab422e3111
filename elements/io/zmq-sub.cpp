// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "zmq-wire.hpp"

#include <gst/tomo/bases/source.hpp>

#include <chrono>
#include <optional>
#include <thread>

using namespace tomo;

namespace {

class ZmqSub final : public Source {
  public:
    static constexpr Info info{
        .task = "zmq-sub",
        .klass = "Source/Network",
        .blurb = "Receives the images of tomozmqpub or of UFO's zmq-pub from the network, until that ends",
        .in = formats::real,
        .out = formats::real,
        .details =
            "It registers with the publisher and asks for one image after the other, so that the publisher waits for it. A "
            "header in JSON (`htype` \"array-1.0\", `type`, `shape`) tells the type and up to three extents of each; UFO sends "
            "`float`, of others float16 to float64 and integers of 8, 16 and 32 bits are taken. Messages of another form are an error. "
            "A connection that was cut is told and made anew; an image that was under way may be lost. "
            "Nothing is encrypted, and nobody is asked who he is: connect within networks that are trusted.",
        .example =
            "tomozmqsub address=tcp://127.0.0.1 port=5573 ! tomonull async=false  tomodummydata width=8 height=4 number=3 ! "
            "tomozmqpub address=tcp://127.0.0.1 port=5573 expected-subscribers=1",
    };

    Property<std::string> address{this, "address", "tcp://127.0.0.1", When::ready,
                                  "The publisher, without the port"};
    Property<unsigned> port{this, "port", 5555, {1, 65535}, When::ready, "Its port"};
    Property<double> timeout{
        this,        "timeout",
        60.0,        {0.0, 1e6},
        When::ready, "Seconds within which the publisher has to answer; 0: it may take as long as it wants"};

    bool may_be_empty() const override { return true; }

    void start() override {
        name_ = text("%s:%u", address.value().c_str(), port.value());
        try {
            socket_.emplace(context_, zmq::socket_type::req);
            socket_->set(zmq::sockopt::linger, 0);
            // A request may be lost with its connection, and is asked again.
            socket_->set(zmq::sockopt::req_relaxed, 1);
            socket_->set(zmq::sockopt::req_correlate, 1);
            wire::notice_lost_peers(*socket_);
            connection_.emplace(*this, name_, context_, *socket_);
            socket_->connect(name_);
        } catch (const zmq::error_t &error) {
            connection_.reset();
            socket_.reset();
            throw Error(GST_RESOURCE_ERROR_OPEN_READ,
                        text("can't connect to '%s': %s; wanted an address such as tcp://host", name_.c_str(),
                             error.what()));
        }
        id_ = static_cast<std::int32_t>(g_random_int() | 1);
        is_registered_ = has_asked_ = has_ended_ = asks_again_ = false;
    }

    void stop() override {
        connection_.reset();
        socket_.reset();
        image_ = {};
        next_ = 0;
    }

    std::optional<ArrayInfo> frame_info(std::uint64_t n) override {
        if (n != next_)
            throw Error(GST_RESOURCE_ERROR_SEEK,
                        text("image %" G_GUINT64_FORMAT " of %s is wanted, but %" G_GUINT64_FORMAT
                             " is the next one: nobody can seek there",
                             n, name_.c_str(), next_));
        if (image_.info.format == GST_TOMO_FORMAT_UNKNOWN && !has_ended_)
            receive();
        return has_ended_ ? std::optional<ArrayInfo>() : image_.info;
    }

    Array frame(std::uint64_t, const ArrayInfo &info) override {
        Array out = allocate(info);
        std::memcpy(Host<char>(out).data(), image_.samples.data(), info.size());
        image_ = {};
        next_++;
        return out;
    }

  private:
    struct Image {
        ArrayInfo info;
        zmq::message_t samples;
    };

    // A request that a flush interrupted is answered later.
    std::vector<zmq::message_t> answer_to(wire::Ask ask) {
        using Clock = std::chrono::steady_clock;
        using News = wire::Connection::News;
        if (!std::exchange(has_asked_, true))
            socket_->send(wire::packed({id_, ask}), zmq::send_flags::none);
        const auto begin = Clock::now();
        for (News news = connection_->wait(); news != News::message; news = connection_->wait()) {
            if (is_cancelled())
                throw Flushing();
            if (news == News::back) {
                asks_again_ = true;
                socket_->send(wire::packed({id_, ask}), zmq::send_flags::none);
            }
            if (const std::chrono::duration<double> waited = Clock::now() - begin;
                timeout > 0 && waited.count() >= timeout)
                throw Error(
                    GST_RESOURCE_ERROR_READ,
                    text(
                        "'%s' has not answered for %g s: is the publisher there? A longer timeout waits for it",
                        name_.c_str(), timeout.value()));
        }
        has_asked_ = false;
        return wire::receive(*socket_);
    }

    wire::Reply reply_in(const std::vector<zmq::message_t> &parts) const {
        const auto reply = wire::reply_of(parts.front());
        if (!reply)
            throw Error(GST_STREAM_ERROR_DECODE,
                        text("'%s' sent a reply of %zu bytes that is none of zmq-pub's", name_.c_str(),
                             parts.front().size()));
        return *reply;
    }

    void enlist() {
        const auto fault = reply_in(answer_to(wire::Ask::registration)).fault;
        if (fault == wire::Fault::already_registered && asks_again_) { // by the request before the cut
            is_registered_ = true;
            return;
        }
        if (fault == wire::Fault::already_registered) {
            id_ = static_cast<std::int32_t>(g_random_int() | 1); // somebody else has it
            return;
        }
        if (fault != wire::Fault::none)
            throw Error(GST_STREAM_ERROR_DECODE,
                        text("'%s' refuses the registration, with error %u", name_.c_str(), unsigned(fault)));
        is_registered_ = true;
    }

    void receive() {
        while (!is_registered_)
            enlist();
        for (;;) {
            auto parts = answer_to(wire::Ask::data);
            const auto reply = reply_in(parts);
            // It waits for other subscribers, or the image went out just before the connection was cut.
            if (reply.fault == wire::Fault::registration_expected ||
                (asks_again_ && reply.fault == wire::Fault::already_sent)) {
                std::this_thread::sleep_for(std::chrono::milliseconds(1));
                continue;
            }
            if (reply.fault != wire::Fault::none)
                throw Error(GST_STREAM_ERROR_DECODE,
                            text("'%s' does not send image %" G_GUINT64_FORMAT ": error %u", name_.c_str(),
                                 next_, unsigned(reply.fault)));
            asks_again_ = false;
            if (reply.answer == wire::Answer::stop)
                has_ended_ = true;
            else
                take(parts);
            return;
        }
    }

    void take(std::vector<zmq::message_t> &parts) {
        if (parts.size() != 3)
            throw Error(GST_STREAM_ERROR_DECODE,
                        text("'%s' sent %s%zu parts for image %" G_GUINT64_FORMAT
                             "; wanted a reply, a header and samples",
                             name_.c_str(), parts.size() == wire::most_parts ? "at least " : "", parts.size(),
                             next_));
        const auto info = wire::info_of(parts[1], "'" + name_ + "'");
        if (parts[2].size() != info.size())
            throw Error(GST_STREAM_ERROR_DECODE,
                        text("'%s' sent %zu bytes for image %" G_GUINT64_FORMAT
                             ", whose header tells of %s: %" G_GUINT64_FORMAT " bytes",
                             name_.c_str(), parts[2].size(), next_, info.describe().c_str(), info.size()));
        image_ = {info, std::move(parts[2])};
    }

    zmq::context_t context_;
    std::optional<zmq::socket_t> socket_;
    std::optional<wire::Connection> connection_;
    std::string name_;
    std::int32_t id_ = 0;
    bool is_registered_ = false, has_asked_ = false, has_ended_ = false;
    bool asks_again_ = false; // after a cut, for what the publisher may have sent already
    Image image_;             // that has come and is not given yet
    std::uint64_t next_ = 0;
};

} // namespace

TOMO_ELEMENT(ZmqSub)
