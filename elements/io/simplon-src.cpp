// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cbor.hpp"
#include "zmq-source.hpp"

#include <gst/files/byte-order.hpp>
#include <gst/files/hdf5/compressed.hpp>
#include <gst/tomo/geometry/degrees.hpp>
#include <gst/tomo/geometry/scan.hpp>

using namespace tomo;

namespace {

// Tags of RFC 8746, and DECTRIS's own.
constexpr std::uint64_t date_tag = 0, array_tag = 40, compression_tag = 56500;

struct TypedArray {
    std::uint64_t tag;
    GstTomoFormat format;
    bool is_big_endian;
};
constexpr TypedArray typed_arrays[] = {
    {64, GST_TOMO_FORMAT_UINT8, false},   {65, GST_TOMO_FORMAT_UINT16, true},
    {66, GST_TOMO_FORMAT_UINT32, true},   {68, GST_TOMO_FORMAT_UINT8, false},
    {69, GST_TOMO_FORMAT_UINT16, false},  {70, GST_TOMO_FORMAT_UINT32, false},
    {73, GST_TOMO_FORMAT_INT16, true},    {74, GST_TOMO_FORMAT_INT32, true},
    {77, GST_TOMO_FORMAT_INT16, false},   {78, GST_TOMO_FORMAT_INT32, false},
    {80, GST_TOMO_FORMAT_FLOAT16, true},  {81, GST_TOMO_FORMAT_FLOAT32, true},
    {82, GST_TOMO_FORMAT_FLOAT64, true},  {84, GST_TOMO_FORMAT_FLOAT16, false},
    {85, GST_TOMO_FORMAT_FLOAT32, false}, {86, GST_TOMO_FORMAT_FLOAT64, false},
};

class SimplonSrc final : public ZmqSource {
  public:
    static constexpr Info info{
        .task = "simplon-src",
        .klass = "Source/Network",
        .blurb =
            "Images of DECTRIS detectors, by stream version 2 of the SIMPLON interface (CBOR over ZeroMQ)",
        .in = formats::real,
        .out = formats::real,
        .details =
            R"(The detector has to be told to stream: `mode` enabled and `format` cbor in `/stream/api/1.8.0/config`. It shares its messages among all who connect, so
nobody else may. Images come plain or compressed by LZ4 or bitshuffle with LZ4; of several channels (thresholds) one goes on.

The number of an image is its `image_id`, so lost ones leave a gap, also at the end of a series, whose message `start` tells how many there are. The time of
exposure is `series_date` and `start_time` of the image; the latter is also the reference timestamp `timestamp/x-tomo-device`. Where the message `start` has a
goniometer axis that moves, angles are its start and increment (degrees there). Energy and pixel size go into the facts of the scan.

The stream ends with a series, or with `series` ones. A connection that was cut is told and made anew. Messages of another form are an error.)",
    };

    SimplonSrc() : ZmqSource("tcp://127.0.0.1:31001", false, 0.0) {}

    Property<std::string> channel{this, "channel", "", When::ready,
                                  "Channel (threshold) that goes on; empty: the first one"};
    Property<std::string> goniometer_axis{
        this, "goniometer-axis", "", When::ready,
        "Axis of the goniometer that turns the sample, such as omega; empty: the one that moves"};
    Property<unsigned> series{this, "series", 1, When::ready,
                              "Series until the stream ends; 0: it goes on behind each"};

    void start() override {
        ZmqSource::start();
        series_ = {};
        series_id_.reset();
        ended_ = 0;
        base_ = next_ = 0;
    }
    void stop() override {
        message_ = {};
        ZmqSource::stop();
    }

    EventRef scan_event() override {
        Scan scan;
        if (series_.energy > 0)
            scan.energy = series_.energy * 1e-3;
        if (series_.pixel_size > 0)
            scan.pixel_size = series_.pixel_size;
        if (series_.increment != 0 && series_.images > 0 && series_.images <= Scan::most_views && series == 1)
            for (std::uint64_t i = 0; i < series_.images; i++)
                scan.angles.push_back(angle(i));
        return scan.to_event();
    }

  protected:
    zmq::socket_type socket_type() const override { return zmq::socket_type::pull; }

    std::optional<LiveFrame> receive() override {
        for (;;) {
            if (series > 0 && ended_ >= series)
                return {};
            auto parts = next_message();
            const auto from = "'" + peer() + "'";
            if (parts.size() != 1)
                throw bad(text("a message in %zu parts", parts.size()),
                          "one part: set format to cbor in the detector's stream/api");
            message_ = std::move(parts[0]);
            const auto message =
                Cbor::parse({static_cast<const char *>(message_.data()), message_.size()}, from);
            const auto type = message.text_of("type");
            if (type == "start")
                begin_series(message);
            else if (type == "image" && is_of_series(message))
                return frame_of(message);
            else if (type == "end" && is_of_series(message))
                end_series();
            else if (type != "image" && type != "end")
                throw bad(text("a message of type '%.40s'", type.c_str()), "start, image or end");
        }
    }

