// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// No exception of an element's leaves C++: whatever function of an element throws, the stream ends with an
// error or does not begin.
#include "support.hpp"

#include <gst/tomo/bases/filter.hpp>
#include <gst/tomo/bases/joiner.hpp>
#include <gst/tomo/bases/reducer.hpp>
#include <gst/tomo/bases/sink.hpp>
#include <gst/tomo/bases/source-bin.hpp>

#include <cstring>

#include <gst/check/gstcheck.h> // last: it defines macros named like members of the standard library
#include <gst/check/gstharness.h>

using namespace tomotest;
using tomo::Array;
using tomo::ArrayInfo;

namespace {

// Which function throws, and what came of it.
std::atomic<const char *> culprit{nullptr};
std::atomic<bool> throws_strange_types{false};
std::atomic<unsigned> thrown{0};

void may_throw(const char *function) {
    const char *wanted = culprit;
    if (!wanted || std::strcmp(wanted, function) != 0)
        return;
    thrown++;
    if (throws_strange_types)
        throw 42;
    throw std::logic_error(std::string(function) + " fails on purpose");
}

// What all bases have.
template <class Base>
class Faulty : public Base {
  public:
    tomo::Property<int> value{this, "value", 0, tomo::When::reshapes, "For changes"};

    void prepare() override { may_throw("prepare"); }
    void start() override { may_throw("start"); }
    void stop() override { may_throw("stop"); }
    bool needs_device() const override { return true; }
    void property_changed(tomo::PropertyBase *property) override {
        may_throw("property_changed");
        Base::property_changed(property);
    }
    void device_changed() override {
        may_throw("device_changed");
        Base::device_changed();
    }
    void cancelled_changed() override { may_throw("cancelled_changed"); }
};

class FaultyFilter final : public Faulty<tomo::Filter> {
  public:
    static constexpr tomo::Info info{
        .task = "faulty-filter", .klass = "Filter/Effect", .blurb = "Fails for tests"};
    unsigned latency() const override { return may_throw("latency"), 0; }
    std::optional<std::uint64_t> output_count(std::uint64_t n, const ArrayInfo &) const override {
        return may_throw("output_count"), n;
    }
    ArrayInfo shape(const ArrayInfo &in) override { return may_throw("shape"), in; }
    Array apply(const Array &in) override { return may_throw("apply"), in; }

  protected:
    GstFlowReturn drain() override { return may_throw("drain"), GST_FLOW_OK; }
    GstFlowReturn release() override { return may_throw("release"), GST_FLOW_OK; }
    void clear() override { may_throw("clear"); }
    tomo::EventRef own_scan_event() override { return may_throw("own_scan_event"), tomo::EventRef(); }
};

class FaultyReducer final : public Faulty<tomo::Reducer> {
  public:
    static constexpr tomo::Info info{
        .task = "faulty-reducer", .klass = "Filter/Effect", .blurb = "Fails for tests"};
    void begin(const ArrayInfo &) override { may_throw("begin"); }
    void consume(const Array &in) override {
        may_throw("consume");
        last_ = in;
    }
    void finish() override {
        may_throw("finish");
        is_ready_ = true;
    }
    unsigned unfinished_set() const override { return may_throw("unfinished_set"), 0; }
    bool ready() const override { return may_throw("ready"), is_ready_; }
    Array produce() override {
        may_throw("produce");
        is_ready_ = false;
        return std::exchange(last_, {});
    }
    void clear() override {
        last_ = {};
        is_ready_ = false;
        may_throw("clear");
    }

  private:
    Array last_;
    bool is_ready_ = false;
};

class FaultyJoiner final : public Faulty<tomo::Joiner> {
  public:
    static constexpr tomo::Info info{
        .task = "faulty-joiner", .klass = "Filter/Effect", .blurb = "Fails for tests"};
    std::vector<Input> inputs() const override { return {{"first"}, {"second"}}; }
    bool takes_mean(std::size_t) const override { return may_throw("takes_mean"), false; }
    ArrayInfo shape(const std::vector<ArrayInfo> &in) override { return may_throw("shape"), in[0]; }
    void process(const std::vector<Array> &, Array &out) override {
        may_throw("process");
        const float zero = 0;
        fill(out, &zero, sizeof zero);
    }
    void finish() override { may_throw("finish"); }
    std::uint64_t output_count(std::uint64_t n) const override { return may_throw("output_count"), n; }

