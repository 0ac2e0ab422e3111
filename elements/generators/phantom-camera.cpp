// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/element.hpp>

#include <gst/base/gstpushsrc.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <numbers>

using namespace tomo;

namespace {

enum class Scene { sample, flat, dark };

// In a unit of half the smaller side of the detector, and attenuation in that unit. The axis is x = y = 0,
// and z = 0 is the middle row.
struct Ellipsoid {
    double x, y, z, a, b, c, turned, attenuation;
};

constexpr Ellipsoid phantom[] = {
    {0, 0, 0, 0.72, 0.60, 0.90, 0.3, 1.2},          {0, 0, 0, 0.66, 0.54, 0.84, 0.3, -0.5},
    {0.24, 0.10, 0.10, 0.18, 0.12, 0.5, -0.4, 0.6}, {-0.26, -0.06, -0.10, 0.14, 0.2, 0.45, 0.5, -0.55},
    {0.02, 0.34, 0.15, 0.08, 0.08, 0.08, 0, 1.5},   {-0.08, -0.33, -0.3, 0.05, 0.05, 0.05, 0, 2.5},
    {0.40, -0.18, 0.35, 0.06, 0.06, 0.06, 0, 2.0},  {-0.05, 0.02, -0.5, 0.22, 0.1, 0.06, 1.0, 1.0},
};
constexpr unsigned moving_one = 4; // the ball that moves

// Its frames are in plain memory, and no device makes them: a camera does not wait for one.
class PhantomCamera final : public Element {
  public:
    static constexpr Info info{
        .task = "phantom-camera",
        .klass = "Source",
        .blurb =
            "Frames that a camera takes of a turning phantom in a parallel beam, with noise, darks and flats",
        .in = formats::uint16,
        .out = formats::uint16,
        .details =
            R"(A beamline to try things with. Frame n of the `sample` is taken at t = (n + j) / `frame-rate`, and shows the phantom at the angle
pi t `frame-rate` / `half-turn`: that is pi n / `half-turn` where j, the jitter, is 0. A pixel counts

    dark + (flat - dark) exp(-p)

where p is the exact integral of the attenuation along the ray through its middle, over ellipsoids, and flat a beam of 40000 counts that is
uneven from pixel to pixel. `noise` adds normal noise of so many times the root of the counts above the dark. `moving` lets a ball drift along x.

Each frame has its number and its time. Frames of a number are always the same ones, for one `seed`. With `live` they come at their times,
and a stream that takes them too slowly loses some, as from a camera that has few buffers. `lost` and `repeated` are the shares of frames that are
left out, or come twice.)",
        .example = "tomophantomcamera num-buffers=60 live=false ! tomowrite filename=frames.tif",
    };

    Property<unsigned> width{this, "width", 512, {1, 32768}, "Columns"};
    Property<unsigned> height{this, "height", 512, {1, 32768}, "Rows"};
    Property<double> frame_rate{this, "frame-rate", 50.0, {1e-3, 1e6}, When::ready, "Frames a second"};
    Property<unsigned> half_turn{
        this, "half-turn", 180, {1, 1u << 20}, "Frames in half a turn of the sample"};
    Property<bool> live{this, "live", true, When::ready,
                        "Whether frames come at their times; otherwise as fast as they are taken"};
    Choice<Scene> scene{this,
                        "scene",
                        Scene::sample,
                        {{Scene::sample, "sample", "The turning phantom"},
                         {Scene::flat, "flat", "The beam alone, for flats"},
                         {Scene::dark, "dark", "No beam, for darks"}},
                        "What is before the camera"};
    Property<double> axis_pos{this,
                              "axis-pos",
                              Automatic{0.0},
                              {0.0, 32768.0},
                              "Rotation axis in edge coordinates; 0: the middle of the columns"};
    Property<double> dark{this, "dark", 200.0, {0.0, 20000.0}, "Counts without a beam"};
    Property<double> noise{this, "noise", 1.0, {0.0, 100.0}, "Noise, in units of that of photons; 0: none"};
    Property<double> moving{
        this, "moving", 0.0, {-1e4, 1e4}, "Pixels by which a ball moves along x in half a turn"};
    Property<double> jitter{this,
                            "jitter",
                            0.0,
                            {0.0, 0.5},
                            "Largest deviation of a frame's time, in units of the time between two frames"};
    Property<double> lost{this, "lost", 0.0, {0.0, 0.99}, "Share of the frames that are left out"};
    Property<double> repeated{this, "repeated", 0.0, {0.0, 0.99}, "Share of the frames that come twice"};
    Property<bool> tells_angle{this, "tells-angle", false, "Whether frames tell their angles"};
    Property<bool> stopped{this, "stopped", false, "Whether the camera has stopped, and gives no frame"};
    Property<std::uint64_t> seed{this, "seed", 0, When::ready, "Of noise, of jitter and of what is left out"};

