// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/negotiation.hpp>
#include <gst/tomo/bases/transform.hpp>
#include <gst/tomo/support/debug.hpp>

#include <gst/video/video.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

using namespace tomo;

#define GST_CAT_DEFAULT tomo::element_debug()

namespace {

enum class ColorMap { gray, viridis };

constexpr const char *video_from =
    "video/x-raw, format = (string) { GRAY8, GRAY16_LE, GRAY16_BE, GRAY10_LE32 }, width = (int) [ 1, max ], "
    "height = (int) [ 1, max ], framerate = (fraction) [ 0/1, max ]";
constexpr const char *video_to =
    "video/x-raw, format = (string) { GRAY8, GRAY16_LE, GRAY16_BE, RGB }, width = (int) [ 1, max ], "
    "height = (int) [ 1, max ], framerate = (fraction) [ 0/1, max ]";

GstCaps *with_video(GstCaps *arrays, const char *video) {
    return gst_caps_merge(arrays, gst_caps_from_string(video));
}

bool is_video(const GstCaps *caps) {
    return gst_structure_has_name(gst_caps_get_structure(caps, 0), "video/x-raw");
}

// The array as a buffer with the times and facts of the one that it was made of.
BufferRef with_facts_of(GstBuffer *from, const Array &array) {
    BufferRef buffer = array.to_buffer();
    copy_frame_metadata(from, buffer.get(), Pixels::same);
    return buffer;
}

// The one place where arrays and video meet.
class Convert final : public Transform {
  public:
    static constexpr Info info{
        .task = "convert",
        .klass = "Filter/Converter/Video",
        .blurb = "Makes arrays of gray video, and gray or coloured video of arrays, with a window of values",
        .in = formats::all,
        .out = formats::real,
        .details =
            "This element connects arrays to GStreamer's video. Values of `video/x-raw` in GRAY8, GRAY16 "
            "or GRAY10 stay as they are. In video, v becomes (v - min) / (max - min) of the brightness, "
            "clipped, in GRAY8, GRAY16 or RGB; three planes are red, green and blue. Without `min` and "
            "`max` the range of the first image is used for all, and a message tells it.",
        .example =
            "tomoread path=slice.tif ! tomoconvert min=0 max=0.012 ! video/x-raw,format=GRAY8 ! pngenc ! "
            "filesink location=slice.png",
    };

    Property<float> min{
        this,
        "min",
        Automatic{FLT_MAX},
        {-FLT_MAX, FLT_MAX},
        "Value that becomes black in video; above max it inverts. The largest float: the integer "
        "type's smallest, or the smallest of the first image of floats"};
    Property<float> max{
        this,
        "max",
        Automatic{-FLT_MAX},
        {-FLT_MAX, FLT_MAX},
        "Value that becomes white in video. The smallest float: the integer type's largest, or the "
        "largest of the first image of floats"};
    Choice<ColorMap> color_map{
        this,
        "color-map",
        ColorMap::gray,
        {{ColorMap::gray, "gray", "From black to white"},
         {ColorMap::viridis, "viridis", "From dark blue over green to yellow, evenly brighter"}},
        "Colours of one plane in video; any but gray give RGB"};

    void describe_pads(GstElementClass *klass) const override {
        const CapsRef in(with_video(template_caps(formats::real), video_from));
        const CapsRef out(with_video(template_caps(formats::real), video_to));
        gst_element_class_add_pad_template(
            klass, gst_pad_template_new("sink", GST_PAD_SINK, GST_PAD_ALWAYS, in.get()));
        gst_element_class_add_pad_template(
            klass, gst_pad_template_new("src", GST_PAD_SRC, GST_PAD_ALWAYS, out.get()));
    }

    // Another map may need another kind of video.
    void property_changed(PropertyBase *property) override {
        if (property == &color_map)
            renegotiate();
        Transform::property_changed(property);
    }

  protected:
    ArrayInfo info_of(const GstCaps *caps) override {
        from_video_ = is_video(caps);
        if (!from_video_)
            return ArrayInfo::from_caps(caps);
        if (!gst_video_info_from_caps(&in_video_, caps))
            throw Error(GST_STREAM_ERROR_FORMAT, "can't use " + to_string(caps));
        const bool bytes = GST_VIDEO_INFO_FORMAT(&in_video_) == GST_VIDEO_FORMAT_GRAY8;
        return ArrayInfo(bytes ? GST_TOMO_FORMAT_UINT8 : GST_TOMO_FORMAT_UINT16,
                         GST_VIDEO_INFO_WIDTH(&in_video_), GST_VIDEO_INFO_HEIGHT(&in_video_))
            .with_rate(GST_VIDEO_INFO_FPS_N(&in_video_), GST_VIDEO_INFO_FPS_D(&in_video_));
    }

    void begin(const ArrayInfo &in) override {
        held_ = {};
        negotiate(in);
    }