    void take_samples(void *to) override {
        if (to) {
            if (algorithm_.empty())
                std::memcpy(to, stored_.data(), stored_.size());
            else if (algorithm_ == "lz4")
                io::decode_lz4(stored_.data(), stored_.size(), to, info_.size());
            else
                io::decode_bitshuffle_lz4(stored_.data(), stored_.size(), element_size_, to, info_.size());
            if (is_swapped_)
                io::swap_bytes(to, info_.samples(), info_.sample_size());
        }
        stored_ = {};
        pieces_ = {};
    }

  private:
    struct Series {
        std::uint64_t images = 0;
        double first = 0, increment = 0; // degrees
        double energy = 0;               // eV
        double pixel_size = 0;           // metres
        std::vector<std::string> channels;
    };

    double angle(std::uint64_t image) const {
        return radians(series_.first + static_cast<double>(image) * series_.increment);
    }

    void begin_series(const Cbor &start) {
        if (next_ > base_) // it was not ended
            close_series();
        series_ = {};
        series_id_ = start.integer_of("series_id");
        series_.images = start.integer_of("number_of_images").value_or(0);
        series_.energy = start.number_of("incident_energy").value_or(0);
        series_.pixel_size = start.number_of("pixel_size_x").value_or(0);
        if (const auto *channels = start.find("channels"); channels && channels->is(Cbor::Kind::list))
            for (const auto &one : channels->items())
                series_.channels.emplace_back(one.bytes());
        choose_axis(start.find("goniometer"));
    }

    void choose_axis(const Cbor *goniometer) {
        const auto wanted = goniometer_axis.value();
        std::string moving, all;
        const Cbor *chosen = nullptr;
        unsigned count = 0;
        for (std::size_t i = 0;
             goniometer && goniometer->is(Cbor::Kind::map) && i + 1 < goniometer->items().size(); i += 2) {
            const std::string name(goniometer->items()[i].bytes());
            const auto &axis = goniometer->items()[i + 1];
            const bool moves = axis.number_of("increment").value_or(0) != 0;
            all += (all.empty() ? "" : ", ") + name;
            if (moves)
                moving += (moving.empty() ? "" : ", ") + name;
            count += moves;
            if (wanted.empty() ? moves : name == wanted)
                chosen = &axis;
        }
        if (!wanted.empty() && !chosen)
            throw Error(GST_LIBRARY_ERROR_SETTINGS,
                        text("goniometer-axis=%s: the goniometer of '%s' has %s", wanted.c_str(),
                             peer().c_str(), all.empty() ? "no axis" : all.c_str()));
        if (wanted.empty() && count > 1)
            throw Error(
                GST_LIBRARY_ERROR_SETTINGS,
                text(
                    "several axes of the goniometer of '%s' move (%s): set goniometer-axis to the one that turns the sample",
                    peer().c_str(), moving.c_str()));
        if (chosen) {
            series_.first = chosen->number_of("start").value_or(0);
            series_.increment = chosen->number_of("increment").value_or(0);
        }
    }

    // Those of an earlier series may still come when the next one has begun.
    bool is_of_series(const Cbor &message) {
        const auto id = message.integer_of("series_id");
        if (!series_id_)
            series_id_ = id; // this element came later than the start
        if (id == series_id_)
            return true;
        warn_at_times(text("'%s' sent an image of series %" G_GUINT64_FORMAT
                           " within series %" G_GUINT64_FORMAT "; it is left out",
                           peer().c_str(), id.value_or(0), *series_id_));
        return false;
    }

    void end_series() {
        close_series();
        series_id_.reset();
        ended_++;
    }

    // Images that were announced and have not come are lost.
    void close_series() {
        expect(base_ + series_.images);
        base_ = next_ = std::max(next_, base_ + series_.images);
        series_.images = 0;
    }

    LiveFrame frame_of(const Cbor &image) {
        const auto id = image.integer_of("image_id");
        if (!id)
            throw bad("an image without image_id", "the number of the image");
        find_samples(image);
        LiveFrame frame;
        frame.info = info_;
        frame.number = base_ + *id;
        next_ = std::max(next_, frame.number + 1);
        if (series_.increment != 0)
            frame.angle = angle(*id);
        frame.arrived = now();
        frame.origin = peer();
        if (const auto *time = image.find("start_time");
            time && time->is(Cbor::Kind::list) && time->items().size() == 2 &&
            time->items()[0].is(Cbor::Kind::integer) && time->items()[1].is(Cbor::Kind::integer) &&
            time->items()[1].value() > 0) {
            frame.of_device =
                gst_util_uint64_scale(time->items()[0].value(), GST_SECOND, time->items()[1].value());
            if (const auto *date = image.find("series_date"); date && date->is_tag(date_tag))
                if (const auto begin = time_of_date(std::string(date->items()[0].bytes()), nullptr))
                    frame.exposed = *begin + frame.of_device;
        }
        return frame;
    }

