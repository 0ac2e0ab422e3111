// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/files/memory/images.hpp>
#include <gst/reconstruction/chain.hpp>
#include <gst/reconstruction/heights.hpp>
#include <gst/reconstruction/overlap.hpp>
#include <gst/reconstruction/roll.hpp>
#include <gst/reconstruction/room.hpp>
#include <gst/reconstruction/turns.hpp>
#include <gst/tomo/gsttomograph.h>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace tomo::reconstruction {

namespace {

constexpr double least_part = 0.01;      // of a row; less is taken for a whole one
constexpr double same = 1e-3;            // share by which facts of scans that belong together may differ
constexpr double rows_that_differ = 1.0; // between two ways to find a displacement
constexpr double sigmas = 3.0;
constexpr std::size_t most_views = 4, groups_of_columns = 32;

[[noreturn]] void refuse(const std::string &why) { throw Error(GST_RESOURCE_ERROR_SETTINGS, why); }

bool is_above(const Height &one, const Height &other) { return one.top < other.top; }

std::string name_of(const Height &height) { return "'" + height.settings->source() + "'"; }

// Of the pairs or of the scans; one number counts for all.
std::optional<double> given_for(const Numbers &numbers, std::size_t number, std::size_t count,
                                const char *of) {
    if (!numbers.is_given())
        return {};
    const auto values = numbers.value();
    if (values.size() != 1 && values.size() != count)
        throw Error(GST_TOMO_GRAPH_ERROR, GST_TOMO_GRAPH_ERROR_VALUE,
                    text("%s has %zu numbers; wanted one, or one for each of the %zu %s", numbers.name(),
                         values.size(), count, of));
    return values.size() == 1 ? values[0] : values[number];
}

void set_numbers(Numbers &parameter, const std::vector<double> &values) {
    std::string list;
    for (const double value : values)
        list += (list.empty() ? "" : ",") + number(value);
    parameter.set_text(list);
}

bool differ(double one, double other) { return std::abs(one - other) > same * std::abs(one); }

// Views of both scans that look in the same directions: their numbers among the views of each.
struct SameViews {
    std::vector<std::size_t> one, other;
};

SameViews same_views(const Inspection &one, const Inspection &other) {
    SameViews same;
    const std::size_t count = std::min(most_views, one.views);
    for (std::size_t i = 0; i < count; i++) {
        const std::size_t view = i * one.views / count;
        double nearest = std::abs(one.angle_step) / 2.0 + 1e-9;
        std::optional<std::size_t> found;
        for (std::size_t v = 0; v < other.views; v++) {
            const double distance =
                std::abs(std::remainder(other.angles[v] - one.angles[view], 2.0 * std::numbers::pi));
            if (distance < nearest) {
                nearest = distance;
                found = v;
            }
        }
        if (!found)
            continue;
        same.one.push_back(view);
        same.other.push_back(*found);
    }
    return same;
}

// Some views of a scan, as they come from the detector after correction.
class ProfileReader {
  public:
    ProfileReader(const Height &height, const RunLineOf &run_line)
        : height_(height), run_line_(run_line), scan_(*height.scan) {
        looked_.assign(*height.settings);
        take_first_turn(looked_, scan_);
        for (ParameterBase *parameter :
             {static_cast<ParameterBase *>(&looked_.binning), static_cast<ParameterBase *>(&looked_.outliers),
              static_cast<ParameterBase *>(&looked_.reduction_mode),
              static_cast<ParameterBase *>(&looked_.rings), static_cast<ParameterBase *>(&looked_.roll),
              static_cast<ParameterBase *>(&looked_.retrieval_method),
              static_cast<ParameterBase *>(&looked_.resume)})
            parameter->reset();
        looked_.result.set_text("projections");
    }

    const Inspection &scan() const { return scan_; }

    RowProfiles profiles(const std::vector<std::size_t> &views) const {
        RowProfiles profiles;
        const auto &image = scan_.image;
        const std::size_t width = std::max<std::size_t>(image.width / groups_of_columns, 1),
                          groups = image.width / width;
        profiles.rows = image.height;
        profiles.features = groups * views.size();
        profiles.values.assign(profiles.rows * profiles.features, 0.0f);
        for (std::size_t first = 0; first < views.size();) {
            const auto count = in_one_line(views, first);
            const auto images = read({views.begin() + static_cast<std::ptrdiff_t>(first),
                                      views.begin() + static_cast<std::ptrdiff_t>(first + count)});
            for (std::size_t v = 0; v < count; v++)
                for (std::size_t r = 0; r < profiles.rows; r++) {
                    const auto *row = reinterpret_cast<const float *>(images->row(v, r));
                    auto *to = profiles.values.data() + r * profiles.features + (first + v) * groups;
                    for (std::size_t g = 0; g < groups; g++) {
                        double sum = 0.0;
                        for (std::size_t x = 0; x < width; x++)
                            sum += std::isfinite(row[g * width + x]) ? row[g * width + x] : 0.0f;
                        to[g] = static_cast<float>(sum / static_cast<double>(width));
                    }
                }
            first += count;
        }
        return profiles;
    }

