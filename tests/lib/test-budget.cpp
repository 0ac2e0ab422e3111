// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The budget of device memory: recycling, waiting, giving up, and who may wait for whom.
#include "support.hpp"

#include <atomic>

#include <gst/check/gstcheck.h> // last: it defines macros named like members of the standard library

using namespace tomotest;
using tomo::Storage;

namespace {

constexpr std::size_t piece = 65536;

// Each test runs in a process of its own, so that the environment is read anew.
std::shared_ptr<tomo::Context> context_with_limit(const char *limit) {
    g_setenv("GST_TOMO_MEMORY_LIMIT", limit, TRUE);
    return tomo::Context::create("");
}

std::shared_ptr<tomo::Device> device_with_limit(const char *limit) {
    return context_with_limit(limit)->default_device();
}

std::shared_ptr<Storage> take(const std::shared_ptr<tomo::Device> &device, std::size_t size = piece) {
    return std::make_shared<Storage>(device, size);
}

bool contains(const std::string &text, const std::string &words) {
    return text.find(words) != std::string::npos;
}

// A pool of the device without a limit of its own.
tomo::ObjectRef<GstBufferPool> pool_of(const std::shared_ptr<tomo::Device> &device) {
    const tomo::ObjectRef<GstTomoDevice> object(tomo::new_device_object(device));
    tomo::ObjectRef<GstBufferPool> pool(gst_tomo_buffer_pool_new(object.get()));
    GstStructure *config = gst_buffer_pool_get_config(pool.get());
    gst_buffer_pool_config_set_params(config, nullptr, piece, 0, 0);
    fail_unless(gst_buffer_pool_set_config(pool.get(), config));
    fail_unless(gst_buffer_pool_set_active(pool.get(), TRUE));
    return pool;
}

} // namespace

GST_START_TEST(test_limits) {
    const struct {
        const char *text;
        std::size_t bytes; // 0: refused
    } cases[] = {
        {"65536", 65536}, {"2k", 2048}, {"3M", 3 * 1048576}, {"0.5G", 536870912},
        {" 7K", 7168},    {"", 0},      {"lots", 0},         {"-5", 0},
        {"0", 0},         {"1P", 0},    {"5 M", 0},          {"12MB", 0},
        {"K", 0},         {"nan", 0},   {"inf", 0},          {"1e40", 0},
        {"9e9G", 0},      {"0.1", 0},   {"0x10", 0},         {"1t", 1099511627776},
        {"8192T", 9007199254740992},    {"8193T", 0},        {"5,5G", 0},
    };
    for (const auto &c : cases) {
        g_setenv("GST_TOMO_MEMORY_LIMIT", c.text, TRUE);
        GError *error = nullptr;
        const tomo::ObjectRef<GstTomoContext> context(gst_tomo_context_new(nullptr, &error));
        if (c.bytes) {
            fail_unless(context.get(), "%s: %s", c.text, error ? error->message : "");
            const tomo::ObjectRef<GstTomoDevice> device(gst_tomo_context_get_default_device(context.get()));
            fail_unless_equals_uint64(gst_tomo_device_get_memory_limit(device.get()), c.bytes);
        } else {
            fail_if(context.get(), "%s was taken", c.text);
            fail_unless(
                contains(error->message, std::string("GST_TOMO_MEMORY_LIMIT=") + c.text + " is no size"),
                "%s", error->message);
            g_error_free(error);
        }
    }
}
GST_END_TEST;

GST_START_TEST(test_recycles) {
    const auto device = device_with_limit("1M");
    auto first = take(device);
    const cl_mem handle = first->buffer();
    fail_unless_equals_uint64(device->memory_in_use(), piece);
    first.reset();
    fail_unless_equals_uint64(device->memory_in_use(), 0);
    const auto other = take(device, piece / 2);
    fail_if(other->buffer() == handle);
    const auto again = take(device);
    fail_unless(again->buffer() == handle);
    fail_unless_equals_uint64(device->memory_in_use(), piece + piece / 2);
}
GST_END_TEST;

// What is kept for reuse makes room for another size.
GST_START_TEST(test_makes_room) {
    const auto device = device_with_limit("256K");
    {
        const auto a = take(device), b = take(device), c = take(device), d = take(device);
        fail_unless_equals_uint64(device->memory_in_use(), 4 * piece);
    }
    const auto large = take(device, 4 * piece - 1);
    fail_unless_equals_uint64(device->memory_in_use(), 4 * piece - 1);
}
GST_END_TEST;

