// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Memory under many threads and queues against a model on the host, and reuse while it is still being read.
// Runs with the host's memory shared by the device, and with copies to and from pinned memory in between
// (GST_TOMO_TEST_DISCRETE=1); on one device and, with POCL_DEVICES, on two.
#include "support.hpp"

#include <gst/tomo/device/device-list.hpp>

#include <algorithm>
#include <cstring>
#include <optional>
#include <shared_mutex>

#include <gst/check/gstcheck.h> // last: it defines macros named like members of the standard library

using namespace tomotest;
using tomo::ClEvent;
using tomo::ClKernel;
using tomo::Device;
using tomo::Storage;

namespace {

using Samples = std::vector<guint32>;

// One work-group each, so that commands of several queues run at the same time, and a delay before all else,
// so that a command which did not wait for this one overtakes it.
const char *const source = R"(
#define FOR(i, n) for (ulong i = get_global_id(0); i < n; i += get_global_size(0))
void delay(uint rounds)
{
    volatile uint x = 1;
    for (uint r = 0; r < rounds; r++)
        x = x * 1664525u + 1013904223u;
}
kernel void put(global uint *a, ulong n, uint v, uint rounds)
{
    delay(rounds);
    FOR(i, n) a[i] = (uint)i * 2654435761u ^ v;
}
kernel void scramble(global uint *a, ulong n, uint v, uint rounds)
{
    delay(rounds);
    FOR(i, n) a[i] = (a[i] ^ v) * 3u + 1u;
}
kernel void copy(global uint *b, ulong n, uint v, uint rounds, global const uint *a)
{
    delay(rounds);
    FOR(i, n) b[i] = a[i] ^ v;
}
kernel void combine(global uint *b, ulong n, uint v, uint rounds, global const uint *a)
{
    delay(rounds);
    FOR(i, n) b[i] += a[i] ^ v;
}
)";

void put(Samples &a, guint32 v) {
    for (std::size_t i = 0; i < a.size(); i++)
        a[i] = static_cast<guint32>(i) * 2654435761u ^ v;
}

void scramble(Samples &a, guint32 v) {
    for (auto &x : a)
        x = (x ^ v) * 3u + 1u;
}

// Where there are several devices, they are of one cl_context, as an application may hand one in: each may
// use memory of the others.
tomo::Context &context() {
    static const auto context = [] {
        std::vector<cl_device_id> ids;
        for (const auto &found : tomo::all_devices())
            ids.push_back(found.id);
        if (ids.size() < 2)
            return tomo::Context::create("");
        cl_int status = CL_SUCCESS;
        const tomo::ClContext all(clCreateContext(nullptr, static_cast<cl_uint>(ids.size()), ids.data(),
                                                  nullptr, nullptr, &status));
        tomo::cl_check(status, "creating a context for the test");
        return tomo::Context::wrap(all.get());
    }();
    return *context;
}

std::vector<std::shared_ptr<Device>> devices() {
    std::vector<std::shared_ptr<Device>> all;
    for (std::size_t n = 0; n < context().size(); n++)
        all.push_back(context().device(n));
    return all;
}

struct Call {
    const char *kernel;
    guint32 value = 0;
    guint32 rounds = 0;
    ClEvent gate = {}; // waited for besides
};

// Enqueues a kernel that writes `to`, from `from` where given, on the calling thread's queue of the device.
ClEvent launch(Device &device, const Call &call, Storage &to, Storage::Contents contents,
               Storage *from = nullptr) {
    const auto program = device.program("test-memory", source, "");
    cl_int status = CL_SUCCESS;
    const ClKernel kernel(clCreateKernel(program.get(), call.kernel, &status));
    tomo::cl_check(status, call.kernel);
    const cl_command_queue queue = device.queue();
    tomo::WaitList waits(queue);
    if (from)
        waits.add(from->read(queue));
    waits.add(to.write(queue, contents));
    if (call.gate)
        waits.add(tomo::Stamp{call.gate, {}});
    const cl_mem out = to.buffer(), in = from ? from->buffer() : nullptr;
    const cl_ulong n = to.size() / sizeof(guint32);
    clSetKernelArg(kernel.get(), 0, sizeof out, &out);
    clSetKernelArg(kernel.get(), 1, sizeof n, &n);
    clSetKernelArg(kernel.get(), 2, sizeof call.value, &call.value);
    clSetKernelArg(kernel.get(), 3, sizeof call.rounds, &call.rounds);
    if (from)
        clSetKernelArg(kernel.get(), 4, sizeof in, &in);
    const std::size_t group = 32;
    cl_event event = nullptr;
    tomo::cl_check(clEnqueueNDRangeKernel(queue, kernel.get(), 1, nullptr, &group, &group, waits.size(),
                                          waits.data(), &event),
                   call.kernel);
    const ClEvent done(event);
    if (from)
        from->read_done(queue, done);
    to.write_done(queue, done);
    return done;
}