  protected:
    void clear() override { may_throw("clear"); }
};

class FaultyJoiningReducer final : public Faulty<tomo::JoiningReducer> {
  public:
    static constexpr tomo::Info info{
        .task = "faulty-joining-reducer", .klass = "Filter/Effect", .blurb = "Fails for tests"};
    std::vector<Input> inputs() const override { return {{"first"}, {"second"}}; }
    ArrayInfo shape(const std::vector<ArrayInfo> &in) override { return may_throw("shape"), in[0]; }
    void consume(const std::vector<Array> &in) override {
        may_throw("consume");
        last_ = in[0];
    }
    void finish() override { may_throw("finish"); }
    bool ready() const override { return may_throw("ready"), bool(last_); }
    unsigned unfinished_set() const override { return may_throw("unfinished_set"), 0; }
    Array produce() override { return may_throw("produce"), std::exchange(last_, {}); }
    void clear() override {
        last_ = {};
        may_throw("clear");
    }

  private:
    Array last_;
};

class FaultySource final : public Faulty<tomo::Source> {
  public:
    static constexpr tomo::Info info{.task = "faulty-source", .klass = "Source", .blurb = "Fails for tests"};
    std::optional<ArrayInfo> frame_info(std::uint64_t n) override {
        may_throw("frame_info");
        return n < 4 ? std::optional(ArrayInfo(GST_TOMO_FORMAT_FLOAT32, 3, 2)) : std::nullopt;
    }
    Array frame(std::uint64_t, const ArrayInfo &info) override {
        may_throw("frame");
        Array array = allocate(info);
        const float zero = 0;
        fill(array, &zero, sizeof zero);
        return array;
    }
    std::optional<std::uint64_t> frame_count() override { return may_throw("frame_count"), 4; }
    tomo::EventRef scan_event() override { return may_throw("scan_event"), tomo::EventRef(); }
    void describe_frame(std::uint64_t, GstTomoFrameMeta &) override { may_throw("describe_frame"); }
};

class FaultySink final : public Faulty<tomo::Sink> {
  public:
    static constexpr tomo::Info info{.task = "faulty-sink", .klass = "Sink", .blurb = "Fails for tests"};
    void begin(const ArrayInfo &) override { may_throw("begin"); }
    void consume(GstBuffer *, const ArrayInfo &) override { may_throw("consume"); }
    void finish() override { may_throw("finish"); }
    void abandon() override { may_throw("abandon"); }
    void clear() override { may_throw("clear"); }
};

class FaultySourceBin final : public Faulty<tomo::SourceBin> {
  public:
    static constexpr tomo::Info info{
        .task = "faulty-source-bin", .klass = "Source", .blurb = "Fails for tests"};
    std::vector<Output> outputs() const override { return {{"first"}}; }
    tomo::ObjectRef<GstElement> source(const char *output) override {
        may_throw("source");
        return make_source<FaultySource>(output);
    }
};

} // namespace

TOMO_ELEMENT(FaultyFilter)
TOMO_ELEMENT(FaultyReducer)
TOMO_ELEMENT(FaultyJoiner)
TOMO_ELEMENT(FaultyJoiningReducer)
TOMO_ELEMENT(FaultySource)
TOMO_ELEMENT(FaultySink)
TOMO_ELEMENT(FaultySourceBin)

