// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/reconstruction/report/chart.hpp>
#include <gst/reconstruction/report/html.hpp>

#include <algorithm>
#include <cmath>

namespace tomo::reconstruction {

namespace {

constexpr double width = 640.0, height = 260.0, left = 90.0, right = 12.0, top = 8.0, bottom = 46.0;

std::string place(double x, double y) { return fixed(x, 1) + "," + fixed(y, 1) + " "; }

// An attribute of an element.
std::string at(const char *name, double value) {
    return std::string(" ") + name + "=\"" + fixed(value, 1) + "\"";
}

std::string line_of(const char *kind, double x1, double y1, double x2, double y2) {
    return std::string("<line class=\"") + kind + "\"" + at("x1", x1) + at("y1", y1) + at("x2", x2) +
           at("y2", y2) + "/>\n";
}

std::string box_of(const char *kind, double x, double y, double across, double down) {
    return std::string("<rect class=\"") + kind + "\"" + at("x", x) + at("y", y) + at("width", across) +
           at("height", down) + "/>\n";
}

std::string words_at(double x, double y, const char *anchor, const std::string &words) {
    return "<text" + at("x", x) + at("y", y) + " text-anchor=\"" + anchor + "\">" + escaped(words) +
           "</text>\n";
}

} // namespace

void Span::include(double value) {
    if (!std::isfinite(value))
        return;
    least = is_empty ? value : std::min(least, value);
    largest = is_empty ? value : std::max(largest, value);
    is_empty = false;
}

Span Span::with_margin(double share) const {
    const double extent = largest - least,
                 margin = extent > 0.0 ? share * extent : std::max(std::abs(least) * 1e-3, 1e-12);
    return {least - margin, largest + margin, is_empty};
}

std::vector<double> ticks_of(const Span &span, unsigned about) {
    const double rough = (span.largest - span.least) / std::max(about, 1u);
    if (!(rough > 0.0) || !std::isfinite(rough))
        return {span.least};
    const double power = std::pow(10.0, std::floor(std::log10(rough))), digit = rough / power;
    const double step = power * (digit < 1.5 ? 1.0 : digit < 3.5 ? 2.0 : digit < 7.5 ? 5.0 : 10.0);
    std::vector<double> ticks;
    for (double n = std::ceil(span.least / step - 1e-9); n * step <= span.largest + 1e-9 * step; n++)
        ticks.push_back(n * step + 0.0);
    return ticks;
}

Chart::Chart(const Span &x, const Span &y, std::string x_title, std::string y_title)
    : x_(x), y_(y), x_title_(std::move(x_title)), y_title_(std::move(y_title)) {}

double Chart::column(double x) const {
    return left + (width - left - right) * std::clamp((x - x_.least) / (x_.largest - x_.least), 0.0, 1.0);
}

double Chart::row(double y) const {
    return height - bottom -
           (height - top - bottom) * std::clamp((y - y_.least) / (y_.largest - y_.least), 0.0, 1.0);
}

void Chart::line(const char *kind, const std::vector<double> &x, const std::vector<double> &y) {
    std::string points;
    for (std::size_t i = 0; i < std::min(x.size(), y.size()); i++)
        if (std::isfinite(x[i]) && std::isfinite(y[i]))
            points += place(column(x[i]), row(y[i]));
    inside_ += std::string("<polyline class=\"") + kind + "\" points=\"" + points + "\"/>\n";
}

void Chart::area(const std::vector<double> &x, const std::vector<double> &y) {
    if (x.empty())
        return;
    std::string points = place(column(x.front()), row(y_.least));
    for (std::size_t i = 0; i < x.size(); i++)
        points += place(column(x[i]), row(y[i]));
    points += place(column(x.back()), row(y_.least));
    inside_ += "<polygon class=\"area\" points=\"" + points + "\"/>\n";
}

void Chart::point(double x, double y, double uncertainty) {
    inside_ += line_of("data", column(x), row(y - uncertainty), column(x), row(y + uncertainty)) +
               "<circle class=\"point\"" + at("cx", column(x)) + at("cy", row(y)) + at("r", 3.5) + "/>\n";
}

void Chart::band(double from, double to) {
    inside_ += box_of("band", column(from), top, column(to) - column(from), height - top - bottom);
}

void Chart::vertical(const char *kind, double x) {
    inside_ += line_of(kind, column(x), top, column(x), height - bottom);
}

std::string Chart::svg(const std::string &title) const {
    const double right_edge = width - right, bottom_edge = height - bottom;
    std::string svg = "<svg class=\"chart\" viewBox=\"0 0 " + fixed(width, 0) + " " + fixed(height, 0) +
                      "\" role=\"img\" aria-label=\"" + escaped(title) + "\">\n";
    for (const double x : ticks_of(x_, 7))
        svg += line_of("grid", column(x), top, column(x), bottom_edge) +
               words_at(column(x), bottom_edge + 16.0, "middle", digits(x, 7));
    for (const double y : ticks_of(y_, 5))
        if (!logarithms_ || y == std::round(y))
            svg += line_of("grid", left, row(y), right_edge, row(y)) +
                   words_at(left - 7.0, row(y) + 4.0, "end", digits(logarithms_ ? std::pow(10.0, y) : y, 7));
    svg += inside_ + box_of("frame", left, top, right_edge - left, bottom_edge - top);
    svg += words_at((left + right_edge) / 2, height - 8.0, "middle", x_title_);
    svg += "<text transform=\"translate(14 " + fixed((top + bottom_edge) / 2, 1) +
           ") rotate(-90)\" text-anchor=\"middle\">" + escaped(y_title_) + "</text>\n";
    return svg + "</svg>\n";
}

} // namespace tomo::reconstruction
