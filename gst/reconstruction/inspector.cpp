// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/files/file-list.hpp>
#include <gst/files/scan/layout.hpp>
#include <gst/reconstruction/beam-geometry.hpp>
#include <gst/reconstruction/conditions.hpp>
#include <gst/reconstruction/inspector.hpp>
#include <gst/reconstruction/linearisation.hpp>
#include <gst/reconstruction/phase.hpp>
#include <gst/reconstruction/room.hpp>
#include <gst/reconstruction/shifts.hpp>
#include <gst/reconstruction/turns.hpp>
#include <gst/tomo/device/samples.hpp>
#include <gst/tomo/geometry/degrees.hpp>
#include <gst/tomo/gsttomograph.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <optional>
#include <set>

namespace tomo::reconstruction {

using std::numbers::pi;
using Severity = Finding::Severity;

namespace {

constexpr double most_saturated = 1e-3; // share of the pixels of an image
constexpr double most_dead = 1e-2;
constexpr double most_drift = 0.05; // of the beam between the flats before and after
constexpr std::size_t few_flats = 10;  // for principal components
constexpr std::size_t least_flats = 3; // for any component
constexpr double most_turns = 2.0;     // that a step which somebody gave may lead to

// Numbers of the samples of one image.
struct Samples {
    ArrayInfo info;
    double mean = 0.0;
    double saturated = 0.0, not_finite = 0.0; // shares
    double seconds = 0.0;                     // that reading took
    std::vector<float> values;
};

double largest_of(GstTomoFormat format) {
    return format == GST_TOMO_FORMAT_UINT8 ? 255.0 : format == GST_TOMO_FORMAT_UINT16 ? 65535.0 : HUGE_VAL;
}

Samples samples_of(const io::ScanImages &images, std::size_t number) {
    const auto &image = images.images.at(number);
    const auto reader = io::open_scan_reader(images.files.at(image.file));
    Samples samples;
    samples.info = reader->info(image.page);
    // Of doubles, so that samples of every type are aligned.
    std::vector<double> memory(samples.info.size() / sizeof(double) + 1);
    const gint64 since = g_get_monotonic_time();
    reader->read(image.page, memory.data(), samples.info.size());
    samples.seconds = static_cast<double>(g_get_monotonic_time() - since) / 1e6;
    const auto count = samples.info.samples();
    with_real_samples(samples.info.format, memory.data(), [&](const auto *from) {
        samples.values.resize(count);
        std::transform(from, from + count, samples.values.begin(),
                       [](const auto &sample) { return static_cast<float>(sample); });
    });
    const double largest = largest_of(samples.info.format);
    std::size_t finite = 0;
    for (const float value : samples.values) {
        if (!std::isfinite(value)) {
            samples.not_finite++;
            continue;
        }
        finite++;
        samples.mean += value;
        samples.saturated += value >= largest;
    }
    samples.mean /= static_cast<double>(std::max<std::size_t>(finite, 1));
    samples.saturated /= static_cast<double>(count);
    samples.not_finite /= static_cast<double>(count);
    return samples;
}

// The first, the middle and the last one.
std::set<std::size_t> some_of(std::size_t count) { return {0, count / 2, count - 1}; }

class Inspector {
  public:
    explicit Inspector(const Settings &settings) : settings_(settings) {}

    Inspection look(const DeviceMemory &device_memory) {
        const auto source = settings_.source();
        if (source.empty())
            throw Error(
                GST_RESOURCE_ERROR_SETTINGS,
                "no scan is named; wanted a file, a folder or a pattern of a scan, or projections or sinograms");
        if (!settings_.sinograms.empty() && !(settings_.scan.empty() && settings_.projections.empty()))
            throw Error(GST_RESOURCE_ERROR_SETTINGS,
                        "sinograms are named, and a scan or projections as well; leave one of them out");
        if (!settings_.scan.empty() && !settings_.projections.empty())
            throw Error(GST_RESOURCE_ERROR_SETTINGS,
                        "a scan is named, and projections as well; leave one of them out");
        check_source_conditions(settings_);
        if (!settings_.sinograms.empty())
            look_at_sinograms(source);
        else
            look_at_scan(source);
        if (const auto beam = finding_about_beam(settings_, found_))
            find(beam->name.c_str(), beam->severity, beam->text, beam->advice);
        if (is_general(settings_, found_) || !settings_.sweep.empty()) // which may make it general
            found_.device_memory = device_memory();
        if (const auto room = finding_about_room(settings_, found_))
            find(room->name.c_str(), room->severity, room->text, room->advice);
        if (const auto phase = finding_about_phase(settings_, found_); phase && settings_.sweep.empty())
            find(phase->name.c_str(), phase->severity, phase->text, phase->advice);
        if (settings_.sweep.empty())
            for (const auto &finding : findings_about_linearity(settings_))
                find(finding.name.c_str(), finding.severity, finding.text, finding.advice);
        return std::move(found_);
    }

