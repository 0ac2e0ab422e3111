// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/reconstruction/chain.hpp>
#include <gst/reconstruction/general-volume.hpp>
#include <gst/reconstruction/heights.hpp>
#include <gst/reconstruction/report/chart.hpp>
#include <gst/reconstruction/report/html.hpp>
#include <gst/reconstruction/report/report.hpp>
#include <gst/tomo/geometry/degrees.hpp>
#include <gst/tomo/support/c-string.hpp>
#include <gst/tomo/support/median.hpp>

#include <algorithm>
#include <cmath>
#include <functional>
#include <iterator>

#include <sys/resource.h>

namespace tomo::reconstruction {

void RunRecord::begin(const std::string &stage, double paused) {
    end(paused);
    paused_before_ = paused;
    stages_.push_back({stage, 0.0});
    since_ = Clock::now();
    is_open_ = true;
}

void RunRecord::end(double paused) {
    if (is_open_)
        stages_.back().seconds =
            std::chrono::duration<double>(Clock::now() - since_).count() - (paused - paused_before_);
    is_open_ = false;
}

std::optional<std::size_t> RunRecord::sharpest() const {
    std::optional<std::size_t> best;
    for (std::size_t i = 0; i < sharpness.size(); i++)
        if (std::isfinite(sharpness[i]) && (!best || sharpness[i] < sharpness[*best]))
            best = i;
    const bool differs = best && std::any_of(sharpness.begin(), sharpness.end(),
                                             [&](double value) { return value > sharpness[*best]; });
    return differs ? best : std::nullopt;
}

namespace {

std::string count(double number) { return fixed(number, 0); }

std::string size_text(double bytes) {
    return bytes >= 1e9 ? digits(bytes / 1e9, 4) + " GB" : digits(bytes / 1e6, 4) + " MB";
}

std::string seconds_text(double seconds) {
    if (seconds < 100.0)
        return digits(seconds, 3) + " s";
    const auto whole = static_cast<long>(std::lround(seconds));
    return whole < 3600 ? text("%ld min %ld s", whole / 60, whole % 60)
                        : text("%ld h %ld min", whole / 3600, whole / 60 % 60);
}

std::string length_text(double metres) {
    if (std::isnan(metres))
        return {};
    return metres < 1e-3  ? digits(metres * 1e6, 5) + " \xc2\xb5m"
           : metres < 1.0 ? digits(metres * 1e3, 5) + " mm"
                          : digits(metres, 5) + " m";
}

std::string with_uncertainty(double value, double uncertainty, const char *unit) {
    if (!std::isfinite(uncertainty))
        return digits(value, 7) + unit;
    // Two digits of the uncertainty, and the value as far.
    const int decimals =
        uncertainty > 0.0 ? std::clamp(1 - static_cast<int>(std::floor(std::log10(uncertainty))), 0, 6) : 3;
    return fixed(value, decimals) + " \xc2\xb1 " + fixed(uncertainty, decimals) + unit;
}

const char *origin_text(const std::string &from) {
    return from == "given"     ? "given by the user"
           : from == "scan"    ? "told by the scan"
           : from == "found"   ? "found in the views"
           : from == "assumed" ? "assumed: the middle of the detector"
                               : "";
}

std::string section(const char *name, const char *title, const std::function<std::string()> &make) {
    std::string body;
    try {
        body = make();
    } catch (const std::exception &e) {
        body = std::string("<ul class=\"messages\"><li class=\"warning\">This part could not be made: ") +
               escaped(e.what()) + "</li></ul>\n";
    }
    if (body.empty())
        return {};
    return std::string("<section id=\"") + name + "\">\n<h2>" + title + "</h2>\n" + body + "</section>\n";
}

std::string version() {
    const ObjectRef<GstElementFactory> factory(gst_element_factory_find("tomobackproject"));
    const auto *feature = factory ? GST_PLUGIN_FEATURE(factory.get()) : nullptr;
    const ObjectRef<GstPlugin> plugin(
        feature ? gst_plugin_feature_get_plugin(const_cast<GstPluginFeature *>(feature)) : nullptr);
    return plugin ? gst_plugin_get_version(plugin.get()) : "";
}

std::string now() {
    const std::unique_ptr<GDateTime, decltype(&g_date_time_unref)> time(g_date_time_new_now_local(),
                                                                        g_date_time_unref);
    const CString written(g_date_time_format(time.get(), "%Y-%m-%d %H:%M:%S %z"));
    return written.get();
}

class Report {
  public:
    explicit Report(const ReportFacts &facts)
        : settings_(facts.settings), scan_(facts.scan), plan_(facts.plan), record_(facts.record),
          facts_(facts) {
        for (const auto &stage : record_.stages())
            seconds_ += stage.seconds;
    }

