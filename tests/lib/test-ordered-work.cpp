// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Work in several threads whose results come in order.
#include "support.hpp"

#include <gst/files/ordered-work.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <limits>
#include <stdexcept>

#include <cerrno>
#include <dlfcn.h>
#include <pthread.h>

#include <gst/check/gstcheck.h> // last: it defines macros named like members of the standard library

using namespace tomotest;
using tomo::io::OrderedWork;

namespace {

struct Job : OrderedWork::Job {
    Job(std::function<void()> first, std::function<void()> second)
        : first_half(std::move(first)), second_half(std::move(second)) {}
    void work() override { first_half(); }
    void run_in_order() override { second_half(); }
    std::function<void()> first_half, second_half;
};

void add(OrderedWork &work, std::function<void()> first, std::function<void()> second,
         std::uint64_t bytes = 1) {
    work.add(std::make_unique<Job>(std::move(first), std::move(second)), bytes);
}

void nothing() {}

std::atomic<int> threads_left{std::numeric_limits<int>::max()};

} // namespace

// In the place of the system's: has no thread left where a test says so.
extern "C" int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *),
                              void *argument) {
    static const auto next = reinterpret_cast<decltype(&pthread_create)>(dlsym(RTLD_NEXT, "pthread_create"));
    return threads_left-- > 0 ? next(thread, attributes, start, argument) : EAGAIN;
}

GST_START_TEST(test_order) {
    constexpr unsigned jobs = 300;
    std::vector<unsigned> worked, turns;
    std::mutex mutex;
    OrderedWork work(5, 1000);
    for (int again = 0; again < 2; again++) {
        for (unsigned i = 0; i < jobs; i++)
            add(
                work,
                [&, i, pause = random_between(0, 500)] {
                    g_usleep(pause);
                    const std::lock_guard<std::mutex> lock(mutex);
                    worked.push_back(i);
                },
                [&turns, i] { turns.push_back(i); });
        work.settle();
        fail_unless_equals_uint64(turns.size(), jobs);
        fail_unless(std::is_sorted(turns.begin(), turns.end()));
        fail_unless(!std::is_sorted(worked.begin(), worked.end()));
        turns.clear();
        worked.clear();
    }
}
GST_END_TEST;

GST_START_TEST(test_at_the_same_time) {
    std::promise<void> first, second;
    OrderedWork work(2, 1000);
    const auto meet = [](std::promise<void> &mine, std::promise<void> &other) {
        mine.set_value();
        if (other.get_future().wait_for(std::chrono::seconds(30)) != std::future_status::ready)
            throw std::runtime_error("alone");
    };
    add(work, [&] { meet(first, second); }, nothing);
    add(work, [&] { meet(second, first); }, nothing);
    work.settle();
}
GST_END_TEST;

// No more than the bytes allow, and what does not fit at all alone.
GST_START_TEST(test_room) {
    std::atomic<std::uint64_t> under_way{0}, most{0};
    OrderedWork work(8, 100);
    for (int i = 0; i < 100; i++) {
        const auto bytes = static_cast<std::uint64_t>(random_between(1, 130));
        add(
            work,
            [&, bytes] {
                const auto now = under_way += bytes;
                if (now > 100)
                    fail_unless_equals_uint64(now, bytes);
                most = std::max<std::uint64_t>(most, now);
                g_usleep(300);
            },
            [&, bytes] { under_way -= bytes; }, bytes);
    }
    work.settle();
    fail_unless(most > 50);
}
GST_END_TEST;

// The error of the first job to fail in order, whichever failed first; nothing comes behind it.
GST_START_TEST(test_errors) {
    for (const bool in_turn : {false, true}) {
        std::vector<unsigned> turns;
        std::string error, reported;
        {
            OrderedWork work(4, 1000, [&](std::exception_ptr what) {
                try {
                    std::rethrow_exception(what);
                } catch (const std::runtime_error &e) {
                    reported += e.what();
                }
            });
            const auto stumble = [](unsigned i) { throw std::runtime_error(std::to_string(i)); };
            try {
                for (unsigned i = 0; i < 50; i++)
                    add(
                        work,
                        [=] {
                            g_usleep(i == 7 ? 20000 : 0);
                            if (i == 8 || (i == 7 && !in_turn))
                                stumble(i);
                        },
                        [&turns, stumble, in_turn, i] {
                            turns.push_back(i);
                            if (in_turn && i == 7)
                                stumble(i);
                        });
                work.settle();
            } catch (const std::runtime_error &e) {
                error = e.what();
            }
            fail_unless_equals_string(error.c_str(), "7");
            bool again = false;
            try {
                work.settle();
            } catch (const std::runtime_error &e) {
                again = error == e.what();
            }
            fail_unless(again);
        }
        fail_unless_equals_uint64(turns.size(), in_turn ? 8 : 7);
        fail_unless_equals_string(reported.c_str(), "7");
    }
}
GST_END_TEST;

// Who goes without waiting leaves nothing undone.
GST_START_TEST(test_end) {
    std::atomic<int> done{0};
    {
        OrderedWork work(3, 1000);
        for (int i = 0; i < 20; i++)
            add(work, [] { g_usleep(500); }, [&] { done++; });
    }
    fail_unless_equals_int(done, 20);
}
GST_END_TEST;

// No thread is left for some or all: an error, and those that were started end.
GST_START_TEST(test_few_threads) {
    for (const int threads : {0, 1, 4}) {
        threads_left = threads;
        const auto error = error_of([] { OrderedWork work(5, 1000); });
        threads_left = std::numeric_limits<int>::max();
        fail_unless(error.find("no thread can be started") != std::string::npos, "%s", error.c_str());
        fail_unless(error.find("ulimit -u") != std::string::npos, "%s", error.c_str());
    }
    threads_left = 5;
    fail_unless_equals_string(error_of([] { OrderedWork work(5, 1000); }).c_str(), "");
    threads_left = std::numeric_limits<int>::max();
}
GST_END_TEST;

static Suite *ordered_work_suite() {
    auto *suite = suite_create("ordered work");
    auto *cases = tcase_create("ordered work");
    suite_add_tcase(suite, cases);
    tcase_add_test(cases, test_order);
    tcase_add_test(cases, test_at_the_same_time);
    tcase_add_test(cases, test_room);
    tcase_add_test(cases, test_errors);
    tcase_add_test(cases, test_end);
    tcase_add_test(cases, test_few_threads);
    return suite;
}

GST_CHECK_MAIN(ordered_work);