  private:
    void find(const char *name, Severity severity, const std::string &text, const std::string &advice) {
        g_assert(std::find(finding_names().begin(), finding_names().end(), name) != finding_names().end());
        if (!has(name)) // once is enough
            found_.findings.push_back({name, severity, text, advice});
    }

    bool has(const std::string &name) const {
        return std::any_of(found_.findings.begin(), found_.findings.end(),
                           [&](const Finding &finding) { return finding.name == name; });
    }

    void look_at_sinograms(const std::string &path) {
        found_.is_sinograms = true;
        found_.name = "'" + path + "', sinograms";
        const auto files = io::list_files(path);
        found_.files = files.size();
        const auto reader = io::open_reader(files.front());
        found_.image = reader->info(0);
        std::size_t sinograms = 0;
        for (const auto &file : files) {
            const auto other = io::open_reader(file);
            sinograms += other->pages() * other->info(0).depth;
        }
        found_.projections = found_.image.height;
        found_.image = found_.image.with_size(found_.image.width, static_cast<unsigned>(sinograms), 1);
        look_at_angles(angles_beside(files.front()));
        if (found_.angles_from == "scan") // the stream of these sinograms does not have them
            found_.angles_from = "sinograms";
        found_.axis = axis_beside(files.front());
    }

    // Of sinograms that were written with it.
    static double axis_beside(const std::string &sinograms) {
        const auto place = io::split_location(sinograms);
        try {
            if (!place.dataset.empty())
                return io::axis_of_result(place).value_or(Inspection::unknown);
        } catch (const Error &) { // there is none
        }
        return Inspection::unknown;
    }

    // Of sinograms that were written with their angles. They are taken by their mean step.
    std::vector<double> angles_beside(const std::string &sinograms) {
        const auto place = io::split_location(sinograms);
        if (place.dataset.empty() || settings_.given_step(found_.projections))
            return {};
        std::vector<double> angles;
        try {
            angles = io::angles_of_file(place.file + ":" + place.dataset.substr(0, place.dataset.rfind('/')) +
                                        "/rotation_angle");
        } catch (const Error &) { // there are none
            return {};
        }
        if (angles.size() != found_.projections || angles.size() < 2)
            return {};
        const double step = (angles.back() - angles.front()) / (static_cast<double>(angles.size()) - 1.0);
        for (std::size_t i = 0; i < angles.size(); i++)
            if (std::abs(angles[i] - angles.front() - static_cast<double>(i) * step) >
                0.05 * std::abs(step)) {
                find("angles-uneven", Severity::error,
                     "the angles beside the sinograms are not evenly spaced, and sinograms have one step",
                     "Reconstruct from the scan, which has an angle for each view.");
                return {};
            }
        return angles;
    }

    void look_at_scan(const std::string &location) {
        const auto layout = io::find_scan({.location = location,
                                           .entry = settings_.entry,
                                           .darks = settings_.darks,
                                           .flats = settings_.flats,
                                           .flats_after = settings_.flats2,
                                           .angles = settings_.angles,
                                           .detector = settings_.detector,
                                           .shifts = shifts_file(settings_)});
        found_.name = layout.name;
        found_.projections = layout.projections.images.size();
        found_.darks = layout.darks.images.size();
        found_.flats = layout.flats.images.size();
        found_.flats_after = layout.flats_after.images.size();
        std::set<std::string> files; // of which one may hold images of several kinds
        found_.flat_sets = layout.has_order ? layout.flats.sets() : 0;
        for (const auto *images : {&layout.projections, &layout.darks, &layout.flats, &layout.flats_after})
            for (const auto &file : images->files)
                files.insert(io::split_location(file).file);
        found_.files = files.size();
        found_.axis = layout.axis_position;
        found_.pixel_size = layout.pixel_size;
        found_.energy = layout.energy;
        found_.distance = layout.distance;
        found_.source_distance = layout.source_distance;
        found_.white_level = layout.white_level;
        found_.stage_y = layout.stage_y;
        found_.stage_z = layout.stage_z;
        std::string warnings;
        for (const auto &warning : layout.warnings)
            warnings += (warnings.empty() ? "" : "; ") + warning;
        if (!warnings.empty())
            find("layout", Severity::warning, warnings, "Look whether the scan is complete.");
        if (!found_.projections)
            throw Error(GST_RESOURCE_ERROR_READ,
                        text("%s has no projections: there is nothing to reconstruct", layout.name.c_str()));
        look_at_format(layout); // with which the geometry is known
        look_at_angles(layout.angles);
        look_at_shifts(layout);
        look_at_monitor(layout);
        look_at_images(layout);
    }

