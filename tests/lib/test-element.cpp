// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What the bases do for every element, shown with elements that are written here, as a plugin outside of this
// repository would write them.
#include "support.hpp"

#include <gst/tomo/bases/effective.hpp>
#include <gst/tomo/bases/filter.hpp>
#include <gst/tomo/bases/reducer.hpp>

#include <gst/controller/gstdirectcontrolbinding.h>
#include <gst/controller/gstinterpolationcontrolsource.h>

#include <cmath>
#include <cstring>
#include <set>

#include <gst/check/gstcheck.h> // last: it defines macros named like members of the standard library
#include <gst/check/gstharness.h>

using namespace tomotest;
using tomo::Array;
using tomo::ArrayInfo;
using tomo::BufferRef;
using tomo::CapsRef;

// Elements
// ------------------------------------------------------------------------------------------------------

namespace {

class TestGain final : public tomo::Filter {
  public:
    static constexpr tomo::Info info{
        .task = "test-gain", .klass = "Filter/Effect", .blurb = "Multiplies and pads for tests"};

    tomo::Property<float> factor{
        this, "factor", 1.0f, {-1000.0f, 1000.0f}, "What samples are multiplied with"};
    tomo::Property<unsigned> rows{this, "rows", 0, {0, 100}, tomo::When::reshapes, "Rows more"};

    ArrayInfo shape(const ArrayInfo &in) override {
        return in.with_format(GST_TOMO_FORMAT_FLOAT32).with_size(in.width, in.height + rows);
    }
    void process(const Array &in, Array &out) override {
        const auto k = kernel_from_source("gain.cl", R"(
            kernel void gain(IN(in), OUT(float, out), const float factor, const ulong n)
            {
                const ulong i = get_global_id(0);
                AT(out, i) = i < n ? LOAD(in, i) * factor : -1.0f;
            })",
                                     "gain", input_types());
        launch(k, {out.info().samples()}, in, out, factor.value(), cl_ulong{in.info().samples()});
    }
};

// Gives what it got, without computing.
class TestSame final : public tomo::Filter {
  public:
    static constexpr tomo::Info info{
        .task = "test-same", .klass = "Filter/Effect", .blurb = "Hands on for tests"};
    ArrayInfo shape(const ArrayInfo &in) override { return in; }
    Array apply(const Array &in) override { return in; }
};

// Tells its input's middle column.
class TestTelling final : public tomo::Filter {
  public:
    static constexpr tomo::Info info{
        .task = "test-telling", .klass = "Filter/Effect", .blurb = "Tells for tests"};
    ArrayInfo shape(const ArrayInfo &in) override { return in; }
    Array apply(const Array &in) override {
        report_effective(tomo::EffectiveValues().add("axis", in.info().width / 2.0, "pixel"));
        if (frame_index() == 3)
            report_effective(tomo::EffectiveValues().add("views", 7u));
        return in;
    }
};

// Gives the input before this one; the first one twice.
class TestPrevious final : public tomo::Filter {
  public:
    static constexpr tomo::Info info{
        .task = "test-previous", .klass = "Filter/Effect", .blurb = "Lags for tests"};
    ArrayInfo shape(const ArrayInfo &in) override { return in; }
    Array apply(const Array &in) override {
        if (!kept_)
            kept_ = in;
        return std::exchange(kept_, in);
    }
    void clear() override { kept_ = {}; }

  private:
    Array kept_;
};

// Its output is what `rows` has become since its shape was made; meanwhile there is always another value.
class TestHurried final : public tomo::BatchFilter {
  public:
    static constexpr tomo::Info info{
        .task = "test-hurried", .klass = "Filter/Effect", .blurb = "Changes for tests"};
    tomo::Property<unsigned> rows{this, "rows", 1, {0, 100}, tomo::When::reshapes, "Rows"};

    ArrayInfo shape(const ArrayInfo &in) override {
        rows_ = rows;
        return in.with_format(GST_TOMO_FORMAT_FLOAT32).with_size(in.width, rows);
    }
    void process(const Array &, Array &out) override {
        g_object_set(gst(), "rows", rows_ + 1, nullptr);
        const float change = float(rows) - float(rows_);
        fill(out, &change, sizeof change);
    }

  protected:
    unsigned batch_that_pays(const ArrayInfo &) override { return 1; }

  private:
    unsigned rows_ = 0;
};

class TestBroken final : public tomo::Filter {
  public:
    static constexpr tomo::Info info{
        .task = "test-broken", .klass = "Filter/Effect", .blurb = "Fails for tests"};
    tomo::Property<unsigned> good{this, "good", 0, "Frames before the failure"};

    void process(const Array &, Array &out) override {
        if (frame_index() >= good)
            throw tomo::Error(GST_STREAM_ERROR_FAILED, "broken on purpose", "with details");
        const float zero = 0;
        fill(out, &zero, sizeof zero);
    }
};

// The sum over the stream, as one array.
class TestSum final : public tomo::Reducer {
  public:
    static constexpr tomo::Info info{.task = "test-sum", .klass = "Filter/Effect", .blurb = "Adds for tests"};

    void begin(const ArrayInfo &in) override {
        clear();
        in_ = in;
    }
    void consume(const Array &in) override {
        const float zero = 0;
        if (!sum_) {
            sum_ = allocate(in_.with_format(GST_TOMO_FORMAT_FLOAT32));
            fill(sum_, &zero, sizeof zero);
        }
        const auto k = kernel_from_source("sum.cl",
                                     "kernel void sum(IN(in), OUT(float, out)) { AT(out, get_global_id(0)) "
                                     "+= LOAD(in, get_global_id(0)); }",
                                     "sum", input_types());
        launch(k, {in.info().samples()}, in, tomo::ReadWrite{sum_});
    }
    void finish() override { finished_ = true; }
    bool ready() const override { return finished_ && sum_; }
    Array produce() override { return std::exchange(sum_, {}); }
    void clear() override {
        sum_ = {};
        finished_ = false;
    }

