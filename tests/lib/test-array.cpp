// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What describes arrays: infos and caps, metas of buffers, the event of a scan.
#include "support.hpp"

#include <gst/tomo/device/array.hpp>
#include <gst/tomo/device/device-array.hpp>

#include <cmath>
#include <cstring>
#include <limits>

#include <gst/check/gstcheck.h> // last: it defines macros named like members of the standard library

using namespace tomotest;
using tomo::ArrayInfo;
using tomo::BufferRef;
using tomo::CapsRef;

namespace {

bool contains(const std::string &text, const std::string &words) {
    return text.find(words) != std::string::npos;
}

const struct {
    GstTomoFormat format;
    const char *name;
    std::size_t size;
} all_formats[] = {
    {GST_TOMO_FORMAT_UINT8, "uint8", 1},         {GST_TOMO_FORMAT_UINT16, "uint16", 2},
    {GST_TOMO_FORMAT_UINT32, "uint32", 4},       {GST_TOMO_FORMAT_INT16, "int16", 2},
    {GST_TOMO_FORMAT_INT32, "int32", 4},         {GST_TOMO_FORMAT_FLOAT16, "float16", 2},
    {GST_TOMO_FORMAT_FLOAT32, "float32", 4},     {GST_TOMO_FORMAT_FLOAT64, "float64", 8},
    {GST_TOMO_FORMAT_COMPLEX64, "complex64", 8},
};

std::string error_of_caps(const char *description) {
    const CapsRef caps(gst_caps_from_string(description));
    fail_unless(caps.get(), "%s", description);
    GError *error = nullptr;
    GstTomoArrayInfo *info = gst_tomo_array_info_new_from_caps(caps.get(), &error);
    if (info) {
        gst_tomo_array_info_free(info);
        return {};
    }
    const std::string message = error->message;
    fail_unless(error->domain == GST_STREAM_ERROR && error->code == GST_STREAM_ERROR_FORMAT);
    g_error_free(error);
    return message;
}

BufferRef filled_buffer(std::size_t size) {
    BufferRef buffer(gst_buffer_new_allocate(nullptr, size, nullptr));
    GstMapInfo map;
    gst_buffer_map(buffer.get(), &map, GST_MAP_WRITE);
    for (std::size_t i = 0; i < size; i++)
        map.data[i] = static_cast<guint8>(i * 7 + i / 256);
    gst_buffer_unmap(buffer.get(), &map);
    return buffer;
}

} // namespace

GST_START_TEST(test_formats) {
    for (const auto &f : all_formats) {
        fail_unless_equals_string(gst_tomo_format_to_string(f.format), f.name);
        fail_unless_equals_int(gst_tomo_format_from_string(f.name), f.format);
        fail_unless_equals_int(gst_tomo_format_get_size(f.format), f.size);
    }
    for (const char *unknown : {"unknown", "float", "FLOAT32", "complex128", ""})
        fail_unless_equals_int(gst_tomo_format_from_string(unknown), GST_TOMO_FORMAT_UNKNOWN);
    fail_unless_equals_int(gst_tomo_format_from_string(nullptr), GST_TOMO_FORMAT_UNKNOWN);
    // The enumerations can be used by name in other languages.
    auto *klass = static_cast<GEnumClass *>(g_type_class_ref(GST_TYPE_TOMO_FORMAT));
    fail_unless_equals_int(g_enum_get_value_by_nick(klass, "complex64")->value, GST_TOMO_FORMAT_COMPLEX64);
    g_type_class_unref(klass);
}
GST_END_TEST;

