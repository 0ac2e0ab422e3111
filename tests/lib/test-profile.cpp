// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What a recorder gets to see, and that nothing is measured without one.
#include "support.hpp"

#include <gst/tomo/fft/fft.hpp>
#include <gst/tomo/device/memory.hpp>
#include <gst/tomo/device/profile.hpp>

#include <cstring>

#include <gst/check/gstcheck.h> // last: it defines macros named like members of the standard library

using namespace tomotest;

namespace {

class Notes final : public tomo::Recorder {
  public:
    void enqueued(tomo::Command command) override {
        const std::lock_guard<std::mutex> guard(lock);
        commands.push_back(std::move(command));
    }
    void began_work(tomo::WorkTag) override {}
    void ended_work() override {}
    void allocated(std::size_t bytes) override { memory = bytes; }

    std::mutex lock;
    std::vector<tomo::Command> commands;
    std::size_t memory = 0;
};

bool measures(cl_command_queue queue) {
    return tomo::cl_query<cl_command_queue_properties>(clGetCommandQueueInfo, queue, CL_QUEUE_PROPERTIES) &
           CL_QUEUE_PROFILING_ENABLE;
}

cl_ulong moment(const tomo::ClEvent &event, cl_profiling_info which) {
    cl_ulong time = 0;
    tomo::cl_check(clGetEventProfilingInfo(event.get(), which, sizeof time, &time, nullptr),
                   "asking for a time");
    return time;
}

// Discrete, so that there are transfers to be seen on any device.
std::shared_ptr<tomo::Device> open_device() {
    g_setenv("GST_TOMO_TEST_DISCRETE", "1", TRUE);
    return tomo::Context::create("")->default_device();
}

void through_the_device(const std::shared_ptr<tomo::Device> &device, std::size_t bytes) {
    const auto storage = std::make_shared<tomo::Storage>(device, bytes);
    std::memset(storage->map(true), 1, bytes);
    storage->unmap(true);
    storage->move_to_device();
    storage->map(false);
    storage->unmap(false);
}

} // namespace

GST_START_TEST(test_nothing_without_recorder) {
    const auto device = open_device();
    for (const auto queue : {device->queue(), device->upload_queue(), device->download_queue()})
        fail_if(measures(queue), "a queue measures times and nobody asked");
    through_the_device(device, 1000);
    fail_if(tomo::is_recording() || tomo::recorder());
}
GST_END_TEST;

GST_START_TEST(test_transfers) {
    const auto notes = std::make_shared<Notes>();
    tomo::set_recorder(notes);
    const auto device = open_device();
    for (const auto queue : {device->queue(), device->upload_queue(), device->download_queue()})
        fail_unless(measures(queue));
    const std::size_t bytes = random_between(1, 100000);
    through_the_device(device, bytes);
    fail_unless_equals_int(notes->commands.size(), 2);
    fail_unless(notes->memory >= bytes);
    using Kind = tomo::Command::Kind;
    const auto &up = notes->commands[0], &down = notes->commands[1];
    fail_unless(up.kind == Kind::upload && up.queue == device->upload_queue());
    fail_unless(down.kind == Kind::download && down.queue == device->download_queue());
    for (const auto *command : {&up, &down}) {
        fail_unless_equals_int(command->bytes, bytes);
        fail_if(command->tag);
        fail_unless(moment(command->end, CL_PROFILING_COMMAND_QUEUED) <=
                    moment(command->end, CL_PROFILING_COMMAND_START));
    }
    // The download needs the upload.
    fail_unless(moment(up.end, CL_PROFILING_COMMAND_END) <= moment(down.end, CL_PROFILING_COMMAND_START));

    tomo::set_recorder(nullptr);
    fail_if(tomo::is_recording());
    through_the_device(device, bytes);
    fail_unless_equals_int(notes->commands.size(), 2);
}
GST_END_TEST;

GST_START_TEST(test_fft_is_one_command) {
    const auto notes = std::make_shared<Notes>();
    tomo::set_recorder(notes);
    const auto device = open_device();
    tomo::FftShape shape;
    shape.dimensions = 2;
    shape.size = {random_between(2, 64), random_between(2, 64), 1};
    shape.batch = random_between(1, 4);
    const auto fft = fft_of(*device, shape);
    tomo::Storage data(device, shape.samples() * sizeof(cl_float2));
    const auto queue = device->queue();
    const float zero = 0;
    cl_event filled = nullptr;
    clEnqueueFillBuffer(queue, data.buffer(), &zero, sizeof zero, 0, data.size(), 0, nullptr, &filled);
    data.write_done(queue, tomo::ClEvent(filled));
    auto done = fft->enqueue(queue, tomo::FftDirection::Forward, data.buffer(), 0, data.buffer(), 0,
                             data.read(queue));
    data.write_done(queue, done);
    data.finish();
    fail_unless_equals_int(notes->commands.size(), 1);
    const auto &command = notes->commands[0];
    fail_unless(command.kind == tomo::Command::Kind::fft && command.queue == queue);
    fail_unless(command.name == "fft of " + shape.describe());
    fail_unless(moment(command.begin, CL_PROFILING_COMMAND_END) <
                moment(command.end, CL_PROFILING_COMMAND_END));
}
GST_END_TEST;

static Suite *profile_suite() {
    Suite *suite = suite_create("profile");
    TCase *tests = tcase_create("all");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, test_nothing_without_recorder);
    tcase_add_test(tests, test_transfers);
    tcase_add_test(tests, test_fft_is_one_command);
    suite_add_tcase(suite, tests);
    return suite;
}

GST_CHECK_MAIN(profile);