    void look_at_shifts(const io::ScanLayout &layout) {
        const bool is_refused = settings_.shifts.value() == "none";
        if (!layout.unusable_shifts.empty())
            find("shifts-unclear", is_refused ? Severity::warning : Severity::error,
                 "the scan tells that projections are displaced, but not by how much: " +
                     layout.unusable_shifts,
                 "Give --shifts FILE with the displacements in pixels, or --shifts none to leave them.");
        if (layout.shifts.empty())
            return;
        auto &found = found_.shifts;
        for (const auto number : chosen()) {
            found.least_x = std::min(found.least_x, layout.shifts.x[number]);
            found.most_x = std::max(found.most_x, layout.shifts.x[number]);
            found.least_y = std::min(found.least_y, layout.shifts.y[number]);
            found.most_y = std::max(found.most_y, layout.shifts.y[number]);
        }
        found.x = layout.shifts.x;
        found.y = layout.shifts.y;
        found.from = shifts_file(settings_).empty() ? "scan" : "file";
    }

    void judge_shifts() {
        const auto &found = found_.shifts;
        if (found.from.empty())
            return;
        const auto range = found.range();
        if (!found.is_visible())
            find("shifts", Severity::information,
                 text("projections are displaced by less than %g pixels", Shifts::least_visible),
                 "That is left as it is.");
        else if (settings_.shifts.value() == "none")
            find("shifts", Severity::warning, "projections are displaced by " + range,
                 "They are not moved back, because --shifts is none.");
        else if (std::max(found.most_x, -found.least_x) >= found_.image.width ||
                 std::max(found.most_y, -found.least_y) >= found_.image.height)
            find("shifts", Severity::error,
                 "projections are displaced by " + range + ", which is more than the detector sees",
                 "Look at the units; --shifts none leaves them, --shifts FILE gives others.");
        else
            find("shifts", Severity::information, "projections are displaced by " + range,
                 "They are moved back; --shifts none leaves them.");
    }

    void look_at_monitor(const io::ScanLayout &layout) {
        if (layout.beam.empty()) {
            if (settings_.beam.is("monitor"))
                throw Error(
                    GST_RESOURCE_ERROR_SETTINGS,
                    "beam=monitor, but the scan has no monitor with a value for each frame: leave it out, or "
                    "give --air");
            return;
        }
        auto &found = found_.monitor;
        std::vector<double> values;
        for (const auto number : chosen())
            values.push_back(layout.beam.at(layout.projections.images.at(number).number));
        for (const auto *flats : {&layout.flats, &layout.flats_after})
            for (const auto &image : flats->images)
                values.push_back(layout.beam.at(image.number));
        const auto bad = std::find_if(values.begin(), values.end(),
                                      [](double value) { return !std::isfinite(value) || value <= 0.0; });
        found.is_usable = bad == values.end();
        if (!found.is_usable) {
            if (settings_.beam.is("monitor"))
                throw Error(
                    GST_RESOURCE_ERROR_SETTINGS,
                    text("beam=monitor, but the monitor has a value of %g; wanted numbers above 0: leave it "
                         "out, or give --air",
                         *bad));
            find("monitor", Severity::warning,
                 text("the monitor of the beam has a value of %g, and is not used", *bad),
                 "Look whether it was on; --air normalises by a region without sample.");
            return;
        }
        const auto [least, most] = std::minmax_element(values.begin(), values.end());
        double sum = 0.0;
        for (const double value : values)
            sum += value;
        found.change = (*most - *least) / sum * static_cast<double>(values.size());
        if (found.change > 0.0 && found_.is_corrected(settings_))
            find("monitor", Severity::information,
                 text("the beam changed by %.2g %% during the scan, as its monitor tells",
                      100.0 * found.change),
                 settings_.beam.is("none") ? "That is not corrected, because --beam is none."
                 : settings_.flat_correction.is("dynamic")
                     ? "A dynamic flat leaves the intensity of the whole beam open; --air normalises it."
                     : "Projections and flats are divided by it; --beam none leaves them.");
    }

