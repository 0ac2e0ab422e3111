// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Programs that are driven by another one: events on standard output, commands on standard input.
#pragma once

#include "command-input.hpp"
#include "driven-run.hpp"
#include "event-output.hpp"

#include <gst/tomo/graph/protocol.hpp>

#include <functional>
#include <memory>

namespace tool {

// Runs it to its end or to that of signals; `take_commands` is called in between. Returns the status of the
// program.
int drive(DrivenRun &run, const std::function<void()> &take_commands);

// Makes and starts the run of a description. Throws what is wrong with it, before `hello`.
using RunMaker = std::function<std::unique_ptr<DrivenRun>(const tomo::Json &description, EventOutput &)>;

// Runs one description after the other, as commands `run` bring them, until standard input has ended or a
// signal comes. Device, programs and plans stay from run to run. Returns the status of the program.
int serve(const RunMaker &make);

} // namespace tool
