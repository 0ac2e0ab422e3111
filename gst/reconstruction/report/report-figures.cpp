// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/files/formats/png.hpp>
#include <gst/files/grey-mapping.hpp>
#include <gst/reconstruction/report/chart.hpp>
#include <gst/reconstruction/flat-field.hpp>
#include <gst/reconstruction/report/html.hpp>
#include <gst/reconstruction/report/report.hpp>
#include <gst/reconstruction/report/result-slices.hpp>
#include <gst/reconstruction/report/scale-bar.hpp>
#include <gst/tomo/geometry/degrees.hpp>
#include <gst/tomo/support/c-string.hpp>

#include <algorithm>
#include <cmath>

namespace tomo::reconstruction {

namespace {

constexpr double most_stretched = 14.0; // width of a picture over its height
constexpr unsigned few_pixels = 500;    // that are shown as squares
constexpr unsigned most_pixels = 800;

using Range = std::pair<double, double>;

// An image element with all of its data: 8 bits by a range of values.
std::string image_of(const Picture &picture, const Range &grey, const std::string &title) {
    const ArrayInfo from(GST_TOMO_FORMAT_FLOAT32, picture.width, picture.height),
        to(GST_TOMO_FORMAT_UINT8, picture.width, picture.height);
    std::vector<unsigned char> pixels(to.size());
    io::GreyMapping{8, true, {grey.first, grey.second}}.apply(from, picture.values.data(), pixels.data());
    const auto png = io::png_of(to, pixels.data());
    const CString data(g_base64_encode(png.data(), png.size()));
    return "<img alt=\"" + escaped(title) + "\"" +
           (std::max(picture.width, picture.height) <= few_pixels ? " class=\"few\"" : "") +
           " data-black=\"" + digits(grey.first, 9) + "\" data-white=\"" + digits(grey.second, 9) +
           "\" src=\"data:image/png;base64," + data.get() + "\">";
}

std::string scale_of(const ScaleBar &bar) {
    return "<span class=\"scale\" style=\"width:" + fixed(100.0 * bar.share, 3) + "%\">" + bar.label +
           "<i></i></span>";
}

std::string every_text(unsigned step, const char *what) {
    return step > 1 ? text(", every %u %s", step, what) : "";
}

// What the values of a result are.
struct Quantity {
    std::string name;
    double metres = std::nan(""); // of a voxel, for attenuation

    explicit Quantity(const ReportFacts &facts) {
        if (!facts.settings.output_bitdepth.is("32")) {
            name = "grey value";
        } else if (facts.settings.delta.is_given()) {
            name = "share of the material";
        } else if (takes_logarithm(facts.settings, facts.scan) &&
                   !facts.settings.projection_filter.is("none")) {
            name = "attenuation per voxel";
            metres = facts.scan.voxel_size(facts.settings);
        } else {
            name = "value";
        }
    }

