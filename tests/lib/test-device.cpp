// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Programs and their cache, kernel files, and the queues of threads.
#include "support.hpp"

#include <gst/tomo/device/kernel-files.hpp>

#include <algorithm>

#include <gst/check/gstcheck.h> // last: it defines macros named like members of the standard library

using namespace tomotest;

namespace {

const char *const source = "kernel void number(global uint *out) { out[0] = NUMBER; }";

// What the kernel compiled with these options writes.
cl_uint run_program(tomo::Device &device, const std::string &code, const std::string &options) {
    const auto program = device.program("number.cl", code, options);
    cl_int status = CL_SUCCESS;
    const tomo::ClKernel kernel(clCreateKernel(program.get(), "number", &status));
    tomo::cl_check(status, "number");
    const tomo::ClMem out(
        clCreateBuffer(device.context(), CL_MEM_READ_WRITE, sizeof(cl_uint), nullptr, &status));
    const cl_mem raw = out.get();
    clSetKernelArg(kernel.get(), 0, sizeof raw, &raw);
    const std::size_t one = 1;
    cl_uint number = 0;
    clEnqueueNDRangeKernel(device.queue(), kernel.get(), 1, nullptr, &one, nullptr, 0, nullptr, nullptr);
    tomo::cl_check(
        clEnqueueReadBuffer(device.queue(), raw, CL_TRUE, 0, sizeof number, &number, 0, nullptr, nullptr),
        "reading");
    return number;
}

// What a new process would do: compile or find.
cl_uint run_program(const std::string &options) {
    const auto context = tomo::Context::create("");
    return run_program(*context->default_device(), source, options);
}

// Counts lines of the library's log; it says when it compiles.
std::atomic<unsigned> compiled{0};
void count_compilations(GstDebugCategory *, GstDebugLevel, const gchar *, const gchar *, gint, GObject *,
                        GstDebugMessage *message, gpointer) {
    if (g_str_has_prefix(gst_debug_message_get(message), "compiling "))
        compiled++;
}

void watch_compilations() {
    gst_debug_remove_log_function(gst_debug_log_default);
    gst_debug_add_log_function(count_compilations, nullptr, nullptr);
    gst_debug_set_threshold_from_string("tomodevice:4", FALSE);
    compiled = 0;
}

bool contains(const std::string &text, const std::string &words) {
    return text.find(words) != std::string::npos;
}

} // namespace

GST_START_TEST(test_cache) {
    g_setenv("POCL_DEVICES", __i__ ? "pthread pthread" : "pthread", TRUE);
    const Folder cache;
    const auto folder = cache.path() + "/made/on/demand";
    g_setenv("GST_TOMO_CACHE_DIR", __i__ ? cache.path().c_str() : folder.c_str(), TRUE);
    watch_compilations();
    {
        // In memory: one and the same program.
        const auto context = tomo::Context::create("");
        auto &device = *context->default_device();
        fail_unless_equals_int(run_program(device, source, "-D NUMBER=7"), 7);
        fail_unless_equals_int(run_program(device, source, "-D NUMBER=7"), 7);
        fail_unless_equals_int(compiled, 1);
        fail_unless_equals_int(run_program(device, source, "-D NUMBER=8"), 8);
        fail_unless_equals_int(compiled, 2);
        fail_unless_equals_int(run_program(device,
                                           "kernel void number(global uint *out) { out[0] = NUMBER + 1; }",
                                           "-D NUMBER=8"),
                               9);
        fail_unless_equals_int(compiled, 3);
    }
    // On disk: a new context finds all of them.
    fail_unless_equals_int(run_program("-D NUMBER=7"), 7);
    fail_unless_equals_int(run_program("-D NUMBER=8"), 8);
    fail_unless_equals_int(compiled, 3);
    fail_unless_equals_int(run_program("-D NUMBER=9"), 9);
    fail_unless_equals_int(compiled, 4);
    if (__i__)
        fail_unless(cache.files().size() == 4);
    else
        run_process({"rm", "-r", cache.path() + "/made"}, {});
}
GST_END_TEST;

GST_START_TEST(test_other_process) {
    const Folder cache;
    const std::vector<std::string> environment{"GST_TOMO_CACHE_DIR=" + cache.path(), "GST_DEBUG=tomodevice:4",
                                               "GST_DEBUG_NO_COLOR=1"};
    const std::vector<std::string> command{"gst-launch-1.0", "tomodummydata",  "number=1", "!",
                                           "tomocalculate",  "expression=v+1", "!",        "tomonull"};
    const auto cold = run_process(command, environment), warm = run_process(command, environment);
    fail_unless_equals_int(cold.status, 0);
    fail_unless(contains(cold.errors, "compiling expression="), "%s", cold.errors.c_str());
    fail_unless_equals_int(warm.status, 0);
    fail_if(contains(warm.errors, "compiling"), "%s", warm.errors.c_str());
}
GST_END_TEST;