struct HostMap {
    HostMap(Storage &storage, bool writes)
        : storage(storage), writes(writes), data(static_cast<guint32 *>(storage.map(writes))) {}
    ~HostMap() { storage.unmap(writes); }
    Storage &storage;
    bool writes;
    guint32 *data;
};

void compare(const guint32 *got, const Samples &wanted, const char *what, std::size_t first = 0) {
    for (std::size_t i = first; i < wanted.size(); i++)
        if (got[i - first] != wanted[i])
            throw std::runtime_error(tomo::text("%s: sample %zu of %zu is %08x, wanted %08x", what, i,
                                                wanted.size(), got[i - first], wanted[i]));
}

void compare(Storage &storage, const Samples &wanted, const char *what) {
    const HostMap map(storage, false);
    compare(map.data, wanted, what);
}

// The state machine
// ---------------------------------------------------------------------------------------------

// A memory and what should be in it. Readers hold the lock together, a writer alone, as GStreamer's rule of
// writable buffers has it; commands may still run when it is let go.
struct Slot {
    std::shared_mutex lock;
    GstMemory *memory = nullptr;
    Samples model;

    Storage &storage() const { return *tomo::storage_of(memory); }
};

class Machine {
  public:
    Machine() {
        for (const auto &device : devices()) {
            const tomo::ObjectRef<GstTomoDevice> object(tomo::new_device_object(device));
            allocators_.emplace_back(gst_tomo_allocator_new(object.get()));
        }
        sizes_ = {1, 67, random_between(100, 5000)};
        for (auto &slot : slots_)
            renew(slot, randomness());
    }

    ~Machine() {
        for (auto &slot : slots_)
            gst_memory_unref(slot.memory);
    }

    // What one thread does: its own random sequence.
    void run(unsigned seed, unsigned steps) {
        std::mt19937 r(seed);
        std::vector<std::pair<std::shared_ptr<Storage>, Samples>>
            copies; // made on the device, compared later
        for (unsigned step = 0; step < steps; step++) {
            auto &slot = slots_[random_between(0, slots_.size() - 1, r)];
            if (random_between(0, 1, r))
                read(slot, r, copies);
            else if (random_between(0, 4, r))
                write(slot, r);
            else
                combine(slot, r);
            while (copies.size() > 3) {
                compare(*copies.front().first, copies.front().second, "copy by a kernel");
                copies.erase(copies.begin());
            }
        }
        for (const auto &[storage, model] : copies)
            compare(*storage, model, "copy by a kernel");
    }

    void check_all() {
        for (auto &slot : slots_)
            compare(slot.storage(), slot.model, "at the end");
    }

  private:
    Device &some_device(std::mt19937 &r) {
        return *context().device(random_between(0, context().size() - 1, r));
    }
    static guint32 some_delay(std::mt19937 &r) {
        return random_between(0, 2, r) ? 0 : random_between(1, 60000, r) * 10;
    }

    // Other memory, recycled as a rule, with new contents from the device or from the host.
    void renew(Slot &slot, std::mt19937 &r) {
        if (slot.memory)
            gst_memory_unref(slot.memory);
        const auto n = sizes_[random_between(0, sizes_.size() - 1, r)];
        slot.memory = gst_allocator_alloc(allocators_[random_between(0, allocators_.size() - 1, r)].get(),
                                          n * sizeof(guint32), nullptr);
        const guint32 v = r();
        slot.model.resize(n);
        put(slot.model, v);
        if (random_between(0, 1, r)) {
            launch(some_device(r), {"put", v, some_delay(r)}, slot.storage(), Storage::Contents::discard);
        } else {
            const HostMap map(slot.storage(), true);
            std::copy(slot.model.begin(), slot.model.end(), map.data);
        }
    }