    std::string range(const Range &values) const {
        auto words = digits(values.first, 4) + " to " + digits(values.second, 4);
        if (!std::isnan(metres))
            words += " (" + digits(values.first / metres / 100.0, 4) + " to " +
                     digits(values.second / metres / 100.0, 4) + " cm\xe2\x81\xbb\xc2\xb9)";
        return words;
    }
};

std::string histogram(const std::vector<float> &values, const Range &grey, const Quantity &quantity) {
    const double margin = 0.35 * (grey.second - grey.first);
    double least = grey.first, largest = grey.second;
    for (const double value : values)
        if (std::isfinite(value)) {
            least = std::min(least, value);
            largest = std::max(largest, value);
        }
    const double from = std::max(least, grey.first - margin), to = std::min(largest, grey.second + margin);
    if (!(to > from))
        return {};
    constexpr std::size_t bins = 160;
    std::vector<double> numbers(bins, 0.0);
    std::size_t outside = 0;
    for (const double value : values) {
        if (!(value >= from && value <= to)) {
            outside++;
            continue;
        }
        const auto bin = static_cast<std::size_t>((value - from) / (to - from) * static_cast<double>(bins));
        numbers[std::min(bin, bins - 1)]++;
    }
    std::vector<double> x, y;
    for (std::size_t i = 0; i < bins; i++)
        for (const double edge : {0.0, 1.0}) {
            x.push_back(from + (to - from) * (static_cast<double>(i) + edge) / static_cast<double>(bins));
            y.push_back(std::log10(std::max(numbers[i], 1.0)));
        }
    const double most = *std::max_element(y.begin(), y.end());
    Chart chart({from, to, false}, {0.0, std::max(1.05 * most, 1.0), false}, quantity.name, "pixels");
    chart.has_logarithms();
    chart.area(x, y);
    chart.line("data", x, y);
    chart.vertical("mark", grey.first);
    chart.vertical("mark", grey.second);
    return "<h3>Histogram of these slices</h3>\n" + chart.svg("Number of pixels against their value") +
           "<p class=\"soft\">Dashed: the grey range of the pictures, " + escaped(quantity.range(grey)) +
           ", which is 0.5 to 99.5 % of the pixels." +
           (outside
                ? " " + fixed(100.0 * static_cast<double>(outside) / static_cast<double>(values.size()), 2) +
                      " % of them lie outside of the diagram."
                : "") +
           "</p>\n";
}

// Rows and columns left out, so that no more than most_pixels are there.
Picture reduced(const Picture &picture, unsigned &step_across, unsigned &step_down) {
    step_across = (picture.width + most_pixels - 1) / most_pixels;
    step_down = (picture.height + most_pixels - 1) / most_pixels;
    Picture small;
    small.width = (picture.width + step_across - 1) / step_across;
    small.height = (picture.height + step_down - 1) / step_down;
    for (std::size_t y = 0; y < picture.height; y += step_down)
        for (std::size_t x = 0; x < picture.width; x += step_across)
            small.values.push_back(picture.values[y * picture.width + x]);
    return small;
}

std::string sinogram(const Picture &picture, const char *title, const std::string &quantity) {
    unsigned across = 1, down = 1;
    const Picture small = reduced(picture, across, down);
    const auto grey = io::percentiles(small.values, io::darkest, io::brightest);
    return "<figure><div class=\"picture\" style=\"aspect-ratio:4/3\">" + image_of(small, grey, title) +
           "</div><figcaption><b>" + title + "</b>: " +
           escaped(quantity + ", " + digits(grey.first, 4) + " to " + digits(grey.second, 4) + "; " +
                   text("%u columns, %u views down", picture.width, picture.height) +
                   every_text(across, "columns") + every_text(down * picture.row_step, "views")) +
           "</figcaption></figure>\n";
}

} // namespace

std::string slices_section(const ReportFacts &facts) {
    const auto &settings = facts.settings;
    const Middle middle(facts.plan, settings.binning);
    auto slices = middle_slices(facts.plan, middle);
    std::vector<float> values;
    for (const auto &slice : slices)
        values.insert(values.end(), slice.picture.values.begin(), slice.picture.values.end());
    const auto grey = io::percentiles(values, io::darkest, io::brightest);
    const Quantity quantity(facts);
    const double voxel = facts.scan.voxel_size(settings), along_z = facts.scan.slice_spacing(settings);

    const double shape = along_z * slices.back().height / slices.back().width;
    std::string html = std::string("<div class=\"slices") +
                       (slices.size() > 1 && shape < 0.6 ? " flat" : "") + "\"" +
                       (slices.size() == 1 ? " style=\"max-width:640px\"" : "") + ">\n";
    for (const auto &slice : slices) {
        const bool is_slice = slice.down[0] == 'y';
        const double height = slice.height * (is_slice ? 1.0 : along_z), ratio = slice.width / height;
        const bool is_stretched = ratio > most_stretched;
        const char *normal = is_slice ? "z" : slice.across[0] == 'x' ? "y" : "x";
        const auto title = text("Slice %s = %u", normal, slice.number);
        html +=
            text("<figure class=\"slice\" data-normal=\"%s\" data-number=\"%u\" data-step-across=\"%u\" "
                 "data-step-down=\"%u\">",
                 normal, slice.number, slice.step_across * slice.factor, slice.step_down * slice.factor) +
            "<div class=\"picture\" style=\"aspect-ratio:" + fixed(std::min(ratio, most_stretched), 4) +
            "\">" + image_of(slice.picture, grey, title) + scale_of({double(slice.width), voxel}) +
            "</div><figcaption><b>" + title + "</b>: " +
            escaped(text("%s to the right, %s down, %u \xc3\x97 %u", slice.across, slice.down, slice.width,
                         slice.height) +
                    (slice.factor > 1 ? text("; means of %u \xc3\x97 %u \xc3\x97 %u voxels, from the pyramid",
                                             slice.factor, slice.factor, slice.factor)
                                      : "") +
                    every_text(slice.step_across, is_slice ? "pixels" : "columns") +
                    (is_slice ? "" : every_text(slice.step_down, "slices")) +
                    (is_stretched ? "; stretched along z" : "")) +
            "</figcaption></figure>\n";
    }
    html += "</div>\n";
    if (facts.plan.turns > 1)
        html += text("<p class=\"soft\">Of turn number %u of %u volumes.</p>\n",
                     middle.image / (facts.plan.shape.depth / facts.plan.turns), facts.plan.turns);
    return html + histogram(values, grey, quantity);
}

std::string sinograms_section(const ReportFacts &facts) {
    if (!facts.sinograms)
        return {};
    const auto raw = facts.sinograms->raw(), corrected = facts.sinograms->corrected();
    const auto &scan = facts.scan;
    std::string html;
    if (!raw.is_empty())
        html += sinogram(raw, "Before correction", scan.is_sinograms ? "values as read" : "counts");
    if (!corrected.is_empty())
        html += sinogram(corrected, "After correction",
                         takes_logarithm(facts.settings, scan)           ? "absorption"
                         : are_values_transmission(facts.settings, scan) ? "transmission"
                                                                         : "values");
    if (html.empty())
        return {};
    return text("<p class=\"soft\">Row %u of the detector; ", facts.sinograms->middle().row) +
           fixed(degrees(scan.angle_first), 1) + "\xc2\xb0 above, " + fixed(degrees(scan.angle_last), 1) +
           "\xc2\xb0 below.</p>\n" + "<div class=\"pair\">\n" + html + "</div>\n";
}

} // namespace tomo::reconstruction