    std::string page() const {
        std::string body =
            header() + tiles() + section("messages", "Warnings and notes", [&] { return messages(); });
        if (facts_.has_result && settings_.sweep.empty())
            body += section("slices", "Slices", [&] { return slices_section(facts_); });
        else if (facts_.has_result)
            body += section("sweep", "Slices for each value", [&] { return sweep_section(facts_); });
        body += section("iterations", "Iterations", [&] { return iterations_section(facts_); });
        body += section("scan", "Scan", [&] { return scan(); });
        body += section("heights", "Heights", [&] { return heights(); });
        body += section("axis", "Rotation axis", [&] { return axis(); });
        body += section("sinograms", "Sinogram of the middle row", [&] { return sinograms_section(facts_); });
        body += section("course", "Times and rates", [&] { return course(); });
        body += section("result", "Result", [&] { return result(); });
        body += section("configuration", "Configuration", [&] { return configuration(); });
        return page_of("Reconstruction of " + short_name(), body);
    }

  private:
    bool is_complete() const { return record_.status == "done"; }
    double images() const { return is_complete() ? plan_.shape.depth : record_.images; }
    double made() const { return images() - record_.images_before; } // by this run

    // Messages that are no findings of the inspection, which stand with their advice.
    bool is_finding(const RunRecord::Message &message) const {
        return std::any_of(scan_.findings.begin(), scan_.findings.end(), [&](const Finding &finding) {
            return message.text.compare(0, finding.text.size(), finding.text) == 0;
        });
    }

    std::string short_name() const {
        const auto base = [](const std::string &path) {
            const CString name(g_path_get_basename(path.c_str()));
            return std::string(name.get());
        };
        if (settings_.stitch.empty())
            return base(settings_.source());
        const auto scans = scans_of(settings_);
        return base(scans.front()) + " to " + base(scans.back());
    }

    std::string header() const {
        const bool is_failure = record_.status == "failed" || record_.status == "aborted";
        std::string html = "<header>\n<h1>" + escaped(short_name()) + " <span class=\"status" +
                           (is_complete() ? ""
                            : is_failure  ? " error"
                                          : " warning") +
                           "\">" + escaped(is_complete() ? "complete" : record_.status) + "</span></h1>\n";
        return html + "<p class=\"soft\">Reconstruction by gst-tomo " + escaped(version()) + ", " +
               escaped(now()) + ", to <code>" + escaped(plan_.output) + "</code></p>\n</header>\n";
    }

    std::string tiles() const {
        std::string html = "<div class=\"tiles\">\n";
        const auto tile = [&](const std::string &value, const std::string &what) {
            html +=
                "<div class=\"tile\"><b>" + escaped(value) + "</b><span>" + escaped(what) + "</span></div>\n";
        };
        tile(is_complete() ? count(images()) : count(images()) + " of " + count(plan_.shape.depth),
             text("slices of %u \xc3\x97 %u", plan_.shape.width, plan_.shape.height));
        tile(count(static_cast<double>(scan_.views)),
             (plan_.turns > 1 ? "projections of a turn, over " : "projections over ") +
                 digits(degrees(scan_.range()), 4) + "\xc2\xb0");
        if (!plan_.axis.from.empty())
            tile(fixed(plan_.axis.position, 2) + " px", std::string("axis, ") + plan_.axis.from);
        if (!std::isnan(scan_.pixel_size))
            tile(length_text(scan_.voxel_size(settings_)), "voxel");
        tile(seconds_text(seconds_), "in all");
        if (const double seconds = seconds_of("reconstruct"); seconds > 0.0 && made() > 0.0)
            tile(digits(made() / seconds, 3) + "/s", "slices");
        return html + "</div>\n";
    }

