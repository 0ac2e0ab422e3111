// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "progress.hpp"

#include <gst/tomo/support/duration.hpp>

#include <unistd.h>

namespace reconstruct {

using tomo::Json;
using tomo::text;

namespace {

double number_of(const Json &event, const char *key) {
    const Json *value = event.find(key);
    return value ? g_ascii_strtod(value->text().c_str(), nullptr) : 0.0;
}

std::string bar(double share) {
    constexpr std::size_t width = 24;
    std::string line(width, '.');
    line.replace(0, static_cast<std::size_t>(share * width), static_cast<std::size_t>(share * width), '#');
    return "[" + line + "]";
}

std::string size_text(double bytes) {
    return bytes >= 1e9 ? text("%.3g GB", bytes / 1e9) : text("%.3g MB", bytes / 1e6);
}

ProgressAs chosen(ProgressAs as) {
    return as != ProgressAs::automatic ? as : isatty(STDERR_FILENO) ? ProgressAs::bar : ProgressAs::lines;
}

} // namespace

Progress::Progress(const std::string &program, ProgressAs as)
    : program_(program), as_(chosen(as)), line_(as_ == ProgressAs::bar || as_ == ProgressAs::lines) {}

void Progress::complain(const std::string &text) {
    line_.clear();
    g_printerr("%s: %s\n", program_.c_str(), text.c_str());
}

void Progress::on_event(const std::string &event) {
    tell(Json::parse(event, "event"));
}

void Progress::tell(const Json &event) {
    const auto &kind = event.text_of("event");
    const bool is_quiet = as_ == ProgressAs::none;
    if (kind == "message") {
        const auto &level = event.text_of("level"), &element = event.text_of("element");
        if (level == "warning")
            complain("warning: " + (element.empty() ? "" : element + ": ") + event.text_of("text"));
        else if (level == "info" && !is_quiet)
            complain("note: " + event.text_of("text"));
        return; // an error is that of the run
    }
    if (is_quiet)
        return;
    if (kind == "stage") {
        const auto &stage = event.text_of("name");
        if (line_.is_terminal())
            line_.update(stage == "axis"      ? "looking for the axis"
                         : stage == "align"   ? "aligning projections"
                         : stage == "inspect" ? "looking at the scan"
                                              : "");
    } else if (kind == "plan") {
        const double images = number_of(event, "images");
        std::string line =
            text("%.0f image%s to %s (%s)", images, images == 1.0 ? "" : "s", event.text_of("output").c_str(),
                 size_text(number_of(event, "bytes")).c_str());
        if (event.find("axis"))
            line = text("axis %.2f px (%s), ", number_of(event, "axis"), event.text_of("axis-from").c_str()) +
                   line;
        if (const double seconds = number_of(event, "seconds"); seconds > 0.0)
            line += ", about " + tomo::expected_text(seconds) + " on " + event.text_of("device");
        line_.finish(line);
    } else if (kind == "progress") {
        const double done = number_of(event, "done"), total = number_of(event, "total");
        std::string line = text("%.0f of %.0f %s", done, total, event.text_of("unit").c_str());
        if (as_ == ProgressAs::bar)
            line = bar(total > 0.0 ? done / total : 0.0) + " " + line;
        if (const double rate = number_of(event, "rate"); rate > 0.0)
            line += text(", %.3g/s", rate);
        if (const Json *devices = event.find("devices")) {
            std::string shares;
            for (const auto &one : devices->items())
                shares += (shares.empty() ? "" : " + ") + one.find("done")->text();
            line += " (" + shares + " by devices)";
        }
        if (event.find("iteration"))
            line += text(", iteration %.0f of %.0f", number_of(event, "iteration"),
                         number_of(event, "iterations"));
        if (event.find("residual"))
            line += text(", residual %.3g", number_of(event, "residual"));
        if (event.find("seconds-left"))
            line += ", " + tomo::duration_text(number_of(event, "seconds-left")) + " left";
        line_.update(line);
    } else if (kind == "done" && event.text_of("status") != "failed" &&
               event.text_of("status") != "aborted") {
        std::string files;
        for (const auto &file : event.find("outputs")->items())
            files += (files.empty() ? "" : ", ") + file.text();
        line_.finish(text("%s in %.3g s: %s", event.text_of("status").c_str(), line_.elapsed(),
                          files.empty() ? "nothing was written" : files.c_str()));
    }
}

} // namespace reconstruct