    static GType parent_type();
    bool needs_device() const override { return false; }
    void describe_pads(GstElementClass *klass) const override;
    void attach() override { set_live(); }
    void property_changed(PropertyBase *property) override {
        if (property == &live)
            set_live();
        cancelled_changed();
    }
    void cancelled_changed() override {
        const std::lock_guard<std::mutex> lock(lock_);
        wake_.notify_all();
    }

    void begin();
    void end() noexcept;
    GstFlowReturn create(GstBuffer **buffer);

  private:
    using Clock = std::chrono::steady_clock;

    void set_live() { gst_base_src_set_live(GST_BASE_SRC(gst()), live); }

    // Random numbers that depend on the seed, a number and a purpose alone.
    std::uint64_t random(std::uint64_t n, unsigned purpose) const {
        std::uint64_t x = seed + 0x9e3779b97f4a7c15u * (4 * n + purpose + 1); // splitmix64
        x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
        x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
        return x ^ (x >> 31);
    }
    double random_share(std::uint64_t n, unsigned purpose) const {
        return static_cast<double>(random(n, purpose) >> 11) * 0x1p-53;
    }

    double place_in_time(std::uint64_t n) const { // in frames
        const double deviation = n ? jitter * (2 * random_share(n, 0) - 1) : 0.0;
        return static_cast<double>(n) + deviation;
    }
    double seconds(std::uint64_t n) const { return place_in_time(n) / frame_rate; }
    double angle(std::uint64_t n) const { return std::numbers::pi * place_in_time(n) / half_turn; }

    // Waits for the next frame; false where that is given up.
    bool choose_number() {
        if (std::exchange(is_again_, false))
            return true;
        if (!begin_) {
            begin_ = Clock::now();
            epoch_ = live ? static_cast<GstClockTime>(g_get_real_time()) * GST_USECOND : 0;
        }
        const auto is_over = [&] { return is_cancelled(); };
        std::unique_lock<std::mutex> lock(lock_);
        if (stopped) {
            wake_.wait(lock, [&] { return !stopped || is_over(); });
            if (live) // it counts on, and what nobody took is lost
                next_ = std::max(next_, frame_of(Clock::now()));
        }
        // As many frames as a camera's driver may hold.
        constexpr std::uint64_t held = 16;
        if (live && frame_of(Clock::now()) > next_ + held)
            next_ = frame_of(Clock::now());
        while (lost > 0 && random_share(next_, 1) < lost)
            next_++;
        number_ = next_++;
        is_again_ = repeated > 0 && random_share(number_, 2) < repeated;
        if (live)
            wake_.wait_until(lock, *begin_ + std::chrono::nanoseconds(std::llround(seconds(number_) * 1e9)),
                             is_over);
        return !is_over();
    }
    std::uint64_t frame_of(Clock::time_point now) const {
        return static_cast<std::uint64_t>(std::chrono::duration<double>(now - *begin_).count() * frame_rate);
    }