    std::string messages() const {
        std::string html;
        const auto item = [&](const std::string &level, const std::string &inside) {
            html += "<li class=\"" + escaped(level) + "\">" + inside + "</li>\n";
        };
        if (!is_complete())
            item(record_.status == "finished early" ? "warning" : "error",
                 "<b>The run did not come to its end.</b> " +
                     escaped(text("%.0f of %u slices were made.", images(), plan_.shape.depth)) +
                     (facts_.has_result ? "" : " There is no result yet.") +
                     " The same with <code>--resume</code> goes on from there.");
        for (const auto *level : {"error", "warning", "info"}) {
            for (const auto &finding : scan_.findings)
                if (std::string(level) == finding.severity_name())
                    item(level, "<b>" + escaped(finding.text) + ".</b> " + escaped(finding.advice) +
                                    " <code>" + escaped(finding.name) + "</code>");
            for (const auto &message : record_.messages())
                if (message.level == level && !is_finding(message))
                    item(level,
                         escaped((message.element.empty() ? "" : message.element + ": ") + message.text));
        }
        return html.empty() ? "<p>None.</p>\n" : "<ul class=\"messages\">\n" + html + "</ul>\n";
    }

    std::string scan() const {
        const auto number = [](std::size_t n) { return count(static_cast<double>(n)); };
        const std::string format = gst_tomo_format_to_string(scan_.image.format);
        FactTable facts;
        facts.add("Scan", scan_.name);
        facts.add("Files", number(scan_.files));
        if (scan_.is_sinograms) {
            facts.add("Sinograms", text("%u of %u columns and %zu projections, %s", scan_.image.height,
                                        scan_.image.width, scan_.projections, format.c_str()));
        } else {
            facts.add("Projections", text("%zu of %u \xc3\x97 %u px, %s, ", scan_.projections,
                                          scan_.image.width, scan_.image.height, format.c_str()) +
                                         size_text(static_cast<double>(scan_.image.size()) *
                                                   static_cast<double>(scan_.projections)));
            if (scan_.views != scan_.projections)
                facts.add("of them taken", number(scan_.views));
            facts.add("Flats", scan_.flats_after
                                   ? text("%zu before, %zu after", scan_.flats, scan_.flats_after)
                                   : number(scan_.flats));
            facts.add("Darks", number(scan_.darks));
        }
        if (is_general(settings_, scan_)) {
            facts.add("Geometry", GeneralVolume(settings_, scan_, plan_.axis.position).description());
        } else {
            const auto rows = scan_.rows(settings_);
            facts.add("Rows",
                      text("%u to %u of %u", rows.first, rows.first + rows.span() - 1, scan_.image.height) +
                          (rows.step > 1 ? text(", every %u", rows.step) : ""));
        }
        facts.add("Angles", fixed(degrees(scan_.angle_first), 3) + "\xc2\xb0 to " +
                                fixed(degrees(scan_.angle_last), 3) + "\xc2\xb0, step " +
                                fixed(degrees(scan_.angle_step), 4) + "\xc2\xb0" +
                                (scan_.steps_are_even ? "" : " on average") + " (" + scan_.angles_from + ")");
        facts.add("Axis in the file", std::isnan(scan_.axis) ? "not told" : digits(scan_.axis, 7) + " px");
        facts.add("Pixel size", length_text(scan_.pixel_size));
        facts.add("Field of view", std::isnan(scan_.pixel_size)
                                       ? ""
                                       : length_text(scan_.pixel_size * scan_.image.width) + " \xc3\x97 " +
                                             length_text(scan_.pixel_size * scan_.image.height));
        facts.add("Energy", std::isnan(scan_.energy) ? "" : digits(scan_.energy, 6) + " keV");
        facts.add("Distance to the detector", length_text(scan_.distance));
        facts.add("Distance from the source", length_text(scan_.source_distance));
        return facts.html();
    }