  private:
    ArrayInfo in_;
    Array sum_;
    bool finished_ = false;
};

// Promises one output for each input, and gives two.
class TestGenerous final : public tomo::Reducer {
  public:
    static constexpr tomo::Info info{
        .task = "test-generous", .klass = "Filter/Effect", .blurb = "Gives too much for tests"};

    void begin(const ArrayInfo &) override { clear(); }
    void consume(const Array &in) override {
        last_ = in;
        left_ = 2;
    }
    bool ready() const override { return left_ > 0; }
    Array produce() override {
        left_--;
        return last_;
    }
    void clear() override { left_ = 0; }

  protected:
    bool gives_one_each() const override { return true; }

  private:
    Array last_;
    unsigned left_ = 0;
};

} // namespace

TOMO_ELEMENT(TestGain)
TOMO_ELEMENT(TestSame)
TOMO_ELEMENT(TestTelling)
TOMO_ELEMENT(TestPrevious)
TOMO_ELEMENT(TestHurried)
TOMO_ELEMENT(TestBroken)
TOMO_ELEMENT(TestSum)
TOMO_ELEMENT(TestGenerous)

namespace {

void register_elements() {
    const gboolean registered = gst_plugin_register_static(
        GST_VERSION_MAJOR, GST_VERSION_MINOR, "tomotest", "Elements for tests",
        [](GstPlugin *plugin) -> gboolean {
            return tomo_register_TestGain(plugin) && tomo_register_TestSame(plugin) &&
                   tomo_register_TestTelling(plugin) && tomo_register_TestPrevious(plugin) &&
                   tomo_register_TestHurried(plugin) && tomo_register_TestBroken(plugin) &&
                   tomo_register_TestSum(plugin) && tomo_register_TestGenerous(plugin);
        },
        "1.0", "LGPL", "tomotest", "tomotest", "https://example.org");
    if (!registered)
        g_error("can't register the elements of the test");
}

bool contains(const std::string &text, const std::string &words) {
    return text.find(words) != std::string::npos;
}

// Streams and buffers
// -------------------------------------------------------------------------------------------

using Floats = std::vector<float>;

Floats random_floats(std::size_t n) {
    Floats floats(n);
    for (auto &f : floats)
        f = static_cast<float>(random_between(0, 1000));
    return floats;
}

ArrayInfo float_info(unsigned width, unsigned height, unsigned depth = 1) {
    return ArrayInfo(GST_TOMO_FORMAT_FLOAT32, width, height, depth).with_rate(10, 1);
}

// `frame` gives times at ten frames per second.
BufferRef on_host(const Floats &floats, unsigned frame = 0) {
    BufferRef buffer(gst_buffer_new_allocate(nullptr, floats.size() * sizeof(float), nullptr));
    gst_buffer_fill(buffer.get(), 0, floats.data(), floats.size() * sizeof(float));
    GST_BUFFER_PTS(buffer.get()) = frame * 100 * GST_MSECOND;
    GST_BUFFER_DURATION(buffer.get()) = 100 * GST_MSECOND;
    GST_BUFFER_OFFSET(buffer.get()) = frame;
    return buffer;
}

const std::shared_ptr<tomo::Device> &device() {
    static const auto device = tomo::Context::create("")->default_device();
    return device;
}

BufferRef on_device(const Floats &floats, unsigned frame = 0) {
    BufferRef buffer;
    {
        const Array array(ArrayInfo(GST_TOMO_FORMAT_FLOAT32, floats.size(), 1), device());
        const tomo::Host<float> host(array);
        std::copy(floats.begin(), floats.end(), host.data());
        buffer = array.to_buffer();
    }
    GST_BUFFER_PTS(buffer.get()) = frame * 100 * GST_MSECOND;
    GST_BUFFER_OFFSET(buffer.get()) = frame;
    return buffer;
}

Floats contents(const BufferRef &buffer) {
    fail_unless(buffer.get(), "no buffer came");
    const tomo::MappedBuffer map(buffer.get(), GST_MAP_READ);
    const auto *data = reinterpret_cast<const float *>(map.data());
    return {data, data + map.size() / sizeof(float)};
}

Floats times(Floats floats, float factor) {
    for (auto &f : floats)
        f *= factor;
    return floats;
}

void compare(const Floats &got, const Floats &wanted, const char *what = "output") {
    fail_unless(got.size() == wanted.size(), "%s: %zu samples instead of %zu", what, got.size(),
                wanted.size());
    for (std::size_t i = 0; i < got.size(); i++)
        fail_unless(got[i] == wanted[i], "%s: sample %zu is %g, wanted %g", what, i, got[i], wanted[i]);
}

// An element in a harness with a bus.
class Stream {
  public:
    explicit Stream(const char *factory) : harness_(gst_harness_new(factory)), bus_(gst_bus_new()) {
        gst_element_set_bus(harness_->element, bus_.get());
    }
    ~Stream() {
        gst_element_set_bus(harness_->element, nullptr);
        gst_harness_teardown(harness_);
    }

    GstHarness *operator->() const { return harness_; }
    GstHarness *get() const { return harness_; }
    GstElement *element() const { return harness_->element; }