GST_START_TEST(test_parts) {
    const auto process = context_with_limit("512K");
    const auto whole = process->default_device(),
               small = process->with_memory_limit(2 * piece)->default_device(),
               large = process->with_memory_limit(G_MAXUINT32)->default_device();
    fail_unless_equals_uint64(small->memory_limit(), 2 * piece);
    fail_unless_equals_uint64(large->memory_limit(), 8 * piece);
    fail_unless_equals_int(small->index(), whole->index());
    // Each has its own limit, and all count for that of the process.
    auto message = error_of([&] { take(small, 3 * piece); });
    fail_unless(contains(message, "the memory limit of this context"), "%s", message.c_str());
    auto a = take(small, piece), b = take(small, piece), c = take(large, 5 * piece);
    fail_unless_equals_uint64(small->memory_in_use(), 2 * piece);
    fail_unless_equals_uint64(whole->memory_in_use(), 7 * piece);
    message = error_of([&] { take(large, 2 * piece); });
    fail_unless(contains(message, "out of memory on"), "%s", message.c_str());
    // What a part keeps for reuse goes back where others want it, and with the part.
    c.reset();
    fail_unless_equals_uint64(large->memory_in_use(), 0);
    fail_unless_equals_uint64(whole->memory_in_use(), 7 * piece);
    auto d = take(whole, 4 * piece);
    fail_unless_equals_uint64(whole->memory_in_use(), 6 * piece);
    // Waiting for the others as well.
    Worker waiter;
    auto end = waiter.start([&] { c = take(large, 3 * piece); });
    g_usleep(200000);
    d.reset();
    end.get();
    fail_unless_equals_uint64(whole->memory_in_use(), 5 * piece);
    a.reset();
    b.reset();
    fail_unless_equals_uint64(whole->memory_in_use(), 5 * piece);
}
GST_END_TEST;

GST_START_TEST(test_parts_end) {
    auto part = context_with_limit("512K")->with_memory_limit(2 * piece);
    const auto whole = tomo::Context::create("")->default_device(); // which the part keeps open
    take(part->default_device());
    fail_unless_equals_uint64(whole->memory_in_use(), piece);
    part.reset();
    fail_unless_equals_uint64(whole->memory_in_use(), 0);
    GError *error = nullptr;
    const tomo::ObjectRef<GstTomoContext> context(gst_tomo_context_new_limited(nullptr, 3 * piece, &error));
    const tomo::ObjectRef<GstTomoDevice> device(gst_tomo_context_get_default_device(context.get()));
    fail_unless_equals_uint64(gst_tomo_device_get_memory_limit(device.get()), 3 * piece);
    fail_if(gst_tomo_context_new_limited(nullptr, 0, &error));
    fail_unless(contains(error->message, "0 bytes"), "%s", error->message);
    g_error_free(error);
}
GST_END_TEST;

GST_START_TEST(test_waits_for_others) {
    const auto device = device_with_limit("256K");
    auto a = take(device, 2 * piece);
    const auto b = take(device, 2 * piece);
    Worker waiter;
    std::atomic<bool> got{false};
    auto end = waiter.start([&] {
        const auto c = take(device, 2 * piece);
        got = true;
    });
    g_usleep(200000);
    fail_if(got, "the limit was passed");
    a.reset();
    end.get();
    fail_unless(got);
    fail_unless_equals_uint64(device->memory_in_use(), 2 * piece);
}
GST_END_TEST;

GST_START_TEST(test_gives_up) {
    const auto device = device_with_limit("256K");
    const auto a = take(device, 2 * piece), b = take(device, 2 * piece);
    const auto message = error_of([&] { take(device, 100); });
    fail_unless(contains(message, "out of memory on " + device->name()), "%s", message.c_str());
    fail_unless(contains(message, "100 bytes wanted, 262144 of 262144 in use and none given back"), "%s",
                message.c_str());
    fail_unless_equals_uint64(device->memory_in_use(), 4 * piece);
}
GST_END_TEST;