    // Where the parts of the volume come from.
    std::string heights() const {
        if (scan_.heights.empty())
            return {};
        Table table({"Scan", "Rows of the volume", "Shared with the one above", "Axis", "Roll"});
        for (const auto &height : scan_.heights) {
            const auto &displaced = height.displaced;
            std::string shared;
            if (!displaced.from.empty())
                shared = digits(height.overlap, 6) + " rows, " +
                         (displaced.from == "views" ? "by the views" : origin_text(displaced.from));
            if (!std::isnan(displaced.by_views))
                shared += "; the views say " +
                          with_uncertainty(height.overlap_by_views(), displaced.uncertainty, "");
            table.add({height.name, digits(height.top, 6) + " to " + digits(height.top + height.rows, 6),
                       shared, fixed(height.axis, 2) + " px, " + origin_text(height.axis_from),
                       digits(height.roll, 4) + "\xc2\xb0"});
        }
        return table.html() +
               "<p class=\"soft\">Slices of two scans pass into each other in the rows that both "
               "see, by " +
               settings_.stitch_weights.value() + " weights.</p>\n";
    }

    std::string axis() const {
        FactTable facts;
        if (!plan_.axis.from.empty())
            facts.add("Axis in force",
                      fixed(plan_.axis.position, 3) + " px, " + origin_text(plan_.axis.from));
        if (!facts_.estimate)
            return facts.html();
        const auto &estimate = *facts_.estimate;
        if (!std::isfinite(estimate.axis)) {
            facts.add("Estimate", estimate.failure.empty() ? "none" : estimate.failure);
            return facts.html() + methods();
        }
        facts.add("Estimate at the middle row", with_uncertainty(estimate.axis, estimate.uncertainty, " px"));
        if (estimate.tilt_uncertainty > 0.0) // one row tells none
            facts.add("Tilt", with_uncertainty(estimate.tilt_degrees(), estimate.tilt_uncertainty_degrees(),
                                               "\xc2\xb0"));
        facts.add("Method", estimate.method);
        if (!estimate.side.empty())
            facts.add("Side of the detector", estimate.side);
        if (!estimate.rows.empty())
            facts.add("Rows that agree", text("%zu of %zu", estimate.used, estimate.rows.size()));
        if (estimate.pairs)
            facts.add("Pairs of mirrored views", count(static_cast<double>(estimate.pairs)));
        if (!std::isnan(estimate.axis_of_scan))
            facts.add("Axis in the file", digits(estimate.axis_of_scan, 7) + " px");
        return facts.html() + methods() + "<div class=\"pair\">\n" + axis_of_rows() + axis_curve() +
               "</div>\n";
    }

    // The axis in each row, and the line through them.
    std::string axis_of_rows() const {
        const auto &estimate = *facts_.estimate;
        const double height = scan_.image.height, middle = height / 2.0;
        const std::vector<double> ends = {0.0, height};
        const std::vector<double> fit = {estimate.axis - estimate.tilt * middle,
                                         estimate.axis + estimate.tilt * middle};
        // Rows without an estimate or far off would hide the others.
        std::vector<AxisOfRow> rows;
        for (const auto &row : estimate.rows)
            if (std::isfinite(row.axis) && std::isfinite(row.uncertainty))
                rows.push_back(row);
        if (rows.empty())
            return {};
        const auto distance = [&](const AxisOfRow &row) {
            return std::abs(row.axis - estimate.axis - estimate.tilt * (row.row - middle));
        };
        std::vector<double> distances;
        std::transform(rows.begin(), rows.end(), std::back_inserter(distances), distance);
        const double most = std::max(8.0 * median(distances), 0.5);
        Span y;
        std::size_t outside = 0;
        for (const double value : fit)
            y.include(value);
        for (const auto &row : rows) {
            const bool is_shown = distance(row) <= most;
            outside += !is_shown;
            for (const double sign : {-1.0, 1.0})
                if (is_shown)
                    y.include(row.axis + sign * std::min(row.uncertainty, most));
        }
        Chart chart({0.0, height, false}, y.with_margin(0.1), "row of the detector / px", "axis / px");
        chart.line("fit", ends, fit);
        for (const auto &row : rows)
            if (distance(row) <= most)
                chart.point(row.row, row.axis, row.uncertainty);
        return "<div><h3>Axis in each row that was examined</h3>\n" +
               chart.svg("Position of the axis against the row of the detector") +
               "<p class=\"soft\">Bars are one standard deviation; the line is the axis with its tilt." +
               (outside ? escaped(text(" %zu rows lie outside of the diagram.", outside)) : "") +
               "</p></div>\n";
    }