    void input(const ArrayInfo &info, bool device_memory = false) {
        gst_harness_set_src_caps(harness_, info.to_caps(device_memory));
    }
    void input(const char *caps) { gst_harness_set_src_caps_str(harness_, caps); }
    void accept(const char *caps) { gst_harness_set_sink_caps_str(harness_, caps); }
    GstFlowReturn push(BufferRef buffer) { return gst_harness_push(harness_, buffer.release()); }
    BufferRef pull() { return BufferRef(gst_harness_try_pull(harness_)); }
    // The buffer that comes of this one.
    BufferRef pass(BufferRef buffer) {
        fail_unless_equals_int(push(std::move(buffer)), GST_FLOW_OK);
        return pull();
    }
    CapsRef output_caps() const { return CapsRef(gst_pad_get_current_caps(harness_->sinkpad)); }
    // Texts of all errors so far.
    std::vector<std::string> errors() {
        std::vector<std::string> texts;
        while (GstMessage *message = gst_bus_pop_filtered(bus_.get(), GST_MESSAGE_ERROR)) {
            GError *error = nullptr;
            gst_message_parse_error(message, &error, nullptr);
            texts.push_back(error->message);
            g_error_free(error);
            gst_message_unref(message);
        }
        return texts;
    }

    // Structures of all messages of elements so far.
    std::vector<tomo::StructurePtr> told() {
        std::vector<tomo::StructurePtr> structures;
        while (GstMessage *message = gst_bus_pop_filtered(bus_.get(), GST_MESSAGE_ELEMENT)) {
            structures.emplace_back(gst_structure_copy(gst_message_get_structure(message)));
            gst_message_unref(message);
        }
        return structures;
    }

  private:
    GstHarness *harness_;
    tomo::ObjectRef<GstBus> bus_;
};

const char *const plain_caps = "application/x-tomo-array";
const char *const device_caps = "application/x-tomo-array(memory:TomoCL)";
const char *const both_caps = "application/x-tomo-array(memory:TomoCL);application/x-tomo-array";

bool has_device_feature(const CapsRef &caps) {
    return gst_caps_features_contains(gst_caps_get_features(caps.get(), 0), GST_TOMO_CAPS_FEATURE_MEMORY);
}

} // namespace

// Negotiation and memory
// ----------------------------------------------------------------------------------------

GST_START_TEST(test_memory_mixes) {
    if (__i__)
        g_setenv("GST_TOMO_TEST_DISCRETE", "1", TRUE);
    for (const char *takes : {plain_caps, device_caps, both_caps})
        for (const bool caps_on_device : {false, true})
            for (const bool memory_on_device : {false, true}) {
                Stream stream("tomotestgain");
                stream.accept(takes);
                g_object_set(stream.element(), "factor", 3.0f, nullptr);
                stream.input(float_info(7, 5), caps_on_device);
                for (unsigned frame = 0; frame < 5; frame++) {
                    const auto floats = random_floats(35);
                    const auto out =
                        stream.pass(memory_on_device ? on_device(floats, frame) : on_host(floats, frame));
                    fail_unless(has_device_feature(stream.output_caps()) == (takes != plain_caps));
                    fail_unless(gst_tomo_memory_is(gst_buffer_peek_memory(out.get(), 0)));
                    compare(contents(out), times(floats, 3));
                }
                fail_unless(stream.errors().empty());
            }
}
GST_END_TEST;

GST_START_TEST(test_pieces) {
    Stream stream("tomotestgain");
    stream.input(float_info(6, 10));
    const auto floats = random_floats(60);
    const BufferRef whole = on_host(floats), device_whole = on_device(floats);
    // Several memories, on the host and on the device.
    for (const auto &from : {whole, device_whole}) {
        BufferRef pieces(
            gst_buffer_append(gst_buffer_copy_region(from.get(), GST_BUFFER_COPY_ALL, 0, 100),
                              gst_buffer_copy_region(from.get(), GST_BUFFER_COPY_ALL, 100, 140)));
        fail_unless_equals_int(gst_buffer_n_memory(pieces.get()), 2);
        compare(contents(stream.pass(std::move(pieces))), floats);
    }
    // Part of a memory, at whole samples and in between.
    for (const std::size_t offset : {40, 42}) {
        stream.input(float_info(5, 4));
        BufferRef part(gst_buffer_copy_region(device_whole.get(), GST_BUFFER_COPY_ALL, offset, 80));
        const auto wanted = contents(part);
        compare(contents(stream.pass(std::move(part))), wanted, "part");
    }
}
GST_END_TEST;

GST_START_TEST(test_strides) {
    for (const bool memory_on_device : {false, true}) {
        Stream stream("tomotestgain");
        stream.input(float_info(5, 3, 2));
        const auto floats = random_floats(100);
        BufferRef buffer = memory_on_device ? on_device(floats) : on_host(floats);
        gst_buffer_add_tomo_array_meta(buffer.get(), 3 * 4, 7 * 4, 30 * 4);
        Floats wanted;
        for (int z = 0; z < 2; z++)
            for (int y = 0; y < 3; y++)
                for (int x = 0; x < 5; x++)
                    wanted.push_back(floats[3 + 30 * z + 7 * y + x]);
        const auto out = stream.pass(std::move(buffer));
        compare(contents(out), wanted);
        fail_if(gst_buffer_get_tomo_array_meta(out.get()), "the output is packed");
    }
}
GST_END_TEST;

GST_START_TEST(test_facts_stay) {
    Stream stream("tomotestgain");
    stream.input(float_info(2, 2));
    BufferRef buffer = on_host(random_floats(4), 17);
    gst_buffer_add_tomo_frame_meta(buffer.get(), 17, 0.25, 1234, "a.tif");
    GST_BUFFER_FLAG_SET(buffer.get(), GST_BUFFER_FLAG_DISCONT);
    const auto out = stream.pass(std::move(buffer));
    fail_unless_equals_uint64(GST_BUFFER_PTS(out.get()), 1700 * GST_MSECOND);
    fail_unless_equals_uint64(GST_BUFFER_DURATION(out.get()), 100 * GST_MSECOND);
    fail_unless_equals_uint64(GST_BUFFER_OFFSET(out.get()), 17);
    fail_unless(GST_BUFFER_FLAG_IS_SET(out.get(), GST_BUFFER_FLAG_DISCONT));
    const auto *meta = gst_buffer_get_tomo_frame_meta(out.get());
    fail_unless(meta && meta->index == 17 && meta->angle == 0.25 && meta->time == 1234);
    fail_unless_equals_string(meta->source, "a.tif");
}
GST_END_TEST;