// As long as memory comes back, however little of it stays, nobody gives up.
GST_START_TEST(test_patience) {
    const auto device = device_with_limit("256K");
    auto most = take(device, 3 * piece);
    std::atomic<bool> got{false};
    Worker large, small;
    auto end = large.start([&] {
        const auto c = take(device, 4 * piece);
        got = true;
    });
    // For longer than the patience for a graph that waits for itself.
    for (int i = 0; i < 24; i++) {
        small.run([&] {
            const auto turnover = take(device);
            g_usleep(500000);
        });
        fail_if(end.wait_for(std::chrono::seconds(0)) == std::future_status::ready);
    }
    most.reset();
    end.get();
    fail_unless(got);
}
GST_END_TEST;

// Who is asked whether to wait may look at the memory of the device, and take some of it.
GST_START_TEST(test_asked_without_lock) {
    const auto device = device_with_limit("256K");
    auto a = take(device, 2 * piece);
    const auto b = take(device);
    unsigned asked = 0;
    const Storage c(device, 2 * piece, [&] {
        asked++;
        const auto d = take(device); // there is room for that
        fail_unless_equals_uint64(device->memory_in_use(), 4 * piece);
        a.reset();
        device->trim();
        return tomo::Patience::limited;
    });
    fail_unless_equals_int(asked, 1);
    fail_unless_equals_uint64(device->memory_in_use(), 3 * piece);
}
GST_END_TEST;

GST_START_TEST(test_too_large) {
    const auto device = device_with_limit("1M");
    auto message = error_of([&] { take(device, 1048577); });
    fail_unless(contains(message, "out of memory on " + device->name() +
                                      ": 1048577 bytes are more than the 1048576 bytes that may be used "
                                      "(GST_TOMO_MEMORY_LIMIT)"),
                "%s", message.c_str());
    message = error_of([&] { take(device, device->max_allocation() + 1); });
    fail_unless(contains(message, "in one piece are more than it can allocate"), "%s", message.c_str());
    fail_unless_equals_uint64(device->memory_in_use(), 0);
}
GST_END_TEST;

GST_START_TEST(test_cancel) {
    const auto device = device_with_limit("256K");
    const auto all = take(device, 4 * piece);
    std::atomic<bool> cancelled{false}, flushed{false};
    Worker waiter;
    auto end = waiter.start([&] {
        try {
            Storage(device, piece,
                    [&] { return cancelled ? tomo::Patience::none : tomo::Patience::limited; });
        } catch (const tomo::Flushing &) {
            flushed = true;
        }
    });
    g_usleep(100000);
    fail_if(end.wait_for(std::chrono::seconds(0)) == std::future_status::ready, "it did not wait");
    cancelled = true;
    end.get();
    fail_unless(flushed);
    fail_unless_equals_uint64(device->memory_in_use(), 4 * piece);
}
GST_END_TEST;

GST_START_TEST(test_pool_waits) {
    const auto device = device_with_limit("128K");
    const auto pool = pool_of(device);
    GstBuffer *a = nullptr, *b = nullptr, *c = nullptr;
    fail_unless_equals_int(gst_buffer_pool_acquire_buffer(pool.get(), &a, nullptr), GST_FLOW_OK);
    auto other = take(device);
    Worker waiter;
    auto end = waiter.start([&] {
        if (gst_buffer_pool_acquire_buffer(pool.get(), &b, nullptr) != GST_FLOW_OK)
            throw std::runtime_error("no buffer");
    });
    g_usleep(100000);
    fail_if(end.wait_for(std::chrono::seconds(0)) == std::future_status::ready, "the limit was passed");
    other.reset();
    end.get();

    // Flushing ends the wait.
    GstFlowReturn flow = GST_FLOW_OK;
    end = waiter.start([&] { flow = gst_buffer_pool_acquire_buffer(pool.get(), &c, nullptr); });
    g_usleep(100000);
    fail_if(end.wait_for(std::chrono::seconds(0)) == std::future_status::ready, "the limit was passed");
    gst_buffer_pool_set_flushing(pool.get(), TRUE);
    end.get();
    fail_unless_equals_int(flow, GST_FLOW_FLUSHING);
    gst_buffer_unref(a);
    gst_buffer_unref(b);
    gst_buffer_pool_set_active(pool.get(), FALSE);
    fail_unless_equals_uint64(device->memory_in_use(), 0);
}
GST_END_TEST;

