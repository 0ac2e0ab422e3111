// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "support.hpp"

#include <glib/gstdio.h>

#include <fstream>
#include <sstream>

namespace tomotest {

std::mt19937 &randomness() {
    static std::mt19937 generator = [] {
        const char *given = g_getenv("GST_TOMO_TEST_SEED");
        const unsigned seed =
            given ? static_cast<unsigned>(g_ascii_strtoull(given, nullptr, 10)) : std::random_device()();
        g_print("GST_TOMO_TEST_SEED=%u\n", seed);
        return std::mt19937(seed);
    }();
    return generator;
}

Worker::Worker()
    : thread_([this] {
          std::unique_lock<std::mutex> lock(lock_);
          while (true) {
              wake_.wait(lock, [this] { return ends_ || job_.valid(); });
              if (!job_.valid())
                  return;
              auto job = std::exchange(job_, {});
              lock.unlock();
              job();
              lock.lock();
          }
      }) {}

Worker::~Worker() {
    {
        std::lock_guard<std::mutex> lock(lock_);
        ends_ = true;
    }
    wake_.notify_all();
    thread_.join();
}

std::future<void> Worker::start(const std::function<void()> &job) {
    std::packaged_task<void()> task(job);
    auto done = task.get_future();
    {
        std::lock_guard<std::mutex> lock(lock_);
        job_ = std::move(task);
    }
    wake_.notify_all();
    return done;
}

void Worker::run(const std::function<void()> &job) { start(job).get(); }

std::string error_of(const std::function<void()> &f) {
    try {
        f();
    } catch (const tomo::Error &e) {
        return e.what();
    }
    return {};
}

Outcome play(GstElement *pipeline) {
    Outcome outcome;
    const tomo::ObjectRef<GstBus> bus(gst_element_get_bus(pipeline));
    auto take = [&](GstMessage *message) {
        if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR) {
            GError *error = nullptr;
            gchar *debug = nullptr;
            gst_message_parse_error(message, &error, &debug);
            if (outcome.errors++ == 0) {
                outcome.error = std::string(GST_MESSAGE_SRC_NAME(message)) + ": " + error->message;
                outcome.debug = debug ? debug : "";
            }
            g_error_free(error);
            g_free(debug);
        }
        gst_message_unref(message);
    };
    gst_element_set_state(pipeline, GST_STATE_PLAYING);
    GstMessage *end = gst_bus_timed_pop_filtered(
        bus.get(), 60 * GST_SECOND, static_cast<GstMessageType>(GST_MESSAGE_ERROR | GST_MESSAGE_EOS));
    if (end)
        take(end);
    else
        outcome.error = "no end after a minute";
    // What else comes while the pipeline goes down.
    gst_element_set_state(pipeline, GST_STATE_READY);
    while (GstMessage *message = gst_bus_pop_filtered(bus.get(), GST_MESSAGE_ERROR))
        take(message);
    gst_element_set_state(pipeline, GST_STATE_NULL);
    return outcome;
}

Outcome play(const char *description) {
    GError *error = nullptr;
    const tomo::ObjectRef<GstElement> pipeline(
        GST_ELEMENT(gst_object_ref_sink(gst_parse_launch(description, &error))));
    if (error) {
        Outcome outcome{error->message, {}, 1};
        g_error_free(error);
        return outcome;
    }
    return play(pipeline.get());
}

Process run_process(const std::vector<std::string> &command, const std::vector<std::string> &environment) {
    std::vector<char *> argv;
    for (const auto &arg : command)
        argv.push_back(const_cast<char *>(arg.c_str()));
    argv.push_back(nullptr);
    gchar **envp = g_get_environ();
    for (const auto &variable : environment) {
        const auto at = variable.find('=');
        envp = g_environ_setenv(envp, variable.substr(0, at).c_str(), variable.substr(at + 1).c_str(), TRUE);
    }
    Process process;
    gchar *out = nullptr, *err = nullptr;
    gint status = 0;
    GError *error = nullptr;
    if (g_spawn_sync(nullptr, argv.data(), envp, G_SPAWN_SEARCH_PATH, nullptr, nullptr, &out, &err, &status,
                     &error)) {
        process.status = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
        process.output = out;
        process.errors = err;
    } else {
        process.errors = error->message;
        g_error_free(error);
    }
    g_free(out);
    g_free(err);
    g_strfreev(envp);
    return process;
}

Folder::Folder() {
    const tomo::CString path(g_dir_make_tmp("gst-tomo-test-XXXXXX", nullptr));
    path_ = path ? path.get() : "/nonexistent";
}

Folder::~Folder() {
    for (const auto &file : files())
        g_remove(file.c_str());
    g_rmdir(path_.c_str());
}

std::vector<std::string> Folder::files() const {
    std::vector<std::string> found;
    const std::unique_ptr<GDir, decltype(&g_dir_close)> dir(g_dir_open(path_.c_str(), 0, nullptr),
                                                            g_dir_close);
    while (const char *name = dir ? g_dir_read_name(dir.get()) : nullptr)
        found.push_back(path_ + G_DIR_SEPARATOR_S + name);
    return found;
}

void Folder::write(const std::string &name, const std::string &contents) const {
    std::ofstream(path_ + G_DIR_SEPARATOR_S + name, std::ios::binary) << contents;
}

std::string contents_of(const std::string &file) {
    std::ifstream stream(file, std::ios::binary);
    std::stringstream contents;
    contents << stream.rdbuf();
    return contents.str();
}

} // namespace tomotest
