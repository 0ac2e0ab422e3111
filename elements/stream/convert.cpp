// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/transform.hpp>

#include <gst/video/video.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

namespace {

enum class ColorMap { gray, viridis };

constexpr const char *video_from = "video/x-raw, format = (string) { GRAY8, GRAY16_LE, GRAY16_BE, GRAY10_LE32 }, width = (int) [ 1, max ], "
                                   "height = (int) [ 1, max ], framerate = (fraction) [ 0/1, max ]";
constexpr const char *video_to = "video/x-raw, format = (string) { GRAY8, GRAY16_LE, GRAY16_BE, RGB }, width = (int) [ 1, max ], "
                                 "height = (int) [ 1, max ], framerate = (fraction) [ 0/1, max ]";

GstCaps *with_video(GstCaps *arrays, const char *video) { return gst_caps_merge(arrays, gst_caps_from_string(video)); }

bool is_video(const GstCaps *caps) { return gst_structure_has_name(gst_caps_get_structure(caps, 0), "video/x-raw"); }

// The one place where arrays and video meet.
class Convert final : public tomo::Transform {
  public:
    static constexpr tomo::Info info{
        "convert", "Filter/Converter/Video",
        "Gray video to arrays as it is, arrays to gray or coloured video with a window of values", tomo::formats::all,
        tomo::formats::real};

    tomo::Property<float> min{this, "min", "Value that becomes black; the largest float: the integer type's smallest, or the smallest of the first image of floats", FLT_MAX, {-FLT_MAX, FLT_MAX}};
    tomo::Property<float> max{this, "max", "Value that becomes white; the smallest float: the integer type's largest, or the largest of the first image of floats", -FLT_MAX, {-FLT_MAX, FLT_MAX}};
    tomo::Choice<ColorMap> color_map{this, "color-map", "Colours of RGB video",
                                     ColorMap::gray,
                                     {{ColorMap::gray, "gray", "From black to white"},
                                      {ColorMap::viridis, "viridis", "From dark blue over green to yellow, evenly bright in steps"}}};

    void describe_pads(GstElementClass *klass) const override {
        const tomo::CapsRef in(with_video(tomo::template_caps(tomo::formats::real), video_from));
        const tomo::CapsRef out(with_video(tomo::template_caps(tomo::formats::real), video_to));
        gst_element_class_add_pad_template(klass, gst_pad_template_new("sink", GST_PAD_SINK, GST_PAD_ALWAYS, in.get()));
        gst_element_class_add_pad_template(klass, gst_pad_template_new("src", GST_PAD_SRC, GST_PAD_ALWAYS, out.get()));
    }

  protected:
    tomo::ArrayInfo info_of(const GstCaps *caps) override {
        from_video_ = is_video(caps);
        if (!from_video_)
            return tomo::ArrayInfo::from_caps(caps);
        if (!gst_video_info_from_caps(&in_video_, caps))
            throw tomo::Error(GST_STREAM_ERROR_FORMAT, "can't use " + tomo::to_string(caps));
        const bool bytes = GST_VIDEO_INFO_FORMAT(&in_video_) == GST_VIDEO_FORMAT_GRAY8;
        return tomo::ArrayInfo(bytes ? GST_TOMO_FORMAT_UINT8 : GST_TOMO_FORMAT_UINT16, GST_VIDEO_INFO_WIDTH(&in_video_),
                               GST_VIDEO_INFO_HEIGHT(&in_video_))
            .with_rate(GST_VIDEO_INFO_FPS_N(&in_video_), GST_VIDEO_INFO_FPS_D(&in_video_));
    }

    void input_changed() override {
        held_ = {};
        input_format("in", input_info().format);
        negotiate(input_info());
    }

    // Video from arrays and arrays from video, unless the peer takes nothing but what came.
    tomo::CapsRef output_caps(GstPad *src, const tomo::ArrayInfo &out) override {
        const tomo::CapsRef peer(gst_pad_peer_query_caps(src, nullptr));
        const tomo::CapsRef on_host(out.to_caps(false)), on_device(out.to_caps(true)), video(video_caps(out));
        std::vector<tomo::CapsRef> offers{on_host, on_device, video};
        if (!from_video_)
            std::rotate(offers.begin(), offers.begin() + 2, offers.end());
        for (const auto &offer : offers) {
            tomo::CapsRef common(gst_caps_intersect_full(offer.get(), peer.get(), GST_CAPS_INTERSECT_FIRST));
            if (gst_caps_is_empty(common.get()))
                continue;
            common = tomo::CapsRef(gst_caps_fixate(gst_caps_truncate(common.release())));
            to_video_ = is_video(common.get());
            if (to_video_)
                set_video(common.get(), out);
            return common;
        }
        throw tomo::Error(GST_CORE_ERROR_NEGOTIATION, tomo::text("has %s, but the next element takes %s",
                                                                 out.describe().c_str(), tomo::to_string(peer.get()).c_str()));
    }

