// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/reconstruction/report/chart.hpp>
#include <gst/reconstruction/report/html.hpp>
#include <gst/reconstruction/report/report.hpp>
#include <gst/reconstruction/sweep.hpp>

#include <algorithm>
#include <cmath>

namespace tomo::reconstruction {

using Course = IterationRecord::Course;
using Iteration = IterationRecord::Iteration;

void IterationRecord::add(const std::string &label, const std::vector<double> &residuals,
                          const std::vector<double> &seconds) {
    auto course =
        std::find_if(courses_.begin(), courses_.end(), [&](const auto &c) { return c.label == label; });
    if (course == courses_.end())
        course = courses_.insert(courses_.end(), {label, 0, {}});
    course->slices++;
    auto &iterations = course->iterations;
    for (std::size_t i = 0; i < residuals.size(); i++) {
        const double residual = residuals[i];
        if (i == iterations.size())
            iterations.push_back({residual, residual, 0.0, 0.0, 0});
        auto &one = iterations[i];
        one.least = std::min(one.least, residual);
        one.largest = std::max(one.largest, residual);
        one.sum += residual;
        one.seconds += i < seconds.size() ? seconds[i] : 0.0;
        one.slices++;
    }
}

std::string residuals_text(const Course &course) {
    const auto &first = course.iterations.front(), &last = course.iterations.back();
    const auto count = course.iterations.size();
    std::string said = text("the residual |b - A x| / |b| came from %.4g to %.4g in %zu iteration%s",
                            first.mean(), last.mean(), count, count == 1 ? "" : "s");
    if (course.slices > 1)
        said += text(" (means of %zu slices, whose last ones are %.4g to %.4g)", course.slices, last.least,
                     last.largest);
    return said;
}

namespace {

constexpr std::size_t colours = 6, most_lines = 12, most_rows = 100;

// How a line of the chart looks, in the chart and in front of its name.
std::string look_of(std::size_t number) {
    return text("series s%zu%s", number % colours, number / colours ? " dashed" : "");
}

std::string chart_of(const std::vector<Course> &courses) {
    double least = HUGE_VAL, largest = 0.0;
    std::size_t most = 2;
    for (std::size_t c = 0; c < std::min(courses.size(), most_lines); c++) {
        most = std::max(most, courses[c].iterations.size());
        for (const auto &one : courses[c].iterations)
            for (const double value : {one.least, one.largest})
                if (std::isfinite(value) && value > 0.0) {
                    least = std::min(least, value);
                    largest = std::max(largest, value);
                }
    }
    if (!(least <= largest))
        return {};
    constexpr double decade = 10.0;
    const bool is_wide = largest >= decade * least;
    const auto height = [&](double value) { return is_wide ? std::log10(value) : value; };
    Span y;
    y.include(is_wide ? std::floor(std::log10(least)) : 0.0);
    y.include(height(largest));
    if (is_wide)
        y.largest += 0.05 * (y.largest - y.least);
    else
        y.largest *= 1.05;
    Chart chart({1.0, static_cast<double>(most), false}, y, "iteration", "|b - A x| / |b|");
    if (is_wide)
        chart.has_logarithms();
    for (std::size_t c = 0; c < std::min(courses.size(), most_lines); c++) {
        std::vector<double> number, low, mean, high;
        for (const auto &one : courses[c].iterations) {
            number.push_back(static_cast<double>(number.size() + 1));
            low.push_back(height(one.least));
            mean.push_back(height(one.mean()));
            high.push_back(height(one.largest));
        }
        if (courses.size() == 1 && courses[c].slices > 1)
            for (const auto &edge : {low, high})
                chart.line("range", number, edge);
        chart.line(look_of(c).c_str(), number, mean);
        if (number.size() == 1)
            chart.point(number.front(), mean.front(), 0.0);
    }
    return chart.svg("Residual against the iteration");
}

std::string seconds_text(double seconds) { return digits(seconds, 3) + " s"; }

// All of them, or as many as a page takes.
std::string table_of(const Course &course) {
    const auto count = course.iterations.size();
    const auto step = (count + most_rows - 1) / most_rows;
    const bool has_range = course.slices > 1;
    Table table(has_range
                    ? std::vector<std::string>{"Iteration", "Mean residual", "Least", "Largest", "Behind it"}
                    : std::vector<std::string>{"Iteration", "Residual", "Behind it"});
    for (std::size_t i = 0; i < count; i += i + step < count || i + 1 == count ? step : count - 1 - i) {
        const auto &one = course.iterations[i];
        std::vector<std::string> row{std::to_string(i + 1), digits(one.mean(), 5)};
        if (has_range)
            row.insert(row.end(), {digits(one.least, 5), digits(one.largest, 5)});
        row.push_back(seconds_text(one.seconds / static_cast<double>(one.slices)));
        table.add(row);
    }
    return "<details><summary>" +
           std::string(step > 1 ? text("Every %zu iterations", step) : "All iterations") + "</summary>" +
           table.html() + "</details>\n";
}

} // namespace

std::string iterations_section(const ReportFacts &facts) {
    const auto &courses = facts.record.iterations.courses();
    if (courses.empty())
        return {};
    const bool is_swept = facts.settings.sweep.is_given();
    Table table({is_swept ? "Value" : "Method", "Slices", "Iterations", "First residual", "Last residual",
                 "Time of an iteration"});
    std::string legend;
    for (std::size_t c = 0; c < courses.size(); c++) {
        const auto &course = courses[c];
        const auto &first = course.iterations.front(), &last = course.iterations.back();
        const auto name = is_swept ? course.label : facts.settings.method.value();
        table.add({name, std::to_string(course.slices), std::to_string(course.iterations.size()),
                   digits(first.mean(), 4),
                   digits(last.mean(), 4) + (course.slices > 1 ? " (" + digits(last.least, 4) + " to " +
                                                                     digits(last.largest, 4) + ")"
                                                               : ""),
                   seconds_text(last.seconds / static_cast<double>(last.slices * course.iterations.size()))});
        if (courses.size() > 1 && c < most_lines)
            legend += "<span class=\"" + look_of(c) + "\">" + escaped(name) + "</span> ";
    }
    return chart_of(courses) + (legend.empty() ? "" : "<p class=\"legend\">" + legend + "</p>\n") +
           "<p class=\"soft\">b are the projections, A x those of the slices x" +
           std::string(courses.size() == 1 && courses.front().slices > 1
                           ? "; the mean of all slices, and thin the least and the largest one of them"
                           : "") +
           (courses.size() > most_lines ? text("; the first %zu of %zu values", most_lines, courses.size())
                                        : "") +
           ". Times are those of slices that are made together.</p>\n" + table.html() +
           (courses.size() == 1 ? table_of(courses.front()) : "");
}

} // namespace tomo::reconstruction
