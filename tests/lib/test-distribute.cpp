// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// tomodistribute with two devices of PoCL: order, facts, events, flushes, failures. The elements within are
// written here, so that they can be slow and fail as a test wants it.
#include "graph-support.hpp"

#include <gst/tomo/bases/filter.hpp>
#include <gst/tomo/bases/side-by-side.hpp>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <set>

#include <gst/check/gstcheck.h> // last: it defines macros named like members of the standard library
#include <gst/check/gstharness.h>

using namespace tomotest;
using tomo::Array;
using tomo::ArrayInfo;
using tomo::BufferRef;
using tomo::CapsRef;
using tomo::EventRef;

// Elements
// ------------------------------------------------------------------------------------------------------

namespace {

// What the copies did, by their devices.
struct Account {
    std::mutex lock;
    std::vector<std::set<std::uint64_t>> frames{2};
    std::vector<unsigned> batches; // arrays computed at once
    void clear() {
        const std::lock_guard<std::mutex> guard(lock);
        frames = std::vector<std::set<std::uint64_t>>(2);
        batches.clear();
    }
    std::size_t count(unsigned device) {
        const std::lock_guard<std::mutex> guard(lock);
        return frames[device].size();
    }
};
Account account;

// Multiplies, and takes its time.
class TestWork final : public tomo::Filter {
  public:
    static constexpr tomo::Info info{
        .task = "test-work", .klass = "Filter/Effect", .blurb = "Multiplies slowly for tests"};

    tomo::Property<float> factor{
        this, "factor", 2.0f, {-1000.0f, 1000.0f}, "What samples are multiplied with"};
    tomo::Property<unsigned> rows{this, "rows", 0, {0, 100}, tomo::When::reshapes, "Rows more"};
    tomo::Property<unsigned> wait_0{this, "wait-0", 0,
                                    "Microseconds on the first device, and up to as much more"};
    tomo::Property<unsigned> wait_1{this, "wait-1", 0, "On the other one"};
    tomo::Property<unsigned> good_0{this, "good-0", G_MAXUINT, "Arrays before it fails on the first device"};
    tomo::Property<unsigned> good_1{this, "good-1", G_MAXUINT, "On the other one"};
    tomo::Property<unsigned> ready{this, "ready", 0, tomo::When::ready, "Nothing"};

    ArrayInfo shape(const ArrayInfo &in) override {
        if (in.width == 99)
            throw tomo::Error(GST_STREAM_ERROR_FORMAT, "99 columns are not wanted");
        return in.with_format(GST_TOMO_FORMAT_FLOAT32).with_size(in.width, in.height + rows);
    }
    void start() override { done_ = 0; }
    void process(const Array &in, Array &out) override {
        const bool is_first = device()->index() == 0;
        if (done_++ >= (is_first ? good_0 : good_1))
            throw tomo::Error(GST_STREAM_ERROR_FAILED, tomo::text("broken on device %u", device()->index()));
        if (const unsigned wait = is_first ? wait_0 : wait_1)
            g_usleep(wait + g_random_int_range(0, wait));
        {
            const std::lock_guard<std::mutex> lock(account.lock);
            account.frames[device()->index()].insert(frame_index());
        }
        const auto k = kernel_from_source("work.cl", R"(
            kernel void work(IN(in), OUT(float, out), const float factor, const ulong n)
            {
                const ulong i = get_global_id(0);
                AT(out, i) = i < n ? LOAD(in, i) * factor : -1.0f;
            })",
                                          "work", input_types());
        launch(k, {out.info().samples()}, in, out, factor.value(), cl_ulong{in.info().samples()});
    }

  private:
    std::atomic<unsigned> done_{0};
};

// Gives other shapes on other devices, or no result, or too many.
class TestOdd final : public tomo::Filter {
  public:
    static constexpr tomo::Info info{.task = "test-odd", .klass = "Filter/Effect", .blurb = "Odd for tests"};
    tomo::Property<bool> differs{this, "differs", false, "Gives as many rows more as the device has"};
    tomo::Property<unsigned> drops{this, "drops", G_MAXUINT, "The array that it swallows"};
    tomo::Property<unsigned> doubles{this, "doubles", G_MAXUINT, "The array that it gives twice"};

    ArrayInfo shape(const ArrayInfo &in) override {
        return differs ? in.with_size(in.width, in.height + device()->index()) : in;
    }
    Array apply(const Array &in) override { return differs ? allocate(output_info()) : in; }

  protected:
    GstFlowReturn take(GstBuffer *buffer) override {
        if (GST_BUFFER_OFFSET(buffer) == drops)
            return GST_FLOW_OK;
        if (GST_BUFFER_OFFSET(buffer) == doubles)
            Filter::take(buffer);
        return Filter::take(buffer);
    }
};

class TestBatch final : public tomo::BatchFilter {
  public:
    static constexpr tomo::Info info{
        .task = "test-batch", .klass = "Filter/Effect", .blurb = "Several at once for tests"};
    ArrayInfo shape(const ArrayInfo &in) override { return in.with_format(GST_TOMO_FORMAT_FLOAT32); }
    void process(const Array &in, Array &out) override {
        {
            const std::lock_guard<std::mutex> lock(account.lock);
            account.batches.push_back(in.depth() / output_info().depth);
        }
        copy_rows(in, {}, out, {}, out.info().size());
    }

  protected:
    unsigned batch_that_pays(const ArrayInfo &) override { return 8; }
};

// Gives the input before this one; the first one twice.
class TestEarlier final : public tomo::Filter, public tomo::WithHistory {
  public:
    static constexpr tomo::Info info{
        .task = "test-earlier", .klass = "Filter/Effect", .blurb = "Lags for tests"};
    tomo::Property<bool> lags{this, "lags", true, "Whether it does"};
    std::string history() const override { return lags ? "it gives the one before" : ""; }
    ArrayInfo shape(const ArrayInfo &in) override { return in; }
    Array apply(const Array &in) override { return in; }
};