    // Video from arrays and arrays from video, unless the peer takes nothing but what came.
    CapsRef output_caps(GstPad *src, const ArrayInfo &out) override {
        const CapsRef peer(gst_pad_peer_query_caps(src, nullptr));
        std::vector<CapsRef> offers;
        offers.emplace_back(out.to_caps(false));
        offers.emplace_back(out.to_caps(true));
        offers.insert(from_video_ ? offers.end() : offers.begin(), video_caps(out));
        strides_are_welcome_ = {};
        for (const auto &offer : offers) {
            CapsRef common(gst_caps_intersect_full(offer.get(), peer.get(), GST_CAPS_INTERSECT_FIRST));
            if (gst_caps_is_empty(common.get()))
                continue;
            common = CapsRef(gst_caps_fixate(gst_caps_truncate(common.release())));
            to_video_ = is_video(common.get());
            to_device_ = gst_caps_features_contains(gst_caps_get_features(common.get(), 0),
                                                    GST_TOMO_CAPS_FEATURE_MEMORY);
            if (to_video_ && !gst_video_info_from_caps(&out_video_, common.get()))
                throw Error(GST_STREAM_ERROR_FORMAT, "can't make " + to_string(common.get()));
            return common;
        }
        throw Error(GST_CORE_ERROR_NEGOTIATION,
                    text("has %s, but the next element takes %s; %s", out.describe().c_str(),
                         to_string(peer.get()).c_str(), advice(out)));
    }

    GstFlowReturn take(GstBuffer *buffer) override {
        negotiate(input_info());
        BufferRef array = from_video_ ? unpack(buffer) : BufferRef::referenced(buffer);
        if (to_video_)
            return push_video(import(array.get(), input_info()), buffer);
        if (to_device_)
            array = with_facts_of(buffer, import(array.get(), input_info()));
        return push_submitted(input_info(), std::move(array));
    }

    void clear() override { held_ = {}; }

  private:
    struct Window {
        float min, max;
    };

    ObjectRef<GstPad> src_pad() const { return ObjectRef<GstPad>(gst_element_get_static_pad(gst(), "src")); }

    // Three planes are coloured already; one is gray unless a colour map was asked for.
    CapsRef video_caps(const ArrayInfo &array) const {
        std::vector<const char *> formats;
        if (array.depth == 3 ? color_map == ColorMap::gray : array.depth == 1 && color_map != ColorMap::gray)
            formats = {"RGB"};
        else if (array.depth == 1)
            formats = {"GRAY8", "GRAY16_LE", "GRAY16_BE", "RGB"};
        CapsRef caps(gst_caps_new_empty());
        for (const char *format : formats)
            gst_caps_append_structure(caps.get(), gst_structure_new("video/x-raw", "format", G_TYPE_STRING,
                                                                    format, "width", G_TYPE_INT, array.width,
                                                                    "height", G_TYPE_INT, array.height,
                                                                    "framerate", GST_TYPE_FRACTION,
                                                                    array.fps_n, array.fps_d, nullptr));
        return caps;
    }

    const char *advice(const ArrayInfo &array) const {
        if (array.depth == 3 && color_map != ColorMap::gray)
            return "three planes are red, green and blue, which takes color-map=gray";
        if (array.depth != 1)
            return "video has one plane, or three as red, green and blue: put tomoslice before";
        if (color_map != ColorMap::gray)
            return "a color-map other than gray gives RGB";
        return "video of this size and rate can be GRAY8, GRAY16_LE, GRAY16_BE or RGB";
    }

    bool ask_for_strides() const {
        const auto src = src_pad();
        const CapsRef caps(gst_pad_get_current_caps(src.get()));
        const QueryRef query(gst_query_new_allocation(caps.get(), FALSE));
        return gst_pad_peer_query(src.get(), query.get()) &&
               gst_query_find_allocation_meta(query.get(), GST_TOMO_ARRAY_META_API_TYPE, nullptr);
    }

    // Frames are handed on as they are where rows are packed, or where a meta can tell of the rows' distance.
    BufferRef unpack(GstBuffer *buffer) {
        const auto *meta = gst_buffer_get_video_meta(buffer);
        const gsize offset = meta ? meta->offset[0] : GST_VIDEO_INFO_PLANE_OFFSET(&in_video_, 0);
        const gsize stride = meta ? meta->stride[0] : GST_VIDEO_INFO_PLANE_STRIDE(&in_video_, 0);
        const auto &info = input_info();
        const auto format = GST_VIDEO_INFO_FORMAT(&in_video_);
        if (format != GST_VIDEO_FORMAT_GRAY8 && format != native_gray16)
            return with_facts_of(buffer, to_native(buffer, offset, stride));
        if (offset == 0 && stride == info.width * info.sample_size() &&
            gst_buffer_get_size(buffer) == info.size())
            return BufferRef::referenced(buffer);
        BufferRef view(gst_buffer_copy(buffer));
        gst_buffer_add_tomo_array_meta(view.get(), offset, stride, stride * info.height);
        if (to_video_ || to_device_)
            return view;
        if (!strides_are_welcome_)
            strides_are_welcome_ = ask_for_strides();
        return *strides_are_welcome_ ? std::move(view) : with_facts_of(buffer, import(view.get(), info));
    }

