// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/files/number-pattern.hpp>
#include <gst/reconstruction/turns.hpp>
#include <gst/tomo/geometry/degrees.hpp>
#include <gst/tomo/support/median.hpp>
#include <gst/tomo/gsttomograph.h>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace tomo::reconstruction {

using std::numbers::pi;

namespace {

constexpr double whole_turn = 2.0 * pi;
constexpr double many_steps = 4.0;       // above which a way back is a flyback
constexpr double least_flyback = pi / 4; // of angles modulo 360, where the way back is shorter forwards
constexpr double same = 0.1;             // steps between views of one direction
constexpr double overscan = 1.5;    // turns up to which somebody may just have measured for a little longer
constexpr unsigned least_views = 4; // of the way between two flybacks

[[noreturn]] void refuse(const std::string &why) {
    throw Error(GST_TOMO_GRAPH_ERROR, GST_TOMO_GRAPH_ERROR_VALUE, why);
}

// Of the ways that are no standstill.
double median_step(const std::vector<double> &ways) {
    std::vector<double> moved;
    for (const double way : ways)
        if (way != 0.0)
            moved.push_back(std::abs(way));
    if (moved.empty())
        return 0.0;
    return lower_median(moved);
}

// Whether most views look in directions in which views one way before them looked.
bool repeats_directions(const std::vector<double> &angles, const Rotation &rotation) {
    const auto place = [](double angle) {
        const double turned = std::fmod(angle, whole_turn);
        return turned < 0.0 ? turned + whole_turn : turned;
    };
    const double near = same * rotation.step;
    std::vector<double> places;
    for (const double angle : angles)
        places.push_back(place(angle + near)); // so that those around 0 stay together
    std::sort(places.begin(), places.end());
    std::size_t repeated = 0;
    for (std::size_t i = 1; i < places.size(); i++)
        repeated += places[i] - places[i - 1] <= 2.0 * near;
    return 3 * repeated > angles.size();
}

unsigned number_of(const std::string &written, const std::string &all) {
    char *end = nullptr;
    const guint64 number = g_ascii_strtoull(written.c_str(), &end, 10);
    if (written.empty() || !g_ascii_isdigit(written[0]) || *end || number > G_MAXINT)
        refuse("turns=" + all + ": '" + written +
               "' is no number of a turn; wanted all, N, FROM:TO or together");
    return static_cast<unsigned>(number);
}

} // namespace

Rotation rotation_of(const std::vector<double> &angles) {
    Rotation rotation;
    std::vector<double> ways; // the shorter ones
    for (std::size_t i = 1; i < angles.size(); i++)
        ways.push_back(std::remainder(angles[i] - angles[i - 1], whole_turn));
    rotation.step = median_step(ways);
    double at = 0.0, sense = 0.0;
    rotation.travelled.push_back(at);
    for (std::size_t i = 0; i < ways.size(); i++) {
        const double way = ways[i], told = angles[i + 1] - angles[i];
        const bool is_far = std::abs(way) > many_steps * rotation.step;
        const bool is_flyback =
            is_far && sense * told < 0.0 && (sense * way < 0.0 || std::abs(way) >= least_flyback);
        rotation.turned_back += is_flyback || sense * way < 0.0;
        at += is_flyback ? rotation.step : std::abs(way);
        rotation.travelled.push_back(at);
        if (way != 0.0 && !is_flyback)
            sense = way > 0.0 ? 1.0 : -1.0;
    }
    rotation.is_continuous =
        rotation.step > 0.0 && rotation.step < pi / 2 && rotation.turned_back * least_views <= angles.size();
    return rotation;
}

std::vector<Turn> turns_in(const Rotation &rotation, double turn, double every) {
    std::vector<Turn> turns;
    const auto &travelled = rotation.travelled;
    const auto view_at = [&](double way) {
        return static_cast<std::size_t>(
            std::lower_bound(travelled.begin(), travelled.end(), way - rotation.step / 4) -
            travelled.begin());
    };
    for (unsigned n = 0; n * every + turn <= rotation.total() + rotation.step / 2; n++) {
        const auto first = view_at(n * every), end = view_at(n * every + turn);
        turns.push_back({n, first, end - first});
    }
    return turns;
}

