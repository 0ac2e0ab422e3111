// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "zmq-source.hpp"

#include <gst/files/byte-order.hpp>

#include <array>

using namespace tomo;

namespace {

// Of TomoPackets (tomop/descriptors.hpp): the number that a packet begins with.
enum class Packet : std::int32_t {
    kill_scene = 0x102,
    parallel_beam_geometry = 0x303,
    cone_beam_geometry = 0x305,
    projection_data = 0x307,
    projection = 0x309,
};

enum class Kind { all = -1, darks = 0, flats = 1, projections = 2 }; // numbers of the wire

// The fields of a packet one after the other, little endian and without gaps.
class Fields {
  public:
    Fields(const zmq::message_t &message)
        : at_(static_cast<const char *>(message.data())), left_(message.size()) {}

    template <class T>
    T next() {
        if (left_ < sizeof(T))
            throw std::out_of_range("it ends too early");
        const T value = io::load<T>(std::exchange(at_, at_ + sizeof(T)), !io::host_is_little_endian);
        left_ -= sizeof(T);
        return value;
    }
    void skip(std::size_t words) {
        while (words--)
            next<std::int32_t>();
    }
    // A list of float32: how many, and all of them.
    std::pair<const char *, std::size_t> list() {
        const auto count = next<std::int32_t>();
        if (count < 0 || static_cast<std::size_t>(count) > left_ / sizeof(float))
            throw std::out_of_range("it ends within a list");
        left_ -= count * sizeof(float);
        return {std::exchange(at_, at_ + count * sizeof(float)), count};
    }
    std::size_t left() const { return left_; }

  private:
    const char *at_;
    std::size_t left_;
};

class RecastSrc final : public ZmqSource {
  public:
    static constexpr Info info{
        .task = "recast-src",
        .klass = "Source/Network",
        .blurb = "Projections that programs for RECAST3D send as TomoPackets over ZeroMQ, float32",
        .in = formats::float32,
        .out = formats::float32,
        .details =
            R"(It takes the place of RECAST3D's reconstruction server: it waits at `endpoint`, and senders connect by `tomop.publisher`. Packets `projection` and
`projection_data` are images; their `projection_id` is the number of the frame, so that lost, late and repeated ones are known. A packet `parallel_beam_geometry` or
`cone_beam_geometry` before them tells angles, which repeat with each turn. `kill_scene` ends the stream. All other packets are left out.

Darks and flats come in packets `projection` as well. `kind` says which of the three go on; with `all` frames are counted as they come. With `reply` each packet is
answered, as senders of the type `ZMQ_REQ` want it.)",
    };

    RecastSrc() : ZmqSource("tcp://*:5557", true, 0.0) {}

    Choice<Kind> kind{this,
                      "kind",
                      Kind::projections,
                      {{Kind::projections, "projections", "Images of the sample"},
                       {Kind::darks, "darks", "Images without beam"},
                       {Kind::flats, "flats", "Images without sample"},
                       {Kind::all, "all", "All images, in their order"}},
                      When::ready,
                      "Images that go on"};
    Property<bool> reply{this, "reply", false, When::ready,
                         "Answer each packet (ZMQ_REQ); else senders push (ZMQ_PUSH)"};

    void start() override {
        ZmqSource::start();
        angles_.clear();
        has_ended_ = false;
        count_ = 0;
    }
    void stop() override {
        message_ = {};
        ZmqSource::stop();
    }

  protected:
    zmq::socket_type socket_type() const override {
        return reply ? zmq::socket_type::rep : zmq::socket_type::pull;
    }

    std::optional<LiveFrame> receive() override {
        while (!has_ended_) {
            auto parts = next_message();
            if (reply) {
                const std::int32_t success = 1;
                send(zmq::message_t(&success, sizeof success));
            }
            if (parts.size() != 1)
                throw bad(text("a message in %zu parts", parts.size()), "one packet");
            message_ = std::move(parts[0]);
            try {
                if (auto frame = read_packet())
                    return frame;
            } catch (const std::out_of_range &fault) {
                throw bad(text("a packet of %zu bytes that can't be read: %s", message_.size(), fault.what()),
                          "TomoPackets of RECAST3D");
            }
        }
        return {};
    }

    void take_samples(void *to) override {
        if (to) {
            std::memcpy(to, samples_, info_.size());
            if (!io::host_is_little_endian)
                io::swap_bytes(to, info_.samples(), sizeof(float));
        }
        message_ = {};
    }

  private:
    // Empty for a packet that is no image, or none that goes on.
    std::optional<LiveFrame> read_packet() {
        Fields fields(message_);
        const auto type = static_cast<Packet>(fields.next<std::int32_t>());
        switch (type) {
        case Packet::kill_scene:
            has_ended_ = true;
            return {};
        case Packet::parallel_beam_geometry:
            fields.skip(4); // scene, rows, columns, number of projections
            read_angles(fields);
            return {};
        case Packet::cone_beam_geometry:
            fields.skip(8); // and two distances and the size of the detector
            read_angles(fields);
            return {};
        case Packet::projection_data:
            fields.skip(1);                                 // scene
            return frame_of(fields, Kind::projections, 12); // position of source and detector
        case Packet::projection: {
            const auto sort = fields.next<std::int32_t>();
            if (sort < 0 || sort > 2)
                throw bad(text("a projection of type %d", sort), "0 (dark), 1 (flat) or 2");
            return frame_of(fields, static_cast<Kind>(sort), 0);
        }
        }
        return {};
    }

    void read_angles(Fields &fields) {
        const auto [from, count] = fields.list();
        angles_.resize(count);
        for (std::size_t i = 0; i < count; i++)
            angles_[i] = io::load<float>(from + i * sizeof(float), !io::host_is_little_endian);
    }

    std::optional<LiveFrame> frame_of(Fields &fields, Kind sort, std::size_t words_between) {
        const auto id = fields.next<std::int32_t>();
        fields.skip(words_between);
        const auto rows = fields.next<std::int32_t>(), columns = fields.next<std::int32_t>();
        const auto [samples, count] = fields.list();
        if (id < 0 || rows < 1 || columns < 1 || std::uint64_t(rows) * columns != count || fields.left() > 0)
            throw bad(text("projection %d of %d x %d with %zu samples and %zu bytes behind", id, rows,
                           columns, count, fields.left()),
                      "as many samples as rows times columns");
        if (kind != Kind::all && kind != sort)
            return {};
        samples_ = samples;
        info_ = ArrayInfo(GST_TOMO_FORMAT_FLOAT32, columns, rows);
        LiveFrame frame;
        frame.info = info_;
        frame.number = kind == Kind::all ? count_++ : id;
        if (sort == Kind::projections && !angles_.empty())
            frame.angle = angles_[id % angles_.size()];
        frame.arrived = now();
        frame.origin = peer();
        return frame;
    }

    zmq::message_t message_; // received last
    const char *samples_ = nullptr;
    ArrayInfo info_;
    std::vector<double> angles_;
    bool has_ended_ = false;
    std::uint64_t count_ = 0; // of frames, where kinds are mixed
};

} // namespace

TOMO_ELEMENT(RecastSrc)