GST_START_TEST(test_caps_round_trip) {
    for (const auto &f : all_formats)
        for (int domain = GST_TOMO_DOMAIN_UNKNOWN; domain <= GST_TOMO_DOMAIN_SPECTRUM; domain++) {
            ArrayInfo info(f.format, random_between(1, 100000), random_between(1, 100000),
                           random_between(1, 10000));
            info = info.with_rate(random_between(0, 1000), random_between(1, 1001))
                       .with_domain(static_cast<GstTomoDomain>(domain));
            const bool on_device = random_between(0, 1);
            const CapsRef caps(info.to_caps(on_device));
            fail_unless(gst_caps_is_fixed(caps.get()));
            fail_unless(gst_caps_features_contains(gst_caps_get_features(caps.get(), 0),
                                                   GST_TOMO_CAPS_FEATURE_MEMORY) == on_device);
            const auto back = ArrayInfo::from_caps(caps.get());
            // Rates come back in lowest terms.
            fail_unless(back.with_rate(0, 1) == info.with_rate(0, 1), "%s",
                        tomo::to_string(caps.get()).c_str());
            fail_unless(static_cast<gint64>(back.fps_n) * info.fps_d ==
                        static_cast<gint64>(info.fps_n) * back.fps_d);
            fail_unless(back.size() == f.size * info.width * info.height * info.depth);
            fail_unless(gst_tomo_array_info_get_size(&info) == back.size());
        }
}
GST_END_TEST;

GST_START_TEST(test_caps_refused) {
    const struct {
        const char *caps, *message;
    } cases[] = {
        {"video/x-raw,format=GRAY8,width=4,height=4,framerate=0/1",
         "wanted application/x-tomo-array, got video/x-raw"},
        {"application/x-tomo-array,format=uint8,width=4,height=4",
         "array caps need format, width, height and depth"},
        {"application/x-tomo-array,width=4,height=4,depth=1",
         "array caps need format, width, height and depth"},
        {"application/x-tomo-array,format=float,width=4,height=4,depth=1", "array caps need format"},
        {"application/x-tomo-array,format=unknown,width=4,height=4,depth=1", "array caps need format"},
        {"application/x-tomo-array,format=uint8,width=0,height=4,depth=1", "array caps need"},
        {"application/x-tomo-array,format=uint8,width=4,height=-4,depth=1", "array caps need"},
        {"application/x-tomo-array,format=uint8,width=4,height=4,depth=0", "array caps need"},
        {"application/x-tomo-array,format=uint8,width=(string)4,height=4,depth=1", "array caps need"},
        {"application/x-tomo-array,format=uint8,width=[1,4],height=4,depth=1", "caps are not fixed"},
        {"ANY", "caps are not fixed"},
        {"EMPTY", "caps are not fixed"},
        // 2^31 - 1 in each direction is more than any offset can tell.
        {"application/x-tomo-array,format=uint8,width=2147483647,height=2147483647,depth=2147483647",
         "an array of uint8 2147483647 x 2147483647 x 2147483647 is too large"},
        {"application/x-tomo-array,format=float64,width=2147483647,height=2147483647,depth=1",
         "is too large"},
    };
    for (const auto &c : cases) {
        const auto message = error_of_caps(c.caps);
        fail_unless(contains(message, c.message), "%s: '%s'", c.caps, message.c_str());
    }
    fail_unless(
        error_of_caps("application/x-tomo-array,format=uint8,width=2147483647,height=2147483647,depth=2")
            .empty());
    fail_unless(contains(error_of([] { ArrayInfo::from_caps(nullptr); }), "caps are not fixed: none"));
}
GST_END_TEST;

GST_START_TEST(test_info) {
    const CapsRef caps(
        gst_caps_from_string("application/x-tomo-array,format=uint16,width=3,height=5,depth=7"));
    const auto info = ArrayInfo::from_caps(caps.get()); // without a rate and with an unknown domain
    fail_unless_equals_int(info.fps_n, 0);
    fail_unless_equals_int(info.fps_d, 1);
    fail_unless_equals_int(info.domain, GST_TOMO_DOMAIN_UNKNOWN);
    fail_if(GST_CLOCK_TIME_IS_VALID(info.frame_duration()));
    fail_unless_equals_uint64(info.with_rate(25, 1).frame_duration(), 40 * GST_MSECOND);
    fail_unless(info.describe() == "uint16 3 x 5 x 7");
    fail_if(info == info.with_size(3, 5, 8));
    fail_if(info == info.with_format(GST_TOMO_FORMAT_INT16));
    fail_if(info == info.with_domain(GST_TOMO_DOMAIN_SLICE));
    fail_if(info == info.with_rate(1, 1));
    // The boxed type of other languages.
    GstTomoArrayInfo *boxed = gst_tomo_array_info_new(GST_TOMO_FORMAT_UINT16, 3, 5, 7);
    auto *copy = static_cast<GstTomoArrayInfo *>(g_boxed_copy(GST_TYPE_TOMO_ARRAY_INFO, boxed));
    fail_unless(gst_tomo_array_info_is_equal(boxed, copy));
    fail_unless(gst_tomo_array_info_is_equal(&info, copy));
    g_boxed_free(GST_TYPE_TOMO_ARRAY_INFO, copy);
    gst_tomo_array_info_free(boxed);
}
GST_END_TEST;