TOMO_ELEMENT(TestWork)
TOMO_ELEMENT(TestOdd)
TOMO_ELEMENT(TestBatch)
TOMO_ELEMENT(TestEarlier)

void register_elements() {
    const gboolean registered = gst_plugin_register_static(
        GST_VERSION_MAJOR, GST_VERSION_MINOR, "tomotest", "elements of this test",
        [](GstPlugin *plugin) -> gboolean {
            return tomo_register_TestWork(plugin) && tomo_register_TestOdd(plugin) &&
                   tomo_register_TestBatch(plugin) && tomo_register_TestEarlier(plugin);
        },
        "0", "LGPL", "gst-tomo", "gst-tomo", "gst-tomo");
    if (!registered)
        g_error("can't register the elements of the test");
}

// Streams
// -------------------------------------------------------------------------------------------------------

using Floats = std::vector<float>;

constexpr unsigned width = 16, height = 3;

ArrayInfo shape(unsigned w = width) { return ArrayInfo(GST_TOMO_FORMAT_FLOAT32, w, height).with_rate(10, 1); }

BufferRef frame(unsigned number, unsigned w = width) {
    const Floats floats(std::size_t{w} * height, float(number));
    BufferRef buffer(gst_buffer_new_allocate(nullptr, floats.size() * sizeof(float), nullptr));
    gst_buffer_fill(buffer.get(), 0, floats.data(), floats.size() * sizeof(float));
    GST_BUFFER_PTS(buffer.get()) = number * 100 * GST_MSECOND;
    GST_BUFFER_DURATION(buffer.get()) = 100 * GST_MSECOND;
    GST_BUFFER_OFFSET(buffer.get()) = number;
    GST_BUFFER_OFFSET_END(buffer.get()) = number + 1;
    return buffer;
}

float value(GstBuffer *buffer, std::size_t at = 0) {
    const tomo::MappedBuffer map(buffer, GST_MAP_READ);
    return reinterpret_cast<const float *>(map.data())[at];
}

// tomodistribute in a harness, with a bus and with all that came out.
class Stream {
  public:
    explicit Stream(const std::string &description, const char *others = "")
        : harness_(gst_harness_new_parse(
              ("tomodistribute name=d devices=0,1 description=\"" + description + "\" " + others).c_str())),
          bus_(gst_bus_new()), distribute_(gst_bin_get_by_name(GST_BIN(harness_->element), "d")) {
        gst_element_set_bus(harness_->element, bus_.get());
        gst_pad_add_probe(
            harness_->sinkpad, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM,
            [](GstPad *, GstPadProbeInfo *info, gpointer self) {
                static_cast<Stream *>(self)->note(GST_PAD_PROBE_INFO_EVENT(info));
                return GST_PAD_PROBE_OK;
            },
            this, nullptr);
        gst_pad_add_probe(
            harness_->sinkpad, GST_PAD_PROBE_TYPE_BUFFER,
            [](GstPad *, GstPadProbeInfo *info, gpointer self) {
                static_cast<Stream *>(self)->note(
                    "array " + std::to_string(GST_BUFFER_OFFSET(GST_PAD_PROBE_INFO_BUFFER(info))));
                return GST_PAD_PROBE_OK;
            },
            this, nullptr);
    }
    ~Stream() {
        gst_element_set_bus(harness_->element, nullptr);
        gst_harness_teardown(harness_);
    }

    GstHarness *operator->() const { return harness_; }
    GstElement *element() const { return distribute_.get(); }
    GstElement *outer() const { return harness_->element; }
    void input(unsigned w = width) { gst_harness_set_src_caps(harness_, shape(w).to_caps(false)); }
    bool send(GstEvent *event) { return gst_harness_push_event(harness_, event); }
    GstFlowReturn push(BufferRef buffer) { return gst_harness_push(harness_, buffer.release()); }
    BufferRef pull() {
        BufferRef buffer(gst_harness_pull(harness_));
        fail_unless(buffer.get(), "no array came: %s", words().c_str());
        return buffer;
    }
    void expect(unsigned number, float factor = 2.0f) {
        const auto buffer = pull();
        fail_unless_equals_int(GST_BUFFER_OFFSET(buffer.get()), number);
        fail_unless(value(buffer.get()) == factor * number, "array %u is %g", number, value(buffer.get()));
    }

    std::vector<std::string> notes() {
        const std::lock_guard<std::mutex> guard(lock_);
        return notes_;
    }
    // Texts of all errors so far, and of all warnings.
    std::vector<std::string> errors() { return look(), errors_; }
    std::vector<std::string> warnings() { return look(), warnings_; }
    std::string words() {
        std::string all;
        for (const auto &error : errors())
            all += error + "; ";
        return all.empty() ? "no error" : all;
    }

  private:
    void look() {
        while (GstMessage *message = gst_bus_pop(bus_.get())) {
            const bool is_error = GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR;
            if (is_error || GST_MESSAGE_TYPE(message) == GST_MESSAGE_WARNING) {
                GError *error = nullptr;
                (is_error ? gst_message_parse_error : gst_message_parse_warning)(message, &error, nullptr);
                (is_error ? errors_ : warnings_).push_back(error->message);
                g_error_free(error);
            }
            gst_message_unref(message);
        }
    }
    void note(GstEvent *event) {
        const auto *structure = gst_event_get_structure(event);
        note(GST_EVENT_TYPE(event) == GST_EVENT_CUSTOM_DOWNSTREAM ? gst_structure_get_name(structure)
                                                                  : GST_EVENT_TYPE_NAME(event));
    }
    void note(const std::string &words) {
        const std::lock_guard<std::mutex> guard(lock_);
        notes_.push_back(words);
    }