  private:
    // From this one on: views at even steps.
    static std::size_t in_one_line(const std::vector<std::size_t> &views, std::size_t first) {
        std::size_t count = 1;
        while (first + count < views.size() && views[first + count] > views[first] &&
               views[first + count] - views[first] == count * (views[first + 1] - views[first]))
            count++;
        return count;
    }

    std::shared_ptr<io::MemoryImages> read(const std::vector<std::size_t> &views) const {
        Settings chosen;
        chosen.assign(looked_);
        const unsigned step = looked_.step;
        chosen.start.set_text(std::to_string(looked_.start + views[0] * step));
        chosen.step.set_text(std::to_string(views.size() > 1 ? (views[1] - views[0]) * step : 1));
        chosen.number.set_text(std::to_string(views.size()));
        Inspection part = scan_;
        std::vector<double> angles;
        for (const auto view : views)
            angles.push_back(scan_.angles[view]);
        part.set_angles(angles);
        const auto images = io::MemoryImages::reserved("views");
        images->allocate(ArrayInfo(GST_TOMO_FORMAT_FLOAT32, scan_.image.width, scan_.image.height,
                                   static_cast<unsigned>(views.size())));
        run_line_(height_, projection_line(chosen, part, {0, scan_.image.height, 1}) +
                               calculation("value", "v") + sink_line(chosen, images->location(), true));
        return images;
    }

    const Height &height_;
    const RunLineOf &run_line_;
    Settings looked_;
    Inspection scan_;
};

std::optional<Displacement> displacement_by_views(const Height &one, const Height &other,
                                                  const RunLineOf &run_line) {
    const ProfileReader of_one(one, run_line), of_other(other, run_line);
    const auto views = same_views(of_one.scan(), of_other.scan());
    if (views.one.empty())
        return {};
    constexpr std::size_t share = 100; // of the rows that have to be common
    return displacement_between(of_one.profiles(views.one), of_other.profiles(views.other),
                                std::min(one.scan->image.height, other.scan->image.height) / share);
}

// Where the stage has the sample, by the direction along which the scans differ.
class Stage {
  public:
    Stage(const Settings &settings, const std::vector<Height> &heights) {
        const double sign =
            settings.shifts_reverse.is("y") || settings.shifts_reverse.is("both") ? -1.0 : 1.0;
        for (const auto of : {&Inspection::stage_y, &Inspection::stage_z}) {
            rows_.clear();
            for (const auto &height : heights)
                rows_.push_back(sign * height.scan->*of);
            bool is_told = true;
            for (std::size_t i = 1; i < rows_.size(); i++)
                is_told = is_told && std::abs(rows_[i] - rows_[i - 1]) >= 1.0; // false for NaN
            if (is_told)
                return;
        }
        rows_.clear();
    }

    // The sample is lifted further for a scan of what lies below.
    std::optional<double> displacement(std::size_t pair) const {
        return rows_.empty() ? std::nullopt : std::optional(rows_[pair + 1] - rows_[pair]);
    }

    void sort(std::vector<Height> &heights) const {
        for (std::size_t i = 0; i < rows_.size(); i++)
            heights[i].top = rows_[i];
        std::stable_sort(heights.begin(), heights.end(), is_above);
    }

