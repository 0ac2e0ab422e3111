// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "drive.hpp"

#include "../graph-program.hpp"
#include "../interrupts.hpp"

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
                waiting_.push_back(std::move(command));
                return;
            }
            if (!run)
                throw std::runtime_error("no command: nothing runs that it could be about; wanted run");
        } catch (const std::exception &e) {
            if (!run) {
                output_.tell(tomo::message_event("error", e.what()));
                return;
            }
        }
        run->obey(line); // also those that are none, which it tells among its own events
    }

    void run_next() {
        const DriverCommand command = std::move(waiting_.front());
        waiting_.pop_front();
        try {
            output_.divert(command.events, command.errors);
        } catch (const std::exception &e) {
            output_.tell(tomo::message_event("error", std::string("nothing was run: ") + e.what()));
            return;
        }
        std::unique_ptr<DrivenRun> run;
        try {
            run = make_(command.description, output_);
        } catch (const std::exception &e) {
            output_.tell(tomo::hello_event());
            output_.tell(tomo::message_event("error", e.what()));
            output_.tell(tomo::done_event("failed", Json::list()));
        }
        if (run)
            drive(*run, [&] { take_lines(run.get()); });
        run.reset();
        output_.end_divert();
    }

    const RunMaker &make_;
    EventOutput output_;
    CommandInput input_;
    std::deque<DriverCommand> waiting_; // that are to run
    Owned<GstTomoContext> context_;
};

} // namespace

int serve(const RunMaker &make) { return Server(make).serve(); }

} // namespace tool