    GstHarness *harness_;
    tomo::ObjectRef<GstBus> bus_;
    tomo::ObjectRef<GstElement> distribute_;
    std::mutex lock_;
    std::vector<std::string> notes_, errors_, warnings_;
};

GstEvent *custom(const char *name) {
    return gst_event_new_custom(GST_EVENT_CUSTOM_DOWNSTREAM, gst_structure_new_empty(name));
}

// Arrays in another thread, so that the test can pull.
class Feeder {
  public:
    Feeder(Stream &stream, unsigned first, unsigned end)
        : thread_([&stream, first, end, this] {
              for (unsigned i = first; i < end && flow_ == GST_FLOW_OK; i++)
                  flow_ = stream.push(frame(i));
          }) {}
    GstFlowReturn join() {
        if (thread_.joinable())
            thread_.join();
        return flow_;
    }
    ~Feeder() { join(); }

  private:
    std::atomic<GstFlowReturn> flow_{GST_FLOW_OK};
    std::thread thread_;
};

void expect_all(Stream &stream, unsigned count, float factor = 2.0f) {
    for (unsigned i = 0; i < count; i++)
        stream.expect(i, factor);
}

std::string joined(const std::vector<std::string> &all) {
    std::string text;
    for (const auto &each : all)
        text += "[" + each + "] ";
    return text;
}

} // namespace

// Order and facts
// ----------------------------------------------------------------------------------------------------

GST_START_TEST(test_order) {
    account.clear();
    Stream stream("tomotestwork wait-0=300 wait-1=800");
    stream.input();
    Feeder feeder(stream, 0, 200);
    expect_all(stream, 200);
    fail_unless_equals_int(feeder.join(), GST_FLOW_OK);
    fail_unless(account.count(0) > 0 && account.count(1) > 0, "a device had nothing to do");
    fail_unless_equals_int(account.count(0) + account.count(1), 200);
    fail_unless(stream.errors().empty());
}
GST_END_TEST;

GST_START_TEST(test_work_by_speed) {
    account.clear();
    Stream stream("tomotestwork wait-0=500 wait-1=20000");
    stream.input();
    Feeder feeder(stream, 0, 300);
    expect_all(stream, 300);
    feeder.join();
    fail_unless(account.count(1) > 0, "the slow device had nothing to do");
    fail_unless(account.count(0) > 4 * account.count(1), "the fast device had %zu arrays, the slow one %zu",
                account.count(0), account.count(1));
}
GST_END_TEST;

GST_START_TEST(test_facts_stay) {
    Stream stream("tomotestwork wait-0=200 wait-1=200");
    stream.input();
    GstCaps *reference = gst_caps_new_empty_simple("timestamp/x-test");
    std::vector<bool> is_numbered;
    for (unsigned i = 0; i < 40; i++) {
        auto buffer = frame(i);
        gst_buffer_add_tomo_frame_meta(buffer.get(), i, 0.5 * i, i, "source");
        gst_buffer_add_reference_timestamp_meta(buffer.get(), reference, 1000 + i, GST_CLOCK_TIME_NONE);
        GST_BUFFER_FLAG_SET(buffer.get(), i % 3 ? GST_BUFFER_FLAG_MARKER : GST_BUFFER_FLAG_GAP);
        is_numbered.push_back(random_between(0, 1));
        if (!is_numbered.back())
            GST_BUFFER_OFFSET(buffer.get()) = GST_BUFFER_OFFSET_NONE;
        fail_unless_equals_int(stream.push(std::move(buffer)), GST_FLOW_OK);
    }
    for (unsigned i = 0; i < 40; i++) {
        const auto buffer = stream.pull();
        fail_unless(value(buffer.get()) == 2.0f * i);
        fail_unless_equals_uint64(GST_BUFFER_PTS(buffer.get()), i * 100 * GST_MSECOND);
        fail_unless_equals_uint64(GST_BUFFER_DURATION(buffer.get()), 100 * GST_MSECOND);
        fail_unless_equals_uint64(GST_BUFFER_OFFSET(buffer.get()),
                                  is_numbered[i] ? i : GST_BUFFER_OFFSET_NONE);
        fail_unless_equals_uint64(GST_BUFFER_OFFSET_END(buffer.get()), i + 1);
        fail_unless(
            GST_BUFFER_FLAG_IS_SET(buffer.get(), i % 3 ? GST_BUFFER_FLAG_MARKER : GST_BUFFER_FLAG_GAP));
        const auto *facts = gst_buffer_get_tomo_frame_meta(buffer.get());
        fail_unless(facts && facts->index == i && facts->angle == 0.5 * i);
        const auto *time = gst_buffer_get_reference_timestamp_meta(buffer.get(), reference);
        fail_unless(time && time->timestamp == 1000 + i);
    }
    gst_caps_unref(reference);
}
GST_END_TEST;

// As many as an element computes at once go to one copy, and results are in order.
GST_START_TEST(test_batches) {
    for (const char *part : {"tomotestbatch", "tomotestbatch ! queue ! tomotestwork factor=1"}) {
        account.clear();
        const auto outcome = play(tomo::text("tomodummydata number=100 width=5 height=4 ! tomodistribute "
                                             "devices=0,1 description=\"%s\" ! tomonull",
                                             part)
                                      .c_str());
        fail_unless_equals_string(outcome.error.c_str(), "");
        unsigned sum = 0;
        for (const auto batch : account.batches)
            sum += batch;
        fail_unless_equals_int(sum, 100);
        fail_unless_equals_int(account.batches.size(), 13);
        fail_unless_equals_int(*std::max_element(account.batches.begin(), account.batches.end()), 8);
    }
}
GST_END_TEST;

