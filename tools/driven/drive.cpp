// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "drive.hpp"

#include "../graph-program.hpp"
#include "../interrupts.hpp"

#include <glib/gstdio.h>

#include <cerrno>
#include <deque>

namespace tool {

using tomo::DriverCommand;
using tomo::Json;

int drive(DrivenRun &run, const std::function<void()> &take_commands) {
    run_to_end({[&] {
                    take_commands();
                    return run.poll();
                },
                [&] { run.finish(); }, [&] { run.abort(); }});
    return run.end();
}

namespace {

// That of the process, which a run may leave.
class WorkingFolder {
  public:
    WorkingFolder() : path_(g_get_current_dir()) {}
    ~WorkingFolder() { static_cast<void>(g_chdir(path_.get()) == 0); }
    WorkingFolder(const WorkingFolder &) = delete;
    WorkingFolder &operator=(const WorkingFolder &) = delete;

    void leave_for(const std::string &folder) const {
        if (!folder.empty() && g_chdir(folder.c_str()) != 0)
            throw std::runtime_error("the folder '" + folder + "' can't be used: " + g_strerror(errno));
    }

  private:
    const Owned<gchar> path_;
};

class Server {
  public:
    explicit Server(const RunMaker &make) : make_(make) {}

    int serve() {
        catch_interrupts();
        keep_device();
        output_.tell(tomo::hello_event());
        while (!is_interrupted()) {
            take_lines(nullptr);
            if (waiting_.empty() && input_.has_ended())
                return ok;
            if (waiting_.empty())
                CommandInput::wait(signal_interval);
            else
                run_next();
        }
        return status_after(true);
    }

  private:
    struct Waiting {
        DriverCommand command;          // run
        std::vector<std::string> lines; // other commands, about it
    };
    static constexpr int signal_interval = 500; // ms: a signal may come just before the wait

    // Programs and plans live as long as somebody uses the device.
    void keep_device() {
        context_.reset(gst_tomo_context_new(nullptr, nullptr)); // elements say which device is missing
    }

    void take_lines(DrivenRun *run) {
        for (const auto &line : input_.take())
            take_line(line, run);
    }

    void take_line(const std::string &line, DrivenRun *run) {
        try {
            DriverCommand command(line);
            if (command.kind == DriverCommand::Kind::run) {
                waiting_.push_back({std::move(command), {}});
                return;
            }
            if (!run && !waiting_.empty()) { // it came together with that run
                waiting_.back().lines.push_back(line);
                return;
            }
            if (!run) { // a run's end and a command about it may cross; an error here means that a run was
                        // refused
                output_.tell(tomo::message_event("warning", "nothing runs that the command could be about: " +
                                                                line.substr(0, 100)));
                return;
            }
        } catch (const std::exception &e) {
            if (!run) {
                output_.tell(tomo::message_event("error", e.what()));
                return;
            }
        }
        run->obey(line); // also those that are none, which it tells among its own events
    }

    void run_next() {
        const auto [command, lines] = std::move(waiting_.front());
        waiting_.pop_front();
        try {
            output_.divert(command.events, command.errors);
        } catch (const std::exception &e) {
            output_.tell(tomo::message_event("error", std::string("nothing was run: ") + e.what()));
            return;
        }
        const WorkingFolder here;
        std::unique_ptr<DrivenRun> run;
        try {
            here.leave_for(command.folder);
            run = make_(command.description, output_);
        } catch (const std::exception &e) {
            output_.tell(tomo::hello_event());
            output_.tell(tomo::message_event("error", e.what()));
            output_.tell(tomo::done_event("failed", Json::list()));
        }
        if (run)
            for (const auto &line : lines)
                run->obey(line);
        if (run)
            drive(*run, [&] { take_lines(run.get()); });
        run.reset();
        output_.end_divert();
    }

    const RunMaker &make_;
    EventOutput output_;
    CommandInput input_;
    std::deque<Waiting> waiting_;
    Owned<GstTomoContext> context_;
};

} // namespace

int serve(const RunMaker &make) { return Server(make).serve(); }

} // namespace tool