    void read(Slot &slot, std::mt19937 &r,
              std::vector<std::pair<std::shared_ptr<Storage>, Samples>> &copies) {
        const std::shared_lock<std::shared_mutex> lock(slot.lock);
        const std::size_t bytes = slot.model.size() * sizeof(guint32);
        switch (random_between(0, 6, r)) {
        case 0:
        case 1: {
            auto &device = some_device(r);
            auto result = std::make_shared<Storage>(context().device(device.index()), bytes);
            const guint32 v = r();
            launch(device, {"copy", v, some_delay(r)}, *result, Storage::Contents::discard, &slot.storage());
            Samples wanted = slot.model;
            for (auto &x : wanted)
                x ^= v;
            copies.emplace_back(std::move(result), std::move(wanted));
            break;
        }
        case 2: {
            GstMapInfo map;
            if (!gst_memory_map(slot.memory, &map, GST_MAP_READ))
                throw std::runtime_error("can't map for reading: " + tomo::take_map_error());
            compare(reinterpret_cast<guint32 *>(map.data), slot.model, "map");
            gst_memory_unmap(slot.memory, &map);
            break;
        }
        case 3: { // nested
            const HostMap outer(slot.storage(), false);
            const HostMap inner(slot.storage(), false);
            compare(outer.data, slot.model, "outer map");
            compare(inner.data, slot.model, "inner map");
            break;
        }
        case 4: {
            GstMemory *copy = gst_memory_copy(slot.memory, 0, -1);
            if (!copy)
                throw std::runtime_error("can't copy: " + tomo::take_map_error());
            copies.emplace_back(tomo::storage_of(copy), slot.model);
            gst_memory_unref(copy);
            break;
        }
        case 5: {
            const std::size_t first = random_between(0, slot.model.size() - 1, r);
            GstMemory *share = gst_memory_share(slot.memory, first * sizeof(guint32), -1);
            GstMapInfo map;
            if (!gst_memory_map(share, &map, GST_MAP_READ))
                throw std::runtime_error("can't map a share: " + tomo::take_map_error());
            if (map.size != bytes - first * sizeof(guint32))
                throw std::runtime_error("a share has another size");
            compare(reinterpret_cast<guint32 *>(map.data), slot.model, "share", first);
            gst_memory_unmap(share, &map);
            if (gst_memory_map(share, &map, GST_MAP_WRITE))
                throw std::runtime_error("a share could be written");
            gst_memory_unref(share);
            break;
        }
        case 6:
            gst_tomo_memory_prefetch(slot.memory);
            break;
        }
    }

    void write(Slot &slot, std::mt19937 &r) {
        const std::unique_lock<std::shared_mutex> lock(slot.lock);
        const guint32 v = r();
        switch (random_between(0, 5, r)) {
        case 0:
            put(slot.model, v);
            launch(some_device(r), {"put", v, some_delay(r)}, slot.storage(), Storage::Contents::discard);
            break;
        case 1:
            scramble(slot.model, v);
            launch(some_device(r), {"scramble", v, some_delay(r)}, slot.storage(), Storage::Contents::keep);
            break;
        case 2: { // a part, by the host; the rest stays
            const std::size_t first = random_between(0, slot.model.size() - 1, r);
            const HostMap map(slot.storage(), true);
            for (std::size_t i = first; i < slot.model.size(); i++)
                map.data[i] = slot.model[i] = v + static_cast<guint32>(i);
            break;
        }
        case 3: { // nested: written while it is mapped for reading, and read while it is mapped for writing
            const HostMap outer(slot.storage(), false);
            compare(outer.data, slot.model, "before a nested write");
            {
                const HostMap middle(slot.storage(), true);
                const HostMap inner(slot.storage(), false);
                scramble(slot.model, v);
                for (std::size_t i = 0; i < slot.model.size(); i++)
                    middle.data[i] = (inner.data[i] ^ v) * 3u + 1u;
            }
            compare(outer.data, slot.model, "after a nested write");
            break;
        }
        case 4: { // as foreign elements do
            GstMapInfo map;
            if (!gst_memory_map(slot.memory, &map, GST_MAP_READWRITE))
                throw std::runtime_error("can't map for writing: " + tomo::take_map_error());
            compare(reinterpret_cast<guint32 *>(map.data), slot.model, "map for writing");
            scramble(slot.model, v);
            std::copy(slot.model.begin(), slot.model.end(), reinterpret_cast<guint32 *>(map.data));
            gst_memory_unmap(slot.memory, &map);
            break;
        }
        case 5:
            renew(slot, r);
            break;
        }
    }