// Events
// -------------------------------------------------------------------------------------------------------

GST_START_TEST(test_events_in_order) {
    Stream stream("tomotestwork wait-0=100 wait-1=2000");
    stream.input();
    std::vector<std::string> wanted;
    for (unsigned i = 0; i < 60; i++) {
        fail_unless_equals_int(stream.push(frame(i)), GST_FLOW_OK);
        wanted.push_back("array " + std::to_string(i));
        if (random_between(0, 4) == 0) {
            const std::string name = "event-" + std::to_string(i);
            fail_unless(stream.send(custom(name.c_str())));
            wanted.push_back(name);
        }
    }
    fail_unless(stream.send(gst_event_new_tag(gst_tag_list_new(GST_TAG_TITLE, "sample", nullptr))));
    wanted.push_back("tag");
    fail_unless(stream.send(gst_event_new_eos()));
    wanted.push_back("eos");
    const auto got = stream.notes();
    std::vector<std::string> behind(std::find(got.begin(), got.end(), wanted.front()), got.end());
    fail_unless(behind == wanted, "%s", joined(got).c_str());
    for (const char *once : {"stream-start", "caps", "segment"})
        fail_unless_equals_int(std::count(got.begin(), got.end(), once), 1);
    fail_unless(stream.errors().empty());
}
GST_END_TEST;

GST_START_TEST(test_new_caps) {
    Stream stream("tomotestwork rows=1 wait-0=100 wait-1=1000 ! queue ! tomotestwork");
    unsigned number = 0;
    std::vector<unsigned> widths;
    for (const unsigned w : {16u, 7u, 7u, 31u}) {
        stream.input(w);
        for (unsigned i = 0; i < 10; i++, number++) {
            fail_unless_equals_int(stream.push(frame(number, w)), GST_FLOW_OK);
            widths.push_back(w);
        }
    }
    fail_unless(stream.send(gst_event_new_eos()));
    for (unsigned i = 0; i < number; i++) {
        const auto buffer = stream.pull();
        fail_unless_equals_int(gst_buffer_get_size(buffer.get()), sizeof(float) * widths[i] * (height + 1));
        fail_unless(value(buffer.get()) == 4.0f * i);
    }
    const auto notes = stream.notes();
    fail_unless_equals_int(std::count(notes.begin(), notes.end(), "caps"), 3);
    fail_unless(stream.errors().empty());
}
GST_END_TEST;

GST_START_TEST(test_end_without_arrays) {
    Stream stream("tomotestwork");
    stream.input();
    fail_unless(stream.send(gst_event_new_eos()));
    fail_unless(stream.notes().back() == "eos", "%s", joined(stream.notes()).c_str());
    fail_unless_equals_int(stream.push(frame(0)), GST_FLOW_EOS);
}
GST_END_TEST;

// Arrays of all streams that a flush cut off are gone, and those of the last one come.
GST_START_TEST(test_flush_storm) {
    for (const char *part :
         {"tomotestwork wait-0=100 wait-1=700", "tomotestwork ! queue ! tomotestwork factor=1 wait-1=500"}) {
        Stream stream(part);
        stream.input();
        for (unsigned round = 0; round < 100; round++) {
            {
                Feeder feeder(stream, 0, random_between(0, 40));
                g_usleep(random_between(0, 4000));
                fail_unless(stream.send(gst_event_new_flush_start()));
                const auto flow = feeder.join();
                fail_unless(flow == GST_FLOW_OK || flow == GST_FLOW_FLUSHING, "%s", gst_flow_get_name(flow));
            }
            fail_unless(stream.send(gst_event_new_flush_stop(TRUE)));
            while (GstBuffer *old = gst_harness_try_pull(stream.operator->()))
                gst_buffer_unref(old);
            GstSegment segment;
            gst_segment_init(&segment, GST_FORMAT_TIME);
            fail_unless(stream.send(gst_event_new_segment(&segment)));
        }
        Feeder feeder(stream, 0, 30);
        expect_all(stream, 30);
        feeder.join();
        fail_unless(stream.send(gst_event_new_eos()));
        fail_unless(stream.errors().empty());
    }
}
GST_END_TEST;

// Properties
// ---------------------------------------------------------------------------------------------------

GST_START_TEST(test_child_properties) {
    Stream stream("tomotestwork name=first ! tomotestwork ! capsfilter caps=application/x-tomo-array(ANY)");
    auto *proxy = GST_CHILD_PROXY(stream.element());
    fail_unless_equals_int(gst_child_proxy_get_children_count(proxy), 3);
    for (const char *name :
         {"first", "tomotestwork", "tomotestwork0", "tomotestwork1", "test-work1", "capsfilter"}) {
        const tomo::ObjectRef<GstObject> child(GST_OBJECT(gst_child_proxy_get_child_by_name(proxy, name)));
        fail_unless(child.get(), "no %s", name);
    }
    fail_if(gst_child_proxy_get_child_by_name(proxy, "tomotestwork2"));
    gst_child_proxy_set(proxy, "first::factor", 3.0f, "test-work1::factor", 5.0f, nullptr);
    stream.input();
    for (unsigned i = 0; i < 10; i++)
        stream.push(frame(i));
    expect_all(stream, 10, 15.0f);
    // They outlive the copies.
    gst_element_set_state(stream.outer(), GST_STATE_NULL);
    gst_element_set_state(stream.outer(), GST_STATE_PLAYING);
    gfloat factor = 0;
    gst_child_proxy_get(proxy, "first::factor", &factor, nullptr);
    fail_unless(factor == 3.0f);
    stream.input();
    stream.push(frame(7));
    stream.expect(7, 15.0f);
}
GST_END_TEST;

