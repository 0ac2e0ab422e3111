// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "concert-wire.hpp"
#include "zmq-source.hpp"

#include <gst/files/byte-order.hpp>

using namespace tomo;

namespace {

class ConcertSrc final : public ZmqSource {
  public:
    static constexpr Info info{
        .task = "concert-src",
        .klass = "Source/Network",
        .blurb =
            "Frames that Concert, tomoconcertsink or any other program sends over ZeroMQ as JSON and samples",
        .in = formats::real,
        .out = formats::real,
        .details =
            R"(A message has two parts, as Concert sends them: a header in JSON with `dtype` (of numpy, such as `uint16` or `>u2`) and `shape` (rows and columns), and
the samples. `mirror` and `rotate` (quarter turns to the left) are carried out, unless `conversion_applied` says that they were. A message
`{"end": true}` is the end of the stream, or with `ends` one of several.

A header may tell of a frame: `frame_number`, by which lost, late and repeated frames are known, `angle` in radians, and `timestamp`, the time of
exposure as seconds since the epoch or by ISO 8601. The first number that comes is 0 here. Without numbers frames are counted, and nobody can see that one was lost.

A connection that was cut is told and made anew; a sender that is `reliable` waits for it. Messages of another form are an error.
Nothing is encrypted, and nobody is asked who he is: use it within networks that are trusted.)",
        .example =
            "tomoconcertsrc endpoint=tcp://127.0.0.1:5574 ! tomonull async=false  tomodummydata width=8 height=4 number=3 ! "
            "tomoconcertsink endpoint=tcp://127.0.0.1:5574",
    };

    ConcertSrc() : ZmqSource("tcp://127.0.0.1:5555", false, 60.0) {}

    Property<bool> reliable{
        this, "reliable", true, When::ready,
        "The sender pushes, and keeps frames that nobody takes; else it publishes, and drops them"};
    Property<unsigned> ends{
        this, "ends", 1, When::ready,
        "Ends of streams until this stream ends, where darks, flats and projections come as streams; 0: none ends it"};

    void start() override {
        ZmqSource::start();
        ended_ = 0;
        next_ = base_ = 0;
        first_.reset();
    }
    void stop() override {
        samples_ = {};
        ZmqSource::stop();
    }

  protected:
    zmq::socket_type socket_type() const override {
        return reliable ? zmq::socket_type::pull : zmq::socket_type::sub;
    }
    void prepare_socket(zmq::socket_t &socket) override {
        if (!reliable)
            socket.set(zmq::sockopt::subscribe, "");
    }

    std::optional<LiveFrame> receive() override {
        for (;;) {
            if (ends > 0 && ended_ >= ends)
                return {};
            auto parts = next_message();
            header_ = concert::parsed(parts[0], "'" + peer() + "'");
            if (!header_.is_end)
                return frame_of(parts);
            ended_++;
            base_ = next_; // the next stream counts anew
            first_.reset();
        }
    }

    void take_samples(void *to) override {
        if (to)
            copy_turned(static_cast<char *>(to));
        samples_ = {};
    }

  private:
    LiveFrame frame_of(Parts &parts) {
        const auto &sent = header_.info;
        if (parts.size() != 2)
            throw bad(text("an image in %zu parts", parts.size()), "a header and samples");
        if (parts[1].size() != sent.size())
            throw bad(text("%zu bytes for %s", parts[1].size(), sent.describe().c_str()),
                      text("%" G_GUINT64_FORMAT " bytes", sent.size()));
        samples_ = std::move(parts[1]);
        if (header_.is_swapped)
            io::swap_bytes(samples_.data(), sent.samples(), sent.sample_size());
        LiveFrame frame;
        frame.info = header_.quarters % 2 ? sent.with_size(sent.height, sent.width) : sent;
        if (header_.number && !first_)
            first_ = *header_.number;
        // Numbers before the first one are those of late frames.
        const auto first = first_.value_or(0);
        frame.number =
            !header_.number ? next_ : base_ + (*header_.number < first ? 0 : *header_.number - first);
        next_ = std::max(next_, frame.number + 1);
        frame.angle = header_.angle.value_or(std::nan(""));
        frame.arrived = now();
        frame.exposed = header_.time.value_or(GST_CLOCK_TIME_NONE);
        frame.origin = peer();
        return frame;
    }

    // numpy.rot90(numpy.fliplr(image), quarters) of each plane: where row r and column c of the output lie in
    // the input is linear in r and c.
    void copy_turned(char *to) const {
        const auto &sent = header_.info;
        const auto *from = static_cast<const char *>(samples_.data());
        if (!header_.mirror && header_.quarters == 0) {
            std::memcpy(to, from, sent.size());
            return;
        }
        const auto w = std::ptrdiff_t{sent.width}, h = std::ptrdiff_t{sent.height};
        struct Steps {
            std::ptrdiff_t row, row_r, row_c, column, column_r, column_c;
        };
        const Steps turns[] = {{0, 1, 0, 0, 0, 1},
                               {0, 0, 1, w - 1, -1, 0},
                               {h - 1, -1, 0, w - 1, 0, -1},
                               {h - 1, 0, -1, 0, 1, 0}};
        auto s = turns[header_.quarters];
        if (header_.mirror)
            s = {s.row, s.row_r, s.row_c, w - 1 - s.column, -s.column_r, -s.column_c};
        const auto size = sent.sample_size();
        const auto rows = header_.quarters % 2 ? w : h, columns = header_.quarters % 2 ? h : w;
        const auto along = (s.row_c * w + s.column_c) * std::ptrdiff_t(size);
        for (unsigned z = 0; z < sent.depth; z++, from += sent.plane_samples() * size)
            for (std::ptrdiff_t r = 0; r < rows; r++) {
                const auto *at =
                    from + ((s.row + r * s.row_r) * w + s.column + r * s.column_r) * std::ptrdiff_t(size);
                for (std::ptrdiff_t c = 0; c < columns; c++, at += along, to += size)
                    std::memcpy(to, at, size);
            }
    }

    concert::Header header_;
    zmq::message_t samples_;
    unsigned ended_ = 0;
    std::uint64_t next_ = 0, base_ = 0;  // number of the next frame, and of the first one of this part
    std::optional<std::uint64_t> first_; // number that the sender gave to that one
};

} // namespace

TOMO_ELEMENT(ConcertSrc)