    // Reads one and writes another.
    void combine(Slot &to, std::mt19937 &r) {
        auto &from = slots_[random_between(0, slots_.size() - 1, r)];
        if (&from == &to)
            return;
        std::shared_lock<std::shared_mutex> from_lock(from.lock, std::defer_lock);
        std::unique_lock<std::shared_mutex> to_lock(to.lock, std::defer_lock);
        std::lock(from_lock, to_lock);
        if (from.model.size() != to.model.size())
            return;
        const guint32 v = r();
        for (std::size_t i = 0; i < to.model.size(); i++)
            to.model[i] += from.model[i] ^ v;
        launch(some_device(r), {"combine", v, some_delay(r)}, to.storage(), Storage::Contents::keep,
               &from.storage());
    }

    std::vector<tomo::ObjectRef<GstAllocator>> allocators_;
    std::vector<std::size_t> sizes_;
    std::array<Slot, 5> slots_;
};

void run_machine() {
    Machine machine;
    std::vector<std::future<void>> ends;
    for (int i = 0; i < 4; i++) {
        const unsigned seed = randomness()();
        ends.push_back(std::async(std::launch::async, [&machine, seed] { machine.run(seed, 250); }));
    }
    std::string failure;
    for (auto &end : ends) {
        try {
            end.get();
        } catch (const std::exception &e) {
            if (failure.empty())
                failure = e.what();
        }
    }
    fail_unless(failure.empty(), "%s", failure.c_str());
    machine.check_all();
}

// Reuse
// ---------------------------------------------------------------------------------------------------------

// Holds back the commands that wait for it.
class Gate {
  public:
    Gate() {
        cl_int status = CL_SUCCESS;
        event_ = ClEvent(clCreateUserEvent(context().handle(), &status));
        tomo::cl_check(status, "creating a user event");
    }
    ~Gate() { open(); }
    void open() {
        if (!std::exchange(is_open_, true))
            clSetUserEventStatus(event_.get(), CL_COMPLETE);
    }
    const ClEvent &event() const { return event_; }

  private:
    ClEvent event_;
    bool is_open_ = false;
};

// Time for a command or a thread that does not wait, to show that.
void give_it_a_chance(const std::function<bool()> &happened) {
    for (int i = 0; i < 20 && !happened(); i++)
        g_usleep(10000);
}

constexpr std::size_t n_samples = 1000;
constexpr std::size_t n_bytes = n_samples * sizeof(guint32);

Samples pattern(guint32 v) {
    Samples samples(n_samples);
    put(samples, v);
    return samples;
}

tomo::ObjectRef<GstBufferPool> one_buffer_pool() {
    const tomo::ObjectRef<GstTomoDevice> device(tomo::new_device_object(context().default_device()));
    tomo::ObjectRef<GstBufferPool> pool(gst_tomo_buffer_pool_new(device.get()));
    GstStructure *config = gst_buffer_pool_get_config(pool.get());
    gst_buffer_pool_config_set_params(config, nullptr, n_bytes, 1, 1);
    fail_unless(gst_buffer_pool_set_config(pool.get(), config));
    fail_unless(gst_buffer_pool_set_active(pool.get(), TRUE));
    return pool;
}

Storage &storage_in(GstBuffer *buffer) { return *tomo::storage_of(gst_buffer_peek_memory(buffer, 0)); }

tomo::BufferRef acquire(GstBufferPool *pool) {
    GstBuffer *buffer = nullptr;
    fail_unless_equals_int(gst_buffer_pool_acquire_buffer(pool, &buffer, nullptr), GST_FLOW_OK);
    return tomo::BufferRef(buffer);
}

// The only buffer of a pool, acquired again while a kernel that was asked to read it can't run yet.
struct ReadLate {
    Gate gate;
    Worker thread;
    Storage result{context().default_device(), n_bytes};
    const decltype(one_buffer_pool()) pool = one_buffer_pool();
    tomo::BufferRef next;