// An element that can't get its memory says so, once.
GST_START_TEST(test_pipeline_without_memory) {
    g_setenv("GST_TOMO_MEMORY_LIMIT", "300K", TRUE);
    const auto outcome =
        play("tomodummydata number=2 width=256 height=256 ! tomocalculate name=wants expression=v ! "
             "tomonull");
    fail_unless(contains(outcome.error, "wants: out of memory on "), "%s", outcome.error.c_str());
    fail_unless(contains(outcome.error, "262144 bytes wanted, 262144 of 307200 in use"), "%s",
                outcome.error.c_str());
}
GST_END_TEST;

// A limit that leaves room for what a chain needs at a time slows it down and no more.
GST_START_TEST(test_pipeline_with_little_memory) {
    g_setenv("GST_TOMO_MEMORY_LIMIT", "1.75M", TRUE); // seven arrays
    const auto outcome =
        play("tomodummydata number=60 width=256 height=256 ! queue max-size-buffers=1 ! "
             "tomocalculate expression=v+1 ! queue max-size-buffers=1 ! tomonull finish=true");
    fail_unless(outcome.error.empty(), "%s", outcome.error.c_str());
}
GST_END_TEST;

// A pause is no failure, however long: downstream has what is missing here.
GST_START_TEST(test_long_pause) {
    g_setenv("GST_TOMO_MEMORY_LIMIT", "1.75M", TRUE);
    const tomo::ObjectRef<GstElement> pipeline(GST_ELEMENT(
        gst_object_ref_sink(gst_parse_launch("tomodummydata number=60 width=256 height=256 ! queue "
                                             "max-size-buffers=1 ! tomocalculate expression=v+1 ! "
                                             "queue max-size-buffers=0 ! tomonull",
                                             nullptr))));
    gst_element_set_state(pipeline.get(), GST_STATE_PAUSED);
    fail_unless_equals_int(gst_element_get_state(pipeline.get(), nullptr, nullptr, 60 * GST_SECOND),
                           GST_STATE_CHANGE_SUCCESS);
    g_usleep(13000000);
    const auto device = tomo::Context::create("")->default_device();
    fail_unless(device->memory_in_use() + 4 * piece > device->memory_limit(), "there was memory left");
    const auto outcome = play(pipeline.get());
    fail_unless(outcome.error.empty(), "%s", outcome.error.c_str());
}
GST_END_TEST;

// A seek does not wait for memory: those downstream give theirs back only when it has come to them.
GST_START_TEST(test_seek_while_waiting) {
    g_setenv("GST_TOMO_MEMORY_LIMIT", "1.75M", TRUE);
    // Frames of the host, so that nobody else takes memory of the device.
    const std::string frames =
        "videotestsrc num-buffers=30 ! video/x-raw,format=GRAY8,width=256,height=256 ! "
        "tomoconvert ! application/x-tomo-array ! ";
    for (const auto &work : {frames + "tomocalculate expression=v",
                             frames + "join.  " + frames + "join.  tomosubtract name=join"}) {
        const auto line = work + " ! queue max-size-buffers=0 ! fakesink enable-last-sample=true";
        const tomo::ObjectRef<GstElement> pipeline(
            GST_ELEMENT(gst_object_ref_sink(gst_parse_launch(line.c_str(), nullptr))));
        gst_element_set_state(pipeline.get(), GST_STATE_PAUSED);
        fail_unless_equals_int(gst_element_get_state(pipeline.get(), nullptr, nullptr, 60 * GST_SECOND),
                               GST_STATE_CHANGE_SUCCESS);
        const auto device = tomo::Context::create("")->default_device();
        while (device->memory_in_use() + 4 * piece <= device->memory_limit()) // the case's timeout ends it
            g_usleep(10000);
        g_usleep(200000); // until it waits
        fail_unless(gst_element_seek(pipeline.get(), 1.0, GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH,
                                     GST_SEEK_TYPE_SET, GST_SECOND / 10, GST_SEEK_TYPE_NONE, -1));
        const auto outcome = play(pipeline.get());
        fail_unless(outcome.error.empty(), "%s", outcome.error.c_str());
    }
}
GST_END_TEST;