    // Where several methods were tried.
    std::string methods() const {
        Table table({"Method", "Axis", "Tilt"});
        for (const auto &one : facts_.estimate->by_method)
            if (one.failure.empty())
                table.add(
                    {one.method, with_uncertainty(one.axis, one.uncertainty, " px"),
                     one.tilt_uncertainty > 0.0
                         ? with_uncertainty(degrees(one.tilt), degrees(one.tilt_uncertainty), "\xc2\xb0")
                         : ""});
            else
                table.add({one.method, one.failure, ""});
        return table.is_empty() ? "" : "<h3>Methods that were tried</h3>\n" + table.html();
    }

    // The criterion of a method, where it keeps that.
    std::string axis_curve() const {
        const auto &curve = facts_.estimate->curve;
        if (curve.axes.size() < 3 || curve.axes.size() != curve.values.size())
            return {};
        Span x, y;
        for (std::size_t i = 0; i < curve.axes.size(); i++)
            x.include(curve.axes[i]), y.include(curve.values[i]);
        if (x.is_empty || y.is_empty)
            return {};
        Chart chart(x.with_margin(0.0), y.with_margin(0.08), "axis / px", "criterion");
        std::vector<std::pair<double, double>> points;
        for (std::size_t i = 0; i < curve.axes.size(); i++)
            points.emplace_back(curve.axes[i], curve.values[i]);
        std::sort(points.begin(), points.end());
        std::vector<double> axes, values;
        for (const auto &[axis, value] : points)
            axes.push_back(axis), values.push_back(value);
        chart.line("data", axes, values);
        if (facts_.estimate->axis >= x.least && facts_.estimate->axis <= x.largest)
            chart.vertical("mark", facts_.estimate->axis);
        return "<div><h3>Criterion of " + escaped(curve.method) + " in row " + escaped(digits(curve.row, 6)) +
               "</h3>\n" + chart.svg("Criterion against the axis") +
               "<p class=\"soft\">Least at the axis; the dashed line is the estimate.</p></div>\n";
    }

    double seconds_of(const std::string &stage) const {
        double seconds = 0.0;
        for (const auto &one : record_.stages())
            if (one.name == stage)
                seconds += one.seconds;
        return seconds;
    }

