// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Which context and which device elements get: from each other, from the application, by name, or not at all.
#include "support.hpp"

#include <gst/tomo/bases/element.hpp>
#include <gst/tomo/device/device-list.hpp>

#include <gst/check/gstcheck.h> // last: it defines macros named like members of the standard library

using namespace tomotest;

namespace {

using Context = tomo::ObjectRef<GstTomoContext>;

bool contains(const std::string &text, const std::string &words) {
    return text.find(words) != std::string::npos;
}

tomo::ObjectRef<GstElement> make(const char *factory) {
    GstElement *element = gst_element_factory_make(factory, nullptr);
    fail_unless(element, "no element %s", factory);
    return tomo::ObjectRef<GstElement>(GST_ELEMENT(gst_object_ref_sink(element)));
}

tomo::ObjectRef<GstElement> parse(const char *description) {
    GError *error = nullptr;
    GstElement *pipeline = gst_parse_launch(description, &error);
    fail_if(error, "%s", error ? error->message : "");
    return tomo::ObjectRef<GstElement>(GST_ELEMENT(gst_object_ref_sink(pipeline)));
}

tomo::ObjectRef<GstElement> child(const tomo::ObjectRef<GstElement> &pipeline, const char *name) {
    return tomo::ObjectRef<GstElement>(gst_bin_get_by_name(GST_BIN(pipeline.get()), name));
}

// What an element answers when its neighbours ask.
Context context_of(const tomo::ObjectRef<GstElement> &element, const char *pad_name = "sink") {
    const tomo::ObjectRef<GstPad> pad(gst_element_get_static_pad(element.get(), pad_name));
    const tomo::QueryRef query(gst_query_new_context(GST_TOMO_CONTEXT_TYPE));
    if (!gst_pad_query(pad.get(), query.get()))
        return {};
    GstContext *carrier = nullptr;
    gst_query_parse_context(query.get(), &carrier);
    return Context(gst_tomo_context_from_context(carrier));
}

// The number of the device that an element computes on.
int device_of(const tomo::ObjectRef<GstElement> &element) {
    try {
        return static_cast<int>(tomo::element_of(element.get())->device()->index());
    } catch (const tomo::Error &) {
        return -1;
    }
}

void set_state(const tomo::ObjectRef<GstElement> &element, GstState state) {
    fail_unless(gst_element_set_state(element.get(), state) != GST_STATE_CHANGE_FAILURE);
}

std::string bus_error(const tomo::ObjectRef<GstElement> &element) {
    const tomo::ObjectRef<GstBus> bus(gst_element_get_bus(element.get()));
    GstMessage *message = gst_bus_pop_filtered(bus.get(), GST_MESSAGE_ERROR);
    if (!message)
        return {};
    GError *error = nullptr;
    gst_message_parse_error(message, &error, nullptr);
    const std::string text = error->message;
    g_error_free(error);
    gst_message_unref(message);
    return text;
}

void use_two_devices() {
    g_setenv("POCL_DEVICES", "pthread pthread", TRUE);
    const Context context(gst_tomo_context_new(nullptr, nullptr));
    fail_unless(context.get() && gst_tomo_context_get_n_devices(context.get()) == 2,
                "needs PoCL's environment variable POCL_DEVICES");
}

} // namespace

GST_START_TEST(test_shared_in_pipeline) {
    const auto pipeline =
        parse("tomodummydata number=1 name=s ! tomocalculate name=a ! queue ! tomocalculate name=b ! "
              "tomonull bin.( tomodummydata number=1 ! tomocalculate name=c ! tomonull )");
    const tomo::ObjectRef<GstBus> bus(gst_element_get_bus(pipeline.get()));
    set_state(pipeline, GST_STATE_READY);
    const auto shared = context_of(child(pipeline, "a"));
    fail_unless(shared.get());
    for (const char *name : {"b", "c"})
        fail_unless(context_of(child(pipeline, name)).get() == shared.get(), "%s has another context", name);
    for (const char *name : {"s", "a"})
        fail_unless(context_of(child(pipeline, name), "src").get() == shared.get(), "%s has another context",
                    name);

    // One of them made it and told the application.
    unsigned told = 0;
    while (GstMessage *message = gst_bus_pop_filtered(bus.get(), GST_MESSAGE_HAVE_CONTEXT)) {
        GstContext *carrier = nullptr;
        gst_message_parse_have_context(message, &carrier);
        fail_unless(Context(gst_tomo_context_from_context(carrier)).get() == shared.get());
        gst_context_unref(carrier);
        gst_message_unref(message);
        told++;
    }
    fail_unless_equals_int(told, 1);
    set_state(pipeline, GST_STATE_NULL);
}
GST_END_TEST;