    ReadLate() {
        tomo::BufferRef buffer = acquire(pool.get());
        const cl_mem handle = storage_in(buffer.get()).buffer();
        launch(*context().default_device(), {"put", 1}, storage_in(buffer.get()), Storage::Contents::discard);
        thread.run([&] {
            launch(*context().default_device(), {"copy", 0, 0, gate.event()}, result,
                   Storage::Contents::discard, &storage_in(buffer.get()));
        });
        buffer = {};
        next = acquire(pool.get());
        fail_unless(storage_in(next.get()).buffer() == handle, "the pool gave other memory");
    }
    // After `next` was written with pattern 2.
    void compare_both() {
        gate.open();
        compare(result, pattern(1), "what the late reader saw");
        compare(storage_in(next.get()), pattern(2), "what was written then");
        gst_buffer_pool_set_active(pool.get(), FALSE);
    }
};

} // namespace

GST_START_TEST(test_random_use) { run_machine(); }
GST_END_TEST;

GST_START_TEST(test_random_use_discrete) {
    g_setenv("GST_TOMO_TEST_DISCRETE", "1", TRUE);
    fail_if(context().default_device()->shares_host_memory());
    run_machine();
}
GST_END_TEST;

GST_START_TEST(test_random_use_two_devices) {
    g_setenv("POCL_DEVICES", "pthread pthread", TRUE);
    fail_unless(context().size() == 2, "needs PoCL's environment variable POCL_DEVICES");
    run_machine();
}
GST_END_TEST;

GST_START_TEST(test_random_use_two_devices_discrete) {
    g_setenv("POCL_DEVICES", "pthread pthread", TRUE);
    g_setenv("GST_TOMO_TEST_DISCRETE", "1", TRUE);
    fail_unless(context().size() == 2, "needs PoCL's environment variable POCL_DEVICES");
    run_machine();
}
GST_END_TEST;

// `_i`: whether the device plays discrete.
static void play_discrete(int on) {
    if (on)
        g_setenv("GST_TOMO_TEST_DISCRETE", "1", TRUE);
}

GST_START_TEST(test_kernel_writes_what_is_still_read) {
    play_discrete(__i__);
    ReadLate read_late;
    const ClEvent written = launch(*context().default_device(), {"put", 2}, storage_in(read_late.next.get()),
                                   Storage::Contents::discard);
    clFlush(context().default_device()->queue());
    give_it_a_chance([&] { return tomo::is_complete({written, {}}); });
    read_late.compare_both();
}
GST_END_TEST;

GST_START_TEST(test_host_writes_what_is_still_read) {
    play_discrete(__i__);
    ReadLate read_late;
    std::atomic<bool> written{false};
    Worker writer;
    auto end = writer.start([&] {
        GstMapInfo map;
        if (!gst_buffer_map(read_late.next.get(), &map, GST_MAP_WRITE))
            throw std::runtime_error("can't map for writing");
        const auto samples = pattern(2);
        std::memcpy(map.data, samples.data(), n_bytes);
        gst_buffer_unmap(read_late.next.get(), &map);
        // Brings it to the device, where that is another place.
        Storage copy(context().default_device(), n_bytes);
        launch(*context().default_device(), {"copy"}, copy, Storage::Contents::discard,
               &storage_in(read_late.next.get()));
        written = true;
        compare(copy, pattern(2), "what the next reader saw");
    });
    give_it_a_chance([&] { return written.load(); });
    read_late.gate.open();
    end.get();
    read_late.compare_both();
}
GST_END_TEST;

// The same without a pool: blocks of the device are recycled as well.
GST_START_TEST(test_recycled_block) {
    play_discrete(__i__);
    auto &device = *context().default_device();
    Gate gate;
    Worker thread;
    Storage result(context().default_device(), n_bytes);
    std::optional<Storage> old(std::in_place, context().default_device(), 7 * n_bytes);
    const cl_mem handle = old->buffer();
    launch(device, {"put", 1}, *old, Storage::Contents::discard);
    thread.run(
        [&] { launch(device, {"copy", 0, 0, gate.event()}, result, Storage::Contents::discard, &*old); });
    old.reset();

    Storage next(context().default_device(), 7 * n_bytes);
    fail_unless(next.buffer() == handle, "the device gave other memory");
    const ClEvent written = launch(device, {"put", 2}, next, Storage::Contents::discard);
    clFlush(device.queue());
    give_it_a_chance([&] { return tomo::is_complete({written, {}}); });
    gate.open();
    compare(result, pattern(1), "what the late reader saw");
}
GST_END_TEST;

