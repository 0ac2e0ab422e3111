// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "live-source.hpp"

#include <gst/tomo/bases/effective.hpp>
#include <gst/tomo/support/c-string.hpp>

#include <arv.h>

#include <algorithm>
#include <cmath>
#include <thread>

using namespace tomo;

namespace {

template <class T>
using GObjectPtr = Reference<T, g_object_ref, g_object_unref>;

// For calls that tell of failures by a GError.
class Failure {
  public:
    Failure() = default;
    Failure(const Failure &) = delete;
    Failure &operator=(const Failure &) = delete;
    ~Failure() { g_clear_error(&error_); }
    GError **anew() {
        g_clear_error(&error_);
        return &error_;
    }
    bool has_come() const { return error_ != nullptr; }
    const char *why() const { return error_ ? error_->message : "it gives no reason"; }

  private:
    GError *error_ = nullptr;
};

struct PixelFormat {
    ArvPixelFormat code;
    const char *name;
    GstTomoFormat format;
};
// The deepest one first.
constexpr PixelFormat pixel_formats[] = {{ARV_PIXEL_FORMAT_MONO_16, "Mono16", GST_TOMO_FORMAT_UINT16},
                                         {ARV_PIXEL_FORMAT_MONO_14, "Mono14", GST_TOMO_FORMAT_UINT16},
                                         {ARV_PIXEL_FORMAT_MONO_12, "Mono12", GST_TOMO_FORMAT_UINT16},
                                         {ARV_PIXEL_FORMAT_MONO_10, "Mono10", GST_TOMO_FORMAT_UINT16},
                                         {ARV_PIXEL_FORMAT_MONO_8, "Mono8", GST_TOMO_FORMAT_UINT8}};

const PixelFormat *find_format(ArvPixelFormat code) {
    const auto *found = std::find_if(std::begin(pixel_formats), std::end(pixel_formats),
                                     [&](const PixelFormat &f) { return f.code == code; });
    return found == std::end(pixel_formats) ? nullptr : found;
}

// Names that Aravis owns, in a list that we own.
std::vector<std::string> names_of(const char **list, unsigned count) {
    std::vector<std::string> names(list, list ? list + count : list);
    g_free(list);
    return names;
}

bool has(const std::vector<std::string> &names, const std::string &name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

std::string joined(const std::vector<std::string> &names) {
    std::string all;
    for (const auto &name : names)
        all += (all.empty() ? "" : ", ") + name;
    return all.empty() ? "none" : all;
}

class Camera final : public LiveSource {
  public:
    static GType parent_type();

    static constexpr Info info{
        .task = "camera",
        .klass = "Source/Video/Hardware",
        .blurb = "Frames of a GenICam camera (GigE Vision, USB3 Vision), uint8 or uint16, by Aravis",
        .in = formats::uint8 | formats::uint16,
        .out = formats::uint8 | formats::uint16,
        .details =
            R"(Frames have the numbers and times of the camera. The first frame has number 0; a lost frame leaves a gap, so the others keep their
angles by `angle-step` of `tomoprojectionring`. Each gap is an element message `tomo-lost-frames` (`first`, `count`, `lost`: all so far), and
warnings tell of them at most once a second. A damaged frame (packets missing, no free buffer) is a lost one. The time of exposure is that of the camera's clock, moved
so that the first frame is exposed when it arrives; reference timestamps `timestamp/x-tomo-device` and `timestamp/x-unix` of the buffer have the camera's time as it
is and the time of arrival at this host.

With a `trigger` the camera waits for it, and the element for the camera, as long as it takes, unless `timeout` is set; the action signal `trigger` of the element is
a software trigger. The element waits for the first frame after the start of PLAYING.

A camera that vanishes is an error, or with `reconnect` the element looks for it. Behind such a gap numbers go on by time and `frame-rate`; where triggers
decide, nobody knows the numbers of frames that were missed, a warning says so, and only their times tell angles.

`camera-name=Fake_1` is a camera of Aravis that needs no hardware; `arv-fake-gv-camera-0.8 -i 127.0.0.1` is one at the address 127.0.0.1.)",
        .example =
            "tomocamera camera-name=Fake_1 number=20 pixel-format=Mono16 frame-rate=50 ! tomobin size=2 ! tomowrite "
            "filename=frames.h5:/data",
    };

    Camera() : LiveSource(0) {}

    Property<std::string> camera_name{
        this, "camera-name", "", When::ready,
        "Name, as the message about a camera that is not found lists them, or network address; empty: the first camera found"};
    Property<std::uint64_t> number{this, "number", Automatic{0}, When::ready,
                                   "Frames until the stream ends; 0: until it is stopped"};
    Property<double> exposure{this,       "exposure",  Automatic{0},
                              {0.0, 1e6}, When::ready, "Seconds of exposure; 0: as the camera is set"};
    Property<double> frame_rate{
        this,       "frame-rate", Automatic{0},
        {0.0, 1e6}, When::ready,  "Frames in a second where no trigger decides; 0: as the camera is set"};
    Property<unsigned> x{this, "x", 0, {0, G_MAXINT}, When::ready, "First column of the region that is read"};
    Property<unsigned> y{this, "y", 0, {0, G_MAXINT}, When::ready, "First row of the region"};
    Property<unsigned> width{this,          "width",     Automatic{0},
                             {0, G_MAXINT}, When::ready, "Columns of the region; 0: as the camera is set"};
    Property<unsigned> height{this,          "height",    Automatic{0},
                              {0, G_MAXINT}, When::ready, "Rows of the region; 0: as the camera is set"};
    Property<std::string> pixel_format{
        this, "pixel-format", "", When::ready,
        "Mono8, Mono10, Mono12, Mono14 or Mono16; empty: as the camera is set, or the deepest of these"};
    Property<std::string> trigger{
        this, "trigger", "none", When::ready,
        "What starts an exposure: none (the camera's own clock), software, or an input of the camera such as Line1"};
    Property<std::string> properties{
        this, "properties", "", When::ready,
        "Other features of the camera, as Name=value with spaces between, set first"};
    Property<unsigned> buffers{
        this,      "buffers",   16,
        {2, 4096}, When::ready, "Frames that the host keeps until they go on; more overcome longer delays"};
    Property<double> reconnect{
        this,       "reconnect", 0,
        {0.0, 1e6}, When::ready, "Seconds to look for a camera that has vanished; 0: it is an error at once"};
    Result damaged{this, "damaged",
                   "Damaged frames, or parts of them, that came since the start; the frames count as lost"};

    void start() override {
        LiveSource::start();
        damaged_count_ = 0;
        damaged.report(0);
        next_ = 0;
        id_.reset();
        clock_offset_.reset();
        given_ = 0;
        open_camera();
    }

    void stop() override { close_camera(); }

    bool trigger_once() {
        const std::lock_guard<std::mutex> lock(camera_lock_);
        if (trigger.value() != "software") {
            warn(text("a software trigger came, but trigger=%s: set trigger=software",
                      trigger.value().c_str()));
            return false;
        }
        if (!is_acquiring_) {
            warn("a software trigger came, but the camera does not wait for it before the stream plays");
            return false;
        }
        Failure failure;
        arv_camera_software_trigger(camera_.get(), failure.anew());
        if (failure.has_come())
            warn(text("the trigger did not reach camera '%s': %s", name_.c_str(), failure.why()));
        return !failure.has_come();
    }

  protected:
    std::optional<LiveFrame> receive() override {
        if (const auto most = number.chosen(); most && given_ >= *most)
            return {};
        if (!is_acquiring_)
            begin();
        auto since = std::chrono::steady_clock::now();
        for (;;) {
            if (is_cancelled())
                throw Flushing();
            held_ = GObjectPtr<ArvBuffer>(arv_stream_timeout_pop_buffer(stream_.get(), 50000));
            const std::chrono::duration<double> waited = std::chrono::steady_clock::now() - since;
            if (!held_) {
                if (has_vanished_ || (timeout > 0 && waited.count() > timeout)) {
                    if (!look_for_it(waited.count()))
                        throw gone(waited.count());
                    since = std::chrono::steady_clock::now();
                }
                continue;
            }
            if (const auto frame = whole_frame()) {
                given_++;
                return frame;
            }
            let_go();
            if (timeout > 0 && waited.count() > timeout)
                throw gone(waited.count());
        }
    }

    void take_samples(void *to) override {
        if (to) {
            std::size_t size = 0;
            const auto *from = static_cast<const char *>(arv_buffer_get_image_data(held_.get(), &size));
            const auto row = row_bytes();
            for (unsigned r = 0; r < info_.height; r++)
                std::memcpy(static_cast<char *>(to) + r * row, from + r * (row + padding_), row);
        } else {
            given_--;
        }
        let_go();
    }

  private:
    std::size_t row_bytes() const { return info_.width * info_.sample_size(); }
    void let_go() {
        if (held_)
            arv_stream_push_buffer(stream_.get(), held_.release());
    }

    // The camera and its settings
    // ---------------------------------------------------------------------------

    Error refused(const std::string &what, const std::string &why) const {
        return Error(GST_RESOURCE_ERROR_SETTINGS,
                     text("camera '%s' does not take %s: %s", name_.c_str(), what.c_str(), why.c_str()));
    }

    void open_camera() {
        const auto wanted = camera_name.value();
        name_ = wanted.empty() ? "the first one" : wanted;
        if (wanted.rfind("Fake_", 0) == 0)
            arv_enable_interface("Fake");
        Failure failure;
        GObjectPtr<ArvCamera> camera(
            arv_camera_new(wanted.empty() ? nullptr : wanted.c_str(), failure.anew()));
        if (!camera)
            throw not_found(failure.why());
        const auto part = [](const char *name) { return std::string(name ? name : ""); };
        if (wanted.empty())
            name_ = part(arv_camera_get_vendor_name(camera.get(), nullptr)) + "-" +
                    part(arv_camera_get_model_name(camera.get(), nullptr)) + "-" +
                    part(arv_camera_get_device_serial_number(camera.get(), nullptr));
        {
            const std::lock_guard<std::mutex> lock(camera_lock_);
            camera_ = std::move(camera);
        }
        has_vanished_ = false;
        g_signal_connect(arv_camera_get_device(camera_.get()), "control-lost",
                         G_CALLBACK(+[](ArvDevice *, gpointer self) {
                             static_cast<Camera *>(self)->has_vanished_ = true;
                         }),
                         this);
        apply_settings();
    }

    Error not_found(const std::string &why) const {
        arv_update_device_list();
        std::vector<std::string> found;
        for (unsigned i = 0; i < arv_get_n_devices(); i++)
            found.push_back(text("'%s' at %s", arv_get_device_id(i), arv_get_device_address(i)));
        return Error(
            GST_RESOURCE_ERROR_NOT_FOUND,
            text(
                "camera %s can't be opened: %s. Cameras in reach: %s. Is it switched on, in this network, and used by "
                "nobody else? camera-name takes one of these names or an address",
                camera_name.value().empty() ? "(none named)" : ("'" + camera_name.value() + "'").c_str(),
                why.c_str(), joined(found).c_str()));
    }

    void apply_settings() {
        auto *camera = camera_.get();
        Failure failure;
        if (const auto features = properties.value();
            !features.empty() && (!arv_device_set_features_from_string(arv_camera_get_device(camera),
                                                                       features.c_str(), failure.anew()) ||
                                  failure.has_come()))
            throw refused("properties=\"" + features + "\"",
                          std::string(failure.why()) + "; wanted Name=value, with spaces between");
        choose_pixel_format();
        choose_region();
        choose_trigger();
        if (const auto rate = frame_rate.chosen()) {
            double least = 0, most = 0;
            arv_camera_get_frame_rate_bounds(camera, &least, &most, failure.anew());
            if (failure.has_come() || *rate < least || *rate > most)
                throw refused(text("frame-rate=%g", *rate),
                              failure.has_come() ? failure.why() : text("it takes %g to %g", least, most));
            arv_camera_set_frame_rate(camera, *rate, failure.anew());
            if (failure.has_come())
                throw refused(text("frame-rate=%g", *rate), failure.why());
        }
        if (const auto seconds = exposure.chosen()) {
            double least = 0, most = 0;
            if (arv_camera_is_exposure_auto_available(camera, nullptr))
                arv_camera_set_exposure_time_auto(camera, ARV_AUTO_OFF, nullptr);
            arv_camera_get_exposure_time_bounds(camera, &least, &most, failure.anew());
            if (failure.has_come() || *seconds * 1e6 < least || *seconds * 1e6 > most)
                throw refused(text("exposure=%g", *seconds),
                              failure.has_come() ? failure.why()
                                                 : text("it takes %g to %g s", least * 1e-6, most * 1e-6));
            arv_camera_set_exposure_time(camera, *seconds * 1e6, failure.anew());
            if (failure.has_come())
                throw refused(text("exposure=%g", *seconds), failure.why());
        }
        arv_camera_set_acquisition_mode(camera, ARV_ACQUISITION_MODE_CONTINUOUS,
                                        nullptr); // not all have others
        report();
    }

    void choose_pixel_format() {
        auto *camera = camera_.get();
        Failure failure;
        unsigned count = 0;
        const char **list = arv_camera_dup_available_pixel_formats_as_strings(camera, &count, failure.anew());
        const auto there = names_of(list, count);
        auto name = pixel_format.value();
        const auto *format = std::find_if(std::begin(pixel_formats), std::end(pixel_formats),
                                          [&](const PixelFormat &f) { return f.name == name; });
        if (name.empty()) {
            if (find_format(arv_camera_get_pixel_format(camera, nullptr)))
                return;
            format = std::find_if(std::begin(pixel_formats), std::end(pixel_formats),
                                  [&](const PixelFormat &f) { return has(there, f.name); });
            if (format == std::end(pixel_formats))
                throw Error(
                    GST_STREAM_ERROR_FORMAT,
                    text("camera '%s' has %s; wanted Mono8, Mono10, Mono12, Mono14 or Mono16, not packed",
                         name_.c_str(), joined(there).c_str()));
            name = format->name;
        } else if (format == std::end(pixel_formats)) {
            throw Error(
                GST_LIBRARY_ERROR_SETTINGS,
                text("pixel-format=%s is none of Mono8, Mono10, Mono12, Mono14 and Mono16", name.c_str()));
        } else if (!has(there, name)) {
            throw refused("pixel-format=" + name, "it has " + joined(there));
        }
        arv_camera_set_pixel_format(camera, format->code, failure.anew());
        if (failure.has_come())
            throw refused("pixel-format=" + name, failure.why());
    }

    void choose_region() {
        auto *camera = camera_.get();
        if (!x && !y && !width.chosen() && !height.chosen())
            return;
        Failure failure;
        int column = 0, row = 0, columns = 0, rows = 0;
        arv_camera_get_region(camera, &column, &row, &columns, &rows, failure.anew());
        const int w = width.chosen() ? int(width) : columns, h = height.chosen() ? int(height) : rows;
        int widest = 0, highest = 0;
        if (!failure.has_come())
            arv_camera_get_sensor_size(camera, &widest, &highest, failure.anew());
        const auto asked = text("x=%u y=%u width=%d height=%d", x.value(), y.value(), w, h);
        if (failure.has_come())
            throw refused(asked, failure.why());
        if (x + std::int64_t{w} > widest || y + std::int64_t{h} > highest)
            throw refused(asked, text("it has %d x %d pixels", widest, highest));
        arv_camera_set_region(camera, x, y, w, h, failure.anew());
        int got[4] = {};
        if (!failure.has_come())
            arv_camera_get_region(camera, &got[0], &got[1], &got[2], &got[3], failure.anew());
        if (failure.has_come())
            throw refused(asked, failure.why());
        if (got[0] != int(x) || got[1] != int(y) || got[2] != w || got[3] != h)
            throw refused(
                asked, text("it makes x=%d y=%d width=%d height=%d of it, in steps of %d columns and %d rows",
                            got[0], got[1], got[2], got[3], arv_camera_get_width_increment(camera, nullptr),
                            arv_camera_get_height_increment(camera, nullptr)));
    }

    void choose_trigger() {
        auto *camera = camera_.get();
        Failure failure;
        const auto source = trigger.value();
        if (source.empty() || source == "none") {
            arv_camera_clear_triggers(camera, nullptr); // some have none
            return;
        }
        unsigned count = 0;
        const char **list = arv_camera_dup_available_trigger_sources(camera, &count, failure.anew());
        const auto there = names_of(list, count);
        const auto name = source == "software" ? std::string("Software") : source;
        if (!has(there, name))
            throw refused("trigger=" + source, "its sources are " + joined(there));
        arv_camera_set_trigger(camera, name.c_str(), failure.anew());
        if (failure.has_come())
            throw refused("trigger=" + source, failure.why());
    }

    bool is_triggered() const {
        const auto source = trigger.value();
        return !source.empty() && source != "none";
    }

    void report() {
        EffectiveValues values;
        values.add("camera", name_);
        if (const double us = arv_camera_get_exposure_time(camera_.get(), nullptr); us > 0)
            values.add("exposure", us * 1e-6, "s");
        rate_ = is_triggered() ? 0.0 : arv_camera_get_frame_rate(camera_.get(), nullptr);
        if (rate_ > 0)
            values.add("frame-rate", rate_, "Hz");
        report_effective(values);
    }

    // The stream
    // ---------------------------------------------------------------------------

    void begin() {
        auto *camera = camera_.get();
        Failure failure;
        if (arv_camera_is_gv_device(camera))
            arv_camera_gv_set_packet_size_adjustment(camera, ARV_GV_PACKET_SIZE_ADJUSTMENT_ON_FAILURE_ONCE);
        stream_ = GObjectPtr<ArvStream>(arv_camera_create_stream(
            camera,
            [](void *, ArvStreamCallbackType type, ArvBuffer *) {
                if (type == ARV_STREAM_CALLBACK_TYPE_INIT && !arv_make_thread_realtime(10))
                    arv_make_thread_high_priority(-10);
            },
            nullptr, failure.anew()));
        if (!stream_)
            throw Error(GST_RESOURCE_ERROR_OPEN_READ,
                        text("camera '%s' makes no stream: %s", name_.c_str(), failure.why()));
        const auto size = arv_camera_get_payload(camera, failure.anew());
        if (failure.has_come())
            throw Error(GST_RESOURCE_ERROR_READ, text("camera '%s' does not tell the size of its frames: %s",
                                                      name_.c_str(), failure.why()));
        for (unsigned i = 0; i < buffers; i++)
            arv_stream_push_buffer(stream_.get(), arv_buffer_new_allocate(size));
        arv_camera_start_acquisition(camera, failure.anew());
        if (failure.has_come())
            throw Error(GST_RESOURCE_ERROR_READ,
                        text("camera '%s' does not start: %s", name_.c_str(), failure.why()));
        const std::lock_guard<std::mutex> lock(camera_lock_);
        is_acquiring_ = true;
    }

    void close_camera() {
        held_ = {};
        GObjectPtr<ArvCamera> camera;
        {
            const std::lock_guard<std::mutex> lock(camera_lock_);
            camera = std::move(camera_);
            camera_ = {};
            if (camera && std::exchange(is_acquiring_, false) && !has_vanished_)
                arv_camera_stop_acquisition(camera.get(), nullptr);
        }
        if (camera)
            g_signal_handlers_disconnect_by_data(arv_camera_get_device(camera.get()), this);
        stream_ = {}; // before the camera, which its thread asks
    }

    // Of the buffer that is held; empty where it is damaged.
    std::optional<LiveFrame> whole_frame() {
        auto *buffer = held_.get();
        const auto status = arv_buffer_get_status(buffer);
        if (status != ARV_BUFFER_STATUS_SUCCESS) {
            if (status != ARV_BUFFER_STATUS_ABORTED && status != ARV_BUFFER_STATUS_CLEARED)
                tell_damaged(status);
            return {};
        }
        const auto *format = find_format(arv_buffer_get_image_pixel_format(buffer));
        if (!format)
            throw Error(
                GST_STREAM_ERROR_FORMAT,
                text("camera '%s' sent pixels of format 0x%x; wanted Mono8, Mono10, Mono12, Mono14 or Mono16",
                     name_.c_str(), arv_buffer_get_image_pixel_format(buffer)));
        info_ = ArrayInfo(format->format, arv_buffer_get_image_width(buffer),
                          arv_buffer_get_image_height(buffer));
        int padding = 0, rows = 0;
        arv_buffer_get_image_padding(buffer, &padding, &rows);
        padding_ = padding;
        std::size_t size = 0;
        arv_buffer_get_image_data(buffer, &size);
        if (size < info_.height * (row_bytes() + padding_) - padding_) {
            tell_damaged(ARV_BUFFER_STATUS_SIZE_MISMATCH);
            return {};
        }
        LiveFrame frame;
        frame.info = info_;
        frame.origin = name_;
        frame.arrived = arv_buffer_get_system_timestamp(buffer);
        const auto time = arv_buffer_get_timestamp(buffer);
        frame.number = number_of(arv_buffer_get_frame_id(buffer), time, frame.arrived);
        if (time) {
            frame.of_device = time;
            if (!clock_offset_)
                clock_offset_ = static_cast<std::int64_t>(frame.arrived) - static_cast<std::int64_t>(time);
            frame.exposed = time + *clock_offset_;
        } else {
            frame.exposed = frame.arrived;
        }
        return frame;
    }

    void tell_damaged(ArvBufferStatus status) {
        damaged.report(static_cast<double>(++damaged_count_));
        if (!id_) // numbers begin with it
            number_of(arv_buffer_get_frame_id(held_.get()), arv_buffer_get_timestamp(held_.get()), now());
        const char *why = status == ARV_BUFFER_STATUS_MISSING_PACKETS   ? "packets of it are missing"
                          : status == ARV_BUFFER_STATUS_TIMEOUT         ? "it did not come whole in time"
                          : status == ARV_BUFFER_STATUS_SIZE_MISMATCH   ? "its size is another one"
                          : status == ARV_BUFFER_STATUS_WRONG_PACKET_ID ? "its packets have wrong numbers"
                                                                        : "its payload can't be read";
        warn_at_times(text(
            "a frame of camera '%s' came damaged, as %s; %" G_GUINT64_FORMAT
            " so far. Larger packets (jumbo frames), a larger net.core.rmem_max or a lower frame-rate may help",
            name_.c_str(), why, damaged_count_));
    }

    // In the stream, from 0. GigE Vision counts 1 to 65535 and begins again, where ids have 16 bits, and
    // Fake_1 of Aravis does from 0.
    std::uint64_t number_of(std::uint64_t id, std::uint64_t time, GstClockTime arrived) {
        if (!id_) {
            if (came_back_ && rate_ > 0) { // frames that nobody saw
                const auto away = static_cast<double>(arrived - last_arrived_) / GST_SECOND * rate_;
                next_ += static_cast<std::int64_t>(std::max(0.0, std::round(away) - 1));
            }
            came_back_ = false;
        } else {
            auto step = static_cast<std::int64_t>(id - *id_);
            constexpr std::int64_t wrap = 65535;
            if (!arv_camera_is_uv_device(camera_.get()) && id <= 65535 && *id_ <= 65535)
                step += step < -wrap / 2 ? wrap : step > wrap / 2 ? -wrap : 0;
            if (step == 0 && time != last_time_) // it does not count
                step = 1;
            next_ = std::max<std::int64_t>(0, next_ - 1 + step);
        }
        id_ = id;
        last_time_ = time;
        last_arrived_ = arrived;
        return static_cast<std::uint64_t>(next_++);
    }

    Error gone(double waited) const {
        if (has_vanished_)
            return Error(
                GST_RESOURCE_ERROR_READ,
                text("camera '%s' does not answer any more, after %" G_GUINT64_FORMAT
                     " frames: check its power and its cable; reconnect=60 would look for it for a minute",
                     name_.c_str(), given_));
        return Error(GST_RESOURCE_ERROR_READ,
                     text("camera '%s' gave no whole frame for %.3g s (%" G_GUINT64_FORMAT
                          " before, %" G_GUINT64_FORMAT " damaged)%s",
                          name_.c_str(), waited, given_, damaged_count_,
                          is_triggered() ? ": did triggers come? A longer timeout waits for them" : ""));
    }

    // Whether it is back within `reconnect` seconds.
    bool look_for_it(double waited) {
        if (reconnect <= 0)
            return false;
        const auto begin = std::chrono::steady_clock::now();
        warn(text("camera '%s' %s; looking for it for %g s", name_.c_str(),
                  has_vanished_ ? "does not answer any more"
                                : text("gave no frame for %.3g s", waited).c_str(),
                  reconnect.value()));
        has_vanished_ = true; // nothing is asked of it, since each question would wait for seconds
        close_camera();
        for (;;) {
            std::string why;
            try {
                open_camera();
                this->begin();
                break;
            } catch (const Error &error) {
                why = error.what();
                close_camera();
            }
            const std::chrono::duration<double> tried = std::chrono::steady_clock::now() - begin;
            if (tried.count() > reconnect)
                throw Error(GST_RESOURCE_ERROR_READ,
                            text("camera '%s' did not come back within %g s, after %" G_GUINT64_FORMAT
                                 " frames: %s",
                                 name_.c_str(), reconnect.value(), given_, why.c_str()));
            for (int i = 0; i < 10 && !is_cancelled(); i++)
                std::this_thread::sleep_for(std::chrono::milliseconds(50));
            if (is_cancelled())
                throw Flushing();
        }
        const std::chrono::duration<double> away = std::chrono::steady_clock::now() - begin;
        id_.reset();
        clock_offset_.reset();
        came_back_ = true;
        warn(text(
            "camera '%s' is back after %.3g s; %s", name_.c_str(), away.count() + waited,
            rate_ > 0
                ? "numbers go on by the time that passed and the frame rate"
                : "nobody knows how many frames were missed, so numbers no longer tell angles, times do"));
        return true;
    }

    std::mutex camera_lock_; // for camera_ and is_acquiring_, which a trigger reads
    GObjectPtr<ArvCamera> camera_;
    GObjectPtr<ArvStream> stream_;
    bool is_acquiring_ = false;
    std::atomic<bool> has_vanished_{false};
    GObjectPtr<ArvBuffer> held_; // with the frame that was received last
    ArrayInfo info_;
    std::size_t padding_ = 0; // bytes behind a row
    std::string name_;
    double rate_ = 0; // frames a second where no trigger decides

    std::optional<std::uint64_t> id_; // of the last frame, by the camera
    std::int64_t next_ = 0;           // number of the next one
    std::uint64_t last_time_ = 0;
    GstClockTime last_arrived_ = 0;
    bool came_back_ = false;
    std::optional<std::int64_t> clock_offset_; // from the camera's clock to the epoch
    std::uint64_t given_ = 0, damaged_count_ = 0;
};

} // namespace

// GObject
// --------------------------------------------------------------------------------------------------------

struct GstTomoCameraSource {
    GstPushSrc parent;
};
struct GstTomoCameraSourceClass {
    GstPushSrcClass parent;
};
G_DEFINE_ABSTRACT_TYPE(GstTomoCameraSource, gst_tomo_camera_source, LiveSource::parent_type())

static gboolean gst_tomo_camera_source_trigger(GstElement *gst) {
    auto *camera = static_cast<Camera *>(element_of(gst));
    return camera->guard<gboolean>(FALSE, [&] { return camera->trigger_once(); });
}

static void gst_tomo_camera_source_init(GstTomoCameraSource *) {}

static void gst_tomo_camera_source_class_init(GstTomoCameraSourceClass *klass) {
    g_signal_new_class_handler(
        "trigger", G_TYPE_FROM_CLASS(klass), static_cast<GSignalFlags>(G_SIGNAL_RUN_LAST | G_SIGNAL_ACTION),
        G_CALLBACK(gst_tomo_camera_source_trigger), nullptr, nullptr, nullptr, G_TYPE_BOOLEAN, 0);
}

GType Camera::parent_type() { return gst_tomo_camera_source_get_type(); }

TOMO_ELEMENT(Camera)