GST_START_TEST(test_damaged_cache) {
    const Folder cache;
    g_setenv("GST_TOMO_CACHE_DIR", cache.path().c_str(), TRUE);
    watch_compilations();
    fail_unless_equals_int(run_program("-D NUMBER=7"), 7);
    fail_unless_equals_int(cache.files().size(), 1);
    const auto file = cache.files()[0], good = contents_of(file);
    fail_unless(good.size() > 100);
    auto flipped = good;
    flipped[random_between(0, good.size() - 1)] ^= 1 << random_between(0, 7);
    const std::string name = file.substr(cache.path().size() + 1);
    unsigned expected = 1;
    for (const auto &bad : {std::string(), std::string("garbage"), good.substr(0, 64),
                            good.substr(0, random_between(1, good.size() - 1)), flipped, good + "more"}) {
        cache.write(name, bad);
        fail_unless_equals_int(run_program("-D NUMBER=7"), 7);
        fail_unless_equals_int(compiled, ++expected);
        fail_unless(contents_of(file).size() == good.size(), "a damaged file was not replaced");
    }
    fail_unless_equals_int(run_program("-D NUMBER=7"), 7);
    fail_unless_equals_int(compiled, expected);
}
GST_END_TEST;

// Programs of users never end: those used last are kept in memory, and the others on disk.
GST_START_TEST(test_programs_are_let_go) {
    const Folder cache;
    g_setenv("GST_TOMO_CACHE_DIR", cache.path().c_str(), TRUE);
    watch_compilations();
    const auto context = tomo::Context::create("");
    const auto &device = *context->default_device();
    tomo::Programs programs(device.context(), device.id(), device.name(), device.driver(), 3);
    const auto get = [&](unsigned n) {
        return programs.get("number.cl", source, tomo::text("-D NUMBER=%u", n)).get();
    };
    const auto first = get(0);
    for (unsigned n = 1; n < 6; n++) {
        get(n);
        fail_unless(get(0) == first, "the program used last was let go");
        fail_unless_equals_int(programs.count(), std::min(n + 1, 3u));
    }
    fail_unless_equals_int(compiled, 6);
    get(1); // was let go, and is on disk
    fail_unless_equals_int(compiled, 6);
    fail_if(error_of([&] { programs.get("wrong.cl", "kernel void wrong(", ""); }).empty());
    fail_unless_equals_int(programs.count(), 2); // room was made for it
}
GST_END_TEST;

// One that is slow to make holds up those who want it, and nobody else.
GST_START_TEST(test_made_once) {
    tomo::RecentlyUsed<int, int> values(4);
    std::promise<void> begun, may_end;
    std::atomic<unsigned> made{0};
    const auto slow = [&] {
        return values.get(1, [&] {
            made++;
            begun.set_value();
            may_end.get_future().wait();
            return 11;
        });
    };
    std::vector<std::future<int>> waiting;
    waiting.push_back(std::async(std::launch::async, slow));
    begun.get_future().wait();
    for (int i = 0; i < 3; i++)
        waiting.push_back(std::async(std::launch::async, slow));
    fail_unless_equals_int(values.get(2, [] { return 22; }), 22);
    fail_unless_equals_int(values.get(2, [] { return 0; }), 22);
    for (auto &w : waiting)
        fail_unless(w.wait_for(std::chrono::milliseconds(20)) == std::future_status::timeout);
    may_end.set_value();
    for (auto &w : waiting)
        fail_unless_equals_int(w.get(), 11);
    fail_unless_equals_int(made, 1);
    // What failed is made anew by whoever comes next.
    fail_unless(error_of([&] {
                    values.get(3, []() -> int { throw tomo::Error(GST_LIBRARY_ERROR_FAILED, "not now"); });
                }) == "not now");
    fail_unless_equals_int(values.count(), 2);
    fail_unless_equals_int(values.get(3, [] { return 33; }), 33);
}
GST_END_TEST;