namespace {

void register_elements() {
    const gboolean registered = gst_plugin_register_static(
        GST_VERSION_MAJOR, GST_VERSION_MINOR, "tomotest", "Elements for tests",
        [](GstPlugin *plugin) -> gboolean {
            return tomo_register_FaultyFilter(plugin) && tomo_register_FaultyReducer(plugin) &&
                   tomo_register_FaultyJoiner(plugin) && tomo_register_FaultyJoiningReducer(plugin) &&
                   tomo_register_FaultySource(plugin) && tomo_register_FaultySink(plugin) &&
                   tomo_register_FaultySourceBin(plugin);
        },
        "1.0", "LGPL", "tomotest", "tomotest", "https://example.org");
    if (!registered)
        g_error("can't register the elements of the test");
}

// A pipeline with the element "faulty".
class Life {
  public:
    explicit Life(const char *line) : pipeline_(gst_parse_launch(line, nullptr)) {
        fail_unless(pipeline_.get(), "%s", line);
        bus_ = tomo::ObjectRef<GstBus>(gst_element_get_bus(pipeline_.get()));
        faulty_ = tomo::ObjectRef<GstElement>(gst_bin_get_by_name(GST_BIN(pipeline_.get()), "faulty"));
    }
    ~Life() {
        culprit = nullptr;
        gst_element_set_state(pipeline_.get(), GST_STATE_NULL);
    }

    // All that happens to an element; `when` is the moment from which on `function` throws.
    enum class Moment { birth, paused };
    void live(const char *function, Moment when) {
        const auto arm = [&](Moment now) {
            if (now == when)
                culprit = function;
        };
        arm(Moment::birth);
        g_object_set(faulty_.get(), "value", 1, nullptr);
        if (!go_to(GST_STATE_PAUSED))
            return;
        arm(Moment::paused);
        if (std::strcmp(function, "abandon") != 0) {
            ask();
            g_object_set(faulty_.get(), "value", 2, nullptr);
            if (!go_to(GST_STATE_PLAYING) || !wait_for_end())
                return;
            ask();
            gst_element_seek_simple(pipeline_.get(), GST_FORMAT_DEFAULT, GST_SEEK_FLAG_FLUSH, 0);
            wait_for_end();
        }
        go_to(GST_STATE_READY);
        look_for_error(0);
    }
    bool failed() const { return failed_; }

  private:
    bool go_to(GstState state) {
        gst_element_set_state(pipeline_.get(), state);
        const auto change = gst_element_get_state(pipeline_.get(), nullptr, nullptr, 10 * GST_SECOND);
        fail_if(change == GST_STATE_CHANGE_ASYNC && !look_for_error(0), "the pipeline stands still before %s",
                gst_element_state_get_name(state));
        failed_ = failed_ || change == GST_STATE_CHANGE_FAILURE;
        return !failed_;
    }
    void ask() {
        gint64 value = 0;
        gst_element_query_duration(pipeline_.get(), GST_FORMAT_DEFAULT, &value);
        gst_element_query_position(pipeline_.get(), GST_FORMAT_DEFAULT, &value);
        const tomo::QueryRef latency(gst_query_new_latency()),
            seeking(gst_query_new_seeking(GST_FORMAT_TIME));
        gst_element_query(pipeline_.get(), latency.get());
        gst_element_query(pipeline_.get(), seeking.get());
    }
    bool look_for_error(GstClockTime patience) {
        GstMessage *message = gst_bus_timed_pop_filtered(bus_.get(), patience, GST_MESSAGE_ERROR);
        failed_ = failed_ || message;
        g_clear_pointer(&message, gst_message_unref);
        return failed_;
    }
    bool wait_for_end() {
        GstMessage *message = gst_bus_timed_pop_filtered(
            bus_.get(), 20 * GST_SECOND, static_cast<GstMessageType>(GST_MESSAGE_ERROR | GST_MESSAGE_EOS));
        fail_unless(message, "neither an error nor the end of the stream");
        failed_ = failed_ || GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR;
        gst_message_unref(message);
        return !failed_;
    }