// Metas that others made: a clock's time is true for what is computed of a frame, a place in the image is
// not.
GST_START_TEST(test_metas_of_others) {
    static const gchar *place_tags[] = {"size", nullptr}, *layout_tags[] = {GST_META_TAG_MEMORY_STR, nullptr};
    gst_meta_register_custom("TestPlaceMeta", place_tags, nullptr, nullptr, nullptr);
    gst_meta_register_custom("TestLayoutMeta", layout_tags, nullptr, nullptr, nullptr);
    const CapsRef clock(gst_caps_new_empty_simple("timestamp/x-camera"));
    const auto input = [&](unsigned frame) {
        BufferRef buffer = on_host(random_floats(4), frame);
        gst_buffer_add_reference_timestamp_meta(buffer.get(), clock.get(), 1000 + frame, GST_CLOCK_TIME_NONE);
        gst_buffer_add_custom_meta(buffer.get(), "TestPlaceMeta");
        gst_buffer_add_custom_meta(buffer.get(), "TestLayoutMeta");
        gst_buffer_add_tomo_frame_meta(buffer.get(), frame, 0.5, GST_CLOCK_TIME_NONE, "a.tif");
        return buffer;
    };
    const auto check = [&](const BufferRef &out, unsigned frame, bool has_place) {
        const auto *time = gst_buffer_get_reference_timestamp_meta(out.get(), clock.get());
        fail_unless(time && time->timestamp == 1000 + frame, "the clock's time of frame %u", frame);
        fail_unless(bool(gst_buffer_get_custom_meta(out.get(), "TestPlaceMeta")) == has_place);
        fail_if(gst_buffer_get_custom_meta(out.get(), "TestLayoutMeta"));
    };
    Stream filter("tomotestgain"), same("tomotestsame"), batches("tomotesthurried"), sum("tomotestsum");
    g_object_set(batches.element(), "batch", 3, nullptr);
    for (auto *stream : {&filter, &same, &batches, &sum})
        stream->input(float_info(2, 2));
    for (unsigned frame = 0; frame < 3; frame++) {
        check(filter.pass(input(frame)), frame, false);
        check(same.pass(input(frame)), frame, true);
        fail_unless_equals_int(batches.push(input(frame)), GST_FLOW_OK);
        fail_unless_equals_int(sum.push(input(frame)), GST_FLOW_OK);
    }
    for (unsigned frame = 0; frame < 3; frame++)
        check(batches.pull(), frame, false);
    fail_unless(gst_harness_push_event(sum.get(), gst_event_new_eos()));
    const auto out = sum.pull();
    check(out, 0, false);
    // Of three arrays no single angle is true.
    const auto *facts = gst_buffer_get_tomo_frame_meta(out.get());
    fail_unless(facts && std::isnan(facts->angle) && !facts->source);
}
GST_END_TEST;

// Where there is an output for each input, it has its facts from there.
GST_START_TEST(test_more_outputs_than_inputs) {
    Stream stream("tomotestgenerous");
    stream.input(float_info(2, 2));
    fail_unless_equals_int(stream.push(on_host(random_floats(4))), GST_FLOW_ERROR);
    const auto errors = stream.errors();
    fail_unless_equals_int(errors.size(), 1);
    fail_unless(contains(errors[0], "GstTomoTestGenerous"), "%s", errors[0].c_str());
}
GST_END_TEST;

// The pool that an element proposes can be used by elements that know nothing of OpenCL.
GST_START_TEST(test_proposed_pool) {
    Stream stream("tomotestgain");
    stream.input(float_info(6, 5));
    const CapsRef caps(float_info(6, 5).to_caps(false));
    const tomo::QueryRef query(gst_query_new_allocation(caps.get(), TRUE));
    fail_unless(gst_pad_peer_query(stream->srcpad, query.get()));
    GstBufferPool *proposed = nullptr;
    guint size = 0;
    gst_query_parse_nth_allocation_pool(query.get(), 0, &proposed, &size, nullptr, nullptr);
    const tomo::ObjectRef<GstBufferPool> pool(proposed);
    fail_unless_equals_int(size, 120);
    GstStructure *config = gst_buffer_pool_get_config(pool.get());
    gst_buffer_pool_config_set_params(config, caps.get(), size, 2, 2);
    fail_unless(gst_buffer_pool_set_config(pool.get(), config));
    fail_unless(gst_buffer_pool_set_active(pool.get(), TRUE));
    std::vector<std::pair<Floats, BufferRef>> outputs;
    for (int i = 0; i < 8; i++) {
        GstBuffer *buffer = nullptr;
        fail_unless_equals_int(gst_buffer_pool_acquire_buffer(pool.get(), &buffer, nullptr), GST_FLOW_OK);
        const auto floats = random_floats(30);
        gst_buffer_fill(buffer, 0, floats.data(), 120);
        outputs.emplace_back(floats, stream.pass(BufferRef(buffer)));
    }
    for (const auto &[wanted, buffer] : outputs)
        compare(contents(buffer), wanted);
    gst_buffer_pool_set_active(pool.get(), FALSE);
}
GST_END_TEST;

