// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/reconstruction/cluster/program.hpp>
#include <gst/tomo/support/c-string.hpp>
#include <gst/tomo/support/threads.hpp>

#include <csignal>
#include <unistd.h>

namespace tomo::reconstruction {

namespace {

constexpr char program[] = "tomo-cluster";
constexpr auto time_to_end = std::chrono::seconds(20);

} // namespace

ClusterProgram::ClusterProgram(const std::string &cluster) {
    std::unique_ptr<GSubprocessLauncher, Unref> launcher(g_subprocess_launcher_new(
        static_cast<GSubprocessFlags>(G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE)));
    // Ctrl-C is for this process, which lets slabs be completed then.
    g_subprocess_launcher_set_child_setup(launcher.get(), +[](gpointer) { setsid(); }, nullptr, nullptr);
    GError *raw = nullptr;
    process_.reset(
        g_subprocess_launcher_spawn(launcher.get(), &raw, program, "--slabs", cluster.c_str(), nullptr));
    if (raw) {
        const std::string why = raw->message;
        g_error_free(raw);
        throw Error(GST_RESOURCE_ERROR_NOT_FOUND, std::string(program) + " can't be started: " + why);
    }
    reader_ = start_thread([this] { read(); });
}

ClusterProgram::~ClusterProgram() {
    // The end of its input has it end by itself.
    g_output_stream_close(g_subprocess_get_stdin_pipe(process_.get()), nullptr, nullptr);
    {
        std::unique_lock<std::mutex> lock(lock_);
        if (!told_.wait_for(lock, time_to_end, [this] { return has_ended_; }))
            g_subprocess_force_exit(process_.get());
    }
    reader_.join();
    g_subprocess_wait(process_.get(), nullptr, nullptr);
}

void ClusterProgram::read() {
    std::unique_ptr<GDataInputStream, Unref> lines(
        g_data_input_stream_new(g_subprocess_get_stdout_pipe(process_.get())));
    while (true) {
        const CString line(g_data_input_stream_read_line(lines.get(), nullptr, nullptr, nullptr));
        std::lock_guard<std::mutex> lock(lock_);
        if (line)
            lines_.emplace_back(line.get());
        else
            has_ended_ = true;
        told_.notify_all();
        if (!line)
            return;
    }
}

void ClusterProgram::tell(const Json &command) {
    const auto line = command.written(false) + "\n";
    // Where nobody reads any more, next() says why; the signal of it would end this process.
    sigset_t pipe, before;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, &before);
    if (!g_output_stream_write_all(g_subprocess_get_stdin_pipe(process_.get()), line.data(), line.size(),
                                   nullptr, nullptr, nullptr)) {
        const timespec at_once{};
        sigtimedwait(&pipe, nullptr, &at_once);
    }
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

std::optional<Json> ClusterProgram::next(std::chrono::milliseconds patience) {
    std::unique_lock<std::mutex> lock(lock_);
    told_.wait_for(lock, patience, [this] { return has_ended_ || !lines_.empty(); });
    if (lines_.empty() && !has_ended_)
        return {};
    if (lines_.empty())
        throw Error(GST_RESOURCE_ERROR_FAILED,
                    std::string(program) + " has ended before the result was there; its messages say why");
    auto said = Json::parse(lines_.front(), program);
    lines_.pop_front();
    if (said.text_of("event") == "failed")
        throw Error(GST_RESOURCE_ERROR_FAILED, said.text_of("text"));
    return said;
}

} // namespace tomo::reconstruction