// The same with the compiler: a cached program is there at once while another one is compiled.
GST_START_TEST(test_compiling_holds_up_nobody) {
    const Folder cache;
    g_setenv("GST_TOMO_CACHE_DIR", cache.path().c_str(), TRUE);
    watch_compilations();
    const auto context = tomo::Context::create("");
    auto &device = *context->default_device();
    device.program("number.cl", source, "-D NUMBER=1");
    std::string large;
    for (int i = 0; i < 4000; i++)
        large +=
            tomo::text("float f%d(float x) { return sin(x * %d.0f) + exp(x) * pow(x, %d.5f); }\n", i, i, i);
    large += "kernel void number(global uint *out) { out[0] = f7(3.0f); }";
    auto slow = std::async(std::launch::async, [&] { device.program("large.cl", large, ""); });
    while (compiled < 2)
        g_usleep(1000);
    device.program("number.cl", source, "-D NUMBER=1");
    fail_unless(slow.wait_for(std::chrono::seconds(0)) == std::future_status::timeout,
                "a cached program came after one that was being compiled");
    slow.get();
}
GST_END_TEST;

// A cache that can't be written is none.
GST_START_TEST(test_no_cache) {
    g_setenv("GST_TOMO_CACHE_DIR", "/dev/null/cache", TRUE);
    fail_unless_equals_int(run_program("-D NUMBER=7"), 7);
}
GST_END_TEST;

GST_START_TEST(test_broken_kernel) {
    const Folder cache;
    g_setenv("GST_TOMO_CACHE_DIR", cache.path().c_str(), TRUE);
    const auto context = tomo::Context::create("");
    auto &device = *context->default_device();
    try {
        device.program("wrong.cl", "kernel void wrong(global int *a) {\n    a[0] = nonsense;\n}\n",
                       "-D GIVEN=1");
        fail("it compiled");
    } catch (const tomo::Error &e) {
        fail_unless(contains(e.what(), "wrong.cl does not compile for " + device.name()), "%s", e.what());
        fail_unless(contains(e.what(), "nonsense"), "%s", e.what());
        fail_unless(contains(e.debug, "CL_BUILD_PROGRAM_FAILURE with options '-D GIVEN=1'"), "%s",
                    e.debug.c_str());
        fail_unless(contains(e.debug, "nonsense"), "%s", e.debug.c_str());
    }
    fail_unless(cache.files().empty());

    // The same at the element.
    const auto outcome =
        play("tomodummydata number=1 ! tomocalculate name=calc expression=nonsense ! tomonull");
    fail_unless(contains(outcome.error, "calc: expression=\"nonsense\" does not compile"), "%s",
                outcome.error.c_str());
    fail_unless(contains(outcome.debug, "CL_BUILD_PROGRAM_FAILURE"), "%s", outcome.debug.c_str());
}
GST_END_TEST;

GST_START_TEST(test_kernel_path) {
    const Folder first, second;
    const auto path = first.path() + ":/nonexistent:" + second.path();
    g_setenv("GST_TOMO_KERNEL_PATH", path.c_str(), TRUE);
    const auto built_in = tomo::kernel_file("common.h");
    fail_unless(contains(built_in, "TOMO_JOIN"));
    second.write("common.h", "second");
    second.write("only.cl", "only in the second");
    fail_unless(tomo::kernel_file("common.h") == "second");
    first.write("common.h", "first");
    fail_unless(tomo::kernel_file("common.h") == "first");
    fail_unless(tomo::kernel_file("only.cl") == "only in the second");
    const auto message = error_of([] { tomo::kernel_file("none.cl"); });
    fail_unless(contains(message, "none.cl is neither in GST_TOMO_KERNEL_PATH nor built in"), "%s",
                message.c_str());
    g_unsetenv("GST_TOMO_KERNEL_PATH");
    fail_unless(tomo::kernel_file("common.h") == built_in);
}
GST_END_TEST;

// Elements use it as well: a kernel of the user's in place of the built-in one.
GST_START_TEST(test_kernel_path_of_elements) {
    const Folder folder, cache;
    g_setenv("GST_TOMO_KERNEL_PATH", folder.path().c_str(), TRUE);
    g_setenv("GST_TOMO_CACHE_DIR", cache.path().c_str(), TRUE);
    folder.write("calculate.cl", "#error taken from the folder EXPRESSION\n");
    const auto outcome = play("tomodummydata number=1 ! tomocalculate ! tomonull");
    fail_unless(contains(outcome.error + outcome.debug, "taken from the folder"), "%s",
                outcome.error.c_str());
}
GST_END_TEST;

GST_START_TEST(test_queues) {
    const auto context = tomo::Context::create("");
    auto &device = *context->default_device();
    const cl_command_queue own = device.queue();
    fail_unless(own == device.queue());
    fail_if(own == device.upload_queue() || own == device.download_queue());
    std::vector<cl_command_queue> others;
    {
        Worker a, b;
        for (Worker *worker : {&a, &b, &a})
            worker->run([&] { others.push_back(device.queue()); });
        fail_unless(others[0] == others[2]);
        fail_if(others[0] == others[1] || others[0] == own || others[1] == own);
    }
    // Both threads have ended: new ones take over their queues instead of making more.
    std::vector<cl_command_queue> later;
    {
        Worker a, b, c;
        for (Worker *worker : {&a, &b, &c})
            worker->run([&] { later.push_back(device.queue()); });
    }
    fail_unless(std::count(later.begin(), later.end(), others[0]) == 1);
    fail_unless(std::count(later.begin(), later.end(), others[1]) == 1);
    fail_if(std::count(later.begin(), later.end(), own));
    fail_unless(own == device.queue());
}
GST_END_TEST;