// A question to a join is answered, also while the join waits for memory to take its inputs over.
GST_START_TEST(test_query_while_waiting) {
    g_setenv("GST_TOMO_MEMORY_LIMIT", "1.75M", TRUE);
    const std::string frames =
        "fakesrc num-buffers=30 sizetype=fixed sizemax=524288 format=time ! "
        "application/x-tomo-array,format=float64,width=256,height=256,depth=1,framerate=0/1 ! join.  ";
    const auto line =
        frames + frames + "tomosubtract name=join ! queue name=queue max-size-buffers=0 ! fakesink";
    const tomo::ObjectRef<GstElement> pipeline(
        GST_ELEMENT(gst_object_ref_sink(gst_parse_launch(line.c_str(), nullptr))));
    const tomo::ObjectRef<GstElement> join(gst_bin_get_by_name(GST_BIN(pipeline.get()), "join"));
    gst_element_set_state(pipeline.get(), GST_STATE_PAUSED);
    fail_unless_equals_int(gst_element_get_state(pipeline.get(), nullptr, nullptr, 60 * GST_SECOND),
                           GST_STATE_CHANGE_SUCCESS);
    const tomo::ObjectRef<GstElement> queue(gst_bin_get_by_name(GST_BIN(pipeline.get()), "queue"));
    for (unsigned level = 0; level == 0; g_usleep(500000)) // and until the join waits
        g_object_get(queue.get(), "current-level-buffers", &level, nullptr);
    Worker asker;
    auto end = asker.start([&] {
        gint64 frames_in_all = 0;
        gst_element_query_duration(join.get(), GST_FORMAT_DEFAULT, &frames_in_all);
    });
    const bool answered = end.wait_for(std::chrono::seconds(20)) == std::future_status::ready;
    gst_element_set_state(pipeline.get(), GST_STATE_NULL);
    end.get();
    fail_unless(answered, "no answer came");
}
GST_END_TEST;

// Blocks that make room are gone before others are asked for more.
GST_START_TEST(test_waits_without_what_it_dropped) {
    const auto device = device_with_limit("192K");
    const auto kept = take(device);
    std::atomic<bool> is_gone{false};
    bool was_gone = false;
    clSetMemObjectDestructorCallback(
        take(device)->buffer(), [](cl_mem, void *flag) { *static_cast<std::atomic<bool> *>(flag) = true; },
        &is_gone);
    try {
        Storage(device, 3 * piece, [&] {
            for (int i = 0; i < 5000 && !is_gone; i++) // a driver may end it in a thread of its own
                g_usleep(1000);
            was_gone = is_gone;
            return tomo::Patience::none;
        });
        fail("more than the limit was given");
    } catch (const tomo::Flushing &) {
    }
    fail_unless(was_gone, "a block that made room was kept while waiting");
}
GST_END_TEST;

// Stopping does not wait for memory.
GST_START_TEST(test_stop_while_waiting) {
    g_setenv("GST_TOMO_MEMORY_LIMIT", "300K", TRUE);
    const tomo::ObjectRef<GstElement> pipeline(GST_ELEMENT(gst_object_ref_sink(gst_parse_launch(
        "tomodummydata number=2 width=256 height=256 ! tomocalculate expression=v ! tomonull", nullptr))));
    const tomo::ObjectRef<GstBus> bus(gst_element_get_bus(pipeline.get()));
    gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
    g_usleep(1000000);
    gst_element_set_state(pipeline.get(), GST_STATE_NULL);
    fail_if(gst_bus_pop_filtered(bus.get(), GST_MESSAGE_ERROR), "stopping was taken for an error");
}
GST_END_TEST;

static Suite *budget_suite() {
    Suite *suite = suite_create("budget");
    TCase *cases = tcase_create("general");
    suite_add_tcase(suite, cases);
    tcase_set_timeout(cases, 120);
    tcase_add_test(cases, test_limits);
    tcase_add_test(cases, test_recycles);
    tcase_add_test(cases, test_makes_room);
    tcase_add_test(cases, test_parts);
    tcase_add_test(cases, test_parts_end);
    tcase_add_test(cases, test_waits_for_others);
    tcase_add_test(cases, test_gives_up);
    tcase_add_test(cases, test_patience);
    tcase_add_test(cases, test_asked_without_lock);
    tcase_add_test(cases, test_too_large);
    tcase_add_test(cases, test_cancel);
    tcase_add_test(cases, test_pool_waits);
    tcase_add_test(cases, test_pipeline_without_memory);
    tcase_add_test(cases, test_pipeline_with_little_memory);
    tcase_add_test(cases, test_long_pause);
    tcase_add_test(cases, test_seek_while_waiting);
    tcase_add_test(cases, test_query_while_waiting);
    tcase_add_test(cases, test_waits_without_what_it_dropped);
    tcase_add_test(cases, test_stop_while_waiting);
    return suite;
}

GST_CHECK_MAIN(budget);
