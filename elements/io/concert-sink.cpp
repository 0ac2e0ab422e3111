// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "concert-wire.hpp"
#include "zmq-wire.hpp"

#include <gst/tomo/bases/sink.hpp>

#include <chrono>

using namespace tomo;

namespace {

class ConcertSink final : public Sink {
  public:
    static constexpr Info info{
        .task = "concert-sink",
        .klass = "Sink/Network",
        .blurb = "Sends its images over ZeroMQ as JSON and samples, as Concert does",
        .details =
            "A message has two parts: a header in JSON with `dtype` and `shape`, with `frame_number`, `angle` (radians) and `timestamp` (ISO 8601) where "
            "they are known, and the samples as they are. `{\"end\": true}` follows the last image. With `reliable` each image goes to one receiver, "
            "and the stream waits for receivers; else all receivers get what they can take, and without any it is dropped. Concert's receivers, tomo-tango "
            "and `tomoconcertsrc` take it. Nothing is encrypted, and everybody is served who can reach the port: set `endpoint` to an address "
            "within a network that is trusted.",
        .example = "tomodummydata width=8 height=4 number=3 ! tomoconcertsink endpoint=tcp://127.0.0.1:5575  "
                   "tomoconcertsrc endpoint=tcp://127.0.0.1:5575 ! tomonull async=false",
    };

    Property<std::string> endpoint{
        this, "endpoint", "tcp://*:5555", When::ready,
        "Where to listen, as tcp://address:port, * is everywhere; without bind, the receiver to connect to"};
    Property<bool> bind{this, "bind", true, When::ready,
                        "Receivers connect; else this element connects to the receiver"};
    Property<bool> reliable{this, "reliable", true, When::ready,
                            "Keep images until a receiver takes them; else publish them"};
    Property<unsigned> buffers{this,        "buffers",
                               16,          {1, 1u << 20},
                               When::ready, "Images that wait for a receiver, or for each of them, at most"};
    Property<double> timeout{
        this,       "timeout",   60.0,
        {0.0, 1e6}, When::ready, "Seconds that receivers may take for an image; 0: as long as they want"};

    void start() override {
        try {
            socket_.emplace(context_, reliable ? zmq::socket_type::push : zmq::socket_type::pub);
            socket_->set(zmq::sockopt::linger, 0);
            socket_->set(zmq::sockopt::sndhwm, static_cast<int>(buffers));
            wire::notice_lost_peers(*socket_);
            if (bind)
                socket_->bind(endpoint);
            else
                socket_->connect(endpoint);
        } catch (const zmq::error_t &error) {
            socket_.reset();
            throw Error(GST_RESOURCE_ERROR_OPEN_WRITE,
                        text("can't %s '%s': %s; wanted an endpoint such as tcp://%s:5555",
                             bind ? "listen at" : "connect to", endpoint.value().c_str(), error.what(),
                             bind ? "*" : "host"));
        }
        sent_ = 0;
    }

    void stop() override { socket_.reset(); }

    void begin(const ArrayInfo &) override {}

    void consume(GstBuffer *buffer, const ArrayInfo &in) override {
        concert::Header header;
        header.info = in;
        header.number = sent_;
        if (const auto *meta = gst_buffer_get_tomo_frame_meta(buffer)) {
            header.number = meta->index;
            if (std::isfinite(meta->angle))
                header.angle = meta->angle;
            if (GST_CLOCK_TIME_IS_VALID(meta->time))
                header.time = meta->time;
        }
        zmq::message_t samples(in.size());
        copy_packed(buffer, in, samples.data());
        wait_for_room();
        socket_->send(zmq::message_t(concert::written(header)), zmq::send_flags::sndmore);
        socket_->send(std::move(samples), zmq::send_flags::none);
        sent_++;
    }

    // What waits for receivers goes out after the stop as well, for `timeout` at most.
    void finish() override {
        wait_for_room();
        socket_->send(zmq::message_t(std::string(concert::end_of_stream)), zmq::send_flags::none);
        socket_->set(zmq::sockopt::linger, timeout > 0 ? static_cast<int>(std::min(timeout * 1e3, 1e9)) : -1);
    }

    void clear() override { sent_ = 0; }

  private:
    void wait_for_room() const {
        using Clock = std::chrono::steady_clock;
        const auto begin = Clock::now();
        zmq::pollitem_t item{const_cast<zmq::socket_t &>(*socket_).handle(), 0, ZMQ_POLLOUT, 0};
        while (zmq::poll(&item, 1, std::chrono::milliseconds(50)) == 0) {
            if (is_cancelled())
                throw Flushing();
            if (const std::chrono::duration<double> waited = Clock::now() - begin;
                timeout > 0 && waited.count() >= timeout)
                throw Error(
                    GST_RESOURCE_ERROR_WRITE,
                    text(
                        "nobody at '%s' has taken image %" G_GUINT64_FORMAT
                        " for %g s: is the receiver there? A longer timeout waits for it, reliable=false does not wait",
                        endpoint.value().c_str(), sent_, timeout.value()));
        }
    }

    zmq::context_t context_;
    std::optional<zmq::socket_t> socket_;
    std::uint64_t sent_ = 0;
};

} // namespace

TOMO_ELEMENT(ConcertSink)
