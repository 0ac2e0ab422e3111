// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/files/scan/text-table.hpp>
#include <gst/reconstruction/distortion.hpp>
#include <gst/reconstruction/line.hpp>
#include <gst/tomo/support/text-file.hpp>

#include <algorithm>
#include <cmath>
#include <sstream>

namespace tomo::reconstruction {

namespace {

struct Distortion {
    double x, y;                      // the centre, in edge coordinates of the detector
    std::vector<double> coefficients; // of the backward model, of detector pixels

    double factor(double radius) const {
        double factor = 0.0;
        for (auto c = coefficients.rbegin(); c != coefficients.rend(); ++c)
            factor = factor * radius + *c;
        return factor;
    }
};

[[noreturn]] void refuse(const std::string &file, const std::string &why) {
    throw Error(GST_STREAM_ERROR_DECODE,
                "'" + file + "': " + why +
                    "; wanted a file of Discorpy, with xcenter, ycenter and the factors behind each other");
}

// Of Discorpy, whose places are indices of pixels.
Distortion of_indices(double x, double y, std::vector<double> factors) {
    return {x + 0.5, y + 0.5, std::move(factors)};
}

Distortion of_json(const std::string &file, const std::string &content) {
    const auto object = Json::parse(content, file);
    if (!object.is(Json::Kind::object))
        refuse(file, "it holds no object");
    const auto number = [&](const Json *value, const char *name) {
        if (!value || !value->is(Json::Kind::number))
            refuse(file, text("it has no number %s", name));
        return g_ascii_strtod(value->text().c_str(), nullptr);
    };
    const auto *list = object.find("list_fact");
    if (!list || !list->is(Json::Kind::list))
        refuse(file, "it has no list list_fact");
    std::vector<double> factors;
    for (const auto &item : list->items())
        factors.push_back(number(&item, "in list_fact"));
    return of_indices(number(object.find("xcenter"), "xcenter"), number(object.find("ycenter"), "ycenter"),
                      std::move(factors));
}

// A number stands at the end of each line.
Distortion of_text(const std::string &file, const std::string &content) {
    std::istringstream lines(content);
    std::vector<double> numbers;
    for (std::string line; std::getline(lines, line);) {
        const auto end = line.find_last_not_of(" \t\r");
        if (end == std::string::npos)
            continue;
        const auto begin = line.find_last_of(" \t=", end);
        const auto word = line.substr(begin == std::string::npos ? 0 : begin + 1,
                                      end - (begin == std::string::npos ? 0 : begin + 1) + 1);
        const auto number = io::numbers_in_words(word);
        if (!number || number->size() != 1)
            refuse(file, "'" + line + "' ends in no number");
        numbers.push_back(number->front());
    }
    if (numbers.size() < 3)
        refuse(file, text("it has %zu numbers", numbers.size()));
    return of_indices(numbers[0], numbers[1], {numbers.begin() + 2, numbers.end()});
}

Distortion given(const Settings &settings, const Inspection &scan) {
    const std::string value = settings.distortion;
    if (names_distortion_file(settings)) {
        const auto content = read_text_file(value, "the distortion");
        const bool is_json = content.find_first_not_of(" \t\r\n") != std::string::npos &&
                             content[content.find_first_not_of(" \t\r\n")] == '{';
        return is_json ? of_json(value, content) : of_text(value, content);
    }
    const auto centre = settings.distortion_center.value();
    if (!centre.empty() && centre.size() != 2)
        throw Error(GST_RESOURCE_ERROR_SETTINGS,
                    text("distortion-center has %zu numbers; wanted column and row", centre.size()));
    return {centre.empty() ? scan.image.width / 2.0 : centre[0],
            centre.empty() ? scan.image.height / 2.0 : centre[1], *io::numbers_in_words(value)};
}

Distortion distortion_of(const Settings &settings, const Inspection &scan) {
    const auto found = given(settings, scan);
    const double w = scan.image.width, h = scan.image.height;
    if (!std::all_of(found.coefficients.begin(), found.coefficients.end(),
                     [](double c) { return std::isfinite(c); }) ||
        !std::isfinite(found.x) || !std::isfinite(found.y))
        throw Error(GST_RESOURCE_ERROR_SETTINGS, "distortion has numbers that are not finite");
    // Each place of the detector is seen once.
    constexpr unsigned places = 256;
    const double farthest = std::hypot(std::max(std::abs(found.x), std::abs(w - found.x)),
                                       std::max(std::abs(found.y), std::abs(h - found.y)));
    double before = 0.0;
    for (unsigned i = 1; i <= places; i++) {
        const double r = farthest * i / places, distorted = r * found.factor(r);
        if (!(distorted > before))
            throw Error(
                GST_RESOURCE_ERROR_SETTINGS,
                text("distortion folds the image at %.4g pixels from its centre at %g, %g: look at its "
                     "coefficients and their order (a0, which is about 1, comes first)",
                     r, found.x, found.y));
        before = distorted;
    }
    return found;
}

} // namespace

bool corrects_distortion(const Settings &settings) { return !settings.distortion.empty(); }

bool names_distortion_file(const Settings &settings) {
    const auto numbers = io::numbers_in_words(settings.distortion);
    return corrects_distortion(settings) && !(numbers && !numbers->empty());
}

DistortionMargin distortion_margin(const Settings &settings, const Inspection &scan, unsigned first,
                                   unsigned count) {
    if (!corrects_distortion(settings))
        return {};
    const auto distortion = distortion_of(settings, scan);
    // As nothing folds, the farthest places are those of the first and the last row. Those of bins lie
    // between them.
    double least = first, most = first + count;
    for (unsigned i = 0; i <= scan.image.width; i++)
        for (const double row : {double(first), double(first + count)}) {
            const double y = row - distortion.y,
                         at = distortion.y + y * distortion.factor(std::hypot(i - distortion.x, y));
            least = std::min(least, at);
            most = std::max(most, at);
        }
    const unsigned of_spline = 2 * settings.binning;
    const auto rows = [&](double pixels) {
        return static_cast<unsigned>(std::min(std::ceil(pixels), double(scan.image.height))) + of_spline;
    };
    return {rows(first - least), rows(most - first - count)};
}

std::string distortion_line(const Settings &settings, const Inspection &scan, unsigned first) {
    if (!corrects_distortion(settings))
        return {};
    const auto distortion = distortion_of(settings, scan);
    const double binning = settings.binning;
    std::string coefficients;
    double scale = 1.0;
    for (const double c : distortion.coefficients) {
        coefficients += (coefficients.empty() ? "" : ",") + number(c * scale);
        scale *= binning;
    }
    return " ! tomocorrectdistortion name=distortion" +
           launch_property("coefficients", "<" + coefficients + ">") +
           launch_property("center", "<" + number(distortion.x / binning) + "," +
                                         number((distortion.y - first) / binning) + ">") +
           (settings.distortion_interpolation.is_given()
                ? launch_property("interpolation", settings.distortion_interpolation.value())
                : "") +
           (settings.distortion_padding_mode.is_given()
                ? launch_property("addressing-mode", settings.distortion_padding_mode.value())
                : "");
}

} // namespace tomo::reconstruction