// A change while arrays are under way is for all arrays that come later, and for none before.
GST_START_TEST(test_changes_in_flight) {
    for (const char *name : {"factor", "rows"}) {
        Stream stream("tomotestwork wait-0=200 wait-1=1500");
        stream.input();
        const bool is_factor = name == std::string("factor");
        for (unsigned i = 0; i < 60; i++) {
            if (i % 10 == 0) {
                if (is_factor)
                    gst_child_proxy_set(GST_CHILD_PROXY(stream.element()), "test-work::factor", 1.0f + i / 10,
                                        nullptr);
                else
                    gst_child_proxy_set(GST_CHILD_PROXY(stream.element()), "test-work::rows", i / 10,
                                        nullptr);
            }
            fail_unless(stream.push(frame(i)) == GST_FLOW_OK, "%s", stream.words().c_str());
        }
        for (unsigned i = 0; i < 60; i++) {
            const auto buffer = stream.pull();
            if (is_factor)
                fail_unless(value(buffer.get()) == i * (1.0f + i / 10), "array %u is %g", i,
                            value(buffer.get()));
            else
                fail_unless_equals_int(gst_buffer_get_size(buffer.get()),
                                       sizeof(float) * width * (height + i / 10));
        }
        fail_unless(stream.errors().empty());
    }
}
GST_END_TEST;

GST_START_TEST(test_description_changes) {
    Stream stream("tomotestwork");
    stream.input();
    stream.push(frame(3));
    stream.expect(3);
    gst_element_set_state(stream.outer(), GST_STATE_READY);
    g_object_set(stream.element(), "description", "tomotestwork factor=7 ! tomotestwork factor=2", "devices",
                 "1", nullptr);
    gst_child_proxy_set(GST_CHILD_PROXY(stream.element()), "tomotestwork1::factor", 3.0f, nullptr);
    gst_element_set_state(stream.outer(), GST_STATE_PLAYING);
    stream.input();
    stream.push(frame(4));
    stream.expect(4, 21.0f);
}
GST_END_TEST;

// Failures
// -----------------------------------------------------------------------------------------------------

GST_START_TEST(test_one_error) {
    Stream stream("tomotestwork good-0=5 good-1=7");
    stream.input();
    GstFlowReturn flow = GST_FLOW_OK;
    for (unsigned i = 0; i < 200 && flow == GST_FLOW_OK; i++)
        flow = stream.push(frame(i));
    fail_unless_equals_int(flow, GST_FLOW_ERROR);
    g_usleep(50000); // for the other copy's
    const auto errors = stream.errors();
    fail_unless_equals_int(errors.size(), 1);
    fail_unless(errors[0].find("broken on device") == 0);
    fail_if(stream.send(gst_event_new_eos()), "a broken stream did not end");
    for (unsigned i = 0; GstBuffer *buffer = gst_harness_try_pull(stream.operator->()); i++) {
        fail_unless_equals_int(GST_BUFFER_OFFSET(buffer), i);
        gst_buffer_unref(buffer);
    }
}
GST_END_TEST;

GST_START_TEST(test_others_go_on) {
    for (unsigned round = 0; round < 10; round++) {
        account.clear();
        const auto good = random_between(0, 30);
        Stream stream(
            tomo::text("tomotestwork wait-0=300 wait-1=300 good-1=%zu%s", good, round % 2 ? " ! queue" : ""),
            "on-failure=continue");
        stream.input();
        Feeder feeder(stream, 0, 100);
        expect_all(stream, 100);
        fail_unless_equals_int(feeder.join(), GST_FLOW_OK);
        fail_unless(stream.send(gst_event_new_eos()), "%s", stream.words().c_str());
        fail_unless(stream.notes().back() == "eos", "%s", joined(stream.notes()).c_str());
        fail_unless(stream.errors().empty());
        const auto warnings = stream.warnings();
        fail_unless_equals_int(warnings.size(), 1);
        fail_unless(warnings[0].find("device 1") != std::string::npos &&
                        warnings[0].find("broken on device 1") != std::string::npos,
                    "%s", warnings[0].c_str());
        fail_unless_equals_int(account.count(1), good);
        // It gets another chance.
        gst_element_set_state(stream.outer(), GST_STATE_READY);
        account.clear();
        gst_element_set_state(stream.outer(), GST_STATE_PLAYING);
        fail_unless(stream.send(gst_event_new_stream_start("again")));
        stream.input();
        GstSegment segment;
        gst_segment_init(&segment, GST_FORMAT_TIME);
        fail_unless(stream.send(gst_event_new_segment(&segment)));
        Feeder again(stream, 0, 60);
        expect_all(stream, 60);
        again.join();
        fail_unless(good == 0 || account.count(1) > 0);
    }
}
GST_END_TEST;

// Batches that a copy holds when it fails are done again as well.
GST_START_TEST(test_batches_go_on) {
    const tomo::ObjectRef<GstElement> pipeline(GST_ELEMENT(gst_object_ref_sink(gst_parse_launch(
        "tomodummydata number=200 width=5 height=4 init=3 ! tomodistribute devices=0,1 "
        "on-failure=continue description=\"tomotestwork factor=2 good-0=13 ! tomotestbatch\" ! "
        "identity name=i ! tomonull",
        nullptr))));
    const tomo::ObjectRef<GstElement> identity(gst_bin_get_by_name(GST_BIN(pipeline.get()), "i"));
    static unsigned came;
    came = 0;
    g_signal_connect(identity.get(), "handoff", G_CALLBACK(+[](GstElement *, GstBuffer *buffer) {
                         fail_unless_equals_int(GST_BUFFER_OFFSET(buffer), came++);
                         fail_unless(value(buffer) == 6.0f);
                     }),
                     nullptr);
    const auto outcome = play(pipeline.get());
    fail_unless_equals_string(outcome.error.c_str(), "");
    fail_unless_equals_int(came, 200);
}
GST_END_TEST;

