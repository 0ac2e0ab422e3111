// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The lines between a program that runs something and one that drives it, as docs/progress.md has them:
// events one way, commands the other way, each an object in JSON.
#pragma once

#include <gst/tomo/support/json.hpp>

#include <string>

namespace tomo {

// Version of the events, which the first event gives.
constexpr int protocol_version = 1;

// An event of this kind, with its time.
GST_TOMO_API Json event_of(const char *kind);
// The first event of a run.
GST_TOMO_API Json hello_event();
// `level` is info, warning or error; `element` may be empty.
GST_TOMO_API Json message_event(const char *level, const std::string &text, const std::string &element = {});
// That a run is held, or goes on.
GST_TOMO_API Json state_event(bool is_paused);
// The last event of a run; `outputs` is the list of the files that it wrote.
GST_TOMO_API Json done_event(const char *status, Json outputs);

struct GST_TOMO_API DriverCommand {
    enum class Kind { pause, resume, finish, abort, preview, run };

    Kind kind;
    std::string path;           // of a preview; empty: beside the result
    std::string node, input;    // of a dataflow, where the preview is taken; may be empty
    Json description;           // of a run: an object
    std::string events, errors; // files that a run writes in place of standard output and error; may be empty
    std::string folder;         // in which names of files are meant; may be empty

    // Throws Error if it is none.
    explicit DriverCommand(const std::string &written);

    // Has a run that is under way obey: it has pause(bool), finish(), abort() and ask_preview(path); a
    // dataflow ask_preview(path, node, input). Throws Error for a command to run something else.
    template <class Run>
    void steer(Run &run) const {
        switch (kind) {
        case Kind::pause:
        case Kind::resume:
            return run.pause(kind == Kind::pause);
        case Kind::finish:
            return run.finish();
        case Kind::abort:
            return run.abort();
        case Kind::preview:
            if constexpr (requires { run.ask_preview(path, node, input); })
                return run.ask_preview(path, node, input);
            else if (node.empty())
                return run.ask_preview(path);
            refuse_nodes();
        case Kind::run:
            refuse_another_run();
        }
    }

  private:
    [[noreturn]] static void refuse_another_run();
    [[noreturn]] static void refuse_nodes();
    void take(const Json::Member &member);
};

} // namespace tomo