    tomo::ObjectRef<GstElement> pipeline_, faulty_;
    tomo::ObjectRef<GstBus> bus_;
    bool failed_ = false;
};

struct Base {
    const char *line;
    std::vector<const char *> functions; // besides those of all bases
};

const std::vector<Base> bases{
    {"tomodummydata number=4 width=3 height=2 ! application/x-tomo-array,framerate=5/1 ! tomofaultyfilter name=faulty ! fakesink",
     {"latency", "output_count", "shape", "apply", "drain", "release", "clear", "own_scan_event"}},
    {"tomodummydata number=4 width=3 height=2 ! tomofaultyreducer name=faulty ! fakesink",
     {"begin", "consume", "finish", "unfinished_set", "ready", "produce", "clear"}},
    {"tomofaultyjoiner name=faulty ! fakesink tomodummydata number=4 width=3 height=2 ! faulty.first "
     "tomodummydata number=4 width=3 height=2 ! faulty.second",
     {"takes_mean", "shape", "process", "finish", "output_count", "clear"}},
    {"tomofaultyjoiningreducer name=faulty ! fakesink tomodummydata number=4 width=3 height=2 ! faulty.first "
     "tomodummydata number=4 width=3 height=2 ! faulty.second",
     {"shape", "consume", "finish", "ready", "unfinished_set", "produce", "clear"}},
    {"tomofaultysource name=faulty ! fakesink",
     {"frame_info", "frame", "frame_count", "scan_event", "describe_frame"}},
    {"tomodummydata number=4 width=3 height=2 ! tomofaultysink name=faulty",
     {"begin", "consume", "finish", "abandon", "clear"}},
    {"tomofaultysourcebin name=faulty ! fakesink", {"source"}},
};

void live_with(const char *line, const char *function, Life::Moment when) {
    thrown = 0;
    Life life(line);
    life.live(function, when);
    culprit = nullptr;
    fail_unless(thrown > 0, "%s was not called by: %s", function, line);
    // What can't be counted is told by the stream, once it gets there.
    if (std::strcmp(function, "frame_count") != 0)
        fail_unless(life.failed(), "nobody heard of an exception from %s: %s", function, line);
}

} // namespace

GST_START_TEST(test_each_function) {
    register_elements();
    const char *line = bases[__i__].line;
    for (const bool is_strange : {false, true}) {
        throws_strange_types = is_strange;
        auto functions = bases[__i__].functions;
        functions.insert(functions.end(),
                         {"prepare", "start", "stop", "property_changed", "cancelled_changed"});
        for (const char *function : functions)
            live_with(line, function, Life::Moment::birth);
        // While the stream runs, in which the state of the pipeline changes no more.
        for (const char *function : {"stop", "property_changed", "cancelled_changed"})
            live_with(line, function, Life::Moment::paused);
    }
}
GST_END_TEST;

// The first array decides about the device, so that of another context changes it.
GST_START_TEST(test_device_changed) {
    register_elements();
    const ArrayInfo info(GST_TOMO_FORMAT_FLOAT32, 3, 2);
    const cl_device_id id = tomo::Context::create("")->default_device()->id();
    const tomo::ClContext handle(clCreateContext(nullptr, 1, &id, nullptr, nullptr, nullptr));
    const auto other = tomo::Context::wrap(handle.get());
    for (const char *element : {"tomofaultyfilter", "tomofaultyreducer"}) {
        thrown = 0;
        culprit = "device_changed";
        GstHarness *harness = gst_harness_new(element);
        const tomo::ObjectRef<GstBus> bus(gst_bus_new());
        gst_element_set_bus(harness->element, bus.get());
        gst_harness_set_src_caps(harness, info.to_caps(true));
        tomo::BufferRef buffer;
        {
            const Array array(info, other->default_device());
            const tomo::Host<float> host(array);
            std::fill_n(host.data(), info.samples(), 1.0f);
            buffer = array.to_buffer();
        }
        fail_unless_equals_int(gst_harness_push(harness, buffer.release()), GST_FLOW_ERROR);
        fail_unless(thrown > 0, "%s", element);
        GstMessage *message = gst_bus_pop_filtered(bus.get(), GST_MESSAGE_ERROR);
        fail_unless(message, "%s", element);
        gst_message_unref(message);
        gst_element_set_bus(harness->element, nullptr);
        gst_harness_teardown(harness);
        culprit = nullptr;
    }
}
GST_END_TEST;

static Suite *guards_suite() {
    Suite *suite = suite_create("guards");
    TCase *cases = tcase_create("each");
    tcase_set_timeout(cases, 300);
    suite_add_tcase(suite, cases);
    tcase_add_loop_test(cases, test_each_function, 0, static_cast<int>(bases.size()));
    tcase_add_test(cases, test_device_changed);
    return suite;
}

GST_CHECK_MAIN(guards)