GST_START_TEST(test_asks_application) {
    const auto pipeline = parse("tomodummydata number=1 ! tomocalculate name=a ! tomonull");
    const Context given(gst_tomo_context_new(nullptr, nullptr));
    const tomo::ObjectRef<GstBus> bus(gst_element_get_bus(pipeline.get()));
    gst_bus_set_sync_handler(
        bus.get(),
        [](GstBus *, GstMessage *message, gpointer context) {
            const gchar *type = nullptr;
            if (GST_MESSAGE_TYPE(message) != GST_MESSAGE_NEED_CONTEXT ||
                !gst_message_parse_context_type(message, &type) ||
                g_strcmp0(type, GST_TOMO_CONTEXT_TYPE) != 0)
                return GST_BUS_PASS;
            GstContext *carrier = gst_tomo_context_to_context(GST_TOMO_CONTEXT(context));
            gst_element_set_context(GST_ELEMENT(GST_MESSAGE_SRC(message)), carrier);
            gst_context_unref(carrier);
            return GST_BUS_PASS;
        },
        given.get(), nullptr);
    set_state(pipeline, GST_STATE_READY);
    fail_unless(context_of(child(pipeline, "a")).get() == given.get());
    fail_if(gst_bus_pop_filtered(bus.get(), GST_MESSAGE_HAVE_CONTEXT), "made one of its own");
    set_state(pipeline, GST_STATE_NULL);
}
GST_END_TEST;

// The application sets a context that wraps its own cl_context, on a pipeline or on a single element.
GST_START_TEST(test_wrapped) {
    const auto own = tomo::Context::create("");
    const cl_device_id id = own->default_device()->id();
    cl_int status = CL_SUCCESS;
    const tomo::ClContext handle(clCreateContext(nullptr, 1, &id, nullptr, nullptr, &status));
    const Context wrapped(gst_tomo_context_new_wrapped(reinterpret_cast<guintptr>(handle.get()), nullptr));
    fail_unless(wrapped.get());
    fail_unless(gst_tomo_context_get_handle(wrapped.get()) == reinterpret_cast<guintptr>(handle.get()));
    fail_unless_equals_int(gst_tomo_context_get_n_devices(wrapped.get()), 1);
    GstContext *carrier = gst_tomo_context_to_context(wrapped.get());

    const auto pipeline = parse("tomodummydata number=2 ! tomocalculate name=a expression=v+1 ! tomonull");
    gst_element_set_context(pipeline.get(), carrier);
    const auto single = make("tomocalculate");
    gst_element_set_context(single.get(), carrier);
    gst_context_unref(carrier);

    // It also outlives state NULL.
    for (int i = 0; i < 2; i++) {
        set_state(pipeline, GST_STATE_READY);
        set_state(single, GST_STATE_READY);
        const auto in_pipeline = context_of(child(pipeline, "a")), in_single = context_of(single);
        fail_unless(in_pipeline.get() && in_single.get());
        fail_unless(gst_tomo_context_get_handle(in_pipeline.get()) ==
                    reinterpret_cast<guintptr>(handle.get()));
        fail_unless(gst_tomo_context_get_handle(in_single.get()) == reinterpret_cast<guintptr>(handle.get()));
        set_state(single, GST_STATE_NULL);
        fail_if(context_of(single).get());
        const auto outcome = play(pipeline.get());
        fail_unless(outcome.error.empty(), "%s", outcome.error.c_str());
    }
}
GST_END_TEST;

GST_START_TEST(test_not_a_context) {
    GError *error = nullptr;
    fail_if(gst_tomo_context_new_wrapped(0, &error));
    fail_unless(error && contains(error->message, "CL_INVALID_CONTEXT"), "%s", error ? error->message : "");
    g_clear_error(&error);

    // Contexts of others and empty ones are let pass.
    const auto element = make("tomocalculate");
    for (const char *type : {"gst.gl.GLDisplay", GST_TOMO_CONTEXT_TYPE}) {
        GstContext *other = gst_context_new(type, FALSE);
        gst_element_set_context(element.get(), other);
        fail_if(gst_tomo_context_from_context(other));
        gst_context_unref(other);
    }
    set_state(element, GST_STATE_READY);
    fail_unless(context_of(element).get());
    set_state(element, GST_STATE_NULL);
}
GST_END_TEST;