    GstFlowReturn take(GstBuffer *buffer) override {
        negotiate(input_info());
        if (!to_video_) {
            tomo::BufferRef packed = from_video_ ? unpack(buffer) : tomo::BufferRef(gst_buffer_ref(buffer));
            return push_foreign(input_info(), std::move(packed));
        }
        const tomo::Array in = from_video_ ? import(unpack(buffer).get(), input_info()) : import(buffer, input_info());
        return push_video(in, buffer);
    }

    void reset() override { held_ = {}; }

  private:
    struct Window {
        float min, max;
    };

    // A 3-plane array is coloured already; gray otherwise, unless a colour map was asked for.
    tomo::CapsRef video_caps(const tomo::ArrayInfo &array) const {
        GstCaps *caps = gst_caps_new_empty();
        std::vector<const char *> names{"GRAY8", "GRAY16_LE", "GRAY16_BE", "RGB"};
        if (array.depth == 3)
            names = {"RGB"};
        else if (color_map != ColorMap::gray)
            std::rotate(names.begin(), names.begin() + 3, names.end());
        for (const char *name : names)
            gst_caps_append_structure(caps, gst_structure_new("video/x-raw", "format", G_TYPE_STRING, name, "width", G_TYPE_INT,
                                                              array.width, "height", G_TYPE_INT, array.height, "framerate",
                                                              GST_TYPE_FRACTION, array.fps_n, array.fps_d, nullptr));
        return tomo::CapsRef(caps);
    }

    void set_video(GstCaps *caps, const tomo::ArrayInfo &array) {
        if (!gst_video_info_from_caps(&out_video_, caps))
            throw tomo::Error(GST_STREAM_ERROR_FORMAT, "can't make " + tomo::to_string(caps));
        if (array.depth != 1 && array.depth != 3)
            throw tomo::Error(GST_STREAM_ERROR_FORMAT,
                              tomo::text("%s has %u planes; video takes one, or three as red, green and blue: put tomoslice before",
                                         array.describe().c_str(), array.depth));
    }

    // The samples stay where they are: a meta tells of rows and their distance. Only what is not made of whole
    // integers of the host is rewritten.
    tomo::BufferRef unpack(GstBuffer *buffer) {
        const auto *meta = gst_buffer_get_video_meta(buffer);
        const gsize offset = meta ? meta->offset[0] : GST_VIDEO_INFO_PLANE_OFFSET(&in_video_, 0);
        const gsize stride = meta ? meta->stride[0] : GST_VIDEO_INFO_PLANE_STRIDE(&in_video_, 0);
        const auto format = GST_VIDEO_INFO_FORMAT(&in_video_);
        if (format == GST_VIDEO_FORMAT_GRAY8 || format == native_gray16) {
            tomo::BufferRef view(gst_buffer_copy(buffer));
            gst_buffer_add_tomo_array_meta(view.get(), offset, stride, stride * input_info().height);
            return view;
        }
        const tomo::Array array = allocate(input_info());
        {
            const tomo::MappedBuffer map(buffer, GST_MAP_READ);
            if (map.size() < offset + stride * (input_info().height - 1))
                throw tomo::Error(GST_STREAM_ERROR_FORMAT, tomo::text("a frame of %zu bytes is too short", map.size()));
            const tomo::Host<guint16> host(array);
            for (unsigned y = 0; y < array.height(); y++) {
                const guint8 *row = map.data() + offset + y * stride;
                guint16 *to = host.data() + std::size_t{y} * array.width();
                for (unsigned x = 0; x < array.width(); x++)
                    // GRAY10_LE32: three samples of 10 bits in each 32, the first in the lowest bits.
                    to[x] = format == GST_VIDEO_FORMAT_GRAY10_LE32 ? (GST_READ_UINT32_LE(row + x / 3 * 4) >> (x % 3 * 10)) & 0x3ff
                            : format == GST_VIDEO_FORMAT_GRAY16_BE ? GST_READ_UINT16_BE(row + 2 * x)
                                                                   : GST_READ_UINT16_LE(row + 2 * x);
            }
        }
        tomo::BufferRef result = array.to_buffer();
        gst_buffer_copy_into(result.get(), buffer, static_cast<GstBufferCopyFlags>(GST_BUFFER_COPY_FLAGS | GST_BUFFER_COPY_TIMESTAMPS), 0, -1);
        return result;
    }