GST_START_TEST(test_all_fail) {
    Stream stream("tomotestwork good-0=5 good-1=9", "on-failure=continue");
    stream.input();
    GstFlowReturn flow = GST_FLOW_OK;
    for (unsigned i = 0; i < 200 && flow == GST_FLOW_OK; i++)
        flow = stream.push(frame(i));
    fail_unless_equals_int(flow, GST_FLOW_ERROR);
    fail_unless_equals_int(stream.warnings().size(), 1);
    const auto errors = stream.errors();
    fail_unless_equals_int(errors.size(), 1);
    fail_if(stream.send(gst_event_new_eos()));
}
GST_END_TEST;

// Where the input is to blame, all copies say the same.
GST_START_TEST(test_refused_caps) {
    for (const char *others : {"", "on-failure=continue"}) {
        Stream stream("tomotestwork", others);
        stream.input(99);
        fail_if(stream.push(frame(0, 99)) == GST_FLOW_OK);
        const auto errors = stream.errors();
        fail_unless_equals_int(errors.size(), 1);
        fail_unless_equals_string(errors[0].c_str(), "99 columns are not wanted");
        fail_unless(stream.warnings().empty());
    }
}
GST_END_TEST;

GST_START_TEST(test_refused_downstream) {
    Stream stream("tomotestwork");
    gst_harness_set_sink_caps_str(stream.operator->(), "application/x-tomo-array,format=float32,width=17");
    stream.input();
    fail_if(stream.push(frame(0)) == GST_FLOW_OK);
    const auto errors = stream.errors();
    fail_unless_equals_int(errors.size(), 1);
    fail_unless(errors[0].find("width=(int)17") != std::string::npos, "%s", errors[0].c_str());
}
GST_END_TEST;

GST_START_TEST(test_odd_copies) {
    const struct {
        const char *part, *words;
    } cases[] = {{"tomotestodd differs=true", "do not give the same"},
                 {"tomotestodd drops=7", "no result for array 7"},
                 {"tomotestodd doubles=7", "more arrays than it took"}};
    for (const auto &odd : cases) {
        Stream stream(odd.part);
        stream.input();
        GstFlowReturn flow = GST_FLOW_OK;
        for (unsigned i = 0; i < 100 && flow == GST_FLOW_OK; i++)
            flow = stream.push(frame(i));
        if (flow == GST_FLOW_OK)
            stream.send(gst_event_new_eos());
        const auto errors = stream.errors();
        fail_unless_equals_int(errors.size(), 1);
        fail_unless(errors[0].find(odd.words) != std::string::npos, "%s", errors[0].c_str());
    }
}
GST_END_TEST;

GST_START_TEST(test_downstream_wants_no_more) {
    Stream stream("tomotestwork");
    stream.input();
    gst_pad_add_probe(
        stream->sinkpad, GST_PAD_PROBE_TYPE_BUFFER,
        [](GstPad *, GstPadProbeInfo *info, gpointer) {
            if (GST_BUFFER_OFFSET(GST_PAD_PROBE_INFO_BUFFER(info)) < 5)
                return GST_PAD_PROBE_OK;
            GST_PAD_PROBE_INFO_FLOW_RETURN(info) = GST_FLOW_EOS;
            gst_buffer_unref(GST_PAD_PROBE_INFO_BUFFER(info));
            return GST_PAD_PROBE_HANDLED;
        },
        nullptr, nullptr);
    GstFlowReturn flow = GST_FLOW_OK;
    for (unsigned i = 0; i < 200 && flow == GST_FLOW_OK; i++)
        flow = stream.push(frame(i));
    fail_unless_equals_int(flow, GST_FLOW_EOS);
    expect_all(stream, 5);
    fail_unless(stream.send(gst_event_new_eos()));
    fail_unless(stream.notes().back() == "eos", "%s", joined(stream.notes()).c_str());
    fail_unless(stream.errors().empty());
}
GST_END_TEST;

// Queries
// ------------------------------------------------------------------------------------------------------

GST_START_TEST(test_queries) {
    Stream stream("tomotestwork rows=2");
    stream.input();
    gst_harness_set_upstream_latency(stream.operator->(), 50 * GST_MSECOND);
    stream.push(frame(0));
    stream.expect(0);
    const tomo::QueryRef latency(gst_query_new_latency());
    fail_unless(gst_pad_peer_query(stream->sinkpad, latency.get()));
    gboolean live = FALSE;
    GstClockTime min = 0, max = 0;
    gst_query_parse_latency(latency.get(), &live, &min, &max);
    fail_unless(min >= 250 * GST_MSECOND, "%" GST_TIME_FORMAT, GST_TIME_ARGS(min));
    // What the elements within take and give.
    const CapsRef taken(gst_pad_peer_query_caps(stream->srcpad, nullptr)),
        given(gst_pad_peer_query_caps(stream->sinkpad, nullptr));
    const CapsRef complex(gst_caps_from_string("application/x-tomo-array,format=complex64")),
        real(gst_caps_from_string("application/x-tomo-array,format=uint16"));
    fail_if(gst_caps_can_intersect(taken.get(), complex.get()));
    fail_unless(gst_caps_can_intersect(taken.get(), real.get()));
    fail_if(gst_caps_can_intersect(given.get(), real.get()));
    // All that came has left behind a query that asks for it.
    for (unsigned i = 1; i < 10; i++)
        stream.push(frame(i));
    const tomo::QueryRef drain(gst_query_new_drain());
    gst_pad_peer_query(stream->srcpad, drain.get());
    fail_unless_equals_int(gst_harness_buffers_in_queue(stream.operator->()), 9);
}
GST_END_TEST;