// Who keeps an array keeps its buffer out of the pool, and out of the hands of those who write in place.
GST_START_TEST(test_kept_array) {
    const tomo::ObjectRef<GstTomoDevice> object(tomo::new_device_object(device()));
    const tomo::ObjectRef<GstBufferPool> pool(gst_tomo_buffer_pool_new(object.get()));
    GstStructure *config = gst_buffer_pool_get_config(pool.get());
    gst_buffer_pool_config_set_params(config, nullptr, 120, 0, 0);
    gst_buffer_pool_set_config(pool.get(), config);
    gst_buffer_pool_set_active(pool.get(), TRUE);
    {
        Stream stream("tomotestprevious");
        stream.input(float_info(6, 5));
        Floats before;
        for (unsigned i = 0; i < 10; i++) {
            GstBuffer *buffer = nullptr;
            fail_unless_equals_int(gst_buffer_pool_acquire_buffer(pool.get(), &buffer, nullptr), GST_FLOW_OK);
            const auto floats = random_floats(30);
            gst_buffer_fill(buffer, 0, floats.data(), 120);
            compare(contents(stream.pass(BufferRef(buffer))), i ? before : floats, "the one before");
            before = floats;
        }
    }
    gst_buffer_pool_set_active(pool.get(), FALSE);
}
GST_END_TEST;

// Memory that was handed on is written by copying it first, as long as others have it.
GST_START_TEST(test_handed_on) {
    Stream stream("tomotestsame");
    stream.input(float_info(6, 5));
    const auto floats = random_floats(30);
    const BufferRef kept = on_device(floats);
    BufferRef out = stream.pass(kept);
    out = BufferRef(gst_buffer_make_writable(out.release()));
    const auto handle = [](const BufferRef &b) {
        return gst_tomo_memory_get_handle(gst_buffer_peek_memory(b.get(), 0));
    };
    fail_unless(handle(out) == handle(kept), "it was copied without need");
    GstMapInfo map;
    fail_unless(gst_buffer_map(out.get(), &map, GST_MAP_READWRITE));
    std::memset(map.data, 0, map.size);
    gst_buffer_unmap(out.get(), &map);
    compare(contents(kept), floats, "kept");
    compare(contents(out), Floats(30), "written");

    // What is nobody else's is written in place.
    Stream gain("tomotestgain");
    gain.input(float_info(6, 5));
    out = gain.pass(kept);
    const auto own = handle(out);
    fail_unless(gst_buffer_map(out.get(), &map, GST_MAP_READWRITE));
    gst_buffer_unmap(out.get(), &map);
    fail_unless(handle(out) == own, "it was copied without need");
}
GST_END_TEST;

// Errors
// --------------------------------------------------------------------------------------------------------

GST_START_TEST(test_refused_caps) {
    const struct {
        const char *caps, *message;
    } cases[] = {
        {"application/x-tomo-array,format=complex64,width=2,height=2,depth=1,framerate=0/1",
         "pad sink got application/x-tomo-array"},
        {"application/x-tomo-array,format=float32,width=2,height=2,framerate=0/1",
         "need format, width, height and depth"},
        {"application/x-tomo-array,format=float32,width=0,height=2,depth=1,framerate=0/1", "pad sink got"},
        {"video/x-raw,format=GRAY8,width=2,height=2,framerate=0/1", "pad sink got video/x-raw"},
    };
    for (const auto &c : cases) {
        Stream stream("tomotestgain");
        stream.input(c.caps);
        fail_if(stream.push(on_host(random_floats(4))) == GST_FLOW_OK);
        const auto errors = stream.errors();
        fail_unless(errors.size() == 1, "%zu errors for %s", errors.size(), c.caps);
        fail_unless(contains(errors[0], c.message), "%s", errors[0].c_str());
    }
}
GST_END_TEST;

GST_START_TEST(test_refused_buffers) {
    {
        Stream stream("tomotestgain");
        stream.input(float_info(5, 3));
        fail_unless_equals_int(stream.push(on_host(random_floats(14))), GST_FLOW_ERROR);
        fail_unless_equals_int(stream.push(on_host(random_floats(15))), GST_FLOW_ERROR);
        const auto errors = stream.errors();
        fail_unless(errors.size() == 1, "%zu errors", errors.size());
        fail_unless(errors[0] == "a buffer of 56 bytes came where float32 5 x 3 x 1 takes 60", "%s",
                    errors[0].c_str());
    }
    {
        Stream stream("tomotestgain");
        stream.input(float_info(5, 3));
        fail_unless_equals_int(stream.push(on_device(random_floats(16))), GST_FLOW_ERROR);
        fail_unless(
            contains(stream.errors().at(0), "a buffer of 64 bytes came where float32 5 x 3 x 1 takes 60"));
    }
    {
        Stream stream("tomotestgain");
        stream.input(float_info(5, 3));
        fail_unless_equals_int(stream.push(BufferRef(gst_buffer_new())), GST_FLOW_ERROR);
        fail_unless(contains(stream.errors().at(0), "a buffer of 0 bytes came"));
    }
}
GST_END_TEST;

GST_START_TEST(test_refused_downstream) {
    Stream stream("tomotestgain");
    stream.accept("application/x-tomo-array,format=uint8");
    stream.input(float_info(5, 3));
    fail_if(stream.push(on_host(random_floats(15))) == GST_FLOW_OK);
    const auto errors = stream.errors();
    fail_unless(errors.size() == 1, "%zu errors", errors.size());
    fail_unless(contains(errors[0], "gives application/x-tomo-array") &&
                    contains(errors[0], "format=(string)uint8"),
                "%s", errors[0].c_str());
}
GST_END_TEST;

