// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "live-source.hpp"

#include <algorithm>
#include <memory>

struct GstTomoLiveSource {
    GstPushSrc parent;
};
struct GstTomoLiveSourceClass {
    GstPushSrcClass parent;
};
G_DEFINE_ABSTRACT_TYPE(GstTomoLiveSource, gst_tomo_live_source, tomo::Source::parent_type())

static void gst_tomo_live_source_init(GstTomoLiveSource *) {}

static void gst_tomo_live_source_class_init(GstTomoLiveSourceClass *klass) {
    GST_PUSH_SRC_CLASS(klass)->create = [](GstPushSrc *self, GstBuffer **buffer) {
        const auto flow = GST_PUSH_SRC_CLASS(gst_tomo_live_source_parent_class)->create(self, buffer);
        if (flow == GST_FLOW_OK)
            static_cast<tomo::LiveSource *>(tomo::element_of(GST_ELEMENT_CAST(self)))->stamp(*buffer);
        return flow;
    };
    // No frame comes twice.
    GST_BASE_SRC_CLASS(klass)->is_seekable = [](GstBaseSrc *) -> gboolean { return FALSE; };
}

namespace tomo {

std::optional<GstClockTime> time_of_date(const std::string &written, GTimeZone *local) {
    const std::unique_ptr<GDateTime, void (*)(GDateTime *)> date(
        g_date_time_new_from_iso8601(written.c_str(), local), [](GDateTime *d) {
            if (d)
                g_date_time_unref(d);
        });
    if (!date || g_date_time_to_unix(date.get()) < 0)
        return {};
    return g_date_time_to_unix(date.get()) * GST_SECOND +
           g_date_time_get_microsecond(date.get()) * GST_USECOND;
}

// Numbers that may still come late; those before them are lost for good.
static constexpr std::size_t most_missing = 1 << 12;

GType LiveSource::parent_type() { return gst_tomo_live_source_get_type(); }

LiveSource::LiveSource(double seconds)
    : timeout(this, "timeout", seconds, {0.0, 1e6}, When::ready,
              "Seconds without a frame that are an error; 0: wait as long as it takes") {}

void LiveSource::attach() {
    Source::attach();
    gst_base_src_set_live(GST_BASE_SRC(gst()), TRUE);
}

void LiveSource::start() {
    waiting_.reset();
    missing_.clear();
    warned_.reset();
    expected_ = given_count_ = lost_count_ = repeated_count_ = 0;
    for (auto *count : {&received, &lost, &repeated})
        count->report(0);
}

std::optional<ArrayInfo> LiveSource::frame_info(std::uint64_t n) {
    if (n != given_count_)
        throw Error(GST_RESOURCE_ERROR_SEEK,
                    text("frame %" G_GUINT64_FORMAT " is wanted, but %" G_GUINT64_FORMAT
                         " is the next one: nobody can seek in a live stream",
                         n, given_count_));
    while (!waiting_) {
        auto frame = receive();
        if (!frame)
            return {};
        if (is_new(frame->number))
            waiting_ = std::move(frame);
        else
            take_samples(nullptr);
    }
    return waiting_->info;
}

Array LiveSource::frame(std::uint64_t, const ArrayInfo &info) {
    Array out = allocate(info);
    take_samples(Host<char>(out).data());
    given_ = *std::exchange(waiting_, {});
    received.report(static_cast<double>(++given_count_));
    return out;
}

void LiveSource::describe_frame(std::uint64_t, GstTomoFrameMeta &meta) {
    meta.index = given_.number;
    meta.angle = given_.angle;
    meta.time = given_.exposed;
    g_free(meta.source);
    meta.source = given_.origin.empty() ? nullptr : g_strdup(given_.origin.c_str());
}

void LiveSource::stamp(GstBuffer *buffer) const {
    static const CapsRef host(gst_caps_new_empty_simple("timestamp/x-unix")),
        device(gst_caps_new_empty_simple("timestamp/x-tomo-device"));
    if (GST_CLOCK_TIME_IS_VALID(given_.arrived))
        gst_buffer_add_reference_timestamp_meta(buffer, host.get(), given_.arrived, GST_CLOCK_TIME_NONE);
    if (GST_CLOCK_TIME_IS_VALID(given_.of_device))
        gst_buffer_add_reference_timestamp_meta(buffer, device.get(), given_.of_device, GST_CLOCK_TIME_NONE);
}

// Numbers
// -----------------------------------------------------------------------------------------------------------

bool LiveSource::is_new(std::uint64_t number) {
    if (number >= expected_) {
        expect(number);
        expected_ = number + 1;
        return true;
    }
    if (missing_.erase(number)) { // late, and its number tells its angle
        lost.report(static_cast<double>(--lost_count_));
        return true;
    }
    repeated.report(static_cast<double>(++repeated_count_));
    warn_at_times(text("frame %" G_GUINT64_FORMAT " came once more and was left out; %" G_GUINT64_FORMAT
                       " so far",
                       number, repeated_count_));
    return false;
}

void LiveSource::expect(std::uint64_t end) {
    if (end <= expected_)
        return;
    const auto first = std::exchange(expected_, end);
    for (auto n = end - std::min<std::uint64_t>(end - first, most_missing); n < end; n++)
        missing_.insert(n);
    while (missing_.size() > most_missing)
        missing_.erase(missing_.begin());
    tell_lost(first, end - first);
}

void LiveSource::tell_lost(std::uint64_t first, std::uint64_t count) {
    lost_count_ += count;
    lost.report(static_cast<double>(lost_count_));
    post_message(gst_structure_new("tomo-lost-frames", "first", G_TYPE_UINT64, first, "count", G_TYPE_UINT64,
                                   count, "lost", G_TYPE_UINT64, lost_count_, nullptr));
    const auto which = count == 1 ? text("frame %" G_GUINT64_FORMAT " was lost", first)
                                  : text("frames %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT " were lost",
                                         first, first + count - 1);
    warn_at_times(text("%s; %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " so far", which.c_str(),
                       lost_count_, expected_));
}

void LiveSource::warn_at_times(const std::string &message) {
    const auto time = std::chrono::steady_clock::now();
    if (warned_ && time - *warned_ < std::chrono::seconds(1))
        return;
    warned_ = time;
    warn(message);
}

GstClockTime LiveSource::now() { return static_cast<GstClockTime>(g_get_real_time()) * GST_USECOND; }

} // namespace tomo