    const Cbor &data_of(const Cbor &image) const {
        const auto *data = image.find("data");
        if (!data || !data->is(Cbor::Kind::map) || data->items().empty())
            throw bad("an image without data", "a map of channels");
        const auto wanted = !channel.value().empty()    ? channel.value()
                            : !series_.channels.empty() ? series_.channels.front()
                                                        : std::string(data->items()[0].bytes());
        if (const auto *found = data->find(wanted))
            return *found;
        std::string names;
        for (std::size_t i = 0; i < data->items().size(); i += 2)
            names += (i ? ", " : "") + std::string(data->items()[i].bytes());
        throw bad(text("images of the channels %s", names.c_str()), "channel '" + wanted + "'");
    }

    // A tagged array [[rows, columns], typed array], whose bytes may be tagged as compressed.
    void find_samples(const Cbor &image) {
        const auto &array = data_of(image);
        const auto wrong = [&](const std::string &what) {
            return bad("an image that " + what, "an array of rows and columns of a type of RFC 8746");
        };
        if (!array.is_tag(array_tag) || !array.items()[0].is(Cbor::Kind::list) ||
            array.items()[0].items().size() != 2)
            throw wrong("is no array in the order of rows");
        const auto &shape = array.items()[0].items()[0], &typed = array.items()[0].items()[1];
        if (!shape.is(Cbor::Kind::list) || shape.items().size() != 2)
            throw wrong("has no two extents");
        for (const auto &extent : shape.items())
            if (!extent.is(Cbor::Kind::integer) || extent.value() < 1 || extent.value() > G_MAXINT)
                throw wrong("has an extent that can't be");
        const auto *type = std::find_if(std::begin(typed_arrays), std::end(typed_arrays),
                                        [&](const TypedArray &t) { return typed.is_tag(t.tag); });
        if (type == std::end(typed_arrays))
            throw wrong("has samples of another type");
        info_ = ArrayInfo(type->format, shape.items()[1].value(), shape.items()[0].value());
        if (!info_.is_countable())
            throw wrong("is too large");
        is_swapped_ = type->is_big_endian == io::host_is_little_endian && info_.sample_size() > 1;
        const auto *bytes = &typed.items()[0];
        algorithm_.clear();
        if (bytes->is_tag(compression_tag)) {
            const auto &parts = bytes->items()[0];
            if (!parts.is(Cbor::Kind::list) || parts.items().size() != 3 ||
                !parts.items()[0].is(Cbor::Kind::text))
                throw wrong("is compressed in an unknown way");
            algorithm_ = parts.items()[0].bytes();
            element_size_ = parts.items()[1].is(Cbor::Kind::integer) ? parts.items()[1].value() : 0;
            if (algorithm_ != "lz4" && algorithm_ != "bslz4")
                throw bad(text("an image compressed by '%.40s'", algorithm_.c_str()), "lz4 or bslz4");
            bytes = &parts.items()[2];
        }
        if (!bytes->is(Cbor::Kind::bytes))
            throw wrong("has no bytes");
        if (algorithm_.empty() && bytes->bytes().size() != info_.size())
            throw bad(text("%zu bytes for %s", bytes->bytes().size(), info_.describe().c_str()),
                      text("%" G_GUINT64_FORMAT " bytes", info_.size()));
        pieces_ = *bytes;
        stored_ = pieces_.bytes();
        constexpr std::uint64_t most = 256; // times as long as its LZ4 is no text
        if (!algorithm_.empty() && info_.size() / most > stored_.size())
            throw bad(text("%zu compressed bytes for %s", stored_.size(), info_.describe().c_str()),
                      "an image");
    }

    zmq::message_t message_; // what was received last
    Cbor pieces_;            // its samples
    std::string_view stored_;
    std::string algorithm_;
    std::uint64_t element_size_ = 0;
    ArrayInfo info_;
    bool is_swapped_ = false;

    Series series_;
    std::optional<std::uint64_t> series_id_;
    unsigned ended_ = 0;
    std::uint64_t base_ = 0, next_ = 0; // number of the first image of this series, and of the next one
};

} // namespace

TOMO_ELEMENT(SimplonSrc)