// One failure is one error, and no end of the stream.
GST_START_TEST(test_first_error_only) {
    Stream stream("tomotestbroken");
    g_object_set(stream.element(), "good", 2, nullptr);
    stream.input(float_info(2, 2));
    for (unsigned i = 0; i < 5; i++)
        fail_unless_equals_int(stream.push(on_host(random_floats(4), i)),
                               i < 2 ? GST_FLOW_OK : GST_FLOW_ERROR);
    gst_harness_push_event(stream.get(), gst_event_new_eos());
    const auto errors = stream.errors();
    fail_unless(errors.size() == 1, "%zu errors", errors.size());
    fail_unless(errors[0] == "broken on purpose", "%s", errors[0].c_str());
    while (GstEvent *event = gst_harness_try_pull_event(stream.get())) {
        fail_if(GST_EVENT_TYPE(event) == GST_EVENT_EOS, "a broken stream was ended as if it were complete");
        gst_event_unref(event);
    }

    // After a stop it works again.
    fail_unless_equals_int(gst_element_set_state(stream.element(), GST_STATE_READY),
                           GST_STATE_CHANGE_SUCCESS);
    const auto outcome = play("tomodummydata number=5 ! tomotestbroken name=broken good=3 ! tomonull");
    fail_unless(outcome.error == "broken: broken on purpose", "%s", outcome.error.c_str());
    fail_unless(contains(outcome.debug, "with details"), "%s", outcome.debug.c_str());
}
GST_END_TEST;

// Events
// --------------------------------------------------------------------------------------------------------

GST_START_TEST(test_flush) {
    Stream stream("tomotestsum");
    stream.input(float_info(4, 4));
    const auto lost = random_floats(16), a = random_floats(16), b = random_floats(16);
    stream.push(on_device(lost));
    fail_unless(gst_harness_push_event(stream.get(), gst_event_new_flush_start()));
    fail_unless_equals_int(stream.push(on_device(lost)), GST_FLOW_FLUSHING);
    fail_unless(gst_harness_push_event(stream.get(), gst_event_new_flush_stop(TRUE)));
    GstSegment segment;
    gst_segment_init(&segment, GST_FORMAT_TIME);
    fail_unless(gst_harness_push_event(stream.get(), gst_event_new_segment(&segment)));
    stream.push(on_host(a));
    stream.push(on_device(b));
    fail_unless(gst_harness_push_event(stream.get(), gst_event_new_eos()));
    Floats sum = a;
    for (std::size_t i = 0; i < sum.size(); i++)
        sum[i] += b[i];
    compare(contents(stream.pull()), sum, "sum after a flush");
    fail_if(stream.pull().get());
    fail_unless(stream.errors().empty());
}
GST_END_TEST;

GST_START_TEST(test_end_of_stream) {
    // Sticky events come in the right order, also where the caps are known only at the end.
    for (const char *factory : {"tomotestsum", "tomotestgain"}) {
        Stream stream(factory);
        stream.input(float_info(4, 4));
        const gdouble angles[] = {0, 1};
        gst_harness_push_event(stream.get(), gst_event_new_tomo_scan(angles, 2, 2.0, 1e-6));
        for (unsigned i = 0; i < 3; i++)
            stream.push(on_host(Floats(16, 1.0f + i), i));
        fail_unless(gst_harness_push_event(stream.get(), gst_event_new_eos()));
        std::vector<GstEventType> types;
        while (GstEvent *event = gst_harness_try_pull_event(stream.get())) {
            types.push_back(GST_EVENT_TYPE(event));
            gst_event_unref(event);
        }
        const std::vector<GstEventType> wanted{GST_EVENT_STREAM_START, GST_EVENT_CAPS, GST_EVENT_SEGMENT,
                                               GST_EVENT_CUSTOM_DOWNSTREAM_STICKY, GST_EVENT_EOS};
        fail_unless(types == wanted, "%s: wrong order of events", factory);
        compare(contents(stream.pull()), Floats(16, factory == std::string("tomotestsum") ? 6.0f : 1.0f));
    }
    // A stream without any array ends as well.
    Stream stream("tomotestsum");
    stream.input(float_info(4, 4));
    fail_unless(gst_harness_push_event(stream.get(), gst_event_new_eos()));
    fail_if(stream.pull().get());
    fail_unless(stream.errors().empty());
}
GST_END_TEST;

GST_START_TEST(test_new_caps) {
    Stream stream("tomotestgain");
    stream.input(float_info(4, 4));
    const auto small = random_floats(16), large = random_floats(77);
    compare(contents(stream.pass(on_host(small))), small);
    stream.input(float_info(11, 7));
    compare(contents(stream.pass(on_host(large))), large);
    fail_unless(ArrayInfo::from_caps(stream.output_caps().get()).width == 11);
    // Another type is another program.
    stream.input(ArrayInfo(GST_TOMO_FORMAT_UINT8, 8, 2));
    const BufferRef bytes(gst_buffer_new_allocate(nullptr, 16, nullptr));
    Floats wanted;
    for (guint8 i = 0; i < 16; i++) {
        const guint8 byte = 255 - i;
        gst_buffer_fill(bytes.get(), i, &byte, 1);
        wanted.push_back(byte);
    }
    compare(contents(stream.pass(bytes)), wanted);
}
GST_END_TEST;

// Properties
// ----------------------------------------------------------------------------------------------------

GST_START_TEST(test_properties_in_flight) {
    Stream stream("tomotestgain");
    stream.input(float_info(4, 4));
    const auto floats = random_floats(16);
    for (const float factor : {1.0f, 2.0f, -3.0f}) {
        g_object_set(stream.element(), "factor", factor, nullptr);
        compare(contents(stream.pass(on_host(floats))), times(floats, factor));
    }
    g_object_set(stream.element(), "factor", 1.0f, "rows", 2, nullptr);
    auto wanted = floats;
    wanted.resize(24, -1.0f);
    compare(contents(stream.pass(on_host(floats))), wanted);
    fail_unless(ArrayInfo::from_caps(stream.output_caps().get()).height == 6);
    g_object_set(stream.element(), "rows", 0, nullptr);
    compare(contents(stream.pass(on_host(floats))), floats);

    // From another thread, all the time.
    std::atomic<bool> ends{false};
    Worker worker;
    auto end = worker.start([&] {
        for (unsigned i = 0; !ends; i++)
            g_object_set(stream.element(), "factor", i % 2 ? 5.0f : 7.0f, "rows", i % 3, nullptr);
    });
    for (unsigned i = 0; i < 200; i++) {
        const auto got = contents(stream.pass(on_host(floats)));
        const auto info = ArrayInfo::from_caps(stream.output_caps().get());
        fail_unless(got.size() == info.samples());
        fail_unless(got.size() >= 16 && got.size() <= 24);
        const Floats front(got.begin(), got.begin() + 16);
        fail_unless(front == times(floats, 5) || front == times(floats, 7) || front == floats);
    }
    ends = true;
    end.get();
}
GST_END_TEST;