// A driver takes its time for each device of a cl_context, so each has one of its own, which all share.
GST_START_TEST(test_one_context_per_device) {
    use_two_devices();
    const auto handle_of = [](const Context &context) {
        return reinterpret_cast<cl_context>(
            static_cast<guintptr>(gst_tomo_context_get_handle(context.get())));
    };
    const Context a(gst_tomo_context_new("0", nullptr)), b(gst_tomo_context_new("0", nullptr)),
        other(gst_tomo_context_new("1", nullptr));
    fail_unless(handle_of(a) == handle_of(b));
    fail_unless(handle_of(a) != handle_of(other));
    for (const auto &context : {a, other})
        fail_unless_equals_int(
            tomo::cl_query<cl_uint>(clGetContextInfo, handle_of(context), CL_CONTEXT_NUM_DEVICES), 1);
    // The same device by its place in any context, as one opens it.
    const auto opened = tomo::context_of(a.get())->default_device();
    fail_unless(tomo::context_of(other.get())->device(0) == opened);
    fail_unless_equals_int(opened->index(), 0);
    const tomo::ObjectRef<GstTomoDevice> device(gst_tomo_context_get_device(other.get(), 1));
    fail_unless_equals_int(gst_tomo_device_get_index(device.get()), 1);
    // Parts of it, too, and each context has its own.
    const auto limited = tomo::context_of(a.get())->with_memory_limit(1 << 20);
    fail_unless(limited->handle() == handle_of(a));
    fail_unless(limited->device(1)->context() == handle_of(other));
    fail_unless_equals_int(limited->device(1)->memory_limit(), 1 << 20);
    // Several at once.
    limited->open({0, 1});
    fail_unless(limited->device(0) == limited->default_device());
}
GST_END_TEST;

GST_START_TEST(test_device_by_index_and_name) {
    use_two_devices();
    const Context context(gst_tomo_context_new("1", nullptr));
    const tomo::ObjectRef<GstTomoDevice> device(gst_tomo_context_get_default_device(context.get()));
    fail_unless_equals_int(gst_tomo_device_get_index(device.get()), 1);
    fail_unless(gst_tomo_device_is_cpu(device.get()));
    const std::string name = gst_tomo_device_get_name(device.get());
    const tomo::CString upper(g_ascii_strup(name.c_str(), -1));
    for (const std::string &selector : {name, name.substr(2, 5), std::string(upper.get())}) {
        GError *error = nullptr;
        const Context other(gst_tomo_context_new(selector.c_str(), &error));
        fail_unless(other.get(), "%s: %s", selector.c_str(), error ? error->message : "");
    }
    const auto element = make("tomocalculate");
    for (const auto &[selector, index] : {std::pair{"0", 0}, {"1", 1}, {"PTHREAD", 0}}) {
        g_object_set(element.get(), "device", selector, nullptr);
        set_state(element, GST_STATE_READY);
        fail_unless_equals_int(device_of(element), index);
        set_state(element, GST_STATE_NULL);
        fail_unless_equals_int(device_of(element), -1);
    }
}
GST_END_TEST;

// An element with a device of its own does not decide for those without, whoever comes first.
GST_START_TEST(test_choice_is_private) {
    use_two_devices();
    for (const char *description :
         {"tomodummydata number=1 ! tomocalculate name=mine ! tomocalculate name=chosen device=1 ! tomonull",
          "tomodummydata number=1 ! tomocalculate name=chosen device=1 ! tomocalculate name=mine ! "
          "tomonull"}) {
        const auto pipeline = parse(description);
        set_state(pipeline, GST_STATE_READY);
        fail_unless_equals_int(device_of(child(pipeline, "chosen")), 1);
        fail_unless_equals_int(device_of(child(pipeline, "mine")), 0);
        fail_unless(context_of(child(pipeline, "mine")).get() == context_of(child(pipeline, "chosen")).get());
        set_state(pipeline, GST_STATE_NULL);
    }
}
GST_END_TEST;

