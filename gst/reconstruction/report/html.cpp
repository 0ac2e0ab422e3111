// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/reconstruction/report/html.hpp>
#include <gst/tomo/support/c-string.hpp>

#include <charconv>
#include <cmath>
#include <glib.h>

namespace tomo::reconstruction {

namespace {

constexpr char style[] = R"(
:root { color-scheme: light dark; --page: #f5f6f8; --card: #fff; --text: #1c2430; --soft: #5d6878;
  --line: #dde1e7; --accent: #0b62a8; --second: #c2560c; --warn: #8a5300; --warn-back: #fff4dc;
  --bad: #a3201d; --bad-back: #fde8e7; --good: #1d6b3a; --good-back: #e3f4e8; }
@media (prefers-color-scheme: dark) { :root { --page: #12161c; --card: #1b212a; --text: #e5e9ef; --soft: #9aa6b5;
  --line: #323b48; --accent: #6db8f5; --second: #f3a25f; --warn: #f4c976; --warn-back: #3a2e14;
  --bad: #f6a09c; --bad-back: #431d1c; --good: #8bd7a4; --good-back: #17351f; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
main { max-width: 1120px; margin: 0 auto; padding: 28px 24px 48px; }
h1 { font-size: 26px; line-height: 1.25; margin: 0 0 4px; overflow-wrap: anywhere; }
h2 { font-size: 18px; margin: 0 0 12px; }
h3 { font-size: 15px; margin: 16px 0 8px; }
p { margin: 0 0 10px; overflow-wrap: anywhere; }
.soft, figcaption { color: var(--soft); }
header { margin-bottom: 20px; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 18px 20px;
  margin-bottom: 18px; }
.status { display: inline-block; border-radius: 999px; padding: 1px 11px; font-size: 13px; font-weight: 600;
  color: var(--good); background: var(--good-back); vertical-align: middle; }
.status.warning { color: var(--warn); background: var(--warn-back); }
.status.error { color: var(--bad); background: var(--bad-back); }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px; margin-bottom: 18px; }
.tile { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 10px 14px; }
.tile b { display: block; font-size: 19px; line-height: 1.3; font-weight: 600; }
.tile span { color: var(--soft); font-size: 13px; }
ul.messages { list-style: none; margin: 0; padding: 0; }
ul.messages li:last-child { margin-bottom: 0; }
ul.messages li { border-radius: 7px; padding: 7px 12px; margin-bottom: 7px; overflow-wrap: anywhere;
  border: 1px solid var(--line); }
ul.messages li.warning { color: var(--warn); background: var(--warn-back); border-color: transparent; }
ul.messages li.error { color: var(--bad); background: var(--bad-back); border-color: transparent; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; vertical-align: top; padding: 4px 14px 4px 0; border-top: 1px solid var(--line);
  overflow-wrap: anywhere; }
tr:first-child > * { border-top: 0; }
thead th { white-space: nowrap; color: var(--soft); font-size: 13px; font-weight: 600; }
tbody tr:first-child > * { border-top: 1px solid var(--line); }
table.facts tbody tr:first-child > * { border-top: 0; }
table.facts th { width: 12em; font-weight: 400; color: var(--soft); }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(400px, 100%), 1fr)); gap: 20px; }
.slices { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(300px, 100%), 1fr)); gap: 18px;
  align-items: start; margin-bottom: 14px; }