    // Numbers of the projections that are taken.
    std::vector<std::size_t> chosen() const {
        std::vector<std::size_t> numbers;
        const std::size_t most = settings_.number ? settings_.number.value() : G_MAXSIZE;
        for (std::size_t i = settings_.start; i < found_.projections && numbers.size() < most;
             i += settings_.step)
            numbers.push_back(i);
        if (numbers.empty())
            throw Error(GST_RESOURCE_ERROR_SETTINGS, text("start is %u, but the scan has %zu projections",
                                                          settings_.start.value(), found_.projections));
        return numbers;
    }

    // Of all projections in degrees, where axis-angle-z is a list.
    std::vector<double> angles_of_axis(bool is_step_given) const {
        const auto list = settings_.general.axis_angle_z.value();
        if (list.size() <= 1)
            return {};
        if (is_step_given || !settings_.angles.empty())
            throw Error(GST_TOMO_GRAPH_ERROR, GST_TOMO_GRAPH_ERROR_VALUE,
                        "axis-angle-z has the angles of all projections, and another parameter tells them as "
                        "well; leave one of them out");
        if (list.size() != found_.projections)
            throw Error(
                GST_RESOURCE_ERROR_SETTINGS,
                text("axis-angle-z has %zu numbers; wanted one, or one for each of the %zu projections "
                     "of the scan",
                     list.size(), found_.projections));
        return list;
    }

    void look_at_angles(const std::vector<double> &of_scan) {
        const auto numbers = chosen();
        found_.views = numbers.size();
        const auto given = settings_.given_step(found_.projections);
        const auto list = angles_of_axis(given.has_value());
        std::vector<double> angles;
        if (!list.empty()) {
            found_.angles_from = "given";
            for (const auto number : numbers)
                angles.push_back(radians(list.at(number)));
        } else if (!given && !of_scan.empty()) {
            found_.angles_from = "scan";
            for (const auto number : numbers)
                angles.push_back(of_scan.at(number));
        } else {
            found_.angles_from = given ? "given" : "assumed";
            const bool is_whole = needs_whole_turn(settings_, found_);
            const double step =
                given ? *given : (is_whole ? 2.0 : 1.0) * pi / static_cast<double>(found_.projections);
            for (const auto number : numbers)
                angles.push_back(static_cast<double>(number) * step);
            if (!given && found_.projections == 1 && !found_.is_sinograms)
                find("no-angles", Severity::warning,
                     "the scan is a single projection, whose angle is not known",
                     "Name all projections, as a folder or a pattern; --sinograms names sinograms.");
            else if (!given)
                find("no-angles", Severity::warning,
                     text("no angles are known: %s over all %zu projections is assumed",
                          is_whole ? "a whole turn" : "half a turn", found_.projections),
                     "Give --angles, --range-degrees or --angle-step-degrees.");
            const double turns = std::abs(step) * static_cast<double>(found_.projections) / (2.0 * pi);
            if (given && turns > most_turns && !settings_.turns.is_given())
                find(
                    "angle-range", Severity::error,
                    text("%zu projections with %.6g degrees between them make %.1f turns", found_.projections,
                         degrees(step), turns),
                    settings_.angle.is_given()
                        ? text("--angle is in radians; degrees are --angle-step-degrees %.9g.",
                               settings_.angle.value())
                        : "Look whether that is the angle between two projections; for a scan in time say --turns.");
        }
        found_.set_angles(std::move(angles));
        if (found_.views > 1)
            judge_angles(found_.angles);
        if (!settings_.angles.empty())
            judge_unit();
    }