// Without a choice an element moves to where its input is.
GST_START_TEST(test_follows_input) {
    use_two_devices();
    const auto pipeline =
        parse("tomodummydata number=3 device=1 ! tomocalculate name=follows expression=v+1 ! "
              "tomocalculate name=stays device=0 expression=v*2 ! "
              "tomocalculate name=back expression=v-1 ! tomonull name=end");
    int follows = -1, stays = -1, back = -1;
    const auto sink = child(pipeline, "end");
    const tomo::ObjectRef<GstPad> pad(gst_element_get_static_pad(sink.get(), "sink"));
    struct Seen {
        tomo::ObjectRef<GstElement> pipeline;
        int *follows, *stays, *back;
    } seen{pipeline, &follows, &stays, &back};
    gst_pad_add_probe(
        pad.get(), GST_PAD_PROBE_TYPE_BUFFER,
        [](GstPad *, GstPadProbeInfo *, gpointer data) {
            auto *seen = static_cast<Seen *>(data);
            *seen->follows = device_of(child(seen->pipeline, "follows"));
            *seen->stays = device_of(child(seen->pipeline, "stays"));
            *seen->back = device_of(child(seen->pipeline, "back"));
            return GST_PAD_PROBE_OK;
        },
        &seen, nullptr);
    const auto outcome = play(pipeline.get());
    fail_unless(outcome.error.empty(), "%s", outcome.error.c_str());
    fail_unless_equals_int(follows, 1);
    fail_unless_equals_int(stays, 0);
    fail_unless_equals_int(back, 0);
}
GST_END_TEST;

GST_START_TEST(test_wrong_device) {
    for (const char *wrong : {"99", "no such device", "18446744073709551616"}) {
        const auto pipeline = parse("tomodummydata number=1 ! tomocalculate name=a ! tomonull");
        g_object_set(child(pipeline, "a").get(), "device", wrong, nullptr);
        fail_unless_equals_int(gst_element_set_state(pipeline.get(), GST_STATE_PLAYING),
                               GST_STATE_CHANGE_FAILURE);
        const auto message = bus_error(pipeline);
        fail_unless(contains(message, std::string("device=") + wrong + " means none of the OpenCL devices"),
                    "%s", message.c_str());
        fail_unless(contains(message, tomo::describe_devices()), "%s", message.c_str());
        fail_unless(contains(message, "0: "), "%s", message.c_str());
        set_state(pipeline, GST_STATE_NULL);

        // Another choice mends it.
        g_object_set(child(pipeline, "a").get(), "device", "0", nullptr);
        const auto outcome = play(pipeline.get());
        fail_unless(outcome.error.empty(), "%s", outcome.error.c_str());
    }
}
GST_END_TEST;

GST_START_TEST(test_environment) {
    use_two_devices();
    const auto element = make("tomocalculate");
    g_setenv("GST_TOMO_DEVICE", "1", TRUE);
    set_state(element, GST_STATE_READY);
    fail_unless_equals_int(device_of(element), 1);
    set_state(element, GST_STATE_NULL);
    g_object_set(element.get(), "device", "0", nullptr);
    set_state(element, GST_STATE_READY);
    fail_unless_equals_int(device_of(element), 0);
    set_state(element, GST_STATE_NULL);

    g_setenv("GST_TOMO_DEVICE", "a device that is not", TRUE);
    const auto other = parse("tomodummydata number=1 ! tomocalculate ! tomonull");
    fail_unless_equals_int(gst_element_set_state(other.get(), GST_STATE_READY), GST_STATE_CHANGE_FAILURE);
    const auto message = bus_error(other);
    fail_unless(
        contains(
            message,
            "GST_TOMO_DEVICE=a device that is not means none of the OpenCL devices, which are, by index: 0: "),
        "%s", message.c_str());
    set_state(other, GST_STATE_NULL);
    // Who names a device does not need it.
    set_state(element, GST_STATE_READY);
    fail_unless_equals_int(device_of(element), 0);
    set_state(element, GST_STATE_NULL);
}
GST_END_TEST;

GST_START_TEST(test_no_opencl) {
    const auto process = run_process(
        {"gst-launch-1.0", "tomodummydata", "number=1", "!", "tomocalculate", "name=calc", "!", "tomonull"},
        {"OCL_ICD_VENDORS=/nonexistent", "OCL_ICD_FILENAMES=", "GST_TOMO_DEVICE="});
    fail_unless(process.status > 0, "status %d", process.status);
    fail_unless(
        contains(process.errors, "no OpenCL device was found: install the driver of your GPU, or PoCL"), "%s",
        process.errors.c_str());

    // What does not compute works all the same.
    const auto inspected =
        run_process({"gst-inspect-1.0", "tomocalculate"}, {"OCL_ICD_VENDORS=/nonexistent"});
    fail_unless(inspected.status == 0);
}
GST_END_TEST;