// What shapes the output counts from the next frame on, whether it is set while one is computed or held back.
GST_START_TEST(test_shaping_properties_wait) {
    Stream stream("tomotesthurried");
    stream.input(float_info(4, 4));
    for (unsigned rows = 1; rows < 4; rows++) {
        compare(contents(stream.pass(on_host(random_floats(16)))), Floats(4 * rows, 0.0f));
        unsigned given = 0;
        g_object_get(stream.element(), "rows", &given, nullptr);
        fail_unless_equals_int(given, rows + 1);
    }
    g_object_set(stream.element(), "batch", 2, nullptr);
    fail_unless(!stream.pass(on_host(random_floats(16))).get());
    g_object_set(stream.element(), "rows", 50, nullptr);
    compare(contents(stream.pass(on_host(random_floats(16)))), Floats(4 * 4, 0.0f));
}
GST_END_TEST;

GST_START_TEST(test_controller) {
    Stream stream("tomotestgain");
    stream.input(float_info(4, 4));
    auto *source = gst_interpolation_control_source_new();
    g_object_set(source, "mode", GST_INTERPOLATION_MODE_LINEAR, nullptr);
    // Ten frames per second: 0 at the first, 90 at the tenth.
    auto *timed = GST_TIMED_VALUE_CONTROL_SOURCE(source);
    gst_timed_value_control_source_set(timed, 0, 0.0);
    gst_timed_value_control_source_set(timed, 900 * GST_MSECOND, 90.0);
    fail_unless(gst_object_add_control_binding(
        GST_OBJECT(stream.element()),
        gst_direct_control_binding_new_absolute(GST_OBJECT(stream.element()), "factor", source)));
    gst_object_unref(source);
    for (unsigned frame = 0; frame < 10; frame++) {
        const auto got = contents(stream.pass(on_host(Floats(16, 1.0f), frame)));
        for (float f : got)
            fail_unless(std::fabs(f - 10.0f * frame) < 1e-3f, "frame %u was multiplied with %g", frame, f);
    }
    // What reshapes can't be controlled, and says so.
    fail_if(g_object_class_find_property(G_OBJECT_GET_CLASS(stream.element()), "rows")->flags &
            GST_PARAM_CONTROLLABLE);
}
GST_END_TEST;

GST_START_TEST(test_declared_is_effective) {
    const tomo::ObjectRef<GstElement> element(
        GST_ELEMENT(gst_object_ref_sink(gst_element_factory_make("tomotestgain", nullptr))));
    guint n = 0;
    GParamSpec **specs = g_object_class_list_properties(G_OBJECT_GET_CLASS(element.get()), &n);
    unsigned own = 0;
    for (guint i = 0; i < n; i++) {
        if (specs[i]->owner_type != G_OBJECT_TYPE(element.get()))
            continue;
        own++;
        GValue value = G_VALUE_INIT;
        g_value_init(&value, specs[i]->value_type);
        g_object_get_property(G_OBJECT(element.get()), specs[i]->name, &value);
        fail_unless(g_param_value_defaults(specs[i], &value), "%s", specs[i]->name);
        g_value_unset(&value);
    }
    fail_unless_equals_int(own, 3); // device, factor, rows
    g_free(specs);
    const auto *klass = GST_ELEMENT_GET_CLASS(element.get());
    fail_unless_equals_string(
        gst_element_class_get_metadata(const_cast<GstElementClass *>(klass), "tomo-task"), "test-gain");
    fail_unless_equals_string(G_OBJECT_TYPE_NAME(element.get()), "GstTomoTestGain");
    // What does not compute has no device to choose.
    const tomo::ObjectRef<GstElement> sink(
        GST_ELEMENT(gst_object_ref_sink(gst_element_factory_make("tomonull", nullptr))));
    fail_if(g_object_class_find_property(G_OBJECT_GET_CLASS(sink.get()), "device"));
}
GST_END_TEST;

// States
// --------------------------------------------------------------------------------------------------------

namespace {

// GStreamer's objects that were made since this one and are still alive, by the leaks tracer.
class LiveObjects {
  public:
    LiveObjects() {
        GList *tracers = gst_tracing_get_active_tracers();
        for (GList *i = tracers; i; i = i->next)
            if (g_strcmp0(G_OBJECT_TYPE_NAME(i->data), "GstLeaksTracer") == 0)
                tracer_ = tomo::ObjectRef<GstObject>::referenced(GST_OBJECT(i->data));
        g_list_free_full(tracers, gst_object_unref);
        fail_unless(tracer_.get(), "needs GST_TRACERS=leaks in the environment");
        g_signal_emit_by_name(tracer_.get(), "activity-start-tracking");
    }

    std::multiset<std::string> names() {
        GstStructure *news = nullptr;
        g_signal_emit_by_name(tracer_.get(), "activity-get-checkpoint", &news);
        count(gst_structure_get_value(news, "objects-created-list"), 1);
        count(gst_structure_get_value(news, "objects-removed-list"), -1);
        gst_structure_free(news);
        std::multiset<std::string> names;
        for (const auto &[object, n] : counts_)
            if (n > 0 && object.first != "GstTask") // threads end when they like
                names.insert(object.first);
        return names;
    }