std::vector<Turn> turns_of(const Settings &settings, const Inspection &scan) {
    const std::string chosen = settings.turns;
    if (chosen.empty() || chosen == "together")
        return {};
    const double turn = radians(settings.turn_degrees),
                 every = settings.turn_step_degrees ? radians(settings.turn_step_degrees) : turn;
    const auto rotation = rotation_of(scan.angles);
    if (!rotation.is_continuous)
        refuse("turns=" + chosen +
               ": the angles of the views follow no rotation; choose views by start and number");
    if (every < rotation.step)
        refuse(text("turn-step-degrees=%g is less than the step between views, %.4g degrees",
                    settings.turn_step_degrees.value(), degrees(rotation.step)));
    auto turns = turns_in(rotation, turn, every);
    if (turns.empty())
        refuse(text("turns=%s: the views cover %.4g degrees, less than turn-degrees=%g", chosen.c_str(),
                    degrees(rotation.total()), settings.turn_degrees.value()));
    if (chosen == "all")
        return turns;
    const auto colon = chosen.find(':');
    const unsigned first = number_of(chosen.substr(0, colon), chosen),
                   last = colon == std::string::npos ? first : number_of(chosen.substr(colon + 1), chosen);
    if (first > last || last >= turns.size())
        refuse(text("turns=%s: the scan has %zu whole turn%s of %g degrees, 0 to %zu", chosen.c_str(),
                    turns.size(), turns.size() == 1 ? "" : "s", settings.turn_degrees.value(),
                    turns.size() - 1));
    return {turns.begin() + first, turns.begin() + last + 1};
}

void take_turn(const Turn &turn, Settings &settings, Inspection &scan) {
    const auto views = scan.angles.begin() + static_cast<std::ptrdiff_t>(turn.first);
    scan.set_angles({views, views + static_cast<std::ptrdiff_t>(turn.count)});
    settings.start.set_text(std::to_string(settings.start + turn.first * settings.step));
    settings.number.set_text(std::to_string(turn.count));
    settings.turns.reset();
    settings.turn_degrees.reset();
    settings.turn_step_degrees.reset();
}

void take_first_turn(Settings &settings, Inspection &scan) {
    if (const auto turns = turns_of(settings, scan); !turns.empty())
        take_turn(turns.front(), settings, scan);
}

std::optional<std::string> series_of_turn(const std::string &name, unsigned turn) {
    std::size_t begin = name.find('%');
    while (begin != std::string::npos && begin + 1 < name.size() && name[begin + 1] == '%')
        begin = name.find('%', begin + 2);
    const auto end = begin == std::string::npos ? begin : name.find_first_of("diu", begin);
    if (end == std::string::npos)
        return {};
    const auto number = name.substr(begin, end + 1 - begin), behind = name.substr(end + 1);
    if (!io::NumberPattern(behind).has_number())
        return {};
    return name.substr(0, begin) + io::NumberPattern(number).name(turn) + behind;
}

std::optional<Finding> finding_about_turns(const Settings &settings, const Inspection &scan) {
    using Severity = Finding::Severity;
    const auto rotation = rotation_of(scan.angles);
    if (!rotation.is_continuous)
        return {};
    const double turns = rotation.total() / whole_turn;
    const bool goes_on = rotation.total() > whole_turn + 1.5 * rotation.step,
               repeats = rotation.turned_back > 0 && repeats_directions(scan.angles, rotation);
    if (!goes_on && !repeats)
        return {};
    const auto many =
        repeats ? text("the sample turned back %zu times, and views look in the same directions again: "
                       "%.4g degrees in all",
                       rotation.turned_back, degrees(rotation.total()))
                : text("the scan makes %.2f turns", turns);
    if (settings.turns.value() == "together")
        return Finding{"several-turns", Severity::information, many + ", which become one volume",
                       "As it was said."};
    if (settings.turns.is_given()) {
        const auto taken = turns_of(settings, scan).size();
        return Finding{"several-turns", Severity::information,
                       many + text("; %zu of %g degrees become%s", taken, settings.turn_degrees.value(),
                                   taken == 1 ? "s a volume" : " a volume each"),
                       "Views behind the last whole turn are left out."};
    }
    const char *advice =
        "Say --turns all for a volume of each turn, --turns N or FROM:TO for some of them "
        "(--turn-degrees 180 for half turns), or --turns together for one volume of all views.";
    if (!repeats && turns < overscan)
        return Finding{"several-turns", Severity::warning, many + ", which become one volume", advice};
    return Finding{"several-turns", Severity::error, many + ", in which the sample may have changed", advice};
}

} // namespace tomo::reconstruction