// Sizes that do not fit into 32 bits, and those that do not fit into caps.
GST_START_TEST(test_sizes_refused) {
    const ArrayInfo info(GST_TOMO_FORMAT_COMPLEX64, 3, 5, 7);
    const std::uint64_t most = G_MAXUINT, more = most + random_between(1, 100000);
    fail_unless_equals_uint64(info.with_size(most, 1).width, most);
    const std::function<void()> too_large[] = {
        [&] { info.with_size(more, 1); },
        [&] { info.with_size(1, more); },
        [&] { info.with_size(1, 1, more); },
        [&] { ArrayInfo(GST_TOMO_FORMAT_COMPLEX64, more, 1); },
        [&] { ArrayInfo(GST_TOMO_FORMAT_COMPLEX64, 1, 1, more); },
        [&] { info.with_size(most, 1).floats(); },
    };
    for (const auto &f : too_large) {
        const auto message = error_of(f);
        fail_unless(message.find(" is too large: wanted up to 4294967295 samples") != std::string::npos, "%s",
                    message.c_str());
    }
    const auto message = error_of([&] { info.with_size(1, std::uint64_t{G_MAXINT} + 1).to_caps(false); });
    fail_unless(message == "an array of complex64 1 x 2147483648 x 7 is too large for a stream: wanted up to "
                           "2147483647 samples in each direction",
                "%s", message.c_str());
}
GST_END_TEST;

GST_START_TEST(test_frame_meta) {
    const BufferRef buffer = filled_buffer(100);
    fail_if(gst_buffer_get_tomo_frame_meta(buffer.get()));
    gst_buffer_add_tomo_frame_meta(buffer.get(), 42, 1.5, 99, "scan_0042.tif");
    // All of these keep the facts: a copy, a deep one, a part, and what converters of others do.
    const BufferRef copies[] = {BufferRef(gst_buffer_copy(buffer.get())),
                                BufferRef(gst_buffer_copy_deep(buffer.get())),
                                BufferRef(gst_buffer_copy_region(buffer.get(), GST_BUFFER_COPY_ALL, 10, 20)),
                                BufferRef(gst_buffer_new())};
    const auto *meta = gst_buffer_get_meta(buffer.get(), GST_TOMO_FRAME_META_API_TYPE);
    fail_unless(meta->info->transform_func(copies[3].get(), const_cast<GstMeta *>(meta), buffer.get(),
                                           g_quark_from_static_string("gst-video-scale"), nullptr));
    for (const auto &copy : copies) {
        const auto *kept = gst_buffer_get_tomo_frame_meta(copy.get());
        fail_unless(kept);
        fail_unless_equals_uint64(kept->index, 42);
        fail_unless_equals_float(kept->angle, 1.5);
        fail_unless_equals_uint64(kept->time, 99);
        fail_unless_equals_string(kept->source, "scan_0042.tif");
        fail_unless(kept->source != gst_buffer_get_tomo_frame_meta(buffer.get())->source);
    }
    const BufferRef unknown(gst_buffer_new());
    const auto *nothing =
        gst_buffer_add_tomo_frame_meta(unknown.get(), 0, std::nan(""), GST_CLOCK_TIME_NONE, nullptr);
    fail_unless(std::isnan(nothing->angle) && !nothing->source && !GST_CLOCK_TIME_IS_VALID(nothing->time));
}
GST_END_TEST;