  private:
    std::vector<double> rows_;
};

// How far the next scan lies below the one of this number, and where that comes from.
Displaced displaced(const Settings &settings, const std::vector<Height> &heights, const Stage &stage,
                    std::size_t pair, const RunLineOf &run_line, Inspection &whole) {
    const auto &one = heights[pair], &other = heights[pair + 1];
    const auto given = given_for(settings.stitch_overlap, pair, heights.size() - 1, "pairs of scans");
    const auto told = stage.displacement(pair);
    const bool wants_stage = settings.stitch_method.is("scan"),
               wants_views = settings.stitch_method.is("views");
    if (wants_stage && !told)
        refuse("stitch-method=scan, but the scans tell no positions of the sample that differ: give "
               "stitch-overlap, or find it by stitch-method=views");
    std::optional<Displacement> seen;
    if (!wants_stage)
        seen = displacement_by_views(one, other, run_line);
    if (wants_views && !seen)
        refuse("stitch-method=views, but the views of " + name_of(one) + " and " + name_of(other) +
               " do not tell how far these lie from each other: give stitch-overlap");
    const double of_one = one.scan->image.height, of_other = other.scan->image.height;
    const auto overlap_of = [&](double rows) { return rows >= 0.0 ? of_one - rows : of_other + rows; };
    Displaced found;
    if (given) {
        const bool is_above = told ? *told < 0.0 : seen && seen->rows < 0.0;
        found = {is_above ? *given - of_other : of_one - *given, "given"};
    } else if (told && !wants_views) {
        found = {*told, "scan"};
    } else if (seen) {
        found = {seen->rows, "views", seen->uncertainty};
    } else {
        refuse(
            "nothing tells how far " + name_of(other) + " lies from " + name_of(one) +
            ": the scans have no positions of the sample that differ, and their views have no rows in common that "
            "stand out; give stitch-overlap");
    }
    if (!seen || found.from == "views")
        return found;
    found.by_views = seen->rows;
    found.uncertainty = seen->uncertainty;
    if (std::abs(seen->rows - found.rows) <= std::max(rows_that_differ, sigmas * seen->uncertainty))
        return found;
    const bool is_other_way = seen->rows * found.rows < 0.0;
    whole.findings.push_back(
        {"stitch-overlap", Finding::Severity::warning,
         text("%s and %s share %.2f rows as %s, but their views say %.2f +- %.2f%s", name_of(one).c_str(),
              name_of(other).c_str(), overlap_of(found.rows),
              found.from == "given" ? "given" : "the scans tell", overlap_of(seen->rows), seen->uncertainty,
              is_other_way ? ", and the latter above the former" : ""),
         is_other_way && found.from == "scan"
             ? "Look at the slices there; --shifts-reverse y turns the sense of the positions, "
               "--stitch-method views takes those of the views."
             : "Look at the slices there, and at the pixel size; --stitch-method views takes those of the views."});
    return found;
}

// What would make a wrong volume.
void compare(const std::vector<Height> &heights, Inspection &whole) {
    const auto &first = *heights.front().scan;
    for (const auto &height : heights) {
        const auto &scan = *height.scan;
        if (scan.image.width != first.image.width)
            refuse(text("%s has %u columns, and %s %u: scans at several heights are taken with one detector",
                        name_of(heights.front()).c_str(), first.image.width, name_of(height).c_str(),
                        scan.image.width));
        const auto tell = [&](const char *what, double one, double other, double scale, const char *unit) {
            if (differ(one, other))
                whole.findings.push_back(
                    {"stitch-differs", Finding::Severity::error,
                     text("%s has %s of %.6g %s, and %s of %.6g", name_of(heights.front()).c_str(), what,
                          one * scale, unit, name_of(height).c_str(), other * scale),
                     "Slices of different scans do not fit together; look at the files."});
        };
        tell("a pixel size", first.pixel_size, scan.pixel_size, 1e6, "um");
        tell("an energy", first.energy, scan.energy, 1.0, "keV");
    }
}

} // namespace

unsigned Height::first_row() const { return static_cast<unsigned>(std::ceil(top)); }

unsigned Height::end_row(unsigned binning) const {
    const unsigned rows = first_row() + scan->image.height;
    return part() > 0.0 ? rows - std::min(binning, rows) : rows;
}

std::vector<std::string> scans_of(const Settings &settings) {
    std::vector<std::string> names{settings.scan};
    const std::string written = settings.stitch;
    for (std::size_t begin = 0; begin <= written.size();) {
        const auto end = std::min(written.find(',', begin), written.size());
        names.push_back(written.substr(begin, end - begin));
        begin = end + 1;
    }
    if (std::any_of(names.begin(), names.end(), [](const auto &name) { return name.empty(); }))
        throw Error(GST_TOMO_GRAPH_ERROR, GST_TOMO_GRAPH_ERROR_VALUE,
                    "stitch does not take '" + written +
                        "': wanted scans with commas between them, beside the one of scan");
    return names;
}