    void judge_angles(const std::vector<double> &angles) {
        std::size_t backwards = 0, repeated = 0;
        for (std::size_t i = 1; i < angles.size(); i++) {
            const double step = angles[i] - angles[i - 1];
            backwards += step * found_.angle_step < 0.0;
            repeated += step == 0.0;
        }
        if (backwards)
            find("angles-order", Severity::information, text("the angles go back %zu times", backwards),
                 "Each view is used at its own angle.");
        if (repeated)
            find("angles-repeated", Severity::warning,
                 text("%zu projections have the angle of the one before", repeated),
                 "Look whether the stage stood still; --start and --number leave projections out.");
        const double covered = std::abs(found_.angle_last - found_.angle_first);
        const double step = std::abs(found_.angle_step);
        if (std::abs(covered - pi) < 0.05 * step || std::abs(covered - 2.0 * pi) < 0.05 * step)
            find("last-view", Severity::information, "the last view looks along the line of the first one",
                 "Both count half.");
        if (found_.steps_are_even && covered + step < pi - 2.0 * step)
            find("missing-wedge", Severity::warning,
                 text("the views cover %.4g degrees, less than half a turn", degrees(covered + step)),
                 "Edges along the missing directions are lost.");
        if (const auto turns = finding_about_turns(settings_, found_))
            find(turns->name.c_str(), turns->severity, turns->text, turns->advice);
    }

    void look_at_format(const io::ScanLayout &layout) {
        const auto &first = layout.projections.images.front();
        const auto reader = io::open_scan_reader(layout.projections.files.at(first.file));
        found_.image = reader->info(first.page);
        found_.rows_per_chunk = reader->rows_per_chunk();
    }

    void look_at_images(const io::ScanLayout &layout) {
        const auto *flats = found_.flats ? &layout.flats : found_.flats_after ? &layout.flats_after : nullptr;
        if (!settings_.flat_correction.is("off")) {
            // Corrected projections are seldom stored as integers.
            const bool counts = found_.image.format < GST_TOMO_FORMAT_FLOAT16;
            if (const double white = found_.whole_beam(settings_); !flats && white > 0.0)
                find("white-level", Severity::information,
                     text("projections are corrected already, and %g counts are the whole beam", white),
                     "--white-level gives another number.");
            else if (!flats)
                find(
                    "no-flats",
                    counts || !settings_.flat_correction.is("auto") ? Severity::error : Severity::warning,
                    counts ? "the scan has no flats, and its projections are counts, not transmission"
                           : "the scan has no flats: projections are taken as they are",
                    "Name the flats by --flats. For corrected projections say --flat-correction off, and where these are "
                    "transmission --absorptivity.");
            else if (!found_.darks)
                find("no-darks", Severity::warning, "the scan has no darks: they are taken for 0",
                     "Name the darks by --darks.");
        }
        if (settings_.flat_correction.is("dynamic") && flats)
            judge_number_of_flats(found_.flats + found_.flats_after);
        judge_shifts();
        if (flats && !settings_.flat_correction.is("off"))
            judge_flats(layout, *flats);
        const auto numbers = chosen();
        for (const auto i : some_of(numbers.size())) {
            const auto view = samples_of(layout.projections, numbers[i]);
            check_image(view, "projection");
            if (view.saturated > most_saturated)
                find("saturated-projections", Severity::warning,
                     text("%.2g %% of the pixels of projection %zu are saturated", 100.0 * view.saturated,
                          numbers[i]),
                     "Attenuation is too small there; expose for a shorter time.");
        }
    }

    void judge_number_of_flats(std::size_t number) {
        const std::size_t least = std::max(least_flats, std::size_t{settings_.flat_components} + 1);
        if (number < few_flats || number < least)
            find("few-flats", number < least ? Severity::error : Severity::warning,
                 text("there are %zu flats to find principal components in; wanted at least %zu, and better "
                      "dozens",
                      number, least),
                 "Take more flats for --flat-correction dynamic, or correct by their mean, by "
                 "--flat-correction on.");
    }

