// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/reconstruction/report/chart.hpp>
#include <gst/reconstruction/report/html.hpp>
#include <gst/reconstruction/report/report.hpp>
#include <gst/reconstruction/report/result-picture.hpp>
#include <gst/reconstruction/sweep.hpp>
#include <gst/tomo/support/c-string.hpp>

#include <algorithm>
#include <cmath>

namespace tomo::reconstruction {

namespace {

constexpr unsigned most_side = 2000; // pixels of the mosaic in a page

std::string sharpness_chart(const Sweep &sweep, const std::vector<double> &sharpness, std::size_t best) {
    std::vector<std::pair<double, double>> points;
    Span x, y;
    for (std::size_t i = 0; i < sharpness.size(); i++)
        if (std::isfinite(sharpness[i])) {
            points.emplace_back(g_ascii_strtod(sweep.values[i].c_str(), nullptr), sharpness[i]);
            x.include(points.back().first);
            y.include(points.back().second);
        }
    std::sort(points.begin(), points.end());
    std::vector<double> axes, values;
    for (const auto &[axis, value] : points)
        axes.push_back(axis), values.push_back(value);
    Chart chart(x.with_margin(0.0), y.with_margin(0.08), sweep.name + " / px", "entropy / bit");
    chart.line("data", axes, values);
    for (const auto &[axis, value] : points)
        chart.point(axis, value, 0.0);
    chart.vertical("mark", g_ascii_strtod(sweep.values[best].c_str(), nullptr));
    const bool is_at_edge = axes.front() == g_ascii_strtod(sweep.values[best].c_str(), nullptr) ||
                            axes.back() == g_ascii_strtod(sweep.values[best].c_str(), nullptr);
    return "<h3>Entropy of the slices</h3>\n" + chart.svg("Entropy of each slice against the axis") +
           "<p class=\"soft\">Slices are sharpest where it is least, at " + escaped(sweep.label(best)) + "." +
           (is_at_edge ? " That is the end of the values: a wider range may have a sharper one." : "") +
           "</p>\n";
}

} // namespace

std::string sweep_section(const ReportFacts &facts) {
    const auto sweep = sweep_of(facts.settings);
    if (!sweep)
        return {};
    std::vector<std::string> labels;
    for (std::size_t i = 0; i < sweep->values.size(); i++)
        labels.push_back(sweep->label(i));
    const auto best = facts.record.sharpest();
    const auto mosaic = mosaic_of(facts.plan, labels, best, facts.scan.voxel_size(facts.settings), most_side);
    const CString data(
        g_base64_encode(reinterpret_cast<const guchar *>(mosaic.png.data()), mosaic.png.size()));
    std::string html =
        text("<figure class=\"mosaic\" data-columns=\"%u\" data-every=\"%u\" data-panel-width=\"%u\" "
             "data-panel-height=\"%u\" data-x=\"%u\" data-y=\"%u\" data-step-x=\"%u\" data-step-y=\"%u\" "
             "data-label-height=\"%u\">",
             mosaic.columns, mosaic.every, mosaic.panel_width, mosaic.panel_height, mosaic.x, mosaic.y,
             mosaic.step_x, mosaic.step_y, mosaic.label_height) +
        "<img style=\"max-width:100%;height:auto\" alt=\"" + escaped("Slices for " + sweep->name) +
        "\" data-black=\"" + digits(mosaic.grey.first, 9) + "\" data-white=\"" +
        digits(mosaic.grey.second, 9) + "\" src=\"data:image/png;base64," + data.get() + "\"><figcaption>" +
        escaped(text("The middle slice for %zu values, in rows from %s to %s", labels.size(),
                     labels.front().c_str(), labels.back().c_str()) +
                (mosaic.every > 1 ? text(", every %u of them", mosaic.every) : "") +
                "; all in one grey range.") +
        "</figcaption></figure>\n";
    if (best)
        html += sharpness_chart(*sweep, facts.record.sharpness, *best);
    Table table(best ? std::vector<std::string>{"Slice", "Value", "Entropy / bit"}
                     : std::vector<std::string>{"Slice", "Value"});
    for (std::size_t i = 0; i < labels.size(); i++) {
        std::vector<std::string> row{std::to_string(i), labels[i]};
        if (best)
            row.push_back(fixed(facts.record.sharpness.at(i), 4) + (i == *best ? ", the least" : ""));
        table.add(row);
    }
    return html + "<details><summary>All values</summary>" + table.html() + "</details>\n";
}

} // namespace tomo::reconstruction
