// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "activity.hpp"

#include <gst/tomo/bases/stream-walk.hpp>
#include <gst/tomo/device/device-list.hpp>
#include <gst/tomo/device/gobject.hpp>
#include <gst/tomo/support/json.hpp>

#include <algorithm>
#include <pthread.h>
#include <time.h>

namespace tomo {

namespace {

constexpr unsigned host_group = 1;
constexpr std::size_t most_orphans = 256; // of a thread that never pushes
constexpr std::int64_t shortest_span = 100'000;

std::int64_t read_clock(clockid_t clock) {
    timespec time{};
    clock_gettime(clock, &time);
    return time.tv_sec * std::int64_t{1'000'000'000} + time.tv_nsec;
}

GQuark tally_quark() {
    static const GQuark quark = g_quark_from_static_string("tomo-tally");
    return quark;
}

// Whether this thread is the one that the pad's element streams with.
bool drives_this_thread(GstPad *pad) {
    const GstTask *task = GST_PAD_TASK(pad);
    return task && task->thread == g_thread_self();
}

std::int64_t moment(const ClEvent &event, cl_profiling_info which, bool &is_known) {
    cl_ulong time = 0;
    is_known =
        clGetEventProfilingInfo(event.get(), which, sizeof time, &time, nullptr) == CL_SUCCESS && is_known;
    return static_cast<std::int64_t>(time);
}

bool has_ended(const ClEvent &event) {
    return !event ||
           cl_query<cl_int>(clGetEventInfo, event.get(), CL_EVENT_COMMAND_EXECUTION_STATUS) <= CL_COMPLETE;
}

double milliseconds(std::int64_t nanoseconds) { return static_cast<double>(nanoseconds) / 1e6; }
double megabytes(std::uint64_t bytes) { return static_cast<double>(bytes) / 1e6; }

std::string line_of(const std::string &name, const std::string &in, const std::string &out, const Tally &t) {
    return text("%-24s %7s %7s %8llu %11.3f %11.3f %11.3f %11.3f %11.3f %11.3f %11.3f\n", name.c_str(),
                in.c_str(), out.c_str(), static_cast<unsigned long long>(t.commands), milliseconds(t.device),
                milliseconds(t.queue_wait), milliseconds(t.host), milliseconds(t.blocked),
                megabytes(t.uploaded), megabytes(t.downloaded), megabytes(t.copied));
}

std::string json_of(const Tally &t) {
    std::string commands;
    for (const auto &[name, sum] : t.by_command)
        commands += text("%s%s:{\"count\":%llu,\"device_ns\":%lld}", commands.empty() ? "" : ",",
                         json_string(name).c_str(), static_cast<unsigned long long>(sum.count),
                         static_cast<long long>(sum.device));
    return text(
        "{\"name\":%s,\"factory\":%s,\"arrays_in\":%llu,\"arrays_out\":%llu,\"commands\":%llu,\"untimed\":%"
        "llu,"
        "\"device_ns\":%lld,\"queue_wait_ns\":%lld,\"host_ns\":%lld,\"blocked_ns\":%lld,"
        "\"to_device_bytes\":%llu,\"to_host_bytes\":%llu,\"on_device_bytes\":%llu,\"by_command\":{%s}}",
        json_string(t.name).c_str(), json_string(t.factory).c_str(),
        static_cast<unsigned long long>(t.arrays_in), static_cast<unsigned long long>(t.arrays_out),
        static_cast<unsigned long long>(t.commands), static_cast<unsigned long long>(t.untimed),
        static_cast<long long>(t.device), static_cast<long long>(t.queue_wait),
        static_cast<long long>(t.host), static_cast<long long>(t.blocked),
        static_cast<unsigned long long>(t.uploaded), static_cast<unsigned long long>(t.downloaded),
        static_cast<unsigned long long>(t.copied), commands.c_str());
}

} // namespace

struct Activity::Thread {
    unsigned number = 0;
    std::vector<Frame> frames;
    Clocks left{}; // when it was last outside of all elements that others push to
    bool has_left = false;
};

Activity::Activity(std::unique_ptr<TraceFile> file)
    : file_(std::move(file)), origin_(read_clock(CLOCK_MONOTONIC)) {
    nobody_.name = "(no element)";
    if (file_)
        file_->name_group(host_group, "host: streaming threads");
}

Activity::Clocks Activity::now() const {
    return {read_clock(CLOCK_MONOTONIC) - origin_, read_clock(CLOCK_THREAD_CPUTIME_ID)};
}

// Of the calling thread, which belongs to `owner` or carries the name of its pad. A process has one tracer of
// this kind.
Activity::Thread &Activity::thread(const Tally *owner) {
    static thread_local Thread state;
    if (state.number == 0) {
        char name[32] = "";
        pthread_getname_np(pthread_self(), name, sizeof name);
        const std::lock_guard<std::mutex> guard(lock_);
        state.number = ++threads_;
        if (file_)
            file_->name_line(host_group, state.number, owner ? owner->name + ", a thread of its own" : name);
    }
    return state;
}

Tally *Activity::new_tally(GstElement *element) {
    const auto top = outermost(element);
    const std::lock_guard<std::mutex> guard(lock_);
    if (auto *known = g_object_get_qdata(G_OBJECT(element), tally_quark())) // by another thread, meanwhile
        return static_cast<Tally *>(known);
    auto tally = std::make_unique<Tally>();
    tally->name = GST_OBJECT_NAME(element);
    if (GstElementFactory *factory = gst_element_get_factory(element))
        tally->factory = GST_OBJECT_NAME(factory);
    tally->top = top.get();
    tallies_.push_back(std::move(tally));
    g_object_set_qdata(G_OBJECT(element), tally_quark(), tallies_.back().get());
    return tallies_.back().get();
}

Tally *Activity::tally_of(GstElement *element) {
    if (!element || GST_IS_BIN(element))
        return nullptr;
    if (auto *known = g_object_get_qdata(G_OBJECT(element), tally_quark()))
        return static_cast<Tally *>(known);
    return new_tally(element);
}

// With the lock held.
void Activity::account(Tally *tally, const Clocks &spent) {
    if (!tally)
        return;
    tally->host += spent.processor;
    tally->blocked += std::max<std::int64_t>(spent.wall - spent.processor, 0);
    tally->is_news = true;
}

void Activity::enter(GstPad *pad, unsigned arrays) {
    const auto clocks = now();
    auto &t = thread();
    const ObjectRef<GstElement> from(gst_pad_get_parent_element(pad));
    const ObjectRef<GstPad> peer(gst_pad_get_peer(pad));
    const ObjectRef<GstElement> to(peer ? gst_pad_get_parent_element(peer.get()) : nullptr);
    Tally *pusher = tally_of(from.get()), *receiver = tally_of(to.get());
    const bool drives = t.frames.empty() && pusher && drives_this_thread(pad);

    const std::lock_guard<std::mutex> guard(lock_);
    if (drives) {
        // Since the last push the thread was in the element that drives it.
        if (t.has_left) {
            const Clocks spent{clocks.wall - t.left.wall, clocks.processor - t.left.processor};
            account(pusher, spent);
            // A queue's thread waits there, which is no news.
            if (file_ && from.get()->numsinkpads == 0 && (arrays || spent.wall > shortest_span))
                file_->span(host_group, t.number, pusher->name, t.left.wall, spent.wall);
        }
        for (const auto &job : std::exchange(orphans_[t.number], {})) {
            job->tally = pusher;
            settle(*job);
        }
    }
    if (arrays && pusher)
        pusher->arrays_out += arrays;
    if (arrays && receiver)
        receiver->arrays_in += arrays;
    t.frames.push_back({pad, receiver, now(), {}, arrays != 0});
}

void Activity::leave(GstPad *pad) {
    const auto clocks = now();
    auto &t = thread();
    const std::lock_guard<std::mutex> guard(lock_);
    for (bool found = false; !found && !t.frames.empty();) {
        const Frame frame = t.frames.back();
        t.frames.pop_back();
        found = frame.pad == pad;
        const Clocks spent{clocks.wall - frame.since.wall, clocks.processor - frame.since.processor};
        account(frame.tally, {spent.wall - frame.inside.wall, spent.processor - frame.inside.processor});
        if (!t.frames.empty()) {
            t.frames.back().inside.wall += spent.wall;
            t.frames.back().inside.processor += spent.processor;
        }
        if (file_ && frame.tally && (frame.is_worth_a_span || spent.wall > shortest_span))
            file_->span(host_group, t.number, frame.tally->name, frame.since.wall, spent.wall);
    }
    if (t.frames.empty()) {
        t.left = now();
        t.has_left = true;
    }
}

void Activity::enqueued(Command command) {
    auto &t = thread();
    auto job = std::make_shared<Job>();
    job->enqueued = now().wall;
    job->thread = t.number;
    job->tally = tally_of(static_cast<GstElement *>(command.tag));
    if (!job->tally && !t.frames.empty())
        job->tally = t.frames.back().tally;
    job->command = std::move(command);
    job->command.tag = nullptr; // may be gone before the command has ended

    const std::lock_guard<std::mutex> guard(lock_);
    if (!job->tally) {
        auto &orphans = orphans_[t.number];
        orphans.push_back(job);
        if (orphans.size() > most_orphans) {
            orphans.front()->tally = &nobody_;
            settle(*orphans.front());
            orphans.erase(orphans.begin());
        }
    }
    in_flight_.push_back(std::move(job));
    harvest(false);
}

void Activity::began_work(WorkTag tag) {
    Tally *tally = tally_of(static_cast<GstElement *>(tag));
    thread(tally).frames.push_back({nullptr, tally, now(), {}, true});
}

void Activity::ended_work() { leave(nullptr); }

void Activity::allocated(std::size_t bytes) {
    const std::lock_guard<std::mutex> guard(lock_);
    memory_peak_ = std::max<std::uint64_t>(memory_peak_, bytes);
    if (file_)
        file_->level(host_group, "device memory", now().wall, bytes);
}

// Takes the commands that have ended: all of them, or those before the first one that has not.
void Activity::harvest(bool all) {
    std::deque<std::shared_ptr<Job>> left;
    while (!in_flight_.empty()) {
        const auto job = in_flight_.front();
        if (look(*job))
            settle(*job);
        else if (all)
            left.push_back(job);
        else
            break;
        in_flight_.pop_front();
    }
    if (all)
        in_flight_ = std::move(left);
}

// Whether a command has ended; then its times are known and its events let go.
bool Activity::look(Job &job) {
    if (!tomo::has_ended(job.command.end))
        return false;
    bool is_known = true;
    const auto &[first, last] = std::tie(job.command.begin, job.command.end);
    job.queued = moment(first ? first : last, CL_PROFILING_COMMAND_QUEUED, is_known);
    job.start = first ? moment(first, CL_PROFILING_COMMAND_END, is_known)
                      : moment(last, CL_PROFILING_COMMAND_START, is_known);
    job.end = moment(last, CL_PROFILING_COMMAND_END, is_known);
    job.is_timed = is_known && job.end >= job.start;
    job.has_ended = true;
    if (job.is_timed && job.queued > job.start)
        job.queued = job.start;
    auto &device = device_lines(job.command.queue);
    job.on = &device;
    if (job.is_timed) {
        device.next_offset = std::min(device.next_offset, job.enqueued - job.queued);
        // Clocks drift, but slowly.
        if (++device.seen == (device.is_calibrated ? 4096 : 64))
            calibrate(device);
    }
    job.command.begin = job.command.end = {};
    return true;
}

// Counts a command of which both are known, its times and whose it is.
void Activity::settle(Job &job) {
    if (!job.tally || !job.has_ended)
        return;
    auto &t = *job.tally;
    t.is_news = true;
    t.commands++;
    job.on->commands++;
    job.on->new_commands++;
    const auto bytes = job.command.bytes;
    switch (job.command.kind) {
    case Command::Kind::upload:
        t.uploaded += bytes;
        break;
    case Command::Kind::download:
        t.downloaded += bytes;
        break;
    case Command::Kind::copy:
        t.copied += bytes;
        break;
    case Command::Kind::kernel:
    case Command::Kind::fft:
        break;
    }
    auto &sum = t.by_command[job.command.name];
    sum.count++;
    if (!job.is_timed) {
        t.untimed++;
        return;
    }
    t.device += job.end - job.start;
    t.queue_wait += job.start - job.queued;
    sum.device += job.end - job.start;
    job.on->time += job.end - job.start;
    job.on->new_time += job.end - job.start;
    if (!file_)
        return;
    auto &device = *job.on;
    if (device.is_calibrated)
        draw(device, job);
    else
        device.not_drawn.push_back(job);
}

void Activity::calibrate(DeviceLines &device) {
    if (device.seen == 0)
        return;
    device.offset = std::exchange(device.next_offset, std::numeric_limits<std::int64_t>::max());
    device.seen = 0;
    device.is_calibrated = true;
    for (const auto &job : std::exchange(device.not_drawn, {}))
        draw(device, job);
}

Activity::DeviceLines &Activity::device_lines(cl_command_queue queue) {
    const auto device = cl_query<cl_device_id>(clGetCommandQueueInfo, queue, CL_QUEUE_DEVICE);
    auto &lines = devices_[device];
    if (lines.group == 0) {
        lines.group = host_group + static_cast<unsigned>(devices_.size());
        lines.name = cl_query_string(clGetDeviceInfo, device, CL_DEVICE_NAME);
        const auto all = all_devices();
        lines.index =
            std::find_if(all.begin(), all.end(), [&](const auto &one) { return one.id == device; }) -
            all.begin();
        if (file_)
            file_->name_group(lines.group, text("device %zu: %s", lines.index, lines.name.c_str()));
    }
    return lines;
}

void Activity::draw(DeviceLines &device, const Job &job) {
    auto &line = device.lines[job.command.queue];
    if (line == 0) {
        line = static_cast<unsigned>(device.lines.size());
        const auto kind = job.command.kind;
        file_->name_line(device.group, line,
                         kind == Command::Kind::upload     ? std::string("uploads")
                         : kind == Command::Kind::download ? std::string("downloads")
                                                           : text("compute %u", ++device.compute_lines));
    }
    std::string details = "{\"element\":" + json_string(job.tally->name);
    if (job.command.bytes)
        details += text(",\"bytes\":%zu", job.command.bytes);
    details += text(",\"queue_wait_us\":%lld}", static_cast<long long>((job.start - job.queued) / 1000));
    file_->span(device.group, line, job.command.name, job.start + device.offset, job.end - job.start,
                details);
}

// In the order of their indices.
std::vector<Activity::DeviceLines *> Activity::devices() {
    std::vector<DeviceLines *> all;
    for (auto &[id, device] : devices_)
        all.push_back(&device);
    std::sort(all.begin(), all.end(), [](const auto *a, const auto *b) { return a->index < b->index; });
    return all;
}

// Where several devices have worked since the last report.
std::string Activity::device_table() {
    std::string lines;
    unsigned count = 0;
    for (auto *device : devices()) {
        const auto commands = std::exchange(device->new_commands, 0);
        const auto time = std::exchange(device->new_time, 0);
        if (commands == 0)
            continue;
        lines += text("device %zu (%s): %llu commands in %.3f ms\n", device->index, device->name.c_str(),
                      static_cast<unsigned long long>(commands), milliseconds(time));
        count++;
    }
    return count > 1 ? lines : "";
}

std::string Activity::summary() {
    std::string elements;
    for (const auto &tally : tallies_)
        elements += (elements.empty() ? "\n" : ",\n") + json_of(*tally);
    if (nobody_.commands)
        elements += (elements.empty() ? "\n" : ",\n") + json_of(nobody_);
    std::string devices;
    for (const auto *device : this->devices())
        devices +=
            text("%s{\"index\":%zu,\"name\":%s,\"commands\":%llu,\"device_ns\":%lld}",
                 devices.empty() ? "" : ",", device->index, json_string(device->name).c_str(),
                 static_cast<unsigned long long>(device->commands), static_cast<long long>(device->time));
    return text("{\"device_memory_peak_bytes\":%llu,\"devices\":[%s],\"elements\":[%s]}",
                static_cast<unsigned long long>(memory_peak_), devices.c_str(), elements.c_str());
}

std::string Activity::report(const GstObject *top) {
    const std::lock_guard<std::mutex> guard(lock_);
    harvest(true);
    // Those of threads that push nothing; of a running thread the next push would tell.
    for (auto &[number, orphans] : orphans_)
        for (const auto &job : std::exchange(orphans, {})) {
            job->tally = &nobody_;
            settle(*job);
        }
    if (file_) {
        for (auto &[id, device] : devices_)
            if (!device.is_calibrated)
                calibrate(device);
        file_->complete(summary());
    }

    std::string lines;
    Tally total;
    const auto add = [&](Tally &t) {
        if (!std::exchange(t.is_news, false))
            return;
        lines += line_of(t.name, std::to_string(t.arrays_in), std::to_string(t.arrays_out), t);
        total.commands += t.commands;
        total.untimed += t.untimed;
        total.device += t.device;
        total.queue_wait += t.queue_wait;
        total.host += t.host;
        total.blocked += t.blocked;
        total.uploaded += t.uploaded;
        total.downloaded += t.downloaded;
        total.copied += t.copied;
    };
    for (const auto &tally : tallies_)
        if (!top || tally->top == top)
            add(*tally);
    if (lines.empty() && top)
        return {};
    add(nobody_);
    if (lines.empty())
        return {};
    std::string table =
        text("%-24s %7s %7s %8s %11s %11s %11s %11s %11s %11s %11s\n", "element", "in", "out", "commands",
             "device ms", "queued ms", "host ms", "blocked ms", "to dev. MB", "to host MB", "on dev. MB");
    table += lines + line_of("all", "", "", total);
    table += device_table();
    table += text("device memory at most %.3f MB\n", megabytes(memory_peak_));
    if (total.untimed)
        table += text("%llu commands have no times: their queues were made before the tracer\n",
                      static_cast<unsigned long long>(total.untimed));
    return table;
}

} // namespace tomo