    void judge_flats(const io::ScanLayout &layout, const io::ScanImages &flats) {
        const auto flat = samples_of(flats, 0);
        check_image(flat, "flat");
        if (flat.saturated > most_saturated)
            find("saturated-flats", Severity::warning,
                 text("%.2g %% of the first flat's pixels are saturated", 100.0 * flat.saturated),
                 "Expose flats for a shorter time.");
        double dark_mean = 0.0;
        if (found_.darks) {
            const auto dark = samples_of(layout.darks, 0);
            dark_mean = dark.mean;
            check_image(dark, "dark");
            if (flat.mean <= dark.mean)
                find("flats-below-darks", Severity::error,
                     text("the first flat is not brighter than the first dark: their means are %.6g and %.6g",
                          flat.mean, dark.mean),
                     "Look whether darks and flats are exchanged, and whether the beam was on.");
            else if (dark.values.size() == flat.values.size())
                judge_dead_pixels(flat, dark);
        }
        if (found_.flat_sets > 1)
            find(
                "flat-sets", Severity::information,
                text("flats were taken at %u times", found_.flat_sets + (found_.flats_after ? 1 : 0)),
                settings_.flat_correction.is("dynamic") ? "All of them count for the dynamic flats."
                : settings_.reduction_mode.is("median")
                    ? "The median is that of all before the last projection; --reduction-mode average keeps them apart."
                    : "Each projection takes those of the two times around it.");
        if (!found_.flats || !found_.flats_after)
            return;
        const double before = flat.mean - dark_mean,
                     after = samples_of(layout.flats_after, 0).mean - dark_mean;
        if (std::abs(after - before) > most_drift * std::abs(before))
            find("beam-drift", Severity::information,
                 text("the beam changed by %+.1f %% between the flats before and after",
                      100.0 * (after - before) / before),
                 "The flats of both times are interpolated.");
        if (!found_.monitor.is_usable || settings_.beam.is("none"))
            return;
        const double told = layout.beam.at(layout.flats_after.images.front().number) /
                            layout.beam.at(layout.flats.images.front().number);
        if (std::abs(after / before / told - 1.0) > most_drift)
            find(
                "monitor-differs", Severity::warning,
                text(
                    "the flats after have %.3g times the intensity of those before, but the monitor says %.3g",
                    after / before, told),
                "Look whether it measures this beam; --beam none leaves it out.");
    }

    void judge_dead_pixels(const Samples &flat, const Samples &dark) {
        std::size_t dead = 0;
        for (std::size_t i = 0; i < flat.values.size(); i++)
            dead += flat.values[i] <= dark.values[i];
        const double share = static_cast<double>(dead) / static_cast<double>(flat.values.size());
        if (share > most_dead)
            find("dead-pixels", Severity::warning,
                 text("%.2g %% of the pixels are no brighter in the first flat than in the first dark",
                      100.0 * share),
                 "They become 0; --y and --height leave rows out.");
    }

    void check_image(const Samples &samples, const char *kind) {
        constexpr double enough = 16e6; // bytes whose time says more of the disk than of the opening
        bytes_read_ += static_cast<double>(samples.info.size());
        seconds_ += samples.seconds;
        if (bytes_read_ > enough && seconds_ > 0.0)
            found_.reading_rate = bytes_read_ / seconds_;
        if (samples.info.width != found_.image.width || samples.info.height != found_.image.height)
            find("sizes", Severity::error,
                 text("a %s has %u x %u pixels, the first projection %u x %u", kind, samples.info.width,
                      samples.info.height, found_.image.width, found_.image.height),
                 "Images of one scan have one size; name those that belong together.");
        if (samples.not_finite > 0.0)
            find("not-finite", Severity::warning,
                 text("%.2g %% of the pixels of a %s are NaN or infinite", 100.0 * samples.not_finite, kind),
                 settings_.fix_nan_and_inf ? "They become 0." : "--fix-nan-and-inf makes them 0.");
    }

    // Angles from 0 to pi, of somebody who computes in radians, would be a fan of 3.14 degrees.
    void judge_unit() {
        constexpr std::size_t least = 8;
        const double covered = degrees(std::abs(found_.angle_last - found_.angle_first));
        const double step = degrees(std::abs(found_.angle_step));
        for (const double turn : {pi, 2.0 * pi})
            if (found_.views >= least && std::abs(covered - turn) < 1.5 * step)
                find("angles-in-radians", Severity::error,
                     text("the angles go from %g to %g degrees, as if they were radians",
                          degrees(found_.angle_first), degrees(found_.angle_last)),
                     "Give degrees.");
    }

    const Settings &settings_;
    Inspection found_;
    double bytes_read_ = 0.0, seconds_ = 0.0; // of images that were looked at
};

} // namespace

Inspection inspect(const Settings &settings, const DeviceMemory &device_memory) {
    return Inspector(settings).look(device_memory);
}

} // namespace tomo::reconstruction
