// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "zmq-wire.hpp"

#include <gst/tomo/bases/sink.hpp>
#include <gst/tomo/device/samples.hpp>

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>

using namespace tomo;

namespace {

class ZmqPub final : public Sink {
  public:
    static constexpr Info info{
        .task = "zmq-pub",
        .klass = "Sink/Network",
        .blurb = "Gives its images to tomozmqsub or UFO's zmq-sub over the network",
        .details =
            "Each subscriber registers and gets every image from then on, as float32. The next image waits until all have got "
            "this one, and the first one until `expected-subscribers` have registered; without any subscriber, images are "
            "dropped. One that does not ask for `timeout` seconds is not waited for any more, with a warning. At the end each "
            "is told so. Messages of another form get an error as answer. Nothing is encrypted, and "
            "everybody is served who can reach the port: set `address` to that of a network that is trusted.",
        .example =
            "tomodummydata width=8 height=4 number=3 ! tomozmqpub address=tcp://127.0.0.1 port=5572 "
            "expected-subscribers=1  tomozmqsub address=tcp://127.0.0.1 port=5572 ! tomonull async=false",
    };

    Property<unsigned> expected_subscribers{this, "expected-subscribers", 0, When::ready,
                                            "Subscribers that the first image waits for"};
    Property<std::string> address{this, "address", "tcp://*", When::ready,
                                  "Where to listen, without the port; * is everywhere"};
    Property<unsigned> port{this, "port", 5555, {1, 65535}, When::ready, "Port to listen at"};
    Property<double> timeout{
        this,       "timeout",   60.0,
        {0.0, 1e6}, When::ready, "Seconds that a subscriber may take for an image; 0: as long as it wants"};

    void start() override {
        const auto name = text("%s:%u", address.value().c_str(), port.value());
        try {
            socket_.emplace(context_, zmq::socket_type::rep);
            socket_->set(zmq::sockopt::linger, 1000); // for the last answers
            socket_->set(zmq::sockopt::maxmsgsize, std::int64_t{1} << 16);
            socket_->bind(name);
        } catch (const zmq::error_t &error) {
            socket_.reset();
            throw Error(
                GST_RESOURCE_ERROR_OPEN_WRITE,
                text("can't listen at '%s': %s; set another port or address", name.c_str(), error.what()));
        }
    }

    void stop() override {
        served_.clear();
        socket_.reset();
        frame_ = 0;
        is_complete_ = false;
    }

    void begin(const ArrayInfo &) override {}

    void consume(GstBuffer *buffer, const ArrayInfo &in) override {
        const auto info = in.with_format(GST_TOMO_FORMAT_FLOAT32);
        const Image image{wire::header(frame_, info), floats(buffer, in)};
        while (!is_complete_ && served_.size() < expected_subscribers) {
            wire::wait_for_message(*socket_, *this, 0);
            serve(nullptr);
        }
        is_complete_ = true;
        frame_++;
        // Those who came meanwhile get this image already.
        for (zmq::pollitem_t item{socket_->handle(), 0, ZMQ_POLLIN, 0};
             zmq::poll(&item, 1, std::chrono::milliseconds(0)) > 0;)
            serve(&image);
        wait_for_all(&image);
    }

    void finish() override {
        frame_++;
        wait_for_all(nullptr, true);
        served_.clear();
    }
    // Images are counted from there; subscribers stay.
    void clear() override {
        frame_ = 0;
        for (auto &[id, count] : served_)
            count = 0;
    }

  private:
    struct Image {
        std::string header;
        std::vector<float> samples;
    };

    static std::vector<float> floats(GstBuffer *buffer, const ArrayInfo &info) {
        std::vector<float> samples(info.samples());
        if (info.format == GST_TOMO_FORMAT_FLOAT32) {
            copy_packed(buffer, info, samples.data());
            return samples;
        }
        std::vector<char> packed(info.size());
        copy_packed(buffer, info, packed.data());
        with_real_samples(info.format, packed.data(), [&](const auto *values) {
            for (std::size_t i = 0; i < samples.size(); i++)
                samples[i] = static_cast<float>(values[i]);
        });
        return samples;
    }

    // Until each subscriber has got the image, or the word that there is none any more.
    void wait_for_all(const Image *image, bool is_end = false) {
        using Clock = std::chrono::steady_clock;
        const auto begin = Clock::now();
        const auto is_waiting = [&](const auto &subscriber) { return subscriber.second < frame_; };
        while (std::any_of(served_.begin(), served_.end(), is_waiting)) {
            const double left = timeout - std::chrono::duration<double>(Clock::now() - begin).count();
            if (timeout > 0 && left <= 0) {
                drop_those_who_wait();
                return;
            }
            if (wire::wait_for_message(*socket_, *this, timeout > 0 ? left : 0.0))
                serve(image, is_end);
        }
    }

    void drop_those_who_wait() {
        for (auto s = served_.begin(); s != served_.end();)
            if (s->second < frame_) {
                warn(text("subscriber %d has not asked for an image for %g s: it is not waited for any more",
                          s->first, timeout.value()));
                s = served_.erase(s);
            } else {
                s++;
            }
    }

    // Answers one message.
    void serve(const Image *image, bool is_end = false) {
        zmq::message_t message;
        (void)socket_->recv(message, zmq::recv_flags::none);
        bool is_single = true;
        while (socket_->get(zmq::sockopt::rcvmore)) {
            (void)socket_->recv(message, zmq::recv_flags::none);
            is_single = false;
        }
        const auto request = is_single ? wire::request_of(message) : std::nullopt;
        if (!request)
            return answer(wire::Fault::registration_expected);
        const auto subscriber = served_.find(request->id);
        if (request->ask == wire::Ask::registration) {
            if (subscriber != served_.end() || served_.size() >= most_subscribers)
                return answer(wire::Fault::already_registered);
            served_[request->id] = image || is_end ? frame_ - 1 : frame_;
            return answer(wire::Fault::none);
        }
        if (subscriber == served_.end())
            return answer(wire::Fault::not_registered);
        // Who is ahead of others asks again. (UFO's subscriber gives up on `already_sent`.)
        if ((!image && !is_end) || subscriber->second == frame_)
            return answer(wire::Fault::registration_expected);
        subscriber->second = frame_;
        if (is_end)
            return answer(wire::Fault::none, wire::Answer::stop);
        socket_->send(wire::packed(wire::Reply{wire::Fault::none, wire::Answer::acknowledged}),
                      zmq::send_flags::sndmore);
        socket_->send(zmq::message_t(image->header), zmq::send_flags::sndmore);
        socket_->send(zmq::message_t(image->samples.data(), image->samples.size() * sizeof(float)),
                      zmq::send_flags::none);
    }

    void answer(wire::Fault fault, wire::Answer answer = wire::Answer::acknowledged) {
        socket_->send(wire::packed(wire::Reply{fault, answer}), zmq::send_flags::none);
    }

    static constexpr std::size_t most_subscribers = 1024;

    zmq::context_t context_;
    std::optional<zmq::socket_t> socket_;
    std::map<std::int32_t, std::uint64_t> served_; // by subscriber: how many images it has got
    std::uint64_t frame_ = 0;                      // images so far, with the one that is being sent
    bool is_complete_ = false;                     // those who were expected have come
};

} // namespace

TOMO_ELEMENT(ZmqPub)