// Objects that other languages can make of nothing are refused, not followed.
GST_START_TEST(test_objects_without_contents) {
    static unsigned criticals = 0;
    g_log_set_always_fatal(static_cast<GLogLevelFlags>(G_LOG_FATAL_MASK));
    g_log_set_handler(
        "GstTomo", G_LOG_LEVEL_CRITICAL,
        [](const gchar *, GLogLevelFlags, const gchar *, gpointer) { criticals++; }, nullptr);
    const Context context(
        GST_TOMO_CONTEXT(gst_object_ref_sink(g_object_new(GST_TYPE_TOMO_CONTEXT, nullptr))));
    fail_unless(gst_tomo_context_get_handle(context.get()) == 0);
    fail_if(gst_tomo_context_get_default_device(context.get()));
    const tomo::ObjectRef<GstTomoDevice> device(
        GST_TOMO_DEVICE(gst_object_ref_sink(g_object_new(GST_TYPE_TOMO_DEVICE, nullptr))));
    fail_if(gst_tomo_device_get_name(device.get()));
    fail_unless(gst_tomo_device_get_memory_limit(device.get()) == 0);
    fail_unless_equals_int(criticals, 4);
}
GST_END_TEST;

// Lists of devices that two platforms have.
GST_START_TEST(test_two_platforms) {
    const auto platform = [](std::size_t n) { return reinterpret_cast<cl_platform_id>(n); };
    const std::vector<tomo::FoundDevice> all = {
        {platform(1), nullptr, CL_DEVICE_TYPE_GPU, "A100", "NVIDIA CUDA"},
        {platform(1), nullptr, CL_DEVICE_TYPE_GPU, "A100", "NVIDIA CUDA"},
        {platform(2), nullptr, CL_DEVICE_TYPE_CPU, "EPYC", "PoCL"},
        {platform(3), nullptr, CL_DEVICE_TYPE_CPU, "EPYC", "Intel"},
    };
    const std::vector<tomo::FoundDevice> usual(all.begin(), all.begin() + 3);
    using Indices = std::vector<std::size_t>;
    // A processor is of another platform than GPUs, as a rule.
    fail_unless(tomo::choose_devices(usual, "all") == (Indices{0, 1, 2}));
    fail_unless(tomo::choose_devices(usual, "cpu+gpu") == (Indices{2, 0, 1}));
    fail_unless(tomo::choose_devices(all, "gpu,2") == (Indices{0, 1, 2}));
    fail_unless(tomo::choose_devices(all, "2,3") == (Indices{2, 3}));
    for (const char *wrong : {"all", "cpu", "epyc", "cpu+gpu"}) {
        std::string said;
        try {
            tomo::choose_devices(all, wrong);
        } catch (const tomo::Error &e) {
            said = e.what();
        }
        fail_if(said.empty(), "%s", wrong);
        for (const char *part :
             {"devices 2 and 3", "of two platforms, PoCL and Intel", "each by its index",
              "0: A100 (NVIDIA CUDA), 1: A100 (NVIDIA CUDA), 2: EPYC (PoCL), 3: EPYC (Intel)"})
            fail_unless(contains(said, part), "%s: %s", wrong, said.c_str());
    }
}
GST_END_TEST;

static Suite *context_suite() {
    Suite *suite = suite_create("context");
    TCase *cases = tcase_create("general");
    suite_add_tcase(suite, cases);
    tcase_set_timeout(cases, 120);
    tcase_add_test(cases, test_shared_in_pipeline);
    tcase_add_test(cases, test_asks_application);
    tcase_add_test(cases, test_wrapped);
    tcase_add_test(cases, test_not_a_context);
    tcase_add_test(cases, test_one_context_per_device);
    tcase_add_test(cases, test_device_by_index_and_name);
    tcase_add_test(cases, test_choice_is_private);
    tcase_add_test(cases, test_follows_input);
    tcase_add_test(cases, test_wrong_device);
    tcase_add_test(cases, test_environment);
    tcase_add_test(cases, test_no_opencl);
    tcase_add_test(cases, test_two_platforms);
    tcase_add_test(cases, test_objects_without_contents);
    return suite;
}

GST_CHECK_MAIN(context);