    std::string course() const {
        Table table({"Stage", "Time", "Work", "Rate"});
        for (const auto &stage : record_.stages()) {
            std::string name = stage.name, work, rate;
            const double seconds = std::max(stage.seconds, 1e-6);
            if (stage.name == "inspect") {
                name = "Inspection";
                work = count(static_cast<double>(scan_.files)) + (scan_.files == 1 ? " file" : " files");
            } else if (stage.name == "axis") {
                name = "Axis";
                if (facts_.estimate)
                    work = count(static_cast<double>(facts_.estimate->rows.size())) + " rows";
            } else if (stage.name == "align") {
                name = "Alignment";
                work = count(static_cast<double>(scan_.views)) + " projections";
            } else if (stage.name == "reconstruct") {
                name = "Reconstruction";
                const double slices = made(), views = static_cast<double>(scan_.views);
                const double updates = slices * static_cast<double>(plan_.shape.plane_samples()) * views;
                work = count(slices) + " slices";
                rate = digits(slices / seconds, 3) + " slices/s, " + digits(updates / seconds / 1e9, 3) +
                       "\xc2\xb7"
                       "10\xe2\x81\xb9 updates/s";
            } else if (stage.name == "join") {
                name = "Joining of slabs";
                work = size_text(static_cast<double>(plan_.shape.size()));
                rate = size_text(static_cast<double>(plan_.shape.size()) / seconds) + "/s";
            }
            table.add({name, seconds_text(stage.seconds), work, rate});
        }
        table.add({"All", seconds_text(seconds_), "", ""});
        FactTable facts;
        if (plan_.seconds > 0.0)
            facts.add("Expected", seconds_text(plan_.seconds));
        facts.add("Device", plan_.device);
        facts.add("Driver", plan_.driver);
        if (!record_.devices.empty())
            facts.add("Images by device", record_.devices);
        rusage used{};
        if (getrusage(RUSAGE_SELF, &used) == 0)
            facts.add("Most memory of the process", size_text(static_cast<double>(used.ru_maxrss) * 1024.0));
        facts.add("Slabs", plan_.slabs.size() > 1 ? count(static_cast<double>(plan_.slabs.size())) : "");
        facts.add("Computer", text("%s, %u processors", g_get_host_name(), g_get_num_processors()));
        facts.add("gst-tomo", version());
        const CString gstreamer(gst_version_string());
        facts.add("GStreamer", gstreamer.get());
        return table.html() + facts.html() +
               "<p class=\"soft\">An update is the contribution of one projection to one voxel.</p>\n";
    }

    std::string result() const {
        FactTable facts;
        for (const auto &output : plan_.outputs())
            if (facts_.has_result)
                facts.add("Written to", output);
        facts.add("Shape", text("%u slices of %u \xc3\x97 %u", plan_.shape.depth, plan_.shape.width,
                                plan_.shape.height));
        if (plan_.turns > 1)
            facts.add("Turns", text("%u, with a volume of %u slices each", plan_.turns,
                                    plan_.shape.depth / plan_.turns));
        facts.add("Samples", std::string(gst_tomo_format_to_string(plan_.shape.format)) + ", " +
                                 size_text(static_cast<double>(plan_.shape.size())));
        if (!std::isnan(scan_.pixel_size)) {
            const double voxel = scan_.voxel_size(settings_);
            const double spacing = scan_.slice_spacing(settings_);
            facts.add("Voxel",
                      length_text(voxel) +
                          (spacing != 1.0 ? ", and " + length_text(voxel * spacing) + " along z" : ""));
        }
        return facts.html();
    }

    std::string configuration() const {
        Table given({"Parameter", "Value", "Meaning"});
        for (const auto *parameter : settings_.all())
            if (parameter->is_given()) {
                const std::string unit = parameter->about().unit;
                given.add({parameter->name(), parameter->text() + (unit.empty() ? "" : " " + unit),
                           parameter->about().blurb});
            }
        std::string html = given.is_empty() ? "<p>All parameters have their defaults.</p>\n" : given.html();
        html += "<details><summary>The whole configuration, for <code>tomo-reconstruct run "
                "--config</code></summary><pre class=\"wrapped\">" +
                escaped(settings_.configuration()) + "</pre></details>\n";
        html +=
            "<details><summary>The dataflow, for <code>tomo-launch</code></summary><pre class=\"wrapped\">" +
            escaped(plan_.slabs.front().line) + "</pre></details>\n";
        return html;
    }

    const Settings &settings_;
    const Inspection &scan_;
    const Plan &plan_;
    const RunRecord &record_;
    const ReportFacts &facts_;
    double seconds_ = 0.0; // of all stages
};

} // namespace

std::string report_of(const ReportFacts &facts) { return Report(facts).page(); }

} // namespace tomo::reconstruction