// Descriptions
// -------------------------------------------------------------------------------------------------

// One error that has all of these words.
static void expect_refusal(const char *description, const char *devices,
                           const std::vector<std::string> &words) {
    const tomo::ObjectRef<GstElement> element(
        GST_ELEMENT(gst_object_ref_sink(gst_element_factory_make("tomodistribute", nullptr))));
    const tomo::ObjectRef<GstBus> bus(gst_bus_new());
    gst_element_set_bus(element.get(), bus.get());
    g_object_set(element.get(), "description", description, "devices", devices, nullptr);
    fail_unless_equals_int(gst_element_set_state(element.get(), GST_STATE_READY), GST_STATE_CHANGE_FAILURE);
    GstMessage *message = gst_bus_pop_filtered(bus.get(), GST_MESSAGE_ERROR);
    fail_unless(message, "%s, %s: no error", description, devices ? devices : "");
    GError *error = nullptr;
    gst_message_parse_error(message, &error, nullptr);
    for (const auto &each : words)
        fail_unless(std::strstr(error->message, each.c_str()), "%s: %s", description, error->message);
    g_error_free(error);
    gst_message_unref(message);
    fail_if(gst_bus_pop_filtered(bus.get(), GST_MESSAGE_ERROR), "%s, %s: another error", description,
            devices ? devices : "");
    gst_element_set_bus(element.get(), nullptr);
    gst_element_set_state(element.get(), GST_STATE_NULL);
}

GST_START_TEST(test_refused_descriptions) {
    const struct {
        const char *part, *words;
    } cases[] = {
        {"", "description is not set"},
        {"nonsense", "nonsense"},
        {"tomotestwork nonsense=1", "nonsense"},
        {"tomodummydata", "tomodummydata can't run in copies side by side: it is a source"},
        {"tomoscansrc", "is a source"},
        {"tomotestwork ! tomonull", "tomonull can't run in copies side by side: it is a sink"},
        {"fakesink", "is a sink"},
        {"tomotestwork ! tomoaverage",
         "tomoaverage can't run in copies side by side: it does not give one array for "
         "each (it is a reducer)"},
        {"tomosubtract", "joins several inputs"},
        {"tomoslidingstack", "depends on earlier arrays: a stack has the arrays before it"},
        {"tomotestearlier", "depends on earlier arrays: it gives the one before"},
        {"tomomonitor", "is no filter that computes each array by itself"},
        {"identity", "is no element of gst-tomo"},
        {"queue leaky=downstream", "leaky"},
        {"tomotestwork device=1", "has device=1, but `devices` says where copies run"},
        {"tomotestwork tomotestwork", "in one row"},
        {"tomodistribute description=tomotestwork", "tomodistribute can't run in copies"},
    };
    for (const auto &each : cases)
        expect_refusal(each.part, "0,1", {each.words});
    Stream stream("tomotestearlier lags=false"); // by its properties
    stream.input();
    stream.push(frame(1));
    stream.expect(1, 1.0f);
}
GST_END_TEST;

GST_START_TEST(test_refused_devices) {
    const struct {
        const char *devices, *words;
    } cases[] = {{"7", "has '7', which means none of them"},
                 {"0,0", "names device 0 twice"},
                 {"all,1", "names device 1 twice"},
                 {"gpu", "has 'gpu', which means none of them"},
                 {"0,,1", "has an empty part"},
                 {"nonsense", "has 'nonsense', which means none of them"}};
    for (const bool is_variable : {false, true})
        for (const auto &each : cases) {
            g_setenv("GST_TOMO_DEVICES", is_variable ? each.devices : "0", TRUE);
            expect_refusal(
                "tomotestwork", is_variable ? nullptr : each.devices,
                {each.words, "the OpenCL devices are, by index: 0: ",
                 std::string(is_variable ? "GST_TOMO_DEVICES=" : "devices=") + each.devices + " "});
        }
    for (const char *devices : {"all", "cpu", "0,1", "1, 0", "PTHREAD"}) {
        account.clear();
        g_setenv("GST_TOMO_DEVICES", devices, TRUE);
        const auto outcome = play(
            "tomodummydata number=50 ! tomodistribute description=\"tomotestwork wait-0=500 wait-1=500\" ! tomonull");
        fail_unless_equals_string(outcome.error.c_str(), "");
        fail_unless(account.count(0) > 0 && account.count(1) > 0);
    }
}
GST_END_TEST;

// Many runs
// ----------------------------------------------------------------------------------------------------

std::size_t number_in(const char *file, const char *label) {
    const auto contents = contents_of(file);
    const auto at = contents.find(label);
    return at == std::string::npos
               ? 0
               : g_ascii_strtoull(contents.c_str() + at + std::strlen(label), nullptr, 10);
}