void take_height(std::size_t number, const Settings &all, Settings &one) {
    const auto names = scans_of(all);
    one.assign(all);
    const auto axis = given_for(all.stitch_axes, number, names.size(), "scans"),
               roll = given_for(all.stitch_rolls, number, names.size(), "scans");
    for (ParameterBase *parameter :
         {static_cast<ParameterBase *>(&one.stitch), static_cast<ParameterBase *>(&one.stitch_method),
          static_cast<ParameterBase *>(&one.stitch_overlap),
          static_cast<ParameterBase *>(&one.stitch_weights), static_cast<ParameterBase *>(&one.stitch_axes),
          static_cast<ParameterBase *>(&one.stitch_rolls), static_cast<ParameterBase *>(&one.y),
          static_cast<ParameterBase *>(&one.height), static_cast<ParameterBase *>(&one.slice)})
        parameter->reset();
    one.scan.set_text(names.at(number));
    if (number > 0) // of the first one
        one.entry.reset();
    if (axis)
        one.axis.set_text(reconstruction::number(*axis));
    if (roll)
        one.roll.set_text(reconstruction::number(*roll));
}

Inspection place_heights(const Settings &settings, std::vector<Height> &heights, const RunLineOf &run_line) {
    Inspection whole = *heights.front().scan;
    whole.findings.clear();
    for (const auto &height : heights)
        for (auto finding : height.scan->findings) {
            if (finding.name == "disk" || finding.name == "memory") // of one scan by itself
                continue;
            finding.text = name_of(height) + ": " + finding.text;
            whole.findings.push_back(std::move(finding));
        }
    compare(heights, whole);
    // Positions say which scans are neighbours; else they are named in their order.
    if (!settings.stitch_overlap.is_given())
        Stage(settings, heights).sort(heights);
    const Stage stage(settings, heights);
    for (std::size_t i = 0; i + 1 < heights.size(); i++) {
        const auto next = displaced(settings, heights, stage, i, run_line, whole);
        heights[i + 1].top = heights[i].top + next.rows;
        heights[i + 1].displaced = next;
        heights[i + 1].order = i + 1;
    }
    std::stable_sort(heights.begin(), heights.end(), is_above);
    const double first = heights.front().top;
    const unsigned binning = settings.binning;
    whole.heights.clear();
    for (std::size_t i = 0; i < heights.size(); i++) {
        auto &height = heights[i];
        height.top -= first;
        if (std::abs(height.top - std::round(height.top)) < least_part)
            height.top = std::round(height.top);
        HeightFacts facts;
        facts.name = height.scan->name;
        facts.top = height.top;
        facts.rows = height.scan->image.height;
        if (i > 0) {
            const auto &above = heights[i - 1];
            if (height.first_row() > above.end_row(binning))
                refuse(text(
                    "%.2f rows are missing between %s and %s: each scan has to begin before the one above ends",
                    height.top - above.top - above.scan->image.height, name_of(above).c_str(),
                    name_of(height).c_str()));
            if (height.top - above.top < 1.0 || height.end_row(binning) <= above.end_row(binning))
                refuse(text("%s shows nothing that %s does not show as well", name_of(height).c_str(),
                            name_of(above).c_str()));
            facts.overlap = above.top + above.scan->image.height - height.top;
            // Of the two the one that was placed by the other.
            facts.displaced = height.order > above.order ? height.displaced : above.displaced;
        }
        whole.heights.push_back(facts);
    }
    whole.image.height = heights.back().end_row(binning);
    whole.name = text("%zu scans at different heights", heights.size());
    whole.files = 0;
    for (const auto &height : heights)
        whole.files += height.scan->files;
    if (const auto room = finding_about_room(settings, whole))
        whole.findings.push_back(*room);
    return whole;
}

void tell_axes(const std::vector<Height> &heights, Inspection &whole) {
    for (std::size_t i = 0; i < heights.size(); i++) {
        whole.heights[i].axis = heights[i].axis.position;
        whole.heights[i].axis_from = heights[i].axis.from;
        whole.heights[i].roll = roll_degrees(*heights[i].settings);
    }
}

void resolve_heights(const std::vector<Height> &heights, Settings &resolved) {
    std::vector<double> axes(heights.size()), rolls(heights.size()), overlaps(heights.size() - 1);
    std::vector<const Height *> named(heights.size());
    for (const auto &height : heights)
        named[height.number] = &height;
    for (std::size_t i = 0; i < named.size(); i++) {
        axes[i] = named[i]->axis.position;
        rolls[i] = roll_degrees(*named[i]->settings);
        if (i == 0)
            continue;
        const auto *upper = named[i - 1]->top < named[i]->top ? named[i - 1] : named[i];
        overlaps[i - 1] = upper->top + upper->scan->image.height - std::max(named[i - 1]->top, named[i]->top);
    }
    set_numbers(resolved.stitch_axes, axes);
    if (std::any_of(rolls.begin(), rolls.end(), [](double roll) { return roll != 0.0; }))
        set_numbers(resolved.stitch_rolls, rolls);
    set_numbers(resolved.stitch_overlap, overlaps);
}

} // namespace tomo::reconstruction
