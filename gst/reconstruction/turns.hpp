// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Scans in time: several turns of the sample in one scan, each of which makes a volume.
#pragma once

#include <gst/reconstruction/inspection.hpp>

#include <optional>

namespace tomo::reconstruction {

// How the sample turned from view to view. Turns are counted by angles, not by views, so that the speed may
// change and views may be missing.
struct GST_TOMO_API Rotation {
    std::vector<double> travelled; // radians since the first view, never less than before
    double step = 0.0;             // median way between two views
    // How often it turned back. Jumps, as to the begin of the next half turn, count as a step.
    std::size_t turned_back = 0;
    bool is_continuous = false; // else views are in no order of rotation

    // The way of all views, each with the step behind it.
    double total() const { return travelled.empty() ? 0.0 : travelled.back() + step; }
};

// Angles may go on behind a turn, begin anew, or go forth and back.
GST_TOMO_API Rotation rotation_of(const std::vector<double> &angles);

struct Turn {
    unsigned number;
    std::size_t first, count; // views
};

// All whole turns: turn n begins n * `every` radians behind the first view, and is `turn` radians long.
GST_TOMO_API std::vector<Turn> turns_in(const Rotation &rotation, double turn, double every);

// The turns that the settings choose; empty where all views make one volume. Throws Error where there are no
// such turns.
std::vector<Turn> turns_of(const Settings &settings, const Inspection &scan);

// Makes settings and scan those of one turn.
void take_turn(const Turn &turn, Settings &settings, Inspection &scan);
// The same for the first chosen turn; does nothing where all views make one volume.
void take_first_turn(Settings &settings, Inspection &scan);

// A name with two numbers, of the turn and of the slice, with the former filled in; empty for other names.
std::optional<std::string> series_of_turn(const std::string &name, unsigned turn);

// A finding about the turns of the scan, if there is one to tell.
std::optional<Finding> finding_about_turns(const Settings &settings, const Inspection &scan);

} // namespace tomo::reconstruction
