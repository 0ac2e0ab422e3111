// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The command line of tomo-reconstruct: options of its own, and one for each parameter of a reconstruction.
#pragma once

#include <gst/tomo/gsttomo.h>
#include <gst/tomo/support/json.hpp>

#include <string>
#include <utility>
#include <vector>

namespace reconstruct {

using tomo::Json;

// What is wrong with how the program was called.
class Usage : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

struct Command {
    const char *name;
    const char *summary; // empty for those that come later
};
extern const std::vector<Command> commands;

enum class ProgressAs { automatic, bar, lines, json, none };

struct Options {
    std::string command;       // empty: the whole, of the scan that is named
    std::string scan, stitch;  // further scans have commas between them
    std::string configuration; // of --config
    bool dry_run = false, json = false, help = false, help_all = false, version = false;
    bool serve = false, describe = false;
    ProgressAs progress = ProgressAs::automatic;
    std::vector<std::pair<std::string, std::string>>
        parameters; // name and value, in the order that they came
};

// Throws Usage.
Options read_options(const std::vector<std::string> &words);

// Throws Usage with the nearest command if the word in front can be no scan, such as "rnu".
void check_is_scan(const std::string &word);

// Sets them; throws Usage.
void apply(const Options &options, GstTomoReconstruction *reconstruction);

std::string help_text(const std::string &program, bool all);
// The same as JSON, with all parameters, as tool::described_program() has it.
Json described(const std::string &program);

} // namespace reconstruct