    // For frames that are not made of whole integers of the host.
    Array to_native(GstBuffer *buffer, gsize offset, gsize stride) {
        const auto format = GST_VIDEO_INFO_FORMAT(&in_video_);
        const bool ten_bits = format == GST_VIDEO_FORMAT_GRAY10_LE32;
        const Array array = allocate(input_info());
        const gsize row_bytes = ten_bits ? (array.width() + 2) / 3 * 4 : 2 * array.width();
        const MappedBuffer map(buffer, GST_MAP_READ);
        if (map.size() < offset + stride * (array.height() - 1) + row_bytes)
            throw Error(GST_STREAM_ERROR_FORMAT, text("a frame of %zu bytes is too short for %s", map.size(),
                                                      array.info().describe().c_str()));
        const Host<guint16> host(array);
        for (unsigned y = 0; y < array.height(); y++) {
            const guint8 *row = map.data() + offset + y * stride;
            guint16 *to = host.data() + std::size_t{y} * array.width();
            for (unsigned x = 0; x < array.width(); x++)
                // GRAY10_LE32: three samples of 10 bits in each 32, the first in the lowest bits.
                to[x] = ten_bits ? (GST_READ_UINT32_LE(row + x / 3 * 4) >> (x % 3 * 10)) & 0x3ff
                        : format == GST_VIDEO_FORMAT_GRAY16_BE ? GST_READ_UINT16_BE(row + 2 * x)
                                                               : GST_READ_UINT16_LE(row + 2 * x);
        }
        return array;
    }

    GstFlowReturn push_video(const Array &in, GstBuffer *buffer) {
        const Window window = window_of(in);
        const double range = double{window.max} - window.min;
        const auto format = GST_VIDEO_INFO_FORMAT(&out_video_);
        const char *variant = format == GST_VIDEO_FORMAT_RGB     ? "-D RGB"
                              : format == GST_VIDEO_FORMAT_GRAY8 ? "-D GRAY8"
                                                                 : "-D GRAY16";
        Array out = allocate({GST_TOMO_FORMAT_UINT8, GST_VIDEO_INFO_SIZE(&out_video_), 1});
        launch(kernel("to_video", variant), {in.width(), in.height()}, in, out,
               cl_uint(GST_VIDEO_INFO_PLANE_STRIDE(&out_video_, 0)), window.min,
               range != 0 ? static_cast<float>(1 / range) : 0.0f,
               cl_int{format == GST_VIDEO_FORMAT_GRAY16_BE}, cl_int{in.depth() == 3},
               cl_int{color_map == ColorMap::viridis});
        BufferRef result = with_facts_of(buffer, out);
        submit(out);
        return push_submitted(input_info(), std::move(result));
    }

    Window window_of(const Array &in) {
        const bool has_min = min.chosen().has_value(), has_max = max.chosen().has_value();
        if (has_min && has_max && min == max)
            throw Error(
                GST_LIBRARY_ERROR_SETTINGS,
                text("min=%g and max=%g are the same: nothing lies between", min.value(), max.value()));
        const bool is_new = !held_ && !(has_min && has_max);
        if (is_new)
            held_ = range_of(in);
        const Window window{has_min ? min.value() : held_->min, has_max ? max.value() : held_->max};
        if (is_new) {
            GST_INFO_OBJECT(gst(), "window %g to %g", window.min, window.max);
            post_message(gst_structure_new("tomo-window", "min", G_TYPE_FLOAT, window.min, "max",
                                           G_TYPE_FLOAT, window.max, nullptr));
        }
        return window;
    }

    template <class T>
    static Window range_of_type() {
        return {static_cast<float>(std::numeric_limits<T>::min()),
                static_cast<float>(std::numeric_limits<T>::max())};
    }

    Window range_of(const Array &in) {
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
        Array floats = allocate(in.info().with_format(GST_TOMO_FORMAT_FLOAT32));
        launch(kernel("to_float", "", "read.cl"), WorkSize(in.info().samples()), in, floats);
        const Host<const float> host(floats);
        Window window{std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity()};
        for (std::uint64_t i = 0; i < in.info().samples(); i++)
            if (std::isfinite(host[i]))
                window = {std::min(window.min, host[i]), std::max(window.max, host[i])};
        return window.min <= window.max ? window : Window{0.0f, 1.0f};
    }

    static constexpr GstVideoFormat native_gray16 =
        G_BYTE_ORDER == G_LITTLE_ENDIAN ? GST_VIDEO_FORMAT_GRAY16_LE : GST_VIDEO_FORMAT_GRAY16_BE;

    bool from_video_ = false, to_video_ = false, to_device_ = false;
    GstVideoInfo in_video_, out_video_;
    std::optional<Window> held_;
    std::optional<bool> strides_are_welcome_; // by whoever comes next; asked when the first come
};

} // namespace

TOMO_ELEMENT(Convert)
