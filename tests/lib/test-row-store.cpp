// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Rows of all images of a scan in memory, for several threads.
#include "support.hpp"

#include <gst/files/scan/row-store.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <future>
#include <thread>

#include <gst/check/gstcheck.h> // last: it defines macros named like members of the standard library

using namespace tomotest;
using tomo::io::RowStore;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t row_bytes = 13;
constexpr unsigned stack = 3, parts = 4;

char sample(std::size_t image, unsigned row) { return static_cast<char>(image * 31 + row * 7); }

bool never() { return false; }

// A scan in groups of 1 to 4 images.
struct Source {
    Source(std::size_t images, unsigned rows) : scan{images, row_bytes, rows, {}}, reads(images) {
        for (std::size_t i = 0; i < images; i += random_between(1, 4))
            scan.groups.push_back(i);
        scan.groups.push_back(images);
    }

    std::uint64_t bytes() const { return scan.images * row_bytes * std::uint64_t{scan.rows}; }

    void read(std::size_t first, std::size_t end, unsigned row, unsigned rows, const RowStore::Place &to) {
        if (const auto time = pause.load(); time > 0us)
            std::this_thread::sleep_for(time);
        for (auto image = first; image < end; image++) {
            reads[image] += rows;
            for (unsigned y = 0; y < rows; y++)
                std::fill_n(to(image) + y * row_bytes, row_bytes, sample(image, row + y));
        }
    }

    std::shared_ptr<const RowStore::Block> get(RowStore &store, unsigned row, unsigned part,
                                               const tomo::io::IsCancelled &is_cancelled = never) {
        return store.get(row, part, parts, [this](auto &&...what) { read(what...); }, is_cancelled);
    }

    bool is_right(const RowStore::Block &block, unsigned row) const {
        for (std::size_t image = 0; image < scan.images; image++)
            for (unsigned y = row; y < std::min(row + stack, scan.rows); y++)
                for (std::size_t x = 0; x < row_bytes; x++)
                    if (block.row(image, y)[x] != sample(image, y))
                        return false;
        return true;
    }

    bool was_read_once() const {
        return std::all_of(reads.begin(), reads.end(), [&](const auto &rows) { return rows == scan.rows; });
    }

    RowStore::Scan scan;
    std::vector<std::atomic<unsigned>> reads; // rows of each image
    std::atomic<std::chrono::microseconds> pause{0us};
};

} // namespace

// A stream from the first row to the last one: within the memory, and nothing is read for each stack.
GST_START_TEST(test_stream) {
    for (const unsigned room : {100u, 61u, 40u, 25u}) { // percent
        Source source(37, 101);
        const auto most = source.bytes() * room / 100;
        const auto store = RowStore::make(source.scan, stack, most);
        fail_unless(store != nullptr);
        std::atomic<unsigned> next{0};
        std::atomic<std::uint64_t> held{0};
        std::atomic<bool> is_right{true};
        const auto work = [&] {
            for (unsigned job; (job = next++) < (101 + stack - 1) / stack * parts;) {
                const auto row = job / parts * stack;
                const auto block = source.get(*store, row, job % parts);
                if (!source.is_right(*block, row))
                    is_right = false;
                held = std::max<std::uint64_t>(held, store->bytes());
                if (random_between(0, 9) == 0) // is behind the others
                    std::this_thread::sleep_for(2ms);
            }
        };
        std::vector<std::future<void>> threads;
        for (int i = 0; i < 5; i++)
            threads.push_back(std::async(std::launch::async, work));
        for (auto &thread : threads)
            thread.get();
        fail_unless(is_right);
        fail_unless(held <= most, "%u %%: %lu of %lu bytes", room, held.load(), most);
        // A thread that the system stops between two lines may come when its block is gone.
        std::uint64_t rows = 0;
        for (const auto &of_image : source.reads)
            rows += of_image;
        fail_unless(rows >= 37 * 101 && rows < 2 * 37 * 101, "%lu rows are read", rows);
    }
}
GST_END_TEST;

// A block is freed with the last part of its last stack, not by what comes later.
GST_START_TEST(test_freed) {
    Source source(5, 6 * stack);
    const auto block_bytes = source.bytes() / 3; // of two stacks
    const auto store = RowStore::make(source.scan, stack, 2 * block_bytes);
    for (unsigned row = 0; row < 6 * stack; row += stack)
        for (unsigned part = 0; part < parts; part++) {
            {
                const auto block = source.get(*store, row, part);
                fail_unless(source.is_right(*block, row));
                fail_unless_equals_uint64(store->bytes(), block_bytes);
            }
            const bool is_last = row % (2 * stack) == stack && part + 1 == parts;
            fail_unless_equals_uint64(store->bytes(), is_last ? 0 : block_bytes);
        }
    fail_unless(source.was_read_once());
}
GST_END_TEST;