GST_START_TEST(test_array_meta) {
    const BufferRef buffer = filled_buffer(1000);
    auto *meta = gst_buffer_add_tomo_array_meta(buffer.get(), 8, 16, 128);
    meta->x = 1;
    meta->y = 2;
    meta->z = 3;
    const BufferRef whole(gst_buffer_copy(buffer.get())), deep(gst_buffer_copy_deep(buffer.get()));
    for (const auto *copy : {&whole, &deep}) {
        const auto *kept = gst_buffer_get_tomo_array_meta(copy->get());
        fail_unless(kept);
        fail_unless(kept->offset == 8 && kept->row_stride == 16 && kept->plane_stride == 128);
        fail_unless(kept->x == 1 && kept->y == 2 && kept->z == 3);
    }
    // In a part of the buffer nothing lies where it lay.
    const BufferRef part(gst_buffer_copy_region(buffer.get(), GST_BUFFER_COPY_ALL, 10, 20));
    fail_if(gst_buffer_get_tomo_array_meta(part.get()));
    GstMetaTransformCopy region{TRUE, 10, 20};
    const BufferRef other(gst_buffer_new());
    fail_if(meta->meta.info->transform_func(other.get(), &meta->meta, buffer.get(), _gst_meta_transform_copy,
                                            &region));
    fail_if(gst_buffer_get_tomo_array_meta(other.get()));
    // It is about the memory, so a copy of the other metas has it not.
    const BufferRef metas(gst_buffer_new());
    gst_buffer_copy_into(metas.get(), buffer.get(), GST_BUFFER_COPY_META, 0, -1);
    fail_if(gst_buffer_get_tomo_array_meta(metas.get()));
}
GST_END_TEST;

GST_START_TEST(test_scan_event) {
    std::vector<gdouble> angles(random_between(1, 3000));
    for (auto &angle : angles)
        angle = std::uniform_real_distribution<>(-10, 10)(randomness());
    const tomo::EventRef event(gst_event_new_tomo_scan(angles.data(), angles.size(), 1023.5, 1e-6));
    fail_unless(gst_event_is_tomo_scan(event.get()));
    fail_unless(GST_EVENT_IS_STICKY(event.get()) && GST_EVENT_IS_DOWNSTREAM(event.get()) &&
                GST_EVENT_IS_SERIALIZED(event.get()));
    guint count = 0;
    gdouble axis = 0, pixel = 0;
    gdouble *parsed = gst_event_parse_tomo_scan(event.get(), &count, &axis, &pixel);
    fail_unless_equals_int(count, angles.size());
    fail_unless(std::memcmp(parsed, angles.data(), count * sizeof(gdouble)) == 0);
    fail_unless(axis == 1023.5 && pixel == 1e-6);
    g_free(parsed);

    // Nothing known.
    const double nan = std::nan("");
    const tomo::EventRef empty(gst_event_new_tomo_scan(nullptr, 0, nan, nan));
    g_free(gst_event_parse_tomo_scan(empty.get(), &count, &axis, &pixel));
    fail_unless(count == 0 && std::isnan(axis) && std::isnan(pixel));

    // By hand, for instance from an application: fields left out, integers for numbers.
    const tomo::EventRef own(
        gst_event_new_custom(GST_EVENT_CUSTOM_DOWNSTREAM_STICKY,
                             gst_structure_from_string(GST_TOMO_SCAN_EVENT ",angles=<1,2.5>", nullptr)));
    parsed = gst_event_parse_tomo_scan(own.get(), &count, &axis, nullptr);
    fail_unless(count == 2 && parsed[0] == 1.0 && parsed[1] == 2.5 && std::isnan(axis));
    g_free(parsed);
    const tomo::EventRef other(
        gst_event_new_custom(GST_EVENT_CUSTOM_DOWNSTREAM_STICKY, gst_structure_new_empty("other")));
    fail_if(gst_event_is_tomo_scan(other.get()));
}
GST_END_TEST;