// Threads outlive devices, devices outlive threads.
GST_START_TEST(test_queues_outlived) {
    Worker thread;
    for (int i = 0; i < 5; i++) {
        const auto context = tomo::Context::create("");
        thread.run([&] {
            fail_unless_equals_int(run_program(*context->default_device(), source, "-D NUMBER=3"), 3);
        });
        fail_unless_equals_int(run_program(*context->default_device(), source, "-D NUMBER=3"), 3);
    }
}
GST_END_TEST;

// Who ends takes along what is still running, or the process ends under the driver's threads.
GST_START_TEST(test_finish) {
    auto context = tomo::Context::create("");
    auto device = context->default_device();
    const tomo::ObjectRef<GstElement> element(
        GST_ELEMENT(gst_object_ref_sink(gst_element_factory_make("tomocalculate", nullptr))));
    fail_unless_equals_int(gst_element_set_state(element.get(), GST_STATE_READY), GST_STATE_CHANGE_SUCCESS);
    // By the device itself, by an element on its way to NULL, by the last owner.
    const std::function<void()> ends[] = {[&] { device->finish(); },
                                          [&] { gst_element_set_state(element.get(), GST_STATE_NULL); },
                                          [&] {
                                              context.reset();
                                              device.reset();
                                          }};
    for (const auto &end : ends) {
        cl_int status = CL_SUCCESS;
        const tomo::ClEvent gate(clCreateUserEvent(device->context(), &status));
        Worker computes, stops;
        computes.run([&] {
            const cl_event event = gate.get();
            clEnqueueMarkerWithWaitList(device->queue(), 1, &event, nullptr);
        });
        auto ended = stops.start(end);
        fail_unless(ended.wait_for(std::chrono::milliseconds(200)) == std::future_status::timeout,
                    "it did not wait");
        clSetUserEventStatus(gate.get(), CL_COMPLETE);
        ended.get();
    }
}
GST_END_TEST;

GST_START_TEST(test_error_names) {
    fail_unless_equals_string(tomo::cl_error_name(CL_OUT_OF_RESOURCES), "CL_OUT_OF_RESOURCES");
    fail_unless_equals_string(tomo::cl_error_name(CL_INVALID_KERNEL_ARGS), "CL_INVALID_KERNEL_ARGS");
    fail_unless_equals_string(tomo::cl_error_name(-1001), "CL_PLATFORM_NOT_FOUND_KHR");
    fail_unless_equals_string(tomo::cl_error_name(-9999), "unknown OpenCL error");
    fail_unless(error_of([] { tomo::cl_check(CL_SUCCESS, "all"); }).empty());
    fail_unless(error_of([] { tomo::cl_check(CL_INVALID_VALUE, "this"); }) ==
                "this failed: CL_INVALID_VALUE (-30)");
    try {
        tomo::cl_check(CL_MEM_OBJECT_ALLOCATION_FAILURE, "allocating");
    } catch (const tomo::Error &e) {
        fail_unless(e.domain == GST_RESOURCE_ERROR && e.code == GST_RESOURCE_ERROR_NO_SPACE_LEFT);
    }
}
GST_END_TEST;

static Suite *device_suite() {
    Suite *suite = suite_create("device");
    TCase *cases = tcase_create("general");
    suite_add_tcase(suite, cases);
    tcase_set_timeout(cases, 120);
    randomness();
    tcase_add_loop_test(cases, test_cache, 0, 2);
    tcase_add_test(cases, test_other_process);
    tcase_add_test(cases, test_damaged_cache);
    tcase_add_test(cases, test_programs_are_let_go);
    tcase_add_test(cases, test_made_once);
    tcase_add_test(cases, test_compiling_holds_up_nobody);
    tcase_add_test(cases, test_no_cache);
    tcase_add_test(cases, test_broken_kernel);
    tcase_add_test(cases, test_kernel_path);
    tcase_add_test(cases, test_kernel_path_of_elements);
    tcase_add_test(cases, test_queues);
    tcase_add_test(cases, test_queues_outlived);
    tcase_add_test(cases, test_finish);
    tcase_add_test(cases, test_error_names);
    return suite;
}

GST_CHECK_MAIN(device);