// Room for blocks of less than two stacks is of no use.
GST_START_TEST(test_room) {
    Source source(5, 10 * stack);
    const auto of_stack = source.bytes() / 10;
    fail_if(RowStore::make(source.scan, stack, 4 * of_stack - 1) != nullptr);
    fail_unless(RowStore::make(source.scan, stack, 4 * of_stack) != nullptr);
    Source small(5, stack);
    fail_if(RowStore::make(small.scan, stack, 1 << 30) != nullptr);
}
GST_END_TEST;

// Wherever the stream goes, the rows are right, and no thread waits for ever.
GST_START_TEST(test_seeks) {
    Source source(11, 60);
    const auto store = RowStore::make(source.scan, stack, source.bytes() / 3);
    std::atomic<bool> is_right{true};
    std::vector<std::future<void>> threads;
    for (int i = 0; i < 5; i++)
        threads.push_back(std::async(std::launch::async, [&] {
            for (int n = 0; n < 200; n++) {
                const auto row = static_cast<unsigned>(random_between(0, 60 / stack - 1)) * stack;
                std::atomic<int> asked{0};
                const auto patience = random_between(0, 20);
                try {
                    const auto block =
                        source.get(*store, row, static_cast<unsigned>(random_between(0, parts - 1)),
                                   [&] { return asked++ > static_cast<int>(patience); });
                    if (!source.is_right(*block, row))
                        is_right = false;
                } catch (const tomo::Flushing &) {
                }
            }
        }));
    for (auto &thread : threads)
        thread.get();
    fail_unless(is_right);
    fail_unless(store->bytes() <= source.bytes() / 3);
}
GST_END_TEST;

// A thread that is cancelled ends at once; what it has read is not read again.
GST_START_TEST(test_cancelled) {
    Source source(400, stack + 1);
    const auto store = RowStore::make(source.scan, stack, source.bytes());
    source.pause = 20ms;
    std::atomic<bool> cancelled{false};
    auto first = std::async(std::launch::async, [&] {
        try {
            source.get(*store, 0, 0, [&] { return cancelled.load(); });
            return false;
        } catch (const tomo::Flushing &) {
            return true;
        }
    });
    std::this_thread::sleep_for(100ms);
    cancelled = true;
    fail_unless(first.wait_for(1s) == std::future_status::ready, "it goes on");
    fail_unless(first.get());
    source.pause = 0us;
    const auto block = source.get(*store, 0, 0);
    fail_unless(source.is_right(*block, 0));
    fail_unless(source.was_read_once());
}
GST_END_TEST;

// An error reaches all threads that want the block; the next one tries again.
GST_START_TEST(test_errors) {
    Source source(20, 2 * stack);
    const auto store = RowStore::make(source.scan, stack, source.bytes());
    std::vector<std::future<std::string>> threads;
    for (unsigned i = 0; i < 3; i++)
        threads.push_back(std::async(std::launch::async, [&, i] {
            return error_of([&] {
                store->get(
                    0, i, parts,
                    [](std::size_t, std::size_t, unsigned, unsigned, const RowStore::Place &) {
                        std::this_thread::sleep_for(1ms);
                        throw tomo::Error(GST_RESOURCE_ERROR_READ, "a bad disk");
                    },
                    never);
            });
        }));
    for (auto &thread : threads)
        fail_unless_equals_string(thread.get().c_str(), "a bad disk");
    fail_unless_equals_uint64(store->bytes(), 0);
    fail_unless(source.is_right(*source.get(*store, stack, 0), stack));
}
GST_END_TEST;

static Suite *row_store_suite() {
    auto *suite = suite_create("row store");
    auto *cases = tcase_create("row store");
    suite_add_tcase(suite, cases);
    tcase_add_test(cases, test_stream);
    tcase_add_test(cases, test_freed);
    tcase_add_test(cases, test_room);
    tcase_add_test(cases, test_seeks);
    tcase_add_test(cases, test_cancelled);
    tcase_add_test(cases, test_errors);
    return suite;
}

GST_CHECK_MAIN(row_store);