    // Line integrals of a row at this angle. p, edges of pixels and z count in pixels.
    void integrate(const ArrayInfo &info, double theta, unsigned row, std::vector<float> &path) const {
        const double unit = std::min(info.width, info.height) / 2.0;
        const double axis = axis_pos.chosen().value_or(info.width / 2.0);
        std::fill(path.begin(), path.end(), 0.0f);
        for (const auto &e : phantom) {
            const double z = (row + 0.5 - info.height / 2.0) / unit;
            const double inside = 1 - (z - e.z) * (z - e.z) / (e.c * e.c);
            if (inside <= 0)
                continue;
            const double drift = &e == &phantom[moving_one] ? moving * theta / std::numbers::pi / unit : 0.0;
            const double c = std::cos(theta - e.turned), s = std::sin(theta - e.turned);
            const double width2 = e.a * e.a * c * c + e.b * e.b * s * s; // of its shadow, squared
            const double middle =
                axis + unit * ((e.x + drift) * std::cos(theta) + e.y * std::sin(theta)) - 0.5;
            const double reach = unit * std::sqrt(width2 * inside);
            const auto first =
                static_cast<unsigned>(std::clamp(std::ceil(middle - reach), 0.0, double(info.width)));
            const auto end =
                static_cast<unsigned>(std::clamp(std::floor(middle + reach) + 1, 0.0, double(info.width)));
            const auto factor = static_cast<float>(2 * e.a * e.b * e.attenuation / (width2 * unit));
            const auto reach2 = static_cast<float>(reach * reach);
            for (unsigned x = first; x < end; x++) {
                const auto off = static_cast<float>(x - middle);
                path[x] += factor * std::sqrt(std::max(reach2 - off * off, 0.0f));
            }
        }
    }

    // The beam of a pixel: no two are alike, and all frames have the same.
    static float flat_of(const ArrayInfo &info, unsigned x, unsigned y) {
        const auto hash = (x * 2654435761u) ^ (y * 2246822519u);
        const float across = (2.0f * x - info.width) / info.width;
        return 40000.0f * (1.0f - 0.1f * across * across) * (0.97f + 0.03f * ((hash >> 16 & 255) / 255.0f));
    }

    void render(const ArrayInfo &info, std::uint16_t *pixels) const {
        const double theta = angle(number_);
        const auto base = static_cast<float>(dark), grain = static_cast<float>(noise);
        const auto now = scene.value();
        std::vector<float> path(info.width);
        std::uint64_t state = random(number_, 3) | 1;
        for (unsigned y = 0; y < info.height; y++) {
            if (now == Scene::sample)
                integrate(info, theta, y, path);
            auto *row = pixels + std::size_t{y} * info.width;
            for (unsigned x = 0; x < info.width; x++) {
                float light = now == Scene::dark ? 0.0f : flat_of(info, x, y);
                if (path[x] != 0.0f)
                    light *= std::exp(-path[x]);
                float value = base + light;
                if (grain > 0) {
                    state ^= state << 13, state ^= state >> 7, state ^= state << 17; // xorshift64
                    // The sum of four even ones is nearly normal, with a variance of 1/3.
                    const auto sum = static_cast<float>((state & 0xffff) + (state >> 16 & 0xffff) +
                                                        (state >> 32 & 0xffff) + (state >> 48));
                    value += grain * std::sqrt(light + 25.0f) * (sum / 65536.0f - 2.0f) *
                             std::numbers::sqrt3_v<float>;
                }
                row[x] = static_cast<std::uint16_t>(std::clamp(value + 0.5f, 0.0f, 65535.0f));
            }
        }
    }

    ArrayInfo info_;  // of the caps in force
    std::mutex lock_; // for wake_, which is told of properties and ends
    std::condition_variable wake_;
    std::optional<Clock::time_point> begin_;
    GstClockTime epoch_ = 0;              // of frame 0
    std::uint64_t next_ = 0, number_ = 0; // of the next frame, and of this one
    bool is_again_ = false;               // this one comes once more
};

void PhantomCamera::begin() {
    forget_error();
    info_ = {};
    next_ = number_ = 0;
    is_again_ = false;
    begin_.reset();
    start();
}

