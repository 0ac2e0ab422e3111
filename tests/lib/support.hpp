// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What the tests of the library share.
#pragma once

#include <gst/tomo/device/array.hpp>
#include <gst/tomo/device/gobject.hpp>
#include <gst/tomo/gsttomo.h>

#include <condition_variable>
#include <functional>
#include <future>
#include <random>
#include <thread>
#include <vector>

namespace tomotest {

// Random numbers, other ones in each run. The seed is printed; GST_TOMO_TEST_SEED repeats a run.
std::mt19937 &randomness();

inline std::size_t random_between(std::size_t low, std::size_t high, std::mt19937 &generator = randomness()) {
    return std::uniform_int_distribution<std::size_t>(low, high)(generator);
}

inline double uniform(double low, double high) {
    return std::uniform_real_distribution<double>(low, high)(randomness());
}

// A thread that does one thing after the other, so that its OpenCL queue is another than the caller's.
class Worker {
  public:
    Worker();
    ~Worker();
    // Returns when it is done; what it throws comes out here.
    void run(const std::function<void()> &job);
    std::future<void> start(const std::function<void()> &job);

  private:
    std::mutex lock_;
    std::condition_variable wake_;
    std::packaged_task<void()> job_;
    bool ends_ = false;
    std::thread thread_; // last: it uses the others
};

// Message of the Error that `f` throws; empty when it throws none.
std::string error_of(const std::function<void()> &f);

struct Outcome {
    std::string error;   // text of the first error message, "element: text"; empty at the end of the stream
    std::string debug;   // its details
    unsigned errors = 0; // how many there were until the pipeline was down
};

// Runs a pipeline to its end, at most a minute.
Outcome play(GstElement *pipeline);
Outcome play(const char *description);

struct Process {
    int status = -1; // of exit(); the negative number of the signal that ended it
    std::string output;
    std::string errors;
};

// Runs a program with additional variables in its environment.
Process run_process(const std::vector<std::string> &command, const std::vector<std::string> &environment);

// A folder that goes with this object.
class Folder {
  public:
    Folder();
    ~Folder();
    const std::string &path() const { return path_; }
    std::vector<std::string> files() const; // full names
    void write(const std::string &name, const std::string &contents) const;

  private:
    std::string path_;
};

std::string contents_of(const std::string &file);

} // namespace tomotest