// A download that is under way is not overtaken by the next writer.
GST_START_TEST(test_write_during_download) {
    play_discrete(1);
    auto &device = *context().default_device();
    Gate gate;
    Storage storage(context().default_device(), n_bytes);
    launch(device, {"put", 1, 0, gate.event()}, storage, Storage::Contents::discard);
    storage.prefetch();
    Worker writer, reader;
    // Maps what was written before, although the next kernel is already asked for.
    Samples seen(n_samples);
    std::atomic<bool> maps{false};
    auto end = reader.start([&] {
        maps = true;
        const HostMap map(storage, false);
        std::copy_n(map.data, n_samples, seen.begin());
    });
    while (!maps)
        g_usleep(1000);
    gate.open();
    end.get();
    compare(seen.data(), pattern(1), "downloaded");
    writer.run([&] { launch(device, {"scramble", 5, 100000}, storage, Storage::Contents::keep); });
    Samples scrambled = pattern(1);
    scramble(scrambled, 5);
    compare(storage, scrambled, "written after the download");
}
GST_END_TEST;

// Others use the buffer behind the library's back, after gst_tomo_memory_finish().
GST_START_TEST(test_foreign_commands) {
    play_discrete(__i__);
    const auto &device = context().default_device();
    const tomo::ObjectRef<GstTomoDevice> object(tomo::new_device_object(device));
    const tomo::ObjectRef<GstAllocator> allocator(gst_tomo_allocator_new(object.get()));
    GstMemory *memory = gst_allocator_alloc(allocator.get(), n_bytes, nullptr);
    fail_unless(gst_tomo_memory_is(memory));
    {
        const HostMap map(*tomo::storage_of(memory), true);
        const auto samples = pattern(1);
        std::copy(samples.begin(), samples.end(), map.data);
    }
    GError *error = nullptr;
    fail_unless(gst_tomo_memory_finish(memory, &error));
    const auto handle = reinterpret_cast<cl_mem>(static_cast<guintptr>(gst_tomo_memory_get_handle(memory)));
    Samples seen(n_samples);
    const auto written = pattern(2);
    const cl_command_queue queue = device->queue();
    clEnqueueReadBuffer(queue, handle, CL_TRUE, 0, n_bytes, seen.data(), 0, nullptr, nullptr);
    clEnqueueWriteBuffer(queue, handle, CL_TRUE, 0, n_bytes, written.data(), 0, nullptr, nullptr);
    compare(seen.data(), pattern(1), "read from outside");
    compare(*tomo::storage_of(memory), written, "written from outside");
    gst_memory_unref(memory);
}
GST_END_TEST;

// What was given out read-only or in parts keeps its contents, whoever writes.
GST_START_TEST(test_writable) {
    play_discrete(__i__);
    const auto pool = one_buffer_pool();
    tomo::BufferRef buffer = acquire(pool.get());
    launch(*context().default_device(), {"put", 1}, storage_in(buffer.get()), Storage::Contents::discard);

    tomo::BufferRef part(gst_buffer_copy_region(buffer.get(), GST_BUFFER_COPY_MEMORY, 40, 400));
    tomo::BufferRef whole(gst_buffer_copy(buffer.get()));
    buffer = {};
    gst_buffer_pool_set_active(pool.get(), FALSE);

    GstMapInfo map;
    fail_unless(gst_buffer_map(whole.get(), &map, GST_MAP_READWRITE));
    compare(reinterpret_cast<guint32 *>(map.data), pattern(1), "copy on write");
    std::memset(map.data, 0xff, map.size);
    gst_buffer_unmap(whole.get(), &map);

    fail_unless(gst_buffer_map(part.get(), &map, GST_MAP_READ));
    fail_unless_equals_int(map.size, 400);
    auto wanted = pattern(1);
    wanted.resize(110);
    compare(reinterpret_cast<guint32 *>(map.data), wanted, "a part", 10);
    gst_buffer_unmap(part.get(), &map);
}
GST_END_TEST;

