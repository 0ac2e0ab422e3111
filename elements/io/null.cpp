// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/sink.hpp>

using namespace tomo;

namespace {

class Null final : public Sink {
  public:
    static constexpr Info info{
        .task = "null",
        .klass = "Sink",
        .blurb = "Discards arrays, for tests and benchmarks",
        .in = formats::all,
        .out = formats::all,
        .details =
            "The device may still compute an array when it arrives here. `finish` waits for each array, "
            "`download` also brings it to the host, as a file writer would.",
        .example = "tomoread path='projections/*.tif' ! tomocalculate expression='-log(v)' ! tomonull",
    };

    Property<bool> download{this, "download", false, "Bring every array to the host first"};
    Property<bool> finish_all{this, "finish", false, "Wait until every array is computed"};
    Property<bool> durations{this, "durations", false,
                             "Print how long ago each array's time stamp was, in ms, to standard error"};

    bool wants_device_memory() const override { return true; }
    void begin(const ArrayInfo &) override {}

    void consume(GstBuffer *buffer, const ArrayInfo &) override {
        if (download)
            MappedBuffer(buffer, GST_MAP_READ);
        if (finish_all)
            wait_until_computed(buffer);
        if (durations)
            print_age(buffer);
    }

  private:
    static void wait_until_computed(GstBuffer *buffer) {
        for (guint i = 0; i < gst_buffer_n_memory(buffer); i++)
            if (const auto &storage = storage_of(gst_buffer_peek_memory(buffer, i)))
                storage->finish();
    }

    void print_age(GstBuffer *buffer) {
        const auto &segment = reinterpret_cast<GstBaseSink *>(gst())->segment;
        if (segment.format != GST_FORMAT_TIME)
            return;
        const auto now = gst_element_get_current_running_time(gst());
        const auto then = gst_segment_to_running_time(&segment, GST_FORMAT_TIME, GST_BUFFER_PTS(buffer));
        if (GST_CLOCK_TIME_IS_VALID(now) && GST_CLOCK_TIME_IS_VALID(then))
            g_printerr("%.3f\n", (static_cast<double>(now) - static_cast<double>(then)) / GST_MSECOND);
    }
};

} // namespace

TOMO_ELEMENT(Null)
