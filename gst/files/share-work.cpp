// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "share-work.hpp"

#include <algorithm>
#include <atomic>
#include <future>
#include <system_error>
#include <thread>
#include <vector>

namespace tomo::io {

unsigned threads_for_writing() { return std::clamp(std::thread::hardware_concurrency(), 1u, 16u); }

void share_work(std::size_t count, unsigned threads, const std::function<void(std::size_t)> &work) {
    std::atomic<std::size_t> next{0};
    const auto share = [&] {
        try {
            for (auto i = next++; i < count; i = next++)
                work(i);
        } catch (...) {
            next = count;
            throw;
        }
    };
    std::vector<std::future<void>> others; // wait for their threads when they are destroyed
    try {
        for (std::size_t i = 1; i < std::min<std::size_t>(count, threads); i++)
            others.push_back(std::async(std::launch::async, share));
    } catch (const std::system_error &) {
        // No thread to be had: those that there are do the rest.
    }
    share();
    for (auto &other : others)
        other.get();
}

} // namespace tomo::io