// Threads, descriptors and memory are given back, wherever in a stream it is stopped.
GST_START_TEST(test_state_cycles) {
    GError *error = nullptr;
    const tomo::ObjectRef<GstElement> pipeline(GST_ELEMENT(gst_object_ref_sink(gst_parse_launch(
        "tomodummydata number=200 width=64 height=64 ! tomodistribute devices=0,1 on-failure=continue "
        "description=\"tomotestwork wait-0=20 wait-1=100 ! tomotestbatch\" ! queue ! tomonull",
        &error))));
    fail_if(error);
    const tomo::ObjectRef<GstBus> bus(gst_element_get_bus(pipeline.get()));
    std::size_t threads = 0, memory = 0;
    for (unsigned round = 0; round < 200; round++) {
        const auto wanted = random_between(0, 3);
        gst_element_set_state(pipeline.get(), wanted == 0 ? GST_STATE_PAUSED : GST_STATE_PLAYING);
        if (wanted == 1) {
            GstMessage *end = gst_bus_timed_pop_filtered(
                bus.get(), 30 * GST_SECOND, static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR));
            fail_unless(end && GST_MESSAGE_TYPE(end) == GST_MESSAGE_EOS, "round %u did not end", round);
            gst_message_unref(end);
        } else {
            g_usleep(random_between(0, 5000));
        }
        if (wanted == 3) // from the beginning, while it runs
            gst_element_seek_simple(pipeline.get(), GST_FORMAT_DEFAULT, GST_SEEK_FLAG_FLUSH,
                                    random_between(0, 150));
        gst_element_set_state(pipeline.get(), round % 3 ? GST_STATE_READY : GST_STATE_NULL);
        gst_bus_set_flushing(bus.get(), TRUE);
        gst_bus_set_flushing(bus.get(), FALSE);
        if (round == 100) {
            threads = number_in("/proc/self/status", "Threads:");
            memory = number_in("/proc/self/status", "VmRSS:");
        }
    }
    gst_element_set_state(pipeline.get(), GST_STATE_NULL);
    const auto more_threads = number_in("/proc/self/status", "Threads:"),
               more_memory = number_in("/proc/self/status", "VmRSS:");
    g_print("threads %zu, %zu; kilobytes %zu, %zu\n", threads, more_threads, memory, more_memory);
    fail_unless(more_threads <= threads + 8, "%zu threads after 100 runs, %zu after 200", threads,
                more_threads);
    fail_unless(more_memory <= memory + 20000, "%zu kB after 100 runs, %zu after 200", memory, more_memory);
}
GST_END_TEST;

// Dataflows
// ----------------------------------------------------------------------------------------------------

static GraphRef graph_on(const std::string &line, const char *devices) {
    GError *error = nullptr;
    GraphRef graph(gst_tomo_graph_new_from_line(line.c_str(), &error));
    fail_unless(graph != nullptr, "%s", error ? error->message : "no graph and no error");
    g_object_set(graph.get(), "devices", devices, nullptr);
    return graph;
}

GST_START_TEST(test_failing_device_in_a_graph) {
    const auto graph = graph_on(
        "dummy-data number=200 width=4 height=3 ! tomotestwork name=w good-1=3 wait-0=2000 ! null", "0,1");
    auto *node = gst_tomo_graph_get_node(graph.get(), "w");
    for (int again = 0; again < 2; again++)
        check_run_fails(graph.get(), {"node 'w': broken on device 1", "(on device 1 (pthread"});
    g_object_set(node, "good-1", G_MAXUINT, nullptr);
    run(graph.get());
    g_object_set(graph.get(), "devices", "0", nullptr);
    g_object_set(node, "good-1", 0, nullptr);
    run(graph.get());
}
GST_END_TEST;

// Copies that compute longer than a standstill takes to be found are no standstill.
GST_START_TEST(test_slow_copies_beside_a_small_queue) {
    const auto graph =
        graph_on("dummy-data number=4 width=4 height=3 init=1 ! tee name=t ! "
                 "tomotestwork wait-0=400000 wait-1=400000 ! s.sink_0 "
                 "t. ! queue max-size-buffers=1 ! s.sink_1 tomosubtract name=s ! fakesink name=out",
                 "0,1");
    Values out(graph.get(), "out");
    run(graph.get());
    fail_unless(out.values == std::vector<float>(4, 1.0f));
}
GST_END_TEST;

// They wait for more arrays than fit into the queue, which has to grow.
GST_START_TEST(test_batches_beside_a_queue) {
    const auto graph =
        graph_on("dummy-data number=40 width=4 height=3 init=3 ! tee name=t ! tomotestbatch ! s.sink_0 "
                 "t. ! s.sink_1 tomosubtract name=s ! fakesink name=out",
                 "0,1");
    Values out(graph.get(), "out");
    run(graph.get());
    fail_unless(out.values == std::vector<float>(40, 0.0f));
}
GST_END_TEST;

static Suite *distribute_suite() {
    Suite *suite = suite_create("distribute");
    TCase *cases = tcase_create("general");
    suite_add_tcase(suite, cases);
    tcase_set_timeout(cases, 180);
    randomness();
    register_elements();
    tcase_add_test(cases, test_order);
    tcase_add_test(cases, test_work_by_speed);
    tcase_add_test(cases, test_facts_stay);
    tcase_add_test(cases, test_batches);
    tcase_add_test(cases, test_events_in_order);
    tcase_add_test(cases, test_new_caps);
    tcase_add_test(cases, test_end_without_arrays);
    tcase_add_test(cases, test_flush_storm);
    tcase_add_test(cases, test_child_properties);
    tcase_add_test(cases, test_changes_in_flight);
    tcase_add_test(cases, test_description_changes);
    tcase_add_test(cases, test_one_error);
    tcase_add_test(cases, test_others_go_on);
    tcase_add_test(cases, test_batches_go_on);
    tcase_add_test(cases, test_all_fail);
    tcase_add_test(cases, test_refused_caps);
    tcase_add_test(cases, test_refused_downstream);
    tcase_add_test(cases, test_odd_copies);
    tcase_add_test(cases, test_downstream_wants_no_more);
    tcase_add_test(cases, test_queries);
    tcase_add_test(cases, test_refused_descriptions);
    tcase_add_test(cases, test_refused_devices);
    tcase_add_test(cases, test_state_cycles);
    tcase_add_test(cases, test_failing_device_in_a_graph);
    tcase_add_test(cases, test_slow_copies_beside_a_small_queue);
    tcase_add_test(cases, test_batches_beside_a_queue);
    return suite;
}

GST_CHECK_MAIN(distribute);