  private:
    void count(const GValue *list, int step) {
        for (guint i = 0; i < gst_value_list_get_size(list); i++) {
            const GstStructure *s = gst_value_get_structure(gst_value_list_get_value(list, i));
            counts_[{gst_structure_get_string(s, "type-name"), gst_structure_get_string(s, "address")}] +=
                step;
        }
    }

    tomo::ObjectRef<GstObject> tracer_;
    std::map<std::pair<std::string, std::string>, int>
        counts_; // by type and address, which may be used again
};

std::string describe(const std::multiset<std::string> &names) {
    std::string text;
    for (const auto &name : names)
        text += name + " ";
    return text;
}

} // namespace

GST_START_TEST(test_state_cycles) {
    static const char *const description = "tomodummydata number=3 width=8 height=8 ! tomotestgain factor=2 "
                                           "! queue ! tomotestprevious ! tomotestsum ! tomonull "
                                           "download=true";
    play(description); // what is made once
    LiveObjects live;
    {
        const tomo::ObjectRef<GstElement> pipeline(
            GST_ELEMENT(gst_object_ref_sink(gst_parse_launch(description, nullptr))));
        std::multiset<std::string> first;
        for (int cycle = 0; cycle < 100; cycle++) {
            const auto outcome = play(pipeline.get());
            fail_unless(outcome.error.empty(), "%s", outcome.error.c_str());
            if (cycle == 0)
                first = live.names();
        }
        const auto last = live.names();
        fail_unless(first == last, "alive after one cycle: %s\nafter 100: %s", describe(first).c_str(),
                    describe(last).c_str());
        // Up to every state and back, without waiting.
        for (int cycle = 0; cycle < 40; cycle++) {
            gst_element_set_state(pipeline.get(),
                                  static_cast<GstState>(random_between(GST_STATE_NULL, GST_STATE_PLAYING)));
            g_usleep(random_between(0, 2000));
        }
        gst_element_set_state(pipeline.get(), GST_STATE_NULL);
    }
    // GStreamer goes on to a pending state in a thread of its own, which holds the pipeline until it has run.
    auto left = live.names();
    for (int i = 0; i < 1000 && !left.empty(); i++) {
        g_usleep(10000);
        left = live.names();
    }
    fail_unless(left.empty(), "left alive: %s", describe(left).c_str());
}
GST_END_TEST;

GST_START_TEST(test_memory_comes_back) {
    const auto in_use = device()->memory_in_use();
    {
        Stream stream("tomotestprevious");
        stream.input(float_info(4, 4));
        for (int i = 0; i < 5; i++)
            stream.pass(on_device(random_floats(16)));
        fail_unless(device()->memory_in_use() > in_use);
    }
    fail_unless_equals_uint64(device()->memory_in_use(), in_use);
}
GST_END_TEST;

GST_START_TEST(test_effective_values) {
    Stream stream("tomotesttelling");
    auto *element = tomo::element_of(stream.element());
    fail_unless(!element->effective_values());
    stream.input(float_info(5, 4));
    for (unsigned frame = 0; frame < 5; frame++)
        stream.pass(on_host(random_floats(20), frame));
    // Once each, though every frame tells; and all together.
    const auto told = stream.told();
    fail_unless_equals_int(told.size(), 2);
    fail_unless(gst_structure_has_name(told[1].get(), "tomo-effective"));
    fail_unless_equals_int(gst_structure_n_fields(told[1].get()), 1);
    double axis = 0;
    guint views = 0;
    const auto kept = element->effective_values();
    fail_unless(
        gst_structure_get(kept.get(), "axis", G_TYPE_DOUBLE, &axis, "views", G_TYPE_UINT, &views, nullptr));
    fail_unless(axis == 2.5 && views == 7);
    fail_unless_equals_string(gst_structure_get_string(kept.get(), "axis-units"), "pixel");
    // News replace what was.
    stream.input(float_info(8, 4));
    stream.pass(on_host(random_floats(32), 5));
    fail_unless_equals_int(stream.told().size(), 1);
    fail_unless(gst_structure_get_double(element->effective_values().get(), "axis", &axis) && axis == 4);
    // Another run knows nothing yet.
    gst_element_set_state(stream.element(), GST_STATE_READY);
    gst_element_set_state(stream.element(), GST_STATE_PAUSED);
    fail_unless(!element->effective_values());
}
GST_END_TEST;

static Suite *element_suite() {
    Suite *suite = suite_create("element");
    TCase *cases = tcase_create("general");
    suite_add_tcase(suite, cases);
    tcase_set_timeout(cases, 180);
    randomness();
    register_elements();
    tcase_add_loop_test(cases, test_memory_mixes, 0, 2);
    tcase_add_test(cases, test_pieces);
    tcase_add_test(cases, test_strides);
    tcase_add_test(cases, test_facts_stay);
    tcase_add_test(cases, test_metas_of_others);
    tcase_add_test(cases, test_more_outputs_than_inputs);
    tcase_add_test(cases, test_proposed_pool);
    tcase_add_test(cases, test_kept_array);
    tcase_add_test(cases, test_handed_on);
    tcase_add_test(cases, test_refused_caps);
    tcase_add_test(cases, test_refused_buffers);
    tcase_add_test(cases, test_refused_downstream);
    tcase_add_test(cases, test_first_error_only);
    tcase_add_test(cases, test_flush);
    tcase_add_test(cases, test_end_of_stream);
    tcase_add_test(cases, test_new_caps);
    tcase_add_test(cases, test_properties_in_flight);
    tcase_add_test(cases, test_shaping_properties_wait);
    tcase_add_test(cases, test_controller);
    tcase_add_test(cases, test_declared_is_effective);
    tcase_add_test(cases, test_state_cycles);
    tcase_add_test(cases, test_memory_comes_back);
    tcase_add_test(cases, test_effective_values);
    return suite;
}

GST_CHECK_MAIN(element);