.slices.flat { grid-template-columns: minmax(0, 5fr) minmax(0, 6fr); grid-template-rows: auto 1fr; }
.slices.flat figure:first-child { grid-row: span 2; }
figure { margin: 0; min-width: 0; }
figcaption { font-size: 13px; margin-top: 6px; }
figcaption b { color: var(--text); font-weight: 600; }
.picture { position: relative; background: #000; border: 1px solid var(--line); border-radius: 4px; overflow: hidden; line-height: 0; }
.picture img { width: 100%; height: 100%; display: block; print-color-adjust: exact; }
.picture img.few { image-rendering: pixelated; }
.scale { position: absolute; left: 10px; bottom: 8px; line-height: 1; text-align: center; color: #fff; font-size: 12px;
  text-shadow: 0 0 3px #000, 0 0 3px #000; }
.scale i { display: block; height: 4px; background: #fff; box-shadow: 0 0 0 1px #000; margin-top: 3px;
  print-color-adjust: exact; }
svg.chart { display: block; width: 100%; height: auto; max-width: 720px; color: var(--soft); overflow: visible; }
svg.chart text { font: 13px system-ui, "DejaVu Sans", sans-serif; fill: currentColor; }
svg.chart .frame { stroke: currentColor; fill: none; stroke-width: 1; opacity: .6; }
svg.chart .grid { stroke: var(--line); fill: none; }
svg.chart .data { stroke: var(--accent); fill: none; stroke-width: 1.6; }
svg.chart .area { fill: var(--accent); opacity: .3; }
svg.chart .point { fill: var(--accent); stroke: none; }
svg.chart .fit { stroke: var(--second); fill: none; stroke-width: 1.6; }
svg.chart .band { fill: var(--second); opacity: .16; }
svg.chart .mark { stroke: var(--second); stroke-width: 1.4; stroke-dasharray: 5 4; fill: none; }
.s0 { --own: var(--accent); } .s1 { --own: var(--second); } .s2 { --own: var(--good); } .s3 { --own: var(--bad); }
.s4 { --own: var(--soft); } .s5 { --own: var(--text); }
svg.chart .series { stroke: var(--own); fill: none; stroke-width: 1.6; } svg.chart .dashed { stroke-dasharray: 6 4; }
svg.chart .range { stroke: var(--accent); fill: none; stroke-width: .8; opacity: .6; }
.legend { display: flex; flex-wrap: wrap; gap: 2px 18px; }
.legend span::before { content: ""; display: inline-block; width: 22px; border-top: 2px solid var(--own);
  vertical-align: middle; margin-right: 7px; }
.legend .dashed::before { border-top-style: dashed; }
svg.chart + p, table + p { margin-top: 8px; }
table + table { margin-top: 14px; }
details { margin-top: 10px; }
summary { cursor: pointer; color: var(--accent); }
pre { margin: 10px 0 0; padding: 12px 14px; background: var(--page); border: 1px solid var(--line); border-radius: 7px;
  overflow-x: auto; font: 12.5px/1.45 ui-monospace, "DejaVu Sans Mono", monospace; }
pre.wrapped { white-space: pre-wrap; overflow-wrap: anywhere; }
code { font: .92em ui-monospace, "DejaVu Sans Mono", monospace; }
@media (max-width: 640px) { .slices.flat { grid-template-columns: 1fr; } }
@page { margin: 14mm; }
@media print { :root { color-scheme: light; --page: #fff; --card: #fff; --text: #000; --soft: #444; --line: #bbb;
  --accent: #0b62a8; --second: #c2560c; --warn: #6b4000; --warn-back: #fff; --bad: #8d1512; --bad-back: #fff;
  --good: #14532b; --good-back: #fff; }
  body { font-size: 11pt; } main { max-width: none; padding: 0; }
  section { border: 0; border-top: 1px solid var(--line); border-radius: 0; padding: 12px 0; margin: 0; }
  figure, .tile, tr, svg { break-inside: avoid; } h2, h3, h2 + p { break-after: avoid; }
  .pair { grid-template-columns: 1fr 1fr; } svg.chart { max-width: 130mm; } .tiles { grid-template-columns: repeat(6, 1fr); }
  ul.messages li.warning, ul.messages li.error { border: 1px solid currentColor; }
  .status { border: 1px solid currentColor; } }
)";

} // namespace

std::string escaped(const std::string &text) {
    const CString valid(g_utf8_make_valid(text.c_str(), static_cast<gssize>(text.size())));
    std::string html;
    for (const char *c = valid.get(); *c; c++)
        switch (*c) {
        case '&':
            html += "&amp;";
            break;
        case '<':
            html += "&lt;";
            break;
        case '>':
            html += "&gt;";
            break;
        case '"':
            html += "&quot;";
            break;
        case '\'':
            html += "&#39;";
            break;
        default:
            const auto byte = static_cast<unsigned char>(*c);
            if ((byte < 0x20 && *c != '\n' && *c != '\t') || byte == 0x7f)
                html += "\xef\xbf\xbd";
            else
                html += *c;
        }
    return html;
}

namespace {

std::string formatted(double value, std::chars_format format, int precision) {
    char written[512];
    const auto end = std::to_chars(written, written + sizeof written, value, format, precision).ptr;
    return {written, end};
}

} // namespace

std::string fixed(double value, int decimals) { return formatted(value, std::chars_format::fixed, decimals); }

std::string digits(double value, int count) {
    const double size = std::abs(value);
    const bool is_whole = size >= std::pow(10.0, count - 1) && size < 1e7; // no 2.8e+04
    return is_whole ? fixed(value, 0) : formatted(value, std::chars_format::general, count);
}

void FactTable::add(const std::string &quantity, const std::string &value) {
    if (!value.empty())
        rows_.emplace_back(quantity, value);
}

std::string FactTable::html() const {
    if (rows_.empty())
        return {};
    std::string html = "<table class=\"facts\"><tbody>\n";
    for (const auto &[quantity, value] : rows_)
        html += "<tr><th scope=\"row\">" + escaped(quantity) + "</th><td>" + escaped(value) + "</td></tr>\n";
    return html + "</tbody></table>\n";
}

std::string Table::html() const {
    const auto cells = [](const std::vector<std::string> &row, const std::string &element) {
        std::string html = "<tr>";
        for (const auto &cell : row)
            html += "<" + element + ">" + escaped(cell) + "</" + element + ">";
        return html + "</tr>\n";
    };
    std::string html = "<table>\n<thead>" + cells(heading_, "th") + "</thead>\n<tbody>\n";
    for (const auto &row : rows_)
        html += cells(row, "td");
    return html + "</tbody></table>\n";
}

std::string page_of(const std::string &title, const std::string &body) {
    return "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
           "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>" +
           escaped(title) + "</title>\n<style>" + style + "</style>\n</head>\n<body>\n<main>\n" + body +
           "</main>\n</body>\n</html>\n";
}

} // namespace tomo::reconstruction