// Copying out of a buffer with strides, against the definition of the strides.
GST_START_TEST(test_copy_packed) {
    for (int repeat = 0; repeat < 50; repeat++) {
        const auto &f = all_formats[random_between(0, G_N_ELEMENTS(all_formats) - 1)];
        const ArrayInfo info(f.format, random_between(1, 17), random_between(1, 13), random_between(1, 5));
        const std::size_t row = info.width * f.size;
        const std::size_t offset = random_between(0, 33), row_stride = row + random_between(0, 9),
                          plane_stride = row_stride * info.height + random_between(0, 20);
        const std::size_t needed =
            offset + (info.depth - 1) * plane_stride + (info.height - 1) * row_stride + row;
        const BufferRef buffer = filled_buffer(needed + random_between(0, 5));
        gst_buffer_add_tomo_array_meta(buffer.get(), offset, row_stride, plane_stride);
        std::vector<guint8> packed(info.size());
        tomo::copy_packed(buffer.get(), info, packed.data());
        for (std::size_t i = 0; i < packed.size(); i++) {
            const std::size_t x = i % row, y = i / row % info.height, z = i / row / info.height;
            const std::size_t at = offset + z * plane_stride + y * row_stride + x;
            fail_unless_equals_int(packed[i], static_cast<guint8>(at * 7 + at / 256));
        }
    }
}
GST_END_TEST;

GST_START_TEST(test_copy_packed_refused) {
    const ArrayInfo info(GST_TOMO_FORMAT_UINT16, 10, 10, 2);
    std::vector<guint8> packed(info.size());
    auto message_of = [&](std::size_t size, std::size_t offset, std::size_t row, std::size_t plane) {
        const BufferRef buffer = filled_buffer(size);
        if (row)
            gst_buffer_add_tomo_array_meta(buffer.get(), offset, row, plane);
        return error_of([&] { tomo::copy_packed(buffer.get(), info, packed.data()); });
    };
    fail_unless(message_of(400, 0, 0, 0).empty());
    fail_unless(message_of(399, 0, 0, 0) == "a buffer of 399 bytes came where uint16 10 x 10 x 2 takes 400");
    fail_unless(message_of(401, 0, 0, 0) == "a buffer of 401 bytes came where uint16 10 x 10 x 2 takes 400");
    fail_unless(message_of(0, 0, 0, 0) == "a buffer of 0 bytes came where uint16 10 x 10 x 2 takes 400");
    fail_unless(message_of(409, 10, 20, 200) ==
                "a buffer of 409 bytes came where uint16 10 x 10 x 2 takes 410");
    fail_unless(message_of(410, 10, 20, 200).empty());
    // Strides whose sum wraps around.
    const std::size_t huge = std::numeric_limits<std::size_t>::max();
    for (const auto &[row, plane] :
         {std::pair{huge, std::size_t{200}}, {std::size_t{20}, huge}, {huge / 9, huge / 2}})
        fail_unless(contains(message_of(400, 0, row, plane), "bytes are too large for uint16 10 x 10 x 2"));
    fail_unless(contains(message_of(400, huge - 10, 20, 200), "are too large"));
}
GST_END_TEST;

static Suite *array_suite() {
    Suite *suite = suite_create("array");
    TCase *cases = tcase_create("general");
    suite_add_tcase(suite, cases);
    tcase_set_timeout(cases, 60);
    randomness();
    tcase_add_test(cases, test_formats);
    tcase_add_test(cases, test_caps_round_trip);
    tcase_add_test(cases, test_caps_refused);
    tcase_add_test(cases, test_info);
    tcase_add_test(cases, test_sizes_refused);
    tcase_add_test(cases, test_frame_meta);
    tcase_add_test(cases, test_array_meta);
    tcase_add_test(cases, test_scan_event);
    tcase_add_test(cases, test_copy_packed);
    tcase_add_test(cases, test_copy_packed_refused);
    return suite;
}

GST_CHECK_MAIN(array);