    GstFlowReturn push_video(const tomo::Array &in, GstBuffer *buffer) {
        const Window window = window_of(in);
        const auto format = GST_VIDEO_INFO_FORMAT(&out_video_);
        tomo::Array out = allocate({GST_TOMO_FORMAT_UINT8, static_cast<unsigned>(GST_VIDEO_INFO_SIZE(&out_video_)), 1});
        const float range = window.max - window.min;
        launch(kernel("to_video", format == GST_VIDEO_FORMAT_RGB ? "-D RGB" : format == GST_VIDEO_FORMAT_GRAY8 ? "-D GRAY8" : "-D GRAY16"),
               {in.width(), in.height()}, in, out, cl_uint(GST_VIDEO_INFO_PLANE_STRIDE(&out_video_, 0)), window.min,
               range > 0.0f ? 1.0f / range : 0.0f, cl_int{format == GST_VIDEO_FORMAT_GRAY16_BE}, cl_int{in.depth() == 3},
               cl_int{color_map == ColorMap::viridis});
        tomo::BufferRef result = out.to_buffer();
        gst_buffer_copy_into(result.get(), buffer,
                             static_cast<GstBufferCopyFlags>(GST_BUFFER_COPY_FLAGS | GST_BUFFER_COPY_TIMESTAMPS), 0, -1);
        if (const auto *facts = gst_buffer_get_tomo_frame_meta(buffer))
            gst_buffer_add_tomo_frame_meta(result.get(), facts->index, facts->angle, facts->time, facts->source);
        tomo::cl_check(clFlush(queue()), "submitting commands");
        limit_frames_in_flight(out);
        out.storage()->prefetch();
        return push_foreign(input_info(), std::move(result));
    }

    Window window_of(const tomo::Array &in) {
        Window window{min, max};
        if (min != FLT_MAX && max != -FLT_MAX)
            return window;
        if (!held_) {
            held_ = range_of(in);
            GST_INFO_OBJECT(gst(), "window %g to %g", held_->min, held_->max);
            post_message(gst_structure_new("tomo-window", "min", G_TYPE_FLOAT, held_->min, "max", G_TYPE_FLOAT, held_->max, nullptr));
        }
        return {min != FLT_MAX ? window.min : held_->min, max != -FLT_MAX ? window.max : held_->max};
    }

    template <class T> static Window range_of_type() {
        return {static_cast<float>(std::numeric_limits<T>::min()), static_cast<float>(std::numeric_limits<T>::max())};
    }

    Window range_of(const tomo::Array &in) {
        switch (in.info().format) {
        case GST_TOMO_FORMAT_UINT8:
            return range_of_type<guint8>();
        case GST_TOMO_FORMAT_UINT16:
            return range_of_type<guint16>();
        case GST_TOMO_FORMAT_UINT32:
            return range_of_type<guint32>();
        case GST_TOMO_FORMAT_INT16:
            return range_of_type<gint16>();
        case GST_TOMO_FORMAT_INT32:
            return range_of_type<gint32>();
        default:
            break;
        }
        tomo::Array floats = allocate(in.info().with_format(GST_TOMO_FORMAT_FLOAT32));
        launch(kernel("to_float", "", "read.cl"), tomo::WorkSize(in.info().samples()), in, floats);
        const tomo::Host<const float> host(floats);
        Window window{std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity()};
        for (std::uint64_t i = 0; i < in.info().samples(); i++)
            if (std::isfinite(host[i]))
                window = {std::min(window.min, host[i]), std::max(window.max, host[i])};
        return window.min <= window.max ? window : Window{0.0f, 1.0f};
    }

    static constexpr GstVideoFormat native_gray16 =
        G_BYTE_ORDER == G_LITTLE_ENDIAN ? GST_VIDEO_FORMAT_GRAY16_LE : GST_VIDEO_FORMAT_GRAY16_BE;

    bool from_video_ = false, to_video_ = false;
    GstVideoInfo in_video_, out_video_;
    std::optional<Window> held_;
};

} // namespace

TOMO_ELEMENT(Convert)
