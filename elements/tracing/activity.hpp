// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What elements and devices do, counted per element.
#pragma once

#include "trace-file.hpp"

#include <gst/tomo/device/profile.hpp>

#include <gst/gst.h>

#include <deque>
#include <limits>
#include <map>
#include <mutex>

namespace tomo {

// Sums of one element. Times in nanoseconds.
struct Tally {
    std::string name, factory;
    const void *top = nullptr; // the pipeline, to be compared and no more
    std::uint64_t arrays_in = 0, arrays_out = 0;
    std::int64_t host = 0;    // of streaming threads, computing in the element itself
    std::int64_t blocked = 0; // of streaming threads, waiting in it
    std::uint64_t commands = 0, untimed = 0;
    std::int64_t device = 0;     // executing
    std::int64_t queue_wait = 0; // from the call to the start of execution
    std::uint64_t uploaded = 0, downloaded = 0, copied = 0;
    struct Sum {
        std::uint64_t count = 0;
        std::int64_t device = 0;
    };
    std::map<std::string, Sum> by_command;
    bool is_news = false; // since the last report
};

// The sums of all elements. Streaming threads tell when they enter an element and leave it, the library which
// commands are enqueued; commands belong to the element that says so, else to the one that the thread is in,
// else to the one that the thread pushes from next.
class Activity final : public Recorder {
  public:
    explicit Activity(std::unique_ptr<TraceFile> file);

    // A pad pushes so many arrays, or something else, to its peer; and is back.
    void enter(GstPad *pad, unsigned arrays);
    void leave(GstPad *pad);

    void enqueued(Command command) override;
    void began_work(WorkTag tag) override;
    void ended_work() override;
    void allocated(std::size_t bytes) override;

    // The table of what happened below a pipeline since the last one, all if it is null; empty if that is
    // nothing. Completes the trace file. For a pipeline whose commands have ended.
    std::string report(const GstObject *top);

  private:
    struct Clocks {
        std::int64_t wall, processor;
    };
    struct Frame {
        const GstPad *pad; // null for work of a thread of the library
        Tally *tally;
        Clocks since;
        Clocks inside; // spent in what it called
        bool is_worth_a_span;
    };
    struct Thread;
    struct DeviceLines;
    struct Job {
        Command command;
        Tally *tally;
        unsigned thread;
        std::int64_t enqueued;
        std::int64_t queued = 0, start = 0, end = 0; // of the device's clock
        bool has_ended = false, is_timed = false;
        DeviceLines *on = nullptr; // from its end on
    };
    struct DeviceLines {
        unsigned group = 0;
        std::size_t index = 0; // among all devices
        std::string name;
        // From its clock to ours: the least that was seen lately, as a call returns after its command was
        // queued.
        std::int64_t offset = 0, next_offset = std::numeric_limits<std::int64_t>::max();
        unsigned seen = 0;          // commands since the offset was set
        bool is_calibrated = false; // before, commands are not drawn
        std::vector<Job> not_drawn;
        std::map<cl_command_queue, unsigned> lines;
        unsigned compute_lines = 0;
        // Of all commands, and of those since the last report.
        std::uint64_t commands = 0, new_commands = 0;
        std::int64_t time = 0, new_time = 0; // executing
    };

    Clocks now() const;
    Thread &thread(const Tally *owner = nullptr);
    Tally *tally_of(GstElement *element);
    Tally *new_tally(GstElement *element);
    void account(Tally *tally, const Clocks &spent);
    void harvest(bool all);
    void settle(Job &job);
    bool look(Job &job);
    void calibrate(DeviceLines &device);
    void draw(DeviceLines &device, const Job &job);
    DeviceLines &device_lines(cl_command_queue queue);
    std::vector<DeviceLines *> devices();
    std::string summary();
    std::string device_table();

    std::mutex lock_; // over all below
    std::unique_ptr<TraceFile> file_;
    std::deque<std::unique_ptr<Tally>> tallies_; // in the order in which data met them
    Tally nobody_;
    std::deque<std::shared_ptr<Job>> in_flight_;
    std::map<unsigned, std::vector<std::shared_ptr<Job>>> orphans_; // by thread
    std::map<cl_device_id, DeviceLines> devices_;
    unsigned threads_ = 0;
    std::uint64_t memory_peak_ = 0;
    std::int64_t origin_ = 0;
};

} // namespace tomo
