// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "window.hpp"

#include "../graph-program.hpp"

#include <gst/tomo/device/array.hpp>
#include <gst/tomo/device/device-array.hpp>

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace live {

namespace {

constexpr int side = 388; // of a pane, with a gap

// Two rows where there are more than three.
int columns_of(unsigned planes) {
    return static_cast<int>(planes > 3 ? (planes + 1) / 2 : std::max(planes, 1u));
}
int rows_of(unsigned planes) { return planes > 3 ? 2 : 1; }

// The values between which all but the darkest and brightest half per cent lie.
template <class Range>
Range usual_range(const float *values, std::size_t count) {
    std::vector<float> finite;
    const auto step = std::max<std::size_t>(1, count / 65536);
    for (std::size_t i = 0; i < count; i += step)
        if (std::isfinite(values[i]))
            finite.push_back(values[i]);
    if (finite.empty())
        return {0, 1};
    const auto at = [&](double share) {
        const auto place = finite.begin() + static_cast<std::ptrdiff_t>(share * (finite.size() - 1));
        std::nth_element(finite.begin(), place, finite.end());
        return double{*place};
    };
    return {at(0.005), at(0.995)};
}

} // namespace

// Others that autovideosink might take draw characters, or take the whole screen.
std::string Window::usual_line() {
    // It would take a sink that shows nothing, without a word.
    if (!g_getenv("DISPLAY") && !g_getenv("WAYLAND_DISPLAY"))
        throw std::runtime_error("no window can be opened, because no display is here (DISPLAY and "
                                 "WAYLAND_DISPLAY are not set): use --web, which tells an address for a "
                                 "browser, --window ELEMENTS or --window none");
    for (const char *sink : {"glimagesink", "xvimagesink", "ximagesink", "waylandsink", "gtksink"})
        if (auto *factory = gst_element_factory_find(sink)) {
            gst_object_unref(factory);
            return "autovideosink";
        }
    throw std::runtime_error(
        "no window can be opened, because GStreamer has no element for one: install "
        "gstreamer1.0-x or gstreamer1.0-gl, or use --web, --window ELEMENTS or --window none");
}

Window::Window(const std::string &line, unsigned planes, std::optional<double> minimum,
               std::optional<double> maximum)
    : width_(columns_of(planes) * side), height_(rows_of(planes) * side), minimum_(minimum),
      maximum_(maximum) {
    GError *raw = nullptr;
    // A window keeps the size of its first picture.
    const auto whole = tomo::text("compositor name=mixer background=black ! "
                                  "video/x-raw,width=%d,height=%d,framerate=25/1 ! videoconvert ! %s",
                                  width_, height_, line.c_str());
    auto *parsed = gst_parse_launch_full(whole.c_str(), nullptr, GST_PARSE_FLAG_FATAL_ERRORS, &raw);
    const tool::Owned<GError> error(raw);
    if (!parsed)
        throw std::runtime_error("no window by '" + line + "': " + (error ? error->message : "no element"));
    pipeline_ = tomo::ObjectRef<GstElement>(GST_ELEMENT_CAST(gst_object_ref_sink(parsed)));
    mixer_ = tomo::ObjectRef<GstElement>(gst_bin_get_by_name(GST_BIN(parsed), "mixer"));
}

Window::~Window() {
    for (auto &[plane, pane] : panes_) {
        GstFlowReturn flow = GST_FLOW_OK;
        g_signal_emit_by_name(pane.source.get(), "end-of-stream", &flow);
    }
    gst_element_set_state(pipeline_.get(), GST_STATE_NULL);
}

Window::Pane &Window::pane(unsigned plane) {
    auto &pane = panes_[plane];
    if (pane.source)
        return pane;
    auto *source = gst_element_factory_make("appsrc", nullptr);
    if (!source)
        throw std::runtime_error("no window: GStreamer's element appsrc is missing");
    pane.source = tomo::ObjectRef<GstElement>::referenced(source);
    g_object_set(source, "is-live", TRUE, "format", GST_FORMAT_TIME, "do-timestamp", TRUE, "max-buffers",
                 guint64{2}, "leaky-type", 2, nullptr);
    gst_bin_add(GST_BIN(pipeline_.get()), source);
    pane.place = tomo::ObjectRef<GstPad>(gst_element_request_pad_simple(mixer_.get(), "sink_%u"));
    const tomo::ObjectRef<GstPad> out(gst_element_get_static_pad(source, "src"));
    gst_pad_link(out.get(), pane.place.get());
    gst_element_sync_state_with_parent(source);
    if (panes_.size() == 1)
        gst_element_set_state(pipeline_.get(), GST_STATE_PLAYING);
    return pane;
}

void Window::arrange() {
    constexpr int gap = 4;
    const auto count = static_cast<unsigned>(panes_.size());
    const int columns = columns_of(count), cell = std::min(width_ / columns, height_ / rows_of(count));
    int n = 0;
    for (auto &[plane, pane] : panes_) {
        const double scale = static_cast<double>(cell - gap) / std::max({pane.width, pane.height, 1});
        g_object_set(pane.place.get(), "xpos", n % columns * cell, "ypos", n / columns * cell, "width",
                     static_cast<int>(pane.width * scale), "height", static_cast<int>(pane.height * scale),
                     nullptr);
        n++;
    }
}

void Window::show(unsigned plane, GstSample *slice) {
    const auto info = tomo::ArrayInfo::from_caps(gst_sample_get_caps(slice));
    const tomo::MappedBuffer samples(gst_sample_get_buffer(slice), GST_MAP_READ);
    const auto *values = reinterpret_cast<const float *>(samples.data());
    auto &pane = this->pane(plane);
    const auto width = static_cast<int>(info.width), height = static_cast<int>(info.height);
    if (pane.width != width || pane.height != height) {
        pane.width = width;
        pane.height = height;
        tomo::CapsRef caps(gst_caps_new_simple("video/x-raw", "format", G_TYPE_STRING, "GRAY8", "width",
                                               G_TYPE_INT, width, "height", G_TYPE_INT, height, "framerate",
                                               GST_TYPE_FRACTION, 25, 1, nullptr));
        g_object_set(pane.source.get(), "caps", caps.get(), nullptr);
        arrange();
    }
    if (!pane.range)
        pane.range = usual_range<Range>(values, info.plane_samples());
    const double black = minimum_.value_or(pane.range->minimum),
                 white = maximum_.value_or(pane.range->maximum);
    const double factor = white != black ? 255.0 / (white - black) : 0.0;
    const std::size_t stride = (info.width + 3) / 4 * 4; // as video has it
    tomo::BufferRef image(gst_buffer_new_allocate(nullptr, stride * info.height, nullptr));
    {
        const tomo::MappedBuffer pixels(image.get(), GST_MAP_WRITE);
        for (std::size_t y = 0; y < info.height; y++)
            for (std::size_t x = 0; x < info.width; x++) {
                const double grey = (values[y * info.width + x] - black) * factor;
                pixels.data()[y * stride + x] =
                    static_cast<guint8>(std::isfinite(grey) ? std::clamp(grey, 0.0, 255.0) : 0.0);
            }
    }
    GstFlowReturn flow = GST_FLOW_OK;
    g_signal_emit_by_name(pane.source.get(), "push-buffer", image.get(), &flow);
}

std::string Window::problem() {
    const tomo::ObjectRef<GstBus> bus(gst_element_get_bus(pipeline_.get()));
    while (auto *message = gst_bus_pop_filtered(bus.get(), GST_MESSAGE_ERROR)) {
        GError *raw = nullptr;
        gst_message_parse_error(message, &raw, nullptr);
        gst_message_unref(message);
        const tool::Owned<GError> error(raw);
        problem_ = error->message;
    }
    return problem_;
}

} // namespace live