void PhantomCamera::end() noexcept { stop_and_forget(); }

GstFlowReturn PhantomCamera::create(GstBuffer **buffer) {
    if (!choose_number())
        return GST_FLOW_FLUSHING;
    const auto info = ArrayInfo(GST_TOMO_FORMAT_UINT16, width, height)
                          .with_domain(GST_TOMO_DOMAIN_PROJECTION)
                          .with_rate(0, 1);
    if (info != info_) {
        const CapsRef caps(info.to_caps(false));
        if (!gst_base_src_set_caps(GST_BASE_SRC(gst()), caps.get()))
            return GST_FLOW_NOT_NEGOTIATED;
        info_ = info;
    }
    BufferRef frame(gst_buffer_new_allocate(nullptr, info.size(), nullptr));
    {
        const MappedBuffer pixels(frame.get(), GST_MAP_WRITE);
        render(info, reinterpret_cast<std::uint16_t *>(pixels.data()));
    }
    const auto time = static_cast<GstClockTime>(std::llround(seconds(number_) * GST_SECOND));
    gst_buffer_add_tomo_frame_meta(frame.get(), number_, tells_angle ? angle(number_) : std::nan(""),
                                   epoch_ + time, nullptr);
    GST_BUFFER_PTS(frame.get()) = time;
    GST_BUFFER_OFFSET(frame.get()) = number_;
    GST_BUFFER_OFFSET_END(frame.get()) = number_ + 1;
    *buffer = frame.release();
    return GST_FLOW_OK;
}

} // namespace

// GObject
// --------------------------------------------------------------------------------------------------------

struct GstTomoPhantomCameraSrc {
    GstPushSrc parent;
};
struct GstTomoPhantomCameraSrcClass {
    GstPushSrcClass parent;
};
G_DEFINE_ABSTRACT_TYPE(GstTomoPhantomCameraSrc, gst_tomo_phantom_camera_src, GST_TYPE_PUSH_SRC)

static PhantomCamera *camera_of(gpointer gst) {
    return static_cast<PhantomCamera *>(element_of(GST_ELEMENT_CAST(gst)));
}

static void gst_tomo_phantom_camera_src_init(GstTomoPhantomCameraSrc *self) {
    gst_base_src_set_format(GST_BASE_SRC(self), GST_FORMAT_TIME);
}

static void gst_tomo_phantom_camera_src_class_init(GstTomoPhantomCameraSrcClass *klass) {
    auto *base = GST_BASE_SRC_CLASS(klass);
    base->start = [](GstBaseSrc *self) -> gboolean {
        auto *camera = camera_of(self);
        return camera->guard([&] { camera->begin(); });
    };
    base->stop = [](GstBaseSrc *self) -> gboolean { return camera_of(self)->end(), TRUE; };
    // The caps come with the next frame.
    base->negotiate = [](GstBaseSrc *) -> gboolean { return TRUE; };
    base->decide_allocation = [](GstBaseSrc *, GstQuery *) -> gboolean { return TRUE; };
    base->unlock = [](GstBaseSrc *self) -> gboolean { return camera_of(self)->cancel(Cancel::flush), TRUE; };
    base->unlock_stop = [](GstBaseSrc *self) -> gboolean {
        return camera_of(self)->go_on(Cancel::flush), TRUE;
    };
    GST_PUSH_SRC_CLASS(klass)->create = [](GstPushSrc *self, GstBuffer **buffer) {
        auto *camera = camera_of(self);
        return camera->guard_flow([&] { return camera->create(buffer); });
    };
}

GType PhantomCamera::parent_type() { return gst_tomo_phantom_camera_src_get_type(); }

void PhantomCamera::describe_pads(GstElementClass *klass) const {
    const CapsRef out(template_caps(info.out));
    gst_element_class_add_pad_template(klass,
                                       gst_pad_template_new("src", GST_PAD_SRC, GST_PAD_ALWAYS, out.get()));
}

TOMO_ELEMENT(PhantomCamera)