GST_START_TEST(test_allocator) {
    const tomo::ObjectRef<GstTomoDevice> device(tomo::new_device_object(context().default_device()));
    const tomo::ObjectRef<GstAllocator> allocator(gst_tomo_allocator_new(device.get()));
    GstAllocationParams params;
    gst_allocation_params_init(&params);
    params.prefix = 12;
    params.padding = 8;
    params.flags = GST_MEMORY_FLAG_ZERO_PREFIXED;
    GstMemory *memory = gst_allocator_alloc(allocator.get(), 100, &params);
    gsize offset = 0, maxsize = 0;
    fail_unless_equals_int(gst_memory_get_sizes(memory, &offset, &maxsize), 100);
    fail_unless_equals_int(offset, 12);
    fail_unless_equals_int(maxsize, 120);
    // Nothing is cleared, so nothing is promised.
    fail_if(GST_MEMORY_FLAG_IS_SET(memory, GST_MEMORY_FLAG_ZERO_PREFIXED));
    GstMapInfo map;
    fail_unless(gst_memory_map(memory, &map, GST_MAP_WRITE));
    for (gsize i = 0; i < map.size; i++)
        map.data[i] = i;
    gst_memory_unmap(memory, &map);
    GstMemory *copy = gst_memory_copy(memory, 10, 20), *nothing = gst_memory_copy(memory, 100, 0);
    fail_unless(gst_tomo_memory_is(copy));
    fail_unless(gst_memory_map(copy, &map, GST_MAP_READ));
    fail_unless_equals_int(map.size, 20);
    for (gsize i = 0; i < map.size; i++)
        fail_unless_equals_int(map.data[i], i + 10);
    gst_memory_unmap(copy, &map);
    fail_unless(nothing);
    fail_unless_equals_int(gst_memory_get_sizes(nothing, nullptr, nullptr), 0);
    gst_memory_unref(nothing);
    gst_memory_unref(copy);
    gst_memory_unref(memory);
    fail_unless_equals_int(context().default_device()->memory_in_use(), 0);
}
GST_END_TEST;

// A failed command fails the map, and the memory's next user does not inherit the failure.
GST_START_TEST(test_failed_command) {
    play_discrete(__i__);
    const auto &device = context().default_device();
    cl_mem handle = nullptr;
    {
        Storage storage(device, 3 * n_bytes);
        handle = storage.buffer();
        cl_int status = CL_SUCCESS;
        const ClEvent failed(clCreateUserEvent(context().handle(), &status));
        clSetUserEventStatus(failed.get(), CL_OUT_OF_RESOURCES);
        storage.write(device->upload_queue());
        storage.write_done(device->upload_queue(), failed);
        const auto message = error_of([&] { storage.map(false); });
        fail_unless(message.find("failed: CL_") != std::string::npos, "%s", message.c_str());
        fail_if(error_of([&] { storage.finish(); }).empty());
    }
    Storage next(device, 3 * n_bytes);
    fail_unless(next.buffer() == handle);
    launch(*device, {"put", 9}, next, Storage::Contents::discard);
    compare(next, pattern(9), "after a failure");
}
GST_END_TEST;

static Suite *memory_suite() {
    Suite *suite = suite_create("memory");
    TCase *cases = tcase_create("general");
    suite_add_tcase(suite, cases);
    tcase_set_timeout(cases, 240);
    randomness(); // one seed for all tests, each of which runs in a process of its own
    tcase_add_test(cases, test_random_use);
    tcase_add_test(cases, test_random_use_discrete);
    tcase_add_test(cases, test_random_use_two_devices);
    tcase_add_test(cases, test_random_use_two_devices_discrete);
    tcase_add_loop_test(cases, test_kernel_writes_what_is_still_read, 0, 2);
    tcase_add_loop_test(cases, test_host_writes_what_is_still_read, 0, 2);
    tcase_add_loop_test(cases, test_recycled_block, 0, 2);
    tcase_add_test(cases, test_write_during_download);
    tcase_add_loop_test(cases, test_foreign_commands, 0, 2);
    tcase_add_loop_test(cases, test_writable, 0, 2);
    tcase_add_test(cases, test_allocator);
    tcase_add_loop_test(cases, test_failed_command, 0, 2);
    return suite;
}

GST_CHECK_MAIN(memory);
